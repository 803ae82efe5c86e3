"""The data set part of a report: images, recordings, what was kept, and the models."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import PurePath
from statistics import median

from gazeapp.engine.models.domain import is_outside_training
from gazeapp.engine.project import ImageRow, ModelRow, Project, RecordingRow, TrialRow
from gazeapp.engine.project.gaze_rules import choices_of
from gazeapp.engine.project.listing import any_used_from_screen
from gazeapp.engine.reports.content import DataSet, ImageFile, ModelData, TaskData
from gazeapp.engine.reports.model_facts import attention_tables, fact_rows
from gazeapp.engine.reports.plain import without_folder
from gazeapp.engine.reports.recordings import recordings
from gazeapp.engine.reports.style import REFERENCE_COLOUR, model_colour
from gazeapp.engine.reports.vlm_facts import is_vlm, vlm_rows

TRUTH = "truth"


def data_set(project: Project) -> DataSet:
    """Return what the project holds of images and recordings."""
    images = project.images.all()
    trials = project.gaze.trials()
    return DataSet(
        images=tuple(ImageFile(i.name, i.width, i.height, i.origin, i.sha256) for i in images),
        sizes=_counted(f"{i.width} × {i.height}" for i in images),
        origins=_counted(i.origin for i in images),
        tasks=tuple(_task(task, trials) for task in project.tasks.all()),
        recordings=tuple(recordings(project, trials)),
        n_subjects=len(_subjects(trials)),
        n_others=len({trial.subject for trial in trials} - _subjects(trials)),
        n_read=sum(trial.n_fixations for trial in trials),
        n_kept=sum(trial.n_kept for trial in trials if trial.image_id is not None),
        from_screen=any_used_from_screen(project),
        choices=choices_of(project).in_words(),
        fingerprint=fingerprint(images, project.gaze.recordings()),
    )


def fingerprint(images: Iterable[ImageRow], recordings: Iterable[RecordingRow]) -> str:
    """Return one SHA-256 over all files: of the sorted lines ``sha256 name`` of images and recordings."""
    lines = [f"{image.sha256} {image.name}" for image in images]
    lines += [f"{recording.sha256} {PurePath(recording.file).name}" for recording in recordings]
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def model_data(project: Project) -> tuple[ModelData, ...]:
    """Return the models whose maps are in the project, in their stable order, truths last."""
    images = project.images.all()
    rows = sorted(project.runs.models(), key=lambda row: row.kind == TRUTH)
    colours = [row.id for row in rows if row.kind != TRUTH]
    return tuple(_model(project, row, colours, images) for row in rows)


def _model(project: Project, row: ModelRow, colours: list[str], images: list[ImageRow]) -> ModelData:
    runs = project.runs.all(model=row.id)
    stand_ins = sorted({(run.task, run.model_task) for run in runs if run.model_task not in ("", run.task)})
    described = {run.image_id for run in runs}
    outside = [
        image for image in images if image.id in described and is_outside_training(row.domain, image.origin)
    ]
    return ModelData(
        id=row.id,
        name=row.name,
        colour=REFERENCE_COLOUR if row.kind == TRUTH else model_colour(row.id, colours),
        kind=row.kind,
        encoder=row.encoder,
        decoder=row.decoder,
        checkpoint=without_folder(row.checkpoint),
        revision=row.revision,
        domain=row.domain,
        facts=tuple(_facts(project, row)),
        attention=attention_tables(row.facts),
        n_runs=len(runs),
        n_outside=len(outside),
        stand_ins=tuple(stand_ins),
    )


def _facts(project: Project, row: ModelRow) -> Iterator[tuple[str, str]]:
    if not is_vlm(row.facts):
        return fact_rows(row.facts)
    lesioned = any(run.lesion for run in project.runs.all(model=row.id, lesion=None))
    return vlm_rows(row.facts, lesioned=lesioned)


def _task(task: str, trials: list[TrialRow]) -> TaskData:
    own = [trial for trial in trials if trial.task == task and trial.image_id is not None]
    kept = [trial.n_kept for trial in own]
    return TaskData(
        task=task,
        n_images=len({trial.image_id for trial in own if trial.n_kept}),
        n_subjects=len(_subjects(own)),
        n_trials=len(own),
        n_fixations=sum(kept),
        median_fixations=float(median(kept)) if kept else None,
    )


def _subjects(trials: Iterable[TrialRow]) -> set[str]:
    """Return who has at least one used fixation on an image of the project."""
    return {trial.subject for trial in trials if trial.image_id is not None and trial.n_kept}


def _counted(values: Iterable[str]) -> tuple[tuple[str, int], ...]:
    return tuple(Counter(values).most_common())
