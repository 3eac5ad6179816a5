"""The home that a real Home Assistant recorded, with the answers it gave about it."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from wyoming_openai.hass.home import Home
from wyoming_openai.hass.snapshot import load_home

RECORDED = Path(__file__).parent.parent / "homes" / "recorded.json"


@pytest.fixture(scope="session")
def home() -> Home:
    return load_home(RECORDED)


@pytest.fixture
def machine_in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As the recording Home Assistant's machine was: moments without a zone are in the machine's."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()
