"""Moments and durations in the words people use, in local time. Pure."""

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from heapq import nsmallest

START_UP = 120.0
"""Seconds after the first change in which Home Assistant still restores states."""

RESTORED = 3
"""States that change in the same minute are a start, and not somebody at home."""

FAR = 120
"""Days within which a distance says more than a date."""

_DATE = r"\d{4}-\d\d-\d\d"
_CLOCK = r"\d\d:\d\d(?::\d\d(?:\.\d+)?)?"
_ISO = re.compile(rf"{_DATE}(?:[T ]{_CLOCK}(?:Z|[+-]\d\d:?\d\d)?)?")
_SPAN = re.compile(r"(?:(\d+) days?, )?(\d+):(\d\d):(\d\d)(?:\.\d+)?")


def iso_words(text: str, now: datetime) -> str | None:
    """An ISO date or moment as people say it; None for any other text. `now` is in the home's time zone."""
    if not _ISO.fullmatch(text):
        return None
    try:
        if len(text) == 10:
            return date_words(date.fromisoformat(text), now)
        return moment_words(local(text, now), now)
    except (ValueError, OverflowError):
        return None


def local(text: str, now: datetime) -> datetime:
    """An ISO moment in the home's time zone; one without a zone is local already. Raises `ValueError`."""
    moment = datetime.fromisoformat(text)
    return moment.astimezone(now.tzinfo) if moment.tzinfo else moment.replace(tzinfo=now.tzinfo)


def moment_words(moment: datetime, now: datetime) -> str:
    """A local moment and how far away it is: "today 14:41 (in 47 min)"."""
    return f"{day_words(moment.date(), now.date())} {clock_words(moment)}{_distance(moment, now)}"


def date_words(day: date, now: datetime) -> str:
    """A day and how far away it is: "Thursday 3 December (in 2 days)"."""
    return day_words(day, now.date()) + _days_away((day - now.date()).days)


def day_words(day: date, today: date) -> str:
    """A day without its distance: "today", "Thursday 3 December"; with its year if that is another one."""
    near = {0: "today", 1: "tomorrow", -1: "yesterday"}.get((day - today).days)
    return near or f"{day:%A} {day.day} {day:%B}{'' if day.year == today.year else f' {day.year}'}"


def clock_words(moment: datetime) -> str:
    """The time of day; with its zone where the clock shows it twice."""
    twice = moment.replace(fold=0).utcoffset() != moment.replace(fold=1).utcoffset()
    return f"{moment:%H:%M}{f' {moment.tzname()}' if twice else ''}"


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


def rest_words(seconds: float) -> str:
    """What is left of a timer: with seconds towards the end, in whole minutes before that."""
    left = max(0, round(seconds))
    if left < 60:
        return f"{left} s"
    if left < 600:
        return f"{left // 60} min{f' {left % 60} s' if left % 60 else ''}"
    hours, minutes = divmod(round(left / 60), 60)
    return " ".join(filter(None, (f"{hours} h" if hours else "", f"{minutes} min" if minutes else "")))


def span_seconds(text: str) -> float | None:
    """The seconds of "0:12:30" or "1 day, 0:00:00", as Home Assistant writes durations."""
    match = _SPAN.fullmatch(text)
    if match is None:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60.0 + seconds


def start_of(changes: Iterable[float]) -> float | None:
    """When Home Assistant started, as the oldest changes of its states tell; None where they do not."""
    ordered = nsmallest(RESTORED, changes)
    return ordered[0] if len(ordered) == RESTORED and ordered[-1] - ordered[0] < 60 else None


def _distance(moment: datetime, now: datetime) -> str:
    away = moment.timestamp() - now.timestamp()
    if abs(away) >= 48 * 3600:
        return _days_away((moment.date() - now.date()).days)
    words = duration_words(timedelta(seconds=abs(away)))
    return f" (in {words})" if away > 0 else f" ({words} ago)"


def _days_away(days: int) -> str:
    if abs(days) < 2 or abs(days) > FAR:
        return ""
    return f" (in {days} days)" if days > 0 else f" ({-days} days ago)"
