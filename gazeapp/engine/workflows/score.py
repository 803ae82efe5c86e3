"""Score every map against the people who looked at the same image under the same task."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from gazeapp.engine.errors import GazeError, StoppedError
from gazeapp.engine.gaze.geometry import Sigma
from gazeapp.engine.project import (
    CEILING,
    CeilingRow,
    ImageRow,
    PeoplePartsRow,
    Project,
    ScoreRow,
    SubjectScoresRow,
)
from gazeapp.engine.project.gaze_rules import choices_of
from gazeapp.engine.project.settings import settings_hash
from gazeapp.engine.scoring.facts import METRICS
from gazeapp.engine.scoring.image import ImageJob, ImageScores, Rules, score_image
from gazeapp.engine.scoring.metrics import PreparedMap
from gazeapp.engine.scoring.presets import preset
from gazeapp.engine.scoring.sources import Source, SourceMap
from gazeapp.engine.types import DoubleArray, FloatArray, Json
from gazeapp.engine.workflows.base import Progress, Summary, Tally
from gazeapp.engine.workflows.score_findings import find
from gazeapp.engine.workflows.score_prepare import Prepared, prepare, spectral_of
from gazeapp.engine.workflows.score_state import remember_scored, score_states, tell_outdated
from gazeapp.engine.workflows.score_summary import VERB, say_of_tasks_without_gaze, summarise
from gazeapp.engine.workflows.score_units import (
    ScorePlan,
    TaskPeople,
    Unit,
    job_of,
    subject_numbers,
    task_people,
    units_of,
)

__all__ = ["VERB", "ScoreSettings", "score", "score_plan"]

FORMULAS = 3
"""Raised when a formula changes, so that numbers of different formulas are never taken for each other."""
Outcome = ImageScores | GazeError | MemoryError


@dataclass(frozen=True)
class ScoreSettings:
    """How to score.

    Parameters
    ----------
    preset
        Conventions of the metrics: ``tuebingen``, ``mit`` or ``harmonization``.
    sigma, sigma_unit
        Standard deviation of the human maps' Gaussian, in ``px`` (image px) or ``deg``. None: that of
        the project's choices.
    px_per_deg
        Image px per degree of visual angle, for all images. None: each image's own, from the geometry
        of the recordings; used for ``deg`` only.
    metrics
        Ids of the metrics; empty means those of the preset.
    tasks
        Task names; empty means every task with fixations.
    n_splits
        Random halvings of the people for the ceilings.
    n_bootstrap
        Resamples of the images for the intervals.
    seed
        Seed of the halvings, the resamples and the pixels that AUC-Borji draws.
    transform
        ``density``: each metric sees the map that suits it best, made from the density that the map was
        converted to on other images; ``none``: each metric sees the map as it is.
    primary
        The one metric that was declared before looking; empty: the first of the preset. Its tests are what a
        study's claims rest on.
    max_side_px
        Longest side that is scored, px; larger images are scored at this size.
    threads
        Images scored at the same time; not part of what identifies a result.
    """

    preset: str = "tuebingen"
    sigma: float | None = None
    sigma_unit: str = "px"
    px_per_deg: float | None = None
    metrics: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    n_splits: int = 100
    n_bootstrap: int = 10_000
    seed: int = 0
    transform: str = "none"
    primary: str = ""
    max_side_px: int = 1024
    threads: int = 2


def score(project: Project, settings: ScoreSettings, progress: Progress) -> Summary:
    """Score all models, baselines and people, image by image, then summarise over images.

    One unit is (image, task): all its scores and ceilings are stored together. Units that were scored
    with the same settings, fixations and maps are skipped; those whose inputs changed are replaced.
    The summary and the findings about the whole study are made once all units are there. Where the project
    weighs fixations by duration, the human maps of CC, Spearman, SIM, KL and EMD are weighted; NSS, the AUCs
    and information gain count every fixation the same.

    Returns
    -------
    Summary
        ``details`` has the ``preset``, the ``tasks``, the smallest and largest ``sigma_px_range`` of the
        images (and ``sigma_px`` where it is one), ``images_without_fixations`` by task, and the ``primary``
        metric.

    Raises
    ------
    GazeError
        If a setting makes no sense, no image has fixations, or sigma is in degrees and the px per degree
        of a recording are not known.
    """
    plan, states = score_plan(project, settings), score_states(project)
    images = {image.id: image for image in project.images.all()}
    everyone = [task_people(project, plan, task, images) for task in project.tasks.all()]
    for task in settings.tasks:
        project.tasks.id_of(task)
    groups = [one for one in everyone if one.tables and (not settings.tasks or one.task in settings.tasks)]
    if not groups:
        raise GazeError(
            "No image of the project has fixations, so there is nothing to score against.",
            where=str(project.path) if not settings.tasks else ", ".join(settings.tasks),
            todo="Import recordings first, with `gazeapp import-gaze` or by dropping them on the window.",
        )
    tally = Tally(project, VERB, progress, sum(len(people.tables) for people in groups))
    # Images are worked on side by side. Were each of their many small matrix products shared by threads once
    # more, threads would wait for each other longer than they compute.
    with threadpool_limits(1, "blas"):
        _score_all(_Run(project, plan, groups, everyone, images, progress), tally, max(1, settings.threads))
    if not tally.cancelled:
        progress.report(tally.total, tally.total, "intervals and tests over images")
        numbers = subject_numbers(groups)
        find(project, plan, [summarise(project, plan, people, numbers, tally) for people in groups])
        say_of_tasks_without_gaze(
            project, [one for one in everyone if not settings.tasks or one.task in settings.tasks], tally
        )
        remember_scored(project, plan.rules.preset.id, {group.task: states[group.task] for group in groups})
        tell_outdated(project)
    sigmas = [sigma for people in groups for sigma in people.sigma_px.values()]
    return tally.summary(
        preset=plan.rules.preset.id,
        primary=plan.primary,
        sigma_px=sigmas[0] if min(sigmas) == max(sigmas) else None,
        sigma_px_range=[min(sigmas), max(sigmas)],
        tasks=[people.task for people in groups],
        images_without_fixations={people.task: people.n_unseen for people in groups if people.n_unseen},
    )


def score_plan(project: Project, settings: ScoreSettings) -> ScorePlan:
    """Return the settings with everything that was left open filled in.

    Raises
    ------
    GazeError
        If a setting makes no sense.
    """
    _check(settings)
    choices = choices_of(project)
    sigma, unit = float(choices.sigma), choices.sigma_unit
    if settings.sigma is not None:
        sigma, unit = float(settings.sigma), settings.sigma_unit
    per_degree = settings.px_per_deg if unit == "deg" else None
    Sigma(sigma, unit, 1.0 if per_degree is None else per_degree)  # says what is wrong with a sigma
    conventions = preset(settings.preset)
    chosen = settings.metrics or conventions.metrics
    impossible = [METRICS[metric].name for metric in conventions.impossible if metric in chosen]
    if impossible:
        raise GazeError(
            f"The preset {conventions.id} has no {', '.join(impossible)}.", todo="Use the preset tuebingen."
        )
    metrics = tuple(metric for metric in METRICS if metric in chosen)
    primary = settings.primary or (
        conventions.metrics[0] if conventions.metrics[0] in metrics else metrics[0]
    )
    if primary not in metrics:
        raise GazeError(
            f"The primary metric {METRICS[primary].name} is not among those that are scored.",
            todo="Name it among the metrics, or choose another one.",
        )
    rules = Rules(
        preset=conventions,
        metrics=metrics,
        n_splits=settings.n_splits,
        seed=settings.seed,
        max_side_px=settings.max_side_px,
        transform="density" if settings.transform == "density" else "none",
    )
    values: Json = {
        "formulas": FORMULAS,
        "preset": rules.preset.id,
        "sigma": sigma,
        "sigma_unit": unit,
        "metrics": list(rules.metrics),
        "primary": primary,
        "n_splits": rules.n_splits,
        "n_bootstrap": settings.n_bootstrap,
        "seed": rules.seed,
        "max_side_px": rules.max_side_px,
        "transform": rules.transform,
    }
    if per_degree is not None:
        values["px_per_deg"] = per_degree
    if choices.weighting == "duration":
        values["weighting"] = choices.weighting
    settings_id = project.settings.put(VERB, values)
    return ScorePlan(
        rules,
        choices,
        sigma,
        unit,
        per_degree,
        settings.n_bootstrap,
        primary,
        settings_id,
        settings_hash(VERB, values),
    )


def _check(settings: ScoreSettings) -> None:
    named = [*settings.metrics, *([settings.primary] if settings.primary else [])]
    unknown = [metric for metric in named if metric not in METRICS]
    if unknown:
        raise GazeError(
            f"There is no metric called '{', '.join(unknown)}'.", todo=f"Choose from: {', '.join(METRICS)}."
        )
    if settings.transform not in ("none", "density"):
        raise GazeError(
            f"There is no map transform called '{settings.transform}'.", todo="Choose none or density."
        )
    for name, value in (("splits", settings.n_splits), ("resamples", settings.n_bootstrap)):
        if value < 1:
            raise GazeError(f"The number of {name} must be at least 1, not {value}.")
    if settings.max_side_px < 1:
        raise GazeError(f"The longest side that is scored must be at least 1 px, not {settings.max_side_px}.")
    if settings.seed < 0:
        raise GazeError(f"The seed must be at least 0, not {settings.seed}.")


@dataclass(frozen=True)
class _Run:
    """What is scored: ``groups`` are the tasks that are asked for, ``everyone`` all tasks."""

    project: Project
    plan: ScorePlan
    groups: Sequence[TaskPeople]
    everyone: Sequence[TaskPeople]
    images: Mapping[int, ImageRow]
    progress: Progress


def _score_all(run: _Run, tally: Tally, threads: int) -> None:
    """Score image after image on a few threads, all tasks of an image on one; this one reads and writes."""
    project, plan = run.project, run.plan
    there = project.scores.inputs(plan.hash)
    todo: list[list[Unit]] = []
    for image_id in sorted({key for people in run.groups for key in people.tables}, key=_by_name(run)):
        units = units_of(plan, run.images[image_id], run.groups, run.everyone)
        for unit in units:
            if there.get((image_id, unit.task)) == unit.inputs_hash:
                tally.skip(unit.name)
        left = [unit for unit in units if there.get((image_id, unit.task)) != unit.inputs_hash]
        if left:
            todo.append(left)
    kinds = {model.id: model.kind for model in project.runs.models()}
    try:
        ready = _prepare(run, {unit.task for units in todo for unit in units}, kinds)
    except StoppedError:
        tally.should_stop()
        return
    running: deque[tuple[list[Unit], Future[list[Outcome]]]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="score") as pool:
        for units in todo:
            if tally.should_stop():
                break
            running.append((units, pool.submit(_score_jobs, _jobs(run, units, kinds, ready))))
            if len(running) > threads:
                _store_all(project, plan, *running.popleft(), tally)
        while running:
            _store_all(project, plan, *running.popleft(), tally)


def _by_name(run: _Run) -> Callable[[int], str]:
    return lambda image_id: run.images[image_id].name


def _prepare(run: _Run, tasks: Collection[str], kinds: Mapping[str, str]) -> dict[str, Prepared]:
    """Return what the tasks that have something left to score need before their first image."""
    return {
        people.task: prepare(
            run.project, run.plan.rules, people, run.everyone, run.images, kinds, run.progress
        )
        for people in run.groups
        if people.task in tasks
    }


def _jobs(
    run: _Run, units: Sequence[Unit], kinds: Mapping[str, str], ready: Mapping[str, Prepared]
) -> list[tuple[ImageJob, Rules]]:
    """Read what is needed to score an image under some of its tasks."""
    image = units[0].image
    known = [one.spectral[image.id] for one in ready.values() if image.id in one.spectral]
    spectral = known[0] if known else spectral_of(run.project, image)
    shared: dict[Source, list[SourceMap]] = {}
    jobs = []
    for unit in units:
        task = ready[unit.task]
        job = job_of(
            run.project,
            run.plan,
            unit,
            run.everyone,
            kinds,
            task.densities(image),
            task.gold,
            spectral,
            shared,
        )
        jobs.append((job, unit.rules))
    return jobs


def _score_jobs(jobs: Sequence[tuple[ImageJob, Rules]]) -> list[Outcome]:
    """Score one image under its tasks; maps that these share are made ready once."""
    ready: dict[str, PreparedMap] = {}
    found: list[Outcome] = []
    for job, rules in jobs:
        try:
            found.append(score_image(job, rules, ready))
        except (GazeError, MemoryError) as error:
            found.append(error)
    return found


def _store_all(
    project: Project,
    plan: ScorePlan,
    units: Sequence[Unit],
    future: Future[list[Outcome]],
    tally: Tally,
) -> None:
    for unit, outcome in zip(units, future.result(), strict=True):
        with tally.unit(unit.name):
            if not isinstance(outcome, ImageScores):
                # Scores of fixations or maps that are no longer there must not stand in for the missing ones.
                project.scores.remove_units([(unit.image.id, unit.task)], plan.hash)
                raise outcome
            _store(project, plan, unit, outcome)


def _store(project: Project, plan: ScorePlan, unit: Unit, found: ImageScores) -> None:
    name, settings_id = plan.rules.preset.id, plan.settings_id
    scores = [
        ScoreRow(
            *(unit.image.id, source.kind, source.id, unit.task, source.method, source.lesion),
            *(metric, name, value, settings_id),
        )
        for source, values in found.scores.items()
        for metric, value in values.items()
    ]
    ceilings = [
        CeilingRow(unit.image.id, unit.task, metric, name, estimator, value, found.n_subjects, settings_id)
        for (metric, estimator), value in found.ceilings.items()
    ]
    without = _by_subject(found.scores_without, found.ceilings_without)
    own = _by_subject(found.scores_of_each, found.ceilings_of_each)
    image_id, task, subjects = unit.image.id, unit.task, found.subjects
    project.scores.put_unit(
        scores,
        ceilings,
        unit.inputs_hash,
        PeoplePartsRow(image_id, task, subjects, *without, settings_id) if without else None,
        SubjectScoresRow(image_id, task, subjects, found.n_fixations, *own, settings_id) if own else None,
    )


Columns = tuple[tuple[tuple[str, str, str, str, str], ...], FloatArray]


def _by_subject(
    scores: Mapping[Source, Mapping[str, DoubleArray]], ceilings: Mapping[tuple[str, str], DoubleArray]
) -> Columns | None:
    """Return what is stored of numbers for each subject, or None when there is no number."""
    rows = {
        (source.kind, source.id, source.method, source.lesion, metric): column
        for source, columns in scores.items()
        for metric, column in columns.items()
    }
    for (metric, estimator), column in ceilings.items():
        rows[CEILING, estimator, "", "", metric] = column
    rows = {key: column for key, column in rows.items() if np.isfinite(column).any()}
    return (tuple(rows), np.stack(list(rows.values())).astype(np.float32)) if rows else None
