"""While a turn goes on its directory stays: what is withdrawn or gone meanwhile is not told all the same."""

import re
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from wyoming_openai.context.cache import ContextCache
from wyoming_openai.hass.home import Home
from wyoming_openai.hass.mirror import FixedMirror
from wyoming_openai.hass.snapshot import demo_home
from wyoming_openai.messages import ToolCall
from wyoming_openai.tools import Toolbox, ToolContext, builtin_tools

NOW = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)


def withdraw(home: Home, entity_id: str) -> None:
    exposed = home.registries.exposed
    home.registries = home.registries.with_parts(exposed_by_list=exposed - {entity_id})


def remove(home: Home, entity_id: str) -> None:
    home.apply_states({"r": [entity_id]})


@pytest.mark.parametrize("happens", [withdraw, remove])
@pytest.mark.parametrize(
    ("tool", "arguments", "domain"),
    [
        ("get_entities", {"domain": "light"}, "light"),
        ("get_entities", {"name": "{name}"}, "light"),
        ("get_entities", {"entity_id": "{entity_id}"}, "light"),
        ("get_entities", {"query": "which lights are there?"}, "light"),
        ("get_history", {"name": "{name}", "period": "today"}, "light"),
        ("get_people", {}, "person"),
        ("get_forecast", {}, "weather"),
        ("get_calendar_events", {}, "calendar"),
        ("get_todo_items", {}, "todo"),
    ],
)
async def test_what_is_withdrawn_or_gone_since_the_question_is_not_told(
    happens: Any, tool: str, arguments: dict[str, str], domain: str
) -> None:
    home, context_cache = demo_home(NOW), ContextCache()
    await context_cache.prepare(home, "en")
    entity = next(state for state in home.exposed_states() if state.domain == domain)
    happens(home, entity.entity_id)
    context = ToolContext(home, None, NOW, "en", FixedMirror(home), context_cache)
    filled = {key: value.format(name=entity.name, entity_id=entity.entity_id) for key, value in arguments.items()}
    result = await Toolbox(builtin_tools()).run(ToolCall("1", tool, orjson.dumps(filled).decode()), context)
    assert not re.search("out of order|no such tool|missing|unexpected", result.content)
    told = result.content.replace(f"“{entity.name}”", "").replace(f"“{entity.entity_id}”", "")
    assert entity.name not in told
    assert entity.entity_id not in told
