"""Jinja's own filters that can make much out of little, with a look at the size first; and `sum`."""

import math
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

from jinja2 import pass_environment
from jinja2.environment import Environment
from jinja2.filters import FILTERS, make_attrgetter
from jinja2.nodes import EvalContext
from jinja2.utils import generate_lorem_ipsum

from .. import limits
from ..rendering import current
from .table import TemplateFunction


def _bounded(name: str) -> Callable[..., Any]:
    """The filter, refusing widths and counts that are too big."""
    original = FILTERS[name]
    first = 1 if hasattr(original, "jinja_pass_arg") else 0  # behind what Jinja passes

    @wraps(original)
    def bounded(*args: Any, **kwargs: Any) -> Any:
        limits.check_width(current().sizes, *args[first:], *kwargs.values())
        return original(*args, **kwargs)

    return bounded


@wraps(FILTERS["replace"])
def replace(eval_ctx: EvalContext, s: Any, old: Any, new: Any, count: int | None = None) -> Any:
    limits.check_replace(current().sizes, str(s), str(old), str(new))
    return FILTERS["replace"](eval_ctx, s, old, new, count)


@wraps(FILTERS["join"])
def join(eval_ctx: EvalContext, value: Any, d: Any = "", attribute: Any = None) -> Any:
    if attribute is not None:
        value = map(make_attrgetter(eval_ctx.environment, attribute), value)
    value = limits.listed(value)
    limits.check_join(current().sizes, str(d), value)
    return FILTERS["join"](eval_ctx, value, d)


@wraps(FILTERS["format"])
def percent_format(value: Any, *args: Any, **kwargs: Any) -> Any:
    limits.check_percent(current().sizes, str(value), (*args, *kwargs.values()))
    return FILTERS["format"](value, *args, **kwargs)


@wraps(FILTERS["indent"])
def indent(s: Any, width: Any = 4, first: Any = False, blank: Any = False) -> Any:
    by = len(width) if isinstance(width, str) else width
    current().sizes.text(len(str(s)) + (str(s).count("\n") + 2) * by)
    return FILTERS["indent"](s, width, first, blank)


@wraps(FILTERS["wordwrap"])
def wordwrap(environment: Environment, s: str, *args: Any, **kwargs: Any) -> str:
    wrap = kwargs.get("wrapstring", args[2] if len(args) > 2 else None)
    current().sizes.text(len(s) * len(wrap or " "))
    return str(FILTERS["wordwrap"](environment, s, *args, **kwargs))


@pass_environment
def add_up(
    environment: Environment, iterable: Iterable[Any], attribute: str | int | None = None, start: Any = 0
) -> Any:
    """As `sum` does since Python 3.12, which Home Assistant runs on: floats are added without loss."""
    if isinstance(start, str | bytes):
        raise TypeError(f"sum() can't sum {'strings' if isinstance(start, str) else 'bytes'}")
    values = iter(iterable if attribute is None else map(make_attrgetter(environment, attribute), iterable))
    sizes, total, lost = current().sizes, start, 0.0
    for value in values:
        if type(total) is float and isinstance(value, float | int):
            added = total + value
            large, small = (total, value) if abs(total) >= abs(value) else (value, total)
            lost += large - added + small
            total = added
            continue
        total, lost = _with(total, lost), 0.0
        size = limits.check_operation(sizes, "+", total, value)
        total = total + value
        sizes.keep(total, size)
    return _with(total, lost)


def _sorting(name: str) -> Callable[..., Any]:
    """The filter, taking anything for `reverse`, as Python does since 3.12."""
    original = FILTERS[name]
    position = _REVERSE[name]

    @wraps(original)
    def sorting(*args: Any, **kwargs: Any) -> Any:
        if "reverse" in kwargs:
            kwargs["reverse"] = bool(kwargs["reverse"])
        if len(args) > position:
            args = (*args[:position], bool(args[position]), *args[position + 1 :])
        return original(*args, **kwargs)

    return sorting


def _with(total: Any, lost: float) -> Any:
    return total + lost if lost and math.isfinite(lost) else total


_REVERSE = {"sort": 2, "dictsort": 3}
"""Which argument of the filter says so."""


def lipsum(n: int = 5, html: Any = True, min: int = 20, max: int = 100) -> str:  # noqa: A002 - Jinja's names
    current().sizes.text(n * max * 8)
    return generate_lorem_ipsum(n, bool(html), min, max)


FUNCTIONS = (
    *(TemplateFunction(name, _bounded(name), "F") for name in ("batch", "center", "slice", "tojson")),
    TemplateFunction("format", percent_format, "F"),
    TemplateFunction("indent", indent, "F"),
    TemplateFunction("join", join, "F"),
    TemplateFunction("replace", replace, "F"),
    TemplateFunction("sum", add_up, "F"),
    TemplateFunction("lipsum", lipsum, "G"),
    TemplateFunction("wordwrap", wordwrap, "F"),
    *(TemplateFunction(name, _sorting(name), "F") for name in _REVERSE),
)
