"""Log-likelihood and information gain: how many bits a density tells about where people look.

Two kinds. Of a *density* (a map after :mod:`~.conversion`, a centre bias, a ceiling): the log2 of the
density at the fixations. Of a *map as it is*, taken as shares of its sum: what other programs print. One
fixation where such a map is 0 makes it minus infinity, so it is for comparison with other programs alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from gazeapp.engine.scoring.cells import cell_index
from gazeapp.engine.scoring.prepared import Pixels, PreparedMap
from gazeapp.engine.scoring.presets import TUEBINGEN, Preset
from gazeapp.engine.types import DoubleArray, FloatArray


def bits_at(log2_density: FloatArray, u: ArrayLike, v: ArrayLike) -> DoubleArray:
    """Return the log-likelihood of each fixation under a density, bits, relative to a uniform density.

    Parameters
    ----------
    log2_density
        log2 of the density relative to uniform on the cells of the image, shape (rows, columns).
    u, v
        Fixations as shares of the image's width and height, in [0, 1), shape (n,).

    Returns
    -------
    numpy.ndarray
        Shape (n,). Their mean is the image's log-likelihood; minus the same of the centre bias, its
        information gain (Kümmerer, Wallis & Bethge 2015).
    """
    us, vs = np.asarray(u, dtype=np.float64).ravel(), np.asarray(v, dtype=np.float64).ravel()
    rows, columns = log2_density.shape
    return log2_density.ravel()[cell_index(us, vs, (rows, columns))].astype(np.float64)


def information_gain(
    values: ArrayLike | PreparedMap,
    baseline: ArrayLike | PreparedMap,
    fixated: Pixels,
    preset: Preset = TUEBINGEN,
    minimum: float = 0.0,
) -> float:
    """Return the information gain of a map, taken as it is, over a baseline.

    Mean over fixations of log2 p - log2 b. ``tuebingen``: p and b are shares of the maps' sums, every
    fixation counts (pysaliency's ``information_gain``). ``mit``: both maps are stretched from minimum to
    maximum first, each fixated pixel counts once, and log2(p + e) stands for log2 p (``InfoGain.m`` of
    github.com/cvzoya/saliency).

    Parameters
    ----------
    values, baseline
        Maps, shape (height, width), or the same made ready before.
    fixated
        Fixated pixels.
    preset
        Conventions.
    minimum
        Added to the values of the map, not of the baseline, before they are made shares. ``tuebingen`` only.

    Returns
    -------
    float
        Bits a fixation; NaN without fixations, minus infinity where a fixated value is 0 (``tuebingen``),
        NaN for a constant map or baseline (``mit``).

    Raises
    ------
    GazeError
        When a map holds NaN or infinity.
    """
    with np.errstate(invalid="ignore"):
        gain = _bits(values, fixated, preset, minimum) - _bits(baseline, fixated, preset, 0.0)
    return float(gain)


def log_likelihood(
    values: ArrayLike, fixated: Pixels, preset: Preset = TUEBINGEN, minimum: float = 0.0
) -> float:
    """Return the information gain of a map, taken as it is, over a uniform density, bits a fixation.

    The same as :func:`information_gain`, but for the baseline: 1 / (number of pixels) in both presets.
    """
    return _bits(values, fixated, preset, minimum) + float(np.log2(np.asarray(values).size))


def _bits(values: ArrayLike | PreparedMap, fixated: Pixels, preset: Preset, minimum: float) -> float:
    """Return the mean log2 of the shares at the fixations."""
    own = values if isinstance(values, PreparedMap) else PreparedMap(values)
    if not len(fixated) or (preset.stretch and own.constant):
        return float("nan")
    chosen = fixated.unique() if preset.deduplicate else fixated
    raw = own.flat[chosen.index].astype(np.float64)
    low, n = float(own.low), len(own.flat)
    if preset.stretch:
        return float(np.log2((raw - low) / (own.total - low * n) + preset.epsilon).mean())
    # As for SIM and KL: a map with negative values is shifted, a map of zeros is uniform.
    raw += minimum - min(low, 0.0)
    total = own.total + n * (minimum - min(low, 0.0))
    if total == 0.0:
        return -float(np.log2(n))
    with np.errstate(divide="ignore"):
        return float(np.log2(raw / total).mean())
