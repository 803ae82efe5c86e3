"""Masks keep their place and their kind on an image of another size."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.masks.placing import area, check_size, is_hard, mirror, shares, to_size

few = settings(max_examples=60, deadline=None)

SIZES = st.integers(1, 12)
MASKS = st.tuples(SIZES, SIZES).flatmap(lambda size: arrays(np.uint8, size))
HARD = st.tuples(SIZES, SIZES).flatmap(
    lambda size: arrays(np.uint8, size, elements=st.sampled_from([0, 255]))
)


def left_half(height: int, width: int) -> np.ndarray:
    """Return the pixels whose centre lies left of the middle."""
    mask = np.zeros((height, width), np.uint8)
    mask[:, np.arange(width) + 0.5 < width / 2] = 255
    return mask


@pytest.mark.parametrize("width", [2, 8, 640])
@pytest.mark.parametrize("new_width", [2, 5, 8, 13, 333, 1024])
def test_half_an_image_is_half_of_another(width: int, new_width: int):
    placed = to_size(left_half(7, width), 11, new_width, "fraction")
    np.testing.assert_array_equal(placed, left_half(11, new_width))


@few
@given(HARD, SIZES, SIZES)
def test_a_hard_mask_stays_hard_and_each_pixel_is_the_one_under_its_centre(mask, height, width):
    placed = to_size(mask, height, width, "fraction")
    assert placed.shape == (height, width)
    for row in range(height):
        for column in range(width):
            old_row = (2 * row + 1) * mask.shape[0] // (2 * height)
            old_column = (2 * column + 1) * mask.shape[1] // (2 * width)
            assert placed[row, column] == mask[old_row, old_column]


@few
@given(MASKS, st.integers(1, 4), st.integers(1, 4))
def test_an_image_that_is_whole_times_as_large_repeats_each_pixel(mask, down, across):
    placed = to_size(mask, mask.shape[0] * down, mask.shape[1] * across, "fraction")
    np.testing.assert_array_equal(placed, np.kron(mask, np.ones((down, across), np.uint8)))


@few
@given(st.integers(1, 4), st.integers(1, 4), st.data())
def test_a_graded_mask_on_a_smaller_image_is_the_mean_of_the_pixels_there(down, across, data):
    mask = data.draw(arrays(np.uint8, (3 * down, 2 * across), elements=st.integers(1, 254)))
    means = mask.reshape(3, down, 2, across).mean(axis=(1, 3))
    placed = to_size(mask, 3, 2, "fraction").astype(float)
    assert (np.abs(placed - means) <= 0.5 + 1e-9).all()


@few
@given(MASKS)
def test_the_same_size_is_the_same_mask_and_not_the_same_array(mask):
    for how in ("fraction", "pixel"):
        placed = to_size(mask, *mask.shape, how)
        np.testing.assert_array_equal(placed, mask)
        assert not np.shares_memory(placed, mask)


@few
@given(MASKS, SIZES, SIZES)
def test_by_pixel_every_pixel_keeps_its_place(mask, height, width):
    placed = to_size(mask, height, width, "pixel")
    for row in range(height):
        for column in range(width):
            inside = row < mask.shape[0] and column < mask.shape[1]
            assert placed[row, column] == (mask[row, column] if inside else 0)


def test_another_way_is_refused_with_those_that_there_are():
    with pytest.raises(GazeError, match=r"not placed by 'stretch'.*fraction or pixel"):
        to_size(np.zeros((2, 2), np.uint8), 2, 2, "stretch")


@few
@given(MASKS)
def test_mirrored_twice_is_the_mask(mask):
    assert (mirror(mask)[:, 0] == mask[:, -1]).all()
    np.testing.assert_array_equal(mirror(mirror(mask)), mask)


@few
@given(MASKS)
def test_area_counts_graded_pixels_by_their_share(mask):
    assert area(mask) == pytest.approx(sum(mask.ravel().tolist()) / 255 / mask.size, abs=1e-12)


def test_the_area_of_a_whole_and_of_half_a_mask_is_exact():
    assert area(np.full((301, 403), 255, np.uint8)) == 1.0
    assert area(left_half(301, 404)) == 0.5


def test_hard_and_graded_masks_are_told_apart():
    mask = left_half(3, 4)
    assert is_hard(mask)
    mask[0, 0] = 254
    assert not is_hard(mask)


def test_shares_are_255ths():
    assert shares(np.array([[0, 51, 255]], np.uint8)).tolist() == [[0.0, 0.2, 1.0]]


def test_a_mask_of_the_wrong_size_is_refused_with_both_sizes():
    check_size(np.zeros((4, 6), np.uint8), 4, 6)
    with pytest.raises(GazeError, match=r"^m\.png: The mask is 6 x 4 px, the image 4 x 6 px\. Bring"):
        check_size(np.zeros((4, 6), np.uint8), 6, 4, "m.png")
