"""A server on loopback that speaks Chat Completions and Responses, says what a test tells it to, and keeps requests."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import web

Json = dict[str, Any]
Api = Literal["chat", "responses"]
End = Literal["close", "cut", "reset", "stall", "comments"]


@dataclass(frozen=True)
class Say:
    """A reply of the model, in the wire format of whoever asks."""

    pieces: tuple[str, ...] = ()
    calls: tuple[tuple[str, str, str], ...] = ()
    """Id, name, arguments."""
    thought: str = ""
    refusal: str = ""
    cut_short: str = ""
    """Why it stopped early: `length` or `content_filter`."""
    usage: tuple[int, int, int, int] = (100, 60, 20, 5)
    """Input, cached, output, reasoning."""


@dataclass(frozen=True)
class Broken:
    """A reply that breaks after some pieces of text: something else is sent, then the connection ends in some way."""

    say: Say
    after: int
    then: bytes | Json = b""
    """A dictionary is an error in the words of the API."""
    end: End = "close"


@dataclass(frozen=True)
class Raw:
    """A response, byte for byte; `parts` are written one by one."""

    parts: Sequence[bytes]
    status: int = 200
    content_type: str = "text/event-stream"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class HangUp:
    """The connection is closed before a byte of the answer."""


@dataclass(frozen=True)
class Silence:
    """The request is taken, and nothing comes back."""


Script = Say | Broken | Raw | HangUp | Silence


def say(*pieces: str, **more: Any) -> Say:
    """A reply of text."""
    return Say(pieces, **more)


def call(name: str, arguments: str = "{}", call_id: str = "call_1", *, said: tuple[str, ...] = (), **more: Any) -> Say:
    """A reply that calls a tool."""
    return Say(said, calls=((call_id, name, arguments),), **more)


def error(status: int, message: str = "No.", *, headers: Mapping[str, str] | None = None, **more: Any) -> Raw:
    """A refusal in OpenAI's form."""
    body = {"error": {"message": message, "type": None, "param": None, "code": None, **more}}
    return Raw([json.dumps(body).encode()], status, "application/json", headers or {})


def events(*bodies: Json | str) -> Raw:
    """A stream of the given events."""
    return Raw([sse(body) for body in bodies])


def sse(body: Json | str) -> bytes:
    """One server-sent event."""
    return b"data: " + (body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)).encode() + b"\n\n"


@dataclass
class Seen:
    """A request as it arrived."""

    path: str
    body: Json
    headers: dict[str, str]
    port: int
    """Of the client: equal ports are one connection."""


@dataclass
class OpenAIApi:
    """Plays one script a request; without one it says OK. Rejects what it was told to reject."""

    requests: list[Seen] = field(default_factory=list)
    rejects: dict[str, Raw] = field(default_factory=dict)
    """By the name of a parameter, or `role:NAME`."""
    missing: set[str] = field(default_factory=set)
    """Paths that do not exist."""
    looked_up: list[Seen] = field(default_factory=list)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    """A request has arrived."""
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    """Somebody left before the end of an answer."""
    url: str = ""
    answers: Callable[[Json], Say] = lambda body: say("OK")
    """What it says without a script."""
    lasting: Script | None = None
    """What it does without a script as long as this is set."""
    delay: float = 0.0
    """Seconds before it does anything; for trials by hand."""
    _scripts: list[Script] = field(default_factory=list)
    _connections: set[asyncio.BaseTransport] = field(default_factory=set)

    def will(self, *scripts: Script) -> None:
        """Play these next."""
        self._scripts += scripts

    def close_connections(self) -> None:
        """Close what is kept alive, as servers do after a while."""
        for transport in self._connections:
            transport.close()
        self._connections.clear()

    @property
    def bodies(self) -> list[Json]:
        """The bodies of all requests."""
        return [seen.body for seen in self.requests]

    async def _look_up(self, request: web.Request) -> web.StreamResponse:
        self.looked_up.append(self._seen(request, {}))
        return web.json_response({"id": request.match_info["model"], "object": "model"})

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.requests.append(self._seen(request, body))
        self.asked.set()
        if request.path in self.missing:
            return web.Response(status=404, text="Not Found")
        if (rejection := self._rejection(body)) is not None:
            return await self._play(request, rejection, body)
        if self.delay:
            await asyncio.sleep(self.delay)
        script = self._scripts.pop(0) if self._scripts else self.lasting or self.answers(body)
        return await self._play(request, script, body)

    def _seen(self, request: web.Request, body: Json) -> Seen:
        assert request.transport is not None
        self._connections.add(request.transport)
        return Seen(request.path, body, dict(request.headers), request.transport.get_extra_info("peername")[1])

    def _rejection(self, body: Json) -> Raw | None:
        roles = {f"role:{message.get('role')}" for message in body.get("messages") or body.get("input") or ()}
        return next((raw for name, raw in self.rejects.items() if name in body or name in roles), None)

    async def _play(self, request: web.Request, script: Script, body: Json) -> web.StreamResponse:
        api: Api = "responses" if request.path.endswith("/responses") else "chat"
        try:
            match script:
                case Say():
                    return await self._write(request, Raw([part for part, _ in render(script, api, body)]))
                case Broken():
                    return await self._write(request, Raw(list(_parts(script, api, body))), script.end)
                case Raw():
                    return await self._write(request, script)
                case HangUp():
                    assert request.transport is not None
                    request.transport.abort()
                case Silence():
                    await asyncio.Event().wait()
        except (asyncio.CancelledError, ConnectionError):
            self.gone.set()
            raise
        return web.Response()

    async def _write(self, request: web.Request, raw: Raw, end: End = "close") -> web.StreamResponse:
        response = web.StreamResponse(status=raw.status, headers={"Content-Type": raw.content_type, **raw.headers})
        await response.prepare(request)
        for part in raw.parts:
            await response.write(part)
        match end:
            case "stall":
                await asyncio.Event().wait()
            case "comments":
                while True:
                    await response.write(b": still here\n\n")
                    await asyncio.sleep(0.01)  # as a server does; no test waits for it
            case "cut":
                assert request.transport is not None
                request.transport.close()  # without the last chunk
            case "reset":
                assert request.transport is not None
                request.transport.abort()
        return response


@asynccontextmanager
async def openai_api() -> AsyncIterator[OpenAIApi]:
    """A running server."""
    api = OpenAIApi()
    app = web.Application()
    app.router.add_get("/v1/models/{model:.+}", api._look_up)
    app.router.add_post("/{path:.+}", api._handle)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    api.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    try:
        yield api
    finally:
        await runner.cleanup()


def _parts(broken: Broken, api: Api, body: Json) -> Iterator[bytes]:
    pieces = 0
    for part, is_piece in render(broken.say, api, body):
        if pieces == broken.after and is_piece:
            break
        pieces += is_piece
        yield part
        if pieces == broken.after and pieces:
            break
    if isinstance(broken.then, bytes):
        yield broken.then
    elif api == "chat":
        yield sse({"error": broken.then})
    else:
        yield sse({"type": "error", **broken.then})


def render(script: Say, api: Api, body: Json) -> list[tuple[bytes, bool]]:
    """The events of a reply, and which of them are pieces of its text."""
    return list(_chat(script, body) if api == "chat" else _responses(script, body))


def _chat(script: Say, body: Json) -> Iterator[tuple[bytes, bool]]:
    def chunk(delta: Json, finish: str | None = None) -> bytes:
        return sse({"id": "c", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], "usage": None})

    yield chunk({"role": "assistant", "content": ""}), False
    if script.thought:
        yield chunk({"reasoning_content": script.thought}), False
    if script.refusal:
        yield chunk({"refusal": script.refusal, "content": None}), True
    for piece in script.pieces:
        yield chunk({"content": piece}), True
    for index, (call_id, name, arguments) in enumerate(script.calls):
        start = {"id": call_id, "type": "function", "function": {"name": name, "arguments": ""}}
        yield chunk({"tool_calls": [{"index": index, **start}]}), False
        for piece in _halves(arguments):
            yield chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]}), False
    yield chunk({}, script.cut_short or ("tool_calls" if script.calls else "stop")), False
    if body.get("stream_options", {}).get("include_usage"):
        given, cached, made, thought = script.usage
        usage = {
            "prompt_tokens": given,
            "prompt_tokens_details": {"cached_tokens": cached},
            "completion_tokens": made,
            "completion_tokens_details": {"reasoning_tokens": thought},
        }
        yield sse({"id": "c", "choices": [], "usage": usage}), False
    yield sse("[DONE]"), False


def _responses(script: Say, body: Json) -> Iterator[tuple[bytes, bool]]:
    def event(kind: str, **more: Any) -> bytes:
        return b"event: " + kind.encode() + b"\n" + sse({"type": kind, **more})

    output: list[Json] = []
    yield event("response.created", response={"status": "in_progress", "output": []}), False
    if script.thought:
        item: Json = {"type": "reasoning", "id": "rs_1", "summary": []}
        if "reasoning.encrypted_content" in body.get("include", ()):
            item["encrypted_content"] = "secret thoughts"
        yield event("response.output_item.added", item={"type": "reasoning", "id": "rs_1", "summary": []}), False
        yield event("response.output_item.done", item=item), False
        output.append(item)
    if script.pieces or script.refusal:
        item = {"type": "message", "id": "msg_1", "role": "assistant", "status": "in_progress", "content": []}
        yield event("response.output_item.added", item=item), False
        if script.refusal:
            yield event("response.refusal.delta", item_id="msg_1", delta=script.refusal), True
        for piece in script.pieces:
            yield event("response.output_text.delta", item_id="msg_1", delta=piece), True
        text: Json = {"type": "output_text", "text": "".join(script.pieces), "annotations": []}
        refusal: Json = {"type": "refusal", "refusal": script.refusal}
        item = {**item, "status": "completed", "content": [refusal if script.refusal else text]}
        yield event("response.output_item.done", item=item), False
        output.append(item)
    for number, (call_id, name, arguments) in enumerate(script.calls):
        item = {"type": "function_call", "id": f"fc_{number}", "call_id": call_id, "name": name, "arguments": ""}
        yield event("response.output_item.added", item=item), False
        for piece in _halves(arguments):
            yield event("response.function_call_arguments.delta", item_id=item["id"], delta=piece), False
        item = {**item, "arguments": arguments, "status": "completed"}
        yield event("response.output_item.done", item=item), False
        output.append(item)
    given, cached, made, thought = script.usage
    usage = {
        "input_tokens": given,
        "input_tokens_details": {"cached_tokens": cached},
        "output_tokens": made,
        "output_tokens_details": {"reasoning_tokens": thought},
    }
    status = "incomplete" if script.cut_short else "completed"
    reason = {"length": "max_output_tokens"}.get(script.cut_short, script.cut_short)
    details = {"incomplete_details": {"reason": reason}} if reason else {}
    yield event(f"response.{status}", response={"status": status, "output": output, "usage": usage, **details}), False


def _halves(text: str) -> tuple[str, str]:
    return text[: len(text) // 2], text[len(text) // 2 :]
