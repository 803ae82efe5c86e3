"""The metrics: how far a map agrees with fixations (NSS, AUCs) or with a human map (CC, SIM, KL and others).

Maps have shape (height, width), origin at the top-left; float32 and float64 are computed in their own
precision. Formulas and conventions: docs/methods.md. A :class:`~.presets.Preset` decides what the
literature disagrees about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from gazeapp.engine.errors import GazeError
from gazeapp.engine.scoring.comparison import COMPARED, compare
from gazeapp.engine.scoring.left_out import LeftOut
from gazeapp.engine.scoring.prepared import HumanTarget, Pixels, PreparedMap
from gazeapp.engine.scoring.presets import TUEBINGEN, Preset
from gazeapp.engine.types import DoubleArray

__all__ = [
    "MAP_METRICS",
    "HumanTarget",
    "PeopleScores",
    "Pixels",
    "PreparedMap",
    "auc",
    "auc_borji",
    "auc_judd",
    "cc",
    "emd",
    "has_percent",
    "kl",
    "nss",
    "pixels",
    "sauc",
    "score_map",
    "score_map_of_people",
    "sim",
    "spearman",
]

MAP_METRICS = ("nss", "auc", "sauc", "cc", "sim", "kl")
"""Metrics that take a map as it is; information gain needs a density (:mod:`.densities.information`)."""


@dataclass(frozen=True)
class PeopleScores:
    """Scores of one map with regard to the people who looked.

    Parameters
    ----------
    scores
        Metric -> score with all people.
    without
        Metric -> score without each subject in turn, shape (n_subjects,), for metrics that have a percent of
        ceiling (not SIM, KL, EMD and AUC-Judd).
    of_each
        Metric -> score on each subject's own fixations, or for CC with each subject's own map, shape
        (n_subjects,), for metrics where there is such a thing.
    """

    scores: dict[str, float]
    without: dict[str, DoubleArray]
    of_each: dict[str, DoubleArray]


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
    return PreparedMap(values).nss(fixated, preset)


def auc(values: ArrayLike, fixated: Pixels, preset: Preset = TUEBINGEN) -> float:
    """Return the area under the ROC curve of fixated pixels against the image's pixels.

    ``tuebingen``: the probability that the map is higher at a fixation than at a pixel drawn
    uniformly from the whole image, ties counting half (Mann-Whitney). ``mit``: AUC-Judd without
    jitter, as the MATLAB code computes it (Judd et al. 2012). NaN without fixations.
    """
    return PreparedMap(values).auc(fixated, preset)


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
    return PreparedMap(values).sauc(fixated, others, preset)


def auc_judd(values: ArrayLike, fixated: Pixels, preset: Preset = TUEBINGEN) -> float:
    """Return AUC-Judd without jitter: thresholds at the fixated values, other pixels as negatives.

    ``tuebingen``: every fixation counts, pixels of equal value together, as pysaliency does. ``mit``: as
    the MATLAB code, the same as :func:`auc` there. NaN without fixations. Judd et al. (2012).
    """
    return PreparedMap(values).auc_judd(fixated, preset)


def auc_borji(values: ArrayLike, fixated: Pixels, preset: Preset = TUEBINGEN, seed: int = 0) -> float:
    """Return AUC-Borji: fixated pixels against as many random pixels of the image.

    ``tuebingen``: what the mean over draws is expected to be by exact ranks, which is :func:`auc`.
    ``mit``: mean of 100 draws by ``seed``, thresholds every 0.1; NaN with fewer than two fixated pixels.
    NaN without fixations. Borji et al. (2013).
    """
    return PreparedMap(values).auc_borji(fixated, preset, seed)


def cc(values: ArrayLike, human: ArrayLike) -> float:
    """Return Pearson's correlation of a map and a human map; NaN when either is constant."""
    return _compared(values, human, "cc", TUEBINGEN)


def spearman(values: ArrayLike, human: ArrayLike) -> float:
    """Return the correlation of the ranks of two maps' pixels, ties sharing a rank; NaN when one is constant."""
    return PreparedMap(values).spearman(HumanTarget(human))


def sim(values: ArrayLike, human: ArrayLike, preset: Preset = TUEBINGEN) -> float:
    """Return the similarity of two maps: the sum of the smaller of the two densities, 0..1."""
    return _compared(values, human, "sim", preset)


def kl(values: ArrayLike, human: ArrayLike, preset: Preset = TUEBINGEN) -> float:
    """Return the Kullback-Leibler divergence of the map from the human map, nats; 0 is best.

    sum q ln(e + q / (p + e)) with q the human density, p the map's and e the preset's small constant.
    """
    return _compared(values, human, "kl", preset)


def emd(values: ArrayLike, human: ArrayLike, preset: Preset = TUEBINGEN) -> float:
    """Return the earth mover's distance of two maps, % of the image's longer side; 0 is best.

    Exact between sums over square cells, 16 along the longer side. Rubner, Tomasi & Guibas (2000).
    """
    return PreparedMap(values).emd(HumanTarget(human), preset)


def score_map(
    values: ArrayLike | PreparedMap,
    fixated: Pixels,
    others: Pixels,
    human: HumanTarget,
    preset: Preset = TUEBINGEN,
    metrics: Sequence[str] = MAP_METRICS,
    seed: int = 0,
) -> dict[str, float]:
    """Return several metrics of one map, sharing what they have in common.

    Parameters
    ----------
    values
        Map, shape (height, width), or the same made ready before, such as for another task.
    fixated, others
        Fixated pixels of this image, and of the other images (for sAUC).
    human
        The image's human map, prepared once for all the maps that are compared with it.
    preset, metrics
        Conventions, and ids of the metrics.
    seed
        Seed of the pixels that AUC-Borji draws under ``mit``.

    Returns
    -------
    dict
        Metric id -> value; NaN where the metric has no value.

    Raises
    ------
    GazeError
        When the map holds NaN or infinity, or a metric is unknown.
    """
    return _score(_ready(values), fixated, others, human, preset, metrics, seed)


def score_map_of_people(
    values: ArrayLike | PreparedMap,
    fixated: Pixels,
    others: Pixels,
    human: HumanTarget,
    left_out: LeftOut,
    preset: Preset = TUEBINGEN,
    metrics: Sequence[str] = MAP_METRICS,
    seed: int = 0,
) -> PeopleScores:
    """Return the metrics of one map as :func:`score_map` does, without each subject, and of each alone.

    The map and the negatives of sAUC and AUC-Borji stay as they are. How Spearman's correlation changes
    without a subject is found at the pixels of ``left_out.grid``.
    """
    own = _ready(values)
    held = [metric for metric in metrics if has_percent(metric, preset)]
    of_each = {metric: own.of_each(metric, left_out, others, preset) for metric in held}
    return PeopleScores(
        _score(own, fixated, others, human, preset, metrics, seed),
        {metric: own.without(metric, left_out, others, human, preset, seed) for metric in held},
        {metric: column for metric, column in of_each.items() if column is not None},
    )


def _compared(values: ArrayLike, human: ArrayLike, metric: str, preset: Preset) -> float:
    return compare(PreparedMap(values), HumanTarget(human), (metric,), preset)[metric]


def _ready(values: ArrayLike | PreparedMap) -> PreparedMap:
    return values if isinstance(values, PreparedMap) else PreparedMap(values)


def has_percent(metric: str, preset: Preset) -> bool:
    """Return whether a metric is ever held against a ceiling under a preset."""
    # AUC-Judd depends on the number of fixations: one subject's is up to 1 / (2 n) above that of many.
    if metric == "auc":
        return preset.auc != "judd"
    if metric == "ig":
        return preset.information == "fitted"
    return metric in ("nss", "auc_borji", "sauc", "cc", "spearman")


def _score(
    own: PreparedMap,
    fixated: Pixels,
    others: Pixels,
    human: HumanTarget,
    preset: Preset,
    metrics: Sequence[str],
    seed: int,
) -> dict[str, float]:
    formulas = {
        "nss": lambda: own.nss(fixated, preset),
        "auc": lambda: own.auc(fixated, preset),
        "auc_judd": lambda: own.auc_judd(fixated, preset),
        "auc_borji": lambda: own.auc_borji(fixated, preset, seed),
        "sauc": lambda: own.sauc(fixated, others, preset),
        "spearman": lambda: own.spearman(human),
        "emd": lambda: own.emd(human, preset),
    }
    known = (*formulas, *COMPARED)
    unknown = [metric for metric in metrics if metric not in known]
    if unknown:
        raise GazeError(
            f"There is no metric called '{unknown[0]}'.", todo=f"Choose from: {', '.join(known)}."
        )
    together = [metric for metric in metrics if metric in COMPARED]
    compared = compare(own, human, together, preset) if together else {}
    return {metric: compared[metric] if metric in compared else formulas[metric]() for metric in metrics}
