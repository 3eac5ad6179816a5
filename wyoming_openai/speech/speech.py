"""What a model writes, made fit to be spoken, piece by piece. Pure.

The law: however the text is cut into pieces, the outputs of `Speech` joined together are `speakable(text)`. It holds
because the text is first cut anew, character by character, into lines and sentences; all else looks at those only.
"""

from collections.abc import Iterator

from . import sentence_ends
from .line_reader import LineReader
from .sentence_buffer import SentenceBuffer
from .sentence_ends import CLOSERS, NARROW, WIDE

_PATIENCE = 400  # characters after which an opened bracket counts as a stray one


def speakable(text: str, language: str, truncated: bool = False) -> str:
    """The whole text as it should be spoken; empty if nothing of it can be."""
    speech = Speech(language)
    return speech.feed(text) + speech.finish(truncated)


def sentences(text: str, language: str) -> list[str]:
    """The sentences of a speakable text, in every script."""
    return sentence_ends.split(text, language)


def seconds(text: str, language: str) -> float:
    """How long a voice takes to say this, roughly."""
    return sentence_ends.seconds(text, language)


def cut_to(text: str, seconds: float, language: str) -> tuple[str, str]:
    """A speakable text cut into the whole sentences that can be said in that time, and the rest.

    The first part is never empty: a first sentence that is too long is cut at a pause, or at a word.
    """
    mouth = SentenceBuffer(language, seconds)
    mouth.trust()
    mouth.add(text)
    mouth.finish(truncated=False)
    return mouth.take().strip(), mouth.rest.strip()


class Speech:
    """Turns the text of one reply into speakable text as it arrives, a sentence at a time."""

    def __init__(self, language: str, limit: float | None = None) -> None:
        """`limit`: seconds of speech after which the sentences go to `rest`."""
        self._cutter = _Cutter(language)
        self._mouth = SentenceBuffer(language, limit)
        self._reader = LineReader(language, self._mouth)

    @property
    def rest(self) -> str:
        """The sentences beyond the limit, so far."""
        return self._mouth.rest.strip()

    def feed(self, piece: str) -> str:
        """Take more of the text; what of it is final now."""
        for chunk, following in self._cutter.feed(piece):
            self._reader.read(chunk, more=following != "\n")
            self._mouth.settle(following)
        return self._mouth.take()

    def finish(self, truncated: bool = False) -> str:
        """The text has ended, by the token limit if `truncated`; what is left to say."""
        self._reader.finish(self._cutter.rest(), truncated)
        self._mouth.finish(truncated)
        return self._mouth.take()


class _Cutter:
    """Cuts raw text after each line, and between the sentences of a line where no bracket, code or tag is open."""

    _OPENERS = frozenset("([{【（")
    _CLOSERS = frozenset(")]}】）")
    _AFTER_END = frozenset(NARROW + WIDE + CLOSERS + "_~`")

    def __init__(self, language: str) -> None:
        self._narrow = frozenset(sentence_ends.signs(language)) - frozenset(WIDE)
        self._signs = self._narrow | frozenset(WIDE + CLOSERS + "([{【（`<>|*_~")
        self._pending: list[str] = []
        self._begin_line()

    def _begin_line(self) -> None:
        self._depth = 0
        self._code = self._tag = self._row = False
        self._opened = 0
        self._begin_sentence()

    def _begin_sentence(self) -> None:
        self._has_word = False
        self._starred = False
        self._end = ""
        """What was seen of the end of a sentence: "mark", "wide" (needs no blank after it) or "blank"."""

    def feed(self, piece: str) -> Iterator[tuple[str, str]]:
        """The chunks that are whole now, each with the first character after it."""
        for character in piece:
            if self._end and self._may_cut(character):
                yield self.rest(), character
                self._begin_sentence()
            self._pending.append(character)
            if character == "\n":
                yield self.rest(), character
                self._begin_line()
            elif character in self._signs:
                self._note(character)
            elif character.isspace():
                self._end = self._end and "blank"
            else:
                self._end = ""
                self._has_word = self._has_word or character.isalpha()

    def rest(self) -> str:
        """Take what is pending."""
        chunk = "".join(self._pending)
        self._pending.clear()
        return chunk

    def _may_cut(self, character: str) -> bool:
        if self._end == "mark" or character.isspace() or character == "»":  # French has a blank before it
            return False
        if self._end == "wide" and self._belongs(character):
            return False
        return self._has_word and not self._row and not self._is_open()

    def _belongs(self, character: str) -> bool:
        """Whether this character directly after the end of a sentence is a part of it."""
        if character == "*":
            return self._starred
        return character in self._AFTER_END or sentence_ends.goes_on(self._pending[-1], character)

    def _is_open(self) -> bool:
        if (self._depth > 0 or self._code or self._tag) and len(self._pending) - self._opened > _PATIENCE:
            self._depth, self._code, self._tag = 0, False, False
        return self._depth > 0 or self._code or self._tag

    def _note(self, character: str) -> None:
        if character in WIDE:
            self._end = "wide"
        elif character in self._narrow:
            self._end = "wide" if self._end == "wide" else "mark"
        elif character in self._OPENERS:
            self._depth, self._opened, self._end = self._depth + 1, len(self._pending), ""
        elif character in self._CLOSERS:
            self._depth -= self._depth > 0
        elif character == "`" and self._pending[-2:-1] != ["`"]:
            self._code, self._opened = not self._code, len(self._pending)
        elif character == "*" and self._pending[-2:-1] != ["*"]:
            self._starred = not self._starred
        elif character in "<>":
            self._tag, self._opened = character == "<", len(self._pending)
        elif character == "|" and not self._tag:
            self._row = True
