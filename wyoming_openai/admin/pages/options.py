"""Every option: typed, explained, with where it was set. What is secret can be set here and never read."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from ...settings.options import SECTIONS, BadSettings
from ..gate import BASE
from ..option_catalogue import ELSEWHERE, ONES_OWN, THIS_PAGE, Option, is_several, options
from ..parts import AdminParts
from ..rendering import PARTS, json, json_object, page, text_of

MAX_VALUE = 4000
PORT = 8099
"""Of a page whose address names none."""


async def show(request: web.Request) -> web.Response:
    """The form."""
    return _form(request, chosen(request, request.query), {}, {})


def chosen(request: web.Request, values: Mapping[str, Any]) -> str:
    """Whose options are meant: the program's ("") or those of one of several agents."""
    agent = text_of(values, "agent", 64)
    names = {each.name for each in request.app[PARTS].settings().agents}
    if agent and agent not in names:
        raise web.HTTPNotFound(text="There is no agent of that name with options of its own.")
    return agent


def _form(request: web.Request, agent: str, typed: Mapping[str, Any], errors: Mapping[str, str]) -> web.Response:
    parts = request.app[PARTS]
    known = options(parts, agent)
    sections = [
        (section.title, section.text, within)
        for section in SECTIONS
        if (within := [option for option in known if option.section == section.title])
    ]
    return page(
        request,
        "options.html",
        agent=agent,
        agents=[each.name for each in parts.settings().agents],
        sections=sections,
        known={option.name for option in known},
        typed=typed,
        errors=errors,
        shown=shown,
        this_page=THIS_PAGE,
        can_save=parts.save is not None,
        done="Saved and in use." if "saved" in request.query and not errors else "",
    )


async def save(request: web.Request) -> web.Response:
    """Save what was changed in the form."""
    form, parts = await request.post(), request.app[PARTS]
    agent = chosen(request, form)
    typed = {name: value[:MAX_VALUE].strip() for name, value in form.items() if isinstance(value, str)}
    changes = _changes(options(parts, agent), typed)
    if errors := await keep(parts, changes, agent):
        return _form(request, agent, typed, errors)
    if any(name.startswith("admin_") for name in changes):
        return page(request, "moved.html", address=_address(request, parts.settings().admin_uri))
    asked = urlencode({"agent": agent, "saved": ""} if agent else {"saved": ""})
    raise web.HTTPSeeOther(f"{request[BASE]}/options?{asked}")


def _address(request: web.Request, uri: str) -> str:
    """Where the page will be, as this browser reaches it: behind something else it stays where it is."""
    if request[BASE] or uri == "off":
        return f"{request[BASE]}/options" if request[BASE] else uri
    host = urlsplit(f"//{request.host}").hostname or ""
    return f"http://{f'[{host}]' if ':' in host else host}:{urlsplit(uri).port or PORT}/options"


def _changes(known: list[Option], typed: Mapping[str, str]) -> dict[str, Any]:
    """What differs from now. An empty field takes back what was set; an empty secret stays, unless it is removed."""
    changes: dict[str, Any] = {}
    for option in known:
        if option.fixed or option.name not in typed:
            continue
        value = typed[option.name]
        if option.kind == "secret":
            if value or f"remove-{option.name}" in typed:
                changes[option.name] = value or None
        elif value != shown(option.value):
            changes[option.name] = value or None
    return changes


def shown(value: Any) -> str:
    """A value as it stands in its field."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.10g}"
    return str(value).lower() if isinstance(value, bool) else str(value)


async def keep(parts: AdminParts, changes: Mapping[str, Any], agent: str = "") -> dict[str, str]:
    """Keep and use changed options; what is wrong, by option."""
    known = {option.name: option for option in options(parts, agent)}
    wrong = {name: _why_not(name, known.get(name), parts) for name in changes}
    wrong = {name: text for name, text in wrong.items() if text}
    if wrong or not changes or parts.save is None:
        return wrong
    try:
        await parts.save(changes, agent)
    except BadSettings as error:
        return errors_of(error, agent)
    return {}


def errors_of(error: BadSettings, agent: str) -> dict[str, str]:
    """What is wrong, by option. What another option or agent has to do with it stands under its own name."""
    lines = [line.removeprefix(f"agent {agent}: ") for line in str(error).splitlines()]
    return {line.partition(":")[0]: line.partition(":")[2].strip() for line in lines}


def _why_not(name: str, option: Option | None, parts: AdminParts) -> str:
    """Why an option can't be changed here; empty if it can."""
    if option is None:
        if name in ELSEWHERE:
            return "It is changed on a page of its own, or in the file."
        return "Each agent has its own." if name in ONES_OWN and is_several(parts) else "There is no such option."
    if not option.fixed:
        return ""
    if parts.save is None:
        return "This program was started without a place to keep changes."
    return f"Set by {option.source}; change it there." if option.source else "This is set at start only."


async def options_json(request: web.Request) -> web.Response:
    """All options of the program or of an agent, for a program."""
    agent = chosen(request, request.query)
    known = [asdict(option) for option in options(request.app[PARTS], agent)]
    return json(
        {"agent": agent, "agents": [each.name for each in request.app[PARTS].settings().agents], "options": known}
    )


async def save_json(request: web.Request) -> web.Response:
    """Change options, for a program."""
    agent, changes = chosen(request, request.query), await json_object(request)
    if not all(isinstance(value, str | int | float | bool | None) for value in changes.values()):
        raise web.HTTPBadRequest(text="Each value must be a text, a number, true, false or null.")
    errors = await keep(request.app[PARTS], changes, agent)
    return json({"errors": errors}, status=400) if errors else json({"saved": sorted(changes)})
