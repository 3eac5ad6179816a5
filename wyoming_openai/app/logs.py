"""The log stays small and readable whatever strangers do: repeats are held back and counted, a line is a line."""

import logging
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

AT_ONCE = 10
SECONDS_BETWEEN = 1.0
SECONDS_BETWEEN_TRACEBACKS = 60.0
MAX_KINDS = 1000

LEAST_SECRET = 6  # characters
_LOOKS_SECRET = re.compile(
    r"\bsk-[A-Za-z0-9_*-]{4,}"  # as OpenAI names its keys, also cut or starred
    r"|\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"  # a JSON web token, as Home Assistant's are
    r"|(?<=Bearer )\S{4,}"
    r"|(?<=access_token=)[^&\s\"']+"
)

_OTHER_CONTROL = r"\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff"
_CONTROL = re.compile(rf"[\x00-\x1f{_OTHER_CONTROL}]")
_CONTROL_BUT_NEWLINE = re.compile(rf"[\x00-\x09\x0b-\x1f{_OTHER_CONTROL}]")


def to_stderr(secrets: Iterable[str] = ()) -> logging.Handler:
    """Where the program logs, without any of these."""
    handler = logging.StreamHandler()
    handler.setFormatter(OneLine("%(asctime)s %(levelname)s %(name)s: %(message)s", secrets))
    handler.addFilter(Repeats())
    return handler


def keep_secret(secrets: Iterable[str]) -> None:
    """From now on these are in no line of the log."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler.formatter, OneLine):
            handler.formatter.redact.learn(secrets)


class OneLine(logging.Formatter):
    """Takes secrets out, and escapes what could forge a line or write over one; tracebacks keep their lines."""

    def __init__(self, text: str | None = None, secrets: Iterable[str] = ()) -> None:
        super().__init__(text)
        self.redact = Redactor()
        self.redact.learn(secrets)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (the name is logging's)
        """The line of a record, without its traceback."""
        return _CONTROL.sub(_escaped, super().formatMessage(record))

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record and its traceback."""
        return self.redact(_CONTROL_BUT_NEWLINE.sub(_escaped, super().format(record)))


class Redactor:
    """Takes secrets out of texts: those it has learnt, and whatever looks like one."""

    def __init__(self) -> None:
        self._secrets: frozenset[str] = frozenset()
        self._known: re.Pattern[str] | None = None

    def learn(self, secrets: Iterable[str]) -> None:
        """Know more of them. What is short is part of other words, and no secret worth the name."""
        self._secrets |= {secret for secret in secrets if len(secret) >= LEAST_SECRET}
        longest_first = sorted(self._secrets, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def __call__(self, text: str) -> str:
        """The text without secrets."""
        if self._known is not None:
            text = self._known.sub("[secret]", text)
        return _LOOKS_SECRET.sub("[secret]", text)


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
