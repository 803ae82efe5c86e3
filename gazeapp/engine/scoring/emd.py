"""Earth mover's distance: how far mass has to move to turn one map into another."""

from __future__ import annotations

import math

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.types import DoubleArray

CELLS = 16
"""Cells along the longer side of an image that mass is moved between."""
_MASS = 1e6
"""The mass that moves, for the solver: its tolerances are absolute, and cells must not vanish in them."""


def block_side(height: int, width: int) -> int:
    """Return the side of a cell, px, for an image of that many px."""
    return math.ceil(max(height, width) / CELLS)


def block_sums(values: DoubleArray, side: int) -> DoubleArray:
    """Return sums over squares of ``side`` px; those at the right and lower border may be cut off."""
    height, width = values.shape
    rows = np.add.reduceat(values, np.arange(0, height, side), axis=0)
    sums: DoubleArray = np.add.reduceat(rows, np.arange(0, width, side), axis=1)
    return sums


def distance(first: DoubleArray, second: DoubleArray) -> float:
    """Return the least mean distance that turns one grid of masses into the other, in cells.

    The exact solution of the transport problem, with Euclidean distances between the centres of cells.

    Parameters
    ----------
    first, second
        Masses, shape (rows, columns), not negative, each with a sum above 0; sums are made 1.

    Raises
    ------
    GazeError
        When the solver gives up.
    """
    from scipy import sparse
    from scipy.optimize import linprog

    # What both have in a cell stays there: a distance is never longer than a detour.
    surplus = (first / first.sum() - second / second.sum()).ravel()
    rows, columns = np.divmod(np.arange(surplus.size), first.shape[1])
    gives, takes = np.flatnonzero(surplus > 0), np.flatnonzero(surplus < 0)
    moved = surplus[gives].sum()
    if not len(gives) or not len(takes):
        return 0.0
    lengths = np.hypot(rows[gives, None] - rows[takes], columns[gives, None] - columns[takes])
    n, m = lengths.shape
    leaves = sparse.kron(sparse.eye_array(n), np.ones((1, m)))
    arrives = sparse.kron(np.ones((1, n)), sparse.eye_array(m))
    masses = _MASS * np.concatenate([surplus[gives] / moved, surplus[takes] / surplus[takes].sum()])
    # What leaves and does not arrive elsewhere arrives at the largest: to say so twice is to contradict by rounding.
    said = np.arange(n + m) != n + masses[n:].argmax()
    found = linprog(
        lengths.ravel(),
        A_eq=sparse.vstack([leaves, arrives], format="csr")[said],
        b_eq=masses[said],
        method="highs-ds",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    if not found.success:
        raise GazeError(
            "The earth mover's distance of a map could not be found.",
            todo=f"Score without the metric emd. The solver said: {found.message}",
        )
    return float(found.fun * moved / _MASS)
