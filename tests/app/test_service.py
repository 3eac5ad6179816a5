"""The whole program in one process: settings change while it answers, models fall back, money is counted."""

import asyncio
import re
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from wyoming.asr import Transcript
from wyoming.client import AsyncTcpClient, AsyncUnixClient
from wyoming.info import Describe, Info

from tests.fakes.home_assistant import FakeHomeAssistant
from tests.fakes.openai_api import HangUp, OpenAIApi, Raw, say
from wyoming_openai.app.doctor import check
from wyoming_openai.app.service import Service, serving
from wyoming_openai.settings.options import BadSettings
from wyoming_openai.settings.reader import Configuration, read_configuration
from wyoming_openai.settings.saved import SAVED
from wyoming_openai.usage.prices import NANO

LAMPS = "how many lights are on?"


def configured(folder: Path, environment: dict[str, str] | None = None, **options: Any) -> Configuration:
    """The options of a file, as the program reads them at its start."""
    file = folder / "wyoming.yaml"
    given = {"uri": f"unix://{folder}/socket", "admin-uri": "off", "data-dir": str(folder / "data"), **options}
    file.write_text(yaml.safe_dump(given))
    return read_configuration({"config": str(file)}, environment or {})


async def ask(path: Path, text: str, conversation: str = "talk") -> str:
    """A question on a connection of its own, as Home Assistant asks."""
    async with AsyncUnixClient(path) as client:
        context = {"conversation_id": conversation, "device_id": "device"}
        await client.write_event(Transcript(text, language="en", context=context).event())
        while (event := await client.read_event()) is not None:
            if event.type in ("handled", "not-handled"):
                return str(event.data["text"])
    raise AssertionError("no answer")


async def name_at(client: AsyncUnixClient | AsyncTcpClient) -> str:
    async with client:
        await client.write_event(Describe().event())
        event = await client.read_event()
        assert event is not None
        return Info.from_event(event).handle[0].name


@asynccontextmanager
async def program(folder: Path, **options: Any) -> AsyncIterator[Service]:
    async with serving(configured(folder, **options)) as service:
        yield service


# ---- changing settings


async def test_a_prompt_is_used_from_the_next_question_on_and_the_talk_goes_on(tmp_path: Path, api: OpenAIApi) -> None:
    async with program(tmp_path, openai_base_url=api.url, api="chat", prompt="Be kind.") as service:
        api.will(say("One."), say("Two."))
        await service._following["warming"]  # has a connection of its own while it is at it
        await ask(tmp_path / "socket", "First?")
        await service.save({"prompt": "Be stern."})
        await ask(tmp_path / "socket", "Second?")
    before, after = (str(body["messages"]) for body in api.bodies)
    assert "Be kind." in before
    assert "Be stern." in after
    assert "First?" in after, "the conversation lives on"
    assert len({seen.port for seen in api.requests}) == 1, "and so does the connection"


async def test_home_assistant_is_no_stranger_after_a_change_of_settings(tmp_path: Path) -> None:
    async with FakeHomeAssistant() as hass:
        reach = {"hass-url": hass.url, "hass-token": hass.token}
        async with program(tmp_path, uri="tcp://127.0.0.1:0", allow=["10.0.0.0/8"], **reach) as service:
            port = service.listeners[0].port
            assert port is not None
            await service.parts.mirror.wait_fresh(10)
            for name in ("House", "Home"):
                await service.save({"name": name})
                assert await name_at(AsyncTcpClient("127.0.0.1", port)) == name


async def test_what_was_saved_is_there_after_a_restart_and_can_be_taken_back(tmp_path: Path) -> None:
    async with program(tmp_path, name="House") as service:
        await service.save({"name": "Palace", "temperature": 1.5})
        await service.save({"temperature": None})
    again = configured(tmp_path, name="House")
    assert (again.settings.name, again.settings.temperature) == ("Palace", 0.5)
    assert again.sources()["name"] == str(tmp_path / "data" / SAVED)
    assert stat.S_IMODE((tmp_path / "data" / SAVED).stat().st_mode) == 0o600


async def test_a_wrong_value_changes_nothing(tmp_path: Path) -> None:
    async with program(tmp_path, name="House") as service:
        with pytest.raises(BadSettings, match="temperature: 9 is not accepted"):
            await service.save({"name": "Palace", "temperature": 9})
        assert service.parts.settings.name == "House"
    assert not (tmp_path / "data" / SAVED).exists()


async def test_an_address_changes_while_it_runs(tmp_path: Path) -> None:
    async with program(tmp_path) as service:
        await service.save({"uri": f"unix://{tmp_path}/elsewhere", "name": "Moved"})
        assert await name_at(AsyncUnixClient(tmp_path / "elsewhere")) == "Moved"
        while (tmp_path / "socket").exists():
            await asyncio.to_thread(lambda: None)


async def test_an_address_that_is_taken_is_refused_and_the_old_one_stays(tmp_path: Path) -> None:
    taken = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = taken.sockets[0].getsockname()[1]
    async with program(tmp_path, name="House") as service:
        with pytest.raises(BadSettings, match=f"uri: Can't listen on tcp://127.0.0.1:{port}"):
            await service.save({"uri": f"tcp://127.0.0.1:{port}", "name": "Moved"})
        assert await name_at(AsyncUnixClient(tmp_path / "socket")) == "House"
    taken.close()


async def test_a_home_is_connected_while_it_runs(tmp_path: Path) -> None:
    async with FakeHomeAssistant() as hass, program(tmp_path) as service:
        at_first = service.parts.mirror.home
        settings = hass.settings
        await service.save({"hass_url": settings.url, "hass_token": settings.token})
        assert service.parts.mirror.fresh
        assert service.parts.mirror.home != at_first
        assert hass.settings.token not in repr(service.configuration), "a secret"


async def test_a_key_that_is_set_makes_the_model_answer(tmp_path: Path, api: OpenAIApi) -> None:
    async with program(tmp_path) as service:
        assert "model" not in await ask(tmp_path / "socket", LAMPS)
        await service.save({"openai_api_key": "sk-new", "openai_base_url": api.url})
        api.lasting = say("Says the model.")
        assert await ask(tmp_path / "socket", LAMPS) == "Says the model."
    assert api.requests[0].headers["Authorization"] == "Bearer sk-new"


async def test_one_of_several_agents_is_changed_alone(tmp_path: Path, api: OpenAIApi) -> None:
    agents = [{"name": "House", "prompt": "I am House."}, {"name": "Mario", "uri": f"unix://{tmp_path}/mario"}]
    async with program(tmp_path, agents=agents, openai_base_url=api.url, api="chat") as service:
        api.lasting = say("OK.")
        await service.save({"prompt": "I am Mario."}, "Mario")
        await ask(tmp_path / "socket", "Hello?")
        await ask(tmp_path / "mario", "Hello?")
    house, mario = (str(body["messages"]) for body in api.bodies)
    assert "I am House." in house
    assert "I am Mario." in mario
    assert "I am House." not in mario


async def test_what_a_variable_sets_is_not_for_the_page(tmp_path: Path) -> None:
    configuration = configured(tmp_path, {"WYOMING_OPENAI_MODEL": "from-outside"})
    assert {"model", "data_dir"} <= configuration.fixed
    assert configuration.changed({"model": "other"}).settings.model == "from-outside"


async def test_a_folder_that_can_not_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file is in the way")
    async with program(tmp_path, name="House") as service:
        with pytest.raises(BadSettings, match="name: is in use until the next start, but can't be kept"):
            await service.save({"name": "Palace"})
        assert await name_at(AsyncUnixClient(tmp_path / "socket")) == "Palace"


@pytest.mark.parametrize("damage", ["{", "- a list", "agents: 7", "agents: {House: text}", "\xff\xfe"])
def test_a_damaged_file_is_set_aside_and_said(tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / SAVED).write_bytes(damage.encode("latin-1"))
    assert configured(tmp_path).settings.name == "OpenAI"
    assert "set aside" in caplog.text
    (aside,) = folder.glob(f"{SAVED}.corrupt-*")
    assert aside.read_bytes() == damage.encode("latin-1")


async def test_a_password_is_kept_as_its_hash(tmp_path: Path) -> None:
    async with program(tmp_path) as service:
        with pytest.raises(BadSettings, match="admin_password: write a password of 8"):
            await service.save({"admin_password": "short"})
        await service.save({"admin_password": "correct horse"})
    text = (tmp_path / "data" / SAVED).read_text()
    assert "scrypt$" in text
    assert "horse" not in text


async def test_the_page_is_not_opened_to_the_network_without_a_password(tmp_path: Path) -> None:
    async with program(tmp_path) as service:
        with pytest.raises(BadSettings, match="admin_uri: the page would be open to everybody"):
            await service.save({"admin_uri": "http://0.0.0.0:0"})


# ---- models and money


async def test_a_fallback_answers_where_the_model_does_not(tmp_path: Path, api: OpenAIApi, other: OpenAIApi) -> None:
    api.lasting, other.lasting = HangUp(), say("The second one speaks.")
    fallbacks = [{"model": "second", "openai-base-url": other.url}]
    options = {"openai_base_url": api.url, "openai_api_key": "sk-for-the-first", "fallbacks": fallbacks}
    async with program(tmp_path, **options) as service:
        assert await ask(tmp_path / "socket", "Who was Ada?") == "The second one speaks."
        totals = {total.key: total for total in service.parts.ledger.totals("model")}
    assert "sk-for-the-first" not in str(other.requests[0].headers), "a key goes to its own server only"
    assert totals["second"].calls == 1
    assert sum(total.questions for total in totals.values()) == 1, "one question, however many calls"


async def test_the_doctor_asks_every_model(
    tmp_path: Path, api: OpenAIApi, other: OpenAIApi, capsys: pytest.CaptureFixture[str]
) -> None:
    api.lasting = Raw([b"no"], status=401)
    fallbacks = [{"model": "second", "openai-base-url": other.url}]
    assert not await check(configured(tmp_path, openai_base_url=api.url, model="first", fallbacks=fallbacks).settings)
    text = capsys.readouterr().out
    assert "✗ Model: first: " in text
    assert "✓ Model: second answers" in text


async def test_after_all_models_the_local_engine_answers(tmp_path: Path, api: OpenAIApi) -> None:
    api.lasting = Raw([b"oops"], status=500)
    async with program(tmp_path, openai_base_url=api.url, fallbacks=[{"model": "second"}]):
        assert (await ask(tmp_path / "socket", LAMPS)).isdigit()
    assert {body["model"] for body in api.bodies} >= {"second"}


async def test_a_spent_budget_is_said_once_and_the_local_engine_goes_on(tmp_path: Path, api: OpenAIApi) -> None:
    prices = {"dear": {"input": 1000, "output": 1000}}
    async with program(tmp_path, openai_base_url=api.url, model="dear", prices=prices, budget_day=0.01) as service:
        first = await ask(tmp_path / "socket", LAMPS)
        second = await ask(tmp_path / "socket", LAMPS)
        assert service.parts.ledger.spent()["all"].day <= 0.01 * NANO
    assert first.endswith(second)
    assert len(first) > len(second)
    assert not api.requests


async def test_a_spent_budget_leaves_what_costs_nothing(tmp_path: Path, api: OpenAIApi) -> None:
    api.lasting = say("For nothing.")
    prices = {"dear": 1000, "free": 0}
    options = {"openai_base_url": api.url, "model": "dear", "prices": prices, "fallbacks": [{"model": "free"}]}
    async with program(tmp_path, budget_day=0.01, **options):
        assert await ask(tmp_path / "socket", LAMPS) == "For nothing."
    assert [body["model"] for body in api.bodies] == ["free"]


async def test_an_agent_has_a_budget_of_its_own(tmp_path: Path, api: OpenAIApi) -> None:
    api.lasting = say("Model.")
    agents = [
        {"name": "House"},
        {"name": "Mario", "uri": f"unix://{tmp_path}/mario", "budget-agent-day": 0.000001},
    ]
    async with program(tmp_path, agents=agents, openai_base_url=api.url, model="sold", prices={"sold": 0.01}):
        assert await ask(tmp_path / "socket", LAMPS) == "Model."
        assert "Model." not in await ask(tmp_path / "mario", LAMPS)


async def test_a_device_has_a_budget_of_its_own(tmp_path: Path, api: OpenAIApi) -> None:
    api.lasting = say("Model.")
    prices = {"sold": 0.01}
    async with program(
        tmp_path, openai_base_url=api.url, model="sold", prices=prices, budget_device_day=0.000001
    ) as service:
        assert "Model." not in await ask(tmp_path / "socket", LAMPS)
        await service.save({"budget_device_day": "off"})
        assert await ask(tmp_path / "socket", LAMPS) == "Model."


# ---- who may ask


async def test_only_networks_on_the_list_are_let_in(tmp_path: Path) -> None:
    async with program(tmp_path, uri="tcp://127.0.0.1:0", allow=["127.0.0.1"]) as service:
        (listener,) = service.listeners
        assert listener.port
        assert await name_at(AsyncTcpClient("127.0.0.1", listener.port)) == "OpenAI"
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port, local_addr=("127.0.0.2", 0))
        assert await reader.read() == b""
        writer.close()
        await service.save({"allow": "127.0.0.0/8"})
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port, local_addr=("127.0.0.2", 0))
        writer.write(Describe().event().to_dict() and b'{"type": "describe"}\n')
        assert b"info" in await reader.readline()
        writer.close()


# ---- the page


async def page_of(caplog: pytest.LogCaptureFixture, after: int = 0) -> str:
    """Where the page is by now."""
    while not (found := re.findall(r"The admin page: (\S+)/", caplog.text)[after:]):
        await asyncio.to_thread(lambda: None)
    return str(found[-1])


async def test_the_page_changes_the_running_program(
    tmp_path: Path, api: OpenAIApi, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    options = {"admin-uri": "http://127.0.0.1:0", "openai_base_url": api.url, "model": "first"}
    async with (
        program(tmp_path, **options),
        aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser,
    ):
        url = await page_of(caplog)
        async with browser.get(f"{url}/options") as answer:
            assert answer.status == 200
        async with browser.get(f"{url}/api/session") as answer:
            headers = {"X-Token": (await answer.json())["token"]}
        async with browser.patch(f"{url}/api/options", json={"model": "second"}, headers=headers) as answer:
            assert answer.status == 200
        await ask(tmp_path / "socket", "Who was Ada?")
        async with browser.get(f"{url}/api/turns") as answer:
            (turn,) = (await answer.json())["turns"]
        assert (turn["question"], turn["model"]) == ("Who was Ada?", "second")
        async with browser.patch(f"{url}/api/options", json={"admin_password": "long enough"}, headers=headers):
            url = await page_of(caplog, after=1)
        async with browser.get(f"{url}/api/turns") as answer:
            assert answer.status == 401
    assert api.bodies[-1]["model"] == "second"


async def test_the_page_tries_the_model_that_was_typed(
    tmp_path: Path, api: OpenAIApi, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    jar = aiohttp.CookieJar(unsafe=True)
    options = {"admin-uri": "http://127.0.0.1:0", "model": "in-use"}
    async with program(tmp_path, **options), aiohttp.ClientSession(cookie_jar=jar) as browser:
        url = await page_of(caplog)
        async with browser.get(f"{url}/setup"):
            pass
        async with browser.get(f"{url}/api/session") as answer:
            headers = {"X-Token": (await answer.json())["token"]}
        typed = {"openai_base_url": api.url, "model": "typed"}
        async with browser.post(f"{url}/api/test/model", json=typed, headers=headers) as answer:
            assert "typed answers" in (await answer.json())["text"]
        async with browser.post(f"{url}/api/test/model", json={"openai_base_url": api.url}, headers=headers) as answer:
            assert "in-use answers" in (await answer.json())["text"]
    assert [body["model"] for body in api.bodies] == ["typed", "in-use"]


async def test_the_page_says_that_a_fallback_answers(
    tmp_path: Path, api: OpenAIApi, other: OpenAIApi, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    api.lasting, other.lasting = HangUp(), say("Here.")
    options = {"openai_base_url": api.url, "model": "first", "admin-uri": "http://127.0.0.1:0"}
    fallbacks = [{"model": "second", "openai-base-url": other.url}]
    async with program(tmp_path, fallbacks=fallbacks, **options), aiohttp.ClientSession() as browser:
        await ask(tmp_path / "socket", "Who was Ada?")
        async with browser.get(f"{await page_of(caplog)}/api/status") as answer:
            connections = (await answer.json())["connections"]
    assert any("first did not answer last; second did" in each["text"] for each in connections)
