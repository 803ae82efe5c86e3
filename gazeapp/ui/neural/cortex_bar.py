"""A slim colour bar for values on the cortex, with numbers on an even scale."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from gazeapp.engine.neural.surface.colouring import Colouring
from gazeapp.ui.colours import paint_table
from gazeapp.ui.theme import STEP, colors, small_font, tabular

_BAR = 10
_TICK = 4
_TALLEST = 320


class CortexBar(QWidget):
    """Colours from the lowest value at the bottom to the highest at the top; a grey part is what is hidden."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._colouring: Colouring | None = None
        self._label = ""
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self.setFixedWidth(12 * STEP)

    def show_scale(self, colouring: Colouring, label: str) -> None:
        """Show what the colours stand for; ``label`` names the values."""
        self._colouring, self._label = colouring, label
        text = f"{label or 'values'}, {_number(colouring.low)} to {_number(colouring.high)}"
        self.setAccessibleName(f"Colour bar, {text}")
        self.setToolTip(f"{text}; what lies beyond has the colour of the end")
        self.update()

    def sizeHint(self) -> QSize:
        """Return the slim size."""
        return QSize(self.width(), 160)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw name, colours and numbers."""
        if self._colouring is None:
            return
        painter = QPainter(self)
        font = tabular(small_font(self.font()))
        painter.setFont(font)
        metrics = QFontMetricsF(font)
        top = self._draw_label(painter, metrics)
        tall = min(self.height() - top - metrics.height() / 2 - 4, _TALLEST)
        bar = QRectF(STEP, top, _BAR, max(tall, 1))
        self._draw_colours(painter, bar, self._colouring)
        muted, ink = QColor(colors().muted), self.palette().color(QPalette.ColorRole.Text)
        for value in round_ticks(
            self._colouring.low, self._colouring.high, bar.height() / metrics.height() / 2
        ):
            y = bar.bottom() - self._share(value) * bar.height()
            painter.setPen(QPen(muted, 1))
            painter.drawLine(round(bar.right()) + 1, round(y), round(bar.right()) + _TICK, round(y))
            painter.setPen(ink)
            box = QRectF(bar.right() + _TICK + 3, y - metrics.height() / 2, self.width(), metrics.height())
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, _number(value))
        painter.end()

    def _draw_label(self, painter: QPainter, metrics: QFontMetricsF) -> float:
        """Draw the name in lines that fit, and return where the bar begins."""
        painter.setPen(QColor(colors().muted))
        flags = Qt.AlignmentFlag.AlignLeft | Qt.TextFlag.TextWordWrap
        room = QRectF(STEP, 4, self.width() - STEP, 3 * metrics.height())
        used = painter.boundingRect(room, flags, self._label)
        painter.drawText(room, flags, self._label)
        return min(used.bottom(), room.bottom()) + metrics.height() / 2 + 2

    def _draw_colours(self, painter: QPainter, bar: QRectF, colouring: Colouring) -> None:
        table = np.dstack([colouring.table[None], np.full((1, 256, 1), 255, np.uint8)])[0].astype(np.uint8)
        painter.drawImage(bar, paint_table(np.arange(255, -1, -1, dtype=np.uint8)[:, None], table))
        if colouring.threshold > 0:
            shares = [self._share(side * colouring.threshold) for side in (-1, 1)]
            low, high = (min(max(share, 0.0), 1.0) for share in shares)
            hidden = QRectF(bar.left(), bar.bottom() - high * bar.height(), _BAR, (high - low) * bar.height())
            painter.fillRect(hidden, QColor(0x9E, 0x9E, 0x9E))

    def _share(self, value: float) -> float:
        assert self._colouring is not None
        span = max(self._colouring.high - self._colouring.low, 1e-12)
        return (value - self._colouring.low) / span


def round_ticks(low: float, high: float, most: float) -> list[float]:
    """Return round numbers from ``low`` to ``high``, at even steps, at most about ``most`` of them."""
    if not high > low:
        return [low]
    least = (high - low) / max(most, 1.0)
    power = 10.0 ** math.floor(math.log10(least))
    step = next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= least * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [k * step for k in range(first, last + 1)]


def _number(value: float) -> str:
    return f"{value:.3g}".replace("-", "\N{MINUS SIGN}")
