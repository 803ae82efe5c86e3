"""The experiment over the whole set."""

from __future__ import annotations

from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from gazeapp.ui import theme
from gazeapp.ui.actions import Actions, follow
from gazeapp.ui.selection import Selection
from gazeapp.ui.session import Session
from gazeapp.ui.study import StudyView
from gazeapp.ui.widgets import EmptyState

_ABOUT = (
    "An experiment takes parts of every image away from every model and holds what that does against controls: the "
    "mirrored mask, masks of the same area elsewhere, masks with the same attention."
)


class ExperimentPage(QWidget):
    """Says what an experiment is, and has the button that runs one."""

    def __init__(
        self, selection: Selection, session: Session, actions: Actions, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._selection = selection
        self._session = session
        action = actions["study.lesion"]
        button = QPushButton(action.text())
        theme.set_role(button, "primary")
        follow(button, action)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(EmptyState("chart", "No experiment yet", _ABOUT, button))

    def show_study(self, study: StudyView | None) -> None:
        """Take a new view of the study; without results it says the same of any."""
        self.setEnabled(study is not None)
