"""Softening against a Gaussian worked out in full, and against its integral at an edge."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.special import ndtr

from gazeapp.engine.lesions.masks.box import on_image
from gazeapp.engine.lesions.masks.built_in import side_mask
from gazeapp.engine.lesions.masks.shapes import ellipse
from gazeapp.engine.lesions.masks.soften import softened

HEIGHT, WIDTH = 301, 420


@pytest.mark.parametrize("radius", [0.5, 3.0, 7.9, 8.0, 11.7, 30.0])
def test_a_blob_is_blurred_by_a_gaussian(radius):
    mask = on_image(ellipse(-40, 60, 260, 250, HEIGHT, WIDTH), HEIGHT, WIDTH)
    mask[200:210, 300:310] = 255
    expected = gaussian_filter(mask.astype(np.float64), radius, mode="nearest", truncate=6)
    assert np.abs(softened(mask, radius) - expected).max() <= 2.0


@pytest.mark.parametrize("radius", [2.0, 12.0])
def test_a_straight_edge_becomes_the_integral_of_a_gaussian(radius):
    x = np.arange(WIDTH) + 0.5
    soft = softened(side_mask("left", 20, WIDTH), radius)
    assert np.abs(soft - 255 * ndtr((WIDTH / 2 - x) / radius)).max() <= 1.5


@pytest.mark.parametrize("radius", [1.0, 20.0, 1e9])
def test_an_even_mask_stays_as_it_is(radius):
    mask = np.full((HEIGHT, WIDTH), 255, dtype=np.uint8)
    np.testing.assert_array_equal(softened(mask, radius), mask)


def test_a_radius_of_nothing_changes_nothing():
    mask = np.random.default_rng(0).integers(0, 256, (9, 7), dtype=np.uint8)
    for radius in (0.0, -3.0, float("nan")):
        np.testing.assert_array_equal(softened(mask, radius), mask)


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (3, 2)])
def test_tiny_images_keep_their_size(shape):
    mask = np.zeros(shape, dtype=np.uint8)
    mask[0, 0] = 255
    for radius in (1.0, 9.0):
        assert softened(mask, radius).shape == shape
