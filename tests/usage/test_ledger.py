"""The ledger keeps every call: through kills, damage, a full disk, a lock, and clocks that jump."""

import os
import resource
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from wyoming_openai.storage import files
from wyoming_openai.usage import ledger_file
from wyoming_openai.usage.ledger import LOCKED_RETRY, MAX_UNRECORDED, RETRY, STEADY, Ledger, LedgerFull, Spent
from wyoming_openai.usage.ledger_file import LONGEST_CALL, Entry

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp()
DAY = 86400.0
CALL = Entry(agent="Butler", model="gpt-6-luna", device="kitchen", caller="10.0.0.2", cost_nano_usd=1000, basis="test")


class Clock:
    """Wall clock and monotonic clock; `jump` moves only the first."""

    def __init__(self) -> None:
        self.wall, self.steady = NOON, 1000.0

    def passes(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds

    def jump(self, seconds: float) -> None:
        self.wall += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "usage.sqlite3"


@pytest.fixture
def ledger(path: Path, clock: Clock) -> Iterator[Ledger]:
    with closing(make(path, clock)) as ledger:
        yield ledger


def make(path: Path | None, clock: Clock, *, only_read: bool = False) -> Ledger:
    return Ledger(path, clock=lambda: clock.wall, monotonic=lambda: clock.steady, only_read=only_read)


def allow(_: Mapping[str, Spent]) -> None:
    """Refuse nothing."""


def record(ledger: Ledger, entry: Entry = CALL, cost: int = 400) -> Entry:
    done = replace(ledger.begin(entry, allow), cost_nano_usd=cost, outcome="done")
    ledger.finish(done)
    return done


def day_of(ledger: Ledger, scope: str = "all") -> int:
    return ledger.spent((scope,))[scope].day


def outcomes(ledger: Ledger) -> list[str]:
    return [entry.outcome for entry in ledger.entries()]


def test_a_call_is_held_at_its_worst_case_and_settled_at_its_cost(ledger: Ledger) -> None:
    begun = ledger.begin(CALL, allow)
    assert ledger.spent()["all"] == Spent(day=1000, month=1000, held=1000, questions=1)
    ledger.finish(replace(begun, cost_nano_usd=400, outcome="done"))
    assert ledger.spent()["all"] == Spent(day=400, month=400, held=0, questions=1)


def test_agents_devices_and_callers_have_sums_of_their_own(ledger: Ledger) -> None:
    record(ledger)
    record(ledger, replace(CALL, device="hall", agent="Jester"), cost=50)
    record(ledger, replace(CALL, question=False), cost=7)
    scopes = ("all", "device:kitchen", "device:hall", "agent:Butler", "agent:Jester", "caller:10.0.0.2", "device:attic")
    spent = ledger.spent(scopes)
    assert [spent[scope].day for scope in scopes] == [457, 407, 50, 407, 50, 457, 0]
    assert spent["caller:10.0.0.2"].questions == 2


def test_what_is_refused_leaves_no_trace(ledger: Ledger) -> None:
    def refuse(_: Mapping[str, Spent]) -> None:
        raise PermissionError

    with pytest.raises(PermissionError):
        ledger.begin(CALL, refuse)
    assert list(ledger.entries()) == []
    assert day_of(ledger) == 0


def test_rows_come_back_as_they_were_written(ledger: Ledger, clock: Clock) -> None:
    done = record(ledger, replace(CALL, input=10, cached=4, cache_write=2, output=3, reasoning=1, latency=77))
    assert list(ledger.entries()) == [done]
    assert done.at == clock.wall * 1000


def test_more_rows_than_are_read_at_a_time_come_in_order(ledger: Ledger) -> None:
    written = [record(ledger, replace(CALL, input=number)) for number in range(2100)]
    assert list(ledger.entries()) == written


def test_calls_of_two_processes_in_the_same_instant_stay_two(ledger: Ledger, path: Path, clock: Clock) -> None:
    with closing(make(path, clock)) as other:
        for _ in range(600):  # ids of one instant are drawn from a thousand
            record(ledger)
            record(other)
    assert len(list(ledger.entries())) == 1200
    assert day_of(ledger) == 1200 * 400


def test_a_file_that_another_process_is_just_making_is_waited_for(
    ledger: Ledger, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")  # SQLite does not wait here, whatever its timeout
        pauses: list[float] = []

        def other_ends(seconds: float) -> None:
            pauses.append(seconds)
            other.execute("COMMIT")

        monkeypatch.setattr(time, "sleep", other_ends)
        record(ledger)
    assert len(pauses) == 1
    assert not ledger.problem
    assert outcomes(ledger) == ["done"]


def test_the_file_is_for_its_owner_only(ledger: Ledger, path: Path) -> None:
    record(ledger)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}


def test_a_file_that_others_could_read_is_closed_to_them(path: Path, clock: Clock) -> None:
    path.parent.mkdir()
    path.touch(mode=0o644)
    with closing(make(path, clock)) as ledger:
        record(ledger)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_restart_loses_nothing_and_leaves_open_calls_at_their_worst_case(ledger: Ledger, clock: Clock) -> None:
    record(ledger)
    ledger.begin(CALL, allow)
    ledger.close()
    clock.passes(LONGEST_CALL)
    assert day_of(ledger) == 1400
    assert ledger.spent()["all"].held == 0
    assert outcomes(ledger) == ["done", "unsettled"]


def test_another_process_that_opens_the_file_takes_nothing_from_a_call_in_flight(
    ledger: Ledger, path: Path, clock: Clock
) -> None:
    begun = ledger.begin(CALL, allow)
    with closing(make(path, clock)) as other:
        assert day_of(other) == 1000
        ledger.finish(replace(begun, cost_nano_usd=400, outcome="done"))
        assert day_of(other) == 400
    assert outcomes(ledger) == ["done"]


def test_who_opens_the_file_beside_us_leaves_calls_in_flight_open(ledger: Ledger, path: Path, clock: Clock) -> None:
    ledger.begin(CALL, allow)
    with closing(make(path, clock)) as other:
        assert other.spent()["all"].held == 1000
    assert ledger.spent()["all"].held == 1000, "it may still come back"
    clock.passes(LONGEST_CALL)
    assert ledger.spent()["all"] == Spent(day=1000, month=1000, held=0, questions=1), "nobody is at it any more"


def test_who_only_reads_changes_nothing(ledger: Ledger, path: Path, clock: Clock) -> None:
    record(ledger)
    ledger.begin(CALL, allow)
    for _ in range(2):  # while it is open, and after it was closed
        before = {file: file.stat().st_mtime_ns for file in path.parent.iterdir() if file.suffix != ".sqlite3-shm"}
        with closing(make(path, clock, only_read=True)) as reader:
            assert day_of(reader) == 1400
            assert reader.totals("model")[0].calls == 2
            assert reader.problem == ""
        assert {file: file.stat().st_mtime_ns for file in before} == before
        ledger.close()
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("content", [b"no ledger", b"", b"SQLite format 3\x00" + b"?" * 5000])
def test_who_only_reads_sets_nothing_aside(content: bytes, path: Path, clock: Clock) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with closing(make(path, clock, only_read=True)) as reader:
        assert day_of(reader) == 0
        assert reader.problem
    assert path.read_bytes() == content
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_who_only_reads_makes_no_file(path: Path, clock: Clock) -> None:
    with closing(make(path, clock, only_read=True)) as reader:
        assert (day_of(reader), reader.problem) == (0, "")
    assert not path.parent.exists()


@pytest.mark.parametrize("deleted", [True, False])
def test_a_file_that_is_moved_away_while_it_is_used_is_followed(
    deleted: bool, ledger: Ledger, path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    record(ledger)
    if deleted:
        path.unlink()
    else:
        path.rename(path.with_name("elsewhere"))
    record(ledger)
    assert day_of(ledger) == 800, "what was spent counts on"
    ledger.close()
    with closing(make(path, clock)) as again:
        assert day_of(again) == 800
    assert "was moved or deleted" in caplog.text


def test_what_was_counted_in_memory_is_written_when_the_program_ends(ledger: Ledger, path: Path, clock: Clock) -> None:
    record(ledger)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        record(ledger)
        other.execute("ROLLBACK")
    ledger.close()
    with closing(make(path, clock)) as again:
        assert day_of(again) == 800
        assert len(outcomes(again)) == 2


def test_what_was_spent_is_known_when_the_file_comes_back_as_a_new_one(
    ledger: Ledger, path: Path, clock: Clock
) -> None:
    record(ledger)
    shutil.rmtree(path.parent)
    path.parent.write_text("in the way")
    record(ledger)
    path.parent.unlink()
    clock.passes(RETRY)
    assert day_of(ledger) == 800
    assert ledger.problem == ""


def test_who_only_reads_says_that_a_file_is_damaged(ledger: Ledger, path: Path, clock: Clock) -> None:
    for _ in range(500):
        record(ledger)
    ledger.close()
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"?" * (len(content) - 4096))
    with closing(make(path, clock, only_read=True)) as reader:
        assert day_of(reader) == 0
        assert reader.problem


def test_a_free_model_answers_also_where_nothing_can_be_written(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "file").touch()
    with closing(make(tmp_path / "file" / "usage.sqlite3", clock)) as ledger:
        for _ in range(MAX_UNRECORDED + 5):
            record(ledger, replace(CALL, cost_nano_usd=0), cost=0)


WRITER = """
import sys
import time
from dataclasses import replace
from pathlib import Path
from wyoming_openai.usage.ledger import Ledger
from wyoming_openai.usage.ledger_file import LONGEST_CALL, Entry

ledger = Ledger(Path(sys.argv[1]))
while True:
    entry = ledger.begin(Entry(agent="a", model="m", cost_nano_usd=1000), lambda spent: None)
    ledger.finish(replace(entry, cost_nano_usd=1, outcome="done"))
    print(flush=True)
"""


def kill_a_writer(path: Path, after: int) -> int:
    """SIGKILL a process in the middle of writing; gives how many calls it had surely finished."""
    command = [sys.executable, "-c", WRITER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:  # noqa: S603
        assert writer.stdout is not None
        for _ in range(after):
            assert writer.stdout.readline()
        writer.send_signal(signal.SIGKILL)
        return after + len(writer.stdout.readlines())


def test_a_kill_in_the_middle_of_writing_corrupts_nothing_and_loses_no_call(path: Path) -> None:
    finished = 0
    for number in range(1, int(os.environ.get("KILLS", "4")) + 1):
        finished += kill_a_writer(path, after=number * 7 % 50)
        with closing(Ledger(path)) as ledger:
            ledger.open_exclusively()
            counts = {outcome: outcomes(ledger).count(outcome) for outcome in ("done", "open", "unsettled")}
            assert counts["open"] == 0
            # The last call may have been finished without having been reported.
            assert finished <= counts["done"] <= finished + number
            assert counts["unsettled"] <= number
            assert day_of(ledger) == counts["done"] + 1000 * counts["unsettled"]
    assert [file.name for file in path.parent.iterdir() if "corrupt" in file.name] == []


def no_database(path: Path) -> None:
    path.write_text("This was a ledger once. " * 1000)


def damaged_page(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096 + 8 : 3 * 4096] = b"\xff" * (2 * 4096 - 8)
    path.write_bytes(bytes(content))


def cut_in_half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def from_the_future(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")


@pytest.mark.parametrize("damage", [no_database, damaged_page, cut_in_half, from_the_future])
def test_a_damaged_file_is_set_aside_and_said(
    damage: object, ledger: Ledger, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    record(ledger)
    ledger.close()
    assert callable(damage)
    damage(path)
    record(ledger)
    assert outcomes(ledger) == ["done"]
    assert not ledger.problem
    (aside,) = path.parent.glob("*.corrupt-*Z")
    assert aside.name in caplog.text


def test_what_a_damaged_file_still_tells_of_the_month_counts_on(ledger: Ledger, path: Path) -> None:
    record(ledger)
    ledger.close()
    from_the_future(path)
    assert day_of(ledger) == 400


def test_a_file_that_is_damaged_while_it_is_used_is_set_aside(ledger: Ledger, path: Path) -> None:
    record(ledger)
    with closing(sqlite3.connect(path)) as other:  # makes the ledger read the file again
        other.execute("DELETE FROM spent")
        other.commit()
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    damaged_page(path)
    record(ledger)
    assert outcomes(ledger) == ["done"]
    assert len(list(path.parent.glob("*.corrupt-*Z"))) == 1


def test_only_the_last_damaged_files_are_kept(ledger: Ledger, path: Path, clock: Clock) -> None:
    for _ in range(files.KEPT_ASIDE + 2):
        ledger.open()
        ledger.close()
        no_database(path)
        clock.passes(1)
    ledger.open()
    assert len(list(path.parent.glob("*.corrupt-*Z"))) == files.KEPT_ASIDE


@contextmanager
def full_disk() -> Iterator[None]:
    """No file can be written beyond its first page."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_on_a_full_disk_calls_are_counted_in_memory_and_written_down_later(
    ledger: Ledger, path: Path, clock: Clock
) -> None:
    record(ledger)
    begun = ledger.begin(CALL, allow)
    with full_disk():
        record(ledger)
        assert ledger.problem
        assert day_of(ledger) == 1800
        ledger.finish(replace(begun, cost_nano_usd=1, outcome="done"))
        assert day_of(ledger) >= 801
        clock.passes(RETRY)
        record(ledger)
        assert ledger.problem
    clock.passes(RETRY)
    record(ledger)
    assert not ledger.problem
    assert day_of(ledger) == 1601
    ledger.close()
    assert outcomes(ledger) == ["done"] * 5


def test_a_start_on_a_full_disk_after_a_kill_still_knows_what_was_spent(
    ledger: Ledger, path: Path, tmp_path: Path, clock: Clock
) -> None:
    record(ledger)
    killed = tmp_path / "killed.sqlite3"
    shutil.copy(path, killed)
    shutil.copy(f"{path}-wal", f"{killed}-wal")
    with full_disk(), closing(make(killed, clock)) as after:
        assert day_of(after) == 400
        assert after.problem


def test_a_file_that_somebody_locks_is_waited_for_in_memory(
    ledger: Ledger, path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_file, "LOCK_TIMEOUT", 0)
    record(ledger)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        record(ledger)
        assert "locked" in ledger.problem
        assert day_of(ledger) == 800
    clock.passes(LOCKED_RETRY)
    assert day_of(ledger) == 800
    assert not ledger.problem


def test_without_a_folder_to_write_to_it_counts_in_memory_and_then_stops(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "data").write_text("not a folder")
    with closing(make(tmp_path / "data" / "usage.sqlite3", clock)) as ledger:
        for _ in range(MAX_UNRECORDED):
            record(ledger)
            record(ledger, replace(CALL, question=False))
        assert ledger.problem
        assert day_of(ledger) == 2 * MAX_UNRECORDED * 400
        with pytest.raises(LedgerFull):
            record(ledger)


def test_without_a_path_nothing_is_written_and_nothing_ends(clock: Clock) -> None:
    with closing(make(None, clock)) as ledger:
        for _ in range(MAX_UNRECORDED + 1):
            record(ledger)
        assert not ledger.problem


def test_a_new_day_and_a_new_month_begin_at_nothing(ledger: Ledger, clock: Clock) -> None:
    record(ledger)
    clock.passes(DAY)
    record(ledger)
    assert ledger.spent()["all"] == Spent(day=400, month=800, questions=1)
    clock.passes(8 * DAY)
    assert ledger.spent()["all"] == Spent()


@pytest.mark.parametrize("days", [1, 40, 800])
def test_a_clock_that_jumps_back_resets_nothing(days: int, ledger: Ledger, clock: Clock) -> None:
    record(ledger)
    clock.jump(-days * DAY)
    record(ledger)
    assert ledger.spent()["all"].day == 800
    assert ledger.spent()["all"].month == 800
    ledger.close()
    assert ledger.spent()["all"].day == 800


def test_calls_of_a_clock_that_was_wrong_do_not_count_for_ever(ledger: Ledger, clock: Clock) -> None:
    clock.jump(1000 * DAY)
    record(ledger)
    clock.jump(-1000 * DAY)
    record(ledger)
    clock.passes(STEADY)
    record(ledger)
    assert ledger.spent()["all"].day == 1200
    clock.passes(DAY)
    assert ledger.spent()["all"] == Spent(day=0, month=1200)


def test_what_is_over_a_year_old_is_forgotten(ledger: Ledger, clock: Clock) -> None:
    record(ledger)
    clock.passes((ledger_file.RETENTION + 1) * DAY)
    record(ledger)
    ledger.tidy()
    assert [total.key for total in ledger.totals("day")] == ["2027-12-29"]


def test_a_clock_that_just_jumped_forgets_nothing(ledger: Ledger, clock: Clock) -> None:
    record(ledger)
    clock.jump(3000 * DAY)
    ledger.tidy()
    clock.jump(-3000 * DAY)
    assert day_of(ledger) == 400


def test_the_number_of_rows_is_bounded_and_the_sums_stay(
    ledger: Ledger, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_file, "MAX_ROWS", 20)
    for _ in range(50):
        record(ledger)
    clock.passes(STEADY)
    ledger.tidy()
    assert len(list(ledger.entries())) == 20
    assert day_of(ledger) == 50 * 400


def test_totals_by_day_month_model_agent_and_device(ledger: Ledger, clock: Clock) -> None:
    record(ledger, replace(CALL, input=100, cached=50, output=10, latency=1000))
    record(ledger, replace(CALL, input=100, question=False, latency=2000))
    clock.passes(10 * DAY)
    record(ledger, replace(CALL, model="gpt-6-sol", device="hall", basis="other"), cost=5000)
    days = ledger.totals("day")
    assert [(total.key, total.questions, total.calls, total.cost_nano_usd) for total in days] == [
        ("2026-11-23", 1, 2, 800),
        ("2026-12-03", 1, 1, 5000),
    ]
    assert (days[0].input, days[0].cached, days[0].output, days[0].latency) == (200, 50, 10, 1500)
    assert [total.key for total in ledger.totals("month")] == ["2026-11", "2026-12"]
    assert [total.key for total in ledger.totals("model")] == ["gpt-6-sol", "gpt-6-luna"]
    assert [total.bases for total in ledger.totals("device")] == ["other", "test"]
    assert [total.calls for total in ledger.totals("agent")] == [3]
    assert [total.key for total in ledger.totals("day", since=date(2026, 12, 1))] == ["2026-12-03"]
    assert [total.key for total in ledger.totals("day", until=date(2026, 12, 1))] == ["2026-11-23"]


def test_text_has_no_place_in_the_ledger() -> None:
    assert not {"text", "question_text", "answer", "prompt", "messages"} & set(ledger_file.COLUMNS)
