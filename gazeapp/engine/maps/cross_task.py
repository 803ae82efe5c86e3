"""Maps of one task against the fixations of another: whether a map is about the task or only about the picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gazeapp.engine.maps.common_grid import AttentionMap, CommonGrid, Fixations, checked, subject_maps
from gazeapp.engine.maps.resample import to_image
from gazeapp.engine.types import DoubleArray

PEOPLE = "people"
"""Source whose map is that of the other people."""
MATRIX_GRID = CommonGrid(long_side=128, sigma=24 / 1024, floor=0.0)
"""Finer than the grid of the measures, and with the human maps' own Gaussian."""

FixationScore = Callable[[DoubleArray, DoubleArray, DoubleArray], DoubleArray]
"""From a map over the whole image, shape (rows, columns), and positions u, v in shares of it, shape (n,), to what
each fixation scores, shape (n,); the metric is their mean."""


@dataclass(frozen=True)
class CrossTaskRecord:
    """What the fixations of each person score on the maps of each task, on one image.

    Parameters
    ----------
    tasks
        The tasks, in the order of the axes.
    subjects
        Names of all people who looked at the image under any of them, ascending.
    n_fixations
        Fixations of each person under each task, shape (n_tasks, n_subjects).
    scores
        Source -> mean score, shape (n_tasks of the map, n_tasks of the fixations, n_subjects); NaN where the
        source has no map or the person did not look. ``people`` stands for the map of the others.
    """

    tasks: tuple[str, ...]
    subjects: tuple[str, ...]
    n_fixations: DoubleArray
    scores: dict[str, DoubleArray]

    def matrix(self, source: str) -> DoubleArray:
        """Return the score of each task's map (rows) on each task's fixations (columns)."""
        known = np.isfinite(self.scores[source])
        weights = known * self.n_fixations
        with np.errstate(divide="ignore", invalid="ignore"):
            matrix: DoubleArray = np.where(known, self.scores[source] * weights, 0.0).sum(axis=-1) / (
                weights.sum(axis=-1)
            )
        return matrix


def nss_at(values: DoubleArray, u: DoubleArray, v: DoubleArray) -> DoubleArray:
    """Return the height of a map at fixations, in standard deviations above its mean (NSS; Peters et al. 2005).

    Shape (n,); 0 on a constant map. Parameters as of :data:`FixationScore`.
    """
    rows, columns = values.shape
    spread = values.std()
    if spread <= 1e-6 * abs(values.mean()):
        return np.zeros(len(u))
    at = values[(v * rows).astype(np.int64), (u * columns).astype(np.int64)]
    heights: DoubleArray = (at - values.mean()) / spread
    return heights


def image_cross_task(
    people: Mapping[str, Fixations],
    sources: Mapping[str, Mapping[str, AttentionMap]],
    tasks: Sequence[str],
    width: float,
    height: float,
    grid: CommonGrid = MATRIX_GRID,
    score: FixationScore = nss_at,
    seed: int = 0,
) -> CrossTaskRecord:
    """Score every map of one image on the fixations of every task.

    Nobody predicts themselves: a person's fixations are scored on the map of all others, also where the map is
    that of the other task. Where the person did not do the other task, one of its people, chosen by the seed,
    is left out in their place, so that the map of the own task has no disadvantage.

    Parameters
    ----------
    people
        Task -> where people looked; tasks without fixations may be missing.
    sources
        Source -> task -> its map, which is not blurred.
    tasks
        The tasks.
    width, height
        Size of the image, px: only their proportion counts.
    grid
        Cells on which maps are scored, and the Gaussian of the people's maps.
    score
        The metric, one value a fixation.
    seed
        Seed of those who are left out in somebody's place: one of its own for each image.
    """
    looked = {task: people[task] for task in tasks if task in people and len(people[task])}
    subjects = sorted({name for own in looked.values() for name in own.people()})
    number = np.zeros((len(tasks), len(subjects)))
    for b, task in enumerate(tasks):
        if task in looked:
            number[b] = [(looked[task].subject == name).sum() for name in subjects]
    empty = np.full((len(tasks), len(tasks), len(subjects)), np.nan)
    found = {PEOPLE: empty.copy()}
    for a, own in enumerate(tasks):
        if own in looked:
            others = _OtherPeople(looked[own], width, height, grid, seed + a)
            for b, task in enumerate(tasks):
                if task in looked:
                    found[PEOPLE][a, b] = others.scores(looked[task], subjects, score)
    shape = grid.shape(width, height)
    for source, by_task in sources.items():
        found[source] = empty.copy()
        for a, own in enumerate(tasks):
            if own in by_task:
                values = _resampled(by_task[own], shape)
                for b, task in enumerate(tasks):
                    if task in looked:
                        found[source][a, b] = _by_subject(values, looked[task], subjects, score)
    return CrossTaskRecord(tuple(tasks), tuple(subjects), number, found)


class _OtherPeople:
    """The people's maps of one task, of which the one who is scored is left out."""

    def __init__(self, looked: Fixations, width: float, height: float, grid: CommonGrid, seed: int) -> None:
        self.names, maps = subject_maps(looked, width, height, grid)
        # Sums of the others rather than the total less one: no rounding where only that one looked.
        self._others = ((1.0 - np.eye(len(maps))) @ maps.reshape(len(maps), -1)).reshape(maps.shape)
        self._instead = np.random.default_rng([seed, len(maps)]).permutation(len(maps))

    def scores(self, looked: Fixations, subjects: Sequence[str], score: FixationScore) -> DoubleArray:
        """Return the mean score of each subject's fixations on the map of the others, shape (n_subjects,)."""
        found = np.full(len(subjects), np.nan)
        if len(self.names) < 2:
            return found
        for k, name in enumerate(subjects):
            own = looked.subject == name
            if own.any():
                left_out = (
                    self.names.index(name) if name in self.names else self._instead[k % len(self._instead)]
                )
                found[k] = score(self._others[left_out], looked.u[own], looked.v[own]).mean()
        return found


def _resampled(own: AttentionMap, shape: tuple[int, int]) -> DoubleArray:
    rows, columns = shape
    return to_image(checked(own.values), own.rect.scaled(columns, rows), rows, columns).astype(np.float64)


def _by_subject(
    values: DoubleArray, looked: Fixations, subjects: Sequence[str], score: FixationScore
) -> DoubleArray:
    """Return the mean score of each subject's fixations, shape (n_subjects,); NaN for those without any."""
    owner = np.searchsorted(subjects, looked.subject)
    number = np.bincount(owner, minlength=len(subjects))
    sums = np.bincount(owner, score(values, looked.u, looked.v), minlength=len(subjects))
    with np.errstate(divide="ignore", invalid="ignore"):
        means: DoubleArray = np.where(number > 0, sums / number, np.nan)
    return means
