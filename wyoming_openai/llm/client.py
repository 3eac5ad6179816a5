"""The model behind OpenAI's API, or behind any server that speaks it."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import orjson

from ..messages import JsonObject, ToolResult, UserMessage
from . import chat_completions, responses
from .dialect import Dialect, learn
from .errors import Refusal, RefusedByServer, model_error, names_no_model, redact, refusal
from .models import Api, ModelSettings
from .types import (
    CallMeter,
    ChatModel,
    ModelError,
    ModelEvent,
    ModelReply,
    ModelRequest,
    ModelUnreachable,
    NoAnswer,
    RequestRefused,
    TextDelta,
    TooSlow,
)
from .wire import BrokenStream, EventStream, ReplyReader

if TYPE_CHECKING:  # imports the SDK
    from .transport import Answer, Server

__all__ = ["ModelSettings", "create_model", "say_hello"]

_LOGGER = logging.getLogger(__name__)

OPENAI_URL = "https://api.openai.com/v1"
_OFFICIAL = (".api.openai.com", ".openai.azure.com", ".services.ai.azure.com", ".cognitiveservices.azure.com")

MAX_LESSONS = 8  # requests that may be rejected for one reason after the other before we give up
GRACE = 1.0  # seconds that the token counts may take after the last word
WARM_TIMEOUT = 10.0
MAX_HEAD = 4096
MOST_CHARACTERS = 8  # for each token that was asked for: prose has four or five, and some servers know no limit
HELLO = ModelRequest((UserMessage("Say hello."),))


class _Api(NamedTuple):
    """What an API is to us."""

    path: str
    dialect: Callable[[ModelSettings, bool], Dialect]
    to_body: Callable[[ModelRequest, str, Dialect], JsonObject]
    reader: Callable[[], ReplyReader]


_APIS: dict[Api, _Api] = {
    "responses": _Api(responses.PATH, responses.dialect, responses.to_body, responses.ResponsesReader),
    "chat": _Api(
        chat_completions.PATH, chat_completions.dialect, chat_completions.to_body, chat_completions.ChatReader
    ),
}


def create_model(settings: ModelSettings) -> ChatModel:
    """The model that the settings describe. Nothing is imported or connected yet."""
    return OpenAIModel(settings)


async def say_hello(settings: ModelSettings, seconds: float) -> int:
    """Ask a model for a word; gives the tokens that it took. Raises `ModelError` and `TimeoutError`."""
    model = create_model(settings)
    try:
        async with asyncio.timeout(seconds), aclosing(model.stream(HELLO)) as events:
            async for event in events:
                if isinstance(event, ModelReply):
                    return event.usage.input_tokens + event.usage.output_tokens
    finally:
        await model.close()
    raise NoAnswer("the stream ended without a reply")


class OpenAIModel:
    """Speaks Responses or Chat Completions, within deadlines, and learns what its server does not accept."""

    def __init__(self, settings: ModelSettings) -> None:
        self._settings = settings
        self._base_url = settings.base_url or OPENAI_URL
        self._dialect = first_dialect(settings)
        self._server: Server | None = None
        self._building = asyncio.Lock()

    @property
    def name(self) -> str:
        """The model's name as sent."""
        return self._settings.model

    async def warm(self) -> None:
        """Import the SDK, build the client, open a connection. Never raises, never costs money."""
        try:
            async with asyncio.timeout(WARM_TIMEOUT):
                await (await self._connect()).look_up(self.name)
        except (ModelError, RefusedByServer, TimeoutError) as error:
            _LOGGER.debug("Warming up: %s", redact(str(error), self._settings.api_key))

    async def close(self) -> None:
        """Close the connections."""
        if self._server is not None:
            await self._server.close()
            self._server = None

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        """Text pieces, then exactly one `ModelReply`; raises `ModelError`. Closing the generator stops the model."""
        server = await self._connect()
        now = asyncio.get_running_loop().time()
        end = now + self._settings.total_timeout
        if request.deadline is not None:
            end = min(end, request.deadline)
        due = min(now + self._settings.first_token_timeout, end)
        answer, reader = await self._ask(server, request, due)
        try:
            async with aclosing(self._read(request.account, answer, reader, due, end)) as pieces:
                async for piece in pieces:
                    yield TextDelta(piece)
            yield reader.reply()
        finally:
            if reader.finished and not reader.overflowed:
                await answer.drain()
            await answer.close()

    async def _ask(self, server: "Server", request: ModelRequest, due: float) -> tuple["Answer", ReplyReader]:
        """Send the request until the server accepts its form."""
        for _ in range(MAX_LESSONS):
            dialect = self._dialect
            api = _APIS[dialect.api]
            try:
                async with asyncio.timeout_at(due):
                    body = api.to_body(request, self.name, dialect)
                    return await server.post(api.path, body, request.account.sent), api.reader()
            except TimeoutError:
                raise TooSlow("no answer before the deadline") from None
            except RefusedByServer as error:
                if not self._learn(dialect, error.refusal, request):
                    failure = self._failure(error.refusal)
                    failure.refused = True
                    raise failure from None
        raise RequestRefused("the server rejects one parameter after the other")

    async def _read(
        self, account: CallMeter, answer: "Answer", reader: ReplyReader, due: float, end: float
    ) -> AsyncGenerator[str, None]:
        """The text of an answer until it is complete. What counts for the deadlines is the model, not its server."""
        events, head = EventStream(), b""
        most = 500 + MOST_CHARACTERS * self._settings.max_tokens
        while not (reader.complete or events.ended):
            finished, received = reader.finished, reader.received
            data = await self._wait(answer, reader, min(due, end))
            if data is None:
                break
            head = head or data[:MAX_HEAD]
            text = self._feed(reader, events, data)
            if arrived := reader.arrived():
                account.add_output(arrived)
            if reader.received > most and not reader.finished:
                reader.stop()
            if text:
                yield text
            if reader.finished and not finished:
                due = asyncio.get_running_loop().time() + GRACE
            elif reader.received > received:
                due = asyncio.get_running_loop().time() + self._settings.gap_timeout
            if not data:
                break
        if not reader.finished:
            raise self._cut(answer.content_type, head)

    async def _wait(self, answer: "Answer", reader: ReplyReader, due: float) -> bytes | None:
        """What comes next; None if there need not come more."""
        try:
            async with asyncio.timeout_at(due):
                return await answer.read()
        except TimeoutError:
            failure: ModelError = TooSlow("the answer stalled" if reader.received else "no answer before the deadline")
        except ModelUnreachable as error:
            failure = error
        if reader.finished:
            return None
        raise failure

    def _feed(self, reader: ReplyReader, events: EventStream, data: bytes) -> str:
        """The text in some bytes; no bytes are the end."""
        try:
            return "".join(map(reader.feed, events.feed(data) if data else events.close()))
        except RefusedByServer as error:
            raise self._failure(error.refusal) from None
        except BrokenStream as error:
            raise ModelUnreachable(redact(str(error), self._settings.api_key)) from error

    def _cut(self, content_type: str, head: bytes) -> ModelError:
        """Why a stream ended without an end: a connection that broke, or no stream at all."""
        if head.lstrip().startswith(b"{"):
            with suppress(ValueError):
                if "error" in (body := orjson.loads(head)):
                    return self._failure(refusal(0, body))
        if "event-stream" not in content_type:
            return ModelUnreachable(
                f"{redact(content_type) or 'something'} in place of a stream; is the base URL right?"
            )
        return ModelUnreachable("the stream ended before the answer did", retry_after=0)

    def _failure(self, refused: Refusal) -> ModelError:
        return model_error(refused, self._settings.api_key)

    def _learn(self, dialect: Dialect, refused: Refusal, request: ModelRequest) -> bool:
        """Whether a rejected request is worth another try, because more is known now."""
        lesson = learn(dialect, refused, results=any(isinstance(each, ToolResult) for each in request.messages))
        if dialect.api == "responses" and refused.status in (404, 405) and not names_no_model(refused):
            chat = chat_completions.dialect(self._settings, is_official(self._settings.base_url))
            lesson = chat, "it has no Responses API: Chat Completions is spoken"
        if lesson is None:
            return False
        if self._dialect is dialect:  # else another request has learnt something meanwhile
            self._dialect, change = lesson
            reason = redact(refused.log_text, self._settings.api_key)
            _LOGGER.warning("The server of model %s refuses a request; from now on %s (%s)", self.name, change, reason)
            _LOGGER.debug("It said: %s", redact(refused.message, self._settings.api_key))
        return True

    async def _connect(self) -> "Server":
        async with self._building:
            if self._server is None:
                self._server = await asyncio.to_thread(self._build)
            return self._server

    def _build(self) -> "Server":
        """In a thread: the import alone would stop everything else for half a second."""
        from .transport import Server

        return Server(self._base_url, self._settings.api_key)


def first_dialect(settings: ModelSettings) -> Dialect:
    """What is known of the server before the first request."""
    host = urlsplit(settings.base_url or OPENAI_URL).hostname or ""
    auto: Api = "responses" if ("." + host).endswith(".api.openai.com") else "chat"
    api = auto if settings.api == "auto" else settings.api
    return _APIS[api].dialect(settings, is_official(settings.base_url))


def is_official(base_url: str | None) -> bool:
    """Whether OpenAI itself or Azure answers there: both take OpenAI's parameters and roles."""
    host = urlsplit(base_url or OPENAI_URL).hostname or ""
    return ("." + host).endswith(_OFFICIAL)
