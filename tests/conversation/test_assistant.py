"""The turn: the model and its tools answer, the local engine steps in, somebody always hears something."""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime

import pytest

from tests.fakes.assistants import assistant_of
from tests.fakes.model import Script, ScriptedModel, call, fail, say
from wyoming_openai.conversation.assistant import Assistant
from wyoming_openai.conversation.model_turn import ENOUGH, MAX_CALLS, MAX_CALLS_AT_ONCE, MAX_LOOKED_UP, MAX_ROUNDS
from wyoming_openai.conversation.request import HOME_IS_AWAY
from wyoming_openai.conversation.turn import Patience, TurnReport, log_turn
from wyoming_openai.hass.mirror import FixedMirror, Mirror, Phase, Status
from wyoming_openai.hass.snapshot import demo_home
from wyoming_openai.llm import ModelReply, ModelUnreachable, Restarted, TextDelta
from wyoming_openai.local_engine.engine import LocalEngine
from wyoming_openai.messages import (
    AssistantMessage,
    CannotAnswer,
    SystemMessage,
    ToolCall,
    ToolResult,
    ToolSpec,
    Usage,
    UserMessage,
    Utterance,
)
from wyoming_openai.speech import phrasebook
from wyoming_openai.tools import Tool, ToolContext, ToolError, schema
from wyoming_openai.usage.budgets import input_bound


async def _tell(context: ToolContext, *, what: str) -> object:
    if what == "nothing":
        raise ToolError("say what you want to know")
    return {"told": what, "home": context.home.config.location_name}


TELL = Tool(ToolSpec("tell", "Tells.", schema(what={"type": "string"}), read_only=True), _tell)


@pytest.fixture(scope="module")
def local() -> LocalEngine:
    return LocalEngine()


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel()


def assistant_with(
    model: ScriptedModel | None, local: LocalEngine, deadline: float = 10, mirror: Mirror | None = None
) -> Assistant:
    return assistant_of(
        mirror or FixedMirror(demo_home(datetime.now(UTC))),
        model,
        local=local,
        tools=[TELL],
        patience=Patience(deadline, 20),
        phone_patience=Patience(deadline, 10),
    )


@pytest.fixture
def assistant(model: ScriptedModel, local: LocalEngine) -> Assistant:
    return assistant_with(model, local)


def hear(text: str, conversation: str | None = "talk", language: str = "en") -> Utterance:
    return Utterance(text, language, conversation, "device")


async def spoken(pieces: AsyncGenerator[str, None]) -> str:
    async with aclosing(pieces):
        return "".join([piece async for piece in pieces]).strip()


async def test_the_model_is_told_of_the_home_and_asked_what_was_said(
    assistant: Assistant, model: ScriptedModel
) -> None:
    model.will(say("Hello", " there."))
    assert await spoken(assistant.reply(hear("hello"))) == "Hello there."
    first, *_, situation, question = model.requests[0].messages
    assert question == UserMessage("hello")
    assert isinstance(first, SystemMessage)
    assert isinstance(situation, SystemMessage)
    assert "Kitchen" in first.text + situation.text
    assert "if you cannot tell, in en." in situation.text


async def test_a_tool_result_reaches_the_model(assistant: Assistant, model: ScriptedModel) -> None:
    model.will(call("tell", '{"what": "time"}'), say("Done."))
    assert await spoken(assistant.reply(hear("tell me"))) == "Done."
    assert isinstance(model.requests[1].messages[-2], AssistantMessage)
    result = model.requests[1].messages[-1]
    assert isinstance(result, ToolResult)
    assert '"told":"time"' in result.content


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("tell", '{"what": "nothing"}', "say what you want to know"),
        ("tell", "{", "not JSON"),
        ("tell", "[]", "must be an object"),
        ("tell", '{"what": "x", "who": "me"}', "unexpected keyword argument"),
        ("sing", "{}", "no such tool; there are tell"),
    ],
)
async def test_what_is_wrong_with_a_call_is_told_to_the_model(
    name: str, arguments: str, told: str, assistant: Assistant, model: ScriptedModel
) -> None:
    model.will(call(name, arguments), say("Sorry."))
    assert await spoken(assistant.reply(hear("tell me"))) == "Sorry."
    result = model.requests[1].messages[-1]
    assert isinstance(result, ToolResult)
    assert result.is_error
    assert told in result.content


async def test_words_of_two_rounds_do_not_run_together(assistant: Assistant, model: ScriptedModel) -> None:
    model.will(call("tell", '{"what": "x"}', said="Let me see."), say("It is x."))
    assert await spoken(assistant.reply(hear("tell me"))) == "Let me see. It is x."


async def test_the_talk_goes_on_and_remembers_what_was_heard(assistant: Assistant, model: ScriptedModel) -> None:
    model.will(say("**Four.**"), say("Five."))
    await spoken(assistant.reply(hear("two and two?")))
    await spoken(assistant.reply(hear("and one more?")))
    assert model.requests[1].messages[1:3] == (UserMessage("two and two?"), AssistantMessage("Four."))


async def test_nothing_of_the_talk_reaches_another_device(assistant: Assistant, model: ScriptedModel) -> None:
    model.will(say("Four."), say("Hello."))
    await spoken(assistant.reply(hear("two and two?")))
    await spoken(assistant.reply(Utterance("hi", conversation_id="talk", device_id="other")))
    assert not any(isinstance(message, AssistantMessage) for message in model.requests[1].messages)


async def test_when_the_model_fails_the_local_engine_answers(assistant: Assistant, model: ScriptedModel) -> None:
    model.will(fail(ModelUnreachable("down")))
    reports: list[TurnReport] = []
    text = await spoken(assistant.reply(hear("what time is it?"), reports.append))
    assert text
    assert (reports[0].trace.engine, reports[0].trace.failure) == ("local", "down")


async def test_when_nobody_knows_the_failure_of_the_model_is_told(assistant: Assistant, model: ScriptedModel) -> None:
    model.will(fail(ModelUnreachable("down")))
    with pytest.raises(CannotAnswer) as error:
        await spoken(assistant.reply(hear("who painted the Mona Lisa?")))
    assert error.value.sentence_key == "model_unreachable"


async def test_a_failure_in_the_middle_keeps_what_was_said_and_says_why(
    assistant: Assistant, model: ScriptedModel
) -> None:
    model.will(fail(ModelUnreachable("cut"), "The light is on. ", "The window", " is open. And the d"))
    text = await spoken(assistant.reply(hear("what is on?")))
    assert text.startswith("The light is on.")
    assert text.endswith(phrasebook.say("model_unreachable", "en"))


async def test_what_a_model_said_before_another_began_is_not_heard(assistant: Assistant, model: ScriptedModel) -> None:
    model.will([TextDelta("The light is"), Restarted(), *say("It is ", "on.")])
    assert await spoken(assistant.reply(hear("what is on?"))) == "It is on."


async def test_what_was_heard_is_not_said_anew(assistant: Assistant, model: ScriptedModel) -> None:
    may_go_on = asyncio.Event()
    model.will([TextDelta("The light is on. The window"), may_go_on, *say("")])
    async with aclosing(assistant.reply(hear("what is on?"))) as pieces:
        assert await anext(pieces)
        assert not model.requests[0].unheard()


async def test_a_model_that_never_answers_is_stopped_at_the_deadline(model: ScriptedModel, local: LocalEngine) -> None:
    with pytest.raises(CannotAnswer) as error:
        await spoken(assistant_with(model, local, deadline=0.01).reply(hear("who painted the Mona Lisa?")))
    assert error.value.sentence_key == "too_slow"
    assert model.cancelled == 1


async def test_a_model_that_only_calls_tools_is_stopped(assistant: Assistant, model: ScriptedModel) -> None:
    model.will(*(call("tell", '{"what": "x"}') for _ in range(MAX_ROUNDS + 1)))
    with pytest.raises(CannotAnswer) as error:
        await spoken(assistant.reply(hear("who painted the Mona Lisa?")))
    assert error.value.sentence_key == "loop_limit"
    assert len(model.requests) == MAX_ROUNDS


@pytest.mark.parametrize("text", ["", "  ", "<think>hm</think>", "🙂", "```"])
async def test_a_reply_that_can_not_be_spoken_is_no_answer(
    text: str, assistant: Assistant, model: ScriptedModel
) -> None:
    model.will(say(text))
    with pytest.raises(CannotAnswer) as error:
        await spoken(assistant.reply(hear("who painted the Mona Lisa?")))
    assert error.value.sentence_key == "model_no_answer"


async def test_a_stream_without_an_end_is_no_answer(assistant: Assistant, model: ScriptedModel) -> None:
    model.will(
        [
            event
            for event in say("One sentence. ", "Another", " one. And half a sen")
            if not isinstance(event, ModelReply)
        ]
    )
    text = await spoken(assistant.reply(hear("who painted the Mona Lisa?")))
    assert text.endswith(phrasebook.say("model_no_answer", "en"))


async def test_a_caller_who_leaves_stops_the_model(assistant: Assistant, model: ScriptedModel) -> None:
    turn = asyncio.create_task(spoken(assistant.reply(hear("hello"))))
    await model.asked.wait()
    turn.cancel()
    with pytest.raises(asyncio.CancelledError):
        await turn
    assert model.cancelled == 1


async def test_a_turn_that_was_not_heard_is_not_remembered(assistant: Assistant, model: ScriptedModel) -> None:
    model.will(fail(ModelUnreachable("down")), say("Hi."))
    with pytest.raises(CannotAnswer):
        await spoken(assistant.reply(hear("who painted the Mona Lisa?")))
    await spoken(assistant.reply(hear("hello")))
    assert len(model.requests[1].messages) == 3


async def test_without_a_model_the_local_engine_answers(local: LocalEngine) -> None:
    assert await spoken(assistant_with(None, local).reply(hear("how many lights are on?")))


async def test_without_a_model_what_is_not_understood_is_said(local: LocalEngine) -> None:
    with pytest.raises(CannotAnswer) as error:
        await spoken(assistant_with(None, local).reply(hear("who painted the Mona Lisa?")))
    assert error.value.sentence_key == "not_understood"


async def test_without_a_model_control_is_refused_in_the_language_of_the_question(local: LocalEngine) -> None:
    text = await spoken(assistant_with(None, local).reply(hear("Schalte das Licht in der Küche an", language="de")))
    assert text == phrasebook.say("cannot_control", "de")


async def test_silence_is_named(assistant: Assistant) -> None:
    with pytest.raises(CannotAnswer) as error:
        await spoken(assistant.reply(hear("")))
    assert error.value.sentence_key == "nothing_heard"


async def test_a_model_that_calls_without_end_is_told_to_answer(assistant: Assistant, model: ScriptedModel) -> None:
    many = ModelReply(
        AssistantMessage("", tuple(ToolCall(f"c{n}", "tell", '{"what": "x"}') for n in range(200))), Usage(10, 0, 1, 0)
    )
    model.will([many], [many], [many], [many], say("Enough."))
    reports: list[TurnReport] = []
    assert await spoken(assistant.reply(hear("tell me everything"), reports.append)) == "Enough."
    assert len(reports[0].trace.tools) == MAX_CALLS
    called, *results = model.requests[1].messages[-1 - MAX_CALLS_AT_ONCE :]
    assert isinstance(called, AssistantMessage)
    assert [call.id for call in called.tool_calls] == [
        result.id for result in results if isinstance(result, ToolResult)
    ]
    assert not any(result.is_error for result in results if isinstance(result, ToolResult)), "all that is left was run"


async def test_a_model_that_was_told_enough_hears_it_once(assistant: Assistant, model: ScriptedModel) -> None:
    model.will(*(call("tell", json.dumps({"what": "x" * 10_000})) for _ in range(8)), say("Enough."))
    assert await spoken(assistant.reply(hear("tell me everything"))) == "Enough."
    sizes = [input_bound(request) for request in model.requests]
    assert max(sizes) - sizes[0] < MAX_LOOKED_UP + 12_000, "its last results may be larger than what was left"
    assert [request.messages.count(ENOUGH) for request in model.requests] == [0, 0, 0, 1, 1, 1, 1, 1, 1]


# ---- without the home


class AwayMirror(FixedMirror):
    """A home that was known once."""

    fresh = False

    @property
    def status(self) -> Status:
        return Status(Phase.LOST, datetime.now(UTC), "unplugged")

    async def wait_fresh(self, timeout: float) -> bool:
        return False


def away(model: ScriptedModel | None, local: LocalEngine) -> Assistant:
    return assistant_with(model, local, mirror=AwayMirror(demo_home(datetime.now(UTC))))


@pytest.mark.parametrize("text", ["how many lights are on?", "is any window open?", "how warm is it?", "sing a song"])
async def test_of_a_home_that_is_away_nothing_is_said_but_that(text: str, local: LocalEngine) -> None:
    with pytest.raises(CannotAnswer) as error:
        await spoken(away(None, local).reply(hear(text)))
    assert error.value.sentence_key == "home_unreachable"


async def test_what_needs_no_home_is_answered_while_it_is_away(local: LocalEngine) -> None:
    assert ":" in await spoken(away(None, local).reply(hear("what time is it?")))
    switched = hear("turn off all the lights")
    assert await spoken(away(None, local).reply(switched)) == phrasebook.say("cannot_control", "en")


async def test_a_model_that_is_down_and_a_home_that_is_away_make_no_untrue_answer(
    model: ScriptedModel, local: LocalEngine
) -> None:
    model.will(fail(ModelUnreachable("down")), fail(ModelUnreachable("down")))
    for text, sentence in (("how many lights are on?", "home_unreachable"), ("who was Mozart?", "model_unreachable")):
        with pytest.raises(CannotAnswer) as error:
            await spoken(away(model, local).reply(hear(text)))
        assert error.value.sentence_key == sentence


async def test_tools_say_that_the_home_is_away(model: ScriptedModel, local: LocalEngine) -> None:
    model.will(call("tell", '{"what": "x"}'), say("I can't know."))
    assert await spoken(away(model, local).reply(hear("tell me"))) == "I can't know."
    result = model.requests[1].messages[-1]
    assert isinstance(result, ToolResult)
    assert result.is_error
    assert HOME_IS_AWAY in result.content


# ---- what is noted


@pytest.mark.parametrize(
    ("script", "engine", "line"),
    [
        (say("Hello."), "openai", "Answered by openai"),
        (fail(ModelUnreachable("down")), "", "Not answered"),
        (fail(ModelUnreachable("cut"), "A sentence. And another. "), "openai", "Answered by openai"),
    ],
)
async def test_only_who_was_heard_has_answered(
    script: Script, engine: str, line: str, assistant: Assistant, model: ScriptedModel, caplog: pytest.LogCaptureFixture
) -> None:
    model.will(script)
    reports: list[TurnReport] = []
    with contextlib.suppress(CannotAnswer):
        await spoken(assistant.reply(hear("who painted the Mona Lisa?"), reports.append))
    with caplog.at_level("INFO"):
        log_turn(reports[0])
    assert reports[0].trace.engine == engine
    assert caplog.messages[-1].startswith(line)
