"""What is kept of a home is made beside the event loop, and is never asked what is exposed."""

from tests.context.homes import estate, names, told
from wyoming_openai.context.knowledge import Knowledge
from wyoming_openai.hass.home import Home

LAMP = "light.lamp_0_0"
QUESTION = "Is the kitchen lamp on?"


def expose(home: Home, entity_id: str, *, exposed: bool) -> None:
    options = {"conversation": {"should_expose": exposed}}
    area = home.registries.entities[entity_id].area_id
    row = {"entity_id": entity_id, "area_id": area, "options": options}
    home.registries = home.registries.with_entities({entity_id: row})


async def test_withdrawn_entity_is_not_in_the_next_turn() -> None:
    home, knowledge = estate(), Knowledge()
    await knowledge.prepare(home, "en")
    assert names(home, told(home, QUESTION, knowledge=knowledge))[0] == "Kitchen Lamp"
    expose(home, LAMP, exposed=False)
    await knowledge.prepare(home, "en")
    context = told(home, QUESTION, knowledge=knowledge)
    assert LAMP not in knowledge.directory(home).ids
    assert "Kitchen Lamp" not in context.index + context.facts
    assert LAMP not in {chosen.entity_id for chosen in context.chosen}


async def test_withdrawn_entity_is_not_in_the_rest_of_this_turn_either() -> None:
    home, knowledge = estate(), Knowledge()
    await knowledge.prepare(home, "en")
    expose(home, LAMP, exposed=False)
    context = told(home, QUESTION, knowledge=knowledge)
    assert "Kitchen Lamp" not in context.index + context.facts
    assert LAMP not in {chosen.entity_id for chosen in context.chosen}


async def test_withdrawn_entity_is_not_in_a_home_told_whole() -> None:
    home, knowledge = estate(1), Knowledge()
    await knowledge.prepare(home, "en")
    expose(home, LAMP, exposed=False)
    context = told(home, QUESTION, budget=20_000, knowledge=knowledge)
    assert context.whole
    assert "Kitchen Lamp" not in context.index + context.facts
    assert LAMP not in {chosen.entity_id for chosen in context.chosen}


async def test_newly_exposed_entity_is_in_the_next_turn() -> None:
    home, knowledge = estate(), Knowledge()
    await knowledge.prepare(home, "en")
    secret = "sensor.secret_0_0"
    assert secret not in knowledge.directory(home).ids
    expose(home, secret, exposed=True)
    await knowledge.prepare(home, "en")
    assert names(home, told(home, "What does the Kitchen Diary say?", knowledge=knowledge))[0] == "Kitchen Diary"


async def test_a_turn_looks_at_one_directory_whatever_changes() -> None:
    home, knowledge = estate(), Knowledge()
    await knowledge.prepare(home, "en")
    directory = knowledge.directory(home)
    home.apply_states({"r": ["light.ceiling_0_0"]})
    expose(home, LAMP, exposed=False)
    assert knowledge.directory(home) is directory


async def test_index_is_there_again_after_a_change() -> None:
    home, knowledge = estate(), Knowledge()
    await knowledge.prepare(home, "en")
    before = told(home, QUESTION, knowledge=knowledge)
    expose(home, LAMP, exposed=False)
    await knowledge.prepare(home, "en")
    after = told(home, QUESTION, knowledge=knowledge)
    assert before.index.startswith("The home has 480 entities")
    assert after.index.startswith("The home has 479 entities")
