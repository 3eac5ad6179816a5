"""Where this machine is, as Home Assistant would have to write it."""

import asyncio
import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from .security import is_loopback

LOOK_UP = 2.0
ANYWHERE = ("192.0.2.1", 9)
"""An address that nobody has: asking for the way there sends nothing."""


@dataclass(frozen=True, slots=True)
class AgentAddress:
    """Where one agent is reached."""

    name: str
    uri: str
    host: str = ""
    port: int | None = None
    only_here: bool = False
    """Other machines do not reach it."""


def address_of_agent(name: str, uri: str, own: str) -> AgentAddress:
    """The door of an agent, on a machine with this address."""
    parts = urlsplit(uri)
    if parts.scheme != "tcp":
        return AgentAddress(name, uri)
    host = parts.hostname or ""
    return AgentAddress(name, uri, own if _is_any(host) else host, parts.port, is_loopback(host))


async def own_address(hass_url: str | None) -> str:
    """This machine's address on the way to Home Assistant; its name where that is not known."""
    toward = await _resolved(urlsplit(hass_url or "").hostname) or ANYWHERE
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
            way.connect(toward)
            address = str(way.getsockname()[0])
    except OSError:
        return socket.gethostname()
    return socket.gethostname() if is_loopback(address) or _is_any(address) else address


async def _resolved(host: str | None) -> tuple[str, int] | None:
    """An address of a host, if it is found soon."""
    if not host:
        return None
    try:
        async with asyncio.timeout(LOOK_UP):
            found = await asyncio.get_running_loop().getaddrinfo(host, 9, family=socket.AF_INET, type=socket.SOCK_DGRAM)
    except (OSError, TimeoutError, UnicodeError):
        return None
    return (str(found[0][4][0]), 9) if found else None


def _is_any(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return not host
