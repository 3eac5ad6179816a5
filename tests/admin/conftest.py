"""The page before a scripted model and the demo home."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from tests.fakes.model import ScriptedModel
from wyoming_openai.admin import AdminParts, Agent, create_app
from wyoming_openai.assistant import Assistant, Patience
from wyoming_openai.context.knowledge import Knowledge
from wyoming_openai.hass.mirror import FixedMirror, Mirror
from wyoming_openai.hass.snapshot import demo_home
from wyoming_openai.ledger import Ledger
from wyoming_openai.llm.client import ModelSettings
from wyoming_openai.llm.local import LocalEngine
from wyoming_openai.memory import Memory
from wyoming_openai.messages import ToolSpec
from wyoming_openai.prices import Prices
from wyoming_openai.prompt import Prompt
from wyoming_openai.settings import read_settings
from wyoming_openai.tools import Tool, Toolbox, ToolContext, schema
from wyoming_openai.turns import TurnLog, Watched
from wyoming_openai.usage import Budgets, Purse


async def _tell(context: ToolContext, *, what: str) -> object:
    return {"told": what}


TELL = Tool(ToolSpec("tell", "Tells.", schema(what={"type": "string"}), read_only=True), _tell)


class Program:
    """What `server.py` does for the page: options that change, and assistants that change with them."""

    def __init__(self, mirror: Mirror, model: ScriptedModel | None, local: LocalEngine) -> None:
        self.mirror = mirror
        self.model = model
        self._local = local
        self.given: dict[str, str] = {"openai_api_key": "sk-hush-hush"} if model else {}
        self.settings = read_settings(self.given, {})
        self.ledger = Ledger(None)
        self.agents = self._build()

    def _build(self) -> list[Agent]:
        patience = Patience(10, 20)
        assistant = Assistant(
            prompt=Prompt(self.settings.prompt),
            model=Watched(self.model) if self.model else None,
            purse=Purse(Budgets(self.ledger), Prices(), ModelSettings(None), "House"),
            local=self._local,
            knowledge=Knowledge(),
            mirror=self.mirror,
            memory=Memory(),
            toolbox=Toolbox([TELL]),
            context_tokens=2000,
            patience=patience,
            phone_patience=patience,
        )
        model = self.model.name if self.model else None
        price = Prices().of("gpt-4o-mini")
        return [Agent("House", assistant, model, self.settings.uri, self.settings.prompt, price)]

    async def save(self, changes: Mapping[str, Any]) -> None:
        given = {**self.given, **{name: str(value) for name, value in changes.items()}}
        given = {name: value for name, value in given.items() if changes.get(name, value) is not None}
        self.settings = read_settings(given, {})
        self.given = given
        self.agents = self._build()

    def parts(self) -> AdminParts:
        return AdminParts(
            agents=lambda: self.agents,
            mirror=lambda: self.mirror,
            settings=lambda: self.settings,
            turns=TurnLog(None),
            sources=lambda: {"model": "--model"},
            fixed=lambda: frozenset({"model"}),
            save=self.save,
            ledger=self.ledger,
        )


@pytest.fixture(scope="session")
def local() -> LocalEngine:
    return LocalEngine()


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel()


@pytest.fixture
def program(model: ScriptedModel, local: LocalEngine) -> Program:
    return Program(FixedMirror(demo_home(datetime.now(UTC))), model, local)


@pytest.fixture
def parts(program: Program) -> AdminParts:
    return program.parts()


class Browser:
    """A client that keeps cookies, and brings its token along as the pages do."""

    def __init__(self, client: TestClient[Any, Any]) -> None:
        self.client = client

    async def get(self, path: str, **more: Any) -> tuple[int, str]:
        async with self.client.get(path, allow_redirects=False, **more) as response:
            return response.status, await response.text()

    async def token(self) -> str:
        async with self.client.get("/api/session") as response:
            return str((await response.json())["token"])

    async def send(self, method: str, path: str, **more: Any) -> tuple[int, str]:
        """A change, as the page's scripts make it."""
        headers = {"X-Token": await self.token(), "Sec-Fetch-Site": "same-origin"}
        async with self.client.request(method, path, headers=headers, allow_redirects=False, **more) as response:
            return response.status, await response.text()

    async def post(self, path: str, **fields: str) -> tuple[int, str]:
        """A form."""
        return await self.send("POST", path, data=fields)


@pytest.fixture
async def open_page() -> AsyncIterator[Callable[..., Any]]:
    async with AsyncExitStack() as stack:

        async def browse(parts: AdminParts, **changes: Any) -> Browser:
            parts = replace(parts, **changes)
            client = await stack.enter_async_context(TestClient(TestServer(create_app(parts))))
            return Browser(client)

        yield browse


@pytest.fixture
async def browser(open_page: Callable[..., Any], parts: AdminParts) -> Browser:
    opened: Browser = await open_page(parts)
    return opened
