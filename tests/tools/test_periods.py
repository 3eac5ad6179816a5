"""Periods mean what a person in the home means by them, also where the clock is changed."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from wyoming_openai.tools import ToolError
from wyoming_openai.tools.periods import Period, moment, parse_period

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = datetime(2026, 10, 26, 15, 0, tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("text", "start", "end", "hours"),
    [
        ("today", "2026-10-26T00:00+01:00", "2026-10-27T00:00+01:00", 24),
        ("Yesterday", "2026-10-25T00:00+02:00", "2026-10-26T00:00+01:00", 25),
        ("tomorrow", "2026-10-27T00:00+01:00", "2026-10-28T00:00+01:00", 24),
        ("day before yesterday", "2026-10-24T00:00+02:00", "2026-10-25T00:00+02:00", 24),
        ("2 days ago", "2026-10-24T00:00+02:00", "2026-10-25T00:00+02:00", 24),
        ("this_week", "2026-10-26T00:00+01:00", "2026-11-02T00:00+01:00", 168),
        ("last week", "2026-10-19T00:00+02:00", "2026-10-26T00:00+01:00", 169),
        ("last-weekend", "2026-10-24T00:00+02:00", "2026-10-26T00:00+01:00", 49),
        ("next_weekend", "2026-11-07T00:00+01:00", "2026-11-09T00:00+01:00", 48),
        ("this_month", "2026-10-01T00:00+02:00", "2026-11-01T00:00+01:00", 745),
        ("last_month", "2026-09-01T00:00+02:00", "2026-10-01T00:00+02:00", 720),
        ("last_year", "2025-01-01T00:00+01:00", "2026-01-01T00:00+01:00", 8760),
        ("monday", "2026-10-26T00:00+01:00", "2026-10-27T00:00+01:00", 24),
        ("sunday", "2026-10-25T00:00+02:00", "2026-10-26T00:00+01:00", 25),
        ("last_24_hours", "2026-10-25T15:00+01:00", "2026-10-26T15:00+01:00", 24),
        ("past 36 hours", "2026-10-25T03:00+01:00", "2026-10-26T15:00+01:00", 36),
        ("this morning", "2026-10-26T06:00+01:00", "2026-10-26T12:00+01:00", 6),
        ("last_night", "2026-10-25T22:00+01:00", "2026-10-26T06:00+01:00", 8),
        ("yesterday evening", "2026-10-25T18:00+01:00", "2026-10-26T00:00+01:00", 6),
        ("tonight", "2026-10-26T18:00+01:00", "2026-10-27T00:00+01:00", 6),
        ("since_saturday", "2026-10-24T00:00+02:00", "2026-10-26T15:00+01:00", 64),
        ("since 2026-10-26T08:00", "2026-10-26T08:00+01:00", "2026-10-26T15:00+01:00", 7),
        ("last_hour", "2026-10-26T14:00+01:00", "2026-10-26T15:00+01:00", 1),
        ("last_7_days", "2026-10-19T15:00+02:00", "2026-10-26T15:00+01:00", 169),
        ("last_1_months", "2026-09-26T15:00+02:00", "2026-10-26T15:00+01:00", 721),
        ("next_7_days", "2026-10-26T15:00+01:00", "2026-11-02T15:00+01:00", 168),
        ("2026-03-29", "2026-03-29T00:00+01:00", "2026-03-30T00:00+02:00", 23),
        ("2026-02", "2026-02-01T00:00+01:00", "2026-03-01T00:00+01:00", 672),
        ("2025", "2025-01-01T00:00+01:00", "2026-01-01T00:00+01:00", 8760),
        ("2026-W43", "2026-10-19T00:00+02:00", "2026-10-26T00:00+01:00", 169),
        ("2026-10-26T08:00", "2026-10-26T08:00+01:00", "2026-10-26T15:00+01:00", 7),
        ("2026-10-26T07:00:00Z", "2026-10-26T08:00+01:00", "2026-10-26T15:00+01:00", 7),
        ("2026-10-24/2026-10-25", "2026-10-24T00:00+02:00", "2026-10-26T00:00+01:00", 49),
        ("2026-10-24T12:00/2026-10-25", "2026-10-24T12:00+02:00", "2026-10-26T00:00+01:00", 37),
        ("2026-10-24T12:00/2026-10-24T18:30", "2026-10-24T12:00+02:00", "2026-10-24T18:30+02:00", 6.5),
        ("2026-09/2026-10", "2026-09-01T00:00+02:00", "2026-11-01T00:00+01:00", 1465),
        ("2026-10-26/", "2026-10-26T00:00+01:00", "2026-10-26T15:00+01:00", 15),
    ],
)
def test_period_is_what_its_words_say(text: str, start: str, end: str, hours: float) -> None:
    period = parse_period(text, MONDAY)
    assert period.start == datetime.fromisoformat(start)
    assert period.end == datetime.fromisoformat(end)
    assert period.seconds == hours * 3600


def test_weekdays_are_the_next_ones_where_appointments_are_meant() -> None:
    assert parse_period("friday", MONDAY, ahead=True).start.day == 30
    assert parse_period("friday", MONDAY).start.day == 23
    assert parse_period("monday", MONDAY, ahead=True).start.day == 26


@pytest.mark.parametrize(
    "text", ["", "gestern", "2026-13-01", "2026-10-26/2026-10-24", "/2026", "a/b", "10000", "0000", "last_x_days"]
)
def test_nonsense_is_refused_with_examples(text: str) -> None:
    with pytest.raises(ToolError):
        parse_period(text, MONDAY)


@pytest.mark.parametrize("text", ["last_999999_years", "2026-10-26T08:00/9999-12-31", "5000_years_ago", "9999"])
def test_the_ends_of_the_calendar_are_not_reached(text: str) -> None:
    with pytest.raises(ToolError, match="no period"):
        parse_period(text, MONDAY)


def test_a_day_without_a_midnight_begins_when_the_clock_has_jumped() -> None:
    santiago = ZoneInfo("America/Santiago")
    period = parse_period("2026-09-06", datetime(2026, 9, 10, tzinfo=santiago))
    assert period.start.isoformat() == "2026-09-06T01:00:00-03:00"
    assert period.seconds == 23 * 3600


def test_what_is_not_over_ends_now_and_what_has_not_begun_is_refused() -> None:
    assert parse_period("today", MONDAY).until(MONDAY).end == MONDAY
    assert parse_period("yesterday", MONDAY).until(MONDAY).end.day == 26
    with pytest.raises(ToolError, match="future"):
        parse_period("tomorrow", MONDAY).until(MONDAY)


def test_times_that_come_twice_say_which_they_are() -> None:
    summer = datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN)
    assert moment(summer) == "Sun 25 Oct 2026 02:30 CEST"
    assert moment(summer.replace(fold=1)) == "Sun 25 Oct 2026 02:30 CET"
    assert moment(summer.replace(hour=3)) == "Sun 25 Oct 2026 03:30"
    assert moment(MONDAY.replace(second=5), seconds=True, day=False) == "15:00:05"


def test_a_period_tells_its_days() -> None:
    assert str(Period(MONDAY.replace(hour=0), MONDAY)) == "Mon 26 Oct 2026 00:00 to Mon 26 Oct 2026 15:00"
