"""How alike people's scanpaths on one image are, and how alike one more scanpath is to theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from gazeapp.engine.gaze.scanpaths.image import SEQUENCE_SCORE, ImageMeasures
from gazeapp.engine.gaze.scanpaths.measures import MEASURES, Measure, ScanpathSettings
from gazeapp.engine.gaze.scanpaths.multimatch import FEWEST_FIXATIONS
from gazeapp.engine.gaze.scanpaths.scanpath import Scanpath
from gazeapp.engine.types import DoubleArray, IntArray


@dataclass(frozen=True, eq=False)
class Likeness:
    """Pairs of scanpaths of different subjects, and how alike they are.

    Parameters
    ----------
    n_subjects
        Number of subjects.
    one, other
        Numbers of the two subjects of each pair, from 0, shape (p,).
    values
        Id of a measure of two scanpaths -> shape (p,); NaN where a pair has no value.
    """

    n_subjects: int
    one: IntArray
    other: IntArray
    values: Mapping[str, DoubleArray]

    def of_each(self, measure: Measure, without: int = -1) -> DoubleArray:
        """Return how alike each subject is to the others, shape (n_subjects,); NaN without any pair.

        Parameters
        ----------
        measure
            Its ``over_people`` says what the pairs of a subject become.
        without
            Number of a subject who is left out, both as the one compared and among the others; -1: none.
        """
        column = self.values[measure.pairwise]
        used = np.isfinite(column) & (self.one != without) & (self.other != without)
        one, column = self.one[used], column[used]
        if measure.over_people == "best":
            found = np.full(self.n_subjects, np.nan)
            (np.fmax if measure.higher_is_better else np.fmin).at(found, one, column)
            return found
        counts = np.bincount(one, minlength=self.n_subjects).astype(np.float64)
        counts[counts == 0] = np.nan
        each: DoubleArray = np.bincount(one, weights=column, minlength=self.n_subjects) / counts
        return each


@dataclass(frozen=True, eq=False)
class ScanpathScores:
    """How alike people's scanpaths on one image are.

    Parameters
    ----------
    subjects
        Who has a scanpath, in order of appearance.
    between
        All ordered pairs of different subjects on this image (both orders of each).
    chance
        All ordered pairs of different subjects, the first one's scanpath on another image and the second
        one's on this one; None where there was no other image.
    settings
        What was measured, and how.
    n_scanpaths
        Scanpaths that were compared.
    n_empty
        Scanpaths without any fixation, which were left out.
    n_short
        Scanpaths of fewer than 3 fixations, which have no MultiMatch.
    n_untimed
        Scanpaths with a fixation of unknown duration, which have no measure that needs durations.
    """

    subjects: tuple[str, ...]
    between: Likeness
    chance: Likeness | None
    settings: ScanpathSettings
    n_scanpaths: int
    n_empty: int
    n_short: int
    n_untimed: int

    def of_people(self, measure: str) -> dict[str, float]:
        """Return how alike each subject is to the others; NaN where a subject has no value."""
        values = self.between.of_each(MEASURES[measure])
        return dict(zip(self.subjects, values.tolist(), strict=True))

    def mean(self, measure: str, without: str | None = None) -> float:
        """Return the mean over subjects of how alike each is to the others; NaN without any pair.

        Parameters
        ----------
        measure
            Id of a measure.
        without
            A subject who is left out.
        """
        return self._mean(self.between, measure, without)

    def chance_level(self, measure: str, without: str | None = None) -> float:
        """Return the same of people on another image and others on this one; NaN where not known."""
        return float("nan") if self.chance is None else self._mean(self.chance, measure, without)

    def n_pairs(self, measure: str) -> int:
        """Return how many pairs of scanpaths have a value, each pair counted once."""
        return int(np.isfinite(self.between.values[MEASURES[measure].pairwise]).sum()) // 2

    def _mean(self, pairs: Likeness, measure: str, without: str | None) -> float:
        number = -1 if without is None else self.subjects.index(without)
        each = pairs.of_each(MEASURES[measure], number)
        each = each[np.isfinite(each)]
        return float(each.mean()) if len(each) else float("nan")


@dataclass(frozen=True, eq=False)
class Comparison:
    """How alike one scanpath is to those of people on the same image.

    Parameters
    ----------
    subjects
        Subject of each scanpath that it was compared with, shape (k,).
    values
        Id of a measure of two scanpaths -> shape (k,); NaN where there is no value.
    """

    subjects: tuple[str, ...]
    values: Mapping[str, DoubleArray] = field(default_factory=dict)

    def score(self, measure: str) -> float:
        """Return the mean, or the best, over people, as the measure has it; NaN without any value.

        The best of many is better than the best of few, and people are compared with one fewer than a
        model is. So the best here is that of all but one person, averaged over whom is left out.
        """
        facts = MEASURES[measure]
        column = self.values[facts.pairwise]
        column = column[np.isfinite(column)]
        if not len(column):
            return float("nan")
        if facts.over_people == "mean" or len(column) == 1:
            return float(column.mean())
        ordered = np.sort(column if facts.higher_is_better else -column)
        best = ((len(ordered) - 1) * ordered[-1] + ordered[-2]) / len(ordered)
        return float(best if facts.higher_is_better else -best)


def scanpath_scores(
    paths: Sequence[Scanpath],
    width: float,
    height: float,
    settings: ScanpathSettings | None = None,
    elsewhere: Sequence[Scanpath] = (),
) -> ScanpathScores:
    """Compare the scanpaths of all people on an image, every pair of different people.

    Parameters
    ----------
    paths
        Scanpaths on the image, image px. Several of one subject are not compared with each other.
    width, height
        Size of the image, px.
    settings
        What is measured, and how.
    elsewhere
        Scanpaths of the same people on another image, laid onto this one (:meth:`Scanpath.rescaled`):
        the chance level. Pairs of the same subject are left out there, too.

    Raises
    ------
    GazeError
        If MultiMatch is asked for and not installed, or a scanpath lasts too long to be compared.
    """
    settings = settings or ScanpathSettings()
    people = [path for path in paths if len(path)]
    others = [path for path in elsewhere if len(path)]
    subjects = tuple(dict.fromkeys(path.subject for path in people))
    between, chance = _nothing(settings), None
    if people:
        measures = ImageMeasures(people, width, height, settings)
        between = _between(measures, people, subjects)
        chance = _across(measures, people, others, subjects) if others else None
    return ScanpathScores(
        subjects,
        between,
        chance,
        settings,
        n_scanpaths=len(people),
        n_empty=len(paths) - len(people),
        n_short=sum(len(path) < FEWEST_FIXATIONS for path in people),
        n_untimed=sum(not path.has_durations for path in people),
    )


def compare(
    scanpath: Scanpath,
    people: Sequence[Scanpath],
    width: float,
    height: float,
    settings: ScanpathSettings | None = None,
) -> Comparison:
    """Compare one scanpath, such as a model's, with those of people on the same image.

    The places of the sequence score are those of people alone. A scanpath without fixations, or nobody
    to compare it with, gives no values.

    Parameters
    ----------
    scanpath
        The scanpath, image px.
    people
        Scanpaths of people, image px.
    width, height
        Size of the image, px.
    settings
        What is measured, and how.
    """
    settings = settings or ScanpathSettings()
    known = [path for path in people if len(path)]
    subjects = tuple(path.subject for path in known)
    if not known or not len(scanpath):
        return Comparison(subjects, {name: np.full(len(known), np.nan) for name in settings.pairwise})
    pairs = np.zeros(len(known), dtype=np.int64), np.arange(len(known))
    return Comparison(
        subjects, ImageMeasures(known, width, height, settings).values([scanpath], known, pairs)
    )


def _between(measures: ImageMeasures, people: Sequence[Scanpath], subjects: Sequence[str]) -> Likeness:
    """Measure every pair of different subjects, once where the order makes no difference."""
    owner = np.array([subjects.index(path.subject) for path in people], dtype=np.int64)
    i, j = np.triu_indices(len(people), 1)
    different = owner[i] != owner[j]
    i, j = i[different], j[different]
    both = np.concatenate([i, j]), np.concatenate([j, i])
    symmetric = [name for name in measures.names if name != SEQUENCE_SCORE]
    values = measures.values(people, people, both, [SEQUENCE_SCORE])
    for name, column in measures.values(people, people, (i, j), symmetric).items():
        values[name] = np.concatenate([column, column])
    return Likeness(len(subjects), owner[both[0]], owner[both[1]], values)


def _across(
    measures: ImageMeasures,
    people: Sequence[Scanpath],
    elsewhere: Sequence[Scanpath],
    subjects: Sequence[str],
) -> Likeness:
    """Measure everybody's scanpath on the other image against everybody else's on this one."""
    named = dict.fromkeys([*subjects, *(path.subject for path in elsewhere)])
    number = {name: k for k, name in enumerate(named)}
    one = np.array([number[path.subject] for path in elsewhere], dtype=np.int64)
    other = np.array([number[path.subject] for path in people], dtype=np.int64)
    i, j = (index.ravel() for index in np.indices((len(elsewhere), len(people))))
    different = one[i] != other[j]
    i, j = i[different], j[different]
    return Likeness(len(named), one[i], other[j], measures.values(elsewhere, people, (i, j)))


def _nothing(settings: ScanpathSettings) -> Likeness:
    empty = np.zeros(0, dtype=np.int64)
    return Likeness(0, empty, empty, {name: np.zeros(0) for name in settings.pairwise})
