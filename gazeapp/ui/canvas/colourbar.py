"""A slim colour bar: which colour means how much."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from gazeapp.ui.canvas.heat import UNIT, Scale
from gazeapp.ui.colours import opaque, paint_table
from gazeapp.ui.theme import colors, small_font, tabular

MINUS_PEOPLE = "Model minus people, each relative to uniform: above 0 the model looks more than people do"
"""What the colours of a difference with people mean."""

_BAR = 10
_TICK = 4
# Doublings read best on a logarithmic scale.
_ROUND = (0.5, *(2.0**power for power in range(16)))


class ColourBar(QWidget):
    """Colours from the lowest value at the bottom to the highest at the top, with numbers.

    Parameters
    ----------
    title
        What is shown, over the bar; the unit stands below it. Without a title the bar is compact.
    """

    def __init__(self, title: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = title
        self._about = MINUS_PEOPLE
        self._scale = Scale(2.0)
        self._gradient: QImage | None = None
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self.setFixedWidth(72 if title else 44)

    @property
    def scale(self) -> Scale:
        """What the first and the last colour stand for."""
        return self._scale

    def set_title(self, title: str, about: str) -> None:
        """Say what a difference is of, in the title and as a sentence; its numbers come with :meth:`set_scale`."""
        self._title, self._about = title, about

    def set_scale(self, table: NDArray[np.uint8], scale: Scale) -> None:
        """Show ``table`` (256, 4) along ``scale``."""
        self._gradient = paint_table(np.arange(255, -1, -1, dtype=np.uint8)[:, None], opaque(table))
        self._scale = scale
        self.setToolTip(
            self._about
            if scale.signed
            else "Density relative to uniform, logarithmic: 1 is what an even spread over the image would "
            "give; below 1 the map is transparent"
        )
        what = self._title.replace("\n", " ") or "density"
        self.setAccessibleName(f"Colour bar, {what}, {_label(scale.bottom)} to {_label(scale.top)} {UNIT}")
        self.update()

    def sizeHint(self) -> QSize:
        """Return the slim size."""
        return QSize(self.width(), 160)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw title, unit, colours and numbers."""
        painter = QPainter(self)
        font = tabular(small_font(self.font()))
        painter.setFont(font)
        metrics = QFontMetricsF(font)
        muted = QColor(colors().muted)
        ink = self.palette().color(QPalette.ColorRole.Text)
        top = metrics.height() / 2 + 1
        if self._title:
            painter.setPen(muted)
            for line in (*self._title.split("\n"), UNIT):
                painter.drawText(QRectF(0, top - metrics.height() / 2, self.width(), metrics.height()), line)
                top += metrics.height()
            top += 4
        bar = QRectF(0, top, _BAR, max(self.height() - top - metrics.height() / 2 - 1, 1))
        if self._gradient is not None:
            painter.drawImage(bar, self._gradient)
        for value in ticks(self._scale, bar.height() / (metrics.height() * 1.6)):
            y = bar.bottom() - float(self._scale.place(value)) * bar.height()
            painter.setPen(QPen(muted, 1))
            painter.drawLine(round(bar.right()) + 1, round(y), round(bar.right()) + _TICK, round(y))
            painter.setPen(ink)
            box = QRectF(bar.right() + _TICK + 3, y - metrics.height() / 2, self.width(), metrics.height())
            start = 0.0 if self._scale.signed else 1.0
            text = _label(value) + (" ×" if value == start and not self._title else "")
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, text)


def ticks(scale: Scale, most: float) -> list[float]:
    """Return round numbers along ``scale`` that stand apart, at most about ``most`` of them.

    The end that means nothing special to the eye (1 for densities, 0 for differences) is always
    among them.
    """
    start = 0.0 if scale.signed else 1.0
    apart = 1.0 / max(most, 1.0)
    chosen = [start]
    for value in _ROUND:
        if value > scale.top or value <= start:
            continue
        if scale.place(value) - scale.place(chosen[-1]) >= apart * 0.999:
            chosen.append(value)
    return [-value for value in reversed(chosen[1:])] + chosen if scale.signed else chosen


def _label(value: float) -> str:
    return f"{value:.3g}".replace("-", "\N{MINUS SIGN}")
