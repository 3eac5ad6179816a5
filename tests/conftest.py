"""Servers on loopback that many tests talk to."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.fakes import purse
from tests.fakes.openai_api import OpenAIApi, openai_api


@pytest.fixture(autouse=True)
def _purses_are_closed() -> Iterator[None]:
    yield
    purse.close_all()


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
