"""What the commands of the command line do, apart from `serve` and `check`."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

import orjson

from .. import tokens
from ..conversation.assistant import Assistant
from ..conversation.memory import Conversation
from ..conversation.prompt import DEFAULT_PROMPT, try_prompt
from ..conversation.turn import Turn, TurnReport
from ..hass.home import Area, Home
from ..hass.mirror import capture
from ..hass.snapshot import BadSnapshot
from ..llm import ModelRequest
from ..llm.chat_completions import to_messages, to_tools
from ..messages import CannotAnswer, JsonObject, ToolCall, Trace, Utterance
from ..settings.options import Settings
from ..speech.phrasebook import say
from ..template import TemplateError
from ..template.jsonl import answer_line
from ..usage.ledger import Ledger
from ..usage.report import report
from .build import Components, Shared, budget_settings, build, hass_settings, ledger_path, run_background

HOME_TIMEOUT = 15.0  # seconds; a home of 10,000 entities needs three


class CannotRun(Exception):
    """A command came to nothing; the text says why."""


@contextlib.asynccontextmanager
async def connected(settings: Settings) -> AsyncIterator[Components]:
    """All parts at work, with the home loaded. Raises `CannotRun`."""
    async with run_background(build(settings)) as parts:
        await parts.mirror.wait_fresh(HOME_TIMEOUT)
        if not parts.mirror.fresh:
            raise CannotRun(f"Home Assistant: {parts.mirror.status.reason}")
        yield parts


async def ask(
    settings: Settings, text: str, language: str | None, area: str | None, agent: str | None = None, *, as_json: bool
) -> None:
    """Ask one question; the answer is printed as it comes. Raises `CannotRun` if there is none."""
    async with connected(settings) as parts:
        assistant = _assistant(parts, agent)
        utterance = _utterance(_home(parts), text, language, area)
        reports: list[TurnReport] = []
        pieces: list[str] = []
        failure = None
        try:
            async with contextlib.aclosing(assistant.reply(utterance, reports.append)) as reply:
                async for piece in reply:
                    pieces.append(piece)
                    if not as_json:
                        print(piece, end="", flush=True)
        except CannotAnswer as error:
            failure = str(error)
            pieces.append(say(error.sentence_key, utterance.language, **error.values))
            if not as_json:
                print(pieces[-1], end="")
        trace = reports[0].trace
        if as_json:
            print(orjson.dumps(_answer("".join(pieces).strip(), trace, failure)).decode())
        else:
            timings = ", ".join(f"{name} {value:.0f} ms" for name, value in trace.timings_ms.items())
            print(flush=True)
            print(f"[{trace.model or trace.engine or 'no engine'}: {timings}]", file=sys.stderr)
        if failure is not None:
            raise CannotRun(failure)


def _answer(text: str, trace: Trace, failure: str | None) -> JsonObject:
    usage = trace.usage
    return {
        "text": text,
        "engine": trace.engine,
        "model": trace.model,
        "usage": {
            "input_tokens": usage.input_tokens,
            "cached_tokens": usage.cached_tokens,
            "output_tokens": usage.output_tokens,
            "reasoning_tokens": usage.reasoning_tokens,
        },
        "cost": round(trace.cost_usd, 6),
        "timings_ms": trace.timings_ms,
        "tools": list(trace.tools),
        "failure": failure or trace.failure or None,
    }


async def prompt(
    settings: Settings, text: str, language: str | None, area: str | None, agent: str | None = None
) -> None:
    """Print what the model would be sent for a question, what it costs in tokens, and why each entity is in it."""
    async with connected(settings) as parts:
        assistant = _assistant(parts, agent)
        turn = assistant.open(_utterance(_home(parts), text, language, area))
        request = assistant.requests.build(turn, Conversation())
        body = turn_request(request)
        for message in body["messages"]:
            print(f"--- {message['role']} ({tokens.count(str(message['content']))} tokens)\n{message['content']}\n")
        for tool in request.tools:
            print(f"--- tool {tool.name}: {tool.description}")
        print(f"--- {body['tokens']} tokens in all")
        for chosen in assistant.requests.context(turn, Conversation()).chosen:
            print(f"    {chosen.entity_id}: {chosen.reason}")


async def prompt_lines(settings: Settings, requests: TextIO, replies: TextIO, agent: str | None = None) -> None:
    """`prompt --jsonl`: for each request line what the first request to the model would carry."""
    shared = Shared()
    opened: dict[str, Components] = {}
    last: tuple[Assistant, Turn] | None = None

    async def answer(request: Mapping[str, Any]) -> JsonObject:
        nonlocal last
        if "tool" in request:
            if last is None:
                raise CannotRun("a tool needs a line with a home before it")
            assistant, turn = last
            call = ToolCall("1", str(request["tool"]), orjson.dumps(request.get("arguments") or {}).decode())
            return {"content": (await assistant.tools.run(call, turn)).content}
        path = str(request.get("home") or settings.home or "")
        if path not in opened:
            home = Path(path) if path else None
            opened.clear()  # homes come one after the other; ten thousand entities are not kept twice
            opened[path] = build(settings.model_copy(update={"home": home, "hass_url": None}), shared=shared)
        parts = opened[path]
        now = datetime.fromisoformat(request["now"]) if request.get("now") else None
        utterance = _utterance(
            _home(parts), request["text"], request.get("language"), request.get("area"), request.get("device_id")
        )
        assistant = (
            _assistant(parts, agent) if agent else parts.agents.answering(parts.agents.first, utterance).assistant
        )
        turn = assistant.open(utterance, now=now)
        last = assistant, turn
        return turn_request(assistant.requests.build(turn, Conversation()))

    for line in requests:
        if line.strip():
            _reply(replies, await _guarded(answer, line))


def turn_request(request: ModelRequest) -> JsonObject:
    """A model request in the form of Chat Completions, with its price in tokens."""
    body: JsonObject = {
        "messages": to_messages(request.messages),
        "tools": to_tools(request.tools),
        "read_only_tools": [tool.name for tool in request.tools if tool.read_only],
    }
    return {**body, "tokens": _cost(body)}


def _cost(body: Mapping[str, Any]) -> int:
    """Tokens of messages and tools; three more a message for the roles."""
    texts = [str(message["content"]) for message in body["messages"]]
    schemas = [orjson.dumps(tool).decode() for tool in body["tools"]]
    return sum(tokens.count(text) for text in (*texts, *schemas)) + 3 * len(texts)


async def render(settings: Settings, template: str | None) -> None:
    """Print a template rendered over the home, as the prompt would be; without one, the prompt itself."""
    text = template or settings.prompt or DEFAULT_PROMPT
    if text.startswith("@"):
        text = _read(text[1:])
    async with connected(settings) as parts:
        try:
            print(await try_prompt(text, parts.mirror))
        except TemplateError as error:
            where = f"line {error.line}: " if error.line else ""
            raise CannotRun(f"{where}{error}") from error


async def render_lines(settings: Settings, requests: TextIO, replies: TextIO) -> None:
    """`render --jsonl`: a template a line."""
    async with connected(settings) as parts:
        home = _home(parts)
        for line in requests:
            if line.strip():
                _reply(replies, await _guarded(lambda request: asyncio.sleep(0, answer_line(request, home)), line))


def usage(settings: Settings) -> None:
    """Print what the language model has cost."""
    with contextlib.closing(Ledger(ledger_path(settings), only_read=True)) as ledger:
        ledger.open()
        print(report(ledger, budget_settings(settings)))


async def snapshot(settings: Settings) -> None:
    """Print the raw results of the websocket commands that the mirror uses."""
    hass = hass_settings(settings)
    if hass is None:
        raise CannotRun("snapshot: needs a Home Assistant; write HASS_URL=... and HASS_TOKEN=...")
    sys.stdout.buffer.write(orjson.dumps(await capture(hass)) + b"\n")


async def _guarded(answer: Callable[[Mapping[str, Any]], Any], line: str) -> JsonObject:
    try:
        request = orjson.loads(line)
        if not isinstance(request, dict):
            raise CannotRun("a line must be a JSON object")
        result: JsonObject = await answer(request)
    except (orjson.JSONDecodeError, CannotRun, BadSnapshot, KeyError, ValueError, TypeError) as error:
        return {"error": f"{type(error).__name__}: {error}"}
    return result


def _reply(replies: TextIO, reply: JsonObject) -> None:
    replies.write(orjson.dumps(reply, default=str, option=orjson.OPT_NON_STR_KEYS).decode() + "\n")
    replies.flush()


def _assistant(parts: Components, agent: str | None) -> Assistant:
    """The assistant of that name, else the first. Raises `CannotRun`."""
    if agent is None:
        return parts.assistant
    if (found := parts.agents.named(agent)) is None:
        raise CannotRun(
            f"--agent: there is no agent {agent!r}; there are {', '.join(each.name for each in parts.agents)}"
        )
    return found.assistant


def _home(parts: Components) -> Home:
    assert parts.mirror.home is not None, "connected() has waited for it"
    return parts.mirror.home


def _utterance(
    home: Home, text: str, language: str | None, area: str | None, device_id: str | None = None
) -> Utterance:
    return Utterance(
        text,
        language=language or home.config.language,
        device_id=device_id,
        area_id=_area(home.registries.areas.values(), area).id if area else None,
    )


def _area(areas: Iterable[Area], wanted: str) -> Area:
    """An area by id, name or alias. Raises `CannotRun`."""
    areas = list(areas)
    for area in areas:
        if wanted == area.id or wanted.casefold() in {name.casefold() for name in (area.name, *area.aliases)}:
            return area
    raise CannotRun(f"--area: there is no area {wanted!r}; there are {', '.join(area.name for area in areas)}")


def _read(path: str) -> str:
    try:
        return Path(path).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CannotRun(f"{path}: {error}") from error
