"""The owner's template makes the prompt; nothing that is wrong with it silences the house."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from tests.fakes.home_assistant import FakeHomeAssistant, small_home
from wyoming_openai.conversation.prompt import (
    Prompt,
    prompt_warning,
    standing_variables,
    try_prompt,
    unknown_to_home_assistant,
)
from wyoming_openai.hass.home import Home
from wyoming_openai.hass.mirror import FixedMirror, HomeMirror
from wyoming_openai.hass.snapshot import demo_home, home_from_results
from wyoming_openai.messages import Utterance
from wyoming_openai.template import TemplateError

NOW = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
CUSTOM = "{% from 'tools.jinja' import greet %}{{ greet() }}"


@pytest.fixture(scope="module")
def home() -> Home:
    return demo_home(NOW)


def rendered(prompt: Prompt, home: Home, text: str = "is it warm?", area: str | None = None) -> str:
    return prompt.render(home, Utterance(text, "de", "talk"), home.registries.areas.get(area or ""), NOW)


def test_the_default_names_the_home_and_forbids_control(home: Home) -> None:
    text = rendered(Prompt(None), home)
    assert home.config.location_name in text
    assert "cannot control" in text


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ utterance }} {{ user_input }}", "is it warm? is it warm?"),
        ("{{ language }} {{ conversation_id }}", "de talk"),
        ("{{ user_input.text }} {{ user_input.language }} {{ user_input.conversation_id }}", "is it warm? de talk"),
        ("{{ user_input.device_id }} {{ user_input.satellite_id }} {{ user_input.agent_id }}", "None None None"),
        ("{{ 'warm' in user_input }} {{ user_input | length }} {{ user_input.text | upper }}", "True 11 IS IT WARM?"),
        ("{{ area }} {{ floor }}", "Kitchen Ground floor"),
        ("{{ ha_name }}", "Demo home"),
        ("{{ is_phone }} {{ device }} {{ satellite }}", "False None None"),
        (
            "{% for e in exposed_entities if e.name == 'Front door lock' %}{{ e.state }}{% endfor %}",
            "locked",
        ),
        ("{% for area in areas if area.name == 'Kitchen' %}{{ area.id }}{% endfor %}", "kitchen"),
        ("{% for area in areas() if area == 'kitchen' %}{{ area_name(area) }}{% endfor %}", "Kitchen"),
    ],
)
def test_a_template_sees_the_turn_and_the_home(template: str, text: str, home: Home) -> None:
    assert rendered(Prompt(template), home, area="kitchen") == text


def test_a_phone_is_known_by_its_device(home: Home) -> None:
    phone = next(device for device in home.registries.devices.values() if device.name == "Hall phone")
    utterance = Utterance("hello", device_id=phone.id)
    assert Prompt("{{ is_phone }} {{ device }}").render(home, utterance, None, NOW) == "True Hall phone"


def test_what_is_not_exposed_is_not_among_the_exposed_entities(home: Home) -> None:
    text = rendered(Prompt("{{ exposed_entities | map(attribute='entity_id') | join(' ') }}"), home)
    assert set(text.split()) == {state.entity_id for state in home.exposed_states()}


@pytest.mark.parametrize("template", ["{% if %}", "{{ nope( }}", "{{ 1 / 0 }}", "{{ nope.x }}"])
def test_a_wrong_template_gives_way_to_the_default_and_is_told_once(
    template: str, home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    prompt = Prompt(template)
    assert rendered(prompt, home) == rendered(prompt, home) == rendered(Prompt(None), home)
    assert [record.levelname for record in caplog.records].count("WARNING") == 1
    assert "line 1" in caplog.text


def test_a_template_that_fails_later_keeps_its_last_good_text(home: Home) -> None:
    prompt = Prompt("{{ 10 // (utterance | length) }}")
    assert rendered(prompt, home, "hello") == "2"
    assert rendered(prompt, home, "") == "2"


def test_what_only_home_assistant_can_render_gives_way_to_the_default_until_it_has(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    assert rendered(Prompt(CUSTOM), home) == rendered(Prompt(None), home)
    assert "rendered by Home Assistant from now on" in caplog.text


@asynccontextmanager
async def mirrored(fake: FakeHomeAssistant) -> AsyncIterator[HomeMirror]:
    mirror = HomeMirror(fake.settings)
    running = asyncio.create_task(mirror.run())
    try:
        assert await mirror.wait_fresh(10)
        yield mirror
    finally:
        running.cancel()
        await asyncio.wait([running])


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(100_000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came")


async def test_what_only_home_assistant_can_render_is_kept_fresh_by_it() -> None:
    async with FakeHomeAssistant() as fake, mirrored(fake) as mirror:
        prompt = Prompt(CUSTOM)
        following = asyncio.create_task(prompt.follow(mirror))
        home = home_from_results(small_home())
        await until(lambda: rendered(prompt, home) == CUSTOM)  # the fake gives a template back as it came
        fake.push_event({"result": "Good evening."}, "render_template")
        await until(lambda: rendered(prompt, home) == "Good evening.")
        assert fake.count("render_template") == 1
        following.cancel()
        await asyncio.wait([following])


@pytest.mark.parametrize(
    "change",
    [
        lambda hass: hass.set_state("light.bed_light", "on"),
        lambda hass: hass.expose("light.bed_light", exposed=False),
        lambda hass: hass.update_entity("light.bed_light", aliases=["Flamingo"]),
    ],
    ids=["state", "exposure", "alias"],
)
async def test_what_is_exposed_is_followed_where_home_assistant_renders(
    change: Callable[[FakeHomeAssistant], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wyoming_openai.conversation.prompt.REFRESH", 0)
    text = "{% from 'tools.jinja' import greet %}{{ greet(exposed_entities) }}"
    async with FakeHomeAssistant() as fake, mirrored(fake) as mirror:
        following = asyncio.create_task(Prompt(text).follow(mirror))
        await until(lambda: fake.count("render_template") == 1)
        for _ in range(50):
            await asyncio.sleep(0)
        assert fake.count("render_template") == 1, "nothing has changed"
        change(fake)
        await until(lambda: fake.count("render_template") == 2)
        assert mirror.home is not None
        sent = [message["variables"] for message in fake.commands if message["type"] == "render_template"]
        assert sent[0] != sent[1] == standing_variables(mirror.home)
        following.cancel()
        await asyncio.wait([following])


@pytest.mark.parametrize(
    ("template", "names"),
    [
        ("{% from 'tools.jinja' import greet %}{{ greet(area, user_input.text) }}", ["area", "user_input"]),
        ("{% import 'tools.jinja' as tools %}{% for area in areas() %}{{ area }}{% endfor %}{{ language }}", []),
        ("{{ nobody_knows(device) }} area", ["device"]),
        ("{% from 'a.jinja' import b %}{{ b(exposed_entities, ha_name) }} is_phone", []),
    ],
)
def test_what_home_assistant_does_not_know_of_a_question_is_named(template: str, names: list[str], home: Home) -> None:
    assert unknown_to_home_assistant(template) == names
    assert all(name in prompt_warning(template, home) for name in names)
    assert bool(prompt_warning(template, home)) == bool(names)


def test_what_is_rendered_here_knows_all_of_the_question(home: Home) -> None:
    assert prompt_warning("{{ area }} {{ user_input.text }}", home) == ""


async def test_trying_a_prompt_tells_what_is_wrong_or_asks_home_assistant(home: Home) -> None:
    assert "Demo home" in await try_prompt(None, FixedMirror(home))
    with pytest.raises(TemplateError):
        await try_prompt("{{ nope( }}", FixedMirror(home))
    with pytest.raises(TemplateError):
        await try_prompt(CUSTOM, FixedMirror(home))
    async with FakeHomeAssistant() as fake, mirrored(fake) as mirror:
        assert await try_prompt(CUSTOM, mirror) == CUSTOM
