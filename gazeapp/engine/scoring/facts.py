"""What each number means, in words that the window and the report share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal


@dataclass(frozen=True, slots=True)
class MetricFacts:
    """One metric, explained.

    Parameters
    ----------
    id
        As stored, such as ``nss``.
    name
        Name to show.
    unit
        Unit of the value; empty for a pure number.
    higher_is_better
        Whether a larger value is better agreement.
    chance
        Value of a source that knows nothing; None where there is no such value.
    meaning
        One sentence for a tooltip.
    formula
        The formula as text.
    ceiling
        One sentence on what 100 % is, or why there is no percentage.
    against
        What maps are compared with: people's fixations or human maps.
    held
        Whether people's own agreement is measured for it, as a ceiling or a reference.
    """

    id: str
    name: str
    unit: str
    higher_is_better: bool
    chance: float | None
    meaning: str
    formula: str
    ceiling: str
    against: Literal["fixations", "maps"] = "fixations"
    held: bool = True


METRICS: dict[str, MetricFacts] = {
    facts.id: facts
    for facts in (
        MetricFacts(
            "nss",
            "NSS",
            "standard deviations",
            True,
            0.0,
            "Height of the map where people looked, in standard deviations above the map's mean, however long "
            "they looked.",
            "NSS = mean over fixations f of (S(f) − mean S) / sd S",
            "100 % is the NSS of the density that people's fixations come from, estimated from how well one person "
            "is predicted by all others and by half of them.",
        ),
        MetricFacts(
            "auc",
            "AUC",
            "",
            True,
            0.5,
            "Probability that the map is higher where a person looked than at a random pixel of the image.",
            "AUC = P(S(fixation) > S(pixel)) + P(S(fixation) = S(pixel)) / 2",
            "100 % is the AUC of the density that people's fixations come from, estimated from how well one person "
            "is predicted by all others and by half of them.",
        ),
        MetricFacts(
            "auc_judd",
            "AUC-Judd",
            "",
            True,
            0.5,
            "Area under the ROC curve with thresholds at the fixated values and the pixels without fixations as "
            "negatives; larger by up to 1 / (2n) with n fixations.",
            "AUC = area below hits against false alarms, by trapezoids; hits = share of fixations, false alarms = "
            "share of pixels without fixations with S ≥ threshold, thresholds = the fixated values",
            "No percentage: the AUC-Judd of one person and of many people are not comparable.",
            held=False,
        ),
        MetricFacts(
            "auc_borji",
            "AUC-Borji",
            "",
            True,
            0.5,
            "Area under the ROC curve of fixations against as many random pixels of the image; exact ranks "
            "give the expectation over all draws, which is AUC.",
            "AUC = P(S(fixation) > S(pixel)) + P(S(fixation) = S(pixel)) / 2",
            "100 % is the AUC-Borji of the density that people's fixations come from, estimated from how well one "
            "person is predicted by all others and by half of them.",
        ),
        MetricFacts(
            "sauc",
            "sAUC",
            "",
            True,
            0.5,
            "Probability that the map is higher where a person looked than where people looked in other "
            "images; a centre bias earns nothing.",
            "sAUC = P(S(fixation) > S(other)) + P(S(fixation) = S(other)) / 2, others = fixations of all "
            "other images of the task, rescaled",
            "100 % is the sAUC of the density that people's fixations come from, estimated from how well one person "
            "is predicted by all others and by half of them.",
        ),
        MetricFacts(
            "ig",
            "IG",
            "bits/fixation",
            True,
            0.0,
            "Information gain: how much better the map, made a density on other images, tells where people look than "
            "the centre bias does.",
            "IG = mean over fixations f of log₂ p(f) − log₂ b(f), p = density of the map, b = centre bias of the "
            "other images",
            "100 % is the information gain of the density that people's fixations come from, estimated from how "
            "well one person is predicted by all others and by half of them.",
        ),
        MetricFacts(
            "ll",
            "LL",
            "bits/fixation",
            True,
            None,
            "Log-likelihood: how much better the map, made a density on other images, tells where people look than "
            "knowing nothing does.",
            "LL = mean over fixations f of log₂ (p(f) · N), p = density of the map, N = number of cells",
            "No percentage: that of information gain is the share of what can be explained.",
        ),
        MetricFacts(
            "cc",
            "CC",
            "",
            True,
            0.0,
            "Pearson's correlation of the map with the human map, pixel by pixel; the human map is weighted by "
            "duration if that was chosen.",
            "CC = cov(S, H) / (sd S · sd H)",
            "100 % is the correlation that a perfect map would reach with a human map of this many people: "
            "√(a r / (1 + (a − 1) r)), r = correlation of the maps of two halves of the people, a = people "
            "/ people in a half.",
            against="maps",
        ),
        MetricFacts(
            "spearman",
            "Spearman",
            "",
            True,
            0.0,
            "Correlation of the ranks of the map's and the human map's pixels: only their order counts, and most "
            "pixels are places where few people looked; the human map is weighted by duration if that was chosen.",
            "ρ = cov(rank S, rank H) / (sd rank S · sd rank H), equal values share the mean of their ranks",
            "100 % is the correlation that a perfect map would reach with a human map of this many people: "
            "√(a r / (1 + (a − 1) r)), r = rank correlation of the maps of two halves of the people, a = people "
            "/ people in a half.",
            against="maps",
        ),
        MetricFacts(
            "sim",
            "SIM",
            "",
            True,
            None,
            "Overlap of the map and the human map as densities, from 0 (none) to 1 (equal); the human map is "
            "weighted by duration if that was chosen.",
            "SIM = Σ min(p, q), p = S / ΣS, q = H / ΣH",
            "No percentage. The reference is the map of half of the people against that of the other half.",
            against="maps",
        ),
        MetricFacts(
            "kl",
            "KL",
            "nats",
            False,
            None,
            "Divergence of the map from the human map: 0 when equal, larger is worse; misses cost most. The human "
            "map is weighted by duration if that was chosen.",
            "KL = Σ q ln(ε + q / (p + ε)), p = S / ΣS, q = H / ΣH, ε = 2.2204e-16",
            "No percentage. The reference is the map of half of the people against that of the other half.",
            against="maps",
        ),
        MetricFacts(
            "emd",
            "EMD",
            "% of the image's longer side",
            False,
            None,
            "Earth mover's distance: how far, on average, the map's mass has to move to become the human map; 0 "
            "when equal, and a near miss costs less than a far one. The human map is weighted by duration if that "
            "was chosen.",
            "EMD = min Σ m(i, j) · d(i, j) over ways m(i, j) ≥ 0 to move p to q between square cells, 16 along the "
            "longer side; d = distance of their centres",
            "No percentage. The reference is the map of half of the people against that of the other half.",
            against="maps",
        ),
    )
}

_LOWER_BOUND = "100 % is the {} of one person's fixations on the map of the others: a lower bound."
_OF_PRESET: dict[tuple[str, str], MetricFacts] = {
    ("mit", "nss"): replace(
        METRICS["nss"],
        formula="NSS = mean over fixated pixels f, each once, of (S(f) − mean S) / sd S",
        ceiling=_LOWER_BOUND.format("NSS"),
    ),
    ("mit", "auc"): replace(
        METRICS["auc"],
        formula="AUC = area below hits against false alarms, by trapezoids; hits = share of fixated pixels, "
        "false alarms = share of other pixels with S ≥ threshold, thresholds = the fixated values",
        ceiling="No percentage: the AUC-Judd of one person and of many people are not comparable.",
        held=False,
    ),
    ("mit", "auc_judd"): replace(
        METRICS["auc_judd"],
        formula="AUC = area below hits against false alarms, by trapezoids; hits = share of fixated pixels, each "
        "once, false alarms = share of other pixels with S ≥ threshold, thresholds = the fixated values",
    ),
    ("mit", "auc_borji"): replace(
        METRICS["auc_borji"],
        meaning="Area under the ROC curve of fixated pixels against as many random pixels of the image, mean of "
        "100 draws.",
        formula="AUC = area below hits against false alarms, by trapezoids; hits = share of fixated pixels, "
        "false alarms = share of random pixels with stretched S ≥ threshold, thresholds every 0.1",
        ceiling=_LOWER_BOUND.format("AUC-Borji"),
    ),
    ("mit", "sauc"): replace(
        METRICS["sauc"],
        formula="sAUC = area below hits against false alarms, by trapezoids; hits = share of fixated pixels, "
        "false alarms = share of the fixations of all other images, rescaled, with stretched S ≥ threshold",
        ceiling=_LOWER_BOUND.format("sAUC"),
    ),
    ("mit", "ig"): replace(
        METRICS["ig"],
        meaning="Information gain of the map, stretched from minimum to maximum and taken as a density, over the "
        "centre bias taken alike; each fixated pixel counts once.",
        formula="IG = mean over fixated pixels f of log₂ (ε + p(f)) − log₂ (ε + b(f)), p = S′ / ΣS′, b = B′ / ΣB′, "
        "S′ and B′ stretched to 0…1, ε = 2⁻⁵²",
        ceiling="No percentage: a map that is no density can be far below the centre bias, and far above.",
        held=False,
    ),
    ("mit", "sim"): replace(
        METRICS["sim"],
        formula="SIM = Σ min(p, q), p = S′ / ΣS′, q = H′ / ΣH′, S′ and H′ stretched to 0…1",
    ),
}


def metric_facts(metric: str, preset: str) -> MetricFacts:
    """Return what a metric means by the conventions of a preset."""
    return _OF_PRESET.get((preset, metric), METRICS[metric])


@dataclass(frozen=True, slots=True)
class CeilingFacts:
    """One way to know how well people predict people.

    Parameters
    ----------
    name
        Name to show.
    formulas
        Each as text, with the signs of arithmetic written out, so that a test can compute by it.
    meaning
        What the signs stand for, and where the formulas come from.
    lower_bound
        Whether what it gives is a lower bound of the ceiling, which a good model can pass.
    """

    name: str
    formulas: tuple[str, ...]
    meaning: str
    lower_bound: bool = False


CEILINGS: dict[str, CeilingFacts] = {
    "loso_extrapolated": CeilingFacts(
        "One person from the others, extrapolated to unlimited people",
        ("C = L(n) + (L(n) − L(m)) / ((n / m)^b − 1)",),
        "L(n): the fixations of each subject scored on the density that is estimated from the n others; L(m): the "
        "same from half of the others, m in number, mean over both halves. A density from few people loses "
        "against the one that the fixations come from as n^−b; b = 2/3 (0.7 for AUC). The density is a mixture of "
        "kernels of adaptive width, the centre bias of the other images and uniform, its bandwidth and weights "
        "chosen on the other images. Mean over images.",
    ),
    "loso_mixture": CeilingFacts(
        "One person from the density of the others",
        (),
        "The fixations of each subject are scored on a density that is estimated from all other subjects: a mixture "
        "of kernels of adaptive width, the centre bias of the other images and uniform, its bandwidth and weights "
        "chosen on the other images. Few people know less than their density, so this is a lower bound.",
        lower_bound=True,
    ),
    "all_mixture": CeilingFacts(
        "Everybody from the density of everybody",
        (),
        "The same density, estimated from all subjects including the one who is scored. It has seen the fixations "
        "that it predicts, so this is an upper bound, which no model should reach.",
    ),
    "loso": CeilingFacts(
        "One person from the others",
        ("L = mean over images of Σ n(s) · M(map of the others, fixations of s) / Σ n(s)",),
        "The fixations of each subject s, n(s) in number, are scored by metric M on the map of all other "
        "subjects. A map of few people knows less than their density, so L is a lower bound of the ceiling.",
        lower_bound=True,
    ),
    "sqrt_spearman_brown": CeilingFacts(
        "The best possible correlation",
        ("C = √(R)", "R = a · r / (1 + (a − 1) · r)"),
        "What a perfect map reaches with a human map of this many people: R is the reliability of the human "
        "map (Spearman 1910, Brown 1910), r the correlation of the maps of two random halves of the subjects "
        "(for Spearman of their ranks), mean over halvings and images, and a = mean of subjects / (subjects in a "
        "half).",
    ),
    "half_vs_half": CeilingFacts(
        "Half of the people against the other half",
        (),
        "The map of one random half of the subjects is scored against that of the other half, mean over at most "
        "5 halvings and over images. Both come from "
        "half of the people, so this is a reference, not a ceiling, and gives no percentage.",
    ),
}
"""Estimator id of what scores are held against -> what it is."""


def is_lower_bound(estimator: str) -> bool:
    """Return whether an estimator gives a lower bound of the ceiling."""
    return estimator in CEILINGS and CEILINGS[estimator].lower_bound


PERCENT = "percent = 100 · (mean − chance) / (ceiling − chance)"
INTERVAL = "V = V(images) + V(people) − V(both)"
PEOPLE_VARIANCE = "V(people) = (S − 1) / S · Σ (number without s − mean of these)²"
BOTH_VARIANCE = "V(both) = (S − 1) / S · N / (N − S) · Σ e²"

ESTIMATORS: dict[str, str] = {
    "loso_extrapolated": "one person predicted from the others, extrapolated to unlimited people",
    "loso_mixture": "one person predicted from the density of the others (a lower bound)",
    "all_mixture": "everybody predicted from everybody, themselves included (an upper bound)",
    "loso": "one person predicted from the others (a lower bound)",
    "sqrt_spearman_brown": "best possible correlation with a human map of this many people",
    "split_half_r": "correlation of the maps of two halves of the people",
    "half_vs_half": "half of the people against the other half (a reference, no ceiling)",
}
"""Estimator id -> words to show."""

SOURCES: dict[str, str] = {
    "uniform": "Uniform",
    "random": "Random",
    "centre_gaussian": "Centre Gaussian",
    "centre_bias": "Centre bias",
    "spectral_residual": "Spectral residual",
    "other_image": "People on another image",
    "other_task": "People under the other task",
    "true_density": "True density (simulated)",
    "loso": "People: one from the others",
    "loso_mixture": "People: lower bound",
    "all_mixture": "People: upper bound",
    "half_vs_half": "People: half against half",
}
"""Sources that are no models -> words to show, baselines from the simplest to the best informed."""

SOURCE_MEANINGS: dict[str, str] = {
    "uniform": "The same value everywhere: what knowing nothing scores.",
    "random": "Noise blurred like a human map: spots of the right size at random places.",
    "centre_gaussian": "A Gaussian about the middle, in proportion to the image: where people look before they see "
    "anything.",
    "centre_bias": "Where people looked in the other images of the task: what the habit of looking at the "
    "centre scores, without knowing the image.",
    "spectral_residual": "What stands out of the picture's own statistics (Hou & Zhang 2007): saliency without any "
    "learning.",
    "other_image": "The human map of one other image of the task: people's map with the wrong picture.",
    "other_task": "The human map of the same image under the other tasks: what knowing the image but not the task "
    "scores.",
    "true_density": "The density that the simulated people were drawn from: it should score 100 % within its "
    "interval. For metrics that compare with human maps, such as CC, it is blurred as these are.",
    "loso": "Each person's fixations scored on the map of all the others.",
    "loso_mixture": "Each person's fixations scored on the density that was estimated from all the others: a "
    "lower bound.",
    "all_mixture": "Everybody's fixations scored on the density that was estimated from everybody, themselves "
    "included: an upper bound.",
    "half_vs_half": "The map of a random half of the people scored against the map of the other half.",
}
"""Sources that are no models -> one sentence for a tooltip."""
