"""Who is asking is known from Home Assistant's registries."""

import pytest

from tests.fakes.home_assistant import small_home
from wyoming_openai.conversation.caller import identify_caller
from wyoming_openai.hass.home import Home
from wyoming_openai.hass.snapshot import home_from_results
from wyoming_openai.messages import Utterance

VOIP = {"identifiers": [["voip", "sip:hall@192.168.1.30"]], "name": "192.168.1.30", "name_by_user": "Hall phone"}
DEVICES = {"phone": VOIP, "app": {"identifiers": [["mobile_app", "x"]]}, "speaker": {"identifiers": [["esphome", "y"]]}}


@pytest.fixture(scope="module")
def home() -> Home:
    raw = small_home()
    devices = raw["config/device_registry/list"]
    devices += [{**devices[0], "name": None, "name_by_user": None, "id": name, **row} for name, row in DEVICES.items()]
    entities = raw["config/entity_registry/list"]
    satellite = {**entities[0], "entity_id": "assist_satellite.hall", "device_id": "phone", "platform": "voip"}
    entities.append(satellite)
    return home_from_results(raw)


@pytest.mark.parametrize(
    ("device", "satellite", "kind"),
    [
        ("phone", None, "phone"),
        (None, "assist_satellite.hall", "phone"),
        ("speaker", None, "satellite"),
        ("speaker", "assist_satellite.x", "satellite"),
        ("gone", "assist_satellite.x", "satellite"),
        ("gone", None, "unknown"),
        ("app", None, "unknown"),
        (None, None, "unknown"),
    ],
)
def test_the_kind_of_caller(home: Home, device: str | None, satellite: str | None, kind: str) -> None:
    assert identify_caller(home, Utterance("x", device_id=device, satellite_id=satellite)).kind == kind


def test_without_a_home_a_satellite_is_still_one() -> None:
    assert (
        identify_caller(None, Utterance("x", device_id="phone", satellite_id="assist_satellite.x")).kind == "satellite"
    )


@pytest.mark.parametrize("name", ["phone", "Hall phone", "hall PHONE", "192.168.1.30"])
def test_a_device_is_called_by_its_id_or_any_of_its_names(home: Home, name: str) -> None:
    assert identify_caller(home, Utterance("x", device_id="phone")).is_called(name)


def test_a_device_is_not_called_by_other_names(home: Home) -> None:
    assert not identify_caller(home, Utterance("x", device_id="phone")).is_called("Hall")
    assert not identify_caller(home, Utterance("x")).is_called("Hall phone")
