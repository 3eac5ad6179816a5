"""Reads the options from flags, environment, the page's own file and the owner's: the only reader of all four.

Flags win over the environment, the environment over what was saved on the admin page, that over the file.
"""

import difflib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from ..llm.models import retired
from .options import (
    ENV_PREFIX,
    OPTIONS,
    PERSONAS,
    SECRETS,
    AgentSettings,
    BadSettings,
    Fallback,
    NamedAgentSettings,
    Settings,
    advice,
    flag,
    variables,
)
from .saved import SAVED, Saved, read_saved

ADD_ON_OPTIONS = Path("/data/options.json")
"""Where the Supervisor puts the options of an add-on."""
SUPERVISOR_URL = "http://supervisor/core"

_Kind = TypeVar("_Kind", bound=AgentSettings)


class SourcedValue(NamedTuple):
    """A value that somebody set, and where, in words for an error text."""

    value: Any
    source: str


Givens = dict[str, SourcedValue]


@dataclass(frozen=True, slots=True)
class Configuration:
    """The settings, and where each came from."""

    settings: Settings
    saved: Saved = field(default_factory=dict, repr=False)
    """What the admin page has changed: options by agent, "" for those of the program."""
    ingress: bool = False
    """It is an add-on: the Supervisor lets Home Assistant's users in to the page."""
    flags: Mapping[str, str] = field(default_factory=dict, repr=False)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    given: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By agent and option, where it was set: "--model", "OPENAI_API_KEY", the path of a file."""
    fixed: frozenset[str] = frozenset()
    """Options of the program that a flag or a variable sets, or that are read at start only."""

    def sources(self, agent: str = "") -> Mapping[str, str]:
        """Where the options of an agent were set, or those of the program."""
        return self.given.get(agent, {})

    def changed(self, changes: Mapping[str, Any], agent: str = "") -> "Configuration":
        """With options of the program or of an agent changed; None takes back what the page set.

        Raises `BadSettings`.
        """
        own = {**self.saved.get(agent, {}), **changes}
        saved = {**self.saved, agent: {name: value for name, value in own.items() if value is not None}}
        return read_configuration(self.flags, self.environment, {who: each for who, each in saved.items() if each})


def read_settings(flags: Mapping[str, str], environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings alone; see `read_configuration`."""
    return read_configuration(flags, environment).settings


def read_configuration(
    flags: Mapping[str, str], environment: Mapping[str, str] = os.environ, saved: Saved | None = None
) -> Configuration:
    """All options; `flags` has a key `config` for the file. Raises `BadSettings`.

    Without `saved`, what the page has saved is read from the data folder.
    """
    config = flags.get("config") or environment.get(f"{ENV_PREFIX}CONFIG")
    from_file = _from_file(Path(config) if config else None, environment)
    outside = {
        **_from_environment(environment),
        **{name: SourcedValue(value, flag(name)) for name, value in flags.items() if name != "config"},
    }
    folder = _state_folder({**from_file, **outside})
    if saved is None:
        saved = read_saved(folder)
    page = str(folder / SAVED)
    given = {**from_file, **_given(saved.get("", {}), page), **outside}
    token = environment.get("SUPERVISOR_TOKEN")
    if token and "hass_url" not in given:
        given["hass_url"] = SourcedValue(SUPERVISOR_URL, "the Supervisor")
        given["hass_token"] = SourcedValue(token, "SUPERVISOR_TOKEN")
    if token and "admin_uri" not in given:
        given["admin_uri"] = SourcedValue("http://0.0.0.0:8099", "the Supervisor")  # whose ingress comes from outside
    agents = given.pop("agents", None)
    given = _with_persona(given)
    settings = _checked(Settings, given)
    sources = {"": _sources(given)}
    if agents is not None:
        listed = [_with_saved(own, saved, page) for own in _own_options(agents)]
        settings = settings.model_copy(update={"agents": _agents(listed, given)})
        sources |= {str(own["name"].value): _sources(own) for own in listed if "name" in own}
    return Configuration(
        _consistent(settings),
        saved,
        ingress=bool(token),
        flags=flags,
        environment=environment,
        given=sources,
        fixed=frozenset({*outside, "data_dir"}),
    )


def _state_folder(given: Givens) -> Path:
    own = {"data_dir": given["data_dir"]} if "data_dir" in given else {}
    return _checked(Settings, own).state_folder


def _sources(given: Mapping[str, SourcedValue]) -> Mapping[str, str]:
    return {name: source for name, (_, source) in given.items()}


def _with_saved(own: Givens, saved: Saved, page: str) -> Givens:
    """What an agent of the file sets, under what the page has changed of it."""
    name = str(own["name"].value) if "name" in own else ""
    return {**own, **_given(saved.get(name, {}), page)} if name else own


def _checked(kind: type[_Kind], given: Mapping[str, SourcedValue]) -> _Kind:
    """The values as settings. Raises `BadSettings` with all that is wrong."""
    try:
        settings = kind.model_validate({name: value for name, (value, _) in given.items()})
    except ValidationError as error:
        raise BadSettings("\n".join(_explain(problem, given, kind) for problem in error.errors())) from None
    for place, model, base_url in _asked(settings):
        if base_url is None and (end := retired(model)):  # elsewhere names mean what they like
            raise BadSettings(f"{place}: {model!r} is not accepted; {end}")
    return settings


def _asked(settings: AgentSettings) -> Iterator[tuple[str, str, str | None]]:
    """The models that may be asked: where each stands in the settings, its name, its base URL."""
    yield "model", settings.model, settings.openai_base_url
    for number, each in enumerate(settings.fallbacks, start=1):
        yield f"fallbacks: number {number}: model", each.model, each.openai_base_url or settings.openai_base_url


def _with_persona(given: Givens) -> Givens:
    """What is set, over what the named persona brings."""
    if "persona" not in given:
        return given
    name, source = given["persona"]
    ready = PERSONAS / f"{name}.yaml"
    path = ready if ready.is_file() else Path(str(name)).expanduser()
    if not path.is_file():
        raise BadSettings(
            f"persona: {name!r} is not accepted; write {advice(Settings.model_fields['persona'])} (set by {source})"
        )
    brought = _from_yaml(path)
    for name in brought.keys() - AgentSettings.model_fields.keys():
        raise BadSettings(f"{name}: is no option of an agent ({path}); docs/options.md lists the options")
    return {**brought, **given}


def _agents(listed: Sequence[Givens], common: Mapping[str, SourcedValue]) -> tuple[NamedAgentSettings, ...]:
    """The agents of the file; what one does not set itself, it takes from the top level."""
    agents: list[NamedAgentSettings] = []
    wrong: list[str] = []
    for number, own in enumerate(listed, start=1):
        name = str(own["name"].value) if "name" in own else f"number {number}"
        try:
            agents.append(_agent(own, common, is_first=number == 1))
        except BadSettings as error:
            wrong += [f"agent {name}: {line}" for line in str(error).splitlines()]
    wrong += _clashes(agents)
    if wrong:
        raise BadSettings("\n".join(wrong))
    return tuple(agents)


def _own_options(listed: SourcedValue) -> list[Givens]:
    """What each agent sets itself, from a list of agents, or from a mapping with their names."""
    entries, source = listed
    if isinstance(entries, dict):
        entries = [{"name": name, **(entry or {})} for name, entry in entries.items() if isinstance(entry or {}, dict)]
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        raise BadSettings(f"agents: is not a list of agents ({source}); write, for each, a line `- name: NAME`")
    return [_given(entry, source) for entry in entries]


def _agent(own: Givens, common: Mapping[str, SourcedValue], *, is_first: bool) -> NamedAgentSettings:
    if "name" not in own and "persona" not in own:
        raise BadSettings("name: is missing; write a name that tells this agent from the others")
    own = _with_persona(own)
    inherited = {name: value for name, value in common.items() if name in AgentSettings.model_fields}
    for name in {"name", "persona"} | ({"uri"} if not is_first else set()):
        inherited.pop(name, None)
    if "openai_base_url" in own:
        inherited.pop("openai_api_key", None)  # a key is for the server that it was written beside, and no other
    agent = _checked(NamedAgentSettings, {**inherited, **own})
    if is_first or "uri" in own:
        return agent
    if not agent.devices:
        raise BadSettings(
            "uri: is missing; write an address of its own, such as tcp://0.0.0.0:10801, or the `devices` it answers"
        )
    return agent.model_copy(update={"uri": "off"})


def _clashes(agents: Sequence[NamedAgentSettings]) -> Iterator[str]:
    """What two agents can't both have."""
    taken: set[tuple[str, str]] = set()
    for agent in agents:
        claims = _claims(agent)
        for option, value in sorted(claims & taken):
            yield f"agent {agent.name}: {option}: {value!r} is also that of another agent; write another"
        taken |= claims


def _claims(agent: NamedAgentSettings) -> set[tuple[str, str]]:
    claims = {("name", agent.name.casefold()), *(("devices", device.casefold()) for device in agent.devices)}
    if agent.listens and not agent.uri.endswith(":0"):  # the system gives each its own port
        claims.add(("uri", agent.uri))
    return claims


def _consistent(settings: Settings) -> Settings:
    """Refuse what is wrong only together with something else."""
    if not any(agent.listens for agent in settings.all_agents):
        raise BadSettings(f"uri: nobody listens; write {advice(Settings.model_fields['uri'])}")
    if settings.hass_url and not settings.home and settings.hass_token is None:
        raise BadSettings(
            "hass_token: missing, since hass_url is set; write HASS_TOKEN=... with a token from your Home Assistant "
            "profile (Security, Long-lived access tokens), or leave hass_url out for the demo home"
        )
    if settings.hass_token is not None and settings.hass_url is None and not settings.home:
        raise BadSettings(
            "hass_url: missing, since hass_token is set; write the address you open Home Assistant with, such as "
            "HASS_URL=http://homeassistant.local:8123"
        )
    return settings


def as_utf8(text: str) -> str:
    """A text from the command line or the environment, whose bytes are UTF-8 whatever the locale takes them for."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _from_environment(environment: Mapping[str, str]) -> Givens:
    """Our own prefix wins over the short name; an empty variable counts as not set."""
    given = {}
    for name in OPTIONS:
        for variable in variables(name):
            if value := environment.get(variable):
                given[name] = SourcedValue(
                    _secret(value, variable) if variable.endswith("_FILE") else as_utf8(value), variable
                )
    return given


def _secret(path: str, variable: str) -> str:
    try:
        secret = Path(path).expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadSettings(f"{variable}: {path!r} can't be read; write the path of a text file") from error
    if "\n" in secret:
        raise BadSettings(f"{variable}: {path!r} has more than one line; write the secret alone into it")
    return secret


def _from_file(path: Path | None, environment: Mapping[str, str]) -> Givens:
    if path is None and "SUPERVISOR_TOKEN" in environment and ADD_ON_OPTIONS.is_file():
        path = ADD_ON_OPTIONS
    return {} if path is None else _from_yaml(path)


def _from_yaml(path: Path) -> Givens:
    try:
        content = yaml.safe_load(path.expanduser().read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadSettings(f"config: {str(path)!r} can't be read; write the path of a YAML file") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" in line {mark.line + 1}" if mark else ""
        raise BadSettings(f"config: {path} is not YAML{line}: {getattr(error, 'problem', '')}") from None
    except (ValueError, RecursionError):
        raise BadSettings(f"config: {path} holds a number, a date or a depth that is none") from None
    if content is None:
        return {}
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise BadSettings(f"config: {path} must hold lines of the form `option: value`")
    return _given(content, str(path))


def _given(values: Mapping[str, Any], source: str) -> Givens:
    """The values of a file; an empty one counts as not set."""
    named = {str(key).replace("-", "_"): value for key, value in values.items()}
    return {key: SourcedValue(value, source) for key, value in named.items() if value is not None and value != ""}


def _explain(problem: Mapping[str, Any], given: Mapping[str, SourcedValue], kind: type[BaseModel]) -> str:
    """One refused value in words: the option, where it was set, the value, what to write."""
    name = str(problem["loc"][0])
    value, source = given[name]
    place, shown = _place(problem, value)
    if problem["type"] == "extra_forbidden":
        known = kind.model_fields if name == place else Fallback.model_fields
        close = difflib.get_close_matches(str(problem["loc"][-1]), known, n=1)
        hint = f"did you mean `{close[0]}`?" if close else "docs/options.md lists the options"
        return f"{place}: there is no such option ({source}); {hint}"
    own = problem.get("ctx", {}).get("error")
    reason = f" ({own})" if own else ""
    return f"{place}: {shown} is not accepted{reason}; write {advice(kind.model_fields[name])} (set by {source})"


def _place(problem: Mapping[str, Any], value: Any) -> tuple[str, str]:
    """Where the refused value stands, and the value itself unless it holds a secret."""
    name, *within = problem["loc"]
    place = ": ".join((name, *(f"number {each + 1}" if isinstance(each, int) else str(each) for each in within)))
    if SECRETS & {name, *map(str, within)}:
        return place, "the value"
    if name == "fallbacks":
        is_text = isinstance(problem["input"], str | int | float)
        return place, repr(problem["input"]) if within and is_text else "what stands there"
    return name, repr(value)
