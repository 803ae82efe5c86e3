"""The table of quality: columns of a whole study, sorted and filtered as arrays, formatted where in sight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics
from PySide6.QtWidgets import QApplication

from gazeapp.engine.reports import quality as q
from gazeapp.engine.reports.numbers import UNKNOWN, number
from gazeapp.engine.reports.tables import neutral
from gazeapp.engine.types import BoolArray, IntArray
from gazeapp.ui import theme
from gazeapp.ui.widgets import plain

MARK = "\N{BLACK DIAMOND}"
MOST_COPIED = 2000
"""Rows that are copied at most: text of more would hold up the window."""

_Index = QModelIndex | QPersistentModelIndex
_MARKS = "marks"
_MARKED_FIRST = (_MARKS, False)
_WORDS = {
    "subject": ("Subject", "Who looked."),
    "recording": ("File", "Name of the recording's file."),
    "image": ("Image", "Name of the image, as recorded where the project holds no such image."),
    "task": ("Task", "What people were asked to do."),
    "eye": ("Eye", "Eye whose fixations are used; several where trials differ."),
}
_WIDTHS = {_MARKS: 56, "subject": 104, "recording": 136, "image": 136, "task": 88, "eye": 72}
_LEAST_NUMBER, _NUMBER_MARGIN = 80, 36
_COUNT_NOTES = (q.REPEATED, q.AGAIN)


@dataclass(frozen=True, slots=True)
class _Column:
    key: str
    is_number: bool
    head: str
    tooltip: str


def _columns(table: q.QualityTable) -> list[_Column]:
    """Return the columns of a table: marks, who and what, numbers, and what is the same in many rows."""
    made = [_Column(_MARKS, True, MARK, f"How many figures of the row stand out ({MARK}).\n{rule(table)}")]
    first, last = ("subject", "image", "task"), ("eye", "recording")
    if "image" not in table.words:
        first, last = ("subject", "recording"), ("eye",)
    made += [_Column(key, False, *_WORDS[key]) for key in first]
    for key, figure in q.COLUMNS.items():
        if key in table.numbers:
            unit = q.unit_of(key)
            head = figure.name.removeprefix("Share ") if unit == "%" else figure.name
            made.append(
                _Column(
                    key, True, f"{head[:1].upper()}{head[1:]}{f', {unit}' if unit else ''}", figure.tooltip
                )
            )
    return made + [_Column(key, False, *_WORDS[key]) for key in last]


def rule(table: q.QualityTable) -> str:
    """Return when a value stands out, as sentences."""
    whom = "the other recordings" if "image" not in table.words else "the other trials under the same task"
    return (
        f"A value stands out when it is far from those of {whom}: {q.RULE}, and by more than is worth "
        "marking. Fewer than 5 values have none."
    )


class QualityModel(QAbstractTableModel):
    """Rows of recordings or of trials; ``rows`` are those shown, in their order, as rows of the table."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.table: q.QualityTable | None = None
        self.rows: IntArray = np.zeros(0, dtype=np.int64)
        self._columns: list[_Column] = []
        self._shown: BoolArray = np.zeros(0, dtype=np.bool_)
        self._marks: IntArray = np.zeros(0, dtype=np.int64)
        self._sort = _MARKED_FIRST
        self._font = theme.tabular(QApplication.font())
        self._bold = QFont(self._font)
        self._bold.setWeight(QFont.Weight.DemiBold)

    def show_table(self, table: q.QualityTable | None, shown: BoolArray | None = None) -> None:
        """Show a table, or the rows of it that ``shown`` (n,) says; sorted as the last one was."""
        self.beginResetModel()
        if table is not self.table:
            self.table = table
            self._columns = _columns(table) if table is not None else []
            flags = [*table.far.values(), *(table.numbers[key] > 0 for key in _COUNT_NOTES)] if table else []
            self._marks = np.sum(flags, axis=0, dtype=np.int64) if flags else np.zeros(0, dtype=np.int64)
        n = len(table) if table is not None else 0
        self._shown = np.ones(n, dtype=np.bool_) if shown is None else shown
        self._arrange()
        self.endResetModel()

    def columns(self) -> list[str]:
        """Return the keys of the columns."""
        return [column.key for column in self._columns]

    def column_of(self, key: str) -> int:
        """Return the place of a column, -1 when there is none."""
        return self.columns().index(key) if key in self.columns() else -1

    def place_of(self, row: int) -> int:
        """Return where a row of the table is shown, -1 when it is not."""
        found = np.flatnonzero(self.rows == row)
        return int(found[0]) if len(found) else -1

    def width(self, column: int) -> int:
        """Return the width that a column wants, px: for numbers, that of its head on two lines."""
        key, words = self._columns[column].key, self._columns[column].head.split()
        if key in _WIDTHS:
            return _WIDTHS[key]
        halves = [(" ".join(words[:k]), " ".join(words[k:])) for k in range(1, len(words))] or [
            (words[0], "")
        ]
        metrics = QFontMetrics(self._bold)
        narrowest = min(max(map(metrics.horizontalAdvance, pair)) for pair in halves)
        return max(_LEAST_NUMBER, narrowest + _NUMBER_MARGIN)

    @property
    def sorted_by(self) -> tuple[int, Qt.SortOrder]:
        """The column that the rows are sorted by, -1 for the file's order, and which way."""
        key, ascending = self._sort
        order = Qt.SortOrder.AscendingOrder if ascending else Qt.SortOrder.DescendingOrder
        return self.column_of(key), order

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by a column; what is not known comes last either way. A column of -1 is the file's order."""
        if self.table is None:
            return
        key = self._columns[column].key if 0 <= column < len(self._columns) else ""
        self._sort = (key, order == Qt.SortOrder.AscendingOrder)
        self.beginResetModel()
        self._arrange()
        self.endResetModel()

    def _arrange(self) -> None:
        rows = np.flatnonzero(self._shown)
        key, ascending = self._sort
        if self.table is not None and key in self.columns():
            values = self._sortable(self.table, key)[rows]
            known = np.isfinite(values)
            order = np.argsort(np.where(known, values if ascending else -values, np.inf), kind="stable")
            rows = rows[order]
        self.rows = rows.astype(np.int64)

    def _sortable(self, table: q.QualityTable, key: str) -> Any:
        if key == _MARKS:
            return self._marks.astype(np.float64)
        if key in table.numbers:
            return table.numbers[key]
        words = table.words[key]
        rank = np.empty(len(words.names))
        rank[sorted(range(len(words.names)), key=lambda k: words.names[k].casefold())] = np.arange(
            len(words.names)
        )
        return rank[words.codes]

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        """Return the number of rows that are shown."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        """Return the number of columns."""
        return 0 if parent.isValid() else len(self._columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:
        """Return names of the columns, and what they mean as tooltips."""
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(self._columns):
            return None
        column = self._columns[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.head
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain(column.tooltip)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _side(column) | int(Qt.TextFlag.TextWordWrap)
        return None

    def data(self, index: _Index, role: int = 0) -> Any:
        """Return what a cell says."""
        table, column = self.table, self._columns[index.column()]
        if table is None:
            return None
        row = int(self.rows[index.row()])
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(table, row, column.key)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _side(column)
        if role == Qt.ItemDataRole.FontRole:
            return self._bold if self._is_marked(table, row, column.key) else self._font
        if role == Qt.ItemDataRole.ForegroundRole:
            return self._ink(table, row, column.key)
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain(self._explain(table, row, column))
        return None

    def _text(self, table: q.QualityTable, row: int, key: str) -> str:
        if key == _MARKS:
            n = int(self._marks[row])
            return "" if not n else MARK if n == 1 else f"{n} {MARK}"
        if key in table.words:
            return table.words[key].at(row) or UNKNOWN
        text = q.in_unit(key, float(table.numbers[key][row]))
        return f"{MARK} {text}" if self._is_marked(table, row, key) else text

    def _is_marked(self, table: q.QualityTable, row: int, key: str) -> bool:
        if key in _COUNT_NOTES:
            return bool(table.numbers[key][row] > 0)
        return key == _MARKS or (key in table.far and bool(table.far[key][row]))

    def _ink(self, table: q.QualityTable, row: int, key: str) -> QColor | None:
        shades = theme.colors()
        if self._is_marked(table, row, key):
            return QColor(shades.warning)
        if key in table.numbers and not np.isfinite(table.numbers[key][row]):
            return QColor(shades.faint)
        return None

    def _explain(self, table: q.QualityTable, row: int, column: _Column) -> str:
        if column.key == _MARKS:
            reasons = table.reasons(row)
            return f"Stands out: {reasons}" if reasons else "Nothing stands out."
        if column.key in table.words:
            return table.words[column.key].at(row) or column.tooltip
        value, middle = float(table.numbers[column.key][row]), table.middle(row, column.key)
        parts = [f"{q.COLUMNS[column.key].name}: {q.with_unit(column.key, value)}", column.tooltip]
        if not np.isfinite(value):
            return f"{parts[1]}\nNot known: the recording does not say it."
        if table.is_per_trial(column.key):
            parts.append(
                f"Compared as {q.compared_text(table, column.key, float(table.compared(column.key)[row]))}."
            )
        if middle is not None:
            parts.append(
                f"Median {_precise(column.key, middle.median)}, MAD {_precise(column.key, middle.mad)}, of "
                f"{number(middle.n, 0)} {'recordings' if 'image' not in table.words else 'trials'}."
            )
        if column.key in table.far and table.far[column.key][row]:
            parts.append(f"{MARK} {rule(table)}")
        return "\n".join(parts)

    def copied(self, places: Sequence[int]) -> str:
        """Return shown rows as text for a spreadsheet: tabs, a head, no formulas; at most :data:`MOST_COPIED` rows."""
        if self.table is None:
            return ""
        table, keys = self.table, [key for key in self.columns() if key != _MARKS]
        lines = ["\t".join(column.head for column in self._columns if column.key != _MARKS)]
        for place in places[:MOST_COPIED]:
            row = int(self.rows[place])
            lines.append("\t".join(_cell(table, row, key) for key in keys))
        return "\n".join(lines) + "\n"


def _cell(table: q.QualityTable, row: int, key: str) -> str:
    if key in table.words:
        return neutral(" ".join(table.words[key].at(row).split()))
    value = float(table.numbers[key][row])
    return "" if not np.isfinite(value) else f"{100 * value if q.unit_of(key) == '%' else value:.10g}"


def _precise(key: str, value: float) -> str:
    factor = 100.0 if q.unit_of(key) == "%" else 1.0
    return f"{number(factor * value, 2)} {q.unit_of(key)}".rstrip()


def _side(column: _Column) -> int:
    side = Qt.AlignmentFlag.AlignRight if column.is_number else Qt.AlignmentFlag.AlignLeft
    return int(side | Qt.AlignmentFlag.AlignVCenter)
