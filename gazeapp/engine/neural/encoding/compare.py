"""Whether one model predicts responses better than another: paired, target by target."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gazeapp.engine.neural.encoding.bootstrap import (
    MIN_IN_FOLD,
    Z_95,
    draws,
    parts,
    resampled_z,
    smallest,
    widening,
)
from gazeapp.engine.neural.encoding.permutation import false_discovery, largest_statistic
from gazeapp.engine.neural.encoding.scores import within_folds
from gazeapp.engine.runners.process import never
from gazeapp.engine.types import DoubleArray, IntArray


@dataclass(frozen=True)
class Compared:
    """Differences between two models, one number a target; NaN where a target has none.

    Parameters
    ----------
    difference, low, high
        r of the first - r of the second, and the ends of its 95 % interval.
    p
        Two-sided p that there is no difference; below 0.05 where the interval leaves out 0.
    p_fdr, p_max
        The same, corrected over the targets by Benjamini & Hochberg (1995), and by the largest difference
        over them in units of its standard error (Westfall & Young 1993).
    """

    difference: DoubleArray
    low: DoubleArray
    high: DoubleArray
    p: DoubleArray
    p_fdr: DoubleArray
    p_max: DoubleArray


def compare(
    predictions_a: NDArray[np.floating],
    predictions_b: NDArray[np.floating],
    observed: NDArray[np.floating],
    fold: IntArray,
    n_bootstrap: int = 1000,
    seed: int = 0,
    should_stop: Callable[[], bool] = never,
) -> Compared:
    """Compare the correlations within folds that two models reach with the same images and folds.

    The difference is held against its standard error over resamples of the images within folds, the same for
    both models, times :func:`gazeapp.engine.neural.encoding.bootstrap.widening`; its distribution is taken to
    be normal. Tests that flip signs of the images' differences are not used: errors of cross-validated models
    are not independent from image to image, and flipping the signs of differences of squared errors calls 7
    to 17 % of simulated models that are equally good different at p < 0.05 (of differences of r up to 19 %).
    This test: 1 to 5 %.

    Parameters
    ----------
    predictions_a, predictions_b
        Predictions of the two models, as deviations from the mean response, shape (n_images, n_targets).
    observed, fold, n_bootstrap, seed, should_stop
        As in :func:`gazeapp.engine.neural.encoding.bootstrap.intervals`; with fewer than 6 images in a fold,
        or without resamples, only the difference is known.

    Raises
    ------
    StoppedError
        If the user wants to stop.
    """
    from scipy.special import ndtr

    n_targets = observed.shape[1]
    difference, error = np.full(n_targets, np.nan), np.full(n_targets, np.nan)
    largest = np.zeros(n_bootstrap)
    drawn = draws(fold, n_bootstrap, seed) if n_bootstrap and smallest(fold) >= MIN_IN_FOLD else []
    for part in parts(n_targets, should_stop):
        models = (predictions_a[:, part], predictions_b[:, part])
        known = observed[:, part].astype(np.float64)
        first, second = (within_folds(one, known, fold) for one in models)
        difference[part] = first - second
        if drawn:
            first, second = (np.tanh(resampled_z(one, known, drawn)) for one in models)
            around = first - second
            around -= around.mean(axis=0)
            error[part] = around.std(axis=0)
            with np.errstate(divide="ignore", invalid="ignore"):
                np.fmax(largest, np.fmax.reduce(np.abs(around) / error[part], axis=1), out=largest)
    error *= widening(fold)
    with np.errstate(divide="ignore", invalid="ignore"):
        # Two models whose predictions are the same differ by 0, in every resample.
        size = np.where(error > 0, np.abs(difference) / error, np.where(error == 0, 0.0, np.nan))
    p = 2.0 * ndtr(-size)
    return Compared(
        difference=difference,
        low=difference - Z_95 * error,
        high=difference + Z_95 * error,
        p=p,
        p_fdr=false_discovery(p),
        p_max=np.where(np.isfinite(p), largest_statistic(size, largest), np.nan),
    )
