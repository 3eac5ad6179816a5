"""Nobody spends what is not there, and everything that was spent is in the ledger."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, closing
from decimal import Decimal
from pathlib import Path

import pytest

from wyoming_openai import tokens
from wyoming_openai.llm import (
    BadCredentials,
    ModelBusy,
    ModelError,
    ModelRequest,
    ModelUnreachable,
    NoAnswer,
    QuotaExceeded,
    RequestRefused,
    UnknownModel,
)
from wyoming_openai.messages import (
    AssistantMessage,
    CannotAnswer,
    Message,
    SystemMessage,
    ToolCall,
    ToolResult,
    ToolSpec,
    Usage,
    UserMessage,
)
from wyoming_openai.speech import phrasebook
from wyoming_openai.usage import ledger_file
from wyoming_openai.usage.budgets import (
    MAX_TOKENS,
    BudgetLimits,
    Budgets,
    BudgetSettings,
    BudgetSpent,
    Call,
    input_bound,
)
from wyoming_openai.usage.ledger import Ledger
from wyoming_openai.usage.ledger_file import Entry
from wyoming_openai.usage.prices import FREE, NANO, Price

PRICE = Price(Decimal(1), Decimal("0.1"), Decimal("1.25"), Decimal(10), "test")
WORST = 1000 * 1250 + 100 * 10_000
"""Nano-dollars: a thousand tokens put into the cache, a hundred written."""
CENT = 0.01
NO_LIMIT = BudgetLimits()


class Clock:
    wall, steady = 1_795_435_200.0, 0.0  # noon of 23 November 2026


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(clock: Clock, tmp_path: Path) -> Iterator[Ledger]:
    path = tmp_path / "usage.sqlite3"
    with closing(Ledger(path, clock=lambda: clock.wall, monotonic=lambda: clock.steady)) as ledger:
        yield ledger


def call(device: str | None = "kitchen", agent: str = "Butler", *, question: bool = True, price: Price = PRICE) -> Call:
    return Call("gpt", price, 1000, 100, agent, device, "talk", "10.0.0.2", "satellite", question)


def spend(budgets: Budgets, what: Call | None = None, usage: Usage | None = None) -> int:
    with budgets.reserve(what or call()) as reservation:
        reservation.settle(usage or Usage(1000, 0, 100))
    return reservation.cost_nano_usd


def entry(ledger: Ledger) -> Entry:
    (only,) = ledger.entries()
    return only


def refused(budgets: Budgets, what: Call | None = None) -> BudgetSpent:
    with pytest.raises(BudgetSpent) as error:
        spend(budgets, what)
    return error.value


def test_there_is_a_budget_by_default() -> None:
    total = BudgetSettings().total
    assert 0 < (total.day or 0) <= 1
    assert 0 < (total.month or 0) <= 10


def test_a_call_is_recorded_with_all_that_is_known_of_it(ledger: Ledger) -> None:
    cost = spend(Budgets(ledger), usage=Usage(900, 400, 50, 20, 100))
    row = entry(ledger)
    assert (row.agent, row.model, row.device, row.caller) == ("Butler", "gpt", "kitchen", "10.0.0.2")
    assert (row.kind, row.conversation, row.outcome, row.basis) == ("satellite", "talk", "done", "test")
    assert (row.input, row.cached, row.output, row.reasoning, row.cache_write) == (900, 400, 50, 20, 100)
    assert row.cost_nano_usd == cost == 400_000 + 40_000 + 125_000 + 500_000


def test_the_worst_case_is_held_while_a_call_is_open(ledger: Ledger) -> None:
    with Budgets(ledger).reserve(call()) as reservation:
        assert ledger.spent()["all"].held == reservation.cost_nano_usd == WORST


async def test_a_caller_who_leaves_pays_for_what_was_read_and_heard(ledger: Ledger) -> None:
    async def answer() -> AsyncGenerator[str, None]:
        with Budgets(ledger).reserve(call()) as reservation:
            reservation.add_output("The light is on.")
            yield "The light is on."
            raise AssertionError("nobody reads on")

    async with aclosing(answer()) as pieces:
        await anext(pieces)
    row = entry(ledger)
    assert (row.outcome, row.input, row.output) == ("cancelled", 1000, tokens.estimate("The light is on."))
    assert 1000 * 1000 < row.cost_nano_usd < WORST


@pytest.mark.parametrize(("sent", "cost"), [(True, 1000 * 1250), (False, 0)])
async def test_a_cancelled_call_costs_what_was_sent(sent: bool, cost: int, ledger: Ledger) -> None:
    async def answer() -> None:
        with Budgets(ledger).reserve(call()) as reservation:
            if sent:
                reservation.sent()
            await asyncio.Event().wait()

    turn = asyncio.create_task(answer())
    await asyncio.sleep(0)
    turn.cancel()
    with pytest.raises(asyncio.CancelledError):
        await turn
    assert entry(ledger).outcome == "cancelled"
    assert entry(ledger).cost_nano_usd == cost


@pytest.mark.parametrize("error", [BadCredentials(), ModelBusy(), QuotaExceeded(), UnknownModel(), RequestRefused()])
def test_what_the_provider_refuses_costs_nothing(error: ModelError, ledger: Ledger) -> None:
    with pytest.raises(type(error)), Budgets(ledger).reserve(call()):
        raise error
    assert (entry(ledger).outcome, entry(ledger).cost_nano_usd) == ("failed", 0)
    assert ledger.spent()["all"].day == 0


@pytest.mark.parametrize("error", [ModelUnreachable(), NoAnswer(), CannotAnswer("too_slow"), RuntimeError()])
def test_a_call_that_fails_on_the_way_costs_what_it_may_have_used(error: Exception, ledger: Ledger) -> None:
    def answer() -> None:
        with Budgets(ledger).reserve(call()) as reservation:
            reservation.add_output("Half a")
            raise error

    with pytest.raises(type(error)):
        answer()
    assert entry(ledger).outcome == "failed"
    assert entry(ledger).cost_nano_usd == 1000 * 1250 + tokens.estimate("Half a") * 10_000


def test_a_call_is_settled_once(ledger: Ledger) -> None:
    with Budgets(ledger).reserve(call()) as reservation:
        reservation.settle(Usage(10, 0, 1))
        reservation.cancel()
        reservation.settle(Usage(1000, 0, 100))
    assert reservation.cost_nano_usd == 20_000
    assert ledger.spent()["all"].day == 20_000


def test_a_server_that_counts_nothing_is_not_free(ledger: Ledger) -> None:
    with Budgets(ledger).reserve(call()) as reservation:
        reservation.add_output("Four words are these.")
        reservation.settle(Usage())
    assert entry(ledger).input == 1000
    assert entry(ledger).cost_nano_usd > 1000 * 1000


@pytest.mark.parametrize("usage", [Usage(-5000, 0, -1000), Usage(10, 5000, 10), Usage(10**30, 0, 10**30)])
def test_a_server_that_counts_nonsense_earns_nobody_money(usage: Usage, ledger: Ledger) -> None:
    spend(Budgets(ledger), usage=usage)
    assert 0 < ledger.spent()["all"].day <= PRICE.at_most(MAX_TOKENS, MAX_TOKENS)


def test_the_day_s_budget_ends_a_day(ledger: Ledger, clock: Clock) -> None:
    budgets = Budgets(ledger, BudgetSettings(total=BudgetLimits(day=CENT)))
    for _ in range(4):
        spend(budgets)
    assert refused(budgets).sentence_key == "budget_spent"
    assert ledger.spent()["all"].day == 4 * 2_000_000
    clock.wall += 86400
    clock.steady += 86400
    spend(budgets)


def test_the_month_s_budget_ends_a_month(ledger: Ledger, clock: Clock) -> None:
    budgets = Budgets(ledger, BudgetSettings(total=BudgetLimits(month=CENT)))
    for _ in range(4):
        spend(budgets)
        clock.wall += 86400
        clock.steady += 86400
    assert refused(budgets).sentence_key == "budget_month_spent"
    clock.wall += 4 * 86400
    clock.steady += 4 * 86400
    spend(budgets)


def test_a_budget_is_never_overspent_by_the_last_call(ledger: Ledger) -> None:
    budgets = Budgets(ledger, BudgetSettings(total=BudgetLimits(day=WORST / NANO)))
    with budgets.reserve(call()) as reservation:
        reservation.settle(Usage(10, 0, 1))
    assert refused(budgets).sentence_key == "budget_spent"


def test_money_that_is_only_held_makes_us_busy_not_poor(ledger: Ledger) -> None:
    budgets = Budgets(ledger, BudgetSettings(total=BudgetLimits(day=WORST / NANO)))
    with budgets.reserve(call()) as reservation:
        error = refused(budgets)
        reservation.fail(billed=False)
    assert (error.sentence_key, error.passing) == ("busy", True)
    spend(budgets)


def test_each_device_and_each_agent_can_have_a_budget(ledger: Ledger) -> None:
    settings = BudgetSettings(
        total=NO_LIMIT,
        device=BudgetLimits(day=0.003),
        devices={"office": NO_LIMIT, "nursery": BudgetLimits(day=0)},
        agents={"Jester": BudgetLimits(month=0.003)},
    )
    budgets = Budgets(ledger, settings)
    spend(budgets, call("kitchen"))
    assert refused(budgets, call("kitchen")).sentence_key == "budget_spent"
    spend(budgets, call("hall"))
    for _ in range(3):
        spend(budgets, call("office"))
    assert refused(budgets, call("nursery")).sentence_key == "budget_spent"
    spend(budgets, call("office", "Jester"))
    assert refused(budgets, call("office", "Jester")).sentence_key == "budget_month_spent"


def test_what_is_free_is_never_refused_for_money_and_yet_recorded(ledger: Ledger) -> None:
    budgets = Budgets(ledger, BudgetSettings(total=BudgetLimits(day=0, month=0)))
    spend(budgets, call(price=FREE))
    assert (entry(ledger).cost_nano_usd, entry(ledger).input) == (0, 1000)


def test_a_spent_budget_is_news_once_for_each_device_and_day(ledger: Ledger, clock: Clock) -> None:
    budgets = Budgets(ledger, BudgetSettings(total=BudgetLimits(day=0)))
    assert [budgets.is_first_notice(refused(budgets)) for _ in range(3)] == [True, False, False]
    assert budgets.is_first_notice(refused(budgets, call("hall")))
    clock.wall += 86400
    assert budgets.is_first_notice(refused(budgets))


def test_the_sentences_for_a_spent_budget_exist() -> None:
    assert {"budget_spent", "budget_month_spent", "budget_spent_now_local", "busy"} <= phrasebook.KEYS


def test_questions_a_minute_are_counted_for_each_caller(ledger: Ledger, clock: Clock) -> None:
    budgets = Budgets(ledger, BudgetSettings(questions_per_minute=2), monotonic=lambda: clock.steady)
    spend(budgets)
    spend(budgets)
    error = refused(budgets)
    assert (error.sentence_key, error.passing) == ("busy", True)
    spend(budgets, call(question=False))
    spend(budgets, Call("gpt", PRICE, 10, 10, caller="10.0.0.3"))
    clock.steady += 60
    spend(budgets)


def test_questions_a_day_are_counted_through_a_restart(ledger: Ledger) -> None:
    settings = BudgetSettings(questions_per_day=2)
    for _ in range(2):
        spend(Budgets(ledger, settings))
        spend(Budgets(ledger, settings), call(question=False))
        ledger.close()
    assert refused(Budgets(ledger, settings)).sentence_key == "budget_spent"
    spend(Budgets(ledger, settings), Call("gpt", PRICE, 10, 10, caller="10.0.0.3"))


def test_a_ledger_that_can_not_be_written_ends_the_spending(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with closing(Ledger(tmp_path / "file" / "usage.sqlite3")) as ledger:
        budgets = Budgets(ledger, BudgetSettings(total=NO_LIMIT))
        for _ in range(100):
            spend(budgets)
        assert refused(budgets).sentence_key == "apology", "that the budget is spent would not be true"


def test_ids_of_strangers_are_cut_and_cleaned(ledger: Ledger) -> None:
    spend(Budgets(ledger), call("\x1b[31m\u202e\ud800" + "x" * 5000))
    assert entry(ledger).device == "[31m" + "x" * 124


def race(budgets: list[Budgets], threads: int, asks: int) -> int:
    """Everybody asks at once, and every call costs its worst case; gives how many were let through."""
    allowed: list[int] = []
    start = threading.Barrier(threads)

    def ask(number: int) -> None:
        start.wait()
        for _ in range(asks):
            try:
                with budgets[number % len(budgets)].reserve(call(f"device {number}")) as reservation:
                    reservation.settle(Usage(1000, 0, 100, 0, 1000))
                    allowed.append(reservation.cost_nano_usd)
            except BudgetSpent:
                pass

    askers = [threading.Thread(target=ask, args=(number,)) for number in range(threads)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    return len(allowed)


def test_twenty_callers_at_once_overspend_nothing(ledger: Ledger) -> None:
    budgets = Budgets(ledger, BudgetSettings(total=BudgetLimits(day=CENT * 10)))
    allowed = race([budgets], threads=20, asks=300)
    assert allowed == int(CENT * 10 * NANO) // WORST
    assert ledger.spent()["all"].day == allowed * WORST <= CENT * 10 * NANO


def test_two_processes_on_one_ledger_overspend_nothing(
    ledger: Ledger, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_file, "LOCK_TIMEOUT", 30)  # the machine may be busy with something else
    settings = BudgetSettings(total=BudgetLimits(day=CENT * 10))
    with closing(Ledger(tmp_path / "usage.sqlite3", clock=lambda: clock.wall)) as other:
        allowed = race([Budgets(ledger, settings), Budgets(other, settings)], threads=2, asks=60)
    assert allowed == int(CENT * 10 * NANO) // WORST
    assert ledger.spent()["all"].day == allowed * WORST
    assert len(list(ledger.entries())) == allowed


async def test_calls_that_overlap_on_the_event_loop_overspend_nothing(ledger: Ledger) -> None:
    budgets = Budgets(ledger, BudgetSettings(total=BudgetLimits(day=CENT)))

    async def ask() -> int:
        try:
            with budgets.reserve(call()) as reservation:
                await asyncio.sleep(0)
                reservation.settle(Usage(1000, 0, 100, 0, 1000))
                return reservation.cost_nano_usd
        except BudgetSpent:
            return 0

    costs = await asyncio.gather(*(ask() for _ in range(300)))
    assert 0 < sum(costs) <= CENT * NANO
    assert ledger.spent()["all"].day == sum(costs)


PROSE = "You answer questions about a home in one or two short sentences, in the language of the question. "
STATES = "sensor.kitchen_temperature Kitchen temperature 21.5 °C; light.hall_2 Hall off; cover.blind_1 open 40 %\n"


@pytest.mark.parametrize(
    "text", [PROSE * 20, (PROSE + STATES) * 10, STATES * 20, "台所の電気はついていますか" * 20, ""]
)
def test_the_bound_of_a_request_is_one(text: str) -> None:
    parts: list[Message] = [SystemMessage(text), UserMessage(text), ToolResult("1", "find", text)]
    tool = ToolSpec("find", PROSE, {"type": "object", "properties": {"name": {"type": "string"}}})
    request = ModelRequest((*parts, AssistantMessage("", (ToolCall("1", "find", '{"name": "x"}'),))), (tool,))
    exact = sum(tokens.count(text) for _ in parts) + tokens.count(f"{tool}") + 4 * 5
    assert exact <= input_bound(request) <= 4 * exact + 100


def test_reasoning_that_is_sent_back_is_counted() -> None:
    thought = AssistantMessage("", native=({"type": "reasoning", "encrypted_content": "x" * 4000},))
    assert input_bound(ModelRequest((thought,))) > 2000
