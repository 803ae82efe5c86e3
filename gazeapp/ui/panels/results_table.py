"""A table of results: sources down, numbers across, baselines in a group that folds; cells can be copied."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QItemSelectionModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QSettings,
    QSortFilterProxyModel,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QFontMetrics, QKeyEvent, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from gazeapp.engine.reports.results.data import Cell, Column, ResultTable, Row
from gazeapp.engine.reports.tables import neutral
from gazeapp.engine.scoring.sources import BASELINE
from gazeapp.ui.panels.results_cells import (
    CELL_ROLE,
    GROUP,
    ROW_ROLE,
    SCALE_ROLE,
    ResultDelegate,
    ShareCell,
    ends_text,
    interval_scale,
)
from gazeapp.ui.panels.results_corner import PRIMARY, PRIMARY_MARK
from gazeapp.ui.widgets import plain

SORT_ROLE = int(Qt.ItemDataRole.UserRole) + 1
_GROUP_FROM = 3
"""Baselines from which on they stand in a group that folds."""

_MEASURES = "Measure"
"""Header above rows that are measures, each with numbers in a unit of its own."""

_TALL_ROW, _ROW = 34, 26
_NAME_WIDTH, _SHARE_WIDTH = 168, 84
_HEADER, _TALL_HEADER, _SORT_MARK = 28, 42, 12
_LEAST_WIDTH, _MOST_WIDTH, _MARGIN = 64, 280, 24
_IN_SIGHT = 2
"""Columns beside the names that are in sight without scrolling, in a table of any width that is of use."""
_FOLDED = "scores/baselines_folded"
_Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class SourceRow(Row):
    """A row about a source: ``source`` is its id, ``tooltip`` what it is."""

    source: str = ""
    tooltip: str = ""


class ResultModel(QAbstractTableModel):
    """A :class:`ResultTable` for a view; the first column names the rows."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.table: ResultTable | None = None
        self.rows: list[Row] = []
        self.primary = ""
        self._numeric: list[bool] = []
        self._scales: list[tuple[float, float] | None] = []

    def show_table(self, table: ResultTable | None, primary: str = "") -> None:
        """Show another table, with a mark at the column of the primary metric."""
        self.beginResetModel()
        self.table, self.primary = table, primary
        self.rows = _grouped(table) if table is not None else []
        self._numeric = [
            any(row.cells[k].value is not None for row in self.rows if row.kind != GROUP)
            for k in range(len(table.columns) if table is not None else 0)
        ]
        self._scales = [
            interval_scale([row.cells[k] for row in self.rows]) for k in range(len(self._numeric))
        ]
        self.endResetModel()

    @property
    def has_group(self) -> bool:
        """Whether baselines stand in a group."""
        return any(row.kind == GROUP for row in self.rows)

    def column(self, place: int) -> Column | None:
        """Return what a column holds; None for the one of names."""
        return self.table.columns[place - 1] if self.table is not None and place > 0 else None

    def cell(self, row: int, column: int) -> Cell | None:
        """Return a cell; None in the column of names."""
        return self.rows[row].cells[column - 1] if column > 0 else None

    def column_of(self, column_id: str) -> int:
        """Return the place of a column, -1 when there is none."""
        ids = [column.id for column in self.table.columns] if self.table is not None else []
        return 1 + ids.index(column_id) if column_id in ids else -1

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        """Return the number of rows, with the one of the group."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        """Return one for the names and one for each column."""
        return 0 if parent.isValid() or self.table is None else 1 + len(self.table.columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:
        """Return names of the columns, and what they mean as tooltips."""
        if orientation != Qt.Orientation.Horizontal or self.table is None or section < 0:
            return None
        column = self.column(section)
        is_primary = column is not None and column.id == self.primary
        if role == Qt.ItemDataRole.DisplayRole:
            text = self.table.row_header if column is None else _head(column)
            return text + PRIMARY_MARK if is_primary else text
        if role == Qt.ItemDataRole.ToolTipRole:
            text = self.table.note if column is None else column.meaning
            return plain(f"{PRIMARY}\n{text}" if is_primary else text)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return self._side(section) | int(Qt.TextFlag.TextWordWrap)
        return None

    def data(self, index: _Index, role: int = 0) -> Any:
        """Return what a cell shows, sorts by and says of itself."""
        row, cell = self.rows[index.row()], self.cell(index.row(), index.column())
        if role == ROW_ROLE:
            return row
        if role == CELL_ROLE:
            return cell
        if role == SCALE_ROLE:
            return self._scale(index.row(), index.column()) if cell is not None else None
        if role == Qt.ItemDataRole.DisplayRole:
            return row.name if cell is None else cell.text
        if role == SORT_ROLE:
            return (
                row.name.casefold()
                if cell is None
                else cell.text.casefold()
                if _is_text(cell)
                else cell.value
            )
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain(row_tip(row) if cell is None else cell.tooltip)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return self._side(index.column())
        return None

    def _scale(self, row: int, column: int) -> tuple[float, float] | None:
        """Return from where to where intervals reach: in the column, or in the row of a measure of its own."""
        if self.table is not None and self.table.row_header == _MEASURES:
            return interval_scale(self.rows[row].cells)
        return self._scales[column - 1]

    def _side(self, column: int) -> int:
        numeric = column > 0 and self._numeric[column - 1]
        side = Qt.AlignmentFlag.AlignRight if numeric else Qt.AlignmentFlag.AlignLeft
        return int(side | Qt.AlignmentFlag.AlignVCenter)


class _Order(QSortFilterProxyModel):
    """Sorts models among themselves and baselines, in their group, among themselves; folds the group."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setSortRole(SORT_ROLE)
        self.folded = bool(QSettings().value(_FOLDED, True, bool))

    def fold(self, folded: bool) -> None:
        """Hide or show the baselines of the group."""
        self.folded = folded
        QSettings().setValue(_FOLDED, folded)
        self.invalidate()

    def filterAcceptsRow(self, row: int, _parent: _Index) -> bool:
        """Leave out baselines of a folded group."""
        model: ResultModel = self.sourceModel()
        return not (self.folded and model.has_group and model.rows[row].kind == BASELINE)

    def lessThan(self, left: _Index, right: _Index) -> bool:
        """Compare two rows; what is not known comes last either way."""
        model: ResultModel = self.sourceModel()
        ascending = self.sortOrder() == Qt.SortOrder.AscendingOrder
        blocks = [_block(model, index.row()) for index in (left, right)]
        if blocks[0] != blocks[1]:
            return (blocks[0] < blocks[1]) == ascending
        a, b = left.data(SORT_ROLE), right.data(SORT_ROLE)
        if a is None or b is None:
            return (b is None and a is not None) == ascending if (a is None) != (b is None) else False
        if isinstance(a, str) != isinstance(b, str):
            return isinstance(b, str) == ascending
        return bool(a < b)


class ResultView(QTableView):
    """The view of a table of results; ``chosen`` carries the row and the column (in the table's own order)."""

    chosen = Signal(int, int)
    menu_asked = Signal(QPoint)
    folded_changed = Signal(bool)
    """Whether the single baselines are out of sight now."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.results = ResultModel(self)
        self._order = _Order(self)
        self._order.setSourceModel(self.results)
        self.setModel(self._order)
        self.setAccessibleName(name)
        self.setItemDelegate(ResultDelegate(self))
        self.setSortingEnabled(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectItems)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setMouseTracking(True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self.menu_asked)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().hide()
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setSortIndicatorClearable(True)
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.selectionModel().currentChanged.connect(self._current_changed)

    def show_table(self, table: ResultTable | None, primary: str = "") -> None:
        """Show a table, with a mark at the column ``primary``, the metric that was declared.

        The order stays while its columns stay, and everything while it says the same.
        """
        before = self.results.table
        if table == before and primary == self.results.primary:
            return
        self.results.show_table(table, primary)
        if table is not None and (before is None or _ids(before) != _ids(table)):
            self.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self._fit()

    def choose(self, row: int, column: int) -> None:
        """Make a cell the current one; a row that is folded away is left."""
        index = self._order.mapFromSource(self.results.index(row, column))
        if index.isValid() and index != self.currentIndex():
            flags = QItemSelectionModel.SelectionFlag.ClearAndSelect
            self.selectionModel().setCurrentIndex(index, flags)

    def place_of(self, index: QModelIndex) -> tuple[int, int]:
        """Return the row and column, in the table's own order, of an index of the view."""
        where = self._order.mapToSource(index)
        return where.row(), where.column()

    def selected_text(self) -> str:
        """Return the selected cells with their headers as lines with tabs; empty where only one is selected."""
        places = sorted(
            (index.row(), index.column(), *self.place_of(index))
            for index in self.selectionModel().selectedIndexes()
        )
        if len(places) < 2 or self.results.table is None:
            return ""
        columns = [k for k in sorted({place[1] for place in places}) if k > 0]
        rows = sorted({(place[0], place[2]) for place in places})
        heads = [_head(self.results.table.columns[k - 1]) for k in columns]
        lines = [[self.results.table.row_header, *heads]]
        selected = {(place[2], place[3]) for place in places}
        for _, row in rows:
            found = [self.results.cell(row, k) if (row, k) in selected else None for k in columns]
            lines.append([self.results.rows[row].name, *(_copied(cell) for cell in found)])
        return _joined(lines)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Fold and unfold the group of baselines with space and Return."""
        index = self.currentIndex()
        is_group = index.isValid() and index.data(ROW_ROLE).kind == GROUP
        if is_group and event.key() in (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.fold(not self._order.folded)
        else:
            super().keyPressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Fold and unfold the group of baselines with a click on its name."""
        super().mouseReleaseEvent(event)
        index = self.indexAt(event.position().toPoint())
        is_name = index.isValid() and index.column() == 0 and index.data(ROW_ROLE).kind == GROUP
        if is_name and event.button() == Qt.MouseButton.LeftButton:
            self.fold(not self._order.folded)

    def fold(self, folded: bool) -> None:
        """Hide or show the single baselines."""
        self._order.fold(folded)
        self._fit()
        self.folded_changed.emit(folded)

    @property
    def folded(self) -> bool:
        """Whether the single baselines are out of sight."""
        return self._order.folded and self.results.has_group

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give columns the width and rows the height that is there."""
        super().resizeEvent(event)
        self._fit()

    @Slot(QModelIndex, QModelIndex)
    def _current_changed(self, index: QModelIndex, _before: QModelIndex) -> None:
        if index.isValid():
            self.chosen.emit(*self.place_of(index))

    def _fit(self) -> None:
        table = self.results.table
        if table is None or not table.columns:
            return
        cells = [cell for row in self.results.rows for cell in row.cells]
        is_share = any(isinstance(cell, ShareCell) for cell in cells)
        tall = is_share or any(cell.low is not None for cell in cells)
        one_line = all(" " not in _head(column) for column in table.columns)
        self.horizontalHeader().setFixedHeight(_HEADER if one_line else _TALL_HEADER)
        if is_share:
            self._fit_shares(len(table.columns))
        else:
            self._fit_texts(table)
        self._fit_rows(_TALL_ROW if tall else _ROW)

    def _fit_shares(self, n: int) -> None:
        room = (self.viewport().width() - _NAME_WIDTH) // n
        self.setColumnWidth(0, _NAME_WIDTH)
        for column in range(1, n + 1):
            self.setColumnWidth(column, min(max(room, _SHARE_WIDTH), 2 * _SHARE_WIDTH))

    def _fit_texts(self, table: ResultTable) -> None:
        metrics, bold = QFontMetrics(self.font()), self.horizontalHeader().fontMetrics()
        names = [row.name for row in self.results.rows]
        most = max(_MOST_WIDTH, self.viewport().width() // 3)
        name = _bounded(metrics, [*names, table.row_header], _NAME_WIDTH, most) + 16
        widths: dict[bool, list[int]] = {True: [], False: []}
        for k, column in enumerate(table.columns):
            head = min(_two_lines(bold, _head(column)) + _MARGIN + _SORT_MARK, _MOST_WIDTH)
            for with_ends in widths:
                texts = [
                    f"{row.cells[k].text}  {ends_text(row.cells[k]) if with_ends else ''}"
                    for row in self.results.rows
                ]
                widths[with_ends].append(_bounded(metrics, texts, max(head, _LEAST_WIDTH), _MOST_WIDTH))
        # What a view is about stands first: in a narrow table its interval is drawn, and written in its tooltip.
        has_room = name + sum(widths[True][:_IN_SIGHT]) <= self.viewport().width()
        self.setColumnWidth(0, name if has_room else min(name, _NAME_WIDTH))
        for k, width in enumerate(widths[has_room]):
            self.setColumnWidth(k + 1, width)

    def _fit_rows(self, height: int) -> None:
        """Let whole rows fill the height, so that none is cut."""
        room = self.viewport().height()
        whole = max(room // height, 1)
        more = self._order.rowCount() > whole
        self.verticalHeader().setDefaultSectionSize(max(room // whole, height) if more else height)


def row_tip(row: Row) -> str:
    """Return what a row is about."""
    return row.tooltip if isinstance(row, SourceRow) and row.tooltip else row.name


def as_text(table: ResultTable, rows: Iterable[Row]) -> str:
    """Return a table as lines with tabs: numbers at full precision, the ends of intervals beside them."""
    heads = [table.row_header]
    has_interval = [
        any(row.cells[k].low is not None for row in table.rows) for k in range(len(table.columns))
    ]
    for column, interval in zip(table.columns, has_interval, strict=True):
        head = _head(column)
        heads += [head, *((f"{head} (95 % low)", f"{head} (95 % high)") if interval else ())]
    lines = [heads]
    for row in rows:
        line = [row.name]
        for cell, interval in zip(row.cells, has_interval, strict=True):
            line += [_copied(cell), *((_exact(cell.low), _exact(cell.high)) if interval else ())]
        lines.append(line)
    return _joined(lines)


def _grouped(table: ResultTable) -> list[Row]:
    """Return the rows; from a few baselines on with a heading before them, unless the table brings its own."""
    rows = list(table.rows)
    baselines = [row for row in rows if row.kind == BASELINE]
    if len(baselines) < _GROUP_FROM or any(row.kind == GROUP for row in rows):
        return rows
    rest = [row for row in rows if row.kind != BASELINE]
    heading = Row(GROUP, f"Baselines ({len(baselines)})", "", tuple(Cell("") for _ in table.columns))
    return [*rest, heading, *baselines]


def _block(model: ResultModel, row: int) -> int:
    kind = model.rows[row].kind if model.has_group else ""
    return {GROUP: 1, BASELINE: 2}.get(kind, 0)


def _ids(table: ResultTable) -> tuple[str, ...]:
    return (table.id, *(column.id for column in table.columns))


def _head(column: Column) -> str:
    return f"{column.name}, {column.unit}" if column.unit and column.unit not in column.name else column.name


def _is_text(cell: Cell) -> bool:
    return cell.value is None and any(character.isalpha() for character in cell.text)


def _two_lines(metrics: QFontMetrics, text: str) -> int:
    """Return the width that a text needs on two lines, px."""
    words = text.split()
    halves = [(" ".join(words[:k]), " ".join(words[k:])) for k in range(1, len(words))] or [(text, "")]
    return min(max(map(metrics.horizontalAdvance, pair)) for pair in halves)


def _bounded(metrics: QFontMetrics, texts: Sequence[str], least: int, most: int) -> int:
    return min(max([least, *(metrics.horizontalAdvance(text) + _MARGIN for text in texts)]), most)


def _copied(cell: Cell | None) -> str:
    if cell is None:
        return ""
    return neutral(" ".join(cell.text.split())) if cell.value is None else _exact(cell.value)


def _exact(value: float | None) -> str:
    return "" if value is None else f"{value:.10g}"


def _joined(lines: Sequence[Sequence[str]]) -> str:
    heads, *rows = lines
    written = [list(map(neutral, heads)), *([neutral(name), *rest] for name, *rest in rows)]
    return "".join("\t".join(line) + "\n" for line in written)
