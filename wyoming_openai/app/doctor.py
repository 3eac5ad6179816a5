"""`check`: names in plain words each thing that is wrong, and what to do about it."""

import errno
import os
import tempfile
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from ..admin import RefusesToListen, refuse_open_door
from ..conversation.prompt import DEFAULT_PROMPT, prompt_warning, try_prompt
from ..hass.connection import HassError
from ..hass.mirror import ProbeResult, probe
from ..hass.snapshot import BadSnapshot
from ..llm import BadCredentials, ModelError, ModelUnreachable, UnknownModel
from ..llm.client import say_hello
from ..llm.models import DEFAULT_MODEL, ModelSettings, ends
from ..settings.options import AgentSettings, Settings, flag
from ..speech.phrasebook import say
from ..storage.files import FolderInUse, make_folder, use_folder
from ..template import NeedsHomeAssistant, TemplateError, compile_template
from ..wyoming_server.listener import CannotListen, ClientConnection, Listener
from .build import build, hass_settings, home_in_file, model_chain, run_background
from .neighbours import who_listens, who_serves_a_page

MODEL_TIMEOUT = 20.0
ENDS_SOON = 60  # days

MARKS = {"good": "✓", "warning": "!", "problem": "✗"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report. A warning is for one day, a problem keeps the program from its work."""

    text: str
    kind: Literal["good", "warning", "problem"] = "good"


def warning(text: str) -> Finding:
    """A finding that needs no answer today."""
    return Finding(text, "warning")


def problem(text: str) -> Finding:
    """A finding that keeps the program from its work, with what to do."""
    return Finding(text, "problem")


Findings = AsyncGenerator[Finding, None]


async def check(settings: Settings) -> bool:
    """Print what works and what does not; True if there is no problem."""
    healthy = True
    async with aclosing(_findings(settings)) as findings:
        async for finding in findings:
            print(MARKS[finding.kind], finding.text, flush=True)
            healthy &= finding.kind != "problem"
    return healthy


async def _findings(settings: Settings) -> Findings:
    is_running = await _runs_already(settings)
    has_home = True
    async for finding in _home(settings):
        has_home = has_home and finding.kind != "problem"
        yield finding
    for agent in settings.all_agents:
        who = f"{agent.name}: " if settings.agents else ""
        for look in (_prompt(settings, agent, has_home=has_home), _models(agent), _port(agent)):
            async for finding in look:
                yield Finding(who + finding.text, finding.kind)
    for finding in (*_budget(settings), *_data_folder(settings, is_running=is_running)):
        yield finding
    async for finding in _page(settings):
        yield finding


async def _runs_already(settings: Settings) -> bool:
    """Whether this program answers at one of its addresses."""
    return any([bool((found := await who_listens(agent.uri)) and found.is_ours) for agent in settings.all_agents])


async def _home(settings: Settings) -> Findings:
    hass = hass_settings(settings)
    if hass is None:
        try:
            home = home_in_file(settings)
        except BadSnapshot as error:
            yield problem(f"Home: {error}")
            return
        yield Finding(f"Home: {settings.home or 'the demo home'}, {len(home.registries.exposed)} entities exposed.")
        if not settings.home:
            yield Finding("To answer about your own home, set HASS_URL and HASS_TOKEN.")
        return
    try:
        found = await probe(hass)
    except HassError as error:
        yield problem(f"Home: {error}")
        return
    yield Finding(
        f"Home: Home Assistant {found.version} at {hass.address}, {found.exposed} of {found.entities} entities exposed."
    )
    for text in found.warnings:
        yield problem(f"Home: {text}")
    if found.hidden:
        yield warning(f"Home: {hidden_words(found)}")
    if not found.exposed:
        yield problem(
            "Home: nothing is exposed to Assist, so there is nothing to tell. In Home Assistant: Settings > "
            "Voice assistants > Expose."
        )


def hidden_words(found: ProbeResult) -> str:
    """What a token that may not list exposure leaves out, and what to do."""
    count = f"{found.hidden} entities are" if found.hidden > 1 else "1 entity is"
    return (
        f"{count} in no registry of Home Assistant, and only an administrator's token may read whether they "
        f"are exposed. With the token of {found.user} they stay unknown to the assistant; to include those that you "
        "expose, use the token of an administrator."
    )


async def _prompt(settings: Settings, agent: AgentSettings, *, has_home: bool) -> Findings:
    name = "your template" if agent.prompt else "the default"
    caveat = ""
    try:
        with suppress(NeedsHomeAssistant):
            compile_template(agent.prompt or DEFAULT_PROMPT)
        if not has_home:
            yield Finding(f"Prompt: {name} is valid; not tried, because there is no home to try it on.")
            return
        async with run_background(build(settings)) as parts:
            await parts.mirror.wait_fresh(MODEL_TIMEOUT)
            await try_prompt(agent.prompt, parts.mirror)
            caveat = prompt_warning(agent.prompt, parts.mirror.home) if parts.mirror.home else ""
    except TemplateError as error:
        line = f" in line {error.line}" if error.line else ""
        yield problem(f"Prompt: the template fails{line}: {error}. Until it is mended the default prompt is used.")
    else:
        yield Finding("Prompt: your template works." if agent.prompt else "Prompt: the default.")
        if caveat:
            yield warning(f"Prompt: {caveat}.")


async def _models(agent: AgentSettings) -> Findings:
    if not agent.uses_model:
        yield Finding("Model: none; the local engine answers. For a language model, set OPENAI_API_KEY.")
        return
    if agent.openai_base_url and agent.model == DEFAULT_MODEL:
        yield warning(f"Model: {DEFAULT_MODEL} is OpenAI's; name a model of your server with {flag('model')}.")
    for settings in model_chain(agent):
        async with aclosing(_model(settings)) as findings:
            async for finding in findings:
                yield finding


async def _model(settings: ModelSettings) -> Findings:
    name = settings.model
    try:
        used = await say_hello(settings, MODEL_TIMEOUT)
        yield Finding(f"Model: {name} answers ({used} tokens spent on this check).")
    except ModelError as error:
        yield problem(f"Model: {name}: {_model_advice(error)} ({error})")
    except TimeoutError:
        yield problem(
            f"Model: {name}: no answer within {MODEL_TIMEOUT:.0f} seconds; check OPENAI_BASE_URL and the network."
        )
    if (end := ends(name)) is not None:
        days = (end - datetime.now(UTC).date()).days
        told = f"Model: {name} will be switched off on {end}; choose another with {flag('model')}."
        yield (
            problem(told.replace("will be", "was"))
            if days < 0
            else warning(told)
            if days < ENDS_SOON
            else Finding(told)
        )


def _model_advice(error: ModelError) -> str:
    """What is wrong with a model, and which option changes it."""
    match error:
        case BadCredentials():
            return "the server does not accept the key: check OPENAI_API_KEY."
        case UnknownModel():
            return f"the server has no such model: choose another with {flag('model')}."
        case ModelUnreachable():
            return "the server can't be reached: check the network and OPENAI_BASE_URL."
    return say(error.sentence_key, "en")


async def _port(agent: AgentSettings) -> Findings:
    if not agent.listens or agent.uri.startswith("stdio:"):
        return

    async def refuse(connection: ClientConnection) -> None:
        """It is closed when this returns."""

    listener = Listener(agent.uri, refuse)
    try:
        await listener.start()
    except CannotListen as error:
        found = await who_listens(agent.uri)
        if found and found.is_ours:
            yield Finding(f"Wyoming: it runs already at {agent.uri}: {found.name}, version {found.version}.")
        elif found:
            yield problem(
                f"Wyoming: another Wyoming server, {found.name}, listens at {agent.uri}; "
                f"stop it or choose another port with {flag('uri')}."
            )
        else:
            yield problem(f"Wyoming: {error}")
    else:
        await listener.stop()
        yield Finding(f"Wyoming: {agent.uri} is free to listen on.")


def _budget(settings: Settings) -> list[Finding]:
    if settings.uses_any_model and 0 in (settings.budget_day, settings.budget_month):
        return [warning("Budget: it is 0, so the language model is never asked; the local engine answers.")]
    return []


def _data_folder(settings: Settings, *, is_running: bool) -> list[Finding]:
    """Whether budgets and conversations survive a restart."""
    folder = settings.state_folder
    try:
        make_folder(folder)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(4096))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        reason = "the disk is full" if error.errno == errno.ENOSPC else error.strerror or str(error)
        return [
            problem(
                f"Data: nothing can be kept in {folder} ({reason}): budgets would begin again with each start. "
                f"Choose another folder with {flag('data_dir')}."
            )
        ]
    try:
        with use_folder(folder):
            return [Finding(f"Data: {folder} can be written.")]
    except FolderInUse:
        if is_running:
            return [Finding(f"Data: {folder}, used by the service that runs.")]
        return [
            problem(
                f"Data: another program of this kind uses {folder}: their budgets and conversations would be mixed. "
                f"Give each its own with {flag('data_dir')}."
            )
        ]


async def _page(settings: Settings) -> Findings:
    if settings.admin_uri == "off":
        return
    password = settings.admin_password.get_secret_value() if settings.admin_password else None
    try:
        refuse_open_door(settings.admin_uri, password, ingress=False)
    except RefusesToListen as error:
        yield problem(f"Page: {error}.")
        return
    taken = await who_serves_a_page(settings.admin_uri)
    if taken is None:
        yield Finding(f"Page: {settings.admin_uri} is free to listen on.")
    elif taken == "ours":
        yield Finding(f"Page: it is there already: {settings.admin_uri}.")
    else:
        yield problem(f"Page: {taken}; choose another address with {flag('admin_uri')}, or off.")
