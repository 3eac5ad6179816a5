"""What it costs: over time by model, persona and device, against the budgets, and as rows for a spreadsheet."""

import calendar
import io
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Literal, cast

from aiohttp import web

from ...hass.home import Home
from ...usage.budgets import BudgetLimits, BudgetSettings
from ...usage.ledger import Dimension, Ledger, Total
from ...usage.prices import NANO
from ...usage.report import write_csv
from ..plots import plot
from ..rendering import PARTS, json, one_of, page, whole_of
from .overview import figures

DAYS = 30
MANY_DAYS = 92
"""More are drawn month by month."""
DIMENSIONS: tuple[Dimension, ...] = ("model", "agent", "device")
MEASURES = ("cost", "questions", "tokens")


@dataclass(frozen=True, slots=True)
class BudgetLine:
    """What somebody has spent of what they may spend, in nano-dollars."""

    name: str
    kind: str
    """all, agent or device."""
    period: str
    """day or month."""
    spent: int
    limit: int

    @property
    def is_spent(self) -> bool:
        return self.spent >= self.limit


def budget_lines(ledger: Ledger, budgets: BudgetSettings, home: Home | None, since: date) -> list[BudgetLine]:
    """Every budget that is set: that of all, of each persona, of each device."""
    scopes = {("all", ""): budgets.total}
    scopes |= {("agent", name): limits for name, limits in _limited(ledger, "agent", budgets, since)}
    scopes |= {("device", name): limits for name, limits in _limited(ledger, "device", budgets, since)}
    spent = ledger.spent([_scope(kind, name) for kind, name in scopes])
    lines = []
    for (kind, name), limits in scopes.items():
        sums = spent[_scope(kind, name)]
        for period, sum_, limit in (("day", sums.day, limits.day), ("month", sums.month, limits.month)):
            if limit is not None:
                lines.append(BudgetLine(called(kind, name, home), kind, period, sum_, round(limit * NANO)))
    return lines


def _scope(kind: str, name: str) -> str:
    return kind if kind == "all" else f"{kind}:{name}"


def _limited(
    ledger: Ledger, kind: Literal["agent", "device"], budgets: BudgetSettings, since: date
) -> Iterator[tuple[str, BudgetLimits]]:
    """Who has a budget: those with one of their own, and those who have asked."""
    own, common = (budgets.agents, budgets.agent) if kind == "agent" else (budgets.devices, budgets.device)
    names = dict.fromkeys((*own, *(total.key for total in ledger.totals(kind, since))))
    for name in names:
        limits = own.get(name, common)
        if limits != BudgetLimits():
            yield name, limits


def called(kind: str, key: str, home: Home | None) -> str:
    """The name of a persona, a model or a device, as people know it."""
    if kind == "all":
        return "everybody"
    device = home.registries.devices.get(key) if home and kind == "device" else None
    return (device.name if device else None) or key or {"device": "no device"}.get(kind, "(none)")


def buckets(today: date, days: int) -> Iterator[tuple[str, date, date]]:
    """The days up to today, or the months where there are too many days to tell apart."""
    first = today - timedelta(days=days - 1)
    if days <= MANY_DAYS:
        yield from ((day.isoformat(), day, day) for day in (first + timedelta(days=n) for n in range(days)))
        return
    month = first.replace(day=1)
    while month <= today:
        last = month.replace(day=calendar.monthrange(month.year, month.month)[1])
        yield month.isoformat()[:7], month, last
        month = last + timedelta(days=1)


def measured(total: Total, what: str) -> float:
    """What is drawn of a sum."""
    if what == "cost":
        return total.cost_nano_usd
    return total.questions if what == "questions" else total.input + total.output


async def show(request: web.Request) -> web.Response:
    """Plots, budgets and tables."""
    parts = request.app[PARTS]
    ledger, home, days = parts.ledger, parts.mirror().home, whole_of(request.query, "days", DAYS, 366)
    by = cast("Dimension", one_of(request.query, "by", DIMENSIONS))
    what = one_of(request.query, "what", MEASURES)
    if ledger is None:
        return page(request, "usage.html", plot=None, figures=figures(parts), days=days, by=by, what=what)
    today = ledger.today()
    since, budgets = today - timedelta(days=days - 1), parts.budgets()
    values = {
        name: {called(by, total.key, home): measured(total, what) for total in ledger.totals(by, first, last)}
        for name, first, last in buckets(today, days)
    }
    limit = budgets.total.day if days <= MANY_DAYS else budgets.total.month
    return page(
        request,
        "usage.html",
        plot=plot(values, limit * NANO if limit is not None and what == "cost" else None),
        limit=limit * NANO if limit is not None else None,
        tables={each: ledger.totals(each, since) for each in DIMENSIONS},
        budgets=budget_lines(ledger, budgets, home, today.replace(day=1)),
        called=lambda kind, key: called(kind, key, home),
        figures=figures(parts),
        days=days,
        many=days > MANY_DAYS,
        by=by,
        what=what,
    )


async def csv_file(request: web.Request) -> web.Response:
    """One row for each call."""
    ledger = _ledger(request)
    text = io.StringIO()
    write_csv(ledger, text, ledger.today() - timedelta(days=whole_of(request.query, "days", DAYS, 366) - 1))
    return web.Response(
        text=text.getvalue(),
        content_type="text/csv",
        headers={"Content-Disposition": 'attachment; filename="wyoming-openai-usage.csv"'},
    )


async def usage_json(request: web.Request) -> web.Response:
    """Sums by day, month, model, persona or device for a program, in nano-dollars; and the budgets."""
    ledger, parts = _ledger(request), request.app[PARTS]
    by = cast("Dimension", one_of(request.query, "by", ("day", "month", *DIMENSIONS)))
    today = ledger.today()
    since = today - timedelta(days=whole_of(request.query, "days", DAYS, 366) - 1)
    lines = budget_lines(ledger, parts.budgets(), parts.mirror().home, today.replace(day=1))
    totals = [asdict(total) for total in ledger.totals(by, since)]
    return json({"by": by, "totals": totals, "budgets": [asdict(line) for line in lines]})


def _ledger(request: web.Request) -> Ledger:
    ledger = request.app[PARTS].ledger
    if ledger is None:
        raise web.HTTPNotFound(text="Nothing is counted: there is no ledger.")
    return ledger
