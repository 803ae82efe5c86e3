"""Score every map against the people who looked at the same image under the same task."""

from __future__ import annotations

import hashlib
import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from gazeapp.engine.errors import GazeError
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
from gazeapp.engine.project.settings import settings_hash
from gazeapp.engine.scoring.aggregate import SourceSummary, Without, summarise_task
from gazeapp.engine.scoring.baselines import OtherImages, Positions
from gazeapp.engine.scoring.ceilings import MIN_SUBJECTS_FOR_HALVES
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
from gazeapp.engine.scoring.statistics import MIN_PEOPLE
from gazeapp.engine.types import DoubleArray, Json
from gazeapp.engine.workflows.base import Progress, Summary, Tally

VERB = "score"
FORMULAS = 2
"""Raised when a formula changes, so that numbers of different formulas are never taken for each other."""
DEFAULT_SIGMA_PX = 24.0
TRUE_DENSITY = "true_density"
_CEILING = "ceiling"
"""Stands where a source's kind stands in what is stored without one subject."""


@dataclass(frozen=True)
class ScoreSettings:
    """How to score.

    Parameters
    ----------
    preset
        Conventions of the metrics: ``tuebingen`` or ``mit``.
    sigma, sigma_unit
        Standard deviation of the human maps' Gaussian, in ``px`` (image px) or ``deg``. None: that of
        the human maps made at import, or 24 px where there are none.
    px_per_deg
        Image px per degree of visual angle; needed for ``deg``.
    metrics
        Ids of the metrics.
    tasks
        Task names; empty means every task with fixations.
    n_splits
        Random halvings of the people for the ceilings.
    n_bootstrap
        Resamples of the images for the intervals.
    seed
        Seed of the halvings and the resamples.
    max_side_px
        Longest side that is scored, px; larger images are scored at this size.
    threads
        Images scored at the same time; not part of what identifies a result.
    """

    preset: str = "tuebingen"
    sigma: float | None = None
    sigma_unit: str = "px"
    px_per_deg: float | None = None
    metrics: tuple[str, ...] = tuple(METRICS)
    tasks: tuple[str, ...] = ()
    n_splits: int = 100
    n_bootstrap: int = 10_000
    seed: int = 0
    max_side_px: int = 1024
    threads: int = 2


@dataclass(frozen=True)
class _Plan:
    """Settings with everything that was left open filled in."""

    rules: Rules
    n_bootstrap: int
    settings_id: int
    hash: str


@dataclass(frozen=True)
class _People:
    """Everybody who looked under one task."""

    task: str
    tables: dict[int, FixationTable]
    others: OtherImages
    digest: str
    n_subjects: int


@dataclass(frozen=True)
class _Unit:
    """One image under one task, ready to be scored."""

    image: ImageRow
    task: str
    job: ImageJob
    inputs_hash: str

    @property
    def name(self) -> str:
        """What the unit is called in progress and problems."""
        return f"{self.task} · {self.image.name}"


def score(project: Project, settings: ScoreSettings, progress: Progress) -> Summary:
    """Score all models, baselines and people, image by image, then summarise over images.

    One unit is (image, task): all its scores and ceilings are stored together. Units that were scored
    with the same settings, fixations and maps are skipped; those whose inputs changed are replaced.
    The summary is made once all units are there.

    Raises
    ------
    GazeError
        If a setting makes no sense or no image has fixations.
    """
    plan = _plan(project, settings)
    groups = [_people(project, task) for task in settings.tasks or project.tasks.all()]
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
    return tally.summary(
        preset=plan.rules.preset.id,
        sigma_px=plan.rules.sigma_px,
        tasks=[people.task for people in groups],
        images_without_fixations={
            people.task: len(images) - len(people.tables)
            for people in groups
            if len(people.tables) < len(images)
        },
    )


def _plan(project: Project, settings: ScoreSettings) -> _Plan:
    unknown = [metric for metric in settings.metrics if metric not in METRICS]
    if unknown or not settings.metrics:
        raise GazeError(
            f"There is no metric called '{', '.join(unknown)}'." if unknown else "No metric was chosen.",
            todo=f"Choose from: {', '.join(METRICS)}.",
        )
    for name, value in (("splits", settings.n_splits), ("resamples", settings.n_bootstrap)):
        if value < 1:
            raise GazeError(f"The number of {name} must be at least 1, not {value}.")
    if settings.max_side_px < 1:
        raise GazeError(f"The longest side that is scored must be at least 1 px, not {settings.max_side_px}.")
    if settings.seed < 0:
        raise GazeError(f"The seed must be at least 0, not {settings.seed}.")
    rules = Rules(
        preset=preset(settings.preset),
        sigma_px=_sigma(project, settings).in_pixels(),
        metrics=tuple(metric for metric in METRICS if metric in settings.metrics),
        n_splits=settings.n_splits,
        seed=settings.seed,
        max_side_px=settings.max_side_px,
    )
    values: Json = {
        "formulas": FORMULAS,
        "preset": rules.preset.id,
        "sigma": rules.sigma_px,
        "sigma_unit": "px",
        "metrics": list(rules.metrics),
        "n_splits": rules.n_splits,
        "n_bootstrap": settings.n_bootstrap,
        "seed": rules.seed,
        "max_side_px": rules.max_side_px,
    }
    return _Plan(rules, settings.n_bootstrap, project.settings.put(VERB, values), settings_hash(VERB, values))


def _sigma(project: Project, settings: ScoreSettings) -> Sigma:
    """Return the blur that was asked for, or else that of the human maps that are shown."""
    if settings.sigma is not None:
        return Sigma(settings.sigma, settings.sigma_unit, settings.px_per_deg)
    for image_id, task in project.gaze.counts():
        shown = project.maps.human(image_id, task)
        if shown is not None:
            made = project.settings.get(shown.settings_id).values
            if "sigma" not in made:
                continue  # not made by an import
            ppd = settings.px_per_deg or made.get("px_per_deg")
            return Sigma(made["sigma"], made.get("sigma_unit", "px"), ppd)
    return Sigma(DEFAULT_SIGMA_PX)


def _people(project: Project, task: str) -> _People:
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
    return _People(task, tables, OtherImages(positions), digest.hexdigest(), len(subjects))


def _score_task(
    project: Project, plan: _Plan, people: _People, images: dict[int, ImageRow], tally: Tally, threads: int
) -> None:
    """Score the task's images on a few threads; this one reads and writes the project."""
    there = project.scores.inputs(plan.hash)
    running: deque[tuple[_Unit, Future[ImageScores]]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="score") as pool:
        for unit in _units(project, people, images):
            if there.get((unit.image.id, unit.task)) == unit.inputs_hash:
                tally.skip(unit.name)
                continue
            if tally.should_stop():
                break
            running.append((unit, pool.submit(score_image, unit.job, plan.rules)))
            if len(running) > threads:
                _store(project, plan, *running.popleft(), tally)
        while running:
            _store(project, plan, *running.popleft(), tally)


def _units(project: Project, people: _People, images: dict[int, ImageRow]) -> Iterator[_Unit]:
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
        )
        yield _Unit(image, people.task, job, _inputs_hash(people, table, own))


def _source(run: RunRow, kind: str) -> Source:
    if kind == TRUTH:
        return Source(TRUTH, TRUE_DENSITY, run.method, run.lesion)
    return Source(MODEL, run.model, run.method, run.lesion)


def _inputs_hash(people: _People, table: FixationTable, runs: list[RunRow]) -> str:
    """Return a hash of what the unit's numbers depend on beside the settings."""
    digest = hashlib.sha256(people.digest.encode())
    digest.update("\0".join(table.subject.tolist()).encode())
    digest.update(repr([run.id for run in runs]).encode())
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
    _say_what_is_missing(project, plan, people, n_people, _near_chance(found), tally)


def _near_chance(found: Sequence[SourceSummary]) -> list[str]:
    """Return the names of the metrics whose ceiling is not clearly above chance."""
    lost = {
        row.metric
        for row in found
        if row.estimator and row.chance is not None and row.share.n_images and np.isnan(row.share.percent)
    }
    return [facts.name for metric, facts in METRICS.items() if metric in lost]


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


def _say_what_is_missing(
    project: Project,
    plan: _Plan,
    people: _People,
    n_people: np.ndarray[tuple[int], np.dtype[np.int64]],
    near_chance: Sequence[str],
    tally: Tally,
) -> None:
    """Store a sentence for each reason why percentages are missing or rest on fewer images."""
    project.problems.clear(VERB, people.task)
    n = len(n_people)
    alone, few = int((n_people < 2).sum()), int((n_people < MIN_SUBJECTS_FOR_HALVES).sum())
    if alone:
        tally.problem(
            people.task,
            f"{alone} of {n} images were seen by one person only, so they have no human ceiling and are left out "
            "of the percentages.",
            "Import recordings of more people.",
        )
    if few > alone:
        cost = (
            "CC has no percentage, and NSS is held against its lower bound."
            if few == n
            else "they are left out of the percentages of NSS and CC."
        )
        tally.problem(
            people.task,
            f"{few} of {n} images were seen by fewer than {MIN_SUBJECTS_FOR_HALVES} people, too few to compare two "
            f"halves of them: {cost}",
            "Import recordings of more people.",
        )
    if 1 < people.n_subjects < MIN_PEOPLE:
        tally.problem(
            people.task,
            f"Only {people.n_subjects} people looked, too few to tell how much people differ: the intervals are about "
            "the images alone.",
            "Import recordings of more people.",
        )
    if near_chance:
        tally.problem(
            people.task,
            f"People do not agree clearly above chance in {', '.join(near_chance)}: the ceiling, or the lower end "
            "of its interval over images, is not above chance, so there is no percentage.",
            "Import recordings of more people or of more images.",
        )
    if len(people.tables) == 1:
        tally.problem(
            people.task,
            "Only one image has fixations, so there is no centre bias, no sAUC and no interval.",
            "Import recordings of more images.",
        )
    if plan.rules.preset.auc == "judd":
        tally.problem(
            people.task,
            "AUC-Judd of one person is not comparable with that of many, so the MIT preset has no ceiling for AUC.",
            "Use the preset tuebingen for percentages of AUC.",
        )
