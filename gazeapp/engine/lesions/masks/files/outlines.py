"""The outlines of what is inside a mask, along the edges of its pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gazeapp.engine.types import BoolArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Ring:
    """A closed line between pixels.

    Parameters
    ----------
    points
        Corners (x, y) in order, image px, whole numbers, shape (n, 2); sides run across and down in turn.
    is_hole
        Whether it encloses a hole rather than a region.
    """

    points: IntArray
    is_hole: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Corners:
    """The corners of all rings. Where two pixels meet at a corner alone there are two at one place.

    Parameters
    ----------
    x, y
        Places, px, shape (n,).
    beside
        Of two at one place, 0 for the one whose side runs left, 1 for the one whose side runs right.
    below
        Likewise 0 for the one whose side runs up, 1 for the one whose side runs down.
    """

    x: IntArray
    y: IntArray
    beside: IntArray
    below: IntArray


def rings(inside: BoolArray) -> list[Ring]:
    """Return the outlines of all regions and of their holes.

    A region is what is joined by sides of pixels; two pixels that meet at a corner alone are two regions (or belong to
    one that is joined elsewhere), and what lies outside is joined by corners too. Filling all rings by the even-odd
    rule, and the pixels whose centre they enclose, gives the mask again.

    Parameters
    ----------
    inside
        Shape (height, width).

    Returns
    -------
    list of Ring
        In the order of their topmost (of these the leftmost) corner.
    """
    corners = _corners(inside)
    across = _mates(np.lexsort((corners.beside, corners.x, corners.y)))
    down = _mates(np.lexsort((corners.below, corners.y, corners.x)))
    found = []
    waiting = np.ones(len(across), bool).tolist()
    for start in np.lexsort((corners.beside, corners.x, corners.y)).tolist():
        if not waiting[start]:
            continue
        line, at = [], start
        while waiting[at]:
            other = across[at]
            waiting[at] = waiting[other] = False
            line += [at, other]
            at = down[other]
        points = np.column_stack([corners.x[line], corners.y[line]])
        # Right below its topmost left corner a region has a pixel, a hole has none.
        found.append(Ring(points, not inside[corners.y[start], corners.x[start]]))
    return found


def _corners(inside: BoolArray) -> _Corners:
    padded = np.pad(inside, 1).astype(np.uint8)
    # The four pixels around each point between pixels, as bits: 1 and 2 above, 4 and 8 below it, left before right.
    around = padded[:-1, :-1] | padded[:-1, 1:] << 1 | padded[1:, :-1] << 2 | padded[1:, 1:] << 3
    # One or three pixels make a corner; two side by side a straight line; two that meet here two corners.
    single = np.isin(around, (1, 2, 4, 8, 7, 11, 13, 14))
    falling, rising = around == 9, around == 6
    parts = [(single, 0, 0), (falling, 0, 0), (falling, 1, 1), (rising, 0, 1), (rising, 1, 0)]
    places = [np.nonzero(where) for where, _, _ in parts]
    counts = [len(y) for y, _ in places]
    return _Corners(
        np.concatenate([x for _, x in places]),
        np.concatenate([y for y, _ in places]),
        np.repeat([beside for _, beside, _ in parts], counts),
        np.repeat([below for _, _, below in parts], counts),
    )


def _mates(order: IntArray) -> list[int]:
    """Return the other end of each corner's side: along a line between pixels, each two in order are one side."""
    mates = np.empty(len(order), np.int64)
    mates[order[0::2]], mates[order[1::2]] = order[1::2], order[0::2]
    found: list[int] = mates.tolist()
    return found
