"""What was read: the format and what told it, the facts, what is left out, and what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import QSignalBlocker, Qt, Signal, Slot
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.formats import ALL, FORMATS
from gazeapp.engine.gaze.reading import AUTO
from gazeapp.engine.workflows.gaze import FileSettings
from gazeapp.engine.workflows.gaze_preview import Preview
from gazeapp.ui import theme
from gazeapp.ui.dialogs.form import Fold
from gazeapp.ui.dialogs.import_gaze.facts import facts_in_rows, left_out_in_rows
from gazeapp.ui.dialogs.import_gaze.page import Page
from gazeapp.ui.theme import STEP
from gazeapp.ui.widgets import capital, drop_widget, label

IMAGES, SCREEN, TRIALS, COLUMNS = "Images", "Screen and distance", "Trials", "Columns"
"""Titles of the pages that put things right."""

_NAMES_WIDTH = 14 * STEP


class ReadPage(Page):
    """Shows what was found in a file; ``go_to`` brings the title of the page that puts something right."""

    go_to = Signal(str)
    title = "What was read"

    def __init__(self) -> None:
        super().__init__()
        self._format = QComboBox()
        self._format.setAccessibleName("Format")
        self._format.setToolTip(
            "How the file is read. Files are told apart by what is in them, not by their names."
        )
        self._format.addItem("Tell by the content", AUTO)
        for entry in ALL:
            self._format.addItem(capital(entry.name), entry.id)
        self._format.activated.connect(self._format_chosen)
        self._reason = label("", "muted", wrap=True)
        self._body = QVBoxLayout()
        self._body.setSpacing(2 * STEP)
        self._lines = QPlainTextEdit()
        self._lines.setReadOnly(True)
        self._lines.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self._lines.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self._lines.setAccessibleName("First lines of the file")
        self._lines.setMinimumHeight(24 * STEP)
        self._lines_fold = Fold("First lines of the file")
        self._lines_fold.form.addRow(self._lines)
        self._lines_fold.open()
        self.setFocusProxy(self._format)
        self._lay_out()

    def show_file(self, preview: Preview | None, settings: FileSettings) -> None:
        """Show what was found."""
        if preview is None:
            return
        with QSignalBlocker(self._format):
            self._format.setCurrentIndex(max(0, self._format.findData(settings.format)))
        self._reason.setText(_how_sure(preview))
        while self._body.count():
            drop_widget(self._body.takeAt(0))
        problems = _problems(preview)
        if problems:
            self._body.addWidget(_section("What to put right" if preview.error else "What to know"))
            for problem in problems:
                self._body.addWidget(_problem(problem, is_error=problem is preview.error))
            ways = _ways_out(preview)
            if ways:
                self._body.addWidget(self._buttons(ways))
        for title, rows in (
            ("What is in it", facts_in_rows(preview)),
            ("Not used, and why; kept with the recording", left_out_in_rows(preview)),
        ):
            if rows:
                self._body.addWidget(_section(title))
                self._body.addWidget(_table(rows))
        text = "\n".join(preview.lines)
        if self._lines.toPlainText() != text:
            self._lines.setPlainText(text)
        self._lines_fold.setVisible(bool(text))
        if preview.read is None:
            self._lines_fold.open()

    def apply_to(self, settings: FileSettings) -> FileSettings:
        """Return the settings with the format chosen here."""
        return replace(settings, format=self._format.currentData())

    @Slot(int)
    def _format_chosen(self, _number: int) -> None:
        self.changed.emit()

    def _buttons(self, ways: Sequence[tuple[str, str]]) -> QWidget:
        line = QWidget()
        row = QHBoxLayout(line)
        row.setContentsMargins(4 * STEP, 0, 0, 0)
        row.setSpacing(STEP)
        for words, title in ways:
            button = QPushButton(words)
            button.setAutoDefault(False)
            button.setProperty("page", title)
            button.clicked.connect(self._way_chosen)
            row.addWidget(button)
        row.addStretch(1)
        return line

    @Slot()
    def _way_chosen(self) -> None:
        self.go_to.emit(str(self.sender().property("page")))

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(2 * STEP)
        self._format.setMinimumWidth(28 * STEP)
        top.addWidget(self._format)
        top.addWidget(self._reason, 1)
        column = self.scrolled_column()
        column.addLayout(top)
        column.addLayout(self._body)
        column.addWidget(self._lines_fold)
        column.addStretch(1)


def _how_sure(preview: Preview) -> str:
    if preview.plan is not None:
        recording = preview.plan.recording
        name = capital(FORMATS[recording.format].name)
        if preview.settings.format != AUTO:
            return f"Read as {name}, as you chose."
        return f"{name}, {recording.confidence:.0%} sure: {recording.reason}."
    if not preview.guesses:
        return "No format fits the content."
    best = preview.guesses[0]
    return f"Most like {best.name}, {best.confidence:.0%} sure: {best.reason}."


def _problems(preview: Preview) -> list[GazeError]:
    found = [preview.error] if preview.error is not None else []
    if preview.imported:
        found.append(
            GazeError(
                "The project holds an import of this file.",
                todo="Importing it again under other settings takes the place of that import; under the same it is "
                "skipped.",
            )
        )
    if preview.plan is not None:
        found += [*preview.plan.cautions, *map(GazeError, preview.plan.recording.facts.notes)]
    return found


def _ways_out(preview: Preview) -> list[tuple[str, str]]:
    """Return buttons that lead to the pages that can help, with the titles of these pages."""
    plan, ways = preview.plan, []
    if plan is not None:
        if preview.error is not None:
            ways.append(("Give screen and distance…", SCREEN))
        if any(not match.image for match in plan.matches):
            ways.append(("Match images…", IMAGES))
            if FORMATS[plan.recording.format].has_messages:
                ways.append(("Say which messages begin a trial…", TRIALS))
        return ways
    if preview.table is not None:
        ways.append(("Name the columns…", COLUMNS))
    if preview.guesses and FORMATS[preview.guesses[0].id].has_messages:
        ways.append(("Say which messages begin a trial…", TRIALS))
    if preview.read is not None:
        ways.append(("Give screen and distance…", SCREEN))
    return ways


def _problem(problem: GazeError, *, is_error: bool) -> QWidget:
    icon = QLabel()
    theme.set_icon(icon, "warning" if is_error else "info")
    words = QVBoxLayout()
    words.setSpacing(2)
    words.addWidget(_text(problem.what))
    _, _, line = problem.where.rpartition(", line ")
    place = f"Line {line}. " if line.isdigit() else ""
    if place or problem.todo:
        words.addWidget(_text(place + problem.todo, "muted"))
    row_widget = QWidget()
    row = QHBoxLayout(row_widget)
    row.setContentsMargins(STEP, 0, 0, 0)
    row.setSpacing(STEP)
    row.addWidget(icon, 0, Qt.AlignmentFlag.AlignTop)
    row.addLayout(words, 1)
    return row_widget


def _table(rows: Sequence[tuple[str, str]]) -> QWidget:
    table = QWidget()
    grid = QGridLayout(table)
    grid.setContentsMargins(STEP, 0, 0, 0)
    grid.setHorizontalSpacing(3 * STEP)
    grid.setVerticalSpacing(STEP)
    grid.setColumnStretch(1, 1)
    grid.setColumnMinimumWidth(0, _NAMES_WIDTH)
    for number, (name, value) in enumerate(rows):
        grid.addWidget(label(name, "muted"), number, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(_text(value), number, 1)
    return table


def _text(text: str, role: str = "") -> QLabel:
    made = label(text, role, wrap=True)
    made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    made.setFont(theme.tabular(made.font()))
    return made


def _section(text: str) -> QLabel:
    return label(text.upper(), "section")
