"""Talks to language models: one interface over OpenAI's two APIs and the servers that speak them."""

from .types import (
    Anew,
    BadCredentials,
    ChatModel,
    ModelBusy,
    ModelError,
    ModelEvent,
    ModelReply,
    ModelRequest,
    ModelUnreachable,
    NoAnswer,
    Overloaded,
    QuotaExceeded,
    RequestRefused,
    TextDelta,
    TooSlow,
    UnknownModel,
)

__all__ = [
    "Anew",
    "BadCredentials",
    "ChatModel",
    "ModelBusy",
    "ModelError",
    "ModelEvent",
    "ModelReply",
    "ModelRequest",
    "ModelUnreachable",
    "NoAnswer",
    "Overloaded",
    "QuotaExceeded",
    "RequestRefused",
    "TextDelta",
    "TooSlow",
    "UnknownModel",
]
