"""What is derived from a home and from the languages spoken, kept until it changes."""

import asyncio
from dataclasses import dataclass, field

from ..hass.derived import Derived
from ..hass.home import Home
from .asked import Asked, Lexicon, understand
from .directory import Directory
from .relevance import Sentence
from .teller import index_text
from .vocabulary import Vocabulary, load_vocabulary

MAX_LANGUAGES = 8
"""Vocabularies kept; a family speaks fewer."""

MAX_SENTENCES = 100
"""Sentences of which is kept what they speak of: the conversations going on."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of a home: what takes long to derive, and what was asked for since."""

    directory: Directory
    lexicons: dict[str, Lexicon] = field(default_factory=dict)
    indexes: dict[int, str] = field(default_factory=dict)
    asked: dict[tuple[str, str], Asked] = field(default_factory=dict)


class Knowledge:
    """Kept by whoever builds contexts: nothing of it is global. Who must not wait has it prepared before."""

    def __init__(self) -> None:
        self._vocabularies: dict[str, Vocabulary] = {}
        self._budgets: set[int] = set()
        """Of the indexes asked for so far: a home that changes will be asked for the same."""
        self._known = Derived(self._know)

    async def prepare(self, home: Home, language: str) -> None:
        """Have what is known of this home as it is now, and the words of a language, without holding others up."""
        if language not in self._vocabularies:
            await asyncio.to_thread(self._vocabulary, language)
        await self._known.prepare(home)

    def directory(self, home: Home) -> Directory:
        """The directory of this home."""
        return self._known.of(home).directory

    def lexicon(self, home: Home, language: str) -> Lexicon:
        """The words of a language in this home."""
        known = self._known.of(home)
        if language not in known.lexicons:
            known.lexicons[language] = Lexicon(self._vocabulary(language), known.directory)
        return known.lexicons[language]

    def index(self, home: Home, budget: int) -> str:
        """The index of this home within a budget of tokens."""
        known = self._known.of(home)
        if budget not in known.indexes:
            self._budgets.add(budget)
            known.indexes[budget] = index_text(known.directory, budget)
        return known.indexes[budget]

    def asked(self, home: Home, language: str, text: str) -> Asked:
        """What a sentence speaks of; what was said before is not read again."""
        known, lexicon = self._known.of(home), self.lexicon(home, language)
        if (language, text) not in known.asked:
            if len(known.asked) >= MAX_SENTENCES:
                known.asked.pop(next(iter(known.asked)))
            sentence = Sentence(text, lexicon.common, lexicon.function)
            known.asked[language, text] = understand(known.directory, lexicon, sentence)
        return known.asked[language, text]

    def _know(self, home: Home) -> _Known:
        directory = Directory(home)
        return _Known(directory, indexes={budget: index_text(directory, budget) for budget in tuple(self._budgets)})

    def _vocabulary(self, language: str) -> Vocabulary:
        if language not in self._vocabularies:
            vocabulary = load_vocabulary(language)
            while len(self._vocabularies) >= MAX_LANGUAGES:
                self._vocabularies.pop(next(iter(self._vocabularies)), None)
            self._vocabularies[language] = vocabulary
        return self._vocabularies[language]
