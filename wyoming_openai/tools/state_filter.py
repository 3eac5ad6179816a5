"""Which states a model means by the word it asks for: "open", "heating", "<20", "low", "away", "not locked". Pure."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from ..context.facts import CLASS_STATES, kind_of, number_of
from ..hass.home import State

LOW = 20.0
"""Per cent up to which a battery is low."""

GONE = frozenset({"unavailable", "unknown"})
"""States of what nobody knows: it is neither so nor not so."""

MEASURED = {"climate": "current_temperature", "humidifier": "current_humidity", "water_heater": "current_temperature"}
"""Attributes that a number is compared with."""

_ON_OFF = frozenset({"on", "off"})
_COVER = frozenset({"open", "closed", "opening", "closing"})
_DOCKING = frozenset({"docked", "paused", "returning", "error", "idle"})
_SOMEWHERE = frozenset({"home", "not_home"})
_ARMED = frozenset({"armed_away", "armed_custom_bypass", "armed_home", "armed_night", "armed_vacation"})
_ACTIONS = frozenset({"cooling", "defrosting", "drying", "fan", "heating", "idle", "off", "preheating"})

STATES: Mapping[str, frozenset[str]] = {
    "alarm_control_panel": _ARMED | {"disarmed", "arming", "disarming", "pending", "triggered"},
    "climate": _ACTIONS | {"auto", "cool", "dry", "fan_only", "heat", "heat_cool"},
    "cover": _COVER,
    "device_tracker": _SOMEWHERE,
    "lawn_mower": _DOCKING | {"mowing"},
    "lock": frozenset({"locked", "unlocked", "locking", "unlocking", "jammed", "open", "opening"}),
    "media_player": frozenset({"off", "on", "idle", "playing", "paused", "standby", "buffering"}),
    "person": _SOMEWHERE,
    "sun": frozenset({"above_horizon", "below_horizon"}),
    "timer": frozenset({"active", "idle", "paused"}),
    "vacuum": _DOCKING | {"cleaning"},
    "valve": _COVER,
    "water_heater": _ACTIONS | {"eco", "electric", "gas", "heat_pump", "high_demand", "performance"},
    **dict.fromkeys(
        (
            "automation", "binary_sensor", "calendar", "fan", "group", "humidifier", "input_boolean", "light", "remote",
            "schedule", "script", "siren", "switch", "update",
        ),
        _ON_OFF,
    ),
}  # fmt: skip
"""The states there are, by domain; others have any."""

_OPENINGS: Mapping[str, Iterable[str]] = {
    **dict.fromkeys(("open", "up", "raised"), _COVER - {"closed"}),
    **dict.fromkeys(("shut", "down", "lowered"), ("closed",)),
    "moving": ("opening", "closing"),
}
_UNLOCKED = {"unlocked", "open", "opening", "unlocking"}
_AT_WORK = ("on", "running", "active", "working")
_TOLD: Mapping[str, Mapping[str, Iterable[str]]] = {
    "alarm_control_panel": {"armed": _ARMED, "on": _ARMED, "off": {"disarmed"}, "alarming": {"triggered"}},
    "automation": {"enabled": {"on"}, "active": {"on"}, "disabled": {"off"}, "inactive": {"off"}},
    "calendar": {"busy": {"on"}, "free": {"off"}},
    "cover": _OPENINGS,
    "lawn_mower": dict.fromkeys(_AT_WORK, ("mowing", "returning")),
    "lock": {
        **dict.fromkeys(("open", "unlocked", "unsecured"), _UNLOCKED),
        **dict.fromkeys(("closed", "secured"), ("locked",)),
    },
    "sun": {"up": {"above_horizon"}, "risen": {"above_horizon"}, "down": {"below_horizon"}, "set": {"below_horizon"}},
    "timer": dict.fromkeys(_AT_WORK, ("active",)),
    "update": {"available": {"on"}, "pending": {"on"}, "up-to-date": {"off"}, "current": {"off"}},
    "vacuum": dict.fromkeys(_AT_WORK, ("cleaning", "returning")),
    "valve": _OPENINGS,
}  # fmt: skip
"""What people call states beside their names."""

_TRUE = dict.fromkeys(("active", "detected", "running", "triggered", "true", "yes"), frozenset({"on"}))
_FALSE = dict.fromkeys(("clear", "false", "inactive", "no", "stopped"), frozenset({"off"}))
_BINARY: Mapping[str, frozenset[str]] = _TRUE | _FALSE
_WET: Mapping[str, frozenset[str]] = dict.fromkeys(("leak", "leaking"), frozenset({"on"}))
_MISSING = frozenset({"dead", "disconnected", "missing", "not_available", "offline", "unreachable"})

_AT_REST = frozenset({"off", "standby"})
_WITHOUT_ON = frozenset({"climate", "humidifier", "media_player", "water_heater"})
_HEATING = frozenset({"climate", "humidifier", "water_heater"})
_SOMEBODY = frozenset({"device_tracker", "person"})
_AWAY = frozenset({"absent", "away", "gone", "not_home", "not_at_home", "out"})
_PRESENT = frozenset({"at_home", "home", "in", "present"})
_EMPTY = frozenset({"critical", "empty", "low", "weak"})
_FULL = frozenset({"enough", "full", "high", "normal", "ok"})

_OVER = "over|above|more than|higher than|greater than|warmer than"
_UNDER = "under|below|less than|lower than|colder than|beneath"
_NUMBER = r"(-?\d+(?:[.,]\d+)?)"
_THRESHOLD = re.compile(rf"(>=|<=|>|<|{_OVER}|{_UNDER}|at least|at most)\s*{_NUMBER}.*", re.IGNORECASE | re.DOTALL)
_BETWEEN = re.compile(rf"(?:between\s+)?{_NUMBER}[^\d.,]*(?:and|to|-|–|\.\.)\s*{_NUMBER}.*", re.IGNORECASE)
_NOT = re.compile(r"(?:not[ _]|!=?\s*|is not )(.+)", re.IGNORECASE | re.DOTALL)

Limits = tuple[float, float]
"""Numbers between which a value lies, both excluded."""

NEXT_TO = 1e-9


@dataclass(frozen=True, slots=True)
class Wording:
    """A state asked for: as it was written, and the raw states that these words mean in the question's language."""

    text: str
    raws: frozenset[str] = frozenset()

    @property
    def folded(self) -> str:
        return folded(self.text)


Told = Callable[[State], str]
"""A state in the words in which it is told."""


def is_so(wording: Wording, state: State, told: Told) -> bool | None:
    """Whether it is in the state asked for; None where that is no state of such a thing, or nobody knows."""
    if state.state in GONE:
        return _is_missing(wording.folded, state)
    if (limits := limits_of(wording.text)) is not None:
        value = value_of(state)
        return None if value is None else limits[0] < value < limits[1]
    if wording.folded in (folded(state.state), folded(told(state))):
        return True
    if (negated := _NOT.fullmatch(wording.text.strip())) and folded(state.state) != "not_home":
        inner = is_so(Wording(negated[1], wording.raws), state, told)
        return None if inner is None else not inner
    return _by_kind(wording, state)


def _by_kind(wording: Wording, state: State) -> bool | None:
    domain, device_class = kind_of(state)
    word = wording.folded
    if domain in _SOMEBODY and (word in _AWAY or "not_home" in wording.raws):
        return state.state != "home"
    if domain in _SOMEBODY and word in _PRESENT:
        return state.state == "home"
    if domain in _WITHOUT_ON and (word == "on" or wording.raws == {"on"}):
        return state.state not in _AT_REST
    if device_class == "battery" and word in _EMPTY | _FULL:
        return _is_low(state) == (word in _EMPTY)
    if domain in _HEATING and word in _ACTIONS - {"off"}:
        action = state.attributes.get("hvac_action")
        return None if action is None else folded(str(action)) == word
    meant = _meant(wording, domain, device_class)
    options = {folded(str(each)) for each in state.attributes.get("options") or ()}
    if domain not in STATES and any(_is_same_verb(each, folded(state.state)) for each in meant):
        return True
    known = bool(meant & (STATES.get(domain, frozenset()) | {folded(state.state)} | options))
    return folded(state.state) in meant if known else None


def _is_same_verb(word: str, state: str) -> bool:
    """Whether one is the other with an ending: "running" of a machine that says "run"."""
    short, long = sorted((word, state), key=len)
    return len(short) > 2 and long.startswith(short) and not short.startswith("not_")


def _meant(wording: Wording, domain: str, device_class: str) -> frozenset[str]:
    """The raw states that the words mean of such a thing."""
    word = wording.folded
    found = {word, *map(folded, wording.raws), *_TOLD.get(domain, {}).get(word, ())}
    if domain in ("binary_sensor", "fan", "switch", "input_boolean", "light", "siren"):
        found |= _BINARY.get(word, frozenset())
    if domain == "binary_sensor" and device_class in CLASS_STATES:
        found |= {
            raw for raw, told in zip(("on", "off"), CLASS_STATES[device_class], strict=True) if folded(told) == word
        }
    return frozenset(found | (_WET.get(word, frozenset()) if device_class == "moisture" else frozenset()))


def _is_missing(word: str, state: State) -> bool | None:
    if word in GONE:
        return word == state.state
    return True if word in _MISSING else None


def _is_low(state: State) -> bool | None:
    value = number_of(state)
    return state.state == "on" if value is None else value <= LOW


def value_of(state: State) -> float | None:
    """The number that it measures."""
    if attribute := MEASURED.get(state.domain):
        value = state.attributes.get(attribute)
        return float(value) if isinstance(value, int | float) else None
    return number_of(state)


def limits_of(text: str) -> Limits | None:
    """The limits in "<20", "at least 21.5 °C" or "18 to 20"; None in any other text."""
    if match := _THRESHOLD.fullmatch(text.strip()):
        sign, limit = match[1].casefold(), _float(match[2])
        if sign in (">=", "at least"):
            return limit - NEXT_TO, float("inf")
        if sign in ("<=", "at most"):
            return float("-inf"), limit + NEXT_TO
        return (limit, float("inf")) if sign in f">|{_OVER}".split("|") else (float("-inf"), limit)
    if match := _BETWEEN.fullmatch(text.strip()):
        low, high = sorted((_float(match[1]), _float(match[2])))
        return low - NEXT_TO, high + NEXT_TO
    return None


def folded(text: str) -> str:
    """A state as it is compared: small letters, no blanks."""
    return text.casefold().strip().replace(" ", "_")


def _float(text: str) -> float:
    return float(text.replace(",", "."))
