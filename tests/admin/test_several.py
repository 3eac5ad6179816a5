"""Several agents: each has a prompt, options, a history and budgets of its own, and takes over what it does not set."""

import orjson
import pytest

from tests.admin.conftest import Browser, Program
from tests.fakes.model import ScriptedModel, say
from wyoming_openai.admin.option_catalogue import ELSEWHERE, options
from wyoming_openai.conversation.prompt import DEFAULT_PROMPT
from wyoming_openai.messages import Usage
from wyoming_openai.settings.options import SECTIONS, NamedAgentSettings, Settings
from wyoming_openai.usage.budgets import Call
from wyoming_openai.usage.prices import Prices

MARIO = "Super Mario"


@pytest.fixture
async def browser(open_page, several: Program) -> Browser:
    opened: Browser = await open_page(several.parts())
    return opened


async def read(browser: Browser, path: str) -> dict:
    status, text = await browser.get(path)
    assert status == 200, text
    answer: dict = orjson.loads(text)
    return answer


def own(program: Program, name: str) -> NamedAgentSettings:
    return next(agent for agent in program.settings.agents if agent.name == name)


async def test_a_prompt_is_that_of_one_agent(browser: Browser, several: Program, model: ScriptedModel) -> None:
    assert (await browser.post("/prompt", agent=MARIO, prompt="You are Luigi."))[0] == 303
    assert own(several, MARIO).prompt == "You are Luigi."
    assert own(several, "House").prompt == "You serve {{ ha_name }}."
    model.will(say("Mamma mia."))
    status, text = await browser.send("POST", "/api/ask", json={"text": "Who are you?", "agent": MARIO})
    assert status == 200
    assert orjson.loads(text.splitlines()[-1])["turn"]["sent"][0]["text"].startswith("You are Luigi.")


async def test_each_agent_has_its_own_history_and_undo(browser: Browser, several: Program) -> None:
    before = own(several, MARIO).prompt
    await browser.post("/prompt", agent=MARIO, prompt="You are Luigi.")
    [earlier] = (await read(browser, f"/api/prompt?agent={MARIO}"))["history"]
    assert earlier["text"] == before
    assert (await read(browser, "/api/prompt?agent=House"))["history"] == []
    _, page = await browser.get(f"/prompt?agent={MARIO}&saved=")
    assert "Undo: use the one before" in page
    await browser.post("/prompt", agent=MARIO, prompt=earlier["text"])
    assert own(several, MARIO).prompt == before.strip()


async def test_the_default_can_be_had_where_another_would_be_taken_over(browser: Browser, several: Program) -> None:
    await browser.post("/prompt", agent="House", prompt=DEFAULT_PROMPT)
    assert own(several, "House").prompt == DEFAULT_PROMPT.strip()


async def test_an_emptied_prompt_is_taken_over_again(browser: Browser, several: Program) -> None:
    await browser.post("/prompt", agent="House", prompt="Mine.")
    await browser.post("/prompt", agent="House", prompt="")
    assert own(several, "House").prompt == "You serve {{ ha_name }}."


async def test_an_option_is_set_for_one_and_for_all(browser: Browser, several: Program) -> None:
    await browser.post("/options", max_tokens="500")
    await browser.post("/options", agent=MARIO, max_tokens="77", temperature="")
    assert own(several, "House").max_tokens == 500
    assert own(several, MARIO).max_tokens == 77
    assert own(several, MARIO).temperature == 0.9, "the persona's"
    await browser.post("/options", agent=MARIO, max_tokens="")
    assert own(several, MARIO).max_tokens == 150, "the persona's, which goes before that of all"


async def test_what_is_taken_over_is_shown_as_such(browser: Browser) -> None:
    known = {each["name"]: each for each in (await read(browser, f"/api/options?agent={MARIO}"))["options"]}
    assert known["temperature"]["value"] is None
    assert known["temperature"]["default"] == 0.9
    assert known["devices"]["value"] == "Hall phone"
    assert known["devices"]["kind"] == "list"
    assert known["name"]["fixed"]
    assert "hass_url" not in known


async def test_a_list_is_typed_with_commas(browser: Browser, several: Program) -> None:
    assert (await browser.post("/options", agent=MARIO, devices="Hall phone, Kitchen phone"))[0] == 303
    assert own(several, MARIO).devices == ("Hall phone", "Kitchen phone")
    assert (await browser.post("/options", allow="192.168.1.0/24, 10.0.0.1"))[0] == 303
    assert several.settings.allow == ("192.168.1.0/24", "10.0.0.1/32")
    _, text = await browser.post("/options", allow="nowhere")
    assert "Nothing was saved" in text
    assert several.settings.allow == ("192.168.1.0/24", "10.0.0.1/32")


async def test_what_each_has_of_its_own_is_no_option_of_all(browser: Browser) -> None:
    names = {each["name"] for each in (await read(browser, "/api/options"))["options"]}
    assert not names & {"name", "uri", "persona"}
    status, text = await browser.send("PATCH", "/api/options", json={"name": "x"})
    assert status == 400
    assert "own" in text


async def test_an_agent_that_is_not_there_is_refused(browser: Browser) -> None:
    assert (await browser.get("/options?agent=Nobody"))[0] == 404
    assert (await browser.send("PATCH", "/api/options?agent=Nobody", json={}))[0] == 404


async def test_an_error_of_an_agent_stands_beside_its_option(browser: Browser) -> None:
    status, text = await browser.send("PATCH", f"/api/options?agent={MARIO}", json={"max_tokens": 1})
    assert status == 400
    assert "max_tokens" in orjson.loads(text)["errors"]


async def test_budgets_are_shown_by_persona_and_device(browser: Browser, several: Program) -> None:
    await browser.post("/options", budget_agent_day="0.10", budget_device_month="2", budget_month="off")
    price = Prices().of("gpt-4o-mini")
    with several.budgets.reserve(Call("gpt-4o-mini", price, 900, 20, agent=MARIO, device_id="d1")) as reservation:
        reservation.settle(Usage(800, 0, 14, 0))
    lines = {
        (each["kind"], each["name"], each["period"]): each for each in (await read(browser, "/api/usage"))["budgets"]
    }
    assert ("all", "everybody", "month") not in lines
    assert lines["agent", MARIO, "day"]["spent"] > 0
    assert lines["agent", MARIO, "day"]["limit"] == 100_000_000
    assert lines["agent", "House", "day"]["spent"] == 0
    assert ("device", "d1", "month") in lines
    _, page = await browser.get("/usage?by=agent&what=questions")
    assert MARIO in page


def test_every_option_has_a_section_and_is_explained(several: Program, program: Program) -> None:
    for parts, agent in ((program.parts(), ""), (several.parts(), ""), (several.parts(), MARIO)):
        for option in options(parts, agent):
            assert option.section in {section.title for section in SECTIONS}, option.name
            assert option.description, option.name
            assert option.write, option.name
    assert {each.name for each in options(program.parts())} == Settings.model_fields.keys() - ELSEWHERE
