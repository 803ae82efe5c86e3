"""One figure over all recordings as a strip of points; a click on a point chooses its recording."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, Qt, Signal, Slot
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from gazeapp.engine.reports import quality as q
from gazeapp.engine.types import DoubleArray, IntArray
from gazeapp.ui import theme
from gazeapp.ui.widgets import plain

MOST_POINTS = 4000
"""Points that are drawn at most besides those that stand out; they are spread evenly over the values."""


class QualityPlot(QWidget):
    """The strip; ``chosen`` carries the row of the recording that was clicked."""

    chosen = Signal(int)
    figure_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("dockBody")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._table: q.QualityTable | None = None
        self._row = -1
        self.points: list[pg.ScatterPlotItem] = []
        self._ring: pg.ScatterPlotItem | None = None
        self._places: dict[int, tuple[float, float]] = {}
        self.figure = QComboBox()
        self.figure.setAccessibleName("Figure of the plot")
        self.figure.setToolTip("Which figure is drawn: one point a recording")
        self.figure.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.figure.activated.connect(self._figure_activated)
        self.view = pg.PlotWidget(background=None)
        self.view.setMenuEnabled(False)
        self.view.hideButtons()
        self.view.setMouseEnabled(x=False, y=False)
        self.view.hideAxis("left")
        self.view.setAccessibleName("Distribution over recordings")
        top = QHBoxLayout()
        top.setContentsMargins(2 * theme.STEP, theme.STEP // 2, 0, 0)
        top.setSpacing(theme.STEP)
        top.addWidget(self.figure)
        top.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, theme.STEP // 2, theme.STEP, theme.STEP // 2)
        column.setSpacing(0)
        column.addLayout(top)
        column.addWidget(self.view, 1)
        self.setMinimumWidth(30 * theme.STEP)

    def show_table(self, table: q.QualityTable | None) -> None:
        """Show the recordings of ``table``; the figure stays if it is still known."""
        self._table = table
        self._row = -1
        before = self.figure.currentData()
        self.figure.clear()
        for key in q.COMPARED if table is not None else ():
            if table is not None and np.isfinite(table.numbers[key]).any():
                self.figure.addItem(q.COLUMNS[key].name, key)
        self.show_figure(before or "median_duration_ms")
        self.redraw()

    def show_figure(self, key: str) -> None:
        """Draw a figure, if it is known of any recording."""
        place = self.figure.findData(key)
        if place >= 0 and place != self.figure.currentIndex():
            self.figure.setCurrentIndex(place)
            self.redraw()

    def mark(self, row: int) -> None:
        """Ring the point of a recording; -1 for none."""
        self._row = row
        if self._ring is not None:
            place = self._places.get(row)
            self._ring.setData([place[0]] if place else [], [place[1]] if place else [])

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.redraw()

    def redraw(self) -> None:
        """Draw everything again."""
        self.view.clear()
        self.points, self._places, self._ring = [], {}, None
        table, key = self._table, self.figure.currentData()
        shades = theme.colors()
        self.view.setBackground(shades.base)
        if table is None or not key:
            return
        values = table.compared(key)
        rows = np.flatnonzero(np.isfinite(values))
        heights = dict(zip(rows.tolist(), spread(values[rows]).tolist(), strict=True))
        far = rows[table.far[key][rows]]
        near = _thinned(np.setdiff1d(rows, far), values)
        middle = table.middle(0, key)
        if middle is not None:
            at = _shown(key, middle.median)
            pen = pg.mkPen(QColor(shades.muted), width=2)
            self.view.addItem(pg.PlotDataItem([at, at], [-1.2, 1.2], pen=pen))
        quiet = QColor(shades.accent)
        quiet.setAlpha(150)
        for some, symbol, colour, size in ((near, "o", quiet, 7), (far, "d", QColor(shades.warning), 11)):
            self._places.update(
                {row: (_shown(key, float(values[row])), heights[row]) for row in some.tolist()}
            )
            self._add(some, symbol, colour, size)
        ring = pg.mkPen(QColor(shades.text), width=2)
        self._ring = pg.ScatterPlotItem(size=14, pen=ring, brush=pg.mkBrush(None))
        self._ring.setZValue(-1)  # the points themselves take the clicks
        self.view.addItem(self._ring)
        self.mark(self._row)
        self._dress_axis(key)

    def _add(self, rows: IntArray, symbol: str, colour: QColor, size: int) -> None:
        places = [self._places[row] for row in rows.tolist()]
        item = pg.ScatterPlotItem(
            x=[x for x, _ in places],
            y=[y for _, y in places],
            data=rows.tolist(),
            size=size,
            symbol=symbol,
            pen=pg.mkPen(None),
            brush=pg.mkBrush(colour),
            hoverable=True,
            hoverSize=size + 4,
            tip=self._tip,
        )
        item.sigClicked.connect(self._clicked)
        self.view.addItem(item)
        self.points.append(item)

    def _dress_axis(self, key: str) -> None:
        shades = theme.colors()
        axis = self.view.getAxis("bottom")
        axis.setPen(pg.mkPen(shades.line))
        axis.setTextPen(pg.mkPen(shades.muted))
        axis.setStyle(tickLength=0)
        axis.setTickFont(self.font())
        axis.enableAutoSIPrefix(False)
        counts_a_trial = self._table is not None and self._table.is_per_trial(key)
        axis.setLabel("a trial" if counts_a_trial else q.unit_of(key) or None, color=shades.muted)
        self.view.setYRange(-1.4, 1.4, padding=0)
        self.view.enableAutoRange(axis="x")

    def _tip(self, *, data: int, **_place: float) -> str:
        table, key = self._table, self.figure.currentData()
        if table is None:
            return ""
        who = f"{table.words['subject'].at(data)}, {table.words['recording'].at(data)}"
        return plain(f"{who}\n{q.COLUMNS[key].name}: {q.against(table, data, key)}")

    @Slot(object, object)
    def _clicked(self, _item: Any, points: Any, *_event: Any) -> None:
        if len(points):
            self.chosen.emit(int(points[0].data()))

    @Slot(int)
    def _figure_activated(self, _index: int) -> None:
        self.redraw()
        self.figure_chosen.emit(str(self.figure.currentData()))


def spread(values: DoubleArray) -> DoubleArray:
    """Return offsets in [-1, 1] that keep points of similar value apart; the same for the same values."""
    if len(values) < 2:
        return np.zeros(len(values))
    order = np.argsort(values, kind="stable")
    offsets = np.zeros(len(values))
    # The golden ratio's multiples fill an interval evenly, so neighbours in value lie apart.
    offsets[order] = (np.arange(len(values)) * 0.6180339887) % 1.0 * 2.0 - 1.0
    return offsets


def _shown(key: str, value: float) -> float:
    return 100.0 * value if q.unit_of(key) == "%" else value


def _thinned(rows: IntArray, values: Any) -> IntArray:
    """Return at most :data:`MOST_POINTS` of ``rows``, spread evenly over their values."""
    if len(rows) <= MOST_POINTS:
        return rows
    order = np.argsort(values[rows], kind="stable")
    picked: IntArray = rows[order[np.linspace(0, len(rows) - 1, MOST_POINTS).astype(np.int64)]]
    return picked
