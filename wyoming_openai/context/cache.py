"""What is derived from a home and from the languages spoken, kept until it changes."""

from dataclasses import dataclass, field

from ..hass.home import Home
from ..hass.per_home_cache import PerHomeCache
from ..local_engine.languages import MOST, Languages, Loader
from .directory import Directory
from .home_writer import index_text
from .mentions import Lexicon, Mentions, find_mentions
from .relevance import Sentence
from .vocabulary import Vocabulary, best_language, load_vocabulary

MAX_SENTENCES = 100
"""Sentences of which is kept what they speak of: the conversations going on."""


@dataclass(frozen=True, slots=True)
class _Cached:
    """What is known of a home: what takes long to derive, and what was asked for since."""

    directory: Directory
    lexicons: dict[str, Lexicon] = field(default_factory=dict)
    indexes: dict[int, str] = field(default_factory=dict)
    asked: dict[tuple[str, str], Mentions] = field(default_factory=dict)


class ContextCache:
    """Kept by whoever builds contexts: nothing of it is global. Who must not wait has it prepared before."""

    def __init__(self, loader: Loader | None = None) -> None:
        self._vocabularies = Languages(load_vocabulary, loader)
        self._budgets: set[int] = set()
        """Of the indexes asked for so far: a home that changes will be asked for the same."""
        self._known = PerHomeCache(self._know)

    async def prepare(self, home: Home | None, language: str) -> None:
        """Have what is known of this home as it is now, and the words of a language, without holding others up."""
        if home is not None:
            await self._known.prepare(home)
        await self._vocabularies.prepare(_tag(language), (_tag(home.config.language),) if home else ())

    def directory(self, home: Home) -> Directory:
        """The directory of this home."""
        return self._known.of(home).directory

    def lexicon(self, home: Home, language: str) -> Lexicon:
        """The words of a language in this home."""
        known, tag = self._known.of(home), _tag(language)
        vocabulary = self._vocabularies.get(tag)
        if vocabulary is None:
            return Lexicon(Vocabulary(), known.directory)
        if tag not in known.lexicons:
            while len(known.lexicons) >= MOST:
                known.lexicons.pop(next(iter(known.lexicons)))
            known.lexicons[tag] = Lexicon(vocabulary, known.directory)
        return known.lexicons[tag]

    def index(self, home: Home, budget: int) -> str:
        """The index of this home within a budget of tokens."""
        known = self._known.of(home)
        if budget not in known.indexes:
            self._budgets.add(budget)
            known.indexes[budget] = index_text(known.directory, budget)
        return known.indexes[budget]

    def asked(self, home: Home, language: str, text: str) -> Mentions:
        """What a sentence speaks of; what was said before is not read again."""
        known, lexicon = self._known.of(home), self.lexicon(home, language)
        key = (_tag(language) if _tag(language) in known.lexicons else "", text)
        if key not in known.asked:
            if len(known.asked) >= MAX_SENTENCES:
                known.asked.pop(next(iter(known.asked)))
            sentence = Sentence(text, lexicon.common, lexicon.function)
            known.asked[key] = find_mentions(known.directory, lexicon, sentence)
        return known.asked[key]

    def _know(self, home: Home) -> _Cached:
        directory = Directory(home)
        return _Cached(directory, indexes={budget: index_text(directory, budget) for budget in tuple(self._budgets)})


def _tag(language: str) -> str:
    """One tag for all that are answered with the same words; empty where there are none."""
    return best_language(language) or ""
