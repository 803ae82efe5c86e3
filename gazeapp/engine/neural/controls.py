"""What a map has to beat: predictors that need no model, on the same cells."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.maps.common_grid import mirrored_profiles
from gazeapp.engine.neural.features import GRID, SIGMA
from gazeapp.engine.pictures import shrunk
from gazeapp.engine.types import DoubleArray, ImageArray

LUMINANCE = "luminance"
CONTRAST = "contrast"
PEOPLE = "people"
CENTRE = "centre"
OTHER_IMAGE = "other_image"

LONG_SIDE = 256
"""Pictures are reduced to this many px along the longer side before anything is measured in them."""
SCALES = (1 / 128, 1 / 64, 1 / 32)
"""Standard deviation of the inner Gaussian of each band, as a share of the longer side."""
N_RINGS = 7
"""Rings around the middle of the image."""
_RED, _GREEN, _BLUE = 0.2126, 0.7152, 0.0722
_REACH = 5.0
"""Standard deviations beyond which a Gaussian over pixels is left out."""


@dataclass(frozen=True, slots=True)
class Control:
    """A control: its title, and in a sentence what a model that beats it has beyond it."""

    title: str
    about: str


CONTROLS = {
    LUMINANCE: Control("luminance", "Mean luminance of each part of the picture."),
    CONTRAST: Control(
        "contrast energy", "Energy of the contrast in three bands in each part of the picture: what V1 sees."
    ),
    PEOPLE: Control("people", "Where people looked, under the same task."),
    CENTRE: Control(
        "centre", "How far from the middle the map's attention is, and nothing of the direction."
    ),
    OTHER_IMAGE: Control("map of another image", "The same maps, each given to another image: chance."),
}
"""The controls by name. A centre bias is none of them: it is the same for every image and can predict nothing."""


def picture_controls(
    pictures: Iterable[ImageArray], grid: int = GRID, sigma: float = SIGMA
) -> dict[str, DoubleArray]:
    """Return luminance and contrast energy of pictures, which are read once, one at a time.

    Parameters
    ----------
    pictures
        RGB, each of shape (height, width, 3), uint8.
    grid, sigma
        As in :func:`gazeapp.engine.neural.features.map_features`.

    Returns
    -------
    dict
        ``luminance``, shape (n_images, grid * grid), and ``contrast``, shape (n_images, 3 * grid * grid).

    Raises
    ------
    GazeError
        If there is no picture, or one is not RGB.
    """
    both = [
        (luminance(picture, grid, sigma), contrast(picture, grid, sigma)) for picture in map(_small, pictures)
    ]
    if not both:
        raise GazeError("There is no picture to measure.", todo="Add images first.")
    return {
        LUMINANCE: np.array([one for one, _ in both]),
        CONTRAST: np.array([one for _, one in both]),
    }


def luminance(picture: ImageArray, grid: int = GRID, sigma: float = SIGMA) -> DoubleArray:
    """Return the mean luminance of a picture around the middle of each cell, shape (grid * grid,).

    Relative luminance Y of sRGB (IEC 61966-2-1; 0 black, 1 white), averaged with the Gaussian of the maps, which
    is mirrored at the border.

    Raises
    ------
    GazeError
        If the picture is not RGB.
    """
    return _on_cells(_luminance(_small(picture)), grid, sigma)


def contrast(picture: ImageArray, grid: int = GRID, sigma: float = SIGMA) -> DoubleArray:
    """Return the contrast energy of a picture in three bands around the middle of each cell.

    With L the lightness of CIE 1976 (L* / 100: a cube root of the luminance, so that equal steps are about equally
    visible in dark and bright parts), the band of scale s is b = G(s) * L - G(2 s) * L (Burt & Adelson 1983), and
    its energy the mean of b squared (Adelson & Bergen 1985), taken with the Gaussian of the maps. A band's peak is at
    0.153 / s cycles: 20, 10 and 5 cycles along the longer side for the scales 1/128, 1/64 and 1/32 of it. The
    picture is mirrored at its border.

    Parameters
    ----------
    picture
        RGB, shape (height, width, 3), uint8.
    grid, sigma
        As in :func:`gazeapp.engine.neural.features.map_features`.

    Returns
    -------
    numpy.ndarray
        Shape (3 * grid * grid,), the finest band first, in squares of the range from black to white.

    Raises
    ------
    GazeError
        If the picture is not RGB.
    """
    light = _lightness(_luminance(_small(picture)))
    blurred = {scale: _blurred(light, scale) for scale in sorted({*SCALES, *(2 * scale for scale in SCALES)})}
    return np.concatenate(
        [_on_cells(np.square(blurred[scale] - blurred[2 * scale]), grid, sigma) for scale in SCALES]
    )


def centre(features: DoubleArray, n_rings: int = N_RINGS) -> DoubleArray:
    """Return how much of each map lies in rings around the middle of the image, shape (n_images, n_rings).

    It keeps how central a map is and drops everything else. Rings are equally wide; the distance of a cell's middle
    is counted in shares of the image's sides, so that rings are ellipses in an oblong picture. The outermost ends in
    the corners.

    Parameters
    ----------
    features
        Maps on a square grid, shape (n_images, grid * grid).
    n_rings
        Number of rings; those that hold no cell are left out.
    """
    grid = round(features.shape[1] ** 0.5)
    if grid * grid != features.shape[1]:
        raise ValueError(f"{features.shape[1]} cells are no square grid")
    from_middle = (np.arange(grid) + 0.5) / grid - 0.5
    distance = np.hypot.outer(from_middle, from_middle).ravel() / np.hypot(0.5, 0.5)
    _, ring = np.unique((distance * n_rings).astype(int), return_inverse=True)
    inside = ring[:, None] == np.arange(ring.max() + 1)
    mass: DoubleArray = features @ inside.astype(np.float64)
    return mass


def other_image(features: DoubleArray, seed: int = 0) -> DoubleArray:
    """Return the same maps, each given to another image.

    The images stand in a random circle, drawn once by the seed, and each gets the map of the next: none keeps its
    own and every map serves exactly once.

    Parameters
    ----------
    features
        One row an image, shape (n_images, k).
    seed
        Seed of the order.

    Raises
    ------
    GazeError
        If there are fewer than 2 images.
    """
    n = len(features)
    if n < 2:
        raise GazeError("With one image there is no map of another image.", todo="Add images.")
    circle = np.random.default_rng([seed, n]).permutation(n)
    given = np.empty_like(features)
    given[circle] = features[np.roll(circle, -1)]
    return given


def _small(picture: ImageArray) -> ImageArray:
    """Return a picture with at most 256 px along its longer side, areas averaged."""
    if picture.ndim != 3 or picture.shape[2] != 3 or not picture.size or picture.dtype != np.uint8:
        raise GazeError(
            f"A picture needs rows, columns and 3 colours of 8 bits; this one has the shape {picture.shape}."
        )
    return shrunk(picture, LONG_SIDE / max(picture.shape[:2]))


def _luminance(picture: ImageArray) -> DoubleArray:
    """Return the relative luminance of sRGB, shape (height, width), from 0 to 1."""
    encoded = np.arange(256) / 255.0
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    weighted: DoubleArray = linear[picture] @ np.array([_RED, _GREEN, _BLUE])
    return weighted


def _lightness(relative: DoubleArray) -> DoubleArray:
    """Return L* / 100 (CIE 1976) of relative luminance."""
    bright = 1.16 * np.cbrt(relative) - 0.16
    light: DoubleArray = np.where(relative > (6 / 29) ** 3, bright, (29 / 3) ** 3 / 100 * relative)
    return light


def _blurred(values: DoubleArray, scale: float) -> DoubleArray:
    """Return values under a Gaussian whose sd is a share of the longer side, mirrored at the border."""
    from scipy.ndimage import gaussian_filter

    blurred: DoubleArray = gaussian_filter(values, scale * max(values.shape), mode="reflect", truncate=_REACH)
    return blurred


def _on_cells(values: DoubleArray, grid: int, sigma: float) -> DoubleArray:
    """Return weighted means of pixels around the middle of each cell, shape (grid * grid,)."""
    rows, columns = (_weights(n, grid, sigma) for n in values.shape)
    means: DoubleArray = rows @ values @ columns.T
    return means.ravel()


def _weights(n_pixels: int, grid: int, sigma: float) -> DoubleArray:
    """Return the weight of each pixel along an axis for each cell, shape (grid, n_pixels), rows sum to 1."""
    middles = (np.arange(grid) + 0.5) / grid * n_pixels
    return mirrored_profiles(middles, n_pixels, sigma * n_pixels).T
