"""Repair issues. The websocket does not tell which of them are persistent, and only those have a long form."""

from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from ...hass.home import Row as Message
from ..errors import NeedsHomeAssistant
from ..rendering import HomeFunction, Rendering
from .table import TemplateFunction

_IN_BOTH_FORMS = frozenset({"domain", "issue_id", "created", "dismissed_version"})


class Issue(Mapping[str, Any]):
    """An issue of which only the parts that both forms share are known."""

    def __init__(self, row: Message) -> None:
        self._row = row

    def __getitem__(self, key: str) -> Any:
        return self._row.get(key) if key in _IN_BOTH_FORMS else _ask()

    def __iter__(self) -> Iterator[str]:
        return iter(_ask())

    def __len__(self) -> int:
        return _ask()

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return str(_ask())


def _ask() -> NoReturn:
    raise NeedsHomeAssistant("whether an issue is persistent, and so its long form, is not told over the websocket")


def issues(rendering: Rendering) -> dict[tuple[str, str], Issue]:
    """Open issues by domain and id."""
    return {(row["domain"], row["issue_id"]): Issue(row) for row in rendering.home.issues}


def issue(rendering: Rendering, domain: str, issue_id: str) -> Issue | None:
    return issues(rendering).get((domain, issue_id))


FUNCTIONS = (
    TemplateFunction("issues", HomeFunction(issues), "G"),
    TemplateFunction("issue", HomeFunction(issue), "GF"),
)
