"""Read what lesions did to a whole study, image by image, and tell what has changed since it was summed up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gazeapp.engine.lesions.outcomes import OUTCOMES
from gazeapp.engine.project import LesionRow, Project
from gazeapp.engine.reports.numbers import count, listed
from gazeapp.engine.reports.results.data import Results
from gazeapp.engine.reports.results.lesions import LesionResults, OfTask
from gazeapp.engine.reports.results.read import read_results
from gazeapp.engine.scoring.analyses.neglect_outcomes import Condition, lesion_label
from gazeapp.engine.scoring.findings import LESION
from gazeapp.engine.workflows.lesion_findings import (
    image_ids,
    lesion_outcomes,
    names_of_models,
    score_outcomes,
)
from gazeapp.engine.workflows.lesion_scores import scored_plans

_ALWAYS = "log_probability_drop"
"""The outcome that every lesion has on every image."""


def read_lesions(project: Project, preset: str) -> LesionResults:
    """Return the findings about lesions under a preset, with the values of every image behind them."""
    rows = project.lesions.all()
    results = read_results(project, preset, images=False)
    names = {image.id: image.name for image in project.images.all()}
    of_tasks = dict(_of_tasks(project, rows, results)) if rows else {}
    return LesionResults(results, names, of_tasks, tuple(_older(project, rows, results)))


def _of_tasks(project: Project, rows: Sequence[LesionRow], results: Results) -> Iterator[tuple[str, OfTask]]:
    plan = scored_plans(project).get(results.preset)
    for task in results.tasks:
        own = [row for row in rows if row.task == task]
        if not own:
            continue
        made = [lesion_outcomes(own, task, outcome) for outcome in OUTCOMES]
        if plan is not None:
            made.append(score_outcomes(project, own, task, plan))
        yield task, OfTask(tuple(image_ids(own)), {one.outcome: one for one in made if one.values})


def _older(project: Project, rows: Sequence[LesionRow], results: Results) -> Iterator[str]:
    """Yield sentences on what has changed since the findings, or the lesions themselves, were made."""
    if rows and _counts(rows) != _found(results):
        yield "Lesions have come or gone since means and tests were made: run the experiment again to renew them."
    changed = _changed_masks(project, rows)
    if changed:
        yield f"{listed(changed)} {'was' if len(changed) == 1 else 'were'} drawn anew since: run it again to renew."
    outdated = _outdated(project, rows)
    if outdated:
        yield (
            f"{count(outdated, 'caption')} that lesions were held against {'was' if outdated == 1 else 'were'} made "
            "anew since, or by other settings: those lesions do not count until the experiment is run again."
        )


def _counts(rows: Sequence[LesionRow]) -> dict[tuple[str, str, str], int]:
    """Return (task, model, lesion) -> number of images."""
    names = names_of_models(rows)
    counts: dict[tuple[str, str, str], int] = {}
    for row in rows:
        key = row.key
        if key.control:
            continue
        label = lesion_label(Condition(key.mask, scope=key.scope, strength=key.strength))
        about = row.task, names[row.model, row.method], label
        counts[about] = counts.get(about, 0) + 1
    return counts


def _found(results: Results) -> dict[tuple[str, str, str], int]:
    """Return the same of the findings."""
    found = (row.finding for row in results.findings)
    return {
        (one.task, one.term, one.lesion): one.n_images
        for one in found
        if one.analysis == LESION and one.metric == _ALWAYS and not one.against
    }


def _changed_masks(project: Project, rows: Sequence[LesionRow]) -> list[str]:
    """Return the masks of the library that are other ones now than those that were taken away."""
    counted = {row.id for row in rows if not row.key.control}
    found = project.db.execute(
        "SELECT l.id, l.mask FROM lesion_runs l JOIN runs r ON r.id = l.run_id JOIN masks m ON m.name = l.mask "
        "JOIN mask_images i ON i.mask_id = m.id AND i.image_id = r.image_id "
        "WHERE l.control = '' AND i.sha256 <> l.mask_sha256"
    )
    return sorted({f"“{mask}”" for id_, mask in found if id_ in counted})


def _outdated(project: Project, rows: Sequence[LesionRow]) -> int:
    """Return how many (image, model, task) have lesions of which none counts any more."""
    there = {(row.image_id, row.model, row.task) for row in rows}
    stored = project.db.execute(
        "SELECT DISTINCT r.image_id, r.model, t.name FROM lesion_runs l JOIN runs r ON r.id = l.run_id "
        "JOIN tasks t ON t.id = r.task_id"
    )
    return sum(tuple(row) not in there for row in stored)
