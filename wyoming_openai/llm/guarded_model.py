"""One model of a chain: every call to it is booked, bounded in time and judged, and a broken model is left alone."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager
from copy import copy
from dataclasses import dataclass, replace
from typing import NamedTuple
from urllib.parse import urlsplit

from ..messages import AssistantMessage, Message
from .breaker import Breaker, blames_the_model, pause_after
from .models import ModelSettings
from .types import (
    CallMeter,
    ChatModel,
    ModelError,
    ModelEvent,
    ModelReply,
    ModelRequest,
    ModelUnreachable,
    NoAnswer,
    TooSlow,
)

_LOGGER = logging.getLogger(__name__)


@dataclass(slots=True)
class ChainRequest:
    """A request on its way along the chain."""

    request: ModelRequest
    end: float
    """When we stop waiting, on the event loop's clock."""
    asked: bool = False
    """A call was made for it."""


class StartedStream(NamedTuple):
    """A call whose model has begun to speak; who has it closes `rest`."""

    first: ModelEvent
    rest: AsyncGenerator[ModelEvent, None]


class GuardedModel:
    """One model of a chain: booked, asked at most twice in its time, and left alone while it is known to be broken."""

    def __init__(
        self,
        settings: ModelSettings,
        model: ChatModel,
        monotonic: Callable[[], float],
        retry_pause: float,
    ) -> None:
        self.settings = settings
        self.model = model
        self.label = f"{settings.model} at {_host(settings.base_url) or 'OpenAI'}"
        self._monotonic = monotonic
        self._retry_pause = retry_pause
        self._breaker = Breaker()
        self._failure: ModelError = ModelUnreachable("not asked")

    @property
    def ready(self) -> bool:
        """Whether a call would be made at all."""
        return self._breaker.admits(self._monotonic())

    @property
    def failure(self) -> ModelError:
        """Why it is left alone."""
        return copy(self._failure)

    async def open(self, question: ChainRequest, due: float, patience: float) -> StartedStream:
        """Ask, and once more if that may help, until a time of the event loop. Raises `CannotAnswer`."""
        try:
            return await self._open(question, due)
        except ModelError as error:
            pause = error.retry_after
            if pause is None or pause > patience or asyncio.get_running_loop().time() + pause >= due:
                raise
        await asyncio.sleep(max(pause, self._retry_pause))
        return await self._open(question, due)

    def lost_race(self) -> None:
        """Another was asked later and spoke first."""
        self._failed(TooSlow("another model was faster"))

    async def _open(self, question: ChainRequest, due: float) -> StartedStream:
        call = self._call(question, due)
        return StartedStream(await anext(call), call)

    async def _call(self, question: ChainRequest, due: float) -> AsyncGenerator[ModelEvent, None]:
        """One request, from the reservation to the settlement."""
        if not self._breaker.admit(self._monotonic()):
            raise self.failure
        with (
            self._judged(is_probe=not self._breaker.closed),
            question.request.reserve(self.settings, again=question.asked) as account,
        ):
            question.asked = True
            request = replace(self._as_understood(question.request), account=account)
            async with aclosing(self.model.stream(request)) as events:
                yield self._booked(await _first(events, due), account)
                async for event in events:
                    yield self._booked(event, account)

    def _booked(self, event: ModelEvent, account: CallMeter) -> ModelEvent:
        if not isinstance(event, ModelReply):
            return event
        account.settle(event.usage)
        self._succeeded()
        return replace(event, model=self.model.name, message=replace(event.message, source=self.label))

    @contextmanager
    def _judged(self, *, is_probe: bool) -> Iterator[None]:
        """What the end of a call says about the next."""
        try:
            yield
        except ModelError as error:
            if blames_the_model(error):
                self._failed(error)
            else:
                _LOGGER.info("%s: %s", self.label, error.log_text)
            raise
        finally:
            if is_probe:
                self._breaker.abandoned()  # says nothing where something else was said before

    def _failed(self, error: ModelError) -> None:
        level = logging.DEBUG if self._breaker.failures else logging.WARNING
        was_closed = self._breaker.closed
        self._breaker.failed(self._monotonic(), pause_after(error))
        self._failure = copy(error)
        _LOGGER.log(level, "%s failed: %s", self.label, error.log_text)
        _LOGGER.debug("It said: %s", error)
        if was_closed and not self._breaker.closed:
            _LOGGER.warning("%s is left alone for a while: %s", self.label, error.log_text)

    def _succeeded(self) -> None:
        if self._breaker.failures:
            _LOGGER.info("%s answers again", self.label)
        self._breaker.succeeded()

    def _as_understood(self, request: ModelRequest) -> ModelRequest:
        """Without the items of other providers."""
        messages = tuple(_without_foreign(message, self.label) for message in request.messages)
        return request if messages == request.messages else replace(request, messages=messages)


async def _first(events: AsyncGenerator[ModelEvent, None], due: float) -> ModelEvent:
    try:
        async with asyncio.timeout_at(due):
            return await anext(events)
    except TimeoutError:
        raise TooSlow("nothing was said before the deadline") from None
    except StopAsyncIteration:
        raise NoAnswer("the stream ended without a reply") from None


def _without_foreign(message: Message, label: str) -> Message:
    if isinstance(message, AssistantMessage) and message.native and message.source not in ("", label):
        return replace(message, native=())
    return message


def _host(base_url: str | None) -> str:
    """Where a server is, without a password."""
    return urlsplit(base_url or "").netloc.rpartition("@")[2]
