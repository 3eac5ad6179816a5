"""Home Assistant's recorder over rows in memory: what its queries give, and what they leave out."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.fakes.home_assistant import FakeHomeAssistant


@dataclass(frozen=True)
class Row:
    """A state as it was written down."""

    at: float
    state: str
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Hour:
    """A row of the long-term statistics."""

    start: float
    mean: float | None = None
    low: float | None = None
    high: float | None = None
    sum: float | None = None


@dataclass
class FakeRecorder:
    """What was recorded, by entity; answers a `FakeHomeAssistant`'s clients."""

    states: dict[str, list[Row]] = field(default_factory=dict)
    statistics: dict[str, list[Hour]] = field(default_factory=dict)
    runs: dict[str, list[float]] = field(default_factory=dict)
    """When automations and scripts were started."""

    def serve(self, hass: FakeHomeAssistant) -> None:
        hass.answers |= {
            "history/history_during_period": self.history,
            "logbook/get_events": self.logbook,
            "recorder/statistics_during_period": self.hours,
        }

    def history(self, message: Mapping[str, Any]) -> dict[str, Any]:
        start, end = _times(message)
        oldest = min((rows[0].at for rows in self.states.values() if rows), default=end)
        found = {each: self._history(each, start, end, oldest, message) for each in message["entity_ids"]}
        return {entity_id: rows for entity_id, rows in found.items() if rows}

    def _history(
        self, entity_id: str, start: float, end: float, oldest: float, message: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        """The last row before the start, with the start as its time; nothing of the very start itself."""
        rows = self.states.get(entity_id, [])
        at = bisect_left([row.at for row in rows], start)
        first = [Row(start, rows[at - 1].state, rows[at - 1].attributes)] if at and oldest < start else []
        told = [*first, *(row for row in rows[at:] if start < row.at < end)]
        if message["significant_changes_only"] and message["minimal_response"]:
            told = _without_repeats(told)
        attributes = not message["no_attributes"]
        return [{"s": row.state, **({"a": row.attributes} if attributes else {}), "lu": row.at} for row in told]

    def hours(self, message: Mapping[str, Any]) -> dict[str, Any]:
        start, end = _times(message)
        assert message["period"] == "hour"
        found = {each: self._hours(self.statistics.get(each, []), start, end) for each in message["statistic_ids"]}
        return {entity_id: rows for entity_id, rows in found.items() if rows}

    def _hours(self, hours: Sequence[Hour], start: float, end: float) -> list[dict[str, Any]]:
        before = 0.0
        told = []
        for hour in hours:
            if start <= hour.start < end:
                row = {"start": int(hour.start * 1000), "end": int((hour.start + 3600) * 1000)}
                values = {"mean": hour.mean, "min": hour.low, "max": hour.high} if hour.sum is None else {}
                told.append({**row, **values, **({} if hour.sum is None else {"change": hour.sum - before})})
            before = hour.sum or 0.0
        return told

    def logbook(self, message: Mapping[str, Any]) -> list[dict[str, Any]]:
        start, end = _times(message)
        return [
            {"when": at, "message": "triggered by state", "entity_id": each, "name": "x", "domain": "automation"}
            for each in message["entity_ids"]
            for at in self.runs.get(each, [])
            if start < at < end
        ]


def _times(message: Mapping[str, Any]) -> tuple[float, float]:
    return tuple(datetime.fromisoformat(message[name]).timestamp() for name in ("start_time", "end_time"))  # type: ignore[return-value]


def _without_repeats(rows: Sequence[Row]) -> list[Row]:
    return [row for number, row in enumerate(rows) if not number or rows[number - 1].state != row.state]
