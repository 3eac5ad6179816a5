"""Chat Completions: what servers do differently, and what they are sent. One test a quirk."""

from typing import Any

import pytest

from wyoming_openai.llm import ModelReply, ModelRequest
from wyoming_openai.llm.chat_completions import ChatReader, to_body, to_messages
from wyoming_openai.llm.client import ModelSettings, first_dialect
from wyoming_openai.llm.errors import RefusedByServer
from wyoming_openai.llm.wire import BrokenStream
from wyoming_openai.messages import AssistantMessage, SystemMessage, ToolCall, ToolResult, ToolSpec, Usage, UserMessage

Json = dict[str, Any]

END: Json = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


def chunk(**delta: Any) -> Json:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}


def calls(*deltas: Json) -> Json:
    return chunk(tool_calls=list(deltas))


def read(*events: Json) -> ModelReply:
    reader = ChatReader()
    said = "".join(map(reader.feed, events))
    assert reader.finished
    reply = reader.reply()
    assert reply.message.text == said
    return reply


def called(*events: Json) -> list[tuple[str, str]]:
    """Names and arguments; every call has an id of its own."""
    found = read(*events, END).message.tool_calls
    assert all(call.id for call in found)
    assert len({call.id for call in found}) == len(found)
    return [(call.name, call.arguments) for call in found]


def function(name: str = "", arguments: Any = "") -> Json:
    return {"function": {"name": name, "arguments": arguments}}


# --- tool calls


def test_a_call_in_pieces_is_put_together() -> None:
    """OpenAI, llama.cpp."""
    pieces = [
        calls({"index": 0, "id": "a", **function("look", "")}),
        calls({"index": 0, "function": {"arguments": '{"name"'}}),
        calls({"index": 0, "function": {"arguments": ': "x"}'}}),
    ]
    assert called(*pieces) == [("look", '{"name": "x"}')]


def test_calls_may_be_interleaved() -> None:
    pieces = [
        calls({"index": 0, "id": "a", **function("look")}, {"index": 1, "id": "b", **function("find")}),
        calls({"index": 1, "function": {"arguments": '{"b": 1}'}}),
        calls({"index": 0, "function": {"arguments": '{"a": 1}'}}),
    ]
    assert called(*pieces) == [("look", '{"a": 1}'), ("find", '{"b": 1}')]


def test_whole_calls_may_lack_an_index() -> None:
    whole = [calls({"id": "a", **function("look", "{}")}), calls({"id": "b", **function("find", "{}")})]
    assert called(*whole) == [("look", "{}"), ("find", "{}")]


def test_pieces_may_lack_an_index_and_an_id() -> None:
    pieces = [calls(function("look", '{"a"')), calls({"function": {"arguments": ": 1}"}})]
    assert called(*pieces) == [("look", '{"a": 1}')]


@pytest.mark.parametrize("call_id", [{}, {"id": ""}, {"id": None}])
def test_calls_may_all_have_index_0_and_no_id(call_id: Json) -> None:
    """Gemini's compatible endpoint."""
    whole = [
        calls({"index": 0, **call_id, **function("look", '{"a": 1}')}),
        calls({"index": 0, **call_id, **function("look", '{"a": 2}')}),
    ]
    assert called(*whole) == [("look", '{"a": 1}'), ("look", '{"a": 2}')]


def test_calls_may_all_have_index_0_and_different_ids() -> None:
    """Ollama before 0.6."""
    whole = [
        calls({"index": 0, "id": "a", **function("look", "{}")}),
        calls({"index": 0, "id": "b", **function("find", "{}")}),
    ]
    assert called(*whole) == [("look", "{}"), ("find", "{}")]


def test_id_and_name_may_be_repeated_with_every_piece() -> None:
    pieces = [calls({"index": 0, "id": "a", **function("look", piece)}) for piece in ("", '{"a": ', "{}", "}", "")]
    assert called(*pieces) == [("look", '{"a": {}}')]


def test_the_name_may_be_repeated_without_an_id() -> None:
    pieces = [calls({"index": 0, **function("look", piece)}) for piece in ('{"a": ', "{}", "}", "")]
    assert called(*pieces) == [("look", '{"a": {}}')]


def test_arguments_may_be_an_object() -> None:
    assert called(calls({"index": 0, "id": "a", **function("look", {"a": "ü"})})) == [("look", '{"a": "ü"}')]


@pytest.mark.parametrize("nothing", ["", None])
def test_no_arguments_are_an_empty_object(nothing: Any) -> None:
    assert called(calls({"index": 0, "id": "a", **function("look", nothing)})) == [("look", "{}")]


def test_a_call_may_end_with_stop() -> None:
    """Several servers never say `tool_calls`."""
    assert called(calls({"index": 0, "id": "a", **function("look", "{}")})) == [("look", "{}")]


# --- text and thoughts


@pytest.mark.parametrize("name", ["reasoning", "reasoning_content"])
def test_thoughts_are_not_said(name: str) -> None:
    assert read(chunk(**{name: "Hm."}), chunk(content="Yes."), END).message.text == "Yes."


def test_thoughts_are_a_sign_of_life() -> None:
    reader = ChatReader()
    reader.feed(chunk(role="assistant", content=""))
    assert reader.received == 0
    reader.feed(chunk(reasoning="Hm."))
    assert reader.received > 0


def test_content_may_be_a_list_of_parts() -> None:
    """Mistral's reasoning models."""
    parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}, {"type": "text", "text": "Yes."}]
    assert read(chunk(content=parts), END).message.text == "Yes."


def test_a_chunk_without_choices_says_nothing() -> None:
    """Azure's first one tells of its content filter."""
    assert read({"choices": [], "prompt_filter_results": []}, chunk(content="Yes."), END).message.text == "Yes."


def test_a_second_choice_is_not_listened_to() -> None:
    other = {"choices": [{"index": 1, "delta": {"content": "No."}, "finish_reason": None}]}
    assert read(chunk(content="Yes."), other, END).message.text == "Yes."


def test_text_may_come_with_the_end() -> None:
    last = {"choices": [{"index": 0, "delta": {"content": "Yes."}, "finish_reason": "stop"}]}
    assert read(last).message.text == "Yes."


def test_an_end_with_an_error_is_an_error() -> None:
    """OpenRouter."""
    last = {"choices": [{"delta": {}, "finish_reason": "error", "error": {"code": 429, "message": "Slow down"}}]}
    with pytest.raises(RefusedByServer, match="429: Slow down"):
        read(chunk(content="Ye"), last)


# --- token counts


def test_token_counts_come_after_the_end_without_choices() -> None:
    reader = ChatReader()
    for event in (chunk(content="Yes."), END):
        reader.feed(event)
    assert reader.finished
    assert not reader.complete
    reader.feed({"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 2}})
    assert reader.complete
    assert reader.reply().usage == Usage(7, 0, 2, 0)


def test_token_counts_may_come_with_every_chunk() -> None:
    """vLLM's `continuous_usage_stats`."""
    events = [
        {**chunk(content=text), "usage": {"prompt_tokens": 7, "completion_tokens": n}}
        for n, text in ((1, "Y"), (2, "es"))
    ]
    assert read(*events, {**END, "usage": {"prompt_tokens": 7, "completion_tokens": 3}}).usage == Usage(7, 0, 3, 0)


def test_tokens_from_the_cache_have_two_names() -> None:
    counts = {"prompt_tokens": 100, "completion_tokens": 2, "prompt_cache_hit_tokens": 64}
    assert read(chunk(content="Yes."), END, {"choices": [], "usage": counts}).usage.cached_tokens == 64


# --- what comes back is sent back


def within_turn(message: AssistantMessage) -> list[Json]:
    return to_messages((UserMessage("Look!"), message, *(ToolResult(c.id, c.name, "{}") for c in message.tool_calls)))


def test_deepseek_gets_its_thoughts_back() -> None:
    reply = read(
        chunk(reasoning_content="I "), chunk(reasoning_content="look."), calls({"id": "a", **function("look")}), END
    )
    assert within_turn(reply.message)[1]["reasoning_content"] == "I look."


def test_openrouter_gets_its_thoughts_back() -> None:
    details = [{"type": "reasoning.encrypted", "data": "x"}]
    reply = read(chunk(reasoning_details=details), calls({"id": "a", **function("look")}), END)
    assert within_turn(reply.message)[1]["reasoning_details"] == details


def test_google_gets_its_signature_back() -> None:
    signature = {"google": {"thought_signature": "x"}}
    reply = read(calls({"index": 0, **function("look"), "extra_content": signature}), END)
    assert within_turn(reply.message)[1]["tool_calls"][0]["extra_content"] == signature


def test_an_answer_without_calls_carries_nothing_back() -> None:
    assert read(chunk(reasoning_content="Hm."), chunk(content="Yes."), END).message.native == ()


# --- requests


def test_a_whole_round_of_tools_in_the_form_of_the_api() -> None:
    call = ToolCall("a", "look", '{"name": "x"}')
    messages = (
        SystemMessage("Be brief."),
        UserMessage("Look!"),
        AssistantMessage("", (call,)),
        ToolResult("a", "look", "on"),
    )
    assert to_messages(messages, "developer") == [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": "Look!"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "a", "type": "function", "function": {"name": "look", "arguments": '{"name": "x"}'}}],
        },
        {"role": "tool", "tool_call_id": "a", "content": "on"},
    ]


def test_an_empty_answer_in_the_history_is_left_out() -> None:
    """Ollama refuses it."""
    assert to_messages((UserMessage("a"), AssistantMessage(""), UserMessage("b"))) == to_messages(
        (UserMessage("a"), UserMessage("b"))
    )


def body(base_url: str | None, *messages: Any, tools: tuple[ToolSpec, ...] = (), cache_key: str = "") -> Json:
    settings = ModelSettings(base_url=base_url, api="chat", model="m")
    return to_body(ModelRequest(messages, tools, cache_key), "m", first_dialect(settings))


def test_open_models_get_one_system_message_at_the_start() -> None:
    """The chat templates of several take no other."""
    talk = (
        SystemMessage("Rules."),
        UserMessage("a"),
        AssistantMessage("b"),
        SystemMessage("The light is on."),
        UserMessage("c"),
    )
    assert body("http://localhost:11434/v1", *talk)["messages"] == [
        {"role": "system", "content": "Rules.\n\nThe light is on."},
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b"},
        {"role": "user", "content": "c"},
    ]
    assert [message["role"] for message in body(None, *talk)["messages"]] == [
        "developer", "user", "assistant", "developer", "user",
    ]  # fmt: skip


def test_a_talk_without_rules_gets_no_system_message() -> None:
    assert body("http://localhost:11434/v1", UserMessage("a"))["messages"] == [{"role": "user", "content": "a"}]


def test_the_cache_key_goes_to_openai_only() -> None:
    assert body(None, UserMessage("a"), cache_key="k")["prompt_cache_key"] == "k"
    assert "prompt_cache_key" not in body(None, UserMessage("a"))
    assert "prompt_cache_key" not in body("http://localhost:11434/v1", UserMessage("a"), cache_key="k")


def test_a_request_without_tools_does_not_mention_them() -> None:
    """Empty lists are refused by OpenAI."""
    assert "tools" not in body(None, UserMessage("a"))


@pytest.mark.parametrize(
    "event",
    [
        {"choices": "x"},
        {"choices": ["x"]},
        {"choices": [{"delta": "x"}]},
        {"choices": [{"delta": {"content": 5}}]},
        {"choices": [{"delta": {"tool_calls": "x"}}]},
        {"choices": [{"delta": {"tool_calls": [{"function": "x"}]}}]},
        {"choices": 5},
    ],
)
def test_an_unknown_shape_breaks_the_stream(event: Json) -> None:
    with pytest.raises(BrokenStream):
        ChatReader().feed(event)
