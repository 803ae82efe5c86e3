"""What lesions did to a whole study: scores of the maps under them, effects against controls, tests."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from gazeapp.engine.errors import StoppedError
from gazeapp.engine.lesions.outcomes import OUTCOMES, SCORE_DROP, outcome_facts
from gazeapp.engine.project import LesionRow, Project
from gazeapp.engine.scoring.aggregate import ceiling_mark
from gazeapp.engine.scoring.analyses.factorial import Design
from gazeapp.engine.scoring.analyses.neglect import Condition, Outcomes, neglect_findings
from gazeapp.engine.scoring.facts import metric_facts
from gazeapp.engine.scoring.findings import (
    LESION,
    LESION_CONTROL,
    LESION_DOSE,
    LESION_FACTORIAL,
    LESION_SIDE,
    Finding,
)
from gazeapp.engine.scoring.statistics.scored import HeldAgainst
from gazeapp.engine.types import DoubleArray, Json
from gazeapp.engine.workflows.base import Progress
from gazeapp.engine.workflows.lesion_cuts import FLIPPED, NOTHING
from gazeapp.engine.workflows.lesion_scores import score_lesions
from gazeapp.engine.workflows.score_units import ScorePlan
from gazeapp.engine.workflows.trained_alike import not_trained_alike

VERB = "lesion"
ANALYSES = (LESION, LESION_CONTROL, LESION_SIDE, LESION_DOSE, LESION_FACTORIAL)
_NOOP = "lesion no-op"
_ASSESSED = "lesions assessed"
_FORMULAS = 3
"""Raised when findings are made in another way, so that they are made anew."""


def assess(project: Project, progress: Progress) -> None:
    """Score what lesions did to maps, and make the findings about the study; not again where nothing changed."""
    rows = project.lesions.all()
    plans = score_lesions(project, rows, progress)
    if progress.cancelled:
        return
    if is_assessed(project, rows, plans):
        return
    try:
        found = _all_findings(project, rows, plans, progress)
    except StoppedError:
        return
    with project.transaction():
        marks = ", ".join("?" * len(ANALYSES))
        project.db.execute(f"DELETE FROM findings WHERE analysis IN ({marks})", list(ANALYSES))
        for preset, findings in found.items():
            project.findings.put_findings(ANALYSES, preset, findings, max(row.settings_id for row in rows))
        project.settings.set_current(_ASSESSED, _state(project, rows, plans))
    _check_nothing(project, rows)


def is_assessed(project: Project, rows: Sequence[LesionRow], plans: Mapping[str, ScorePlan]) -> bool:
    """Return whether the findings of the project are those of all its lesions, and of their scores as they are now."""
    before = project.settings.current(_ASSESSED)
    known = before.values if before is not None else _state(project, [], {})
    return known == _state(project, rows, plans)


def _state(project: Project, rows: Sequence[LesionRow], plans: Mapping[str, ScorePlan]) -> Json:
    """Return what the findings follow from."""
    digest = hashlib.sha256()
    # Numbers of rows that were replaced are given again, so that they alone do not tell. Row by row, because other
    # threads stand still while one long text is made.
    for row in rows:
        digest.update(repr((row.id, row.outcomes)).encode())
    for preset, plan in sorted(plans.items()) if rows else ():
        digest.update(plan.hash.encode())
        for scored in sorted(project.lesions.scores(preset).items()):
            digest.update(repr(scored).encode())
    return {"formulas": _FORMULAS, "of": digest.hexdigest()}


def _all_findings(
    project: Project, rows: Sequence[LesionRow], plans: Mapping[str, ScorePlan], progress: Progress
) -> dict[str, list[Finding]]:
    """Return the findings by preset; those that need no scores stand under an empty one."""
    if not rows:
        return {}
    models = [model for model in project.runs.models() if model.encoder and model.decoder]
    cells = {model.id: (model.encoder, model.decoder) for model in models}
    found: dict[str, list[Finding]] = {preset: [] for preset in ("", *plans)}
    for task in sorted({row.task for row in rows}, key=list(project.tasks.all()).index):
        own = [row for row in rows if row.task == task]
        design = _design(own, cells)
        took_part = {row.model for row in own}
        alike = not_trained_alike(model for model in models if model.id in took_part)
        note = f"{_chosen(sorted(set(design) - set(cells)))} {alike}".strip()
        for outcome in OUTCOMES:
            if progress.cancelled:
                raise StoppedError
            progress.report(0, 0, f"{task} · {OUTCOMES[outcome].name}")
            found[""] += _findings(lesion_outcomes(own, task, outcome), design, note)
        for preset, plan in plans.items():
            found[preset] += _findings(score_outcomes(project, own, task, plan), design, note)
    return found


def lesion_outcomes(rows: Sequence[LesionRow], task: str, outcome: str) -> Outcomes:
    """Return an outcome of every lesion and control under one task, over the images of `rows` by id."""
    facts = outcome_facts(outcome)
    values = {row.id: row.outcomes[outcome] for row in rows if outcome in row.outcomes}
    return Outcomes(task, outcome, facts.unit, _table(rows, values), facts.impairment, facts.is_change)


def score_outcomes(project: Project, rows: Sequence[LesionRow], task: str, plan: ScorePlan) -> Outcomes:
    """Return how much worse maps agree with people under lesions, with the ceiling of that agreement.

    Of metrics for which less is better the drop is how much they rise.
    """
    metric, preset = plan.primary, plan.rules.preset.id
    scores, facts = project.lesions.scores(preset), metric_facts(metric, preset)
    sign = 1.0 if facts.higher_is_better else -1.0
    values = {}
    for row in rows:
        if metric in scores.get(row.id, {}) and row.key.control != FLIPPED:
            under, intact = scores[row.id][metric]
            values[row.id] = sign * (intact - under)
    held = _held(project, rows, task, plan)
    return Outcomes(task, f"{SCORE_DROP}{metric}", facts.unit, _table(rows, values), held=held)


def image_ids(rows: Sequence[LesionRow]) -> list[int]:
    """Return the images that the columns of outcomes are over, in their order."""
    return sorted({row.image_id for row in rows})


def _findings(outcomes: Outcomes, design: Design, note: str) -> Iterator[Finding]:
    if not outcomes.values:
        return
    models = list(dict.fromkeys(model for of_models in outcomes.values.values() for model in of_models))
    for one in neglect_findings(outcomes, design if _is_crossed(design, models) else None):
        yield replace(one, note=f"{one.note} {note}".strip()) if one.analysis == LESION_FACTORIAL else one


def _design(rows: Sequence[LesionRow], cells: Design) -> Design:
    """Return what models are called under a task -> (encoder, decoder), of each model by one map method.

    Takes part the method with the most lesions; of equally many the newest.
    """
    n_rows = Counter((row.model, row.method) for row in rows)
    newest = {(row.model, row.method): row.id for row in sorted(rows, key=lambda row: row.id)}
    chosen = {key[0]: key for key in sorted(n_rows, key=lambda key: (n_rows[key], newest[key]))}
    names = names_of_models(rows)
    return {names[key]: cells[model] for model, key in chosen.items() if model in cells}


def _chosen(names: Sequence[str]) -> str:
    """Return a sentence on the models that take part by one of their methods; empty without such models."""
    return f"Of several map methods of a model one takes part: {', '.join(names)}." if names else ""


def _is_crossed(design: Design, models: Sequence[str]) -> bool:
    known = [model for model in models if model in design]
    return all(len({design[model][factor] for model in known}) > 1 for factor in (0, 1))


def _table(rows: Sequence[LesionRow], values: Mapping[int, float]) -> dict[Condition, dict[str, DoubleArray]]:
    place = {image_id: k for k, image_id in enumerate(image_ids(rows))}
    names = names_of_models(rows)
    table: dict[Condition, dict[str, DoubleArray]] = {}
    for row in rows:
        if row.id not in values or row.key.control == NOTHING:
            continue
        key = row.key
        of_models = table.setdefault(Condition(key.mask, key.control, key.draw, key.scope, key.strength), {})
        name = names[row.model, row.method]
        if name not in of_models:
            of_models[name] = np.full(len(place), np.nan)
        of_models[name][place[row.image_id]] = values[row.id]
    return table


def names_of_models(rows: Sequence[LesionRow]) -> dict[tuple[str, str], str]:
    """Return what (model, method) is called: the model, with the method where it was run by several."""
    kinds = sorted({(row.model, row.method) for row in rows})
    models = [model for model, _ in kinds]
    return {
        (model, method): model if models.count(model) == 1 else f"{model} ({method})"
        for model, method in kinds
    }


def _held(project: Project, rows: Sequence[LesionRow], task: str, plan: ScorePlan) -> HeldAgainst | None:
    place = {image_id: k for k, image_id in enumerate(image_ids(rows))}
    parts: dict[tuple[str, str], DoubleArray] = {}
    n_people = np.zeros(len(place), np.int64)
    for part in project.scores.ceilings(settings_hash=plan.hash):
        if part.task == task and part.metric == plan.primary and part.image_id in place:
            column = parts.setdefault((part.metric, part.estimator), np.full(len(place), np.nan))
            column[place[part.image_id]] = np.nan if part.value is None else part.value
            n_people[place[part.image_id]] = part.n_subjects
    mark = ceiling_mark(plan.primary, parts, n_people)
    if mark is None or not np.isfinite(mark.chance):
        return None
    return HeldAgainst(mark.columns, mark.combine, mark.chance)


def _check_nothing(project: Project, rows: Sequence[LesionRow]) -> None:
    """Tell which models do not give the intact run again when nothing is taken away."""
    project.problems.clear(_NOOP)
    changed: dict[str, int] = {}
    for row in rows:
        if row.key.control == NOTHING and any(
            row.outcomes.get(name, 0.0) for name in ("words_changed", "map_change", "log_probability_drop")
        ):
            changed[row.model] = changed.get(row.model, 0) + 1
    names = {model.id: model.name for model in project.runs.models()}
    for model, n in changed.items():
        project.problems.add(
            _NOOP,
            names[model],
            f"With nothing taken away, {names[model]} says or attends to something else than in its intact run on {n} "
            "images.",
            "Its runs are not the same twice on this machine, or were made on another one: extract again before you "
            "trust small effects.",
        )
