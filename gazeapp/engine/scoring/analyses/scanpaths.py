"""Scanpaths over a study: how alike those of different people are, beside what other images give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gazeapp.engine.gaze.scanpaths import MEASURES, Measure, ScanpathScores
from gazeapp.engine.scoring.analyses.maps import left_out_rows, mean_of
from gazeapp.engine.scoring.findings import SCANPATH, Finding
from gazeapp.engine.scoring.statistics.effects import effect_size
from gazeapp.engine.scoring.statistics.pairs import holm, sign_flip
from gazeapp.engine.scoring.statistics.two_way import IMAGES, Interval, TwoWay
from gazeapp.engine.types import DoubleArray

PEOPLE = "people"
OTHER_IMAGES = "other_images"
"""What people's likeness is held against: the same people, one of each two on another image."""

_BETWEEN, _CHANCE, _ABOVE = 0, 1, 2
"""Columns: people on the same image, people on different images, the difference."""


@dataclass(frozen=True, eq=False)
class ScanpathRecord:
    """What is kept of an image's scanpaths until all images are there.

    Parameters
    ----------
    subjects
        Who has a scanpath, k people.
    measures
        Ids of the measures.
    values
        How alike people are on this image, how alike across images, and the difference, for each measure,
        shape (n_measures, 3); NaN where there is no value.
    without
        The same without each of the people in turn, shape (k, n_measures, 3).
    n_scanpaths, n_empty, n_short, n_untimed
        As of :class:`gazeapp.engine.gaze.scanpaths.ScanpathScores`.
    """

    subjects: tuple[str, ...]
    measures: tuple[str, ...]
    values: DoubleArray
    without: DoubleArray
    n_scanpaths: int
    n_empty: int
    n_short: int
    n_untimed: int

    @classmethod
    def of(cls, scores: ScanpathScores) -> ScanpathRecord:
        """Return what is kept of the scores of an image."""
        measures = scores.settings.measures
        without = [_values(scores, subject) for subject in scores.subjects]
        return cls(
            scores.subjects,
            measures,
            _values(scores, None),
            np.array(without).reshape(len(without), len(measures), 3),
            scores.n_scanpaths,
            scores.n_empty,
            scores.n_short,
            scores.n_untimed,
        )


def scanpath_findings(
    records: Sequence[ScanpathRecord], task: str, n_resamples: int = 10_000, seed: int = 0
) -> list[Finding]:
    """Return how alike people's scanpaths are under one task: three rows for each measure.

    ``people``: the mean over images of the mean over people of how alike they are to the others.
    ``other_images``: the same with each other person's scanpath from another image, the chance level.
    ``people`` against ``other_images``: the difference, image by image, with a sign-flip test, Holm's
    correction over the measures, and d_z. Intervals are over images and people
    (:class:`gazeapp.engine.scoring.statistics.two_way.TwoWay`).

    Parameters
    ----------
    records
        One for each image, all of the same measures.
    task
        The task.
    n_resamples, seed
        Resamples of the intervals and most sign flips of the tests, and their seed.
    """
    if not records:
        return []
    values = np.array([record.values for record in records])
    without = left_out_rows(
        [record.subjects for record in records],
        [record.without.reshape(len(record.subjects), values[0].size) for record in records],
    )
    found = []
    for place, name in enumerate(records[0].measures):
        for column in (_BETWEEN, _CHANCE, _ABOVE):
            # People are known where there is no other image, so each column has images of its own.
            rows = without.columns([place * values.shape[2] + column])
            study = TwoWay(values[:, place, column, None], rows, n_resamples, seed)
            if not study.n_images:
                continue
            interval = study.interval(mean_of(0))
            one = _finding(task, name, column, interval, records, study)
            found.append(
                one
                if column != _ABOVE
                else _tested(one, values[study.complete, place, column], n_resamples, seed)
            )
    return _corrected(found)


def _values(scores: ScanpathScores, without: str | None) -> DoubleArray:
    """Return the three columns of each measure, shape (n_measures, 3)."""
    rows = []
    for measure in scores.settings.measures:
        between, chance = scores.mean(measure, without), scores.chance_level(measure, without)
        rows.append((between, chance, between - chance))
    return np.array(rows)


def _finding(
    task: str,
    measure: str,
    column: int,
    interval: Interval,
    records: Sequence[ScanpathRecord],
    study: TwoWay,
) -> Finding:
    people = {who for k in np.flatnonzero(study.complete).tolist() for who in records[k].subjects}
    return Finding(
        analysis=SCANPATH,
        task=task,
        metric=measure,
        term=OTHER_IMAGES if column == _CHANCE else PEOPLE,
        against=OTHER_IMAGES if column == _ABOVE else "",
        estimate=interval.estimate,
        low=interval.low,
        high=interval.high,
        unit=MEASURES[measure].unit,
        n_images=interval.n_images,
        n_subjects=len(people),
        note=_note(MEASURES[measure], records, interval),
        kind="baseline" if column == _CHANCE else "human",
    )


def _tested(finding: Finding, differences: DoubleArray, n_resamples: int, seed: int) -> Finding:
    """Return a difference with its test against 0 and its effect size."""
    return replace(
        finding, p=sign_flip(differences, n_resamples, seed), effect=effect_size(differences).value
    )


def _corrected(found: Sequence[Finding]) -> list[Finding]:
    """Return findings with Holm's correction over the measures that were tested."""
    tested = [one for one in found if not np.isnan(one.p)]
    corrected = iter(holm([one.p for one in tested]))
    return [one if np.isnan(one.p) else replace(one, p_holm=next(corrected)) for one in found]


def _note(measure: Measure, records: Sequence[ScanpathRecord], interval: Interval) -> str:
    """Return what the number leaves out and what its interval is about, as sentences."""
    n_all = sum(record.n_scanpaths for record in records)
    parts = []
    if measure.fewest_fixations > 1:
        n_short = sum(record.n_short for record in records)
        parts.append((n_short, f"fewer than {measure.fewest_fixations} fixations"))
    if measure.needs_durations:
        parts.append((sum(record.n_untimed for record in records), "a fixation of unknown duration"))
    sentences = [f"{n} of {n_all} scanpaths have {what} and are left out." for n, what in parts if n]
    empty = sum(record.n_empty for record in records)
    if empty:
        sentences.append(f"{empty} of {n_all + empty} trials have no fixation and are left out.")
    images = len(records) - interval.n_images
    if images:
        sentences.append(f"{images} of {len(records)} images have no two scanpaths to compare.")
    if interval.method == IMAGES:
        sentences.append("The interval is about the images alone.")
    return " ".join(sentences)
