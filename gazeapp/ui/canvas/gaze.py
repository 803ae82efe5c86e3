"""Fixations and scanpaths drawn over an image, at the same size on the screen at every zoom."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPen, QPolygonF, QTransform

from gazeapp.ui.scene import Fixations

# Radius of a fixation of 250 ms, px of the screen; the area of the circle is proportional to duration.
_RADIUS = 4.5
_DOT = 1.8
_RADIUS_ONE_SUBJECT = 7.0
_USUAL_MS = 250.0
_SMALLEST, _LARGEST = 0.55, 2.0


@dataclass(frozen=True, slots=True)
class GazeStyle:
    """What is drawn of the gaze.

    Parameters
    ----------
    fixations, scanpath
        Whether circles and lines are drawn.
    subject
        Only this observer, with the order of fixations as numbers; empty for all.
    colour
        Fill of the circles.
    size
        Magnification of circles and dots, 1 for a pane of some 320 px.
    dots
        Whether all observers' fixations are small dots, not circles by duration.
    """

    fixations: bool = False
    scanpath: bool = False
    subject: str = ""
    colour: str = "#E69F00"
    dots: bool = False
    size: float = 1.0

    @property
    def visible(self) -> bool:
        """Whether anything is drawn."""
        return self.fixations or self.scanpath


def draw_gaze(
    painter: QPainter, fixations: Fixations, style: GazeStyle, to_screen: QTransform, font: QFont
) -> None:
    """Draw fixations and scanpaths.

    Parameters
    ----------
    painter
        In screen coordinates.
    fixations
        In image px.
    style
        What to draw.
    to_screen
        From image px to the painter's coordinates: a magnification and a shift.
    font
        For the numbers of one observer's fixations.
    """
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    chosen = chosen_fixations(fixations, style.subject)
    scale, left, top = to_screen.m11(), to_screen.dx(), to_screen.dy()
    points = [QPointF(x * scale + left, y * scale + top) for x, y in _positions(fixations, chosen)]
    if style.scanpath:
        _draw_paths(painter, fixations, chosen, points, bool(style.subject))
    if style.fixations:
        _draw_circles(painter, fixations, chosen, points, style, font)


def chosen_fixations(fixations: Fixations, subject: str) -> list[int]:
    """Return the places of one observer's fixations, or of all when ``subject`` is empty or has none."""
    if subject not in fixations.subject:
        return list(range(len(fixations)))
    return [i for i, name in enumerate(fixations.subject) if name == subject]


def _positions(fixations: Fixations, chosen: list[int]) -> list[tuple[float, float]]:
    return list(zip(fixations.x[chosen].tolist(), fixations.y[chosen].tolist(), strict=True))


def radius(duration_ms: float, usual: float) -> float:
    """Return a circle's radius: ``usual`` at 250 ms or unknown, its area proportional to duration."""
    if not math.isfinite(duration_ms):
        return usual
    return usual * min(max(math.sqrt(max(duration_ms, 0.0) / _USUAL_MS), _SMALLEST), _LARGEST)


def _draw_paths(
    painter: QPainter, fixations: Fixations, chosen: list[int], points: list[QPointF], single: bool
) -> None:
    lines: dict[int, list[QPointF]] = {}
    for place, point in zip(chosen, points, strict=True):
        lines.setdefault(int(fixations.trial[place]), []).append(point)
    pens = (
        (QPen(QColor(0, 0, 0, 130), 3.5), QPen(QColor(255, 255, 255, 235), 1.8))
        if single
        else (QPen(QColor(0, 0, 0, 60), 2.0), QPen(QColor(255, 255, 255, 150), 0.9))
    )
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for pen in pens:
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        for line in lines.values():
            painter.drawPolyline(QPolygonF(line))


def _draw_circles(
    painter: QPainter,
    fixations: Fixations,
    chosen: list[int],
    points: list[QPointF],
    style: GazeStyle,
    font: QFont,
) -> None:
    single = style.subject in fixations.subject
    usual = (_RADIUS_ONE_SUBJECT if single else _RADIUS) * style.size
    alpha = 225 if single else 150 if style.dots else 70
    numbers = QFont(font)
    numbers.setPixelSize(10)
    numbers.setBold(True)
    painter.setFont(numbers)
    painter.setPen(QColor(20, 20, 20))
    ratio = painter.device().devicePixelRatioF()
    counted: Counter[int] = Counter()
    for place, point in zip(chosen, points, strict=True):
        size = _DOT * style.size
        if single or not style.dots:
            size = radius(float(fixations.duration_ms[place]), usual)
        stamp = _circle(round(size * 4) / 4, style.colour, alpha, single, ratio)
        half = stamp.deviceIndependentSize().width() / 2
        painter.drawImage(QPointF(point.x() - half, point.y() - half), stamp)
        if single:
            box = QRectF(point.x() - 12, point.y() - 8, 24, 16)
            trial = int(fixations.trial[place])
            counted[trial] += 1
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, str(counted[trial]))


@lru_cache(maxsize=256)
def _circle(size: float, colour: str, alpha: int, strong: bool, ratio: float) -> QImage:
    """Return a circle to stamp: drawing one costs ten times as much as copying one."""
    side = math.ceil((size + 2) * ratio) * 2 + 1
    stamp = QImage(side, side, QImage.Format.Format_ARGB32_Premultiplied)
    stamp.setDevicePixelRatio(ratio)
    stamp.fill(Qt.GlobalColor.transparent)
    fill = QColor(colour)
    fill.setAlpha(alpha)
    painter = QPainter(stamp)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    middle = QPointF(side / 2 / ratio, side / 2 / ratio)
    # A light ring inside a dark one is seen on any picture and any map.
    painter.setBrush(fill)
    painter.setPen(QPen(QColor(0, 0, 0, 170 if strong else 100), 2.0 if strong else 1.8))
    painter.drawEllipse(middle, size, size)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(255, 255, 255, 245 if strong else 215), 1.1 if strong else 0.9))
    painter.drawEllipse(middle, size, size)
    painter.end()
    return stamp
