"""How well responses can be predicted at all: ceilings from repeats and across subjects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from gazeapp.engine.neural.records import Responses
from gazeapp.engine.types import BoolArray, DoubleArray, FloatArray, IntArray

_CHUNK = 1024
"""Targets that are computed at once, which bounds the memory."""


class Repeats:
    """Means and scatter of repeats, gathered one row at a time (Welford's method).

    Parameters
    ----------
    n_subjects, n_images, n_targets
        What is gathered. NaN in a row counts as not measured.
    """

    def __init__(self, n_subjects: int, n_images: int, n_targets: int) -> None:
        self.means: FloatArray = np.full((n_subjects, n_images, n_targets), np.nan, np.float32)
        self.n_rows: IntArray = np.zeros((n_subjects, n_images), np.int64)
        self._known = np.zeros((n_subjects, n_images, n_targets), np.uint16)
        self._within: DoubleArray = np.zeros((n_subjects, n_targets))

    def add(self, subject: int, image: int, row: DoubleArray) -> None:
        """Take one response, shape (n_targets,)."""
        self.n_rows[subject, image] += 1
        # In the precision of the means, so that repeats that are copies differ by nothing.
        row = row.astype(np.float32).astype(np.float64)
        known = ~np.isnan(row)
        n = self._known[subject, image]
        n += known
        if self.n_rows[subject, image] == 1:
            self.means[subject, image] = row
            return
        old = self.means[subject, image].astype(np.float64)
        before = np.where(np.isnan(old), row, old)
        step = np.where(known, row - before, 0.0)
        after = np.where(known, before + step / np.maximum(n, 1), old)
        self._within[subject] += np.where(known, step * (row - after), 0.0)
        self.means[subject, image] = after

    def ceilings(self) -> FloatArray | None:
        """Return the ceiling of each subject's means, shape (n_subjects, n_targets); None without any repeat."""
        if not (self.n_rows > 1).any():
            return None
        found = np.full(self._within.shape, np.nan, np.float32)
        for s, own in enumerate(found):
            for part in _chunks(own.size):
                counts = self._known[s, :, part].astype(np.int64)
                own[part] = _ceiling(self.means[s, :, part], counts, self._within[s, part])
        return found


def repeat_ceiling(trials: FloatArray | DoubleArray, images: IntArray) -> DoubleArray:
    """Return the highest correlation that a perfect model can reach with the means over repeats.

    The variance over images of the mean of k repeats is signal variance + noise variance / k. Both are estimated by an
    analysis of variance with images as random effects, which allows for unequal numbers of repeats (Searle, Casella and
    McCulloch 1992, chapter 3). The ceiling is the square root of the reliability, signal / (signal + noise x mean of
    1 / k); 0 where the signal's estimate is not above 0.

    Parameters
    ----------
    trials
        Responses, shape (n_trials, n_targets); NaN where there is none.
    images
        Number of each trial's image, shape (n_trials,).

    Returns
    -------
    numpy.ndarray
        In units of r, shape (n_targets,); NaN where nothing was repeated, repeats do not differ at all, or there are
        fewer than two images.
    """
    names, place = np.unique(images, return_inverse=True)
    gathered = Repeats(1, len(names), trials.shape[1])
    for image, row in zip(place, trials, strict=True):
        gathered.add(0, int(image), np.asarray(row, dtype=np.float64))
    found = gathered.ceilings()
    return np.full(trials.shape[1], np.nan) if found is None else found[0].astype(np.float64)


@dataclass(frozen=True)
class SubjectCeiling:
    """What several subjects' responses to the same images allow, in units of r, each of shape (n_targets,).

    Parameters
    ----------
    mean
        Highest correlation of a perfect model with the mean over subjects: the square root of its reliability.
    lower
        Mean correlation of each subject with the mean of the others.
    upper
        Mean correlation of each subject with the mean of all, the subject's own part in it.
    """

    mean: DoubleArray
    lower: DoubleArray
    upper: DoubleArray


def subject_ceiling(values: FloatArray | DoubleArray) -> SubjectCeiling:
    """Return the ceilings that subjects give one another.

    ``mean`` takes subjects for repeats, after each subject's mean over images is taken away (it is no noise for a
    correlation over images). ``lower`` and ``upper`` bound what a model can reach with single subjects (Nili et al.
    2014, PLoS Computational Biology 10, e1003553).

    Parameters
    ----------
    values
        Responses, shape (n_subjects, n_images, n_targets); NaN where there is none.

    Returns
    -------
    SubjectCeiling
        NaN with fewer than two subjects or images.
    """
    n_targets = values.shape[2]
    found = SubjectCeiling(*(np.full(n_targets, np.nan) for _ in range(3)))
    if values.shape[0] < 2:
        return found
    for part in _chunks(n_targets):
        some = values[:, :, part].astype(np.float64)
        known = ~np.isnan(some)
        centred = some - _mean(some, known, 1)[:, None]
        n = known.sum(axis=0)
        mean = _mean(centred, known, 0)
        within = np.where(known, centred - mean, 0.0)
        # One mean was taken away for each subject, the one over all of them aside.
        lost = np.maximum(known.any(axis=1).sum(axis=0) - 1, 0)
        found.mean[part] = _ceiling(mean, n, (within**2).sum(axis=(0, 1)), lost)
        found.lower[part], found.upper[part] = _bounds(centred, known)
    return found


def mean_over_subjects(responses: Responses) -> Responses:
    """Return the mean over subjects as responses of one subject without a name, with its ceiling.

    The ceiling is that of :func:`subject_ceiling`; one subject's responses keep their own. Images that some subjects
    lack are averaged over the others, each subject's level being brought to the mean of all.
    """
    if len(responses.subjects) == 1:
        return replace(responses, subjects=("",))
    n_targets = responses.n_targets
    mean = np.full((1, len(responses.images), n_targets), np.nan, np.float32)
    for part in _chunks(n_targets):
        some = responses.values[:, :, part].astype(np.float64)
        known = ~np.isnan(some)
        levels = _mean(some, known, 1)
        level = _mean(levels, ~np.isnan(levels), 0)
        mean[0, :, part] = _mean(some - levels[:, None], known, 0) + level
    ceilings = subject_ceiling(responses.values).mean.astype(np.float32)[None]
    told = bool(np.isfinite(ceilings).any())
    return replace(
        responses,
        values=mean,
        subjects=("",),
        n_repeats=responses.n_repeats.sum(axis=0, keepdims=True),
        ceilings=ceilings if told else None,
        ceiling_origin=f"agreement of {len(responses.subjects)} subjects" if told else "",
    )


def _ceiling(
    means: FloatArray | DoubleArray, counts: IntArray, within: DoubleArray, lost: IntArray | int = 0
) -> DoubleArray:
    """Return the square root of the reliability of means.

    Parameters
    ----------
    means
        Shape (n_images, n_targets).
    counts
        Values behind each mean, of the same shape.
    within
        Sum of squares about these means, shape (n_targets,).
    lost
        Degrees of freedom that ``within`` has fewer.
    """
    k = counts.astype(np.float64)
    m = np.where(counts > 0, means, 0.0).astype(np.float64)
    n, total = (k > 0).sum(axis=0), k.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        noise = within / (total - n - lost)
        between = (k * (m - (k * m).sum(axis=0) / total) ** 2).sum(axis=0) / (n - 1)
        usual = (total - (k**2).sum(axis=0) / total) / (n - 1)
        signal = (between - noise) / usual
        of_mean = noise * np.where(k > 0, 1 / k, 0.0).sum(axis=0) / n
        ceiling = np.sqrt(np.maximum(signal, 0.0) / (np.maximum(signal, 0.0) + of_mean))
    known = (n > 1) & (total - n - lost > 0) & (noise > 0)
    return np.where(known, ceiling, np.nan)


def _bounds(centred: DoubleArray, known: BoolArray) -> tuple[DoubleArray, DoubleArray]:
    """Return the mean correlations of subjects with the others' mean and with the mean of all."""
    n_subjects = len(centred)
    lower, upper = np.full((2, n_subjects, centred.shape[2]), np.nan)
    total, n = np.where(known, centred, 0.0).sum(axis=0), known.sum(axis=0)
    for s in range(n_subjects):
        own = np.where(known[s], centred[s], 0.0)
        both = known[s] & (n > 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            lower[s] = _correlation(centred[s], (total - own) / (n - 1), both)
            upper[s] = _correlation(centred[s], total / n, both)
    return _mean(lower, ~np.isnan(lower), 0), _mean(upper, ~np.isnan(upper), 0)


def _correlation(a: DoubleArray, b: DoubleArray, known: BoolArray) -> DoubleArray:
    """Return Pearson's correlation down the rows where both are known, shape (n_targets,)."""
    a, b = (np.where(known, x - _mean(x, known, 0), 0.0) for x in (a, b))
    with np.errstate(divide="ignore", invalid="ignore"):
        found: DoubleArray = (a * b).sum(axis=0) / np.sqrt((a * a).sum(axis=0) * (b * b).sum(axis=0))
    return found


def _mean(values: DoubleArray, known: np.ndarray, axis: int) -> DoubleArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        mean: DoubleArray = np.where(known, values, 0.0).sum(axis=axis) / known.sum(axis=axis)
    return mean


def _chunks(n: int) -> Iterator[slice]:
    for first in range(0, n, _CHUNK):
        yield slice(first, first + _CHUNK)
