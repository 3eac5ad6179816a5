"""What the model may do: one family a module; run one after the other in the order asked."""

from .calendars import GET_CALENDAR_EVENTS
from .entities import GET_ENTITIES
from .history import GET_HISTORY
from .people import GET_PEOPLE
from .todo import GET_TODO_ITEMS
from .toolbox import Run, Tool, Toolbox, ToolContext, ToolError, schema
from .weather import GET_FORECAST

__all__ = ["Run", "Tool", "ToolContext", "ToolError", "Toolbox", "builtin_tools", "schema"]


def builtin_tools() -> tuple[Tool, ...]:
    """Every tool there is, those asked for most first."""
    return (GET_ENTITIES, GET_HISTORY, GET_FORECAST, GET_CALENDAR_EVENTS, GET_TODO_ITEMS, GET_PEOPLE)
