"""OpenAI's Responses API: our messages → its items, its events → ours. Stateless: nothing is stored with OpenAI."""

from collections.abc import Sequence
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

PATH = "/responses"
MIN_TOKENS = 16  # the API refuses less


def dialect(settings: ModelSettings, official: bool) -> Dialect:
    """What is known of a server before the first request; `official` is OpenAI itself, or Azure."""
    effort = settings.reasoning_effort or reasoning_effort(settings.model)
    sampling = accepts_sampling(settings.model, effort)
    options = {
        "max_output_tokens": max(MIN_TOKENS, settings.max_tokens),
        "temperature": settings.temperature if sampling else None,
        "top_p": settings.top_p if sampling else None,
        "reasoning": {"effort": effort} if effort else None,
        # What is not stored can only be continued with the thoughts in hand.
        "include": ["reasoning.encrypted_content"] if reasons(settings.model) else None,
        "store": False,
        "prompt_cache_key": "" if official else None,
    }
    return Dialect(
        "responses",
        {name: value for name, value in options.items() if value is not None},
        system_role="developer" if official else "system",
        one_system_message=not official,
    )


def to_body(request: ModelRequest, model: str, dialect: Dialect) -> JsonObject:
    """The whole request."""
    written = to_input(told(request, dialect), dialect.system_role)
    return request_body(request, dialect, {"model": model, "input": written}, to_tools)


def to_input(messages: Sequence[Message], system_role: str = "developer") -> list[JsonObject]:
    """Our messages as input items. The provider's own items go back within the turn only."""
    turn = start_of_turn(messages)
    return [
        item
        for number, message in enumerate(messages)
        for item in _to_items(message, system_role, within_turn=number > turn)
    ]


def to_tools(tools: Sequence[ToolSpec]) -> list[JsonObject]:
    """Our tools as the API wants them; without `strict: false` it would demand schemas of a narrower kind."""
    return [
        {
            "type": "function",
            "name": tool.name,
            "description": tool.description,
            "parameters": dict(tool.parameters),
            "strict": False,
        }
        for tool in tools
    ]


def _to_items(message: Message, system_role: str, *, within_turn: bool) -> list[JsonObject]:
    match message:
        case SystemMessage(text):
            return [{"role": system_role, "content": text}]
        case UserMessage(text):
            return [{"role": "user", "content": text}]
        case ToolResult(id=call_id, content=content):
            return [{"type": "function_call_output", "call_id": call_id, "output": content}]
        case AssistantMessage(text, calls, native):
            if native and within_turn:
                return _own_items(native, calls)
            said: list[JsonObject] = [{"role": "assistant", "content": text}] if text else []
            return [*said, *(_to_call(call) for call in calls)]


def _own_items(native: tuple[JsonObject, ...], calls: tuple[ToolCall, ...]) -> list[JsonObject]:
    """The provider's items unchanged, but no call that has no result."""
    known = {call.id for call in calls}
    kept: list[JsonObject] = []
    for item in native:
        if item.get("type") != "function_call" or item.get("call_id") in known:
            kept.append(item)
        elif kept and kept[-1].get("type") == "reasoning":
            kept.pop()  # a thought without what came of it is refused
    return kept


def _to_call(call: ToolCall) -> JsonObject:
    return {"type": "function_call", "call_id": call.id, "name": call.name, "arguments": valid_arguments(call)}


class ResponsesReader(ReplyReader):
    """Events of a response → a reply.

    Relies on the types of events and on items alone: llama.cpp leaves out indexes, sequence numbers and some events.
    """

    def __init__(self) -> None:
        super().__init__()
        self._items: list[JsonObject] = []
        self._arguments: dict[Any, str] = {}
        """By item; only their length counts, the whole ones come with the item."""
        self._new_message = False

    def _read(self, event: JsonObject) -> str:
        match event.get("type"):
            case "response.output_text.delta" | "response.refusal.delta":
                delta: str = event["delta"]
                return self._begun() + delta
            case "response.reasoning_text.delta" | "response.reasoning_summary_text.delta" | "response.reasoning.delta":
                self._thought(event.get("delta"))
            case "response.function_call_arguments.delta":
                arguments = self._arguments.get(event.get("item_id"), "")
                self._arguments[event.get("item_id")] = self._called(arguments, event["delta"])
            case "response.output_item.added":
                self._new_message = event["item"].get("type") == "message"
            case "response.output_item.done":
                self._read_item(event["item"])
            case "response.completed" | "response.incomplete":
                return self._read_end(event["response"])
            case "response.failed":
                raise RefusedByServer(refusal(0, event["response"].get("error") or "the response failed"))
            case "error":
                raise RefusedByServer(refusal(0, event))
            case None if event.get("error"):
                raise RefusedByServer(refusal(0, event))
        return ""

    def _begun(self) -> str:
        """What parts a second message from the first."""
        apart = "\n" if self._new_message and self.text else ""
        self._new_message = False
        return apart

    def _read_item(self, item: JsonObject) -> None:
        if item.get("type") == "function_call":
            arguments = arguments_text(item.get("arguments")) or "{}"
            has_come = bool(self._arguments.get(item.get("id")))
            self._called(arguments if has_come else "", "" if has_come else arguments)
            call_id = own_id(item.get("call_id") or item.get("id"), [each.get("call_id") for each in self._items])
            item = {**item, "call_id": call_id, "name": item["name"], "arguments": arguments}
        self._items.append(item)

    def _read_end(self, response: JsonObject) -> str:
        self.finished = self.complete = True
        self.truncated = response.get("status") == "incomplete"
        self.usage = _usage(part_of(response, "usage"))
        if not self._items:
            for item in response.get("output") or ():
                self._read_item(item)
        return "" if self.text else "".join(map(_text, self._items))

    def calls(self) -> tuple[ToolCall, ...]:
        return tuple(
            ToolCall(item["call_id"], item["name"], item["arguments"])
            for item in self._items
            if item.get("type") == "function_call" and (not self.truncated or is_json_object(item["arguments"]))
        )

    def native(self) -> tuple[JsonObject, ...]:
        """All items, if the model's thoughts or the phases of its messages are among them, else nothing."""
        if any(item.get("encrypted_content") or item.get("phase") for item in self._items):
            return tuple(
                item for item in self._items if item.get("type") != "reasoning" or item.get("encrypted_content")
            )
        return ()


def _text(item: JsonObject) -> str:
    if item.get("type") != "message":
        return ""
    return "".join(part.get("text") or part.get("refusal") or "" for part in item.get("content") or ())


def _usage(usage: JsonObject) -> Usage:
    given, made = part_of(usage, "input_tokens_details"), part_of(usage, "output_tokens_details")
    return Usage(
        tokens_in(usage, "input_tokens"),
        tokens_in(given, "cached_tokens"),
        tokens_in(usage, "output_tokens"),
        tokens_in(made, "reasoning_tokens"),
        tokens_in(given, "cache_write_tokens"),
    )
