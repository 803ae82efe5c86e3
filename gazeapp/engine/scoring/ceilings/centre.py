"""The centre bias as a density: where people look in all other images of a task."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from gazeapp.engine.scoring.ceilings.people import ImageFixations
from gazeapp.engine.scoring.cells import cell_shape
from gazeapp.engine.types import DoubleArray, FloatArray, IntArray

_BINS = 256
BANDWIDTHS = np.geomspace(0.01, 0.16, 9)
"""Standard deviations of the Gaussian, share of each side of the image."""
UNIFORM_SHARES = np.array([0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0])
"""Shares of the uniform density; at 1 the other images say nothing about this one."""
_PAIRS = 4_000_000


class CentreDensity:
    """The density of the fixations of all images but one: (1 - e) Gaussian kernels + e uniform.

    Positions are shares of the image's sides, so that images of different sizes can be pooled, and so is
    the Gaussian's standard deviation. Each fixation counts the same. Bandwidth and e are those under which
    the fixations of the *other* images are likeliest, each of these predicted from all images but itself.
    Positions are counted on 256 x 256 bins; each image's own counts are taken off the counts of all, so
    that the cost of an image does not grow with the number of images.

    Parameters
    ----------
    images
        Fixations of each image, by any key.
    """

    def __init__(self, images: Mapping[int, ImageFixations]) -> None:
        self._bins = {key: (_bins(one.v), _bins(one.u)) for key, one in images.items() if len(one.u)}
        self._counts = np.zeros((_BINS, _BINS))
        for rows, columns in self._bins.values():
            np.add.at(self._counts, (rows, columns), 1.0)
        self._tables = self._likelihoods()
        self._total = np.sum(
            [np.zeros(len(BANDWIDTHS) * len(UNIFORM_SHARES)), *self._tables.values()], axis=0
        )

    def parameters(self, key: int) -> tuple[float, float]:
        """Return (bandwidth as share of each side, share of the uniform density) for the image ``key``."""
        if not self._tables:
            return float(BANDWIDTHS[-1]), 1.0
        others = self._total - self._tables[key] if key in self._tables else self._total
        bandwidth, share = divmod(int(np.argmax(others)), len(UNIFORM_SHARES))
        return float(BANDWIDTHS[bandwidth]), float(UNIFORM_SHARES[share])

    def density(self, key: int, width: float, height: float) -> FloatArray:
        """Return the density relative to uniform on the image's cells, shape (rows, columns), mean 1.

        Uniform where no other image has fixations.
        """
        shape = cell_shape(width, height)
        counts = self._counts.astype(np.float32)
        if key in self._bins:
            np.subtract.at(counts, self._bins[key], np.float32(1.0))
        total = counts.sum()
        if total <= 0:
            return np.ones(shape, dtype=np.float32)
        bandwidth, share = self.parameters(key)
        across, along = _profiles(shape[0], bandwidth), _profiles(shape[1], bandwidth)
        density: FloatArray = across @ (counts * np.float32((1.0 - share) / total)) @ along.T
        density += np.float32(share)
        density /= density.mean()
        return density

    def _likelihoods(self) -> dict[int, DoubleArray]:
        """Return of each image the mean log2 density of its fixations for all parameters, flat."""
        if len(self._bins) < 2:
            return {}
        profiles = [_profiles(_BINS, float(width)).astype(np.float64) for width in BANDWIDTHS]
        everywhere = [profile @ self._counts @ profile.T for profile in profiles]
        total = self._counts.sum()
        tables = {}
        for key, (rows, columns) in self._bins.items():
            others = total - len(rows)
            table = np.empty((len(BANDWIDTHS), len(UNIFORM_SHARES)))
            for k, (profile, blurred) in enumerate(zip(profiles, everywhere, strict=True)):
                own = _own(profile, rows, columns)
                density = np.maximum(blurred[rows, columns] - own, 0.0) / others
                mixed = (1.0 - UNIFORM_SHARES[:, None]) * density + UNIFORM_SHARES[:, None]
                table[k] = np.log2(mixed).mean(axis=1)
            tables[key] = table.ravel()
        return tables


def _own(profile: DoubleArray, rows: IntArray, columns: IntArray) -> DoubleArray:
    """Return what an image's own fixations add at its fixations, shape (n,)."""
    n = len(rows)
    own = np.empty(n)
    step = max(1, _PAIRS // n)
    for start in range(0, n, step):
        part = slice(start, start + step)
        own[part] = np.einsum(
            "ij,ij->i", profile[np.ix_(rows[part], rows)], profile[np.ix_(columns[part], columns)]
        )
    return own


def _bins(shares: DoubleArray) -> IntArray:
    bins: IntArray = np.clip((np.asarray(shares) * _BINS).astype(np.int64), 0, _BINS - 1)
    return bins


@lru_cache(maxsize=64)
def _profiles(n_cells: int, bandwidth: float) -> FloatArray:
    """Return the Gaussian on each bin along a side, mean 1 over its cells, shape (n_cells, 256)."""
    cells, bins = (np.arange(n_cells) + 0.5) / n_cells, (np.arange(_BINS) + 0.5) / _BINS
    values = np.exp(-0.5 * ((cells[:, None] - bins) / bandwidth) ** 2)
    profiles: FloatArray = (values / values.mean(axis=0)).astype(np.float32)
    profiles.setflags(write=False)
    return profiles
