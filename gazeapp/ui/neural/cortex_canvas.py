"""The picture of the cortex, zoomed and panned as photographs are, with the names of its views and what is drawn."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QKeyEvent, QMouseEvent, QPainter, QPen, QPolygonF

from gazeapp.engine.neural.surface.scene import Scene, Spot
from gazeapp.engine.neural.surface.views import ANTERIOR, POSTERIOR
from gazeapp.ui.canvas.view import FIT, ZOOM_STEP, ImageView
from gazeapp.ui.scene import Picture
from gazeapp.ui.theme import small_font

_TITLE = QColor(255, 255, 255, 200)
_WAITING = QColor(255, 255, 255, 150)
_DARK, _LIGHT = QColor(0, 0, 0, 170), QColor(255, 255, 255, 240)
_CORNER, _NARROW_CORNER = 0.3, 0.48
"""Share of a view's width that is empty in its outer corner, from the side and from behind or in front."""
_CLICK_PX = 4
"""A press that moves less than this is a click."""


class CortexCanvas(ImageView):
    """Shows the picture of a scene, and says which place of it is pointed at or clicked."""

    pointed = Signal(object)
    """The :class:`Spot` under the cursor, None beside the cortex."""
    chosen = Signal(object, object)
    """The :class:`Spot` that was clicked, None beside the cortex, and the place in the picture, px, as QPointF."""
    finished = Signal()
    """A double click or Enter ended an outline."""
    cancelled = Signal()
    """Escape was pressed."""
    turned = Signal(int)
    """An arrow key asked for the next (1) or the previous (-1) scene."""

    def __init__(self) -> None:
        super().__init__()
        self._scene: Scene | None = None
        self._message = "Drawing the cortex…"
        self._outline: tuple[QPointF, ...] = ()
        self._pressed: QPointF | None = None
        self.draws_outline = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Cortex")
        self.setMinimumSize(160, 64)
        self.set_cover(self)
        self.probed.connect(self._probed)

    @property
    def scene(self) -> Scene | None:
        """What is seen at each pixel of the picture."""
        return self._scene

    def show_picture(self, scene: Scene, pixels: NDArray[np.uint8]) -> None:
        """Show the picture (height, width, 4), RGBA, of a scene."""
        self._scene, self._message = scene, ""
        image = QImage(
            pixels.data, scene.width, scene.height, 4 * scene.width, QImage.Format.Format_RGBA8888
        ).convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)
        self.set_picture(Picture((image,), scene.width, scene.height), scene.width, scene.height)
        self.set_dimmed(False)

    def show_message(self, text: str) -> None:
        """Say why there is no picture."""
        self._scene, self._message = None, text
        self.set_picture(None, max(self.width(), 1), max(self.height(), 1))
        self.set_dimmed(False)

    def set_outline(self, corners: tuple[QPointF, ...]) -> None:
        """Draw an open outline with these corners, px of the picture."""
        self._outline = corners
        self.update()

    def spot_at(self, position: QPointF) -> Spot | None:
        """Return what is seen at a place of the widget."""
        if self._scene is None:
            return None
        place = self.image_transform().inverted()[0].map(position)
        return self._scene.spot(place.x(), place.y())

    def draw_mask(self, painter: QPainter, _view: ImageView) -> None:
        """Draw nothing between the picture and the marks."""

    def draw_marks(self, painter: QPainter, _view: ImageView) -> None:
        """Draw the names of the views, an outline that is begun, or what is waited for."""
        if self._scene is None:
            painter.setPen(_WAITING)
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(QRectF(self.rect()).adjusted(16, 8, -16, -8), flags, self._message)
            return
        self._draw_titles(painter, self._scene)
        if self._outline:
            self._draw_outline(painter)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a click or a drag."""
        super().mousePressEvent(event)
        if event.button() is Qt.MouseButton.LeftButton:
            self._pressed = event.position()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End a drag, or choose the place that was clicked."""
        super().mouseReleaseEvent(event)
        pressed, self._pressed = self._pressed, None
        if pressed is None or (event.position() - pressed).manhattanLength() >= _CLICK_PX:
            return
        place = self.image_transform().inverted()[0].map(pressed)
        self.chosen.emit(self.spot_at(pressed), place)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """End an outline, else fit the picture into the view."""
        if self.draws_outline:
            self.finished.emit()
        else:
            super().mouseDoubleClickEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows change the scene, plus and minus zoom, 0 fits; Enter and Escape end an outline."""
        key = event.key()
        if key in (Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_Left, Qt.Key.Key_Up):
            self.turned.emit(1 if key in (Qt.Key.Key_Right, Qt.Key.Key_Down) else -1)
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom_by(ZOOM_STEP)
        elif key == Qt.Key.Key_Minus:
            self.zoom_by(1.0 / ZOOM_STEP)
        elif key == Qt.Key.Key_0:
            self.choose_region(FIT)
        elif self.draws_outline and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.finished.emit()
        elif self.draws_outline and key == Qt.Key.Key_Escape:
            self.cancelled.emit()
        else:
            super().keyPressEvent(event)

    def _probed(self, place: tuple[float, float] | None) -> None:
        if self._scene is not None:
            spot = (
                self._scene.spot(place[0] * self._scene.width, place[1] * self._scene.height)
                if place
                else None
            )
            self.pointed.emit(spot)

    def _draw_titles(self, painter: QPainter, scene: Scene) -> None:
        font = small_font(self.font())
        painter.setFont(font)
        painter.setPen(_TITLE)
        metrics, place = QFontMetricsF(font), self.image_transform()
        for tile in scene.tiles:
            box = place.mapRect(QRectF(tile.left, tile.top, tile.width, tile.height))
            names = (tile.view.title, tile.view.hemisphere, tile.view.hemisphere[0].upper())
            # Both sides are named alike, by what the longer name has room for.
            wide = (metrics.horizontalAdvance(name.replace("left", "right")) for name in names)
            is_narrow = tile.view.angle in (POSTERIOR, ANTERIOR)
            room = (_NARROW_CORNER if is_narrow else _CORNER) * box.width()
            fits = (name for name, width in zip(names, wide, strict=True) if width <= room)
            title = next(fits, names[-1])
            # The outer corners of the views are empty.
            side = (
                Qt.AlignmentFlag.AlignLeft if tile.view.hemisphere == "left" else Qt.AlignmentFlag.AlignRight
            )
            painter.drawText(box, side | Qt.AlignmentFlag.AlignTop, title)

    def _draw_outline(self, painter: QPainter) -> None:
        line = self.image_transform().map(QPolygonF(list(self._outline)))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for colour, width in ((_DARK, 3.5), (_LIGHT, 1.5)):
            painter.setPen(QPen(colour, width))
            painter.drawPolyline(line)
            painter.setBrush(colour)
            for corner in line.toList():
                painter.drawEllipse(corner, 1.0 + width / 2, 1.0 + width / 2)
        painter.setBrush(Qt.BrushStyle.NoBrush)
