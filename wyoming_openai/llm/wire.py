"""What both of OpenAI's APIs share: how messages are prepared, the event stream, a reply that grows out of it."""

import json
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from typing import Any

import orjson

from ..messages import AssistantMessage, JsonObject, Message, SystemMessage, ToolCall, ToolSpec, Usage, UserMessage
from .dialect import Dialect
from .types import ModelReply, ModelRequest, NoAnswer

MAX_EVENT = 256 * 1024
MAX_RESPONSE = 1024 * 1024  # OpenAI's events take 300 bytes a token: 256 KiB would cut honest answers of 900 tokens
MAX_TEXT = 16_000  # characters; nobody listens to 4,000, but thoughts in <think> tags are still part of it here
MAX_ARGUMENTS = 16 * 1024
MAX_DIGITS = 9  # of a number of tokens that can be true


def request_body(
    request: ModelRequest,
    dialect: Dialect,
    fields: JsonObject,
    tools: Callable[[Sequence[ToolSpec]], list[JsonObject]],
) -> JsonObject:
    """What both APIs are sent: their own `fields`, and what the server is known to accept."""
    body = {**fields, "stream": True, **dialect.options}
    if "prompt_cache_key" in body:
        body["prompt_cache_key"] = request.cache_key or None
    if dialect.tools and request.tools:
        body["tools"] = tools(request.tools)
    return {name: value for name, value in body.items() if value is not None}


def told(request: ModelRequest, dialect: Dialect) -> Sequence[Message]:
    """The request's messages, as many system messages among them as the server takes."""
    return one_system_message(request.messages) if dialect.one_system_message else request.messages


def one_system_message(messages: Sequence[Message]) -> list[Message]:
    """All system messages as one, at the start."""
    system = "\n\n".join(message.text for message in messages if isinstance(message, SystemMessage))
    rest: list[Message] = [message for message in messages if not isinstance(message, SystemMessage)]
    return [SystemMessage(system), *rest] if system else rest


def start_of_turn(messages: Sequence[Message]) -> int:
    """Where the last thing that a person said stands."""
    return max((number for number, message in enumerate(messages) if isinstance(message, UserMessage)), default=-1)


def valid_arguments(call: ToolCall) -> str:
    """Arguments that a server can parse again: Ollama and llama.cpp refuse a history with broken ones."""
    return call.arguments if is_json_object(call.arguments) else "{}"


class BrokenStream(Exception):
    """The bytes are no event stream, or the events have the wrong shape."""


class EventStream:
    """Bytes in any portions → the JSON objects of server-sent events. Raises `BrokenStream`."""

    def __init__(self) -> None:
        self.ended = False
        """`[DONE]` was read; nothing counts after it."""
        self._rest = b""
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> list[JsonObject]:
        """The events that are whole now."""
        self._size += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > MAX_EVENT or self._size > MAX_RESPONSE:
            raise BrokenStream("the response is too long")
        events = []
        for line in lines:
            if self.ended:
                break
            if line.startswith(b"data:"):
                self._data.append(line[5:].strip())
            elif self._data and not line.strip():
                events += self._event()
        return events

    def close(self) -> list[JsonObject]:
        """The event that the end of the stream completes; some servers leave out the last empty line."""
        return [*self.feed(b"\n"), *(self._event() if self._data and not self.ended else [])]

    def _event(self) -> list[JsonObject]:
        data, self._data = b"\n".join(self._data), []
        if data == b"[DONE]":
            self.ended = True
            return []
        try:
            event = orjson.loads(data)
        except orjson.JSONDecodeError as error:
            raise BrokenStream(f"no JSON in an event: {error}") from error
        if not isinstance(event, dict):
            raise BrokenStream("an event is no JSON object")
        return [event]


class ReplyReader(ABC):
    """Takes the events of one reply in order; afterwards it is the reply.

    Raises `Refused`, `NoAnswer` and `BrokenStream`.
    """

    def __init__(self) -> None:
        self.text = ""
        self.finished = False
        """The model has said that it is done; only then there is a reply."""
        self.complete = False
        """Nothing worth waiting for can follow."""
        self.truncated = False
        self.overflowed = False
        """The model went on and on, and we stopped listening."""
        self.received = 0
        """Characters of any kind so far: text, calls, thoughts. Grows while the model is alive."""
        self.usage = Usage()
        self._arrived: list[str] = []

    def feed(self, event: JsonObject) -> str:
        """The text that an event adds to the reply."""
        try:
            return self._said(self._read(event))
        except (TypeError, AttributeError, KeyError, ValueError) as error:
            raise BrokenStream(f"an event of an unknown shape: {type(error).__name__}: {error}") from error

    def arrived(self) -> str:
        """All that has come since this was asked last: text, calls, thoughts."""
        text = "".join(self._arrived)
        self._arrived.clear()
        return text

    def stop(self) -> None:
        """Take what there is for the whole: the model goes on and on."""
        self.overflowed = self.truncated = self.finished = self.complete = True

    @abstractmethod
    def _read(self, event: JsonObject) -> str:
        """The text in an event, noting everything else. What has an unknown shape may raise anything usual."""

    @abstractmethod
    def calls(self) -> tuple[ToolCall, ...]:
        """The tools that the model calls, as far as they are whole."""

    @abstractmethod
    def native(self) -> tuple[JsonObject, ...]:
        """What the provider wants back when the tools have run."""

    def reply(self) -> ModelReply:
        """The whole reply. Raises `NoAnswer` if there is nothing in it."""
        calls = self.calls()
        if not calls and not self.text.strip():
            raise NoAnswer("cut off before the first word" if self.truncated else "neither text nor a tool call")
        return ModelReply(
            AssistantMessage(self.text, calls, self.native() if calls else ()), self.usage, self.truncated
        )

    def _said(self, text: str) -> str:
        if not text:
            return ""
        text = text[: MAX_TEXT - len(self.text)]
        self.text += text
        self._take(text)
        if len(self.text) >= MAX_TEXT:
            self.stop()
        return text

    def _thought(self, text: object) -> None:
        self._take(text if isinstance(text, str) else "")

    def _called(self, arguments: str, piece: str) -> str:
        """Arguments of a call, one piece longer."""
        self.received += 1  # a call is a sign of life, also without arguments
        self._take(piece)
        if len(arguments) + len(piece) > MAX_ARGUMENTS:
            raise NoAnswer("the arguments of a tool call are too long")
        return arguments + piece

    def _take(self, piece: str) -> None:
        self._arrived.append(piece)
        self.received += len(piece)


def tokens_in(usage: JsonObject, name: str) -> int:
    """How many tokens a server says it counted; what can't be a number of them counts nothing."""
    value: Any = usage.get(name)
    if isinstance(value, str) and len(value) <= MAX_DIGITS and value.isdecimal():
        return int(value)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return int(value) if is_number and 0 < value < 10**MAX_DIGITS else 0


def part_of(usage: JsonObject, name: str) -> JsonObject:
    """The details of a count; empty where there are none."""
    part = usage.get(name)
    return part if isinstance(part, dict) else {}


def own_id(given: object, taken: Collection[object]) -> str:
    """The id of a call: an invented one where it came without, or with that of another."""
    return given if isinstance(given, str) and given and given not in taken else f"call_{uuid.uuid4().hex[:24]}"


def is_json_object(text: str) -> bool:
    """Whether arguments are whole."""
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def arguments_text(value: Any) -> str:
    """Arguments as JSON text; some servers send the object itself, or nothing for none."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
