"""What the page needs of the program. `server.py` hands it over; the page constructs nothing of its own."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from ..conversation.request import RequestBuilder
from ..conversation.turn import Turn, TurnReport
from ..conversation.turn_log import TurnLog
from ..hass.mirror import Mirror
from ..messages import Utterance
from ..settings.options import Settings
from ..usage.budgets import BudgetSettings
from ..usage.ledger import Ledger
from ..usage.prices import Price


class PageAssistant(Protocol):
    """What the page asks of an `Assistant`."""

    requests: RequestBuilder

    def reply(self, utterance: Utterance, report: Callable[[TurnReport], None]) -> AsyncGenerator[str, None]: ...

    def open(self, utterance: Utterance, deadline: float | None = None, now: datetime | None = None) -> Turn: ...

    async def prepare(self, language: str) -> None: ...


@dataclass(frozen=True, slots=True)
class PageAgent:
    """One persona."""

    name: str
    assistant: PageAssistant
    model: str | None
    """The name of its model; None where the local engine answers."""
    uri: str = ""
    """Where Home Assistant reaches it."""
    prompt: str | None = None
    """Its template; None is the default."""
    price: Price | None = None


@dataclass(frozen=True, slots=True)
class Access:
    """Who may open the page."""

    password_hash: str | None = None
    """As `hash_password` makes it; needed before the page listens beyond this machine."""
    hosts: tuple[str, ...] = ()
    """Further names by which the page is reached, such as `wyoming.example.org`."""
    ingress: bool = False
    """In an add-on: Home Assistant's Supervisor vouches for whoever it lets through, and nobody else is let in."""


@dataclass(frozen=True, slots=True)
class AdminParts:
    """The callables give what is there now: a change of settings may build anew what they return."""

    agents: Callable[[], Sequence[PageAgent]]
    """At least one; the first is the one meant where none is named."""
    mirror: Callable[[], Mirror]
    settings: Callable[[], Settings]
    turns: TurnLog
    sources: Callable[[str], Mapping[str, str]] = lambda agent: {}
    """Where each option that is not the default was set: "--model", "OPENAI_API_KEY", the path of a file. For "" those
    of the program; for the name of one of several agents those that it sets itself, without what it takes over."""
    fixed: Callable[[str], frozenset[str]] = lambda agent: frozenset()
    """Options that the page can't change, of the program or of an agent: set by flag or environment, or read only at
    start."""
    save: Callable[[Mapping[str, Any], str], Awaitable[None]] | None = None
    """Keep and apply changed options of the program (""), or of one of several agents; None is back to the default.
    Raises `BadSettings` with lines `name: text`, then nothing has changed. Without it the page shows and changes none.
    """
    ledger: Ledger | None = None
    budgets: Callable[[], BudgetSettings] = BudgetSettings
    data_dir: Path | None = None
    """Where earlier prompts are kept; None keeps them in memory."""
    access: Access = field(default_factory=Access)
