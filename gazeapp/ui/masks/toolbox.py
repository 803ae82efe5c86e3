"""The painter's tools beside the panes, as in a photo editor: two in a row, four where the window is low."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QToolButton, QWidget

from gazeapp.ui import theme
from gazeapp.ui.actions import Actions
from gazeapp.ui.theme import STEP

_GROUPS = (
    ("brush", "eraser", "polygon", "rectangle", "ellipse", "half_plane", "gradient", "subtract"),
    ("left", "right", "top", "bottom"),
    ("fill", "clear", "invert", "soften"),
)
_FEW, _MANY = 2, 4
_SIDE = 28
_PITCH = _SIDE + 2


class ToolBox(QWidget):
    """A button for each tool, each half of the image, and each thing that is done to the whole mask."""

    def __init__(self, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Tools of the mask painter")
        self._groups = [[action_button(actions, f"mask.{name}") for name in names] for names in _GROUPS]
        for group in self._groups:
            for button in group:
                button.setParent(self)
        self._place(_FEW)

    def minimumSizeHint(self) -> QSize:
        """Return the size at which all buttons have room, four in a row."""
        return QSize(self.width(), _height(_MANY))

    def resizeEvent(self, _event: QResizeEvent) -> None:
        """Put more buttons in a row where the window is low."""
        self._place(_FEW if self.height() >= _height(_FEW) else _MANY)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw a line between the groups."""
        painter = QPainter(self)
        for group in self._groups[1:]:
            top = group[0].y() - STEP // 2 - 1
            painter.fillRect(QRect(0, top, self.width(), 1), theme.brush(theme.colors().line))

    def _place(self, columns: int) -> None:
        top = 0
        for group in self._groups:
            for place, button in enumerate(group):
                button.move(place % columns * _PITCH, top + place // columns * _PITCH)
            top += -(-len(group) // columns) * _PITCH + STEP
        self.setFixedWidth(columns * _PITCH - 2)


def _height(columns: int) -> int:
    """Return the height of all groups, px."""
    return sum(-(-len(group) // columns) * _PITCH + STEP for group in _GROUPS) - STEP


def action_button(actions: Actions, action_id: str) -> QToolButton:
    """Return a flat button of an action: its icon, its tooltip, and whether it can be used."""
    button = QToolButton()
    button.setDefaultAction(actions[action_id])
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
    button.setFixedSize(_SIDE, _SIDE)
    button.setIconSize(QSize(18, 18))
    # A click must not take the keyboard away from the panes.
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.setAccessibleName(actions[action_id].text().split("\t")[0])
    return button
