"""The figures of results: plots side by side as there is room, a legend, and what can be read from them."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from operator import is_

import numpy as np
from PySide6.QtCore import QEvent, QPoint, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from gazeapp.engine.reports.results.data import Axes, Figure
from gazeapp.ui import theme
from gazeapp.ui.panels.results_axes import MOST_POINTS, ResultPlot, series_colour
from gazeapp.ui.widgets import label, plain, simulated_badge

_LEAST_WIDTH, _LEAST_HEIGHT = 28 * theme.STEP, 16 * theme.STEP
_MARK_HEIGHT = 14
"""Room that a mark needs in its row, px."""
_OUTLINES = {"o": "○", "s": "□", "D": "◇", "^": "△"}
"""Outlines of markers as a legend shows them."""


class FigureView(QWidget):
    """One of some figures; a click on a point that is an image is ``chosen``: (image id, source).

    A click on a bar or a point that stands for a region and a source is ``picked``: (region, kind, source).

    Parameters
    ----------
    name
        What it is, for screen readers.
    joins
        Whether a line joins the points of the image in hand in rows of points.
    waits
        Whether plots are drawn once nothing else waits, so that of many choices in a row the last is drawn.
    """

    chosen = Signal(int, str)
    picked = Signal(str, str, str)
    menu_asked = Signal(QPoint)
    figure_chosen = Signal(str)

    def __init__(
        self, name: str, parent: QWidget | None = None, *, joins: bool = True, waits: bool = False
    ) -> None:
        super().__init__(parent)
        self.setObjectName("dockBody")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName(name)
        self._figures: tuple[Figure, ...] = ()
        self._source = ""
        self._joins = joins
        self._waiting = QTimer(self) if waits else None
        if self._waiting is not None:
            self._waiting.setSingleShot(True)
            self._waiting.timeout.connect(self._draw_plots)
        self._image: int | None = None
        self.plots: list[ResultPlot] = []
        self._pool: list[tuple[ResultPlot, QLabel]] = []
        self._choice = QComboBox()
        self._choice.setAccessibleName("Which figure is drawn")
        self._choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._choice.setMinimumContentsLength(12)
        self._choice.setMaximumWidth(80 * theme.STEP)
        self._choice.setProperty("role", "quiet")
        self._choice.activated.connect(self._choose)
        self._title = label("", "section")
        self._legend = label("", "muted")
        self._legend.setTextFormat(Qt.TextFormat.RichText)
        self._legend.setWordWrap(True)
        for words in (self._title, self._legend):
            words.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        top = QHBoxLayout()
        top.setContentsMargins(2 * theme.STEP, 0, 0, 0)
        top.setSpacing(2 * theme.STEP)
        top.addWidget(self._choice, 100)
        top.addWidget(self._title, 100)
        top.addStretch(1)
        self._badge = simulated_badge()
        top.addWidget(self._badge)
        self._body = QWidget()
        self._grid = QGridLayout(self._body)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(0)
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setWidget(self._body)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 8, 4)
        column.setSpacing(0)
        column.addLayout(top)
        column.addWidget(self._legend)
        column.addWidget(self._scroll, 1)
        self._legend.setContentsMargins(2 * theme.STEP, 0, 0, 0)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self.menu_asked)
        self.setMinimumWidth(30 * theme.STEP)

    @property
    def figure(self) -> Figure | None:
        """The figure that is drawn."""
        place = self._choice.currentIndex()
        return self._figures[place] if 0 <= place < len(self._figures) else None

    def show_figures(self, figures: Sequence[Figure]) -> None:
        """Offer some figures and draw the one that was drawn before, else the first; one that is drawn stays."""
        if len(figures) == len(self._figures) and all(map(is_, figures, self._figures)):
            return
        drawn = self.figure
        before = drawn.id if drawn is not None else ""
        self._figures = tuple(figures)
        self._choice.clear()
        for figure in self._figures:
            self._choice.addItem(figure.title, figure.id)
        place = max(self._choice.findData(before), 0)
        if self._figures:
            self._choice.setCurrentIndex(place)
        self._choice.setVisible(len(self._figures) > 1)
        self._title.setVisible(len(self._figures) == 1)
        if self.figure is not drawn:
            self._draw()

    def emphasise(self, source: str) -> None:
        """Bring the points of a source forward."""
        self._source = source
        for plot in self.plots:
            plot.emphasise(source)

    def mark_image(self, image_id: int | None) -> None:
        """Ring the points of an image."""
        if image_id == self._image:
            return
        self._image = image_id
        for plot in self.plots:
            plot.mark_image(image_id)

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            for plot, _ in self._pool:
                plot.redraw()
            self._write_legend()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place as many plots side by side as there is room for."""
        super().resizeEvent(event)
        self._arrange()

    @Slot(int)
    def _choose(self, _place: int) -> None:
        self._draw()
        if self.figure is not None:
            self.figure_chosen.emit(self.figure.id)

    def _draw(self) -> None:
        figure = self.figure
        self._title.setText(figure.title if figure is not None else "")
        about = _about(figure) if figure is not None else ""
        for part in (self._title, self._choice):
            part.setToolTip(plain(about))
        self._badge.setVisible(figure is not None and figure.simulated)
        self._badge.setToolTip(figure.simulated_words if figure is not None else "")
        self._write_legend()
        if self._waiting is not None:
            self._waiting.start(0)
        else:
            self._draw_plots()

    @Slot()
    def _draw_plots(self) -> None:
        axes = self.figure.axes if self.figure is not None else ()
        while len(self._pool) < len(axes):
            self._pool.append(self._new_plot())
        self.plots = [plot for plot, _ in self._pool[: len(axes)]]
        for k, (plot, title) in enumerate(self._pool):
            is_used = k < len(axes)
            plot.setVisible(is_used)
            title.setVisible(is_used)
            if is_used:
                plot.show_axes(axes[k], self._source, self._image)
                self._write_title(title, axes[k], alone=len(axes) == 1)
        self._arrange()

    def _new_plot(self) -> tuple[ResultPlot, QLabel]:
        plot, title = ResultPlot(joins=self._joins), label("", "muted")
        plot.chosen.connect(self.chosen)
        plot.picked.connect(self.picked)
        title.setContentsMargins(2 * theme.STEP, 0, 0, 0)
        title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Maximum)
        return plot, title

    def _write_title(self, title: QLabel, axes: Axes, *, alone: bool) -> None:
        """Name a plot; of upright ones the values, too, which would be cut beside a low axis."""
        parts = ["" if alone else axes.title, "" if axes.horizontal else axes.y_label]
        name = "  ·  ".join(dict.fromkeys(part for part in parts if part))
        title.setText(name)
        title.setAccessibleName(name)
        title.setToolTip(plain(name))
        title.setVisible(bool(name))

    def _arrange(self) -> None:
        figure = self.figure
        if figure is None or not self.plots:
            return
        columns = max(1, min(self.width() // _LEAST_WIDTH, figure.columns, len(self.plots)))
        for k, (plot, title) in enumerate(self._pool[: len(self.plots)]):
            row, column = 2 * (k // columns), k % columns
            room = (self.width() - 3 * theme.STEP) // columns - 3 * theme.STEP
            name = title.fontMetrics().elidedText(title.accessibleName(), Qt.TextElideMode.ElideRight, room)
            title.setText(name)
            self._grid.addWidget(title, row, column)
            self._grid.addWidget(plot, row + 1, column)
            rows = max((_rows_height(one, self.fontMetrics().height()) for one in figure.axes), default=0)
            plot.setMinimumHeight(max(_LEAST_HEIGHT, rows + 6 * theme.STEP))
        for column in range(self._grid.columnCount()):
            self._grid.setColumnStretch(column, 1 if column < columns else 0)

    def _write_legend(self) -> None:
        entries: dict[str, tuple[str, str]] = {}
        for axes in self.figure.axes if self.figure is not None else ():
            if axes.legend:
                entries.update(_entries(axes))
            entries.update(_named_lines(axes))
        shown = "&nbsp; ".join(
            f"<span style='color:{colour}'>{mark}</span>&nbsp;{_unbroken(name)}"
            for name, (mark, colour) in entries.items()
        )
        self._legend.setText(shown)
        self._legend.setToolTip(plain("\n".join(entries)))
        has_line = any(
            line.named for axes in (self.figure.axes if self.figure else ()) for line in axes.lines
        )
        self._legend.setVisible(len(entries) > 1 or has_line)


def _rows_height(axes: Axes, line: int) -> int:
    """Return the height of the rows of a plot in which names and marks do not lie on each other, px."""
    if not axes.horizontal or not axes.x_ticks:
        return 0
    places = np.concatenate([one.x for one in axes.series if not one.small and one.marker] or [np.zeros(0)])
    _, marks = np.unique(np.rint(places[np.isfinite(places)]), return_counts=True)
    return len(axes.x_ticks) * max(line, _MARK_HEIGHT * int(marks.max(initial=1)))


def _entries(axes: Axes) -> dict[str, tuple[str, str]]:
    """Return mark and colour of each name of a legend: a dotted line for a fit, a dot or its outline for points."""
    return {
        one.name: (
            "┄┄" if one.dashed and not one.marker else _OUTLINES.get(one.marker, "○") if one.hollow else "●",
            series_colour(one).name(),
        )
        for one in axes.series
        if one.name
    }


def _named_lines(axes: Axes) -> dict[str, tuple[str, str]]:
    """Return mark and colour of each reference line that is named: dashed or solid, as it is drawn."""
    colour = theme.colors().muted
    return {line.label: ("╌╌" if line.dashed else "──", colour) for line in axes.lines if line.named}


def _unbroken(name: str) -> str:
    """Return a name for rich text that stays in one line."""
    return escape(name).replace(" ", "&nbsp;").replace("-", "&#8209;")


def _about(figure: Figure) -> str:
    most = max((len(one.y) for axes in figure.axes for one in axes.series), default=0)
    more = f"\nOf {most:,} points a row, {MOST_POINTS:,} are drawn." if most > MOST_POINTS else ""
    lines = {line.label for axes in figure.axes for line in axes.lines if line.label}
    marks = f"\nLines: {', '.join(sorted(lines))}." if lines else ""
    return f"{figure.title}\n{figure.caption}{marks}{more}".strip()
