"""A real browser: no script of a stranger runs, nothing is complained of, everything fits and can be read.

Needs the `browser` extra and Chromium; `SCREENSHOTS=DIR` keeps the pictures of the documentation.
"""

import os
import time
from base64 import b64decode
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.admin.browsing import DESKTOP, PHONE, Opened, launched, opened
from tests.admin.conftest import Program
from tests.admin.scene import CONFIG, Clock, spend, talk
from tests.fakes.large_home import large_home
from tests.fakes.model import ScriptedModel, call, say
from wyoming_openai.admin import Access, hash_password, listening
from wyoming_openai.hass.mirror import FixedMirror
from wyoming_openai.hass.snapshot import demo_home, home_from_results
from wyoming_openai.local_engine.engine import LocalEngine

axe = pytest.importorskip("axe_playwright_python.base", reason="the browser extra (axe) is not installed")

QUESTION = "Which lights are on?"
PAGES = ["", "try", "prompt", "prompt?agent=Super+Mario&saved=", "home?text=Which+lights+are+on%3F", "conversations"]
PAGES += ["usage?by=agent", "options", "options?agent=Super+Mario", "setup", "nowhere"]
HOSTILE = "</script><script>window.hacked=1</script><img src=x onerror='window.hacked=1'>\"'"
PICTURES = os.environ.get("SCREENSHOTS")


@pytest.fixture
async def chromium() -> AsyncIterator[Any]:
    async with launched() as browser:
        yield browser


@pytest.fixture
async def lived_in(model: ScriptedModel, local: LocalEngine, tmp_path: Path) -> Program:
    """Two agents that have been in use for a month."""
    config, clock = tmp_path / "wyoming.yaml", Clock(time.time())
    config.write_text(CONFIG)
    model.name = "gpt-4o-mini"
    program = Program(FixedMirror(demo_home(datetime.now(UTC))), model, local, config, clock)
    spend(program, clock)
    await talk(program, model)
    return program


async def ask(seen: Opened, text: str) -> None:
    await seen.go("try")
    await seen.page.fill("#text", text)
    await seen.page.click("#send")
    await seen.page.wait_for_selector("#trace .phases")


async def audit(seen: Opened, path: str) -> None:
    """It fits its screen, and axe finds nothing serious."""
    wide = await seen.page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0, f"{path} is {wide} pixels too wide"
    found = await seen.page.evaluate(axe.AXE_FILE_PATH.read_text() + ";axe.run({resultTypes: ['violations']})")
    serious = [each for each in found["violations"] if each["impact"] in ("serious", "critical")]
    assert not serious, [(path, each["id"], each["nodes"][0]["html"]) for each in serious]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
async def test_every_page_is_quiet_fits_its_screen_and_is_accessible(
    chromium: Any, lived_in: Program, model: ScriptedModel, scheme: str, size: dict[str, int]
) -> None:
    async with listening(lived_in.parts(), "http://127.0.0.1:0") as port:
        seen = await opened(chromium, port, viewport=size, color_scheme=scheme)
        model.will(call("tell", '{"what": "time"}'), say("Two lights are on: the hall", " and the kitchen."))
        await ask(seen, QUESTION)
        await audit(seen, "try, answered")
        last = lived_in.turns.latest(1)[0].id
        for path in [*PAGES, f"conversations/{last}"]:
            await seen.go(path)
            if path.startswith("prompt"):
                await seen.page.wait_for_selector("#sizes tr")
            await audit(seen, path)
        assert [each for each in seen.complaints if "404" not in each] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_first_visit_and_the_login_are_accessible(chromium: Any, local: LocalEngine, scheme: str) -> None:
    program = Program(FixedMirror(demo_home(datetime.now(UTC))), None, local)
    async with listening(program.parts(), "http://127.0.0.1:0") as port:
        seen = await opened(chromium, port, color_scheme=scheme)
        await seen.go("")
        await audit(seen, "first visit")
        await seen.page.click("text=Begin the set-up")
        assert "To do" in (await seen.page.inner_text("main")).replace("to do", "To do")
        await audit(seen, "set-up")
        assert seen.complaints == []
    locked = replace(program.parts(), access=Access(hash_password("correct horse")))
    async with listening(locked, "http://127.0.0.1:0") as port:
        seen = await opened(chromium, port, color_scheme=scheme)
        await seen.go("")
        await audit(seen, "login")
        assert seen.complaints == []


async def test_no_script_of_a_name_or_a_model_runs(chromium: Any, local: LocalEngine, model: ScriptedModel) -> None:
    results = large_home(16)
    for row in results["config/area_registry/list"] + results["config/floor_registry/list"]:
        row["name"] = HOSTILE
    for state in results["subscribe_entities"]["a"].values():
        state["a"]["friendly_name"] = state["s"] = HOSTILE
    program = Program(FixedMirror(home_from_results(results)), model, local)
    await program.save({"name": HOSTILE[:64], "style": HOSTILE, "prompt": HOSTILE}, "")
    async with listening(program.parts(), "http://127.0.0.1:0") as port:
        seen = await opened(chromium, port)
        model.will(call(HOSTILE, HOSTILE), say(f"Fine. {HOSTILE}"))
        await ask(seen, HOSTILE)
        for path in ["try", "prompt", "prompt?saved=", f"home?text={HOSTILE}", *PAGES[:1], *PAGES[4:8], "setup"]:
            if path != "try":
                await seen.go(path)
            assert await seen.page.evaluate("window.hacked") is None
        await seen.go("conversations/1")
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


async def test_the_overview_changes_while_one_looks(chromium: Any, lived_in: Program, model: ScriptedModel) -> None:
    async with listening(lived_in.parts(), "http://127.0.0.1:0") as port:
        seen = await opened(chromium, port)
        await seen.page.clock.install()
        await seen.go("")
        await talk(lived_in, model)
        lived_in.turns.add(replace(lived_in.turns.latest(1)[0], question="Who is at the door?"))
        await seen.page.clock.run_for(6000)
        await seen.page.wait_for_selector("text=Who is at the door?")
        assert seen.complaints == []


PORTRAITS = {
    "overview": ("", "light", DESKTOP),
    "try": ("try", "light", DESKTOP),
    "prompt": ("prompt", "light", DESKTOP),
    "conversation": ("conversations/last", "light", DESKTOP),
    "why": ("home?text=Is+the+kitchen+window+open%3F", "light", DESKTOP),
    "usage": ("usage?by=agent", "dark", DESKTOP),
    "phone": ("", "dark", PHONE),
}


@pytest.mark.skipif(not PICTURES, reason="SCREENSHOTS names no folder for pictures")
@pytest.mark.parametrize("name", PORTRAITS)
async def test_a_picture_of_it(chromium: Any, lived_in: Program, model: ScriptedModel, name: str) -> None:
    path, scheme, size = PORTRAITS[name]
    async with listening(lived_in.parts(), "http://127.0.0.1:0") as port:
        seen = await opened(chromium, port, viewport=size, color_scheme=scheme)
        if name == "try":
            model.will(call("tell", '{"what": "lights"}'), say("Two lights are on: the hall", " and the kitchen."))
            await ask(seen, QUESTION)
        else:
            await seen.go(path.replace("last", str(lived_in.turns.latest(1)[0].id)))
        if name == "prompt":
            await seen.page.wait_for_selector("#sizes tr")
        tools = await seen.page.context.new_cdp_session(seen.page)
        taken = await tools.send("Page.captureScreenshot", {"format": "webp", "quality": 85})
        picture = b64decode(taken["data"])
        assert len(picture) < 150_000
        (Path(str(PICTURES)) / f"{name}.webp").write_bytes(picture)
