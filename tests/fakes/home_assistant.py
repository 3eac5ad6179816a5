"""A Home Assistant on loopback that plays a captured home, changes it, and does to its clients what it is told to."""

import asyncio
import copy
import json
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiohttp import WSMsgType, web

from wyoming_openai.hass.connection import HassSettings

SMALL_HOME = Path(__file__).parent.parent / "homes" / "small.json"

ADMIN_ONLY = {"homeassistant/expose_entity/list"}
REGISTRIES = {
    "area": ("config/area_registry/list", "area_id"),
    "device": ("config/device_registry/list", "id"),
    "floor": ("config/floor_registry/list", "floor_id"),
    "label": ("config/label_registry/list", "label_id"),
}
EXTENDED = ("aliases", "capabilities", "device_class", "original_device_class", "original_icon")


def small_home() -> dict[str, Any]:
    """A home of eighteen entities, recorded from life."""
    home: dict[str, Any] = json.loads(SMALL_HOME.read_text("utf-8"))
    return home


class Client:
    """One websocket, from Home Assistant's side. What is sent within one turn of the loop goes out as one list."""

    def __init__(self, socket: web.WebSocketResponse, request: web.Request) -> None:
        self.socket = socket
        self.request = request
        self.last_number = 0
        self.subscriptions: dict[int, str] = {}
        self.coalesce = False
        self.then: Callable[[], None] | None = None
        """Called when what is to be sent has been sent."""
        self._queue: deque[str] = deque()
        self._filled = asyncio.Event()

    def send(self, message: dict[str, Any] | str) -> None:
        self._queue.append(message if isinstance(message, str) else json.dumps(message))
        self._filled.set()

    async def write(self) -> None:
        while True:
            await self._filled.wait()
            await asyncio.sleep(0)
            self._filled.clear()
            if self.coalesce and len(self._queue) > 1:
                batch = "[" + ",".join(self._queue) + "]"
                self._queue.clear()
                await self.socket.send_str(batch)
            while self._queue:
                await self.socket.send_str(self._queue.popleft())
            if self.then is not None:
                self.then()
                self.then = None

    def abort(self) -> None:
        if self.request.transport is not None:
            self.request.transport.abort()


class FakeHomeAssistant:
    """Use as a context manager; `settings` is how to reach it. Changes are told to clients as Home Assistant does."""

    def __init__(self, home: dict[str, Any] | None = None) -> None:
        self.home = copy.deepcopy(home) if home else small_home()
        self.token = "a-long-lived-token"
        self.is_admin = True
        self.denies = False
        self.mute = False
        """Sockets are opened, and then nothing is said."""
        self.refuse: dict[str, str] = {}
        """Commands that fail, with the code."""
        self.ignore: set[str] = set()
        """Commands that are never answered."""
        self.before: dict[str, Callable[[], None]] = {}
        """Called once, just before a command is answered: for races."""
        self.after: dict[str, Callable[[], None]] = {}
        """Called once, just after the answer has gone out."""
        self.answers: dict[str, Callable[[dict[str, Any]], Any]] = {}
        """What is answered to further commands, worked out from the message."""
        self.events: dict[str, Callable[[dict[str, Any]], Any]] = {}
        """The first event of further subscriptions."""
        self.commands: list[dict[str, Any]] = []
        self.log_ins = 0
        self.clients: list[Client] = []
        self.most_clients = 0
        self.port = 0
        self._clock = 1_800_000_000.0
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None
        self._ssl: Any = None

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/api/websocket", self._serve)
        app.router.add_get("/core/websocket", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await self.listen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.drop()
        assert self._runner is not None
        await self._runner.cleanup()

    async def listen(self, ssl: Any = None) -> None:
        """Open the port, the same as before."""
        assert self._runner is not None
        self._ssl = ssl
        self._site = web.TCPSite(self._runner, "127.0.0.1", self.port, ssl_context=ssl, reuse_address=True)
        await self._site.start()
        self.port = self._runner.addresses[-1][1]

    async def shut(self) -> None:
        """Close the port and all connections, as when Home Assistant stops."""
        assert self._site is not None
        await self._site.stop()
        self.drop()

    @property
    def url(self) -> str:
        return f"http{'s' if self._ssl else ''}://127.0.0.1:{self.port}"

    @property
    def settings(self) -> HassSettings:
        return HassSettings(self.url, self.token)

    def count(self, command: str) -> int:
        """How often this was asked."""
        return sum(message["type"] == command for message in self.commands)

    # What happens to clients

    def drop(self) -> None:
        """Cut every connection."""
        for client in self.clients:
            client.abort()

    def push(self, text: str) -> None:
        """Send this to everybody, whatever it is."""
        for client in self.clients:
            client.send(text)

    def push_event(self, event: Any, command: str = "subscribe_entities") -> None:
        """Send this as an event of a subscription."""
        for client in self.clients:
            for number, what in client.subscriptions.items():
                if what == command:
                    client.send({"id": number, "type": "event", "event": event})

    def fire(self, event_type: str, data: dict[str, Any]) -> None:
        """An event on the bus."""
        self.push_event({"event_type": event_type, "data": data, "origin": "LOCAL"}, event_type)

    # What happens to the home

    @property
    def states(self) -> dict[str, Any]:
        states: dict[str, Any] = self.home["subscribe_entities"]["a"]
        return states

    @property
    def entries(self) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = self.home["config/entity_registry/list"]
        return entries

    @property
    def exposed(self) -> dict[str, Any]:
        exposed: dict[str, Any] = self.home["homeassistant/expose_entity/list"]["exposed_entities"]
        return exposed

    def set_state(self, entity_id: str, state: str, **attributes: Any) -> None:
        """Write a state; attributes that are None go."""
        self._clock += 0.25
        context = f"context-{self._clock}"
        old = self.states.get(entity_id)
        if old is None:
            new = {"s": state, "a": attributes, "c": context, "lc": self._clock}
            self.states[entity_id] = new
            self.push_event({"a": {entity_id: new}})
            return
        plus: dict[str, Any] = {"c": context}
        if state != old["s"]:
            plus |= {"s": state, "lc": self._clock}
            old.pop("lu", None)
        else:
            plus["lu"] = self._clock
        gone = [name for name, value in attributes.items() if value is None and name in old["a"]]
        set_to = {name: value for name, value in attributes.items() if value is not None}
        diff: dict[str, Any] = {"+": plus | ({"a": set_to} if set_to else {})}
        if gone:
            diff["-"] = {"a": gone}
        kept = {name: value for name, value in old["a"].items() if name not in gone}
        was = old["c"] if isinstance(old["c"], dict) else {"id": old["c"]}
        old.update(plus, a=kept | set_to, c={**was, "id": context})
        self.push_event({"c": {entity_id: diff}})

    def remove_state(self, entity_id: str) -> None:
        del self.states[entity_id]
        self.push_event({"r": [entity_id]})

    def entry(self, entity_id: str) -> dict[str, Any]:
        return next(entry for entry in self.entries if entry["entity_id"] == entity_id)

    def update_entity(self, entity_id: str, /, **changes: Any) -> None:
        """Change an entry of the entity registry, `entity_id` or `aliases` too."""
        entry, extended = self.entry(entity_id), self._extended(entity_id)
        new_id = changes.get("entity_id", entity_id)
        extended.update((name, changes.pop(name)) for name in EXTENDED if name in changes)
        entry.update(changes)
        data: dict[str, Any] = {"action": "update", "entity_id": new_id, "changes": dict.fromkeys(changes)}
        if new_id != entity_id:
            self.entries.remove(entry)  # with a new id it moves to the end
            self.entries.append(entry)
            self.home["config/entity_registry/get_entries"].pop(entity_id, None)
            if entity_id in self.exposed:
                self.exposed[new_id] = self.exposed.pop(entity_id)
            data["old_entity_id"] = entity_id
        self.home["config/entity_registry/get_entries"][new_id] = extended
        self.fire("entity_registry_updated", data)

    def rename(self, entity_id: str, new_id: str) -> None:
        """Give an entity another id: the registry first, then its state goes and comes."""
        self.update_entity(entity_id, entity_id=new_id)
        if (state := self.states.get(entity_id)) is not None:
            self.remove_state(entity_id)
            self.set_state(new_id, state["s"], **state["a"])

    def add_entity(self, entity_id: str, *, exposed: bool = True, **fields: Any) -> None:
        entry = {**copy.deepcopy(self.entries[0]), "entity_id": entity_id, "options": {}, **fields}
        self.entries.append(entry)
        self.home["config/entity_registry/get_entries"][entity_id] = {"aliases": [None]}
        self.fire("entity_registry_updated", {"action": "create", "entity_id": entity_id})
        self.set_state(entity_id, "on", friendly_name=f"New {entity_id}")
        self.expose(entity_id, exposed)

    def remove_entity(self, entity_id: str) -> None:
        self.entries.remove(self.entry(entity_id))
        self.exposed.pop(entity_id, None)
        self.home["config/entity_registry/get_entries"].pop(entity_id, None)
        self.fire("entity_registry_updated", {"action": "remove", "entity_id": entity_id})
        if entity_id in self.states:
            self.remove_state(entity_id)

    def expose(self, entity_id: str, exposed: bool) -> None:
        """Set whether Assist may know of an entity; nothing is announced of those without an entry."""
        if exposed:
            self.exposed[entity_id] = {"conversation": True}
        else:
            self.exposed.pop(entity_id, None)
        if any(entry["entity_id"] == entity_id for entry in self.entries):
            self.update_entity(entity_id, options={"conversation": {"should_expose": exposed}})

    def put(self, kind: str, key: str, **fields: Any) -> None:
        """Add or change an area, device, floor or label."""
        command, id_name = REGISTRIES[kind]
        row = next((row for row in self.home[command] if row[id_name] == key), None)
        if row is None:
            row = {**copy.deepcopy(self.home[command][0]), id_name: key}
            self.home[command].append(row)
        row.update(fields)
        self.fire(f"{kind}_registry_updated", {"action": "update", f"{kind}_id": key})

    def remove(self, kind: str, key: str) -> None:
        command, id_name = REGISTRIES[kind]
        self.home[command] = [row for row in self.home[command] if row[id_name] != key]
        self.fire(f"{kind}_registry_updated", {"action": "remove", f"{kind}_id": key})

    def configure(self, **changes: Any) -> None:
        self.home["get_config"].update(changes)
        self.fire("core_config_updated", changes)

    # The wire

    async def _serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(max_msg_size=0)
        await socket.prepare(request)
        client = Client(socket, request)
        if self.mute:
            self.clients.append(client)
            await socket.receive()
            return socket
        await socket.send_json({"type": "auth_required", "ha_version": "2026.11.0"})
        given = await socket.receive_json()
        self.log_ins += 1
        if self.denies or given != {"type": "auth", "access_token": self.token}:
            await socket.send_json({"type": "auth_invalid", "message": "Invalid access token or password"})
            await socket.close()
            return socket
        await socket.send_json({"type": "auth_ok", "ha_version": "2026.11.0"})
        await self._listen_to(client)
        return socket

    async def _listen_to(self, client: Client) -> None:
        self.clients.append(client)
        self.most_clients = max(self.most_clients, len(self.clients))
        writer = asyncio.create_task(client.write())
        try:
            async for message in client.socket:
                if message.type is WSMsgType.TEXT:
                    self._answer(client, json.loads(message.data))
        finally:
            self.clients.remove(client)
            writer.cancel()
            with suppress(asyncio.CancelledError, ConnectionError):
                await writer

    def _answer(self, client: Client, message: dict[str, Any]) -> None:
        number, command = message["id"], message["type"]
        assert number > client.last_number, "numbers must increase"
        client.last_number = number
        self.commands.append(message)
        if (prank := self.before.pop(command, None)) is not None:
            prank()
        client.then = self.after.pop(command, None) or client.then
        if command in self.ignore:
            return
        code = self.refuse.get(command) or ("unauthorized" if command in ADMIN_ONLY and not self.is_admin else None)
        if code is not None:
            error = {"code": code, "message": f"refused: {code}"}
            client.send({"id": number, "type": "result", "success": False, "error": error})
            return
        if command == "ping":
            client.send({"id": number, "type": "pong"})
            return
        client.send({"id": number, "type": "result", "success": True, "result": self._result(client, message)})
        if command == "subscribe_entities":
            client.send({"id": number, "type": "event", "event": {"a": self.states}})
        elif command == "render_template":
            client.send({"id": number, "type": "event", "event": {"error": "a warning", "level": "WARNING"}})
            client.send({"id": number, "type": "event", "event": {"result": message["template"], "listeners": {}}})
        elif command in self.events:
            client.send({"id": number, "type": "event", "event": self.events[command](message)})

    def _result(self, client: Client, message: dict[str, Any]) -> Any:
        match message:
            case {"type": "supported_features"}:
                client.coalesce = "coalesce_messages" in message["features"]
            case {"type": "subscribe_entities" | "render_template" as command, "id": number}:
                client.subscriptions[number] = command
            case {"type": command, "id": number} if command in self.events:
                client.subscriptions[number] = command
            case {"type": command} if command in self.answers:
                return self.answers[command](message)
            case {"type": "subscribe_events", "event_type": event_type, "id": number}:
                client.subscriptions[number] = event_type
            case {"type": "unsubscribe_events", "subscription": number}:
                client.subscriptions.pop(number, None)
            case {"type": "config/entity_registry/get_entries", "entity_ids": entity_ids}:
                known = {entry["entity_id"]: entry for entry in self.entries}
                return {each: {**known[each], **self._extended(each)} if each in known else None for each in entity_ids}
            case {"type": "frontend/get_translations", "category": category}:
                return self.home[f"frontend/get_translations:{category}"]
            case {"type": "auth/current_user"}:
                return {"id": "u", "name": "Somebody", "is_admin": self.is_admin, "is_owner": False}
            case {"type": command}:
                return self.home[command]
        return None

    def _extended(self, entity_id: str) -> dict[str, Any]:
        row = self.home["config/entity_registry/get_entries"].get(entity_id) or {"aliases": [None]}
        return {name: row[name] for name in EXTENDED if name in row}
