"""A home in Berlin with a history: rows as Home Assistant's recorder keeps them, across both clock changes of 2026.

On Sunday 25 October the day has 25 hours, and the hour from 02:00 comes twice; 29 March has 23 hours.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.fakes.recorder import FakeRecorder, Hour, Row

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 10, 26, 15, 0, tzinfo=BERLIN)
"""A Monday."""

SAFE = "binary_sensor.safe_door"
"""Not exposed."""


def at(text: str) -> float:
    """Seconds since the epoch of a time in October 2026 ("25 14:30"), or of any in ISO 8601."""
    full = f"2026-10-{text}" if text[2] == " " else text
    moment = datetime.fromisoformat(full)
    return (moment if moment.tzinfo else moment.replace(tzinfo=BERLIN)).timestamp()


def _rows(*pairs: tuple[str, str]) -> list[Row]:
    return [Row(at(when), state) for when, state in pairs]


def _thermostat(when: str, state: str, temperature: float, action: str) -> Row:
    return Row(at(when), state, {"current_temperature": temperature, "hvac_action": action, "temperature": 21})


def _visits(when: str, count: str, reset: str) -> Row:
    return Row(at(when), count, {"last_reset": reset})


MONDAY, SUNDAY = "2026-10-26T00:00:00+01:00", "2026-10-25T00:00:00+02:00"

STATES: dict[str, list[Row]] = {
    "binary_sensor.front_door": _rows(
        ("20 08:00", "off"),
        ("24 22:00", "on"),
        ("24 22:30", "off"),
        ("25 01:30", "on"),
        ("2026-10-25T02:15:00+02:00", "off"),
        ("2026-10-25T02:40:00+01:00", "on"),
        ("25 03:10", "off"),
        ("25 23:50", "on"),
        ("26 00:20", "off"),
        ("26 07:12:05", "on"),
        ("26 07:13:35", "off"),
        ("26 12:00", "on"),
        ("26 12:05", "unavailable"),
        ("26 12:10", "on"),
        ("26 12:20", "off"),
        ("26 14:30", "on"),
    ),
    SAFE: _rows(("25 10:00", "off"), ("26 03:33", "on"), ("26 03:34", "off")),
    "binary_sensor.attic_window": _rows(
        ("2026-03-28T20:00:00+01:00", "off"),
        ("2026-03-29T01:30:00+01:00", "on"),
        ("2026-03-29T03:30:00+02:00", "off"),
    ),
    "sensor.outside_temperature": _rows(
        ("24 20:00", "10.0"),
        ("25 06:00", "4.0"),
        ("25 15:00", "16.0"),
        ("25 20:00", "unavailable"),
        ("25 21:00", "12.0"),
        ("26 05:00", "2.5"),
        ("26 13:00", "14.5"),
    ),
    "sensor.house_energy": _rows(
        ("24 23:30", "100.0"),
        ("2026-10-25T02:30:00+02:00", "101.0"),
        ("25 12:00", "103.5"),
        ("25 18:00", "0.2"),
        ("25 23:30", "1.7"),
        ("26 08:00", "2.0"),
        ("26 14:00", "4.25"),
    ),
    "sensor.solar_yield": _rows(("20 12:30", "178"), ("22 12:00", "182"), ("26 12:00", "184.5")),
    "sensor.washer_power": _rows(
        ("25 20:00", "0"),
        ("26 08:00", "2000"),
        ("26 09:30", "0"),
        ("26 12:00", "1000"),
        ("26 12:30", "0"),
    ),
    "sensor.visits": [
        _visits("25 08:00", "5", SUNDAY),
        _visits("25 20:00", "9", SUNDAY),
        _visits("26 00:00", "0", MONDAY),
        _visits("26 09:00", "3", MONDAY),
        _visits("26 14:00", "7", MONDAY),
    ],
    "sensor.freezer": _rows(("24 09:00", "unavailable")),
    "climate.living_room": [
        _thermostat("25 00:00", "heat", 19, "idle"),
        _thermostat("26 06:00", "heat", 18, "heating"),
        _thermostat("26 07:30", "heat", 21.5, "idle"),
        _thermostat("26 13:00", "off", 20, "off"),
    ],
    "person.anna": _rows(
        ("25 10:00", "home"),
        ("26 07:45", "not_home"),
        ("26 08:30", "Work"),
        ("26 13:15", "not_home"),
        ("26 14:00", "home"),
    ),
    "event.doorbell": _rows(
        ("25 11:00", "2026-10-25T10:00:00.000+00:00"),
        ("26 09:30", "2026-10-26T08:30:00.000+00:00"),
        ("26 10:45", "2026-10-26T09:45:00.000+00:00"),
        ("26 12:00", "unavailable"),
        ("26 12:05", "2026-10-26T09:45:00.000+00:00"),
    ),
    "lock.garage": _rows(("26 09:00", "locked"), ("26 10:00", "unlocked"), ("26 10:05", "locked")),
    "cover.blind": _rows(("18 06:00", "closed"), ("18 07:00", "open")),
    "media_player.tv": _rows(
        ("24 12:00", "off"),
        ("25 18:00", "playing"),
        ("25 19:00", "paused"),
        ("25 19:30", "off"),
    ),
    "switch.pump": _rows(
        ("25 10:00", "off"),
        ("25 22:00", "unavailable"),
        ("26 03:00", "on"),
        ("26 04:00", "off"),
    ),
}


def _sunny_hours() -> Iterator[Hour]:
    """Three hours of sun a day from 1 September to 20 October: 1, 2 and 0.5 kWh; before them one row of the zero."""
    total = 0.0
    day = datetime(2026, 8, 31, tzinfo=BERLIN)
    yield Hour(day.replace(hour=12).timestamp(), sum=0.0)
    while day < datetime(2026, 10, 20, tzinfo=BERLIN):
        day += timedelta(days=1)
        for hour, kwh in ((10, 1.0), (11, 2.0), (12, 0.5)):
            total += kwh
            yield Hour(day.replace(hour=hour).timestamp(), sum=total)


def _march_hours() -> Iterator[Hour]:
    """The 23 hours of 29 March: eleven at 8 °C, twelve at 10.3 °C; and the coldest one of the year before."""
    yield Hour(at("2025-01-15T06:00:00+01:00"), mean=-11.0, low=-12.3, high=-9.5)
    start = at("2026-03-29T00:00:00+01:00")
    for number in range(23):
        mean = 8.0 if number < 11 else 10.3
        yield Hour(start + 3600 * number, mean=mean, low=mean - 1, high=mean + 1)


STATISTICS = {
    "sensor.solar_yield": list(_sunny_hours()),
    "sensor.outside_temperature": list(_march_hours()),
}

RUNS = {"automation.night_light": [at("25 22:00"), at("26 06:15"), at("26 06:45")]}

ENTITIES: dict[str, tuple[str, str | None, dict[str, Any]]] = {
    "binary_sensor.front_door": ("Front Door", "hall", {"device_class": "door"}),
    SAFE: ("Safe Door", "hall", {"device_class": "door"}),
    "binary_sensor.attic_window": ("Attic Window", None, {"device_class": "window"}),
    "sensor.outside_temperature": (
        "Outside Temperature",
        None,
        {"device_class": "temperature", "unit_of_measurement": "°C", "state_class": "measurement"},
    ),
    "sensor.house_energy": (
        "House Energy",
        None,
        {"device_class": "energy", "unit_of_measurement": "kWh", "state_class": "total_increasing"},
    ),
    "sensor.solar_yield": (
        "Solar Yield",
        None,
        {"device_class": "energy", "unit_of_measurement": "kWh", "state_class": "total_increasing"},
    ),
    "sensor.washer_power": (
        "Washer Power",
        "hall",
        {"device_class": "power", "unit_of_measurement": "W", "state_class": "measurement"},
    ),
    "sensor.visits": ("Visits", None, {"unit_of_measurement": "visits", "state_class": "total", "last_reset": MONDAY}),
    "sensor.freezer": (
        "Freezer",
        None,
        {"device_class": "temperature", "unit_of_measurement": "°C", "state_class": "measurement"},
    ),
    "climate.living_room": ("Living Room Heating", "living_room", {"current_temperature": 20, "temperature": 21}),
    "person.anna": ("Anna", None, {}),
    "event.doorbell": ("Doorbell", None, {"device_class": "doorbell"}),
    "lock.garage": ("Garage Lock", None, {}),
    "cover.blind": ("Living Room Blind", "living_room", {"device_class": "blind"}),
    "media_player.tv": ("Television", "living_room", {}),
    "switch.pump": ("Pump", None, {}),
    "automation.night_light": ("Night Light", None, {"last_triggered": "2026-10-26T05:45:00+00:00"}),
    "light.hall": ("Hall Light", "hall", {}),
}
"""Name, area, attributes."""

UNRECORDED = {"automation.night_light": ("on", at("20 08:00")), "light.hall": ("on", at("26 10:00"))}
"""The states of those of whom nothing was recorded, and since when they have been so."""


def present(entity_id: str) -> tuple[str, float]:
    """The state now, and since when."""
    rows = STATES.get(entity_id)
    return (rows[-1].state, rows[-1].at) if rows else UNRECORDED[entity_id]


def results() -> dict[str, Any]:
    """What the websocket commands give of this home."""
    states = {}
    for entity_id, (name, _, attributes) in ENTITIES.items():
        state, since = present(entity_id)
        states[entity_id] = {"s": state, "a": {**attributes, "friendly_name": name}, "c": "c", "lc": since}
    entries = [
        {"entity_id": entity_id, "area_id": area, "options": {"conversation": {"should_expose": entity_id != SAFE}}}
        for entity_id, (_, area, _) in ENTITIES.items()
    ]
    return {
        "get_config": {
            "location_name": "Home",
            "language": "en",
            "time_zone": "Europe/Berlin",
            "latitude": 52.52,
            "longitude": 13.4,
            "elevation": 34,
            "state": "RUNNING",
            "version": "2026.11.0",
            "unit_system": {"temperature": "°C"},
        },
        "config/floor_registry/list": [],
        "config/area_registry/list": [
            {"area_id": "hall", "name": "Hall", "aliases": []},
            {"area_id": "living_room", "name": "Living Room", "aliases": []},
        ],
        "config/label_registry/list": [],
        "config/device_registry/list": [],
        "config/entity_registry/list": entries,
        "config/entity_registry/get_entries": {},
        "config_entries/get": [],
        "entity/source": {},
        "repairs/list_issues": {"issues": []},
        "frontend/get_translations:entity": {"resources": {}},
        "frontend/get_translations:entity_component": {"resources": {}},
        "homeassistant/expose_entity/list": {
            "exposed_entities": {each: {"conversation": True} for each in ENTITIES if each != SAFE}
        },
        "subscribe_entities": {"a": states},
    }


def recorder() -> FakeRecorder:
    return FakeRecorder(STATES, STATISTICS, RUNS)
