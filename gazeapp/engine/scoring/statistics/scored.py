"""The scores of a task by one metric, as numbers about the study need them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gazeapp.engine.scoring.statistics.two_way import Ceiling, LeftOutRows, Statistic
from gazeapp.engine.types import DoubleArray


@dataclass(frozen=True)
class HeldAgainst:
    """A ceiling that scores are held against.

    Parameters
    ----------
    parts
        What each image contributes to the ceiling, shape (n_images, n_parts).
    ceiling
        Combines the means of ``parts`` into the ceiling.
    chance
        Score of a source that knows nothing.
    """

    parts: DoubleArray
    ceiling: Ceiling
    chance: float


@dataclass(frozen=True)
class Scored:
    """Scores of one task by one metric.

    Parameters
    ----------
    scores
        Source -> score of each image, shape (n_images,), NaN where there is none.
    held
        Their ceiling; None: numbers are in the metric's unit alone.
    left_out
        The same without each of the images' subjects: one column a source in the order of ``scores``,
        then one a part of the ceiling where there is one. None: intervals over images alone.
    """

    scores: Mapping[str, DoubleArray]
    held: HeldAgainst | None = None
    left_out: LeftOutRows | None = None

    @property
    def sources(self) -> list[str]:
        """Sources that any image has a score of."""
        return [source for source, column in self.scores.items() if np.isfinite(column).any()]

    def columns(
        self, sources: Sequence[str], in_percent: bool = False
    ) -> tuple[DoubleArray, LeftOutRows | None]:
        """Return some sources' scores, then the parts of the ceiling if wanted, and both without people."""
        names = list(self.scores)
        chosen = [names.index(source) for source in sources]
        tables = [self.scores[source][:, None] for source in sources]
        if in_percent and self.held is not None:
            chosen += range(len(names), len(names) + self.held.parts.shape[1])
            tables.append(self.held.parts)
        rows = self.left_out.columns(chosen) if self.left_out is not None else None
        return np.hstack(tables), rows

    def above(self, n_sources: int) -> Statistic:
        """Return the ceiling minus chance, from means of ``columns(..., in_percent=True)``."""
        held = self.held
        if held is None:
            raise ValueError("there is no ceiling")
        return lambda means: held.ceiling(means[..., n_sources:]) - held.chance

    def percent(self, weights: DoubleArray) -> Statistic:
        """Return a weighted sum of sources in percent of the ceiling, from the same means.

        Weights that add up to 1 give a mean of sources, with chance taken off; those that add up to 0 a
        difference.
        """
        above = self.above(len(weights))
        chance = self.held.chance if self.held is not None else 0.0
        total = weighted(weights)
        return lambda means: 100.0 * (total(means) - chance * weights.sum()) / above(means)


def weighted(weights: DoubleArray) -> Statistic:
    """Return a weighted sum of the first columns, from means of all."""
    return lambda means: means[..., : len(weights)] @ weights
