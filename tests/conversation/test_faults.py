"""Whatever the model's server does wrong, a person hears something true, or a sentence that says what is wrong."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from tests.fakes import faults
from tests.fakes.assistants import assistant_of
from tests.fakes.openai_api import Api, OpenAIApi, Script, call, openai_api, say
from wyoming_openai.context.cache import ContextCache
from wyoming_openai.conversation.assistant import Assistant
from wyoming_openai.conversation.turn import Patience, TurnReport
from wyoming_openai.hass.mirror import FixedMirror
from wyoming_openai.hass.snapshot import demo_home
from wyoming_openai.llm import ModelError, RequestRefused, TooSlow
from wyoming_openai.llm.breaker import FAILURES
from wyoming_openai.llm.chain import create_chain
from wyoming_openai.llm.models import ModelSettings
from wyoming_openai.local_engine.engine import LocalEngine
from wyoming_openai.messages import CannotAnswer, ToolSpec, Utterance
from wyoming_openai.speech import phrasebook
from wyoming_openai.tools import Tool, ToolContext, schema

SOON = 0.3  # a deadline that a test sits out
STUCK = 10  # seconds after which a test gives up

KNOWN = "how many lights are on?"
"""The local engine can tell."""
UNKNOWN = "who painted the Mona Lisa?"

APIS: tuple[Api, ...] = ("responses", "chat")
EARLY = [
    pytest.param(api, script, kind, id=f"{api}: {name}")
    for api in APIS
    for name, (script, kind) in faults.before_the_first_word(api).items()
]
EARLY_IN_CHAT = [fault for fault in EARLY if fault.values[0] == "chat"]
LATE = [
    pytest.param(api, script, kind, id=f"{api}: {name}")
    for api in APIS
    for name, (script, kind) in faults.after_a_word(api).items()
]


async def _tell(context: ToolContext) -> object:
    return {"home": context.home.config.location_name}


TELL = Tool(ToolSpec("tell", "Tells.", schema(), read_only=True), _tell)


@dataclass
class Heard:
    """What came of a question."""

    text: str
    sentence: str = ""
    """Of the failure, if nothing was answered."""
    reports: list[TurnReport] = field(default_factory=list)


@pytest.fixture(scope="module")
def local() -> LocalEngine:
    return LocalEngine()


@pytest.fixture(scope="module")
def context_cache() -> ContextCache:
    return ContextCache()


@pytest.fixture
async def server() -> AsyncIterator[OpenAIApi]:
    async with openai_api() as api:
        yield api


@dataclass
class House:
    """Makes assistants whose models are at some servers, ready for their first question."""

    local: LocalEngine
    context_cache: ContextCache

    @asynccontextmanager
    async def assistant(
        self, api: Api, servers: Sequence[OpenAIApi], *, deadline: float = STUCK, patience: float = STUCK
    ) -> AsyncIterator[Assistant]:
        settings = [
            ModelSettings(
                base_url=each.url, model="a-model", api=api, first_token_timeout=patience, gap_timeout=patience
            )
            for each in servers
        ]
        model = create_chain(settings, retry_pause=0) if settings else None
        assistant = assistant_of(
            FixedMirror(demo_home(datetime.now(UTC))),
            model,
            local=self.local,
            context_cache=self.context_cache,
            tools=[TELL],
            patience=Patience(deadline, 20),
            phone_patience=Patience(deadline, 10),
        )
        await assistant.prepare("en")
        await assistant.prepare("de")
        if model is not None:
            await model.warm()
        yield assistant
        if model is not None:
            await model.close()

    async def truth(self) -> str:
        """The answer to the question that needs no model."""
        async with self.assistant("chat", []) as assistant:
            return (await ask(assistant, KNOWN)).text


@pytest.fixture
def house(local: LocalEngine, context_cache: ContextCache) -> House:
    return House(local, context_cache)


async def ask(assistant: Assistant, text: str, language: str = "en") -> Heard:
    heard = Heard("")
    try:
        async with asyncio.timeout(STUCK):
            heard.text = await _spoken(assistant.reply(Utterance(text, language), heard.reports.append))
    except CannotAnswer as failure:
        heard.sentence_key = failure.sentence_key
        heard.text = phrasebook.say(failure.sentence_key, language, **failure.values)
    return heard


def told_as(kind: type[ModelError]) -> str:
    """The key of the sentence for a kind of failure."""
    return kind("").sentence_key


def soon(kind: type[ModelError]) -> float:
    """As long as a test waits for what never comes."""
    return SOON if kind is TooSlow else STUCK


async def _spoken(pieces: AsyncGenerator[str, None]) -> str:
    async with aclosing(pieces):
        return "".join([piece async for piece in pieces]).strip()


@pytest.mark.parametrize(("api", "fault", "kind"), EARLY)
async def test_what_the_home_knows_is_answered_without_the_model(
    api: Api, fault: Script, kind: type[ModelError], *, server: OpenAIApi, house: House
) -> None:
    server.will(fault, fault, fault)
    async with house.assistant(api, [server], deadline=soon(kind)) as assistant:
        heard = await ask(assistant, KNOWN)
    assert heard.text == await house.truth()
    assert heard.reports[0].trace.engine == "local"
    assert heard.reports[0].trace.failure


@pytest.mark.parametrize(("api", "fault", "kind"), EARLY)
async def test_what_nobody_knows_gets_the_reason_in_the_language_of_the_question(
    api: Api, fault: Script, kind: type[ModelError], *, server: OpenAIApi, house: House
) -> None:
    server.will(fault, fault, fault)
    async with house.assistant(api, [server], deadline=soon(kind)) as assistant:
        heard = await ask(assistant, "Wer hat die Mona Lisa gemalt?", "de")
    assert heard.sentence_key == told_as(kind)
    assert heard.text == phrasebook.say(heard.sentence_key, "de") != phrasebook.say(heard.sentence_key, "en")


@pytest.mark.parametrize(("api", "fault", "kind"), EARLY_IN_CHAT)
async def test_the_next_model_answers(
    api: Api, fault: Script, kind: type[ModelError], *, server: OpenAIApi, other: OpenAIApi, house: House
) -> None:
    server.will(fault, fault, fault)
    other.will(say("Leonardo da Vinci."))
    async with house.assistant(api, [server, other], patience=soon(kind)) as assistant:
        heard = await ask(assistant, UNKNOWN)
    assert heard.text == "Leonardo da Vinci."
    assert (heard.reports[0].trace.engine, heard.reports[0].trace.model) == ("openai", "a-model")


@pytest.mark.parametrize(("api", "fault", "kind"), LATE)
async def test_what_was_said_stays_said_and_the_reason_follows(
    api: Api, fault: Script, kind: type[ModelError], *, server: OpenAIApi, house: House
) -> None:
    server.will(fault)
    async with house.assistant(api, [server], patience=soon(kind)) as assistant:
        heard = await ask(assistant, UNKNOWN)
    assert heard.text.startswith("It is on.")
    assert heard.text.endswith(phrasebook.say(told_as(kind), "en"))


@pytest.mark.parametrize(("api", "fault", "kind"), EARLY_IN_CHAT)
async def test_a_model_that_fails_after_its_tools_ran_is_no_dead_end(
    api: Api, fault: Script, kind: type[ModelError], *, server: OpenAIApi, house: House
) -> None:
    server.will(call("tell"), fault, fault, fault)
    async with house.assistant(api, [server], patience=soon(kind)) as assistant:
        heard = await ask(assistant, KNOWN)
    assert heard.text == await house.truth()
    assert heard.reports[0].trace.tools == ("tell",)


@pytest.mark.parametrize("api", APIS)
async def test_an_endless_answer_ends(api: Api, server: OpenAIApi, house: House) -> None:
    server.will(faults.endless(api))
    async with house.assistant(api, [server]) as assistant:
        assert (await ask(assistant, UNKNOWN)).text.startswith("The light is on.")


@pytest.mark.parametrize(("api", "fault", "kind"), EARLY)
async def test_what_stays_broken_is_answered_without_asking(
    api: Api, fault: Script, kind: type[ModelError], *, server: OpenAIApi, house: House
) -> None:
    server.will(*[fault] * 3 * FAILURES)
    async with house.assistant(api, [server], patience=soon(kind)) as assistant:
        answers = [await ask(assistant, KNOWN) for _ in range(FAILURES)]
        asked = len(server.requests)
        answers += [await ask(assistant, KNOWN), await ask(assistant, UNKNOWN)]
    assert {heard.text for heard in answers[:-1]} == {await house.truth()}
    assert answers[-1].sentence_key == told_as(kind)
    if kind is not RequestRefused:  # one bad request says nothing about the next
        assert len(server.requests) == asked
