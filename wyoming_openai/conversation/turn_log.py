"""The turns of the last days: what was asked and answered, in a file. The only place that keeps what people said."""

import logging
import sqlite3
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import orjson

from ..messages import Usage
from ..storage.files import quarantine
from ..storage.sqlite import LOCK_TIMEOUT, identity, is_locked, is_unusable, open_file

_LOGGER = logging.getLogger(__name__)

Result = TypeVar("Result")

DAY = 86400.0
DEFAULT_DAYS = 7
MAX_TURNS = 5000
MAX_WAITING = 100
"""Turns that wait for a file that can't be written."""
TRIMMED = 100
"""Turns after which those that are too many are forgotten."""
LATENCIES = 500
"""Turns of which the latency is known without the log."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A message of a request: who speaks, and what."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class ToolRun:
    """A tool that the model called."""

    name: str
    arguments: str
    result: str = ""
    failed: bool = False


@dataclass(frozen=True, slots=True)
class TurnRecord:
    """One question and what became of it."""

    id: int = 0
    at: float = 0.0
    """When it was heard, seconds since 1970."""
    agent: str = ""
    question: str = ""
    answer: str = ""
    language: str = ""
    device_id: str | None = None
    satellite_id: str | None = None
    area_id: str | None = None
    conversation_id: str | None = None
    tried: bool = False
    """Asked by the owner on the page, not by somebody at home."""
    engine: str = ""
    model: str = ""
    usage: Usage = field(default_factory=Usage)
    cost_usd: float = 0.0
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    sent: tuple[Sent, ...] = ()
    """The first request to the model; empty where no model was asked."""
    tools: tuple[ToolRun, ...] = ()
    failure: str = ""


@dataclass
class Tally:
    """Counts since the start, kept also where nothing that was said is."""

    turns: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By persona and engine; an engine `none` is a turn without an answer."""
    failures: int = 0
    tokens: Counter[str] = field(default_factory=Counter)
    latencies: deque[float] = field(default_factory=lambda: deque(maxlen=LATENCIES))
    """Milliseconds until the first text of the last turns."""
    seconds: float = 0.0
    last: float | None = None
    """When somebody at home asked last."""

    def add(self, turn: TurnRecord) -> None:
        """Count a turn."""
        self.turns[turn.agent, turn.engine or "none"] += 1
        self.failures += bool(turn.failure)
        self.tokens.update(
            input=turn.usage.input_tokens, cached=turn.usage.cached_tokens, output=turn.usage.output_tokens
        )
        self.seconds += turn.timings_ms.get("total", 0.0) / 1000
        if not turn.tried:
            self.last = turn.at
        if (first := turn.timings_ms.get("first_text")) is not None:
            self.latencies.append(first)


class TurnLog:
    """The turns of the last days, in a file or in memory. May be used by many threads."""

    def __init__(
        self, path: Path | None, *, days: float = DEFAULT_DAYS, clock: Callable[[], float] = time.time
    ) -> None:
        """`days` 0 keeps nothing, and forgets what an earlier run kept."""
        self.tally = Tally()
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: deque[tuple[Any, ...]] = deque(maxlen=MAX_WAITING)
        """Rows that are still to be written."""
        self._connection = _open(path)
        self._file = self._identity()
        """Of the file that is open; none while memory has to do."""
        self._days = days
        if not days:
            self.days = 0

    @property
    def days(self) -> float:
        """For how long turns are kept. A shorter time forgets at once."""
        return self._days

    @days.setter
    def days(self, days: float) -> None:
        self._days = days
        with self._lock:
            if not days:
                self._waiting.clear()
        self._work(self._trim, None)

    def add(self, turn: TurnRecord) -> int:
        """Keep a turn; returns its id, or 0 where nothing is kept yet. Never raises nor waits: an answer matters more.

        While somebody else is at the file it waits here, and is written with the next.
        """
        turn = replace(turn, at=turn.at or self._clock())
        self.tally.add(turn)
        if not self._days:
            return 0
        try:
            content = orjson.dumps(asdict(turn), default=str)
        except (TypeError, ValueError) as error:
            _LOGGER.warning("A turn can't be kept: %s", error)
            return 0
        self._waiting.append((turn.at, turn.agent, turn.question, turn.answer, content))
        if not self._lock.acquire(blocking=False):
            return 0
        try:
            return self._done(self._write, 0, patience=0)
        finally:
            self._lock.release()

    def latest(
        self, limit: int = 50, before: int | None = None, search: str = "", *, agent: str = "", failed: bool = False
    ) -> list[TurnRecord]:
        """The newest turns first; `before` an id for the next page; of one persona; only those that failed."""
        query = "SELECT id, content FROM turns WHERE id < ? AND at >= ?"
        parameters: list[Any] = [before or 2**62, self._oldest()]
        if search:
            query += " AND (instr(lower(question), ?) OR instr(lower(answer), ?))"
            parameters += [search.lower()] * 2
        if agent:
            query += " AND agent = ?"
            parameters.append(agent)
        if failed:
            query += " AND json_extract(CAST(content AS TEXT), '$.failure') != ''"
        rows = self._rows(f"{query} ORDER BY id DESC LIMIT ?", *parameters, limit)
        return [_record(number, content) for number, content in rows]

    def get(self, number: int) -> TurnRecord | None:
        """One turn."""
        rows = self._rows("SELECT content FROM turns WHERE id = ? AND at >= ?", number, self._oldest())
        return _record(number, rows[0][0]) if rows else None

    def count(self, since: float) -> int:
        """How many kept turns were heard since a moment."""
        rows = self._rows("SELECT count(*) FROM turns WHERE at >= ?", since)
        return int(rows[0][0]) if rows else 0

    def delete(self, number: int | None = None) -> int:
        """Forget one turn, or all of them; says how many."""

        def delete(connection: sqlite3.Connection) -> int:
            if number is None:
                self._waiting.clear()
                gone = connection.execute("DELETE FROM turns").rowcount
            else:
                gone = connection.execute("DELETE FROM turns WHERE id = ?", (number,)).rowcount
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # gone from the file's log, too
            return gone

        return self._work(delete, 0)

    def close(self) -> None:
        """Close the file."""
        self._work(self._write, 0)
        with self._lock:
            self._connection.close()

    def _oldest(self) -> float:
        return self._clock() - self._days * DAY

    def tidy(self) -> None:
        """Forget what is too old, and go back to a file that could not be used. Run it in a thread, every hour.

        Not at the start: a clock that was just set may have been wrong, and what is forgotten is gone.
        """
        with self._lock:
            if self._path is not None and (self._file is None or identity(self._path) != self._file):
                self._connection = self._back_to_file(self._path, self._connection)
        self._work(self._write, 0)
        self._work(self._trim, None)

    def _back_to_file(self, path: Path, before: sqlite3.Connection) -> sqlite3.Connection:
        """The file, with what memory has kept; what somebody took away with its file stays away."""
        now = _open(path)
        if not _is_file(now):
            now.close()
            return before
        try:
            if self._file is None:
                kept = before.execute("SELECT at, agent, question, answer, content FROM turns ORDER BY id").fetchall()
                now.execute("BEGIN")
                now.executemany(_INSERT, kept)
                now.execute("COMMIT")
        except sqlite3.Error as error:
            _LOGGER.debug("The turns still can't be kept in their file: %s", error)
            now.close()
            return before
        before.close()
        self._file = identity(path)
        return now

    def _identity(self) -> tuple[int, int] | None:
        return identity(self._path) if _is_file(self._connection) else None

    def _trim(self, connection: sqlite3.Connection) -> None:
        now = self._clock()
        connection.execute("UPDATE turns SET at = ? WHERE at > ?", (now, now))  # by a clock that was wrong
        connection.execute("DELETE FROM turns WHERE at < ?", (self._oldest(),))
        _keep_most(connection)

    def _write(self, connection: sqlite3.Connection) -> int:
        """Write the turns that wait; the id of the last."""
        number = 0
        while self._waiting:
            number = connection.execute(_INSERT, self._waiting[0]).lastrowid or 0
            self._waiting.popleft()
            if number % TRIMMED == 0:
                _keep_most(connection)
        return number

    def _rows(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        self._work(self._write, 0)
        return self._work(lambda connection: connection.execute(query, parameters).fetchall(), [])

    def _work(self, work: Callable[[sqlite3.Connection], Result], otherwise: Result) -> Result:
        with self._lock:
            return self._done(work, otherwise, patience=LOCK_TIMEOUT)

    def _done(self, work: Callable[[sqlite3.Connection], Result], otherwise: Result, patience: float) -> Result:
        """Never raises; a file that turns out to be damaged is set aside, and a new one begun."""
        try:
            self._connection.execute(f"PRAGMA busy_timeout = {patience * 1000:.0f}")
            return work(self._connection)
        except sqlite3.Error as error:
            level = logging.DEBUG if is_locked(error) else logging.WARNING
            _LOGGER.log(level, "The turns can't be kept or read: %s", error)
            if is_unusable(error):
                self._connection.close()
                self._connection = _open(self._path)
                self._file = self._identity()
            return otherwise


_INSERT = "INSERT INTO turns (at, agent, question, answer, content) VALUES (?, ?, ?, ?, ?)"
_TABLE = """
CREATE TABLE IF NOT EXISTS turns
    (id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL, agent TEXT, question TEXT, answer TEXT, content BLOB);
CREATE INDEX IF NOT EXISTS turns_at ON turns (at);
"""


def _open(path: Path | None) -> sqlite3.Connection:
    """A file that can't be used is set aside; where none can be had, memory has to do."""
    if path is None:
        return _in_memory()
    try:
        try:
            return open_file(path, _prepare)
        except sqlite3.Error as error:
            if not is_unusable(error):
                raise
            _LOGGER.error(
                "The turns can't be read (%s): they are now in %s", error, quarantine(path, datetime.now(UTC))
            )
            return open_file(path, _prepare)
    except (sqlite3.Error, OSError) as error:
        _LOGGER.warning("The turns can't be kept in %s (%s); they are kept in memory", path, error)
        return _in_memory()


def _is_file(connection: sqlite3.Connection) -> bool:
    (_, _, path) = connection.execute("PRAGMA database_list").fetchone()
    return bool(path)


def _keep_most(connection: sqlite3.Connection) -> None:
    connection.execute("DELETE FROM turns WHERE id <= (SELECT max(id) FROM turns) - ?", (MAX_TURNS,))


def _in_memory() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    _prepare(connection)
    return connection


def _prepare(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA secure_delete = ON")  # what is deleted is gone from the file, too
    connection.executescript(_TABLE)


def _record(number: int, content: bytes) -> TurnRecord:
    row = orjson.loads(content)
    known = {each.name for each in fields(TurnRecord)}  # another version may have kept more
    return TurnRecord(
        **{
            "cost_usd": row.get("cost", 0.0),  # as it was called in 2026
            **{name: value for name, value in row.items() if name in known},
            "id": number,
            "usage": Usage(**row["usage"]),
            "sent": tuple(Sent(**each) for each in row["sent"]),
            "tools": tuple(ToolRun(**each) for each in row["tools"]),
        }
    )
