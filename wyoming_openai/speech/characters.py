"""Characters that nobody can hear, and those that stand for others."""

import re
import unicodedata
from html import unescape

from .words import Words

GONE = "\x00"
"""Stands where something was taken out, until the blanks around it are put right."""
PAUSE = "\x01"
"""Stands where a comma belongs."""

_PRIVATE_CITATION = re.compile(r"\ue200[^\ue200\ue201\s]{0,300}+\ue201?|[\ue202-\ue2ff]")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,31}\d{0,2});|&nbsp")
_TERMINAL = re.compile(r"\x1b\[[0-9;]{0,20}[A-Za-z]")
_STYLED = re.compile("[\U0001d400-\U0001d7ff\ufb00-\ufb06]+")
_OVERLAID = re.compile("[\u0334-\u0338\u0489]|(?<=[\u0300-\u036f]{2})[\u0300-\u036f]+")
_KEYCAP = re.compile(r"([0-9])\ufe0f?\u20e3")
_JOINED_ARABIC = re.compile(r"(?<=[\u0600-\u06ff])\u200c+(?=[\u0600-\u06ff])")
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff\ud800-\udfff\U000e0000-\U000e0fff\u20e3]"
)
_BLANKS = re.compile("[\x0b\x0c\r\x1c-\x1f\x85\u1680\u2000-\u200a\u205f\u3000]")
_LINES = re.compile("\r\n?|[\u2028\u2029\x0b\x0c\x85]")
_PICTURES = re.compile(
    "[\u00a9\u00ae\u2020\u2021\u203b\u203c\u2049\u2117\u2120\u2122\u2139\u2300-\u23ff\u2440-\u245f\u2500-\u25ff"
    "\u2600-\u27bf\u2800-\u28ff\u2b00-\u2bff\u3030\u303d\u3297\u3299\ue000-\uf8ff\U0001f000-\U0001ffff]+"
)
_FULL_WIDTH = str.maketrans(
    {
        **{chr(ord(sign) + 0xFEE0): sign for sign in "*_`#|<>[]{}\\^"},
        **dict.fromkeys("│┃║", "|"),
        **dict.fromkeys("‣⁃▪▫◦●○∙■□►➤➢", "•"),
        **dict.fromkeys("➜➔➡➙➞", "→"),
        "◁": "<",
        "▷": ">",
        "\u2028": "\n",
        "‑": "-",
        "⁓": "~",
        "∼": "~",
        "˜": "~",
        "∗": "*",
        "⁎": "*",
        "﹡": "*",
        "﹟": "#",
        "″": '"',
        "♯": "#",
    }
)
_ESCAPE = re.compile(r"(?:\\r)?\\n(?!abla|eq|u\b|ot\b|e[ws])|\\t(?=[A-Z\d\-])|\\u([0-9a-fA-F]{4})")
_CHECKS = re.compile(f"[{GONE}\\s]*+([✅✔✓☑]|❌|✗|✘|☒)[\ufe0f{GONE}\\s]*+")


def clean(text: str) -> str:
    """The text without characters that nobody can hear; `GONE` where one was that stood for itself."""
    text = _ENTITY.sub(_entity, _ENTITY.sub(_entity, text)) if "&" in text else text
    text = _PRIVATE_CITATION.sub(GONE, _TERMINAL.sub("", text.replace(GONE, "").replace(PAUSE, "")))
    text = _KEYCAP.sub(lambda keycap: _circled(int(keycap[1])), text).replace("🔟", "⑩")
    text = _STYLED.sub(lambda found: unicodedata.normalize("NFKC", found[0]), _OVERLAID.sub("", text))
    text = _JOINED_ARABIC.sub(" ", _LINES.sub("\n", text))
    text = _INVISIBLE.sub(
        lambda found: GONE if found[0] == "\x00" else "", _BLANKS.sub(" ", text.replace("\t", "    "))
    )
    text = _PICTURES.sub(_picture, text.translate(_FULL_WIDTH))
    return _ESCAPE.sub(_unescaped, text) if "\\" in text else text


def _unescaped(found: re.Match[str]) -> str:
    """What an escape of a JSON string stands for, where a model wrote one into its text."""
    if found[1]:
        character = chr(int(found[1], 16))
        return "" if unicodedata.category(character)[0] == "C" else character
    return " " if found[0] == r"\t" else "\n"


def _entity(found: re.Match[str]) -> str:
    character = unescape(found[0])
    return " " if character[:1] == "\xa0" else character


def _circled(number: int) -> str:
    return chr(0x2460 + number - 1) if number else "⓪"


def _picture(found: re.Match[str]) -> str:
    """A cell or word that is only a tick or a cross keeps it until we know what it says."""
    text = found[0]
    if text[0] in "✅✔✓☑❌✗✘☒":
        return f"{GONE}{text[0]}{GONE}"
    return {"‼": "!!", "⁉": "!?"}.get(text[0], GONE)


def verdict(text: str, words: Words) -> str:
    """Yes or no for a cell that holds only a tick or a cross."""
    found = _CHECKS.fullmatch(text)
    if not found:
        return text
    return words.yes if found[1] in "✅✔✓☑" else words.no
