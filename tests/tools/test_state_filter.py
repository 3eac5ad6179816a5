"""What a model means by a state: three answers, so that nothing is denied that may be so."""

import pytest

from tests.context.homes import NOW, Thing, home_of
from tests.tools.asking import asking
from wyoming_openai.context.facts import state_word
from wyoming_openai.tools.state_filter import Wording, is_so, limits_of

BATTERIES = [
    Thing("sensor.a", "Attic battery", "88", device_class="battery", unit="%"),
    Thing("sensor.f", "Front battery", "4", device_class="battery", unit="%"),
    Thing("sensor.r", "Remote battery", "20", device_class="battery", unit="%"),
    Thing("sensor.x", "Cellar battery", "unavailable", device_class="battery", unit="%"),
    Thing("binary_sensor.g", "Gate battery", "on", device_class="battery"),
]
HOUSE = [
    *BATTERIES,
    Thing("climate.living", "Living heating", "auto", "Living room", attributes={"hvac_action": "heating"}),
    Thing("climate.bath", "Bath heating", "heat", "Bath", attributes={"hvac_action": "idle"}),
    Thing("climate.office", "Office heating", "off", "Office", attributes={"hvac_action": "off"}),
    Thing("media_player.tv", "TV", "playing"),
    Thing("media_player.radio", "Radio", "off"),
    Thing("person.ada", "Ada", "home"),
    Thing("person.ben", "Ben", "not_home"),
    Thing("person.cy", "Cy", "Grandma's"),
    Thing("person.dee", "Dee", "unknown"),
    Thing("binary_sensor.door", "Front door", "off", "Hall", "door"),
    Thing("binary_sensor.back", "Back door", "off", "Kitchen", "door"),
    Thing("lock.front", "Front lock", "locked", "Hall"),
    Thing("lock.back", "Back lock", "jammed", "Kitchen"),
    Thing("vacuum.robi", "Robi", "docked"),
    Thing("cover.gate", "Gate", "opening", device_class="gate"),
    Thing("sensor.washer", "Washer", "run"),
    Thing("alarm_control_panel.house", "Alarm", "armed_night"),
    Thing("timer.egg", "Egg timer", "active"),
]


@pytest.mark.parametrize(
    ("arguments", "told", "not_told"),
    [
        ({"device_class": "battery", "state": "low"}, ["Front", "Remote", "Gate"], ["Attic"]),
        ({"device_class": "battery", "state": "<20"}, ["Front"], ["Attic", "Remote"]),
        ({"device_class": "battery", "state": "at most 20 %"}, ["Front", "Remote"], ["Attic"]),
        ({"device_class": "battery", "state": "over 50"}, ["Attic"], ["Front"]),
        ({"domain": "climate", "state": "heating"}, ["Living heating"], ["Bath", "Office"]),
        ({"domain": "climate", "state": "on"}, ["Living heating", "Bath heating"], ["Office"]),
        ({"domain": "media_player", "state": "on"}, ["TV: playing"], ["Radio"]),
        ({"domain": "person", "state": "away"}, ["Ben", "Cy"], ["Ada"]),
        ({"domain": "person", "state": "not home"}, ["Ben", "Cy"], ["Ada"]),
        ({"domain": "person", "state": "home"}, ["Ada"], ["Ben", "Cy"]),
        ({"domain": "door", "state": "locked"}, ["Front lock", "locked"], ["Front door"]),
        ({"domain": "door", "area": "Hall", "state": "locked"}, ["Front lock"], ["Back lock"]),
        ({"domain": "lock", "state": "not locked"}, ["Back lock", "jammed"], ["Front lock"]),
        ({"domain": "vacuum", "state": "charging"}, ["Robi: docked"], ["none"]),
        ({"domain": "cover", "state": "open"}, ["Gate", "opening"], ["none"]),
        ({"domain": "sensor", "state": "running"}, ["Washer: run"], ["none"]),
        ({"domain": "sensor", "name": "Washer", "state": "finished"}, ["Washer: run"], ["none"]),
        ({"domain": "alarm_control_panel", "state": "armed"}, ["Alarm: armed night"], ["none"]),
        ({"domain": "timer", "state": "running"}, ["Egg timer: active"], ["none"]),
        ({"state": "zapped"}, ["TV", "Ada"], ["none"]),
    ],
)
async def test_a_state_is_found_by_what_people_call_it(
    arguments: dict[str, str], told: list[str], not_told: list[str]
) -> None:
    lines = (await asking(home_of(HOUSE), NOW)("get_entities", **arguments)).splitlines()
    listed = "\n".join(line for line in lines if " of " not in line or "none" in line)
    assert [name for name in told if name not in listed] == []
    assert [name for name in not_told if name in listed] == []


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ({"device_class": "battery", "state": ">90"}, "- none of 4 is >90"),
        ({"domain": "light", "state": "on"}, "- none of 1 is on"),
        ({"domain": "person", "state": "away"}, "- not known: Dee (unknown)"),
        ({"device_class": "battery", "state": "low"}, "- not known: Cellar battery (unavailable)"),
    ],
)
async def test_what_is_unknown_is_no_part_of_a_denial(arguments: dict[str, str], line: str) -> None:
    house = [*HOUSE, Thing("light.a", "Lamp", "off"), Thing("light.b", "Bulb", "unavailable")]
    assert line in (await asking(home_of(house), NOW)("get_entities", **arguments)).splitlines()


async def test_batteries_are_told_from_the_emptiest_on() -> None:
    answer = await asking(home_of(BATTERIES), NOW)("get_entities", device_class="battery", domain="sensor")
    names = [line.split(":")[0] for line in answer.splitlines() if "battery: " in line]
    assert names == ["- Front battery", "- Remote battery", "- Attic battery", "- Cellar battery"]


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("<20", 19.9, 20),
        ("<= 20 %", 20, 20.1),
        ("below 20 degrees", 19, 21),
        ("at least 21,5", 21.5, 21.4),
        ("more than 1000 ppm", 1001, 1000),
        ("between 18 and 20 °C", 18, 20.5),
        ("18-20", 20, 17),
        ("> -5", -4, -6),
    ],
)
def test_thresholds(text: str, inside: float, outside: float) -> None:
    limits = limits_of(text)
    assert limits is not None
    assert limits[0] < inside < limits[1]
    assert not limits[0] < outside < limits[1]


@pytest.mark.parametrize("text", ["on", "armed_away", "2 of 3 open", "not locked", ""])
def test_words_are_no_thresholds(text: str) -> None:
    assert limits_of(text) is None


@pytest.mark.parametrize(
    ("thing", "text", "answer"),
    [
        (Thing("light.a", "A", "unavailable"), "on", None),
        (Thing("light.a", "A", "unavailable"), "off", None),
        (Thing("light.a", "A", "unavailable"), "offline", True),
        (Thing("light.a", "A", "unavailable"), "unavailable", True),
        (Thing("light.a", "A", "on"), "burnt", None),
        (Thing("light.a", "A", "on"), "not off", True),
        (Thing("climate.a", "A", "heat"), "heating", None),
        (Thing("climate.a", "A", "cool", attributes={"current_temperature": 25}), ">24", True),
        (Thing("binary_sensor.a", "A", "on", device_class="moisture"), "leaking", True),
        (Thing("binary_sensor.a", "A", "on", device_class="window"), "open", True),
        (Thing("binary_sensor.a", "A", "on", device_class="window"), "closed", False),
        (Thing("sensor.a", "A", "off", attributes={"options": ["off", "drying"]}), "drying", False),
        (Thing("select.a", "A", "eco"), "boost", None),
    ],
)
def test_three_answers(thing: Thing, text: str, answer: bool | None) -> None:
    home = home_of([thing])
    assert is_so(Wording(text), home.states[thing.entity_id], lambda it: state_word(home, it, NOW)) is answer
