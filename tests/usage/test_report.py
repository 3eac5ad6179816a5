"""What a person is told of the money."""

import csv
import io
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from wyoming_openai.messages import Usage
from wyoming_openai.usage.budgets import BudgetLimits, Budgets, BudgetSettings, Call
from wyoming_openai.usage.ledger import Ledger
from wyoming_openai.usage.prices import ASSUMED, FREE, NANO, Price
from wyoming_openai.usage.report import CSV_HEADER, forecast, forecast_month, money, report, write_csv

PRICE = Price(Decimal(1), Decimal(1), Decimal(1), Decimal(10), "the list")
TODAY = date(2026, 11, 23)


class Clock:
    wall, steady = 1_795_435_200.0, 0.0  # noon of 23 November 2026

    def passes(self, days: float) -> None:
        self.wall += days * 86400
        self.steady += days * 86400


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(clock: Clock) -> Iterator[Ledger]:
    with closing(Ledger(None, clock=lambda: clock.wall, monotonic=lambda: clock.steady)) as ledger:
        yield ledger


def spend(ledger: Ledger, model: str = "gpt-6-luna", price: Price = PRICE, device: str | None = "kitchen") -> None:
    with Budgets(ledger, BudgetSettings(total=BudgetLimits())).reserve(
        Call(model, price, 2000, 100, "Butler", device)
    ) as held:
        held.settle(Usage(1500, 750, 50))


def cells(text: str, first: str) -> list[str]:
    return next(line.split() for line in text.splitlines() if line.startswith(first))


def test_an_empty_ledger_shows_what_may_be_spent(ledger: Ledger) -> None:
    text = report(ledger)
    assert "23 November 2026" in text
    assert "0.0000 USD of 0.50" in text
    assert "0.0000 USD of 5.00" in text
    assert "Device" not in text


def test_days_months_models_personas_and_devices_have_tables(ledger: Ledger, clock: Clock) -> None:
    spend(ledger)
    clock.passes(1)
    spend(ledger)
    spend(ledger, "gpt-6-sol", device=None)
    text = report(ledger)
    assert cells(text, "2026-11-23") == ["2026-11-23", "1", "1", "1,500", "50%", "50", "0.0", "0.0020"]
    assert cells(text, "2026-11-24")[1:3] == ["2", "2"]
    assert cells(text, "2026-11 ")[-1] == "0.0060"
    assert cells(text, "gpt-6-luna")[-1] == "0.0040"
    assert cells(text, "Butler")[-1] == "0.0060"
    assert cells(text, "kitchen")[-1] == "0.0040"
    assert cells(text, "(none)")[-1] == "0.0020"


def test_columns_stand_under_each_other(ledger: Ledger) -> None:
    spend(ledger)
    lines = report(ledger).splitlines()
    heading, row = next((line, lines[n + 1]) for n, line in enumerate(lines) if line.startswith("Day "))
    assert len(heading) == len(row)


def test_only_the_last_days_are_listed(ledger: Ledger, clock: Clock) -> None:
    spend(ledger)
    clock.passes(20)
    spend(ledger)
    text = report(ledger, days=14)
    assert "2026-11-23" not in text
    assert cells(text, "2026-11 ")[0] == "2026-11"


def test_the_share_of_a_budget_is_shown(ledger: Ledger) -> None:
    spend(ledger)
    text = report(ledger, BudgetSettings(total=BudgetLimits(day=0.004, month=None)))
    assert f"{'█' * 10}{'░' * 10} 50%" in text
    assert "without a limit" in text


def test_a_budget_of_nothing_is_full(ledger: Ledger) -> None:
    assert "█" * 20 in report(ledger, BudgetSettings(total=BudgetLimits(day=0)))


def test_prices_that_are_assumed_or_free_are_said(ledger: Ledger) -> None:
    spend(ledger)
    spend(ledger, "gpt-99", ASSUMED)
    spend(ledger, "llama", FREE)
    text = report(ledger)
    assert "gpt-6-luna: as listed by the list" in text
    assert "gpt-99: not known" in text
    assert "llama: taken as free" in text


def test_a_ledger_that_can_not_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with closing(Ledger(tmp_path / "file" / "usage.sqlite3")) as ledger:
        ledger.open()
        assert "can't be used" in report(ledger)


def test_the_forecast_goes_by_the_last_seven_days() -> None:
    week = {date(2026, 11, day): 100 for day in range(16, 23)}
    assert forecast({**week, TODAY: 40}, TODAY) == 7 * 100 + 100 + 7 * 100
    assert forecast({**week, TODAY: 400}, TODAY) == 7 * 100 + 400 + 7 * 100


def test_days_without_a_question_slow_the_pace() -> None:
    assert forecast({date(2026, 11, 9): 700, date(2026, 11, 20): 700}, TODAY) == 1400 + 100 + 700


def test_the_first_day_is_its_own_pace() -> None:
    assert forecast({TODAY: 10}, TODAY) == 10 + 7 * 10
    assert forecast({}, TODAY) == 0


def test_the_pace_of_the_last_month_counts_in_the_first_week_but_not_its_cost() -> None:
    days = {date(2026, 10, day): 100 for day in range(25, 32)}
    assert forecast({**days, date(2026, 11, 1): 0}, date(2026, 11, 1)) == 100 + 29 * 100


def test_a_forecast_over_the_budget_says_where_it_ends(ledger: Ledger) -> None:
    spend(ledger)
    assert forecast_month(ledger) == 8 * 2_000_000
    assert "the budget stops it at 0.01" in report(ledger, BudgetSettings(total=BudgetLimits(month=0.01)))


def test_rows_for_a_spreadsheet(ledger: Ledger) -> None:
    spend(ledger, device='=HYPERLINK("x")')
    file = io.StringIO()
    write_csv(ledger, file)
    header, row = csv.reader(io.StringIO(file.getvalue()))
    named = dict(zip(header, row, strict=True))
    assert tuple(header) == CSV_HEADER
    assert named["time"] == "2026-11-23T12:00:00.000+00:00"
    assert named["device"].startswith("'=")
    assert (named["input_tokens"], named["cached_tokens"], named["cost_usd"]) == ("1500", "750", "0.002000000")


@pytest.mark.parametrize(
    ("nano", "shown"), [(0, "0.0000"), (1, "<0.0001"), (100_000, "0.0001"), (1234 * NANO, "1,234.0000")]
)
def test_money_is_readable(nano: int, shown: str) -> None:
    assert money(nano) == shown
