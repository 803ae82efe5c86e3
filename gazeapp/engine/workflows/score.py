"""Score every map against the people who looked at the same image under the same task."""

from __future__ import annotations

import hashlib
import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.choices import GazeChoices
from gazeapp.engine.gaze.geometry import Sigma
from gazeapp.engine.project import (
    CeilingRow,
    FixationTable,
    ImageRow,
    PeoplePartsRow,
    Project,
    RunRow,
    ScoreRow,
    SummaryRow,
)
from gazeapp.engine.project.gaze_rules import choices_of
from gazeapp.engine.project.settings import settings_hash
from gazeapp.engine.scoring.aggregate import Without, summarise_task
from gazeapp.engine.scoring.baselines import OtherImages, Positions
from gazeapp.engine.scoring.facts import METRICS
from gazeapp.engine.scoring.image import (
    MODEL,
    TRUTH,
    ImageJob,
    ImageScores,
    Rules,
    Source,
    SourceMap,
    score_image,
)
from gazeapp.engine.scoring.presets import preset
from gazeapp.engine.types import DoubleArray, Json
from gazeapp.engine.workflows.base import Progress, Summary, Tally
from gazeapp.engine.workflows.gaze_state import gaze_states, remember_scored
from gazeapp.engine.workflows.human_maps import HumanMaps, weights_of
from gazeapp.engine.workflows.score_notes import say_what_is_missing

VERB = "score"
FORMULAS = 2
"""Raised when a formula changes, so that numbers of different formulas are never taken for each other."""
TRUE_DENSITY = "true_density"
_CEILING = "ceiling"
"""Stands where a source's kind stands in what is stored without one subject."""


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
    max_side_px: int = 1024
    threads: int = 2


@dataclass(frozen=True)
class _Plan:
    """Settings with everything that was left open filled in.

    ``rules`` hold but for sigma, which is that of each image where it is in degrees.
    """

    rules: Rules
    choices: GazeChoices
    sigma: float
    sigma_unit: str
    px_per_deg: float | None
    n_bootstrap: int
    settings_id: int
    hash: str


@dataclass(frozen=True)
class _People:
    """Everybody who looked under one task; ``sigma_px`` of each image, image px."""

    task: str
    tables: dict[int, FixationTable]
    sigma_px: dict[int, float]
    others: OtherImages
    digest: str
    n_subjects: int


@dataclass(frozen=True)
class _Unit:
    """One image under one task, ready to be scored."""

    image: ImageRow
    task: str
    job: ImageJob
    rules: Rules
    inputs_hash: str

    @property
    def name(self) -> str:
        """What the unit is called in progress and problems."""
        return f"{self.task} · {self.image.name}"


def score(project: Project, settings: ScoreSettings, progress: Progress) -> Summary:
    """Score all models, baselines and people, image by image, then summarise over images.

    One unit is (image, task): all its scores and ceilings are stored together. Units that were scored
    with the same settings, fixations and maps are skipped; those whose inputs changed are replaced.
    The summary is made once all units are there. Where the project weighs fixations by duration, the human
    maps of CC, Spearman, SIM, KL and EMD are weighted; NSS and the AUCs count every fixation the same.

    Returns
    -------
    Summary
        ``details`` has the ``preset``, the ``tasks``, the smallest and largest ``sigma_px_range`` of the
        images (and ``sigma_px`` where it is one), and ``images_without_fixations`` by task.

    Raises
    ------
    GazeError
        If a setting makes no sense, no image has fixations, or sigma is in degrees and the px per degree
        of a recording are not known.
    """
    plan, states = _plan(project, settings), gaze_states(project)
    groups = [_people(project, plan, task) for task in settings.tasks or project.tasks.all()]
    groups = [people for people in groups if people.tables]
    if not groups:
        raise GazeError(
            "No image of the project has fixations, so there is nothing to score against.",
            where=str(project.path) if not settings.tasks else ", ".join(settings.tasks),
            todo="Import recordings first, with `gazeapp import-gaze` or by dropping them on the window.",
        )
    images = {image.id: image for image in project.images.all()}
    tally = Tally(project, VERB, progress, sum(len(people.tables) for people in groups))
    for people in groups:
        _score_task(project, plan, people, images, tally, max(1, settings.threads))
    if not tally.cancelled:
        for people in groups:
            _summarise(project, plan, people, tally)
        remember_scored(project, plan.rules.preset.id, {group.task: states[group.task] for group in groups})
    sigmas = [sigma for people in groups for sigma in people.sigma_px.values()]
    return tally.summary(
        preset=plan.rules.preset.id,
        sigma_px=sigmas[0] if min(sigmas) == max(sigmas) else None,
        sigma_px_range=[min(sigmas), max(sigmas)],
        tasks=[people.task for people in groups],
        images_without_fixations={
            people.task: len(images) - len(people.tables)
            for people in groups
            if len(people.tables) < len(images)
        },
    )


def _plan(project: Project, settings: ScoreSettings) -> _Plan:
    unknown = [metric for metric in settings.metrics if metric not in METRICS]
    if unknown:
        raise GazeError(
            f"There is no metric called '{', '.join(unknown)}'.", todo=f"Choose from: {', '.join(METRICS)}."
        )
    for name, value in (("splits", settings.n_splits), ("resamples", settings.n_bootstrap)):
        if value < 1:
            raise GazeError(f"The number of {name} must be at least 1, not {value}.")
    if settings.max_side_px < 1:
        raise GazeError(f"The longest side that is scored must be at least 1 px, not {settings.max_side_px}.")
    if settings.seed < 0:
        raise GazeError(f"The seed must be at least 0, not {settings.seed}.")
    choices = choices_of(project)
    sigma, unit = float(choices.sigma), choices.sigma_unit
    if settings.sigma is not None:
        sigma, unit = float(settings.sigma), settings.sigma_unit
    per_degree = settings.px_per_deg if unit == "deg" else None
    Sigma(sigma, unit, 1.0 if per_degree is None else per_degree)  # says what is wrong with a sigma
    conventions = preset(settings.preset)
    chosen = settings.metrics or conventions.metrics
    rules = Rules(
        preset=conventions,
        metrics=tuple(metric for metric in METRICS if metric in chosen),
        n_splits=settings.n_splits,
        seed=settings.seed,
        max_side_px=settings.max_side_px,
    )
    values: Json = {
        "formulas": FORMULAS,
        "preset": rules.preset.id,
        "sigma": sigma,
        "sigma_unit": unit,
        "metrics": list(rules.metrics),
        "n_splits": rules.n_splits,
        "n_bootstrap": settings.n_bootstrap,
        "seed": rules.seed,
        "max_side_px": rules.max_side_px,
    }
    # Only what differs from the plain case is said, so that plain scores keep the hash that they had.
    if per_degree is not None:
        values["px_per_deg"] = per_degree
    if choices.weighting == "duration":
        values["weighting"] = choices.weighting
    settings_id = project.settings.put(VERB, values)
    return _Plan(
        rules,
        choices,
        sigma,
        unit,
        per_degree,
        settings.n_bootstrap,
        settings_id,
        settings_hash(VERB, values),
    )


def _sigma_px(project: Project, plan: _Plan, task: str, image_ids: Sequence[int]) -> dict[int, float]:
    """Return the standard deviation of the human maps of a task's images, image px, by image id."""
    if plan.sigma_unit == "px" or plan.px_per_deg is not None:
        one = Sigma(plan.sigma, plan.sigma_unit, plan.px_per_deg).in_pixels()
        return dict.fromkeys(image_ids, one)
    made = HumanMaps(project)
    return {
        image_id: Sigma(plan.sigma, "deg", made.px_per_degree(image_id, task)).in_pixels()
        for image_id in image_ids
    }


def _people(project: Project, plan: _Plan, task: str) -> _People:
    project.tasks.id_of(task)
    looked = sorted(image_id for (image_id, name), n in project.gaze.counts().items() if name == task and n)
    tables = {image_id: project.gaze.fixations(image_id, task) for image_id in looked}
    sizes = {image.id: image for image in project.images.all()}
    digest = hashlib.sha256()
    positions = {}
    for image_id, table in tables.items():
        digest.update(f"{image_id}:".encode() + table.x.tobytes() + table.y.tobytes())
        image = sizes[image_id]
        positions[image_id] = Positions(table.x / image.width, table.y / image.height)
    subjects = {str(name) for table in tables.values() for name in np.unique(table.subject)}
    sigma_px = _sigma_px(project, plan, task, looked)
    return _People(task, tables, sigma_px, OtherImages(positions), digest.hexdigest(), len(subjects))


def _score_task(
    project: Project, plan: _Plan, people: _People, images: dict[int, ImageRow], tally: Tally, threads: int
) -> None:
    """Score the task's images on a few threads; this one reads and writes the project."""
    there = project.scores.inputs(plan.hash)
    running: deque[tuple[_Unit, Future[ImageScores]]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="score") as pool:
        for unit in _units(project, plan, people, images):
            if there.get((unit.image.id, unit.task)) == unit.inputs_hash:
                tally.skip(unit.name)
                continue
            if tally.should_stop():
                break
            running.append((unit, pool.submit(score_image, unit.job, unit.rules)))
            if len(running) > threads:
                _store(project, plan, *running.popleft(), tally)
        while running:
            _store(project, plan, *running.popleft(), tally)


def _units(project: Project, plan: _Plan, people: _People, images: dict[int, ImageRow]) -> Iterator[_Unit]:
    kinds = {model.id: model.kind for model in project.runs.models()}
    runs: dict[int, list[RunRow]] = {}
    for run in project.runs.all(task=people.task, lesion=None):
        runs.setdefault(run.image_id, []).append(run)
    for image_id in sorted(people.tables, key=lambda key: images[key].name):
        image, table, own = images[image_id], people.tables[image_id], runs.get(image_id, [])
        seed = zlib.crc32(f"{image.sha256}/{people.task}".encode())
        maps = []
        for run in own:
            stored = project.maps.mean_of_run(run.id)
            maps.append(SourceMap(_source(run, kinds[run.model]), stored.values, stored.rect))
        job = ImageJob(
            image.id,
            image.width,
            image.height,
            table.x,
            table.y,
            table.subject,
            tuple(maps),
            people.others,
            seed,
            _weights(table, plan.choices),
        )
        rules = replace(plan.rules, sigma_px=people.sigma_px[image_id])
        yield _Unit(image, people.task, job, rules, _inputs_hash(plan, people, job, own))


def _weights(table: FixationTable, choices: GazeChoices) -> DoubleArray | None:
    """Return what each fixation counts in human maps, shape (n,), or None when the project weighs none.

    Where durations are equal or unknown, weights are 1, so that all images of the task are scored alike.
    """
    if choices.weighting == "equal":
        return None
    weights = weights_of(table, choices)
    return np.ones(len(table)) if weights is None else weights


def _source(run: RunRow, kind: str) -> Source:
    if kind == TRUTH:
        return Source(TRUTH, TRUE_DENSITY, run.method, run.lesion)
    return Source(MODEL, run.model, run.method, run.lesion)


def _inputs_hash(plan: _Plan, people: _People, job: ImageJob, runs: list[RunRow]) -> str:
    """Return a hash of what the unit's numbers depend on beside the settings."""
    digest = hashlib.sha256(people.digest.encode())
    digest.update("\0".join(job.subject.tolist()).encode())
    digest.update(repr([run.id for run in runs]).encode())
    if plan.sigma_unit == "deg":
        digest.update(repr(people.sigma_px[job.key]).encode())
    if job.weights is not None:
        digest.update(job.weights.tobytes())
    return digest.hexdigest()[:16]


def _store(project: Project, plan: _Plan, unit: _Unit, future: Future[ImageScores], tally: Tally) -> None:
    with tally.unit(unit.name):
        try:
            found = future.result()
        except GazeError:
            # Scores of fixations or maps that are no longer there must not stand in for the missing ones.
            project.scores.remove_units([(unit.image.id, unit.task)], plan.hash)
            raise
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
            CeilingRow(
                unit.image.id, unit.task, metric, name, estimator, value, found.n_subjects, settings_id
            )
            for (metric, estimator), value in found.ceilings.items()
        ]
        project.scores.put_unit(scores, ceilings, unit.inputs_hash, _people_parts(unit, found, settings_id))


def _people_parts(unit: _Unit, found: ImageScores, settings_id: int) -> PeoplePartsRow | None:
    """Return the unit's numbers without each subject, or None when too few looked at the image."""
    rows = {
        (source.kind, source.id, source.method, source.lesion, metric): column
        for source, columns in found.scores_without.items()
        for metric, column in columns.items()
    }
    for (metric, estimator), column in found.ceilings_without.items():
        rows[_CEILING, estimator, "", "", metric] = column
    rows = {key: column for key, column in rows.items() if np.isfinite(column).any()}
    if not rows:
        return None
    values = np.stack(list(rows.values())).astype(np.float32)
    return PeoplePartsRow(unit.image.id, unit.task, found.subjects, tuple(rows), values, settings_id)


def _summarise(project: Project, plan: _Plan, people: _People, tally: Tally) -> None:
    gone = [
        key
        for key in project.scores.inputs(plan.hash)
        if key[1] == people.task and key[0] not in people.tables
    ]
    place = {image_id: k for k, image_id in enumerate(sorted(people.tables))}
    n_people = np.array([len(np.unique(people.tables[image_id].subject)) for image_id in place])
    name = plan.rules.preset.id
    with project.transaction():
        project.scores.remove_units(gone, plan.hash)
        scores, parts = _columns(project, plan, people.task, place)
        without = _without(project, plan, people, place)
        found = summarise_task(scores, parts, n_people, plan.n_bootstrap, plan.rules.seed, without)
        rows = [
            SummaryRow(
                *(
                    row.source.kind,
                    row.source.id,
                    people.task,
                    row.source.method,
                    row.source.lesion,
                    row.metric,
                ),
                *(
                    name,
                    row.share.n_images,
                    people.n_subjects,
                    row.share.mean,
                    row.share.ceiling,
                    row.estimator,
                ),
                *(row.chance, row.share.percent, row.share.low, row.share.high, plan.settings_id),
            )
            for row in found
        ]
        project.scores.put_summary(name, [people.task], rows, plan.settings_id)
    project.problems.clear(VERB, people.task)
    say_what_is_missing(
        tally, people.task, plan.rules.preset, n_people, people.n_subjects, found, _untimed(plan, people)
    )


def _untimed(plan: _Plan, people: _People) -> int:
    """Return how many fixations have no duration to be weighted by."""
    if plan.choices.weighting == "equal":
        return 0
    return sum(int((~(table.duration_ms > 0)).sum()) for table in people.tables.values())


def _columns(
    project: Project, plan: _Plan, task: str, place: dict[int, int]
) -> tuple[dict[Source, dict[str, DoubleArray]], dict[tuple[str, str], DoubleArray]]:
    """Return the stored scores and ceiling parts of a task as columns over its images."""
    scores: dict[Source, dict[str, DoubleArray]] = {}
    parts: dict[tuple[str, str], DoubleArray] = {}
    for row in project.scores.all(settings_hash=plan.hash):
        if row.task == task:
            source = Source(row.source_kind, row.source, row.method, row.lesion)
            column = scores.setdefault(source, {}).setdefault(row.metric, np.full(len(place), np.nan))
            column[place[row.image_id]] = np.nan if row.value is None else row.value
    for part in project.scores.ceilings(settings_hash=plan.hash):
        if part.task == task and part.value is not None:
            column = parts.setdefault((part.metric, part.estimator), np.full(len(place), np.nan))
            column[place[part.image_id]] = part.value
    return scores, parts


def _without(project: Project, plan: _Plan, people: _People, place: dict[int, int]) -> Without:
    """Return what is stored without one subject, one entry for each image and subject who looked at it.

    An image that too few people looked at has nothing without one of them, but keeps its entries.
    """
    stored = {row.image_id: row for row in project.scores.people_parts(people.task, plan.hash)}
    looked = {image_id: np.unique(people.tables[image_id].subject) for image_id in place}
    names = np.concatenate(list(looked.values()))
    counts = [len(looked[image_id]) for image_id in place]
    starts = dict(zip(place, np.cumsum([0, *counts]), strict=False))
    scores: dict[Source, dict[str, DoubleArray]] = {}
    parts: dict[tuple[str, str], DoubleArray] = {}
    for image_id, row in stored.items():
        if row.subjects != tuple(looked[image_id].tolist()):
            continue  # of fixations that have changed since, and whose scoring failed
        own = slice(starts[image_id], starts[image_id] + len(row.subjects))
        for (kind, source, method, lesion, metric), values in zip(row.columns, row.values, strict=True):
            nothing = np.full(len(names), np.nan)
            if kind == _CEILING:
                column = parts.setdefault((metric, source), nothing)
            else:
                column = scores.setdefault(Source(kind, source, method, lesion), {}).setdefault(
                    metric, nothing
                )
            column[own] = values
    image = np.repeat(np.arange(len(place)), counts)
    return Without(image, np.unique(names, return_inverse=True)[1], scores, parts)
