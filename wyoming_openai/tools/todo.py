"""Items of the exposed to-do and shopping lists."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from ..context.facts import clean, quoted
from ..context.moments import iso_words
from ..hass.errors import CommandFailed
from ..hass.home import State
from ..messages import ToolSpec
from ..tokens import estimate
from .entity_lookup import of_domain
from .toolbox import Texts, Tool, ToolContext, schema, string, texts

BUDGET = 720
"""Tokens of a result, by the estimate."""

MOST_LISTS = 12
MOST_DONE = 10

Item = Mapping[str, Any]


async def get_todo_items(context: ToolContext, *, name: Texts = None) -> str:
    """What is open on the lists, and what was done."""
    lists = of_domain(context, "todo", texts(name))[:MOST_LISTS]
    found = [(each, await _items(context, each)) for each in lists]
    left = BUDGET
    lines: list[str] = []
    for each, items in found:
        if context.home.is_exposed(each.entity_id):
            part = list(_told(each, items, left // 2 if len(found) > 1 else left, context.now))
            left -= estimate("\n".join(part))
            lines += part
    return "\n".join(lines)


GET_TODO_ITEMS = Tool(
    ToolSpec("get_todo_items", "Items of to-do and shopping lists.", schema(name=string()), read_only=True),
    get_todo_items,
)


async def _items(context: ToolContext, todo: State) -> list[Item] | None:
    """None if the list could not be read. Raises `HomeUnavailable`."""
    try:
        result = await context.mirror.command("todo/item/list", entity_id=todo.entity_id)
    except CommandFailed:
        return None
    return [item for item in (result or {}).get("items") or () if isinstance(item, Mapping)]


def _told(todo: State, items: Sequence[Item] | None, budget: int, now: datetime) -> Iterator[str]:
    if items is None:
        yield f"{quoted(todo.name)}: cannot be read now"
        return
    open_items = [item for item in items if item.get("status") != "completed"]
    done = [clean(item.get("summary"), 60) for item in items if item.get("status") == "completed"]
    yield f"{quoted(todo.name)}: {len(open_items)} open, {len(done)} done"
    for told, item in enumerate(open_items):
        line = f"- {_words(item, now)}"
        budget -= estimate(line)
        if budget < 0 and told:
            yield f"- {len(open_items) - told} more"
            break
        yield line
    if done:
        more = f" and {len(done) - MOST_DONE} more" if len(done) > MOST_DONE else ""
        yield f"- done: {'; '.join(done[:MOST_DONE])}{more}"


def _words(item: Item, now: datetime) -> str:
    """Its summary, when it is due, and a note."""
    due, note = item.get("due"), item.get("description")
    more = [
        f"due {iso_words(str(due), now) or clean(due, 40)}" if due else "",
        f"note: {clean(note, 100)}" if note else "",
    ]
    return ", ".join(filter(None, (clean(item.get("summary") or "(without a title)", 120), *more)))
