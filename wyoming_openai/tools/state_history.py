"""Puts the history of states into words: when it was so, for how long, how often. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from .intervals import Interval, Record, changes, intervals_of, matching_intervals, seconds_in, seconds_unknown, starts
from .subject import HistorySubject, StateQuery, duration

MOST_TIMES = 12
MOST_CHANGES = 25
MOST_STATES = 6


@dataclass(frozen=True)
class StateHistory:
    """What was recorded of an entity, and what is asked of it: a state, or whatever it did."""

    subject: HistorySubject
    records: Sequence[Record]
    sought: StateQuery | None = None
    before: str | None = None
    """What was known last, where the records begin with a gap."""

    @cached_property
    def spans(self) -> list[Interval]:
        return intervals_of(self.records, self.subject.end)

    @cached_property
    def known(self) -> list[Interval]:
        return [span for span in self.spans if not span.is_gap]

    @cached_property
    def starts(self) -> list[Interval]:
        """The stretches of the state asked for, else the changes."""
        if self.sought is None:
            return changes(self.spans, self.before)
        return starts(self.spans, self.sought.matches, self.before)

    def tell(self, measure: str) -> list[str]:
        """What the records of the period tell."""
        if not self.known:
            return [f"{self.subject.word(self.spans[0].state)} all the time" if self.spans else "nothing is recorded"]
        lines: list[str] = []
        if measure in ("duration", ""):
            lines.append(self._durations())
        if measure in ("count", ""):
            lines += self._times()
        if measure == "first":
            lines += self._first()
        if measure == "list":
            lines.append(self._list())
        return [*lines, *since(self.subject, self.records[0].at)]

    def _durations(self) -> str:
        unknown = seconds_unknown(self.spans)
        gap = f"; not known (unavailable) for {duration(unknown)}" if unknown >= 1 else ""
        return f"{self._lasted()} of {duration(self.subject.period.seconds)}{gap}"

    def _lasted(self) -> str:
        if self.sought is not None:
            return f"{self.sought.words} for {duration(seconds_in(self.spans, self.sought.matches))} in all,"
        total: Counter[str] = Counter()
        for span in self.known:
            total[span.state] += round(span.seconds * 1000)
        told = [f"{self.subject.word(state)} for {duration(ms / 1000)}" for state, ms in total.most_common(MOST_STATES)]
        more = [f"{len(total) - MOST_STATES} other states"] if len(total) > MOST_STATES else []
        return "; ".join((*told, *more)) + ";"

    def _times(self) -> list[str]:
        """How often it became so, and when."""
        found = self.starts
        if self.sought is None:
            counts = Counter(self.subject.word(span.state) for span in found)
            told = [f"became {word} {_times(count)}" for word, count in counts.most_common(MOST_STATES)]
            last = [f"the last time at {self._change(found[-1])}"] if found else []
            return ["; ".join((*told, *last)) or "no change"]
        listed = f": {_latest([self._stay(stay) for stay in found], MOST_TIMES)}" if found else ""
        return [f"became {self.sought.words} {_times(len(found))}{listed}", *self._already(found)]

    def _first(self) -> list[str]:
        found = self.starts
        if self.sought is None:
            return [f"first change at {self._change(found[0])}" if found else "no change"]
        first = f"first became {self.sought.words} at {self._stay(found[0])}" if found else ""
        return [first or f"never became {self.sought.words}", *self._already(found)]

    def _already(self, found: Sequence[Interval]) -> list[str]:
        """A remark where it was so from the beginning."""
        first = self.known[0]
        was_so = self.sought is not None and self.sought.matches(first.state)
        if self.sought is None or not was_so or (found and found[0].start == first.start):
            return []
        return [f"it was already {self.sought.words} when that began"]

    def _list(self) -> str:
        found = changes(self.spans, self.before)
        spans = found if self.known[0] in found else [self.known[0], *found]
        told = [self._change(span) for span in spans if self.sought is None or self.sought.matches(span.state)]
        return _latest(told, MOST_CHANGES) or "nothing of the kind"

    def _change(self, span: Interval) -> str:
        return f"{self.subject.when(span.start)} {self.subject.word(span.state)}"

    def _stay(self, stay: Interval) -> str:
        lasting = "until the end" if stay.end >= self.subject.end else f"for {duration(stay.seconds)}"
        return f"{self.subject.when(stay.start)} ({lasting})"

    # ---- the last time

    def tell_last(self) -> list[str]:
        """When it last became so, from records that reach back until that was found."""
        if not self.known:
            return ["nothing is recorded of it"]
        if not self.starts:
            return [f"{self._never()} (nothing older was found)"]
        last = self.starts[-1]
        outside = "not in that period; before it, " if last.start < self.subject.start else ""
        at = self.subject.when(last.start, day=True)
        if self.sought is not None:
            return [f"{outside}last became {self.sought.words} at {at}, {self._ended(last)}"]
        before = [span for span in self.known if span.end <= last.start][-1:]
        source = f" from {self.subject.word(before[0].state)}" if before else ""
        return [f"{outside}last changed{source} to {self.subject.word(last.state)} at {at}"]

    def _ended(self, stay: Interval) -> str:
        """How long it lasted, and what came then."""
        subject = self.subject
        if stay.end >= subject.end:
            still = "has been since" if subject.period.end == subject.context.now else "still was when that ended"
            return f"and {still} ({duration(stay.seconds)})"
        then = next((span for span in self.known if span.start >= stay.end), None)
        came = f", then {subject.word(then.state)} from {subject.when(then.start, day=True)}" if then else ""
        return f"for {duration(stay.seconds)}{came}"

    def _never(self) -> str:
        """Why there is no last time: it has been so all along, or never was."""
        since_then = f"since at least {self.subject.when(self.records[0].at, day=True)}"
        first = self.known[0]
        if self.sought is None:
            return f"{self.subject.word(first.state)} without a change {since_then}"
        if not self.sought.matches(first.state):
            return f"not {self.sought.words} {since_then}"
        end = matching_intervals(self.spans, self.sought.matches)[0].end
        until = "" if end >= self.subject.end else f" until {self.subject.when(end, day=True)}, not since"
        return f"{self.sought.words} {since_then}{until}"


def since(subject: HistorySubject, at: float) -> list[str]:
    """A remark where the period begins before the records do."""
    if at <= subject.start + 1:
        return []
    return [f"recorded only since {subject.when(at)}; nothing is known before"]


def tell_uses(subject: HistorySubject, times: Sequence[float], measure: str, word: str) -> list[str]:
    """A button, a scene, an automation: when it was used."""
    if not times:
        return [f"not {word} in that time"]
    if measure == "first":
        return [f"first {word} at {subject.when(times[0])}"]
    if measure == "last":
        return [f"last {word} at {subject.when(times[-1], day=True)}"]
    return [f"{word} {_times(len(times))}: {_latest([subject.when(at) for at in times], MOST_TIMES)}"]


def _latest(told: Sequence[str], most: int) -> str:
    hidden = [f"{len(told) - most} earlier"] if len(told) > most else []
    return "; ".join((*hidden, *told[-most:]))


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
