"""What lesions did in a few lines, as a terminal shows it."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping

from gazeapp.engine.lesions.outcomes import OUTCOMES
from gazeapp.engine.project import Project
from gazeapp.engine.reports.brief import plain
from gazeapp.engine.reports.neglect.words import parts_of
from gazeapp.engine.reports.numbers import count, interval, number, p_value
from gazeapp.engine.reports.results.data import id_and_method
from gazeapp.engine.scoring.analyses.neglect_outcomes import CONTROLS
from gazeapp.engine.scoring.findings import LESION, LESION_CONTROL, Finding

OUTCOME = "log_probability_drop"
"""What is told first: it is there for every model and image, and sees what changes before a word does."""


def lesions_in_lines(project: Project, masks: Collection[str]) -> list[str]:
    """Return the effect of each mask on each model at its highest strength, lesion minus controls where there are some.

    Parameters
    ----------
    project
        The project.
    masks
        Masks to tell of.
    """
    own, net = (
        [
            row.finding
            for row in project.findings.findings(analysis)
            if (row.finding.metric, row.finding.against) == (OUTCOME, against)
            and parts_of(row.finding.lesion)[0] in masks
        ]
        for analysis, against in ((LESION, ""), (LESION_CONTROL, CONTROLS))
    )
    found = net or own
    names = {model.id: model.name for model in project.runs.models()}
    lines = []
    for task in [task for task in project.tasks.all() if any(one.task == task for one in found)]:
        rows = [_cells(one, names) for one in _highest([one for one in found if one.task == task])]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines.append(f"  {task}")
        for name, lesion, estimate, *rest in rows:
            columns = [f"{name:<{widths[0]}}", f"{lesion:<{widths[1]}}", f"{estimate:>{widths[2]}}"]
            columns += [f"{text:<{width}}" for text, width in zip(rest, widths[3:], strict=True) if width]
            lines.append("  ".join(["  ", *columns]).rstrip())
    if not lines:
        return []
    facts = OUTCOMES[OUTCOME]
    minus = ", lesion minus matched controls" if net else ""
    return [f"{facts.name} ({facts.unit}{minus}; mean over images, 95 % interval, p corrected):", *lines]


def _highest(found: list[Finding]) -> list[Finding]:
    """Return the findings at the highest strength of each model, mask and scope."""
    best: dict[tuple[str, str, str], Finding] = {}
    for one in found:
        mask, scope, strength = parts_of(one.lesion)
        before = best.get((one.term, mask, scope))
        if before is None or parts_of(before.lesion)[2] < strength:
            best[one.term, mask, scope] = one
    return list(best.values())


def _cells(one: Finding, names: Mapping[str, str]) -> list[str]:
    """Return model, lesion, number, interval, test and images of a finding."""
    p = f"p {p_value(one.p_holm)}" if math.isfinite(one.p_holm) else ""
    numbers = [number(one.estimate), interval(one.low, one.high, 2), p, f"({count(one.n_images, 'image')})"]
    return [_model(one.term, names), one.lesion, *map(plain, numbers)]


def _model(term: str, names: Mapping[str, str]) -> str:
    id_, method = id_and_method(term)
    return names.get(term) or (f"{names[id_]} · {method}" if id_ in names else term)
