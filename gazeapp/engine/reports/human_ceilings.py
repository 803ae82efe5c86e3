"""Human ceilings over the images of a task, with their intervals.

These intervals are about images alone; those of the summary are about images and people.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gazeapp.engine.project import CeilingRow, Project
from gazeapp.engine.scoring.aggregate import ceiling_mark
from gazeapp.engine.scoring.facts import METRICS
from gazeapp.engine.scoring.findings import NAN
from gazeapp.engine.scoring.statistics import Ceiling, TwoWay
from gazeapp.engine.types import DoubleArray, IntArray


@dataclass(frozen=True, slots=True)
class CeilingEstimate:
    """One ceiling, or a part of one, over images, with a 95 % interval over images (NaN where unknown)."""

    task: str
    metric: str
    preset: str
    estimator: str
    value: float
    low: float
    high: float
    n_images: int
    n_subjects: int
    settings_id: int


def ceiling_rows(project: Project) -> Iterator[CeilingEstimate]:
    """Yield every stored part of a ceiling and every ceiling made of them, by preset, task and metric."""
    groups: dict[tuple[str, str, int], list[CeilingRow]] = {}
    for row in project.scores.ceilings():
        groups.setdefault((row.preset, row.task, row.settings_id), []).append(row)
    for key in sorted(groups):
        preset, task, settings_id = key
        values = project.settings.get(settings_id).values
        found = _of_task(groups[key], int(values.get("n_bootstrap", 10_000)), int(values.get("seed", 0)))
        for metric, estimator, value, low, high, n_images, n_subjects in found:
            yield CeilingEstimate(
                task, metric, preset, estimator, value, low, high, n_images, n_subjects, settings_id
            )


def _of_task(
    rows: list[CeilingRow], n_bootstrap: int, seed: int
) -> list[tuple[str, str, float, float, float, int, int]]:
    images = sorted({row.image_id for row in rows})
    place = {image: k for k, image in enumerate(images)}
    n_subjects = np.zeros(len(images), dtype=np.int64)
    parts: dict[tuple[str, str], DoubleArray] = {}
    for row in rows:
        n_subjects[place[row.image_id]] = row.n_subjects
        column = parts.setdefault((row.metric, row.estimator), np.full(len(images), np.nan))
        column[place[row.image_id]] = np.nan if row.value is None else row.value
    marks: dict[tuple[str, str], tuple[DoubleArray, Ceiling]] = {
        key: (column[:, None], lambda means: means[..., 0]) for key, column in parts.items()
    }
    for metric in METRICS:
        mark = ceiling_mark(metric, parts, n_subjects)
        if mark is not None:
            marks[metric, mark.estimator] = (mark.columns, mark.combine)
    order = {metric: k for k, metric in enumerate(METRICS)}
    keys = sorted(marks, key=lambda key: (order.get(key[0], len(order)), key))
    return [(*key, *_estimate(*marks[key], n_bootstrap, seed, n_subjects)) for key in keys]


def _estimate(
    columns: DoubleArray, combine: Ceiling, n_bootstrap: int, seed: int, n_subjects: IntArray
) -> tuple[float, float, float, int, int]:
    study = TwoWay(columns, None, n_bootstrap, seed)
    if not study.n_images:
        return NAN, NAN, NAN, 0, 0
    found = study.interval(combine)
    return found.estimate, found.low, found.high, found.n_images, int(n_subjects[study.complete].max())
