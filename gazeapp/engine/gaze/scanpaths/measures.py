"""What is measured between two scanpaths: names, meanings and the choices behind each number."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Literal

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.scanpaths.multimatch import DIMENSIONS, FEWEST_FIXATIONS
from gazeapp.engine.types import Json

_MOST_CELLS = 40
"""Columns or rows of the grid: what any two cells earn is a table of at most 1600 x 1600."""

MULTIMATCH = tuple(f"multimatch_{dimension}" for dimension in DIMENSIONS)


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure, explained.

    Parameters
    ----------
    id
        As stored, such as ``scanmatch``.
    name
        Name to show.
    meaning
        One sentence for a tooltip.
    formula
        The formula as text.
    unit
        Unit of the value; empty for a pure number.
    higher_is_better
        Whether a larger value is more alike.
    over_people
        How the values against several people become one: their ``mean``, or the ``best`` of them.
    needs_durations
        Whether scanpaths with a fixation of unknown duration have no value.
    fewest_fixations
        Fixations that each of the two needs.
    """

    id: str
    name: str
    meaning: str
    formula: str
    unit: str = ""
    higher_is_better: bool = True
    over_people: Literal["mean", "best"] = "mean"
    needs_durations: bool = False
    fewest_fixations: int = 1

    @property
    def pairwise(self) -> str:
        """Id of the measure whose values for two scanpaths it rests on."""
        return self.id.removesuffix("_best")


def _multimatch(dimension: str, meaning: str, formula: str) -> Measure:
    return Measure(
        f"multimatch_{dimension}",
        f"MultiMatch {dimension}",
        meaning,
        formula,
        needs_durations=dimension == "duration",
        fewest_fixations=FEWEST_FIXATIONS,
    )


MEASURES: dict[str, Measure] = {
    measure.id: measure
    for measure in (
        Measure(
            "scanmatch",
            "ScanMatch",
            "How well two strings of grid cells can be aligned, near cells counting nearly as much as the "
            "same one; 1 for equal strings.",
            "best global alignment / (threshold · longer string); two cells d cells apart earn threshold − d, "
            "a gap nothing",
        ),
        Measure(
            "scanmatch_duration",
            "ScanMatch with durations",
            "ScanMatch of strings in which a cell is repeated for every 100 ms (or the chosen bin) that it was "
            "looked at.",
            "as ScanMatch, each cell ⌊duration / bin + ½⌋ times",
            needs_durations=True,
        ),
        Measure(
            "string_edit",
            "String edit similarity",
            "Share of the longer string of grid cells that need not be edited to get the other one; 1 for "
            "equal strings.",
            "1 − Levenshtein distance / longer string",
        ),
        Measure(
            "dtw",
            "DTW distance",
            "Mean distance of fixations that are aligned by dynamic time warping; 0 for equal scanpaths.",
            "100 · least sum of distances / number of aligned fixations / diagonal of the image",
            unit="% of the diagonal",
            higher_is_better=False,
        ),
        Measure(
            "sequence_score",
            "Sequence score",
            "Share of the longer string of looked-at places that can be aligned with the same places in the "
            "same order; places are clusters of all people's fixations.",
            "best global alignment / longer string; the same place earns 1, another one and a gap nothing",
        ),
        Measure(
            "sequence_score_best",
            "Best sequence score",
            "The sequence score against the person who is most alike.",
            "largest sequence score over people",
            over_people="best",
        ),
        _multimatch(
            "shape",
            "How alike aligned saccades are as vectors; 1 for the same.",
            "1 − median |difference of vectors| / (2 · diagonal)",
        ),
        _multimatch(
            "direction",
            "How alike the directions of aligned saccades are; 1 for the same, 0 for opposite ones.",
            "1 − median angle / π",
        ),
        _multimatch(
            "length",
            "How alike the amplitudes of aligned saccades are; 1 for the same.",
            "1 − median |difference of amplitudes| / diagonal",
        ),
        _multimatch(
            "position",
            "How near to each other aligned saccades start; 1 for the same places.",
            "1 − median distance of their starts / diagonal",
        ),
        _multimatch(
            "duration",
            "How alike the durations of the fixations before aligned saccades are; 1 for the same.",
            "1 − median (difference / longer one)",
        ),
    )
}

DEFAULT = tuple(name for name in MEASURES if name not in MULTIMATCH)
"""Measures that are computed unless others are named: all but MultiMatch, which takes four times as long
as these together."""


@dataclass(frozen=True)
class ScanpathSettings:
    """What is chosen about the measures.

    Parameters
    ----------
    measures
        Ids of :data:`MEASURES`.
    grid
        Columns and rows of the cells of ScanMatch and string edit, over the whole image.
    threshold
        Distance, in cells, at which a substitution in ScanMatch earns nothing; further ones cost.
    bin_ms
        Time that one symbol of ScanMatch with durations stands for, ms.
    bandwidth
        Radius of the mean shift behind the sequence score, as a share of the image's diagonal; None:
        found in the fixations of each image (``clusters.centres_of``).
    max_steps
        Fixations at which the strings of the sequence score are cut off; None: all.
    """

    measures: tuple[str, ...] = DEFAULT
    grid: tuple[int, int] = (12, 8)
    threshold: float = 3.5
    bin_ms: float = 100.0
    bandwidth: float | None = None
    max_steps: int | None = None

    def __post_init__(self) -> None:
        for name in self.measures:
            if name not in MEASURES:
                raise GazeError(f"'{name}' is no scanpath measure.", todo=f"Choose of {', '.join(MEASURES)}.")
        if not self.measures:
            raise GazeError("No scanpath measure was named.", todo=f"Choose of {', '.join(MEASURES)}.")
        if len(self.grid) != 2 or min(self.grid) < 1 or max(self.grid) > _MOST_CELLS:
            raise GazeError(f"The grid for scanpaths needs 1 to {_MOST_CELLS} columns and rows.")
        positive = {"threshold": self.threshold, "time bin": self.bin_ms, "bandwidth": self.bandwidth}
        for what, value in positive.items():
            if value is not None and not (math.isfinite(value) and value > 0):
                raise GazeError(f"The {what} for scanpaths must be above 0, not {value}.")
        if self.max_steps is not None and self.max_steps < 1:
            raise GazeError("The number of fixations to compare must be 1 or more.")

    def as_json(self) -> Json:
        """Return the settings for storing."""
        return asdict(self)

    @classmethod
    def of(cls, values: Json) -> ScanpathSettings:
        """Return the settings of what :meth:`as_json` gave."""
        lists = {name: tuple(values[name]) for name in ("measures", "grid")}
        return cls(**{**values, **lists})

    @property
    def pairwise(self) -> tuple[str, ...]:
        """Ids of the measures of two scanpaths that the chosen ones rest on."""
        return tuple(dict.fromkeys(MEASURES[name].pairwise for name in self.measures))
