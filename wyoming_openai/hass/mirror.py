"""The home as it is now: connect, load, follow, reconnect, for ever. `.home` is whole or absent."""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NoReturn, Protocol

from .connection import (
    Connection,
    ConnectionLost,
    HassError,
    HassSettings,
    InvalidAuth,
    MessageTooBig,
    Timing,
    WarningThrottle,
)
from .errors import HomeUnavailable
from .fetch import fetch_home
from .follower import Follower
from .home import Config, Home, Registries
from .snapshot import STATES, home_from_results

_LOGGER = logging.getLogger(__name__)

LONG_LOST = 10.0
"""Seconds. What is lost for longer does not come back while somebody waits for an answer."""

NO_HOME_ASSISTANT = "This home is a file; there is no Home Assistant to ask"


class Phase(StrEnum):
    """How it stands between us and the home."""

    CONNECTING = "connecting"
    """Not yet reached, and nothing has gone wrong so far."""
    STARTING = "starting"
    """Home Assistant is there but not through with starting: its home is not the whole one yet."""
    READY = "ready"
    LOST = "lost"
    AUTH_FAILED = "auth_failed"


SENTENCES = {
    Phase.CONNECTING: "home_loading",
    Phase.STARTING: "home_loading",
    Phase.READY: "apology",
    Phase.LOST: "home_unreachable",
    Phase.AUTH_FAILED: "home_token_refused",
}


@dataclass(frozen=True, slots=True)
class Status:
    """How it stands, since when, and why."""

    phase: Phase
    since: datetime
    reason: str
    """For the owner, in English."""

    @property
    def sentence_key(self) -> str:
        """Key of the sentence for whoever asks a question meanwhile."""
        return SENTENCES[self.phase]


class Mirror(Protocol):
    """A home to read, live or from a file."""

    @property
    def home(self) -> Home | None:
        """The latest whole home; None before the first. See `fresh`."""

    @property
    def fresh(self) -> bool:
        """False while the home may have changed unseen: its states must not be told as those of now."""

    @property
    def status(self) -> Status: ...

    async def run(self) -> NoReturn:
        """Keep the home up to date until cancelled."""

    async def wait_fresh(self, timeout: float) -> bool:
        """Wait until the home is fresh, or until that is hopeless, at most this many seconds; says whether it is."""

    async def wait_changed(self) -> None:
        """Wait until the status or anything but the states has changed."""

    async def command(self, command: str, /, *, timeout: float = 10.0, **fields: Any) -> Any:
        """Send a websocket command that reads. Raises `HomeUnavailable`, `CommandFailed`."""

    async def first_event(self, command: str, /, *, timeout: float = 10.0, **fields: Any) -> Any:
        """Read what exists as a subscription only. Raises `HomeUnavailable`, `CommandFailed`."""

    async def render_template(self, template: str, variables: Mapping[str, Any] | None = None) -> Any:
        """Have Home Assistant render a template of the owner. Raises `HomeUnavailable`, `CommandFailed`."""

    async def follow_template(self, template: str, variables: Mapping[str, Any], take: Callable[[Any], None]) -> None:
        """Take each rendering of a template as Home Assistant's states change, for the life of the connection.

        Raises `HomeUnavailable`, `CommandFailed`.
        """


class HomeMirror:
    """Mirrors the home of one Home Assistant."""

    def __init__(self, settings: HassSettings, *, timing: Timing | None = None) -> None:
        self._settings = settings
        self._timing = timing or Timing()
        self._warnings = WarningThrottle()
        self._retries = Retries(self._timing)
        self._connection: Connection | None = None
        self._home: Home | None = None
        self._seen: tuple[Home, Config, Registries] | None = None
        self._status = Status(Phase.CONNECTING, datetime.now(UTC), "Connecting to Home Assistant")
        self._phase_began = time.monotonic()
        self._changed = asyncio.Event()
        self._failure: Exception | None = None
        self._warned = False
        """The log knows of the trouble, so it should hear of its end."""

    @property
    def home(self) -> Home | None:
        return self._home

    @property
    def fresh(self) -> bool:
        return self._status.phase is Phase.READY

    @property
    def status(self) -> Status:
        return self._status

    async def run(self) -> NoReturn:
        while True:
            try:
                await self._live()
            except Exception as error:  # whatever it was, the next load starts from nothing
                self._fail(error)
                wait = self._retries.wait_after(error)
            await asyncio.sleep(wait)

    async def wait_fresh(self, timeout: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                while not self.fresh and not self._is_away:
                    await self.wait_changed()
        return self.fresh

    @property
    def _is_away(self) -> bool:
        """Whether a moment's patience is of no use."""
        lasted = time.monotonic() - self._phase_began
        return self._status.phase is Phase.AUTH_FAILED or (self._status.phase is Phase.LOST and lasted > LONG_LOST)

    async def wait_changed(self) -> None:
        await self._changed.wait()

    async def command(self, command: str, /, *, timeout: float = 10.0, **fields: Any) -> Any:
        with self._connected() as connection:
            return await connection.command(command, timeout=timeout, **fields)

    async def first_event(self, command: str, /, *, timeout: float = 10.0, **fields: Any) -> Any:
        with self._connected() as connection:
            return await connection.first_event(command, timeout=timeout, **fields)

    async def render_template(self, template: str, variables: Mapping[str, Any] | None = None) -> Any:
        with self._connected() as connection:
            return await connection.render_template(template, variables)

    async def follow_template(self, template: str, variables: Mapping[str, Any], take: Callable[[Any], None]) -> None:
        with self._connected() as connection:
            number = await connection.follow_template(template, variables, take)
            try:
                while self._connection is connection:
                    await self.wait_changed()
            finally:
                with suppress(HassError):
                    await connection.unsubscribe(number)

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        if self._connection is None:
            raise HomeUnavailable(self._status.reason)
        try:
            yield self._connection
        except ConnectionLost as error:
            raise HomeUnavailable(str(error)) from error

    async def _live(self) -> NoReturn:
        """The life of one connection."""
        async with Connection.open(self._settings, timing=self._timing, warnings=self._warnings) as connection:
            self._retries.let_in()
            self._connection = connection
            try:
                await Follower(connection, self._publish, self._timing, self._warnings).run()
            except Exception as error:
                self._fail(error)  # now: closing may take a second, in which the home must not pass for fresh
                raise
            finally:
                self._connection = None

    def _publish(self, config: Config, home: Home | None) -> None:
        if home is None or not config.is_running:
            self._become(Phase.STARTING, f"Home Assistant is not running yet ({config.state})")
            return
        self._home = home
        self._failure = None  # its traceback would keep the old home alive
        if not self.fresh:
            log = logging.INFO if self._warned or self._seen is None else logging.DEBUG
            _LOGGER.log(log, "Home Assistant %s: %d entities", config.version, len(home.states))
            self._warned = False
        self._become(Phase.READY, f"Connected to Home Assistant {config.version}")
        seen = (home, config, home.registries)
        if self._seen is None or any(old is not new for old, new in zip(self._seen, seen, strict=True)):
            self._seen = seen
            self._notify()

    def _fail(self, error: Exception) -> None:
        if error is self._failure:
            return
        self._failure = error
        known = isinstance(error, HassError)
        reason = str(error) if known else f"The home could not be read ({type(error).__name__}); the log says more"
        phase = Phase.AUTH_FAILED if isinstance(error, InvalidAuth) else Phase.LOST
        if phase is not self._status.phase or not known:
            kind = f"No home ({phase.value})"
            self._warned = self._warnings.about(kind, reason, None if known else error) or self._warned
        else:
            _LOGGER.debug("Still no home: %s", reason)
        self._become(phase, reason)

    def _become(self, phase: Phase, reason: str) -> None:
        old = self._status
        if (phase, reason) == (old.phase, old.reason):
            return
        since = old.since
        if phase is not old.phase:
            since, self._phase_began = datetime.now(UTC), time.monotonic()
        self._status = Status(phase, since, reason)
        self._notify()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


class Retries:
    """How long to wait before the next try: short in the first minutes of trouble, and long with a wrong token."""

    def __init__(self, timing: Timing, clock: Callable[[], float] = time.monotonic) -> None:
        self._timing = timing
        self._clock = clock
        self._tries = 0
        self._trouble_since: float | None = None
        self._let_in: float | None = None
        self._refusals = 0
        self._too_big = 0

    def let_in(self) -> None:
        """The token was accepted."""
        self._let_in = self._clock()
        self._refusals = 0

    def wait_after(self, error: Exception) -> float:
        now, timing = self._clock(), self._timing
        if self._let_in is not None and now - self._let_in >= timing.stable:
            self._tries, self._trouble_since, self._too_big = 0, None, 0
        self._let_in = None
        if isinstance(error, InvalidAuth):
            self._refusals += 1
            return (timing.refused_once if self._refusals == 1 else timing.refused_again) * _between(1.0, 1.25)
        if isinstance(error, MessageTooBig):
            self._too_big += 1
            if self._too_big > 1:  # once may be an accident; a home that is too big would be sent again and again
                return timing.too_big * _between(1.0, 1.25)
        self._trouble_since = now if self._trouble_since is None else self._trouble_since
        long = now - self._trouble_since >= timing.trouble
        wait = min(
            timing.retry_first * timing.retry_factor**self._tries,
            timing.retry_limit_later if long else timing.retry_limit,
        )
        self._tries = min(self._tries + 1, 20)
        return wait * _between(0.75, 1.25)


def _between(low: float, high: float) -> float:
    return random.uniform(low, high)  # noqa: S311 - so that not everybody comes back at once; no secret


class FixedMirror:
    """A home from a file, with the interface of a live one. It is what it is: always fresh, never changing."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._status = Status(Phase.READY, datetime.now(UTC), "A home from a file")

    @property
    def home(self) -> Home | None:
        return self._home

    @property
    def fresh(self) -> bool:
        return True

    @property
    def status(self) -> Status:
        return self._status

    async def run(self) -> NoReturn:
        while True:
            await self.wait_changed()

    async def wait_fresh(self, timeout: float) -> bool:
        return True

    async def wait_changed(self) -> None:
        await asyncio.Event().wait()

    async def command(self, command: str, /, *, timeout: float = 10.0, **fields: Any) -> Any:
        return self._known(command, fields)

    async def first_event(self, command: str, /, *, timeout: float = 10.0, **fields: Any) -> Any:
        return self._known(command, fields)

    def _known(self, command: str, fields: Mapping[str, Any]) -> Any:
        """What the file holds of an entity. Raises `HomeUnavailable`."""
        details = self._home.details.get(command, {})
        if fields.get("entity_id") not in details:
            raise HomeUnavailable(NO_HOME_ASSISTANT)
        return details[fields["entity_id"]]

    async def render_template(self, template: str, variables: Mapping[str, Any] | None = None) -> Any:
        raise HomeUnavailable(NO_HOME_ASSISTANT)

    async def follow_template(self, template: str, variables: Mapping[str, Any], take: Callable[[Any], None]) -> None:
        raise HomeUnavailable(NO_HOME_ASSISTANT)


async def capture(settings: HassSettings, *, timing: Timing | None = None) -> dict[str, Any]:
    """The raw results that make a home, to be kept in a file. Raises `HassError`."""
    timing = timing or Timing()
    async with Connection.open(settings, timing=timing) as connection:
        return {
            "ha_version": connection.version,
            "recorded_at": datetime.now(UTC).isoformat(),
            **await _results(connection, timing.load, whole=True),
        }


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What was found at the address, with the token."""

    version: str
    user: str
    """Whose token it is."""
    is_admin: bool
    entities: int
    exposed: int
    """Of those, how many Assist may know of."""
    hidden: int
    """Without an entry in the registry: whether they are exposed only an administrator's token may read, so they
    count as not exposed. 0 with such a token."""
    seconds: float
    """How long the home took to load."""
    warnings: tuple[str, ...]


async def probe(settings: HassSettings, *, timing: Timing | None = None) -> ProbeResult:
    """Connect and load once, for a look. Raises `HassError` with what is wrong."""
    timing = timing or Timing()
    async with Connection.open(settings, timing=timing) as connection:
        start = time.monotonic()
        user = await connection.command("auth/current_user")
        results = await _results(connection, timing.load, whole=False)
    home = await asyncio.to_thread(home_from_results, results)
    return ProbeResult(
        version=connection.version,
        user=str(user.get("name")),
        is_admin=bool(user.get("is_admin")),
        entities=len(home.states),
        exposed=sum(1 for _ in home.exposed_states()),
        hidden=len(home.states.keys() - home.registries.entities.keys())
        if home.registries.exposed_by_list is None
        else 0,
        seconds=time.monotonic() - start,
        warnings=tuple(_warnings(home)),
    )


async def _results(connection: Connection, timeout: float, *, whole: bool) -> dict[str, Any]:
    async with aclosing(fetch_home(connection, timeout=timeout, whole=whole)) as parts:
        results = {command: result async for part in parts for command, result in part.items()}
    return results | {STATES: await connection.first_event(STATES, timeout=timeout)}


def _warnings(home: Home) -> Iterator[str]:
    if not home.config.is_running:
        yield f"Home Assistant is still starting ({home.config.state}); until it is through, no questions are answered"
