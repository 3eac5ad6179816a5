"""What a line is: heading, item, table row, code, data, or just words. Code and data as far as they are words."""

import json
import re
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

Kind = Literal["plain", "item", "heading", "row"]

_QUOTE = re.compile(r"\s*(?:>(?![\d=])\s?)+(?:\[!\w+\]\s*)?")
_HEADING = re.compile(r"\s*#{1,6}\s+|\s*#{2,6}(?=\S)")
_BULLET = re.compile(
    r"\s*(?:[-*+•·–—]-{0,2}[ ]+|[•・]|-(?=[^\W\d])|\([a-z\d]{1,2}\)[ ]+|[a-zA-Z]\)[ ]+|[⓪①-⑳❶-❿➀-➓][ ]*"
    r"|(?<!\d)\d{1,3}\)[ ]+)"
)
_BOX = re.compile(r"\[[ xX]?\][ ]+")
_NUMBERED = re.compile(r"\s*(?:\*\*|__)?(\d{1,3})(?:\.(?:\*\*|__)?[ ]+|\\\.[ ]+|[、．])(?=\S)")
_BOLD = re.compile(r"(?:\*\*|__)[^*_]{1,120}(?:\*\*|__)[:：]?")
_INDENTED = re.compile(r"[ ]{2,}\S")
_DEFINITION = re.compile(r"\s*\[\^[^\]]{1,60}\]:|\s*\[[^\]]{1,60}\]:\s*<?(?:https?:|www\.|/|#)")
_CALL = re.compile(r"\s*\[?[A-Za-z_][\w.]{0,60}\(([^()]{0,1000})\)\]?;?\s*")
FENCE = re.compile(r"\s*(`{3,}|~{3,})[ ]?([\w+#.\-]*)[^`]*")


_LATE_FENCE = re.compile(r"(?<!`)`{3}[\w+#.\-]*\s*$")


class Start(NamedTuple):
    """How a line begins: its kind, its text without the marker, and its number if that may be a marker."""

    kind: Kind
    text: str
    number: int | None = None


def start_of(line: str) -> Start:
    """Take the block markers off a line."""
    kind: Kind = "plain"
    line = line.lstrip(" \x00")
    for _ in range(4):  # "> - ## Title": markers nest, but not for ever
        if quote := _QUOTE.match(line):
            line = line[quote.end() :]
        if heading := _HEADING.match(line):
            kind, line = "heading" if kind == "plain" else kind, line[heading.end() :]
        bullet = _BULLET.match(line)
        if not bullet or kind == "heading":
            break
        kind, line = "item", line[bullet.end() :]
        if box := _BOX.match(line):
            line = line[box.end() :]
    if numbered := _NUMBERED.match(line):
        return Start(kind, line, int(numbered[1]))
    return Start("heading" if kind == "plain" and _BOLD.fullmatch(line.strip()) else kind, line)


def unnumbered(line: str) -> str:
    """The line without its number; an emphasis that began before it begins after it."""
    found = _NUMBERED.match(line)
    return _BOX.sub("", line[found.end() :], count=1) if found else line


def continues_list(line: str, following: str, ordinals: bool) -> bool:
    """Whether the line after it proves that a line with a number is an item of a list.

    With `ordinals`, where "1." is "first", lines like "1. Stock: 21 °C" and "2. Stock: 20 °C" are none.
    """
    number, start, indented = start_of(line).number, start_of(following), bool(_INDENTED.match(following))
    if start.number is not None and number is not None and 0 <= start.number - number <= 1:
        return not (ordinals and _first_word(unnumbered(line)) == _first_word(unnumbered(start.text)))
    return indented or (start.kind == "item" and not ordinals)


def _first_word(text: str) -> str:
    return re.split(r"[\W_]+", text.strip(" *_"), maxsplit=1)[0]


def late_fence(line: str) -> int:
    """Where a block of code begins behind words, or -1."""
    found = _LATE_FENCE.search(line) if line.count("```") % 2 else None
    return found.start() if found else -1


def is_rule(line: str) -> bool:
    """A line of signs only: a ruler, an underline, the grid of a table."""
    signs = set(line.strip())
    return bool(signs) and signs <= set("-*_=~#+|:.─ \x00") and (len(line.strip()) > 2 or signs <= set("-=_*#|"))


def is_delimiter(line: str) -> bool:
    """The line between the header of a table and its rows."""
    signs = set(line.strip())
    return signs <= set("|-:+= ") and "-" in signs and bool(signs & set("|+"))


def is_definition(line: str) -> bool:
    """A footnote, or the address of a link."""
    return bool(_DEFINITION.match(line))


def is_call(line: str) -> bool:
    """A tool call written as text: `light_on(area="kitchen")`."""
    call = _CALL.fullmatch(line)
    return bool(call) and bool(re.search(r"[=\"']", call[1]) if call and call[1] else "_" in line)


def cells(line: str) -> list[str]:
    """The cells of a table's row."""
    return [cell.strip().replace("\x02", "|") for cell in line.replace("\\|", "\x02").strip().strip("|").split("|")]


# --- code and data ----------------------------------------------------------------------------------------------

_WORD_LANGUAGES = frozenset(
    ["", "text", "txt", "markdown", "md", "plaintext", "plain", "speech", "output", "response", "answer"]
)
_CODE_LINE = re.compile(
    r"\s*(?:def|import|from \S+ import|class|function|const|let|var|sudo|pip|apt|apt-get|curl|wget|git|docker|cd|npm|"
    r"echo|print|return|async|if .*:$|for .*:$|while .*:$|elif|else:|#!|//|/\*|SELECT|INSERT|<\?|<!)(?!\w)"
    r"|\s*(?:- )?[a-z_]+:\s*$|\s*- [a-z_]+:\s"
)
_DATA = re.compile(r"\s*(?:\{\s*(?:[\"'}]|$)|\[\s*(?:\{|\"|$))")
_MORE_DATA = re.compile(r"[,;\s]{0,9}[{\[]\s{0,9}[\"'{\[}\]]")
_DATA_SIGN = re.compile(r"[\"\\{}\[\]]")
_ANSWER_KEYS = (
    "response",
    "answer",
    "speech",
    "reply",
    "text",
    "message",
    "content",
    "output",
    "final_answer",
    "say",
    "plain",
)
_ANSWER = re.compile(
    rf"[\"'](?:{'|'.join(_ANSWER_KEYS)})[\"']\s{{0,20}}:\s{{0,20}}"
    r"(?:\"(?P<double>(?:[^\"\\]|\\.){0,5000}+)|'(?P<single>(?:[^'\\]|\\.){0,5000}+))"
)
_CALL_KEYS = ("arguments", "parameters", "tool", "tool_calls", "function", "action", "args", "tool_name")


def words_in_code(language: str, content: str) -> str:
    """What of a code block can be said: words, or the answer in data."""
    if (answer := answer_in(content)) is not None:
        return answer
    lines = [line for line in content.split("\n") if line.strip()]
    code_lines = sum(1 for line in lines if _CODE_LINE.match(line))
    signs = sum(content.count(sign) for sign in "{}[]<>=;$\\")
    if language.lower() not in _WORD_LANGUAGES or code_lines * 2 > len(lines) or signs * 25 > len(content):
        return ""
    return content


def begins_data(line: str) -> bool:
    """Whether this line begins a JSON object or list."""
    return bool(_DATA.match(line))


def answer_in(content: str) -> str | None:
    """What JSON says to a person: "" if nothing, None if this is no JSON."""
    if not begins_data(content):
        return None
    try:
        return _answer_of(json.loads(content))
    except (ValueError, RecursionError):
        found = _ANSWER.search(content)
        inside = (found["double"] or found["single"] or "") if found else ""
        return re.sub(r"\\(.)", r"\1", inside.replace("\\n", "\n"))


def _answer_of(data: Any) -> str:
    if isinstance(data, str):
        return data
    if isinstance(data, list):
        return "\n".join(f"- {answer}" for answer in map(_answer_of, data[:100]) if answer)
    if not isinstance(data, dict) or any(key in data for key in _CALL_KEYS):
        return ""
    return next((_answer_of(data[key]) for key in _ANSWER_KEYS if key in data), "")


class Data:
    """JSON between the lines: collects until its brackets are closed."""

    def __init__(self) -> None:
        self._content: list[str] = []
        self._depth = 0
        self._quoted = False

    @property
    def content(self) -> str:
        return "".join(self._content)

    def add(self, text: str) -> str | None:
        """Take more of it; what comes after its end, or None while it is open."""
        for position, sign in self._signs(text):
            self._depth += (sign in "{[") - (sign in "}]")
            if self._depth <= 0 and not _MORE_DATA.match(text, position + 1):
                self._content.append(text[: position + 1])
                return text[position + 1 :]
        self._content.append(text)
        return None

    def _signs(self, text: str) -> Iterator[tuple[int, str]]:
        """The brackets outside of strings."""
        skip = -1
        for found in _DATA_SIGN.finditer(text):
            if found.start() == skip:
                continue
            if found[0] == "\\":
                skip = found.start() + 1
            elif found[0] == '"':
                self._quoted = not self._quoted
            elif not self._quoted:
                yield found.start(), found[0]
