"""What is known about OpenAI's models by their names: which have ended, which reason, what they accept.

Sources: the shutdown dates that the `openai` SDK 3.54 documents with its model names, OpenAI's deprecations page and
its pages of the models, and answers of the API that its users quote; all as of November 2026. A name that is not here
is taken for a plain chat model, and what its server then rejects is learnt from its answers (see `dialect.py`).
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Literal

DEFAULT_MODEL = "gpt-6-luna"
"""OpenAI's smallest current model (September 2026), and what it recommends in place of gpt-4o-mini and gpt-4.1-mini.

No end announced, cheaper than all before it, answers without reasoning if told so (effort "none").
"""

Api = Literal["responses", "chat"]


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """Which model is asked, where, and how."""

    api_key: str | None = field(default=None, repr=False)
    """None for a server that needs no key."""
    base_url: str | None = None
    """None is OpenAI itself."""
    api: Literal["auto", "responses", "chat"] = "auto"
    model: str = DEFAULT_MODEL
    max_tokens: int = 300
    temperature: float | None = None
    top_p: float | None = None
    reasoning_effort: str | None = None
    """None is the least that the model allows: somebody is waiting."""
    first_token_timeout: float = 10.0
    """Seconds until the model says, calls or visibly thinks something."""
    gap_timeout: float = 5.0
    """Seconds between two signs of life after that."""
    total_timeout: float = 30.0


_SHUTDOWNS: dict[date, str] = {
    date(2023, 3, 23): "code-cushman-001 code-cushman-002 code-davinci-001 code-davinci-002",
    date(2024, 1, 4): (
        "ada babbage curie davinci text-ada-001 text-babbage-001 text-curie-001 text-davinci-001 text-davinci-002"
        " text-davinci-003"
    ),
    date(2024, 9, 13): "gpt-3.5-turbo-0301 gpt-3.5-turbo-0613 gpt-3.5-turbo-16k gpt-3.5-turbo-16k-0613",
    date(2024, 12, 6): "gpt-4-vision-preview",
    date(2025, 6, 6): "gpt-4-32k gpt-4-32k-0314 gpt-4-32k-0613",
    date(2025, 7, 14): "gpt-4.5-preview",
    date(2025, 7, 28): "o1-preview",
    date(2025, 10, 27): "o1-mini",
    date(2026, 2, 12): "codex-mini-latest",
    date(2026, 2, 17): "chatgpt-4o-latest",
    date(2026, 3, 26): "gpt-4-0125-preview gpt-4-turbo-preview gpt-4-0314",
    date(2026, 7, 23): (
        "gpt-4o-search-preview gpt-4o-mini-search-preview gpt-5-chat-latest gpt-5-codex gpt-5.1-chat-latest"
        " gpt-5.1-codex gpt-5.1-codex-max gpt-5.1-codex-mini gpt-5.2-codex o3-deep-research o4-mini-deep-research"
    ),
    date(2026, 8, 10): "gpt-5.2-chat-latest gpt-5.3-chat-latest",
    date(2026, 9, 28): "gpt-3.5-turbo-1106 gpt-3.5-turbo-instruct davinci-002 babbage-002",
    date(2026, 10, 23): (
        "gpt-3.5-turbo gpt-3.5-turbo-0125 gpt-4 gpt-4-0613 gpt-4-1106-preview gpt-4-turbo gpt-4.1-nano"
        " gpt-4o-2024-05-13 o1 o1-pro o3-mini o4-mini"
    ),
    date(2026, 12, 11): "gpt-5 gpt-5-mini gpt-5-nano gpt-5-pro o3 o3-pro",
    date(2027, 1, 14): "gpt-4o gpt-4o-mini gpt-4.1 gpt-4.1-mini",
    date(2027, 4, 1): "gpt-5.1 gpt-5.3-codex gpt-5.4-nano",
}
_ENDS = {name: day for day, names in _SHUTDOWNS.items() for name in names.split()}

_SNAPSHOT = re.compile(r"-\d{4}-\d{2}-\d{2}$")

_CHAT_ONLY = re.compile(r"gpt-[34]|chatgpt|gpt-5(\.\d)?-chat|chat-latest")
_EFFORTS = (
    # The least effort that a model accepts; the first pattern that matches counts. None: there is no choice.
    (re.compile(r"gpt-\d(\.\d)?-pro"), None),
    (re.compile(r"gpt-\d(\.\d)?-codex"), "low"),
    (re.compile(r"gpt-5(-mini|-nano)?$"), "minimal"),
    (re.compile(r"gpt-5\.\d"), "none"),
    (re.compile(r"gpt-6-(sol|luna)$|gpt-6\.1-terra$"), "none"),
    (re.compile(r"gpt-6|o\d"), "low"),  # gpt-6-astra, gpt-6.1-sol and what came after refuse "none"
)


def ends(model: str) -> date | None:
    """The day on which OpenAI shuts the model down, or has done so; None if it has announced none."""
    return _ENDS.get(_name(model)) or _ENDS.get(_family(model))


def retired(model: str, today: date | None = None) -> str | None:
    """Why a model of OpenAI can't be used any more, and what to use; None if it can."""
    end = ends(model)
    if end is None or end > (today or datetime.now(UTC).date()):
        return None
    return f"OpenAI shut it down on {end.isoformat()}; use {DEFAULT_MODEL}"


def reasons(model: str) -> bool:
    """Whether the model is known to think before it answers, if it is let."""
    name = _family(model)
    return not _CHAT_ONLY.match(name) and any(pattern.match(name) for pattern, _ in _EFFORTS)


def reasoning_effort(model: str) -> str | None:
    """The least reasoning effort that the model accepts; None if it takes none, or is not known."""
    if not reasons(model):
        return None
    name = _family(model)
    return next(effort for pattern, effort in _EFFORTS if pattern.match(name))


def accepts_sampling(model: str, effort: str | None) -> bool:
    """Whether temperature and top_p may be sent: reasoning models take them only with the effort "none"."""
    return effort == "none" or not reasons(model)


def _family(model: str) -> str:
    """The name without the day of a snapshot, which ends with its family unless the table says otherwise."""
    return _SNAPSHOT.sub("", _name(model))


def _name(model: str) -> str:
    """The name as OpenAI writes it: without a reseller's prefix, or what fine-tuning puts around it."""
    plain = model.rsplit("/", 1)[-1].lower()
    return plain.split(":")[1] if plain.startswith("ft:") else plain
