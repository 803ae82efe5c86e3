"""Percent of ceiling, and how sure it is: a paired bootstrap over images, a jackknife over people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from gazeapp.engine.types import BoolArray, DoubleArray, FloatArray, IntArray

CONFIDENCE = 0.95
_TAIL = (1.0 - CONFIDENCE) / 2
_CHUNK_CELLS = 4_000_000

Ceiling = Callable[[DoubleArray], DoubleArray]
"""From means over images of the ceiling's columns, shape (..., n_columns), to the ceiling, shape (...)."""


MIN_PEOPLE = 3
"""People that the part of an interval that is about people needs."""


@dataclass(frozen=True)
class LeftOutRows:
    """Images without one of their subjects: one row for each image and subject who looked at it.

    Parameters
    ----------
    image
        Index of the image, shape (p,).
    subject
        Number of the subject, the same one on all images, shape (p,).
    table
        The image's score and parts of the ceiling without that subject, shape (p, 1 + n_columns).
    """

    image: IntArray
    subject: IntArray
    table: DoubleArray


@dataclass(frozen=True, slots=True)
class Share:
    """A source's mean score and its share of the ceiling.

    Parameters
    ----------
    n_images
        Images that went in: those with a score and every part of the ceiling.
    mean
        Mean score over these images; NaN without any.
    ceiling
        Ceiling over the same images; NaN when there is none.
    percent, low, high
        100 (mean - chance) / (ceiling - chance) and the ends of its 95 % interval, percent; never
        clipped, NaN without a ceiling clearly above chance.
    """

    n_images: int
    mean: float
    ceiling: float
    percent: float
    low: float
    high: float


def share_of_ceiling(
    scores: ArrayLike,
    parts: ArrayLike,
    ceiling: Ceiling,
    chance: float,
    n_bootstrap: int = 10_000,
    seed: int = 0,
    left_out: LeftOutRows | None = None,
) -> Share:
    """Return the ratio of the mean score to the ceiling, both above chance, with its interval.

    Images are resampled with replacement; numerator and denominator see the same images in every
    resample (paired), and all sources scored on the same number of images the same resamples.
    Percentile interval (Efron & Tibshirani 1993, ch. 13). People who keep their habits over all images
    shift all images together, which no resample of images shows: each side of the interval is made
    longer by ``sqrt(1 + var_people / var_images)``, var_people from leaving out one subject at a time
    (:func:`variance_over_people`). What varies by image and person is in both variances, so that the
    interval is wide rather than narrow (cf. Owen 2007; docs/methods.md has figures).

    A ratio to a ceiling that may be chance says nothing: there is no percentage unless the lower end of
    the ceiling's own 95 % interval, from the same resamples, is above chance.

    Parameters
    ----------
    scores
        Score of each image, shape (n,); images with NaN are left out.
    parts
        What each image contributes to the ceiling, shape (n, n_columns); images with NaN are left out.
    ceiling
        Combines the means of ``parts`` into the ceiling.
    chance
        Score of a source that knows nothing.
    n_bootstrap
        Number of resamples.
    seed
        Seed of the resamples.
    left_out
        The images without one of their subjects; None, or fewer than 3 subjects: an interval over
        images alone.
    """
    table = np.column_stack([np.asarray(scores, dtype=np.float64), np.asarray(parts, dtype=np.float64)])
    complete = np.asarray(np.isfinite(table).all(axis=1))
    kept = table[complete]
    n = len(kept)
    nan = float("nan")
    if not n:
        return Share(0, nan, nan, nan, nan, nan)
    means = kept.mean(axis=0)
    mark = float(ceiling(means[1:]))
    percent = float(_percent(means[0], np.float64(mark), chance))
    if n < 2 or not np.isfinite(percent):
        return Share(n, float(means[0]), mark, percent, nan, nan)
    resampled = resampled_means(kept, n_bootstrap, seed)
    ceilings = ceiling(resampled[:, 1:])
    if (ceilings > chance).mean() < 1.0 - _TAIL:
        return Share(n, float(means[0]), mark, nan, nan, nan)
    percents = _percent(resampled[:, 0], ceilings, chance)
    low, high = (float(end) for end in np.nanquantile(percents, [_TAIL, 1.0 - _TAIL]))
    if left_out is not None:
        without = means_without(table, complete, left_out)
        people = variance_over_people(_percent(without[:, 0], ceiling(without[:, 1:]), chance))
        low, high = _widened(percent, low, high, people, float(np.nanvar(percents)))
    return Share(n, float(means[0]), mark, percent, low, high)


def means_without(table: DoubleArray, complete: BoolArray, left_out: LeftOutRows) -> DoubleArray:
    """Return the means of the columns over the complete images, without each subject in turn.

    Parameters
    ----------
    table
        Shape (n, n_columns).
    complete
        Which images go in, shape (n,). Images that a subject did not look at stay as they are; those
        that have no value without the subject are left out.
    left_out
        The images without one of their subjects.

    Returns
    -------
    numpy.ndarray
        Shape (n_subjects, n_columns), for the subjects who looked at any of these images.
    """
    inside = complete[left_out.image]
    image, rows = left_out.image[inside], left_out.table[inside]
    people, subject = np.unique(left_out.subject[inside], return_inverse=True)
    known = np.asarray(np.isfinite(rows).all(axis=1))
    sums = np.tile(table[complete].sum(axis=0), (len(people), 1))
    np.add.at(sums, subject, np.where(known[:, None], rows, 0.0) - table[image])
    n_images = complete.sum() - np.bincount(subject[~known], minlength=len(people))
    means: DoubleArray = sums / np.where(n_images > 0, n_images, np.nan)[:, None]
    return means


def variance_over_people(without: DoubleArray) -> float:
    """Return the jackknife's variance of an estimate from its values without each subject in turn.

    (S - 1) / S * sum over S subjects of (value without - mean of these)**2 (Efron & Tibshirani 1993,
    ch. 11); 0 with fewer than 3 subjects.
    """
    values = without[np.isfinite(without)]
    return float((len(values) - 1) * values.var()) if len(values) >= MIN_PEOPLE else 0.0


def resampled_means(table: DoubleArray, n_bootstrap: int, seed: int) -> DoubleArray:
    """Return the means of the columns in every resample of the rows.

    Parameters
    ----------
    table
        Shape (n, n_columns).
    n_bootstrap, seed
        Number of resamples and their seed.

    Returns
    -------
    numpy.ndarray
        Shape (n_bootstrap, n_columns).
    """
    n = len(table)
    chunk = max(1, min(n_bootstrap, _CHUNK_CELLS // n))
    parts = []
    for k, start in enumerate(range(0, n_bootstrap, chunk)):
        size = min(chunk, n_bootstrap - start)
        parts.append(_counts(n, size, seed, k) @ table / n)
    return np.concatenate(parts)


@lru_cache(maxsize=2)
def _counts(n: int, size: int, seed: int, part: int) -> FloatArray:
    """Return how often each of ``n`` images is drawn in each of ``size`` resamples, shape (size, n)."""
    drawn = np.random.default_rng([seed, n, part]).integers(0, n, (size, n))
    drawn += np.arange(size)[:, None] * n
    counts: FloatArray = np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n).astype(np.float32)
    counts.setflags(write=False)
    return counts


def _widened(
    percent: float, low: float, high: float, over_people: float, over_images: float
) -> tuple[float, float]:
    """Return the interval with each side lengthened about the estimate for the variance over people."""
    if not over_images > 0:
        return low, high
    factor = np.sqrt(1.0 + over_people / over_images)
    return float(percent - factor * (percent - low)), float(percent + factor * (high - percent))


def _percent(mean: DoubleArray | np.float64, ceiling: DoubleArray | np.float64, chance: float) -> DoubleArray:
    with np.errstate(invalid="ignore", divide="ignore"):
        percent: DoubleArray = 100.0 * (np.asarray(mean) - chance) / (np.asarray(ceiling) - chance)
    return np.where(np.asarray(ceiling) > chance, percent, np.nan)
