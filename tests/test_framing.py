"""Events from strangers: what is Wyoming gets through, everything else is refused early and cheaply."""

import asyncio
import json

import pytest
from wyoming.event import Event, async_read_event
from wyoming.handle import Handled

from wyoming_openai import framing
from wyoming_openai.framing import MAX_DATA, MAX_HEADER, BadFrame, EventReader, frame


def stream_of(data: bytes, *, ends: bool = True) -> asyncio.StreamReader:
    stream = asyncio.StreamReader()
    stream.feed_data(data)
    if ends:
        stream.feed_eof()
    return stream


def reader_of(data: bytes) -> EventReader:
    return EventReader(stream_of(data))


async def test_what_the_library_writes_is_read() -> None:
    event = Handled("Die Küche ist 21 °C warm. 居間 ☀").event()
    assert await reader_of(frame(event)).next() == event


async def test_what_is_written_the_library_reads() -> None:
    event = Handled("Die Küche ist 21 °C warm. 居間 ☀").event()
    assert await async_read_event(stream_of(frame(event))) == event


async def test_data_may_stand_in_the_header_too() -> None:
    line = b'{"type": "transcript", "data": {"text": "hello"}}\n'
    assert await reader_of(line).next() == Event("transcript", {"text": "hello"})


async def test_events_follow_one_another_and_the_end_is_none() -> None:
    reader = reader_of(frame(Event("describe")) + frame(Event("ping", {"text": "a"})))
    assert [await reader.next(), await reader.next(), await reader.next()] == [
        Event("describe"),
        Event("ping", {"text": "a"}),
        None,
    ]
    assert not reader.awaits_answers


async def test_a_payload_is_skipped() -> None:
    audio = b'{"type": "audio-chunk", "payload_length": 4}\n\x00\x01\x02\n' + frame(Event("describe"))
    reader = reader_of(audio)
    assert (await reader.next(), await reader.next()) == (Event("audio-chunk"), Event("describe"))


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\n",
        b"[]\n",
        b"null\n",
        b"3\n",
        b"{}\n",
        b'{"type": 7}\n',
        b'{"type": "transcript", "data": []}x\n',
        b'{"type": "transcript", "data": [1]}\n',
        b"\xff\xfe\n",
        b"[" * 15000 + b"\n",
        b'{"type": "x", "n": ' + b"9" * 5000 + b"}\n",
        b"x" * (MAX_HEADER + 2),
        *(
            json.dumps({"type": "transcript", key: length}).encode() + b"\n{}"
            for key in ("data_length", "payload_length")
            for length in (-1, 1.5, True, "2", [], 2**31, 2**63, 10**30, MAX_DATA + 1, float("inf"), float("nan"))
        ),
        b'{"type": "transcript", "data_length": 1e999}\n{}',
        b'{"type": "transcript", "data_length": 2}\n[]',
        b'{"type": "transcript", "data_length": 9}\n{}',
        b'{"type": "transcript"',
    ],
)
async def test_what_is_no_event_is_refused(data: bytes) -> None:
    with pytest.raises(BadFrame):
        await reader_of(data).next()


async def test_an_event_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(framing, "FRAME_TIMEOUT", 0.01)
    with pytest.raises(BadFrame, match="never ends"):
        await EventReader(stream_of(b'{"type"', ends=False)).next()


async def test_silence_ends_the_connection_quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(framing, "FIRST_BYTE_TIMEOUT", 0.01)
    assert await EventReader(stream_of(b"", ends=False)).next() is None


async def test_a_stopped_reader_ends_at_once_and_still_awaits_answers() -> None:
    reader = EventReader(stream_of(b"", ends=False))
    waiting = asyncio.create_task(reader.next())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    reader.stop()
    assert await waiting is None
    assert reader.awaits_answers


def test_a_lone_surrogate_does_not_lose_the_answer() -> None:
    assert b"half ? a pair" in frame(Handled("half \ud800 a pair").event())
