"""What the log keeps of a turn, however it ends."""

from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.fakes.assistants import assistant_of
from tests.fakes.closing import closed_later
from tests.fakes.model import ScriptedModel, call, fail, say
from wyoming_openai.conversation.assistant import Assistant
from wyoming_openai.conversation.turn import TurnReport
from wyoming_openai.conversation.turn_log import ToolRun, TurnLog, TurnRecord
from wyoming_openai.conversation.turn_recorder import record_of
from wyoming_openai.hass.mirror import FixedMirror
from wyoming_openai.hass.snapshot import demo_home
from wyoming_openai.llm import ModelError
from wyoming_openai.messages import CannotAnswer, ToolSpec, Utterance
from wyoming_openai.tools import Tool, ToolContext, schema


async def _look(context: ToolContext) -> str:
    return "seen"


LOOK = Tool(ToolSpec("look", "Looks.", schema(), read_only=True), _look)


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel()


@pytest.fixture
def assistant(model: ScriptedModel) -> Assistant:
    return assistant_of(FixedMirror(demo_home(datetime.now(UTC))), model, tools=[LOOK])


async def recorded(assistant: Assistant, text: str, **more: Any) -> TurnRecord:
    """What is kept of one question."""
    reports: list[TurnReport] = []
    try:
        async with aclosing(assistant.reply(Utterance(text), reports.append)) as pieces:
            async for _ in pieces:
                pass
    except CannotAnswer:
        pass
    [report] = reports
    return record_of(report, "House", **more)


async def test_a_turn_that_fails_is_kept_with_its_failure(assistant: Assistant, model: ScriptedModel) -> None:
    model.will(fail(ModelError("apology", "why not")))
    log = closed_later(TurnLog(None))
    log.add(await recorded(assistant, "who painted the Mona Lisa?"))
    [kept] = log.latest()
    assert (kept.failure, kept.answer, kept.agent) == ("why not", "", "House")
    assert log.tally.turns["House", "none"] == 1


async def test_what_was_never_begun_is_kept_too(assistant: Assistant) -> None:
    kept = await recorded(assistant, "")
    assert (kept.failure, kept.answer, kept.sent) == ("nothing_heard", "", ())
    assert kept.at > 0


async def test_a_caller_who_leaves_is_kept_with_what_was_heard(assistant: Assistant, model: ScriptedModel) -> None:
    model.will(say("One. ", "Two. ", "Three."))
    reports: list[TurnReport] = []
    pieces = assistant.reply(Utterance("Count."), reports.append)
    heard = await anext(pieces)
    await pieces.aclose()
    kept = record_of(reports[0], "House")
    assert (kept.answer, kept.failure) == (heard.strip(), "the caller left")


async def test_tools_are_on_the_timeline(assistant: Assistant, model: ScriptedModel) -> None:
    model.will(call("look"), say("Done."))
    kept = await recorded(assistant, "Look!", tried=True)
    assert kept.tried
    assert kept.tools == (ToolRun("look", "{}", "seen"),)
    assert [message.role for message in kept.sent] == ["system", "system", "user"]
    assert 0 <= kept.timings_ms["tools"] <= kept.timings_ms["tools_done"] <= kept.timings_ms["total"]


async def test_what_the_owner_tries_does_not_count_as_asked_at_home(assistant: Assistant, model: ScriptedModel) -> None:
    model.will(say("Done."), say("Done."))
    log = closed_later(TurnLog(None))
    log.add(await recorded(assistant, "Look!", tried=True))
    assert log.tally.last is None
    log.add(await recorded(assistant, "Look!"))
    assert log.tally.last is not None
