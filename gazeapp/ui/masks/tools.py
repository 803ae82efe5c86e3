"""The tools of the mask painter: from a press of the mouse to its release, or click by click, in image px."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainterPath, QPolygonF

from gazeapp.engine.lesions.masks.box import Box
from gazeapp.engine.lesions.masks.editor import MaskEditor, Mode
from gazeapp.engine.lesions.masks.shapes import left_of

_SNAP = math.pi / 12
"""With Shift held, lines turn in steps of this, radians."""

_SHORTEST = 1.0
"""A line or a box that is shorter than this was no drag but a click, image px."""


@dataclass(frozen=True, slots=True)
class Pen:
    """How a tool draws.

    Parameters
    ----------
    size
        Diameter of the brush, image px.
    softness
        Share of the brush's radius over which it fades, 0 to 1.
    erases
        Whether cover is taken away and not added.
    straight
        Whether boxes are square and lines turn in steps of 15 degrees.
    """

    size: float = 100.0
    softness: float = 0.0
    erases: bool = False
    straight: bool = False

    @property
    def mode(self) -> Mode:
        """What a shape does to the mask."""
        return "subtract" if self.erases else "add"

    @property
    def soft_px(self) -> float:
        """Over how many pixels the edge of a shape fades: as many as the brush does."""
        return self.softness * self.size / 2


@dataclass(frozen=True, slots=True)
class Sketch:
    """What a tool is about to do, image px: the outline of the shape, and lines that guide it."""

    shape: QPainterPath
    guides: QPainterPath


class Tool(ABC):
    """One way of drawing; it holds what is being drawn and knows nothing of the window."""

    erases_always = False
    is_brush = False
    hint = ""

    @property
    @abstractmethod
    def busy(self) -> bool:
        """Whether something is being drawn."""

    @abstractmethod
    def press(self, editor: MaskEditor, at: QPointF, pen: Pen) -> Box | None:
        """Begin where the mouse was pressed."""

    @abstractmethod
    def move(self, editor: MaskEditor, at: QPointF, pen: Pen) -> Box | None:
        """Follow the mouse."""

    @abstractmethod
    def release(self, editor: MaskEditor, at: QPointF, pen: Pen) -> Box | None:
        """End where the mouse was released; return what the step that this makes changed."""

    @abstractmethod
    def cancel(self, editor: MaskEditor) -> Box | None:
        """Forget what is being drawn."""

    def sketch(self, editor: MaskEditor) -> Sketch | None:  # noqa: ARG002 - some need its size
        """Return what would be drawn; None when nothing is."""
        return None


class BrushTool(Tool):
    """Paints, or erases, along the way of the mouse."""

    is_brush = True

    def __init__(self, *, erases: bool = False) -> None:
        self.erases_always = erases
        self.hint = "Drag to erase." if erases else "Drag to paint; the right button erases."
        self._down = False

    @property
    def busy(self) -> bool:
        """Whether the brush is down."""
        return self._down

    def press(self, editor: MaskEditor, at: QPointF, pen: Pen) -> Box | None:
        """Put the brush down."""
        self._down = True
        return editor.begin_stroke(at.x(), at.y(), pen.size, 0 if pen.erases else 255, pen.softness)

    def move(self, editor: MaskEditor, at: QPointF, pen: Pen) -> Box | None:  # noqa: ARG002
        """Move the brush in a straight line to where the mouse is."""
        return editor.stroke_to(at.x(), at.y()) if self._down else None

    def release(self, editor: MaskEditor, at: QPointF, pen: Pen) -> Box | None:  # noqa: ARG002
        """Lift the brush."""
        if not self._down:
            return None
        self._down = False
        return editor.end_stroke()

    def cancel(self, editor: MaskEditor) -> Box | None:
        """Lift the brush and take the stroke back."""
        self._down = False
        return editor.cancel_stroke()


class DragTool(Tool):
    """Draws something between the point of the press and that of the release."""

    def __init__(self) -> None:
        self._from: QPointF | None = None
        self._to = QPointF()

    @property
    def busy(self) -> bool:
        """Whether the mouse is down."""
        return self._from is not None

    def press(self, editor: MaskEditor, at: QPointF, pen: Pen) -> Box | None:  # noqa: ARG002
        """Begin at a point."""
        self._from, self._to = at, at
        return None

    def move(self, editor: MaskEditor, at: QPointF, pen: Pen) -> Box | None:  # noqa: ARG002
        """Stretch to where the mouse is."""
        if self._from is not None:
            self._to = self._straight(self._from, at) if pen.straight else at
        return None

    def release(self, editor: MaskEditor, at: QPointF, pen: Pen) -> Box | None:
        """Put it in; a click alone draws nothing."""
        self.move(editor, at, pen)
        start, end = self._from, self._to
        self._from = None
        if start is None or self._is_nothing(start, end):
            return None
        return self._draw(editor, start, end, pen)

    def cancel(self, editor: MaskEditor) -> Box | None:  # noqa: ARG002
        """Forget it."""
        self._from = None
        return None

    def sketch(self, editor: MaskEditor) -> Sketch | None:
        """Return what would be put in."""
        if self._from is None or self._is_nothing(self._from, self._to):
            return None
        return self._sketch(editor, self._from, self._to)

    def _is_nothing(self, start: QPointF, end: QPointF) -> bool:
        return math.hypot(end.x() - start.x(), end.y() - start.y()) < _SHORTEST

    def _straight(self, start: QPointF, at: QPointF) -> QPointF:
        return _turned(start, at)

    @abstractmethod
    def _draw(self, editor: MaskEditor, start: QPointF, end: QPointF, pen: Pen) -> Box | None:
        """Put it in between two points."""

    @abstractmethod
    def _sketch(self, editor: MaskEditor, start: QPointF, end: QPointF) -> Sketch:
        """Return its outline between two points."""


class BoxTool(DragTool):
    """Draws a rectangle or an ellipse between two corners."""

    def __init__(self, *, round: bool = False) -> None:
        super().__init__()
        self._round = round
        self.hint = f"Drag {'an ellipse' if round else 'a rectangle'}; Shift keeps it {'round' if round else 'square'}."

    def _is_nothing(self, start: QPointF, end: QPointF) -> bool:
        return min(abs(end.x() - start.x()), abs(end.y() - start.y())) < _SHORTEST

    def _straight(self, start: QPointF, at: QPointF) -> QPointF:
        away = at - start
        side = max(abs(away.x()), abs(away.y()))
        return start + QPointF(math.copysign(side, away.x()), math.copysign(side, away.y()))

    def _draw(self, editor: MaskEditor, start: QPointF, end: QPointF, pen: Pen) -> Box | None:
        put = editor.ellipse if self._round else editor.rectangle
        return put(start.x(), start.y(), end.x(), end.y(), pen.mode, pen.soft_px)

    def _sketch(self, editor: MaskEditor, start: QPointF, end: QPointF) -> Sketch:  # noqa: ARG002
        path = QPainterPath()
        (path.addEllipse if self._round else path.addRect)(QRectF(start, end).normalized())
        return Sketch(path, QPainterPath())


class HalfPlaneTool(DragTool):
    """Draws all that lies on the left of a line, as seen by who goes along it."""

    hint = "Drag along an edge: what lies on its left is taken. Shift turns it in steps."

    def _draw(self, editor: MaskEditor, start: QPointF, end: QPointF, pen: Pen) -> Box | None:
        a, b = (start.x(), start.y()), (end.x(), end.y())
        return editor.half_plane(a, left_of(a, b), pen.mode, pen.soft_px)

    def _sketch(self, editor: MaskEditor, start: QPointF, end: QPointF) -> Sketch:
        a, b = (start.x(), start.y()), (end.x(), end.y())
        length = math.hypot(b[0] - a[0], b[1] - a[1])
        along = QPointF((b[0] - a[0]) / length, (b[1] - a[1]) / length)
        normal = left_of(a, b)
        size = math.hypot(*normal)
        across = QPointF(normal[0] / size, normal[1] / size)
        far = 2.0 * (editor.width + editor.height) + abs(a[0]) + abs(a[1])
        one, two = start - along * far, start + along * far
        plane, image, line = QPainterPath(), QPainterPath(), QPainterPath()
        plane.addPolygon(QPolygonF([one, two, two + across * far, one + across * far, one]))
        image.addRect(QRectF(0, 0, editor.width, editor.height))
        line.moveTo(start)
        line.lineTo(end)
        return Sketch(plane.intersected(image), line)


class GradientTool(DragTool):
    """Draws cover that falls from all at one point to nothing at the other."""

    hint = "Drag from where all is taken to where nothing is. Shift turns it in steps."

    def _draw(self, editor: MaskEditor, start: QPointF, end: QPointF, pen: Pen) -> Box | None:
        return editor.gradient((start.x(), start.y()), (end.x(), end.y()), pen.mode)

    def _sketch(self, editor: MaskEditor, start: QPointF, end: QPointF) -> Sketch:  # noqa: ARG002
        path, guides = QPainterPath(), QPainterPath()
        path.moveTo(start)
        path.lineTo(end)
        away = end - start
        for point, share in ((start, 0.3), (end, 0.12)):
            across = QPointF(-away.y(), away.x()) * share
            guides.moveTo(point - across)
            guides.lineTo(point + across)
        return Sketch(path, guides)


class PolygonTool(Tool):
    """Draws a polygon corner by corner."""

    hint = "Click the corners; Return or a double click closes it, Backspace takes one back, Esc drops it."

    def __init__(self) -> None:
        self._corners: list[QPointF] = []
        self._at = QPointF()

    @property
    def busy(self) -> bool:
        """Whether it has a corner."""
        return bool(self._corners)

    @property
    def corners(self) -> int:
        """How many corners it has."""
        return len(self._corners)

    def press(self, editor: MaskEditor, at: QPointF, pen: Pen) -> Box | None:  # noqa: ARG002
        """Put a corner down."""
        if pen.straight and self._corners:
            at = _turned(self._corners[-1], at)
        self._corners.append(at)
        self._at = at
        return None

    def move(self, editor: MaskEditor, at: QPointF, pen: Pen) -> Box | None:  # noqa: ARG002
        """Show where the next corner would be."""
        self._at = at
        return None

    def release(self, editor: MaskEditor, at: QPointF, pen: Pen) -> Box | None:  # noqa: ARG002
        """Nothing ends with a click."""
        return None

    def take_back(self) -> None:
        """Take the last corner back."""
        if self._corners:
            self._corners.pop()

    def close(self, editor: MaskEditor, pen: Pen) -> Box | None:
        """Put the polygon in; with fewer than three corners there is none."""
        corners, self._corners = self._corners, []
        if len(corners) < 3:
            return None
        return editor.polygon([(point.x(), point.y()) for point in corners], pen.mode, pen.soft_px)

    def cancel(self, editor: MaskEditor) -> Box | None:  # noqa: ARG002
        """Forget all corners."""
        self._corners = []
        return None

    def sketch(self, editor: MaskEditor) -> Sketch | None:  # noqa: ARG002
        """Return its outline, closed over where the mouse is."""
        if not self._corners:
            return None
        shape, guides = QPainterPath(), QPainterPath()
        shape.addPolygon(QPolygonF([*self._corners, self._at]))
        guides.moveTo(self._at)
        guides.lineTo(self._corners[0])
        return Sketch(shape, guides)


def all_tools() -> dict[str, Tool]:
    """Return one of each tool, by the last part of the id of the action that takes it in hand."""
    return {
        "brush": BrushTool(),
        "eraser": BrushTool(erases=True),
        "polygon": PolygonTool(),
        "rectangle": BoxTool(),
        "ellipse": BoxTool(round=True),
        "half_plane": HalfPlaneTool(),
        "gradient": GradientTool(),
    }


def _turned(start: QPointF, at: QPointF) -> QPointF:
    """Return the end of the line in the nearest of 24 directions."""
    away = at - start
    turn = round(math.atan2(away.y(), away.x()) / _SNAP) * _SNAP
    length = math.hypot(away.x(), away.y())
    return start + QPointF(math.cos(turn) * length, math.sin(turn) * length)
