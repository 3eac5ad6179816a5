"""The Wyoming seam: events of one connection in, events out. Whoever asks is always answered."""

import asyncio
import logging
import re
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from wyoming.event import Event
from wyoming.handle import Handled, HandledChunk, HandledStart, HandledStop, NotHandled
from wyoming.info import Attribution, Describe, HandleModel, HandleProgram, Info
from wyoming.ping import Ping, Pong

from .. import PROJECT, __version__
from ..messages import CannotAnswer, Utterance
from ..speech.phrasebook import say
from .framing import ClientLeft
from .listener import ClientConnection

_LOGGER = logging.getLogger(__name__)

MAX_TEXT = 2000  # characters; far beyond what anybody says in one breath
MAX_ID = 128
DEADLINE = 30.0  # seconds in which somebody has to hear something, waiting in line included
LAST_WORD = 2.0  # seconds beyond, for a reply that has used them all and has something to say yet
LINE = 0.5  # seconds before the deadline at which who still waits in line hears that we are busy
QUESTIONS = frozenset({"transcript", "recognize"})
_LANGUAGE = re.compile(r"[A-Za-z0-9]{1,8}([-_][A-Za-z0-9]{1,8}){0,3}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_UNSPEAKABLE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\U000e0000-\U000e007f]"
)

Reply = Callable[[Utterance, float], AsyncGenerator[str, None]]
"""`Assistant.reply` to what was heard at a time of the event loop; raises `CannotAnswer` only before any piece."""


def describe(*, name: str, model: str) -> Info:
    """What a Wyoming client learns of us: one `handle` program for all languages."""
    attribution = Attribution(name=PROJECT, url="https://github.com/rhasspy/wyoming")
    return Info(
        handle=[
            HandleProgram(
                name=name,
                description="Answers questions about the home and the world",
                attribution=attribution,
                installed=True,
                version=__version__,
                models=[
                    HandleModel(
                        name=model,
                        description=f"Answers with {model}",
                        attribution=attribution,
                        installed=True,
                        version=__version__,
                        languages=[],  # Home Assistant reads "none named" as "all"
                    )
                ],
                supports_handled_streaming=True,
                supports_home_control=False,
            )
        ]
    )


@dataclass(frozen=True, slots=True)
class PendingUtterance:
    """An utterance, when it was heard and by when somebody has to hear something, on the event loop's clock."""

    utterance: Utterance
    heard: float
    due: float


class Handler:
    """Answers the events of one connection: information at once, questions one after the other."""

    def __init__(
        self,
        *,
        info: Callable[[], Info],
        reply: Reply,
        connection: ClientConnection,
        language: str = "en",
        patience: Callable[[Utterance], float] = lambda utterance: DEADLINE,
    ) -> None:
        self._info = info
        self._reply = reply
        self._reader = connection.reader
        self._writer = connection.writer
        self._guest = connection.guest
        self._language = language
        """For a question that names none."""
        self._patience = patience
        """Seconds in which who asked has to hear something, even if `reply` has lost its way."""
        self._questions: asyncio.Queue[PendingUtterance | None] = asyncio.Queue()

    async def run(self) -> None:
        """Serve until no more events come; a client that leaves stops the answer in progress."""
        try:
            async with asyncio.TaskGroup() as group:
                answering = group.create_task(self._answer_all())
                await self._receive()
                if self._reader.awaits_answers:
                    self._questions.put_nowait(None)
                    await _until_either(answering, self._reader.client_left())
                answering.cancel()
        except* ClientLeft as left:
            # Home Assistant closes as soon as it has `handled`: normal, and nobody is left to answer.
            _LOGGER.debug("The client left: %s", left.exceptions)

    async def _receive(self) -> None:
        while (event := await self._reader.next()) is not None:
            if event.type in QUESTIONS:
                await self._ask(utterance_from(event, self._language, self._guest.is_untrusted))
            elif Describe.is_type(event.type):
                await self._writer.write(self._info().event())
            elif Ping.is_type(event.type):
                await self._writer.write(Pong(text=_text(event.data.get("text"))[:MAX_TEXT]).event())
            del event  # parsed, one of 256 KB may be 8 MB, and the next may not come for minutes

    async def _ask(self, utterance: Utterance) -> None:
        if self._guest.open_questions >= self._guest.limits.waiting:  # Home Assistant sends one
            await self._writer.write(NotHandled(say("busy", utterance.language)).event())
            return
        self._guest.open_questions += 1
        now = asyncio.get_running_loop().time()
        self._questions.put_nowait(PendingUtterance(utterance, now, now + self._patience(utterance)))

    async def _answer_all(self) -> None:
        while (question := await self._questions.get()) is not None:
            await self._answer(question)
            self._guest.open_questions -= 1

    async def _answer(self, question: PendingUtterance) -> None:
        """Answer one question: the pieces as they come, then the whole text, or `not-handled` with a sentence."""
        utterance = question.utterance
        spoken, excuse = "", ""
        try:
            if len(utterance.text) > MAX_TEXT:
                raise CannotAnswer("too_long")
            async with (
                self._guest.turn(question.due + LAST_WORD, line=question.due - LINE),
                aclosing(self._reply(utterance, question.heard)) as pieces,
            ):
                async for piece in pieces:
                    start = () if spoken else (HandledStart().event(),)
                    clean = _UNSPEAKABLE.sub(" ", piece)
                    spoken += clean
                    await self._writer.write(*start, HandledChunk(clean).event())
        except ClientLeft:
            raise
        except CannotAnswer as error:
            _LOGGER.debug("Not answered: %s", error)
            excuse = say(error.sentence_key, utterance.language, **error.values)
        except Exception:
            _LOGGER.exception("A question could not be answered")
            excuse = say("apology", utterance.language)
        if excuse and not spoken:
            await self._writer.write(NotHandled(excuse).event())
            return
        text = f"{spoken.strip()} {excuse}".strip() or say("model_no_answer", utterance.language)
        await self._writer.write(Handled(text).event(), HandledStop().event())


async def _until_either(task: asyncio.Task[None], other: Coroutine[Any, Any, None]) -> None:
    """Wait until one of them is done."""
    beside = asyncio.create_task(other)
    try:
        await asyncio.wait([task, beside], return_when=asyncio.FIRST_COMPLETED)
    finally:
        beside.cancel()


def utterance_from(event: Event, default_language: str, caller: str | None = None) -> Utterance:
    """The question in a `transcript` or `recognize` event, whatever a stranger put into it.

    A text that is too long is cut one character behind what is allowed.
    """
    context = event.data.get("context")
    context = context if isinstance(context, dict) else {}
    language = event.data.get("language")
    known = isinstance(language, str) and len(language) <= 35 and _LANGUAGE.fullmatch(language)
    return Utterance(
        text=_CONTROL.sub(" ", _text(event.data.get("text")).strip()[: MAX_TEXT + 1]).strip(),
        language=str(language).replace("_", "-") if known else default_language,
        conversation_id=_id(context.get("conversation_id")),
        device_id=_id(context.get("device_id")),
        satellite_id=_id(context.get("satellite_id")),
        caller=caller,
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _id(value: Any) -> str | None:
    """Claims of the caller: taken as they are, if they can be ids at all."""
    return value if isinstance(value, str) and 0 < len(value) <= MAX_ID and not _CONTROL.search(value) else None
