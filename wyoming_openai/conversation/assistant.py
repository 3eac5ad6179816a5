"""THE turn: a sentence comes in, the model (or the local engine) and its tools answer it."""

import asyncio
import hashlib
import logging
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from functools import partial
from typing import NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ..context import HomeContext, build_context, where
from ..context.knowledge import Knowledge
from ..hass.home import Config, Home, Registries
from ..hass.mirror import Mirror
from ..llm import Anew, ChatModel, ModelError, ModelEvent, ModelReply, ModelRequest, NoAnswer, TextDelta
from ..llm.models import ModelSettings
from ..local_engine.engine import LocalEngine
from ..messages import (
    CALLER_LEFT,
    AssistantMessage,
    CannotAnswer,
    Message,
    SystemMessage,
    ToolCall,
    ToolResult,
    Trace,
    UserMessage,
    Utterance,
)
from ..speech import Speech
from ..speech.phrasebook import say
from ..tools import Toolbox, ToolContext
from ..usage.budgets import BudgetSpent, Purse, Reservation, input_bound
from ..usage.prices import NANO
from .caller import Caller, who_asks
from .cues import is_new_call, parts, wants_more
from .delivery import Delivery
from .memory import Conversation, Memory, Rest
from .prompt import Prompt
from .turn import Patience, Turn, log_turn

_LOGGER = logging.getLogger(__name__)

MAX_ROUNDS = 10
MAX_MODEL_CALLS = 10  # retries and fallbacks among them
MAX_CALLS = 20  # of tools in a turn
MAX_CALLS_AT_ONCE = 8
MAX_LOOKED_UP = 16_000  # tokens that calls and their results may add to a request
HOME_PATIENCE = 2.0  # seconds that a question waits for a home that is just reconnecting
LANGUAGE_PATIENCE = 2.5  # and for its language, where a model can answer without it

LAST_WORDS = 0.5  # seconds of a deadline that are kept for an answer without the model

HOME_IS_AWAY = "Home Assistant cannot be reached at the moment: nothing is known about the state of the home."

ENOUGH = SystemMessage("Enough was looked up: answer now, without tools.")

ASKED_ON = {
    "phone": "Asked on: a telephone. Answer in one or two short sentences, and say in words what a screen would show. "
    "A short question at the end is heard and can be answered.",
    "satellite": "Asked on: a voice satellite. Its microphone closes after your answer: do not end with a question or "
    "an offer, unless you can't answer without knowing more.",
    "unknown": "",
}


class Assistant:
    """Answers utterances about one home with one prompt and one model, or with the local engine alone."""

    def __init__(
        self,
        *,
        prompt: Prompt,
        model: ChatModel | None,
        purse: Purse,
        local: LocalEngine,
        knowledge: Knowledge,
        mirror: Mirror,
        memory: Memory,
        toolbox: Toolbox,
        context_tokens: int,
        patience: Patience,
        phone_patience: Patience,
        name: str = "",
        style: str | None = None,
    ) -> None:
        self._prompt = prompt
        self._model = model
        self._purse = purse
        self._local = local
        self._knowledge = knowledge
        self._mirror = mirror
        self._memory = memory
        self._toolbox = toolbox
        self._context_tokens = context_tokens
        self._patience = patience
        self._phone_patience = phone_patience
        self._name = name
        self._style = style

    async def reply(
        self, utterance: Utterance, report: Callable[[Trace], None] = log_turn, *, heard: float | None = None
    ) -> AsyncGenerator[str, None]:
        """Answer an utterance: text as it becomes final. Raises `CannotAnswer`, only before the first piece.

        `heard` is when, on the event loop's clock, if not now: who had to wait in line has waited.
        """
        if not utterance.text:
            raise CannotAnswer("nothing_heard")
        patience = self.patience(utterance)
        heard = asyncio.get_running_loop().time() if heard is None else heard
        deadline = heard + max(patience.deadline - LAST_WORDS, patience.deadline * 0.9)
        async with self._memory.turn(utterance, self._name, deadline) as conversation:
            await self._make_ready(utterance.language, deadline)
            turn = self.open(utterance, deadline)
            try:
                async with aclosing(self._talk(turn, conversation)) as pieces:
                    async for piece in pieces:
                        turn.mark("first_text")
                        yield piece
            except CannotAnswer as error:
                turn.fail(error)
                raise
            except (GeneratorExit, asyncio.CancelledError):
                turn.fail(CannotAnswer(CALLER_LEFT))
                raise
            finally:
                report(turn.trace())

    async def _talk(self, turn: Turn, conversation: Conversation) -> AsyncGenerator[str, None]:
        """The answer as it is said, at the place in the talk where it belongs."""
        utterance, caller = turn.utterance, turn.caller
        if caller.is_phone and is_new_call(
            conversation.silence, conversation.last_answer, utterance.text, utterance.language
        ):
            conversation.forget()
        heard: list[str] = []
        try:
            async with aclosing(self._deliver(turn, conversation)) as pieces:
                async for piece in pieces:
                    heard.append(piece)
                    yield piece
        except (GeneratorExit, asyncio.CancelledError):
            if caller.is_phone:  # it was hung up
                conversation.forget()
            raise
        conversation.remember(utterance.text, "".join(heard).strip())
        if caller.is_phone and parts(utterance.text, utterance.language):
            conversation.forget()

    async def _deliver(self, turn: Turn, conversation: Conversation) -> AsyncGenerator[str, None]:
        """As much of the answer as can be said at once; the rest is kept for whoever says yes."""
        language = turn.utterance.language
        limit = self._patience_of(turn.caller).speak
        can_ask = turn.caller.listens_on and conversation.is_kept
        delivery = Delivery(language, limit, listens_on=turn.caller.listens_on, can_go_on=can_ask)
        rest, conversation.rest = conversation.rest, None
        goes_on = rest is not None and (rest.text or rest.is_whole) and wants_more(turn.utterance.text, language)
        source = self._go_on(turn, rest) if rest is not None and goes_on else self._answer(turn, conversation)
        async with aclosing(source) as pieces:
            async for piece in pieces:
                if said := delivery.feed(piece):
                    yield said
                if delivery.is_full:
                    turn.hurry()
        if last := delivery.finish():
            yield last
        if delivery.is_full or goes_on:
            conversation.rest = Rest(delivery.rest, turn.is_whole)

    def patience(self, utterance: Utterance) -> Patience:
        """That of whoever asks."""
        return self._patience_of(who_asks(self._mirror.home, utterance))

    def _patience_of(self, caller: Caller) -> Patience:
        return self._phone_patience if caller.is_phone else self._patience

    async def follow(self) -> None:
        """Keep what the prompt needs of Home Assistant, and what is derived of the home, for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._prompt.follow(self._mirror))
            group.create_task(self._stay_prepared())

    async def _make_ready(self, language: str, deadline: float) -> None:
        """Wait a moment for a home that is just reconnecting, and for a language that nobody has spoken for long."""
        if self._model is not None:  # it knows the language without us
            deadline = min(deadline, asyncio.get_running_loop().time() + LANGUAGE_PATIENCE)
        with suppress(TimeoutError):
            async with asyncio.timeout_at(deadline):
                await asyncio.gather(self._mirror.wait_fresh(HOME_PATIENCE), self.prepare(language))
                await self.prepare(language)  # with the home that has just come, if one has

    async def prepare(self, language: str) -> None:
        """Load a language and derive what is needed of the home as it is now, where that is not done; in threads."""
        while True:
            home = self._mirror.home
            await self._local.prepare(home, language)
            await self._knowledge.prepare(home, language)
            if home is self._mirror.home:
                return

    async def _stay_prepared(self) -> NoReturn:
        """Derive anew what changes of the home, for ever, so that questions need not wait for it."""
        while True:
            home = self._mirror.home
            async with asyncio.TaskGroup() as group:
                group.create_task(self._mirror.wait_changed())  # also what changes meanwhile counts
                group.create_task(self.prepare(home.config.language if home else "en"))

    def open(self, utterance: Utterance, deadline: float | None = None, now: datetime | None = None) -> Turn:
        """Look at the home as it is now; a home that may have changed unseen is not looked at."""
        mirror = self._mirror
        known = mirror.home if mirror.fresh else None
        home = known or Home(mirror.home.config if mirror.home else Config(), Registries())
        zone = _zone(home.config.time_zone)
        return Turn(
            utterance,
            home,
            where(home, utterance),
            now.astimezone(zone) if now else datetime.now(zone),
            deadline,
            who_asks(mirror.home, utterance),  # who it is stays known while the home is away
            "" if known else mirror.status.sentence,
        )

    def context(self, turn: Turn, conversation: Conversation) -> HomeContext:
        """What the model is told about the home for this utterance, and why."""
        return build_context(
            turn.home,
            turn.utterance,
            turn.area,
            [message.text for message in conversation.messages],
            budget=self._context_tokens,
            now=turn.now,
            recognize=lambda: self._local.recognize(turn.utterance, turn.home, turn.area),
            knowledge=self._knowledge,
        )

    def request(self, turn: Turn, conversation: Conversation) -> ModelRequest:
        """The first request of a turn. What changes least comes first, so that the provider's prompt cache hits."""
        prompt = self._prompt.render(turn.home, turn.utterance, turn.area, turn.now)
        context = self.context(turn, conversation)
        beginning = "\n\n".join(filter(None, (prompt, self._manner(), context.index)))
        messages: tuple[Message, ...] = (
            SystemMessage(beginning),
            *conversation.messages,
            SystemMessage("\n".join(filter(None, (self._situation(turn), context.facts)))),
            UserMessage(turn.utterance.text),
        )
        return ModelRequest(messages, self._toolbox.specs, _cache_key(beginning), turn.deadline)

    def _manner(self) -> str:
        return f"How you sound: {self._style}" if self._style else ""

    def _situation(self, turn: Turn) -> str:
        """What surrounds the question: the clock, the room, the language, who is asking."""
        floor = turn.home.registries.floors.get((turn.area and turn.area.floor_id) or "")
        room = turn.area and (f"{turn.area.name} ({floor.name})" if floor else turn.area.name)
        lines = [
            f"Now: {turn.now:%A, %-d %B %Y, %H:%M} ({turn.home.config.time_zone})",
            f"Asked in: {room}" if room else "Asked in: an unknown room",
            ASKED_ON[turn.caller.kind],
            f"Language of the question: {turn.utterance.language}",
            HOME_IS_AWAY if turn.away else "",
        ]
        return "\n".join(filter(None, lines))

    async def _go_on(self, turn: Turn, rest: Rest) -> AsyncGenerator[str, None]:
        """What of the last answer has not been said yet."""
        turn.engine, turn.is_whole = "memory", rest.is_whole
        yield rest.text or say("nothing_more", turn.utterance.language)

    async def _answer(self, turn: Turn, conversation: Conversation) -> AsyncGenerator[str, None]:
        """The model's answer; the local engine's where there is no model, or it fails before it speaks."""
        failure: CannotAnswer | None = None
        if self._model is not None:
            spoken = False
            try:
                async with aclosing(self._ask(self._model, turn, conversation)) as pieces:
                    async for piece in pieces:
                        spoken = True
                        yield piece
                return
            except BudgetSpent as error:
                turn.note(failure := error)
                if spoken:
                    yield " " + say(error.sentence, turn.utterance.language)
                    return
            except ModelError as error:
                if turn.enough:
                    turn.is_whole = False
                    return
                _LOGGER.warning("The model did not answer: %s", error.brief)
                turn.note(failure := error)
                if spoken:
                    yield " " + say(error.sentence, turn.utterance.language)
                    return
        is_news = isinstance(failure, BudgetSpent) and self._purse.is_news(failure)
        answer = self._answer_locally(turn, failure)
        if is_news:
            answer = f"{say('budget_spent_now_local', turn.utterance.language)} {answer}"
        yield answer

    def _answer_locally(self, turn: Turn, failure: CannotAnswer | None) -> str:
        turn.engine, turn.model = "local", ""
        answer = self._local.answer(turn.utterance, turn.home, turn.area, turn.now)
        if turn.away and answer is not None and answer.needs_home:
            raise CannotAnswer(turn.away)
        if answer is not None and answer.text:
            return answer.text
        if answer is not None and not answer.wants_control:  # "never mind"
            return say("goodbye", turn.utterance.language)
        if answer is not None and answer.wants_control and failure is None:
            return say("cannot_control", turn.utterance.language)
        if turn.away and failure is None:
            raise CannotAnswer(turn.away)
        raise failure or CannotAnswer("not_understood")

    async def _ask(self, model: ChatModel, turn: Turn, conversation: Conversation) -> AsyncGenerator[str, None]:
        """The model ⇄ its tools, until it just speaks. Raises `ModelError`."""
        turn.engine, turn.model = "openai", model.name
        request = self.request(turn, conversation)
        turn.mark("context")
        turn.is_whole = False
        first, spoken = request, False

        def unheard() -> bool:
            return not spoken

        for _ in range(MAX_ROUNDS):
            speech = Speech(turn.utterance.language)
            apart = " " if spoken else ""
            reply: ModelReply | None = None
            booked = replace(request, reserve=partial(self._paid, turn, request), unheard=unheard)
            async with aclosing(_until(turn, model.stream(booked))) as events:
                async for event in events:
                    turn.mark("first_token")
                    match event:
                        case TextDelta(text):
                            if piece := speech.feed(text):
                                piece, apart, spoken = apart + piece, "", True
                                yield piece
                        case Anew():
                            speech = Speech(turn.utterance.language)
                        case ModelReply():
                            reply = event
            if reply is None:
                raise NoAnswer("the stream ended without a reply")
            turn.usage += reply.usage
            turn.is_whole = not reply.truncated
            turn.model = reply.model or turn.model
            if rest := speech.finish(truncated=reply.truncated):
                yield apart + rest
                spoken = True
            if not reply.message.tool_calls:
                if not spoken:
                    raise NoAnswer("nothing in the reply can be spoken")
                return
            if turn.enough:
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
        account = self._purse.reserve(settings, request, turn.utterance, turn.caller.kind, question=question)
        turn.calls += 1
        try:
            with account:
                yield account
        finally:
            turn.cost += account.cost / NANO

    async def _with_results(self, request: ModelRequest, message: AssistantMessage, turn: Turn) -> ModelRequest:
        """The request with what a model called and what came of it; of calls that may not run no trace is left."""
        if not message.tool_calls:
            messages = request.messages if request.messages[-1] == ENOUGH else (*request.messages, ENOUGH)
            return replace(request, messages=messages)
        results = []
        for call in message.tool_calls:
            results.append(await self.run_tool(call, turn))
            await asyncio.sleep(0)  # others are served in between
        return replace(request, messages=(*request.messages, message, *results))

    async def run_tool(self, call: ToolCall, turn: Turn) -> ToolResult:
        """Run one tool that the model called, on the home of the turn."""
        turn.tools.append(call.name)
        if turn.away:
            return ToolResult(call.id, call.name, f"Error: {HOME_IS_AWAY}", is_error=True)
        context = ToolContext(turn.home, turn.area, turn.now, turn.utterance.language, self._mirror, self._knowledge)
        try:
            async with asyncio.timeout_at(turn.deadline):
                return await self._toolbox.run(call, context)
        except TimeoutError:
            raise _too_slow() from None


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


def _cache_key(beginning: str) -> str:
    """Equal for requests that begin alike."""
    return hashlib.sha256(beginning.encode()).hexdigest()[:32]


def _too_slow() -> ModelError:
    return ModelError("too_slow", "no answer before the deadline of the turn")


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC
