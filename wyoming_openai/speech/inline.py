"""A stretch of a line, from Markdown to words: links, citations, stage directions, ids. Every pattern is linear."""

import re

from .characters import GONE, PAUSE
from .symbols import spoken_symbols
from .words import WIDE_LETTER, Marks, Words, action, sound

_URL_END = "\\s<>\"'`{}|\\\\^\\[\\]\u3000-\u30ff\u4e00-\u9fff\uff00-\uffef«»“”„"
_IMAGE = re.compile(r"!\[([^\[\]]{0,500}+)\]\([^()\s]{0,2000}+(?:\s[\"'][^()\n]{0,200}+)?\)")
_LINK = re.compile(
    r"\[([^\[\]]{0,500}+)\]\(\s?(?:<[^<>\n]{0,2000}+>|(?:[^()\s<>]|\([^()\s<>]{0,200}+\)){0,2000}+)(?:\s[\"'(][^()\n]{0,200}+)?\s?\)"
)
_LINKS_ASIDE = re.compile(r"\s?\((?:\[[^\[\]]{0,200}+\]\([^()\s]{1,2000}+\)[,;\s]*+){1,20}+\)")
_NUMBER_LINK = re.compile(r"\s?\[\[\d{1,3}\]\]\([^()\s]{0,2000}+\)")
_CUT_LINK = re.compile(r"!?\[([^\[\]]{0,500}+)\]\([^()\s]{0,2000}+$")
_REFERENCE = re.compile(r"\[([^\[\]]{1,300}+)\]\s?\[[^\[\]]{0,60}+\]")
_WIKI = re.compile(r"\[\[(?:[^\[\]|]{1,100}\|)?([^\[\]|]{1,200})\]\]")
_URL = re.compile(
    rf"(?<![A-Za-z])(?:(?:mailto|tel):|[A-Za-z][A-Za-z0-9+.\-]{{1,20}}://|www\.)[^{_URL_END}]*|"
    rf"(?<![\w.@/\-])(?:[A-Za-z0-9\-]{{1,63}}\.){{1,6}}(?:com|org|net|io|gov|edu|eu|de|uk|fr|es|it|nl|at|ch|dev|app|pl|"
    rf"ru|cn|jp|info|me|tv)/[^{_URL_END}]*"
)
_EMAIL = re.compile(
    r"(?<![A-Za-zÀ-ɏ0-9_.+\-])([A-Za-zÀ-ɏ0-9_.+\-]{1,64}+)@((?:[A-Za-zÀ-ɏ0-9\-]{1,63}\.){1,6}[A-Za-z]{2,24})(?![A-Za-z0-9])"
)
_JINJA = re.compile(r"\{[{%#][^{}]{0,500}[}%#]\}")

_CITATIONS = re.compile(
    r"【[^【】]{0,100}[†‡\x00][^【】]{0,100}】|【[\d:,\-–\s]{1,20}】"
    r"|:?(?:contentReference)?\[oaicite:[^\[\]]{0,20}\](?:\{[^{}]{0,40}\})?"
    r"|(?<![A-Za-z])(?:file)?(?:cite|navlist)?(?:turn\d{1,3}[a-z]{2,12}\d{1,3})+"
    r"|\[\^[^\[\]]{1,40}\]"
    r"|\[(?:\d{1,3}(?:[,;–\-]\s?\d{1,3}){0,8}|[*†‡])\](?!\()"
    r"|\[(?:source|sources|quelle|quellen|fuente|fonte|bron|źródło|источник|来源|出典|citation|ref|doc|web|webpage|cite|"
    r"footnote)\b[^\[\]]{0,80}\](?!\()",
    re.IGNORECASE,
)
_FOOTNOTE = re.compile(r"(?<=[^\W\d_]{3})\^\{?\d{1,2}\}?|(?<=[.,;:!?)\"”])\^\{?\d{1,2}\}?")
_RAISED = re.compile(r"(?<=[^\W\d_]{3})[¹⁴-⁹⁰]+|(?<=[.,;:!?\"”])[¹²³⁴-⁹⁰]+")

_COMMANDS = {
    **dict.fromkeys(("times", "cdot", "ast"), "×"),
    **dict.fromkeys(("approx", "sim", "simeq"), "≈"),
    **dict.fromkeys(("le", "leq", "leqslant"), "≤"),
    **dict.fromkeys(("ge", "geq", "geqslant"), "≥"),
    **dict.fromkeys(("to", "rightarrow", "Rightarrow", "implies"), "→"),
    **dict.fromkeys(("left", "right", "quad", "qquad", "displaystyle", "begin", "end"), ""),
    "pm": "±",
    "div": "÷",
    "circ": "°",
    "degree": "°",
    "neq": "≠",
    "infty": "∞",
    "pi": "π",
    "mu": "µ",
    "sqrt": "√",
}
_LINE_BREAK = re.compile(r"\s?\\\\\s?")
_ESCAPED = re.compile(r"\\([*_`#~|<>\[\]{}()$!.+\-\"'/%&])")
_FRACTION = re.compile(r"\\[dt]?frac\{([^{}]{1,60})\}\{([^{}]{1,60})\}")
_COMMAND = re.compile(r"\^?\{?\\([A-Za-z]{1,20})(?:\{([^{}\\]{0,200})\}|\})?")
_FORMULA = re.compile(r"\$\$?([^$\s](?:[^$\n]{0,200}[^$\s])?)\$\$?")

_STARRED = re.compile(r"(?<![A-Za-z0-9*])(\*{1,3})([^*\n]{1,100})\*{1,3}(?![A-Za-z0-9*])")
_LINED = re.compile(r"(?<![\w_])_{1,2}([^_\n]{1,60})_{1,2}(?![\w_])")
_BRACKETED = re.compile(r"[(（]([^()（）\n]{1,60})[)）]|\[([^\[\]\n]{1,60})\]|~([^~\n\d]{1,60})~(?!\w)")

_DOMAIN_NAMES = (
    "ai_task air_quality alarm_control_panel assist_satellite automation binary_sensor button calendar camera climate "
    "conversation counter cover date datetime device_tracker event fan geo_location group homeassistant humidifier "
    "image input_boolean input_button input_datetime input_number input_select input_text lawn_mower light lock "
    "media_player notify number person plant remote scene schedule script select sensor siren stt sun switch tag text "
    "time timer todo tts update vacuum valve wake_word water_heater weather zone"
)
_DOMAINS = frozenset(_DOMAIN_NAMES.split())
_FILE_ENDINGS = "yaml yml json py js ts txt md html csv log conf com org net io de"
_NO_OBJECT = frozenset(_FILE_ENDINGS.split())
_ENTITY_ID = re.compile(
    r"(?<![A-Za-z0-9_./@\-])([a-z][a-z_]{1,40}+)\.([a-z0-9][a-z0-9_]{0,100}+)(?![A-Za-z0-9_@/]|[.\-]\w)"
)
_MACHINE_ID = re.compile(
    r"(?<![\w\-])(?:[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|(?=[0-9]{0,40}+[a-fA-F])[0-9a-fA-F]{24,64}"
    r"|(?=[A-Z]{0,26}+[0-9])01[0-9A-HJKMNP-TV-Z]{24})(?![\w\-])"
)
_SHORT_CODE = re.compile(r"(?<![\w:]):[a-z][a-z0-9_+\-]{1,30}:(?![\w:])|(?<!\w)(?:mdi|hass):[a-z][a-z0-9\-]{1,60}")
_SMILEY = re.compile(
    r"(?<![^\s.!?,)\x00])(?:[:;=]['’]?-?[)(DPpO/\\*\]\[]+|[xX]D+|\^[_.\-]?\^|-_-|[oO]_[oO]|T_T|>_<|¯\\_\(ツ\)_/¯)"
    r"(?=[\s.!?,)\x00]|$)"
)
_HEART = re.compile(r"(?<!<)<{1,3}/?3{1,5}(?=[!\x00]|\s?$)")
_KAOMOJI = re.compile(
    r"[(（](?=[^()（）\s]{0,12}[・ω´｀`▽‿^;°•ᴗ◕≧≦])[^()（）\w\s]{0,4}[^()（）\s\d]{1,7}[^()（）\w\s]{1,4}[)）]"
)


_EMPTY = re.compile(r"[(（\[]\s?[,;:\x00\x01\s]*+[)）\]]|\"\s?\"|“\s?”|«\s?»|„\s?“|「」|『』")
_GAPS = re.compile(r"(?<![ \xa0\u202f])([ \xa0\u202f]*+)\x00[\x00 \xa0\u202f]*+")
_PAUSES = re.compile(r"(?<![\s,،、，])[\s,،、，]*+\x01[\s,،、，\x01]*+")
_SPACES = re.compile("[ \xa0\u202f]{2,}|[\t\n]")
_REPEATED = re.compile(r"([!?！？])\1{3,}|(\.)\.{3,}|(,)\s*,")
_HUGGED = re.compile(r"(?<=[(\[]) | (?=[)\]])")


def inline(text: str, words: Words, marks: Marks, language: str, continued: bool = False) -> str:
    """Speakable text of a cleaned stretch of a line; `continued` if a sentence of the line came before."""
    text = _KAOMOJI.sub(GONE, _SMILEY.sub(PAUSE, _SHORT_CODE.sub(GONE, _unlink(text, words))))
    text = _formulas(text) if "\\" in text or "$" in text else text
    text = _FOOTNOTE.sub(GONE, _RAISED.sub(GONE, _CITATIONS.sub(GONE, text)))
    text = _actors(text, language, continued)
    text = _names(text)
    return _tidy(spoken_symbols(text, words), marks)


def _unlink(text: str, words: Words) -> str:
    """Links by their text, addresses by their host."""
    if "](" in text:
        text = _LINKS_ASIDE.sub(GONE, _IMAGE.sub(rf"\1{PAUSE}", text))
        text = _CUT_LINK.sub(r"\1", _LINK.sub(_link, _LINK.sub(_link, _NUMBER_LINK.sub(GONE, text))))
    if "[" in text:
        text = _REFERENCE.sub(_reference, _WIKI.sub(r"\1", text))
    if "@" in text:
        text = _EMAIL.sub(lambda found: _spell(f"{found[1]}@{found[2]}", words), text)
    if "." in text or ":" in text:
        text = _URL.sub(lambda found: _host(found[0], words), text)
    return _JINJA.sub(GONE, text) if "{" in text else text


def _link(found: re.Match[str]) -> str:
    return GONE if found[1].strip().isdecimal() else found[1]


def _reference(found: re.Match[str]) -> str:
    return found[0] if found[1].strip().isdecimal() else found[1]


def _host(url: str, words: Words) -> str:
    """An address as a person would name it, and what ended the sentence after it."""
    address = url.rstrip(".,;:!?…)*_~")
    if "(" in address and ")" in url[len(address) :]:
        address += ")"
    after = url[len(address) :].strip("*_~")
    scheme, _, rest = address.rpartition("://")
    if address.startswith("tel:"):
        return address[4:] + after
    if address.startswith("mailto:"):
        return _spell(address[7:].partition("?")[0], words) + after
    if scheme and scheme.lower() not in ("http", "https", "ftp"):
        return GONE + after
    host = re.split(r"[/?#:]", rest)[0].rpartition("@")[2].lower().removeprefix("www.")
    if host in ("", "www") or len(host) > 40 or not re.fullmatch(r"[\w.\-]+", host):
        return GONE + after
    return _spell(host, words) + after


def _spell(address: str, words: Words) -> str:
    if re.fullmatch(r"[\d.]+", address):
        return address
    if "@" in address and not words.at:
        return GONE
    spoken = address.replace(".", f" {words.dot} " if words.dot != "." else ".")
    return spoken.replace("@", f" {words.at} ")


def _formulas(text: str) -> str:
    """Mathematics written in LaTeX, as plain signs; escaped signs without their backslash."""
    text = _FORMULA.sub(_formula, text)
    if "\\" not in text:
        return text
    text = _FRACTION.sub(r"\1/\2", _LINE_BREAK.sub(" ", text))
    text = _ESCAPED.sub(r"\1", _COMMAND.sub(_command, text))
    return re.sub(r"(?<=\w)\\(?=\w)", " ", re.sub(r"\\[,;: ]", " ", text))


def _formula(found: re.Match[str]) -> str:
    inside = found[1]
    return inside if re.search(r"[\\^_{}=]", inside) or re.fullmatch(r"[A-Za-z]", inside) else found[0]


def _command(found: re.Match[str]) -> str:
    name, argument = found[1], found[2]
    if name in _COMMANDS:
        return _COMMANDS[name] + ("" if name in ("begin", "end") else argument or "")
    return argument if argument is not None else found[0].replace("\\", " ").strip("^{}")


def _actors(text: str, language: str, continued: bool) -> str:
    """Without stage directions: what is done and not said."""

    def starred(found: re.Match[str]) -> str:
        return GONE if _is_action(found, found[2], language, continued) else found[0]

    def lined(found: re.Match[str]) -> str:
        return GONE if action(language).match(found[1].lower()) and len(found[1].split()) <= 6 else found[0]

    def bracketed(found: re.Match[str]) -> str:
        inside = (found[1] or found[2] or found[3]).strip().lower()
        words = inside.split() if found[2] else [inside]  # "[Mario laughs]", but "(she laughs at it)"
        return GONE if any(map(sound(language).match, words)) and len(inside.split()) <= 4 else found[0]

    text = _STARRED.sub(starred, text) if "*" in text else text
    text = _LINED.sub(lined, text) if "_" in text else text
    text = _HEART.sub(GONE, text) if "3" in text else text
    return _BRACKETED.sub(bracketed, text)


def _is_action(found: re.Match[str], inside: str, language: str, continued: bool) -> bool:
    inside = inside.strip()
    before = found.string[max(0, found.start() - 4) : found.start()].rstrip(' \x00"“')[-1:]
    after = found.string[found.end() : found.end() + 4].lstrip(' \x00"“¿¡')[:1]
    apart = not before or before in ".,!?…:;–—。！？、，" or not after.islower()
    if action(language).match(inside.lower()) and not (len(found[1]) > 1 and inside[:1].isupper()):
        return apart and len(inside.split()) <= 8
    if len(found[1]) > 1 or not inside[:1].islower():
        return False
    alone = not before and not continued and not after
    return not alone and (not before or before in ".!?…") and (not after or after.isupper() or after == "*")


def _names(text: str) -> str:
    """Ids of entities as words, ids of machines not at all."""
    text = _ENTITY_ID.sub(_entity_name, text) if "." in text else text
    return _MACHINE_ID.sub(GONE, text)


def _entity_name(found: re.Match[str]) -> str:
    domain, name = found[1], found[2]
    if name in _NO_OBJECT or not (domain in _DOMAINS or "_" in name.strip("_")) or name.isdecimal():
        return found[0]
    return name.replace("_", " ").strip()


def _tidy(text: str, marks: Marks) -> str:
    """Blanks and pauses put right where something was taken out."""
    text = _EMPTY.sub(GONE, text) if GONE in text or "(" in text or '"' in text else text
    text = _GAPS.sub(_gap, text)
    text = _PAUSES.sub(lambda found: _pause(found, marks), text)
    text = _SPACES.sub(" ", text)
    text = _REPEATED.sub(lambda f: (f[1] or f[2] or "") * 3 or ",", text)
    return _HUGGED.sub("", text).strip(" ")


def _gap(found: re.Match[str]) -> str:
    before, following = found.string[found.start() - 1 : found.start()], found.string[found.end() : found.end() + 1]
    spaced_after = found[0][-1:] in " \xa0\u202f"
    if before.isalnum() and following.isupper() and not spaced_after:
        return PAUSE  # "on 💡The door": a new thought
    if not following or not before:
        return ""
    if not found[1] and not spaced_after:
        return " " if following.isalnum() and _wants_blank(before) else ""
    return "" if following in ".,;:!?…)]。，、！？：；）" and not spaced_after else " "


def _wants_blank(before: str) -> bool:
    return (before.isalnum() or before in ".,;:!?…)") and not WIDE_LETTER.match(before)


def _pause(found: re.Match[str], marks: Marks) -> str:
    text = found.string
    before, following = text[max(0, found.start() - 1) : found.start()], text[found.end() : found.end() + 1]
    if not before or not following or following in ".,;:!?…)。":
        return ""
    return marks.gap or " " if before in ".,;:!?…(。，、" else marks.clause + marks.gap
