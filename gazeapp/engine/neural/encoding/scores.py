"""Encoding scores: correlation within folds, and the share of variance that is predicted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gazeapp.engine.types import BoolArray, DoubleArray, IntArray

_Array = NDArray[np.floating]
_LARGEST_R = 1.0 - 1e-7
"""Correlation that 1 counts as, whose Fisher z is infinite."""
_ROUNDING = 8.0
"""Deviations of so many times the precision of a number are none."""


def within_folds(predictions: _Array, observed: _Array, fold: IntArray) -> DoubleArray:
    """Return the mean correlation within folds, averaged as Fisher z, shape (n_targets,).

    Correlations over all folds at once are biased: each fold's predictions lie about the mean of the other
    folds, which is high where the fold's own is low (in 200 images without any signal it is about -0.1).
    Within a fold this does not matter.

    Parameters
    ----------
    predictions, observed
        Shape (n_images, n_targets). A prediction that is constant in a fold predicts nothing there: its r is
        0. A target that is constant in a fold, or has values that are no numbers, has no r: NaN.
    fold
        Fold of each image.
    """
    total = np.zeros(observed.shape[1])
    numbers = np.unique(fold)
    for number in numbers:
        own = fold == number
        total += fisher_z(_correlation(predictions[own], observed[own]))
    found: DoubleArray = np.tanh(total / len(numbers))
    return found


def variance_explained(predictions: _Array, observed: _Array, fold: IntArray) -> DoubleArray:
    """Return R squared = 1 - SSE / SST over all images, shape (n_targets,).

    SST are squared deviations from the mean of the images that the model of a fold was fitted to, so that a
    model that predicts no better than this mean has 0, and a worse one less.

    Parameters
    ----------
    predictions, observed, fold
        As in :func:`within_folds`.
    """
    errors, deviations = np.zeros(observed.shape[1]), np.zeros(observed.shape[1])
    total = observed.sum(axis=0, dtype=np.float64)
    for number in np.unique(fold):
        own = fold == number
        known = observed[own].astype(np.float64)
        fitted_to = (total - known.sum(axis=0)) / (len(observed) - len(known))
        left = known - predictions[own]
        errors += np.einsum("it,it->t", left, left)
        left = known - fitted_to
        deviations += np.einsum("it,it->t", left, left)
    with np.errstate(divide="ignore", invalid="ignore"):
        found: DoubleArray = np.where(deviations > 0, 1.0 - errors / deviations, np.nan)
    return found


def fisher_z(r: _Array) -> DoubleArray:
    """Return Fisher's z of correlations; 1 counts as a little less."""
    z: DoubleArray = np.arctanh(np.clip(r.astype(np.float64), -_LARGEST_R, _LARGEST_R))
    return z


def deviations(values: _Array) -> tuple[_Array, BoolArray]:
    """Return deviations from the columns' means, and which columns have any beyond rounding."""
    largest = np.abs(values).max(axis=0)
    centred = values - values.mean(axis=0)
    limit = _ROUNDING * np.finfo(values.dtype).eps * largest
    # What is no number is not constant, and leads to a correlation that is none.
    return centred, ~(np.einsum("it,it->t", centred, centred) <= len(values) * limit**2)


def _correlation(predictions: _Array, observed: _Array) -> _Array:
    first, predicts = deviations(predictions)
    second, differs = deviations(observed)
    across = np.einsum("it,it->t", first, second)
    within = np.einsum("it,it->t", first, first) * np.einsum("it,it->t", second, second)
    with np.errstate(divide="ignore", invalid="ignore"):
        r = np.where(predicts, across / np.sqrt(within), 0.0)
    return np.where(differs, r, np.nan)
