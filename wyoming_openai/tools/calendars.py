"""Appointments of the exposed calendars, in a period."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from ..context.facts import clean, quoted
from ..context.moments import clock_words, day_words
from ..hass.errors import CommandFailed
from ..hass.home import State
from ..messages import ToolSpec
from ..tokens import estimate
from .entity_lookup import of_domain
from .periods import Period, days, midnight, parse_period
from .toolbox import Texts, Tool, ToolContext, schema, string, texts

BUDGET = 720
"""Tokens of a result, by the estimate."""

MOST_CALENDARS = 12
DAYS_AHEAD = 8


@dataclass(frozen=True, slots=True)
class Appointment:
    """One event of a calendar, in the home's time zone."""

    start: datetime
    end: datetime
    summary: str
    place: str = ""
    note: str = ""
    all_day: bool = False

    def told(self, now: datetime) -> str:
        """On one line; what is going on says until when."""
        more = [f"at {self.place}" if self.place else "", f"note: {self.note}" if self.note else ""]
        return ", ".join(filter(None, (f"{self._when(now)}: {self.summary}", *more)))

    def _when(self, now: datetime) -> str:
        today = now.date()
        if self.all_day:
            last = max(self.start.date(), self.end.date() - timedelta(days=1))
            until = f" to {day_words(last, today)}" if last > self.start.date() else ""
            return f"{day_words(self.start.date(), today)}{until}, all day"
        same_day = self.start.date() == self.end.date()
        end = clock_words(self.end) if same_day else f"{day_words(self.end.date(), today)} {clock_words(self.end)}"
        if self.start.timestamp() <= now.timestamp() < self.end.timestamp():
            return f"now, until {end}"
        return f"{day_words(self.start.date(), today)} {clock_words(self.start)} to {end}"


async def get_calendar_events(context: ToolContext, *, name: Texts = None, period: str = "") -> str:
    """The appointments of a period, this week's unless it is named, by calendar."""
    stretch = (
        parse_period(str(period), context.now, ahead=True)
        if period
        else days(context.now.date(), DAYS_AHEAD, context.now.tzinfo)
    )
    calendars = of_domain(context, "calendar", texts(name))[:MOST_CALENDARS]
    found = [(calendar, await _appointments(context, calendar, stretch)) for calendar in calendars]
    lines = [f"{_period_words(stretch, context.now)}:"]
    left = BUDGET
    for calendar, appointments in found:
        if context.home.is_exposed(calendar.entity_id):
            part = list(_told(calendar, appointments, left // 2 if len(found) > 1 else left, context.now))
            left -= estimate("\n".join(part))
            lines += part
    return "\n".join(lines)


GET_CALENDAR_EVENTS = Tool(
    ToolSpec(
        "get_calendar_events",
        "Appointments, also beyond the next.",
        schema(name=string(), period=string("tomorrow, next_7_days, 2026-10-25…")),
        read_only=True,
    ),
    get_calendar_events,
)


def _period_words(period: Period, now: datetime) -> str:
    """A period in days where it is whole ones: "today", "tomorrow to Friday 27 November"."""
    first, last = period.start.date(), (period.end - timedelta(seconds=1)).date()
    today = now.date()
    if period != days(first, (last - first).days + 1, now.tzinfo):
        clocks = f"{clock_words(period.start)} to {day_words(period.end.date(), today)} {clock_words(period.end)}"
        return f"{day_words(first, today)} {clocks}"
    return day_words(first, today) + (f" to {day_words(last, today)}" if last > first else "")


def _told(calendar: State, appointments: list[Appointment] | None, budget: int, now: datetime) -> Iterator[str]:
    if not appointments:
        yield f"{quoted(calendar.name)}: {'no appointment' if appointments is not None else 'cannot be read now'}"
        return
    yield f"{quoted(calendar.name)}:"
    for told, appointment in enumerate(appointments):
        line = f"- {appointment.told(now)}"
        budget -= estimate(line)
        if budget < 0 and told:
            yield f"- {len(appointments) - told} more: ask for a shorter period"
            return
        yield line


async def _appointments(context: ToolContext, calendar: State, period: Period) -> list[Appointment] | None:
    """In order; None if the calendar could not be read. Raises `HomeUnavailable`."""
    try:
        event = await context.mirror.first_event(
            "calendar/event/subscribe",
            entity_id=calendar.entity_id,
            start=period.start.isoformat(),
            end=period.end.isoformat(),
        )
    except CommandFailed:
        return None
    rows = (event or {}).get("events")
    if rows is None:
        return None
    found = _read(rows, context)
    inside = [
        each for each in found if each.start < period.end and (each.end > period.start or each.start >= period.start)
    ]
    return sorted(inside, key=lambda each: (each.start, each.end))


def _read(rows: Iterable[Any], context: ToolContext) -> Iterator[Appointment]:
    for row in rows:
        if isinstance(row, Mapping):
            start, end = _moment(row.get("start"), context), _moment(row.get("end"), context)
            if start is not None:
                yield Appointment(
                    start[0],
                    end[0] if end else start[0],
                    clean(row.get("summary") or "(without a title)", 120),
                    clean(row.get("location") or "", 80),
                    clean(row.get("description") or "", 120),
                    all_day=start[1],
                )


def _moment(value: Any, context: ToolContext) -> tuple[datetime, bool] | None:
    """A time of an appointment, and whether it is a whole day."""
    if isinstance(value, Mapping):
        value = value.get("dateTime") or value.get("date")
    text = str(value or "").strip()
    try:
        if len(text) <= 10:
            return midnight(date.fromisoformat(text), context.now.tzinfo), True
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    zone = context.now.tzinfo
    return (when.astimezone(zone) if when.tzinfo else when.replace(tzinfo=zone)), False
