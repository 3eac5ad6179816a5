"""Builds the first request of a turn: the owner's prompt, what is known of the home, the talk so far, the question."""

import hashlib
from collections.abc import Sequence

from ..context import HomeContext, build_context
from ..context.cache import ContextCache
from ..llm import ModelRequest
from ..local_engine.engine import LocalEngine
from ..messages import Message, SystemMessage, ToolSpec, UserMessage
from .memory import Conversation
from .prompt import Prompt
from .turn import Turn

HOME_IS_AWAY = "Home Assistant cannot be reached at the moment: nothing is known about the state of the home."

ASKED_ON = {
    "phone": "Asked on: a telephone. Answer in one or two short sentences, and say in words what a screen would show. "
    "A short question at the end is heard and can be answered.",
    "satellite": "Asked on: a voice satellite. Its microphone closes after your answer: do not end with a question or "
    "an offer, unless you can't answer without knowing more.",
    "unknown": "",
}


class RequestBuilder:
    """Words what the model is sent about one utterance."""

    def __init__(
        self,
        *,
        prompt: Prompt,
        local: LocalEngine,
        context_cache: ContextCache,
        tools: Sequence[ToolSpec],
        context_tokens: int,
        style: str | None = None,
    ) -> None:
        """`context_tokens`: what may be told about the home; `style`: how the answer should sound."""
        self.prompt = prompt
        self._local = local
        self._context_cache = context_cache
        self._tools = tuple(tools)
        self._context_tokens = context_tokens
        self._style = style

    def build(self, turn: Turn, conversation: Conversation) -> ModelRequest:
        """The first request of a turn. What changes least comes first, so that the provider's prompt cache hits."""
        prompt = self.prompt.render(turn.home, turn.utterance, turn.area, turn.now)
        context = self.context(turn, conversation)
        beginning = "\n\n".join(filter(None, (prompt, self._manner(), context.index)))
        messages: tuple[Message, ...] = (
            SystemMessage(beginning),
            *conversation.messages,
            SystemMessage("\n".join(filter(None, (self._situation(turn), context.facts)))),
            UserMessage(turn.utterance.text),
        )
        return ModelRequest(messages, self._tools, _cache_key(beginning), turn.deadline)

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
            context_cache=self._context_cache,
        )

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
            f"Answer in the language of the question; if you cannot tell, in {turn.utterance.language}.",
            HOME_IS_AWAY if turn.home_problem else "",
        ]
        return "\n".join(filter(None, lines))


def _cache_key(beginning: str) -> str:
    """Equal for requests that begin alike."""
    return hashlib.sha256(beginning.encode()).hexdigest()[:32]
