"""Strangers on the port: malformed, huge, slow, silent and far too many. Everybody else is served all the while."""

import asyncio
import gc
import itertools
import json
import logging
import os
import random
import re
import resource
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from wyoming.asr import Transcript
from wyoming.event import Event, async_read_event
from wyoming.info import Info

from tests.fakes.openai_api import Silence, openai_api
from wyoming_openai.app.logs import OneLine, Repeats
from wyoming_openai.messages import CannotAnswer, Utterance
from wyoming_openai.speech.phrasebook import say
from wyoming_openai.wyoming_server.admission import LIMITS, Admission, AdmissionLimits
from wyoming_openai.wyoming_server.framing import frame
from wyoming_openai.wyoming_server.handler import Handler, describe
from wyoming_openai.wyoming_server.listener import ClientConnection, Listener

INFO = describe(name="House", model="gpt-test")
DESCRIBE = frame(Event("describe"))
QUESTION = frame(Event("transcript", {"text": "hello", "language": "en"}))
IMPATIENT = AdmissionLimits(first_byte=0.05, idle=0.05, frame=0.05, write=0.05, stop=0.05)
ENDS = ("handled", "not-handled")


async def echo(utterance: Utterance, until: float) -> AsyncGenerator[str, None]:
    if not utterance.text:
        raise CannotAnswer("nothing_heard")
    yield utterance.text


class Server:
    """A server on loopback, and what its log would be in a file."""

    def __init__(self, port: int, log: "Log") -> None:
        self.port = port
        self.log = log

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def send(self, data: bytes) -> list[Event]:
        """Everything that is answered to these bytes and the end of the connection that follows them."""
        reader, writer = await self.connect()
        events = []
        with suppress(ConnectionError):
            writer.write(data)
            while (event := await async_read_event(reader)) is not None:
                events.append(event)
        writer.transport.abort()
        return events

    async def ask(self, data: bytes) -> Event | None:
        """The answer to a question; a second one would be a surprise and an error."""
        reader, writer = await self.connect()
        writer.write(data + frame(Event("ping", {"text": "over"})))
        answers = []
        pong = False
        while not (pong and answers):
            event = await async_read_event(reader)
            assert event is not None, "closed without an answer"
            pong = pong or event.type == "pong"
            answers += [event] if event.type in ENDS else []
        writer.transport.abort()
        return answers[0]

    async def is_described(self) -> None:
        """A stranger's neighbour is served, in the time that Home Assistant has for it."""
        async with asyncio.timeout(5):
            reader, writer = await self.connect()
            writer.write(DESCRIBE)
            event = await async_read_event(reader)
            assert event is not None
            assert Info.is_type(event.type)
            writer.close()


class Log(logging.Handler):
    """The program's log, in memory."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.setFormatter(OneLine("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        self.addFilter(Repeats())
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        self.lines.append(self.format(record))

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


@asynccontextmanager
async def serving(limits: AdmissionLimits = LIMITS) -> AsyncIterator[Server]:
    async def serve(connection: ClientConnection) -> None:
        await Handler(info=lambda: INFO, reply=echo, connection=connection).run()

    log, root = Log(), logging.getLogger()
    root.addHandler(log)
    level = root.level
    root.setLevel(logging.INFO)
    unhandled: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unhandled.append(context))
    listener = Listener("tcp://127.0.0.1:0", serve, Admission(limits))
    await listener.start()
    try:
        assert listener.port is not None
        yield Server(listener.port, log)
    finally:
        await listener.stop()
        root.setLevel(level)
        root.removeHandler(log)
    assert not unhandled
    assert "Traceback" not in log.text


@pytest.fixture(scope="module", autouse=True)
def _frozen() -> Iterator[None]:
    """As the program does: the collector need not look through what is there already while an impatient server waits.

    After thousands of tests that takes longer than the twentieth of a second which it waits for a first byte.
    """
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """A server with its usual limits that loses patience sooner."""
    async with serving(IMPATIENT) as server:
        yield server


def raw(header: str, data: bytes = b"") -> bytes:
    return header.encode() + b"\n" + data


def not_events() -> Iterator[tuple[str, bytes]]:
    """Bytes that are no Wyoming events, by name."""
    other_protocols = {
        "http": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64) + b"\n",
        "ssh": b"SSH-2.0-OpenSSH_9.6\r\n",
        "redis": b"*1\r\n$4\r\nPING\r\n",
        "smtp": b"EHLO x\r\n",
        "socks": b"\x05\x01\x00\n",
        "mqtt": b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00\n",
        "nothing but nul": bytes(1000) + b"\n",
        "byte order mark": b"\xef\xbb\xbf" + DESCRIBE,
        "utf-16": '{"type": "describe"}\n'.encode("utf-16"),
        "utf-32": '{"type": "describe"}\n'.encode("utf-32"),
    }
    yield from other_protocols.items()
    headers = [
        "",
        " ",
        "{",
        "}",
        "[]",
        "[1]",
        "null",
        "3",
        "true",
        '"describe"',
        "{}",
        "NaN",
        "Infinity",
        "-",
        "{'a':1}",
    ]
    headers += [
        '{"type": null}',
        '{"type": 7}',
        '{"type": []}',
        '{"type": {}}',
        '{"type": true}',
        '{"Type": "describe"}',
    ]
    headers += ['{"type": "describe"}}', '{"type": "describe"', '{"type": "describe",}', '{"type"; "describe"}']
    headers += ['{"type": "transcript", "data": [1]}', '{"type": "transcript", "data": "x"}']
    headers += ['{"type": "transcript", "data": 7}', '{"type": "transcript", "data": true}']
    for header in headers:
        yield f"header {header}", raw(header, b"\n")
    lengths = ["-1", "-0.0", "1.5", "2.0", "1e2", "1e999", "-1e999", "NaN", "true", "false", '"2"', '""', "[]", "{}"]
    lengths += [str(2**31), str(2**32), str(2**63), str(10**30), "9" * 5000, "0x10"]
    for key, length in itertools.product(("data_length", "payload_length"), lengths):
        yield f"{key} {length[:12]}", raw(f'{{"type": "transcript", "{key}": {length}}}', b'{"text": "x"}\n')
    yield "data too long", raw(f'{{"type": "transcript", "data_length": {LIMITS.data + 1}}}', b"x" * (LIMITS.data + 1))
    yield "payload too long", raw(f'{{"type": "transcript", "payload_length": {LIMITS.payload + 1}}}')
    for data in (b"[]", b"null", b"7", b'"x"', b"{", b"{}x", b"\x00\x00", b"[" * 40, b'{"a":' * 40):
        yield f"data {data[:8]!r}", raw(f'{{"type": "transcript", "data_length": {len(data)}}}', data)
    for depth, (start, end) in itertools.product((33, 1000, 7000), (("[", "]"), ('{"a":', "}"))):
        nested = start * depth + end * depth
        yield f"nested {start} {depth}", raw(f'{{"type": "describe", "data": {{"a": {nested[:12_000]}}}}}')
    yield "long header", b'{"type": "describe", "a": "' + b"x" * LIMITS.header + b'"}\n'
    yield "endless header", b" " * 200_000
    yield "long integer", raw('{"type": "describe", "n": ' + "9" * 5000 + "}")


def broken_off() -> Iterator[tuple[str, bytes]]:
    """A good question that ends too soon, everywhere that matters."""
    for end in range(1, len(QUESTION), 3):
        yield f"at byte {end}", QUESTION[:end]


HOSTILE = dict([*not_events(), *broken_off()])


@pytest.mark.parametrize("data", HOSTILE.values(), ids=list(HOSTILE))
async def test_what_is_no_event_ends_its_own_connection_only(data: bytes, server: Server) -> None:
    assert await server.send(data) == []
    assert len(server.log.text) <= 110
    await server.is_described()


async def test_random_bytes_never_break_anything(server: Server) -> None:
    chance = random.Random(6)  # noqa: S311
    for _ in range(100):
        await server.send(chance.randbytes(chance.randrange(1, 300)) + b"\n")
    await server.is_described()


async def test_questions_with_random_errors_never_break_anything() -> None:
    chance = random.Random(7)  # noqa: S311
    async with serving(IMPATIENT) as server:
        for _ in range(10):
            await asyncio.gather(*(server.send(with_errors(QUESTION, chance)) for _ in range(20)))
        await server.is_described()
        assert len(server.log.text) < 100 * 200


def with_errors(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randrange(1, 4)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


HOSTILE_VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 1.5, 10**40, [], ["hello"], {}, {"text": "x"},
    "", " ", "\x00", "\ud800", "\udfff\ud800", "a\ud83d", "\r\n\r\n", "\u202egnirts", "\u2028", "\x1b[2J", "\ufffe",
    "'; DROP TABLE calls; --", "{{ states }}", "{% for x in y %}", "%s%n", "../../etc/passwd", "{sentence}",
    "x" * 3000, "é" * 30_000, '"' * 5000, "[" * 5000, "\\" * 5000,
)  # fmt: skip


@pytest.mark.parametrize("place", ["text", "language", "context", "conversation_id", "device_id", "satellite_id"])
@pytest.mark.parametrize("value", HOSTILE_VALUES, ids=lambda value: ascii(value)[:16])
async def test_every_question_is_answered_whatever_is_in_it(place: str, value: Any, server: Server) -> None:
    data: dict[str, Any] = {"text": "hello", "language": "en", "context": {}}
    (data["context"] if place.endswith("_id") else data)[place] = value
    event = await server.ask(frame_by_hand("transcript", data))
    assert event is not None
    assert isinstance(event.data["text"], str)
    assert not re.search("[\x00-\x08\x0b-\x1f\ud800-\udfff]", event.data["text"])


def frame_by_hand(kind: str, data: Any, **header: Any) -> bytes:
    """The library can't write half a surrogate pair, a stranger can."""
    encoded = json.dumps(data).encode()
    return json.dumps({"type": kind, "data_length": len(encoded), **header}).encode() + b"\n" + encoded


@pytest.mark.parametrize(
    "data",
    [
        raw('{"type": "transcript"}'),
        raw('{"type": "recognize"}'),
        raw('{"type": "transcript", "data": null}'),
        raw('{"type": "transcript", "data_length": null, "payload_length": null}'),
        raw('{"type": "transcript", "data": {"text": "in the header"}}'),
        raw('{"type": "transcript", "data_length": 2, "payload_length": 4}', b"{}\n\n\n\n"),
        raw('{"type": "transcript", "data_length": 13}', b'{"text": "\xff"}'),
        raw('{"type": "transcript", "data_length": 13}', b'{"text": NaN}'),
        raw('{"type": "transcript", "type": "transcript", "version": [], "extra": {"a": [1]}}'),
        raw('  {"type" : "transcript"}\r'),
    ],
)
async def test_odd_questions_are_questions(data: bytes, server: Server) -> None:
    assert await server.ask(data)


async def test_events_that_we_do_not_know_are_passed_over(server: Server) -> None:
    for kind in ("audio-start", "audio-chunk", "run-satellite", "x" * 1000, "", "\x00", "\ud800"):
        assert await server.ask(frame_by_hand(kind, {"rate": 16000}, payload_length=3) + b"\n\n\n" + QUESTION)


@pytest.mark.parametrize(
    ("first", "drop"),
    [
        (b"", b""),
        (b"", b" "),
        (b'{"type": "descr', b""),
        (raw('{"type": "transcript", "data_length": 50}'), b"x"),
        (raw('{"type": "transcript", "data_length": 200000}', b"x" * 100_000), b"x"),
        (raw('{"type": "audio-chunk", "payload_length": 50000}'), b"x"),
        (DESCRIBE, b""),
    ],
    ids=["silence", "spaces", "half a header", "data", "large data", "payload", "silence afterwards"],
)
async def test_who_is_slow_is_given_up(first: bytes, drop: bytes, server: Server) -> None:
    reader, writer = await server.connect()
    writer.write(first)

    async def drip() -> None:
        while drop:
            writer.write(drop)
            await asyncio.sleep(0.01)  # slower than the deadline of the event, faster than any other

    dripping = asyncio.create_task(drip())
    await server.is_described()
    with suppress(ConnectionError):
        while await reader.read(1000):
            pass
    dripping.cancel()
    writer.transport.abort()


FLOODS = {
    "describe": DESCRIBE,
    "pings": frame(Event("ping", {"text": "x" * 1000})),
    "large pings": frame(Event("ping", {"text": "x" * 200_000})),
    "questions": QUESTION,
    "unknown events": frame(Event("voice-started", {"timestamp": 1})),
    "audio": raw('{"type": "audio-chunk", "payload_length": 2048}', bytes(2048)),
    "garbage": b"}{\n",
    "nesting": raw('{"type": "ping", "data_length": 262144}', b"[" * 262_144),
    "quotes": raw('{"type": "ping", "data_length": 262144}', b"[" * 40 + b'"\\' * 131_052),
    "newlines": b"\n",
}


@pytest.mark.parametrize("data", FLOODS.values(), ids=list(FLOODS))
async def test_a_flood_does_not_drown_others(data: bytes) -> None:
    async with serving() as server:
        floods = [asyncio.create_task(flood(server, data * (65536 // len(data) + 1))) for _ in range(10)]
        for _ in range(20):
            await server.is_described()
            assert await server.ask(QUESTION)
        for task in floods:
            task.cancel()
        await asyncio.wait(floods)
        assert len(server.log.text) < 5000


async def flood(server: Server, data: bytes) -> None:
    """Send without reading, from a new connection when the old one is closed."""
    while True:
        _, writer = await server.connect()
        try:
            while True:
                writer.write(data)
                await writer.drain()
                await asyncio.sleep(0)
        except ConnectionError:
            await asyncio.sleep(0)
        finally:
            writer.transport.abort()


async def test_large_events_that_never_end_take_little_memory() -> None:
    unfinished = raw('{"type": "ping", "data_length": 262144}', b"x" * 255_000)
    async with serving() as server:
        before = resident()
        clients = [await server.connect() for _ in range(110)]
        for _, writer in clients:
            writer.write(unfinished)
        for _ in range(10):
            await server.is_described()
        # The clients live in this process, too: what the kernel does not take of them waits in their buffers.
        waiting = sum(writer.transport.get_write_buffer_size() for _, writer in clients)
        assert resident() - before - waiting < 24_000_000
        for _, writer in clients:
            writer.transport.abort()


def resident() -> int:
    """Bytes of memory in use."""
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()


async def test_questions_from_everywhere_are_answered_or_told_that_we_are_busy() -> None:
    go_on = asyncio.Event()

    async def slow(utterance: Utterance, until: float) -> AsyncGenerator[str, None]:
        await go_on.wait()
        yield "done"

    async def serve(connection: ClientConnection) -> None:
        await Handler(info=lambda: INFO, reply=slow, connection=connection).run()

    listener = Listener("tcp://127.0.0.1:0", serve)
    await listener.start()
    assert listener.port is not None
    server = Server(listener.port, Log())
    asking = [asyncio.create_task(server.ask(QUESTION)) for _ in range(40)]
    refused = 40 - LIMITS.turns - LIMITS.waiting
    while sum(task.done() for task in asking) < refused:
        await asyncio.wait([task for task in asking if not task.done()], return_when=asyncio.FIRST_COMPLETED)
    go_on.set()
    answers = [event.data["text"] for event in await asyncio.gather(*asking) if event is not None]
    assert answers.count(say("busy", "en")) == refused
    assert answers.count("done") == LIMITS.turns + LIMITS.waiting
    await listener.stop()


@asynccontextmanager
async def program(*arguments: str, **environment: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, Server]]:
    """The program itself with 1,024 descriptors, as systemd starts it."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("HASS_", "OPENAI_", "WYOMING_"))}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "wyoming_openai", "--uri", "tcp://127.0.0.1:0", "--admin-uri", "off", *arguments,
        env=own | environment, stderr=asyncio.subprocess.PIPE,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024)),
    )  # fmt: skip
    assert process.stderr is not None
    try:
        line = ""
        while "listens on port" not in line:
            line = (await process.stderr.readline()).decode()
            assert line, "the program ended before it listened"
        yield process, Server(int(line.partition("listens on port ")[2].partition(".")[0]), Log())
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_more_silent_connections_than_descriptors_shut_nobody_out() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    silent: list[asyncio.StreamWriter] = []
    try:
        async with program() as (process, server):
            silent += [(await server.connect())[1] for _ in range(min(1200, hard - 200))]
            for _ in range(10):
                await server.is_described()
                assert await server.ask(QUESTION)
            descriptors = len(os.listdir(f"/proc/{process.pid}/fd"))
            process.terminate()
            _, log = await process.communicate()
    finally:
        for writer in silent:
            writer.transport.abort()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert descriptors < 256
    assert process.returncode == 0
    assert len(log) < 5000


async def test_the_program_ends_in_time_whoever_is_connected() -> None:
    async with openai_api() as openai:
        openai.will(*(Silence() for _ in range(10)))
        environment = {"OPENAI_BASE_URL": openai.url, "OPENAI_API_KEY": "sk-test"}
        async with program("--deadline", "60", **environment) as (process, server):
            silent, half = await server.connect(), await server.connect()
            half[1].write(QUESTION[:20])
            deaf = asyncio.create_task(flood(server, DESCRIBE * 1000))
            reader, writer = await server.connect()
            writer.write(frame(Transcript("who painted the Mona Lisa?", language="en").event()))
            await openai.asked.wait()
            process.terminate()
            async with asyncio.timeout(15):
                event = await async_read_event(reader)
                _, log = await process.communicate()
            deaf.cancel()
            await asyncio.wait([deaf])
            for _, stream in (silent, half, (reader, writer)):
                stream.transport.abort()
    assert event is not None
    assert event.data["text"] == say("restarting", "en")
    assert process.returncode == 0
    assert b"Traceback" not in log
