"""The doctor: names in plain words each thing that is wrong, and what to do about it."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, suppress
from datetime import UTC, datetime

from ..conversation.prompt import DEFAULT_PROMPT, try_prompt
from ..hass.connection import HassError
from ..hass.mirror import probe
from ..llm import ModelError
from ..llm.client import say_hello
from ..llm.models import ModelSettings, ends
from ..settings.options import AgentSettings, Settings
from ..speech.phrasebook import say
from ..template import NeedsHomeAssistant, TemplateError, compile_template
from ..wyoming_server.listener import CannotListen, ClientConnection, Listener
from .build import hass_settings, home_in_file, model_chain
from .commands import CannotRun, connected

MODEL_TIMEOUT = 20.0
TAKEN = "Another program listens there, perhaps this one already runs; stop it or choose another port with --uri."


class Finding(str):
    """One line of the report."""

    __slots__ = ()
    bad = False


class Problem(Finding):
    """Something that keeps the program from its work, with what to do."""

    __slots__ = ()
    bad = True


async def check(settings: Settings) -> bool:
    """Print what works and what does not; True if everything does."""
    healthy = True
    for who, look in _looks(settings):
        async with aclosing(look) as findings:
            async for finding in findings:
                print(("✗ " if finding.bad else "✓ ") + who + finding, flush=True)
                healthy &= not finding.bad
    return healthy


def _looks(settings: Settings) -> Iterator[tuple[str, AsyncGenerator[Finding, None]]]:
    """What is looked at, with the name of the agent it is about, where there are several."""
    yield "", _home(settings)
    for agent in settings.all_agents:
        who = f"{agent.name}: " if settings.agents else ""
        yield who, _prompt(settings, agent)
        yield who, _models(agent)
        yield who, _port(agent)


async def _home(settings: Settings) -> AsyncGenerator[Finding, None]:
    hass = hass_settings(settings)
    if hass is None:
        home = home_in_file(settings)
        yield Finding(f"Home: {settings.home or 'the demo home'}, {len(home.registries.exposed)} entities exposed.")
        if not settings.home:
            yield Finding("To answer about your own home, set HASS_URL and HASS_TOKEN.")
        return
    try:
        found = await probe(hass)
    except HassError as error:
        yield Problem(f"Home: {error}")
        return
    yield Finding(
        f"Home: Home Assistant {found.version} at {hass.address}, {found.exposed} of {found.entities} entities exposed."
    )
    for warning in found.warnings:
        yield Problem(f"Home: {warning}")
    if not found.exposed:
        yield Problem(
            "Home: nothing is exposed to Assist, so there is nothing to tell. In Home Assistant: Settings > "
            "Voice assistants > Expose."
        )


async def _prompt(settings: Settings, agent: AgentSettings) -> AsyncGenerator[Finding, None]:
    try:
        with suppress(NeedsHomeAssistant):
            compile_template(agent.prompt or DEFAULT_PROMPT)
        async with connected(settings) as parts:
            await try_prompt(agent.prompt, parts.mirror)
    except TemplateError as error:
        line = f" in line {error.line}" if error.line else ""
        yield Problem(f"Prompt: the template fails{line}: {error}. Until it is mended the default prompt is used.")
    except CannotRun:
        yield Finding("Prompt: nothing wrong with its form; not tried, for want of a home.")
    else:
        yield Finding("Prompt: your template works." if agent.prompt else "Prompt: the default.")


async def _models(agent: AgentSettings) -> AsyncGenerator[Finding, None]:
    if not agent.uses_model:
        yield Finding("Model: none; the local engine answers. For a language model, set OPENAI_API_KEY.")
        return
    for settings in model_chain(agent):
        async with aclosing(_model(settings)) as findings:
            async for finding in findings:
                yield finding


async def _model(settings: ModelSettings) -> AsyncGenerator[Finding, None]:
    name = settings.model
    try:
        used = await say_hello(settings, MODEL_TIMEOUT)
        yield Finding(f"Model: {name} answers ({used} tokens spent on this check).")
    except ModelError as error:
        yield Problem(f"Model: {name}: {say(error.sentence_key, 'en')} ({error})")
    except TimeoutError:
        yield Problem(
            f"Model: {name}: no answer within {MODEL_TIMEOUT:.0f} seconds; check OPENAI_BASE_URL and the network."
        )
    if (end := ends(name)) is not None:
        days = (end - datetime.now(UTC).date()).days
        yield (Problem if days < 60 else Finding)(f"Model: {name} will be switched off on {end}; choose another.")


async def _port(agent: AgentSettings) -> AsyncGenerator[Finding, None]:
    if not agent.listens or agent.uri.startswith("stdio:"):
        return

    async def refuse(connection: ClientConnection) -> None:
        """It is closed when this returns."""

    listener = Listener(agent.uri, refuse)
    try:
        await listener.start()
    except CannotListen as error:
        yield Problem(f"Wyoming: {error}. {TAKEN}")
    else:
        await listener.stop()
        yield Finding(f"Wyoming: {agent.uri} is free to listen on.")
