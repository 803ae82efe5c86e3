"""Human performance against the number of observers: a diagnostic of how far people's number carries.

Each person is predicted from n random others, for n = 1, 2, 4, ... and all others (cf. Judd, Durand &
Torralba 2012). The curve says whether more people would still change the picture. Its fitted limit is drawn
as a guide and is no ceiling: at 15 people it overshoots the density's own score by 11 to 23 %.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from gazeapp.engine.scoring.ceilings.gold import LOSO_MIXTURE, GoldScores, TaskGold
from gazeapp.engine.scoring.ceilings.people import draws
from gazeapp.engine.scoring.findings import OBSERVERS, Finding
from gazeapp.engine.types import DoubleArray

_Z95 = 1.959964
_POWERS = np.linspace(0.1, 1.5, 141)
MIN_POINTS = 4
"""Numbers of observers that a curve of three parameters can be fitted to."""
_SHARE_OF_IMAGES = 0.9
"""Least share of the images with the most common numbers of observers that a point of a curve needs."""


@dataclass(frozen=True, slots=True)
class ObserverPoint:
    """How well one person is predicted from ``n_observers`` others.

    Parameters
    ----------
    n_observers
        People who predict.
    mean
        Mean score over images.
    low, high
        Ends of its 95 % interval over images (normal); NaN of one image.
    n_images
        Images that so many people and one more looked at.
    """

    n_observers: int
    mean: float
    low: float
    high: float
    n_images: int


@dataclass(frozen=True, slots=True)
class LimitFit:
    """The curve ``limit - loss * n ** -power``, fitted to points: a guide to the eye, never a ceiling."""

    limit: float
    loss: float
    power: float

    def at(self, n_observers: DoubleArray) -> DoubleArray:
        """Return the curve at some numbers of observers."""
        values: DoubleArray = self.limit - self.loss * np.power(n_observers, -self.power)
        return values


@dataclass
class ObserverCurve:
    """Sums over images, one image after another; memory does not grow with their number."""

    _sums: dict[tuple[str, int], tuple[int, float, float]] = field(default_factory=dict)

    def add(self, scores: Mapping[tuple[str, int], float]) -> None:
        """Add what :func:`observer_scores` found on one image."""
        for key, value in scores.items():
            if np.isfinite(value):
                n, mean, squares = self._sums.get(key, (0, 0.0, 0.0))
                # Welford's update: a sum of squares would lose the spread of scores that are nearly alike.
                step = value - mean
                mean += step / (n + 1)
                self._sums[key] = (n + 1, mean, squares + step * (value - mean))

    def points(self, metric: str) -> list[ObserverPoint]:
        """Return the curve of a metric, from few to many observers."""
        found = []
        for (name, size), (n, mean, squares) in sorted(self._sums.items()):
            if name == metric:
                half = _Z95 * np.sqrt(squares / (n - 1) / n) if n > 1 else np.nan
                found.append(ObserverPoint(size, mean, float(mean - half), float(mean + half), n))
        return found

    def findings(self, task: str, n_people: Mapping[tuple[str, int], int]) -> list[Finding]:
        """Return one finding for each metric and number of observers that nearly all images have.

        ``n_people`` are the people, of all who took part, behind the images of each metric and number of observers.

        Points of a curve are compared with each other, so they have to be about the same images. Numbers that fewer
        images have than 90 % of those with the most common numbers are left out; the note of the last point that
        is left says which.
        """
        return [
            finding
            for metric in sorted({name for name, _ in self._sums})
            for finding in self._of(task, metric, n_people)
        ]

    def _of(self, task: str, metric: str, n_people: Mapping[tuple[str, int], int]) -> list[Finding]:
        points = self.points(metric)
        most = max(point.n_images for point in points)
        kept = [point for point in points if point.n_images >= _SHARE_OF_IMAGES * most]
        found = [
            Finding(
                analysis=OBSERVERS,
                task=task,
                metric=metric,
                term=str(point.n_observers),
                estimate=point.mean,
                low=point.low,
                high=point.high,
                n_images=point.n_images,
                n_subjects=n_people[metric, point.n_observers],
                kind="human",
            )
            for point in kept
        ]
        rare = [
            f"{point.n_observers} others ({point.n_images} of {most} images)"
            for point in points
            if point not in kept
        ]
        if rare:
            said = f"Left out, because points over other images would bend the curve: {', '.join(rare)}."
            found[-1] = replace(found[-1], note=said)
        return found


def observer_sizes(n_subjects: int) -> tuple[int, ...]:
    """Return the numbers of observers that are tried: powers of 2, and all others of a person."""
    powers = [2**k for k in range(max(n_subjects - 1, 1).bit_length())]
    return (*(size for size in powers if size < n_subjects - 1), n_subjects - 1)


def observer_scores(
    gold: TaskGold,
    key: int,
    negatives: tuple[DoubleArray, DoubleArray],
    ceilings: GoldScores,
    metrics: Collection[str] = ("nss", "auc", "ig"),
    seed: int = 0,
) -> dict[tuple[str, int], float]:
    """Return how well people are predicted from fewer others on one image.

    Each person has random others of their own. Parameters are those of the image's mixture, with the
    bandwidth that fewer people call for.

    Parameters
    ----------
    gold
        People of all images of the task.
    key
        The image.
    negatives
        Fixations of the other images, for sAUC, shares of width and of height, shape (n,) each.
    ceilings
        The image's ceilings, which hold the score from all others.
    metrics
        Ids, of those in ``ceilings``.
    seed
        Seed of who predicts whom.

    Returns
    -------
    dict
        (metric, number of observers) -> score of the image, each fixation counting the same; empty of an
        image of one person.
    """
    mixture, n_subjects = gold.mixture(key), len(ceilings.subjects)
    wanted = [metric for metric in metrics if (metric, LOSO_MIXTURE) in ceilings.values]
    if mixture is None or not wanted:
        return {}
    scorer = gold.scorer(key, negatives, wanted)
    rng = np.random.default_rng([seed, key])
    *fewer, everybody = observer_sizes(n_subjects)
    found: dict[tuple[str, int], float] = {}
    for size in fewer:
        (predicts,) = draws(n_subjects, size, 1, rng)
        scores = scorer.held_out(mixture.from_fewer(everybody / size), predicts)
        found |= {(metric, size): float(values.mean()) for metric, values in scores.items()}
    return found | {(metric, everybody): ceilings.values[metric, LOSO_MIXTURE] for metric in wanted}


def fitted_limit(points: Collection[ObserverPoint]) -> LimitFit | None:
    """Return the least-squares curve through the points, or None where there are fewer than 4 of them."""
    if len(points) < MIN_POINTS:
        return None
    sizes = np.array([point.n_observers for point in points], dtype=np.float64)
    means = np.array([point.mean for point in points])
    fits = []
    for power in _POWERS:
        terms = np.column_stack([np.ones(len(sizes)), -(sizes**-power)])
        solution = np.linalg.lstsq(terms, means, rcond=None)[0]
        fits.append((float(np.square(terms @ solution - means).sum()), *solution, power))
    _, limit, loss, power = min(fits)
    return LimitFit(float(limit), float(loss), float(power))
