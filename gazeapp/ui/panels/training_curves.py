"""The curves of trainings: loss, figures on validation pictures and learning rate over the steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, Qt, Signal, Slot
from PySide6.QtGui import QColor, QKeyEvent
from PySide6.QtWidgets import QGraphicsSimpleTextItem, QVBoxLayout, QWidget

from gazeapp.engine.reports.style import LEVEL_COLOURS, model_colour
from gazeapp.engine.types import DoubleArray
from gazeapp.ui import theme
from gazeapp.ui.training_folder import Curve, Training
from gazeapp.ui.widgets import Elided

MOST_SHOWN = 4
"""Trainings that are drawn over one another at most."""

MEASURES = {"cider": "CIDEr-D", "bleu4": "BLEU-4"}
_SYMBOLS = {"cider": "o", "bleu4": "s"}
_STYLES = {"cider": Qt.PenStyle.SolidLine, "bleu4": Qt.PenStyle.DashLine}
_SMOOTHED = 40
"""The mean runs over one in so many of a curve's lines."""
_PALE = 70
_MOST_MEANS = 4000
"""Points of a running mean that are drawn at least where there are more; it is smooth between them."""


@dataclass(frozen=True, slots=True, eq=False)
class _Drawn:
    training: Training
    colour: QColor
    mean: DoubleArray


class _Axis(pg.AxisItem):
    """An axis whose large numbers have their thousands apart, and whose small ones are written out."""

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        """Return the texts of the ticks."""
        return [f"{value:,.0f}" if spacing >= 1 else f"{value * scale:.5g}" for value in values]


class TrainingCurves(QWidget):
    """Up to four trainings over one another; ``cursor_moved`` carries the step under the cursor, -1 for none."""

    cursor_moved = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("dockBody")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Curves of the trainings; left and right arrow move along the steps")
        self._drawn: list[_Drawn] = []
        self._at = -1.0
        self.view = pg.GraphicsLayoutWidget()
        self.view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.loss, self.scores, self.rate = (
            self.view.addPlot(
                row=row, col=0, axisItems={side: _Axis(side) for side in ("left", "bottom", "right")}
            )
            for row in range(3)
        )
        for row, share in enumerate((6, 4, 2)):
            self.view.ci.layout.setRowStretchFactor(row, share)
        self._lines: list[pg.InfiniteLine] = []
        self._names: list[QGraphicsSimpleTextItem] = []
        for plot in (self.loss, self.scores, self.rate):
            self._set_up(plot)
        self.loss.vb.sigResized.connect(self._place_names)
        self.loss.vb.sigRangeChanged.connect(self._place_names)
        self.view.scene().sigMouseMoved.connect(self._mouse_moved)
        self.view.scene().sigMouseClicked.connect(self._clicked)
        self.readout = Elided()
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.STEP, theme.STEP, theme.STEP * 2, theme.STEP)
        column.setSpacing(theme.STEP // 2)
        column.addWidget(self.view, 1)
        column.addWidget(self.readout)
        self._dress()
        self._tell()

    def show_trainings(self, trainings: Sequence[Training]) -> None:
        """Draw the curves of trainings, four at most, each in its colour."""
        shown = list(trainings[:MOST_SHOWN])
        self._drawn = [
            _Drawn(each, colour, smooth(each.curve.losses))
            for each, colour in zip(shown, colours_of(shown), strict=True)
        ]
        self._redraw()

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._dress()
            self._redraw()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move along the steps; Home and End go to the ends, Esc lets the cursor go."""
        key = event.key()
        moves = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        if key in moves:
            self._step_cursor(moves[Qt.Key(key)])
        elif key == Qt.Key.Key_Home:
            self._step_cursor(-(2**31))
        elif key == Qt.Key.Key_End:
            self._step_cursor(2**31)
        elif key == Qt.Key.Key_Escape and self._at >= 0:
            self.put_cursor(-1.0)
        else:
            super().keyPressEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        """Let the cursor go with the mouse."""
        super().leaveEvent(event)
        self.put_cursor(-1.0)

    def put_cursor(self, step: float) -> None:
        """Read the curves at a step; below 0 at none."""
        self._at = step
        for line in self._lines:
            line.setVisible(step >= 0)
            line.setValue(max(step, 0.0))
        self._tell()
        self.cursor_moved.emit(step)

    def _set_up(self, plot: pg.PlotItem) -> None:
        plot.setMenuEnabled(False)
        plot.hideButtons()
        plot.setMouseEnabled(x=True, y=False)
        plot.setDownsampling(auto=True, mode="peak")
        plot.setClipToView(True)
        plot.vb.setAutoVisible(y=True)
        plot.getAxis("left").setWidth(theme.STEP * 8)
        plot.showAxis("right")  # the names of the curves stand in its place
        for side in ("left", "bottom", "right"):
            plot.getAxis(side).enableAutoSIPrefix(False)
        plot.getAxis("right").setStyle(showValues=False)
        if plot is not self.loss:
            plot.setXLink(self.loss)
        if plot is not self.rate:
            plot.getAxis("bottom").setStyle(showValues=False)

    def _dress(self) -> None:
        shades = theme.colors()
        self.view.setBackground(shades.base)
        for plot, title in (
            (self.loss, "loss"),
            (self.scores, "validation"),
            (self.rate, "rate"),
        ):
            plot.showGrid(x=False, y=True, alpha=0.12)
            for side in ("left", "bottom"):
                axis = plot.getAxis(side)
                axis.setPen(pg.mkPen(shades.line))
                axis.setTextPen(pg.mkPen(shades.muted))
                axis.setStyle(tickLength=0)
                axis.setTickFont(theme.small_font(self.font()))
            plot.getAxis("right").setPen(pg.mkPen(None))
            plot.getAxis("right").setStyle(tickLength=0)
            plot.setLabel("left", title, color=shades.muted)
        self.rate.setLabel("bottom", "step", color=shades.muted)
        self.rate.getAxis("left").setStyle(maxTickLevel=0)

    def _redraw(self) -> None:
        for plot in (self.loss, self.scores, self.rate):
            plot.clear()
        for name in self._names:
            self.view.scene().removeItem(name)
        self._lines, self._names = [], []
        for drawn in self._drawn:
            self._draw_loss(drawn)
            self._draw_scores(drawn)
            rates = drawn.training.curve.rates
            if np.isfinite(rates).any():
                pen = pg.mkPen(drawn.colour, width=1)
                self.rate.addItem(pg.PlotDataItem(drawn.training.curve.steps, rates, pen=pen))
        self.scores.setVisible(any(each.training.evaluations for each in self._drawn))
        # A hidden plot keeps its row unless the row is told to give it up.
        self.view.ci.layout.setRowStretchFactor(1, 4 if self.scores.isVisible() else 0)
        self.view.ci.layout.setRowMaximumHeight(1, 10_000 if self.scores.isVisible() else 0)
        pen = pg.mkPen(theme.colors().muted, width=1)
        for plot in (self.loss, self.scores, self.rate):
            line = pg.InfiniteLine(pos=max(self._at, 0.0), angle=90, pen=pen)
            line.setVisible(self._at >= 0)
            plot.addItem(line, ignoreBounds=True)
            self._lines.append(line)
        self._write_names()
        self._tell()

    def _draw_loss(self, drawn: _Drawn) -> None:
        curve = drawn.training.curve
        if not len(curve.steps):
            return
        pale = QColor(drawn.colour)
        pale.setAlpha(_PALE)
        self.loss.addItem(pg.PlotDataItem(curve.steps, curve.losses, pen=pg.mkPen(pale, width=1)))
        every = slice(None, None, max(1, len(drawn.mean) // _MOST_MEANS))
        pen = pg.mkPen(drawn.colour, width=2)
        self.loss.addItem(pg.PlotDataItem(curve.steps[every], drawn.mean[every], pen=pen))

        checks = [each for each in drawn.training.evaluations if "validation_loss" in each.measures]
        if checks:
            steps = [each.step for each in checks]
            losses = [each.measures["validation_loss"] for each in checks]
            pen = pg.mkPen(drawn.colour, width=1, style=Qt.PenStyle.DotLine)
            brush = pg.mkBrush(theme.colors().base)
            self.loss.addItem(
                pg.PlotDataItem(
                    *(steps, losses),
                    pen=pen,
                    symbol="d",
                    symbolSize=9,
                    symbolPen=pg.mkPen(drawn.colour),
                    symbolBrush=brush,
                )
            )

    def _draw_scores(self, drawn: _Drawn) -> None:
        for measure in MEASURES:
            points = [
                (each.step, each.measures[measure], each.best)
                for each in drawn.training.evaluations
                if measure in each.measures
            ]
            if not points:
                continue
            steps, values = [point[0] for point in points], [point[1] for point in points]
            item = pg.PlotDataItem(
                steps,
                values,
                pen=pg.mkPen(drawn.colour, width=1.5, style=_STYLES[measure]),
                symbol=_SYMBOLS[measure],
                symbolSize=7,
                symbolPen=pg.mkPen(drawn.colour),
                symbolBrush=pg.mkBrush(drawn.colour if measure == "cider" else theme.colors().base),
            )
            self.scores.addItem(item)
        self._mark_best(drawn)

    def _mark_best(self, drawn: _Drawn) -> None:
        best = best_of(drawn.training)
        if best is None:
            return
        step, measure, value = best
        text = theme.colors().text
        ring = pg.ScatterPlotItem(
            [step], [value], size=15, pen=pg.mkPen(text, width=1.5), brush=pg.mkBrush(None), symbol="o"
        )
        self.scores.addItem(ring)
        if len(self._drawn) == 1:
            said = pg.TextItem(f"best {MEASURES[measure]} {value:.3g}", color=text, anchor=(0.5, -0.4))
            said.setFont(theme.small_font(self.font()))
            said.setPos(step, value)
            self.scores.addItem(said, ignoreBounds=True)

    def _write_names(self) -> None:
        """Write the names beside the ends of the curves; one curve alone is named by the title."""
        drawn = [each for each in self._drawn if len(each.training.curve.steps)]
        font = theme.small_font(self.font())
        for each in drawn if len(drawn) > 1 else ():
            name = QGraphicsSimpleTextItem(each.training.name, self.loss)
            name.setFont(font)
            name.setBrush(each.colour)
            self._names.append(name)
        width = max((name.boundingRect().width() for name in self._names), default=0.0)
        for plot in (self.loss, self.scores, self.rate):
            plot.getAxis("right").setWidth(width + theme.STEP)
        self._place_names()

    @Slot()
    def _place_names(self, *_range: object) -> None:
        """Put each name at the height of its curve's end, pushed apart where two would lie on one another."""
        if not self._names:
            return
        box = self.loss.vb
        drawn = [each for each in self._drawn if len(each.training.curve.steps)]
        frame = box.mapRectToItem(self.loss, box.rect())
        height = self._names[0].boundingRect().height()
        ends = [box.mapFromViewToItem(self.loss, QPointF(0.0, float(each.mean[-1]))).y() for each in drawn]
        tops = push_apart(np.array(ends) - height / 2, height, frame.top(), frame.bottom() - height)
        for name, top in zip(self._names, tops, strict=True):
            name.setPos(frame.right() + theme.STEP, float(top))

    def _step_cursor(self, by: int) -> None:
        if not self._drawn or not len(self._drawn[0].training.curve.steps):
            return
        steps = self._drawn[0].training.curve.steps
        last = len(steps) - 1
        first_key = self._at < 0 and abs(by) == 1  # it brings the cursor to the newest line
        place = last if first_key else int(np.searchsorted(steps, self._at)) + by
        self.put_cursor(float(steps[min(max(place, 0), last)]))

    @Slot(object)
    def _mouse_moved(self, place: QPointF) -> None:
        inside = any(plot.sceneBoundingRect().contains(place) for plot in (self.loss, self.scores, self.rate))
        self.put_cursor(max(0.0, self.loss.vb.mapSceneToView(place).x()) if inside else -1.0)

    def _tell(self) -> None:
        if not self._drawn:
            self.readout.say("")
        elif self._at < 0:
            tip = (
                "Pale: the loss as written, a mean over the steps since the line before. Strong: a running mean of "
                "that. Diamonds are the loss on validation pictures, "
                "circles CIDEr-D, squares BLEU-4, a ring is the best step. The wheel zooms, dragging moves, "
                "a double click shows everything."
            )
            self.readout.say("Rest the pointer on the curves, or use the arrow keys, to read them.", tip)
        else:
            self.readout.say("   ".join(read_at(each.training, each.mean, self._at) for each in self._drawn))

    @Slot(object)
    def _clicked(self, event: Any) -> None:
        """Take the keys; show everything again after a double click."""
        self.setFocus()
        if event.double():
            for plot in (self.loss, self.scores, self.rate):
                plot.enableAutoRange()


def smooth(losses: DoubleArray) -> DoubleArray:
    """Return the running mean of a curve over a window of one in forty of its points, shorter at the ends.

    Losses that are no numbers are left out of it; it is NaN where there are no others.
    """
    count = len(losses)
    half = count // (2 * _SMOOTHED)
    if half == 0:
        return losses
    known = np.isfinite(losses)
    sums = np.concatenate([[0.0], np.cumsum(np.where(known, losses, 0.0))])
    counts = np.concatenate([[0], np.cumsum(known)])
    places = np.arange(count)
    low, high = np.maximum(places - half, 0), np.minimum(places + half + 1, count)
    number = counts[high] - counts[low]
    mean: DoubleArray = np.where(number > 0, (sums[high] - sums[low]) / np.maximum(number, 1), np.nan)
    return mean


def push_apart(places: DoubleArray, least: float, lowest: float, highest: float) -> DoubleArray:
    """Return places, px, moved so that neighbours are ``least`` apart and, if there is room, none leaves the range."""
    moved = np.clip(places, lowest, highest)
    order = np.argsort(places, kind="stable")
    for before, after in pairwise(order):
        moved[after] = max(moved[after], moved[before] + least)
    moved[order[-1:]] = np.minimum(moved[order[-1:]], max(highest, lowest + least * (len(order) - 1)))
    for after, before in pairwise(order[::-1]):
        moved[before] = min(moved[before], moved[after] - least)
    return moved


def best_of(training: Training) -> tuple[int, str, float] | None:
    """Return step, measure and value of the evaluation that was marked best last."""
    for each in reversed(training.evaluations):
        measure = next((name for name in MEASURES if name in each.measures), None)
        if each.best and measure is not None:
            return each.step, measure, each.measures[measure]
    return None


def read_at(training: Training, mean: DoubleArray, step: float) -> str:
    """Return what the curves of a training say at a step."""
    curve: Curve = training.curve
    if not len(curve.steps):
        return f"{training.name}: nothing yet"
    place = int(np.abs(curve.steps - step).argmin())
    parts = [f"step {int(curve.steps[place]):,}", f"loss {curve.losses[place]:.3f} (mean {mean[place]:.3f})"]
    if np.isfinite(curve.rates[place]):
        parts.append(f"rate {curve.rates[place]:.2g}")
    before = [each for each in training.evaluations if each.step <= curve.steps[place]]
    for name, title in {"validation_loss": "on validation", **MEASURES}.items() if before else ():
        if name in before[-1].measures:
            parts.append(f"{title} {before[-1].measures[name]:.3f}")
    return f"{training.name}: {' · '.join(parts)}"


def colours_of(trainings: Sequence[Training]) -> list[QColor]:
    """Return a colour for each: that of its place among the four where these differ, else one by order."""
    cells = [_cell(training) for training in trainings]
    if all(cells) and len(set(cells)) == len(cells):
        return [QColor(model_colour(cell, ())) for cell in cells]
    return [QColor(LEVEL_COLOURS[number]) for number in range(len(trainings))]


def _cell(training: Training) -> str:
    encoder, decoder = training.settings.get("encoder"), training.settings.get("decoder")
    if not encoder or decoder not in ("lstm", "transformer"):
        return ""
    return f"{'vit' if 'vit' in str(encoder).lower() else 'cnn'}-{decoder}"
