"""Wyoming's framing with limits: events read from strangers, events written to whoever is still there.

The event types are the library's. Its own reader takes lengths and lines as they come, without bounds or deadlines
(256 MB sent are 537 MB of memory), and its writer loses an answer with a lone surrogate in it; hence this one.
"""

import asyncio
import json
from typing import Any

from wyoming.event import Event
from wyoming.version import __version__ as WYOMING_VERSION

MAX_HEADER = 16 * 1024
MAX_DATA = 256 * 1024
MAX_PAYLOAD = 64 * 1024  # audio that a client sends by mistake: skipped, never kept
FIRST_BYTE_TIMEOUT = 30.0
FRAME_TIMEOUT = 10.0
IDLE_TIMEOUT = 120.0
WRITE_TIMEOUT = 10.0


class BadFrame(Exception):
    """What came is no Wyoming event, or too large, or too slow; the text is fit for a log."""


class EventReader:
    """Reads events from a stream."""

    def __init__(self, stream: asyncio.StreamReader, *, half_closes: bool = False) -> None:
        self._stream = stream
        self._buffer = bytearray()
        self._patience = FIRST_BYTE_TIMEOUT
        self._half_closes = half_closes
        self._stopped = False
        self._waiting: asyncio.Timeout | None = None
        self.awaits_answers = True
        """False when the client has left. On stdio the end of the input does not mean that."""

    def stop(self) -> None:
        """Read nothing more; the answers in progress are still wanted."""
        self._stopped = True
        if self._waiting is not None:
            self._waiting.reschedule(asyncio.get_running_loop().time())

    async def next(self) -> Event | None:
        """The next event; None at the end of the stream or after too long a silence. Raises `BadFrame`."""
        if self._stopped or not (self._buffer or await self._first_byte()):
            return None
        self._patience = IDLE_TIMEOUT
        try:
            async with asyncio.timeout(FRAME_TIMEOUT):
                return await self._frame()
        except TimeoutError:
            raise BadFrame("an event that never ends") from None

    async def _first_byte(self) -> bool:
        try:
            async with asyncio.timeout(self._patience) as self._waiting:
                return await self._more()
        except TimeoutError:
            return False
        finally:
            self._waiting = None

    async def _frame(self) -> Event:
        header = _object(await self._line(), "header")
        kind = header.get("type")
        if not isinstance(kind, str):
            raise BadFrame("an event without a type")
        data_length = _length(header, "data_length", MAX_DATA)
        payload_length = _length(header, "payload_length", MAX_PAYLOAD)
        data = header.get("data") or {}
        if not isinstance(data, dict):
            raise BadFrame("data that is no object")
        if data_length:
            data = {**data, **_object(await self._exactly(data_length), "data")}
        await self._exactly(payload_length)
        return Event(type=kind, data=data)

    async def _line(self) -> bytes:
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            if len(self._buffer) > MAX_HEADER:
                raise BadFrame("a header that is too long")
            searched = len(self._buffer)
            await self._need_more()
        if end > MAX_HEADER:
            raise BadFrame("a header that is too long")
        return self._take(end + 1)

    async def _exactly(self, length: int) -> bytes:
        while len(self._buffer) < length:
            await self._need_more()
        return self._take(length)

    def _take(self, length: int) -> bytes:
        taken = bytes(self._buffer[:length])
        del self._buffer[:length]
        return taken

    async def _need_more(self) -> None:
        if not await self._more():
            raise BadFrame("an event that breaks off")

    async def _more(self) -> bool:
        """Take what has arrived; False at the end of the stream, also when it was cut."""
        try:
            data = await self._stream.read(MAX_PAYLOAD)
        except ConnectionError:
            data = b""
        if not data:
            self.awaits_answers = self._half_closes
        self._buffer += data
        return bool(data)


class EventWriter:
    """Writes events to a stream, each whole; raises `ConnectionError` when nobody reads any more."""

    def __init__(self, stream: asyncio.StreamWriter) -> None:
        self._stream = stream

    async def write(self, *events: Event) -> None:
        """Send events in one piece, so that a reader who leaves after the first gets it whole."""
        self._stream.write(b"".join(map(frame, events)))
        try:
            async with asyncio.timeout(WRITE_TIMEOUT):
                await self._stream.drain()
        except TimeoutError:
            self.abort()
            raise ConnectionAbortedError("the client does not read") from None

    def abort(self) -> None:
        """Drop the connection at once: `close` would wait for a client that does not read."""
        self._stream.transport.abort()


def frame(event: Event) -> bytes:
    """An event's bytes: a header line, then the data of the length it names."""
    data = json.dumps(event.data, ensure_ascii=False).encode("utf-8", "replace") if event.data else b""
    header: dict[str, Any] = {"type": event.type, "version": WYOMING_VERSION}
    if data:
        header["data_length"] = len(data)
    return json.dumps(header).encode() + b"\n" + data


def _object(raw: bytes, what: str) -> dict[str, Any]:
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        raise BadFrame(f"a {what} that is not JSON") from None
    if not isinstance(value, dict):
        raise BadFrame(f"a {what} that is no object")
    return value


def _length(header: dict[str, Any], key: str, limit: int) -> int:
    length = header.get(key)
    if length is None:
        return 0
    if not isinstance(length, int) or isinstance(length, bool) or not 0 <= length <= limit:
        raise BadFrame(f"a {key} out of bounds")
    return length
