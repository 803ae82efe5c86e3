"""The title of a pane: who, how well, and what is shown, on one line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from gazeapp.ui.theme import colors, tabular

_CHIP = 8
_GAP = 8
_PILL_PAD = 6
_MARK = 14


@dataclass(frozen=True, slots=True)
class Title:
    """What a title says.

    Parameters
    ----------
    name
        Who: people, or a model.
    colour
        Colour of that source in every plot, ``#rrggbb``.
    shown
        Which map is drawn where it is not the source's own, such as ``word: star``.
    share
        How good the source is over the study, such as ``52 % of ceiling``.
    here
        How good its map is on this image, in a long and a short wording; empty when not known.
    badge
        A word of caution, such as ``simulated``; never left out.
    mark
        What stands for the badge where there is no room for it: a letter or two.
    tip
        Tooltip with the whole story.
    doing
        What the user does in the pane, such as the offset of the scanpath being moved; it takes the place of
        the numbers and of the value under the cursor.
    """

    name: str
    colour: str
    shown: str = ""
    share: str = ""
    here: tuple[str, str] = ("", "")
    badge: str = ""
    mark: str = "!"
    tip: str = ""
    doing: str = ""


@dataclass(frozen=True, slots=True)
class Detail:
    """How much of their titles all panes show.

    Parameters
    ----------
    badge
        Whether the badge is written out; a mark stands for it otherwise.
    share
        Whether the study's number is shown.
    here
        Which wording of this image's number is shown: 0 long, 1 short, None neither.
    """

    badge: bool
    share: bool
    here: int | None


DETAILS = (
    Detail(True, True, 0),
    Detail(True, True, 1),
    Detail(True, True, None),
    Detail(False, True, 1),
    Detail(False, True, None),
    Detail(True, False, None),
    Detail(False, False, None),
)
"""From everything to the least; the first with room in every pane is taken by all of them."""


class TitleBar(QWidget):
    """Draws a :class:`Title`; an accent line says which pane has the keyboard."""

    clicked = Signal()
    clicked_twice = Signal()
    resized = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = Title("", "#000000")
        self._detail = DETAILS[0]
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
            self.setAccessibleName(
                " ".join(filter(None, (title.name, title.doing, title.shown, title.share, title.badge)))
            )
            self.update()

    @property
    def detail(self) -> Detail:
        """How much is shown."""
        return self._detail

    def set_detail(self, detail: Detail) -> None:
        """Show this much."""
        if detail != self._detail:
            self._detail = detail
            self.update()

    def has_room(self, detail: Detail) -> bool:
        """Return whether this much fits; what map is shown may be cut and does not count."""
        title = self._title
        parts = [_CHIP, QFontMetricsF(self._bold()).horizontalAdvance(title.name)]
        if title.badge:
            parts.append(self._badge_width(detail.badge))
        small = QFontMetricsF(tabular(self._small()))
        numbers = (title.share if detail.share else "", _here(title, detail))
        parts += [small.horizontalAdvance(text) for text in numbers if text]
        return sum(parts) + _GAP * (len(parts) - 1) + 2 <= self.width()

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

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Say that there is another width to fit into."""
        super().resizeEvent(event)
        self.resized.emit()

    def sizeHint(self) -> QSize:
        """Return the height of a line."""
        return QSize(200, self.height())

    def mousePressEvent(self, _event: QMouseEvent) -> None:
        """Ask for the keyboard."""
        self.clicked.emit()

    def mouseDoubleClickEvent(self, _event: QMouseEvent) -> None:
        """Ask for all the room."""
        self.clicked_twice.emit()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the font."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._fit_height()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw chip, name, badge, study's number and image's number or readout."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        shades = colors()
        height = self.height() - 4
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._title.colour))
        painter.drawRoundedRect(QRectF(0, (height - _CHIP) / 2, _CHIP, _CHIP), 2, 2)
        left = float(_CHIP + _GAP)
        left = self._draw_name(painter, left, height, shades.text)
        left = self._draw_badge(painter, left, height)
        right = self._draw_right(painter, left, height)
        self._draw_left(painter, left, right, height)
        if self._focused:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(shades.accent))
            painter.drawRect(QRectF(0, self.height() - 2, self.width(), 2))

    def _draw_name(self, painter: QPainter, left: float, height: float, colour: str) -> float:
        bold = self._bold()
        metrics = QFontMetricsF(bold)
        room = self.width() - left - (self._badge_width(False) + _GAP if self._title.badge else 0)
        name = metrics.elidedText(self._title.name, Qt.TextElideMode.ElideRight, room)
        wide = metrics.horizontalAdvance(name)
        painter.setFont(bold)
        painter.setPen(QColor(colour))
        painter.drawText(QRectF(left, 0, wide + 2, height), Qt.AlignmentFlag.AlignVCenter, name)
        return left + wide + _GAP

    def _draw_right(self, painter: QPainter, left: float, height: float) -> float:
        font = tabular(self.font() if self._readout else self._small())
        wordings = self._readout or (_here(self._title, self._detail),)
        if self._title.doing:
            wordings = ("",)
        text = fitting(wordings, font, self.width() - left)
        wide = QFontMetricsF(font).horizontalAdvance(text)
        painter.setFont(font)
        painter.setPen(QColor(colors().text if self._readout else colors().muted))
        area = QRectF(self.width() - wide - 2, 0, wide + 2, height)
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, text)
        return self.width() - wide - (_GAP if text else 0)

    def _draw_badge(self, painter: QPainter, left: float, height: float) -> float:
        if not self._title.badge:
            return left
        font = self._small()
        metrics = QFontMetricsF(font)
        room = self.width() - left
        # These take the place of the badge's words, not of its warning.
        first = self._title.doing or (self._readout[-1] if self._readout else "")
        if first:
            room -= QFontMetricsF(tabular(self.font())).horizontalAdvance(first) + _GAP
        written = self._detail.badge and self._badge_width(True) <= room
        wide = self._badge_width(written)
        pill = QRectF(left, (height - metrics.height() - 2) / 2, wide, metrics.height() + 2)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colors().warning_soft))
        painter.drawRoundedRect(pill, pill.height() / 2, pill.height() / 2)
        painter.setFont(font)
        painter.setPen(QColor(colors().warning))
        painter.drawText(
            pill, Qt.AlignmentFlag.AlignCenter, self._title.badge if written else self._title.mark
        )
        return left + wide + _GAP

    def _draw_left(self, painter: QPainter, left: float, right: float, height: float) -> None:
        shown = self._title.doing or self._title.shown
        font = tabular(self.font() if shown else self._small())
        if shown:
            metrics = QFontMetricsF(font)
            text = metrics.elidedText(shown, Qt.TextElideMode.ElideRight, right - left)
        else:
            text = fitting((self._title.share if self._detail.share else "",), font, right - left)
        painter.setFont(font)
        painter.setPen(QColor(colors().text if self._title.doing else colors().muted))
        area = QRectF(left, 0, max(right - left, 0), height)
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)

    def _badge_width(self, written: bool) -> float:
        if not written:
            marked = QFontMetricsF(self._small()).horizontalAdvance(self._title.mark)
            return max(_MARK, marked + _PILL_PAD)
        return QFontMetricsF(self._small()).horizontalAdvance(self._title.badge) + 2 * _PILL_PAD

    def _bold(self) -> QFont:
        font = QFont(self.font())
        font.setWeight(QFont.Weight.DemiBold)
        return font

    def _small(self) -> QFont:
        font = QFont(self.font())
        if font.pixelSize() > 0:
            font.setPixelSize(max(font.pixelSize() - 2, 9))
        else:
            font.setPointSizeF(max(font.pointSizeF() - 1, 7))
        return font

    def _fit_height(self) -> None:
        self.setFixedHeight(round(QFontMetricsF(self.font()).height()) + 9)


def fit_together(titles: Sequence[TitleBar]) -> None:
    """Give all titles the most detail for which every one of them has room."""
    detail = next((each for each in DETAILS if all(title.has_room(each) for title in titles)), DETAILS[-1])
    for title in titles:
        title.set_detail(detail)


def _here(title: Title, detail: Detail) -> str:
    return "" if detail.here is None else title.here[detail.here]


def fitting(wordings: tuple[str, ...], font: QFont, room: float) -> str:
    """Return the first wording that fits into ``room`` px, empty when none does."""
    metrics = QFontMetricsF(font)
    return next((text for text in wordings if metrics.horizontalAdvance(text) <= room), "")
