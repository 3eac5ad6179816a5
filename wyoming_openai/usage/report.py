"""What the ledger tells a person: tables, a forecast, rows for a spreadsheet. Reads only."""

import calendar
import csv
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import TextIO

from .budgets import BudgetSettings
from .ledger import Ledger, Total
from .prices import ASSUMED, FREE, NANO

PACE = 7  # days that a forecast goes by
BAR = 20
HEADINGS = ("questions", "calls", "tokens in", "cached", "out", "seconds", "USD")
CSV_HEADER = (
    "time",
    "agent",
    "model",
    "device",
    "caller",
    "kind",
    "conversation",
    "outcome",
    "input_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
    "latency_ms",
    "cost_usd",
    "price_from",
)


def report(ledger: Ledger, settings: BudgetSettings | None = None, *, days: int = 14) -> str:
    """Tables of the last days and months, of the month's models, personas and devices, and what is left to spend."""
    today = ledger.today()
    month = today.replace(day=1)
    sections = [
        f"Usage of the language model on {today.day} {today:%B %Y}. Days and months are those of UTC.",
        f"The ledger can't be used: {ledger.problem}." if ledger.problem else "",
        _summary(ledger, settings or BudgetSettings()),
        _table("Day", ledger.totals("day", today - timedelta(days=days - 1))),
        _table("Month", ledger.totals("month", date(month.year - 1, month.month, 1))),
        _table(f"Model in {today:%B}", models := ledger.totals("model", month)),
        _table(f"Persona in {today:%B}", _worth_showing(ledger.totals("agent", month))),
        _table(f"Device in {today:%B}", _worth_showing(ledger.totals("device", month))),
        _prices(models),
    ]
    return "\n\n".join(filter(None, sections)) + "\n"


def forecast(costs: Mapping[date, int], today: date) -> int:
    """What the month will have cost at the pace of the last seven days, in nano-dollars."""
    first = today.replace(day=1)
    spent = sum(cost for day, cost in costs.items() if first <= day <= today)
    before = [today - timedelta(days=back) for back in range(1, PACE + 1)]
    known = [day for day in before if costs and day >= min(costs)]
    now = costs.get(today, 0)
    pace = sum(costs.get(day, 0) for day in known) // len(known) if known else now
    days_left = calendar.monthrange(today.year, today.month)[1] - today.day
    return spent + max(pace - now, 0) + pace * days_left


def forecast_month(ledger: Ledger) -> int:
    """The forecast for the present month from the ledger's days."""
    today = ledger.today()
    since = min(today.replace(day=1), today - timedelta(days=PACE))
    return forecast(
        {date.fromisoformat(total.key): total.cost_nano_usd for total in ledger.totals("day", since)}, today
    )


def write_csv(ledger: Ledger, file: TextIO, since: date | None = None, until: date | None = None) -> None:
    """One row for each call."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(CSV_HEADER)
    for entry in ledger.entries(since, until):
        time = datetime.fromtimestamp(entry.at / 1000, UTC).isoformat(timespec="milliseconds")
        names = (entry.agent, entry.model, entry.device, entry.caller, entry.kind, entry.conversation, entry.outcome)
        tokens = (entry.input, entry.cached, entry.cache_write, entry.output, entry.reasoning, entry.latency)
        writer.writerow((time, *map(_cell, names), *tokens, f"{entry.cost_nano_usd / NANO:.9f}", entry.basis))


def money(nano: int) -> str:
    """US dollars to the hundredth of a cent."""
    dollars = nano / NANO
    return "<0.0001" if 0 < dollars < 0.0001 else f"{dollars:,.4f}"


def _summary(ledger: Ledger, settings: BudgetSettings) -> str:
    spent = ledger.spent()["all"]
    month = f"{ledger.today():%B}"
    return "\n".join(
        (
            _budget("Today", spent.day, settings.total.day),
            _budget(month, spent.month, settings.total.month),
            _outlook(month, forecast_month(ledger), settings.total.month),
        )
    )


def _outlook(month: str, expected: int, limit: float | None) -> str:
    stop = f"; the budget stops it at {limit:.2f}" if limit is not None and expected > limit * NANO else ""
    return f"  {'Forecast':<10} {money(expected):>9} USD for {month}{stop}"


def _budget(period: str, cost: int, limit: float | None) -> str:
    row = f"  {period:<10} {money(cost):>9} USD"
    if limit is None:
        return f"{row}, without a limit"
    share = cost / (limit * NANO) if limit else 1.0
    filled = min(round(share * BAR), BAR)
    return f"{row} of {limit:.2f} {'█' * filled}{'░' * (BAR - filled)} {share:.0%}"


def _worth_showing(totals: list[Total]) -> list[Total]:
    """One nameless device or persona for everything says nothing."""
    return totals if any(total.key for total in totals) else []


def _table(title: str, totals: list[Total]) -> str:
    if not totals:
        return ""
    rows = [(title, *HEADINGS), *(_row(total) for total in totals)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join((row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:]))).rstrip() for row in rows
    )


def _row(total: Total) -> tuple[str, ...]:
    cached = f"{total.cached / total.input:.0%}" if total.input else "0%"
    counts = (f"{total.questions:,}", f"{total.calls:,}", f"{total.input:,}", cached, f"{total.output:,}")
    return (total.key or "(none)", *counts, f"{total.latency / 1000:.1f}", money(total.cost_nano_usd))


def _prices(models: list[Total]) -> str:
    """Where the prices are from; what is assumed or taken as free is said."""
    lines = [
        f"  {model.key}: {_BASES.get(basis, f'as listed by {basis}')}"
        for model in models
        for basis in sorted(filter(None, model.bases.split(",")))
    ]
    return "\n".join(["Prices", *lines]) if lines else ""


_BASES = {
    ASSUMED.source: "not known, so a high price is assumed; set `prices` to the true one",
    FREE.source: "taken as free, since the server is your own; set `prices` if it is not",
    "the owner": "as set in your `prices`",
}


def _cell(text: str) -> str:
    """A name that a spreadsheet does not take for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text
