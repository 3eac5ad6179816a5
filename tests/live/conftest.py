"""A real Home Assistant, where TEST_HASS_URL and TEST_HASS_TOKEN name one that may be tried on."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from itertools import count
from types import TracebackType
from typing import Any, Self

import aiohttp
import pytest

URL = os.environ.get("TEST_HASS_URL", "")
TOKEN = os.environ.get("TEST_HASS_TOKEN", "")


class HomeAssistant:
    """Home Assistant's API as its frontend uses it; deliberately not our own client."""

    def __init__(self) -> None:
        self._ids = count(1)

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"})
        self._socket = await self._session.ws_connect(f"{URL}/api/websocket", max_msg_size=0)
        await self._socket.receive_json()
        await self._socket.send_json({"type": "auth", "access_token": TOKEN})
        assert (await self._socket.receive_json())["type"] == "auth_ok"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        await self._socket.close()
        await self._session.close()

    async def send(self, command: str, **data: Any) -> int:
        number = next(self._ids)
        await self._socket.send_json({"id": number, "type": command, **data})
        return number

    async def receive(self, number: int) -> dict[str, Any]:
        while True:
            message: dict[str, Any] = await self._socket.receive_json(timeout=30)
            if message["id"] == number:
                return message

    async def command(self, command: str, **data: Any) -> Any:
        message = await self.receive(await self.send(command, **data))
        assert message["success"], message
        return message["result"]

    async def rest(self, method: str, path: str, body: Any = None) -> Any:
        async with self._session.request(method, f"{URL}/api/{path}", json=body) as response:
            assert response.status < 400, await response.text()
            return await response.json()

    async def add_wyoming(self, port: int) -> tuple[str, str]:
        """Add a Wyoming server through the config flow; gives the config entry and its agent."""
        flow = await self.rest("POST", "config/config_entries/flow", {"handler": "wyoming"})
        path = f"config/config_entries/flow/{flow['flow_id']}"
        entry = (await self.rest("POST", path, {"host": "127.0.0.1", "port": port}))["result"]["entry_id"]
        for _ in range(100):
            for entity in await self.command("config/entity_registry/list"):
                if entity["config_entry_id"] == entry and entity["entity_id"].startswith("conversation."):
                    return entry, entity["entity_id"]
            await asyncio.sleep(0.1)
        raise AssertionError("the agent did not appear")

    async def ask(self, agent: str, text: str, **more: Any) -> tuple[str, str]:
        """`conversation/process`: the kind of the response and what is spoken."""
        result = await self.command("conversation/process", text=text, agent_id=agent, **more)
        return result["response"]["response_type"], result["response"]["speech"]["plain"]["speech"]


@pytest.fixture
async def hass() -> AsyncIterator[HomeAssistant]:
    if not (URL and TOKEN):
        pytest.skip("no real Home Assistant: TEST_HASS_URL and TEST_HASS_TOKEN are not set")
    async with HomeAssistant() as hass:
        yield hass


class Program:
    """Our program as a person starts it, on a port of its own."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.process = process
        self.port = port

    @classmethod
    async def start(cls, *flags: str, **environment: str) -> "Program":
        base = {name: value for name, value in os.environ.items() if not name.startswith(("HASS_", "OPENAI_"))}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "wyoming_openai", "--uri", "tcp://127.0.0.1:0", *flags,
            env={**base, **environment},
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stderr is not None
        async for line in process.stderr:
            words = line.decode().split()
            if "port" in words:
                return cls(process, int(words[words.index("port") + 1].rstrip(".")))
        raise AssertionError("the program ended before it listened")

    async def stop(self) -> int:
        with suppress(ProcessLookupError):
            self.process.terminate()
        return await self.process.wait()
