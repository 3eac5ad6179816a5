"""What else matters of an entity beside its state: "brightness 40 %", "target 20 °C". Pure."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from ..hass.home import Home, State
from .facts import clean, said
from .moments import clock_words, date_words, day_words, iso_words, local, moment_words, rest_words, span_seconds

Words = Callable[[Home, State, datetime], Iterable[str]]


def attribute_words(home: Home, state: State, now: datetime) -> list[str]:
    """What else matters of it, nothing where it is unavailable."""
    words = _ATTRIBUTES.get(state.domain)
    if words is None or state.state == "unavailable":
        return []
    return [clean(word) for word in words(home, state, now)]


def _temperature_unit(home: Home, attributes: Mapping[str, Any]) -> str:
    return clean(attributes.get("temperature_unit") or home.config.unit_system.get("temperature") or "°C", 8)


def _has(attributes: Mapping[str, Any], name: str) -> bool:
    return attributes.get(name) not in (None, "", [], "none")


def _climate(home: Home, state: State, _: datetime) -> Iterable[str]:
    attributes = state.attributes
    unit = _temperature_unit(home, attributes)
    if _has(attributes, "current_temperature"):
        yield f"current {_tidy(attributes['current_temperature'])} {unit}"
    if _has(attributes, "temperature"):
        yield f"target {_tidy(attributes['temperature'])} {unit}"
    if _has(attributes, "target_temp_low") and _has(attributes, "target_temp_high"):
        yield f"target {_tidy(attributes['target_temp_low'])} to {_tidy(attributes['target_temp_high'])} {unit}"
    if _has(attributes, "hvac_action") and attributes["hvac_action"] != state.state:
        yield f"now {said(attributes['hvac_action'])}"
    if _has(attributes, "current_humidity"):
        yield f"humidity {attributes['current_humidity']} %"
    if _has(attributes, "humidity"):
        yield f"target humidity {attributes['humidity']} %"
    for name in ("preset_mode", "fan_mode"):
        if _has(attributes, name):
            yield f"{name.replace('_mode', '')} {said(attributes[name])}"


def _light(_: Home, state: State, __: datetime) -> Iterable[str]:
    attributes = state.attributes
    brightness = attributes.get("brightness")
    if isinstance(brightness, int | float) and brightness > 0:
        yield f"brightness {max(1, round(brightness / 2.55))} %"
    if _has(attributes, "effect") and attributes["effect"] != "off":
        yield f"effect {said(attributes['effect'])}"
    if _has(attributes, "color_temp_kelvin"):
        yield f"{attributes['color_temp_kelvin']} K"


def _cover(_: Home, state: State, __: datetime) -> Iterable[str]:
    attributes = state.attributes
    position = attributes.get("current_position")
    if _has(attributes, "current_position") and (state.state, position) != ("closed", 0):
        yield f"position {_tidy(position)} %"
    if _has(attributes, "current_tilt_position"):
        yield f"tilt {_tidy(attributes['current_tilt_position'])} %"


def _fan(_: Home, state: State, __: datetime) -> Iterable[str]:
    attributes = state.attributes
    if attributes.get("percentage"):
        yield f"speed {attributes['percentage']} %"
    if _has(attributes, "preset_mode"):
        yield f"preset {said(attributes['preset_mode'])}"


def _media_player(_: Home, state: State, __: datetime) -> Iterable[str]:
    attributes = state.attributes
    if _has(attributes, "media_title"):
        yield _title(attributes["media_title"])
    if _has(attributes, "media_artist"):
        yield f"by {said(clean(attributes['media_artist'], 80))}"
    for name in ("app_name", "source"):
        if _has(attributes, name):
            yield f"{name.partition('_')[0]} {said(attributes[name])}"
    volume = attributes.get("volume_level")
    if isinstance(volume, int | float):
        yield f"volume {round(volume * 100)} %"
    if attributes.get("is_volume_muted") is True:
        yield "muted"


def _weather(home: Home, state: State, _: datetime) -> Iterable[str]:
    attributes = state.attributes
    wind = attributes.get("wind_speed_unit") or home.config.unit_system.get("wind_speed", "")
    units = {
        "temperature": _temperature_unit(home, attributes),
        "humidity": "%",
        "wind_speed": wind,
        "wind_gust_speed": wind,
    }
    for name, unit in units.items():
        if _has(attributes, name):
            yield f"{name.replace('_speed', '').replace('_', ' ')} {_tidy(attributes[name])} {unit}"


def _battery(_: Home, state: State, __: datetime) -> Iterable[str]:
    attributes = state.attributes
    if _has(attributes, "battery_level"):
        yield f"battery {attributes['battery_level']} %"


def _calendar(_: Home, state: State, now: datetime) -> Iterable[str]:
    """The appointment going on, until when; else the next one, and when."""
    attributes = state.attributes
    if not _has(attributes, "message"):
        return
    title = _title(attributes["message"])
    if state.state == "on":
        until = _calendar_end(attributes, now)
        yield f"now {title}{f', until {until}' if until else ''}"
    else:
        yield f"next {title} {_calendar_start(attributes, now)}".rstrip()


def _calendar_start(attributes: Mapping[str, Any], now: datetime) -> str:
    start = str(attributes.get("start_time") or "")
    if attributes.get("all_day") is True:
        return f"{iso_words(start[:10], now) or 'one day'}, all day"
    return iso_words(start, now) or ""


def _calendar_end(attributes: Mapping[str, Any], now: datetime) -> str:
    """Until when; a whole day ends where the next one begins."""
    end = str(attributes.get("end_time") or "")
    try:
        if attributes.get("all_day") is True:
            return f"the end of {date_words((local(end, now) - timedelta(days=1)).date(), now)}"
        return moment_words(local(end, now), now)
    except (ValueError, OverflowError):
        return ""


def _timer(_: Home, state: State, now: datetime) -> Iterable[str]:
    """What is left now: `remaining` is what was left when it was started or paused."""
    remaining = span_seconds(str(state.attributes.get("remaining")))
    if state.state == "paused" and remaining is not None:
        yield f"{rest_words(remaining)} left"
    if state.state != "active":
        return
    ends = _ends(state, remaining, now)
    if ends is not None:
        yield f"{rest_words(ends.timestamp() - now.timestamp())} left"
        yield f"ends {day_words(ends.date(), now.date())} {clock_words(ends)}"


def _ends(state: State, remaining: float | None, now: datetime) -> datetime | None:
    """When a running timer ends: as it says itself, else so long after its start as was left then."""
    try:
        return local(str(state.attributes.get("finishes_at")), now)
    except (ValueError, OverflowError):
        ends = None if remaining is None else state.last_changed + remaining
        return None if ends is None else datetime.fromtimestamp(ends, now.tzinfo)


def _update(_: Home, state: State, __: datetime) -> Iterable[str]:
    attributes = state.attributes
    for name in ("installed_version", "latest_version"):
        if _has(attributes, name):
            yield f"{name.partition('_')[0]} {said(attributes[name])}"


def _sun(_: Home, state: State, now: datetime) -> Iterable[str]:
    rises, sets = (str(state.attributes.get(name)) for name in ("next_rising", "next_setting"))
    words = {"rises": iso_words(rises, now), "sets": iso_words(sets, now)}
    later = "rises" if rises > sets else "sets"
    yield from (f"{word} {told.split(' (')[0] if word == later else told}" for word, told in words.items() if told)


def _last_triggered(_: Home, state: State, now: datetime) -> Iterable[str]:
    yield from _moments(state, {"last_triggered": "last run"}, now)


def _schedule(_: Home, state: State, now: datetime) -> Iterable[str]:
    change = "next off" if state.state == "on" else "next on"
    yield from _moments(state, {"next_event": change}, now)


def _moments(state: State, names: Mapping[str, str], now: datetime) -> Iterable[str]:
    for name, words in names.items():
        if (told := iso_words(str(state.attributes.get(name)), now)) is not None:
            yield f"{words} {told}"


def _event(_: Home, state: State, __: datetime) -> Iterable[str]:
    if _has(state.attributes, "event_type"):
        yield said(state.attributes["event_type"])


def _remote(_: Home, state: State, __: datetime) -> Iterable[str]:
    if _has(state.attributes, "current_activity"):
        yield f"activity {said(state.attributes['current_activity'])}"


def _tidy(value: object) -> str:
    """A number without zeros at its end: "22"."""
    return f"{value:.10g}" if isinstance(value, float) else clean(value)


def _title(text: object) -> str:
    """A title, always in quotes."""
    return f'"{clean(text, 120).replace(chr(34), chr(39))}"'


_ATTRIBUTES: Mapping[str, Words] = {
    "automation": _last_triggered,
    "calendar": _calendar,
    "climate": _climate,
    "cover": _cover,
    "device_tracker": _battery,
    "event": _event,
    "fan": _fan,
    "humidifier": _climate,
    "light": _light,
    "media_player": _media_player,
    "remote": _remote,
    "schedule": _schedule,
    "script": _last_triggered,
    "sun": _sun,
    "timer": _timer,
    "update": _update,
    "vacuum": _battery,
    "valve": _cover,
    "water_heater": _climate,
    "weather": _weather,
}
