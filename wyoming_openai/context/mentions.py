"""What a sentence speaks of in a home: things by name, groups by kind, places, states. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from .directory import Directory, Place
from .relevance import NameMatch, Sentence, SimilarWords, Span
from .vocabulary import Vocabulary, is_joined

GROUP = 3
"""Entities that share a word of their names are a group from this many on."""

MISHEARD = 4
"""Letters up to which a word is not taken for another kind's misheard name: too many short words are alike."""

_LOCK_STATES = frozenset({"locked", "unlocked"})
"""Who asks whether a door is locked asks for its lock."""


@dataclass(frozen=True, slots=True)
class Group:
    """Entities of one kind, or with one word in their names, that a sentence speaks of."""

    word: str
    members: tuple[int, ...]
    by_name: bool = False
    """They share a word of their names, and are not all there are of their kind."""


class Lexicon:
    """A vocabulary with the words that a home adds, ready for inflected, compounded and misheard words."""

    def __init__(self, vocabulary: Vocabulary, directory: Directory) -> None:
        kinds = dict(vocabulary.kinds)
        for word, of in directory.kind_words.items():
            kinds[word] = kinds.get(word, frozenset()) | of
        vocabulary = replace(vocabulary, kinds=kinds, states={**directory.state_words, **vocabulary.states})
        self.vocabulary = vocabulary
        self.common = vocabulary.common | kinds.keys() | vocabulary.states.keys()
        """Words that are no misheard names."""
        self.function = vocabulary.common - kinds.keys()
        """Words that name nothing."""
        self._kinds = SimilarWords(vocabulary.kinds)
        self._states = SimilarWords(vocabulary.states)
        self._longest = max((len(word) for word in vocabulary.kinds if is_joined(word)), default=0)

    def kinds(self, sentence: Sentence) -> dict[str, frozenset[str]]:
        """The kinds that a sentence names, by the word that names them."""
        found: dict[str, frozenset[str]] = {}
        phrases = set(self._phrases(sentence.words))
        said_together = {word for phrase in phrases for word in phrase.split()}
        for word in (*phrases, *sentence.words):
            if word in said_together:
                continue
            if is_joined(word):
                found |= {piece: self.vocabulary.kinds[piece] for piece in _pieces(word, self)}
            elif kinds := self._kinds_of(word, sentence):
                found[word] = kinds
        if any(states <= _LOCK_STATES for states in self._states_said(sentence)):
            found.setdefault("locked", frozenset({"lock"}))
        return found

    def _phrases(self, said: Sequence[str]) -> Iterator[str]:
        """Kinds that are called by two or three words: "cửa sổ"."""
        for length in (2, 3):
            for at in range(len(said) - length + 1):
                if (phrase := " ".join(said[at : at + length])) in self.vocabulary.kinds:
                    yield phrase

    def hints(self, sentence: Sentence) -> dict[str, frozenset[str]]:
        """The kinds that it only hints at: "dim", "louder"."""
        return {word: self.vocabulary.hints[word] for word in sentence.words if word in self.vocabulary.hints}

    def states(self, sentence: Sentence) -> frozenset[str]:
        """The raw states that it asks for."""
        return frozenset().union(*self._states_said(sentence))

    def _states_said(self, sentence: Sentence) -> Iterator[frozenset[str]]:
        known = self.vocabulary.states
        for word in sentence.words:
            if is_joined(word):
                yield from (known[piece] for piece in known if piece in word)
            elif word in known:
                yield known[word]
            elif word not in self.function:
                yield from (
                    known[like] for like, likeness in self._states.to(word, fuzzy=False).items() if likeness >= 0.8
                )

    def _kinds_of(self, word: str, sentence: Sentence) -> frozenset[str]:
        if word in self.vocabulary.kinds:
            return self.vocabulary.kinds[word]
        if word in sentence.common and word not in self.vocabulary.hints:
            return frozenset()
        similar = self._kinds.to(word, fuzzy=word not in sentence.common and len(word) > MISHEARD)
        best = max(similar.values(), default=0.0)
        if best < (0.8 if word in sentence.common else 0.65):
            return frozenset() if word in sentence.common else self._kinds_of_compound(word)
        return frozenset().union(*(self.vocabulary.kinds[known] for known in similar if similar[known] == best))

    def _kinds_of_compound(self, word: str) -> frozenset[str]:
        """ "Gassensoren", "smokedetector": what it begins with, where the rest is long enough to be a word."""
        for at in range(len(word) - 4, 2, -1):
            if word[:at] in self.vocabulary.kinds:
                return self.vocabulary.kinds[word[:at]]
        return frozenset()

    def longest_piece(self, text: str, at: int) -> str:
        """The longest word of a script without blanks that begins here."""
        for end in range(min(len(text), at + self._longest), at, -1):
            if text[at:end] in self.vocabulary.kinds:
                return text[at:end]
        return ""


def _pieces(text: str, lexicon: Lexicon) -> Iterator[str]:
    at = 0
    while at < len(text):
        piece = lexicon.longest_piece(text, at)
        if piece:
            yield piece
        at += len(piece) or 1


@dataclass(frozen=True)
class Mentions:
    """What a sentence speaks of in this home."""

    names: Mapping[int, NameMatch] = field(default_factory=dict)
    groups: tuple[Group, ...] = ()
    hinted: tuple[Group, ...] = ()
    places: tuple[Place, ...] = ()
    states: frozenset[str] = frozenset()
    length: int = 0
    """Its words."""

    @property
    def named(self) -> dict[int, NameMatch]:
        """What was called by its whole name, or nearly so."""
        return {number: match for number, match in self.names.items() if match.whole or match.score >= 0.85}


def find_mentions(directory: Directory, lexicon: Lexicon, sentence: Sentence) -> Mentions:
    """What a sentence speaks of: things by name, groups by kind or by a common word, places, states."""
    spans = [span for span in directory.names.whole_names(sentence) if _is_proper(directory, lexicon, sentence, span)]
    places, bare = _places_said(directory, _without(sentence, spans))
    names = directory.names.find(sentence)
    if places:  # "the lamp in the kitchen" is called "Lamp", or "Kitchen Lamp"
        for number, match in directory.names.find(bare).items():
            if number not in names or names[number].score < match.score:
                names[number] = match
    kinds = lexicon.kinds(bare)
    groups = [Group(word, directory.of_kinds(of)) for word, of in kinds.items()]
    groups = [group for group in groups if group.members]
    if not spans:
        groups += _groups_by_word(directory, bare, {group.word for group in groups})
    hints = [Group(word, directory.of_kinds(of)) for word, of in lexicon.hints(bare).items()]
    return Mentions(names, tuple(groups), tuple(hints), places, lexicon.states(bare), sum(map(_length, sentence.words)))


def elsewhere(directory: Directory, before: str, text: str) -> str:
    """What was asked before, asked of another place: "is the kitchen lamp on" and "in the hall?" in one sentence."""
    sentence = Sentence(before)
    return f"{_without(sentence, directory.place_names.whole_names(sentence)).text} {text}"


def _length(word: str) -> int:
    return max(1, len(word) // 2) if is_joined(word) else 1


def _is_proper(directory: Directory, lexicon: Lexicon, sentence: Sentence, span: Span) -> bool:
    """Whether a whole name is more than the word for a kind or a room: "TV", but not "Light" or "Kitchen"."""
    said = sentence.compact[span.start : span.end]
    return said not in lexicon.vocabulary.kinds and not directory.place_names.is_whole(said)


def _without(sentence: Sentence, spans: Sequence[Span]) -> Sentence:
    """The sentence with what was found taken out."""
    if not spans:
        return sentence
    kept: list[str] = []
    at = 0
    for word in sentence.words:
        inside = [any(span.start <= at + place < span.end for span in spans) for place in range(len(word))]
        left = "".join(" " if gone else char for char, gone in zip(word, inside, strict=True))
        # what an ending leaves over is no word of its own
        kept.append(left if is_joined(word) or not any(inside) or not inside[0] else "")
        at += len(word)
    return replace(sentence, text=" ".join(kept))


def _places_said(directory: Directory, sentence: Sentence) -> tuple[tuple[Place, ...], Sentence]:
    """The places that a sentence names, and the sentence without them."""
    spans = directory.place_names.whole_names(sentence)
    if spans:
        said = list(dict.fromkeys(directory.places[doc][0] for span in spans for doc in span.docs))
        proper = [place for place in said if not place.name.isdigit()]  # the 2 of "lamp 2" is no second floor
        return tuple(proper or said), _without(sentence, spans)
    found = directory.place_names.find(sentence)
    best = max((match.score for match in found.values()), default=0.0)
    if best <= 0.75:
        return (), sentence
    docs = [doc for doc, match in found.items() if match.score == best]
    meant = {term for doc in docs for name in directory.place_names.names[doc] for term in Sentence(name).terms}
    similar = directory.place_names.similar_terms(sentence)
    kept = [word for word in sentence.words if not meant & similar.get(word, {}).keys()]
    return tuple(directory.places[doc][0] for doc in docs), replace(sentence, text=" ".join(kept))


def _groups_by_word(directory: Directory, sentence: Sentence, known: set[str]) -> list[Group]:
    """Groups by a word that many names share: "radios", "pumps", or windows in a language we have no words of."""
    groups: list[Group] = []
    for word in sentence.words:
        if is_joined(word):
            groups += _groups_by_piece(directory, word, known)
        elif word not in known and word not in sentence.common:
            similar = directory.names.similar(word, fuzzy=False)
            terms = [term for term, likeness in similar.items() if likeness >= 0.8]
            groups += _group(directory, word, frozenset().union(*map(directory.names.docs_of, terms)))
    return groups


def _groups_by_piece(directory: Directory, word: str, known: set[str]) -> list[Group]:
    """The longest pieces of a text without blanks that many names share."""
    groups: list[Group] = []
    at = 0
    while at < len(word):
        end, docs = at + 1, directory.names.docs_of(word[at])
        while end < len(word):
            both = directory.names.docs_of(word[end - 1 : end + 1])
            both = both & docs if end - at > 1 else both
            if len(both) < GROUP:
                break
            docs, end = both, end + 1
        piece = word[at:end]
        if not any(piece in other or other in piece for other in known):
            groups += _group(directory, piece, docs)
        at = end
    return groups


def _group(directory: Directory, word: str, docs: frozenset[int]) -> list[Group]:
    """Those of the kind that most of them are: a window's battery is no window."""
    if len(docs) < GROUP:
        return []
    (kind, count), *_ = Counter(directory.kinds[doc] for doc in docs).most_common(1)
    if count < GROUP:
        return []
    return [Group(word, tuple(sorted(doc for doc in docs if directory.kinds[doc] == kind)), by_name=True)]
