"""The Responses API: what servers do differently, and what they are sent. One test a quirk."""

from typing import Any

import pytest

from wyoming_openai.llm import ModelReply, ModelRequest
from wyoming_openai.llm.client import ModelSettings, first_dialect
from wyoming_openai.llm.errors import RefusedByServer
from wyoming_openai.llm.responses import ResponsesReader, to_body, to_input
from wyoming_openai.llm.wire import BrokenStream
from wyoming_openai.messages import AssistantMessage, SystemMessage, ToolCall, ToolResult, ToolSpec, Usage, UserMessage

Json = dict[str, Any]

CALL: Json = {"type": "function_call", "id": "fc_1", "call_id": "a", "name": "look", "arguments": "{}"}
THOUGHT: Json = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"}
END: Json = {"type": "response.completed", "response": {"status": "completed"}}


def text(delta: str) -> Json:
    return {"type": "response.output_text.delta", "delta": delta}


def done(item: Json) -> Json:
    return {"type": "response.output_item.done", "item": item}


def message(said: str, **more: Any) -> Json:
    return {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": said}], **more}


def read(*events: Json) -> ModelReply:
    reader = ResponsesReader()
    said = "".join(map(reader.feed, events))
    assert reader.complete
    reply = reader.reply()
    assert reply.message.text == said
    return reply


def test_events_may_lack_indexes_and_ids() -> None:
    """llama.cpp."""
    reply = read(
        text("Let me see."),
        {"type": "response.function_call_arguments.delta", "delta": "{}"},
        done({"type": "function_call", "call_id": "a", "name": "look", "arguments": "{}"}),
        END,
    )
    assert reply.message == AssistantMessage("Let me see.", (ToolCall("a", "look", "{}"),))


def test_text_may_come_with_the_end_only() -> None:
    end = {"type": "response.completed", "response": {"status": "completed", "output": [message("Yes.")]}}
    assert read(end).message.text == "Yes."


def test_text_that_was_streamed_is_not_repeated_at_the_end() -> None:
    end = {"type": "response.completed", "response": {"status": "completed", "output": [message("Yes.")]}}
    assert read(text("Yes."), end).message.text == "Yes."


def test_calls_may_come_with_the_end_only() -> None:
    end = {"type": "response.completed", "response": {"status": "completed", "output": [CALL]}}
    assert read(end).message.tool_calls == (ToolCall("a", "look", "{}"),)


def test_two_messages_are_two_lines() -> None:
    """Newer models comment on what they do before they answer."""
    start = {"type": "response.output_item.added", "item": {"type": "message", "content": []}}
    assert read(start, text("One "), text("moment."), start, text("Yes."), END).message.text == "One moment.\nYes."


@pytest.mark.parametrize("kind", ["reasoning_text", "reasoning_summary_text", "reasoning"])
def test_thoughts_are_a_sign_of_life_and_not_said(kind: str) -> None:
    reader = ResponsesReader()
    reader.feed({"type": "response.created", "response": {}})
    assert reader.received == 0
    assert reader.feed({"type": f"response.{kind}.delta", "delta": "Hm."}) == ""
    assert reader.received > 0


def test_events_of_kinds_to_come_are_passed_over() -> None:
    assert read({"type": "response.something.new", "x": 1}, {}, text("Yes."), END).message.text == "Yes."


@pytest.mark.parametrize(
    "event",
    [
        {"type": "response.failed", "response": {"error": {"code": "server_error", "message": "Sorry"}}},
        {"type": "error", "code": "server_error", "message": "Sorry", "param": None},
        {"type": "error", "error": {"code": "server_error", "message": "Sorry"}},
        {"error": {"code": "server_error", "message": "Sorry"}},
    ],
)
def test_an_error_has_many_forms(event: Json) -> None:
    with pytest.raises(RefusedByServer, match="server_error: Sorry"):
        read(text("Ye"), event)


def test_a_failure_without_a_reason_is_one() -> None:
    with pytest.raises(RefusedByServer):
        read({"type": "response.failed", "response": {"error": None}})


def test_tokens_are_counted() -> None:
    usage = {
        "input_tokens": 100,
        "input_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 30},
        "output_tokens": 20,
        "output_tokens_details": {"reasoning_tokens": 5},
    }
    end = {"type": "response.completed", "response": {"status": "completed", "usage": usage}}
    assert read(text("Yes."), end).usage == Usage(100, 60, 20, 5, 30)


def test_a_call_without_an_id_gets_one() -> None:
    call = {"type": "function_call", "call_id": "", "name": "look", "arguments": ""}
    first, second = read(done(call), done(call), END).message.tool_calls
    assert first.id != second.id != ""
    assert first.arguments == "{}"


# --- what comes back is sent back


def within_turn(said: AssistantMessage) -> list[Json]:
    results = [ToolResult(call.id, call.name, "{}") for call in said.tool_calls]
    return to_input((UserMessage("Look!"), said, *results))[1:]


def test_a_reasoning_model_gets_all_its_items_back_as_they_were() -> None:
    items = [THOUGHT, message("One moment.", id="msg_1", phase="commentary"), CALL]
    reply = read(text("One moment."), *map(done, items), END)
    assert within_turn(reply.message) == [*items, {"type": "function_call_output", "call_id": "a", "output": "{}"}]


def test_thoughts_that_can_not_be_read_again_are_not_sent_back() -> None:
    hidden = {"type": "reasoning", "id": "rs_1", "summary": []}
    assert read(done(hidden), done(CALL), END).message.native == ()


def test_calls_that_were_not_run_are_not_sent_back() -> None:
    said = read(done(THOUGHT), done(CALL), done({**CALL, "id": "fc_2", "call_id": "b"}), END).message
    kept = AssistantMessage(said.text, said.tool_calls[:1], said.native)
    assert [item["type"] for item in within_turn(kept)] == ["reasoning", "function_call", "function_call_output"]


def test_an_answer_without_calls_carries_nothing_back() -> None:
    assert read(done(THOUGHT), text("Yes."), END).message.native == ()


# --- requests


def test_a_whole_round_of_tools_in_the_form_of_the_api() -> None:
    call = ToolCall("a", "look", '{"name": "x"}')
    talk = (
        SystemMessage("Be brief."),
        UserMessage("Look!"),
        AssistantMessage("One moment.", (call,)),
        ToolResult("a", "look", "on"),
    )
    assert to_input(talk) == [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": "Look!"},
        {"role": "assistant", "content": "One moment."},
        {"type": "function_call", "call_id": "a", "name": "look", "arguments": '{"name": "x"}'},
        {"type": "function_call_output", "call_id": "a", "output": "on"},
    ]


def test_the_schemas_of_tools_are_not_held_to_be_strict() -> None:
    look = ToolSpec("look", "Looks.", {"type": "object", "properties": {}})
    body = to_body(ModelRequest((UserMessage("a"),), (look,), "k"), "m", first_dialect(ModelSettings(model="m")))
    assert body["tools"] == [
        {"type": "function", "name": "look", "description": "Looks.", "parameters": look.parameters, "strict": False}
    ]
    assert body["prompt_cache_key"] == "k"
    assert body["store"] is False


@pytest.mark.parametrize(
    "event",
    [
        {"type": "response.output_text.delta"},
        {"type": "response.output_text.delta", "delta": 5},
        {"type": "response.output_item.done", "item": "x"},
        {"type": "response.output_item.done", "item": {"type": "function_call"}},
        {"type": "response.completed"},
        {"type": "response.completed", "response": "x"},
        {"type": "response.completed", "response": {"output": [{"type": "message", "content": "x"}]}},
    ],
)
def test_an_unknown_shape_breaks_the_stream(event: Json) -> None:
    with pytest.raises(BrokenStream):
        ResponsesReader().feed(event)
