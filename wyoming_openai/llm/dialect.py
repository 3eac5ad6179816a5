"""How one server wants to be spoken to: what is known beforehand, and what its refusals teach."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from .errors import Refusal
from .models import Api

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")

_UNSUPPORTED = re.compile(
    r"un(supported|recognized|recognised|known|expected|permitted)|not (supported|permitted|allowed|accept|recogni)"
    r"|(does|do)(n't| not) (support|accept|allow|recogni)|only the default|invalid (role|value|param|argument|field)"
    r"|additional propert|extra (input|field)|extra_forbidden|requires --",
    re.IGNORECASE,
)
_ROLE = re.compile(r"\bdeveloper\b|\broles?\b", re.IGNORECASE)
_TOOLS = re.compile(r"\btools?\b|\btool[_ ]choice\b|function[_ ]call", re.IGNORECASE)
_OTHER_NAME = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}


@dataclass(frozen=True, slots=True)
class Dialect:
    """An API, and what is sent with every request beside the messages. Learns by becoming another dialect."""

    api: Api
    options: Mapping[str, Any]
    system_role: str = "system"
    """`developer` where the server knows it."""
    one_system_message: bool = False
    """Chat templates of several open models take one only, at the start."""
    tools: bool = True
    refused: frozenset[str] = frozenset()
    """Names that the server has rejected."""


def learn(dialect: Dialect, refusal: Refusal, *, results: bool = False) -> tuple[Dialect, str] | None:
    """The dialect that avoids what the server refused, and what is different, in words; None if nothing helps.

    `results`: the request held results of tools. Who refuses that may complain of them, and not of tools as such.
    """
    if refusal.status not in (400, 422):
        return None
    if name := _rejected_option(dialect, refusal):
        return _without(dialect, name, refusal)
    if not _UNSUPPORTED.search(refusal.message):
        return None
    if dialect.system_role == "developer" and _ROLE.search(refusal.message):
        return replace(dialect, system_role="system"), "the role `developer` is sent as `system`"
    about_tools = refusal.param in ("tools", "tool_choice") or (not results and _TOOLS.search(refusal.message))
    if dialect.tools and about_tools:
        return replace(dialect, tools=False), "no tools are offered: the model can only tell what the prompt says"
    return None


def _rejected_option(dialect: Dialect, refusal: Refusal) -> str | None:
    """The option of ours that a refusal is about: named as its parameter, else as unsupported in its text."""
    named = re.split(r"[.\[]", refusal.param)[0]
    if named in dialect.options:
        return named
    if not _UNSUPPORTED.search(refusal.message):
        return None
    return next((name for name in dialect.options if re.search(_mention(name), refusal.message)), None)


def _mention(name: str) -> str:
    """A name that is an English word as well counts where it stands in quotes or after a colon."""
    return rf"\b{name}\b" if "_" in name or name == "temperature" else rf"['\"`:]\s*{name}\b"


def _without(dialect: Dialect, name: str, refusal: Refusal) -> tuple[Dialect, str]:
    """The dialect without an option, or with its other name, or with a value that the refusal offers."""
    options = {key: value for key, value in dialect.options.items() if key != name}
    value = dialect.options[name]
    effort = str(value.get("effort") if isinstance(value, Mapping) else value)
    if (other := _OTHER_NAME.get(name, name)) not in {name, *dialect.refused}:
        options[other] = value
        change = f"`{name}` is sent as `{other}`"
    elif name in ("reasoning", "reasoning_effort") and (offer := _offered_effort(refusal, dialect.refused | {effort})):
        options[name] = {"effort": offer} if name == "reasoning" else offer
        name, change = effort, f"the reasoning effort `{effort}` is sent as `{offer}`"
    else:
        change = f"`{name}` is left out"
    return replace(dialect, options=options, refused=dialect.refused | {name}), change


def _offered_effort(refusal: Refusal, refused: frozenset[str]) -> str | None:
    """The least reasoning effort that the text of a refusal names as possible."""
    offered = re.findall(r"'(\w+)'", refusal.message)
    return next((effort for effort in EFFORTS if effort in offered and effort not in refused), None)
