"""A file in the data folder: readable by its owner only, replaced in one step, set aside where it can't be used."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

KEPT_ASIDE = 3  # files that were set aside
_SUFFIXES = ("", "-wal", "-shm")
"""SQLite has its log beside the file."""


def make_folder(folder: Path) -> None:
    """Make the folder where there is none. Raises `OSError`."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


class FolderInUse(Exception):
    """Another program has the folder to itself."""


@contextmanager
def use_folder(folder: Path) -> Iterator[None]:
    """Have a folder to oneself, as far as programs ask; a process that is killed lets go of it.

    Raises `FolderInUse`, and `OSError` where the folder can't be written.
    """
    make_folder(folder)
    with open(folder / ".lock", "w", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FolderInUse(f"another program uses {folder}") from None
        yield


def replace_file(path: Path, content: bytes) -> None:
    """Write a file anew: a power cut leaves the old one or the new one. Raises `OSError`."""
    make_folder(path.parent)
    for left in path.parent.glob(f".{path.name}.*"):  # by a process that was killed at it
        left.unlink(missing_ok=True)
    number, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # readable by its owner only
    try:
        with open(number, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise
    _sync(path.parent)


def _sync(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def quarantine(path: Path, now: datetime) -> Path:
    """Move a file, and the log beside it, out of the way. Raises `OSError`."""
    aside = path.with_name(f"{path.name}.corrupt-{now:%Y%m%dT%H%M%S%f}Z")
    for suffix in _SUFFIXES:
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(aside.with_name(aside.name + suffix))
    for old in sorted(path.parent.glob(f"{path.name}.corrupt-*Z"))[:-KEPT_ASIDE]:
        for suffix in _SUFFIXES:
            old.with_name(old.name + suffix).unlink(missing_ok=True)
    return aside
