"""Talk to any persona, as if from any room or device; the answer as it comes, and what happened beside it."""

from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

import orjson
from aiohttp import web

from ...conversation.caller import identify_caller
from ...conversation.turn import Turn, TurnReport
from ...conversation.turn_log import TurnRecord
from ...conversation.turn_recorder import record_of
from ...hass.home import Home
from ...messages import CannotAnswer, JsonObject, Utterance
from ...speech.phrasebook import say
from ..parts import PageAgent
from ..phases import turn_object
from ..rendering import PARTS, agent_of, json_object, page, text_of

MAX_PLACES = 500


@dataclass(frozen=True, slots=True)
class AskedFrom:
    """Where a question may come from, as a choice in a list."""

    kind: str
    value: str
    name: str


def places(home: Home | None) -> list[AskedFrom]:
    """Phones, satellites and rooms that a question may come from."""
    if home is None:
        return []
    registries = home.registries
    phones = [
        AskedFrom("Phones", f"device:{device.id}", device.name or device.id)
        for device in registries.devices.values()
        if identify_caller(home, Utterance("", device_id=device.id)).is_phone
    ]
    satellites = [
        AskedFrom("Satellites", f"satellite:{state.entity_id}", state.name)
        for state in home.states_in("assist_satellite").values()
    ]
    areas = [AskedFrom("Rooms", f"area:{area.id}", area.name) for area in registries.areas.values()]
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
        ideas=ideas(parts.mirror().home),
    )


def ideas(home: Home | None) -> list[str]:
    """Questions to begin with."""
    areas = [area.name for area in home.registries.areas.values()] if home else []
    return [
        "Which lights are on?",
        *(f"How warm is it in the {area}?" for area in areas[:1]),
        "Are all windows closed?",
        "What can you tell me?",
    ]


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

    def keep(report: TurnReport) -> None:
        record = record_of(report, agent.name, tried=True)
        kept.append(replace(record, id=turns.add(record)))

    try:
        async with aclosing(agent.assistant.reply(utterance, keep)) as pieces:
            async for piece in pieces:
                await response.write(_line({"text": piece}))
    except CannotAnswer as error:
        await response.write(
            _line({"text": say(error.sentence_key, utterance.language, **error.values), "failure": str(error)})
        )
    if kept:
        await response.write(_line({"turn": turn_object(kept[0])}))
    await response.write_eof()
    return response


def _line(value: JsonObject) -> bytes:
    return orjson.dumps(value, default=str) + b"\n"


async def opened(request: web.Request, values: Any) -> tuple[PageAgent, Turn]:
    """A turn for a question that is looked at and not answered."""
    agent = agent_of(request, text_of(values, "agent", 64))
    return agent, await looked_at(agent, utterance_of(values, language_of(request)))


async def looked_at(agent: PageAgent, utterance: Utterance) -> Turn:
    """The turn that a question would be, with the home as it is now."""
    await agent.assistant.prepare(utterance.language)
    return agent.assistant.open(utterance)
