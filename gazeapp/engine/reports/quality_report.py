"""What a report says of the quality of recordings: those that stand out, and by what."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gazeapp.engine.reports import numbers as figures
from gazeapp.engine.reports.content import QualityData, QualityRow
from gazeapp.engine.reports.quality import (
    COLUMNS,
    RULE,
    Quality,
    QualityTable,
    in_unit,
    outdated_lines,
    unit_of,
)


def quality_data(quality: Quality, most: int = 40) -> QualityData:
    """Return what a report says: the recordings that stand out, those with most marks first.

    Columns are those in which one of the recordings that are shown stands out; counts are a trial's.
    """
    table = quality.recordings
    rows = sorted(np.flatnonzero(table.stands_out).tolist(), key=lambda row: -len(table.marked(row)))
    shown = {key for row in rows[:most] for key in table.marked(row)}
    keys = [key for key in COLUMNS if key in shown]
    medians = [table.middle(0, key) for key in keys]
    return QualityData(
        line=quality.in_words(),
        columns=tuple(_report_head(table, key) for key in keys),
        medians=tuple(
            _report_value(table, key, m.median) if m else "" for key, m in zip(keys, medians, strict=True)
        ),
        rows=tuple(_report_row(table, row, keys) for row in rows[:most]),
        n_more=max(0, len(rows) - most),
        rule=RULE,
        notes=tuple(outdated_lines(quality)),
    )


def _report_head(table: QualityTable, key: str) -> str:
    unit = "a trial" if table.is_per_trial(key) else unit_of(key)
    return f"{COLUMNS[key].name}, {unit}".removesuffix(", ")


def _report_value(table: QualityTable, key: str, value: float) -> str:
    if table.is_per_trial(key) and np.isfinite(value):
        return figures.number(value, 1)
    return in_unit(key, value)


def _report_row(table: QualityTable, row: int, keys: Sequence[str]) -> QualityRow:
    marked = set(table.marked(row))
    values = {key: float(table.compared(key)[row]) for key in keys}
    cells = tuple((_report_value(table, key, values[key]), key in marked) for key in keys)
    return QualityRow(table.words["subject"].at(row), table.words["recording"].at(row), cells)
