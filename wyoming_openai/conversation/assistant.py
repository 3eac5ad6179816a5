"""THE turn: a sentence comes in, the model (or the local engine) and its tools answer it."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from datetime import UTC, datetime, tzinfo
from typing import NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ..context import area_of_utterance
from ..context.cache import ContextCache
from ..hass.home import Config, Home, Registries
from ..hass.mirror import Mirror
from ..llm import ModelError
from ..local_engine.engine import LocalEngine
from ..messages import CannotAnswer, Utterance
from ..speech.phrasebook import say
from ..usage.budgets import BudgetSpent
from .caller import Caller, identify_caller
from .cues import is_affirmation, is_goodbye, is_new_call
from .delivery import Delivery
from .memory import Conversation, Memory, UnspokenAnswer
from .model_turn import ModelTurn, ToolRunner
from .request import RequestBuilder
from .turn import Patience, Turn, TurnReport, log_turn, reported

_LOGGER = logging.getLogger(__name__)

HOME_PATIENCE = 2.0  # seconds that a question waits for a home that is just reconnecting
LANGUAGE_PATIENCE = 2.5  # and for its language, where a model can answer without it

LAST_WORDS = 0.5  # seconds of a deadline that are kept for an answer without the model


class Assistant:
    """Answers utterances about one home with one prompt and one model, or with the local engine alone."""

    def __init__(
        self,
        *,
        requests: RequestBuilder,
        tools: ToolRunner,
        model: ModelTurn | None,
        local: LocalEngine,
        context_cache: ContextCache,
        mirror: Mirror,
        memory: Memory,
        patience: Patience,
        phone_patience: Patience,
        name: str = "",
    ) -> None:
        self.requests = requests
        self.tools = tools
        self._model = model
        self._local = local
        self._context_cache = context_cache
        self._mirror = mirror
        self._memory = memory
        self._patience = patience
        self._phone_patience = phone_patience
        self._name = name

    async def reply(
        self, utterance: Utterance, report: Callable[[TurnReport], None] = log_turn, *, heard: float | None = None
    ) -> AsyncGenerator[str, None]:
        """Answer an utterance: text as it becomes final. Raises `CannotAnswer`, only before the first piece.

        `heard` is when, on the event loop's clock, if not now: who had to wait in line has waited. What became of the
        turn is reported when it ends, however it ends.
        """
        with reported(utterance, report) as note:
            if not utterance.text:
                raise CannotAnswer("nothing_heard")
            patience = self.patience(utterance)
            heard = asyncio.get_running_loop().time() if heard is None else heard
            deadline = heard + max(patience.deadline - LAST_WORDS, patience.deadline * 0.9)
            async with self._memory.turn(utterance, self._name, deadline) as conversation:
                await self._make_ready(utterance.language, deadline)
                turn = note.turn = self.open(utterance, deadline)
                async with aclosing(self._talk(turn, conversation)) as pieces:
                    async for piece in pieces:
                        note.say(piece)
                        yield piece

    async def _talk(self, turn: Turn, conversation: Conversation) -> AsyncGenerator[str, None]:
        """The answer at the place in the talk where it belongs: as much as can be said at once, the rest is kept."""
        utterance, caller, language = turn.utterance, turn.caller, turn.utterance.language
        if caller.is_phone and is_new_call(conversation.silence, conversation.last_answer, utterance.text, language):
            conversation.forget()
        delivery = self._delivery(turn, conversation)
        rest, conversation.unspoken = conversation.unspoken, None
        goes_on = rest is not None and (rest.text or rest.is_complete) and is_affirmation(utterance.text, language)
        source = self._go_on(turn, rest) if rest is not None and goes_on else self._answer(turn, conversation)
        try:
            async with aclosing(source) as pieces:
                async for piece in pieces:
                    if said := delivery.feed(piece):
                        yield said
                    if delivery.is_full:
                        turn.stop_waiting_soon()
            if last := delivery.finish():
                yield last
        except (GeneratorExit, asyncio.CancelledError):
            if caller.is_phone:  # it was hung up
                conversation.forget()
            raise
        if delivery.is_full or goes_on:
            conversation.unspoken = UnspokenAnswer(delivery.rest, turn.is_complete)
        conversation.remember(utterance.text, delivery.said)
        if caller.is_phone and is_goodbye(utterance.text, language):
            conversation.forget()

    def _delivery(self, turn: Turn, conversation: Conversation) -> Delivery:
        keeps_listening = turn.caller.keeps_listening
        can_go_on = keeps_listening and conversation.is_kept
        limit = self._patience_of(turn.caller).answer_seconds
        return Delivery(turn.utterance.language, limit, keeps_listening=keeps_listening, can_go_on=can_go_on)

    def patience(self, utterance: Utterance) -> Patience:
        """That of whoever asks."""
        return self._patience_of(identify_caller(self._mirror.home, utterance))

    def _patience_of(self, caller: Caller) -> Patience:
        return self._phone_patience if caller.is_phone else self._patience

    async def follow(self) -> None:
        """Keep what the prompt needs of Home Assistant, and what is derived of the home, for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.requests.prompt.follow(self._mirror))
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
            await self._context_cache.prepare(home, language)
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
            area_of_utterance(home, utterance),
            now.astimezone(zone) if now else datetime.now(zone),
            deadline,
            identify_caller(mirror.home, utterance),  # who it is stays known while the home is away
            "" if known else mirror.status.sentence_key,
        )

    async def _go_on(self, turn: Turn, rest: UnspokenAnswer) -> AsyncGenerator[str, None]:
        """What of the last answer has not been said yet."""
        turn.engine, turn.is_complete = "memory", rest.is_complete
        yield rest.text or say("nothing_more", turn.utterance.language)

    async def _answer(self, turn: Turn, conversation: Conversation) -> AsyncGenerator[str, None]:
        """The model's answer; the local engine's where there is no model, or it fails before it speaks."""
        failure: CannotAnswer | None = None
        if self._model is not None:
            spoken = False
            try:
                request = self.requests.build(turn, conversation)
                turn.mark("context")
                async with aclosing(self._model.answer(turn, request)) as pieces:
                    async for piece in pieces:
                        spoken = True
                        yield piece
                return
            except BudgetSpent as error:
                turn.note(failure := error)
                if spoken:
                    yield " " + say(error.sentence_key, turn.utterance.language)
                    return
            except ModelError as error:
                if turn.is_answer_full:
                    turn.is_complete = False
                    return
                _LOGGER.warning("The model did not answer: %s", error.log_text)
                turn.note(failure := error)
                if spoken:
                    yield " " + say(error.sentence_key, turn.utterance.language)
                    return
        is_news = isinstance(failure, BudgetSpent) and self._model is not None and self._model.is_first_notice(failure)
        answer = self._answer_locally(turn, failure)
        if is_news:
            answer = f"{say('budget_spent_now_local', turn.utterance.language)} {answer}"
        yield answer

    def _answer_locally(self, turn: Turn, failure: CannotAnswer | None) -> str:
        turn.engine, turn.model = "local", ""
        answer = self._local.answer(turn.utterance, turn.home, turn.area, turn.now)
        if turn.home_problem and answer is not None and answer.needs_home:
            raise CannotAnswer(turn.home_problem)
        if answer is not None and answer.text:
            return answer.text
        if answer is not None and not answer.wants_control:  # "never mind"
            return say("goodbye", turn.utterance.language)
        if answer is not None and answer.wants_control and failure is None:
            return say("cannot_control", turn.utterance.language)
        if turn.home_problem and failure is None:
            raise CannotAnswer(turn.home_problem)
        raise failure or CannotAnswer("not_understood")


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC
