"""The metrics: how far a map agrees with fixations (NSS, AUC, sAUC) or with a human map (CC, SIM, KL).

Maps have shape (height, width), origin at the top-left; float32 and float64 are computed in their own
precision. Formulas and conventions: docs/methods.md. A :class:`~.presets.Preset` decides what the
literature disagrees about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gazeapp.engine.errors import GazeError
from gazeapp.engine.scoring.presets import TUEBINGEN, Preset
from gazeapp.engine.types import DoubleArray, IntArray

Values: TypeAlias = NDArray[np.floating[Any]]
NAN = float("nan")
STEP = 0.1
"""Distance of the thresholds of the MIT code's shuffled AUC, on a map stretched to 0..1."""


@dataclass(frozen=True, slots=True)
class Pixels:
    """Fixated pixels of an image.

    Parameters
    ----------
    index
        Row-major index of the pixel of each fixation, shape (n,), in the order of the fixations.
    n_outside
        Fixations that were dropped because their pixel is outside the image.
    """

    index: IntArray
    n_outside: int = 0

    def __len__(self) -> int:
        return len(self.index)

    def unique(self) -> Pixels:
        """Return the fixated pixels with each pixel once."""
        return Pixels(np.unique(self.index), self.n_outside)


def pixels(x: ArrayLike, y: ArrayLike, height: int, width: int) -> Pixels:
    """Return the pixels that fixations fall on.

    Parameters
    ----------
    x, y
        Fixations, px, origin at the top-left corner of pixel 0, shape (n,); the pixel is the floor.
    height, width
        Size of the image, px. Fixations outside [0, width) x [0, height) are dropped and counted.
    """
    xs, ys = np.asarray(x, dtype=np.float64).ravel(), np.asarray(y, dtype=np.float64).ravel()
    inside = (xs >= 0) & (xs < width) & (ys >= 0) & (ys < height)
    columns = np.floor(xs[inside]).astype(np.int64)
    rows = np.floor(ys[inside]).astype(np.int64)
    return Pixels(rows * width + columns, int(len(xs) - inside.sum()))


def nss(values: ArrayLike, fixated: Pixels, preset: Preset = TUEBINGEN) -> float:
    """Return the normalised scanpath saliency: the map's mean z-score at the fixations.

    NaN without fixations. A constant map scores 0 (``mit``: NaN). Peters et al. (2005).
    """
    return _Map(values).nss(fixated, preset)


def auc(values: ArrayLike, fixated: Pixels, preset: Preset = TUEBINGEN) -> float:
    """Return the area under the ROC curve of fixated pixels against the image's pixels.

    ``tuebingen``: the probability that the map is higher at a fixation than at a pixel drawn
    uniformly from the whole image, ties counting half (Mann-Whitney). ``mit``: AUC-Judd without
    jitter, as the MATLAB code computes it (Judd et al. 2012). NaN without fixations.
    """
    return _Map(values).auc(fixated, preset)


def sauc(values: ArrayLike, fixated: Pixels, others: Pixels, preset: Preset = TUEBINGEN) -> float:
    """Return the shuffled AUC: fixations of this image against those of other images.

    Parameters
    ----------
    values
        Map, shape (height, width).
    fixated
        Fixated pixels of this image.
    others
        Where people fixated in other images, rescaled to this image's size: the negatives.
    preset
        ``tuebingen``: exact ranks, ties count half. ``mit``: thresholds every 0.1.

    Returns
    -------
    float
        0..1, chance 0.5; NaN without fixations or without negatives.
    """
    return _Map(values).sauc(fixated, others, preset)


def cc(values: ArrayLike, human: ArrayLike) -> float:
    """Return Pearson's correlation of a map and a human map; NaN when either is constant."""
    return _Map(values).cc(_Map(human))


def sim(values: ArrayLike, human: ArrayLike, preset: Preset = TUEBINGEN) -> float:
    """Return the similarity of two maps: the sum of the smaller of the two densities, 0..1."""
    return _Map(values).sim(_Map(human), preset)


def kl(values: ArrayLike, human: ArrayLike, preset: Preset = TUEBINGEN) -> float:
    """Return the Kullback-Leibler divergence of the map from the human map, nats; 0 is best.

    sum q ln(e + q / (p + e)) with q the human density, p the map's and e the preset's small constant.
    """
    return _Map(values).kl(_Map(human), preset)


def score_map(
    values: ArrayLike,
    fixated: Pixels,
    others: Pixels,
    human: HumanTarget,
    preset: Preset = TUEBINGEN,
    metrics: Sequence[str] = ("nss", "auc", "sauc", "cc", "sim", "kl"),
) -> dict[str, float]:
    """Return several metrics of one map, sharing what they have in common.

    Parameters
    ----------
    values
        Map, shape (height, width).
    fixated, others
        Fixated pixels of this image, and of the other images (for sAUC).
    human
        The image's human map, prepared once for all the maps that are compared with it.
    preset, metrics
        Conventions, and ids of the metrics.

    Returns
    -------
    dict
        Metric id -> value; NaN where the metric has no value.

    Raises
    ------
    GazeError
        When the map holds NaN or infinity, or a metric is unknown.
    """
    own = _Map(values)
    formulas = {
        "nss": lambda: own.nss(fixated, preset),
        "auc": lambda: own.auc(fixated, preset),
        "sauc": lambda: own.sauc(fixated, others, preset),
        "cc": lambda: own.cc(human.map),
        "sim": lambda: own.sim(human.map, preset),
        "kl": lambda: own.kl(human.map, preset),
    }
    unknown = [metric for metric in metrics if metric not in formulas]
    if unknown:
        raise GazeError(
            f"There is no metric called '{unknown[0]}'.", todo=f"Choose from: {', '.join(formulas)}."
        )
    return {metric: formulas[metric]() for metric in metrics}


class HumanTarget:
    """A human map, made ready to be compared with many maps.

    Parameters
    ----------
    values
        Human map, shape (height, width).
    """

    def __init__(self, values: ArrayLike) -> None:
        self.map = _Map(values)


class _Map:
    """A map with the quantities that several metrics share, each computed when first needed."""

    def __init__(self, values: ArrayLike) -> None:
        array = np.asarray(values)
        if array.dtype not in (np.float32, np.float64):
            array = array.astype(np.float64)
        if array.ndim != 2 or not array.size:
            raise GazeError(f"A map needs rows and columns; this one has the shape {array.shape}.")
        self.flat: Values = np.ascontiguousarray(array).ravel()
        self.shape = array.shape
        self.low, self.high = float(self.flat.min()), float(self.flat.max())
        # The minimum and maximum are NaN or infinite exactly when some value is.
        if not (np.isfinite(self.low) and np.isfinite(self.high)):
            raise GazeError(
                "The map holds values that are not numbers (NaN or infinity).",
                todo="Make the map again, or leave it out.",
            )
        self.constant = self.low == self.high
        self._centred: tuple[Values, float] | None = None
        self._density: dict[str, Values] = {}

    @property
    def centred(self) -> tuple[Values, float]:
        """The map minus its mean, and the Euclidean norm of that."""
        if self._centred is None:
            centred = self.flat - self.flat.dtype.type(self.flat.mean(dtype=np.float64))
            self._centred = centred, float(np.sqrt(np.dot(centred, centred)))
        return self._centred

    def chance(self, value: float, preset: Preset) -> float:
        """Return what a constant map scores."""
        return value if preset.constant == "chance" else NAN

    def nss(self, fixated: Pixels, preset: Preset) -> float:
        if not len(fixated):
            return NAN
        if self.constant:
            return self.chance(0.0, preset)
        chosen = fixated.unique() if preset.deduplicate else fixated
        centred, norm = self.centred
        deviation = norm / np.sqrt(len(self.flat) - preset.ddof)
        return float(centred[chosen.index].mean(dtype=np.float64) / deviation)

    def auc(self, fixated: Pixels, preset: Preset) -> float:
        if not len(fixated):
            return NAN
        if self.constant:
            return self.chance(0.5, preset)
        chosen = fixated.unique() if preset.deduplicate else fixated
        ordered = np.sort(self.flat)
        positives = self.flat[chosen.index]
        return _judd(positives, ordered) if preset.auc == "judd" else _mann_whitney(positives, ordered)

    def sauc(self, fixated: Pixels, others: Pixels, preset: Preset) -> float:
        if not len(fixated) or not len(others):
            return NAN
        if self.constant:
            return self.chance(0.5, preset)
        if preset.deduplicate:
            fixated = fixated.unique()
        positives, negatives = self.flat[fixated.index], self.flat[others.index]
        if preset.sauc == "steps":
            return _stepped(self.stretch(positives), self.stretch(negatives))
        return _mann_whitney(positives, np.sort(negatives))

    def stretch(self, values: Values) -> DoubleArray:
        """Return values of the map between its minimum (0) and its maximum (1), in double precision."""
        return (values.astype(np.float64) - self.low) / (self.high - self.low)

    def cc(self, human: _Map) -> float:
        self.must_fit(human)
        if self.constant or human.constant:
            return NAN
        (own, own_norm), (other, other_norm) = self.centred, human.centred
        return float(np.dot(own, other) / (own_norm * other_norm))

    def sim(self, human: _Map, preset: Preset) -> float:
        self.must_fit(human)
        if not preset.stretch:
            return float(np.minimum(self.density, human.density).sum(dtype=np.float64))
        # The MATLAB code leaves a map of zeros alone and divides by zero for any other constant map.
        if any(one.constant and one.low != 0.0 for one in (self, human)):
            return NAN
        return float(np.minimum(self.stretched, human.stretched).sum(dtype=np.float64))

    def kl(self, human: _Map, preset: Preset) -> float:
        self.must_fit(human)
        if preset.repair:
            p, q = self.density, human.density
        elif self.low < 0 or human.low < 0:
            return NAN
        else:
            p, q = self.unit_sum, human.unit_sum
        epsilon = p.dtype.type(preset.epsilon)
        ratio = q / (p + epsilon)
        ratio += epsilon
        return float(np.dot(q, np.log(ratio, out=ratio)))

    def must_fit(self, human: _Map) -> None:
        if self.shape != human.shape:
            raise ValueError(f"a map of shape {self.shape} cannot be compared with one of {human.shape}")

    @property
    def density(self) -> Values:
        """The map as a distribution; negative values shifted, zeros taken as uniform."""
        if "density" not in self._density:
            shifted = self.flat - self.flat.dtype.type(self.low) if self.low < 0 else self.flat
            total = shifted.sum(dtype=np.float64)
            if total == 0:
                self._density["density"] = np.full_like(shifted, 1.0 / len(shifted))
            else:
                self._density["density"] = shifted / shifted.dtype.type(total)
        return self._density["density"]

    @property
    def unit_sum(self) -> Values:
        """The map over its sum; a map of zeros stays zero."""
        total = self.flat.sum(dtype=np.float64)
        return self.flat if total == 0 else self.flat / self.flat.dtype.type(total)

    @property
    def stretched(self) -> Values:
        """The map from its minimum to its maximum, over its sum; a map of zeros stays zero."""
        if "stretched" not in self._density:
            raised = self.flat - self.flat.dtype.type(self.low)
            total = raised.sum(dtype=np.float64)
            self._density["stretched"] = raised if total == 0 else raised / raised.dtype.type(total)
        return self._density["stretched"]


def _mann_whitney(positives: Values, negatives: Values) -> float:
    """Return P(positive > negative) + P(tie) / 2; ``negatives`` in ascending order."""
    below = np.searchsorted(negatives, positives, side="left")
    up_to = np.searchsorted(negatives, positives, side="right")
    return float((below + up_to).mean(dtype=np.float64) / (2 * len(negatives)))


def _judd(positives: Values, ordered: Values) -> float:
    """Return AUC-Judd as the MATLAB code has it, ties included; ``ordered`` holds all pixels."""
    n, n_pixels = len(positives), len(ordered)
    if n == n_pixels:
        return NAN
    thresholds = np.sort(positives)[::-1]
    above = n_pixels - np.searchsorted(ordered, thresholds, side="left")
    found = np.arange(1, n + 1)
    hits = np.concatenate([[0.0], found / n, [1.0]])
    alarms = np.concatenate([[0.0], (above - found) / (n_pixels - n), [1.0]])
    return float(np.trapezoid(hits, alarms))


def _stepped(positives: Values, negatives: Values) -> float:
    """Return the area under the ROC curve with thresholds every 0.1, descending from the maximum."""
    top = max(float(positives.max()), float(negatives.max()))
    thresholds: DoubleArray = np.arange(0.0, top + 1e-12, STEP)[::-1]
    hits = [0.0, *((positives >= t).mean() for t in thresholds), 1.0]
    alarms = [0.0, *((negatives >= t).mean() for t in thresholds), 1.0]
    return float(np.trapezoid(hits, alarms))
