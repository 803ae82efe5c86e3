"""Whether attention lies on the left or the right half of an image, and whether it stays there when it is mirrored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from gazeapp.engine.maps.common_grid import AttentionMap, Fixations, checked
from gazeapp.engine.types import DoubleArray

_ROUNDING = 1e-9


@dataclass(frozen=True)
class LateralityRecord:
    """Left and right on one image under one task.

    Parameters
    ----------
    people
        Measure -> value for all people together; NaN where there is none.
    subjects, people_without
        Names of the people; measure -> value without each of them in turn, shape (n_subjects,).
    sources
        Source -> measure -> value. ``laterality_corrected`` and ``side_bias`` only where the mirrored
        image's map is known.
    """

    people: dict[str, float] = field(default_factory=dict)
    subjects: tuple[str, ...] = ()
    people_without: dict[str, DoubleArray] = field(default_factory=dict)
    sources: dict[str, dict[str, float]] = field(default_factory=dict)


def laterality(own: AttentionMap) -> tuple[float, float]:
    """Return the laterality index of a map and its mean horizontal position, both in [-1, 1].

    LI = (R - L) / (R + L), of the mass right and left of the image's middle. A column of cells that the middle
    passes through, as in grids of odd width, counts for neither. The mean position, of all columns, is
    sum p (2 u - 1) at their centres, 0 in the middle and 1 at the right border (after the centre of
    cancellation of Rorden & Karnath 2010).

    Parameters
    ----------
    own
        The map, on its own grid; only what lies inside the image counts. Where it is negative somewhere its
        minimum is taken off first.

    Returns
    -------
    tuple of float
        NaN where no mass is on either half (a map of zeros counts as uniform).
    """
    values = checked(own.values)
    if not values.any():
        values = np.ones_like(values)
    rows = _inside(own.rect.y, own.rect.height, values.shape[0])[0]
    columns, left_edge, right_edge = _inside(own.rect.x, own.rect.width, values.shape[1])
    mass = (rows @ values) * columns
    right = float(mass[left_edge >= 0.5 - _ROUNDING].sum())
    left = float(mass[right_edge <= 0.5 + _ROUNDING].sum())
    total = float(mass.sum())
    centre = (left_edge + right_edge) / 2
    mean_x = float(mass @ (2.0 * centre - 1.0)) / total if total > 0 else float("nan")
    # What is 0 on paper must not be told from 0 by the test over images.
    return _index(left, right), round(mean_x, 9)


def corrected_for_side(index: float, mirrored: float) -> tuple[float, float]:
    """Return what of a laterality index follows the picture, and what stays on one side.

    Parameters
    ----------
    index, mirrored
        Laterality of the map of the image, and of the map of the mirrored image as that was shown.

    Returns
    -------
    tuple of float
        (LI(image) - LI(mirrored)) / 2 and (LI(image) + LI(mirrored)) / 2.
    """
    return (index - mirrored) / 2, (index + mirrored) / 2


def people_laterality(looked: Fixations) -> tuple[dict[str, float], dict[str, DoubleArray]]:
    """Return left and right of where people looked: of all together, and without each of them in turn.

    A fixation on the middle line itself counts for neither half. A fixation of unknown duration counts as the
    mean of the others on the image; where none is known there is no laterality of looking time.

    Returns
    -------
    tuple of dict
        Measure -> value, and measure -> values of shape (n_subjects,) in the ascending order of the subjects.
    """
    names, owner = np.unique(looked.subject, return_inverse=True)
    each = np.ones(len(looked))
    dwell = _durations(looked)
    sums = np.column_stack(
        [
            np.bincount(owner, weights, minlength=len(names))
            for weights in (
                (looked.u < 0.5) * each,
                (looked.u > 0.5) * each,
                (looked.u < 0.5) * dwell,
                (looked.u > 0.5) * dwell,
                2.0 * looked.u - 1.0,
                each,
            )
        ]
    )
    table = np.vstack([sums.sum(axis=0), sums.sum(axis=0) - sums])
    # Counts less their own parts are exact; durations leave rounding where nobody else looked.
    table[1:, 2:4] = np.array(
        [np.delete(sums[:, 2:4], k, axis=0).sum(axis=0) for k in range(len(names))]
    ).reshape(-1, 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        measures = {
            "laterality": (table[:, 1] - table[:, 0]) / (table[:, 1] + table[:, 0]),
            "laterality_dwell": (table[:, 3] - table[:, 2]) / (table[:, 3] + table[:, 2]),
            "mean_x": table[:, 4] / table[:, 5],
        }
    return (
        {measure: float(values[0]) for measure, values in measures.items()},
        {measure: values[1:] for measure, values in measures.items()},
    )


def image_laterality(
    people: Fixations | None,
    sources: Mapping[str, AttentionMap],
    mirrored: Mapping[str, AttentionMap] | None = None,
) -> LateralityRecord:
    """Return left and right on one image under one task.

    Parameters
    ----------
    people
        Where people looked; None, or none at all: nothing is said of them.
    sources
        Source -> its map of the image.
    mirrored
        Source -> its map of the mirrored image, as that was shown (not turned back). Sources without one have
        the plain index only, in which a habit of looking at one side cannot be told from what the picture
        shows there.
    """
    found = {}
    for source, own in sources.items():
        index, mean_x = laterality(own)
        found[source] = {"laterality": index, "mean_x": mean_x}
        if mirrored is not None and source in mirrored:
            content, side = corrected_for_side(index, laterality(mirrored[source])[0])
            found[source] |= {"laterality_corrected": content, "side_bias": side}
    if people is None or not len(people):
        return LateralityRecord(sources=found)
    together, without = people_laterality(people)
    return LateralityRecord(together, tuple(people.people()), without, found)


def _index(left: float, right: float) -> float:
    return round((right - left) / (right + left), 9) if right + left > 0 else float("nan")


def _inside(start: float, length: float, n_cells: int) -> tuple[DoubleArray, DoubleArray, DoubleArray]:
    """Return the share of each cell inside the image along an axis, and the edges of that part."""
    edges = start + length * np.arange(n_cells + 1) / n_cells
    low, high = np.clip(edges[:-1], 0.0, 1.0), np.clip(edges[1:], 0.0, 1.0)
    return (high - low) * n_cells / length, low, high


def _durations(looked: Fixations) -> DoubleArray:
    if looked.duration_ms is None:
        return np.full(len(looked), np.nan)
    known = np.isfinite(looked.duration_ms)
    if not known.any():
        return np.full(len(looked), np.nan)
    filled: DoubleArray = np.where(known, looked.duration_ms, looked.duration_ms[known].mean())
    return filled
