"""Where sentences end, in every script, and how long they take to say."""

import re
from collections.abc import Iterator

from .words import base

NARROW = ".!?…‽"
"""Ends of sentences that need a blank after them."""
WIDE = "。！？｡।॥۔؟።፧፨།༎။។៕։᙮⁇⁈⁉"
"""Ends of sentences that stand on their own."""
GREEK = ";\u037e"
"""The question mark of Greek, and what is typed for it."""
CLOSERS = "\"'”’“‘»«›‹)]}」』）］】》〉〟"

_ENDS = rf"(?<![{NARROW}{WIDE}])[{NARROW}{WIDE}]++"
_AFTER_WIDE = rf"(?<=[{WIDE}])[\"'”’)）」』》〉〟]*+"  # here “ begins the next sentence
_CANDIDATE = re.compile(rf"{_ENDS}(?:{_AFTER_WIDE}|(?<![{WIDE}])[{re.escape(CLOSERS)}]*+)")
_FRENCH = re.compile(rf"{_ENDS}(?:[{re.escape(CLOSERS)}]|[ \xa0\u202f](?=»))*+")  # « Ça va ? »
_GREEK = re.compile(rf"(?<![{NARROW}{GREEK}])[{NARROW}{GREEK}]++[{re.escape(CLOSERS)}]*+")
_THAI = re.compile(r"(?:ครับ|คร้าบ|ค่ะ|คะ|จ้ะ|จ้า|ฮะ)(?=[ ]|$)|(?<![.!?…])[.!?…]++[\"'”’)]*+")
_WORD = re.compile(r"[^\s.()\[\]\"“„«»‘(]*(?:\.[^\s.()\[\]\"“„«»]+)*$")

_COMMON = "dr mr mrs ms prof st sr jr vs e.g i.e cf approx"
_ABBREVIATIONS = {
    "en": "dept est fig gen gov hon rev sen sgt capt col lt maj messrs mt apt ave blvd rd min max temp resp",
    "de": "bzw ca z.b zb u.a d.h evtl ggf inkl exkl vgl sog hr fr frl dipl ing str tel max min mind zzgl abzgl bspw jh "
    "st o.g u.u i.d.r z.t z.zt s.o s.u m.e gem lt allg bes einschl entspr geb gest hrsg insb kath ev jan feb apr aug "
    "sept okt nov dez mo di mi do sa so",
    "fr": "m mm mme mlle mgr env p.ex av apr tél bd cf chap éd fig janv févr juil sept oct nov déc max min ex",
    "es": "sra srta d dña ud uds ee uu aprox p.ej pág págs tel av avda c núm art cap ej máx mín ene feb mzo abr ago "
    "sept oct nov dic",
    "it": "sig sigra sigg dott avv ing arch on egr es p.es ca circa tel pag art cap gen feb apr ago sett ott nov dic "
    "max min",
    "pt": "sra srs exmo exma ex p.ex aprox tel av pág págs art cap máx mín jan fev abr ago set out nov dez",
    "nl": "dhr mevr mw drs ir ing bijv bv d.w.z o.a m.a.w ca incl excl evt i.p.v t.o.v m.b.t a.u.b tel max min jan feb "
    "apr aug sept okt nov dec",
    "sv": "t.ex bl.a d.v.s dvs ca kl f.eks resp st tel max min",
    "da": "f.eks bl.a dvs ca kl ifm evt inkl ekskl tlf maks min hr fr d",
    "nb": "f.eks bl.a dvs ca kl evt inkl ekskl tlf maks min hr fr",
    "fi": "esim mm ns n klo puh t.s maks min",
    "pl": "np tj tzn m.in ok godz ul al pl im ds dyr inż mgr hab św ww wg zob tel max min r sty lut",
    "cs": "např tj tzv mj ul tř nám ing mgr mudr judr cca hod tel max min p pí sl",
    "sk": "napr tj tzv ul nám ing mgr mudr cca hod tel max min p",
    "hu": "pl kb ill ún ld u özv ifj id max min",
    "ro": "dl dna d-na d-l str nr ex cca tel max min",
    "ru": "т т.е т.к т.н г гг ул пр пл д кв корп им напр см ср тел руб коп тыс млн млрд проф акад стр рис мин макс гр",
    "uk": "т т.е р вул просп пл буд кв ім напр див тел грн коп тис млн млрд проф акад с рис хв макс мін",
    "bg": "т.е т.нар напр ул бул пл бл ап вх г гр тел лв ст проф инж макс мин",
    "el": "κ κα κκ π.χ δηλ τηλ οδ αρ λεωφ περ μεγ ελαχ",
    "tr": "örn sn av yrd doç cad sok mah apt tel maks min yy",
    "hr": "npr tj tzv ul dr ing max min",
    "sl": "npr tj oz t.i ul dr ing max min",
    "sr": "нпр тј тзв ул др инж npr tj tzv ul",
    "ca": "sra aprox p.ex pàg tel av c núm màx mín",
    "hi": "डॉ श्री प्रो पं",
    "he": "פרופ עמ מס",
    "ar": "د أ م ص.ب",
    "id": "dr bpk sdr jl tgl mis yg",
    "vi": "tp ts ths gs pgs đ/c",
}
_NO_WORDS = frozenset(_COMMON.split())
_LISTS = {language: frozenset(words.split()) | _NO_WORDS for language, words in _ABBREVIATIONS.items()}
_NUMBERED_THINGS = (
    "no nos nr nº n p pp s vol fig abs art kap bd str č čís núm num kl tel ch sec sek min max p.m № стр рис сс д кв "
    "pos ziff ap apt rm ext tlf klo godz pág"
)
_BEFORE_NUMBERS = frozenset(_NUMBERED_THINGS.split())
"""Short for something only before a number: "No. 5", but "No. The light is off."."""
_ENDING = "a.m p.m u.s u.s.a u.k etc usw itd itp inc ltd co jr d.c т.д т.п и.т.д μ.μ π.μ osv enz stb ntr"
_MAY_END = frozenset(_ENDING.split())
_ORDINAL_LANGUAGES = "de da nb fi pl cs sk hu hr sr sl et lv lt tr is eu bs mk"
ORDINALS = frozenset(_ORDINAL_LANGUAGES.split())
"""Languages in which "3." is "third"."""
_INITIAL = re.compile(r"(?:^|[\s.(])[^\W\d_]$")


def ends(text: str, language: str, *, start: int = 0, whole: bool = False) -> Iterator[int]:
    """Positions after `start` just after each sentence. The end of the text counts if `whole`, else only a sure end."""
    begin = 0
    for mark in _pattern(language).finditer(text, start):
        following = text[mark.end() : mark.end() + 8]
        if not following.strip() and not whole:
            return
        if _is_end(text, begin, mark, following, language):
            yield mark.end()
            begin = mark.end()


def _pattern(language: str) -> re.Pattern[str]:
    return {"el": _GREEK, "fr": _FRENCH, "th": _THAI, "lo": _THAI}.get(base(language), _CANDIDATE)


def _is_end(text: str, begin: int, mark: re.Match[str], following: str, language: str) -> bool:
    signs = mark.group()
    if any(sign in WIDE for sign in signs):
        return not goes_on(signs[-1], following[:1])
    next_char = following.strip()[:1]
    if next_char and not following[0].isspace():
        return False
    sentence = text[max(begin, mark.start() - 40) : mark.start()].lstrip()
    asked = signs[0] in "!?‽" and signs[-1] not in CLOSERS  # but not in: "Halt!", he said
    if next_char.islower() and not asked and not _starts_small(text, begin):
        return False
    if signs[0] != "." or signs.startswith(".."):
        return True
    return not _is_abbreviation(sentence, next_char, language)


def goes_on(last: str, following: str) -> bool:
    """Whether the sentence goes on after a quoted one, as in 「はい。」と言いました。"""
    return last in CLOSERS and "\u3041" <= following <= "\u309f"


def _starts_small(text: str, begin: int) -> bool:
    """Whether this writer begins sentences with small letters."""
    return text[begin : begin + 40].lstrip(" \"'«“„¿¡(")[:1].islower()


def _is_abbreviation(sentence: str, next_char: str, language: str) -> bool:
    """Whether the full stop after this is no end of a sentence; `next_char` is empty at the end of the text."""
    found = _WORD.search(sentence)
    word = found.group().lower() if found else ""
    if not word or word.isdecimal():
        return _is_number_stop(sentence, word, next_char, language)
    if word in _MAY_END:
        return next_char.islower()
    if word in _LISTS.get(base(language), _NO_WORDS) or re.fullmatch(r"(?:\w{1,3}\.)+\w{1,3}", word):
        return True
    if word in _BEFORE_NUMBERS and next_char.isdecimal():
        return True
    # "J. Smith" and "z. B.", but "at 21 C. The" and "Plan B."
    return bool(next_char) and bool(_INITIAL.search(sentence)) and not re.search(r"[\d°]\s?\w$", sentence)


def _is_number_stop(sentence: str, word: str, next_char: str, language: str) -> bool:
    if sentence.strip() == word:
        return True  # "1. Milk"
    if not next_char:
        return bool(word)  # "21." of "21.5", as far as anyone knows
    return base(language) in ORDINALS and bool(word) and len(word) <= 2 and next_char.isalpha()


def signs(language: str) -> str:
    """The signs that end sentences in this language."""
    return NARROW + WIDE + (GREEK if base(language) == "el" else "")


def settled(text: str) -> int:
    """How much of a text without ends stays without, whatever follows."""
    return len(text.rstrip(NARROW + WIDE + CLOSERS + GREEK + " "))


def split(text: str, language: str) -> list[str]:
    """The sentences of a text, the last one also where it is not finished."""
    found, begin = [], 0
    for end in ends(text, language):
        found.append(text[begin:end].strip())
        begin = end
    return [sentence for sentence in (*found, text[begin:].strip()) if sentence]


_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_WEIGHTS = (
    (re.compile("[\u3040-\u30ff]"), 0.13),
    (re.compile("[\uac00-\ud7af]"), 0.17),
    (re.compile("[\u0590-\u06ff]"), 0.065),  # Hebrew and Arabic do not write their vowels
    (re.compile(r"\d"), 0.12),  # a digit is a word
)
_LETTER = 0.047  # measured on a phone: 100 characters of Latin text take 4.7 s


def seconds(text: str, language: str) -> float:
    """How long a voice takes to say this, roughly."""
    han = 0.27 if base(language) == "ja" else 0.22  # a Japanese voice says two syllables for most of them
    total = len(text) * _LETTER + len(_HAN.findall(text)) * (han - _LETTER)
    for pattern, weight in _WEIGHTS:
        total += len(pattern.findall(text)) * (weight - _LETTER)
    return total
