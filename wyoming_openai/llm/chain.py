"""Several models as one: who is asked next, how long, how often, and what is said when nobody answers.

Until somebody speaks everything may still be tried: the same model once more, the next one, a second call beside one
that is late. Whoever speaks first has the turn; if it breaks before anybody has heard a sentence, the next one begins.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace

from ..messages import AssistantMessage, CannotAnswer, Message, SystemMessage, ToolResult
from .breaker import SHORT
from .client import create_model
from .guarded_model import ChainRequest, GuardedModel, StartedStream
from .models import ModelSettings
from .types import (
    BadCredentials,
    ChatModel,
    ModelBusy,
    ModelError,
    ModelEvent,
    ModelRequest,
    ModelUnreachable,
    NoAnswer,
    Overloaded,
    QuotaExceeded,
    RequestRefused,
    Restarted,
    TooSlow,
    UnknownModel,
)

__all__ = ["Chain", "ConcurrencyLimit", "create_chain"]

RETRY_PAUSE = 0.25  # seconds before a model is asked once more
PATIENCE = 0.5  # seconds of the same while another model could be asked
LEFT_OVER = 0.1  # seconds before the deadline at which we stop waiting, to say why before somebody else stops us
AT_ONCE = 4
WAITING = 8

_MOST_USEFUL = (
    QuotaExceeded,  # what only its owner can change comes first
    BadCredentials,
    UnknownModel,
    RequestRefused,
    ModelBusy,
    NoAnswer,
    TooSlow,
    ModelUnreachable,
    Overloaded,
)


class ConcurrencyLimit:
    """Bounds how many questions are with models at once, and how many wait for that. May be shared by chains."""

    def __init__(self, at_once: int = AT_ONCE, waiting: int = WAITING) -> None:
        self._places = asyncio.Semaphore(at_once)
        self._most_waiting = waiting
        self._waiting = 0

    @property
    def free(self) -> bool:
        """Whether nobody would have to wait."""
        return not self._places.locked()

    @asynccontextmanager
    async def place(self, due: float) -> AsyncGenerator[None, None]:
        """A place, if one is free before a time of the event loop. Raises `Overloaded`."""
        if not self.free:
            await self._wait(due)
        else:
            await self._places.acquire()
        try:
            yield
        finally:
            self._places.release()

    async def _wait(self, due: float) -> None:
        if self._waiting >= self._most_waiting:
            raise Overloaded("too many questions wait already")
        self._waiting += 1
        try:
            async with asyncio.timeout_at(due):
                await self._places.acquire()
        except TimeoutError:
            raise Overloaded("the questions before took too long") from None
        finally:
            self._waiting -= 1


def create_chain(
    settings: Sequence[ModelSettings],
    *,
    hedge: float | None = None,
    gate: ConcurrencyLimit | None = None,
    monotonic: Callable[[], float] = time.monotonic,
    retry_pause: float = RETRY_PAUSE,
) -> ChatModel:
    """The models in order of preference as one; each is only asked where those before it fail before they speak.

    With `hedge`, a second call is made when the first has not begun to speak after so many seconds: to the next
    model, or to the same if there is no other. Nothing is imported or connected yet.
    """
    links = [GuardedModel(each, create_model(each), monotonic, retry_pause) for each in settings]
    return Chain(links, hedge, gate or ConcurrencyLimit())


class Chain:
    """A `ChatModel` made of several."""

    def __init__(self, links: Sequence[GuardedModel], hedge: float | None, gate: ConcurrencyLimit) -> None:
        self._links = links
        self._hedge = hedge
        self._gate = gate

    @property
    def name(self) -> str:
        """The name of the model that is asked first."""
        return self._links[0].model.name

    async def warm(self) -> None:
        """Warm all models at once. Never raises."""
        await asyncio.gather(*(link.model.warm() for link in self._links))

    async def close(self) -> None:
        """Close all connections."""
        await asyncio.gather(*(link.model.close() for link in self._links))

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        """Text pieces, then exactly one `ModelReply`; raises `CannotAnswer`. Closing the generator stops the model."""
        now = _now()
        deadline = now + self._links[0].settings.total_timeout if request.deadline is None else request.deadline
        end = deadline - min(LEFT_OVER, max(deadline - now, 0) / 10)
        question = ChainRequest(replace(request, deadline=end), end)
        async with self._gate.place(now + (end - now) / 2):  # who gets a place later than that can't be answered well
            order = in_order(self._links, request.messages)
            failures: list[CannotAnswer] = [link.failure for link in order if not link.ready]
            links = deque(link for link in order if link.ready)
            while True:
                first, rest = await self._ask(links, question, failures)
                try:
                    async with aclosing(rest):
                        yield first
                        async for event in rest:
                            yield event
                    return
                except ModelError as error:
                    if not (links and request.unheard()):
                        raise
                    failures.append(error)
                yield Restarted()

    async def _ask(
        self, links: deque[GuardedModel], question: ChainRequest, failures: list[CannotAnswer]
    ) -> StartedStream:
        """The first model that speaks, and those to ask after it. Raises the most useful failure when there is none."""
        while links:
            try:
                if self._hedge is None:
                    return await self._open(links.popleft(), links, question)
                return await self._race(self._hedge, links, question)
            except CannotAnswer as error:
                failures.append(error)
        raise most_useful(failures)

    async def _open(self, link: GuardedModel, others: Sequence[GuardedModel], question: ChainRequest) -> StartedStream:
        """Ask one model, in its share of the time that is left."""
        now = _now()
        due = now + (question.end - now) / (1 + len(others))
        return await link.open(question, due, PATIENCE if others else SHORT)

    async def _race(self, hedge: float, links: deque[GuardedModel], question: ChainRequest) -> StartedStream:
        """Ask one model, and another beside it when the first is late; who does not speak first is stopped at once."""
        first = links.popleft()
        leader = asyncio.create_task(self._open(first, links, question))
        calls = {leader: first}
        try:
            done, _ = await asyncio.wait(calls, timeout=hedge)
            if not done and self._gate.free:
                second = links.popleft() if links else first
                calls[asyncio.create_task(self._open_beside(second, links, question))] = second
            winner = await _first_to_speak(calls)
            await _stop(calls.keys() - {winner})
        except BaseException:
            await _stop(calls)
            raise
        if calls[winner] is not first and leader.cancelled():
            first.lost_race()
        return winner.result()

    async def _open_beside(
        self, link: GuardedModel, others: Sequence[GuardedModel], question: ChainRequest
    ) -> StartedStream:
        """A second call takes a place of its own, for as long as there are two."""
        async with self._gate.place(_now()):
            return await self._open(link, others, question)


async def _first_to_speak(calls: Collection[asyncio.Task[StartedStream]]) -> asyncio.Task[StartedStream]:
    """Raises the most useful failure when no call speaks."""
    waiting, failures = set(calls), []
    while waiting:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for call in filter(done.__contains__, calls):
            if (failure := call.exception()) is None:
                return call
            failures.append(failure)
    raise most_useful(failures)


async def _stop(calls: Collection[asyncio.Task[StartedStream]]) -> None:
    """Stop calls wherever they are."""
    for call in calls:
        call.cancel()
    for call in calls:
        await asyncio.wait([call])
        if not call.cancelled() and call.exception() is None:
            await call.result().rest.aclose()


def in_order(links: Sequence[GuardedModel], messages: Sequence[Message]) -> list[GuardedModel]:
    """The order in which to ask; who has called the tools of this turn goes on, for it knows why."""
    source = ""
    for message in reversed(messages):
        if not isinstance(message, ToolResult | SystemMessage):
            source = message.source if isinstance(message, AssistantMessage) else ""
            break
    return sorted(links, key=lambda link: link.label != source)


def most_useful(failures: Sequence[BaseException]) -> BaseException:
    """What helps most to be heard: a mistake of ours, money, what the owner can repair, what passes by itself."""

    def rank(failure: BaseException) -> int:
        return next((place for place, kind in enumerate(_MOST_USEFUL) if isinstance(failure, kind)), -1)

    return min(failures, key=rank)


def _now() -> float:
    return asyncio.get_running_loop().time()
