"""Shapes against other rasterisers, brute force and closed forms."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.path import Path as MplPath

from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.masks import shapes
from gazeapp.engine.lesions.masks.box import on_image

HEIGHT, WIDTH = 61, 83


def drawn(shape, *args, height=HEIGHT, width=WIDTH, **kwargs):
    return on_image(shape(*args, height, width, **kwargs), height, width)


def centres(height=HEIGHT, width=WIDTH):
    return np.stack(np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5), axis=-1)


@pytest.mark.parametrize("seed", range(6))
def test_a_polygon_without_crossings_agrees_with_matplotlib(seed):
    rng = np.random.default_rng(seed)
    angle = np.sort(rng.uniform(0, 2 * np.pi, 17))
    reach = rng.uniform(10, 55, 17)
    points = np.stack([41 + reach * np.cos(angle), 30 + reach * np.sin(angle)], axis=1)
    expected = MplPath(points).contains_points(centres().reshape(-1, 2)).reshape(HEIGHT, WIDTH)
    np.testing.assert_array_equal(drawn(shapes.polygon, points) == 255, expected)


def windings(points):
    """How often a polygon goes round each pixel's centre, from the angles under which its edges are seen."""
    angle = np.zeros((HEIGHT, WIDTH))
    for start, end in zip(points, np.roll(points, -1, axis=0), strict=True):
        (ax, ay), (bx, by) = np.moveaxis(start - centres(), -1, 0), np.moveaxis(end - centres(), -1, 0)
        angle += np.arctan2(ax * by - ay * bx, ax * bx + ay * by)
    return np.rint(angle / (2 * np.pi)).astype(int)


def test_where_a_polygon_crosses_itself_the_inner_part_is_outside():
    angle = np.arange(5) * (4 * np.pi / 5)
    star = np.stack([41.3 + 28 * np.sin(angle), 30.2 - 28 * np.cos(angle)], axis=1)
    mask = drawn(shapes.polygon, star)
    assert (abs(windings(star)[30, 41]), mask[30, 41], mask[10, 41]) == (2, 0, 255)
    np.testing.assert_array_equal(mask == 255, windings(star) % 2 == 1)


@pytest.mark.parametrize("seed", range(4))
def test_any_polygon_takes_what_it_goes_round_an_odd_number_of_times(seed):
    points = np.random.default_rng(seed).uniform((-30, -30), (110, 90), (9, 2))
    np.testing.assert_array_equal(drawn(shapes.polygon, points) == 255, windings(points) % 2 == 1)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(-20, 200), min_size=3, max_size=3),
    st.lists(st.integers(-20, 160), min_size=3, max_size=3),
    st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_triangles_that_share_edges_take_every_pixel_once(x, y, inner):
    """A triangle cut into three from a point; corners on half pixels, where centres lie on edges.

    Wherever the point is, a pixel of the triangle lies in an odd number of the three, any other in an even number.
    """
    corners = np.stack([x, y], axis=1) / 2
    a, b = min(inner), max(inner)
    middle = a * corners[0] + (b - a) * corners[1] + (1 - b) * corners[2]
    whole = drawn(shapes.polygon, corners) // 255
    parts = [
        [corners[0], corners[1], middle],
        [corners[1], corners[2], middle],
        [corners[2], corners[0], middle],
    ]
    counted = sum((drawn(shapes.polygon, part) // 255).astype(int) for part in parts)
    np.testing.assert_array_equal(counted % 2, whole)


def test_rectangles_side_by_side_take_every_pixel_once():
    edges_x, edges_y = [0, 10.5, 23.0, 40.4999, 83], [0, 7.5, 30.2, 61]
    counted = np.zeros((HEIGHT, WIDTH), dtype=int)
    for x0, x1 in pairwise(edges_x):
        for y0, y1 in pairwise(edges_y):
            as_rectangle = drawn(shapes.rectangle, x1, y0, x0, y1)
            as_polygon = drawn(shapes.polygon, [(x0, y0), (x1, y0), (x1, y1), (x0, y1)])
            np.testing.assert_array_equal(as_rectangle, as_polygon)
            counted += as_rectangle // 255
    assert (counted == 1).all()


def test_a_rectangle_takes_the_pixels_whose_centre_it_holds():
    mask = drawn(shapes.rectangle, 2.5, 3.6, 6.5, 9.0)
    rows, columns = np.nonzero(mask)
    assert (columns.min(), columns.max(), rows.min(), rows.max()) == (2, 5, 4, 8)
    assert mask.sum() == 255 * 4 * 5


def test_an_ellipse_is_its_inequality_and_its_area():
    x0, y0, x1, y1 = 5.2, 8.1, 77.7, 51.9
    middle, half = np.array([(x0 + x1) / 2, (y0 + y1) / 2]), np.array([(x1 - x0) / 2, (y1 - y0) / 2])
    expected = (((centres() - middle) / half) ** 2).sum(axis=-1) <= 1
    mask = drawn(shapes.ellipse, x1, y1, x0, y0)
    np.testing.assert_array_equal(mask == 255, expected)
    assert mask.sum() / 255 == pytest.approx(np.pi * half.prod(), rel=0.005)


@pytest.mark.parametrize("diameter", [2, 5, 10, 26, 50])
@pytest.mark.parametrize("corner", [3, 3.5])
def test_a_circle_is_symmetric_even_where_its_rim_meets_centres(diameter, corner):
    """A circle of radius 5 about a pixel's centre meets other centres, 3 px across and 4 px down; 13 px likewise."""
    mask = drawn(shapes.ellipse, corner, corner, corner + diameter, corner + diameter)
    if corner == 3.5:
        distance2 = ((centres() - corner - diameter / 2) ** 2).sum(axis=-1)
        np.testing.assert_array_equal(mask == 255, distance2 <= diameter**2 / 4)
    rows, columns = np.nonzero(mask)
    assert (rows.min() + rows.max() + 1, columns.min() + columns.max() + 1) == (2 * corner + diameter,) * 2
    part = mask[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    for other in (part[::-1], part[:, ::-1], part.T):
        np.testing.assert_array_equal(part, other)


@settings(max_examples=80, deadline=None)
@given(
    st.tuples(st.integers(-10, 180), st.integers(-10, 140)),
    st.tuples(st.integers(-4, 4), st.integers(-4, 4)).filter(any),
)
def test_both_sides_of_a_line_take_every_pixel_once(point, normal):
    """Lines through half pixels, of slopes that meet many centres."""
    x, y = point[0] / 2, point[1] / 2
    one = drawn(shapes.half_plane, (x, y), normal)
    other = drawn(shapes.half_plane, (x, y), (-normal[0], -normal[1]))
    np.testing.assert_array_equal(one, 255 - other)
    side = (centres() - (x, y)) @ np.array(normal)
    assert (one[side > 1e-9] == 255).all()
    assert (one[side < -1e-9] == 0).all()


@pytest.mark.parametrize("width", [10, 11])
def test_left_and_right_of_the_middle_share_no_column(width):
    left = drawn(shapes.half_plane, (width / 2, 0), (-1, 0), height=4, width=width)
    right = drawn(shapes.half_plane, (width / 2, 0), (1, 0), height=4, width=width)
    assert (left.sum(), right.sum()) == (255 * 4 * (width // 2), 255 * 4 * ((width + 1) // 2))
    np.testing.assert_array_equal(left + right, np.full((4, width), 255))


@pytest.mark.parametrize("middle", [30.0, 30.5])
def test_above_and_below_a_level_line_share_no_row(middle):
    above = drawn(shapes.half_plane, (0, middle), (0, -3))
    below = drawn(shapes.half_plane, (0, middle), (0, 3))
    assert (above[:30] == 255).all()
    assert not above[30:].any()
    np.testing.assert_array_equal(below, 255 - above)


def test_the_left_of_someone_who_walks_right_is_up():
    mask = drawn(shapes.half_plane, (0, 20), shapes.left_of((0, 20), (50, 20)))
    assert (mask[:20] == 255).all()
    assert not mask[20:].any()


def test_a_gradient_falls_linearly_from_its_first_point_to_its_second():
    mask = drawn(shapes.gradient, (60, 40), (20, 10))
    along = np.array([60, 40]) - np.array([20, 10])
    share = ((centres() - (20, 10)) @ along) / (along @ along)
    assert np.abs(mask - 255 * np.clip(share, 0, 1)).max() <= 0.51
    assert (mask.min(), mask.max()) == (0, 255)


def test_the_soft_edge_of_a_half_plane_is_centred_on_the_line():
    mask = drawn(shapes.half_plane, (40, 0), (-1, 0), soft_px=20)
    expected = 255 * np.clip(0.5 + (40 - (np.arange(WIDTH) + 0.5)) / 20, 0, 1)
    assert np.abs(mask - expected).max() <= 0.51


def distance_to_ring(ring):
    points = centres()
    nearest = np.full(points.shape[:2], np.inf)
    for start, end in zip(ring, np.roll(ring, -1, axis=0), strict=True):
        way = end - start
        share = np.clip(((points - start) @ way) / (way @ way), 0, 1)
        nearest = np.minimum(nearest, np.linalg.norm(points - (start + share[..., None] * way), axis=-1))
    return nearest


@pytest.mark.parametrize(
    "ring",
    [[(20.0, 12.0), (60.0, 12.0), (60.0, 45.0), (20.0, 45.0)], [(-9.0, 5.0), (70.3, 20.1), (31.0, 90.0)]],
)
def test_a_soft_edge_follows_the_distance_to_the_outline(ring):
    ring = np.array(ring)
    inside = MplPath(ring).contains_points(centres().reshape(-1, 2)).reshape(HEIGHT, WIDTH)
    distance = np.where(inside, 1, -1) * distance_to_ring(ring)
    mask = drawn(shapes.polygon, ring, soft_px=14.0)
    assert np.abs(mask - 255 * np.clip(0.5 + distance / 14.0, 0, 1)).max() <= 1.0


def test_a_soft_circle_fades_with_the_distance_from_its_rim():
    mask = drawn(shapes.ellipse, 20, 10, 60, 50, soft_px=10)
    distance = 20 - np.linalg.norm(centres() - (40, 30), axis=-1)
    # A level of 255 / 10 px is 0.04 px; the rim stands for the circle to within 0.02 px.
    assert np.abs(mask - 255 * np.clip(0.5 + distance / 10, 0, 1)).max() <= 1.0 + 0.02 * 25.5


def test_a_soft_rectangle_is_the_soft_polygon_of_its_corners():
    corners = [(10, 8), (50, 8), (50, 40), (10, 40)]
    np.testing.assert_array_equal(
        drawn(shapes.rectangle, 10, 8, 50, 40, soft_px=6), drawn(shapes.polygon, corners, soft_px=6)
    )


@pytest.mark.parametrize(
    ("shape", "args"),
    [
        (shapes.polygon, ([(200, 200), (300, 200), (300, 300)],)),
        (shapes.polygon, ([(3, 3), (9, 9)],)),
        (shapes.polygon, ([],)),
        (shapes.polygon, ([(1.6, 1.6), (1.9, 1.6), (1.9, 1.9)],)),
        (shapes.rectangle, (-20, 0, -1, 30)),
        (shapes.rectangle, (5, 5, 5, 20)),
        (shapes.ellipse, (90, 0, 120, 30)),
        (shapes.ellipse, (5, 5, 5, 20)),
        (shapes.half_plane, ((100, 0), (1, 0))),
        (shapes.gradient, ((400, 0), (300, 0))),
    ],
)
def test_a_shape_that_takes_no_pixel_is_none(shape, args):
    assert shape(*args, HEIGHT, WIDTH) is None


@pytest.mark.parametrize(
    ("shape", "args"),
    [
        (shapes.polygon, ([(0, 0), (np.nan, 3), (5, 5)],)),
        (shapes.polygon, ([1, 2, 3],)),
        (shapes.polygon, ([(0, 0), (1e30, 3), (5, 5)],)),
        (shapes.rectangle, (0, 0, np.inf, 3)),
        (shapes.half_plane, ((1, 1), (0, 0))),
        (shapes.gradient, ((4, 4), (4, 4))),
    ],
)
def test_nonsense_is_a_sentence(shape, args):
    with pytest.raises(GazeError, match=r"\.$"):
        shape(*args, HEIGHT, WIDTH)
