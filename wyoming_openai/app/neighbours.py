"""Who else is at the addresses that the program wants: this program, which runs already, or another one."""

import asyncio
import errno
import socket
from contextlib import closing, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

import orjson

from .. import PROJECT

SECONDS = 2.0
"""How long somebody at a port may take to say who it is."""

ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}


@dataclass(frozen=True, slots=True)
class WyomingServer:
    """A server that describes itself."""

    name: str
    version: str
    is_ours: bool


async def who_listens(uri: str) -> WyomingServer | None:
    """The Wyoming server at a URI; None where nobody answers `describe`."""
    with suppress(OSError, ValueError, TimeoutError, asyncio.IncompleteReadError):
        async with asyncio.timeout(SECONDS):
            reader, writer = await _connect(uri)
            try:
                writer.write(b'{"type": "describe"}\n')
                return _described(*await _event(reader))
            finally:
                writer.close()
    return None


async def _connect(uri: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(uri)
    if parts.scheme == "unix":
        return await asyncio.open_unix_connection(parts.path)
    if parts.scheme != "tcp" or not parts.port:
        raise ValueError("nobody can be asked there")
    host = parts.hostname or ""
    return await asyncio.open_connection(ANY.get(host, host), parts.port)


async def _event(reader: asyncio.StreamReader) -> tuple[object, object]:
    """The type and the data of one event; see https://github.com/OHF-Voice/wyoming#format."""
    header = orjson.loads(await reader.readline())
    length = int(header.get("data_length") or 0)
    data = orjson.loads(await reader.readexactly(length)) if length else header.get("data")
    return header.get("type"), data


def _described(kind: object, info: object) -> WyomingServer | None:
    if kind != "info" or not isinstance(info, dict):
        return None
    programs = [program for each in info.values() if isinstance(each, list) for program in each]
    if not programs or not isinstance(programs[0], dict):
        return None
    first = programs[0]
    is_ours = (first.get("attribution") or {}).get("name") == PROJECT
    return WyomingServer(str(first.get("name")), str(first.get("version")), is_ours)


async def who_serves_a_page(uri: str) -> str | None:
    """None where the page could listen; "ours" where it does already; else what is in the way, in words."""
    parts = urlsplit(uri)
    host, port = parts.hostname or "", parts.port or 8099
    error = _why_not(host, port)
    if error is None:
        return None
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is no address of this machine"
    if error.errno != errno.EADDRINUSE:
        return f"{uri} can't be used ({error.strerror or error})"
    return "ours" if await _is_our_page(ANY.get(host, host), port) else f"another program listens at {uri}"


def _why_not(host: str, port: int) -> OSError | None:
    """Why nobody can listen there."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        with closing(socket.socket(family, socket.SOCK_STREAM)) as door:
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            door.bind(address)
    except OSError as error:
        return error
    return None


async def _is_our_page(host: str, port: int) -> bool:
    with suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
        async with asyncio.timeout(SECONDS):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(f"GET /healthz HTTP/1.0\r\nHost: {host}:{port}\r\n\r\n".encode())
                return f'"{PROJECT}"'.encode() in await reader.read(4096)
            finally:
                writer.close()
    return False
