"""One websocket: commands, subscriptions, garbage, silence, and a death that everybody hears of."""

import asyncio
import json
import logging
from dataclasses import replace
from typing import Any

import pytest

from tests.fakes.home_assistant import FakeHomeAssistant
from wyoming_openai.hass import login
from wyoming_openai.hass.connection import (
    AT_ONCE,
    READS,
    CommandFailed,
    Connection,
    ConnectionLost,
    MessageTooBig,
    Timing,
    WarningThrottle,
)
from wyoming_openai.hass.fetch import all_of

PATIENT = Timing(ping_every=3600)


async def lost(connection: Connection) -> Exception:
    """Wait for the connection's death and give its cause."""
    dead = asyncio.Event()
    connection.on_lost = dead.set
    await dead.wait()
    with pytest.raises(ConnectionLost) as caught:
        connection.raise_if_lost()
    return caught.value


async def test_result_of_a_command(hass: FakeHomeAssistant) -> None:
    async with Connection.open(hass.settings) as connection:
        assert connection.version == "2026.11.0"
        assert (await connection.command("get_config"))["location_name"] == "Test Home"


async def test_many_commands_at_once_get_their_own_answers(hass: FakeHomeAssistant) -> None:
    async with Connection.open(hass.settings) as connection:
        commands = ["config/area_registry/list", "get_config", "config/floor_registry/list", "ping"] * 20
        results = await asyncio.gather(*(connection.command(command) for command in commands))
    assert results == [hass.home.get(command) for command in commands]


async def test_refused_command_says_why(hass: FakeHomeAssistant) -> None:
    hass.refuse["get_config"] = "home_assistant_error"
    async with Connection.open(hass.settings) as connection:
        with pytest.raises(CommandFailed, match="get_config: refused") as caught:
            await connection.command("get_config")
        assert caught.value.code == "home_assistant_error"


async def test_event_arriving_with_its_result_is_kept(hass: FakeHomeAssistant) -> None:
    events: list[Any] = []
    async with Connection.open(hass.settings) as connection:
        await connection.subscribe("subscribe_entities", events.append)
        await connection.command("ping")
    assert events == [{"a": hass.states}]


async def test_handler_is_not_called_after_unsubscribing(hass: FakeHomeAssistant) -> None:
    events: list[Any] = []
    async with Connection.open(hass.settings) as connection:
        number = await connection.subscribe("subscribe_events", events.append, event_type="area_registry_updated")
        hass.fire("area_registry_updated", {})
        await connection.command("ping")
        await connection.unsubscribe(number)
        hass.fire("area_registry_updated", {})
        await connection.command("ping")
    assert len(events) == 1


async def test_others_get_a_turn_in_the_midst_of_a_long_bunch(hass: FakeHomeAssistant) -> None:
    events: list[Any] = []
    first = asyncio.Event()

    def take(event: Any) -> None:
        events.append(event)
        first.set()

    async def look() -> int:
        await first.wait()
        return len(events)

    async with Connection.open(hass.settings) as connection:
        number = await connection.subscribe("subscribe_events", take, event_type="x")
        looking = asyncio.create_task(look())
        bunch = [{"id": number, "type": "event", "event": each} for each in range(3 * AT_ONCE)]
        hass.push(json.dumps(bunch))
        await connection.command("ping")
    assert await looking < len(events)
    assert events == list(range(3 * AT_ONCE))


async def test_messages_joined_in_a_list_are_taken_one_by_one(hass: FakeHomeAssistant) -> None:
    events: list[Any] = []
    async with Connection.open(hass.settings) as connection:
        number = await connection.subscribe("subscribe_entities", events.append)
        await connection.command("ping")
        events.clear()
        messages = (f'{{"id":{number},"type":"event","event":{each}}}' for each in range(5))
        hass.push(f"[{','.join(messages)}]")
        await connection.command("ping")
    assert events == [0, 1, 2, 3, 4]


async def test_first_event_is_given_and_the_subscription_ended(hass: FakeHomeAssistant) -> None:
    async with Connection.open(hass.settings) as connection:
        assert await connection.first_event("subscribe_entities") == {"a": hass.states}
        await connection.command("ping")
        assert hass.clients[0].subscriptions == {}


async def test_warnings_are_not_taken_for_the_result_of_a_template(hass: FakeHomeAssistant) -> None:
    async with Connection.open(hass.settings) as connection:
        assert await connection.render_template("{{ 1 }}", {"x": 1}) == "{{ 1 }}"
        await connection.command("ping")
        assert hass.clients[0].subscriptions == {}


async def test_template_is_followed_until_unsubscribed(hass: FakeHomeAssistant) -> None:
    results: list[Any] = []
    async with Connection.open(hass.settings) as connection:
        number = await connection.follow_template("{{ 1 }}", {}, results.append)
        for event in ({"result": 2}, None, {"error": "x", "level": "ERROR"}, {"result": 3}):
            hass.push_event(event, "render_template")
        await connection.command("ping")
        await connection.unsubscribe(number)
        hass.push_event({"result": 4}, "render_template")
        await connection.command("ping")
    assert results == ["{{ 1 }}", 2, 3]


async def test_events_after_the_wanted_one_go_to_the_handler(hass: FakeHomeAssistant) -> None:
    events: list[Any] = []
    async with Connection.open(hass.settings) as connection:
        _, first = await connection.follow("subscribe_entities", lambda event: "a" in event, events.append, timeout=5)
        hass.set_state("light.kitchen_lights", "off")
        await connection.command("ping")
    assert "light.kitchen_lights" in first["a"]
    assert [list(event) for event in events] == [["c"]]


async def test_command_without_an_answer_fails_in_its_time(hass: FakeHomeAssistant) -> None:
    hass.ignore.add("get_config")
    async with Connection.open(hass.settings) as connection:
        with pytest.raises(CommandFailed) as caught:
            await connection.command("get_config", timeout=0.01)
        assert caught.value.code == "timeout"
        assert await connection.command("config/area_registry/list")


async def test_waiting_commands_fail_with_the_first_cause(hass: FakeHomeAssistant) -> None:
    hass.ignore |= {"get_config", "repairs/list_issues"}
    async with Connection.open(hass.settings, timing=PATIENT) as connection:
        waiting = [asyncio.create_task(connection.command(each)) for each in ("get_config", "repairs/list_issues")]
        first = asyncio.create_task(connection.follow("subscribe_entities", lambda _: False, print, timeout=10))
        await connection.command("ping")
        hass.drop()
        errors = await asyncio.gather(*waiting, first, return_exceptions=True)
        assert {type(error) for error in errors} == {ConnectionLost}
        assert {str(error) for error in errors} == {"The connection to Home Assistant broke"}
        with pytest.raises(ConnectionLost, match="broke"):
            await connection.command("get_config")


async def test_waiting_commands_fail_when_the_block_is_left(hass: FakeHomeAssistant) -> None:
    hass.ignore.add("get_config")
    async with Connection.open(hass.settings) as connection:
        waiting = asyncio.create_task(connection.command("get_config"))
        await connection.command("ping")
    with pytest.raises(ConnectionLost, match="was closed"):
        await waiting


async def test_command_given_up_by_its_caller_leaves_nothing_behind(hass: FakeHomeAssistant) -> None:
    hass.ignore.add("get_config")
    async with Connection.open(hass.settings) as connection:
        waiting = asyncio.create_task(connection.command("get_config"))
        await connection.command("ping")
        waiting.cancel()
        await asyncio.wait([waiting])
        assert connection._waiting == {}
        hass.drop()
        await lost(connection)


async def test_silence_is_noticed(hass: FakeHomeAssistant) -> None:
    hass.ignore.add("ping")
    async with Connection.open(hass.settings, timing=Timing(ping_every=0.01, ping_answer=0.01)) as connection:
        assert "does not answer" in str(await lost(connection))


async def test_ping_stands_in_line_behind_what_was_asked_before(hass: FakeHomeAssistant) -> None:
    hass.ignore |= {"ping", "get_config"}
    async with Connection.open(hass.settings, timing=Timing(ping_every=0.01, ping_answer=0.01)) as connection:
        with pytest.raises(CommandFailed):  # it would be the loss of the connection, were the ping not patient
            await connection.command("get_config", timeout=0.1)
        assert "does not answer" in str(await lost(connection))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "this is not JSON {",
        "42",
        "null",
        '"hello"',
        "[1, 2, null]",
        "[]",
        '{"type":"event","event":{}}',
        '{"id":1}',
        '{"id":"1","type":"result","success":true,"result":null}',
        '{"id":true,"type":"result","success":true,"result":null}',
        '{"id":null,"type":"result","success":false}',
        '{"id":99999999,"type":"result","success":true,"result":{}}',
        '{"id":-3,"type":"event","event":{"a":{}}}',
        '{"id":1,"type":"surprise"}',
        '{"id":1,"type":"result","success":true,"result":"again"}',
        '{"id":1,"type":"result","success":false}',
        '{"type":"auth_required","ha_version":"1"}',
        '{"id":2,"type":"event","event":"\\ud800"}',
        "[" * 3000,
        '{"id":2,"type":"event","event":NaN}',
    ],
)
async def test_garbage_is_skipped(hass: FakeHomeAssistant, text: str) -> None:
    async with Connection.open(hass.settings) as connection:
        hass.push(text)
        assert await connection.command("config/area_registry/list") == hass.home["config/area_registry/list"]


async def test_unreadable_message_is_reported(hass: FakeHomeAssistant) -> None:
    seen: list[bool] = []
    async with Connection.open(hass.settings) as connection:
        connection.on_unreadable = lambda: seen.append(True)
        hass.push("{")
        await connection.command("ping")
    assert seen == [True]


async def test_garbage_is_warned_of_once(hass: FakeHomeAssistant, caplog: pytest.LogCaptureFixture) -> None:
    complaints = WarningThrottle()
    async with Connection.open(hass.settings, warnings=complaints) as connection:
        for _ in range(100):
            hass.push("42")
        await connection.command("ping")
    assert complaints.counts.total() == 100
    assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) == 1


@pytest.mark.parametrize("success", [True, False])
async def test_answer_that_comes_twice_counts_once(hass: FakeHomeAssistant, success: bool) -> None:
    async with Connection.open(hass.settings) as connection:
        await connection.command("ping")
        for number in (1, 2):
            hass.push(f'{{"id":{number},"type":"result","success":{str(success).lower()},"result":1}}')
        assert await connection.command("config/area_registry/list") == hass.home["config/area_registry/list"]


async def test_numbers_out_of_step_end_the_connection(hass: FakeHomeAssistant) -> None:
    hass.refuse["get_config"] = "id_reuse"
    async with Connection.open(hass.settings) as connection:
        with pytest.raises(ConnectionLost, match="count"):
            await connection.command("get_config")


async def test_message_over_the_limit_ends_the_connection(
    hass: FakeHomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login, "MAX_MESSAGE", 10_000)
    async with Connection.open(hass.settings) as connection:
        hass.push('"%s"' % ("y" * 20_000))
        assert isinstance(await lost(connection), MessageTooBig)


async def test_handler_that_fails_ends_the_connection_with_its_error(hass: FakeHomeAssistant) -> None:
    def fail(event: Any) -> None:
        raise ZeroDivisionError

    async with Connection.open(hass.settings) as connection:
        await connection.subscribe("subscribe_entities", fail)
        with pytest.raises(ConnectionLost, match="ZeroDivisionError"):
            await connection.command("ping")
        with pytest.raises(ZeroDivisionError):
            connection.raise_if_lost()


@pytest.mark.parametrize(
    "command",
    ["call_service", "config/entity_registry/update", "auth/long_lived_access_token", "execute_script", "fire_event"],
)
async def test_commands_that_change_something_are_never_sent(hass: FakeHomeAssistant, command: str) -> None:
    async with Connection.open(hass.settings) as connection:
        with pytest.raises(ValueError, match="not on the list"):
            await connection.command(command)
    assert hass.count(command) == 0


def test_list_of_commands_holds_only_reads() -> None:
    harmless = {"ping", "supported_features", "unsubscribe_events", "render_template", "auth/current_user"}
    reading: tuple[str, ...] = (
        "list",
        "get",
        "get_config",
        "get_events",
        "get_entries",
        "get_translations",
        "source",
        "list_issues",
    )
    reading += ("history_during_period", "list_statistic_ids", "statistics_during_period")
    for command in READS - harmless:
        verb = command.rpartition("/")[2]
        assert verb in reading or verb.startswith("subscribe"), command


async def test_connections_without_joined_messages_work(hass: FakeHomeAssistant) -> None:
    hass.refuse["supported_features"] = "unknown_command"
    async with Connection.open(hass.settings) as connection:
        assert await connection.command("get_config")


async def test_neither_token_nor_home_is_in_the_log(hass: FakeHomeAssistant, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    hass.token = "secret-token"
    hass.set_state("sensor.diary", "secret-state", friendly_name="secret-name")
    settings = replace(hass.settings, url=hass.url.replace("//", "//user:secret-password@"))
    async with Connection.open(settings, warnings=WarningThrottle()) as connection:
        await connection.first_event("subscribe_entities")
        hass.push('"secret-garbage"')
        hass.push('{"id":1,"type":"secret-type"}')
        await connection.command("ping")
    assert "secret" not in caplog.text
    assert "secret" not in repr(settings).replace("secret-password", "")


async def test_cancelling_commands_of_which_one_has_just_failed_is_not_lost() -> None:
    failed = asyncio.Event()

    async def fails() -> None:
        await asyncio.sleep(0)
        raise ConnectionLost("broken")

    async def ends_slowly() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            failed.set()
            await asyncio.sleep(0)

    asking = asyncio.create_task(all_of(fails(), ends_slowly()))
    await failed.wait()
    asking.cancel()
    await asyncio.wait([asking])
    assert asking.cancelled()
