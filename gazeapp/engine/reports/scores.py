"""Score tables of a report, one for each task."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from gazeapp.engine.models.given import is_given
from gazeapp.engine.project import Project, SummaryRow
from gazeapp.engine.reports.chart import percent_chart
from gazeapp.engine.reports.content import Cell, MetricColumn, ModelData, PairRow, SourceRow, TaskScores
from gazeapp.engine.reports.numbers import is_share
from gazeapp.engine.reports.style import PEOPLE_COLOUR, REFERENCE_COLOUR
from gazeapp.engine.scoring.baselines.from_fixations import CENTRE_BIAS
from gazeapp.engine.scoring.facts import METRICS, SOURCES
from gazeapp.engine.scoring.findings import Finding
from gazeapp.engine.scoring.sources import MODEL, model_names, shown_name

_KIND_ORDER = {"human": 0, "model": 1, "baseline": 2, "truth": 3}


def current_summary(project: Project, preset: str) -> list[SummaryRow]:
    """Return the summary rows of a preset, without lesions."""
    return [row for row in project.scores.summary(preset) if not row.lesion]


def scored_with(project: Project, preset: str) -> str | None:
    """Return the hash of the settings behind the summary of a preset, None without one.

    Named, it makes reading the scores of every image of a large study some seven times as fast.
    """
    row = next(iter(project.scores.summary(preset)), None)
    return None if row is None else project.settings.get(row.settings_id).hash


def task_scores(
    rows: Sequence[SummaryRow], tasks: Sequence[str], models: Sequence[ModelData]
) -> tuple[TaskScores, ...]:
    """Return a score table and chart for each task that was scored.

    Parameters
    ----------
    rows
        Summary rows of one preset.
    tasks
        Task names in order.
    models
        For names, colours and order.
    """
    return tuple(
        _task(task, own, models) for task in tasks if (own := [row for row in rows if row.task == task])
    )


def with_pairs(task: TaskScores, found: Iterable[Finding], metric: str) -> TaskScores:
    """Return a score table with its models compared in pairs, and each with the centre bias.

    Parameters
    ----------
    task
        The table.
    found
        Differences between models, and of models from the centre bias.
    metric
        The metric that is compared.
    """
    models = [row for row in task.rows if row.kind == MODEL]
    called = model_names((row.source, row.method) for row in models)
    names = {called[row.source, row.method]: row.name for row in models}
    own = [
        one
        for one in found
        if (one.task, one.metric) == (task.task, metric) and not is_share(one.unit) and one.term in names
    ]
    centre = {CENTRE_BIAS: SOURCES[CENTRE_BIAS]}
    return replace(task, pairs=_pairs(own, names, names), against_centre=_pairs(own, names, centre))


def _pairs(
    found: Iterable[Finding], first: Mapping[str, str], second: Mapping[str, str]
) -> tuple[PairRow, ...]:
    """Return the differences of some sources from some others, with their names."""
    return tuple(
        PairRow(
            *(first[one.term], second[one.against], one.n_images),
            *(one.estimate, one.low, one.high, one.p, one.p_holm),
        )
        for one in found
        if one.against in second
    )


def primary_metric(project: Project, rows: Sequence[SummaryRow]) -> str:
    """Return the metric that results are led by.

    The one that was declared when the rows were scored; NSS, else the first with a percent of ceiling, else the
    first, where none was.
    """
    for settings_id in {row.settings_id for row in rows}:
        declared = str(project.settings.get(settings_id).values.get("primary") or "")
        if declared in {row.metric for row in rows}:
            return declared
    held = in_order(row.metric for row in rows if row.percent is not None)
    return next(iter(held or in_order(row.metric for row in rows)), "nss")


def higher_is_better(metric: str) -> bool:
    """Return whether a larger value of a metric means better agreement."""
    return METRICS[metric].higher_is_better if metric in METRICS else True


def standing(cell: Cell, metric: str) -> tuple[float, float]:
    """Return what sources are ranked by, larger is better: percent of ceiling, then mean score.

    Sources that lack some images are each held against the ceiling of their own, so that their percentages
    can be compared where their means cannot.
    """
    mean = cell.mean if cell.mean is not None else -math.inf
    percent = cell.percent if cell.percent is not None else -math.inf
    return percent, mean if higher_is_better(metric) else -mean


def in_order(metrics: Iterable[str]) -> list[str]:
    """Return metric ids in the order in which they are shown."""
    known = {metric: k for k, metric in enumerate(METRICS)}
    return sorted(set(metrics), key=lambda metric: (known.get(metric, len(known)), metric))


def _task(task: str, rows: list[SummaryRow], models: Sequence[ModelData]) -> TaskScores:
    metrics = [_column(metric, rows) for metric in in_order(row.metric for row in rows)]
    place = {source: k for k, source in enumerate([*(model.id for model in models), *SOURCES])}
    keys = sorted(
        {(row.source_kind, row.source, row.method) for row in rows},
        key=lambda key: (_KIND_ORDER.get(key[0], 9), place.get(key[1], len(place)), key[1], key[2]),
    )
    sources = []
    for kind, source, method in keys:
        own = {
            row.metric: row
            for row in rows
            if (row.source_kind, row.source, row.method) == (kind, source, method)
        }
        methods = [key[2] for key in keys if key[:2] == (kind, source)]
        sources.append(_source((kind, source, method), methods, own, metrics, models))
    sources = _mark_best(sources, metrics)
    return TaskScores(
        task=task,
        n_images=max(row.n_images for row in rows),
        n_subjects=max(row.n_subjects for row in rows),
        metrics=tuple(metrics),
        rows=tuple(sources),
        chart=percent_chart(metrics, sources),
        intervals=tuple(sorted({row.interval for row in rows if row.interval})),
    )


def _column(metric: str, rows: list[SummaryRow]) -> MetricColumn:
    own = [row for row in rows if row.metric == metric]
    # Sources may lack some images; the reference shown is the one over the most.
    widest = max(own, key=lambda row: (row.ceiling is not None, row.n_images))
    return MetricColumn(
        metric, widest.ceiling, widest.estimator, widest.chance, any(row.percent is not None for row in own)
    )


def _source(
    key: tuple[str, str, str],
    methods: Sequence[str],
    own: dict[str, SummaryRow],
    metrics: list[MetricColumn],
    models: Sequence[ModelData],
) -> SourceRow:
    kind, source, method = key
    model = next((model for model in models if model.id == source), None)
    name = model.name if model else SOURCES.get(source, source)
    reference = PEOPLE_COLOUR if kind == "human" else REFERENCE_COLOUR
    cells = tuple(_cell(own[metric.id]) if metric.id in own else None for metric in metrics)
    return SourceRow(
        kind=kind,
        source=source,
        method=method,
        name=shown_name(name, method, methods),
        colour=model.colour if model else reference,
        n_images=max(row.n_images for row in own.values()),
        cells=cells,
    )


def _cell(row: SummaryRow) -> Cell:
    return Cell(row.mean, row.percent, row.ci_low, row.ci_high, row.n_images, row.ceiling)


def _mark_best(sources: list[SourceRow], metrics: list[MetricColumn]) -> list[SourceRow]:
    """Mark the best model of each metric, of free maps and of those along given captions; no other source competes."""
    best: set[tuple[int, int]] = set()
    for given in (False, True):
        models = [i for i, one in enumerate(sources) if one.kind == MODEL and is_given(one.method) == given]
        for k, metric in enumerate(metrics):
            places = [
                (standing(cell, metric.id), i)
                for i in models
                if (cell := sources[i].cells[k]) is not None and cell.mean is not None
            ]
            if len(places) > 1:
                best.add((max(places)[1], k))
    return [
        replace(
            source,
            cells=tuple(
                replace(cell, best=True) if cell is not None and (i, k) in best else cell
                for k, cell in enumerate(source.cells)
            ),
        )
        for i, source in enumerate(sources)
    ]
