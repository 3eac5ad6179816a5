"""The way in: every form of an address, and a reason for every refusal that its owner can act on."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from tests.fakes.home_assistant import FakeHomeAssistant
from wyoming_openai.hass.connection import CannotConnect, Connection, HassError, HassSettings, InvalidAuth, Timing
from wyoming_openai.hass.login import websocket_url

CERTIFICATE = Path(__file__).parent / "self_signed.pem"


async def refusal(settings: HassSettings, patience: float = 10.0) -> HassError:
    with pytest.raises(HassError) as caught:
        async with Connection.open(settings, timing=Timing(connect=patience)):
            pass
    return caught.value


@asynccontextmanager
async def site(handler: Callable[[web.Request], web.StreamResponse]) -> AsyncIterator[HassSettings]:
    """Some other web server."""

    async def handle(request: web.Request) -> web.StreamResponse:
        return handler(request)

    app = web.Application()
    app.router.add_get("/api/websocket", handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield HassSettings(f"http://127.0.0.1:{runner.addresses[0][1]}", "secret-token")
    await runner.cleanup()


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("http://homeassistant.local:8123", "ws://homeassistant.local:8123/api/websocket"),
        ("http://homeassistant.local:8123/", "ws://homeassistant.local:8123/api/websocket"),
        ("  http://homeassistant.local:8123/api ", "ws://homeassistant.local:8123/api/websocket"),
        ("http://homeassistant.local:8123/api/websocket/", "ws://homeassistant.local:8123/api/websocket"),
        ("http://homeassistant.local:8123/lovelace/0?edit=1#x", "ws://homeassistant.local:8123/api/websocket"),
        ("homeassistant.local:8123", "ws://homeassistant.local:8123/api/websocket"),
        ("https://ha.example.org", "wss://ha.example.org/api/websocket"),
        ("ws://10.0.0.2:8123/api/websocket", "ws://10.0.0.2:8123/api/websocket"),
        ("wss://ha.example.org/behind/a/proxy/websocket", "wss://ha.example.org/behind/a/proxy/websocket"),
        ("http://[fd00::1]:8123", "ws://[fd00::1]:8123/api/websocket"),
        ("http://supervisor/core", "ws://supervisor/core/websocket"),
        ("http://supervisor/core/api/", "ws://supervisor/core/websocket"),
        ("ws://supervisor/core/websocket", "ws://supervisor/core/websocket"),
    ],
)
def test_addresses_as_people_write_them(given: str, url: str) -> None:
    assert str(websocket_url(given)) == url


@pytest.mark.parametrize("given", ["", "ftp://host", "http://", "http://host:99999", "http://host:port", "://"])
def test_what_is_no_address(given: str) -> None:
    with pytest.raises(CannotConnect, match="write it like http"):
        websocket_url(given)


async def test_supervisors_address_is_used(hass: FakeHomeAssistant) -> None:
    async with Connection.open(replace(hass.settings, url=f"{hass.url}/core")) as connection:
        assert await connection.command("get_config")


async def test_wrong_token(hass: FakeHomeAssistant) -> None:
    error = await refusal(replace(hass.settings, token="secret-token"))
    assert isinstance(error, InvalidAuth)
    assert "token" in str(error)
    assert "secret" not in str(error)


async def test_nothing_listens(hass: FakeHomeAssistant) -> None:
    await hass.shut()
    assert "Nothing listens" in str(await refusal(hass.settings))


async def test_password_in_the_address_is_not_told(hass: FakeHomeAssistant) -> None:
    assert HassSettings("https://user:secret@host:8123/?key=secret", "t").address == "https://host:8123"
    await hass.shut()
    error = await refusal(replace(hass.settings, url=f"http://user:secret@127.0.0.1:{hass.port}/?key=secret"))
    assert f"http://127.0.0.1:{hass.port}" in str(error)
    assert "secret" not in str(error)


async def test_nothing_is_said(hass: FakeHomeAssistant) -> None:
    hass.mute = True
    assert "did not let us in" in str(await refusal(hass.settings, 0.1))


async def test_nothing_is_answered() -> None:
    stop = asyncio.Event()

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await stop.wait()
        writer.close()

    async with await asyncio.start_server(hold, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert "did not answer" in str(await refusal(HassSettings(f"http://127.0.0.1:{port}", "t"), 0.1))
        stop.set()


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (403, InvalidAuth, "ip_bans.yaml"),
        (401, InvalidAuth, "refuses us"),
        (404, CannotConnect, "write the address like"),
        (200, CannotConnect, "write the address like"),
        (502, CannotConnect, "proxy"),
        (503, CannotConnect, "proxy"),
    ],
)
async def test_no_websocket_there(status: int, kind: type[HassError], words: str) -> None:
    async with site(lambda request: web.Response(status=status, text="secret page")) as settings:
        error = await refusal(settings)
    assert isinstance(error, kind)
    assert words in str(error)
    assert "secret" not in str(error)


@pytest.mark.parametrize("greeting", ["hello", "[]", '{"type":"welcome"}', "{}"])
async def test_some_other_websocket(greeting: str) -> None:
    async def greet(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str(greeting)
        await socket.receive()
        return socket

    app = web.Application()
    app.router.add_get("/api/websocket", greet)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    error = await refusal(HassSettings(f"http://127.0.0.1:{runner.addresses[0][1]}", "t"))
    await runner.cleanup()
    assert "not Home Assistant" in str(error)


async def test_https_where_there_is_none(hass: FakeHomeAssistant) -> None:
    error = await refusal(replace(hass.settings, url=f"https://127.0.0.1:{hass.port}"))
    assert "http://" in str(error)


async def test_http_where_there_is_https(hass: FakeHomeAssistant) -> None:
    await hass.shut()
    await hass.listen(_own_certificate())
    error = await refusal(replace(hass.settings, url=f"http://127.0.0.1:{hass.port}"))
    assert "https://" in str(error)


async def test_self_signed_certificate_is_explained(hass: FakeHomeAssistant) -> None:
    await hass.shut()
    await hass.listen(_own_certificate())
    error = await refusal(hass.settings)
    assert "signed by nobody but itself" in str(error)
    assert "verify_ssl" in str(error)


async def test_self_signed_certificate_is_accepted_if_told_so(hass: FakeHomeAssistant) -> None:
    await hass.shut()
    await hass.listen(_own_certificate())
    async with Connection.open(replace(hass.settings, verify_ssl=False)) as connection:
        assert await connection.command("get_config")


def _own_certificate() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context
