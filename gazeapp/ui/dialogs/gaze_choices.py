"""Fixations in use: which ones count and how they make human maps, with what that would change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt, QTimer, Slot
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QHBoxLayout, QToolButton, QWidget

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.choices import GazeChoices
from gazeapp.engine.gaze.records import Why
from gazeapp.engine.workflows.marking import NO_IMAGE
from gazeapp.ui.dialogs.form import FormDialog
from gazeapp.ui.theme import STEP, tabular
from gazeapp.ui.widgets import icon_button, label
from gazeapp.ui.worker import JobProgress, JobRunner, JobState

_COUNT_AFTER_MS = 250
_FIELD_WIDTH = 26 * STEP
_UNBOUNDED = 0.0

_LISTS = {
    "eye": (
        "Eye",
        {
            "best": "The better recorded one",
            "left": "Left",
            "right": "Right",
            "average": "The mean of both",
        },
        "For recordings of both eyes; each fixation counts once. The better recorded eye is the one with more "
        "positions in its recording. A trial without the chosen eye uses the one that it has.",
    ),
    "first_fixation": (
        "First fixation of a trial",
        {"keep": "Use it", "drop": "Leave it out"},
        "It often only continues where the gaze rested before the image came, so it draws maps to the middle and "
        "raises the score of a centre bias.",
    ),
    "outside": (
        "Outside the image",
        {"drop": "Leave them out", "clamp": "Move them to the border"},
        "Fixations beside the image. Moving them to its border keeps their number but piles weight up there.",
    ),
    "weighting": (
        "Weight in human maps",
        {"equal": "All count the same", "duration": "Longer ones count more"},
        "Weights change human maps, and with them CC, SIM, KL and other metrics of maps. NSS and the AUCs count "
        "every fixation the same.",
    ),
}
_BOUNDS = {
    "min_duration_ms": (
        "Shortest",
        "Fixations under this duration, ms, are left out; ones of unknown duration stay. Common bounds are 50 to "
        "100 ms.",
    ),
    "max_duration_ms": (
        "Longest",
        "Fixations over this duration, ms, are left out; ones of unknown duration stay. Very long ones are often "
        "staring or lost tracking.",
    ),
}
_ORDER = ("eye", "first_fixation", "min_duration_ms", "max_duration_ms", "outside", "weighting")
_SIGMA_NAME = "Blur of human maps"
_SIGMA_TIP = (
    "Standard deviation of the Gaussian that makes fixations a map (not its full width at half maximum). About 1 "
    "degree is usual: what the fovea sees, and the error of the tracker. A wider blur raises CC and SIM of smooth "
    "maps."
)
_UNITS = {"px": "px of the image", "deg": "degrees"}
_LEFT_OUT = {
    Why.NO_POSITION.words: "without a position",
    Why.NOT_VALID.words: "marked as not valid",
    Why.NOT_ON_SURFACE.words: "not on the surface",
    Why.OTHER_EYE.words: "of the other eye",
    Why.FIRST_FIXATION.words: "first of their trial",
    Why.TOO_SHORT.words: "shorter than the minimum",
    Why.TOO_LONG.words: "longer than the maximum",
    Why.OUTSIDE_IMAGE.words: "outside the image",
    NO_IMAGE: "on images that the project does not hold",
}


@dataclass(frozen=True)
class _Counted:
    choices: GazeChoices
    counts: Mapping[str, int]
    without_degrees: tuple[str, ...] = ()


class GazeChoicesDialog(FormDialog):
    """The project's choices of fixations; ``choices`` is what the user chose.

    Parameters
    ----------
    parent
        The window.
    current
        The choices that the project has.
    runner, path
        Counts what choices would do in this project.
    """

    def __init__(self, parent: QWidget | None, current: GazeChoices, runner: JobRunner, path: Path) -> None:
        super().__init__(
            parent,
            "Fixations in use",
            "These choices hold for the whole project. Nothing is deleted, and Undo takes them back.",
            "Use these",
        )
        self.choices = current
        self._current = current
        self._runner, self._path = runner, path
        self._job = 0
        self._lists = {name: _list(words) for name, (_, words, _) in _LISTS.items()}
        self._bounds = {name: _bound() for name in _BOUNDS}
        self._sigma = QDoubleSpinBox()
        self._unit = _list(_UNITS)
        self._resets: dict[str, QToolButton] = {}
        self._preview = label("", wrap=True)
        self._preview.setFont(tabular(self._preview.font()))
        self._scores = label("", "muted", wrap=True)
        # Room for what is counted, so that nothing moves when it comes.
        for text, lines in ((self._preview, 3), (self._scores, 2)):
            text.setMinimumHeight(lines * text.fontMetrics().lineSpacing())
            text.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._timer = QTimer(self, singleShot=True, interval=_COUNT_AFTER_MS)
        self._timer.timeout.connect(self._count)
        self._lay_out()
        self._put(current)
        runner.changed.connect(self._counted)
        self._edited()

    @property
    def preview(self) -> str:
        """What the choices would do, as it is shown."""
        return self._preview.text()

    def set_choices(self, choices: GazeChoices) -> None:
        """Fill the fields in."""
        self._put(choices)
        self._edited()

    def done(self, result: int) -> None:
        """Stop counting."""
        self._timer.stop()
        self._runner.changed.disconnect(self._counted)
        self._runner.cancel(self._job)
        super().done(result)

    def _lay_out(self) -> None:
        for name in _ORDER:
            if name in _LISTS:
                title, _, tip = _LISTS[name]
                self._add(title, tip, self._lists[name], (name,))
            else:
                title, tip = _BOUNDS[name]
                self._add(title, tip, self._bounds[name], (name,))
        self._sigma.setRange(0.1, 5000.0)
        self._sigma.setAccessibleName(_SIGMA_NAME)
        self._unit.setAccessibleName("Unit of the blur")
        blur = QWidget()
        row = QHBoxLayout(blur)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(STEP)
        row.addWidget(self._sigma, 1)
        row.addWidget(self._unit, 1)
        blur.setFocusProxy(self._sigma)
        self._add(_SIGMA_NAME, _SIGMA_TIP, blur, ("sigma", "sigma_unit"))
        self.body.addWidget(self._preview)
        self.body.addWidget(self._scores)
        for box in (*self._lists.values(), self._unit):
            box.activated.connect(self._edited)
        for number in (*self._bounds.values(), self._sigma):
            number.valueChanged.connect(self._edited)

    def _add(self, title: str, tip: str, field: QWidget, names: tuple[str, ...]) -> None:
        field.setMinimumSize(_FIELD_WIDTH, field.sizeHint().height())
        field.setToolTip(tip)
        field.setAccessibleName(title)
        reset = icon_button("reset", f"Default of {title[:1].lower()}{title[1:]}")
        reset.clicked.connect(partial(self._reset, names))
        line = QWidget()
        row = QHBoxLayout(line)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(STEP)
        row.addWidget(field, 1)
        row.addWidget(reset)
        line.setFocusProxy(field)
        self._resets[names[0]] = reset
        self.add_row(title, line, tip)

    def _put(self, choices: GazeChoices) -> None:
        widgets: tuple[QWidget, ...] = (
            *self._lists.values(),
            *self._bounds.values(),
            self._sigma,
            self._unit,
        )
        blockers = [QSignalBlocker(widget) for widget in widgets]
        for name, box in self._lists.items():
            box.setCurrentIndex(box.findData(getattr(choices, name)))
        for name, number in self._bounds.items():
            number.setValue(getattr(choices, name) or _UNBOUNDED)
        self._sigma.setDecimals(1 if choices.sigma_unit == "px" else 2)
        self._sigma.setValue(choices.sigma)
        self._unit.setCurrentIndex(self._unit.findData(choices.sigma_unit))
        for blocker in blockers:
            blocker.unblock()

    def _read(self) -> GazeChoices:
        values: dict[str, Any] = {name: box.currentData() for name, box in self._lists.items()}
        values |= {name: box.value() or None for name, box in self._bounds.items()}
        return GazeChoices(**values, sigma=self._sigma.value(), sigma_unit=self._unit.currentData())

    def _reset(self, names: tuple[str, ...], _checked: bool = False) -> None:
        default = GazeChoices()
        try:
            chosen = self._read()
        except GazeError:  # the two bounds cross, so that neither is worth keeping
            chosen = replace(self.choices, min_duration_ms=None, max_duration_ms=None)
        self.set_choices(replace(chosen, **{name: getattr(default, name) for name in names}))

    @Slot()
    def _edited(self) -> None:
        self._sigma.setDecimals(1 if self._unit.currentData() == "px" else 2)
        self._timer.stop()
        self._runner.cancel(self._job)
        self._job = 0
        try:
            self.choices = self._read()
        except GazeError as error:
            self._preview.setText("")
            self.set_reason(f"{error.what} {error.todo}".strip())
            return
        default = GazeChoices()
        for name, button in self._resets.items():
            other = getattr(self.choices, name) != getattr(default, name)
            button.setEnabled(other or (name == "sigma" and self.choices.sigma_unit != default.sigma_unit))
        self._explain()
        self._preview.setText("Counting…")
        self._timer.start()

    def _explain(self, missing: tuple[str, ...] = ()) -> None:
        changed = self.choices != self._current
        self._scores.setText(
            "Human maps are made anew. Scores are of the earlier choices until you score the study again."
            if changed
            else "These are the choices that the project has."
        )
        if missing:
            more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            self.set_reason(
                f"A blur in degrees needs the px per degree of {missing[0]}{more}. Give screen and distance first."
            )
        else:
            self.set_reason("" if changed else "Nothing is changed.")

    @Slot()
    def _count(self) -> None:
        if not self._runner.stopped:
            self._job = self._runner.submit("count fixations", _counting(self.choices), self._path)

    @Slot(object)
    def _counted(self, state: JobState) -> None:
        if state.id != self._job or not state.finished or state.status == "cancelled":
            return
        if state.error is not None:
            self._preview.setText(f"{state.error.what} {state.error.todo}".strip())
            return
        found: _Counted = state.result
        self._preview.setText(in_words(found.counts))
        self._explain(found.without_degrees)


def in_words(counts: Mapping[str, int]) -> str:
    """Return how many fixations are used and left out, as a sentence; ``counts`` by reason, ``""`` for used."""
    total = sum(counts.values())
    parts = [f"{counts[reason]:,} {words}" for reason, words in _LEFT_OUT.items() if counts.get(reason)]
    used = f"{counts.get('', 0):,} of {total:,} fixations used"
    return f"{used}; left out: {', '.join(parts)}." if parts else f"{used}."


def _counting(choices: GazeChoices) -> Callable[[Any, JobProgress], _Counted]:
    def work(project: Any, _progress: JobProgress) -> _Counted:
        from gazeapp.engine.workflows.human_maps import without_degrees
        from gazeapp.engine.workflows.marking import count_marks

        missing = tuple(without_degrees(project)) if choices.sigma_unit == "deg" else ()
        return _Counted(choices, count_marks(project, choices), missing)

    return work


def _list(words: Mapping[str, str]) -> QComboBox:
    box = QComboBox()
    for key, text in words.items():
        box.addItem(text, key)
    return box


def _bound() -> QDoubleSpinBox:
    box = QDoubleSpinBox()
    box.setRange(_UNBOUNDED, 100_000)
    box.setDecimals(0)
    box.setSingleStep(10)
    box.setSuffix(" ms")
    box.setSpecialValueText("no bound")
    return box
