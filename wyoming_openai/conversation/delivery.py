"""How an answer is handed to an ear: as much as fits, and no question that nobody can answer. Pure."""

from collections.abc import Iterator

from ..speech import cut_to, seconds, sentences
from ..speech.phrasebook import say
from .cues import is_idle_question, is_question


class Delivery:
    """Takes speakable text in pieces and lets out what is to be said of it.

    Whole sentences within the limit are let out at once, except a question, which waits for what follows it.
    """

    def __init__(self, language: str, limit: float, *, keeps_listening: bool, can_go_on: bool) -> None:
        """`limit`: seconds of speech; `keeps_listening`: whether a question at the end can be answered;
        `can_go_on`: whether we would know what to go on with."""
        self._language = language
        self._left = limit
        self._keeps_listening = keeps_listening
        self._offers = can_go_on
        self._begun = False
        self._question = ""
        """Held back: perhaps the last sentence."""
        self._beyond: list[str] = []
        self._said: list[str] = []

    @property
    def said(self) -> str:
        """What was let out so far."""
        return "".join(self._said).strip()

    @property
    def is_full(self) -> bool:
        """Whether no more can be said."""
        return bool(self._beyond)

    @property
    def rest(self) -> str:
        """What did not fit."""
        return "".join(self._beyond).strip()

    def feed(self, piece: str) -> str:
        """Take more of the text, whole sentences of it; what may be said now."""
        return self._saying("".join(self._let_out(sentence) for sentence in _split(piece, self._language)))

    def finish(self) -> str:
        """The text has ended; the last that is to be said. Where there is more, and an ear for it: the offer."""
        return self._saying(self._last())

    def _saying(self, text: str) -> str:
        self._said.append(text)
        return text

    def _last(self) -> str:
        if self._beyond:
            return " " + say("shall_i_go_on", self._language) if self._offers else ""
        question, self._question = self._question, ""
        if self._begun and not self._keeps_listening and is_idle_question(question, self._language):
            return ""
        return question

    def _let_out(self, sentence: str) -> str:
        if self._beyond:
            self._beyond.append(sentence)
            return ""
        cost = seconds(sentence, self._language)
        if cost > self._left:
            return self._end(sentence)
        self._left -= cost
        before, self._question = self._question, ""
        if is_question(sentence, self._language):
            self._question = sentence
            return self._say(before)
        return self._say(before + sentence)

    def _end(self, sentence: str) -> str:
        """This sentence is too long: it goes to the rest, and a question just before it with it."""
        question, self._question = self._question, ""
        if self._begun:
            self._beyond = [question + sentence]
            return ""
        if question:
            self._beyond = [sentence]
            return self._say(question)
        head, tail = cut_to(sentence, self._left, self._language)
        self._beyond = [tail] if tail else []
        self._left = 0
        return self._say(head)

    def _say(self, text: str) -> str:
        self._begun = self._begun or bool(text.strip())
        return text


def _split(text: str, language: str) -> Iterator[str]:
    """The sentences with the blanks around them: joined they are the text."""
    begin = 0
    for sentence in sentences(text, language)[:-1]:
        end = text.index(sentence, begin) + len(sentence)
        yield text[begin:end]
        begin = end
    if begin < len(text):
        yield text[begin:]
