"""Several agents in one program: each is itself, and nobody hears what another was told."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from wyoming.asr import Transcript
from wyoming.client import AsyncUnixClient
from wyoming.handle import Handled
from wyoming.info import Describe, Info

from tests.fakes.openai_api import OpenAIApi, Say, say
from wyoming_openai.app.build import Components, build
from wyoming_openai.app.service import serving
from wyoming_openai.messages import Utterance
from wyoming_openai.settings.options import Settings
from wyoming_openai.settings.reader import Configuration, read_settings

Options = dict[str, Any]


def settings_of(folder: Path, **options: Any) -> Settings:
    """Settings from a file."""
    file = folder / "wyoming.yaml"
    file.write_text(yaml.safe_dump({"admin-uri": "off", "data-dir": str(folder), **options}))
    return read_settings({"config": str(file)}, {})


def house_and_mario(folder: Path, **mario: Any) -> Components:
    agents = [{"name": "House"}, {"name": "Mario", "persona": "super_mario", **mario}]
    return build(settings_of(folder, agents=agents))


def echo(body: Options) -> Say:
    """Repeats the agent's prompt and all that was said to it before."""
    words = " ".join(str(message["content"]) for message in body["messages"] if message["role"] != "system")
    name = re.search(r"You are (\w+)\.", str(body["messages"][0]["content"]))
    assert name
    return say(f"I am {name[1]} and heard: {words.replace('.', '')}.")


@asynccontextmanager
async def client(path: Path) -> AsyncIterator[AsyncUnixClient]:
    async with AsyncUnixClient(path) as connected:
        yield connected


async def ask(path: Path, text: str, conversation: str) -> str:
    """One question on a connection of its own, as Home Assistant asks."""
    async with client(path) as connected:
        context = {"conversation_id": conversation, "device_id": "same-device"}
        await connected.write_event(Transcript(text, language="en", context=context).event())
        while (event := await connected.read_event()) is not None:
            if Handled.is_type(event.type):
                return Handled.from_event(event).text or ""
            assert event.type != "not-handled", event.data
    raise AssertionError("no answer")


async def test_ten_agents_and_fifty_turns_at_once_do_not_mix(tmp_path: Path, api: OpenAIApi) -> None:
    names = [f"Agent{number}" for number in range(10)]
    sockets = {name: tmp_path / f"{name}.sock" for name in names}
    agents = [{"name": name, "uri": f"unix://{sockets[name]}", "prompt": f"You are {name}."} for name in names]
    api.answers = echo
    settings = settings_of(tmp_path, agents=agents, openai_base_url=api.url, context_tokens=0, speak_seconds=300)

    async def talk(name: str) -> list[str]:
        """Five turns of one conversation, whose id and device are those of all the others."""
        return [await ask(sockets[name], f"{name} turn {turn}", "same-conversation") for turn in range(5)]

    async with serving(Configuration(settings)):
        talks = await asyncio.gather(*map(talk, names))
    for name, answers in zip(names, talks, strict=True):
        assert len(answers) == 5
        for number, answer in enumerate(answers):
            assert answer.startswith(f"I am {name} and heard: ")
            assert set(re.findall(r"Agent\d", answer)) == {name}
            assert set(re.findall(r"turn (\d)", answer)) == set(map(str, range(number + 1)))


async def test_fifty_questions_in_one_moment_are_all_answered(tmp_path: Path, api: OpenAIApi) -> None:
    names = [f"Agent{number}" for number in range(10)]
    sockets = {name: tmp_path / f"{name}.sock" for name in names}
    agents = [{"name": name, "uri": f"unix://{sockets[name]}", "prompt": f"You are {name}."} for name in names]
    api.answers = echo
    settings = settings_of(tmp_path, agents=agents, openai_base_url=api.url, context_tokens=0)
    asked = [(name, f"{name} question {number}") for name in names for number in range(5)]
    async with serving(Configuration(settings)):
        answers = await asyncio.gather(*(ask(sockets[name], text, text) for name, text in asked))
    assert answers == [f"I am {name} and heard: {text}." for name, text in asked]


async def test_each_agent_tells_its_own_name_and_model(tmp_path: Path, api: OpenAIApi) -> None:
    agents = [
        {"name": name, "uri": f"unix://{tmp_path}/{name}", "model": f"model-of-{name}"} for name in ("House", "Mario")
    ]
    async with serving(Configuration(settings_of(tmp_path, agents=agents, openai_base_url=api.url))):
        for name in ("House", "Mario"):
            async with client(tmp_path / name) as connected:
                await connected.write_event(Describe().event())
                event = await connected.read_event()
                assert event is not None
                (program,) = Info.from_event(event).handle
                assert (program.name, program.models[0].name) == (name, f"model-of-{name}")


async def test_a_bound_device_is_answered_by_its_agent_wherever_it_knocks(tmp_path: Path) -> None:
    parts = house_and_mario(tmp_path, devices=["hall phone"])
    (phone,) = demo_phone_ids(parts)
    house, mario = parts.agents
    assert parts.agents.answering(house, Utterance("hi", device_id=phone)) is mario
    assert parts.agents.answering(house, Utterance("hi", device_id="other")) is house
    assert parts.agents.answering(house, Utterance("hi")) is house


async def test_an_agent_with_an_address_answers_everybody_there(tmp_path: Path) -> None:
    parts = house_and_mario(tmp_path, uri="tcp://127.0.0.1:10801")
    house, mario = parts.agents
    assert parts.agents.answering(mario, Utterance("hi", device_id="other")) is mario
    assert parts.agents.first is house


async def test_the_agent_for_everybody_is_the_first_that_is_not_bound(tmp_path: Path) -> None:
    agents = [{"name": "Mario", "devices": "Hall phone"}, {"name": "House", "uri": "tcp://127.0.0.1:10801"}]
    parts = build(settings_of(tmp_path, agents=agents))
    assert parts.agents.first.name == "House"


async def test_agents_that_differ_in_words_only_share_a_model(tmp_path: Path) -> None:
    agents = [
        {"name": "A"},
        {"name": "B", "uri": "tcp://127.0.0.1:1"},
        {"name": "C", "uri": "tcp://127.0.0.1:2", "model": "x"},
    ]
    parts = build(settings_of(tmp_path, agents=agents, openai_base_url="http://127.0.0.1:9/v1"))
    assert len(parts.models) == 2


async def test_when_one_address_is_taken_the_others_are_given_back(tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("not a socket")
    agents = [{"name": "A", "uri": f"unix://{tmp_path}/a"}, {"name": "B", "uri": f"unix://{blocker}"}]
    async with AsyncExitStack() as stack:
        with pytest.raises(Exception, match="Can't listen"):
            await stack.enter_async_context(serving(Configuration(settings_of(tmp_path, agents=agents))))
    assert not (tmp_path / "a").exists()


def demo_phone_ids(parts: Components) -> list[str]:
    assert parts.mirror.home is not None
    return [device.id for device in parts.mirror.home.registries.devices.values() if device.name == "Hall phone"]
