"""Every option once: its flag, its environment variables, its place in the file, its default and its documentation.

Flags win over the environment, the environment over the file. Nothing else in the package reads any of the three.
"""

import difflib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, TypeVar
from urllib.parse import SplitResult, urlsplit

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo

from .llm.models import DEFAULT_MODEL, retired

ENV_PREFIX = "WYOMING_OPENAI_"
SHORT_ENV = ("HASS_URL", "HASS_TOKEN", "OPENAI_API_KEY", "OPENAI_BASE_URL")
"""Options whose environment variable is known without our prefix, too."""

ADD_ON_OPTIONS = Path("/data/options.json")
"""Where the Supervisor puts the options of an add-on."""
PERSONAS = Path(__file__).parent / "data" / "personas"
"""Characters that come with the program: files with options of an agent."""
SUPERVISOR_URL = "http://supervisor/core"


class BadSettings(Exception):
    """The settings are refused; each line of the text names an option, its value and what to write instead."""


def _uri(value: str) -> str:
    parts = _split(value)
    if value == "off" or parts.scheme == "stdio" or (parts.scheme == "unix" and parts.path):
        return value
    if parts.scheme == "tcp" and parts.hostname and parts.port is not None:
        return value
    raise ValueError("not a Wyoming URI")


def _web(value: str) -> str:
    parts = _split(value)
    if parts.scheme not in ("http", "https", "ws", "wss") or not parts.hostname:
        raise ValueError("not a web address")
    return value.rstrip("/")


def _admin(value: str) -> str:
    return value if value == "off" else _web(value)


def _split(value: str) -> SplitResult:
    parts = urlsplit(value)
    _ = parts.port  # raises ValueError for what is no port
    return parts


def _existing(path: Path) -> Path:
    if not path.expanduser().is_file():
        raise ValueError("no such file")
    return path.expanduser()


def _prompt(value: str) -> str:
    """Text, or the text of the file behind an @."""
    if not value.startswith("@"):
        return value
    try:
        return Path(value[1:]).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError("no such file, or not UTF-8 text") from error


def _switch(value: object) -> object:
    """YAML 1.1 reads a bare `on` or `off` as a boolean."""
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else value


def _texts(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _known_personas() -> str:
    return ", ".join(sorted(path.stem for path in PERSONAS.glob("*.yaml")))


def _money(value: object) -> object:
    """`off`, or YAML's false, is no limit."""
    return None if value is False or value == "off" else value


def _option(default: Any, description: str, write: str, **constraints: Any) -> Any:
    return Field(default, description=description, json_schema_extra={"write": write}, **constraints)


class AgentSettings(BaseModel):
    """What makes an agent, checked: each agent may have its own. The order is that of the documentation."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=(), hide_input_in_errors=True)

    uri: Annotated[str, AfterValidator(_uri), BeforeValidator(_switch)] = _option(
        "tcp://0.0.0.0:10800",
        "Where the Wyoming server listens.",
        "tcp://HOST:PORT, unix:///PATH or stdio://, such as tcp://0.0.0.0:10800",
    )
    name: str = _option(
        "OpenAI",
        "What the assistant is called in Home Assistant.",
        "a name of up to 64 characters",
        min_length=1,
        max_length=64,
    )
    persona: str | None = _option(
        None,
        "A ready character; what you set yourself wins over what it brings.",
        f"{_known_personas()}, or the path of a YAML file with options of an agent",
    )
    openai_api_key: SecretStr | None = _option(
        None,
        "Key for the language model. Without a key (and without a base URL) the local engine answers.",
        "a key such as sk-..., from platform.openai.com, or leave it out",
        min_length=1,
    )
    openai_base_url: Annotated[str, AfterValidator(_web)] | None = _option(
        None,
        "Address of another server that speaks OpenAI's API.",
        "an address such as http://192.168.1.20:11434/v1",
    )
    api: Literal["auto", "responses", "chat"] = _option(
        "auto",
        "Which API is spoken: `auto` takes Responses for OpenAI itself and Chat Completions for another base URL.",
        "auto, responses or chat",
    )
    model: str = _option(
        DEFAULT_MODEL, "The language model.", f"the name of a current model, such as {DEFAULT_MODEL}", min_length=1
    )
    max_tokens: int = _option(
        300, "Most tokens of one reply.", "a whole number from 16 to 16384, such as 300", ge=16, le=16384
    )
    temperature: float = _option(
        0.5,
        "How freely the model chooses its words, from 0 (always the likeliest) to 2. Models without it go without.",
        "a number from 0 to 2, such as 0.5",
        ge=0,
        le=2,
        allow_inf_nan=False,
    )
    top_p: float = _option(
        1.0,
        "Only words within this share of the likelihood are considered: 0.1 means the likeliest tenth.",
        "a number from 0 to 1, such as 1",
        ge=0,
        le=1,
        allow_inf_nan=False,
    )
    prompt: Annotated[str, AfterValidator(_prompt)] | None = _option(
        None,
        "What the model is told of its task: a Home Assistant template, as text or as @FILE.",
        "a template, or @ and the path of a text file",
    )
    style: str | None = _option(
        None,
        "How the answers should sound.",
        "words for the model, such as: warm and a little dry",
        min_length=1,
        max_length=1000,
    )
    context_tokens: int = _option(
        2000,
        "Most tokens that the home's part of a request may take; 0 leaves the home to your prompt template alone.",
        "a whole number from 0 to 100000, such as 2000",
        ge=0,
        le=100_000,
    )
    control: Annotated[Literal["off", "on"], BeforeValidator(_switch)] = _option(
        "off", "Whether the assistant may control the house.", "off or on"
    )
    deadline: float = _option(
        15,
        "Seconds after which a person hears something, whatever the model does.",
        "seconds from 1 to 120",
        ge=1,
        le=120,
    )
    phone_deadline: float = _option(
        8,
        "The same for a telephone, where silence sounds like a dead line.",
        "seconds from 1 to 120",
        ge=1,
        le=120,
    )
    speak_seconds: float = _option(
        20,
        "Most seconds that one answer may take to say; what is longer goes on when somebody says yes.",
        "seconds from 3 to 300",
        ge=3,
        le=300,
    )
    phone_speak_seconds: float = _option(
        14,
        "The same for a telephone, which speaks only when all of the answer is synthesised.",
        "seconds from 3 to 300",
        ge=3,
        le=300,
    )

    @property
    def uses_model(self) -> bool:
        """A key, or a server of one's own that may need none."""
        return self.openai_api_key is not None or self.openai_base_url is not None

    @property
    def listens(self) -> bool:
        """Whether it has an address of its own."""
        return self.uri != "off"


class Agent(AgentSettings):
    """One of several agents."""

    devices: Annotated[tuple[str, ...], BeforeValidator(_texts)] = _option(
        (),
        "Devices whose questions this agent answers, also where they reach the first agent.",
        "a list of names or ids of devices in Home Assistant, such as [Hall phone]",
    )


class Settings(AgentSettings):
    """All options, checked."""

    hass_url: Annotated[str, AfterValidator(_web)] | None = _option(
        None,
        "Address of Home Assistant. Without one the demo home answers. In an add-on it is found by itself.",
        "the address you open Home Assistant with, such as http://homeassistant.local:8123",
    )
    hass_token: SecretStr | None = _option(
        None,
        "A long-lived access token of a Home Assistant user; one that may only read is enough to answer questions.",
        "a token from your Home Assistant profile: Security, Long-lived access tokens, Create token",
        min_length=1,
    )
    hass_verify_ssl: bool = _option(
        True, "Whether the certificate of an https address is checked.", "true, or false for a self-signed certificate"
    )
    home: Annotated[Path, AfterValidator(_existing)] | None = _option(
        None,
        "A snapshot file to answer from in place of a live Home Assistant.",
        "the path of a file that `wyoming-openai snapshot` wrote",
    )
    budget_day: Annotated[float | None, BeforeValidator(_money)] = _option(
        0.50,
        "Most that the language model may cost in a day (of UTC), in US dollars, in all. When it is spent the local "
        "engine goes on answering.",
        "dollars, such as 0.50, or off for no limit",
        ge=0,
    )
    budget_month: Annotated[float | None, BeforeValidator(_money)] = _option(
        5.0,
        "Most that the language model may cost in a month (of UTC), in US dollars, in all.",
        "dollars, such as 5, or off for no limit",
        ge=0,
    )
    data_dir: Path | None = _option(
        None,
        "Where the program keeps what must survive a restart; by default `wyoming-openai` in the user's state folder.",
        "the path of a folder",
    )
    admin_uri: Annotated[str, AfterValidator(_admin), BeforeValidator(_switch)] = _option(
        "http://127.0.0.1:8099", "Where the admin page listens.", "http://HOST:PORT, or off"
    )
    log_level: Literal["debug", "info", "warning", "error"] = _option(
        "info",
        "How much is logged. Only `debug` contains what people said.",
        "debug, info, warning or error",
    )
    agents: tuple[Agent, ...] = _option(
        (),
        "Several agents in one program; in the file only.",
        "a list of agents, each with a name",
    )

    @property
    def all_agents(self) -> tuple[AgentSettings, ...]:
        """The agents of the file; without any, the one that the options make."""
        return self.agents or (self,)

    @property
    def uses_any_model(self) -> bool:
        return any(agent.uses_model for agent in self.all_agents)

    @property
    def state_folder(self) -> Path:
        """Where what must survive a restart is kept."""
        if self.data_dir is not None:
            return self.data_dir.expanduser()
        state = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
        return Path(state).expanduser() / "wyoming-openai"


OPTIONS = {name: field for name, field in Settings.model_fields.items() if name != "agents"}
"""What flags and environment variables can set."""

SECRETS = frozenset({"hass_token", "openai_api_key"})


_Kind = TypeVar("_Kind", bound=AgentSettings)


class Given(NamedTuple):
    """A value that somebody set, and where, in words for an error text."""

    value: Any
    source: str


def read_settings(flags: Mapping[str, str], environment: Mapping[str, str] = os.environ) -> Settings:
    """Settings from flags, environment and file; `flags` has a key `config` for the file. Raises `BadSettings`."""
    config = flags.get("config") or environment.get(f"{ENV_PREFIX}CONFIG")
    given = {
        **_from_file(Path(config) if config else None, environment),
        **_from_environment(environment),
        **{name: Given(value, flag(name)) for name, value in flags.items() if name != "config"},
    }
    if "hass_url" not in given and (token := environment.get("SUPERVISOR_TOKEN")):
        given["hass_url"] = Given(SUPERVISOR_URL, "the Supervisor")
        given["hass_token"] = Given(token, "SUPERVISOR_TOKEN")
    agents = given.pop("agents", None)
    given = _with_persona(given)
    settings = _checked(Settings, given)
    if agents is not None:
        settings = settings.model_copy(update={"agents": _agents(agents, given)})
    return _consistent(settings)


def _checked(kind: type[_Kind], given: Mapping[str, Given]) -> _Kind:
    """The values as settings. Raises `BadSettings` with all that is wrong."""
    try:
        settings = kind.model_validate({name: value for name, (value, _) in given.items()})
    except ValidationError as error:
        raise BadSettings("\n".join(_explain(problem, given, kind) for problem in error.errors())) from None
    if settings.openai_base_url is None and (advice := retired(settings.model)):  # elsewhere names mean what they like
        raise BadSettings(f"model: {settings.model!r} is not accepted; {advice}")
    return settings


def _with_persona(given: dict[str, Given]) -> dict[str, Given]:
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


def _agents(listed: Given, common: Mapping[str, Given]) -> tuple[Agent, ...]:
    """The agents of the file; what one does not set itself, it takes from the top level."""
    agents: list[Agent] = []
    wrong: list[str] = []
    for number, own in enumerate(_own_options(listed), start=1):
        name = str(own["name"].value) if "name" in own else f"number {number}"
        try:
            agents.append(_agent(own, common, is_first=number == 1))
        except BadSettings as error:
            wrong += [f"agent {name}: {line}" for line in str(error).splitlines()]
    wrong += _clashes(agents)
    if wrong:
        raise BadSettings("\n".join(wrong))
    return tuple(agents)


def _own_options(listed: Given) -> list[dict[str, Given]]:
    """What each agent sets itself, from a list of agents, or from a mapping with their names."""
    entries, source = listed
    if isinstance(entries, dict):
        entries = [{"name": name, **(entry or {})} for name, entry in entries.items() if isinstance(entry or {}, dict)]
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        raise BadSettings(f"agents: is not a list of agents ({source}); write, for each, a line `- name: NAME`")
    return [_given(entry, source) for entry in entries]


def _agent(own: dict[str, Given], common: Mapping[str, Given], *, is_first: bool) -> Agent:
    if "name" not in own and "persona" not in own:
        raise BadSettings("name: is missing; write a name that tells this agent from the others")
    own = _with_persona(own)
    inherited = {name: value for name, value in common.items() if name in AgentSettings.model_fields}
    for name in {"name", "persona"} | ({"uri"} if not is_first else set()):
        inherited.pop(name, None)
    if "openai_base_url" in own:
        inherited.pop("openai_api_key", None)  # a key is for the server that it was written beside, and no other
    agent = _checked(Agent, {**inherited, **own})
    if is_first or "uri" in own:
        return agent
    if not agent.devices:
        raise BadSettings(
            "uri: is missing; write an address of its own, such as tcp://0.0.0.0:10801, or the `devices` it answers"
        )
    return agent.model_copy(update={"uri": "off"})


def _clashes(agents: Sequence[Agent]) -> Iterator[str]:
    """What two agents can't both have."""
    taken: set[tuple[str, str]] = set()
    for agent in agents:
        claims = _claims(agent)
        for option, value in sorted(claims & taken):
            yield f"agent {agent.name}: {option}: {value!r} is also that of another agent; write another"
        taken |= claims


def _claims(agent: Agent) -> set[tuple[str, str]]:
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


def flag(name: str) -> str:
    """The command line flag of an option."""
    return "--" + name.replace("_", "-")


def variables(name: str) -> list[str]:
    """The environment variables of an option, the preferred one first; secrets may also come from a file."""
    names = [*([name.upper()] if name.upper() in SHORT_ENV else []), ENV_PREFIX + name.upper()]
    return names + [f"{variable}_FILE" for variable in names if name in SECRETS]


def _from_environment(environment: Mapping[str, str]) -> dict[str, Given]:
    """Our own prefix wins over the short name; an empty variable counts as not set."""
    given = {}
    for name in OPTIONS:
        for variable in variables(name):
            if value := environment.get(variable):
                given[name] = Given(_secret(value, variable) if variable.endswith("_FILE") else value, variable)
    return given


def _secret(path: str, variable: str) -> str:
    try:
        return Path(path).expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadSettings(f"{variable}: {path!r} can't be read; write the path of a text file") from error


def _from_file(path: Path | None, environment: Mapping[str, str]) -> dict[str, Given]:
    if path is None and "SUPERVISOR_TOKEN" in environment and ADD_ON_OPTIONS.is_file():
        path = ADD_ON_OPTIONS
    return {} if path is None else _from_yaml(path)


def _from_yaml(path: Path) -> dict[str, Given]:
    try:
        content = yaml.safe_load(path.expanduser().read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadSettings(f"config: {str(path)!r} can't be read; write the path of a YAML file") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" in line {mark.line + 1}" if mark else ""
        raise BadSettings(f"config: {path} is not YAML{line}: {getattr(error, 'problem', '')}") from None
    if content is None:
        return {}
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise BadSettings(f"config: {path} must hold lines of the form `option: value`")
    return _given(content, str(path))


def _given(values: Mapping[str, Any], source: str) -> dict[str, Given]:
    """The values of a file; an empty one counts as not set."""
    named = {str(key).replace("-", "_"): value for key, value in values.items()}
    return {key: Given(value, source) for key, value in named.items() if value is not None and value != ""}


def _explain(problem: Mapping[str, Any], given: Mapping[str, Given], kind: type[BaseModel]) -> str:
    """One refused value in words: the option, where it was set, the value, what to write."""
    name = str(problem["loc"][0])
    value, source = given[name]
    if problem["type"] == "extra_forbidden":
        close = difflib.get_close_matches(name, kind.model_fields, n=1)
        hint = f"did you mean `{close[0]}`?" if close else "docs/options.md lists the options"
        return f"{name}: there is no such option ({source}); {hint}"
    shown = "the value" if name in SECRETS else repr(value)
    own = problem.get("ctx", {}).get("error")
    reason = f" ({own})" if own else ""
    return f"{name}: {shown} is not accepted{reason}; write {advice(kind.model_fields[name])} (set by {source})"


def advice(field: FieldInfo) -> str:
    """What to write for an option."""
    extra = field.json_schema_extra
    return str(extra["write"]) if isinstance(extra, dict) else ""


def options_page() -> str:
    """docs/options.md: the same words as `--help`."""
    rows = [_row(name, field) for name, field in OPTIONS.items()]
    own = ", ".join(f"`{name.replace('_', '-')}`" for name in (*AgentSettings.model_fields, "devices"))
    return "\n".join([_OPTIONS_INTRODUCTION, *rows, "", _AGENTS.replace("OPTIONS", own)])


def _row(name: str, field: FieldInfo) -> str:
    return (
        f"| `{flag(name)}` | {'<br>'.join(f'`{variable}`' for variable in variables(name))} | {_shown_default(field)} "
        f"| {field.description} Write {advice(field)}. |".replace("|off", "\\|off")
    )


def _shown_default(field: FieldInfo) -> str:
    default = field.default
    return "" if default is None else f"`{str(default).lower() if isinstance(default, bool) else default}`"


_OPTIONS_INTRODUCTION = """# Options

<!-- Written by script/docs from wyoming_openai/settings.py. -->

Every option is a flag, an environment variable and a line in a YAML file (`--config FILE` or
`WYOMING_OPENAI_CONFIG`; the names there are those of the flags without the dashes in front, such as
`max-tokens: 200`). Flags win over the environment, the environment over the file. A secret may also stand in a file
of its own, named by the variable that ends in `_FILE`; a flag is visible to other users of the machine.

A wrong value is refused at start, with the name of the option and what to write instead;
`wyoming-openai check` finds what only shows in use.

| flag | environment | default | what it does |
| --- | --- | --- | --- |"""

_AGENTS = """## Several agents

One program can be several agents, each with a name, a prompt, a model and limits of its own. They share the home, the
memory and the local engine. List them in the file:

```yaml
openai-api-key: sk-...
agents:
  - name: House
    uri: tcp://0.0.0.0:10800
  - name: Super Mario
    persona: super_mario
    uri: tcp://0.0.0.0:10801
    devices: [Hall phone]
```

An agent may set: OPTIONS. What it does not set it takes from the top level of the file, from flags and from the
environment, except `name`, `persona` and, from the second agent on, `uri`. A key goes only to the server it was written
beside: an agent with an `openai-base-url` of its own needs an `openai-api-key` of its own.

Home Assistant takes one program for a port: add the Wyoming integration once for each `uri`. What a bound device
(`devices`) says to the first agent is answered by the agent it is bound to; that one needs no `uri`.
`wyoming-openai ask --agent NAME` and `prompt --agent NAME` try one out.
"""
