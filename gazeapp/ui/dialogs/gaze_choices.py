"""Fixations in use: which ones count and how they make human maps, with what that would change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtWidgets import QWidget

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.choices import GazeChoices
from gazeapp.engine.gaze.records import Why
from gazeapp.engine.workflows.marking import NO_IMAGE
from gazeapp.ui.dialogs.choices_form import ChoicesForm
from gazeapp.ui.dialogs.form import FormDialog
from gazeapp.ui.theme import tabular
from gazeapp.ui.widgets import advice, label
from gazeapp.ui.worker import JobProgress, JobRunner, JobState

_COUNT_AFTER_MS = 250
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
        self.choices_form = ChoicesForm()
        self.choices_form.edited.connect(self._edited)
        self._preview = label("", wrap=True)
        self._preview.setFont(tabular(self._preview.font()))
        self._scores = label("", "muted", wrap=True)
        # Room for what is counted, so that nothing moves when it comes.
        for text, lines in ((self._preview, 3), (self._scores, 2)):
            text.setMinimumHeight(lines * text.fontMetrics().lineSpacing())
            text.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._timer = QTimer(self, singleShot=True, interval=_COUNT_AFTER_MS)
        self._timer.timeout.connect(self._count)
        for widget in (self.choices_form, self._preview, self._scores):
            self.body.addWidget(widget)
        self.choices_form.show_choices(current)
        runner.changed.connect(self._counted)
        self._edited()

    @property
    def preview(self) -> str:
        """What the choices would do, as it is shown."""
        return self._preview.text()

    def set_choices(self, choices: GazeChoices) -> None:
        """Fill the fields in."""
        self.choices_form.show_choices(choices)
        self._edited()

    def done(self, result: int) -> None:
        """Stop counting."""
        self._timer.stop()
        self._runner.changed.disconnect(self._counted)
        self._runner.cancel(self._job)
        super().done(result)

    @Slot()
    def _edited(self) -> None:
        self._timer.stop()
        self._runner.cancel(self._job)
        self._job = 0
        try:
            self.choices = self.choices_form.choices()
        except GazeError as error:
            self._preview.setText("")
            self.set_reason(advice(error))
            return
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
            self._preview.setText(advice(state.error))
            return
        found: _Counted = state.result
        self._preview.setText(in_words(found.counts))
        self._explain(found.without_degrees)
        self.make_room()


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
