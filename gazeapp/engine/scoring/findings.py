"""A finding: one number about a whole study, with its interval, its test and what it is about."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gazeapp.engine.scoring.statistics.two_way import Interval

NAN = float("nan")

DIFFERENCE = "difference"
FACTORIAL = "factorial"
MODEL_TASK = "model_task"
OBSERVERS = "observers"
CONCENTRATION = "concentration"
LATERALITY = "laterality"
DIFFERENTIATION = "differentiation"
CROSS_TASK = "cross_task"
SCANPATH = "scanpath"
LESION = "lesion"
LESION_CONTROL = "lesion_control"
LESION_SIDE = "lesion_side"
LESION_DOSE = "lesion_dose"
LESION_FACTORIAL = "lesion_factorial"


@dataclass(frozen=True, slots=True)
class Finding:
    """One number about a study.

    Parameters
    ----------
    analysis
        Which analysis it belongs to, one of the constants of this module.
    task
        Task; empty where it is about several.
    metric
        Id of the metric or measure.
    term
        What it is about within the analysis: a source's id, an effect such as ``decoder`` or
        ``encoder:decoder``, a number of observers.
    against
        What it is compared with: another source's id, another task; empty where it stands alone.
    estimate, low, high
        Value and the ends of its 95 % interval, in ``unit``; NaN where there is none.
    unit
        Unit of these; empty for a pure number.
    p, p_holm
        Two-sided p of the test, and corrected for the number of tests of its family; NaN without a test.
    effect
        Standardised effect size: mean of paired differences / their standard deviation over images
        (Cohen's d_z); NaN where it does not apply.
    n_images, n_subjects
        What it rests on; 0 people where people do not enter.
    note
        One sentence where the number needs one.
    kind
        Kind of the source in ``term``: ``model``, ``baseline``, ``human``, ``truth``; empty for other terms.
    lesion
        The lesion that it is about, such as ``left · keys · 1``; empty for none.
    """

    analysis: str
    task: str
    metric: str
    term: str
    against: str = ""
    estimate: float = NAN
    low: float = NAN
    high: float = NAN
    unit: str = ""
    p: float = NAN
    p_holm: float = NAN
    effect: float = NAN
    n_images: int = 0
    n_subjects: int = 0
    note: str = ""
    kind: str = ""
    lesion: str = ""

    def filled(self, interval: Interval) -> Finding:
        """Return the same with the number, its interval and what it rests on; its note behind this one's."""
        return replace(
            self,
            estimate=interval.estimate,
            low=interval.low,
            high=interval.high,
            n_images=interval.n_images,
            n_subjects=interval.n_subjects,
            note=f"{self.note} {interval.note}".strip(),
        )
