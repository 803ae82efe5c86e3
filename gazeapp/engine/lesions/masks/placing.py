"""Masks on images of another size, mirrored masks, and how much of an image a mask takes."""

from __future__ import annotations

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.coverage import cover
from gazeapp.engine.types import BoolArray, DoubleArray, IntArray, MaskArray

FULL = 255
"""The value of a pixel that is taken away whole."""

WAYS = {
    "fraction": "The mask is stretched: what was the left third of one image is the left third of the other.",
    "pixel": "Each pixel keeps its place, counted from the top left; what falls outside is cut off.",
}
"""How a mask comes to an image of another size, as sentences."""


def to_size(values: MaskArray, height: int, width: int, how: str) -> MaskArray:
    """Return a mask for an image of another size.

    Parameters
    ----------
    values
        The mask, shape (rows, columns), 0 to 255.
    height, width
        Size of the other image, px.
    how
        One of `WAYS`. ``fraction``: a mask of 0 and 255 alone stays one, each new pixel takes the value of the pixel
        under its centre (the one right of or below the centre where that lies on an edge); a graded mask is averaged
        over the area of each new pixel and rounded. ``pixel``: 0 where the other image goes on beyond the mask.

    Returns
    -------
    numpy.ndarray
        Shape (height, width), uint8; where the size is the same, the same values.

    Raises
    ------
    GazeError
        When there is no such way.
    """
    if how not in WAYS:
        raise GazeError(f"A mask is not placed by '{how}'.", todo=f"Use {' or '.join(WAYS)}.")
    if height < 1 or width < 1:
        raise ValueError(f"an image needs a positive size, not {width} x {height}")
    if values.shape == (height, width):
        return values.copy()
    if how == "pixel":
        placed = np.zeros((height, width), np.uint8)
        rows, columns = min(height, values.shape[0]), min(width, values.shape[1])
        placed[:rows, :columns] = values[:rows, :columns]
        return placed
    if is_hard(values):
        return values[np.ix_(_under_centres(height, values.shape[0]), _under_centres(width, values.shape[1]))]
    row_edges = values.shape[0] * np.arange(height + 1) / height
    column_edges = values.shape[1] * np.arange(width + 1) / width
    means: MaskArray = np.rint(FULL * cover(values, row_edges, column_edges)).astype(np.uint8)
    return means


def mirror(values: MaskArray) -> MaskArray:
    """Return a mask with left and right exchanged."""
    return np.ascontiguousarray(values[:, ::-1])


def area(values: MaskArray) -> float:
    """Return the share of the image that a mask takes, 0 to 1; graded pixels count by their share."""
    return int(values.sum(dtype=np.int64)) / (FULL * values.size)


def is_hard(values: MaskArray) -> bool:
    """Whether a mask holds 0 and 255 alone."""
    hard: BoolArray = (values == 0) | (values == FULL)
    return bool(hard.all())


def check_size(values: MaskArray, height: int, width: int, where: str = "") -> None:
    """Refuse a mask that has not the size of its image, px.

    Raises
    ------
    GazeError
        It names both sizes.
    """
    if values.shape != (height, width):
        raise GazeError(
            f"The mask is {values.shape[1]} x {values.shape[0]} px, the image {width} x {height} px.",
            where=where,
            todo="Bring the mask to the size of the image, by fraction or by pixel, or choose the image it was made "
            "for.",
        )


def shares(values: MaskArray) -> DoubleArray:
    """Return how much of each pixel a mask takes, 0 to 1; 255 is exactly 1."""
    own: DoubleArray = values / np.float64(FULL)
    return own


def _under_centres(n_new: int, n_old: int) -> IntArray:
    """Return the old pixel under the centre of each new one, along one axis, in whole numbers alone."""
    return (2 * np.arange(n_new, dtype=np.int64) + 1) * n_old // (2 * n_new)
