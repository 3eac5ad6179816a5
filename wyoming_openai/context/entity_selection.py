"""Whom of the home an utterance speaks of, seen from a room: in which order, why, and what their states add up to."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING

from .facts import clean
from .home_writer import HomeWriter
from .mentions import Group, Mentions
from .tally import QUIET, TOO_MANY

if TYPE_CHECKING:
    from ..local_engine.engine import Recognition

LIST_ALL = 25
"""Members of a group that are told one by one whatever their state."""

SOME = 10
"""Told of a group too large to be told, or beside something called by its name."""

LASTING = 3
"""Named ones of which a whole home also tells how long they have been so."""

MAX_SUMMARIES = 6


@dataclass(frozen=True, slots=True)
class Focus:
    """What is meant first where no place is named: the room, or the place that was spoken of before."""

    name: str = ""
    members: frozenset[int] = frozenset()
    reason: str = ""


class EntitySelection:
    """What an utterance asks for, seen from a room: who is meant, why, and what their states add up to."""

    def __init__(
        self, writer: HomeWriter, asked: Mentions, near: Focus, recognition: "Recognition | None" = None
    ) -> None:
        self._writer = writer
        self._directory = writer.directory
        self._asked = asked
        self._near = near
        self._recognition = recognition
        self._places = " and ".join(clean(place.name, 80) for place in asked.places)
        self._placed = self._directory.within(asked.places)

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
        recognition = self._recognition
        if recognition is None:
            return
        matched, unmatched = recognition.matched, recognition.unmatched
        few = len(matched) + len(unmatched) <= LIST_ALL
        told = (*matched[: TOO_MANY if len(matched) <= TOO_MANY else SOME], *(unmatched if few else ()))
        for state in told:
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
            yield from ((number, self._near.reason) for number in self._ordered(self._near.members)[:LIST_ALL])

    def _inside(self, members: Sequence[int]) -> list[int]:
        """Those in the place named; all where none is named."""
        return [number for number in members if number in self._placed] if self._asked.places else list(members)

    def _distance(self, number: int) -> int:
        if self._asked.places:
            return 0 if number in self._placed else 2
        return 0 if number in self._near.members else 1

    def _listed(self, members: Sequence[int], limit: int) -> list[int]:
        """The members to tell one by one: all where there are few, else those asked for."""
        ordered = self._ordered(members)
        if len(ordered) <= min(LIST_ALL, limit):
            return ordered
        if self._writer.is_measured(ordered):
            near = sum(number in self._near.members for number in ordered) if not self._asked.places else 0
            some = SOME // 3 if near or limit <= SOME else SOME
            first = min(near, LIST_ALL) + some * 2
            return ordered[:first] + ordered[max(first, len(ordered) - some) :]  # both ends
        matching = list(takewhile(self._matches, ordered))
        exceptions = ordered[len(matching) :]
        told = matching[: limit if len(matching) <= limit else SOME]
        # "is everything locked?" asks for what is not
        return [*exceptions, *told] if len(exceptions) <= SOME and told else told or exceptions[:SOME]

    def _ordered(self, members: Iterable[int]) -> list[int]:
        """The nearest first; among them the highest, or those that match."""
        numbers = list(members)
        if self._writer.is_measured(numbers):
            return sorted(numbers, key=lambda number: (self._distance(number), -self._writer.measure(number)))
        return sorted(numbers, key=lambda number: (not self._matches(number), self._distance(number)))

    def _matches(self, number: int) -> bool:
        """Whether it is in the state asked for; where none is, whether there is something to tell of it."""
        state = self._writer.state(number)
        if state is None:
            return False
        return state.state in self._asked.states if self._asked.states else state.state not in QUIET

    # ---- what it adds up to

    def answers(self) -> list[str]:
        """The states of the groups asked for, added up: complete, however many there are."""
        lines = [*self._recognition_line()]
        for group in self._asked.groups:
            inside = self._inside(group.members)
            if self._asked.places:
                lines += self._sums(group, inside, self._places) if inside else self._nothing(group, self._places)
            elif self._near.name:
                near = [number for number in group.members if number in self._near.members]
                lines += self._sums(group, near, self._near.name) if near else self._nothing(group, self._near.name)
            if not self._asked.places or not inside:
                lines += self._sums(group, group.members, "")
        return [f"- {line}" for line in dict.fromkeys(lines)][:MAX_SUMMARIES]

    def lasting(self) -> list[str]:
        """How long what is called by its name has been so."""
        named = [number for number, _ in self._named()][:LASTING]
        records = [
            (self._writer.entity_line(number), self._writer.entity_line(number, lasting=True)) for number in named
        ]
        return [lasting for plain, lasting in records if lasting != plain]

    def _sums(self, group: Group, members: Sequence[int], place: str) -> Iterator[str]:
        name = f"“{clean(group.word, 40)}”" if group.by_name else ""
        return self._writer.summaries(members, self._asked.states, clean(place, 80), name)

    def _nothing(self, group: Group, place: str) -> list[str]:
        return [f"In {clean(place, 80)}: nothing known as “{clean(group.word, 40)}”"]

    def _recognition_line(self) -> Iterator[str]:
        """What the sentence matcher understood, where it is a question about several."""
        recognition = self._recognition
        if recognition is None or recognition.wants_control or recognition.problem:
            return
        matched, unmatched = len(recognition.matched), len(recognition.unmatched)
        if matched + unmatched > 1:
            slots = ", ".join(f"{clean(name, 40)} {clean(value, 80)}" for name, value in recognition.slots.items())
            yield f"Sentence matcher ({slots}): {matched} match, {unmatched} do not"
