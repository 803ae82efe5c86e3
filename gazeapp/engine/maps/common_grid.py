"""One grid and one blur for all maps, so that what they are like does not depend on how finely they were made."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gazeapp.engine.errors import GazeError
from gazeapp.engine.maps.resample import grid_shape, to_image
from gazeapp.engine.types import DoubleArray, FloatArray, Rect

WHOLE = Rect(0.0, 0.0, 1.0, 1.0)
_REACH = 8.0
"""Standard deviations beyond which a Gaussian is left out."""


@dataclass(frozen=True, slots=True)
class CommonGrid:
    """The grid, blur and floor at which maps of any origin are compared.

    Parameters
    ----------
    long_side
        Square cells along the longer side of the image.
    sigma
        Standard deviation of the Gaussian that a point becomes, as a share of the longer side. A map that
        comes on a grid of its own is already smooth by that grid and is blurred by the rest only.
    floor
        Least density of a cell, in parts of the uniform density.
    """

    long_side: int = 64
    sigma: float = 1 / 16
    floor: float = 1e-3

    def shape(self, width: float, height: float) -> tuple[int, int]:
        """Return the (rows, columns) of the grid on an image whose sides are in this proportion."""
        return grid_shape(width, height, self.long_side)


@dataclass(frozen=True)
class Fixations:
    """Where people looked on one image under one task.

    Parameters
    ----------
    u, v
        Positions as shares of the image's width and height, in [0, 1), shape (n,).
    subject
        Name of the subject of each, shape (n,).
    duration_ms
        How long each lasted, ms, NaN where unknown, shape (n,); None: nothing is known of any.
    """

    u: DoubleArray
    v: DoubleArray
    subject: NDArray[np.str_]
    duration_ms: DoubleArray | None = None

    def __post_init__(self) -> None:
        for share in (self.u, self.v):
            # False for NaN too, which is meant.
            if not ((share >= 0) & (share < 1)).all():
                raise GazeError(
                    "Some fixations lie outside the image.",
                    todo="Leave them out, or move them onto the border, before maps are compared.",
                )

    def __len__(self) -> int:
        return len(self.u)

    def people(self) -> list[str]:
        """Return the names of the subjects, ascending."""
        return [str(name) for name in np.unique(self.subject)]


@dataclass(frozen=True)
class AttentionMap:
    """A map of one image as it was made: ``values`` (rows, columns) over ``rect``, in shares of the image."""

    values: FloatArray | DoubleArray
    rect: Rect = WHOLE


@dataclass(frozen=True)
class Spread:
    """A map as masses on cells, and how each cell's mass spreads over the common grid.

    Parameters
    ----------
    cells
        Mass of each of the map's cells, sums to 1, shape (r, c).
    rows, columns
        Share of the mass of each cell's row (column) that comes to each row (column) of the common grid,
        shapes (R, r) and (C, c); each column sums to 1.
    floor
        Least density, in parts of the uniform one.
    too_coarse
        Whether the map's own cells blur it more than the common blur; it then stays blurrier than the others.
    """

    cells: DoubleArray
    rows: DoubleArray
    columns: DoubleArray
    floor: float
    too_coarse: bool

    def density(self) -> DoubleArray:
        """Return the map on the common grid, shape (R, C), sums to 1."""
        return floored(self.rows @ self.cells @ self.columns.T, self.floor)

    def drawn(self, n_fixations: int, n_draws: int, seed: Sequence[int]) -> DoubleArray:
        """Return maps of fixations drawn from the map, as many as people made, shape (n_draws, R, C).

        Each fixation falls on one of the map's own cells and spreads as that cell's mass does, so that the
        mean over draws is the map itself.
        """
        rng = np.random.default_rng(list(seed))
        counts = rng.multinomial(n_fixations, self.cells.ravel() / self.cells.sum(), size=n_draws)
        masses = counts.reshape(n_draws, *self.cells.shape) / n_fixations
        return floored(self.rows @ masses @ self.columns.T, self.floor)


def spread(own: AttentionMap, width: float, height: float, grid: CommonGrid) -> Spread:
    """Return how a map spreads over the common grid.

    Cells are areas whose value is the mean of what they cover. Spreading a cell over its area and
    interpolating between cells has, along an axis, the variance w**2 / 12 + max(w, 1)**2 / 6 for a cell as
    wide as w common cells; the Gaussian adds what is missing to ``grid.sigma`` squared. At the border it is
    mirrored, as that of a fixation is.

    Parameters
    ----------
    own
        The map. Where it is negative somewhere its minimum is taken off; a map of zeros is uniform. A map
        finer than the common grid is averaged to it first.
    width, height
        Size of the image, px: only their proportion counts.
    grid
        The common grid.

    Raises
    ------
    GazeError
        When the map holds NaN or infinity, or is empty.
    """
    values = checked(own.values)
    shape = grid.shape(width, height)
    places = ((own.rect.y, own.rect.height), (own.rect.x, own.rect.width))
    variances = [
        _own_variance(length * n_out / n_cells)
        for (_, length), n_out, n_cells in zip(places, shape, values.shape, strict=True)
    ]
    if values.shape[0] > shape[0] or values.shape[1] > shape[1]:
        values = to_image(values, own.rect.scaled(shape[1], shape[0]), *shape).astype(np.float64)
        places = ((0.0, 1.0), (0.0, 1.0))
    missing = (grid.sigma * grid.long_side) ** 2 - np.array(variances)
    axes = [
        _axis(n_out, n_cells, start, length, float(max(left, 0.0)) ** 0.5)
        for n_out, n_cells, (start, length), left in zip(shape, values.shape, places, missing, strict=True)
    ]
    (rows, row_mass), (columns, column_mass) = axes
    mass = values * np.outer(row_mass, column_mass)
    if mass.sum() == 0:
        mass = np.outer(row_mass, column_mass)
    return Spread(mass / mass.sum(), rows, columns, grid.floor, bool((missing < 0).any()))


def subject_maps(
    looked: Fixations, width: float, height: float, grid: CommonGrid
) -> tuple[list[str], DoubleArray]:
    """Return the subjects' names, ascending, and their maps, shape (n_subjects, R, C).

    Each map sums to the number of the subject's fixations. No floor.
    """
    n_rows, n_columns = grid.shape(width, height)
    sigma = grid.sigma * grid.long_side
    rows = mirrored_profiles(looked.v * n_rows, n_rows, sigma)
    columns = mirrored_profiles(looked.u * n_columns, n_columns, sigma)
    people, owner = np.unique(looked.subject, return_inverse=True)
    maps = np.empty((len(people), n_rows, n_columns))
    for k in range(len(people)):
        own = owner == k
        np.matmul(rows[:, own], columns[:, own].T, out=maps[k])
    return [str(name) for name in people], maps


def mirrored_profiles(positions: ArrayLike, size: int, sigma: float) -> DoubleArray:
    """Return one Gaussian a column along an axis of cells, each summing to 1.

    What would fall beyond a border is mirrored back inside, so that a uniform map stays uniform.

    Parameters
    ----------
    positions
        Centres, cells along the axis, in [0, size], shape (n,).
    size
        Length of the axis, cells.
    sigma
        Standard deviation, cells; above 0.

    Returns
    -------
    numpy.ndarray
        Shape (size, n).
    """
    at, centres = np.asarray(positions, dtype=np.float64), np.arange(size)[:, None] + 0.5
    turns = max(0, math.ceil((_REACH * sigma - size) / (2 * size)))
    profile = np.zeros((size, len(at)))
    for turn in range(-turns, turns + 1):
        profile += np.exp(-((centres - at + 2 * size * turn) ** 2) / (2 * sigma**2))
    for turn in range(-1 - turns, turns + 1):
        profile += np.exp(-((centres + at + 2 * size * turn) ** 2) / (2 * sigma**2))
    total = profile.sum(axis=0)
    # A Gaussian so narrow that it misses every centre is all on the nearest cell.
    nearest = np.abs(centres - at).argmin(axis=0) == np.arange(size)[:, None]
    profile = np.where(total > 0, profile, nearest)
    profiles: DoubleArray = profile / profile.sum(axis=0)
    return profiles


def floored(maps: ArrayLike, floor: float) -> DoubleArray:
    """Return maps, shape (..., R, C), as densities that sum to 1 and are nowhere below the floor.

    A map without any mass is uniform.
    """
    values = np.asarray(maps, dtype=np.float64)
    n_cells = values.shape[-2] * values.shape[-1]
    total = values.sum(axis=(-2, -1), keepdims=True)
    density: DoubleArray = np.where(total > 0, values, 1.0) / np.where(total > 0, total, n_cells)
    np.maximum(density, floor / n_cells, out=density)
    density /= density.sum(axis=(-2, -1), keepdims=True)
    return density


def entropy_bits(density: DoubleArray) -> DoubleArray:
    """Return the entropy of densities, shape (..., R, C), in bits (Shannon 1948): -sum p log2 p, shape (...)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        bits: DoubleArray = -np.where(density > 0, density * np.log2(density), 0.0).sum(axis=(-2, -1))
    return bits


def checked(values: ArrayLike) -> DoubleArray:
    """Return a map in double precision, its minimum taken off where that is negative.

    Raises
    ------
    GazeError
        When it holds NaN or infinity, or is empty.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 2 or not array.size:
        raise GazeError(f"A map needs rows and columns; this one has the shape {array.shape}.")
    if not np.isfinite(array).all():
        raise GazeError(
            "The map holds values that are not numbers (NaN or infinity).",
            todo="Make the map again, or leave it out.",
        )
    low = array.min()
    raised: DoubleArray = array - min(low, 0.0)
    return raised


def _own_variance(cell: float) -> float:
    """Return the variance of averaging over a cell and interpolating between cells, in common cells squared."""
    return cell**2 / 12 + max(cell, 1.0) ** 2 / 6


@lru_cache(maxsize=64)
def _axis(
    n_out: int, n_cells: int, start: float, length: float, sigma: float
) -> tuple[DoubleArray, DoubleArray]:
    """Return how cells spread along one axis, shape (n_out, n_cells), and the part of each in the image."""
    # The interpolation of a map with one cell of 1 in each column is the weights themselves.
    single = Rect(0.0, start * n_out, n_cells, length * n_out)
    weights = to_image(np.eye(n_cells), single, n_out, n_cells).astype(np.float64)
    if sigma > 0:
        weights = mirrored_profiles(np.arange(n_out) + 0.5, n_out, sigma) @ weights
    mass: DoubleArray = weights.sum(axis=0)
    spread_out: DoubleArray = weights / np.where(mass > 0, mass, 1.0)
    for array in (spread_out, mass):
        array.setflags(write=False)
    return spread_out, mass
