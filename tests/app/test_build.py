"""What the program says of itself at its start, and how its background work ends."""

import asyncio

import pytest

from wyoming_openai.app import build
from wyoming_openai.app.service import announcement
from wyoming_openai.settings.reader import read_settings


def test_the_announcement_names_the_home_and_no_password_in_its_address() -> None:
    settings = read_settings({}, {"HASS_URL": "http://anna:geheim@home.example:8123", "HASS_TOKEN": "secret"})
    text = announcement(settings, settings, 10800)
    assert "http://home.example:8123" in text
    assert "port 10800" in text
    assert "geheim" not in text
    assert "secret" not in text


async def test_work_that_loses_its_cancellation_is_stopped_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "CANCEL_AGAIN", 0.01)
    lost = []

    async def work() -> None:
        while len(lost) < 2:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError as error:
                lost.append(error)

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    await build.cancel_and_wait([task])
    assert task.done()
