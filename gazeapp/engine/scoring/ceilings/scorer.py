"""Scores of the densities that people predict: of each fixation, on the cells of an image."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from gazeapp.engine.scoring.ceilings.mixture import Mixture
from gazeapp.engine.scoring.ceilings.people import People
from gazeapp.engine.types import BoolArray, DoubleArray, FloatArray, IntArray

NAN = float("nan")
GOLD_METRICS = ("nss", "auc", "sauc", "ig", "ll")
"""Metrics that have a ceiling of this kind."""


class Scorer:
    """Scores densities on one image's fixations.

    Densities have one value a cell, evaluated at its centre; a fixation has the value of its cell.

    Parameters
    ----------
    people
        The people of the image.
    centre
        The centre bias of the other images relative to uniform, shape (rows, columns), mean 1.
    negatives
        Cells of the fixations of other images, shape (n_negatives,).
    metrics
        Ids, of ``GOLD_METRICS``.
    """

    def __init__(
        self, people: People, centre: FloatArray, negatives: IntArray, metrics: Collection[str] = GOLD_METRICS
    ) -> None:
        self.people = people
        self.centre = centre
        self.metrics = tuple(metric for metric in GOLD_METRICS if metric in metrics)
        self._negatives = negatives
        self._at_centre = np.log2(centre.ravel()[people.cells].astype(np.float64))

    def density(self, density: FloatArray, fixations: IntArray) -> dict[str, DoubleArray]:
        """Return each metric of a density at some fixations.

        Parameters
        ----------
        density
            Relative to uniform, above 0, mean 1, shape (rows, columns).
        fixations
            Index of the fixations, shape (m,).

        Returns
        -------
        dict
            Metric -> score of each of these, shape (m,); NSS as z-scores, AUCs as shares of negatives
            below (ties half), LL and IG in bits against uniform and against the centre bias.
        """
        flat = density.ravel()
        at = flat[self.people.cells[fixations]]
        found: dict[str, DoubleArray] = {}
        if "nss" in self.metrics:
            found["nss"] = _z_scores(flat, at)
        if "auc" in self.metrics:
            found["auc"] = _shares_below(at, flat)
        if "sauc" in self.metrics:
            found["sauc"] = _shares_below(at, flat[self._negatives])
        if "ig" in self.metrics or "ll" in self.metrics:
            logs = np.log2(at.astype(np.float64))
            found["ig"], found["ll"] = logs - self._at_centre[fixations], logs
        return {metric: found[metric] for metric in self.metrics}

    def held_out(self, mixture: Mixture, predicts: BoolArray) -> dict[str, DoubleArray]:
        """Return each metric of all fixations, each person predicted from others.

        Parameters
        ----------
        mixture
            Parameters of the densities.
        predicts
            Who predicts whom, shape (n_subjects, n_subjects).

        Returns
        -------
        dict
            Metric -> score of each fixation, shape (n,).
        """
        people = self.people
        widths = mixture.widths(people, predicts)
        found = {metric: np.full(len(people.x), NAN) for metric in self.metrics}
        for subject in range(len(people)):
            own = np.flatnonzero(people.owner == subject)
            sources = np.flatnonzero(predicts[subject, people.owner])
            density = mixture.mix(people.on_cells(sources, widths[subject, sources]), self.centre)
            for metric, values in self.density(density, own).items():
                found[metric][own] = values
        return found

    def everybody(self, mixture: Mixture) -> dict[str, DoubleArray]:
        """Return each metric of all fixations on the density of all people, themselves included."""
        people = self.people
        n = len(people.x)
        widths = mixture.widths(people, np.ones((len(people), len(people)), dtype=np.bool_))[0]
        density = mixture.mix(people.on_cells(np.arange(n), widths), self.centre)
        return self.density(density, np.arange(n))


def _z_scores(flat: FloatArray, at: FloatArray) -> DoubleArray:
    """Return z-scores, their spread over all cells; 0 where the density is the same everywhere."""
    # The mean of densities is 1 but for rounding, so that this loses no digits where they are nearly flat.
    above = flat - np.float32(1.0)
    mean = float(above.mean(dtype=np.float64))
    variance = float(above @ above) / len(above) - mean**2
    if variance <= 0:
        return np.zeros(len(at))
    z_scores: DoubleArray = (at.astype(np.float64) - 1.0 - mean) / np.sqrt(variance)
    return z_scores


def _shares_below(positives: FloatArray, negatives: FloatArray) -> DoubleArray:
    """Return P(positive > negative) + P(tie) / 2 of each positive; NaN without negatives.

    Counted, because a density meets the few fixations of one person: to sort its cells takes longer.
    """
    if not len(negatives):
        return np.full(len(positives), NAN)
    counts = [np.count_nonzero(negatives < one) + np.count_nonzero(negatives <= one) for one in positives]
    return np.array(counts) / (2.0 * len(negatives))
