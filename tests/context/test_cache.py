"""What is kept of a home is made beside the event loop, and is never asked what is exposed."""

from tests.context.homes import estate, names, told
from wyoming_openai.context.cache import ContextCache
from wyoming_openai.hass.home import Home

LAMP = "light.lamp_0_0"
QUESTION = "Is the kitchen lamp on?"


def expose(home: Home, entity_id: str, *, exposed: bool) -> None:
    options = {"conversation": {"should_expose": exposed}}
    area = home.registries.entities[entity_id].area_id
    row = {"entity_id": entity_id, "area_id": area, "options": options}
    home.registries = home.registries.with_entities({entity_id: row})


async def test_withdrawn_entity_is_not_in_the_next_turn() -> None:
    home, context_cache = estate(), ContextCache()
    await context_cache.prepare(home, "en")
    assert names(home, told(home, QUESTION, context_cache=context_cache))[0] == "Kitchen Lamp"
    expose(home, LAMP, exposed=False)
    await context_cache.prepare(home, "en")
    context = told(home, QUESTION, context_cache=context_cache)
    assert LAMP not in context_cache.directory(home).ids
    assert "Kitchen Lamp" not in context.index + context.facts
    assert LAMP not in {chosen.entity_id for chosen in context.chosen}


async def test_withdrawn_entity_is_not_in_the_rest_of_this_turn_either() -> None:
    home, context_cache = estate(), ContextCache()
    await context_cache.prepare(home, "en")
    expose(home, LAMP, exposed=False)
    context = told(home, QUESTION, context_cache=context_cache)
    assert "Kitchen Lamp" not in context.index + context.facts
    assert LAMP not in {chosen.entity_id for chosen in context.chosen}


async def test_withdrawn_entity_is_not_in_a_home_told_whole() -> None:
    home, context_cache = estate(1), ContextCache()
    await context_cache.prepare(home, "en")
    expose(home, LAMP, exposed=False)
    context = told(home, QUESTION, budget=20_000, context_cache=context_cache)
    assert context.whole
    assert "Kitchen Lamp" not in context.index + context.facts
    assert LAMP not in {chosen.entity_id for chosen in context.chosen}


async def test_newly_exposed_entity_is_in_the_next_turn() -> None:
    home, context_cache = estate(), ContextCache()
    await context_cache.prepare(home, "en")
    secret = "sensor.secret_0_0"
    assert secret not in context_cache.directory(home).ids
    expose(home, secret, exposed=True)
    await context_cache.prepare(home, "en")
    assert (
        names(home, told(home, "What does the Kitchen Diary say?", context_cache=context_cache))[0] == "Kitchen Diary"
    )


async def test_a_turn_looks_at_one_directory_whatever_changes() -> None:
    home, context_cache = estate(), ContextCache()
    await context_cache.prepare(home, "en")
    directory = context_cache.directory(home)
    home.apply_states({"r": ["light.ceiling_0_0"]})
    expose(home, LAMP, exposed=False)
    assert context_cache.directory(home) is directory


async def test_index_is_there_again_after_a_change() -> None:
    home, context_cache = estate(), ContextCache()
    await context_cache.prepare(home, "en")
    before = told(home, QUESTION, context_cache=context_cache)
    expose(home, LAMP, exposed=False)
    await context_cache.prepare(home, "en")
    after = told(home, QUESTION, context_cache=context_cache)
    assert before.index.startswith("The home has 480 entities")
    assert after.index.startswith("The home has 479 entities")
