"""The map that suits each metric best, made from the density that a map was converted to.

No single map is the best one for all metrics (Kümmerer, Wallis & Bethge 2018, arXiv 1704.08615). Given the
density that a model believes in, NSS and AUC are highest for the density itself, shuffled AUC for the density
divided by the centre bias, and correlations and KL for the density blurred like the human map.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from gazeapp.engine.maps.resample import to_image
from gazeapp.engine.scoring.baselines import expected_human_map
from gazeapp.engine.scoring.conversion import Conversion
from gazeapp.engine.types import FloatArray, Rect

MapKind: TypeAlias = Literal["density", "ratio", "blurred"]
KIND_OF: dict[str, MapKind] = {
    **dict.fromkeys(("nss", "auc", "auc_judd", "auc_borji"), "density"),
    "sauc": "ratio",
    **dict.fromkeys(("cc", "spearman", "sim", "kl", "emd"), "blurred"),
}
"""Metric -> the map it is given. For SIM the best map has no formula, and the blurred density stands in."""


def transformed(
    values: ArrayLike, conversion: Conversion, centre_log2: FloatArray, kind: MapKind, sigma_px: float
) -> FloatArray:
    """Return the map that suits a kind of metric.

    Parameters
    ----------
    values
        The map at the image's pixels, shape (height, width).
    conversion
        Fitted on other images.
    centre_log2
        Centre bias of the other images, log2 of the density relative to uniform, on the cells of the
        image, shape (rows, columns).
    kind
        ``density``; ``ratio``: density / centre bias; ``blurred``: density * Gaussian. See ``KIND_OF``.
    sigma_px
        Standard deviation of the human maps' Gaussian, px of ``values``.

    Returns
    -------
    numpy.ndarray
        Shape (height, width), float32. ``density`` and ``blurred`` sum to 1.

    Raises
    ------
    GazeError
        When the map holds NaN or infinity.
    """
    cells = np.asarray(values, dtype=np.float32)
    height, width = cells.shape
    centre = to_image(centre_log2, Rect.of_image(width, height), height, width)
    log2_density = conversion.log2_density(cells, centre)
    if kind == "ratio":
        log2_density -= centre
        return np.exp2(log2_density, out=log2_density)
    density: FloatArray = np.exp2(log2_density, out=log2_density)
    density /= np.float32(density.sum(dtype=np.float64))
    return expected_human_map(density, sigma_px) if kind == "blurred" else density
