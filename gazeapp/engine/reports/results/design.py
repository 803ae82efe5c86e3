"""What encoder and decoder contribute: effects as a table, means of the cells as an interaction plot."""

from __future__ import annotations

from collections.abc import Sequence

from gazeapp.engine.reports.numbers import is_share
from gazeapp.engine.reports.results.data import Axes, Figure, Line, Results, ResultTable, Series
from gazeapp.engine.reports.results.findings import Words, compared, dots, finding_table, row_axes
from gazeapp.engine.reports.results.words import CLEAR, captioned, measured, term_name, with_unit
from gazeapp.engine.reports.sentences import family_name
from gazeapp.engine.reports.style import LEVEL_COLOURS
from gazeapp.engine.scoring.analyses.factorial import CELL, DECODER, DESIGN, ENCODER
from gazeapp.engine.scoring.facts import METRICS, is_lower_bound
from gazeapp.engine.scoring.findings import FACTORIAL, Finding

_MARKERS = ("o", "s", "D", "^")
_BESIDE = 0.05
"""How far lines stand apart, so that their intervals do not cover each other."""


def factorial_table(results: Results, metric: str) -> ResultTable | None:
    """Return the effects of encoder and decoder by one metric, per task and over tasks; None without any."""
    own = [finding for finding in results.of(FACTORIAL, metric=metric) if not is_cell(finding)]
    if not own:
        return None
    words = Words(
        "factorial",
        f"Encoder and decoder, {measured(metric, results.preset).name}",
        "Effect",
        "Main effects: difference of two levels, averaged over the other factor. Interactions: difference of "
        "differences. 95 % intervals; p: sign-flip permutation test over images, two-sided, corrected (Holm) over the "
        f"effects; d_z: mean of the paired differences / their standard deviation over images. {CLEAR}",
    )
    return finding_table(results, own, words)


def cell_table(results: Results, metric: str) -> ResultTable | None:
    """Return the means of the design's cells, the numbers behind the interaction plot; None without any."""
    own = [finding for finding in results.of(FACTORIAL, metric=metric) if is_cell(finding)]
    if not own:
        return None
    words = Words(
        "factorial_cells",
        f"Means of the cells, {measured(metric, results.preset).name}",
        "Encoder + decoder",
        "Means over images with 95 % intervals.",
    )
    return finding_table(
        results, own, words, lambda finding: " + ".join(map(family_name, levels_of(finding)))
    )


def interaction_figure(results: Results, metric: str) -> Figure | None:
    """Return the interaction plot: decoders along x, a line for each encoder, one plot for each task and unit."""
    cells = [finding for finding in results.of(FACTORIAL, metric=metric) if is_cell(finding)]
    groups = list(dict.fromkeys((is_share(finding.unit), finding.task) for finding in cells))
    if not cells:
        return None
    # In the metric's unit first, then in percent of the ceiling: a row of plots for each.
    groups.sort(key=lambda group: group[0])
    tasks = {task for _, task in groups}
    return Figure(
        id=f"factorial_{metric}",
        title=f"Encoder and decoder, {measured(metric, results.preset).name}",
        caption=captioned(
            results,
            "Mean over images of each encoder with each decoder, with 95 % intervals. Lines that run side by side: no "
            "interaction.",
        ),
        axes=tuple(
            _interaction(
                results, [finding for finding in cells if (is_share(finding.unit), finding.task) == group]
            )
            for group in groups
        ),
        columns=len(tasks),
        simulated=results.simulated,
    )


def effect_figure(results: Results, metric: str) -> Figure | None:
    """Return the effects by one metric as points with intervals, one plot for each task."""
    own = [
        finding
        for finding in results.of(FACTORIAL, metric=metric)
        if finding.term not in (CELL, DESIGN) and not is_share(finding.unit)
    ]
    tasks = list(dict.fromkeys(finding.task for finding in own))
    if not own:
        return None
    about = measured(metric, results.preset)
    # Two levels of each factor need no naming at every row.
    levels = dict.fromkeys(
        compared(results, finding) for finding in own if finding.term in (ENCODER, DECODER)
    )
    several = len(levels) > 2
    return Figure(
        id=f"effects_{metric}",
        title=f"Effects of encoder and decoder, {about.name}",
        caption=captioned(
            results,
            "Effects with 95 % intervals; an effect is clear where its interval does not touch the line at 0 and the "
            "corrected p of the table is below 0.05." + ("" if several else f" {'; '.join(levels)}."),
        ),
        axes=tuple(
            row_axes(
                results,
                [finding for finding in own if finding.task == task],
                title=f"Task {task}" if task else "Over tasks",
                label=f"Difference in {with_unit(about.name, about.unit)}",
                lines=(Line(0.0, "no effect", dashed=False),),
                name=None if several else lambda finding: term_name(results, finding.term),
            )
            for task in tasks
        ),
        simulated=results.simulated,
    )


def is_cell(finding: Finding) -> bool:
    """Return whether a finding of the design is the mean of one of its cells."""
    return finding.term == CELL


def levels_of(finding: Finding) -> tuple[str, str]:
    """Return encoder and decoder of a cell's mean."""
    encoder, _, decoder = finding.against.partition(" : ")
    return encoder, decoder


def _interaction(results: Results, cells: Sequence[Finding]) -> Axes:
    encoders = list(dict.fromkeys(levels_of(finding)[0] for finding in cells))
    decoders = list(dict.fromkeys(levels_of(finding)[1] for finding in cells))
    series: list[Series] = []
    for k, encoder in enumerate(encoders):
        own = sorted(
            (finding for finding in cells if levels_of(finding)[0] == encoder),
            key=lambda finding: decoders.index(levels_of(finding)[1]),
        )
        shift = (k - (len(encoders) - 1) / 2) * _BESIDE
        series.append(
            dots(
                results,
                own,
                [decoders.index(levels_of(finding)[1]) + shift for finding in own],
                name=family_name(encoder),
                colour=LEVEL_COLOURS[k % len(LEVEL_COLOURS)],
                joined=True,
                marker=_MARKERS[k % len(_MARKERS)],
            )
        )
    first = cells[0]
    about = measured(first.metric, results.preset)
    return Axes(
        title=f"Task {first.task}" if first.task else "All tasks",
        x_label="Decoder",
        y_label=_percent_label(results, first) if is_share(first.unit) else with_unit(about.name, about.unit),
        series=tuple(series),
        x_ticks=tuple((float(k), family_name(decoder)) for k, decoder in enumerate(decoders)),
    )


def _percent_label(results: Results, finding: Finding) -> str:
    """Return what 100 % is: of some metrics only a lower bound of the ceiling."""
    bound = any(
        is_lower_bound(row.estimator)
        for row in results.summary
        if row.metric == finding.metric and row.percent is not None
    )
    name = METRICS[finding.metric].name if finding.metric in METRICS else finding.metric
    return f"{name}, % of {'lower bound of the ceiling' if bound else 'human ceiling'}"
