"""Sums that are right: the right set, one unit, three-valued, exceptions by name."""

from collections.abc import Sequence
from typing import Any

import pytest

from tests.context.homes import NOW, Thing, home_of
from wyoming_openai.context.directory import Directory
from wyoming_openai.context.sums import added_up, converted
from wyoming_openai.context.tally import Tally
from wyoming_openai.hass.home import Home


def told(home: Home, *asked: str, named: bool = True) -> list[str]:
    """The sums over a whole home."""
    states = list(home.exposed_states())
    return list(Tally(home, Directory(home), NOW, named).lines(states, frozenset(asked)))


def lamps(*states: str) -> list[Thing]:
    return [Thing(f"light.l{number}", f"Lamp {number}", state) for number, state in enumerate(states)]


def group(entity_id: str, *members: str, state: str = "on", **attributes: Any) -> Thing:
    return Thing(entity_id, entity_id, state, attributes={"entity_id": list(members), **attributes})


@pytest.mark.parametrize(
    ("groups", "left"),
    [
        ([group("light.all", "light.l0", "light.l1")], {"light.l0", "light.l1"}),
        (
            [group("light.all", "light.some"), group("light.some", "light.l0")],
            {"light.l0", "light.l1"},
        ),
        ([group("light.loop", "light.loop", "light.l1")], {"light.l0", "light.l1"}),
        ([group("light.hidden_only", "light.elsewhere")], {"light.l0", "light.l1", "light.hidden_only"}),
        ([Thing("light.odd", "Odd", "on", attributes={"entity_id": 5})], {"light.l0", "light.l1", "light.odd"}),
        (
            [Thing("light.room", "Room", "on", attributes={"is_hue_group": True, "lights": ["lamp 0", "Lamp 1"]})],
            {"light.l0", "light.l1"},
        ),
        (
            [Thing("light.zone", "Zone", "on", attributes={"is_hue_group": True, "lights": ["Unknown"]})],
            {"light.l0", "light.l1", "light.zone"},
        ),
    ],
)
def test_groups_are_not_counted_beside_their_members(groups: Sequence[Thing], left: set[str]) -> None:
    home = home_of([*lamps("on", "off"), *groups])
    assert {state.entity_id for state in added_up(home, home.exposed_states())} == left


@pytest.mark.parametrize("domain", ["lock", "cover", "switch", "fan", "media_player"])
def test_groups_of_any_kind_are_left_out(domain: str) -> None:
    members = [Thing(f"{domain}.m{number}", f"M{number}", "on") for number in range(2)]
    home = home_of([*members, group(f"{domain}.all", *(thing.entity_id for thing in members))])
    assert len(added_up(home, home.exposed_states())) == 2


def test_a_group_of_thermometers_is_no_further_room() -> None:
    rooms = [Thing(f"sensor.t{n}", f"T{n}", str(20 + n), f"R{n}", "temperature", "°C") for n in range(2)]
    mean = Thing("sensor.mean", "Mean", "20.5", None, "temperature", "°C", {"entity_id": ["sensor.t0", "sensor.t1"]})
    assert told(home_of([*rooms, mean])) == [
        "Temperatures of rooms: 2, highest 21 °C (T1), lowest 20 °C (T0), mean 20.5 °C"
    ]


@pytest.mark.parametrize(
    ("states", "asked", "line"),
    [
        (("on", "off", "off"), (), "Lights on: 1 of 3 (Lamp 0); off: 2"),
        (("on", "off", "off"), ("on",), "Lights on: 1 of 3, not all (Lamp 0); off: 2"),
        (("on", "on", "off", "off", "off"), ("off",), "Lights off: 3 of 5, not all; on: 2 (Lamp 0, Lamp 1)"),
        (("off", "off"), ("on",), "Lights on: 0 of 2, none; off: 2"),
        (("off", "off"), (), "Lights on: 0 of 2; off: 2"),
        (("off", "off"), ("off",), "Lights off: 2 of 2, all"),
        (("off", "unavailable"), ("off",), "Lights off: 1 of 2, all that are known; not known: 1 (Lamp 1)"),
        (("off", "unknown"), ("on",), "Lights on: 0 of 2, none that are known; off: 1; not known: 1 (Lamp 1)"),
        (("unavailable", "unknown"), ("on",), "Lights not known: 2 (Lamp 0, Lamp 1)"),
        (
            ("on",) * 7 + ("off",) * 9,
            ("on",),
            "Lights on: 7 of 16, not all (Lamp 0, Lamp 1, Lamp 2, Lamp 3, Lamp 4 and 2 more); off: 9",
        ),
    ],
)
def test_counts_have_three_answers_and_name_exceptions(states: Sequence[str], asked: Sequence[str], line: str) -> None:
    assert told(home_of(lamps(*states)), *asked) == [line]


def test_where_they_are_stands_behind_what_is_not_at_rest() -> None:
    things = [Thing(f"light.l{n}", f"L{n}", "on" if n % 2 else "off", f"Room {n % 4}") for n in range(200)]
    assert told(home_of(things), "off") == ["Lights off: 100 of 200, not all; on: 100 (most in Room 1: 50, Room 3: 50)"]


def test_windows_and_doors_are_one_sum_whatever_tells_of_them() -> None:
    home = home_of(
        [
            Thing("binary_sensor.a", "Kitchen window", "on", device_class="window"),
            Thing("binary_sensor.b", "Bedroom window", "off", device_class="window"),
            Thing("cover.c", "Roof window", "open", device_class="window"),
            Thing("binary_sensor.d", "Front door", "off", device_class="door"),
            Thing("cover.e", "Barn door", "opening", device_class="door"),
            Thing("binary_sensor.f", "Old garage", "off", device_class="garage_door"),
            Thing("cover.g", "New garage", "closed", device_class="garage"),
        ]
    )
    assert told(home, "on", "open") == [
        "Windows open: 2 of 3, not all (Kitchen window, Roof window); closed: 1 (Bedroom window)",
        "Doors open: 0 of 2, none; opening: 1 (Barn door); closed: 1",
        "Garage doors open: 0 of 2, none; closed: 2",
    ]


def test_thermostats_and_players_are_not_simply_on() -> None:
    home = home_of(
        [
            Thing("climate.a", "A", "heat"),
            Thing("climate.b", "B", "off"),
            Thing("media_player.c", "C", "playing"),
            Thing("media_player.d", "D", "standby"),
        ]
    )
    assert told(home, "on") == [
        "Thermostats heat: 1 of 2, not all (A); off: 1",
        "Media players playing: 1 of 2, not all (C); standby: 1",
    ]


# ---- numbers


def thermometer(name: str, value: str, area: str | None = None, unit: str = "°C") -> Thing:
    return Thing(f"sensor.{abs(hash((name, value)))}", name, value, area, "temperature", unit)


@pytest.mark.parametrize(
    "name",
    [
        "Freezer temperature", "Oven core", "CPU temperature", "Boiler flow", "Gefrierschrank", "Warmwasser Temperatur",
        "Four cuisine", "Température congélateur", "Horno", "Congelador", "Frigo", "Koelkast", "Zamrażarka", "Kylskåp",
        "Lednice", "Buzdolabı", "冷蔵庫の温度", "冰箱温度", "ثلاجة المطبخ", "फ्रिज", "Garden temperature",
        "Außentemperatur", "Température extérieure", "Utomhustemperatur", "外気温",
    ],
)  # fmt: skip
def test_what_is_no_room_is_no_warmest_room(name: str) -> None:
    rooms = [thermometer("Office", "19", "Office"), thermometer("Bath", "22", "Bath")]
    lines = told(home_of([*rooms, thermometer(name, "18", "Kitchen")]))
    assert lines[0] == "Temperatures of rooms: 2, highest 22 °C (Bath), lowest 19 °C (Office), mean 20.5 °C"
    assert lines[1] == f"Temperatures elsewhere: 18 °C ({name})"


def test_implausible_temperatures_are_no_rooms() -> None:
    rooms = [thermometer("Office", "19", "Office"), thermometer("Bath", "22", "Bath")]
    lines = told(home_of([*rooms, thermometer("Thing", "184", "Kitchen"), thermometer("Blob", "-18", "Kitchen")]))
    assert lines[1] == "Temperatures elsewhere: -18 °C (Blob), 184 °C (Thing)"


def test_a_thermostat_tells_of_a_room_in_which_no_other_does() -> None:
    climate = {"current_temperature": 17.5}
    things = [
        thermometer("Office", "19", "Office"),
        Thing("climate.office", "Office heating", "heat", "Office", attributes={"current_temperature": 25}),
        Thing("climate.attic", "Attic heating", "heat", "Attic", attributes=climate),
    ]
    assert told(home_of(things)) == [
        "Temperatures of rooms: 2, highest 19 °C (Office), lowest 17.5 °C (Attic heating), mean 18.2 °C",
        "Thermostats heat: 2 of 2 (Office heating, Attic heating)",
    ]


def test_degrees_are_told_in_the_unit_of_most() -> None:
    things = [
        thermometer("Office", "19", "Office"),
        thermometer("Bath", "21", "Bath"),
        thermometer("Den", "77", "Den", "°F"),
    ]
    assert told(home_of(things)) == [
        "Temperatures of rooms: 3, highest 25 °C (Den), lowest 19 °C (Office), mean 21.7 °C"
    ]


@pytest.mark.parametrize(
    ("value", "own", "unit", "result"),
    [
        (1.5, "kW", "W", 1500),
        (250, "W", "kW", 0.25),
        (50, "°F", "°C", 10),
        (20, "°C", "°F", 68),
        (3, "kW", "°C", None),
        (500, "Wh", "kWh", 0.5),
    ],
)
def test_units_are_converted(value: float, own: str, unit: str, result: float | None) -> None:
    found = converted(value, own, unit)
    assert found == (None if result is None else pytest.approx(result))


def meter(name: str, value: str, unit: str = "W", kind: str = "power") -> Thing:
    return Thing(f"sensor.{name.replace(' ', '_')}", name, value, None, kind, unit)


def test_power_is_added_up_in_one_unit_without_what_is_counted_twice() -> None:
    things = [
        meter("Fridge", "50"),
        meter("TV", "100"),
        meter("Dishwasher", "1.85", "kW"),
        meter("House power", "2400"),
        meter("Solar", "900"),
        meter("Balcony", "-310"),
        meter("Gone", "unavailable"),
    ]
    assert told(home_of(things)) == [
        (
            "Power sensors: 3, together 2000 W, highest 1850 W (Dishwasher); of the whole home: 2400 W (House power); "
            "made or stored: 900 W (Solar), -310 W (Balcony); not known: 1 (Gone)"
        )
    ]


def test_energy_is_added_up() -> None:
    things = [meter("Fridge", "1.5", "kWh", "energy"), meter("TV", "500", "Wh", "energy")]
    assert told(home_of(things)) == ["Energy sensors: 2, together 2 kWh, highest 1.5 kWh (Fridge)"]


@pytest.mark.parametrize(
    ("levels", "line"),
    [
        (("88", "4", "20"), "Batteries low: 2 of 3 (B1 4 %, B2 20 %)"),
        (("88", "40"), "Batteries low: 0 of 2; lowest B1 40 %"),
        (("88", "on", "4"), "Batteries low: 2 of 3 (B2 4 %, B1 low)"),
        (("88", "3", "unknown"), "Batteries low: 1 of 2 (B1 3 %); not known: 1 (B2)"),
    ],
)
def test_of_batteries_the_low_ones_count(levels: Sequence[str], line: str) -> None:
    things = [
        Thing(f"binary_sensor.b{n}", f"B{n}", level, device_class="battery")
        if level == "on"
        else Thing(f"sensor.b{n}", f"B{n}", level, device_class="battery", unit="%")
        for n, level in enumerate(levels)
    ]
    assert told(home_of(things)) == [line]


def test_sensors_without_a_class_are_grouped_by_their_unit() -> None:
    things = [Thing(f"sensor.s{n}", f"S{n}", "5", unit=unit) for n, unit in enumerate(("min", "min", "x", "x"))]
    assert len(told(home_of(things))) == 2


def test_names_are_left_out_where_they_are_listed_anyway() -> None:
    assert told(home_of(lamps("on", "off", "off", "unknown")), named=False) == [
        "Lights on: 1 of 4; off: 2; not known: 1"
    ]
