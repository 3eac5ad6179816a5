"""The vocabulary of a turn: what was said, what is told to the model, what comes back. Frozen values, no behaviour."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

JsonObject = dict[str, Any]
"""A JSON object of somebody else's making: tool arguments, provider items, registry rows."""


CALLER_LEFT = "the caller left"
"""Why a turn has no end, where nothing is wrong."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """One sentence of a person, as the voice pipeline heard it."""

    text: str
    language: str = "en"
    """BCP 47 tag, as Home Assistant's pipeline gives it: "en", "de-CH", "zh-CN"."""
    conversation_id: str | None = None
    device_id: str | None = None
    """Where it was said; decides what "here" means."""
    satellite_id: str | None = None
    area_id: str | None = None
    """The room, where the caller knows it better than the device registry (`ask --area`)."""
    caller: str | None = None
    """The network address of somebody who is not trusted; None for Home Assistant and this machine."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool that the model wants to run."""

    id: str
    name: str
    arguments: str
    """JSON text as the model wrote it; not always valid."""


@dataclass(frozen=True, slots=True)
class SystemMessage:
    """What we tell the model: rules, the home, the clock. Never what a person said."""

    text: str


@dataclass(frozen=True, slots=True)
class UserMessage:
    """What a person said, and nothing else."""

    text: str


@dataclass(frozen=True, slots=True)
class AssistantMessage:
    """What the model said, and the tools it called."""

    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    native: tuple[JsonObject, ...] = ()
    """Items of the provider that it wants back unchanged within a turn (reasoning)."""
    source: str = ""
    """Who said it, where several models take turns; `native` is for no other."""


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool gave; `content` is JSON text or plain text, shown to the model."""

    id: str
    name: str
    content: str
    is_error: bool = False


Message = SystemMessage | UserMessage | AssistantMessage | ToolResult


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """How a tool is described to the model."""

    name: str
    description: str
    parameters: Mapping[str, Any]
    """JSON schema of an object."""
    read_only: bool = False
    """Undeclared means dangerous: a tool is taken to change something unless it says otherwise."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one or more model calls."""

    input_tokens: int = 0
    cached_tokens: int = 0
    """Part of `input_tokens` that the provider took from its prompt cache."""
    output_tokens: int = 0
    reasoning_tokens: int = 0
    """Part of `output_tokens` that was thought and not said."""
    cache_write_tokens: int = 0
    """Part of `input_tokens` that the provider put into its prompt cache, which some charge extra for."""

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.input_tokens + other.input_tokens,
            self.cached_tokens + other.cached_tokens,
            self.output_tokens + other.output_tokens,
            self.reasoning_tokens + other.reasoning_tokens,
            self.cache_write_tokens + other.cache_write_tokens,
        )


class CannotAnswer(Exception):
    """Something that the person who asked should hear.

    `sentence_key` names one of our own sentences (`speech/phrasebook.py`), spoken in the language of the question;
    the exception's text is for the log and for `check`, never spoken.
    """

    def __init__(self, sentence_key: str, detail: str = "", **values: str) -> None:
        super().__init__(detail or sentence_key)
        self.sentence_key = sentence_key
        self.values = values
        self.log_text = str(self)
        """The detail as it may be logged: without the words of a server, which may quote what somebody said."""


@dataclass(frozen=True, slots=True)
class Trace:
    """What happened in a turn, for whoever asked to know (`ask --json`, the log line of a turn)."""

    engine: str = ""
    """`openai`, or `local` when the embedded engine answered."""
    model: str = ""
    usage: Usage = field(default_factory=Usage)
    tools: tuple[str, ...] = ()
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    failure: str = ""
    """Why the model did not answer, if it did not."""
    cost_usd: float = 0.0
    """US dollars."""
    log_text: str = ""
    """The failure as it may be logged."""
