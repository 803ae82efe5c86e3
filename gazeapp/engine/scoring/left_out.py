"""The people of an image, each of them left out once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gazeapp.engine.scoring.ranks import centred_ranks
from gazeapp.engine.types import BoolArray, DoubleArray, FloatArray, IntArray


@dataclass(frozen=True)
class LeftOut:
    """The people of an image, ready for scores without each of them in turn.

    Parameters
    ----------
    index
        Row-major index of the pixel of each fixation, shape (n,).
    owner
        Index of the subject of each fixation, ascending, shape (n,).
    order
        Where each of them stands among the fixations as they were given, shape (n,).
    maps
        The subjects' blurred maps, flat, shape (n_subjects, n_pixels); their sum is the human map but
        for its scale.
    norms
        Euclidean norm of the sum of all maps but one, minus its mean, shape (n_subjects,).
    own_norms
        Euclidean norm of each map minus its mean, shape (n_subjects,).
    grid
        Row-major index of the pixels that ranks are compared at.
    """

    index: IntArray
    owner: IntArray
    order: IntArray
    maps: FloatArray
    norms: DoubleArray
    own_norms: DoubleArray
    grid: IntArray

    @cached_property
    def ranks(self) -> DoubleArray:
        """Ranks of the human map at ``grid`` minus their mean: of all people, then without each of them."""
        # Summed anew: to take a map off the total leaves rounding noise where that subject looked alone.
        kept = np.vstack([np.ones(len(self.maps)), 1.0 - np.eye(len(self.maps))])
        sums = (kept @ self.maps[:, self.grid]).astype(np.float32)
        return np.stack([centred_ranks(row) for row in sums])

    def kept(self, deduplicate: bool) -> tuple[IntArray, BoolArray]:
        """Return pixels, shape (n,), and which are fixated without each subject, shape (n_subjects, n).

        ``deduplicate``: each pixel once, and there as long as anybody else fixated it.
        """
        if not deduplicate:
            return self.index, self.owner != np.arange(len(self.maps))[:, None]
        index, place = np.unique(self.index, return_inverse=True)
        looked = np.zeros((len(self.maps), len(index)), dtype=np.bool_)
        looked[self.owner, place] = True
        kept: BoolArray = looked.sum(axis=0) > looked
        return index, kept

    def own(self, deduplicate: bool) -> tuple[IntArray, BoolArray]:
        """Return pixels, shape (n,), and which are each subject's own, shape (n_subjects, n)."""
        people = np.arange(len(self.maps))[:, None]
        if not deduplicate:
            return self.index, self.owner == people
        pairs = np.unique(np.column_stack([self.owner, self.index]), axis=0)
        return pairs[:, 1], pairs[:, 0] == people


def means_kept(values: DoubleArray, kept: BoolArray) -> DoubleArray:
    """Return the mean of the values that each row of ``kept`` keeps; NaN where it keeps none."""
    with np.errstate(invalid="ignore"):
        means: DoubleArray = kept @ values / kept.sum(axis=1)
    return means
