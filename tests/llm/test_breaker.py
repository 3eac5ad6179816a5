"""When a model is left alone, by a clock of the tests."""

import pytest

from wyoming_openai.llm import (
    BadCredentials,
    ModelBusy,
    ModelError,
    ModelUnreachable,
    NoAnswer,
    QuotaExceeded,
    RequestRefused,
    TooSlow,
    UnknownModel,
)
from wyoming_openai.llm.breaker import FAILURES, LONG_PAUSE, PAUSE, Breaker, blames_the_model, pause_after


def failing(failures: int, at: float = 0.0, pause: float | None = None) -> Breaker:
    breaker = Breaker()
    for _ in range(failures):
        assert breaker.admit(at)
        breaker.failed(at, pause)
    return breaker


def test_failures_open_it_for_a_while() -> None:
    assert failing(FAILURES - 1).admits(0)
    breaker = failing(FAILURES)
    assert not breaker.admits(0)
    assert not breaker.admits(PAUSE - 0.01)
    assert breaker.admits(PAUSE)


def test_a_success_begins_the_count_afresh() -> None:
    breaker = failing(FAILURES - 1)
    breaker.succeeded()
    breaker.failed(0, None)
    assert breaker.admits(0)


def test_a_reason_that_stays_opens_it_at_once_and_for_longer() -> None:
    breaker = failing(1, pause=LONG_PAUSE)
    assert not breaker.admits(LONG_PAUSE - 0.01)
    assert breaker.admits(LONG_PAUSE)


def test_one_call_at_a_time_probes() -> None:
    breaker = failing(FAILURES)
    assert breaker.admit(PAUSE)
    assert not breaker.admit(PAUSE)
    breaker.succeeded()
    assert breaker.admit(PAUSE)
    assert breaker.admit(PAUSE)


def test_a_probe_that_fails_opens_it_again() -> None:
    breaker = failing(FAILURES)
    assert breaker.admit(PAUSE)
    breaker.failed(PAUSE + 1, None)
    assert not breaker.admits(2 * PAUSE)
    assert breaker.admits(2 * PAUSE + 1)


def test_a_probe_that_nobody_waits_for_leaves_its_place_to_the_next() -> None:
    breaker = failing(FAILURES)
    assert breaker.admit(PAUSE)
    breaker.abandoned()
    assert breaker.admit(PAUSE)


def test_a_failure_with_a_short_pause_does_not_shorten_a_long_one() -> None:
    breaker = failing(1, pause=LONG_PAUSE)
    breaker.failed(1, None)
    assert not breaker.admits(LONG_PAUSE - 0.01)


@pytest.mark.parametrize(
    ("error", "pause"),
    [
        (BadCredentials(), LONG_PAUSE),
        (QuotaExceeded(), LONG_PAUSE),
        (UnknownModel(), LONG_PAUSE),
        (ModelBusy(), None),
        (ModelBusy(retry_after=1), None),
        (ModelBusy(retry_after=20), 20),
        (ModelUnreachable(retry_after=86_400), LONG_PAUSE),
        (ModelUnreachable(retry_after=0), None),
        (TooSlow(), None),
        (NoAnswer(), None),
    ],
)
def test_the_pause_fits_the_failure(error: ModelError, pause: float | None) -> None:
    assert pause_after(error) == pause


def test_a_request_that_is_refused_is_no_failure_of_the_model() -> None:
    assert not blames_the_model(RequestRefused())
    assert blames_the_model(NoAnswer())
