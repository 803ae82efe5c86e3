"""Scores as a table and as bars against the ceiling, and image by image."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np

from gazeapp.engine.project import SummaryRow
from gazeapp.engine.reports.numbers import UNKNOWN
from gazeapp.engine.reports.results.data import (
    BASELINE,
    MODEL,
    TRUTH,
    Axes,
    Cell,
    Column,
    Figure,
    Line,
    Results,
    ResultTable,
    Row,
    Series,
    SourceFacts,
)
from gazeapp.engine.reports.results.read import summary_of
from gazeapp.engine.reports.results.words import (
    SIMULATED,
    captioned,
    finite,
    interval_text,
    interval_words,
    measured,
    number_or_nan,
    people_text,
    value_text,
    with_unit,
)
from gazeapp.engine.reports.scores import in_order
from gazeapp.engine.scoring.facts import ESTIMATORS, METRICS, PERCENT, SOURCE_MEANINGS, is_lower_bound
from gazeapp.engine.types import DoubleArray

PERCENT_OF_CEILING = "percent"
MEAN = "mean"
_SPREAD = 0.62
_GOLDEN = 0.6180339887498949


def scored_metrics(results: Results, task: str | None = None) -> list[str]:
    """Return the metrics that have a score, of one task or of any, in the order in which they are shown."""
    return in_order(row.metric for row in results.summary if task in (None, row.task))


def score_table(
    results: Results,
    tasks: Sequence[str] = (),
    metrics: Sequence[str] = (),
    quantity: str = PERCENT_OF_CEILING,
) -> ResultTable:
    """Return scores over images: a row for each source, a column for each task and metric.

    Parameters
    ----------
    results
        The results.
    tasks, metrics
        What is shown; all that were scored when not given. With one task columns are called by their
        metric, with one metric by their task.
    quantity
        ``percent``: percent of ceiling where a metric has one, else the mean; ``mean``: mean scores, and the
        ceiling and chance as rows of their own.
    """
    pairs = _scored(results, tasks, metrics)
    columns, cells = [], []
    for task, metric in pairs:
        rows = [row for row in results.summary if (row.task, row.metric) == (task, metric)]
        in_percent = quantity == PERCENT_OF_CEILING and any(row.percent is not None for row in rows)
        columns.append(_column(results, pairs, task, metric, rows, in_percent))
        cells.append((task, metric, in_percent))
    shown = [
        Row(
            source.kind,
            source.name,
            source.colour,
            tuple(_cell(results, source, task, metric, in_percent) for task, metric, in_percent in cells),
        )
        for source in results.sources
        if any(summary_of(results, source, task, metric) for task, metric in pairs)
    ]
    marks = [] if quantity == PERCENT_OF_CEILING else _marks(results, pairs)
    return ResultTable(
        id=f"scores_{quantity}",
        title="Percent of the human ceiling" if quantity == PERCENT_OF_CEILING else "Scores",
        columns=tuple(columns),
        rows=(*marks, *shown),
        note=_note(results, pairs, quantity),
    )


def score_figure(results: Results, tasks: Sequence[str] = (), metrics: Sequence[str] = ()) -> Figure | None:
    """Return percent of ceiling as bars with 95 % intervals, one plot for each task and metric that has any.

    Parameters
    ----------
    results
        The results.
    tasks, metrics
        What is shown; all that were scored when not given.
    """
    pairs = [
        pair
        for pair in _scored(results, tasks, metrics)
        if any(row.percent is not None for row in results.summary if (row.task, row.metric) == pair)
    ]
    if not pairs:
        return None
    shown = [
        source
        for source in results.sources
        if any((row := summary_of(results, source, *pair)) and row.percent is not None for pair in pairs)
    ]
    axes = [_percent_axes(results, shown, pairs, task, metric) for task, metric in pairs]
    return Figure(
        id="_".join(["scores", *tasks, *metrics]),
        title="Percent of the human ceiling",
        caption=captioned(
            results,
            "Mean score over images as percent of the human ceiling, with 95 % intervals; 0 % is chance, baselines "
            "are grey, dashed: 100 %. Where the axis says so, 100 % is a lower bound of the ceiling.",
        ),
        axes=tuple(axes),
        columns=len({metric for _, metric in pairs}) if len(pairs) > 3 else len(pairs),
        simulated=results.simulated,
    )


def image_figure(results: Results, task: str, metric: str) -> Figure | None:
    """Return the score of every image as a dot, a line of dots for each source; None without scores of images.

    Parameters
    ----------
    results
        The results, with scores of images.
    task, metric
        What is shown.
    """
    shown = []
    for source in results.sources:
        column = results.scores.columns.get((task, metric, source.kind, source.id, source.method))
        if column is not None:
            shown.append((source, column))
    if not shown:
        return None
    about = measured(metric, results.preset)
    series = [_dots(results, metric, place, *pair) for place, pair in enumerate(shown)]
    means = [_mean_of(results, task, metric, place, *pair) for place, pair in enumerate(shown)]
    chance = METRICS[metric].chance if metric in METRICS else None
    return Figure(
        id=f"images_{metric}_{task}",
        title=f"{about.name} of every image, task {task}",
        caption=captioned(
            results,
            "Each dot is one image; the large dot is the mean over the images with a score. Height within a row has "
            "no meaning.",
        ),
        axes=(
            Axes(
                title=f"Task {task}",
                x_label="",
                y_label=with_unit(about.name, about.unit),
                series=(*series, *means),
                x_ticks=tuple((float(k), source.name) for k, (source, _) in enumerate(shown)),
                lines=() if chance is None else (Line(chance, "chance"),),
                horizontal=True,
                legend=False,
            ),
        ),
        columns=1,
        simulated=results.simulated,
    )


def score_tooltip(results: Results, row: SummaryRow, name: str) -> str:
    """Return what a score is: definition, ceiling, numbers of images and people, interval, settings."""
    about = measured(row.metric, results.preset)
    lines = [
        f"{about.name} of {name}, task {row.task}",
        about.meaning,
        about.formula,
        f"Mean {value_text(row.mean, row.metric)} over {people_text(results, row.n_images, row.n_subjects)}",
    ]
    if row.ceiling is not None:
        kind = "Ceiling" if row.percent is not None else "Reference"
        lines.append(
            f"{kind} {value_text(row.ceiling, row.metric)}: {ESTIMATORS.get(row.estimator, row.estimator)}"
        )
    if row.percent is not None:
        ends = interval_text(row.ci_low, row.ci_high, row.metric, "%")
        lines.append(f"{value_text(row.percent, row.metric, '%')} {ends}".strip() + f"; {PERCENT}")
        if ends:
            lines.append(
                f"95 % interval: {interval_words(row.interval)}" if row.interval else "95 % interval"
            )
    if row.source in SOURCE_MEANINGS:
        lines.append(SOURCE_MEANINGS[row.source])
    if results.simulated:
        lines.append(SIMULATED)
    lines.append(f"Preset {results.preset}; {results.settings.get(row.settings_id, '')}".rstrip("; "))
    return "\n".join(line for line in lines if line)


def _scored(results: Results, tasks: Sequence[str], metrics: Sequence[str]) -> list[tuple[str, str]]:
    """Return the (task, metric) that were scored, of those that are asked for."""
    found = {(row.task, row.metric) for row in results.summary}
    order = product(tasks or results.tasks, metrics or scored_metrics(results))
    return [pair for pair in order if pair in found]


def _called(pairs: Sequence[tuple[str, str]], task: str, name: str) -> str:
    """Return what a column or plot is called: by what differs between them."""
    if len({metric for _, metric in pairs}) == 1 and len(pairs) > 1:
        return task
    return name if len({task for task, _ in pairs}) == 1 else f"{name}, {task}"


def _column(
    results: Results,
    pairs: Sequence[tuple[str, str]],
    task: str,
    metric: str,
    rows: Sequence[SummaryRow],
    in_percent: bool,
) -> Column:
    about = measured(metric, results.preset)
    estimator = next((row.estimator for row in rows if row.percent is not None), "")
    bound = "lower bound" if is_lower_bound(estimator) else "ceiling"
    of_ceiling = METRICS[metric].ceiling if metric in METRICS else ""
    return Column(
        id="_".join(part for part in (metric, task if len({t for t, _ in pairs}) > 1 else "") if part),
        name=_called(pairs, task, about.name),
        unit=f"% of {bound}" if in_percent else about.unit,
        meaning="\n".join(line for line in (about.meaning, about.formula, of_ceiling) if line),
    )


def _cell(results: Results, source: SourceFacts, task: str, metric: str, in_percent: bool) -> Cell:
    row = summary_of(results, source, task, metric)
    if row is None:
        return Cell(UNKNOWN, tooltip=f"{source.name} was not scored by {measured(metric).name} under {task}.")
    tooltip = score_tooltip(results, row, source.name)
    if in_percent:
        return Cell(
            value_text(row.percent, metric, "%"),
            row.percent,
            tooltip,
            finite(row.ci_low),
            finite(row.ci_high),
        )
    return Cell(value_text(row.mean, metric), finite(row.mean), tooltip)


def _marks(results: Results, pairs: Sequence[tuple[str, str]]) -> list[Row]:
    """Return the ceiling, or reference, and chance as rows."""
    ceilings, chances = [], []
    for task, metric in pairs:
        rows = [row for row in results.summary if (row.task, row.metric) == (task, metric)]
        # Sources may lack some images; the reference shown is the one over the most.
        widest = max(rows, key=lambda row: (row.ceiling is not None, row.n_images))
        what = "Ceiling" if any(row.percent is not None for row in rows) else "Reference, no ceiling"
        tooltip = f"{what}: {ESTIMATORS.get(widest.estimator, widest.estimator)}" if widest.estimator else ""
        ceilings.append(Cell(value_text(widest.ceiling, metric), finite(widest.ceiling), tooltip))
        chances.append(Cell(value_text(widest.chance, metric), finite(widest.chance), "Knowing nothing"))
    return [
        Row("", "Human ceiling or reference", "", tuple(ceilings)),
        Row("", "Chance", "", tuple(chances)),
    ]


def _percent_axes(
    results: Results,
    shown: Sequence[SourceFacts],
    pairs: Sequence[tuple[str, str]],
    task: str,
    metric: str,
) -> Axes:
    series, bound = [], False
    for place, source in enumerate(shown):
        row = summary_of(results, source, task, metric)
        if row is None or row.percent is None:
            continue
        bound = bound or is_lower_bound(row.estimator)
        series.append(
            Series(
                name=source.name,
                colour=source.colour,
                kind=source.kind,
                x=np.array([float(place)]),
                y=np.array([row.percent]),
                low=np.array([number_or_nan(row.ci_low)]),
                high=np.array([number_or_nan(row.ci_high)]),
                texts=(score_tooltip(results, row, source.name),),
                marker="",
                bars=True,
            )
        )
    name = measured(metric, results.preset).name
    mark = "lower bound of the ceiling" if bound else "human ceiling"
    return Axes(
        title=_called(pairs, task, name),
        x_label="",
        y_label=f"% of {mark}",
        series=tuple(series),
        x_ticks=tuple((float(place), source.name) for place, source in enumerate(shown)),
        lines=(Line(100.0, mark), Line(0.0, "chance", dashed=False)),
        horizontal=True,
        legend=False,
    )


def _dots(results: Results, metric: str, place: int, source: SourceFacts, column: DoubleArray) -> Series:
    has = np.flatnonzero(np.isfinite(column))
    # A low-discrepancy shift keeps dots apart and is the same in every drawing.
    shift = ((np.arange(len(column)) * _GOLDEN) % 1.0 - 0.5) * _SPREAD
    return Series(
        name=source.name,
        colour=source.colour,
        kind=source.kind,
        x=np.asarray(place + shift[has], dtype=np.float64),
        y=column[has],
        texts=tuple(
            f"{results.scores.names[k]}\n{source.name}: {value_text(column[k], metric)}" for k in has
        ),
        keys=tuple((results.scores.image_ids[k], source.id) for k in has),
        small=True,
    )


def _mean_of(
    results: Results,
    task: str,
    metric: str,
    place: int,
    source: SourceFacts,
    column: DoubleArray,
) -> Series:
    row = summary_of(results, source, task, metric)
    mean = float(np.nanmean(column)) if np.isfinite(column).any() else float("nan")
    return Series(
        name="",
        colour=source.colour,
        kind=source.kind,
        x=np.array([float(place)]),
        y=np.array([mean]),
        texts=(
            score_tooltip(results, row, source.name)
            if row is not None
            else f"{source.name}: mean {value_text(mean, metric)}",
        ),
        marker={MODEL: "o", BASELINE: "s", TRUTH: "D"}.get(source.kind, "o"),
    )


def _note(results: Results, pairs: Sequence[tuple[str, str]], quantity: str) -> str:
    """Return what the ceilings are, and that observers are simulated."""
    estimators: dict[str, list[str]] = {}
    for row in results.summary:
        if (row.task, row.metric) in pairs and row.estimator:
            names = estimators.setdefault(row.estimator, [])
            if (name := measured(row.metric).name) not in names:
                names.append(name)
    held = [f"{', '.join(names)}: {ESTIMATORS.get(one, one)}" for one, names in estimators.items()]
    lead = "100 % is the human ceiling" if quantity == PERCENT_OF_CEILING else "Ceilings and references"
    methods = sorted({row.interval for row in results.summary if row.interval})
    made = f" Intervals: {'; '.join(interval_words(method) for method in methods)}." if methods else ""
    text = f"{lead}. {'; '.join(held)}.{made if quantity == PERCENT_OF_CEILING else ''}" if held else ""
    return captioned(results, text)
