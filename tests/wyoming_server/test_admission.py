"""Who gets in and how much each gets: strangers can't take what others need."""

import asyncio
from ipaddress import ip_network

import pytest

from wyoming_openai.messages import CannotAnswer
from wyoming_openai.wyoming_server.admission import (
    MAX_ADDRESSES,
    Admission,
    AdmissionLimits,
    Bucket,
    ClientQuota,
    ClientRefused,
)

NEVER = 1e9


def sent_away(guest: ClientQuota) -> list[ClientQuota]:
    """A list that holds the guest once it is sent away."""
    gone: list[ClientQuota] = []
    guest.send_away = lambda: gone.append(guest)
    return gone


def test_when_an_address_has_all_its_places_its_oldest_idle_connection_goes() -> None:
    admission = Admission(AdmissionLimits(connections_per_address=2))
    other, first, second = (admission.admit(address) for address in ("10.0.0.1", "10.0.0.2", "10.0.0.2"))
    others, firsts, seconds = sent_away(other), sent_away(first), sent_away(second)
    admission.admit("10.0.0.2")
    assert (others, firsts, seconds) == ([], [first], [])


def test_when_all_places_are_taken_the_oldest_idle_connection_goes() -> None:
    admission = Admission(AdmissionLimits(connections=2))
    first, second = admission.admit("10.0.0.1"), admission.admit("10.0.0.2")
    firsts, seconds = sent_away(first), sent_away(second)
    admission.admit("10.0.0.3")
    assert (firsts, seconds) == ([first], [])


def test_strangers_who_keep_their_places_leave_a_quarter_for_others() -> None:
    admission = Admission(AdmissionLimits(connections=8))
    for number in range(6):
        admission.admit(f"10.0.0.{number}").open_questions = 1
    with pytest.raises(ClientRefused):
        admission.admit("10.0.0.9")
    for _ in range(2):
        admission.admit("127.0.0.1").open_questions = 1


def test_who_waits_for_an_answer_is_never_sent_away() -> None:
    admission = Admission(AdmissionLimits(connections=2))
    first, second = admission.admit("10.0.0.1"), admission.admit("10.0.0.2")
    firsts, seconds = sent_away(first), sent_away(second)
    first.open_questions = 1
    third = admission.admit("10.0.0.3")
    assert (firsts, seconds) == ([], [second])
    third.open_questions = 1
    with pytest.raises(ClientRefused):
        admission.admit("10.0.0.4")


async def test_who_has_just_said_something_is_not_the_oldest() -> None:
    admission = Admission(AdmissionLimits(connections=2))
    first, second = admission.admit("10.0.0.1"), admission.admit("10.0.0.2")
    seconds = sent_away(second)
    await first.pace()
    admission.admit("10.0.0.3")
    assert seconds == [second]


@pytest.mark.parametrize("ours", ["127.0.0.1", "::1", "192.168.1.2", None])
def test_those_we_trust_are_not_sent_away_for_strangers(ours: str | None) -> None:
    admission = Admission(AdmissionLimits(connections=1), trusted=[ip_network("192.168.1.0/24")])
    guest = admission.admit(ours)
    gone = sent_away(guest)
    with pytest.raises(ClientRefused):
        admission.admit("10.0.0.1")
    admission.release(guest)
    stranger = admission.admit("10.0.0.1")
    gone = sent_away(stranger)
    admission.admit(ours)
    assert gone == [stranger]


@pytest.mark.parametrize(
    ("address", "allowed"),
    [("192.168.1.2", True), ("fe80::1%eth0", True), (None, True), ("192.168.2.2", False), ("127.0.0.2", False)],
)
def test_with_a_list_only_its_networks_get_in(address: str | None, allowed: bool) -> None:
    admission = Admission(allow=[ip_network("192.168.1.0/24"), ip_network("fe80::/10")])
    if allowed:
        assert admission.admit(address).trusted
    else:
        with pytest.raises(ClientRefused):
            admission.admit(address)


async def test_events_wait_when_they_come_too_fast() -> None:
    limits = AdmissionLimits(events_per_second=1000, events_at_once=10)
    loop = asyncio.get_running_loop()
    start = loop.time()
    guest = Admission(limits).admit("10.0.0.1")
    for _ in range(30):
        await guest.pace()
    assert loop.time() - start > 0.018


async def test_connections_of_one_address_share_its_pace_in_turn() -> None:
    admission = Admission(AdmissionLimits(address_events_per_second=1000, address_events_at_once=1))
    greedy, modest = admission.admit("10.0.0.1"), admission.admit("10.0.0.1")
    passed: list[ClientQuota] = []

    async def talk(guest: ClientQuota, times: int) -> None:
        for _ in range(times):
            await guest.pace()
            passed.append(guest)

    await asyncio.gather(talk(greedy, 20), talk(modest, 5))
    assert passed.index(modest) <= 2
    assert max(place for place, guest in enumerate(passed) if guest is modest) <= 11


async def test_who_leaves_the_line_holds_up_nobody() -> None:
    bucket = Bucket(20, 1)
    await bucket.take()
    leaving = [asyncio.create_task(bucket.take()) for _ in range(100)]
    await asyncio.sleep(0)
    for task in leaving:
        task.cancel()
    await bucket.take()
    assert all(task.cancelled() for task in leaving)


def test_addresses_are_forgotten() -> None:
    admission = Admission()
    for number in range(MAX_ADDRESSES + 10):
        admission.release(admission.admit(f"10.0.{number // 256}.{number % 256}"))
    assert len(admission._buckets) == MAX_ADDRESSES


class Turn:
    """A question that holds its turn until it is told to end."""

    def __init__(self, guest: ClientQuota, until: float = NEVER) -> None:
        self.began = False
        self._end = asyncio.Event()
        self.task = asyncio.create_task(self._run(guest, until))

    async def _run(self, guest: ClientQuota, until: float) -> None:
        async with guest.turn(until):
            self.began = True
            await self._end.wait()

    async def end(self) -> None:
        self._end.set()
        await self.task
        await settled()


async def settled() -> None:
    """Let everybody go as far as they get."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_turns_are_limited_and_those_who_wait_are_called_in_order() -> None:
    admission = Admission(AdmissionLimits(turns=2))
    turns = [Turn(admission.admit("127.0.0.1")) for _ in range(4)]
    await settled()
    assert [turn.began for turn in turns] == [True, True, False, False]
    await turns[1].end()
    assert [turn.began for turn in turns] == [True, True, True, False]
    for turn in (turns[0], turns[2], turns[3]):
        await turn.end()


async def test_who_finds_the_line_too_long_hears_so_at_once() -> None:
    admission = Admission(AdmissionLimits(turns=1, waiting=1))
    turns = [Turn(admission.admit("127.0.0.1")) for _ in range(2)]
    await settled()
    with pytest.raises(CannotAnswer) as error:
        await Turn(admission.admit("127.0.0.1")).task
    assert error.value.sentence_key == "busy"
    for turn in turns:
        await turn.end()


async def test_a_stranger_leaves_turns_and_places_in_line_for_others() -> None:
    admission = Admission(AdmissionLimits(turns=3, turns_per_address=1, waiting=3, waiting_per_address=1))
    stranger = [Turn(admission.admit("10.0.0.1")) for _ in range(2)]
    await settled()
    assert [turn.began for turn in stranger] == [True, False]
    with pytest.raises(CannotAnswer):
        await Turn(admission.admit("10.0.0.1")).task
    home = [Turn(admission.admit("127.0.0.1")) for _ in range(2)]
    await settled()
    assert all(turn.began for turn in home)
    await stranger[0].end()
    assert stranger[1].began
    for turn in (stranger[1], *home):
        await turn.end()


async def test_who_stops_waiting_frees_a_place_in_line() -> None:
    admission = Admission(AdmissionLimits(turns=1, waiting=1))
    running, waiting = (Turn(admission.admit("127.0.0.1")) for _ in range(2))
    await settled()
    waiting.task.cancel()
    await settled()
    following = Turn(admission.admit("127.0.0.1"))
    await running.end()
    assert following.began
    await following.end()


async def test_who_is_called_in_the_moment_of_leaving_passes_the_turn_on() -> None:
    admission = Admission(AdmissionLimits(turns=1))
    running, leaving, following = (Turn(admission.admit("127.0.0.1")) for _ in range(3))
    await settled()
    running._end.set()
    await running.task
    leaving.task.cancel()
    await settled()
    assert following.began
    await following.end()


async def test_waiting_in_line_is_part_of_the_deadline() -> None:
    admission = Admission(AdmissionLimits(turns=1))
    running = Turn(admission.admit("127.0.0.1"))
    await settled()
    with pytest.raises(CannotAnswer) as error:
        await Turn(admission.admit("127.0.0.1"), asyncio.get_running_loop().time() + 0.01).task
    assert error.value.sentence_key == "too_slow"
    await running.end()


async def test_who_waits_in_line_for_too_long_hears_that_we_are_busy() -> None:
    admission = Admission(AdmissionLimits(turns=1))
    running = Turn(admission.admit("127.0.0.1"))
    await settled()
    with pytest.raises(CannotAnswer) as error:
        async with admission.admit("127.0.0.1").turn(NEVER, line=asyncio.get_running_loop().time() + 0.01):
            pass
    assert error.value.sentence_key == "busy"
    following = Turn(admission.admit("127.0.0.1"))
    await running.end()
    assert following.began, "nobody is in line who has left it"
    await following.end()


async def test_strangers_together_leave_turns_and_places_in_line_for_others() -> None:
    admission = Admission(AdmissionLimits(turns=4, waiting=8))
    strangers = [Turn(admission.admit(f"10.0.0.{number}")) for number in range(20)]
    await settled()
    assert [turn.began for turn in strangers] == [True, True] + [False] * 18
    assert [turn.task.done() for turn in strangers] == [False] * 6 + [True] * 14, "they hear that we are busy"
    home = [Turn(admission.admit("127.0.0.1")) for _ in range(6)]
    await settled()
    assert [turn.began for turn in home] == [True, True] + [False] * 4
    await strangers[0].end()
    assert home[2].began, "before the strangers who have waited longer"
    for turn in home[:3]:
        await turn.end()
    for turn in (strangers[1], *strangers[2:6], *home[3:]):
        await turn.end()
    for turn in strangers[6:]:
        with pytest.raises(CannotAnswer):
            await turn.task


def test_a_stranger_who_connects_too_often_is_not_let_in() -> None:
    limits = AdmissionLimits(address_events_per_second=1e-9, address_events_at_once=10)
    admission = Admission(limits)

    async def come(address: str, times: int) -> None:
        for _ in range(times):
            guest = admission.admit(address)
            await guest.pace()
            admission.release(guest)

    asyncio.run(come("10.0.0.1", 20))
    with pytest.raises(ClientRefused, match="connects too often"):
        admission.admit("10.0.0.1")
    asyncio.run(come("10.0.0.2", 20))
    asyncio.run(come("127.0.0.1", 50))


@pytest.mark.parametrize("waits", [False, True])
async def test_a_stop_ends_turns_with_a_sentence(waits: bool) -> None:
    admission = Admission(AdmissionLimits(turns=1, stop=0.01))
    running, waiting = (Turn(admission.admit("127.0.0.1")) for _ in range(2))
    guests = list(admission._guests)
    await settled()
    for guest in guests:
        guest.stop_waiting_soon()
    with pytest.raises(CannotAnswer) as error:
        await (waiting if waits else running).task
    assert error.value.sentence_key == "restarting"
    await asyncio.wait([running.task, waiting.task])
    assert all(isinstance(turn.task.exception(), CannotAnswer) for turn in (running, waiting))
