"""The map that suits each metric best, made from the density that a map was converted to.

No single map is the best one for all metrics (Kümmerer, Wallis & Bethge 2018, arXiv 1704.08615). Given the
density that a model believes in, NSS and AUC are highest for the density itself, shuffled AUC for the density
divided by the centre bias, and correlations and KL for the density blurred like the human map.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np

from gazeapp.engine.maps.resample import to_image
from gazeapp.engine.scoring.baselines.from_fixations import expected_human_map
from gazeapp.engine.types import FloatArray, Rect

MapKind: TypeAlias = Literal["density", "ratio", "blurred"]
KIND_OF: dict[str, MapKind] = {
    **dict.fromkeys(("nss", "auc", "auc_judd", "auc_borji"), "density"),
    "sauc": "ratio",
    **dict.fromkeys(("cc", "spearman", "sim", "kl", "emd"), "blurred"),
}
"""Metric -> the map it is given. For SIM the best map has no formula, and the blurred density stands in."""


def transformed(
    log2_density: FloatArray,
    centre_log2: FloatArray,
    kind: MapKind,
    height: int,
    width: int,
    sigma_px: float,
) -> FloatArray:
    """Return the map that suits a kind of metric.

    Parameters
    ----------
    log2_density
        The map as a density (:meth:`~.conversion.Conversion.log2_density`), log2 relative to uniform, on the
        cells of the image, shape (rows, columns).
    centre_log2
        Centre bias of the other images, the same way.
    kind
        ``density``; ``ratio``: density / centre bias; ``blurred``: density * Gaussian. See ``KIND_OF``.
    height, width
        Size of the result, px.
    sigma_px
        Standard deviation of the human maps' Gaussian, px of the result.

    Returns
    -------
    numpy.ndarray
        Shape (height, width), float32, bilinear between the centres of cells. Relative to uniform: the
        mean of ``density`` and ``blurred`` is 1, but for the interpolation.
    """
    cells = np.exp2(log2_density - centre_log2 if kind == "ratio" else log2_density)
    if kind == "blurred":
        cells = expected_human_map(cells, sigma_px * max(cells.shape) / max(height, width))
    return to_image(cells, Rect.of_image(width, height), height, width)
