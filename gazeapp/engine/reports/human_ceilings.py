"""Human ceilings over the images of a task, with intervals about images and people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gazeapp.engine.project import CEILING, CeilingRow, PeoplePartsRow, Project
from gazeapp.engine.scoring.aggregate import ceiling_mark
from gazeapp.engine.scoring.facts import METRICS
from gazeapp.engine.scoring.findings import NAN
from gazeapp.engine.scoring.statistics.two_way import Ceiling, LeftOutRows, TwoWay
from gazeapp.engine.types import DoubleArray, IntArray


@dataclass(frozen=True, slots=True)
class CeilingEstimate:
    """One ceiling, or a part of one, over images, with its 95 % interval (NaN where unknown) and what that is about."""

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
    interval: str


def ceiling_rows(project: Project) -> Iterator[CeilingEstimate]:
    """Yield every stored part of a ceiling and every ceiling made of them, by preset, task and metric."""
    groups: dict[tuple[str, str, int], list[CeilingRow]] = {}
    for row in project.scores.ceilings():
        groups.setdefault((row.preset, row.task, row.settings_id), []).append(row)
    for preset, task, settings_id in sorted(groups):
        settings = project.settings.get(settings_id)
        how = (int(settings.values.get("n_bootstrap", 10_000)), int(settings.values.get("seed", 0)))
        people = list(project.scores.people_parts(task, settings.hash))
        found = _of_task(groups[preset, task, settings_id], people, *how)
        for metric, estimator, value, low, high, n_images, n_subjects, interval in found:
            yield CeilingEstimate(
                *(task, metric, preset, estimator, value, low, high, n_images, n_subjects),
                *(settings_id, interval),
            )


def _of_task(
    rows: list[CeilingRow], people: list[PeoplePartsRow], n_bootstrap: int, seed: int
) -> list[tuple[str, str, float, float, float, int, int, str]]:
    images = sorted({row.image_id for row in rows})
    place = {image: k for k, image in enumerate(images)}
    n_subjects = np.zeros(len(images), dtype=np.int64)
    parts: dict[tuple[str, str], DoubleArray] = {}
    for row in rows:
        n_subjects[place[row.image_id]] = row.n_subjects
        column = parts.setdefault((row.metric, row.estimator), np.full(len(images), np.nan))
        column[place[row.image_id]] = np.nan if row.value is None else row.value
    rest = _Rest(people, place)
    marks = _marks(parts, n_subjects)
    left = _marks(rest.parts, n_subjects[rest.image] - 1)
    order = {metric: k for k, metric in enumerate(METRICS)}
    keys = sorted(marks, key=lambda key: (order.get(key[0], len(order)), key))
    found = []
    for key in keys:
        columns, combine = marks[key]
        without = LeftOutRows(rest.image, rest.subject, left[key][0]) if key in left else None
        found.append((*key, *_estimate(columns, combine, without, n_bootstrap, seed, n_subjects)))
    return found


class _Rest:
    """The parts of the ceilings without each of an image's subjects: one entry for each image and subject."""

    def __init__(self, people: list[PeoplePartsRow], place: dict[int, int]) -> None:
        own = [row for row in people if row.image_id in place]
        counts = [len(row.subjects) for row in own]
        self.image = np.repeat(np.array([place[row.image_id] for row in own], dtype=np.int64), counts)
        names = np.array([name for row in own for name in row.subjects])
        self.subject: IntArray = np.unique(names, return_inverse=True)[1].astype(np.int64)
        self.parts: dict[tuple[str, str], DoubleArray] = {}
        starts = np.cumsum([0, *counts])
        for start, row in zip(starts, own, strict=False):
            for (kind, estimator, _, _, metric), values in zip(row.columns, row.values, strict=True):
                if kind == CEILING:
                    column = self.parts.setdefault((metric, estimator), np.full(len(names), np.nan))
                    column[start : start + len(values)] = values


def _marks(
    parts: dict[tuple[str, str], DoubleArray], n_subjects: IntArray
) -> dict[tuple[str, str], tuple[DoubleArray, Ceiling]]:
    """Return each part, and what the parts of a metric make its ceiling, as columns and how these combine."""
    marks: dict[tuple[str, str], tuple[DoubleArray, Ceiling]] = {
        key: (column[:, None], lambda means: means[..., 0]) for key, column in parts.items()
    }
    for metric in METRICS:
        mark = ceiling_mark(metric, parts, n_subjects)
        if mark is not None:
            marks[metric, mark.estimator] = (mark.columns, mark.combine)
    return marks


def _estimate(
    columns: DoubleArray,
    combine: Ceiling,
    without: LeftOutRows | None,
    n_bootstrap: int,
    seed: int,
    n_subjects: IntArray,
) -> tuple[float, float, float, int, int, str]:
    study = TwoWay(columns, without, n_bootstrap, seed)
    if not study.n_images:
        return NAN, NAN, NAN, 0, 0, ""
    found = study.interval(combine)
    n_people = int(n_subjects[study.complete].max())
    return found.estimate, found.low, found.high, found.n_images, n_people, found.method
