"""What a whole study shows: differences between sources, what encoder and decoder contribute, and more."""

from __future__ import annotations

from collections.abc import Sequence

from gazeapp.engine.project import Project
from gazeapp.engine.workflows.score_summary import TaskScores
from gazeapp.engine.workflows.score_units import ScorePlan


def find(project: Project, plan: ScorePlan, tasks: Sequence[TaskScores]) -> None:
    """Store the findings of a study."""
