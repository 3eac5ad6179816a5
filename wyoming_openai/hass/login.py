"""The way in: from an address as a person writes it to an authenticated websocket, with every refusal explained."""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson
import yarl
from aiohttp import ClientWebSocketResponse, WSMsgType

from .errors import CannotConnect, HassError, InvalidAuth

Socket = ClientWebSocketResponse[Any]

MAX_MESSAGE = 64 * 2**20  # a home of 10,000 entities sends 6 MB; 4 MiB is what aiohttp allows by itself
EXAMPLE = "http://homeassistant.local:8123"
SCHEMES = {"http": "ws", "ws": "ws", "https": "wss", "wss": "wss"}
CERTIFICATE = {
    9: "it is not valid yet (is the clock right?)",
    10: "it has expired",
    18: "it is signed by nobody but itself",
    19: "it is signed by an authority that is not known here",
    20: "it is signed by an authority that is not known here",
    21: "it is signed by an authority that is not known here",
    62: "it is for another name than the one in the address",
    64: "it is for another address",
}
"""What OpenSSL's verification errors mean."""


@dataclass(frozen=True, slots=True)
class HassSettings:
    """Where Home Assistant is and how to be let in."""

    url: str
    """As a person writes it, see `websocket_url`."""
    token: str = field(repr=False)
    verify_ssl: bool = True
    """False for a certificate that nobody has signed."""

    @property
    def address(self) -> str:
        """Where it is, as far as that may be shown. Raises `CannotConnect` if that is no address."""
        return shown(websocket_url(self.url))


def websocket_url(url: str) -> yarl.URL:
    """The address of the websocket for any address of Home Assistant that a person may have, also of one of its pages
    or of the Supervisor's proxy. Raises `CannotConnect`.
    """
    text = url.strip()
    try:
        given = yarl.URL(text if "://" in text else f"http://{text}")
        if given.scheme not in SCHEMES or not given.host:
            raise ValueError
        return given.with_scheme(SCHEMES[given.scheme]).with_path(_websocket_path(given.path.rstrip("/")))
    except ValueError:
        raise CannotConnect(f"The address of Home Assistant is not one: write it like {EXAMPLE}") from None


def _websocket_path(path: str) -> str:
    if path.endswith("/websocket"):
        return path
    return "/core/websocket" if path in ("/core", "/core/api") else "/api/websocket"


def shown(url: yarl.URL) -> str:
    """A websocket's address as the person knows it, and no more of it than may be shown: the rest may be secret."""
    return str(url.origin().with_scheme("https" if url.scheme == "wss" else "http"))


async def connect(session: aiohttp.ClientSession, settings: HassSettings, timeout: float) -> Socket:
    """Open the websocket; nothing has been said on it. Raises `CannotConnect`, `InvalidAuth` (banned)."""
    url = websocket_url(settings.url)
    where = shown(url)
    try:
        async with asyncio.timeout(timeout):
            return await session.ws_connect(
                url,
                ssl=settings.verify_ssl,
                max_msg_size=MAX_MESSAGE,
                decode_text=False,
                timeout=aiohttp.ClientWSTimeout(ws_close=1.0),
            )
    except TimeoutError:
        raise CannotConnect(f"{where} did not answer within {timeout:.0f} seconds") from None
    except (aiohttp.ClientError, OSError) as error:
        raise _explained(error, where) from None  # aiohttp's errors hold the request


def _explained(error: Exception, where: str) -> HassError:
    """What a failed connection means, in words for the owner."""
    match error:
        case aiohttp.WSServerHandshakeError(status=status):
            return _explained_status(status, where)
        case aiohttp.ClientConnectorCertificateError(certificate_error=ssl.SSLCertVerificationError() as reason):
            why = CERTIFICATE.get(reason.verify_code, reason.verify_message)
            return CannotConnect(
                f"The certificate of {where} is not trusted: {why}. If it is your own, turn hass_verify_ssl off"
            )
        case aiohttp.ClientSSLError():
            return CannotConnect(f"{where} does not speak TLS properly: try the address with http:// instead")
        case aiohttp.ClientConnectorDNSError():
            return CannotConnect(f"The name {where.partition('://')[2]} is not known: check it, or use an IP address")
        case aiohttp.ServerDisconnectedError() if where.startswith("http:"):
            return CannotConnect(f"{where} hung up: does it want https://?")
        case ConnectionRefusedError() | aiohttp.ClientConnectorError(os_error=ConnectionRefusedError()):
            return CannotConnect(f"Nothing listens at {where}: is Home Assistant running, and is the port right?")
        case aiohttp.ClientConnectorError(os_error=reason):
            return CannotConnect(f"{where} cannot be reached: {reason.strerror or type(reason).__name__}")
        case _:
            return CannotConnect(f"{where} cannot be reached ({type(error).__name__})")


def _explained_status(status: int, where: str) -> HassError:
    match status:
        case 401 | 403:
            return InvalidAuth(
                f"{where} refuses us (HTTP {status}): after too many wrong tokens Home Assistant bans an address, see "
                "ip_bans.yaml in its configuration; or a proxy before it wants a log-in"
            )
        case _ if status >= 500:
            return CannotConnect(f"Home Assistant is not there: its proxy at {where} says HTTP {status}")
        case _:
            return CannotConnect(f"No Home Assistant at {where} (HTTP {status}): write the address like {EXAMPLE}")


async def log_in(websocket: Socket, settings: HassSettings, timeout: float) -> str:
    """Show the token; gives Home Assistant's version."""
    try:
        async with asyncio.timeout(timeout):
            greeting = await _hear(websocket)
            if greeting.get("type") == "auth_required":
                await websocket.send_str(orjson.dumps({"type": "auth", "access_token": settings.token}).decode())
                greeting = await _hear(websocket)
    except TimeoutError:
        raise CannotConnect(f"Home Assistant did not let us in within {timeout:.0f} seconds") from None
    except OSError:
        raise CannotConnect("Home Assistant hung up while we logged in") from None
    match greeting.get("type"):
        case "auth_ok":
            return str(greeting.get("ha_version", ""))
        case "auth_invalid":
            raise InvalidAuth(
                "Home Assistant does not accept the token: make a new one in your profile under Security, Long-lived "
                "access tokens, and set HASS_TOKEN to it"
            )
        case _:
            raise CannotConnect("What answers there is not Home Assistant")


async def _hear(websocket: Socket) -> Mapping[str, Any]:
    message = await websocket.receive()
    if message.type is not WSMsgType.TEXT:
        raise CannotConnect("Home Assistant hung up while we logged in")
    try:
        greeting = orjson.loads(message.data)
    except orjson.JSONDecodeError:
        greeting = None
    if not isinstance(greeting, dict):
        raise CannotConnect("What answers there is not Home Assistant")
    return greeting
