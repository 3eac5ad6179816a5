"""What people say to begin, to end and to carry on a talk, and what a model says to end one. Pure."""

import re
import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import TypedDict

import orjson

from ..speech import seconds
from ..speech.phrasebook import affirmations, goodbyes, greetings, nearest

PAUSE = 20.0
"""Seconds of silence on a phone after which somebody else may be speaking.

Home Assistant's phone listens for 14 s, then plays a tone and listens again; hearing the end of a sentence and writing
it down takes another 2 to 3 s.
"""
_BEFORE_SPEECH = 3.0  # seconds until a phone speaks our answer: synthesis and tones
_SLOWER = 1.3  # seconds of synthesis and speech for one of speech: a phone gets its audio when all of it is made

_WIDE = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u9fff]")
"""Scripts without blanks between words. Korean has them."""
_QUESTION_MARKS = "?？؟\u037e՞፧⁇⁈‽"
_JAPANESE_QUESTION = re.compile(r"か[。.]?$")
_CLOSERS = "\"'”’“‘»«›‹)]}」』）］】》 *_"


def is_greeting(text: str, language: str) -> bool:
    """Whether a sentence begins with a greeting."""
    words = _words(text)
    return any(_begins(words, phrase) for phrase in _phrases(greetings(language)))


def is_goodbye(text: str, language: str) -> bool:
    """Whether a sentence begins or ends with a goodbye."""
    words = _words(text)
    return any(_begins(words, phrase) or _ends(words, phrase) for phrase in _phrases(goodbyes(language)))


def is_affirmation(text: str, language: str) -> bool:
    """Whether somebody says yes, or asks us to go on, and says nothing else."""
    words = _words(text)
    phrases = _phrases(affirmations(language))
    for _ in range(4):  # "yes please, go on"
        if not words:
            return False
        if words in phrases:
            return True
        begin = max((phrase for phrase in phrases if words.startswith(phrase + " ")), key=len, default=None)
        if begin is None:
            return False
        words = words[len(begin) + 1 :]
    return False


def is_new_call(silence: float, answer: str, question: str, language: str) -> bool:
    """Whether somebody else may have lifted the receiver.

    `silence` is the time from our last answer, sent and not yet spoken, to this question, spoken and written down.
    """
    spoken = _BEFORE_SPEECH + _SLOWER * seconds(answer, language) + seconds(question, language)
    return is_greeting(question, language) or silence > spoken + PAUSE


def is_question(sentence: str, language: str) -> bool:
    """Whether a sentence is a question, in scripts that mark one."""
    bare = sentence.rstrip(_CLOSERS)
    marks = _QUESTION_MARKS + ";" * language.startswith("el")
    return bool(bare) and (bare[-1] in marks or bool(_JAPANESE_QUESTION.search(bare)))


def is_idle_question(sentence: str, language: str) -> bool:
    """Whether a question only offers more, as "Anything else?" does: what was asked has its answer without it.

    A question that wants a choice or a fact ("Which lamp?") is none, and none is where we do not know the language.
    """
    tag = nearest(language)
    if not is_question(sentence, language) or not language.lower().startswith(tag.partition("-")[0]):
        return False
    known = _ENDINGS[tag]
    words = f" {_words(sentence)} "
    wide = bool(_WIDE.search(words))
    if any(phrase in words for phrase in known["offers"]):
        return True
    return not any((word if wide else f" {word} ") in words for word in known["asks"])


class _Endings(TypedDict):
    offers: list[str]
    """Parts of questions that offer more."""
    asks: list[str]
    """Words of questions that want a choice or a fact."""


_ENDINGS: dict[str, _Endings] = orjson.loads((Path(__file__).parent.parent / "data" / "questions.json").read_bytes())


def _words(text: str) -> str:
    """The words alone, small, one blank between them."""
    small = unicodedata.normalize("NFC", text).casefold().replace("’", "'")
    return " ".join("".join(letter if _is_of_word(letter) else " " for letter in small).split())


@lru_cache(maxsize=128)
def _phrases(phrases: tuple[str, ...]) -> frozenset[str]:
    return frozenset(map(_words, phrases))


def _is_of_word(letter: str) -> bool:
    """Letters, digits, and the signs that many scripts write vowels with."""
    return letter == "'" or unicodedata.category(letter)[0] in "LMN"


def _begins(words: str, phrase: str) -> bool:
    return words == phrase or words.startswith(phrase if _is_wide(phrase) else phrase + " ")


def _ends(words: str, phrase: str) -> bool:
    return words == phrase or words.endswith(phrase if _is_wide(phrase) else " " + phrase)


def _is_wide(phrase: str) -> bool:
    """Whether it is written without blanks around words, and long enough to be no part of another word."""
    return len(phrase) > 1 and bool(_WIDE.search(phrase))
