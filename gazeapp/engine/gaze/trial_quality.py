"""Figures of quality of every trial of a recording at once, from its fixations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gazeapp.engine.gaze.records import CodeArray, Fixations, Why
from gazeapp.engine.types import BoolArray, DoubleArray, IntArray, Json

_KEYS = ("n_recorded", "n_fixations", "share_unusable", "share_outside", "median_duration_ms", "n_duplicates")


def trial_qualities(
    fixations: Fixations,
    owner: IntArray,
    eyes: CodeArray,
    on_image: BoolArray,
    why: CodeArray,
    known: Sequence[Json],
) -> list[Json]:
    """Return the figures of each trial, as ``quality.FIGURES`` describes them.

    Parameters
    ----------
    fixations
        Of a recording, shape (n,).
    owner
        Number of the trial of each, shape (n,), from 0.
    eyes
        The eye that each trial uses, codes, shape (n_trials,).
    on_image
        Whether each lies on its image, shape (n,).
    why
        Why each is not used, codes, shape (n,).
    known
        What is known of each trial already, such as the quality of its samples; length n_trials.

    Returns
    -------
    list
        JSON-able; shares and medians of nothing are None.
    """
    n = len(known)
    own: BoolArray = fixations.eye == eyes[owner]
    used: BoolArray = why == Why.USED

    def count(rows: BoolArray) -> IntArray:
        return np.bincount(owner[rows], minlength=n).astype(np.int64)

    recorded, unusable = count(own), fixations.unusable != Why.USED
    with np.errstate(invalid="ignore"):
        share_unusable = count(own & unusable) / recorded
        share_outside = count(own & ~unusable & ~on_image) / recorded
    columns = (
        recorded,
        count(used),
        share_unusable,
        share_outside,
        _medians(fixations.duration_ms, owner, used & np.isfinite(fixations.duration_ms), n),
        count(repeats(fixations, owner) & own),
    )
    rows = zip(*map(_plain, columns), strict=True)
    return [
        {**quality, **dict(zip(_KEYS, row, strict=True))} for quality, row in zip(known, rows, strict=True)
    ]


def repeats(fixations: Fixations, owner: IntArray) -> BoolArray:
    """Return which fixations repeat eye, position and times of an earlier one of their trial, shape (n,).

    Fixations without a position or a begin repeat nothing: positions rounded to px come back by chance.
    """
    found = np.zeros(len(fixations), dtype=np.bool_)
    x, y, start = fixations.x, fixations.y, fixations.start_ms
    rows = np.flatnonzero(np.isfinite(x) & np.isfinite(y) & np.isfinite(start))
    duration = np.nan_to_num(fixations.duration_ms, nan=-1.0)
    keys: list[NDArray[Any]] = [duration, y, x, start, fixations.eye, owner]
    order = rows[np.lexsort([key[rows] for key in keys])]
    same = np.ones(max(len(order) - 1, 0), dtype=np.bool_)
    for key in keys:
        same &= key[order[1:]] == key[order[:-1]]
    found[order[1:][same]] = True
    return found


def _medians(values: DoubleArray, owner: IntArray, rows: BoolArray, n: int) -> DoubleArray:
    """Return the median of the chosen values of each trial, shape (n,); NaN for a trial without any."""
    chosen, group = values[rows], owner[rows]
    chosen = chosen[np.lexsort((chosen, group))]
    bounds = np.r_[0, np.cumsum(np.bincount(group, minlength=n))]
    sizes = np.diff(bounds)
    some = np.flatnonzero(sizes)
    result = np.full(n, np.nan)
    low, high = bounds[some] + (sizes[some] - 1) // 2, bounds[some] + sizes[some] // 2
    result[some] = (chosen[low] + chosen[high]) / 2
    return result


def _plain(column: NDArray[Any]) -> list[float | int | None]:
    if column.dtype.kind == "i":
        return [int(value) for value in column]
    return [None if np.isnan(value) else round(float(value), 6) for value in column]
