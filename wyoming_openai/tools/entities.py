"""Find and read entities: names, states, what adds up. From the mirror, within a bound."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from ..context import build_context
from ..context.facts import clean, quoted, state_word
from ..context.relevance import Sentence
from ..context.tally import QUIET
from ..hass.home import State
from ..messages import ToolSpec, Utterance
from ..tokens import estimate
from .entity_lookup import EntityFilter, LookupResult, look_up
from .state_filter import GONE, Wording, is_so, value_of
from .toolbox import Texts, Tool, ToolContext, schema, string, strings, texts

BUDGET = 720
"""Tokens of a result, by the estimate, which is a fifth too high for most languages."""

MOST_SUMS = 12
"""Kinds that are added up."""

MOST_GONE = 8
"""Of which nothing is known, named."""

_LOCKING = frozenset({"locked", "unlocked"})
_DOORS = frozenset({"door", "garage_door", "gate", "opening"})

LASTING = 12
"""The first records also say how long it has been so."""


async def get_entities(
    context: ToolContext,
    *,
    name: Texts = None,
    area: Texts = None,
    floor: Texts = None,
    domain: Texts = None,
    device_class: Texts = None,
    state: Texts = None,
    entity_id: Texts = None,
    query: Texts = None,
) -> str:
    """Counts of the group, then its members on a line each: those in the state asked for first."""
    wanted = EntityFilter(
        texts(entity_id),
        texts(name),
        texts(area),
        texts(floor),
        texts(domain),
        texts(device_class),
        " ".join(texts(query)),
    )
    if wanted == EntityFilter(query=wanted.query):
        return _overview(context, wanted.query, texts(state))
    return _told(context, look_up(context, wanted), texts(state))


GET_ENTITIES = Tool(
    ToolSpec(
        "get_entities",
        "Current states of what is not above. All filters optional.",
        schema(
            name=string(),
            area=string(),
            floor=string(),
            domain=string(),
            device_class=string(),
            state=string("open, low, <20…"),
            entity_id=strings(),
            query=string(),
        ),
        read_only=True,
    ),
    get_entities,
)


def _overview(context: ToolContext, query: str, states: Sequence[str]) -> str:
    """Without any filter: what the question speaks of, else what the home has."""
    if states:
        return _told(context, LookupResult(tuple(range(len(context.directory.ids)))), states)
    found = build_context(
        context.home,
        Utterance(query, context.language),
        context.area,
        (),
        budget=BUDGET,
        now=context.now,
        context_cache=context.context_cache,
    )
    return found.facts or found.index


def _told(context: ToolContext, choice: LookupResult, wanted: Sequence[str]) -> str:
    """The sums, and as many members as the budget allows."""
    found = _filtered(context, choice, wanted)
    lines = _sums(context, choice, found)
    if found.is_understood:
        lines += _not_known(found)
    records = _records(context, _ordered(context, found), BUDGET - estimate("\n".join(lines)))
    if left := len(found.matching) - len(records):
        records.append(f"{left} more: narrow by area, state or name")
    return "\n".join(filter(None, (choice.remark, *lines, *records)))


def _filtered(context: ToolContext, choice: LookupResult, wanted: Sequence[str]) -> "_Found":
    """Those in the states asked for; where these are no states of such things, all, so that nothing is denied."""
    writer = context.writer
    states = {number: state for number in choice.numbers if (state := writer.state(number)) is not None}
    if not wanted:
        return _Found(states, states, asked=choice.states)
    lexicon = context.context_cache.lexicon(context.home, context.language)
    wordings = [Wording(text, lexicon.states(Sentence(text))) for text in wanted]
    if any((wording.raws | {wording.folded}) & _LOCKING for wording in wordings):
        states = _with_locks(context, choice, states)
    answers = {number: _is_any(context, wordings, state) for number, state in states.items()}
    matching = {number: states[number] for number, answer in answers.items() if answer}
    if not matching and not any(answer is False for answer in answers.values()):
        return _Found(states, states, tuple(wanted), is_understood=False)
    return _Found(states, matching, tuple(wanted), frozenset(state.state for state in matching.values()))


def _is_any(context: ToolContext, wordings: Sequence[Wording], state: State) -> bool | None:
    """Whether it is in any of the states; None where none of them is one of its states."""
    answers = [is_so(each, state, lambda it: state_word(context.home, it, context.now)) for each in wordings]
    return True if True in answers else next((answer for answer in answers if answer is not None), None)


def _with_locks(context: ToolContext, choice: LookupResult, states: dict[int, State]) -> dict[int, State]:
    """Who asks whether a door is locked asks for its lock: the locks of the place where there are only doors."""
    if not states or any(state.domain == "lock" for state in states.values()):
        return states
    kinds = {context.directory.kinds[number][1] for number in states}
    if not kinds <= _DOORS:
        return states
    writer, areas = context.writer, context.directory.areas
    places = {areas[number] for number in states} if choice.place else None
    locks = (number for number in context.directory.by_kind.get("lock", ()) if not places or areas[number] in places)
    found = {number: state for number in locks if (state := writer.state(number)) is not None}
    return found or states


@dataclass(frozen=True, slots=True)
class _Found:
    """What was chosen, and what of it is in the states asked for."""

    states: Mapping[int, State]
    matching: Mapping[int, State]
    wanted: tuple[str, ...] = ()
    """The states as the model wrote them; empty where it asked for none."""
    asked: frozenset[str] = frozenset()
    """The raw states that they stand for."""
    is_understood: bool = True
    """Whether such things can be in such states at all."""

    @property
    def words(self) -> str:
        return " or ".join(clean(text, 40) for text in self.wanted)

    @property
    def is_about_numbers(self) -> bool:
        """Whether the state asked for is one of numbers."""
        return bool(self.wanted) and any(value_of(state) is not None for state in self.matching.values())


def _sums(context: ToolContext, choice: LookupResult, found: _Found) -> list[str]:
    """How many there are in which state; of numbers how many are in the limits asked for."""
    if not found.is_understood:
        return [f"“{found.words}” is not a state of these; they are:"]
    known = sum(state.state not in GONE for state in found.states.values())
    if found.matching and found.is_about_numbers:
        return [f"- {found.words}: {len(found.matching)} of {known}"]
    kinds = {context.directory.kinds[number] for number in found.matching}
    members = [number for number in found.states if not kinds or context.directory.kinds[number] in kinds]
    sums = context.writer.summaries(members, found.asked, choice.place, named=False)
    lines = [f"- {line}" for line in islice(sums, MOST_SUMS)]
    return lines if found.matching else [*lines, f"- none of {known} is {found.words}"]


def _not_known(found: _Found) -> list[str]:
    """Those that may be in the state asked for or not."""
    gone = [state for number, state in found.states.items() if state.state in GONE and number not in found.matching]
    if not found.wanted or not gone:
        return []
    names = ", ".join(f"{quoted(state.name)} ({state.state})" for state in gone[:MOST_GONE])
    return [f"- not known: {names}{f' and {len(gone) - MOST_GONE} more' if len(gone) > MOST_GONE else ''}"]


def _records(context: ToolContext, numbers: Sequence[int], budget: int) -> list[str]:
    """As many as the budget allows."""
    writer = context.writer
    records: list[str] = []
    for number in numbers:
        record = writer.entity_line(number, lasting=len(records) < LASTING)
        budget -= estimate(record + "\n")
        if budget < 0:
            break
        records.append(record)
    return records


def _ordered(context: ToolContext, found: _Found) -> list[int]:
    """Those in the state asked for first, then what is not at rest, then the room it was asked in; numbers by size."""
    writer = context.writer
    states, numbers = found.matching, list(found.matching)
    if len(numbers) > 1 and writer.is_measured(numbers):
        return writer.by_size(numbers)
    here = frozenset(context.directory.in_area(context.area.id)) if context.area else frozenset()
    return sorted(
        numbers,
        key=lambda number: (states[number].state not in found.asked, states[number].state in QUIET, number not in here),
    )
