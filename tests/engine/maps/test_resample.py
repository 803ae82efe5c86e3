"""Resampling against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazeapp.engine.errors import GazeError
from gazeapp.engine.maps import resample
from gazeapp.engine.maps.resample import to_image
from gazeapp.engine.types import Rect


def test_a_map_of_the_image_s_size_is_unchanged():
    values = np.random.default_rng(0).random((7, 11), dtype=np.float32)
    np.testing.assert_array_equal(to_image(values, Rect.of_image(11, 7), 7, 11), values)


def test_row_0_is_the_top_and_column_0_the_left():
    values = np.zeros((2, 3), np.float32)
    values[0, 2] = 1.0
    image = to_image(values, Rect.of_image(60, 40), 40, 60)
    assert image[5, 55] == pytest.approx(1.0)
    assert image[35, 55] == image[5, 5] == image[35, 5] == 0.0


def test_values_sit_at_cell_centres_and_are_flat_beyond_the_outermost():
    image = to_image(np.array([[0.0, 1.0]]), Rect.of_image(8, 1), 1, 8)
    # Cell centres are at x = 2 and 6; pixel centres at 0.5, 1.5, ...
    np.testing.assert_allclose(image[0], [0, 0, 0.125, 0.375, 0.625, 0.875, 1, 1], atol=1e-7)


def test_a_linear_ramp_stays_linear_between_the_outermost_centres():
    rows, columns, height, width = 6, 9, 90, 72
    v, u = np.mgrid[0:rows, 0:columns]
    image = to_image(2.0 * u - 3.0 * v + 1.0, Rect.of_image(width, height), height, width)
    y, x = np.mgrid[0:height, 0:width] + 0.5
    expected = 2.0 * (x * columns / width - 0.5) - 3.0 * (y * rows / height - 0.5) + 1.0
    inner = (slice(height // rows, -(height // rows)), slice(width // columns, -(width // columns)))
    np.testing.assert_allclose(image[inner], expected[inner], atol=2e-5)


def test_a_map_over_part_of_the_image_is_0_elsewhere():
    image = to_image(np.ones((3, 4)), Rect(10, 20, 30, 15), 50, 60)
    expected = np.zeros((50, 60), np.float32)
    expected[20:35, 10:40] = 1.0
    np.testing.assert_array_equal(image, expected)


def test_a_map_over_part_of_the_image_is_the_whole_map_moved():
    values = np.random.default_rng(1).random((5, 4), dtype=np.float32)
    alone = to_image(values, Rect.of_image(24, 20), 20, 24)
    image = to_image(values, Rect(7, 3, 24, 20), 40, 50)
    np.testing.assert_allclose(image[3:23, 7:31], alone, atol=1e-6)
    assert image.sum() == pytest.approx(alone.sum(), rel=1e-5)


def test_pixels_whose_centre_is_outside_the_rectangle_are_0():
    image = to_image(np.ones((2, 2)), Rect(0.6, 0.0, 2.0, 1.0), 1, 4)
    np.testing.assert_array_equal(image[0], [0, 1, 1, 0])


def test_a_rectangle_may_reach_beyond_the_image():
    image = to_image(np.array([[0.0, 1.0]]), Rect(-8.0, 0.0, 16.0, 1.0), 1, 8)
    np.testing.assert_allclose(image[0, :4], [0.5625, 0.6875, 0.8125, 0.9375], atol=1e-6)
    np.testing.assert_allclose(image[0, 4:], 1.0)


def test_a_finer_grid_loses_no_cell():
    for k in range(12):
        values = np.zeros((1, 12), np.float32)
        values[0, k] = 1.0
        assert to_image(values, Rect.of_image(4, 1), 1, 4).sum() > 0


@given(
    value=st.floats(0, 10, width=32),
    rows=st.integers(1, 9),
    columns=st.integers(1, 9),
    height=st.integers(1, 40),
    width=st.integers(1, 40),
)
def test_a_constant_map_stays_exactly_constant(value, rows, columns, height, width):
    image = to_image(np.full((rows, columns), value, np.float32), Rect.of_image(width, height), height, width)
    assert image.shape == (height, width)
    assert (image == np.float32(value)).all()


def test_the_border_continues_the_outermost_cells():
    values = np.random.default_rng(2).random((6, 6), dtype=np.float32)
    image = to_image(values, Rect.of_image(96, 96), 96, 96)
    padded = to_image(np.pad(values, 1, mode="edge"), Rect(-16, -16, 128, 128), 96, 96)
    np.testing.assert_allclose(image, padded, atol=1e-6)


def test_a_large_map_is_brought_down_as_a_small_one_is(monkeypatch):
    values = np.random.default_rng(3).random((330, 410), dtype=np.float32)
    rect = Rect(3.0, 2.0, 37.0, 30.0)
    large = to_image(values, rect, 36, 48)
    monkeypatch.setattr(resample, "_LARGE", 1000)
    np.testing.assert_allclose(large, to_image(values, rect, 36, 48), atol=1e-6)
    assert large.dtype == np.float32
    # Each pixel averages about 100 cells of mean 1/2.
    assert large[4:30, 6:38].mean() == pytest.approx(0.5, abs=0.005)


@pytest.mark.parametrize("values", [np.zeros((0, 3)), np.zeros(5), np.zeros((2, 2, 2))])
def test_a_map_needs_rows_and_columns(values):
    with pytest.raises(GazeError, match="rows and columns"):
        to_image(values, Rect.of_image(4, 4), 4, 4)
