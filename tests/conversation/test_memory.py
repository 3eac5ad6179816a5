"""The talk goes on within a conversation, and nowhere else."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from wyoming_openai.conversation.memory import (
    HISTORY_TTL,
    MAX_AT_ONCE,
    MAX_CONVERSATIONS,
    MAX_TOKENS,
    Memory,
    UnspokenAnswer,
)
from wyoming_openai.messages import AssistantMessage, CannotAnswer, UserMessage, Utterance
from wyoming_openai.tokens import estimate


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def hear(conversation: str | None = "talk", device: str | None = "kitchen") -> Utterance:
    return Utterance("hello", conversation_id=conversation, device_id=device)


async def remember(memory: Memory, utterance: Utterance, answer: str = "Hi.") -> None:
    async with memory.turn(utterance) as conversation:
        conversation.remember(utterance.text, answer)


async def recall(memory: Memory, utterance: Utterance) -> int:
    async with memory.turn(utterance) as conversation:
        return len(conversation.messages)


async def test_what_was_said_is_remembered_in_order() -> None:
    memory = Memory()
    await remember(memory, hear())
    async with memory.turn(hear()) as conversation:
        assert conversation.messages == (UserMessage("hello"), AssistantMessage("Hi."))


async def test_another_device_or_conversation_starts_clean() -> None:
    memory = Memory()
    await remember(memory, hear())
    assert await recall(memory, hear(device="hall")) == 0
    assert await recall(memory, hear(conversation="other")) == 0
    assert await recall(memory, hear()) == 2


async def test_without_any_id_nothing_is_remembered() -> None:
    memory = Memory()
    await remember(memory, hear(None, None))
    assert await recall(memory, hear(None, None)) == 0
    assert len(memory) == 0


async def test_a_silence_of_five_minutes_ends_the_talk() -> None:
    clock = Clock()
    memory = Memory(clock)
    await remember(memory, hear())
    clock.now += HISTORY_TTL
    assert await recall(memory, hear()) == 2
    clock.now += HISTORY_TTL + 1
    assert await recall(memory, hear()) == 0


async def test_a_long_talk_loses_its_oldest_pairs() -> None:
    memory = Memory()
    for number in range(20):
        await remember(memory, hear(), f"{number} " + "long " * 200)
    async with memory.turn(hear()) as conversation:
        assert sum(estimate(message.text) for message in conversation.messages) <= MAX_TOKENS
        assert conversation.messages[0] == UserMessage("hello")
        assert conversation.messages[-1].text.startswith("19 ")


async def test_the_number_of_conversations_is_bounded() -> None:
    memory = Memory()
    for number in range(MAX_CONVERSATIONS + 50):
        await remember(memory, hear(f"talk {number}"))
    assert len(memory) == MAX_CONVERSATIONS
    assert await recall(memory, hear(f"talk {MAX_CONVERSATIONS + 49}")) == 2


async def test_two_utterances_of_one_conversation_take_turns() -> None:
    memory = Memory()
    order: list[str] = []

    async def turn(name: str) -> None:
        async with memory.turn(hear()):
            order.append(f"{name} begins")
            await asyncio.sleep(0)
            order.append(f"{name} ends")

    await asyncio.gather(turn("first"), turn("second"))
    assert order == ["first begins", "first ends", "second begins", "second ends"]


async def test_a_conversation_in_use_is_never_forgotten() -> None:
    memory = Memory()
    async with memory.turn(hear("held")) as held:
        for number in range(MAX_CONVERSATIONS + 5):
            await remember(memory, hear(f"talk {number}"))
        held.remember("hello", "Hi.")
    assert await recall(memory, hear("held")) == 2


async def test_each_agent_has_its_own_talk() -> None:
    memory = Memory()
    await remember(memory, hear())
    async with memory.turn(hear(), "Mario") as conversation:
        assert conversation.messages == ()


async def test_the_silence_since_the_last_turn_is_known() -> None:
    clock = Clock()
    memory = Memory(clock)
    await remember(memory, hear())
    clock.now += 12
    async with memory.turn(hear()) as conversation:
        assert conversation.silence == 12
        assert conversation.last_answer == "Hi."


async def test_who_waits_too_long_for_a_talk_is_told() -> None:
    memory = Memory()
    async with memory.turn(hear()):
        with pytest.raises(CannotAnswer, match="another turn"):
            async with memory.turn(hear(), deadline=0.0):
                pass
    assert await recall(memory, hear()) == 0


async def test_what_was_forgotten_does_not_come_back() -> None:
    memory = Memory()
    await remember(memory, hear())
    async with memory.turn(hear()) as conversation:
        conversation.unspoken = UnspokenAnswer("More.", is_complete=True)
        conversation.forget()
    async with memory.turn(hear()) as conversation:
        assert conversation.messages == ()
        assert conversation.unspoken is None


async def test_more_turns_of_a_conversation_than_anybody_needs_are_told_so_at_once() -> None:
    memory, asked = Memory(), Utterance("?", conversation_id="talk")
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(memory.turn(asked))
        waiting = [asyncio.create_task(_one_turn(memory, asked)) for _ in range(MAX_AT_ONCE - 1)]
        await asyncio.sleep(0)
        with pytest.raises(CannotAnswer) as error:
            await _one_turn(memory, asked)
        assert error.value.sentence_key == "busy"
        await _one_turn(memory, Utterance("?", conversation_id="another talk"))
    await asyncio.gather(*waiting)
    await _one_turn(memory, asked)


async def _one_turn(memory: Memory, utterance: Utterance) -> None:
    async with memory.turn(utterance):
        pass
