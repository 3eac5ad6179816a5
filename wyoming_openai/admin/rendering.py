"""Pages and JSON: the same facts for a person and for a program. Names and texts are text, never markup."""

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson
from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from .. import __version__
from ..usage.prices import NANO
from .gate import BASE, KNOWN, SESSION, Gate
from .parts import AdminParts, PageAgent

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


def zone_of(name: str) -> tzinfo:
    """A time zone by its name; UTC for one that is not known."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def _moment(seconds: float, zone: str) -> str:
    return f"{datetime.fromtimestamp(seconds, zone_of(zone)):%Y-%m-%d %H:%M:%S %Z}"


def _day(seconds: float, zone: str) -> str:
    when, now = datetime.fromtimestamp(seconds, zone_of(zone)), datetime.now(zone_of(zone))
    days = (now.date() - when.date()).days
    return {0: "Today", 1: "Yesterday"}.get(days) or f"{when:%A, %-d %B %Y}"


def _clock(seconds: float, zone: str) -> str:
    return f"{datetime.fromtimestamp(seconds, zone_of(zone)):%H:%M:%S}"


def _dollars(amount: float) -> str:
    """Of one question: much less than a cent."""
    if 0 < amount < 0.00001:
        return "<$0.00001"
    return f"${amount:,.2f}" if amount >= 0.1 or not amount else f"${amount:.5f}"


def _limit(amount: float | None) -> str:
    return "no limit" if amount is None else f"${amount:,.2f}"


def _money(nano: float) -> str:
    """Of a day or a month."""
    dollars = nano / NANO
    if 0 < dollars < 0.0001:
        return "<$0.0001"
    return f"${dollars:,.2f}" if dollars >= 0.1 or nano % (NANO // 100) == 0 else f"${dollars:.4f}"


def _count(value: float) -> str:
    return f"{value:,.0f}"


def _code(text: str) -> Markup:
    """Words between backticks as code; all of it is text, never markup."""
    parts = text.split("`")
    return Markup("").join(Markup("<code>{}</code>").format(part) if n % 2 else part for n, part in enumerate(parts))


def _milliseconds(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.0f} ms" if value < 1000 else f"{value / 1000:.1f} s"


FILTERS = {
    "clock": _clock,
    "code": _code,
    "count": _count,
    "day": _day,
    "dollars": _dollars,
    "limit": _limit,
    "moment": _moment,
    "money": _money,
    "ms": _milliseconds,
}


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FILTERS)
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


def needed_text(values: Mapping[str, Any], name: str, most: int) -> str:
    """A text that must be there; it may be empty."""
    if values.get(name) is None:
        raise web.HTTPBadRequest(text=f"{name} is missing.")
    return text_of(values, name, most)


def one_of(values: Mapping[str, Any], name: str, choices: tuple[str, ...]) -> str:
    """One of some words; the first where none is named."""
    word = text_of(values, name, default=choices[0])
    if word not in choices:
        raise web.HTTPBadRequest(text=f"{name} must be one of: {', '.join(filter(None, choices))}.")
    return word


def whole_of(values: Mapping[str, Any], name: str, default: int, most: int = 2**53) -> int:
    """A whole number from 1 on in a query."""
    value = str(values.get(name, default))
    if not (value.isascii() and value.isdigit() and 1 <= int(value[:20]) <= most):
        raise web.HTTPBadRequest(text=f"{name} must be a whole number from 1 to {most}.")
    return int(value)


def agent_of(request: web.Request, name: str) -> PageAgent:
    """The persona of that name; the first where none is named."""
    agents = request.app[PARTS].agents()
    for agent in agents:
        if agent.name == name or not name:
            return agent
    raise web.HTTPNotFound(text="There is no persona of that name.")
