"""The past, told exactly: over a recorder on the wire, across clock changes, gaps and borders."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.fakes.home_assistant import FakeHomeAssistant
from tests.fakes.recorder import FakeRecorder, Hour, Row
from tests.tools.asking import Ask, asking
from tests.tools.history_cases import CASES, Case
from tests.tools.recorded_home import NOW, SAFE, at, recorder, results
from wyoming_openai.hass.connection import Timing
from wyoming_openai.hass.mirror import FixedMirror, HomeMirror
from wyoming_openai.hass.snapshot import home_from_results


@asynccontextmanager
async def watching(hass: FakeHomeAssistant) -> AsyncIterator[HomeMirror]:
    """A mirror with a fresh home."""
    mirror = HomeMirror(hass.settings, timing=Timing(ping_every=3600))
    task = asyncio.create_task(mirror.run())
    try:
        assert await mirror.wait_fresh(10)
        yield mirror
    finally:
        task.cancel()
        await asyncio.wait([task])


@pytest.fixture
async def hass() -> AsyncIterator[FakeHomeAssistant]:
    async with FakeHomeAssistant(results()) as fake:
        recorder().serve(fake)
        yield fake


@pytest.fixture
async def mirror(hass: FakeHomeAssistant) -> AsyncIterator[HomeMirror]:
    async with watching(hass) as mirror:
        yield mirror


def asking_of(mirror: HomeMirror) -> Ask:
    assert mirror.home is not None
    return asking(mirror.home, NOW, mirror)


@pytest.fixture
def ask(mirror: HomeMirror) -> Ask:
    return asking_of(mirror)


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_question_is_answered_exactly(ask: Ask, case: Case) -> None:
    told = await ask("get_history", **case.arguments)
    for part in case.says:
        assert part in told


async def test_a_change_that_is_not_written_down_yet_is_told() -> None:
    home = results()
    home["subscribe_entities"]["a"]["binary_sensor.front_door"] |= {"s": "off", "lc": at("26 14:59:50")}
    async with FakeHomeAssistant(home) as hass, watching(hass) as mirror:
        recorder().serve(hass)
        answer = await asking_of(mirror)("get_history", name="Front Door", period="today", measure="list")
        assert answer.endswith("14:30 open; 14:59:50 closed")


async def test_a_state_older_than_everything_recorded_is_known_from_the_mirror() -> None:
    home = results()
    home["subscribe_entities"]["a"]["light.hall"]["lc"] = at("01 08:00")
    async with FakeHomeAssistant(home) as hass, watching(hass) as mirror:
        recorder().serve(hass)
        ask = asking_of(mirror)
        answer = await ask("get_history", name="Hall Light", period="last_week", measure="duration", state="on")
        assert "on for 7 d 1 h in all, of 7 d 1 h" in answer
        assert "recorded only" not in answer


@pytest.mark.parametrize(("hidden", "unknown"), [(SAFE, "binary_sensor.sofa_door"), ("Safe Door", "Sofa Door")])
async def test_what_is_not_exposed_is_told_like_what_does_not_exist(ask: Ask, hidden: str, unknown: str) -> None:
    for arguments in ({"measure": "count", "state": "open"}, {}):
        told = [await ask("get_history", name=name, period="today", **arguments) for name in (hidden, unknown)]
        assert told[0].replace(hidden, "…") == told[1].replace(unknown, "…")
        assert "03:33" not in told[0]


async def test_an_entity_withdrawn_while_it_is_looked_up_is_not_told(hass: FakeHomeAssistant) -> None:
    home = home_from_results(results())

    class Withdrawing(FixedMirror):
        async def command(self, command: str, /, *, timeout: float = 10.0, **fields: Any) -> Any:
            home.registries = home.registries.with_parts(exposed_by_list=frozenset())
            return recorder().history({**fields, "type": command})

    answer = await asking(home, NOW, Withdrawing(home))("get_history", name="Front Door", period="today")
    assert answer == "Error: nothing is known by that name"


async def test_many_values_are_read_in_pieces(hass: FakeHomeAssistant, ask: Ask) -> None:
    rows = [Row(at("16 00:00") + 20 * number, str(number % 60)) for number in range(47_000)]
    FakeRecorder({"sensor.washer_power": rows}).serve(hass)
    answer = await ask("get_history", name="Washer Power", period="last_7_days")
    assert "lowest 0 W" in answer
    assert "highest 59 W" in answer
    assert "mean 29.5 W" in answer
    reads = [each for each in hass.commands if each["type"] == "history/history_during_period"]
    assert len(reads) > 5


async def test_of_very_many_values_the_statistics_are_told_if_there_are_any(hass: FakeHomeAssistant, ask: Ask) -> None:
    rows = [Row(at("16 00:00") + 10 * number, ("1", "3")[number % 2]) for number in range(95_000)]
    hours = [Hour(at("16 00:00") + 3600 * number, mean=40.0, low=2.0, high=60.0) for number in range(256)]
    FakeRecorder({"sensor.washer_power": rows}, {"sensor.washer_power": hours}).serve(hass)
    answer = await ask("get_history", name="Washer Power", period="last_7_days", measure="mean")
    assert "mean 40 W" in answer
    FakeRecorder({"sensor.washer_power": rows}).serve(hass)
    answer = await ask("get_history", name="Washer Power", period="last_7_days", measure="mean")
    assert "mean 2 W" in answer


async def test_long_histories_stay_short(hass: FakeHomeAssistant, ask: Ask) -> None:
    rows = [Row(at("26 00:00") + 10 * number, ("on", "off")[number % 2]) for number in range(5000)]
    FakeRecorder({"binary_sensor.front_door": rows}).serve(hass)
    for measure in ("", "list", "count"):
        answer = await ask("get_history", name="Front Door", period="today", measure=measure, state="open")
        assert len(answer) < 1200


async def test_several_with_the_name_are_told_apart_and_too_many_refused(ask: Ask) -> None:
    answer = await ask("get_history", name=["Front Door", "Garage Lock"], period="today", measure="last")
    assert "[binary_sensor.front_door]" in answer
    assert "[lock.garage]" in answer
    names = ["Front Door", "Garage Lock", "Anna", "Doorbell", "Pump", "Television"]
    assert "that may be any of 6" in await ask("get_history", name=names, period="today")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"name": "Front Door", "period": "today", "measure": "median"}, "measure is one of last, first"),
        ({"name": "Front Door", "period": "tomorrow"}, "that lies in the future; now it is Mon 26 Oct 2026 15:00"),
        ({"name": "Front Door", "period": "today", "measure": "mean"}, "it has no number"),
        ({"name": "Outside Temperature", "period": "today", "measure": "sum"}, "it measures moments"),
        ({"name": "Outside Temperature", "period": "today", "measure": "count"}, "say in `state` which"),
        ({"name": "", "period": "today"}, "say whose history"),
        ({"period": "today"}, "argument: 'name'"),
    ],
)
async def test_what_cannot_be_told_says_what_to_do(ask: Ask, arguments: dict[str, Any], error: str) -> None:
    answer = await ask("get_history", **arguments)
    assert answer.startswith("Error: ")
    assert error in answer


async def test_a_refusal_of_home_assistant_is_told(hass: FakeHomeAssistant, ask: Ask) -> None:
    hass.refuse["history/history_during_period"] = "unknown_command"
    answer = await ask("get_history", name="Front Door", period="today")
    assert answer == "Error: Home Assistant refuses it (unknown_command)"


@pytest.mark.parametrize("state", ["", " ", "> ", ">1e5", "☃", "x" * 300, "offen", "on,off"])
async def test_odd_states_are_answered(ask: Ask, state: str) -> None:
    for measure in ("last", "count", "duration", "list"):
        answer = await ask("get_history", name="Front Door", period="today", measure=measure, state=state)
        assert "out of order" not in answer


async def test_states_are_understood_in_the_language_of_the_question(mirror: HomeMirror) -> None:
    assert mirror.home is not None
    ask = asking(mirror.home, NOW, mirror, language="de")
    answer = await ask("get_history", name="Front Door", period="yesterday", measure="duration", state="offen")
    assert "offen for 1 h 25 min in all" in answer
