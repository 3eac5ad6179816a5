"""What people call things, in every language that has sentences."""

import pytest
from home_assistant_intents import get_languages

from wyoming_openai.context.vocabulary import Vocabulary, best_language, fold, is_joined, load_vocabulary, words


@pytest.mark.parametrize(
    ("language", "word", "kind"),
    [
        ("en", "lamps", "light"),
        ("en", "warm", ":temperature"),
        ("de", "Rollladen", ":shutter"),
        ("de-AT", "Fenster", ":window"),
        ("fr", "lumières", "light"),
        ("nl", "weer", "weather"),
        ("pl", "świateł", "light"),
        ("ru", "лампы", "light"),
        ("ar", "النوافذ", ":window"),
        ("ko", "창문", ":window"),
        ("zh", "窗户", ":window"),
        ("ja", "照明", "light"),
        ("th", "หน้าต่าง", ":window"),
        ("tr", "pencere", ":window"),
        ("vi", "cửa sổ", ":window"),
        ("sv", "batterier", ":battery"),
        ("hi", "नमी", ":humidity"),
    ],
)
def test_kinds_are_known_in_the_language_spoken(language: str, word: str, kind: str) -> None:
    assert kind in load_vocabulary(language).kinds[fold(word)]


@pytest.mark.parametrize("word", ["is", "the", "what", "please", "all", "which", "how", "in"])
def test_words_that_stand_everywhere_name_nothing(word: str) -> None:
    vocabulary = load_vocabulary("en")
    assert word not in vocabulary.kinds
    assert word not in vocabulary.hints


@pytest.mark.parametrize(
    ("language", "word", "states"),
    [("en", "unlocked", {"unlocked"}), ("en", "locked", {"locked"}), ("de", "offen", {"open", "on"})],
)
def test_states_are_known_by_their_words(language: str, word: str, states: set[str]) -> None:
    assert load_vocabulary(language).states[word] == states


@pytest.mark.parametrize("language", sorted(get_languages()))
def test_every_language_has_a_word_for_light_that_names_little_else(language: str) -> None:
    lights = [kinds for kinds in load_vocabulary(language).kinds.values() if "light" in kinds]
    assert any(len(kinds) == 1 for kinds in lights)


def test_language_without_sentences_has_no_words() -> None:
    assert load_vocabulary("tlh") == Vocabulary()


@pytest.mark.parametrize(
    ("language", "best"), [("de-AT", "de"), ("pt_PT", "pt"), ("no", "nb"), ("zh-Hant-TW", "zh-CN"), ("tlh", None)]
)
def test_closest_sentences_are_taken(language: str, best: str | None) -> None:
    assert best_language(language) == best


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Küche", "kuche"),
        ("Łazienka", "łazienka".replace("ł", "l")),
        ("SØVÆRELSE", "sovaerelse"),
        ("Ёлка", "елка"),
        ("रसोई", "रसोई"),
        ("부엌", "부엌"),
        ("ﾗｲﾄ", "ライト"),
    ],
)
def test_folding_drops_accents_but_no_letters(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_words_keep_the_vowels_of_india() -> None:
    assert words("रसोई की बत्ती!") == ["रसोई", "की", "बत्ती"]


def test_scripts_without_blanks_are_recognised() -> None:
    assert [is_joined(text) for text in ("Küche", "부엌", "台所", "ครัว", "キッチン")] == [
        False,
        False,
        True,
        True,
        True,
    ]
