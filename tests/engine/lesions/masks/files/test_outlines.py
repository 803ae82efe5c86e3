"""Outlines run along the edges of pixels and give back what they were traced from."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import label

from gazeapp.engine.lesions.masks.files.checks import filled
from gazeapp.engine.lesions.masks.files.outlines import rings

few = settings(max_examples=60, deadline=None)

MASKS = st.tuples(st.integers(1, 8), st.integers(1, 8)).flatmap(lambda size: arrays(np.bool_, size))
CORNERS_TOO = np.ones((3, 3))


def drawn(*rows: str) -> np.ndarray:
    return np.array([[letter == "#" for letter in row] for row in rows])


def test_a_square_has_four_corners():
    (ring,) = rings(drawn("....", ".##.", ".##.", "...."))
    assert ring.points.tolist() == [[1, 1], [3, 1], [3, 3], [1, 3]]
    assert not ring.is_hole


def test_an_empty_mask_has_no_outline():
    assert rings(drawn("...", "...")) == []


def test_a_ring_has_a_hole():
    outer, inner = rings(drawn("###", "#.#", "###"))
    assert (outer.is_hole, inner.is_hole) == (False, True)
    assert inner.points.tolist() == [[1, 1], [2, 1], [2, 2], [1, 2]]


@pytest.mark.parametrize("rows", [("#.", ".#"), (".#", "#.")])
def test_pixels_that_meet_at_a_corner_are_two_regions(rows: tuple[str, ...]):
    found = rings(drawn(*rows))
    assert [len(ring.points) for ring in found] == [4, 4]
    assert not any(ring.is_hole for ring in found)


@pytest.mark.parametrize("rows", [("###", "#.#", "##."), ("##.", "#.#", "###"), (".##", "#.#", "###")])
def test_what_is_open_at_a_corner_is_no_hole(rows: tuple[str, ...]):
    (ring,) = rings(drawn(*rows))
    assert not ring.is_hole


@few
@given(MASKS)
def test_there_is_one_outline_for_each_region_and_each_hole(inside):
    """Regions are joined by sides, what is outside by corners too, counted by another library."""
    found = rings(inside)
    holes = label(~np.pad(inside, 1), CORNERS_TOO)[1] - 1
    assert sum(ring.is_hole for ring in found) == holes
    assert len(found) - holes == label(inside)[1]


@few
@given(MASKS)
def test_filling_the_outlines_gives_the_mask_again(inside):
    parity = np.zeros(inside.shape, np.uint8)
    for ring in rings(inside):
        parity ^= filled(ring.points.astype(float), *inside.shape, "")
    np.testing.assert_array_equal(parity, inside * np.uint8(255))


@few
@given(MASKS)
def test_regions_without_holes_are_filled_one_by_one(inside):
    """What labelme files rely on: the union of the outlines is the mask."""
    found = rings(inside)
    if any(ring.is_hole for ring in found):
        return
    union = np.zeros(inside.shape, np.uint8)
    for ring in found:
        union |= filled(ring.points.astype(float), *inside.shape, "")
    np.testing.assert_array_equal(union, inside * np.uint8(255))


@few
@given(MASKS)
def test_sides_run_across_and_down_in_turn_and_are_as_long_as_the_edge_of_the_mask(inside):
    padded = np.pad(inside, 1)
    edge = (padded[1:] != padded[:-1]).sum() + (padded[:, 1:] != padded[:, :-1]).sum()
    total = 0
    for ring in rings(inside):
        steps = np.roll(ring.points, -1, axis=0) - ring.points
        assert (steps[0::2, 1] == 0).all()
        assert (steps[1::2, 0] == 0).all()
        total += np.abs(steps).sum()
    assert total == edge
