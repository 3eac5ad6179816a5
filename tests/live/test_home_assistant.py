"""The main path with real parts: Home Assistant asks our program, which asks the home and a model on loopback."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.fakes.openai_api import OpenAIApi, error, openai_api, say
from tests.live.conftest import TOKEN, URL, HomeAssistant, Program

pytestmark = pytest.mark.hass


@pytest.fixture
async def local_agent(hass: HomeAssistant) -> AsyncIterator[str]:
    """Our program without a key, as a conversation agent of the real Home Assistant."""
    async for agent in _agent(hass):
        yield agent


@pytest.fixture
async def openai() -> AsyncIterator[OpenAIApi]:
    async with openai_api() as server:
        yield server


@pytest.fixture
async def model_agent(hass: HomeAssistant, openai: OpenAIApi) -> AsyncIterator[str]:
    async for agent in _agent(hass, OPENAI_BASE_URL=openai.url, OPENAI_API_KEY="sk-test"):
        yield agent


async def _agent(hass: HomeAssistant, **environment: str) -> AsyncIterator[str]:
    program = await Program.start(HASS_URL=URL, HASS_TOKEN=TOKEN, **environment)
    entry, agent = await hass.add_wyoming(program.port)
    try:
        yield agent
    finally:
        await hass.rest("DELETE", f"config/config_entries/entry/{entry}")
        assert await program.stop() == 0


async def exposed_light(hass: HomeAssistant) -> dict[str, Any]:
    """Some light that Assist may know of."""
    exposed = (await hass.command("homeassistant/expose_entity/list"))["exposed_entities"]
    for state in await hass.command("get_states"):
        if state["entity_id"].startswith("light.") and exposed.get(state["entity_id"], {}).get("conversation"):
            light: dict[str, Any] = state
            return light
    pytest.skip("no light is exposed in this home")


async def test_the_local_engine_tells_what_the_home_says(hass: HomeAssistant, local_agent: str) -> None:
    light = await exposed_light(hass)
    name = light["attributes"]["friendly_name"]
    kind, text = await hass.ask(local_agent, f"is {name} on", language="en")
    assert kind == "action_done"
    assert text.casefold().startswith("yes" if light["state"] == "on" else "no")


async def test_a_change_of_state_is_heard_at_once(hass: HomeAssistant, local_agent: str) -> None:
    light = await exposed_light(hass)
    name = light["attributes"]["friendly_name"]
    for service, word in (("turn_on", "yes"), ("turn_off", "no"), (f"turn_{light['state']}", "")):
        await hass.command("call_service", domain="light", service=service, target={"entity_id": light["entity_id"]})
        _, text = await hass.ask(local_agent, f"is {name} on", language="en")
        assert text.casefold().startswith(word)


async def test_what_nobody_knows_is_said_in_the_language_of_the_question(hass: HomeAssistant, local_agent: str) -> None:
    kind, text = await hass.ask(local_agent, "Wer hat die Mona Lisa gemalt?", language="de")
    assert kind == "error"
    assert text


async def test_the_model_is_told_of_this_home_and_its_answer_is_spoken(
    hass: HomeAssistant, model_agent: str, openai: OpenAIApi
) -> None:
    light = await exposed_light(hass)
    openai.will(say("It is **on**."))
    kind, text = await hass.ask(model_agent, "is that light on", language="en")
    assert (kind, text) == ("action_done", "It is on.")
    sent = str(openai.requests[-1].body)
    assert light["attributes"]["friendly_name"] in sent
    assert "is that light on" in sent


async def test_a_conversation_goes_on(hass: HomeAssistant, model_agent: str, openai: OpenAIApi) -> None:
    openai.will(say("Four."))
    openai.will(say("Five."))
    await hass.ask(model_agent, "two and two", language="en", conversation_id="sums")
    await hass.ask(model_agent, "and one more", language="en", conversation_id="sums")
    sent = str(openai.requests[-1].body)
    assert sent.index("two and two") < sent.index("Four.") < sent.index("and one more")


async def test_a_pipeline_speaks_the_answer(hass: HomeAssistant, model_agent: str, openai: OpenAIApi) -> None:
    openai.will(say("Hello from the pipeline."))
    pipeline = await hass.command(
        "assist_pipeline/pipeline/create",
        name="wyoming_openai test", conversation_engine=model_agent, conversation_language="en", language="en",
        stt_engine=None, stt_language=None, tts_engine=None, tts_language=None, tts_voice=None,
        wake_word_entity=None, wake_word_id=None,
    )  # fmt: skip
    try:
        run = await hass.send(
            "assist_pipeline/run",
            start_stage="intent", end_stage="intent", input={"text": "hello"}, pipeline=pipeline["id"],
        )  # fmt: skip
        while (event := (await hass.receive(run)).get("event", {})).get("type") != "intent-end":
            assert event.get("type") != "error", event
        assert event["data"]["intent_output"]["response"]["speech"]["plain"]["speech"] == "Hello from the pipeline."
    finally:
        await hass.command("assist_pipeline/pipeline/delete", pipeline_id=pipeline["id"])


async def test_a_model_that_is_down_is_a_true_answer_or_a_sentence(
    hass: HomeAssistant, model_agent: str, openai: OpenAIApi
) -> None:
    openai.lasting = error(503)
    kind, text = await hass.ask(model_agent, "who painted the mona lisa", language="en")
    assert kind == "error"
    assert "model" in text
    kind, text = await hass.ask(model_agent, "what time is it", language="en")
    assert kind == "action_done"
    assert text
