"""The painter's tools beside the panes, two in a row, as in a photo editor."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QToolButton, QVBoxLayout, QWidget

from gazeapp.ui.actions import Actions
from gazeapp.ui.theme import STEP

_GROUPS = (
    ("brush", "eraser", "polygon", "rectangle", "ellipse", "half_plane", "gradient", "subtract"),
    ("left", "right", "top", "bottom"),
    ("fill", "clear", "invert", "soften"),
)
_SIDE = 28


class ToolBox(QWidget):
    """A button for each tool, each half of the image, and each thing that is done to the whole mask."""

    def __init__(self, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Tools of the mask painter")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(STEP // 2)
        for number, names in enumerate(_GROUPS):
            if number:
                column.addWidget(_line())
            grid = QGridLayout()
            grid.setSpacing(2)
            for place, name in enumerate(names):
                grid.addWidget(action_button(actions, f"mask.{name}"), place // 2, place % 2)
            column.addLayout(grid)
        column.addStretch(1)
        self.setFixedWidth(2 * _SIDE + 2)


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


def _line() -> QFrame:
    line = QFrame()
    line.setObjectName("rule")
    line.setFixedHeight(1)
    return line
