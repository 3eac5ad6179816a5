"""A home in a file: the raw results of the websocket commands that the mirror uses, one key a command.

Also the one place that turns those results into a `Home`, for the live mirror as well. Keys it does not know are
ignored, missing ones are empty.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from .home import (
    Config,
    Entity,
    Home,
    Registries,
    Row,
    area_from_row,
    config_entry_from_row,
    device_from_row,
    entity_from_row,
    exposed_from_result,
    floor_from_row,
    label_from_row,
    state_from_compressed,
)

Results = Mapping[str, Any]
"""What Home Assistant answered, by command; None where it had no answer for us."""

CONFIG = "get_config"
FLOORS = "config/floor_registry/list"
AREAS = "config/area_registry/list"
LABELS = "config/label_registry/list"
DEVICES = "config/device_registry/list"
ENTITIES = "config/entity_registry/list"
ENTRIES = "config/entity_registry/get_entries"
CONFIG_ENTRIES = "config_entries/get"
SOURCES = "entity/source"
EXPOSED = "homeassistant/expose_entity/list"
ISSUES = "repairs/list_issues"
TRANSLATIONS = ("frontend/get_translations:entity", "frontend/get_translations:entity_component")
"""A command with its category."""
STATES = "subscribe_entities"
"""Here the first event, which holds all states."""

DETAILS = ("calendar/event/subscribe", "todo/item/list")
"""Commands about one entity: a snapshot that has them holds their results (or first events) by entity id."""

DEMO_HOME = Path(__file__).parent.parent / "data" / "demo_home.json"
"""The home that answers when there is no Home Assistant."""


class BadSnapshot(Exception):
    """The file is not a snapshot; the text says which and why."""


_MOMENT = re.compile(rb"\d{4}-\d\d-\d\d(?=[T ]\d\d:\d\d:\d\d)")


def load_home(path: Path) -> Home:
    """Read a snapshot. Raises `BadSnapshot`."""
    try:
        return _home_from_json(path, path.read_bytes())
    except OSError as error:
        raise BadSnapshot(f"{path}: {error.strerror or error}") from error


def demo_home(now: datetime) -> Home:
    """The home that answers when there is no Home Assistant, as if it had been recorded just now."""
    raw = DEMO_HOME.read_bytes()
    since = now - datetime.fromisoformat(orjson.loads(raw)["recorded_at"])

    def shifted(match: re.Match[bytes]) -> bytes:
        return (date.fromisoformat(match[0].decode()) + timedelta(days=since.days)).isoformat().encode()

    results = orjson.loads(_MOMENT.sub(shifted, raw))
    for row in results[STATES]["a"].values():
        row["lc"] += since.total_seconds()
    return home_from_results(results)


def _home_from_json(path: Path, raw: bytes) -> Home:
    try:
        results = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise BadSnapshot(f"{path} is not JSON: {error}") from error
    if not isinstance(results, dict) or STATES not in results:
        raise BadSnapshot(f"{path} is not a snapshot: make one with `wyoming-openai snapshot > FILE`")
    try:
        return home_from_results(results)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadSnapshot(f"{path} is not a snapshot of a home: {type(error).__name__}: {error}") from error


def home_from_results(results: Results) -> Home:
    """A whole home from the results of the websocket commands, by the command's name."""
    added = (results.get(STATES) or {}).get("a") or {}
    home = Home(
        Config.from_row(results.get(CONFIG) or {}),
        registries_from_results(results),
        (state_from_compressed(entity_id, row) for entity_id, row in added.items()),
    )
    home.details = {command: results[command] for command in DETAILS if results.get(command)}
    update_home(home, results)
    return home


def update_home(home: Home, results: Results) -> None:
    """Replace what the results speak of, but for registries and states."""
    if results.get(CONFIG):
        home.config = Config.from_row(results[CONFIG])
    if ISSUES in results:
        home.issues = tuple((results[ISSUES] or {}).get("issues") or ())
    if any(command in results for command in TRANSLATIONS):
        parts = ((results.get(command) or {}).get("resources") or {} for command in TRANSLATIONS)
        home.translations = {key: text for part in parts for key, text in part.items()}


def registries_from_results(results: Results, old: Registries | None = None) -> Registries:
    """The registries, in Home Assistant's order; what the results do not speak of stays as in `old`."""
    old = old or Registries()
    parts = {name: convert(results[command]) for command, name, convert in _PARTS if command in results}
    if ENTITIES in results:
        parts["entities"] = _entities(results[ENTITIES] or (), results.get(ENTRIES) or {}, old.entities)
    return old.with_parts(**parts)


def _entities(rows: Iterable[Row], entries: Mapping[str, Row | None], old: Mapping[str, Entity]) -> dict[str, Entity]:
    """The list has all but the aliases; those are in the extended entries, and stay where there is none."""
    entities = {}
    for row in rows:
        entity_id = row["entity_id"]
        known = old.get(entity_id)
        extended = entries.get(entity_id) or {"aliases": known.aliases if known else ()}
        entities[entity_id] = entity_from_row({**extended, **row})
    return entities


def _by_id(convert: Callable[[Row], Any]) -> Callable[[Any], dict[str, Any]]:
    return lambda rows: {value.id: value for value in map(convert, rows or ())}


def _sources(result: Any) -> dict[str, str]:
    return {entity_id: source["domain"] for entity_id, source in (result or {}).items()}


_PARTS: tuple[tuple[str, str, Callable[[Any], Any]], ...] = (
    (FLOORS, "floors", _by_id(floor_from_row)),
    (AREAS, "areas", _by_id(area_from_row)),
    (LABELS, "labels", _by_id(label_from_row)),
    (DEVICES, "devices", _by_id(device_from_row)),
    (CONFIG_ENTRIES, "config_entries", _by_id(config_entry_from_row)),
    (SOURCES, "sources", _sources),
    (EXPOSED, "exposed_by_list", exposed_from_result),
)
"""Command, field of `Registries`, and what makes one of the other."""
