"""Builds all parts from the settings. Nothing else constructs, nothing is global."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..context.cache import ContextCache
from ..conversation.agents import Agent, Agents
from ..conversation.assistant import Assistant
from ..conversation.memory import Memory
from ..conversation.model_turn import ModelTurn, ToolRunner
from ..conversation.prompt import Prompt
from ..conversation.request import RequestBuilder
from ..conversation.turn import Patience
from ..hass.connection import HassSettings
from ..hass.home import Home
from ..hass.mirror import FixedMirror, HomeMirror, Mirror
from ..hass.snapshot import demo_home, load_home
from ..llm import ChatModel
from ..llm.chain import AT_ONCE, WAITING, ConcurrencyLimit, create_chain
from ..llm.client import ModelSettings
from ..local_engine.engine import LocalEngine
from ..local_engine.languages import Loader
from ..settings.options import AgentSettings, Fallback, NamedAgentSettings, Settings
from ..tools import Toolbox, builtin_tools
from ..usage.budgets import AgentBudget, BudgetLimits, Budgets, BudgetSettings
from ..usage.ledger import Ledger
from ..usage.prices import Prices

CANCEL_AGAIN = 1.0  # seconds

ModelKey = tuple[tuple[ModelSettings, ...], float | None]


@dataclass(frozen=True, slots=True)
class Shared:
    """What outlives a change of settings: conversations, and what was learnt of languages."""

    local: LocalEngine = field(default_factory=LocalEngine)
    context_cache: ContextCache = field(default_factory=ContextCache)
    memory: Memory = field(default_factory=Memory)
    loader: Loader = field(default_factory=Loader)

    @classmethod
    def of_service(cls) -> "Shared":
        """What runs for years, for anybody who asks, loads languages one by one and not too often."""
        loader = Loader()
        return cls(LocalEngine(loader), ContextCache(loader), loader=loader)


@dataclass(frozen=True, slots=True)
class Components:
    """The agents and what they answer from."""

    settings: Settings
    agents: Agents
    mirror: Mirror
    models: dict[ModelKey, ChatModel]
    gate: ConcurrencyLimit
    ledger: Ledger
    budgets: Budgets
    prices: Prices
    shared: Shared

    @property
    def assistant(self) -> Assistant:
        """That of the first agent."""
        return self.agents.first.assistant

    @property
    def background_tasks(self) -> dict[object, Callable[[], Coroutine[Any, Any, None]]]:
        """Background work, by the part it is of: the mirror follows the home, each assistant what it needs of it."""
        return {self.mirror: self.mirror.run} | {each.assistant: each.assistant.follow for each in self.agents}

    async def close(self) -> None:
        """Close all connections and the ledger."""
        for model in self.models.values():
            await model.close()
        self.ledger.close()


def build(settings: Settings, *, shared: Shared | None = None, before: Components | None = None) -> Components:
    """Construct everything; nothing runs yet, nothing is asked of the network.

    What works `before` a change of settings and is not touched by it is used again: the connections to the home and
    to the models, the ledger, the conversations.
    """
    shared = before.shared if before else shared or Shared()
    mirror = before.mirror if before and _same_home(before.settings, settings) else build_mirror(settings)
    ledger = before.ledger if before else open_ledger(settings)
    budgets = before.budgets if before else Budgets(ledger, budget_settings(settings))
    prices = Prices(settings.prices)
    count = len(settings.all_agents)
    gate = before.gate if before else ConcurrencyLimit(count * AT_ONCE, count * WAITING)
    models: dict[ModelKey, ChatModel] = {}  # agents that differ in their prompts only share its connections
    agents = []
    for own in settings.all_agents:
        model = None
        if own.uses_model:
            key = (model_chain(own), own.hedge_seconds)
            kept = models.get(key) or (before.models.get(key) if before else None)
            model = models[key] = kept or create_chain(key[0], hedge=own.hedge_seconds, gate=gate)
        tools = ToolRunner(Toolbox(builtin_tools()), mirror, shared.context_cache)
        requests = RequestBuilder(
            prompt=Prompt(own.prompt),
            style=own.style,
            local=shared.local,
            context_cache=shared.context_cache,
            tools=tools.specs,
            context_tokens=own.context_tokens,
        )
        assistant = Assistant(
            name=own.name,
            requests=requests,
            tools=tools,
            model=ModelTurn(model, AgentBudget(budgets, prices, own.name), tools) if model else None,
            local=shared.local,
            context_cache=shared.context_cache,
            mirror=mirror,
            memory=shared.memory,
            patience=Patience(own.deadline, own.speak_seconds),
            phone_patience=Patience(own.phone_deadline, own.phone_speak_seconds),
        )
        agents.append(Agent(own, assistant, model, own.devices if isinstance(own, NamedAgentSettings) else ()))
    return Components(settings, Agents(agents, mirror), mirror, models, gate, ledger, budgets, prices, shared)


def _same_home(before: Settings, after: Settings) -> bool:
    return hass_settings(before) == hass_settings(after) and before.home == after.home


def open_ledger(settings: Settings) -> Ledger:
    """What the model has cost, in a file that is made when the first call is booked."""
    return Ledger(ledger_path(settings))


def ledger_path(settings: Settings) -> Path:
    """Where the ledger is."""
    return settings.state_folder / "usage.sqlite3"


def budget_settings(settings: Settings) -> BudgetSettings:
    """Who may spend how much."""
    return BudgetSettings(
        total=BudgetLimits(settings.budget_day, settings.budget_month),
        agent=BudgetLimits(settings.budget_agent_day, settings.budget_agent_month),
        agents={own.name: BudgetLimits(own.budget_agent_day, own.budget_agent_month) for own in settings.agents},
        device=BudgetLimits(settings.budget_device_day, settings.budget_device_month),
        questions_per_minute=settings.questions_per_minute,
        questions_per_day=settings.questions_per_day,
    )


def build_mirror(settings: Settings) -> Mirror:
    """The live home, or the one in a file: the one named, else the demo home."""
    hass = hass_settings(settings)
    return HomeMirror(hass) if hass is not None else FixedMirror(home_in_file(settings))


def home_in_file(settings: Settings) -> Home:
    """The home of the snapshot that is named, else the demo home. Raises `BadSnapshot`."""
    return load_home(settings.home) if settings.home else demo_home(datetime.now(UTC))


def hass_settings(settings: Settings) -> HassSettings | None:
    """How Home Assistant is reached; None where a snapshot takes its place."""
    if settings.home or settings.hass_url is None or settings.hass_token is None:
        return None
    return HassSettings(settings.hass_url, settings.hass_token.get_secret_value(), settings.hass_verify_ssl)


def model_chain(own: AgentSettings) -> tuple[ModelSettings, ...]:
    """The models that an agent asks, in this order."""
    return model_settings(own), *(model_settings(own, fallback) for fallback in own.fallbacks)


def model_settings(own: AgentSettings, fallback: Fallback | None = None) -> ModelSettings:
    """The slice of the settings that the model's side needs; a fallback takes from its agent what it does not say."""
    asked = fallback or own
    base_url = asked.openai_base_url or own.openai_base_url
    key = asked.openai_api_key or (own.openai_api_key if base_url == own.openai_base_url else None)
    return ModelSettings(
        api_key=key.get_secret_value() if key else None,
        base_url=base_url,
        api=asked.api,
        model=asked.model,
        max_tokens=own.max_tokens,
        temperature=own.temperature,
        top_p=own.top_p,
        first_token_timeout=longest_deadline(own),
        total_timeout=longest_deadline(own),
    )


def longest_deadline(settings: AgentSettings) -> float:
    """Of all callers; each turn has its own."""
    return max(settings.deadline, settings.phone_deadline)


def asked_models(settings: Settings) -> Iterator[ModelSettings]:
    """All models that any agent may ask."""
    for own in settings.all_agents:
        if own.uses_model:
            yield from model_chain(own)


@asynccontextmanager
async def run_background(parts: Components) -> AsyncIterator[Components]:
    """The parts with their background work, for one command; afterwards all connections are closed."""
    following = [asyncio.create_task(work()) for work in parts.background_tasks.values()]
    try:
        yield parts
    finally:
        await cancel_and_wait(following)
        await parts.close()


async def cancel_and_wait(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel tasks and wait for their end; one that has lost its cancellation gets another."""
    pending: set[asyncio.Task[None]] = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=CANCEL_AGAIN)
