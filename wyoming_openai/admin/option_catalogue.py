"""Every option as the page knows it: what it is called, what it may be, what it is now, where that was set."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import orjson
from pydantic import SecretStr

from ..settings.options import SECRETS, SECTIONS, AgentSettings, NamedAgentSettings, Settings, flag, title
from ..settings.saved import SAVED
from ..usage.prices import Price
from .parts import AdminParts

Kind = Literal["text", "number", "switch", "choice", "list", "secret"]

ELSEWHERE = frozenset({"prompt", "agents", "fallbacks"})
"""Options with a page of their own, or in the file only."""
ONES_OWN = frozenset({"name", "persona", "uri"})
"""What no two of several agents share."""

THIS_PAGE = "this page"


@dataclass(frozen=True, slots=True)
class Option:
    """One option as the page shows it."""

    name: str
    flag: str
    title: str
    section: str
    kind: Kind
    description: str
    write: str
    value: Any
    """None for what is not set, and for every secret; a list as text with commas."""
    default: Any
    """What it is without; for one of several agents, what it takes over from the program."""
    is_set: bool
    source: str
    fixed: bool
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    whole: bool = False


def is_several(parts: AdminParts) -> bool:
    """Whether agents have options of their own."""
    return bool(parts.settings().agents)


def owner_of(parts: AdminParts, name: str) -> str:
    """Whose options those of a persona are: its own where there are several, else the program's ("")."""
    return name if is_several(parts) else ""


def options(parts: AdminParts, agent: str = "") -> list[Option]:
    """All options as they are now: of the program, or of one of several agents."""
    kind: type[AgentSettings] = NamedAgentSettings if agent else Settings
    hidden = ELSEWHERE if agent or not is_several(parts) else ELSEWHERE | ONES_OWN
    schema = kind.model_json_schema()["properties"]
    known = [_option(parts, agent, name, schema[name]) for name in kind.model_fields if name not in hidden]
    titles = [section.title for section in SECTIONS]
    return sorted(known, key=lambda option: titles.index(option.section))


def _option(parts: AdminParts, agent: str, name: str, schema: Mapping[str, Any]) -> Option:
    kinds = [schema, *schema.get("anyOf", ())]
    types = {each.get("type") for each in kinds}
    choices = next((tuple(each["enum"]) for each in kinds if "enum" in each), ())
    source = parts.sources(agent).get(name, "")
    value, default = _values(parts, agent, name, is_own=bool(source))
    return Option(
        name=name,
        flag=flag(name),
        title=title(name, Settings.model_fields.get(name) or NamedAgentSettings.model_fields[name]),
        section=str(schema["section"]),
        kind=_kind(name, types, choices),
        description=str(schema.get("description", "")),
        write=str(schema.get("write", "")),
        value=None if name in SECRETS else value,
        default=None if name in SECRETS else default,
        is_set=bool(source) or (value is not None and value != default),
        source=_source(parts, source),
        fixed=parts.save is None or name in parts.fixed(agent),
        choices=choices,
        minimum=next((each["minimum"] for each in kinds if "minimum" in each), None),
        maximum=next((each["maximum"] for each in kinds if "maximum" in each), None),
        whole="integer" in types,
    )


def _values(parts: AdminParts, agent: str, name: str, *, is_own: bool) -> tuple[Any, Any]:
    """What an option is now, None where it is not an agent's own; and what it is without."""
    settings = parts.settings()
    if not agent:
        default = Settings.model_fields[name].default
        return plain(getattr(settings, name), default), plain(default)
    now = getattr(settings_of(settings, agent), name)
    if not is_own:
        return None, plain(now)
    default = NamedAgentSettings.model_fields[name].default
    taken_over = default if name in ONES_OWN else getattr(settings, name, default)
    return plain(now, taken_over), plain(taken_over)


def settings_of(settings: Settings, agent: str) -> AgentSettings:
    """The options of one of several agents, and what it takes over; without such an agent those of the program."""
    return next((each for each in settings.agents if each.name == agent), settings)


def plain(value: Any, default: Any = None) -> Any:
    """A value for JSON and a field; what was taken away where there is a default is `off`."""
    if value is None:
        return None if default is None else "off"
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or None
    if isinstance(value, SecretStr):
        return ""
    return _prices(value) if isinstance(value, dict) else str(value)


def _prices(prices: Mapping[str, Price]) -> str:
    """The owner's prices as they are written."""
    kinds = ("input", "cached", "output")
    written = {model: {kind: float(getattr(price, kind)) for kind in kinds} for model, price in prices.items()}
    return orjson.dumps(written).decode()


def _source(parts: AdminParts, source: str) -> str:
    """Where an option was set, in words."""
    return THIS_PAGE if parts.data_dir is not None and source == str(parts.data_dir / SAVED) else source


def _kind(name: str, types: set[Any], choices: tuple[str, ...]) -> Kind:
    if name in SECRETS:
        return "secret"
    if choices:
        return "choice"
    if "boolean" in types:
        return "switch"
    if "array" in types:
        return "list"
    return "number" if types & {"integer", "number"} and "null" not in types else "text"  # or a word such as off
