"""Reads what Home Assistant recorded of one entity, in pieces that neither side chokes on."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ..hass.errors import CommandFailed
from ..hass.home import State
from ..hass.mirror import Mirror
from .intervals import HOUR, Figures, Hour, Record, between, figures_of, figures_of_hours, hours_from, records_from
from .toolbox import ToolError

DAY = 86400.0
FIRST_PIECE = DAY
MOST_RECORDS = 200_000
"""Of one entity that are looked at; more is seconds of work, here and for Home Assistant."""

MANY_RECORDS = 50_000
"""Beyond these the long-term statistics are good enough."""

LONG = 12 * DAY
"""Home Assistant keeps states for ten days unless told otherwise: beyond that the statistics are asked first."""

FAR_BACK = 3650 * DAY
INSTANT = 0.001
"""Home Assistant leaves out what happened at the very start of the time asked for."""

TIMEOUT = 15.0

_WITH_ATTRIBUTES = {"no_attributes": False, "minimal_response": False, "significant_changes_only": False}
_BARE = {"no_attributes": True, "minimal_response": True, "significant_changes_only": True}


class TooMuch(ToolError):
    """More was recorded than is sensible to read."""


@dataclass(frozen=True, slots=True)
class Recorder:
    """The recorder's view of one entity, and the mirror's of its last change."""

    mirror: Mirror
    state: State
    attribute: str = ""
    """Whose values are read in place of the state."""
    cycles: bool = False
    """A meter that says when it was reset."""

    async def records(self, start: float, end: float, limit: int = MOST_RECORDS) -> list[Record]:
        """What it was from `start` on, as far as that is known: then the first record lies at `start`."""
        found: list[Record] = []
        async with aclosing(self.backwards(end, start)) as pieces:
            async for records in pieces:
                found = [*records, *found]
                if len(found) > limit:
                    raise TooMuch("too much was recorded in that time; ask for a shorter period")
        return found

    async def backwards(self, end: float, start: float) -> AsyncGenerator[list[Record], None]:
        """Piece by piece back from `end`, the latest first; each begins with what was so at its start, if known."""
        piece, upper, total = FIRST_PIECE, end, 0
        while upper > start and total <= MOST_RECORDS:
            lower = max(start, upper - piece)
            records = self._with_present(await self._piece(lower, upper), lower, upper)
            total += len(records)
            yield records
            if not records or records[0].at > lower:
                return  # nothing older is recorded
            piece *= 4 if len(records) < 2000 else 1
            upper = lower

    async def hours(self, start: float, end: float) -> list[Hour]:
        """The long-term statistics, which are kept for ever; only of sensors."""
        try:
            result = await self.mirror.command(
                "recorder/statistics_during_period",
                start_time=_iso(start),
                end_time=_iso(end),
                statistic_ids=[self.state.entity_id],
                period="hour",
                types=["mean", "min", "max", "change"],
                timeout=TIMEOUT,
            )
        except CommandFailed:
            return []
        return hours_from((result or {}).get(self.state.entity_id))

    async def runs(self, start: float, end: float) -> list[float]:
        """When an automation or a script was started."""
        entries = await self.mirror.command(
            "logbook/get_events",
            start_time=_iso(start),
            end_time=_iso(end),
            entity_ids=[self.state.entity_id],
            timeout=TIMEOUT,
        )
        return [float(entry["when"]) for entry in entries or () if "message" in entry and "state" not in entry]

    async def _piece(self, start: float, end: float) -> list[Record]:
        with_attributes = bool(self.attribute) or self.cycles
        result: Any = await self.mirror.command(
            "history/history_during_period",
            start_time=_iso(start - INSTANT),
            end_time=_iso(end),
            entity_ids=[self.state.entity_id],
            include_start_time_state=True,
            timeout=TIMEOUT,
            **(_WITH_ATTRIBUTES if with_attributes else _BARE),
        )
        return between(records_from((result or {}).get(self.state.entity_id), self.attribute), start, end)

    async def known_before(self, at: float) -> str | None:
        """The last state that was known before some moment at which it was not."""
        async with aclosing(self.backwards(at, max(0.0, at - FAR_BACK))) as pieces:
            async for records in pieces:
                known = [record.state for record in records if not record.is_gap]
                if known:
                    return known[-1]
        return None

    def _with_present(self, records: list[Record], start: float, end: float) -> list[Record]:
        """What the mirror knows: changes not yet written down, and a state older than everything recorded."""
        since = self.state.last_changed
        if since > end or self.attribute:
            return records
        if not records:
            return [Record(max(start, since), self.state.state)]
        if records[-1].state != self.state.state and since > records[-1].at:
            return [*records, Record(since, self.state.state)]
        if records[0].state == self.state.state and since < records[0].at:
            return [Record(max(start, since), self.state.state), *records]
        return records


@dataclass(frozen=True, slots=True)
class Series:
    """The numbers of a period, from the states themselves, and from the statistics where there are no states."""

    parts: tuple[tuple[list[Record], float], ...]
    """Records and until when they are good."""
    hours: tuple[Hour, ...] = ()

    @property
    def since(self) -> float | None:
        """From when on something is known."""
        starts = [records[0].at for records, _ in self.parts if records] + [hour.start for hour in self.hours[:1]]
        return min(starts, default=None)

    def figures(self, start: float, end: float, *, resets: bool) -> Figures:
        """Those of a part of the period."""
        hours = figures_of_hours(hour for hour in self.hours if start <= hour.start < end)
        found = Figures()
        for records, until in self.parts:
            last = min(end, until)
            if start < last:
                found += figures_of(between(records, start, last), last, resets=resets)
        return found + hours


async def read_series(recorder: Recorder, start: float, end: float) -> Series:
    """Read the numbers of a period from whatever tells most of it."""
    hours: list[Hour] = []
    if end - start > LONG:
        hours = await recorder.hours(start, end)
        if hours and hours[0].start < start + HOUR:
            return await _with_hours(recorder, hours, start, end)
    try:
        records = await recorder.records(start, end, MANY_RECORDS)
    except TooMuch:
        hours = hours or await recorder.hours(start, end)
        if hours:
            return await _with_hours(recorder, hours, start, end)
        records = await recorder.records(start, end)
    if records and records[0].at <= start:
        return Series(((records, end),))
    hours = hours or await recorder.hours(start, end)
    if hours and (not records or hours[0].start < records[0].at - HOUR):
        return await _with_hours(recorder, hours, start, end)
    return Series(((records, end),))


async def _with_hours(recorder: Recorder, hours: list[Hour], start: float, end: float) -> Series:
    """The statistics, and the states before their first and after their last hour."""
    first, last = hours[0].start, hours[-1].end
    head = await recorder.records(start, first) if 0 < first - start < HOUR else []
    tail = await recorder.records(last, end) if last < end else []
    return Series(((head, first), (tail, end)), tuple(hours))


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()
