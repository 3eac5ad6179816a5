"""What a model writes becomes what a voice can say, however it arrives."""

import json
import random
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from wyoming_openai.speech import Speech, cut_to, sentences, speakable

REPLIES: list[dict[str, Any]] = json.loads((Path(__file__).parent / "data" / "nasty_replies.json").read_text("utf-8"))

FORBIDDEN = re.compile(
    r"[*_`#~|<>\[\]{}\\^]"
    "|[\x00-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufe00-\ufe0f\u20e3\ud800-\udfff\ue000-\uf8ff]"
    "|[\u2190-\u21ff\u2300-\u23ff\u2500-\u27bf\u2b00-\u2bff\u3030\U0001f000-\U0001ffff\U000e0000-\U000e0fff]"
    r"|https?:|(?<![A-Za-z])www\.|&\w+;|†"
    r"|  |^\s|\s$|\n"
)
"""No exceptions: "C#" is said as "C sharp", "2 * 3" as "2 times 3"."""


def pieces_of(text: str, *cuts: int) -> list[str]:
    borders = [0, *sorted(cuts), len(text)]
    return [text[begin:end] for begin, end in pairwise(borders)]


def said(pieces: list[str], language: str, truncated: bool = False, limit: float | None = None) -> str:
    speech = Speech(language, limit)
    return "".join(speech.feed(piece) for piece in pieces) + speech.finish(truncated)


def case_id(reply: dict[str, Any]) -> str:
    return f"{reply['language']}-{reply['text'][:30].encode('ascii', 'replace').decode()}"


@pytest.mark.parametrize("reply", REPLIES, ids=case_id)
def test_every_nasty_reply_is_said_cleanly_and_equally_at_every_split(reply: dict[str, Any]) -> None:
    text, language, truncated = reply["text"], reply["language"], reply.get("truncated", False)
    whole = speakable(text, language, truncated)
    assert not FORBIDDEN.search(whole)
    assert whole == reply.get("spoken", whole)
    assert said(list(text), language, truncated) == whole
    for cut in range(len(text) + 1):
        assert said(pieces_of(text, cut), language, truncated) == whole


def test_the_nasty_replies_are_many_and_of_many_languages() -> None:
    assert len(REPLIES) >= 300
    assert len({reply["language"] for reply in REPLIES}) >= 30
    assert sum("spoken" in reply for reply in REPLIES) >= 300


# --- replies put together by chance --------------------------------------------------------------------------------

SCRAPS = """
* ** *** _ __ ` `` ``` ~ ~~ # ## [ ] ( ) ![ ]( ) { } {{ }} < > | \\ ^ - • 1. 2. 1) ! ? … : ; , . --- === -> → ±
Hello world. on. und Straße 好的。 今日は、 मौसम। مرحبا שלום สวัสดี 20 22.5 °C ~20 <5 >3 Dr. z.B.
" ' “ ” « » 「 」 ＊ ｜ <b> </b> <br> <li> <td> <!-- --> &amp; &lt; &nbsp; &#8203; \\n \\u00b0 $x^2$ \\frac{1}{2} |--|
~~~ <think> </think> ◁think▷ [THINK] [/THINK] <tool_call> </tool_call> <|im_end|> <|channel|>analysis<|message|>
assistantfinal analysis Assistant: (laughs) *smiles* [1] 【4†source】 【 】 turn0search0 :)
😊 🇩🇪 👩\u200d👧 1️⃣ ❤️ ✅ \u200b \u202e \ufeff \x07 \ud83d \ue200cite\ue202x\ue201
https://x.com/a?b=c. www.a.b max@a.de light.kitchen_lamp a_b {"a":"b"}
"""
TOKENS = [*SCRAPS.split(), "The light is on.", "\r", "\u2028"]
SEPARATORS = ("\n", "\n", " ", " ", " ", "", "", "\n\n", "  ", "\n- ", "\n1. ", "\n| ", "\t")
LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "pl", "ru", "ja", "zh", "ko", "ar", "he", "hi", "th", "el", "xx")


def random_replies(seed: int, count: int) -> Iterator[tuple[str, str, bool, random.Random]]:
    chance = random.Random(seed)  # noqa: S311
    for _ in range(count):
        words = (chance.choice(TOKENS) + chance.choice(SEPARATORS) for _ in range(chance.randint(1, 25)))
        yield "".join(words), chance.choice(LANGUAGES), chance.random() < 0.3, chance


@pytest.mark.parametrize("seed", range(10))
def test_any_text_is_said_cleanly_and_equally_at_any_splits(seed: int) -> None:
    for text, language, truncated, chance in random_replies(seed, 150):
        whole = speakable(text, language, truncated)
        assert not FORBIDDEN.search(whole), (text, whole)
        cuts = [chance.randint(0, len(text)) for _ in range(chance.randint(1, 8))]
        for pieces in (list(text), pieces_of(text, *cuts)):
            assert said(pieces, language, truncated) == whole, (text, language, truncated, cuts)


@pytest.mark.parametrize("seed", range(3))
def test_a_limit_gives_the_same_at_any_splits_and_loses_nothing(seed: int) -> None:
    for text, language, truncated, chance in random_replies(seed, 100):
        limit = chance.random() * 5
        speech = Speech(language, limit)
        head = speech.feed(text) + speech.finish(truncated)
        assert said(list(text), language, truncated, limit) == head
        letters = re.sub(r"[\W_]", "", head + speech.rest)
        assert letters == re.sub(r"[\W_]", "", speakable(text, language, truncated))


@pytest.mark.parametrize(
    "unit", [*"*_`~#[](){}<>|\\^!?.:;,-=$&\"'“。@•→😊", "</think>", "<think>", "<|", "](", "```\n", "<a "]
)
def test_hostile_repetition_is_read_in_one_pass(unit: str) -> None:
    text = unit * (
        50_000 // len(unit)
    )  # a pattern that looks twice would need minutes, and the test's time would run out
    assert not FORBIDDEN.search(said(list(text), "en"))
    assert not FORBIDDEN.search(speakable(f"{unit}a" * 10_000, "en"))


# --- what must not be touched ------------------------------------------------------------------------------------

PROSE = {
    "en": "It's 21.5 °C in the kitchen, i.e. 70.7 °F; Dr. Smith's door (front) is closed. The U.S. won 3-2 at 9 p.m.!",
    "de": "Am 3. Oktober, z. B. um 10:30 Uhr, kostet es 1.000,50 € (ca. 50 % mehr). „Schön“, sagte sie – geht's noch?",
    "fr": "« Ça va ? » Il est 10 h 30 ; l'humidité est de 45 %, soit 1 000,50 € d'économies !",
    "es": "¿Qué tiempo hace? ¡Hace 22,5 °C! El Sr. García llegó a las 10:30.",
    "it": "C'è un po' di vento, dell'ordine di 10 km/h. Perché no?",
    "pt": "Não há ninguém à porta. São 10:30; está frio, não é?",
    "nl": "'s Avonds is het 10 °C, d.w.z. fris. Zo'n 5 à 6 mensen.",
    "pl": "Dziś jest 3. maja, godz. 10:30. Łóżko stoi w sypialni, tj. na górze.",
    "ru": "Сейчас 10:30, т. е. утро. Температура −5 °C, влажность 45 %.",
    "uk": "Зараз 10:30, п'ять хвилин тому було тепло. Двері зачинено.",
    "cs": "Dnes je 3. května, např. v kuchyni je 21 °C. Dveře jsou zavřené.",
    "sv": "Det är 21 °C, t.ex. i köket. Dörren är låst.",
    "da": "Døren er låst. Klokken er 10.30, og det blæser 5 m/s.",
    "nb": "Døren er låst. Det er 21 °C på kjøkkenet.",
    "fi": "Keittiössä on 21 °C. Ovi on lukossa, eikö niin?",
    "hu": "A konyhában 21 °C van, pl. most. Az ajtó zárva.",
    "ro": "În bucătărie sunt 21 °C. Ușa este încuiată.",
    "tr": "Mutfakta 21 °C var. Saat 10:30'da kapı kilitlendi.",
    "el": "Θέλεις κι άλλο; Η πόρτα είναι κλειστή, π.χ. τώρα.",
    "ar": "درجة الحرارة ٢٢٫٥ في المطبخ، والباب مغلق. هل تريد المزيد؟",
    "he": 'בצה"ל ובארה"ב, ג\'ירפה. הטמפרטורה היא 22.5 °C, נכון?',
    "fa": "دمای آشپزخانه ۲۲ درجه است. در بسته است؟",
    "ur": "باورچی خانے میں 22 °C ہے۔ دروازہ بند ہے؟",
    "hi": "रसोई में 22.5 °C है। क्या आप और चाहते हैं?",
    "bn": "রান্নাঘরে ২২ °C। দরজা বন্ধ।",
    "ta": "சமையலறையில் 22 °C உள்ளது. கதவு மூடப்பட்டுள்ளது.",
    "th": "ในห้องครัวอุณหภูมิ 22.5 °C ค่ะ ประตูปิดอยู่ค่ะ",
    "vi": "Trong bếp là 22,5 °C. Cửa đã đóng, phải không?",
    "ja": "キッチンは22.5°Cです。「はい。」と言いました。ドアは10〜12時に閉まります、ね？",
    "zh": "厨房是22.5°C，《三体》正在播放……门关着！还要别的吗？",
    "ko": "주방은 22.5 °C입니다. 문이 닫혀 있습니다.",
    "ka": "სამზარეულოში 22 °C-ია. კარი დაკეტილია.",
    "hy": "Խոհանոցում 22 °C է։ Դուռը փակ է։",
    "am": "ወጥ ቤት 22 °C ነው። በሩ ተዘግቷል።",
}


@pytest.mark.parametrize("language", PROSE)
def test_good_prose_is_not_touched(language: str) -> None:
    assert speakable(PROSE[language], language) == PROSE[language]


@pytest.mark.parametrize("language", PROSE)
def test_speaking_what_is_speakable_changes_nothing(language: str) -> None:
    for reply in REPLIES:
        spoken = reply.get("spoken", "")
        if reply["language"] == language:
            assert speakable(spoken, language) == spoken


UNTOUCHED = """
21.5 °C|10:30|10:30:45|3/4|1.000,50 €|1,234.56|50 %|-5 °C|20–22 °C|5-10|24/7|on/off|km/h|w/ milk|C++|AT&T|R&B
rock 'n' roll|well-known|e.g. this|2024-05-03|12.05.2024|5'11"|+49 170 1234567|m²|½|a = b
5 ÷ 2|3 × 4|1. FC Köln|Node.js|booking.com
"""


@pytest.mark.parametrize("text", re.split(r"[|\n]", UNTOUCHED.strip()))
def test_what_voices_read_right_stays(text: str) -> None:
    assert speakable(text, "en") == text


@pytest.mark.parametrize(
    "text", ["", " \n ", "***", "---", "😊🎉", "<think>hm", "```json\n{}\n```", "[1]", "...", "|\n|-|", "\u200b"]
)
def test_nothing_to_say_is_nothing(text: str) -> None:
    assert speakable(text, "en") == ""
    assert speakable(text, "en", truncated=True) == ""


# --- as it arrives -----------------------------------------------------------------------------------------------


def test_a_sentence_is_out_as_soon_as_the_next_begins() -> None:
    speech = Speech("en")
    assert speech.feed("The **light** is on.") == ""
    assert speech.feed(" T") == "The light is on."
    assert speech.feed("he door is closed.\n") == " The door is closed."
    assert speech.feed("- One") == ""
    assert speech.finish() == " One."


@pytest.mark.parametrize(
    ("language", "pieces"),
    [
        ("zh", ["灯开着。", "门"]),
        ("hi", ["लाइट चालू है। ", "द"]),
        ("ar", ["هل تريد؟ ", "ن"]),
        ("el", ["Θέλεις κι άλλο; ", "Ν"]),
    ],
)
def test_a_sentence_is_out_early_in_every_script(language: str, pieces: list[str]) -> None:
    speech = Speech(language)
    assert speech.feed(pieces[0]) == ""
    assert speech.feed(pieces[1]) == pieces[0].strip()


def test_abbreviations_and_numbers_let_nothing_out() -> None:
    speech = Speech("de")
    assert speech.feed("Am 3. Oktober kommt Dr. Maier, z. B. um 10.30 Uhr mit 21. Das") == ""


def test_a_reply_that_sounds_like_thinking_waits_for_its_end() -> None:
    speech = Speech("en")
    assert speech.feed("Okay, the user wants the light. It is on. I should be brief. ") == ""
    assert speech.feed("</think>The light is on. ") + speech.finish() == "The light is on."


def test_a_long_text_without_an_end_is_not_held_for_ever() -> None:
    speech = Speech("en")
    assert "".join(speech.feed("and so on ") for _ in range(500)) == ""  # one line, no sentence: it may be anything
    assert len(speech.feed("\n")) > 3000


# --- cut by the token limit ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "text", "spoken"),
    [
        ("en", "It is 21.5 °C. The door is op", "It is 21.5 °C."),
        ("en", "I asked Dr. Smith to", "I asked Dr. Smith to."),
        ("en", "It is on. That costs approx. 5", "It is on."),
        ("en", "The bath is at 21.", "The bath is at 21."),
        ("en", "Wait... what", "Wait... what."),
        ("en", "Lights:\n- Kitchen\n- Ba", "Lights: Kitchen."),
        ("en", "Okay, the user asks for the light. I sh", ""),
        ("de", "Das Licht ist an. Am 3. Ok", "Das Licht ist an."),
        ("fr", "« Ça va ? » Oui, je", "« Ça va ? »"),
        ("el", "Θέλεις κι άλλο; Να", "Θέλεις κι άλλο;"),
        ("zh", "灯开着。门没", "灯开着。"),
        ("hi", "लाइट चालू है। दरवा", "लाइट चालू है।"),
        ("ur", "روشنی چالو ہے۔ درو", "روشنی چالو ہے۔"),
        ("hy", "Լույսը միացված է։ Դու", "Լույսը միացված է։"),
        ("am", "መብራቱ በርቷል። በሩ", "መብራቱ በርቷል።"),
        ("my", "မီး ဖွင့်ထားသည်။ တံ", "မီး ဖွင့်ထားသည်။"),
        ("th", "ไฟเปิดอยู่ค่ะ ประตู", "ไฟเปิดอยู่ค่ะ"),
        ("ka", "სინათლე ჩართულია. კარი და", "სინათლე ჩართულია."),
    ],
)
def test_a_cut_reply_ends_at_its_last_whole_sentence(language: str, text: str, spoken: str) -> None:
    assert speakable(text, language, truncated=True) == spoken


def test_a_cut_is_heard_by_nobody_who_listens_to_the_pieces() -> None:
    speech = Speech("en")
    heard = speech.feed("The light is on. The door is closed. The win")
    assert heard + speech.finish(truncated=True) == "The light is on. The door is closed."


# --- as long as a person listens -----------------------------------------------------------------------------------


def test_the_limit_ends_a_reply_at_a_sentence_and_keeps_the_rest() -> None:
    speech = Speech("en", limit=3.0)
    text = "The light in the kitchen is on. The door of the garage is closed. It is warm."
    assert speech.feed(text) + speech.finish() == "The light in the kitchen is on."
    assert speech.rest == "The door of the garage is closed. It is warm."


@pytest.mark.parametrize("language", PROSE)
def test_the_limit_is_that_of_cut_to(language: str) -> None:
    speech = Speech(language, limit=2.5)
    head = speech.feed(PROSE[language]) + speech.finish()
    assert (head, speech.rest) == cut_to(speakable(PROSE[language], language), 2.5, language)


def test_what_is_said_piece_by_piece_has_the_sentences_of_the_whole() -> None:
    text = "**One.** Two! Three?\n- four\n- five"
    speech = Speech("en")
    pieces = [piece.strip() for character in text if (piece := speech.feed(character))]
    assert [*pieces, speech.finish().strip()] == sentences(speakable(text, "en"), "en")
