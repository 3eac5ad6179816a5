"""Which entities are added up, and in which unit: no group beside its members, rooms apart from ovens. Pure."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path

import orjson

from ..hass.home import Area, Home, State
from .facts import kind_of, number_of

BATTERY_LOW = 20.0
"""Per cent up to which a battery is low."""

ROOM = (4.0, 36.0)
"""°C that a room may have; what is beyond is no room."""

GONE = frozenset({"unavailable", "unknown"})
"""States that say that nobody knows the state."""

_OPENINGS: Mapping[tuple[str, str], str] = {
    ("binary_sensor", "door"): "door",
    ("binary_sensor", "garage_door"): "garage_door",
    ("binary_sensor", "window"): "window",
    ("cover", "door"): "door",
    ("cover", "garage"): "garage_door",
    ("cover", "window"): "window",
}
"""Contacts and covers of one kind of thing."""

_OPEN = {"on": "open", "off": "closed"}

_UNITS: Mapping[str, tuple[str, float, float]] = {
    "mW": ("W", 0.001, 0.0),
    "W": ("W", 1.0, 0.0),
    "kW": ("W", 1000.0, 0.0),
    "MW": ("W", 1e6, 0.0),
    "Wh": ("kWh", 0.001, 0.0),
    "kWh": ("kWh", 1.0, 0.0),
    "MWh": ("kWh", 1000.0, 0.0),
    "°C": ("°C", 1.0, 0.0),
    "°F": ("°C", 5 / 9, -160 / 9),
    "K": ("°C", 1.0, -273.15),
    "Pa": ("hPa", 0.01, 0.0),
    "hPa": ("hPa", 1.0, 0.0),
    "mbar": ("hPa", 1.0, 0.0),
    "kPa": ("hPa", 10.0, 0.0),
    "mA": ("A", 0.001, 0.0),
    "A": ("A", 1.0, 0.0),
    "mV": ("V", 0.001, 0.0),
    "V": ("V", 1.0, 0.0),
    "kV": ("V", 1000.0, 0.0),
}
"""The unit that others are told in, and how much one is of it: `base = value * factor + offset`."""

_WORDS: Mapping[str, Mapping[str, list[str]]] = orjson.loads(
    (Path(__file__).parent.parent / "data" / "meters.json").read_bytes()
)


def _any_of(name: str) -> re.Pattern[str]:
    """Any of the words of all languages: names are in whatever language the owner speaks."""
    return re.compile("|".join(word for words in _WORDS[name].values() for word in words), re.IGNORECASE)


_APPLIANCE = _any_of("appliance")
_OUTDOORS = _any_of("outdoors")
"""Names of thermometers that measure no room."""

_WHOLE = _any_of("whole")
"""Names of meters that measure what the others measure too."""

_MADE = _any_of("made")
"""Names of meters of what is made, given away or stored."""

Measured = tuple[float, State]


def added_up(home: Home, states: Iterable[State]) -> list[State]:
    """Those that are counted: groups are left out where any of their members is counted."""
    counted = list(states)
    names = {state.entity_id: home.names(state.entity_id) for state in counted if "lights" in state.attributes}
    if not names and not any("entity_id" in state.attributes for state in counted):
        return counted
    ids = {state.entity_id for state in counted}
    by_name = _by_name(home, counted) if names else {}
    return [state for state in counted if not _members(home, state, by_name) & (ids - {state.entity_id})]


def _members(home: Home, state: State, by_name: Mapping[str, str]) -> frozenset[str]:
    """All that a group holds, those of its groups too; a speaker that plays with others is no group."""
    found: set[str] = set()
    waiting = [state]
    while waiting:
        attributes = waiting.pop().attributes
        listed = attributes.get("entity_id")
        ids = {each for each in listed if isinstance(each, str)} if isinstance(listed, list | tuple) else set()
        if attributes.get("is_hue_group"):
            ids |= {
                by_name[str(name).casefold()]
                for name in attributes.get("lights") or ()
                if str(name).casefold() in by_name
            }
        new = ids - found
        found |= new
        waiting += [home.states[each] for each in new if each in home.states]
    return frozenset(found)


def _by_name(home: Home, states: Iterable[State]) -> dict[str, str]:
    """Entity ids by what a bridge calls its lights: the names of the entities and of their devices."""
    registries = home.registries
    found: dict[str, str] = {}
    for state in states:
        if state.attributes.get("is_hue_group"):
            continue
        entity = registries.entities.get(state.entity_id)
        device = registries.devices.get((entity and entity.device_id) or "")
        row_name = device.row.get("name") if device else None
        for name in (state.name, entity and entity.original_name, device and device.name, row_name):
            if name:
                found[str(name).casefold()] = state.entity_id
    return found


def thing_of(state: State) -> tuple[str, str]:
    """Domain and device class under which it is added up: doors and windows are, whatever tells of them."""
    domain, device_class = kind_of(state)
    opening = _OPENINGS.get((domain, device_class))
    if opening is not None:
        return "opening", opening
    return ("battery", "battery") if device_class == "battery" else (domain, device_class)


def plain_state(state: State) -> str:
    """The state as it is counted: a contact that is on is open."""
    if thing_of(state)[0] == "opening":
        return _OPEN.get(state.state, state.state)
    return state.state


def in_one_unit(states: Iterable[State]) -> tuple[list[Measured], str]:
    """Their numbers in the unit that most of them have, and that unit; what cannot be told in it is left out."""
    units = Counter(_unit(state) for state in states if number_of(state) is not None)
    if not units:
        return [], ""
    unit = units.most_common(1)[0][0]
    found = [(value, state) for state in states if (value := _value_in(state, unit)) is not None]
    return found, unit


def _unit(state: State) -> str:
    return str(state.attributes.get("unit_of_measurement") or "")


def _value_in(state: State, unit: str) -> float | None:
    value, own = number_of(state), _unit(state)
    if value is None or own == unit:
        return value
    return converted(value, own, unit)


def converted(value: float, own: str, unit: str) -> float | None:
    """A number in another unit; None where these measure different things."""
    if own == unit:
        return value
    if own not in _UNITS or unit not in _UNITS or _UNITS[own][0] != _UNITS[unit][0]:
        return None
    _, factor, offset = _UNITS[own]
    _, other_factor, other_offset = _UNITS[unit]
    return (value * factor + offset - other_offset) / other_factor


# ---- rooms


@dataclass(frozen=True, slots=True)
class Rooms:
    """Temperatures of rooms, and of all else."""

    rooms: list[Measured]
    others: list[Measured]
    unit: str


def room_temperatures(home: Home, states: Sequence[State], area_of: Callable[[State], Area | None]) -> Rooms:
    """The thermometers of rooms: the one that its area names, else those that a room may be measured with.

    A thermostat tells of a room in which no other does.
    """
    sensors = [state for state in states if state.domain == "sensor"]
    measured, unit = in_one_unit(sensors)
    rooms = [(value, state) for value, state in measured if _is_of_room(value, unit, state, area_of(state), home)]
    kept = {state.entity_id for _, state in rooms}
    others = [(value, state) for value, state in measured if state.entity_id not in kept]
    known = {area_of(state) for _, state in rooms}
    degrees = str(home.config.unit_system.get("temperature") or "°C")
    for state in states:
        value = state.attributes.get("current_temperature") if state.domain == "climate" else None
        area = area_of(state)
        if isinstance(value, int | float) and area is not None and area not in known and state.state not in GONE:
            known.add(area)
            own = str(state.attributes.get("temperature_unit") or degrees)
            told = converted(float(value), own, unit) if unit else float(value)
            unit = unit or own
            if told is not None:
                rooms.append((told, state))
    return Rooms(rooms, others, unit)


def _is_of_room(value: float, unit: str, state: State, area: Area | None, home: Home) -> bool:
    if _OUTDOORS.search(f"{state.name} {area.name if area else ''}"):
        return False
    chosen = area.temperature_entity_id if area is not None else None
    if chosen is not None and home.is_exposed(chosen):
        return state.entity_id == chosen
    entity = home.registries.entities.get(state.entity_id)
    if (entity is not None and entity.entity_category is not None) or _APPLIANCE.search(state.name):
        return False
    celsius = converted(value, unit, "°C") if unit else value
    return celsius is not None and ROOM[0] <= celsius <= ROOM[1]


# ---- power


@dataclass(frozen=True, slots=True)
class Consumption:
    """What consumers take, apart from meters that measure the whole home and from what is made."""

    consumers: list[Measured]
    whole: list[Measured]
    made: list[Measured]
    unit: str

    @property
    def total(self) -> float:
        return sum(value for value, _ in self.consumers)


def consumption(states: Sequence[State]) -> Consumption:
    """Power or energy in one unit, so that nothing is added up that another meter has counted."""
    measured, unit = in_one_unit(states)
    whole: list[Measured] = []
    made: list[Measured] = []
    consumers: list[Measured] = []
    for value, state in measured:
        if value < 0 or _MADE.search(state.name):
            made.append((value, state))
        elif len(measured) > 1 and _WHOLE.search(state.name):
            whole.append((value, state))
        else:
            consumers.append((value, state))
    return Consumption(consumers, whole, made, unit)


# ---- batteries


def is_low(state: State) -> bool | None:
    """Whether a battery is low; None where nobody knows."""
    if state.domain == "binary_sensor":
        return None if state.state in GONE else state.state == "on"
    value = number_of(state)
    return None if value is None else value <= BATTERY_LOW


def by_thing(states: Iterable[State], kinds: Mapping[str, tuple[str, str]]) -> dict[tuple[str, str, str], list[State]]:
    """What is added up together, by domain, device class and quantity; the directory knows some kinds better."""
    found: defaultdict[tuple[str, str, str], list[State]] = defaultdict(list)
    for state in states:
        thing = thing_of(state)
        if thing[0] in ("opening", "battery"):
            found[(*thing, "")].append(state)
        else:
            unit = _unit(state)
            quantity = _UNITS[unit][0] if unit in _UNITS else unit
            domain, device_class = kinds.get(state.entity_id, thing)
            found[domain, device_class, "" if device_class else quantity].append(state)
    return dict(found)


def lowest_first(batteries: Iterable[State]) -> Iterator[State]:
    """Low batteries, the emptiest first."""
    low = [state for state in batteries if is_low(state)]
    yield from sorted(low, key=lambda state: inf if (value := number_of(state)) is None else value)
