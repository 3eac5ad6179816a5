"""From nothing to the first spoken answer: the home, the key, Home Assistant's steps; each tried before it is kept."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
from urllib.parse import urlsplit

from aiohttp import web

from ..hass.connection import HassSettings
from ..hass.errors import HassError
from ..hass.mirror import FixedMirror, probe
from ..llm import ModelError, ModelReply, ModelRequest
from ..llm.client import ModelSettings, create_model
from ..messages import JsonObject, UserMessage
from ..sentences import say
from ..settings import Settings
from .options import keep
from .pages import PARTS, json, json_object, page, text_of

TIMEOUT = 20.0


@dataclass(frozen=True, slots=True)
class Tried:
    """What a test found."""

    good: bool
    text: str
    warnings: tuple[str, ...] = ()


async def show(request: web.Request) -> web.Response:
    """The steps, with what is done already."""
    return _steps(request)


def _steps(
    request: web.Request, tried: Tried | None = None, step: str = "", url: str = "", base: str = ""
) -> web.Response:
    parts = request.app[PARTS]
    settings = parts.settings()
    return page(
        request,
        "setup.html",
        has_home=not isinstance(parts.mirror(), FixedMirror),
        mirror=parts.mirror(),
        settings=settings,
        can_save=parts.save is not None,
        tried=tried,
        step=step,
        url=url or settings.hass_url or "",
        base_url=base or settings.openai_base_url or "",
        port=urlsplit(settings.uri).port if settings.uri.startswith("tcp:") else None,
        asked=parts.turns.tally.last is not None,
    )


async def step(request: web.Request) -> web.Response:
    """Try what was typed; keep it if it works."""
    form = await request.post()
    kind = request.match_info["step"]
    url, base = text_of(form, "hass_url", 300), text_of(form, "openai_base_url", 300)
    if kind == "home":
        tried = await try_home(request.app[PARTS].settings(), url, text_of(form, "hass_token", 2000))
        changes = {"hass_url": url or None, "hass_token": text_of(form, "hass_token", 2000) or None}
    else:
        tried = await try_model(request.app[PARTS].settings(), text_of(form, "openai_api_key", 2000), base)
        changes = {"openai_api_key": text_of(form, "openai_api_key", 2000) or None, "openai_base_url": base or None}
    if tried.good:
        given = {name: value for name, value in changes.items() if value is not None}
        if errors := await keep(request.app[PARTS], given):
            wrong = " ".join(f"{name}: {text}" for name, text in errors.items())
            tried = Tried(False, f"It works, but it could not be saved. {wrong}")
    return _steps(request, tried, kind, url, base)


async def test_json(request: web.Request) -> web.Response:
    """Try an address with its token, or a key, and keep nothing; without values, those in use."""
    values, settings = await json_object(request), request.app[PARTS].settings()
    if request.match_info["step"] == "home":
        tried = await try_home(settings, text_of(values, "hass_url", 300), text_of(values, "hass_token", 2000))
    else:
        key, base = text_of(values, "openai_api_key", 2000), text_of(values, "openai_base_url", 300)
        tried = await try_model(settings, key, base)
    answer: JsonObject = {"good": tried.good, "text": tried.text, "warnings": tried.warnings}
    return json(answer)


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


async def try_model(settings: Settings, key: str, base_url: str) -> Tried:
    """Ask the model for a word. A key in use is sent to the server in use, and to no other."""
    if not key and settings.openai_api_key and base_url in ("", settings.openai_base_url or ""):
        key, base_url = settings.openai_api_key.get_secret_value(), settings.openai_base_url or ""
    if not key and not base_url:
        return Tried(False, "Give a key, or the address of a server that needs none.")
    model = create_model(ModelSettings(api_key=key or None, base_url=base_url or None, model=settings.model))
    try:
        async with (
            asyncio.timeout(TIMEOUT),
            aclosing(model.stream(ModelRequest((UserMessage("Say hello."),)))) as events,
        ):
            async for event in events:
                if isinstance(event, ModelReply):
                    used = event.usage.input_tokens + event.usage.output_tokens
                    return Tried(True, f"{model.name} answers ({used} tokens were spent on this test).")
    except ModelError as error:
        return Tried(False, f"{say(error.sentence, 'en')} ({error})")
    except TimeoutError:
        return Tried(False, f"No answer within {TIMEOUT:.0f} seconds; check the address and the network.")
    finally:
        await model.close()
    return Tried(False, "The model said nothing.")
