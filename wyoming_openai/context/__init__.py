"""What the model is told about the home for one utterance, within a budget of tokens. Pure.

A small home is told whole. Of a larger one the model gets an index that stays the same from turn to turn (floors,
areas, kinds, counts) and the facts that this utterance needs: what it names, the groups it asks for with their
complete counts, the room it was said in. Only what is exposed to Assist is ever looked at.

`vocabulary` knows what people call things in 60 languages, `relevance` finds names, `directory` who is who at home,
`asked` puts them together; `facts` and `teller` word what was found; `knowledge` keeps what is expensive to derive.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from ..hass.home import Area, Home
from ..messages import Utterance
from ..tokens import estimate
from .asked import Asked, Group
from .facts import clean
from .knowledge import Knowledge
from .teller import QUIET, TOO_MANY, Teller

if TYPE_CHECKING:
    from ..llm.local import Recognition

WHOLE_SHARE = 0.6
"""A home is told whole when that costs no more than this share of the budget."""

INDEX_SHARE = 0.35
"""Of the budget, for the index of a home that is not told whole."""

HISTORY = 4
"""Texts of the conversation in which a follow-up finds what it leaves out."""

FOLLOW_UP_WORDS = 6
"""A question without a room that is no longer than this may go on about the last one."""

LIST_ALL = 25
"""Members of a group that are told one by one whatever their state."""

SOME = 10
"""Told of a group too large to be told, or beside something called by its name."""

LASTING_RECORDS = 12
"""The first records also say how long it has been so."""

MAX_SUMMARIES = 6

LEAST_COST = 5
"""Tokens that an entity costs at least."""

ASKED = "Asked for:"
STATES = "States now:"
WHOLE = "All that is known of the home:"


@dataclass(frozen=True, slots=True)
class Chosen:
    """An entity that the model is told about, and why."""

    entity_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class HomeContext:
    """What the model is told about the home."""

    index: str
    """Floors, areas and kinds: changes only with the registries and what is exposed. Empty where `whole`."""
    facts: str
    """States for this utterance, one entity a line, and the sums of the groups it asks for."""
    chosen: tuple[Chosen, ...]
    whole: bool = False
    """The facts are all of the home."""


def where(home: Home, utterance: Utterance) -> Area | None:
    """The room it was said in: as the caller knows it, else where the satellite is, else its device."""
    registries = home.registries
    if utterance.area_id is not None and utterance.area_id in registries.areas:
        return registries.areas[utterance.area_id]
    satellite = registries.area_of(utterance.satellite_id) if utterance.satellite_id else None
    return satellite or registries.area_of_device(utterance.device_id)


def build_context(
    home: Home,
    utterance: Utterance,
    area: Area | None,
    history: Sequence[str],
    *,
    budget: int,
    now: datetime,
    recognition: "Recognition | None" = None,
    knowledge: Knowledge | None = None,
) -> HomeContext:
    """What the model is told for this utterance.

    `history` is the conversation so far, oldest first; `now` is in the home's time zone. Whoever asks more than once
    keeps a `Knowledge`: without it everything is derived anew, which takes a second for a large home.
    """
    knowledge = knowledge or Knowledge()
    teller = Teller(home, knowledge.directory(home), now)
    view = _View(teller, _understood(knowledge, home, utterance, history), area, recognition)
    whole = _whole(view, teller, int(budget * WHOLE_SHARE))
    if whole is not None:
        return whole
    index = knowledge.index(home, int(budget * INDEX_SHARE))
    return _relevant(view, teller, index, budget - estimate(index))


def _whole(view: "_View", teller: Teller, budget: int) -> HomeContext | None:
    """The whole home, if it is small enough."""
    ids = teller.directory.ids
    if len(ids) * LEAST_COST > budget:
        return None
    home = teller.whole_home()
    if estimate(home) > budget:
        return None
    asked = view.answers()
    facts = [*((ASKED, *asked) if asked else ()), *((WHOLE, home) if home else ())]
    return HomeContext("", "\n".join(facts), tuple(Chosen(each, "the whole home") for each in ids), whole=True)


def _relevant(view: "_View", teller: Teller, index: str, budget: int) -> HomeContext:
    """The index, and the facts about those chosen, best first, as far as the budget goes."""
    answers = view.answers()
    facts = [ASKED, *answers] if answers else []
    budget -= estimate("\n".join((*facts, STATES)))
    chosen: dict[int, Chosen] = {}
    records: list[str] = []
    for number, reason in view.chosen():
        if number in chosen or not (record := teller.record(number, lasting=len(records) < LASTING_RECORDS)):
            continue
        budget -= estimate(record + "\n")
        if budget < 0:
            break
        chosen[number] = Chosen(teller.directory.ids[number], reason)
        records.append(record)
    facts += [STATES, *records] if records else []
    return HomeContext(index, "\n".join(facts), tuple(chosen.values()))


def _understood(knowledge: Knowledge, home: Home, utterance: Utterance, history: Sequence[str]) -> Asked:
    """What the utterance speaks of; what a follow-up leaves out comes from what was said before."""
    asked = knowledge.asked(home, utterance.language, utterance.text)
    if asked.named:
        return asked
    for text in reversed(history[-HISTORY:]):
        before = knowledge.asked(home, utterance.language, text)
        if not asked.groups and (before.groups or before.names):
            names = before.names if asked.places or not asked.names else asked.names
            asked = replace(asked, groups=before.groups, names=names, states=asked.states or before.states)
        if not asked.places and before.places and asked.length <= FOLLOW_UP_WORDS:
            asked = replace(asked, places=before.places)
    return asked


class _View:
    """What an utterance asks for, seen from a room: who is meant, why, and what their states add up to."""

    def __init__(self, teller: Teller, asked: Asked, area: Area | None, recognition: "Recognition | None") -> None:
        self._teller = teller
        self._directory = teller.directory
        self._asked = asked
        self._area = area
        self._recognition = recognition
        self._places = " and ".join(clean(place.name, 80) for place in asked.places)
        self._placed = self._directory.within(asked.places)
        self._here = frozenset(self._directory.in_area(area.id)) if area else frozenset()

    # ---- who is meant

    def chosen(self) -> Iterator[tuple[int, str]]:
        """Who is meant and why, best first; some more than once."""
        yield from self._recognised()
        yield from self._named()
        for group in self._asked.groups:
            yield from self._of_group(group, SOME if self._asked.named else TOO_MANY)
        if self._asked.groups or self._asked.named:
            yield from self._similar(0.75, SOME)
            return
        yield from self._similar(0.6, TOO_MANY)
        yield from self._of_place()
        for group in self._asked.hinted:
            yield from self._of_group(group, SOME)
        yield from self._similar(0.45, TOO_MANY)

    def _recognised(self) -> Iterator[tuple[int, str]]:
        if self._recognition is not None:
            for state in (*self._recognition.matched, *self._recognition.unmatched)[:TOO_MANY]:
                if (number := self._directory.number.get(state.entity_id)) is not None:
                    yield number, "recognised by the sentence matcher"

    def _named(self) -> Iterator[tuple[int, str]]:
        """What was called by its name; of namesakes first those of the place, then those of the room."""
        named = self._asked.named
        ordered = sorted(named, key=lambda number: (self._distance(number), -named[number].score))
        near = sum(self._distance(number) == 0 for number in ordered)
        beyond = 0 if near and self._asked.places else SOME
        for number in ordered[: near + beyond if near else TOO_MANY]:
            yield number, "named" if named[number].whole else "named, nearly"

    def _of_group(self, group: Group, limit: int) -> Iterator[tuple[int, str]]:
        inside = self._inside(group.members)
        reason = f"“{group.word}”{f' in {self._places}' if inside and self._places else ''}"
        yield from ((number, reason) for number in self._listed(inside or group.members, limit))

    def _similar(self, least: float, limit: int) -> Iterator[tuple[int, str]]:
        names = self._asked.names
        close = [number for number, match in names.items() if match.score >= least]
        close = self._inside(close) or close
        close.sort(key=lambda number: (-round(names[number].score, 2), self._distance(number)))
        yield from ((number, "a name like it") for number in close[:limit])

    def _of_place(self) -> Iterator[tuple[int, str]]:
        """Without a kind: everything in the place named, or in the room."""
        if self._asked.places:
            yield from ((number, f"in {self._places}") for number in self._ordered(self._placed))
        elif not any(match.score >= 0.6 for match in self._asked.names.values()):
            yield from ((number, "in the room it was said in") for number in self._ordered(self._here)[:LIST_ALL])

    def _inside(self, members: Sequence[int]) -> list[int]:
        """Those in the place named; all where none is named."""
        return [number for number in members if number in self._placed] if self._asked.places else list(members)

    def _distance(self, number: int) -> int:
        if self._asked.places:
            return 0 if number in self._placed else 2
        return 0 if number in self._here else 1

    def _listed(self, members: Sequence[int], limit: int) -> list[int]:
        """The members to tell one by one: all where there are few, else those asked for."""
        ordered = self._ordered(members)
        if len(ordered) <= min(LIST_ALL, limit):
            return ordered
        if self._teller.is_measured(ordered):
            near = sum(self._distance(number) == 0 for number in ordered)
            some = SOME // 3 if near or limit <= SOME else SOME
            return ordered[: near + some * 2] + ordered[max(near + some * 2, len(ordered) - some) :]  # both ends
        matching = [number for number in ordered if self._matches(number)]
        return matching if 0 < len(matching) <= limit else ordered[:SOME]

    def _ordered(self, members: Iterable[int]) -> list[int]:
        """The nearest first; among them the highest, or those that match."""
        numbers = list(members)
        if self._teller.is_measured(numbers):
            return sorted(numbers, key=lambda number: (self._distance(number), -self._teller.measure(number)))
        return sorted(numbers, key=lambda number: (not self._matches(number), self._distance(number)))

    def _matches(self, number: int) -> bool:
        """Whether it is in the state asked for; where none is, whether there is something to tell of it."""
        state = self._teller.state(number)
        if state is None:
            return False
        return state.state in self._asked.states if self._asked.states else state.state not in QUIET

    # ---- what it adds up to

    def answers(self) -> list[str]:
        """The states of the groups asked for, added up: complete, however many there are."""
        lines = [*self._recognition_line()]
        for group in self._asked.groups:
            inside = self._inside(group.members)
            if self._asked.places and not inside:
                lines.append(f"In {self._places}: nothing known as “{clean(group.word, 40)}”")
            if not self._asked.places and self._area is not None:
                here = [number for number in group.members if number in self._here]
                lines += self._sums(group, here, clean(self._area.name, 80))
            lines += self._sums(group, inside or group.members, self._places if inside else "")
        return [f"- {line}" for line in dict.fromkeys(lines)][:MAX_SUMMARIES]

    def _sums(self, group: Group, members: Sequence[int], place: str) -> Iterator[str]:
        name = f"“{clean(group.word, 40)}”" if group.by_name else ""
        return self._teller.summaries(members, self._asked.states, place, name)

    def _recognition_line(self) -> Iterator[str]:
        """What the sentence matcher understood, where it is a question about several."""
        recognition = self._recognition
        if recognition is None or len(recognition.matched) + len(recognition.unmatched) < 2:
            return
        slots = ", ".join(f"{clean(name, 40)} {clean(value, 80)}" for name, value in recognition.slots.items())
        yield f"Sentence matcher ({slots}): {len(recognition.matched)} match, {len(recognition.unmatched)} do not"
