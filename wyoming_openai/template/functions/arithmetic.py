"""Mathematics and statistics."""

import math
import statistics
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from jinja2 import pass_environment
from jinja2.environment import Environment
from jinja2.filters import do_max, do_min

from .. import limits
from ..rendering import MISSING, current, no_default
from .table import TemplateFunction

_BAD = (ValueError, TypeError, OverflowError)


def _of_float(name: str, calculate: Callable[[float], float]) -> Callable[..., Any]:
    """A function of one number."""

    def function(value: Any, default: Any = MISSING) -> Any:
        try:
            return calculate(float(value))
        except _BAD:
            return no_default(name, value) if default is MISSING else default

    return function


def log(value: Any, base: Any = math.e, default: Any = MISSING) -> Any:
    try:
        base_number = float(base)
    except _BAD:
        return no_default("log", base) if default is MISSING else default
    try:
        return math.log(float(value), base_number)
    except (*_BAD, ZeroDivisionError):
        return no_default("log", value) if default is MISSING else default


def atan2(*args: Any, default: Any = MISSING) -> Any:
    """Of two arguments, or of one list of two; the default may stand behind them."""
    try:
        if 1 <= len(args) <= 2 and isinstance(args[0], list | tuple):
            if len(args) == 2 and default is MISSING:
                default = args[1]
            args = tuple(args[0])
        elif len(args) == 3 and default is MISSING:
            default = args[2]
        return math.atan2(float(args[0]), float(args[1]))
    except _BAD:
        return no_default("atan2", args) if default is MISSING else default


def _statistic(name: str, calculate: Callable[[Iterable[Any]], Any], *args: Any, default: Any = MISSING) -> Any:
    """Of one iterable, then perhaps a default, or of several arguments."""
    if not args:
        raise TypeError(f"{name} expected at least 1 argument, got 0")
    values: Iterable[Any] = args
    # a text has a mode only by itself: with a second argument it is one of the values
    listed = list | tuple if name == "statistical_mode" and len(args) > 1 else Iterable
    if isinstance(args[0], listed):
        values = args[0]
        if len(args) > 1 and default is MISSING:
            default = args[1]
    elif len(args) == 1:
        raise TypeError(f"'{type(args[0]).__name__}' object is not iterable")
    try:
        return calculate(values)
    except (TypeError, statistics.StatisticsError):
        return no_default(name, args) if default is MISSING else default


def _extreme(name: str, choose: Callable[..., Any]) -> Callable[..., Any]:
    """Jinja's filter as a function of one iterable or of several arguments."""

    @pass_environment
    def function(environment: Environment, *args: Any, **kwargs: Any) -> Any:
        if not args:
            raise TypeError(f"{name} expected at least 1 argument, got 0")
        if len(args) == 1 and not isinstance(args[0], Iterable):
            raise TypeError(f"'{type(args[0]).__name__}' object is not iterable")
        return choose(environment, args[0] if len(args) == 1 else args, **kwargs)

    return function


def bitwise_and(first_value: Any, second_value: Any) -> Any:
    return first_value & second_value


def bitwise_or(first_value: Any, second_value: Any) -> Any:
    return first_value | second_value


def bitwise_xor(first_value: Any, second_value: Any) -> Any:
    return first_value ^ second_value


def add(value: Any, amount: Any, default: Any = MISSING) -> Any:
    try:
        return float(value) + amount
    except _BAD:
        return no_default("add", value) if default is MISSING else default


def multiply(value: Any, amount: Any, default: Any = MISSING) -> Any:
    try:
        return float(value) * amount
    except _BAD:
        return no_default("multiply", value) if default is MISSING else default


def round_number(value: Any, precision: int = 0, method: str = "common", default: Any = MISSING) -> Any:
    """Half to even, or by `ceil`, `floor`, `half`; without a precision an integer."""
    try:
        if isinstance(precision, int):
            limits.check_power(current().sizes, 10, precision)
        multiplier = float(10**precision)
        if method == "ceil":
            value = math.ceil(float(value) * multiplier) / multiplier
        elif method == "floor":
            value = math.floor(float(value) * multiplier) / multiplier
        elif method == "half":
            value = round(float(value) * 2) / 2
        else:
            value = round(float(value), precision)
        return int(value) if precision == 0 else value
    except _BAD:
        return no_default("round", value) if default is MISSING else default


def clamp(value: Any, min_value: Any, max_value: Any) -> float:
    number, low, high = _numbers(value=value, min_value=min_value, max_value=max_value)
    return max(low, min(high, number))


def wrap(value: Any, min_value: Any, max_value: Any) -> float:
    """Around within the range, the maximum being the minimum again."""
    number, low, high = _numbers(value=value, min_value=min_value, max_value=max_value)
    if high == low:
        return low
    result = _wrapped(number, low, high)
    # what lies just below the minimum can be rounded up to the maximum
    return low if high > low and result >= high else result


def remap(
    value: Any, in_min: Any, in_max: Any, out_min: Any, out_max: Any, *, steps: int = 0, edges: str = "none"
) -> float:
    """From one range to another, perhaps in steps; `edges` says what happens to values outside: clamp, wrap, mirror."""
    number, in_low, in_high, out_low, out_high = _numbers(
        value=value, in_min=in_min, in_max=in_max, out_min=out_min, out_max=out_max
    )
    if edges in ("wrap", "mirror") and in_low == in_high:
        raise ValueError(f"{in_min=} must not equal {in_max=}")
    number = _at_edges(number, in_low, in_high, edges)
    steps = max(steps, 0)
    if not steps and (in_low, in_high) == (out_low, out_high):
        return number
    share = (number - in_low) / (in_high - in_low)
    if steps:
        share = round(share * steps) / steps
    result = out_low + share * (out_high - out_low)
    if edges == "clamp":  # rounding can overshoot
        low, high = sorted((out_low, out_high))
        return max(low, min(high, result))
    return result


def _at_edges(number: float, low: float, high: float, edges: str) -> float:
    if edges == "clamp":
        return max(low, min(high, number))
    if edges == "wrap":
        return _wrapped(number, low, high)
    if edges != "mirror":
        return number
    size = high - low
    period = math.floor((number - low) / size)
    within = number - low - period * size
    return low + (size - within if period % 2 else within)


def _wrapped(number: float, low: float, high: float) -> float:
    return ((number - low) % (high - low)) + low


def _numbers(**values: Any) -> list[float]:
    try:
        return [float(value) for value in values.values()]
    except (ValueError, TypeError) as error:
        got = ", ".join(f"{name}={value!r}" for name, value in values.items())
        raise ValueError(f"function requires numeric arguments, got {got}") from error


_FLOAT_FUNCTIONS: dict[str, Callable[[float], float]] = {
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "asin": math.asin,
    "acos": math.acos,
    "atan": math.atan,
    "sqrt": math.sqrt,
}

FUNCTIONS = (
    TemplateFunction("e", math.e, "G"),
    TemplateFunction("pi", math.pi, "G"),
    TemplateFunction("tau", math.pi * 2, "G"),
    *(TemplateFunction(name, _of_float(name, calculate), "GF") for name, calculate in _FLOAT_FUNCTIONS.items()),
    TemplateFunction("log", log, "GF"),
    TemplateFunction("atan2", atan2, "GF"),
    TemplateFunction("average", partial(_statistic, "average", statistics.fmean), "GF"),
    TemplateFunction("median", partial(_statistic, "median", statistics.median), "GF"),
    TemplateFunction("statistical_mode", partial(_statistic, "statistical_mode", statistics.mode), "GF"),
    TemplateFunction("min", _extreme("min", do_min), "G"),
    TemplateFunction("max", _extreme("max", do_max), "G"),
    TemplateFunction("bitwise_and", bitwise_and, "GF"),
    TemplateFunction("bitwise_or", bitwise_or, "GF"),
    TemplateFunction("bitwise_xor", bitwise_xor, "GF"),
    TemplateFunction("add", add, "F"),
    TemplateFunction("multiply", multiply, "F"),
    TemplateFunction("round", round_number, "F"),
    TemplateFunction("clamp", clamp, "GF"),
    TemplateFunction("wrap", wrap, "GF"),
    TemplateFunction("remap", remap, "GF"),
)
