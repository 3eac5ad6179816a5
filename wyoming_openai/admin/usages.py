"""What it costs: by day, model, persona and device, drawn here as SVG, and as rows for a spreadsheet."""

import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta

from aiohttp import web

from ..ledger import Dimension, Ledger, Total
from ..prices import NANO
from ..usage_report import write_csv
from .overview import figures
from .pages import PARTS, json, page, whole_of

DAYS = 30
WIDTH, HEIGHT = 720, 180
DIMENSIONS: tuple[Dimension, ...] = ("model", "agent", "device")


@dataclass(frozen=True, slots=True)
class Bar:
    """A day in the plot."""

    x: float
    y: float
    width: float
    height: float
    day: str
    cost: int
    questions: int


@dataclass(frozen=True, slots=True)
class Plot:
    """Costs by day, with the day's budget as a line."""

    bars: tuple[Bar, ...]
    limit_y: float | None
    top: float
    """Nano-dollars at the upper edge."""


def plot(totals: Sequence[Total], today: date, days: int, budget: float | None) -> Plot:
    """Days without a call are there as well. The budget's line is drawn where it fits beside what was spent."""
    by_day = {total.key: total for total in totals}
    dates = [(today - timedelta(days=back)).isoformat() for back in range(days - 1, -1, -1)]
    most = max([total.cost for total in totals] or [0])
    limit = budget * NANO if budget is not None else None
    top = max(most, limit if limit is not None and limit <= most * 20 else 0, 1) * 1.05
    step = WIDTH / days
    bars = []
    for number, day in enumerate(dates):
        total = by_day.get(day)
        height = HEIGHT * (total.cost / top) if total else 0.0
        bars.append(
            Bar(
                round(number * step + step * 0.1, 2),
                round(HEIGHT - height, 2),
                round(step * 0.8, 2),
                round(height, 2),
                day,
                total.cost if total else 0,
                total.questions if total else 0,
            )
        )
    return Plot(tuple(bars), round(HEIGHT * (1 - limit / top), 2) if limit is not None and limit <= top else None, top)


async def show(request: web.Request) -> web.Response:
    """Plots and tables."""
    parts = request.app[PARTS]
    ledger, days = parts.ledger, whole_of(request.query, "days", DAYS, 366)
    if ledger is None:
        return page(request, "usage.html", plot=None, tables={}, figures=figures(parts), days=days)
    today = ledger.today()
    since = today - timedelta(days=days - 1)
    return page(
        request,
        "usage.html",
        plot=plot(ledger.totals("day", since), today, days, parts.budgets().total.day),
        tables={dimension: ledger.totals(dimension, since) for dimension in DIMENSIONS},
        figures=figures(parts),
        days=days,
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
    """Sums by day, month, model, persona or device for a program, in nano-dollars."""
    ledger = _ledger(request)
    since = ledger.today() - timedelta(days=whole_of(request.query, "days", DAYS, 366) - 1)
    dimension = next((each for each in ("day", "month", *DIMENSIONS) if each == request.query.get("by", "day")), None)
    if dimension is None:
        raise web.HTTPBadRequest(text="by must be day, month, model, agent or device.")
    return json({"by": dimension, "totals": [asdict(total) for total in ledger.totals(dimension, since)]})


def _ledger(request: web.Request) -> Ledger:
    ledger = request.app[PARTS].ledger
    if ledger is None:
        raise web.HTTPNotFound(text="Nothing is counted: there is no ledger.")
    return ledger
