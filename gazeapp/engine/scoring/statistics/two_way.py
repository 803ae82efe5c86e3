"""Numbers about a study and how sure they are: a two-way bootstrap over images and people.

Everything that is a smooth function of means over images goes through :class:`TwoWay`: percent of ceiling,
mean scores, differences, contrasts of a factorial design, ceilings (docs/methods/statistics.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from gazeapp.engine.scoring.statistics.intervals import (
    TAIL,
    People,
    degrees_of_freedom,
    t_quantile,
    variance_of_cells,
)
from gazeapp.engine.scoring.statistics.resampling import drawn_people, resampled_means
from gazeapp.engine.types import BoolArray, DoubleArray, IntArray

Statistic = Callable[[DoubleArray], DoubleArray]
"""From means over images of a table's columns, shape (..., n_columns), to a number, shape (...)."""
Ceiling = Statistic
"""The same for a ceiling: from means over images of its parts."""

MIN_PEOPLE = 3
"""People that the part of an interval that is about people needs."""
MIN_IMAGES = 6
"""Images that an interval needs: of 5 there are 126 different resamples, and 3 of them are the outer 2.5 %."""

IMAGES = "images"
IMAGES_AND_PEOPLE = "images and people"
METHODS: dict[str, str] = {
    IMAGES: "percentile bootstrap over images, for few images by t",
    IMAGES_AND_PEOPLE: "percentile two-way bootstrap over images and people, for few of them by t",
}
"""What an interval is about -> how it was made."""


@dataclass(frozen=True)
class LeftOutRows:
    """Images without one of their subjects: one row for each image and subject who looked at it.

    Parameters
    ----------
    image
        Index of the image, shape (p,).
    subject
        Number of the subject, the same one on all images, shape (p,).
    table
        The image's columns without that subject, shape (p, n_columns); for a share of the ceiling the
        score and the parts of the ceiling.
    """

    image: IntArray
    subject: IntArray
    table: DoubleArray

    def columns(self, chosen: Sequence[int]) -> LeftOutRows:
        """Return the same with some of the columns."""
        return LeftOutRows(self.image, self.subject, self.table[:, list(chosen)])


@dataclass(frozen=True, slots=True)
class Interval:
    """A number about a study with its 95 % interval.

    Parameters
    ----------
    estimate, low, high
        The number and the ends of its interval; NaN where there is none.
    n_images
        Images that went in.
    n_subjects
        People that the interval is about; 0 where it is about the images alone.
    method
        ``images``, ``images and people`` (keys of ``METHODS``), or empty without an interval.
    """

    estimate: float
    low: float
    high: float
    n_images: int
    n_subjects: int
    method: str

    @property
    def note(self) -> str:
        """A sentence where too few images are the reason that there is no interval; else empty."""
        if self.method or self.n_images >= MIN_IMAGES:
            return ""
        if not self.n_images:
            return "No image has all of the scores."
        return f"There is no interval over fewer than {MIN_IMAGES} images."


@dataclass(frozen=True, slots=True)
class Share:
    """A source's mean score and its share of the ceiling.

    Parameters
    ----------
    n_images
        Images that went in: those with a score and, where there is a percentage, every part of the ceiling.
    mean
        Mean score over these images; NaN without any.
    ceiling
        Ceiling over the same images; NaN when there is none.
    percent, low, high
        100 (mean - chance) / (ceiling - chance) and the ends of its 95 % interval, percent; never
        clipped, NaN without a ceiling clearly above chance, and the ends with fewer than 6 images.
    n_subjects
        People that the interval is about; 0 where it is about the images alone.
    method
        ``images``, ``images and people`` (keys of ``METHODS``), or empty without an interval.
    """

    n_images: int
    mean: float
    ceiling: float
    percent: float
    low: float
    high: float
    n_subjects: int = 0
    method: str = ""


class TwoWay:
    """Columns of images, ready for numbers about them with intervals over images and people.

    Parameters
    ----------
    table
        Shape (n, n_columns); images with NaN in any column are left out.
    left_out
        The same columns without each of the images' subjects; None: intervals over images alone.
    n_bootstrap, seed
        Number of resamples and their seed.
    """

    def __init__(
        self,
        table: ArrayLike,
        left_out: LeftOutRows | None = None,
        n_bootstrap: int = 10_000,
        seed: int = 0,
    ) -> None:
        self._all = np.asarray(table, dtype=np.float64)
        self._left_out = left_out
        self._n_bootstrap, self._seed = n_bootstrap, seed
        self.complete: BoolArray = np.asarray(np.isfinite(self._all).all(axis=1))
        """Which images went in, shape (n,)."""
        self.n_images = int(self.complete.sum())

    @cached_property
    def means(self) -> DoubleArray:
        """Means of the columns, shape (n_columns,); NaN without images."""
        if not self.n_images:
            return np.full(self._all.shape[1], np.nan)
        means: DoubleArray = self._all[self.complete].mean(axis=0)
        return means

    @cached_property
    def _resampled(self) -> DoubleArray:
        return resampled_means(self._all[self.complete], self._n_bootstrap, self._seed)

    @cached_property
    def _without(self) -> DoubleArray | None:
        """Means without each subject in turn, shape (m, n_columns); None where people do not enter."""
        if self._left_out is None:
            return None
        without = means_without(self._all, self.complete, self._left_out)
        return without if len(without) >= MIN_PEOPLE else None

    @cached_property
    def _cells(self) -> tuple[IntArray, IntArray, DoubleArray]:
        """Image, subject, and the means when that subject leaves that image alone, shape (p, n_columns)."""
        assert self._left_out is not None
        inside = self.complete[self._left_out.image]
        image, subject = self._left_out.image[inside], self._left_out.subject[inside]
        rows = self._left_out.table[inside]
        known = np.asarray(np.isfinite(rows).all(axis=1))
        change = np.where(known[:, None], rows, 0.0) - self._all[image]
        with np.errstate(invalid="ignore", divide="ignore"):
            means = (self.means * self.n_images + change) / (self.n_images - ~known)[:, None]
        return image, subject, means

    def interval(self, statistic: Statistic) -> Interval:
        """Return a number about the study with its 95 % interval.

        With fewer than 6 images, or where more than 2.5 % of the resamples have no value, there is no
        interval. With fewer than 3 people it is about the images alone.

        Parameters
        ----------
        statistic
            From means of the columns, shape (..., n_columns), to the number, shape (...).
        """
        estimate = float(statistic(self.means))
        low = high = np.nan
        people = None
        if self.n_images >= MIN_IMAGES and np.isfinite(estimate):
            people = self._people(statistic, estimate)
            low, high = self._ends(statistic(self._resampled), estimate, people)
        if not np.isfinite(low):
            return Interval(estimate, np.nan, np.nan, self.n_images, 0, "")
        if people is None:
            return Interval(estimate, low, high, self.n_images, 0, IMAGES)
        return Interval(estimate, low, high, self.n_images, len(people.influence), IMAGES_AND_PEOPLE)

    def is_above(self, statistic: Statistic, value: float) -> bool:
        """Return whether a number is clearly above a value: the lower end of its interval is.

        With 2 to 5 images: at least 97.5 % of the resamples of images are. With one image: the number is.
        """
        if self.n_images >= MIN_IMAGES:
            return self.interval(statistic).low > value
        if self.n_images > 1:
            return bool((statistic(self._resampled) > value).mean() >= 1.0 - TAIL)
        return bool(statistic(self.means) > value)

    def _people(self, statistic: Statistic, estimate: float) -> People | None:
        """Return how a number depends on who looked; None with fewer than 3 people."""
        if self._without is None:
            return None
        without = statistic(self._without)
        known = np.isfinite(without)
        image, subject, means = self._cells
        changes = statistic(means) - estimate
        finite = np.isfinite(changes)
        if known.sum() < MIN_PEOPLE or not finite.any():
            return None
        cells, cells_df = variance_of_cells(image[finite], subject[finite], changes[finite])
        influence = without[known] - without[known].mean()
        return People(influence, variance_over_people(without), cells, cells_df)

    def _ends(self, resampled: DoubleArray, estimate: float, people: People | None) -> tuple[float, float]:
        """Return the ends of the interval from the number in each resample of the images."""
        known = np.isfinite(resampled)
        if 1.0 - known.mean() > TAIL:
            return np.nan, np.nan
        n = self.n_images
        images = float(resampled[known].var()) * n / (n - 1)
        length = t_quantile(n - 1) * np.sqrt(images)
        if people is not None:
            people = people.without_overstatement(images, n)
            both = t_quantile(degrees_of_freedom(images, n, people)) * np.sqrt(images + people.net)
            # With few images a second source of variance brings degrees of freedom, and t falls faster than
            # the variance grows; that people are counted shall not make a number surer.
            if both > length:
                length = both
                drawn = drawn_people(len(people.influence), self._n_bootstrap, self._seed)
                shift = drawn @ people.influence
                resampled = resampled - shift * np.sqrt(people.net / np.square(people.influence).sum())
        resampled = resampled[known]
        low, high = np.quantile(resampled, [TAIL, 1.0 - TAIL])
        spread = float(resampled.var())
        if not spread > 0:
            return float(low), float(high)
        longer = length / (t_quantile(np.inf) * np.sqrt(spread))
        return float(estimate - longer * (estimate - low)), float(estimate + longer * (high - estimate))


def share_of_ceiling(
    scores: ArrayLike,
    parts: ArrayLike,
    ceiling: Ceiling,
    chance: float,
    n_bootstrap: int = 10_000,
    seed: int = 0,
    left_out: LeftOutRows | None = None,
) -> Share:
    """Return the ratio of the mean score to the ceiling, both above chance, with its interval.

    Numerator and denominator see the same images and people in every resample (:class:`TwoWay`), and all
    sources scored on the same number of images the same resamples of them. A ratio to a ceiling that may
    be chance says nothing: there is no percentage unless the lower end of the ceiling's own 95 % interval
    is above chance.

    Parameters
    ----------
    scores
        Score of each image, shape (n,); images with NaN are left out.
    parts
        What each image contributes to the ceiling, shape (n, n_columns); images with NaN are left out.
    ceiling
        Combines the means of ``parts`` into the ceiling.
    chance
        Score of a source that knows nothing.
    n_bootstrap
        Number of resamples.
    seed
        Seed of the resamples.
    left_out
        The images without one of their subjects; None, or fewer than 3 subjects: an interval over
        images alone.
    """
    table = np.column_stack([np.asarray(scores, dtype=np.float64), np.asarray(parts, dtype=np.float64)])
    study = TwoWay(table, left_out, n_bootstrap, seed)

    def mark(means: DoubleArray) -> DoubleArray:
        return ceiling(means[..., 1:])

    n, mean = study.n_images, float(study.means[0])
    if not n:
        return Share(0, mean, np.nan, np.nan, np.nan, np.nan)
    value = float(mark(study.means))
    if not value > chance or not study.is_above(mark, chance):
        return Share(n, mean, value, np.nan, np.nan, np.nan)
    found = study.interval(lambda means: percent_of(means[..., 0], mark(means), chance))
    return Share(n, mean, value, found.estimate, found.low, found.high, found.n_subjects, found.method)


def percent_of(mean: ArrayLike, ceiling: ArrayLike, chance: float) -> DoubleArray:
    """Return 100 (mean - chance) / (ceiling - chance); NaN where the ceiling is not above chance."""
    above = np.asarray(ceiling, dtype=np.float64) - chance
    with np.errstate(invalid="ignore", divide="ignore"):
        percent: DoubleArray = 100.0 * (np.asarray(mean) - chance) / np.where(above > 0, above, np.nan)
    return percent


def means_without(table: DoubleArray, complete: BoolArray, left_out: LeftOutRows) -> DoubleArray:
    """Return the means of the columns over the complete images, without each subject in turn.

    Parameters
    ----------
    table
        Shape (n, n_columns).
    complete
        Which images go in, shape (n,). Images that a subject did not look at stay as they are; those
        that have no value without the subject are left out.
    left_out
        The images without one of their subjects.

    Returns
    -------
    numpy.ndarray
        Shape (n_subjects, n_columns), for the subjects who looked at any of these images.
    """
    inside = complete[left_out.image]
    image, rows = left_out.image[inside], left_out.table[inside]
    subject = left_out.subject[inside]
    known = np.asarray(np.isfinite(rows).all(axis=1))
    change = np.where(known[:, None], rows, 0.0) - table[image]
    sums = table[complete].sum(axis=0) + np.column_stack([np.bincount(subject, one) for one in change.T])
    looked = np.bincount(subject)
    n_images = complete.sum() - np.bincount(subject[~known], minlength=len(looked))
    means: DoubleArray = sums / np.where(n_images > 0, n_images, np.nan)[:, None]
    return means[looked > 0]


def side_by_side(
    tables: Sequence[DoubleArray], left_out: Sequence[LeftOutRows | None]
) -> tuple[DoubleArray, LeftOutRows | None]:
    """Return tables about the same images as one, such as the scores under two tasks.

    Without a subject, the columns of a table that they are not in stay as they are. That way people who
    are in several of the tables leave all of them at once.

    Parameters
    ----------
    tables
        Each of shape (n, its columns).
    left_out
        The same without each of the images' subjects, with the same numbers for the same people; None for
        any of them: none for all.
    """
    whole = np.column_stack(list(tables))
    known = [rows for rows in left_out if rows is not None]
    if len(known) < len(tables):
        return whole, None
    n_numbers = 1 + max(int(rows.subject.max(initial=0)) for rows in known)
    pairs = [rows.image * n_numbers + rows.subject for rows in known]
    different, place = np.unique(np.concatenate(pairs), return_inverse=True)
    own_places = np.split(place, np.cumsum([len(one) for one in pairs])[:-1])
    image, subject = np.divmod(different, n_numbers)
    joined = whole[image]
    first = 0
    for rows, own in zip(known, own_places, strict=True):
        last = first + rows.table.shape[1]
        joined[own, first:last] = rows.table
        first = last
    return whole, LeftOutRows(image, subject, joined)


def variance_over_people(without: DoubleArray) -> float:
    """Return the jackknife's variance of an estimate from its values without each subject in turn.

    (S - 1) / S * sum over S subjects of (value without - mean of these)**2 (Efron & Tibshirani 1993,
    ch. 11); 0 with fewer than 3 subjects.
    """
    values = without[np.isfinite(without)]
    return float((len(values) - 1) * values.var()) if len(values) >= MIN_PEOPLE else 0.0
