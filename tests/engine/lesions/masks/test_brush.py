"""Brush moves against the distance of every pixel's centre to the line, worked out one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazeapp.engine.lesions.masks.brush import brush_move

HEIGHT, WIDTH = 150, 90


def distances(start, end, height=HEIGHT, width=WIDTH):
    """Distance of each pixel's centre to the nearest point of a line, px."""
    centres = np.stack(np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5), axis=-1)
    start, end = np.array(start, dtype=float), np.array(end, dtype=float)
    way = end - start
    length2 = (way**2).sum()
    share = np.clip(((centres - start) @ way) / length2, 0, 1) if length2 else np.zeros((height, width))
    return np.linalg.norm(centres - (start + share[..., None] * way), axis=-1)


def covered(start, end, radius, softness, height=HEIGHT, width=WIDTH):
    mask = np.zeros((height, width), dtype=np.uint8)
    times = np.zeros((height, width), dtype=int)
    for box, cover in brush_move(start, end, radius, softness, height, width):
        mask[box.slices] = cover
        times[box.slices] += 1
    assert times.max(initial=0) <= 1, "bands overlap"
    return mask


MOVES = [
    ((40.3, 60.7), (40.3, 60.7), 12.0),
    ((20.1, 10.2), (71.4, 133.3), 9.5),
    ((71.4, 20.0), (13.2, 140.9), 3.0),
    ((5.0, 30.0), (80.0, 30.0), 6.2),
    ((44.0, 8.0), (44.0, 141.0), 6.2),
    ((-30.0, -20.0), (120.0, 170.0), 15.0),
    ((-500.0, 70.0), (-40.0, 75.0), 60.0),
    ((45.0, 75.0), (45.2, 75.1), 300.0),
    ((3.0, 3.0), (86.0, 7.0), 0.7072),
]


@pytest.mark.parametrize(("start", "end", "radius"), MOVES)
def test_a_hard_brush_takes_the_centres_within_its_radius(start, end, radius):
    distance = distances(start, end)
    sure = np.abs(distance - radius) > 1e-9
    np.testing.assert_array_equal((covered(start, end, radius, 0.0) == 255)[sure], (distance <= radius)[sure])
    assert set(np.unique(covered(start, end, radius, 0.0))) <= {0, 255}


@pytest.mark.parametrize("softness", [0.25, 1.0])
@pytest.mark.parametrize(("start", "end", "radius"), MOVES)
def test_a_soft_brush_fades_linearly_over_its_share_of_the_radius(start, end, radius, softness):
    expected = 255 * np.clip((radius - distances(start, end)) / (radius * softness), 0, 1)
    difference = covered(start, end, radius, softness).astype(float) - expected
    assert np.abs(difference).max() <= 0.51


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(*[st.floats(-200, 300)] * 2),
    st.tuples(*[st.floats(-200, 300)] * 2),
    st.floats(0.7072, 150),
    st.sampled_from([0.0, 0.6]),
)
def test_any_move_agrees_with_the_distances(start, end, radius, softness):
    distance = distances(start, end)
    mask = covered(start, end, radius, softness)
    if softness:
        assert np.abs(mask - 255 * np.clip((radius - distance) / (radius * softness), 0, 1)).max() <= 0.51
    else:
        sure = np.abs(distance - radius) > 1e-6
        np.testing.assert_array_equal((mask == 255)[sure], (distance <= radius)[sure])


def test_precision_holds_when_the_ends_are_far_away():
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    expected = 255 * np.clip((20.0 - np.abs(rows - columns - 30) / np.sqrt(2)) / 20.0, 0, 1)
    mask = covered((-4e6, -4e6 + 30), (4e6, 4e6 + 30), 20.0, 1.0)
    assert np.abs(mask - expected).max() <= 0.51
