from __future__ import annotations

import numpy as np
import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.vlm.layout import DETAIL, OVERVIEW, WHOLE_IMAGE, Layout, View
from gazeapp.engine.types import Rect

FINE = 8
"""Drawn edges lie on eighths of a pixel, so that drawing on eighths is exact."""


def _grid(rows: int, columns: int, first: int = 0) -> np.ndarray:
    return np.arange(first, first + rows * columns).reshape(rows, columns)


def _one(rows: int, columns: int, rect: Rect, width: int, height: int) -> Layout:
    return Layout((View.regular(WHOLE_IMAGE, _grid(rows, columns), rect),), width, height)


def _random_layout(seed: int) -> Layout:
    """Return two views with uneven edges on eighths of a pixel, in part outside of the image, one with gaps."""
    rng = np.random.default_rng(seed)
    width, height = (int(n) for n in rng.integers(6, 12, 2))
    views, first = [], 0
    for name, rows, columns in ((OVERVIEW, 2, 3), (DETAIL, 4, 3)):
        row_edges = (
            np.sort(rng.choice(np.arange(-2 * FINE, (height + 2) * FINE), rows + 1, replace=False)) / FINE
        )
        column_edges = (
            np.sort(rng.choice(np.arange(-2 * FINE, (width + 2) * FINE), columns + 1, replace=False)) / FINE
        )
        views.append(View(name, _grid(rows, columns, first), row_edges, column_edges))
        first += rows * columns
    views[1].columns[rng.integers(0, 4), rng.integers(0, 3)] = -1
    return Layout(tuple(views), width, height)


def _drawn(layout: Layout) -> np.ndarray:
    """Draw each token on the image in eighths of a pixel, shape (n_tokens, height * 8, width * 8), 0 or 1."""
    y = (np.arange(layout.height * FINE) + 0.5) / FINE
    x = (np.arange(layout.width * FINE) + 0.5) / FINE
    tokens = []
    for view in layout.views:
        for (row, column), key in np.ndenumerate(view.columns):
            if key >= 0:
                down = (y > view.row_edges[row]) & (y < view.row_edges[row + 1])
                across = (x > view.column_edges[column]) & (x < view.column_edges[column + 1])
                tokens.append(np.outer(down, across))
    return np.array(tokens, float)


def _binned(drawn: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Return what each cell of a coarser grid holds; cell borders may cut eighths, which are shared out."""
    parts = []
    for size, cells in zip(drawn.shape[-2:], (rows, columns), strict=True):
        edges = np.arange(cells + 1) * size / cells
        pixel = np.arange(size)
        parts.append(
            np.clip(np.minimum(edges[1:, None], pixel + 1) - np.maximum(edges[:-1, None], pixel), 0, None)
        )
    return parts[0] @ drawn @ parts[1].T


def test_a_regular_view_fills_its_rectangle() -> None:
    view = View.regular(WHOLE_IMAGE, _grid(2, 4), Rect(10, -5, 20, 8))
    np.testing.assert_array_equal(view.row_edges, [-5, -1, 3])
    np.testing.assert_array_equal(view.column_edges, [10, 15, 20, 25, 30])


@pytest.mark.parametrize("rows", [[0.0, 1.0], [0.0, 1.0, 1.0], [2.0, 1.0, 3.0]])
def test_edges_that_make_no_grid_are_refused(rows: list[float]) -> None:
    with pytest.raises(ValueError, match="edge"):
        View(WHOLE_IMAGE, _grid(2, 2), np.array(rows), np.array([0.0, 1.0, 2.0]))


def test_tokens_are_listed_view_by_view_without_the_gaps() -> None:
    overview = View.regular(OVERVIEW, np.array([[7, 8], [9, -1]]), Rect.of_image(8, 8))
    left = View.regular(DETAIL, np.array([[20], [-1]]), Rect(0, 0, 4, 8))
    right = View.regular(DETAIL, np.array([[-1], [3]]), Rect(4, 0, 4, 8))
    layout = Layout((overview, left, right), 8, 8)
    assert layout.columns.tolist() == [7, 8, 9, 20, 3]
    assert layout.view_names == (OVERVIEW, DETAIL)


def test_coverage_is_the_share_of_each_token_under_the_mask() -> None:
    layout = _one(2, 2, Rect.of_image(8, 4), 8, 4)  # tokens of 4 x 2 px
    mask = np.zeros((4, 8), np.float32)
    mask[:, :3] = 1.0
    mask[3, 4:] = 0.5
    np.testing.assert_array_equal(layout.coverage(mask), np.float32([0.75, 0.0, 0.75, 0.25]))


def test_coverage_counts_what_lies_on_the_image_alone() -> None:
    """Three rows of 4 px on an image of 6 px: one outside, one half outside, one inside."""
    layout = _one(3, 1, Rect(0, -6, 4, 12), 4, 6)
    mask = np.zeros((6, 4), np.float32)
    mask[:1] = 1.0
    np.testing.assert_array_equal(layout.coverage(mask), np.float32([0.0, 0.5, 0.0]))
    np.testing.assert_array_equal(layout.coverage(np.ones((6, 4), np.float32)), np.float32([0.0, 1.0, 1.0]))


@pytest.mark.parametrize(("width", "height", "n"), [(7, 5, 3), (640, 480, 27), (101, 97, 24)])
def test_a_mask_of_the_whole_image_takes_exactly_every_token(width: int, height: int, n: int) -> None:
    layout = _one(n, n, Rect.of_image(width, height), width, height)
    assert (layout.coverage(np.ones((height, width), np.float32)) == 1.0).all()
    assert (layout.coverage(np.zeros((height, width), np.float32)) == 0.0).all()


@pytest.mark.parametrize("seed", range(8))
def test_coverage_equals_a_drawing_in_eighths_of_a_pixel(seed: int) -> None:
    layout = _random_layout(seed)
    mask = np.random.default_rng(seed).random((layout.height, layout.width), np.float32)
    drawn = _drawn(layout)
    fine = np.kron(mask, np.ones((FINE, FINE)))
    area = drawn.sum(axis=(1, 2))
    expected = (drawn * fine).sum(axis=(1, 2)) / np.maximum(area, 1)
    np.testing.assert_allclose(layout.coverage(mask), expected, atol=1e-6)


def test_a_mask_of_another_size_is_refused() -> None:
    with pytest.raises(GazeError, match="The mask is 8 x 4 px, the image 4 x 8 px"):
        _one(2, 2, Rect.of_image(4, 8), 4, 8).coverage(np.zeros((4, 8), np.float32))


@pytest.mark.parametrize("rect", [Rect.of_image(60, 40), Rect(10, 5, 30, 20)])
def test_a_view_of_equal_tokens_inside_of_the_image_keeps_its_grid(rect: Rect) -> None:
    layout = _one(3, 5, rect, 60, 40)
    mass = np.random.default_rng(0).random((2, 4, 15), np.float32)
    maps, covered = layout.to_maps(mass)
    assert covered == rect
    assert maps.dtype == np.float32
    np.testing.assert_array_equal(maps, mass.reshape(2, 4, 3, 5))
    np.testing.assert_array_equal(layout.to_maps(mass, WHOLE_IMAGE)[0], maps)


def test_mass_on_padding_is_left_out() -> None:
    """A square of 4 x 4 tokens over an image half as high: the first and the last row see padding alone."""
    layout = _one(4, 4, Rect(0, -10, 40, 40), 40, 20)
    maps, rect = layout.to_maps(np.arange(16, dtype=np.float32))
    assert rect == Rect.of_image(40, 20)
    np.testing.assert_allclose(maps, [[4, 5, 6, 7], [8, 9, 10, 11]])


def test_a_token_that_is_half_padding_gives_all_its_mass_to_the_rest() -> None:
    """Tokens of 10 px on an image of 30 px, the first and the last half outside; cells of 10 px."""
    layout = _one(1, 4, Rect(-5, 0, 40, 10), 30, 10)
    maps, _ = layout.to_maps(np.float32([4.0, 1.0, 0.0, 0.0]))
    np.testing.assert_allclose(maps, [[4.5, 0.5, 0.0]])


@pytest.mark.parametrize("size", [123, 490, 505, 960])
def test_padding_that_ends_at_the_image_s_edge_stays_left_out_at_every_size(size: int) -> None:
    """Rounding of a scaled edge must not let a padded token touch the image by a hair and pour its mass in."""
    layout = _one(24, 24, Rect(0, -80, 640, 640), 640, 480).scaled_to(size * 4 // 3, size)
    mass = np.zeros((24, 24), np.float32)
    mass[:3] = mass[21:] = 1.0
    maps, _ = layout.to_maps(mass.ravel())
    assert maps.max() == 0.0
    covered = layout.coverage(np.ones((layout.height, layout.width), np.float32)).reshape(24, 24)
    assert (covered[:3] == 0.0).all()
    assert (covered[21:] == 0.0).all()
    assert (covered[3:21] == 1.0).all()


def test_views_over_the_same_place_are_added_by_mass() -> None:
    overview = View.regular(OVERVIEW, _grid(2, 2), Rect.of_image(8, 8))
    detail = View.regular(DETAIL, _grid(4, 4, 4), Rect.of_image(8, 8))
    layout = Layout((overview, detail), 8, 8)
    mass = np.random.default_rng(1).random(20, np.float32)
    maps, rect = layout.to_maps(mass)
    assert rect == Rect.of_image(8, 8)
    coarse = np.kron(mass[:4].reshape(2, 2) / 4, np.ones((2, 2)))
    np.testing.assert_allclose(maps, coarse + mass[4:].reshape(4, 4), rtol=1e-6)
    np.testing.assert_array_equal(layout.to_maps(mass, OVERVIEW)[0], mass[:4].reshape(2, 2))
    np.testing.assert_array_equal(layout.to_maps(mass, DETAIL)[0], mass[4:].reshape(4, 4))


def test_crops_of_one_name_are_shown_together_and_overlaps_added() -> None:
    """Two crops of 6 px on an image of 10 px, tokens of 2 px: the middle token belongs to both."""
    left = View.regular(DETAIL, _grid(1, 3), Rect(0, 0, 6, 2))
    right = View.regular(DETAIL, _grid(1, 3, 3), Rect(4, 0, 6, 2))
    maps, rect = Layout((left, right), 10, 2).to_maps(np.float32([1, 2, 4, 8, 16, 32]), DETAIL)
    assert rect == Rect.of_image(10, 2)
    np.testing.assert_allclose(maps, [[1, 2, 4 + 8, 16, 32]])


def test_tokens_that_are_not_there_get_nothing() -> None:
    view = View.regular(WHOLE_IMAGE, np.array([[3, -1], [-1, 5]]), Rect.of_image(4, 4))
    maps, rect = Layout((view,), 4, 4).to_maps(np.float32([1, 2]))
    assert rect == Rect.of_image(4, 4)
    np.testing.assert_allclose(maps, [[1, 0], [0, 2]])


@pytest.mark.parametrize("view", ["", OVERVIEW, DETAIL])
@pytest.mark.parametrize("seed", range(8))
def test_maps_equal_a_drawing_in_eighths_of_a_pixel(seed: int, view: str) -> None:
    layout = _random_layout(seed)
    mass = np.random.default_rng(seed).random((2, layout.columns.size), np.float32)
    maps, rect = layout.to_maps(mass, view)
    assert rect == Rect.of_image(layout.width, layout.height)
    drawn = _drawn(layout)
    area = drawn.sum(axis=(1, 2))
    shown = np.concatenate(
        [np.full((v.columns >= 0).sum(), not view or v.name == view) for v in layout.views]
    ) & (area > 0)
    weights = mass * shown / np.maximum(area, 1)
    expected = _binned(np.tensordot(weights, drawn, axes=1), *maps.shape[1:])
    np.testing.assert_allclose(maps, expected, atol=2e-6)
    np.testing.assert_allclose(maps.sum(axis=(1, 2)), (mass * shown).sum(axis=1), rtol=1e-5)


def test_the_common_grid_is_as_fine_as_the_finest_view_up_to_a_limit() -> None:
    overview = View.regular(OVERVIEW, _grid(2, 2), Rect.of_image(2000, 1000))
    for n, shape in ((10, (10, 10)), (100, (64, 100)), (400, (64, 128))):
        detail = View.regular(DETAIL, _grid(n, n, 4), Rect.of_image(2000, 1000))
        maps, _ = Layout((overview, detail), 2000, 1000).to_maps(np.ones(4 + n * n, np.float32))
        assert maps.shape == shape
        assert maps.sum(dtype=np.float64) == pytest.approx(4 + n * n, rel=1e-5)


def test_a_scaled_layout_makes_the_same_maps_and_takes_the_same_tokens() -> None:
    layout = _random_layout(3)
    scaled = layout.scaled_to(layout.width * 3, layout.height * 5)
    assert (scaled.columns == layout.columns).all()
    mass = np.random.default_rng(3).random(layout.columns.size, np.float32)
    maps, _ = layout.to_maps(mass)
    again, rect = scaled.to_maps(mass)
    assert rect == Rect.of_image(layout.width * 3, layout.height * 5)
    np.testing.assert_allclose(again, maps, atol=1e-6)
    mask = np.random.default_rng(4).random((layout.height, layout.width), np.float32)
    np.testing.assert_allclose(
        scaled.coverage(np.kron(mask, np.ones((5, 3), np.float32))), layout.coverage(mask), atol=1e-6
    )


def test_a_view_that_is_not_there_is_named_with_those_that_are() -> None:
    layout = _one(2, 2, Rect.of_image(4, 4), 4, 4)
    with pytest.raises(GazeError, match="no view 'detail'") as caught:
        layout.to_maps(np.zeros(4, np.float32), DETAIL)
    assert "image" in str(caught.value.todo)


def test_masses_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="3 masses do not fit 4 tokens"):
        _one(2, 2, Rect.of_image(4, 4), 4, 4).to_maps(np.zeros(3, np.float32))
