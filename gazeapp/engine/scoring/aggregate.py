"""From scores of images to one row a source and metric: mean, ceiling, percent and its interval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from gazeapp.engine.scoring.ceilings.corrections import cc_ceiling, half_size
from gazeapp.engine.scoring.ceilings.from_maps import (
    HALF_VS_HALF,
    LOSO,
    SPLIT_HALF,
    SQRT_SPEARMAN_BROWN,
)
from gazeapp.engine.scoring.ceilings.gold import ALL_MIXTURE, LOSO_EXTRAPOLATED, LOSO_MIXTURE
from gazeapp.engine.scoring.facts import METRICS
from gazeapp.engine.scoring.sources import HUMAN, Source
from gazeapp.engine.scoring.statistics.two_way import Ceiling, LeftOutRows, Share, share_of_ceiling
from gazeapp.engine.types import DoubleArray, IntArray

NAN = float("nan")
Parts = Mapping[tuple[str, str], DoubleArray]
"""(metric, estimator) -> each image's part of a ceiling, shape (n_images,), NaN where it has none."""


@dataclass(frozen=True)
class Without:
    """Every image without one of its subjects: one entry for each image and subject who looked at it.

    Parameters
    ----------
    image
        Index of the image, shape (p,).
    subject
        Number of the subject, the same one on all images, shape (p,).
    scores
        Source -> metric -> score of that image without that subject, shape (p,), NaN where there is none.
    parts
        The same of the ceilings' parts.
    """

    image: IntArray
    subject: IntArray
    scores: Mapping[Source, Mapping[str, DoubleArray]]
    parts: Parts


@dataclass(frozen=True, slots=True)
class SourceSummary:
    """One source's score over the images of a task, against the ceiling named by ``estimator``."""

    source: Source
    metric: str
    share: Share
    estimator: str
    chance: float | None


@dataclass(frozen=True)
class CeilingMark:
    """The mark that scores are held against: its columns, and how their means become it."""

    estimator: str
    columns: DoubleArray
    combine: Ceiling
    chance: float


def summarise_task(
    scores: Mapping[Source, Mapping[str, DoubleArray]],
    parts: Parts,
    n_subjects: IntArray,
    n_bootstrap: int = 10_000,
    seed: int = 0,
    without: Without | None = None,
) -> list[SourceSummary]:
    """Return the summary of every source and metric of one task.

    Parameters
    ----------
    scores
        Source -> metric -> value of each image, shape (n_images,), NaN where there is none.
    parts
        What the images contribute to the ceilings.
    n_subjects
        People of each image, shape (n_images,).
    n_bootstrap, seed
        Resamples of the images for the intervals, and their seed.
    without
        The images without one of their subjects, for the part of the intervals that is about people.

    Returns
    -------
    list
        In the order of ``scores``, then people's own rows (``loso``, ``loso_mixture``, ``all_mixture`` and
        ``half_vs_half``). A mean with a percentage is over the images that have every part of the ceiling, too;
        one without is over all images with a score, whether or not they have a reference.
    """
    rows = []
    marks = {metric: ceiling_mark(metric, parts, n_subjects) for metric in METRICS}
    left_out = _LeftOut(without, n_subjects) if without is not None else None
    for source, values in {**scores, **_people(parts)}.items():
        for metric, column in values.items():
            mark = marks[metric]
            if mark is None or source == Source(HUMAN, HALF_VS_HALF):
                share = _mean_only(column)
                estimator = ""
            elif METRICS[metric].chance is None:
                share = _beside_reference(column, mark)
                estimator = mark.estimator
            else:
                rows_left = left_out.rows(source, metric, mark) if left_out is not None else None
                share = share_of_ceiling(
                    column, mark.columns, mark.combine, mark.chance, n_bootstrap, seed, rows_left
                )
                estimator = mark.estimator
            rows.append(SourceSummary(source, metric, share, estimator, METRICS[metric].chance))
    return rows


class _LeftOut:
    """Sources and marks without one subject at a time."""

    def __init__(self, without: Without, n_subjects: IntArray) -> None:
        self._without = without
        self._scores = {**without.scores, **_people(without.parts)}
        n_left = n_subjects[without.image] - 1
        self._marks = {metric: ceiling_mark(metric, without.parts, n_left) for metric in METRICS}

    def rows(self, source: Source, metric: str, mark: CeilingMark) -> LeftOutRows | None:
        """Return the source's scores and the columns of its mark; None where there are none of that mark."""
        column, rest = self._scores.get(source, {}).get(metric), self._marks[metric]
        if column is None or rest is None or rest.estimator != mark.estimator:
            return None
        table = np.column_stack([column, rest.columns])
        return LeftOutRows(self._without.image, self._without.subject, table)


def _people(parts: Parts) -> dict[Source, dict[str, DoubleArray]]:
    """Return people's own scores: one from the others, everybody from everybody, and half against half."""
    own = {
        estimator: {metric: column for (metric, given), column in parts.items() if given == estimator}
        for estimator in (LOSO, LOSO_MIXTURE, ALL_MIXTURE)
    }
    half = {
        metric: column
        for (metric, estimator), column in parts.items()
        if estimator in (HALF_VS_HALF, SPLIT_HALF)
    }
    found = {Source(HUMAN, estimator): columns for estimator, columns in own.items()}
    found[Source(HUMAN, HALF_VS_HALF)] = half
    return {source: columns for source, columns in found.items() if columns}


def ceiling_mark(metric: str, parts: Parts, n_subjects: IntArray) -> CeilingMark | None:
    """Return what ``metric`` is held against, or None when the people do not allow a mark.

    Parameters
    ----------
    metric
        Metric id.
    parts
        What the images contribute to the ceilings.
    n_subjects
        People of each image, shape (n_images,).
    """
    chance = METRICS[metric].chance
    people = np.where(n_subjects > 1, n_subjects, np.nan).astype(np.float64)
    half = np.array([max(half_size(int(n)), 1) for n in n_subjects], dtype=np.float64)
    if metric in ("cc", "spearman") and _any(parts, (metric, SPLIT_HALF)):
        columns = np.column_stack([parts[metric, SPLIT_HALF], people / half])
        return CeilingMark(SQRT_SPEARMAN_BROWN, columns, lambda m: cc_ceiling(m[..., 0], m[..., 1]), 0.0)
    for estimator in (LOSO_EXTRAPOLATED, LOSO_MIXTURE, LOSO, HALF_VS_HALF):
        if _any(parts, (metric, estimator)):
            columns = parts[metric, estimator][:, None]
            return CeilingMark(estimator, columns, lambda m: m[..., 0], NAN if chance is None else chance)
    return None


def _any(parts: Parts, key: tuple[str, str]) -> bool:
    return key in parts and bool(np.isfinite(parts[key]).any())


def _mean_only(column: DoubleArray) -> Share:
    finite = column[np.isfinite(column)]
    mean = float(finite.mean()) if len(finite) else NAN
    return Share(len(finite), mean, NAN, NAN, NAN, NAN)


def _beside_reference(column: DoubleArray, mark: CeilingMark) -> Share:
    """Return the mean over all images with a score, and the reference over those of them that have one.

    No ratio is taken of the two, so that an image that too few people looked at for a reference stays in the mean.
    """
    both = np.isfinite(column) & np.isfinite(mark.columns).all(axis=1)
    reference = float(mark.combine(mark.columns[both].mean(axis=0))) if both.any() else NAN
    return replace(_mean_only(column), ceiling=reference)
