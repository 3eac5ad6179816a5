"""What people call things, by language: "Lampe", "how warm", "verriegelt" → the kinds of entities they speak of.

Derived from the sentences of `home-assistant-intents`: a word that only stands in sentences about one or two kinds
speaks of them; a word that stands everywhere ("is", "all", "please") speaks of nothing.
"""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any

import orjson
from home_assistant_intents import get_intents, get_languages

_KINDS = Path(__file__).parent.parent / "data" / "kinds.json"
"""By language a word or more for each kind; what is joined by "_" is said together."""

MAX_FORMS = 48
"""Forms of one template that are worked out; enough for every inflection, and a bound on nested alternatives."""

MOST_KINDS = 2
"""A word of more kinds than this is no name of a kind."""

NAMED = 0.5
"""Share of the questions about a kind in which its name stands; what stands in fewer only goes with it."""

TELLING = 3
"""How many times more often a name stands with its kind than with any other: "Wetter", but not "wie"."""

_INTENT_KINDS = {
    "HassClimateGetTemperature": ":temperature",
    "HassClimateSetTemperature": "climate",
    "HassClimateSetFanMode": "climate",
    "HassClimateSetHvacMode": "climate",
    "HassGetWeather": "weather",
    "HassFanSetSpeed": "fan",
    "HassLightSet": "light",
    "HassSetVolume": "media_player",
    "HassSetVolumeRelative": "media_player",
    "HassListAddItem": "todo",
    "HassListCompleteItem": "todo",
    "HassListRemoveItem": "todo",
    "HassShoppingListAddItem": "todo",
    "HassShoppingListCompleteItem": "todo",
}
_INTENT_PREFIXES = {
    "HassMedia": "media_player",
    "HassVacuum": "vacuum",
    "HassLawnMower": "lawn_mower",
}
_QUESTIONS = frozenset({"HassGetState", "HassClimateGetTemperature", "HassGetWeather"})
_NO_KINDS = frozenset({"", "*"})
_SAME = {"valve": "cover", "input_button": "button", "climate": ":temperature"}
"""Kinds that share their words with another one count as one when words are told apart."""

_JOINED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
"""Scripts that put no blanks between words: Thai, Lao, Burmese, Khmer, kana, Han."""

_FOLDS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th"})
_WORD = re.compile(r"[^\W_]+(?:[\u0300-\u036f\u0900-\u0dff\u0e31-\u0e4e\u200c\u200d]+[^\W_]*)*")


def fold(text: str) -> str:
    """Without case and without the accents that people and recognisers drop."""
    text = text.casefold()
    if text.isascii():
        return text
    bare = unicodedata.normalize("NFKD", text.translate(_FOLDS))
    bare = "".join(char for char in bare if not _is_accent(char))
    return unicodedata.normalize("NFC", bare)


def _is_accent(char: str) -> bool:
    """Combining marks of Latin, Greek and Cyrillic, Hebrew points, Arabic vowels; not the vowels of India or Thai."""
    code = ord(char)
    return 0x300 <= code <= 0x36F or 0x591 <= code <= 0x5C7 or 0x64B <= code <= 0x65F or code == 0x670


def words(text: str) -> list[str]:
    """The folded words of a text; a run of a script without blanks is one word."""
    return _WORD.findall(fold(text))


def is_joined(text: str) -> bool:
    """Whether it is (also) written in a script without blanks."""
    return not text.isascii() and _JOINED.search(text) is not None


def is_dense(word: str) -> bool:
    """Whether one character is a syllable with a meaning, although blanks part the words: Hangul."""
    return "\uac00" <= word[:1] <= "\ud7a3"


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words of one language. Kinds are domains ("light") and device classes (":window")."""

    kinds: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """What things are called, by folded word (in joined scripts: by piece of text)."""
    hints: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Words that go with a kind without being its name: "dim", "song", "brightness"."""
    states: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """By folded word: the raw states it stands for ("offen": open, on)."""
    common: frozenset[str] = frozenset()
    """All words of the sentences: none of them is a misheard name."""


def load_vocabulary(language: str) -> Vocabulary:
    """The vocabulary of a language, empty where nobody wrote sentences in it. Takes some hundredths of a second."""
    known = best_language(language)
    if known is None:
        return Vocabulary()
    vocabulary = _Sentences(get_intents(known) or {}).vocabulary()
    kinds = dict(vocabulary.kinds)
    for word, also in _more_kinds(known).items():
        kinds[word] = kinds.get(word, frozenset()) | also
    return replace(vocabulary, kinds=kinds)


def _more_kinds(language: str) -> dict[str, frozenset[str]]:
    """Words for what sensors measure, of which the sentences do not speak."""
    data = orjson.loads(_KINDS.read_bytes())
    base = language.partition("-")[0]
    columns = data["words"].get(language.casefold()) or data["words"].get(base) or ()
    found: defaultdict[str, set[str]] = defaultdict(set)
    for kind, listed in zip(data["kinds"], columns, strict=False):
        for word in listed.split():
            found[" ".join(words(word))].add(kind)
    return {word: frozenset(kinds) for word, kinds in found.items()}


def best_language(language: str) -> str | None:
    """The sentences that come closest: "de-AT" → "de", "zh" → "zh-CN", "no" → "nb"."""
    tags = {tag.casefold(): tag for tag in get_languages()}
    wanted = language.replace("_", "-").casefold()
    base = wanted.partition("-")[0]
    for candidate in (wanted, base, {"no": "nb", "nn": "nb", "iw": "he", "in": "id", "zh": "zh-cn"}.get(base, "")):
        if candidate in tags:
            return tags[candidate]
    return next((tag for folded, tag in sorted(tags.items()) if folded.partition("-")[0] == base), None)


class _Sentences:
    """The sentence templates of one language, read for their words."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._intents = data.get("intents") or {}
        self._rules = data.get("expansion_rules") or {}
        self._lists = data.get("lists") or {}
        self._forms_of_rule: dict[str, _Forms] = {}

    def vocabulary(self) -> Vocabulary:
        uses = self._uses()
        blocks = uses.pop("")
        names: dict[str, frozenset[str]] = {}
        hints: dict[str, frozenset[str]] = {}
        for word, counts in uses.items():
            shares = {kind: count / max(1, blocks[kind]) for kind, count in counts.items()}
            named = frozenset(kind for kind, share in shares.items() if kind not in _NO_KINDS and share >= NAMED)
            if named and _is_told_apart(shares, named) and _tells(word):
                names[word] = named
            elif not _is_function(word, counts):
                hints[word] = frozenset(counts)
        for word, kinds in self._classes().items():
            if not _is_function(word, uses.get(word, ()), most=MOST_KINDS + 1):
                names[word] = frozenset(kinds)
        return Vocabulary(names, hints, self._states(), frozenset(uses))

    def _uses(self) -> dict[str, Counter[str]]:
        """For each word, in how many blocks of sentences about which kind it stands; under "" how many there are.

        Of a kind that is asked about only questions count, for commands use other words: "dim", "play". Commands
        that may mean any kind tell nothing of any.
        """
        blocks = list(self._blocks())
        questions = {kind for is_question, kinds, _ in blocks if is_question for kind in kinds}
        uses: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for is_question, kinds, found in blocks:
            counted = {kind for kind in kinds if is_question or kind not in questions}
            uses[""].update(counted)
            for word in found:
                uses[word].update(counted)
                uses[word].update(dict.fromkeys(kinds - counted, 0))
        return dict(uses)

    def _blocks(self) -> Iterable[tuple[bool, set[str], set[str]]]:
        """For each block of sentences: whether they are questions, the kinds they are about, their words."""
        for intent, body in self._intents.items():
            for block in body.get("data") or ():
                found: set[str] = set()
                for sentence in block.get("sentences") or ():
                    found |= self._forms(sentence).all()
                heard = {part for form in found for part in words(form)}
                yield intent in _QUESTIONS, _kinds_of_block(intent, block), heard

    def _classes(self) -> dict[str, set[str]]:
        """Lists whose values are domains or device classes."""
        found: defaultdict[str, set[str]] = defaultdict(set)
        for name, body in self._lists.items():
            if ("class" not in name and "domain" not in name) or "media" in name:
                continue
            mark = ":" if "class" in name else ""
            for form, out in self._values(body):
                for word in filter(_tells, words(form)):
                    found[word] |= {mark + each for each in (out if isinstance(out, list) else [str(out)])}
        return found

    def _states(self) -> dict[str, frozenset[str]]:
        found: defaultdict[str, set[str]] = defaultdict(set)
        for name, body in self._lists.items():
            if "state" in name:
                for form, out in self._values(body, whole=True):
                    found[fold(form)].add(str(out))
        return {word: frozenset(states) for word, states in found.items() if word and len(states) < 4}

    def _values(self, body: Mapping[str, Any], *, whole: bool = False) -> Iterable[tuple[str, Any]]:
        """Words of a list's values and what they stand for.

        `whole`: where one word can be all that is said, only that: "nicht offen" does not make "offen" mean closed.
        """
        for value in body.get("values") or ():
            if isinstance(value, Mapping) and isinstance(value.get("in"), str):
                forms = self._forms(value["in"])
                alone = forms.alone - {""}
                if is_joined(value["in"]):
                    alone |= forms.inner
                for form in (whole and alone) or forms.all():
                    yield form, value.get("out")

    def _forms(self, template: str) -> "_Forms":
        return _Reader(template, self).read()

    def forms_of_rule(self, name: str) -> "_Forms":
        if name not in self._forms_of_rule:
            self._forms_of_rule[name] = _BREAK  # a rule that names itself ends here
            self._forms_of_rule[name] = self._forms(str(self._rules.get(name, "")))
        return self._forms_of_rule[name]


def _is_told_apart(shares: Mapping[str, float], named: frozenset[str]) -> bool:
    """Whether a word stands with the few kinds it names, and hardly with any other."""
    same = {_SAME.get(kind, kind) for kind in named}
    others = {kind: share for kind, share in shares.items() if _SAME.get(kind, kind) not in same}
    if len(same) > MOST_KINDS or len(same) + len(others) > MOST_KINDS + 1:
        return False
    best = max(shares[kind] for kind in named)
    return all(share * TELLING <= best for share in others.values())


def _is_function(word: str, kinds: Iterable[str], most: int = MOST_KINDS) -> bool:
    """Whether a word speaks of no kind in particular."""
    kinds = set(kinds)
    return bool(_NO_KINDS & kinds) or len({_SAME.get(kind, kind) for kind in kinds}) > most or not _tells(word)


def _tells(word: str) -> bool:
    """Whether a word is long enough to mean something: a Han character or a Hangul syllable is, a letter is not."""
    if is_joined(word):
        return not re.fullmatch(r"[\u3040-\u309f]{1,3}", word)
    return (len(word) > 2 or is_dense(word)) and not word.isdigit()


def _kinds_of_block(intent: str, block: Mapping[str, Any]) -> set[str]:
    """The kinds that a block of sentences is about.

    {""} where it is about none, {"*"} for questions about anything, no kind for commands to anything.
    """
    domain = (block.get("slots") or {}).get("domain") or (block.get("requires_context") or {}).get("domain")
    domains = {domain} if isinstance(domain, str) else set(domain or ())
    if len(domains) > MOST_KINDS:
        return {"*"} if intent in _QUESTIONS else set()
    if domains:
        return domains
    if intent in _INTENT_KINDS:
        return {_INTENT_KINDS[intent]}
    for prefix, kind in _INTENT_PREFIXES.items():
        if intent.startswith(prefix):
            return {kind}
    return set() if intent in ("HassTurnOn", "HassTurnOff", "HassGetState", "HassSetPosition") else {""}


@dataclass(frozen=True, slots=True)
class _Forms:
    """The words that a template can give: whole ones, and those still open to the left or right."""

    alone: frozenset[str] = frozenset({""})
    """Texts without any blank: open on both sides."""
    heads: frozenset[str] = frozenset()
    tails: frozenset[str] = frozenset()
    inner: frozenset[str] = frozenset()

    def all(self) -> set[str]:
        return {*self.alone, *self.heads, *self.tails, *self.inner} - {""}

    def then(self, after: "_Forms") -> "_Forms":
        return _Forms(
            _joined(self.alone, after.alone),
            self.heads | _joined(self.alone, after.heads),
            after.tails | _joined(self.tails, after.alone),
            self.inner | after.inner | _joined(self.tails, after.heads),
        )

    def or_else(self, other: "_Forms") -> "_Forms":
        return _Forms(
            self.alone | other.alone, self.heads | other.heads, self.tails | other.tails, self.inner | other.inner
        )


_EMPTY = _Forms()
_BREAK = _Forms(frozenset(), frozenset({""}), frozenset({""}))
"""What stands for anything else: the words beside it end there."""


def _joined(left: frozenset[str], right: frozenset[str]) -> frozenset[str]:
    if len(left) * len(right) > MAX_FORMS:
        return left | right
    return frozenset(a + b for a, b in product(left, right))


def _text(text: str) -> _Forms:
    if is_joined(text):
        return _Forms(frozenset(), frozenset({""}), frozenset({""}), frozenset(text.split()))
    parts = text.split(" ")
    if len(parts) == 1:
        return _Forms(frozenset(parts))
    return _Forms(frozenset(), frozenset(parts[:1]), frozenset(parts[-1:]), frozenset(parts[1:-1]))


class _Reader:
    """Reads a sentence template: (a|b), [optional], <rule>, {list}, (a;b)."""

    _PIECES = re.compile(r"[()\[\]|;]|<[^<>]*>|\{[^{}]*\}|[^()\[\]|;<>{}]+")

    def __init__(self, template: str, sentences: _Sentences) -> None:
        self._pieces = self._PIECES.findall(template)
        self._at = 0
        self._sentences = sentences

    def read(self) -> _Forms:
        """Up to the end, or to the bracket that closes this group."""
        either: _Forms | None = None
        so_far = _EMPTY
        while self._at < len(self._pieces):
            piece = self._pieces[self._at]
            self._at += 1
            if piece in ")]":
                break
            if piece == "|":
                either = so_far if either is None else either.or_else(so_far)
                so_far = _EMPTY
            else:
                so_far = so_far.then(self._part(piece))
        return so_far if either is None else either.or_else(so_far)

    def _part(self, piece: str) -> _Forms:
        if piece == "(":
            return self.read()
        if piece == "[":
            return self.read().or_else(_EMPTY)
        if piece.startswith("<"):
            return self._sentences.forms_of_rule(piece[1:-1])
        if piece.startswith("{") or piece == ";":
            return _BREAK
        return _text(piece)
