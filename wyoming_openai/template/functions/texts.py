"""Texts and versions."""

from operator import contains
from typing import Any
from urllib.parse import urlencode as url_encoded

from awesomeversion import AwesomeVersion
from slugify import slugify as slug

from ..rendering import current
from .table import TemplateFunction

_ENDINGS = ("th", "st", "nd", "rd", "th", "th", "th", "th", "th", "th")


def slugify(value: Any, separator: str = "_") -> str:
    """The part of an entity id that Home Assistant makes of a name."""
    text = str(value)
    if not text:
        return ""
    current().sizes.text(len(text) * len(str(separator)))
    return slug(text, separator=separator) or "unknown"


def ordinal(value: Any) -> str:
    text = str(value)
    ending = "th" if int(text[-2:]) % 100 in range(11, 14) else _ENDINGS[int(text[-1]) % 10]
    return text + ending


def urlencode(value: Any) -> str:
    """Of a dictionary; the filter of this name takes a text."""
    return url_encoded(value)


FUNCTIONS = (
    TemplateFunction("slugify", slugify, "GF"),
    TemplateFunction("ordinal", ordinal, "F"),
    TemplateFunction("urlencode", urlencode, "G"),
    TemplateFunction("ord", ord, "F"),
    TemplateFunction("contains", contains, "FT"),
    TemplateFunction("version", AwesomeVersion, "GF"),
)
