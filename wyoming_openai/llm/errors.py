"""What a server's refusal means: which `ModelError`, in words that may be logged."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from .types import BadCredentials, ModelBusy, ModelError, ModelUnreachable, QuotaExceeded, RequestRefused, UnknownModel

MAX_DETAIL = 300

_QUOTA = {"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"}
_BAD_PROMPT = {"context_length_exceeded", "invalid_prompt", "content_filter"}
_UNKNOWN_MODEL = re.compile(
    r"model\b.{0,120}\b(not found|does not exist|doesn't exist|not exist|not a valid|unknown)"
    r"|(unknown|invalid|no such) model|not a valid model|not found.{0,20}try pulling",
    re.IGNORECASE | re.DOTALL,
)
# OpenAI's texts carry the ends of a rejected key: "Incorrect API key provided: sk-proj-****abcd."
_SECRETS = re.compile(r"(?i)bearer\s+\S+|(?<=key provided: )\S+|\bsk-[\w*.-]+|\S*\*{3,}\S*")
_PIECES = re.compile(r"[\w-]{8,}")
"""What is long enough to be told from other words, and to be of use to a thief."""
_NOT_PRINTED = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error that the server put into words, by its status or in the middle of a stream (status 0)."""

    status: int
    message: str = ""
    code: str = ""
    type: str = ""
    param: str = ""
    retry_after: float | None = None
    """Seconds that the server asks to wait."""

    @property
    def log_text(self) -> str:
        """Without the message, which may quote the request."""
        kinds = dict.fromkeys(filter(None, (str(self.status or ""), self.type, self.code, self.param)))
        return " ".join(kinds) or "the server said no"

    def __str__(self) -> str:
        return f"{self.log_text}: {self.message}" if self.message else self.log_text


class RefusedByServer(Exception):
    """The server said no."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal


def refusal(status: int, body: object, headers: Mapping[str, str] | None = None) -> Refusal:
    """Read an error body of OpenAI's form, or of one of its relatives'."""
    wait = retry_after(headers or {})
    error = body.get("error", body) if isinstance(body, Mapping) else body
    if not isinstance(error, Mapping):
        return Refusal(status, _words(error), retry_after=wait)
    detail = error.get("message") or error.get("detail") or ""
    param = error.get("param") or _location(detail)
    code = error.get("code")
    if isinstance(code, int) and not status:
        status = code  # llama.cpp, OpenRouter: an HTTP status inside the stream
    return Refusal(
        status,
        _words(detail),
        code if isinstance(code, str) else "",
        error["type"] if isinstance(error.get("type"), str) else "",
        param if isinstance(param, str) else "",
        wait,
    )


def model_error(refused: Refusal, key: str | None = None) -> ModelError:
    """The kind of failure, with a text from which the key is removed."""
    kind = _kind(refused)
    elsewhere = kind is ModelUnreachable and (300 <= refused.status < 400 or refused.status in (404, 405))
    advice = "; is the base URL right?" if elsewhere else ""
    error = kind(redact(str(refused), key) + advice)
    error.log_text = redact(refused.log_text, key) + advice
    if kind is ModelBusy:
        error.retry_after = refused.retry_after
    elif kind is ModelUnreachable and (refused.status in (0, 408, 409) or refused.status >= 500):
        error.retry_after = refused.retry_after or 0.0
    return error


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds that a server asks to wait, in one of the three ways to say it; keys in lower case."""
    try:
        if milliseconds := headers.get("retry-after-ms"):
            seconds = float(milliseconds) / 1000
        else:
            seconds = _seconds(headers["retry-after"], now or datetime.now(UTC))
    except (KeyError, ValueError, TypeError):
        return None
    return max(seconds, 0.0) if math.isfinite(seconds) else None


def _seconds(value: str, now: datetime) -> float:
    """A number of seconds, or a date. Raises `ValueError`, and `TypeError` for a date without a zone."""
    try:
        return float(value)
    except ValueError:
        return (parsedate_to_datetime(value) - now).total_seconds()


def redact(text: str, key: str | None = None) -> str:
    """One short line without keys or parts of them."""
    if key:
        text = text.replace(key, "[key]")
        text = _PIECES.sub(lambda piece: "[key]" if piece[0] in key else piece[0], text)
    return _NOT_PRINTED.sub(" ", _SECRETS.sub("[key]", text)).strip()[:MAX_DETAIL]


def _kind(refused: Refusal) -> type[ModelError]:
    names = {refused.code, refused.type}
    if refused.status == 402 or names & _QUOTA:
        return QuotaExceeded
    if refused.status in (401, 403) or "invalid_api_key" in names:
        return BadCredentials
    if refused.status == 429 or any(name.startswith("rate_limit") for name in names):
        return ModelBusy
    if names_no_model(refused):
        return UnknownModel
    if refused.status in (400, 413, 422) or "invalid_request_error" in names or refused.code in _BAD_PROMPT:
        return RequestRefused
    return ModelUnreachable


def names_no_model(refused: Refusal) -> bool:
    """Whether the server says that it has no such model, in one of the many ways it is said."""
    if refused.code in ("model_not_found", "DeploymentNotFound", "model_not_available"):
        return True
    return refused.status in (0, 400, 404, 422) and bool(_UNKNOWN_MODEL.search(refused.message))


def _words(detail: object) -> str:
    """Pydantic's servers answer with lists of mistakes in place of a sentence, proxies with pages."""
    if isinstance(detail, str):
        return "an HTML page" if detail.lstrip().startswith("<") else detail
    return json.dumps(detail, default=str) if detail else ""


def _location(detail: object) -> Any:
    """The field that a validation error names: `{"loc": ["body", "store"], "msg": …}`."""
    match detail:
        case [{"loc": [*_, str(name)]}, *_] | {"detail": [{"loc": [*_, str(name)]}, *_]}:
            return name
    return ""
