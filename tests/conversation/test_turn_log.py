"""Turns are kept for so long, wherever they end, and are gone when they are deleted."""

import sqlite3
import stat
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.closing import closed_later
from wyoming_openai.conversation import turn_log
from wyoming_openai.conversation.turn_log import DAY, ToolRun, TurnLog, TurnRecord
from wyoming_openai.messages import Usage


def opened(path: Path | None, **options: Any) -> TurnLog:
    return closed_later(TurnLog(path, **options))


def turn(question: str, **more: object) -> TurnRecord:
    return TurnRecord(question=question, **more)  # type: ignore[arg-type]


def test_a_turn_comes_back_as_it_was(tmp_path: Path) -> None:
    kept = turn(
        "Hello?",
        at=5.0,
        answer="Hi",
        usage=Usage(1, 2, 3, 4, 5),
        cost_usd=0.25,
        tools=(ToolRun("a", "{}", "ok"),),
        timings_ms={"total": 3.5},
    )
    log = opened(tmp_path / "turns.sqlite", clock=lambda: 10.0)
    number = log.add(kept)
    log.close()
    again = opened(tmp_path / "turns.sqlite", clock=lambda: 10.0)
    found = again.get(number)
    assert found is not None
    assert found == replace(kept, id=number)
    assert (tmp_path / "turns.sqlite").stat().st_mode & 0o077 == 0
    again.close()


def test_turns_are_forgotten_after_their_days() -> None:
    now = 100 * DAY
    log = opened(None, days=7, clock=lambda: now)
    log.add(turn("old"))
    now += 7 * DAY + 1
    assert log.latest() == []
    log.add(turn("new"))
    assert [each.question for each in log.latest()] == ["new"]


def test_what_was_kept_is_forgotten_when_nothing_is_to_be_kept(tmp_path: Path) -> None:
    log = opened(tmp_path / "turns.sqlite")
    log.add(turn("private words"))
    log.close()
    log = opened(tmp_path / "turns.sqlite", days=0)
    assert log.add(turn("more")) == 0
    log.close()
    assert b"private words" not in (tmp_path / "turns.sqlite").read_bytes()


def test_what_is_too_old_is_gone_from_the_file_when_it_is_tidied_and_not_at_the_start(tmp_path: Path) -> None:
    now = 100 * DAY
    with closing(TurnLog(tmp_path / "turns.sqlite", clock=lambda: now)) as log:
        log.add(turn("private words", at=now - DAY))
        log.add(turn("from the future", at=now + 300 * DAY))
    with closing(TurnLog(tmp_path / "turns.sqlite", clock=lambda: now + 8 * DAY)) as wrong:
        assert [each.question for each in wrong.latest()] == ["from the future"], "a clock that is wrong at the start"
    with closing(TurnLog(tmp_path / "turns.sqlite", clock=lambda: now)) as log:
        assert len(log.latest()) == 2, "takes nothing away for ever"
        log.tidy()
        now += 8 * DAY
        log.tidy()
        assert log.latest() == []
    assert b"private words" not in (tmp_path / "turns.sqlite").read_bytes()


def test_memory_has_to_do_only_until_the_file_can_be_used(tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("in the way")
    with closing(TurnLog(tmp_path / "folder" / "turns.sqlite")) as log:
        log.add(turn("first"))
        log.tidy()
        (tmp_path / "folder").unlink()
        log.tidy()
        log.add(turn("second"))
    with closing(TurnLog(tmp_path / "folder" / "turns.sqlite")) as again:
        assert [each.question for each in again.latest()] == ["second", "first"]


def test_a_file_that_was_taken_away_is_begun_anew(tmp_path: Path) -> None:
    with closing(TurnLog(tmp_path / "turns.sqlite")) as log:
        log.add(turn("taken away"))
        (tmp_path / "turns.sqlite").unlink()
        log.tidy()
        log.add(turn("new"))
    with closing(TurnLog(tmp_path / "turns.sqlite")) as again:
        assert [each.question for each in again.latest()] == ["new"]


def test_a_deleted_turn_is_gone_from_the_file(tmp_path: Path) -> None:
    log = opened(tmp_path / "turns.sqlite")
    number = log.add(turn("private words"))
    assert log.delete(number) == 1
    assert log.get(number) is None
    log.close()
    assert b"private words" not in (tmp_path / "turns.sqlite").read_bytes()


def test_a_shorter_time_forgets_at_once() -> None:
    now = 100 * DAY
    log = opened(None, days=7, clock=lambda: now)
    log.add(turn("old", at=now - 3 * DAY))
    log.add(turn("new", at=now - 1))
    log.days = 2
    assert [each.question for each in log.latest()] == ["new"]
    log.days = 0
    assert log.add(turn("not kept")) == 0
    assert log.latest() == []


def test_turns_are_found_by_persona_and_failure() -> None:
    log = opened(None)
    log.add(turn("one", agent="House"))
    log.add(turn("two", agent="Mario", failure="no route"))
    log.add(turn("three", agent="House", failure="no route"))
    assert [each.question for each in log.latest(agent="House")] == ["three", "one"]
    assert [each.question for each in log.latest(failed=True)] == ["three", "two"]


def test_turns_are_counted_since_a_moment() -> None:
    log = opened(None, clock=lambda: 100.0)
    for at in (10.0, 50.0, 90.0):
        log.add(turn("?", at=at))
    assert log.count(50.0) == 2


def test_what_another_version_kept_is_read(tmp_path: Path) -> None:
    log = opened(tmp_path / "turns.sqlite")
    number = log.add(turn("Hello?"))
    log.close()
    with closing(sqlite3.connect(tmp_path / "turns.sqlite")) as connection, connection:
        connection.execute("UPDATE turns SET content = json_set(CAST(content AS TEXT), '$.mood', 'good')")
    again = opened(tmp_path / "turns.sqlite")
    found = again.get(number)
    again.close()
    assert found is not None
    assert found.question == "Hello?"


def test_pages_and_search() -> None:
    log = opened(None)
    numbers = [log.add(turn(f"Question {n}", answer="Ja")) for n in range(5)]
    assert [each.id for each in log.latest(2, before=numbers[3])] == [numbers[2], numbers[1]]
    assert [each.id for each in log.latest(search="QUESTION 4")] == [numbers[4]]
    assert len(log.latest(search="ja")) == 5
    assert log.delete() == 5


def test_no_more_than_so_many_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn_log, "MAX_TURNS", 3)
    monkeypatch.setattr(turn_log, "TRIMMED", 1)
    log = opened(None)
    for number in range(5):
        log.add(turn(f"Question {number}"))
    assert [each.question for each in log.latest()] == ["Question 4", "Question 3", "Question 2"]


@pytest.mark.parametrize("damage", [b"no database at all, but some text", b"SQLite format 3\x00" + b"?" * 5000])
def test_a_damaged_file_is_set_aside_and_a_new_one_begun(
    tmp_path: Path, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "turns.sqlite3"
    path.write_bytes(damage)
    log = opened(path)
    log.add(turn("x"))
    log.close()
    assert [each.question for each in opened(path).latest()] == ["x"]
    assert "they are now in" in caplog.text
    assert next(tmp_path.glob("*.corrupt-*Z")).read_bytes() == damage


def test_a_file_that_somebody_holds_costs_neither_time_nor_a_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turn_log, "LOCK_TIMEOUT", 3600.0)
    log = opened(tmp_path / "turns.sqlite3")
    with closing(sqlite3.connect(tmp_path / "turns.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert log.add(turn("first")) == 0
        other.execute("ROLLBACK")
    assert log.add(turn("second"))
    assert [each.question for each in log.latest()] == ["second", "first"]


def test_a_turn_is_kept_also_while_somebody_reads(tmp_path: Path) -> None:
    log = opened(tmp_path / "turns.sqlite3")
    with log._lock:  # a long search in another thread
        assert log.add(turn("first")) == 0
    assert [each.question for each in log.latest()] == ["first"]


def test_what_waits_to_be_written_is_forgotten_with_the_rest(tmp_path: Path) -> None:
    log = opened(tmp_path / "turns.sqlite3")
    for forget in (log.delete, lambda: setattr(log, "days", 0)):
        with log._lock:
            log.add(turn("private words"))
        forget()
        log.days = 7
        assert log.latest() == []


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    opened(tmp_path / "state" / "turns.sqlite3").add(turn("x"))
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "state").iterdir()} == {0o600}


def test_a_folder_that_can_not_be_written_is_no_end(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    log = opened(tmp_path / "file" / "turns.sqlite")
    assert log.add(turn("x"))
    assert "kept in memory" in caplog.text


def test_what_an_earlier_version_kept_is_read(tmp_path: Path) -> None:
    log = opened(tmp_path / "turns.sqlite3")
    log.add(turn("Hello?", cost_usd=0.25))
    log.close()
    with closing(sqlite3.connect(tmp_path / "turns.sqlite3")) as connection, connection:
        connection.execute("UPDATE turns SET content = replace(content, '\"cost_usd\"', '\"cost\"')")
    [kept] = opened(tmp_path / "turns.sqlite3").latest()
    assert kept.cost_usd == 0.25
