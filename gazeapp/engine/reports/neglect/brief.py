"""What lesions did in a few lines, as a terminal shows it."""

from __future__ import annotations

from collections.abc import Collection

from gazeapp.engine.lesions.outcomes import OUTCOMES
from gazeapp.engine.project import Project
from gazeapp.engine.reports.numbers import interval, number, p_value
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
    own = [row.finding for row in project.findings.findings(LESION) if row.finding.metric == OUTCOME]
    net = [row.finding for row in project.findings.findings(LESION_CONTROL) if row.finding.metric == OUTCOME]
    found = [one for one in net if one.against == CONTROLS] or [one for one in own if not one.against]
    if not found:
        return []
    facts, names = OUTCOMES[OUTCOME], {model.id: model.name for model in project.runs.models()}
    minus = ", lesion minus matched controls" if found[0].against else ""
    lines = [f"{facts.name} ({facts.unit}{minus}; mean over images, 95 % interval, p corrected):"]
    for task in dict.fromkeys(one.task for one in found):
        lines.append(f"  {task}")
        lines += [
            f"    {names.get(one.term, one.term):18} {one.lesion:24} {_numbers(one)}"
            for one in _highest([one for one in found if one.task == task])
            if one.lesion.split(" · ")[0] in masks
        ]
    return lines


def _highest(found: list[Finding]) -> list[Finding]:
    """Return the findings at the highest strength of each model, mask and scope."""
    best: dict[tuple[str, str], Finding] = {}
    for one in found:
        lesion, _, strength = one.lesion.rpartition(" · ")
        before = best.get((one.term, lesion))
        if before is None or float(before.lesion.rpartition(" · ")[2]) < float(strength):
            best[one.term, lesion] = one
    return list(best.values())


def _numbers(one: Finding) -> str:
    p = "" if one.p_holm != one.p_holm else f", p {p_value(one.p_holm)}"
    return f"{number(one.estimate)} {interval(one.low, one.high, 2)}{p} ({one.n_images} images)".replace(
        "  ", " "
    )
