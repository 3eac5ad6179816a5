"""What is computed from records equals what counting second by second gives."""

import random
from collections.abc import Sequence
from itertools import pairwise

import pytest

from wyoming_openai.tools.intervals import (
    GAPS,
    Figures,
    Hour,
    Record,
    between,
    changes,
    figures_of,
    figures_of_hours,
    intervals_of,
    number,
    records_from,
    seconds_in,
    seconds_unknown,
    starts,
)

START, END = 100, 400
STATES = ("1", "2", "3.5", "unavailable", "unknown", "")


def some_records(seed: int) -> list[Record]:
    """Records at whole seconds, the first of them before the period, at its start, or after it."""
    chance = random.Random(seed)  # noqa: S311 - the same every time
    times = sorted({chance.choice((40, START, 130)), *(chance.randrange(131, END) for _ in range(12))})
    return [Record(float(at), chance.choice(STATES)) for at in times]


def second_by_second(records: Sequence[Record]) -> list[str]:
    """The state in each second of the period, "" where it is not known."""
    told = []
    for second in range(START, END):
        before = [record.state for record in records if record.at <= second]
        told.append(before[-1] if before and before[-1] not in GAPS else "")
    return told


@pytest.mark.parametrize("seed", range(60))
def test_durations_counts_and_means_are_those_of_a_count(seed: int) -> None:
    records = between(some_records(seed), START, END)
    seconds = second_by_second(some_records(seed))
    known = [state for state in seconds if state]
    spans = intervals_of(records, END)

    assert seconds_in(spans, lambda state: state == "2") == known.count("2")
    assert seconds_unknown(spans) == seconds.count("") - (records[0].at - START)
    switches = sum(old != "2" and new == "2" for old, new in pairwise(known))
    assert len(starts(spans, lambda state: state == "2")) == switches
    assert len(changes(spans)) == sum(old != new for old, new in pairwise(known))

    figures = figures_of(records, END, resets=False)
    values = [float(state) for state in known]
    if values:
        assert figures.low is not None
        assert figures.high is not None
        assert (figures.low.value, figures.high.value) == (min(values), max(values))
        assert figures.mean == pytest.approx(sum(values) / len(values))
        assert figures.increase == pytest.approx(values[-1] - values[0])
    else:
        assert figures == Figures()


@pytest.mark.parametrize("seed", range(20))
def test_figures_of_parts_add_up_to_those_of_the_whole(seed: int) -> None:
    records = between(some_records(seed), START, END)
    cut = START + 150
    parts = [between(records, START, cut), between(records, cut, END)]
    low, high = (figures_of(part, until, resets=True) for part, until in zip(parts, (cut, END), strict=True))
    whole, total = figures_of(records, END, resets=True), low + high
    assert (total.low and total.low.value) == (whole.low and whole.low.value)
    assert (total.high and total.high.value) == (whole.high and whole.high.value)
    assert total.seconds == whole.seconds
    assert total.product == pytest.approx(whole.product)


def meter(*values: str, cycles: Sequence[str] = ()) -> list[Record]:
    marks = cycles or [""] * len(values)
    return [Record(float(at), value, mark) for at, (value, mark) in enumerate(zip(values, marks, strict=True))]


@pytest.mark.parametrize(
    ("records", "resets", "increase"),
    [
        (meter("5", "7", "9"), True, 4),
        (meter("5", "7", "1", "2"), True, 2 + 1 + 1),
        (meter("5", "unavailable", "0.5"), True, 0.5),
        (meter("100", "99", "101"), True, 1),
        (meter("5", "7", "4"), False, -1),
        (meter("5", "7", "1", cycles=("a", "a", "b")), False, 3),
        (meter("5", "7", "8", cycles=("a", "b", "b")), False, 8),
    ],
)
def test_meters_count_over_their_resets(records: list[Record], resets: bool, increase: float) -> None:
    assert figures_of(records, 10, resets=resets).increase == pytest.approx(increase)


def test_a_gap_is_no_new_beginning_but_a_change_within_it_is_one() -> None:
    def is_on(state: str) -> bool:
        return state == "on"

    on = [Record(0, "off"), Record(1, "on"), Record(2, "unavailable"), Record(3, "on"), Record(4, "off")]
    assert [(stay.start, stay.end) for stay in starts(intervals_of(on, 5), is_on)] == [(1, 4)]
    hidden = [Record(0, "off"), Record(2, "unavailable"), Record(3, "on")]
    assert [stay.start for stay in starts(intervals_of(hidden, 5), is_on)] == [3]
    unseen = [Record(2, "unavailable"), Record(3, "on")]
    assert not starts(intervals_of(unseen, 5), is_on)
    assert starts(intervals_of(unseen, 5), is_on, before="off")
    assert not starts(intervals_of(unseen, 5), is_on, before="on")


def test_rows_that_make_no_sense_are_left_out() -> None:
    rows = [{"s": "on", "lu": 5.0}, {"s": "off"}, None, 7, {"s": None, "lu": 1.0}, {"s": "on", "lu": "later"}]
    assert records_from(rows) == [Record(1.0, ""), Record(5.0, "on")]
    assert records_from(None) == []


def test_an_attribute_is_read_in_place_of_the_state() -> None:
    rows = [{"s": "heat", "a": {"current_temperature": 21.5}, "lu": 1.0}, {"s": "unavailable", "a": {}, "lu": 2.0}]
    assert records_from(rows, "current_temperature") == [Record(1.0, "21.5"), Record(2.0, "unavailable")]


def test_hours_without_values_count_for_nothing() -> None:
    hours = [Hour(0, 3600, None, None, None, 2.5), Hour(3600, 7200, 10, 8, 12, None)]
    figures = figures_of_hours(hours)
    assert (figures.mean, figures.seconds, figures.increase) == (10, 3600, 2.5)


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "1e400", "on", ""])
def test_what_is_no_number_is_none(text: str) -> None:
    assert number(text) is None
