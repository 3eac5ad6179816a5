"""Find and read entities: names, states, what adds up. From the mirror, within a bound."""

from collections.abc import Mapping, Sequence
from itertools import islice

from ..context import build_context
from ..context.facts import clean, state_word
from ..context.home_writer import QUIET
from ..context.relevance import Sentence
from ..hass.home import State
from ..messages import ToolSpec, Utterance
from ..tokens import estimate
from .entity_lookup import EntityFilter, LookupResult, look_up
from .toolbox import Texts, Tool, ToolContext, schema, string, strings, texts

BUDGET = 720
"""Tokens of a result, by the estimate, which is a fifth too high for most languages."""

MOST_SUMS = 12
"""Kinds that are added up."""

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
        "Current states. All filters optional.",
        schema(
            name=string(),
            area=string(),
            floor=string(),
            domain=string(),
            device_class=string(),
            state=string(),
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
    writer = context.writer
    states = {number: state for number in choice.numbers if (state := writer.state(number)) is not None}
    matching, asked = _in_state(context, states, wanted) if wanted else (states, choice.states)
    kinds = {context.directory.kinds[number] for number in matching}
    members = [number for number in states if not kinds or context.directory.kinds[number] in kinds]
    lines = [f"- {line}" for line in islice(writer.summaries(members, asked, choice.place), MOST_SUMS)]
    if not matching:
        lines.append(f"- none of {len(states)} is {' or '.join(clean(text, 40) for text in wanted)}")
    records = _records(context, _ordered(context, matching, asked), BUDGET - estimate("\n".join(lines)))
    if len(records) < len(matching):
        records.append(f"{len(matching) - len(records)} more: narrow by area, state or name")
    return "\n".join(filter(None, (choice.remark, *lines, *records)))


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


def _ordered(context: ToolContext, states: Mapping[int, State], asked: frozenset[str]) -> list[int]:
    """Those in the state asked for first, then what is not at rest, then the room it was asked in; numbers by size."""
    writer = context.writer
    numbers = list(states)
    if len(numbers) > 1 and writer.is_measured(numbers):
        return sorted(numbers, key=lambda number: -writer.measure(number))
    here = frozenset(context.directory.in_area(context.area.id)) if context.area else frozenset()
    return sorted(
        numbers,
        key=lambda number: (states[number].state not in asked, states[number].state in QUIET, number not in here),
    )


def _in_state(
    context: ToolContext, states: Mapping[int, State], wanted: Sequence[str]
) -> tuple[dict[int, State], frozenset[str]]:
    """Those in a state called "open" or "offen", and the raw states that it stands for."""
    meant = {_folded(text) for text in wanted}
    found = {number: state for number, state in states.items() if meant & _state_names(context, state)}
    if not found:
        lexicon = context.context_cache.lexicon(context.home, context.language)
        meant |= {raw for text in wanted for raw in lexicon.states(Sentence(text))}
        found = {number: state for number, state in states.items() if state.state in meant}
    return found, frozenset(state.state for state in found.values()) or frozenset(meant)


def _state_names(context: ToolContext, state: State) -> set[str]:
    """A state as it is written and as it is told."""
    return {_folded(state.state), _folded(state_word(context.home, state, context.now))}


def _folded(text: str) -> str:
    return text.casefold().strip().replace(" ", "_")
