"""Reads the model's text line by line and tells a mouth what to say."""

import re

from . import blocks, sentence_ends
from .blocks import Kind
from .characters import clean, verdict
from .inline import inline
from .quotes import OuterQuotes
from .reasoning import ReasoningFilter
from .sentence_buffer import SentenceBuffer
from .sentence_ends import CLOSERS
from .words import ANSWER_LABEL, LABEL, REASONING_LABEL, WIDE_LETTER, base, marks, words

_SPACES = re.compile("[ \xa0\u202f]{2,}|\t")
_COLON = re.compile(r"[^\s:：]*[:：](?!\d)")
_SPEAKABLE = re.compile(r"[^\W_]")
_ROLES = ("assistant", "model", "Assistant")
"""A line of a chat template that lost its tokens."""
_DANGLING = ":：,，、،;；–—-"
_LONG_LINE = 60  # shorter lines without an end are lines on purpose, longer ones may be wrapped


class LineReader:
    """Reads one reply; knows what its lines so far mean for the next one."""

    def __init__(self, language: str, mouth: SentenceBuffer) -> None:
        self._language = language
        self._words = words(language)
        self._ends = sentence_ends.signs(language)
        self._ordinals = base(language) in sentence_ends.ORDINALS
        self._mouth = mouth
        self._veil = ReasoningFilter()
        self._half = False
        """This stretch is what the token limit cut in the middle."""
        self._more = False
        """The line goes on after this stretch."""
        self._begin()

    def _begin(self) -> None:
        self._fresh = True
        """Nothing of the line is read yet."""
        self._skip = False
        self._line: list[str] | None = None
        """A line that has to be whole before it is known what it is."""
        self._candidate: tuple[str, bool] | None = None
        """A whole line whose meaning shows with the next one, and whether a blank line came before it."""
        self._header: list[str] | None = None
        self._number: int | None = None
        self._fence: tuple[str, str, list[str]] | None = None
        self._data: blocks.Data | None = None
        self._begin_words()

    def _begin_words(self) -> None:
        self._opening = True
        """Nothing is said yet: labels and quotes around the whole reply come here."""
        self._labelled = False
        self._quotes = OuterQuotes()
        self._said = ""
        self._kind: Kind = "plain"
        self._item = ""
        """The last line as it is said."""
        self._list_mark = ""
        self._indent = 0
        """Of this line."""
        self._item_indent = 0
        self._continued = False
        """Something of the line is said already."""
        self._wrapped = False
        """The line only goes on with the one before."""
        self._spaced = False
        self._blank = False
        self._dropped = False

    def read(self, chunk: str, *, more: bool) -> None:
        """Read a chunk of the text; it ends where a line ends, or a sentence if there is `more` of the line."""
        self._more = more
        self._read_visible(chunk, final=False)

    def finish(self, chunk: str, truncated: bool) -> None:
        """Read the last chunk and end what is open; in a truncated text it is the half that was cut off."""
        self._more, self._half = False, truncated
        self._read_visible(chunk, final=True)
        self._end_line()
        self._end_blocks()
        if self._said and not (self._half and self._continued):
            self._close()

    def _read_visible(self, chunk: str, *, final: bool) -> None:
        for part in self._veil.lift(clean(chunk), final):
            if part is None:
                self._mouth.forget()
                self._mouth.trust()
                self._begin()
            else:
                self._read_lines(part)
        if self._veil.lifted:
            self._mouth.trust()

    # --- lines ------------------------------------------------------------------------------------------------

    def _read_lines(self, text: str) -> None:
        *lines, last = text.split("\n")
        for line in lines:
            self._read_last_stretch(line)
            self._end_line()
        self._read_stretch(last)

    def _read_last_stretch(self, text: str) -> None:
        """Read what ends a line; a block of code may begin there."""
        begin = blocks.late_fence(text)
        idle = self._fence is None and self._data is None and self._line is None and not self._skip
        if begin > 0 and idle:
            self._read_stretch(text[:begin])
            self._end_line()
            self._read_stretch(text[begin:])
        elif begin == 0 and idle and not self._fresh:
            self._end_line()
            self._read_stretch(text)
        else:
            self._read_stretch(text)

    def _read_stretch(self, text: str) -> None:
        """Read a stretch of the current line."""
        if self._skip:
            return
        if self._line is not None:
            self._line.append(text)
        elif self._fence is not None:
            self._line = [text]
        elif self._data is not None:
            self._read_data(text)
        elif not text.strip(" \x00"):
            self._spaced = self._spaced or bool(text)
        elif self._fresh:
            self._start_line(text)
        else:
            self._say(text, self._kind)

    def _start_line(self, text: str) -> None:
        if self._candidate is not None and self._settle(text):
            self._skip = True
        elif fence := blocks.FENCE.fullmatch(text):
            self._fence, self._skip = (fence[1][:3], fence[2], []), True
        elif blocks.begins_data(text):
            self._data = blocks.Data()
            self._read_data(text)
        elif blocks.is_rule(text) or blocks.is_definition(text) or blocks.is_call(text):
            self._blank = self._skip = True
        elif "|" in text:
            self._line = [text]
        else:
            self._header = None
            self._start_words(text)
        self._fresh = False

    def _start_words(self, text: str) -> None:
        self._indent = _indent_of(text)
        start = blocks.start_of(text)
        if start.number is None:
            belongs = self._kind == "item" and not self._blank and text.startswith("  ")
            self._say(start.text, "item" if belongs and not start.text[:1].islower() else start.kind)
        elif start.kind == "heading":
            self._say(start.text if self._ordinals else blocks.unnumbered(start.text), "heading")
        elif start.kind == "item":
            self._say(start.text if self._ordinals else blocks.unnumbered(start.text), "item")
        elif self._goes_on(start.number):
            self._number = start.number
            self._say(blocks.unnumbered(start.text), "item")
        else:
            self._line = [text]

    def _goes_on(self, number: int) -> bool:
        """Whether a line with this number goes on with a list, or a colon has announced one."""
        announced = self._said.endswith((":", "：")) and not self._ordinals
        return announced or (self._number is not None and number in (self._number, self._number + 1))

    def _end_line(self) -> None:
        whole, self._line = self._line, None
        if self._fence is not None:
            self._end_code_line("".join(whole or []))
        elif whole is not None:
            self._end_whole("".join(whole))
        elif self._fresh:
            self._end_blank()
        self._fresh, self._skip, self._spaced, self._continued = True, False, True, False

    def _end_blank(self) -> None:
        if self._candidate is not None and "|" in self._candidate[0]:
            self._settle("")
        if self._data is not None:
            self._end_data("")
        self._blank, self._header = True, None

    def _end_whole(self, line: str) -> None:
        if self._header is not None:
            self._say_row(line)
        else:
            self._candidate, self._blank = (line, self._blank), False

    # --- lines that need their neighbours -----------------------------------------------------------------------

    def _settle(self, following: str) -> bool:
        """Say the candidate, now that the next line shows what it is; whether that line belongs to it."""
        if self._candidate is None:
            return False
        (line, blank), self._candidate = self._candidate, None
        if "|" in line and blocks.is_delimiter(following):
            self._header, self._blank = [self._plain(cell) for cell in blocks.cells(line)], True
            return True
        (self._blank, blank), (half, self._half) = (blank, self._blank), (self._half, False)
        self._say_settled(line, following)
        self._blank, self._half, self._continued, self._spaced = blank, half, False, True
        return False

    def _say_settled(self, line: str, following: str) -> None:
        self._indent = _indent_of(line)
        start = blocks.start_of(line)
        if "|" in line:
            if line.lstrip().startswith("|"):
                self._say_row(line)
            else:
                self._say(start.text, start.kind)
        elif start.number is not None and blocks.continues_list(line, following, self._ordinals):
            self._number = start.number
            self._say(blocks.unnumbered(start.text), "item")
        else:
            self._say(start.text, start.kind)

    def _say_row(self, line: str) -> None:
        names = self._header or []
        sign = marks(line, self._language)
        told = []
        for number, cell in enumerate(blocks.cells(line)):
            value = self._plain(verdict(cell, self._words))
            name = names[number] if number < len(names) else ""
            if _SPEAKABLE.search(value):
                told.append(f"{name}{sign.colon}{sign.gap}{value}" if name else value)
        self._say((sign.clause + sign.gap).join(told), "row")

    def _plain(self, text: str) -> str:
        text = _SPACES.sub(" ", text).strip()
        return inline(text, self._words, marks(text, self._language), self._language)

    # --- code and data ------------------------------------------------------------------------------------------

    def _end_code_line(self, line: str) -> None:
        """A line of a code block is whole: its first, one inside, or its last."""
        if self._skip or self._fence is None:
            return
        mark, _, lines = self._fence
        before, fence, after = line.partition(mark)
        if not fence or (before.strip() and after.strip()):
            lines.append(line)
            return
        lines.append(before)
        self._end_code()
        self._read_lines(after.strip("`~ ") + "\n" if after.strip("`~ ") else "")

    def _end_code(self) -> None:
        if self._fence is not None:
            (_, language, lines), self._fence = self._fence, None
            self._read_block(blocks.words_in_code(language, "\n".join(lines)))

    def _read_data(self, text: str) -> None:
        after = self._data.add(text + " ") if self._data is not None else text
        self._fresh = self._fresh and not text.strip()
        if after is not None:
            self._end_data(after)

    def _end_data(self, after: str) -> None:
        data, self._data = self._data, None
        self._read_block(blocks.answer_in(data.content if data else "") or "")
        if after := after.strip(",; "):
            self._start_words(after)
            self._fresh = False

    def _read_block(self, content: str) -> None:
        """Say what was found in a block of code or data, line by line."""
        self._fresh, self._skip = True, False
        if content.strip():
            self._read_lines(content.replace("```", "").strip() + "\n")
        else:
            self._dropped = self._blank = True

    def _end_blocks(self) -> None:
        self._end_code()
        if self._data is not None:
            self._end_data("")
        self._settle("")

    # --- words --------------------------------------------------------------------------------------------------

    def _say(self, text: str, kind: Kind) -> None:
        spaced = self._spaced or text[:1].isspace()
        self._spaced = text[-1:].isspace()
        text = _SPACES.sub(" ", text).strip()
        spoken = inline(text, self._words, marks(text, self._language), self._language, self._continued)
        spoken = _SPACES.sub(" ", self._quotes.strip(self._unlabelled(spoken), self._opening, self._more)).strip()
        if not _SPEAKABLE.search(spoken) or self._is_half_item(kind):
            return
        self._mouth.add(self._joint(kind, spoken, spaced) + spoken)
        if self._continued or self._wrapped:
            self._item = f"{self._item} {spoken}"
        else:
            self._item, self._kind, self._item_indent = spoken, kind, self._indent
        self._said, self._continued = f"{self._said} {spoken}"[-120:], True
        self._opening = self._blank = self._dropped = False

    def _is_half_item(self, kind: Kind) -> bool:
        """Whether the token limit cut this item of a list: the whole ones before are a better end."""
        return self._half and not self._continued and kind in ("item", "row") and kind == self._kind

    def _unlabelled(self, spoken: str) -> str:
        """Without the name of who speaks; reasoning under a label is forgotten when the answer's label comes."""
        if self._opening:
            while label := LABEL.match(spoken):
                spoken = spoken[label.end() :]
            if spoken in _ROLES:
                return ""
            if not self._labelled and REASONING_LABEL.match(spoken):
                self._labelled = True
                self._mouth.hold()
        elif self._labelled and not self._continued and (label := ANSWER_LABEL.match(spoken)):
            self._mouth.forget()
            self._mouth.trust()
            self._begin_words()
            return spoken[label.end() :]
        return spoken

    def _joint(self, kind: Kind, spoken: str, spaced: bool) -> str:
        """What stands between what was said and this."""
        self._wrapped = False
        if not self._said:
            return ""
        sign = marks(self._said, self._language)
        last = self._said.rstrip(CLOSERS + " ")[-1:]
        gap = "" if WIDE_LETTER.match(self._said[-1:]) and WIDE_LETTER.match(spoken) else " "
        if self._continued:
            return " " if spaced else ""
        if last in self._ends:
            return gap
        if last in _DANGLING and self._dropped:
            self._mouth.amend(_DANGLING)
            return sign.stop + sign.gap
        if last in _DANGLING:
            return gap
        nested = self._kind == "item" and self._indent > self._item_indent + 1
        if kind == "item" and (nested or self._kind == "plain") and len(self._item) < _LONG_LINE:
            self._list_mark = ""
            return (sign.stop if _COLON.search(f"{self._item} {spoken}") else sign.colon) + sign.gap
        if kind == "item" == self._kind:
            return self._list_joint(spoken) + sign.gap
        self._wrapped = self._wraps(kind, spoken)
        return gap if self._wrapped else sign.stop + sign.gap

    def _list_joint(self, spoken: str) -> str:
        """A comma between short items, a stop between longer ones, and from then on."""
        if self._indent + 1 < self._item_indent or not (_is_short(self._item) and _is_short(spoken)):
            self._list_mark = "stop"
        sign = marks(self._said, self._language)
        return sign.stop if self._list_mark else sign.comma

    def _wraps(self, kind: Kind, spoken: str) -> bool:
        """Whether the line only goes on with the sentence of the line before."""
        if kind != "plain" or self._kind in ("heading", "row") or (self._blank and self._kind == "item"):
            return False
        long = self._kind == "plain" and not self._blank and len(self._item) >= _LONG_LINE
        return long or (spoken[:1].islower() and not _COLON.match(spoken))

    def _close(self) -> None:
        """End the last sentence where the writer did not."""
        stop = marks(self._said, self._language).stop
        last = self._said.rstrip(CLOSERS + " ")[-1:]
        if last in self._ends:
            return
        if last in _DANGLING:
            self._mouth.amend(_DANGLING)
            self._mouth.add(stop)
        elif self._kind != "plain":
            self._mouth.add(stop)


def _indent_of(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _is_short(item: str) -> bool:
    limit = 14 if WIDE_LETTER.search(item) else 40
    return len(item) <= limit and len(item.split()) <= 4 and not re.search(r"[:;,：；，،、–]", item)
