"""Makes of a turn that has ended what the log keeps."""

from collections.abc import Mapping, Sequence

from ..messages import AssistantMessage, Message, SystemMessage, ToolResult, UserMessage
from .turn import TurnReport
from .turn_log import Sent, ToolRun, TurnRecord

MAX_TEXT = 20_000
"""Characters kept of one message: a whole home, but no more than that."""
ROLES: Mapping[type, str] = {SystemMessage: "system", UserMessage: "user", AssistantMessage: "assistant"}


def record_of(report: TurnReport, agent: str, *, tried: bool = False) -> TurnRecord:
    """What is kept of a turn. `tried`: asked by the owner on the page."""
    utterance, trace, requests, answer = report.utterance, report.trace, report.requests, report.answer
    first = _first_part(requests[0].messages) if requests else ()
    return TurnRecord(
        at=report.at,
        tried=tried,
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
        cost_usd=trace.cost_usd,
        timings_ms=dict(trace.timings_ms),
        sent=tuple(Sent(ROLES[type(message)], message.text[:MAX_TEXT]) for message in first),
        tools=_tools(requests[-1].messages[len(first) :] if requests else ()),
        failure=report.failure or trace.failure,
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
