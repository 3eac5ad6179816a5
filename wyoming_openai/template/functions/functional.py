"""Functions of functions, and questions about values."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from jinja2 import Undefined

from .. import limits
from ..errors import NeedsHomeAssistant
from ..rendering import MISSING, current
from ..restoring import Enumerated, EnumeratedNumber
from .table import TemplateFunction


def apply(value: Any, fn: Any, *args: Any, **kwargs: Any) -> Any:
    return fn(*limits.check_call(current().sizes, fn, (value, *args), kwargs), **kwargs)


def as_function(macro: Any) -> Callable[..., Any]:
    """Make a function that returns a value of a macro that is given a `returns` to call."""

    def function(*args: Any, **kwargs: Any) -> Any:
        returned: list[Any] = [None]

        def returns(value: Any) -> Any:
            returned.append(value)
            return value

        macro(*args, **kwargs, returns=returns)
        return returned[-1]

    function.__name__ = function.__qualname__ = macro.name.removeprefix("macro_")
    return function


def iif(value: Any, if_true: Any = True, if_false: Any = False, if_none: Any = MISSING) -> Any:
    if value is None and if_none is not MISSING:
        return if_none
    return if_true if value else if_false


def merge_response(value: Any) -> list[Any]:
    """One list of what an action answered for several entities, each item with its `entity_id`."""
    merged: list[Any] = []
    for entity_id, response in _dictionary(deepcopy(value)).items():
        match list(_dictionary(response).items()):
            case [(key, list() as items)]:
                merged += [_marked(item, entity_id, value_key=key) for item in items]
            case _:
                merged.append(_marked(response, entity_id))
    return merged


def _dictionary(value: Any) -> dict[Any, Any]:
    if not isinstance(value, dict):
        raise TypeError("Response is not a dictionary")
    return value


def _marked(item: Any, entity_id: Any, **more: Any) -> Any:
    if not isinstance(item, dict):
        return item
    if "entity_id" in item:
        raise ValueError("Response dictionary already contains key 'entity_id'")
    return {**item, "entity_id": entity_id, **more}


def typeof(value: Any) -> str:
    """The name of the value's class in Home Assistant."""
    if isinstance(value, Enumerated | EnumeratedNumber):
        raise NeedsHomeAssistant("the class of an enumeration is not told over the websocket")
    return str(value.__class__.__name__)


def is_defined(value: Any) -> Any:
    """The value; what is undefined raises."""
    if isinstance(value, Undefined):
        value()
    return value


FUNCTIONS = (
    TemplateFunction("apply", apply, "GFT"),
    TemplateFunction("as_function", as_function, "GF"),
    TemplateFunction("iif", iif, "GF"),
    TemplateFunction("merge_response", merge_response, "G"),
    TemplateFunction("typeof", typeof, "GF"),
    TemplateFunction("is_defined", is_defined, "F"),
)
