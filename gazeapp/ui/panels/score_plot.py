"""Scores of each image: one strip of points a source; a click on a point goes to its image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, Slot
from PySide6.QtGui import QColor, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from gazeapp.ui import theme
from gazeapp.ui.canvas.title import fitting
from gazeapp.ui.colours import source_colour
from gazeapp.ui.panels.score_table import metric_name, number
from gazeapp.ui.selection import Selection
from gazeapp.ui.study import PEOPLE, StudyView
from gazeapp.ui.widgets import label, plain

_SPREAD = 0.28
_PEOPLE_NOTES = {
    "loso_corrected": (
        ("people: plain leave-one-out; the ceiling is corrected", "people: not corrected"),
        "People's points are plain leave-one-out: each person's fixations on the map of the others. The ceiling "
        "in the table is corrected for how few these others are and for the blur of their map, so it lies higher.",
    ),
    "sqrt_spearman_brown": (
        ("people: half against half; the ceiling is for all", "people: half against half"),
        "People's points are the correlation of the maps of two halves of the people. The ceiling in the table is "
        "what a perfect map would reach with a human map of all of them, so it lies higher.",
    ),
    "loso": (
        ("people: leave-one-out, the lower bound", "people: lower bound"),
        "People's points are leave-one-out: each person's fixations on the map of the others. Their mean is what "
        "100 % stands for in the table, a lower bound of the ceiling.",
    ),
}
"""Estimator of the ceiling in the table -> what people's points are, in two lengths, and why they differ."""


class _Axis(pg.AxisItem):
    """An axis whose numbers have a true minus sign."""

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        """Return the texts of the ticks."""
        return [text.replace("-", "−") for text in super().tickStrings(values, scale, spacing)]


class ScorePlot(QWidget):
    """Per-image values of the metric in hand for people and every model.

    The image in hand is marked in every strip and joined by a line.
    """

    def __init__(self, selection: Selection, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._selection = selection
        self._study: StudyView | None = None
        self._source = ""
        self._wordings: tuple[str, ...] = ()
        self._title = label("", "section")
        self._title.setContentsMargins(16, 0, 0, 0)
        self.view = pg.PlotWidget(background=None, axisItems={"left": _Axis("left")})
        self.view.setMenuEnabled(False)
        self.view.hideButtons()
        self.view.getPlotItem().setContentsMargins(0, theme.STEP, 0, 0)  # half of the topmost number
        self.view.setMouseEnabled(x=False, y=False)
        self.view.setAccessibleName("Scores of each image")
        self._note = label("", "muted")
        self._note.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        top = QHBoxLayout()
        top.setSpacing(2 * theme.STEP)
        top.addWidget(self._title)
        top.addWidget(self._note, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 8, 4)
        column.setSpacing(0)
        column.addLayout(top)
        column.addWidget(self.view, 1)
        self.points: list[pg.ScatterPlotItem] = []
        self._places: dict[int, list[tuple[float, float]]] = {}
        self._line: pg.PlotDataItem | None = None
        self._rings: pg.ScatterPlotItem | None = None
        selection.changed.connect(self._follow)

    @Slot(object)
    def show_study(self, study: StudyView | None) -> None:
        """Show the values of ``study``; None shows nothing."""
        self._study = study
        self.redraw()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Say of people's points what there is room for."""
        super().resizeEvent(event)
        self._fit_note()

    def _fit_note(self) -> None:
        room = self.width() - self._title.sizeHint().width() - 4 * theme.STEP
        self._note.setText(fitting(self._wordings, self._note.font(), room))

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.redraw()

    def set_source(self, source: str) -> None:
        """Bring the strip of ``source`` forward."""
        if source != self._source:
            self._source = source
            self.redraw()

    @Slot(object)
    def _follow(self, names: frozenset[str]) -> None:
        if names & {"metric", "source", "task", "preset"}:
            if "source" in names:
                self._source = self._selection.source or ""
            self.redraw()
        elif "image_id" in names:
            self._mark_image()

    def redraw(self) -> None:
        """Draw everything again in the colours of the theme."""
        self.view.clear()
        self.points = []
        self._places = {}
        study, chosen = self._study, self._selection
        if study is None:
            return
        shades = theme.colors()
        self.view.setBackground(shades.base)
        self._title.setText(f"{metric_name(chosen.metric)} OF EACH IMAGE")
        self._wordings, why = self._about_people(study)
        self._fit_note()
        self._note.setToolTip(plain(why))
        values = study.values.get((chosen.task, chosen.preset, chosen.metric), {})
        strips = {source: values[source] for source in (PEOPLE, *study.model_ids) if values.get(source)}
        ticks = []
        for place, (source, by_image) in enumerate(strips.items()):
            color = source_colour(source, study.model_ids)
            dimmed = self._source not in ("", source) and self._source in strips
            self._draw_strip(place, source, by_image, color, dimmed)
            ticks.append((place, _short(study.source_name(source))))
        ink = QColor(shades.text)
        self._line = pg.PlotDataItem(pen=pg.mkPen(ink, width=1))
        self._rings = pg.ScatterPlotItem(size=11, pen=pg.mkPen(ink, width=2), brush=pg.mkBrush(None))
        for item in (self._line, self._rings):
            item.setZValue(-1)  # the points themselves take the clicks
            self.view.addItem(item)
        self._mark_image()
        self._dress_axes(ticks)

    def _about_people(self, study: StudyView) -> tuple[tuple[str, ...], str]:
        """Return what people's points are beside the ceiling, and why; empty where that is not known."""
        chosen = self._selection
        key = chosen.task, chosen.preset, chosen.metric
        if not study.values.get(key, {}).get(PEOPLE):
            return (), ""
        estimators = [
            row.estimator
            for row in study.summary
            if (row.task, row.preset, row.metric) == key and row.estimator and not row.lesion
        ]
        return _PEOPLE_NOTES.get(estimators[0], ((), "")) if estimators else ((), "")

    def _draw_strip(
        self, place: int, source: str, values: Mapping[int, float], color: QColor, dimmed: bool
    ) -> None:
        ids = sorted(values)
        heights = np.array([values[i] for i in ids], dtype=np.float64)
        across = place + spread(heights) * _SPREAD
        soft = QColor(color)
        soft.setAlpha(70 if dimmed else 200)
        item = pg.ScatterPlotItem(
            x=across,
            y=heights,
            data=[(source, i) for i in ids],
            size=6,
            pen=pg.mkPen(None),
            brush=pg.mkBrush(soft),
            hoverable=True,
            hoverSize=10,
            tip=self._tip,
        )
        item.sigClicked.connect(self._clicked)
        self.view.addItem(item)
        self.points.append(item)
        for image_id, x, y in zip(ids, across, heights, strict=True):
            self._places.setdefault(image_id, []).append((float(x), float(y)))
        mean = float(heights.mean())
        line = pg.PlotDataItem([place - 0.36, place + 0.36], [mean, mean], pen=pg.mkPen(color, width=2))
        self.view.addItem(line)

    def _mark_image(self) -> None:
        """Ring the image in hand in every strip and join the rings."""
        if self._line is None or self._rings is None:
            return
        places = self._places.get(self._selection.image_id or -1, [])
        xs, ys = [x for x, _ in places], [y for _, y in places]
        self._line.setData(xs, ys)
        self._rings.setData(xs, ys)

    def _dress_axes(self, ticks: list[tuple[int, str]]) -> None:
        shades = theme.colors()
        for side in ("left", "bottom"):
            axis = self.view.getAxis(side)
            axis.setPen(pg.mkPen(shades.line))
            axis.setTextPen(pg.mkPen(shades.muted))
            axis.setStyle(tickLength=0)
            axis.setTickFont(self.font())
        bottom = self.view.getAxis("bottom")
        bottom.setTicks([ticks])
        bottom.setHeight(2 * self.fontMetrics().height() + theme.STEP)
        self.view.setXRange(-0.6, max(len(ticks) - 0.4, 0.6), padding=0)
        self.view.enableAutoRange(axis="y")

    def _tip(self, *, y: float, data: tuple[str, int], **_across: float) -> str:
        source, image_id = data
        if self._study is None or image_id not in self._study.images:
            return ""
        text = f"{self._study.images[image_id].name}\n{self._study.source_name(source)}: {number(y)}"
        about = self._about_people(self._study)[1] if source == PEOPLE else ""
        return plain(f"{text}\n{about}".rstrip())

    @Slot(object, object)
    def _clicked(self, _item: Any, points: Any, *_event: Any) -> None:
        if len(points):
            source, image_id = points[0].data()
            self._selection.update(image_id=image_id, source=source)


def _short(name: str) -> str:
    """Return a model's name on two lines, so that five fit side by side."""
    return name.replace("-", "-\n", 1).replace("Transformer", "Transf.")


def spread(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return offsets in [-1, 1] that keep points of similar value apart; the same for the same values."""
    if len(values) < 2:
        return np.zeros(len(values))
    order = np.argsort(values, kind="stable")
    offsets = np.zeros(len(values))
    # The golden ratio's multiples fill an interval evenly, so neighbours in value lie apart.
    offsets[order] = (np.arange(len(values)) * 0.6180339887) % 1.0 * 2.0 - 1.0
    return offsets
