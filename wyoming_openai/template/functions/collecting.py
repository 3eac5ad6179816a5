"""Lists, sets and dictionaries."""

import random
from collections.abc import Callable, Iterable
from operator import and_, or_, sub, xor
from typing import Any

from jinja2 import pass_context

from .table import TemplateFunction


def flatten(value: Any, levels: int | None = None) -> list[Any]:
    _check_list("flatten", value)
    flat: list[Any] = []
    for item in value:
        if isinstance(item, str) or not isinstance(item, Iterable) or (levels is not None and levels < 1):
            flat.append(item)
        else:
            flat.extend(flatten(item, None if levels is None else levels - 1))
    return flat


def shuffle(*args: Any, seed: Any = None) -> list[Any]:
    """A list, then perhaps a seed, or several values."""
    if not args:
        raise TypeError("shuffle expected at least 1 argument, got 0")
    if isinstance(args[0], Iterable) and not isinstance(args[0], str):
        items = list(args[0])
        seed = args[1] if len(args) > 1 and seed is None else seed
    elif len(args) == 1:
        raise TypeError(f"'{type(args[0]).__name__}' object is not iterable")
    else:
        items = list(args)
    (random.Random(seed) if seed is not None else random).shuffle(items)  # noqa: S311 - a template's dice
    return items


def _of_sets(name: str, operate: Callable[[set[Any], set[Any]], set[Any]]) -> Callable[[Any, Any], list[Any]]:
    def function(value: Any, other: Any) -> list[Any]:
        _check_list(name, value)
        _check_list(name, other)
        return list(operate(set(value), set(other)))

    return function


def _check_list(name: str, value: Any) -> None:
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise TypeError(f"{name} expected a list, got {type(value).__name__}")


def combine(*args: Any, recursive: Any = False) -> dict[Any, Any]:
    """Later dictionaries win."""
    if not args:
        raise TypeError("combine expected at least 1 argument, got 0")
    result: dict[Any, Any] = {}
    for arg in args:
        if not isinstance(arg, dict):
            raise TypeError(f"combine expected a dict, got {type(arg).__name__}")
        for key, value in arg.items():
            both = recursive and isinstance(result.get(key), dict) and isinstance(value, dict)
            result[key] = combine(result[key], value, recursive=True) if both else value
    return result


@pass_context
def choose(_context: Any, values: Any) -> Any:
    return random.choice(values)  # noqa: S311 - a template's dice


def as_set(value: Any) -> set[Any]:
    return set(value)


def as_tuple(value: Any) -> tuple[Any, ...]:
    return tuple(value)


def is_list(value: Any) -> bool:
    return isinstance(value, list)


def is_set(value: Any) -> bool:
    return isinstance(value, set)


def is_tuple(value: Any) -> bool:
    return isinstance(value, tuple)


FUNCTIONS = (
    TemplateFunction("flatten", flatten, "GF"),
    TemplateFunction("shuffle", shuffle, "GF"),
    TemplateFunction("intersect", _of_sets("intersect", and_), "GF"),
    TemplateFunction("difference", _of_sets("difference", sub), "GF"),
    TemplateFunction("union", _of_sets("union", or_), "GF"),
    TemplateFunction("symmetric_difference", _of_sets("symmetric_difference", xor), "GF"),
    TemplateFunction("combine", combine, "GF"),
    TemplateFunction("random", choose, "F"),
    TemplateFunction("zip", zip, "G"),
    TemplateFunction("set", as_set, "G"),
    TemplateFunction("set", is_set, "T"),
    TemplateFunction("tuple", as_tuple, "G"),
    TemplateFunction("tuple", is_tuple, "T"),
    TemplateFunction("list", is_list, "T"),
)
