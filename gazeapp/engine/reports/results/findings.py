"""Findings as a table, and as points with their intervals: what every analysis can be shown as."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gazeapp.engine.reports.numbers import UNKNOWN, is_share, listed, number, p_value
from gazeapp.engine.reports.results.data import Axes, Cell, Column, Line, Results, ResultTable, Row, Series
from gazeapp.engine.reports.results.words import (
    PEOPLE_TERM,
    SIMULATED,
    contrast_name,
    finite,
    interval_text,
    is_same_everywhere,
    known,
    measured,
    people_text,
    term_name,
    value_text,
    with_unit,
)
from gazeapp.engine.reports.style import PEOPLE_COLOUR, REFERENCE_COLOUR
from gazeapp.engine.scoring.analyses.factorial import DESIGN
from gazeapp.engine.scoring.findings import CROSS_TASK, DIFFERENTIATION, Finding
from gazeapp.engine.scoring.sources import BASELINE, TRUTH

MARKERS = {BASELINE: "s", TRUTH: "D"}
"""Kind of a source -> marker; all others are circles."""
PLAIN_COLOUR = "#3A3A38"
"""Of what belongs to no source, such as an effect."""

Name = Callable[[Finding], str]


@dataclass(frozen=True, slots=True)
class Words:
    """The texts of a table: id, title, what its rows are, and how to read it."""

    id: str
    title: str
    row_header: str
    note: str


def finding_table(
    results: Results, findings: Sequence[Finding], words: Words, name: Name | None = None
) -> ResultTable:
    """Return findings as a table, a row for each: value, interval, test, effect size, numbers.

    Columns that would be the same or empty in every row are left out. A finding in percent of the ceiling stands
    in the row of the same one in the metric's unit; remarks without a number go into the note.

    Parameters
    ----------
    results
        For names and colours.
    findings
        What is shown, in order.
    words
        The texts.
    name
        What a row is called; by its term, and what that is compared with, when not given.
    """
    called = name or (lambda finding: compared(results, finding))
    numbers = [finding for finding in findings if finding.term != DESIGN]
    in_percent = {_about(finding): finding for finding in numbers if is_share(finding.unit)}
    shown = [finding for finding in numbers if not is_share(finding.unit)]
    columns = [column for column in _columns(results, shown, in_percent) if column[2]]
    rows = tuple(
        Row(
            finding.kind,
            called(finding),
            colour_of(results, finding),
            tuple(make(finding) for _, make, _ in columns),
        )
        for finding in shown
    )
    remarks = dict.fromkeys(
        f"{finding.task}: {finding.note}" if finding.task else finding.note
        for finding in findings
        if finding.term == DESIGN
    )
    note = " ".join([words.note, *remarks, *([SIMULATED] if results.simulated else [])])
    return ResultTable(
        words.id, words.title, tuple(column for column, _, _ in columns), rows, note, words.row_header
    )


def _about(finding: Finding) -> tuple[str, ...]:
    return finding.analysis, finding.task, finding.metric, finding.term, finding.against, finding.lesion


def compared(results: Results, finding: Finding) -> str:
    """Return what a finding is about, such as ``CNN-LSTM − ViT-LSTM`` or ``Encoder: ViT − CNN``."""
    first = term_name(results, finding.term, finding.kind)
    if not finding.against or finding.analysis in (DIFFERENTIATION, CROSS_TASK):
        return first
    if finding.kind:
        return f"{first} − {term_name(results, finding.against)}"
    return f"{first}: {contrast_name(finding.against)}"


def colour_of(results: Results, finding: Finding) -> str:
    """Return the colour of the source that a finding is about; empty where it is about none, or two."""
    source = results.source(finding.term, finding.kind)
    if source is not None and (
        finding.against in ("", PEOPLE_TERM) or results.source(finding.against) is None
    ):
        return source.colour
    if finding.kind == "human":
        return PEOPLE_COLOUR
    return REFERENCE_COLOUR if finding.kind in (BASELINE, TRUTH) else ""


def finding_tooltip(results: Results, finding: Finding) -> str:
    """Return what a finding is: definition, formula, value, interval, test, numbers, settings."""
    about = measured(finding.metric, results.preset)
    under = f", task {finding.task}" if finding.task else ""
    ends = interval_text(finding.low, finding.high, finding.metric, finding.unit)
    value = value_text(finding.estimate, finding.metric, finding.unit)
    unit = "" if value.endswith("%") else finding.unit
    lines = [
        f"{about.name}: {compared(results, finding)}{under}",
        about.meaning,
        about.formula,
        f"{value} {unit}".strip() + (f", 95 % interval {ends}" if ends else ""),
        _test_text(finding),
        f"d_z = {number(finding.effect)}: mean of the paired differences / their standard deviation over images"
        if known(finding.effect)
        else "",
        people_text(results, finding.n_images, finding.n_subjects),
        finding.note,
        SIMULATED if results.simulated else "",
        _settings_text(results, finding),
    ]
    return "\n".join(line for line in lines if line)


def source_table(
    results: Results,
    findings: Sequence[Finding],
    metrics: Sequence[str],
    words: Words,
    name: Name | None = None,
) -> ResultTable:
    """Return findings as a table with a row for each source and a column for each measure.

    A measure that is tested is followed by the p of its tests, corrected for their number where they were.

    Parameters
    ----------
    results
        For names and colours.
    findings
        What is shown, at most one for each source and measure.
    metrics
        The measures, in order; those without findings are left out.
    words
        The texts.
    name
        What a row is called; by its source when not given.
    """
    called = name or (lambda finding: compared(results, finding))
    cells = {(called(finding), finding.metric): finding for finding in findings}
    rows = {called(finding): finding for finding in reversed(findings)}
    shown = [metric for metric in metrics if any(metric == known_metric for _, known_metric in cells)]
    tested = {
        metric: any(known(one.p) for (_, other), one in cells.items() if other == metric) for metric in shown
    }
    columns: list[Column] = []
    for metric in shown:
        about = measured(metric, results.preset)
        columns.append(Column(metric, about.name, about.unit, f"{about.meaning}\n{about.formula}".strip()))
        if tested[metric]:
            columns.append(
                Column(f"{metric}_p", "p", "", "p of the test, corrected (Holm) where there are several.")
            )
    made = []
    for row in sorted(rows, key=lambda row: _place(results, rows[row])):
        own: list[Cell] = []
        for metric in shown:
            one = cells.get((row, metric))
            own.append(_value_cell(results, one) if one is not None else Cell(UNKNOWN))
            if tested[metric]:
                own.append(corrected_p_cell(one))
        made.append(Row(rows[row].kind, row, colour_of(results, rows[row]), tuple(own)))
    same = listed(list(dict.fromkeys(called(one) for one in findings if is_same_everywhere(one))))
    said = f"Where an interval has no width ({same}), the number is the same on every image." if same else ""
    note = " ".join(text for text in (words.note, said, SIMULATED if results.simulated else "") if text)
    return ResultTable(words.id, words.title, tuple(columns), tuple(made), note, words.row_header)


def _place(results: Results, finding: Finding) -> int:
    """Return where a finding's source stands among those of the study; people first."""
    if finding.kind == "human":
        return -1
    source = results.source(finding.term, finding.kind)
    return results.sources.index(source) if source is not None else len(results.sources)


def in_source_order(results: Results, findings: Sequence[Finding]) -> list[Finding]:
    """Return findings in the order in which their sources are shown."""
    return sorted(findings, key=lambda finding: _place(results, finding))


def dots(
    results: Results,
    findings: Sequence[Finding],
    places: Sequence[float],
    *,
    name: str = "",
    colour: str = "",
    kind: str = "",
    joined: bool = False,
    marker: str = "",
    hollow: bool = False,
) -> Series:
    """Return findings as points with intervals at these places."""
    first = findings[0]
    return Series(
        name=name,
        colour=colour or colour_of(results, first) or PLAIN_COLOUR,
        kind=kind or first.kind,
        x=np.array(places, dtype=np.float64),
        y=np.array([finding.estimate for finding in findings], dtype=np.float64),
        low=np.array([finding.low for finding in findings], dtype=np.float64),
        high=np.array([finding.high for finding in findings], dtype=np.float64),
        texts=tuple(finding_tooltip(results, finding) for finding in findings),
        joined=joined,
        marker=marker or MARKERS.get(kind or first.kind, "o"),
        hollow=hollow,
    )


def row_axes(
    results: Results,
    findings: Sequence[Finding],
    *,
    title: str,
    label: str = "",
    lines: Sequence[Line] = (),
    name: Name | None = None,
    names: Sequence[str] = (),
) -> Axes:
    """Return findings as points with intervals, one below the other, called by their names.

    Parameters
    ----------
    results
        For names and colours.
    findings
        What is shown, from the top.
    title
        Title of the plot.
    label
        What the values are; name and unit of the first finding's metric when not given.
    lines
        Reference lines.
    name
        What a row is called; as in :func:`finding_table`.
    names
        Names of all rows, where several plots have the same ones; those of the findings when not given.
    """
    called = name or (lambda finding: compared(results, finding))
    names = list(names or dict.fromkeys(called(finding) for finding in findings))
    first = findings[0]
    return Axes(
        title=title,
        x_label="",
        y_label=label or with_unit(measured(first.metric, results.preset).name, unit_of(first)),
        series=tuple(
            dots(results, [one], [float(names.index(called(one)))], name=called(one)) for one in findings
        ),
        x_ticks=tuple((float(k), one) for k, one in enumerate(names)),
        lines=tuple(lines),
        horizontal=True,
        legend=False,
    )


def unit_of(finding: Finding) -> str:
    """Return the unit of a finding: its own, else that of its metric."""
    return finding.unit or measured(finding.metric).unit


_Made = tuple[Column, Callable[[Finding], Cell], bool]


def _columns(
    results: Results, findings: Sequence[Finding], in_percent: Mapping[tuple[str, ...], Finding]
) -> list[_Made]:
    """Return each possible column, how its cells are made, and whether it says anything."""
    units = {unit_of(finding) for finding in findings}
    several_metrics = len({finding.metric for finding in findings}) > 1
    value = (
        "Value" if several_metrics else measured(findings[0].metric, results.preset).name if findings else ""
    )
    return [
        (
            Column("task", "Task"),
            lambda finding: Cell(finding.task or "all"),
            len({finding.task for finding in findings}) > 1,
        ),
        (
            Column("measure", "Measure"),
            lambda finding: Cell(
                measured(finding.metric, results.preset).name,
                tooltip=measured(finding.metric, results.preset).meaning,
            ),
            several_metrics,
        ),
        (
            Column(
                "estimate",
                value,
                units.pop() if len(units) == 1 else "",
                ""
                if several_metrics or not findings
                else measured(findings[0].metric, results.preset).meaning,
            ),
            lambda finding: _value_cell(results, finding),
            True,
        ),
        (
            Column(
                "percent",
                "Of the ceiling",
                "%",
                "The same in percent of the human ceiling above chance.",
            ),
            lambda finding: _share_cell(results, in_percent.get(_about(finding))),
            bool(in_percent),
        ),
        (
            Column("unit", "Unit"),
            lambda finding: Cell(unit_of(finding)),
            len({unit_of(finding) for finding in findings}) > 1,
        ),
        (
            Column(
                "effect",
                "d_z",
                "",
                "Effect size: mean of the paired differences / their standard deviation over images.",
            ),
            lambda finding: Cell(
                number(finding.effect), finite(finding.effect), finding_tooltip(results, finding)
            ),
            any(known(finding.effect) for finding in findings),
        ),
        (
            Column("p", "p", "", "p of the permutation test: two-sided unless a note says otherwise."),
            lambda finding: p_cell(finding.p),
            any(known(finding.p) for finding in findings),
        ),
        (
            Column(
                "p_holm",
                "p, Holm",
                "",
                "The same, corrected for the number of tests of its family (Holm 1979).",
            ),
            lambda finding: p_cell(finding.p_holm),
            any(known(finding.p_holm) for finding in findings),
        ),
        (
            Column("n_images", "Images", "", "Images that it rests on."),
            lambda finding: count_cell(finding.n_images),
            any(finding.n_images for finding in findings),
        ),
        (
            Column("n_subjects", "People", "", "People that it rests on; none where people do not enter."),
            lambda finding: count_cell(finding.n_subjects),
            any(finding.n_subjects for finding in findings),
        ),
        (
            Column("note", "Note"),
            lambda finding: Cell(finding.note),
            any(finding.note for finding in findings),
        ),
    ]


def _value_cell(results: Results, finding: Finding) -> Cell:
    return Cell(
        value_text(finding.estimate, finding.metric, finding.unit),
        finite(finding.estimate),
        finding_tooltip(results, finding),
        finite(finding.low),
        finite(finding.high),
    )


def _share_cell(results: Results, finding: Finding | None) -> Cell:
    if finding is None:
        return Cell(UNKNOWN)
    return Cell(
        number(finding.estimate, 1),
        finite(finding.estimate),
        finding_tooltip(results, finding),
        finite(finding.low),
        finite(finding.high),
    )


def p_cell(p: float) -> Cell:
    """Return a p value as a cell."""
    return Cell(p_value(p) if known(p) else UNKNOWN, finite(p))


def corrected_p_cell(finding: Finding | None) -> Cell:
    """Return the p of a finding as a cell, corrected for the number of tests where there were several."""
    if finding is None:
        return Cell(UNKNOWN)
    return p_cell(finding.p_holm if known(finding.p_holm) else finding.p)


def count_cell(n: int) -> Cell:
    """Return a number of images or people as a cell; a dash for none."""
    return Cell(number(n, 0) if n else UNKNOWN, float(n))


def _test_text(finding: Finding) -> str:
    if not known(finding.p):
        return ""
    text = f"p {p_text(finding.p)}"
    return f"{text}, corrected (Holm) {p_text(finding.p_holm)}" if known(finding.p_holm) else text


def p_text(p: float) -> str:
    """Return a p value for a sentence, such as ``= 0.012`` or ``< 0.001``."""
    text = p_value(p)
    return text if text.startswith("<") else f"=\u00a0{text}"


def _settings_text(results: Results, finding: Finding) -> str:
    row = next((row for row in results.findings if row.finding.analysis == finding.analysis), None)
    return results.settings.get(row.settings_id, "") if row is not None else ""
