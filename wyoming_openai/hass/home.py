"""The home as Home Assistant tells it: registries and states, with the look-ups everyone needs. Pure.

`Registries` and `State` are frozen; a `Home` holds the current ones and changes only through its `apply_…` methods.
Nothing awaits between reading a `Home` and using what was read.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

Row = Mapping[str, Any]
"""An object of the websocket API as Home Assistant sent it."""

ASSISTANT = "conversation"
"""Home Assistant's name for Assist in the exposure settings."""

MAX_ENTITY_ID = 255  # Home Assistant's own limit
LAST_SECOND = 253_402_300_800.0  # the year 10,000: `datetime` ends before it


@dataclass(frozen=True, slots=True)
class Config:
    """What `get_config` says of the home as a whole."""

    location_name: str = "Home"
    language: str = "en"
    country: str | None = None
    time_zone: str = "UTC"
    latitude: float | None = None
    longitude: float | None = None
    elevation: float | None = None
    currency: str | None = None
    version: str = ""
    state: str = "RUNNING"
    """`STARTING` while Home Assistant still loads: states may be restored ones."""
    unit_system: Mapping[str, str] = field(default_factory=dict)
    """Unit by quantity: length, temperature, pressure, wind_speed, volume, mass, area, accumulated_precipitation."""

    @classmethod
    def from_row(cls, row: Row) -> "Config":
        known = {name: row[name] for name in cls.__slots__ if row.get(name) is not None}
        return cls(**known)

    @property
    def is_running(self) -> bool:
        """False while Home Assistant starts or stops: then its home is not the whole one."""
        return self.state == "RUNNING"


@dataclass(frozen=True, slots=True)
class Floor:
    id: str
    name: str
    level: int | None = None
    aliases: tuple[str, ...] = ()
    icon: str | None = None


@dataclass(frozen=True, slots=True)
class Area:
    id: str
    name: str
    floor_id: str | None = None
    aliases: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    icon: str | None = None
    picture: str | None = None
    temperature_entity_id: str | None = None
    humidity_entity_id: str | None = None


@dataclass(frozen=True, slots=True)
class Label:
    id: str
    name: str
    description: str | None = None
    color: str | None = None
    icon: str | None = None


@dataclass(frozen=True, slots=True)
class Device:
    id: str
    name: str | None
    """The name the owner gave it, else its integration's."""
    area_id: str | None
    """Its own area; `Registries.area_of_device` also looks at the parent."""
    parent_device_id: str | None
    labels: tuple[str, ...]
    disabled_by: str | None
    row: Row
    """The whole registry entry: templates may ask for any attribute."""


@dataclass(frozen=True, slots=True)
class Entity:
    """An entry of the entity registry. Entities without a unique id have a state but no entry."""

    entity_id: str
    name: str | None = None
    """Set by the owner; only a part of what is shown, see `Home.name`."""
    original_name: str | None = None
    aliases: tuple[str | None, ...] = ()
    """`None` stands for the entity's own name."""
    area_id: str | None = None
    device_id: str | None = None
    labels: tuple[str, ...] = ()
    platform: str = ""
    translation_key: str | None = None
    config_entry_id: str | None = None
    entity_category: str | None = None
    hidden_by: str | None = None
    disabled_by: str | None = None
    should_expose: bool | None = None
    """None: Home Assistant has not decided; counts as not exposed."""
    display_precision: int | None = None


@dataclass(frozen=True, slots=True)
class ConfigEntry:
    id: str
    domain: str
    title: str
    state: str
    source: str
    disabled_by: str | None
    pref_disable_polling: bool


@dataclass(frozen=True, slots=True)
class State:
    """The state of an entity at one moment. Times are seconds since the epoch."""

    entity_id: str
    state: str
    attributes: Mapping[str, Any]
    last_changed: float
    last_updated: float
    context: Row

    @property
    def domain(self) -> str:
        return self.entity_id.partition(".")[0]

    @property
    def object_id(self) -> str:
        return self.entity_id.partition(".")[2]

    @property
    def name(self) -> str:
        """The friendly name, else the object id with blanks, as Home Assistant shows it."""
        name = self.attributes.get("friendly_name")
        return self.object_id.replace("_", " ") if name is None else str(name)


@dataclass(frozen=True)
class Registries:
    """All registries at one moment, in Home Assistant's order, with indexes made when first asked for."""

    floors: Mapping[str, Floor] = field(default_factory=dict)
    areas: Mapping[str, Area] = field(default_factory=dict)
    labels: Mapping[str, Label] = field(default_factory=dict)
    devices: Mapping[str, Device] = field(default_factory=dict)
    entities: Mapping[str, Entity] = field(default_factory=dict)
    config_entries: Mapping[str, ConfigEntry] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    """Integration by entity id, also of entities that are not in the registry."""
    exposed_by_list: frozenset[str] | None = None
    """What `homeassistant/expose_entity/list` says; None where the token may not ask."""
    touched: tuple[str, ...] = ()
    """Entities updated since the load, oldest first: Home Assistant moves them to the end of its indexes."""

    @cached_property
    def exposed(self) -> frozenset[str]:
        """Entity ids exposed to Assist. What is not known to be exposed is not."""
        if self.exposed_by_list is not None:
            return self.exposed_by_list
        return frozenset(entity.entity_id for entity in self.entities.values() if entity.should_expose is True)

    @cached_property
    def _indexed(self) -> tuple[Entity, ...]:
        """Registry entries in the order of Home Assistant's indexes."""
        touched = set(self.touched)
        rest = [entity for entity in self.entities.values() if entity.entity_id not in touched]
        moved = [self.entities[entity_id] for entity_id in self.touched if entity_id in self.entities]
        return (*rest, *moved)

    @cached_property
    def entities_by_device(self) -> Mapping[str, tuple[Entity, ...]]:
        return _grouped((entity.device_id, entity) for entity in self._indexed)

    @cached_property
    def entities_by_own_area(self) -> Mapping[str, tuple[Entity, ...]]:
        """By the area set on the entity itself."""
        return _grouped((entity.area_id, entity) for entity in self._indexed)

    @cached_property
    def entities_by_label(self) -> Mapping[str, tuple[Entity, ...]]:
        return _grouped((label, entity) for entity in self._indexed for label in entity.labels)

    @cached_property
    def entities_by_config_entry(self) -> Mapping[str, tuple[Entity, ...]]:
        return _grouped((entity.config_entry_id, entity) for entity in self._indexed)

    @cached_property
    def devices_by_own_area(self) -> Mapping[str, tuple[Device, ...]]:
        return _grouped((device.area_id, device) for device in self.devices.values())

    @cached_property
    def children_by_parent(self) -> Mapping[str, tuple[Device, ...]]:
        return _grouped((device.parent_device_id, device) for device in self.devices.values())

    @cached_property
    def areas_by_floor(self) -> Mapping[str, tuple[Area, ...]]:
        return _grouped((area.floor_id, area) for area in self.areas.values())

    def area_of_device(self, device_id: str | None) -> Area | None:
        """The device's area, else its parent's."""
        device = self.devices.get(device_id or "")
        if device is None:
            return None
        if device.area_id is None:
            device = self.devices.get(device.parent_device_id or "", device)
        return self.areas.get(device.area_id or "")

    def area_of(self, entity_id: str) -> Area | None:
        """The entity's own area, else its device's."""
        entity = self.entities.get(entity_id)
        if entity is None:
            return None
        if entity.area_id is not None:
            return self.areas.get(entity.area_id)
        return self.area_of_device(entity.device_id)

    def with_entities(self, rows: Mapping[str, Row | None]) -> "Registries":
        """A copy in which these extended entries (`get_entries`) replace the old ones; None removes.

        Returns itself if that changes nothing.
        """
        new = {entity_id: None if row is None else entity_from_row(row) for entity_id, row in rows.items()}
        if all(self.entities.get(entity_id) == entity for entity_id, entity in new.items()):
            return self
        kept = {entity_id: entity for entity_id, entity in self.entities.items() if new.get(entity_id, entity)}
        entities = kept | {entity_id: entity for entity_id, entity in new.items() if entity is not None}
        touched = (*(old for old in self.touched if old not in new), *(each for each in new if each in entities))
        return replace(self, entities=entities, touched=touched)

    def with_parts(self, **parts: Any) -> "Registries":
        """A copy with these fields replaced as a whole. Returns itself if that changes nothing."""
        changed = {name: value for name, value in parts.items() if getattr(self, name) != value}
        return replace(self, **changed) if changed else self


class Home:
    """The current registries and states of one Home Assistant."""

    def __init__(self, config: Config, registries: Registries, states: Iterable[State] = ()) -> None:
        self.config = config
        self.registries = registries
        """Replaced as a whole, never changed: what is derived from it may be kept by its identity."""
        self.translations: Mapping[str, str] = {}
        """Home Assistant's names of states and attributes, in the language of `config`."""
        self.issues: tuple[Row, ...] = ()
        self.details: Mapping[str, Mapping[str, Any]] = {}
        """What a file knows of single entities, by command and entity id; Home Assistant is asked for it."""
        self._names_version = object()
        """Another one when a state comes, goes, or changes its name."""
        self._states: dict[str, State] = {}
        self._domains: dict[str, dict[str, State]] = {}
        for state in states:
            self._put(state)

    @property
    def cache_key(self) -> tuple[object, ...]:
        """What is derived from registries, names and their words may be kept until one of these is another object."""
        return self.registries, self.translations, self._names_version

    def snapshot(self) -> "Home":
        """The home as it is now, for a thread to read while this one changes."""
        home = copy(self)
        home._states = self._states.copy()
        home._domains = {domain: states.copy() for domain, states in self._domains.items()}
        return home

    @property
    def states(self) -> Mapping[str, State]:
        """By entity id, in the order of Home Assistant's state machine."""
        return MappingProxyType(self._states)

    def states_in(self, domain: str) -> Mapping[str, State]:
        """The states of one domain, by entity id, in order."""
        return MappingProxyType(self._domains.get(domain, {}))

    @property
    def domains(self) -> Iterable[str]:
        return self._domains.keys()

    def is_exposed(self, entity_id: str) -> bool:
        return entity_id in self.registries.exposed

    def exposed_states(self) -> Iterator[State]:
        """The states that the assistant may know of, in order."""
        exposed = self.registries.exposed
        return (state for entity_id, state in self._states.items() if entity_id in exposed)

    def name(self, entity_id: str) -> str:
        """The name a person sees: the state's friendly name, else what the registry knows."""
        if (state := self._states.get(entity_id)) is not None:
            return state.name
        entity = self.registries.entities.get(entity_id)
        known = entity and (entity.name or entity.original_name)
        return known or entity_id.partition(".")[2].replace("_", " ")

    def names(self, entity_id: str) -> tuple[str, ...]:
        """All names a person may use for an entity: its own first, then its aliases."""
        entity = self.registries.entities.get(entity_id)
        own = self.name(entity_id)
        if entity is None or not entity.aliases:
            return (own,)
        return tuple(dict.fromkeys((own, *(alias for alias in entity.aliases if alias))))

    def apply_states(self, event: Any) -> bool:
        """Apply an event of `subscribe_entities` (added `a`, changed `c`, removed `r`), leaving out what is nonsense.

        Returns False if anything was left out, such as a change of an entity that was never added: then this is no
        longer the whole home, and it must be loaded afresh.
        """
        if not isinstance(event, Mapping):
            return False
        added, changed, removed = event.get("a") or {}, event.get("c") or {}, event.get("r") or ()
        if not (isinstance(added, Mapping) and isinstance(changed, Mapping) and isinstance(removed, list | tuple)):
            return False
        whole = True
        for entity_id, row in added.items():
            whole &= self._try_put(state_from_compressed, entity_id, row)
        for entity_id in removed:
            self._names_version = object()
            self._states.pop(entity_id, None)
            self._domains.get(entity_id.partition(".")[0], {}).pop(entity_id, None)
        for entity_id, diff in changed.items():
            old = self._states.get(entity_id)
            whole &= old is not None and self._try_put(_changed, old, diff)
        return whole

    def _try_put(self, convert: Callable[[Any, Any], State], *values: Any) -> bool:
        try:
            self._put(convert(*values))
        except (AttributeError, KeyError, TypeError, ValueError):
            return False
        return True

    def _put(self, state: State) -> None:
        old = self._states.get(state.entity_id)
        if old is None or (old.attributes is not state.attributes and old.name != state.name):
            self._names_version = object()
        self._states[state.entity_id] = state
        self._domains.setdefault(state.domain, {})[state.entity_id] = state


def state_from_compressed(entity_id: str, row: Row) -> State:
    """The short form of `subscribe_entities`: s state, a attributes, c context, lc last changed, lu last updated.

    Raises KeyError, TypeError or ValueError if this is no state.
    """
    if "." not in entity_id or len(entity_id) > MAX_ENTITY_ID:
        raise ValueError(entity_id[:MAX_ENTITY_ID])
    changed = _time(row["lc"])
    updated = _time(row["lu"]) if "lu" in row else changed
    return State(entity_id, _text(row["s"]), _object(row.get("a")), changed, updated, _context(row.get("c")))


def _changed(old: State, diff: Row) -> State:
    """`+` sets, `-` removes; `lc` implies an equal `lu`."""
    plus, minus = diff.get("+") or {}, diff.get("-") or {}
    attributes = old.attributes
    if "a" in plus or "a" in minus:
        gone = set(minus.get("a") or ())
        attributes = {key: value for key, value in attributes.items() if key not in gone}
        attributes.update(_object(plus.get("a")))
    changed = _time(plus["lc"]) if "lc" in plus else old.last_changed
    updated = _time(plus["lu"]) if "lu" in plus else (changed if "lc" in plus else old.last_updated)
    context = {**old.context, **_context_change(plus["c"])} if "c" in plus else old.context
    return State(old.entity_id, _text(plus["s"]) if "s" in plus else old.state, attributes, changed, updated, context)


def _object(value: Any) -> Row:
    if value is not None and not isinstance(value, Mapping):
        raise TypeError(f"attributes are an object, not {type(value).__name__}")
    return value or {}


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a state is text, not {type(value).__name__}")
    return value


def _time(value: Any) -> float:
    """Seconds since the epoch that a calendar has a date for."""
    seconds = float(value)
    if not 0 <= seconds < LAST_SECOND:
        raise ValueError(f"no time: {seconds}")
    return seconds


def _context(value: Any) -> Row:
    """A context's id alone, or an object of what is not null in it."""
    return {"id": None, "parent_id": None, "user_id": None, **_context_change(value)}


def _context_change(value: Any) -> Row:
    """What changed of a context: its id alone, or an object of whatever did."""
    return value if isinstance(value, Mapping) else {"id": value}


def entity_from_row(row: Row) -> Entity:
    """An entry of `config/entity_registry/list` or, with aliases, of `…/get_entries`."""
    options = row.get("options") or {}
    sensor = options.get("sensor") or {}
    precision = sensor.get("display_precision")
    return Entity(
        entity_id=row["entity_id"],
        name=row.get("name"),
        original_name=row.get("original_name"),
        aliases=tuple(row.get("aliases") or ()),
        area_id=row.get("area_id"),
        device_id=row.get("device_id"),
        labels=tuple(row.get("labels") or ()),
        platform=row.get("platform") or "",
        translation_key=row.get("translation_key"),
        config_entry_id=row.get("config_entry_id"),
        entity_category=row.get("entity_category"),
        hidden_by=row.get("hidden_by"),
        disabled_by=row.get("disabled_by"),
        should_expose=(options.get(ASSISTANT) or {}).get("should_expose"),
        display_precision=sensor.get("suggested_display_precision") if precision is None else precision,
    )


def floor_from_row(row: Row) -> Floor:
    return Floor(row["floor_id"], row["name"], row.get("level"), tuple(row.get("aliases") or ()), row.get("icon"))


def area_from_row(row: Row) -> Area:
    return Area(
        row["area_id"],
        row["name"],
        row.get("floor_id"),
        tuple(row.get("aliases") or ()),
        tuple(row.get("labels") or ()),
        row.get("icon"),
        row.get("picture"),
        row.get("temperature_entity_id"),
        row.get("humidity_entity_id"),
    )


def label_from_row(row: Row) -> Label:
    return Label(row["label_id"], row["name"], row.get("description"), row.get("color"), row.get("icon"))


def device_from_row(row: Row) -> Device:
    return Device(
        row["id"],
        row.get("name_by_user") or row.get("name"),
        row.get("area_id"),
        row.get("parent_device_id"),
        tuple(row.get("labels") or ()),
        row.get("disabled_by"),
        row,
    )


def config_entry_from_row(row: Row) -> ConfigEntry:
    return ConfigEntry(
        row["entry_id"],
        row["domain"],
        row["title"],
        row["state"],
        row["source"],
        row.get("disabled_by"),
        bool(row.get("pref_disable_polling")),
    )


def exposed_from_result(result: Row | None) -> frozenset[str] | None:
    """The answer of `homeassistant/expose_entity/list`; None where it was not allowed."""
    if not isinstance(result, Mapping):
        return None
    return frozenset(
        entity_id for entity_id, assistants in result["exposed_entities"].items() if assistants.get(ASSISTANT) is True
    )


def _grouped(pairs: Iterable[tuple[str | None, Any]]) -> dict[str, tuple[Any, ...]]:
    groups: dict[str, list[Any]] = {}
    for key, value in pairs:
        if key is not None:
            groups.setdefault(key, []).append(value)
    return {key: tuple(values) for key, values in groups.items()}
