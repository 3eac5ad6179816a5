"""What is known about models by their names."""

from datetime import date

import pytest

from wyoming_openai.llm.models import DEFAULT_MODEL, accepts_sampling, ends, reasoning_effort, reasons, retired

TODAY = date(2026, 11, 23)


def test_the_default_has_no_end() -> None:
    assert ends(DEFAULT_MODEL) is None
    assert retired(DEFAULT_MODEL) is None


@pytest.mark.parametrize(
    "model",
    [
        "text-davinci-003",
        "gpt-3.5-turbo",
        "gpt-3.5-turbo-0301",
        "gpt-4",
        "gpt-4-turbo-2024-04-09",
        "gpt-4.1-nano",
        "gpt-4.1-nano-2025-04-14",
        "gpt-4o-2024-05-13",
        "o1-preview-2024-09-12",
        "o3-mini",
        "o4-mini",
        "openai/gpt-4",
    ],
)
def test_a_model_that_has_ended_names_what_to_use(model: str) -> None:
    advice = retired(model, TODAY)
    assert advice
    assert DEFAULT_MODEL in advice


@pytest.mark.parametrize(
    ("model", "end"),
    [
        ("gpt-5-mini", date(2026, 12, 11)),
        ("gpt-5-mini-2025-08-07", date(2026, 12, 11)),
        ("gpt-4o", date(2027, 1, 14)),
        ("gpt-4o-2024-08-06", date(2027, 1, 14)),
        ("ft:gpt-4.1-mini-2025-04-14:home::abc", date(2027, 1, 14)),
        ("gpt-5.4-nano", date(2027, 4, 1)),
        ("gpt-5.4-mini", None),
        ("gpt-6-luna", None),
        ("qwen3:8b", None),
    ],
)
def test_an_announced_end_is_known_and_does_not_retire_a_model_before(model: str, end: date | None) -> None:
    assert ends(model) == end
    assert retired(model, TODAY) is None
    if end is not None:
        assert retired(model, end)


@pytest.mark.parametrize(
    ("model", "effort", "sampling"),
    [
        ("gpt-6-luna", "none", True),
        ("gpt-6.1-terra", "none", True),
        ("gpt-6-astra", "low", False),
        ("gpt-6.1-sol", "low", False),
        ("gpt-5.4-mini", "none", True),
        ("gpt-5.4-mini-2026-03-17", "none", True),
        ("gpt-5.1", "none", True),
        ("gpt-5-mini", "minimal", False),
        ("gpt-5-2025-08-07", "minimal", False),
        ("openai/gpt-5-nano", "minimal", False),
        ("gpt-5-pro", None, False),
        ("gpt-5.3-codex", "low", False),
        ("o3", "low", False),
        ("gpt-4o", None, True),
        ("gpt-5-chat-latest", None, True),
        ("llama3.2", None, True),
        ("olmo-2", None, True),
    ],
)
def test_a_model_that_reasons_is_told_to_reason_little(model: str, effort: str | None, sampling: bool) -> None:
    assert reasoning_effort(model) == effort
    assert accepts_sampling(model, effort) is sampling


def test_what_reasons_takes_no_temperature_when_it_is_let_reason() -> None:
    assert not accepts_sampling("gpt-6-luna", "medium")
    assert accepts_sampling("gpt-4o", "medium")


@pytest.mark.parametrize("model", ["gpt-4.1", "gpt-5.3-chat-latest", "mistral-small", "ft:", ""])
def test_a_name_that_is_not_known_is_a_plain_model(model: str) -> None:
    assert not reasons(model)
