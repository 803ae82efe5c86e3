"""What the scores panel does off the GUI thread: reading results, drawing many points, writing files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gazeapp.engine.reports.results.data import Figure, ImageValues, Results, ResultTable
from gazeapp.engine.types import DoubleArray
from gazeapp.ui.panels.results_views import ImageScores, Shown, View, score_figures
from gazeapp.ui.study import PEOPLE_BY_IMAGE

if TYPE_CHECKING:
    from gazeapp.engine.project import Project


def read_work(preset: str) -> Callable[[Any, Any], Results]:
    """Return the work of reading the results of a project.

    Of single images only the change with the task is read, which has a plot of its own; scores of images are
    read by :func:`images_work` when they are drawn.
    """

    def work(project: Project, _progress: Any) -> Results:
        from gazeapp.engine.reports.results.read import read_results
        from gazeapp.engine.reports.results.tasks import CHANGE

        results = read_results(project, preset, images=False)
        names = _names(project)
        place = {image_id: k for k, image_id in enumerate(names)}
        columns = _Columns(len(names))
        for row in project.findings.measures([CHANGE]):
            if row.value is not None and not row.lesion:
                key = row.task, row.measure, row.against, row.source_kind, row.source, row.method
                columns.of(key)[place[row.image_id]] = row.value
        measures = ImageValues(tuple(names), tuple(names.values()), columns.made)
        return replace(results, measures=measures)

    return work


def images_work(preset: str, task: str, metric: str) -> Callable[[Any, Any], ImageScores]:
    """Return the work of reading what every image scores by one metric under one task."""

    def work(project: Project, _progress: Any) -> ImageScores:
        names = _names(project)
        place = {image_id: k for k, image_id in enumerate(names)}
        columns = _Columns(len(names))
        for image_id, kind, source, method, value in project.scores.of_metric(preset, task, metric):
            columns.of((task, metric, kind, source, method))[place[image_id]] = value
        people = _Columns(len(names))
        for image_id, estimator, value in project.scores.ceilings_of_metric(preset, task, metric):
            if estimator in PEOPLE_BY_IMAGE:
                people.of((estimator,))[place[image_id]] = value
        estimator = next((one for one in PEOPLE_BY_IMAGE if (one,) in people.made), "")
        return ImageScores(
            task,
            metric,
            ImageValues(tuple(names), tuple(names.values()), columns.made),
            estimator,
            people.made.get((estimator,)),
        )

    return work


class _Columns:
    """Columns over images, made when they are first asked for."""

    def __init__(self, n: int) -> None:
        self._n = n
        self.made: dict[tuple[str, ...], DoubleArray] = {}

    def of(self, key: tuple[str, ...]) -> DoubleArray:
        column = self.made.get(key)
        if column is None:
            column = self.made[key] = np.full(self._n, np.nan)
        return column


def _names(project: Project) -> dict[int, str]:
    return {image.id: image.name for image in project.images.all()}


def score_work(
    results: Results, images: ImageScores, table: ResultTable, *, baselines: bool
) -> Callable[[Any, Any], Shown]:
    """Return the work of drawing scores beside their table."""

    def work(_project: Any, _progress: Any) -> Shown:
        return Shown((table,), score_figures(results, images, baselines=baselines))

    return work


def view_work(results: Results, view: View, task: str, choice: str) -> Callable[[Any, Any], Shown]:
    """Return the work of making the tables and figures of a view."""

    def work(_project: Any, _progress: Any) -> Shown:
        return view.build(results, task, choice)

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


def picture_work(figure: Figure) -> Callable[[Any, Any], bytes]:
    """Return the work of drawing a figure for the clipboard; its result is a PNG file."""

    def work(_project: Any, _progress: Any) -> bytes:
        from gazeapp.engine.reports.results.draw import figure_bytes

        return figure_bytes(figure, "png")

    return work
