"""What was asked and answered: a list, and each turn from the first word to the last."""

import asyncio

from aiohttp import web

from ...context import area_of_utterance
from ...conversation.turn_log import TurnRecord
from ...hass.home import Home
from ...messages import Utterance
from ..gate import BASE
from ..phases import phases, turn_object
from ..rendering import PARTS, json, page, text_of, whole_of
from .home import explain

PAGE = 50


def asked_in(turn: TurnRecord) -> Utterance:
    """What was heard, as far as it is kept."""
    return Utterance(
        turn.question,
        language=turn.language,
        device_id=turn.device_id,
        satellite_id=turn.satellite_id,
        area_id=turn.area_id,
    )


def place_of(home: Home | None, turn: TurnRecord) -> str:
    """Where it was said, in the words of the home."""
    if home is None:
        return ""
    area, device = area_of_utterance(home, asked_in(turn)), home.registries.devices.get(turn.device_id or "")
    satellite = home.name(turn.satellite_id) if turn.satellite_id else None
    names = (device.name if device else satellite, area.name if area else None)
    return ", ".join(name for name in names if name)


async def show(request: web.Request) -> web.Response:
    """The list, the newest first."""
    parts, query = request.app[PARTS], request.query
    search, agent, failed = text_of(query, "q", 200), text_of(query, "agent", 64), "failed" in query
    before = whole_of(query, "before", 2**53)
    turns = await asyncio.to_thread(parts.turns.latest, PAGE + 1, before, search, agent=agent, failed=failed)
    more = turns[PAGE - 1].id if len(turns) > PAGE else None
    home = parts.mirror().home
    return page(
        request,
        "conversations.html",
        turns=turns[:PAGE],
        place_of=lambda turn: place_of(home, turn),
        more=more,
        search=search,
        agent=agent,
        agents=parts.agents(),
        failed=failed,
        days=parts.turns.days,
    )


async def show_turn(request: web.Request) -> web.Response:
    """One turn, and why the model was told what it was."""
    turn, parts = _turn(request), request.app[PARTS]
    agent = next((each for each in parts.agents() if each.name == turn.agent), None)
    why = await explain(agent, asked_in(turn)) if agent and turn.sent and parts.mirror().home else None
    return page(
        request, "turn.html", turn=turn, phases=phases(turn), place=place_of(parts.mirror().home, turn), why=why
    )


def _turn(request: web.Request) -> TurnRecord:
    turn = request.app[PARTS].turns.get(int(request.match_info["id"]))
    if turn is None:
        raise web.HTTPNotFound(text="This turn is not kept (any more).")
    return turn


async def delete(request: web.Request) -> web.Response:
    """Forget one turn or all, from the page."""
    number = request.match_info.get("id")
    await asyncio.to_thread(request.app[PARTS].turns.delete, int(number) if number else None)
    raise web.HTTPSeeOther(f"{request[BASE]}/conversations")


async def list_json(request: web.Request) -> web.Response:
    """The turns for a program."""
    query = request.query
    limit = whole_of(query, "limit", PAGE, 200)
    turns = await asyncio.to_thread(
        request.app[PARTS].turns.latest,
        limit,
        whole_of(query, "before", 2**53),
        text_of(query, "q", 200),
        agent=text_of(query, "agent", 64),
        failed="failed" in query,
    )
    return json({"turns": [turn_object(turn) for turn in turns]})


async def get_json(request: web.Request) -> web.Response:
    """One turn for a program."""
    return json(turn_object(_turn(request)))


async def delete_json(request: web.Request) -> web.Response:
    """Forget one turn or all, for a program."""
    number = request.match_info.get("id")
    turns = request.app[PARTS].turns
    return json({"deleted": await asyncio.to_thread(turns.delete, int(number) if number else None)})
