"""Where cells of the gallery lie, which is at a place, and where arrow keys lead."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPointF, QRectF, Qt

from gazeapp.ui.panels.words_grid import CellGrid, CellSizes, number_grid

NAMES = (30.0, 16.0)


def grids() -> list[CellGrid]:
    return [
        CellSizes(4 / 3).grid(28, 29, NAMES, 500.0),
        CellSizes(0.6, 64.0).grid(8, 17, NAMES, 2000.0),
        CellSizes(1.5).grid(32, 1, NAMES, 600.0),
        number_grid(28, 29, NAMES, 700.0),
    ]


@pytest.mark.parametrize("grid", grids())
def test_cells_lie_apart_and_are_found_at_their_middle(grid) -> None:
    cells = [(row, column) for row in range(grid.rows) for column in range(grid.columns)]
    boxes = [grid.rect(cell) for cell in cells]
    assert {grid.cell_at(box.center()) for box in boxes} == set(cells)
    assert max(box.right() for box in boxes) <= grid.left + grid.width
    assert max(box.bottom() for box in boxes) <= grid.top + grid.height
    for first, second in ((0, 1), (0, len(cells) - 1)):
        assert not boxes[first].intersects(boxes[second])
    assert grid.cell_at(QPointF(-5, -5)) is None


@pytest.mark.parametrize("grid", grids())
def test_only_cells_in_sight_are_drawn(grid) -> None:
    area = QRectF(grid.left + 40, grid.top + 30, 300, 120)
    cells = [(row, column) for row in range(grid.rows) for column in range(grid.columns)]
    assert grid.within(area) == [cell for cell in cells if grid.rect(cell).intersects(area)]
    assert 0 < len(grid.within(area)) < len(cells)


def test_maps_have_the_shape_of_the_image_and_fit_the_room_while_they_can() -> None:
    wide = CellSizes(2.0).grid(4, 5, NAMES, 400.0)
    assert wide.wide == 2 * wide.high
    assert wide.left + wide.width <= 400.0
    crowded = CellSizes(2.0).grid(28, 29, NAMES, 400.0)
    assert crowded.wide == 40.0
    tall = CellSizes(0.5).grid(4, 5, NAMES, 400.0)
    assert tall.high == pytest.approx(2 * tall.wide, abs=1)


def test_one_map_a_layer_goes_along_lines() -> None:
    grid = CellSizes(1.0).grid(10, 1, NAMES, 4 * 84 + 10.0)
    assert grid.per_line == 4
    assert grid.rect((4, 0)).topLeft() == QPointF(grid.left, grid.top + grid.high + 4)
    assert grid.stepped((1, 0), Qt.Key.Key_Down) == (5, 0)
    assert grid.stepped((3, 0), Qt.Key.Key_Right) == (4, 0)
    assert grid.stepped((8, 0), Qt.Key.Key_Down) == (9, 0)
    assert grid.stepped((5, 0), Qt.Key.Key_Home) == (0, 0)


@pytest.mark.parametrize(("layers", "wide", "per_line"), [(2, 112.0, 3), (4, 96.0, 4), (10, 80.0, 4)])
def test_a_few_layers_take_the_room_of_a_line(layers, wide, per_line) -> None:
    grid = CellSizes(1.0).grid(layers, 1, NAMES, 4 * 100 + 4.0)
    assert (grid.wide, grid.per_line) == (wide, per_line)


def test_arrow_keys_move_and_stop_at_the_ends() -> None:
    grid = CellSizes(1.0).grid(3, 4, NAMES, 400.0)
    keys = Qt.Key
    assert grid.stepped(None, keys.Key_Right) == (0, 0)
    assert grid.stepped((0, 0), keys.Key_Right) == (0, 1)
    assert grid.stepped((0, 0), keys.Key_Left) == (0, 0)
    assert grid.stepped((2, 3), keys.Key_Down) == (2, 3)
    assert grid.stepped((2, 3), keys.Key_Up) == (1, 3)
    assert grid.stepped((1, 1), keys.Key_End) == (1, 3)
    assert grid.stepped((1, 1), keys.Key_A) is None
    assert grid.stepped((7, 9), keys.Key_Down) == (0, 0)
    assert CellGrid().stepped(None, keys.Key_Down) is None


def test_sizes_go_up_and_down_by_steps_and_stop() -> None:
    sizes = CellSizes(1.0)
    grid = sizes.grid(3, 20, NAMES, 400.0)
    larger = sizes.stepped(grid, 1)
    assert larger.grid(3, 20, NAMES, 400.0).wide > grid.wide
    least = CellSizes(1.0, 32.0)
    assert least.stepped(least.grid(3, 20, NAMES, 400.0), -1).side == 32.0
