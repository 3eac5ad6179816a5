"""What is worked out of a home: in another thread, once for all who wait, of the home as it was when they asked."""

import asyncio
import gc
import threading
import weakref

import pytest

from tests.fakes.home_assistant import small_home
from wyoming_openai.hass.home import Home
from wyoming_openai.hass.per_home_cache import PerHomeCache
from wyoming_openai.hass.snapshot import home_from_results

LAMP = "light.ceiling_lights"


class Work:
    """Derives the names of a home, and notes how; it can be made to wait in the midst of it."""

    def __init__(self) -> None:
        self.threads: list[threading.Thread] = []
        self.at_once = self.most_at_once = 0
        self.begun = threading.Event()
        self.may_end = threading.Event()
        self.may_end.set()

    def __call__(self, home: Home) -> dict[str, str]:
        self.threads.append(threading.current_thread())
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.begun.set()
        assert self.may_end.wait(30)
        self.at_once -= 1
        return {state.entity_id: state.name for state in home.exposed_states()}

    async def is_at_it(self) -> None:
        await asyncio.to_thread(self.begun.wait, 30)
        self.begun.clear()


@pytest.fixture
def home() -> Home:
    return home_from_results(small_home())


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
def names(work: Work) -> PerHomeCache[dict[str, str]]:
    return PerHomeCache(work)


def rename(home: Home, name: str) -> None:
    home.apply_states({"c": {LAMP: {"+": {"a": {"friendly_name": name}}}}})


def withdraw(home: Home) -> None:
    exposed = home.registries.exposed
    home.registries = home.registries.with_parts(exposed_by_list=exposed - {LAMP})


async def test_what_is_prepared_is_worked_out_in_another_thread(
    home: Home, names: PerHomeCache[dict[str, str]], work: Work
) -> None:
    await names.prepare(home)
    assert LAMP in names.of(home)
    assert threading.current_thread() not in work.threads
    assert len(work.threads) == 1


async def test_the_loop_goes_on_while_it_is_worked_out(
    home: Home, names: PerHomeCache[dict[str, str]], work: Work
) -> None:
    work.may_end.clear()
    preparing = asyncio.create_task(names.prepare(home))
    await work.is_at_it()
    assert not preparing.done()
    work.may_end.set()
    await preparing


async def test_all_who_wait_share_the_work(home: Home, names: PerHomeCache[dict[str, str]], work: Work) -> None:
    await names.prepare(home)
    withdraw(home)
    await asyncio.gather(*(names.prepare(home) for _ in range(5)))
    assert len(work.threads) == 2
    assert LAMP not in names.of(home)


async def test_nothing_is_worked_out_twice(home: Home, names: PerHomeCache[dict[str, str]], work: Work) -> None:
    await names.prepare(home)
    home.apply_states({"c": {LAMP: {"+": {"s": "off", "a": {"brightness": 3}}}}})
    await names.prepare(home)
    names.of(home)
    assert len(work.threads) == 1


async def test_who_asks_after_a_change_gets_what_was_begun_after_it(
    home: Home, names: PerHomeCache[dict[str, str]], work: Work
) -> None:
    work.may_end.clear()
    before = asyncio.create_task(names.prepare(home))
    await work.is_at_it()
    withdraw(home)
    after = asyncio.create_task(names.prepare(home))
    work.may_end.set()
    await asyncio.gather(before, after)
    assert LAMP not in names.of(home)
    assert len(work.threads) == 2


async def test_a_storm_of_changes_is_worked_out_one_at_a_time(
    home: Home, names: PerHomeCache[dict[str, str]], work: Work
) -> None:
    waiting = []
    for number in range(50):
        rename(home, f"Lamp {number}")
        waiting.append(asyncio.create_task(names.prepare(home)))
        await asyncio.sleep(0)
    await asyncio.gather(*waiting)
    assert work.most_at_once == 1
    assert names.of(home)[LAMP] == "Lamp 49"


async def test_changes_while_it_is_worked_out_do_not_disturb_it(
    home: Home, names: PerHomeCache[dict[str, str]], work: Work
) -> None:
    work.may_end.clear()
    before = {state.entity_id: state.name for state in home.exposed_states()}
    preparing = asyncio.create_task(names.prepare(home))
    await work.is_at_it()
    rename(home, "Flamingo")
    home.apply_states({"r": [each for each in home.states if each != LAMP]})
    withdraw(home)
    work.may_end.set()
    await preparing
    assert names.of(home) == before


async def test_a_prepared_value_stays_until_the_next_one_is_there(
    home: Home, names: PerHomeCache[dict[str, str]], work: Work
) -> None:
    await names.prepare(home)
    work.begun.clear()
    old = names.of(home)
    rename(home, "Flamingo")
    work.may_end.clear()
    preparing = asyncio.create_task(names.prepare(home))
    await work.is_at_it()
    assert names.of(home) is old
    work.may_end.set()
    await preparing
    assert names.of(home)[LAMP] == "Flamingo"
    assert threading.current_thread() not in work.threads


async def test_who_leaves_does_not_end_it_for_the_others(
    home: Home, names: PerHomeCache[dict[str, str]], work: Work
) -> None:
    work.may_end.clear()
    leaver = asyncio.create_task(names.prepare(home))
    await work.is_at_it()
    other = asyncio.create_task(names.prepare(home))
    leaver.cancel()
    await asyncio.wait([leaver])
    work.may_end.set()
    await other
    assert len(work.threads) == 1


async def test_a_failure_is_that_of_all_who_wait_and_the_next_one_tries_again(home: Home) -> None:
    failing = True

    def derive(home: Home) -> int:
        if failing:
            raise ValueError("a bug")
        return len(home.states)

    count = PerHomeCache(derive)
    results = await asyncio.gather(count.prepare(home), count.prepare(home), return_exceptions=True)
    assert [type(result) for result in results] == [ValueError, ValueError]
    failing = False
    await count.prepare(home)
    assert count.of(home) == len(home.states)


def test_without_preparing_it_is_as_the_home_is(home: Home, names: PerHomeCache[dict[str, str]], work: Work) -> None:
    assert names.of(home) is names.of(home)
    withdraw(home)
    assert LAMP not in names.of(home)
    assert len(work.threads) == 2


async def test_each_home_has_its_own_and_takes_it_along(names: PerHomeCache[dict[str, str]]) -> None:
    home, other = home_from_results(small_home()), home_from_results(small_home())
    rename(other, "Flamingo")
    await asyncio.gather(names.prepare(home), names.prepare(other))
    assert names.of(home)[LAMP] != names.of(other)[LAMP] == "Flamingo"
    gone = weakref.ref(home)
    del home
    gc.collect()
    assert gone() is None
