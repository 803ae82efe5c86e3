"""One job in the list, one problem in the list, and how a job stands in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from gazeapp.ui import theme
from gazeapp.ui.widgets import label
from gazeapp.ui.worker import JobState, duration

if TYPE_CHECKING:
    from gazeapp.engine.project.rows import ProblemRow

_ICONS = {
    "queued": "clock",
    "running": "play",
    "paused": "pause",
    "done": "check",
    "failed": "warning",
    "cancelled": "stop",
}


def outcome(state: JobState) -> str:
    """Return what a job did, in one line."""
    if state.error is not None:
        where = f"{state.error.where}: " if state.error.where else ""
        return f"{where}{state.error.what} {state.error.todo}".strip()
    result: Any = state.result
    parts = []
    if state.status == "cancelled":
        if result is None and not state.seconds:
            return "taken out before it began"
        parts.append("stopped; what was finished is kept")
    for name, word in (("done", "done"), ("skipped", "already there"), ("failed", "with problems")):
        number = getattr(result, name, 0)
        if isinstance(number, int) and number:
            parts.append(f"{number} {word}")
    if state.finished and not parts:
        parts.append("nothing to do" if hasattr(result, "done") else "done")
    parts.append(duration(state.seconds))
    return "  ·  ".join(parts)


def standing(state: JobState) -> str:
    """Return how far a job is, in one line."""
    if state.status == "queued":
        return "waiting for the job before it"
    if state.finished:
        return outcome(state)
    parts = [f"{state.done}/{state.total}" if state.total > 0 else ""]
    if state.cancelling:
        return f"stopping after the {state.unit} in hand"
    if state.status == "paused":
        parts.append("paused")
    elif state.pausing:
        parts.append(f"pausing after the {state.unit} in hand")
    else:
        parts.append(state.message)
    if state.seconds_left is not None:
        parts.append(f"{duration(state.seconds_left)} left")
    return "  ·  ".join(part for part in parts if part) or "starting"


class PauseButton(QPushButton):
    """Pauses a job, or lets it go on."""

    def __init__(self) -> None:
        super().__init__("Pause")
        theme.set_role(self, "quiet")

    def show_state(self, state: JobState | None) -> None:
        """Offer what can be done with the job now."""
        self.setVisible(state is not None and state.begun and state.can_pause)
        if state is not None:
            held = state.pausing or state.status == "paused"
            self.setText("Resume" if held else "Pause")
            self.setToolTip(
                "Go on where it waits"
                if held
                else f"Wait after the {state.unit} in hand; models stay loaded meanwhile"
            )
            self.setEnabled(not state.cancelling)


class JobLine(QWidget):
    """One job: title, bar, time left; pause, cancel, run again."""

    pause_asked = Signal(int)
    cancelled = Signal(int)
    again_asked = Signal(int)

    def __init__(self, state: JobState) -> None:
        super().__init__()
        self._id = state.id
        self._icon = QLabel()
        self._text = label("", "muted", wrap=True)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(f"Progress of {state.title}")
        self.pause, self.cancel, self.again = PauseButton(), QPushButton("Cancel"), QPushButton("Run again")
        self.again.setToolTip("Do what is left; what is finished is skipped")
        words = QVBoxLayout()
        words.setSpacing(4)
        words.addWidget(label(state.title, wrap=True))
        words.addWidget(self._bar)
        words.addWidget(self._text)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 8, 8, 8)
        row.setSpacing(12)
        row.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(words, 1)
        for button, signal in (
            (self.pause, self.pause_asked),
            (self.cancel, self.cancelled),
            (self.again, self.again_asked),
        ):
            theme.set_role(button, "quiet")
            button.clicked.connect(lambda _on=False, signal=signal: signal.emit(self._id))
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        self.show_state(state)

    @property
    def text(self) -> str:
        """How the job stands, as shown."""
        return self._text.text()

    @Slot(object)
    def show_state(self, state: JobState) -> None:
        """Show how the job stands now."""
        theme.set_icon(self._icon, _ICONS[state.status])
        self._text.setText(standing(state))
        self._bar.setVisible(state.begun)
        self._bar.setRange(0, max(state.total, 0))
        self._bar.setValue(state.done)
        self.pause.show_state(state)
        self.cancel.setText("Remove" if state.status == "queued" else "Cancel")
        self.cancel.setVisible(not state.finished)
        self.cancel.setEnabled(not state.cancelling)
        self.again.setVisible(state.has_rest)


class ProblemLine(QWidget):
    """One problem: what, where, what to do."""

    def __init__(self, problem: ProblemRow) -> None:
        super().__init__()
        icon = QLabel()
        theme.set_icon(icon, "warning")
        what = label(problem.what, wrap=True)
        rest = label(f"{problem.verb}  ·  {problem.where}\n{problem.todo}".strip(), "muted", wrap=True)
        for text in (what, rest):
            text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(what)
        words.addWidget(rest)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 8, 16, 8)
        row.setSpacing(12)
        row.addWidget(icon, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(words, 1)
