"""Banded ridge regression: two sources predict together, each with a penalty of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from gazeapp.engine.errors import StoppedError
from gazeapp.engine.neural.encoding.folds import RidgeSettings, check, split, standardised
from gazeapp.engine.neural.encoding.nested import CHUNK, THREADS, side_by_side
from gazeapp.engine.neural.encoding.ridge import NestedFold
from gazeapp.engine.runners.process import never
from gazeapp.engine.types import DoubleArray, FloatArray, IntArray

SHARES = (0.0, 0.05, 0.2, 0.5, 0.8, 0.95, 1.0)
"""Shares of the first source in the joint model that are tried; 0 and 1 are one source alone."""
_FEW = 2048
"""Targets up to which everything is computed in double precision."""
_Array = NDArray[np.floating]


@dataclass(frozen=True)
class Errors:
    """Squared errors out of fold, in units of each target's variance, shape (n_images, n_targets); NaN where left out.

    Parameters
    ----------
    first, second, joint
        Of the models of the first source alone, of the second alone, and of both.
    mean
        Of the mean of the images that the models were fitted to.
    fold
        Fold of each image, shape (n_images,).
    share
        Share of the first source that the joint model has in each fold, shape (n_folds, n_targets).
    """

    first: FloatArray
    second: FloatArray
    joint: FloatArray
    mean: FloatArray
    fold: IntArray
    share: DoubleArray


class BandedFold:
    """Ridge regression with a penalty for each of two groups of features, on one outer fold.

    Features are z-scored; then the first source's a columns are multiplied by sqrt(w c / a) and the second's b columns
    by sqrt((1 - w) c / b), with c = w a + (1 - w) b, and one penalty is added for all. That is a penalty for each
    source, in any proportion (Nunez-Elizalde, Huth & Gallant 2019; Dupre la Tour et al. 2022). w is the share of the
    features' variance that is the first source's; w = 1 is ordinary ridge regression of the first source, w = 0 that
    of the second.

    Parameters
    ----------
    features
        Both sources' features side by side, shape (n_images, a + b).
    n_first
        How many of them are the first source's.
    shares
        Values of w, ascending.
    train, test, inner, penalties, dtype
        As for `NestedFold`.
    threads
        Decompositions at the same time.
    """

    def __init__(
        self,
        features: DoubleArray,
        n_first: int,
        shares: tuple[float, ...],
        train: IntArray,
        test: IntArray,
        inner: IntArray,
        penalties: DoubleArray,
        dtype: type[np.floating],
        threads: int = 1,
    ) -> None:
        def of(share: float) -> NestedFold:
            weights = band_weights(features, n_first, share)
            return NestedFold(features, train, test, inner, penalties, dtype, weights)

        self._folds = list(side_by_side(of, shares, threads, never))

    def predict(self, responses: _Array) -> tuple[_Array, _Array, IntArray]:
        """Return predictions of the test images at each share and by the joint model, and its share's place.

        At each share a target has the penalty with the least error over inner folds; the joint model has the share
        whose error is then least, of equal ones the first.

        Parameters
        ----------
        responses
            Responses to all images, shape (n_images, n_targets).

        Returns
        -------
        each : array
            Shape (n_shares, n_test, n_targets).
        joint : array
            Shape (n_test, n_targets).
        place : array
            Shape (n_targets,).
        """
        each, least = [], []
        for fold in self._folds:
            rows = fold.rows(responses)
            errors = fold.errors(rows)
            chosen: IntArray = np.argmin(errors, axis=0).astype(np.int64)
            each.append(fold.predict_at(rows, chosen))
            least.append(errors.min(axis=0))
        place: IntArray = np.argmin(np.array(least), axis=0).astype(np.int64)
        predictions = np.array(each)
        joint = np.take_along_axis(predictions, place[None, None], axis=0)[0]
        return predictions, joint, place


def band_weights(features: DoubleArray, n_first: int, share: float) -> DoubleArray:
    """Return the factor of each z-scored feature, shape (a + b,): see `BandedFold`."""
    n_second = features.shape[1] - n_first
    total = share * n_first + (1.0 - share) * n_second
    of_each = [share * total / n_first, (1.0 - share) * total / n_second]
    weights: DoubleArray = np.sqrt(np.repeat(of_each, [n_first, n_second]))
    return weights


def squared_errors(
    first: DoubleArray,
    second: DoubleArray,
    responses: _Array,
    settings: RidgeSettings,
    should_stop: Callable[[], bool] = never,
    *,
    threads: int = THREADS,
) -> Errors:
    """Predict responses from two sources, together and each alone, in the same folds.

    The folds are those of :func:`gazeapp.engine.neural.encoding.nested.encode` with the same settings.

    Parameters
    ----------
    first, second
        Features of the sources, shapes (n_images, a) and (n_images, b).
    responses
        Shape (n_images, n_targets); targets with NaN and constant ones are left out.
    settings
        Folds and penalties.
    should_stop
        Asked between folds and between chunks of targets.
    threads
        Chunks of targets at the same time.

    Raises
    ------
    GazeError
        As :func:`gazeapp.engine.neural.encoding.folds.check`, for either source.
    StoppedError
        If ``should_stop`` says so.
    """
    usable = np.flatnonzero(check(first, responses, settings) & check(second, responses, settings))
    n, n_targets = responses.shape
    dtype = np.float64 if n_targets <= _FEW else np.float32
    penalties = np.sort(np.array(settings.penalties, dtype=np.float64))
    features = np.hstack([first, second])
    fold = split(n, settings.n_folds, settings.seed)
    tables = np.full((4, n, n_targets), np.nan, dtype=np.float32)
    share = np.full((settings.n_folds, n_targets), np.nan)
    parts = np.array_split(usable, -(-len(usable) // CHUNK))
    with threadpool_limits(1, "blas"):
        # One fold at a time: the decompositions of all shares and inner folds are large.
        for k in range(settings.n_folds):
            if should_stop():
                raise StoppedError
            train, test = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
            inner = split(len(train), settings.n_inner, settings.seed, k + 1)
            banded = BandedFold(
                features, first.shape[1], SHARES, train, test, inner, penalties, dtype, threads
            )
            work = _Work(banded, responses, train, test, dtype, tables, share[k])
            for _ in side_by_side(work, parts, threads, should_stop):
                pass
    of_first, of_second, of_joint, of_mean = tables
    return Errors(of_first, of_second, of_joint, of_mean, fold, share)


@dataclass(frozen=True)
class _Work:
    """Fills in the errors of one outer fold for some targets."""

    banded: BandedFold
    responses: _Array
    train: IntArray
    test: IntArray
    dtype: type[np.floating]
    tables: FloatArray
    share: DoubleArray

    def __call__(self, targets: IntArray) -> None:
        values = standardised(self.responses[:, targets], self.dtype)[0]
        each, joint, place = self.banded.predict(values)
        mean = np.broadcast_to(values[self.train].mean(axis=0), joint.shape)
        for table, predicted in zip(self.tables, (each[-1], each[0], joint, mean), strict=True):
            table[np.ix_(self.test, targets)] = np.square(values[self.test] - predicted)
        self.share[targets] = np.array(SHARES)[place]
