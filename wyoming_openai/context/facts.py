"""One fact about the home in one line: a name and a state, in words that a model and a person understand. Pure.

Names, states and attributes come from devices and from the internet: they are cleaned, bounded and kept to their line.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from ..hass.home import Home, State
from .moments import START_UP, duration_words, iso_words

MAX_TEXT = 255
"""Characters of any text of the home; Home Assistant's own limit for a state."""

_UNWANTED = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff0-\uffff"
    r"\U000e0000-\U000e0fff]+"
)
"""Control, direction and tag characters, which only a model sees; the joiners of Persian, India and emoji stay."""

_AMBIGUOUS = re.compile(r"[:;\"{}<>|`]|^[-#*\s]|^\s*$")
"""What makes the end of a name unclear on its line."""

_OPEN = ("open", "closed")
_DETECTED = ("detected", "clear")
CLASS_STATES: Mapping[str, tuple[str, str]] = {
    "battery": ("low", "normal"),
    "battery_charging": ("charging", "not charging"),
    "carbon_monoxide": _DETECTED,
    "connectivity": ("connected", "disconnected"),
    "door": _OPEN,
    "garage_door": _OPEN,
    "gas": _DETECTED,
    "heat": ("hot", "normal"),
    "light": ("light detected", "no light"),
    "lock": ("unlocked", "locked"),
    "moisture": ("wet", "dry"),
    "motion": ("motion detected", "no motion"),
    "occupancy": ("occupied", "not occupied"),
    "opening": _OPEN,
    "plug": ("plugged in", "unplugged"),
    "presence": ("home", "not home"),
    "problem": ("problem detected", "ok"),
    "safety": ("unsafe", "safe"),
    "smoke": _DETECTED,
    "sound": _DETECTED,
    "tamper": _DETECTED,
    "update": ("update available", "up-to-date"),
    "vibration": _DETECTED,
    "window": _OPEN,
}
"""What "on" and "off" of a binary sensor mean."""

_SELF_EXPLAINING = frozenset(CLASS_STATES) - {"battery", "carbon_monoxide", "gas", "heat", "problem", "safety", "smoke"}
_SELF_EXPLAINING -= {"sound", "tamper", "vibration"}

_UNKNOWN = frozenset({"unknown", "unavailable"})
_PRESSED = frozenset({"button", "event", "input_button", "notify", "scene"})
"""Domains whose state is the time they were last used."""

_NAMED = frozenset({"device_tracker", "input_select", "person", "select", "weather"})
"""Domains whose states are names, short ones that somebody chose."""

_WORD = re.compile(r"[\w.,+/%°-]+")

LASTING = frozenset(
    {"alarm_control_panel", "cover", "device_tracker", "lawn_mower", "lock", "person", "vacuum", "valve"}
)
"""Domains where people want to know how long it has been so; binary sensors too."""


def clean(text: object, limit: int = MAX_TEXT) -> str:
    """A text of the home on one line: no control characters, bounded."""
    cleaned = " ".join(_UNWANTED.sub(" ", str(text)).split())
    return cleaned if len(cleaned) <= limit else cleaned[: limit - 1] + "…"


def quoted(name: object) -> str:
    """A cleaned name, in quotes where its end would be unclear."""
    cleaned = clean(name)
    if not _AMBIGUOUS.search(cleaned):
        return cleaned
    return '"' + cleaned.replace('"', "'") + '"'


def kind_of(state: State) -> tuple[str, str]:
    """Domain and device class, "" where it has none."""
    device_class = state.attributes.get("device_class")
    return state.domain, device_class if isinstance(device_class, str) else ""


def state_word(home: Home, state: State, now: datetime) -> str:
    """The state alone: "open" for a door that is "on", "21.5 °C", "heat". `now` is in the home's time zone."""
    value = state.state
    domain, device_class = kind_of(state)
    if value in _UNKNOWN:
        return "never used" if domain in _PRESSED and value == "unknown" else value
    if domain == "binary_sensor" and value in ("on", "off"):
        return _binary_word(value, device_class)
    if (moment := iso_words(value, now)) is not None:
        return moment
    if unit := state.attributes.get("unit_of_measurement"):
        return f"{_number(home, state)} {clean(unit, 32)}"
    if domain in ("sensor", "number", "input_number", "counter") and number_of(state) is not None:
        return _number(home, state)
    if domain in ("input_datetime", "time"):
        return value[:5]
    return quoted(value) if domain in _NAMED and " " in value else said(value)


def said(value: object) -> str:
    """A state or setting: one word as it is, a text of devices or people in quotes, so that it stays what it is."""
    text = clean(value)
    if not text:
        return "empty"
    if _WORD.fullmatch(text):
        return text.replace("_", " ")
    return f'"{text.replace(chr(34), chr(39))}"'


def lasting_words(state: State, now: datetime, started: float | None = None) -> str:
    """How long it has been so, where that is of interest: "for 12 min".

    What has not changed since Home Assistant `started` was so before, for nobody knows how long.
    """
    if state.domain not in LASTING and state.domain != "binary_sensor":
        return ""
    if state.state in _UNKNOWN:
        return ""
    restored = started is not None and state.last_changed <= started + START_UP
    duration = timedelta(seconds=max(0.0, now.timestamp() - state.last_changed))
    return f"for {'at least ' if restored else ''}{duration_words(duration)}"


def needs_class(state: State) -> bool:
    """Whether the state word says too little without the kind of sensor ("clear")."""
    domain, device_class = kind_of(state)
    return domain == "binary_sensor" and bool(device_class) and device_class not in _SELF_EXPLAINING


def kind_words(domain: str, device_class: str) -> str:
    """A kind in words: "light", "window", "temperature sensor"."""
    if not device_class or domain in ("media_player", "switch", "button", "number", "update"):
        return domain.replace("_", " ")
    bare = device_class.replace("_", " ")
    if domain in ("cover", "valve") or device_class in ("door", "window", "garage_door", "opening", "lock"):
        return bare
    return f"{bare} sensor" if domain in ("sensor", "binary_sensor") else bare


def plural(words: str) -> str:
    """The English plural of a kind: "switches", "batteries"."""
    if words.endswith(("s", "x", "ch", "sh")):
        return words + "es"
    if words.endswith("y") and words[-2:-1] not in "aeiou":
        return words[:-1] + "ies"
    return {"person": "people", "climate": "thermostats", "weather": "weather reports"}.get(words, words + "s")


def number_of(state: State) -> float | None:
    """The state as a number, if it is one."""
    try:
        number = float(state.state)
    except ValueError:
        return None
    return number if abs(number) < 1e15 else None


def _binary_word(value: str, device_class: str) -> str:
    if words := CLASS_STATES.get(device_class):
        return words[value == "off"]
    if device_class in ("cold", "moving", "power", "running"):
        return f"{value} ({'' if value == 'on' else 'not '}{device_class})"
    return value


def _number(home: Home, state: State) -> str:
    """With the precision the owner chose; else no more than three decimals."""
    number = number_of(state)
    if number is None:
        return clean(state.state)
    entity = home.registries.entities.get(state.entity_id)
    if entity is not None and entity.display_precision is not None:
        return f"{number:.{max(0, min(6, entity.display_precision))}f}"
    decimals = len(state.state.partition(".")[2])
    return f"{number:.3f}".rstrip("0").rstrip(".") if decimals > 3 else clean(state.state)
