"""The page that says what the columns of a table are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSignalBlocker, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.profiles import (
    FIXATIONS,
    NEEDED,
    NO_HEADER,
    SAMPLES,
    TableProfile,
    list_profiles,
    load_profile,
    profiles_folder,
    save_profile,
)
from gazeapp.engine.gaze.reading import AUTO
from gazeapp.engine.gaze.records import IMAGE, SCREEN, Frame
from gazeapp.engine.gaze.table_columns import HEADER_LINES
from gazeapp.engine.workflows.gaze import FileSettings
from gazeapp.engine.workflows.gaze_preview import Preview
from gazeapp.ui import theme
from gazeapp.ui.dialogs.form import add_field, choice_box, form_layout
from gazeapp.ui.dialogs.import_gaze.column_table import ROLE_WORDS, ColumnTable
from gazeapp.ui.dialogs.import_gaze.page import Page
from gazeapp.ui.folders import MAPPINGS, ask_for_file
from gazeapp.ui.widgets import keep_room, label

TABLE = "csv"
"""The format that reads tables by a mapping."""

_BY_CONTENT, _OWN = "As told by the content", "Your own, not saved"
_OF_FIXATIONS, _OF_SAMPLES = ("index", "start", "end", "duration"), ("time",)
_FIELD_WIDTH = 232
_FILES = "Column mappings (*.json)"
_PLACES = {
    "px of the image": f"{IMAGE} px",
    "px of the screen": f"{SCREEN} px",
    "shares of the image, 0 to 1": f"{IMAGE} share",
    "shares of the screen, 0 to 1": f"{SCREEN} share",
}
_UNITS = {"ms": "ms", "s": "s", "µs": "us", "ns": "ns"}
_BETWEEN = {
    "told by the content": "",
    "comma": ",",
    "tab": "\t",
    "semicolon": ";",
    "vertical bar": "|",
    "blank": " ",
}
_MARKS = {"told by the content": "", "point, 0.5": ".", "comma, 0,5": ","}


class _HeaderLine(QSpinBox):
    """The line of the header: found, none, or a number."""

    def __init__(self) -> None:
        super().__init__()
        self.setRange(NO_HEADER, HEADER_LINES)

    def textFromValue(self, value: int) -> str:
        """Return what a value means."""
        return {NO_HEADER: "there is none", 0: "found by itself"}.get(value, f"line {value}")

    def valueFromText(self, text: str) -> int:
        """Return the value of what was typed."""
        digits = "".join(letter for letter in text if letter.isdigit())
        return int(digits) if digits else (NO_HEADER if "none" in text else 0)


class ColumnsPage(Page):
    """Which column is which, how cells are written, and the frame of the positions.

    Parameters
    ----------
    folder
        Where the user's own mappings are kept.
    """

    title = "Columns"

    def __init__(self, folder: Path | None = None) -> None:
        super().__init__()
        self._folder = folder or profiles_folder()
        self._file = ""
        self._profile = TableProfile("")
        self._is_own = False
        self._touched = False
        self._saved: list[TableProfile] = []
        self.mappings = QComboBox()
        self.table = ColumnTable()
        self._save, self._open = QPushButton("Save…"), QPushButton("Open…")
        self.kind = choice_box({"a fixation": FIXATIONS, "a sample": SAMPLES})
        self.place = choice_box(_PLACES)
        self.unit = choice_box(_UNITS)
        self.between = choice_box(_BETWEEN)
        self.mark = choice_box(_MARKS)
        self.header_line = _HeaderLine()
        for field in (self.kind, self.place, self.unit, self.between, self.mark, self.header_line):
            field.setMinimumWidth(_FIELD_WIDTH)
        self.y_up = QCheckBox("y grows upwards")
        self.centred = QCheckBox("0, 0 is the middle")
        self._note = label("", "note", wrap=True)
        self._hint = label("", "muted", wrap=True)
        self._lay_out()
        self._connect()
        self._list_saved()
        self.setFocusProxy(self.table.top)

    @property
    def profile(self) -> TableProfile:
        """What the page says."""
        return self._profile

    @property
    def problem(self) -> str:
        """What is still to be said; empty when nothing is."""
        return "" if self._note.isHidden() else self._note.text()

    def show_file(self, preview: Preview | None, settings: FileSettings) -> None:
        """Show the top of a table and how it is read."""
        if preview is None or (preview.table is None and preview.file != self._file):
            return
        if preview.file != self._file:
            self._touched = False
        self._file = preview.file
        self._is_own = settings.profile is not None
        table = preview.table
        profile = settings.profile or (table.profile if table is not None else self._profile)
        header, rows = (table.header, table.rows) if table is not None else (self.table.header, ())
        self._fill(profile)
        if table is not None:
            self.table.set_table(header, rows, profile.columns)

    def apply_to(self, settings: FileSettings) -> FileSettings:
        """Return the settings with the mapping, when the user made or took one."""
        if not self._touched:
            return settings
        if self._is_own:
            return replace(settings, profile=self._profile, format=TABLE)
        was_own = settings.profile is not None and settings.format == TABLE
        return replace(settings, profile=None, format=AUTO if was_own else settings.format)

    def applies(self, preview: Preview | None) -> bool:
        """Return whether the file is a table."""
        if preview is None:
            return False
        return preview.table is not None or (preview.file == self._file and bool(self.table.header))

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(theme.STEP)
        name = label("Column mapping", "muted")
        name.setBuddy(self.mappings)
        self.mappings.setAccessibleName("Column mapping")
        self.mappings.setToolTip("How columns were named before: saved mappings can be used for other files.")
        self.mappings.setMinimumWidth(200)
        self._save.setToolTip("Keep this mapping under a name, or as a file to give to others.")
        self._open.setToolTip("Take a mapping from a file that someone gave you.")
        for widget in (name, self.mappings, self._save, self._open):
            top.addWidget(widget)
        for button in (self._save, self._open):
            button.setAutoDefault(False)
        top.addStretch(1)
        forms = QHBoxLayout()
        forms.setSpacing(theme.STEP * 4)
        forms.addLayout(self._meaning())
        forms.addLayout(self._writing())
        forms.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, theme.STEP * 2, 0, 0)
        column.setSpacing(theme.STEP)
        column.addLayout(top)
        column.addSpacing(theme.STEP)
        column.addLayout(forms)
        column.addSpacing(theme.STEP)
        # The table must not move under the mouse when what was missing is said.
        keep_room(self._note)
        self._note.hide()
        column.addWidget(self._note)
        column.addWidget(self.table, 1)
        column.addWidget(self._hint)

    def _meaning(self) -> QFormLayout:
        """Return the fields about what rows and positions are."""
        form = form_layout()
        add_field(
            form,
            "Each row is",
            self.kind,
            "Fixations have positions and durations; samples have a time each.",
        )
        add_field(form, "Positions are", self.place, "What x and y are counted in, and on what.")
        turned = QWidget()
        row = QHBoxLayout(turned)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.STEP * 2)
        row.addWidget(self.y_up)
        row.addWidget(self.centred)
        row.addStretch(1)
        self.y_up.setToolTip("Otherwise y grows downwards, as in image files.")
        self.centred.setToolTip("Otherwise 0, 0 is the corner from which x and y grow.")
        form.addRow("", turned)
        return form

    def _writing(self) -> QFormLayout:
        """Return the fields about how cells are written."""
        form = form_layout()
        add_field(form, "Header", self.header_line, "Line that holds the names of the columns.")
        add_field(form, "Between cells", self.between, "Character that stands between two cells of a row.")
        add_field(form, "Decimal mark", self.mark, "How fractions are written.")
        add_field(form, "Times are in", self.unit, "Unit of times whose column names none itself.")
        return form

    def _connect(self) -> None:
        for box in (self.kind, self.place, self.unit, self.between, self.mark):
            box.currentIndexChanged.connect(self._edited)
        for check in (self.y_up, self.centred):
            check.toggled.connect(self._edited)
        self.header_line.setKeyboardTracking(False)
        self.header_line.valueChanged.connect(self._edited)
        self.table.chosen.connect(self._assign)
        self.mappings.activated.connect(self._take)
        self._save.clicked.connect(self._save_as)
        self._open.clicked.connect(self._open_file)

    def _fill(self, profile: TableProfile) -> None:
        """Show a profile without taking that for a wish of the user."""
        self._profile = profile
        frame = profile.frame
        for box, value in (
            (self.kind, profile.kind),
            (self.place, f"{frame.of} {frame.unit}"),
            (self.unit, profile.time_unit or "ms"),
            (self.between, profile.delimiter),
            (self.mark, profile.decimal),
        ):
            with QSignalBlocker(box):
                box.setCurrentIndex(max(box.findData(value), 0))
        for check, on in ((self.y_up, frame.y_up), (self.centred, frame.centred)):
            with QSignalBlocker(check):
                check.setChecked(on)
        with QSignalBlocker(self.header_line):
            self.header_line.setValue(profile.header_line)
        other = _OF_SAMPLES if profile.kind == FIXATIONS else _OF_FIXATIONS
        self.table.set_offered([role for role in ROLE_WORDS if role and role not in other])
        self._show_mapping()
        self._say()

    def _say(self) -> None:
        """Say what a column is still needed for, and what follows where one is missing."""
        missing = [
            ROLE_WORDS[role] for role in NEEDED[self._profile.kind] if role not in self._profile.columns
        ]
        self._note.setText(f"Say below which column is {' and which is '.join(missing)}." if missing else "")
        self._note.setVisible(bool(missing))
        hints = [self._profile.note] if self._profile.note else []
        if "image" not in self._profile.columns:
            hints.append("No column names the image: match the trials by their order on the page Images.")
        if "subject" not in self._profile.columns:
            hints.append("No column names the subject: the file's name does.")
        self._hint.setText(" ".join(hints))
        self._hint.setVisible(bool(hints))

    def _change(self, **values: Any) -> None:
        """Take a change over from the user; what a guess noted is no news after that."""
        self._set(replace(self._profile, **values, note=self._profile.note if self._is_own else ""))

    def _set(self, profile: TableProfile) -> None:
        """Take a profile over from the user."""
        self._is_own = self._touched = True
        self._fill(profile)
        self.table.set_table(self.table.header, self.table.body.model().rows, profile.columns)
        self.changed.emit()

    @Slot()
    def _edited(self) -> None:
        of, unit = self.place.currentData().split()
        self._change(
            kind=self.kind.currentData(),
            frame=Frame(of, unit, self.y_up.isChecked(), self.centred.isChecked()),
            time_unit=self.unit.currentData(),
            delimiter=self.between.currentData(),
            decimal=self.mark.currentData(),
            header_line=self.header_line.value(),
        )

    @Slot(int, str)
    def _assign(self, number: int, role: str) -> None:
        """Make a column what the user says; what it was and where that was before are given up."""
        name = self.table.header[number]
        columns = {what: of for what, of in self._profile.columns.items() if of != name and what != role}
        if role:
            columns[role] = name
        if columns != self._profile.columns:
            self._change(columns=columns)

    def _list_saved(self) -> None:
        self._saved, _problems = list_profiles(self._folder)
        self._show_mapping()

    def _show_mapping(self) -> None:
        """List the mappings, with the one that is shown as the current one."""
        with QSignalBlocker(self.mappings):
            self.mappings.clear()
            self.mappings.addItem(_BY_CONTENT)
            for profile in self._saved:
                self.mappings.addItem(profile.name, profile)
            if not self._is_own:
                self.mappings.setCurrentIndex(0)
            elif self._profile in self._saved:
                self.mappings.setCurrentIndex(1 + self._saved.index(self._profile))
            else:
                self.mappings.addItem(_OWN, self._profile)
                self.mappings.setCurrentIndex(self.mappings.count() - 1)

    @Slot(int)
    def _take(self, number: int) -> None:
        profile = self.mappings.itemData(number)
        if isinstance(profile, TableProfile):
            self._set(profile)
        elif self._is_own:
            self._is_own, self._touched = False, True
            self.changed.emit()

    @Slot()
    def _save_as(self) -> None:
        name = f"{self._profile.name or 'mapping'}.json"
        # Always where mappings are listed from; one that is kept elsewhere has to be opened.
        chosen, _ = QFileDialog.getSaveFileName(
            self, "Save the column mapping", str(self._folder / name), _FILES
        )
        if chosen:
            self.save_as(Path(chosen))

    def save_as(self, path: Path) -> None:
        """Save the mapping; its name is that of the file."""
        profile = replace(self._profile, name=path.name.removesuffix(".json"))
        try:
            save_profile(profile, path.parent)
        except GazeError as error:
            self._complain(error)
            return
        self._list_saved()
        self._set(profile)

    @Slot()
    def _open_file(self) -> None:
        chosen = ask_for_file(self, "Open a column mapping", MAPPINGS, _FILES, self._folder)
        if chosen is not None:
            self.open_file(chosen)

    def open_file(self, path: Path) -> None:
        """Use the mapping of a file."""
        try:
            profile = load_profile(path)
        except GazeError as error:
            self._complain(error)
            return
        self._set(profile)

    def _complain(self, error: GazeError) -> None:
        self._note.setText(" ".join(part for part in (error.what, error.where, error.todo) if part))
        self._note.show()
