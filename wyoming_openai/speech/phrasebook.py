"""Our own spoken sentences, and the words that open, close and carry on a talk, in many languages.

All of them stand in `data/sentences.json`. To add a language, add an object there and run the tests.
"""

from pathlib import Path
from typing import TypedDict

import orjson


class _Language(TypedDict):
    sentences: dict[str, str]
    greetings: list[str]
    goodbyes: list[str]
    affirmations: list[str]


_DATA: dict[str, _Language] = orjson.loads((Path(__file__).parent.parent / "data" / "sentences.json").read_bytes())

LANGUAGES = tuple(_DATA)
"""Tags of the languages that we speak ourselves; every other one hears its nearest relative, or English."""

KEYS = frozenset(_DATA["en"]["sentences"])
"""The keys that `say` knows."""

_NEAREST = {tag.lower(): tag for tag in LANGUAGES} | {
    "bs": "hr",
    "gsw": "de",
    "in": "id",  # in, iw, mo: withdrawn codes that old systems still send
    "iw": "he",
    "mo": "ro",
    "nn": "nb",
    "no": "nb",
    "yue": "zh-TW",
    "zh": "zh-CN",
    "zh-hant": "zh-TW",
    "zh-hk": "zh-TW",
    "zh-mo": "zh-TW",
}


def say(key: str, language: str, **values: str) -> str:
    """The sentence in the language nearest to a BCP 47 tag; values fill `{name}` and are themselves no template."""
    return _spoken(language)["sentences"][key].format(**values)


def greetings(language: str) -> tuple[str, ...]:
    """What people say first: lower case, without punctuation."""
    return tuple(_spoken(language)["greetings"])


def goodbyes(language: str) -> tuple[str, ...]:
    """What people say last: lower case, without punctuation. Some languages greet with the same word."""
    return tuple(_spoken(language)["goodbyes"])


def affirmations(language: str) -> tuple[str, ...]:
    """What people say when they want to hear more: lower case, without punctuation."""
    return tuple(_spoken(language)["affirmations"])


def _spoken(language: str) -> _Language:
    return _DATA[nearest(language)]


def nearest(language: str) -> str:
    """The one of `LANGUAGES` that we speak for a tag: the exact one, else its longest known beginning, else English."""
    subtags = language[:35].replace("_", "-").lower().split("-")  # RFC 5646: no tag in use is longer than 35
    for end in range(len(subtags), 0, -1):
        if (tag := _NEAREST.get("-".join(subtags[:end]))) is not None:
            return tag
    return "en"
