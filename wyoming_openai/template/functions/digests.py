"""Base64 and hashes."""

import base64
import hashlib
from typing import Any

from .table import TemplateFunction


def base64_encode(value: str | bytes) -> str:
    return base64.b64encode(value.encode() if isinstance(value, str) else value).decode()


def base64_decode(value: Any, encoding: str | None = "utf-8") -> str | bytes:
    """Bytes if no encoding is wanted."""
    decoded = base64.b64decode(value)
    return decoded if encoding is None else decoded.decode(encoding)


def md5(value: str) -> str:
    return hashlib.md5(value.encode(), usedforsecurity=False).hexdigest()


def sha1(value: str) -> str:
    return hashlib.sha1(value.encode(), usedforsecurity=False).hexdigest()


def sha256(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()


def sha512(value: str) -> str:
    return hashlib.sha512(value.encode()).hexdigest()


FUNCTIONS = (
    TemplateFunction("base64_encode", base64_encode, "F"),
    TemplateFunction("base64_decode", base64_decode, "F"),
    TemplateFunction("md5", md5, "GF"),
    TemplateFunction("sha1", sha1, "GF"),
    TemplateFunction("sha256", sha256, "GF"),
    TemplateFunction("sha512", sha512, "GF"),
)
