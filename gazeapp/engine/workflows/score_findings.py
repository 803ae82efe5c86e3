"""What a whole study shows: differences between models, what encoder and decoder contribute, what the task does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from gazeapp.engine.models.given import is_given
from gazeapp.engine.project import Project
from gazeapp.engine.project.rows import ModelRow
from gazeapp.engine.scoring.aggregate import ceiling_mark
from gazeapp.engine.scoring.analyses.by_task import factorial_by_task, model_by_task
from gazeapp.engine.scoring.analyses.factorial import DESIGN, PERCENT, Design, factorial
from gazeapp.engine.scoring.baselines.from_fixations import CENTRE_BIAS
from gazeapp.engine.scoring.ceilings.observers import ObserverCurve
from gazeapp.engine.scoring.facts import metric_facts
from gazeapp.engine.scoring.findings import DIFFERENCE, FACTORIAL, MODEL_TASK, OBSERVERS, Finding
from gazeapp.engine.scoring.sources import BASELINE, MODEL, Source, model_names
from gazeapp.engine.scoring.statistics.pairs import differences, holm, percent_differences
from gazeapp.engine.scoring.statistics.scored import HeldAgainst, Scored
from gazeapp.engine.scoring.statistics.two_way import LeftOutRows
from gazeapp.engine.types import DoubleArray, IntArray
from gazeapp.engine.workflows.score_summary import TaskScores
from gazeapp.engine.workflows.score_units import ScorePlan
from gazeapp.engine.workflows.trained_alike import not_trained_alike

ANALYSES = (DIFFERENCE, FACTORIAL, MODEL_TASK, OBSERVERS)


def find(project: Project, plan: ScorePlan, tasks: Sequence[TaskScores]) -> None:
    """Store the findings of a study, in place of earlier ones of the preset."""
    models = {model.id: model for model in project.runs.models() if model.encoder and model.decoder}
    found = [finding for metric in plan.rules.metrics for finding in _of_metric(plan, metric, tasks, models)]
    found += [finding for one in tasks for finding in _observers(one)]
    project.findings.put_findings(ANALYSES, plan.rules.preset.id, found, plan.settings_id)


def _of_metric(
    plan: ScorePlan, metric: str, tasks: Sequence[TaskScores], models: Mapping[str, ModelRow]
) -> Iterator[Finding]:
    for given in (False, True):
        yield from _of_kind(plan, metric, tasks, models, given)


def _of_kind(
    plan: ScorePlan, metric: str, tasks: Sequence[TaskScores], models: Mapping[str, ModelRow], given: bool
) -> Iterator[Finding]:
    """Yield findings on maps along captions that models chose, or on those along given ones: the two are never mixed.

    Maps along given captions have names of their own, which no design knows: effects of encoder and decoder are of
    free maps alone.
    """
    design = {name: (model.encoder, model.decoder) for name, model in models.items()}
    unit = metric_facts(metric, plan.rules.preset.id).unit
    how = (plan.n_bootstrap, plan.rules.seed)
    places = {image_id: k for k, image_id in enumerate(sorted({key for one in tasks for key in one.place}))}
    by_task: dict[str, Scored] = {}
    for one in tasks:
        task = one.people.task
        scored = _scored(one, metric, _models(one, given), places)
        if not scored.sources:
            continue
        by_task[task] = scored
        pairs = differences(scored.scores, *how, scored.left_out)
        yield from (pair.finding(task, metric, unit) for pair in pairs)
        yield from (pair.finding(task, metric, PERCENT) for pair in percent_differences(scored, *how))
        yield from _above_centre(plan, one, metric, unit, places, given)
        if _is_crossed(design, scored.sources):
            remark = not_trained_alike(models[name] for name in scored.sources if name in models)
            yield from _with_remark(factorial(scored, design, task, metric, unit, *how), remark)
    if len(by_task) > 1:
        yield from model_by_task(by_task, metric, unit, *how)
        if all(_is_crossed(design, scored.sources) for scored in by_task.values()):
            yield from factorial_by_task(by_task, design, metric, unit, *how)


def _with_remark(found: list[Finding], remark: str) -> list[Finding]:
    """Return the findings of a design with a remark more."""
    if not remark or not found:
        return found
    first = found[0]
    if first.term == DESIGN:
        return [replace(first, note=f"{first.note} {remark}"), *found[1:]]
    about = Finding(FACTORIAL, first.task, first.metric, DESIGN, unit=first.unit, note=remark)
    return [replace(about, n_images=first.n_images), *found]


def _observers(one: TaskScores) -> list[Finding]:
    """Return how well people are predicted from more and more others."""
    curve = ObserverCurve()
    columns = {
        (metric, int(estimator.removeprefix(f"{OBSERVERS}_"))): column
        for (metric, estimator), column in one.parts.items()
        if estimator.startswith(f"{OBSERVERS}_")
    }
    for image in range(len(one.place)):
        curve.add({key: float(column[image]) for key, column in columns.items()})
    looked = {
        key: one.without.subject[np.isfinite(column)[one.without.image]] for key, column in columns.items()
    }
    return curve.findings(one.people.task, {key: len(np.unique(who)) for key, who in looked.items()})


def _above_centre(
    plan: ScorePlan, one: TaskScores, metric: str, unit: str, places: Mapping[int, int], given: bool
) -> list[Finding]:
    """Return each model minus the centre bias, in the metric's unit and in percent, corrected for their number."""
    centre = Source(BASELINE, CENTRE_BIAS)
    if centre not in one.scores:
        return []
    how = (plan.n_bootstrap, plan.rules.seed)
    found: list[Finding] = []
    in_percent: list[Finding] = []
    for model, source in _models(one, given).items():
        pair = _scored(one, metric, {model: source, CENTRE_BIAS: centre}, places)
        for difference in differences(pair.scores, *how, pair.left_out):
            found.append(difference.finding(one.people.task, metric, unit))
        for difference in percent_differences(pair, *how):
            in_percent.append(difference.finding(one.people.task, metric, PERCENT))
    return [*_corrected(found), *_corrected(in_percent)]


def _corrected(found: Sequence[Finding]) -> list[Finding]:
    """Return findings with their p corrected for the number of them."""
    corrected = holm([finding.p for finding in found])
    return [replace(finding, p_holm=p) for finding, p in zip(found, corrected, strict=True)]


def _models(one: TaskScores, given: bool) -> dict[str, Source]:
    """Return the models whose maps were scored as they are, by what findings call them.

    ``given``: those of maps along given captions, else those of maps along captions that models chose themselves.
    """
    sources = sorted(source for source in one.scores if source.kind == MODEL and not source.lesion)
    names = model_names((source.id, source.method) for source in sources)
    return {names[source.id, source.method]: source for source in sources if is_given(source.method) == given}


def _is_crossed(design: Design, models: Sequence[str]) -> bool:
    """Return whether the models differ in encoder and in decoder."""
    known = [design[model] for model in models if model in design]
    return all(len({pair[factor] for pair in known}) > 1 for factor in (0, 1))


def _scored(one: TaskScores, metric: str, sources: Mapping[str, Source], places: Mapping[int, int]) -> Scored:
    """Return the scores of some sources by a metric, over the images of all tasks."""
    at = np.array([places[image_id] for image_id in one.place], dtype=np.int64)
    scores = {
        name: _spread(one.scores[source][metric], at, len(places))
        for name, source in sources.items()
        if metric in one.scores[source]
    }
    nothing = np.full(len(one.without.image), np.nan)
    left = [one.without.scores.get(sources[name], {}).get(metric, nothing) for name in scores]
    mark = ceiling_mark(metric, one.parts, one.n_people)
    held = None
    if mark is not None and np.isfinite(mark.chance):
        held = HeldAgainst(_spread(mark.columns, at, len(places)), mark.combine, mark.chance)
        rest = ceiling_mark(metric, one.without.parts, one.n_people[one.without.image] - 1)
        if rest is None or rest.estimator != mark.estimator:
            left = []
        else:
            left.append(rest.columns)
    known = [column for column in left if np.isfinite(column).any()]
    rows = None
    if known and len(left) == len(scores) + (held is not None):
        rows = LeftOutRows(at[one.without.image], one.without.subject, np.column_stack(left))
    return Scored(scores, held, rows)


def _spread(column: DoubleArray, at: IntArray, n: int) -> DoubleArray:
    """Return a column over the images of a task as one over the images of all tasks."""
    whole = np.full((n, *column.shape[1:]), np.nan)
    whole[at] = column
    return whole
