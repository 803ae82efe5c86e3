"""Centre bias and the negatives of sAUC leave their own image out; densities blur as human maps do."""

from __future__ import annotations

import numpy as np
import pytest

from gazeapp.engine.gaze.density import human_map
from gazeapp.engine.scoring.baselines import OtherImages, Positions, expected_human_map, uniform


def make_images():
    rng = np.random.default_rng(0)
    return {key: Positions(*rng.beta(4, 4, (2, 30))) for key in (3, 7, 8)}


def test_centre_bias_is_the_human_map_of_all_other_images_rescaled():
    images = make_images()
    found = OtherImages(images).centre_bias(7, 60, 90, 6.0)
    u = np.concatenate([images[3].u, images[8].u])
    v = np.concatenate([images[3].v, images[8].v])
    direct = human_map(u * 90, v * 60, 60, 90, 6.0)
    # Cells of 1/256 of the image move a fixation by less than 0.18 px.
    np.testing.assert_allclose(found, direct, atol=0.01 * direct.max())
    assert found.sum() == pytest.approx(1, abs=1e-4)


def test_centre_bias_does_not_see_its_own_image():
    images = make_images()
    before = OtherImages(images).centre_bias(7, 40, 40, 4.0)
    images[7] = Positions(np.array([0.01]), np.array([0.99]))
    np.testing.assert_array_equal(OtherImages(images).centre_bias(7, 40, 40, 4.0), before)


def test_negatives_are_the_other_images_fixations_at_this_size():
    images = {
        1: Positions(np.array([0.1]), np.array([0.1])),
        2: Positions(np.array([0.5, 0.99]), np.array([0.25, 0.0])),
    }
    found = OtherImages(images).pixels(1, 20, 100)
    assert found.index.tolist() == [5 * 100 + 50, 99]


def test_an_only_image_has_no_others():
    images = OtherImages({1: Positions(np.array([0.5]), np.array([0.5]))})
    assert images.centre_bias(1, 10, 10, 2.0) is None
    assert len(images.pixels(1, 10, 10)) == 0
    assert OtherImages({}).centre_bias(1, 10, 10, 2.0) is None


def test_uniform_is_constant_and_sums_to_1():
    values = uniform(7, 9)
    assert values.shape == (7, 9)
    assert np.ptp(values) == 0
    assert values.sum() == pytest.approx(1)


def test_a_density_is_blurred_as_the_human_map_of_many_people():
    density = np.zeros((30, 40), np.float32)
    density[4, 35], density[20, 10] = 0.25, 0.75
    expected = human_map([35.5, 10.5], [4.5, 20.5], 30, 40, 3.0, weights=[0.25, 0.75])
    np.testing.assert_allclose(expected_human_map(density, 3.0), expected, atol=1e-7)
