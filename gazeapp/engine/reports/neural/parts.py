"""How much of the variance each model predicts alone, and alike with each other source."""

from __future__ import annotations

from collections.abc import Iterator

from gazeapp.engine.neural.records import NeuralFinding
from gazeapp.engine.reports.neural.chosen import Place, Told
from gazeapp.engine.reports.numbers import UNKNOWN, number, p_value
from gazeapp.engine.reports.results.data import Cell, Column, ResultTable, Row
from gazeapp.engine.reports.results.neural_measures import CORRECTION_MEANINGS, MEASURES, P_FDR, UNIQUE
from gazeapp.engine.reports.results.words import finite, known

_COLUMNS = (
    Column("unique", "Unique", "R²", MEASURES[UNIQUE].meaning),
    Column(P_FDR, "p, false discovery rate", "", f"Of the unique part. {CORRECTION_MEANINGS[P_FDR]}"),
    Column("shared", "Shared", "R²", "What the two predict alike: both R² minus R² of both together."),
    Column("joint", "Joint", "R²", "R² of both together."),
)


def part_table(told: Told, place: Place) -> ResultTable | None:
    """Return what each model predicts in a group or region beyond each other source, and alike with it."""
    rows = tuple(_rows(told, place))
    if not rows:
        return None
    return ResultTable(
        f"neural_parts_{place[0]}_{told.task}",
        f"Unique and shared variance in {place[0]}",
        _COLUMNS,
        rows,
        "",
        "Model and the other source",
    )


def _rows(told: Told, place: Place) -> Iterator[Row]:
    asked = told.asked(place)
    for model in told.models:
        for other in told.results.sources:
            unique = told.results.part(asked, "unique", model, other.id)
            if other == model or unique is None:
                continue
            shared, joint = (told.results.part(asked, part, model, other.id) for part in ("shared", "joint"))
            tested = known(unique.p_fdr)
            p = Cell(p_value(unique.p_fdr), unique.p_fdr) if tested else Cell(UNKNOWN)
            cells = (_cell(unique), p, _cell(shared), _cell(joint))
            yield Row(model.kind, f"{model.name} beyond {other.name}", model.colour, cells)


def _cell(one: NeuralFinding | None) -> Cell:
    if one is None or not known(one.estimate):
        return Cell(UNKNOWN)
    return Cell(number(one.estimate, 3), one.estimate, "", finite(one.low), finite(one.high))
