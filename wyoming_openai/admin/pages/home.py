"""The home as the assistant sees it: searched and paged here, so that ten thousand entities open as fast as ten."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import groupby

from aiohttp import web

from ...conversation.memory import Conversation
from ...hass.home import Home
from ...messages import JsonObject, Utterance
from ...tokens import estimate
from ..parts import PageAgent
from ..rendering import PARTS, agent_of, json, one_of, page, text_of, whole_of
from .try_it import language_of, looked_at, places, utterance_of

PAGE = 50
MAX_AREAS = 1000
EXPOSED = ("", "yes", "no")


@dataclass(frozen=True, slots=True)
class EntityRow:
    """One entity."""

    entity_id: str
    name: str
    aliases: tuple[str, ...]
    area: str
    state: str
    unit: str
    exposed: bool


@dataclass(frozen=True, slots=True)
class AreaRow:
    """An area and how much of it is exposed."""

    id: str
    name: str
    aliases: tuple[str, ...]
    floor: str
    exposed: int
    entities: int


@dataclass(frozen=True, slots=True)
class Found:
    """A page of entities."""

    rows: tuple[EntityRow, ...]
    total: int
    number: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE))


def find(home: Home, search: str = "", area_id: str = "", exposed: str = "", number: int = 1) -> Found:
    """The entities with all words of `search` in a name, the id or the area; in an area; exposed ("yes"), or not."""
    ids = list(_matching(home, search.casefold().split(), area_id, exposed))
    chosen = ids[(number - 1) * PAGE : number * PAGE]
    return Found(tuple(_row(home, entity_id) for entity_id in chosen), len(ids), number)


def _matching(home: Home, words: list[str], area_id: str, exposed: str) -> Iterator[str]:
    registries = home.registries
    for entity_id in home.states:
        if exposed and (entity_id in registries.exposed) is not (exposed == "yes"):
            continue
        area = registries.area_of(entity_id) if area_id or words else None
        if area_id and (area is None or area.id != area_id):
            continue
        if words:
            text = " ".join((entity_id, *home.names(entity_id), area.name if area else "")).casefold()
            if not all(word in text for word in words):
                continue
        yield entity_id


def _row(home: Home, entity_id: str) -> EntityRow:
    own, *aliases = home.names(entity_id)
    area = home.registries.area_of(entity_id)
    state = home.states[entity_id]
    unit = str(state.attributes.get("unit_of_measurement") or "")
    return EntityRow(
        entity_id, own, tuple(aliases), area.name if area else "", state.state, unit, home.is_exposed(entity_id)
    )


def areas(home: Home) -> list[AreaRow]:
    """All areas, floor by floor from below."""
    registries = home.registries
    every: Counter[str] = Counter()
    exposed: Counter[str] = Counter()
    for entity_id in home.states:
        if area := registries.area_of(entity_id):
            every[area.id] += 1
            exposed[area.id] += home.is_exposed(entity_id)
    floors = registries.floors
    level = {floor.id: floor.level if floor.level is not None else 999 for floor in floors.values()}
    ordered = sorted(registries.areas.values(), key=lambda area: level.get(area.floor_id or "", 1000))
    return [
        AreaRow(
            area.id,
            area.name,
            area.aliases,
            floor.name if (floor := floors.get(area.floor_id or "")) else "",
            exposed[area.id],
            every[area.id],
        )
        for area in ordered[:MAX_AREAS]
    ]


async def show(request: web.Request) -> web.Response:
    """Areas and entities, or why a question chose what it did."""
    home = request.app[PARTS].mirror().home
    query = request.query
    search, area, exposed = text_of(query, "q", 200), text_of(query, "area", 200), one_of(query, "exposed", EXPOSED)
    text = text_of(query, "text")
    why = await _explained(request) if text and home else None
    if home is None:
        return page(request, "home.html", home=None, status_text=request.app[PARTS].mirror().status.reason)
    return page(
        request,
        "home.html",
        home=home,
        counts={"exposed": len(home.registries.exposed & home.states.keys()), "all": len(home.states)},
        areas=(known := areas(home)),
        floors=[(floor, list(within)) for floor, within in groupby(known, key=lambda place: place.floor)],
        found=find(home, search, area, exposed, whole_of(query, "page", 1)),
        search=search,
        area=area,
        exposed=exposed,
        places=places(home),
        place=text_of(query, "place", 200),
        language=text_of(query, "language", 35) or language_of(request),
        agents=request.app[PARTS].agents(),
        agent=text_of(query, "agent", 64),
        text=text,
        why=why,
    )


async def _explained(request: web.Request) -> JsonObject:
    agent = agent_of(request, text_of(request.query, "agent", 64))
    return await explain(agent, utterance_of(request.query, language_of(request)))


async def explain(agent: PageAgent, utterance: Utterance) -> JsonObject:
    """What the model would be told for a question, what not, and why; with the home as it is now."""
    turn = await looked_at(agent, utterance)
    context, home = agent.assistant.requests.context(turn, Conversation()), turn.home
    told = {each.entity_id for each in context.chosen}
    return {
        "area": turn.area.name if turn.area else None,
        "whole": context.whole,
        "chosen": [{**asdict(each), "name": home.name(each.entity_id)} for each in context.chosen],
        "crowded_out": [{**asdict(each), "name": home.name(each.entity_id)} for each in context.crowded_out],
        "left_out": len((home.registries.exposed & home.states.keys()) - told),
        "index": context.index,
        "facts": context.facts,
        "tokens": estimate(context.index) + estimate(context.facts),
    }


def _home_of(request: web.Request) -> Home:
    home = request.app[PARTS].mirror().home
    if home is None:
        raise web.HTTPServiceUnavailable(text=request.app[PARTS].mirror().status.reason)
    return home


async def entities_json(request: web.Request) -> web.Response:
    """A page of entities for a program."""
    query = request.query
    found = find(
        _home_of(request),
        text_of(query, "q", 200),
        text_of(query, "area", 200),
        one_of(query, "exposed", EXPOSED),
        whole_of(query, "page", 1),
    )
    rows = [asdict(row) for row in found.rows]
    return json({"total": found.total, "page": found.number, "pages": found.pages, "entities": rows})


async def areas_json(request: web.Request) -> web.Response:
    """The areas for a program."""
    return json({"areas": [asdict(place) for place in areas(_home_of(request))]})


async def why_json(request: web.Request) -> web.Response:
    """Why a question chooses what it does, for a program."""
    _home_of(request)
    if not text_of(request.query, "text"):
        raise web.HTTPBadRequest(text="text: the question that you want to know about.")
    return json(await _explained(request))
