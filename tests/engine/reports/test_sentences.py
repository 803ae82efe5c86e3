from dataclasses import replace
from types import SimpleNamespace

import pytest

from gazeapp.engine.reports.content import Cell, MetricColumn, PairRow, SourceRow, TaskScores
from gazeapp.engine.reports.scores import with_pairs
from gazeapp.engine.reports.sentences import key_results, notes
from gazeapp.engine.scoring.findings import Finding

NSS = MetricColumn("nss", 2.0, "loso_extrapolated", 0.0, True)
CC = MetricColumn("cc", 0.9, "sqrt_spearman_brown", 0.0, True)


def source(kind, name, percent, best_by=(), n_images=48, ceiling=2.0):
    cells = tuple(
        Cell(percent * ceiling / 100, percent, percent - 4, percent + 4, n_images, ceiling, metric in best_by)
        for metric in ("nss", "cc")
    )
    return SourceRow(kind, name.lower().replace(" ", "_"), "", name, "#000000", n_images, cells)


def task(*rows, pairs=(), metrics=(NSS, CC), tested=()):
    return TaskScores("general", 48, 12, metrics, rows, None, pairs, tested)


def against(name, mean, half=0.05, p_holm=0.001):
    """A model minus the centre bias."""
    return PairRow(name, "Centre bias", 48, mean, mean - half, mean + half, p_holm / 2, p_holm)


def text(*rows, pairs=(), metrics=(NSS, CC), tested=()):
    (results,) = key_results([task(*rows, pairs=pairs, metrics=metrics, tested=tested)], metrics[0].id)
    return [sentence.replace("\u00a0", " ") for sentence in results.sentences]


A, B = source("model", "A", 84, ("nss", "cc")), source("model", "B", 70)
CENTRE = source("baseline", "Centre bias", 75)
PAIR = PairRow("B", "A", 48, -0.28, -0.31, -0.25, 0.0001, 0.0003)


def test_the_best_model_comes_first_with_its_share_of_the_ceiling():
    sentences = text(B, A)
    assert sentences[0] == (
        "A comes closest to people: it reaches 84 % [80, 88] of the human ceiling (NSS 1.68 of 2.00; "
        "12 people, 48 images)."
    )
    assert sentences[1] == "Next: B 70 % [66, 74]."


def test_one_model_is_not_called_the_closest():
    assert text(A)[0].startswith("A reaches 84 %")


def test_a_lead_is_told_from_the_leaders_side_with_its_p():
    assert "A is ahead of B by 0.28 [0.25, 0.31] standard deviations (NSS; p < 0.001)." in text(
        A, B, pairs=(PAIR,)
    )


def test_a_lead_of_the_second_on_the_images_of_both_is_told_from_its_side():
    turned = replace(PAIR, mean=0.28, low=0.25, high=0.31, n_images=20)
    assert (
        "On the 20 images of both, B is ahead of A by 0.28 [0.25, 0.31] standard deviations (NSS; p < 0.001)."
        in text(A, B, pairs=(turned,))
    )


def test_a_lead_within_the_uncertainty_is_called_that():
    unsure = replace(PAIR, mean=-0.01, low=-0.05, high=0.03, p=0.4, p_holm=0.8)
    assert (
        "A and B do not differ clearly on these images: 0.01 [−0.03, 0.05] standard deviations (NSS; p = 0.800)."
        in text(A, B, pairs=(unsure,))
    )
    auc = MetricColumn("auc", 0.9, "loso", 0.5, True)
    assert "A and B do not differ clearly on these images: 0.010 [−0.030, 0.050] AUC (p = 0.800)." in text(
        A, B, pairs=(unsure,), metrics=(auc, CC)
    )


def test_every_model_stands_to_the_centre_bias_as_its_test_says():
    share = "The centre bias, which knows nothing of the image, reaches 75 % [71, 79]"
    above, below = against("A", 0.18), against("B", -0.1)
    assert f"{share}; A is above it, and B is below it." in text(A, B, CENTRE, tested=(above, below))
    assert f"{share}; A is above it." in text(A, CENTRE, tested=(above,))
    assert f"{share}; every model is above it." in text(A, B, CENTRE, tested=(above, against("B", 0.1)))


@pytest.mark.parametrize("unsure", [against("B", 0.1, half=0.2), against("B", 0.1, p_holm=0.06)])
def test_a_model_whose_interval_or_test_leaves_it_open_does_not_differ_clearly(unsure):
    share = "The centre bias, which knows nothing of the image, reaches 75 % [71, 79]"
    told = f"{share}; A is above it, and B does not differ clearly from it."
    assert told in text(A, B, CENTRE, tested=(against("A", 0.18), unsure))


def test_a_model_that_was_not_tested_is_not_said_to_stand_anywhere():
    assert (
        "The centre bias, which knows nothing of the image, reaches 75 % [71, 79] of the human ceiling "
        "(NSS 1.50 of 2.00; 12 people, 48 images)." in text(A, CENTRE)
    )


def test_information_gain_is_measured_from_the_centre_bias():
    ig = MetricColumn("ig", 2.0, "loso_extrapolated", 0.0, True)
    zero = source("baseline", "Centre bias", 0)
    knows = "which knows nothing of the image"
    is_zero = "is the zero of information gain by definition"
    above = text(A, zero, metrics=(ig, CC), tested=(against("A", 1.7),))
    assert f"The centre bias, {knows}, {is_zero}; A is above it." in above
    below = text(A, zero, metrics=(ig, CC), tested=(against("A", -1.7),))
    assert below[0] == f"A is below the centre bias, {knows} and {is_zero}."


def test_of_a_distance_less_is_better():
    kl = MetricColumn("kl", 1.0, "", 3.0, False)
    assert "A is above it" in " ".join(text(A, CENTRE, metrics=(kl, CC), tested=(against("A", -0.5),)))


def test_metrics_that_disagree_on_the_first_place_are_named():
    first, second = source("model", "A", 84, ("nss",)), source("model", "B", 70, ("cc",))
    assert "The metrics do not all agree on the first place: it goes to B by CC." in text(first, second)
    assert "A is also first by CC." in text(A, B)


def test_the_known_truth_is_called_a_check():
    truth = text(A, source("truth", "True density", 101))[-1]
    assert truth.startswith(
        "The density that the simulated observers were drawn from reaches 101 % [97, 105]"
    )


def test_when_no_model_is_above_the_centre_bias_the_first_sentence_says_so():
    worst, unsure = against("C", -0.3), against("B", 0.01)
    sentences = text(source("model", "C", 60), B, CENTRE, tested=(worst, unsure))
    assert sentences[0] == (
        "No model is clearly above the centre bias, which knows nothing of the image and reaches 75 % [71, 79] of the "
        "human ceiling (NSS 1.50 of 2.00; 12 people, 48 images): C is below it, and B does not differ clearly "
        "from it."
    )
    assert sentences[1].startswith("The best of the models, B, reaches 70 % [66, 74] of the human ceiling (")
    assert not [sentence for sentence in sentences if "closest" in sentence]
    assert sum("centre bias" in sentence.lower() for sentence in sentences) == 1
    alone = text(B, CENTRE, tested=(unsure,))
    assert alone[0].startswith("B does not differ clearly from the centre bias, which knows nothing")


def test_a_baseline_without_a_percentage_is_compared_by_scores():
    def bare(row):
        return replace(
            row, cells=tuple(replace(c, percent=None, low=None, high=None, ceiling=None) for c in row.cells)
        )

    sentences = text(bare(B), bare(CENTRE), tested=(against("B", -0.1),))
    assert sentences[0] == (
        "B is below the centre bias, which knows nothing of the image and scores NSS 1.50 "
        "(12 people, 48 images; there is no human ceiling to hold it against)."
    )
    assert "reaches NSS 1.50; A is above it." in text(bare(A), bare(CENTRE), tested=(against("A", 0.2),))[-1]


def test_a_score_is_held_against_the_ceiling_of_its_own_images():
    few = source("model", "Few", 84, n_images=2, ceiling=3.65)
    sentences = text(few, B, CENTRE)
    assert "(NSS 3.07 of 3.65; 12 people, 2 images)" in sentences[0]
    assert (
        "Not all were scored on the same images: Few on 2 images; B and Centre bias on 48 images. Each is held "
        "against the ceiling of its own images." in sentences
    )
    assert "same images" not in " ".join(text(A, B, CENTRE))


def test_of_models_on_different_images_the_one_nearest_to_its_own_ceiling_is_first():
    low = source("model", "Low", 90, ceiling=1.0)
    assert text(A, low)[0].startswith("Low comes closest to people: it reaches 90 %")


def test_a_lower_bound_is_called_that():
    bound = replace(NSS, estimator="loso")
    assert (
        "reaches 84 % [80, 88] of the lower bound of the human ceiling (" in text(A, metrics=(bound, CC))[0]
    )
    auc = MetricColumn("auc", 0.9, "loso", 0.5, True)
    sentences = text(B, CENTRE, metrics=(auc, CC), tested=(against("B", -0.1),))
    assert "reaches 75 % [71, 79] of the lower bound of the human ceiling (AUC 1.500" in sentences[0]
    assert "reaches 70 % [66, 74] of the lower bound of the human ceiling (AUC 1.400" in sentences[1]


@pytest.mark.parametrize(
    ("n_images", "said"),
    [
        (1, ["Task free has only 1 image: too few for intervals."]),
        (5, ["Task free has only 5 images: too few for intervals."]),
        (6, ["Task free has only 6 images: its intervals are rough."]),
        (9, ["Task free has only 9 images: its intervals are rough."]),
        (10, []),
    ],
)
def test_few_images_are_said_to_have_no_intervals_or_rough_ones(n_images, said):
    data = SimpleNamespace(images=[None] * n_images, n_kept=50, n_read=50, origins=())
    few = replace(task(A), task="free", n_images=n_images)
    assert [note.replace("\u00a0", " ") for note in notes(data, [], [few])] == said


def test_pairs_of_models_and_those_with_the_centre_bias_are_told_apart_and_methods_are_models():
    def model(method):
        return replace(A, source="m", method=method, name=f"M · {method}")

    def difference(first, second, **other):
        return Finding(
            "difference", "general", "nss", first, against=second, estimate=0.1, unit=other.get("unit", "")
        )

    found = [
        difference("m (alpha)", "m (rollout)"),
        difference("m (alpha)", "b"),
        difference("m (alpha)", "b", unit="%"),
        difference("b", "centre_bias"),
        difference("m (rollout)", "centre_bias"),
    ]
    own = with_pairs(task(model("alpha"), model("rollout"), B, CENTRE), found, "nss")
    assert [(pair.first, pair.second) for pair in own.pairs] == [
        *(("M · alpha", "M · rollout"), ("M · alpha", "B")),
    ]
    assert [(pair.first, pair.second) for pair in own.against_centre] == [
        *(("B", "Centre bias"), ("M · rollout", "Centre bias")),
    ]
