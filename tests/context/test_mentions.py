"""What a sentence speaks of in a home."""

import pytest

from tests.context.homes import Thing, home_of
from wyoming_openai.context.cache import ContextCache
from wyoming_openai.context.mentions import Mentions
from wyoming_openai.hass.home import Home


@pytest.fixture(scope="module")
def home() -> Home:
    things = [
        Thing("light.a", "Deckenleuchte", area="Küche"),
        Thing("light.b", "Stehleuchte", area="Büro"),
        Thing("binary_sensor.c", "Kontakt", area="Küche", device_class="window"),
        Thing("binary_sensor.d", "Melder", area="Büro", device_class="gas"),
        Thing("lock.e", "Schloss", area="Büro"),
        Thing("sensor.f", "Fühler", "20", area="Küche", unit="°C"),
        Thing("cover.g", "Rollo links", area="Küche", device_class="blind"),
        *(Thing(f"switch.pump{number}", f"Pumpe {number}", area="Küche") for number in range(3)),
        *(Thing(f"sensor.pump{number}", f"Pumpe {number} Signal", "1", area="Küche") for number in range(2)),
    ]
    return home_of(things, {"Küche": "Erdgeschoss", "Büro": "Obergeschoss"})


@pytest.fixture(scope="module")
def context_cache() -> ContextCache:
    return ContextCache()


def members(home: Home, context_cache: ContextCache, asked: Mentions) -> set[str]:
    """The entities of all groups asked for."""
    ids = context_cache.directory(home).ids
    return {ids[number] for group in asked.groups for number in group.members}


@pytest.mark.parametrize(
    ("language", "text", "found"),
    [
        ("de", "Welche Lampen sind an?", {"light.a", "light.b"}),
        ("de", "Ist ein Fenster offen?", {"binary_sensor.c"}),
        ("de", "Sind alle Gassensoren aus?", {"binary_sensor.d"}),
        ("de", "Ist alles verriegelt?", {"lock.e"}),
        ("de", "Wie warm ist es?", {"sensor.f"}),
        ("de", "Sind die Rollläden unten?", {"cover.g"}),
        ("de", "Laufen die Pumpen?", {"switch.pump0", "switch.pump1", "switch.pump2"}),
        ("en", "Are the windos open?", {"binary_sensor.c"}),
        ("pl", "Czy okno jest otwarte?", {"binary_sensor.c"}),
        ("ja", "窓はどうなっていますか", {"binary_sensor.c"}),
        ("vi", "cửa sổ có mở không", {"binary_sensor.c"}),
        ("de", "Erzähl mir einen Witz", set()),
    ],
)
def test_groups(home: Home, context_cache: ContextCache, language: str, text: str, found: set[str]) -> None:
    assert members(home, context_cache, context_cache.asked(home, language, text)) == found


@pytest.mark.parametrize(
    ("language", "text", "places"),
    [
        ("de", "Was ist in der Küche an?", ["Küche"]),
        ("de", "Und im Buero?", ["Büro"]),
        ("de", "Ist im Obergeschoss Licht an?", ["Obergeschoss"]),
        ("de", "Brennt das Küchenlicht?", ["Küche"]),
        ("en", "küche and büro please", ["Küche", "Büro"]),
        ("de", "Ist die Kirche aus?", []),
    ],
)
def test_places(home: Home, context_cache: ContextCache, language: str, text: str, places: list[str]) -> None:
    assert sorted(place.name for place in context_cache.asked(home, language, text).places) == sorted(places)


@pytest.mark.parametrize(
    ("text", "states"),
    [("Which windows are open?", {"open", "on"}), ("Is the door unlocked?", {"unlocked"}), ("How warm is it?", set())],
)
def test_states(home: Home, context_cache: ContextCache, text: str, states: set[str]) -> None:
    assert context_cache.asked(home, "en", text).states == states


def test_home_assistants_own_words_are_known() -> None:
    translations = {
        "component.binary_sensor.entity_component.vibration.name": "Ĝojtremo",
        "component.binary_sensor.entity_component.vibration.state.on": "Tremas",
    }
    home = home_of([Thing("binary_sensor.a", "Sensor 5", device_class="vibration")], translations=translations)
    context_cache = ContextCache()
    asked = context_cache.asked(home, "eo", "ĉu estas ĝojtremo, tremas")
    assert members(home, context_cache, asked) == {"binary_sensor.a"}
    assert asked.states == {"on"}
