"""Score the study: by which conventions and metrics, and which of them the study is led by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QCheckBox, QComboBox, QGridLayout, QWidget

from gazeapp.engine.reports.numbers import listed
from gazeapp.engine.scoring.facts import METRICS, metric_facts
from gazeapp.engine.scoring.presets import PRESETS
from gazeapp.ui.dialogs.form import FormDialog, choice_box
from gazeapp.ui.study import StudyView
from gazeapp.ui.widgets import label, no_mnemonic, plain

_COLUMNS = 4
_SLOW = {"emd": "slow: about ten times as long as all usual metrics together"}
_TRANSFORMS = {
    "The map as it is": "none",
    "Fitted density (Kümmerer et al. 2018)": "density",
}


@dataclass(frozen=True)
class Scored:
    """How a study was scored the last time under a preset."""

    metrics: tuple[str, ...]
    transform: str
    primary: str


def scored_before(study: StudyView, preset: str) -> Scored | None:
    """Return how a study was scored under a preset; None where it was not."""
    rows = [row for row in study.summary if row.preset == preset]
    if not rows:
        return None
    newest = study.settings.get(max(row.settings_id for row in rows))
    values = newest.values if newest is not None else {}
    stored = [str(metric) for metric in values.get("metrics", ())] or [row.metric for row in rows]
    return Scored(
        tuple(metric for metric in METRICS if metric in stored),
        str(values.get("transform", "none")),
        str(values.get("primary", "")),
    )


class ScoreDialog(FormDialog):
    """Asks how to score; what was chosen for the study's last scores is chosen again."""

    def __init__(self, parent: QWidget | None, study: StudyView, preset: str) -> None:
        super().__init__(
            parent,
            "Score the study",
            "Every map is compared with where people looked, beside baselines and people themselves. "
            "Images that were scored in the same way are skipped.",
            "Score",
        )
        self._study = study
        self.metrics: dict[str, QCheckBox] = {}
        self.preset = choice_box({one.name: one.id for one in PRESETS.values()})
        self.preset.setCurrentIndex(max(self.preset.findData(preset), 0))
        self.primary = QComboBox()
        self.transform = choice_box(_TRANSFORMS)
        self._source = label("", "muted", wrap=True)
        self._note = label("", "note", wrap=True)
        self.add_row("Conventions", self.preset, "How the metrics treat what the literature disagrees about.")
        self.add_row("", self._source)
        self.add_row("Metrics", self._make_metrics(), "Numbers to compute.")
        self.add_row(
            "Primary metric",
            self.primary,
            "The one metric that was declared before looking: what the study's claims rest on. It leads tables "
            "and the report.",
        )
        self._advanced = self.add_folded("Advanced")
        self.add_row(
            "Maps",
            self.transform,
            "As it is, or turned into the map that suits each metric best: a density fitted on other images, the "
            "same for every model. It is named beside every number.",
            self._advanced,
        )
        self.body.addWidget(self._note)
        self.body.addStretch(1)
        self.preset.currentIndexChanged.connect(self._fill)
        self.transform.currentIndexChanged.connect(self._check)
        self._fill()

    def choice(self) -> dict[str, Any]:
        """Return the settings as arguments of ``ScoreSettings``."""
        return {
            "preset": self.preset.currentData(),
            "metrics": self._chosen(),
            "transform": self.transform.currentData(),
            "primary": self.primary.currentData() or "",
        }

    def _make_metrics(self) -> QWidget:
        boxes = QWidget()
        grid = QGridLayout(boxes)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(4)
        for k, facts in enumerate(METRICS.values()):
            box = QCheckBox(no_mnemonic(f"{facts.name}, slow" if facts.id in _SLOW else facts.name))
            box.toggled.connect(self._check)
            self.metrics[facts.id] = box
            grid.addWidget(box, k // _COLUMNS, k % _COLUMNS)
        return boxes

    @Slot()
    def _fill(self, _index: int = 0) -> None:
        """Choose what was chosen for the last scores under the conventions, else their usual metrics."""
        preset = PRESETS[self.preset.currentData()]
        before = scored_before(self._study, preset.id)
        chosen = before.metrics if before is not None else preset.metrics
        self._source.setText(preset.source)
        for metric, box in self.metrics.items():
            facts = metric_facts(metric, preset.id)
            slow = f"\nIt is {_SLOW[metric]}." if metric in _SLOW else ""
            box.setToolTip(plain(f"{facts.meaning}{slow}"))
            box.setChecked(metric in chosen)
        if before is not None:
            self.transform.setCurrentIndex(max(self.transform.findData(before.transform), 0))
        self._check()
        if before is not None and before.primary:
            self.primary.setCurrentIndex(max(self.primary.findData(before.primary), 0))

    @Slot()
    def _check(self, _what: object = None) -> None:
        chosen, preset = self._chosen(), PRESETS[self.preset.currentData()]
        primary = self.primary.currentData()
        self.primary.clear()
        for metric in chosen:
            self.primary.addItem(METRICS[metric].name, metric)
        usual = next((metric for metric in preset.metrics if metric in chosen), None)
        self.primary.setCurrentIndex(max(self.primary.findData(primary if primary in chosen else usual), 0))
        self._note.setText(self._what_goes(preset.id, chosen))
        self._note.setVisible(bool(self._note.text()))
        self.set_reason("" if chosen else "Choose at least one metric.")

    def _what_goes(self, preset: str, chosen: tuple[str, ...]) -> str:
        """Return what the study shows now and would show no longer."""
        before = scored_before(self._study, preset)
        if before is None:
            return ""
        gone = [METRICS[metric].name for metric in before.metrics if metric not in chosen]
        text = ""
        if gone:
            text = (
                f"{listed(gone)} {'was' if len(gone) == 1 else 'were'} scored before and will not be shown."
            )
        if before.transform != self.transform.currentData():
            text += " Numbers of other maps take the place of those that are shown now."
        return text.strip()

    def _chosen(self) -> tuple[str, ...]:
        return tuple(metric for metric, box in self.metrics.items() if box.isChecked())
