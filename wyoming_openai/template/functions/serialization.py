"""JSON, and numbers packed in bytes."""

import json
import logging
import struct
from collections.abc import Mapping
from typing import Any, NoReturn

import orjson

from ..errors import NeedsHomeAssistant
from ..rendering import MISSING, current, no_default
from .table import TemplateFunction

_LOGGER = logging.getLogger(__name__)

_OPTIONS = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_NON_STR_KEYS


def to_json(value: Any, ensure_ascii: Any = False, pretty_print: Any = False, sort_keys: Any = False) -> str:
    """Moments, sets and states can't be written."""
    if ensure_ascii:
        return _to_ascii_json(value, 2 if pretty_print else None, bool(sort_keys))
    options = _OPTIONS | (orjson.OPT_INDENT_2 if pretty_print else 0) | (orjson.OPT_SORT_KEYS if sort_keys else 0)
    try:
        return orjson.dumps(value, option=options, default=_refuse).decode()
    except TypeError as error:
        if isinstance(error.__cause__, NeedsHomeAssistant):
            raise error.__cause__ from None
        raise


def _to_ascii_json(value: Any, indent: int | None, sort_keys: bool) -> str:
    if sort_keys:  # keys of several kinds can only be sorted as texts
        value = json.loads(json.dumps(value))
    try:
        return json.dumps(value, indent=indent, sort_keys=sort_keys, allow_nan=False)
    except ValueError:  # what is no number is null, as orjson has it
        value = json.loads(json.dumps(value), parse_constant=lambda _: None)
    return json.dumps(value, indent=indent, sort_keys=sort_keys)


def _refuse(value: Any) -> NoReturn:
    if isinstance(value, Mapping):
        len(value)  # an issue raises: only Home Assistant knows all of it
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def from_json(value: Any, default: Any = MISSING) -> Any:
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return no_default("from_json", value) if default is MISSING else default


def from_hex(value: str) -> bytes:
    return bytes.fromhex(value)


def pack(value: Any, format_string: str) -> bytes | None:
    """One value; None if it does not fit."""
    try:
        current().sizes.text(struct.calcsize(format_string))
        return struct.pack(format_string, value)
    except struct.error as error:
        _LOGGER.debug("'pack' can't pack %r as %r: %s", value, format_string, error)
        return None


def unpack(value: bytes, format_string: str, offset: int = 0) -> Any:
    """The first value; None if there is none."""
    try:
        return struct.unpack_from(format_string, value, offset)[0]
    except struct.error as error:
        _LOGGER.debug("'unpack' can't unpack %r as %r: %s", value, format_string, error)
        return None


FUNCTIONS = (
    TemplateFunction("to_json", to_json, "F"),
    TemplateFunction("from_json", from_json, "F"),
    TemplateFunction("from_hex", from_hex, "F"),
    TemplateFunction("pack", pack, "GF"),
    TemplateFunction("unpack", unpack, "GF"),
)
