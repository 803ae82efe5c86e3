"""The title of a pane: who, how well, and what is shown, on one line."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from gazeapp.ui.theme import colors, tabular

_CHIP = 8
_GAP = 8
_PILL_PAD = 6


@dataclass(frozen=True, slots=True)
class Title:
    """What a title says.

    Parameters
    ----------
    name
        Who: people, or a model.
    colour
        Colour of that source in every plot, ``#rrggbb``.
    notes
        What follows the name, the longest wording first; the first that fits is drawn.
    right
        Number at the right end, the longest wording first.
    badge
        A word of caution, such as ``simulated``.
    tip
        Tooltip with the whole story.
    """

    name: str
    colour: str
    notes: tuple[str, ...] = ()
    right: tuple[str, ...] = ()
    badge: str = ""
    tip: str = ""


class TitleBar(QWidget):
    """Draws a :class:`Title`; an accent line says which pane has the keyboard."""

    clicked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = Title("", "#000000")
        self._readout: tuple[str, ...] = ()
        self._focused = False
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._fit_height()

    @property
    def title(self) -> Title:
        """What is said."""
        return self._title

    @property
    def readout(self) -> tuple[str, ...]:
        """What is said of the place under the cursor, the longest wording first."""
        return self._readout

    def set_title(self, title: Title) -> None:
        """Say something else."""
        if title != self._title:
            self._title = title
            self.setToolTip(title.tip)
            self.setAccessibleName(" ".join(filter(None, (title.name, *title.notes[:1], title.badge))))
            self.update()

    def set_readout(self, readout: tuple[str, ...]) -> None:
        """Show the value under the cursor in place of the number at the right; empty shows the number."""
        if readout != self._readout:
            self._readout = readout
            self.update()

    def set_focused(self, focused: bool) -> None:
        """Mark this pane as the one with the keyboard."""
        if focused != self._focused:
            self._focused = focused
            self.update()

    def sizeHint(self) -> QSize:
        """Return the height of a line."""
        return QSize(200, self.height())

    def mousePressEvent(self, _event: QMouseEvent) -> None:
        """Ask for the keyboard."""
        self.clicked.emit()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the font."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._fit_height()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw chip, name, badge, note and number, leaving out what does not fit."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        shades = colors()
        height = self.height() - 4
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._title.colour))
        painter.drawRoundedRect(QRectF(0, (height - _CHIP) / 2, _CHIP, _CHIP), 2, 2)
        left = float(_CHIP + _GAP)
        left = self._draw_name(painter, left, height, shades.text)
        right = self._draw_right(painter, left, height)
        left = self._draw_badge(painter, left, right, height)
        self._draw_note(painter, left, right, height)
        if self._focused:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(shades.accent))
            painter.drawRect(QRectF(0, self.height() - 2, self.width(), 2))

    def _draw_name(self, painter: QPainter, left: float, height: float, colour: str) -> float:
        bold = QFont(self.font())
        bold.setWeight(QFont.Weight.DemiBold)
        metrics = QFontMetricsF(bold)
        name = metrics.elidedText(self._title.name, Qt.TextElideMode.ElideRight, self.width() - left)
        wide = metrics.horizontalAdvance(name)
        painter.setFont(bold)
        painter.setPen(QColor(colour))
        painter.drawText(QRectF(left, 0, wide + 2, height), Qt.AlignmentFlag.AlignVCenter, name)
        return left + wide + _GAP

    def _draw_right(self, painter: QPainter, left: float, height: float) -> float:
        font = tabular(self.font())
        text = fitting(self._readout or self._title.right, font, self.width() - left)
        wide = QFontMetricsF(font).horizontalAdvance(text)
        painter.setFont(font)
        painter.setPen(QColor(colors().text if self._readout else colors().muted))
        area = QRectF(self.width() - wide - 2, 0, wide + 2, height)
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, text)
        return self.width() - wide - (_GAP if text else 0)

    def _draw_badge(self, painter: QPainter, left: float, right: float, height: float) -> float:
        if not self._title.badge:
            return left
        font = self._small()
        metrics = QFontMetricsF(font)
        wide = metrics.horizontalAdvance(self._title.badge) + 2 * _PILL_PAD
        if left + wide > right:
            return left
        pill = QRectF(left, (height - metrics.height() - 2) / 2, wide, metrics.height() + 2)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colors().warning_soft))
        painter.drawRoundedRect(pill, pill.height() / 2, pill.height() / 2)
        painter.setFont(font)
        painter.setPen(QColor(colors().warning))
        painter.drawText(pill, Qt.AlignmentFlag.AlignCenter, self._title.badge)
        return left + wide + _GAP

    def _draw_note(self, painter: QPainter, left: float, right: float, height: float) -> None:
        font = tabular(self.font())
        text = fitting(self._title.notes, font, right - left)
        painter.setFont(font)
        painter.setPen(QColor(colors().muted))
        area = QRectF(left, 0, max(right - left, 0), height)
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)

    def _small(self) -> QFont:
        font = QFont(self.font())
        if font.pixelSize() > 0:
            font.setPixelSize(max(font.pixelSize() - 2, 9))
        else:
            font.setPointSizeF(max(font.pointSizeF() - 1, 7))
        return font

    def _fit_height(self) -> None:
        self.setFixedHeight(round(QFontMetricsF(self.font()).height()) + 9)


def fitting(wordings: tuple[str, ...], font: QFont, room: float) -> str:
    """Return the first wording that fits into ``room`` px, empty when none does."""
    metrics = QFontMetricsF(font)
    return next((text for text in wordings if metrics.horizontalAdvance(text) <= room), "")
