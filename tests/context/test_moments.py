"""Moments as people say them: local, near ones by their distance, never as ISO or in UTC."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.context.homes import NOW, Thing, home_of
from wyoming_openai.context.attributes import attribute_words
from wyoming_openai.context.facts import lasting_words, state_word
from wyoming_openai.context.moments import duration_words, iso_words, rest_words, start_of

PRAGUE = NOW.astimezone(ZoneInfo("Europe/Prague"))
"""Monday 23 November 2026, 19:00."""


def told(thing: Thing) -> str:
    home = home_of([thing])
    state = home.states[thing.entity_id]
    return ", ".join([state_word(home, state, PRAGUE), *attribute_words(home, state, PRAGUE)])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2026-11-23T18:47:29+00:00", "today 19:47 (in 47 min)"),
        ("2026-11-23T18:47:29Z", "today 19:47 (in 47 min)"),
        ("2026-11-23 18:15:00", "today 18:15 (45 min ago)"),
        ("2026-11-22T23:30:00+00:00", "today 00:30 (18 h ago)"),
        ("2026-11-24T07:00:00+01:00", "tomorrow 07:00 (in 12 h)"),
        ("2026-11-22T08:00:00+01:00", "yesterday 08:00 (35 h ago)"),
        ("2026-11-28T09:00:00+01:00", "Saturday 28 November 09:00 (in 5 days)"),
        ("2027-11-28T09:00:00.123456+01:00", "Sunday 28 November 2027 09:00"),
        ("2026-11-23", "today"),
        ("2026-12-24", "Thursday 24 December (in 31 days)"),
        ("Thursday", None),
        ("2026-13-45", None),
        ("12:30", None),
        ("", None),
    ],
)
def test_iso_moments_are_told_as_people_say_them(text: str, words: str | None) -> None:
    assert iso_words(text, PRAGUE) == words


def test_the_hour_that_comes_twice_has_its_zone() -> None:
    now = datetime(2026, 10, 25, 2, 0, tzinfo=ZoneInfo("Europe/Prague"))
    assert iso_words("2026-10-25T01:30:00+00:00", now) == "today 02:30 CET (in 90 min)"


@pytest.mark.parametrize(
    "thing",
    [
        Thing("sensor.a", "A", "2026-11-23T18:47:00+00:00", device_class="timestamp"),
        Thing("sensor.a", "A", "2026-11-23T18:47:00+00:00"),
        Thing("image.a", "A", "2026-11-23T18:47:00+00:00"),
        Thing("notify.a", "A", "2026-11-23T18:47:00+00:00"),
        Thing("button.a", "A", "2026-11-23T18:47:00+00:00"),
        Thing("scene.a", "A", "2026-11-23T18:47:00+00:00"),
        Thing("event.a", "A", "2026-11-23T18:47:00.123+00:00"),
        Thing("datetime.a", "A", "2026-11-23T18:47:00+00:00"),
        Thing("input_datetime.a", "A", "2026-11-23 19:47:00"),
    ],
    ids=lambda thing: thing.entity_id,
)
def test_a_state_that_is_a_moment_is_told_in_local_words(thing: Thing) -> None:
    assert told(thing) == "today 19:47 (in 47 min)"


@pytest.mark.parametrize(
    ("thing", "words"),
    [
        (Thing("input_datetime.a", "A", "07:00:00"), "07:00"),
        (Thing("time.a", "A", "07:00:00"), "07:00"),
        (Thing("date.a", "A", "2026-11-24"), "tomorrow"),
        (Thing("sensor.a", "A", "00:34:10"), '"00:34:10"'),
        (
            Thing("automation.a", "A", "on", attributes={"last_triggered": "2026-11-22T18:00:00+00:00"}),
            "on, last run yesterday 19:00 (24 h ago)",
        ),
        (
            Thing(
                "sun.sun",
                "Sun",
                "below_horizon",
                attributes={"next_rising": "2026-11-24T06:21:00+00:00", "next_setting": "2026-11-24T15:10:00+00:00"},
            ),
            "below horizon, rises tomorrow 07:21 (in 12 h), sets tomorrow 16:10",
        ),
        (
            Thing("schedule.a", "A", "off", attributes={"next_event": "2026-11-24T06:00:00+01:00"}),
            "off, next on tomorrow 06:00 (in 11 h)",
        ),
        (
            Thing("event.a", "A", "2026-11-23T17:58:00+00:00", attributes={"event_type": "double_press"}),
            "today 18:58 (2 min ago), double press",
        ),
    ],
)
def test_other_moments(thing: Thing, words: str) -> None:
    assert told(thing) == words


@pytest.mark.parametrize(
    ("state", "attributes", "words"),
    [
        (
            "active",
            {"duration": "0:20:00", "remaining": "0:20:00", "finishes_at": "2026-11-23T18:12:00+00:00"},
            "active, 12 min left, ends today 19:12",
        ),
        (
            "active",
            {"remaining": "0:01:00", "finishes_at": "2026-11-23T18:00:45+00:00"},
            "active, 45 s left, ends today 19:00",
        ),
        (
            "active",
            {"remaining": "0:01:00", "finishes_at": "2026-11-23T17:59:00+00:00"},
            "active, 0 s left, ends today 18:59",
        ),
        ("active", {"remaining": "0:30:00"}, "active, 20 min left, ends today 19:20"),
        ("active", {"remaining": "1 day, 0:10:00"}, "active, 24 h left, ends tomorrow 19:00"),
        ("active", {}, "active"),
        ("paused", {"duration": "0:20:00", "remaining": "0:12:30"}, "paused, 12 min left"),
        ("paused", {"remaining": "0:02:30"}, "paused, 2 min 30 s left"),
        ("idle", {"duration": "0:20:00"}, "idle"),
    ],
)
def test_a_timer_tells_what_is_left_now(state: str, attributes: dict[str, str], words: str) -> None:
    assert told(Thing("timer.a", "A", state, attributes=attributes, seconds=600)) == words


@pytest.mark.parametrize(
    ("state", "attributes", "words"),
    [
        (
            "on",
            {"message": "Parents' evening", "start_time": "2026-11-23 18:30:00", "end_time": "2026-11-23 20:30:00"},
            """on, now "Parents' evening", until today 20:30 (in 90 min)""",
        ),
        (
            "off",
            {"message": "Dentist", "start_time": "2026-11-25 09:00:00", "end_time": "2026-11-25 10:00:00"},
            'off, next "Dentist" Wednesday 25 November 09:00 (in 38 h)',
        ),
        (
            "on",
            {
                "message": "Holiday",
                "all_day": True,
                "start_time": "2026-11-23 00:00:00",
                "end_time": "2026-11-25 00:00:00",
            },
            'on, now "Holiday", until the end of tomorrow',
        ),
        (
            "off",
            {
                "message": "Paper bin",
                "all_day": True,
                "start_time": "2026-11-24 00:00:00",
                "end_time": "2026-11-25 00:00:00",
            },
            'off, next "Paper bin" tomorrow, all day',
        ),
        ("on", {"message": "Party", "end_time": "whenever"}, 'on, now "Party"'),
        ("off", {}, "off"),
    ],
)
def test_an_appointment_is_now_or_next(state: str, attributes: dict[str, str], words: str) -> None:
    assert told(Thing("calendar.a", "A", state, attributes=attributes)) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59, "59 s"), (119, "1 min"), (7199, "119 min"), (90000, "25 h"), (2e5, "2 days")],
)
def test_durations(seconds: float, words: str) -> None:
    assert duration_words(timedelta(seconds=seconds)) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-5, "0 s"), (300, "5 min"), (310, "5 min 10 s"), (754, "13 min"), (3600, "1 h"), (5400, "1 h 30 min")],
)
def test_what_is_left(seconds: float, words: str) -> None:
    assert rest_words(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(720, "for at least 12 min"), (690, "for at least 11 min"), (180, "for 3 min")],
)
def test_what_has_not_changed_since_the_start_was_so_before(seconds: float, words: str) -> None:
    others = [Thing(f"light.l{number}", "L", seconds=720, exposed=False) for number in range(3)]
    home = home_of([Thing("lock.a", "A", "locked", seconds=seconds), *others])
    started = start_of(state.last_changed for state in home.states.values())
    assert lasting_words(home.states["lock.a"], NOW, started) == words


def test_one_old_state_is_no_start() -> None:
    ages = (9000, 600, 300, 200)
    assert start_of(NOW.astimezone(UTC).timestamp() - age for age in ages) is None
