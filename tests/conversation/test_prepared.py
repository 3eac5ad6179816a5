"""What is derived from a home follows the home: from question to question, and before anybody asks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest

from tests.fakes.assistants import assistant_of
from tests.fakes.home_assistant import FakeHomeAssistant
from tests.fakes.model import ScriptedModel, say
from tests.hass.test_mirror import LAMP, home_of, mirrored, until
from wyoming_openai.context.cache import ContextCache
from wyoming_openai.conversation.assistant import Assistant
from wyoming_openai.hass.mirror import HomeMirror
from wyoming_openai.local_engine.engine import LocalEngine
from wyoming_openai.messages import Utterance

KITCHEN = "light.kitchen_lights"


class House:
    """A Home Assistant, its mirror, and an assistant: with a model, or with the local engine alone."""

    def __init__(self, hass: FakeHomeAssistant, mirror: HomeMirror) -> None:
        self.hass = hass
        self.mirror = mirror
        self.context_cache = ContextCache()
        self.local = LocalEngine()

    def assistant(self, model: ScriptedModel | None = None) -> Assistant:
        return assistant_of(
            self.mirror,
            model,
            prompt="You are the voice of this home.",
            local=self.local,
            context_cache=self.context_cache,
        )

    async def until_withdrawn(self, entity_id: str) -> None:
        self.hass.expose(entity_id, exposed=False)
        await until(self.mirror, lambda: entity_id not in home_of(self.mirror).registries.exposed)


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with FakeHomeAssistant() as hass, mirrored(hass) as mirror:
        yield House(hass, mirror)


async def answer(assistant: Assistant, text: str) -> str:
    async with aclosing(assistant.reply(Utterance(text, "en"))) as pieces:
        return "".join([piece async for piece in pieces]).strip()


async def told(house: House, model: ScriptedModel, text: str) -> str:
    """All that the model was sent for a question."""
    model.will(say("Fine."))
    await answer(house.assistant(model), text)
    return "\n".join(message.text for message in model.requests[-1].messages if hasattr(message, "text"))


async def test_withdrawn_entity_is_not_told_to_the_model_at_the_next_question(house: House) -> None:
    model = ScriptedModel()
    assert "Ceiling Lights" in await told(house, model, "Are the ceiling lights on?")
    await house.until_withdrawn(LAMP)
    before_the_question = await told(house, model, "Is anything on?")
    assert "Kitchen Lights" in before_the_question
    assert "Ceiling Lights" not in before_the_question


async def test_withdrawn_entity_is_not_counted_by_the_local_engine_at_the_next_question(house: House) -> None:
    assistant = house.assistant()
    assert await answer(assistant, "which lights are on") == "Ceiling Lights and Kitchen Lights"
    await house.until_withdrawn(LAMP)
    assert await answer(assistant, "which lights are on") == "Kitchen Lights"


async def test_new_name_is_understood_at_the_next_question(house: House) -> None:
    assistant = house.assistant()
    await answer(assistant, "which lights are on")
    house.hass.set_state(KITCHEN, "on", friendly_name="Flamingo")
    await until(house.mirror, lambda: home_of(house.mirror).name(KITCHEN) == "Flamingo")
    assert await answer(assistant, "is the flamingo on") == "Yes"


async def test_new_home_after_a_reconnect_is_known_at_the_next_question(house: House) -> None:
    assistant = house.assistant()
    await answer(assistant, "which lights are on")
    old = house.mirror.home
    house.hass.before["get_config"] = lambda: house.hass.set_state(KITCHEN, "on", friendly_name="Flamingo")
    house.hass.drop()
    await until(house.mirror, lambda: house.mirror.fresh and house.mirror.home is not old)
    assert await answer(assistant, "is the flamingo on") == "Yes"


@asynccontextmanager
async def staying_prepared(assistant: Assistant) -> AsyncIterator[None]:
    task = asyncio.create_task(assistant.follow())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_change_is_prepared_before_anybody_asks(house: House) -> None:
    def known() -> tuple[str, ...]:
        return house.context_cache.directory(home_of(house.mirror)).ids

    async with staying_prepared(house.assistant()):
        await house.context_cache.prepare(home_of(house.mirror), "en")
        assert LAMP in known()
        house.hass.expose(LAMP, exposed=False)
        await until(house.mirror, lambda: LAMP not in known())
