"""Servers on loopback that many tests talk to."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.fakes.closing import close_all
from tests.fakes.openai_api import OpenAIApi, openai_api


@pytest.fixture(autouse=True)
def _all_is_closed() -> Iterator[None]:
    yield
    close_all()


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
