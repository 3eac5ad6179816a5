"""Events from strangers: what is Wyoming gets through, everything else is refused early and cheaply."""

import asyncio
import json

import pytest
from wyoming.event import Event, async_read_event
from wyoming.handle import Handled

from wyoming_openai.wyoming_server.admission import LIMITS, Admission, AdmissionLimits
from wyoming_openai.wyoming_server.framing import ClientLeft, EventReader, EventWriter, frame


def stream_of(data: bytes, *, ends: bool = True) -> asyncio.StreamReader:
    stream = asyncio.StreamReader()
    stream.feed_data(data)
    if ends:
        stream.feed_eof()
    return stream


def reader_of(data: bytes, limits: AdmissionLimits = LIMITS, *, ends: bool = True) -> EventReader:
    return EventReader(stream_of(data, ends=ends).read, Admission(limits).admit(None))


async def refusal(reader: EventReader, caplog: pytest.LogCaptureFixture) -> str:
    """Why nothing more is read."""
    with caplog.at_level("INFO"):
        assert await reader.next() is None
    return caplog.messages[-1]


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
        b"x" * (LIMITS.header + 2),
        *(
            json.dumps({"type": "transcript", key: length}).encode() + b"\n{}"
            for key in ("data_length", "payload_length")
            for length in (-1, 1.5, True, "2", [], 2**31, 2**63, 10**30, LIMITS.data + 1, float("inf"), float("nan"))
        ),
        b'{"type": "transcript", "data_length": 1e999}\n{}',
        b'{"type": "transcript", "data_length": 2}\n[]',
        b'{"type": "transcript", "data_length": 9}\n{}',
        b'{"type": "transcript"',
    ],
)
async def test_what_is_no_event_is_refused_in_one_short_line(data: bytes, caplog: pytest.LogCaptureFixture) -> None:
    assert len(await refusal(reader_of(data), caplog)) < 50


def nested(depth: int) -> bytes:
    return b'{"type": "describe", "data": {"a": ' + b"[" * (depth - 2) + b"]" * (depth - 2) + b"}}\n"


async def test_nesting_is_read_to_its_limit() -> None:
    assert await reader_of(nested(LIMITS.depth)).next() is not None


async def test_deeper_nesting_is_not_even_parsed(caplog: pytest.LogCaptureFixture) -> None:
    assert "a header that" in await refusal(reader_of(nested(LIMITS.depth + 1)), caplog)


@pytest.mark.parametrize("text", ["[" * 5000, '"[{' * 500, "\\\\[" * 1000, '\\"' * 3000])
async def test_brackets_that_are_only_said_are_no_nesting(text: str) -> None:
    event = Event("transcript", {"text": text})
    assert await reader_of(frame(event)).next() == event


async def test_a_question_in_broken_utf_8_is_still_one() -> None:
    event = await reader_of(b'{"type": "transcript", "data_length": 13}\n{"text": "\xff"}').next()
    assert event == Event("transcript", {"text": "\ufffd"})


async def test_large_events_share_a_little_memory(caplog: pytest.LogCaptureFixture) -> None:
    admission = Admission(AdmissionLimits(large_frames=100_000))
    event = b'{"type": "describe", "data_length": 60000}\n'
    first = asyncio.create_task(EventReader(stream_of(event, ends=False).read, admission.admit(None)).next())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    second = EventReader(stream_of(event, ends=False).read, admission.admit(None))
    assert "more large events" in await refusal(second, caplog)
    small = EventReader(stream_of(frame(Event("describe"))).read, admission.admit(None))
    assert await small.next() == Event("describe")
    first.cancel()


async def test_an_event_that_never_ends_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    reader = reader_of(b'{"type"', AdmissionLimits(frame=0.01), ends=False)
    assert "never ends" in await refusal(reader, caplog)


async def test_silence_ends_the_connection_quietly(caplog: pytest.LogCaptureFixture) -> None:
    assert await reader_of(b"", AdmissionLimits(first_byte=0.01), ends=False).next() is None
    assert not caplog.messages


async def test_silence_after_an_event_ends_the_connection_too() -> None:
    reader = reader_of(frame(Event("describe")), AdmissionLimits(idle=0.01), ends=False)
    assert await reader.next() == Event("describe")
    assert await reader.next() is None


async def test_who_waits_for_an_answer_may_be_silent() -> None:
    guest = Admission(AdmissionLimits(first_byte=0.01)).admit(None)
    guest.open_questions = 1
    stream = stream_of(b"", ends=False)
    waiting = asyncio.create_task(EventReader(stream.read, guest).next())
    asyncio.get_running_loop().call_later(0.03, stream.feed_data, frame(Event("describe")))
    assert await waiting == Event("describe")


async def test_a_stopped_reader_ends_at_once_and_still_awaits_answers() -> None:
    for data in (b"", b'{"type"'):
        reader = reader_of(data, ends=False)
        waiting = asyncio.create_task(reader.next())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        reader.stop()
        assert await waiting is None
        assert reader.awaits_answers


async def test_what_had_arrived_before_the_stop_is_read() -> None:
    reader = reader_of(frame(Event("describe")) * 2, ends=False)
    await reader.next()
    reader.stop()
    assert [await reader.next(), await reader.next()] == [Event("describe"), None]


async def test_nothing_follows_half_an_event() -> None:
    async def stuck(data: bytes) -> None:
        await asyncio.Event().wait()

    writer = EventWriter(stuck, 0.01)
    with pytest.raises(ClientLeft):
        await writer.write(Event("describe"))
    with pytest.raises(ClientLeft):
        await writer.write(Event("describe"))


def test_a_lone_surrogate_does_not_lose_the_answer() -> None:
    assert b"half ? a pair" in frame(Handled("half \ud800 a pair").event())
