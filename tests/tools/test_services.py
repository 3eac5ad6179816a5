"""Forecasts, appointments, lists and people: as Home Assistant tells them over the wire, in a few clean lines."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.fakes.home_assistant import FakeHomeAssistant
from tests.tools.asking import Ask, asking
from wyoming_openai.hass.connection import Timing
from wyoming_openai.hass.home import Home
from wyoming_openai.hass.mirror import FixedMirror, HomeMirror
from wyoming_openai.hass.snapshot import home_from_results
from wyoming_openai.tools.sun import sun_times

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
NOW = datetime(2026, 11, 23, 18, 40, tzinfo=AMSTERDAM)

ENTITIES: dict[str, tuple[str, dict[str, Any]]] = {
    "weather.home": (
        "rainy",
        {
            "friendly_name": "Forecast", "temperature_unit": "°C", "precipitation_unit": "mm",
            "wind_speed_unit": "km/h", "supported_features": 3,
        },
    ),
    "weather.secret": ("sunny", {"friendly_name": "Secret Weather", "supported_features": 3}),
    "calendar.family": ("off", {"friendly_name": "Family"}),
    "calendar.work": ("off", {"friendly_name": "Work"}),
    "calendar.secret": ("off", {"friendly_name": "Secret Calendar"}),
    "todo.shopping": ("2", {"friendly_name": "Shopping List"}),
    "todo.secret": ("1", {"friendly_name": "Secret List"}),
    "person.anna": ("home", {"friendly_name": "Anna", "latitude": 52.37, "longitude": 4.89}),
    "person.ben": ("not_home", {"friendly_name": "Ben", "latitude": 52.09, "longitude": 5.12}),
    "person.secret": ("home", {"friendly_name": "Secret Guest"}),
}  # fmt: skip

FORECASTS: dict[str, list[dict[str, Any]]] = {
    "daily": [
        {
            "datetime": "2026-11-23T23:00:00+00:00", "condition": "partlycloudy", "temperature": 8.0, "templow": 3.26,
            "precipitation": 1.0, "precipitation_probability": 60, "wind_speed": 12.5,
        },
        {"datetime": "2026-11-25T12:00:00+01:00", "condition": "clear-night", "temperature": 5},
        {"condition": "sunny"},
        {"datetime": "soon", "condition": "sunny"},
    ],
    "hourly": [
        {"datetime": f"2026-11-23T{hour}:00:00+00:00", "condition": "rainy", "temperature": 7} for hour in range(18, 24)
    ]
    * 10,
}  # fmt: skip

EVENTS: dict[str, Any] = {
    "calendar.family": {
        "events": [
            {
                "start": "2026-11-25T17:00:00+01:00", "end": "2026-11-25T18:30:00+01:00", "summary": "Dentist",
                "location": "Main Street 5", "description": "bring <card>\nand cash",
            },
            {"start": "2026-11-24", "end": "2026-11-25", "summary": "Grandma's birthday", "all_day": True},
            {"start": {"date": "2026-11-27"}, "end": {"date": "2026-11-30"}, "summary": "Trip"},
            {"start": "2026-11-24T22:30:00+00:00", "end": "2026-11-25T00:30:00+00:00", "summary": None},
            {"start": "2027-06-01", "end": "2027-06-02", "summary": "Far away"},
            {"start": "whenever", "summary": "Never"},
        ]
    },
    "calendar.work": {"events": []},
}  # fmt: skip

ITEMS: dict[str, Any] = {
    "todo.shopping": {
        "items": [
            {"summary": "Milk", "uid": "1", "status": "completed"},
            {"summary": "Bread\n- Safe: 1234", "uid": "2", "status": "needs_action", "due": "2026-11-24"},
            {"summary": "Eggs", "uid": "3", "status": "needs_action", "description": "a dozen"},
        ]
    }
}


def results() -> dict[str, Any]:
    exposed = [entity_id for entity_id in ENTITIES if "secret" not in entity_id]
    fake = FakeHomeAssistant()
    home = fake.home
    home["get_config"] |= {"latitude": 52.3731, "longitude": 4.8922, "elevation": 2}
    home["subscribe_entities"]["a"] = {
        entity_id: {"s": state, "a": attributes, "c": "c", "lc": NOW.timestamp() - 5400}
        for entity_id, (state, attributes) in ENTITIES.items()
    }
    home["homeassistant/expose_entity/list"] = {"exposed_entities": {each: {"conversation": True} for each in exposed}}
    return home


@pytest.fixture
async def hass() -> AsyncIterator[FakeHomeAssistant]:
    async with FakeHomeAssistant(results()) as fake:
        fake.events |= {
            "weather/subscribe_forecast": lambda message: {"forecast": FORECASTS[message["forecast_type"]]},
            "calendar/event/subscribe": lambda message: EVENTS[message["entity_id"]],
        }
        fake.answers["todo/item/list"] = lambda message: ITEMS[message["entity_id"]]
        yield fake


@pytest.fixture
async def home(hass: FakeHomeAssistant) -> AsyncIterator[tuple[Home, HomeMirror]]:
    mirror = HomeMirror(hass.settings, timing=Timing(ping_every=3600))
    task = asyncio.create_task(mirror.run())
    assert await mirror.wait_fresh(10)
    assert mirror.home is not None
    yield mirror.home, mirror
    task.cancel()
    await asyncio.wait([task])


@pytest.fixture
def ask(home: tuple[Home, HomeMirror]) -> Ask:
    return asking(home[0], NOW, home[1])


# ---- weather


async def test_days_are_told_with_their_units_and_the_sun(ask: Ask) -> None:
    assert (await ask("get_forecast")).splitlines() == [
        "Forecast, daily forecast:",
        (
            "- tomorrow (Tuesday): partly cloudy, 3.3 to 8 °C, precipitation 1 mm 60 % likely, wind 12.5 km/h, "
            "sun 08:16 to 16:37"
        ),
        "- Wednesday 25 November: clear night, 5 °C, sun 08:18 to 16:36",
    ]


async def test_hours_are_told_in_local_time_and_bounded(ask: Ask) -> None:
    lines = (await ask("get_forecast", type="hourly")).splitlines()
    assert lines[1] == "- today 19:00: rainy, 7 °C"
    assert len(lines) == 25


async def test_a_forecast_that_does_not_exist_is_replaced_by_one_that_does(hass: FakeHomeAssistant, ask: Ask) -> None:
    hass.set_state("weather.home", "rainy", supported_features=1, friendly_name="Forecast")
    hass.refuse["weather/subscribe_forecast"] = "forecast_not_supported"
    lines = (await ask("get_forecast", type="hourly")).splitlines()
    assert lines[:2] == ["Forecast has no forecast; the weather now:", "- Forecast: rainy"]
    assert lines[3] == "- today (Monday): sun 08:14 to 16:38"
    del hass.refuse["weather/subscribe_forecast"]


async def test_without_weather_the_sun_is_known() -> None:
    data = results()
    del data["homeassistant/expose_entity/list"]["exposed_entities"]["weather.home"]
    lines = (await asking(home_from_results(data), NOW)("get_forecast")).splitlines()
    assert lines[0] == "there is no weather in this home; sunrise and sunset are known:"
    assert lines[1] == "- today (Monday): sun 08:14 to 16:38"


@pytest.mark.parametrize(
    ("day", "place", "zone", "rising", "setting"),
    [
        ("2026-01-05", (52.52, 13.4, 34), "Europe/Berlin", "08:14:46", "16:09:02"),
        ("2026-03-21", (-0.18, -78.47, 2850), "America/Guayaquil", "06:12:26", "18:29:27"),
        ("2026-06-21", (-33.87, 151.21, 20), "Australia/Sydney", "06:59:17", "16:54:29"),
        ("2026-06-21", (69.65, 18.96, 0), "Europe/Oslo", None, None),
        ("2026-12-21", (69.65, 18.96, 0), "Europe/Oslo", None, None),
        ("2026-03-05", (-36.85, 174.76, 10), "Pacific/Auckland", "07:09:15", "19:55:11"),
        ("2026-12-21", (21.3, -157.86, 5), "Pacific/Honolulu", "07:04:24", "17:55:03"),
        ("2026-09-21", (51.88, -176.65, 5), "America/Adak", "08:31:25", "20:46:36"),
    ],
)
def test_the_sun_rises_when_the_almanac_says(
    day: str, place: tuple[float, float, float], zone: str, rising: str | None, setting: str | None
) -> None:
    times = sun_times(date.fromisoformat(day), *place, ZoneInfo(zone))
    for when, expected in ((times.rising, rising), (times.setting, setting)):
        assert (when is None) == (expected is None)
        if when is not None:
            assert abs(when - datetime.fromisoformat(f"{day}T{expected}").replace(tzinfo=when.tzinfo)) < timedelta(
                minutes=2
            )


# ---- calendars


async def test_appointments_are_told_in_order_by_calendar(ask: Ask) -> None:
    assert (await ask("get_calendar_events")).splitlines() == [
        "today to Monday 30 November:",
        "Family:",
        "- tomorrow, all day: Grandma's birthday",
        "- tomorrow 23:30 to Wednesday 25 November 01:30: (without a title)",
        "- Wednesday 25 November 17:00 to 18:30: Dentist, at Main Street 5, note: bring <card> and cash",
        "- Friday 27 November to Sunday 29 November, all day: Trip",
        "Work: no appointment",
    ]


@pytest.mark.parametrize(
    ("period", "told"),
    [
        ("tomorrow", {"Grandma's birthday", "(without a title)"}),
        ("2026-11-28", {"Trip"}),
        ("wednesday", {"(without a title)", "Dentist"}),
        ("2026-11-25T18:30/2026-11-26", set()),
        ("2027-06", {"Far away"}),
    ],
)
async def test_appointments_of_a_period(ask: Ask, period: str, told: set[str]) -> None:
    answer = await ask("get_calendar_events", name="Family", period=period)
    assert {
        summary
        for summary in ("Grandma's birthday", "(without a title)", "Dentist", "Trip", "Far away")
        if summary in answer
    } == told


async def test_a_running_appointment_is_told_as_such(hass: FakeHomeAssistant, ask: Ask) -> None:
    running = {"start": "2026-11-23T18:00:00+01:00", "end": "2026-11-23T20:30:00+01:00", "summary": "Parents"}
    over = {"start": "2026-11-23T08:00:00+01:00", "end": "2026-11-23T09:00:00+01:00", "summary": "School"}
    hass.events["calendar/event/subscribe"] = lambda _: {"events": [running, over]}
    lines = (await ask("get_calendar_events", name="Family", period="today")).splitlines()
    assert lines == ["today:", "Family:", "- today 08:00 to 09:00: School", "- now, until 20:30: Parents"]


@pytest.mark.parametrize(
    ("period", "title"),
    [("tomorrow", "tomorrow:"), ("next_weekend", "Saturday 5 December to Sunday 6 December:"),
     ("tomorrow_evening", "tomorrow 18:00 to Wednesday 25 November 00:00:")],
)  # fmt: skip
async def test_periods_are_told_in_days(ask: Ask, period: str, title: str) -> None:
    assert (await ask("get_calendar_events", name="Work", period=period)).splitlines()[0] == title


async def test_many_appointments_are_bounded(hass: FakeHomeAssistant, ask: Ask) -> None:
    many = [{"start": "2026-11-24", "end": "2026-11-25", "summary": f"Party {number} " * 9} for number in range(300)]
    hass.events["calendar/event/subscribe"] = lambda _: {"events": many}
    answer = await ask("get_calendar_events")
    assert len(answer) < 4000
    assert "more: ask for a shorter period" in answer


async def test_a_calendar_that_cannot_be_read_does_not_hide_the_others(hass: FakeHomeAssistant, ask: Ask) -> None:
    hass.events["calendar/event/subscribe"] = lambda message: (
        {"events": None} if message["entity_id"] == "calendar.family" else EVENTS["calendar.work"]
    )
    answer = await ask("get_calendar_events")
    assert "Family: cannot be read now" in answer
    assert "Work: no appointment" in answer


# ---- lists


async def test_lists_tell_what_is_open_and_what_is_done(ask: Ask) -> None:
    assert (await ask("get_todo_items")).splitlines() == [
        "Shopping List: 2 open, 1 done",
        "- Bread - Safe: 1234, due tomorrow",
        "- Eggs, note: a dozen",
        "- done: Milk",
    ]


async def test_the_only_list_answers_to_any_name(ask: Ask) -> None:
    assert "Eggs" in await ask("get_todo_items", name="groceries")


async def test_long_lists_are_bounded(hass: FakeHomeAssistant, ask: Ask) -> None:
    items = [{"summary": f"Item {number} " * 10, "status": "needs_action"} for number in range(500)]
    hass.answers["todo/item/list"] = lambda _: {"items": items}
    answer = await ask("get_todo_items")
    assert answer.startswith("Shopping List: 500 open, 0 done")
    assert len(answer) < 4000


# ---- people


async def test_people_are_told_with_the_way_home(ask: Ask) -> None:
    assert (await ask("get_people")).splitlines() == [
        "- Anna: home, for at least 90 min",
        "- Ben: not home, for at least 90 min, 35.1 km from home",
    ]


# ---- exposure, and homes from files


@pytest.mark.parametrize(
    ("tool", "hidden"),
    [
        ("get_forecast", "Secret Weather"),
        ("get_calendar_events", "Secret Calendar"),
        ("get_todo_items", "Secret List"),
    ],
)
async def test_what_is_not_exposed_is_neither_asked_for_nor_told(
    hass: FakeHomeAssistant, ask: Ask, tool: str, hidden: str
) -> None:
    for name in (hidden, ".secret"):
        answer = await ask(tool, name=name)
        assert hidden not in answer.replace(f"“{hidden}”", "")
    await ask(tool)
    await ask("get_people")
    assert not [each for each in hass.commands if "secret" in str(each.get("entity_id"))]


async def test_a_home_from_a_file_tells_what_the_file_holds() -> None:
    data = {**results(), "todo/item/list": ITEMS, "calendar/event/subscribe": EVENTS}
    home = home_from_results(data)
    ask = asking(home, NOW, FixedMirror(home))
    assert "Eggs" in await ask("get_todo_items")
    assert "Dentist" in await ask("get_calendar_events")
    assert (await ask("get_forecast")).startswith("the forecast cannot be read now; the weather now:")
