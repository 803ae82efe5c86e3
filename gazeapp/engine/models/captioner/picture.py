"""Bringing a picture to a captioner's size: the one place that training, describing and measuring share."""

from __future__ import annotations

import numpy as np
from PIL import Image

from gazeapp.engine.types import ImageArray

_RESAMPLING = {
    "box": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
}


def fit_picture(image: ImageArray, size: int, resample: str = "box") -> ImageArray:
    """Stretch an RGB image to ``size`` x ``size`` px, as training pictures are made.

    Parameters
    ----------
    image
        RGB, shape (height, width, 3), uint8.
    size
        Side of the square, px. A picture that has that size already is returned as it is.
    resample
        One of `RESAMPLES` of `captioner.config`. All three weigh every pixel under a target pixel, so shrinking
        does not alias: ``box`` averages areas, ``bilinear`` and ``bicubic`` widen their kernels by the reduction.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ValueError(f"an image is RGB uint8, not {image.dtype} of shape {image.shape}")
    if image.shape[:2] == (size, size):
        return image
    fitted = Image.fromarray(image).resize((size, size), _RESAMPLING[resample])
    return np.asarray(fitted, dtype=np.uint8)
