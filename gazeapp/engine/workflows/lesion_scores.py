"""How well maps under lesions agree with people, beside the intact ones."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

from threadpoolctl import threadpool_limits

from gazeapp.engine.errors import GazeError
from gazeapp.engine.project import ImageRow, LesionRow, Project, StoredMap
from gazeapp.engine.scoring.densities.of_image import INFORMATION
from gazeapp.engine.scoring.image import ImageJob, score_maps
from gazeapp.engine.scoring.sources import MODEL, Source, SourceMap
from gazeapp.engine.types import Json
from gazeapp.engine.workflows.base import Progress
from gazeapp.engine.workflows.score import ScoreSettings, score_plan
from gazeapp.engine.workflows.score_units import ScorePlan, TaskPeople, task_people, weights_in

INTACT = "intact"


def score_lesions(project: Project, rows: Sequence[LesionRow], progress: Progress) -> dict[str, ScorePlan]:
    """Score maps under lesions, and the intact ones, with the settings that the study was scored with.

    What was scored before with the same settings, fixations and weights is not scored again. Only the primary metric of
    each preset is scored; where that needs maps as densities, CC is.

    Parameters
    ----------
    project
        The project; without scores nothing is done.
    rows
        What lesions did.
    progress
        Told after each image.

    Returns
    -------
    dict
        Preset -> how its scores were made, for presets that the study was scored with.
    """
    plans = scored_plans(project)
    images = {image.id: image for image in project.images.all()}
    for preset, plan in plans.items():
        for task in sorted({row.task for row in rows}):
            people = task_people(project, plan, task, images)
            inputs = _inputs(plan, people)
            there = project.lesions.scored(preset, inputs)
            left: dict[int, list[LesionRow]] = {}
            for row in rows:
                if row.task == task and row.image_id in people.tables and row.id not in there:
                    left.setdefault(row.image_id, []).append(row)
            with threadpool_limits(1, "blas"):
                for done, (image_id, own) in enumerate(left.items(), start=1):
                    if progress.cancelled:
                        return plans
                    found = _score_image(project, plan, people, images[image_id], own)
                    project.lesions.put_scores(preset, found, inputs)
                    progress.report(done, len(left), f"{task} · {images[image_id].name}")
    return plans


def scored_plans(project: Project) -> dict[str, ScorePlan]:
    """Return how the study was scored, by preset, with the one metric that lesions are scored by."""
    newest: dict[str, int] = {}
    for row in project.scores.summary():
        newest[row.preset] = max(newest.get(row.preset, 0), row.settings_id)
    plans = {}
    for preset, settings_id in newest.items():
        values = project.settings.get(settings_id).values
        plan = score_plan(project, _settings(values))
        metric = "cc" if plan.primary in INFORMATION else plan.primary
        # Maps under lesions are taken as they are: conversions to densities are fitted on intact maps.
        plans[preset] = replace(
            plan, rules=replace(plan.rules, metrics=(metric,), transform="none"), primary=metric
        )
    return plans


def _settings(values: Json) -> ScoreSettings:
    known = {one.name for one in fields(ScoreSettings)} & set(values)
    found: dict[str, Any] = {name: values[name] for name in known}
    return ScoreSettings(**{**found, "metrics": tuple(values["metrics"])})


def _inputs(plan: ScorePlan, people: TaskPeople) -> str:
    digest = hashlib.sha256(f"{plan.hash} {plan.primary} {people.digest}".encode())
    digest.update(repr(sorted(people.sigma_px.items())).encode())
    for image_id in people.tables:
        weights = weights_in(plan, people, image_id)
        if weights is not None:
            digest.update(weights.tobytes())
    return digest.hexdigest()[:16]


def _score_image(
    project: Project, plan: ScorePlan, people: TaskPeople, image: ImageRow, rows: Sequence[LesionRow]
) -> list[tuple[int, str, float, float]]:
    """Return (lesion run, metric, score under the lesion, intact) of one image."""
    maps: dict[bytes, SourceMap] = {}

    def name(stored: StoredMap) -> Source:
        """Name a map; the same map under another lesion is scored once."""
        content = repr(stored.rect).encode() + stored.values.tobytes()
        if content not in maps:
            maps[content] = SourceMap(Source(MODEL, str(len(maps))), stored.values, stored.rect)
        return maps[content].source

    intact = {run: name(project.maps.mean_of_run(run)) for run in {row.run_id for row in rows}}
    # What was seen on the mirrored image is nothing that people looked at.
    maps_of = {row.id: project.lesions.map_of(row.id) for row in rows if row.key.control != "flipped"}
    own = {id_: name(stored) for id_, stored in maps_of.items() if stored.values.any()}
    table = people.tables[image.id]
    job = ImageJob(
        image.id,
        image.width,
        image.height,
        table.x,
        table.y,
        table.subject,
        tuple(maps.values()),
        people.others,
        weights=weights_in(plan, people, image.id),
    )
    metric, nan = plan.primary, float("nan")
    try:
        scores = score_maps(job, replace(plan.rules, sigma_px=people.sigma_px[image.id]))
    except GazeError:
        scores = {}
    return [
        (
            row.id,
            metric,
            scores.get(own[row.id], {}).get(metric, nan) if row.id in own else nan,
            scores.get(intact[row.run_id], {}).get(metric, nan),
        )
        for row in rows
    ]
