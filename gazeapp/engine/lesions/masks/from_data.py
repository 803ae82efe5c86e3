"""Masks that follow from data: where people looked most, where a model attended most, and boxes of objects."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike

from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.masks.placing import FULL
from gazeapp.engine.maps.resample import to_image
from gazeapp.engine.types import BoolArray, DoubleArray, MaskArray, Rect


def most_fixated(density: ArrayLike, share: float) -> MaskArray:
    """Return the highest part of a map that makes up a share of the image's area.

    Parameters
    ----------
    density
        Map with one value for each pixel, shape (height, width).
    share
        Share of the image's area, above 0 and below 1. The mask has that many pixels, rounded to whole ones and at
        least one.

    Returns
    -------
    numpy.ndarray
        Shape (height, width), uint8: 255 for the pixels with the highest values. Of pixels with equal values at the
        border of the mask those come first that are further up, and in one row further left.

    Raises
    ------
    GazeError
        When the share is none, the map holds no numbers, or less of the image than the share is above the map's
        lowest value, so that nothing in the map would decide which pixels are taken.
    """
    values = _checked(density)
    n_pixels = _count(share, values.size)
    return _highest(values, np.ones(values.shape, bool), n_pixels, share)


def holding(density: ArrayLike, share: float) -> MaskArray:
    """Return the smallest part of a map, of its highest pixels, that holds a share of the map's mass.

    Parameters
    ----------
    density
        Map with one value of at least 0 for each pixel, shape (height, width).
    share
        Share of the sum over all pixels, above 0 and up to 1.

    Returns
    -------
    numpy.ndarray
        Shape (height, width), uint8: 255 for the fewest pixels that together hold the share. Ties as in
        `most_fixated`.

    Raises
    ------
    GazeError
        When the share is none, or the map holds no numbers, negative ones or only zeros.
    """
    values = _checked(density)
    if not 0 < share <= 1:
        raise GazeError(f"{share:.4%} is no share of a map.", todo="Give one above 0 % and up to 100 %.")
    if values.min() < 0:
        raise GazeError("A map with negative numbers has no mass to hold a share of.")
    order = np.argsort(-values, axis=None, kind="stable")
    held = np.cumsum(values.ravel()[order])
    if held[-1] <= 0:
        raise GazeError("The map is 0 everywhere: there is no mass to hold a share of.")
    # A hair of slack: a sum that equals the share on paper may fall short of it by rounding.
    n_pixels = int(np.searchsorted(held, share * held[-1] * (1 - 1e-12))) + 1
    mask = np.zeros(values.size, np.uint8)
    mask[order[:n_pixels]] = FULL
    return mask.reshape(values.shape)


def above(values: ArrayLike, rect: Rect, height: int, width: int, share: float) -> MaskArray:
    """Return the part of an image where a map on its own grid is highest.

    Parameters
    ----------
    values
        Map, shape (rows, columns); it is brought to the image's pixels by `to_image`.
    rect
        Part of the image that the map covers, px; no pixel whose centre lies outside of it is taken.
    height, width
        Size of the image, px.
    share
        Share of the image's area, as in `most_fixated`.

    Returns
    -------
    numpy.ndarray
        Shape (height, width), uint8, 0 or 255. Ties as in `most_fixated`.

    Raises
    ------
    GazeError
        As `most_fixated`, of the pixels inside ``rect``.
    """
    pixels = _checked(to_image(_checked(values), rect, height, width))
    return _highest(pixels, _inside(rect, height, width), _count(share, pixels.size), share)


def of_box(rect: Rect, height: int, width: int) -> MaskArray:
    """Return the mask of a box: the pixels whose centre lies in it (on its left or top edge counts as inside).

    Raises
    ------
    GazeError
        When no pixel of the image does.
    """
    return of_boxes([rect], height, width)


def of_boxes(rects: Iterable[Rect], height: int, width: int) -> MaskArray:
    """Return the mask of several boxes together, as `of_box`.

    Raises
    ------
    GazeError
        When they hold no pixel of the image.
    """
    mask = np.zeros((height, width), np.uint8)
    for rect in rects:
        mask[_inside(rect, height, width)] = FULL
    if not mask.any():
        raise GazeError(
            f"No pixel of the image, which is {width} x {height} px, lies in the box.",
            todo="Check the place of the box; it is counted in pixels from the top left.",
        )
    return mask


def _highest(values: DoubleArray, allowed: BoolArray, n_pixels: int, share: float) -> MaskArray:
    """Return the mask of the ``n_pixels`` highest of the allowed pixels."""
    candidates = values[allowed]
    standing_out = int((candidates > candidates.min(initial=np.inf)).sum())
    if n_pixels > standing_out:
        raise GazeError(
            f"Only {standing_out / values.size:.1%} of the image stands out in this map, "
            f"less than the {share:.1%} that were asked for.",
            todo="Ask for a smaller share.",
        )
    cut = np.partition(candidates, candidates.size - n_pixels)[candidates.size - n_pixels]
    chosen = allowed & (values > cut)
    ties = np.flatnonzero(allowed & (values == cut))
    mask = np.where(chosen, np.uint8(FULL), np.uint8(0))
    mask.ravel()[ties[: n_pixels - int(chosen.sum())]] = FULL
    return mask


def _inside(rect: Rect, height: int, width: int) -> BoolArray:
    y, x = np.arange(height) + 0.5, np.arange(width) + 0.5
    inside: BoolArray = np.outer((y >= rect.y) & (y < rect.bottom), (x >= rect.x) & (x < rect.right))
    return inside


def _checked(density: ArrayLike) -> DoubleArray:
    values = np.asarray(density, np.float64)
    if values.ndim != 2 or not values.size:
        raise GazeError(f"A map needs rows and columns; this one has the shape {values.shape}.")
    if not np.isfinite(values).all():
        raise GazeError("The map holds values that are no numbers.")
    return values


def _count(share: float, n_pixels: int) -> int:
    if not 0 < share < 1:
        raise GazeError(
            f"{share:.4%} is no part of an image.", todo="Give a share above 0 % and below 100 %."
        )
    return max(1, int(share * n_pixels + 0.5))
