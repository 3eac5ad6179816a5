"""The ledger: one row for every model call, in SQLite; never any text.

A killed process loses nothing that was written, and a reservation it left open stays at its worst case. Days are those
of UTC: the provider's bill has the same ones, none is an hour longer, and none moves when the home's settings change.
"""

import logging
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import astuple, dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal, TypeVar

from ..storage.sqlite import identity, is_locked, is_unusable
from .ledger_file import (
    COLUMNS,
    LONGEST_CALL,
    WRITE,
    Entry,
    Sum,
    filled,
    open_file,
    open_memory,
    open_to_read,
    renew_file,
    run,
    sums_in,
    sums_of,
    tidy_file,
    with_sums,
)

_LOGGER = logging.getLogger(__name__)

MAX_UNRECORDED = 100
"""Questions that are answered by the model while the file can't be written; after that it is not asked any more."""
RETRY = 60.0  # seconds between two attempts to write the file again
LOCKED_RETRY = 5.0  # seconds until the first one when another process holds the file, and may be spending
STEADY = 3600.0  # seconds without a jump after which the clock is believed more than the dates in the file

Dimension = Literal["day", "month", "model", "agent", "device"]
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Spent:
    """What a scope has cost in nano-dollars, open calls at their worst case."""

    day: int = 0
    month: int = 0
    held: int = 0
    """Part of both that open calls hold and may give back."""
    questions: int = 0
    """Questions of the day."""


@dataclass(frozen=True, slots=True)
class Total:
    """The calls of a day, a month, a model, an agent or a device."""

    key: str
    questions: int
    calls: int
    input: int
    cached: int
    output: int
    reasoning: int
    cost_nano_usd: int
    latency: int
    """Milliseconds, the mean of the calls that were done."""
    bases: str
    """Where their prices are from."""


class LedgerFull(Exception):
    """Too many questions could not be written down; who spends blindly must stop."""


_KEYS: Mapping[Dimension, str] = {
    "day": "day",
    "month": "substr(day, 1, 7)",
    "model": "model",
    "agent": "agent",
    "device": "device",
}


class Ledger:
    """Every model call. Goes on in memory when its file fails, and comes back to it. May be used by many threads.

    Transactions take a fraction of a millisecond and run where they are wanted. A power cut may lose the last half
    minute of rows (`synchronous=NORMAL`): a sync for every question would cost an SD card tens of milliseconds each.
    """

    def __init__(
        self,
        path: Path | None,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        only_read: bool = False,
    ) -> None:
        """`only_read` is for whoever wants to know what was spent, perhaps while another process spends it."""
        self._path = path
        self._only_read = only_read
        self._longest_call = LONGEST_CALL
        """Seconds after which what is open in the file was left so by a process that died."""
        self._file: tuple[int, int] | None = None
        """Device and number of the file that is open: somebody may put another in its place."""
        self._clock = clock
        self._monotonic = monotonic
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._problem = ""
        self._unrecorded = 0
        self._retry_at = 0.0
        self._last_id = 0
        self._offset = clock() - monotonic()
        self._steady_since = monotonic()

    @property
    def problem(self) -> str:
        """Why the file is not used at the moment; empty if it is."""
        return self._problem

    def open(self) -> None:
        """Open the file now; otherwise the first use does. Never raises: a file that fails is told in the log."""
        self._transact(lambda _: None)

    def open_exclusively(self) -> None:
        """Open the file as the service does, of which there is one: what is still open nobody will settle."""
        self._longest_call = 0.0
        self.open()
        self._longest_call = LONGEST_CALL

    def close(self) -> None:
        """Write everything into the one file. A ledger that is used again opens again."""
        with self._lock:
            if self._connection is not None:
                if self._problem and not self._only_read:
                    self._connection = self._return_to_file(self._connection)
                with suppress(sqlite3.Error):
                    if not self._only_read:
                        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                self._connection.close()
                self._connection = None

    def begin(self, entry: Entry, check: Callable[[Mapping[str, Spent]], None]) -> Entry:
        """Add an open call in one step with `check`, which sees what its scopes have spent and may raise to refuse it.

        Raises `LedgerFull`.
        """

        def work(connection: sqlite3.Connection) -> Entry:
            if self._problem and entry.cost_nano_usd and entry.question and self._unrecorded >= MAX_UNRECORDED:
                raise LedgerFull(f"{MAX_UNRECORDED} questions could not be written down: {self._problem}")
            self._believe_clock(connection)
            check(_spent(connection, entry.scopes, self._now()))
            added = replace(entry, id=self._new_id(connection), at=int(self._clock() * 1000))
            connection.execute(WRITE, astuple(added))
            return added

        with self._lock:
            added = self._transact(work)
            self._unrecorded += bool(self._problem) and entry.question
            return added

    def finish(self, entry: Entry) -> None:
        """Write what came of a call that was begun."""
        self._transact(lambda connection: connection.execute(WRITE, astuple(entry)))

    def today(self) -> date:
        """The day that is counted now."""
        return self._now().date()

    def spent(self, scopes: Sequence[str] = ("all",)) -> Mapping[str, Spent]:
        """What scopes have spent today and this month."""
        return self._transact(lambda connection: _spent(connection, scopes, self._now()))

    def totals(self, by: Dimension, since: date | None = None, until: date | None = None) -> list[Total]:
        """Sums of the calls from `since` to `until`: days and months in order, everything else the dearest first."""
        order = "1" if by in ("day", "month") else "cost DESC, calls DESC, 1"
        rows = self._read(
            f"SELECT {_KEYS[by]}, sum(question), count(*) AS calls, sum(input), sum(cached), sum(output),"  # noqa: S608
            " sum(reasoning), sum(cost) AS cost,"
            " CAST(coalesce(round(avg(CASE outcome WHEN 'done' THEN latency END)), 0) AS INTEGER),"
            f" group_concat(DISTINCT basis) FROM calls WHERE day BETWEEN ? AND ? GROUP BY 1 ORDER BY {order}",
            *_span(since, until),
        )
        return [Total(*row) for row in rows]

    def entries(self, since: date | None = None, until: date | None = None) -> Iterator[Entry]:
        """The calls from `since` to `until`, the oldest first; read a thousand at a time."""
        query = f"SELECT {', '.join(COLUMNS)} FROM calls WHERE id > ? AND day BETWEEN ? AND ? ORDER BY id LIMIT 1000"  # noqa: S608
        last = 0
        while rows := self._read(query, last, *_span(since, until)):
            for row in rows:
                entry = Entry(*row)
                yield replace(entry, question=bool(entry.question))
            last = entry.id

    def tidy(self) -> None:
        """Forget what is too old and write the log into the file. Takes its time: run it in a thread, every hour."""
        if self._path is None or self._problem or not self._path.exists():
            return
        try:
            tidy_file(self._path, self.today() if self._is_steady() else None)
        except sqlite3.Error as error:
            _LOGGER.warning("The usage ledger could not be tidied: %s", error)

    def _read(self, query: str, *parameters: object) -> list[Any]:
        return self._transact(lambda connection: connection.execute(query, parameters).fetchall())

    def _transact(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        with self._lock:
            if self._connection is None:
                self._connection = self._open()
            elif self._only_read:
                pass
            elif not self._problem and identity(self._path) != self._file:
                self._connection = self._follow_file(self._connection)
            elif self._problem and self._monotonic() >= self._retry_at:
                self._connection = self._return_to_file(self._connection)
            if self._only_read:
                return self._looked_at(work)
            try:
                return run(self._connection, work)
            except sqlite3.Error as error:
                if self._path is None or self._problem:
                    raise
                sums = sums_of(self._connection, self.today())
                self._connection.close()
                self._connection = self._recover(self._path, error, sums)
                return run(self._connection, work)

    def _looked_at(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """What a file that is only read tells; nothing from the place where it is damaged."""
        assert self._connection is not None, "it was opened"
        try:
            return work(self._connection)
        except sqlite3.Error as error:
            self._problem = str(error)
            self._connection.close()
            self._connection = open_memory()
            return work(self._connection)

    def _open(self) -> sqlite3.Connection:
        if self._path is None:
            return open_memory()
        if self._only_read:
            return self._open_to_read(self._path)
        try:
            return self._noted(open_file(self._path, self._now(), self._longest_call))
        except (sqlite3.Error, OSError) as error:
            return self._go_on_in_memory(self._path, error, sums_in(self._path, self.today()))

    def _open_to_read(self, path: Path) -> sqlite3.Connection:
        try:
            return open_to_read(path) if path.exists() else open_memory()
        except (sqlite3.Error, OSError) as error:
            self._problem = str(error)
            return open_memory()

    def _noted(self, connection: sqlite3.Connection) -> sqlite3.Connection:
        self._file = identity(self._path)
        return connection

    def _follow_file(self, lost: sqlite3.Connection) -> sqlite3.Connection:
        """Another file is in the place of ours, or none: what is written to ours would be gone with the next start."""
        assert self._path is not None, "only a file can be moved"
        sums = sums_of(lost, self.today())
        lost.close()
        _LOGGER.warning("The usage ledger %s was moved or deleted; it goes on in a new one", self._path)
        try:
            return self._noted(filled(open_file(self._path, self._now()), with_sums(sums)))
        except (sqlite3.Error, OSError) as error:
            return self._go_on_in_memory(self._path, error, sums)

    def _recover(self, path: Path, error: sqlite3.Error, sums: Sequence[Sum]) -> sqlite3.Connection:
        """A connection that works: to a new file if this one is damaged, else to memory."""
        if not is_unusable(error):
            return self._go_on_in_memory(path, error, sums)
        try:
            return self._noted(renew_file(path, error, self._now(), sums))
        except (sqlite3.Error, OSError) as failure:
            return self._go_on_in_memory(path, failure, sums)

    def _go_on_in_memory(self, path: Path, error: Exception, sums: Sequence[Sum]) -> sqlite3.Connection:
        _LOGGER.error("The usage ledger %s can't be written (%s); calls are counted in memory for now", path, error)
        self._problem, self._unrecorded = str(error), 0
        self._retry_at = self._monotonic() + (LOCKED_RETRY if is_locked(error) else RETRY)
        return filled(open_memory(), with_sums(sums))

    def _return_to_file(self, memory: sqlite3.Connection) -> sqlite3.Connection:
        """The file, with what was kept in memory meanwhile, if it can be written again."""
        assert self._path is not None, "only a file has problems"
        sums = sums_of(memory, self.today())
        kept = memory.execute(f"SELECT {', '.join(COLUMNS)} FROM calls").fetchall()  # noqa: S608

        def add(file: sqlite3.Connection) -> None:
            is_new = file.execute("SELECT 1 FROM spent LIMIT 1").fetchone() is None
            file.executemany(WRITE, kept)
            if is_new:  # then memory alone knows what was spent before
                with_sums(sums)(file)

        try:
            connection = filled(self._noted(open_file(self._path, self._now())), add)
        except (sqlite3.Error, OSError) as error:
            _LOGGER.debug("The usage ledger still can't be written: %s", error)
            self._retry_at = self._monotonic() + (LOCKED_RETRY if is_locked(error) else RETRY)
            return memory
        memory.close()
        self._problem, self._unrecorded = "", 0
        _LOGGER.info("The usage ledger can be written again; %d calls were added to it", len(kept))
        return connection

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)

    def _new_id(self, connection: sqlite3.Connection) -> int:
        """Ids grow with time, also while the clock does not. One that another process took would merge two calls."""
        self._last_id = max(self._last_id + 1, int(self._clock() * 1_000_000) << 10 | secrets.randbits(10))
        while connection.execute("SELECT 1 FROM calls WHERE id = ?", (self._last_id,)).fetchone():
            self._last_id += 1 + secrets.randbits(10)
        return self._last_id

    def _is_steady(self) -> bool:
        """Whether the clock has gone without a jump for long enough to be believed."""
        offset = self._clock() - self._monotonic()
        if abs(offset - self._offset) > 60:
            self._offset, self._steady_since = offset, self._monotonic()
        return self._monotonic() - self._steady_since >= STEADY

    def _believe_clock(self, connection: sqlite3.Connection) -> None:
        """Calls from the future count in every day until theirs, so a clock that jumps back resets no budget.

        When it has gone steadily since, it is right, and the one that dated them was wrong: they are of today.
        """
        steady, today = self._is_steady(), self.today().isoformat()
        (newest,) = connection.execute("SELECT max(day) FROM spent WHERE scope = 'all'").fetchone()
        if newest is None or newest <= today or not steady:
            return
        _LOGGER.warning("Calls in the usage ledger are dated up to %s; they are counted for today", newest)
        now = int(self._clock() * 1000)
        connection.execute("UPDATE calls SET at = ? WHERE at > ?", (now, now))
        connection.execute("DELETE FROM spent WHERE day > ?", (today,))


def _spent(connection: sqlite3.Connection, scopes: Sequence[str], now: datetime) -> dict[str, Spent]:
    """Days after today count as well: a clock that jumps back resets nothing."""
    today, alive = now.date(), int((now.timestamp() - LONGEST_CALL) * 1000)
    held = dict.fromkeys(scopes, 0)
    for agent, device, caller, cost in connection.execute(
        "SELECT agent, device, caller, cost FROM calls WHERE outcome = 'open' AND at > ?", (alive,)
    ):
        for scope in Entry(agent=agent, device=device, caller=caller).scopes:
            if scope in held:
                held[scope] += cost
    query = (
        "SELECT coalesce(sum(CASE WHEN day >= ? THEN cost END), 0), coalesce(sum(cost), 0),"
        " coalesce(sum(CASE WHEN day >= ? THEN questions END), 0) FROM spent WHERE scope = ? AND day >= ?"
    )
    day, month = today.isoformat(), today.replace(day=1).isoformat()
    sums = {scope: connection.execute(query, (day, day, scope, month)).fetchone() for scope in scopes}
    return {scope: Spent(by_day, by_month, held[scope], asked) for scope, (by_day, by_month, asked) in sums.items()}


def _span(since: date | None, until: date | None) -> tuple[str, str]:
    return (since or date.min).isoformat(), (until or date.max).isoformat()
