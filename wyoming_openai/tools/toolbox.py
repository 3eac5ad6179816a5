"""What every tool is made of: its description, its context, and how it is run."""

import inspect
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from ..context.cache import ContextCache
from ..context.directory import Directory
from ..context.home_writer import HomeWriter
from ..hass.errors import CommandFailed, HomeUnavailable
from ..hass.home import Area, Home
from ..hass.mirror import Mirror
from ..messages import ToolCall, ToolResult, ToolSpec

_LOGGER = logging.getLogger(__name__)

MAX_ARGUMENTS = 16 * 1024
MAX_RESULT = 12_000  # characters; what is longer does not help a spoken answer
MAX_TEXTS = 60

Texts = str | list[str] | None
"""Models give a list where one text is asked for, and one text where a list is."""


class ToolError(Exception):
    """What the model should hear: it says what to do differently."""


@dataclass(frozen=True, slots=True)
class ToolContext:
    """What a tool may look at."""

    home: Home
    area: Area | None
    """Where it was asked."""
    now: datetime
    """In the home's time zone."""
    language: str
    """Of the question."""
    mirror: Mirror
    """For what only Home Assistant knows: history, forecasts, appointments."""
    context_cache: ContextCache

    @property
    def directory(self) -> Directory:
        return self.context_cache.directory(self.home)

    @property
    def writer(self) -> HomeWriter:
        return HomeWriter(self.home, self.directory, self.now)


Run = Callable[..., Awaitable[Any]]
"""`async def tool(context, *, …)`: its keyword arguments are the schema's properties; gives JSON or text."""


@dataclass(frozen=True, slots=True)
class Tool:
    spec: ToolSpec
    run: Run


class Toolbox:
    """The tools of one assistant."""

    def __init__(self, tools: Iterable[Tool]) -> None:
        self._tools = {tool.spec.name: tool for tool in tools}
        self.specs = tuple(tool.spec for tool in self._tools.values())

    async def run(self, call: ToolCall, context: ToolContext) -> ToolResult:
        """Run one call. Always gives a result: what went wrong is told to the model."""
        try:
            return ToolResult(call.id, call.name, _content(await self._run(call, context)))
        except ToolError as error:
            return ToolResult(call.id, call.name, f"Error: {error}", is_error=True)
        except HomeUnavailable as error:
            return ToolResult(call.id, call.name, f"Error: Home Assistant cannot be asked now ({error})", is_error=True)
        except CommandFailed as error:
            _LOGGER.info("The tool %.64s was refused: %s", call.name, error)
            return ToolResult(call.id, call.name, f"Error: Home Assistant refuses it ({error.code})", is_error=True)
        except Exception:
            _LOGGER.exception("The tool %.64s failed", call.name)
            return ToolResult(call.id, call.name, "Error: the tool is out of order", is_error=True)

    async def _run(self, call: ToolCall, context: ToolContext) -> Any:
        tool = self._tools.get(call.name)
        if tool is None:
            raise ToolError(f"there is no such tool; there are {', '.join(self._tools) or 'none'}")
        arguments = _arguments(call)
        try:
            inspect.signature(tool.run).bind(context, **arguments)
        except TypeError as error:
            raise ToolError(str(error)) from None
        return await tool.run(context, **arguments)


def schema(*required: str, **properties: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON schema of an object in which every property may be left out that is not required."""
    return {"type": "object", "properties": properties, **({"required": list(required)} if required else {})}


def string(description: str = "") -> dict[str, Any]:
    """The schema of a text; its name should say enough."""
    return {"type": "string", **({"description": description} if description else {})}


def strings() -> dict[str, Any]:
    """The schema of a list of texts."""
    return {"type": "array", "items": {"type": "string"}}


def texts(value: Any) -> tuple[str, ...]:
    """An argument as texts, whatever the model made of it: none where it is empty."""
    values = value if isinstance(value, list | tuple) else (value,)
    found = (str(each).strip() for each in values[:MAX_TEXTS] if each is not None)
    return tuple(dict.fromkeys(text for text in found if text))


def _arguments(call: ToolCall) -> dict[str, Any]:
    """The arguments as the model wrote them; an empty text counts as none, and nulls as left out."""
    if len(call.arguments) > MAX_ARGUMENTS:
        raise ToolError("the arguments are too long")
    try:
        arguments = orjson.loads(call.arguments.strip() or "{}")
    except orjson.JSONDecodeError as error:
        raise ToolError(f"the arguments are not JSON: {error}") from None
    if not isinstance(arguments, dict):
        raise ToolError("the arguments must be an object")
    return {name: value for name, value in arguments.items() if value is not None}


def _content(result: Any) -> str:
    text = result if isinstance(result, str) else orjson.dumps(result, default=str).decode()
    return text if len(text) <= MAX_RESULT else text[:MAX_RESULT] + " … (cut: ask for less)"
