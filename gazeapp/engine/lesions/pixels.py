"""Taking a part of the picture itself away."""

from __future__ import annotations

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.lesion import Lesion
from gazeapp.engine.types import ImageArray


def blank_pixels(image: ImageArray, lesion: Lesion) -> ImageArray:
    """Return the image with the lesion's pixels taken towards the image's mean colour.

    Parameters
    ----------
    image
        RGB, shape (height, width, 3), uint8.
    lesion
        Its mask has the image's height and width.

    Raises
    ------
    GazeError
        When mask and image differ in size.
    """
    if lesion.mask.shape != image.shape[:2]:
        raise GazeError(
            f"The lesion's mask is {lesion.mask.shape[1]} x {lesion.mask.shape[0]} px, the image "
            f"{image.shape[1]} x {image.shape[0]} px."
        )
    if lesion.is_empty:
        return image
    share = (lesion.strength * lesion.mask)[:, :, None].astype(np.float64)
    mean = image.reshape(-1, 3).mean(axis=0)
    blanked: ImageArray = np.rint((1.0 - share) * image + share * mean).astype(np.uint8)
    return blanked
