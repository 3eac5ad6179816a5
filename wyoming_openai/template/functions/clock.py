"""Moments and durations."""

import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any

from ..rendering import MISSING, HomeFunction, Rendering, current, no_default
from .table import TemplateFunction

_UNITS = (
    ("year", 365 * 86400),
    ("month", 30 * 86400),
    ("day", 86400),
    ("hour", 3600),
    ("minute", 60),
    ("second", 1),
)
_YEAR, _MONTH = _UNITS[0][1], _UNITS[1][1]

_ZONE = r"(?P<zone>[Zz]|[+-]\d\d(?::?\d\d)?)?"
_FRACTION = r"(?:[.,](?P<fraction>\d+))?"
# ISO 8601: a date of one of several forms, then perhaps a time in the same style, with separators or without
_EXTENDED = re.compile(
    r"(?P<year>\d{4})-(?:W(?P<week>\d\d)(?:-(?P<weekday>\d))?|(?P<ordinal>\d{3})|(?P<month>\d\d)(?:-(?P<day>\d\d))?)"
    rf"(?:[Tt ](?P<hour>\d\d)(?::(?P<minute>\d\d)(?::(?P<second>\d\d){_FRACTION})?)?{_ZONE})?",
    re.ASCII,
)
_BASIC = re.compile(
    r"(?P<year>\d{4})(?:W(?P<week>\d\d)(?P<weekday>\d)?|(?P<ordinal>\d{3})|(?P<month>\d\d)(?P<day>\d\d))"
    rf"(?:[Tt ](?P<hour>\d\d)(?:(?P<minute>\d\d)(?:(?P<second>\d\d){_FRACTION})?)?{_ZONE})?",
    re.ASCII,
)
# with single digits and with seconds in the offset, as people and databases write it
_LOOSE = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})[T ](?P<hour>\d{1,2}):(?P<minute>\d{1,2})"
    r"(?::(?P<second>\d{1,2})(?:\.(?P<fraction>\d{1,12}))?)?(?P<zone>Z|[+-]\d\d(?::?\d\d(?::?\d\d)?)?)?\n?"
)

_DURATION = re.compile(
    r"(?:(?P<days>-?\d+) (?:days?, )?)?(?P<sign>-?)(?:(?:(?P<hours>\d+):)(?=\d+:\d+))?(?:(?P<minutes>\d+):)?"
    r"(?P<seconds>\d+)(?:[.,](?P<microseconds>\d{1,6})\d{0,6})?\n?"
)
_NUMBER = r"\d+(?:[.,]\d+)?"
_ISO_DURATION = re.compile(
    rf"(?P<sign>[-+]?)P(?:(?P<days>{_NUMBER})D)?"
    rf"(?:T(?:(?P<hours>{_NUMBER})H)?(?:(?P<minutes>{_NUMBER})M)?(?:(?P<seconds>{_NUMBER})S)?)?\n?"
)
_INTERVAL = re.compile(
    r"(?:(?P<days>-?\d+) days? ?)?"
    r"(?:(?P<sign>[-+])?(?P<hours>\d+):(?P<minutes>\d\d):(?P<seconds>\d\d)(?:\.(?P<microseconds>\d{1,6}))?)?\n?"
)


def now(rendering: Rendering) -> datetime:
    return rendering.now


def utcnow(rendering: Rendering) -> datetime:
    return rendering.now.astimezone(UTC)


def today_at(rendering: Rendering, time_str: Any = "") -> datetime:
    today = datetime.combine(rendering.now.date(), time(), rendering.zone)
    if not time_str:
        return today
    at = _parse_time(time_str)
    if at is None:
        raise ValueError(f"could not convert {type(time_str).__name__} to datetime: '{time_str}'")
    return datetime.combine(today, at, rendering.zone)


def relative_time(rendering: Rendering, value: Any) -> Any:
    return time_since(rendering, value)


def time_since(rendering: Rendering, value: Any, precision: int = 1) -> Any:
    """In words. What is no moment, or in the future, is returned as it is."""
    return _in_words(rendering, value, precision, future=False)


def time_until(rendering: Rendering, value: Any, precision: int = 1) -> Any:
    return _in_words(rendering, value, precision, future=True)


def timedelta_string(_rendering: Rendering, value: Any, precision: int = 1) -> Any:
    if not isinstance(value, timedelta):
        return value
    return duration_in_words(round(abs(value.total_seconds())), precision)


def as_local(value: datetime) -> datetime:
    """Without a zone it is taken as local."""
    zone = current().zone
    if value.tzinfo == zone:
        return value
    return value.replace(tzinfo=zone) if value.tzinfo is None else value.astimezone(zone)


def as_datetime(value: Any, default: Any = MISSING) -> Any:
    """Of a timestamp, in UTC, or of a text; a text that is no moment is None, all else needs a default."""
    if type(value) is datetime:
        return value
    if type(value) is date:
        return datetime.combine(value, time())
    try:
        return datetime.fromtimestamp(float(value), UTC)
    except (ValueError, TypeError):
        pass
    parsed = _parsed_or_none(value)
    if parsed is not None or (default is MISSING and isinstance(value, str)):
        return parsed
    return no_default("as_datetime", value) if default is MISSING else default


def as_timestamp(value: Any, default: Any = MISSING) -> Any:
    """As in Home Assistant, a moment without a zone is in that of the machine."""
    try:
        moment = value if isinstance(value, datetime) else parse_datetime(str(value))
    except ValueError:
        moment = None
    if moment is not None:
        return moment.timestamp()
    return no_default("as_timestamp", value) if default is MISSING else default


def as_timedelta(value: str) -> timedelta | None:
    """`01:02:03`, `1 day, 1:00`, `PT10M`, `3 days 04:05:06`; None for anything else."""
    for form in (_DURATION, _ISO_DURATION, _INTERVAL):
        if (match := form.fullmatch(value)) is not None:
            break
    else:
        return None
    parts = match.groupdict()
    sign = -1 if parts.pop("sign") == "-" else 1
    if parts.get("microseconds"):
        parts["microseconds"] = parts["microseconds"].ljust(6, "0")
    numbers = {unit: float(number.replace(",", ".")) for unit, number in parts.items() if number is not None}
    days = timedelta(numbers.pop("days", 0.0))
    return (days * sign if form is _ISO_DURATION else days) + sign * timedelta(**numbers)


def strptime(string: Any, fmt: Any, default: Any = MISSING) -> Any:
    try:
        return datetime.strptime(string, fmt)  # noqa: DTZ007 - with a zone only if the format has one
    except (ValueError, AttributeError, TypeError):
        return no_default("strptime", string) if default is MISSING else default


def timestamp_custom(
    value: Any, date_format: str = "%Y-%m-%d %H:%M:%S", local: Any = True, default: Any = MISSING
) -> Any:
    try:
        moment = datetime.fromtimestamp(value, UTC)
        return (as_local(moment) if local else moment).strftime(date_format)
    except (ValueError, TypeError):
        return no_default("timestamp_custom", value) if default is MISSING else default


def timestamp_local(value: Any, default: Any = MISSING) -> Any:
    try:
        return as_local(datetime.fromtimestamp(value, UTC)).isoformat()
    except (ValueError, TypeError):
        return no_default("timestamp_local", value) if default is MISSING else default


def timestamp_utc(value: Any, default: Any = MISSING) -> Any:
    try:
        return datetime.fromtimestamp(value, UTC).isoformat()
    except (ValueError, TypeError):
        return no_default("timestamp_utc", value) if default is MISSING else default


def is_datetime(value: Any) -> bool:
    return isinstance(value, datetime)


def parse_datetime(text: str) -> datetime | None:
    """Any ISO 8601 form, or nearly. None if it is none; raises `ValueError` for a day or hour that does not exist."""
    for form in (_EXTENDED, _BASIC):
        if (match := form.fullmatch(text)) is not None:
            try:
                return _moment(match.groupdict())
            except ValueError:
                break
    loose = _LOOSE.fullmatch(text)
    return None if loose is None else _moment(loose.groupdict())


def _parsed_or_none(value: Any) -> datetime | None:
    try:
        return parse_datetime(value)
    except (ValueError, TypeError):
        return None


def _moment(parts: dict[str, str | None]) -> datetime:
    day = _day(parts)
    hour, minute, second = (int(parts[name] or 0) for name in ("hour", "minute", "second"))
    micro = int((parts["fraction"] or "0")[:6].ljust(6, "0"))
    next_day = timedelta(0)
    if (hour, minute, second, micro) == (24, 0, 0, 0):
        hour, next_day = 0, timedelta(days=1)
    return datetime.combine(day, time(hour, minute, second, micro), _offset(parts["zone"])) + next_day


def _day(parts: dict[str, str | None]) -> date:
    year = int(parts["year"] or 0)
    if (week := parts.get("week")) is not None:
        return date.fromisocalendar(year, int(week), int(parts["weekday"] or 1))
    if (ordinal := parts.get("ordinal")) is not None:
        day = date(year, 1, 1) + timedelta(days=int(ordinal) - 1)
        if day.year != year:
            raise ValueError(f"Invalid ordinal day: {ordinal}")
        return day
    return date(year, int(parts["month"] or 1), int(parts["day"] or 1))


def _offset(zone: str | None) -> timezone | None:
    if zone is None:
        return None
    if zone in "Zz":
        return UTC
    digits = zone[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:4] or 0), seconds=int(digits[4:] or 0))
    return timezone(-offset if zone[0] == "-" else offset)


def _parse_time(value: Any) -> time | None:
    parts = str(value).split(":")
    if len(parts) < 2:
        return None
    try:
        return time(int(parts[0]), int(parts[1]), int(parts[2]) if len(parts) > 2 else 0)
    except (ValueError, OverflowError):
        return None


def _in_words(rendering: Rendering, value: Any, precision: int, *, future: bool) -> Any:
    if not isinstance(value, datetime):
        return value
    if not value.tzinfo:
        value = as_local(value)
    span = value - rendering.now if future else rendering.now - value
    return value if span < timedelta(0) else duration_in_words(round(span.total_seconds()), precision)


def duration_in_words(seconds: int, precision: int) -> str:
    """The largest `precision` units, the last one rounded; all of them for 0."""
    if seconds == 0:
        return "0 seconds"
    rest = _rounded(seconds, precision)
    words: list[str] = []
    for unit, size in _UNITS:
        if rest < size:
            continue
        last = len(words) + 1 == precision
        count = round(rest / size) if last else rest // size
        words.append(f"1 {unit}" if count == 1 else f"{count} {unit}s")
        if last:
            break
        rest -= count * size
    return " ".join(words)


def _rounded(seconds: int, precision: int) -> int:
    """Rounded to the last unit that will be shown, so that it carries into the larger ones."""
    rest, shown = seconds, 0
    for _, size in _UNITS:
        if rest < size:
            continue
        shown += 1
        if shown == precision:
            result = seconds + round(rest / size) * size - rest
            months, before = (moment % _YEAR // _MONTH for moment in (result, seconds))
            # twelve months of thirty days are five days short of a year; rounding to them ends it
            if months >= 12 and (before < 12 or size == _MONTH):
                result += _YEAR - result % _YEAR
            return result
        rest %= size
    return seconds


FUNCTIONS = (
    TemplateFunction("now", HomeFunction(now), "G"),
    TemplateFunction("utcnow", HomeFunction(utcnow), "G"),
    TemplateFunction("today_at", HomeFunction(today_at), "GF"),
    TemplateFunction("relative_time", HomeFunction(relative_time), "GF"),
    TemplateFunction("time_since", HomeFunction(time_since), "GF"),
    TemplateFunction("time_until", HomeFunction(time_until), "GF"),
    TemplateFunction("timedelta_string", HomeFunction(timedelta_string), "GF"),
    TemplateFunction("as_datetime", as_datetime, "GF"),
    TemplateFunction("as_local", as_local, "GF"),
    TemplateFunction("as_timestamp", as_timestamp, "GF"),
    TemplateFunction("as_timedelta", as_timedelta, "GF"),
    TemplateFunction("strptime", strptime, "G"),
    TemplateFunction("timedelta", timedelta, "G"),
    TemplateFunction("timestamp_custom", timestamp_custom, "F"),
    TemplateFunction("timestamp_local", timestamp_local, "F"),
    TemplateFunction("timestamp_utc", timestamp_utc, "F"),
    TemplateFunction("datetime", is_datetime, "T"),
)
