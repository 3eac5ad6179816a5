"""Talk to any persona, as if from any room or device; the answer as it comes, and what happened beside it."""

from contextlib import aclosing
from dataclasses import asdict
from typing import Any

import orjson
from aiohttp import web

from ..assistant import Turn
from ..caller import who_asks
from ..hass.home import Home
from ..messages import CannotAnswer, JsonObject, Utterance
from ..sentences import say
from ..turns import TurnRecord, recorded
from .pages import PARTS, agent_of, json_object, page, text_of
from .parts import Agent

MAX_PLACES = 500
CONVERSATION = "admin-page"


def places(home: Home | None) -> list[dict[str, str]]:
    """Rooms and devices with a voice that a question may come from."""
    if home is None:
        return []
    areas = [{"value": f"area:{area.id}", "name": area.name} for area in home.registries.areas.values()]
    devices = home.registries.devices.values()
    phones = [
        {"value": f"device:{device.id}", "name": f"☎ {device.name or device.id}"}
        for device in devices
        if who_asks(home, Utterance("", device_id=device.id)).is_phone
    ]
    satellites = [
        {"value": f"satellite:{state.entity_id}", "name": state.name}
        for state in home.states_in("assist_satellite").values()
    ]
    return [*phones, *satellites, *areas][:MAX_PLACES]


def utterance_of(values: Any, language: str) -> Utterance:
    """What is said, and where: a place is `area:…`, `device:…` or `satellite:…`."""
    kind, _, place = text_of(values, "place", 200).partition(":")
    return Utterance(
        text_of(values, "text"),
        language=text_of(values, "language", 35) or language,
        conversation_id=text_of(values, "conversation", 128) or None,
        area_id=place if kind == "area" else None,
        device_id=place if kind == "device" else None,
        satellite_id=place if kind == "satellite" else None,
    )


def language_of(request: web.Request) -> str:
    """The home's language."""
    home = request.app[PARTS].mirror().home
    return home.config.language if home else "en"


async def show(request: web.Request) -> web.Response:
    """The page to ask on."""
    parts = request.app[PARTS]
    return page(
        request,
        "try.html",
        agents=parts.agents(),
        places=places(parts.mirror().home),
        language=language_of(request),
        text=text_of(request.query, "text"),
    )


async def ask(request: web.Request) -> web.StreamResponse:
    """Answer a question in lines of JSON: a `text` for each piece, at last a `turn` with what happened."""
    values = await json_object(request)
    agent = agent_of(request, text_of(values, "agent", 64))
    utterance = utterance_of(values, language_of(request))
    if not utterance.text:
        raise web.HTTPBadRequest(text="text: say something.")
    response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson", "X-Accel-Buffering": "no"})
    await response.prepare(request)
    kept: list[TurnRecord] = []
    turns = request.app[PARTS].turns
    try:
        reply = recorded(agent.assistant.reply, turns, agent.name, utterance, kept=kept.append)
        async with aclosing(reply) as pieces:
            async for piece in pieces:
                await response.write(_line({"text": piece}))
    except CannotAnswer as error:
        await response.write(
            _line({"text": say(error.sentence, utterance.language, **error.values), "failure": str(error)})
        )
    if kept:
        await response.write(_line({"turn": turn_object(kept[0])}))
    await response.write_eof()
    return response


def turn_object(turn: TurnRecord) -> JsonObject:
    """A turn for a program."""
    return asdict(turn)


def _line(value: JsonObject) -> bytes:
    return orjson.dumps(value, default=str) + b"\n"


async def opened(request: web.Request, values: Any) -> tuple[Agent, Turn]:
    """A turn for a question that is looked at and not answered."""
    agent = agent_of(request, text_of(values, "agent", 64))
    utterance = utterance_of(values, language_of(request))
    await agent.assistant.prepare(utterance.language)
    return agent, agent.assistant.open(utterance)
