"""The ceiling of metrics on fixations: how well people would be predicted by infinitely many other people.

One person is left out at a time and predicted from the others by a mixture of kernels on their fixations,
the centre bias of the other images, and uniform (:mod:`.mixture`). Three estimators stand side by side:

* ``loso_mixture``: that prediction's score. A lower bound, because few people are a blurred picture of
  what everybody would look at.
* ``all_mixture``: everybody predicted from everybody, themselves included. Over-fitted: an upper bound.
* ``loso_extrapolated``: the score of the density that the fixations come from. People are predicted from
  all others and from half of the others; what the halves lose tells what all others lose, because the
  loss against the density itself falls with a known power of their number.

docs/methods/ceilings.md has the derivation and what simulations with known densities say about it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.scoring.ceilings.centre import CentreDensity
from gazeapp.engine.scoring.ceilings.mixture import Mixture, Tables, likelihoods
from gazeapp.engine.scoring.ceilings.people import ImageFixations, People, all_others, halves
from gazeapp.engine.scoring.ceilings.scorer import GOLD_METRICS, Scorer
from gazeapp.engine.scoring.cells import cell_index
from gazeapp.engine.types import DoubleArray, FloatArray, IntArray

__all__ = [
    "ALL_MIXTURE",
    "GOLD_METRICS",
    "LOSO_EXTRAPOLATED",
    "LOSO_MIXTURE",
    "LOSS_RATE",
    "GoldScores",
    "ImageFixations",
    "Mixture",
    "TaskGold",
]

LOSO_MIXTURE = "loso_mixture"
ALL_MIXTURE = "all_mixture"
LOSO_EXTRAPOLATED = "loso_extrapolated"
MIN_SUBJECTS = 2
"""One to predict and one to predict from."""
MIN_SUBJECTS_TO_EXTRAPOLATE = 3
"""One to predict, and two to halve."""
LOSS_RATE = {"nss": 2 / 3, "auc": 0.7, "sauc": 2 / 3, "ig": 2 / 3, "ll": 2 / 3}
"""Power of the number of predicting people that each metric's loss falls with.

2/3 is what kernels of the best bandwidth lose in the plane: n ** (-4 / (4 + d)) with d = 2 (Silverman 1986,
section 4.3). AUC looks at order alone; in simulations its loss falls a little faster. No power is fitted to a
study: a free one overshoots by 11 to 23 % at 15 people.
"""


@dataclass(frozen=True)
class GoldScores:
    """How well people predict people on one image.

    Parameters
    ----------
    values
        (metric, estimator) -> score of the image, each fixation counting the same; the mean over images is
        the ceiling. Empty where fewer than 2 people looked; ``loso_extrapolated`` needs 3.
    by_subject
        The same of each subject, shape (n_subjects,): the mean over their fixations.
    subjects
        Names of the subjects, ascending.
    n_fixations
        Fixations of each, shape (n_subjects,): their weights in ``values``.
    """

    values: dict[tuple[str, str], float]
    by_subject: dict[tuple[str, str], DoubleArray]
    subjects: tuple[str, ...]
    n_fixations: IntArray

    def without(self) -> dict[tuple[str, str], DoubleArray]:
        """Return the image's scores without each subject in turn, shape (n_subjects,).

        Each subject is taken off the mean and stays among those who predict the others: the prediction is
        near the best there is, where a small change of it changes its score hardly at all.
        """
        n = self.n_fixations.astype(np.float64)
        rest = n.sum() - n
        found = {}
        for key, scores in self.by_subject.items():
            sums = scores * n
            with np.errstate(invalid="ignore", divide="ignore"):
                found[key] = (sums.sum() - sums) / rest
        return found


class TaskGold:
    """People of all images of a task: what is learned from the others for each of them.

    Parameters
    ----------
    images
        Fixations of each image, by any key.
    centre
        Centre bias of the other images.
    tables
        Likelihoods of the parameters on each image.
    seed
        Seed of the halves.
    """

    def __init__(
        self, images: Mapping[int, ImageFixations], centre: CentreDensity, tables: Tables, seed: int
    ) -> None:
        self._images = images
        self._centre = centre
        self._tables = tables
        self._seed = seed

    @classmethod
    def build(
        cls,
        images: Mapping[int, ImageFixations],
        seed: int = 0,
        on_image: Callable[[int], None] | None = None,
    ) -> TaskGold:
        """Return the task's people, after one pass over all images.

        Parameters
        ----------
        images
            Fixations of each image, by any key from 0; all of these are held, and of each image a table of
            840 likelihoods (3.4 kB).
        seed
            Seed of everything random.
        on_image
            Called after each image with the number of images done; what it raises ends the pass.
        """
        looked = {key: one for key, one in images.items() if len(one.u)}
        centre = CentreDensity(looked)
        tables = {}
        for number, (key, one) in enumerate(looked.items(), start=1):
            people = People(one)
            if len(people) >= MIN_SUBJECTS:
                at = centre.density(key, one.width, one.height).ravel()[people.cells]
                tables[key] = likelihoods(people, at, np.random.default_rng([seed, key]))
            if on_image is not None:
                on_image(number)
        return cls(looked, centre, Tables(tables), seed)

    def centre(self, key: int, width: float, height: float) -> FloatArray:
        """Return log2 of the centre bias of all images but ``key``, relative to uniform.

        Parameters
        ----------
        key
            The image that is left out.
        width, height
            Size of the image, px.

        Returns
        -------
        numpy.ndarray
            Shape (rows, columns) of :func:`~gazeapp.engine.scoring.cells.cell_shape`, finite; the density
            has mean 1. 0 everywhere when no other image has fixations.
        """
        return np.log2(self._centre.density(key, width, height))

    def mixture(self, key: int) -> Mixture | None:
        """Return the parameters chosen from all images but ``key``.

        Those of the image itself where no other has 2 people, which ``own_table`` says; None where it has
        not either.
        """
        return self._tables.best(key)

    def ceilings(
        self,
        key: int,
        negatives: tuple[DoubleArray, DoubleArray],
        metrics: Collection[str] = GOLD_METRICS,
    ) -> GoldScores:
        """Return how well people predict people on one image.

        Parameters
        ----------
        key
            The image.
        negatives
            Fixations of the other images, for sAUC, as shares of width and of height, shape (n,) each.
        metrics
            Ids; others than ``GOLD_METRICS`` have no ceiling of this kind and are passed over.

        Raises
        ------
        GazeError
            When the image has no fixations.
        """
        scorer = self.scorer(key, negatives, metrics)
        people = scorer.people
        mixture = self.mixture(key)
        if len(people) < MIN_SUBJECTS or mixture is None:
            return GoldScores({}, {}, people.subjects, people.n_fixations)
        whole = scorer.held_out(mixture, all_others(len(people)))
        found = {LOSO_MIXTURE: whole, ALL_MIXTURE: scorer.everybody(mixture)}
        if len(people) >= MIN_SUBJECTS_TO_EXTRAPOLATE:
            found[LOSO_EXTRAPOLATED] = self._extrapolated(key, scorer, mixture, whole)
        values, by_subject = {}, {}
        for estimator, columns in found.items():
            for metric, scores in columns.items():
                values[metric, estimator] = float(scores.mean())
                by_subject[metric, estimator] = np.bincount(people.owner, scores) / people.n_fixations
        return GoldScores(values, by_subject, people.subjects, people.n_fixations)

    def scorer(
        self,
        key: int,
        negatives: tuple[DoubleArray, DoubleArray],
        metrics: Collection[str] = GOLD_METRICS,
    ) -> Scorer:
        """Return what scores densities on one image's fixations; as for :meth:`ceilings`."""
        if key not in self._images:
            raise GazeError("There are no fixations on this image.")
        one = self._images[key]
        people = People(one)
        centre = self._centre.density(key, one.width, one.height)
        return Scorer(people, centre, cell_index(*negatives, people.shape), metrics)

    def _extrapolated(
        self, key: int, scorer: Scorer, mixture: Mixture, whole: dict[str, DoubleArray]
    ) -> dict[str, DoubleArray]:
        """Return each metric of each fixation as if infinitely many people predicted it.

        With s(n) = s - a n ** -b, the loss of all n others is that of m of them against all, divided by
        (n / m) ** b - 1; both halves together have the mean of these.
        """
        n_others = len(scorer.people) - 1
        rng = np.random.default_rng([self._seed, key])
        parts, ratios = [], []
        for half in halves(n_others + 1, rng):
            ratio = n_others / int(half[0].sum())
            parts.append(scorer.held_out(mixture.from_fewer(ratio), half))
            ratios.append(ratio)
        limits = {}
        for metric, scores in whole.items():
            gain = float(np.mean([ratio ** LOSS_RATE[metric] - 1.0 for ratio in ratios]))
            limits[metric] = scores + (scores - np.mean([part[metric] for part in parts], axis=0)) / gain
        return limits
