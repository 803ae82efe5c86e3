"""How concentrated maps are, and where: models raw and at the number of fixations that people made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from gazeapp.engine.maps.common_grid import (
    AttentionMap,
    CommonGrid,
    Fixations,
    entropy_bits,
    floored,
    spread,
    subject_maps,
)
from gazeapp.engine.maps.measures import CONCENTRATION_IDS
from gazeapp.engine.types import DoubleArray

N_DRAWS = 10
"""Draws of as many fixations as people made, from each map of a model."""
_TOP = (5.0, 10.0, 20.0)


@dataclass(frozen=True)
class ConcentrationRecord:
    """The concentration of all maps of one image under one task.

    Parameters
    ----------
    people
        Measures of the people's map, shape (n_measures,) in the order of
        :data:`~gazeapp.engine.maps.measures.CONCENTRATION_IDS`; NaN without fixations.
    subjects, people_without
        Names of the people, and the measures without each of them in turn, shape (n_subjects, n_measures);
        NaN where nobody is left.
    n_fixations
        Fixations of the people.
    raw
        Source -> measures of its map, shape (n_measures,).
    matched
        Source -> mean measures of maps of as many fixations as people made, drawn from its map; NaN
        without fixations.
    too_coarse
        Sources whose maps are blurrier than the common blur by their own grid.
    """

    people: DoubleArray
    subjects: tuple[str, ...]
    people_without: DoubleArray
    n_fixations: int
    raw: dict[str, DoubleArray]
    matched: dict[str, DoubleArray]
    too_coarse: frozenset[str]


def concentration(density: ArrayLike, centre: ArrayLike | None = None) -> DoubleArray:
    """Return the measures of maps on one grid.

    Entropy, effective area (perplexity) and participation ratio: Shannon (1948), Hill (1973). Gini (1912).

    Parameters
    ----------
    density
        Maps of square cells, shape (..., rows, columns), each at least 0 and of sum 1.
    centre
        Where people looked in other images, on the same cells; None: no correlation with it.

    Returns
    -------
    numpy.ndarray
        Shape (..., n_measures), in the order of ``CONCENTRATION_IDS``. A constant map has no correlation
        (NaN).
    """
    maps = np.asarray(density, dtype=np.float64)
    n_rows, n_columns = maps.shape[-2:]
    flat = maps.reshape(*maps.shape[:-2], -1)
    n = flat.shape[-1]
    bits = entropy_bits(maps)
    ascending = np.sort(flat, axis=-1)
    gini = 2.0 * (ascending @ np.arange(1.0, n + 1.0)) / n - (n + 1.0) / n
    peak = flat.max(axis=-1, keepdims=True)
    columns = {
        "entropy_bits": bits,
        "entropy": bits / np.log2(n) if n > 1 else np.ones_like(bits),
        "effective_area": 2.0**bits / n,
        "participation": 1.0 / (n * (flat**2).sum(axis=-1)),
        "gini": gini,
        **{f"top_{share:g}": _top_mass(ascending, share) for share in _TOP},
        "half_max_area": (flat >= peak / 2.0).mean(axis=-1),
        **_place(maps, n_rows, n_columns),
        "centre_bias_cc": _correlation(flat, centre),
    }
    return np.stack([columns[measure] for measure in CONCENTRATION_IDS], axis=-1)


def image_concentration(
    people: Fixations | None,
    sources: Mapping[str, AttentionMap],
    width: float,
    height: float,
    grid: CommonGrid | None = None,
    centre: DoubleArray | None = None,
    seed: int = 0,
) -> ConcentrationRecord:
    """Return the concentration of all maps of one image under one task.

    Parameters
    ----------
    people
        Where people looked; None, or none at all: nothing is said of them.
    sources
        Source -> its map.
    width, height
        Size of the image, px: only their proportion counts.
    grid
        The common grid; its defaults when not given.
    centre
        Density of where people looked in the other images, on the common grid.
    seed
        Seed of the draws at matched numbers of fixations: one of its own for each image.
    """
    grid = grid or CommonGrid()
    unknown = np.full(len(CONCENTRATION_IDS), np.nan)
    n_fixations = 0 if people is None else len(people)
    subjects: list[str] = []
    own, without = unknown, np.zeros((0, len(unknown)))
    if people is not None and n_fixations:
        subjects, maps = subject_maps(people, width, height, grid)
        own = concentration(floored(maps.sum(axis=0), grid.floor), centre)
        without = _without_each(maps, centre, grid.floor)
    raw, matched, too_coarse = {}, {}, set()
    for k, (source, values) in enumerate(sources.items()):
        one = spread(values, width, height, grid)
        raw[source] = concentration(one.density(), centre)
        matched[source] = unknown
        if n_fixations:
            drawn = one.drawn(n_fixations, N_DRAWS, (seed, k))
            matched[source] = concentration(drawn, centre).mean(axis=0)
        if one.too_coarse:
            too_coarse.add(source)
    return ConcentrationRecord(
        own, tuple(subjects), without, n_fixations, raw, matched, frozenset(too_coarse)
    )


def _without_each(maps: DoubleArray, centre: DoubleArray | None, floor: float) -> DoubleArray:
    """Return the measures of the people's map without each of them in turn, shape (n_subjects, n_measures)."""
    n = len(maps)
    if n < 2:
        return np.full((n, len(CONCENTRATION_IDS)), np.nan)
    others = ((1.0 - np.eye(n)) @ maps.reshape(n, -1)).reshape(maps.shape)
    return concentration(floored(others, floor), centre)


def _top_mass(ascending: DoubleArray, percent: float) -> DoubleArray:
    """Return the mass of the densest cells; where their number is no whole one, part of the next counts."""
    wanted = ascending.shape[-1] * percent / 100.0
    whole = int(wanted)
    mass: DoubleArray = ascending[..., ascending.shape[-1] - whole :].sum(axis=-1)
    if whole < ascending.shape[-1]:
        mass = mass + (wanted - whole) * ascending[..., ascending.shape[-1] - whole - 1]
    return mass


def _place(maps: DoubleArray, n_rows: int, n_columns: int) -> dict[str, DoubleArray]:
    """Return the centre of mass, and the spread about it in longer sides of the image."""
    u, v = np.arange(n_columns) + 0.5, np.arange(n_rows) + 0.5
    across, down = maps.sum(axis=-2), maps.sum(axis=-1)
    x, y = across @ u, down @ v
    variance = across @ u**2 - x**2 + down @ v**2 - y**2
    return {
        "centre_x": x / n_columns,
        "centre_y": y / n_rows,
        "spread": np.sqrt(np.maximum(variance, 0.0)) / max(n_rows, n_columns),
    }


def _correlation(flat: DoubleArray, centre: ArrayLike | None) -> DoubleArray:
    if centre is None:
        return np.full(flat.shape[:-1], np.nan)
    other = np.asarray(centre, dtype=np.float64).ravel()
    other = other - other.mean()
    centred = flat - flat.mean(axis=-1, keepdims=True)
    norm = np.sqrt((centred**2).sum(axis=-1) * (other**2).sum())
    # Rounding in single precision leaves a constant map a little short of constant.
    rounding = 1e-6 * np.sqrt((flat**2).sum(axis=-1) * (other**2).sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        found: DoubleArray = np.where(norm > rounding, centred @ other / norm, np.nan)
    return found
