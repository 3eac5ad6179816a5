"""Each page shows what it promises, keeps what is typed, and takes names for text."""

from dataclasses import replace

import orjson
import pytest

from tests.admin.conftest import Browser, Program
from tests.fakes.closing import closed_later
from tests.fakes.large_home import large_home
from tests.fakes.model import ScriptedModel, call, fail, say
from wyoming_openai.admin import AdminParts
from wyoming_openai.admin.pages.home import PAGE, areas, find
from wyoming_openai.conversation.prompt import DEFAULT_PROMPT
from wyoming_openai.conversation.turn_log import TurnLog
from wyoming_openai.hass.mirror import FixedMirror
from wyoming_openai.hass.snapshot import home_from_results
from wyoming_openai.llm import ModelUnreachable
from wyoming_openai.local_engine.engine import LocalEngine
from wyoming_openai.messages import Usage
from wyoming_openai.usage.budgets import Budgets, Call
from wyoming_openai.usage.prices import Prices

HOSTILE = """<script>alert(1)</script>"'><img src=x onerror=alert(2)>{{ 7*7 }}"""
PAGES = ["/", "/try", "/prompt", "/home", "/conversations", "/usage", "/options", "/setup"]


async def asked(browser: Browser, text: str, **more: str) -> list[dict]:
    status, answer = await browser.send("POST", "/api/ask", json={"text": text, **more})
    assert status == 200, answer
    return [orjson.loads(line) for line in answer.splitlines()]


@pytest.mark.parametrize("path", PAGES)
async def test_every_page_opens(browser: Browser, path: str) -> None:
    status, text = await browser.get(path)
    assert status == 200
    assert text.lstrip().startswith("<!DOCTYPE html>")
    assert "style=" not in text
    assert "onclick" not in text


@pytest.mark.parametrize("path", [*PAGES, "/api/status", "/api/options", "/metrics"])
async def test_no_page_shows_a_secret(browser: Browser, path: str) -> None:
    _, text = await browser.get(path)
    assert "hush-hush" not in text


async def test_an_answer_is_streamed_with_what_happened(browser: Browser, model: ScriptedModel) -> None:
    model.will(call("tell", '{"what": "time"}'), say("It is", " noon."))
    *pieces, last = await asked(browser, "What time is it?", place="area:kitchen")
    assert "".join(piece["text"] for piece in pieces).strip() == "It is noon."
    turn = last["turn"]
    assert turn["tools"] == [
        {"name": "tell", "arguments": '{"what": "time"}', "result": '{"told":"time"}', "failed": False}
    ]
    assert [message["role"] for message in turn["sent"]] == ["system", "system", "user"]
    assert "Kitchen" in turn["sent"][1]["text"]
    assert turn["usage"]["input_tokens"] == 20


async def test_a_failure_is_told_and_kept(browser: Browser, model: ScriptedModel) -> None:
    model.will(fail(ModelUnreachable("no route")))
    told, last = await asked(browser, "Who wrote Hamlet?")
    assert told["failure"]
    assert "no route" in last["turn"]["failure"]
    _, overview = await browser.get("/")
    assert "not working" in overview


async def test_conversations_are_listed_found_shown_and_deleted(browser: Browser, model: ScriptedModel) -> None:
    model.will(say("Fine."), say("Blue."))
    await asked(browser, "How are you?")
    [*_, last] = await asked(browser, "What colour is the sky?")
    assert "How are you?" in (await browser.get("/conversations"))[1]
    _, found = await browser.get("/conversations?q=SKY")
    assert "How are you?" not in found
    path = f"/conversations/{last['turn']['id']}"
    _, shown = await browser.get(path)
    assert "Blue." in shown
    assert "What was sent" in shown
    assert (await browser.post(f"{path}/delete"))[0] == 303
    assert (await browser.get(path))[0] == 404
    await browser.post("/conversations/delete")
    assert "How are you?" not in (await browser.get("/conversations"))[1]


async def test_names_and_texts_are_text(open_page, local: LocalEngine, model: ScriptedModel) -> None:
    results = large_home(8)
    for row in results["config/area_registry/list"]:
        row["name"] = HOSTILE
    for state in results["subscribe_entities"]["a"].values():
        state["a"]["friendly_name"] = state["s"] = HOSTILE
    results["get_config"]["location_name"] = HOSTILE
    program = Program(FixedMirror(home_from_results(results)), model, local)
    browser = await open_page(program.parts())
    model.will(say(HOSTILE))
    [*_, last] = await asked(browser, HOSTILE)
    why = {"text": HOSTILE, "q": "<script>"}
    for path in (*PAGES, f"/conversations/{last['turn']['id']}", "/nowhere/<script>"):
        _, text = await browser.get(path, params=why if path == "/home" else {})
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert "49" not in text.partition("<h1>")[2] or path != "/home"


async def test_a_draft_is_rendered_over_the_home(browser: Browser) -> None:
    draft = "Home {{ ha_name }}, heard in {{ area }}, {{ states.light | count > 0 }}"
    status, text = await browser.send("POST", "/api/prompt/preview", json={"prompt": draft, "place": "area:kitchen"})
    answer = orjson.loads(text)
    assert status == 200
    assert answer["text"].endswith("heard in Kitchen, True")
    assert answer["tokens"]["prompt"] > 5
    assert answer["turn_usd"] > 0
    assert answer["difference"]


async def test_a_wrong_draft_names_the_line(browser: Browser) -> None:
    _, text = await browser.send("POST", "/api/prompt/preview", json={"prompt": "one\n{% if %}"})
    assert orjson.loads(text)["line"] == 2


async def test_a_saved_prompt_is_used_by_the_next_question_and_the_old_one_kept(
    browser: Browser, model: ScriptedModel
) -> None:
    assert (await browser.post("/prompt", prompt="You are a pirate."))[0] == 303
    model.will(say("Arr."))
    [*_, last] = await asked(browser, "Hello")
    assert last["turn"]["sent"][0]["text"].startswith("You are a pirate.")
    answer = orjson.loads((await browser.get("/api/prompt"))[1])
    assert answer["prompt"] == "You are a pirate."
    assert [each["text"] for each in answer["history"]] == [DEFAULT_PROMPT]
    await browser.post("/prompt", prompt="")
    assert orjson.loads((await browser.get("/api/prompt"))[1])["prompt"] == DEFAULT_PROMPT


async def test_a_broken_prompt_is_not_saved(browser: Browser, program: Program) -> None:
    _, text = await browser.post("/prompt", prompt="{% if %}")
    assert "Line 1" in text
    assert "{% if %}" in text
    assert program.settings.prompt is None


async def test_earlier_prompts_survive_a_restart(open_page, parts: AdminParts, tmp_path) -> None:
    parts = replace(parts, data_dir=tmp_path)
    await (await open_page(parts)).post("/prompt", prompt="Second.")
    again = await open_page(parts)
    history = orjson.loads((await again.get("/api/prompt"))[1])["history"]
    assert [each["text"] for each in history] == [DEFAULT_PROMPT]


def test_entities_are_found_by_name_area_and_exposure() -> None:
    home = home_from_results(large_home(200))
    found = find(home, "kitchen 10 lamp")
    assert [row.name for row in found.rows] == ["Kitchen 10 Reading lamp"]
    assert find(home, area_id="area_3").total == 8
    assert find(home, exposed="no").total == 0
    assert len(find(home, number=4).rows) == 200 - 3 * PAGE
    assert len(areas(home)) == 25
    assert areas(home)[0].entities == 8


async def test_a_question_is_explained(open_page, local: LocalEngine, model: ScriptedModel) -> None:
    program = Program(FixedMirror(home_from_results(large_home(2000))), model, local)
    browser = await open_page(program.parts())
    why = orjson.loads((await browser.get("/api/home/why", params={"text": "Is the Library 8 window open?"}))[1])
    assert any(chosen["entity_id"] == "binary_sensor.library_8_window" for chosen in why["chosen"])
    assert all(chosen["reason"] for chosen in why["chosen"])
    assert why["left_out"] > 1000
    assert "Library 8 Window" in (await browser.get("/home", params={"text": "Is the Library 8 window open?"}))[1]


async def test_the_page_of_a_large_home_is_small(open_page, local: LocalEngine, model: ScriptedModel) -> None:
    program = Program(FixedMirror(home_from_results(large_home(10_000))), model, local)
    _, text = await (await open_page(program.parts())).get("/home")
    assert len(text) < 800_000
    assert "10000 found" in text


async def test_usage_is_drawn_and_exported(browser: Browser, parts: AdminParts) -> None:
    assert parts.ledger is not None
    price = Prices().of("gpt-4o-mini")
    with Budgets(parts.ledger).reserve(Call("=evil", price, 1000, 100, agent="OpenAI")) as reservation:
        reservation.settle(Usage(1000, 0, 100, 0))
    _, text = await browser.get("/usage")
    assert "<svg" in text
    assert "=evil" in text
    _, rows = await browser.get("/usage.csv")
    assert "'=evil" in rows
    totals = orjson.loads((await browser.get("/api/usage?by=model"))[1])["totals"]
    assert totals[0]["questions"] == 1
    assert (await browser.get("/api/usage?by=nonsense"))[0] == 400


async def test_an_option_is_changed_while_it_runs(browser: Browser, program: Program) -> None:
    assert (await browser.post("/options", max_tokens="500", name="Butler"))[0] == 303
    assert program.settings.max_tokens == 500
    assert program.settings.name == "Butler"
    await browser.post("/options", max_tokens="")
    assert program.settings.max_tokens == 300


async def test_a_wrong_option_is_explained_beside_it_and_nothing_changes(browser: Browser, program: Program) -> None:
    _, text = await browser.post("/options", max_tokens="lots", name="Butler")
    assert "is not accepted" in text
    assert 'value="lots"' in text
    assert program.settings.name == "OpenAI"


async def test_an_option_of_a_flag_stays(browser: Browser, program: Program) -> None:
    before = program.settings.model
    await browser.post("/options", model="another")
    status, text = await browser.send("PATCH", "/api/options", json={"model": "another"})
    assert status == 400
    assert "--model" in text
    assert program.settings.model == before


async def test_a_secret_is_written_and_never_read(browser: Browser, program: Program) -> None:
    await browser.post("/options", openai_api_key="sk-new-secret")
    assert program.settings.openai_api_key is not None
    assert program.settings.openai_api_key.get_secret_value() == "sk-new-secret"
    await browser.post("/options", openai_api_key="")
    assert program.settings.openai_api_key is not None
    assert "sk-new" not in (await browser.get("/options"))[1]
    await browser.post("/options", openai_api_key="", **{"remove-openai_api_key": "on"})
    assert program.settings.openai_api_key is None


async def test_without_a_place_to_keep_changes_nothing_can_be_saved(open_page, parts: AdminParts) -> None:
    browser = await open_page(parts, save=None)
    assert "without a place to keep changes" in (await browser.get("/options"))[1]
    assert (await browser.send("PUT", "/api/prompt", json={"prompt": "x"}))[0] == 400


async def test_a_home_that_does_not_answer_is_not_saved(browser: Browser, program: Program) -> None:
    status, text = await browser.post("/setup/home", hass_url="http://127.0.0.1:9", hass_token="token")
    assert status == 200
    assert 'role="alert"' in text
    assert program.settings.hass_url is None


async def test_nothing_said_is_kept_where_the_owner_says_so(open_page, parts: AdminParts, model: ScriptedModel) -> None:
    browser = await open_page(parts, turns=closed_later(TurnLog(None, days=0)))
    model.will(say("Fine."))
    await asked(browser, "How are you?")
    _, text = await browser.get("/conversations")
    assert "How are you?" not in text
    assert "Nothing is kept" in text
    assert 'wyoming_openai_turns_total{agent="OpenAI",engine="openai"} 1' in (await browser.get("/metrics"))[1]


async def test_a_bug_is_not_shown(open_page, parts: AdminParts, caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> list:
        raise RuntimeError("inner secret")

    browser = await open_page(parts, agents=broken)
    status, text = await browser.get("/")
    assert status == 500
    assert "inner secret" not in text
    assert "inner secret" in caplog.text


@pytest.mark.parametrize("path", ["/home?page=0", "/home?page=x", "/conversations?before=-1", f"/home?q={'x' * 300}"])
async def test_nonsense_is_refused(browser: Browser, path: str) -> None:
    assert (await browser.get(path))[0] == 400


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"text": 1}', b'{"text": " "}'])
async def test_a_wrong_body_is_refused(browser: Browser, body: bytes) -> None:
    assert (await browser.send("POST", "/api/ask", data=body))[0] == 400


async def test_a_persona_that_is_not_there_is_not_found(browser: Browser) -> None:
    assert (await browser.send("POST", "/api/ask", json={"text": "x", "agent": "nobody"}))[0] == 404
    assert (await browser.get("/api/prompt?agent=nobody"))[0] == 404


async def test_a_method_that_is_not_there_names_those_that_are(browser: Browser) -> None:
    async with browser.client.request("PUT", "/api/status", headers={"X-Token": await browser.token()}) as response:
        assert response.status == 405
        assert "GET" in response.headers["Allow"]


async def test_a_page_that_moves_says_where_to(browser: Browser) -> None:
    status, text = await browser.post("/options", admin_uri="http://127.0.0.1:8178")
    assert status == 200
    assert ':8178/options"' in text
    assert "stylesheet" not in text, "it can't be fetched any more"
    _, text = await browser.post("/options", admin_uri="off")
    assert "closed" in text
