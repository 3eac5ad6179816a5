"""Signs that a voice misreads, as words of the language. Digits, units, dates and times stay as they are."""

import re

from .characters import PAUSE
from .words import Words

_AMOUNT = (
    r"((?:[-+−]\s?)?[€$£¥₹]?\s?\d(?:[\d.,:]{0,30}\d)?(?:\s?(?:%|‰|°\s?[CFK]?|[€$£¥₹]|[A-Za-zµ]{1,4}(?:/[A-Za-z]{1,2})?[²³]?(?!\w)"
    r"|[度分秒円人個台点时時日]|時間|パーセント|小时|分钟|도|분|원|डिग्री|प्रतिशत|मिनट))?)"
)
_RANGE = re.compile(r"(?<=\d)\s?~\s?(?=\d)|(?<=[%°CF度時分日])\s?~\s?(?=\d)")
_ABOUT = re.compile(rf"(?<![A-Za-z0-9~])[~≈≃≅]\s?{_AMOUNT}|(?<=\w)\s[≈≃≅]\s?{_AMOUNT}")
_APPROXIMATELY = (
    "about",
    "around",
    "approx.",
    "approximately",
    "roughly",
    "ca.",
    "circa",
    "ungefähr",
    "rund",
    "大约",
    "およそ",
)
_PLUS_MINUS = re.compile(rf"(?:±|\+/-|\+/−)\s?{_AMOUNT}")
_AT_MOST = re.compile(rf"(?:<=|≤|≦|⩽|=<)\s?{_AMOUNT}")
_AT_LEAST = re.compile(rf"(?:>=|≥|≧|⩾)\s?{_AMOUNT}")
_LESS = re.compile(rf"(?<!<)<\s?{_AMOUNT}")
_MORE = re.compile(rf"(?<![>\-=])>\s?{_AMOUNT}")
_SMALLER = re.compile(r"(?<=\b[^\W\d_])\s?<\s?([^\W\d_]\b)|(?<=[\w)%])\s<\s([^\W_]\w{0,40})")
_LARGER = re.compile(r"(?<=\b[^\W\d_])\s>\s([^\W\d_]\b)|(?<=[\w)%])\s>\s([a-zß-öø-ÿа-я]\w{0,40})")
_ARROW = re.compile(r"\s?(?:<?[-=–—]{1,3}>|<-{1,2}(?=\s|$)|[←-⇿⟵-⟿])+\s?")
_TIMES = re.compile(
    r"(?<=[\d)])\*(?=[\d(])|(?<=[\w)%°]) \* (?=[\d(])|(?<=\d) \* (?=\w)|(?<=\d)\*(?=[a-z]\b)"
    r"|(?<=\b[^\W\d_])(?:\*| \* )(?=[^\W\d_]\b)"
)
_POWER = re.compile(
    r"(?<=[\d)])(?:\*\*| \*\* )(\d{1,5})|(?:(?<=\d)|(?<=\b[^\W\d_])|(?<=\)))\^[({]?(-?\d{1,5}|[a-z]\b)[)}]?"
)
_RAISED_UNIT = re.compile(r"(?<![^\W\d_])([^\W\d_]{1,2})\^\{?([23])\}?(?!\w)")
_SHARP = re.compile(r"(?<![A-Za-z0-9])([A-JQС])#(?![A-Za-z0-9#])")
_NUMBER = re.compile(r"(?<![A-Za-z0-9#&])(?:#|№)\s?(\d{1,9})(?![A-Za-z0-9])")
_CIRCLED = re.compile("[⓪①-⑳❶-❿⓫-⓿➀-➓]")
_DANDA = re.compile(r"(?<=[\u0900-\u0dff])\|+(?=\s|$)")
"""The full stop of Indic scripts, as keyboards without it write it."""
_BULLET = re.compile(r"\s?(?:•\s?)+|\s?\|+\s?|(?<=\s)[·](?=\s)")
_PATH = re.compile(r"(?<!>)\s?>++\s?(?=[^\W\d_])")
_FLAG = re.compile(r"(?<!\S)--(?=\w)")
_DASHES = re.compile(r"(?<=\s)-{2,3}(?=\s)|(?<=\w)-{2,3}(?=[^\W\d])")
_SNAKE = re.compile(r"(?<=[^\W_])_+(?=[^\W_])")
_LEFT_OVER = re.compile(r"[～〜](?!\w)|={2,}|[*_`#~|<>\[\]{}【】\\^✅✔✓☑❌✗✘☒†‡]|(?<!\S)-{3,}(?!\S)|(?<=\s)\$\$(?=\s)")


def spoken_symbols(text: str, words: Words) -> str:
    """The text with the signs that voices misread as words of the language, and without those that say nothing."""
    text = _CIRCLED.sub(_digit, text)
    text = _POWER.sub(lambda f: _filled(words.power, f), _RAISED_UNIT.sub(lambda f: f[1] + "²³"[int(f[2]) - 2], text))
    text = _TIMES.sub(f" {words.times} ", text) if "*" in text else text
    text = _ARROW.sub(PAUSE, _SHARP.sub(r"\1 sharp", text))
    for pattern, word in (
        (_PLUS_MINUS, words.plus_minus),
        (_AT_MOST, words.at_most),
        (_AT_LEAST, words.at_least),
        (_LESS, words.less),
        (_MORE, words.more),
        (_SMALLER, f" {words.less}"),
        (_LARGER, f" {words.more}"),
        (_NUMBER, words.number),
    ):
        text = pattern.sub(lambda found, word=word: _filled(word, found), text)  # type: ignore[misc]
    text = text.replace("~~", "") if "~~" in text else text
    text = _ABOUT.sub(lambda found: _about(found, words), _RANGE.sub("–", text))
    text = _DASHES.sub("–", _FLAG.sub("", _PATH.sub(PAUSE, _BULLET.sub(PAUSE, _DANDA.sub("।", text)))))
    return _LEFT_OVER.sub("", _SNAKE.sub(" ", text))


def _about(found: re.Match[str], words: Words) -> str:
    """Of "20", "about 20", but no "about about 20"."""
    before = found.string[max(0, found.start() - 40) : found.start()].rstrip().lower()
    word = words.about.replace("{}", "").strip()
    said = before.endswith((word, *_APPROXIMATELY)) if word else True
    return _filled("{}" if said else words.about, found, spaced=True)


def _filled(word: str, found: re.Match[str], *, spaced: bool = False) -> str:
    amount = next(group for group in found.groups() if group is not None).strip()
    before = found.string[max(0, found.start() - 1) : found.start()]
    glued = before.isascii() and before.isalnum() and word[:1].isalpha()
    blank = " " if glued or (spaced and found[0][:1].isspace()) else ""
    return blank + word.replace("{}", amount)


def _digit(found: re.Match[str]) -> str:
    code = ord(found[0])
    for first, number in ((0x2460, 1), (0x2776, 1), (0x2780, 1), (0x278A, 1), (0x24EB, 11)):
        if first <= code < first + 20:
            return str(code - first + number)
    return "0"
