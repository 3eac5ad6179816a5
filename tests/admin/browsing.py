"""A real Chromium for the tests: Debian's, or the one that Playwright has downloaded. Without one they are skipped."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

playwright = pytest.importorskip("playwright.async_api", reason="the browser extra (playwright) is not installed")

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
FLAGS += ["--disable-component-update", "--disable-sync"]
IS_FOCUSED = """wanted => document.activeElement.matches(wanted)
    && getComputedStyle(document.activeElement).outlineWidth != '0px'"""
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}


def own_chromium() -> str | None:
    """The system's browser."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if (path := shutil.which(name))), None)


@dataclass
class Opened:
    """A page in the browser, and what it complained of."""

    page: Any
    base: str
    complaints: list[str] = field(default_factory=list)

    async def go(self, path: str) -> None:
        await self.page.goto(f"{self.base}/{path}")

    async def tab_to(self, selector: str, most: int = 150) -> None:
        """Press Tab until something has the focus, as who has no mouse does; it shows where it is."""
        for _ in range(most):
            if await self.page.evaluate(IS_FOCUSED, selector):
                return
            await self.page.keyboard.press("Tab")
        pytest.fail(f"{selector} is not reached with the keyboard")

    async def press(self, selector: str, key: str = "Enter") -> None:
        """Reach something with the keyboard and press a key there."""
        await self.tab_to(selector)
        await self.page.keyboard.press(key)

    async def write(self, selector: str, text: str) -> None:
        """Reach a field with the keyboard and replace what is in it."""
        await self.tab_to(selector)
        await self.page.keyboard.press("ControlOrMeta+a")
        await self.page.keyboard.type(text)


@asynccontextmanager
async def launched() -> AsyncIterator[Any]:
    """A browser; the test is skipped where there is none."""
    async with playwright.async_playwright() as driver:
        try:
            browser = await driver.chromium.launch(executable_path=own_chromium(), args=FLAGS)
        except playwright.Error as error:
            pytest.skip(f"there is no Chromium: {str(error).splitlines()[0]}")
        yield browser
        await browser.close()


async def opened(chromium: Any, port: int, **more: Any) -> Opened:
    """A new window, with nothing in it yet."""
    context = await chromium.new_context(**{"viewport": DESKTOP, **more})
    page = await context.new_page()
    page.set_default_timeout(10_000)
    seen = Opened(page, f"http://127.0.0.1:{port}")
    page.on("console", lambda message: message.type in ("error", "warning") and seen.complaints.append(message.text))
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    return seen
