"""From fixations to a human map: the density of where people looked."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gazeapp.engine.errors import GazeError
from gazeapp.engine.types import DoubleArray, FloatArray

_CHUNK = 4096
_NEGLIGIBLE = np.float32(1e-16)


def human_map(
    x: ArrayLike,
    y: ArrayLike,
    height: int,
    width: int,
    sigma_px: float,
    weights: ArrayLike | None = None,
) -> FloatArray:
    """Return the Gaussian density of fixations, one value a pixel.

    Each fixation is a Gaussian sampled at pixel centres (k + 0.5) at its own sub-pixel position.
    The part of a Gaussian that would fall outside the image is given back to the part inside
    (each Gaussian is divided by its own sum over the image), so that a fixation at the border
    counts as much as one in the middle and no mass piles up on the edge. A Gaussian is separable,
    so that the whole map is one matrix product of column and row profiles.

    Parameters
    ----------
    x, y
        Fixations, image px, origin at the top-left corner of pixel 0, shape (n,).
    height, width
        Size of the map, px; the same frame as ``x`` and ``y``.
    sigma_px
        Standard deviation of the Gaussian, px (full width at half maximum = 2.355 sigma).
    weights
        Weight of each fixation, shape (n,), non-negative, such as its duration; equal when not given.

    Returns
    -------
    numpy.ndarray
        Shape (height, width), float32, sums to 1.

    Raises
    ------
    GazeError
        When there is no fixation, a fixation lies outside the image or is not a number, or
        sigma or the weights make no density.
    """
    xs, ys, ws = _checked(x, y, height, width, sigma_px, weights)

    def of_part(start: int) -> FloatArray:
        part = slice(start, start + _CHUNK)
        rows = gaussian_profiles(ys[part], height, sigma_px)
        rows *= ws[part].astype(np.float32)
        product: FloatArray = rows @ gaussian_profiles(xs[part], width, sigma_px).T
        return product

    total = of_part(0)
    for start in range(_CHUNK, len(xs), _CHUNK):
        total += of_part(start)
    total /= np.float32(total.sum(dtype=np.float64))
    return total


def gaussian_profiles(positions: DoubleArray, size: int, sigma_px: float) -> FloatArray:
    """Return one Gaussian a column along an axis of ``size`` px, each summing to 1.

    Parameters
    ----------
    positions
        Centres, px along the axis, shape (n,).
    size
        Length of the axis, px.
    sigma_px
        Standard deviation, px.

    Returns
    -------
    numpy.ndarray
        Shape (size, n), float32; the product of a row and a column profile is one fixation's Gaussian.
    """
    centres = (np.arange(size, dtype=np.float64) + 0.5) / sigma_px
    profile: NDArray[np.float32] = (centres[:, None] - positions / sigma_px).astype(np.float32)
    # One array all the way: this takes longer than the matrix product that follows.
    np.multiply(profile, profile, out=profile)
    profile *= np.float32(-0.5)
    # Taking the nearest pixel's own distance off first keeps a very small sigma from underflowing to 0 / 0.
    profile -= profile.max(axis=0)
    np.exp(profile, out=profile)
    # Beyond 8.6 sigma: products of such small numbers are subnormal, which makes the matrix product 20 times slower.
    profile *= profile >= _NEGLIGIBLE
    profile /= profile.sum(axis=0)
    return profile


def _checked(
    x: ArrayLike, y: ArrayLike, height: int, width: int, sigma_px: float, weights: ArrayLike | None
) -> tuple[DoubleArray, DoubleArray, DoubleArray]:
    xs = np.asarray(x, dtype=np.float64).ravel()
    ys = np.asarray(y, dtype=np.float64).ravel()
    ws = np.ones_like(xs) if weights is None else np.asarray(weights, dtype=np.float64).ravel()
    if not (len(xs) == len(ys) == len(ws)):
        raise ValueError(f"x, y and weights differ in length: {len(xs)}, {len(ys)}, {len(ws)}")
    if height < 1 or width < 1:
        raise ValueError(f"a map needs a positive size, not {width} x {height}")
    if not len(xs):
        raise GazeError("There is no fixation, so there is no human map.")
    if not (np.isfinite(sigma_px) and sigma_px > 0):
        raise GazeError(f"Sigma must be a positive number of pixels, not {sigma_px}.")
    # False for NaN too, which is meant.
    inside = (xs >= 0) & (xs < width) & (ys >= 0) & (ys < height)
    if not inside.all():
        raise GazeError(
            f"{int((~inside).sum())} of {len(xs)} fixations lie outside the image of {width} x {height} px.",
            todo="Leave out the fixations outside the image before making a human map.",
        )
    if not (np.isfinite(ws).all() and (ws >= 0).all() and ws.sum() > 0):
        raise GazeError("Weights must be numbers of at least 0, and one of them above 0.")
    return xs, ys, ws
