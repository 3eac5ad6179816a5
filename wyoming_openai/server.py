"""Builds all parts from the settings and keeps them running. Nothing else constructs, nothing is global."""

import asyncio
import gc
import logging
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from urllib.parse import urlsplit

from . import __version__
from .admission import LIMITS, Admission
from .agents import Agent, Agents
from .assistant import Assistant, Patience
from .context.knowledge import Knowledge
from .handler import Handler, describe
from .hass.connection import HassSettings
from .hass.home import Home
from .hass.mirror import FixedMirror, HomeMirror, Mirror
from .hass.snapshot import demo_home, load_home
from .ledger import Ledger
from .listener import Connection, Listener
from .llm import ChatModel
from .llm.client import ModelSettings, create_model
from .llm.local import LocalEngine
from .memory import Memory
from .prices import Prices
from .prompt import Prompt
from .settings import Agent as AgentOfSeveral
from .settings import AgentSettings, Settings
from .tools import Toolbox, builtin_tools
from .usage import Budgets, BudgetSettings, Limits, Purse

_LOGGER = logging.getLogger(__name__)

LAST_WORD = 2.0  # seconds beyond the deadline, for the local engine to step in where the model has used them all


@dataclass(frozen=True, slots=True)
class Parts:
    """The agents and what they answer from."""

    agents: Agents
    mirror: Mirror
    ledger: Ledger

    @property
    def assistant(self) -> Assistant:
        """That of the first agent."""
        return self.agents.first.assistant

    @property
    def models(self) -> set[ChatModel]:
        return {agent.model for agent in self.agents if agent.model is not None}


def build(settings: Settings, local: LocalEngine | None = None, knowledge: Knowledge | None = None) -> Parts:
    """Construct everything; nothing runs yet, nothing is asked of the network.

    What knows languages may be shared by those who build more than once.
    """
    mirror = build_mirror(settings)
    local = local or LocalEngine()
    knowledge = knowledge or Knowledge()
    memory = Memory()
    models: dict[ModelSettings, ChatModel] = {}  # agents that differ in their prompts only share its connections
    ledger = open_ledger(settings)
    budgets, prices = Budgets(ledger, budget_settings(settings)), Prices()
    agents = []
    for own in settings.all_agents:
        model = None
        if own.uses_model:
            wanted = model_settings(own)
            model = models[wanted] = models.get(wanted) or create_model(wanted)
        assistant = Assistant(
            name=own.name,
            prompt=Prompt(own.prompt),
            style=own.style,
            model=model,
            purse=Purse(budgets, prices, model_settings(own), own.name),
            local=local,
            knowledge=knowledge,
            mirror=mirror,
            memory=memory,
            toolbox=Toolbox(builtin_tools()),
            context_tokens=own.context_tokens,
            patience=Patience(own.deadline, own.speak_seconds),
            phone_patience=Patience(own.phone_deadline, own.phone_speak_seconds),
        )
        agents.append(Agent(own, assistant, model, own.devices if isinstance(own, AgentOfSeveral) else ()))
    return Parts(Agents(agents, mirror), mirror, ledger)


def open_ledger(settings: Settings) -> Ledger:
    """What the model has cost, in a file; without a model there is nothing to keep."""
    return Ledger(settings.state_folder / "usage.sqlite3" if settings.uses_any_model else None)


def budget_settings(settings: Settings) -> BudgetSettings:
    return BudgetSettings(total=Limits(settings.budget_day, settings.budget_month))


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


def model_settings(settings: AgentSettings) -> ModelSettings:
    """The slice of the settings that the model's side needs."""
    key = settings.openai_api_key
    return ModelSettings(
        api_key=key.get_secret_value() if key else None,
        base_url=settings.openai_base_url,
        api=settings.api,
        model=settings.model,
        max_tokens=settings.max_tokens,
        temperature=settings.temperature,
        top_p=settings.top_p,
        first_token_timeout=longest_deadline(settings),
        total_timeout=longest_deadline(settings),
    )


def longest_deadline(settings: AgentSettings) -> float:
    """Of all callers; each turn has its own."""
    return max(settings.deadline, settings.phone_deadline)


@asynccontextmanager
async def running(parts: Parts) -> AsyncIterator[Parts]:
    """The parts with their background work: the mirror follows the home; afterwards all connections are closed."""
    following = [asyncio.create_task(parts.mirror.run())]
    following += [asyncio.create_task(agent.assistant.follow()) for agent in parts.agents]
    try:
        yield parts
    finally:
        for task in following:
            task.cancel()
        await asyncio.wait(following)
        for model in parts.models:
            await model.close()
        parts.ledger.close()


async def serve(settings: Settings) -> None:
    """Serve until told to stop. Raises `CannotListen`."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with serving(settings) as listeners:
        for agent, listener in zip(listening(settings), listeners, strict=True):
            _LOGGER.info("%s", announcement(settings, agent, listener.port))
        waiting = [stop.wait(), *(listener.ended.wait() for listener in listeners)]
        ended = [asyncio.create_task(wait) for wait in waiting]
        await asyncio.wait(ended, return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            task.cancel()
        _LOGGER.info("Stopping: answers in progress are finished first")


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[list[Listener]]:
    """A listening server for each agent; at the end answers in progress are finished. Raises `CannotListen`."""
    async with running(build(settings)) as parts, AsyncExitStack() as stack:
        count = len(parts.agents.listening)
        door = Admission(replace(LIMITS, turns=count * LIMITS.turns, waiting=count * LIMITS.waiting))
        listeners: list[Listener] = []
        stack.push_async_callback(_stop, listeners)
        for agent in parts.agents.listening:
            listener = Listener(agent.settings.uri, partial(_connection, parts, agent), door)
            await listener.start()
            listeners.append(listener)
        warming = asyncio.create_task(_warm(parts))
        stack.callback(warming.cancel)
        yield listeners


async def _stop(listeners: Sequence[Listener]) -> None:
    await asyncio.gather(*(listener.stop() for listener in listeners))


async def _connection(parts: Parts, agent: Agent, connection: Connection) -> None:
    handler = Handler(
        info=lambda: describe(
            name=agent.name,
            model=agent.model.name if agent.model else "local",
            supports_home_control=agent.settings.control == "on",
        ),
        reply=partial(parts.agents.reply, agent),
        connection=connection,
        language=parts.mirror.home.config.language if parts.mirror.home else "en",
        deadline=longest_deadline(agent.settings) + LAST_WORD,
    )
    await handler.run()


async def _warm(parts: Parts) -> None:
    """Pay before the first question what it would otherwise wait for."""
    await asyncio.to_thread(parts.ledger.tidy)
    for agent in parts.agents:
        await asyncio.to_thread(agent.assistant.look_up_price)
    for model in parts.models:
        await model.warm()
    await parts.mirror.wait_fresh(60)
    await parts.assistant.prepare(parts.mirror.home.config.language if parts.mirror.home else "en")
    gc.collect()
    gc.freeze()  # a home of 10,000 entities takes 130 ms to look through: not while somebody waits


def listening(settings: Settings) -> list[AgentSettings]:
    """The agents that have an address."""
    return [agent for agent in settings.all_agents if agent.listens]


def announcement(settings: Settings, agent: AgentSettings, port: int | None) -> str:
    """What an agent runs on and how to connect Home Assistant, in one line."""
    if (hass := hass_settings(settings)) is not None:
        home = hass.address
    else:
        home = (
            f"the snapshot {settings.home}"
            if settings.home
            else "the demo home (set HASS_URL and HASS_TOKEN for yours)"
        )
    engine = agent.model if agent.uses_model else "the local engine (set OPENAI_API_KEY for a language model)"
    where = agent.uri if port is None else f"port {port}"
    connect = (
        ""
        if port is None
        else f" In Home Assistant: Settings > Devices & services > Add integration > Wyoming Protocol, port {port}"
        f" and {_host(agent.uri)}."
    )
    who = f": {agent.name}" if settings.agents else ""
    return f"wyoming_openai {__version__}{who} listens on {where}. Home: {home}. Engine: {engine}.{connect}"


def _host(uri: str) -> str:
    host = urlsplit(uri).hostname or ""
    return "this machine's address as host" if host in ("0.0.0.0", "::", "") else f"host {host}"
