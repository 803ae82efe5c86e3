"""The foot of the import dialog: task, whether the recordings are simulated, and the import itself."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QPushButton, QSizePolicy, QWidget

from gazeapp.engine.workflows.gaze import DEFAULT_TASK
from gazeapp.ui.theme import STEP
from gazeapp.ui.widgets import label

_TASK_TIP = (
    "Task of the trials that name none themselves: what people were asked to do. Type a new one to add it."
)


class ImportBar(QWidget):
    """Says what would be imported, or why nothing can be."""

    changed = Signal()

    def __init__(self, tasks: Sequence[str], task: str) -> None:
        super().__init__()
        self._tasks = list(tasks)
        self._task = QComboBox()
        self._task.setEditable(True)
        self._task.addItems(self._tasks or [DEFAULT_TASK])
        self._task.setCurrentText(task or self._task.itemText(0))
        self._task.setMinimumWidth(20 * STEP)
        self._task.setAccessibleName("Task")
        self._task.setToolTip(_TASK_TIP)
        self._task.currentTextChanged.connect(self.changed)
        name = label("Task", "muted")
        name.setBuddy(self._task)
        name.setToolTip(_TASK_TIP)
        self._simulated = QCheckBox("Simulated")
        self._simulated.setToolTip("Marks these recordings as simulated wherever they show.")
        self._simulated.toggled.connect(self.changed)
        self._reason = label("", "muted", wrap=True)
        self._reason.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.import_button = QPushButton("Import")
        self.import_button.setDefault(True)
        self.cancel_button = QPushButton("Cancel")
        self.cancel_button.setAutoDefault(False)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(STEP)
        for widget in (name, self._task):
            row.addWidget(widget)
        row.addSpacing(STEP)
        row.addWidget(self._simulated)
        row.addSpacing(STEP)
        row.addWidget(self._reason, 1)
        row.addWidget(self.cancel_button)
        row.addWidget(self.import_button)

    @property
    def task(self) -> str:
        """The task's name."""
        return self._task.currentText().strip()

    @property
    def simulated(self) -> bool:
        """Whether the recordings are simulated."""
        return self._simulated.isChecked()

    @property
    def reason(self) -> str:
        """What it says beside the buttons."""
        return self._reason.text()

    def missing(self) -> str:
        """Return what the fields lack."""
        if not self.task and len(self._tasks) > 1:
            return "Say under which task people looked."
        return ""

    def new_task(self) -> str:
        """Return the task's name when the project has other tasks and not this one."""
        known = {task.casefold() for task in self._tasks}
        return self.task if known and self.task and self.task.casefold() not in known else ""

    def say(self, button: str, note: str, *, ready: bool) -> None:
        """Say what the button does, and ``note`` beside it: why it cannot be pressed, when it cannot."""
        self.import_button.setText(button)
        self.import_button.setEnabled(ready)
        self.import_button.setToolTip("Store the recordings in the project (Ctrl+Return)." if ready else note)
        self._reason.setText(note)

    def sizeHint(self) -> QSize:
        """Keep its height when the note grows to a second line."""
        hint = super().sizeHint()
        return QSize(hint.width(), max(hint.height(), 5 * STEP))
