"""A real browser: no script of a stranger runs, nothing is complained of, everything is reached and readable.

Needs the `browser` extra and Chromium; `SCREENSHOTS=DIR` keeps what the pages look like.
"""

import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.admin.conftest import Program
from tests.fakes.large_home import large_home
from tests.fakes.model import ScriptedModel, say
from wyoming_openai.admin import AdminParts, listening
from wyoming_openai.hass.mirror import FixedMirror
from wyoming_openai.hass.snapshot import home_from_results
from wyoming_openai.llm.local import LocalEngine
from wyoming_openai.messages import Usage
from wyoming_openai.prices import Prices
from wyoming_openai.usage import Budgets, Call

playwright = pytest.importorskip("playwright.async_api", reason="the browser extra (playwright) is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
if CHROMIUM is None:
    pytest.skip("there is no Chromium", allow_module_level=True)

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
FLAGS += ["--disable-component-update", "--disable-sync"]
PAGES = ["", "try", "prompt", "home?text=Which+lights+are+on%3F", "conversations", "usage", "options", "setup"]
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}
HOSTILE = "</script><script>window.hacked=1</script><img src=x onerror='window.hacked=1'>\"'"


@dataclass
class Opened:
    """A page in the browser, and what it complained of."""

    page: Any
    base: str
    complaints: list[str] = field(default_factory=list)

    async def go(self, path: str) -> None:
        await self.page.goto(f"{self.base}/{path}")


@pytest.fixture
async def chromium() -> AsyncIterator[Any]:
    async with playwright.async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


async def opened(chromium: Any, port: int, **more: Any) -> Opened:
    context = await chromium.new_context(**{"viewport": DESKTOP, **more})
    page = await context.new_page()
    seen = Opened(page, f"http://127.0.0.1:{port}")
    page.on("console", lambda message: message.type in ("error", "warning") and seen.complaints.append(message.text))
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    return seen


def used(parts: AdminParts) -> AdminParts:
    """Some costs to draw."""
    assert parts.ledger is not None
    price = Prices().of("gpt-4o-mini")
    for _ in range(20):
        with Budgets(parts.ledger).reserve(Call("gpt-4o-mini", price, 90_000, 2000, agent="House")) as reservation:
            reservation.settle(Usage(80_000, 9000, 1400, 0))
    return parts


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
async def test_every_page_is_quiet_fits_its_screen_and_is_accessible(
    chromium: Any, parts: AdminParts, model: ScriptedModel, scheme: str, size: dict[str, int]
) -> None:
    axe = pytest.importorskip("axe_playwright_python.base", reason="axe is not installed")
    audit = axe.AXE_FILE_PATH.read_text() + ";axe.run({resultTypes: ['violations']})"
    async with listening(used(parts), "http://127.0.0.1:0") as port:
        seen = await opened(chromium, port, viewport=size, color_scheme=scheme)
        model.will(say("Two lights are on: the hall", " and the kitchen."))
        await seen.go("try?text=Which+lights+are+on%3F")
        await seen.page.click("#ask button")
        await seen.page.wait_for_selector("#trace .steps")
        for path in [*PAGES, "conversations/1"]:
            await seen.go(path)
            if path == "prompt":
                await seen.page.wait_for_selector("#sizes tr")
            if folder := os.environ.get("SCREENSHOTS"):
                name = f"{path.partition('?')[0].replace('/', '-') or 'overview'}-{scheme}-{size['width']}.png"
                await seen.page.screenshot(path=Path(folder) / name, full_page=True)
            wide = await seen.page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0, f"{path} is {wide} pixels too wide"
            found = await seen.page.evaluate(audit)
            serious = [each for each in found["violations"] if each["impact"] in ("serious", "critical")]
            assert not serious, [(path, each["id"], each["nodes"][0]["html"]) for each in serious]
        assert seen.complaints == []


async def test_a_question_is_asked_with_the_keyboard_alone(
    chromium: Any, parts: AdminParts, model: ScriptedModel
) -> None:
    async with listening(parts, "http://127.0.0.1:0") as port:
        seen = await opened(chromium, port)
        model.will(say("Good", " evening."))
        await seen.go("try")
        await seen.page.keyboard.type("Hello")
        await seen.page.keyboard.press("Enter")
        await seen.page.wait_for_selector("#trace .steps")
        assert "Good evening." in await seen.page.inner_text("#said")
        assert seen.complaints == []


async def test_a_draft_shows_its_error_while_it_is_typed_and_is_saved(
    chromium: Any, parts: AdminParts, program: Program
) -> None:
    async with listening(parts, "http://127.0.0.1:0") as port:
        seen = await opened(chromium, port)
        await seen.go("prompt")
        await seen.page.fill("#prompt", "one\n{% if %}")
        await seen.page.wait_for_selector("#prompt-error:not([hidden])")
        assert "Line 2" in await seen.page.inner_text("#prompt-error")
        await seen.page.fill("#prompt", "You are at {{ ha_name }}.")
        await seen.page.wait_for_selector("#prompt-error", state="hidden")
        await seen.page.click("#prompt-form button:text-is('Save')")
        await seen.page.wait_for_selector(".note.good")
        assert program.settings.prompt == "You are at {{ ha_name }}."


async def test_no_script_of_a_name_or_a_model_runs(chromium: Any, local: LocalEngine, model: ScriptedModel) -> None:
    results = large_home(16)
    for row in results["config/area_registry/list"] + results["config/floor_registry/list"]:
        row["name"] = HOSTILE
    for state in results["subscribe_entities"]["a"].values():
        state["a"]["friendly_name"] = state["s"] = HOSTILE
    program = Program(FixedMirror(home_from_results(results)), model, local)
    async with listening(program.parts(), "http://127.0.0.1:0") as port:
        seen = await opened(chromium, port)
        model.will(say(HOSTILE))
        await seen.go("try")
        await seen.page.fill("#text", HOSTILE)
        await seen.page.click("#ask button")
        await seen.page.wait_for_selector("#trace .steps")
        for path in ["try", *PAGES, "conversations/1"]:
            if path != "try":
                await seen.go(path)
            assert await seen.page.evaluate("window.hacked") is None
        assert seen.complaints == []


async def test_of_ten_thousand_entities_one_page_is_sent(
    chromium: Any, local: LocalEngine, model: ScriptedModel
) -> None:
    program = Program(FixedMirror(home_from_results(large_home(10_000))), model, local)
    async with listening(program.parts(), "http://127.0.0.1:0") as port:
        seen = await opened(chromium, port)
        await seen.go("home")
        assert await seen.page.locator("#entities ~ .wide tbody tr").count() == 50
