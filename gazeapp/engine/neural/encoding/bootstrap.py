"""Where a cross-validated correlation could lie in another study: intervals from resampled images."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gazeapp.engine.errors import StoppedError
from gazeapp.engine.neural.encoding.scores import deviations, fisher_z, within_folds
from gazeapp.engine.runners.process import never
from gazeapp.engine.types import BoolArray, DoubleArray, FloatArray, IntArray

MIN_IN_FOLD = 6
"""Fewest images in a fold that can be resampled."""
Z_95 = 1.959963984540054
_CHUNK = 256
_Array = NDArray[np.floating]


@dataclass(frozen=True)
class FoldDraws:
    """How often each image of a fold is drawn in each resample.

    Parameters
    ----------
    rows
        Images of the fold, as places among all.
    shares
        How often each is drawn / images drawn, shape (n_bootstrap, n_in_fold).
    """

    rows: IntArray
    shares: FloatArray


def draws(fold: IntArray, n_bootstrap: int, seed: int) -> list[FoldDraws]:
    """Return resamples of the images of each fold: drawn with replacement, as many as the fold has."""
    rng = np.random.default_rng([seed, len(fold)])
    found = []
    for number in np.unique(fold):
        rows = np.flatnonzero(fold == number)
        counts = rng.multinomial(len(rows), np.full(len(rows), 1.0 / len(rows)), n_bootstrap)
        found.append(FoldDraws(rows, (counts / len(rows)).astype(np.float32)))
    return found


def intervals(
    predictions: _Array,
    observed: _Array,
    fold: IntArray,
    n_bootstrap: int = 1000,
    seed: int = 0,
    should_stop: Callable[[], bool] = never,
) -> tuple[DoubleArray, DoubleArray]:
    """Return the ends of the 95 % interval of each target's correlation, two arrays of shape (n_targets,).

    Fisher's z of the correlation plus and minus 1.96 standard errors, turned back into r. The standard error
    is that of z in resamples of the images within their folds, times :func:`widening`: resampling alone takes
    models as given and folds as independent, and intervals from it hold the truth in 81 to 88 % of studies
    instead of 95 %.

    The interval is about studies of as many other images, which models are fitted to and tested on anew. In
    simulated studies (48 to 200 images, 20 to 196 features, r of 0 to 0.8, normal and heavier tails) it held
    the mean r of such studies in 95 to 99 %, and as often the r that the study's own models reach on new
    images; it is on the long side where r is high or folds have fewer than 10 images. There is none, NaN,
    where a fold has fewer than 6.

    Parameters
    ----------
    predictions, observed, fold
        As in :func:`gazeapp.engine.neural.encoding.scores.within_folds`; predictions as deviations from the mean
        response, as ``encode`` returns them, and responses with or without their mean.
    n_bootstrap
        Resamples.
    seed
        Seed of the resamples.
    should_stop
        Asked between chunks of targets.

    Raises
    ------
    StoppedError
        If the user wants to stop.
    """
    low, high = np.full(observed.shape[1], np.nan), np.full(observed.shape[1], np.nan)
    if smallest(fold) < MIN_IN_FOLD:
        return low, high
    drawn = draws(fold, n_bootstrap, seed)
    for part in parts(observed.shape[1], should_stop):
        predicted, known = predictions[:, part], observed[:, part].astype(np.float64)
        z = fisher_z(within_folds(predicted, known, fold))
        spread = resampled_z(predicted, known, drawn).std(axis=0)
        half = Z_95 * widening(fold) * spread
        low[part], high[part] = np.tanh(z - half), np.tanh(z + half)
    return low, high


def widening(fold: IntArray) -> float:
    """Return by how much the standard error of a cross-validated score exceeds that of independent folds.

    Every image is predicted by models that were fitted to the images that these models' own images helped to
    predict, so that folds go up and down together. The variance of the mean of k folds is not s^2 / k but
    about s^2 (1 / k + n_test / n_train) (Nadeau & Bengio 2003): 1.5 times the standard error with 5 folds.
    """
    k = len(np.unique(fold))
    return math.sqrt(1.0 + k / (k - 1.0))


def smallest(fold: IntArray) -> int:
    """Return the number of images in the smallest fold."""
    return int(np.unique(fold, return_counts=True)[1].min())


def parts(n_targets: int, should_stop: Callable[[], bool]) -> Iterator[slice]:
    """Yield parts of the targets.

    Raises
    ------
    StoppedError
        If the user wants to stop.
    """
    for start in range(0, n_targets, _CHUNK):
        if should_stop():
            raise StoppedError
        yield slice(start, start + _CHUNK)


def resampled_z(predictions: _Array, observed: _Array, drawn: list[FoldDraws]) -> DoubleArray:
    """Return Fisher's z of the correlation, averaged over folds, in each resample.

    Parameters
    ----------
    predictions, observed
        Shape (n_images, n_targets).
    drawn
        Resamples of each fold.

    Returns
    -------
    array
        Shape (n_bootstrap, n_targets); NaN where ``observed`` has NaN or is constant in a fold.
    """
    total = np.zeros((len(drawn[0].shares), observed.shape[1]))
    for one in drawn:
        (x, predicts), (y, differs) = (_unit(values[one.rows]) for values in (predictions, observed))
        mean_x, mean_y, square_x, square_y, product = (
            one.shares @ values for values in (x, y, x * x, y * y, x * y)
        )
        within = (square_x - mean_x**2) * (square_y - mean_y**2)
        # A resample of a single image, drawn again and again, has no correlation.
        with np.errstate(divide="ignore", invalid="ignore"):
            r = np.where(predicts & ~(within <= 1e-6), (product - mean_x * mean_y) / np.sqrt(within), 0.0)
        total += np.where(differs, fisher_z(r), np.nan)
    return total / len(drawn)


def _unit(values: _Array) -> tuple[FloatArray, BoolArray]:
    """Return values as deviations from their mean with a mean square of 1, and which columns have any."""
    centred, differs = deviations(values)
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = np.where(differs, centred / np.sqrt((centred.astype(np.float64) ** 2).mean(axis=0)), 0.0)
    return scaled.astype(np.float32), differs
