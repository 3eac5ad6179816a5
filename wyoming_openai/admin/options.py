"""Every option: typed, explained, with where it was set. What is secret can be set here and never read."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from aiohttp import web

from ..settings import SECRETS, BadSettings, Settings, flag
from .gate import BASE
from .pages import PARTS, json, json_object, page
from .parts import AdminParts

Kind = Literal["text", "number", "switch", "choice", "secret"]
ELSEWHERE = frozenset({"prompt", "agents"})
"""Options with a page of their own, or a file."""
MAX_VALUE = 4000


@dataclass(frozen=True, slots=True)
class Option:
    """One option as the page shows it."""

    name: str
    flag: str
    kind: Kind
    description: str
    write: str
    value: Any
    """None for what is not set, and for every secret."""
    default: Any
    is_set: bool
    source: str
    fixed: bool
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    whole: bool = False


def options(parts: AdminParts) -> list[Option]:
    """All options as they are now."""
    schema = Settings.model_json_schema()["properties"]
    return [_option(parts, name, schema[name]) for name in Settings.model_fields if name not in ELSEWHERE]


def _option(parts: AdminParts, name: str, schema: Mapping[str, Any]) -> Option:
    kinds = [schema, *schema.get("anyOf", ())]
    types = {each.get("type") for each in kinds}
    value, field = getattr(parts.settings(), name), Settings.model_fields[name]
    default = field.default
    choices = next((tuple(each["enum"]) for each in kinds if "enum" in each), ())
    source = parts.sources().get(name, "")
    return Option(
        name=name,
        flag=flag(name),
        kind=_kind(name, types, choices),
        description=str(field.description or ""),
        write=str(schema.get("write", "")),
        value=None
        if name in SECRETS or value is None
        else value
        if isinstance(value, bool | int | float)
        else str(value),
        default=default,
        is_set=value is not None and (bool(source) or value != default),
        source=source,
        fixed=parts.save is None or name in parts.fixed(),
        choices=choices,
        minimum=next((each["minimum"] for each in kinds if "minimum" in each), None),
        maximum=next((each["maximum"] for each in kinds if "maximum" in each), None),
        whole="integer" in types,
    )


def _kind(name: str, types: set[Any], choices: tuple[str, ...]) -> Kind:
    if name in SECRETS:
        return "secret"
    if choices:
        return "choice"
    if "boolean" in types:
        return "switch"
    return "number" if types & {"integer", "number"} and "null" not in types else "text"  # or a word such as off


async def show(request: web.Request) -> web.Response:
    """The form."""
    return _form(request, {}, {})


def _form(request: web.Request, typed: Mapping[str, Any], errors: Mapping[str, str]) -> web.Response:
    parts = request.app[PARTS]
    done = "Saved and in use." if "saved" in request.query and not errors else ""
    return page(
        request,
        "options.html",
        status=400 if errors else 200,
        options=options(parts),
        typed=typed,
        errors=errors,
        can_save=parts.save is not None,
        done=done,
    )


async def save(request: web.Request) -> web.Response:
    """Save what was changed in the form."""
    form = await request.post()
    typed = {name: value[:MAX_VALUE].strip() for name, value in form.items() if isinstance(value, str)}
    if errors := await keep(request.app[PARTS], _changes(options(request.app[PARTS]), typed)):
        return _form(request, typed, errors)
    raise web.HTTPSeeOther(f"{request[BASE]}/options?saved")


def _changes(known: list[Option], typed: Mapping[str, str]) -> dict[str, Any]:
    """What differs from now. An empty field is the default; an empty secret stays, unless it is to be removed."""
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
    return str(value).lower() if isinstance(value, bool) else str(value)


async def keep(parts: AdminParts, changes: Mapping[str, Any]) -> dict[str, str]:
    """Keep and use changed options; what is wrong, by option."""
    known = {option.name: option for option in options(parts)}
    wrong = {name: "There is no such option." for name in changes if name not in known}
    wrong |= {name: _why_fixed(known[name], parts) for name in changes if name in known and known[name].fixed}
    if wrong or not changes or parts.save is None:
        return wrong
    try:
        await parts.save(changes)
    except BadSettings as error:
        return {line.partition(":")[0]: line.partition(":")[2].strip() for line in str(error).splitlines()}
    return {}


def _why_fixed(option: Option, parts: AdminParts) -> str:
    if parts.save is None:
        return "This program was started without a place to keep changes."
    return f"Set by {option.source}; change it there." if option.source else "This is set at start only."


async def options_json(request: web.Request) -> web.Response:
    """All options for a program."""
    return json({"options": [asdict(option) for option in options(request.app[PARTS])]})


async def save_json(request: web.Request) -> web.Response:
    """Change options, for a program."""
    changes = await json_object(request)
    if not all(isinstance(value, str | int | float | bool | None) for value in changes.values()):
        raise web.HTTPBadRequest(text="Each value must be a text, a number, true, false or null.")
    errors = await keep(request.app[PARTS], changes)
    return json({"errors": errors}, status=400) if errors else json({"saved": sorted(changes)})
