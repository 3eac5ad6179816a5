"""What Home Assistant's recorder tells of one entity, and what can be computed from it. Pure.

All times are seconds since the epoch, so that no clock change disturbs them. Stretches in which nothing is known
(unavailable, unknown, removed) count for nothing, and what was known before them still counts as the state before.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self

GAPS = frozenset({"unavailable", "unknown", ""})

HOUR = 3600.0

RESET = 0.9
"""A meter that falls below this share of its last value has begun anew; Home Assistant's statistics agree."""

Matches = Callable[[str], bool]
"""Whether a state is one of those asked for."""


@dataclass(frozen=True, slots=True)
class Record:
    """From `at` on the state was this."""

    at: float
    state: str
    cycle: str = ""
    """When the meter was last reset, where it says so."""

    @property
    def is_gap(self) -> bool:
        return self.state in GAPS


@dataclass(frozen=True, slots=True)
class Interval:
    """A state and how long it lasted without a change."""

    state: str
    start: float
    end: float

    @property
    def seconds(self) -> float:
        return self.end - self.start

    @property
    def is_gap(self) -> bool:
        return self.state in GAPS


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour of the long-term statistics."""

    start: float
    end: float
    mean: float | None
    low: float | None
    high: float | None
    change: float | None


def records_from(rows: Any, attribute: str = "") -> list[Record]:
    """The rows of one entity in `history/history_during_period`; with `attribute`, its values in place of the state."""
    found = (_record(row, attribute) for row in rows or () if isinstance(row, Mapping))
    return sorted((record for record in found if record is not None), key=lambda record: record.at)


def _record(row: Mapping[str, Any], attribute: str) -> Record | None:
    at = row.get("lu") or row.get("lc")
    if not isinstance(at, int | float):
        return None
    attributes = row.get("a") or {}
    state = str(row.get("s") or "")
    if attribute and state not in GAPS:
        state = str(attributes.get(attribute, ""))
    return Record(float(at), state, str(attributes.get("last_reset") or ""))


def hours_from(rows: Any) -> list[Hour]:
    """The rows of one entity in `recorder/statistics_during_period`, by the hour."""
    return [
        Hour(row["start"] / 1000, row["end"] / 1000, *(row.get(name) for name in ("mean", "min", "max", "change")))
        for row in rows or ()
    ]


def intervals_of(records: Iterable[Record], end: float) -> list[Interval]:
    """The states one after the other, each until the next; equal ones are one."""
    spans: list[Interval] = []
    for record in records:
        if record.at >= end:
            break
        if spans and spans[-1].state == record.state:
            continue
        if spans:
            spans[-1] = replace(spans[-1], end=record.at)
        spans.append(Interval(record.state, record.at, end))
    return spans


def seconds_in(spans: Iterable[Interval], matches: Matches) -> float:
    """How long it was so."""
    return sum(span.seconds for span in spans if not span.is_gap and matches(span.state))


def seconds_unknown(spans: Iterable[Interval]) -> float:
    return sum(span.seconds for span in spans if span.is_gap)


def matching_intervals(spans: Iterable[Interval], matches: Matches) -> list[Interval]:
    """The stretches in which it was so, over gaps and over changes among the states asked for.

    The first one may have begun before the first span.
    """
    found: list[Interval] = []
    inside = False
    for span in spans:
        if span.is_gap:
            continue
        if not matches(span.state):
            inside = False
        elif inside:
            found[-1] = replace(found[-1], end=span.end)
        else:
            found.append(span)
            inside = True
    return found


def starts(spans: Sequence[Interval], matches: Matches, before: str | None = None) -> list[Interval]:
    """The stretches whose beginning was seen: it is known that it was otherwise before.

    `before` is what was known last when the spans begin with a gap.
    """
    found = matching_intervals(spans, matches)
    first = next((span for span in spans if not span.is_gap), None)
    was_otherwise = before is not None and not matches(before)
    return [stay for stay in found if was_otherwise or (first is not None and stay.start != first.start)]


def changes(spans: Iterable[Interval], before: str | None = None) -> list[Interval]:
    """Every span that follows another known state, gaps aside; `before` as for `starts`."""
    found: list[Interval] = []
    for span in spans:
        if not span.is_gap:
            if before is not None and span.state != before:
                found.append(span)
            before = span.state
    return found


def number(text: str) -> float | None:
    """A recorded state as a number, if it is one."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) < 1e15 else None


@dataclass(frozen=True, slots=True)
class Extreme:
    value: float
    at: float
    within: float = 0.0
    """It was some time in this many seconds from `at` on."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What a number was in some stretch of time. Figures of parts add up to those of the whole."""

    low: Extreme | None = None
    high: Extreme | None = None
    seconds: float = 0.0
    """In which it was known."""
    product: float = 0.0
    """The sum of value x seconds."""
    increase: float = 0.0
    """What a meter counted, over its resets."""

    @property
    def mean(self) -> float | None:
        """Weighted by time."""
        return self.product / self.seconds if self.seconds else None

    def __add__(self, other: Self) -> Self:
        lows = [each for each in (self.low, other.low) if each]
        highs = [each for each in (self.high, other.high) if each]
        return replace(
            self,
            low=min(lows, key=lambda each: each.value, default=None),
            high=max(highs, key=lambda each: each.value, default=None),
            seconds=self.seconds + other.seconds,
            product=self.product + other.product,
            increase=self.increase + other.increase,
        )


def figures_of(records: Sequence[Record], end: float, *, resets: bool) -> Figures:
    """From the states themselves. `resets`: a meter that only counts up, so that a fall is a new beginning."""
    values = [(value, span) for span in intervals_of(records, end) if (value := number(span.state)) is not None]
    if not values:
        return Figures()
    low = min(values, key=lambda pair: pair[0])
    high = max(values, key=lambda pair: pair[0])
    return Figures(
        Extreme(low[0], low[1].start),
        Extreme(high[0], high[1].start),
        sum(span.seconds for _, span in values),
        sum(value * span.seconds for value, span in values),
        sum(_increases(records, resets)),
    )


def _increases(records: Iterable[Record], resets: bool) -> Iterator[float]:
    """What was counted from one record to the next; after a reset it counts from nothing."""
    before: tuple[float, str] | None = None
    for record in records:
        value = number(record.state)
        if value is None:
            continue
        if before is not None:
            new_cycle = bool(record.cycle) and record.cycle != before[1]
            anew = value < RESET * before[0] if resets else new_cycle
            yield value if anew else value - before[0]
        before = value, record.cycle


def figures_of_hours(hours: Iterable[Hour]) -> Figures:
    """From the long-term statistics."""
    return sum((_figures_of_hour(hour) for hour in hours), Figures())


def _figures_of_hour(hour: Hour) -> Figures:
    seconds = hour.end - hour.start
    return Figures(
        None if hour.low is None else Extreme(hour.low, hour.start, seconds),
        None if hour.high is None else Extreme(hour.high, hour.start, seconds),
        0.0 if hour.mean is None else seconds,
        0.0 if hour.mean is None else hour.mean * seconds,
        hour.change or 0.0,
    )


def between(records: Sequence[Record], start: float, end: float) -> list[Record]:
    """The records that tell of this stretch: what was so at its start, and what changed in it."""
    before = [record for record in records if record.at <= start][-1:]
    inside = [record for record in records if start < record.at < end]
    return [*(replace(record, at=start) for record in before), *inside]


def uses(records: Iterable[Record], start: float, end: float) -> list[float]:
    """When a button was pressed or a scene was called: its states are the moments themselves."""
    moments = {_moment(record.state) for record in records}
    return sorted(at for at in moments if at is not None and start <= at < end)


def _moment(text: str) -> float | None:
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None
