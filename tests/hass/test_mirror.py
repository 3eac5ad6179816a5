"""The mirror: whole or absent, fresh or said not to be, and equal to the home whatever happens when."""

import asyncio
import gc
import logging
import random
import weakref
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

import pytest

from tests.fakes.home_assistant import FakeHomeAssistant, small_home
from wyoming_openai.hass.connection import (
    CannotConnect,
    CommandFailed,
    ConnectionLost,
    HassSettings,
    InvalidAuth,
    MessageTooBig,
    Timing,
)
from wyoming_openai.hass.errors import HomeUnavailable
from wyoming_openai.hass.home import Home, Registries
from wyoming_openai.hass.mirror import FixedMirror, HomeMirror, Phase, Retries, capture, probe
from wyoming_openai.hass.snapshot import home_from_results

HASTE = Timing(
    connect=5,
    gather=0,
    refresh_every=0,
    reload_every=0,
    ping_every=3600,
    retry_first=0,
    retry_limit=0,
    refused_once=0,
    refused_again=0,
    slow_every=3600,
    starting_every=0.01,
)
NEVER_AGAIN = replace(HASTE, refresh_every=3600)
LAMP = "light.ceiling_lights"


@asynccontextmanager
async def running(hass: FakeHomeAssistant, timing: Timing = HASTE) -> AsyncIterator[HomeMirror]:
    """A mirror at work; not necessarily with a home yet."""
    mirror = HomeMirror(hass.settings, timing=timing)
    task = asyncio.create_task(mirror.run())
    try:
        yield mirror
    finally:
        task.cancel()
        await asyncio.wait([task])


@asynccontextmanager
async def mirrored(hass: FakeHomeAssistant, timing: Timing = HASTE) -> AsyncIterator[HomeMirror]:
    """A mirror with a fresh home."""
    async with running(hass, timing) as mirror:
        assert await mirror.wait_fresh(10)
        yield mirror


def home_of(mirror: HomeMirror) -> Home:
    assert mirror.home is not None
    return mirror.home


async def until(mirror: HomeMirror, holds: Callable[[], bool]) -> None:
    """Let the mirror work until this holds; the time limit of the test is the only one."""
    while not holds():
        await asyncio.sleep(0.002)  # the mirror's turn, and the machine's
        with suppress(HomeUnavailable):
            await mirror.command("ping")  # everything sent before has been taken in when it is answered


async def caught_up(mirror: HomeMirror) -> None:
    """What was sent has been taken in, and what it asked for was asked for and answered."""
    for _ in range(5):
        await mirror.command("ping")


def picture(home: Home) -> dict[str, Any]:
    """All that a home holds, so that two can be compared."""
    registries = home.registries
    return {
        "states": dict(home.states),
        "config": home.config,
        "floors": registries.floors,
        "areas": registries.areas,
        "labels": registries.labels,
        "devices": registries.devices,
        "config_entries": registries.config_entries,
        "sources": registries.sources,
        "exposed": registries.exposed,
        # Aliases of what nobody may name are not fetched at first.
        "entities": {
            key: entity if key in registries.exposed else replace(entity, aliases=())
            for key, entity in registries.entities.items()
        },
        "order": [list(home.states), list(registries.entities), list(registries.areas)],
        "issues": home.issues,
        "translations": home.translations,
    }


def truth(hass: FakeHomeAssistant) -> dict[str, Any]:
    results = hass.home if hass.is_admin else {**hass.home, "homeassistant/expose_entity/list": None}
    return picture(home_from_results(results))


def equal(mirror: HomeMirror, hass: FakeHomeAssistant) -> Callable[[], bool]:
    return lambda: mirror.home is not None and picture(mirror.home) == truth(hass)


# Load


async def test_home_is_absent_before_the_first_load(hass: FakeHomeAssistant) -> None:
    mirror = HomeMirror(hass.settings)
    assert (mirror.home, mirror.fresh, mirror.status.phase) == (None, False, Phase.CONNECTING)
    assert mirror.status.sentence_key == "home_loading"


async def test_loaded_home_is_the_whole_home(hass: FakeHomeAssistant) -> None:
    async with mirrored(hass) as mirror:
        assert picture(home_of(mirror)) == truth(hass)
        assert mirror.status.phase is Phase.READY
        assert LAMP in home_of(mirror).registries.exposed
        assert "plafond" in home_of(mirror).names(LAMP)


async def test_only_exposed_entities_have_their_aliases_asked_for(hass: FakeHomeAssistant) -> None:
    async with mirrored(hass):
        asked = [each["entity_ids"] for each in hass.commands if each["type"] == "config/entity_registry/get_entries"]
    assert len(asked) == 1
    assert LAMP in asked[0]
    assert "text.password" not in asked[0]


async def test_token_that_may_not_read_the_exposure_list_reads_the_entries(hass: FakeHomeAssistant) -> None:
    hass.is_admin = False
    async with mirrored(hass) as mirror:
        exposed = home_of(mirror).registries.exposed
        assert LAMP in exposed
        assert "media_player.living_room" not in exposed, "nobody has said that it is exposed"
        hass.expose(LAMP, False)
        await until(mirror, equal(mirror, hass))
        assert hass.count("homeassistant/expose_entity/list") == 1, "what was refused is not asked for again"


@pytest.mark.parametrize(
    "command",
    [
        "config/floor_registry/list",
        "config/label_registry/list",
        "config/entity_registry/get_entries",
        "config_entries/get",
        "entity/source",
        "frontend/get_translations",
        "repairs/list_issues",
        "subscribe_events",
        "supported_features",
    ],
)
async def test_home_assistant_without_a_command_has_a_home(hass: FakeHomeAssistant, command: str) -> None:
    hass.refuse[command] = "unknown_command"
    async with mirrored(hass) as mirror:
        assert home_of(mirror).states[LAMP].state == "on"


@pytest.mark.parametrize("command", ["get_config", "config/device_registry/list", "subscribe_entities"])
async def test_home_is_not_shown_without_a_part_it_needs(hass: FakeHomeAssistant, command: str) -> None:
    hass.refuse[command] = "home_assistant_error"
    async with running(hass) as mirror:
        await until(mirror, lambda: mirror.status.phase is Phase.LOST)
        assert mirror.home is None
        assert command in mirror.status.reason
        hass.refuse.clear()
        await until(mirror, equal(mirror, hass))


async def test_home_that_makes_no_sense_is_logged_and_tried_again(
    hass: FakeHomeAssistant, caplog: pytest.LogCaptureFixture
) -> None:
    area_id = hass.home["config/area_registry/list"][0].pop("area_id")
    async with running(hass) as mirror:
        await until(mirror, lambda: mirror.status.phase is Phase.LOST and hass.log_ins > 3)
        assert "KeyError" in mirror.status.reason
        assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) == 1
        hass.home["config/area_registry/list"][0]["area_id"] = area_id
        await until(mirror, equal(mirror, hass))


async def test_state_that_makes_no_sense_does_not_keep_the_home_out(hass: FakeHomeAssistant) -> None:
    hass.states["light.broken"] = {"s": None}
    async with mirrored(hass) as mirror:
        assert "light.broken" not in home_of(mirror).states
        assert LAMP in home_of(mirror).states
        assert hass.count("subscribe_entities") == 1


@pytest.mark.parametrize("command", ["config/entity_registry/list", "config/entity_registry/get_entries"])
async def test_state_changed_during_the_load_is_kept(hass: FakeHomeAssistant, command: str) -> None:
    hass.before[command] = lambda: hass.set_state(LAMP, "off", brightness=3)
    async with mirrored(hass) as mirror:
        assert home_of(mirror).states[LAMP].state == "off"
        assert picture(home_of(mirror)) == truth(hass)


async def test_registry_changed_after_it_was_read_and_before_the_load_ended(hass: FakeHomeAssistant) -> None:
    hass.before["config/entity_registry/get_entries"] = lambda: hass.put("area", "kitchen", name="Scullery")
    async with mirrored(hass) as mirror:
        await until(mirror, lambda: home_of(mirror).registries.areas["kitchen"].name == "Scullery")


async def test_entity_renamed_during_the_load(hass: FakeHomeAssistant) -> None:
    hass.before["config/entity_registry/get_entries"] = lambda: hass.rename(LAMP, "light.chandelier")
    async with mirrored(hass) as mirror:
        await until(mirror, equal(mirror, hass))


async def test_connection_lost_during_the_load(hass: FakeHomeAssistant) -> None:
    for command in ("config/device_registry/list", "config/entity_registry/get_entries", "subscribe_entities"):
        hass.before[command] = hass.drop
    async with mirrored(hass) as mirror:
        assert picture(home_of(mirror)) == truth(hass)
        assert hass.log_ins == 4


@pytest.mark.parametrize("command", ["subscribe_events", "get_config", "config/entity_registry/get_entries"])
async def test_connection_lost_just_after_an_answer(hass: FakeHomeAssistant, command: str) -> None:
    hass.after[command] = hass.drop
    async with mirrored(hass) as mirror:
        await until(mirror, lambda: mirror.fresh and hass.log_ins == 2)
        hass.set_state(LAMP, "off")
        await until(mirror, equal(mirror, hass))


async def test_load_that_is_never_answered_is_given_up(hass: FakeHomeAssistant) -> None:
    hass.ignore.add("config/device_registry/list")
    async with running(hass, replace(HASTE, load=0.05)) as mirror:
        await until(mirror, lambda: mirror.status.phase is Phase.LOST)
        assert mirror.home is None
        hass.ignore.clear()
        await until(mirror, equal(mirror, hass))


# Follow


async def test_states_are_followed(hass: FakeHomeAssistant) -> None:
    async with mirrored(hass) as mirror:
        hass.set_state(LAMP, "off", brightness=None)
        hass.set_state("sensor.new", "5")
        hass.remove_state("cover.garage_door")
        await mirror.command("ping")
        assert picture(home_of(mirror)) == truth(hass)


CHANGES: dict[str, Callable[[FakeHomeAssistant], None]] = {
    "area renamed": lambda hass: hass.put("area", "kitchen", name="Scullery", aliases=["x"]),
    "area added": lambda hass: hass.put("area", "cellar", name="Cellar"),
    "area removed": lambda hass: hass.remove("area", "garage"),
    "floor changed": lambda hass: hass.put("floor", "attic", level=7),
    "label added": lambda hass: hass.put("label", "new", name="New"),
    "device moved": lambda hass: hass.put("device", hass.entry(LAMP)["device_id"], area_id="garage"),
    "entity moved": lambda hass: hass.update_entity(LAMP, area_id="garage"),
    "entity given aliases": lambda hass: hass.update_entity(LAMP, aliases=[None, "sun of the evening"]),
    "entity renamed": lambda hass: hass.rename(LAMP, "light.chandelier"),
    "entity added": lambda hass: hass.add_entity("light.new"),
    "entity removed": lambda hass: hass.remove_entity(LAMP),
    "entity exposed": lambda hass: hass.expose("text.password", True),
    "home moved": lambda hass: hass.configure(location_name="Elsewhere", time_zone="Asia/Tokyo"),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_registries_are_followed(hass: FakeHomeAssistant, change: str) -> None:
    async with mirrored(hass) as mirror:
        CHANGES[change](hass)
        await until(mirror, equal(mirror, hass))
        assert hass.count("subscribe_entities") == 1, "nothing was loaded afresh"


async def test_withdrawn_exposure_is_seen(hass: FakeHomeAssistant) -> None:
    async with mirrored(hass) as mirror:
        hass.expose(LAMP, False)
        await until(mirror, lambda: not home_of(mirror).is_exposed(LAMP))


async def test_withdrawn_exposure_that_nothing_announces_is_found_in_time(hass: FakeHomeAssistant) -> None:
    async with mirrored(hass, replace(HASTE, slow_every=0.01)) as mirror:
        assert home_of(mirror).is_exposed("media_player.living_room")
        hass.expose("media_player.living_room", False)
        await until(mirror, lambda: not home_of(mirror).is_exposed("media_player.living_room"))


async def test_what_cannot_be_subscribed_to_is_looked_at_in_time(hass: FakeHomeAssistant) -> None:
    hass.refuse["subscribe_events"] = "unauthorized"
    async with mirrored(hass, replace(HASTE, slow_every=0.01)) as mirror:
        hass.put("area", "kitchen", name="Scullery")
        await until(mirror, lambda: home_of(mirror).registries.areas["kitchen"].name == "Scullery")


async def test_storm_of_registry_events_is_one_fetch(hass: FakeHomeAssistant) -> None:
    async with mirrored(hass, NEVER_AGAIN) as mirror:
        for _ in range(50):
            for area in ("kitchen", "garage"):
                hass.put("area", area, name="Again")
            await mirror.command("ping")
        await until(mirror, lambda: hass.count("config/area_registry/list") > 1)
        await caught_up(mirror)
        assert hass.count("config/area_registry/list") == 2, "the load, and one at the storm's beginning"


async def test_bunch_of_entity_events_is_one_fetch_of_what_changed(hass: FakeHomeAssistant) -> None:
    async with mirrored(hass, replace(NEVER_AGAIN, gather=0.5)) as mirror:
        hass.commands.clear()
        for entity_id in (LAMP, "light.bed_light", "switch.ac"):
            hass.expose(entity_id, False)
        await until(mirror, equal(mirror, hass))
        asked = [each["entity_ids"] for each in hass.commands if "entity_ids" in each]
        assert asked == [[LAMP, "light.bed_light", "switch.ac"]]
        assert hass.count("config/entity_registry/list") == 0


async def test_entities_keep_the_order_in_which_they_came(hass: FakeHomeAssistant) -> None:
    async with mirrored(hass) as mirror:
        for entity_id in ("light.z", "light.a", "light.m"):
            hass.add_entity(entity_id)
        await until(mirror, equal(mirror, hass))
        assert list(home_of(mirror).registries.entities)[-3:] == ["light.z", "light.a", "light.m"]


async def test_changes_that_change_nothing_keep_the_registries(hass: FakeHomeAssistant) -> None:
    async with mirrored(hass) as mirror:
        registries = home_of(mirror).registries
        hass.fire("area_registry_updated", {"action": "update", "area_id": "kitchen"})
        hass.fire("entity_registry_updated", {"action": "update", "entity_id": LAMP})
        await until(mirror, lambda: hass.count("config/area_registry/list") == 2)
        await caught_up(mirror)
        assert home_of(mirror).registries is registries


async def test_entities_that_cannot_be_had_one_by_one_come_with_the_list(hass: FakeHomeAssistant) -> None:
    hass.refuse["config/entity_registry/get_entries"] = "unknown_command"
    async with mirrored(hass) as mirror:
        hass.update_entity(LAMP, area_id="garage")
        await until(mirror, lambda: home_of(mirror).registries.entities[LAMP].area_id == "garage")


async def test_change_that_could_not_be_fetched_is_fetched_later(hass: FakeHomeAssistant) -> None:
    async with mirrored(hass) as mirror:
        hass.refuse["config/area_registry/list"] = "home_assistant_error"
        hass.refuse["homeassistant/expose_entity/list"] = "timeout"
        hass.put("area", "kitchen", name="Scullery")
        hass.expose(LAMP, False)
        await until(mirror, lambda: hass.count("config/area_registry/list") > 2)
        assert home_of(mirror).registries.areas["kitchen"].name == "Kitchen"
        hass.refuse.clear()
        await until(mirror, equal(mirror, hass))


async def test_other_language_brings_its_words(hass: FakeHomeAssistant) -> None:
    async with mirrored(hass) as mirror:
        hass.configure(language="nl")
        await until(mirror, lambda: any(each.get("language") == "nl" for each in hass.commands))
        assert home_of(mirror).config.language == "nl"


async def test_change_of_an_unknown_entity_loads_the_home_afresh(hass: FakeHomeAssistant) -> None:
    async with mirrored(hass) as mirror:
        hass.states["light.missed"] = {"s": "on", "a": {}, "c": "x", "lc": 1.0}
        hass.push_event({"c": {"light.missed": {"+": {"s": "off", "lc": 2.0}}}})
        await until(mirror, lambda: "light.missed" in home_of(mirror).states)
        assert mirror.fresh
        await caught_up(mirror)
        assert list(hass.clients[0].subscriptions.values()).count("subscribe_entities") == 1


async def test_nonsense_is_not_answered_with_a_storm_of_loads(hass: FakeHomeAssistant) -> None:
    async with mirrored(hass, replace(HASTE, reload_every=3600)) as mirror:
        for _ in range(20):
            hass.push_event({"c": {"light.missed": {"+": {"s": "off", "lc": 2.0}}}})
            await mirror.command("ping")
        await caught_up(mirror)
        assert hass.count("subscribe_entities") == 1


@pytest.mark.parametrize("event", [None, [], {}, {"data": None}, {"event_type": "entity_registry_updated", "data": 3}])
async def test_event_that_makes_no_sense_is_survived(hass: FakeHomeAssistant, event: Any) -> None:
    async with mirrored(hass) as mirror:
        hass.push_event(event, "entity_registry_updated")
        hass.push_event(event, "core_config_updated")
        hass.push("{")
        await caught_up(mirror)
        await until(mirror, equal(mirror, hass))
        assert hass.log_ins == 1


async def test_change_of_registries_wakes_who_waits_for_it(hass: FakeHomeAssistant) -> None:
    async with mirrored(hass) as mirror:
        waiting = asyncio.create_task(mirror.wait_changed())
        await caught_up(mirror)
        assert not waiting.done()
        hass.put("area", "kitchen", name="Scullery")
        await waiting
        assert home_of(mirror).registries.areas["kitchen"].name == "Scullery"


# Reconnect


async def test_lost_home_stays_but_is_not_fresh(hass: FakeHomeAssistant) -> None:
    async with mirrored(hass) as mirror:
        home = mirror.home
        await hass.shut()
        await until(mirror, lambda: not mirror.fresh)
        assert mirror.home is home
        assert mirror.status.phase is Phase.LOST
        assert mirror.status.sentence_key == "home_unreachable"
        await until(mirror, lambda: "Nothing listens" in mirror.status.reason)
        with pytest.raises(HomeUnavailable, match="Nothing listens"):
            await mirror.command("get_config")
        hass.states[LAMP]["s"] = "off"
        hass.put("area", "kitchen", name="Scullery")
        assert home_of(mirror).states[LAMP].state == "on"
        await hass.listen()
        await until(mirror, equal(mirror, hass))
        assert mirror.fresh
        assert mirror.home is not home, "swapped, not mended"


async def test_old_home_is_let_go_of(hass: FakeHomeAssistant) -> None:
    async with mirrored(hass) as mirror:
        old = weakref.ref(home_of(mirror))
        hass.drop()
        await until(mirror, lambda: mirror.fresh and mirror.home is not old())
        await caught_up(mirror)
        gc.collect()
        assert old() is None


async def test_old_home_is_not_left_to_the_collector(hass: FakeHomeAssistant) -> None:
    async with mirrored(hass) as mirror:
        old = weakref.ref(home_of(mirror))
        gc.collect()
        gc.disable()
        try:
            hass.drop()
            await until(mirror, lambda: mirror.fresh and mirror.home is not old())
            await caught_up(mirror)
            assert old() is None
        finally:
            gc.enable()


async def test_the_collector_is_spared_a_load_and_then_works_again(hass: FakeHomeAssistant) -> None:
    enabled: list[bool] = []
    hass.after["config/entity_registry/list"] = lambda: enabled.append(gc.isenabled())
    async with mirrored(hass) as mirror:
        await until(mirror, gc.isenabled)
    assert enabled == [False]


async def test_time_of_the_loss_is_kept_while_it_lasts(hass: FakeHomeAssistant) -> None:
    async with mirrored(hass) as mirror:
        hass.mute = True
        hass.drop()
        await until(mirror, lambda: mirror.status.phase is Phase.LOST)
        since = mirror.status.since
        await hass.shut()
        await until(mirror, lambda: "Nothing listens" in mirror.status.reason)
        assert mirror.status.since == since


async def test_there_is_never_more_than_one_connection(hass: FakeHomeAssistant) -> None:
    async with mirrored(hass) as mirror:
        for count in range(2, 12):
            hass.drop()
            await until(mirror, lambda count=count: hass.log_ins == count and mirror.fresh)  # type: ignore[misc]
        await until(mirror, equal(mirror, hass))
        assert hass.most_clients == 1


async def test_command_in_flight_when_the_connection_breaks(hass: FakeHomeAssistant) -> None:
    hass.ignore.add("todo/item/list")
    async with mirrored(hass) as mirror:
        waiting = asyncio.create_task(mirror.command("todo/item/list", entity_id="todo.shopping_list"))
        await mirror.command("ping")
        hass.drop()
        with pytest.raises(HomeUnavailable):
            await waiting


async def test_template_is_followed_as_long_as_the_connection_lives(hass: FakeHomeAssistant) -> None:
    results: list[Any] = []
    async with mirrored(hass) as mirror:
        following = asyncio.create_task(mirror.follow_template("{{ 1 }}", {}, results.append))
        await until(mirror, lambda: results == ["{{ 1 }}"])
        hass.drop()
        await following


async def test_drop_storm_is_not_a_log_storm(hass: FakeHomeAssistant, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with mirrored(hass) as mirror:
        for count in range(2, 12):
            hass.drop()
            await until(mirror, lambda count=count: hass.log_ins == count and mirror.fresh)  # type: ignore[misc]
    assert len(caplog.records) == 3, "ready, lost, back"


async def test_silent_connection_is_replaced(hass: FakeHomeAssistant) -> None:
    async with mirrored(hass, replace(HASTE, ping_every=0.02, ping_answer=0.02)) as mirror:
        hass.ignore.add("ping")
        while mirror.fresh:
            await mirror.wait_changed()
        hass.ignore.clear()
        await until(mirror, equal(mirror, hass))


async def test_home_assistant_that_starts_has_no_home_until_it_runs(hass: FakeHomeAssistant) -> None:
    hass.home["get_config"]["state"] = "NOT_RUNNING"
    async with running(hass) as mirror:
        await until(mirror, lambda: mirror.status.phase is Phase.STARTING)
        assert not mirror.fresh
        assert mirror.home is None
        assert mirror.status.sentence_key == "home_loading"
        assert hass.count("subscribe_entities") == 0
        hass.configure(state="RUNNING")
        await until(mirror, lambda: mirror.fresh)
        assert picture(home_of(mirror)) == truth(hass)


async def test_home_assistant_that_stops_and_runs_again_is_loaded_afresh(hass: FakeHomeAssistant) -> None:
    async with mirrored(hass) as mirror:
        old = mirror.home
        hass.configure(state="STOPPING")
        await until(mirror, lambda: mirror.status.phase is Phase.STARTING)
        assert not mirror.fresh
        hass.home["get_config"]["state"] = "RUNNING"  # and nobody says so
        await until(mirror, lambda: mirror.fresh)
        assert mirror.home is not old


# Wrong token


async def test_refused_token_is_said_and_waiting_for_it_is_hopeless(hass: FakeHomeAssistant) -> None:
    hass.denies = True
    async with running(hass, replace(HASTE, refused_again=3600)) as mirror:
        await until(mirror, lambda: mirror.status.phase is Phase.AUTH_FAILED)
        assert await mirror.wait_fresh(3600) is False
        assert mirror.status.sentence_key == "home_token_refused"
        assert hass.token not in mirror.status.reason


async def test_token_accepted_again(hass: FakeHomeAssistant) -> None:
    async with mirrored(hass) as mirror:
        hass.denies = True
        hass.drop()
        await until(mirror, lambda: mirror.status.phase is Phase.AUTH_FAILED)
        assert mirror.home is not None
        hass.denies = False
        await until(mirror, equal(mirror, hass))


# Waits


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def waits(retries: Retries, clock: Clock, error: Exception, count: int) -> list[float]:
    found = []
    for _ in range(count):
        found.append(retries.wait_after(error))
        clock.now += found[-1]
    return found


def test_waits_grow_and_stay_short_while_a_restart_is_likely(clock: Clock) -> None:
    retries = Retries(Timing(), clock)
    found = waits(retries, clock, ConnectionLost(), 50)
    for wait, middle in zip(found, (0.5, 0.9, 1.62, *(2.0,) * 47), strict=True):
        assert 0.75 * middle <= wait <= 1.25 * middle


def test_waits_of_a_long_trouble_are_half_a_minute(clock: Clock) -> None:
    retries = Retries(Timing(), clock)
    waits(retries, clock, CannotConnect(), 3)
    clock.now += 3600
    assert all(22.5 <= wait <= 37.5 for wait in waits(retries, clock, CannotConnect(), 20)[5:])


def test_stable_minute_ends_the_trouble(clock: Clock) -> None:
    retries = Retries(Timing(), clock)
    waits(retries, clock, ConnectionLost(), 10)
    retries.let_in()
    clock.now += 61
    assert retries.wait_after(ConnectionLost()) <= 0.625


def test_short_lived_connections_do_not_end_the_trouble(clock: Clock) -> None:
    retries = Retries(Timing(), clock)
    for _ in range(10):
        retries.let_in()
        clock.now += 3
        wait = retries.wait_after(ConnectionLost())
    assert wait >= 1.5


def test_wrong_token_is_tried_twice_and_then_every_five_minutes(clock: Clock) -> None:
    retries = Retries(Timing(), clock)
    found = waits(retries, clock, InvalidAuth(), 5)
    assert found[0] <= 15
    assert all(wait >= 300 for wait in found[1:])


def test_outage_between_does_not_forgive_a_wrong_token() -> None:
    retries = Retries(Timing())
    retries.wait_after(InvalidAuth())
    retries.wait_after(CannotConnect())
    assert retries.wait_after(InvalidAuth()) >= 300


def test_home_that_is_too_big_is_not_asked_for_in_a_hurry() -> None:
    retries = Retries(Timing())
    assert retries.wait_after(MessageTooBig()) < 1, "it may have been an accident"
    assert retries.wait_after(MessageTooBig()) >= 60


# Equality, whatever happens


def random_change(chance: random.Random, hass: FakeHomeAssistant) -> None:
    """Something that happens in a home."""
    entity_id = chance.choice(list(hass.states))
    entry = chance.choice(hass.entries)["entity_id"]
    area = chance.choice(hass.home["config/area_registry/list"])["area_id"]
    number = chance.randrange(10**9)
    match chance.randrange(14):
        case 0 | 1 | 2:
            hass.set_state(entity_id, chance.choice(["on", "off"]), brightness=chance.choice([None, number]))
        case 3:
            hass.remove_state(entity_id)
        case 4:
            hass.set_state(f"sensor.added_{number}", "1", friendly_name="Added")
        case 5:
            hass.rename(entry, f"{entry.partition('.')[0]}.renamed_{number}")
        case 6:
            hass.add_entity(f"light.new_{number}", exposed=chance.random() < 0.5)
        case 7 if len(hass.entries) > 5:
            hass.remove_entity(entry)
        case 8 | 9:
            hass.expose(entry, chance.random() < 0.5)
        case 10:
            hass.update_entity(entry, area_id=area, aliases=[None, f"alias {number}"])
        case 11:
            hass.put("area", chance.choice([area, f"area_{number}"]), name=f"Area {number}")
        case 12 if len(hass.home["config/area_registry/list"]) > 3:
            hass.remove("area", area)
        case 13:
            hass.put("device", chance.choice(hass.home["config/device_registry/list"])["id"], area_id=area)


@pytest.mark.parametrize("is_admin", [True, False])
@pytest.mark.parametrize("seed", range(12))
async def test_mirror_equals_a_fresh_load_after_any_sequence_of_events(
    hass: FakeHomeAssistant, seed: int, is_admin: bool
) -> None:
    chance = random.Random(seed)  # noqa: S311
    hass.is_admin = is_admin
    loads = ["config/area_registry/list", "config/entity_registry/get_entries", "config/entity_registry/list"]
    async with mirrored(hass) as mirror:
        for _ in range(60):
            random_change(chance, hass)
            match chance.randrange(12):
                case 0:
                    hass.drop()
                case 1:
                    hass.before[chance.choice(loads)] = lambda: random_change(chance, hass)
                case 2:
                    hass.push_event({"c": {"light.never_seen": {"+": {"s": "on", "lc": 1.0}}}})
                case 3 | 4 | 5 if mirror.fresh:
                    with suppress(HomeUnavailable):
                        await mirror.command("ping")
                case 6:
                    await mirror.wait_fresh(10)
        hass.before.clear()
        await until(mirror, equal(mirror, hass))


# Security


async def test_log_holds_neither_names_nor_states_nor_the_token(
    hass: FakeHomeAssistant, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="wyoming_openai")
    hass.token = "secret-token"
    hass.put("area", "kitchen", name="secret-area")
    hass.update_entity(LAMP, aliases=["secret-alias"])
    async with mirrored(hass) as mirror:
        hass.set_state(LAMP, "secret-state", friendly_name="secret-name")
        hass.push_event({"a": {"light.secret": {"s": "secret-state"}}})
        await caught_up(mirror)
        hass.denies = True
        hass.drop()
        await until(mirror, lambda: mirror.status.phase is Phase.AUTH_FAILED)
        assert "secret" not in mirror.status.reason
    assert "secret" not in caplog.text


# Files and the doctor


async def test_snapshot_is_the_home_again(hass: FakeHomeAssistant) -> None:
    results = await capture(hass.settings)
    assert picture(home_from_results(results)) == truth(hass)
    assert results["ha_version"] == "2026.11.0"
    assert hass.token not in str(results)


async def test_probe_tells_what_is_there(hass: FakeHomeAssistant) -> None:
    found = await probe(hass.settings)
    assert (found.version, found.user, found.is_admin, found.warnings) == ("2026.11.0", "Somebody", True, ())
    assert (found.entities, found.exposed, found.hidden) == (18, len(hass.exposed), 0)


async def test_probe_counts_what_only_an_administrator_could_see(hass: FakeHomeAssistant) -> None:
    hass.is_admin = False
    found = await probe(hass.settings)
    assert found.hidden == 3, "sun, lock and media player have no entry in the registry"
    assert found.exposed == len(hass.exposed) - 2


async def test_probe_warns_of_a_home_assistant_that_starts(hass: FakeHomeAssistant) -> None:
    hass.home["get_config"]["state"] = "STARTING"
    assert "starting" in (await probe(hass.settings)).warnings[0]


async def test_probe_fails_as_a_connection_does(hass: FakeHomeAssistant) -> None:
    with pytest.raises(InvalidAuth):
        await probe(HassSettings(hass.url, "wrong"))


async def test_home_from_a_file_is_always_fresh_and_has_nobody_to_ask() -> None:
    mirror = FixedMirror(home_from_results(small_home()))
    assert mirror.fresh
    assert mirror.status.phase is Phase.READY
    assert await mirror.wait_fresh(0)
    assert mirror.home is not None
    for asking in (mirror.command("get_config"), mirror.first_event("x"), mirror.render_template("{{ 1 }}")):
        with pytest.raises(HomeUnavailable):
            await asking


async def test_tools_hear_why_a_command_failed(hass: FakeHomeAssistant) -> None:
    hass.refuse["todo/item/list"] = "not_found"
    async with mirrored(hass) as mirror:
        with pytest.raises(CommandFailed, match="not_found"):
            await mirror.command("todo/item/list", entity_id="todo.x")
        assert await mirror.render_template("{{ 1 }}") == "{{ 1 }}"
        assert Registries() != home_of(mirror).registries
