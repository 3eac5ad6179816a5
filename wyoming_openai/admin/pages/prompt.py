"""The prompt template: edited beside what it gives for the real home, what it costs, and what it was before."""

import difflib
from dataclasses import asdict
from datetime import timedelta
from urllib.parse import urlencode

import orjson
from aiohttp import web

from ...conversation.memory import Conversation
from ...conversation.prompt import DEFAULT_PROMPT, render, try_prompt
from ...conversation.turn import Turn
from ...llm import ModelRequest
from ...messages import JsonObject, Usage
from ...settings.options import BadSettings
from ...template import NeedsHomeAssistant, TemplateError, compile_template
from ...tokens import estimate
from ..gate import BASE
from ..option_catalogue import owner_of
from ..parts import AdminParts, PageAgent
from ..prompt_history import History
from ..rendering import PARTS, agent_of, json, json_object, needed_text, page, text_of
from .options import errors_of
from .try_it import language_of, opened, places

MAX_PROMPT = 40_000
ANSWER_TOKENS = 60
"""Of a usual answer, for what a turn costs."""
DAYS_IN_MONTH = 30
PACE = 7

HISTORY = web.AppKey("history", History)


async def show(request: web.Request) -> web.Response:
    """The editor."""
    return _editor(request, agent_of(request, text_of(request.query, "agent", 64)))


def _editor(request: web.Request, agent: PageAgent, text: str | None = None, error: str = "") -> web.Response:
    parts = request.app[PARTS]
    saved = agent.prompt or DEFAULT_PROMPT
    shown = saved if text is None else text
    owner = owner_of(parts, agent.name)
    return page(
        request,
        "prompt.html",
        agents=parts.agents(),
        agent=agent,
        text=shown,
        saved=saved,
        default=DEFAULT_PROMPT,
        source=parts.sources(owner).get("prompt", ""),
        taken_over=bool(owner) and "prompt" not in parts.sources(owner) and agent.prompt is not None,
        history=request.app[HISTORY].of(owner),
        difference=difference(shown),
        places=places(parts.mirror().home),
        language=language_of(request),
        error=error,
        done="saved" in request.query and not error,
        reason=why_fixed(parts, agent),
    )


def why_fixed(parts: AdminParts, agent: PageAgent) -> str:
    """Why a prompt can't be saved here; empty if it can."""
    owner = owner_of(parts, agent.name)
    if parts.save is None:
        return "This program was started without a place to keep changes; you can try a prompt, but not save it."
    if "prompt" in parts.fixed(owner):
        return f"The prompt was set by {parts.sources(owner).get('prompt', 'a flag')}; change it there."
    return ""


def difference(text: str) -> list[str]:
    """How a prompt differs from the default, line by line."""
    lines = difflib.unified_diff(DEFAULT_PROMPT.splitlines(), text.splitlines(), "default", "yours", lineterm="", n=1)
    return list(lines)[2:]


async def preview(request: web.Request) -> web.Response:
    """What a draft gives for the home as it is now, as heard from a place."""
    values = await json_object(request)
    text = needed_text(values, "prompt", MAX_PROMPT)
    agent, turn = await opened(request, values)
    by = "this program"
    try:
        try:
            rendered = render(compile_template(text or DEFAULT_PROMPT), turn.home, turn.utterance, turn.area, turn.now)
        except NeedsHomeAssistant:
            rendered, by = await try_prompt(text, request.app[PARTS].mirror()), "Home Assistant"
    except TemplateError as error:
        saveable = isinstance(error, NeedsHomeAssistant)
        told = f"Only Home Assistant can render this: {error}" if saveable else str(error)
        return json({"error": told, "line": error.line, "saveable": saveable})
    sizes = tokens_by_part(agent, turn, rendered)
    return json(
        {
            "text": rendered,
            "rendered_by": by,
            "tokens": sizes,
            "difference": difference(text or DEFAULT_PROMPT),
            **cost(request.app[PARTS], agent, sum(sizes.values())),
        }
    )


def tokens_by_part(agent: PageAgent, turn: Turn, prompt: str) -> dict[str, int]:
    """About how many tokens each part of a first request takes."""
    context = agent.assistant.requests.context(turn, Conversation())
    request: ModelRequest = agent.assistant.requests.build(turn, Conversation())
    specs = [(tool.name, tool.description, dict(tool.parameters)) for tool in request.tools]
    return {
        "prompt": estimate(prompt),
        "overview of the home": estimate(context.index),
        "states for the question": estimate(context.facts),
        "tools": estimate(orjson.dumps(specs).decode()) if specs else 0,
        "question": estimate(turn.utterance.text),
    }


def cost(parts: AdminParts, agent: PageAgent, tokens: int) -> JsonObject:
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
    raise web.HTTPSeeOther(f"{request[BASE]}/prompt?{urlencode({'agent': agent.name, 'saved': ''})}")


async def save_json(request: web.Request) -> web.Response:
    """Save for a program."""
    values = await json_object(request)
    agent = agent_of(request, text_of(values, "agent", 64))
    problem = await keep(request, agent, needed_text(values, "prompt", MAX_PROMPT))
    return json({"error": problem}, status=400) if problem else json({"saved": True})


async def keep(request: web.Request, agent: PageAgent, text: str) -> str:
    """Keep and use a prompt from the next question on; says what is wrong with it. An empty one is the default."""
    parts = request.app[PARTS]
    if problem := why_fixed(parts, agent):
        return problem
    try:
        compile_template(text or DEFAULT_PROMPT)
    except NeedsHomeAssistant:
        pass  # it is the one to render it
    except TemplateError as error:
        return f"Line {error.line}: {error}" if error.line else str(error)
    if text.startswith("@"):
        return "A prompt that begins with @ names a file; here, write the text itself."
    owner, before = owner_of(parts, agent.name), agent.prompt or DEFAULT_PROMPT
    try:
        await _save(request, agent, text, owner)
    except BadSettings as error:
        return "\n".join(errors_of(error, owner).values())
    if before.strip() != text:
        request.app[HISTORY].add(owner, before)
    return ""


async def _save(request: web.Request, agent: PageAgent, text: str, owner: str) -> None:
    """The default is kept by keeping nothing, so that it follows the program; unless a file or a persona has another.

    Raises `BadSettings`.
    """
    parts, default = request.app[PARTS], DEFAULT_PROMPT.strip()
    assert parts.save is not None, "why_fixed() has looked"
    await parts.save({"prompt": None if text == default else text or None}, owner)
    if text == default and (agent_of(request, agent.name).prompt or default).strip() != default:
        await parts.save({"prompt": text}, owner)


async def show_json(request: web.Request) -> web.Response:
    """The prompt for a program."""
    parts, agent = request.app[PARTS], agent_of(request, text_of(request.query, "agent", 64))
    return json(
        {
            "agent": agent.name,
            "prompt": agent.prompt or DEFAULT_PROMPT,
            "default": DEFAULT_PROMPT,
            "history": [asdict(each) for each in request.app[HISTORY].of(owner_of(parts, agent.name))],
            "fixed": why_fixed(parts, agent) or None,
        }
    )
