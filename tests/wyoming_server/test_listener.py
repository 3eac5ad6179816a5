"""Sockets: who is let in is served, who is not is closed, and at the end everybody is gone in time."""

import asyncio
import errno
import socket
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_network
from pathlib import Path

import pytest
from wyoming.asr import Transcript
from wyoming.client import AsyncTcpClient
from wyoming.event import Event
from wyoming.handle import Handled, NotHandled
from wyoming.info import Describe, Info

from wyoming_openai.messages import Utterance
from wyoming_openai.speech.phrasebook import say
from wyoming_openai.wyoming_server.admission import Admission, AdmissionLimits
from wyoming_openai.wyoming_server.handler import Handler, describe
from wyoming_openai.wyoming_server.listener import CannotListen, ClientConnection, Listener

INFO = describe(name="House", model="gpt-test")


class Replies:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()

    async def reply(self, utterance: Utterance, until: float) -> AsyncGenerator[str, None]:
        self.begun.set()
        await self.go_on.wait()
        yield "done"


async def nothing(connection: ClientConnection) -> None:
    """Serve nobody."""


@asynccontextmanager
async def listening(admission: Admission, replies: Replies | None = None) -> AsyncIterator[Listener]:
    reply = (replies or Replies()).reply

    async def serve(connection: ClientConnection) -> None:
        await Handler(info=lambda: INFO, reply=reply, connection=connection).run()

    listener = Listener("tcp://127.0.0.1:0", serve, admission)
    await listener.start()
    try:
        yield listener
    finally:
        await listener.stop()


def client_of(listener: Listener) -> AsyncTcpClient:
    assert listener.port is not None
    return AsyncTcpClient("127.0.0.1", listener.port)


async def described(client: AsyncTcpClient) -> bool:
    await client.write_event(Describe().event())
    event = await client.read_event()
    return event is not None and Info.is_type(event.type)


async def answer(client: AsyncTcpClient) -> Event | None:
    while (event := await client.read_event()) is not None:
        if event.type in ("handled", "not-handled"):
            return event
    return None


async def test_an_address_in_use_is_named() -> None:
    async with listening(Admission()) as first:
        second = Listener(f"tcp://127.0.0.1:{first.port}", nothing)
        with pytest.raises(CannotListen, match=str(first.port)):
            await second.start()


async def test_a_name_is_listened_on_with_all_its_addresses() -> None:
    listener = Listener("tcp://localhost:0", nothing)
    await listener.start()
    assert listener.port
    await listener.stop()


async def test_a_socket_left_by_a_killed_process_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    listener = Listener(f"unix://{path}", nothing)
    await listener.start()
    await listener.stop()
    assert not path.exists()


async def test_a_file_in_the_way_of_a_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    path.write_text("mine")
    with pytest.raises(CannotListen, match="in use"):
        await Listener(f"unix://{path}", nothing).start()
    assert path.read_text() == "mine"


async def test_a_newcomer_is_served_however_many_are_silent() -> None:
    async with listening(Admission(AdmissionLimits(connections_per_address=3))) as listener:
        silent = [await asyncio.open_connection("127.0.0.1", listener.port) for _ in range(10)]
        async with client_of(listener) as client:
            assert await described(client)
        ended = [await reader.read() for reader, _ in silent[:7]]
        assert ended == [b""] * 7
        for _, writer in silent:
            writer.close()


async def test_a_question_in_progress_outlasts_any_number_of_newcomers() -> None:
    replies = Replies()
    admission = Admission(AdmissionLimits(connections_per_address=2))
    async with listening(admission, replies) as listener, client_of(listener) as client:
        await client.write_event(Transcript("hello").event())
        await replies.begun.wait()
        for _ in range(10):
            async with client_of(listener) as other:
                assert await described(other)
        replies.go_on.set()
        assert await answer(client) == Handled("done").event()


async def test_who_is_not_on_the_list_is_closed_before_reading() -> None:
    async with listening(Admission(allow=[ip_network("127.0.0.1/32")])) as listener:
        async with client_of(listener) as client:
            assert await described(client)
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port, local_addr=("127.0.0.2", 0))
        assert await reader.read() == b""
        writer.close()


async def test_close_to_the_limit_of_descriptors_nobody_is_let_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda _: (64, 64))
    async with listening(Admission(AdmissionLimits(spare_descriptors=64))) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        assert await reader.read() == b""
        writer.close()


async def test_a_failing_accept_is_logged_once_and_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failed = asyncio.Event()
    accept = socket.socket.accept

    def fail_once(door: socket.socket) -> tuple[socket.socket, object]:
        if failed.is_set():
            return accept(door)
        failed.set()
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr("wyoming_openai.wyoming_server.listener.REST", 0.01)
    monkeypatch.setattr(socket.socket, "accept", fail_once)
    async with listening(Admission()) as listener, client_of(listener) as client:
        assert await described(client)
    assert caplog.text.count("Too many open files") == 1


async def test_connections_are_probed_for_life() -> None:
    seen: list[int] = []

    async def look(connection: ClientConnection) -> None:
        receive = connection.reader._receive
        stream: socket.socket = receive.args[0]  # type: ignore[attr-defined]
        seen.extend(
            stream.getsockopt(socket.IPPROTO_TCP, option)
            for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
        )
        seen.append(stream.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE))

    listener = Listener("tcp://127.0.0.1:0", look)
    await listener.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    assert await reader.read() == b""
    writer.close()
    await listener.stop()
    assert seen == [60, 20, 3, 1]


async def test_a_bug_in_serving_closes_one_connection(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(connection: ClientConnection) -> None:
        raise ZeroDivisionError

    listener = Listener("tcp://127.0.0.1:0", broken)
    await listener.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    assert await reader.read() == b""
    writer.close()
    await listener.stop()
    assert "ZeroDivisionError" in caplog.text


async def test_stopping_finishes_the_answer_in_progress() -> None:
    replies = Replies()
    async with listening(Admission(), replies) as listener, client_of(listener) as client:
        await client.write_event(Transcript("hello").event())
        await replies.begun.wait()
        stopping = asyncio.create_task(listener.stop())
        await asyncio.sleep(0)
        replies.go_on.set()
        assert await answer(client) == Handled("done").event()
        await stopping


async def test_who_is_not_answered_before_the_end_hears_why() -> None:
    replies = Replies()
    async with (
        listening(Admission(AdmissionLimits(turns=1, stop=0.01)), replies) as listener,
        client_of(listener) as running,
        client_of(listener) as waiting,
    ):
        await running.write_event(Transcript("hello").event())
        await replies.begun.wait()
        await waiting.write_event(Transcript("hallo", language="de").event())
        assert await described(waiting)
        await listener.stop()
        assert await answer(running) == NotHandled(say("restarting", "en")).event()
        assert await answer(waiting) == NotHandled(say("restarting", "de")).event()
        assert await running.read_event() is None


async def test_a_client_that_does_not_read_does_not_hold_up_the_end() -> None:
    writing = asyncio.Event()

    async def endless(utterance: Utterance, until: float) -> AsyncGenerator[str, None]:
        while True:
            writing.set()
            yield "x" * 1_000_000

    async def serve(connection: ClientConnection) -> None:
        await Handler(info=lambda: INFO, reply=endless, connection=connection).run()

    listener = Listener("tcp://127.0.0.1:0", serve, Admission(AdmissionLimits(stop=0.01)))
    await listener.start()
    async with client_of(listener) as client:
        await client.write_event(Transcript("hello").event())
        await writing.wait()
        await listener.stop()
    assert not [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]


async def test_a_client_that_does_not_read_is_given_up() -> None:
    limits = AdmissionLimits(write=0.01, events_at_once=1e6, address_events_at_once=1e6)
    async with listening(Admission(limits)) as listener:
        _, writer = await asyncio.open_connection("127.0.0.1", listener.port, limit=1)
        with pytest.raises(ConnectionError):
            await talk_without_end(writer)
        writer.transport.abort()


async def test_a_flood_ends_with_whoever_sent_it() -> None:
    left = asyncio.Event()

    async def serve(connection: ClientConnection) -> None:
        await Handler(info=lambda: INFO, reply=Replies().reply, connection=connection).run()
        left.set()

    limits = AdmissionLimits(events_at_once=1, events_per_second=100)  # 50 seconds for all of it
    listener = Listener("tcp://127.0.0.1:0", serve, Admission(limits))
    await listener.start()
    _, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    writer.write(b'{"type": "voice-started"}\n' * 5000)
    writer.close()
    async with asyncio.timeout(5):
        await left.wait()
    await listener.stop()


async def talk_without_end(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b'{"type": "describe"}\n' * 1000)
        await writer.drain()
        await asyncio.sleep(0)
