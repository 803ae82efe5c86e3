"""How concentrated maps are, and on which side they lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gazeapp.engine.maps.measures import CONCENTRATION_IDS, LATERALITY_IDS
from gazeapp.engine.reports.results.data import Axes, Figure, Line, Results, ResultTable
from gazeapp.engine.reports.results.findings import (
    Words,
    compared,
    dots,
    in_source_order,
    row_axes,
    source_table,
)
from gazeapp.engine.reports.results.words import CLEAR, captioned, measured, term_name
from gazeapp.engine.scoring.analyses.maps import MATCHED
from gazeapp.engine.scoring.findings import CONCENTRATION, LATERALITY, Finding
from gazeapp.engine.scoring.sources import HUMAN

LEADING = ("entropy", "effective_area", "gini", "top_10")
"""Measures of concentration that are shown unless others are chosen."""
SMALL_SIDE = 0.01
"""Laterality below which a side is hardly one, however sure it is: half a percent of the mass."""
_BESIDE = 0.16
"""How far above its row a map as it is stands, in rows."""
_FEW = " (few fixations)"


def concentration_measures(results: Results) -> list[str]:
    """Return the measures of concentration that have findings, in their order."""
    found = {finding.metric for finding in results.of(CONCENTRATION)}
    return [measure for measure in CONCENTRATION_IDS if measure in found]


def shown_measures(results: Results) -> list[str]:
    """Return the measures of concentration that are shown unless others are chosen, as far as there are any."""
    found = concentration_measures(results)
    return [measure for measure in LEADING if measure in found] or found[: len(LEADING)]


def concentration_table(results: Results, task: str, measures: Sequence[str] = LEADING) -> ResultTable | None:
    """Return how concentrated maps are: a row for each source as it is and for as few fixations as people made."""
    own = _concentration(results, task, measures)
    if not own:
        return None
    words = Words(
        f"concentration_{task}",
        f"Concentration, task {task}",
        "Source",
        "Means over images with 95 % intervals, all maps on one grid and with one blur. People's maps are of few "
        "fixations, so compare them with maps of as many fixations drawn from each model's map, called few fixations.",
    )
    plain = [finding for finding in own if not finding.against]
    shown = [_as_plain(finding) for finding in plain]
    names = {id(one): _name(results, finding) for one, finding in zip(shown, plain, strict=True)}
    return source_table(results, shown, list(measures), words, lambda finding: names[id(finding)])


def concentration_comparison_table(
    results: Results, task: str, measures: Sequence[str] = LEADING
) -> ResultTable | None:
    """Return how models differ from people in concentration, at people's number of fixations; None without any."""
    own = [finding for finding in _concentration(results, task, measures) if finding.against]
    if not own:
        return None
    words = Words(
        f"concentration_against_people_{task}",
        f"Concentration against people, task {task}",
        "Source − people",
        "Mean over images of the difference at people's number of fixations, with 95 % intervals; p: sign-flip "
        f"test over images, two-sided, corrected (Holm) over the sources. {CLEAR}",
    )
    return source_table(results, [_as_plain(finding) for finding in own], measures, words)


def concentration_figure(results: Results, task: str, measures: Sequence[str] = LEADING) -> Figure | None:
    """Return how concentrated maps are as points with intervals, one plot for each measure."""
    own = [finding for finding in _concentration(results, task, measures) if not finding.against]
    if not own:
        return None
    shown = [one for one in measures if any(finding.metric.removesuffix(MATCHED) == one for finding in own)]
    return Figure(
        id=f"concentration_{task}",
        title=f"Concentration, task {task}",
        caption=captioned(
            results,
            "Means over images with 95 % intervals. Filled: maps of as many fixations as people made, drawn from "
            "each map, and people themselves: compare these. Open: maps as they are.",
        ),
        axes=tuple(_concentration_axes(results, measure, own) for measure in shown),
        columns=min(len(shown), 4),
        simulated=results.simulated,
    )


def laterality_table(results: Results, task: str, *, against_people: bool = False) -> ResultTable | None:
    """Return on which side attention lies; with ``against_people`` how models differ from people."""
    own = [finding for finding in results.of(LATERALITY, task) if bool(finding.against) == against_people]
    if not own:
        return None
    if against_people:
        words = Words(
            f"laterality_against_people_{task}",
            f"Left and right against people, task {task}",
            "Source − people",
            "Mean over images of the difference, with 95 % intervals; p: sign-flip test over images, two-sided, "
            f"corrected (Holm) over the sources. {CLEAR}",
        )
    else:
        words = Words(
            f"laterality_{task}",
            f"Left and right, task {task}",
            "Source",
            "−1: all on the left, 1: all on the right. Means over images with 95 % intervals; p: sign-flip test "
            f"against 0 over images, two-sided, corrected (Holm) over the sources. {CLEAR} Of a clear side "
            f"within {SMALL_SIDE} of the middle sentences say hardly.",
        )
    return source_table(results, own, LATERALITY_IDS, words)


def laterality_figure(results: Results, task: str) -> Figure | None:
    """Return on which side attention lies as points with intervals, one plot for each measure."""
    own = [finding for finding in results.of(LATERALITY, task) if not finding.against]
    shown = [measure for measure in LATERALITY_IDS if any(finding.metric == measure for finding in own)]
    if not own:
        return None
    names = list(dict.fromkeys(compared(results, finding) for finding in in_source_order(results, own)))
    return Figure(
        id=f"laterality_{task}",
        title=f"Left and right, task {task}",
        caption=captioned(
            results,
            "Means over images with 95 % intervals; below 0 is left, above 0 right. Attention lies clearly on one "
            "side where the interval does not touch the line at 0 and the corrected p of the table is below 0.05.",
        ),
        axes=tuple(
            row_axes(
                results,
                in_source_order(results, [finding for finding in own if finding.metric == measure]),
                title=measured(measure).name,
                label="left ← 0 → right",
                lines=(Line(0.0, "middle", dashed=False),),
                names=names,
            )
            for measure in shown
        ),
        columns=min(len(shown), 3),
        simulated=results.simulated,
    )


def _concentration(results: Results, task: str, measures: Sequence[str]) -> list[Finding]:
    return [
        finding
        for finding in in_source_order(results, results.of(CONCENTRATION, task))
        if finding.metric.removesuffix(MATCHED) in measures
    ]


def _as_plain(finding: Finding) -> Finding:
    """Return a finding under the plain id of its measure, so that both kinds share a column."""
    return replace(finding, metric=finding.metric.removesuffix(MATCHED))


def _name(results: Results, finding: Finding) -> str:
    name = compared(results, finding)
    return name + _FEW if finding.metric.endswith(MATCHED) else name


def _concentration_axes(results: Results, measure: str, own: Sequence[Finding]) -> Axes:
    as_they_are = [finding for finding in own if finding.metric == measure]
    matched = [finding for finding in own if finding.metric == measure + MATCHED]
    terms = list(dict.fromkeys((finding.term, finding.kind) for finding in [*as_they_are, *matched]))
    series = []
    for finding in as_they_are:
        place = float(terms.index((finding.term, finding.kind)))
        alone = finding.kind == HUMAN or not any(one.term == finding.term for one in matched)
        beside = place if alone else place - _BESIDE
        series.append(dots(results, [finding], [beside], name=_name(results, finding), hollow=not alone))
    series += [
        dots(
            results,
            [finding],
            [terms.index((finding.term, finding.kind)) + _BESIDE],
            name=_name(results, finding),
        )
        for finding in matched
    ]
    about = measured(measure, results.preset)
    people = [finding for finding in as_they_are if finding.kind == HUMAN]
    return Axes(
        title=about.name,
        x_label="",
        y_label=about.unit or "mean over images",
        series=tuple(series),
        x_ticks=tuple((float(k), term_name(results, term, kind)) for k, (term, kind) in enumerate(terms)),
        lines=(Line(people[0].estimate, "people"),) if people else (),
        horizontal=True,
        legend=False,
    )
