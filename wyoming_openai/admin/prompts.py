"""The prompt template: edited beside what it gives for the real home, what it costs, and what it was before."""

import difflib
import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web

from ..assistant import Turn
from ..llm import ModelRequest
from ..memory import Conversation
from ..messages import JsonObject, Usage
from ..prompt import DEFAULT_PROMPT, turn_variables
from ..settings import BadSettings
from ..template import NeedsHomeAssistant, TemplateError, compile_template
from ..tokens import estimate
from .gate import BASE
from .pages import PARTS, agent_of, json, json_object, page, text_of
from .parts import AdminParts, Agent
from .trying import language_of, opened, places

_LOGGER = logging.getLogger(__name__)

MAX_PROMPT = 40_000
KEPT = 20
ANSWER_TOKENS = 60
"""Of a usual answer, for what a turn costs."""
DAYS_IN_MONTH = 30
PACE = 7


class History:
    """The prompts that were saved before, the newest first; without a file, those of this run."""

    def __init__(self, folder: Path | None) -> None:
        self._path = folder / "prompts.json" if folder else None
        self.texts = self._read()

    def add(self, text: str) -> None:
        """Keep a prompt that is about to be replaced."""
        self.texts = [text, *(each for each in self.texts if each != text)][:KEPT]
        if self._path is None:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_bytes(orjson.dumps(self.texts))
        except OSError as error:
            _LOGGER.warning("The earlier prompts can't be kept in %s: %s", self._path, error)

    def _read(self) -> list[str]:
        try:
            texts = orjson.loads(self._path.read_bytes()) if self._path else []
        except (OSError, orjson.JSONDecodeError):
            return []
        return [text for text in texts if isinstance(text, str)][:KEPT] if isinstance(texts, list) else []


HISTORY = web.AppKey("history", History)


async def show(request: web.Request) -> web.Response:
    """The editor."""
    return _editor(request, agent_of(request, text_of(request.query, "agent", 64)))


def _editor(
    request: web.Request, agent: Agent, text: str | None = None, error: str = "", done: str = ""
) -> web.Response:
    parts = request.app[PARTS]
    saved = agent.prompt or DEFAULT_PROMPT
    shown = saved if text is None else text
    return page(
        request,
        "prompt.html",
        status=400 if error else 200,
        agents=parts.agents(),
        agent=agent,
        text=shown,
        default=DEFAULT_PROMPT,
        history=request.app[HISTORY].texts,
        difference=difference(shown),
        places=places(parts.mirror().home),
        language=language_of(request),
        error=error,
        done=done or ("Saved. The next question is asked with it." if "saved" in request.query else ""),
        reason=why_fixed(parts, agent),
    )


def why_fixed(parts: AdminParts, agent: Agent) -> str:
    """Why a prompt can't be saved here; empty if it can."""
    if parts.save is None:
        return "This program was started without a place to keep changes; you can try a prompt, but not save it."
    if "prompt" in parts.fixed():
        return f"The prompt was set by {parts.sources().get('prompt', 'a flag')}; change it there."
    if len(parts.agents()) > 1:
        return f"The prompt of {agent.name} stands in the file that lists the personas; change it there."
    return ""


def difference(text: str) -> list[str]:
    """How a prompt differs from the default, line by line."""
    lines = difflib.unified_diff(DEFAULT_PROMPT.splitlines(), text.splitlines(), "default", "yours", lineterm="", n=1)
    return list(lines)[2:]


async def preview(request: web.Request) -> web.Response:
    """What a draft gives for the home as it is now, as heard from a place."""
    values = await json_object(request)
    text = text_of(values, "prompt", MAX_PROMPT)
    agent, turn = await opened(request, values)
    try:
        rendered = render(text or DEFAULT_PROMPT, turn)
    except NeedsHomeAssistant as error:
        return json({"error": f"Only Home Assistant can render this: {error}", "line": error.line, "saveable": True})
    except TemplateError as error:
        return json({"error": str(error), "line": error.line, "saveable": False})
    sizes = tokens_by_part(agent, turn, rendered)
    return json(
        {
            "text": rendered,
            "tokens": sizes,
            "difference": difference(text or DEFAULT_PROMPT),
            **cost(request.app[PARTS], agent, sum(sizes.values())),
        }
    )


def render(text: str, turn: Turn) -> str:
    """A draft over the home of a turn. Raises `TemplateError`."""
    template = compile_template(text)
    makers = turn_variables(turn.home, turn.utterance, turn.area)
    return template.render(
        turn.home, {name: make() for name, make in makers.items() if name in template.uses}, now=turn.now
    )


def tokens_by_part(agent: Agent, turn: Turn, prompt: str) -> dict[str, int]:
    """About how many tokens each part of a first request takes."""
    context = agent.assistant.context(turn, Conversation())
    request: ModelRequest = agent.assistant.request(turn, Conversation())
    specs = [(tool.name, tool.description, dict(tool.parameters)) for tool in request.tools]
    return {
        "prompt": estimate(prompt),
        "overview of the home": estimate(context.index),
        "states for the question": estimate(context.facts),
        "tools": estimate(orjson.dumps(specs).decode()) if specs else 0,
        "question": estimate(turn.utterance.text),
    }


def cost(parts: AdminParts, agent: Agent, tokens: int) -> JsonObject:
    """What such a turn costs, and a month of them at the pace of the last week, in US dollars."""
    if agent.price is None:
        return {"turn_usd": None, "month_usd": None}
    turn = agent.price.of(Usage(input_tokens=tokens, output_tokens=ANSWER_TOKENS)) / 1e9
    return {"turn_usd": turn, "month_usd": turn * questions_a_day(parts) * DAYS_IN_MONTH}


def questions_a_day(parts: AdminParts) -> float:
    """The mean of the last week."""
    if parts.ledger is None:
        return 0.0
    since = parts.ledger.today() - timedelta(days=PACE - 1)
    return sum(total.questions for total in parts.ledger.totals("day", since)) / PACE


async def save(request: web.Request) -> web.Response:
    """Save from the page's form."""
    form = await request.post()
    agent = agent_of(request, text_of(form, "agent", 64))
    text = text_of(form, "prompt", MAX_PROMPT).replace("\r\n", "\n")
    if problem := await keep(request, agent, text):
        return _editor(request, agent, text, problem)
    raise web.HTTPSeeOther(f"{request[BASE]}/prompt?saved")


async def save_json(request: web.Request) -> web.Response:
    """Save for a program."""
    values = await json_object(request)
    agent = agent_of(request, text_of(values, "agent", 64))
    problem = await keep(request, agent, text_of(values, "prompt", MAX_PROMPT))
    return json({"error": problem}, status=400) if problem else json({"saved": True})


async def keep(request: web.Request, agent: Agent, text: str) -> str:
    """Keep and use a prompt from the next question on; says what is wrong with it. An empty one is the default."""
    parts = request.app[PARTS]
    if problem := why_fixed(parts, agent):
        return problem
    assert parts.save is not None, "why_fixed() has looked"
    try:
        compile_template(text or DEFAULT_PROMPT)
    except NeedsHomeAssistant:
        pass  # it is the one to render it
    except TemplateError as error:
        return f"Line {error.line}: {error}" if error.line else str(error)
    if text.startswith("@"):
        return "A prompt that begins with @ names a file; here, write the text itself."
    before = agent.prompt or DEFAULT_PROMPT
    try:
        await parts.save({"prompt": None if text in ("", DEFAULT_PROMPT.strip()) else text})
    except BadSettings as error:
        return str(error)
    request.app[HISTORY].add(before)
    return ""


async def show_json(request: web.Request) -> web.Response:
    """The prompt for a program."""
    agent = agent_of(request, text_of(request.query, "agent", 64))
    answer: dict[str, Any] = {"agent": agent.name, "prompt": agent.prompt or DEFAULT_PROMPT, "default": DEFAULT_PROMPT}
    return json(
        {**answer, "history": request.app[HISTORY].texts, "fixed": why_fixed(request.app[PARTS], agent) or None}
    )
