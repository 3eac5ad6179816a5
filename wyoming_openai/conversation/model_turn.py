"""The model's part of a turn: it is asked, calls tools, is told what came of them, until it just speaks."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import replace
from functools import partial

from ..context.cache import ContextCache
from ..hass.mirror import Mirror
from ..llm import ChatModel, ModelError, ModelEvent, ModelReply, ModelRequest, NoAnswer, Restarted, TextDelta
from ..llm.models import ModelSettings
from ..messages import AssistantMessage, SystemMessage, ToolCall, ToolResult, ToolSpec, UserMessage
from ..speech import Speech
from ..tools import Toolbox, ToolContext
from ..usage.budgets import AgentBudget, BudgetSpent, Reservation, input_bound
from ..usage.prices import NANO
from .request import HOME_IS_AWAY
from .turn import Turn

MAX_ROUNDS = 10
MAX_MODEL_CALLS = 10  # retries and fallbacks among them
MAX_CALLS = 20  # of tools in a turn
MAX_CALLS_AT_ONCE = 8
MAX_LOOKED_UP = 16_000  # tokens that calls and their results may add to a request

ENOUGH = SystemMessage("Enough was looked up: answer now, without tools.")


class ToolRunner:
    """Runs the tools that a model calls, on the home of the turn."""

    def __init__(self, toolbox: Toolbox, mirror: Mirror, context_cache: ContextCache) -> None:
        self._toolbox = toolbox
        self._mirror = mirror
        self._context_cache = context_cache

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        return self._toolbox.specs

    async def run(self, call: ToolCall, turn: Turn) -> ToolResult:
        """Run one call. Raises `ModelError` where it outlasts the turn's deadline."""
        turn.tools.append(call.name)
        if turn.home_problem:
            return ToolResult(call.id, call.name, f"Error: {HOME_IS_AWAY}", is_error=True)
        context = ToolContext(
            turn.home, turn.area, turn.now, turn.utterance.language, self._mirror, self._context_cache
        )
        try:
            async with asyncio.timeout_at(turn.deadline):
                return await self._toolbox.run(call, context)
        except TimeoutError:
            raise _too_slow() from None


class ModelTurn:
    """Lets a model answer, within its budget."""

    def __init__(self, model: ChatModel, budget: AgentBudget, tools: ToolRunner) -> None:
        self._model = model
        self._budget = budget
        self._tools = tools

    def is_first_notice(self, spent: BudgetSpent) -> bool:
        """Whether nobody has been told yet in this period that the budget is used up."""
        return self._budget.is_first_notice(spent)

    async def answer(self, turn: Turn, request: ModelRequest) -> AsyncGenerator[str, None]:
        """Let the model and its tools go on until it just speaks: speakable text.

        Raises `ModelError` and `BudgetSpent`.
        """
        turn.engine, turn.model = "openai", self._model.name
        turn.is_complete = False
        first, spoken = request, False

        def unheard() -> bool:
            return not spoken

        for _ in range(MAX_ROUNDS):
            speech = Speech(turn.utterance.language)
            apart = " " if spoken else ""
            reply: ModelReply | None = None
            turn.asks(request)
            booked = replace(request, reserve=partial(self._paid, turn, request), unheard=unheard)
            async with aclosing(_until(turn, self._model.stream(booked))) as events:
                async for event in events:
                    turn.mark("first_token")
                    match event:
                        case TextDelta(text):
                            if piece := speech.feed(text):
                                piece, apart, spoken = apart + piece, "", True
                                yield piece
                        case Restarted():
                            speech = Speech(turn.utterance.language)
                        case ModelReply():
                            reply = event
            if reply is None:
                raise NoAnswer("the stream ended without a reply")
            turn.hears(reply)
            turn.is_complete = not reply.truncated
            if rest := speech.finish(truncated=reply.truncated):
                yield apart + rest
                spoken = True
            if not reply.message.tool_calls:
                if not spoken:
                    raise NoAnswer("nothing in the reply can be spoken")
                return
            if turn.is_answer_full:
                return
            looked_up = input_bound(request) - input_bound(first)
            calls = reply.message.tool_calls[: _calls_left(turn)] if looked_up < MAX_LOOKED_UP else ()
            request = await self._with_results(request, replace(reply.message, tool_calls=calls), turn)
        raise ModelError("loop_limit", f"no answer after {MAX_ROUNDS} rounds of tools")

    @contextmanager
    def _paid(
        self, turn: Turn, request: ModelRequest, settings: ModelSettings, *, again: bool
    ) -> Iterator[Reservation]:
        """The money for one call: set aside before, settled after. Raises `BudgetSpent`."""
        if turn.calls >= MAX_MODEL_CALLS:
            raise ModelError("loop_limit", f"no answer after {MAX_MODEL_CALLS} calls")
        question = isinstance(request.messages[-1], UserMessage) and not again
        account = self._budget.reserve(settings, request, turn.utterance, turn.caller.kind, question=question)
        turn.calls += 1
        try:
            with account:
                yield account
        finally:
            turn.cost_usd += account.cost_nano_usd / NANO

    async def _with_results(self, request: ModelRequest, message: AssistantMessage, turn: Turn) -> ModelRequest:
        """The request with what a model called and what came of it; of calls that may not run no trace is left."""
        if not message.tool_calls:
            messages = request.messages if request.messages[-1] == ENOUGH else (*request.messages, ENOUGH)
            return replace(request, messages=messages)
        results = []
        for call in message.tool_calls:
            results.append(await self._tools.run(call, turn))
            await asyncio.sleep(0)  # others are served in between
        return replace(request, messages=(*request.messages, message, *results))


def _calls_left(turn: Turn) -> int:
    """How many tools may run now: a model that calls without end gets no more of the home than anybody needs."""
    return min(MAX_CALLS_AT_ONCE, MAX_CALLS - len(turn.tools))


async def _until(turn: Turn, events: AsyncGenerator[ModelEvent, None]) -> AsyncGenerator[ModelEvent, None]:
    """The events as they come, until the turn's deadline, which may move. Their reader's own time is not cut into."""
    async with aclosing(events):
        while True:
            try:
                async with asyncio.timeout_at(turn.deadline):
                    event = await anext(events)
            except StopAsyncIteration:
                return
            except TimeoutError:
                raise _too_slow() from None
            yield event


def _too_slow() -> ModelError:
    return ModelError("too_slow", "no answer before the deadline of the turn")
