"""What a model writes beside its answer: reasoning, tool calls, special tokens, HTML tags."""

import re

_TAG = re.compile(
    r"<!--|-->"
    r"|<[ ]?(?P<end>/?)[ ]?(?P<name>[A-Za-z][\w:.\-]*+)(?P<rest>[^<>]*+)>"
    r"|<\|(?P<token>/?[^<>|\s]{1,60}+)\|?>"
    r"|\[(?P<close>/?)(?P<bracket>THINK|think|REASONING|INST|TOOL_CALLS|TOOL_RESULTS|AVAILABLE_TOOLS|ANSWER|ASSISTANT)\]"
    r"|(?P<glued>assistant[ ]?final)(?=[A-Z<\W]|$)"
)
_THOUGHT = re.compile(
    "think|thought|reason|reflect|scratch|monologue|analysis|rationale|ponder|deliberat|inner_|commentary",
    re.IGNORECASE,
)
_TOOL = re.compile(r"(?:antml:)?(?:tool|function|invoke|python_tag)|\[?TOOL", re.IGNORECASE)
_UNREAD = {"script", "style", "head", "svg", "math", "template", "iframe", "object", "audio", "video"}
_NEW_LINE = re.compile(
    r"br|p|div|ul|ol|table|blockquote|section|article|header|footer|hr|pre|dl|dt|dd|details|summary|h[1-6]"
)
_ROLE = re.compile(r"\s*(assistant|model|user|system|developer|tool|ipython|human)\b[ ]?")
_CHANNEL = re.compile(r"\s*(\w+)")
_STARTS = {"im_start", "start", "start_header_id", "start_of_turn", "turn"}
_ENDS = {"end", "return", "call", "im_end", "eot_id", "eom_id", "end_of_turn", "endoftext", "eot", "end_of_text"}


class ReasoningFilter:
    """Hides what is not part of the answer. Knows where it stands in the text so far."""

    def __init__(self) -> None:
        self._hidden = ""
        """What we are inside of: "thought", "tool", "page", "comment", "role"; empty in the answer."""
        self._begun = False
        self._header = False
        self.lifted = False
        """Reasoning has ended before: what comes now is the answer."""

    def lift(self, text: str, final: bool = False) -> list[str | None]:
        """The visible parts. None says that all before it was reasoning whose opening tag is missing."""
        self._open_glued(text)
        parts: list[str | None] = []
        position = 0
        while tag := _TAG.search(text, position):
            self._keep(parts, text[position : tag.start()])
            position = self._pass(tag, parts)
        self._keep(parts, _uncut(text[position:]) if final else text[position:])
        return _joined(parts)

    def _open_glued(self, text: str) -> None:
        """A reply whose special tokens got lost: "analysisThe user asks…assistantfinalThe light is on."."""
        if not self._begun and re.match(r"\s*analysis(?=[A-Z])", text):
            self._hidden = "thought"
        self._begun = self._begun or not text.isspace()

    def _keep(self, parts: list[str | None], text: str) -> None:
        if text and not self._hidden:
            parts.append(text)

    def _pass(self, tag: re.Match[str], parts: list[str | None]) -> int:
        """Act on a tag, return where the text goes on."""
        if self._hidden == "comment" or tag.group() in ("<!--", "-->"):
            return self._comment(tag, parts)
        if name := tag["name"]:
            return self._html(tag, name.lower(), bool(tag["end"]), parts)
        if token := tag["token"]:
            return self._token(tag, token.lower(), parts)
        if bracket := tag["bracket"]:
            return self._bracket(tag, bracket.upper(), parts)
        self._answer(parts)
        return tag.end()

    def _comment(self, tag: re.Match[str], parts: list[str | None]) -> int:
        if tag.group() == "<!--" and not self._hidden:
            self._hidden = "comment"
        elif tag.group() == "-->" and self._hidden == "comment":
            self._hidden = ""
        else:
            self._keep(parts, "" if tag.group() == "<!--" else tag.group())
        return tag.end()

    def _html(self, tag: re.Match[str], name: str, closing: bool, parts: list[str | None]) -> int:
        rest = tag["rest"].strip()
        if name in _STARTS or name in _ENDS:
            return self._token(tag, name, parts)
        if name == "channel" and rest == "|":
            closing, rest, name = True, "", "thought"
        family = _family(name, rest)
        if family and rest.endswith("/"):
            pass  # <think/> holds nothing
        elif family:
            self._enter_or_leave(family, closing, parts)
        elif name == "details" and closing and self._hidden == "thought":
            self._hidden = ""
        elif ":/" in tag.group() or (rest.strip("/") and "=" not in rest):
            self._keep(parts, tag.group())  # "<https://example.com>", "a < b and c > d"
        elif name in ("td", "th", "tr"):
            self._keep(parts, self._cell(name, closing))
        else:
            self._keep(parts, _spoken_tag(name, closing))
        return tag.end()

    def _cell(self, name: str, closing: bool) -> str:
        """A table of HTML as one of Markdown."""
        if name != "tr":
            self._header = name == "th"
            return "" if closing else "| "
        if not closing:
            return "\n"
        header, self._header = self._header, False
        return "\n|-|-|" if header else ""

    def _token(self, tag: re.Match[str], name: str, parts: list[str | None]) -> int:
        if name == "channel":
            return self._channel(tag, parts)
        if name in _STARTS:
            role = _ROLE.match(tag.string, tag.end())
            self._hidden = "role" if role and role[1] not in ("assistant", "model") else ""
            return role.end() if role else tag.end()
        if family := _family(name, ""):
            self._enter_or_leave(family, bool(re.search(r"^/|end|close|suffix", name)), parts)
        elif name in _ENDS:
            self._hidden = ""
        self._keep(parts, "\n")
        return tag.end()

    def _channel(self, tag: re.Match[str], parts: list[str | None]) -> int:
        name = _CHANNEL.match(tag.string, tag.end())
        if name is None or name[1] == "final":
            self._answer(parts)
        else:
            self._hidden = "thought"
        return name.end() if name else tag.end()

    def _bracket(self, tag: re.Match[str], name: str, parts: list[str | None]) -> int:
        if name.startswith(("TOOL", "AVAILABLE")):
            self._enter_or_leave("tool", bool(tag["close"]), parts)
        elif name == "INST":
            self._hidden = "" if tag["close"] else "role"
        elif family := _family(name, ""):
            self._enter_or_leave(family, bool(tag["close"]), parts)
        return tag.end()

    def _enter_or_leave(self, family: str, closing: bool, parts: list[str | None]) -> None:
        if not closing:
            self._hidden = self._hidden or family
        elif self._hidden == family:
            self._hidden = ""
            self.lifted = self.lifted or family == "thought"
        elif not self._hidden and family == "thought":
            self._answer(parts)

    def _answer(self, parts: list[str | None]) -> None:
        """Here the answer begins; what was visible until now was reasoning, unless it was hidden already."""
        if not self._hidden:
            parts.append(None)
        self._hidden, self.lifted = "", True


def _joined(parts: list[str | None]) -> list[str | None]:
    """The parts without cuts where there was only a tag."""
    joined: list[str | None] = []
    for part in parts:
        if part is not None and joined and joined[-1] is not None:
            joined[-1] += part
        else:
            joined.append(part)
    return joined


def _family(name: str, rest: str) -> str:
    if _THOUGHT.search(name) or (name == "details" and "reasoning" in rest):
        return "thought"
    if _TOOL.match(name):
        return "tool"
    return "page" if name in _UNREAD else ""


def _spoken_tag(name: str, closing: bool) -> str:
    """What an HTML tag leaves in the text."""
    if name == "li" and not closing:
        return "\n- "
    if re.fullmatch("h[1-6]", name) and not closing:
        return "\n# "
    if name == "sup":
        return "" if closing else "^"
    if name == "break":
        return " "
    return "\n" if _NEW_LINE.fullmatch(name) else ""


def _uncut(text: str) -> str:
    """The end of the whole text without a tag that was cut in the middle."""
    for opening, pattern in (
        ("<", r"<[|/!]?(?!\d)[\w|:/.\-]*+|</?[A-Za-z][\w\-]*+\s[^<>=]*+=[^<>]*+"),
        ("[", r"\[/?[A-Z_]{1,16}"),
    ):
        begin = text.rfind(opening)
        if begin >= 0 and re.fullmatch(pattern, text[begin:].rstrip()):
            text = text[:begin]
    return text
