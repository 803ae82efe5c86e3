"""A trial drawn on its image within the screen, so that a wrong geometry is seen at once."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetrics,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QPolygonF,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from gazeapp.engine.gaze.records import Why
from gazeapp.engine.reports.style import PEOPLE_COLOUR
from gazeapp.ui import theme
from gazeapp.ui.canvas.gaze import radius
from gazeapp.ui.colours import CANVAS
from gazeapp.ui.dialogs.import_gaze.trial_drawing import Rectangle, Scanpath, TrialDrawing
from gazeapp.ui.scene import Picture
from gazeapp.ui.widgets import plain

OWN_COLOUR = "#56B4E9"
"""The tracker's own fixations, where others are compared with them."""

_SCREEN = QColor(0x5E, 0x5E, 0x5E)
_INK = QColor(0x14, 0x14, 0x14)
_MARGIN = 16
_USUAL_RADIUS, _USUAL_WIDTH = 9.0, 560
_NUMBERED_AT_MOST = 60
# Lines between more fixations than this are a tangle, and circles a heap.
_JOINED_AT_MOST = 300
_DOT = 2.5
_AROUND_DIGITS = 5
_REACH = 6.0
# Fixations farther off the screen than this share of its size are drawn at the edge.
_FAR = 0.25


class ScanpathView(QWidget):
    """Paints a :class:`TrialDrawing`; fixations are pointed at with the mouse or the up and down keys.

    Filled circles are fixations in use, rings those that are left out, open diamonds those of the tracker
    where they are compared. A triangle at the edge stands for a fixation that lies beyond it.
    """

    picked = Signal(int)
    """Place of the fixation that is pointed at; -1 for none."""
    stepped = Signal(int)
    """The user asks for the trial that many places further."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._drawing: TrialDrawing | None = None
        self._picture: Picture | None = None
        self._note = ""
        self._pick = -1
        self._image_only = False
        self._base: QPixmap | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(240, 180)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Scanpath on its image")
        self.setAccessibleDescription(
            "Left and right step through the trials, up and down through the fixations."
        )

    @property
    def drawing(self) -> TrialDrawing | None:
        """What is drawn."""
        return self._drawing

    @property
    def pick(self) -> int:
        """Place of the fixation that is pointed at; -1 for none."""
        return self._pick

    def set_drawing(self, drawing: TrialDrawing | None) -> None:
        """Draw a trial; its picture follows with :meth:`set_picture`."""
        self._drawing, self._picture, self._note = drawing, None, ""
        self.set_pick(-1)
        self._redraw()

    def set_picture(self, picture: Picture | None, note: str = "") -> None:
        """Lay a picture into the image's rectangle, or a note that says why there is none."""
        self._picture, self._note = picture, note
        self._redraw()

    def set_image_only(self, image_only: bool) -> None:
        """Enlarge the image over the widget, or show the whole screen."""
        self._image_only = image_only
        self._redraw()

    def set_pick(self, number: int) -> None:
        """Point at a fixation; -1 for none."""
        if number != self._pick:
            self._pick = number
            self.picked.emit(number)
            self.update()

    def sizeHint(self) -> QSize:
        """Return a size at which a photograph reads well."""
        return QSize(_USUAL_WIDTH, 420)

    def position_of(self, number: int) -> QPointF:
        """Return where a fixation is drawn, px of the widget."""
        if self._drawing is None:
            raise ValueError("no trial is drawn")
        return self._points(self._drawing.scanpath)[number]

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the trial, and the ring around the fixation that is pointed at."""
        if self._base is None:
            self._base = self._drawn()
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._base)
        if self._drawing is not None and 0 <= self._pick < len(self._drawing.scanpath):
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            size = self._radius(self._drawing.scanpath, self._pick) + 4
            for colour, width in ((QColor(0, 0, 0, 160), 5.0), (QColor("white"), 2.5)):
                painter.setPen(QPen(colour, width))
                painter.drawEllipse(self.position_of(self._pick), size, size)
        if self.hasFocus():
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)
            painter.setPen(QPen(QColor(theme.colors().accent), 2))
            painter.drawRect(self.rect().adjusted(1, 1, -1, -1))

    def resizeEvent(self, _event: QResizeEvent) -> None:
        """Draw at the new size."""
        self._redraw()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Point at the fixation under the cursor."""
        self.set_pick(self._at(event.position()))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Point at the fixation under the cursor."""
        self.set_pick(self._at(event.position()))

    def leaveEvent(self, _event: QEvent) -> None:
        """Point at nothing."""
        self.set_pick(-1)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Step through trials and fixations."""
        trials = {
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_PageUp: -10,
            Qt.Key.Key_PageDown: 10,
        }
        fixations = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
        key = Qt.Key(event.key())
        if key in trials:
            self.stepped.emit(trials[key])
        elif key in fixations and self._drawing is not None and len(self._drawing.scanpath):
            last = len(self._drawing.scanpath) - 1
            self.set_pick(min(max(self._pick + fixations[key], 0), last))
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        """Say in a tooltip what is known of the fixation under the cursor."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            number = self._at(QPointF(event.pos()))
            if number >= 0 and self._drawing is not None:
                text = "\n".join(self._drawing.scanpath.lines(number))
                QToolTip.showText(event.globalPos(), plain(text), self)
            else:
                QToolTip.hideText()
            return True
        return super().event(event)

    def _redraw(self) -> None:
        self._base = None
        self.update()

    def _at(self, position: QPointF) -> int:
        """Return the place of the fixation that is drawn nearest to a position; -1 when none is near."""
        if self._drawing is None or not len(self._drawing.scanpath):
            return -1
        points = self._points(self._drawing.scanpath)
        away = np.array([math.hypot(p.x() - position.x(), p.y() - position.y()) for p in points])
        nearest = int(away.argmin())
        reach = self._radius(self._drawing.scanpath, nearest) + _REACH
        return nearest if away[nearest] <= reach else -1

    def _bounds(self, drawing: TrialDrawing) -> QRectF:
        """Return what is in view, in px of the drawing: screen, image, and fixations that are not far off."""
        if self._image_only and drawing.image is not None:
            return QRectF(*drawing.image)
        frames = [QRectF(*frame) for frame in (drawing.screen, drawing.image) if frame is not None]
        xs, ys = drawing.scanpath.x, drawing.scanpath.y
        if not frames:
            if not len(xs):
                return QRectF(0, 0, 1, 1)
            return QRectF(xs.min(), ys.min(), max(np.ptp(xs), 1e-3), max(np.ptp(ys), 1e-3))
        bounds = frames[0].united(frames[-1])
        across, down = bounds.width() * _FAR, bounds.height() * _FAR
        wide = bounds.adjusted(-across, -down, across, down)
        near = (xs >= wide.left()) & (xs <= wide.right()) & (ys >= wide.top()) & (ys <= wide.bottom())
        if near.any():
            left, right = min(xs[near].min(), bounds.left()), max(xs[near].max(), bounds.right())
            top, bottom = min(ys[near].min(), bounds.top()), max(ys[near].max(), bounds.bottom())
            bounds = QRectF(left, top, right - left, bottom - top)
        return bounds

    def _transform(self) -> tuple[float, float, float]:
        """Return the widget's px for each px of the drawing, and where its origin lies."""
        drawing = self._drawing
        bounds = QRectF(0, 0, 1, 1) if drawing is None else self._bounds(drawing)
        room = QRectF(self.rect()).adjusted(_MARGIN, _MARGIN, -_MARGIN, -_MARGIN)
        scale = max(min(room.width() / bounds.width(), room.height() / bounds.height()), 1e-9)
        centre = bounds.center()
        return scale, room.center().x() - centre.x() * scale, room.center().y() - centre.y() * scale

    def _to_widget(self, frame: Rectangle) -> QRectF:
        scale, left, top = self._transform()
        return QRectF(frame[0] * scale + left, frame[1] * scale + top, frame[2] * scale, frame[3] * scale)

    def _points(self, path: Scanpath) -> list[QPointF]:
        """Return where fixations are drawn; those beyond the edge stand at it."""
        scale, left, top = self._transform()
        xs = np.clip(path.x * scale + left, 8, max(self.width() - 8, 8))
        ys = np.clip(path.y * scale + top, 8, max(self.height() - 8, 8))
        return [QPointF(x, y) for x, y in zip(xs.tolist(), ys.tolist(), strict=True)]

    def _is_beyond(self, path: Scanpath) -> list[bool]:
        scale, left, top = self._transform()
        xs, ys = path.x * scale + left, path.y * scale + top
        beyond = (xs < 0) | (ys < 0) | (xs > self.width()) | (ys > self.height())
        return [bool(value) for value in beyond]

    def _radius(self, path: Scanpath, number: int) -> float:
        if len(path) > _JOINED_AT_MOST:
            return _DOT
        return radius(float(path.fixations.duration_ms[number]), _USUAL_RADIUS * self._size())

    def _size(self) -> float:
        """Return how much larger marks are than in a widget of the usual width."""
        return min(max(math.sqrt(self.width() / _USUAL_WIDTH), 0.7), 1.5)

    def _drawn(self) -> QPixmap:
        ratio = self.devicePixelRatioF()
        base = QPixmap(self.size() * ratio)
        base.setDevicePixelRatio(ratio)
        base.fill(CANVAS)
        painter = QPainter(base)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setFont(self.font())
        if self._drawing is not None:
            self._draw_frames(painter, self._drawing)
            self._draw_path(painter, self._drawing.scanpath)
            if self._drawing.other is not None:
                self._draw_diamonds(painter, self._drawing.other)
        painter.end()
        return base

    def _draw_frames(self, painter: QPainter, drawing: TrialDrawing) -> None:
        if drawing.screen is not None:
            rect = self._to_widget(drawing.screen)
            painter.setPen(QPen(QColor(0, 0, 0, 120), 1))
            painter.setBrush(_SCREEN)
            painter.drawRect(rect)
        if drawing.image is not None and drawing.picture is not None:
            rect = self._to_widget(drawing.image)
            if self._picture is not None:
                scale = rect.width() / drawing.picture.width * self.devicePixelRatioF()
                painter.drawImage(rect, self._picture.level_for(scale))
            else:
                painter.fillRect(rect, QColor(255, 255, 255, 40))
                painter.setPen(QColor(255, 255, 255, 220))
                painter.drawText(
                    rect.adjusted(16, 16, -16, -16),
                    Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap,
                    self._note or "Reading the picture…",
                )
            painter.setPen(QPen(QColor(255, 255, 255, 170), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(rect)
        if drawing.screen is not None:
            self._draw_size(painter, drawing.screen)

    def _draw_size(self, painter: QPainter, screen: Rectangle) -> None:
        """Write the screen's size into its lower left corner."""
        text = f"screen {screen[2]:g} × {screen[3]:g} px"
        rect = self._to_widget(screen)
        metrics = QFontMetrics(painter.font())
        box = QRectF(
            rect.left(), rect.bottom() - metrics.height() - 4, metrics.horizontalAdvance(text) + 12, 0
        )
        box.setBottom(rect.bottom())
        painter.fillRect(box, QColor(0, 0, 0, 120))
        painter.setPen(QColor(255, 255, 255, 220))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def _draw_diamonds(self, painter: QPainter, path: Scanpath) -> None:
        """Draw open diamonds, so that what they are compared with stays in sight under them."""
        if len(path) > _JOINED_AT_MOST:
            pen = QPen(QColor(OWN_COLOUR), _DOT)
            pen.setCapStyle(Qt.PenCapStyle.RoundCap)
            painter.setPen(pen)
            painter.drawPoints(self._points(path))
            return
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for number, point in enumerate(self._points(path)):
            diamond = _diamond(point, self._radius(path, number) * 1.5)
            for pen in (QPen(QColor(0, 0, 0, 170), 4.5), QPen(QColor(OWN_COLOUR), 2.4)):
                painter.setPen(pen)
                painter.drawPolygon(diamond)

    def _draw_path(self, painter: QPainter, path: Scanpath) -> None:
        points, beyond = self._points(path), self._is_beyond(path)
        used = [why == Why.USED for why in path.why.tolist()]
        if len(points) > _JOINED_AT_MOST:
            _draw_dots(painter, points, used)
            return
        _draw_line(painter, [point for point, is_used in zip(points, used, strict=True) if is_used])
        numbers = QFont(self.font())
        numbers.setPixelSize(max(round(10 * self._size()), 10))
        numbers.setBold(True)
        painter.setFont(numbers)
        # Those that are left out lie below, so that what is used is never hidden.
        for number in sorted(range(len(points)), key=lambda place: used[place]):
            fill = QColor(PEOPLE_COLOUR) if used[number] else None
            size = self._radius(path, number)
            if beyond[number]:
                _draw_triangle(painter, points[number], QPointF(self.rect().center()), fill)
                continue
            _draw_mark(painter, points[number], size, fill)
            if len(points) <= _NUMBERED_AT_MOST:
                _draw_number(painter, points[number], size, int(path.fixations.index[number]), fill)


def _draw_number(painter: QPainter, point: QPointF, size: float, index: int, fill: QColor | None) -> None:
    """Write the number of a fixation into its mark, or beside it where that is too small."""
    text = str(index)
    box = QRectF(point.x() - 16, point.y() - 10, 32, 20)
    if 2 * size >= painter.fontMetrics().horizontalAdvance(text) + _AROUND_DIGITS:
        painter.setPen(_INK if fill else QColor("white"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
        return
    box.translate(16 + size + 3, 0)
    side = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
    for colour, shift in ((QColor(0, 0, 0, 200), 1), (QColor("white"), 0)):
        painter.setPen(colour)
        painter.drawText(box.translated(shift, shift), side, text)


def _draw_line(painter: QPainter, points: list[QPointF]) -> None:
    """Join fixations in their order."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for pen in (QPen(QColor(0, 0, 0, 110), 3.0), QPen(QColor(255, 255, 255, 210), 1.4)):
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        painter.drawPolyline(QPolygonF(points))


def _draw_dots(painter: QPainter, points: list[QPointF], used: list[bool]) -> None:
    """Draw very many fixations: dots, those that are left out in white below the others."""
    dark, light, fill = QColor(0, 0, 0, 150), QColor(255, 255, 255, 230), QColor(PEOPLE_COLOUR)
    for wanted, colour in ((False, light), (True, fill)):
        dots = [point for point, is_used in zip(points, used, strict=True) if is_used is wanted]
        for edge, width in ((dark, 2 * _DOT + 1.5), (colour, 2 * _DOT)):
            pen = QPen(edge, width)
            pen.setCapStyle(Qt.PenCapStyle.RoundCap)
            painter.setPen(pen)
            painter.drawPoints(dots)


def _draw_mark(painter: QPainter, point: QPointF, size: float, fill: QColor | None) -> None:
    """Draw a fixation that is used (filled) or left out (a ring)."""
    inside = QColor(0, 0, 0, 70)
    if fill is not None:
        inside = QColor(fill)
        inside.setAlpha(225)
    # A light ring inside a dark one is seen on any picture.
    pens = (QPen(QColor(0, 0, 0, 170), 3.0), QPen(QColor(255, 255, 255, 240), 1.4))
    for pen, brush in zip(pens, (inside, Qt.BrushStyle.NoBrush), strict=True):
        painter.setPen(pen)
        painter.setBrush(brush)
        painter.drawEllipse(point, size, size)


def _diamond(point: QPointF, size: float) -> QPolygonF:
    corners = ((0, -size), (size, 0), (0, size), (-size, 0))
    return QPolygonF([QPointF(point.x() + x, point.y() + y) for x, y in corners])


def _draw_triangle(painter: QPainter, point: QPointF, centre: QPointF, fill: QColor | None) -> None:
    """Draw a triangle at the edge that points away from the middle."""
    turn = math.atan2(point.y() - centre.y(), point.x() - centre.x())
    corners = [
        QPointF(point.x() + 7 * math.cos(turn + part), point.y() + 7 * math.sin(turn + part))
        for part in (0.0, 2.4, -2.4)
    ]
    painter.setPen(QPen(QColor(255, 255, 255, 240), 1.4))
    painter.setBrush(fill if fill is not None else QColor(0, 0, 0, 110))
    painter.drawPolygon(QPolygonF(corners))
