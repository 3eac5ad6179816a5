"""Every task of the page, done in a real browser with the keyboard alone, as a newcomer would."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from tests.admin.browsing import Opened, launched, opened
from tests.admin.conftest import Program
from tests.fakes.model import ScriptedModel, say
from wyoming_openai.admin import Access, hash_password, listening
from wyoming_openai.conversation.prompt import DEFAULT_PROMPT


@pytest.fixture
async def seen(several: Program) -> AsyncIterator[Opened]:
    """A window on a page of two agents, that nothing is complained of in."""
    async with launched() as chromium, listening(several.parts(), "http://127.0.0.1:0") as port:
        window = await opened(chromium, port)
        yield window
        assert window.complaints == []


async def test_the_menu_and_the_way_past_it(seen: Opened) -> None:
    await seen.go("")
    await seen.press("a.skip")
    assert await seen.page.evaluate("document.activeElement.id") == "content"
    for name in ("Try it", "Prompt", "Home", "Conversations", "Usage", "Options"):
        await seen.page.evaluate("document.activeElement.blur()")
        await seen.press(f"nav a[href$='/{name.split()[0].lower()}']")
        await seen.page.wait_for_selector(f"nav a[aria-current]:text-is('{name}')")


async def test_asking_and_stopping(seen: Opened, model: ScriptedModel) -> None:
    model.will(say("Good", " evening."))
    await seen.go("try")
    await seen.page.keyboard.type("Hello")
    await seen.page.keyboard.press("Enter")
    await seen.page.wait_for_selector("#trace .phases")
    assert "Good evening." in await seen.page.inner_text("#said")
    await seen.write("#text", "And now?")
    await seen.page.keyboard.press("Enter")
    await seen.press("#stop")
    await seen.page.wait_for_selector("text=(stopped)")
    model.will(say("Mamma mia."))
    await seen.write("#text", "Who are you?")
    await seen.tab_to("#agent")
    await seen.page.keyboard.type("Super")
    await seen.page.keyboard.press("Shift+Tab")
    await seen.page.keyboard.press("Enter")
    await seen.page.wait_for_selector("#trace :text('Super Mario: answered')")


async def test_an_example_is_asked_as_from_a_room(seen: Opened, model: ScriptedModel) -> None:
    model.will(say("Two."))
    await seen.go("try")
    await seen.tab_to("#place")
    await seen.page.keyboard.type("Kitchen")
    await seen.press(".idea")
    await seen.page.wait_for_selector("#trace .phases")
    assert "Kitchen" in model.requests[-1].messages[-2].text


async def test_editing_a_prompt(seen: Opened, several: Program) -> None:
    await seen.go("prompt")
    await seen.write("#prompt", "one\n{% if %}")
    await seen.press("#prompt-error button")
    assert await seen.page.evaluate("getSelection().toString()") == "{% if %}"
    await seen.write("#prompt", "You are at {{ ha_name }}.")
    await seen.page.wait_for_selector("#prompt-error", state="hidden")
    await seen.page.wait_for_selector("#preview:text('You are at Demo home.')")
    await seen.press("#prompt-form button:not([type])")
    await seen.page.wait_for_selector(".note.good")
    assert several.settings.agents[0].prompt == "You are at {{ ha_name }}."
    await seen.press(".note.good button")
    await seen.page.wait_for_selector(".note.good")
    assert several.settings.agents[0].prompt == "You serve {{ ha_name }}."
    await seen.press("#to-default")
    assert await seen.page.input_value("#prompt") == DEFAULT_PROMPT
    await seen.press("#undo")
    assert await seen.page.input_value("#prompt") == "You serve {{ ha_name }}."


async def test_why_an_entity_was_chosen_and_finding_one(seen: Opened) -> None:
    await seen.go("home")
    await seen.write("#text", "Is the kitchen window open?")
    await seen.page.keyboard.press("Enter")
    await seen.page.wait_for_selector("#explained :text('binary_sensor.kitchen_window')")
    await seen.write("#q", "bedroom lamp")
    await seen.page.keyboard.press("Enter")
    await seen.page.wait_for_url("**q=bedroom*")
    assert "bedside" in await seen.page.inner_text("#entities ~ .wide")


async def test_a_conversation_is_found_read_and_deleted(seen: Opened, several: Program, model: ScriptedModel) -> None:
    model.will(say("Blue."))
    await seen.go("try")
    await seen.page.keyboard.type("What colour is the sky?")
    await seen.page.keyboard.press("Enter")
    await seen.page.wait_for_selector("#trace .phases")
    await seen.go("conversations")
    await seen.write("#q", "sky")
    await seen.page.keyboard.press("Enter")
    await seen.page.wait_for_url("**q=sky*")
    await seen.press(".said a")
    await seen.page.wait_for_selector("text=What was sent")
    await seen.press("details.card summary")
    assert await seen.page.locator("details.card[open] pre").first.is_visible()
    await seen.press("button.danger")
    await seen.page.wait_for_selector("h1:text-is('Conversations')")
    assert several.turns.latest() == []


async def test_usage_is_drawn_otherwise_and_exported(seen: Opened) -> None:
    await seen.go("usage")
    await seen.tab_to("#by")
    await seen.page.keyboard.type("device")
    await seen.press("form button:not([type])")
    await seen.page.wait_for_selector("h2:text-is('Cost by day and device')")
    async with seen.page.expect_download() as download:
        await seen.press("a[download]")
    assert (await download.value).suggested_filename == "wyoming-openai-usage.csv"


async def test_options_of_all_and_of_one(seen: Opened, several: Program) -> None:
    await seen.go("options")
    await seen.write("#filter", "longest reply")
    await seen.write("#max_tokens", "500")
    assert "1 change" in await seen.page.inner_text("#changed")
    await seen.press(".sticky button")
    await seen.page.wait_for_selector(".note.good")
    await seen.press(".tabs a[href*=Mario]")
    await seen.page.wait_for_url("**agent=*")
    await seen.write("#max_tokens", "7000000")
    await seen.page.evaluate("document.forms['options-form'].noValidate = true")
    await seen.press(".sticky button")
    await seen.page.wait_for_selector("#error-max_tokens")
    await seen.write("#max_tokens", "77")
    await seen.press(".sticky button")
    await seen.page.wait_for_selector(".note.good")
    assert [agent.max_tokens for agent in several.settings.agents] == [500, 77]


async def test_the_set_up_tells_what_is_wrong(seen: Opened, several: Program) -> None:
    await seen.go("setup")
    await seen.write("#hass_url", "http://127.0.0.1:9")
    await seen.write("#hass_token", "a token")
    await seen.page.keyboard.press("Enter")
    await seen.page.wait_for_selector(".note.bad[role=alert]")
    assert await seen.page.input_value("#hass_url") == "http://127.0.0.1:9"
    assert several.settings.hass_url is None


async def test_logging_in_and_out(several: Program) -> None:
    parts = replace(several.parts(), access=Access(hash_password("correct horse")))
    async with launched() as chromium, listening(parts, "http://127.0.0.1:0") as port:
        window: Any = await opened(chromium, port)
        await window.go("options")
        await window.page.keyboard.type("wrong horse")
        await window.page.keyboard.press("Enter")
        await window.page.wait_for_selector("[role=alert]")
        await window.write("#password", "correct horse")
        await window.page.keyboard.press("Enter")
        await window.page.wait_for_selector("h1:text-is('Overview')")
        await window.press("header form button")
        await window.page.wait_for_selector("#password")
