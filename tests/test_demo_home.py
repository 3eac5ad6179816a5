"""The demo home: whole, believable, and made by its script."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from wyoming_openai.hass.home import Home, State
from wyoming_openai.hass.snapshot import DEMO_HOME, load_home

SCRIPT = Path(__file__).parent.parent / "script" / "make_demo_home"


@pytest.fixture(scope="module")
def home() -> Home:
    return load_home(DEMO_HOME)


def test_script_makes_exactly_this_file() -> None:
    made = subprocess.run([sys.executable, SCRIPT, "-"], capture_output=True, check=True).stdout  # noqa: S603
    assert made == DEMO_HOME.read_bytes()


def test_file_is_small_enough_to_ship() -> None:
    assert DEMO_HOME.stat().st_size < 150_000


def test_home_is_of_the_promised_size(home: Home) -> None:
    assert len(home.registries.floors) == 3
    assert len(home.registries.areas) == 11
    assert 80 <= len(home.registries.exposed) <= 110


def test_every_reference_resolves(home: Home) -> None:
    registries = home.registries
    for area in registries.areas.values():
        assert area.floor_id is None or area.floor_id in registries.floors
        assert {area.temperature_entity_id, area.humidity_entity_id} - {None} <= registries.entities.keys()
    for device in registries.devices.values():
        assert device.area_id is None or device.area_id in registries.areas
        assert device.parent_device_id is None or device.parent_device_id in registries.devices
        assert device.row["config_entry_id"] in registries.config_entries
    for entity in registries.entities.values():
        assert entity.area_id is None or entity.area_id in registries.areas
        assert entity.device_id is None or entity.device_id in registries.devices
        assert set(entity.labels) <= registries.labels.keys()
    for state in home.states.values():
        assert set(state.attributes.get("entity_id", ())) <= home.states.keys()


def test_ids_are_unique(home: Home) -> None:
    snapshot = DEMO_HOME.read_text("utf-8")
    assert snapshot.count('"s":') == len(home.states)
    assert len({device.name for device in home.registries.devices.values()}) == len(home.registries.devices)


def test_every_exposed_entity_has_a_state_and_a_source(home: Home) -> None:
    assert home.registries.exposed <= home.states.keys()
    assert home.registries.exposed <= home.registries.sources.keys()


def test_every_room_has_something_to_ask_about(home: Home) -> None:
    areas = Counter(area.id for state in home.exposed_states() if (area := home.registries.area_of(state.entity_id)))
    assert areas.keys() == home.registries.areas.keys()
    assert min(areas.values()) >= 4


def test_child_device_is_in_its_parents_room(home: Home) -> None:
    area = home.registries.area_of("sensor.freezer_temperature")
    assert area is not None
    assert area.id == "kitchen"


def test_technical_entities_stay_invisible(home: Home) -> None:
    hidden = home.states.keys() - home.registries.exposed
    assert len(hidden) >= 10
    assert {"device_tracker.ben_phone", "switch.hall_phone_allow_calls", "assist_satellite.kitchen"} <= hidden


def test_registry_alone_exposes_the_same_entries(home: Home) -> None:
    """What a token sees that may not ask for the exposure list: all but what no registry holds."""
    flagged = {entity.entity_id for entity in home.registries.entities.values() if entity.should_expose}
    assert flagged == home.registries.exposed - {"sun.sun"}


def test_there_is_a_phone_and_two_satellites(home: Home) -> None:
    phones = [device for device in home.registries.devices.values() if device.row["identifiers"][0][0] == "voip"]
    assert [(device.name, device.area_id) for device in phones] == [("Hall phone", "hallway")]
    satellites = {home.registries.area_of(entity_id) for entity_id in home.states_in("assist_satellite")}
    assert {area.id for area in satellites if area} == {"hallway", "kitchen", "bedroom"}


def test_answers_are_worth_asking_for(home: Home) -> None:
    assert _are(home, "binary_sensor", "on", device_class="window") == ["Bathroom window"]
    assert _are(home, "lock", "locked") == ["Front door lock"]
    assert _are(home, "lock", "unlocked") == ["Side door lock"]
    assert _are(home, "cover", "open") == ["Garage door", "Living room blinds"]
    assert _are(home, "person", "home") == ["Anna", "Emma"]
    assert _are(home, "media_player", "playing") == ["Living room speaker"]
    assert "Attic light" in _are(home, "light", "on")


def test_nothing_happened_after_the_recording(home: Home) -> None:
    recorded = home.states["sensor.house_power"].last_changed + 12
    assert all(state.last_changed <= recorded for state in home.states.values())


def test_states_have_names_for_people(home: Home) -> None:
    for state in home.exposed_states():
        if not _is_a_value(state):
            assert _translated(home, state), state.entity_id


def _are(home: Home, domain: str, value: str, **attributes: str) -> list[str]:
    states = home.states_in(domain).values()
    return sorted(
        state.name for state in states if state.state == value and attributes.items() <= dict(state.attributes).items()
    )


def _is_a_value(state: State) -> bool:
    """Numbers, times and names of zones speak for themselves."""
    if state.domain == "sensor":
        return "unit_of_measurement" in state.attributes
    return state.domain in {"todo", "scene"} or state.entity_id == "person.leo"


def _translated(home: Home, state: State) -> str | None:
    entity = home.registries.entities.get(state.entity_id)
    if entity and entity.translation_key:
        key = f"component.{entity.platform}.entity.{state.domain}.{entity.translation_key}.state.{state.state}"
        return home.translations.get(key)
    names = (
        f"component.{state.domain}.entity_component.{kind}" for kind in (state.attributes.get("device_class"), "_")
    )
    return next((name for kind in names if (name := home.translations.get(f"{kind}.state.{state.state}"))), None)
