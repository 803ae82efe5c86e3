"""From responses of vertices to responses of regions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gazeapp.engine.neural.records import Region
from gazeapp.engine.types import BoolArray, DoubleArray, FloatArray, IntArray


@dataclass(frozen=True)
class RegionValues:
    """Responses of regions.

    Parameters
    ----------
    names
        Ids of the regions, or names of groups.
    is_group
        Whether each is a group of regions, shape (n_regions,).
    values
        Shape (n_images, n_regions); NaN for a region without a usable vertex.
    n_vertices
        Vertices that each is the mean of, shape (n_regions,); 0 for the regions of a table.
    """

    names: tuple[str, ...]
    is_group: BoolArray
    values: DoubleArray
    n_vertices: IntArray


def usable(values: FloatArray) -> BoolArray:
    """Return which vertices have a response to every image, shape (n_targets,), of values (n_images, n_targets)."""
    return np.asarray(np.isfinite(values).all(axis=0), dtype=np.bool_)


def region_means(values: FloatArray, regions: Sequence[tuple[Region, bool]]) -> RegionValues:
    """Return the mean response of each region over its vertices.

    A vertex that lacks the response to any image is left out of all, so that the mean of every image is of the same
    vertices.

    Parameters
    ----------
    values
        Responses, shape (n_images, 20484).
    regions
        The regions, each with whether it is a group.
    """
    good = usable(values)
    columns: DoubleArray = np.full((len(values), len(regions)), np.nan)
    n_vertices = np.zeros(len(regions), dtype=np.int64)
    for k, (region, _) in enumerate(regions):
        inside = region.vertices[good[region.vertices]]
        n_vertices[k] = len(inside)
        if len(inside):
            columns[:, k] = values[:, inside].mean(axis=1, dtype=np.float64)
    return RegionValues(
        tuple(region.id for region, _ in regions),
        np.array([group for _, group in regions], dtype=bool),
        columns,
        n_vertices,
    )


def table_values(values: FloatArray, names: Sequence[str]) -> RegionValues:
    """Return the columns of a table of regions, shape (n_images, n_regions), as they are."""
    whole = np.where(usable(values), values.astype(np.float64), np.nan)
    n = len(names)
    return RegionValues(tuple(names), np.zeros(n, dtype=bool), whole, np.zeros(n, dtype=np.int64))
