"""Talks to language models: one interface over OpenAI's two APIs and the servers that speak them."""

from .types import (
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
    Restarted,
    TextDelta,
    TooSlow,
    UnknownModel,
)

__all__ = [
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
    "Restarted",
    "TextDelta",
    "TooSlow",
    "UnknownModel",
]
