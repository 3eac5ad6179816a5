"""Stretches of time as a model names them, in the home's time zone: "yesterday", "2026-10", "…/…". Pure.

Days have 23, 24 or 25 hours; whatever is measured inside a period is measured in seconds since the epoch.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from ..context.facts import clean
from .toolbox import ToolError

EXAMPLES = "today, last_week, last_7_days, 2026-10-25 or ISO start/end"

FIRST_DAY = date(1970, 1, 2)
LAST_DAY = date(9998, 12, 30)
MOST = 5000
"""Of any unit, so that nobody counts beyond the calendar."""

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_RELATIVE = re.compile(r"(last|past|next)_(\d+)_(minute|hour|day|week|month|year)s?")
_AGO = re.compile(r"(\d+)_(day|week|month|year)s?_ago")
_PART = re.compile(r"(this|last|yesterday|tomorrow)_(morning|afternoon|evening|night)")
_HOURS = {"morning": (6, 12), "afternoon": (12, 18), "evening": (18, 24), "night": (22, 30)}
"""From and to which hour of a day; a night ends on the next."""

_UNIT = re.compile(r"(this|last|past|next)_(hour|day|week|weekend|month|year)")
_MONTH = re.compile(r"(\d{4})-(\d{2})")
_YEAR = re.compile(r"\d{4}")
_WEEK = re.compile(r"\d{4}-?W\d{2}")
_BLANKS = re.compile(r"[\s_-]+")


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` up to, but not including, `end`; both in the home's time zone."""

    start: datetime
    end: datetime

    @property
    def seconds(self) -> float:
        """How long it really is: a day may have 23 or 25 hours."""
        return self.end.timestamp() - self.start.timestamp()

    def until(self, now: datetime) -> "Period":
        """What is over of it. Raises `ToolError` if it lies in the future."""
        if self.start.timestamp() >= now.timestamp():
            raise ToolError(f"that lies in the future; now it is {moment(now)}")
        return Period(self.start, self.end if self.end.timestamp() <= now.timestamp() else now)

    def __str__(self) -> str:
        return f"{moment(self.start)} to {moment(self.end)}"


def parse_period(text: str, now: datetime, *, ahead: bool = False) -> Period:
    """The period that a model named; `ahead`: weekdays are those to come. Raises `ToolError`."""
    wanted = text.strip()
    try:
        found = _interval(wanted, now) if "/" in wanted else _iso(wanted, now) or _named(wanted, now, ahead)
    except (ValueError, OverflowError):
        found = None
    if found is None:
        raise ToolError(f"“{clean(text, 60)}” is no period; say {EXAMPLES}")
    if found.start.timestamp() >= found.end.timestamp():
        raise ToolError(f"“{clean(text, 60)}” ends before it begins")
    return found


def days(first: date, count: int, zone: tzinfo | None) -> Period:
    """Whole days."""
    if not FIRST_DAY <= first <= LAST_DAY - timedelta(days=count):
        raise ValueError(first)
    return Period(midnight(first, zone), midnight(first + timedelta(days=count), zone))


def midnight(day: date, zone: tzinfo | None) -> datetime:
    """The first moment of a day; where the clock skips midnight, the moment at which it does."""
    start = datetime.combine(day, time(), zone)
    return start.astimezone(UTC).astimezone(zone)


def moment(when: datetime, *, seconds: bool = False, day: bool = True) -> str:
    """A local time; its zone where the clock shows it twice. "Sun 25 Oct 2026 02:30 CET"."""
    clock = f"{when:%H:%M:%S}" if seconds and when.second else f"{when:%H:%M}"
    twice = when.replace(fold=0).utcoffset() != when.replace(fold=1).utcoffset()
    return f"{f'{short_day(when)} ' if day else ''}{clock}{f' {when.tzname()}' if twice else ''}"


def short_day(day: date) -> str:
    """A day of the past: "Sun 25 Oct 2026"."""
    return f"{day:%a} {day.day} {day:%b} {day.year}"


def _interval(text: str, now: datetime) -> Period | None:
    """ISO 8601's "start/end": a day or month at its end counts whole."""
    left, _, right = text.partition("/")
    start, end = _iso(left.strip(), now), _iso(right.strip(), now)
    if start is None or (end is None and right.strip()):
        return None
    if end is None:
        return Period(start.start, now)
    return Period(start.start, end.start if "T" in right or ":" in right else end.end)


def _iso(text: str, now: datetime) -> Period | None:
    """A year, a month, a week, a day; or a moment, as the period from then until now."""
    zone = now.tzinfo
    if _YEAR.fullmatch(text):
        return _months(date(int(text), 1, 1), 12, zone)
    if match := _MONTH.fullmatch(text):
        return _months(date(int(match[1]), int(match[2]), 1), 1, zone)
    if _WEEK.fullmatch(text):
        return days(date.fromisoformat(text + ("-1" if "-" in text else "1")), 7, zone)
    if not text[:4].isdigit():
        return None
    if len(text) <= 10:
        return days(date.fromisoformat(text), 1, zone)
    start = datetime.fromisoformat(text)
    days(start.date(), 1, zone)  # is it within the calendar?
    start = start.astimezone(zone) if start.tzinfo else start.replace(tzinfo=zone)
    return Period(start, now) if start.timestamp() < now.timestamp() else Period(start, start + timedelta(hours=1))


def _named(text: str, now: datetime, ahead: bool) -> Period | None:
    wanted = _BLANKS.sub("_", text.casefold())
    today, zone = now.date(), now.tzinfo
    if wanted in _DAYS:
        return days(today + timedelta(days=_DAYS[wanted]), 1, zone)
    if wanted in _WEEKDAYS:
        away = (_WEEKDAYS.index(wanted) - today.weekday()) % 7
        return days(today + timedelta(days=away if ahead or away == 0 else away - 7), 1, zone)
    if wanted.startswith("since_") and (since := _iso(text[6:], now) or _named(wanted[6:], now, ahead=False)):
        return Period(since.start, now)
    if match := _PART.fullmatch("this_evening" if wanted == "tonight" else wanted):
        return _part(today, match[1], match[2], zone)
    if match := _RELATIVE.fullmatch(wanted):
        return _rolling(match[1] == "next", min(MOST, int(match[2])), match[3], now)
    if match := _AGO.fullmatch(wanted):
        return _UNITS[match[2]](today, -min(MOST, int(match[1])), zone)
    if match := _UNIT.fullmatch(wanted):
        step = {"this": 0, "next": 1}.get(match[1], -1)
        return _hour(now, step) if match[2] == "hour" else _UNITS[match[2]](today, step, zone)
    return days(FIRST_DAY, (today - FIRST_DAY).days + 1, zone) if wanted in ("all", "ever", "always") else None


_DAYS = {"now": 0, "today": 0, "yesterday": -1, "tomorrow": 1, "day_before_yesterday": -2, "day_after_tomorrow": 2}


def _rolling(ahead: bool, count: int, unit: str, now: datetime) -> Period:
    """So long before or after now: days by the clock on the wall, hours by a stopwatch."""
    count = count if ahead else -count
    if unit in ("minute", "hour"):
        there = (now.astimezone(UTC) + timedelta(**{unit + "s": count})).astimezone(now.tzinfo)
    else:
        there = datetime.combine(_shifted(now.date(), count, unit), now.timetz())
    return Period(now, there) if ahead else Period(there, now)


def _shifted(day: date, count: int, unit: str) -> date:
    """The same day of another month; the last one where that month is shorter."""
    if unit in ("day", "week"):
        return day + timedelta(**{unit + "s": count})
    there = _months_on(day, count * (12 if unit == "year" else 1))
    length = (_months_on(there, 1) - there).days
    return there.replace(day=min(day.day, length))


def _months_on(day: date, count: int) -> date:
    """The first of a month, so many months on."""
    months = day.year * 12 + day.month - 1 + count
    return date(months // 12, months % 12 + 1, 1)


def _part(today: date, which: str, part: str, zone: tzinfo | None) -> Period:
    day = today + timedelta(days={"this": 0, "tomorrow": 1}.get(which, -1))
    return Period(*(_at_hour(day, hour, zone) for hour in _HOURS[part]))


def _at_hour(day: date, hour: int, zone: tzinfo | None) -> datetime:
    days, hour = divmod(hour, 24)
    return datetime.combine(day + timedelta(days=days), time(hour), zone)


def _hour(now: datetime, step: int) -> Period:
    """A rolling hour is meant by "last hour"."""
    hour = timedelta(hours=1)
    utc = now.astimezone(UTC)
    start, end = (utc, utc + hour) if step > 0 else (utc - hour, utc)
    return Period(start.astimezone(now.tzinfo), end.astimezone(now.tzinfo))


def _day(today: date, step: int, zone: tzinfo | None) -> Period:
    return days(today + timedelta(days=step), 1, zone)


def _week(today: date, step: int, zone: tzinfo | None) -> Period:
    return days(today - timedelta(days=today.weekday()) + timedelta(weeks=step), 7, zone)


def _weekend(today: date, step: int, zone: tzinfo | None) -> Period:
    return days(today - timedelta(days=today.weekday() - 5) + timedelta(weeks=step), 2, zone)


def _month(today: date, step: int, zone: tzinfo | None) -> Period:
    return _months(_months_on(today, step), 1, zone)


def _year(today: date, step: int, zone: tzinfo | None) -> Period:
    return _months(date(today.year + step, 1, 1), 12, zone)


def _months(first: date, count: int, zone: tzinfo | None) -> Period:
    return days(first, (_months_on(first, count) - first).days, zone)


_UNITS: dict[str, Callable[[date, int, tzinfo | None], Period]] = {
    "day": _day,
    "week": _week,
    "weekend": _weekend,
    "month": _month,
    "year": _year,
}
