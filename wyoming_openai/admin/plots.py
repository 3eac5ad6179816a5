"""Stacked bars over time, worked out here so that a page needs no script to draw them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 720, 180
SERIES = 6
NEAR = 4
"""A limit that is further above the bars would make them too small to read."""
OTHERS = "all others"


@dataclass(frozen=True, slots=True)
class Piece:
    """What one series adds to a bar."""

    series: int
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Bar:
    """A day or a month."""

    name: str
    x: float
    width: float
    total: float
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Plot:
    """Bars, what their colours stand for, and a limit as a line."""

    bars: tuple[Bar, ...]
    series: tuple[str, ...]
    limit_y: float | None
    top: float
    """The value at the upper edge."""

    @property
    def is_empty(self) -> bool:
        return not any(bar.total for bar in self.bars)


def plot(values: Mapping[str, Mapping[str, float]], limit: float | None) -> Plot:
    """Bars from values by name and series; the largest series have colours of their own.

    The line of a limit is drawn where it fits beside what there is.
    """
    series = largest(values)
    totals = {name: sum(parts.values()) for name, parts in values.items()}
    most = max(totals.values(), default=0)
    top = max(most, limit if limit is not None and limit <= most * NEAR else 0) * 1.08 or 1.0
    step = WIDTH / max(len(values), 1)
    bars = tuple(
        Bar(name, round(number * step + step * 0.1, 2), round(step * 0.8, 2), totals[name], _pieces(parts, series, top))
        for number, (name, parts) in enumerate(values.items())
    )
    is_drawn = limit is not None and limit <= top and most > 0
    return Plot(bars, series, round(HEIGHT * (1 - (limit or 0) / top), 2) if is_drawn else None, top)


def largest(values: Mapping[str, Mapping[str, float]]) -> tuple[str, ...]:
    """The series with the largest sums, the largest first; the rest is one."""
    sums: dict[str, float] = {}
    for parts in values.values():
        for name, value in parts.items():
            sums[name] = sums.get(name, 0) + value
    ordered = sorted(sums, key=lambda name: (-sums[name], name))
    return tuple(ordered) if len(ordered) <= SERIES else (*ordered[: SERIES - 1], OTHERS)


def _pieces(parts: Mapping[str, float], series: Sequence[str], top: float) -> tuple[Piece, ...]:
    heights = dict.fromkeys(range(len(series)), 0.0)
    for name, value in parts.items():
        heights[series.index(name) if name in series else len(series) - 1] += HEIGHT * value / top
    pieces, y = [], float(HEIGHT)
    for number, height in heights.items():
        if height > 0:
            y -= height
            pieces.append(Piece(number, round(y, 2), round(height, 2)))
    return tuple(pieces)
