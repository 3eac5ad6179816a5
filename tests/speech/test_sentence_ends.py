"""Where sentences end, how long they take, and where a long answer stops."""

import pytest

from wyoming_openai.speech import cut_to, seconds, sentences


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", ["It is on.", "Is it?", "Yes!", "Well…", "Fine..."]),
        ("en", ["Dr. Smith and J. R. Ewing came at 5 p.m. to St. Paul's.", "They left."]),
        ("en", ["It is 21.5 °C, i.e. warm.", "No.", "No. 5 is cold, e.g. the bath."]),
        ("en", ["He lives in the U.S. now.", "It is 5 p.m.", "The door is closed."]),
        ("en", ["The voltage is 230 V.", "The current is 16 A.", "It is 21 °C.", "Done."]),
        ("en", ['He said: "It is on."', '"Really?"', "(It is.)", "Good."]),
        ("en", ["1. Milk is first.", "2. Eggs are second."]),
        ("en", ["the light is on.", "it is bright."]),
        ("en", ["Visit example.com today.", "Version 2.5.1 is out."]),
        ("de", ["Am 3. Oktober kommt Dr. Maier, z. B. um 10.30 Uhr, d. h. bald.", "Ja.", "Im 2. Stock ist Licht."]),
        ("de", ["Es kostet ca. 5 € inkl. MwSt.", "„Schön“, sagte sie.", "„Gut.“", "Nr. 5 lebt."]),
        ("de", ["„Halt!“ rief er.", "Dann ging er usw.", "Ende."]),
        ("fr", ["« Ça va ? »", "M. Dupont est là !", "Oui…", "Non."]),
        ("es", ["¡Hola!", "¿Qué tal?", "El Sr. García y la Sra. López están.", "Bien."]),
        ("it", ["Il Sig. Rossi è qui.", "Perché?", "Così."]),
        ("nl", ["Het is warm, d.w.z. 25 °C, bijv. in de keuken.", "Goed."]),
        ("pl", ["Dziś jest 3. maja, np. o godz. 10:30.", "Tak."]),
        ("ru", ["На ул. Ленина, д. 5, т. е. здесь.", "Да.", "В 2024 г. было тепло."]),
        ("el", ["Θέλεις κι άλλο;", "Ναι, π.χ. τώρα.", "Καλά!"]),
        ("ja", ["照明はオンです。", "「はい。」と言いました。", "本当？", "22.5°Cです。"]),
        ("zh", ["灯开着。", "真的吗？", "“好的。”", "现在是22.5°C……完了！"]),
        ("ko", ["조명이 켜져 있습니다.", "네!", "22.5도입니다."]),
        ("ar", ["الضوء مضاء.", "هل تريد المزيد؟", "نعم."]),
        ("ur", ["روشنی چالو ہے۔", "کیا آپ چاہتے ہیں؟", "ہاں۔"]),
        ("he", ["האור דולק.", 'ד"ר כהן בארה"ב.', "נכון?"]),
        ("hi", ["लाइट चालू है।", "क्या?", "हाँ।"]),
        ("th", ["ไฟเปิดอยู่ค่ะ", "ประตูปิดอยู่ครับ", "ค่ะ"]),
        ("hy", ["Լույսը միացված է։", "Այո։"]),
        ("am", ["መብራቱ በርቷል።", "አዎ።"]),
        ("my", ["မီး ဖွင့်ထားသည်။", "ဟုတ်ကဲ့။"]),
        ("km", ["ភ្លើងបើក។", "បាទ។"]),
        ("ka", ["სინათლე ჩართულია.", "კარი დაკეტილია."]),
    ],
)
def test_sentences_end_where_a_reader_ends_them(language: str, expected: list[str]) -> None:
    gap = "" if language in ("ja", "zh") else " "
    assert sentences(gap.join(expected), language) == expected


def test_an_unfinished_sentence_is_one() -> None:
    assert sentences("It is on. The door is op", "en") == ["It is on.", "The door is op"]
    assert sentences("", "en") == []
    assert sentences("  ", "en") == []


def test_a_hundred_latin_characters_take_nearly_five_seconds() -> None:
    assert seconds("a" * 100, "en") == pytest.approx(4.7)
    assert seconds("", "en") == 0


@pytest.mark.parametrize(
    ("language", "text"), [("zh", "灯" * 20), ("ja", "照明" * 10), ("ko", "조명" * 10), ("en", "2024" * 5)]
)
def test_signs_that_are_whole_syllables_or_words_take_longer(language: str, text: str) -> None:
    assert seconds(text, language) > 2 * seconds("a" * len(text), "en")


def test_a_longer_text_takes_longer() -> None:
    assert seconds("The light is on. The door is closed.", "en") > seconds("The light is on.", "en")


def test_a_text_that_fits_is_not_cut() -> None:
    assert cut_to("The light is on.", 10, "en") == ("The light is on.", "")
    assert cut_to("", 10, "en") == ("", "")


@pytest.mark.parametrize(
    ("language", "text", "limit"),
    [
        ("en", "The light is on. Dr. Smith is here. The door is closed. It is warm.", 2.0),
        ("de", "Das Licht ist an. Am 3. Oktober ist z. B. Feiertag. Die Tür ist zu.", 3.0),
        ("zh", "灯开着。门关着。窗户也关着。", 2.0),
        ("hi", "लाइट चालू है। दरवाज़ा बंद है। खिड़की खुली है।", 2.0),
        ("ar", "الضوء مضاء. الباب مغلق. النافذة مفتوحة.", 2.0),
    ],
)
def test_a_long_text_is_cut_between_sentences(language: str, text: str, limit: float) -> None:
    head, rest = cut_to(text, limit, language)
    assert head
    assert rest
    assert sentences(head, language) + sentences(rest, language) == sentences(text, language)
    assert seconds(head, language) <= limit
    assert seconds(f"{head} {sentences(rest, language)[0]}", language) > limit


def test_going_on_says_everything_once() -> None:
    text = " ".join(f"Sentence number {number} is here." for number in range(50))
    heard = []
    rest = text
    while rest:
        head, rest = cut_to(rest, 6.0, "en")
        heard.append(head)
    assert " ".join(heard) == text
    assert len(heard) > 5


@pytest.mark.parametrize(
    ("text", "head"),
    [
        ("In the kitchen, which is on the ground floor, the light is on and the window is open.", "In the kitchen."),
        ("Everything in this house is now switched off for the night", "Everything in this."),
    ],
)
def test_a_first_sentence_that_is_too_long_is_cut_at_a_pause(text: str, head: str) -> None:
    assert cut_to(text, 1.0, "en")[0] == head


def test_one_endless_word_is_said_as_a_whole() -> None:
    assert cut_to("a" * 300, 1.0, "en") == ("a" * 300, "")


def test_a_long_chinese_sentence_is_cut_at_its_comma() -> None:
    assert cut_to("厨房的灯现在开着，客厅的灯和卧室的灯都关着，门也锁好了。", 2.5, "zh")[0] == "厨房的灯现在开着。"
