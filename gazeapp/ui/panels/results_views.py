"""The views of the scores panel: what each is about, what it needs, and the tables and figures that it shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from gazeapp.engine.reports.results import comparisons, design, maps, people, scores, tasks
from gazeapp.engine.reports.results.data import Figure, ImageValues, Results, ResultTable, SourceFacts
from gazeapp.engine.reports.results.words import measured
from gazeapp.engine.reports.scores import in_order
from gazeapp.engine.reports.style import PEOPLE_COLOUR
from gazeapp.engine.scoring.facts import METRICS
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
from gazeapp.engine.scoring.sources import BASELINE, HUMAN
from gazeapp.engine.types import DoubleArray
from gazeapp.ui.study import PEOPLE

SCORES = "scores"
_TESTS = ("p", "p_holm", "effect")
"""Columns of the tests of a difference, in the order in which they are shown."""
_PEOPLE_POINTS = {
    "loso_mixture": "each person's fixations on the density estimated from the others",
    "loso": "each person's fixations on the map of the others",
    "split_half_r": "the correlation of the maps of two halves of the people",
    "half_vs_half": "the map of half of the people against that of the other half",
}
"""Estimator -> what people's points are."""
_PEOPLE_NOTES = {
    "loso_extrapolated": "The ceiling in the table is extrapolated to more people than there are, so it lies higher.",
    "sqrt_spearman_brown": "The ceiling in the table is what a perfect map would reach with a human map of all of "
    "them, so it lies higher.",
    "loso": "Their mean is what 100 % stands for in the table, a lower bound of the ceiling.",
    "loso_mixture": "Their mean is what 100 % stands for in the table, a lower bound of the ceiling.",
}
"""Estimator of the ceiling in the table -> why people's points differ from it."""


@dataclass(frozen=True, eq=False)
class ImageScores:
    """What every image scores by one metric under one task.

    Parameters
    ----------
    task, metric
        Task and metric.
    values
        Columns of the sources, with keys (task, metric, kind, source, method).
    estimator, people
        How well people predict each other on each image, shape (n_images,), NaN where unknown, and by what
        estimator; None and empty where it is not known.
    """

    task: str
    metric: str
    values: ImageValues
    estimator: str = ""
    people: DoubleArray | None = None


@dataclass(frozen=True)
class Shown:
    """What a view shows: tables of which one is in sight, and figures of which one is."""

    tables: tuple[ResultTable, ...] = ()
    figures: tuple[Figure, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to see."""
        return not any(table.rows for table in self.tables) and not self.figures


@dataclass(frozen=True)
class View:
    """One way to look at the results.

    Parameters
    ----------
    id, name
        Stable name, and the one to show.
    about
        What it answers, one sentence.
    needs
        What has to be done before it shows anything, as sentences.
    analyses
        Analyses whose findings it shows.
    build
        Makes tables and figures of the results, under a task, by a choice.
    choices
        What there is to choose from (metrics, measures, pairs of tasks), id to name, in order.
    action
        The action that brings what it needs.
    """

    id: str
    name: str
    about: str
    needs: str
    analyses: tuple[str, ...]
    build: Callable[[Results, str, str], Shown]
    choices: Callable[[Results, str], dict[str, str]]
    action: str = "study.score"


def _scored(results: Results, task: str) -> dict[str, str]:
    found = scores.scored_metrics(results, task) or scores.scored_metrics(results)
    return {metric: measured(metric, results.preset).name for metric in found}


def _metrics_of(*analyses: str) -> Callable[[Results, str], dict[str, str]]:
    """Return what gives the metrics that have findings of these analyses."""

    def choices(results: Results, _task: str) -> dict[str, str]:
        found = in_order(one.metric for name in analyses for one in results.of(name) if one.metric in METRICS)
        return {metric: measured(metric, results.preset).name for metric in found}

    return choices


def _present(*parts: ResultTable | None) -> tuple[ResultTable, ...]:
    return tuple(part for part in parts if part is not None)


def _drawn(*parts: Figure | None) -> tuple[Figure, ...]:
    return tuple(part for part in parts if part is not None)


def _tests_first(table: ResultTable | None) -> ResultTable | None:
    """Return a table with its tests right after the values, where they are in sight in a narrow panel, too."""
    if table is None:
        return None
    ids = [column.id for column in table.columns]
    tests = [ids.index(one) for one in _TESTS if one in ids]
    rest = [k for k in range(len(ids)) if k not in tests]
    after = ids.index("estimate") + 1 - sum(k < ids.index("estimate") for k in tests)
    order = [*rest[:after], *tests, *rest[after:]]
    return replace(
        table,
        columns=tuple(table.columns[k] for k in order),
        rows=tuple(replace(row, cells=tuple(row.cells[k] for k in order)) for row in table.rows),
    )


def _differences(results: Results, task: str, metric: str) -> Shown:
    return Shown(
        _present(
            _tests_first(comparisons.difference_table(results, task, metric)),
            _tests_first(comparisons.model_task_table(results, metric)),
        ),
        _drawn(
            comparisons.difference_figure(results, metric, task),
            comparisons.model_task_figure(results, metric),
        ),
    )


def _factorial(results: Results, _task: str, metric: str) -> Shown:
    return Shown(
        _present(_tests_first(design.factorial_table(results, metric)), design.cell_table(results, metric)),
        _drawn(design.interaction_figure(results, metric), design.effect_figure(results, metric)),
    )


_LEADING = ""


def _concentration_choices(results: Results, _task: str) -> dict[str, str]:
    found = maps.concentration_measures(results)
    return {_LEADING: "Leading measures", **{one: measured(one).name for one in found}} if found else {}


def _concentration(results: Results, task: str, measure: str) -> Shown:
    every = maps.concentration_measures(results)
    drawn = maps.LEADING if measure == _LEADING else (measure,)
    return Shown(
        _present(
            maps.concentration_table(results, task, every),
            maps.concentration_comparison_table(results, task, every),
        ),
        _drawn(maps.concentration_figure(results, task, drawn)),
    )


_BETWEEN = " | "


def _pair_choices(results: Results, _task: str) -> dict[str, str]:
    return {_BETWEEN.join(pair): f"{pair[0]} and {pair[1]}" for pair in tasks.task_pairs(results)}


def _task_difference(results: Results, _task: str, choice: str) -> Shown:
    pairs = {_BETWEEN.join(pair): pair for pair in tasks.task_pairs(results)}
    if choice not in pairs:
        return Shown()
    pair = pairs[choice]
    return Shown(
        _present(tasks.differentiation_table(results, pair), tasks.cross_task_table(results, pair)),
        _drawn(tasks.differentiation_figure(results, pair), tasks.specificity_figure(results, pair)),
    )


def _sides(results: Results, task: str, _choice: str) -> Shown:
    return Shown(
        _present(
            maps.laterality_table(results, task),
            maps.laterality_table(results, task, against_people=True),
        ),
        _drawn(maps.laterality_figure(results, task)),
    )


def _observers(results: Results, _task: str, metric: str) -> Shown:
    return Shown(
        _present(people.observer_table(results, metric)),
        _drawn(people.observer_figure(results, [metric]), people.observer_figure(results)),
    )


def _scanpaths(results: Results, task: str, _choice: str) -> Shown:
    return Shown(
        _present(people.scanpath_table(results, task)), _drawn(people.scanpath_figure(results, task))
    )


def _nothing_to_choose(_results: Results, _task: str) -> dict[str, str]:
    return {}


def score_figures(results: Results, images: ImageScores, *, baselines: bool) -> tuple[Figure, ...]:
    """Return the score of every image as dots, and shares of the ceiling as bars.

    Parameters
    ----------
    results
        The results, without scores of images.
    images
        Those that are drawn.
    baselines
        Whether baselines have a row of dots and a bar, too.
    """
    task, metric = images.task, images.metric
    shown = results if baselines else replace(results, sources=_without_baselines(results.sources))
    dots = scores.image_figure(_with_images(shown, images), task, metric)
    if dots is not None and images.people is not None:
        dots = replace(dots, caption=f"{dots.caption} {_about_people(results, images)}")
    return _drawn(
        dots,
        scores.score_figure(shown, [task], [metric]),
        scores.score_figure(shown, (), [metric]) if len(results.tasks) > 1 else None,
    )


def _about_people(results: Results, images: ImageScores) -> str:
    """Return what people's points are, and why the ceiling of the table is another number."""
    about = images.task, images.metric
    found = (row.estimator for row in results.summary if (row.task, row.metric) == about)
    points = f"People's points are {_PEOPLE_POINTS[images.estimator]}."
    return f"{points} {_PEOPLE_NOTES.get(next(filter(None, found), ''), '')}".rstrip()


def _without_baselines(sources: Sequence[SourceFacts]) -> tuple[SourceFacts, ...]:
    return tuple(source for source in sources if source.kind != BASELINE)


def _with_images(results: Results, images: ImageScores) -> Results:
    """Return the results with scores of images, and a row of people: how well they predict each other."""
    values, known = images.values, tuple(one for one in results.sources if one.kind != HUMAN)
    if images.people is None:
        return replace(results, sources=known, scores=values)
    everybody = SourceFacts(HUMAN, PEOPLE, "", "People", PEOPLE_COLOUR)
    columns = {**values.columns, (images.task, images.metric, HUMAN, PEOPLE, ""): images.people}
    return replace(
        results,
        sources=(everybody, *known),
        scores=ImageValues(values.image_ids, values.names, columns),
    )


VIEWS: tuple[View, ...] = (
    View(
        SCORES,
        "Scores",
        "Each source against the human ceiling, and every image behind the means.",
        "",
        (),
        lambda _results, _task, _metric: Shown(),
        _scored,
    ),
    View(
        "differences",
        "Differences",
        "Which models differ on the same images, by how much, and how sure that is.",
        "It needs two models with scores.",
        (DIFFERENCE, MODEL_TASK),
        _differences,
        _metrics_of(DIFFERENCE, MODEL_TASK),
    ),
    View(
        "factorial",
        "Architecture",
        "What encoder and decoder contribute each, and whether one depends on the other.",
        "It needs scores of models that cross two encoders with two decoders; of imported maps, say both at the "
        "import.",
        (FACTORIAL,),
        _factorial,
        _metrics_of(FACTORIAL),
    ),
    View(
        "concentration",
        "Concentration",
        "How concentrated maps are, beside people's at the same number of fixations.",
        "It is measured when the study is scored.",
        (CONCENTRATION,),
        _concentration,
        _concentration_choices,
    ),
    View(
        "tasks",
        "Task difference",
        "How much maps change with the task, and whether they change as people's do.",
        "It needs two tasks with the same images, and is measured when the study is scored.",
        (DIFFERENTIATION, CROSS_TASK),
        _task_difference,
        _pair_choices,
    ),
    View(
        "sides",
        "Sides",
        "Whether attention lies left or right of the middle.",
        "It is measured when the study is scored.",
        (LATERALITY,),
        _sides,
        _nothing_to_choose,
    ),
    View(
        "observers",
        "Observers",
        "How well a person is predicted from some of the others, and whether more people would help.",
        "It needs three people on an image, and is measured when the study is scored.",
        (OBSERVERS,),
        _observers,
        _metrics_of(OBSERVERS),
    ),
    View(
        "scanpaths",
        "Scanpaths",
        "How alike people's scanpaths are on the same image, beside those on other images.",
        "It needs two people on an image, and their fixations in order.",
        (SCANPATH,),
        _scanpaths,
        _nothing_to_choose,
        "study.scanpaths",
    ),
)
"""Every view, in the order in which they are offered."""
