"""Scores of each image: one strip of points a source; a click on a point goes to its image."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import Slot
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QVBoxLayout, QWidget

from gazeapp.ui import theme
from gazeapp.ui.colours import source_colour
from gazeapp.ui.panels.score_table import metric_name, number
from gazeapp.ui.selection import Selection
from gazeapp.ui.study import PEOPLE, StudyView
from gazeapp.ui.widgets import label

_SPREAD = 0.28

PEOPLE_BY_IMAGE = frozenset({"loso", "split_half_r", "half_vs_half"})
"""Estimators of how well people predict each other that have a value for each image."""


class ScorePlot(QWidget):
    """Per-image values of the metric in hand for people and every model.

    The image in hand is marked in every strip and joined by a line.
    """

    def __init__(self, selection: Selection, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._selection = selection
        self._study: StudyView | None = None
        self._source = ""
        self._title = label("", "section")
        self._title.setContentsMargins(16, 0, 0, 0)
        self.view = pg.PlotWidget(background=None)
        self.view.setMenuEnabled(False)
        self.view.hideButtons()
        self.view.setMouseEnabled(x=False, y=False)
        self.view.setAccessibleName("Scores of each image")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 8, 4)
        column.setSpacing(0)
        column.addWidget(self._title)
        column.addWidget(self.view, 1)
        self.points: list[pg.ScatterPlotItem] = []
        selection.changed.connect(self._follow)

    @Slot(object)
    def show_study(self, study: StudyView | None) -> None:
        """Show the values of ``study``; None shows nothing."""
        self._study = study
        self.redraw()

    def set_source(self, source: str) -> None:
        """Bring the strip of ``source`` forward."""
        if source != self._source:
            self._source = source
            self.redraw()

    @Slot(object)
    def _follow(self, names: frozenset[str]) -> None:
        if names & {"image_id", "metric", "source", "task", "preset"}:
            if "source" in names:
                self._source = self._selection.source or ""
            self.redraw()

    def redraw(self) -> None:
        """Draw everything again in the colours of the theme."""
        self.view.clear()
        self.points = []
        study, chosen = self._study, self._selection
        if study is None:
            return
        shades = theme.colors()
        self.view.setBackground(shades.base)
        self._title.setText(f"{metric_name(chosen.metric)} OF EACH IMAGE")
        strips = per_image(study, chosen.task, chosen.preset, chosen.metric)
        models = study.model_ids
        ticks, joined = [], []
        for place, (source, values) in enumerate(strips.items()):
            color = source_colour(0 if source == PEOPLE else models.index(source) + 1)
            dimmed = self._source not in ("", source) and self._source in strips
            joined += self._draw_strip(place, source, values, color, dimmed)
            ticks.append((place, study.source_name(source).replace("Transformer", "Transf.")))
        if len(joined) > 1:
            pen = pg.mkPen(QColor(shades.text), width=1)
            xs, ys = zip(*joined, strict=True)
            self.view.addItem(pg.PlotDataItem(list(xs), list(ys), pen=pen))
        self._dress_axes(ticks)

    def _draw_strip(
        self, place: int, source: str, values: dict[int, float], color: QColor, dimmed: bool
    ) -> list[tuple[float, float]]:
        shades = theme.colors()
        ids = sorted(values)
        heights = np.array([values[i] for i in ids], dtype=np.float64)
        across = place + spread(heights) * _SPREAD
        soft = QColor(color)
        soft.setAlpha(60 if dimmed else 190)
        current = self._selection.image_id
        sizes = [11 if i == current else 6 for i in ids]
        pens = [pg.mkPen(QColor(shades.text), width=2) if i == current else pg.mkPen(None) for i in ids]
        item = pg.ScatterPlotItem(
            x=across,
            y=heights,
            data=[(source, i) for i in ids],
            size=sizes,
            pen=pens,
            brush=pg.mkBrush(soft),
            hoverable=True,
            hoverSize=10,
            tip=self._tip,
        )
        item.sigClicked.connect(self._clicked)
        self.view.addItem(item)
        self.points.append(item)
        mean = float(heights.mean())
        line = pg.PlotDataItem([place - 0.36, place + 0.36], [mean, mean], pen=pg.mkPen(color, width=2))
        self.view.addItem(line)
        return [(float(across[ids.index(current)]), values[current])] if current in values else []

    def _dress_axes(self, ticks: list[tuple[int, str]]) -> None:
        shades = theme.colors()
        for side in ("left", "bottom"):
            axis = self.view.getAxis(side)
            axis.setPen(pg.mkPen(shades.line))
            axis.setTextPen(pg.mkPen(shades.muted))
            axis.setStyle(tickLength=0)
            axis.setTickFont(self.font())
        self.view.getAxis("bottom").setTicks([ticks])
        self.view.setXRange(-0.6, max(len(ticks) - 0.4, 0.6), padding=0)
        self.view.enableAutoRange(axis="y")

    def _tip(self, *, y: float, data: tuple[str, int], **_across: float) -> str:
        source, image_id = data
        if self._study is None or image_id not in self._study.images:
            return ""
        return f"{self._study.images[image_id].name}\n{self._study.source_name(source)}: {number(y)}"

    @Slot(object, object)
    def _clicked(self, _item: Any, points: Any, *_event: Any) -> None:
        if len(points):
            source, image_id = points[0].data()
            self._selection.update(image_id=image_id, source=source)


def per_image(study: StudyView, task: str, preset: str, metric: str) -> dict[str, dict[int, float]]:
    """Return the value of each image, how well people predict each other first, then the models in order."""
    found: dict[str, dict[int, float]] = {}
    for ceiling in study.ceilings:
        wanted = (task, preset, metric) == (ceiling.task, ceiling.preset, ceiling.metric)
        if wanted and ceiling.estimator in PEOPLE_BY_IMAGE and ceiling.value is not None:
            found.setdefault(PEOPLE, {})[ceiling.image_id] = ceiling.value
    for model in study.model_ids:
        for score in study.scores:
            have = (score.source_kind, score.source, score.task, score.preset, score.metric, score.lesion)
            if have == ("model", model, task, preset, metric, "") and score.value is not None:
                found.setdefault(model, {})[score.image_id] = score.value
    return found


def spread(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return offsets in [-1, 1] that keep points of similar value apart; the same for the same values."""
    if len(values) < 2:
        return np.zeros(len(values))
    order = np.argsort(values, kind="stable")
    offsets = np.zeros(len(values))
    # The golden ratio's multiples fill an interval evenly, so neighbours in value lie apart.
    offsets[order] = (np.arange(len(values)) * 0.6180339887) % 1.0 * 2.0 - 1.0
    return offsets
