from datetime import datetime

import pytest

from tests.local_engine.local_home import SECRET, home, state
from wyoming_openai.hass.home import Home
from wyoming_openai.local_engine.engine import LocalAnswer, LocalEngine
from wyoming_openai.messages import Utterance

NOW = datetime(2026, 11, 23, 18, 42)  # noqa: DTZ001 - the clock on the wall


@pytest.fixture(scope="module")
def engine() -> LocalEngine:
    return LocalEngine()


def ask(
    engine: LocalEngine, text: str, language: str = "en", area: str | None = None, at: Home | None = None
) -> LocalAnswer | None:
    at = at or home()
    return engine.answer(Utterance(text, language), at, at.registries.areas[area] if area else None, NOW)


def spoken(
    engine: LocalEngine, text: str, language: str = "en", area: str | None = None, at: Home | None = None
) -> str | None:
    answer = ask(engine, text, language, area, at)
    return None if answer is None else answer.text


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("What is the state of the Kitchen ceiling?", "Kitchen ceiling is on"),
        ("is the kitchen ceiling on", "Yes"),
        ("is the kitchen counter on", "No, off"),
        ("are any lights on in the kitchen", "Yes, Kitchen ceiling"),
        ("are all lights on in the kitchen?", "No, Kitchen counter is not on"),
        ("are all lights off", "No, Kitchen ceiling and Lamp are not off"),
        ("which lights are on", "Kitchen ceiling and Lamp"),
        ("which lights are on upstairs", "Not any"),
        ("how many lights are off?", "3"),
        ("how many lights are off on the first floor", "1"),
        ("is the blind open", "No, closed"),
        ("what is the living room thermometer", "Living room thermometer is 21.5 °C"),
        ("where is Anna", "Anna is at home"),
        ("where is bert", "Bert is away"),
        ("is Bert home?", "No, away"),
        ("who is home", "Anna"),
        ("is anyone at work", "No"),
        ("what's the weather", "8.5 °C and raining"),
        ("what time is it", "6:42 PM"),
        ("what's the date today", "November 23rd, 2026"),
    ],
)
def test_questions_are_answered_from_the_states(engine: LocalEngine, question: str, answer: str) -> None:
    assert spoken(engine, question) == answer


@pytest.mark.parametrize(
    ("language", "question", "answer"),
    [
        ("de", "Welche Lichter sind an?", "Kitchen ceiling und Lamp"),
        ("de-DE", "Ist die Küchenlampe an?", "Ja"),
        ("de", "Wie viele Lichter sind in der Küche aus?", "1"),
        ("de", "Ist die Haustür offen?", "Nein, geschlossen"),
        ("de", "Wer ist zu Hause?", "Anna"),
        ("de", "Wie spät ist es?", "Es ist 18:42"),
        ("de-CH", "Wie spät ist es?", "Es ist 18:42"),
        ("fr", "Quelles lumières sont allumées ?", "Kitchen ceiling et Lamp"),
        ("fr", "est-ce que le plafonnier est allumé ?", "Oui"),
        ("nl", "hoeveel lampen zijn aan", "2"),
        ("pl", "czy Blind jest otwarta", "Nie, Blind jest zamknięty"),
        ("sv", "hur många lampor är tända", "2"),
        ("ru", "какие лампы включены", "Kitchen ceiling и Lamp"),
        ("it", "quante luci sono accese", "2"),
        ("es", "¿Qué hora es?", "Son las 7 menos 18 de la tarde"),
        ("zh-CN", "厨房灯开着吗？", "是的"),
        ("zh", "现在几点", "傍晚6点42分"),
        ("ja", "今何時ですか", "午後6時42分です"),
    ],
)
def test_the_answer_is_in_the_language_of_the_question(
    engine: LocalEngine, language: str, question: str, answer: str
) -> None:
    assert spoken(engine, question, language) == answer


@pytest.mark.parametrize("language", ["tlh", "xx-YY", "", "*", "zz"])
def test_unknown_language_is_not_understood(engine: LocalEngine, language: str) -> None:
    assert ask(engine, "which lights are on", language) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "?!…",
        "lorem ipsum dolor sit amet",
        "who is the president of France",
        "is Anna happy",
        "is anyone in the kitchen",
        "tell me a joke",
        "which lights are on " * 100,
        "{name} [[ ( <is>",
    ],
)
def test_what_is_not_about_the_home_is_not_understood(engine: LocalEngine, text: str) -> None:
    assert ask(engine, text) is None


def test_temperature_of_an_area_is_its_own_sensor(engine: LocalEngine) -> None:
    assert spoken(engine, "what is the temperature in the living room") == "21.5 degrees"


def test_temperature_of_an_area_without_a_sensor_is_its_thermostat(engine: LocalEngine) -> None:
    assert spoken(engine, "how warm is it in the bedroom?") == "18.5 degrees"


def test_the_only_thermometer_of_an_area_answers_by_its_name(engine: LocalEngine) -> None:
    assert spoken(engine, "what is the temperature in the garage") == "Garage thermometer is 4.0 °C"


def test_temperature_without_an_area_is_the_one_of_the_room_it_was_asked_in(engine: LocalEngine) -> None:
    assert spoken(engine, "what's the temperature", area="bedroom") == "18.5 degrees"
    assert ask(engine, "what's the temperature") is None


def test_temperature_that_is_not_known_is_not_told(engine: LocalEngine) -> None:
    gone = home(state("sensor.living_temperature", "unavailable", "Thermometer", device_class="temperature"))
    assert ask(engine, "what is the temperature in the living room", at=gone) is None


def test_names_that_two_have_mean_the_one_in_the_room(engine: LocalEngine) -> None:
    assert spoken(engine, "is the lamp on", area="living") == "Yes"
    assert spoken(engine, "is the lamp on", area="bedroom") == "No, off"


def test_names_that_two_have_are_not_guessed(engine: LocalEngine) -> None:
    for area in (None, "kitchen"):
        answer = ask(engine, "is the lamp on", area=area)
        assert answer is not None
        assert answer.text == "Sorry, there are multiple devices called Lamp"
        assert answer.problem == "duplicate_entities"


def test_names_that_two_have_are_answered_for_both_if_they_agree(engine: LocalEngine) -> None:
    both_on = home(state("light.bedroom_lamp", "on", "Lamp"))
    answer = ask(engine, "is the lamp on", at=both_on)
    assert answer == LocalAnswer("Yes", "HassGetState", ("light.living_lamp", "light.bedroom_lamp"))


def test_the_sentence_tells_apart_what_has_the_same_name(engine: LocalEngine) -> None:
    assert spoken(engine, "is the front door locked") == "Yes"
    assert spoken(engine, "is the front door open") == "No, closed"


def test_windows_are_open_whether_a_motor_or_a_sensor_tells(engine: LocalEngine) -> None:
    assert spoken(engine, "are any windows open") == "Yes, Kitchen window"
    assert spoken(engine, "which windows are closed") == "Skylight"
    assert spoken(engine, "how many windows are open") == "1"
    assert spoken(engine, "ist irgendein Fenster zu", "de") == "Ja, Skylight"


def test_a_state_that_is_gone_is_not_taken_for_off(engine: LocalEngine) -> None:
    assert spoken(engine, "is the coffee machine on") == "Coffee machine is unavailable"
    assert spoken(engine, "ist die Kaffeemaschine an", "de") == "Kaffeemaschine ist nicht verfügbar"
    assert ask(engine, "are all switches on") is None


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("are any fans on in the kitchen", "Sorry, I am not aware of any fan in the kitchen area"),
        ("are all lights on in the garage", "Sorry, I am not aware of any light in the garage area"),
        ("which curtains are open", "Sorry, I am not aware of any curtain"),
        ("is the blind open in the kitchen", "Sorry, I am not aware of any device called Blind in the kitchen area"),
    ],
)
def test_what_there_is_not_is_said_to_be_missing(engine: LocalEngine, question: str, answer: str) -> None:
    found = ask(engine, question)
    assert found is not None
    assert found.text == answer
    assert found.problem
    assert found.entity_ids == ()


def test_what_is_missing_has_its_name_in_the_language(engine: LocalEngine) -> None:
    text = spoken(engine, "Ist ein Ventilator in der Küche an?", "de")
    assert text == "Im Bereich Küche wurde kein Ventilator gefunden"


def test_what_is_not_exposed_does_not_exist(engine: LocalEngine) -> None:
    assert ask(engine, f"is the {SECRET.name} on") is None
    lights = ask(engine, "which lights are on")
    assert lights is not None
    assert SECRET.entity_id not in lights.entity_ids


def test_nothing_is_answered_when_nothing_is_exposed(engine: LocalEngine) -> None:
    bare = home()
    bare.registries = bare.registries.with_parts(exposed_by_list=frozenset())
    assert spoken(engine, "which lights are on", at=bare) == "Sorry, I am not aware of any light"
    assert ask(engine, "is the kitchen ceiling on", at=bare) is None
    assert ask(engine, "what's the weather", at=bare) is None


@pytest.mark.parametrize(
    ("language", "command", "intent"),
    [
        ("en", "turn off the kitchen ceiling", "HassTurnOff"),
        ("en", "set the kitchen brightness to fifty percent", "HassLightSet"),
        ("en", "add milk to my shopping list", "HassShoppingListAddItem"),
        ("en", "set a timer for five minutes", "HassStartTimer"),
        ("de", "Schalte die Küchenlampe aus", "HassTurnOff"),
        ("ja", "Kitchenの電気を点けて", "HassTurnOn"),
    ],
)
def test_commands_are_recognised_and_not_answered(
    engine: LocalEngine, language: str, command: str, intent: str
) -> None:
    answer = ask(engine, command, language)
    assert answer is not None
    assert (answer.text, answer.intent, answer.wants_control) == ("", intent, True)


def test_nevermind_is_no_command_and_needs_no_answer(engine: LocalEngine) -> None:
    assert ask(engine, "never mind") == LocalAnswer("", "HassNevermind")


def test_greeting_is_answered_but_no_promise_about_data_is_made(engine: LocalEngine) -> None:
    assert spoken(engine, "hello") == "Hello from Home Assistant."
    assert ask(engine, "where does my data go") is None


def test_moments_and_unknown_places_are_left_to_others(engine: LocalEngine) -> None:
    assert ask(engine, "what is the last boot") is None
    assert ask(engine, "where is Anna", at=home(state("person.anna", "unknown", "Anna"))) is None


def test_weather_without_a_temperature_is_not_told(engine: LocalEngine) -> None:
    assert ask(engine, "what's the weather", at=home(state("weather.home", "rainy", "Forecast"))) is None


def test_a_translation_that_nobody_has_made_is_not_spoken(engine: LocalEngine) -> None:
    answer = spoken(engine, "Beth yw'r tymheredd yn Kitchen?", "cy")
    assert answer is None or "TODO" not in answer


def test_names_keep_their_capitals(engine: LocalEngine) -> None:
    assert spoken(engine, "what is the living room tv") == "Living room TV is off"


def test_states_have_home_assistants_names_in_the_language_of_the_home(engine: LocalEngine) -> None:
    translated = home(language="de")
    translated.translations = {
        "component.climate.entity_component._.state.heat": "Heizen",
        "component.light.entity_component._.state.off": "Aus",
    }
    assert spoken(engine, "wie ist der Status von Bedroom thermostat", "de", at=translated) == (
        "Bedroom thermostat ist heizen"
    )
    assert spoken(engine, "what is the kitchen counter", at=translated) == "Kitchen counter is off"
