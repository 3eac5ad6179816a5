"""A model above the seam that says what a test tells it to, and keeps what it was asked."""

import asyncio
from collections.abc import AsyncGenerator
from itertools import count

from wyoming_openai.llm import ModelError, ModelEvent, ModelReply, ModelRequest, TextDelta
from wyoming_openai.messages import AssistantMessage, ToolCall, Usage

_IDS = count(1)

Script = list[ModelEvent | ModelError | asyncio.Event]
"""What happens; at an event it waits."""


def say(*pieces: str, truncated: bool = False) -> Script:
    """A reply in pieces."""
    reply = ModelReply(AssistantMessage("".join(pieces)), Usage(10, 0, len(pieces), 0), truncated)
    return [*map(TextDelta, pieces), reply]


def call(name: str, arguments: str = "{}", said: str = "") -> Script:
    """A tool call, perhaps with words before it."""
    deltas: Script = [TextDelta(said)] if said else []
    return [
        *deltas,
        ModelReply(AssistantMessage(said, (ToolCall(str(next(_IDS)), name, arguments),)), Usage(10, 0, 1, 0)),
    ]


def fail(error: ModelError, *pieces: str) -> Script:
    """A failure, perhaps after some words."""
    return [*map(TextDelta, pieces), error]


class ScriptedModel:
    """Plays one script a request; without a script it never answers."""

    name = "scripted"

    def __init__(self) -> None:
        self.requests: list[ModelRequest] = []
        self.asked = asyncio.Event()
        self.cancelled = 0
        self._scripts: list[Script] = []

    def will(self, *scripts: Script) -> None:
        self._scripts += scripts

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        self.requests.append(request)
        self.asked.set()
        if not self._scripts:
            try:
                await asyncio.Event().wait()
            finally:
                self.cancelled += 1
        for event in self._scripts.pop(0):
            if isinstance(event, ModelError):
                raise event
            if isinstance(event, asyncio.Event):
                await event.wait()
            else:
                yield event

    async def warm(self) -> None: ...

    async def close(self) -> None: ...
