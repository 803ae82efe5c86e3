"""The subjects one by one: what the model that leads predicts of each."""

from __future__ import annotations

from dataclasses import replace

from gazeapp.engine.reports.neural.chosen import Told
from gazeapp.engine.reports.neural.figures import NO_INTERVALS
from gazeapp.engine.reports.numbers import UNKNOWN, number
from gazeapp.engine.reports.results.data import Cell, Column, ResultTable, Row
from gazeapp.engine.reports.results.neural_measures import MEASURES, R, subject_name
from gazeapp.engine.reports.results.words import finite, known


def subject_table(told: Told) -> ResultTable | None:
    """Return the correlation of the model with the highest mean in each subject; None without single subjects."""
    model, subjects = told.leader, told.results.subjects
    if model is None or len(subjects) < 2:
        return None
    rows = []
    for subject in subjects:
        cells = []
        for place in told.places:
            asked = replace(told.asked(place), subject=subject)
            one = told.results.of(asked, R, model).get(place[0])
            if one is None or not known(one.estimate):
                cells.append(Cell(UNKNOWN))
            else:
                cells.append(Cell(number(one.estimate), one.estimate, "", finite(one.low), finite(one.high)))
        if any(cell.value is not None for cell in cells):
            rows.append(Row("", subject_name(subject), "", tuple(cells)))
    if len(rows) < 2:
        return None
    spread = any(cell.low is not None for row in rows for cell in row.cells)
    return ResultTable(
        f"neural_subjects_{told.task}",
        f"{model.name}, subject by subject: r",
        tuple(Column(f"r_{k}", place[0], "", MEASURES[R].meaning) for k, place in enumerate(told.places)),
        tuple(rows),
        "The model with the highest mean r over groups. Each subject’s responses predicted by themselves, "
        + ("with 95 % intervals over images." if spread else f"without intervals{NO_INTERVALS}."),
        "Subject",
    )
