"""The page on which messages become trials."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QSignalBlocker, QTimer, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
)

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.cautions import counted
from gazeapp.engine.gaze.trial_rules import AUTO, BLOCKS, PRESETS, PreviewRow, TrialRules, preset_of, preview
from gazeapp.engine.workflows.gaze import FileSettings
from gazeapp.engine.workflows.gaze_preview import Preview
from gazeapp.ui import theme
from gazeapp.ui.dialogs.form import Fold
from gazeapp.ui.dialogs.import_gaze.message_list import MessageList
from gazeapp.ui.dialogs.import_gaze.message_patterns import pattern_like
from gazeapp.ui.dialogs.import_gaze.page import Page
from gazeapp.ui.widgets import advice, capital, label

AFTER_TYPING_MS = 300
_MOST_MESSAGES = 2000
_PATTERNS = {
    "start": ("Starts a trial", "Message that begins a trial; the part in parentheses is its label."),
    "end": (
        "Ends a trial",
        "Message that ends a trial. Empty: that of the preset; after a start of your own, a trial lasts "
        "until the next.",
    ),
    "image": ("Names the image", "Message that names the image; the part in parentheses is its name."),
}


class TrialsPage(Page):
    """How messages divide a recording into trials, with what the rules make of each message."""

    title = "Trials"

    def __init__(self) -> None:
        super().__init__()
        self._file = ""
        self._messages: tuple[str, ...] = ()
        self._n_trials: int | None = None
        self.preset = QComboBox()
        self.patterns = {role: QLineEdit() for role in _PATTERNS}
        self.list = MessageList()
        self._fits = label("", "muted")
        self._found = label("", wrap=True)
        self._problem = label("", "note", wrap=True)
        self._only = QCheckBox("Only messages with a role")
        self._fold = Fold("Patterns of your own")
        self._like = {role: QPushButton(name) for role, (name, _) in _PATTERNS.items()}
        self._forget = QPushButton("Clear own patterns")
        self._wait = QTimer(self)
        self._wait.setSingleShot(True)
        self._wait.setInterval(AFTER_TYPING_MS)
        self._wait.timeout.connect(self._tried)
        self._lay_out()
        self._connect()
        self.setFocusProxy(self.preset)

    @property
    def rules(self) -> TrialRules:
        """What the fields say."""
        patterns = {role: field.text().strip() for role, field in self.patterns.items()}
        return TrialRules(self.preset.currentData(), **patterns)

    @property
    def problem(self) -> str:
        """Why the rules cannot be used; empty when they can."""
        return self._problem.text() if not self._problem.isHidden() else ""

    @property
    def found(self) -> str:
        """What the rules find, as a sentence."""
        return self._found.text()

    def show_file(self, preview: Preview | None, settings: FileSettings) -> None:
        """Show the messages of a file and what the rules make of them.

        A file that could not be read under new rules keeps its messages, so that the rules can be mended.
        """
        if preview is None:
            return
        if preview.file != self._file or preview.messages:
            self._messages = preview.messages
        self._file = preview.file
        plan = preview.plan
        self._n_trials = None if plan is None else sum(trial.trial.is_real for trial in plan.trials)
        # What is being typed is newer than what was read.
        if not self._wait.isActive() and settings.rules != self.rules:
            self._fill(settings.rules)
        self._try()

    def apply_to(self, settings: FileSettings) -> FileSettings:
        """Return the settings with the rules."""
        return replace(settings, rules=self.rules)

    def applies(self, preview: Preview | None) -> bool:
        """Return whether the file has messages."""
        if preview is None:
            return False
        return bool(preview.messages) or (preview.file == self._file and bool(self._messages))

    def _lay_out(self) -> None:
        self.preset.addItem("Tell by the messages", AUTO)
        for key, preset in PRESETS.items():
            self.preset.addItem(capital(preset.name), key)
        self.preset.setToolTip("How the experiment announced its trials to the tracker.")
        self.preset.setAccessibleName("Experiment made with")
        top = QHBoxLayout()
        top.setSpacing(theme.STEP)
        name = label("Experiment made with", "muted")
        name.setBuddy(self.preset)
        top.addWidget(name)
        top.addWidget(self.preset)
        top.addWidget(self._fits, 1)
        for role, (title, tip) in _PATTERNS.items():
            field = self.patterns[role]
            field.setPlaceholderText("as usual for the preset")
            field.setToolTip(f"{tip} A regular expression.")
            field.setAccessibleName(title)
            heading = label(title, "muted")
            heading.setContentsMargins(0, 6, 0, 0)
            heading.setBuddy(field)
            self._fold.form.addRow(heading, field)
        self._forget.setAutoDefault(False)
        self._forget.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self._fold.form.addRow("", self._forget)
        middle = QHBoxLayout()
        middle.addWidget(self._found, 1)
        middle.addWidget(self._only)
        bottom = QHBoxLayout()
        bottom.setSpacing(theme.STEP)
        bottom.addWidget(label("A message like the chosen one", "muted"))
        for role, button in self._like.items():
            button.setText(
                {"start": "starts a trial", "end": "ends a trial", "image": "names the image"}[role]
            )
            button.setAutoDefault(False)
            bottom.addWidget(button)
        bottom.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, theme.STEP * 2, 0, 0)
        column.setSpacing(theme.STEP)
        column.addLayout(top)
        column.addWidget(self._fold)
        column.addWidget(self._problem)
        column.addLayout(middle)
        column.addWidget(self.list, 1)
        column.addLayout(bottom)
        self._problem.hide()

    def _connect(self) -> None:
        self.preset.currentIndexChanged.connect(self._soon)
        for field in self.patterns.values():
            field.textChanged.connect(self._soon)
        self._only.toggled.connect(self._try)
        self._forget.clicked.connect(self._clear)
        for role, button in self._like.items():
            button.clicked.connect(lambda _checked=False, role=role: self._take(role))
        self.list.selectionModel().currentRowChanged.connect(self._offer)
        self.list.model().modelReset.connect(self._offer)

    def _fill(self, rules: TrialRules) -> None:
        with QSignalBlocker(self.preset):
            self.preset.setCurrentIndex(max(self.preset.findData(rules.preset), 0))
        for role, field in self.patterns.items():
            with QSignalBlocker(field):
                field.setText(getattr(rules, role))
        if rules.start or rules.end or rules.image:
            self._fold.open()

    @Slot()
    def _soon(self) -> None:
        self._wait.start()

    @Slot()
    def _tried(self) -> None:
        self._try()
        self.changed.emit()

    @Slot()
    def _try(self) -> None:
        """Show what the rules make of the messages."""
        rules = self.rules
        try:
            rows = preview(self._messages, rules, _MOST_MESSAGES)
            key, problem = preset_of(self._messages, rules), ""
        except GazeError as error:
            rows = [PreviewRow(message, "other", "", "") for message in self._messages]
            key, problem = "", advice(error)
        self._problem.setText(problem)
        self._problem.setVisible(bool(problem))
        self._fits.setText(_fits(rules, key))
        self._found.setText("" if problem else self._in_words(rows, rules, key))
        only = self._only.isChecked() and not problem
        self.list.set_rows([row for row in rows if row.role != "other"] if only else rows)
        self._forget.setEnabled(bool(rules.start or rules.end or rules.image))
        self._offer()

    def _in_words(self, rows: list[PreviewRow], rules: TrialRules, key: str) -> str:
        names = counted(sum(bool(row.image) for row in rows), "image name")
        where = counted(len(rows), "message")
        if len(rows) >= _MOST_MESSAGES:
            where = f"the first {where}"
        if key == BLOCKS and not rules.start:
            blocks = "" if self._n_trials is None else f", {self._n_trials:,} in all"
            return f"Each block of recording is a trial{blocks}. {names} found in {where}."
        trials = counted(sum(row.role == "start" for row in rows), "trial")
        return f"{trials} and {names} found in {where}."

    @Slot()
    def _offer(self) -> None:
        """Offer to make patterns when a message is chosen."""
        chosen = bool(self.list.message)
        for role, button in self._like.items():
            button.setEnabled(chosen)
            button.setToolTip(
                f"Fill in: {pattern_like(self.list.message, role)}"
                if chosen
                else "Choose a message of the list."
            )

    def _take(self, role: str) -> None:
        """Make a pattern from the chosen message."""
        self._fold.open()
        self.patterns[role].setText(pattern_like(self.list.message, role))

    @Slot()
    def _clear(self) -> None:
        for field in self.patterns.values():
            field.clear()


def _fits(rules: TrialRules, key: str) -> str:
    """Return what the preset looks for."""
    if not key:
        return ""
    preset = PRESETS[key]
    if rules.preset != AUTO:
        return preset.what
    if rules.start:
        return "by your own pattern"
    return f"{capital(preset.name)} fits: {preset.what}"
