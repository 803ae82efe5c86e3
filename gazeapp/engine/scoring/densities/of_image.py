"""Maps as densities on one image: what log-likelihood and information gain are computed from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from gazeapp.engine.scoring.baselines.from_fixations import CENTRE_BIAS, UNIFORM
from gazeapp.engine.scoring.densities.conversion import Conversion, on_cells
from gazeapp.engine.scoring.sources import BASELINE, TRUTH, Source, SourceMap
from gazeapp.engine.types import FloatArray, Rect

INFORMATION = ("ig", "ll")
"""Metrics of densities."""
_LEAST = 2.0**-20
"""Density, relative to uniform, that the true density is never below: a logarithm has to exist."""


@dataclass(frozen=True)
class Densities:
    """What densities need on one image under one task.

    Parameters
    ----------
    centre_log2
        Density of the other images' fixations, log2 relative to uniform, on the cells of the image, shape
        (rows, columns).
    conversions
        Source -> how its maps become densities, fitted on other images. Uniform, the centre bias and the
        true density are densities and need none; another source that is not in it has no density.
    """

    centre_log2: FloatArray
    conversions: Mapping[Source, Conversion] = field(default_factory=dict)

    def of(self, one: SourceMap, width: float, height: float) -> FloatArray | None:
        """Return a map as a density, log2 relative to uniform, shape (rows, columns); None where it has none.

        Parameters
        ----------
        one
            The map and its rectangle, px.
        width, height
            Size of the image, px.
        """
        source = one.source
        if source.kind == BASELINE and source.id == CENTRE_BIAS:
            return self.centre_log2
        if source.kind == BASELINE and source.id == UNIFORM:
            return np.zeros_like(self.centre_log2)
        if source.kind != TRUTH and source not in self.conversions:
            return None
        rows, columns = self.centre_log2.shape
        cells = on_cells(relative(one.values), in_shares(one.rect, width, height), (rows, columns))
        if source.kind == TRUTH:
            density: FloatArray = np.log2(np.maximum(relative(cells), np.float32(_LEAST)))
            return density
        return self.conversions[source].log2_density(cells, self.centre_log2)


def relative(values: FloatArray) -> FloatArray:
    """Return a map divided by its mean, so that grids of any size are on one scale; zeros stay zeros."""
    mean = float(values.mean(dtype=np.float64))
    scaled: FloatArray = values / np.float32(mean) if mean > 0 else values
    return scaled


def in_shares(rect: Rect, width: float, height: float) -> Rect:
    """Return a rectangle of an image of ``width`` x ``height`` px as shares of its sides."""
    return Rect(rect.x / width, rect.y / height, rect.width / width, rect.height / height)
