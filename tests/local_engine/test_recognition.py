from dataclasses import replace

import pytest

from tests.local_engine.local_home import home, state
from wyoming_openai.hass.home import Entity, Home
from wyoming_openai.local_engine.engine import LocalEngine, Recognition
from wyoming_openai.local_engine.languages import MOST
from wyoming_openai.local_engine.sentence_matcher import MAX_CHARACTERS, SentenceMatcher, variants
from wyoming_openai.messages import Utterance


@pytest.fixture(scope="module")
def engine() -> LocalEngine:
    return LocalEngine()


def recognized(
    engine: LocalEngine, text: str, at: Home | None = None, area: str | None = None, language: str = "en"
) -> Recognition | None:
    at = at or home()
    return engine.recognize(Utterance(text, language), at, at.registries.areas[area] if area else None)


def found(engine: LocalEngine, text: str, at: Home | None = None, area: str | None = None) -> Recognition:
    recognition = recognized(engine, text, at, area)
    assert recognition is not None
    return recognition


def ids(recognition: Recognition) -> tuple[list[str], list[str]]:
    return [each.entity_id for each in recognition.matched], [each.entity_id for each in recognition.unmatched]


def test_recognition_tells_what_was_asked_and_of_which_entities(engine: LocalEngine) -> None:
    recognition = found(engine, "are any lights on in the kitchen")
    assert recognition.intent == "HassGetState"
    assert recognition.slots == {"state": "on", "area": "Kitchen", "domain": "light"}
    assert recognition.response == "any"
    assert recognition.area_ids == {"kitchen"}
    assert not recognition.wants_control
    assert ids(recognition) == (["light.kitchen_ceiling"], ["light.kitchen_counter"])


def test_an_alias_of_a_floor_is_the_floor(engine: LocalEngine) -> None:
    assert found(engine, "which lights are off on the first floor").floor_ids == {"upper"}


@pytest.mark.parametrize(
    ("command", "intent", "targets"),
    [
        ("turn on the lights in the kitchen", "HassTurnOn", ["light.kitchen_ceiling", "light.kitchen_counter"]),
        ("open the blind", "HassTurnOn", ["cover.blind"]),
        ("set the kitchen brightness to 50%", "HassLightSet", ["light.kitchen_ceiling", "light.kitchen_counter"]),
        ("set the bedroom temperature to 21 degrees", "HassClimateSetTemperature", ["climate.bedroom"]),
        ("set a timer for ten minutes", "HassStartTimer", []),
        ("unlock the front door", "HassTurnOff", ["lock.front_door"]),
    ],
)
def test_a_command_is_recognised_with_its_targets(
    engine: LocalEngine, command: str, intent: str, targets: list[str]
) -> None:
    recognition = found(engine, command)
    assert (recognition.intent, recognition.wants_control) == (intent, True)
    assert ids(recognition) == (targets, [])


def test_a_command_without_an_area_means_the_room_it_was_given_in(engine: LocalEngine) -> None:
    recognition = found(engine, "turn on the lights", area="bedroom")
    assert recognition.slots["area"] == "Bedroom"
    assert ids(recognition) == (["light.bedroom_lamp"], [])


@pytest.mark.parametrize(
    "text",
    [
        "is the kitchen ceiling on",
        "  Is the KITCHEN   ceiling on ?!",
        "is the kitchen-ceiling on",
        "IS KITCHEN CEILING ON.",
    ],
)
def test_writing_does_not_matter(engine: LocalEngine, text: str) -> None:
    assert ids(found(engine, text)) == (["light.kitchen_ceiling"], [])


def test_names_with_signs_are_found(engine: LocalEngine) -> None:
    odd = home(state("light.living_lamp", "on", "Anna's (old) lamp, no. 2"))
    assert ids(found(engine, "is Anna's old lamp no 2 on", odd)) == (["light.living_lamp"], [])


def test_a_name_of_signs_alone_does_no_harm(engine: LocalEngine) -> None:
    odd = home(state("light.living_lamp", "on", "💡"), state("light.bedroom_lamp", "on", "(?)"))
    assert ids(found(engine, "which lights are off", odd))[1][:2] == ["light.kitchen_ceiling", "light.living_lamp"]


def test_states_are_read_afresh(engine: LocalEngine) -> None:
    changing = home()
    assert ids(found(engine, "is the kitchen ceiling on", changing)) == (["light.kitchen_ceiling"], [])
    changing.apply_states({"c": {"light.kitchen_ceiling": {"+": {"s": "off", "lc": 1.0}}}})
    assert ids(found(engine, "is the kitchen ceiling on", changing)) == ([], ["light.kitchen_ceiling"])


def test_a_new_name_is_known_at_once(engine: LocalEngine) -> None:
    changing = home()
    assert recognized(engine, "is the chandelier on", changing) is None
    renamed = {"+": {"a": {"friendly_name": "Chandelier"}, "lu": 1.0}}
    changing.apply_states({"c": {"light.kitchen_ceiling": renamed}})
    assert ids(found(engine, "is the chandelier on", changing)) == (["light.kitchen_ceiling"], [])
    assert recognized(engine, "is the kitchen ceiling on", changing) is None


def test_an_entity_that_comes_or_goes_is_known_at_once(engine: LocalEngine) -> None:
    changing = home()
    entities = {**changing.registries.entities, "light.new": Entity("light.new", should_expose=True)}
    changing.registries = replace(changing.registries, entities=entities)
    assert recognized(engine, "is the new one on", changing) is None
    changing.apply_states({"a": {"light.new": {"s": "on", "a": {"friendly_name": "New one"}, "lc": 1.0}}})
    assert ids(found(engine, "is the new one on", changing)) == (["light.new"], [])
    changing.apply_states({"r": ["light.new"]})
    assert recognized(engine, "is the new one on", changing) is None


def test_a_new_alias_or_area_is_known_at_once(engine: LocalEngine) -> None:
    changing = home()
    lamp = replace(changing.registries.entities["light.tv_strip"], aliases=(None, "Glow"), area_id="garage")
    assert recognized(engine, "is the glow on", changing) is None
    changing.registries = replace(
        changing.registries, entities={**changing.registries.entities, "light.tv_strip": lamp}
    )
    assert ids(found(engine, "is the glow on", changing)) == ([], ["light.tv_strip"])
    assert ids(found(engine, "which lights are on in the garage", changing)) == ([], ["light.tv_strip"])


def test_homes_are_not_mixed_up(engine: LocalEngine) -> None:
    one, other = home(), home(state("light.kitchen_ceiling", "off", "Kitchen ceiling"))
    assert ids(found(engine, "is the kitchen ceiling on", one)) == (["light.kitchen_ceiling"], [])
    assert ids(found(engine, "is the kitchen ceiling on", other)) == ([], ["light.kitchen_ceiling"])
    assert ids(found(engine, "is the kitchen ceiling on", one)) == (["light.kitchen_ceiling"], [])


def test_a_place_that_is_no_zone_counts_where_somebody_is_there(engine: LocalEngine) -> None:
    assert recognized(engine, "is Anna at the gym") is None
    training = home(state("person.anna", "Gym", "Anna"))
    assert ids(found(engine, "is Anna at the gym", training)) == (["person.anna"], [])


def test_long_texts_are_left_alone_however_they_begin(engine: LocalEngine) -> None:
    assert recognized(engine, "broadcast " + "a" * (MAX_CHARACTERS - 10)) is not None
    assert recognized(engine, "broadcast " + "a" * MAX_CHARACTERS) is None


@pytest.mark.parametrize(
    ("tag", "languages"),
    [
        ("en", ["en"]),
        ("en-GB", ["en"]),
        ("de-DE", ["de"]),
        ("de_AT", ["de"]),
        ("de-CH", ["de-CH", "de"]),
        ("pt", ["pt"]),
        ("pt-BR", ["pt-BR", "pt"]),
        ("pt-br", ["pt-BR", "pt"]),
        ("zh", ["zh-CN"]),
        ("zh-Hans", ["zh-CN"]),
        ("zh-Hant-TW", ["zh-TW"]),
        ("zh-Hant", ["zh-TW"]),
        ("zh-HK", ["zh-HK"]),
        ("no", ["nb"]),
        ("nb-NO", ["nb"]),
        ("iw", ["he"]),
        ("sr-Latn-RS", ["sr-Latn", "sr"]),
        ("es-419", ["es"]),
        ("tlh", []),
        ("", []),
    ],
)
def test_language_tags_find_the_nearest_language(tag: str, languages: list[str]) -> None:
    assert variants(tag) == languages


def test_no_more_languages_are_kept_than_are_worth_their_memory() -> None:
    matcher = SentenceMatcher()
    tags = ["ja", "sw", "ms", "mn", "ka", "te", "kn", "et", "gu", "id", "ja"]
    assert [matcher.languages(tag)[0].tag for tag in tags] == tags
    assert len(matcher._languages) == MOST
