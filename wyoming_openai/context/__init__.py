"""Chooses and words what the model is told about the home."""

from .home_context import HomeContext, build_context, where

__all__ = [
    "HomeContext",
    "build_context",
    "where",
]
