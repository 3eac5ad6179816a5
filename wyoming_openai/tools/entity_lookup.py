"""Which entities a model means: by id, name, place, kind, or a question, forgivingly. Only those exposed to Assist.

What is not exposed and what does not exist are told in the same words.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ..context.directory import Place
from ..context.facts import clean, kind_words, plural, quoted
from ..context.mentions import Mentions
from ..context.relevance import NameMatch, Sentence, compact
from ..context.vocabulary import words
from ..hass.home import State
from .toolbox import ToolContext, ToolError

LEAST = (0.85, 0.75, 0.6, 0.5)
"""Scores of a name that fits nearly, closely, that is similar, and weakly so."""

PART = 0.5
"""Of what was asked for: a name that is less of it is not what was meant ("Anna" in "Anna's lamp")."""

SIMILAR = 0.6
"""Score of the name of a place that is good enough."""

MOST_LIKELY = 40
MOST_SIMILAR = 10
MOST_NAMES = 40


@dataclass(frozen=True, slots=True)
class EntityFilter:
    """What a model asked for; empty is everything."""

    ids: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    """Names, or ids in their place."""
    areas: tuple[str, ...] = ()
    floors: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    """Domains."""
    classes: tuple[str, ...] = ()
    """Device classes."""
    query: str = ""


@dataclass(frozen=True, slots=True)
class LookupResult:
    """Entities by their numbers in the directory."""

    numbers: tuple[int, ...]
    place: str = ""
    """Where all of them are, if a place was asked for."""
    states: frozenset[str] = frozenset()
    """The raw states that the question asks for."""
    unsure: tuple[str, ...] = ()
    """Names that nothing really has: what is chosen only comes close."""

    @property
    def remark(self) -> str:
        """What has to be said of names that do not fit."""
        told = ", ".join(f"“{clean(name, 60)}”" for name in self.unsure[:5])
        return f"Nothing is called {told}; this comes closest:" if told else ""


def look_up(context: ToolContext, wanted: EntityFilter) -> LookupResult:
    """The entities meant, best first. Raises `ToolError` if there are none, telling what there is."""
    asked = _asked(context, wanted.query)
    placed, place = _placed(context, wanted)
    base = _exposed(context, _narrowed(range(len(context.directory.ids)), placed, _of_kinds(context, wanted)))
    if (wanted.ids or wanted.names) and not (_is_about_a_group(asked) and base and not wanted.names):
        numbers, unsure = _called(context, wanted, base)
        return LookupResult(numbers, place if placed and set(numbers) <= placed else "", asked.states, unsure)
    if not base:
        raise ToolError(_nothing_there(context, placed, place))
    return LookupResult(tuple(_by_question(asked, base)), place, asked.states)


def of_domain(context: ToolContext, domain: str, names: Sequence[str]) -> list[State]:
    """The exposed entities of a domain, by name if one is given; the only one answers to any name.

    Raises `ToolError` if there is none, or none of that name.
    """
    directory = context.directory
    base = _exposed(context, directory.by_kind.get(domain, ()))
    if not base:
        raise ToolError(f"there is no {domain.replace('_', ' ')} in this home")
    inside = set(base)
    called = (number for name in names for number in _by_name(context, name, base)[0])
    found = dict.fromkeys(number for number in called if number in inside)
    if names and not found and len(base) > 1:
        told = ", ".join(quoted(context.home.name(directory.ids[number])) for number in base[:MOST_NAMES])
        raise ToolError(f"nothing is known by the name “{clean(names[0], 60)}”; there are {told}")
    return [context.home.states[directory.ids[number]] for number in found or base]


def _is_about_a_group(asked: Mentions) -> bool:
    return bool(asked.groups) and not asked.named


def _called(context: ToolContext, wanted: EntityFilter, base: Sequence[int]) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Who is called by an id, else by a name; and the names that only come close. Raises `ToolError` if nobody is."""
    for names in (wanted.ids, wanted.names):
        found = {name: _by_name(context, name, base) for name in names}
        numbers = dict.fromkeys(number for of_name, _ in found.values() for number in of_name)
        if numbers:
            return tuple(numbers), tuple(name for name, (_, is_sure) in found.items() if not is_sure)
    raise ToolError(_nothing_named((*wanted.ids, *wanted.names)))


def _by_name(context: ToolContext, name: str, base: Sequence[int]) -> tuple[list[int], bool]:
    """Who is called so, and whether they really are; `base` are those that it should be among, if any of them fits."""
    directory = context.directory
    if (number := directory.number.get(name.casefold())) is not None:
        return _exposed(context, [number]), True
    if "." in name and " " not in name:
        return [], False  # an id that is not there: what only sounds like it is not meant
    found, is_sure = _best(_tiers(context, name), _described(context, name), set(base))
    return _exposed(context, found), is_sure or _is_in_names(context, name, found)


def _is_in_names(context: ToolContext, text: str, numbers: Sequence[int]) -> bool:
    """Whether the names only have more words: "freezer" for "Freezer temperature"."""
    said = set(words(text))
    names = context.directory.names.names
    return all(any(said <= set(words(own)) for own in names[number]) for number in numbers)


def _best(tiers: Sequence[Sequence[int]], described: Sequence[int], inside: set[int]) -> tuple[list[int], bool]:
    """Those inside who fit best; who fits wholly elsewhere comes before who is only similar inside."""
    whole, nearly, close, similar, weak = ([number for number in tier if number in inside] for tier in tiers)
    if found := whole or nearly:
        return found, True
    elsewhere = [*tiers[0], *tiers[1]][:MOST_SIMILAR]
    likely = close or [number for number in described if number in inside] or similar
    return [*elsewhere, *likely[:MOST_LIKELY]] or weak[:MOST_SIMILAR], bool(elsewhere)


def _tiers(context: ToolContext, name: str) -> list[list[int]]:
    """Numbers by how well their names fit: wholly, nearly, closely, similar, weakly; the best first."""
    names = context.directory.names
    key = compact(name)
    matches = names.find(Sentence(name))
    tiers: list[list[int]] = [[], [], [], [], [], []]
    for number in sorted(matches, key=lambda number: -matches[number].score):
        if any(compact(own) == key for own in names.names[number]):
            tiers[0].append(number)
        else:
            score = _score(matches[number], names.names[number], key)
            tiers[next((tier for tier, least in enumerate(LEAST, 1) if score >= least), 5)].append(number)
    return tiers[:5]


def _score(match: NameMatch, names: Sequence[str], said: str) -> float:
    """How well a name fits that is not all that was said."""
    if not match.whole:
        return match.score
    longest = max((len(compact(name)) for name in names if compact(name) in said), default=len(said))
    return 1.0 if longest >= PART * len(said) else SIMILAR


def _described(context: ToolContext, text: str) -> list[int]:
    """What a description means: "bedroom lights", "living room temperature"."""
    asked = _asked(context, text)
    members = dict.fromkeys(number for group in asked.groups for number in group.members)
    placed = context.directory.within(asked.places) if asked.places else None
    return [number for number in members if placed is None or number in placed]


def _asked(context: ToolContext, text: str) -> Mentions:
    return context.context_cache.asked(context.home, context.language, text) if text else Mentions()


def _exposed(context: ToolContext, numbers: Iterable[int]) -> list[int]:
    """Those still there and exposed: the directory may be a moment old."""
    writer = context.writer
    return [number for number in numbers if writer.state(number) is not None]


def _by_question(asked: Mentions, base: Sequence[int]) -> list[int]:
    """Of those that fit the filters, those that the question speaks of, if any; those it names come first."""
    members = {number for group in asked.groups for number in group.members}
    named = {number: match.score for number, match in asked.named.items()}
    narrowed = [number for number in base if number in members or number in named] or list(base)
    return sorted(narrowed, key=lambda number: -named.get(number, 0.0))


def _narrowed(numbers: Iterable[int], *sets: frozenset[int] | None) -> list[int]:
    return [number for number in numbers if all(each is None or number in each for each in sets)]


# ---- places


def _placed(context: ToolContext, wanted: EntityFilter) -> tuple[frozenset[int] | None, str]:
    """Who is in the areas and on the floors asked for, and what these are called; None for everywhere."""
    places = [_place(context, text, "area") for text in wanted.areas]
    places += [_place(context, text, "floor") for text in wanted.floors]
    if not places:
        return None, ""
    names = dict.fromkeys(clean(place.name, 80) for place in places)
    return context.directory.within(places), " and ".join(names)


def _place(context: ToolContext, text: str, kind: str) -> Place:
    """A place by id, name or alias, or by a name like it; models mix up areas and floors."""
    directory = context.directory
    numbers = range(len(directory.places))
    key = compact(text)
    matches = directory.place_names.find(Sentence(text))
    ways: tuple[Callable[[int], bool], ...] = (
        lambda number: directory.places[number][0].id == text,
        lambda number: any(compact(name) == key for name in directory.places[number][1]),
        lambda number: number in matches and matches[number].whole,
        lambda number: number in matches and matches[number].score >= SIMILAR,
    )
    for fits in ways:
        found = [number for number in numbers if fits(number)]
        if found:
            return directory.places[min(found, key=lambda number: _rank(directory.places[number][0], kind))][0]
    raise ToolError(f"there is no {kind} “{clean(text, 60)}”. {_places_there_are(context)}")


def _rank(place: Place, kind: str) -> int:
    return 0 if place.kind == kind else 1 + ("area", "floor", "label").index(place.kind)


def _places_there_are(context: ToolContext) -> str:
    registries = context.home.registries
    parts = []
    for title, places in (("Areas", registries.areas.values()), ("Floors", registries.floors.values())):
        names = [quoted(place.name) for place in places]
        if names:
            more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
            parts.append(f"{title}: {', '.join(names[:MOST_NAMES])}{more}.")
    return " ".join(parts) or "The home has no areas."


# ---- kinds


def _of_kinds(context: ToolContext, wanted: EntityFilter) -> frozenset[int] | None:
    """Who is of the domains and device classes asked for; None for any."""
    found: frozenset[int] | None = None
    for texts, mark in ((wanted.kinds, ""), (wanted.classes, ":")):
        if texts:
            members = frozenset(number for text in texts for number in _of_kind(context, text, mark))
            found = members if found is None or not found & members else found & members
    return found


def _of_kind(context: ToolContext, text: str, mark: str) -> Sequence[int]:
    """A domain or device class as Home Assistant writes it, or a word for it in the language of the question."""
    directory = context.directory
    kind = text.casefold().strip().replace(" ", "_")
    for candidate in (mark + kind, kind, ":" + kind, mark + kind.removesuffix("s"), ":" + kind.removesuffix("s")):
        if candidate in directory.by_kind:
            return directory.by_kind[candidate]
    lexicon = context.context_cache.lexicon(context.home, context.language)
    kinds = [each for of in lexicon.kinds(Sentence(text, lexicon.vocabulary.common)).values() for each in of]
    if found := directory.of_kinds(kinds):
        return found
    there = ", ".join(f"{name} {len(members)}" for name, members in directory.by_kind.items() if name[0] != ":")
    raise ToolError(f"there is nothing of the kind “{clean(text, 40)}”. There are: {there or 'none'}.")


# ---- nothing


def _nothing_named(names: Sequence[str]) -> str:
    told = ", ".join(f"“{clean(name, 60)}”" for name in names[:5])
    return f"nothing is known by the name {told}. Look for it by area or domain instead."


def _nothing_there(context: ToolContext, placed: frozenset[int] | None, place: str) -> str:
    """What there is in the place instead."""
    directory = context.directory
    counts: dict[str, int] = {}
    for number in placed or ():
        kind = kind_words(*directory.kinds[number])
        counts[kind] = counts.get(kind, 0) + 1
    there = ", ".join(f"{count} {kind if count == 1 else plural(kind)}" for kind, count in list(counts.items())[:20])
    return f"nothing of that kind in {place}; there: {there or 'nothing'}." if place else "nothing of that kind."
