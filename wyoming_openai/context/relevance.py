"""Which names of the home a sentence speaks of: exact, inflected, compounded, misheard, in any script. Pure.

A `NameIndex` is built once over many names and asked often: it looks only at names that share something rare with
the sentence, never at all of them.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from .vocabulary import is_dense, is_joined, words

LONGEST_NAME = 60
"""Characters of a name that are compared."""

LONGEST_SENTENCE = 400
"""Characters of a sentence that are read: nobody says more in one breath."""

ENOUGH_CANDIDATES = 300
"""Names that are looked at closely; rarer words bring theirs first."""

MOST_SIMILAR = 12
"""Similar words that are tried for one word of a sentence."""

_ENDING = 4
"""Letters that an ending may add to a name: "Küche" → "Küchen", "keittiö" → "keittiössä"."""

_SOUNDS = (
    (re.compile(r"sch|sh|ch|cz|sz"), "s"),
    (re.compile(r"ph|v|w"), "f"),
    (re.compile(r"ck|q|c|x|g"), "k"),
    (re.compile(r"th|dt|d"), "t"),
    (re.compile(r"b"), "p"),
    (re.compile(r"z"), "s"),
    (re.compile(r"[hj]"), ""),
    (re.compile(r"[aeiouy]+"), "a"),
    (re.compile(r"(.)\1+"), r"\1"),
)
"""What sounds nearly the same to a recogniser."""

_JOINED_PIECE = re.compile(r"[^\W\d_]+|\d+")
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")


@dataclass(frozen=True)
class Sentence:
    """A folded sentence: its words, and the text without blanks with the places where words begin and end."""

    text: str
    common: Container[str] = frozenset()
    """Words of the language that are surely not misheard names."""
    function: Container[str] = frozenset()
    """Of these, words that name nothing: they count in a name only as they are."""

    @cached_property
    def words(self) -> tuple[str, ...]:
        return tuple(words(self.text[:LONGEST_SENTENCE]))

    @cached_property
    def compact(self) -> str:
        return "".join(self.words)

    @cached_property
    def starts(self) -> frozenset[int]:
        """Where a name can begin: at a word, and anywhere in a script without blanks."""
        places, at = set(), 0
        for word in self.words:
            places.add(at)
            if is_joined(word):
                places.update(range(at, at + len(word)))
            at += len(word)
        return frozenset(places)

    @cached_property
    def ends(self) -> frozenset[int]:
        return frozenset((*self.starts, len(self.compact))) - {0}

    @cached_property
    def terms(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(term for word in self.words for term in terms(word)))


def terms(word: str) -> Iterator[str]:
    """What a word is looked up by: itself; in a script without blanks its pairs of characters and its Han."""
    if not is_joined(word):
        yield word
        return
    for piece in _JOINED_PIECE.findall(word):
        if not is_joined(piece):
            yield piece
            continue
        yield from (char for char in piece if _HAN.match(char))
        yield from (piece[at : at + 2] for at in range(len(piece) - 1))


def compact(name: str) -> str:
    """A name as it is looked up whole: folded, without blanks and punctuation."""
    return "".join(words(name))[:LONGEST_NAME]


@dataclass(frozen=True, slots=True)
class Span:
    """A whole name found in a sentence."""

    start: int
    end: int
    docs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class NameMatch:
    """How well the best name of something fits a sentence: the share of the name that was said, 0 … 1."""

    score: float
    whole: bool = False


class NameIndex:
    """Finds things by their names. `names[n]` are all names of thing `n`.

    It keeps tuples of texts and numbers, for those are nothing to Python's collector, which stops everything to look
    through the rest.
    """

    def __init__(self, names: Sequence[tuple[str, ...]]) -> None:
        self.names = tuple(names)
        self._docs: dict[str, frozenset[int]] = {}
        analysed: dict[str, tuple[str, tuple[str, ...]]] = {}
        whole: defaultdict[str, list[int]] = defaultdict(list)
        entries: list[tuple[int, tuple[str, ...]]] = []
        for doc, known_as in enumerate(self.names):
            for name in known_as:
                if name not in analysed:
                    analysed[name] = _analysed(name)
                key, parts = analysed[name]
                if key:
                    whole[key].append(doc)
                    entries.append((doc, parts))
        postings: defaultdict[str, list[int]] = defaultdict(list)
        for number, (_, parts) in enumerate(entries):
            for part in parts:
                postings[part].append(number)
        self._whole = {key: tuple(docs) for key, docs in whole.items()}
        self._postings = {term: tuple(numbers) for term, numbers in postings.items()}
        self._longest = max(map(len, whole), default=0)
        rarity = {term: self.rarity(term) for term in postings}
        self._entries = tuple((doc, parts, sum(rarity[part] for part in parts)) for doc, parts in entries)
        """Of each name: whose it is, its terms, their weight."""
        self._similar = SimilarWords(self._postings)

    def rarity(self, term: str) -> float:
        """How much a term tells: one that stands in every name tells little."""
        count = len(self._postings.get(term, ()))
        rarity = math.log(1 + (len(self.names) + 1) / (count + 1))
        return rarity * (0.4 if len(term) == 1 and not term.isdigit() else 1.0)

    def docs_of(self, term: str) -> frozenset[int]:
        """Everything that has this term in a name."""
        if term not in self._docs:
            self._docs[term] = frozenset(self._entries[number][0] for number in self._postings.get(term, ()))
        return self._docs[term]

    def is_whole(self, key: str) -> bool:
        """Whether this (folded, without blanks) is somebody's whole name."""
        return key in self._whole

    def same_names(self) -> Iterator[tuple[int, ...]]:
        """Things that share a name, together."""
        return (tuple(dict.fromkeys(docs)) for docs in self._whole.values() if len(set(docs)) > 1)

    def similar(self, word: str, *, fuzzy: bool) -> dict[str, float]:
        """Terms of names that a word may be."""
        return self._similar.to(word, fuzzy=fuzzy)

    def whole_names(self, sentence: Sentence) -> list[Span]:
        """The whole names said, longest first where they overlap; an ending may be added."""
        spans: list[Span] = []
        for start in sorted(sentence.starts):
            for end in range(min(len(sentence.compact), start + self._longest), start, -1):
                docs = self._whole.get(sentence.compact[start:end])
                if docs and _ends_well(sentence, start, end):
                    spans.append(Span(start, end, docs))
        return _longest_apart(spans)

    def find(self, sentence: Sentence, limit: int = ENOUGH_CANDIDATES) -> dict[int, NameMatch]:
        """What the sentence may speak of, by thing. Whole names come first."""
        found = {doc: NameMatch(1.0, whole=True) for span in self.whole_names(sentence) for doc in span.docs}
        similar = self.similar_terms(sentence)
        said = sum(max(self.rarity(term) * sim for term, sim in of.items()) for of in similar.values() if of)
        sims: dict[str, float] = {}
        for of in similar.values():
            for term, sim in of.items():
                sims[term] = max(sims.get(term, 0.0), sim)
        for number in self._candidates(sims, limit):
            doc, parts, weight = self._entries[number]
            mass = sum(self.rarity(term) * sims[term] for term in parts if term in sims)
            score = mass / weight * 0.65 + min(1.0, mass / said) * 0.35
            if doc not in found or found[doc].score < score:
                found[doc] = NameMatch(score)
        return found

    def similar_terms(self, sentence: Sentence) -> dict[str, dict[str, float]]:
        """For each term of the sentence the terms of names that it may be, and how surely."""
        return {term: self._similar_term(term, sentence) for term in sentence.terms}

    def _similar_term(self, term: str, sentence: Sentence) -> dict[str, float]:
        if term in sentence.function:
            return {term: 1.0} if term in self._postings else {}
        return self._similar.to(term, fuzzy=term not in sentence.common)

    def _candidates(self, sims: dict[str, float], limit: int) -> Iterable[int]:
        """Names with the rarest terms; terms that stand everywhere only choose among them."""
        seen: dict[int, None] = {}
        for term in sorted(sims, key=lambda term: len(self._postings[term])):
            if seen and len(seen) + len(self._postings[term]) > limit:
                break
            seen.update(dict.fromkeys(self._postings[term]))
        if len(seen) > limit:
            shared = Counter(number for term in sims for number in self._postings[term])
            return [number for number, _ in shared.most_common(limit)]
        return seen


def _analysed(name: str) -> tuple[str, tuple[str, ...]]:
    parts = words(name[:LONGEST_NAME])
    return "".join(parts), tuple(dict.fromkeys(term for part in parts for term in terms(part)))


def _ends_well(sentence: Sentence, start: int, end: int) -> bool:
    """Whether a name that ends here was said whole: at the end of a word, or a few letters before it."""
    if end in sentence.ends:
        return True
    rest = next(place for place in range(end, len(sentence.compact) + 1) if place in sentence.ends) - end
    tail = sentence.compact[end : end + rest]
    return end - start >= 4 and rest <= min(_ENDING, (end - start) // 2) and not any(map(str.isdigit, tail))


def _longest_apart(spans: list[Span]) -> list[Span]:
    """The longest spans that do not overlap."""
    taken: list[Span] = []
    for span in sorted(spans, key=lambda span: span.start - span.end):
        if all(span.end <= other.start or other.end <= span.start for other in taken):
            taken.append(span)
    return taken


class SimilarWords:
    """Words like a given one, among many: by shared pieces first, then by how they differ."""

    def __init__(self, known: Iterable[str]) -> None:
        self._known = frozenset(known)
        self._by_piece: defaultdict[str, list[str]] = defaultdict(list)
        self._by_sound: defaultdict[str, list[str]] = defaultdict(list)
        self._asked: dict[tuple[str, bool], dict[str, float]] = {}
        for word in self._known:
            if _comparable(word):
                for piece in _pieces(word):
                    self._by_piece[piece].append(word)
                self._by_sound[_sound(word)].append(word)

    def to(self, word: str, *, fuzzy: bool = True) -> dict[str, float]:
        """Known words with their likeness, 0 … 1. Without `fuzzy` no typing or hearing mistakes."""
        key = (word, fuzzy)
        if key not in self._asked:
            if len(self._asked) > 5000:
                self._asked.clear()
            self._asked[key] = self._similar(word, fuzzy)
        return self._asked[key]

    def _similar(self, word: str, fuzzy: bool) -> dict[str, float]:
        found = {word: 1.0} if word in self._known else {}
        if not _comparable(word):
            return found
        shared = Counter(other for piece in _pieces(word) for other in self._by_piece.get(piece, ()))
        for other, _ in shared.most_common(MOST_SIMILAR * 4):
            if other != word and (likeness := _likeness(word, other, fuzzy and not found)) > 0:
                found[other] = likeness
        if fuzzy and len(found) == 0 and len(word) > 3:
            alike = self._by_sound.get(_sound(word), ())
            found = {other: 0.7 for other in alike if _edits(word, other, limit=len(word) // 2) is not None}
        best = sorted(found.items(), key=lambda item: -item[1])[:MOST_SIMILAR]
        return dict(best)


def _comparable(word: str) -> bool:
    return (len(word) > 2 or is_dense(word)) and not word.isdigit() and not is_joined(word)


def _pieces(word: str) -> set[str]:
    padded, length = f" {word} ", 2 if is_dense(word) else 3
    return {padded[at : at + length] for at in range(len(padded) - length + 1)}


def _sound(word: str) -> str:
    for pattern, sound in _SOUNDS:
        word = pattern.sub(sound, word)
    return word


def _likeness(said: str, known: str, fuzzy: bool) -> float:
    """How surely a word said is a known one: inflected, a part of a compound, or (fuzzy) mistaken."""
    shared = _shared_beginning(said, known)
    longest, shortest = max(len(said), len(known)), min(len(said), len(known))
    if is_dense(said):
        return 0.9 if shared == shortest and longest - shared <= 2 else 0.0
    if shared >= 3 and longest - shared <= _ENDING and shared >= 0.6 * longest:
        return 0.9 if shared == shortest else 0.8
    if shortest >= 3 and _takes_prefixes(said) and said.endswith(known) and longest - shortest <= 3:
        return 0.85
    if shortest >= 4 and (said.endswith(known) or said.startswith(known)):
        return 0.65
    if shortest >= 4 and (known.endswith(said) or known.startswith(said)):
        return 0.5
    if fuzzy and shortest >= 4:
        wrong = _edits(said, known, limit=1 + longest // 5)
        if wrong is not None and wrong / longest <= 0.34:
            return 1.0 - wrong / longest * 1.2
    return 0.0


def _takes_prefixes(word: str) -> bool:
    """Whether articles and prepositions are written onto the word: Hebrew, Arabic."""
    return "\u0590" <= word[:1] <= "\u06ff"


def _shared_beginning(left: str, right: str) -> int:
    for at, (a, b) in enumerate(zip(left, right, strict=False)):
        if a != b:
            return at
    return min(len(left), len(right))


def _edits(left: str, right: str, limit: int) -> int | None:
    """Letters to change, add, leave out or swap; None beyond the limit."""
    if abs(len(left) - len(right)) > limit:
        return None
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        before, last, row = row, before, [i]
        for j, b in enumerate(right, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if last and j > 1 and a == right[j - 2] and left[i - 2] == b:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
        if min(row) > limit:
            return None
    return row[-1] if row[-1] <= limit else None
