"""What a lesion takes from a captioner's grid, and how.

A captioner attends to the cells of a grid, and every cell stands for the rectangle of the image that has the same
place in it, or, of captioners from elsewhere, for the part that is nearest to its centre (`cell_parts`). ``keys`` and
``keys_and_start`` multiply a word's attention to a cell by what is left of the cell before it is normalised anew;
``zero`` and ``mean`` change the cell's features, place code included, before the decoder reads them, so that the cells
can still be attended to. The encoder has mixed the cells by then: what neighbours have taken from a covered cell stays
with them, under all four.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from gazeapp.engine.lesions.coverage import cover
from gazeapp.engine.lesions.lesion import Lesion
from gazeapp.engine.lesions.pixels import nothing_left
from gazeapp.engine.models.captioner.cell_parts import Parts
from gazeapp.engine.types import FloatArray

FEATURE_SCOPES = ("zero", "mean")
"""Scopes that change the features of the grid; those that mask attention keys leave the features as they are."""


@dataclass(frozen=True, slots=True, eq=False)
class Taken:
    """What decoders are to do without.

    Parameters
    ----------
    share
        Share that every cell loses, shape (sequences, cells), float32, 0 to 1, below 1 for at least one of each.
    start
        Whether the state that an LSTM decoder starts from is made from what is left, too.
    """

    share: Tensor
    start: bool = False

    @property
    def bias(self) -> Tensor:
        """The logarithm of what is left of every cell, added to the attention's scores, shape (sequences, cells).

        Minus infinity where all is taken, which leaves a weight of exactly 0.
        """
        # In double precision on the processor: not every device has it.
        return torch.log1p(-self.share.cpu().double()).to(self.share)

    def mean(self, features: Tensor) -> Tensor:
        """Return the mean over the cells (batch, cells, width) -> (batch, width), weighted by what is left of each."""
        left = 1 - self.share
        return torch.einsum("bcw,bc->bw", features, left) / left.sum(dim=1, keepdim=True)


@lru_cache(maxsize=1)
def cell_share(lesion: Lesion, grid: tuple[int, int], parts: Parts | None = None) -> FloatArray:
    """Return the share that a lesion takes of every cell of a grid.

    Parameters
    ----------
    lesion
        Its mask has the image's height and width, whatever they are.
    grid
        Rows and columns.
    parts
        What its cells stand for; None where they divide the image evenly.

    Returns
    -------
    numpy.ndarray
        Shape (rows * columns,), float32: the strength times the mean of the mask over the cell's part. That of
        the last lesion is kept, for several models and for the intact caption's words under the same lesion.

    Raises
    ------
    GazeError
        When all of every cell is taken.
    """
    (rows, columns), (height, width) = grid, lesion.mask.shape
    if parts is None:
        covered = cover(
            lesion.mask, height * np.arange(rows + 1) / rows, width * np.arange(columns + 1) / columns
        )
    else:
        down, across = height * np.array(parts.down.edges), width * np.array(parts.across.edges)
        covered = cover(lesion.mask, down, across)[np.ix_(parts.down.part, parts.across.part)]
    share: FloatArray = (lesion.strength * covered).astype(np.float32).ravel()
    if share.min() >= 1.0:
        raise nothing_left()
    return share


def changed_features(features: Tensor, share: Tensor, scope: str) -> Tensor:
    """Return grid features with covered cells taken towards zero (``zero``) or the mean of all cells (``mean``).

    Parameters
    ----------
    features
        Shape (batch, cells, width).
    share
        Shape (batch, cells).
    scope
        One of `FEATURE_SCOPES`.
    """
    taken = share[:, :, None]
    if scope == "zero":
        return (1 - taken) * features
    return (1 - taken) * features + taken * features.mean(dim=1, keepdim=True)
