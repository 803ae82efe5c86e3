"""Presets: named sets of metric conventions. Every stored number carries the id of its preset."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from gazeapp.engine.errors import GazeError


@dataclass(frozen=True, slots=True)
class Preset:
    """How the metrics treat what the literature disagrees about.

    Parameters
    ----------
    id
        Name stored with every number.
    name
        Name to show.
    deduplicate
        Whether a pixel that was fixated several times counts once.
    ddof
        Divisor of the standard deviation in NSS is the number of pixels minus this.
    constant
        Value of NSS and the AUCs on a map without structure: their chance level, or ``nan``.
    auc
        ``mann_whitney``: fixated values against all pixels, ties count half.
        ``judd``: thresholds at the fixated values, other pixels as negatives, trapezoids.
    sauc
        ``mann_whitney``: exact ranks. ``steps``: thresholds every 0.1 of the stretched map.
    borji
        AUC-Borji draws as many pixels as there are fixations, many times. ``expected``: what the mean over
        draws is expected to be, by exact ranks. ``drawn``: the mean of 100 draws, thresholds every 0.1.
    information
        Information gain of a map that is no density. ``fitted``: after a conversion to a density that is
        fitted on other images. ``literal``: of the map stretched from minimum to maximum, over the centre
        bias stretched alike; there is no log-likelihood then.
    stretch
        Whether SIM stretches both maps from minimum to maximum first.
    repair
        Whether SIM, KL and EMD shift a map with negative values and take a map of zeros as uniform.
    epsilon
        Constant of KL that stands in for 0.
    source
        Where the conventions come from.
    metrics
        Ids of the metrics that are computed when none are named.
    """

    id: str
    name: str
    deduplicate: bool
    ddof: int
    constant: Literal["chance", "nan"]
    auc: Literal["mann_whitney", "judd"]
    sauc: Literal["mann_whitney", "steps"]
    borji: Literal["expected", "drawn"]
    information: Literal["fitted", "literal"]
    stretch: bool
    repair: bool
    epsilon: float
    source: str
    metrics: tuple[str, ...] = ("nss", "auc", "sauc", "cc", "sim", "kl")

    @property
    def impossible(self) -> tuple[str, ...]:
        """Ids of the metrics that these conventions do not have."""
        return ("ll",) if self.information == "literal" else ()


TUEBINGEN = Preset(
    id="tuebingen",
    name="MIT/Tübingen benchmark",
    deduplicate=False,
    ddof=0,
    constant="chance",
    auc="mann_whitney",
    sauc="mann_whitney",
    borji="expected",
    information="fitted",
    stretch=False,
    repair=True,
    epsilon=2.2204e-16,
    source="saliency.tuebingen.ai/evaluation.html; Kümmerer, Wallis & Bethge (2018), arXiv 1704.08615",
    metrics=("nss", "auc", "sauc", "ig", "cc", "sim", "kl"),
)
MIT = Preset(
    id="mit",
    name="MIT MATLAB code (2012-2018)",
    deduplicate=True,
    ddof=1,
    constant="nan",
    auc="judd",
    sauc="steps",
    borji="drawn",
    information="literal",
    stretch=True,
    repair=False,
    epsilon=2.0**-52,
    source="github.com/cvzoya/saliency, code_forMetrics; Bylinskii et al. (2018), arXiv 1604.03605",
)
HARMONIZATION = replace(
    TUEBINGEN,
    id="harmonization",
    name="Harmonization (Spearman's correlation over its ceiling)",
    source="Fel, Felipe, Linsley & Serre (2022), arXiv 2211.04533",
    metrics=("spearman",),
)
PRESETS: dict[str, Preset] = {preset.id: preset for preset in (TUEBINGEN, MIT, HARMONIZATION)}


def preset(id: str) -> Preset:
    """Return the preset called ``id``.

    Raises
    ------
    GazeError
        When there is no such preset.
    """
    if id not in PRESETS:
        raise GazeError(f"There is no preset called '{id}'.", todo=f"Choose one of: {', '.join(PRESETS)}.")
    return PRESETS[id]
