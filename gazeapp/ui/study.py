"""What the window knows of a whole study: one frozen view, read off the GUI thread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gazeapp.engine.gaze.choices import GazeChoices
from gazeapp.engine.models.domain import is_outside_training
from gazeapp.engine.project.rows import (
    ImageRow,
    ModelRow,
    ProblemRow,
    ResponsesRow,
    RunRow,
    SettingsRow,
    SummaryRow,
)
from gazeapp.engine.scoring.facts import SOURCES

if TYPE_CHECKING:
    from gazeapp.engine.project import Project

PEOPLE = "people"
PEOPLE_BY_IMAGE = ("loso_mixture", "loso", "split_half_r", "half_vs_half")
"""Estimators of how well people predict each other that have a value for each image; the first that there is."""


@dataclass(frozen=True)
class StudyView:
    """A study as it stands in the project file, without the scores of its images.

    Parameters
    ----------
    path
        The project file.
    images, models, settings
        Rows by their id.
    fixations
        Number of kept fixations by (image id, task).
    subjects
        Names of the subjects with a kept fixation, by (image id, task).
    recordings
        File names of the recordings by their id.
    choices
        Which fixations are in use, and how they make human maps.
    older_scores
        The (task, preset) whose scores were made of other fixations than those in use.
    lesions
        Number of lesions, with their controls, by the name of the mask.
    responses
        Brain responses, without their values.
    """

    path: Path
    simulated: bool = False
    tasks: tuple[str, ...] = ()
    images: Mapping[int, ImageRow] = field(default_factory=dict)
    models: Mapping[str, ModelRow] = field(default_factory=dict)
    runs: tuple[RunRow, ...] = ()
    fixations: Mapping[tuple[int, str], int] = field(default_factory=dict)
    subjects: Mapping[tuple[int, str], frozenset[str]] = field(default_factory=dict)
    recordings: Mapping[int, str] = field(default_factory=dict)
    choices: GazeChoices = field(default_factory=GazeChoices)
    older_scores: frozenset[tuple[str, str]] = frozenset()
    lesions: Mapping[str, int] = field(default_factory=dict)
    responses: tuple[ResponsesRow, ...] = ()
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
        return bool(image and row and is_outside_training(row.domain, image.origin))

    def source_name(self, source: str) -> str:
        """Return the name to show for a model id, a baseline or people."""
        model = self.models.get(source)
        if source == PEOPLE:
            return "People"
        return model.name if model else SOURCES.get(source, source.replace("_", " ").capitalize())

    def primary(self, preset: str) -> str:
        """Return the metric that was declared primary for the scores of a preset; empty where none was."""
        rows = [row for row in self.summary if row.preset == preset]
        used = (self.settings.get(settings_id) for settings_id in dict.fromkeys(r.settings_id for r in rows))
        declared = [str(one.values.get("primary") or "") for one in used if one is not None]
        scored = {row.metric for row in rows}
        return next((metric for metric in declared if metric in scored), "")

    @property
    def model_ids(self) -> tuple[str, ...]:
        """Ids of the models in their stable order, without true densities."""
        return tuple(model.id for model in self.models.values() if model.kind != "truth")


def read_study(project: Project) -> StudyView:
    """Read everything that panels show of a study, save pictures and maps."""
    from gazeapp.engine.project.gaze_rules import choices_of
    from gazeapp.engine.workflows.score_state import outdated_scores

    tasks = tuple(project.tasks.all())
    return StudyView(
        path=project.path,
        simulated=project.simulated,
        tasks=tasks,
        images={row.id: row for row in project.images.all()},
        models={row.id: row for row in project.runs.models()},
        runs=tuple(project.runs.all()),
        fixations=project.gaze.counts(),
        subjects=project.gaze.subjects_of_images(),
        recordings=project.gaze.files(),
        choices=choices_of(project),
        older_scores=outdated_scores(project),
        lesions=project.lesions.masks(),
        responses=tuple(project.responses.all()),
        summary=tuple(project.scores.summary()),
        settings={row.id: row for row in project.settings.all()},
        problems=tuple(project.problems.all()),
    )
