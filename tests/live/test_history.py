"""The past as a real Home Assistant recorded it: our queries against its recorder, not against our idea of it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.live.conftest import TOKEN, URL, HomeAssistant
from tests.tools.asking import Ask, asking
from tests.tools.history_cases import CASES, Case
from tests.tools.recorded_home import BERLIN, ENTITIES, NOW, SAFE, present
from wyoming_openai.hass.connection import HassSettings, Timing
from wyoming_openai.hass.mirror import HomeMirror

pytestmark = pytest.mark.hass

NAME = "wyoming_openai test"


@pytest.fixture
async def mirror(hass: HomeAssistant) -> AsyncIterator[HomeMirror]:
    mirror = HomeMirror(HassSettings(URL, TOKEN), timing=Timing(slow_every=0.5))  # exposure is not announced
    task = asyncio.create_task(mirror.run())
    assert await mirror.wait_fresh(30)
    yield mirror
    task.cancel()
    await asyncio.wait([task])


async def expose(hass: HomeAssistant, *entity_ids: str, should_expose: bool = True) -> None:
    await hass.command(
        "homeassistant/expose_entity",
        assistants=["conversation"],
        entity_ids=list(entity_ids),
        should_expose=should_expose,
    )


async def seen(mirror: HomeMirror, *entity_ids: str) -> None:
    """Until the mirror knows of these."""
    for _ in range(200):
        home = mirror.home
        if home is not None and all(home.is_exposed(each) and each in home.states for each in entity_ids):
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"not seen: {entity_ids}")


# ---- what happens now


@pytest.fixture
async def steps(hass: HomeAssistant, mirror: HomeMirror) -> AsyncIterator[Ask]:
    """A door that was opened twice and a meter that began anew, just now; nothing was known of them before."""
    run = int(datetime.now(BERLIN).timestamp())
    door, meter = f"binary_sensor.wyoming_openai_door_{run}", f"sensor.wyoming_openai_meter_{run}"
    attributes: dict[str, dict[str, Any]] = {
        door: {"friendly_name": f"{NAME} door", "device_class": "door"},
        meter: {"friendly_name": f"{NAME} meter", "unit_of_measurement": "kWh", "state_class": "total_increasing"},
    }
    for entity_id, states in ((door, ("off", "on", "off", "unavailable", "off", "on")), (meter, (7, 9, 0.5, 4))):
        for state in states:
            await hass.rest("POST", f"states/{entity_id}", {"state": str(state), "attributes": attributes[entity_id]})
    await expose(hass, door, meter)
    await seen(mirror, door, meter)
    assert mirror.home is not None
    now = datetime.now(ZoneInfo(mirror.home.config.time_zone)) + timedelta(seconds=1)
    yield asking(mirror.home, now, mirror)
    for entity_id in (door, meter):
        await expose(hass, entity_id, should_expose=False)
        await hass.rest("DELETE", f"states/{entity_id}")


async def told(ask: Ask, part: str, **arguments: Any) -> None:
    """Until it is told: the recorder writes down what happened within seconds."""
    answer = ""
    for _ in range(100):
        answer = await ask("get_history", **arguments)
        if part in answer:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(answer)


async def test_what_just_happened_is_told(steps: Ask) -> None:
    await told(steps, "became open 2 times", name=f"{NAME} door", period="last_hour", measure="count", state="open")
    await told(steps, "last became open", name=f"{NAME} door", period="today", measure="last", state="open")
    await told(steps, "sum 6 kWh", name=f"{NAME} meter", period="last_hour", measure="sum")


async def test_consumption_comes_from_the_statistics_where_no_states_are_kept(
    hass: HomeAssistant, mirror: HomeMirror
) -> None:
    meter = "sensor.wyoming_openai_yield"
    attributes = {"friendly_name": f"{NAME} yield", "unit_of_measurement": "kWh", "state_class": "total_increasing"}
    await hass.rest("POST", f"states/{meter}", {"state": "1", "attributes": attributes})
    assert mirror.home is not None
    zone = ZoneInfo(mirror.home.config.time_zone)
    first = datetime(2025, 10, 1, tzinfo=zone)
    hours = [first + timedelta(days=day, hours=10) for day in range(-1, 31)]
    await hass.command(
        "recorder/import_statistics",
        metadata={
            "has_mean": False, "mean_type": 0, "has_sum": True, "name": None, "source": "recorder",
            "statistic_id": meter, "unit_class": "energy", "unit_of_measurement": "kWh",
        },
        stats=[{"start": hour.isoformat(), "state": number, "sum": number} for number, hour in enumerate(hours)],
    )  # fmt: skip
    await expose(hass, meter)
    await seen(mirror, meter)
    ask = asking(mirror.home, datetime.now(zone), mirror)
    await told(ask, "sum 31 kWh", name=f"{NAME} yield", period="2025-10", measure="sum")
    await told(ask, "sum 1 kWh", name=f"{NAME} yield", period="2025-10-26", measure="sum")
    await expose(hass, meter, should_expose=False)
    await hass.rest("DELETE", f"states/{meter}")


# ---- what `fill_recorder` wrote into its database


@pytest.fixture
async def filled(hass: HomeAssistant, mirror: HomeMirror) -> Ask:
    rows = await hass.command(
        "history/history_during_period",
        start_time="2026-10-24T00:00:00+00:00", end_time="2026-10-26T00:00:00+00:00", entity_ids=[SAFE],
    )  # fmt: skip
    if not rows or mirror.home is None or mirror.home.config.time_zone != BERLIN.key:
        pytest.skip("its database was not filled with `python -m tests.live.fill_recorder`")
    for entity_id, (name, _, attributes) in ENTITIES.items():
        if entity_id not in mirror.home.states:
            body = {"state": present(entity_id)[0], "attributes": {**attributes, "friendly_name": name}}
            await hass.rest("POST", f"states/{entity_id}", body)
    exposed = [entity_id for entity_id in ENTITIES if entity_id != SAFE]
    await expose(hass, *exposed)
    await seen(mirror, *exposed)
    return asking(mirror.home, NOW, mirror)


@pytest.mark.parametrize("case", [case for case in CASES if not case.needs_present], ids=str)
async def test_question_about_recorded_rows_is_answered_exactly(filled: Ask, case: Case) -> None:
    answer = await filled("get_history", **case.arguments)
    for part in case.says:
        assert part in answer
