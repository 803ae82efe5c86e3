"""A view of one image with its map and gaze over it, zoomed and panned together with its neighbours."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QImage,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QTransform,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from gazeapp.ui.canvas.gaze import GazeStyle, draw_gaze
from gazeapp.ui.canvas.heat import HeatLayer
from gazeapp.ui.colours import CANVAS, paint_table
from gazeapp.ui.scene import Fixations, Picture

ZOOM_STEP = 1.25
"""Magnification by one notch of the wheel."""

_ZOOM_MOST = 64.0
# From here on the pixels of the image are shown as squares, as an instrument should.
_SQUARE_PIXELS = 8.0
_DIMMED = 0.45
_DRAG_STARTS = 4
_USUAL_WIDTH = 320.0


@dataclass(frozen=True, slots=True)
class Region:
    """The part of an image that is in view: the same numbers show the same part in views of any size.

    Parameters
    ----------
    across, down
        Centre, as shares of the image's width and height.
    zoom
        Magnification relative to the fitted image, 1 and up.
    """

    across: float = 0.5
    down: float = 0.5
    zoom: float = 1.0


FIT = Region()


class Cover(Protocol):
    """What is drawn over the map of a view: a mask, and on top of all the marks of the tool that draws it."""

    def draw_mask(self, painter: QPainter, view: ImageView) -> None:
        """Draw the mask, over the map and under the gaze."""

    def draw_marks(self, painter: QPainter, view: ImageView) -> None:
        """Draw what is on top of everything."""


class ImageView(QWidget):
    """Draws a picture, a heat layer, fixations, scanpaths and a crosshair.

    The widget paints itself: the picture and the map are kept scaled to the screen, so that a
    change of opacity or a moving crosshair costs two copies of pixels.
    """

    region_changed = Signal(object)
    """The user zoomed or panned: a :class:`Region`."""
    probed = Signal(object)
    """Place under the cursor as (across, down) shares of the image; None when it left the image."""
    clicked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._picture: Picture | None = None
        self._size = (1, 1)
        self._layer: HeatLayer | None = None
        self._table: NDArray[np.uint8] | None = None
        self._fixations: Fixations | None = None
        self._style = GazeStyle()
        self._moved: int | None = None
        self._offset = (0.0, 0.0)
        self._parts: tuple[Fixations, Fixations] | None = None
        self._cover: Cover | None = None
        self._opacity = 1.0
        self._overlay = True
        self._dimmed = False
        self._region = FIT
        self._probe: tuple[float, float] | None = None
        self._press: QPointF | None = None
        self._drag_from: Region | None = None
        self._picture_cache: QImage | None = None
        self._layer_cache: QImage | None = None
        self._gaze_cache: QImage | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)
        self.setMinimumSize(80, 72)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    @property
    def region(self) -> Region:
        """The part of the image in view."""
        return self._region

    @property
    def opacity(self) -> float:
        """Opacity of the map, 0 to 1."""
        return self._opacity

    @property
    def overlay_shown(self) -> bool:
        """Whether the map lies over the picture."""
        return self._overlay and self._layer is not None

    @property
    def layer(self) -> HeatLayer | None:
        """The map that is drawn."""
        return self._layer

    def set_picture(self, picture: Picture | None, width: int, height: int) -> None:
        """Show a picture of an image of ``width`` x ``height`` px; None leaves its place empty."""
        if picture is self._picture and (width, height) == self._size:
            return
        if (width, height) != self._size:
            self._layer_cache = self._gaze_cache = None
        self._picture, self._size = picture, (width, height)
        self._picture_cache = None
        self.update()

    def set_layer(self, layer: HeatLayer | None, table: NDArray[np.uint8] | None = None) -> None:
        """Show a map in the colours of ``table`` (256, 4), one for each of its indices."""
        if layer is self._layer and _same(table, self._table):
            return
        self._layer, self._table = layer, table
        self._layer_cache = None
        self.update()

    def set_fixations(self, fixations: Fixations | None, style: GazeStyle) -> None:
        """Show fixations and scanpaths as ``style`` says."""
        if fixations is not self._fixations or style != self._style:
            if fixations is not self._fixations:
                self._parts = None
            self._fixations, self._style = fixations, style
            self._gaze_cache = None
            self.update()

    def set_moved(self, trial: int | None, offset: tuple[float, float] = (0.0, 0.0)) -> None:
        """Draw the scanpath of a trial apart from the others, ``offset`` (x, y, image px) from its place."""
        if trial != self._moved:
            self._moved, self._parts, self._gaze_cache = trial, None, None
        elif offset == self._offset:
            return
        self._offset = offset
        self.update()

    def set_cover(self, cover: Cover | None) -> None:
        """Draw a mask over the map; whoever changes it has the part that changed drawn anew."""
        if cover is not self._cover:
            self._cover = cover
            self.update()

    def set_opacity(self, opacity: float) -> None:
        """Set the opacity of the map, 0 to 1."""
        if opacity != self._opacity:
            self._opacity = opacity
            self.update()

    def set_overlay(self, shown: bool) -> None:
        """Show or hide the map."""
        if shown != self._overlay:
            self._overlay = shown
            self.update()

    def set_dimmed(self, dimmed: bool) -> None:
        """Dim what is shown, while the next image is being read."""
        if dimmed != self._dimmed:
            self._dimmed = dimmed
            self.update()

    def set_region(self, region: Region) -> None:
        """Show this part of the image."""
        region = self._clamped(region)
        if region != self._region:
            self._region = region
            self._drop_caches()

    def choose_region(self, region: Region) -> None:
        """Show this part of the image as if the user had chosen it: linked views follow."""
        region = self._clamped(region)
        if region != self._region:
            self.set_region(region)
            self.region_changed.emit(region)

    def set_probe(self, place: tuple[float, float] | None) -> None:
        """Draw a crosshair at (across, down), or none."""
        if place != self._probe:
            self._probe = place
            self.update()

    def image_transform(self) -> QTransform:
        """Return the transform from image px to this widget's px."""
        width, height = self._size
        scale = self._fit_scale() * self._region.zoom
        centre = QPointF(self.width() / 2, self.height() / 2)
        return QTransform(
            scale,
            0,
            0,
            scale,
            centre.x() - self._region.across * width * scale,
            centre.y() - self._region.down * height * scale,
        )

    def image_rect(self) -> QRectF:
        """Return the rectangle of the image in this widget's px."""
        return self.image_transform().mapRect(QRectF(0, 0, *self._size))

    def place_at(self, position: QPointF) -> tuple[float, float] | None:
        """Return the (across, down) shares of the image at a widget position, None outside it."""
        rect = self.image_rect()
        if not rect.contains(position):
            return None
        return (
            (position.x() - rect.left()) / rect.width(),
            (position.y() - rect.top()) / rect.height(),
        )

    def sizeHint(self) -> QSize:
        """Return a size at which a photograph reads well."""
        return QSize(320, 240)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the layers, lowest first."""
        painter = QPainter(self)
        light = _DIMMED if self._dimmed else 1.0
        if self._dimmed or self._picture is None:
            painter.fillRect(self.rect(), CANVAS)
        painter.setOpacity(light)
        if self._picture is not None:
            painter.drawImage(0, 0, self._scaled_picture(self._picture))
        else:
            painter.fillRect(self.image_rect(), QColor(0, 0, 0, 24))
        if self._overlay and self._layer is not None and self._table is not None:
            painter.setOpacity(self._opacity * light)
            painter.drawImage(0, 0, self._scaled_layer(self._layer, self._table))
        if self._cover is not None:
            painter.setOpacity(light)
            self._cover.draw_mask(painter, self)
        if self._fixations is not None:
            painter.setOpacity(light)
            self._draw_gaze(painter, self._fixations)
        if self._cover is not None:
            painter.setOpacity(1.0)
            self._cover.draw_marks(painter, self)
        if self._probe is not None:
            painter.setOpacity(1.0)
            self._draw_crosshair(painter, self._probe)

    def resizeEvent(self, _event: QResizeEvent) -> None:
        """Keep the same part of the image in view."""
        self._region = self._clamped(self._region)
        self._drop_caches()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom around the cursor."""
        notches = event.angleDelta().y() / 120.0
        if notches and self._picture is not None:
            self._zoom_at(event.position(), ZOOM_STEP**notches)
        event.accept()

    def zoom_by(self, factor: float) -> None:
        """Zoom around the middle of the view; linked views follow."""
        self._zoom_at(QPointF(self.width() / 2, self.height() / 2), factor)

    def event(self, event: QEvent) -> bool:
        """Zoom by a pinch on a touchpad."""
        if isinstance(event, QNativeGestureEvent):
            if event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
                self._zoom_at(event.position(), 1.0 + event.value())
            return True
        return super().event(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin to drag."""
        if event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            self._press, self._drag_from = event.position(), None
            self.clicked.emit()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag the image, or report the place under the cursor."""
        position = event.position()
        if self._press is None:
            self.probed.emit(self.place_at(position))
            return
        shift = position - self._press
        if self._drag_from is None:
            if shift.manhattanLength() < _DRAG_STARTS or self._region.zoom <= 1.0:
                return
            self._drag_from = self._region
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
        scale = self._fit_scale() * self._region.zoom
        start = self._drag_from
        self.choose_region(
            Region(
                start.across - shift.x() / (self._size[0] * scale),
                start.down - shift.y() / (self._size[1] * scale),
                start.zoom,
            )
        )

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        """End a drag."""
        self._press = self._drag_from = None
        self.unsetCursor()

    def mouseDoubleClickEvent(self, _event: QMouseEvent) -> None:
        """Fit the image into the view."""
        self._press = None
        self.choose_region(FIT)

    def leaveEvent(self, _event: object) -> None:
        """Take the crosshair away."""
        self.probed.emit(None)

    def _zoom_at(self, position: QPointF, factor: float) -> None:
        region, rect = self._region, self.image_rect()
        zoom = min(max(region.zoom * factor, 1.0), _ZOOM_MOST)
        share = 1.0 - region.zoom / zoom
        across = (position.x() - rect.left()) / rect.width()
        down = (position.y() - rect.top()) / rect.height()
        self.choose_region(
            Region(
                region.across + (across - region.across) * share,
                region.down + (down - region.down) * share,
                zoom,
            )
        )

    def _clamped(self, region: Region) -> Region:
        """Return the region moved so that no more canvas shows than has to."""
        scale = self._fit_scale() * region.zoom
        half = [
            min(0.5, view / (2.0 * size * scale))
            for view, size in zip((self.width(), self.height()), self._size, strict=True)
        ]
        return Region(
            min(max(region.across, half[0]), 1.0 - half[0]),
            min(max(region.down, half[1]), 1.0 - half[1]),
            region.zoom,
        )

    def _fit_scale(self) -> float:
        width, height = self._size
        return max(min(self.width() / width, self.height() / height), 1e-6)

    def _drop_caches(self) -> None:
        self._picture_cache = self._layer_cache = self._gaze_cache = None
        self.update()

    def _scaled_picture(self, picture: Picture) -> QImage:
        if self._picture_cache is None:
            magnification = self._fit_scale() * self._region.zoom
            self._picture_cache = _render_picture(
                picture,
                self.size().toTuple(),
                self.image_rect().getRect(),
                magnification * self.devicePixelRatioF(),
                self.devicePixelRatioF(),
            )
        return self._picture_cache

    def _scaled_layer(self, layer: HeatLayer, table: NDArray[np.uint8]) -> QImage:
        if self._layer_cache is None:
            canvas = _blank(self.size().toTuple(), self.devicePixelRatioF(), Qt.GlobalColor.transparent)
            painter = QPainter(canvas)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
            painter.drawImage(self.image_rect(), paint_table(layer.indices, table))
            painter.end()
            self._layer_cache = canvas
        return self._layer_cache

    def _mark_size(self) -> float:
        """Return the size of fixations: larger in a large pane, whatever the zoom."""
        fitted = self._size[0] * self._fit_scale()
        return min(max(math.sqrt(fitted / _USUAL_WIDTH), 0.6), 2.0)

    def _draw_gaze(self, painter: QPainter, fixations: Fixations) -> None:
        if self._moved is None:
            if self._style.visible:
                painter.drawImage(0, 0, self._drawn_gaze(fixations))
            return
        if self._parts is None:
            trial = self._moved
            self._parts = fixations.of_trial(trial), fixations.of_trial(trial, without=True)
        moved, rest = self._parts
        alone = self._style.subject and self._style.subject not in rest.subject
        if self._style.visible and not alone:
            painter.drawImage(0, 0, self._drawn_gaze(rest))
        if len(moved):
            style = GazeStyle(True, True, moved.subject[0], self._style.colour, size=self._mark_size())
            place = self.image_transform()
            painter.setClipRect(self.image_rect())
            draw_gaze(painter, moved, style, place.translate(*self._offset), self.font())
            painter.setClipping(False)

    def _drawn_gaze(self, fixations: Fixations) -> QImage:
        if self._gaze_cache is None:
            self._gaze_cache = _render_gaze(
                fixations,
                replace(self._style, size=self._mark_size()),
                self.size().toTuple(),
                self.image_rect().getRect(),
                self._size[0],
                self.font(),
                self.devicePixelRatioF(),
            )
        return self._gaze_cache

    def _draw_crosshair(self, painter: QPainter, place: tuple[float, float]) -> None:
        rect = self.image_rect()
        x = round(rect.left() + place[0] * rect.width()) + 0.5
        y = round(rect.top() + place[1] * rect.height()) + 0.5
        visible = rect.intersected(QRectF(self.rect()))
        gap = 6
        lines = [
            (QPointF(visible.left(), y), QPointF(x - gap, y)),
            (QPointF(x + gap, y), QPointF(visible.right(), y)),
            (QPointF(x, visible.top()), QPointF(x, y - gap)),
            (QPointF(x, y + gap), QPointF(x, visible.bottom())),
        ]
        for colour, width in ((QColor(0, 0, 0, 70), 3), (QColor(255, 255, 255, 190), 1)):
            painter.setPen(QPen(colour, width))
            for start, end in lines:
                painter.drawLine(start, end)


@lru_cache(maxsize=4)
def _render_picture(
    picture: Picture,
    size: tuple[int, int],
    rect: tuple[float, float, float, float],
    magnification: float,
    ratio: float,
) -> QImage:
    """Return the picture as it lies in a view; the panes of one image share it."""
    canvas = _blank(size, ratio, CANVAS)
    painter = QPainter(canvas)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, magnification < _SQUARE_PIXELS)
    painter.drawImage(QRectF(*rect), picture.level_for(magnification))
    painter.end()
    return canvas


@lru_cache(maxsize=4)
def _render_gaze(
    fixations: Fixations,
    style: GazeStyle,
    size: tuple[int, int],
    rect: tuple[float, float, float, float],
    image_width: int,
    font: QFont,
    ratio: float,
) -> QImage:
    """Return the gaze as it lies in a view; the models' panes share it."""
    canvas = _blank(size, ratio, Qt.GlobalColor.transparent)
    painter = QPainter(canvas)
    painter.setClipRect(QRectF(*rect))
    scale = rect[2] / image_width
    draw_gaze(painter, fixations, style, QTransform(scale, 0, 0, scale, rect[0], rect[1]), font)
    painter.end()
    return canvas


def _blank(size: tuple[int, int], ratio: float, colour: QColor | Qt.GlobalColor) -> QImage:
    """Return an empty canvas for a view of ``size`` on a screen of ``ratio`` px a point."""
    width, height = (max(round(side * ratio), 1) for side in size)
    opaque = colour is CANVAS
    kind = QImage.Format.Format_RGB32 if opaque else QImage.Format.Format_ARGB32_Premultiplied
    canvas = QImage(width, height, kind)
    canvas.setDevicePixelRatio(ratio)
    canvas.fill(colour)
    return canvas


def _same(first: NDArray[np.uint8] | None, second: NDArray[np.uint8] | None) -> bool:
    return first is second or (first is not None and second is not None and np.array_equal(first, second))
