"""The promises of the model seam, kept by both of OpenAI's APIs alike."""

import asyncio
import json
import logging
import socket
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import pytest

from tests.fakes.openai_api import Broken, HangUp, OpenAIApi, Raw, Say, Silence, call, error, say
from tests.llm.conftest import KEY
from wyoming_openai.llm import (
    BadCredentials,
    ChatModel,
    ModelBusy,
    ModelError,
    ModelReply,
    ModelRequest,
    ModelUnreachable,
    NoAnswer,
    QuotaExceeded,
    RequestRefused,
    TextDelta,
    UnknownModel,
)
from wyoming_openai.llm.client import ModelSettings
from wyoming_openai.llm.wire import MAX_ARGUMENTS, MAX_TEXT
from wyoming_openai.messages import AssistantMessage, SystemMessage, ToolCall, ToolResult, ToolSpec, Usage, UserMessage

SOON = 0.2  # a deadline that a test sits out

QUESTION = ModelRequest((SystemMessage("Be brief."), UserMessage("Is the light on?")))
LOOK = ToolSpec("look", "Looks.", {"type": "object", "properties": {"name": {"type": "string"}}}, read_only=True)

Connect = Callable[..., ChatModel]


@pytest.fixture(params=["responses", "chat"])
def connect_any(request: pytest.FixtureRequest, connect: Connect) -> Connect:
    """Models of either API."""
    return lambda **settings: connect(**{"api": request.param, **settings})


@pytest.fixture
def model(connect_any: Connect) -> ChatModel:
    return connect_any()


async def ask(model: ChatModel, request: ModelRequest = QUESTION) -> tuple[str, ModelReply]:
    """What was streamed, and the reply."""
    said, reply = await listen(model, request)
    assert isinstance(reply, ModelReply), reply
    return said, reply


async def listen(model: ChatModel, request: ModelRequest = QUESTION) -> tuple[str, ModelReply | ModelError]:
    """What was streamed, and how it ended."""
    said, reply = "", None
    try:
        async with aclosing(model.stream(request)) as stream:
            async for event in stream:
                assert reply is None, "nothing follows the reply"
                match event:
                    case TextDelta(text):
                        said += text
                    case ModelReply():
                        reply = event
    except ModelError as failure:
        return said, failure
    assert reply is not None
    return said, reply


def told(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The conversation in a request of either API."""
    messages: list[dict[str, Any]] = body.get("messages") or body["input"]
    return messages


# --- replies


async def test_text_streams_and_the_reply_has_all_of_it(model: ChatModel, api: OpenAIApi) -> None:
    api.will(say("Yes, ", "it ", "is."))
    said, reply = await ask(model)
    assert said == reply.message.text == "Yes, it is."
    assert reply.message == AssistantMessage("Yes, it is.")
    assert not reply.truncated


async def test_text_of_any_script_arrives_unharmed(model: ChatModel, api: OpenAIApi) -> None:
    text = "Zürich 21,5 °C – 日本語 🏠👩‍👩‍👧 \u2028 ok."
    api.will(say(*text))
    assert (await ask(model))[0] == text


async def test_tokens_are_counted(model: ChatModel, api: OpenAIApi) -> None:
    api.will(say("Yes.", usage=(120, 80, 30, 10)))
    assert (await ask(model))[1].usage == Usage(120, 80, 30, 10)


async def test_the_talk_arrives_in_order(model: ChatModel, api: OpenAIApi) -> None:
    await ask(
        model,
        ModelRequest(
            (SystemMessage("Be brief."), UserMessage("Hello"), AssistantMessage("Hi."), UserMessage("Is it on?"))
        ),
    )
    spoken = [(message["role"], message["content"]) for message in told(api.bodies[0])]
    assert spoken == [("system", "Be brief."), ("user", "Hello"), ("assistant", "Hi."), ("user", "Is it on?")]


async def test_half_a_surrogate_pair_does_not_stop_a_question(model: ChatModel, api: OpenAIApi) -> None:
    await ask(model, ModelRequest((UserMessage("caf\ud83c?"),)))
    assert told(api.bodies[0])[0]["content"] == "caf??"


async def test_a_refusal_of_the_model_is_spoken(model: ChatModel, api: OpenAIApi) -> None:
    api.will(say(refusal="I can't help with that."))
    said, reply = await ask(model)
    assert said == reply.message.text == "I can't help with that."


@pytest.mark.parametrize("why", ["length", "content_filter"])
async def test_a_reply_cut_short_says_so(model: ChatModel, api: OpenAIApi, why: str) -> None:
    api.will(say("It is", cut_short=why))
    said, reply = await ask(model)
    assert (said, reply.truncated) == ("It is", True)


@pytest.mark.parametrize("nothing", [say(), say(" ", "\n"), say(cut_short="length"), say(thought="Hm.")])
async def test_nothing_said_and_nothing_called_is_no_answer(model: ChatModel, api: OpenAIApi, nothing: Say) -> None:
    api.will(nothing)
    assert isinstance((await listen(model))[1], NoAnswer)


async def test_thoughts_are_never_said(model: ChatModel, api: OpenAIApi) -> None:
    api.will(say("Yes.", thought="The light may be on."))
    said, reply = await ask(model)
    assert said == reply.message.text == "Yes."


async def test_an_endless_reply_is_cut(connect_any: Connect, api: OpenAIApi) -> None:
    api.will(Broken(say(*["x" * 1000] * 100), after=90, end="stall"))
    said, reply = await ask(connect_any(max_tokens=16_384))
    assert said == reply.message.text == "x" * MAX_TEXT
    assert reply.truncated
    await asyncio.wait_for(api.gone.wait(), 5)


async def test_a_server_that_knows_no_limit_is_stopped_at_ours(model: ChatModel, api: OpenAIApi) -> None:
    api.will(Broken(say(*["Go on. "] * 1000), after=900, end="stall"))
    said, reply = await ask(model)
    assert reply.truncated
    assert 300 * 7 < len(said) < 300 * 10
    await asyncio.wait_for(api.gone.wait(), 5)


@pytest.mark.parametrize(
    "text",
    [
        "The light in the kitchen is on, and the window of the bedroom is open. " * 16,
        "Das Licht in der Küche ist an und das Fenster im Schlafzimmer steht offen. " * 14,
        "厨房的灯开着，卧室的窗户也开着。" * 22,
        "1234567 89 " * 50,
    ],
)
async def test_an_answer_within_its_limit_is_whole_however_it_comes(
    model: ChatModel, api: OpenAIApi, text: str
) -> None:
    """All have some 300 tokens."""
    for pieces in ((text,), tuple(text)):
        api.will(say(*pieces, usage=(100, 0, 300, 0)))
        said, reply = await ask(model)
        assert (said, reply.truncated, reply.usage.output_tokens) == (text, False, 300)


async def test_arguments_that_come_twice_count_once(connect_any: Connect, api: OpenAIApi) -> None:
    api.will(call("look", json.dumps({"name": "x" * 2000})))
    assert (await ask(connect_any(max_tokens=300)))[1].message.tool_calls[0].arguments


async def test_thoughts_without_an_end_are_stopped(connect: Connect, api: OpenAIApi) -> None:
    model = connect(api="chat")
    api.will(Broken(say("Never said.", thought="I wonder. " * 1000), after=90, end="stall"))
    assert isinstance((await listen(model))[1], NoAnswer)
    await asyncio.wait_for(api.gone.wait(), 5)


@pytest.mark.parametrize(
    "counts", [(12.0, "7", 3.0, None), (-5, 0, -7, 0), ([1], {}, "x", True), (2**63, 10**12, 1e300, 0)]
)
async def test_counts_that_are_none_spoil_no_answer(model: ChatModel, api: OpenAIApi, counts: tuple[Any, ...]) -> None:
    api.will(Say(("Yes.",), usage=counts))  # type: ignore[arg-type]
    said, reply = await ask(model)
    assert said == "Yes."
    assert reply.usage == (Usage(12, 7, 3) if counts[0] == 12.0 else Usage())


# --- tools


async def test_two_calls_with_one_id_are_told_apart(model: ChatModel, api: OpenAIApi) -> None:
    api.will(Say(calls=(("same", "look", '{"at": "a"}'), ("same", "look", '{"at": "b"}'))))
    calls = (await ask(model))[1].message.tool_calls
    assert [each.arguments for each in calls] == ['{"at": "a"}', '{"at": "b"}']
    assert calls[0].id == "same" != calls[1].id


async def test_arguments_of_any_depth_are_no_end(connect_any: Connect, api: OpenAIApi) -> None:
    model = connect_any(max_tokens=16_384)
    deep = '{"at": ' + "[" * 5000 + "]" * 5000 + "}"
    api.will(call("look", deep), say("Sorry."))
    reply = (await ask(model))[1]
    result = ToolResult(reply.message.tool_calls[0].id, "look", "Error: too deep", is_error=True)
    assert (await ask(model, ModelRequest((*QUESTION.messages, reply.message, result))))[0] == "Sorry."


async def test_tool_calls_arrive_whole(model: ChatModel, api: OpenAIApi) -> None:
    api.will(Say(("Let me see.",), calls=(("a", "look", '{"name": "lamp"}'), ("b", "look", "{}"))))
    said, reply = await ask(model, ModelRequest(QUESTION.messages, (LOOK,)))
    assert said == "Let me see."
    assert reply.message.tool_calls == (ToolCall("a", "look", '{"name": "lamp"}'), ToolCall("b", "look", "{}"))
    assert "look" in json.dumps(api.bodies[0]["tools"])


async def test_a_call_and_its_result_go_back(model: ChatModel, api: OpenAIApi) -> None:
    api.will(call("look", '{"name": "lamp"}', "call_7"), say("It is on."))
    reply = (await ask(model, ModelRequest(QUESTION.messages, (LOOK,))))[1]
    result = ToolResult("call_7", "look", '{"state": "on"}')
    said, _ = await ask(model, ModelRequest((*QUESTION.messages, reply.message, result), (LOOK,)))
    assert said == "It is on."
    *_, called, answered = told(api.bodies[1])
    assert "call_7" in json.dumps(called)
    assert answered in (
        {"role": "tool", "tool_call_id": "call_7", "content": '{"state": "on"}'},
        {"type": "function_call_output", "call_id": "call_7", "output": '{"state": "on"}'},
    )


async def test_thoughts_go_back_with_results_but_not_in_later_turns(connect_any: Connect, api: OpenAIApi) -> None:
    model = connect_any(model="gpt-5-mini")
    api.will(call("look", thought="I must look."))
    message = (await ask(model, ModelRequest(QUESTION.messages, (LOOK,))))[1].message
    within = (*QUESTION.messages, message, ToolResult("call_1", "look", "{}"))
    await ask(model, ModelRequest(within, (LOOK,)))
    await ask(model, ModelRequest((*within, AssistantMessage("Yes."), UserMessage("And now?")), (LOOK,)))
    sent = [any(word in json.dumps(body) for word in ("secret thoughts", "I must look.")) for body in api.bodies]
    assert sent == [False, True, False]


async def test_broken_arguments_are_reported_but_never_sent_back(model: ChatModel, api: OpenAIApi) -> None:
    api.will(call("look", '{"name": "la'))
    message = (await ask(model, ModelRequest(QUESTION.messages, (LOOK,))))[1].message
    assert message.tool_calls[0].arguments == '{"name": "la'
    await ask(model, ModelRequest((*QUESTION.messages, message, ToolResult("call_1", "look", "not JSON")), (LOOK,)))
    assert '{\\"name\\": \\"la' not in json.dumps(api.bodies[1])


async def test_a_call_that_was_cut_short_is_not_made(model: ChatModel, api: OpenAIApi) -> None:
    api.will(call("look", '{"name": "la', cut_short="length"))
    assert isinstance((await listen(model))[1], NoAnswer)


async def test_endless_arguments_are_no_answer(model: ChatModel, api: OpenAIApi) -> None:
    api.will(call("look", json.dumps({"name": "x" * MAX_ARGUMENTS})))
    assert isinstance((await listen(model))[1], NoAnswer)


# --- failures


@pytest.mark.parametrize(
    ("refused", "kind"),
    [
        (error(401, code="invalid_api_key"), BadCredentials),
        (error(403, "Country not supported"), BadCredentials),
        (error(402, "Insufficient Balance"), QuotaExceeded),
        (error(429, code="rate_limit_exceeded"), ModelBusy),
        (error(429, type="insufficient_quota", code="insufficient_quota"), QuotaExceeded),
        (error(404, "The model `a-model` does not exist or you do not have access to it."), UnknownModel),
        (error(404, 'model "a-model" not found, try pulling it first'), UnknownModel),
        (error(400, "a-model is not a valid model ID"), UnknownModel),
        (error(404, code="DeploymentNotFound"), UnknownModel),
        (error(400, code="context_length_exceeded"), RequestRefused),
        (error(413, "Too large"), RequestRefused),
        (error(408), ModelUnreachable),
        (error(500, "Sorry about that!"), ModelUnreachable),
        (error(503, "Overloaded"), ModelUnreachable),
        (Raw([b"<html>502 Bad Gateway</html>"], 502, "text/html"), ModelUnreachable),
        (Raw([b"null"], 418, "application/json"), ModelUnreachable),
    ],
)
async def test_a_refusal_becomes_its_kind_at_once(
    connect_any: Connect, api: OpenAIApi, refused: Raw, kind: type[ModelError]
) -> None:
    api.will(refused)
    assert type((await listen(connect_any(api="chat")))[1]) is kind
    assert len(api.requests) == 1


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"code": "server_error", "message": "Sorry"}, ModelUnreachable),
        ({"code": "rate_limit_exceeded", "message": "Slow down"}, ModelBusy),
        ({"code": "insufficient_quota", "message": "No money"}, QuotaExceeded),
        ({"code": 429, "message": "Slow down"}, ModelBusy),
        ({"code": "context_length_exceeded", "message": "Too long"}, RequestRefused),
    ],
)
async def test_an_error_inside_the_stream_becomes_its_kind(
    model: ChatModel, api: OpenAIApi, body: dict[str, Any], kind: type[ModelError]
) -> None:
    api.will(Broken(say("It ", "is ", "on."), after=2, then=body))
    assert type((await listen(model))[1]) is kind


@pytest.mark.parametrize(
    "broken",
    [
        Broken(say("It ", "is ", "on."), after=2),
        Broken(say("It ", "is ", "on."), after=2, end="cut"),
        Broken(say("It ", "is ", "on."), after=2, end="reset"),
        Broken(say("It ", "is ", "on."), after=2, then=b"data: [DONE]\n\n"),
        Broken(say("It ", "is ", "on."), after=2, then=b'data: {"cho\n\n'),
        Broken(say("It ", "is ", "on."), after=2, then=b"data: \xff\xfe\n\n"),
        Broken(say("It ", "is ", "on."), after=2, then=b"data: [1, 2]\n\n"),
        Broken(say("It ", "is ", "on."), after=2, then=b"data: null\n\n"),
        Broken(say("It ", "is ", "on."), after=2, then=b'data: {"choices": ["?"], "type": "response.completed"}\n\n'),
        Broken(say("It ", "is ", "on."), after=2, then=b"x" * 400_000),
        Broken(say("It ", "is ", "on."), after=0),
        Raw([]),
        Raw([b"<html>Please log in</html>"], 200, "text/html"),
        Raw([b'{"id": "1", "choices": [], "output": []}'], 200, "application/json"),
        Raw([], 302, "text/html"),
    ],
)
async def test_a_reply_without_its_end_is_a_failure(model: ChatModel, api: OpenAIApi, broken: Broken | Raw) -> None:
    api.will(broken)
    assert isinstance((await listen(model))[1], ModelUnreachable)


async def test_a_connection_that_breaks_after_the_end_does_no_harm(model: ChatModel, api: OpenAIApi) -> None:
    api.rejects["stream_options"] = error(400, "Unknown parameter: 'stream_options'.")
    api.will(Broken(say("It is on."), after=99, end="cut"))
    assert (await ask(model))[0] == "It is on."


async def test_an_error_in_place_of_a_stream_becomes_its_kind(model: ChatModel, api: OpenAIApi) -> None:
    api.will(Raw([b'{"error": {"message": "Slow down", "code": "rate_limit_exceeded"}}'], 200, "application/json"))
    assert isinstance((await listen(model))[1], ModelBusy)


async def test_nobody_at_the_address_is_a_failure(connect_any: Connect) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        model = connect_any(base_url=f"http://127.0.0.1:{unused.getsockname()[1]}/v1")
        failure = (await listen(model))[1]
    assert isinstance(failure, ModelUnreachable)
    assert "ConnectError" in str(failure)


@pytest.mark.parametrize("silent", [Silence(), Broken(say("Yes."), after=0, end="comments")])
async def test_a_model_that_does_not_begin_is_given_up(
    connect_any: Connect, api: OpenAIApi, silent: Silence | Broken
) -> None:
    api.will(silent)
    model = connect_any(first_token_timeout=SOON)
    await model.warm()
    assert isinstance((await listen(model))[1], ModelUnreachable)
    await asyncio.wait_for(api.gone.wait(), 5)


@pytest.mark.parametrize("end", ["stall", "comments"])
async def test_a_model_that_stops_in_the_middle_is_given_up(connect_any: Connect, api: OpenAIApi, end: Any) -> None:
    api.will(Broken(say("It ", "is ", "on."), after=2, end=end))
    said, failure = await listen(connect_any(gap_timeout=SOON))
    assert said == "It is "
    assert isinstance(failure, ModelUnreachable)
    await asyncio.wait_for(api.gone.wait(), 5)


async def test_the_whole_reply_has_a_deadline(connect_any: Connect, api: OpenAIApi) -> None:
    api.will(Broken(say("It ", "is ", "on."), after=2, end="stall"))
    model = connect_any(total_timeout=SOON)
    await model.warm()
    said, failure = await listen(model)
    assert said == "It is "
    assert isinstance(failure, ModelUnreachable)


async def test_a_server_that_lingers_after_the_end_does_not_hold_up_the_reply(model: ChatModel, api: OpenAIApi) -> None:
    api.will(Broken(say("It is on."), after=99, end="stall"))
    assert (await ask(model))[0] == "It is on."
    await asyncio.wait_for(api.gone.wait(), 5)


@pytest.mark.parametrize("status", [401, 429, 500])
async def test_no_error_text_holds_the_key(model: ChatModel, api: OpenAIApi, status: int) -> None:
    message = f"Incorrect API key provided: sk-proj-****mnop. You sent Bearer {KEY}\r\nand {KEY}."
    api.will(error(status, message), Broken(say("It"), after=1, then={"code": "x", "message": message}))
    for _ in range(2):
        text = str((await listen(model))[1])
        assert KEY not in text
        assert "mnop" not in text
        assert "\n" not in text
        assert "Incorrect API key" in text


# --- what servers do not accept


REJECTIONS = {
    "by its name": error(400, "Nope.", param="temperature", code="unsupported_value"),
    "by its text": error(400, "Unrecognized request argument supplied: temperature"),
    "as Mistral does": Raw(
        [b'{"detail": [{"type": "extra_forbidden", "loc": ["body", "temperature"], "msg": "Extra inputs"}]}'],
        422,
        "application/json",
    ),
    "as vLLM does": Raw(
        [b"{\"object\": \"error\", \"message\": \"[{'type': 'extra_forbidden', 'loc': ('body', 'temperature')}]\"}"],
        400,
        "application/json",
    ),
}


@pytest.mark.parametrize("rejection", REJECTIONS.values(), ids=REJECTIONS)
async def test_a_rejected_option_is_left_out_from_then_on(
    connect_any: Connect, api: OpenAIApi, rejection: Raw, caplog: pytest.LogCaptureFixture
) -> None:
    api.rejects["temperature"] = rejection
    model = connect_any(temperature=0.5, top_p=0.9)
    with caplog.at_level(logging.WARNING, "wyoming_openai"):
        for _ in range(2):
            assert (await ask(model))[0] == "OK"
    assert ["temperature" in body for body in api.bodies] == [True, False, False]
    assert all(body["top_p"] == 0.9 for body in api.bodies)
    assert len(caplog.messages) == 1
    assert "temperature" in caplog.messages[0]


async def test_several_rejected_options_are_left_out_one_by_one(connect_any: Connect, api: OpenAIApi) -> None:
    for name in ("temperature", "top_p", "max_tokens", "max_output_tokens", "stream_options", "store"):
        api.rejects[name] = error(400, f"Unknown parameter: '{name}'.", param=name)
    assert (await ask(connect_any(temperature=0.5, top_p=0.9)))[0] == "OK"


async def test_a_server_that_rejects_everything_is_given_up(connect_any: Connect, api: OpenAIApi) -> None:
    api.rejects["model"] = error(400, "Unsupported parameter: 'temperature'")
    assert isinstance((await listen(connect_any(temperature=0.5)))[1], RequestRefused)
    assert len(api.requests) == 2


async def test_tools_that_a_model_does_not_know_are_left_out_and_logged(
    model: ChatModel, api: OpenAIApi, caplog: pytest.LogCaptureFixture
) -> None:
    api.rejects["tools"] = error(400, "registry.ollama.ai/library/a-model does not support tools")
    with caplog.at_level(logging.WARNING, "wyoming_openai"):
        assert (await ask(model, ModelRequest(QUESTION.messages, (LOOK,))))[0] == "OK"
    assert "tools" in caplog.text


async def test_questions_at_once_learn_together(connect_any: Connect, api: OpenAIApi) -> None:
    api.rejects["temperature"] = REJECTIONS["by its name"]
    model = connect_any(temperature=0.5)
    answers = await asyncio.gather(*(ask(model) for _ in range(5)))
    assert [said for said, _ in answers] == ["OK"] * 5


async def test_a_server_without_responses_is_asked_through_chat(connect: Connect, api: OpenAIApi) -> None:
    api.missing = {"/v1/responses"}
    model = connect(api="responses")
    for _ in range(2):
        assert (await ask(model))[0] == "OK"
    assert [seen.path for seen in api.requests] == ["/v1/responses", "/v1/chat/completions", "/v1/chat/completions"]


async def test_a_wrong_address_is_named_as_such(connect: Connect, api: OpenAIApi) -> None:
    api.missing = {"/v1/chat/completions"}
    assert "base URL" in str((await listen(connect(api="chat")))[1])


# --- connections


async def test_questions_share_one_connection(model: ChatModel, api: OpenAIApi) -> None:
    for _ in range(3):
        await ask(model)
    assert len({seen.port for seen in api.requests}) == 1


async def test_a_rejected_request_keeps_the_connection(model: ChatModel, api: OpenAIApi) -> None:
    api.will(error(500))
    await listen(model)
    await ask(model)
    assert len({seen.port for seen in api.requests}) == 1


async def test_a_connection_closed_meanwhile_is_replaced(model: ChatModel, api: OpenAIApi) -> None:
    await ask(model)
    api.close_connections()
    assert (await ask(model))[0] == "OK"
    assert len({seen.port for seen in api.requests}) == 2


async def test_a_kept_connection_that_dies_under_a_question_is_replaced(model: ChatModel, api: OpenAIApi) -> None:
    api.will(say("Yes."), HangUp(), say("No."))
    await ask(model)
    assert (await ask(model))[0] == "No."
    first, second, third = (seen.port for seen in api.requests)
    assert first == second != third


async def test_a_new_connection_that_dies_is_a_failure(model: ChatModel, api: OpenAIApi) -> None:
    api.will(HangUp())
    assert isinstance((await listen(model))[1], ModelUnreachable)
    assert len(api.requests) == 1


async def test_nothing_is_asked_twice_once_the_model_speaks(model: ChatModel, api: OpenAIApi) -> None:
    api.will(say("Yes."), Broken(say("It ", "is."), after=1, end="reset"))
    await ask(model)
    assert isinstance((await listen(model))[1], ModelUnreachable)
    assert len(api.requests) == 2


async def test_who_stops_listening_stops_the_model(model: ChatModel, api: OpenAIApi) -> None:
    api.will(Broken(say("It ", "is ", "on."), after=1, end="stall"))
    async with aclosing(model.stream(QUESTION)) as stream:
        assert await anext(stream) == TextDelta("It ")
    await asyncio.wait_for(api.gone.wait(), 5)


async def test_a_cancelled_question_stops_the_model(model: ChatModel, api: OpenAIApi) -> None:
    api.will(Silence())
    asked = asyncio.create_task(listen(model))
    await asyncio.wait_for(api.asked.wait(), 5)
    asked.cancel()
    await asyncio.wait([asked])
    assert asked.cancelled()
    await asyncio.wait_for(api.gone.wait(), 5)


async def test_warming_up_opens_the_connection_and_asks_nothing(model: ChatModel, api: OpenAIApi) -> None:
    await model.warm()
    assert [seen.path for seen in api.looked_up] == ["/v1/models/a-model"]
    assert api.requests == []
    await ask(model)
    assert {seen.port for seen in api.looked_up} == {seen.port for seen in api.requests}


@pytest.mark.parametrize("path", ["/v1", "/nowhere"])
async def test_warming_up_never_raises(connect_any: Connect, api: OpenAIApi, path: str) -> None:
    await connect_any(base_url=api.url.removesuffix("/v1") + path, model="a/b c?d").warm()
    await connect_any(base_url="http://127.0.0.1:1/v1").warm()
    await connect_any(api_key="ключ").warm()


async def test_a_server_without_keys_needs_none(connect_any: Connect, api: OpenAIApi) -> None:
    assert (await ask(connect_any(api_key=None)))[0] == "OK"
    assert (await ask(connect_any(api_key="")))[0] == "OK"


async def test_the_key_is_sent_as_a_bearer(model: ChatModel, api: OpenAIApi) -> None:
    await ask(model)
    assert api.requests[0].headers["Authorization"] == f"Bearer {KEY}"


async def test_a_key_of_strange_letters_is_a_bad_key(connect_any: Connect) -> None:
    assert isinstance((await listen(connect_any(api_key="ключ")))[1], BadCredentials)


def test_the_key_is_not_shown_with_the_settings() -> None:
    assert KEY not in repr(ModelSettings(api_key=KEY))
