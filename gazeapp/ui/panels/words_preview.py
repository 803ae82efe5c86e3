"""The map of one layer and head, large, over the picture."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from gazeapp.engine.reports.numbers import number
from gazeapp.engine.types import FloatArray, Rect
from gazeapp.ui import theme
from gazeapp.ui.canvas.colourbar import ColourBar
from gazeapp.ui.canvas.heat import UNIT, HeatLayer, Scale, density_layer
from gazeapp.ui.canvas.view import ImageView
from gazeapp.ui.colours import density_table
from gazeapp.ui.scene import Picture
from gazeapp.ui.widgets import icon_button, label


class CellPreview(QWidget):
    """A picture with the map of a cell, its name and its share of attention on the image."""

    method_wanted = Signal(str)
    """The user wants runs whose maps are made by this method."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._method = ""
        self._words = ""
        self.layer: HeatLayer | None = None
        self.title = label("")
        self.title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.copy = icon_button("copy", "Copy the name of this map method")
        self.use = icon_button("model", "Run models with this layer and head as their map")
        for button in (self.use, self.copy):
            room = button.sizePolicy()
            room.setRetainSizeWhenHidden(True)
            button.setSizePolicy(room)
        self.view = ImageView()
        self.bar = ColourBar()
        top = QHBoxLayout()
        top.setSpacing(theme.STEP // 2)
        top.addWidget(self.title, 1)
        top.addWidget(self.use)
        top.addWidget(self.copy)
        row = QHBoxLayout()
        row.setSpacing(theme.STEP // 2)
        row.addWidget(self.view, 1)
        row.addWidget(self.bar)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.STEP // 2)
        column.addLayout(top)
        column.addLayout(row, 1)
        self.setMinimumWidth(20 * theme.STEP)
        self.copy.clicked.connect(self._copy)
        self.use.clicked.connect(self._use)
        self.view.probed.connect(self._probe)
        self.view.region_changed.connect(self.view.set_region)

    def set_picture(self, picture: Picture | None, width: int, height: int) -> None:
        """Show the picture of an image of ``width`` x ``height`` px."""
        self.view.set_picture(picture, width, height)

    def show_map(
        self, words: str, method: str, values: FloatArray | None, rect: Rect, size: tuple[int, int]
    ) -> None:
        """Show a map.

        Parameters
        ----------
        words
            What it is, for the title.
        method
            Map method that makes runs with such maps; empty where there is none to copy.
        values
            Shape (rows, columns), non-negative; None shows the picture alone.
        rect, size
            Part of the image that the map covers, and the image's width and height, px.
        """
        self._words, self._method = words, method
        self.layer = None if values is None else density_layer(values, rect, *size)
        self.title.setText(words)
        self.title.setToolTip(words)
        self.copy.setVisible(bool(method))
        self.use.setVisible(bool(method))
        self.copy.setToolTip(f"Copy the name of this map method: {method}")
        self.view.setAccessibleName(f"Map: {words}")

    def set_colours(self, colormap: str, top: float | None, opacity: float) -> None:
        """Draw the map in a colour map, on a scale that ends at ``top``, in ``UNIT``; None takes its own top."""
        table = density_table(colormap)
        self.view.set_opacity(opacity)
        self.bar.setVisible(self.layer is not None)
        if self.layer is None:
            self.view.set_layer(None)
            return
        scale = Scale(top if top is not None else self.layer.top)
        self.view.set_layer(self.layer, self.layer.table_for(table, scale))
        self.bar.set_scale(table, scale)

    def _probe(self, place: tuple[float, float] | None) -> None:
        self.view.set_probe(place)
        if place is None or self.layer is None:
            self.title.setText(self._words)
        else:
            self.title.setText(f"{number(self.layer.value_at(*place))} {UNIT}")

    def _use(self) -> None:
        self.method_wanted.emit(self._method)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._method)
