"""What people say to begin, to end and to carry on a talk is understood; who may be listening is noticed."""

import pytest

from wyoming_openai.conversation.cues import PAUSE, is_affirmation, is_goodbye, is_greeting, is_new_call, is_question
from wyoming_openai.speech.phrasebook import LANGUAGES, affirmations, goodbyes, greetings

ANSWER = "The kitchen is twenty degrees warm."


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_listed_phrase_is_understood_as_people_write_it(language: str) -> None:
    for phrase in greetings(language):
        assert is_greeting(f"{phrase.capitalize()}!", language), phrase
    for phrase in goodbyes(language):
        assert is_goodbye(f" {phrase.upper() if phrase.isascii() else phrase}.", language), phrase
    for phrase in affirmations(language):
        assert is_affirmation(f"{phrase.capitalize()}, {phrase}.", language), phrase


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Hello Mario, how are you?"),
        ("en-GB", "good morning"),
        ("de", "Hallo, wer spricht da?"),
        ("hi", "नमस्ते, आप कौन हैं?"),
        ("ja", "もしもし、誰ですか"),
        ("zh-CN", "你好，你是谁？"),
    ],
)
def test_a_greeting_begins_a_sentence(language: str, text: str) -> None:
    assert is_greeting(text, language)


@pytest.mark.parametrize(
    ("language", "text"),
    [("en", "Highlights of today"), ("en", "Say hello to Anna"), ("zh-CN", "早餐吃什么"), ("ko", "하이라이트 알려줘")],
)
def test_words_that_only_look_like_a_greeting_are_none(language: str, text: str) -> None:
    assert not is_greeting(text, language)


@pytest.mark.parametrize(
    ("language", "text"), [("en", "Okay, thanks, bye!"), ("en", "Goodbye, Mario."), ("de", "Alles klar, tschüss.")]
)
def test_a_goodbye_begins_or_ends_a_sentence(language: str, text: str) -> None:
    assert is_goodbye(text, language)


@pytest.mark.parametrize(
    ("language", "text"),
    [("en", "What does goodbye mean in French?"), ("en", "Is the bypass open"), ("zh", "下个礼拜")],
)
def test_words_that_only_look_like_a_goodbye_are_none(language: str, text: str) -> None:
    assert not is_goodbye(text, language)


@pytest.mark.parametrize("text", ["Yes.", "Yes, please. Go on!", "OK go ahead", "Sure"])
def test_who_says_only_yes_wants_more(text: str) -> None:
    assert is_affirmation(text, "en")


@pytest.mark.parametrize("text", ["", "no", "Yes, but why?", "Is the light on, yes or no", "more lights"])
def test_who_says_anything_else_wants_something_else(text: str) -> None:
    assert not is_affirmation(text, "en")


def test_a_greeting_or_a_long_silence_is_a_new_call() -> None:
    assert is_new_call(3, ANSWER, "Hello?", "en")
    assert is_new_call(PAUSE + 12, ANSWER, "And in the hall?", "en")
    assert not is_new_call(PAUSE, ANSWER, "And in the hall?", "en")


def test_a_long_answer_takes_its_time_to_be_spoken() -> None:
    assert not is_new_call(PAUSE + 12, ANSWER * 5, "And in the hall?", "en")


@pytest.mark.parametrize(
    ("language", "text"), [("en", 'Which "one?"'), ("ja", "他に何かありますか。"), ("el", "Τι;"), ("ar", "كيف حالك؟")]
)
def test_questions_are_known_by_their_marks(language: str, text: str) -> None:
    assert is_question(text, language)


@pytest.mark.parametrize(("language", "text"), [("en", "One; two;"), ("en", "It is."), ("en", ""), ("en", "***")])
def test_what_has_no_mark_is_no_question(language: str, text: str) -> None:
    assert not is_question(text, language)
