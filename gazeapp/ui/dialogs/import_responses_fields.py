"""Fields of the import of responses: where they are, what they are, and which part of a time course counts."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Signal, Slot
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QRadioButton, QWidget

from gazeapp.engine.neural.responses.options import PLATEAU_S, Window
from gazeapp.ui import theme
from gazeapp.ui.dialogs.form import NumberBox, PathLine, Resettable, choice_box
from gazeapp.ui.folders import ask_for_file, ask_for_folder
from gazeapp.ui.widgets import label, wrapped

_OPEN = 0.0
"""Value of the window's end that stands for the end of the time course."""
_LONGEST = 100_000.0
_NO_COURSES = "These responses are no time courses: each image has one value for each target."


class OpenField(PathLine):
    """A line with the path of a file to read, and a button to choose it; of a folder too where that may be.

    Parameters
    ----------
    name
        What it is called.
    kind
        Which folder is shown first (`gazeapp.ui.folders`).
    pattern
        Which files are offered.
    folder
        Whether a folder can be chosen as well.
    """

    def __init__(self, name: str, kind: str, pattern: str, *, folder: bool = False) -> None:
        super().__init__(name)
        self._kind, self._pattern = kind, pattern
        self.line.setAcceptDrops(False)  # what is dropped on it is the dialog's to read
        self._add_button("File…", self._choose_file, f"{name}: choose a file")
        if folder:
            self._add_button("Folder…", self._choose_folder, f"{name}: choose a folder")

    @Slot()
    def _choose_file(self) -> None:
        self._take(ask_for_file(self, self._name, self._kind, self._pattern, self._beside()))

    @Slot()
    def _choose_folder(self) -> None:
        self._take(ask_for_folder(self, self._name, self._kind, self._beside()))

    def _beside(self) -> Path | None:
        return self.path.parent if self.path is not None else None

    def _take(self, path: Path | None) -> None:
        if path is not None:
            self.set_path(path)


class OriginChoice(QWidget):
    """Measured or simulated: neither is chosen before the user, or the file, says so."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.measured, self.simulated = QRadioButton("Measured"), QRadioButton("Simulated by a model")
        self.says = label("", "muted")
        self._group = QButtonGroup(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 4, 0, 4)
        row.setSpacing(theme.STEP * 2)
        for button in (self.measured, self.simulated):
            self._group.addButton(button)
            row.addWidget(button)
        row.addWidget(self.says)
        row.addStretch(1)
        self._group.buttonClicked.connect(self.changed)
        self._by_file = False
        self.setFocusProxy(self.measured)

    @property
    def chosen(self) -> bool | None:
        """Whether the user called them simulated; None where nobody has, or the file itself says so."""
        return None if self._by_file else self._ticked

    @property
    def _ticked(self) -> bool | None:
        if self.simulated.isChecked():
            return True
        return False if self.measured.isChecked() else None

    def show_file(self, says: bool | None) -> None:
        """Show what the file says; where it says nothing, the user's own choice stays."""
        if says is None and self._by_file:
            self.clear()
        self._by_file = says is not None
        if says is not None:
            (self.simulated if says else self.measured).setChecked(True)
        self.says.setText("as the file says" if self._by_file else "")
        for button in (self.measured, self.simulated):
            button.setEnabled(not self._by_file)
            button.setToolTip("The file says so itself." if self._by_file else "")

    def clear(self) -> None:
        """Choose neither: other responses may be of another kind."""
        self._by_file = False
        self._group.setExclusive(False)
        for button in (self.measured, self.simulated):
            button.setChecked(False)
            button.setEnabled(True)
        self._group.setExclusive(True)
        self.says.setText("")


class WindowChoice(QWidget):
    """Which part of each time course is averaged, and how far its rows are apart."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last, self.tr = NumberBox(), NumberBox(), NumberBox()
        self.unit = choice_box({"s": False, "rows": True})
        self.last.setSpecialValueText("the end")
        self.tr.setSpecialValueText("as the file says, else 1 s")
        self.tr.setRange(0.0, 1000.0)
        self.tr.setDecimals(4)
        self.tr.setSuffix(" s")
        for box, name in (
            (self.first, "Window from"),
            (self.last, "Window to"),
            (self.unit, "Unit of the window"),
        ):
            box.setAccessibleName(name)
        fields = QWidget()
        row = QHBoxLayout(fields)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.STEP)
        for part in (label("from"), self.first, label("to"), self.last, self.unit):
            row.addWidget(part)
        row.addStretch(1)
        fields.setFocusProxy(self.first)
        self._line = Resettable(fields, "Default of the window: from 4 s to the end")
        outer = QHBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._line)
        self.rows_apart = Resettable(self.tr, "Default of the time between rows: as the file says, else 1 s")
        self._line.reset.connect(self._take_default)
        self.rows_apart.reset.connect(self._forget_tr)
        self.unit.activated.connect(self._unit_chosen)
        for box in (self.first, self.last, self.tr):
            box.valueChanged.connect(self._edited)
        self.setFocusProxy(self.first)
        self.may_be_used = False
        self._take_default()

    @property
    def window(self) -> Window | None:
        """The window; None for the default."""
        if self._is_default:
            return None
        last = None if self.last.value() == _OPEN else self.last.value()
        return Window(self.first.value(), last, bool(self.unit.currentData()))

    @property
    def seconds(self) -> float | None:
        """Time between rows, s; None where the file is to say it."""
        return self.tr.value() or None

    def allow(self, has_time: bool) -> None:
        """Enable the fields where there are time courses; else say why not."""
        self.may_be_used = has_time
        for part in (self._line, self.rows_apart):
            part.setEnabled(has_time)
            part.setToolTip("" if has_time else wrapped(_NO_COURSES))
        self._allow_resets()

    @property
    def _is_default(self) -> bool:
        return not self.unit.currentData() and (self.first.value(), self.last.value()) == (PLATEAU_S, _OPEN)

    @Slot()
    def _take_default(self) -> None:
        self.unit.setCurrentIndex(0)
        self._unit_chosen()

    @Slot()
    def _forget_tr(self) -> None:
        self.tr.setValue(0.0)

    @Slot()
    def _unit_chosen(self) -> None:
        """Begin with what is usual in the unit: 4 s are not 4 rows."""
        in_rows = bool(self.unit.currentData())
        with QSignalBlocker(self.first), QSignalBlocker(self.last):
            for box in (self.first, self.last):
                box.setDecimals(0 if in_rows else 3)
                box.setSuffix("" if in_rows else " s")
            self.first.setRange(1.0 if in_rows else 0.0, _LONGEST)
            self.last.setRange(_OPEN, _LONGEST)
            self.first.setValue(1.0 if in_rows else PLATEAU_S)
            self.last.setValue(_OPEN)
        self._edited()

    @Slot()
    def _edited(self) -> None:
        self._allow_resets()
        self.changed.emit()

    def _allow_resets(self) -> None:
        self._line.allow_reset("It is the default." if self._is_default else "")
        self.rows_apart.allow_reset("" if self.seconds else "It is the default.")
