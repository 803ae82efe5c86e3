"""Findings about lesions against numbers made by hand, least squares, and studies with planted effects."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from gazeapp.engine.scoring.analyses.factorial import CELL, DECODER, ENCODER, INTERACTION, factorial
from gazeapp.engine.scoring.analyses.maps import Resampling
from gazeapp.engine.scoring.analyses.neglect import neglect_findings
from gazeapp.engine.scoring.analyses.neglect_outcomes import Condition, Outcomes, lesion_label
from gazeapp.engine.scoring.findings import (
    LESION,
    LESION_CONTROL,
    LESION_DOSE,
    LESION_FACTORIAL,
    LESION_SIDE,
    Finding,
)
from gazeapp.engine.scoring.statistics.effects import effect_size
from gazeapp.engine.scoring.statistics.pairs import holm, sign_flip
from gazeapp.engine.scoring.statistics.scored import HeldAgainst, Scored
from gazeapp.engine.scoring.statistics.two_way import MIN_IMAGES, TwoWay, share_of_ceiling
from tests.engine.scoring.analyses.neglect_world import DESIGN, MODELS, conditions, only, study

HOW = Resampling(400, 3)
LEFT, RIGHT = Condition("left"), Condition("right")


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def tiny(values: dict[Condition, list[float]], **how: object) -> Outcomes:
    """Return a study of one model, m."""
    of_model = {condition: {"m": np.array(column, dtype=float)} for condition, column in values.items()}
    return Outcomes(**{"task": "t", "outcome": "words_changed", "unit": "nats", **how, "values": of_model})  # type: ignore[arg-type]


def found_in(outcomes: Outcomes, analysis: str, *args: object) -> list[Finding]:
    return [one for one in neglect_findings(outcomes, *args, resampling=HOW) if one.analysis == analysis]  # type: ignore[arg-type]


def has_mean_of(one: Finding, column: np.ndarray) -> None:
    """Check estimate, interval and effect size against a column made by hand."""
    interval = TwoWay(column[:, None], None, HOW.n_resamples, HOW.seed).interval(lambda means: means[..., 0])
    assert (one.estimate, one.low, one.high) == pytest.approx(
        (interval.estimate, interval.low, interval.high)
    )
    assert one.effect == pytest.approx(effect_size(column).value)
    assert one.n_images == np.isfinite(column).sum()


def is_near(one: Finding, column: np.ndarray) -> None:
    """Check the same and the sign-flip test."""
    has_mean_of(one, column)
    assert one.p == sign_flip(column, HOW.n_resamples, HOW.seed)


def test_the_label_names_mask_scope_and_strength():
    assert lesion_label(Condition("left 30%", "random", 4, "mean", 0.25)) == "left 30% · mean · 0.25"
    assert lesion_label(LEFT) == "left · keys · 1"


def test_lesions_and_controls_are_told_with_intervals_and_tests_against_no_lesion():
    outcomes = study(rng(), 14, conditions())
    found = found_in(outcomes, LESION)
    for model in MODELS:
        own = only(found, term=model, against="", lesion="left · keys · 1")
        is_near(own, outcomes.values[LEFT][model])
        draws = [outcomes.values[Condition("left", "random", draw)][model] for draw in (0, 1)]
        is_near(only(found, term=model, against="random", lesion="left · keys · 1"), np.mean(draws, axis=0))
    assert len(found) == 2 * 4 * 3
    assert {(one.kind, one.task, one.metric) for one in found} == {
        ("model", "describe", "log_probability_drop")
    }


def test_what_takes_nothing_away_and_what_is_no_change_is_not_tested():
    values = {
        LEFT: [1.0] * 8,
        replace(LEFT, strength=0.0): [0.0] * 8,
        replace(LEFT, control="none"): [0.0] * 8,
    }
    found = found_in(tiny(values), LESION)
    assert [(one.estimate, np.isfinite(one.p)) for one in found] == [(1, True), (0, False), (0, False)]
    levels = tiny({LEFT: [0.3, 0.4, 0.5, 0.3, 0.2, 0.6]}, is_change=False)
    (one,) = found_in(levels, LESION)
    assert np.isfinite(one.low)
    assert np.isnan([one.p, one.p_holm]).all()


def test_draws_are_averaged_first_then_kinds_of_controls():
    outcomes = tiny(
        {
            LEFT: [9, 8, 7, 9, 8, 7],
            Condition("left", "random", 0): [1, 2, 3, 0, 1, 2],
            Condition("left", "random", 1): [3, 2, 1, 2, 3, 2],
            Condition("left", "equal_mass"): [6, 6, 4, 5, 4, 2],
            Condition("left", "mirrored"): [9, 9, 9, 0, 0, 0],
        }
    )
    found = found_in(outcomes, LESION_CONTROL)
    random = np.array([2, 2, 2, 1, 2, 2])
    equal_mass = np.array([6, 6, 4, 5, 4, 2])
    own = np.array([9, 8, 7, 9, 8, 7.0])
    has_mean_of(only(found, against="random"), own - random)
    is_near(only(found, against="equal_mass"), own - equal_mass)
    has_mean_of(only(found, against="controls"), own - (random + equal_mass) / 2)
    is_near(only(found, against="mirrored"), own - np.array([9, 9, 9, 0, 0, 0]))
    assert len(found) == 4


def test_an_image_without_one_kind_of_control_keeps_the_other_and_is_counted():
    gone = np.nan
    outcomes = tiny(
        {
            LEFT: [9, 9, 9, 9, 9, 9, 9, gone],
            Condition("left", "random"): [1, 1, 1, 1, 1, 1, gone, 1],
            Condition("left", "equal_mass"): [3, 3, 3, gone, gone, 3, gone, gone],
        }
    )
    found = found_in(outcomes, LESION_CONTROL)
    both = only(found, against="controls")
    assert both.estimate == pytest.approx((4 * (9 - 2) + 2 * (9 - 1)) / 6)
    assert both.note == (
        "2 of 6 images have one of the kinds of controls alone. "
        "Left out: 2 of 8 images, which lack a value that is needed."
    )
    assert (both.n_images, only(found, against="random").n_images) == (6, 6)
    mass = only(found, against="equal_mass")
    assert (mass.estimate, mass.n_images, np.isnan(mass.low)) == (6, 4, True)
    assert mass.note.startswith("Left out: 4 of 8 images")
    assert mass.note.endswith(
        f"There is no interval over fewer than {MIN_IMAGES} images. Nor is there a test."
    )


def test_one_kind_of_control_is_what_the_effect_is_reported_against():
    outcomes = study(rng(), 9, conditions(controls=[("random", 0)]))
    found = found_in(outcomes, LESION_CONTROL)
    assert {one.against for one in found} == {"random", "controls"}
    for model in MODELS:
        pair = [only(found, term=model, against=x, lesion="left · keys · 1") for x in ("random", "controls")]
        assert pair[0].estimate == pair[1].estimate
        assert pair[1].note == ""


def test_without_controls_nothing_is_reported_against_them():
    outcomes = study(rng(), 9, conditions(controls=[], strengths=(0.5, 1.0)))
    found = neglect_findings(outcomes, DESIGN, resampling=HOW)
    assert {one.analysis for one in found} == {LESION, LESION_SIDE, LESION_DOSE, LESION_FACTORIAL}
    assert "controls" not in " ".join(one.against for one in found)


def test_left_is_compared_with_right_and_other_masks_with_their_mirror_images():
    of = conditions(("left 30%", "right 30%", "people 20%", "one", "two"), controls=[("mirrored", 0)])
    outcomes = study(rng(), 10, of, models=["m"])
    found = found_in(outcomes, LESION_SIDE, None, [("two", "one")])
    assert [(one.lesion, one.against) for one in found] == [
        ("left 30% · keys · 1", "right 30%"),
        ("people 20% · keys · 1", "mirrored"),
        ("two · keys · 1", "one"),
    ]
    for one, first, second in zip(
        found,
        (Condition("left 30%"), Condition("people 20%"), Condition("two")),
        (Condition("right 30%"), Condition("people 20%", "mirrored"), Condition("one")),
        strict=True,
    ):
        is_near(one, outcomes.values[first]["m"] - outcomes.values[second]["m"])
    # One family, whatever a mask's mirror image is called.
    assert [one.p_holm for one in found] == holm([one.p for one in found])


def test_shifts_to_either_side_are_compared_as_shifts_away_from_the_lesion():
    away = [0.3, 0.2, 0.4, 0.3, 0.1, 0.3]
    outcomes = tiny(
        {
            LEFT: away,
            RIGHT: [-x for x in away],
            replace(LEFT, control="flipped"): [-0.1, -0.2, -0.2, -0.1, -0.1, 0.0],
        },
        outcome="laterality_shift",
    )
    (side,) = found_in(outcomes, LESION_SIDE)
    assert side.estimate == pytest.approx(0)
    (flipped,) = found_in(outcomes, LESION_CONTROL)
    assert (flipped.against, flipped.estimate) == ("flipped", pytest.approx((1.6 + 0.7) / 6 / 2))
    assert flipped.note.startswith("Half of the difference")
    plain = replace(outcomes, outcome="words_changed")
    assert found_in(plain, LESION_SIDE)[0].estimate == pytest.approx(2 * 1.6 / 6)
    assert found_in(plain, LESION_CONTROL)[0].estimate == pytest.approx((1.6 + 0.7) / 6)


def test_the_slope_over_strength_is_that_of_least_squares_on_each_image():
    strengths = (0.9, 0.1, 0.35)
    outcomes = study(rng(), 8, conditions(("left",), strengths), {"vit-lstm": 2.0})
    found = found_in(outcomes, LESION_DOSE)
    x = [0.0, *sorted(strengths)]
    for model in MODELS:

        def column(control: str, draw: int, strength: float, model: str = model) -> np.ndarray:
            return outcomes.values[Condition("left", control, draw, "keys", strength)][model]

        own = np.array([np.zeros(8), *(column("", 0, s) for s in x[1:])])
        is_near(only(found, term=model, against=""), np.polyfit(x, own, 1)[0])
        random = [(column("random", 0, s) + column("random", 1, s)) / 2 for s in x[1:]]
        controls = [(one + column("equal_mass", 0, s)) / 2 for one, s in zip(random, x[1:], strict=True)]
        net = own - np.array([np.zeros(8), *controls])
        has_mean_of(only(found, term=model, against="controls"), np.polyfit(x, net, 1)[0])
    assert {one.lesion for one in found} == {"left · keys"}


def test_number_and_note_of_a_slope_against_controls_are_of_the_draws_that_all_strengths_have():
    def at(strength: float, control: str = "", draw: int = 0) -> Condition:
        return Condition("left", control, draw, strength=strength)

    gone = np.nan
    outcomes = tiny(
        {
            at(0.5): [2.0] * 8,
            at(1.0): [3.0] * 8,
            at(0.5, "random", 0): [1.0] * 8,
            at(1.0, "random", 0): [1.0] * 8,
            # On the first two images, the half strength alone has this draw: it would lift the controls there.
            at(0.5, "random", 1): [-9.0, -9.0, 1, 1, 1, 1, 1, 1],
            at(1.0, "random", 1): [gone, gone, 1, 1, 1, 1, 1, 1],
            # Full strength alone has the third draw, under which the mean would fall.
            at(1.0, "random", 2): [7.0] * 8,
        }
    )
    one = only(found_in(outcomes, LESION_DOSE), against="controls")
    # 0, 1 and 2 beyond controls on every image.
    assert one.estimate == pytest.approx(2.0)
    assert one.n_images == 8
    assert one.note == "The mean never falls with strength. On 8 of 8 images it never falls."


def test_the_dose_note_says_where_the_outcome_falls():
    def at(strength: float) -> Condition:
        return Condition("left", strength=strength)

    rising = {at(0.5): [1, 1, 3, 1, 1, 1], at(1.0): [2, 2, 2, 2, 2, 2]}
    (one,) = found_in(tiny(rising), LESION_DOSE)
    assert one.note == "The mean never falls with strength. On 5 of 6 images it never falls."
    assert one.estimate == pytest.approx(2)
    falling = {at(0.4): [1.0] * 6, at(0.6): [0.5] * 6, at(0.8): [0.25] * 6, at(1.0): [3.0] * 6}
    (one,) = found_in(tiny(falling), LESION_DOSE)
    assert one.note.startswith("The mean falls from strength 0.4 to 0.6, 0.6 to 0.8. On 0 of 6")
    assert found_in(tiny({at(1.0): [1.0] * 6}), LESION_DOSE) == []
    # The level of something has no 0 at strength 0 unless it was observed.
    levels = {at(0.5): [0.4] * 6, at(1.0): [0.2] * 6}
    (one,) = found_in(tiny(levels, is_change=False), LESION_DOSE)
    assert one.estimate == pytest.approx(-0.4)
    (one,) = found_in(tiny({at(0.0): [0.0] * 6, **rising}), LESION_DOSE)
    assert one.estimate == pytest.approx(2)


def test_effects_of_the_design_are_those_of_the_factorial_analysis_and_net_of_controls():
    outcomes = study(rng(), 16, conditions(("left",), (0.5, 1.0)), {"vit-lstm": 1.0, "cnn-lstm": 1.0})
    found = found_in(outcomes, LESION_FACTORIAL, DESIGN)
    plain = {model: outcomes.values[LEFT][model] for model in MODELS}

    def controls(model: str) -> np.ndarray:
        draws = [outcomes.values[Condition("left", "random", draw)][model] for draw in (0, 1)]
        return (np.mean(draws, axis=0) + outcomes.values[Condition("left", "equal_mass")][model]) / 2

    net = {model: column - controls(model) for model, column in plain.items()}
    for scores, ending, behind in ((plain, "", ""), (net, ":lesion", " : lesion - controls")):
        expected = factorial(Scored(scores), DESIGN, "describe", "x", "nats", HOW.n_resamples, HOW.seed)
        for other in expected:
            one = only(
                found, term=other.term + ending, against=other.against + behind, lesion="left · keys · 1"
            )
            assert (one.estimate, one.low, one.high) == pytest.approx((other.estimate, other.low, other.high))
            assert (one.p, one.effect) == pytest.approx((other.p, other.effect), nan_ok=True)
            assert (one.n_images, one.kind) == (16, "")
        family = [one for one in found if (":lesion" in one.term) == bool(ending) and CELL not in one.term]
        assert len(family) == 6
        assert [one.p_holm for one in family] == holm([one.p for one in family])
    assert found_in(replace(outcomes, more_is_worse=False), LESION_FACTORIAL, DESIGN) == []


def test_a_design_without_a_contrast_has_no_effects_and_a_gap_is_named():
    outcomes = study(rng(), 8, conditions(("left",)))
    assert found_in(outcomes, LESION_FACTORIAL, {"cnn-lstm": ("cnn", "lstm")}) == []
    gap = {**DESIGN, "swin-lstm": ("swin", "lstm")}
    found = found_in(study(rng(), 8, conditions(("left",)), models=list(gap)), LESION_FACTORIAL, gap)
    assert {one.against for one in found if one.term == ENCODER} == {"vit - cnn"}
    assert {one.note for one in found} == {
        "No model was scored of swin with transformer; effects that need it are left out."
    }


def test_drops_are_also_given_in_percent_of_the_ceiling():
    outcomes = study(rng(), 12, conditions(), dict.fromkeys(MODELS, 0.5))
    parts = rng(9).normal(3, 0.5, (12, 1))
    parts[2] = np.nan
    held = HeldAgainst(parts, lambda means: means[..., 0], 0.4)
    outcomes = replace(outcomes, held=held)
    found = neglect_findings(outcomes, DESIGN, resampling=HOW)
    wanted = {"analysis": LESION, "term": "vit-lstm", "against": "", "lesion": "left · keys · 1", "unit": "%"}
    one = only(found, **wanted)
    drop = outcomes.values[LEFT]["vit-lstm"]
    # A score of chance + the drop has the same share of the ceiling.
    share = share_of_ceiling(drop + 0.4, parts, lambda means: means[..., 0], 0.4, HOW.n_resamples, HOW.seed)
    assert (one.estimate, one.low, one.high) == pytest.approx((share.percent, share.low, share.high))
    assert (one.n_images, one.note) == (11, "Left out: 1 of 12 images, which lack a value that is needed.")
    assert all(np.isnan(row.p) for row in found if row.unit == "%")
    assert sum(row.unit == "%" for row in found) * 2 == len(found)
    at_chance = replace(outcomes, held=replace(held, chance=2.9))
    assert all(row.unit == "nats" for row in neglect_findings(at_chance, DESIGN, resampling=HOW))


def test_families_are_models_masks_and_strengths_of_one_analysis_scope_and_comparison():
    of = conditions(("left", "right"), (0.5, 1.0))
    of += [replace(one, scope="pixels") for one in of]
    outcomes = study(rng(), 10, of, base=0.2)
    found = neglect_findings(outcomes, resampling=HOW)
    for analysis, against, n in (
        (LESION, "", 16),
        (LESION, "random", 16),
        (LESION_CONTROL, "controls", 16),
        (LESION_CONTROL, "equal_mass", 16),
        (LESION_SIDE, "right", 8),
        (LESION_DOSE, "", 8),
        (LESION_DOSE, "controls", 8),
    ):
        for scope in ("keys", "pixels"):
            family = [
                one
                for one in found
                if (one.analysis, one.against) == (analysis, against) and f" · {scope}" in one.lesion
            ]
            assert len(family) == n
            assert [one.p_holm for one in family] == holm([one.p for one in family])


def test_every_number_has_its_images_and_those_without_values_are_not_told():
    outcomes = study(rng(), 7, conditions(), held=HeldAgainst(np.full((7, 1), 3.0), lambda m: m[..., 0], 0))
    for column in outcomes.values[LEFT].values():
        column[3] = np.nan
    outcomes.values[RIGHT]["vit-lstm"][:] = np.nan
    found = neglect_findings(outcomes, DESIGN, resampling=HOW)
    assert all(one.n_images in (6, 7) and np.isfinite(one.estimate) for one in found)
    left = [one for one in found if one.lesion.startswith("left") and one.against in ("", "controls")]
    assert {one.n_images for one in left} == {6}
    assert not [
        one for one in found if one.term == "vit-lstm" and one.lesion.startswith("right") and not one.against
    ]
    assert neglect_findings(Outcomes("t", "words_changed", "", {}), DESIGN) == []


def test_few_images_have_numbers_without_intervals_and_tests():
    of = conditions(strengths=(0.5, 1.0))
    for n, is_tested in ((MIN_IMAGES - 1, False), (MIN_IMAGES, True)):
        found = neglect_findings(study(rng(), n, of), DESIGN, resampling=HOW)
        assert {one.analysis for one in found} == {
            *(LESION, LESION_CONTROL, LESION_SIDE, LESION_DOSE, LESION_FACTORIAL)
        }
        for one in found:
            assert np.isfinite(one.estimate)
            assert np.isfinite(one.low) == is_tested
            assert np.isfinite([one.p, one.p_holm]).all() == (
                is_tested and one.term.partition(":")[0] != CELL
            )
            assert (f"fewer than {MIN_IMAGES}" in one.note) != is_tested


def test_what_too_few_images_have_does_not_count_in_its_family():
    outcomes = study(rng(), 8, conditions(("left",)), base=0.3)
    outcomes.values[LEFT]["vit-lstm"][:3] = np.nan
    found = [one for one in found_in(outcomes, LESION) if not one.against]
    tested = [one for one in found if one.term != "vit-lstm"]
    few = only(found, term="vit-lstm")
    assert (few.n_images, np.isnan([few.p, few.p_holm]).all(), np.isfinite(few.effect)) == (5, True, True)
    # Corrected for three tests, not for four.
    assert [one.p_holm for one in tested] == holm([one.p for one in tested])
    least = min(tested, key=lambda one: one.p)
    assert least.p_holm == pytest.approx(3 * least.p)


def test_a_control_as_harmful_as_the_lesion_leaves_no_effect_though_the_impairment_is_large():
    outcomes = study(rng(5), 40, conditions(("left",)), base=5.0)
    found = neglect_findings(outcomes, DESIGN, resampling=HOW)
    for model in MODELS:
        raw = only(found, analysis=LESION, term=model, against="")
        net = only(found, analysis=LESION_CONTROL, term=model, against="controls")
        assert raw.low > 3.5
        assert raw.p_holm < 0.05
        assert abs(net.estimate) < 0.3
        assert net.p > 0.001


def test_a_planted_decoder_effect_is_found_with_its_sign_and_alone():
    effects = {model: 1.0 if model.endswith("lstm") else 0.4 for model in MODELS}
    outcomes = study(rng(8), 48, conditions(("left",)), effects, base=2.0)
    found = found_in(outcomes, LESION_FACTORIAL, DESIGN)
    for ending in ("", ":lesion"):
        decoder = next(one for one in found if one.term == DECODER + ending)
        assert decoder.low < -0.6 < decoder.high < 0
        assert decoder.p_holm < 0.05
        for term in (ENCODER, INTERACTION):
            other = next(one for one in found if one.term == term + ending)
            assert other.low < 0 < other.high


def test_in_a_hundred_small_studies_the_null_holds_and_power_follows_the_effect():
    """Two models under one lesion, 12 images: what is not there is found in 5 %, what is there more often."""
    how = Resampling(200, 0)
    false, family, power, n = 0, 0, 0, 100
    for seed in range(n):
        of = conditions(("left",), controls=[("random", 0)])
        null = study(rng(seed), 12, of, models=MODELS[:2])
        p = [one for one in neglect_findings(null, resampling=how) if one.analysis == LESION_CONTROL]
        p = [one for one in p if one.against == "controls"]
        false += sum(one.p <= 0.05 for one in p)
        family += any(one.p_holm <= 0.05 for one in p)
        planted = study(rng(seed), 12, of, {MODELS[0]: 0.6}, models=MODELS[:1])
        (one,) = [
            one
            for one in neglect_findings(planted, resampling=how)
            if (one.analysis, one.against) == (LESION_CONTROL, "controls")
        ]
        power += one.p <= 0.05
    assert false <= stats.binom.ppf(0.999, 2 * n, 0.05)
    assert false >= stats.binom.ppf(0.001, 2 * n, 0.05)
    assert family <= stats.binom.ppf(0.999, n, 0.05)
    # d_z = 0.6 / sqrt(0.4² + 0.4² + 0.18²) = 1.01; the t test of 12 images then finds 89 %.
    expected = 1 - stats.nct.cdf(stats.t.ppf(0.975, 11), 11, 1.01 * np.sqrt(12))
    assert abs(power / n - expected) < 0.12
