"""Textures: where a peak lands, what the unit means, and how colours follow values."""

from __future__ import annotations

import numpy as np
import pytest

from gazeapp.engine.types import Rect
from gazeapp.ui.canvas.colourbar import ticks
from gazeapp.ui.canvas.heat import (
    Scale,
    density_layer,
    difference_layer,
    relative_density,
    texture_shape,
)


def planted(rows: int, columns: int, row: int, column: int) -> np.ndarray:
    values = np.full((rows, columns), 1e-4, np.float32)
    values[row, column] = 1.0
    return values / values.sum()


@pytest.mark.parametrize(("width", "height"), [(640, 480), (300, 900), (1000, 250)])
@pytest.mark.parametrize(("row", "column"), [(0, 0), (1, 4), (3, 5), (2, 0)])
def test_a_peak_lands_at_the_centre_of_its_cell(width: int, height: int, row: int, column: int) -> None:
    texture = relative_density(planted(4, 6, row, column), Rect.of_image(width, height), width, height)
    rows, columns = texture.shape
    top = texture >= texture.max() * 0.999
    down, across = (np.argwhere(top).mean(axis=0) + 0.5) / (rows, columns)
    # At the border the outermost half cell is flat, so the top is the mean of that half and the centre.
    expected = [_plateau(row, 4), _plateau(column, 6)]
    assert down == pytest.approx(expected[0], abs=1.5 / rows)
    assert across == pytest.approx(expected[1], abs=1.5 / columns)


def _plateau(cell: int, cells: int) -> float:
    low = 0.0 if cell == 0 else (cell + 0.5) / cells
    high = 1.0 if cell == cells - 1 else (cell + 0.5) / cells
    return (low + high) / 2


def test_a_map_over_part_of_the_image_stays_in_its_rectangle() -> None:
    rect = Rect(100, 50, 200, 100)
    texture = relative_density(np.full((5, 5), 1 / 25, np.float32), rect, 400, 200)
    rows, columns = texture.shape
    down, across = (np.arange(rows) + 0.5) / rows * 200, (np.arange(columns) + 0.5) / columns * 400
    inside = np.outer((down >= 50) & (down < 150), (across >= 100) & (across < 300))
    assert np.all(texture[~inside] == 0)
    # A quarter of the image holds everything, so it is four times as dense as an even spread.
    assert texture[inside] == pytest.approx(4.0, rel=1e-5)


@pytest.mark.parametrize("shape", [(3, 7), (14, 14), (96, 128)])
def test_uniform_is_one_on_every_grid(shape: tuple[int, int]) -> None:
    texture = relative_density(np.full(shape, 1 / np.prod(shape), np.float32), Rect.of_image(50, 30), 50, 30)
    assert texture == pytest.approx(1.0, rel=1e-5)
    assert texture.shape == texture_shape(50, 30)


def test_a_map_of_zeros_is_zero() -> None:
    layer = density_layer(np.zeros((4, 4), np.float32), Rect.of_image(40, 40), 40, 40)
    assert layer.indices.max() == 0
    assert layer.value_at(0.5, 0.5) == 0


def test_density_scale_is_logarithmic_from_uniform() -> None:
    scale = Scale(16.0)
    assert scale.place(np.array([1.0, 2.0, 4.0, 16.0])) == pytest.approx([0.0, 0.25, 0.5, 1.0])
    values = np.linspace(1.0, 16.0, 9)
    assert scale.value(scale.place(values)) == pytest.approx(values)
    assert scale.place(0.2) < 0


def test_difference_scale_is_symmetric() -> None:
    scale = Scale(8.0, signed=True)
    assert scale.place(np.array([-8.0, 0.0, 8.0])) == pytest.approx([0.0, 0.5, 1.0])
    values = np.array([-7.0, -0.3, 0.0, 0.3, 7.0])
    assert scale.value(scale.place(values)) == pytest.approx(values)
    assert scale.place(values) + scale.place(-values) == pytest.approx(1.0)


def test_the_same_value_has_the_same_colour_on_a_shared_scale() -> None:
    rect = Rect.of_image(60, 40)
    table = np.stack([np.arange(256)] * 4, axis=1).astype(np.uint8)
    shared = Scale(24.0)
    for row, column in ((1, 1), (3, 4)):
        layer = density_layer(planted(4, 6, row, column), rect, 60, 40)
        colours = layer.table_for(table, shared)[layer.indices][..., 0]
        expected = np.clip(shared.place(layer.texture), 0, 1) * 255
        # Two roundings to 256 steps, of which a layer's own may be coarser than the shared one.
        assert np.abs(colours - expected).max() <= 2


def test_a_difference_of_equal_maps_is_zero_and_swapping_changes_the_sign() -> None:
    rect = Rect.of_image(60, 40)
    one, other = planted(4, 6, 1, 1), planted(4, 6, 2, 4)
    same = difference_layer((one, rect), (one, rect), 60, 40)
    assert not same.texture.any()
    forth = difference_layer((one, rect), (other, rect), 60, 40)
    back = difference_layer((other, rect), (one, rect), 60, 40)
    assert forth.texture == pytest.approx(-back.texture)
    assert forth.value_at(1.5 / 6, 1.5 / 4) > 0 > forth.value_at(4.5 / 6, 2.5 / 4)


def test_value_and_percentile_at_a_place() -> None:
    values = np.array([[1.0, 3.0]], np.float32) / 4.0
    layer = density_layer(values, Rect.of_image(200, 100), 200, 100)
    assert layer.value_at(0.1, 0.5) == pytest.approx(0.5)
    assert layer.value_at(0.95, 0.5) == pytest.approx(1.5)
    assert layer.value_at(0.5, 0.5) == pytest.approx(1.0, abs=0.01)
    assert layer.percentile_at(0.5, 0.5) == pytest.approx(50, abs=1)
    # A quarter of the width is flat on either side.
    assert layer.percentile_at(0.95, 0.5) == pytest.approx(87.5, abs=1)


def test_ticks_are_doublings_within_the_scale() -> None:
    assert ticks(Scale(18.0), 20) == [1, 2, 4, 8, 16]
    assert ticks(Scale(18.0), 2) == [1, 8]
    signed = ticks(Scale(9.0, signed=True), 40)
    assert signed == sorted(signed)
    assert 0 in signed
    assert [-value for value in reversed(signed)] == signed
