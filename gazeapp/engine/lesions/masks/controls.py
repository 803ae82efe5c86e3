"""Masks that a lesion is compared with: mirrored, elsewhere with equal area, elsewhere with equal attention."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.coverage import cover, overlaps
from gazeapp.engine.lesions.masks.placing import FULL, mirror
from gazeapp.engine.types import BoolArray, DoubleArray, FloatArray, IntArray, MaskArray, Rect

_DRAWS = 64
"""Places that are tried for an area-matched mask. For a mask of half the image every second one will do."""


def mirrored(values: MaskArray) -> MaskArray:
    """Return the mask with left and right exchanged: the same region on the other side of the image."""
    return mirror(values)


def random_matched(values: MaskArray, seed: int) -> MaskArray:
    """Return the same mask at a random other place of the image.

    The mask is turned over at random (left and right, top and bottom, each with probability 1/2) and shifted by
    a random number of pixels across and down, uniformly over the image. What is shifted out at one border comes in at
    the opposite one, so that a shape may be cut at the borders; how many pixels there are of each value never changes,
    and with them neither the area nor the grading.

    A place is taken when it overlaps the mask by no more than chance: sum(m c) <= sum(m)^2 / n, where m are the
    values of the mask, c those of the control and n the number of pixels. The right side is the mean of the
    left over all shifts, so that there are always such places: a small blob hardly touches itself, a half
    shares at most half of itself with its control, and of a mask of 80 % of the image at most 80 % stay where they
    were. Of 64 random places the first such is taken; in the unlikely case that there is none, the one with the least
    overlap.

    Parameters
    ----------
    values
        The mask, shape (height, width), 0 to 255.
    seed
        The same seed gives the same control.

    Returns
    -------
    numpy.ndarray
        Shape (height, width), uint8. A mask with one value everywhere, such as an empty or a full one, is returned
        as it is: it has no other place.
    """
    if values.min() == values.max():
        return values.copy()
    height, width = values.shape
    own = values.ravel().astype(np.float64)
    rng = np.random.default_rng(seed)
    best: tuple[int, MaskArray] | None = None
    for _ in range(_DRAWS):
        step = (2 * rng.integers(0, 2, 2) - 1).tolist()
        down, across = int(rng.integers(height)), int(rng.integers(width))
        placed = np.roll(values[:: step[0], :: step[1]], (down, across), axis=(0, 1))
        # Products of whole numbers: exact in float64 up to 10^11 pixels.
        shared = int(own @ placed.ravel().astype(np.float64))
        if best is None or shared < best[0]:
            best = shared, placed
        if shared * values.size <= int(own.sum()) ** 2:
            return placed
    assert best is not None
    return best[1]


def equal_mass(values: ArrayLike, rect: Rect, mask: MaskArray, seed: int) -> MaskArray | None:
    """Return a mask elsewhere that holds the same mass of an attention map as a mask does.

    From a random cell that the mask does not touch a region is grown: at each step one of the cells that
    adjoin it (above, below, left or right) is added at random, as long as the mask leaves it untouched. The last cell
    is graded, so that the masses agree to half of 1/255 of that cell's mass. A pixel belongs to the cell that its
    centre lies in. The region is in one piece where any piece of what the mask leaves untouched holds enough mass; else
    it goes on in another piece.

    Parameters
    ----------
    values
        Attention map of the intact run, shape (rows, columns), at least 0.
    rect
        Part of the image that the map covers, px.
    mask
        Shape (height, width), 0 to 255.
    seed
        The same seed gives the same control.

    Returns
    -------
    numpy.ndarray or None
        Shape (height, width), uint8; it shares no pixel with the mask. Empty where the mask holds no mass. None when
        all cells that the mask does not touch hold less than the mask.

    Raises
    ------
    GazeError
        When the map is not one of finite numbers of at least 0.
    """
    grid = _checked(values)
    if grid.min() < 0:
        raise GazeError("The map holds negative values: there is no mass to be matched.")
    (rows, columns), (height, width) = grid.shape, mask.shape
    covered = coverage(mask, rows, columns, rect)
    target = float((grid * covered).sum())
    row_of = _cell_of_pixels(_edges(rect.y, rect.height, rows), height)
    column_of = _cell_of_pixels(_edges(rect.x, rect.width, columns), width)
    of_cells = _mass_of_pixels(grid, rect, row_of, column_of)
    order = _grown(covered == 0, of_cells, target, np.random.default_rng(seed))
    if order is None:
        return None
    painted = np.zeros((rows + 1, columns + 1), np.uint8)
    left = target
    for row, column in order:
        mass = float(of_cells[row, column])
        painted[row, column] = FULL if mass <= left else round(FULL * left / mass)
        left = max(0.0, left - mass)
    # Pixels outside of the map's cells have the index -1, the last row or column, which stays empty.
    return painted[np.ix_(row_of, column_of)]


def coverage(mask: MaskArray | FloatArray, rows: int, columns: int, rect: Rect | None = None) -> DoubleArray:
    """Return how much of each cell of a grid a mask covers, 0 to 1, by the rule that lesions go by (`cover`).

    Parameters
    ----------
    mask
        Shape (height, width): uint8, 0 to 255, or a lesion's float32, 0 to 1.
    rows, columns
        Equal cells of the grid.
    rect
        Part of the image that the grid fills, px; None for the whole.

    Returns
    -------
    numpy.ndarray
        Shape (rows, columns), float64.
    """
    place = rect or Rect.of_image(mask.shape[1], mask.shape[0])
    return cover(mask, _edges(place.y, place.height, rows), _edges(place.x, place.width, columns))


def mass_under(values: ArrayLike, rect: Rect, mask: MaskArray | FloatArray) -> float:
    """Return the share of an attention map's mass that lies under a mask, 0 to 1.

    Parameters
    ----------
    values
        Attention map, shape (rows, columns), at least 0.
    rect
        Part of the image that it covers, px.
    mask
        As for `coverage`. Of a cell that it covers in part, it takes that part of the mass.

    Returns
    -------
    float
        NaN where the map has no mass: it is 0 everywhere, or negative somewhere.

    Raises
    ------
    GazeError
        When the map is not one of finite numbers.
    """
    grid = _checked(values)
    total = float(grid.sum())
    if grid.min() < 0 or total == 0:
        return float("nan")
    rows, columns = grid.shape
    return float((grid * coverage(mask, rows, columns, rect)).sum()) / total


def _checked(values: ArrayLike) -> DoubleArray:
    grid = np.asarray(values, np.float64)
    if grid.ndim != 2 or not grid.size:
        raise GazeError(f"A map needs rows and columns; this one has the shape {grid.shape}.")
    if not np.isfinite(grid).all():
        raise GazeError("The map holds values that are no numbers.")
    return grid


def _edges(start: float, length: float, cells: int) -> DoubleArray:
    edges: DoubleArray = start + length * np.arange(cells + 1) / cells
    return edges


def _cell_of_pixels(edges: DoubleArray, n_pixels: int) -> IntArray:
    """Return the cell that the centre of each pixel lies in, along one axis; -1 outside of all."""
    found = np.searchsorted(edges, np.arange(n_pixels) + 0.5, side="right") - 1
    return np.where(found < len(edges) - 1, found, -1)


def _mass_of_pixels(grid: DoubleArray, rect: Rect, row_of: IntArray, column_of: IntArray) -> DoubleArray:
    """Return the mass that a mask of all pixels of a cell takes, for each cell.

    It differs from the cell's own where pixels lie in several cells: a lesion takes from each by shared area.
    """
    parts = []
    for start, length, of_pixels, cells in (
        (rect.y, rect.height, row_of, grid.shape[0]),
        (rect.x, rect.width, column_of, grid.shape[1]),
    ):
        shared = overlaps(_edges(start, length, cells), np.arange(len(of_pixels) + 1.0))
        of_cells = (of_pixels == np.arange(cells)[:, None]).astype(np.float64)
        whole = shared.sum(axis=1, keepdims=True)
        # Row: the cell whose pixels are masked; column: the cell that loses this share of its extent by it.
        parts.append(of_cells @ np.divide(shared, whole, out=np.zeros_like(shared), where=whole > 0).T)
    mass: DoubleArray = parts[0] @ grid @ parts[1].T
    return mass


def _grown(
    free: BoolArray, mass: DoubleArray, target: float, rng: np.random.Generator
) -> list[tuple[int, int]] | None:
    """Return free cells, in the order in which a region grows, until they hold the target; None if none can."""
    from scipy.ndimage import label

    hair = 1e-9 * target
    pieces = label(free)[0]
    held = np.bincount(pieces.ravel(), weights=mass.ravel())[1:]
    if held.sum() < target - hair:
        return None
    enough = np.concatenate([[False], held >= target - hair])
    starts = enough[pieces] if enough.any() else free
    waiting, left = free.copy(), target
    border: list[tuple[int, int]] = []
    order: list[tuple[int, int]] = []
    while left > 2 * hair:
        if not border:
            places = np.flatnonzero(starts & waiting)
            start = divmod(int(places[rng.integers(len(places))]), free.shape[1])
            border.append(start)
            waiting[start] = False
        at = int(rng.integers(len(border)))
        border[at], border[-1] = border[-1], border[at]
        row, column = border.pop()
        order.append((row, column))
        left -= float(mass[row, column])
        for near in ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)):
            inside = 0 <= near[0] < free.shape[0] and 0 <= near[1] < free.shape[1]
            if inside and waiting[near]:
                waiting[near] = False
                border.append(near)
    return order
