"""Sockets of a Wyoming URI: admits connections, hands each to whoever serves it, ends them all when told to stop."""

import asyncio
import errno
import logging
import resource
import select
import socket
import sys
import traceback
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from .admission import UNLIMITED, Admission, ClientQuota, ClientRefused
from .framing import EventReader, EventWriter

_LOGGER = logging.getLogger(__name__)

ENOUGH_DESCRIPTORS = 4096
REST = 1.0  # seconds without accepting, when the system has no descriptor for one more
WAITING = 1024  # connections that the kernel holds until they are let in: beyond, it has clients try again in a second
BUFFER = 128 * 1024  # of the kernel, for each direction: by itself it keeps megabytes for who does not read
OPTIONS = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),  # a client without power is gone after two minutes
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 20),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    (socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER),
    (socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER),
)
"""Connections inherit them from the socket that accepts them."""


@dataclass(frozen=True, slots=True)
class ClientConnection:
    """A client: what it says, how it is answered, what it may use."""

    reader: EventReader
    writer: EventWriter
    guest: ClientQuota


Serve = Callable[[ClientConnection], Awaitable[None]]
"""Serves one connection; it is closed afterwards."""


class CannotListen(Exception):
    """The address can't be used; the text names it and says why."""


class Listener:
    """Listens on one URI: tcp://HOST:PORT, unix:///PATH or stdio://."""

    def __init__(
        self, uri: str, serve: Serve, admission: Admission | None = None, *, ended: asyncio.Event | None = None
    ) -> None:
        self._uri = uri
        self._serve = serve
        self._admission = admission or Admission()
        self._doors: list[socket.socket] = []
        self._connections: dict[asyncio.Task[None], ClientConnection] = {}
        self._descriptors = 0
        self._ended = ended or asyncio.Event()
        """Set when there is nothing more to serve: the standard input ended."""

    @property
    def port(self) -> int | None:
        """The TCP port in use; the system chooses one for port 0."""
        name = self._doors[0].getsockname() if self._doors else None
        return name[1] if isinstance(name, tuple) else None

    async def start(self) -> None:
        """Begin to listen. Raises `CannotListen`."""
        parts = urlsplit(self._uri)
        try:
            match parts.scheme:
                case "tcp":
                    self._doors = await _tcp_doors(parts.hostname, parts.port)
                case "unix":
                    self._doors = [_unix_door(Path(parts.path))]
                case _:
                    await self._start_stdio()
        except OSError as error:
            raise CannotListen(f"Can't listen on {self._uri}: {_advice(error, parts.hostname)}") from error
        self._descriptors = _raise_descriptor_limit() - self._admission.limits.spare_descriptors
        for door in self._doors:
            self._open(door)

    async def stop(self) -> None:
        """Stop accepting, let answers in progress finish, end all connections, read or not."""
        while self._doors:
            door = self._doors.pop()
            asyncio.get_running_loop().remove_reader(door)
            door.close()
        for connection in self._connections.values():
            connection.guest.stop_waiting_soon()
            connection.reader.stop()
        if self._connections:
            # Half a second is for telling those who are not answered by then.
            _, late = await asyncio.wait(self._connections, timeout=self._admission.limits.stop + 0.5)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=0.5)
        if self._uri.startswith("unix:"):
            _remove_stale(Path(urlsplit(self._uri).path))

    def _open(self, door: socket.socket) -> None:
        if door.fileno() >= 0:
            asyncio.get_running_loop().add_reader(door, self._accept, door)

    def _accept(self, door: socket.socket) -> None:
        """Let one client in. The event loop calls again while more wait, and serves others in between."""
        try:
            stream, peer = door.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return
        except OSError as error:
            # Out of descriptors or memory. asyncio's own loop would try, fail and log thousands of times.
            _LOGGER.warning("No connection can be accepted: %s", error.strerror)
            asyncio.get_running_loop().remove_reader(door)
            asyncio.get_running_loop().call_later(REST, self._open, door)
            return
        try:
            self._admit(stream, peer[0] if isinstance(peer, tuple) else None)
        except ClientRefused as error:
            _LOGGER.info("Refused: %s", error)
            stream.close()

    def _admit(self, stream: socket.socket, address: str | None) -> None:
        if stream.fileno() > self._descriptors:  # the lowest free number: a measure of how many are in use
            raise ClientRefused("a connection, for want of descriptors")
        stream.setblocking(False)
        guest = self._admission.admit(address)
        loop = asyncio.get_running_loop()
        reader = EventReader(partial(loop.sock_recv, stream), guest, has_left=partial(_has_left, stream))
        writer = EventWriter(partial(loop.sock_sendall, stream), guest.limits.write)
        self._begin(ClientConnection(reader, writer, guest)).add_done_callback(lambda _: _close(stream))

    def _begin(self, connection: ClientConnection) -> asyncio.Task[None]:
        task = asyncio.create_task(self._run(connection))
        self._connections[task] = connection
        connection.guest.send_away = task.cancel
        task.add_done_callback(self._forget)  # also of a task that is cancelled before it began
        return task

    async def _run(self, connection: ClientConnection) -> None:
        try:
            await self._serve(connection)
        except asyncio.CancelledError as error:
            # Sent away. The frames hold the error and the error its frames, with all that was read: in a flood
            # that is 20 MB before the garbage collector comes.
            traceback.clear_frames(error.__traceback__)
        except Exception:
            _LOGGER.exception("A connection broke off")

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._admission.release(self._connections.pop(task).guest)

    async def _start_stdio(self) -> None:
        loop = asyncio.get_running_loop()
        stream = asyncio.StreamReader()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stream), sys.stdin)
        transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, sys.stdout)
        output = asyncio.StreamWriter(transport, protocol, None, loop)

        async def send(data: bytes) -> None:
            output.write(data)
            await output.drain()

        guest = Admission(UNLIMITED).admit(None)
        connection = ClientConnection(EventReader(stream.read, guest, half_closes=True), EventWriter(send, None), guest)
        self._begin(connection).add_done_callback(lambda _: self._ended.set())


def _advice(error: OSError, host: str | None) -> str:
    """Why nobody can listen there, and what to do."""
    match error.errno:
        case errno.EADDRINUSE if host is None:
            return "the path is in use; remove what is there or choose another"
        case errno.EADDRINUSE:
            return "another program listens there, perhaps this one already runs; stop it or choose another port"
        case errno.EADDRNOTAVAIL:
            return f"{host} is no address of this machine; 0.0.0.0 stands for all that it has"
        case errno.EACCES | errno.EPERM:
            return f"{error.strerror}; only root may listen on ports below 1024"
    return error.strerror or str(error)


async def _tcp_doors(host: str | None, port: int | None) -> list[socket.socket]:
    """A listening socket for each address of a host."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    doors: list[socket.socket] = []
    try:
        for family, address in dict.fromkeys((family, address) for family, _, _, _, address in found):
            doors.append(_door(family))
            doors[-1].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                doors[-1].setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            for option in OPTIONS:
                doors[-1].setsockopt(*option)
            doors[-1].bind(address)
            doors[-1].listen(WAITING)
    except OSError:
        for door in doors:
            door.close()
        raise
    return doors


def _unix_door(path: Path) -> socket.socket:
    _remove_stale(path)
    door = _door(socket.AF_UNIX)
    try:
        door.bind(str(path))
        door.listen(WAITING)
    except OSError:
        door.close()
        raise
    return door


def _door(family: int) -> socket.socket:
    door = socket.socket(family, socket.SOCK_STREAM)
    door.setblocking(False)
    return door


def _has_left(stream: socket.socket) -> bool:
    poll = select.poll()
    poll.register(stream, select.POLLRDHUP)
    return bool(poll.poll(0))


def _close(stream: socket.socket) -> None:
    """Part from a client. What it sent and nobody read would make this a reset, which takes our last words along."""
    with suppress(OSError):
        stream.shutdown(socket.SHUT_WR)
        stream.recv(2 * BUFFER)
    stream.close()


def _raise_descriptor_limit() -> int:
    """Allow as many open files as we may need and the system permits; gives the number."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return sys.maxsize
    wanted = ENOUGH_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, ENOUGH_DESCRIPTORS)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return max(soft, wanted)


def _remove_stale(path: Path) -> None:
    """Remove the socket that a killed process left; anything else of that name is an error of `bind`."""
    with suppress(OSError):
        if path.is_socket():
            path.unlink()
