"""Blurring a mask, which gives what was painted soft edges."""

from __future__ import annotations

import numpy as np

from gazeapp.engine.types import MaskArray


def softened(mask: MaskArray, radius_px: float) -> MaskArray:
    """Return the mask blurred by a Gaussian.

    Parameters
    ----------
    mask
        Shape (height, width), 0 to 255. Beyond its borders it is taken to go on as at the border.
    radius_px
        Standard deviation, px; 0 leaves the mask as it is.
    """
    from scipy.ndimage import gaussian_filter

    if radius_px <= 0:
        return mask
    blurred = gaussian_filter(mask.astype(np.float32), radius_px, mode="nearest", truncate=3.0)
    soft: MaskArray = np.clip(blurred + 0.5, 0, 255).astype(np.uint8)
    return soft
