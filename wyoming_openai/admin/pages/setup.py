"""From nothing to the first spoken answer: the home, the key, Home Assistant's steps; each tried before it is kept."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from aiohttp import web

from ...hass.connection import HassSettings
from ...hass.errors import HassError
from ...hass.mirror import FixedMirror, probe
from ...llm import ModelError
from ...llm.client import ModelSettings, say_hello
from ...settings.options import AgentSettings, Settings
from ...speech.phrasebook import say
from ..address import address_of_agent, own_address
from ..option_catalogue import settings_of
from ..rendering import PARTS, json, json_object, page, text_of
from .options import keep
from .overview import in_use

TIMEOUT = 20.0
FIELDS: Mapping[str, Mapping[str, int]] = {
    "home": {"hass_url": 300, "hass_token": 2000},
    "model": {"openai_api_key": 2000, "openai_base_url": 300, "model": 200},
}
"""What each step asks for, and how many characters at most."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What a test found."""

    good: bool
    text: str
    warnings: tuple[str, ...] = ()


async def show(request: web.Request) -> web.Response:
    """The steps, with what is done already."""
    return await _steps(request, {})


async def _steps(
    request: web.Request, typed: Mapping[str, str], tried: Tried | None = None, step: str = ""
) -> web.Response:
    parts = request.app[PARTS]
    settings = parts.settings()
    own = await own_address(settings.hass_url)
    return page(
        request,
        "setup.html",
        has_home=not isinstance(parts.mirror(), FixedMirror),
        mirror=parts.mirror(),
        home_in_use=in_use(parts),
        settings=settings,
        can_save=parts.save is not None,
        fixed=parts.fixed(""),
        tried=tried,
        step=step,
        url=typed.get("hass_url") or settings.hass_url or "",
        base_url=typed.get("openai_base_url") or settings.openai_base_url or "",
        model=typed.get("model") or settings.model,
        doors=[address_of_agent(agent.name, agent.uri, own) for agent in parts.agents() if agent.uri != "off"],
        asked=parts.turns.tally.last is not None,
        last=next((turn for turn in parts.turns.latest(20) if not turn.tried), None),
    )


async def step(request: web.Request) -> web.Response:
    """Try what was typed; keep what of it is new, if it works."""
    form, kind, parts = await request.post(), request.match_info["step"], request.app[PARTS]
    typed = {name: text_of(form, name, most) for name, most in FIELDS[kind].items()}
    settings = parts.settings()
    if kind == "home":
        tried = await try_home(settings, typed["hass_url"], typed["hass_token"])
    else:
        tried = await try_model(settings, typed["openai_api_key"], typed["openai_base_url"], typed["model"])
    if tried.good:
        changes = {name: text for name, text in typed.items() if text and text != getattr(settings, name)}
        if errors := await keep(parts, changes):
            wrong = " ".join(f"{name}: {text}" for name, text in errors.items())
            tried = Tried(False, f"It works, but it could not be saved. {wrong}")
    return await _steps(request, typed, tried, kind)


async def test_json(request: web.Request) -> web.Response:
    """Try an address with its token, or a key, and keep nothing; without values, those in use."""
    values, settings = await json_object(request), request.app[PARTS].settings()
    own = settings_of(settings, text_of(values, "agent", 64))
    home, model = ([text_of(values, name, most) for name, most in FIELDS[step].items()] for step in ("home", "model"))
    is_home = request.match_info["step"] == "home"
    tried = await (try_home(settings, *home) if is_home else try_model(own, *model))
    return json({"good": tried.good, "text": tried.text, "warnings": tried.warnings})


async def try_home(settings: Settings, url: str, token: str) -> Tried:
    """Connect and look. A token in use is sent to the address in use, and to no other."""
    if not token and settings.hass_token and url in ("", settings.hass_url):
        token, url = settings.hass_token.get_secret_value(), settings.hass_url or ""
    if not url or not token or urlsplit(url).scheme not in ("http", "https"):
        return Tried(False, "Give the address, such as http://homeassistant.local:8123, and a token.")
    try:
        async with asyncio.timeout(TIMEOUT):
            found = await probe(HassSettings(url.rstrip("/"), token, settings.hass_verify_ssl))
    except (HassError, ValueError) as error:
        return Tried(False, str(error))
    except TimeoutError:
        return Tried(False, f"No answer within {TIMEOUT:.0f} seconds.")
    text = f"Home Assistant {found.version}, as {found.user}: {found.exposed} of {found.entities} entities are exposed."
    return Tried(True, text, found.warnings)


async def try_model(settings: AgentSettings, key: str, base_url: str, name: str = "") -> Tried:
    """Ask the model for a word. A key in use is sent to the server in use, and to no other."""
    if not key and settings.openai_api_key and base_url in ("", settings.openai_base_url or ""):
        key, base_url = settings.openai_api_key.get_secret_value(), settings.openai_base_url or ""
    if not key and not base_url:
        return Tried(False, "Give a key, or the address of a server that needs none.")
    asked = ModelSettings(api_key=key or None, base_url=base_url or None, model=name or settings.model)
    try:
        used = await say_hello(asked, TIMEOUT)
    except ModelError as error:
        return Tried(False, f"{say(error.sentence_key, 'en')} ({error})")
    except TimeoutError:
        return Tried(False, f"No answer within {TIMEOUT:.0f} seconds; check the address and the network.")
    return Tried(True, f"{asked.model} answers ({used} tokens were spent on this test).")
