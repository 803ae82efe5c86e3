"""How many maps there are to make, and how many of them the project has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QLabel

from gazeapp.ui.dialogs.counting import CountingLine
from gazeapp.ui.worker import JobRunner, JobState, Work

if TYPE_CHECKING:
    from gazeapp.engine.workflows.extract_plan import Plan


class CountLine(CountingLine):
    """Says how many maps are asked for; a moment later, how many of them are there already."""

    def __init__(self, label: QLabel, lookups: JobRunner, path: Path) -> None:
        super().__init__(label, lookups, path)
        self.counted.connect(self._show_counts)
        self._line, self._units = "", 0
        self._choices: Sequence[Mapping[str, Any]] = ()
        self._texts: Mapping[str, str] = {}

    def show(
        self, line: str, units: int, choices: Sequence[Mapping[str, Any]], texts: Mapping[str, str]
    ) -> None:
        """Show what is multiplied and the number of maps; count those that are there unless ``choices`` is empty.

        Parameters
        ----------
        line
            What is multiplied, in words.
        units
            Maps that are asked for.
        choices
            Arguments of ``ExtractSettings`` with tasks of the project only.
        texts
            What models are to read for each task.
        """
        asked = line, units, choices, texts
        if asked == (self._line, self._units, self._choices, self._texts):
            return
        self._line, self._units, self._choices, self._texts = asked
        self.ask(self._total, count_work(choices, texts) if choices else None)

    @Slot(object)
    def _show_counts(self, state: JobState) -> None:
        """Show how many maps are there."""
        if state.error is not None or state.result is None:
            self._label.setText(f"{self._total}: up to {self._units:,} new")
        else:
            self._label.setText(
                f"{self._total}: {self._units - state.result:,} new, {state.result:,} there already"
            )

    @property
    def _total(self) -> str:
        return f"{self._line} = {self._units:,} map{'' if self._units == 1 else 's'}"


def count_work(choices: Sequence[Mapping[str, Any]], texts: Mapping[str, str]) -> Work:
    """Return the work that counts the runs of ``choices`` that the project has; it stores nothing.

    Parameters
    ----------
    choices
        Arguments of ``ExtractSettings`` with tasks of the project only.
    texts
        What models are to read for each task; the text in force for a task that is left out.
    """

    def work(project: Any, progress: Any) -> int | None:
        from gazeapp.engine.workflows.extract_plan import ExtractSettings, what_to_run

        there = 0
        for choice in choices:
            for plan in what_to_run(project, ExtractSettings(**choice))[3]:
                if progress.cancelled:
                    return None
                there += _n_there(project, _asked_in(plan, texts.get(plan.task, "")))
        return there

    return work


def _asked_in(plan: Plan, text: str) -> Plan:
    """Return a plan with another prompt, where it has one at all."""
    from gazeapp.engine.models.base import KEEP
    from gazeapp.engine.project.settings import settings_hash

    if not plan.prompt or text in ("", plan.prompt):
        return plan
    values = {**plan.values, "prompt": text}
    kept = list(KEEP)
    more = kept[kept.index(values.get("keep", "")) + 1 :] if plan.richer else []
    richer = tuple(settings_hash("extract", {**values, "keep": keep}) for keep in more)
    return replace(plan, prompt=text, values=values, hash=settings_hash("extract", values), richer=richer)


def _n_there(project: Any, plan: Plan) -> int:
    """Return on how many images the project has a run of a plan: one query, as ``Plan.is_done`` asks image by image."""
    hashes = (plan.hash, *plan.richer)
    row = project.db.execute(
        "SELECT count(DISTINCT r.image_id) FROM runs r JOIN tasks t ON t.id = r.task_id WHERE r.model = ? "
        f"AND t.name = ? AND r.lesion = ? AND r.method = ? AND r.settings_hash IN ({', '.join('?' * len(hashes))})",
        (plan.info.id, plan.task, plan.lesion, plan.filed_as, *hashes),
    ).fetchone()
    return int(row[0])
