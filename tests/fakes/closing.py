"""What a test opens and need not close itself."""

from typing import Protocol, TypeVar


class Closes(Protocol):
    def close(self) -> None: ...


T = TypeVar("T", bound=Closes)

_OPEN: list[Closes] = []


def closed_later(opened: T) -> T:
    """What was opened; it is closed at the end of the test."""
    _OPEN.append(opened)
    return opened


def close_all() -> None:
    """At the end of a test."""
    while _OPEN:
        _OPEN.pop().close()
