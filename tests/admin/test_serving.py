"""Who dawdles at the page's socket is shown out, and keeps nobody else from coming in."""

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import pytest
from aiohttp import ClientConnectionError, ClientSession

from wyoming_openai.admin import AdminParts, listening
from wyoming_openai.admin.serving import MAX_CONNECTIONS, ConnectionGuard

REQUEST = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
HALF = b"GET /healthz HTTP/1.1\r\nHost: loc"


class Hurried(ConnectionGuard):
    """The same in a test's time."""

    HEADER = 0.05
    REQUEST = 0.3


@asynccontextmanager
async def connected(port: int):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def answer(reader: asyncio.StreamReader) -> bytes:
    """The first line; nothing where the connection was closed."""
    try:
        return await reader.readline()
    except ConnectionError:
        return b""


@pytest.mark.parametrize(
    "sent", [b"", b"G", HALF, REQUEST[:-2]], ids=["nothing", "a letter", "half", "all but the end"]
)
async def test_who_sends_no_whole_header_is_shown_out(parts: AdminParts, sent: bytes) -> None:
    async with listening(parts, "http://127.0.0.1:0", Hurried()) as port, connected(port) as (reader, writer):
        writer.write(sent)
        assert await answer(reader) == b""


async def test_dripping_a_header_is_no_way_to_stay(parts: AdminParts) -> None:
    async with listening(parts, "http://127.0.0.1:0", Hurried()) as port, connected(port) as (reader, writer):
        writer.write(HALF)
        while not reader.at_eof() and not writer.is_closing():
            writer.write(b"x")
            with suppress(TimeoutError, ConnectionError):
                async with asyncio.timeout(0.01):
                    await reader.read(1)
        assert await answer(reader) == b""


async def test_a_second_half_header_does_not_keep_a_connection_either(parts: AdminParts) -> None:
    async with listening(parts, "http://127.0.0.1:0", Hurried()) as port, connected(port) as (reader, writer):
        writer.write(REQUEST + HALF)
        assert b"200" in await answer(reader)
        await reader.read()


async def test_a_browser_that_asks_again_in_time_stays(parts: AdminParts) -> None:
    async with listening(parts, "http://127.0.0.1:0") as port, connected(port) as (reader, writer):
        for _ in range(3):
            writer.write(REQUEST)
            assert b"200" in await answer(reader)
            await reader.readuntil(b'"status":"ok"')


async def test_who_waits_with_half_a_header_makes_room(parts: AdminParts) -> None:
    async with listening(parts, "http://127.0.0.1:0") as port, AsyncExitStack() as stack:
        slow = [await stack.enter_async_context(connected(port)) for _ in range(MAX_CONNECTIONS)]
        for _, writer in slow:
            writer.write(HALF)
        reader, writer = await stack.enter_async_context(connected(port))
        writer.write(REQUEST)
        assert b"200" in await answer(reader)


async def test_it_takes_so_many_connections_and_no_more(parts: AdminParts) -> None:
    async with listening(parts, "http://127.0.0.1:0") as port, ClientSession() as session, AsyncExitStack() as stack:
        for _ in range(MAX_CONNECTIONS):
            reader, writer = await stack.enter_async_context(connected(port))
            writer.write(REQUEST)
            assert b"200" in await answer(reader)
        with pytest.raises(ClientConnectionError):
            await session.get(f"http://127.0.0.1:{port}/healthz")
