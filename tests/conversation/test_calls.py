"""Turns as people live them: calls on a telephone, long answers, questions at the end, and a patience that ends."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import UTC, datetime

import pytest

from tests.fakes.assistants import assistant_of
from tests.fakes.model import Script, ScriptedModel, call, say
from wyoming_openai.conversation.assistant import Assistant
from wyoming_openai.conversation.memory import Memory
from wyoming_openai.conversation.turn import Patience, TurnReport
from wyoming_openai.hass.mirror import FixedMirror
from wyoming_openai.hass.snapshot import demo_home
from wyoming_openai.llm import ModelUnreachable, TextDelta
from wyoming_openai.local_engine.engine import LocalEngine
from wyoming_openai.messages import CannotAnswer, ToolSpec, UserMessage, Utterance
from wyoming_openai.speech import phrasebook, seconds
from wyoming_openai.tools import Tool, ToolContext, schema

MIRROR = FixedMirror(demo_home(datetime.now(UTC)))
LOCAL = LocalEngine()
OFFER = phrasebook.say("shall_i_go_on", "en")
LONG = " ".join(f"This is sentence number {number} of a long story." for number in range(1, 21))
FACTS = [f"The hiding place of key {number} is {word}." for number, word in enumerate(("mango", "violin", "quartz"))]


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


async def _never(context: ToolContext) -> object:
    await asyncio.Event().wait()


NEVER = Tool(ToolSpec("never", "Never comes back.", schema(), read_only=True), _never)


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def assistant(model: ScriptedModel, clock: Clock) -> Assistant:
    return assistant_with(model, Memory(clock))


def assistant_with(
    model: ScriptedModel | None,
    memory: Memory,
    name: str = "",
    deadline: float = 10,
    phone_deadline: float = 10,
    speak: float = 10,
) -> Assistant:
    return assistant_of(
        MIRROR,
        model,
        name=name,
        style="dry",
        local=LOCAL,
        memory=memory,
        tools=[NEVER],
        context_tokens=1000,
        patience=Patience(deadline, 20),
        phone_patience=Patience(phone_deadline, speak),
    )


def device(name: str) -> str:
    return next(found.id for found in MIRROR.home.registries.devices.values() if found.name == name)


def on_phone(text: str, language: str = "en") -> Utterance:
    return Utterance(text, language, "line", device("Hall phone"), "assist_satellite.hall_phone")


def on_satellite(text: str) -> Utterance:
    return Utterance(text, "en", "talk", device("Kitchen voice assistant"), "assist_satellite.kitchen")


async def spoken(pieces: AsyncGenerator[str, None]) -> str:
    async with aclosing(pieces):
        return "".join([piece async for piece in pieces]).strip()


def told(model: ScriptedModel) -> str:
    """All that the last request carried."""
    return "\n".join(message.text for message in model.requests[-1].messages if hasattr(message, "text"))


# Who is asking


@pytest.mark.parametrize(
    ("hear", "line"), [(on_phone, "Asked on: a telephone."), (on_satellite, "Asked on: a voice satellite.")]
)
async def test_the_model_is_told_who_listens(
    hear: Callable[[str], Utterance], line: str, assistant: Assistant, model: ScriptedModel
) -> None:
    model.will(say("Yes."))
    await spoken(assistant.reply(hear("is the garage open?")))
    assert line in told(model)
    assert "How you sound: dry" in told(model)


# Length


async def test_a_long_answer_goes_on_where_it_stopped_without_the_model(
    assistant: Assistant, model: ScriptedModel
) -> None:
    model.will(say(LONG))
    parts = [await spoken(assistant.reply(on_phone("tell me a story")))]
    while parts[-1].endswith(OFFER):
        parts.append(await spoken(assistant.reply(on_phone("Yes, go on!"))))
    assert len(parts) > 2
    assert all(seconds(part.removesuffix(OFFER), "en") <= 10 for part in parts)
    assert " ".join(part.removesuffix(OFFER).strip() for part in parts) == LONG
    assert await spoken(assistant.reply(on_phone("yes"))) == phrasebook.say("nothing_more", "en")
    assert len(model.requests) == 1


async def test_after_the_end_yes_is_a_word_for_the_model_again(assistant: Assistant, model: ScriptedModel) -> None:
    model.will(say("Shall I tell you a story?"), say("Once upon a time."))
    await spoken(assistant.reply(on_phone("hello")))
    assert await spoken(assistant.reply(on_phone("yes"))) == "Once upon a time."


async def test_who_asks_something_else_does_not_get_the_rest_later(assistant: Assistant, model: ScriptedModel) -> None:
    model.will(say(LONG), say("Nine."), say("Yes what?"))
    await spoken(assistant.reply(on_phone("tell me a story")))
    await spoken(assistant.reply(on_phone("what time is it?")))
    assert await spoken(assistant.reply(on_phone("yes"))) == "Yes what?"


async def test_a_satellite_is_told_as_much_as_fits_and_no_offer(assistant: Assistant, model: ScriptedModel) -> None:
    model.will(say(LONG))
    first = await spoken(assistant.reply(on_satellite("tell me a story")))
    assert first.endswith("story.")
    assert seconds(first, "en") <= 20
    rest = await spoken(assistant.reply(on_satellite("go on")))
    assert LONG.startswith(f"{first} {rest}")


async def test_who_cannot_be_found_again_gets_no_offer(assistant: Assistant, model: ScriptedModel) -> None:
    model.will(say(LONG))
    assert not (await spoken(assistant.reply(Utterance("tell me a story")))).endswith("?")


async def test_what_a_slow_model_says_beyond_the_limit_is_not_waited_for(
    assistant: Assistant, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wyoming_openai.conversation.turn.MORE_PATIENCE", 0.01)
    model.will(endless(LONG), say("And so on."))
    answer = await spoken(assistant.reply(on_phone("tell me a story")))
    assert answer.endswith(OFFER)
    while answer.endswith(OFFER):
        answer = await spoken(assistant.reply(on_phone("yes")))
    assert await spoken(assistant.reply(on_phone("yes"))) == "And so on."


def endless(text: str) -> Script:
    """Some words, and then neither more nor an end."""
    return [TextDelta(text + " "), asyncio.Event()]


# The end of an answer


async def test_an_idle_question_is_heard_on_the_phone_only(assistant: Assistant, model: ScriptedModel) -> None:
    answer = "The garage is open. Anything else?"
    model.will(say(answer), say(answer))
    assert await spoken(assistant.reply(on_phone("is the garage open?"))) == answer
    assert await spoken(assistant.reply(on_satellite("is the garage open?"))) == "The garage is open."


# Calls


@pytest.mark.parametrize("first_words", ["Hello, where is the key?", "hi", "Good evening."])
async def test_who_greets_begins_a_new_call(first_words: str, assistant: Assistant, model: ScriptedModel) -> None:
    model.will(*map(say, FACTS), say("Hello."))
    for fact in FACTS:
        await spoken(assistant.reply(on_phone(f"Remember: {fact}")))
    await spoken(assistant.reply(on_phone(first_words)))
    assert not any(word in told(model) for word in ("mango", "violin", "quartz"))


async def test_after_a_silence_somebody_else_may_be_there(
    assistant: Assistant, model: ScriptedModel, clock: Clock
) -> None:
    model.will(*map(say, FACTS), say("Hello."))
    for fact in FACTS:
        await spoken(assistant.reply(on_phone(f"Remember: {fact}")))
    clock.now += 40
    await spoken(assistant.reply(on_phone("where is the key?")))
    assert not any(word in told(model) for word in ("mango", "violin", "quartz"))


async def test_after_a_goodbye_somebody_else_is_there(assistant: Assistant, model: ScriptedModel) -> None:
    model.will(say(FACTS[0]), say("Bye!"), say("Hello."))
    await spoken(assistant.reply(on_phone(f"Remember: {FACTS[0]}")))
    await spoken(assistant.reply(on_phone("Thanks, goodbye!")))
    await spoken(assistant.reply(on_phone("where is the key?")))
    assert "mango" not in told(model)


async def test_a_call_that_was_hung_up_is_forgotten(assistant: Assistant, model: ScriptedModel) -> None:
    model.will(say(FACTS[0]))
    await spoken(assistant.reply(on_phone(f"Remember: {FACTS[0]}")))
    model.asked.clear()
    turn = asyncio.create_task(spoken(assistant.reply(on_phone("and?"))))
    await model.asked.wait()
    turn.cancel()
    await asyncio.wait([turn])
    model.will(say("Hello."))
    await spoken(assistant.reply(on_phone("where is the key?")))
    assert "mango" not in told(model)


async def test_the_rest_of_an_answer_is_for_its_own_call(
    assistant: Assistant, model: ScriptedModel, clock: Clock
) -> None:
    model.will(say(LONG), say("Yes what?"))
    await spoken(assistant.reply(on_phone("tell me a story")))
    clock.now += 60
    assert await spoken(assistant.reply(on_phone("yes"))) == "Yes what?"


async def test_within_a_call_the_talk_goes_on(assistant: Assistant, model: ScriptedModel, clock: Clock) -> None:
    model.will(say("Twenty degrees."), say("Nineteen."))
    await spoken(assistant.reply(on_phone("how warm is the kitchen?")))
    clock.now += 18
    await spoken(assistant.reply(on_phone("and the hall?")))
    assert UserMessage("how warm is the kitchen?") in model.requests[-1].messages


async def test_on_a_satellite_a_pause_or_a_greeting_changes_nothing(
    assistant: Assistant, model: ScriptedModel, clock: Clock
) -> None:
    model.will(say("Twenty degrees."), say("Nineteen."))
    await spoken(assistant.reply(on_satellite("how warm is the kitchen?")))
    clock.now += 200
    await spoken(assistant.reply(on_satellite("hey, and the hall?")))
    assert UserMessage("how warm is the kitchen?") in model.requests[-1].messages


async def test_agents_that_share_a_memory_do_not_share_a_talk(model: ScriptedModel, clock: Clock) -> None:
    memory = Memory(clock)
    model.will(say(FACTS[0]), say("Who knows."))
    await spoken(assistant_with(model, memory, "House").reply(on_satellite("where is the key?")))
    await spoken(assistant_with(model, memory, "Mario").reply(on_satellite("where is it?")))
    assert "mango" not in told(model)


# Patience


async def test_a_phone_has_a_deadline_of_its_own(model: ScriptedModel) -> None:
    assistant = assistant_with(model, Memory(), deadline=1000, phone_deadline=0.05)
    with pytest.raises(CannotAnswer) as error:
        await spoken(assistant.reply(on_phone("who painted the Mona Lisa?")))
    assert error.value.sentence_key == "too_slow"


@pytest.mark.parametrize("script", [[], endless("Half a sent"), call("never")], ids=["silent", "drip", "tool"])
async def test_at_the_deadline_the_true_answer_comes_before_an_apology(script: Script, model: ScriptedModel) -> None:
    if script:
        model.will(script)
    reports: list[TurnReport] = []
    assistant = assistant_with(model, Memory(), phone_deadline=0.3)
    await assistant.prepare("en")
    text = await spoken(assistant.reply(on_phone("how many lights are on?"), reports.append))
    assert text
    assert reports[0].trace.engine == "local"


async def test_who_waits_for_another_turn_of_the_talk_hears_something_in_time(model: ScriptedModel) -> None:
    memory = Memory()
    patient, hasty = assistant_with(model, memory), assistant_with(model, memory, deadline=0.05)
    first = asyncio.create_task(spoken(patient.reply(on_satellite("one"))))
    await model.asked.wait()
    with pytest.raises(CannotAnswer) as error:
        await spoken(hasty.reply(on_satellite("two")))
    assert error.value.sentence_key == "busy"
    first.cancel()
    await asyncio.wait([first])


async def test_a_failure_after_all_that_can_be_said_is_not_told(assistant: Assistant, model: ScriptedModel) -> None:
    model.will([TextDelta(LONG + " "), ModelUnreachable("cut")])
    assert (await spoken(assistant.reply(on_phone("tell me a story")))).endswith(f"story. {OFFER}")


async def test_a_list_of_the_local_engine_goes_on_as_well(clock: Clock) -> None:
    assistant = assistant_with(None, Memory(clock), speak=3)
    first = await spoken(assistant.reply(on_phone("which windows are closed?")))
    assert first.endswith(OFFER)
    assert seconds(first.removesuffix(OFFER), "en") <= 3.5
    assert await spoken(assistant.reply(on_phone("yes please"))) not in ("", first)
