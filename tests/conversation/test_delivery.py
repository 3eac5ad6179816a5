"""As much is said as fits, and no question is asked that nobody can answer."""

import pytest

from wyoming_openai.conversation.cues import is_idle_question
from wyoming_openai.conversation.delivery import Delivery
from wyoming_openai.speech.phrasebook import LANGUAGES, say

LONG = " ".join(f"This is sentence number {number} of a long story." for number in range(1, 30))


def delivered(
    *pieces: str, limit: float = 1000, keeps_listening: bool = False, language: str = "en"
) -> tuple[str, str]:
    """What is said and what is kept."""
    delivery = Delivery(language, limit, keeps_listening=keeps_listening, can_go_on=keeps_listening)
    said = "".join(delivery.feed(piece) for piece in pieces) + delivery.finish()
    return said, delivery.rest


def test_what_fits_is_said_unchanged() -> None:
    assert delivered("It is 21.5 °C.", " The window is open.") == ("It is 21.5 °C. The window is open.", "")


def test_what_is_too_long_ends_with_a_sentence_and_an_offer_where_it_can_be_answered() -> None:
    said, rest = delivered(LONG, limit=10, keeps_listening=True)
    assert said.endswith(". " + say("shall_i_go_on", "en"))
    assert said.removesuffix(" " + say("shall_i_go_on", "en")) + " " + rest == LONG


def test_no_offer_is_made_to_a_closed_microphone() -> None:
    said, rest = delivered(LONG, limit=10)
    assert said.endswith("story.")
    assert said + " " + rest == LONG


def test_a_cut_never_ends_with_a_question_of_the_text() -> None:
    said, rest = delivered("The sun is a star.", " But why is it hot?", " " + LONG, limit=3)
    assert said == "The sun is a star."
    assert rest.startswith("But why is it hot? This is")


def test_one_sentence_that_is_too_long_is_cut_at_a_pause() -> None:
    said, rest = delivered("one two three, four five six, " * 60 + "end.", limit=5)
    assert said.endswith(("three.", "six."))
    assert rest.endswith("end.")


def test_languages_without_blanks_are_cut_as_well() -> None:
    text = "今日は晴れです。明日は雨が降るでしょう。" * 20
    said, rest = delivered(text, limit=10, language="ja")
    assert said + rest == text
    assert 20 < len(said) < 100


@pytest.mark.parametrize(
    ("language", "answer", "question"),
    [
        ("en", "The light is on.", " Anything else?"),
        ("en", "The light is on.", " Is there anything else I can help you with?"),
        ("en", "The garage is open.", " Would you like me to check the other doors?"),
        ("en", "I'm doing well.", " How can I help you?"),
        ("de", "Das Licht ist an.", " Kann ich sonst noch etwas für dich tun?"),
        ("de", "Das Fenster ist offen.", " Soll ich die Heizung prüfen?"),
        ("fr", "La porte est fermée.", " Puis-je vous aider avec autre chose ?"),
        ("es", "La luz está encendida.", " ¿Quieres saber algo más?"),
        ("el", "Το φως είναι αναμμένο.", " Θέλεις κάτι άλλο;"),
        ("ru", "Свет включён.", " Чем я ещё могу помочь?"),
        ("ja", "電気はついています。", "他に何かありますか。"),
        ("zh-CN", "灯开着。", "还有什么需要帮忙的吗？"),
        ("ar", "الضوء مضاء.", " هل تريد أي شيء آخر؟"),
    ],
)
def test_an_idle_question_at_the_end_is_for_phones_only(language: str, answer: str, question: str) -> None:
    assert delivered(answer, question, language=language) == (answer, "")
    assert delivered(answer, question, language=language, keeps_listening=True) == (answer + question, "")


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "There are two lamps. Which one do you mean?"),
        ("en", "I'm not sure. Do you mean the ceiling lamp?"),
        ("en", "There is a lamp and a fan. The lamp or the fan?"),
        ("en", "Anything else?"),
        ("de", "Es gibt zwei Lampen. Welche meinst du?"),
        ("ja", "二つあります。どの部屋ですか？"),
        ("eo", "La lampo brilas. Ĉu ion alian?"),
    ],
)
def test_a_question_that_wants_an_answer_or_is_all_there_is_stays(language: str, text: str) -> None:
    assert delivered(text, language=language)[0] == text


def test_a_question_in_the_middle_stays() -> None:
    text = "Do you like riddles? Here is one. Anything goes."
    assert delivered(text)[0] == text


@pytest.mark.parametrize("language", LANGUAGES)
def test_our_own_offer_is_known_as_idle_in_every_language_that_marks_questions(language: str) -> None:
    offer = say("shall_i_go_on", language)
    assert not offer.endswith(("?", "？", "؟")) or is_idle_question(offer, language)
