"""Sockets of a Wyoming URI: accepts connections, hands each to a handler, ends them all when told to stop."""

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from .framing import BadFrame, EventReader, EventWriter

_LOGGER = logging.getLogger(__name__)

Serve = Callable[[EventReader, EventWriter], Awaitable[None]]
"""Serves one connection until its input ends; raises `BadFrame`."""

STOP_TIMEOUT = 8.0  # answers in progress get this long when the program is told to stop


class CannotListen(Exception):
    """The address can't be used; the text names it and says why."""


class Listener:
    """Listens on one URI: tcp://HOST:PORT, unix:///PATH or stdio://."""

    def __init__(self, uri: str, serve: Serve) -> None:
        self._uri = uri
        self._serve = serve
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], EventReader] = {}
        self.ended = asyncio.Event()
        """Set when there is nothing more to serve: the standard input ended."""
        self._stdio: asyncio.Task[None] | None = None

    @property
    def port(self) -> int | None:
        """The TCP port in use; the system chooses one for port 0."""
        sockets = self._server.sockets if self._server else ()
        name = sockets[0].getsockname() if sockets else None
        return name[1] if isinstance(name, tuple) else None

    async def start(self) -> None:
        """Begin to listen. Raises `CannotListen`."""
        parts = urlsplit(self._uri)
        try:
            match parts.scheme:
                case "tcp":
                    self._server = await asyncio.start_server(self._accept, parts.hostname, parts.port)
                case "unix":
                    _remove_stale(Path(parts.path))
                    self._server = await asyncio.start_unix_server(self._accept, parts.path)
                case _:
                    await self._start_stdio()
        except OSError as error:
            raise CannotListen(f"Can't listen on {self._uri}: {error.strerror or error}") from error

    async def stop(self) -> None:
        """Stop accepting, let answers in progress finish, end all connections."""
        if self._server is not None:
            self._server.close()
        for reader in self._connections.values():
            reader.stop()
        if self._connections:
            _, late = await asyncio.wait(self._connections, timeout=STOP_TIMEOUT)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=1)
        if self._uri.startswith("unix:"):
            _remove_stale(Path(urlsplit(self._uri).path))

    async def _accept(self, stream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._run(EventReader(stream), EventWriter(writer))
        except asyncio.CancelledError:
            _LOGGER.debug("A connection was still open at the end")  # `stop` has waited for it
        finally:
            # What a client does not read must not keep the connection, or the program at its end.
            writer.transport.abort() if writer.transport.get_write_buffer_size() else writer.close()

    async def _run(self, reader: EventReader, writer: EventWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections[task] = reader
        try:
            await self._serve(reader, writer)
        except BadFrame as error:
            _LOGGER.info("A connection was closed: it sent %s", error)
        finally:
            del self._connections[task]

    async def _start_stdio(self) -> None:
        loop = asyncio.get_running_loop()
        stream = asyncio.StreamReader()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stream), sys.stdin)
        transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, sys.stdout)
        writer = EventWriter(asyncio.StreamWriter(transport, protocol, None, loop))
        self._stdio = asyncio.create_task(self._run(EventReader(stream, half_closes=True), writer))
        self._stdio.add_done_callback(lambda _: self.ended.set())


def _remove_stale(path: Path) -> None:
    """Remove the socket that a killed process left; anything else of that name is an error of `bind`."""
    with suppress(OSError):
        if path.is_socket():
            path.unlink()
