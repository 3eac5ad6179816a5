"""The model seam: what an engine is asked, what it gives, how it fails."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Protocol

from ..messages import AssistantMessage, CannotAnswer, Message, ToolSpec, Usage
from .models import ModelSettings


class CallMeter(Protocol):
    """Where one call is booked; leaving it unsettled says that the call failed, or that nobody waited for its end."""

    def sent(self) -> None:
        """The request is out: until then nobody can have read it, and it costs nothing."""

    def add_output(self, text: str) -> None:
        """Output has arrived, said or not: also thoughts and calls of tools are paid for."""

    def settle(self, usage: Usage) -> None:
        """The call is done."""


class OpenMeter(Protocol):
    """Opens the account of one call before it is made; raises `CannotAnswer` where it may not be made."""

    def __call__(self, settings: ModelSettings, *, again: bool) -> AbstractContextManager[CallMeter]:
        """`again`: not the first call for this request, but a retry, a fallback or a second one beside it."""


class _NoMeter:
    def sent(self) -> None: ...

    def add_output(self, text: str) -> None: ...

    def settle(self, usage: Usage) -> None: ...


def _no_meter(settings: ModelSettings, *, again: bool) -> AbstractContextManager[CallMeter]:
    return nullcontext(_NoMeter())


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One request to the model: messages in order (system messages first and last, see `context.py`), and tools."""

    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    cache_key: str = ""
    """Requests with equal keys share a beginning; helps the provider's prompt cache."""
    deadline: float | None = None
    """When somebody has to have heard something, on the event loop's clock."""
    reserve: OpenMeter = field(default=_no_meter, repr=False, compare=False)
    """Where each call that is made for it is booked."""
    unheard: Callable[[], bool] = field(default=lambda: False, repr=False, compare=False)
    """Whether nobody has heard anything of the reply so far, so that another model may still begin it `Restarted`."""
    account: CallMeter = field(default_factory=_NoMeter, repr=False, compare=False)
    """Of one call that is being made: whoever makes it notes there what went out and what came."""


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of what the model says, as it arrives."""

    text: str


@dataclass(frozen=True, slots=True)
class ModelReply:
    """The end of a reply; always the last event of a stream that did not fail."""

    message: AssistantMessage
    usage: Usage
    truncated: bool = False
    """The token limit cut the text."""
    model: str = ""
    """The name of the model that gave it, where there are several."""


@dataclass(frozen=True, slots=True)
class Restarted:
    """What came so far does not count: its model broke, and another begins from the beginning."""


ModelEvent = TextDelta | Restarted | ModelReply


class ChatModel(Protocol):
    """A language model behind some API."""

    @property
    def name(self) -> str:
        """The model's name as sent."""

    def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        """Text pieces, then exactly one `ModelReply`; raises `ModelError`. Closing the generator stops the model.

        Several models as one may begin `Restarted` as long as the request says that nobody has heard anything.
        """

    async def warm(self) -> None:
        """Pay what a first request would pay (imports, connection) before somebody waits for it. Never raises."""

    async def close(self) -> None:
        """Close the connections."""


class ModelError(CannotAnswer):
    """The model did not give a whole answer; `sentence_key` says why in words for a person at home."""

    retry_after: float | None = None
    """Seconds after which the same request may succeed; None if trying again is no use."""
    refused = False
    """The server's first word was no: it has done nothing that it could charge."""


class ModelUnreachable(ModelError):
    """No connection, a server error, a stream that broke."""

    def __init__(self, detail: str = "", retry_after: float | None = None) -> None:
        super().__init__("model_unreachable", detail)
        self.retry_after = retry_after


class TooSlow(ModelUnreachable):
    """The model did not begin in time, or fell silent."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail)
        self.sentence_key = "too_slow"


class ModelBusy(ModelError):
    """Rate limited."""

    def __init__(self, detail: str = "", retry_after: float | None = None) -> None:
        super().__init__("model_busy", detail)
        self.retry_after = retry_after


class Overloaded(ModelError):
    """Too many questions at once: the model was not asked."""

    def __init__(self, detail: str = "") -> None:
        super().__init__("busy", detail)


class BadCredentials(ModelError):
    """The key is wrong, revoked, or not allowed to use this model."""

    def __init__(self, detail: str = "") -> None:
        super().__init__("model_key_refused", detail)


class QuotaExceeded(ModelError):
    """The account has no money left."""

    def __init__(self, detail: str = "") -> None:
        super().__init__("model_quota", detail)


class UnknownModel(ModelError):
    """The server does not know this model."""

    def __init__(self, detail: str = "") -> None:
        super().__init__("model_unknown", detail)


class RequestRefused(ModelError):
    """The server rejects the request (too long, a parameter it insists on)."""

    def __init__(self, detail: str = "") -> None:
        super().__init__("model_refused_request", detail)


class NoAnswer(ModelError):
    """The model ended without text and without a tool call, or was cut short in the middle."""

    def __init__(self, detail: str = "") -> None:
        super().__init__("model_no_answer", detail)
