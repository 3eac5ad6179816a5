"""The Wyoming seam: events of one connection in, events out. Whoever asks is always answered."""

import asyncio
import logging
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

from wyoming.event import Event
from wyoming.handle import Handled, HandledChunk, HandledStart, HandledStop, NotHandled
from wyoming.info import Attribution, Describe, HandleModel, HandleProgram, Info
from wyoming.ping import Ping, Pong

from . import __version__
from .framing import EventReader, EventWriter
from .messages import CannotAnswer, Utterance
from .sentences import say

_LOGGER = logging.getLogger(__name__)

MAX_TEXT = 2000  # characters; far beyond what anybody says in one breath
MAX_ID = 128
MAX_WAITING = 8  # questions on one connection; Home Assistant sends one
QUESTIONS = frozenset({"transcript", "recognize"})
_LANGUAGE = re.compile(r"[A-Za-z0-9]{1,8}([-_][A-Za-z0-9]{1,8}){0,3}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")

Reply = Callable[[Utterance], AsyncGenerator[str, None]]
"""`Assistant.reply`: pieces of text; raises `CannotAnswer` only before the first piece."""


def describe(*, name: str, model: str, supports_home_control: bool) -> Info:
    """What a Wyoming client learns of us: one `handle` program for all languages."""
    attribution = Attribution(name="wyoming_openai", url="https://github.com/rhasspy/wyoming")
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
                supports_home_control=supports_home_control,
            )
        ]
    )


class Handler:
    """Answers the events of one connection: information at once, questions one after the other."""

    def __init__(
        self, *, info: Callable[[], Info], reply: Reply, reader: EventReader, writer: EventWriter, language: str = "en"
    ) -> None:
        self._info = info
        self._reply = reply
        self._reader = reader
        self._writer = writer
        self._language = language
        """For a question that names none."""
        self._questions: asyncio.Queue[Event | None] = asyncio.Queue(MAX_WAITING)

    async def run(self) -> None:
        """Serve until the input ends; a client that leaves stops the answer in progress.

        Raises `BadFrame` when what comes is not Wyoming.
        """
        answering = asyncio.create_task(self._answer_all())
        try:
            await self._receive()
            if self._reader.awaits_answers:
                await self._questions.put(None)
                await answering
        except ConnectionError:
            _LOGGER.debug("The client left")
        finally:
            answering.cancel()
            await asyncio.wait([answering])

    async def _receive(self) -> None:
        while (event := await self._reader.next()) is not None:
            if event.type in QUESTIONS:
                await self._question(event)
            elif Describe.is_type(event.type):
                await self._writer.write(self._info().event())
            elif Ping.is_type(event.type):
                await self._writer.write(Pong(text=_text(event.data.get("text"))).event())

    async def _question(self, event: Event) -> None:
        try:
            self._questions.put_nowait(event)
        except asyncio.QueueFull:
            await self._writer.write(NotHandled(say("busy", utterance_from(event, self._language).language)).event())

    async def _answer_all(self) -> None:
        while (event := await self._questions.get()) is not None:
            try:
                await self.answer(utterance_from(event, self._language))
            except ConnectionError:
                # Home Assistant closes as soon as it has `handled`: normal, and nobody is left to answer.
                _LOGGER.debug("The client left before the end of the answer")
                return

    async def answer(self, utterance: Utterance) -> None:
        """Answer one question: the pieces as they come, then the whole text, or `not-handled` with a sentence."""
        spoken = ""
        try:
            async with aclosing(self._reply(utterance)) as pieces:
                async for piece in pieces:
                    start = () if spoken else (HandledStart().event(),)
                    spoken += piece
                    await self._writer.write(*start, HandledChunk(piece).event())
        except CannotAnswer as error:
            _LOGGER.debug("Not answered: %s", error)
            await self._writer.write(NotHandled(say(error.sentence, utterance.language, **error.values)).event())
            return
        except ConnectionError:
            raise
        except Exception:
            _LOGGER.exception("A question could not be answered")
            if not spoken:
                await self._writer.write(NotHandled(say("apology", utterance.language)).event())
                return
            spoken += " " + say("apology", utterance.language)
        text = spoken.strip() or say("model_no_answer", utterance.language)
        await self._writer.write(Handled(text).event(), HandledStop().event())


def utterance_from(event: Event, default_language: str) -> Utterance:
    """The question in a `transcript` or `recognize` event, whatever a stranger put into it."""
    context = event.data.get("context")
    context = context if isinstance(context, dict) else {}
    language = event.data.get("language")
    known = isinstance(language, str) and len(language) <= 35 and _LANGUAGE.fullmatch(language)
    return Utterance(
        text=_CONTROL.sub(" ", _text(event.data.get("text")))[:MAX_TEXT].strip(),
        language=str(language).replace("_", "-") if known else default_language,
        conversation_id=_id(context.get("conversation_id")),
        device_id=_id(context.get("device_id")),
        satellite_id=_id(context.get("satellite_id")),
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _id(value: Any) -> str | None:
    """Claims of the caller: taken as they are, if they can be ids at all."""
    return value if isinstance(value, str) and 0 < len(value) <= MAX_ID else None
