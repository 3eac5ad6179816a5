"""How a state is spoken: "on" of a door is "open", "auf", "ouverte"; 21.456 with two decimals is "21.46 °C".

Home Assistant's own translations come first where they are in the language of the question; the words here are for the
other languages, and for the states that those translations leave out.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache, cached_property
from math import isfinite
from pathlib import Path
from typing import Any

import orjson

from ..hass.home import Home, State

GONE = frozenset({"unavailable", "unknown"})
"""States that say that there is no state."""


_WORDS_FILE = Path(__file__).parent.parent / "data" / "state_words.json"

_CONTACTS = frozenset({"door", "garage_door", "opening", "window"})
"""Kinds of sensors that are asked for with one pair of words, open and closed; the others share a list of many."""

_AGREEING = 2
"""Letters at the end that two forms have in common if they agree in gender and number."""


class SpokenState:
    """A state as the answers' templates see it: Home Assistant's fields, with a state that can be spoken.

    With a `language`, the state is a word of it; `forms` are the words that the question could have used for each
    state, `said` is the one it did use.
    """

    def __init__(
        self,
        home: Home,
        state: State,
        language: str | None = None,
        forms: Mapping[str, tuple[str, ...]] | None = None,
        said: str = "",
    ) -> None:
        self.entity_id = state.entity_id
        self.domain = state.domain
        self.object_id = state.object_id
        self.name = state.name
        self.hass_state = state.state
        self._home, self._state = home, state
        self._language, self._forms, self._said = language, forms or {}, said

    @cached_property
    def attributes(self) -> dict[str, Any]:
        return {**self._state.attributes, "untranslated_state": self.hass_state}

    @cached_property
    def state(self) -> str:
        """A number as Home Assistant shows it; else a word."""
        if self._language is None or is_number(self.hass_state):
            return _rounded(self._home, self._state)
        forms = self._forms.get(self.hass_state, ())
        return StateWord(_word(self._home, self._state, self._language, forms, self._said), self.hass_state)

    @property
    def state_with_unit(self) -> str:
        if self.domain == "binary_sensor":
            return str(self.state)  # some templates have a word for "on" that fits a lamp
        unit = self._state.attributes.get("unit_of_measurement")
        return self.state if unit is None or self.hass_state in GONE else f"{self.state} {unit}"

    def __eq__(self, other: object) -> bool:
        """Some templates compare the whole state with its word: `state == "not_home"`."""
        return self.hass_state == other if isinstance(other, str) else self is other

    def __hash__(self) -> int:
        return hash(self.hass_state)


class StateWord(str):
    """The spoken word of a state; equal to Home Assistant's own word too, by which templates tell states apart."""

    __slots__ = ("_raw",)
    _raw: str

    def __new__(cls, word: str, raw: str) -> "StateWord":
        self = super().__new__(cls, word)
        self._raw = raw
        return self

    def __eq__(self, other: object) -> bool:
        return self._raw == other or str.__eq__(self, other) is True

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self._raw)


def home_words(language: str) -> tuple[str, ...]:
    """What people say for being at home."""
    return tuple(_words().get(language, {}).get("at_home", ()))


def is_number(text: Any) -> bool:
    try:
        return isfinite(float(text))
    except (TypeError, ValueError):
        return False


def _rounded(home: Home, state: State) -> str:
    entity = home.registries.entities.get(state.entity_id)
    precision = entity.display_precision if entity and state.domain == "sensor" else None
    if precision is None or not is_number(state.state):
        return state.state
    return f"{float(state.state):z.{precision}f}"


def _word(home: Home, state: State, language: str, forms: Sequence[str], said: str) -> str:
    own = _words().get(language, {}).get(state.state)
    theirs = _translation(home, state) if _same_language(home.config.language, language) else None
    match state.domain:
        case "binary_sensor":  # "on" is a word of its kind, "open" or "wet", which ours is not
            contact = state.attributes.get("device_class") in _CONTACTS
            known = [theirs, *((_agreeing(forms, said), *forms[:1]) if contact else ()), own]
        case "person":  # the answers put a preposition before "home"
            known = [own, theirs]
        case _:
            known = [_agreeing(forms, said), theirs, own, *forms[:1]]
    return next(filter(None, known), state.state.replace("_", " "))


def _agreeing(forms: Sequence[str], said: str) -> str | None:
    """The form that ends as the other state's word did: "allumées" → "éteintes", "włączony" → "wyłączony"."""
    best = max(forms, key=lambda form: _common_end(form, said.casefold()), default="")
    return best if _common_end(best, said.casefold()) >= _AGREEING else None


def _common_end(one: str, other: str) -> int:
    length = 0
    while length < min(len(one), len(other)) and one[-1 - length] == other[-1 - length]:
        length += 1
    return length


def _translation(home: Home, state: State) -> str | None:
    """Home Assistant's name of the state, as it stands within a sentence."""
    entity = home.registries.entities.get(state.entity_id)
    component = f"component.{state.domain}.entity_component"
    keys = [f"{component}.{state.attributes.get('device_class')}.state", f"{component}._.state"]
    if entity and entity.translation_key:
        keys.insert(0, f"component.{entity.platform}.entity.{state.domain}.{entity.translation_key}.state")
    names = (home.translations.get(f"{key}.{state.state}") for key in keys)
    name = next(filter(None, names), None)
    return name and name[0].lower() + name[1:]


def _same_language(one: str, other: str) -> bool:
    return re.split("[-_]", one)[0].casefold() == re.split("[-_]", other)[0].casefold()


@cache
def _words() -> Mapping[str, Mapping[str, Any]]:
    table: dict[str, dict[str, Any]] = orjson.loads(_WORDS_FILE.read_bytes())
    return table
