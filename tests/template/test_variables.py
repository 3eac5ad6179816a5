"""What a turn offers to templates beside Home Assistant's functions."""

import pytest

from wyoming_openai.hass.home import Home
from wyoming_openai.template import answer_line, compile_template, exposed_entities

WALK = "{% for area in areas %}{{ area.name }}={{ area.id }};{% endfor %}"


def test_areas_can_be_walked_as_a_variable(home: Home) -> None:
    assert compile_template(WALK).render(home).startswith("Living Room=living_room;Kitchen=kitchen;")


def test_an_area_of_the_variable_is_taken_as_its_id(home: Home) -> None:
    text = (
        "{% for area in areas %}{{ area_name(area) }},{{ area.floor_id }},{{ area.aliases | join('/') }};{% endfor %}"
    )
    assert compile_template(text).render(home).startswith("Living Room,ground_floor,Lounge/Woonkamer;")


@pytest.mark.parametrize(
    "text", ["{{ areas | map(attribute='name') | first }}", "{{ areas[0].name }}", "{{ (areas | list)[0].name }}"]
)
def test_areas_can_be_looked_into_as_a_variable(text: str, home: Home) -> None:
    assert compile_template(text).render(home) == "Living Room"


def test_asking_for_the_variable_first_is_no_call(home: Home) -> None:
    assert compile_template("{% if areas is defined %}" + WALK + "{% endif %}").render(home)


@pytest.mark.parametrize(
    "text", ["{{ areas() | first }}", "{% for area in areas() %}{{ area }}{% break %}{% endfor %}"]
)
def test_areas_that_is_called_is_home_assistants_function(text: str, home: Home) -> None:
    assert compile_template(text).render(home) == "living_room"


def test_areas_that_is_only_asked_about_is_home_assistants_function(home: Home) -> None:
    assert compile_template("{{ areas is callable }}").render(home) == "True"


def test_given_areas_win(home: Home) -> None:
    assert compile_template(WALK).render(home, {"areas": [{"name": "Shed", "id": 1}]}) == "Shed=1;"


def test_only_exposed_entities_are_offered(home: Home) -> None:
    rows = exposed_entities(home)
    assert {row["entity_id"] for row in rows} == home.registries.exposed & home.states.keys()
    assert all(row.keys() == {"entity_id", "name", "state", "aliases", "area"} for row in rows)


def test_an_exposed_entity_is_told_with_its_aliases_and_its_room(home: Home) -> None:
    (row,) = [row for row in exposed_entities(home) if row["entity_id"] == "light.living_lamp"]
    assert (row["name"], row["state"], row["area"]) == ("Living Lamp", "on", "Living Room")
    assert isinstance(row["aliases"], list)


def test_a_line_without_a_clock_is_answered_by_the_present_one(home: Home) -> None:
    assert answer_line({"template": "{{ now().year > 2020 }}"}, home) == {"result": True, "text": "True"}


def test_what_json_cannot_hold_is_sent_as_text(home: Home) -> None:
    assert answer_line({"template": "{{ (1, 2) }}"}, home) == {"result": [1, 2], "text": "(1, 2)"}
    assert answer_line({"template": "{{ {1: none} }}"}, home) == {"result": {"1": None}, "text": "{1: None}"}
    assert answer_line({"template": "b'x'{{ '' }}"}, home) == {"result": "b'x'", "text": "b'x'"}
