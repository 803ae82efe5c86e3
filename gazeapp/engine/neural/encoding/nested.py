"""Encoding models: responses predicted from features by ridge regression, in nested folds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from gazeapp.engine.errors import StoppedError
from gazeapp.engine.neural.encoding.folds import RidgeSettings, check, split, standardised
from gazeapp.engine.neural.encoding.ridge import NestedFold
from gazeapp.engine.neural.encoding.scores import variance_explained, within_folds
from gazeapp.engine.runners.process import never
from gazeapp.engine.types import BoolArray, DoubleArray, IntArray

THREADS = 2
"""Chunks of targets that are worked on at the same time."""
_FEW = 2048
"""Targets up to which everything is computed in double precision."""
CHUNK = 512
"""Targets at a time: what is computed of them stays in a processor's cache."""
_CELLS = 2_000_000
"""Responses at a time, of many images."""
Targets: TypeAlias = slice | IntArray
_Item = TypeVar("_Item")
_Found = TypeVar("_Found")


@dataclass(frozen=True)
class Encoded:
    """What encoding models predict, and how well.

    Parameters
    ----------
    r
        Mean correlation within folds of each target, shape (n_targets,); NaN for targets that were left out.
    r2
        Share of variance predicted, likewise.
    penalties
        Penalty of each fold's model, shape (n_folds, n_targets); NaN likewise.
    predictions
        Prediction of each image by the model that was fitted to the other folds, as the deviation from ``means``
        in the unit of the responses, shape (n_images, n_targets); NaN likewise. Predictions that hardly vary
        would drown in the rounding of a mean that is large.
    means
        Mean response of each target over all images, shape (n_targets,); NaN likewise.
    fold
        Fold of each image, shape (n_images,).
    """

    r: DoubleArray
    r2: DoubleArray
    penalties: DoubleArray
    predictions: NDArray[np.floating]
    means: DoubleArray
    fold: IntArray

    @property
    def n_left_out(self) -> int:
        """Targets without a result: constant (overall or within a fold), or with values that are no numbers."""
        return int(np.isnan(self.r).sum())


class NestedFolds:
    """The models of all outer folds for one set of features, ready for any responses.

    Parameters
    ----------
    features
        Shape (n_images, n_features).
    settings
        How the models are fitted.
    dtype
        Precision of the products.
    should_stop
        Asked before each fold.

    Raises
    ------
    StoppedError
        If it answers True.
    """

    def __init__(
        self,
        features: DoubleArray,
        settings: RidgeSettings,
        dtype: type[np.floating],
        should_stop: Callable[[], bool],
    ) -> None:
        n = len(features)
        self.fold = split(n, settings.n_folds, settings.seed)
        self.penalties = np.sort(np.array(settings.penalties, dtype=np.float64))
        self._folds: list[NestedFold] = []
        for k in range(settings.n_folds):
            if should_stop():
                raise StoppedError
            train, test = np.flatnonzero(self.fold != k), np.flatnonzero(self.fold == k)
            inner = split(len(train), settings.n_inner, settings.seed, k + 1)
            self._folds.append(NestedFold(features, train, test, inner, self.penalties, dtype))

    def predict(self, responses: NDArray[np.floating]) -> tuple[NDArray[np.floating], IntArray]:
        """Return predictions of all images, shape (n_images, n_targets), and places of the penalties chosen.

        Parameters
        ----------
        responses
            Finite, shape (n_images, n_targets).
        """
        predictions = np.empty_like(responses)
        chosen = []
        for one in self._folds:
            predictions[one.test], places = one.predict(responses)
            chosen.append(places)
        return predictions, np.array(chosen)


def encode(
    features: DoubleArray,
    responses: NDArray[np.floating],
    settings: RidgeSettings | None = None,
    should_stop: Callable[[], bool] = never,
    *,
    threads: int = THREADS,
) -> Encoded:
    """Predict responses from features, each image by models that have not seen it.

    Each target has a penalty of its own in each fold, chosen by inner folds (see `NestedFold`). Up to 2,048
    targets are computed in double precision, more in single precision, 512 at a time.

    Parameters
    ----------
    features
        One row an image, shape (n_images, n_features).
    responses
        Shape (n_images, n_targets). Targets with a value that is no number, and constant ones, are left out;
        images without responses are the caller's to leave out.
    settings
        How the models are fitted; None: the defaults.
    should_stop
        Asked between folds and between chunks of targets.
    threads
        Chunks of targets at the same time.

    Raises
    ------
    GazeError
        See :func:`gazeapp.engine.neural.encoding.folds.check`.
    StoppedError
        If the user wants to stop.
    """
    settings = settings or RidgeSettings()
    usable = check(features, responses, settings)
    dtype = np.float64 if responses.shape[1] <= _FEW else np.float32
    n_targets = responses.shape[1]
    r, r2, means = np.full((3, n_targets), np.nan)
    predictions = np.full(responses.shape, np.nan, dtype=dtype)
    penalties = np.full((settings.n_folds, n_targets), np.nan)

    with threadpool_limits(1, "blas"):
        folds = NestedFolds(features, settings, dtype, should_stop)

        def work(targets: Targets) -> None:
            values, mean, deviation = standardised(responses[:, targets], dtype)
            found, chosen = folds.predict(values)
            r[targets] = score = within_folds(found, values, folds.fold)
            r2[targets] = variance_explained(found, values, folds.fold)
            predictions[:, targets] = found * deviation.astype(dtype)
            means[targets] = mean
            penalties[:, targets] = folds.penalties[chosen]
            if np.isnan(score).any():
                without = np.arange(n_targets)[targets][np.isnan(score)]
                r2[without] = means[without] = predictions[:, without] = penalties[:, without] = np.nan

        for _ in side_by_side(work, chunks(usable, len(responses)), threads, should_stop):
            pass
    return Encoded(r, r2, penalties, predictions, means, folds.fold)


def chunks(usable: BoolArray, n_images: int) -> list[Targets]:
    """Return the usable targets in parts small enough for a processor's cache.

    Parameters
    ----------
    usable
        Which targets have a result, shape (n_targets,).
    n_images
        The more there are, the smaller the parts.
    """
    size = max(CHUNK // 2, min(CHUNK, _CELLS // n_images))
    found: list[Targets] = []
    for start in range(0, len(usable), size):
        part = slice(start, min(start + size, len(usable)))
        # To cut a slice out of all responses is much cheaper than to gather columns.
        if usable[part].all():
            found.append(part)
        elif usable[part].any():
            found.append(start + np.flatnonzero(usable[part]))
    return found


def side_by_side(
    work: Callable[[_Item], _Found],
    items: Sequence[_Item],
    threads: int,
    should_stop: Callable[[], bool],
) -> Iterator[_Found]:
    """Yield what ``work`` returns for each item, in order, a few items at the same time.

    Products of small matrices gain nothing from a thread each, and lose much where another program is
    running; whole chunks do gain.

    Raises
    ------
    StoppedError
        If ``should_stop``, asked between items, answers True.
    """
    waiting = iter(items)
    with ThreadPoolExecutor(max(1, threads), thread_name_prefix="encode") as pool:
        running = [pool.submit(work, item) for item in islice(waiting, threads + 1)]
        while running:
            if should_stop():
                for one in running:
                    one.cancel()
                raise StoppedError
            yield running.pop(0).result()
            running.extend(pool.submit(work, item) for item in islice(waiting, 1))
