"""Taking a part of the picture itself away."""

from __future__ import annotations

import numpy as np
from PIL import Image

from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.lesion import Lesion
from gazeapp.engine.types import DoubleArray, FloatArray, ImageArray

BLUR_SIGMA = 0.04
"""Standard deviation of the blur, as a share of the image's longer side.

Half of the contrast is left at 4.7 cycles across that side, 1 % at 12: layout and colours stay, things do not.
"""

_BLUR_SIDE = 256
"""Longer side at which the blur is computed, px: its standard deviation is 10 px there, so nothing is lost."""

_STRIP = 64
"""Rows that are changed at once: whole pictures of twelve megapixels as doubles take eight times as long."""


def changed_pixels(image: ImageArray, lesion: Lesion) -> ImageArray:
    """Return the image with a lesion's pixels taken towards the mean colour, or towards the blurred image.

    Parameters
    ----------
    image
        RGB, shape (height, width, 3), uint8.
    lesion
        Of the scope ``pixels`` or ``blur``; its mask has the image's height and width.

    Returns
    -------
    numpy.ndarray
        Shape and type of the image; ``image`` itself where nothing is taken away.

    Raises
    ------
    GazeError
        When mask and image differ in size, or the lesion takes the whole image away.
    """
    if lesion.mask.shape != image.shape[:2]:
        raise GazeError(
            f"The lesion's mask is {lesion.mask.shape[1]} x {lesion.mask.shape[0]} px, the image "
            f"{image.shape[1]} x {image.shape[0]} px."
        )
    if lesion.is_empty:
        return image
    if (lesion.strength * lesion.mask.min()) >= 1.0:
        raise nothing_left()
    mean = image.reshape(-1, 3).mean(axis=0)
    channels = _blurred_channels(image) if lesion.scope == "blur" else []
    changed = image.copy()
    for first in range(0, image.shape[0], _STRIP):
        rows = slice(first, first + _STRIP)
        columns = np.flatnonzero(lesion.mask[rows].any(axis=0))
        if columns.size:
            part = rows, slice(columns[0], columns[-1] + 1)
            share = (lesion.strength * lesion.mask[part])[:, :, None].astype(np.float64)
            towards = _together([channel[part] for channel in channels]) if channels else mean
            changed[part] = np.rint((1.0 - share) * image[part] + share * towards).astype(np.uint8)
    return changed


def blurred(image: ImageArray) -> DoubleArray:
    """Return an image blurred by a Gaussian of `BLUR_SIGMA`; beyond its borders it goes on mirrored.

    It is blurred at no more than 256 px, at the cost of a small image, and made larger again.

    Parameters
    ----------
    image
        RGB, shape (height, width, 3), uint8.

    Returns
    -------
    numpy.ndarray
        Shape (height, width, 3), float64, 0 to 255.
    """
    return _together(_blurred_channels(image))


def _together(channels: list[FloatArray]) -> DoubleArray:
    return np.clip(np.stack(channels, axis=2).astype(np.float64), 0.0, 255.0)


def _blurred_channels(image: ImageArray) -> list[FloatArray]:
    """Return each channel of an image blurred, shape (height, width), a hair below 0 or above 255 in places."""
    from scipy.ndimage import gaussian_filter

    height, width = image.shape[:2]
    scale = min(1.0, _BLUR_SIDE / max(height, width))
    rows, columns = max(1, round(height * scale)), max(1, round(width * scale))
    sigma = BLUR_SIGMA * max(height, width)
    return [
        _resized(
            gaussian_filter(
                _resized(image[:, :, k].astype(np.float32), rows, columns, Image.Resampling.BICUBIC),
                (sigma * rows / height, sigma * columns / width),
            ),
            height,
            width,
            Image.Resampling.BICUBIC,
        )
        for k in range(3)
    ]


def nothing_left() -> GazeError:
    """Return what a lesion is refused with that takes everything."""
    return GazeError(
        "The lesion takes the whole image away, so there is nothing left to attend to.",
        todo="Leave a part of the image out of the mask, or use a smaller strength.",
    )


def _resized(channel: FloatArray, rows: int, columns: int, how: Image.Resampling) -> FloatArray:
    if channel.shape == (rows, columns):
        return channel
    return np.asarray(Image.fromarray(channel).resize((columns, rows), how), np.float32)
