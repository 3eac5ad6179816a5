"""Ask while something is broken: each fault of the model and of the home, one after the other.

script/bench faults [--questions 1000] [--callers 4] [--deadline 3] [--only NAME ...]
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from tests.fakes import faults
from tests.fakes.home_assistant import FakeHomeAssistant
from tests.fakes.openai_api import OpenAIApi, Script, openai_api, say
from tests.trials.program import Answer, Program, running
from wyoming_openai.speech import phrasebook

MARK = "pineapple"
"""Only the model says it."""

QUESTIONS = (
    ("how many lights are on?", "en"),
    ("who painted the Mona Lisa?", "en"),
    ("wie viele Lichter sind an?", "de"),
    ("wer hat die Mona Lisa gemalt?", "de"),
)
"""The local engine knows the first and the third."""

Fault = Callable[[], AbstractAsyncContextManager[None]]


@dataclass(slots=True)
class Tally:
    """What came of the questions that were asked during one fault."""

    counts: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    late: int = 0
    strange: list[str] = field(default_factory=list)

    def add(self, answer: Answer, language: str, local: set[str], deadline: float) -> None:
        came_from = source(answer, language, local)
        self.counts[came_from] += 1
        self.seconds.append(answer.seconds)
        self.late += answer.seconds > deadline
        if came_from == "other" and answer.text not in self.strange:
            self.strange.append(answer.text)

    def row(self, name: str) -> str:
        cells = " ".join(f"{self.counts[kind]:8d}" for kind in COLUMNS)
        worst, median = max(self.seconds) * 1000, statistics.median(self.seconds) * 1000
        return f"{name:38} {len(self.seconds):6d} {cells} {self.late:6d} {median:8.0f} {worst:8.0f}"


COLUMNS = ("model", "local", "sentence", "other", "closed", "hang")
HEADING = (
    f"{'fault':38} {'asked':>6} {' '.join(f'{kind:>8}' for kind in COLUMNS)} {'late':>6} {'median':>8} {'worst ms':>8}"
)


def source(answer: Answer, language: str, local: set[str]) -> str:
    """Who gave an answer."""
    if not answer.heard:
        return "hang" if answer.kind == "hang" else "closed"
    if MARK in answer.text:
        return "model"
    if answer.text in local:
        return "local"
    return "sentence" if answer.text in told(language) else "other"


def told(language: str) -> set[str]:
    """All sentences that tell what is wrong."""
    data = json.loads((Path(phrasebook.__file__).parent.parent / "data" / "sentences.json").read_text("utf-8"))
    return set(data[language]["sentences"].values())


async def ask_many(program: Program, number: int, callers: int, local: set[str], deadline: float) -> Tally:
    """As many questions as wanted, from as many callers at once."""
    tally, numbers = Tally(), iter(range(number))

    async def caller() -> None:
        for each in numbers:
            text, language = QUESTIONS[each % len(QUESTIONS)]
            tally.add(await program.ask(text, language, deadline=deadline), language, local, deadline)

    async with asyncio.TaskGroup() as group:
        for _ in range(callers):
            group.create_task(caller())
    return tally


def model_faults(api: OpenAIApi) -> dict[str, Fault]:
    """The faults of a model's server, before the first word and in the middle of the answer."""
    early = {name: script for name, (script, _) in faults.before_the_first_word("chat").items()}
    late = {f"{name}, after a word": script for name, (script, _) in faults.after_a_word("chat").items()}
    return {name: lambda s=script: _broken(api, s) for name, script in {**early, **late}.items()}  # type: ignore[misc]


@asynccontextmanager
async def _broken(api: OpenAIApi, script: Script) -> AsyncIterator[None]:
    api.lasting = script
    yield
    api.lasting = None
    api.requests.clear()


def home_faults(home: FakeHomeAssistant) -> dict[str, Fault]:
    """The faults of Home Assistant that last as long as somebody asks."""
    return {
        "home: gone": lambda: _gone(home),
        "home: drops every second": lambda: _again(home.drop, 1.0),
        "home: silent": lambda: _set(home, "mute", value=True),
        "home: token refused": lambda: _set(home, "denies", value=True),
        "home: garbage": lambda: _again(_garbage(home), 0.2),
        "home: 500 changes a second": lambda: _again(lambda: _changes(home, 5), 0.01),
        "home: registry storm": lambda: _again(
            lambda: home.fire("entity_registry_updated", {"action": "update"}), 0.02
        ),
    }


@asynccontextmanager
async def _gone(home: FakeHomeAssistant) -> AsyncIterator[None]:
    await home.shut()
    yield
    await home.listen()


@asynccontextmanager
async def _set(home: FakeHomeAssistant, name: str, *, value: bool) -> AsyncIterator[None]:
    setattr(home, name, value)
    home.drop()
    yield
    setattr(home, name, not value)
    home.drop()


@asynccontextmanager
async def _again(prank: Callable[[], object], pause: float) -> AsyncIterator[None]:
    async def play() -> None:
        while True:
            prank()
            await asyncio.sleep(pause)

    playing = asyncio.create_task(play())
    yield
    playing.cancel()


def _garbage(home: FakeHomeAssistant) -> Callable[[], None]:
    rubbish = (
        "not JSON {", "", "42", "null", "[1, null]", '{"id": 1}', '{"type": "event", "event": {}}',
        '{"id": 99999, "type": "result", "success": true, "result": {}}', '{"id": null, "type": "result"}',
    )  # fmt: skip
    events: tuple[object, ...] = (None, [], {"a": []}, {"c": {"light.nobody": {"+": {"s": "on"}}}}, {"r": "light.x"})
    numbers = count()

    def push() -> None:
        number = next(numbers)
        home.push(rubbish[number % len(rubbish)])
        home.push_event(events[number % len(events)])

    return push


def _changes(home: FakeHomeAssistant, number: int) -> None:
    for _ in range(number):
        home.set_state("sensor.outside_temperature", str(next(_TEMPERATURES) % 40))


_TEMPERATURES = count()


async def matrix(given: argparse.Namespace) -> int:
    """The table; gives how many questions were not answered, or too late."""
    wrong = 0
    async with openai_api() as api, FakeHomeAssistant() as home:
        api.answers = lambda _: say(f"One {MARK}.")
        local = await local_answers(home)
        print(HEADING)  # noqa: T201
        for name, fault in {"none": _nothing, **model_faults(api), **home_faults(home)}.items():
            if given.only and name not in given.only:
                continue
            async with program(api, home, given.deadline) as asked, fault():
                tally = await ask_many(asked, given.questions, given.callers, local, given.deadline)
            print(tally.row(name), *tally.strange[:2], flush=True)  # noqa: T201
            wrong += tally.late + tally.counts["closed"] + tally.counts["hang"]
    return wrong


@asynccontextmanager
async def program(api: OpenAIApi, home: FakeHomeAssistant, deadline: float) -> AsyncIterator[Program]:
    """A new one, which knows of no fault yet, and has answered once."""
    flags = ("--deadline", str(deadline), "--phone-deadline", str(deadline), "--model", "a-model")
    with tempfile.TemporaryDirectory() as folder:
        started = Program(Path(folder), *flags, OPENAI_BASE_URL=api.url, HASS_URL=home.url, HASS_TOKEN=home.token)
        async with running(started):
            for text, language in QUESTIONS:  # a language is loaded with its first question
                await started.ask(text, language)
            yield started


async def local_answers(home: FakeHomeAssistant) -> set[str]:
    """What the local engine says to the questions when nothing is wrong but that there is no model."""
    with tempfile.TemporaryDirectory() as folder:
        async with running(Program(Path(folder), HASS_URL=home.url, HASS_TOKEN=home.token)) as alone:
            answers = [await alone.ask(text, language) for text, language in QUESTIONS]
    return {answer.text for answer in answers if answer.kind == "handled"}


@asynccontextmanager
async def _nothing() -> AsyncIterator[None]:
    yield


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=1000, help="for each fault")
    parser.add_argument("--callers", type=int, default=4, help="at once")
    parser.add_argument("--deadline", type=float, default=3.0, help="seconds")
    parser.add_argument("--only", nargs="*", help="names of faults")
    sys.exit(1 if asyncio.run(matrix(parser.parse_args())) else 0)
