"""The bar on top: the project, the task switch, the command palette."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QPushButton, QSizePolicy, QToolBar, QWidget

from gazeapp.ui import theme
from gazeapp.ui.actions import Actions, follow
from gazeapp.ui.widgets import Segments, label, plain, simulated_badge

if TYPE_CHECKING:
    from gazeapp.ui.study import StudyView


class TopBar(QToolBar):
    """Says which project is open and switches between its tasks."""

    def __init__(self, window: QMainWindow, actions: Actions) -> None:
        super().__init__("Top bar", window)
        self.setObjectName("top")
        self.setMovable(False)
        self.toggleViewAction().setEnabled(False)
        self.tasks = Segments("Task")
        self._name = label("", "title")
        self._badge = simulated_badge()
        self._task_label = label("task", "muted")
        search = QPushButton()
        theme.set_role(search, "quiet")
        theme.set_icon(search, "search")
        follow(search, actions["help.palette"])
        search.setText(f"Commands  {actions.keys('help.palette').split(' or ')[0]}")
        home = QPushButton()
        home.setAccessibleName("Close project")
        theme.set_role(home, "quiet")
        theme.set_icon(home, "gazeapp", 20)
        home.setIconSize(QSize(20, 20))
        follow(home, actions["file.close"])
        body = QWidget()
        body.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        row = QHBoxLayout(body)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.STEP)
        for widget in (home, self._name, self._badge):
            row.addWidget(widget)
        row.addStretch(1)
        row.addWidget(self._task_label)
        row.addWidget(self.tasks)
        row.addStretch(1)
        row.addWidget(search)
        self.addWidget(body)

    def show_study(self, study: StudyView, task: str) -> None:
        """Show the name and the tasks of a study."""
        self._name.setText(study.path.stem)
        self._name.setToolTip(plain(str(study.path)))
        self._badge.setVisible(study.simulated)
        self.tasks.set_values(study.tasks, task)
        for widget in (self.tasks, self._task_label):
            widget.setVisible(bool(study.tasks))
