"""The mask over panes that show models under the lesion, while it is not painted."""

from __future__ import annotations

from PySide6.QtGui import QPainter

from gazeapp.engine.types import MaskArray
from gazeapp.ui.canvas.view import ImageView
from gazeapp.ui.masks.layer import MaskLayer


class MaskCover:
    """Draws a mask as the painter does, without its tools; see `gazeapp.ui.canvas.view.Cover`.

    Parameters
    ----------
    mask
        Shape (height, width) of the image, 0 to 255.
    """

    def __init__(self, mask: MaskArray) -> None:
        self._layer = MaskLayer(mask)

    def draw_mask(self, painter: QPainter, view: ImageView) -> None:
        """Draw the mask."""
        self._layer.paint(painter, view)

    def draw_marks(self, painter: QPainter, view: ImageView) -> None:
        """Draw nothing: no tool is in hand."""
