"""The page on which fixations are found in samples, and compared with the tracker's own."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt, Signal, Slot
from PySide6.QtGui import QStandardItemModel
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.detection import METHODS, Agreement
from gazeapp.engine.gaze.detection.settings import I2MC, REMODNAV, DetectionSettings
from gazeapp.engine.gaze.quality import summarise
from gazeapp.engine.workflows.gaze import FileSettings
from gazeapp.engine.workflows.gaze_preview import Preview
from gazeapp.ui import theme
from gazeapp.ui.dialogs.import_gaze.agreement import agreement_of, in_words
from gazeapp.ui.dialogs.import_gaze.page import Page
from gazeapp.ui.dialogs.import_gaze.thresholds import Thresholds
from gazeapp.ui.dialogs.import_gaze.trial_browser import TrialBrowser
from gazeapp.ui.widgets import advice, label
from gazeapp.ui.worker import JobProgress, JobRunner

_FIELDS_WIDTH, _LIST_WIDTH = 328, 456
_PACKAGES = {I2MC: "I2MC", REMODNAV: "remodnav"}

_HINT = (
    "The file holds samples, too. Choose “found in the samples” to find fixations in them yourself, and to see "
    "how far these agree with the tracker's own."
)
_TRACKERS = "The tracker's own fixations are taken."


class SamplesPage(Page):
    """Whether fixations are the tracker's own or found in its samples, and how.

    Parameters
    ----------
    runner
        Reads pictures and compares fixations; best one that does not read recordings at the same time.
    """

    title = "Samples"
    _compared = Signal(object, object)

    def __init__(self, runner: JobRunner) -> None:
        super().__init__()
        self._runner = runner
        self._file = ""
        self._preview: Preview | None = None
        self._has_own = True
        self.source = QComboBox()
        self.source.addItem("the tracker's own", userData=False)
        self.source.addItem("found in the samples", userData=True)
        self.method = QComboBox()
        self.thresholds = Thresholds()
        self.browser = TrialBrowser(runner, compares=True)
        self._reset = QPushButton("Back to the usual")
        self._quality = label("", "muted", wrap=True)
        self._heading = label("AGREEMENT WITH THE TRACKER", "section")
        self._agreement = label("", wrap=True)
        self._note = label("", "note", wrap=True)
        self._hint = label(_HINT, "muted", wrap=True)
        self._lay_out()
        self.source.currentIndexChanged.connect(self._edited)
        self.method.currentIndexChanged.connect(self._edited)
        self.thresholds.changed.connect(self._edited)
        self._reset.clicked.connect(self._back_to_usual)
        self._compared.connect(self._show_agreement)
        self.setFocusProxy(self.source)

    @property
    def agreement(self) -> str:
        """What is said of how far the fixations agree; empty while there is nothing to compare."""
        return self._agreement.text()

    @property
    def problem(self) -> str:
        """Why no fixations can be found; empty when they can."""
        return "" if self._note.isHidden() else self._note.text()

    def show_file(self, preview: Preview | None, settings: FileSettings) -> None:
        """Show how fixations are found in a file and what comes of it."""
        if preview is None:
            return
        same = preview.file == self._file
        self._preview, self._file = preview, preview.file
        own = preview.own_fixations
        read = None if preview.read is None else preview.read.contents
        if read is not None:
            self._has_own = own is not None or len(read.fixations) > 0
        finds = settings.detect or not self._has_own
        with QSignalBlocker(self.source):
            self.source.setCurrentIndex(int(finds))
        self._fill(settings.detection)
        plan = preview.plan if finds else None
        self.browser.setVisible(plan is not None)
        self.browser.show_plan(plan, preview.images, own, stay=same)
        error = preview.error if preview.plan is None else None
        self._note.setText(advice(error) if error is not None else "")
        self._note.setVisible(error is not None)
        self._quality.setText(self._quality_in_words(preview))
        self._compare()

    def apply_to(self, settings: FileSettings) -> FileSettings:
        """Return the settings with where fixations come from, and how they are found.

        Raises
        ------
        GazeError
            When a threshold makes no sense.
        """
        detect = self._has_own and self._finds
        return replace(settings, detect=detect, detection=self._settings())

    def applies(self, preview: Preview | None) -> bool:
        """Return whether the file has samples."""
        if preview is None:
            return False
        if preview.read is None:
            return preview.file == self._file
        return preview.read.facts.n_samples > 0 or bool(preview.read.contents.samples)

    @property
    def _finds(self) -> bool:
        return bool(self.source.currentData())

    def _settings(self) -> DetectionSettings:
        return self.thresholds.settings(self.method.currentData())

    def _lay_out(self) -> None:
        for key, words in METHODS.items():
            self.method.addItem(words, key)
            package = _PACKAGES.get(key)
            if package is not None and find_spec(package) is None:
                self._disable(f"{words.split(':')[0]} is not installed: pip install gazeapp[detection]")
        self.method.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.method.setMinimumContentsLength(16)
        self.method.view().setMinimumWidth(_LIST_WIDTH)
        self.thresholds.add_row("Fixations are", self.source, 0)
        self.thresholds.add_row("Method", self.method, 1)
        self._reset.setAutoDefault(False)
        self._reset.setToolTip("Take the usual value of the method for every threshold.")
        fields = QWidget()
        fields.setFixedWidth(_FIELDS_WIDTH)
        column = QVBoxLayout(fields)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.STEP)
        column.addWidget(self.thresholds)
        column.addWidget(self._reset, 0, Qt.AlignmentFlag.AlignRight)
        column.addSpacing(theme.STEP)
        column.addWidget(self._heading)
        column.addWidget(self._agreement)
        column.addWidget(self._quality)
        column.addStretch(1)
        right = QVBoxLayout()
        right.addWidget(self._note)
        right.addWidget(self._hint)
        right.addWidget(self.browser, 1)
        right.addStretch()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, theme.STEP * 2, 0, 0)
        row.setSpacing(theme.STEP * 3)
        row.addWidget(fields)
        row.addLayout(right, 1)
        self._note.hide()

    def _disable(self, reason: str) -> None:
        """Make the last method one that cannot be chosen, for a reason."""
        model, number = self.method.model(), self.method.count() - 1
        if isinstance(model, QStandardItemModel):
            model.item(number).setEnabled(False)
        self.method.setItemData(number, reason, Qt.ItemDataRole.ToolTipRole)

    def _fill(self, detection: DetectionSettings) -> None:
        with QSignalBlocker(self.method):
            self.method.setCurrentIndex(max(self.method.findData(detection.method), 0))
        finds = self._finds
        self.thresholds.show_settings(detection, self._rate(), "" if finds else _TRACKERS)
        self.method.setEnabled(finds)
        self.method.setToolTip("How fixations are told from saccades." if finds else _TRACKERS)
        self._reset.setEnabled(finds and detection != DetectionSettings(method=detection.method))
        self._hint.setVisible(not finds)
        self.source.setEnabled(self._has_own)
        self.source.setToolTip(
            "What is imported as fixations." if self._has_own else "The file has no fixations of its own."
        )

    def _rate(self) -> float | None:
        """Return the sampling rate as far as it is known, Hz."""
        read = None if self._preview is None else self._preview.read
        return None if read is None else read.facts.rate_hz

    @Slot()
    def _edited(self) -> None:
        try:
            self._fill(self._settings())
        except GazeError as error:
            self._note.setText(advice(error))
            self._note.show()
            return
        self.changed.emit()

    @Slot()
    def _back_to_usual(self) -> None:
        self._fill(DetectionSettings(method=self.method.currentData()))
        self.changed.emit()

    def _compare(self) -> None:
        """Compare with the tracker's own fixations, on the runner's thread."""
        preview = self._preview
        comparable = preview is not None and preview.plan is not None and preview.own_fixations is not None
        self._heading.setVisible(bool(comparable))
        self._agreement.setVisible(bool(comparable))
        self._agreement.setText("Comparing…" if comparable else "")
        if not comparable or self._runner.stopped:
            return

        def work(_project: Any, _progress: JobProgress) -> None:
            agreement = agreement_of(preview.plan, preview.own_fixations)
            with suppress(RuntimeError):  # the dialog may be gone by now
                self._compared.emit(preview, agreement)

        self._runner.submit("compare fixations", work, None)

    @Slot(object, object)
    def _show_agreement(self, preview: Preview, agreement: Agreement) -> None:
        if preview is not self._preview or preview.plan is None:
            return
        unit = "px" if preview.plan.recording.facts.frame.unit == "px" else "of the screen's size"
        self._agreement.setText("\n".join(in_words(agreement, unit)))
        self._agreement.setToolTip("Medians over the pairs; each fixation is in one pair at most.")

    def _quality_in_words(self, preview: Preview) -> str:
        """Return what is known of the samples."""
        if preview.plan is None:
            return ""
        figures = summarise([trial.quality for trial in preview.plan.trials])
        parts = []
        if preview.facts.get("samples"):
            parts.append(f"{preview.facts['samples']:,} samples")
        if figures.get("rate_hz"):
            parts.append(f"{figures['rate_hz']:.4g} Hz as measured")
        if figures.get("share_lost") is not None:
            parts.append(f"{figures['share_lost']:.1%} lost")
        if figures.get("gaps") is not None:
            parts.append(f"{figures['gaps']:,} gaps over 75 ms")
        return ", ".join(parts) and f"{', '.join(parts)}."
