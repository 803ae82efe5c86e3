"""A lesion minus its matched controls, and the test that any of them could as well have been the lesion.

A lesion minus the mean of several controls is not symmetric about 0 where outcomes are skewed, even when the
lesion is nothing special, so that flipping signs finds too much. What is exchangeable is which of the places
was called the lesion.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gazeapp.engine.types import BoolArray, DoubleArray

# Sums that are equal on paper differ by rounding; they count as equally extreme.
_ROUNDING = 1e-9
_MIN_ALIGNED = 3


@dataclass(frozen=True, slots=True, eq=False)
class Net:
    """A lesion minus the mean of its matched controls, on each image.

    Parameters
    ----------
    values
        Shape (n_images,), NaN without the lesion or without any control.
    relabelled
        The same with every place in turn called the lesion, shape (n_images, n_places), NaN where an image has
        fewer; None where no image has more than one control. That one kind of control does more than the other
        on average is taken off before, as it is no matter of the lesion.
    alone
        Images that have one kind of control where others have both, shape (n_images,).
    """

    values: DoubleArray
    relabelled: DoubleArray | None
    alone: BoolArray


def net_of_controls(
    lesion: DoubleArray, random: Sequence[DoubleArray], equal_mass: Sequence[DoubleArray] = ()
) -> Net:
    """Return a lesion minus its controls: draws of a kind are averaged first, then the kinds that an image has.

    Parameters
    ----------
    lesion
        Outcome of each image, shape (n_images,), NaN where there is none.
    random, equal_mass
        The same of each draw of the control of equal area, and of that of equal attention.
    """
    table = np.column_stack([lesion, *random, *equal_mass])
    known = np.isfinite(table)
    n_random = known[:, 1 : 1 + len(random)].sum(axis=1)
    n_mass = known[:, 1 + len(random) :].sum(axis=1)
    complete = known[:, 0] & (n_random + n_mass > 0)
    table = _aligned(table, complete & (n_random > 0) & (n_mass > 0), len(random))
    # What an image has comes first, in order: the lesion, random draws, draws of equal attention.
    there = np.take_along_axis(table, np.argsort(~known, axis=1, kind="stable"), axis=1)
    n_places = np.where(complete, 1 + n_random + n_mass, 1)
    ways = np.full(table.shape, np.nan)
    for shift in range(table.shape[1]):
        # The places change their names in turn, as a ring.
        place = np.arange(table.shape[1])[None, :]
        ring = np.take_along_axis(there, (place + shift) % n_places[:, None], axis=1)
        own = complete & (shift < n_places)
        is_random = (place > 0) & (place <= n_random[:, None])
        is_mass = (place > n_random[:, None]) & (place < n_places[:, None])
        kinds = [mean_of_known(np.where(kind, ring, np.nan)) for kind in (is_random, is_mass)]
        ways[own, shift] = (ring[:, 0] - mean_of_known(np.column_stack(kinds)))[own]
    alone = complete & ((n_random > 0) != (n_mass > 0))
    both = bool(n_random[complete].any() and n_mass[complete].any())
    several = bool((n_places > 2).any())
    return Net(ways[:, 0], ways if several else None, alone & both)


def _aligned(table: DoubleArray, both: BoolArray, n_random: int) -> DoubleArray:
    """Return values whose two kinds of controls do not differ on average, on the images with both.

    The mean of the two kinds stays as it is on each image. Taking the mean of n differences off leaves them too
    near to 0; they are stretched by sqrt(n / (n - 2)), with which p < 0.05 stays at 5 % from 8 images on.
    """
    n_images = int(both.sum())
    if n_images < _MIN_ALIGNED:
        return table
    random, mass = slice(1, 1 + n_random), slice(1 + n_random, None)
    difference = mean_of_known(table[both, mass]) - mean_of_known(table[both, random])
    kept = (difference - difference.mean()) * np.sqrt(n_images / (n_images - 2))
    half = (difference - kept)[:, None] / 2.0
    aligned = table.copy()
    aligned[both, random] += half
    aligned[both, mass] -= half
    return aligned


def relabelling_p(
    values: DoubleArray, relabelled: DoubleArray, n_draws: int = 10_000, seed: int = 0
) -> float:
    """Return the two-sided p that a lesion does as its controls do, by calling another place the lesion.

    On every image one of its places is drawn to be called the lesion; p is the share of draws whose sum over
    images is at least as far from 0 as the observed one, which is counted among them (Phipson & Smyth 2010).
    With one control this is the sign-flip test. NaN without images.

    Parameters
    ----------
    values, relabelled
        As of :class:`Net`.
    n_draws, seed
        Number of draws and their seed.
    """
    inside = np.isfinite(values)
    if not inside.any():
        return float("nan")
    ways = np.sort(relabelled[inside], axis=1)  # what an image lacks comes last
    number = np.isfinite(ways).sum(axis=1)
    drawn = (_uniform(len(ways), n_draws, seed) * number[:, None]).astype(np.intp)
    sums = np.zeros(n_draws)
    for own, place in zip(ways, drawn, strict=True):
        sums += own.take(place)
    limit = abs(values[inside].sum()) - _ROUNDING * np.abs(values[inside]).sum()
    return float(((np.abs(sums) >= limit).sum() + 1) / (n_draws + 1))


@lru_cache(maxsize=2)
def _uniform(n: int, n_draws: int, seed: int) -> DoubleArray:
    drawn = np.random.default_rng([seed, n, 2]).random((n, n_draws))
    drawn.setflags(write=False)
    return drawn


def mean_of_known(table: DoubleArray) -> DoubleArray:
    """Return the mean of the finite values of each row; NaN without any."""
    known = np.isfinite(table)
    with np.errstate(invalid="ignore"):
        mean: DoubleArray = np.where(known, table, 0.0).sum(axis=1) / known.sum(axis=1)
    return mean
