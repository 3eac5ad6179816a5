"""Weather forecasts, with sunrise and sunset."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from ..context.facts import clean, quoted
from ..context.moments import clock_words, day_words
from ..hass.errors import CommandFailed, HomeUnavailable
from ..hass.home import State
from ..messages import ToolSpec
from .entity_lookup import of_domain
from .subject import rounded
from .sun import sun_times
from .toolbox import Texts, Tool, ToolContext, ToolError, schema, string, texts

MOST = {"daily": 8, "twice_daily": 10, "hourly": 24}
KINDS = {"daily": ("daily", "twice_daily", "hourly"), "hourly": ("hourly", "daily", "twice_daily")}
"""What is told where a weather service does not have what was asked for."""

FEATURES = {"daily": 1, "hourly": 2, "twice_daily": 4}
"""Bits of Home Assistant's `supported_features`."""

SUN_DAYS = 7


async def get_forecast(context: ToolContext, *, name: Texts = None, type: str = "daily") -> str:  # noqa: A002
    """The forecast of one weather entity, the first one unless it is named; without any, the sun alone."""
    wanted = str(type).casefold().strip()
    if wanted not in KINDS:
        raise ToolError(f"type is one of {', '.join(KINDS)}")
    try:
        state = of_domain(context, "weather", texts(name))[0]
    except ToolError as error:
        if context.directory.by_kind.get("weather") or not (days := list(_sun_alone(context))):
            raise
        return "\n".join((f"{error}; sunrise and sunset are known:", *days))
    try:
        kind, forecast = await _forecast(context, state, wanted)
    except ToolError as error:
        return _without_forecast(context, state, str(error))
    except (CommandFailed, HomeUnavailable):
        return _without_forecast(context, state, "the forecast cannot be read now")
    if not context.home.is_exposed(state.entity_id):
        raise ToolError("there is no weather in this home")
    if not forecast:
        return _without_forecast(context, state, f"{quoted(state.name)} has no forecast")
    lines = [f"- {_line(context, state, row, kind)}" for row in forecast[: MOST[kind]]]
    return "\n".join((f"{quoted(state.name)}, {kind.replace('_', ' ')} forecast:", *lines))


GET_FORECAST = Tool(
    ToolSpec(
        "get_forecast",
        "Weather to come, sunrise, sunset.",
        schema(name=string(), type={"type": "string", "enum": list(KINDS)}),
        read_only=True,
    ),
    get_forecast,
)


def _without_forecast(context: ToolContext, state: State, why: str) -> str:
    """The weather as it is, and the sun, where nobody knows what comes. Raises `ToolError` where it was withdrawn."""
    now = context.writer.entity_line(context.directory.number[state.entity_id])
    if not now:
        raise ToolError("there is no weather in this home")
    sun = list(_sun_alone(context))
    return "\n".join((f"{why}; the weather now:", now, *(("sunrise and sunset:", *sun) if sun else ())))


async def _forecast(context: ToolContext, state: State, wanted: str) -> tuple[str, list[Mapping[str, Any]]]:
    """What was asked for, else what the service has. Raises `CommandFailed`, `HomeUnavailable`."""
    features = state.attributes.get("supported_features")
    kinds = [kind for kind in KINDS[wanted] if not isinstance(features, int) or features & FEATURES[kind]]
    if not kinds:
        raise ToolError(f"{quoted(state.name)} has no forecast")
    for kind in kinds:
        try:
            event = await context.mirror.first_event(
                "weather/subscribe_forecast", entity_id=state.entity_id, forecast_type=kind
            )
        except CommandFailed as error:
            if error.code != "forecast_not_supported":
                raise
            continue
        rows = (event or {}).get("forecast") or ()
        return kind, [row for row in rows if isinstance(row, Mapping) and _time(context, row)]
    raise ToolError(f"{quoted(state.name)} has no forecast")


def _line(context: ToolContext, state: State, row: Mapping[str, Any], kind: str) -> str:
    when = _time(context, row)
    assert when is not None, "rows without a time were left out"
    day = _day(when.date(), context)
    if kind == "hourly":
        return f"{day_words(when.date(), context.now.date())} {clock_words(when)}: {', '.join(_words(state, row))}"
    if kind == "twice_daily":
        return f"{day} {'day' if row.get('is_daytime', True) else 'night'}: {', '.join(_words(state, row))}"
    return f"{day}: {', '.join((*_words(state, row), *_sun(context, when.date())))}"


def _day(day: date, context: ToolContext) -> str:
    """A day, of which the week is known by its name too: "tomorrow (Tuesday)"."""
    words = day_words(day, context.now.date())
    return f"{words} ({day:%A})" if words in ("today", "tomorrow") else words


def _time(context: ToolContext, row: Mapping[str, Any]) -> datetime | None:
    try:
        when = datetime.fromisoformat(str(row.get("datetime")))
    except ValueError:
        return None
    return when.astimezone(context.now.tzinfo) if when.tzinfo else when.replace(tzinfo=context.now.tzinfo)


def _words(state: State, row: Mapping[str, Any]) -> Iterator[str]:
    units = state.attributes
    if row.get("condition"):
        yield clean(row["condition"], 40).replace("partlycloudy", "partly cloudy").replace("-", " ")
    degrees = clean(units.get("temperature_unit", "°C"), 8)
    low, high = row.get("templow"), row.get("temperature")
    if _is_number(high):
        yield f"{_rounded(low)} to {_rounded(high)} {degrees}" if _is_number(low) else f"{_rounded(high)} {degrees}"
    rain, chance = row.get("precipitation"), row.get("precipitation_probability")
    amount = f"{_rounded(rain)} {clean(units.get('precipitation_unit', 'mm'), 8)}" if _is_number(rain) else ""
    likely = f"{_rounded(chance)} % likely" if _is_number(chance) else ""
    if amount or likely:
        yield " ".join(filter(None, ("precipitation", amount, likely)))
    if _is_number(row.get("wind_speed")):
        yield f"wind {_rounded(row['wind_speed'])} {clean(units.get('wind_speed_unit', ''), 8)}"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _rounded(value: Any) -> str:
    return rounded(float(value), 1)


def _sun(context: ToolContext, day: date) -> Iterator[str]:
    """Sunrise and sunset, computed: they are no secret of any entity."""
    config = context.home.config
    if config.latitude is None or config.longitude is None:
        return
    times = sun_times(day, config.latitude, config.longitude, config.elevation or 0.0, context.now.tzinfo)
    if times.rising and times.setting:
        yield f"sun {times.rising:%H:%M} to {times.setting:%H:%M}"


def _sun_alone(context: ToolContext) -> Iterator[str]:
    today = context.now.date()
    for day in (today + timedelta(days=ahead) for ahead in range(SUN_DAYS)):
        yield from (f"- {_day(day, context)}: {sun}" for sun in _sun(context, day))
