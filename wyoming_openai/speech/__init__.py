"""Makes a model's text speakable, and holds our own spoken sentences."""

from .speech import Speech, cut_to, seconds, sentences, speakable

__all__ = [
    "Speech",
    "cut_to",
    "seconds",
    "sentences",
    "speakable",
]
