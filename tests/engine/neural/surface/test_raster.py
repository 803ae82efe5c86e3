"""The rasteriser against a plain loop over pixels and faces, and against areas that are known."""

from __future__ import annotations

import numpy as np
import pytest

from gazeapp.engine.neural.surface import raster as module
from gazeapp.engine.neural.surface.raster import rasterise

# Counter-clockwise as seen with y down means clockwise in these numbers.
SQUARE = np.array([[2.0, 2.0, 0.0], [2.0, 8.0, 0.0], [8.0, 8.0, 0.0], [8.0, 2.0, 0.0]])
TWO = np.array([[0, 1, 2], [0, 2, 3]], dtype=np.int32)


def naive(places, faces, height, width):
    """Return the nearest front face at each pixel centre, its weights, and whether no edge is near, by a loop."""
    ids = np.full((height, width), -1)
    depth = np.full((height, width), -np.inf)
    weights = np.zeros((height, width, 3))
    clear = np.ones((height, width), dtype=bool)
    for number, face in enumerate(faces):
        matrix = np.vstack([places[face, :2].T, np.ones(3)])
        (ax, ay), (bx, by), (cx, cy) = places[face, :2]
        if (bx - ax) * (cy - ay) - (by - ay) * (cx - ax) >= 0:
            continue
        for row in range(height):
            for column in range(width):
                found = np.linalg.solve(matrix, [column + 0.5, row + 0.5, 1.0])
                near = found @ places[face, 2]
                clear[row, column] &= abs(found.min()) > 2e-4
                if found.min() >= 0 and near > depth[row, column]:
                    ids[row, column], depth[row, column], weights[row, column] = number, near, found
    return ids, weights, clear


def random_faces(seed):
    rng = np.random.default_rng(seed)
    places = np.column_stack([rng.uniform(-4, 34, 60), rng.uniform(-4, 28, 60), rng.uniform(-5, 5, 60)])
    return places, rng.integers(0, 60, (40, 3)).astype(np.int32)


@pytest.mark.parametrize("seed", range(4))
def test_the_nearest_front_face_is_seen_at_each_centre(seed):
    places, faces = random_faces(seed)
    faces = faces[[len(set(face)) == 3 for face in faces.tolist()]]
    ids, weights, clear = naive(places, faces, 24, 30)
    drawn = rasterise(places, faces, 24, 30)
    ours = drawn.face_ids()
    inside = (ids >= 0) & clear
    assert inside.sum() > 200
    np.testing.assert_array_equal(ours[inside], ids[inside])
    rows = np.searchsorted(drawn.pixels, np.flatnonzero(inside.ravel()))
    np.testing.assert_allclose(drawn.weights[rows], weights[inside][:, 1:], atol=2e-5)
    # Pixels whose centre is bare are drawn only where the surface covers some of them.
    bare = np.isin(drawn.pixels, np.flatnonzero((ids < 0).ravel()))
    assert (drawn.coverage[bare] > 0).all()


def test_parts_give_what_the_whole_gives(monkeypatch):
    places, faces = random_faces(9)
    whole = rasterise(places, faces, 24, 30)
    monkeypatch.setattr(module, "_AT_ONCE", 50)
    parts = rasterise(places, faces, 24, 30)
    for field in module.RASTER_FIELDS:
        np.testing.assert_array_equal(getattr(whole, field), getattr(parts, field))


def test_a_square_of_two_faces_has_no_gap():
    ids = rasterise(SQUARE, TWO, 10, 10).face_ids()
    expected = np.zeros((10, 10), dtype=bool)
    expected[2:8, 2:8] = True
    np.testing.assert_array_equal(ids >= 0, expected)


def test_faces_seen_from_behind_are_not_drawn():
    assert not len(rasterise(SQUARE, TWO[:, ::-1].copy(), 10, 10).pixels)


def test_coverage_of_the_rim_sums_to_the_area():
    angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    rim = np.column_stack([20 + 13.3 * np.cos(angle), 20 - 13.3 * np.sin(angle), np.zeros(60)])
    places = np.vstack([[20.0, 20.0, 0.0], rim])
    faces = np.array([[0, k + 1, (k + 1) % 60 + 1] for k in range(60)], dtype=np.int32)
    drawn = rasterise(places, faces, 40, 40)
    area = 60 / 2 * 13.3**2 * np.sin(2 * np.pi / 60)
    assert drawn.coverage.sum() / 255 == pytest.approx(area, rel=0.005)
    middle = drawn.pixels == 20 * 40 + 20
    assert drawn.coverage[middle] == 255
    assert 0 < drawn.coverage.min() < 128


def test_the_nearer_of_two_that_cross_is_seen_on_each_side():
    # One rises to the right, one falls: they cross in the middle.
    left = np.array([[0.0, 0.0, 9.0], [0.0, 10.0, 9.0], [10.0, 10.0, -9.0], [10.0, 0.0, -9.0]])
    right = left * [1, 1, -1]
    faces = np.vstack([TWO, TWO + 4]).astype(np.int32)
    ids = rasterise(np.vstack([left, right]), faces, 10, 10).face_ids()
    assert (ids[:, :5] < 2).all()
    assert (ids[:, 5:] >= 2).all()


def test_what_lies_beside_the_picture_is_left_out():
    drawn = rasterise(SQUARE - [100.0, 0.0, 0.0], TWO, 10, 10)
    assert not len(drawn.pixels)
    half = rasterise(SQUARE - [5.0, 0.0, 0.0], TWO, 10, 10)
    assert (half.pixels % 10).max() == 2
