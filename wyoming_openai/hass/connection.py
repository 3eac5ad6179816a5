"""One authenticated websocket to Home Assistant: commands, subscriptions, signs of life. Used once.

To reconnect, open a new one. Only commands that read are ever sent, and neither the token nor what a home is called
or holds is logged.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Self

import aiohttp
import orjson
from aiohttp import WSCloseCode, WSMsgType

from .errors import CannotConnect, CommandFailed, ConnectionLost, HassError, InvalidAuth, MessageTooBig
from .login import MAX_MESSAGE, HassSettings, Socket, connect, log_in

__all__ = [
    "CannotConnect",
    "CommandFailed",
    "Connection",
    "ConnectionLost",
    "HassError",
    "HassSettings",
    "InvalidAuth",
    "MessageTooBig",
    "Timing",
    "WarningThrottle",
]

_LOGGER = logging.getLogger(__name__)

AT_ONCE = 500
"""Messages of a bunch that are taken in before others get a turn: a storm of changes comes as one bunch."""

Handler = Callable[[Any], object]
"""Takes the events of a subscription as they arrive; must be quick, must not raise for what a home may send."""

READS = frozenset(
    {
        "auth/current_user",
        "calendar/event/subscribe",
        "config/area_registry/list",
        "config/device_registry/list",
        "config/entity_registry/get_entries",
        "config/entity_registry/list",
        "config/floor_registry/list",
        "config/label_registry/list",
        "config_entries/get",
        "entity/source",
        "frontend/get_translations",
        "get_config",
        "history/history_during_period",
        "homeassistant/expose_entity/list",
        "logbook/get_events",
        "ping",
        "recorder/list_statistic_ids",
        "recorder/statistics_during_period",
        "render_template",
        "repairs/list_issues",
        "subscribe_entities",
        "subscribe_events",
        "supported_features",
        "todo/item/list",
        "unsubscribe_events",
        "weather/subscribe_forecast",
    }
)
"""The commands that may be sent at all: the token may be an administrator's and could do anything."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How long things may take and how often they are tried, in seconds."""

    connect: float = 10.0
    """Until the network answers, and again until the log-in is through."""
    load: float = 45.0
    ping_every: float = 15.0
    ping_answer: float = 10.0
    retry_first: float = 0.5
    retry_factor: float = 1.8
    retry_limit: float = 2.0
    """The longest wait in the first minutes of trouble, when Home Assistant is most likely restarting."""
    trouble: float = 600.0
    """So long the waits stay that short."""
    retry_limit_later: float = 30.0
    stable: float = 60.0
    """A connection that held so long ends the trouble."""
    refused_once: float = 10.0
    refused_again: float = 300.0
    """Every refused token is a warning to the owner and counts towards a ban of our address."""
    too_big: float = 60.0
    gather: float = 0.05
    """Changes come in bunches: wait so long for the rest of one."""
    refresh_every: float = 2.0
    slow_every: float = 60.0
    """For what Home Assistant does not announce."""
    starting_every: float = 1.0
    reload_every: float = 3.0


class WarningThrottle:
    """Warns of each kind of trouble at most once a minute; repeats are for debugging. Counts them all."""

    def __init__(self, every: float = 60.0) -> None:
        self.counts: Counter[str] = Counter()
        self._every = every
        self._warned: dict[str, float] = {}

    def about(self, kind: str, detail: str = "", error: BaseException | None = None) -> bool:
        """`kind` is one of few; `detail` and the traceback of `error` go along with it. True if it was a warning."""
        self.counts[kind] += 1
        now = time.monotonic()
        loud = now - self._warned.get(kind, -self._every) >= self._every
        if loud:
            self._warned[kind] = now
        level = logging.WARNING if loud else logging.DEBUG
        _LOGGER.log(level, "%s%s (%d in all)", kind, detail and f": {detail}", self.counts[kind], exc_info=error)
        return loud


@dataclass(slots=True)
class _Waiting:
    """Something that Home Assistant is still to send."""

    future: asyncio.Future[Any]
    deadline: float
    command: str


class Connection:
    """An open connection. When it dies, waiting commands fail with the first cause; they are not cancelled."""

    def __init__(self, websocket: Socket, version: str, timing: Timing, warnings: WarningThrottle) -> None:
        self.version = version
        """Home Assistant's."""
        self.on_lost: Callable[[], None] = lambda: None
        """Called when it dies."""
        self.on_unreadable: Callable[[], None] = lambda: None
        """Called for a message that could not be read, and may have held anything."""
        self._websocket = websocket
        self._timing = timing
        self._warnings = warnings
        self._number = 0
        self._waiting: dict[int, _Waiting] = {}
        """By the number of the command; by that number negated for its first event."""
        self._handlers: dict[int, Handler] = {}
        self._cause: BaseException | None = None

    @classmethod
    @asynccontextmanager
    async def open(
        cls, settings: HassSettings, *, timing: Timing | None = None, warnings: WarningThrottle | None = None
    ) -> AsyncIterator[Self]:
        """Connect and log in; closed at the end of the block. Raises `CannotConnect`, `InvalidAuth`."""
        timing = timing or Timing()
        async with aiohttp.ClientSession() as session:
            websocket = await connect(session, settings, timing.connect)
            try:
                version = await log_in(websocket, settings, timing.connect)
                connection = cls(websocket, version, timing, warnings or WarningThrottle())
                async with connection._alive():
                    yield connection
            finally:
                # A server that goes on sending without reading would keep a polite close waiting for ever.
                with suppress(TimeoutError):
                    async with asyncio.timeout(1.0):
                        await websocket.close()

    def raise_if_lost(self) -> None:
        """Raise the first cause of the connection's death, if it is dead."""
        if self._cause is not None:
            raise self._cause

    async def command(self, command: str, /, *, timeout: float = 10.0, **fields: Any) -> Any:
        """Send a command that reads and give its result. Raises `CommandFailed`, `ConnectionLost`."""
        return await self._ask(self._next_number(), command, fields, timeout)

    async def subscribe(self, command: str, handler: Handler, /, *, timeout: float = 10.0, **fields: Any) -> int:
        """Have `handler` called with each event, also with those that come along with the result; gives a number."""
        number = self._next_number()
        self._handlers[number] = handler
        try:
            await self._ask(number, command, fields, timeout)
        except BaseException:
            self._handlers.pop(number, None)
            raise
        return number

    async def unsubscribe(self, number: int) -> None:
        """End a subscription; its handler is not called any more."""
        self._handlers.pop(number, None)
        with suppress(CommandFailed):  # it is over already
            await self.command("unsubscribe_events", subscription=number)

    async def follow(
        self, command: str, wanted: Callable[[Any], bool], handler: Handler, /, *, timeout: float, **fields: Any
    ) -> tuple[int, Any]:
        """Subscribe; gives the subscription's number and its first event that is `wanted`. `handler` has the rest."""
        return await self._follow(command, fields, timeout, wanted, handler)

    async def first_event(self, command: str, /, *, timeout: float = 10.0, **fields: Any) -> Any:
        """Subscribe, give the first event, unsubscribe: for what can be read as a subscription only."""
        return await self._first_event(command, fields, timeout, _is_anything)

    async def render_template(
        self, template: str, variables: Mapping[str, Any] | None = None, *, timeout: float = 3.0
    ) -> Any:
        """Have Home Assistant render one of the owner's templates, once. Raises `CommandFailed` with its words."""
        # With a `timeout` Home Assistant first tries it beside its event loop, and refuses what takes longer.
        fields = {"template": template, "variables": dict(variables or {}), "timeout": timeout, "report_errors": True}
        event = await self._first_event("render_template", fields, timeout + 2.0, _is_final)
        if "result" not in event:
            raise CommandFailed("render_template", "template_error", str(event.get("error")))
        return event["result"]

    async def follow_template(
        self, template: str, variables: Mapping[str, Any], take: Callable[[Any], None], *, timeout: float = 3.0
    ) -> int:
        """Have Home Assistant render a template now and at each change of what it looked at, until unsubscribed.

        Gives the subscription's number. Raises `CommandFailed` if the template fails the first time.
        """
        fields = {"template": template, "variables": dict(variables), "timeout": timeout, "report_errors": True}

        def take_result(event: Any) -> None:
            if isinstance(event, dict) and "result" in event:
                take(event["result"])

        number, event = await self._follow("render_template", fields, timeout + 2.0, _is_final, take_result)
        if "result" not in event:
            await self.unsubscribe(number)
            raise CommandFailed("render_template", "template_error", str(event.get("error")))
        take_result(event)
        return number

    async def _first_event(
        self, command: str, fields: Mapping[str, Any], timeout: float, wanted: Callable[[Any], bool]
    ) -> Any:
        number, event = await self._follow(command, fields, timeout, wanted, _is_anything)
        self._handlers.pop(number, None)
        await self._forget(number)
        return event

    async def _follow(
        self, command: str, fields: Mapping[str, Any], timeout: float, wanted: Callable[[Any], bool], handler: Handler
    ) -> tuple[int, Any]:
        number = self._next_number()
        with self._expect(-number, command, timeout) as first:

            def take(event: Any) -> None:
                if wanted(event) and not first.done():
                    self._handlers[number] = handler  # not this one: it would keep the first event, a whole home
                    first.set_result(event)

            self._handlers[number] = take
            try:
                await self._ask(number, command, fields, timeout)
                return number, await first
            except BaseException:
                self._handlers.pop(number, None)
                await self._forget(number)
                raise

    async def _forget(self, number: int) -> None:
        """Unsubscribe without waiting for an answer, so that somebody who no longer waits is not held up."""
        with suppress(OSError):
            async with asyncio.timeout(1.0):
                await self._send(self._next_number(), "unsubscribe_events", {"subscription": number})

    async def _ask(self, number: int, command: str, fields: Mapping[str, Any], timeout: float) -> Any:
        self.raise_if_lost()
        with self._expect(number, command, timeout) as answer:
            try:
                async with asyncio.timeout(timeout):
                    await self._send(number, command, fields)
            except OSError as error:  # also a TimeoutError: nothing is read at the other end
                self._lose(ConnectionLost(f"The connection to Home Assistant broke: {error}"))
            return await answer

    @contextmanager
    def _expect(self, number: int, command: str, timeout: float) -> Iterator[asyncio.Future[Any]]:
        """A future that fails with the connection, or when the time is up."""
        loop = asyncio.get_running_loop()
        waiting = self._waiting[number] = _Waiting(loop.create_future(), loop.time() + timeout, command)
        alarm = loop.call_later(timeout, _give_up, waiting)
        try:
            yield waiting.future
        finally:
            alarm.cancel()
            del self._waiting[number]

    async def _send(self, number: int, command: str, fields: Mapping[str, Any]) -> None:
        if command not in READS:
            raise ValueError(f"{command} is not on the list of commands that may be sent")
        message = {"id": number, "type": command, **fields}
        # Nothing may be awaited before this writes: Home Assistant wants the numbers in order.
        await self._websocket.send_str(orjson.dumps(message).decode())

    def _next_number(self) -> int:
        self._number += 1
        return self._number

    @asynccontextmanager
    async def _alive(self) -> AsyncIterator[None]:
        """Read and give signs of life for the length of the block."""
        tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._keep_alive())]
        for task in tasks:
            task.add_done_callback(self._on_task_ended)
        try:
            with suppress(CommandFailed):  # without it, every message comes alone
                await self.command("supported_features", features={"coalesce_messages": 1})
            yield
        finally:
            self._lose(ConnectionLost("The connection to Home Assistant was closed"))
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._handlers.clear()  # they hold the home, and whoever has our errors holds us

    def _on_task_ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._lose(error)

    def _lose(self, cause: BaseException) -> None:
        if self._cause is not None:
            return
        self._cause = cause
        failure = cause if isinstance(cause, HassError) else ConnectionLost(f"Failed with {type(cause).__name__}")
        for waiting in self._waiting.values():
            _fail(waiting.future, failure)
        self.on_lost()

    async def _keep_alive(self) -> None:
        """Notice a connection that is dead without having been closed."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._timing.ping_every)
            # Home Assistant answers in order: what was asked before, such as a whole home, may take its time.
            before = max((waiting.deadline for waiting in self._waiting.values()), default=0.0) - loop.time()
            try:
                await self.command("ping", timeout=max(self._timing.ping_answer, before))
            except CommandFailed as error:
                raise ConnectionLost("Home Assistant does not answer any more") from error

    async def _read(self) -> None:
        while True:
            message = await self._websocket.receive()
            match message.type:
                case WSMsgType.TEXT:
                    await self._take(message.data)
                case WSMsgType.BINARY:
                    self._warnings.about("Home Assistant sent a binary message")
                case WSMsgType.ERROR if self._websocket.close_code == WSCloseCode.MESSAGE_TOO_BIG:
                    raise MessageTooBig(f"Home Assistant sent a message of more than {MAX_MESSAGE >> 20} MB")
                case _:
                    raise ConnectionLost(_why_closed(self._websocket.close_code))

    async def _take(self, text: bytes) -> None:
        try:
            content = orjson.loads(text)
        except orjson.JSONDecodeError:
            self._warnings.about("Home Assistant sent something that is not JSON")
            self.on_unreadable()
            return
        for number, message in enumerate(content if isinstance(content, list) else (content,), 1):
            self._dispatch(message)
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)

    def _dispatch(self, message: Any) -> None:
        number = message.get("id") if isinstance(message, dict) else None
        # Numbers of ours that nobody knows any more are late answers and last events, and of no concern.
        if type(number) is not int or not 0 < number <= self._number:
            self._warnings.about("Home Assistant sent a message that belongs to nothing")
            return
        match message.get("type"):
            case "event":
                if (handler := self._handlers.get(number)) is not None:
                    handler(message.get("event"))
            case "result" | "pong":
                if (waiting := self._waiting.get(number)) is not None and not waiting.future.done():
                    _settle(waiting, message)
            case _:
                self._warnings.about("Home Assistant sent a message of an unknown type")


def _settle(waiting: _Waiting, message: Mapping[str, Any]) -> None:
    if message["type"] == "pong" or message.get("success") is True:
        waiting.future.set_result(message.get("result"))
        return
    error = message.get("error")
    error = error if isinstance(error, dict) else {}
    code = str(error.get("code", "unknown_error"))
    if code == "id_reuse":
        raise ConnectionLost("Home Assistant has lost count of our commands")
    _fail(waiting.future, CommandFailed(waiting.command, code, str(error.get("message", "no reason given"))))


def _give_up(waiting: _Waiting) -> None:
    _fail(waiting.future, CommandFailed(waiting.command, "timeout", "Home Assistant did not answer in time"))


def _fail(future: asyncio.Future[Any], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
        future.exception()  # whoever waited may be gone: then it is nobody's any more, and not worth a traceback


def _is_anything(event: Any) -> bool:
    return True


def _is_final(event: Any) -> bool:
    """Warnings come before the result of a template."""
    return isinstance(event, dict) and ("result" in event or event.get("level") == "ERROR")


def _why_closed(code: int | None) -> str:
    match code:
        case None | WSCloseCode.ABNORMAL_CLOSURE:
            return "The connection to Home Assistant broke"
        case WSCloseCode.OK | WSCloseCode.GOING_AWAY:
            return "Home Assistant closed the connection"
        case _:
            return f"Home Assistant closed the connection (code {code})"
