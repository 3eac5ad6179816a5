"""One utterance on its way to an answer: what it is answered from, until when, and what is noted about it."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

from ..hass.home import Area, Home
from ..llm import ModelReply, ModelRequest
from ..messages import CALLER_LEFT, CannotAnswer, Trace, Usage, Utterance
from .caller import Caller

_LOGGER = logging.getLogger(__name__)

MORE_PATIENCE = 1.0  # seconds for what a model has to say beyond what can be said at once


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a person waits and listens, in seconds."""

    deadline: float
    """Until something must be heard, whatever the model does."""
    answer_seconds: float
    """Of one answer, spoken."""


@dataclass(slots=True)
class Turn:
    """An utterance that is being answered."""

    utterance: Utterance
    home: Home
    area: Area | None
    now: datetime
    deadline: float | None
    """On the event loop's clock."""
    caller: Caller = field(default_factory=Caller)
    home_problem: str = ""
    """Why nothing is known of the home, as the key of a sentence; empty where it is known."""
    is_answer_full: bool = False
    """No more can be said than there is."""
    is_complete: bool = True
    """Whether the engine has said all it had to say."""
    started: float = field(default_factory=time.perf_counter)
    engine: str = ""
    model: str = ""
    usage: Usage = field(default_factory=Usage)
    calls: int = 0
    """Of models."""
    tools: list[str] = field(default_factory=list)
    timings_ms: dict[str, float] = field(default_factory=dict)
    failure: str = ""
    log_text: str = ""
    """The failure as it may be logged."""
    cost_usd: float = 0.0
    requests: list[ModelRequest] = field(default_factory=list)
    """What the model was sent, and behind it what it gave back, request by request."""

    def mark(self, name: str) -> None:
        """Note when something was reached for the first time."""
        self.timings_ms.setdefault(name, self._elapsed_ms())

    def _elapsed_ms(self) -> float:
        return round((time.perf_counter() - self.started) * 1000, 1)

    def asks(self, request: ModelRequest) -> None:
        """Note a request to the model; one after the first brings the results of tools."""
        if self.requests:
            self.timings_ms["tools_done"] = self._elapsed_ms()
        self.requests.append(request)

    def hears(self, reply: ModelReply) -> None:
        """Note what came of the last request."""
        if reply.message.tool_calls:
            self.mark("tools")
        last = self.requests[-1]
        self.requests[-1] = replace(last, messages=(*last.messages, reply.message))
        self.usage += reply.usage
        self.model = reply.model or self.model

    def note(self, error: CannotAnswer) -> None:
        """Note the first thing that went wrong."""
        if not self.failure:
            self.failure, self.log_text = str(error), error.log_text

    def fail(self, error: CannotAnswer) -> None:
        """Note why it ended early; who had said nothing by then has not answered it."""
        self.note(error)
        if "first_text" not in self.timings_ms:
            self.engine = ""

    def stop_waiting_soon(self) -> None:
        """As much is there as can be said: what comes soon is kept, the rest is not waited for."""
        if not self.is_answer_full:
            soon = asyncio.get_running_loop().time() + MORE_PATIENCE
            self.is_answer_full, self.deadline = True, min(soon, self.deadline or soon)

    def trace(self) -> Trace:
        """What happened until now."""
        self.mark("total")
        return Trace(
            self.engine,
            self.model,
            self.usage,
            tuple(self.tools),
            dict(self.timings_ms),
            self.failure,
            self.cost_usd,
            self.log_text,
        )


@dataclass(frozen=True, slots=True)
class TurnReport:
    """What became of an utterance, when its turn has ended."""

    utterance: Utterance
    answer: str
    """What was said."""
    trace: Trace
    requests: tuple[ModelRequest, ...] = ()
    """What the model was sent and gave back; see `Turn.requests`."""
    failure: str = ""
    """Why the turn ended early."""
    at: float = 0.0
    """When it was heard, seconds since 1970."""


class Note:
    """What is known of a turn while it runs: the turn once it is open, and what was said."""

    def __init__(self, utterance: Utterance) -> None:
        self.utterance = utterance
        self.turn: Turn | None = None
        self._at = time.time()
        self._said: list[str] = []

    def say(self, piece: str) -> None:
        """Note a piece of the answer that the caller gets."""
        if self.turn is not None:
            self.turn.mark("first_text")
        self._said.append(piece)

    def fail(self, error: CannotAnswer) -> None:
        """Note why the turn ends early."""
        if self.turn is not None:
            self.turn.fail(error)

    def report(self, failure: str) -> TurnReport:
        trace, requests = (self.turn.trace(), tuple(self.turn.requests)) if self.turn else (Trace(), ())
        return TurnReport(self.utterance, "".join(self._said).strip(), trace, requests, failure, self._at)


@contextmanager
def reported(utterance: Utterance, report: Callable[[TurnReport], None]) -> Iterator[Note]:
    """Report what became of an utterance when the block ends, however it ends."""
    note = Note(utterance)
    failure = ""
    try:
        yield note
    except CannotAnswer as error:
        note.fail(error)
        failure = str(error)
        raise
    except (GeneratorExit, asyncio.CancelledError):
        note.fail(CannotAnswer(CALLER_LEFT))
        failure = CALLER_LEFT
        raise
    except Exception as error:
        failure = type(error).__name__
        raise
    finally:
        report(note.report(failure))


def log_turn(report: TurnReport) -> None:
    """One line for a turn; what was said stays out of it."""
    trace = report.trace
    heard = trace.engine and trace.failure != CALLER_LEFT
    tokens = f", {trace.usage.input_tokens} + {trace.usage.output_tokens} tokens" if trace.usage.input_tokens else ""
    failure = f" ({trace.log_text})" if trace.log_text else ""
    timings = trace.timings_ms
    _LOGGER.debug("Milliseconds: %s", timings)
    _LOGGER.info(
        "%s in %.0f ms%s%s",
        f"Answered by {trace.engine}" if heard else "Not answered",
        timings.get("total", 0),
        tokens,
        failure,
    )
