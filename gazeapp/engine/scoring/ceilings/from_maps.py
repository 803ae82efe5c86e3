"""How well people predict people, from their own blurred maps.

Two ingredients for each image:

* leave-one-subject-out (``loso``): every subject's fixations scored on the map of the others;
* the split-half correlation ``r``: maps of two halves of the subjects, mean over random splits.

Over images they become (docs/methods/ceilings.md has the derivation):

* CC and Spearman: ``sqrt(Spearman-Brown(r))``, what a perfect map can reach against a noisy human map;
* metrics on fixations: plain ``loso``, a lower bound, where there is none of :mod:`.gold`, as under ``mit``;
* SIM, KL and EMD: ``half_vs_half``, a reference at matched numbers of people, not a ceiling.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from gazeapp.engine.gaze.density import gaussian_profiles
from gazeapp.engine.scoring.ceilings.corrections import half_size
from gazeapp.engine.scoring.left_out import LeftOut
from gazeapp.engine.scoring.metrics import HumanTarget, Pixels, has_percent, pixels, score_map
from gazeapp.engine.scoring.presets import TUEBINGEN, Preset
from gazeapp.engine.scoring.ranks import NAN, centred_ranks, correlations
from gazeapp.engine.types import DoubleArray, FloatArray, IntArray

LOSO = "loso"
SPLIT_HALF = "split_half_r"
SQRT_SPEARMAN_BROWN = "sqrt_spearman_brown"
HALF_VS_HALF = "half_vs_half"
N_MAP_SPLITS = 5
"""Splits for SIM, KL and EMD, which need whole maps; correlations need only the Gram matrix."""
N_RANK_SPLITS = 20
"""Splits for Spearman's correlation, which needs ranks of the maps of halves."""
_RANK_GRID = 4
"""Pixels that ranks of blurred maps are compared at are this part of sigma apart."""
_FIXATION_METRICS = ("nss", "auc", "auc_borji", "sauc")
_MAP_METRICS = ("sim", "kl", "emd")
_GRAM_PIXELS = 16_384
MIN_SUBJECTS_FOR_HALVES = 4
"""A half of one person would say nothing about people."""
MIN_SUBJECTS_TO_LEAVE_ONE_OUT = 3
"""Without one of them, there must still be one to predict and one to predict from."""


@dataclass(frozen=True)
class SubjectMaps:
    """The subjects of one image, each with a blurred map and fixated pixels.

    Parameters
    ----------
    maps
        Shape (n_subjects, height, width), float32; each sums to the weights of that subject's fixations
        (their number, when all count the same), so that their sum over subjects is the human map but for
        its scale.
    fixated
        Fixated pixels of each subject.
    owner
        Index of the subject of each fixation, shape (n,).
    sigma_px
        Standard deviation of the Gaussian, px.
    weight
        Sum of the fixations' weights.
    """

    maps: FloatArray
    fixated: tuple[Pixels, ...]
    owner: IntArray
    sigma_px: float
    weight: float

    def __len__(self) -> int:
        return len(self.fixated)

    @property
    def flat(self) -> FloatArray:
        """The maps, each as one row, shape (n_subjects, n_pixels)."""
        return self.maps.reshape(len(self.maps), -1)

    @cached_property
    def means(self) -> DoubleArray:
        """Mean over pixels of each map, shape (n_subjects,)."""
        means: DoubleArray = self.flat.mean(axis=1, dtype=np.float64)
        return means

    @cached_property
    def gram(self) -> DoubleArray:
        """Inner products of the maps, each minus its mean, shape (n_subjects, n_subjects)."""
        flat, means = self.flat, self.means.astype(np.float32)[:, None]
        gram = np.zeros((len(flat), len(flat)))
        for start in range(0, flat.shape[1], _GRAM_PIXELS):
            block = flat[:, start : start + _GRAM_PIXELS] - means
            gram += block @ block.T
        return gram

    @cached_property
    def grid(self) -> IntArray:
        """Row-major index of pixels a quarter of sigma apart: blurred maps hardly change in between."""
        height, width = self.maps.shape[1:]
        step = max(1, min(int(self.sigma_px / _RANK_GRID), height, width))
        rows, columns = (np.arange(step // 2, size, step) for size in (height, width))
        index: IntArray = (rows[:, None] * width + columns).ravel()
        return index

    def left_out(self) -> LeftOut:
        """Return the people with each of them left out once, for the models' scores."""
        others = 1.0 - np.eye(len(self))
        squares = np.einsum("sk,kl,sl->s", others, self.gram, others)
        index = np.concatenate([one.index for one in self.fixated])
        owner = np.repeat(np.arange(len(self)), [len(one) for one in self.fixated])
        return LeftOut(
            index=index,
            owner=owner,
            order=np.argsort(self.owner, kind="stable"),
            maps=self.flat,
            norms=np.sqrt(np.maximum(squares, 0.0)),
            own_norms=np.sqrt(np.maximum(self.gram.diagonal(), 0.0)),
            grid=self.grid,
        )

    def human(self) -> FloatArray:
        """Return the human map, shape (height, width), float32, sums to 1."""
        total: FloatArray = self.maps.sum(axis=0) / np.float32(self.weight)
        return total


def subject_maps(
    x: ArrayLike,
    y: ArrayLike,
    subject: ArrayLike,
    height: int,
    width: int,
    sigma_px: float,
    weights: DoubleArray | None = None,
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
    weights
        What each fixation counts, above 0, shape (n,); all the same when not given.
    """
    xs, ys, names = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64), np.asarray(subject)
    rows, columns = gaussian_profiles(ys, height, sigma_px), gaussian_profiles(xs, width, sigma_px)
    if weights is not None:
        rows *= weights.astype(np.float32)
    subjects, owner = np.unique(names, return_inverse=True)
    maps = np.empty((len(subjects), height, width), dtype=np.float32)
    fixated = []
    for k in range(len(subjects)):
        own = owner == k
        np.matmul(rows[:, own], columns[:, own].T, out=maps[k])
        fixated.append(pixels(xs[own], ys[own], height, width))
    weight = float(len(xs) if weights is None else weights.sum())
    return SubjectMaps(maps, tuple(fixated), owner.astype(np.int64), sigma_px, weight)


@dataclass(frozen=True)
class ImageCeilings:
    """What one image contributes to the ceilings.

    Parameters
    ----------
    values
        (metric, estimator) -> value. ``loso`` needs 2 subjects; ``split_half_r`` (under ``cc`` and
        ``spearman``) and ``half_vs_half`` need 4. Where fixations are weighted, the last two are of the weighted
        maps. What cannot be had is left out.
    without
        The same without each subject in turn, shape (n_subjects,), for what goes into a percentage
        (not ``half_vs_half``); empty with fewer than 3 subjects, because one of 2 cannot be predicted
        from the others.
    """

    values: dict[tuple[str, str], float]
    without: dict[tuple[str, str], DoubleArray]


def image_ceilings(
    people: SubjectMaps,
    others: Pixels,
    preset: Preset = TUEBINGEN,
    metrics: Collection[str] = TUEBINGEN.metrics,
    n_splits: int = 100,
    seed: int = 0,
    weighted: SubjectMaps | None = None,
) -> ImageCeilings:
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
        Random halvings of the subjects; Spearman uses at most 20 of them, SIM, KL and EMD at most 5.
    seed
        Seed of the halvings, and of the pixels that AUC-Borji draws.
    weighted
        The same subjects with maps in which fixations count their weights; those of CC, Spearman, SIM, KL
        and EMD are taken from it. Fixations on a map (NSS, AUCs) always count the same.
    """
    found: dict[tuple[str, str], float] = {}
    without: dict[tuple[str, str], DoubleArray] = {}
    n = len(people)
    wanted = [metric for metric in _FIXATION_METRICS if metric in metrics and has_percent(metric, preset)]
    if n >= 2 and wanted:
        values, weights = _leave_one_out(people, others, preset, wanted, seed)
        for metric, column in values.items():
            found[metric, LOSO] = float(_weighted_mean(column, weights))
            if n >= MIN_SUBJECTS_TO_LEAVE_ONE_OUT:
                predicted = _nss_without(people, preset) if metric == "nss" else np.tile(column, (n, 1))
                without[metric, LOSO] = _mean_without(predicted, weights)
    if n < MIN_SUBJECTS_FOR_HALVES:
        return ImageCeilings(found, without)
    first, second = _halves(n, n_splits, seed)
    compared = people if weighted is None else weighted
    if "cc" in metrics:
        found["cc", SPLIT_HALF] = _split_half(compared.gram, first, second)
        without["cc", SPLIT_HALF] = _split_half_without(compared.gram, n_splits, seed)
    if "spearman" in metrics:
        found["spearman", SPLIT_HALF], without["spearman", SPLIT_HALF] = _rank_split_half(
            compared, min(n_splits, N_RANK_SPLITS), seed
        )
    on_maps = [metric for metric in _MAP_METRICS if metric in metrics]
    if on_maps:
        first, second = first[:N_MAP_SPLITS], second[:N_MAP_SPLITS]
        for metric, value in _half_against_half(compared, first, second, preset, on_maps).items():
            found[metric, HALF_VS_HALF] = value
    return ImageCeilings(found, without)


def _leave_one_out(
    people: SubjectMaps, others: Pixels, preset: Preset, metrics: list[str], seed: int
) -> tuple[dict[str, DoubleArray], DoubleArray]:
    """Return each metric of each subject on the map of the others, and the subjects' weights.

    Subjects weigh as many as their fixations, as they do in the models' scores.
    """
    values = {metric: np.full(len(people), NAN) for metric in metrics}
    target = HumanTarget(people.maps[0])
    own = _chosen(people, preset)
    for subject, predicted in _maps_of_others(people.maps):
        found = score_map(predicted, own[subject], others, target, preset, metrics, seed)
        for metric, value in found.items():
            values[metric][subject] = value
    return values, np.array([len(one) for one in own], dtype=np.float64)


def _chosen(people: SubjectMaps, preset: Preset) -> list[Pixels]:
    return [one.unique() if preset.deduplicate else one for one in people.fixated]


def _nss_without(people: SubjectMaps, preset: Preset) -> DoubleArray:
    """Return the NSS of each subject (columns) on the map of all but them and the one left out (rows).

    The maps' values at the fixations and their inner products are all that is needed. The diagonal is 0.
    """
    index = [one.index for one in _chosen(people, preset)]
    heights = np.column_stack([people.flat[:, one].mean(axis=1, dtype=np.float64) for one in index])
    heights -= people.means[:, None]
    gram, rows, own = people.gram, people.gram.sum(axis=1), people.gram.diagonal()
    squares = rows.sum() - 2.0 * (rows[:, None] + rows) + own[:, None] + own + 2.0 * gram
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = np.sqrt(squares / (people.flat.shape[1] - preset.ddof))
        scores: DoubleArray = (heights.sum(axis=0) - heights.diagonal() - heights) / spread
    np.fill_diagonal(scores, 0.0)
    return scores


def _weighted_mean(scores: DoubleArray, weights: DoubleArray) -> DoubleArray:
    """Return the weighted mean over the last axis of those who have a score; NaN where nobody has one."""
    known = np.isfinite(scores)
    sums = np.where(known, scores * weights, 0.0).sum(axis=-1)
    with np.errstate(invalid="ignore"):
        means: DoubleArray = sums / (known * weights).sum(axis=-1)
    return means


def _mean_without(scores: DoubleArray, weights: DoubleArray) -> DoubleArray:
    """Return the weighted mean of each row without its diagonal, shape (n_subjects,)."""
    return _weighted_mean(scores, weights * (1.0 - np.eye(len(weights))))


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


def _split_half(gram: DoubleArray, first: DoubleArray, second: DoubleArray) -> float:
    """Return the mean correlation of the maps of two halves; further splits cost nothing.

    NaN where a half has a constant map, as on an image of one pixel.
    """
    across = np.einsum("sk,kl,sl->s", first, gram, second)
    within = np.einsum("sk,kl,sl->s", first, gram, first) * np.einsum("sk,kl,sl->s", second, gram, second)
    return float(np.mean(across / np.sqrt(within))) if (within > 0).all() else NAN


def _split_half_without(gram: DoubleArray, n_splits: int, seed: int) -> DoubleArray:
    """Return the split-half correlation without each subject in turn, shape (n_subjects,).

    Those who are left are halved by the same seed as if the one had never been there.
    """
    first, second = _halves(len(gram) - 1, n_splits, seed)
    people = range(len(gram))
    rest = (np.array([k for k in people if k != left_out]) for left_out in people)
    return np.array([_split_half(gram[np.ix_(one, one)], first, second) for one in rest])


def _rank_split_half(people: SubjectMaps, n_splits: int, seed: int) -> tuple[float, DoubleArray]:
    """Return the mean correlation of the ranks of the maps of two halves, at the pixels of the grid.

    Returns
    -------
    tuple
        With all people, and without each of them in turn, shape (n_subjects,). NaN where a half has a
        constant map.
    """
    maps = people.flat[:, people.grid]

    def mean(rows: FloatArray) -> float:
        halves = (half.astype(np.float32) @ rows for half in _halves(len(rows), n_splits, seed))
        first, second = (np.stack([centred_ranks(one) for one in half]) for half in halves)
        return float(correlations(first, second).mean())

    return mean(maps), np.array([mean(np.delete(maps, k, axis=0)) for k in range(len(maps))])


def _half_against_half(
    people: SubjectMaps, first: DoubleArray, second: DoubleArray, preset: Preset, metrics: list[str]
) -> dict[str, float]:
    """Return the mean of each metric when the map of one half of the people predicts the other's."""
    nobody = Pixels(np.zeros(0, dtype=np.int64))
    shape = people.maps.shape[1:]
    halves = (np.concatenate([first, second]).astype(np.float32) @ people.flat).reshape(2, -1, *shape)
    rows = [
        score_map(one, nobody, nobody, HumanTarget(other), preset, metrics)
        for one, other in zip(*halves, strict=True)
    ]
    return {metric: float(np.mean([row[metric] for row in rows])) for metric in metrics}
