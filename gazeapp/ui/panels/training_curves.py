"""The curves of trainings: loss, figures on validation pictures and learning rate over the steps."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, Qt, Signal, Slot
from PySide6.QtGui import QColor, QKeyEvent, QPixmapCache, QShowEvent
from PySide6.QtWidgets import QGraphicsItem, QGraphicsSimpleTextItem, QVBoxLayout, QWidget

from gazeapp.engine.reports.style import LEVEL_COLOURS, model_colour
from gazeapp.engine.types import DoubleArray
from gazeapp.ui import theme
from gazeapp.ui.panels.training_lines import MEASURES, Plots, TrainingLines
from gazeapp.ui.training_folder import Training
from gazeapp.ui.training_history import Curve
from gazeapp.ui.widgets import Elided

MOST_SHOWN = 4
"""Trainings that are drawn over one another at most."""

_KEPT_KB = 256 * 1024


class _Axis(pg.AxisItem):
    """An axis whose large numbers have their thousands apart, and whose small ones are written out."""

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        """Return the texts of the ticks."""
        return [f"{value:,.0f}" if spacing >= 1 else f"{value * scale:.5g}" for value in values]


class _StepAxis(_Axis):
    """An axis of steps, which are whole."""

    def tickSpacing(self, low: float, high: float, size: float) -> list[tuple[float, float]]:
        """Return the spacings of the ticks, the widest first, and where each begins."""
        whole = [each for each in super().tickSpacing(low, high, size) if each[0] >= 1]
        return whole or [(1.0, 0.0)]


class TrainingCurves(QWidget):
    """Up to four trainings over one another; ``cursor_moved`` carries the step under the cursor, -1 for none."""

    cursor_moved = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("dockBody")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Curves of the trainings; left and right arrow move along the steps")
        self._trainings: list[Training] = []
        self._lines: list[TrainingLines] = []
        self._drawn: list[tuple[Path, str]] = []
        self._at = -1.0
        self.view = pg.GraphicsLayoutWidget()
        self.view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        policy = self.view.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.view.setSizePolicy(policy)
        self.loss, self.scores, self.rate = (
            self.view.addPlot(
                row=row,
                col=0,
                axisItems={
                    "bottom": _StepAxis("bottom"),
                    **{side: _Axis(side) for side in ("left", "right")},
                },
            )
            for row in range(3)
        )
        # Lines that are kept as drawn have to fit, or all are drawn anew whenever the cursor moves.
        QPixmapCache.setCacheLimit(max(QPixmapCache.cacheLimit(), _KEPT_KB))
        self._plots = Plots(self.loss, self.scores, self.rate)
        self._cursors: list[pg.InfiniteLine] = []
        self._names: list[QGraphicsSimpleTextItem] = []
        for plot in (self.loss, self.scores, self.rate):
            self._set_up(plot)
        self.loss.vb.sigResized.connect(self._place_names)
        self.loss.vb.sigRangeChanged.connect(self._place_names)
        self.scores.vb.sigRangeChanged.connect(self._place_words)
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
        self._trainings = list(trainings[:MOST_SHOWN])
        if self.isVisible():
            self._draw()

    def showEvent(self, event: QShowEvent) -> None:
        """Draw what has come in while nobody saw it."""
        super().showEvent(event)
        self._draw()

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._dress()
            self._drawn = []  # every line has its colour from the theme
            if self.isVisible():
                self._draw()

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
        for cursor in self._cursors:
            cursor.setVisible(step >= 0)
            cursor.setValue(max(step, 0.0))
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
        # It carries the grid, which takes long to draw anew whenever the cursor moves.
        plot.getAxis("left").setCacheMode(QGraphicsItem.CacheMode.DeviceCoordinateCache)
        if plot is not self.loss:
            plot.setXLink(self.loss)
        cursor = pg.InfiniteLine(angle=90)
        cursor.hide()
        plot.addItem(cursor, ignoreBounds=True)
        self._cursors.append(cursor)

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
        for cursor in self._cursors:
            cursor.setPen(pg.mkPen(shades.muted, width=1))
        self.rate.getAxis("left").setStyle(maxTickLevel=0)

    def _draw(self) -> None:
        """Bring the lines up to date; they are made anew only for other trainings, or other colours."""
        colours = colours_of(self._trainings)
        wanted = [(each.folder, colour.name()) for each, colour in zip(self._trainings, colours, strict=True)]
        if wanted != self._drawn:
            for lines in self._lines:
                lines.remove()
            font = theme.small_font(self.font()) if len(wanted) == 1 else None
            self._lines = [TrainingLines(self._plots, colour, font) for colour in colours]
            self._drawn = wanted
        for lines, training in zip(self._lines, self._trainings, strict=True):
            lines.update(training)
        self._share_room()
        self._come_near()
        self._write_names()
        self._tell()

    def _come_near(self) -> None:
        """Bring the view to the steps at hand after one far wider, of which they would be a few pixels."""
        box = self.loss.vb
        ends = [
            float(step)
            for each in self._trainings
            for step in (*each.curve.steps[:1], *each.curve.steps[-1:])
        ]
        ends += [each.step for training in self._trainings for each in training.evaluations]
        if not ends or not box.autoRangeEnabled()[0]:
            return
        low, high = min(ends), max(ends)
        left, right = box.viewRange()[0]
        if right - left > 2 * max(high - low, 1.0):
            box.setXRange(low, max(high, low + 1.0))
            box.enableAutoRange(x=True)

    def _share_room(self) -> None:
        """Give their rows to the plots that have something to show; the lowest has the steps written out."""
        scored = any(each.evaluations for each in self._trainings)
        rated = any(np.isfinite(each.curve.rates).any() for each in self._trainings)
        some = scored or any(len(each.curve.steps) for each in self._trainings)
        self.view.setVisible(some)
        shown = {self.loss: True, self.scores: scored, self.rate: rated}
        lowest = [plot for plot in shown if shown[plot]][-1:]
        for row, (plot, share) in enumerate(zip(shown, (6, 4, 2), strict=True)):
            plot.setVisible(shown[plot])
            # A hidden plot keeps its row unless the row is told to give it up.
            self.view.ci.layout.setRowStretchFactor(row, share if shown[plot] else 0)
            self.view.ci.layout.setRowMaximumHeight(row, 10_000 if shown[plot] else 0)
            plot.getAxis("bottom").setStyle(showValues=plot in lowest)
            if plot in lowest:
                plot.setLabel("bottom", "step", color=theme.colors().muted)
            plot.getAxis("bottom").showLabel(plot in lowest)

    def _write_names(self) -> None:
        """Write the names beside the ends of the curves; one curve alone is named by the title."""
        ends = self._ends()
        wanted = [(name, colour.name()) for name, colour, _end in ends] if len(ends) > 1 else []
        if wanted == [(name.text(), name.brush().color().name()) for name in self._names]:
            self._place_names()
            return
        for name in self._names:
            self.view.scene().removeItem(name)
        self._names = []
        font = theme.small_font(self.font())
        for text, colour in wanted:
            name = QGraphicsSimpleTextItem(text, self.loss)
            name.setFont(font)
            name.setBrush(QColor(colour))
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
        frame = box.mapRectToItem(self.loss, box.rect())
        height = self._names[0].boundingRect().height()
        ends = [
            box.mapFromViewToItem(self.loss, QPointF(0.0, end)).y() for _name, _colour, end in self._ends()
        ]
        tops = push_apart(np.array(ends) - height / 2, height, frame.top(), frame.bottom() - height)
        for name, top in zip(self._names, tops, strict=True):
            name.setPos(frame.right() + theme.STEP, float(top))

    def _ends(self) -> list[tuple[str, QColor, float]]:
        """Return name, colour and last mean loss, that is a number, of the curves that have one."""
        found = []
        for training, (_folder, colour), lines in zip(self._trainings, self._drawn, self._lines, strict=True):
            known = np.flatnonzero(np.isfinite(lines.mean))
            if len(known):
                found.append((training.name, QColor(colour), float(lines.mean[known[-1]])))
        return found

    @Slot()
    def _place_words(self, *_range: object) -> None:
        for lines in self._lines:
            lines.place_words()

    def _step_cursor(self, by: int) -> None:
        if not self._trainings or not len(self._trainings[0].curve.steps):
            return
        steps = self._trainings[0].curve.steps
        last = len(steps) - 1
        first_key = self._at < 0 and abs(by) == 1  # it brings the cursor to the newest line
        place = last if first_key else int(np.searchsorted(steps, self._at)) + by
        self.put_cursor(float(steps[min(max(place, 0), last)]))

    @Slot(object)
    def _mouse_moved(self, place: QPointF) -> None:
        inside = any(plot.sceneBoundingRect().contains(place) for plot in (self.loss, self.scores, self.rate))
        self.put_cursor(max(0.0, self.loss.vb.mapSceneToView(place).x()) if inside else -1.0)

    def _tell(self) -> None:
        if not self._trainings:
            self.readout.say("")
        elif self.view.isHidden():
            self.readout.say("The curves begin with the first line of the history.")
        elif self._at < 0:
            tip = (
                "Pale: the loss as written, a mean over the steps since the line before. Strong: a running mean of "
                "that. Diamonds are the loss on validation pictures, "
                "circles CIDEr-D, squares BLEU-4, a ring is the best step. The wheel zooms, dragging moves, "
                "a double click shows everything."
            )
            self.readout.say("Rest the pointer on the curves, or use the arrow keys, to read them.", tip)
        else:
            pairs = zip(self._trainings, self._lines, strict=True)
            self.readout.say("   ".join(read_at(each, lines.mean, self._at) for each, lines in pairs))

    @Slot(object)
    def _clicked(self, event: Any) -> None:
        """Take the keys; show everything again after a double click."""
        self.setFocus()
        if event.double():
            for plot in (self.loss, self.scores, self.rate):
                plot.enableAutoRange()


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


def read_at(training: Training, mean: DoubleArray, step: float) -> str:
    """Return what the curves of a training say at a step."""
    curve: Curve = training.curve
    if not len(curve.steps):
        return f"{training.name}: nothing yet"
    after = int(np.searchsorted(curve.steps, step))
    near = slice(max(after - 1, 0), after + 1)
    place = near.start + int(np.abs(curve.steps[near] - step).argmin())
    loss = f"loss {curve.losses[place]:.3f}" if np.isfinite(curve.losses[place]) else "loss not a number"
    parts = [f"step {int(curve.steps[place]):,}", f"{loss} (mean {mean[place]:.3f})"]
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
