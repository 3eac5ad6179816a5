"""What was asked and answered, kept for some days for the owner to look at. The only place that keeps what people said.

`recorded(reply, log, agent)` wraps `Assistant.reply`; `Watched(model)` wraps its model, and notes what was sent.
"""

import logging
import sqlite3
import threading
import time
from collections import Counter, deque
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import orjson

from .llm import ChatModel, ModelEvent, ModelReply, ModelRequest
from .messages import (
    AssistantMessage,
    CannotAnswer,
    Message,
    SystemMessage,
    ToolResult,
    Trace,
    Usage,
    UserMessage,
    Utterance,
)

_LOGGER = logging.getLogger(__name__)

DAY = 86400.0
DEFAULT_DAYS = 7
MAX_TURNS = 5000
MAX_TEXT = 20_000
"""Characters kept of one message: a whole home, but no more than that."""
LATENCIES = 500
"""Turns of which the latency is known without the log."""
ROLES: Mapping[type, str] = {SystemMessage: "system", UserMessage: "user", AssistantMessage: "assistant"}


@dataclass(frozen=True, slots=True)
class Sent:
    """A message of a request: who speaks, and what."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class ToolRun:
    """A tool that the model called."""

    name: str
    arguments: str
    result: str = ""
    failed: bool = False


@dataclass(frozen=True, slots=True)
class TurnRecord:
    """One question and what became of it."""

    id: int = 0
    at: float = 0.0
    """When it was heard, seconds since 1970."""
    agent: str = ""
    question: str = ""
    answer: str = ""
    language: str = ""
    device_id: str | None = None
    area_id: str | None = None
    conversation_id: str | None = None
    engine: str = ""
    model: str = ""
    usage: Usage = field(default_factory=Usage)
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    sent: tuple[Sent, ...] = ()
    """The first request to the model; empty where no model was asked."""
    tools: tuple[ToolRun, ...] = ()
    failure: str = ""


@dataclass
class Tally:
    """Counts since the start, kept also where nothing that was said is."""

    turns: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By persona and engine; an engine `none` is a turn without an answer."""
    failures: int = 0
    tokens: Counter[str] = field(default_factory=Counter)
    latencies: deque[float] = field(default_factory=lambda: deque(maxlen=LATENCIES))
    """Milliseconds until the first text of the last turns."""
    seconds: float = 0.0
    last: float | None = None

    def add(self, turn: TurnRecord) -> None:
        """Count a turn."""
        self.turns[turn.agent, turn.engine or "none"] += 1
        self.failures += bool(turn.failure)
        self.tokens.update(
            input=turn.usage.input_tokens, cached=turn.usage.cached_tokens, output=turn.usage.output_tokens
        )
        self.seconds += turn.timings_ms.get("total", 0.0) / 1000
        self.last = turn.at
        if (first := turn.timings_ms.get("first_text")) is not None:
            self.latencies.append(first)


class TurnLog:
    """The turns of the last days, in a file or in memory. May be used by many threads."""

    def __init__(
        self, path: Path | None, *, days: float = DEFAULT_DAYS, clock: Callable[[], float] = time.time
    ) -> None:
        """`days` 0 keeps nothing, and forgets what an earlier run kept."""
        self.days = days
        self.tally = Tally()
        self._clock = clock
        self._lock = threading.Lock()
        self._connection = _open(path)
        self._forget()

    def add(self, turn: TurnRecord) -> int:
        """Keep a turn; returns its id, or 0 where nothing is kept. Never raises: an answer matters more."""
        turn = replace(turn, at=turn.at or self._clock())
        self.tally.add(turn)
        if not self.days:
            return 0
        try:
            with self._lock, self._connection as connection:
                row = connection.execute(
                    "INSERT INTO turns (at, agent, question, answer, content) VALUES (?, ?, ?, ?, ?)",
                    (turn.at, turn.agent, turn.question, turn.answer, orjson.dumps(asdict(turn), default=str)),
                )
                self._trim(connection)
                return row.lastrowid or 0
        except sqlite3.Error as error:
            _LOGGER.warning("A turn could not be kept: %s", error)
            return 0

    def latest(self, limit: int = 50, before: int | None = None, search: str = "") -> list[TurnRecord]:
        """The newest turns first; `before` an id for the next page."""
        query = "SELECT id, content FROM turns WHERE id < ? AND at >= ?"
        parameters: list[Any] = [before or 2**62, self._oldest()]
        if search:
            query += " AND (instr(lower(question), ?) OR instr(lower(answer), ?))"
            parameters += [search.lower()] * 2
        with self._lock:
            rows = self._connection.execute(f"{query} ORDER BY id DESC LIMIT ?", (*parameters, limit)).fetchall()
        return [_record(number, content) for number, content in rows]

    def get(self, number: int) -> TurnRecord | None:
        """One turn."""
        with self._lock:
            row = self._connection.execute(
                "SELECT content FROM turns WHERE id = ? AND at >= ?", (number, self._oldest())
            ).fetchone()
        return _record(number, row[0]) if row else None

    def delete(self, number: int | None = None) -> int:
        """Forget one turn, or all of them; says how many."""
        where, parameters = ("", ()) if number is None else (" WHERE id = ?", (number,))
        with self._lock, self._connection as connection:
            return connection.execute(f"DELETE FROM turns{where}", parameters).rowcount  # noqa: S608 - two constants

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def _oldest(self) -> float:
        return self._clock() - self.days * DAY

    def _forget(self) -> None:
        with self._lock, self._connection as connection:
            self._trim(connection)

    def _trim(self, connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM turns WHERE at < ?", (self._oldest(),))
        connection.execute("DELETE FROM turns WHERE id <= (SELECT max(id) FROM turns) - ?", (MAX_TURNS,))


def _open(path: Path | None) -> sqlite3.Connection:
    try:
        return _prepared(path)
    except (sqlite3.Error, OSError) as error:
        _LOGGER.warning("The turns can't be kept in %s (%s); they are kept in memory", path, error)
        return _prepared(None)


def _prepared(path: Path | None) -> sqlite3.Connection:
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
    connection = sqlite3.connect(path or ":memory:", check_same_thread=False)
    connection.execute("PRAGMA secure_delete=ON")  # what is deleted is gone from the file, too
    connection.execute(
        "CREATE TABLE IF NOT EXISTS turns (id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL, agent TEXT,"
        " question TEXT, answer TEXT, content BLOB)"
    )
    return connection


def _record(number: int, content: bytes) -> TurnRecord:
    row = orjson.loads(content)
    return TurnRecord(
        **{
            **row,
            "id": number,
            "usage": Usage(**row["usage"]),
            "sent": tuple(Sent(**each) for each in row["sent"]),
            "tools": tuple(ToolRun(**each) for each in row["tools"]),
        }
    )


# ---- watching a turn


class Reply(Protocol):
    """`Assistant.reply`."""

    def __call__(self, utterance: Utterance, report: Callable[[Trace], None], /) -> AsyncGenerator[str, None]: ...


_REQUESTS: ContextVar[list[ModelRequest] | None] = ContextVar("requests of this turn", default=None)
"""What the model was sent in the turn that this task answers; None where nobody wants to know."""


class Watched:
    """A model of which the log learns what it was sent."""

    def __init__(self, model: ChatModel) -> None:
        self._model = model

    @property
    def name(self) -> str:
        return self._model.name

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        """As the model's own."""
        requests = _REQUESTS.get()
        if requests is not None:
            requests.append(request)
        async with aclosing(self._model.stream(request)) as events:
            async for event in events:
                if requests is not None and isinstance(event, ModelReply):
                    requests[-1] = replace(request, messages=(*request.messages, event.message))
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
    report: Callable[[Trace], None] = lambda _: None,
    kept: Callable[[TurnRecord], None] = lambda _: None,
) -> AsyncGenerator[str, None]:
    """A reply, kept in the log when it ends, however it ends. `kept` learns what was kept."""
    requests: list[ModelRequest] = []
    traces: list[Trace] = []
    heard: list[str] = []
    failure, at = "", time.time()
    _REQUESTS.set(requests)  # of this task alone: every question is answered by a task of its own, one at a time

    def note(trace: Trace) -> None:
        traces.append(trace)
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
        failure = "the caller left"
        raise
    except Exception as error:
        failure = type(error).__name__
        raise
    finally:
        _REQUESTS.set(None)
        trace = traces[0] if traces else Trace()
        turn = _turn(agent, utterance, trace, requests, answer="".join(heard).strip(), failure=failure)
        turn = replace(turn, at=at)
        kept(replace(turn, id=log.add(turn)))


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
        area_id=utterance.area_id,
        conversation_id=utterance.conversation_id,
        engine=trace.engine if answer else "",
        model=trace.model,
        usage=trace.usage,
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
