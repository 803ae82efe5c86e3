"""The heat table: regions down, sources across, each cell coloured by its number."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QStyle, QStyleOptionViewItem, QWidget

from gazeapp.engine.reports.results.data import Cell
from gazeapp.engine.reports.results.neural import (
    NeuralResults,
    origin,
)
from gazeapp.engine.reports.results.neural_heat import (
    Heat,
    HeatCell,
)
from gazeapp.engine.reports.results.neural_measures import (
    CORRECTIONS,
    NeuralAsked,
)
from gazeapp.ui import theme
from gazeapp.ui.colours import DIFFERENCE_MAP, density_table, difference_table, opaque, paint_table
from gazeapp.ui.panels.results_cells import CELL_ROLE, ResultDelegate
from gazeapp.ui.panels.results_table import SORT_ROLE, ResultModel, ResultView
from gazeapp.ui.widgets import plain

_Index = QModelIndex | QPersistentModelIndex
_ROW = 24
_LEAST_NAME, _MOST_NAME = 96, 240
_LEAST_WIDTH, _MOST_WIDTH, _PADDING = 60, 132, 14
_HEADER, _MOST_HEADER = 28, 64
_HEADER_STYLE = "QHeaderView::section { padding: 4px; } QHeaderView::section:first { padding-left: 16px; }"
_LIGHT = 140
"""Brightness of a colour, of 255, above which text on it is dark."""


class HeatModel(ResultModel):
    """The cells of a :class:`Heat`; what a cell says of itself is made when it is asked for."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.heat: Heat | None = None
        self._of: tuple[NeuralResults, NeuralAsked] | None = None
        self._told: dict[tuple[int, int], Cell] = {}

    def show_heat(self, heat: Heat | None, results: NeuralResults | None, asked: NeuralAsked | None) -> None:
        """Show other cells."""
        self.heat, self._told = heat, {}
        self._of = (results, asked) if results is not None and asked is not None else None
        self.show_table(heat.table if heat is not None else None)

    def cell(self, row: int, column: int) -> Cell | None:
        """Return a cell with what it says of itself; None in the column of names."""
        made = super().cell(row, column)
        if made is None or self.heat is None or self._of is None:
            return made
        told = self._told.get((row, column))
        if told is None:
            shown = self.heat.numbers[row][column - 1]
            tip = origin(*self._of, shown, self._of[1].measure) if shown is not None else "Not known"
            told = self._told[row, column] = replace(made, tooltip=tip)
        return told

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:
        """Return names of the columns without their unit, which stands in each cell."""
        column = self.column(section) if orientation == Qt.Orientation.Horizontal else None
        if role == Qt.ItemDataRole.DisplayRole and column is not None:
            return column.name
        return super().headerData(section, orientation, role)

    @property
    def has_group(self) -> bool:
        """Whether rows stand in a group: regions do not."""
        return False

    def data(self, index: _Index, role: int = 0) -> Any:
        """Return what a cell shows; to screen readers also whether its test is clear."""
        if role == SORT_ROLE and index.column() > 0:
            return self.rows[index.row()].cells[index.column() - 1].value
        if role == Qt.ItemDataRole.AccessibleTextRole and index.column() > 0:
            cell, column = super().cell(index.row(), index.column()), self.column(index.column())
            clear = ", p below 0.05" if isinstance(cell, HeatCell) and cell.is_clear else ""
            return f"{self.rows[index.row()].name}, {column.name if column else ''}: {cell.text if cell else ''}{clear}"
        return super().data(index, role)


class HeatDelegate(ResultDelegate):
    """Fills cells with the colour of their number; bold where the test is clear."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._table = np.zeros((256, 4), dtype=np.uint8)
        self._limits = (0.0, 1.0)
        self._fonts: tuple[QFont, QFont, QFont] | None = None

    def set_colours(self, table: np.ndarray, limits: tuple[float, float]) -> None:
        """Colour numbers from the first limit to the second by ``table`` (256, 4)."""
        self._table, self._limits = table, limits

    def colour(self, value: float) -> QColor:
        """Return the colour of a number."""
        low, high = self._limits
        place = int(np.clip(np.rint(255 * (value - low) / (high - low)), 0, 255))
        red, green, blue = self._table[place, :3].tolist()
        return QColor(red, green, blue)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Draw one cell."""
        cell = index.data(CELL_ROLE)
        if not isinstance(cell, HeatCell) or cell.value is None:
            super().paint(painter, option, index)
            return
        painter.save()
        fill = self.colour(cell.value)
        area = QRectF(option.rect).adjusted(1, 1, -1, -1)
        painter.fillRect(area, fill)
        light = 0.3 * fill.red() + 0.59 * fill.green() + 0.11 * fill.blue()
        ink = QColor(0, 0, 0) if light > _LIGHT else QColor(255, 255, 255)
        if option.state & (QStyle.StateFlag.State_Selected | QStyle.StateFlag.State_MouseOver):
            is_selected = bool(option.state & QStyle.StateFlag.State_Selected)
            painter.setPen(QPen(ink, 2 if is_selected else 1))
            painter.drawRect(area.adjusted(2, 2, -2, -2) if is_selected else area.adjusted(1, 1, -1, -1))
        painter.setPen(ink)
        painter.setFont(self._font(option.font, cell.is_clear))
        painter.drawText(
            area.adjusted(4, 0, -10, 0),
            Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter,
            cell.text,
        )
        painter.restore()

    def _font(self, font: QFont, bold: bool) -> QFont:
        if self._fonts is None or self._fonts[0] != font:
            usual = theme.tabular(font)
            strong = QFont(usual)
            strong.setWeight(QFont.Weight.Bold)
            self._fonts = QFont(font), usual, strong
        return self._fonts[2 if bold else 1]


class HeatView(ResultView):
    """The heat table; ``chosen`` carries the row and the column in the table's own order."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self.results: HeatModel = HeatModel(self)
        self._order.setSourceModel(self.results)
        self.horizontalHeader().setStyleSheet(_HEADER_STYLE)
        self._paint = HeatDelegate(self)
        self.setItemDelegate(self._paint)

    def show_heat(
        self, heat: Heat | None, results: NeuralResults | None, asked: NeuralAsked | None, colormap: str
    ) -> None:
        """Show other cells, in colours of a map for numbers of one sign; the order stays while columns do."""
        before = self.results.table
        if heat is not None:
            self._paint.set_colours(heat_colours(heat, colormap), heat.limits)
        self.results.show_heat(heat, results, asked)
        columns = [column.id for column in heat.table.columns] if heat is not None else []
        if before is not None and [column.id for column in before.columns] != columns:
            self.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self._fit()

    def _fit(self) -> None:
        """Give all columns the same width, and rows one line."""
        table = self.results.table
        if table is None or not table.columns:
            return
        metrics = self.fontMetrics()
        longest = max((metrics.horizontalAdvance(row.name) for row in self.results.rows), default=0)
        most = max(_LEAST_NAME, min(self.viewport().width() // 4, _MOST_NAME))
        name = min(max(longest + 32, _LEAST_NAME), most)
        room = (self.viewport().width() - name) // len(table.columns)
        bold = self.horizontalHeader().fontMetrics()
        words = [part for column in table.columns for part in column.name.replace("-", "- ").split()]
        word = max(map(bold.horizontalAdvance, words))
        self.setColumnWidth(0, name)
        width = min(max(room, min(word + _PADDING, _MOST_WIDTH), _LEAST_WIDTH), _MOST_WIDTH)
        for column in range(1, len(table.columns) + 1):
            self.setColumnWidth(column, width)
        room = QRect(0, 0, width - _PADDING, _MOST_HEADER)
        flags = int(Qt.AlignmentFlag.AlignRight | Qt.TextFlag.TextWordWrap)
        high = (
            max(
                bold.boundingRect(room, flags, head).height()
                for head in (column.name for column in table.columns)
            )
            + _PADDING
        )
        self.horizontalHeader().setFixedHeight(min(max(high, _HEADER), _MOST_HEADER))
        self.verticalHeader().setDefaultSectionSize(_ROW)


def heat_colours(heat: Heat, colormap: str) -> np.ndarray:
    """Return the colours of a heat table, shape (256, 4): those of a difference where 0 lies in the middle."""
    return opaque(difference_table(DIFFERENCE_MAP) if heat.symmetric else density_table(colormap))


class HeatKey(QWidget):
    """What colours and weight of the heat table mean, in one line."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._heat: Heat | None = None
        self._colours = np.zeros((256, 4), dtype=np.uint8)
        self._said = ""
        self._decimals = 2
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(3 * theme.STEP)

    def show_heat(self, heat: Heat | None, colormap: str, correction: str, decimals: int) -> None:
        """Explain another table."""
        self._heat = heat
        if heat is None:
            self._said = ""
        else:
            self._colours = heat_colours(heat, colormap)
            self._decimals = decimals
            self._said = (
                f"bold: p < 0.05, {CORRECTIONS[correction]}" if correction in CORRECTIONS else "not tested"
            )
            ends = " to ".join(heat.ends(decimals))
            self.setAccessibleName(f"Colour bar, {heat.label}, {ends}; {self._said}")
            self.setToolTip(plain(f"{heat.label}: {ends}\n{heat.table.note}"))
        self.update()

    def sizeHint(self) -> QSize:
        """Return the room for one line."""
        return QSize(40 * theme.STEP, 3 * theme.STEP)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw label, colours between their numbers, and what bold means."""
        if self._heat is None:
            return
        painter = QPainter(self)
        painter.setFont(theme.tabular(theme.small_font(self.font())))
        metrics = painter.fontMetrics()
        shades = theme.colors()
        middle = Qt.AlignmentFlag.AlignVCenter
        x = float(2 * theme.STEP)
        room = max(self.width() - 2 * theme.STEP, 0)
        low, high = self._heat.limits
        first, last = self._heat.ends(self._decimals)
        bar = float(min(20 * theme.STEP, room / 4))
        for text, ink, gap in (
            (self._heat.label, shades.muted, 12),
            (first, shades.text, 6),
        ):
            painter.setPen(QColor(ink))
            wide = metrics.horizontalAdvance(text)
            painter.drawText(QRectF(x, 0, wide + 2, self.height()), middle, text)
            x += wide + gap
        box = QRectF(x, self.height() / 2 - 4, bar, 8)
        painter.drawImage(box, paint_table(np.arange(256, dtype=np.uint8)[None, :], self._colours))
        if low < 0.0 < high:
            zero = box.left() + box.width() * -low / (high - low)
            painter.setPen(QPen(QColor(shades.text), 1))
            painter.drawLine(round(zero), round(box.top()) - 3, round(zero), round(box.bottom()) + 3)
        x += bar + 6
        painter.setPen(QColor(shades.text))
        top = last
        painter.drawText(QRectF(x, 0, metrics.horizontalAdvance(top) + 2, self.height()), middle, top)
        x += metrics.horizontalAdvance(top) + 2 * theme.STEP
        painter.setPen(QColor(shades.muted))
        said = metrics.elidedText(self._said, Qt.TextElideMode.ElideRight, int(max(self.width() - x - 4, 0)))
        painter.drawText(QRectF(x, 0, max(self.width() - x, 0), self.height()), middle, said)
