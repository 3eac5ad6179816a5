"""Our own sentences: whole in every language, fit to be spoken, and found for every tag."""

import ast
import re
import string
import unicodedata
from pathlib import Path

import orjson
import pytest

import wyoming_openai
from tests.fakes.source import parsed
from wyoming_openai.llm import ModelError
from wyoming_openai.speech import phrasebook
from wyoming_openai.speech.phrasebook import KEYS, LANGUAGES, affirmations, goodbyes, greetings, say

PACKAGE = Path(wyoming_openai.__file__).parent
DATA = orjson.loads((PACKAGE / "data" / "sentences.json").read_bytes())
SCRIPTS = {
    "ar": {"ARABIC"},
    "bg": {"CYRILLIC"},
    "bn": {"BENGALI"},
    "el": {"GREEK"},
    "fa": {"ARABIC"},
    "he": {"HEBREW"},
    "hi": {"DEVANAGARI"},
    "ja": {"HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "CJK"},
    "ko": {"HANGUL"},
    "ru": {"CYRILLIC"},
    "sr": {"CYRILLIC"},
    "th": {"THAI"},
    "uk": {"CYRILLIC"},
    "zh-CN": {"CJK"},
    "zh-TW": {"CJK"},
}
"""What a language's letters are called in Unicode, where they are not Latin."""


def test_at_least_thirty_languages_are_spoken() -> None:
    assert len(LANGUAGES) >= 30
    assert LANGUAGES[0] == "en"


@pytest.mark.parametrize("language", LANGUAGES)
class TestEveryLanguage:
    def test_has_every_sentence(self, language: str) -> None:
        assert DATA[language]["sentences"].keys() == KEYS
        assert DATA[language].keys() == DATA["en"].keys()

    def test_has_the_same_placeholders_as_english(self, language: str) -> None:
        for key, sentence in DATA[language]["sentences"].items():
            assert _placeholders(sentence) == _placeholders(DATA["en"]["sentences"][key]), key

    def test_says_nothing_that_a_voice_cannot_read(self, language: str) -> None:
        for key, sentence in DATA[language]["sentences"].items():
            assert sentence, key
            assert sentence == sentence.strip(), key
            assert not re.search(r"[\d*_`#<>\[\]()|/\\\n\t]|  |https?:", sentence), key
            assert not any(unicodedata.category(char) in {"So", "Cc", "Co", "Cn"} for char in sentence), key

    def test_is_not_english_and_does_not_repeat_itself(self, language: str) -> None:
        spoken = list(DATA[language]["sentences"].values())
        assert len(set(spoken)) == len(spoken)
        if language != "en":
            assert not set(spoken) & set(DATA["en"]["sentences"].values())

    def test_keeps_to_its_own_script(self, language: str) -> None:
        for key, sentence in DATA[language]["sentences"].items():
            letters = filter(str.isalpha, sentence.replace("Home Assistant", ""))
            found = {unicodedata.name(letter).split()[0] for letter in letters}
            assert found <= SCRIPTS.get(language, {"LATIN"}), key

    def test_is_short(self, language: str) -> None:
        for key, sentence in DATA[language]["sentences"].items():
            assert len(sentence) <= 160, key

    def test_is_in_composed_form(self, language: str) -> None:
        for key, sentence in DATA[language]["sentences"].items():
            assert sentence == unicodedata.normalize("NFC", sentence), key

    def test_knows_words_as_a_recogniser_writes_them(self, language: str) -> None:
        for words in (greetings(language), goodbyes(language), affirmations(language)):
            assert len(words) >= 6
            assert len(set(words)) == len(words)
            for word in words:
                assert word
                assert word == word.strip().lower()
                assert all(unicodedata.category(char)[0] in "LM" or char in " '-\u200c" for char in word), word

    def test_takes_no_greeting_or_goodbye_for_a_yes(self, language: str) -> None:
        assert not set(affirmations(language)) & {*greetings(language), *goodbyes(language)}


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [
        ("de-CH", "de"), ("de_AT", "de"), ("DE", "de"), ("en-GB", "en"), ("es-419", "es"), ("fr-CA", "fr"),
        ("pt-PT", "pt"), ("pt-BR", "pt-BR"), ("pt-br", "pt-BR"), ("no", "nb"), ("nn-NO", "nb"), ("nb", "nb"),
        ("zh", "zh-CN"), ("zh-Hans", "zh-CN"), ("zh-SG", "zh-CN"), ("zh-HK", "zh-TW"), ("zh-Hant-HK", "zh-TW"),
        ("zh-Hant", "zh-TW"), ("sr-Latn-RS", "sr-Latn"), ("sr-RS", "sr"), ("bs", "hr"), ("iw-IL", "he"),
        ("tlh", "en"), ("", "en"), ("-", "en"), ("d" * 10_000, "en"), ("de" + "-x" * 10_000, "de"),
    ],
)  # fmt: skip
def test_nearest_language_is_spoken(asked: str, spoken: str) -> None:
    assert say("apology", asked) == DATA[spoken]["sentences"]["apology"]
    assert greetings(asked) == tuple(DATA[spoken]["greetings"])


def test_values_are_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(phrasebook._DATA["en"]["sentences"], "apology", "{name} is away.")
    assert say("apology", "en", name="{0.__class__} {name}") == "{0.__class__} {name} is away."


def test_unknown_key_is_a_bug() -> None:
    with pytest.raises(KeyError):
        say("greetings", "en")


def test_package_speaks_only_sentences_that_exist() -> None:
    spoken = {key for path in PACKAGE.rglob("*.py") for key in _sentence_keys(path)}
    assert spoken
    assert spoken <= KEYS


def test_every_failure_of_the_model_has_a_sentence() -> None:
    failures = ModelError.__subclasses__()
    assert failures
    assert {failure("").sentence_key for failure in failures} <= KEYS


def _sentence_keys(path: Path) -> set[str]:
    """The constant first arguments of `say(…)` and `CannotAnswer(…)` in a module."""
    tree = parsed(path)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]
    named = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id in {"say", "CannotAnswer"}]
    return {str(call.args[0].value) for call in named if isinstance(call.args[0], ast.Constant)}


def _placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}
