"""What was asked and answered: a list, and each turn from the first word to the last."""

from dataclasses import dataclass

from aiohttp import web

from ..hass.home import Home
from ..turns import TurnRecord
from .gate import BASE
from .pages import PARTS, json, page, text_of, whole_of
from .trying import turn_object

PAGE = 50
STEPS = {"context": "Home looked up", "first_token": "First token", "first_text": "First words", "total": "Done"}


@dataclass(frozen=True, slots=True)
class Step:
    """A moment of a turn, and where on a line of a hundred it stands."""

    name: str
    ms: float
    at: float


def steps(turn: TurnRecord) -> list[Step]:
    """The moments of a turn in order."""
    total = max([1.0, *turn.timings_ms.values()])
    moments = sorted((ms, STEPS.get(name, name.replace("_", " "))) for name, ms in turn.timings_ms.items())
    return [Step("Heard", 0.0, 0.0), *(Step(name, ms, round(100 * ms / total, 1)) for ms, name in moments)]


def place_of(home: Home | None, turn: TurnRecord) -> str:
    """Where it was said, in the words of the home."""
    if home is None:
        return ""
    area = home.registries.areas.get(turn.area_id or "") or home.registries.area_of_device(turn.device_id)
    device = home.registries.devices.get(turn.device_id or "")
    names = (device.name if device else None, area.name if area else None)
    return ", ".join(name for name in names if name)


async def show(request: web.Request) -> web.Response:
    """The list, the newest first."""
    parts = request.app[PARTS]
    search = text_of(request.query, "q", 200)
    before = whole_of(request.query, "before", 2**53)
    turns = parts.turns.latest(PAGE + 1, before, search)
    more = turns[PAGE - 1].id if len(turns) > PAGE else None
    return page(request, "conversations.html", turns=turns[:PAGE], more=more, search=search, days=parts.turns.days)


async def show_turn(request: web.Request) -> web.Response:
    """One turn."""
    turn, home = _turn(request), request.app[PARTS].mirror().home
    return page(request, "turn.html", turn=turn, steps=steps(turn), place=place_of(home, turn))


def _turn(request: web.Request) -> TurnRecord:
    turn = request.app[PARTS].turns.get(int(request.match_info["id"]))
    if turn is None:
        raise web.HTTPNotFound(text="This turn is not kept (any more).")
    return turn


async def delete(request: web.Request) -> web.Response:
    """Forget one turn or all, from the page."""
    number = request.match_info.get("id")
    request.app[PARTS].turns.delete(int(number) if number else None)
    raise web.HTTPSeeOther(f"{request[BASE]}/conversations")


async def list_json(request: web.Request) -> web.Response:
    """The turns for a program."""
    query = request.query
    limit = whole_of(query, "limit", PAGE, 200)
    turns = request.app[PARTS].turns.latest(limit, whole_of(query, "before", 2**53), text_of(query, "q", 200))
    return json({"turns": [turn_object(turn) for turn in turns]})


async def get_json(request: web.Request) -> web.Response:
    """One turn for a program."""
    return json(turn_object(_turn(request)))


async def delete_json(request: web.Request) -> web.Response:
    """Forget one turn or all, for a program."""
    number = request.match_info.get("id")
    return json({"deleted": request.app[PARTS].turns.delete(int(number) if number else None)})
