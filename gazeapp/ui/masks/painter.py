"""Painting masks in the compare view: what mouse, wheel and keys do while it is on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QPointF, QRectF, Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication, QKeyEvent, QMouseEvent, QPainter, QWheelEvent

from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.masks.box import Box
from gazeapp.engine.lesions.masks.editor import MaskEditor
from gazeapp.ui.canvas.view import ImageView
from gazeapp.ui.masks.layer import MaskLayer, in_view
from gazeapp.ui.masks.marks import draw_brush, draw_sketch
from gazeapp.ui.masks.session import MaskSession
from gazeapp.ui.masks.tools import Pen, PolygonTool, Tool, all_tools

SIZE_STEP = 1.15
"""Growth of the brush by one key or one notch of the wheel."""

SOFTNESS_STEP = 0.1
_LEAST_SIZE = 1.0
_USUAL_SHARE = 0.08
"""Size of the first brush as a share of the image's longer side."""

_SOFTEN_SHARE = 0.01
"""Deviation of the blur that softens a mask, as a share of the image's longer side."""

_THINNED = Qt.ApplicationAttribute.AA_CompressHighFrequencyEvents

_TOOL_KEYS = {
    Qt.Key.Key_P: "brush",
    Qt.Key.Key_E: "eraser",
    Qt.Key.Key_L: "polygon",
    Qt.Key.Key_R: "rectangle",
    Qt.Key.Key_O: "ellipse",
    Qt.Key.Key_H: "half_plane",
    Qt.Key.Key_G: "gradient",
}
_STEP_KEYS = {
    Qt.Key.Key_A: "fill",
    Qt.Key.Key_I: "invert",
    Qt.Key.Key_C: "clear",
    Qt.Key.Key_Delete: "clear",
    Qt.Key.Key_K: "soften",
}
_SIDES = {
    Qt.Key.Key_Left: "left",
    Qt.Key.Key_Right: "right",
    Qt.Key.Key_Up: "top",
    Qt.Key.Key_Down: "bottom",
}
_SIZES = {"[": -1, "]": 1}
_SOFTNESSES = {"{": -1, "}": 1}


class MaskPainter(QObject):
    """While it is on, the mouse draws a mask in whichever view it is, and all views show it.

    The left button draws, the right one erases, the middle one and the left one with Space held move the image.
    Shift keeps boxes square and lines straight; Ctrl and the wheel change the brush's size, with Shift its softness.
    """

    changed = Signal()
    """The tool, the brush or what is about to be drawn."""
    left = Signal()
    """The user is done with painting."""
    failed = Signal(object)
    """A :class:`GazeError`: what was asked for cannot be drawn."""

    def __init__(self, session: MaskSession, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._views: tuple[ImageView, ...] = ()
        self._image_id: int | None = None
        self._tools = all_tools()
        self._tool_name = "brush"
        self._pen = Pen()
        self._sized = False
        self._layer: MaskLayer | None = None
        self._on = False
        self._at: QPointF | None = None
        self._button = Qt.MouseButton.NoButton
        self._panning = False
        self._space = False
        self._space_used = False
        self._thins_moves = QCoreApplication.testAttribute(_THINNED)
        session.switched.connect(self._switched)
        session.painted.connect(self._painted)
        QGuiApplication.instance().focusObjectChanged.connect(self._focus_moved)

    @property
    def tool_name(self) -> str:
        """Name of the tool in hand, such as ``brush``."""
        return self._tool_name

    @property
    def tool(self) -> Tool:
        """The tool in hand."""
        return self._tools[self._tool_name]

    @property
    def pen(self) -> Pen:
        """How it draws."""
        return self._pen

    @property
    def largest(self) -> float:
        """Size of the largest brush, px: the image's longer side."""
        editor = self.editor
        return float(max(editor.width, editor.height)) if editor is not None else 4096.0

    @property
    def editor(self) -> MaskEditor | None:
        """What is drawn with; None while the views show another image than the one in hand."""
        return self._session.editor if self._on and self._session.image_id == self._image_id else None

    @property
    def layer(self) -> MaskLayer | None:
        """What draws the mask in the views; None while there is none."""
        return self._layer

    def show(self, views: Sequence[ImageView], image_id: int | None, on: bool) -> None:
        """Draw in these views, which show this image, or leave them alone."""
        views = tuple(views)
        if (views, image_id, on) == (self._views, self._image_id, self._on):
            return
        for view in views:
            if view not in self._views:
                view.installEventFilter(self)
        self._views, self._image_id, self._on = views, image_id, on
        self._switched()

    def take(self, name: str) -> None:
        """Take a tool in hand."""
        if name != self._tool_name:
            self._drop()
            self._tool_name = name
            self._mark()
            self.changed.emit()

    def set_pen(self, **values: object) -> None:
        """Change size, softness or whether cover is taken away."""
        pen = replace(self._pen, **values)
        pen = replace(
            pen,
            size=min(max(pen.size, _LEAST_SIZE), self.largest),
            softness=min(max(round(pen.softness, 3), 0.0), 1.0),
        )
        if pen != self._pen:
            self._mark()
            self._pen = pen
            self._mark()
            self.changed.emit()

    def step_pen(self, grows: int, softens: int) -> None:
        """Make the brush larger or smaller, softer or harder, by so many steps."""
        self.set_pen(
            size=self._pen.size * SIZE_STEP**grows, softness=self._pen.softness + SOFTNESS_STEP * softens
        )

    def do(self, name: str) -> None:
        """Do something to the whole mask: ``fill``, ``invert``, ``clear``, ``soften``."""
        editor = self.editor
        if editor is None:
            return
        self._drop()
        if name == "soften":
            self._session.finish(editor.soften(max(1.0, _SOFTEN_SHARE * self.largest)))
        else:
            self._session.finish(getattr(editor, name)())

    def put_side(self, name: str) -> None:
        """Put in, or take away, ``left``, ``right``, ``top`` or ``bottom`` half of the image."""
        editor = self.editor
        if editor is not None:
            self._drop()
            self._session.finish(editor.side(name, self._pen.mode))

    def key(self, event: QKeyEvent) -> bool:
        """Do what a key stands for; return whether it stands for anything now."""
        key, shift = Qt.Key(event.key()), bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if not self._on:
            return False
        if event.text() in _SIZES:
            self.set_pen(size=self._pen.size * SIZE_STEP ** _SIZES[event.text()])
        elif event.text() in _SOFTNESSES:
            self.set_pen(softness=self._pen.softness + SOFTNESS_STEP * _SOFTNESSES[event.text()])
        elif key == Qt.Key.Key_Space:
            if not event.isAutoRepeat():
                self._space, self._space_used = True, False
        elif key in _SIDES and shift:
            self.put_side(_SIDES[key])
        elif shift and key == Qt.Key.Key_M:
            self._session.mirror()
        elif shift or event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            return False
        elif key in _TOOL_KEYS:
            name = _TOOL_KEYS[key]
            self.take("brush" if name == "eraser" == self._tool_name else name)
        elif key in _STEP_KEYS:
            self.do(_STEP_KEYS[key])
        elif key == Qt.Key.Key_X:
            self.set_pen(erases=not self._pen.erases)
        else:
            return self._edit(key)
        return True

    def key_released(self, event: QKeyEvent) -> bool:
        """Let go of Space; return True when it moved no image, and so stands for what it always does."""
        if not self._on or event.key() != Qt.Key.Key_Space or event.isAutoRepeat():
            return False
        tapped = self._space and not self._space_used
        self._space = False
        return tapped

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take the mouse and the wheel while masks are painted."""
        if not self._on or not isinstance(watched, ImageView):
            return False
        kind = event.type()
        if isinstance(event, QMouseEvent):
            return self._mouse(watched, event, kind)
        if isinstance(event, QWheelEvent):
            return self._wheel(event)
        if kind == QEvent.Type.Leave:
            self._mark()
            self._at = None
        return kind == QEvent.Type.ContextMenu  # the right button erases

    def draw_mask(self, painter: QPainter, view: ImageView) -> None:
        """Draw the mask over the map of a view."""
        if self._layer is not None:
            self._layer.paint(painter, view)

    def draw_marks(self, painter: QPainter, view: ImageView) -> None:
        """Draw the brush, or the outline of what is about to be drawn."""
        editor = self.editor
        if editor is None:
            return
        place = view.image_transform()
        sketch = self.tool.sketch(editor)
        if sketch is not None:
            draw_sketch(painter, sketch, place, erases=self._stroke_pen().erases)
        if self._at is not None and self.tool.is_brush and not self._panning:
            draw_brush(painter, place, self._at, self._stroke_pen())

    def _mouse(self, view: ImageView, event: QMouseEvent, kind: QEvent.Type) -> bool:
        if kind in (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick):
            return self._pressed(view, event, twice=kind == QEvent.Type.MouseButtonDblClick)
        if kind == QEvent.Type.MouseMove:
            if self._panning:
                return False
            self._follow(view, event.position(), event.modifiers())
            return True
        if kind == QEvent.Type.MouseButtonRelease:
            if self._panning:
                self._panning = event.buttons() != Qt.MouseButton.NoButton
                return False
            if event.button() == self._button:
                self._released(view, event.position())
            return True
        return False

    def _pressed(self, view: ImageView, event: QMouseEvent, *, twice: bool) -> bool:
        button = event.button()
        if self._button != Qt.MouseButton.NoButton:
            return True  # one button draws at a time
        if button == Qt.MouseButton.MiddleButton or (button == Qt.MouseButton.LeftButton and self._space):
            self._panning = self._space_used = True
            self._mark()
            return twice  # a double click would fit the image into the view
        if button not in (Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton):
            return False
        editor = self.editor
        if editor is None:
            return True
        self._at = self._place(view, event.position())
        if twice and isinstance(self.tool, PolygonTool):
            # The first press of a double click has put the last corner down.
            self._close_polygon()
            return True
        self._button = button
        self._set_straight(event.modifiers())
        self._all_moves(True)
        self._try(lambda: self._session.paint(self.tool.press(editor, self._at, self._stroke_pen())))
        self._mark()
        self.changed.emit()
        return True

    def _follow(self, view: ImageView, position: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        editor = self.editor
        if view.cursor().shape() != Qt.CursorShape.CrossCursor:  # moving the image has changed it
            view.setCursor(Qt.CursorShape.CrossCursor)
        self._mark()
        self._at = self._place(view, position)
        if editor is not None and self.tool.busy:
            self._set_straight(modifiers)
            self._try(lambda: self._session.paint(self.tool.move(editor, self._at, self._stroke_pen())))
        self._mark()

    def _released(self, view: ImageView, position: QPointF) -> None:
        editor, pen = self.editor, self._stroke_pen()
        self._button = Qt.MouseButton.NoButton
        self._all_moves(False)
        if editor is not None:
            self._mark()
            self._try(
                lambda: self._session.finish(self.tool.release(editor, self._place(view, position), pen))
            )
            self._mark()
            self.changed.emit()

    def _edit(self, key: Qt.Key) -> bool:
        """Finish, mend or leave what is being drawn; return whether the key does so."""
        polygon = self.tool if isinstance(self.tool, PolygonTool) else None
        if key == Qt.Key.Key_Escape:
            if self.tool.busy:
                self._drop()
            else:
                self.left.emit()
        elif polygon is not None and polygon.busy and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._close_polygon()
        elif polygon is not None and polygon.busy and key == Qt.Key.Key_Backspace:
            self._mark()
            polygon.take_back()
            self._mark()
            self.changed.emit()
        else:
            return False
        return True

    def _close_polygon(self) -> None:
        editor, tool = self.editor, self.tool
        if editor is not None and isinstance(tool, PolygonTool):
            self._mark()
            self._try(lambda: self._session.finish(tool.close(editor, self._pen)))
            self._mark()
            self.changed.emit()

    def _drop(self) -> None:
        """Forget what is being drawn."""
        editor = self.editor
        self._button = Qt.MouseButton.NoButton
        self._all_moves(False)
        if editor is not None and self.tool.busy:
            self._mark()
            self._session.paint(self.tool.cancel(editor))
            self._mark()
            self.changed.emit()

    def _wheel(self, event: QWheelEvent) -> bool:
        if not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            return False
        turned = event.angleDelta()
        notches = (turned.y() or turned.x()) / 120.0
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.set_pen(softness=self._pen.softness + SOFTNESS_STEP * notches)
        else:
            self.set_pen(size=self._pen.size * SIZE_STEP**notches)
        event.accept()
        return True

    def _try(self, draw: Callable[[], None]) -> None:
        try:
            draw()
        except GazeError as error:
            self.failed.emit(error)

    def _stroke_pen(self) -> Pen:
        """Return the pen as it draws now, with the button that is held."""
        erases = self._pen.erases or self.tool.erases_always or self._button == Qt.MouseButton.RightButton
        return replace(self._pen, erases=erases)

    def _set_straight(self, modifiers: Qt.KeyboardModifier) -> None:
        self._pen = replace(self._pen, straight=bool(modifiers & Qt.KeyboardModifier.ShiftModifier))

    def _place(self, view: ImageView, position: QPointF) -> QPointF:
        """Return a place on the image, px; it may lie outside."""
        return view.image_transform().inverted()[0].map(position)

    def _all_moves(self, wanted: bool) -> None:
        """Have every move of the mouse told, so that a quick curve stays one; else as the system has it."""
        QCoreApplication.setAttribute(_THINNED, self._thins_moves and not wanted)

    @Slot(QObject)
    def _focus_moved(self, _to: QObject | None) -> None:
        """Take Space as let go: whoever has the keyboard now is told so, and not the painter."""
        self._space = False

    @Slot()
    def _switched(self) -> None:
        """Show the mask that is in hand now, or none; what was being drawn on another one is dropped."""
        editor = self.editor
        self._tools = all_tools()
        self._button, self._panning, self._space = Qt.MouseButton.NoButton, False, False
        self._at = None
        self._all_moves(False)
        if editor is not None and not self._sized:
            self._sized = True
            self._pen = replace(self._pen, size=round(_USUAL_SHARE * self.largest))
        self._layer = MaskLayer(editor.mask) if editor is not None else None
        for view in self._views:
            view.set_cover(self if self._on else None)
            if self._on:
                view.set_probe(None)
                view.setCursor(Qt.CursorShape.CrossCursor)
            else:
                view.unsetCursor()
            view.update()
        self.changed.emit()

    @Slot(object)
    def _painted(self, box: Box) -> None:
        mask = self._session.mask
        if self._layer is None or mask is None:
            return
        self._layer.changed(mask, box)
        for view in self._views:
            view.update(in_view(view, box))

    def _mark(self) -> None:
        """Have the places drawn anew where marks are, or were."""
        editor = self.editor
        if editor is None:
            return
        sketch = self.tool.sketch(editor)
        for view in self._views:
            place = view.image_transform()
            if sketch is not None:
                rect = sketch.shape.boundingRect().united(sketch.guides.boundingRect())
                view.update(place.mapRect(rect).toAlignedRect().adjusted(-6, -6, 6, 6))
            if self._at is not None and self.tool.is_brush:
                reach = self._pen.size / 2
                rect = QRectF(self._at.x() - reach, self._at.y() - reach, 2 * reach, 2 * reach)
                view.update(place.mapRect(rect).toAlignedRect().adjusted(-6, -6, 6, 6))
