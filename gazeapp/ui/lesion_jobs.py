"""Experiments with lesions, as work for the worker thread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gazeapp.ui.worker import JobState

if TYPE_CHECKING:
    from gazeapp.ui.job_control import JobProgress
    from gazeapp.ui.worker import Work

TITLE = "Neglect experiment"
"""How the titles of experiments begin."""


def is_experiment(job: JobState) -> bool:
    """Return whether a job is an experiment."""
    return job.title.startswith(TITLE)


def experiment_work(choice: Mapping[str, Any]) -> Work:
    """Return the work that takes parts of images away; ``choice`` are arguments of ``LesionSettings``."""

    def work(project: Any, progress: JobProgress) -> Any:
        from gazeapp.engine.workflows.lesion import LesionSettings, lesion

        return lesion(project, LesionSettings(**choice), progress)

    return work
