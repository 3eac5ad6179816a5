"""The page before a scripted model and the demo home."""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, aclosing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from tests.fakes.assistants import assistant_of
from tests.fakes.closing import closed_later
from tests.fakes.model import ScriptedModel
from wyoming_openai.admin import AdminParts, PageAgent, create_app
from wyoming_openai.app.build import budget_settings
from wyoming_openai.conversation.turn import Patience
from wyoming_openai.conversation.turn_log import TurnLog
from wyoming_openai.hass.mirror import FixedMirror, Mirror
from wyoming_openai.hass.snapshot import demo_home
from wyoming_openai.llm import ModelEvent, ModelReply, ModelRequest
from wyoming_openai.llm.models import DEFAULT_MODEL, ModelSettings
from wyoming_openai.local_engine.engine import LocalEngine
from wyoming_openai.messages import ToolSpec
from wyoming_openai.settings.options import AgentSettings, Settings
from wyoming_openai.settings.reader import read_configuration
from wyoming_openai.tools import Tool, ToolContext, schema
from wyoming_openai.usage.budgets import AgentBudget, Budgets
from wyoming_openai.usage.ledger import Ledger
from wyoming_openai.usage.prices import Prices


async def _tell(context: ToolContext, *, what: str) -> object:
    return {"told": what}


TELL = Tool(ToolSpec("tell", "Tells.", schema(what={"type": "string"}), read_only=True), _tell)


class Paying:
    """A scripted model whose calls are paid for, as those of a chain are."""

    def __init__(self, model: ScriptedModel) -> None:
        self._model = model
        self.name = model.name
        self.warm = model.warm
        self.close = model.close

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        with request.reserve(ModelSettings(model="gpt-4o-mini"), again=False) as account:
            async with aclosing(self._model.stream(request)) as events:
                async for event in events:
                    if isinstance(event, ModelReply):
                        account.settle(event.usage)
                    yield event


class Program:
    """What `service.py` does for the page: options that change, and assistants that change with them."""

    def __init__(
        self,
        mirror: Mirror,
        model: ScriptedModel | None,
        local: LocalEngine,
        config: Path | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.mirror = mirror
        self.model = model
        self._local = local
        flags = {"model": DEFAULT_MODEL} | ({"config": str(config)} if config else {})
        saved = {"": {"openai_api_key": "sk-hush-hush"}} if model else {}
        self.configuration = read_configuration(flags, {}, saved)
        self.ledger = closed_later(Ledger(None, clock=clock))
        self.budgets = Budgets(self.ledger)
        self.turns = closed_later(TurnLog(None))
        self._build()

    @property
    def settings(self) -> Settings:
        return self.configuration.settings

    def _build(self) -> None:
        self.turns.days = self.settings.keep_turns_days
        self.budgets.settings = budget_settings(self.settings)
        self.agents = [self._agent(own) for own in self.settings.all_agents]

    def _agent(self, own: AgentSettings) -> PageAgent:
        patience = Patience(10, 20)
        assistant = assistant_of(
            self.mirror,
            Paying(self.model) if self.model else None,
            prompt=own.prompt,
            money=AgentBudget(self.budgets, Prices(), own.name),
            local=self._local,
            tools=[TELL],
            context_tokens=own.context_tokens,
            patience=patience,
            phone_patience=patience,
        )
        price = Prices().of("gpt-4o-mini")
        return PageAgent(own.name, assistant, self.model.name if self.model else None, own.uri, own.prompt, price)

    async def save(self, changes: Mapping[str, Any], agent: str) -> None:
        self.configuration = self.configuration.changed(changes, agent)
        self._build()

    def parts(self) -> AdminParts:
        return AdminParts(
            agents=lambda: self.agents,
            mirror=lambda: self.mirror,
            settings=lambda: self.settings,
            turns=self.turns,
            sources=lambda agent: self.configuration.sources(agent),  # noqa: PLW0108 - it changes
            fixed=lambda agent: frozenset({"name"}) if agent else self.configuration.fixed,
            save=self.save,
            ledger=self.ledger,
            budgets=lambda: self.budgets.settings,
        )


SEVERAL = """
prompt: You serve {{ ha_name }}.
agents:
  - name: House
    uri: tcp://127.0.0.1:10800
  - name: Super Mario
    persona: super_mario
    devices: [Hall phone]
"""


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
def several(model: ScriptedModel, local: LocalEngine, tmp_path: Path) -> Program:
    """Two agents over one home."""
    config = tmp_path / "wyoming.yaml"
    config.write_text(SEVERAL)
    return Program(FixedMirror(demo_home(datetime.now(UTC))), model, local, config)


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
