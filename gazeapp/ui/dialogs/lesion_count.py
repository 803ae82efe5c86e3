"""How many lesions are asked for, how many are there, and how long the rest takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QLabel

from gazeapp.ui.dialogs.counting import CountingLine
from gazeapp.ui.widgets import advice
from gazeapp.ui.worker import JobRunner, JobState, Work, duration

if TYPE_CHECKING:
    from gazeapp.engine.workflows.lesion_count import LesionCount


class LesionCountLine(CountingLine):
    """Says what is multiplied; a moment later how much of it is there and how long the rest takes."""

    refused = Signal()
    """The engine takes the settings no more, or takes them again; see ``problem``."""

    def __init__(self, label: QLabel, lookups: JobRunner, path: Path) -> None:
        super().__init__(label, lookups, path)
        self.counted.connect(self._show_counts)
        self._line = ""
        self._choices: Sequence[Mapping[str, Any]] = ()
        self.problem = ""

    def show(self, line: str, choices: Sequence[Mapping[str, Any]]) -> None:
        """Show what is multiplied; count unless ``choices``, arguments of ``LesionSettings``, is empty."""
        if (line, choices) != (self._line, self._choices):
            self._line, self._choices = line, choices
            self.problem = ""
            self.ask(line, lesion_count_work(choices) if choices else None)

    @Slot(object)
    def _show_counts(self, state: JobState) -> None:
        """Show how much is there, or keep why the engine does not take the settings."""
        if state.error is not None:
            self.problem = advice(state.error)
            self.refused.emit()
        elif state.result is not None:
            self._label.setText(f"{self._line}: {_rest(state.result)}")


def _rest(counts: Sequence[LesionCount]) -> str:
    asked, there = sum(one.asked for one in counts), sum(one.there for one in counts)
    if asked == there:
        return "all there already"
    seconds = (
        None if any(one.seconds is None for one in counts) else sum(one.seconds or 0.0 for one in counts)
    )
    if seconds is None:
        takes = "how long it takes is known once it runs"
    else:
        takes = duration(seconds) if seconds < 1 else f"about {duration(seconds)}"
        takes += ", and the analyses of the study after it"
    return f"up to {asked - there:,} new, {there:,} there already; {takes}"


def lesion_count_work(choices: Sequence[Mapping[str, Any]]) -> Work:
    """Return the work that counts the lesions of ``choices``, arguments of ``LesionSettings``; it stores nothing."""

    def work(project: Any, _progress: Any) -> list[LesionCount]:
        from gazeapp.engine.workflows.lesion import LesionSettings
        from gazeapp.engine.workflows.lesion_count import count_lesions

        return [count_lesions(project, LesionSettings(**choice)) for choice in choices]

    return work
