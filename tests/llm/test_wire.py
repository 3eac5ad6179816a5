"""The event stream: whole events out of bytes in any portions."""

import pytest

from wyoming_openai.llm.wire import MAX_EVENT, MAX_RESPONSE, BrokenStream, EventStream

STREAM = 'data: {"a": "ü🏠"}\n\n: ping\n\nevent: x\ndata: {"b": 2}\n\ndata: [DONE]\n\n'.encode()


def read(*portions: bytes) -> list[dict[str, object]]:
    stream = EventStream()
    return [event for portion in portions for event in stream.feed(portion)] + stream.close()


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_events_do_not_depend_on_how_the_bytes_arrive(size: int) -> None:
    portions = [STREAM[start : start + size] for start in range(0, len(STREAM), size)]
    assert read(*portions) == [{"a": "ü🏠"}, {"b": 2}]


def test_lines_may_end_in_two_ways() -> None:
    assert read(STREAM.replace(b"\n", b"\r\n")) == read(STREAM)


def test_the_space_after_the_colon_may_be_missing() -> None:
    assert read(b'data:{"a": 1}\n\n') == [{"a": 1}]


def test_an_event_of_several_lines_is_one() -> None:
    assert read(b'data: {"a":\ndata: 1}\n\n') == [{"a": 1}]


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_the_last_event_needs_no_empty_line(end: bytes) -> None:
    assert read(b'data: {"a": 1}' + end) == [{"a": 1}]


def test_nothing_counts_after_done() -> None:
    assert read(b'data: [DONE]\n\ndata: {"a": 1}\n\n') == []


@pytest.mark.parametrize("data", [b"{", b"[]", b"1", b"null", b'"x"', b'{"a": "\xff"}', b"{'a': 1}"])
def test_anything_but_an_object_breaks_the_stream(data: bytes) -> None:
    with pytest.raises(BrokenStream):
        read(b"data: " + data + b"\n\n")


def test_a_line_without_an_end_breaks_the_stream() -> None:
    with pytest.raises(BrokenStream):
        read(b"data: ", *[b"x" * 1024] * (MAX_EVENT // 1024))


def test_a_stream_without_an_end_breaks() -> None:
    stream = EventStream()
    comment = b":" + b" " * 1022 + b"\n"
    for _ in range(MAX_RESPONSE // 1024):
        stream.feed(comment)
    with pytest.raises(BrokenStream):
        stream.feed(comment)
