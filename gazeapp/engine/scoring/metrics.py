"""The metrics: how far a map agrees with fixations (NSS, AUC, sAUC) or with a human map (CC, SIM, KL).

Maps have shape (height, width), origin at the top-left; float32 and float64 are computed in their own
precision. Formulas and conventions: docs/methods.md. A :class:`~.presets.Preset` decides what the
literature disagrees about.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gazeapp.engine.errors import GazeError
from gazeapp.engine.scoring.left_out import LeftOut, means_kept
from gazeapp.engine.scoring.presets import TUEBINGEN, Preset
from gazeapp.engine.types import DoubleArray, IntArray

Values: TypeAlias = NDArray[np.floating[Any]]
NAN = float("nan")
_BLOCK = 16_384
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
    return _Map(values).cc(HumanTarget(human))


def sim(values: ArrayLike, human: ArrayLike, preset: Preset = TUEBINGEN) -> float:
    """Return the similarity of two maps: the sum of the smaller of the two densities, 0..1."""
    return _Map(values).sim(HumanTarget(human), preset)


def kl(values: ArrayLike, human: ArrayLike, preset: Preset = TUEBINGEN) -> float:
    """Return the Kullback-Leibler divergence of the map from the human map, nats; 0 is best.

    sum q ln(e + q / (p + e)) with q the human density, p the map's and e the preset's small constant.
    """
    return _Map(values).kl(HumanTarget(human), preset)


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
    return _score(_Map(values), fixated, others, human, preset, metrics)


def score_map_without(
    values: ArrayLike,
    fixated: Pixels,
    others: Pixels,
    human: HumanTarget,
    left_out: LeftOut,
    preset: Preset = TUEBINGEN,
    metrics: Sequence[str] = ("nss", "auc", "sauc", "cc", "sim", "kl"),
) -> tuple[dict[str, float], dict[str, DoubleArray]]:
    """Return the metrics of one map as :func:`score_map` does, and without each subject in turn.

    The second dict holds the metrics that have a percent of ceiling (not SIM, KL and AUC-Judd), each
    of shape (n_subjects,). The map and the negatives of sAUC stay as they are.
    """
    own = _Map(values)
    return (
        _score(own, fixated, others, human, preset, metrics),
        {
            metric: own.without(metric, left_out, others, preset)
            for metric in metrics
            if has_percent(metric, preset)
        },
    )


def has_percent(metric: str, preset: Preset) -> bool:
    """Return whether a metric is ever held against a ceiling under a preset."""
    # AUC-Judd depends on the number of fixations: one subject's is up to 1 / (2 n) above that of many.
    return metric in ("nss", "sauc", "cc") or (metric == "auc" and preset.auc != "judd")


def _score(
    own: _Map, fixated: Pixels, others: Pixels, human: HumanTarget, preset: Preset, metrics: Sequence[str]
) -> dict[str, float]:
    formulas = {
        "nss": lambda: own.nss(fixated, preset),
        "auc": lambda: own.auc(fixated, preset),
        "sauc": lambda: own.sauc(fixated, others, preset),
        "cc": lambda: own.cc(human),
        "sim": lambda: own.sim(human, preset),
        "kl": lambda: own.kl(human, preset),
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
        self._centred: Values | None = None
        self._densities: dict[_Density, Values] = {}

    @property
    def centred(self) -> Values:
        """The map minus its mean, flat."""
        if self._centred is None:
            self._centred = self.map.flat - self.map.mean
        return self._centred

    def density(self, form: _Density) -> Values:
        """The map in one of its forms as a distribution, flat."""
        if form not in self._densities:
            self._densities[form] = form.of(self.map.flat)
        return self._densities[form]


@dataclass(frozen=True, slots=True)
class _Density:
    """How a map becomes a distribution: ``(values - shift) * scale + base``."""

    shift: np.floating[Any]
    scale: np.floating[Any]
    base: np.floating[Any]

    def of(self, values: Values) -> Values:
        """Return ``values`` of the map as shares of its sum."""
        shares: Values = (values - self.shift if self.shift else values) * self.scale
        if self.base:
            shares += self.base
        return shares


class _Map:
    """A map with the quantities that several metrics share, each computed when first needed.

    Sums over pixels go block by block: temporaries stay in the cache, and single precision stays
    exact to 1e-6 because the sums of blocks are added in double precision.
    """

    def __init__(self, values: ArrayLike) -> None:
        array = np.asarray(values)
        if array.dtype not in (np.float32, np.float64):
            array = array.astype(np.float64)
        if array.ndim != 2 or not array.size:
            raise GazeError(f"A map needs rows and columns; this one has the shape {array.shape}.")
        self.flat: Values = np.ascontiguousarray(array).ravel()
        self.shape = array.shape
        self.low, self.high = self.flat.min(), self.flat.max()
        # The minimum and maximum are NaN or infinite exactly when some value is.
        if not (np.isfinite(self.low) and np.isfinite(self.high)):
            raise GazeError(
                "The map holds values that are not numbers (NaN or infinity).",
                todo="Make the map again, or leave it out.",
            )
        self.constant = bool(self.low == self.high)

    @cached_property
    def total(self) -> float:
        """Sum over pixels."""
        return sum(float(self.flat[part].sum()) for part in self.blocks())

    @cached_property
    def mean(self) -> np.floating[Any]:
        """Mean over pixels, in the map's own precision."""
        return self._own(self.total / len(self.flat))

    @cached_property
    def ordered(self) -> Values:
        """Values in ascending order."""
        return np.sort(self.flat)

    @cached_property
    def norm(self) -> float:
        """Euclidean norm of the map minus its mean."""
        squares = 0.0
        for part in self.blocks():
            centred = self.flat[part] - self.mean
            squares += float(np.dot(centred, centred))
        return math.sqrt(squares)

    def nss(self, fixated: Pixels, preset: Preset) -> float:
        if not len(fixated):
            return NAN
        if self.constant:
            return 0.0 if preset.constant == "chance" else NAN
        chosen = fixated.unique() if preset.deduplicate else fixated
        height = (self.flat[chosen.index] - self.mean).mean(dtype=np.float64)
        return float(height) / (self.norm / math.sqrt(len(self.flat) - preset.ddof))

    def auc(self, fixated: Pixels, preset: Preset) -> float:
        if not len(fixated):
            return NAN
        if self.constant:
            return 0.5 if preset.constant == "chance" else NAN
        chosen = fixated.unique() if preset.deduplicate else fixated
        positives = self.flat[chosen.index]
        if preset.auc == "judd":
            return _judd(positives, self.ordered)
        return float(_ranks(positives, self.ordered).mean())

    def sauc(self, fixated: Pixels, others: Pixels, preset: Preset) -> float:
        if not len(fixated) or not len(others):
            return NAN
        if self.constant:
            return 0.5 if preset.constant == "chance" else NAN
        if preset.deduplicate:
            fixated = fixated.unique()
        positives, negatives = self.flat[fixated.index], self.flat[others.index]
        if preset.sauc == "steps":
            return _stepped(self._stretch(positives), self._stretch(negatives))
        return float(_ranks(positives, np.sort(negatives)).mean())

    def cc(self, human: HumanTarget) -> float:
        self._must_fit(human)
        if self.constant or human.map.constant:
            return NAN
        across, other = 0.0, human.centred
        for part in self.blocks():
            across += float(np.dot(self.flat[part] - self.mean, other[part]))
        return across / (self.norm * human.map.norm)

    def sim(self, human: HumanTarget, preset: Preset) -> float:
        self._must_fit(human)
        # The MATLAB code leaves a map of zeros alone and divides by zero for any other constant map.
        if preset.stretch and any(one.constant and one.low != 0 for one in (self, human.map)):
            return NAN
        own, q = (
            self.density(preset.stretch, preset),
            human.density(human.map.density(preset.stretch, preset)),
        )
        overlap = 0.0
        for part in self.blocks():
            p = own.of(self.flat[part])
            overlap += float(np.minimum(p, q[part], out=p).sum())
        return overlap

    def kl(self, human: HumanTarget, preset: Preset) -> float:
        self._must_fit(human)
        if not preset.repair and (self.low < 0 or human.map.low < 0):
            return NAN
        own, q = self.density(False, preset), human.density(human.map.density(False, preset))
        epsilon, divergence = self._own(preset.epsilon), 0.0
        for part in self.blocks():
            ratio = own.of(self.flat[part])
            ratio += epsilon
            np.divide(q[part], ratio, out=ratio)
            ratio += epsilon
            divergence += float(np.dot(q[part], np.log(ratio, out=ratio)))
        return divergence

    def without(self, metric: str, left_out: LeftOut, others: Pixels, preset: Preset) -> DoubleArray:
        """Return NSS, AUC, sAUC or CC without each subject in turn, shape (n_subjects,)."""
        if metric == "cc":
            return self._cc_without(left_out)
        nothing = np.full(len(left_out.maps), NAN)
        if metric == "sauc" and not len(others):
            return nothing
        if self.constant:
            chance = 0.0 if metric == "nss" else 0.5
            return np.full_like(nothing, chance) if preset.constant == "chance" else nothing
        index, kept = left_out.kept(preset.deduplicate)
        positives = self.flat[index]
        if metric == "nss":
            norm = self.norm / math.sqrt(len(self.flat) - preset.ddof)
            return means_kept((positives - self.mean).astype(np.float64) / norm, kept)
        if metric == "auc":
            return means_kept(_ranks(positives, self.ordered), kept)
        negatives = self.flat[others.index]
        if preset.sauc == "steps":
            high, low = self._stretch(positives), self._stretch(negatives)
            return np.array([_stepped(high[one], low) if one.any() else NAN for one in kept])
        return means_kept(_ranks(positives, np.sort(negatives)), kept)

    def _cc_without(self, left_out: LeftOut) -> DoubleArray:
        across = np.zeros(len(left_out.maps))
        if self.constant:
            return np.full_like(across, NAN)
        for part in self.blocks():
            across += left_out.maps[:, part] @ (self.flat[part] - self.mean)
        with np.errstate(invalid="ignore", divide="ignore"):
            correlation: DoubleArray = (across.sum() - across) / (self.norm * left_out.norms)
        return correlation

    def density(self, stretch: bool, preset: Preset) -> _Density:
        """Return how the map becomes a distribution.

        ``stretch`` takes the minimum off first, as a preset that repairs does where it is negative. A
        map of zeros is uniform for such a preset; otherwise it stays zero.
        """
        shift = float(self.low) if stretch or (preset.repair and self.low < 0) else 0.0
        total = self.total - shift * len(self.flat)
        if self.low == self.high == shift:
            base = 1.0 / len(self.flat) if preset.repair else 0.0
            return _Density(self._own(shift), self._own(0.0), self._own(base))
        return _Density(self._own(shift), self._own(1.0 / total), self._own(0.0))

    def blocks(self) -> Iterator[slice]:
        """Yield slices that together cover the pixels."""
        for start in range(0, len(self.flat), _BLOCK):
            yield slice(start, start + _BLOCK)

    def _own(self, value: float) -> np.floating[Any]:
        """Return a number in the map's own precision."""
        number: np.floating[Any] = self.flat.dtype.type(value)
        return number

    def _stretch(self, values: Values) -> DoubleArray:
        """Return values of the map between its minimum (0) and its maximum (1), in double precision."""
        low, high = float(self.low), float(self.high)
        stretched: DoubleArray = (values.astype(np.float64) - low) / (high - low)
        return stretched

    def _must_fit(self, human: HumanTarget) -> None:
        if self.shape != human.map.shape:
            raise ValueError(f"a map of shape {self.shape} cannot be compared with one of {human.map.shape}")


def _ranks(positives: Values, negatives: Values) -> DoubleArray:
    """Return P(positive > negative) + P(tie) / 2 of each positive; ``negatives`` in ascending order.

    Their mean is the area under the ROC curve (Mann-Whitney).
    """
    below = np.searchsorted(negatives, positives, side="left")
    up_to = np.searchsorted(negatives, positives, side="right")
    return (below + up_to) / (2.0 * len(negatives))


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
