"""How maps change with the task, and whether a task's map is best for its own fixations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gazeapp.engine.reports.numbers import UNKNOWN
from gazeapp.engine.reports.results.data import (
    Axes,
    Cell,
    Column,
    Figure,
    Line,
    Results,
    ResultTable,
    Row,
    Series,
)
from gazeapp.engine.reports.results.findings import (
    Words,
    colour_of,
    corrected_p_cell,
    dots,
    finding_tooltip,
    in_source_order,
    row_axes,
    source_table,
    unit_of,
)
from gazeapp.engine.reports.results.words import (
    CLEAR,
    PEOPLE_TERM,
    SIMULATED,
    captioned,
    finite,
    measured,
    term_name,
    value_text,
    with_unit,
)
from gazeapp.engine.scoring.findings import CROSS_TASK, DIFFERENTIATION, Finding
from gazeapp.engine.scoring.sources import HUMAN, MODEL

CHANGE, CORRECTED, WITH_PEOPLE = "task_d", "task_d_corrected", "d_with_people"
ABOVE_NOISE = "task_d_excess"
IMAGE_MEASURES = (CHANGE, ABOVE_NOISE)
"""Measures of single images that a figure shows."""
SPECIFICITY = "specificity"
SHOWN = (CHANGE, CORRECTED, "task_jsd", WITH_PEOPLE, "d_with_people_ceiling")
_BESIDE = 0.16


def task_pairs(results: Results) -> list[tuple[str, str]]:
    """Return the pairs of tasks whose maps were compared."""
    found = dict.fromkeys((finding.task, finding.against) for finding in results.of(DIFFERENTIATION))
    return list(found) or list(
        dict.fromkeys(
            (finding.task, finding.against)
            for finding in results.of(CROSS_TASK)
            if finding.metric == SPECIFICITY
        )
    )


def differentiation_table(results: Results, pair: tuple[str, str]) -> ResultTable | None:
    """Return how much maps change between two tasks, a row for each source; None without findings."""
    own = _of_pair(results, DIFFERENTIATION, pair)
    if not own:
        return None
    words = Words(
        f"task_change_{pair[0]}_{pair[1]}",
        f"Change between the tasks {pair[0]} and {pair[1]}",
        "Source",
        "D = 1 − correlation of the maps under the two tasks; that of people also holds the noise of few fixations, "
        "which the corrected one is without. p of people: permuted task labels, one-sided; p of the correlation with "
        f"people over images: permuted images. {CLEAR}",
    )
    return source_table(results, own, SHOWN, words)


def differentiation_figure(results: Results, pair: tuple[str, str]) -> Figure | None:
    """Return the change between two tasks per source, and over images that of models against that of people."""
    own = [
        finding
        for finding in _of_pair(results, DIFFERENTIATION, pair)
        if finding.metric in (CHANGE, CORRECTED)
    ]
    axes = [_change_axes(results, own)] if own else []
    scatter = _scatter(results, pair)
    if scatter is not None:
        axes.append(scatter)
    if not axes:
        return None
    return Figure(
        id=f"task_change_{pair[0]}_{pair[1]}",
        title=f"Change between the tasks {pair[0]} and {pair[1]}",
        caption=captioned(
            results,
            "D = 1 − correlation of the maps under the two tasks, with 95 % intervals; filled for people: without the "
            "noise of few fixations, open: with it."
            + (
                " Dots: images; a model whose maps change where people's do has its dots along a rising line."
                if scatter is not None
                else ""
            ),
        ),
        axes=tuple(axes),
        columns=len(axes),
        simulated=results.simulated,
    )


def cross_task_table(results: Results, pair: tuple[str, str]) -> ResultTable | None:
    """Return what the map of each task scores on the fixations of each task, a row for each source; None without."""
    cells = {
        (finding.kind, finding.term, finding.against, finding.task): finding
        for finding in results.of(CROSS_TASK)
        if finding.metric != SPECIFICITY and {finding.task, finding.against} <= set(pair)
    }
    if not cells:
        return None
    first = next(iter(cells.values()))
    about = measured(first.metric, results.preset)
    places = [(of_map, of_fixations) for of_map in pair for of_fixations in pair]
    columns = [
        Column(
            f"{of_map}_on_{of_fixations}",
            f"{of_map} map on {of_fixations}",
            unit_of(first),
            f"{about.name} of the map under the task {of_map} on the fixations under the task {of_fixations}.",
        )
        for of_map, of_fixations in places
    ]
    advantage = {
        (finding.kind, finding.term): finding
        for finding in results.of(CROSS_TASK, pair[0], SPECIFICITY)
        if finding.against == pair[1]
    }
    columns.append(
        Column(SPECIFICITY, measured(SPECIFICITY).name, unit_of(first), measured(SPECIFICITY).formula)
    )
    columns.append(
        Column(f"{SPECIFICITY}_p", "p", "", "Sign-flip test over images, two-sided, corrected (Holm).")
    )
    sources = in_source_order(results, list({(one.kind, one.term): one for one in cells.values()}.values()))
    rows = []
    for source in sources:
        of_source = [cells.get((source.kind, source.term, *place)) for place in places]
        own = advantage.get((source.kind, source.term))
        rows.append(
            Row(
                source.kind,
                term_name(results, source.term, source.kind),
                colour_of(results, source),
                (
                    *(_matrix_cell(results, one, first.metric) for one in of_source),
                    _matrix_cell(results, own, first.metric),
                    corrected_p_cell(own),
                ),
            )
        )
    note = (
        f"Mean {about.name} over images, with 95 % intervals. A map that is about its task scores best on that task's "
        "fixations; people's maps are of the others, so nobody predicts themselves. "
        f"p: sign-flip test of the advantage over images, two-sided, corrected (Holm) over the sources. {CLEAR}"
    )
    return ResultTable(
        f"cross_task_{pair[0]}_{pair[1]}",
        f"Maps of one task on the fixations of the other, {about.name}",
        tuple(columns),
        tuple(rows),
        f"{note} {SIMULATED}" if results.simulated else note,
    )


def specificity_figure(results: Results, pair: tuple[str, str]) -> Figure | None:
    """Return how much better each source's map is for its own task, as points with intervals; None without."""
    own = [finding for finding in results.of(CROSS_TASK, pair[0], SPECIFICITY) if finding.against == pair[1]]
    if not own:
        return None
    first = next((one for one in results.of(CROSS_TASK) if one.metric != SPECIFICITY), own[0])
    own = in_source_order(results, own)
    return Figure(
        id=f"specificity_{pair[0]}_{pair[1]}",
        title=f"Advantage of a map of its own task, {pair[0]} and {pair[1]}",
        caption=captioned(
            results,
            "How much better a map predicts the fixations of its own task than the map of the other task does, with 95 "
            "% intervals. At 0 the map is about the picture, not about the task.",
        ),
        axes=(
            row_axes(
                results,
                own,
                title=f"{pair[0]} and {pair[1]}",
                label=f"Advantage in {with_unit(measured(first.metric).name, unit_of(first))}",
                lines=(Line(0.0, "no advantage", dashed=False),),
            ),
        ),
        columns=1,
        simulated=results.simulated,
    )


def _of_pair(results: Results, analysis: str, pair: tuple[str, str]) -> list[Finding]:
    own = [finding for finding in results.of(analysis, pair[0]) if finding.against == pair[1]]
    return in_source_order(results, own)


def _change_axes(results: Results, own: Sequence[Finding]) -> Axes:
    terms = list(dict.fromkeys((finding.term, finding.kind) for finding in own))
    corrected = {(finding.term, finding.kind) for finding in own if finding.metric == CORRECTED}
    series = []
    for finding in own:
        source = finding.term, finding.kind
        place = float(terms.index(source))
        raw = finding.metric == CHANGE and source in corrected
        if source in corrected:
            place += -_BESIDE if raw else _BESIDE
        series.append(dots(results, [finding], [place], name=term_name(results, *source), hollow=raw))
    return Axes(
        title="Per source",
        x_label="",
        y_label="D = 1 − CC of the two tasks' maps",
        series=tuple(series),
        x_ticks=tuple((float(k), term_name(results, *source)) for k, source in enumerate(terms)),
        lines=(Line(0.0, "no change", dashed=False),),
        horizontal=True,
        legend=False,
    )


def _scatter(results: Results, pair: tuple[str, str]) -> Axes | None:
    """Return each model's change against people's, image by image; None without measures of images."""
    columns = {
        key[3:5]: column
        for key, column in results.measures.columns.items()
        if key[:3] == (pair[0], CHANGE, pair[1])
    }
    # Few fixations change people's maps, too; what is above that noise is what a model can follow.
    people, name = columns.get((HUMAN, PEOPLE_TERM)), CHANGE
    lines: tuple[Line, ...] = (Line(0.0, "", along="both"),)
    above = results.measures.columns.get((pair[0], ABOVE_NOISE, pair[1], HUMAN, PEOPLE_TERM, ""))
    if above is not None:
        people, name, lines = above, ABOVE_NOISE, ()
    of_people = f"{measured(name).name} of people"
    models = [
        (source, columns[source.kind, source.id])
        for source in results.sources
        if source.kind == MODEL and (source.kind, source.id) in columns
    ]
    if people is None or not models:
        return None
    series = []
    for source, column in models:
        both = np.flatnonzero(np.isfinite(people) & np.isfinite(column))
        series.append(
            Series(
                name=source.name,
                colour=source.colour,
                kind=source.kind,
                x=people[both],
                y=column[both],
                texts=tuple(
                    f"{results.measures.names[k]}\n{of_people} {value_text(people[k], name)}, D of {source.name} "
                    f"{value_text(column[k], CHANGE)}"
                    for k in both
                ),
                keys=tuple((results.measures.image_ids[k], source.id) for k in both),
                small=True,
            )
        )
    return Axes(
        title="Per image",
        x_label=of_people,
        y_label="D of models",
        series=tuple(series),
        lines=lines,
    )


def _matrix_cell(results: Results, finding: Finding | None, metric: str) -> Cell:
    if finding is None:
        return Cell(UNKNOWN)
    shown = replace(finding, metric=metric)
    return Cell(
        value_text(shown.estimate, metric),
        finite(finding.estimate),
        finding_tooltip(results, finding),
        finite(finding.low),
        finite(finding.high),
    )
