"""Chooses and words what the model is told about the home."""

from .home_context import HomeContext, area_of_utterance, build_context

__all__ = [
    "HomeContext",
    "area_of_utterance",
    "build_context",
]
