"""The value that Home Assistant makes of a rendered text."""

import re
from ast import literal_eval
from typing import Any

import orjson

# 5, -5, .5, 5. but not 007 or 1e5
_NUMBER = re.compile(r"[+-]?(?!0\d)\d*(?:\.\d*)?\Z", re.ASCII)


def parsed(text: str) -> Any:
    """A number, a boolean, None, a list, …; what is none of them stays text."""
    if _NUMBER.match(text):
        try:
            return float(text) if "." in text else int(text)
        except ValueError:
            return text
    try:
        value = literal_eval(text)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return text
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return text if number or isinstance(value, str | complex) else value


def jsonable(value: Any, text: str) -> Any:
    """The value as the websocket sends it; the text where JSON has nothing like it."""
    try:
        return orjson.loads(orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS, default=_as_list))
    except (TypeError, orjson.JSONDecodeError):
        return text


def _as_list(value: Any) -> list[Any]:
    if isinstance(value, set | frozenset):
        return list(value)
    raise TypeError(f"no JSON for {type(value).__name__}")
