"""Compare the scanpaths of people who looked at the same image under the same task."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.scanpaths import (
    Scanpath,
    ScanpathScores,
    ScanpathSettings,
    multimatch,
    other_images,
    scanpath_scores,
)
from gazeapp.engine.gaze.scanpaths.measures import MULTIMATCH
from gazeapp.engine.project import ImageRow, MeasureRow, Project
from gazeapp.engine.project.settings import settings_hash
from gazeapp.engine.scoring.analyses.scanpaths import (
    OTHER_IMAGES,
    PEOPLE,
    ScanpathRecord,
    scanpath_findings,
)
from gazeapp.engine.scoring.findings import SCANPATH
from gazeapp.engine.scoring.sources import HUMAN
from gazeapp.engine.types import Json
from gazeapp.engine.workflows.base import Progress, Summary, Tally
from gazeapp.engine.workflows.score_state import gaze_states

VERB = "compare scanpaths"
FORMULAS = 1
"""Raised when a formula changes, so that numbers of different formulas are never taken for each other."""
_DONE = "compared scanpaths"


@dataclass(frozen=True)
class CompareScanpathsSettings:
    """How scanpaths are compared.

    Parameters
    ----------
    scanpaths
        The measures, and the choices behind them.
    n_bootstrap
        Resamples for intervals, and most sign flips of tests.
    seed
        Seed of these, and of which other image each image is held against.
    """

    scanpaths: ScanpathSettings = field(default_factory=ScanpathSettings)
    n_bootstrap: int = 10_000
    seed: int = 0

    def __post_init__(self) -> None:
        if self.n_bootstrap < 1:
            raise GazeError(f"The number of resamples must be at least 1, not {self.n_bootstrap}.")
        if self.seed < 0:
            raise GazeError(f"The seed must be at least 0, not {self.seed}.")


def compare_scanpaths(project: Project, settings: CompareScanpathsSettings, progress: Progress) -> Summary:
    """Compare everybody's scanpath on each image with everybody else's, then say what the study shows.

    One unit is (image, task). Scanpaths are the fixations in use, in the order of the recording. Nothing is
    done again while the fixations and the settings are the same.

    Returns
    -------
    Summary
        ``details`` has the ``tasks``, the ``measures``, and by task ``images_without_pairs`` (fewer than two
        people with fixations) and ``trials_without_fixations``.

    Raises
    ------
    GazeError
        If no image has fixations, or MultiMatch is asked for and not installed.
    """
    images = {image.id: image for image in project.images.all()}
    looked = _looked(project)
    if not looked:
        raise GazeError(
            "No image of the project has fixations, so there are no scanpaths to compare.",
            where=str(project.path),
            todo="Import recordings first, with `gazeapp import-gaze` or by dropping them on the window.",
        )
    if set(MULTIMATCH) & set(settings.scanpaths.measures):
        multimatch.require()
    values: Json = {
        "formulas": FORMULAS,
        **settings.scanpaths.as_json(),
        "n_bootstrap": settings.n_bootstrap,
        "seed": settings.seed,
    }
    settings_id = project.settings.put(VERB, values)
    tally = Tally(project, VERB, progress, sum(len(ids) for ids in looked.values()))
    state = {"gaze": gaze_states(project), "settings": settings_hash(VERB, values)}
    before = project.settings.current(_DONE)
    if before is not None and before.values == state:
        for task, ids in looked.items():
            for image_id in ids:
                tally.skip(_unit(task, images[image_id]))
        return tally.summary(tasks=list(looked), measures=list(settings.scanpaths.measures))
    records: dict[str, list[ScanpathRecord]] = {task: [] for task in looked}
    for task, ids in looked.items():
        for image_id, other_id in zip(ids, _others(ids, settings.seed), strict=True):
            if tally.should_stop():
                break
            with tally.unit(_unit(task, images[image_id])):
                other = None if other_id is None else images[other_id]
                scores = _scores(project, task, images[image_id], other, settings.scanpaths)
                project.findings.put_measures(_rows(image_id, task, scores, settings_id))
                records[task].append(ScanpathRecord.of(scores))
    if not tally.cancelled:
        progress.report(tally.total, tally.total, "intervals and tests over images")
        found = [
            finding
            for task, own in records.items()
            for finding in scanpath_findings(own, task, settings.n_bootstrap, settings.seed)
        ]
        with project.transaction():
            project.findings.keep_measures(settings_id)
            project.findings.put_findings([SCANPATH], "", found, settings_id)
            if not tally.failed:
                project.settings.set_current(_DONE, state)
    return tally.summary(
        tasks=list(looked),
        measures=list(settings.scanpaths.measures),
        images_without_pairs=_counts(
            (task, sum(len(one.subjects) < 2 for one in own)) for task, own in records.items()
        ),
        trials_without_fixations=_counts(
            (task, sum(one.n_empty for one in own)) for task, own in records.items()
        ),
    )


def _looked(project: Project) -> dict[str, list[int]]:
    """Return the images with fixations in use, by task."""
    counts = project.gaze.counts()
    found = {
        task: sorted(image_id for (image_id, name), n in counts.items() if name == task and n)
        for task in project.tasks.all()
    }
    return {task: ids for task, ids in found.items() if ids}


def _others(ids: Sequence[int], seed: int) -> Iterator[int | None]:
    """Yield the other image that each image of a task is held against; None where there is only one."""
    return (None if place < 0 else ids[place] for place in other_images(len(ids), seed).tolist())


def _scores(
    project: Project, task: str, image: ImageRow, other: ImageRow | None, settings: ScanpathSettings
) -> ScanpathScores:
    elsewhere: list[Scanpath] = []
    if other is not None:
        sizes = (other.width, other.height), (image.width, image.height)
        elsewhere = [path.rescaled(*sizes) for path in _paths(project, other.id, task)]
    paths = _paths(project, image.id, task)
    return scanpath_scores(paths, image.width, image.height, settings, elsewhere)


def _paths(project: Project, image_id: int, task: str) -> list[Scanpath]:
    """Return the scanpath of each trial in which an image was looked at, empty ones too."""
    table = project.gaze.fixations(image_id, task)
    paths = []
    for trial in project.gaze.trials_of_image(image_id, task):
        own = np.flatnonzero(table.trial_id == trial.id)
        paths.append(Scanpath(trial.subject, table.x[own], table.y[own], table.duration_ms[own]))
    return paths


def _rows(image_id: int, task: str, scores: ScanpathScores, settings_id: int) -> list[MeasureRow]:
    """Return how alike people are on an image, and across images, to be stored."""
    rows = []
    for measure in scores.settings.measures:
        for against, value in (("", scores.mean(measure)), (OTHER_IMAGES, scores.chance_level(measure))):
            rows.append(
                MeasureRow(image_id, task, HUMAN, PEOPLE, "", "", measure, against, value, settings_id)
            )
    return rows


def _counts(numbers: Iterable[tuple[str, int]]) -> dict[str, int]:
    return {task: n for task, n in numbers if n}


def _unit(task: str, image: ImageRow) -> str:
    return f"{task} · {image.name}"
