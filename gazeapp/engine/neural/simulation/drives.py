"""What drives a simulated region: a map of the picture seen through receptive fields."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from gazeapp.engine.maps.resample import to_image
from gazeapp.engine.neural.simulation.plan import Planted
from gazeapp.engine.types import DoubleArray, FloatArray, ImageArray, Rect

CELLS = 64
"""Rows and columns of the maps that drive."""
_GREY = np.array([0.299, 0.587, 0.114])
_SURROUND = 3 / 128
"""Standard deviation of a contrast's surround, as a share of the image's side."""
_NO_CONTRAST = 1e-12
"""Mean energy below which there is only rounding noise; one step of 256 grey values has 1.5e-5 where it is."""
_NEAREST_EDGE = 0.02


def contrast_drive(picture: ImageArray) -> FloatArray:
    """Return where the contrast of a picture is.

    The grey value (ITU-R 601) less its mean about each place, squared: the energy of what is finer than some 7 % of
    the picture. It is divided by its sum over the picture, as cells of early visual cortex are by the activity around
    them (Heeger 1992), so that it says where the contrast is and not how much there is. A picture of one grey
    has the same everywhere.

    Parameters
    ----------
    picture
        RGB, at least 128 px on each side.

    Returns
    -------
    numpy.ndarray
        Shape (64, 64), float32, sums to 1.
    """
    grey = _averaged(picture @ _GREY / 255, 2 * CELLS)
    sigma = _SURROUND * 2 * CELLS
    energy = (grey - gaussian_filter(grey, sigma, mode="reflect")) ** 2
    energy = _averaged(gaussian_filter(energy, sigma, mode="reflect"), CELLS)
    if energy.mean() < _NO_CONTRAST:
        energy = np.ones_like(energy)
    share: FloatArray = (energy / energy.sum()).astype(np.float32)
    return share


def field_places(plan: Planted, n_left: int, n_right: int, rng: np.random.Generator) -> DoubleArray:
    """Return the centres (x, y) of the fields of a region's vertices, left hemisphere first, shape (n, 2).

    In shares of the image; a centre that would fall outside is moved just inside.
    """
    sides = np.concatenate([np.ones(n_left), -np.ones(n_right)])
    places = plan.scatter * rng.standard_normal((len(sides), 2))
    places[:, 0] += 0.5 + sides * plan.x + plan.lean
    places[:, 1] += plan.y
    inside: DoubleArray = np.clip(places, _NEAREST_EDGE, 1 - _NEAREST_EDGE)
    return inside


def through_fields(maps: FloatArray, places: DoubleArray, size: float) -> DoubleArray:
    """Return what Gaussian fields see of maps.

    Parameters
    ----------
    maps
        One map for each image, shape (n_images, rows, columns).
    places
        Centres (x, y) of the fields in shares of the image, shape (n_fields, 2).
    size
        Standard deviation of each field, in shares of the image.

    Returns
    -------
    numpy.ndarray
        Mean of each map weighted by each field, cut off at the image's edges, shape (n_images, n_fields).
    """
    across, down = (
        _profiles(places[:, axis], maps.shape[2 - axis], size).astype(np.float32) for axis in (0, 1)
    )
    rows = maps @ across
    seen: DoubleArray = np.einsum("irf,rf->if", rows, down, dtype=np.float64)
    return seen


def _profiles(centres: DoubleArray, cells: int, size: float) -> DoubleArray:
    """Return Gaussians along an axis of cells, one a column, each summing to 1."""
    at = (np.arange(cells) + 0.5) / cells
    profiles = np.exp(-((at[:, None] - centres) ** 2) / (2 * size**2))
    scaled: DoubleArray = profiles / profiles.sum(axis=0)
    return scaled


def _averaged(values: FloatArray | DoubleArray, cells: int) -> DoubleArray:
    """Return a map of cells x cells by averaging the areas that each cell covers."""
    return to_image(values, Rect.of_image(cells, cells), cells, cells).astype(np.float64)
