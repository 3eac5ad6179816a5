"""Every option once: its flag, its environment variables, its default, what it takes and its documentation.

`configuration.py` reads them from flags, environment and files.
"""

import os
import re
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator
from pydantic.config import JsonDict
from pydantic.fields import FieldInfo

from ..llm.models import DEFAULT_MODEL
from ..usage.prices import Price, read_prices

ENV_PREFIX = "WYOMING_OPENAI_"
MIN_PASSWORD, MAX_PASSWORD = 8, 256
_HASH = re.compile(r"scrypt\$(\d{1,8}\$){3}[A-Za-z0-9+/=]{16,200}\$[A-Za-z0-9+/=]{40,200}")

SHORT_ENV = ("HASS_URL", "HASS_TOKEN", "OPENAI_API_KEY", "OPENAI_BASE_URL")
"""Options whose environment variable is known without our prefix, too."""

PERSONAS = Path(__file__).parent.parent / "data" / "personas"
"""Characters that come with the program: files with options of an agent."""


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


def _not_built(value: str) -> str:
    if value == "on":
        raise ValueError("this version answers questions and controls nothing")
    return value


def _texts(value: object) -> object:
    """A list, or its items with commas between them."""
    if not isinstance(value, str):
        return value
    return tuple(text.strip() for text in value.split(",") if text.strip())


def _network(value: str) -> str:
    return str(ip_network(value, strict=False))


def _password(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not (is_hash(text) or MIN_PASSWORD <= len(text) <= MAX_PASSWORD):
        raise ValueError(f"it has {MIN_PASSWORD} to {MAX_PASSWORD} characters")
    return value


def _known_personas() -> str:
    return ", ".join(sorted(path.stem for path in PERSONAS.glob("*.yaml")))


def _prices(value: object) -> object:
    return value if value is None else read_prices(value)


def _limit(value: object) -> object:
    """`off`, or YAML's false, is no limit."""
    return None if value is False or value == "off" else value


@dataclass(frozen=True, slots=True)
class Section:
    """Options that belong together, as `--help`, the documentation and the page show them."""

    title: str
    text: str


HOME = Section("Your home", "Which Home Assistant is asked about, and as whom.")
MODEL = Section("Language model", "Who thinks. Without a key or an address the local engine answers simple questions.")
CHARACTER = Section("Character", "Who it is, how it sounds, what it may do.")
CONTEXT = Section("What the model is told", "Its task, and how much of the home goes with a question.")
PATIENCE = Section("Patience", "How long a person waits and listens.")
BUDGETS = Section("Limits and budgets", "What it may cost. When a budget is spent, the local engine goes on answering.")
ADDRESSES = Section("Addresses", "Where Home Assistant and you reach this program, and who else may.")
STORAGE = Section("Storage", "What is kept on this machine, and for how long.")
SECTIONS = (HOME, MODEL, CHARACTER, CONTEXT, PATIENCE, BUDGETS, ADDRESSES, STORAGE)


def _option(
    default: Any,
    description: str,
    write: str,
    *,
    section: Section,
    metavar: str = "",
    title: str = "",
    **constraints: Any,
) -> Any:
    """`write`: what is accepted, in words; `metavar`: the same in a word; `title`: what the page calls it."""
    about: JsonDict = {"write": write, "section": section.title, "metavar": metavar, "label": title}
    return Field(default, description=description, json_schema_extra=about, **constraints)


Money = Annotated[float | None, BeforeValidator(_limit)]


class Fallback(BaseModel):
    """A model that is asked where those before it fail."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=(), hide_input_in_errors=True)

    model: str = Field(min_length=1)
    openai_base_url: Annotated[str, AfterValidator(_web)] | None = None
    openai_api_key: SecretStr | None = Field(None, min_length=1)
    """A key is sent to the server it was written beside; without one here, the agent's, if the server is the same."""
    api: Literal["auto", "responses", "chat"] = "auto"

    @model_validator(mode="before")
    @classmethod
    def _with_underscores(cls, value: object) -> object:
        return {str(key).replace("-", "_"): each for key, each in value.items()} if isinstance(value, dict) else value


class AgentSettings(BaseModel):
    """What makes an agent, checked: each agent may have its own. The order is that of the documentation."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=(), hide_input_in_errors=True)

    uri: Annotated[str, AfterValidator(_uri), BeforeValidator(_switch)] = _option(
        "tcp://0.0.0.0:10800",
        "Where the Wyoming server listens.",
        "tcp://HOST:PORT, unix:///PATH or stdio://, such as tcp://0.0.0.0:10800",
        section=ADDRESSES,
        metavar="URI",
        title="Address for Home Assistant",
    )
    name: str = _option(
        "OpenAI",
        "What the assistant is called in Home Assistant.",
        "a name of up to 64 characters",
        section=CHARACTER,
        metavar="NAME",
        min_length=1,
        max_length=64,
    )
    persona: str | None = _option(
        None,
        "A ready character; what you set yourself wins over what it brings.",
        f"{_known_personas()}, or the path of a YAML file with options of an agent",
        section=CHARACTER,
        metavar="NAME|FILE",
    )
    openai_api_key: SecretStr | None = _option(
        None,
        "Key for the language model. Without a key (and without a base URL) the local engine answers.",
        "a key such as sk-..., from platform.openai.com, or leave it out",
        section=MODEL,
        metavar="KEY",
        title="API key",
        min_length=1,
    )
    openai_base_url: Annotated[str, AfterValidator(_web)] | None = _option(
        None,
        "Address of another server that speaks OpenAI's API.",
        "an address such as http://192.168.1.20:11434/v1",
        section=MODEL,
        metavar="URL",
        title="Address of another server",
    )
    api: Literal["auto", "responses", "chat"] = _option(
        "auto",
        "Which API is spoken: `auto` takes Responses for OpenAI itself and Chat Completions for another base URL.",
        "auto, responses or chat",
        section=MODEL,
        metavar="API",
        title="Which API",
    )
    model: str = _option(
        DEFAULT_MODEL,
        "The language model.",
        f"the name of a current model, such as {DEFAULT_MODEL}",
        section=MODEL,
        metavar="NAME",
        min_length=1,
    )
    max_tokens: int = _option(
        300,
        "Most tokens of one reply.",
        "a whole number from 16 to 16384, such as 300",
        section=MODEL,
        metavar="N",
        title="Longest reply, in tokens",
        ge=16,
        le=16384,
    )
    temperature: float = _option(
        0.5,
        "How freely the model chooses its words, from 0 (always the likeliest) to 2. Models without it go without.",
        "a number from 0 to 2, such as 0.5",
        section=MODEL,
        metavar="T",
        ge=0,
        le=2,
        allow_inf_nan=False,
    )
    top_p: float = _option(
        1.0,
        "Only words within this share of the likelihood are considered: 0.1 means the likeliest tenth.",
        "a number from 0 to 1, such as 1",
        section=MODEL,
        metavar="P",
        ge=0,
        le=1,
        allow_inf_nan=False,
    )
    fallbacks: tuple[Fallback, ...] = _option(
        (),
        "Models that are asked in turn where the first fails before it speaks; in the file only. After the last the "
        "local engine answers.",
        "a list of models, each with `model` and, for another server, `openai-base-url` and `openai-api-key`",
        section=MODEL,
    )
    hedge_seconds: float | None = _option(
        None,
        "A second request is sent when the model has not begun to speak after so many seconds, to the first fallback "
        "or to the same model; whoever speaks first is heard. Costs more, waits less.",
        "seconds from 0.2 to 30, such as 2",
        section=MODEL,
        metavar="SECONDS",
        title="Second request after, in seconds",
        ge=0.2,
        le=30,
    )
    prompt: Annotated[str, AfterValidator(_prompt)] | None = _option(
        None,
        "What the model is told of its task: a Home Assistant template, as text or as @FILE.",
        "a template, or @ and the path of a text file",
        section=CONTEXT,
        metavar="TEXT|@FILE",
    )
    style: str | None = _option(
        None,
        "How the answers should sound.",
        "words for the model, such as: warm and a little dry",
        section=CHARACTER,
        metavar="WORDS",
        title="How it sounds",
        min_length=1,
        max_length=1000,
    )
    context_tokens: int = _option(
        2000,
        "Most tokens that the home's part of a request may take; 0 leaves the home to your prompt template alone.",
        "a whole number from 0 to 100000, such as 2000",
        section=CONTEXT,
        metavar="N",
        title="Room for the home, in tokens",
        ge=0,
        le=100_000,
    )
    control: Annotated[Literal["off", "on"], BeforeValidator(_switch), AfterValidator(_not_built)] = _option(
        "off",
        "Whether the assistant may control the house: not yet, it answers questions only.",
        "off",
        section=CHARACTER,
        metavar="SWITCH",
        title="May control the house",
    )
    deadline: float = _option(
        15,
        "Seconds after which a person hears something, whatever the model does.",
        "seconds from 1 to 120",
        section=PATIENCE,
        metavar="SECONDS",
        title="Answer within, in seconds",
        ge=1,
        le=120,
    )
    phone_deadline: float = _option(
        8,
        "The same for a telephone, where silence sounds like a dead line.",
        "seconds from 1 to 120",
        section=PATIENCE,
        metavar="SECONDS",
        title="On a phone: answer within, in seconds",
        ge=1,
        le=120,
    )
    speak_seconds: float = _option(
        20,
        "Most seconds that one answer may take to say; what is longer goes on when somebody says yes.",
        "seconds from 3 to 300",
        section=PATIENCE,
        metavar="SECONDS",
        title="Longest answer, in seconds",
        ge=3,
        le=300,
    )
    phone_speak_seconds: float = _option(
        14,
        "The same for a telephone, which speaks only when all of the answer is synthesised.",
        "seconds from 3 to 300",
        section=PATIENCE,
        metavar="SECONDS",
        title="On a phone: longest answer, in seconds",
        ge=3,
        le=300,
    )

    budget_agent_day: Money = _option(
        None,
        "Most that the language model may cost one agent in a day, in US dollars.",
        "dollars, such as 0.10, or off for no limit of its own",
        section=BUDGETS,
        metavar="USD",
        title="Budget of an agent, a day",
        ge=0,
    )
    budget_agent_month: Money = _option(
        None,
        "The same for a month.",
        "dollars, such as 1, or off for no limit of its own",
        section=BUDGETS,
        metavar="USD",
        title="Budget of an agent, a month",
        ge=0,
    )

    @property
    def uses_model(self) -> bool:
        """A key, or a server of one's own that may need none."""
        return self.openai_api_key is not None or self.openai_base_url is not None

    @property
    def listens(self) -> bool:
        """Whether it has an address of its own."""
        return self.uri != "off"


class NamedAgentSettings(AgentSettings):
    """One of several agents."""

    devices: Annotated[tuple[str, ...], BeforeValidator(_texts)] = _option(
        (),
        "Devices whose questions this agent answers, also where they reach the first agent.",
        "a list of names or ids of devices in Home Assistant, such as [Hall phone]",
        section=CHARACTER,
        metavar="NAMES",
        title="Devices that it answers",
    )


class Settings(AgentSettings):
    """All options, checked."""

    hass_url: Annotated[str, AfterValidator(_web)] | None = _option(
        None,
        "Address of Home Assistant. Without one the demo home answers.",
        "the address you open Home Assistant with, such as http://homeassistant.local:8123",
        section=HOME,
        metavar="URL",
        title="Address of Home Assistant",
    )
    hass_token: SecretStr | None = _option(
        None,
        "A long-lived access token of a Home Assistant user. An administrator's shows all that is exposed, another "
        "user's "
        "only what Home Assistant's entity registry holds.",
        "a token from your Home Assistant profile: Security, Long-lived access tokens, Create token",
        section=HOME,
        metavar="TOKEN",
        title="Access token",
        min_length=1,
    )
    hass_verify_ssl: bool = _option(
        True,
        "Whether the certificate of an https address is checked.",
        "true, or false for a self-signed certificate",
        section=HOME,
        metavar="BOOL",
        title="Check the certificate",
    )
    home: Annotated[Path, AfterValidator(_existing)] | None = _option(
        None,
        "A snapshot file to answer from in place of a live Home Assistant.",
        "the path of a file that `wyoming-openai snapshot` wrote",
        section=HOME,
        metavar="FILE",
        title="Home from a file",
    )
    budget_day: Money = _option(
        0.50,
        "Most that the language model may cost in a day (of UTC), in US dollars, in all. When it is spent the local "
        "engine goes on answering.",
        "dollars, such as 0.50, or off for no limit",
        section=BUDGETS,
        metavar="USD",
        title="Budget of a day",
        ge=0,
    )
    budget_month: Money = _option(
        5.0,
        "Most that the language model may cost in a month (of UTC), in US dollars, in all.",
        "dollars, such as 5, or off for no limit",
        section=BUDGETS,
        metavar="USD",
        title="Budget of a month",
        ge=0,
    )
    budget_device_day: Money = _option(
        None,
        "Most that the language model may cost for the questions of one device (a satellite, a phone) in a day.",
        "dollars, such as 0.10, or off for no limit of its own",
        section=BUDGETS,
        metavar="USD",
        title="Budget of a device, a day",
        ge=0,
    )
    budget_device_month: Money = _option(
        None,
        "The same for a month.",
        "dollars, such as 1, or off for no limit of its own",
        section=BUDGETS,
        metavar="USD",
        title="Budget of a device, a month",
        ge=0,
    )
    prices: Annotated[dict[str, Price] | None, BeforeValidator(_prices)] = _option(
        None,
        "Prices of models in US dollars for a million tokens, where yours differ from the known ones or are not known.",
        'prices by model, such as {"my-model": {"input": 0.15, "cached": 0.075, "output": 0.6}}',
        section=MODEL,
        metavar="JSON",
        title="Your own prices",
    )
    questions_per_minute: Annotated[int | None, BeforeValidator(_limit)] = _option(
        30,
        "Most questions that the language model answers in a minute for one address in the network, Home Assistant "
        "and this machine apart. Beyond, the local engine answers.",
        "a whole number from 1 to 10000, or off",
        section=BUDGETS,
        metavar="N",
        title="Questions from one address, a minute",
        ge=1,
        le=10_000,
    )
    questions_per_day: Annotated[int | None, BeforeValidator(_limit)] = _option(
        500,
        "The same for a day.",
        "a whole number from 1 to 1000000, or off",
        section=BUDGETS,
        metavar="N",
        title="Questions from one address, a day",
        ge=1,
        le=1_000_000,
    )
    allow: Annotated[tuple[Annotated[str, AfterValidator(_network)], ...], BeforeValidator(_texts)] = _option(
        (),
        "Networks and addresses that may talk to the Wyoming server; without any, everybody in the network may. Home "
        "Assistant always may; name 127.0.0.1, too, if something else on this machine asks.",
        "networks such as 192.168.1.0/24, with commas between them",
        section=ADDRESSES,
        metavar="NETWORKS",
        title="Who may talk to it",
    )
    data_dir: Path | None = _option(
        None,
        "Where the program keeps what must survive a restart; by default `wyoming-openai` in the user's state folder.",
        "the path of a folder",
        section=STORAGE,
        metavar="FOLDER",
        title="Folder for data",
    )
    admin_uri: Annotated[str, AfterValidator(_admin), BeforeValidator(_switch)] = _option(
        "http://127.0.0.1:8099",
        "Where the admin page listens.",
        "http://HOST:PORT, or off",
        section=ADDRESSES,
        metavar="URL",
        title="Address of this page",
    )
    admin_password: Annotated[SecretStr, AfterValidator(_password)] | None = _option(
        None,
        "What opens the admin page; needed before it listens for others than this machine.",
        f"a password of {MIN_PASSWORD} to {MAX_PASSWORD} characters",
        section=ADDRESSES,
        metavar="PASSWORD",
        title="Password of this page",
    )
    admin_hosts: Annotated[tuple[str, ...], BeforeValidator(_texts)] = _option(
        (),
        "Further names by which the admin page is opened, such as that of a proxy.",
        "names such as wyoming.example.org, with commas between them",
        section=ADDRESSES,
        metavar="NAMES",
        title="Further names of this page",
    )
    keep_turns_days: float = _option(
        7,
        "Days for which questions and answers are kept for the admin page, on this machine only; 0 keeps none.",
        "days from 0 to 365, such as 7",
        section=STORAGE,
        metavar="DAYS",
        title="Keep conversations for, in days",
        ge=0,
        le=365,
        allow_inf_nan=False,
    )
    log_level: Literal["debug", "info", "warning", "error"] = _option(
        "info",
        "How much is logged. Only `debug` contains what people said.",
        "debug, info, warning or error",
        section=STORAGE,
        metavar="LEVEL",
        title="How much is logged",
    )
    agents: tuple[NamedAgentSettings, ...] = _option(
        (),
        "Several agents in one program; in the file only.",
        "a list of agents, each with a name",
        section=CHARACTER,
    )

    @property
    def all_agents(self) -> tuple[AgentSettings, ...]:
        """The agents of the file; without any, the one that the options make."""
        return self.agents or (self,)

    @property
    def secrets(self) -> set[str]:
        """What must be in no log, whosever it is."""
        places = [self, *self.agents, *(fallback for agent in self.all_agents for fallback in agent.fallbacks)]
        values = [value for place in places for _, value in place if isinstance(value, SecretStr)]
        return {value.get_secret_value() for value in values}

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


IN_FILE_ONLY = frozenset({"agents", "fallbacks"})
"""Lists of more than texts."""

OPTIONS = {name: field for name, field in Settings.model_fields.items() if name not in IN_FILE_ONLY}
"""What flags and environment variables can set."""

SECRETS = frozenset({"admin_password", "hass_token", "openai_api_key"})


def flag(name: str) -> str:
    """The command line flag of an option."""
    return "--" + name.replace("_", "-")


def variables(name: str) -> list[str]:
    """The environment variables of an option, the preferred one first; secrets may also come from a file."""
    names = [*([name.upper()] if name.upper() in SHORT_ENV else []), ENV_PREFIX + name.upper()]
    return names + [f"{variable}_FILE" for variable in names if name in SECRETS]


def is_hash(text: str) -> bool:
    """Whether a password is kept as its hash already."""
    return _HASH.fullmatch(text) is not None


def advice(field: FieldInfo) -> str:
    """What to write for an option."""
    return _about(field, "write")


def section(field: FieldInfo) -> str:
    """The title of the section that an option belongs to."""
    return _about(field, "section")


def metavar(field: FieldInfo) -> str:
    """What is written, in a word."""
    return _about(field, "metavar")


def title(name: str, field: FieldInfo) -> str:
    """What an option is called on the page."""
    words = name.replace("_", " ")
    return _about(field, "label") or words[:1].upper() + words[1:]


def _about(field: FieldInfo, key: str) -> str:
    extra = field.json_schema_extra
    return str(extra[key]) if isinstance(extra, dict) else ""
