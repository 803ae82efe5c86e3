"""How well people predict people: the ceilings that a model's score is measured against.

Two ingredients for each image, from the subjects' own blurred maps:

* leave-one-subject-out (``loso``): every subject's fixations scored on the map of the others;
* the split-half correlation ``r``: maps of two halves of the subjects, mean over random splits.

Over images they become (docs/methods.md has the derivation):

* CC: ``sqrt(Spearman-Brown(r))``, what a perfect map can reach against a noisy human map;
* NSS: ``loso_corrected``, the mean leave-one-subject-out NSS, corrected for what a map of n - 1
  subjects loses against the density that it estimates: noise (few people) and sharpness (the blur);
* AUC and sAUC: plain ``loso``, a lower bound;
* SIM and KL: ``half_vs_half``, a reference at matched numbers of people, not a ceiling.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from gazeapp.engine.gaze.density import gaussian_profiles
from gazeapp.engine.scoring.metrics import NAN, HumanTarget, Pixels, pixels, score_map
from gazeapp.engine.scoring.presets import TUEBINGEN, Preset
from gazeapp.engine.types import DoubleArray, FloatArray, IntArray

LOSO = "loso"
LOSO_CORRECTED = "loso_corrected"
SPLIT_HALF = "split_half_r"
SQRT_SPEARMAN_BROWN = "sqrt_spearman_brown"
HALF_VS_HALF = "half_vs_half"
AGREEMENT = ("agreement_quarter", "agreement_half", "agreement_one", "agreement_two")
"""Agreement of different people's fixations at a blur of 1/4, 1/2, 1 and 2 times the variance sigma**2."""
N_MAP_SPLITS = 5
"""Splits for SIM and KL, which need whole maps; correlations need only the Gram matrix."""
_FIXATION_METRICS = ("nss", "auc", "sauc")
_MAP_METRICS = ("sim", "kl")
_PAIR_ROWS = 512
_GRAM_PIXELS = 16_384
MIN_SUBJECTS_FOR_HALVES = 4
"""A half of one person would say nothing about people."""


@dataclass(frozen=True)
class SubjectMaps:
    """The subjects of one image, each with a blurred map and fixated pixels.

    Parameters
    ----------
    maps
        Shape (n_subjects, height, width), float32; each sums to that subject's number of fixations,
        so that their sum over subjects is the human map but for its scale.
    fixated
        Fixated pixels of each subject.
    x, y
        Fixations, px, shape (n,).
    owner
        Index of the subject of each fixation, shape (n,).
    sigma_px
        Standard deviation of the Gaussian, px.
    """

    maps: FloatArray
    fixated: tuple[Pixels, ...]
    x: DoubleArray
    y: DoubleArray
    owner: IntArray
    sigma_px: float

    def __len__(self) -> int:
        return len(self.fixated)

    @property
    def n_fixations(self) -> int:
        """Fixations of all subjects together."""
        return sum(len(one) for one in self.fixated)

    def human(self) -> FloatArray:
        """Return the human map, shape (height, width), float32, sums to 1."""
        total: FloatArray = self.maps.sum(axis=0) / np.float32(self.n_fixations)
        return total


def subject_maps(
    x: ArrayLike, y: ArrayLike, subject: ArrayLike, height: int, width: int, sigma_px: float
) -> SubjectMaps:
    """Return each subject's blurred map.

    Parameters
    ----------
    x, y
        Fixations inside the image, px of the frame that is ``height`` x ``width``, shape (n,).
    subject
        Name of the subject of each fixation, shape (n,).
    height, width
        Size of the maps, px.
    sigma_px
        Standard deviation of the Gaussian, px.
    """
    xs, ys, names = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64), np.asarray(subject)
    rows, columns = gaussian_profiles(ys, height, sigma_px), gaussian_profiles(xs, width, sigma_px)
    subjects, owner = np.unique(names, return_inverse=True)
    maps = np.empty((len(subjects), height, width), dtype=np.float32)
    fixated = []
    for k in range(len(subjects)):
        own = owner == k
        np.matmul(rows[:, own], columns[:, own].T, out=maps[k])
        fixated.append(pixels(xs[own], ys[own], height, width))
    return SubjectMaps(maps, tuple(fixated), xs, ys, owner.astype(np.int64), sigma_px)


def image_ceilings(
    people: SubjectMaps,
    others: Pixels,
    preset: Preset = TUEBINGEN,
    metrics: Collection[str] = ("nss", "auc", "sauc", "cc", "sim", "kl"),
    n_splits: int = 100,
    seed: int = 0,
) -> dict[tuple[str, str], float]:
    """Return what one image contributes to the ceilings.

    Parameters
    ----------
    people
        The image's subjects.
    others
        Fixations of other images, the negatives of sAUC.
    preset, metrics
        Conventions, and the metrics that ceilings are wanted for.
    n_splits
        Random halvings of the subjects; SIM and KL use at most 5 of them.
    seed
        Seed of the halvings.

    Returns
    -------
    dict
        (metric, estimator) -> value. ``loso`` needs 2 subjects; ``split_half_r`` (under ``cc``) and
        ``half_vs_half`` need 4. What cannot be had is left out.
    """
    found: dict[tuple[str, str], float] = {}
    wanted = [metric for metric in _FIXATION_METRICS if metric in metrics]
    if preset.auc == "judd" and "auc" in wanted:
        # AUC-Judd depends on the number of fixations: one subject's is up to 1 / (2 n) above that of many.
        wanted.remove("auc")
    if len(people) >= 2 and wanted:
        for metric, value in _leave_one_out(people, others, preset, wanted).items():
            found[metric, LOSO] = value
    if len(people) < MIN_SUBJECTS_FOR_HALVES:
        return found
    first, second = _halves(len(people), n_splits, seed)
    if "cc" in metrics or "nss" in metrics:
        found["cc", SPLIT_HALF] = _split_half(_gram(people.maps), first, second)
    if "nss" in metrics:
        for estimator, value in zip(AGREEMENT, _agreement(people), strict=True):
            found["nss", estimator] = value
    on_maps = [metric for metric in _MAP_METRICS if metric in metrics]
    if on_maps:
        first, second = first[:N_MAP_SPLITS], second[:N_MAP_SPLITS]
        for metric, value in _half_against_half(people, first, second, preset, on_maps).items():
            found[metric, HALF_VS_HALF] = value
    return found


def half_size(n_subjects: int) -> int:
    """Return how many subjects are in each half; with an odd number one sits out of each split."""
    return n_subjects // 2


def spearman_brown(r: ArrayLike, factor: ArrayLike) -> DoubleArray:
    """Return the reliability of a map from ``factor`` times as many subjects as one of reliability ``r``.

    factor r / (1 + (factor - 1) r), Spearman (1910), Brown (1910); NaN where r is not positive: halves
    that do not agree say nothing about the whole.
    """
    r, factor = np.asarray(r, dtype=np.float64), np.asarray(factor, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        reliability: DoubleArray = np.where(r > 0, factor * r / (1.0 + (factor - 1.0) * r), np.nan)
    return reliability


def cc_ceiling(r: ArrayLike, factor: ArrayLike) -> DoubleArray:
    """Return the CC that a perfect map reaches: sqrt of the reliability of the human map.

    Parameters
    ----------
    r
        Split-half correlation, mean over images.
    factor
        Subjects of the human map / subjects of a half, mean over images.
    """
    return np.sqrt(spearman_brown(r, factor))


def nss_ceiling(loso: ArrayLike, loso_r: ArrayLike, factor: ArrayLike, agreement: ArrayLike) -> DoubleArray:
    """Return the NSS of the density that people's fixations are drawn from.

    The NSS of a map g on fixations from a density p is, in expectation, that of p itself times the
    correlation of p and g. For the blurred map of n - 1 subjects that correlation is
    ``sqrt(reliability) * c``: noise, and c = corr(p, blurred p). This divides the
    leave-one-subject-out NSS by both. With A(t) the agreement of people at a blur of variance t,
    ``c ** 2 = A(1) ** 2 / (A(0) A(2))`` in units of sigma ** 2, and ``1 / A(0) = 2 / A(1/4) - 1 / A(1/2)``:
    1 / A is linear in t for Gaussians of one width, and over so short a way nearly so for any density.

    Parameters
    ----------
    loso
        Leave-one-subject-out NSS, mean over images, shape (...).
    loso_r
        Product of that and the split-half correlation, mean over images: images weigh in the pooled
        reliability as they weigh in the NSS.
    factor
        (Subjects - 1) / subjects of a half, mean over images.
    agreement
        The four of ``AGREEMENT``, means over images, shape (..., 4).

    Returns
    -------
    numpy.ndarray
        NaN where halves do not agree, or people agree too little to tell how sharp their density is.
    """
    score, weighted = np.asarray(loso, dtype=np.float64), np.asarray(loso_r, dtype=np.float64)
    quarter, half, one, two = np.moveaxis(np.asarray(agreement, dtype=np.float64), -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        reliability = spearman_brown(weighted / score, factor)
        known = (quarter > 0) & (half > 0) & (two > 0) & (2 * half > quarter)
        squared = one**2 * (2 / quarter - 1 / half) / two
        # Above 1 is sampling noise: no map correlates with another more than perfectly.
        ceiling: DoubleArray = score / np.sqrt(
            reliability * np.where(known, np.minimum(squared, 1.0), np.nan)
        )
    return ceiling


def _leave_one_out(
    people: SubjectMaps, others: Pixels, preset: Preset, metrics: list[str]
) -> dict[str, float]:
    """Return each metric's mean over subjects, weighted by fixations as the models' scores are."""
    values = {metric: np.full(len(people), NAN) for metric in metrics}
    weights = np.zeros(len(people))
    target = HumanTarget(people.maps[0])
    for subject, predicted in _maps_of_others(people.maps):
        own = people.fixated[subject]
        weights[subject] = len(own.unique() if preset.deduplicate else own)
        for metric, value in score_map(predicted, own, others, target, preset, metrics).items():
            values[metric][subject] = value
    return {metric: float(np.average(column, weights=weights)) for metric, column in values.items()}


def _maps_of_others(maps: FloatArray) -> Iterator[tuple[int, FloatArray]]:
    """Yield (subject, sum of all other subjects' maps).

    Halving adds n log n maps. Taking each map off the total would be n, but leaves rounding noise
    exactly where the held-out subject looked alone, and ranks of noise are not a prediction.
    """

    def visit(low: int, high: int, outside: FloatArray) -> Iterator[tuple[int, FloatArray]]:
        if high - low == 1:
            yield low, outside
            return
        middle = (low + high) // 2
        yield from visit(low, middle, outside + maps[middle:high].sum(axis=0))
        yield from visit(middle, high, outside + maps[low:middle].sum(axis=0))

    return visit(0, len(maps), np.zeros(maps.shape[1:], dtype=np.float32))


def _halves(n_subjects: int, n_splits: int, seed: int) -> tuple[DoubleArray, DoubleArray]:
    """Return membership (0 or 1) of two disjoint halves for each split, shape (n_splits, n_subjects) each."""
    order = np.random.default_rng(seed).random((n_splits, n_subjects)).argsort(axis=1)
    half = half_size(n_subjects)
    return (order < half).astype(np.float64), ((order >= half) & (order < 2 * half)).astype(np.float64)


def _gram(maps: FloatArray) -> DoubleArray:
    """Return the inner products of the subjects' maps, each minus its mean, shape (n, n)."""
    flat = maps.reshape(len(maps), -1)
    means = flat.mean(axis=1, dtype=np.float64).astype(np.float32)[:, None]
    gram = np.zeros((len(maps), len(maps)))
    for start in range(0, flat.shape[1], _GRAM_PIXELS):
        block = flat[:, start : start + _GRAM_PIXELS] - means
        gram += block @ block.T
    return gram


def _split_half(gram: DoubleArray, first: DoubleArray, second: DoubleArray) -> float:
    """Return the mean correlation of the maps of two halves; further splits cost nothing."""
    across = np.einsum("sk,kl,sl->s", first, gram, second)
    within = np.einsum("sk,kl,sl->s", first, gram, first) * np.einsum("sk,kl,sl->s", second, gram, second)
    return float(np.mean(across / np.sqrt(within)))


def _agreement(people: SubjectMaps) -> DoubleArray:
    """Return how far different people agree above chance, at the blurs of ``AGREEMENT``, shape (4,).

    With the density relative to uniform (mean 1 over pixels), this is its covariance with itself after
    a Gaussian blur: the mean of the Gaussian over pairs of fixations. It has no bias from noise, because
    nobody is compared with themselves.
    """
    variances = people.sigma_px**2 * np.array([2.0, 1.0, 0.5, 0.25])
    sums, pairs = np.zeros(4), 0
    for start in range(0, len(people.x), _PAIR_ROWS):
        part = slice(start, start + _PAIR_ROWS)
        different = people.owner[part, None] != people.owner[None, :]
        distance = (people.x[part, None] - people.x[None, :])[different] ** 2
        distance += (people.y[part, None] - people.y[None, :])[different] ** 2
        kernel = np.exp(distance / (-2 * variances[0]))
        pairs += len(kernel)
        for k in range(4):
            sums[k] += kernel.sum()
            kernel *= kernel  # half the variance
    agreement: DoubleArray = people.maps[0].size * sums / pairs / (2 * np.pi * variances) - 1.0
    return agreement[::-1]


def _half_against_half(
    people: SubjectMaps, first: DoubleArray, second: DoubleArray, preset: Preset, metrics: list[str]
) -> dict[str, float]:
    """Return the mean of each metric when the map of one half of the people predicts the other's."""
    flat = people.maps.reshape(len(people), -1)
    nobody = Pixels(np.zeros(0, dtype=np.int64))
    shape = people.maps.shape[1:]
    halves = (np.concatenate([first, second]).astype(np.float32) @ flat).reshape(2, -1, *shape)
    rows = [
        score_map(one, nobody, nobody, HumanTarget(other), preset, metrics)
        for one, other in zip(*halves, strict=True)
    ]
    return {metric: float(np.mean([row[metric] for row in rows])) for metric in metrics}
