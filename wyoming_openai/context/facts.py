"""One fact about the home in one line: a name and a state, in words that a model and a person understand. Pure.

Names, states and attributes come from devices and from the internet: they are cleaned, bounded and kept to their line.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from ..hass.home import Home, State

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
_PRESSED = frozenset({"button", "event", "input_button", "scene"})
"""Domains whose state is the time they were last used."""

LASTING = frozenset(
    {"alarm_control_panel", "cover", "device_tracker", "lawn_mower", "lock", "person", "vacuum", "valve"}
)
"""Domains where people want to know how long it has been so; binary sensors too."""

Words = Callable[[Home, Mapping[str, Any], datetime], Iterable[str]]


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
    if domain in _PRESSED or device_class == "timestamp":
        return _local_time(value, now)
    unit = state.attributes.get("unit_of_measurement")
    number = _number(home, state) if unit or domain in ("sensor", "number", "input_number", "counter") else value
    if unit:
        return f"{number} {clean(unit, 32)}"
    return clean(number).replace("_", " ") or "empty"


def attribute_words(home: Home, state: State, now: datetime) -> list[str]:
    """What else matters of it: "brightness 40 %", "target 20 °C"."""
    words = _ATTRIBUTES.get(state.domain)
    if words is None or state.state == "unavailable":
        return []
    return [clean(word) for word in words(home, state.attributes, now)]


def lasting_words(state: State, now: datetime) -> str:
    """How long it has been so, where that is of interest: "for 12 min"."""
    if state.domain not in LASTING and state.domain != "binary_sensor":
        return ""
    if state.state in _UNKNOWN:
        return ""
    return "for " + duration_words(timedelta(seconds=max(0.0, now.timestamp() - state.last_changed)))


def duration_words(duration: timedelta) -> str:
    """Rounded down to what people say: "40 s", "12 min", "3 h", "2 days"."""
    seconds = int(duration.total_seconds())
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 2 * 3600:
        return f"{seconds // 60} min"
    if seconds < 48 * 3600:
        return f"{seconds // 3600} h"
    return f"{seconds // 86400} days"


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


def _local_time(value: str, now: datetime) -> str:
    """A moment in the home's time zone; what is no moment stays as it is."""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return clean(value)
    if moment.tzinfo is None:
        return clean(value)
    return moment.astimezone(now.tzinfo).isoformat(timespec="seconds")


def _temperature_unit(home: Home, attributes: Mapping[str, Any]) -> str:
    return clean(attributes.get("temperature_unit") or home.config.unit_system.get("temperature") or "°C", 8)


def _has(attributes: Mapping[str, Any], name: str) -> bool:
    return attributes.get(name) not in (None, "", [], "none")


def _climate(home: Home, attributes: Mapping[str, Any], _: datetime) -> Iterable[str]:
    unit = _temperature_unit(home, attributes)
    if _has(attributes, "current_temperature"):
        yield f"current {attributes['current_temperature']} {unit}"
    if _has(attributes, "temperature"):
        yield f"target {attributes['temperature']} {unit}"
    if _has(attributes, "target_temp_low") and _has(attributes, "target_temp_high"):
        yield f"target {attributes['target_temp_low']} to {attributes['target_temp_high']} {unit}"
    if _has(attributes, "hvac_action"):
        yield f"now {attributes['hvac_action']}"
    if _has(attributes, "current_humidity"):
        yield f"humidity {attributes['current_humidity']} %"
    if _has(attributes, "humidity"):
        yield f"target humidity {attributes['humidity']} %"
    for name in ("preset_mode", "fan_mode"):
        if _has(attributes, name):
            yield f"{name.replace('_mode', '')} {attributes[name]}"


def _light(_: Home, attributes: Mapping[str, Any], __: datetime) -> Iterable[str]:
    brightness = attributes.get("brightness")
    if isinstance(brightness, int | float) and brightness > 0:
        yield f"brightness {max(1, round(brightness / 2.55))} %"
    if _has(attributes, "effect") and attributes["effect"] != "off":
        yield f"effect {attributes['effect']}"
    if _has(attributes, "color_temp_kelvin"):
        yield f"{attributes['color_temp_kelvin']} K"


def _cover(_: Home, attributes: Mapping[str, Any], __: datetime) -> Iterable[str]:
    if _has(attributes, "current_position"):
        yield f"position {attributes['current_position']} %"


def _fan(_: Home, attributes: Mapping[str, Any], __: datetime) -> Iterable[str]:
    if attributes.get("percentage"):
        yield f"speed {attributes['percentage']} %"
    if _has(attributes, "preset_mode"):
        yield f"preset {attributes['preset_mode']}"


def _media_player(_: Home, attributes: Mapping[str, Any], __: datetime) -> Iterable[str]:
    if _has(attributes, "media_title"):
        yield f'"{clean(attributes["media_title"], 120)}"'
    if _has(attributes, "media_artist"):
        yield f"by {clean(attributes['media_artist'], 80)}"
    for name in ("app_name", "source"):
        if _has(attributes, name):
            yield f"{name.partition('_')[0]} {attributes[name]}"
    volume = attributes.get("volume_level")
    if isinstance(volume, int | float):
        yield f"volume {round(volume * 100)} %"
    if attributes.get("is_volume_muted") is True:
        yield "muted"


def _weather(home: Home, attributes: Mapping[str, Any], _: datetime) -> Iterable[str]:
    units = {
        "temperature": _temperature_unit(home, attributes),
        "humidity": "%",
        "wind_speed": attributes.get("wind_speed_unit") or home.config.unit_system.get("wind_speed", ""),
    }
    for name, unit in units.items():
        if _has(attributes, name):
            yield f"{name.replace('_speed', '')} {attributes[name]} {unit}"


def _battery(_: Home, attributes: Mapping[str, Any], __: datetime) -> Iterable[str]:
    if _has(attributes, "battery_level"):
        yield f"battery {attributes['battery_level']} %"


def _calendar(_: Home, attributes: Mapping[str, Any], __: datetime) -> Iterable[str]:
    if _has(attributes, "message"):
        yield f'next "{clean(attributes["message"], 120)}" at {attributes.get("start_time")}'


def _timer(_: Home, attributes: Mapping[str, Any], __: datetime) -> Iterable[str]:
    for name in ("remaining", "finishes_at"):
        if _has(attributes, name):
            yield f"{name.replace('_', ' ')} {attributes[name]}"


def _update(_: Home, attributes: Mapping[str, Any], __: datetime) -> Iterable[str]:
    for name in ("installed_version", "latest_version"):
        if _has(attributes, name):
            yield f"{name.partition('_')[0]} {attributes[name]}"


def _sun(_: Home, attributes: Mapping[str, Any], now: datetime) -> Iterable[str]:
    for name in ("next_rising", "next_setting"):
        if _has(attributes, name):
            yield f"{name.replace('_', ' ')} {_local_time(str(attributes[name]), now)}"


def _last_triggered(_: Home, attributes: Mapping[str, Any], now: datetime) -> Iterable[str]:
    if _has(attributes, "last_triggered"):
        yield f"last run {_local_time(str(attributes['last_triggered']), now)}"


_ATTRIBUTES: Mapping[str, Words] = {
    "automation": _last_triggered,
    "calendar": _calendar,
    "climate": _climate,
    "cover": _cover,
    "device_tracker": _battery,
    "fan": _fan,
    "humidifier": _climate,
    "light": _light,
    "media_player": _media_player,
    "script": _last_triggered,
    "sun": _sun,
    "timer": _timer,
    "update": _update,
    "vacuum": _battery,
    "valve": _cover,
    "water_heater": _climate,
    "weather": _weather,
}
