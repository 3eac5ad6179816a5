"""What every request passes: is it for us, from whom, may it change something; and what every answer carries."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from .parts import Access
from .security import INGRESS_PATH, INGRESS_PEER, Guesses, Hosts, Sessions, fits, is_same_origin

_LOGGER = logging.getLogger(__name__)

Handle = Callable[[web.Request], Awaitable[web.StreamResponse]]

MAX_BODY = 64 * 1024
BODY_TIMEOUT = 10.0
MAX_REQUESTS = 32
SAFE = frozenset({"GET", "HEAD"})
OPEN = frozenset({"/healthz", "/login"})
"""Paths for whoever has not shown a password; static files are, too."""
COOKIE = "wyoming_openai"

SESSION = web.RequestKey("session", str)
KNOWN = web.RequestKey("known", bool)
BASE = web.RequestKey("base", str)
"""What stands before our paths: Home Assistant's ingress puts its own there."""


class Gate:
    """Lets in whom it may. A program shows the password as a bearer token; a browser has a session."""

    def __init__(self, access: Access, uri: str) -> None:
        self.sessions = Sessions()
        self.guesses = Guesses()
        self._access = access
        self._hosts = Hosts(urlsplit(uri).hostname or "", access.hosts)
        self._busy = 0
        self._checking = asyncio.Semaphore(2)

    @property
    def needs_password(self) -> bool:
        return self._access.password_hash is not None

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handle) -> web.StreamResponse:
        """Refuse, or pass on."""
        if self._busy >= MAX_REQUESTS:
            raise web.HTTPServiceUnavailable(text="Too many requests at once; try again.")
        self._busy += 1
        try:
            return await self._pass(request, handler)
        finally:
            self._busy -= 1

    async def _pass(self, request: web.Request, handler: Handle) -> web.StreamResponse:
        ingress = self._is_ingress(request)
        if not ingress and not self._hosts.know(request.host):
            raise web.HTTPMisdirectedRequest(text="This is not the name of this page; open it by its address.")
        path = request.headers.get("X-Ingress-Path", "") if ingress else ""
        request[BASE] = path if INGRESS_PATH.fullmatch(path) else ""
        session = request.cookies.get(COOKIE, "")
        bearer = await self._shows_password(request)
        free = ingress or not (self.needs_password or self._access.ingress)
        request[KNOWN] = bearer or free or self.sessions.is_known(session)
        is_file = request.path.startswith("/static/") or request.path == "/healthz"
        fresh = _wants_session(request) and not bearer and not self.sessions.is_open(session)
        request[SESSION] = self.sessions.open(known=free) if fresh else session
        if not request[KNOWN] and request.path not in OPEN and not is_file:
            return self._send_to_login(request)
        if request.method not in SAFE:
            await self._check_change(request, bearer=bearer)
        response = await handler(request)
        if fresh and not response.prepared and COOKIE not in response.cookies:
            self.give_cookie(request, response, request[SESSION])
        return response

    def _is_ingress(self, request: web.Request) -> bool:
        return self._access.ingress and request.remote == INGRESS_PEER

    def _send_to_login(self, request: web.Request) -> web.StreamResponse:
        if self._access.ingress and not self.needs_password:
            raise web.HTTPForbidden(text="Open this page from Home Assistant's sidebar.")
        if request.method in SAFE and not is_api(request):
            raise web.HTTPSeeOther(f"{request[BASE]}/login")
        raise web.HTTPUnauthorized(text="Show the password, as a bearer token or on the page.")

    async def _check_change(self, request: web.Request, *, bearer: bool) -> None:
        headers = request.headers
        if not is_same_origin(headers.get("Sec-Fetch-Site"), self._origin(request), request.host):
            raise web.HTTPForbidden(text="Changes are made from this page only.")
        try:
            async with asyncio.timeout(BODY_TIMEOUT):
                await request.read()
                form = await request.post()
        except TimeoutError:
            raise web.HTTPRequestTimeout(text="The request did not arrive in time.") from None
        except (ValueError, LookupError):
            raise web.HTTPBadRequest(text="The form can't be read.") from None
        token = headers.get("X-Token") or form.get("token")
        if not bearer and not (isinstance(token, str) and self.sessions.holds(request[SESSION], token)):
            raise web.HTTPForbidden(text="The page was open for too long; load it again and repeat what you did.")

    def _origin(self, request: web.Request) -> str | None:
        """Behind ingress the browser's origin is Home Assistant's; there the browser's word on the site counts."""
        return None if self._is_ingress(request) else request.headers.get("Origin")

    async def _shows_password(self, request: web.Request) -> bool:
        scheme, _, password = request.headers.get("Authorization", "").partition(" ")
        return scheme.lower() == "bearer" and self.needs_password and await self.check_password(request, password)

    async def check_password(self, request: web.Request, password: str) -> bool:
        """Whether it is the one. Raises `HTTPTooManyRequests` after wrong ones."""
        kept, peer = self._access.password_hash, request.remote or ""
        if (wait := self.guesses.wait(peer)) > 0:
            raise web.HTTPTooManyRequests(
                headers={"Retry-After": str(int(wait) + 1)}, text="Too many wrong passwords; wait a minute."
            )
        self.guesses.begin(peer)
        async with self._checking:
            right = kept is not None and await asyncio.to_thread(fits, password, kept)
        if right:
            self.guesses.right(peer)
        else:
            _LOGGER.warning("A wrong password for the admin page came from %s", peer)
        return right

    def give_cookie(self, request: web.Request, response: web.StreamResponse, session: str) -> None:
        """Name the session to the browser, and to no script and no other site."""
        response.set_cookie(
            COOKIE, session, path=request[BASE] or "/", httponly=True, samesite="Strict", secure=request.secure
        )

    async def add_headers(self, request: web.Request, response: web.StreamResponse) -> None:
        """What every answer carries, errors as well."""
        frame = "'self'" if self._access.ingress else "'none'"
        headers: dict[str, Any] = {
            "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
            f" connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors {frame}",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "SAMEORIGIN" if self._access.ingress else "DENY",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-store",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
        }
        response.headers.update(headers)
        response.headers.pop("Server", None)


def _wants_session(request: web.Request) -> bool:
    """Only pages have tokens to give; who reads numbers every few seconds must not push out the browsers."""
    if is_api(request):
        return request.path == "/api/session"
    return request.method in SAFE and not request.path.startswith(("/static/", "/healthz", "/metrics", "/usage.csv"))


def is_api(request: web.Request) -> bool:
    """Whether a program asks, which wants JSON."""
    return request.path.startswith("/api/")
