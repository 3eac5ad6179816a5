"""Several models as one, over the wire: somebody answers in time, or the failure that helps most is told."""

import asyncio
import logging
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from tests.fakes import faults
from tests.fakes.openai_api import Api, Broken, HangUp, OpenAIApi, Raw, Script, Silence, call, error, openai_api, say
from tests.llm.conftest import KEY
from tests.llm.test_contract import LOOK, QUESTION, SOON, ask, listen
from wyoming_openai.llm import (
    BadCredentials,
    ChatModel,
    ModelBusy,
    ModelError,
    ModelEvent,
    ModelReply,
    ModelRequest,
    ModelUnreachable,
    NoAnswer,
    Overloaded,
    QuotaExceeded,
    RequestRefused,
    Restarted,
    TextDelta,
    TooSlow,
    UnknownModel,
)
from wyoming_openai.llm.breaker import FAILURES, LONG_PAUSE, PAUSE
from wyoming_openai.llm.chain import ConcurrencyLimit, create_chain, most_useful
from wyoming_openai.llm.errors import retry_after
from wyoming_openai.llm.models import ModelSettings
from wyoming_openai.messages import CannotAnswer, ToolResult, Usage

Connect = Callable[..., Awaitable[ChatModel]]

STUCK = 10  # seconds after which a test gives up


@dataclass
class Clock:
    """Stands still until a test moves it."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Booked:
    """One call, as the books have it."""

    model: str
    again: bool
    text: str = ""
    end: str = "open"
    usage: Usage = field(default_factory=Usage)
    is_sent: bool = field(default=False, compare=False)

    def sent(self) -> None:
        self.is_sent = True

    def add_output(self, text: str) -> None:
        self.text += text

    def settle(self, usage: Usage) -> None:
        self.usage, self.end = usage, "done"


@dataclass
class Books:
    """Keeps every call, and refuses those to models without money."""

    calls: list[Booked] = field(default_factory=list)
    without_money: set[str] = field(default_factory=set)

    @contextmanager
    def reserve(self, settings: ModelSettings, *, again: bool) -> Iterator[Booked]:
        if settings.model in self.without_money:
            raise CannotAnswer("budget_spent", settings.model)
        self.calls.append(booked := Booked(settings.model, again))
        try:
            yield booked
        except BaseException as failure:
            if booked.end == "open":
                booked.end = "failed" if isinstance(failure, ModelError) else "cancelled"
            raise

    @property
    def ends(self) -> list[tuple[str, str]]:
        return [(call.model, call.end) for call in self.calls]


@dataclass
class Paid:
    """Books every call that a chain makes."""

    chain: ChatModel
    books: Books

    @property
    def name(self) -> str:
        return self.chain.name

    def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        return self.chain.stream(replace(request, reserve=self.books.reserve))

    async def warm(self) -> None:
        await self.chain.warm()

    async def close(self) -> None:
        await self.chain.close()


@pytest.fixture
async def second() -> AsyncIterator[OpenAIApi]:
    """The server of the model that is asked next."""
    async with openai_api() as server:
        yield server


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def books() -> Books:
    return Books()


@pytest.fixture(params=["responses", "chat"])
def wire(request: pytest.FixtureRequest) -> Api:
    api: Api = request.param
    return api


@pytest.fixture
async def chain(clock: Clock, books: Books) -> AsyncIterator[Connect]:
    """Makes chains of models: `first`, `second`, … at the servers given, all of them warm."""
    chains: list[ChatModel] = []

    async def connect(
        *servers: OpenAIApi, settings: dict[str, Any] | None = None, warm: bool = True, **options: Any
    ) -> ChatModel:
        names = ("first", "second", "third")
        each = [
            ModelSettings(**{"api_key": KEY, "base_url": server.url, "model": name, "api": "chat", **(settings or {})})
            for name, server in zip(names, servers, strict=False)
        ]
        chains.append(Paid(create_chain(each, **{"monotonic": clock, "retry_pause": 0, **options}), books))
        if warm:
            await chains[-1].warm()
        return chains[-1]

    yield connect
    for made in chains:
        await made.close()


def within(seconds: float, request: ModelRequest = QUESTION) -> ModelRequest:
    """A question that wants its answer soon."""
    deadline = asyncio.get_running_loop().time() + seconds
    return ModelRequest(request.messages, request.tools, request.cache_key, deadline)


async def failure_of(model: ChatModel, request: ModelRequest = QUESTION) -> CannotAnswer:
    with pytest.raises(CannotAnswer) as caught:
        async with asyncio.timeout(STUCK):
            await ask(model, request)
    return caught.value


async def fails(model: ChatModel, request: ModelRequest = QUESTION) -> ModelError:
    async with asyncio.timeout(STUCK):
        failure = (await listen(model, request))[1]
    assert isinstance(failure, ModelError)
    return failure


FAULTS = [
    pytest.param(api, script, kind, id=f"{api}: {name}")
    for api in ("responses", "chat")
    for name, (script, kind) in faults.before_the_first_word(api).items()
]
LATE_FAULTS = [
    pytest.param(api, script, kind, id=f"{api}: {name}")
    for api in ("responses", "chat")
    for name, (script, kind) in faults.after_a_word(api).items()
]


# --- fallbacks


@pytest.mark.parametrize(("wire", "fault", "kind"), FAULTS)
async def test_when_one_fails_before_it_speaks_the_next_answers(
    wire: Api, fault: Script, kind: type[ModelError], *, api: OpenAIApi, second: OpenAIApi, chain: Connect, books: Books
) -> None:
    api.will(fault, fault, fault)
    second.will(say("It ", "is."))
    model = await chain(api, second, settings={"api": wire})
    async with asyncio.timeout(STUCK):
        said, reply = await ask(model, within(3 * SOON if kind is TooSlow else STUCK))
    assert said == reply.message.text == "It is."
    assert reply.model == "second"
    assert {call.end for call in books.calls if call.model == "first"} == {"failed"}
    assert books.calls[-1].end == "done"


@pytest.mark.parametrize(("wire", "fault", "kind"), FAULTS)
async def test_when_nobody_is_left_the_failure_is_told_in_time(
    wire: Api, fault: Script, kind: type[ModelError], *, api: OpenAIApi, chain: Connect
) -> None:
    api.will(fault, fault, fault)
    model = await chain(api, settings={"api": wire})
    assert type(await fails(model, within(2 * SOON if kind is TooSlow else STUCK))) is kind


@pytest.mark.parametrize(("wire", "fault", "kind"), LATE_FAULTS)
async def test_who_has_begun_to_speak_is_not_replaced(
    wire: Api, fault: Script, kind: type[ModelError], *, api: OpenAIApi, second: OpenAIApi, chain: Connect, books: Books
) -> None:
    api.will(fault)
    model = await chain(api, second, settings={"api": wire})
    async with asyncio.timeout(STUCK):
        said, failure = await listen(model, within(2 * SOON if kind is TooSlow else STUCK))
    assert said == faults.HEARD
    assert type(failure) is kind
    assert (len(api.requests), len(second.requests)) == (1, 0)
    assert books.calls[0].text == faults.HEARD


@pytest.mark.parametrize(("wire", "fault", "kind"), LATE_FAULTS)
async def test_who_broke_before_anybody_heard_a_sentence_is_replaced(
    wire: Api, fault: Script, kind: type[ModelError], *, api: OpenAIApi, second: OpenAIApi, chain: Connect, books: Books
) -> None:
    api.will(fault)
    second.will(say("It ", "is."))
    model = await chain(api, second, settings={"api": wire, "gap_timeout": SOON})
    request = replace(within(STUCK), unheard=lambda: True)
    async with asyncio.timeout(STUCK), aclosing(model.stream(request)) as stream:
        events = [event async for event in stream]
    begun = events.index(Restarted())
    assert "".join(event.text for event in events[:begun] if isinstance(event, TextDelta)) == faults.HEARD
    assert events[begun + 1 : -1] == [TextDelta("It "), TextDelta("is.")]
    assert isinstance(events[-1], ModelReply)
    assert events[-1].message.text == "It is."
    assert books.ends == [("first", "failed"), ("second", "done")]


async def test_who_breaks_as_the_last_says_why(api: OpenAIApi, chain: Connect) -> None:
    api.will(Broken(say("It ", "is"), after=1, end="close"))
    failure = await fails(await chain(api), replace(within(STUCK), unheard=lambda: True))
    assert isinstance(failure, ModelUnreachable)


async def test_an_endless_answer_is_cut_and_not_asked_again(api: OpenAIApi, second: OpenAIApi, chain: Connect) -> None:
    api.will(faults.endless("chat"))
    assert (await ask(await chain(api, second)))[1].truncated
    assert len(api.requests) == 1


async def test_the_answer_of_the_first_costs_no_second_call(api: OpenAIApi, second: OpenAIApi, chain: Connect) -> None:
    said, reply = await ask(await chain(api, second))
    assert (said, reply.model) == ("OK", "first")
    assert second.requests == []


async def test_everybody_gets_a_share_of_the_time(api: OpenAIApi, second: OpenAIApi, chain: Connect) -> None:
    api.will(Silence())
    second.will(Silence())
    async with openai_api() as third:
        assert (await ask(await chain(api, second, third), within(3 * SOON)))[1].model == "third"


async def test_a_chain_that_is_silent_ends_before_the_deadline(
    api: OpenAIApi, second: OpenAIApi, chain: Connect, books: Books
) -> None:
    api.will(Silence())
    second.will(Silence())
    model = await chain(api, second)
    request = within(3 * SOON)
    assert isinstance(await fails(model, request), TooSlow)
    assert request.deadline is not None
    assert asyncio.get_running_loop().time() < request.deadline
    assert books.ends == [("first", "failed"), ("second", "failed")]


async def test_an_answer_in_progress_ends_before_the_deadline(api: OpenAIApi, chain: Connect) -> None:
    api.will(Broken(say("It ", "is ", "on."), after=2, end="stall"))
    model = await chain(api)
    request = within(2 * SOON)
    assert isinstance(await fails(model, request), TooSlow)
    assert request.deadline is not None
    assert asyncio.get_running_loop().time() < request.deadline


@pytest.mark.parametrize(
    ("failures", "told"),
    [
        ([ModelUnreachable(), QuotaExceeded()], QuotaExceeded),
        ([TooSlow(), ModelUnreachable()], TooSlow),
        ([ModelBusy(), BadCredentials(), NoAnswer()], BadCredentials),
        ([Overloaded(), ModelUnreachable()], ModelUnreachable),
        ([NoAnswer(), RequestRefused()], RequestRefused),
        ([UnknownModel(), ModelBusy()], UnknownModel),
        ([QuotaExceeded(), TypeError("a mistake of ours")], TypeError),
    ],
)
def test_the_failure_that_helps_most_is_told(failures: list[Exception], told: type[Exception]) -> None:
    assert type(most_useful(failures)) is told
    assert type(most_useful(failures[::-1])) is told


# --- once more


@pytest.mark.parametrize(
    "passing",
    [
        error(408),
        error(409),
        error(500),
        error(503, headers={"Retry-After": "0"}),
        error(429, code="rate_limit_exceeded", headers={"Retry-After-Ms": "10"}),
        Broken(say("It"), after=0, end="reset"),
        Broken(say("It"), after=0, then={"code": "server_error", "message": "Sorry"}),
    ],
)
async def test_what_may_pass_is_tried_once_more(
    wire: Api, passing: Script, api: OpenAIApi, chain: Connect, books: Books
) -> None:
    api.will(passing, say("Yes."))
    assert (await ask(await chain(api, settings={"api": wire})))[0] == "Yes."
    assert books.ends == [("first", "failed"), ("first", "done")]
    assert [call.again for call in books.calls] == [False, True]


async def test_a_connection_that_breaks_is_tried_once_more(
    wire: Api, api: OpenAIApi, chain: Connect, books: Books
) -> None:
    api.will(HangUp(), HangUp(), say("Yes."))  # the kept connection, a new one, and the second try
    assert (await ask(await chain(api, settings={"api": wire})))[0] == "Yes."
    assert books.ends == [("first", "failed"), ("first", "done")]


@pytest.mark.parametrize(
    "lasting",
    [
        error(400),
        error(401),
        error(403),
        error(404, "The model `a` does not exist"),
        error(429, type="insufficient_quota"),
        error(429, code="rate_limit_exceeded"),
        error(429, code="rate_limit_exceeded", headers={"Retry-After": "20"}),
        error(503, headers={"Retry-After": "120"}),
        say(),
    ],
)
async def test_what_does_not_pass_is_not_tried_again(
    wire: Api, lasting: Script, api: OpenAIApi, chain: Connect
) -> None:
    api.will(lasting)
    await fails(await chain(api, settings={"api": wire}))
    assert len(api.requests) == 1


async def test_nothing_is_tried_three_times(api: OpenAIApi, chain: Connect) -> None:
    api.will(error(500), error(500))
    assert isinstance(await fails(await chain(api)), ModelUnreachable)
    assert len(api.requests) == 2


async def test_nothing_is_tried_again_when_the_time_is_over(api: OpenAIApi, chain: Connect) -> None:
    api.will(error(429, code="rate_limit_exceeded", headers={"Retry-After": "1"}))
    assert isinstance(await fails(await chain(api), within(SOON)), ModelBusy)
    assert len(api.requests) == 1


async def test_nobody_waits_for_a_busy_model_while_another_is_there(
    api: OpenAIApi, second: OpenAIApi, chain: Connect
) -> None:
    api.will(error(429, code="rate_limit_exceeded", headers={"Retry-After": "1"}))
    assert (await ask(await chain(api, second)))[1].model == "second"
    assert len(api.requests) == 1


NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "1500", "retry-after": "2"}, 1.5),
        ({"retry-after": format_datetime(NOW + timedelta(seconds=30), usegmt=True)}, 30),
        ({"retry-after": format_datetime(NOW - timedelta(seconds=30), usegmt=True)}, 0),
        ({"retry-after": "-3"}, 0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Mon, 23 Nov 2026 12:00:00 -0000"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "1e999"}, None),
        ({}, None),
    ],
)
def test_servers_say_in_several_ways_how_long_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, NOW) == seconds


# --- models that are broken


async def test_what_fails_again_and_again_is_left_alone_for_a_while(
    api: OpenAIApi, second: OpenAIApi, chain: Connect, clock: Clock
) -> None:
    model = await chain(api, second)
    api.will(*[say()] * FAILURES)
    for _ in range(FAILURES + 3):
        assert (await ask(model))[1].model == "second"
    assert len(api.requests) == FAILURES
    clock.now += PAUSE
    assert (await ask(model))[1].model == "first"
    assert (await ask(model))[1].model == "first"


async def test_when_all_are_left_alone_the_reason_is_told_without_a_call(
    api: OpenAIApi, second: OpenAIApi, chain: Connect, books: Books
) -> None:
    api.will(error(401))
    second.will(error(404, "The model `a` does not exist"))
    model = await chain(api, second)
    first_told = await fails(model)
    told = await fails(model)
    assert type(told) is type(first_told) is BadCredentials
    assert (told.sentence_key, str(told)) == (first_told.sentence_key, str(first_told))
    assert len(books.calls) == len(api.requests) + len(second.requests) == 2


@pytest.mark.parametrize(
    "lasting",
    [error(401), error(404, "The model `a` does not exist"), error(429, type="insufficient_quota")],
)
async def test_what_only_its_owner_can_repair_is_left_alone_at_once(
    lasting: Raw, api: OpenAIApi, chain: Connect, clock: Clock
) -> None:
    api.will(lasting)
    model = await chain(api)
    await fails(model)
    clock.now += LONG_PAUSE - 1
    await fails(model)
    assert len(api.requests) == 1
    clock.now += 1
    assert (await ask(model))[0] == "OK"


async def test_a_server_is_left_alone_as_long_as_it_asks_for(api: OpenAIApi, chain: Connect, clock: Clock) -> None:
    api.will(error(429, code="rate_limit_exceeded", headers={"Retry-After": "20"}))
    model = await chain(api)
    await fails(model)
    clock.now += 19
    assert isinstance(await fails(model), ModelBusy)
    clock.now += 1
    assert (await ask(model))[0] == "OK"


async def test_one_question_probes_and_the_others_do_not_wait_for_it(
    api: OpenAIApi, chain: Connect, clock: Clock
) -> None:
    api.will(error(401), Silence())
    model = await chain(api)
    await fails(model)
    clock.now += LONG_PAUSE
    api.asked.clear()
    probe = asyncio.create_task(ask(model))
    await asyncio.wait_for(api.asked.wait(), STUCK)
    assert isinstance(await fails(model), BadCredentials)
    probe.cancel()
    await asyncio.wait([probe])
    assert (await ask(model))[0] == "OK"


async def test_requests_that_are_refused_leave_the_model_in_use(api: OpenAIApi, chain: Connect) -> None:
    model = await chain(api)
    api.will(*[error(400)] * (FAILURES + 1))
    for _ in range(FAILURES + 1):
        assert isinstance(await fails(model), RequestRefused)
    assert (await ask(model))[0] == "OK"


async def test_failures_are_logged_once_and_the_recovery_too(
    api: OpenAIApi, chain: Connect, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    api.will(*[say()] * FAILURES)
    model = await chain(api)
    with caplog.at_level(logging.INFO, "wyoming_openai.llm"):
        for _ in range(FAILURES + 3):
            await fails(model)
        clock.now += PAUSE
        await ask(model)
        await ask(model)
    failed, left_alone, again = (
        record.message for record in caplog.records if record.name.startswith("wyoming_openai.llm")
    )
    assert failed.startswith("first at 127.0.0.1")
    assert "left alone" in left_alone
    assert "answers again" in again


async def test_a_password_in_an_address_is_not_logged(chain: Connect, caplog: pytest.LogCaptureFixture) -> None:
    nobody = OpenAIApi(url="http://somebody:opensesame@127.0.0.1:1/v1")
    with caplog.at_level(logging.DEBUG, "wyoming_openai.llm"):
        await fails(await chain(nobody, warm=False))
    assert "opensesame" not in caplog.text


# --- a second call beside one that is late


async def test_a_late_model_is_overtaken_and_stopped_at_once(
    api: OpenAIApi, second: OpenAIApi, chain: Connect, books: Books
) -> None:
    api.will(Silence())
    model = await chain(api, second, hedge=0.01)
    async with asyncio.timeout(STUCK), aclosing(model.stream(QUESTION)) as stream:
        assert await anext(stream) == TextDelta("OK")
        assert books.ends == [("first", "cancelled"), ("second", "open")]
        await api.gone.wait()
        assert isinstance(await anext(stream), ModelReply)
    assert books.ends == [("first", "cancelled"), ("second", "done")]
    assert [call.again for call in books.calls] == [False, True]


async def test_a_model_that_speaks_in_time_has_no_second_call(
    api: OpenAIApi, second: OpenAIApi, chain: Connect
) -> None:
    assert (await ask(await chain(api, second, hedge=STUCK)))[1].model == "first"
    assert second.requests == []


async def test_without_another_the_same_model_is_asked_twice(api: OpenAIApi, chain: Connect, books: Books) -> None:
    api.will(Silence(), say("Yes."))
    assert (await ask(await chain(api, hedge=0.01)))[0] == "Yes."
    assert books.ends == [("first", "cancelled"), ("first", "done")]


async def test_a_second_call_that_fails_does_no_harm(api: OpenAIApi, second: OpenAIApi, chain: Connect) -> None:
    second.will(error(401))
    assert (await ask(await chain(api, second, hedge=0)))[1].model == "first"


async def test_when_both_calls_fail_the_next_model_is_asked(api: OpenAIApi, second: OpenAIApi, chain: Connect) -> None:
    api.will(say())
    second.will(error(401))
    async with openai_api() as third:
        assert (await ask(await chain(api, second, third, hedge=0)))[1].model == "third"


async def test_when_every_call_fails_the_most_useful_failure_is_told(
    api: OpenAIApi, second: OpenAIApi, chain: Connect
) -> None:
    api.will(Silence())
    second.will(error(401))
    assert isinstance(await fails(await chain(api, second, hedge=0.01), within(2 * SOON)), BadCredentials)


async def test_a_model_that_is_overtaken_again_and_again_is_left_alone(
    api: OpenAIApi, second: OpenAIApi, chain: Connect
) -> None:
    api.will(*[Silence()] * FAILURES)
    model = await chain(api, second, hedge=0.01)
    for _ in range(FAILURES + 2):
        assert (await ask(model))[1].model == "second"
    assert len(api.requests) == FAILURES


async def test_no_second_call_is_made_while_others_wait(api: OpenAIApi, second: OpenAIApi, chain: Connect) -> None:
    api.will(Silence())
    model = await chain(
        api, second, hedge=0.01, gate=ConcurrencyLimit(at_once=1), settings={"first_token_timeout": SOON}
    )
    assert (await ask(model))[1].model == "second"
    assert len(second.requests) == 1


# --- many questions at once


async def test_too_many_questions_at_once_are_turned_away(api: OpenAIApi, chain: Connect, books: Books) -> None:
    api.will(Silence())
    model = await chain(api, gate=ConcurrencyLimit(at_once=1, waiting=1))
    asked = asyncio.create_task(listen(model, within(STUCK)))
    await asyncio.wait_for(api.asked.wait(), STUCK)
    waiting = asyncio.create_task(listen(model, within(2 * SOON)))
    await asyncio.sleep(0)
    assert isinstance(await fails(model), Overloaded)
    assert isinstance((await waiting)[1], Overloaded)  # it has waited half of its time
    asked.cancel()
    await asyncio.wait([asked])
    assert (await ask(model))[0] == "OK"
    assert len(books.calls) == 2


async def test_questions_that_wait_are_answered_one_after_the_other(api: OpenAIApi, chain: Connect) -> None:
    model = await chain(api, gate=ConcurrencyLimit(at_once=2, waiting=8))
    answers = await asyncio.gather(*(ask(model) for _ in range(10)))
    assert [said for said, _ in answers] == ["OK"] * 10


# --- leaving


@pytest.mark.parametrize("hedge", [None, 0])
async def test_a_cancelled_question_stops_every_call(
    hedge: float | None, api: OpenAIApi, second: OpenAIApi, chain: Connect, books: Books
) -> None:
    gate = ConcurrencyLimit(at_once=2)
    api.will(Silence())
    second.will(Silence())
    asked = asyncio.create_task(listen(await chain(api, second, hedge=hedge, gate=gate)))
    servers = [api] if hedge is None else [api, second]
    async with asyncio.timeout(STUCK):
        for server in servers:
            await server.asked.wait()
        asked.cancel()
        await asyncio.wait([asked])
        for server in servers:
            await server.gone.wait()
    assert asked.cancelled()
    assert {end for _, end in books.ends} == {"cancelled"}
    assert gate.free


async def test_who_stops_listening_stops_the_model(api: OpenAIApi, chain: Connect, books: Books) -> None:
    api.will(Broken(say("It ", "is ", "on."), after=1, end="stall"))
    model = await chain(api)
    async with aclosing(model.stream(QUESTION)) as stream:
        assert await anext(stream) == TextDelta("It ")
    await asyncio.wait_for(api.gone.wait(), STUCK)
    assert books.calls == [Booked("first", False, "It ", "cancelled")]
    assert (await ask(model))[0] == "OK"


async def test_what_a_server_quotes_is_not_logged(
    api: OpenAIApi, chain: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    api.will(error(400, f"bad input: 'where is my diary?' of {KEY[8:20]}", code="invalid_value"))
    model = await chain(api)
    with caplog.at_level("INFO"):
        failure = await fails(model)
    assert "diary" not in caplog.text
    assert "invalid_value" in caplog.text
    assert "diary" in str(failure), "its owner sees it on the page, and in the doctor's report"
    assert KEY[8:20] not in str(failure)


# --- books


async def test_every_call_is_booked_with_what_it_used(api: OpenAIApi, chain: Connect, books: Books) -> None:
    api.will(say("Yes.", usage=(120, 80, 30, 10)))
    await ask(await chain(api))
    assert books.calls == [Booked("first", False, "Yes.", "done", Usage(120, 80, 30, 10))]


async def test_a_request_that_went_out_is_told_from_one_that_did_not(
    api: OpenAIApi, chain: Connect, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.will(Silence())
    assert isinstance(await fails(await chain(api), within(SOON)), TooSlow)
    monkeypatch.setattr("wyoming_openai.llm.transport.CONNECT_TIMEOUT", 0.05)
    silent = socket.create_server(("127.0.0.1", 0))  # never says a word, so that no TLS comes about
    with silent:
        unsafe = {"base_url": f"https://127.0.0.1:{silent.getsockname()[1]}/v1"}
        assert isinstance(await fails(await chain(api, settings=unsafe, warm=False)), ModelUnreachable)
    refused = {"base_url": unsafe["base_url"].replace("https", "http")}
    assert isinstance(await fails(await chain(api, settings=refused, warm=False)), ModelUnreachable)
    assert [call.is_sent for call in books.calls] == [True, False, False, False]


async def test_a_call_that_may_not_be_paid_is_not_made_and_the_next_is(
    api: OpenAIApi, second: OpenAIApi, chain: Connect, books: Books
) -> None:
    books.without_money = {"first"}
    model = await chain(api, second)
    assert (await ask(model))[1].model == "second"
    assert api.requests == []
    assert books.calls[0].again is False


async def test_that_there_is_no_money_is_more_useful_than_any_other_failure(
    api: OpenAIApi, second: OpenAIApi, chain: Connect, books: Books
) -> None:
    books.without_money = {"first"}
    second.will(error(401))
    assert (await failure_of(await chain(api, second))).sentence_key == "budget_spent"
    books.without_money = {"first", "second"}
    assert str(await failure_of(await chain(api, second))) == "first"


# --- turns with tools


async def test_who_called_a_tool_gets_its_result(api: OpenAIApi, second: OpenAIApi, chain: Connect) -> None:
    api.will(error(503), error(503))
    second.will(call("look"), say("It is on."))
    model = await chain(api, second)
    message = (await ask(model, ModelRequest(QUESTION.messages, (LOOK,))))[1].message
    messages = (*QUESTION.messages, message, ToolResult("call_1", "look", "{}"))
    assert (await ask(model, ModelRequest(messages, (LOOK,))))[1].model == "second"
    assert len(api.requests) == 2


async def test_thoughts_of_one_model_are_not_shown_to_another(
    wire: Api, api: OpenAIApi, second: OpenAIApi, chain: Connect
) -> None:
    api.will(call("look", thought="I must look."), error(401))
    model = await chain(api, second, settings={"api": wire, "model": "gpt-5-mini"})
    message = (await ask(model, ModelRequest(QUESTION.messages, (LOOK,))))[1].message
    messages = (*QUESTION.messages, message, ToolResult("call_1", "look", "{}"))
    assert message.native
    await ask(model, ModelRequest(messages, (LOOK,)))
    assert "call_1" in str(second.bodies[0])
    assert "rs_1" not in str(second.bodies[0])
    assert "I must look." not in str(second.bodies[0])


# --- the seam


async def test_the_chain_is_called_by_its_first_model(api: OpenAIApi, second: OpenAIApi, chain: Connect) -> None:
    assert (await chain(api, second, warm=False)).name == "first"


async def test_all_models_are_warmed(api: OpenAIApi, second: OpenAIApi, chain: Connect) -> None:
    await chain(api, second)
    assert [server.looked_up[0].path for server in (api, second)] == ["/v1/models/first", "/v1/models/second"]
