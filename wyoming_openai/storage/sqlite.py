"""A file of SQLite that only its owner can read, opened and checked."""

import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from .files import make_folder

LOCK_TIMEOUT = 0.1  # seconds; another process (`ask`, `tidy`) writes for milliseconds


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
    make_folder(path.parent)
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


def identity(path: Path | None) -> tuple[int, int] | None:
    """Which file it is, wherever it is moved to; None where there is none."""
    try:
        found = path.stat() if path else None
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if found else None


def is_unusable(error: Exception) -> bool:
    """Whether the file is at fault, and not the disk beneath it."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF  # the rest tells the kinds of one error apart
    return isinstance(error, Unusable) or code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def is_locked(error: Exception) -> bool:
    """Whether another process is at the file."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF
    return code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
