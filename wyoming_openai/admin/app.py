"""The page as an application: which path is which, and errors as pages or JSON."""

import hashlib
import logging
from collections.abc import Mapping

from aiohttp import web

from ..settings.options import MAX_PASSWORD
from .gate import BASE, KNOWN, MAX_BODY, SESSION, Gate, Handle, is_api
from .pages import conversations, home, options, overview, prompt, setup, try_it, usage
from .pages.prompt import HISTORY
from .parts import AdminParts
from .prompt_history import History
from .rendering import GATE, HERE, PARTS, json, page, text_of
from .security import refuse_open_door

_LOGGER = logging.getLogger(__name__)

FOR_PROGRAMS = frozenset({"/healthz", "/metrics", "/usage.csv"})
FILES = {"app.css": "text/css", "app.js": "text/javascript", "icon.svg": "image/svg+xml"}

ROUTES = (
    web.get("/healthz", overview.health),
    web.get("/metrics", overview.metrics),
    web.get("/", overview.show),
    web.get("/try", try_it.show),
    web.get("/prompt", prompt.show),
    web.post("/prompt", prompt.save),
    web.get("/home", home.show),
    web.get("/conversations", conversations.show),
    web.post("/conversations/delete", conversations.delete),
    web.get(r"/conversations/{id:\d{1,18}}", conversations.show_turn),
    web.post(r"/conversations/{id:\d{1,18}}/delete", conversations.delete),
    web.get("/usage", usage.show),
    web.get("/usage.csv", usage.csv_file),
    web.get("/options", options.show),
    web.post("/options", options.save),
    web.get("/setup", setup.show),
    web.post("/setup/{step:home|model}", setup.step),
    web.get("/api/status", overview.status),
    web.post("/api/ask", try_it.ask),
    web.get("/api/prompt", prompt.show_json),
    web.put("/api/prompt", prompt.save_json),
    web.post("/api/prompt/preview", prompt.preview),
    web.get("/api/home/areas", home.areas_json),
    web.get("/api/home/entities", home.entities_json),
    web.get("/api/home/why", home.why_json),
    web.get("/api/turns", conversations.list_json),
    web.delete("/api/turns", conversations.delete_json),
    web.get(r"/api/turns/{id:\d{1,18}}", conversations.get_json),
    web.delete(r"/api/turns/{id:\d{1,18}}", conversations.delete_json),
    web.get("/api/usage", usage.usage_json),
    web.get("/api/options", options.options_json),
    web.patch("/api/options", options.save_json),
    web.post("/api/test/{step:home|model}", setup.test_json),
)


def create_app(parts: AdminParts, uri: str = "http://127.0.0.1:8099") -> web.Application:
    """The page, for whoever listens at `uri`. Raises `RefusesToListen` where it would be open to strangers."""
    access = parts.access
    refuse_open_door(uri, access.password_hash, ingress=access.ingress)
    gate = Gate(access, uri)
    app = web.Application(middlewares=[_errors, gate.middleware], client_max_size=MAX_BODY)
    app[PARTS], app[GATE], app[HISTORY] = parts, gate, History(parts.data_dir)
    app.on_response_prepare.append(gate.add_headers)
    app.add_routes(ROUTES)
    app.add_routes(
        [
            web.get("/login", _show_login),
            web.post("/login", _log_in),
            web.post("/logout", _log_out),
            web.get("/api/session", _session),
            web.get("/api/openapi.json", _openapi),
            web.get("/static/{name}", _file),
        ]
    )
    return app


@web.middleware
async def _errors(request: web.Request, handler: Handle) -> web.StreamResponse:
    """What goes wrong, as a page for a person and as JSON for a program; a bug is logged and not shown."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        kept = {name: error.headers[name] for name in ("Allow", "Retry-After") if name in error.headers}
        return _error(request, error.status, error.text or error.reason, kept)
    except ConnectionError:
        raise
    except Exception:
        _LOGGER.exception("The admin page could not answer %s", request.path)
        return _error(request, 500, "Something went wrong here; the log says more.", {})


def _error(request: web.Request, status: int, text: str, headers: Mapping[str, str]) -> web.Response:
    if is_api(request) or request.path in FOR_PROGRAMS:
        response = json({"error": text}, status=status)
    else:
        response = page(request, "error.html", status=status, text=text)
    response.headers.update(headers)
    return response


async def _show_login(request: web.Request) -> web.Response:
    if request[KNOWN]:
        raise web.HTTPSeeOther(f"{request[BASE]}/")
    return page(request, "login.html", error="")


async def _log_in(request: web.Request) -> web.Response:
    """Let in whoever knows the password, with a new session: the old one may be known to somebody else."""
    gate = request.app[GATE]
    password = text_of(await request.post(), "password", MAX_PASSWORD * 2)
    if not await gate.check_password(request, password):
        return page(request, "login.html", status=403, error="This is not the password.")
    gate.sessions.close(request[SESSION])
    response = web.HTTPSeeOther(f"{request[BASE]}/")
    gate.give_cookie(request, response, gate.sessions.open(known=True))
    raise response


async def _log_out(request: web.Request) -> web.Response:
    request.app[GATE].sessions.close(request[SESSION])
    raise web.HTTPSeeOther(f"{request[BASE]}/")


async def _session(request: web.Request) -> web.Response:
    """The token that every change of this session must bring along."""
    session = request[SESSION]
    return json({"token": request.app[GATE].sessions.token(session) if session else ""})


async def _openapi(request: web.Request) -> web.Response:
    return web.Response(body=(HERE / "openapi.json").read_bytes(), content_type="application/json")


async def _file(request: web.Request) -> web.Response:
    name = request.match_info["name"]
    if name not in FILES:
        raise web.HTTPNotFound(text="There is no such file.")
    body = (HERE / "static" / name).read_bytes()
    tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
    if request.headers.get("If-None-Match") == tag:
        return web.Response(status=304, headers={"ETag": tag})
    return web.Response(body=body, content_type=FILES[name], charset="utf-8", headers={"ETag": tag})
