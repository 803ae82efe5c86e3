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
from gazeapp.engine.types import DoubleArray, FloatArray

LOSO = "loso"
LOSO_CORRECTED = "loso_corrected"
SPLIT_HALF = "split_half_r"
SQRT_SPEARMAN_BROWN = "sqrt_spearman_brown"
HALF_VS_HALF = "half_vs_half"
AGREEMENT_SHARP = "agreement_fixation_map"
AGREEMENT_BLURRED = "agreement_map_map"
N_MAP_SPLITS = 5
"""Splits for SIM and KL, which need whole maps; correlations need only the Gram matrix."""
_FIXATION_METRICS = ("nss", "auc", "sauc")
_MAP_METRICS = ("sim", "kl")
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
    """

    maps: FloatArray
    fixated: tuple[Pixels, ...]

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
    subjects = np.unique(names)
    maps = np.empty((len(subjects), height, width), dtype=np.float32)
    fixated = []
    for k, name in enumerate(subjects):
        own = names == name
        np.matmul(rows[:, own], columns[:, own].T, out=maps[k])
        fixated.append(pixels(xs[own], ys[own], height, width))
    return SubjectMaps(maps, tuple(fixated))


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
        gram = _gram(people.maps)
        found["cc", SPLIT_HALF] = _split_half(gram, first, second)
        if "nss" in metrics:
            found["nss", AGREEMENT_SHARP], found["nss", AGREEMENT_BLURRED] = _agreement(people, gram)
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


def nss_ceiling(
    loso: ArrayLike, loso_r: ArrayLike, factor: ArrayLike, sharp: ArrayLike, blurred: ArrayLike
) -> DoubleArray:
    """Return the NSS of the density that people's fixations are drawn from.

    The NSS of a map g on fixations from a density p is, in expectation, that of p itself times the
    correlation of p and g. For the blurred map of n - 1 subjects that correlation is
    ``sqrt(reliability) * c``: noise, and c = corr(p, blurred p). This divides the
    leave-one-subject-out NSS by both. c follows from two agreements between different people, with
    q = sharp / blurred: ``c = sqrt(1 - (q - 1) ** 2)``, exact where the density is made of Gaussians
    of one width.

    Parameters
    ----------
    loso
        Leave-one-subject-out NSS, mean over images.
    loso_r
        Product of that and the split-half correlation, mean over images: images weigh in the pooled
        reliability as they weigh in the NSS.
    factor
        (Subjects - 1) / subjects of a half, mean over images.
    sharp, blurred
        ``agreement_fixation_map`` and ``agreement_map_map``, means over images.

    Returns
    -------
    numpy.ndarray
        NaN where halves do not agree, or where the blur is so wide (q >= 2) that the density behind
        it cannot be told.
    """
    score, weighted, sharp, blurred = (
        np.asarray(part, dtype=np.float64) for part in (loso, loso_r, sharp, blurred)
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        reliability = spearman_brown(weighted / score, factor)
        # Below 1 is sampling noise: a blurred density cannot agree better with a sharp one than with itself.
        excess = np.maximum(sharp / blurred, 1.0) - 1.0
        ceiling: DoubleArray = score / np.sqrt(reliability * (1.0 - excess**2))
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


def _agreement(people: SubjectMaps, gram: DoubleArray) -> tuple[float, float]:
    """Return how far different people agree above chance: fixations with maps, and maps with maps.

    With densities relative to uniform (mean 1 over pixels) these are the covariance of the density
    with its blurred self and the variance of its blurred self, both without bias from noise, because
    nobody is compared with themselves.
    """
    counts = np.array([len(one) for one in people.fixated], dtype=np.float64)
    pairs = counts.sum() ** 2 - (counts**2).sum()
    n_pixels = people.maps[0].size
    total = people.maps.sum(axis=0).ravel()
    on_others = sum(
        float((total[fixated.index] - own.ravel()[fixated.index]).sum(dtype=np.float64))
        for own, fixated in zip(people.maps, people.fixated, strict=True)
    )
    sharp = n_pixels * on_others / pairs - 1.0
    blurred = n_pixels * (gram.sum() - np.trace(gram)) / pairs
    return sharp, float(blurred)


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
