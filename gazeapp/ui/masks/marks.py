"""The brush's circle and the outlines of shapes, in two tones so that they show on any picture."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QTransform

from gazeapp.ui.masks.tools import Pen, Sketch

_DARK = QColor(0, 0, 0, 150)
_LIGHT = QColor(255, 255, 255, 235)
_FILL = QColor(10, 10, 14, 70)
_ERASED = QColor(255, 255, 255, 60)
_DASH = [4.0, 4.0]
_SMALL = 4.0
"""A circle of a smaller radius is hard to find, so a cross marks its place, px."""


def draw_brush(painter: QPainter, place: QTransform, at: QPointF, pen: Pen) -> None:
    """Draw the circle that the brush covers; within it, dashed, where a soft one begins to fade.

    Parameters
    ----------
    place
        From image px to the view's.
    at
        Where the brush is, image px.
    """
    centre, radius = place.map(at), pen.size / 2 * place.m11()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for colour, width in ((_DARK, 3.0), (_LIGHT, 1.2)):
        painter.setPen(QPen(colour, width))
        painter.drawEllipse(centre, radius, radius)
        if radius < _SMALL:
            for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                painter.drawLine(
                    centre + QPointF(dx, dy) * (radius + 3), centre + QPointF(dx, dy) * (radius + 7)
                )
    if pen.softness > 0 and radius >= 2 * _SMALL:
        dashed = QPen(_LIGHT, 1.0)
        dashed.setDashPattern(_DASH)
        painter.setPen(dashed)
        inner = radius * (1.0 - pen.softness)
        painter.drawEllipse(centre, inner, inner)
    if pen.erases and radius >= _SMALL:
        painter.setPen(QPen(_LIGHT, 1.2))
        painter.drawLine(centre - QPointF(4, 0), centre + QPointF(4, 0))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def draw_sketch(painter: QPainter, sketch: Sketch, place: QTransform, *, erases: bool) -> None:
    """Draw what would be put in, or taken away, and the lines that guide it."""
    shape, guides = place.map(sketch.shape), place.map(sketch.guides)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.fillPath(shape, _ERASED if erases else _FILL)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for colour, width in ((_DARK, 3.0), (_LIGHT, 1.2)):
        painter.setPen(QPen(colour, width))
        painter.drawPath(shape)
    dashed = QPen(_LIGHT, 1.2)
    dashed.setDashPattern(_DASH)
    for pen in (QPen(_DARK, 3.0), dashed):
        painter.setPen(pen)
        painter.drawPath(guides)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
