"""A row of the tables that say what a family of functions is called in templates."""

from collections.abc import Callable
from typing import Any, NamedTuple


class TemplateFunction(NamedTuple):
    name: str
    function: Callable[..., Any] | Any
    forms: str
    """Letters: G global, F filter, T test."""
