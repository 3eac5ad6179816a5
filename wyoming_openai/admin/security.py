"""Who may open the page: passwords, sessions, tokens, host names, wrong guesses. Pure but for its clocks and chance."""

import base64
import hashlib
import hmac
import ipaddress
import re
import secrets
import socket
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from ..settings.options import MAX_PASSWORD, MIN_PASSWORD

SCRYPT = (2**14, 8, 5)  # 16 MB and a quarter of a second on a small board, for each guess
SESSION = 30 * 86400.0
MAX_SESSIONS = 200
GUESSES = 5
PAUSE = 60.0
MAX_GUESSERS = 1000

INGRESS_PEER = "172.30.32.2"
"""The Supervisor's address in its own network: the only one that may vouch for somebody."""
INGRESS_PATH = re.compile(r"/[A-Za-z0-9/_-]{1,200}", re.ASCII)

_LOCAL_NAMES = frozenset({"localhost", "ip6-localhost"})


class RefusesToListen(Exception):
    """The page would be open to strangers; the text says what to do."""


def hash_password(password: str) -> str:
    """What may be kept of a password. Raises `ValueError` for one that is too short or too long."""
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise ValueError(f"a password has {MIN_PASSWORD} to {MAX_PASSWORD} characters")
    salt = secrets.token_bytes(16)
    n, r, p = SCRYPT
    return f"scrypt${n}${r}${p}${_text(salt)}${_text(_derive(password, salt, n, r, p))}"


def fits(password: str, kept: str) -> bool:
    """Whether a password is the one that was hashed, in the time that any other takes."""
    _, n, r, p, salt, digest = kept.split("$")
    derived = _derive(password[:MAX_PASSWORD], base64.b64decode(salt), int(n), int(r), int(p))
    return hmac.compare_digest(derived, base64.b64decode(digest))


def _derive(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(password.encode("utf-8", "replace"), salt=salt, n=n, r=r, p=p, maxmem=2**27)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def refuse_open_door(uri: str, password_hash: str | None, *, ingress: bool) -> None:
    """Let nobody listen beyond this machine without a password. Raises `RefusesToListen`."""
    host = urlsplit(uri).hostname or ""
    if not (is_loopback(host) or password_hash or ingress):
        raise RefusesToListen(
            f"admin_uri: the page would be open to everybody in the network at {uri}; set a password first, or let it"
            " listen on http://127.0.0.1:8099"
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a host."""
    if host in _LOCAL_NAMES:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Hosts:
    """The names that the page answers to. A stranger's name that was bent to our address (DNS rebinding) is none.

    Addresses in digits are always ours: nobody can bend those.
    """

    def __init__(self, listening: str, more: Iterable[str] = ()) -> None:
        own = socket.gethostname().casefold()
        names = (listening, own, f"{own}.local", *more)
        self._names = _LOCAL_NAMES | {name.casefold() for name in names if name}

    def know(self, header: str) -> bool:
        """Whether a `Host` header names us."""
        try:
            host = urlsplit(f"//{header}").hostname
        except ValueError:
            return False
        if not host or "@" in header or "/" in header:
            return False
        return host.casefold() in self._names or _is_address(host)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_same_origin(site: str | None, origin: str | None, host: str) -> bool:
    """Whether a request comes from our own pages, as far as its headers tell: none tell for a program's."""
    if site is not None:
        return site in ("same-origin", "none")
    return origin is None or (urlsplit(origin).netloc.casefold() == host.casefold() and origin != "null")


class Sessions:
    """Browsers that were let in. The cookie names a session; the token of its pages is derived, and never a cookie."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._secret = secrets.token_bytes(32)
        self._opened: OrderedDict[str, tuple[float, bool]] = OrderedDict()

    def open(self, *, known: bool) -> str:
        """A new session; `known` when its owner has shown a password, or needs none."""
        name = secrets.token_urlsafe(32)
        self._opened[name] = (self._clock(), known)
        if len(self._opened) > MAX_SESSIONS:
            strangers = (each for each, (_, let_in) in self._opened.items() if not let_in and each != name)
            del self._opened[next(strangers, next(iter(self._opened)))]
        return name

    def close(self, name: str) -> None:
        """Forget a session."""
        self._opened.pop(name, None)

    def is_open(self, name: str) -> bool:
        """Whether this session exists."""
        opened, _ = self._opened.get(name, (None, False))
        return opened is not None and self._clock() - opened < SESSION

    def is_known(self, name: str) -> bool:
        """Whether its owner was let in."""
        return self.is_open(name) and self._opened[name][1]

    def token(self, name: str) -> str:
        """What every change must bring along."""
        return hmac.new(self._secret, name.encode(), hashlib.sha256).hexdigest()

    def holds(self, name: str, token: str) -> bool:
        """Whether a token is this session's."""
        return self.is_open(name) and hmac.compare_digest(
            self.token(name).encode(), token.encode("utf-8", "surrogatepass")
        )


class Guesses:
    """Wrong passwords: after five from one address it waits a minute."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._wrong: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def wait(self, peer: str) -> float:
        """Seconds until this address may try again."""
        count, last = self._wrong.get(peer, (0, 0.0))
        return max(0.0, PAUSE - (self._clock() - last)) if count >= GUESSES else 0.0

    def begin(self, peer: str) -> None:
        """A guess counts as wrong until it proves right: many at once are no way round."""
        count, last = self._wrong.pop(peer, (0, 0.0))
        if self._clock() - last >= PAUSE:
            count = 0
        self._wrong[peer] = (count + 1, self._clock())
        if len(self._wrong) > MAX_GUESSERS:
            self._wrong.popitem(last=False)

    def right(self, peer: str) -> None:
        """It was the password."""
        self._wrong.pop(peer, None)
