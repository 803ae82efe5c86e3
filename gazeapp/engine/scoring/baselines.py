"""Baselines that know nothing of the image, and the density that simulated people were drawn from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gazeapp.engine.gaze.density import gaussian_profiles
from gazeapp.engine.scoring.metrics import Pixels, pixels
from gazeapp.engine.types import DoubleArray, FloatArray

UNIFORM = "uniform"
CENTRE_BIAS = "centre_bias"
_BINS = 256


@dataclass(frozen=True)
class Positions:
    """Fixations of one image as shares of its size: ``u`` = x / width, ``v`` = y / height, in [0, 1)."""

    u: DoubleArray
    v: DoubleArray


class OtherImages:
    """Where people look in the other images of a task: the centre bias, and the negatives of sAUC.

    Positions are rescaled by image size, so that images of different sizes can be pooled.

    Parameters
    ----------
    positions
        Fixations of each image, by any key.
    """

    def __init__(self, positions: Mapping[int, Positions]) -> None:
        keys = [np.full(len(one.u), key, dtype=np.int64) for key, one in positions.items()]
        self._image = np.concatenate(keys) if keys else np.zeros(0, dtype=np.int64)
        self._u = np.concatenate([one.u for one in positions.values()]) if keys else np.zeros(0)
        self._v = np.concatenate([one.v for one in positions.values()]) if keys else np.zeros(0)
        self._all = _histogram(self._u, self._v)

    def pixels(self, key: int, height: int, width: int) -> Pixels:
        """Return the fixations of all images but ``key``, at this image's size."""
        others = self._image != key
        return pixels(self._u[others] * width, self._v[others] * height, height, width)

    def centre_bias(self, key: int, height: int, width: int, sigma_px: float) -> FloatArray | None:
        """Return the density of the fixations of all images but ``key``.

        Each image's own counts are taken off the counts of all, on 256 x 256 cells of the image, so
        that the cost does not grow with the number of images. The cells add (size / 256)**2 / 12 px²
        to the Gaussian's variance: 1.3 px² for an image of 1024 px.

        Parameters
        ----------
        key
            The image that is left out.
        height, width
            Size of the map, px.
        sigma_px
            Standard deviation of the Gaussian, px.

        Returns
        -------
        numpy.ndarray or None
            Shape (height, width), float32, sums to 1; None when no other image has fixations.
        """
        own = self._image == key
        counts = self._all - _histogram(self._u[own], self._v[own])
        total = counts.sum()
        if total <= 0:
            return None
        rows, columns = _cell_profiles(height, sigma_px), _cell_profiles(width, sigma_px)
        density: FloatArray = np.asarray(rows @ (counts / total).astype(np.float32) @ columns.T, np.float32)
        return density


def uniform(height: int, width: int) -> FloatArray:
    """Return the map that says nothing, shape (height, width), float32, sums to 1."""
    return np.full((height, width), 1.0 / (height * width), dtype=np.float32)


def expected_human_map(density: FloatArray, sigma_px: float) -> FloatArray:
    """Return the human map that infinitely many people drawn from ``density`` would give.

    The best map for metrics that compare with human maps is the density as the human map shows it, blurred by
    the same Gaussian; for NSS and AUC it is the density itself (Kümmerer, Wallis & Bethge 2018).

    Parameters
    ----------
    density
        Shape (height, width).
    sigma_px
        Standard deviation of the human maps' Gaussian, px.
    """
    height, width = density.shape
    rows = gaussian_profiles(np.arange(height, dtype=np.float64) + 0.5, height, sigma_px)
    columns = gaussian_profiles(np.arange(width, dtype=np.float64) + 0.5, width, sigma_px)
    blurred: FloatArray = np.asarray(rows @ density @ columns.T, dtype=np.float32)
    return blurred


@lru_cache(maxsize=8)
def _cell_profiles(size: int, sigma_px: float) -> FloatArray:
    """Return the Gaussian of each cell along an axis of ``size`` px, shape (size, 256)."""
    profiles = gaussian_profiles((np.arange(_BINS) + 0.5) / _BINS * size, size, sigma_px)
    profiles.setflags(write=False)
    return profiles


def _histogram(u: DoubleArray, v: DoubleArray) -> DoubleArray:
    """Return counts on a grid over the image, shape (256, 256), row 0 at the top."""
    rows = np.clip((v * _BINS).astype(np.int64), 0, _BINS - 1)
    columns = np.clip((u * _BINS).astype(np.int64), 0, _BINS - 1)
    counts = np.bincount(rows * _BINS + columns, minlength=_BINS * _BINS)
    return counts.reshape(_BINS, _BINS).astype(np.float64)
