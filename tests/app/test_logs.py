"""The log under attack: repeats are counted, lines are lines, tracebacks are rare."""

import logging
import sys

import pytest

from wyoming_openai.app.logs import AT_ONCE, OneLine, Redactor, Repeats


class Clock:
    """A clock that stands still until it is moved."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def record(text: str, *values: object, level: int = logging.INFO, name: str = "a") -> logging.LogRecord:
    return logging.LogRecord(name, level, "file", 1, text, values, None)


def failed(text: str) -> logging.LogRecord:
    try:
        raise ValueError("one\ntwo\x1b")
    except ValueError:
        return logging.LogRecord("a", logging.ERROR, "file", 1, text, (), sys.exc_info())


def test_a_few_lines_of_a_kind_pass_then_one_a_second_with_the_number_of_the_others() -> None:
    clock = Clock()
    repeats = Repeats(clock)
    assert sum(repeats.filter(record("refused: %s", number)) for number in range(100)) == AT_ONCE
    clock.now += 1
    line = record("refused: %s", "last")
    assert repeats.filter(line)
    assert line.getMessage() == f"refused: last (and {100 - AT_ONCE} more like this)"
    assert not repeats.filter(record("refused: %s", "again"))


def test_one_kind_does_not_hide_another() -> None:
    repeats = Repeats(Clock())
    for _ in range(100):
        repeats.filter(record("refused"))
    assert repeats.filter(record("answered"))
    assert repeats.filter(record("refused", name="b"))


def test_debugging_hears_everything() -> None:
    repeats = Repeats(Clock())
    assert all(repeats.filter(record("said", level=logging.DEBUG)) for _ in range(100))


def test_the_same_traceback_is_shown_once_a_minute() -> None:
    clock = Clock()
    repeats = Repeats(clock)
    first, second, third = failed("bug"), failed("bug"), failed("bug")
    assert repeats.filter(first)
    assert repeats.filter(second)
    clock.now += 60
    assert repeats.filter(third)
    assert [bool(line.exc_info) for line in (first, second, third)] == [True, False, True]


@pytest.mark.parametrize("evil", ["\n2026 INFO forged", "\r", "\x1b[2K", "\x00", "\u2028", "\u202e", "\ud800", "\x9b"])
def test_what_strangers_send_stays_on_its_line(evil: str) -> None:
    line = OneLine("%(levelname)s %(message)s").format(record("heard %s", evil))
    assert line.startswith("INFO heard \\")
    assert line.isprintable()


def test_a_traceback_keeps_its_lines_and_loses_its_escapes() -> None:
    text = OneLine("%(message)s").format(failed("bug"))
    assert text.startswith("bug\nTraceback")
    assert text.endswith("one\ntwo\\x1b")


@pytest.mark.parametrize(
    "secret",
    [
        "sk-proj-abcd1234",
        "sk-proj-****abcd",
        "eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJhYmMifQ.c2lnbmF0dXJl",
        "correct horse battery",
        "a+b(c)*[d]",
    ],
)
def test_a_secret_is_in_no_line_and_in_no_traceback(secret: str) -> None:
    formatter = OneLine("%(message)s", ["correct horse battery", "a+b(c)*[d]", "in"])
    try:
        raise ValueError(f"not accepted: {secret}.")
    except ValueError:
        line = logging.LogRecord("a", logging.ERROR, "file", 1, "failed with %s in it", (secret,), sys.exc_info())
    text = formatter.format(line)
    assert secret not in text
    assert "failed with [secret] in it" in text
    assert text.count("[secret]") == 2


def test_what_is_learnt_later_is_kept_secret_too() -> None:
    redact = Redactor()
    redact.learn(["first secret"])
    redact.learn(["first secret, and longer", "second"])
    assert redact("first secret, and longer; second; first secret") == "[secret]; [secret]; [secret]"


def test_a_header_with_a_token_shows_its_kind_only() -> None:
    assert Redactor()("Authorization: Bearer abc.def, then more") == "Authorization: Bearer [secret] then more"
