"""Turns are kept for so long, wherever they end, and are gone when they are deleted."""

from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import pytest

from wyoming_openai import turns
from wyoming_openai.messages import CannotAnswer, Trace, Usage, Utterance
from wyoming_openai.turns import DAY, ToolRun, TurnLog, TurnRecord, recorded


def turn(question: str, **more: object) -> TurnRecord:
    return TurnRecord(question=question, **more)  # type: ignore[arg-type]


def test_a_turn_comes_back_as_it_was(tmp_path: Path) -> None:
    kept = turn(
        "Hello?",
        at=5.0,
        answer="Hi",
        usage=Usage(1, 2, 3, 4, 5),
        tools=(ToolRun("a", "{}", "ok"),),
        timings_ms={"total": 3.5},
    )
    log = TurnLog(tmp_path / "turns.sqlite", clock=lambda: 10.0)
    number = log.add(kept)
    log.close()
    again = TurnLog(tmp_path / "turns.sqlite", clock=lambda: 10.0)
    found = again.get(number)
    assert found is not None
    assert (found.question, found.usage, found.tools) == (kept.question, kept.usage, kept.tools)
    assert (tmp_path / "turns.sqlite").stat().st_mode & 0o077 == 0
    again.close()


def test_turns_are_forgotten_after_their_days() -> None:
    now = 100 * DAY
    log = TurnLog(None, days=7, clock=lambda: now)
    log.add(turn("old"))
    now += 7 * DAY + 1
    assert log.latest() == []
    log.add(turn("new"))
    assert [each.question for each in log.latest()] == ["new"]


def test_what_was_kept_is_forgotten_when_nothing_is_to_be_kept(tmp_path: Path) -> None:
    log = TurnLog(tmp_path / "turns.sqlite")
    log.add(turn("private words"))
    log.close()
    log = TurnLog(tmp_path / "turns.sqlite", days=0)
    assert log.add(turn("more")) == 0
    log.close()
    assert b"private words" not in (tmp_path / "turns.sqlite").read_bytes()


def test_a_deleted_turn_is_gone_from_the_file(tmp_path: Path) -> None:
    log = TurnLog(tmp_path / "turns.sqlite")
    number = log.add(turn("private words"))
    assert log.delete(number) == 1
    assert log.get(number) is None
    log.close()
    assert b"private words" not in (tmp_path / "turns.sqlite").read_bytes()


def test_pages_and_search() -> None:
    log = TurnLog(None)
    numbers = [log.add(turn(f"Question {n}", answer="Ja")) for n in range(5)]
    assert [each.id for each in log.latest(2, before=numbers[3])] == [numbers[2], numbers[1]]
    assert [each.id for each in log.latest(search="QUESTION 4")] == [numbers[4]]
    assert len(log.latest(search="ja")) == 5
    assert log.delete() == 5


def test_no_more_than_so_many_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "MAX_TURNS", 3)
    log = TurnLog(None)
    for number in range(5):
        log.add(turn(f"Question {number}"))
    assert [each.question for each in log.latest()] == ["Question 4", "Question 3", "Question 2"]


def test_a_folder_that_can_not_be_written_is_no_end(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    log = TurnLog(tmp_path / "file" / "turns.sqlite")
    assert log.add(turn("x"))
    assert "kept in memory" in caplog.text


async def test_a_turn_that_fails_is_kept_with_its_failure() -> None:
    async def reply(utterance: Utterance, report: Callable[[Trace], None]) -> AsyncGenerator[str, None]:
        report(Trace(engine="openai", model="m"))
        raise CannotAnswer("apology", "why not")
        yield ""

    log = TurnLog(None)
    with pytest.raises(CannotAnswer):
        async for _ in recorded(reply, log, "House", Utterance("Hello?")):
            pass
    [kept] = log.latest()
    assert (kept.failure, kept.answer, kept.agent) == ("why not", "", "House")
    assert log.tally.turns["House", "none"] == 1


async def test_a_caller_who_leaves_is_kept_with_what_was_heard() -> None:
    async def reply(utterance: Utterance, report: Callable[[Trace], None]) -> AsyncGenerator[str, None]:
        try:
            yield "One,"
            yield " two"
        finally:
            report(Trace(engine="openai"))

    log = TurnLog(None)
    pieces = recorded(reply, log, "House", Utterance("Count."))
    assert await anext(pieces) == "One,"
    await pieces.aclose()
    assert [(each.answer, each.failure) for each in log.latest()] == [("One,", "the caller left")]
