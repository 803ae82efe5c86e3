"""One plot of a figure of results, drawn with the window's colours."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QColor, QFontMetrics, QGuiApplication, QResizeEvent
from PySide6.QtWidgets import QWidget

from gazeapp.engine.reports.results.data import Axes, Line, Series
from gazeapp.engine.reports.results.findings import PLAIN_COLOUR
from gazeapp.engine.scoring.sources import BASELINE
from gazeapp.engine.types import DoubleArray, IntArray
from gazeapp.ui import theme
from gazeapp.ui.widgets import plain

MOST_POINTS = 1000
"""Points of one series that are drawn at most, spread evenly over their values."""

_SYMBOLS = {"o": "o", "s": "s", "D": "d", "^": "t1"}
_BAR = 0.66
_SMALL, _LARGE, _FRAME = 6, 10, 12
"""Diameters of points of images, of others, and side of the frame of the image in hand, px."""
_NEAR = 8
"""How far from a click on a mark the point of an image may lie that is meant, px."""
_LINE_HEIGHT = 1.15
_MOST_NAME = 0.46
"""Share of the plot's width that names down its side may take."""
_AXIS_LINES = 2
"""Lines that the name of an axis may take."""
_BETWEEN = " − "


class _Axis(pg.AxisItem):
    """An axis whose numbers have a true minus sign, and room between them."""

    def tickSpacing(self, low: float, high: float, size: float) -> list[tuple[float, float]]:
        """Return distances between ticks, with first the largest, at which numbers side by side do not touch."""
        levels: list[tuple[float, float]] = super().tickSpacing(low, high, size)
        if self.orientation != "bottom" or not high > low or not levels:
            return levels
        metrics = QFontMetrics(self.style["tickFont"] or QGuiApplication.font())

        def has_room(spacing: float) -> bool:
            texts = self.tickStrings([low, high], self.scale, spacing)
            widest = max(metrics.horizontalAdvance(text) for text in texts)
            return spacing / (high - low) * size >= widest + theme.STEP

        spacing, offset = levels[0]
        while not has_room(spacing) and spacing < high - low:
            spacing *= 2.0
        return [(spacing, offset), *(level for level in levels[1:] if has_room(level[0]))]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        """Return the texts of the ticks."""
        return [text.replace("-", "−") for text in super().tickStrings(values, scale, spacing)]


class ResultPlot(pg.PlotWidget):
    """One :class:`Axes`; ``chosen`` carries the (image id, source) of a point that was clicked.

    ``picked`` carries the (region, kind, source) of a bar or a point that was clicked.

    Parameters
    ----------
    joins
        Whether a line joins the points of the image in hand in rows of points.
    """

    chosen = Signal(int, str)
    picked = Signal(str, str, str)
    _fitting: QTimer | None = None

    def __init__(self, parent: QWidget | None = None, *, joins: bool = True) -> None:
        super().__init__(
            parent, background=None, axisItems={side: _Axis(side) for side in ("left", "bottom")}
        )
        self.setMenuEnabled(False)
        self.hideButtons()
        self.setMouseEnabled(x=False, y=False)
        self.getPlotItem().setContentsMargins(0, theme.STEP // 2, theme.STEP, 0)
        for side in ("left", "bottom"):
            # While a label is in sight, switching the prefix off would keep the scale that it has then.
            self.getPlotItem().getAxis(side).enableAutoSIPrefix(False)
        self.axes: Axes | None = None
        self.points: list[pg.ScatterPlotItem] = []
        self.marks: pg.ScatterPlotItem | None = None
        self._series: list[Series] = []
        self._source = ""
        self._image: int | None = None
        self._ring: pg.ScatterPlotItem | None = None
        self._path: pg.PlotCurveItem | None = None
        self._joins = joins
        self._fitting = QTimer(self)
        self._fitting.setSingleShot(True)
        self._fitting.timeout.connect(self._fit_names)
        self.scene().sigMouseClicked.connect(self._pick)

    def show_axes(self, axes: Axes, source: str = "", image_id: int | None = None) -> None:
        """Draw other axes, with the points of a source in front and an image ringed."""
        self.axes, self._source, self._image = axes, source, image_id
        self.setAccessibleName(axes.title or axes.y_label)
        self.redraw()

    def emphasise(self, source: str) -> None:
        """Bring the points of images of a source forward; an empty name treats all alike."""
        if source == self._source:
            return
        self._source = source
        for item, series in zip(self.points, self._series, strict=True):
            item.setBrush(self._brush(series))

    def mark_image(self, image_id: int | None) -> None:
        """Frame the points of an image, also where they are not drawn; in rows of points, join them if asked to."""
        self._image = image_id
        axes = self.axes
        if self._ring is None or self._path is None or axes is None:
            return
        places = [place for one in axes.series if one.small for place in _places_of(axes, one, image_id)]
        xs, ys = [x for x, _ in places], [y for _, y in places]
        self._ring.setData(xs, ys)
        self._path.setData(*((xs, ys) if axes.x_ticks and self._joins else ([], [])))

    def redraw(self) -> None:
        """Draw everything again in the colours of the theme."""
        self.clear()
        self.points, self._series = [], []
        self.marks = self._ring = self._path = None
        axes, shades = self.axes, theme.colors()
        self.setBackground(shades.base)
        if axes is None:
            return
        self.getViewBox().disableAutoRange()  # else every item that is added asks for a new range
        for line in axes.lines:
            self._draw_line(axes, line)
        self._draw_intervals(axes)
        self._draw_bars(axes)
        for series in axes.series:
            self._draw_series(axes, series)
        self._draw_marks(axes)
        ink = QColor(shades.text)
        self._path = pg.PlotCurveItem(pen=pg.mkPen(ink, width=1))
        self._ring = pg.ScatterPlotItem(
            size=_FRAME, symbol="s", pen=pg.mkPen(ink, width=1), brush=pg.mkBrush(None)
        )  # outlined circles are controls
        for item in (self._path, self._ring):
            item.setZValue(-1)  # the points themselves take the clicks
            self.addItem(item)
        self._dress(axes)
        self.mark_image(self._image)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Cut the names of categories to the room that is there."""
        super().resizeEvent(event)
        if self._fitting is not None:  # the first resize comes from within the constructor
            self._fitting.start(0)

    def minimumSizeHint(self) -> QSize:
        """Return the room in which a plot can be read."""
        return QSize(26 * theme.STEP, 15 * theme.STEP)

    def _draw_line(self, axes: Axes, line: Line) -> None:
        pen = pg.mkPen(QColor(theme.colors().muted), width=1)
        pen.setStyle(Qt.PenStyle.DashLine if line.dashed else Qt.PenStyle.SolidLine)
        if line.along == "both":
            item = pg.InfiniteLine(QPointF(0, 0), angle=45, pen=pen)
        else:
            value = _across(axes, np.array([line.value]))[0] if line.along == "x" else line.value
            upright = (line.along == "y") == axes.horizontal
            item = pg.InfiniteLine(float(value), angle=90 if upright else 0, pen=pen)
        item.setZValue(-2)
        item.setToolTip(plain(line.label))
        self.addItem(item)

    def _draw_series(self, axes: Axes, series: Series) -> None:
        places, values, known = _known(axes, series)
        if not len(known):
            return
        colour = series_colour(series)
        if series.joined:
            pen = pg.mkPen(colour, width=2)
            pen.setStyle(Qt.PenStyle.DotLine if series.dashed else Qt.PenStyle.SolidLine)
            self.addItem(pg.PlotCurveItem(*_turned(axes, places[known], values[known]), pen=pen))
        if series.small:
            self._draw_images(axes, series, places, values, _thinned(known, values))

    def _draw_bars(self, axes: Axes) -> None:
        """Draw the bars of all series as one item."""
        parts: list[tuple[DoubleArray, DoubleArray, DoubleArray]] = []
        brushes: list[Any] = []
        for series in axes.series:
            if series.bars:
                each, ends, known = _known(axes, series)
                starts = np.zeros(len(ends)) if series.base is None else series.base
                parts.append((each[known], starts[known], ends[known]))
                brushes += [pg.mkBrush(series_colour(series))] * len(known)
        if not brushes:
            return
        places, base, values = (np.concatenate(part) for part in zip(*parts, strict=True))
        shape = (
            {"y": places, "height": _BAR, "x0": base, "x1": values}
            if axes.horizontal
            else {"x": places, "width": _BAR, "y0": base, "y1": values}
        )
        self.addItem(pg.BarGraphItem(**shape, brushes=brushes, pen=pg.mkPen(None)))

    def _draw_intervals(self, axes: Axes) -> None:
        """Draw the intervals of all series, those of one colour as one item."""
        ends: dict[str, list[tuple[DoubleArray, DoubleArray]]] = {}
        for series in axes.series:
            if series.low is None or series.high is None:
                continue
            places = _across(axes, series.x)
            known = np.isfinite(series.low) & np.isfinite(series.high) & np.isfinite(places)
            ink = theme.colors().text if series.bars else series_colour(series).name()
            pair = np.stack([series.low[known], series.high[known]], axis=1).ravel()
            ends.setdefault(ink, []).append((np.repeat(places[known], 2), pair))
        for ink, parts in ends.items():
            along, across = (np.concatenate(each) for each in zip(*parts, strict=True))
            item = pg.PlotCurveItem(
                *_turned(axes, along, across), connect="pairs", pen=pg.mkPen(QColor(ink), width=2)
            )
            item.setZValue(1 if ink == theme.colors().text else 0)
            self.addItem(item)

    def _draw_images(
        self, axes: Axes, series: Series, places: DoubleArray, values: DoubleArray, drawn: IntArray
    ) -> None:
        """Draw points that stand for one image each."""
        xs, ys = _turned(axes, places[drawn], values[drawn])
        item = pg.ScatterPlotItem(
            x=xs,
            y=ys,
            data=[(series, int(k)) for k in drawn],
            size=_SMALL,
            symbol=_SYMBOLS.get(series.marker, "o"),
            pen=pg.mkPen(None),
            brush=self._brush(series),
            hoverable=True,
            hoverSize=_SMALL + 4,
            tip=_tip,
        )
        item.sigClicked.connect(self._clicked)
        self.addItem(item)
        self.points.append(item)
        self._series.append(series)

    def _draw_marks(self, axes: Axes) -> None:
        """Draw the markers of all other series as one item; bars have one that cannot be seen, for its tooltip."""
        spots: list[dict[str, Any]] = []
        for series in axes.series:
            if series.small or not (series.marker or series.bars):
                continue
            places, values, known = _known(axes, series)
            colour, is_seen = series_colour(series), not series.bars
            edge = series.hollow and is_seen
            for k, x, y in zip(known.tolist(), *_turned(axes, places[known], values[known]), strict=True):
                spots.append(
                    {
                        "pos": (float(x), float(y)),
                        "data": (series, k),
                        "size": _LARGE,
                        "symbol": _SYMBOLS.get(series.marker, "o"),
                        "pen": pg.mkPen(colour, width=2) if edge else pg.mkPen(None),
                        "brush": pg.mkBrush(colour) if is_seen and not edge else pg.mkBrush(0, 0, 0, 0),
                    }
                )
        if not spots:
            return
        item = pg.ScatterPlotItem(spots=spots, hoverable=True, hoverSize=_LARGE + 4, tip=_tip)
        item.setZValue(2)
        item.sigClicked.connect(self._clicked)
        self.addItem(item)
        self.marks = item

    def _brush(self, series: Series) -> Any:
        colour = series_colour(series)
        if series.small:
            own = next((key[1] for key in series.keys if key is not None), "")
            quiet = bool(self._source and own and self._source != own)
            colour.setAlpha(60 if quiet else _opacity(len(series.y)))
        return pg.mkBrush(colour)

    def _dress(self, axes: Axes) -> None:
        shades = theme.colors()
        item = self.getPlotItem()
        item.invertY(axes.horizontal)
        for side in ("left", "bottom"):
            axis = item.getAxis(side)
            axis.setPen(pg.mkPen(shades.line))
            axis.setTextPen(pg.mkPen(shades.muted))
            axis.setStyle(tickLength=0)
            axis.setTickFont(self.font())
            axis.setTicks(None)
        position = "left" if axes.horizontal else "bottom"
        box = item.getViewBox()
        box.enableAutoRange(x=True, y=True)
        if axes.x_ticks:
            places = [place for place, _ in axes.x_ticks]
            set_range = box.setYRange if axes.horizontal else box.setXRange
            set_range(min(places) - 0.6, max(places) + 0.6, padding=0)
        elif axes.x_log:
            found = np.unique(np.concatenate([series.x for series in axes.series if not series.dashed]))
            ticks = [(float(np.log10(x)), f"{x:g}") for x in found if x > 0]
            item.getAxis(position).setTicks([ticks])
        self._fit_names()

    @Slot()
    def _fit_names(self) -> None:
        """Cut names of categories and of axes to the room that is there, or break them into lines."""
        axes = self.axes
        if axes is None or self.getPlotItem() is None:  # a plot that has been closed has no items
            return
        metrics = QFontMetrics(self.font())
        left, bottom = (self.getPlotItem().getAxis(side) for side in ("left", "bottom"))
        left.setWidth(None)
        bottom.setHeight(None)
        words = axes.y_label if axes.horizontal else axes.x_label
        if axes.x_ticks and axes.horizontal:
            self._name_rows(axes, metrics)
        room = int(0.95 * (self.width() - left.width()))
        lines = broken(words, metrics, room, _AXIS_LINES).split("\n")
        bottom.setLabel("<br>".join(map(escape, lines)), color=theme.colors().muted)
        bottom.showLabel(bool(words))
        if axes.x_ticks and not axes.horizontal:
            self._name_columns(axes, metrics, len(lines) if words else 0)

    def _name_rows(self, axes: Axes, metrics: QFontMetrics) -> None:
        names = [name for _, name in axes.x_ticks]
        room = int(min(_MOST_NAME * self.width(), max(map(metrics.horizontalAdvance, names)) + 4))
        height = (self.height() - 3 * metrics.height()) / max(len(names), 1)
        lines = max(int(height / metrics.height()), 1)
        texts = [shortened(name, metrics, room, lines) for name in names]
        axis = self.getPlotItem().getAxis("left")
        axis.setWidth(room + 2 * theme.STEP)
        axis.setTicks([[(place, text) for (place, _), text in zip(axes.x_ticks, texts, strict=True)]])

    def _name_columns(self, axes: Axes, metrics: QFontMetrics, more: int) -> None:
        """Name columns below the axis, over ``more`` lines of its label."""
        room = int(0.8 * self.width() / max(len(axes.x_ticks), 1)) - theme.STEP // 2
        texts = [broken(name, metrics, room) for _, name in axes.x_ticks]
        axis = self.getPlotItem().getAxis("bottom")
        lines = max(text.count("\n") + 1 for text in texts) + more
        axis.setHeight(int(_LINE_HEIGHT * lines * metrics.height()) + theme.STEP)
        axis.setTicks([[(place, text) for (place, _), text in zip(axes.x_ticks, texts, strict=True)]])

    @Slot(object, object, object)
    def _clicked(self, _item: Any, points: Any, event: Any = None) -> None:
        """Choose the image of the point that was clicked; where a mark lies over points of images, the nearest."""
        key = next(filter(None, (_key(*point.data()) for point in points)), None)
        if key is None and event is not None:
            key = self._nearest(event.scenePos())
        if key is not None:
            self.chosen.emit(int(key[0]), str(key[1]))

    @Slot(object)
    def _pick(self, event: Any) -> None:
        """Choose what the bar or the point stands for that was clicked."""
        axes = self.axes
        if axes is None or event.button() != Qt.MouseButton.LeftButton:
            return
        box = self.getViewBox()
        at, pixel = box.mapSceneToView(event.scenePos()), box.viewPixelSize()
        found = [
            (float(gaps[k]), series.about[k])
            for series in axes.series
            if series.about
            for gaps in [_distances(axes, series, at, pixel)]
            for k in [int(np.argmin(gaps))]
        ]
        distance, about = min(found, default=(np.inf, ("", "", "")))
        if distance <= _NEAR:
            self.picked.emit(*about)

    def _nearest(self, place: QPointF) -> tuple[int, str] | None:
        """Return the image and the source of the point nearest to a place in the scene; None where none is near."""
        at, (across, down) = self.getViewBox().mapSceneToView(place), self.getViewBox().viewPixelSize()
        found: list[tuple[float, pg.ScatterPlotItem, int]] = []
        for item in self.points:
            xs, ys = item.getData()
            distances = np.hypot((xs - at.x()) / across, (ys - at.y()) / down)
            nearest = int(np.argmin(distances))
            found.append((float(distances[nearest]), item, nearest))
        distance, item, k = min(found, key=lambda one: one[0], default=(np.inf, None, 0))
        return _key(*item.points()[k].data()) if distance <= _NEAR else None


def _distances(axes: Axes, series: Series, at: QPointF, pixel: tuple[float, float]) -> DoubleArray:
    """Return how far points lie from a place of the plot, px; 0 within a bar, infinite where nothing is known."""
    places, values, _ = _known(axes, series)
    xs, ys = _turned(axes, places, values)
    gaps = np.hypot((xs - at.x()) / pixel[0], (ys - at.y()) / pixel[1])
    if series.bars:
        place, value = (at.y(), at.x()) if axes.horizontal else (at.x(), at.y())
        base = np.zeros(len(values)) if series.base is None else series.base
        low, high = np.minimum(base, values), np.maximum(base, values)
        gaps = np.where((abs(places - place) <= _BAR / 2) & (low <= value) & (value <= high), 0.0, gaps)
    return np.where(np.isfinite(gaps), gaps, np.inf)


def _key(series: Series, k: int) -> tuple[int, str] | None:
    """Return the image and the source that a point stands for; None where it stands for several."""
    return series.keys[k] if series.keys else None


def series_colour(series: Series) -> QColor:
    """Return the colour of a series in the window: what belongs to no source has the colour of the theme's text."""
    shades = theme.colors()
    if series.colour == PLAIN_COLOUR:  # ink for white paper
        return QColor(shades.text)
    return QColor(shades.faint if series.kind == BASELINE else series.colour or shades.accent)


def broken(name: str, metrics: QFontMetrics, room: int, most: int = 3) -> str:
    """Return a name in at most ``most`` lines of ``room`` px, broken at spaces and hyphens, cut where it must be."""
    lines: list[str] = []
    for word in name.replace("-", "-\0").replace(" ", " \0").split("\0"):
        fits = bool(lines) and metrics.horizontalAdvance((lines[-1] + word).rstrip()) <= room
        if fits or len(lines) == most:
            lines[-1] += word
        else:
            lines.append(word)
    return "\n".join(metrics.elidedText(line.strip(), Qt.TextElideMode.ElideRight, room) for line in lines)


def shortened(name: str, metrics: QFontMetrics, room: int, lines: int) -> str:
    """Return a name in ``lines`` of ``room`` px; of a difference in one line, what is cut keeps both beginnings."""
    first, between, second = name.partition(_BETWEEN)
    if lines > 1 or not between or metrics.horizontalAdvance(name) <= room:
        return broken(name, metrics, room, lines)
    rest = room - metrics.horizontalAdvance(between)
    wide, narrow = (metrics.horizontalAdvance(part) for part in (first, second))
    own = min(wide, max(rest // 2, rest - narrow))
    cut = Qt.TextElideMode.ElideRight
    return metrics.elidedText(first, cut, own) + between + metrics.elidedText(second, cut, rest - own)


def _across(axes: Axes, x: DoubleArray) -> DoubleArray:
    """Return where positions lie on the axis."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log10(x) if axes.x_log else np.asarray(x, dtype=np.float64)


def _known(axes: Axes, series: Series) -> tuple[DoubleArray, DoubleArray, IntArray]:
    """Return where the points of a series lie, their values, and which of them are known."""
    places, values = _across(axes, series.x), np.asarray(series.y, dtype=np.float64)
    return places, values, np.flatnonzero(np.isfinite(values) & np.isfinite(places))


def _places_of(axes: Axes, series: Series, image_id: int | None) -> list[tuple[float, float]]:
    """Return where the points of an image lie in a series."""
    own = [k for k, key in enumerate(series.keys) if key is not None and key[0] == image_id]
    places, values, _ = _known(axes, series)
    xs, ys = _turned(axes, places[own], values[own])
    found = zip(xs.tolist(), ys.tolist(), strict=True)
    return [(x, y) for x, y in found if np.isfinite(x) and np.isfinite(y)]


def _opacity(n: int) -> int:
    """Return how opaque each of many points is, of 255: the more there are, the less."""
    return int(np.clip(190.0 * (200.0 / max(n, 1)) ** 0.5, 90.0, 190.0))


def _turned(axes: Axes, places: DoubleArray, values: DoubleArray) -> tuple[DoubleArray, DoubleArray]:
    return (values, places) if axes.horizontal else (places, values)


def _thinned(known: IntArray, values: DoubleArray) -> IntArray:
    """Return at most :data:`MOST_POINTS` of the points ``known``, spread evenly over their values."""
    if len(known) <= MOST_POINTS:
        return known
    order = np.argsort(values[known], kind="stable")
    return np.sort(known[order[np.linspace(0, len(known) - 1, MOST_POINTS).astype(np.int64)]])


def _tip(*, data: tuple[Series, int], **_place: float) -> str:
    series, k = data
    return plain(series.texts[k]) if series.texts else plain(series.name)
