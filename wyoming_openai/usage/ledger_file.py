"""The file beneath the ledger: its schema, and how it is opened, checked, set aside and kept small."""

import logging
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, fields
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Literal, TypeVar
from urllib.parse import quote

from ..storage import sqlite
from ..storage.files import quarantine
from ..storage.sqlite import LOCK_TIMEOUT, Unusable, is_unusable

_LOGGER = logging.getLogger(__name__)

VERSION = 1
RETENTION = 400  # days: a year, and the month before to compare with
MAX_ROWS = 200_000
LONGEST_CALL = 180.0
"""Seconds after which a call that is still open was left so by a process that died."""
CHECKPOINT_PAGES = 4000  # 16 MB of log: `Ledger.tidy` checkpoints long before, away from the event loop

Outcome = Literal["open", "done", "cancelled", "failed", "unsettled"]

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Entry:
    """A model call. Its id and time are given by the ledger."""

    id: int = 0
    at: int = 0
    """Milliseconds since 1970, UTC."""
    agent: str = ""
    model: str = ""
    device: str = ""
    caller: str = ""
    kind: str = ""
    conversation: str = ""
    question: bool = True
    """Whether the call opens a turn; the rounds with tools after it belong to the same question."""
    input: int = 0
    cached: int = 0
    cache_write: int = 0
    output: int = 0
    reasoning: int = 0
    cost_nano_usd: int = 0
    """The worst case as long as the call is open."""
    latency: int = 0
    """Milliseconds."""
    outcome: Outcome = "open"
    basis: str = ""
    """Where the price is from."""

    @property
    def scopes(self) -> tuple[str, ...]:
        """The sums that the call counts in."""
        return ("all", f"agent:{self.agent}", f"device:{self.device}", f"caller:{self.caller}")


Sum = tuple[str, str, int, int]
"""A row of `spent`: scope, day, cost, questions."""
_FAILING = (
    ("mode=ro", "NORMAL"),
    ("mode=rw", "EXCLUSIVE"),  # needs no -shm, for which a full disk has no room
    ("immutable=1", "NORMAL"),  # needs no file but the first, where nothing may be written
)

COLUMNS = tuple({"cost_nano_usd": "cost"}.get(field.name, field.name) for field in fields(Entry))
_PLACES = ", ".join("?" * len(COLUMNS))
WRITE = (
    f"INSERT INTO calls ({', '.join(COLUMNS)}) VALUES ({_PLACES}) "  # noqa: S608
    f"ON CONFLICT (id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in COLUMNS[2:])}"
)
_SCOPES = (
    "SELECT 'all' AS scope UNION ALL SELECT 'agent:' || NEW.agent"
    " UNION ALL SELECT 'device:' || NEW.device UNION ALL SELECT 'caller:' || NEW.caller"
)
_ADD = (
    "INSERT INTO spent SELECT scope, {row}.day, {sign} {row}.cost, {sign} {row}.question FROM ({scopes}) WHERE true"
    " ON CONFLICT (scope, day) DO UPDATE SET cost = cost + excluded.cost, questions = questions + excluded.questions;"
)
_PLUS = _ADD.format(row="NEW", sign="+", scopes=_SCOPES)
_MINUS = _ADD.format(row="OLD", sign="-", scopes=_SCOPES)
_SCHEMA = f"""
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS calls (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    day TEXT GENERATED ALWAYS AS (date(at / 1000, 'unixepoch')) VIRTUAL,
    agent TEXT NOT NULL,
    model TEXT NOT NULL,
    device TEXT NOT NULL,
    caller TEXT NOT NULL,
    kind TEXT NOT NULL,
    conversation TEXT NOT NULL,
    question INTEGER NOT NULL,
    input INTEGER NOT NULL,
    cached INTEGER NOT NULL,
    cache_write INTEGER NOT NULL,
    output INTEGER NOT NULL,
    reasoning INTEGER NOT NULL,
    cost INTEGER NOT NULL,
    latency INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    basis TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS calls_day ON calls (day);
CREATE INDEX IF NOT EXISTS calls_open ON calls (id) WHERE outcome = 'open';
CREATE TABLE IF NOT EXISTS spent (
    scope TEXT NOT NULL,
    day TEXT NOT NULL,
    cost INTEGER NOT NULL,
    questions INTEGER NOT NULL,
    PRIMARY KEY (scope, day)
) WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS calls_added AFTER INSERT ON calls BEGIN {_PLUS} END;
CREATE TRIGGER IF NOT EXISTS calls_changed AFTER UPDATE OF at, cost ON calls BEGIN {_MINUS} {_PLUS} END;
PRAGMA user_version = {VERSION};
COMMIT;
"""


def open_file(path: Path, now: datetime, longest_call: float = LONGEST_CALL) -> sqlite3.Connection:
    """The file, made or begun anew if need be, checked and ready. Raises `sqlite3.Error` and `OSError`."""
    try:
        return sqlite.open_file(path, partial(_prepare, left=now.timestamp() - longest_call))
    except sqlite3.Error as error:
        if not is_unusable(error):
            raise
        return renew_file(path, error, now, sums_in(path, now.date()))


def renew_file(path: Path, error: Exception, now: datetime, sums: Sequence[Sum]) -> sqlite3.Connection:
    """Set aside a file that can't be used and begin one that goes on from sums.

    Raises `sqlite3.Error` and `OSError`.
    """
    aside = quarantine(path, now)
    connection = filled(sqlite.open_file(path, partial(_prepare, left=now.timestamp() - LONGEST_CALL)), with_sums(sums))
    _LOGGER.error("The usage ledger can't be used (%s): it is now %s, a new one begins", error, aside)
    return connection


def open_to_read(path: Path) -> sqlite3.Connection:
    """The file as it is, in which nothing is changed, nor anything made beside it. Raises `sqlite3.Error`."""
    # A file that was closed has no log beside it; without `immutable` reading would make one, perhaps of another owner.
    mode = "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "immutable=1"
    address = f"file:{quote(str(path))}?{mode}"
    connection = sqlite3.connect(address, uri=True, timeout=LOCK_TIMEOUT, isolation_level=None, check_same_thread=False)
    try:
        if _version(connection) == 0:
            raise Unusable("there is no ledger in it")
    except BaseException:
        connection.close()
        raise
    return connection


def open_memory() -> sqlite3.Connection:
    """A ledger that ends with the process."""
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    connection.executescript(_SCHEMA)
    return connection


def run(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], Result]) -> Result:
    """Do all of it or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        result = work(connection)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return result


def filled(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], object]) -> sqlite3.Connection:
    """A connection after its first work; closed if that fails."""
    try:
        run(connection, work)
    except BaseException:
        connection.close()
        raise
    return connection


def sums_of(connection: sqlite3.Connection, today: date) -> list[Sum]:
    """What was spent this month, as far as a failing connection still tells."""
    month = today.replace(day=1).isoformat()
    with suppress(sqlite3.Error):
        return connection.execute("SELECT scope, day, cost, questions FROM spent WHERE day >= ?", (month,)).fetchall()
    return []


def sums_in(path: Path, today: date) -> list[Sum]:
    """What was spent this month, as far as a failing file still tells."""
    for mode, locking in _FAILING:
        with suppress(sqlite3.Error), closing(sqlite3.connect(f"file:{quote(str(path))}?{mode}", uri=True)) as failing:
            failing.execute(f"PRAGMA locking_mode = {locking}")
            if sums := sums_of(failing, today):
                return sums
    return []


def with_sums(sums: Sequence[Sum]) -> Callable[[sqlite3.Connection], object]:
    """Work for `run`: go on from what another file had counted."""
    query = (
        "INSERT INTO spent VALUES (?, ?, ?, ?) ON CONFLICT (scope, day) DO UPDATE"
        " SET cost = max(cost, excluded.cost), questions = max(questions, excluded.questions)"
    )
    return lambda connection: connection.executemany(query, sums)


def tidy_file(path: Path, today: date | None) -> None:
    """Forget what is too old, if today is known, and write the log into the file. Raises `sqlite3.Error`."""
    with closing(sqlite3.connect(path, timeout=LOCK_TIMEOUT, isolation_level=None)) as connection:
        if today is not None:
            _forget(connection, today)
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")


def _prepare(connection: sqlite3.Connection, left: float) -> None:
    """Make the tables, and leave at the worst case what a process that died had begun: before then, in seconds."""
    connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    if _version(connection) == 0:
        connection.executescript(_SCHEMA)
    connection.execute("UPDATE calls SET outcome = 'unsettled' WHERE outcome = 'open' AND at <= ?", (left * 1000,))


def _version(connection: sqlite3.Connection) -> int:
    """Of the schema; 0 of a file without one. Raises `Unusable` for one that is not known here."""
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > VERSION:
        raise Unusable(f"written by a newer version: {version}")
    return version


def _forget(connection: sqlite3.Connection, today: date) -> None:
    """Drop what is older than we keep, or more; a few rows at a time, so that nobody waits for it."""
    oldest = date.fromordinal(today.toordinal() - RETENTION).isoformat()
    connection.execute("DELETE FROM spent WHERE day < ?", (oldest,))
    (excess,) = connection.execute("SELECT max(count(*) - ?, 0) FROM calls", (MAX_ROWS,)).fetchone()
    too_old = "DELETE FROM calls WHERE id IN (SELECT id FROM calls WHERE day < ? LIMIT 200)"
    too_many = "DELETE FROM calls WHERE id IN (SELECT id FROM calls ORDER BY id LIMIT ?)"
    while connection.execute(too_old, (oldest,)).rowcount:
        excess -= 200
    while excess > 0:
        connection.execute(too_many, (min(excess, 200),))
        excess -= 200
