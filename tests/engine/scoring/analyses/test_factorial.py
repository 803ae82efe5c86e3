"""Factorial effects against least squares, and against studies with planted effects."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from gazeapp.engine.scoring.analyses.factorial import CELL, DECODER, DESIGN, ENCODER, INTERACTION, factorial
from gazeapp.engine.scoring.findings import FACTORIAL, Finding
from gazeapp.engine.scoring.statistics.effects import effect_size
from gazeapp.engine.scoring.statistics.pairs import holm, sign_flip
from gazeapp.engine.scoring.statistics.scored import HeldAgainst, Scored
from gazeapp.engine.scoring.statistics.two_way import share_of_ceiling
from tests.engine.scoring.people_world import layers, means_and_left_out

DESIGN_2X2 = {
    "cnn-lstm": ("cnn", "lstm"),
    "cnn-transformer": ("cnn", "transformer"),
    "vit-lstm": ("vit", "lstm"),
    "vit-transformer": ("vit", "transformer"),
}
PLANTED = {ENCODER: 0.3, DECODER: -0.1, INTERACTION: 0.2}


def planted(
    rng: np.random.Generator, n: int, m: int, effects: dict[str, float], noise: float = 0.3
) -> np.ndarray:
    """Return scores of each image, person and model of the 2 x 2 design, shape (n, m, 4).

    Images and people differ in level, and in how large each effect is for them.
    """
    encoder, decoder = np.array([-0.5, -0.5, 0.5, 0.5]), np.array([-0.5, 0.5, -0.5, 0.5])
    scores = layers(rng, n, m, (1, 0.3, 0.3), mean=2)[:, :, None] + rng.normal(0, noise, (n, m, 4))
    for term, contrast in ((ENCODER, encoder), (DECODER, decoder), (INTERACTION, encoder * decoder)):
        size = layers(rng, n, m, (0.3, 0.1, 0.2), mean=effects[term])
        scores = scores + size[:, :, None] * contrast
    return scores


def by_term(found: list[Finding], unit: str = "") -> dict[tuple[str, str], Finding]:
    return {(one.term, one.against): one for one in found if one.unit == unit}


def study(n: int = 20, m: int = 6) -> tuple[Scored, np.ndarray]:
    values = planted(np.random.default_rng(0), n, m, PLANTED)
    ceiling = layers(np.random.default_rng(1), n, m, (0.5, 0.1, 0.1), mean=4)[:, :, None]
    table, left_out = means_and_left_out(np.concatenate([values, ceiling], axis=2))
    held = HeldAgainst(table[:, 4:], lambda m: m[..., 0], 0.5)
    return Scored(dict(zip(DESIGN_2X2, table.T[:4], strict=True)), held, left_out), table


def test_effects_are_those_of_least_squares():
    scored, table = study()
    found = by_term(factorial(scored, DESIGN_2X2, n_resamples=200))
    encoder, decoder = np.repeat([-0.5, 0.5], 2), np.tile([-0.5, 0.5], 2)
    columns = np.column_stack([encoder, decoder, encoder * decoder])
    images = np.repeat(np.eye(20), 4, axis=0)
    model = np.column_stack([np.tile(columns, (20, 1)), images])
    fit = np.linalg.lstsq(model, table[:, :4].ravel(), rcond=None)[0]
    names = {
        (ENCODER, "vit - cnn"): fit[0],
        (DECODER, "transformer - lstm"): fit[1],
        (INTERACTION, "vit - cnn : transformer - lstm"): fit[2],
    }
    assert {key: found[key].estimate for key in names} == pytest.approx(names)
    cells = {key[1]: one.estimate for key, one in found.items() if key[0] == CELL}
    assert cells == pytest.approx(
        {
            f"{encoder} : {decoder}": scored.scores[model].mean()
            for model, (encoder, decoder) in DESIGN_2X2.items()
        }
    )
    assert len(found) == 7


def test_tests_are_sign_flips_within_images_corrected_over_the_effects():
    scored, table = study()
    found = [one for one in factorial(scored, DESIGN_2X2, "describe", "nss") if one.term != CELL]
    effects = [one for one in found if one.unit == ""]
    contrasts = np.array([[-0.5, -0.5, 0.5, 0.5], [-0.5, 0.5, -0.5, 0.5], [1, -1, -1, 1]])
    columns = table[:, :4] @ contrasts.T
    assert [one.p for one in effects] == [sign_flip(column) for column in columns.T]
    assert [one.p_holm for one in effects] == holm([one.p for one in effects])
    assert [one.effect for one in effects] == pytest.approx(
        [effect_size(column).value for column in columns.T]
    )
    assert {(one.analysis, one.task, one.metric) for one in found} == {(FACTORIAL, "describe", "nss")}
    assert {(one.n_images, one.n_subjects) for one in found} == {(20, 6)}


def test_cells_in_percent_are_the_models_shares_of_the_ceiling():
    scored, table = study()
    found = by_term(factorial(scored, DESIGN_2X2, n_resamples=2000), "%")
    percent = {}
    for k, (model, (encoder, decoder)) in enumerate(DESIGN_2X2.items()):
        share = share_of_ceiling(
            scored.scores[model],
            table[:, 4:],
            scored.held.ceiling,
            0.5,
            2000,
            left_out=scored.left_out.columns([k, 4]),
        )
        cell = found[CELL, f"{encoder} : {decoder}"]
        assert (cell.estimate, cell.low, cell.high) == pytest.approx((share.percent, share.low, share.high))
        percent[model] = share.percent
    effect = found[INTERACTION, "vit - cnn : transformer - lstm"]
    assert effect.estimate == pytest.approx(
        percent["vit-transformer"] - percent["vit-lstm"] - percent["cnn-transformer"] + percent["cnn-lstm"]
    )
    assert np.isnan(effect.p)
    chance = HeldAgainst(table[:, 4:], scored.held.ceiling, 9.0)
    assert by_term(factorial(Scored(scored.scores, chance), DESIGN_2X2, n_resamples=100), "%") == {}


def test_models_of_one_cell_are_averaged_and_others_take_no_part():
    scored, table = study()
    seeds = {
        **{model: column for model, column in scored.scores.items() if model != "vit-lstm"},
        "vit-lstm-1": table[:, 2] - 0.3,
        "vit-lstm-2": table[:, 2] + 0.3,
        "qwen": table[:, 0] * 9,
        "without scores": np.full(20, np.nan),
    }
    design = {**DESIGN_2X2, "vit-lstm-1": ("vit", "lstm"), "vit-lstm-2": ("vit", "lstm")}
    design["without scores"] = ("cnn", "rnn")
    found = factorial(Scored(seeds), design, n_resamples=300)
    one = {key: one.estimate for key, one in by_term(found).items() if key[0] != DESIGN}
    two = {
        key: one.estimate
        for key, one in by_term(factorial(Scored(scored.scores), DESIGN_2X2, n_resamples=300)).items()
    }
    assert one == pytest.approx(two)
    (remark,) = [one for one in found if one.term == DESIGN]
    assert remark.note == "vit with lstm is the mean of 2 models: vit-lstm-1, vit-lstm-2."


def test_a_missing_cell_is_named_and_what_can_be_had_without_it_is_given():
    rng = np.random.default_rng(2)
    design = {
        f"{encoder}-{decoder}": (encoder, decoder)
        for encoder in ("cnn", "vit", "swin")
        for decoder in ("lstm", "transformer")
        if (encoder, decoder) != ("swin", "transformer")
    }
    scores = {model: rng.normal(k, 1, 12) for k, model in enumerate(design)}
    found = factorial(Scored(scores), design, n_resamples=200)
    remark, *rest = found
    assert (remark.term, remark.note) == (
        DESIGN,
        "No model was scored of swin with transformer; effects that need it are left out.",
    )
    assert [(one.term, one.against) for one in rest if one.term != CELL] == [
        (ENCODER, "vit - cnn"),
        (INTERACTION, "vit - cnn : transformer - lstm"),
    ]
    means = {model: column.mean() for model, column in scores.items()}
    expected = (
        means["vit-lstm"] + means["vit-transformer"] - means["cnn-lstm"] - means["cnn-transformer"]
    ) / 2
    assert rest[-2].estimate == pytest.approx(expected)
    assert sum(one.term == CELL for one in rest) == 5


def test_three_levels_have_all_pairs_of_levels():
    design = {f"{e}{d}": (e, d) for e in "abc" for d in "xy"}
    scores = {model: np.random.default_rng(k).normal(k, 1, 9) for k, model in enumerate(design)}
    found = [one for one in factorial(Scored(scores), design, n_resamples=100) if one.term != CELL]
    assert [(one.term, one.against) for one in found] == [
        (ENCODER, "b - a"),
        (ENCODER, "c - a"),
        (ENCODER, "c - b"),
        (DECODER, "y - x"),
        (INTERACTION, "b - a : y - x"),
        (INTERACTION, "c - a : y - x"),
        (INTERACTION, "c - b : y - x"),
    ]
    cell = {model: column.mean() for model, column in scores.items()}
    assert found[3].estimate == pytest.approx(sum(cell[e + "y"] - cell[e + "x"] for e in "abc") / 3)
    assert found[5].estimate == pytest.approx(cell["cy"] - cell["cx"] - cell["ay"] + cell["ax"])


def test_one_level_of_a_factor_has_no_interaction_and_says_so():
    scores = {"a": np.arange(8.0), "b": np.arange(8.0) ** 2}
    found = factorial(Scored(scores), {"a": ("cnn", "lstm"), "b": ("vit", "lstm")}, n_resamples=100)
    assert [(one.term, one.against) for one in found] == [
        (DESIGN, ""),
        (CELL, "cnn : lstm"),
        (CELL, "vit : lstm"),
        (ENCODER, "vit - cnn"),
    ]
    assert found[0].note.startswith("Both factors need two levels for an interaction")
    assert factorial(Scored(scores), {"c": ("cnn", "lstm")}) == []


def test_images_without_a_score_of_some_model_are_left_out_and_counted():
    scored, table = study()
    scores = dict(scored.scores)
    scores["cnn-lstm"] = np.where(np.arange(20) < 3, np.nan, scores["cnn-lstm"])
    found = factorial(Scored(scores), DESIGN_2X2, n_resamples=100)
    assert found[0].note == "3 of 20 images lack a score of some model and are left out."
    assert {one.n_images for one in found} == {17}
    cells = by_term(found)
    assert cells[CELL, "vit : lstm"].estimate == pytest.approx(table[3:, 2].mean())


def test_few_images_have_effects_without_intervals():
    scored, _ = study(n=4)
    found = [one for one in factorial(Scored(scored.scores), DESIGN_2X2) if one.term != CELL]
    assert [np.isnan(one.low) for one in found] == [True] * 3
    assert {one.note for one in found} == {"There is no interval over fewer than 6 images."}
    assert all(one.p >= 2 / 2**4 for one in found)


def rates(
    n_studies: int, n: int, m: int, effects: dict[str, float], n_resamples: int
) -> tuple[dict[str, float], dict[str, float]]:
    """Return how often intervals hold the planted effects, and how often p is below 5 %."""
    held, low = dict.fromkeys(effects, 0), dict.fromkeys(effects, 0)
    for seed in range(n_studies):
        values = planted(np.random.default_rng([seed, n, m]), n, m, effects)
        table, left_out = means_and_left_out(values)
        scored = Scored(dict(zip(DESIGN_2X2, table.T, strict=True)), None, left_out)
        for one in factorial(scored, DESIGN_2X2, n_resamples=n_resamples, seed=seed):
            if one.term in effects:
                held[one.term] += one.low <= effects[one.term] <= one.high
                low[one.term] += one.p < 0.05
    return {k: v / n_studies for k, v in held.items()}, {k: v / n_studies for k, v in low.items()}


def test_planted_effects_are_recovered_within_their_intervals():
    held, low = rates(60, 24, 8, PLANTED, 400)
    assert min(held.values()) > 0.85
    assert low[ENCODER] > 0.9
    assert low[INTERACTION] > low[DECODER]


@pytest.mark.simulation
@pytest.mark.parametrize(("n", "m"), [(24, 8), (40, 12), (60, 6)])
def test_planted_effects_are_recovered_at_the_nominal_rate(n, m):
    held, _ = rates(600, n, m, PLANTED, 1000)
    for term, rate in held.items():
        assert 0.92 <= rate <= 0.98, term


@pytest.mark.simulation
def test_without_effects_5_percent_of_the_tests_are_below_5_percent():
    low = dict.fromkeys(PLANTED, 0)
    for seed in range(1000):
        rng = np.random.default_rng(seed)
        columns = rng.normal(2, 1, (24, 1)) + 0.3 * rng.standard_t(4, (24, 4))
        scored = Scored(dict(zip(DESIGN_2X2, columns.T, strict=True)))
        for one in factorial(scored, DESIGN_2X2, n_resamples=500, seed=seed):
            if one.term in low:
                low[one.term] += one.p < 0.05
    for term, count in low.items():
        assert stats.binomtest(count, 1000, 0.05).pvalue > 0.001, term
