"""What is derived from a home and from the languages spoken, kept until it changes."""

from ..hass.home import Home, Registries
from .asked import Asked, Lexicon, understand
from .directory import Directory
from .relevance import Sentence
from .teller import index_text
from .vocabulary import Vocabulary, load_vocabulary

MAX_LANGUAGES = 8
"""Vocabularies kept; a family speaks fewer."""

MAX_SENTENCES = 100
"""Sentences of which is kept what they speak of: the conversations going on."""


class Knowledge:
    """Kept by whoever builds contexts, one for each home: nothing of it is global."""

    def __init__(self) -> None:
        self._vocabularies: dict[str, Vocabulary] = {}
        self._lexicons: dict[str, Lexicon] = {}
        self._indexes: dict[int, str] = {}
        self._asked: dict[tuple[str, str], Asked] = {}
        self._directory: Directory | None = None
        self._registries: Registries | None = None
        self._roster = -1

    def directory(self, home: Home) -> Directory:
        """The directory of this home; made anew when its registries, exposure or names have changed."""
        if self._directory is None or self._registries is not home.registries or self._roster != home.roster:
            self._directory = Directory(home)
            self._registries, self._roster = home.registries, home.roster
            self._lexicons.clear()
            self._indexes.clear()
            self._asked.clear()
        return self._directory

    def lexicon(self, home: Home, language: str) -> Lexicon:
        """The words of a language in this home."""
        directory = self.directory(home)
        if language not in self._lexicons:
            self._lexicons[language] = Lexicon(self._vocabulary(language), directory)
        return self._lexicons[language]

    def index(self, home: Home, budget: int) -> str:
        """The index of this home within a budget of tokens."""
        directory = self.directory(home)
        if budget not in self._indexes:
            self._indexes[budget] = index_text(home, directory, budget)
        return self._indexes[budget]

    def asked(self, home: Home, language: str, text: str) -> Asked:
        """What a sentence speaks of; what was said before is not read again."""
        directory, lexicon = self.directory(home), self.lexicon(home, language)
        if (language, text) not in self._asked:
            if len(self._asked) >= MAX_SENTENCES:
                self._asked.pop(next(iter(self._asked)))
            self._asked[language, text] = understand(
                directory, lexicon, Sentence(text, lexicon.common, lexicon.function)
            )
        return self._asked[language, text]

    def preload(self, language: str) -> None:
        """Load the words of a language before somebody waits for it."""
        self._vocabulary(language)

    def _vocabulary(self, language: str) -> Vocabulary:
        if language not in self._vocabularies:
            if len(self._vocabularies) >= MAX_LANGUAGES:
                self._vocabularies.pop(next(iter(self._vocabularies)))
            self._vocabularies[language] = load_vocabulary(language)
        return self._vocabularies[language]
