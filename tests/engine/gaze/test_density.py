"""Human maps against a literal double loop, scipy and closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.density import human_map


def by_hand(x, y, height, width, sigma, weights):
    """The definition, pixel by pixel: each fixation's Gaussian divided by its own sum over the image."""
    total = np.zeros((height, width))
    for px, py, weight in zip(x, y, weights, strict=True):
        one = np.zeros((height, width))
        for row in range(height):
            for column in range(width):
                squared = (column + 0.5 - px) ** 2 + (row + 0.5 - py) ** 2
                one[row, column] = math.exp(-squared / (2 * sigma**2))
        total += weight * one / one.sum()
    return total / total.sum()


def test_agrees_with_the_literal_double_loop_on_a_non_square_image():
    rng = np.random.default_rng(1)
    x, y = rng.uniform(0, 31, 12), rng.uniform(0, 17, 12)
    weights = rng.uniform(0, 3, 12)
    result = human_map(x, y, 17, 31, 2.7, weights)
    assert result.dtype == np.float32
    assert result.shape == (17, 31)
    np.testing.assert_allclose(result, by_hand(x, y, 17, 31, 2.7, weights), rtol=2e-5, atol=1e-9)
    plain = human_map(x, y, 17, 31, 2.7)
    np.testing.assert_allclose(plain, by_hand(x, y, 17, 31, 2.7, np.ones(12)), rtol=2e-5, atol=1e-9)


def test_agrees_with_scipy_where_no_gaussian_is_cut_at_the_border():
    rng = np.random.default_rng(2)
    columns, rows = rng.integers(40, 80, 20), rng.integers(40, 60, 20)
    counts = np.zeros((100, 120))
    np.add.at(counts, (rows, columns), 1)
    blurred = gaussian_filter(counts, 4.0, mode="constant", truncate=9)
    result = human_map(columns + 0.5, rows + 0.5, 100, 120, 4.0)
    np.testing.assert_allclose(result, blurred / blurred.sum(), rtol=2e-5, atol=1e-9)


def test_agrees_with_scipy_at_the_border_fixation_by_fixation():
    points = [(0, 0), (39, 3), (20, 29)]
    expected = np.zeros((30, 40))
    for column, row in points:
        one = np.zeros((30, 40))
        one[row, column] = 1
        one = gaussian_filter(one, 5.0, mode="constant", truncate=12)
        expected += one / one.sum() / len(points)
    result = human_map([c + 0.5 for c, _ in points], [r + 0.5 for _, r in points], 30, 40, 5.0)
    np.testing.assert_allclose(result, expected, rtol=2e-5, atol=1e-9)


def test_more_fixations_than_one_chunk_are_all_counted():
    rng = np.random.default_rng(3)
    x, y = rng.uniform(0, 30, 9000), rng.uniform(0, 20, 9000)
    whole = human_map(x, y, 20, 30, 1.5)
    halves = [human_map(x[part], y[part], 20, 30, 1.5) for part in (slice(0, 3000), slice(3000, None))]
    np.testing.assert_allclose(whole, halves[0] / 3 + halves[1] * 2 / 3, rtol=1e-4, atol=1e-8)


def test_the_peak_is_where_people_looked_x_right_y_down():
    result = human_map([25.5], [3.5], 10, 30, 1.0)
    assert np.unravel_index(result.argmax(), result.shape) == (3, 25)


def test_a_sigma_far_below_a_pixel_puts_all_mass_in_the_fixated_pixel():
    result = human_map([25.2], [3.9], 10, 30, 0.001)
    assert result[3, 25] == pytest.approx(1.0)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.floats(0.05, 200),
    st.lists(
        st.tuples(st.floats(0, 0.999), st.floats(0, 0.999), st.floats(0.01, 1e4)), min_size=1, max_size=8
    ),
)
def test_is_always_a_density(height, width, sigma, points):
    x = [p[0] * width for p in points]
    y = [p[1] * height for p in points]
    result = human_map(x, y, height, width, sigma, [p[2] for p in points])
    assert np.isfinite(result).all()
    assert (result >= 0).all()
    assert result.sum(dtype=np.float64) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize(
    ("x", "y", "sigma", "weights", "says"),
    [
        ([], [], 3, None, "no fixation"),
        ([30.0], [1.0], 3, None, "1 of 1 fixations lie outside"),
        ([-0.1, 3], [1.0, 1.0], 3, None, "1 of 2 fixations lie outside"),
        ([float("nan")], [1.0], 3, None, "outside"),
        ([3.0], [1.0], 0, None, "Sigma"),
        ([3.0], [1.0], float("nan"), None, "Sigma"),
        ([3.0], [1.0], 3, [0.0], "Weights"),
        ([3.0], [1.0], 3, [-1.0], "Weights"),
    ],
)
def test_says_why_there_is_no_map(x, y, sigma, weights, says):
    with pytest.raises(GazeError, match=says):
        human_map(x, y, 20, 30, sigma, weights)
