"""From stored scores of images to the summary of a task, and what a user has to know of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from gazeapp.engine.project import CEILING, Project, SummaryRow
from gazeapp.engine.reports.asked import left_behind_sentence
from gazeapp.engine.scoring.aggregate import Parts, SourceSummary, Without, summarise_task
from gazeapp.engine.scoring.sources import Source
from gazeapp.engine.types import DoubleArray, IntArray
from gazeapp.engine.workflows.base import Tally
from gazeapp.engine.workflows.score_notes import say_what_is_missing, say_without_gaze
from gazeapp.engine.workflows.score_units import ScorePlan, TaskPeople

VERB = "score"
_Key = TypeVar("_Key")


@dataclass(frozen=True)
class TaskScores:
    """All numbers of a task over its images.

    Parameters
    ----------
    people
        Who looked.
    place
        Index of each image in the columns, by image id.
    n_people
        People of each image, shape (n_images,).
    scores
        Source -> metric -> value of each image, shape (n_images,), NaN where there is none.
    parts
        (metric, estimator) -> each image's part of a ceiling, shape (n_images,).
    without
        The same without each subject in turn.
    found
        The summary.
    """

    people: TaskPeople
    place: Mapping[int, int]
    n_people: IntArray
    scores: Mapping[Source, Mapping[str, DoubleArray]]
    parts: Parts
    without: Without
    found: list[SourceSummary]


def summarise(
    project: Project, plan: ScorePlan, people: TaskPeople, numbers: Mapping[str, int], tally: Tally
) -> TaskScores:
    """Store the summary of a task over its images, and what a user has to know of it.

    ``numbers`` gives each subject a number, the same under every task.
    """
    gone = [
        key
        for key in project.scores.inputs(plan.hash)
        if key[1] == people.task and key[0] not in people.tables
    ]
    place = {image_id: k for k, image_id in enumerate(sorted(people.tables))}
    n_people = np.array([len(np.unique(people.tables[image_id].subject)) for image_id in place])
    with project.transaction():
        project.scores.remove_units(gone, plan.hash)
        scores, parts = _columns(project, plan, people.task, place)
        without = _without(project, plan, people, place, numbers)
        found = summarise_task(scores, parts, n_people, plan.n_bootstrap, plan.rules.seed, without)
        rows = [_row(plan, people, one) for one in found]
        project.scores.put_summary(plan.rules.preset.id, [people.task], rows, plan.settings_id)
    project.problems.clear(VERB, people.task)
    say_what_is_missing(
        tally,
        people.task,
        plan.rules.preset,
        n_people,
        people.n_subjects,
        people.n_unseen,
        found,
        scores,
        _untimed(plan, people),
    )
    _say_of_other_settings(project, people.task, tally)
    return TaskScores(people, place, n_people, scores, parts, without, found)


def say_of_tasks_without_gaze(project: Project, everyone: Iterable[TaskPeople], tally: Tally) -> None:
    """Say of which tasks the maps are not scored at all, because nobody's gaze belongs to them."""
    for people in everyone:
        if not people.tables:
            project.problems.clear(VERB, people.task)
            if people.runs:
                say_without_gaze(tally, people.task, len(people.runs))


def _say_of_other_settings(project: Project, task: str, tally: Tally) -> None:
    """Say which images of a model are not scored because it described them under other settings than the others."""
    names = {model.id: model.name for model in project.runs.models()}
    for model, name, method, n in project.runs.left_behind():
        if name == task:
            tally.problem(task, *left_behind_sentence(names[model], method, n))


def _row(plan: ScorePlan, people: TaskPeople, one: SourceSummary) -> SummaryRow:
    source, share = one.source, one.share
    return SummaryRow(
        source_kind=source.kind,
        source=source.id,
        task=people.task,
        method=source.method,
        lesion=source.lesion,
        metric=one.metric,
        preset=plan.rules.preset.id,
        n_images=share.n_images,
        n_subjects=people.n_subjects,
        mean=share.mean,
        ceiling=share.ceiling,
        estimator=one.estimator,
        chance=one.chance,
        percent=share.percent,
        ci_low=share.low,
        ci_high=share.high,
        settings_id=plan.settings_id,
        interval=share.method,
    )


def _untimed(plan: ScorePlan, people: TaskPeople) -> int:
    """Return how many fixations have no duration to be weighted by."""
    if plan.choices.weighting == "equal":
        return 0
    return sum(int((~(table.duration_ms > 0)).sum()) for table in people.tables.values())


def _columns(
    project: Project, plan: ScorePlan, task: str, place: dict[int, int]
) -> tuple[dict[Source, dict[str, DoubleArray]], dict[tuple[str, str], DoubleArray]]:
    """Return the stored scores and ceiling parts of a task as columns over its images."""
    scores: dict[Source, dict[str, DoubleArray]] = {}
    parts: dict[tuple[str, str], DoubleArray] = {}
    for row in project.scores.each(settings_hash=plan.hash):
        if row.task == task:
            source = Source(row.source_kind, row.source, row.method, row.lesion)
            column = _column(scores.setdefault(source, {}), row.metric, len(place))
            column[place[row.image_id]] = np.nan if row.value is None else row.value
    for part in project.scores.ceilings(settings_hash=plan.hash):
        if part.task == task and part.value is not None:
            column = _column(parts, (part.metric, part.estimator), len(place))
            column[place[part.image_id]] = part.value
    return scores, parts


def _column(columns: dict[_Key, DoubleArray], key: _Key, n: int) -> DoubleArray:
    """Return the column of that key, made of ``n`` missing numbers where it is not there yet."""
    if key not in columns:
        columns[key] = np.full(n, np.nan)
    return columns[key]


def _without(
    project: Project,
    plan: ScorePlan,
    people: TaskPeople,
    place: dict[int, int],
    numbers: Mapping[str, int],
) -> Without:
    """Return what is stored without one subject, one entry for each image and subject who looked at it.

    An image that too few people looked at has nothing without one of them, but keeps its entries.
    """
    looked = {image_id: np.unique(people.tables[image_id].subject) for image_id in place}
    names = np.concatenate(list(looked.values()))
    counts = [len(looked[image_id]) for image_id in place]
    starts = dict(zip(place, np.cumsum([0, *counts]), strict=False))
    scores: dict[Source, dict[str, DoubleArray]] = {}
    parts: dict[tuple[str, str], DoubleArray] = {}
    for row in project.scores.people_parts(people.task, plan.hash):
        image_id = row.image_id
        if row.subjects != tuple(looked[image_id].tolist()):
            continue  # of fixations that have changed since, and whose scoring failed
        own = slice(starts[image_id], starts[image_id] + len(row.subjects))
        for (kind, source, method, lesion, metric), values in zip(row.columns, row.values, strict=True):
            if kind == CEILING:
                column = _column(parts, (metric, source), len(names))
            else:
                of_source = scores.setdefault(Source(kind, source, method, lesion), {})
                column = _column(of_source, metric, len(names))
            column[own] = values
    image = np.repeat(np.arange(len(place)), counts)
    return Without(image, np.array([numbers[name] for name in names.tolist()]), scores, parts)
