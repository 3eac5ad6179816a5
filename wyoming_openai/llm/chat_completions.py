"""Chat Completions: our messages → theirs, their chunks → ours. Spoken by nearly every server."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..messages import (
    AssistantMessage,
    JsonObject,
    Message,
    SystemMessage,
    ToolCall,
    ToolResult,
    ToolSpec,
    Usage,
    UserMessage,
)
from .dialect import Dialect
from .errors import RefusedByServer, refusal
from .models import ModelSettings, accepts_sampling, reasoning_effort, reasons
from .types import ModelRequest
from .wire import (
    ReplyReader,
    arguments_text,
    is_json_object,
    own_id,
    part_of,
    request_body,
    start_of_turn,
    tokens_in,
    told,
    valid_arguments,
)

PATH = "/chat/completions"


def dialect(settings: ModelSettings, official: bool) -> Dialect:
    """What is known of a server before the first request; `official` is OpenAI itself, or Azure."""
    tokens = "max_completion_tokens" if official or reasons(settings.model) else "max_tokens"
    effort = settings.reasoning_effort or reasoning_effort(settings.model)
    sampling = accepts_sampling(settings.model, effort)
    options = {
        tokens: settings.max_tokens,
        "temperature": settings.temperature if sampling else None,
        "top_p": settings.top_p if sampling else None,
        "reasoning_effort": effort,
        "stream_options": {"include_usage": True},
        "store": False if official else None,
        "prompt_cache_key": "" if official else None,
    }
    return Dialect(
        "chat",
        {name: value for name, value in options.items() if value is not None},
        system_role="developer" if official else "system",
        one_system_message=not official,
    )


def to_body(request: ModelRequest, model: str, dialect: Dialect) -> JsonObject:
    """The whole request."""
    written = to_messages(told(request, dialect), dialect.system_role)
    return request_body(request, dialect, {"model": model, "messages": written}, to_tools)


def to_messages(messages: Sequence[Message], system_role: str = "system") -> list[JsonObject]:
    """Our messages as the API wants them. What the provider asked to have back goes back within the turn only."""
    turn = start_of_turn(messages)
    return [
        written
        for number, message in enumerate(messages)
        if (written := _to_message(message, system_role, within_turn=number > turn))
    ]


def to_tools(tools: Sequence[ToolSpec]) -> list[JsonObject]:
    """Our tools as the API wants them."""
    return [
        {
            "type": "function",
            "function": {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)},
        }
        for tool in tools
    ]


def _to_message(message: Message, system_role: str, *, within_turn: bool) -> JsonObject | None:
    match message:
        case SystemMessage(text):
            return {"role": system_role, "content": text}
        case UserMessage(text):
            return {"role": "user", "content": text}
        case ToolResult(id=call_id, content=content):
            return {"role": "tool", "tool_call_id": call_id, "content": content}
        case AssistantMessage(text, calls, native):
            if not text and not calls:
                return None  # several servers refuse an empty message
            return _to_assistant_message(text, calls, native if within_turn else ())


def _to_assistant_message(text: str, calls: tuple[ToolCall, ...], native: tuple[JsonObject, ...]) -> JsonObject:
    extra = native[0] if native else {}
    written: JsonObject = {"role": "assistant", "content": text or None, **extra.get("message", {})}
    if calls:
        written["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": valid_arguments(call)},
                **extra.get("calls", {}).get(call.id, {}),
            }
            for call in calls
        ]
    return written


@dataclass(slots=True)
class _Call:
    """A tool call that is still being written."""

    id: str = ""
    name: str = ""
    arguments: str = ""
    extra: JsonObject = field(default_factory=dict)


class ChatReader(ReplyReader):
    """Chunks of a chat completion → a reply."""

    def __init__(self) -> None:
        super().__init__()
        self._calls: list[_Call] = []
        self._by_index: dict[Any, _Call] = {}
        self._message: JsonObject = {}

    def _read(self, event: JsonObject) -> str:
        if event.get("error"):
            raise RefusedByServer(refusal(0, event))
        if usage := part_of(event, "usage"):
            self.usage = _usage(usage)
        text = ""
        for choice in event.get("choices") or ():
            if choice.get("index"):
                continue  # only one answer was asked for
            text += self._read_choice(choice)
        self.complete = self.finished and bool(usage)
        return text

    def _read_choice(self, choice: JsonObject) -> str:
        delta = choice.get("delta") or {}
        self._read_thought(delta)
        for call in delta.get("tool_calls") or ():
            self._read_call(call)
        match choice.get("finish_reason"):
            case None | "":
                pass
            case "error":
                raise RefusedByServer(refusal(0, choice.get("error") or "the server stopped with an error"))
            case reason:
                self.finished = True
                self.truncated = reason in ("length", "model_length", "content_filter")
        return _text(delta.get("content")) + _text(delta.get("refusal"))

    def _read_thought(self, delta: JsonObject) -> None:
        """Thoughts are never said; DeepSeek and OpenRouter want theirs back with the results of tools."""
        thought = delta.get("reasoning_content")
        self._thought(thought or delta.get("reasoning"))  # some give the same under both names
        if thought:
            self._message["reasoning_content"] = self._message.get("reasoning_content", "") + thought
        if details := delta.get("reasoning_details"):
            self._message["reasoning_details"] = [*self._message.get("reasoning_details", ()), *details]

    def _read_call(self, delta: JsonObject) -> None:
        function = delta.get("function") or {}
        piece = arguments_text(function.get("arguments"))
        call = self._call_of(delta, function.get("name") or "", piece)
        call.id = call.id or delta.get("id") or ""
        call.name = call.name or function.get("name") or ""
        call.arguments = self._called(call.arguments, piece)
        if extra := delta.get("extra_content"):  # Google's thought signature, wanted back
            call.extra["extra_content"] = extra

    def _call_of(self, delta: JsonObject, name: str, piece: str) -> _Call:
        """The call that a delta continues, or a new one.

        Servers differ: no index, always index 0, no ids, the name once or every time, a call in one chunk or in many.
        """
        index, call_id = delta.get("index"), delta.get("id")
        call = self._by_index.get(index) if index is not None else (self._calls[-1] if self._calls else None)
        another = call is not None and (
            (call_id and call.id and call_id != call.id)
            or (name and piece and call.name and not call_id and is_json_object(call.arguments))
        )
        if call is None or another:
            call = _Call()
            self._calls.append(call)
            self._by_index[index] = call
        return call

    def calls(self) -> tuple[ToolCall, ...]:
        taken: set[str] = set()
        for call in self._calls:
            call.id = own_id(call.id, taken)
            taken.add(call.id)
        return tuple(
            ToolCall(call.id, call.name, call.arguments or "{}")
            for call in self._calls
            if call.name and (not self.truncated or is_json_object(call.arguments))
        )

    def native(self) -> tuple[JsonObject, ...]:
        calls = {call.id: call.extra for call in self._calls if call.extra}
        return ({"message": self._message, "calls": calls},) if self._message or calls else ()


def _text(content: Any) -> str:
    """Text of a delta; Mistral's reasoning models send a list of parts."""
    if content is None or isinstance(content, str):
        return content or ""
    return "".join(part["text"] for part in content if part.get("type") == "text")


def _usage(usage: JsonObject) -> Usage:
    prompt, completion = part_of(usage, "prompt_tokens_details"), part_of(usage, "completion_tokens_details")
    return Usage(
        tokens_in(usage, "prompt_tokens"),
        tokens_in(prompt, "cached_tokens") or tokens_in(usage, "prompt_cache_hit_tokens"),
        tokens_in(usage, "completion_tokens"),
        tokens_in(completion, "reasoning_tokens"),
        tokens_in(prompt, "cache_write_tokens"),
    )
