"""Whether people's maps differ between two tasks by more than chance: task labels permuted among people."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gazeapp.engine.maps.differentiation import PeopleMaps
from gazeapp.engine.types import BoolArray, DoubleArray

N_PERMUTATIONS = 5000
_CHUNK_CELLS = 4_000_000
# Statistics that are equal on paper differ by rounding; they count as equally extreme.
_ROUNDING = 1e-9


def label_permutation(
    images: Sequence[PeopleMaps], n_permutations: int = N_PERMUTATIONS, seed: int = 0
) -> tuple[float, DoubleArray]:
    """Return the p that the task changes nothing, for all images together and for each of them.

    The statistic is 1 - CC of the two maps of all people, summed over the images. In each permutation

    * a person who did both tasks on an image keeps or swaps the labels of the two maps, by one coin for all
      images of that person;
    * those who did one task only are put in one random order for all images, and on each image the first of
      them that are there become the smaller of the two groups.

    So labels move with people, and habits that a person has on all images do not make the test significant.
    p is one-sided, with the observed labels counted among the permuted ones (Phipson & Smyth 2010).

    Parameters
    ----------
    images
        The people's maps of each image.
    n_permutations, seed
        Permutations and their seed.

    Returns
    -------
    tuple
        p over all images, and of each image, shape (n_images,); NaN where no maps can be compared.
    """
    rng = np.random.default_rng([seed, n_permutations])
    people = sorted({name for maps in images for name in maps.names})
    number = {name: k for k, name in enumerate(people)}
    observed = np.array([_changes(maps, maps.first[None])[0] for maps in images])
    known = np.isfinite(observed)
    if not known.any():
        return float("nan"), observed
    chosen = [k for k in range(len(images)) if known[k]]
    limits = observed - _ROUNDING
    extreme, extreme_in_all = np.zeros(len(images), dtype=np.int64), 0
    chunk = max(1, min(n_permutations, _CHUNK_CELLS // len(people)))
    for start in range(0, n_permutations, chunk):
        size = min(chunk, n_permutations - start)
        swapped, order = rng.random((size, len(people))) < 0.5, rng.random((size, len(people)))
        total = np.zeros(size)
        for k in chosen:
            who = np.array([number[name] for name in images[k].names])
            changes = _changes(images[k], _permuted(images[k], swapped[:, who], order[:, who]))
            extreme[k] += int((changes >= limits[k]).sum())
            total += changes
        extreme_in_all += int((total >= observed[known].sum() - _ROUNDING * len(chosen)).sum())
    each = np.where(known, (extreme + 1) / (n_permutations + 1), np.nan)
    return (extreme_in_all + 1) / (n_permutations + 1), each


def _changes(maps: PeopleMaps, first: BoolArray) -> DoubleArray:
    """Return 1 - CC of the tasks' maps for each row of labels, shape (n,)."""
    labels = first.astype(np.float64)
    own = np.einsum("nk,nk->n", labels @ maps.gram, labels)
    # What is not of the first task is of the second, so that sums over all maps give the rest.
    with_all = labels @ maps.gram.sum(axis=1)
    other = maps.gram.sum() - 2.0 * with_all + own
    with np.errstate(divide="ignore", invalid="ignore"):
        cc = np.where((own > 0) & (other > 0), (with_all - own) / np.sqrt(own * other), np.nan)
    change: DoubleArray = 1.0 - cc
    return change


def _permuted(maps: PeopleMaps, swapped: BoolArray, order: DoubleArray) -> BoolArray:
    """Return which maps are of the first task, shape (n, k), from coins and places in a random order."""
    names, counts = np.unique(maps.names, return_counts=True)
    both = np.isin(maps.names, names[counts == 2])
    first: BoolArray = np.where(both, maps.first ^ swapped, maps.first)
    alone = np.flatnonzero(~both)
    if len(alone):
        n_first = int(maps.first[alone].sum())
        smaller_is_first = 2 * n_first <= len(alone)
        n_smaller = n_first if smaller_is_first else len(alone) - n_first
        in_smaller = order[:, alone].argsort(axis=1).argsort(axis=1) < n_smaller
        first[:, alone] = in_smaller == smaller_is_first
    return first
