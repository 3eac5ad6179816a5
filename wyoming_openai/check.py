"""The doctor: names in plain words each thing that is wrong, and what to do about it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime

from .commands import CommandFailed, connected
from .framing import EventReader, EventWriter
from .hass.connection import HassError
from .hass.mirror import probe
from .hass.snapshot import demo_home, load_home
from .listener import CannotListen, Listener
from .llm import ModelError, ModelReply, ModelRequest
from .llm.client import create_model
from .llm.models import ends
from .messages import UserMessage
from .prompt import try_prompt
from .sentences import say
from .server import hass_settings, model_settings
from .settings import Settings
from .template import TemplateError

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
    for look in (_home, _prompt, _model, _port):
        async with aclosing(look(settings)) as findings:
            async for finding in findings:
                print(("✗ " if finding.bad else "✓ ") + finding, flush=True)
                healthy &= not finding.bad
    return healthy


async def _home(settings: Settings) -> AsyncGenerator[Finding, None]:
    hass = hass_settings(settings)
    if hass is None:
        home = load_home(settings.home) if settings.home else demo_home(datetime.now(UTC))
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
        f"Home: Home Assistant {found.version} at {hass.url}, {found.exposed} of {found.entities} entities exposed."
    )
    for warning in found.warnings:
        yield Problem(f"Home: {warning}")
    if not found.exposed:
        yield Problem(
            "Home: nothing is exposed to Assist, so there is nothing to tell. In Home Assistant: Settings > "
            "Voice assistants > Expose."
        )


async def _prompt(settings: Settings) -> AsyncGenerator[Finding, None]:
    try:
        try_prompt(settings.prompt, None)
        async with connected(settings) as parts:
            try_prompt(settings.prompt, parts.mirror.home)
    except TemplateError as error:
        line = f" in line {error.line}" if error.line else ""
        yield Problem(f"Prompt: the template fails{line}: {error}. Until it is mended the default prompt is used.")
    except CommandFailed:
        yield Finding("Prompt: nothing wrong with its form; not tried, for want of a home.")
    else:
        yield Finding("Prompt: your template works." if settings.prompt else "Prompt: the default.")


async def _model(settings: Settings) -> AsyncGenerator[Finding, None]:
    if not settings.uses_model:
        yield Finding("Model: none; the local engine answers. For a language model, set OPENAI_API_KEY.")
        return
    model = create_model(model_settings(settings))
    request = ModelRequest((UserMessage("Say hello."),))
    try:
        async with asyncio.timeout(MODEL_TIMEOUT), aclosing(model.stream(request)) as events:
            async for event in events:
                if isinstance(event, ModelReply):
                    used = event.usage.input_tokens + event.usage.output_tokens
                    yield Finding(f"Model: {model.name} answers ({used} tokens spent on this check).")
    except ModelError as error:
        yield Problem(f"Model: {say(error.sentence, 'en')} ({error})")
    except TimeoutError:
        yield Problem(f"Model: no answer within {MODEL_TIMEOUT:.0f} seconds; check OPENAI_BASE_URL and the network.")
    finally:
        await model.close()
    if (end := ends(settings.model)) is not None:
        days = (end - datetime.now(UTC).date()).days
        yield (Problem if days < 60 else Finding)(
            f"Model: {settings.model} will be switched off on {end}; choose another."
        )


async def _port(settings: Settings) -> AsyncGenerator[Finding, None]:
    if settings.uri.startswith("stdio:"):
        return

    async def refuse(reader: EventReader, writer: EventWriter) -> None:
        writer.abort()

    listener = Listener(settings.uri, refuse)
    try:
        await listener.start()
    except CannotListen as error:
        yield Problem(f"Wyoming: {error}. {TAKEN}")
    else:
        await listener.stop()
        yield Finding(f"Wyoming: {settings.uri} is free to listen on.")
