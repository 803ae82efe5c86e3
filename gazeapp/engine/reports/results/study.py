"""All that a study shows beyond its scores, analysis by analysis: what it says, its tables and its figures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from gazeapp.engine.reports.results import comparisons, design, maps, people, readings, scores, tasks
from gazeapp.engine.reports.results.data import Figure, Results, ResultTable, Section
from gazeapp.engine.reports.results.words import known, measured
from gazeapp.engine.scoring.findings import (
    CONCENTRATION,
    CROSS_TASK,
    DIFFERENCE,
    DIFFERENTIATION,
    FACTORIAL,
    LATERALITY,
    MODEL_TASK,
    OBSERVERS,
    SCANPATH,
)

_FLIP_CONTROL = ("laterality_corrected", "side_bias")
_Shown = TypeVar("_Shown", Figure, ResultTable)


def study_sections(results: Results, *, all_metrics: bool = False) -> tuple[Section, ...]:
    """Return the sections that have something to show, in their order.

    Parameters
    ----------
    results
        The results.
    all_metrics
        Whether models are compared by every metric, not only by the primary one.
    """
    sections = (
        _differences(results, all_metrics),
        _factorial(results, all_metrics),
        _model_task(results, all_metrics),
        _concentration(results),
        _tasks(results),
        _laterality(results),
        _observers(results),
        _scanpaths(results),
    )
    return tuple(section for section in sections if section.tables or section.figures)


def study_figures(results: Results) -> Iterator[Figure]:
    """Yield every figure that has something to show, each with an id of its own."""
    for task in results.tasks:
        yield from _shown([scores.score_figure(results, [task])])
    for task in results.tasks:
        yield from _shown([scores.image_figure(results, task, results.primary)])
    for section in study_sections(results, all_metrics=True):
        yield from section.figures


def tested_metrics(results: Results, analysis: str) -> list[str]:
    """Return the metrics that an analysis has findings of, the primary one first."""
    found = dict.fromkeys(finding.metric for finding in results.of(analysis))
    return sorted(found, key=lambda metric: metric != results.primary)


def _differences(results: Results, all_metrics: bool) -> Section:
    metrics = tested_metrics(results, DIFFERENCE)[: None if all_metrics else 1]
    return Section(
        "differences",
        "Differences between models",
        (),
        _shown(comparisons.difference_table(results, None, metric) for metric in metrics),
        _shown(comparisons.difference_figure(results, metric) for metric in metrics),
    )


def _factorial(results: Results, all_metrics: bool) -> Section:
    metrics = tested_metrics(results, FACTORIAL)[: None if all_metrics else 1]
    found = [
        readings.factorial_reading(results, metric, task) for metric in metrics[:1] for task in results.tasks
    ]
    return Section(
        "factorial",
        "Encoder and decoder",
        _said(found),
        _shown(design.factorial_table(results, metric) for metric in metrics),
        _shown(
            figure
            for metric in metrics
            for figure in (design.interaction_figure(results, metric), design.effect_figure(results, metric))
        ),
    )


def _model_task(results: Results, all_metrics: bool) -> Section:
    metrics = tested_metrics(results, MODEL_TASK)[: None if all_metrics else 1]
    return Section(
        "model-task",
        "Models and tasks",
        _said(readings.model_task_reading(results, metric) for metric in metrics[:1]),
        _shown(comparisons.model_task_table(results, metric) for metric in metrics),
        _shown(comparisons.model_task_figure(results, metric) for metric in metrics),
    )


def _concentration(results: Results) -> Section:
    leading = next(iter(maps.shown_measures(results)), "")
    found = [
        f"Task {task}: {text}"
        for task in results.tasks
        if (text := readings.concentration_reading(results, task, leading))
    ]
    return Section(
        "concentration",
        "Concentration",
        _said(found),
        _shown(
            table
            for task in results.tasks
            for table in (
                maps.concentration_table(results, task),
                maps.concentration_comparison_table(results, task),
            )
        ),
        _shown(maps.concentration_figure(results, task) for task in results.tasks),
        _explained(results, CONCENTRATION, maps.LEADING),
    )


def _tasks(results: Results) -> Section:
    pairs = tasks.task_pairs(results)
    found = [
        text
        for pair in pairs
        for text in (
            readings.differentiation_reading(results, pair),
            readings.cross_task_reading(results, pair),
        )
    ]
    return Section(
        "task-change",
        "Change with the task",
        _said(found),
        _shown(
            table
            for pair in pairs
            for table in (tasks.differentiation_table(results, pair), tasks.cross_task_table(results, pair))
        ),
        _shown(
            figure
            for pair in pairs
            for figure in (
                tasks.differentiation_figure(results, pair),
                tasks.specificity_figure(results, pair),
            )
        ),
        _explained(results, DIFFERENTIATION, tasks.SHOWN)
        + _explained(results, CROSS_TASK, (tasks.SPECIFICITY,)),
    )


def _laterality(results: Results) -> Section:
    leading = next(
        (finding.metric for finding in results.of(LATERALITY) if known(finding.estimate)), "laterality"
    )
    said = {
        task: [
            text
            for measure in dict.fromkeys((leading, *_FLIP_CONTROL))
            if (text := readings.laterality_reading(results, task, measure))
        ]
        for task in results.tasks
    }
    found = [f"Task {task}: {' '.join(texts)}" for task, texts in said.items() if texts]
    return Section(
        "laterality",
        "Left and right",
        _said(found),
        _shown(maps.laterality_table(results, task) for task in results.tasks),
        _shown(maps.laterality_figure(results, task) for task in results.tasks),
        _explained(results, LATERALITY),
    )


def _observers(results: Results) -> Section:
    metrics = tested_metrics(results, OBSERVERS)
    return Section(
        "observers",
        "Number of observers",
        _said(readings.observer_reading(results, metric) for metric in metrics[:1]),
        _shown(people.observer_table(results, metric) for metric in metrics[:1]),
        _shown([people.observer_figure(results)]),
    )


def _scanpaths(results: Results) -> Section:
    return Section(
        "scanpaths",
        "Scanpaths",
        _said(readings.scanpath_reading(results, task) for task in results.tasks),
        _shown(people.scanpath_table(results, task) for task in results.tasks),
        _shown(people.scanpath_figure(results, task) for task in results.tasks),
        _explained(results, SCANPATH),
    )


def _explained(
    results: Results, analysis: str, metrics: Sequence[str] = ()
) -> tuple[tuple[str, str, str], ...]:
    """Return name, meaning and formula of the measures of an analysis: of these, or of all that have findings."""
    found = dict.fromkeys(finding.metric for finding in results.of(analysis))
    facts = [measured(metric, results.preset) for metric in metrics or found if metric in found]
    return tuple((one.name, one.meaning, one.formula) for one in facts)


def _shown(found: Iterable[_Shown | None]) -> tuple[_Shown, ...]:
    return tuple(one for one in found if one is not None)


def _said(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(text for text in found if text)
