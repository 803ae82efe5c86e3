from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.lesion import PICTURE_SCOPES, Lesion
from gazeapp.engine.lesions.pixels import BLUR_SIGMA, blurred, changed_pixels


def _picture(width: int, height: int, seed: int = 0) -> np.ndarray:
    """Return a picture of coloured blocks, a sixteenth of its size each."""
    blocks = np.random.default_rng(seed).integers(0, 256, (16, 16, 3), np.uint8)
    return np.asarray(Image.fromarray(blocks).resize((width, height), Image.Resampling.NEAREST))


def _left(image: np.ndarray, value: float = 1.0) -> np.ndarray:
    mask = np.zeros(image.shape[:2], np.float32)
    mask[:, : image.shape[1] // 2] = value
    return mask


@pytest.mark.parametrize("scope", PICTURE_SCOPES)
def test_pixels_outside_of_the_mask_stay_and_those_inside_become_the_filling(scope: str) -> None:
    image = _picture(96, 64)
    changed = changed_pixels(image, Lesion(_left(image), scope))
    assert np.array_equal(changed[:, 48:], image[:, 48:])
    mean = image.astype(np.float64).mean(axis=(0, 1))
    filling = blurred(image) if scope == "blur" else np.broadcast_to(mean, image.shape)
    assert np.array_equal(changed[:, :48], np.rint(filling[:, :48]))
    assert changed.dtype == np.uint8


@pytest.mark.parametrize("scope", PICTURE_SCOPES)
def test_mask_and_strength_are_multiplied(scope: str) -> None:
    image = _picture(96, 64)
    soft = changed_pixels(image, Lesion(_left(image, 0.5), scope, 0.5))
    assert np.array_equal(soft, changed_pixels(image, Lesion(_left(image), scope, 0.25)))
    full = changed_pixels(image, Lesion(_left(image), scope)).astype(np.float64)
    # A quarter of the way, to within what rounding to whole grey levels makes of both.
    assert np.abs(soft - (0.75 * image + 0.25 * full)).max() <= 0.5 + 0.125


@pytest.mark.parametrize("scope", PICTURE_SCOPES)
def test_nothing_taken_away_is_the_picture_itself(scope: str) -> None:
    image = _picture(96, 64)
    assert changed_pixels(image, Lesion(_left(image), scope, 0.0)) is image
    assert changed_pixels(image, Lesion(_left(image, 0.0), scope)) is image


@pytest.mark.parametrize("scope", PICTURE_SCOPES)
def test_the_whole_picture_and_a_mask_of_another_size_are_refused(scope: str) -> None:
    image = _picture(96, 64)
    everything = np.ones((64, 96), np.float32)
    with pytest.raises(GazeError, match="takes the whole image away"):
        changed_pixels(image, Lesion(everything, scope))
    assert not np.array_equal(changed_pixels(image, Lesion(everything, scope, 0.9)), image)
    with pytest.raises(GazeError, match="mask is 64 x 96 px, the image 96 x 64 px"):
        changed_pixels(image, Lesion(everything.T, scope))


@pytest.mark.parametrize(("width", "height"), [(96, 64), (300, 701), (900, 600)])
def test_the_blur_is_a_gaussian_of_a_share_of_the_longer_side(width: int, height: int) -> None:
    """Small pictures are blurred as they are, larger ones at another size: both are what scipy makes at full size."""
    image = _picture(width, height)
    sigma = BLUR_SIGMA * max(width, height)
    expected = gaussian_filter(image.astype(np.float64), (sigma, sigma, 0))
    error = np.abs(blurred(image) - expected)
    assert error.max() < (1e-3 if max(width, height) <= 256 else 0.05)
    assert np.ptp(expected) > 60  # there is something to be wrong about
