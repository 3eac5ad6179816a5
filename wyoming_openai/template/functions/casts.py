"""Conversions that forgive, given a default."""

import math
from numbers import Number
from typing import Any

from jinja2.filters import do_int

from ..rendering import MISSING, no_default
from .table import TemplateFunction

_TRUE = frozenset({"1", "true", "yes", "on", "enable"})
_FALSE = frozenset({"0", "false", "no", "off", "disable"})


def as_float(value: Any, default: Any = MISSING) -> Any:
    try:
        return float(value)
    except (ValueError, TypeError, OverflowError):
        return no_default("float", value) if default is MISSING else default


def as_int(value: Any, default: Any = MISSING, base: int = 10) -> Any:
    try:
        result: Any = do_int(value, default=default, base=base)
    except OverflowError:  # infinite
        result = default
    return no_default("int", value) if result is MISSING else result


def as_bool(value: Any, default: Any = MISSING) -> Any:
    """Yes, on, true, enable, 1 and numbers that are not zero; the opposites; nothing else."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        word = value.lower().strip()
        if word in _TRUE or word in _FALSE:
            return word in _TRUE
    elif isinstance(value, Number):
        return bool(value)
    return no_default("bool", value) if default is MISSING else default


def is_number(value: Any) -> bool:
    """Whether it converts to a finite number; True does."""
    try:
        return math.isfinite(float(value))
    except (ValueError, TypeError, OverflowError):
        return False


def is_string_like(value: Any) -> bool:
    return isinstance(value, str | bytes | bytearray)


FUNCTIONS = (
    TemplateFunction("float", as_float, "GF"),
    TemplateFunction("int", as_int, "GF"),
    TemplateFunction("bool", as_bool, "GF"),
    TemplateFunction("is_number", is_number, "GFT"),
    TemplateFunction("string_like", is_string_like, "T"),
)
