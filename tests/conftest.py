"""Servers on loopback that many tests talk to."""

from collections.abc import AsyncIterator

import pytest

from tests.fakes.openai_api import OpenAIApi, openai_api


@pytest.fixture
async def api() -> AsyncIterator[OpenAIApi]:
    """The server of a model."""
    async with openai_api() as server:
        yield server


@pytest.fixture
async def other() -> AsyncIterator[OpenAIApi]:
    """The server of another one."""
    async with openai_api() as server:
        yield server
