"""How well responses are predicted in a few lines, as a terminal shows it."""

from __future__ import annotations

import math

from gazeapp.engine.neural.controls import CONTROLS
from gazeapp.engine.neural.records import ENCODING, NeuralFinding
from gazeapp.engine.project import Project
from gazeapp.engine.reports.brief import plain
from gazeapp.engine.reports.neural.chosen import PICKED, is_picked
from gazeapp.engine.reports.numbers import count, number, p_value
from gazeapp.engine.scoring.sources import HUMAN

_ALPHA = 0.05


def encoding_in_lines(project: Project, responses: str, atlas: str) -> list[str]:
    """Return for each task and source in how many regions it predicts, and the region that it predicts best.

    Parameters
    ----------
    project
        The project.
    responses, atlas
        Whose findings are told.
    """
    found = [
        one
        for one in project.encodings.findings(responses, ENCODING, atlas)
        if one.measure == "r" and not one.group and not one.subject and not math.isnan(one.estimate)
    ]
    if not found:
        return []
    names = {model.id: model.name for model in project.runs.models()}
    lines = []
    for task in [task for task in project.tasks.all() if any(one.task == task for one in found)]:
        rows = []
        for key in dict.fromkeys((one.kind, one.source) for one in found if one.task == task):
            rows.append(
                _cells([one for one in found if one.task == task and (one.kind, one.source) == key], names)
            )
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines.append(f"  {plain(task)}")
        for row in rows:
            cells = [f"{text:<{width}}" for text, width in zip(row, widths, strict=True)]
            lines.append("  ".join(["  ", *cells]).rstrip())
    what = "simulated responses" if project.responses.get(responses).simulated else "responses"
    title = (
        f"Prediction of {what} (mean correlation within folds; regions with p corrected for false discovery below "
        "0.05, and the best region):"
    )
    return [title, *lines, *_picked(project, atlas)]


def _picked(project: Project, atlas: str) -> list[str]:
    """Return what to know of regions that were picked by hand; nothing of others."""
    if not is_picked(atlas):
        return []
    limits = next((row.limits for row in project.atlases.all() if row.name == atlas.partition(",")[0]), "")
    return [plain(limits or PICKED)]


def _cells(found: list[NeuralFinding], names: dict[str, str]) -> list[str]:
    best = max(found, key=lambda one: one.estimate)
    tested = [one for one in found if not math.isnan(one.p_fdr)]
    above = sum(one.p_fdr < _ALPHA for one in tested)
    p = f"p {p_value(best.p_fdr)}" if not math.isnan(best.p_fdr) else ""
    return [
        plain(_name(best, names)),
        plain(f"{above} of {count(len(tested), 'region')}" if tested else count(len(found), "region")),
        plain(best.region),
        f"r {number(best.estimate, 2)}",
        p,
    ]


def _name(one: NeuralFinding, names: dict[str, str]) -> str:
    if one.kind == HUMAN:
        return "People"
    if one.source in CONTROLS:
        return f"control: {CONTROLS[one.source].title}"
    return names.get(one.source, one.source)
