"""Months of use in half an hour: many conversations over a home that changes, with a fault every minute.

script/bench soak [--turns 10000] [--conversations 2000] [--minutes 20] [--changes 20]

A row a minute, taken while nobody asks; at the end what was added since the first thousand turns.
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import cycle
from pathlib import Path

import wyoming_openai
from tests.fakes.home_assistant import FakeHomeAssistant
from tests.fakes.openai_api import Json, OpenAIApi, Say, call, openai_api, say
from tests.trials.faults import Fault, home_faults, model_faults
from tests.trials.program import Program, Sample, running

DEMO_HOME = Path(wyoming_openai.__file__).parent / "data" / "demo_home.json"
QUESTIONS = (
    ("how many lights are on?", "en"),
    ("is the garage open?", "en"),
    ("how warm is it in the living room?", "en"),
    ("who painted the Mona Lisa?", "en"),
    ("wie viele Lichter sind an?", "de"),
    ("quelle est la température dans le salon ?", "fr"),
)
CALLERS = 4
WARM = 1000
"""Turns after which nothing may be added."""
MINUTE = 60.0
FAULT = (10.0, 25.0)
"""Seconds of each minute in which something is broken."""
QUIET = 5.0  # seconds of each minute without a question
MAX_GROWTH = 8.0  # megabytes


def think(body: Json) -> Say:
    """Look something up first, every third time."""
    message = body["messages"][-1]
    if message["role"] == "user" and len(message["content"]) % 3 == 0:
        return call("get_entities", '{"domain": "light"}')
    return say("I have looked, ", "and everything is ", "as it should be.")


@asynccontextmanager
async def changing(home: FakeHomeAssistant, rate: float) -> AsyncIterator[None]:
    """Some entity has another state, so many times a second."""
    dice = random.Random(1)  # noqa: S311 - no secret
    entity_ids = sorted(home.states)

    async def change() -> None:
        while True:
            entity_id = dice.choice(entity_ids)
            home.set_state(entity_id, _another(home.states[entity_id]["s"], dice))
            await asyncio.sleep(1 / rate)

    changes = asyncio.create_task(change())
    yield
    changes.cancel()


def _another(state: str, dice: random.Random) -> str:
    switched = {"on": "off", "off": "on", "open": "closed", "closed": "open"}
    if state in switched:
        return switched[state]
    return f"{dice.uniform(0, 40):.1f}" if state.replace(".", "").isdigit() else state


async def ask_for_a_minute(program: Program, first: int, turns: int, conversations: int) -> Counter[str]:
    """So many turns, evenly over the minute but for its end; gives the kinds of answers."""
    kinds: Counter[str] = Counter()
    start, numbers = asyncio.get_running_loop().time(), iter(range(turns))

    async def caller() -> None:
        for number in numbers:
            at = start + number * (MINUTE - 2 * QUIET) / turns
            await asyncio.sleep(at - asyncio.get_running_loop().time())
            text, language = QUESTIONS[(first + number) % len(QUESTIONS)]
            name = f"conversation-{(first + number) // 5 % conversations}"
            answer = await program.ask(text, language, conversation=name)
            kinds[answer.kind if answer.heard else "nothing"] += 1

    async with asyncio.TaskGroup() as group:
        for _ in range(CALLERS):
            group.create_task(caller())
    return kinds


async def break_for_a_while(fault: Fault) -> None:
    begins, ends = FAULT
    await asyncio.sleep(begins)
    async with fault():
        await asyncio.sleep(ends - begins)


def row(turns: int, fault: str, kinds: Counter[str], sample: Sample) -> str:
    answers = f"{kinds['handled']:7d} {kinds['not-handled']:8d} {kinds['nothing']:7d}"
    use = f"{sample.resident:8.1f} {sample.descriptors:4d} {sample.threads:7d} {sample.tasks or 0:5d}"
    return f"{turns:6d} {answers} {use}  {fault}"


_USE = f"{'MB':>8} {'fds':>4} {'threads':>7} {'tasks':>5}"
HEADING = f"{'turns':>6} {'handled':>7} {'sentence':>8} {'nothing':>7} {_USE}  fault"


async def soak(given: argparse.Namespace) -> int:
    """The table; gives 1 where something was added that may not be."""
    home_before = json.loads(DEMO_HOME.read_text("utf-8"))
    async with openai_api() as api, FakeHomeAssistant(home_before) as home:
        api.answers = think
        reach = {"OPENAI_BASE_URL": api.url, "HASS_URL": home.url, "HASS_TOKEN": home.token}
        with tempfile.TemporaryDirectory() as folder:
            program = Program(Path(folder), "--model", "a-model", counts_tasks=True, **reach)
            async with running(program), changing(home, given.changes):
                return await _minutes(given, program, api, home)


async def _minutes(given: argparse.Namespace, program: Program, api: OpenAIApi, home: FakeHomeAssistant) -> int:
    a_minute = given.turns // given.minutes
    faults = {**model_faults(api), **home_faults(home)}
    names = cycle(_in_turn([*model_faults(api)], [*home_faults(home)]))
    before, lost = None, 0
    print(HEADING)  # noqa: T201
    for turns in range(0, given.turns, a_minute):
        begun, name = asyncio.get_running_loop().time(), next(names)
        asking = ask_for_a_minute(program, turns, a_minute, given.conversations)
        kinds, _ = await asyncio.gather(asking, break_for_a_while(faults[name]))
        await asyncio.sleep(begun + MINUTE - asyncio.get_running_loop().time())
        sample = await program.sample()
        api.requests.clear()
        home.commands.clear()
        lost += kinds["nothing"]
        print(row(turns + a_minute, name, kinds, sample), flush=True)  # noqa: T201
        if turns + a_minute >= WARM and before is None:
            before = sample
    assert before is not None, f"fewer than {WARM} turns"
    added = sample.resident - before.resident
    descriptors, tasks = sample.descriptors - before.descriptors, (sample.tasks or 0) - (before.tasks or 0)
    print(f"After turn {WARM}: {added:+.1f} MB, descriptors {descriptors:+d}, tasks {tasks:+d}")  # noqa: T201
    print(f"{lost} questions without an answer")  # noqa: T201
    return int(added > MAX_GROWTH or descriptors > 0 or tasks > 0 or lost > 0)


def _in_turn(some: list[str], others: list[str]) -> list[str]:
    return [name for pair in zip(some, cycle(others), strict=False) for name in pair]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=10_000)
    parser.add_argument("--conversations", type=int, default=2_000)
    parser.add_argument("--minutes", type=int, default=20)
    parser.add_argument("--changes", type=float, default=20, help="of states, in a second")
    sys.exit(asyncio.run(soak(parser.parse_args())))
