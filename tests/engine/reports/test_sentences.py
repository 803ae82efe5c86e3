from dataclasses import replace

from gazeapp.engine.reports.content import Cell, MetricColumn, PairRow, SourceRow, TaskScores
from gazeapp.engine.reports.sentences import key_results

NSS = MetricColumn("nss", 2.0, "loso_corrected", 0.0, True)
CC = MetricColumn("cc", 0.9, "sqrt_spearman_brown", 0.0, True)


def source(kind, name, percent, best_by=()):
    cells = tuple(
        Cell(percent / 50, percent, percent - 4, percent + 4, 48, best=metric in best_by)
        for metric in ("nss", "cc")
    )
    return SourceRow(kind, name.lower().replace(" ", "_"), "", name, "#000000", 48, cells)


def task(*rows, pairs=()):
    return TaskScores("general", 48, 12, (NSS, CC), rows, None, pairs)


def text(*rows, pairs=()):
    (results,) = key_results([task(*rows, pairs=pairs)], "nss")
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


def test_a_lead_within_the_uncertainty_is_called_that():
    unsure = replace(PAIR, mean=-0.01, low=-0.05, high=0.03, p=0.4, p_holm=0.8)
    assert (
        "These images do not tell A and B apart: they differ by 0.01 [−0.03, 0.05] NSS (p = 0.800)."
        in text(A, B, pairs=(unsure,))
    )


def test_models_that_are_not_above_the_centre_bias_are_named():
    share = "The centre bias, which knows nothing of the image, reaches 75 % [71, 79]"
    assert f"{share}; B is not above it." in text(A, B, CENTRE)
    assert f"{share}; no model is above it." in text(B, source("model", "C", 60), CENTRE)
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
