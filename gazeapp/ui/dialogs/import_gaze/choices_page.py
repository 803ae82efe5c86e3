"""Choices: which fixations count, and how they make human maps. They hold for the whole project."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QPushButton

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.choices import GazeChoices
from gazeapp.engine.workflows.gaze import FileSettings
from gazeapp.engine.workflows.gaze_preview import Preview
from gazeapp.ui.dialogs.choices_form import ChoicesForm
from gazeapp.ui.dialogs.import_gaze.page import Page
from gazeapp.ui.widgets import advice, keep_room, label


class ChoicesPage(Page):
    """The project's choices; ``choices`` is None while they are as they were."""

    title = "Choices"

    def __init__(self) -> None:
        super().__init__()
        self._before: GazeChoices | None = None
        self._chosen: GazeChoices | None = None
        self.form = ChoicesForm()
        self.form.edited.connect(self._edited)
        self._wrong = label("", "note", wrap=True)
        self._wrong.hide()
        self._effect = label("", "muted", wrap=True)
        self._reset = QPushButton("As the project has them")
        self._reset.setAutoDefault(False)
        self._reset.clicked.connect(self._take_back)
        self.setFocusProxy(self.form)
        keep_room(self._wrong)
        keep_room(self._effect, 2)
        column = self.scrolled_column()
        column.addWidget(self._effect)
        column.addWidget(self._wrong)
        column.addWidget(self.form, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self._reset, 0, Qt.AlignmentFlag.AlignLeft)
        column.addStretch(1)

    @property
    def choices(self) -> GazeChoices | None:
        """What the user chose; None when it is what the project has. What makes no sense is not taken."""
        return None if self._chosen == self._before else self._chosen

    def show_file(self, preview: Preview | None, _settings: FileSettings) -> None:
        """Show the project's choices, the first time that they are known."""
        if preview is None:
            return
        if self._before is None:
            self._before = self._chosen = preview.choices
            self.form.show_choices(preview.choices)
        self._explain()

    @Slot()
    def _take_back(self) -> None:
        if self._before is not None:
            self.form.show_choices(self._before)
            self._edited()

    @Slot()
    def _edited(self) -> None:
        self._explain()
        if not self._wrong.text():
            self.changed.emit()

    def _explain(self) -> None:
        wrong = ""
        try:
            self._chosen = self.form.choices()
        except GazeError as error:
            wrong = advice(error)
        self._wrong.setText(wrong)
        self._wrong.setVisible(bool(wrong))
        differs = self.choices is not None
        self._reset.setEnabled(differs or bool(wrong))
        self._reset.setToolTip("" if self._reset.isEnabled() else "They are as the project has them.")
        self._effect.setText(
            "The import marks all fixations of the project anew under these choices and makes its human maps anew. "
            "Nothing is deleted; scores are of the earlier choices until you score again."
            if differs
            else "These hold for the whole project and can be changed at any time; nothing is deleted by them."
        )
