"""Conversations: what was said before, trimmed by tokens, forgotten after a silence, one turn at a time."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from .messages import AssistantMessage, UserMessage, Utterance
from .tokens import estimate

HISTORY_TTL = 300.0  # Home Assistant drops a conversation after five silent minutes
MAX_CONVERSATIONS = 200
MAX_TOKENS = 2000

Remembered = UserMessage | AssistantMessage
Key = tuple[str, str]


class Conversation:
    """The talk in one place. Used by one turn at a time."""

    def __init__(self) -> None:
        self.messages: tuple[Remembered, ...] = ()
        self.lock = asyncio.Lock()
        self.turns = 0
        """Turns that hold or await the lock."""
        self.last_used = 0.0

    def remember(self, question: str, answer: str) -> None:
        """Add what was said and what was heard; the oldest pairs go when it grows too long."""
        messages = [*self.messages, UserMessage(question), AssistantMessage(answer)]
        while len(messages) > 2 and sum(estimate(message.text) for message in messages) > MAX_TOKENS:
            del messages[:2]
        self.messages = tuple(messages)


class Memory:
    """All conversations, by conversation and device: with `conversation/process` two users can share an id."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._conversations: OrderedDict[Key, Conversation] = OrderedDict()

    def __len__(self) -> int:
        return len(self._conversations)

    @asynccontextmanager
    async def turn(self, utterance: Utterance) -> AsyncIterator[Conversation]:
        """The conversation of an utterance, held alone until the turn ends.

        Without a conversation id and a device there is nobody to remember: the conversation is a new one.
        """
        key = (utterance.conversation_id or "", utterance.device_id or "")
        if key == ("", ""):
            yield Conversation()
            return
        conversation = self._open(key)
        conversation.turns += 1
        try:
            async with conversation.lock:
                if self._clock() - conversation.last_used > HISTORY_TTL:
                    conversation.messages = ()
                yield conversation
        finally:
            conversation.turns -= 1
            conversation.last_used = self._clock()

    def _open(self, key: Key) -> Conversation:
        conversation = self._conversations.setdefault(key, Conversation())
        self._conversations.move_to_end(key)
        self._forget()
        return conversation

    def _forget(self) -> None:
        """Drop what is silent for too long, and the least recently used beyond the limit."""
        now = self._clock()
        idle: Sequence[tuple[Key, Conversation]] = [
            (key, conversation)
            for key, conversation in list(self._conversations.items())[:-1]
            if not conversation.turns
        ]
        excess = len(self._conversations) - MAX_CONVERSATIONS
        for number, (key, conversation) in enumerate(idle):
            if number < excess or now - conversation.last_used > HISTORY_TTL:
                del self._conversations[key]
