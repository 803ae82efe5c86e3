"""Variance partitioning: what two sources predict in common, and what only one of them does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gazeapp.engine.errors import StoppedError
from gazeapp.engine.neural.banded import Errors, squared_errors
from gazeapp.engine.neural.encoding.bootstrap import MIN_IN_FOLD, smallest, widening
from gazeapp.engine.neural.encoding.folds import RidgeSettings
from gazeapp.engine.neural.encoding.nested import CHUNK
from gazeapp.engine.neural.encoding.permutation import false_discovery, largest_statistic
from gazeapp.engine.runners.process import never
from gazeapp.engine.types import DoubleArray, FloatArray, IntArray

_N_PARTS = 6
# Sums that are equal on paper differ by rounding; they count as equally extreme.
_ROUNDING = 1e-5


@dataclass(frozen=True)
class Part:
    """A part of the variance of responses, as a share of it; one value a target, NaN where there is none.

    Parameters
    ----------
    value
        The share, from R squared out of fold. It can be negative.
    low, high
        Ends of the 95 % interval.
    p, p_fdr, p_max
        One-sided p that the part is not above 0; corrected by Benjamini and Hochberg over the targets; of the largest
        over the targets. NaN for parts that have no test.
    """

    value: DoubleArray
    low: DoubleArray
    high: DoubleArray
    p: DoubleArray
    p_fdr: DoubleArray
    p_max: DoubleArray


@dataclass(frozen=True)
class Partition:
    """How two sources share the prediction of responses.

    Parameters
    ----------
    unique, unique_against
        What only the first source predicts: joint - alone_against; and what only the second does: joint - alone.
    shared
        What either predicts: alone + alone_against - joint.
    joint
        What both together predict.
    alone, alone_against
        What the first source predicts alone, and the second; 0 for one that predicts worse than the mean of the
        responses does, in whose place the mean stands for all parts.
    share
        Share of the first source in the joint model of each fold, shape (n_folds, n_targets).
    """

    unique: Part
    unique_against: Part
    shared: Part
    joint: Part
    alone: Part
    alone_against: Part
    share: DoubleArray


def partition(
    first: DoubleArray,
    second: DoubleArray,
    responses: NDArray[np.floating],
    settings: RidgeSettings | None = None,
    n_permutations: int = 1000,
    n_bootstrap: int = 1000,
    seed: int = 0,
    should_stop: Callable[[], bool] = never,
) -> Partition:
    """Split what two sources predict of responses into what only one of them does and what they share.

    All parts are sums and differences of R squared = 1 - SSE / SST out of fold, in the same folds (Borcard, Legendre &
    Drapeau 1992; de Heer et al. 2017). The joint model is banded ridge regression
    (see `gazeapp.engine.neural.banded`): its share and penalty are chosen by inner folds, one source alone being
    among the choices. It has more to choose from than either source alone and loses a little by choosing: of a source
    that brings nothing the unique part is slightly below 0 on average. Negative parts stay as they are.

    p of a unique part is that of random signs. An image's gain is the squared error of the other source alone minus
    that of the joint model; if the source brings nothing, the sum of gains is not above 0, and it is compared with sums
    under random signs, the observed one counted among them (Phipson & Smyth 2010). All targets see the same signs, and
    the largest sum over them, each in units of its root mean square, gives ``p_max``. Because choosing costs, the
    test stays below what it promises: of sources that bring nothing p < 0.05 comes in some 1 % of the tests.

    An interval is the value plus and minus t standard errors, its upper end at most 1. The standard error is the
    standard deviation over draws of images within their folds, with replacement, times
    :func:`gazeapp.engine.neural.encoding.bootstrap.widening`, because draws take models as given and folds as
    independent; t is Student's with one degree of freedom less than there are folds (Nadeau & Bengio 2003). It is about
    studies of as many other images, and held their mean in 95 to 99 % of simulated ones. There is none where a fold
    has fewer than 6 images.

    Parameters
    ----------
    first, second
        Features of the two sources, shapes (n_images, a) and (n_images, b).
    responses
        Shape (n_images, n_targets); targets with NaN and constant ones have NaN. Four tables of this shape are held.
    settings
        Folds and penalties; None: the defaults.
    n_permutations, n_bootstrap
        Sign patterns, and draws of images; 0 for no test, no interval.
    seed
        Seed of both.
    should_stop
        Asked between folds and between chunks of targets.

    Raises
    ------
    GazeError
        See :func:`gazeapp.engine.neural.encoding.folds.check`, for either source.
    StoppedError
        If ``should_stop`` says so.
    """
    from scipy.special import stdtrit

    settings = settings or RidgeSettings()
    found = squared_errors(first, second, responses, settings, should_stop)
    errors = _no_worse_than_the_mean(found)
    n_images, n_targets = responses.shape
    values, half = np.full((2, _N_PARTS, n_targets), np.nan)
    test = _SignTest(n_images, n_targets, n_permutations, seed)
    counts = _draws(errors.fold, n_bootstrap, seed)
    t = float(stdtrit(settings.n_folds - 1, 0.975))
    usable = np.flatnonzero(np.isfinite(errors.joint[0]))
    for targets in np.array_split(usable, -(-len(usable) // CHUNK)):
        if should_stop():
            raise StoppedError
        once = np.ones((1, n_images), dtype=np.float32)
        values[:, targets] = _parts(errors, targets, once)[:, 0]
        if len(counts):
            # The bound takes spread away where it holds in one study and not in another; without it, ends are safe.
            spread = _parts(found, targets, counts).std(axis=1)
            half[:, targets] = t * widening(errors.fold) * spread
        for k, without in enumerate((errors.second, errors.first)):
            test.add(k, targets, without[:, targets] - errors.joint[:, targets])
    p = np.full((3, _N_PARTS, n_targets), np.nan)
    p[:, :2] = test.p()
    unique, unique_against, shared, joint, alone, alone_against = (
        Part(values[k], values[k] - half[k], np.minimum(values[k] + half[k], 1.0), *p[:, k])
        for k in range(_N_PARTS)
    )
    return Partition(unique, unique_against, shared, joint, alone, alone_against, errors.share)


def _no_worse_than_the_mean(errors: Errors) -> Errors:
    """Return the errors with those of the mean for a source alone that predicts a target worse than the mean does.

    What undoes the errors of another source would otherwise count as prediction: beside a source with an R squared of
    -0.4, a joint model that predicts nothing has a unique part of 0.4.
    """

    def bounded(alone: FloatArray) -> FloatArray:
        worse = alone.sum(axis=0, dtype=np.float64) > errors.mean.sum(axis=0, dtype=np.float64)
        return np.where(worse, errors.mean, alone)

    return replace(errors, first=bounded(errors.first), second=bounded(errors.second))


class _SignTest:
    """Gains of each unique part under random signs, gathered over chunks of targets."""

    def __init__(self, n_images: int, n_targets: int, n_patterns: int, seed: int) -> None:
        rng = np.random.default_rng([seed, n_images, 2])
        self._signs: FloatArray = rng.choice(np.array([-1, 1], dtype=np.float32), (n_patterns, n_images))
        self._observed, self._p = np.full((2, 2, n_targets), np.nan)
        self._largest = np.full((2, n_patterns), -np.inf)

    def add(self, k: int, targets: IntArray, gain: FloatArray) -> None:
        """Count what the gains of some targets, shape (n_images, n_targets), say of the unique part ``k``."""
        if not len(self._signs):
            return
        length = np.sqrt(np.square(gain, dtype=np.float64).sum(axis=0))
        scaled = (gain / np.where(length > 0, length, 1.0)).astype(np.float32)
        null = self._signs @ scaled
        observed = scaled.sum(axis=0, dtype=np.float64) - _ROUNDING
        self._observed[k, targets] = observed
        self._p[k, targets] = ((null >= observed).sum(axis=0) + 1) / (len(null) + 1)
        np.maximum(self._largest[k], null.max(axis=1), out=self._largest[k])

    def p(self) -> DoubleArray:
        """Return p, p of the false discovery rate and of the largest sum, shape (3, 2, n_targets)."""
        known = np.isfinite(self._p)
        fdr = [false_discovery(one) for one in self._p]
        top = [largest_statistic(*one) for one in zip(self._observed, self._largest, strict=True)]
        return np.array([self._p, fdr, np.where(known, top, np.nan)])


def _draws(fold: IntArray, n_draws: int, seed: int) -> FloatArray:
    """Return how often each image is in each draw of images of its fold, shape (n_draws, n_images).

    No draws where a fold has too few images.
    """
    if smallest(fold) < MIN_IN_FOLD:
        return np.empty((0, len(fold)), dtype=np.float32)
    rng = np.random.default_rng([seed, len(fold), 3])
    counts = np.zeros((n_draws, len(fold)), dtype=np.float32)
    for number in np.unique(fold):
        rows = np.flatnonzero(fold == number)
        counts[:, rows] = rng.multinomial(len(rows), np.full(len(rows), 1.0 / len(rows)), n_draws)
    return counts


def _parts(errors: Errors, targets: IntArray, counts: FloatArray) -> DoubleArray:
    """Return the parts, in the order of `Partition`, where each image is there as often as ``counts`` says.

    Shape (6, n_draws, n_targets) for counts of the shape (n_draws, n_images).
    """
    first, second, joint, mean = (
        (counts @ table[:, targets]).astype(np.float64)
        for table in (errors.first, errors.second, errors.joint, errors.mean)
    )
    alone, against, both = (1.0 - one / mean for one in (first, second, joint))
    return np.array([both - against, both - alone, alone + against - both, both, alone, against])
