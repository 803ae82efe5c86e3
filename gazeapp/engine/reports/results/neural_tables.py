"""Tables of how well maps predict brain responses: regions by sources, one region, two sources, against fixations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gazeapp.engine.neural.records import NeuralFinding
from gazeapp.engine.project import SummaryRow
from gazeapp.engine.reports.numbers import UNKNOWN, number, p_value, percent
from gazeapp.engine.reports.results.data import Cell, Column, ResultTable, Row, SourceFacts
from gazeapp.engine.reports.results.neural import (
    NeuralResults,
    in_words,
    origin,
    p_text,
    shown_sources,
    why_unknown,
)
from gazeapp.engine.reports.results.neural_measures import (
    CORRECTION_MEANINGS,
    CORRECTIONS,
    MEASURES,
    MINUS,
    P_FDR,
    P_MAX,
    P_RAW,
    R2,
    RHO,
    SHARE,
    SIMULATED_RESPONSES,
    NeuralAsked,
    R,
    Shown,
    p_of,
    shown,
    value_text,
)
from gazeapp.engine.reports.results.words import finite, known, measured
from gazeapp.engine.scoring.sources import MODEL
from gazeapp.engine.types import DoubleArray

_FEW = 4
"""Models below which a correlation over models says nothing at all."""
_ENOUGH = 10


def note_of(results: NeuralResults, asked: NeuralAsked, *, marked: str = "") -> str:
    """Return how to read numbers: what they rest on, what to know of the atlas, and what is marked.

    Parameters
    ----------
    results, asked
        What is shown.
    marked
        How numbers are marked whose test is clear, such as ``Bold``; empty where none are.
    """
    rests = in_words(results, asked)
    parts = [
        f"{rests[:1].upper()}{rests[1:]}.",
        f"{marked}: p < 0.05. {CORRECTION_MEANINGS[asked.correction]}"
        if marked and is_tested(results, asked)
        else "",
        SIMULATED_RESPONSES if results.simulated else "",
        results.limits,
    ]
    return "\n".join(part for part in parts if part)


def is_tested(results: NeuralResults, asked: NeuralAsked) -> bool:
    """Return whether there is a p, corrected as it is asked for, of the measure that is asked for."""
    return asked.correction in results.corrections(asked)


def region_table(results: NeuralResults, asked: NeuralAsked) -> ResultTable | None:
    """Return every source in the region in hand: correlation, share of ceiling, R², similarity, tests."""
    measures = [
        one
        for one in (R, SHARE, R2, RHO)
        if any(
            (found := results.of(asked, one, source).get(asked.region)) is not None
            and known(shown(found, one).value)
            for source in results.sources
        )
    ]
    sources = [
        one for one in results.sources if any(asked.region in results.of(asked, m, one) for m in measures)
    ]
    if not sources:
        return None
    numbers = [[_number(results.of(asked, m, one).get(asked.region), m) for m in measures] for one in sources]
    corrections = _tested([line[0].finding for line in numbers if line[0] is not None])
    columns = [
        *(Column(m, _short(m), MEASURES[m].unit, MEASURES[m].meaning) for m in measures[:1]),
        *(
            Column(one, f"p, {CORRECTIONS[one]}", "", f"Of the correlation. {CORRECTION_MEANINGS[one]}")
            for one in corrections
        ),
        *(Column(m, _short(m), MEASURES[m].unit, MEASURES[m].meaning) for m in measures[1:]),
        Column("n_images", "Images", "", "Images that the numbers rest on."),
    ]
    rows = tuple(
        _source_row(results, asked, source, line, measures, corrections)
        for source, line in zip(sources, numbers, strict=True)
    )
    return ResultTable(
        f"region_{asked.region}_{asked.task}",
        f"Sources in {asked.region}",
        tuple(columns),
        rows,
        note_of(results, asked),
    )


def _short(measure: str) -> str:
    return "of ceiling" if measure == SHARE else MEASURES[measure].name


def _number(finding: NeuralFinding | None, measure: str) -> Shown | None:
    return None if finding is None else shown(finding, measure)


def _tested(found: Sequence[NeuralFinding]) -> list[str]:
    """Return the corrections, none first, that any of these findings has a p by."""
    return [one for one in (P_RAW, P_FDR, P_MAX) if any(known(p_of(finding, one)) for finding in found)]


def _source_row(
    results: NeuralResults,
    asked: NeuralAsked,
    source: SourceFacts,
    numbers: Sequence[Shown | None],
    measures: Sequence[str],
    corrections: Sequence[str],
) -> Row:
    values = [_cell(results, asked, one, m) for one, m in zip(numbers, measures, strict=True)]
    first = numbers[0].finding if numbers[0] is not None else None
    tests = [_p_cell(first, one) for one in corrections]
    n = max((one.finding.n_images for one in numbers if one is not None), default=0)
    return Row(
        source.kind,
        source.name,
        source.colour,
        (*values[:1], *tests, *values[1:], Cell(f"{n:,}", float(n))),
    )


def _cell(results: NeuralResults, asked: NeuralAsked, one: Shown | None, measure: str) -> Cell:
    if one is None or not known(one.value):
        return Cell(UNKNOWN)
    tip = origin(results, asked, one, measure)
    return Cell(value_text(one.value, measure), one.value, tip, finite(one.low), finite(one.high))


def _p_cell(finding: NeuralFinding | None, correction: str) -> Cell:
    p = p_of(finding, correction) if finding is not None else float("nan")
    if finding is None or not known(p):
        return Cell(UNKNOWN)
    return Cell(p_value(p), p, p_text(finding))


def difference_table(results: NeuralResults, asked: NeuralAsked) -> ResultTable | None:
    """Return the paired differences between sources in the region in hand."""
    found = results.differences(asked)
    if not found:
        return None
    corrections = _tested(found)
    rows = tuple(
        Row(
            "",
            f"{results.facts(one.source, one.kind).name} − {results.facts(one.against).name}",
            results.facts(one.source, one.kind).colour,
            (
                _cell(results, asked, Shown(one.estimate, one.low, one.high, one), MINUS),
                *(_p_cell(one, correction) for correction in corrections),
                Cell(f"{one.n_images:,}", float(one.n_images)),
            ),
        )
        for one in found
    )
    columns = (
        Column("difference", "Difference in r", "", MEASURES[MINUS].meaning),
        *(Column(one, f"p, {CORRECTIONS[one]}", "", CORRECTION_MEANINGS[one]) for one in corrections),
        Column("n_images", "Images", "", "Images that the numbers rest on."),
    )
    return ResultTable(
        f"neural_differences_{asked.region}_{asked.task}",
        f"Differences in {asked.region}",
        columns,
        rows,
        note_of(results, asked),
        "Difference",
    )


PARTS = ("unique", "shared", "unique_against", "joint")
"""Parts of the variance that two sources predict."""


def part_names(own: SourceFacts) -> dict[str, str]:
    """Return part of the variance -> who predicts it, of one source and another."""
    return dict(
        zip(PARTS, (f"only {own.name}", "both alike", "only the other", "both together"), strict=True)
    )


def partition_table(results: NeuralResults, asked: NeuralAsked) -> ResultTable | None:
    """Return how much of the variance in the region in hand the source in hand and others predict alone and alike."""
    partners = results.partners(asked)
    if not partners:
        return None
    own = results.facts(asked.source[1], asked.source[0])
    unique = {other.id: results.part(asked, PARTS[0], own, other.id) for other in partners}
    has_p = any(one is not None and known(one.p_fdr) for one in unique.values())
    rows = tuple(
        _partition_row(results, asked, own, other, [unique[other.id]] if has_p else []) for other in partners
    )
    meanings = {
        "unique": f"R² of both minus R² of the other: what only {own.name} predicts.",
        "shared": "The sum of both R² minus R² of both together: what the two predict alike. Below 0 where they help "
        "each other.",
        "unique_against": f"R² of both minus R² of {own.name}: what only the other predicts.",
        "joint": "R² of both together.",
    }
    parts = [
        Column(part, text[:1].upper() + text[1:], "R²", meanings[part])
        for part, text in part_names(own).items()
    ]
    tested = f"Of what only {own.name} predicts. {CORRECTION_MEANINGS[P_FDR]}"
    return ResultTable(
        f"neural_partition_{asked.region}_{asked.task}",
        f"{own.name} and others in {asked.region}",
        (
            *parts[:1],
            *([Column(P_FDR, f"p, {CORRECTIONS[P_FDR]}", "", tested)] if has_p else []),
            *parts[1:],
        ),
        rows,
        note_of(results, asked),
        f"{own.name} and",
    )


def _partition_row(
    results: NeuralResults,
    asked: NeuralAsked,
    own: SourceFacts,
    other: SourceFacts,
    tested: Sequence[NeuralFinding | None],
) -> Row:
    """Return the parts of one pair; ``tested`` has the unique part where its p stands beside it, or nothing."""
    cells = []
    for part in PARTS:
        one = results.part(asked, part, own, other.id)
        cells.append(
            Cell(UNKNOWN)
            if one is None or not known(one.estimate)
            else Cell(
                number(one.estimate, 3),
                one.estimate,
                _part_origin(results, asked, one, own, other),
                finite(one.low),
                finite(one.high),
            )
        )
    tests = (_p_cell(one, P_FDR) for one in tested)
    return Row(other.kind, other.name, other.colour, (*cells[:1], *tests, *cells[1:]))


def _part_origin(
    results: NeuralResults, asked: NeuralAsked, one: NeuralFinding, own: SourceFacts, other: SourceFacts
) -> str:
    rests = in_words(results, asked)
    lines = [
        f"{one.region}, {own.name} and {other.name}: R² of {part_names(own)[one.measure]} {number(one.estimate, 3)}",
        p_text(one),
        f"{one.n_images:,} images",
        f"{rests[:1].upper()}{rests[1:]}",
        one.note,
    ]
    return "\n".join(line for line in lines if line)


def dissociation_table(results: NeuralResults, asked: NeuralAsked) -> ResultTable | None:
    """Return each model's agreement with fixations beside its prediction of the region in hand."""
    pairs = model_pairs(results, asked)
    if not pairs:
        return None
    metric = measured(results.primary, results.preset).name
    rows = tuple(
        Row(
            source.kind,
            source.name,
            source.colour,
            (
                Cell(
                    percent(row.percent),
                    row.percent,
                    f"{source.name}, task {row.task}: {metric} in percent of the human ceiling above chance",
                    row.ci_low,
                    row.ci_high,
                ),
                _cell(results, asked, one, asked.measure),
                *([_p_cell(one.finding, asked.correction)] if known(one.finding.p) else [Cell(UNKNOWN)]),
            ),
        )
        for source, row, one in pairs
    )
    facts = MEASURES[asked.measure]
    return ResultTable(
        f"dissociation_{asked.region}_{asked.task}",
        f"Fixations and {asked.region}",
        (
            Column(
                "fixations",
                "Fixations",
                "%",
                f"Agreement of maps with fixations, {metric} in percent of the human ceiling: 0 is chance, 100 what "
                "people's own agreement allows.",
            ),
            Column(asked.measure, asked.region, facts.unit, facts.meaning),
            Column(
                asked.correction,
                f"p, {CORRECTIONS[asked.correction]}",
                "",
                CORRECTION_MEANINGS[asked.correction],
            ),
        ),
        rows,
        note_of(results, asked),
        "Model",
    )


def model_pairs(results: NeuralResults, asked: NeuralAsked) -> list[tuple[SourceFacts, SummaryRow, Shown]]:
    """Return the models with both numbers known: agreement with fixations, and prediction of the region in hand."""
    aligned = results.alignment(asked.task)
    found = []
    for source in shown_sources(results, asked):
        one = results.of(asked, asked.measure, source, asked.against).get(asked.region)
        if source.kind != MODEL or source.id not in aligned or one is None:
            continue
        made = shown(one, asked.measure)
        if known(made.value):
            found.append((source, aligned[source.id], made))
    return found


def dissociation_sentence(results: NeuralResults, asked: NeuralAsked) -> str:
    """Return what the two numbers of the models say together, or why there are none; of few models no correlation."""
    pairs = model_pairs(results, asked)
    lacks = why_unknown(results, asked)
    if len(pairs) < 2:
        return lacks
    best_gaze = max(pairs, key=lambda pair: pair[1].percent or 0.0)
    best_brain = max(pairs, key=lambda pair: pair[2].value)
    where = asked.region
    if best_gaze[0] is best_brain[0]:
        first = (
            f"{best_gaze[0].name} agrees best with fixations ({percent(best_gaze[1].percent)} of the ceiling) and "
            f"predicts {where} best ({value_text(best_brain[2].value, asked.measure)})."
        )
    else:
        first = (
            f"{best_gaze[0].name} agrees best with fixations ({percent(best_gaze[1].percent)} of the ceiling), but "
            f"{best_brain[0].name} predicts {where} best ({value_text(best_brain[2].value, asked.measure)} against "
            f"{value_text(best_gaze[2].value, asked.measure)})."
        )
    return f"{first} {_over_models(pairs)} {lacks}".rstrip()


def _over_models(pairs: Sequence[tuple[SourceFacts, SummaryRow, Shown]]) -> str:
    n = len(pairs)
    if n < _FEW:
        return f"{n} models are too few for a correlation over models."
    gaze, brain = [row.percent or 0.0 for _, row, _ in pairs], [one.value for _, _, one in pairs]
    if len(set(gaze)) == 1 or len(set(brain)) == 1:
        return f"One of the two is the same for all {n} models: they have no rank correlation."
    rho = float(np.corrcoef(_ranks(gaze), _ranks(brain))[0, 1])
    few = (
        "; so few models leave open whether that holds of others, and models of one family are not independent"
        if n < _ENOUGH
        else ""
    )
    return f"Over the {n} models the rank correlation of the two is {number(rho)}{few}."


def _ranks(values: Sequence[float]) -> DoubleArray:
    """Return the rank of each of a few values, ties sharing theirs."""
    each = np.asarray(values, dtype=np.float64)
    below, same = (each[:, None] > each).sum(axis=1), (each[:, None] == each).sum(axis=1)
    ranks: DoubleArray = below + same / 2
    return ranks
