"""What a model writes, made fit to be spoken, piece by piece. Pure.

The law: however the text is cut into pieces, the outputs of `Speech` joined together are `speakable(text)`. It holds
because the text is first cut anew, character by character, into lines and sentences; all else looks at those only.
"""

from collections.abc import Iterator

from ._speech import sentence_ends
from ._speech.reader import Reader
from ._speech.sentence_ends import CLOSERS, NARROW, WIDE
from ._speech.words import MUSING, WIDE_LETTER, marks

_PATIENCE = 400  # characters after which an opened bracket counts as a stray one
_LONGEST = 1000  # characters held back for the end of a sentence


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
    mouth = _Mouth(language, seconds)
    mouth.trust()
    mouth.add(text)
    mouth.finish(truncated=False)
    return mouth.take().strip(), mouth.rest.strip()


class Speech:
    """Turns the text of one reply into speakable text as it arrives, a sentence at a time."""

    def __init__(self, language: str, limit: float | None = None) -> None:
        """`limit`: seconds of speech after which the sentences go to `rest`."""
        self._cutter = _Cutter()
        self._mouth = _Mouth(language, limit)
        self._reader = Reader(language, self._mouth)

    @property
    def rest(self) -> str:
        """The sentences beyond the limit, so far."""
        return self._mouth.rest.strip()

    def feed(self, piece: str) -> str:
        """Take more of the text; what of it is final now."""
        for chunk in self._cutter.feed(piece):
            self._reader.read(chunk)
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
    _SIGNS = frozenset(NARROW + WIDE + CLOSERS + "([{【（`<>|*_~")
    _AFTER_END = frozenset(NARROW + WIDE + CLOSERS + "*_~`")

    def __init__(self) -> None:
        self._pending: list[str] = []
        self._begin_line()

    def _begin_line(self) -> None:
        self._depth = 0
        self._code = self._tag = self._row = False
        self._opened = 0
        self._begin_sentence()

    def _begin_sentence(self) -> None:
        self._has_word = False
        self._end = ""
        """What was seen of the end of a sentence: "mark", "wide" (needs no blank after it) or "blank"."""

    def feed(self, piece: str) -> Iterator[str]:
        """The chunks that are whole now."""
        for character in piece:
            if self._end and self._may_cut(character):
                yield self.rest()
                self._begin_sentence()
            self._pending.append(character)
            if character == "\n":
                yield self.rest()
                self._begin_line()
            elif character in self._SIGNS:
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
        if self._end == "wide" and (
            character in self._AFTER_END or sentence_ends.goes_on(self._pending[-1], character)
        ):
            return False
        return self._has_word and not self._row and not self._is_open()

    def _is_open(self) -> bool:
        if (self._depth > 0 or self._code or self._tag) and len(self._pending) - self._opened > _PATIENCE:
            self._depth, self._code, self._tag = 0, False, False
        return self._depth > 0 or self._code or self._tag

    def _note(self, character: str) -> None:
        if character in WIDE:
            self._end = "wide"
        elif character in NARROW:
            self._end = "wide" if self._end == "wide" else "mark"
        elif character in self._OPENERS:
            self._depth, self._opened, self._end = self._depth + 1, len(self._pending), ""
        elif character in self._CLOSERS:
            self._depth -= self._depth > 0
        elif character == "`" and self._pending[-2:-1] != ["`"]:
            self._code, self._opened = not self._code, len(self._pending)
        elif character in "<>":
            self._tag, self._opened = character == "<", len(self._pending)
        elif character == "|" and not self._tag:
            self._row = True


class _Mouth:
    """Lets whole sentences out, as many as fit the limit, and holds back what may still change."""

    def __init__(self, language: str, limit: float | None) -> None:
        self._language = language
        self._left = limit
        self._held = ""
        """Since the last whole sentence."""
        self._kept: list[str] = []
        """Whole sentences that are perhaps not the answer."""
        self._holding = self._trusted = self._begun = self._full = self._apart = False
        self._out: list[str] = []
        self._beyond: list[str] = []

    @property
    def rest(self) -> str:
        """What did not fit the limit."""
        return "".join(self._beyond)

    def take(self) -> str:
        """What was let out since the last time."""
        text = "".join(self._out)
        self._out.clear()
        return text

    def add(self, text: str) -> None:
        start = sentence_ends.settled(self._held)
        self._held += f" {text}" if self._apart else text
        self._apart = False
        begin = 0
        for end in sentence_ends.ends(self._held, self._language, start=start):
            self._sentence(self._held[begin:end])
            begin = end
        self._held = self._held[begin:]
        if len(self._held) > _LONGEST:
            end = _pause_before(self._held, len(self._held))
            self._sentence(self._held[:end])
            self._held = self._held[end:]

    def hold(self) -> None:
        self._holding = not self._begun

    def trust(self) -> None:
        self._trusted = True
        self._let_out_kept()

    def _let_out_kept(self) -> None:
        kept, self._kept = self._kept, []
        for sentence in kept:
            self._let_out(sentence)

    def forget(self) -> None:
        self._held, self._holding, self._apart = "", False, self._begun
        self._kept.clear()

    def amend(self, unwanted: str) -> None:
        self._held = self._held.rstrip(unwanted + " ")

    def finish(self, truncated: bool) -> None:
        """Let out the rest; of a truncated text only whole sentences, if there is one."""
        text = self._held.rstrip()
        if truncated:
            text = self._whole(text)
        self._let_out_kept()
        if text:
            begin = 0
            for end in (*sentence_ends.ends(text, self._language), len(text)):
                self._let_out(text[begin:end])
                begin = end
        self.forget()

    def _whole(self, text: str) -> str:
        end = max(sentence_ends.ends(text, self._language, whole=True), default=0)
        if end or self._begun or self._kept:
            return text[:end]
        text = text.rstrip(" .…,;:，、،；：–—-([{（「『“„«\"'¿¡/&+=\xa0\u202f")
        return text + marks(text, self._language).stop if text else ""

    def _sentence(self, sentence: str) -> None:
        """A sentence is whole; the first one may show that a model is thinking aloud."""
        if not (self._begun or self._kept or self._trusted) and MUSING.match(sentence):
            self._holding = True
        if self._holding and not self._trusted:
            self._kept.append(sentence)
        else:
            self._let_out(sentence)

    def _let_out(self, sentence: str) -> None:
        if self._full:
            self._beyond.append(sentence)
            return
        cost = sentence_ends.seconds(sentence, self._language)
        if self._left is not None and cost > self._left:
            self._full = True
            if self._begun:
                self._beyond.append(sentence)
                return
            sentence = self._squeeze(sentence, self._left)
        self._left = None if self._left is None else self._left - cost
        self._begun = True
        self._out.append(sentence)

    def _squeeze(self, sentence: str, limit: float) -> str:
        """The part of a too long first sentence that can be said in time; the other part is beyond."""
        end = len(sentence)
        while end > 1 and sentence_ends.seconds(sentence[:end], self._language) > limit:
            end = end * 7 // 8
        end = _pause_before(sentence, end)
        head = sentence[:end].rstrip(" ,;:，、；：–—-")
        if not head or not any(character.isalnum() for character in sentence[end:]):
            return sentence
        self._beyond.append(sentence[end:])
        return head if head[-1:] in NARROW + WIDE else head + marks(head, self._language).stop


def _pause_before(text: str, end: int) -> int:
    """The last pause between words before `end`, preferably one with a comma."""
    comma = max(text.rfind(sign, end // 3, end) for sign in (", ", "; ", ": ", "，", "、", "، ", "；", " – "))
    if comma > 0:
        return comma + 1
    blank = text.rfind(" ", 1, end)
    if blank < 0 and not WIDE_LETTER.search(text, 0, end):
        blank = text.find(" ", end)
        return blank if blank > 0 else len(text)
    return blank if blank > 0 else end
