"""Regular expressions."""

import re
from functools import lru_cache
from typing import Any

from ..rendering import current
from ..sizes import TEXT
from .table import TemplateFunction


def regex_match(value: Any, find: str = "", ignorecase: Any = False) -> bool:
    """At the start of the text."""
    return _compiled(find, bool(ignorecase)).match(_text(value)) is not None


def regex_search(value: Any, find: str = "", ignorecase: Any = False) -> bool:
    return _compiled(find, bool(ignorecase)).search(_text(value)) is not None


def regex_replace(value: Any = "", find: str = "", replace: str = "", ignorecase: Any = False) -> str:
    pattern, text = _compiled(find, bool(ignorecase)), _text(value)
    if len(replace) * (len(text) + 1) > TEXT:  # else it can't be too big
        found = sum(1 for _ in pattern.finditer(text))
        current().sizes.text(len(text) * (1 + replace.count("\\")) + found * len(replace))
    return pattern.sub(replace, text)


def regex_findall(value: Any, find: str = "", ignorecase: Any = False) -> list[Any]:
    return _compiled(find, bool(ignorecase)).findall(_text(value))


def regex_findall_index(value: Any, find: str = "", index: int = 0, ignorecase: Any = False) -> Any:
    return regex_findall(value, find, ignorecase)[index]


@lru_cache(maxsize=128)
def _compiled(find: str, ignorecase: bool) -> re.Pattern[str]:
    return re.compile(find, re.IGNORECASE if ignorecase else 0)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else str(value)


FUNCTIONS = (
    TemplateFunction("regex_match", regex_match, "F"),
    TemplateFunction("regex_search", regex_search, "F"),
    TemplateFunction("match", regex_match, "T"),
    TemplateFunction("search", regex_search, "T"),
    TemplateFunction("regex_replace", regex_replace, "F"),
    TemplateFunction("regex_findall", regex_findall, "F"),
    TemplateFunction("regex_findall_index", regex_findall_index, "F"),
)
