"""The chart of percent of ceiling: where its marks go."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from gazeapp.engine.reports.content import Cell, Chart, Mark, MetricColumn, Panel, SourceRow
from gazeapp.engine.reports.numbers import interval, number, percent

_LABEL_WIDTH = 190.0
_PANEL_WIDTH = 168.0
_GAP = 36.0
_ROW = 26.0
_TOP = 34.0
_FOOT = 30.0
_ROUNDING = 1e-6
_MOST_TICKS = 6


def percent_chart(metrics: Sequence[MetricColumn], rows: Sequence[SourceRow]) -> Chart | None:
    """Return the chart of the metrics that have a percent of ceiling, or None when none has.

    Parameters
    ----------
    metrics, rows
        Columns and rows of a task's score table.
    """
    shown = [(k, metric) for k, metric in enumerate(metrics) if metric.has_percent]
    sources = [row for row in rows if any(_percent(row.cells[k]) is not None for k, _ in shown)]
    if not shown or not sources:
        return None
    low, high, step = _axis([row.cells[k] for row in sources for k, _ in shown])
    heights = [_TOP + _ROW * (i + 0.5) for i in range(len(sources))]
    panels = []
    for place, (k, metric) in enumerate(shown):
        left = _LABEL_WIDTH + place * (_PANEL_WIDTH + _GAP)

        def across(value: float, left: float = left) -> float:
            return round(left + (value - low) / (high - low) * _PANEL_WIDTH, 1)

        ticks = [low + step * i for i in range(round((high - low) / step) + 1)]
        panels.append(
            Panel(
                metric=metric.id,
                left=left,
                ticks=tuple((across(tick), number(tick, 0)) for tick in ticks),
                zero=across(0.0),
                hundred=across(100.0),
                marks=tuple(
                    mark
                    for row, y in zip(sources, heights, strict=True)
                    if (mark := _mark(row, row.cells[k], y, across)) is not None
                ),
            )
        )
    bottom = _TOP + _ROW * len(sources)
    return Chart(
        width=_LABEL_WIDTH + len(shown) * (_PANEL_WIDTH + _GAP),
        height=bottom + _FOOT,
        top=_TOP,
        bottom=bottom,
        panel_width=_PANEL_WIDTH,
        labels=tuple((y, row.name) for row, y in zip(sources, heights, strict=True)),
        panels=tuple(panels),
    )


def _percent(cell: Cell | None) -> float | None:
    return cell.percent if cell is not None else None


def _mark(row: SourceRow, cell: Cell | None, y: float, across: Callable[[float], float]) -> Mark | None:
    if cell is None or cell.percent is None:
        return None
    return Mark(
        x=across(cell.percent),
        low=None if cell.low is None else across(cell.low),
        high=None if cell.high is None else across(cell.high),
        y=y,
        colour=row.colour,
        kind=row.kind,
        text=f"{row.name}: {percent(cell.percent)} {interval(cell.low, cell.high)}".rstrip(),
    )


def _axis(cells: Sequence[Cell | None]) -> tuple[float, float, float]:
    """Return the ends of the axis and the distance of its ticks; 0 and 100 are always on it."""
    values = [0.0, 100.0]
    for cell in cells:
        if cell is not None:
            values += [value for value in (cell.percent, cell.low, cell.high) if value is not None]
    span = max(values) - min(values)
    step = 25.0 if span <= 25.0 * _MOST_TICKS else _round_up(span / _MOST_TICKS)
    # Rounding in a percentage of exactly 0 or 100 must not lengthen the axis by a tick.
    low = math.floor(min(values) / step + _ROUNDING) * step
    return low, math.ceil(max(values) / step - _ROUNDING) * step, step


def _round_up(value: float) -> float:
    """Return the smallest of 1, 2, 5, 10, 20, 50, ... that is not below ``value``."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= value)
