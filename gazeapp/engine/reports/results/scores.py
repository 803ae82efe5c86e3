"""Scores as bars against the ceiling, and image by image."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np

from gazeapp.engine.project import SummaryRow
from gazeapp.engine.reports.results.data import (
    Axes,
    Figure,
    Line,
    Results,
    Series,
    SourceFacts,
)
from gazeapp.engine.reports.results.findings import MARKERS
from gazeapp.engine.reports.results.read import summary_of
from gazeapp.engine.reports.results.words import (
    SIMULATED,
    captioned,
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

_SPREAD = 0.62
_GOLDEN = 0.6180339887498949


def scored_metrics(results: Results, task: str | None = None) -> list[str]:
    """Return the metrics that have a score, of one task or of any, in the order in which they are shown."""
    return in_order(row.metric for row in results.summary if task in (None, row.task))


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
        marker=MARKERS.get(source.kind, "o"),
    )
