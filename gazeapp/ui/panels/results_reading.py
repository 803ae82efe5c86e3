"""What the scores panel does off the GUI thread: reading results, drawing many points, writing files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gazeapp.engine.reports.results.data import Figure, Results, ResultTable
from gazeapp.engine.types import DoubleArray
from gazeapp.ui.panels.results_views import PeopleByImage, Shown, View, score_figures
from gazeapp.ui.study import PEOPLE_BY_IMAGE

if TYPE_CHECKING:
    from gazeapp.engine.project import Project


@dataclass(frozen=True, eq=False)
class ReadResults:
    """The results of a study under one preset, and what people reach on each image."""

    results: Results
    people: PeopleByImage


def read_work(preset: str) -> Callable[[Any, Any], ReadResults]:
    """Return the work of reading the results of a project."""

    def work(project: Project, _progress: Any) -> ReadResults:
        from gazeapp.engine.reports.results.read import read_results

        results = read_results(project, preset)
        return ReadResults(results, _people(project, results))

    return work


def _people(project: Project, results: Results) -> PeopleByImage:
    place = {image_id: k for k, image_id in enumerate(results.scores.image_ids)}
    columns: dict[tuple[str, str, str], DoubleArray] = {}
    for row in project.scores.ceilings(results.preset):
        if row.estimator in PEOPLE_BY_IMAGE and row.value is not None:
            key = row.task, row.metric, row.estimator
            columns.setdefault(key, np.full(len(place), np.nan))[place[row.image_id]] = row.value
    found: PeopleByImage = {}
    for estimator in reversed(PEOPLE_BY_IMAGE):
        for (task, metric, one), column in columns.items():
            if one == estimator:
                found[task, metric] = estimator, column
    return found


def score_work(
    read: ReadResults, table: ResultTable, task: str, metric: str, *, baselines: bool
) -> Callable[[Any, Any], Shown]:
    """Return the work of drawing scores beside their table."""

    def work(_project: Any, _progress: Any) -> Shown:
        figures = score_figures(read.results, read.people, task, metric, baselines=baselines)
        return Shown((table,), figures)

    return work


def view_work(read: ReadResults, view: View, task: str, choice: str) -> Callable[[Any, Any], Shown]:
    """Return the work of making the tables and figures of a view."""

    def work(_project: Any, _progress: Any) -> Shown:
        return view.build(read.results, task, choice)

    return work


def table_work(table: ResultTable, path: Path) -> Callable[[Any, Any], str]:
    """Return the work of writing a table as CSV; its result is the path."""

    def work(_project: Any, _progress: Any) -> str:
        from gazeapp.engine.reports.results.draw import write_table_csv

        write_table_csv(table, path)
        return str(path)

    return work


def figure_work(figure: Figure, path: Path) -> Callable[[Any, Any], str]:
    """Return the work of writing a figure as SVG, PDF or PNG; its result is the path."""

    def work(_project: Any, _progress: Any) -> str:
        from gazeapp.engine.reports.results.draw import write_figure

        write_figure(figure, path)
        return str(path)

    return work
