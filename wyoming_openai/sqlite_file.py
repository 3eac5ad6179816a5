"""A file of SQLite that only its owner can read: opened, checked, and set aside where it can't be used."""

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

LOCK_TIMEOUT = 0.5  # seconds; another process (`ask`, `tidy`) writes for milliseconds
KEPT_ASIDE = 3  # files that were set aside
_SUFFIXES = ("", "-wal", "-shm")


class Unusable(sqlite3.DatabaseError):
    """The file is damaged, or none of ours."""


def open_file(path: Path, prepare: Callable[[sqlite3.Connection], None]) -> sqlite3.Connection:
    """The file, made if need be, checked and prepared. Raises `sqlite3.Error` and `OSError`.

    SQLite does not wait when two processes begin a file at once: the switch to WAL fails at once for one of them.
    """
    patience = time.monotonic() + LOCK_TIMEOUT
    while True:
        try:
            return _open(path, prepare)
        except sqlite3.OperationalError as error:
            if not is_locked(error) or time.monotonic() > patience:
                raise
        time.sleep(0.005)


def _open(path: Path, prepare: Callable[[sqlite3.Connection], None]) -> sqlite3.Connection:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.is_dir():
        raise Unusable("a folder is in its place")
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)
    connection = sqlite3.connect(path, timeout=LOCK_TIMEOUT, isolation_level=None, check_same_thread=False)
    try:
        _check(connection)
        prepare(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _check(connection: sqlite3.Connection) -> None:
    """No sync for every write: a power cut may lose the last half minute, and an SD card lives longer."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise Unusable(found)


def set_aside(path: Path, now: datetime) -> Path:
    """Move the file and its log out of the way. Raises `OSError`."""
    aside = path.with_name(f"{path.name}.corrupt-{now:%Y%m%dT%H%M%S%f}Z")
    for suffix in _SUFFIXES:
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(aside.with_name(aside.name + suffix))
    for old in sorted(path.parent.glob(f"{path.name}.corrupt-*Z"))[:-KEPT_ASIDE]:
        for suffix in _SUFFIXES:
            old.with_name(old.name + suffix).unlink(missing_ok=True)
    return aside


def is_unusable(error: Exception) -> bool:
    """Whether the file is at fault, and not the disk beneath it."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF  # the rest tells the kinds of one error apart
    return isinstance(error, Unusable) or code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def is_locked(error: Exception) -> bool:
    """Whether another process is at the file."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF
    return code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
