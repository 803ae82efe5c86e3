"""Simulate brain responses: by which model, how images are shown to it, and the user's agreement to its script."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDoubleSpinBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QWidget,
)

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.prediction import LONGEST_CLIP, MOST_FPS, SHORTEST_WINDOW, Clip
from gazeapp.engine.neural.responses.naming import check_name
from gazeapp.ui import theme
from gazeapp.ui.dialogs.consent import CodeQuestion
from gazeapp.ui.dialogs.counting import CountingLine
from gazeapp.ui.dialogs.form import FormDialog, NumberBox, PathField, choice_box
from gazeapp.ui.dialogs.predict_offers import FACTS, TRIBE_NAME, PredictorOffer, PredictorsFound
from gazeapp.ui.folders import why_no_path
from gazeapp.ui.study import StudyView
from gazeapp.ui.widgets import advice, label
from gazeapp.ui.worker import JobRunner, JobState, Work

if TYPE_CHECKING:
    from gazeapp.engine.workflows.predict_responses import PredictionCount

_DEVICES = {"NVIDIA graphics card": "auto", "Processor: takes very long": "cpu"}
_USUAL = Clip()
_THE_END = 0.0
"""Value of the window's end that stands for the end of the clip."""


class PredictResponsesDialog(FormDialog):
    """Asks how to predict responses; it cannot be accepted before the user agreed to the script that does.

    Parameters
    ----------
    parent
        The window.
    study
        The study whose images are shown to the model.
    lookups
        Runs what is read to fill the dialog in and to count.
    """

    def __init__(self, parent: QWidget | None, study: StudyView, lookups: JobRunner) -> None:
        super().__init__(
            parent,
            "Simulate responses with a model (TRIBE)",
            "A model predicts how the cortex responds to each image. That is no recording: it is called simulated "
            "everywhere, and has no noise ceiling. Images that have their prediction are skipped.",
            "Simulate",
        )
        self._study, self._lookups = study, lookups
        self._offers: dict[str, PredictorOffer] = {}
        self._problem = "Looking for scripts…"
        self._facts: dict[str, QLabel] = {}
        self.runner = QComboBox()
        self.agree = QPushButton("Read and agree…")
        self.agreed = label("", "muted")
        self.name = QLineEdit(TRIBE_NAME)
        self.seconds, self.first, self.last = NumberBox(), NumberBox(), NumberBox()
        self.whole = QCheckBox("Show whole pictures on a grey square")
        self.fps, self.at_once = QSpinBox(), QSpinBox()
        self.device = choice_box(_DEVICES)
        self.folder = PathField("folder", "Folder of the script")
        self.trouble = label("", "note", wrap=True)
        self.count = label("", "muted", wrap=True)
        self._count = CountingLine(self.count, lookups, study.path)
        self._fill()
        self._lay_out()
        self._connect()
        self._find_job = lookups.submit("responses", lambda _project, _progress: _find(), None)
        self._check()
        self.resize(680, self.height())

    def choice(self) -> dict[str, Any]:
        """Return the settings as arguments of ``PredictResponsesSettings``."""
        last = self.last.value()
        return {
            "runner": self.runner.currentData() or "",
            "name": self.name.text().strip(),
            "clip_seconds": self.seconds.value(),
            "fps": self.fps.value(),
            "window": (self.first.value(), None if last == _THE_END else last),
            "whole_picture": self.whole.isChecked(),
            "device": self.device.currentData(),
            "at_once": self.at_once.value(),
            "folder": str(self.folder.path or ""),
        }

    def done(self, result: int) -> None:
        """Leave; nothing is counted any more."""
        self._count.stop()
        super().done(result)

    def _fill(self) -> None:
        for box, value, lowest in (
            (self.seconds, _USUAL.clip_seconds, SHORTEST_WINDOW),
            (self.first, _USUAL.window[0], 0.0),
            (self.last, _THE_END, _THE_END),
        ):
            _set_up(box, lowest, LONGEST_CLIP, value, " s")
        self.last.setSpecialValueText("the end")
        _set_up(self.fps, 1, MOST_FPS, _USUAL.fps, " per second")
        _set_up(self.at_once, 1, 1000, 16, " images")
        self.folder.line.setPlaceholderText("a folder in your cache")
        self.agree.setAutoDefault(False)
        for field, name in (
            (self.seconds, "Length of the clip"),
            (self.first, "Average from"),
            (self.last, "Average to"),
        ):
            field.setAccessibleName(name)

    def _lay_out(self) -> None:
        self.add_row("Model", self.runner, "Scripts that ship, and those in your own folder (docs/tribe.md).")
        for name in FACTS:
            self._facts[name] = label("", wrap=True)
            self._facts[name].setContentsMargins(0, 6, 0, 0)
            self.add_row(name, self._facts[name])
        self.add_row(
            "Agreement",
            _row(self.agree, self.agreed),
            "The script and its libraries are installed beside gazeapp, and run with your rights.",
        )
        self.add_row("Name", self.name, "What the responses are called; those of a name get what they lack.")
        self.add_row(
            "Clip",
            _row(label("held still for"), self.seconds),
            "The model watches films: each image is held still this long, without sound. 6 to 10 s give it time to "
            "settle.",
        )
        self.add_row(
            "Averaged",
            _row(label("from"), self.first, label("to"), self.last),
            "Seconds of the clip whose responses are averaged; there is one a second. TRIBE's video model looks back "
            "4 s. The haemodynamic lag is taken into account already.",
        )
        self.add_row(
            "Frame",
            self.whole,
            "TRIBE's video model looks at the middle of its film: of a picture of 4 by 3 it sees two thirds of the "
            "width. On a grey square it sees all of it, but smaller.",
        )
        folded = self.add_folded("Advanced")
        self.add_row(
            "Frames", self.fps, "Frames of a clip; on a still one more of them change little.", folded
        )
        self.add_row(
            "Given at a time",
            self.at_once,
            "Images that the script is asked about at a time: TRIBE loads its video model anew for each lot.",
            folded,
        )
        self.add_row("Runs on", self.device, "TRIBE is made for a graphics card.", folded)
        self.add_row(
            "Kept in", self.folder, "What was predicted is kept there, so that it can go on.", folded
        )
        self.body.addStretch(1)
        self.body.addWidget(self.trouble)
        self.trouble.hide()
        self.body.addWidget(self.count)

    def _connect(self) -> None:
        self.runner.currentIndexChanged.connect(self._show_facts)
        self.agree.clicked.connect(self._ask_consent)
        for box in (self.seconds, self.first, self.last, self.fps, self.at_once):
            box.valueChanged.connect(self._check)
        self.name.textChanged.connect(self._check)
        self.whole.toggled.connect(self._check)
        self.folder.changed.connect(self._check)
        self._lookups.changed.connect(self._looked_up)
        self._count.counted.connect(self._counted)

    @Slot(object)
    def _looked_up(self, state: JobState) -> None:
        if state.status not in ("done", "failed") or state.id != self._find_job:
            return  # taken out of the queue, it found nothing
        if state.error is not None:
            self._problem = advice(state.error)
        else:
            found: PredictorsFound = state.result
            self._problem = "" if found.offers else "There is no script that predicts responses."
            self._offers = {offer.runner: offer for offer in found.offers}
            for offer in found.offers:
                self.runner.addItem(offer.title, offer.runner)
            self.trouble.setText("\n".join(str(problem) for problem in found.problems))
            self.trouble.setVisible(bool(found.problems))
        self._show_facts()
        if self._offer is not None and self._offer.asks is not None:
            self.agree.setFocus()

    @Slot()
    def _show_facts(self, _index: int = 0) -> None:
        offer = self._offer
        for name, value in offer.facts if offer is not None else ():
            self._facts[name].setText(value)
        if offer is not None and self.name.text().strip() in {
            one.usual_name for one in self._offers.values()
        }:
            self.name.setText(offer.usual_name)
        self._check()

    @property
    def _offer(self) -> PredictorOffer | None:
        return self._offers.get(self.runner.currentData())

    @Slot()
    def _ask_consent(self) -> None:
        offer = self._offer
        if offer is None or offer.asks is None:
            return
        question = CodeQuestion(self, offer.asks)
        agreed = question.exec() == QDialog.DialogCode.Accepted
        question.deleteLater()
        if agreed:
            self._offers[offer.runner] = replace(offer, asks=None)
            self._check()

    @Slot()
    def _check(self, _what: object = None) -> None:
        asks = self._offer.asks if self._offer is not None else None
        self.agree.setVisible(asks is not None)
        self.agreed.setText(
            "" if self._offer is None else "needed once" if asks else "You agreed to this script."
        )
        reason = self._why_not()
        ready = not reason and self._offer is not None
        self._count.ask(
            f"{_images(len(self._study.images))}…" if ready else "",
            _count_work(self.choice()) if ready else None,
        )
        self.set_reason(reason or self._consent_needed())

    def _why_not(self) -> str:
        """Return what is missing or wrong, apart from consent."""
        chosen = self.choice()
        if self._problem:
            return self._problem
        if not chosen["name"]:
            return "Name the responses."
        if self.folder.path is not None and (reason := why_no_path(self.folder.path)):
            return reason
        try:
            check_name(chosen["name"])
            Clip(chosen["clip_seconds"], chosen["fps"], chosen["window"], chosen["whole_picture"])
        except GazeError as error:
            return advice(error)
        return ""

    def _consent_needed(self) -> str:
        return "Read what is installed, and agree to it." if self._offer and self._offer.asks else ""

    @Slot(object)
    def _counted(self, state: JobState) -> None:
        if state.error is not None:
            self.count.setText("")
            self.set_reason(advice(state.error))
            return
        counts: PredictionCount | None = state.result
        if counts is not None:
            left = counts.asked - counts.there
            there = f", {counts.there:,} have their prediction" if counts.there else ""
            todo = f"{left:,} to predict" if left else "nothing to do"
            self.count.setText(f"{_images(counts.asked)}: {todo}{there if left else ''}.")
            self.set_reason(self._consent_needed() if left else "Every image has its prediction.")


def _find() -> PredictorsFound:
    from gazeapp.ui.dialogs.predict_finding import find_predictors

    return find_predictors()


def _count_work(choice: dict[str, Any]) -> Work:
    def work(project: Any, _progress: Any) -> PredictionCount:
        from gazeapp.engine.workflows.predict_responses import PredictResponsesSettings, count_predictions

        return count_predictions(project, PredictResponsesSettings(**choice))

    return work


def _set_up(box: QDoubleSpinBox | QSpinBox, lowest: float, highest: float, value: float, unit: str) -> None:
    box.setRange(lowest, highest)  # type: ignore[arg-type]
    box.setValue(value)  # type: ignore[arg-type]
    box.setSuffix(unit)


def _row(*parts: QWidget) -> QWidget:
    """Return fields beside one another; the keyboard reaches the first that can be filled in."""
    both = QWidget()
    row = QHBoxLayout(both)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(theme.STEP)
    for part in parts:
        row.addWidget(part)
    row.addStretch(1)
    fields = [part for part in parts if isinstance(part, QDoubleSpinBox | QPushButton)]
    both.setFocusProxy(fields[0])
    return both


def _images(number: int) -> str:
    return f"{number:,} image{'' if number == 1 else 's'}"
