"""Keeps everything running: sockets, the page, background work; swaps new settings in while questions are answered."""

import asyncio
import gc
import logging
import os
import signal
import socket
import threading
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .. import __version__
from ..admin import Access, AdminParts, PageAgent, RefusesToListen, hash_password, refuse_open_door
from ..admin import listening as page_listening
from ..conversation.agents import Agent
from ..conversation.turn import TurnReport, log_turn
from ..conversation.turn_log import TurnLog
from ..conversation.turn_recorder import record_of
from ..hass.snapshot import BadSnapshot
from ..llm import ChatModel
from ..messages import Utterance
from ..settings.options import AgentSettings, BadSettings, Settings, advice, is_hash
from ..settings.reader import Configuration
from ..settings.saved import write_saved
from ..storage.files import FolderInUse, use_folder
from ..wyoming_server.admission import LIMITS, Admission, AdmissionLimits, Network
from ..wyoming_server.handler import Handler, describe
from ..wyoming_server.listener import CannotListen, ClientConnection, Listener
from .build import Components, Shared, asked_models, budget_settings, build, cancel_and_wait, hass_settings
from .logs import keep_secret
from .systemd import keep_watchdog, notify

_LOGGER = logging.getLogger(__name__)

LAST_MOMENT = 9.5  # seconds after which a process that was told to stop is gone
NEW_HOME = 10.0  # seconds that a change of the home may take to be in use
CLOSING = 130.0  # seconds that the longest turn may take
TIDYING = 3600.0  # seconds between two times
LOOKING_UP = 300.0  # seconds after which Home Assistant's address is looked up again
LOOKING_UP_AGAIN = 10.0  # where it was not found
ADD_ONS = ip_network("172.30.32.0/23")
"""The Supervisor's network: Home Assistant comes from there."""

Door = tuple[str, int]
"""A listening address, and its number among equal ones: the system gives each port 0 another port."""


async def serve(configuration: Configuration) -> None:
    """Serve until told to stop. Raises `CannotListen`."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop_in_time() -> None:
        if not stop.is_set():
            stop.set()
            _leave_at_the_latest()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop_in_time)
    async with serving(configuration) as service:
        service.announce()
        notify("READY=1")
        ended = [asyncio.create_task(event.wait()) for event in (stop, service.ended)]
        await asyncio.wait(ended, return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            task.cancel()
        notify("STOPPING=1")
        _LOGGER.info("Stopping: answers in progress are finished first")


def _leave_at_the_latest() -> None:
    """End the process even if something can't be stopped, such as a thread that waits for a name server."""

    def leave() -> None:
        _LOGGER.warning("Something did not stop in time; ending without it")
        os._exit(0)  # answers are over by now, and the files bear being killed

    last = threading.Timer(LAST_MOMENT, leave)
    last.daemon = True
    last.start()


@asynccontextmanager
async def serving(configuration: Configuration) -> AsyncIterator["Service"]:
    """The service at work; at the end answers in progress are finished. Raises `CannotListen`."""
    service = Service(configuration)
    try:
        await service.start()
        yield service
    finally:
        await service.stop()


class Service:
    """The parts behind their sockets. New settings swap in; conversations, connections and the home live on."""

    def __init__(self, configuration: Configuration) -> None:
        self.configuration = configuration
        self.parts = build(configuration.settings, shared=Shared.of_service())
        self.ended = asyncio.Event()
        """Set when there is nothing more to serve: the standard input ended."""
        settings = configuration.settings
        self.turns = TurnLog(settings.state_folder / "turns.sqlite3", days=settings.keep_turns_days)
        self._admission = Admission(_limits(settings))
        self._home_assistant: tuple[Network, ...] = ()
        """Where it comes from, as far as that is known."""
        self._listeners: dict[Door, Listener] = {}
        self._following: dict[object, asyncio.Task[None]] = {}
        """Background work, by the part it is of."""
        self._ending: set[asyncio.Task[None]] = set()
        self._page_moved = asyncio.Event()
        self._saving = asyncio.Lock()
        self._folder = ExitStack()
        """The data folder, which is ours alone."""

    @property
    def listeners(self) -> tuple[Listener, ...]:
        """One for each agent that has an address."""
        return tuple(self._listeners.values())

    # ---- running

    async def start(self) -> None:
        """Begin to listen and to follow the home. Raises `CannotListen`."""
        self._claim_folder(self.parts.settings.state_folder)
        if self.parts.settings.uses_any_model:
            await asyncio.to_thread(self.parts.ledger.open_exclusively)
        self._sync_background_tasks()
        if self.parts.settings.allow:  # Home Assistant is let in, too, as soon as it is known where it comes from
            with suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._find_home_assistant()
        await self._sync_listeners()
        self._following["page"] = asyncio.create_task(self._show_page())
        self._watch_home_assistant_address()
        self._following["warming"] = asyncio.create_task(self._warm_up())
        self._following["watchdog"] = asyncio.create_task(keep_watchdog())
        self._following["tidying"] = asyncio.create_task(self._housekeep())

    async def stop(self) -> None:
        """Finish what is being answered, then close everything."""
        await asyncio.gather(*(listener.stop() for listener in self._listeners.values()))
        async with self._saving:  # what the page is just keeping is kept
            pass
        await cancel_and_wait([*self._following.values(), *self._ending])
        await self.parts.close()
        self.turns.close()
        self._folder.close()

    def _claim_folder(self, folder: Path) -> None:
        try:
            self._folder.enter_context(use_folder(folder))
        except FolderInUse:
            _LOGGER.warning("Another program uses %s, too: give each its own folder with --data-dir", folder)
        except OSError as error:
            _LOGGER.debug("The data folder %s can't be claimed: %s", folder, error)  # what can't be kept is told apart

    def _sync_background_tasks(self) -> None:
        """Background work for the parts there are now, and for no others."""
        wanted = self.parts.background_tasks
        for part in [part for part in self._following if part not in wanted and not isinstance(part, str)]:
            self._finish_in_background(cancel_and_wait([self._following.pop(part)]))
        for part, work in wanted.items():
            if part not in self._following:
                self._following[part] = asyncio.create_task(work())

    async def _sync_listeners(self) -> None:
        """Open the doors that the settings name, and close those they name no more. Raises `CannotListen`."""
        wanted = list(_doors(self.parts))
        opened: dict[Door, Listener] = {}
        try:
            for door in wanted:
                if door not in self._listeners:
                    listener = Listener(door[0], partial(self._connection, door), self._admission, ended=self.ended)
                    await listener.start()
                    opened[door] = listener
        except CannotListen:
            await asyncio.gather(*(listener.stop() for listener in opened.values()))
            raise
        for door in self._listeners.keys() - set(wanted):
            self._finish_in_background(self._listeners.pop(door).stop())
        self._listeners |= opened
        self._update_trusted_networks()

    def _update_trusted_networks(self) -> None:
        allow = tuple(ip_network(network) for network in self.parts.settings.allow)
        add_ons = (ADD_ONS,) if self.configuration.ingress else ()
        self._admission.update_networks(allow=allow, trusted=(*self._home_assistant, *add_ons))

    def _watch_home_assistant_address(self) -> None:
        """Begin to look up where Home Assistant comes from, now and from time to time."""
        if (before := self._following.pop("addresses", None)) is not None:
            self._finish_in_background(cancel_and_wait([before]))
        self._following["addresses"] = asyncio.create_task(self._look_up_home_assistant())

    async def _look_up_home_assistant(self) -> None:
        """Know where Home Assistant comes from: it asks for many people, and goes before strangers."""
        while hass_settings(self.parts.settings) is not None:
            await self._find_home_assistant()
            await asyncio.sleep(LOOKING_UP if self._home_assistant else LOOKING_UP_AGAIN)

    async def _find_home_assistant(self) -> None:
        hass = hass_settings(self.parts.settings)
        found = await addresses_of(urlsplit(hass.url).hostname or "") if hass else ()
        self._home_assistant = found or self._home_assistant  # no stranger for want of a name server
        self._update_trusted_networks()

    def _finish_in_background(self, work: Awaitable[None]) -> None:
        """Let something come to its end by itself."""
        task = asyncio.ensure_future(work)
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def _warm_up(self) -> None:
        """Pay before the first question what it would otherwise wait for."""
        parts = self.parts
        for settings in asked_models(parts.settings):
            await asyncio.to_thread(parts.prices.of, settings.model, settings.base_url)
        for model in parts.models.values():
            await model.warm()
        await parts.mirror.wait_fresh(5)
        await parts.assistant.prepare(parts.mirror.home.config.language if parts.mirror.home else "en")
        gc.freeze()  # what is there now stays: the collector need not look through it while somebody waits

    async def _housekeep(self) -> None:
        while True:
            if self.parts.settings.uses_any_model:
                await asyncio.to_thread(self.parts.ledger.tidy)
            await asyncio.sleep(TIDYING)
            await asyncio.to_thread(self.turns.tidy)
            self.parts.shared.loader.tidy()

    # ---- answering

    async def _connection(self, door: Door, connection: ClientConnection) -> None:
        home = self.parts.mirror.home
        handler = Handler(
            info=lambda: describe(
                name=self._at(door).name,
                model=model.name if (model := self._at(door).model) else "local",
            ),
            reply=partial(self._reply, door),
            connection=connection,
            language=home.config.language if home else "en",
            patience=lambda utterance: self._answering(door, utterance).assistant.patience(utterance).deadline,
        )
        await handler.run()

    def _at(self, door: Door) -> Agent:
        """The agent that answers there; the first for whoever came in by a door that is closed by now."""
        agents = self.parts.agents
        return dict(zip(_doors(self.parts), agents.listening, strict=True)).get(door, agents.first)

    def _answering(self, door: Door, utterance: Utterance) -> Agent:
        return self.parts.agents.answering(self._at(door), utterance)

    def _reply(self, door: Door, utterance: Utterance, heard: float) -> AsyncGenerator[str, None]:
        """The reply to what reached an agent's address; see `Assistant.reply`."""
        answering = self._answering(door, utterance)

        def report(ended: TurnReport) -> None:
            log_turn(ended)
            self.turns.add(record_of(ended, answering.name))

        return answering.assistant.reply(utterance, report, heard=heard)

    # ---- changing settings

    async def save(self, changes: Mapping[str, Any], agent: str = "") -> None:
        """Change options of the program or of one of several agents, and keep them; None takes a change back.

        Raises `BadSettings`; then nothing has changed.
        """
        async with self._saving:
            changes = await _with_hash(changes)
            await self.apply(self.configuration.changed(changes, agent))
            try:
                folder = self.parts.settings.state_folder
                await asyncio.to_thread(write_saved, folder, self.configuration.saved)
            except OSError as error:
                name = next(iter(changes), "")
                raise BadSettings(
                    f"{name}: is in use until the next start, but can't be kept in {folder} ({error.strerror})"
                ) from error

    async def apply(self, configuration: Configuration) -> None:
        """Use other settings from the next question on. Raises `BadSettings`; then nothing has changed."""
        settings = configuration.settings
        if settings.admin_uri != "off":
            _refuse_open_door(settings, ingress=configuration.ingress)
        before = self.parts
        try:
            self.parts = build(settings, before=before)
            await self._sync_listeners()
        except (BadSnapshot, CannotListen) as error:
            self.parts = before
            raise BadSettings(f"{'home' if isinstance(error, BadSnapshot) else 'uri'}: {error}") from error
        page_before, self.configuration = _page(self.configuration), configuration
        self.parts.budgets.settings = budget_settings(settings)
        if self.turns.days != settings.keep_turns_days:
            self.turns.days = settings.keep_turns_days
        logging.getLogger().setLevel(settings.log_level.upper())
        keep_secret(settings.secrets)
        self._sync_background_tasks()
        for key in before.models.keys() - self.parts.models.keys():
            self._finish_in_background(_close_later(before.models[key]))
        if before.mirror is not self.parts.mirror:
            self._home_assistant = ()  # it was another one
            self._update_trusted_networks()
            self._watch_home_assistant_address()
            await self.parts.mirror.wait_fresh(NEW_HOME)
        if _page(configuration) != page_before:
            self._page_moved.set()

    # ---- the page

    async def _show_page(self) -> None:
        """The page where the settings want it; where that can't be, it is said, and the rest goes on."""
        while True:
            self._page_moved.clear()
            uri = self.parts.settings.admin_uri
            if uri != "off":
                await self._show_page_at(uri)
            await self._page_moved.wait()

    async def _show_page_at(self, uri: str) -> None:
        """The page until it moves, where that can be."""
        try:
            async with page_listening(await self._admin_parts(), uri) as port:
                _LOGGER.info("The admin page: %s", _address(uri, port))
                await self._page_moved.wait()
        except (OSError, RefusesToListen) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            _LOGGER.warning("No admin page at %s: %s", uri, reason)

    async def _admin_parts(self) -> AdminParts:
        settings = self.parts.settings
        password_hash = await asyncio.to_thread(_hash, settings)
        return AdminParts(
            agents=lambda: [self._on_page(agent) for agent in self.parts.agents],
            mirror=lambda: self.parts.mirror,
            settings=lambda: self.parts.settings,
            turns=self.turns,
            sources=lambda agent: self.configuration.sources(agent),  # noqa: PLW0108 - of the one there is then
            fixed=lambda agent: frozenset({"name"}) if agent else self.configuration.fixed,
            save=self.save,
            ledger=self.parts.ledger,
            budgets=lambda: self.parts.budgets.settings,
            data_dir=settings.state_folder,
            access=Access(password_hash, settings.admin_hosts, ingress=self.configuration.ingress),
        )

    def _on_page(self, agent: Agent) -> PageAgent:
        own = agent.settings
        price = self.parts.prices.of(own.model, own.openai_base_url) if agent.model else None
        model = agent.model.name if agent.model else None
        return PageAgent(agent.name, agent.assistant, model, own.uri, own.prompt, price)

    # ---- saying

    def announce(self) -> None:
        """Log what runs where, a line for each agent."""
        for door, listener in self._listeners.items():
            _LOGGER.info("%s", announcement(self.parts.settings, self._at(door).settings, listener.port))


def _doors(parts: Components) -> Iterator[Door]:
    """Where the agents listen, in their order."""
    seen: Counter[str] = Counter()
    for agent in parts.agents.listening:
        uri = agent.settings.uri
        yield uri, seen[uri]
        seen[uri] += 1


def _limits(settings: Settings) -> AdmissionLimits:
    """Each agent brings places of its own."""
    count = sum(agent.listens for agent in settings.all_agents)
    return replace(LIMITS, turns=count * LIMITS.turns, waiting=count * LIMITS.waiting)


async def addresses_of(host: str) -> tuple[Network, ...]:
    """The addresses of a host; none where the name is not known (now)."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):  # also of what can be no name
        return ()
    return tuple(ip_network(str(address[0]).partition("%")[0]) for *_, address in found)


async def _close_later(model: ChatModel) -> None:
    """Close what nobody new will ask, when those it answers have their answer."""
    await asyncio.sleep(CLOSING)
    await model.close()


async def _with_hash(changes: Mapping[str, Any]) -> Mapping[str, Any]:
    """A new password is kept as its hash only. Raises `BadSettings`."""
    password = str(changes.get("admin_password") or "")
    if not password or is_hash(password):
        return changes
    try:
        return {**changes, "admin_password": await asyncio.to_thread(hash_password, password)}
    except ValueError:
        raise BadSettings(f"admin_password: write {advice(Settings.model_fields['admin_password'])}") from None


def _refuse_open_door(settings: Settings, *, ingress: bool) -> None:
    """Raises `BadSettings` where the page would be open to strangers."""
    try:
        refuse_open_door(settings.admin_uri, _password(settings), ingress=ingress)
    except RefusesToListen as error:
        raise BadSettings(str(error)) from error


def _hash(settings: Settings) -> str | None:
    """The hash of the page's password."""
    password = _password(settings)
    return password if password is None or is_hash(password) else hash_password(password)


def _password(settings: Settings) -> str | None:
    return settings.admin_password.get_secret_value() if settings.admin_password else None


def _page(configuration: Configuration) -> tuple[object, ...]:
    """What the page is opened with."""
    settings = configuration.settings
    return settings.admin_uri, settings.admin_password, settings.admin_hosts


def _address(uri: str, port: int) -> str:
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.hostname}:{port}/"


def announcement(settings: Settings, agent: AgentSettings, port: int | None) -> str:
    """What an agent runs on and how to connect Home Assistant, in one line."""
    if (hass := hass_settings(settings)) is not None:
        home = hass.address
    else:
        home = (
            f"the snapshot {settings.home}"
            if settings.home
            else "the demo home (set HASS_URL and HASS_TOKEN for yours)"
        )
    engine = agent.model if agent.uses_model else "the local engine (set OPENAI_API_KEY for a language model)"
    where = agent.uri if port is None else f"port {port}"
    connect = (
        ""
        if port is None
        else f" In Home Assistant: Settings > Devices & services > Add integration > Wyoming Protocol, port {port}"
        f" and {_host(agent.uri)}."
    )
    who = f": {agent.name}" if settings.agents else ""
    return f"wyoming_openai {__version__}{who} listens on {where}. Home: {home}. Engine: {engine}.{connect}"


def _host(uri: str) -> str:
    host = urlsplit(uri).hostname or ""
    return "this machine's address as host" if host in ("0.0.0.0", "::", "") else f"host {host}"
