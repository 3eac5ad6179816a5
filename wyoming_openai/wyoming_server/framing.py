"""Wyoming's framing with limits: events read from strangers, events written to whoever is still there.

The event types are the library's. Its own reader takes lengths and lines as they come, without bounds or deadlines
(256 MB sent are 537 MB of memory), and its writer loses an answer with a lone surrogate in it; hence this one.
"""

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from wyoming.event import Event
from wyoming.version import __version__ as WYOMING_VERSION

from .admission import ClientQuota, ClientRefused

_LOGGER = logging.getLogger(__name__)

CHUNK = 16 * 1024  # bytes that are asked of the system at once: what nobody reads stays there

LOOK = 0.2  # seconds

Receive = Callable[[int], Awaitable[bytes]]
"""At most so many bytes of the input; none at its end."""
Send = Callable[[bytes], Awaitable[None]]
"""Returns when all bytes are out."""
HasLeft = Callable[[], bool]
"""Whether the other side has closed, also while there is more to read."""


class ClientLeft(Exception):
    """Nobody reads any more."""


class EventReader:
    """Reads events, as far and as fast as the limits allow."""

    def __init__(
        self, receive: Receive, guest: ClientQuota, *, has_left: HasLeft = lambda: False, half_closes: bool = False
    ) -> None:
        self._receive = receive
        self._has_left = has_left
        self._guest = guest
        self._limits = guest.limits
        self._half_closes = half_closes
        self._buffer = bytearray()
        self._patience = self._limits.first_byte
        self._clock: asyncio.Timeout | None = None
        self._stopped = False
        self.awaits_answers = True
        """False when the client has left. On stdio the end of the input does not mean that."""

    def stop(self) -> None:
        """Wait for nothing more; the answers in progress are still wanted."""
        self._stopped = True
        if self._clock is not None and not self._clock.expired():
            self._clock.reschedule(asyncio.get_running_loop().time())

    async def next(self) -> Event | None:
        """The next event; None when none will come: the client left, is silent for too long, or sent something else."""
        await asyncio.sleep(0)  # others get a word in, however fast this one talks
        try:
            if not await self._begun():
                return None
            if await self._guest.pace() and self._is_over():
                return None
            async with self._at_most(self._limits.frame):
                event = await self._frame()
        except ClientRefused as error:
            _LOGGER.info("Refused: %s", error)
            return None
        except TimeoutError:
            _LOGGER.info("Refused: an event that never ends")
            return None
        self._patience = self._limits.idle
        return event

    async def client_left(self) -> None:
        """Wait until the client has left, while nothing of what it says is wanted any more."""
        while not self._has_left():  # noqa: ASYNC110 - the system tells who looks
            await asyncio.sleep(LOOK)

    def _is_over(self) -> bool:
        """Whether a flood, of which more may wait to be read, has lost its sense."""
        if self._has_left():
            self.awaits_answers = False
        return self._stopped or not self.awaits_answers

    async def _begun(self) -> bool:
        """Wait for the first byte of an event."""
        while not self._buffer:
            try:
                async with self._at_most(self._patience):
                    if not await self._more(CHUNK):
                        return False
            except TimeoutError:
                if self._stopped or not self._guest.open_questions:
                    return False
        return True

    @asynccontextmanager
    async def _at_most(self, seconds: float | None) -> AsyncIterator[None]:
        async with asyncio.timeout(0 if self._stopped else seconds) as clock:
            self._clock = clock
            try:
                yield
            finally:
                self._clock = None

    async def _frame(self) -> Event:
        header = _object(await self._line(), "header", self._limits.depth)
        kind = header.get("type")
        if not isinstance(kind, str):
            raise ClientRefused("an event without a type")
        data_length = _length(header, "data_length", self._limits.data)
        payload_length = _length(header, "payload_length", self._limits.payload)
        data = header.get("data") or {}
        if not isinstance(data, dict):
            raise ClientRefused("data that is no object")
        if data_length:
            data = {**data, **_object(await self._data(data_length), "data", self._limits.depth)}
        await self._skip(payload_length)
        return Event(type=kind, data=data)

    async def _line(self) -> bytes:
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0 and len(self._buffer) < self._limits.header:
            searched = len(self._buffer)
            await self._need_more(CHUNK)
        if not 0 <= end < self._limits.header:
            raise ClientRefused("a header that is too long")
        return self._take(end + 1)

    async def _data(self, length: int) -> bytes:
        if length <= self._limits.header:
            return await self._exactly(length)
        async with self._guest.large_frame(length):
            return await self._exactly(length)

    async def _exactly(self, length: int) -> bytes:
        while (missing := length - len(self._buffer)) > 0:
            await self._need_more(missing)
        return self._take(length)

    async def _skip(self, length: int) -> None:
        while length:
            if not self._buffer:
                await self._need_more(length)
            length -= len(self._take(length))

    def _take(self, length: int) -> bytes:
        taken = bytes(self._buffer[:length])
        del self._buffer[:length]
        return taken

    async def _need_more(self, most: int) -> None:
        if not await self._more(most):
            raise ClientRefused("an event that breaks off")

    async def _more(self, most: int) -> bool:
        """Take what has arrived; False at the end of the input, also when it was cut."""
        try:
            data = await self._receive(min(most, CHUNK))
        except OSError:
            data = b""
        if not data:
            self.awaits_answers = self._half_closes
        self._buffer += data
        return bool(data)


class EventWriter:
    """Writes events, each whole."""

    def __init__(self, send: Send, timeout: float | None) -> None:
        self._send = send
        self._timeout = timeout
        self._one_at_a_time = asyncio.Lock()
        self._broken = False

    async def write(self, *events: Event) -> None:
        """Send events in one piece, so that a reader who leaves after the first gets it whole. Raises `ClientLeft`."""
        data = b"".join(map(frame, events))
        async with self._one_at_a_time:
            if self._broken:
                raise ClientLeft("in the middle of an event")
            self._broken = True  # until everything is out: nothing may follow half an event
            try:
                async with asyncio.timeout(self._timeout):
                    await self._send(data)
            except OSError as error:  # TimeoutError is one
                raise ClientLeft(type(error).__name__) from None
            self._broken = False


def frame(event: Event) -> bytes:
    """An event's bytes: a header line, then the data of the length it names."""
    data = json.dumps(event.data, ensure_ascii=False).encode("utf-8", "replace") if event.data else b""
    header: dict[str, Any] = {"type": event.type, "version": WYOMING_VERSION}
    if data:
        header["data_length"] = len(data)
    return json.dumps(header).encode() + b"\n" + data


def _object(raw: bytes, what: str, depth: int) -> dict[str, Any]:
    try:
        value = json.loads(raw.decode("utf-8", "replace")) if _is_flat(raw, depth) else None
    except (ValueError, RecursionError):
        raise ClientRefused(f"a {what} that is not JSON") from None
    if not isinstance(value, dict):
        raise ClientRefused(f"a {what} that is no object")
    return value


_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_ONE_KIND_OF_BRACKET = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def _is_flat(raw: bytes, depth: int) -> bool:
    """Whether JSON nests at most so deep, found without parsing it: the parser would recurse."""
    if raw.count(b"[") + raw.count(b"{") <= depth:
        return True
    brackets = _STRING.sub(b"", raw).translate(_ONE_KIND_OF_BRACKET, _NO_BRACKETS)
    for _ in range(depth):
        outer = brackets.replace(b"[]", b"")
        if len(outer) == len(brackets):
            break
        brackets = outer
    return not brackets


def _length(header: dict[str, Any], key: str, limit: int) -> int:
    length = header.get(key)
    if length is None:
        return 0
    if not isinstance(length, int) or isinstance(length, bool) or not 0 <= length <= limit:
        raise ClientRefused(f"a {key} out of bounds")
    return length
