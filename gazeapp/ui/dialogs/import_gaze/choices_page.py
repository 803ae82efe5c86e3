"""Choices: which fixations count, and how they make human maps. They hold for the whole project."""

from __future__ import annotations

from contextlib import ExitStack

from PySide6.QtCore import QSignalBlocker, Qt, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.choices import GazeChoices
from gazeapp.engine.workflows.gaze import FileSettings
from gazeapp.engine.workflows.gaze_preview import Preview
from gazeapp.ui.dialogs.import_gaze.page import Page
from gazeapp.ui.theme import STEP
from gazeapp.ui.widgets import label

_WORDS = {
    "eye": {
        "best": "The better recorded one",
        "left": "Left",
        "right": "Right",
        "average": "The mean of both",
    },
    "first_fixation": {"keep": "Use it", "drop": "Leave it out"},
    "outside": {"drop": "Leave them out", "clamp": "Move them to the border"},
    "weighting": {"equal": "All count the same", "duration": "Longer ones count more"},
    "sigma_unit": {"px": "image px", "deg": "degrees"},
}
_ROWS = (
    ("Eye", "eye", "For files that tell the eyes apart; each fixation counts once."),
    (
        "First fixation of a trial",
        "first_fixation",
        "It often only continues where the gaze rested before the image came. It is found by its number before "
        "anything else is left out.",
    ),
    ("Shortest", "min_duration_ms", "Shorter fixations are left out; ones of unknown duration stay."),
    ("Longest", "max_duration_ms", "Longer fixations are left out; ones of unknown duration stay."),
    (
        "Outside the image",
        "outside",
        "What happens to fixations beside the image. Moving them to the border piles weight up there.",
    ),
    ("Weight in human maps", "weighting", "Whether a fixation counts as much as its duration in human maps."),
)
_BLUR_TIP = (
    "Standard deviation of the Gaussian that makes fixations a map (not its full width at half maximum)."
)


class ChoicesPage(Page):
    """The project's choices; ``choices`` is None while they are as they were."""

    title = "Choices"

    def __init__(self) -> None:
        super().__init__()
        self._before: GazeChoices | None = None
        self._chosen: GazeChoices | None = None
        self._lists = {name: _list(words) for name, words in _WORDS.items()}
        self._bounds = {
            "min_duration_ms": _number(0, 100_000, " ms"),
            "max_duration_ms": _number(0, 100_000, " ms"),
        }
        for box in self._bounds.values():
            box.setSpecialValueText("no bound")
        self._sigma = _number(1, 500, "")
        self._wrong = label("", "note", wrap=True)
        self._wrong.hide()
        self._effect = label("", "muted", wrap=True)
        self._reset = QPushButton("As the project has them")
        self._reset.setAutoDefault(False)
        self._reset.clicked.connect(self._take_back)
        for box in self._lists.values():
            box.activated.connect(self._edited)
        for number in (*self._bounds.values(), self._sigma):
            number.valueChanged.connect(self._edited)
        self.setFocusProxy(self._lists["eye"])
        self._lay_out()

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
            self._put(preview.choices)
        self._explain()

    def _read(self) -> GazeChoices:
        values = {name: box.currentData() for name, box in self._lists.items()}
        values |= {name: box.value() or None for name, box in self._bounds.items()}
        return GazeChoices(**values, sigma=self._sigma.value())

    def _put(self, choices: GazeChoices) -> None:
        with ExitStack() as quiet:
            for widget in (*self._lists.values(), *self._bounds.values(), self._sigma):
                quiet.enter_context(QSignalBlocker(widget))
            for name, box in self._lists.items():
                box.setCurrentIndex(box.findData(getattr(choices, name)))
            for name, number in self._bounds.items():
                number.setValue(getattr(choices, name) or 0.0)
            self._sigma.setDecimals(1 if choices.sigma_unit == "px" else 2)
            self._sigma.setMinimum(0.1)
            self._sigma.setValue(choices.sigma)

    @Slot()
    def _take_back(self) -> None:
        if self._before is not None:
            self._put(self._before)
            self._edited()

    @Slot()
    def _edited(self) -> None:
        self._explain()
        if not self._wrong.text():
            self.changed.emit()

    def _explain(self) -> None:
        wrong = ""
        try:
            self._chosen = self._read()
        except GazeError as error:
            wrong = f"{error.what} {error.todo}".strip()
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

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        form.setHorizontalSpacing(2 * STEP)
        form.setVerticalSpacing(STEP)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.FieldsStayAtSizeHint)
        for name, key, tip in _ROWS:
            _add(form, name, self._lists.get(key) or self._bounds[key], tip)
        blur = QWidget()
        row = QHBoxLayout(blur)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(STEP)
        row.addWidget(self._sigma)
        row.addWidget(self._lists["sigma_unit"])
        self._sigma.setAccessibleName("Blur of human maps")
        self._sigma.setToolTip(_BLUR_TIP)
        self._lists["sigma_unit"].setAccessibleName("Unit of the blur")
        _add(form, "Blur of human maps", blur, _BLUR_TIP)
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 2 * STEP, STEP, STEP)
        column.setSpacing(2 * STEP)
        column.addWidget(self._effect)
        column.addWidget(self._wrong)
        column.addLayout(form)
        column.addWidget(self._reset, 0, Qt.AlignmentFlag.AlignLeft)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidget(inner)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(scroll)


def _add(form: QFormLayout, name: str, field: QWidget, tip: str) -> None:
    title = label(name, "muted")
    title.setContentsMargins(0, 6, 0, 0)
    title.setToolTip(tip)
    title.setBuddy(field)
    field.setToolTip(tip)
    field.setAccessibleName(name)
    form.addRow(title, field)


def _list(words: dict[str, str]) -> QComboBox:
    box = QComboBox()
    for key, text in words.items():
        box.addItem(text, key)
    box.setMinimumWidth(26 * STEP)
    return box


def _number(least: float, most: float, unit: str) -> QDoubleSpinBox:
    box = QDoubleSpinBox()
    box.setRange(least, most)
    box.setDecimals(1)
    box.setSuffix(unit)
    box.setMinimumWidth(15 * STEP)
    return box
