"""Builds all parts from the settings and keeps them running. Nothing else constructs, nothing is global."""

import asyncio
import gc
import logging
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from . import __version__
from .assistant import Assistant
from .context.knowledge import Knowledge
from .framing import EventReader, EventWriter
from .handler import Handler, describe
from .hass.connection import HassSettings
from .hass.mirror import FixedMirror, HomeMirror, Mirror
from .hass.snapshot import demo_home, load_home
from .listener import Listener
from .llm import ChatModel
from .llm.client import ModelSettings, create_model
from .llm.local import LocalEngine
from .memory import Memory
from .prompt import Prompt
from .settings import Settings
from .tools import Toolbox

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Parts:
    """One assistant and what it answers from."""

    assistant: Assistant
    mirror: Mirror
    model: ChatModel | None
    local: LocalEngine


def build(settings: Settings, local: LocalEngine | None = None, knowledge: Knowledge | None = None) -> Parts:
    """Construct everything; nothing runs yet, nothing is asked of the network.

    What knows languages may be shared by those who build more than once.
    """
    model = create_model(model_settings(settings)) if settings.uses_model else None
    mirror = build_mirror(settings)
    local = local or LocalEngine()
    assistant = Assistant(
        prompt=Prompt(settings.prompt),
        model=model,
        local=local,
        knowledge=knowledge or Knowledge(),
        mirror=mirror,
        memory=Memory(),
        toolbox=Toolbox([]),
        deadline=settings.deadline,
        context_tokens=settings.context_tokens,
    )
    return Parts(assistant, mirror, model, local)


def build_mirror(settings: Settings) -> Mirror:
    """The live home, or the one in a file: the one named, else the demo home."""
    hass = hass_settings(settings)
    if hass is not None:
        return HomeMirror(hass)
    return FixedMirror(load_home(settings.home) if settings.home else demo_home(datetime.now(UTC)))


def hass_settings(settings: Settings) -> HassSettings | None:
    """How Home Assistant is reached; None where a snapshot takes its place."""
    if settings.home or settings.hass_url is None or settings.hass_token is None:
        return None
    return HassSettings(settings.hass_url, settings.hass_token.get_secret_value(), settings.hass_verify_ssl)


def model_settings(settings: Settings) -> ModelSettings:
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
        first_token_timeout=settings.deadline,
        total_timeout=settings.deadline,
    )


@asynccontextmanager
async def running(parts: Parts) -> AsyncIterator[Parts]:
    """The parts with their background work: the mirror follows the home; afterwards all connections are closed."""
    following = asyncio.create_task(parts.mirror.run())
    try:
        yield parts
    finally:
        following.cancel()
        await asyncio.wait([following])
        if parts.model is not None:
            await parts.model.close()


async def serve(settings: Settings) -> None:
    """Serve until told to stop. Raises `CannotListen`."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with serving(settings) as listener:
        _LOGGER.info("%s", announcement(settings, listener.port))
        ended = [asyncio.create_task(stop.wait()), asyncio.create_task(listener.ended.wait())]
        await asyncio.wait(ended, return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            task.cancel()
        _LOGGER.info("Stopping: answers in progress are finished first")


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[Listener]:
    """A listening server; at the end answers in progress are finished. Raises `CannotListen`."""
    async with running(build(settings)) as parts:
        listener = Listener(settings.uri, lambda reader, writer: _connection(settings, parts, reader, writer))
        await listener.start()
        warming = asyncio.create_task(_warm(parts))
        try:
            yield listener
        finally:
            warming.cancel()
            await listener.stop()


async def _connection(settings: Settings, parts: Parts, reader: EventReader, writer: EventWriter) -> None:
    handler = Handler(
        info=lambda: describe(
            name=settings.name,
            model=parts.model.name if parts.model else "local",
            supports_home_control=settings.control == "on",
        ),
        reply=parts.assistant.reply,
        reader=reader,
        writer=writer,
        language=parts.mirror.home.config.language if parts.mirror.home else "en",
    )
    await handler.run()


async def _warm(parts: Parts) -> None:
    """Pay before the first question what it would otherwise wait for."""
    if parts.model is not None:
        await parts.model.warm()
    await parts.mirror.wait_fresh(60)
    await parts.assistant.prepare(parts.mirror.home.config.language if parts.mirror.home else "en")
    gc.collect()
    gc.freeze()  # a home of 10,000 entities takes 130 ms to look through: not while somebody waits


def announcement(settings: Settings, port: int | None) -> str:
    """What it runs on and how to connect Home Assistant, in one line."""
    if (hass := hass_settings(settings)) is not None:
        home = hass.url
    else:
        home = (
            f"the snapshot {settings.home}"
            if settings.home
            else "the demo home (set HASS_URL and HASS_TOKEN for yours)"
        )
    engine = settings.model if settings.uses_model else "the local engine (set OPENAI_API_KEY for a language model)"
    where = settings.uri if port is None else f"port {port}"
    connect = (
        ""
        if port is None
        else f" In Home Assistant: Settings > Devices & services > Add integration > Wyoming Protocol, port {port}"
        f" and {_host(settings.uri)}."
    )
    return f"wyoming_openai {__version__} listens on {where}. Home: {home}. Engine: {engine}.{connect}"


def _host(uri: str) -> str:
    host = urlsplit(uri).hostname or ""
    return "this machine's address as host" if host in ("0.0.0.0", "::", "") else f"host {host}"
