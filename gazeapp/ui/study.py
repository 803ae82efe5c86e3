"""What the window knows of a whole study: one frozen view, read off the GUI thread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gazeapp.engine.project.rows import (
    CeilingRow,
    ImageRow,
    ModelRow,
    ProblemRow,
    RunRow,
    ScoreRow,
    SettingsRow,
    SummaryRow,
)
from gazeapp.engine.scoring.facts import SOURCES

if TYPE_CHECKING:
    from gazeapp.engine.project import Project

PEOPLE = "people"


@dataclass(frozen=True)
class StudyView:
    """A study as it stands in the project file.

    Parameters
    ----------
    path
        The project file.
    images, models, settings
        Rows by their id.
    fixations
        Number of kept fixations by (image id, task).
    subjects
        Names of the subjects by task.
    """

    path: Path
    simulated: bool = False
    tasks: tuple[str, ...] = ()
    images: Mapping[int, ImageRow] = field(default_factory=dict)
    models: Mapping[str, ModelRow] = field(default_factory=dict)
    runs: tuple[RunRow, ...] = ()
    fixations: Mapping[tuple[int, str], int] = field(default_factory=dict)
    subjects: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    scores: tuple[ScoreRow, ...] = ()
    ceilings: tuple[CeilingRow, ...] = ()
    summary: tuple[SummaryRow, ...] = ()
    settings: Mapping[int, SettingsRow] = field(default_factory=dict)
    problems: tuple[ProblemRow, ...] = ()

    def run_of(self, image_id: int | None, model: str, task: str) -> RunRow | None:
        """Return the run that the compare view shows: the model's newest on this image and task."""
        found = [r for r in self.runs if (r.image_id, r.model, r.task) == (image_id, model, task)]
        return max(found, key=lambda run: run.id, default=None)

    def is_outside_training(self, image_id: int | None, model: str) -> bool:
        """Return whether the image is of a kind that the model was not trained on."""
        image, row = self.images.get(image_id or -1), self.models.get(model)
        return bool(image and row and row.domain and row.domain != image.origin)

    def source_name(self, source: str) -> str:
        """Return the name to show for a model id, a baseline or people."""
        model = self.models.get(source)
        if source == PEOPLE:
            return "People"
        return model.name if model else SOURCES.get(source, source.replace("_", " ").capitalize())

    @property
    def model_ids(self) -> tuple[str, ...]:
        """Ids of the models in their stable order, without true densities."""
        return tuple(model.id for model in self.models.values() if model.kind != "truth")


def read_study(project: Project) -> StudyView:
    """Read everything that panels show of a study, save pictures and maps."""
    tasks = tuple(project.tasks.all())
    return StudyView(
        path=project.path,
        simulated=project.simulated,
        tasks=tasks,
        images={row.id: row for row in project.images.all()},
        models={row.id: row for row in project.runs.models()},
        runs=tuple(project.runs.all()),
        fixations=project.gaze.counts(),
        subjects={task: tuple(project.gaze.subjects(task)) for task in tasks},
        scores=tuple(project.scores.all()),
        ceilings=tuple(project.scores.ceilings()),
        summary=tuple(project.scores.summary()),
        settings={row.id: row for row in project.settings.all()},
        problems=tuple(project.problems.all()),
    )
