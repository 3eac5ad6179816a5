"""A fake server and models that talk to it."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from tests.fakes.openai_api import OpenAIApi
from wyoming_openai.llm import ChatModel
from wyoming_openai.llm.client import ModelSettings, create_model

KEY = "sk-proj-abcdefghijklmnop"

Connect = Callable[..., ChatModel]


@pytest.fixture
async def connect(api: OpenAIApi) -> AsyncIterator[Connect]:
    """Makes models of the fake server; a test names what it cares about."""
    models: list[ChatModel] = []

    def connect_(**settings: Any) -> ChatModel:
        models.append(
            create_model(ModelSettings(**{"api_key": KEY, "base_url": api.url, "model": "a-model", **settings}))
        )
        return models[-1]

    yield connect_
    for model in models:
        await model.close()
