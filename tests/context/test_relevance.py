"""Names are found exact, inflected, compounded, misheard, and in scripts without blanks."""

import pytest

from wyoming_openai.context.relevance import NameIndex, Sentence, SimilarWords

NAMES = (
    ("Kitchen lamp",),
    ("Kitchen lamp 2",),
    ("Wohnzimmerlampe",),
    ("Küche",),
    ("Keittiö",),
    ("Кухня",),
    ("寝室シーリングライト",),
    ("客厅吸顶灯2",),
    ("거실",),
    ("مطبخ",),
    ("Staubsauger",),
    ("Living room television",),
    ("Thermostat",),
)


@pytest.fixture(scope="module")
def index() -> NameIndex:
    return NameIndex(NAMES)


def best(index: NameIndex, text: str) -> str:
    """The name that fits a sentence best."""
    found = index.find(Sentence(text))
    return NAMES[max(found, key=lambda doc: (found[doc].score, found[doc].whole))][0] if found else ""


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("is the kitchen lamp on", "Kitchen lamp"),
        ("is kitchen lamp 2 on", "Kitchen lamp 2"),
        ("the lamp in the kitchen", "Kitchen lamp"),
        ("die Wohnzimmer Lampe", "Wohnzimmerlampe"),
        ("in der Kueche", "Küche"),
        ("KÜCHE", "Küche"),
        ("keittiössä", "Keittiö"),
        ("на кухне", "Кухня"),
        ("寝室シーリングライトはついていますか", "寝室シーリングライト"),
        ("客厅的吸顶灯2开着吗", "客厅吸顶灯2"),
        ("거실의 온도", "거실"),
        ("بالمطبخ", "مطبخ"),
        ("livingroom television", "Living room television"),
        ("the televison in the living rom", "Living room television"),
        ("termostat", "Thermostat"),
        ("Staubsaugers", "Staubsauger"),
    ],
)
def test_name_is_found(index: NameIndex, said: str, name: str) -> None:
    assert best(index, said) == name


@pytest.mark.parametrize("said", ["", "?!", "hello there", "one two three", "xyzzy"])
def test_nothing_is_found_where_nothing_is_named(index: NameIndex, said: str) -> None:
    assert all(match.score < 0.6 for match in index.find(Sentence(said)).values())


def test_the_longest_of_overlapping_names_is_meant(index: NameIndex) -> None:
    spans = index.whole_names(Sentence("turn kitchen lamp 2 off"))
    assert [NAMES[doc][0] for span in spans for doc in span.docs] == ["Kitchen lamp 2"]


def test_words_of_the_language_are_no_misheard_names() -> None:
    index = NameIndex([("Oven",)])
    assert index.find(Sentence("what is open"))
    assert not index.find(Sentence("what is open", common={"what", "is", "open"}))


def test_function_words_name_nothing_but_themselves() -> None:
    index = NameIndex([("Water pump",)])
    assert not index.find(Sentence("wat is dat", common={"wat"}, function={"wat", "is", "dat"}))


def test_long_sentences_and_names_are_bounded() -> None:
    index = NameIndex([("lamp " * 1000,), ("Lamp",)])
    assert best_score(index, "lamp " * 1000) > 0
    assert len(Sentence("word " * 1000).words) <= 80


def best_score(index: NameIndex, text: str) -> float:
    return max(match.score for match in index.find(Sentence(text)).values())


def test_same_names_are_known() -> None:
    index = NameIndex([("Lamp",), ("lamp", "Star"), ("Fan",), ("STAR",)])
    assert sorted(index.same_names()) == [(0, 1), (1, 3)]


@pytest.mark.parametrize(
    ("word", "fuzzy", "found"),
    [
        ("window", False, "windows"),
        ("wimdows", True, "windows"),
        ("wimdows", False, ""),
        ("kitchn", True, "kitchen"),
        ("fone", True, "phone"),
        ("windowsill", False, "windows"),
    ],
)
def test_similar_words(word: str, fuzzy: bool, found: str) -> None:
    similar = SimilarWords(["windows", "kitchen", "phone", "garage"]).to(word, fuzzy=fuzzy)
    assert next(iter(similar), "") == found
