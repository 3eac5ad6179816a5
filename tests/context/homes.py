"""Small homes in a few words, for tests."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from wyoming_openai.context import HomeContext, build_context
from wyoming_openai.context.cache import ContextCache
from wyoming_openai.hass.home import Home
from wyoming_openai.hass.snapshot import home_from_results
from wyoming_openai.local_engine.engine import Recognition
from wyoming_openai.messages import Utterance

NOW = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
ROOMS = ("Kitchen", "Living room", "Bedroom", "Office", "Bathroom", "Hall")


@dataclass(frozen=True)
class Thing:
    """An entity and its state."""

    entity_id: str
    name: str
    state: str = "off"
    area: str | None = None
    device_class: str | None = None
    unit: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    aliases: Sequence[str] = ()
    labels: Sequence[str] = ()
    exposed: bool = True
    seconds: float = 600
    """Since when it has been so."""


def home_of(
    things: Iterable[Thing],
    areas: Mapping[str, str | None] | None = None,
    *,
    labels: Sequence[str] = (),
    aliases: Mapping[str, Sequence[str]] | None = None,
    translations: Mapping[str, str] | None = None,
) -> Home:
    """A home of things; `areas` maps the name of an area to that of its floor."""
    things = list(things)
    areas = {**{thing.area: None for thing in things if thing.area}, **(areas or {})}
    registry, states = [], {}
    for thing in things:
        extra = {"device_class": thing.device_class, "unit_of_measurement": thing.unit}
        attributes = {**thing.attributes, **{name: value for name, value in extra.items() if value}}
        registry.append(
            {
                "entity_id": thing.entity_id,
                "original_name": thing.name,
                "area_id": thing.area,
                "aliases": list(thing.aliases),
                "labels": list(thing.labels),
                "options": {"conversation": {"should_expose": thing.exposed}},
            }
        )
        states[thing.entity_id] = {
            "s": thing.state,
            "a": {**attributes, "friendly_name": thing.name},
            "c": "context",
            "lc": NOW.timestamp() - thing.seconds,
        }
    return home_from_results(
        {
            "config/floor_registry/list": [{"floor_id": floor, "name": floor} for floor in _floors(areas)],
            "config/area_registry/list": [
                {"area_id": name, "name": name, "floor_id": floor, "aliases": list((aliases or {}).get(name, ()))}
                for name, floor in areas.items()
            ],
            "config/label_registry/list": [{"label_id": label, "name": label} for label in labels],
            "config/entity_registry/list": registry,
            "config/entity_registry/get_entries": {row["entity_id"]: row for row in registry},
            "subscribe_entities": {"a": states},
            "frontend/get_translations:entity_component": {"resources": dict(translations or {})},
        }
    )


def _floors(areas: Mapping[str, str | None]) -> list[str]:
    return list(dict.fromkeys(floor for floor in areas.values() if floor))


def estate(floors: int = 10) -> Home:
    """A home too large to be told whole: six rooms on each floor, nine things in each room."""
    things, areas = [], {}
    for floor in range(floors):
        for place, room in enumerate(ROOMS):
            area = room if not floor else f"{room} {floor + 1}"
            areas[area] = f"Floor {floor}"
            things += _furniture(area, f"{floor}_{place}", floor * len(ROOMS) + place)
    return home_of(things, areas)


def _furniture(area: str, suffix: str, number: int) -> Iterable[Thing]:
    yield Thing(f"light.ceiling_{suffix}", "Ceiling light", "on" if number % 10 == 0 else "off", area)
    yield Thing(f"light.lamp_{suffix}", f"{area} Lamp", "off", area)
    yield Thing(f"switch.radio_{suffix}", f"{area} Radio", "on" if number % 7 == 0 else "off", area)
    yield Thing(f"binary_sensor.window_{suffix}", f"{area} Window", "on" if number == 3 else "off", area, "window")
    yield Thing(f"sensor.warmth_{suffix}", f"{area} Temperature", f"{15 + number / 10}", area, "temperature", "°C")
    yield Thing(f"sensor.power_{suffix}", f"{area} Power", str(number), area, "power", "W")
    yield Thing(f"cover.blind_{suffix}", f"{area} Blind", "closed", area, "blind", attributes={"current_position": 0})
    yield Thing(f"lock.lock_{suffix}", f"{area} Lock", "unlocked" if number == 5 else "locked", area)
    yield Thing(f"sensor.secret_{suffix}", f"{area} Diary", f"secret{suffix}", area, exposed=False)


def told(
    home: Home,
    text: str,
    language: str = "en",
    *,
    area: str | None = None,
    history: Sequence[str] = (),
    budget: int = 2000,
    context_cache: ContextCache | None = None,
    recognition: Recognition | None = None,
) -> HomeContext:
    """What the model is told when somebody says this in a room."""
    return build_context(
        home,
        Utterance(text, language),
        home.registries.areas[area] if area else None,
        history,
        budget=budget,
        now=NOW,
        recognize=lambda: recognition,
        context_cache=context_cache,
    )


def names(home: Home, context: HomeContext) -> list[str]:
    """Whom the model is told about, in order."""
    return [home.name(chosen.entity_id) for chosen in context.chosen]
