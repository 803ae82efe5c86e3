"""Maps as the predictors of an encoding model: the same cells and the same blur for every source."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.maps.common_grid import AttentionMap, CommonGrid, Fixations, spread, subject_maps
from gazeapp.engine.types import DoubleArray

GRID = 14
"""Cells along each side of the image."""
SIGMA = 1 / 16
"""Standard deviation of the common blur, as a share of each side of the image."""


def map_features(maps: Sequence[AttentionMap], grid: int = GRID, sigma: float = SIGMA) -> DoubleArray:
    """Return maps as rows of numbers, one for each cell of a grid of shares of the image.

    Every map is spread over the same grid x grid cells with the same blur, whatever the image's proportions and
    however finely the map was made: all sources have equally many predictors of the same smoothness, so that none
    predicts better because its maps are finer. Cells are shares of the width and height, because responses to a
    place (a receptive field) have to meet the same column on every image.

    Parameters
    ----------
    maps
        A map for each image.
    grid
        Cells along each side.
    sigma
        Standard deviation of the blur, as a share of each side. A map that is coarse already is blurred by the
        rest only.

    Returns
    -------
    numpy.ndarray
        Shape (n_images, grid * grid), row by row from the top; each row sums to 1.

    Raises
    ------
    GazeError
        If a map holds NaN or infinity, or is empty; ``where`` says which.
    """
    cells = CommonGrid(grid, sigma, floor=0.0)
    features = np.empty((len(maps), grid * grid))
    for k, own in enumerate(maps):
        try:
            features[k] = spread(own, 1.0, 1.0, cells).density().ravel()
        except GazeError as error:
            raise GazeError(error.what, where=f"map {k + 1} of {len(maps)}", todo=error.todo) from error
    return features


def fixation_features(looked: Sequence[Fixations], grid: int = GRID, sigma: float = SIGMA) -> DoubleArray:
    """Return where people looked as rows of numbers in the space of :func:`map_features`.

    All fixations of an image have equal weights; each becomes a Gaussian that is mirrored at the border.

    Parameters
    ----------
    looked
        Fixations on each image.
    grid, sigma
        As in :func:`map_features`.

    Returns
    -------
    numpy.ndarray
        Shape (n_images, grid * grid); each row sums to 1.

    Raises
    ------
    GazeError
        If nobody looked at an image.
    """
    cells = CommonGrid(grid, sigma, floor=0.0)
    features = np.empty((len(looked), grid * grid))
    for k, fixations in enumerate(looked):
        if not len(fixations):
            raise GazeError(
                "Nobody looked at this image, so there is no map of people.",
                where=f"image {k + 1} of {len(looked)}",
                todo="Leave the image out.",
            )
        _, each = subject_maps(fixations, 1.0, 1.0, cells)
        features[k] = each.sum(axis=0).ravel() / len(fixations)
    return features
