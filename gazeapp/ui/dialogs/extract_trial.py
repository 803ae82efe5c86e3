"""Try models on one image, and say in words what that means for the whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from gazeapp.engine.models.vlm.loading.sizes import readable
from gazeapp.ui import theme
from gazeapp.ui.model_jobs import Tried, trial_work
from gazeapp.ui.panels.job_line import standing
from gazeapp.ui.widgets import advice, capital, label, plain, wrapped
from gazeapp.ui.worker import JobRunner, JobState, duration

_TRY = "Try on one image"
_WHAT_IT_DOES = (
    "Time, memory and room in the project file, measured on an image of middle size; nothing is stored."
)


class TrialStrip(QWidget):
    """How much there is to do, the button that tries it on one image, and what came of that.

    Parameters
    ----------
    jobs
        Runs the trial, after the jobs that wait.
    path
        The project.
    """

    asked = Signal()
    """The button was pressed, and no trial runs."""
    ended = Signal()

    def __init__(self, jobs: JobRunner, path: Path) -> None:
        super().__init__()
        self._jobs, self._path = jobs, path
        self._job = 0
        self._tried: Sequence[Mapping[str, Any]] = ()
        self._names: Mapping[str, str] = {}
        self.count = label("", "muted")
        self.estimate = label("", wrap=True)
        self.button = QPushButton(_TRY)
        self.button.setAutoDefault(False)
        self.button.clicked.connect(self._clicked)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(120)
        self._bar.setAccessibleName("Progress of the trial")
        self._bar.hide()
        said = QVBoxLayout()
        said.setSpacing(theme.STEP // 2)
        said.addWidget(self.count)
        said.addWidget(self.estimate)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.STEP * 2)
        row.addLayout(said, 1)
        row.addWidget(self._bar)
        row.addWidget(self.button)
        jobs.changed.connect(self._show)

    def start(self, choices: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> None:
        """Try models; ``choices`` are arguments of ``ExtractSettings``, ``names`` what models are called."""
        self._tried, self._names = choices, names
        self._job = self._jobs.submit(
            "Trying models on one image", trial_work(choices), self._path, uses_torch=True, can_pause=False
        )
        self.button.setText("Stop trying")

    def stop(self) -> None:
        """End the trial that runs."""
        self._jobs.cancel(self._job)

    def follow(self, choices: Sequence[Mapping[str, Any]], reason: str) -> None:
        """Forget an estimate of other settings than ``choices``; offer a trial unless ``reason`` says why not."""
        self.button.setEnabled(bool(self._job) or not reason)
        self.button.setToolTip(wrapped(reason or _WHAT_IT_DOES))
        if not self._job and self._tried and self._tried != choices:
            self._tried = ()
            self.estimate.setText("")
            self.estimate.setToolTip("")

    @Slot()
    def _clicked(self) -> None:
        if self._job:
            self.stop()
        else:
            self.asked.emit()

    @Slot(object)
    def _show(self, state: JobState) -> None:
        if state.id != self._job:
            return
        self._bar.setVisible(state.begun)
        self._bar.setRange(0, max(state.total, 0))
        self._bar.setValue(state.done)
        if not state.finished:
            self.estimate.setText(f"Trying  ·  {state.message or standing(state)}")
            return
        self._job = 0
        self.button.setText(_TRY)
        if state.error is not None:
            self.estimate.setText(advice(state.error))
        elif state.status == "cancelled":
            self.estimate.setText("")
        else:
            self._show_tried(state.result)
        self.ended.emit()

    def _show_tried(self, tried: Tried) -> None:
        problems = [f"{problem.where}: {problem.what} {problem.todo}".strip() for problem in tried.problems]
        chosen = sum(len(choice["models"]) for choice in self._tried)
        lines = estimate_lines(tried.models, self._names, tried.on_card, named=chosen > 1)
        nothing = [] if lines or problems else ["Nothing is left to do; all of it is in the project."]
        self.estimate.setText("\n".join([*lines, *problems, *nothing]))
        self.estimate.setToolTip(plain(how_loaded(tried.models, self._names)))


def estimate_lines(
    found: Sequence[Mapping[str, Any]],
    names: Mapping[str, str],
    on_card: bool = False,
    *,
    named: bool = False,
) -> list[str]:
    """Return a sentence for each model that was tried, and one for all when there are several.

    Parameters
    ----------
    found
        As ``details["models"]`` of `gazeapp.engine.workflows.trial.trial`.
    names
        Names to show, by the models' ids.
    on_card
        Whether the memory that was counted is that of the graphics card.
    named
        Whether to name the model though there is one only: the others that were chosen have nothing left to do.
    """
    said = [_estimate(model, on_card) for model in found]
    lines = [
        f"{names.get(model['model'], model['model'])}: {line}" if named or len(found) > 1 else capital(line)
        for model, line in zip(found, said, strict=True)
    ]
    if len(found) > 1:
        seconds = sum(float(model["estimate_seconds"]) for model in found)
        size = sum(float(model["estimate_bytes"]) for model in found)
        lines.append(f"All together: {duration(seconds)}; {readable(size)} in the project file.")
    return lines


def how_loaded(found: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> str:
    """Return how each model was loaded and what it said, for a tooltip."""
    parts = []
    for model in found:
        sentences = [*model.get("plan", ()), f"It said: “{model['caption']}”"]
        parts.append("\n".join([names.get(model["model"], model["model"]), *sentences]))
    return "\n\n".join(parts)


def _estimate(model: Mapping[str, Any], on_card: bool) -> str:
    units = int(model["units"])
    parts = [
        f"about {_each(float(model['seconds_per_image']))} an image: {units:,} map{'' if units == 1 else 's'} in "
        f"{duration(float(model['estimate_seconds']))}"
    ]
    if model.get("peak_memory_mb"):
        parts.append(
            f"{readable(float(model['peak_memory_mb']) * 1e6)} {'on the graphics card' if on_card else 'of memory'}"
        )
    parts.append(f"{readable(float(model['estimate_bytes']))} in the project file")
    return "; ".join(parts)


def _each(seconds: float) -> str:
    if seconds >= 100:
        return duration(seconds)
    return f"{seconds:.1f} s" if seconds >= 0.095 else f"{seconds:.2f} s"
