"""The mixture that predicts a person from other people: kernels on their fixations, centre bias and uniform."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from gazeapp.engine.scoring.ceilings.people import (
    People,
    all_others,
    local_widths,
    pilot_sums,
    predicted,
)
from gazeapp.engine.types import BoolArray, DoubleArray, FloatArray, IntArray

BANDWIDTHS = np.geomspace(0.008, 0.16, 12)
"""Standard deviations of the kernels, share of the image's longer side."""
ALPHAS = (0.0, 0.5)
"""Exponents of the local widths: kernels all alike, and Abramson's."""
UNIFORM_SHARES = (0.002, 0.01, 0.03, 0.1, 0.25)
CENTRE_SHARES = (0.0, 0.03, 0.1, 0.2, 0.35, 0.6, 1.0)
"""Shares of the centre bias in what is not uniform."""
MOST_TARGETS = 400
"""Fixations of an image that its table of likelihoods is computed from."""
BANDWIDTH_RATE = 1 / 6


@dataclass(frozen=True, slots=True)
class Mixture:
    """Parameters of the density that predicts a person from others.

    Parameters
    ----------
    bandwidth
        Standard deviation of the kernels where people look as often as they typically do, share of the
        image's longer side.
    alpha
        Exponent of the local widths; 0: all kernels are alike.
    kernels, centre, uniform
        Shares of the three densities; they sum to 1.
    n_images
        How many images chose them.
    own_table
        Whether the image itself chose them, because the study has no other.
    """

    bandwidth: float
    alpha: float
    kernels: float
    centre: float
    uniform: float
    n_images: int = 0
    own_table: bool = False

    def mix(self, kernels: FloatArray, centre: FloatArray) -> FloatArray:
        """Return the mixture of two densities relative to uniform, of one shape, and uniform."""
        mixed = kernels * np.float32(self.kernels)
        mixed += np.float32(self.centre) * centre
        mixed += np.float32(self.uniform)
        return mixed

    def widths(self, people: People, predicts: BoolArray) -> DoubleArray:
        """Return the widths of the kernels where each subject is predicted, shape (n_subjects, n)."""
        pilots = pilot_sums(people, self.bandwidth) if self.alpha else np.zeros((0, 0))
        return local_widths(people, predicts, pilots, self.bandwidth, self.alpha)

    def from_fewer(self, ratio: float) -> Mixture:
        """Return the mixture for ``ratio`` times fewer people to predict from: with wider kernels.

        The best bandwidth of kernels on n fixations in the plane is proportional to n ** (-1/6)
        (Silverman 1986, section 4.3). The shares stay.
        """
        return replace(self, bandwidth=self.bandwidth * ratio**BANDWIDTH_RATE)


SHARES = np.array(
    [
        ((1 - uniform) * (1 - centre), (1 - uniform) * centre, uniform)
        for uniform in UNIFORM_SHARES
        for centre in CENTRE_SHARES
    ]
)
"""Shares of kernels, centre bias and uniform that are tried, shape (n, 3)."""
GRID = (len(BANDWIDTHS), len(ALPHAS), len(SHARES))
"""Numbers of bandwidths, exponents and shares that are tried."""


def likelihoods(people: People, centre: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return how likely people's fixations are under all parameters, each person predicted from the others.

    Densities are evaluated at the fixations themselves.

    Parameters
    ----------
    people
        The people of an image, at least 2.
    centre
        The centre bias of the other images at the fixations, relative to uniform, shape (n,).
    rng
        Draws the fixations that are predicted where the image has more than ``MOST_TARGETS``.

    Returns
    -------
    numpy.ndarray
        Mean log2 density relative to uniform, shape ``GRID``.
    """
    n = len(people.x)
    targets: IntArray = np.arange(n)
    if n > MOST_TARGETS:
        targets = np.sort(rng.choice(n, MOST_TARGETS, replace=False))
    predicts = all_others(len(people))
    priors = SHARES[:, 1:2] * centre[targets] + SHARES[:, 2:]
    table = np.empty(GRID, dtype=np.float32)
    for k, bandwidth in enumerate(BANDWIDTHS):
        pilots = pilot_sums(people, float(bandwidth))
        for a, alpha in enumerate(ALPHAS):
            widths = local_widths(people, predicts, pilots, float(bandwidth), alpha)
            density = predicted(people, predicts, widths, targets)
            mixed = (SHARES[:, :1] * density + priors).astype(np.float32)
            table[k, a] = np.log2(mixed).mean(axis=1, dtype=np.float64)
    return table


class Tables:
    """Tables of likelihoods of all images of a task, to choose the parameters of one from all others.

    Parameters
    ----------
    tables
        Of each image, shape ``GRID``; images of one person have none.
    """

    def __init__(self, tables: Mapping[int, FloatArray]) -> None:
        self._tables = tables
        self._total = np.zeros(GRID)
        for table in tables.values():
            self._total += table

    def best(self, key: int) -> Mixture | None:
        """Return the parameters under which the other images are likeliest on average, each counting the same.

        Where no other image has a table, the image's own chooses; None where that has none either.
        """
        own = self._tables.get(key)
        n_others = len(self._tables) - (own is not None)
        if not n_others:
            return None if own is None else _best(self._total, 1, own_table=True)
        return _best(self._total if own is None else self._total - own, n_others)


def _best(total: DoubleArray, n_images: int, own_table: bool = False) -> Mixture:
    bandwidth, alpha, share = np.unravel_index(int(np.argmax(total)), GRID)
    kernels, centre, uniform = (float(one) for one in SHARES[share])
    return Mixture(
        bandwidth=float(BANDWIDTHS[bandwidth]),
        alpha=ALPHAS[alpha],
        kernels=kernels,
        centre=centre,
        uniform=uniform,
        n_images=n_images,
        own_table=own_table,
    )
