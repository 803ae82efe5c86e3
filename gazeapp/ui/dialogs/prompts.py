"""Tasks and the text that models read for each: edited in place, with all earlier versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QPlainTextEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gazeapp.ui import theme
from gazeapp.ui.widgets import icon_button, label, no_mnemonic

if TYPE_CHECKING:
    from gazeapp.engine.project import Project

_MOST_LINES = 4


@dataclass(frozen=True, slots=True)
class TaskPrompts:
    """The texts of a task: the one in force, and all that it ever had, the one it began with first."""

    text: str
    versions: tuple[str, ...]


def read_prompts(project: Project) -> dict[str, TaskPrompts]:
    """Read the texts of every task of a project."""
    from gazeapp.engine.project.prompts import prompt_of, prompt_versions

    return {
        task: TaskPrompts(
            prompt_of(project, task).text, tuple(prompt.text for prompt in prompt_versions(project, task))
        )
        for task in project.tasks.all()
    }


def put_prompts(project: Any, texts: Mapping[str, str]) -> None:
    """Make ``texts`` the texts in force, and their tasks tasks of the project."""
    from gazeapp.engine.project.prompts import prompt_of, set_prompt

    for task, text in texts.items():
        project.tasks.add(task)
        if prompt_of(project, task).text != text:
            set_prompt(project, task, text)


class PromptEdit(QPlainTextEdit):
    """A few lines of text, as high as what it holds; the tab key leaves it."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setTabChangesFocus(True)
        self.setAccessibleName(name)
        self.textChanged.connect(self._fit)
        self._fit()

    def resizeEvent(self, event: Any) -> None:
        """Follow the width."""
        super().resizeEvent(event)
        self._fit()

    @property
    def text(self) -> str:
        """What stands in it, without outer space."""
        return self.toPlainText().strip()

    @Slot()
    def _fit(self) -> None:
        lines = min(_MOST_LINES, max(1, int(self.document().size().height())))
        line = QFontMetrics(self.font()).lineSpacing()
        self.setFixedHeight(lines * line + 2 * theme.STEP + 8)


class TaskRow(QWidget):
    """One task: whether it is run, and its text."""

    changed = Signal()

    def __init__(self, task: str, name: QLineEdit | None = None) -> None:
        super().__init__()
        self._task = task
        self._name = name
        self._prompts: TaskPrompts | None = None
        self.box = QCheckBox(no_mnemonic(task))
        self.box.setChecked(True)
        self.edit = PromptEdit(f"What models read for {task}" if task else "What models read")
        self.edit.setPlaceholderText("What the model is to do with the image, in words")
        self.note = label("", "muted", wrap=True)
        self.note.hide()
        self.versions = QToolButton()
        theme.set_icon(self.versions, "clock")
        self.versions.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.versions.setMenu(QMenu(self.versions))
        self.reset = icon_button("reset", "Back to the text that the task began with")
        self.reset.clicked.connect(self._back)
        head = QHBoxLayout()
        head.setSpacing(theme.STEP)
        head.addWidget(self.box)
        if name is not None:
            name.textChanged.connect(self.changed)
            head.addWidget(name, 1)
        else:
            head.addStretch(1)
        head.addWidget(self.versions)
        head.addWidget(self.reset)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.STEP // 2)
        column.addLayout(head)
        for part in (self.edit, self.note):
            column.addWidget(part)
        self.box.toggled.connect(self.changed)
        self.edit.textChanged.connect(self._explain)
        self._explain()

    @property
    def task(self) -> str:
        """Name of the task."""
        return self._task if self._name is None else self._name.text().strip()

    @property
    def is_new(self) -> bool:
        """Whether the task was added here."""
        return self._name is not None

    @property
    def is_read(self) -> bool:
        """Whether its text is known; before that nothing is stored."""
        return self.is_new or self._prompts is not None

    def show_prompts(self, prompts: TaskPrompts) -> None:
        """Show the text in force and offer the others."""
        self._prompts = prompts
        menu = self.versions.menu()
        menu.clear()
        for number, text in enumerate(prompts.versions):
            begun = "as it began" if number == 0 else f"version {number}"
            action = menu.addAction(no_mnemonic(f"{begun}:  {_short(text)}"))
            action.setToolTip(text)
            action.triggered.connect(lambda _on=False, text=text: self.edit.setPlainText(text))
        if not self.edit.text:
            self.edit.setPlainText(prompts.text)
        self._explain()

    @Slot()
    def _back(self) -> None:
        if self._prompts is not None:
            self.edit.setPlainText(self._prompts.versions[0])

    @Slot()
    def _explain(self) -> None:
        known = self._prompts
        many = known is not None and len(known.versions) > 1
        self.versions.setEnabled(many)
        self.versions.setToolTip(
            "Earlier texts of the task" if many else "The task has had no other text yet"
        )
        self.reset.setEnabled(known is not None and self.edit.text != known.versions[0])
        changed = known is not None and self.edit.text != known.text
        if known is not None and changed:
            back = self.edit.text in known.versions
            self.note.setText(
                f"{'An earlier text' if back else 'A new text'}: once a model has run with it, only maps made "
                "with it are shown and counted. The others stay in the project."
            )
        self.note.setVisible(changed)
        self.changed.emit()


class TaskList(QWidget):
    """The tasks of the study, and new ones."""

    changed = Signal()

    def __init__(self, tasks: Sequence[str]) -> None:
        super().__init__()
        self.rows: list[TaskRow] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(theme.STEP)
        add = QPushButton("Add a task")
        theme.set_role(add, "quiet")
        theme.set_icon(add, "plus")
        add.setAutoDefault(False)
        add.clicked.connect(self.add_task)
        row = QHBoxLayout()
        row.addWidget(add)
        row.addStretch(1)
        self._column.addLayout(row)
        for task in tasks:
            self._insert(TaskRow(task))

    @property
    def boxes(self) -> dict[str, QCheckBox]:
        """The box of each task of the study."""
        return {row.task: row.box for row in self.rows if not row.is_new}

    @property
    def chosen(self) -> tuple[str, ...]:
        """Names of the tasks that are ticked."""
        return tuple(row.task for row in self.rows if row.box.isChecked())

    @property
    def texts(self) -> dict[str, str]:
        """The text of each task that is ticked, save those that were not read yet."""
        return {row.task: row.edit.text for row in self.rows if row.box.isChecked() and row.is_read}

    @property
    def reason(self) -> str:
        """Why the tasks cannot be run as they are; empty when they can."""
        names = [name.casefold() for name in self.chosen]
        if not names:
            return "Choose at least one task."
        everyone = [row.task.casefold() for row in self.rows]
        if "" in names:
            return "Name the new task."
        if any(everyone.count(name) > 1 for name in names):
            return "Two tasks have the same name."
        empty = [task for task, text in self.texts.items() if not text]
        return f"Say in words what models are to do for the task {empty[0]}." if empty else ""

    def show_prompts(self, prompts: Mapping[str, TaskPrompts]) -> None:
        """Show the texts that were read from the project."""
        for row in self.rows:
            if row.task in prompts and not row.is_new:
                row.show_prompts(prompts[row.task])

    @Slot()
    def add_task(self) -> None:
        """Add a task to name and word."""
        name = QLineEdit()
        name.setPlaceholderText("name, such as 'objects'")
        name.setAccessibleName("Name of the new task")
        self._insert(TaskRow("", name))
        name.setFocus()

    def _insert(self, row: TaskRow) -> None:
        row.changed.connect(self.changed)
        self.rows.append(row)
        self._column.insertWidget(self._column.count() - 1, row)
        self.changed.emit()


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 72 else f"{line[:70]}…"
