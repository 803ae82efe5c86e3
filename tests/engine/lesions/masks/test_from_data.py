"""Masks from maps have exactly the area, or the mass, that was asked for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.masks.from_data import above, holding, most_fixated, of_box, of_boxes
from gazeapp.engine.types import Rect

few = settings(max_examples=60, deadline=None)

RNG = np.random.default_rng(0)
DISTINCT = RNG.permutation(30 * 40).reshape(30, 40).astype(np.float32)
FEW_VALUES = st.tuples(st.integers(1, 6), st.integers(1, 6)).flatmap(
    lambda size: arrays(np.float32, size, elements=st.sampled_from([0.0, 1.0, 2.0, 3.5]))
)


def in_order(values: np.ndarray) -> list[int]:
    """Return the places of a map's values from the highest down, of equal ones the first first."""
    flat = values.ravel().tolist()
    return sorted(range(len(flat)), key=lambda place: (-flat[place], place))


@pytest.mark.parametrize("share", [0.001, 0.1, 0.25, 0.5, 0.999])
def test_the_most_fixated_share_has_that_area_and_the_highest_values(share: float):
    mask = most_fixated(DISTINCT, share)
    assert set(np.unique(mask)) == {0, 255}
    assert (mask == 255).sum() == round(share * 1200)
    assert DISTINCT[mask == 255].min() > DISTINCT[mask == 0].max()


def test_a_share_of_less_than_a_pixel_is_one_pixel():
    assert np.flatnonzero(most_fixated(DISTINCT, 1e-6)).tolist() == [int(DISTINCT.argmax())]


@few
@given(FEW_VALUES, st.floats(0.01, 0.99))
def test_of_equal_pixels_the_first_are_taken(values, share):
    n_pixels = max(1, int(share * values.size + 0.5))
    if n_pixels > (values > values.min()).sum():
        with pytest.raises(GazeError, match="stands out"):
            most_fixated(values, share)
    else:
        assert set(np.flatnonzero(most_fixated(values, share))) == set(in_order(values)[:n_pixels])


def test_where_people_looked_at_less_than_the_share_this_is_said():
    density = np.zeros((10, 10))
    density[2:4, 3:6] = 1.0
    assert most_fixated(density, 0.06).sum() == 6 * 255
    with pytest.raises(
        GazeError, match=r"Only 6\.0% of the image stands out in this map, less than the 10\.0%"
    ):
        most_fixated(density, 0.1)


@pytest.mark.parametrize("share", [0.0, -0.1, 1.0, 1.5, float("nan")])
def test_a_share_that_is_no_part_is_refused(share: float):
    with pytest.raises(GazeError, match="no part of an image"):
        most_fixated(DISTINCT, share)


@pytest.mark.parametrize("make", [lambda m: most_fixated(m, 0.1), lambda m: holding(m, 0.1)])
@pytest.mark.parametrize(
    ("density", "what"),
    [
        (np.zeros((0, 3)), "rows and columns"),
        (np.zeros(3), "rows and columns"),
        (np.array([[1.0, np.nan]]), "no numbers"),
        (np.array([[1.0, np.inf]]), "no numbers"),
    ],
)
def test_what_is_no_map_is_refused(make, density: np.ndarray, what: str):
    with pytest.raises(GazeError, match=what):
        make(density)


@few
@given(FEW_VALUES, st.floats(0.01, 1.0))
def test_the_part_that_holds_a_share_of_the_mass_is_the_smallest(values, share):
    if not values.any():
        with pytest.raises(GazeError, match="0 everywhere"):
            holding(values, share)
        return
    chosen = set(np.flatnonzero(holding(values, share)))
    order = in_order(values)
    assert chosen == set(order[: len(chosen)])
    held = [float(values.ravel()[order[:n]].sum()) for n in (len(chosen), len(chosen) - 1)]
    assert held[0] >= share * values.sum() * (1 - 1e-9)
    assert held[1] < share * values.sum()


def test_the_part_that_holds_all_mass_leaves_zeros_out():
    density = np.array([[0.0, 0.3], [0.2, 0.0]])
    np.testing.assert_array_equal(holding(density, 1.0), [[0, 255], [255, 0]])


def test_mass_of_negative_numbers_is_refused():
    with pytest.raises(GazeError, match="negative"):
        holding(np.array([[1.0, -1.0]]), 0.5)
    with pytest.raises(GazeError, match="no share of a map"):
        holding(np.array([[1.0, 1.0]]), 1.01)


def test_a_map_on_the_pixels_of_its_image_is_taken_as_it_is():
    rect = Rect.of_image(40, 30)
    np.testing.assert_array_equal(above(DISTINCT, rect, 30, 40, 0.3), most_fixated(DISTINCT, 0.3))


def test_the_highest_part_of_a_coarse_map_lies_where_its_peak_is():
    """A ramp from left to right on a grid of 1 x 4: the highest fifth of the image is its right fifth."""
    mask = above([[0.0, 1.0, 2.0, 3.0]], Rect.of_image(80, 20), 20, 80, 0.2)
    expected = np.zeros((20, 80), np.uint8)
    expected[:, 64:] = 255
    np.testing.assert_array_equal(mask, expected)


def test_of_a_map_of_a_part_nothing_outside_of_it_is_taken():
    """Also where its values are below the 0 that lies outside."""
    values = -1.0 - RNG.random((4, 4))
    mask = above(values, Rect(10, 5, 20, 10), 30, 40, 0.1)
    assert (mask == 255).sum() == 120
    assert mask[5:15, 10:30].sum() == mask.sum()


def test_more_than_the_part_that_a_map_covers_is_not_to_be_had():
    with pytest.raises(GazeError, match="stands out"):
        above(RNG.random((4, 4)), Rect(10, 5, 20, 10), 30, 40, 0.2)
    with pytest.raises(GazeError, match=r"Only 0\.0%"):
        above(RNG.random((4, 4)), Rect(100, 5, 20, 10), 30, 40, 0.2)


@few
@given(*[st.floats(-3, 12, width=32) for _ in range(2)], *[st.floats(0.25, 9, width=32) for _ in range(2)])
def test_a_box_takes_the_pixels_whose_centre_it_holds(x, y, width, height):
    rect = Rect(x, y, width, height)
    expected = np.array(
        [
            [x <= column + 0.5 < rect.right and y <= row + 0.5 < rect.bottom for column in range(8)]
            for row in range(6)
        ]
    )
    if not expected.any():
        with pytest.raises(GazeError, match="No pixel of the image, which is 8 x 6 px"):
            of_box(rect, 6, 8)
    else:
        np.testing.assert_array_equal(of_box(rect, 6, 8), expected * np.uint8(255))


def test_boxes_that_adjoin_share_no_pixel_and_leave_none_out():
    left, right = of_box(Rect(0, 0, 2.5, 3), 3, 5), of_box(Rect(2.5, 0, 2.5, 3), 3, 5)
    assert not (left & right).any()
    assert (left | right).all()


def test_boxes_are_taken_together():
    boxes = [Rect(0, 0, 2, 2), Rect(1, 1, 2, 2), Rect(50, 50, 2, 2)]
    expected = np.maximum(of_box(boxes[0], 4, 4), of_box(boxes[1], 4, 4))
    np.testing.assert_array_equal(of_boxes(boxes, 4, 4), expected)
