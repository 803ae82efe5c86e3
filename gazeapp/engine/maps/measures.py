"""The measures of maps in words: what each number is, in which unit, by which formula."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MapMeasure:
    """One measure of a map, explained.

    Parameters
    ----------
    id
        As stored, such as ``entropy``.
    name
        Name to show.
    unit
        Unit of the value; empty for a pure number.
    meaning
        One sentence for a tooltip.
    formula
        The formula as text; p is the density on the common grid, which sums to 1 over N cells.
    """

    id: str
    name: str
    unit: str
    meaning: str
    formula: str


CONCENTRATION: tuple[MapMeasure, ...] = (
    MapMeasure(
        "entropy_bits",
        "Entropy",
        "bits",
        "How spread out a map is; it depends on the number of cells.",
        "H = −Σ p log₂ p",
    ),
    MapMeasure(
        "entropy",
        "Relative entropy",
        "",
        "Entropy as a share of that of a uniform map: 1 when attention is everywhere, 0 on a single cell.",
        "H / log₂ N",
    ),
    MapMeasure(
        "effective_area",
        "Effective area",
        "share of the image",
        "Part of the image that a uniform patch of the same entropy would cover.",
        "2^H / N",
    ),
    MapMeasure(
        "participation",
        "Participation ratio",
        "share of the image",
        "Part of the image that a uniform patch with the same sum of squares would cover; peaks count more than "
        "in the effective area.",
        "1 / (N Σ p²)",
    ),
    MapMeasure(
        "gini",
        "Gini coefficient",
        "",
        "Inequality of the cells: 0 when all are equal, near 1 when one has everything.",
        "G = 2 Σ i p(i) / N − (N + 1) / N, p(1) ≤ p(2) ≤ …",
    ),
    MapMeasure(
        "top_5", "Mass in the top 5 %", "", "Share of the mass in the densest 5 % of the cells.", "Σ p"
    ),
    MapMeasure(
        "top_10", "Mass in the top 10 %", "", "Share of the mass in the densest 10 % of the cells.", "Σ p"
    ),
    MapMeasure(
        "top_20", "Mass in the top 20 %", "", "Share of the mass in the densest 20 % of the cells.", "Σ p"
    ),
    MapMeasure(
        "half_max_area",
        "Half-maximum area",
        "share of the image",
        "Part of the image where the map is at least half as high as at its peak; it depends on the one highest "
        "cell.",
        "share of cells with p ≥ max p / 2",
    ),
    MapMeasure(
        "centre_x", "Centre of mass, x", "share of the width", "0 is the left border, 1 the right.", "Σ p u"
    ),
    MapMeasure(
        "centre_y", "Centre of mass, y", "share of the height", "0 is the upper border, 1 the lower.", "Σ p v"
    ),
    MapMeasure(
        "spread",
        "Spread",
        "share of the longer side",
        "How far, in root mean square, the mass lies from its centre.",
        "√(tr cov) / longer side",
    ),
    MapMeasure(
        "centre_bias_cc",
        "Correlation with the centre bias",
        "",
        "Pearson's correlation of the map with where people looked in the other images.",
        "cov(p, b) / (sd p · sd b)",
    ),
)
"""How concentrated a map is, and where: in the order in which they are computed."""

CONCENTRATION_IDS: tuple[str, ...] = tuple(measure.id for measure in CONCENTRATION)

LATERALITY: tuple[MapMeasure, ...] = (
    MapMeasure(
        "laterality",
        "Laterality",
        "",
        "−1 when everything is on the left half of the image, 1 when everything is on the right. For people: of "
        "the numbers of fixations.",
        "LI = (R − L) / (R + L)",
    ),
    MapMeasure(
        "laterality_dwell",
        "Laterality of looking time",
        "",
        "The same of the time that people looked at each half.",
        "LI = (R − L) / (R + L), each fixation counting its duration",
    ),
    MapMeasure(
        "mean_x",
        "Mean horizontal position",
        "",
        "−1 is the left border, 0 the middle, 1 the right border.",
        "Σ p (2 u − 1)",
    ),
    MapMeasure(
        "laterality_corrected",
        "Laterality of the content",
        "",
        "What follows the picture when it is mirrored, without what stays on one side whatever is shown.",
        "(LI(image) − LI(mirrored image)) / 2",
    ),
    MapMeasure(
        "side_bias",
        "Side bias",
        "",
        "What stays on one side when the picture is mirrored.",
        "(LI(image) + LI(mirrored image)) / 2",
    ),
)

LATERALITY_IDS: tuple[str, ...] = tuple(measure.id for measure in LATERALITY)

DIFFERENTIATION: tuple[MapMeasure, ...] = (
    MapMeasure(
        "task_d",
        "Change with the task",
        "",
        "0 when the maps under the two tasks are alike, 1 when they have nothing in common; for people it holds "
        "the noise of few fixations too.",
        "D = 1 − CC(A, B)",
    ),
    MapMeasure(
        "task_d_corrected",
        "Change with the task, without noise",
        "",
        "What the change would be with unlimited people: 0 when the task changes nothing.",
        "D = 1 − CC(A, B) / √(R_A R_B), R = a r / (1 + (a − 1) r), r = correlation of two halves of the people "
        "under one task, a = people / people in a half; means over images before the ratio",
    ),
    MapMeasure(
        "task_d_excess",
        "Change with the task above noise",
        "",
        "How far the two maps are apart beyond what few fixations make of one map: 0 in expectation when the task "
        "changes nothing. Unlike the change without noise it has a value for each image.",
        "((C_AA + C_BB) / 2 − C_AB) / ((C_A + C_B) / 2), C_AB = mean covariance of a fixation of one person under "
        "task A with one of another person under task B, C_A = variance of the map of task A",
    ),
    MapMeasure(
        "task_jsd",
        "Jensen–Shannon divergence of the tasks",
        "bits",
        "How many bits a point says about which task's map it came from: 0 when they are equal, 1 when they do "
        "not overlap.",
        "JSD = H((p + q) / 2) − (H(p) + H(q)) / 2",
    ),
    MapMeasure(
        "task_jsd_root",
        "Jensen–Shannon distance of the tasks",
        "",
        "Square root of the divergence, which is a distance.",
        "√JSD",
    ),
    MapMeasure(
        "d_with_people",
        "Changes where people's change",
        "",
        "Rank correlation over images of a model's change with the task and people's change above noise.",
        "ρ = Spearman(D model, change above noise of people)",
    ),
    MapMeasure(
        "d_raw_with_people",
        "Changes where people's change, noise included",
        "",
        "Rank correlation over images of a model's change with the task and people's plain one, which is larger on "
        "images where people agree little, whatever the task.",
        "ρ = Spearman(D model, D people)",
    ),
    MapMeasure(
        "d_with_people_ceiling",
        "Best possible correlation with people's changes",
        "",
        "What a model could reach whose maps change exactly where people's change above noise, given how well one "
        "half of the people agrees with the other about that.",
        "√(2 r / (1 + r)), r = Spearman(change above noise of one half, of the other half), mean over halvings",
    ),
    MapMeasure(
        "specificity",
        "Advantage of a map of its own task",
        "",
        "How much better a map predicts the fixations of its own task than the other task's map does, in the unit of "
        "the metric.",
        "((AA − AB) + (BB − BA)) / 2, AB = the map of task A on the fixations of task B",
    ),
)

MEASURES: dict[str, MapMeasure] = {
    measure.id: measure for measure in (*CONCENTRATION, *LATERALITY, *DIFFERENTIATION)
}
"""Id -> measure."""
