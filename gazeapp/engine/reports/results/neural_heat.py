"""Every region by every source: the table whose cells are coloured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from gazeapp.engine.reports.numbers import UNKNOWN, number
from gazeapp.engine.reports.results.data import Cell, Column, ResultTable, Row
from gazeapp.engine.reports.results.neural import NeuralResults, measure_name, shown_sources
from gazeapp.engine.reports.results.neural_measures import (
    MEASURES,
    MINUS,
    SHARE,
    NeuralAsked,
    Shown,
    shown,
    value_text,
)
from gazeapp.engine.reports.results.neural_tables import note_of
from gazeapp.engine.reports.results.words import finite, known
from gazeapp.engine.types import DoubleArray

_COLOURED = {SHARE: (-50.0, 150.0)}
"""Measure -> values at which its colours end at the latest; those of a difference end at half as far on each side."""


@dataclass(frozen=True, slots=True)
class HeatCell(Cell):
    """A cell of the heat table; ``is_clear`` where the test says that its number is not chance."""

    is_clear: bool = False


@dataclass(frozen=True, eq=False)
class Heat:
    """Regions by sources.

    Parameters
    ----------
    table
        The cells, without tooltips.
    numbers
        What stands behind each cell, row by row; None where there is nothing.
    limits
        Values of the first and the last colour, over all regions.
    symmetric
        Whether the colours are those of a difference, with 0 in the middle.
    label
        Name of the number, with its unit.
    beyond
        Whether numbers lie below the first limit, and above the last.
    """

    table: ResultTable
    numbers: tuple[tuple[Shown | None, ...], ...]
    limits: tuple[float, float]
    symmetric: bool
    label: str
    beyond: tuple[bool, bool] = (False, False)

    def ends(self, decimals: int) -> tuple[str, str]:
        """Return what the first and the last colour stand for, in words: ``≥ 150`` where numbers lie beyond."""
        low, high = (number(value, decimals) for value in self.limits)
        return f"≤ {low}" if self.beyond[0] else low, f"≥ {high}" if self.beyond[1] else high


def heat(results: NeuralResults, asked: NeuralAsked) -> Heat:
    """Return every region by every source by the measure that is asked for."""
    sources = shown_sources(results, asked)
    found = [results.of(asked, asked.measure, one, asked.against) for one in sources]
    names = [name for name in results.regions(groups=asked.groups) if any(name in column for column in found)]
    numbers = tuple(
        tuple(shown(column[name], asked.measure) if name in column else None for column in found)
        for name in names
    )
    facts = MEASURES[asked.measure]
    about = measure_name(results, asked)
    columns = tuple(
        Column(
            f"{one.kind}_{one.id}",
            one.name,
            facts.unit,
            f"{one.name}: {about}.\n{facts.meaning}",
        )
        for one in sources
    )
    rows = tuple(
        Row("", name, "", tuple(_heat_cell(one, asked) for one in line))
        for name, line in zip(names, numbers, strict=True)
    )
    symmetric = asked.measure == MINUS
    values = np.array([[np.nan if one is None else one.value for one in line] for line in numbers])
    limits = colour_limits(values, asked.measure, symmetric=symmetric)
    return Heat(
        ResultTable(
            f"{asked.measure}_{'groups' if asked.groups else 'regions'}_{asked.task}",
            f"{about} by {'group' if asked.groups else 'region'}",
            columns,
            rows,
            note_of(results, asked, marked="Bold"),
            "Group" if asked.groups else "Region",
        ),
        numbers,
        limits,
        symmetric,
        f"{about}, {facts.unit}" if facts.unit and facts.unit not in about else about,
        (bool((values < limits[0]).any()), bool((values > limits[1]).any())),
    )


def _heat_cell(one: Shown | None, asked: NeuralAsked) -> HeatCell:
    if one is None or not known(one.value):
        return HeatCell(UNKNOWN)
    return HeatCell(
        value_text(one.value, asked.measure),
        one.value,
        "",
        finite(one.low),
        finite(one.high),
        one.is_clear(asked.correction),
    )


def colour_limits(values: DoubleArray, measure: str, *, symmetric: bool = False) -> tuple[float, float]:
    """Return the values of the first and the last colour for numbers of a measure, NaN for unknown ones.

    0 is always among the colours. Shares of a ceiling near 0 are of any size: their colours end at -50 and 150 %,
    those of their differences at -100 and 100 %.
    """
    finite_ = values[np.isfinite(values)]
    low, high = (float(finite_.min()), float(finite_.max())) if len(finite_) else (0.0, 1.0)
    least, most = _COLOURED.get(measure, (-np.inf, np.inf))
    if symmetric:
        end = min(max(abs(low), abs(high)) or 1.0, (most - least) / 2)
        return -end, end
    low, high = max(min(low, 0.0), least), min(high, most)
    return low, high if high > low else low + 1.0


def filtered(made: Heat, keeps: Callable[[str], bool]) -> Heat:
    """Return the rows whose region is kept; colours stay as they are."""
    kept = [k for k, row in enumerate(made.table.rows) if keeps(row.name)]
    if len(kept) == len(made.table.rows):
        return made
    return replace(
        made,
        table=replace(made.table, rows=tuple(made.table.rows[k] for k in kept)),
        numbers=tuple(made.numbers[k] for k in kept),
    )
