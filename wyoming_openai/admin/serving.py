"""The socket of the page: so many connections at once, and none that dawdles."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from urllib.parse import urlsplit

from aiohttp import web

from .app import create_app
from .gate import Handle
from .pages.options import PORT
from .parts import AdminParts

MAX_CONNECTIONS = 32

Protocol = web.RequestHandler


class ConnectionGuard:
    """Lets connections in; each brings a request soon, and is done with it in a while.

    aiohttp waits for the rest of a header, and for a reader of its answer, as long as it takes.
    """

    HEADER = 10.0
    """Seconds until the header of a first request is there."""
    REQUEST = 180.0
    """Seconds from a header on, for the answer to be written; the longest turn takes two minutes."""

    def __init__(self) -> None:
        self._waiting: dict[Protocol, None] = {}
        """Connections without a request so far, the oldest first."""
        self._timers: dict[Protocol, asyncio.TimerHandle] = {}

    def accept(self, server: web.Server) -> asyncio.BaseProtocol:
        """A protocol for a new connection. Where there are too many, the oldest without a request makes room."""
        if len(server.connections) >= MAX_CONNECTIONS and not self._make_room():
            return _Full()
        protocol = server()
        self._waiting[protocol] = None
        self._time(protocol, self.HEADER)
        return protocol

    def _make_room(self) -> bool:
        while self._waiting:
            protocol = next(iter(self._waiting))
            is_there = protocol.transport is not None
            self._close(protocol)
            if is_there:
                return True
        return False

    def _time(self, protocol: Protocol, seconds: float) -> None:
        """From now on a connection has so long."""
        if timer := self._timers.pop(protocol, None):
            timer.cancel()
        self._timers[protocol] = asyncio.get_running_loop().call_later(seconds, self._close, protocol)

    def _close(self, protocol: Protocol) -> None:
        self._waiting.pop(protocol, None)
        self._timers.pop(protocol).cancel()
        protocol.force_close()

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handle) -> web.StreamResponse:
        """A header is there; from now on the request has its time."""
        self._waiting.pop(request.protocol, None)
        self._time(request.protocol, self.REQUEST)
        return await handler(request)


@asynccontextmanager
async def listening(parts: AdminParts, uri: str, door: ConnectionGuard | None = None) -> AsyncIterator[int]:
    """The page, listening; gives the port. Raises `OSError`, and `RefusesToListen`."""
    address, door = urlsplit(uri), door or ConnectionGuard()
    app = create_app(parts, uri)
    app.middlewares.insert(0, door.middleware)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=2.0, handle_signals=False, keepalive_timeout=75.0)
    await runner.setup()
    try:
        assert runner.server is not None, "set up"
        accept = partial(door.accept, runner.server)
        port = PORT if address.port is None else address.port
        socket = await asyncio.get_running_loop().create_server(accept, address.hostname, port)
        try:
            yield socket.sockets[0].getsockname()[1]
        finally:
            socket.close()
    finally:
        await runner.cleanup()


class _Full(asyncio.Protocol):
    """Closes what is one connection too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()
