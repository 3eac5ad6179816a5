"""The rendering in progress: what template functions may look at beside their arguments.

Home Assistant's pure functions (`float`, `as_local`, …) can be handed around in a template as plain callables, so the
home and the clock can't be passed to them; they are found here.
"""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, NoReturn, ParamSpec, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from jinja2 import pass_context

from ..hass.home import Home
from .names import RegistryNames, names_of
from .sizes import Sizes

P = ParamSpec("P")
R = TypeVar("R")

MISSING: Any = object()
"""The default of a `default` that was not given."""


@dataclass(frozen=True, slots=True)
class Rendering:
    """One template rendered for one home at one moment."""

    text: str
    home: Home
    now: datetime
    """In the home's time zone; the same throughout."""
    zone: ZoneInfo
    names: RegistryNames
    deadline: float
    """When `time.monotonic()` says that it takes too long."""
    sizes: Sizes


_CURRENT: ContextVar[Rendering] = ContextVar("rendering")

current = _CURRENT.get
begin = _CURRENT.set
end = _CURRENT.reset


def rendering_of(text: str, home: Home, now: datetime | None, deadline: float) -> Rendering:
    """Naive clocks are taken as local."""
    zone = _zone(home.config.time_zone)
    if now is None:
        now = datetime.now(UTC)
    now = now.replace(tzinfo=zone) if now.tzinfo is None else now.astimezone(zone)
    return Rendering(text, home, now, zone, names_of(home.registries), deadline, Sizes())


@pass_context
class HomeFunction:
    """A template function that looks at the home.

    As in Home Assistant it can't be handed to `apply`: Jinja passes its context first.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def bound(self, rendering: Rendering) -> Callable[..., Any]:
        """The function as it is called in one rendering."""
        return partial(self._function, rendering)

    def __call__(self, _context: Any, *args: Any, **kwargs: Any) -> Any:
        return self._function(current(), *args, **kwargs)


def no_default(function: str, value: Any) -> NoReturn:
    """The value is of no use to the function, and the template gave no default."""
    raise ValueError(
        f"Template error: {function} got invalid input '{value}' when rendering template '{current().text}'"
        " but no default was specified"
    )


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")
