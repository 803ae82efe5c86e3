"""What can be known of simulated responses in advance: shares of signal, ceilings, and the scores to expect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gazeapp.engine.maps.common_grid import AttentionMap
from gazeapp.engine.neural.features import map_features
from gazeapp.engine.neural.records import BOTH, LEFT, RIGHT
from gazeapp.engine.neural.simulation.plan import NO_DRIVE
from gazeapp.engine.neural.simulation.simulate import SimulatedRegion, Simulation
from gazeapp.engine.types import BoolArray, DoubleArray, IntArray

PENALTIES = np.logspace(-2, 5, 29)
"""Penalties of which the best is taken, for z-scored predictors."""
_FEWEST_IN_FOLD = 3
_NEARLY_1 = 0.999999


@dataclass(frozen=True, slots=True)
class TruthRow:
    """What is planted in the mean over vertices and subjects of one region.

    Parameters
    ----------
    region, hemisphere
        Name, and ``left``, ``right`` or ``both``.
    drive
        What drives it, ``none`` for noise alone.
    n_vertices
        Number of vertices.
    signal_share
        Share of signal in the variance over images.
    ceiling_r
        Highest correlation that a perfect model can reach: the root of the share of signal.
    expected_r
        What ridge regression on the maps of the true drive can be expected to reach with these images
        (`expected_scores`); 0 for noise alone.
    """

    region: str
    hemisphere: str
    drive: str
    n_vertices: int
    signal_share: float
    ceiling_r: float
    expected_r: float


def folds_of(n_images: int) -> int:
    """Return how many folds the demo's encoding models have: 5, or fewer where they would hold less than 3 images."""
    return max(2, min(5, n_images // _FEWEST_IN_FOLD))


def truth_rows(simulation: Simulation) -> list[TruthRow]:
    """Return what is planted in every region, for both hemispheres together and each alone.

    Driven regions come first, most signal first; the others follow in the order of the atlas.

    Parameters
    ----------
    simulation
        The responses and what is in them.
    """
    settings = simulation.settings
    n_images = len(simulation.responses.images)
    fold = np.random.default_rng(settings.seed).permutation(n_images) % folds_of(n_images)
    features = {
        drive: map_features([AttentionMap(own) for own in maps]) for drive, maps in simulation.drives.items()
    }
    ordered = sorted(simulation.regions, key=lambda region: -region.planted.share if region.planted else 0.0)
    rows: list[TruthRow] = []
    for region in ordered:
        parts = _parts(region)
        means = [region_mean(region, part, settings.n_subjects) for _, part in parts]
        signals, noises = (
            np.column_stack([signal for signal, _ in means]),
            np.array([noise for _, noise in means]),
        )
        shares = signals.var(axis=0) / (signals.var(axis=0) + noises)
        drive, expected = NO_DRIVE, np.zeros(len(parts))
        if region.planted is not None:
            drive = region.planted.drive
            used = np.hstack([features[one] for one in region.planted.drives])
            expected = expected_scores(used, signals, noises, fold)
        rows += [
            TruthRow(
                region.name, hemisphere, drive, int(part.sum()), float(share), float(share**0.5), float(r)
            )
            for (hemisphere, part), share, r in zip(parts, shares, expected, strict=True)
        ]
    return rows


def region_mean(region: SimulatedRegion, part: BoolArray, n_subjects: int) -> tuple[DoubleArray, float]:
    """Return the signal of the mean over some vertices and all subjects, and the variance of its noise.

    Parameters
    ----------
    region
        What is in the region.
    part
        Which of its vertices, shape (n,).
    n_subjects
        Subjects whose mean is taken.

    Returns
    -------
    signal : numpy.ndarray
        Shape (n_images,).
    noise : float
        Expected variance over images.
    """
    signal = region.signal[:, part].mean(axis=1, dtype=np.float64)
    of_side = np.bincount(region.side[part], minlength=2) / part.sum()
    own = of_side @ region.own / part.sum()
    return signal, float(of_side @ region.common @ of_side + own) / n_subjects


def expected_scores(
    features: DoubleArray, signals: DoubleArray, noises: DoubleArray, fold: IntArray
) -> DoubleArray:
    """Return the correlation within folds that ridge regression on known predictors can be expected to reach.

    With a penalty that does not depend on the responses, the predictions of held-out images are a fixed linear
    function P of the responses s + e, e being noise of variance v. Within a fold of m images, with C taking off the
    mean of the fold and e there independent of e in training, the expected covariance with the responses is
    (C P s)ᵀ(C s), and the expected sums of squares are that of C P s plus v times that of C P, and that of C s plus
    v (m - 1). The correlation r is taken from these expectations and turned to Fisher's z, whose expected value is
    larger by r / (2 (m - 1)) in samples of m (Hotelling 1953). Mean over folds, for the best of the penalties; a model
    that has to find its penalty may reach a little less.

    Parameters
    ----------
    features
        Predictors, shape (n_images, n_features); z-scored in each training set.
    signals
        Responses without noise, shape (n_images, n_targets).
    noises
        Variance of the noise of each target, shape (n_targets,).
    fold
        Fold of each image, shape (n_images,); folds of fewer than 3 images are left out.

    Returns
    -------
    numpy.ndarray
        Shape (n_targets,); NaN where no fold has 3 images.
    """
    folds = [k for k in np.unique(fold) if np.sum(fold == k) >= _FEWEST_IN_FOLD]
    if not folds:
        return np.full(signals.shape[1], np.nan)
    z = np.mean([_expected_z(features, signals, noises, fold == k) for k in folds], axis=0)
    best: DoubleArray = np.tanh(z.max(axis=0))
    return best


def _expected_z(
    features: DoubleArray, signals: DoubleArray, noises: DoubleArray, test: BoolArray
) -> DoubleArray:
    """Return Fisher's z of the expected correlation within one fold, shape (n_penalties, n_targets)."""
    observed = signals[test] - signals[test].mean(axis=0)
    observed_squares = np.square(observed).sum(axis=0) + noises * (test.sum() - 1)
    training, held_out = _z_scored_by_training(features, test)
    left, singular, right = np.linalg.svd(training, full_matrices=False)
    held_out = (held_out - held_out.mean(axis=0)) @ right.T
    sources = left.T @ signals[~test]
    z = np.zeros((len(PENALTIES), signals.shape[1]))
    for k, penalty in enumerate(PENALTIES):
        weights = held_out * (singular / (singular**2 + penalty))
        predicted = weights @ sources
        squares = np.square(predicted).sum(axis=0) + noises * np.square(weights).sum()
        scale = np.sqrt(squares * observed_squares)
        r = np.divide((predicted * observed).sum(axis=0), scale, out=np.zeros_like(scale), where=scale > 0)
        z[k] = np.arctanh(np.clip(r, -_NEARLY_1, _NEARLY_1)) + r / (2 * (test.sum() - 1))
    return z


def _z_scored_by_training(features: DoubleArray, test: BoolArray) -> tuple[DoubleArray, DoubleArray]:
    """Return the rows of training and test, z-scored by the training set, without its constant columns."""
    mean, spread = features[~test].mean(axis=0), features[~test].std(axis=0)
    varies = spread > 1e-12 * np.abs(mean)
    scaled = (features[:, varies] - mean[varies]) / spread[varies]
    return scaled[~test], scaled[test]


def _parts(region: SimulatedRegion) -> Sequence[tuple[str, BoolArray]]:
    """Return the vertices of a region that are in both hemispheres and in each, where there are any."""
    left = np.arange(len(region.vertices)) < region.n_left
    parts = ((BOTH, np.ones_like(left)), (LEFT, left), (RIGHT, ~left))
    return [(hemisphere, part) for hemisphere, part in parts if part.any()]
