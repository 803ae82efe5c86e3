"""Maximum likelihood for the conversion of maps to densities: one concave problem of about 20 parameters.

The density of image i at its cell x is proportional to exp(phi(S_i(x)) + a ln b_i(x)), with phi piecewise
linear and never falling, and b_i the centre bias. Newton's method, each step the exact minimum of the
quadratic approximation under the bounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gazeapp.engine.types import BoolArray, DoubleArray, FloatArray, IntArray

QUANTILES = (
    *(0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85),
    *(0.9, 0.93, 0.95, 0.97, 0.98, 0.985, 0.99, 0.995, 0.998, 1.0),
)
"""Where the nodes of phi lie among the values of all training maps: dense at the top, where people look."""
RIDGE = 0.03
"""Weight of the squared rises of phi against the log-likelihood of one image, nats."""
SMOOTHNESS = 1.0
"""Weight of the squared differences between successive rises of phi, the same way."""
CENTRE_RIDGE = 0.3
"""Weight of the squared distance of the centre's exponent from 1, the same way."""
MIN_EXPONENT = -1.0
"""Least exponent of the centre bias: a map that is too central is divided by it once at most."""

_LEVELS = 255
_MAX_STEPS = 30
_TOLERANCE = 1e-4
_LONGEST, _SHORTEST = 3.0, 1e-3
_SAMPLE = 100_000


@dataclass(frozen=True)
class Cells:
    """The cells of all training images, one image after the other.

    Parameters
    ----------
    values
        The maps' values, shape (n_cells,).
    centre
        Natural logarithm of the centre bias relative to uniform, shape (n_cells,).
    starts
        Where each image begins, shape (n_images,).
    fixated
        Index of the cell of each fixation, shape (n_fixations,).
    fixated_image
        Index of its image, shape (n_fixations,), ascending.
    """

    values: FloatArray
    centre: FloatArray
    starts: IntArray
    fixated: IntArray
    fixated_image: IntArray


@dataclass(frozen=True)
class Statistics:
    """The log-likelihood of each image at some parameters, and its derivatives.

    ``likelihood``: nats a fixation relative to uniform, shape (n_images,); ``gradient``: (n_images,
    n_parameters); ``curvature``: minus the second derivatives, (n_images, n_parameters, n_parameters).
    """

    likelihood: DoubleArray
    gradient: DoubleArray
    curvature: DoubleArray


def nodes_of(values: FloatArray) -> DoubleArray:
    """Return the nodes of phi for maps with these values: distinct, ascending, from lowest to highest.

    Quantiles of the maps alone, without the fixations, so that a held-out image's fixations have no part.
    """
    step = max(1, len(values) // _SAMPLE)
    nodes = np.quantile(values[::step].astype(np.float64), QUANTILES, method="nearest")
    nodes[0], nodes[-1] = values.min(), values.max()
    return np.unique(nodes)


class Problem:
    """The likelihood of the training images' fixations for maps at one blur.

    Values are taken at up to 255 levels, equally spaced between each two nodes. Parameters: the rises of
    phi from node to node (at least 0), and the exponent of the centre bias (at least ``MIN_EXPONENT``).
    """

    def __init__(self, cells: Cells) -> None:
        self.nodes = nodes_of(cells.values)
        n_rises, n_images = len(self.nodes) - 1, len(cells.starts)
        fine = _LEVELS // max(1, n_rises)
        position = np.interp(cells.values, self.nodes, np.arange(n_rises + 1) * fine)
        self._level = np.rint(position).astype(np.intp)
        n_levels = n_rises * fine + 1
        # How much of each rise lies below a level.
        below = np.arange(n_levels)[:, None] / fine - np.arange(n_rises)
        self._ramps: DoubleArray = np.clip(below, 0.0, 1.0)
        self._products = (self._ramps[:, :, None] * self._ramps[:, None, :]).reshape(n_levels, -1)
        self._centre, self._starts = cells.centre, cells.starts
        self._sizes = np.diff(np.append(cells.starts, len(cells.values)))
        image = np.repeat(np.arange(n_images) * n_levels, self._sizes)
        self._bin = image + self._level
        self._n_bins = (n_images, n_levels)
        self._target = self._at_fixations(cells)

    @property
    def n_images(self) -> int:
        """Number of training images."""
        return self._n_bins[0]

    def start(self) -> DoubleArray:
        """Return the parameters of the centre bias alone."""
        return np.append(np.zeros(self._ramps.shape[1]), 1.0)

    def lowest(self) -> DoubleArray:
        """Return the least value of each parameter."""
        return np.append(np.zeros(self._ramps.shape[1]), MIN_EXPONENT)

    def precision(self) -> DoubleArray:
        """Return what holds phi smooth and the parameters to those of the centre bias alone, as a matrix.

        The prior is that phi is flat, and the exponent 1; it is worth less than one image.
        """
        n_rises = self._ramps.shape[1]
        differences = np.diff(np.eye(n_rises), axis=0)
        held = np.zeros((n_rises + 1, n_rises + 1))
        held[:-1, :-1] = RIDGE * np.eye(n_rises) + SMOOTHNESS * differences.T @ differences
        held[-1, -1] = CENTRE_RIDGE
        return held

    def statistics(self, parameters: DoubleArray) -> Statistics:
        """Return the likelihood of each image and its derivatives."""
        phi = self._ramps @ parameters[:-1]
        exponent = (phi - phi[-1]).astype(np.float32).take(self._level)
        exponent += np.float32(parameters[-1]) * self._centre
        weight = np.exp(exponent, out=exponent)
        mass = self._sums(weight)
        total = mass.sum(axis=1, keepdims=True)
        weight *= self._centre
        central = self._sums(weight) / total
        weight *= self._centre
        square = np.add.reduceat(weight, self._starts, dtype=np.float64) / total[:, 0]
        mass /= total
        mean = np.column_stack([mass @ self._ramps, central.sum(axis=1)])
        n, n_rises = self.n_images, len(parameters) - 1
        curvature = np.empty((n, n_rises + 1, n_rises + 1))
        curvature[:, :-1, :-1] = (mass @ self._products).reshape(n, n_rises, n_rises)
        curvature[:, :-1, -1] = curvature[:, -1, :-1] = central @ self._ramps
        curvature[:, -1, -1] = square
        curvature -= mean[:, :, None] * mean[:, None, :]
        likelihood = self._target @ parameters - phi[-1] - np.log(total[:, 0] / self._sizes)
        return Statistics(likelihood, self._target - mean, curvature)

    def _sums(self, weight: FloatArray) -> DoubleArray:
        """Return the weight of each image's cells at each level, shape (n_images, n_levels)."""
        n, m = self._n_bins
        return np.bincount(self._bin, weight, n * m).astype(np.float64, copy=False).reshape(n, m)

    def _at_fixations(self, cells: Cells) -> DoubleArray:
        """Return the mean over each image's fixations of the parameters' factors, (n_images, n_parameters)."""
        factors = np.column_stack([self._ramps[self._level[cells.fixated]], cells.centre[cells.fixated]])
        first = np.searchsorted(cells.fixated_image, np.arange(self.n_images))
        sums = np.add.reduceat(factors, first, axis=0)
        means: DoubleArray = sums / np.bincount(cells.fixated_image, minlength=self.n_images)[:, None]
        return means


def fit(
    problem: Problem, train: BoolArray, start: DoubleArray, known: Statistics | None = None
) -> tuple[DoubleArray, Statistics]:
    """Return the likeliest parameters for some of the images, and the statistics one small step before.

    Each image counts the same, whatever its number of fixations, as it does in the scores.

    Parameters
    ----------
    problem
        All training images.
    train
        Which of them count, shape (n_images,).
    start
        Where to begin.
    known
        The statistics at ``start``, where they are known already.
    """
    prior, precision, lowest = problem.start(), problem.precision(), problem.lowest()

    def objective(at: DoubleArray, found: Statistics) -> float:
        return float(found.likelihood[train].sum() - 0.5 * (at - prior) @ precision @ (at - prior))

    here, found = start, known or problem.statistics(start)
    for _ in range(_MAX_STEPS):
        slope = found.gradient[train].sum(axis=0) - precision @ (here - prior)
        bend = found.curvature[train].sum(axis=0) + precision
        step = _best_within(slope, bend, here, lowest) - here
        # The quadratic is no guide far away: where nearly no cell is yet, it asks for rises of hundreds.
        step *= _LONGEST / max(_LONGEST, float(np.abs(step).max()))
        expected = float(slope @ step - 0.5 * step @ bend @ step)
        if expected < _TOLERANCE * train.sum():
            # Taken all the same: from a start that was fitted with other images, this step forgets them.
            return here + step, found
        height, share = objective(here, found), 1.0
        there, next_found = here + step, problem.statistics(here + step)
        while objective(there, next_found) < height + 0.1 * share * expected and share > _SHORTEST:
            share *= 0.5
            there, next_found = here + share * step, problem.statistics(here + share * step)
        here, found = there, next_found
    return here, found


def _best_within(
    slope: DoubleArray, bend: DoubleArray, here: DoubleArray, lowest: DoubleArray
) -> DoubleArray:
    """Return the maximum of the quadratic with this slope and bend at ``here``, not below ``lowest``."""
    from scipy.linalg import solve_triangular
    from scipy.optimize import nnls

    # -(1/2) d'Bd + s'd is, with B = LL', -(1/2) |L'd - L^-1 s|^2 and a constant.
    factor = np.linalg.cholesky(bend)
    goal = solve_triangular(factor, slope, lower=True) + factor.T @ (here - lowest)
    above, _ = nnls(factor.T, goal)
    best: DoubleArray = above + lowest
    return best


def folds(n_images: int, n_folds: int) -> Sequence[IntArray]:
    """Return the images of each fold: every n-th, in the order they come in."""
    return [np.arange(first, n_images, n_folds) for first in range(min(n_folds, n_images))]
