"""Puts recorded numbers into words: extremes, mean, consumption, each with its unit. Pure."""

from collections.abc import Iterator
from datetime import UTC, timedelta

from .intervals import HOUR, Extreme, Figures
from .periods import Period, midnight, moment, short_day
from .recorder import Series
from .state_history import since
from .subject import HistorySubject, duration, rounded
from .toolbox import ToolError

MOST_PARTS = 31
JOULES = 3600.0
"""Seconds in a watt-hour's hour."""

KILO = {"W": ("Wh", 1.0), "kW": ("kWh", 1.0), "MW": ("MWh", 1.0), "mW": ("Wh", 0.001)}
"""What power adds up to."""


def tell_measured(subject: HistorySubject, series: Series, measure: str) -> list[str]:
    """What the numbers of the period tell."""
    figures = series.figures(subject.start, subject.end, resets=subject.resets)
    if figures.low is None and not series.hours:
        return ["no number is recorded of that time"]
    if measure == "list":
        return [*_parts(subject, series), *_since(subject, series)]
    lines = [line for each in _measures(subject, measure) for line in _line(subject, figures, each)]
    unknown = () if measure == "sum" and series.hours else _unknown(subject, figures)
    return [*lines, *unknown, *_since(subject, series)]


def _measures(subject: HistorySubject, measure: str) -> tuple[str, ...]:
    if measure:
        return (measure,)
    return ("sum",) if subject.is_meter else ("min", "max", "mean")


def _line(subject: HistorySubject, figures: Figures, measure: str) -> Iterator[str]:
    if measure == "sum":
        yield _sum(subject, figures)
    elif measure == "mean" and subject.state.attributes.get("state_class") == "measurement_angle":
        raise ToolError("directions have no mean; ask for a list")
    elif measure == "mean" and figures.mean is not None:
        yield f"mean {subject.value(figures.mean, 2)} (weighted by time)"
    elif measure == "min" and figures.low is not None:
        yield f"lowest {_extreme(subject, figures.low)}"
    elif measure == "max" and figures.high is not None:
        yield f"highest {_extreme(subject, figures.high)}"
    else:
        yield f"{measure}: not recorded"


def _sum(subject: HistorySubject, figures: Figures) -> str:
    if subject.is_power:
        unit, factor = KILO.get(subject.unit, (f"{subject.unit}·h", 1.0))
        energy = figures.product / JOULES * factor
        unit, energy = ("kWh", energy / 1000) if unit == "Wh" else (unit, energy)
        return f"sum {rounded(energy, 3)} {unit} (added up from the power)"
    if subject.state.attributes.get("state_class") == "measurement" or not subject.is_numeric:
        raise ToolError("it measures moments, which have no sum; ask for min, max or mean")
    return f"sum {subject.value(figures.increase)} (what the meter counted in that time)"


def _extreme(subject: HistorySubject, extreme: Extreme) -> str:
    at = subject.when(extreme.at)
    if extreme.at <= subject.start and not extreme.within:
        at = f"the beginning ({at})"
    return f"{subject.value(extreme.value)} at {at}{' or within the hour after' if extreme.within else ''}"


def _unknown(subject: HistorySubject, figures: Figures) -> Iterator[str]:
    missing = subject.period.seconds - figures.seconds
    if figures.seconds and missing >= 1:
        yield f"known for {duration(figures.seconds)} of {duration(subject.period.seconds)}"


def _since(subject: HistorySubject, series: Series) -> list[str]:
    return [] if series.since is None else since(subject, series.since)


def _parts(subject: HistorySubject, series: Series) -> Iterator[str]:
    """Day by day, or hour by hour where the period is short."""
    for count, part in enumerate(_split(subject.period)):
        if count >= MOST_PARTS:
            yield "more: ask for a shorter period"
            return
        figures = series.figures(part.start.timestamp(), part.end.timestamp(), resets=subject.resets)
        told = ", ".join(line for each in _measures(subject, "") for line in _brief(subject, figures, each))
        when = short_day(part.start) if _by_day(subject.period) else moment(part.start, day=False)
        yield f"{when}: {told or 'not recorded'}"


def _brief(subject: HistorySubject, figures: Figures, measure: str) -> Iterator[str]:
    if measure == "sum":
        yield subject.value(figures.increase)
    elif measure == "mean" and figures.mean is not None:
        yield f"mean {rounded(figures.mean, 2)}"
    elif measure == "min" and figures.low is not None:
        yield f"lowest {rounded(figures.low.value, 3)}"
    elif measure == "max" and figures.high is not None:
        yield f"highest {subject.value(figures.high.value)}"


def _by_day(period: Period) -> bool:
    return period.seconds > 36 * HOUR


def _split(period: Period) -> Iterator[Period]:
    start = period.start
    while start.timestamp() < period.end.timestamp():
        if _by_day(period):
            end = midnight(start.date() + timedelta(days=1), start.tzinfo)
        else:
            end = (start.astimezone(UTC) + timedelta(hours=1)).astimezone(start.tzinfo)
        yield Period(start, end if end.timestamp() < period.end.timestamp() else period.end)
        start = end
