"""A Home Assistant for each test, and a mirror in a hurry."""

from collections.abc import AsyncIterator

import pytest

from tests.fakes.home_assistant import FakeHomeAssistant


@pytest.fixture
async def hass() -> AsyncIterator[FakeHomeAssistant]:
    async with FakeHomeAssistant() as fake:
        yield fake
