"""States and attributes, also in the words of the home's language."""

from typing import Any

from ...hass.home import State
from ..rendering import HomeFunction, Rendering, current
from ..restoring import attribute
from ..states import UNAVAILABLE, UNKNOWN, AllStates, find_state, valid_state
from .table import TemplateFunction

ALL_STATES = AllStates()


def states(_rendering: Rendering, *args: Any, **kwargs: Any) -> str:
    """The filter; the global is the object itself."""
    return ALL_STATES(*args, **kwargs)


def state_attr(rendering: Rendering, entity_id: str, name: str) -> Any:
    """None for a missing state or attribute."""
    state = find_state(rendering, entity_id)
    return None if state is None else attribute(state, name, rendering.home.registries)


def is_state(rendering: Rendering, entity_id: str, state: Any) -> bool:
    """A list means one of; a tuple does not."""
    found = find_state(rendering, entity_id)
    return found is not None and (found.state == state or (isinstance(state, list) and found.state in state))


def is_state_attr(rendering: Rendering, entity_id: str, name: str, value: Any) -> bool:
    """A missing attribute is not None."""
    state = find_state(rendering, entity_id)
    if state is None or name not in state.attributes:
        return False
    return bool(attribute(state, name, rendering.home.registries) == value)


def has_value(rendering: Rendering, entity_id: str) -> bool:
    state = find_state(rendering, entity_id)
    return state is not None and state.state not in (UNAVAILABLE, UNKNOWN)


class StateTranslated:
    """A state in the language of the home."""

    def __call__(self, entity_id: str) -> str:
        found = valid_state(current(), entity_id)
        if found is None:
            return UNKNOWN
        if found.state in (UNAVAILABLE, UNKNOWN):
            return found.state
        return _translated(current(), found._state, entity_id, "", found.state)

    def __repr__(self) -> str:
        return "<template StateTranslated>"


class StateAttrTranslated:
    """An attribute in the language of the home, if it is a text."""

    def __call__(self, entity_id: str, attribute: str) -> Any:
        found = valid_state(current(), entity_id)
        value = None if found is None else found.attributes.get(attribute)
        if found is None or not isinstance(value, str):
            return value
        return _translated(current(), found._state, entity_id, f".state_attributes.{attribute}", value)

    def __repr__(self) -> str:
        return "<template StateAttrTranslated>"


def _translated(rendering: Rendering, state: State, entity_id: str, of: str, value: str) -> str:
    """What the integration calls it, else what the domain does for the device class, else for all."""
    translations = rendering.home.translations
    entity = rendering.home.registries.entities.get(entity_id)
    if entity is not None and entity.translation_key is not None:
        own = f"component.{entity.platform}.entity.{state.domain}.{entity.translation_key}{of}.state.{value}"
        if own in translations:
            return translations[own]
    device_class = state.attributes.get("device_class")
    for kind in (device_class, "_") if device_class is not None else ("_",):
        key = f"component.{state.domain}.entity_component.{kind}{of}.state.{value}"
        if key in translations:
            return translations[key]
    return value


FUNCTIONS = (
    TemplateFunction("states", ALL_STATES, "G"),
    TemplateFunction("states", HomeFunction(states), "F"),
    TemplateFunction("state_attr", HomeFunction(state_attr), "GF"),
    TemplateFunction("is_state", HomeFunction(is_state), "GT"),
    TemplateFunction("is_state_attr", HomeFunction(is_state_attr), "GT"),
    TemplateFunction("has_value", HomeFunction(has_value), "GFT"),
    TemplateFunction("state_translated", StateTranslated(), "GF"),
    TemplateFunction("state_attr_translated", StateAttrTranslated(), "GF"),
)
