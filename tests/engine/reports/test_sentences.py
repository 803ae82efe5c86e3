from dataclasses import replace
from types import SimpleNamespace

import pytest

from gazeapp.engine.reports.content import Cell, MetricColumn, PairRow, SourceRow, TaskScores
from gazeapp.engine.reports.sentences import key_results, notes

NSS = MetricColumn("nss", 2.0, "loso_extrapolated", 0.0, True)
CC = MetricColumn("cc", 0.9, "sqrt_spearman_brown", 0.0, True)


def source(kind, name, percent, best_by=(), n_images=48, ceiling=2.0):
    cells = tuple(
        Cell(percent * ceiling / 100, percent, percent - 4, percent + 4, n_images, ceiling, metric in best_by)
        for metric in ("nss", "cc")
    )
    return SourceRow(kind, name.lower().replace(" ", "_"), "", name, "#000000", n_images, cells)


def task(*rows, pairs=(), metrics=(NSS, CC)):
    return TaskScores("general", 48, 12, metrics, rows, None, pairs)


def text(*rows, pairs=(), metrics=(NSS, CC)):
    (results,) = key_results([task(*rows, pairs=pairs, metrics=metrics)], metrics[0].id)
    return [sentence.replace("\u00a0", " ") for sentence in results.sentences]


A, B = source("model", "A", 84, ("nss", "cc")), source("model", "B", 70)
CENTRE = source("baseline", "Centre bias", 75)
PAIR = PairRow("B", "A", 48, -0.28, -0.31, -0.25, 0.0001, 0.0003)


def test_the_best_model_comes_first_with_its_share_of_the_ceiling():
    sentences = text(B, A)
    assert sentences[0] == (
        "A comes closest to people: it reaches 84 % [80, 88] of the human ceiling (NSS 1.68 of 2.00; "
        "12 subjects, 48 images)."
    )
    assert sentences[1] == "Next: B 70 % [66, 74]."


def test_one_model_is_not_called_the_closest():
    assert text(A)[0].startswith("A reaches 84 %")


def test_a_lead_is_told_from_the_leaders_side_with_its_p():
    assert "A is ahead of B by 0.28 [0.25, 0.31] NSS (p < 0.001)." in text(A, B, pairs=(PAIR,))


def test_a_lead_of_the_second_on_the_images_of_both_is_told_from_its_side():
    turned = replace(PAIR, mean=0.28, low=0.25, high=0.31, n_images=20)
    assert "On the 20 images of both, B is ahead of A by 0.28 [0.25, 0.31] NSS (p < 0.001)." in text(
        A, B, pairs=(turned,)
    )


def test_a_lead_within_the_uncertainty_is_called_that():
    unsure = replace(PAIR, mean=-0.01, low=-0.05, high=0.03, p=0.4, p_holm=0.8)
    assert (
        "These images do not tell A and B apart: they differ by 0.01 [−0.03, 0.05] NSS (p = 0.800)."
        in text(A, B, pairs=(unsure,))
    )


def test_models_that_are_not_above_the_centre_bias_are_named():
    share = "The centre bias, which knows nothing of the image, reaches 75 % [71, 79]"
    assert f"{share}; B is not above it." in text(A, B, CENTRE)
    assert f"{share}; A is above it." in text(A, CENTRE)


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
    sentences = text(source("model", "C", 60), B, CENTRE)
    assert sentences[0] == (
        "No model is above the centre bias, which knows nothing of the image and reaches 75 % [71, 79] of the "
        "human ceiling (NSS 1.50 of 2.00; 12 subjects, 48 images)."
    )
    assert sentences[1].startswith("The best of the models, B, reaches 70 % [66, 74] of the human ceiling (")
    assert not [sentence for sentence in sentences if "closest" in sentence]
    assert sum("centre bias" in sentence.lower() for sentence in sentences) == 1
    assert text(B, CENTRE)[0].startswith("B is not above the centre bias, which knows nothing")


def test_a_baseline_without_a_percentage_is_compared_by_scores():
    def bare(row):
        return replace(
            row, cells=tuple(replace(c, percent=None, low=None, high=None, ceiling=None) for c in row.cells)
        )

    sentences = text(bare(B), bare(CENTRE))
    assert sentences[0] == (
        "B is not above the centre bias, which knows nothing of the image and scores NSS 1.50 "
        "(12 subjects, 48 images; there is no human ceiling to hold it against)."
    )
    assert "reaches NSS 1.50; A is above it." in text(bare(A), bare(CENTRE))[-1]


def test_a_score_is_held_against_the_ceiling_of_its_own_images():
    few = source("model", "Few", 84, n_images=2, ceiling=3.65)
    sentences = text(few, B, CENTRE)
    assert "(NSS 3.07 of 3.65; 12 subjects, 2 images)" in sentences[0]
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
    sentences = text(B, CENTRE, metrics=(auc, CC))
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
