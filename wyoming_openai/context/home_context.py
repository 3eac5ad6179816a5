"""What the model is told about the home for one utterance, within a budget of tokens. Pure.

A small home is told whole. Of a larger one the model gets an index that stays the same from turn to turn (floors,
areas, kinds, counts) and the facts that this utterance needs: what it names, the groups it asks for with their
complete counts, the room it was said in. Only what is exposed to Assist is ever looked at.

`vocabulary` knows what people call things in 60 languages, `relevance` finds names, `directory` who is who at home,
`asked` puts them together; `facts` and `writer` word what was found; `context_cache` keeps what is expensive to derive.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from ..hass.home import Area, Home
from ..messages import Utterance
from ..tokens import estimate
from .cache import ContextCache
from .directory import Directory, Place
from .entity_selection import EntitySelection, Focus
from .home_writer import HomeWriter
from .mentions import Mentions, elsewhere

if TYPE_CHECKING:
    from ..local_engine.engine import Recognition

WHOLE_SHARE = 0.6
"""A home is told whole when that costs no more than this share of the budget."""

INDEX_SHARE = 0.35
"""Of the budget, for the index of a home that is not told whole."""

HISTORY = 4
"""Texts of the conversation in which a follow-up finds what it leaves out."""

FOLLOW_UP_WORDS = 6
"""A question without a room that is no longer than this may go on about the last one."""

LASTING_RECORDS = 12
"""The first records also say how long it has been so."""

MOST_CROWDED_OUT = 20
"""Of those that the budget is too small for, so many are named to the owner who asks why."""

LEAST_COST = 5
"""Tokens that an entity costs at least."""

ASKED = "Asked for, complete:"
STATES = "States now, a selection (look up the rest):"
WHOLE = "All that is known of the home:"
NOTHING = "Nothing of the home is exposed to you."


@dataclass(frozen=True, slots=True)
class Chosen:
    """An entity that the model is told about, and why."""

    entity_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class HomeContext:
    """What the model is told about the home."""

    index: str
    """Floors, areas and kinds, which change only with the registries and what is exposed. Where `whole`: the home with
    its states, the same for every utterance until one of them changes."""
    facts: str
    """States for this utterance, one entity a line, and the sums of the groups it asks for."""
    chosen: tuple[Chosen, ...]
    whole: bool = False
    """The index is all of the home."""
    crowded_out: tuple[Chosen, ...] = ()
    """The first that would have been told, had the budget of tokens been larger."""


def area_of_utterance(home: Home, utterance: Utterance) -> Area | None:
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
    recognize: "Callable[[], Recognition | None]" = lambda: None,
    context_cache: ContextCache | None = None,
) -> HomeContext:
    """What the model is told for this utterance.

    `history` is the conversation so far, oldest first; `now` is in the home's time zone. Whoever asks more than once
    keeps a `ContextCache`: without it everything is derived anew, which takes a second for a large home. `recognize` is
    the sentence matcher's view of the utterance (some milliseconds), asked for only where the home is not told whole.
    """
    context_cache = context_cache or ContextCache()
    directory = context_cache.directory(home)
    writer = HomeWriter(home, directory, now)
    asked, before = _understood(context_cache, home, utterance, history)
    near = _nearby(directory, before, area)
    whole = _whole(EntitySelection(writer, asked, near), writer, int(budget * WHOLE_SHARE))
    if whole is not None:
        return whole
    index = context_cache.index(home, int(budget * INDEX_SHARE))
    return _relevant(EntitySelection(writer, asked, near, recognize()), writer, index, budget - estimate(index))


def _whole(view: EntitySelection, writer: HomeWriter, budget: int) -> HomeContext | None:
    """The whole home, if it is small enough."""
    ids = writer.directory.ids
    if not ids:
        return HomeContext(NOTHING, "", (), whole=True)
    if len(ids) * LEAST_COST > budget:
        return None
    home = writer.whole_home()
    if estimate(home) > budget:
        return None
    asked = [*view.answers(), *view.lasting()]
    facts = (ASKED, *asked) if asked else ()
    told = (Chosen(each, "the whole home") for number, each in enumerate(ids) if writer.state(number) is not None)
    return HomeContext(f"{WHOLE}\n{home}", "\n".join(facts), tuple(told), whole=True)


def _relevant(view: EntitySelection, writer: HomeWriter, index: str, budget: int) -> HomeContext:
    """The index, and the facts about those chosen, best first, as far as the budget goes."""
    budget -= estimate("\n".join(("", ASKED, STATES)))
    answers: list[str] = []
    for answer in view.answers():
        budget -= estimate(answer + "\n")
        if budget < 0:
            break
        answers.append(answer)
    chosen: dict[int, Chosen] = {}
    records: list[str] = []
    crowded_out: dict[int, Chosen] = {}
    for number, reason in view.chosen():
        if number in chosen or not (record := writer.entity_line(number, lasting=len(records) < LASTING_RECORDS)):
            continue
        budget -= estimate(record + "\n")
        told = chosen if budget >= 0 else crowded_out
        told.setdefault(number, Chosen(writer.directory.ids[number], reason))
        if budget >= 0:
            records.append(record)
        elif len(crowded_out) == MOST_CROWDED_OUT:
            break
    facts = [*((ASKED, *answers) if answers else ()), *((STATES, *records) if records else ())]
    return HomeContext(index, "\n".join(facts), tuple(chosen.values()), crowded_out=tuple(crowded_out.values()))


def _understood(
    context_cache: ContextCache, home: Home, utterance: Utterance, history: Sequence[str]
) -> tuple[Mentions, tuple[Place, ...]]:
    """What the utterance speaks of, and the places spoken of before it.

    A follow-up ("and in the bedroom?", "is it open?") speaks of what was spoken of before.
    """
    asked = context_cache.asked(home, utterance.language, utterance.text)
    is_short = asked.length <= FOLLOW_UP_WORDS
    places: tuple[Place, ...] = ()
    for text in reversed(history[-HISTORY:]):
        before = context_cache.asked(home, utterance.language, text)
        if not asked.groups and not asked.named and (before.groups or before.named):
            if asked.places:
                again = elsewhere(context_cache.directory(home), text, utterance.text)
                asked = context_cache.asked(home, utterance.language, again)
            else:
                names = asked.names or before.names
                asked = replace(asked, groups=before.groups, names=names, states=asked.states or before.states)
        places = places or before.places
    return asked, places if is_short else ()


def _nearby(directory: Directory, before: tuple[Place, ...], area: Area | None) -> Focus:
    if before:
        name = " and ".join(place.name for place in before)
        return Focus(name, directory.within(before), f"in {name}, spoken of before")
    if area is None:
        return Focus()
    return Focus(area.name, frozenset(directory.in_area(area.id)), "in the room it was said in")
