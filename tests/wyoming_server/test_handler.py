"""Over a real socket: whoever asks is answered, in Wyoming's order, whatever happens behind."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from wyoming.asr import Transcript
from wyoming.client import AsyncUnixClient
from wyoming.event import Event, async_read_event, async_write_event
from wyoming.handle import Handled, HandledChunk, HandledStart, HandledStop, NotHandled
from wyoming.info import Describe, Info
from wyoming.ping import Ping, Pong

from wyoming_openai.messages import CannotAnswer, Utterance
from wyoming_openai.speech.phrasebook import say
from wyoming_openai.wyoming_server.admission import LIMITS, Admission, AdmissionLimits
from wyoming_openai.wyoming_server.handler import DEADLINE, MAX_TEXT, Handler, Reply, describe, utterance_from
from wyoming_openai.wyoming_server.listener import ClientConnection, Listener

INFO = describe(name="House", model="gpt-test")


@asynccontextmanager
async def serving(
    reply: Reply, tmp_path: Path, limits: AdmissionLimits = LIMITS, deadline: float = DEADLINE
) -> AsyncIterator[Listener]:
    async def serve(connection: ClientConnection) -> None:
        await Handler(info=lambda: INFO, reply=reply, connection=connection, patience=lambda _: deadline).run()

    listener = Listener(f"unix://{tmp_path}/socket", serve, Admission(limits))
    await listener.start()
    try:
        yield listener
    finally:
        await listener.stop()


@asynccontextmanager
async def client_of(
    tmp_path: Path, reply: Reply, limits: AdmissionLimits = LIMITS, deadline: float = DEADLINE
) -> AsyncIterator[AsyncUnixClient]:
    async with serving(reply, tmp_path, limits, deadline), AsyncUnixClient(f"{tmp_path}/socket") as client:
        yield client


async def events_until(client: AsyncUnixClient, last: str) -> list[Event]:
    events: list[Event] = []
    while not events or events[-1].type != last:
        event = await client.read_event()
        assert event is not None, f"closed after {events}"
        events.append(event)
    return events


async def echo(utterance: Utterance, until: float) -> AsyncGenerator[str, None]:
    yield "You said: "
    yield utterance.text


async def refuse(utterance: Utterance, until: float) -> AsyncGenerator[str, None]:
    raise CannotAnswer("model_unreachable")
    yield ""


async def test_describe_tells_one_handle_program_for_all_languages(tmp_path: Path) -> None:
    async with client_of(tmp_path, echo) as client:
        await client.write_event(Describe().event())
        info = Info.from_event((await events_until(client, "info"))[0])
    (program,) = info.handle
    assert program.installed
    assert program.supports_handled_streaming
    assert not program.supports_home_control
    assert [(model.name, model.languages) for model in program.models] == [("gpt-test", [])]


@pytest.mark.parametrize("kind", ["transcript", "recognize"])
async def test_a_question_streams_and_ends_with_the_whole_text(kind: str, tmp_path: Path) -> None:
    async with client_of(tmp_path, echo) as client:
        await client.write_event(Event(kind, {"text": "hello", "language": "en", "context": {"conversation_id": "1"}}))
        events = await events_until(client, "handled-stop")
    assert events == [
        HandledStart().event(),
        HandledChunk("You said: ").event(),
        HandledChunk("hello").event(),
        Handled("You said: hello").event(),
        HandledStop().event(),
    ]


async def test_a_failure_is_a_sentence_in_the_language_of_the_question(tmp_path: Path) -> None:
    async with client_of(tmp_path, refuse) as client:
        await client.write_event(Transcript("Hallo", language="de-CH").event())
        assert await client.read_event() == NotHandled(say("model_unreachable", "de")).event()


async def test_a_bug_is_an_apology_and_never_silence(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def broken(utterance: Utterance, until: float) -> AsyncGenerator[str, None]:
        raise ZeroDivisionError
        yield ""

    async with client_of(tmp_path, broken) as client:
        await client.write_event(Transcript("hello", language="en").event())
        assert await client.read_event() == NotHandled(say("apology", "en")).event()
    assert "ZeroDivisionError" in caplog.text


async def test_a_bug_in_the_middle_keeps_what_was_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def broken(utterance: Utterance, until: float) -> AsyncGenerator[str, None]:
        yield "The light is"
        raise ZeroDivisionError

    async with client_of(tmp_path, broken) as client:
        await client.write_event(Transcript("hello", language="en").event())
        handled = Handled.from_event((await events_until(client, "handled"))[-1])
    assert handled.text == "The light is " + say("apology", "en")


@pytest.mark.parametrize("text", ["", None, 7, [], {}, True, "\x00", "\ud800\ud800"])
async def test_a_question_without_words_still_gets_an_answer(text: object, tmp_path: Path) -> None:
    async def nothing(utterance: Utterance, until: float) -> AsyncGenerator[str, None]:
        raise CannotAnswer("nothing_heard")
        yield utterance.text

    # Written by hand: the library's client can't send half a surrogate pair.
    line = json.dumps({"type": "transcript", "data": {"text": text, "context": [], "language": 3}}).encode() + b"\n"
    async with serving(nothing, tmp_path):
        reader, writer = await asyncio.open_unix_connection(f"{tmp_path}/socket")
        writer.write(line)
        assert await async_read_event(reader) == NotHandled(say("nothing_heard", "en")).event()
        writer.close()


async def test_an_empty_answer_becomes_a_sentence(tmp_path: Path) -> None:
    async def empty(utterance: Utterance, until: float) -> AsyncGenerator[str, None]:
        yield "  "

    async with client_of(tmp_path, empty) as client:
        await client.write_event(Transcript("hello", language="en").event())
        assert Handled.from_event((await events_until(client, "handled"))[-1]).text == say("model_no_answer", "en")


async def test_describe_and_ping_are_answered_while_a_question_is(tmp_path: Path) -> None:
    go_on = asyncio.Event()

    async def slow(utterance: Utterance, until: float) -> AsyncGenerator[str, None]:
        await go_on.wait()
        yield "done"

    async with client_of(tmp_path, slow) as client:
        await client.write_event(Transcript("hello").event())
        await client.write_event(Event("voice-started", {}))
        await client.write_event(Ping("still there?").event())
        assert await client.read_event() == Pong("still there?").event()
        await client.write_event(Describe().event())
        assert Info.is_type((await events_until(client, "info"))[0].type)
        go_on.set()
        assert Handled.from_event((await events_until(client, "handled"))[-1]).text == "done"


async def test_a_caller_who_hangs_up_stops_the_answer(tmp_path: Path) -> None:
    begun, cancelled = asyncio.Event(), asyncio.Event()

    async def endless(utterance: Utterance, until: float) -> AsyncGenerator[str, None]:
        try:
            begun.set()
            await asyncio.Event().wait()
            yield ""
        finally:
            cancelled.set()

    async with serving(endless, tmp_path):
        async with AsyncUnixClient(f"{tmp_path}/socket") as client:
            await client.write_event(Transcript("hello").event())
            await begun.wait()
        await cancelled.wait()


async def test_questions_on_one_connection_are_answered_in_order(tmp_path: Path) -> None:
    async with client_of(tmp_path, echo) as client:
        for text in ("one", "two"):
            await client.write_event(Transcript(text).event())
        texts = [(await events_until(client, "handled-stop"))[-2].data["text"] for _ in range(2)]
    assert texts == ["You said: one", "You said: two"]


async def test_what_was_asked_before_garbage_is_answered(tmp_path: Path) -> None:
    async with serving(echo, tmp_path):
        reader, writer = await asyncio.open_unix_connection(f"{tmp_path}/socket")
        writer.write(b'{"type": "transcript", "data": {"text": "hello"}}\nGET / HTTP/1.1\r\n\r\n')
        kinds = []
        while (event := await async_read_event(reader)) is not None:
            kinds.append(event.type)
        writer.close()
    assert kinds == ["handled-start", "handled-chunk", "handled-chunk", "handled", "handled-stop"]


async def test_a_caller_who_hangs_up_after_garbage_stops_the_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wyoming_openai.wyoming_server.framing.LOOK", 0.01)
    begun, stopped = asyncio.Event(), asyncio.Event()

    async def endless(utterance: Utterance, heard: float) -> AsyncGenerator[str, None]:
        try:
            begun.set()
            await asyncio.Event().wait()
            yield ""
        finally:
            stopped.set()

    async with serving(endless, tmp_path):
        _, writer = await asyncio.open_unix_connection(f"{tmp_path}/socket")
        await async_write_event(Transcript("hello").event(), writer)
        writer.write(b"[]\n")
        await begun.wait()
        writer.close()
        await asyncio.wait_for(stopped.wait(), 10)


async def test_a_text_beyond_all_speech_is_not_worth_a_turn(tmp_path: Path) -> None:
    async with client_of(tmp_path, echo) as client:
        await client.write_event(Transcript("x" * (MAX_TEXT + 1)).event())
        assert await client.read_event() == NotHandled(say("too_long", "en")).event()
        await client.write_event(Transcript("x" * MAX_TEXT).event())
        assert await events_until(client, "handled-stop")


async def test_what_can_not_be_spoken_does_not_get_out(tmp_path: Path) -> None:
    async def rough(utterance: Utterance, until: float) -> AsyncGenerator[str, None]:
        yield "one\x00two"
        yield "\ud800three\n"

    async with client_of(tmp_path, rough) as client:
        await client.write_event(Transcript("hello").event())
        assert Handled.from_event((await events_until(client, "handled"))[-1]).text == "one two three"


async def test_a_reply_that_loses_its_way_is_cut_at_the_deadline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wyoming_openai.wyoming_server.handler.LAST_WORD", 0.01)
    monkeypatch.setattr("wyoming_openai.wyoming_server.handler.LINE", 0.0)
    ended = asyncio.Event()

    async def lost(utterance: Utterance, until: float) -> AsyncGenerator[str, None]:
        try:
            if utterance.text == "begin":
                yield "Well,"
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with client_of(tmp_path, lost, deadline=0.02) as client:
        await client.write_event(Transcript("hello").event())
        assert await client.read_event() == NotHandled(say("too_slow", "en")).event()
        assert ended.is_set()
        await client.write_event(Transcript("begin").event())
        handled = Handled.from_event((await events_until(client, "handled"))[-1])
    assert handled.text == "Well, " + say("too_slow", "en")


@pytest.mark.parametrize("error", [ConnectionResetError, TimeoutError, KeyError, RecursionError])
async def test_no_failure_behind_us_is_taken_for_a_client_that_left(
    error: type[Exception], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(utterance: Utterance, until: float) -> AsyncGenerator[str, None]:
        raise error
        yield ""

    async with client_of(tmp_path, broken) as client:
        await client.write_event(Transcript("hello", language="en").event())
        assert await client.read_event() == NotHandled(say("apology", "en")).event()
    assert error.__name__ in caplog.text


async def test_too_many_questions_on_one_connection_hear_that_we_are_busy(tmp_path: Path) -> None:
    go_on = asyncio.Event()

    async def slow(utterance: Utterance, until: float) -> AsyncGenerator[str, None]:
        await go_on.wait()
        yield utterance.text

    async with client_of(tmp_path, slow, AdmissionLimits(waiting=2)) as client:
        for number in range(3):
            await client.write_event(Transcript(str(number), language="de").event())
        assert await client.read_event() == NotHandled(say("busy", "de")).event()
        go_on.set()
        texts = [(await events_until(client, "handled-stop"))[-2].data["text"] for _ in range(2)]
    assert texts == ["0", "1"]


def test_what_a_caller_claims_is_bounded() -> None:
    context = {"conversation_id": "x" * 1000, "device_id": 7, "satellite_id": "assist_satellite.hall"}
    data = {"text": "a\x00b\nc" + "d" * 5000, "language": "en_US", "context": context}
    utterance = utterance_from(Event("transcript", data), "de")
    assert utterance.text.startswith("a b cd")
    assert len(utterance.text) == MAX_TEXT + 1
    assert utterance.language == "en-US"
    assert (utterance.conversation_id, utterance.device_id) == (None, None)
    assert utterance.satellite_id == "assist_satellite.hall"


@pytest.mark.parametrize("claim", ["", "a\nb", "\ud800", "x" * 129, 7, None, []])
def test_what_can_be_no_id_is_none(claim: object) -> None:
    event = Event("transcript", {"text": "hi", "context": {"conversation_id": claim, "device_id": claim}})
    utterance = utterance_from(event, "en", "192.0.2.7")
    assert (utterance.conversation_id, utterance.device_id) == (None, None)
    assert utterance.caller == "192.0.2.7"


@pytest.mark.parametrize("language", ["", "x" * 40, "en; rm", 7, None, "日本語"])
def test_a_language_that_is_none_becomes_the_default(language: object) -> None:
    assert utterance_from(Event("transcript", {"text": "hi", "language": language}), "fr").language == "fr"
