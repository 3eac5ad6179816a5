"""The connection to the model's server, kept for the life of the process. The only address of the `openai` SDK.

Imported when first needed: the SDK costs 0.6 s. It builds and signs the requests and reads the errors; the events of a
stream are read by `wire.py`, since the SDK's own reading costs 0.15 ms a token and does not notice half of what can
go wrong.
"""

import asyncio
import contextlib
import json
import socket
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, cast
from urllib.parse import quote
from urllib.request import getproxies

import httpx2
import openai

from ..messages import JsonObject
from .errors import RefusedByServer, redact, refusal
from .types import BadCredentials, ModelUnreachable

CONNECT_TIMEOUT = 3.0
WRITE_TIMEOUT = 10.0
POOL_TIMEOUT = 2.0
KEEPALIVE = 3600.0  # utterances are minutes apart; what the server closes meanwhile is noticed before it is used
DRAIN_TIMEOUT = 0.25
NO_KEY = "none"  # the SDK insists on a key

_JSON = {"headers": {"Content-Type": "application/json"}}
_DEAD = (httpx2.RemoteProtocolError, httpx2.ReadError, httpx2.WriteError, httpx2.CloseError)


_on_sent: ContextVar[Callable[[], None]] = ContextVar("called when a request is out", default=lambda: None)
"""Of the request that this task sends; the SDK has no way to hand it through."""


class KeptConnections(httpx2.AsyncHTTPTransport):
    """Connections that live as long as they can, and one more try when a kept one turns out to be dead."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send; a kept connection that fails before it answers is replaced by a new one at once."""
        fresh = False

        async def watch(event: str, _: object) -> None:
            nonlocal fresh
            fresh = fresh or event == "connection.connect_tcp.started"
            if event.endswith(".send_request_body.complete"):
                _on_sent.get()()

        request.extensions["trace"] = watch
        try:
            return await super().handle_async_request(request)
        except _DEAD:
            if fresh:
                raise
            return await super().handle_async_request(request)
        finally:
            del request.extensions["trace"]


class Answer:
    """A response whose body is still arriving."""

    def __init__(self, response: httpx2.Response) -> None:
        self.content_type = response.headers.get("content-type", "")
        self._response = response
        self._bytes = response.aiter_bytes()
        self._ended = False

    async def read(self) -> bytes:
        """What has arrived; nothing at the end. Raises `ModelUnreachable`."""
        try:
            data = await anext(self._bytes, b"")
        except httpx2.HTTPError as error:
            raise ModelUnreachable(f"the answer broke off: {type(error).__name__}", retry_after=0) from error
        self._ended = not data
        return data

    async def drain(self) -> None:
        """Read to the end, which is near, so that the connection can be used again."""
        with contextlib.suppress(TimeoutError, ModelUnreachable):
            async with asyncio.timeout(DRAIN_TIMEOUT):
                while not self._ended:
                    await self.read()

    async def close(self) -> None:
        """Stop the server if it still sends."""
        await self._response.aclose()


class Server:
    """One server and the key for it."""

    def __init__(self, base_url: str, api_key: str | None) -> None:
        self._key = api_key
        self._has_proxy = bool(getproxies())
        self._client = openai.AsyncOpenAI(
            api_key=api_key or NO_KEY, base_url=base_url, max_retries=0, http_client=_http_client()
        )

    async def post(self, path: str, body: JsonObject, on_sent: Callable[[], None]) -> Answer:
        """Send a request; who gets the answer closes it. Raises `RefusedByServer`, `ModelError`."""
        before = _on_sent.set(on_sent)
        if self._has_proxy:
            on_sent()  # a proxy of the environment has connections of its own, which tell nothing
        try:
            return Answer(await self._send(path, _json(body)))
        finally:
            _on_sent.reset(before)

    async def look_up(self, model: str) -> None:
        """Ask whether the model is there: opens a connection, costs nothing. Raises `RefusedByServer`, `ModelError`."""
        answer = Answer(await self._send(f"/models/{quote(model, safe='')}"))
        await answer.drain()
        await answer.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()

    async def _send(self, path: str, content: bytes | None = None) -> httpx2.Response:
        """Post, or get if there is nothing to post: the raw response, its body unread."""
        call = self._client.post if content else self._client.get
        arguments: dict[str, Any] = {"content": content, "options": _JSON} if content else {}
        try:
            # Asked for as a plain response, a stream is left to us.
            response = await call(
                path, cast_to=httpx2.Response, stream=True, stream_cls=openai.AsyncStream[Any], **arguments
            )
        except openai.APIStatusError as error:
            raise RefusedByServer(refusal(error.status_code, error.body, error.response.headers)) from None
        except (openai.OpenAIError, httpx2.HTTPError) as error:
            patience_spent = isinstance(error, openai.APITimeoutError)
            raise ModelUnreachable(redact(_reason(error), self._key), None if patience_spent else 0) from None
        except UnicodeError:
            raise BadCredentials("the key holds characters that no key has") from None
        return cast("httpx2.Response", response)


def _http_client() -> httpx2.AsyncClient:
    """The SDK's own client would drop connections after five seconds. Proxies of the environment still count."""
    limits = httpx2.Limits(max_connections=20, max_keepalive_connections=4, keepalive_expiry=KEEPALIVE)
    context = httpx2.create_ssl_context()
    return httpx2.AsyncClient(
        verify=context,
        limits=limits,
        # What is read has deadlines of its own, which count tokens and not bytes.
        timeout=httpx2.Timeout(None, connect=CONNECT_TIMEOUT, write=WRITE_TIMEOUT, pool=POOL_TIMEOUT),
        mounts={"all://": KeptConnections(verify=context, limits=limits, socket_options=_socket_options())},
    )


def _reason(error: Exception) -> str:
    """The SDK says "Connection error."; what went wrong is said by its cause."""
    cause = error.__cause__ or error
    return f"{type(cause).__name__}: {cause}" if str(cause) else type(cause).__name__


def _socket_options() -> list[tuple[int, int, int]]:
    """Keep quiet connections alive in routers, and notice dead ones within seconds, as far as the system can."""
    options = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
    wanted = {"TCP_KEEPIDLE": 45, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 5000}
    return options + [
        (socket.IPPROTO_TCP, getattr(socket, name), value) for name, value in wanted.items() if hasattr(socket, name)
    ]


def _json(body: JsonObject) -> bytes:
    """Names of entities may hold halves of surrogate pairs, which no encoding takes."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
