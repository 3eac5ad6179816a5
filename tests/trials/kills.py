"""Kill the program at any moment of its turns, again and again, on the same files; look at them each time.

script/bench kills [--times 100] [--seed 1]
"""

import argparse
import asyncio
import random
import shutil
import signal
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tests.fakes.openai_api import openai_api, say
from tests.trials.program import Program

NAME = "usage.sqlite3"
CALLERS = 4
LONGEST = 4.0  # seconds that it lives after its start, of which the first question takes one or two
DELAY = 0.02  # seconds that the model thinks


@dataclass(frozen=True, slots=True)
class Books:
    """What the files of a program that was killed say."""

    sound: bool
    done: int
    """Calls whose end was written."""
    calls: int
    counted: int
    """Questions in the sums that budgets go by."""
    cost: int


NOTHING = Books(sound=True, done=0, calls=0, counted=0, cost=0)


def read_books(data: Path) -> Books:
    """Look at a copy: what is wrong must be the program's to find."""
    if not (data / NAME).exists():
        return NOTHING
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copytree(data, Path(folder) / "data")) / NAME
        with closing(sqlite3.connect(copy)) as books:
            (check,) = books.execute("PRAGMA integrity_check").fetchone()
            if not books.execute("SELECT name FROM sqlite_master").fetchall():
                return NOTHING
            calls, done = books.execute("SELECT count(*), sum(outcome = 'done') FROM calls").fetchone()
            counted, cost = books.execute("SELECT sum(questions), sum(cost) FROM spent WHERE scope = 'all'").fetchone()
    return Books(check == "ok", done or 0, calls, counted or 0, cost or 0)


async def live_and_die(program: Program, seconds: float) -> int:
    """A life of the program with people who ask all the time; gives how many answers they heard."""
    await program.start()
    asking = [asyncio.create_task(_ask_on(program)) for _ in range(CALLERS)]
    await asyncio.sleep(seconds)
    await program.end(signal.SIGKILL)
    return sum(await asyncio.gather(*asking))


async def _ask_on(program: Program) -> int:
    heard = 0
    while program.status is None and (await program.ask("who painted the Mona Lisa?")).kind == "handled":
        heard += 1
    return heard


def faults_of(before: Books, after: Books, heard: int) -> Iterator[str]:
    """What may not have happened in one life."""
    if not after.sound:
        yield "the file is damaged"
    if after.done - before.done < heard:
        yield f"{heard - after.done + before.done} turns that were heard are lost"
    if after.counted < before.counted or after.cost < before.cost or after.counted < after.calls:
        yield f"a sum went back: {before} to {after}"


async def kill(given: argparse.Namespace) -> int:
    """A line for each life in which something was wrong, and the sums; gives how many there were."""
    dice, wrong, heard = random.Random(given.seed), 0, 0  # noqa: S311 - moments, no secrets
    books = NOTHING
    async with openai_api() as api:
        api.answers, api.delay = lambda _: say("Leonardo ", "da Vinci."), DELAY
        with tempfile.TemporaryDirectory() as folder:
            program = Program(Path(folder), "--model", "a-model", OPENAI_BASE_URL=api.url)
            for life in range(given.times):
                answers = await live_and_die(program, dice.uniform(0, LONGEST))
                before, books = books, read_books(program.data)
                for what in faults_of(before, books, answers):
                    wrong += 1
                    print(f"life {life}: {what}", flush=True)  # noqa: T201
                heard += answers
            seconds = await program.start()
            await program.end()
            aside = len([*program.data.glob("*.corrupt-*")])
    print(f"{given.times} kills: {wrong} things wrong, {aside} files set aside")  # noqa: T201
    print(f"{heard} answers heard; {books.done} calls done, {books.calls - books.done} cut off")  # noqa: T201
    print(f"the last start took {seconds:.1f} s")  # noqa: T201
    return wrong + aside


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    sys.exit(1 if asyncio.run(kill(parser.parse_args())) else 0)
