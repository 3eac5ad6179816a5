"""A stretch of a line, from Markdown to words: emphasis, links, citations, emoji, symbols. Every pattern is linear."""

import re
import unicodedata
from html import unescape

from .words import WIDE_LETTER, Marks, Words, action, sound

GONE = "\x00"
"""Stands where something was taken out, until the blanks around it are put right."""
PAUSE = "\x01"
"""Stands where a comma belongs."""

# --- characters -------------------------------------------------------------------------------------------------

_PRIVATE_CITATION = re.compile(r"\ue200[^\ue200\ue201\s]{0,300}+\ue201?|[\ue202-\ue2ff]")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,31}\d{0,2});|&nbsp\b")
_TERMINAL = re.compile(r"\x1b\[[0-9;]{0,20}[A-Za-z]")
_STYLED = re.compile("[\U0001d400-\U0001d7ff\ufb00-\ufb06]+")
_OVERLAID = re.compile("[\u0334-\u0338\u0489]|(?<=[\u0300-\u036f]{2})[\u0300-\u036f]+")
_KEYCAP = re.compile(r"([0-9])\ufe0f?\u20e3")
_JOINED_ARABIC = re.compile(r"(?<=[\u0600-\u06ff])\u200c+(?=[\u0600-\u06ff])")
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff\ud800-\udfff\U000e0000-\U000e0fff\u20e3]"
)
_BLANKS = re.compile("[\t\x0b\x0c\r\x1c-\x1f\x85\u1680\u2000-\u200a\u205f\u3000]")
_LINES = re.compile("\r\n?|[\u2028\u2029\x0b\x0c\x85]")
_PICTURES = re.compile(
    "[\u00a9\u00ae\u2020\u2021\u203b\u203c\u2049\u2117\u2120\u2122\u2139\u2300-\u23ff\u2440-\u245f\u2500-\u25ff"
    "\u2600-\u27bf\u2800-\u28ff\u2b00-\u2bff\u3030\u303d\u3297\u3299\ue000-\uf8ff\U0001f000-\U0001ffff]+"
)
_FULL_WIDTH = str.maketrans(
    {
        **{chr(ord(sign) + 0xFEE0): sign for sign in "*_`#|<>[]{}\\^"},
        **dict.fromkeys("│┃║", "|"),
        **dict.fromkeys("‣⁃▪▫◦●○∙■□►➤➢", "•"),
        **dict.fromkeys("➜➔➡➙➞", "→"),
        "◁": "<",
        "▷": ">",
        "\u2028": "\n",
        "‑": "-",
        "⁓": "~",
        "∼": "~",
        "˜": "~",
        "∗": "*",
        "⁎": "*",
        "﹡": "*",
        "﹟": "#",
        "″": '"',
        "♯": "#",
    }
)
_ESCAPE = re.compile(r"(?:\\r)?\\n(?!abla|eq|u\b|ot\b|e[ws])|\\t(?=[A-Z\d\-])|\\u([0-9a-fA-F]{4})")
_CHECKS = re.compile(f"[{GONE}\\s]*+([✅✔✓☑]|❌|✗|✘|☒)[\ufe0f{GONE}\\s]*+")


def clean(text: str) -> str:
    """The text without characters that nobody can hear; `GONE` where one was that stood for itself."""
    text = _ENTITY.sub(_entity, _ENTITY.sub(_entity, text)) if "&" in text else text
    text = _PRIVATE_CITATION.sub(GONE, _TERMINAL.sub("", text.replace(GONE, "").replace(PAUSE, "")))
    text = _KEYCAP.sub(lambda keycap: _circled(int(keycap[1])), text).replace("🔟", "⑩")
    text = _STYLED.sub(lambda found: unicodedata.normalize("NFKC", found[0]), _OVERLAID.sub("", text))
    text = _JOINED_ARABIC.sub(" ", _LINES.sub("\n", text))
    text = _INVISIBLE.sub(lambda found: GONE if found[0] == "\x00" else "", _BLANKS.sub(" ", text))
    text = _PICTURES.sub(_picture, text.translate(_FULL_WIDTH))
    return _ESCAPE.sub(_unescaped, text) if "\\" in text else text


def _unescaped(found: re.Match[str]) -> str:
    """What an escape of a JSON string stands for, where a model wrote one into its text."""
    if found[1]:
        character = chr(int(found[1], 16))
        return "" if unicodedata.category(character)[0] == "C" else character
    return " " if found[0] == r"\t" else "\n"


def _entity(found: re.Match[str]) -> str:
    character = unescape(found[0])
    return " " if character[:1] == "\xa0" else character


def _circled(number: int) -> str:
    return chr(0x2460 + number - 1) if number else "⓪"


def _picture(found: re.Match[str]) -> str:
    """A cell or word that is only a tick or a cross keeps it until we know what it says."""
    text = found[0]
    if text[0] in "✅✔✓☑❌✗✘☒":
        return f"{GONE}{text[0]}{GONE}"
    return {"‼": "!!", "⁉": "!?"}.get(text[0], GONE)


def verdict(text: str, words: Words) -> str:
    """Yes or no for a cell that holds only a tick or a cross."""
    found = _CHECKS.fullmatch(text)
    if not found:
        return text
    return words.yes if found[1] in "✅✔✓☑" else words.no


# --- markup -----------------------------------------------------------------------------------------------------

_URL_END = "\\s<>\"'`{}|\\\\^\\[\\]\u3000-\u30ff\u4e00-\u9fff\uff00-\uffef«»“”„"
_IMAGE = re.compile(r"!\[([^\[\]]{0,500}+)\]\([^()\s]{0,2000}+(?:\s[\"'][^()\n]{0,200}+)?\)")
_LINK = re.compile(
    r"\[([^\[\]]{0,500}+)\]\(\s?(?:<[^<>\n]{0,2000}+>|(?:[^()\s<>]|\([^()\s<>]{0,200}+\)){0,2000}+)(?:\s[\"'(][^()\n]{0,200}+)?\s?\)"
)
_LINKS_ASIDE = re.compile(r"\s?\((?:\[[^\[\]]{0,200}+\]\([^()\s]{1,2000}+\)[,;\s]*+){1,20}+\)")
_NUMBER_LINK = re.compile(r"\s?\[\[\d{1,3}\]\]\([^()\s]{0,2000}+\)")
_CUT_LINK = re.compile(r"\[([^\[\]]{0,500}+)\]\([^()\s]{0,2000}+$")
_REFERENCE = re.compile(r"\[([^\[\]]{1,300}+)\]\s?\[[^\[\]]{0,60}+\]")
_WIKI = re.compile(r"\[\[(?:[^\[\]|]{1,100}\|)?([^\[\]|]{1,200})\]\]")
_URL = re.compile(
    rf"(?<![A-Za-z])(?:(?:mailto|tel):|[A-Za-z][A-Za-z0-9+.\-]{{1,20}}://|www\.)[^{_URL_END}]+|"
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
_NO_OBJECT = frozenset(
    (
        "yaml",
        "yml",
        "json",
        "py",
        "js",
        "ts",
        "txt",
        "md",
        "html",
        "csv",
        "log",
        "conf",
        "com",
        "org",
        "net",
        "io",
        "de",
    )
)
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

# --- symbols ----------------------------------------------------------------------------------------------------

_AMOUNT = (
    r"((?:[-+−]\s?)?[€$£¥₹]?\s?\d(?:[\d.,:]{0,30}\d)?(?:\s?(?:%|‰|°\s?[CFK]?|[€$£¥₹]|[A-Za-zµ]{1,4}(?:/[A-Za-z]{1,2})?[²³]?(?!\w)"
    r"|[度分秒円人個台点时時日]|時間|パーセント|小时|分钟|도|분|원|डिग्री|प्रतिशत|मिनट))?)"
)
_RANGE = re.compile(r"(?<=\d)\s?~\s?(?=\d)|(?<=[%°CF度時分日])\s?~\s?(?=\d)")
_ABOUT = re.compile(rf"(?<![A-Za-z0-9~])[~≈≃≅]\s?{_AMOUNT}|(?<=\w)\s[≈≃≅]\s?{_AMOUNT}")
_APPROXIMATELY = (
    "about",
    "around",
    "approx.",
    "approximately",
    "roughly",
    "ca.",
    "circa",
    "ungefähr",
    "rund",
    "大约",
    "およそ",
)
_PLUS_MINUS = re.compile(rf"(?:±|\+/-|\+/−)\s?{_AMOUNT}")
_AT_MOST = re.compile(rf"(?:<=|≤|≦|⩽|=<)\s?{_AMOUNT}")
_AT_LEAST = re.compile(rf"(?:>=|≥|≧|⩾)\s?{_AMOUNT}")
_LESS = re.compile(rf"(?<!<)<\s?{_AMOUNT}")
_MORE = re.compile(rf"(?<![>\-=])>\s?{_AMOUNT}")
_SMALLER = re.compile(r"(?<=\b[^\W\d_])\s?<\s?([^\W\d_]\b)|(?<=[\w)%])\s<\s([^\W_]\w{0,40})")
_LARGER = re.compile(r"(?<=\b[^\W\d_])\s>\s([^\W\d_]\b)|(?<=[\w)%])\s>\s([a-zß-öø-ÿа-я]\w{0,40})")
_ARROW = re.compile(r"\s?(?:<?[-=–—]{1,3}>|<-{1,2}(?=\s|$)|[←-⇿⟵-⟿])+\s?")
_TIMES = re.compile(
    r"(?<=[\d)])\*(?=[\d(])|(?<=[\w)%°]) \* (?=[\d(])|(?<=\d) \* (?=\w)|(?<=\d)\*(?=[a-z]\b)|(?<=\b[^\W\d_])(?:\*| \* )(?=[^\W\d_]\b)"
)
_POWER = re.compile(r"(?<=[\d)])(?:\*\*| \*\* )(\d{1,5})|(?:(?<=\d)|(?<=\b[^\W\d_])|(?<=\)))\^[({]?(-?\d{1,5})[)}]?")
_RAISED_UNIT = re.compile(r"(?<![^\W\d_])([^\W\d_]{1,2})\^\{?([23])\}?(?!\w)")
_SHARP = re.compile(r"(?<![A-Za-z0-9])([A-JQС])#(?![A-Za-z0-9#])")
_NUMBER = re.compile(r"(?<![A-Za-z0-9#&])(?:#|№)\s?(\d{1,9})(?![A-Za-z0-9])")
_CIRCLED = re.compile("[⓪①-⑳❶-❿⓫-⓿➀-➓]")
_LINE_BREAK = re.compile(r"\s?\\\\\s?")
_ESCAPED = re.compile(r"\\([*_`#~|<>\[\]{}()$!.+\-\"'/%&])")
_BULLET = re.compile(r"\s?(?:•\s?)+|\s?\|+\s?|(?<=\s)[·](?=\s)")
_PATH = re.compile(r"(?<!>)\s?>++\s?(?=[^\W\d_])")
_FLAG = re.compile(r"(?<!\S)--(?=\w)")
_DASHES = re.compile(r"(?<=\s)-{2,3}(?=\s)|(?<=\w)-{2,3}(?=[^\W\d])")
_SNAKE = re.compile(r"(?<=[^\W_])_+(?=[^\W_])")
_LEFT_OVER = re.compile(r"[～〜](?!\w)|={2,}|[*_`#~|<>\[\]{}【】\\^✅✔✓☑❌✗✘☒†‡]|(?<!\S)-{3,}(?!\S)|(?<=\s)\$\$(?=\s)")

# --- blanks -----------------------------------------------------------------------------------------------------

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
    text = _symbols(text, words)
    return tidy(_LEFT_OVER.sub("", text), marks)


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
    if not host or len(host) > 40 or not re.fullmatch(r"[\w.\-]+", host):
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
        return GONE if sound(language).match(inside) and len(inside.split()) <= 4 else found[0]

    text = _STARRED.sub(starred, text) if "*" in text else text
    text = _LINED.sub(lined, text) if "_" in text else text
    text = _HEART.sub(GONE, text) if "3" in text else text
    return _BRACKETED.sub(bracketed, text)


def _is_action(found: re.Match[str], inside: str, language: str, continued: bool) -> bool:
    inside = inside.strip()
    if action(language).match(inside.lower()):
        return len(inside.split()) <= 8
    if len(found[1]) > 1 or not inside[:1].islower():
        return False
    before = found.string[: found.start()].rstrip(' \x00"“')[-1:]
    after = found.string[found.end() :][:4].lstrip(' \x00"“¿¡')[:1]
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


def _symbols(text: str, words: Words) -> str:
    """Signs that voices misread, as words of the language."""
    text = _CIRCLED.sub(_digit, text)
    text = _POWER.sub(lambda f: _filled(words.power, f), _RAISED_UNIT.sub(lambda f: f[1] + "²³"[int(f[2]) - 2], text))
    text = _TIMES.sub(f" {words.times} ", text) if "*" in text else text
    text = _ARROW.sub(PAUSE, _SHARP.sub(r"\1 sharp", text))
    for pattern, word in (
        (_PLUS_MINUS, words.plus_minus),
        (_AT_MOST, words.at_most),
        (_AT_LEAST, words.at_least),
        (_LESS, words.less),
        (_MORE, words.more),
        (_SMALLER, f" {words.less}"),
        (_LARGER, f" {words.more}"),
        (_NUMBER, words.number),
    ):
        text = pattern.sub(lambda found, word=word: _filled(word, found), text)  # type: ignore[misc]
    text = text.replace("~~", "") if "~~" in text else text
    text = _ABOUT.sub(lambda found: _about(found, words), _RANGE.sub("–", text))
    text = _DASHES.sub("–", _FLAG.sub("", _PATH.sub(PAUSE, _BULLET.sub(PAUSE, text))))
    return _SNAKE.sub(" ", text)


def _about(found: re.Match[str], words: Words) -> str:
    """ "about 20", but not "about about 20"."""
    before = found.string[: found.start()].rstrip().lower()
    word = words.about.replace("{}", "").strip()
    said = before.endswith((word, *_APPROXIMATELY)) if word else True
    return _filled("{}" if said else words.about, found, spaced=True)


def _filled(word: str, found: re.Match[str], *, spaced: bool = False) -> str:
    amount = next(group for group in found.groups() if group is not None).strip()
    before = found.string[: found.start()][-1:]
    glued = before.isascii() and before.isalnum() and word[:1].isalpha()
    blank = " " if glued or (spaced and found[0][:1].isspace()) else ""
    return blank + word.replace("{}", amount)


def _digit(found: re.Match[str]) -> str:
    code = ord(found[0])
    for first, number in ((0x2460, 1), (0x2776, 1), (0x2780, 1), (0x278A, 1), (0x24EB, 11)):
        if first <= code < first + 20:
            return str(code - first + number)
    return "0"


def tidy(text: str, marks: Marks) -> str:
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
    before, following = text[: found.start()][-1:], text[found.end() : found.end() + 1]
    if not before or not following or following in ".,;:!?…)。":
        return ""
    return marks.gap or " " if before in ".,;:!?…(。，、" else marks.clause + marks.gap
