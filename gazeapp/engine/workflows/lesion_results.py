"""Read what lesions did to a whole study, image by image, and tell what has changed since it was summed up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from gazeapp.engine.lesions.outcomes import OUTCOMES
from gazeapp.engine.project import LesionRow, Project
from gazeapp.engine.reports.numbers import count, listed
from gazeapp.engine.reports.results.data import Results
from gazeapp.engine.reports.results.lesions import LesionResults, OfTask
from gazeapp.engine.reports.results.read import read_results
from gazeapp.engine.workflows.lesion_findings import (
    image_ids,
    is_assessed,
    lesion_outcomes,
    score_outcomes,
)
from gazeapp.engine.workflows.lesion_scores import scored_plans
from gazeapp.engine.workflows.score_units import ScorePlan


def read_lesions(project: Project, preset: str) -> LesionResults:
    """Return the findings about lesions under a preset, with the values of every image behind them."""
    rows = project.lesions.all()
    results = read_results(project, preset, images=False)
    names = {image.id: image.name for image in project.images.all()}
    plans = scored_plans(project) if rows else {}
    of_tasks = dict(_of_tasks(project, rows, results, plans.get(preset)))
    return LesionResults(results, names, of_tasks, tuple(_older(project, rows, plans)))


def older_lesions(project: Project) -> tuple[str, ...]:
    """Return sentences on what has changed since findings about lesions, or the lesions themselves, were made."""
    rows = project.lesions.all()
    return tuple(_older(project, rows, scored_plans(project) if rows else {}))


def _of_tasks(
    project: Project, rows: Sequence[LesionRow], results: Results, plan: ScorePlan | None
) -> Iterator[tuple[str, OfTask]]:
    for task in results.tasks:
        own = [row for row in rows if row.task == task]
        if not own:
            continue
        made = [lesion_outcomes(own, task, outcome) for outcome in OUTCOMES]
        if plan is not None:
            made.append(score_outcomes(project, own, task, plan))
        yield task, OfTask(tuple(image_ids(own)), {one.outcome: one for one in made if one.values})


def _older(project: Project, rows: Sequence[LesionRow], plans: Mapping[str, ScorePlan]) -> Iterator[str]:
    """Yield sentences on what has changed since the findings, or the lesions themselves, were made."""
    if rows and not is_assessed(project, rows, plans):
        yield (
            "Means and tests are older than the lesions or the scores that they are made of: run the experiment again "
            "to renew them."
        )
    changed = _changed_masks(project, rows)
    if changed:
        were = "was" if len(changed) == 1 else "were"
        yield f"{listed(changed)} {were} drawn anew since: run the experiment again to renew."
    outdated = _outdated(project, rows)
    if outdated:
        yield (
            f"{count(outdated, 'caption')} that lesions were held against {'was' if outdated == 1 else 'were'} made "
            "anew since, or by other settings: those lesions do not count until the experiment is run again."
        )


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
