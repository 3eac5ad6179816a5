"""Watches a turn from outside, for the log.

`recorded(reply, log, agent)` wraps `Assistant.reply`; `Watched(model)` wraps its model, and notes what was sent.
"""

import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Protocol

from ..llm import ChatModel, ModelEvent, ModelReply, ModelRequest
from ..messages import (
    CALLER_LEFT,
    AssistantMessage,
    CannotAnswer,
    Message,
    SystemMessage,
    ToolResult,
    Trace,
    UserMessage,
    Utterance,
)
from .turn_log import Sent, ToolRun, TurnLog, TurnRecord

MAX_TEXT = 20_000
"""Characters kept of one message: a whole home, but no more than that."""
ROLES: Mapping[type, str] = {SystemMessage: "system", UserMessage: "user", AssistantMessage: "assistant"}


class Reply(Protocol):
    """`Assistant.reply`."""

    def __call__(self, utterance: Utterance, report: Callable[[Trace], None], /) -> AsyncGenerator[str, None]: ...


@dataclass
class _Seen:
    """What a model was sent in a turn, and when its tools ran."""

    requests: list[ModelRequest] = field(default_factory=list)
    moments: dict[str, float] = field(default_factory=dict)
    """On the clock of `time.perf_counter`."""

    def asked(self, request: ModelRequest) -> None:
        """A request goes out; one after the first brings the results of tools."""
        if self.requests:
            self.moments["tools_done"] = time.perf_counter()
        self.requests.append(request)

    def answered(self, request: ModelRequest, reply: ModelReply) -> None:
        """The model has spoken, or called tools."""
        if reply.message.tool_calls:
            self.moments.setdefault("tools", time.perf_counter())
        self.requests[-1] = replace(request, messages=(*request.messages, reply.message))


_SEEN: ContextVar[_Seen | None] = ContextVar("what the model was sent", default=None)
"""In the turn that this task answers; None where nobody wants to know."""


class Watched:
    """A model of which the log learns what it was sent."""

    def __init__(self, model: ChatModel) -> None:
        self._model = model

    @property
    def name(self) -> str:
        return self._model.name

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        """As the model's own."""
        seen = _SEEN.get()
        if seen is not None:
            seen.asked(request)
        async with aclosing(self._model.stream(request)) as events:
            async for event in events:
                if seen is not None and isinstance(event, ModelReply):
                    seen.answered(request, event)
                yield event

    async def warm(self) -> None:
        """As the model's own."""
        await self._model.warm()

    async def close(self) -> None:
        """As the model's own."""
        await self._model.close()


async def recorded(
    reply: Reply,
    log: TurnLog,
    agent: str,
    utterance: Utterance,
    *,
    tried: bool = False,
    report: Callable[[Trace], None] = lambda _: None,
    kept: Callable[[TurnRecord], None] = lambda _: None,
) -> AsyncGenerator[str, None]:
    """A reply, kept in the log when it ends, however it ends. `kept` learns what was kept."""
    seen = _Seen()
    traces: list[Trace] = []
    heard: list[str] = []
    failure, at = "", time.time()
    _SEEN.set(seen)  # of this task alone: every question is answered by a task of its own, one at a time

    def note(trace: Trace) -> None:
        traces.append(_with_moments(trace, seen.moments))
        report(trace)

    try:
        async with aclosing(reply(utterance, note)) as pieces:
            async for piece in pieces:
                heard.append(piece)
                yield piece
    except CannotAnswer as error:
        failure = str(error)
        raise
    except GeneratorExit:
        failure = CALLER_LEFT
        raise
    except Exception as error:
        failure = type(error).__name__
        raise
    finally:
        _SEEN.set(None)
        trace = traces[0] if traces else Trace()
        turn = _turn(agent, utterance, trace, seen.requests, answer="".join(heard).strip(), failure=failure)
        turn = replace(turn, at=at, tried=tried)
        kept(replace(turn, id=log.add(turn)))


def _with_moments(trace: Trace, moments: Mapping[str, float]) -> Trace:
    """With what the model's side noted, on the turn's own clock: its total is now."""
    began = time.perf_counter() - trace.timings_ms.get("total", 0.0) / 1000
    more = {name: max(0.0, round((moment - began) * 1000, 1)) for name, moment in moments.items()}
    return replace(trace, timings_ms={**trace.timings_ms, **more})


def _turn(
    agent: str, utterance: Utterance, trace: Trace, requests: Sequence[ModelRequest], *, answer: str, failure: str
) -> TurnRecord:
    first = _first_part(requests[0].messages) if requests else ()
    return TurnRecord(
        agent=agent,
        question=utterance.text,
        answer=answer,
        language=utterance.language,
        device_id=utterance.device_id,
        satellite_id=utterance.satellite_id,
        area_id=utterance.area_id,
        conversation_id=utterance.conversation_id,
        engine=trace.engine if answer else "",
        model=trace.model,
        usage=trace.usage,
        cost=trace.cost,
        timings_ms=dict(trace.timings_ms),
        sent=tuple(Sent(ROLES[type(message)], message.text[:MAX_TEXT]) for message in first),
        tools=_tools(requests[-1].messages[len(first) :] if requests else ()),
        failure=failure or trace.failure,
    )


def _first_part(messages: Sequence[Message]) -> tuple[SystemMessage | UserMessage | AssistantMessage, ...]:
    """What was sent before the model said anything: up to the question."""
    last = max((at for at, message in enumerate(messages) if isinstance(message, UserMessage)), default=-1)
    return tuple(message for message in messages[: last + 1] if not isinstance(message, ToolResult))


def _tools(messages: Sequence[Message]) -> tuple[ToolRun, ...]:
    """The calls after the question, each with its result where there was one."""
    results = {message.id: message for message in messages if isinstance(message, ToolResult)}
    calls = [call for message in messages if isinstance(message, AssistantMessage) for call in message.tool_calls]
    return tuple(
        ToolRun(call.name, call.arguments[:MAX_TEXT], result.content[:MAX_TEXT], result.is_error)
        if (result := results.get(call.id))
        else ToolRun(call.name, call.arguments[:MAX_TEXT])
        for call in calls
    )
