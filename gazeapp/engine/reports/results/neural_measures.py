"""Measures of how well maps predict brain responses, and what can be asked for."""

from __future__ import annotations

from dataclasses import dataclass

from gazeapp.engine.neural.records import (
    DIFFERENCE,
    ENCODING,
    LEFT,
    NAN,
    PARTITION,
    RIGHT,
    RSA,
    NeuralFinding,
)
from gazeapp.engine.reports.numbers import number, percent
from gazeapp.engine.reports.results.words import known

ALPHA = 0.05
MOST_PAIRS = 15
"""Differences up to which all are shown together."""
P_FDR, P_MAX, P_RAW = "p_fdr", "p_max", "p"
CORRECTIONS = {
    P_FDR: "false discovery rate",
    P_MAX: "largest value",
    P_RAW: "not corrected",
}
"""How p is corrected -> its name."""
CORRECTION_MEANINGS = {
    P_FDR: "p corrected over the regions of a source by Benjamini and Hochberg: of the regions in bold, at most "
    "5 % are expected to be there by chance.",
    P_MAX: "p of the largest value over all regions of a source: 5 % of studies without any effect would have one "
    "region in bold.",
    P_RAW: "p of each region alone: of the regions without any effect 5 % are in bold by chance.",
}
MEAN_OF_SUBJECTS = "mean of all"
SIMULATED_RESPONSES = "Simulated responses: a model made them, no brain was measured."


@dataclass(frozen=True, slots=True)
class NeuralMeasure:
    """A number that can be shown for a region and a source.

    Parameters
    ----------
    id, name
        Stable name, and the one to show.
    analysis, measure
        Which findings it is made of.
    meaning
        What it is, one or two sentences.
    unit
        ``%`` for shares of the ceiling; empty for a pure number.
    compares
        Whether it is about a source and another one.
    decimals
        Decimals that are usual.
    """

    id: str
    name: str
    analysis: str
    measure: str
    meaning: str
    unit: str = ""
    compares: bool = False
    decimals: int = 2


R, SHARE, R2, MINUS, UNIQUE, RHO = "r", "share", "r2", "difference", "unique", "rho"
MEASURES: dict[str, NeuralMeasure] = {
    one.id: one
    for one in (
        NeuralMeasure(
            R,
            "r",
            ENCODING,
            "r",
            "Correlation between responses and what maps predict of images that were held out, the mean over folds.",
        ),
        NeuralMeasure(
            SHARE,
            "r, % of ceiling",
            ENCODING,
            "r",
            "That correlation as a share of the highest that a perfect model can reach with these responses.",
            "%",
            decimals=0,
        ),
        NeuralMeasure(
            R2,
            "R²",
            ENCODING,
            "r2",
            "Share of the variance over images that is predicted; below 0 the mean of the other images is better.",
        ),
        NeuralMeasure(
            MINUS,
            "r minus that of",
            DIFFERENCE,
            "r",
            "Difference in correlation between two sources on the same images.",
            compares=True,
        ),
        NeuralMeasure(
            UNIQUE,
            "unique R² beyond",
            PARTITION,
            "unique",
            "Share of the variance that a source predicts beyond another one: R² of both minus R² of the other.",
            compares=True,
            decimals=3,
        ),
        NeuralMeasure(
            RHO,
            "RSA ρ",
            RSA,
            "rho",
            "Rank correlation between how unlike maps are and how unlike patterns of response are, over pairs of "
            "images.",
        ),
    )
}
"""Id -> measure, in the order in which they are offered."""


@dataclass(frozen=True, slots=True)
class NeuralAsked:
    """What is asked for.

    Parameters
    ----------
    task, subject
        Task of the maps, and whose responses; empty for the mean over subjects.
    measure
        Id of a measure.
    against
        Id of the source that others are held against; empty where none is.
    groups
        Whether groups of regions are shown, and not single ones.
    correction
        Which p decides what is marked: ``p_fdr``, ``p_max`` or ``p``.
    region
        Region or group in hand; empty where none is.
    source
        Kind and id of the source in hand.
    """

    task: str
    subject: str = ""
    measure: str = R
    against: str = ""
    groups: bool = False
    correction: str = P_FDR
    region: str = ""
    source: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class Shown:
    """A number as it is shown: in the unit of its measure, with the finding behind it."""

    value: float
    low: float
    high: float
    finding: NeuralFinding

    def is_clear(self, correction: str) -> bool:
        """Return whether the test of the number, so corrected, says that it is not chance."""
        return 0.0 <= p_of(self.finding, correction) < ALPHA


def p_of(finding: NeuralFinding, correction: str) -> float:
    """Return the p of a finding by a correction; NaN where it was not corrected so."""
    return {P_FDR: finding.p_fdr, P_MAX: finding.p_max}.get(correction, finding.p)


def shown(finding: NeuralFinding, measure: str) -> Shown:
    """Return a finding in the unit of a measure."""
    scale = 1.0
    if measure == SHARE:
        scale = 100.0 / finding.ceiling if known(finding.ceiling) and finding.ceiling > 0 else NAN
    return Shown(finding.estimate * scale, finding.low * scale, finding.high * scale, finding)


def value_text(value: float, measure: str) -> str:
    """Return a number with the decimals and the sign that are usual for a measure."""
    if measure == SHARE:
        return percent(value)
    return number(value, MEASURES[measure].decimals)


def hemisphere_of(region: str) -> str:
    """Return ``left`` or ``right`` where a region's id ends so; empty for both or none."""
    end = region.rpartition(" ")[2]
    return end if end in (LEFT, RIGHT) else ""


def subject_name(subject: str) -> str:
    """Return whose responses, in words."""
    return subject or MEAN_OF_SUBJECTS
