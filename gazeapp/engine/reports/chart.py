"""The chart of percent of ceiling: where its marks go."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gazeapp.engine.reports.content import Cell, Chart, Mark, MetricColumn, Panel, SourceRow
from gazeapp.engine.reports.numbers import interval, number, percent
from gazeapp.engine.scoring.facts import is_lower_bound

_LABEL_WIDTH = 190.0
_CHARACTER = 7.0
"""Width of one character of a label."""
_PANEL_WIDTH = 168.0
_GAP = 36.0
_ROW = 26.0
_TOP = 34.0
_FOOT = 30.0
_ROUNDING = 1e-6
_STEP = 25.0
_MOST_TICKS = 6
_FARTHEST = 300.0
"""Percent; what lies farther out is an arrow at the end of the axis."""


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
    heights = [_TOP + _ROW * (i + 0.5) for i in range(len(sources))]
    width = max(_LABEL_WIDTH, _CHARACTER * max(len(row.name) for row in sources) + _GAP / 2)
    panels = []
    for place, (k, metric) in enumerate(shown):
        axis = _Axis.of(width + place * (_PANEL_WIDTH + _GAP), [row.cells[k] for row in sources])
        panels.append(
            Panel(
                metric=metric.id,
                lower_bound=is_lower_bound(metric.estimator),
                left=axis.left,
                ticks=tuple((axis.x(tick), axis.label(tick)) for tick in axis.ticks()),
                zero=axis.x(0.0),
                hundred=axis.x(100.0),
                marks=tuple(
                    mark
                    for row, y in zip(sources, heights, strict=True)
                    if (mark := _mark(row, row.cells[k], y, axis)) is not None
                ),
            )
        )
    bottom = _TOP + _ROW * len(sources)
    return Chart(
        width=width + len(shown) * (_PANEL_WIDTH + _GAP),
        height=bottom + _FOOT,
        top=_TOP,
        bottom=bottom,
        panel_width=_PANEL_WIDTH,
        labels=tuple((y, row.name) for row, y in zip(sources, heights, strict=True)),
        panels=tuple(panels),
    )


def _percent(cell: Cell | None) -> float | None:
    return cell.percent if cell is not None else None


@dataclass(frozen=True)
class _Axis:
    """The axis of one panel: left edge, ends and distance of ticks in percent."""

    left: float
    low: float
    high: float
    step: float

    @classmethod
    def of(cls, left: float, cells: Sequence[Cell | None]) -> _Axis:
        """Return an axis with 0, 100 and all that is within ``_FARTHEST``: one extreme value flattens no others."""
        values = [0.0, 100.0]
        for cell in cells:
            if cell is not None and cell.percent is not None and abs(cell.percent) <= _FARTHEST:
                ends = (cell.percent, cell.low, cell.high)
                values += [value for value in ends if value is not None and abs(value) <= _FARTHEST]
        span = max(values) - min(values)
        step = _STEP if span <= _STEP * _MOST_TICKS else _round_up(span / _MOST_TICKS)
        # Rounding in a percentage of exactly 0 or 100 must not lengthen the axis by a tick.
        low = math.floor(min(values) / step + _ROUNDING) * step
        return cls(left, low, math.ceil(max(values) / step - _ROUNDING) * step, step)

    def ticks(self) -> list[float]:
        """Return the values of the ticks."""
        return [self.low + self.step * i for i in range(round((self.high - self.low) / self.step) + 1)]

    def label(self, tick: float) -> str:
        """Return the label of a tick; of many ticks with long labels every second one, 0 included, has one."""
        crowded = self.step > _STEP and len(self.ticks()) > _MOST_TICKS
        return "" if crowded and round(tick / self.step) % 2 else number(tick, 0)

    def x(self, value: float) -> float:
        """Return where a value is, or the end of the axis that it lies beyond."""
        shown = min(max(value, self.low), self.high)
        return round(self.left + (shown - self.low) / (self.high - self.low) * _PANEL_WIDTH, 1)

    def beyond(self, value: float) -> bool:
        """Return whether a value is off the axis, by more than rounding."""
        slack = _ROUNDING * self.step
        return not self.low - slack <= value <= self.high + slack


def _mark(row: SourceRow, cell: Cell | None, y: float, axis: _Axis) -> Mark | None:
    if cell is None or cell.percent is None:
        return None
    off = axis.beyond(cell.percent)
    low, high = (None, None) if off else (cell.low, cell.high)
    return Mark(
        x=axis.x(cell.percent),
        low=None if low is None else axis.x(low),
        high=None if high is None else axis.x(high),
        low_is_beyond=low is not None and axis.beyond(low),
        high_is_beyond=high is not None and axis.beyond(high),
        y=y,
        colour=row.colour,
        kind=row.kind,
        text=f"{row.name}: {percent(cell.percent)} {interval(cell.low, cell.high)}".rstrip(),
        arrow="" if not off else "left" if cell.percent < 0 else "right",
        label=percent(cell.percent) if off else "",
    )


def _round_up(value: float) -> float:
    """Return the smallest of 1, 2, 5, 10, 20, 50, ... that is not below ``value``."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= value)
