"""Assistants put together as the program does it, with what a test wants to be different."""

from collections.abc import Sequence

from tests.fakes.budget import budget
from wyoming_openai.context.cache import ContextCache
from wyoming_openai.conversation.assistant import Assistant
from wyoming_openai.conversation.memory import Memory
from wyoming_openai.conversation.model_turn import ModelTurn, ToolRunner
from wyoming_openai.conversation.prompt import Prompt
from wyoming_openai.conversation.request import RequestBuilder
from wyoming_openai.conversation.turn import Patience
from wyoming_openai.hass.mirror import Mirror
from wyoming_openai.llm import ChatModel
from wyoming_openai.local_engine.engine import LocalEngine
from wyoming_openai.tools import Tool, Toolbox
from wyoming_openai.usage.budgets import AgentBudget


def assistant_of(
    mirror: Mirror,
    model: ChatModel | None = None,
    *,
    local: LocalEngine | None = None,
    context_cache: ContextCache | None = None,
    memory: Memory | None = None,
    tools: Sequence[Tool] = (),
    prompt: str | None = None,
    style: str | None = None,
    context_tokens: int = 2000,
    patience: Patience | None = None,
    phone_patience: Patience | None = None,
    money: AgentBudget | None = None,
    name: str = "",
) -> Assistant:
    """An assistant of one home; without a limit of money, and with ten seconds' patience, unless told otherwise."""
    local, context_cache = local or LocalEngine(), context_cache or ContextCache()
    runner = ToolRunner(Toolbox(tools), mirror, context_cache)
    return Assistant(
        requests=RequestBuilder(
            prompt=Prompt(prompt),
            style=style,
            local=local,
            context_cache=context_cache,
            tools=runner.specs,
            context_tokens=context_tokens,
        ),
        tools=runner,
        model=ModelTurn(model, money or budget(), runner) if model else None,
        local=local,
        context_cache=context_cache,
        mirror=mirror,
        memory=Memory() if memory is None else memory,
        patience=patience or Patience(10, 20),
        phone_patience=phone_patience or Patience(10, 10),
        name=name,
    )
