"""Pages and JSON: the same facts for a person and for a program. Names and texts are text, never markup."""

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson
from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from .. import __version__
from ..prices import NANO
from .gate import BASE, KNOWN, SESSION, Gate
from .parts import AdminParts, Agent

HERE = Path(__file__).parent
PARTS = web.AppKey("parts", AdminParts)
GATE = web.AppKey("gate", Gate)

MENU = (
    ("", "Overview"),
    ("try", "Try it"),
    ("prompt", "Prompt"),
    ("home", "Home"),
    ("conversations", "Conversations"),
    ("usage", "Usage"),
    ("options", "Options"),
)


def _moment(seconds: float, zone: str) -> str:
    try:
        where: tzinfo = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        where = UTC
    return f"{datetime.fromtimestamp(seconds, where):%Y-%m-%d %H:%M:%S %Z}"


def _money(nano: float) -> str:
    dollars = nano / NANO
    return f"${dollars:,.2f}" if dollars >= 0.1 or not dollars else f"${dollars:.4f}"


WORDS = {"hass": "Home Assistant", "openai": "OpenAI", "url": "address", "uri": "address", "api": "API", "ssl": "SSL"}


def _words(name: str) -> str:
    """The name of an option in words."""
    words = " ".join(WORDS.get(word, word) for word in name.split("_"))
    return words[:1].upper() + words[1:]


def _milliseconds(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.0f} ms" if value < 1000 else f"{value / 1000:.1f} s"


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(moment=_moment, money=_money, ms=_milliseconds, words=_words)
    return environment


_TEMPLATES = _environment()


def page(request: web.Request, template: str, *, status: int = 200, **values: Any) -> web.Response:
    """A page from its template."""
    gate = request.app[GATE]
    session = request.get(SESSION, "")
    home = request.app[PARTS].mirror().home
    text = _TEMPLATES.get_template(template).render(
        base=request.get(BASE, ""),
        token=gate.sessions.token(session) if session else "",
        menu=MENU if request.get(KNOWN, False) else (),
        path=request.path,
        version=__version__,
        zone=home.config.time_zone if home else "UTC",
        can_log_out=gate.needs_password and request.get(KNOWN, False),
        **values,
    )
    return web.Response(text=text, content_type="text/html", status=status)


def json(value: Any, *, status: int = 200) -> web.Response:
    """An answer for a program."""
    body = orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS)
    return web.Response(body=body, content_type="application/json", status=status)


async def json_object(request: web.Request) -> Mapping[str, Any]:
    """The JSON object in a request's body."""
    try:
        value = orjson.loads(await request.read())
    except orjson.JSONDecodeError:
        raise web.HTTPBadRequest(text="The body must be JSON.") from None
    if not isinstance(value, dict):
        raise web.HTTPBadRequest(text="The body must be a JSON object.")
    return value


def text_of(values: Mapping[str, Any], name: str, most: int = 2000, default: str = "") -> str:
    """A text in a query, a form or an object, of bounded length and without lone surrogates."""
    value = values.get(name)
    if value is None:
        return default
    if not isinstance(value, str) or len(value) > most:
        raise web.HTTPBadRequest(text=f"{name} must be a text of up to {most} characters.")
    return value.encode("utf-8", "replace").decode().replace("\x00", "").strip()


def whole_of(values: Mapping[str, Any], name: str, default: int, most: int = 2**53) -> int:
    """A whole number from 1 on in a query."""
    value = str(values.get(name) or default)
    if not (value.isascii() and value.isdigit() and 1 <= int(value[:20]) <= most):
        raise web.HTTPBadRequest(text=f"{name} must be a whole number from 1 to {most}.")
    return int(value)


def agent_of(request: web.Request, name: str) -> Agent:
    """The persona of that name; the first where none is named."""
    agents = request.app[PARTS].agents()
    for agent in agents:
        if agent.name == name or not name:
            return agent
    raise web.HTTPBadRequest(text="There is no persona of that name.")
