"""Bringing pictures to a captioner's size, against other ways of reckoning the same."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gazeapp.engine.models.captioner.config import RESAMPLES
from gazeapp.engine.models.captioner.picture import fit_picture
from gazeapp.engine.types import ImageArray


@pytest.fixture(scope="module")
def picture() -> ImageArray:
    return np.random.default_rng(3).integers(0, 256, (48, 96, 3), dtype=np.uint8)


def test_box_averages_areas(picture: ImageArray) -> None:
    means = picture.reshape(16, 3, 16, 6, 3).mean(axis=(1, 3))
    assert np.abs(fit_picture(picture, 16).astype(float) - means).max() <= 1  # rounded once a direction


@pytest.mark.parametrize("resample", ["bilinear", "bicubic"])
@pytest.mark.parametrize("size", [16, 37])
def test_the_others_widen_their_kernels_when_they_shrink(
    picture: ImageArray, resample: str, size: int
) -> None:
    planes = torch.from_numpy(picture).permute(2, 0, 1)[None].float()
    expected = torch.nn.functional.interpolate(planes, (size, size), mode=resample, antialias=True)
    fitted = fit_picture(picture, size, resample).astype(float)
    assert np.abs(fitted - expected[0].permute(1, 2, 0).numpy().clip(0, 255)).max() <= 1.5


def test_a_picture_of_that_size_is_left_alone(picture: ImageArray) -> None:
    square = picture[:48, :48]
    for resample in RESAMPLES:
        assert fit_picture(square, 48, resample) is square


def test_what_is_no_rgb_picture_is_refused(picture: ImageArray) -> None:
    for wrong in (picture[..., 0], picture[..., :2], picture.astype(np.float32)):
        with pytest.raises(ValueError, match="RGB uint8"):
            fit_picture(wrong, 16)
