"""The lines of one training in the plots of loss, validation and rate, kept and brought up to date."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont
from PySide6.QtWidgets import QGraphicsItem

from gazeapp.engine.types import DoubleArray
from gazeapp.ui import theme
from gazeapp.ui.training_folder import Training
from gazeapp.ui.training_history import Curve, Evaluation

MEASURES = {"cider": "CIDEr-D", "bleu4": "BLEU-4"}
_SYMBOLS = {"cider": "o", "bleu4": "s"}
_STYLES = {"cider": Qt.PenStyle.SolidLine, "bleu4": Qt.PenStyle.DashLine}
_SMOOTHED = 40
"""The mean runs over one in so many of a curve's lines."""
_PALE = 70
_MOST_MEANS = 4000
"""Points of a running mean that are drawn at least where there are more; it is smooth between them."""
_FEW = 12
"""Up to so many losses are drawn as points, too: one alone makes no line."""


@dataclass(frozen=True, slots=True)
class Plots:
    """The three plots that share the axis of steps."""

    loss: pg.PlotItem
    scores: pg.PlotItem
    rate: pg.PlotItem


class TrainingLines:
    """What is drawn of one training; `update` draws only what is new.

    Parameters
    ----------
    plots
        Where it is drawn.
    colour
        Colour of the training.
    font
        Font of the words at the best figure; None for no words.
    """

    def __init__(self, plots: Plots, colour: QColor, font: QFont | None) -> None:
        self.mean: DoubleArray = np.empty(0)
        self._plots, self._colour = plots, colour
        self._curve: Curve | None = None
        self._evaluations: tuple[Evaluation, ...] | None = None
        pale = QColor(colour)
        pale.setAlpha(_PALE)
        base = theme.colors().base
        self._loss = _line(plots.loss, pg.mkPen(pale, width=1))
        self._mean = _line(plots.loss, pg.mkPen(colour, width=2))
        self._rate = _line(plots.rate, pg.mkPen(colour, width=1))
        dots = pg.mkPen(colour, width=1, style=Qt.PenStyle.DotLine)
        self._checks = _line(plots.loss, dots, symbol="d", symbolSize=9, symbolPen=colour, symbolBrush=base)
        self._scores = {
            measure: _line(
                plots.scores,
                pg.mkPen(colour, width=1.5, style=_STYLES[measure]),
                symbol=_SYMBOLS[measure],
                symbolSize=7,
                symbolPen=colour,
                symbolBrush=colour if measure == "cider" else base,
            )
            for measure in MEASURES
        }
        text = theme.colors().text
        self._ring = pg.ScatterPlotItem(
            size=15, pen=pg.mkPen(text, width=1.5), brush=pg.mkBrush(None), symbol="o"
        )
        plots.scores.addItem(self._ring)
        ground = QColor(base)
        ground.setAlpha(210)
        self._said = pg.TextItem("", color=text, fill=ground) if font is not None else None
        if self._said is not None:
            self._said.setFont(font)
            plots.scores.addItem(self._said, ignoreBounds=True)

    def update(self, training: Training) -> None:
        """Draw how the training stands."""
        if training.curve is not self._curve:
            self._curve = training.curve
            self._draw_curve(training.curve)
        if training.evaluations is not self._evaluations:
            self._evaluations = training.evaluations
            self._draw_evaluations(training)

    def remove(self) -> None:
        """Take everything out of the plots."""
        for plot, items in (
            (self._plots.loss, (self._loss, self._mean, self._checks)),
            (self._plots.rate, (self._rate,)),
            (self._plots.scores, (*self._scores.values(), self._ring, self._said)),
        ):
            for item in items:
                if item is not None:
                    plot.removeItem(item)

    def place_words(self) -> None:
        """Put the words at the best figure on that side of it where the plot has room."""
        if self._said is None:
            return
        (left, right), (low, high) = self._plots.scores.vb.viewRange()
        place = self._said.pos()
        across = 1.0 if place.x() > (left + right) / 2 else 0.0
        self._said.setAnchor((across, -0.4 if place.y() > (low + high) / 2 else 1.4))

    def _draw_curve(self, curve: Curve) -> None:
        self.mean = smooth(curve.losses)
        _put(self._loss, curve.steps, curve.losses)
        every = slice(None, None, max(1, len(self.mean) // _MOST_MEANS))
        _put(self._mean, curve.steps[every], self.mean[every])
        few = len(curve.steps) <= _FEW
        self._mean.setSymbol("o" if few else None)
        self._mean.setSymbolSize(6)
        self._mean.setSymbolPen(self._colour)
        self._mean.setSymbolBrush(self._colour)
        _put(self._rate, curve.steps, curve.rates)
        self._rate.setSymbol("o" if few else None)
        self._rate.setSymbolSize(4)
        self._rate.setSymbolPen(self._colour)
        self._rate.setSymbolBrush(self._colour)

    def _draw_evaluations(self, training: Training) -> None:
        for name, item in {"validation_loss": self._checks, **self._scores}.items():
            points = [
                (each.step, each.measures[name]) for each in training.evaluations if name in each.measures
            ]
            _put(item, *np.array(points, np.float64).reshape(-1, 2).T)
        best = best_of(training)
        self._ring.setData([] if best is None else [best[0]], [] if best is None else [best[2]])
        if self._said is not None:
            self._said.setText("" if best is None else f"best {MEASURES[best[1]]} {best[2]:.3g}")
            self._said.setVisible(best is not None)
            if best is not None:
                self._said.setPos(best[0], best[2])
                self.place_words()


def best_of(training: Training) -> tuple[int, str, float] | None:
    """Return step, measure and value of the evaluation that was marked best last."""
    for each in reversed(training.evaluations):
        measure = next((name for name in MEASURES if name in each.measures), None)
        if each.best and measure is not None:
            return each.step, measure, each.measures[measure]
    return None


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


def _line(plot: pg.PlotItem, pen: Any, **symbol: Any) -> pg.PlotDataItem:
    """Return an empty line in a plot; it is drawn with two points a pixel, once, until it or the view changes."""
    item = pg.PlotDataItem(pen=pen, autoDownsampleFactor=1.0, **symbol)
    plot.addItem(item)
    item.curve.setCacheMode(QGraphicsItem.CacheMode.DeviceCoordinateCache)
    return item


def _put(item: pg.PlotDataItem, steps: DoubleArray, values: DoubleArray) -> None:
    if np.isfinite(values).any():
        item.setData(steps, values)
    else:
        item.setData([], [])
