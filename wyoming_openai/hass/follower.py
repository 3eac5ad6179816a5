"""The life of one connection: load the home, then keep it equal to Home Assistant's."""

import asyncio
import ctypes
import gc
import math
from collections.abc import Callable, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn

from ..gc_pauses import gc_paused
from .connection import CommandFailed, Connection, ConnectionLost, Handler, Timing, WarningThrottle
from .fetch import all_of, fetch, fetch_entries, fetch_home
from .home import Config, Home, Registries
from .snapshot import (
    AREAS,
    CONFIG,
    CONFIG_ENTRIES,
    DEVICES,
    ENTITIES,
    ENTRIES,
    EXPOSED,
    FLOORS,
    ISSUES,
    LABELS,
    SOURCES,
    STATES,
    TRANSLATIONS,
    Results,
    registries_from_results,
    update_home,
)


@dataclass(frozen=True, slots=True)
class Part:
    """What is fetched afresh as a whole."""

    commands: tuple[str, ...]
    events: tuple[str, ...]
    """The events that say it has changed. What has no event of its own is also looked at now and then."""


PARTS = {
    "entities": Part((EXPOSED,), ("entity_registry_updated",)),
    "devices": Part((DEVICES,), ("device_registry_updated",)),
    "areas": Part((AREAS,), ("area_registry_updated",)),
    "floors": Part((FLOORS,), ("floor_registry_updated",)),
    "labels": Part((LABELS,), ("label_registry_updated",)),
    "config": Part((CONFIG,), ("core_config_updated",)),
    "integrations": Part((CONFIG_ENTRIES, SOURCES), ("component_loaded",)),
    "translations": Part(TRANSLATIONS, ("component_loaded",)),
    "issues": Part((ISSUES,), ("repairs_issue_registry_updated",)),
}
"""In the order of urgency: an entity whose exposure was withdrawn goes first."""

UNANNOUNCED = ("entities", "integrations")
"""Exposure of what is not in the entity registry, and entries that come and go, have no event."""


class _BufferedSubscription:
    """The events of a subscription: kept until a home is there to take them."""

    def __init__(self) -> None:
        self._kept: list[Any] = []
        self._take: Handler = self._kept.append

    def __call__(self, event: Any) -> None:
        self._take(event)

    def flow_to(self, handler: Handler) -> None:
        self._take = handler
        for event in self._kept:
            handler(event)
        self._kept.clear()


class Follower:
    """Follows Home Assistant over one connection. `publish` is told of each new home, each change of one, and of a
    Home Assistant that has none yet.

    A single task writes all but the states, so nothing it waits for can be overtaken. States are written as they
    arrive. What changes while it is being fetched is fetched again.
    """

    def __init__(
        self,
        connection: Connection,
        publish: Callable[[Config, Home | None], None],
        timing: Timing,
        warnings: WarningThrottle,
    ):
        self._connection = connection
        self._publish = publish
        self._timing = timing
        self._warnings = warnings
        self._home = Home(Config(), Registries())
        self._wake = asyncio.Event()
        self._stale: dict[str, float] = {}
        """When to fetch a part, at the earliest."""
        self._fetched: dict[str, float] = {}
        self._changed_entities: dict[str, None] = {}
        """In the order of their events, which is the order of new ones in Home Assistant's registry."""
        self._unannounced = set(UNANNOUNCED)
        self._look_again = 0.0
        self._damaged = False
        self._reload_again = 0.0
        self._states: int | None = None
        connection.on_lost = self._wake.set
        connection.on_unreadable = self._on_damage

    async def run(self) -> NoReturn:
        """Load and follow until the connection ends. Raises `ConnectionLost`, `CommandFailed`."""
        await self._until_running()
        events = {event for part in PARTS.values() for event in part.events}
        await all_of(*(self._subscribe(event) for event in events))
        try:
            with gc_paused():
                await self._load()
            while True:
                await self._until_due()
                with gc_paused():
                    await self._work()
        finally:
            self._home = Home(Config(), Registries())  # the error that ended it holds us, but shall not hold the home

    async def _until_running(self) -> None:
        """Wait for the end of Home Assistant's start: before it there is no whole home, and so much happens at once
        that Home Assistant throws out whoever follows it.
        """
        while True:
            config = Config.from_row((await fetch(self._connection, (CONFIG,)))[CONFIG] or {})
            if config.is_running:
                return
            self._publish(config, None)
            await asyncio.sleep(self._timing.starting_every)

    async def _subscribe(self, event: str) -> None:
        parts = [name for name, part in PARTS.items() if event in part.events]
        try:
            await self._connection.subscribe("subscribe_events", partial(self._on_event, parts), event_type=event)
        except CommandFailed:
            self._unannounced.update(parts)

    def _on_event(self, parts: list[str], event: Any) -> None:
        data = event.get("data") if isinstance(event, dict) else None
        if not isinstance(data, dict):
            self._on_damage()
            return
        if "entities" in parts:
            for name in (data.get("old_entity_id"), data.get("entity_id")):
                if isinstance(name, str):
                    self._changed_entities.setdefault(name)
        for part in parts:
            self._mark(part)
        if "entities" in parts and (data.get("action") != "update" or "old_entity_id" in data):
            self._mark("integrations")  # they also say whose an entity is

    def _mark(self, part: str, delay: float | None = None) -> None:
        """Have a part fetched: at once but for the rest of its bunch, yet not sooner than its last fetch allows."""
        due = _now() + (self._timing.gather if delay is None else delay)
        due = max(due, self._fetched.get(part, -math.inf) + self._timing.refresh_every)
        self._stale[part] = min(due, self._stale.get(part, due))
        self._wake.set()

    def _on_damage(self) -> None:
        """Something came that could not be understood: only a fresh load makes the home whole again."""
        self._warnings.about("Home Assistant sent a change that makes no sense; the home is loaded afresh")
        self._damaged = True
        self._wake.set()

    async def _load(self) -> None:
        """A whole new home in the place of the old one."""
        start = _now()
        self._stale.clear()
        self._changed_entities.clear()
        self._damaged = False
        feed = _BufferedSubscription()
        home = Home(Config(), Registries())
        try:
            async with asyncio.timeout(self._timing.load) as limit:
                async with aclosing(fetch_home(self._connection, timeout=self._timing.load, whole=False)) as parts:
                    async for results in parts:
                        await _put(home, results)
                number, states = await self._connection.follow(STATES, _has_states, feed, timeout=self._timing.load)
        except TimeoutError:
            if not limit.expired():
                raise
            raise ConnectionLost(f"Home Assistant did not send its home within {self._timing.load:.0f} s") from None
        # Not with the rest: a state that makes no sense is left out, and asking again would not mend it.
        if not await asyncio.to_thread(home.apply_states, states):
            self._warnings.about("Home Assistant sent states that make no sense; they are left out")
        feed.flow_to(partial(self._on_states, home))
        self._home, old = home, self._states
        self._states = number
        self._publish(home.config, home)
        if old is not None:
            await self._connection.unsubscribe(old)
        del results, states
        # The collector has no business with the home: it would stop everybody for 40 ms to look through it, and a home
        # makes no cycles. The few kilobytes of a lost connection that does are worth it.
        gc.freeze()
        await asyncio.to_thread(_return_memory)
        self._look_again = _now() + self._timing.slow_every
        # However often something makes no sense, most of the time is left for other things.
        self._reload_again = _now() + max(self._timing.reload_every, 20 * (_now() - start))

    def _on_states(self, home: Home, event: Any) -> None:
        if not home.apply_states(event):
            self._on_damage()

    async def _until_due(self) -> None:
        while True:
            self._wake.clear()  # first, so that whatever happens from here on is seen either below or by the wait
            self._connection.raise_if_lost()
            if (due := self._due()) <= _now():
                return
            with suppress(TimeoutError):
                async with asyncio.timeout_at(due):
                    await self._wake.wait()

    def _due(self) -> float:
        return min(self._look_again, *self._stale.values(), self._reload_again if self._damaged else self._look_again)

    async def _work(self) -> None:
        now = _now()
        if self._damaged and now >= self._reload_again:
            await self._load()
        if now >= self._look_again:
            self._look_again = now + self._timing.slow_every
            for part in self._unannounced:
                self._mark(part)
        for part in PARTS:
            if self._stale.get(part, self._look_again) <= now:
                await self._refresh(part)
        self._publish(self._home.config, self._home)

    async def _refresh(self, part: str) -> None:
        del self._stale[part]
        self._fetched[part] = _now()
        try:
            match part:
                case "entities":
                    await self._refresh_entities()
                case "config":
                    await self._refresh_config()
                case _:
                    await self._refresh_part(part)
        except CommandFailed as error:
            self._warnings.about("Home Assistant did not tell what has changed", f"{part}, {error.code}")
            self._mark(part)

    async def _refresh_entities(self) -> None:
        changed, self._changed_entities = self._changed_entities, {}
        try:
            await self._fetch_entities(changed)
        except CommandFailed:
            self._changed_entities = changed | self._changed_entities
            raise

    async def _fetch_entities(self, changed: Mapping[str, None]) -> None:
        entries = await fetch_entries(self._connection, changed)
        registries = self._home.registries
        # Exposure may also have changed where no entry has; a token that may not read the list is not asked again.
        commands = [EXPOSED] if registries.exposed_by_list is not None else []
        if changed.keys() - entries.keys():
            commands.append(ENTITIES)  # entries cannot be had one by one
        else:
            registries = registries.with_entities(entries)
        results = await fetch(self._connection, commands)
        await _put(self._home, {**results, ENTRIES: entries}, registries)

    async def _refresh_config(self) -> None:
        before = self._home.config
        update_home(self._home, await fetch(self._connection, (CONFIG,)))
        config = self._home.config
        if not config.is_running:
            self._mark("config", self._timing.starting_every)
        elif not before.is_running:
            await self._load()
        elif config.language != before.language:
            self._mark("translations")

    async def _refresh_part(self, part: str) -> None:
        results = await fetch(self._connection, PARTS[part].commands, language=self._home.config.language)
        await _put(self._home, results)


async def _put(home: Home, results: Results, registries: Registries | None = None) -> None:
    """Replace the parts of a home that the results speak of, at once; `registries` is what they are to change."""
    # In a thread, since the rows of a large registry take long; nobody else writes the registries meanwhile.
    home.registries = await asyncio.to_thread(registries_from_results, results, registries or home.registries)
    update_home(home, results)


def _return_memory() -> None:
    """Give what a load needed for a moment back to the system; with 10,000 entities it is 20 MB and more."""
    with suppress(OSError, AttributeError):  # only glibc has this, and keeps what it is not asked for
        ctypes.CDLL(None).malloc_trim(0)


def _has_states(event: Any) -> bool:
    return isinstance(event, dict) and isinstance(event.get("a"), dict)


def _now() -> float:
    return asyncio.get_running_loop().time()
