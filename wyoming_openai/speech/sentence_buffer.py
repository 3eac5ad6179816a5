"""What is said, sentence by sentence: what is let out, what is held back, what is beyond the limit."""

from collections.abc import Iterator

from . import sentence_ends
from .sentence_ends import NARROW, WIDE
from .words import MUSING, THINKING, WIDE_LETTER, marks

_OPENING = "¿¡“„«「『"
_LONGEST = 1000  # characters held back for the end of a sentence


class SentenceBuffer:
    """Lets whole sentences out, as many as fit the limit, and holds back what may still change."""

    def __init__(self, language: str, limit: float | None) -> None:
        self._language = language
        self._left = limit
        self._held = ""
        """Since the last whole sentence."""
        self._kept: list[str] = []
        """Whole sentences that are perhaps not the answer."""
        self._holding = False
        self._trusted = False
        self._begun = False
        """Something is let out."""
        self._full = False
        self._apart = False
        """What comes next follows something that was forgotten."""
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
        """Say this after what was said."""
        start = sentence_ends.settled(self._held)
        self._held += f" {text}" if self._apart else text
        self._apart = False
        self._release(sentence_ends.ends(self._held, self._language, start=start))
        if len(self._held) > _LONGEST:
            self._release(iter((_pause_before(self._held, len(self._held)),)))

    def settle(self, following: str) -> None:
        """The writer goes on with this character: a sentence that has ended need not wait for what comes of it."""
        start = sentence_ends.settled(self._held)
        if following == "\n":
            self._release(sentence_ends.ends(self._held, self._language, start=start, whole=True))
        elif following.isalnum() or following in _OPENING:
            self._release(sentence_ends.ends(f"{self._held} {following}", self._language, start=start))

    def _release(self, ends: Iterator[int]) -> None:
        held, begin = self._held, 0
        for end in ends:
            self._sentence(held[begin:end])
            begin = end
        self._held = held[begin:]

    def hold(self) -> None:
        """Let nothing out until it is clear whether this is the answer."""
        self._holding = not self._begun

    def trust(self) -> None:
        """What comes now is the answer."""
        self._trusted = True
        self._let_out_kept()

    def _let_out_kept(self) -> None:
        kept, self._kept = self._kept, []
        for sentence in kept:
            self._let_out(sentence)

    def forget(self) -> None:
        """What is not let out yet was not the answer."""
        self._held, self._holding, self._apart = "", False, self._begun
        self._kept.clear()

    def amend(self, unwanted: str) -> None:
        """Take these characters off the end, as far as it is not let out yet."""
        self._held = self._held.rstrip(unwanted + " ")

    def finish(self, truncated: bool) -> None:
        """Let out the rest; of a truncated text only whole sentences, if there is one."""
        text = self._held.rstrip()
        if truncated and not self._trusted and THINKING.match("".join(self._kept[:1]) or text) and not self._begun:
            self.forget()  # cut before the tag that would have ended its reasoning
            return
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
