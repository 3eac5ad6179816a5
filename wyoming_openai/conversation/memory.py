"""Conversations: what was said before, trimmed by tokens, forgotten after a silence, one turn at a time."""

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from ..messages import AssistantMessage, CannotAnswer, UserMessage, Utterance
from ..tokens import estimate

HISTORY_TTL = 300.0  # Home Assistant drops a conversation after five silent minutes
MAX_CONVERSATIONS = 200
MAX_TOKENS = 2000
MAX_AT_ONCE = 3  # turns of one conversation, of which one is answered

Remembered = UserMessage | AssistantMessage
Key = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class UnspokenAnswer:
    """What of the last answer has not been said yet."""

    text: str
    """Empty when all was said."""
    is_complete: bool
    """Whether it reaches to the end of what the model had to say."""


class Conversation:
    """The talk in one place. Used by one turn at a time."""

    def __init__(self, *, is_kept: bool = False) -> None:
        self.messages: tuple[Remembered, ...] = ()
        self.unspoken: UnspokenAnswer | None = None
        self.is_kept = is_kept
        """Whether another utterance can find it."""
        self.silence = math.inf
        """Seconds since its last turn ended."""
        self.lock = asyncio.Lock()
        self.turns = 0
        """Turns that hold or await the lock."""
        self.last_used = -math.inf

    def remember(self, question: str, answer: str) -> None:
        """Add what was said and what was heard; the oldest pairs go when it grows too long."""
        messages = [*self.messages, UserMessage(question), AssistantMessage(answer)]
        while len(messages) > 2 and sum(estimate(message.text) for message in messages) > MAX_TOKENS:
            del messages[:2]
        self.messages = tuple(messages)

    @property
    def last_answer(self) -> str:
        return self.messages[-1].text if self.messages else ""

    def forget(self) -> None:
        """Begin anew."""
        self.messages, self.unspoken = (), None


class Memory:
    """All conversations, by agent, conversation, device and caller.

    With `conversation/process` two users can share an id; and ids are claims, which a stranger may have overheard.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._conversations: OrderedDict[Key, Conversation] = OrderedDict()

    def __len__(self) -> int:
        return len(self._conversations)

    @asynccontextmanager
    async def turn(
        self, utterance: Utterance, agent: str = "", deadline: float | None = None
    ) -> AsyncIterator[Conversation]:
        """The conversation of an utterance, held alone until the turn ends.

        Without a conversation id and a device there is nobody to remember: the conversation is a new one.
        Raises `CannotAnswer` when another turn holds it until the deadline, which is on the event loop's clock, or at
        once when too many wait for that: each has a turn that others could use.
        """
        if not utterance.conversation_id and not utterance.device_id:
            yield Conversation()
            return
        conversation = self._open(
            (agent, utterance.conversation_id or "", utterance.device_id or "", utterance.caller or "")
        )
        if conversation.turns >= MAX_AT_ONCE:
            raise CannotAnswer("busy", f"{conversation.turns} turns of the conversation are not over")
        conversation.turns += 1
        try:
            await _acquire(conversation.lock, deadline)
            try:
                conversation.silence = self._clock() - conversation.last_used
                if conversation.silence > HISTORY_TTL:
                    conversation.forget()
                yield conversation
            finally:
                conversation.last_used = self._clock()
                conversation.lock.release()
        finally:
            conversation.turns -= 1

    def _open(self, key: Key) -> Conversation:
        conversation = self._conversations.setdefault(key, Conversation(is_kept=True))
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


async def _acquire(lock: asyncio.Lock, deadline: float | None) -> None:
    try:
        async with asyncio.timeout_at(deadline):
            await lock.acquire()
    except TimeoutError:
        raise CannotAnswer("busy", "another turn of the conversation took all the time") from None
