"""A model's calls on a mirrored home, from the text of the arguments to the text of the result."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import orjson

from wyoming_openai.context.cache import ContextCache
from wyoming_openai.hass.home import Home
from wyoming_openai.hass.mirror import FixedMirror, Mirror
from wyoming_openai.messages import ToolCall
from wyoming_openai.tools import Toolbox, ToolContext, builtin_tools

Ask = Callable[..., Awaitable[str]]


def asking(
    home: Home, now: datetime, mirror: Mirror | None = None, *, language: str = "en", area: str | None = None
) -> Ask:
    """`await ask(tool, **arguments)` gives what the model is told."""
    room = home.registries.areas[area] if area else None
    context = ToolContext(home, room, now, language, mirror or FixedMirror(home), ContextCache())
    toolbox = Toolbox(builtin_tools())

    async def ask(tool: str, **arguments: Any) -> str:
        return (await toolbox.run(ToolCall("1", tool, orjson.dumps(arguments).decode()), context)).content

    return ask
