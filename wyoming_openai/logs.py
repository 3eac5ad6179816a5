"""The log stays small and readable whatever strangers do: repeats are held back and counted, a line is a line."""

import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

AT_ONCE = 10
SECONDS_BETWEEN = 1.0
SECONDS_BETWEEN_TRACEBACKS = 60.0
MAX_KINDS = 1000

_OTHER_CONTROL = r"\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff"
_CONTROL = re.compile(rf"[\x00-\x1f{_OTHER_CONTROL}]")
_CONTROL_BUT_NEWLINE = re.compile(rf"[\x00-\x09\x0b-\x1f{_OTHER_CONTROL}]")


def to_stderr() -> logging.Handler:
    """Where the program logs."""
    handler = logging.StreamHandler()
    handler.setFormatter(OneLine("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    handler.addFilter(Repeats())
    return handler


class OneLine(logging.Formatter):
    """Escapes what could forge a line or write over one; tracebacks keep their lines."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (the name is logging's)
        """The line of a record, without its traceback."""
        return _CONTROL.sub(_escaped, super().formatMessage(record))

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record and its traceback."""
        return _CONTROL_BUT_NEWLINE.sub(_escaped, super().format(record))


@dataclass(slots=True)
class _Kind:
    """Lines that differ in their values only."""

    tokens: float
    counted: float
    held_back: int = 0
    traced: float = float("-inf")


class Repeats(logging.Filter):
    """For a handler: lets some lines of a kind pass at once, then one a second, and tells how many there were."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._kinds: dict[tuple[object, ...], _Kind] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record is written; debugging hears everything."""
        if record.levelno <= logging.DEBUG:
            return True
        kind = self._kind(record)
        if kind.tokens < 1:
            kind.held_back += 1
            return False
        kind.tokens -= 1
        if kind.held_back:
            record.msg, record.args = f"{record.getMessage()} (and {kind.held_back} more like this)", ()
            kind.held_back = 0
        if record.exc_info:
            self._spare_traceback(record, kind)
        return True

    def _kind(self, record: logging.LogRecord) -> _Kind:
        now = self._clock()
        if len(self._kinds) >= MAX_KINDS:
            self._kinds.clear()
        key = (record.name, str(record.msg), record.exc_info and record.exc_info[0])
        kind = self._kinds.setdefault(key, _Kind(AT_ONCE, now))
        kind.tokens = min(AT_ONCE, kind.tokens + (now - kind.counted) / SECONDS_BETWEEN)
        kind.counted = now
        return kind

    def _spare_traceback(self, record: logging.LogRecord, kind: _Kind) -> None:
        if self._clock() - kind.traced < SECONDS_BETWEEN_TRACEBACKS:
            record.exc_info = record.exc_text = None
        else:
            kind.traced = self._clock()


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()
