"""The `states` object of templates, and states as templates see them."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NoReturn

import orjson

from ..hass.home import State
from .errors import NeedsHomeAssistant, TemplateError
from .rendering import MISSING, Rendering, current
from .restoring import Enumerated, ReadOnlyDict, attributes

UNKNOWN = "unknown"
UNAVAILABLE = "unavailable"

_OBJECT_ID = r"(?!_)[\da-z_]+(?<!_)"
_DOMAIN = r"(?!.+__)" + _OBJECT_ID
_VALID_DOMAIN = re.compile(rf"{_DOMAIN}\Z")
_VALID_ENTITY_ID = re.compile(rf"{_DOMAIN}\.{_OBJECT_ID}\Z")

# Jinja asks every callable for these; they must not be taken for domains.
_ASKED_BY_JINJA = frozenset({"contextfunction", "evalcontextfunction", "environmentfunction", "jinja_pass_arg"})

# Home Assistant's objects have these, and its sandbox hides them: undefined, where other odd names raise.
_HIDDEN = frozenset({"_hass", "_collect_all", "_collect_all_lifecycle", "_collect_domain", "_collect_domain_lifecycle"})

STATE_ITEMS = frozenset(
    {"state", "attributes", "last_changed", "last_updated", "context", "domain", "object_id", "name", "entity_id"}
) | {"state_with_unit"}


def is_entity_id(text: str) -> bool:
    """Whether it has the form of one."""
    return _VALID_ENTITY_ID.match(text) is not None


class Context:
    """Who or what caused a state."""

    def __init__(self, row: Mapping[str, Any]) -> None:
        self.id = row.get("id")
        self.parent_id = row.get("parent_id")
        self.user_id = row.get("user_id")

    def as_dict(self) -> ReadOnlyDict:
        return ReadOnlyDict(id=self.id, parent_id=self.parent_id, user_id=self.user_id)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Context) and self.id == other.id

    __hash__ = None  # type: ignore[assignment]


def _read_only(*args: Any, **kwargs: Any) -> NoReturn:
    raise RuntimeError(f"Cannot modify template States object: {args} {kwargs}")


class TemplateState:
    """A state as a template sees it."""

    __slots__ = ("_listed", "_state")
    __setitem__ = _read_only
    __delitem__ = _read_only
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, state: State, listed: bool = False) -> None:
        self._state = state
        self._listed = listed
        """Met in a walk over states, not looked up."""

    def __getitem__(self, item: str) -> Any:
        if item in STATE_ITEMS:
            return getattr(self, item)
        raise KeyError

    def __eq__(self, other: object) -> bool:
        """As in Home Assistant, a state from a walk is not equal to the same one looked up."""
        return isinstance(other, TemplateState) and other._state is self._state and other._listed == self._listed

    def __repr__(self) -> str:
        """Shown like Home Assistant's; it can't be known where an attribute holds members of an enumeration."""
        attributes = self.attributes
        if any(
            isinstance(value, list) and any(isinstance(item, Enumerated) for item in value)
            for value in attributes.values()
        ):
            raise NeedsHomeAssistant("how an attribute is shown depends on a class that the websocket does not tell")
        shown = f"; {_shown(attributes)}" if attributes else ""
        changed = self.last_changed.astimezone(current().zone).isoformat()
        return f"<template TemplateState(<state {self.entity_id}={self.state}{shown} @ {changed}>)>"

    @property
    def entity_id(self) -> str:
        return self._state.entity_id

    @property
    def state(self) -> str:
        return self._state.state

    @property
    def attributes(self) -> ReadOnlyDict:
        return attributes(self._state, current().home.registries)

    @property
    def domain(self) -> str:
        return self._state.domain

    @property
    def object_id(self) -> str:
        return self._state.object_id

    @property
    def name(self) -> str:
        return self._state.attributes.get("friendly_name") or self._state.object_id.replace("_", " ")

    @property
    def last_changed(self) -> datetime:
        return datetime.fromtimestamp(self._state.last_changed, UTC)

    @property
    def last_updated(self) -> datetime:
        return datetime.fromtimestamp(self._state.last_updated, UTC)

    @property
    def last_reported(self) -> datetime:
        """The websocket does not tell reports that changed nothing."""
        return self.last_updated

    @property
    def last_changed_timestamp(self) -> float:
        return self.last_changed.timestamp()

    @property
    def last_reported_timestamp(self) -> float:
        return self.last_reported.timestamp()

    @property
    def context(self) -> Context:
        return Context(self._state.context)

    @property
    def state_with_unit(self) -> str:
        return self.format_state(rounded=True, with_unit=True)

    def format_state(self, rounded: Any, with_unit: Any) -> str:
        """The state rounded as the owner has it shown, with its unit."""
        state = self._rounded() if rounded and self.domain == "sensor" else self.state
        unit = self._state.attributes.get("unit_of_measurement")
        return f"{state} {unit}" if with_unit and unit else state

    def as_dict(self) -> ReadOnlyDict:
        return ReadOnlyDict(
            entity_id=self.entity_id,
            state=self.state,
            attributes=self.attributes,
            last_changed=self.last_changed.isoformat(),
            last_reported=self.last_reported.isoformat(),
            last_updated=self.last_updated.isoformat(),
            context=self.context.as_dict(),
        )

    @property
    def as_dict_json(self) -> bytes:
        return orjson.dumps(self.as_dict())

    def _rounded(self) -> str:
        entity = current().home.registries.entities.get(self.entity_id)
        if entity is None or entity.display_precision is None:
            return self.state
        try:
            return f"{float(self.state):z.{entity.display_precision}f}"
        except (TypeError, ValueError):
            return self.state


class DomainStates:
    """The states of one domain: `states.light`."""

    __slots__ = ("_domain",)
    __setitem__ = _read_only
    __delitem__ = _read_only

    def __init__(self, domain: str) -> None:
        self._domain = domain

    def __getitem__(self, name: Any) -> TemplateState | None:
        return valid_state(current(), f"{self._domain}.{name}")

    def __getattr__(self, name: str) -> TemplateState | None:
        return None if name in _HIDDEN else self[name]

    def __iter__(self) -> Iterator[TemplateState]:
        return (TemplateState(state, listed=True) for state in current().home.states_in(self._domain).values())

    def __len__(self) -> int:
        return len(current().home.states_in(self._domain))

    def __repr__(self) -> str:
        return f"<template DomainStates('{self._domain}')>"


class AllStates:
    """All states: `states.light.kitchen`, `states('light.kitchen')`, `for state in states`."""

    __slots__ = ()
    __setitem__ = _read_only
    __delitem__ = _read_only

    def __getitem__(self, name: Any) -> TemplateState | DomainStates | None:
        if "." in name:
            return valid_state(current(), name)
        if name in _ASKED_BY_JINJA:
            return None
        if not _VALID_DOMAIN.match(name):
            raise TemplateError(f"Invalid domain name '{name}'")
        return DomainStates(name)

    def __getattr__(self, name: str) -> TemplateState | DomainStates | None:
        return None if name in _HIDDEN else self[name]

    def __iter__(self) -> Iterator[TemplateState]:
        return (TemplateState(state, listed=True) for state in current().home.states.values())

    def __len__(self) -> int:
        return len(current().home.states)

    def __call__(self, entity_id: str, rounded: Any = MISSING, with_unit: Any = False) -> str:
        state = find_state(current(), entity_id)
        if state is None:
            return UNKNOWN
        if rounded is MISSING:
            rounded = with_unit
        return TemplateState(state).format_state(rounded, with_unit) if rounded or with_unit else state.state

    def __repr__(self) -> str:
        return "<template AllStates>"


def find_state(rendering: Rendering, entity_id: str) -> State | None:
    """Also by an id in capitals. What is no text raises, as in Home Assistant."""
    states = rendering.home.states
    return states.get(entity_id) or states.get(entity_id.lower())


def valid_state(rendering: Rendering, entity_id: str) -> TemplateState | None:
    """The state, None if there is none; an id that can't exist raises."""
    state = find_state(rendering, entity_id)
    if state is None and not is_entity_id(entity_id):
        raise TemplateError(f"Invalid entity ID '{entity_id}'")
    return None if state is None else TemplateState(state)


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{_shown(key)}={_shown(item)}" for key, item in value.items())
    return value.astimezone(current().zone).isoformat() if isinstance(value, datetime) else str(value)
