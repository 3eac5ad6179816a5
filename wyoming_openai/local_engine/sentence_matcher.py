"""What a sentence asks for, by Home Assistant's own sentences: `hassil` with `home-assistant-intents`, over a `Home`.

Knows languages and names, no states. The sentences of a language are loaded when first needed; the names of a home are
indexed once for as long as they stay, and only those that occur in a sentence are given to `hassil`.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import orjson
from hassil import numbers as spoken_numbers
from hassil import string_matcher
from hassil.expression import Expression, Group, ListReference, RuleReference, TextChunk
from hassil.intents import Intents, RangeSlotList, SlotList, TextSlotList, TextSlotValue
from hassil.parse_expression import parse_sentence
from hassil.recognize import RecognizeResult, is_match, recognize_best
from hassil.sample import sample_expression
from hassil.util import remove_punctuation
from home_assistant_intents import get_intents, get_languages

from ..hass.home import Area, Home
from ..hass.per_home_cache import PerHomeCache
from .languages import Languages, Loader
from .state_words import GONE, home_words

MAX_CHARACTERS = 250
"""No sentence that can be matched is longer; the matcher's time grows with the text."""

QUESTIONS = frozenset(
    {
        "HassClimateGetTemperature",
        "HassGetCurrentDate",
        "HassGetCurrentTime",
        "HassGetState",
        "HassGetWeather",
        "HassNevermind",
        "HassRespond",
        "HassTimerStatus",
    }
)
"""Intents that change nothing. What is not here controls something."""

_SAME_LANGUAGES = {"no": "nb", "nn": "nb", "iw": "he", "in": "id", "cmn": "zh-cn", "yue": "zh-hk"}
_CHINESE = {"hant": "zh-tw", "tw": "zh-tw", "hk": "zh-hk", "mo": "zh-hk"}
_SKIPPED = re.compile(r"[\W_]+")
_SIGNS = re.compile(r"""[()\[\]{}<>,;:.!?"„“”«»/|\\+*#]""")
_MAX_FORMS = 60


@dataclass(frozen=True, slots=True)
class SentenceMatch:
    """A sentence of the package that fits what was said."""

    intent: str
    slots: Mapping[str, Any]
    """What is asked for, in Home Assistant's words: `{"domain": "light", "state": "on", "area": "Kitchen"}`."""
    said: Mapping[str, str]
    """The same in the words of the person."""
    response: str
    language: "Language"
    domains: frozenset[str]
    """The named entity is one of these; empty if the sentence does not tell."""
    state_forms: Mapping[str, tuple[str, ...]]
    """How the sentence could have named each state, where it names one."""
    entity_ids: tuple[str, ...] | None = None
    """Who bears the name that was said; None if none was."""
    area_ids: frozenset[str] | None = None
    floor_ids: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Language:
    """The sentences and answers of one language."""

    tag: str
    intents: Intents
    responses: Mapping[str, Mapping[str, str]]
    """Templates of the answers to questions, by intent and key."""
    errors: Mapping[str, str]


class SentenceMatcher:
    """Matches sentences in all languages of the package, one home at a time."""

    def __init__(self, loader: Loader | None = None) -> None:
        self._languages = Languages(load_language, loader, forget_language)
        self._names = PerHomeCache(SpokenNames)
        self._last: tuple[tuple[Any, ...], SentenceMatch | None] | None = None

    async def prepare(self, home: Home | None, tag: str) -> None:
        """Have the names of this home as it is now, and a language, without holding others up."""
        if home is not None:
            await self._names.prepare(home)
        lasting = variants(home.config.language) if home is not None else ()
        for each in variants(tag):
            await self._languages.prepare(each, lasting)

    def languages(self, tag: str) -> tuple[Language, ...]:
        """The languages to try for a tag, loaded; empty if the package has none, or it could not be loaded yet."""
        return tuple(filter(None, map(self._languages.get, variants(tag))))

    def match(self, text: str, tag: str, home: Home, area: Area | None) -> SentenceMatch | None:
        """The best match, or None. `area` is the room it was said in."""
        if not text.strip() or len(text) > MAX_CHARACTERS:
            return None
        names, places, languages = self._names.of(home), _places(home), self.languages(tag)
        key = (text, tuple(language.tag for language in languages), area, names, places)
        if self._last is None or self._last[0] != key:
            tried = (_match(text, language, names, places, area) for language in languages)
            self._last = key, next(filter(None, tried), None)
        return self._last[1]


def variants(tag: str) -> list[str]:
    """The package's languages for a BCP 47 tag, best first: "de-CH" → ["de-CH", "de"]."""
    known = {language.casefold(): language for language in get_languages()}
    parts = re.split(r"[-_]", tag.strip().casefold())
    if parts[0] == "zh":
        wanted = [next((_CHINESE[part] for part in reversed(parts) if part in _CHINESE), "zh-cn")]
    else:
        first = _SAME_LANGUAGES.get(parts[0], parts[0])
        wanted = ["-".join((first, *parts[1:])), "-".join((first, *parts[1:2])), first]
    return list(dict.fromkeys(known[each] for each in wanted if each in known))


def forget_language(language: Language) -> None:
    """Give back the memory of a language: what `hassil` keeps of it for itself, and cycles, which nobody looks for."""
    spoken_numbers._ENGINE_CACHE.pop(language.tag, None)
    string_matcher._RANGE_TRIE_CACHE.pop(language.tag, None)
    blocks = [block for intent in language.intents.intents.values() for block in intent.data]
    rules = [language.intents.expansion_rules, *(block.expansion_rules for block in blocks)]
    sentences = [sentence for block in blocks for sentence in block.sentences]
    for sentence in (*sentences, *(rule for each in rules for rule in each.values())):
        _cut(sentence.expression)


def _cut(expression: Expression) -> None:
    """Take apart what refers to its parts, and they to it."""
    if isinstance(expression, Group):
        for item in expression.items:
            _cut(item)
        expression.items.clear()


def load_language(tag: str) -> Language:
    """Read and parse all sentences of one of the package's languages."""
    data = get_intents(tag, json_load=lambda file: orjson.loads(file.read())) or {}
    intents = Intents.from_dict({"language": tag, "intents": {}, **data})
    for intent in intents.intents.values():
        for block in intent.data:
            for sentence in block.sentences:  # parsed and compiled here rather than in the first match
                sentence.get_required_clauses(intents.expansion_rules | block.expansion_rules)
    _count_in_words(intents, tag)
    responses = data.get("responses", {})
    kept = {name: keys for name, keys in responses.get("intents", {}).items() if name in QUESTIONS}
    return Language(tag, intents, kept, responses.get("errors", {}))


def _places(home: Home) -> frozenset[str]:
    """Where people are: trackers know places that are no zones."""
    persons = home.states_in("person").values()
    return frozenset(state.state for state in persons if home.is_exposed(state.entity_id)) - {"home", "not_home", *GONE}


def _count_in_words(intents: Intents, tag: str) -> None:
    """Let `hassil` write out the numbers of its ranges, as it else does when a sentence first needs them."""
    for name, numbers in intents.slot_lists.items():
        if isinstance(numbers, RangeSlotList):
            is_match("-", parse_sentence(f"{{{name}}}"), slot_lists={name: numbers}, language=tag)


def _match(
    text: str, language: Language, names: "SpokenNames", places: frozenset[str], area: Area | None
) -> SentenceMatch | None:
    room = {"area": {"value": area.name, "text": area.name}} if area else None
    zones = [*((word, "home") for word in home_words(language.tag)), *((place, place) for place in sorted(places))]
    result = recognize_best(
        text,
        language.intents,
        slot_lists=names.slot_lists(text, zones),
        intent_context=room,
        language=language.tag,
        best_slot_name="name",
    )
    return None if result is None else _as_match(result, language, names)


def _as_match(result: RecognizeResult, language: Language, names: "SpokenNames") -> SentenceMatch:
    slots = {entity.name: entity.value for entity in result.entities_list}
    said = {entity.name: (entity.text or str(entity.value)).strip() for entity in result.entities_list}
    named = {entity.name: str(entity.value) for entity in result.entities_list if not entity.is_wildcard}
    return SentenceMatch(
        result.intent.name,
        slots,
        said,
        result.response or "default",
        language,
        _required_domains(result),
        _state_forms(result, language) if "state" in said else {},
        names.entity_ids(named["name"]) if "name" in named else None,
        names.area_ids(named["area"]) if "area" in named else None,
        names.floor_ids(named["floor"]) if "floor" in named else None,
    )


def _required_domains(result: RecognizeResult) -> frozenset[str]:
    wanted = result.intent_data.requires_context.get("domain") or ()
    return frozenset((wanted,) if isinstance(wanted, str) else wanted)


def _state_forms(result: RecognizeResult, language: Language) -> dict[str, tuple[str, ...]]:
    """The forms of the list from which the state was taken."""
    rules = {**language.intents.expansion_rules, **result.intent_data.expansion_rules}
    lists = {**language.intents.slot_lists, **result.intent_data.slot_lists}
    sentence = result.intent_sentence
    references = _references(sentence.expression, rules) if sentence else iter(())
    used = next((lists.get(each.list_name) for each in references if each.slot_name == "state"), None)
    if not isinstance(used, TextSlotList):
        return {}
    forms: dict[str, list[str]] = defaultdict(list)
    for value in used.values:
        forms[str(value.value_out)] += _forms(value.text_in)
    return {state: tuple(words) for state, words in forms.items()}


def _references(expression: Expression, rules: Mapping[str, Any]) -> Iterator[ListReference]:
    match expression:
        case ListReference():
            yield expression
        case RuleReference() if expression.rule_name in rules:
            yield from _references(rules[expression.rule_name].expression, rules)
        case Group():
            for item in expression.items:
                yield from _references(item, rules)


def _forms(expression: Expression) -> Iterable[str]:
    if isinstance(expression, TextChunk):
        return (expression.text.strip(),)
    return (" ".join(form.split()) for form in islice(sample_expression(expression), _MAX_FORMS))


@dataclass
class SlotNameIndex:
    """Finds which of many names occur in a text, in time that does not depend on how many there are."""

    values: dict[str, tuple[tuple[str, str, str | None], ...]] = field(default_factory=dict)
    """(name, what `hassil` shall give for it, domain), by the name without blanks and punctuation.

    Tuples of texts are nothing to Python's collector, which stops everything to look through the rest.
    """
    lengths: set[int] = field(default_factory=set)

    def add(self, name: str, value: str, domain: str | None = None) -> None:
        if key := squeezed(name):
            known = self.values.get(key, ())
            if (entry := (name, value, domain)) not in known:
                self.values[key] = (*known, entry)
            self.lengths.add(len(key))

    def slot_list(self, squeezed_text: str) -> TextSlotList:
        """A list of the names that may be in the text."""
        end = len(squeezed_text)
        pieces = (squeezed_text[at : at + length] for length in self.lengths for at in range(end - length + 1))
        found = (value for piece in dict.fromkeys(pieces) if piece in self.values for value in self.values[piece])
        return TextSlotList(name=None, values=[each for value in found for each in _slot_values(*value)])


def squeezed(text: str) -> str:
    """Letters and digits alone: what is equal for the matcher is equal here."""
    return _SKIPPED.sub("", unicodedata.normalize("NFC", text).casefold())


def _slot_values(name: str, value: Any, domain: str | None = None) -> list[TextSlotValue]:
    """The name as `hassil` cleans it, and without the signs that nobody says ("Lamp (old)", "Office/Den")."""
    context = {"domain": domain} if domain else {}
    spellings = dict.fromkeys((remove_punctuation(name).strip(), " ".join(_SIGNS.sub(" ", name).split())))
    return [TextSlotValue.from_tuple((text, value, context), allow_template=False) for text in spellings if text]


class SpokenNames:
    """What a person may call the exposed entities, areas, floors and zones of one home."""

    def __init__(self, home: Home) -> None:
        entities: dict[str, list[str]] = defaultdict(list)
        self._entity_names, self._area_names, self._floor_names, self._zones = (SlotNameIndex() for _ in range(4))
        for state in home.exposed_states():
            for name in home.names(state.entity_id):
                entities[_normal(name)].append(state.entity_id)
                self._entity_names.add(name, name, state.domain)
        self._entities = {name: tuple(dict.fromkeys(ids)) for name, ids in entities.items()}
        self._areas = _by_name(home.registries.areas.values(), self._area_names.add)
        self._floors = _by_name(home.registries.floors.values(), self._floor_names.add)
        for zone in home.states_in("zone").values():
            self._zones.add(zone.name, "home" if zone.object_id == "home" else zone.name)

    def entity_ids(self, name: str) -> tuple[str, ...]:
        return self._entities.get(_normal(name), ())

    def area_ids(self, name: str) -> frozenset[str]:
        return frozenset(self._areas.get(_normal(name), ()))

    def floor_ids(self, name: str) -> frozenset[str]:
        return frozenset(self._floors.get(_normal(name), ()))

    def slot_lists(self, text: str, more_zones: Iterable[tuple[str, str]]) -> dict[str, SlotList]:
        """The lists that the sentences refer to, of what occurs in the text.

        The package takes any words for a zone ("who is the president": a person in the zone "the president"); here
        it must be one that exists.
        """
        key = squeezed(text)
        zones = self._zones.slot_list(key)
        zones.values += [each for word, zone in more_zones for each in _slot_values(word, zone)]
        return {
            "name": self._entity_names.slot_list(key),
            "area": self._area_names.slot_list(key),
            "floor": self._floor_names.slot_list(key),
            "zone": zones,
        }


def _by_name(things: Iterable[Any], add: Callable[[str, str], None]) -> dict[str, list[str]]:
    """Ids of areas or floors by each of their names; `add` hears every name."""
    ids: dict[str, list[str]] = defaultdict(list)
    for thing in things:
        for name in (thing.name, *thing.aliases):
            ids[_normal(name)].append(thing.id)
            add(name, name)
    return ids


def _normal(name: str) -> str:
    """Names that Home Assistant takes as equal are equal."""
    return name.strip().casefold()
