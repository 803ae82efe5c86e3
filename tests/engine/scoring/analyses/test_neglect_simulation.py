"""Hundreds of lesioned studies whose answer is known: what intervals hold and what tests find."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from scipy import stats

from gazeapp.engine.scoring.analyses.factorial import CELL, DECODER, ENCODER, INTERACTION
from gazeapp.engine.scoring.analyses.maps import Resampling
from gazeapp.engine.scoring.analyses.neglect import Condition, Outcomes, neglect_findings
from gazeapp.engine.scoring.findings import LESION, LESION_CONTROL, LESION_DOSE, LESION_FACTORIAL, LESION_SIDE
from gazeapp.engine.types import DoubleArray
from tests.engine.scoring.analyses.neglect_world import DESIGN, MODELS, conditions, study

HOW = Resampling(500, 0)
STRENGTHS = (0.4, 1.0)
N_STUDIES = 500

pytestmark = pytest.mark.simulation


def rng(*seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def skewed(numbers: np.random.Generator, n: int, of: list[Condition], kind: str) -> Outcomes:
    """Return a study in which most images hardly mind any lesion and a few mind each, lesion or control, a lot."""
    often = numbers.beta(0.5, 3.0, n)
    values: dict[Condition, dict[str, DoubleArray]] = {}
    for one in of:
        values[one] = {}
        for model in MODELS:
            if kind == "words":
                values[one][model] = numbers.binomial(10, one.strength * often) / 10
            else:
                values[one][model] = numbers.gamma(0.5, 4.0 * one.strength * often + 1e-3)
    return Outcomes("t", "words_changed", "", values)


def is_expected(count: int, n: int, rate: float, what: str) -> None:
    assert stats.binomtest(count, n, rate).pvalue > 0.001, (what, count / n)


@pytest.mark.parametrize("n", [12, 24, 48])
def test_planted_decoder_effects_are_held_by_their_intervals(n):
    """LSTM decoders lose 0.6 more under the lesion, besides a base that every control costs, too."""
    effects = {model: 0.9 if model.endswith("lstm") else 0.3 for model in MODELS}
    truth = {DECODER: -0.6, ENCODER: 0.0, INTERACTION: 0.0}
    of = conditions(("left",), STRENGTHS)
    held: Counter[tuple[str, str]] = Counter()
    right: Counter[str] = Counter()
    for seed in range(N_STUDIES):
        outcomes = study(rng(seed, n), n, of, effects, base=1.5, noise=0.8)
        for one in neglect_findings(outcomes, DESIGN, resampling=HOW):
            term = one.term.removesuffix(":lesion")
            if one.analysis == LESION_FACTORIAL and one.lesion == "left · keys · 1" and CELL not in one.term:
                held[one.analysis, one.term] += one.low <= truth[term] <= one.high
                if term == DECODER:
                    right[one.term] += one.low < 0 and one.high < 0 and one.p < 0.05
            elif (one.analysis, one.against) == (LESION_CONTROL, "controls") and one.lesion.endswith("· 1"):
                held[one.analysis, one.term] += one.low <= effects[one.term] <= one.high
            elif one.analysis == LESION_DOSE:
                expected = effects[one.term] + (1.5 if not one.against else 0.0)
                held[one.analysis, f"{one.term} {one.against}"] += one.low <= expected <= one.high
    assert len(held) == 6 + 4 + 8
    for what, count in held.items():
        assert 0.92 <= count / N_STUDIES <= 0.98, what
    # d_z is about 0.75, and 0.62 of the lesion minus its controls, whose noise is in it, too.
    power = {12: 0.4, 24: 0.75, 48: 0.95}[n]
    assert right[DECODER] >= right["decoder:lesion"] >= power * N_STUDIES


@pytest.mark.parametrize("n", [8, 24])
def test_without_effects_5_percent_are_found_and_in_5_percent_of_families_anything(n):
    of = conditions(("left", "right"), STRENGTHS)
    low: Counter[str] = Counter()
    tests: Counter[str] = Counter()
    families: Counter[str] = Counter()
    for seed in range(N_STUDIES):
        outcomes = study(rng(seed, n, 1), n, of, base=1.0)
        found_in: set[str] = set()
        for one in neglect_findings(outcomes, DESIGN, resampling=HOW):
            raw = one.analysis in (LESION, LESION_DOSE) and one.against != "controls"
            if raw or not np.isfinite(one.p):
                continue
            kind = (
                f"{one.analysis} {one.against if one.analysis == LESION_CONTROL else ':lesion' in one.term}"
            )
            low[kind] += one.p <= 0.05
            tests[kind] += 1
            if one.p_holm <= 0.05:
                found_in.add(kind)
        families.update(found_in)
    assert {kind.split()[0] for kind in tests} == {LESION_CONTROL, LESION_SIDE, LESION_DOSE, LESION_FACTORIAL}
    for kind, count in low.items():
        # Tests of one study go together: as uncertain as a third as many.
        is_expected(round(count / 3), round(tests[kind] / 3), 0.05, kind)
        assert families[kind] <= stats.binom.ppf(0.999, N_STUDIES, 0.05), kind


@pytest.mark.parametrize("kind", ["words", "log-probability"])
@pytest.mark.parametrize("n_random", [1, 5])
def test_skewed_outcomes_are_found_no_more_often(kind, n_random):
    draws = [(control, draw) for control in ("random", "equal_mass") for draw in range(n_random)]
    of = conditions(("left",), STRENGTHS, draws)
    low: Counter[str] = Counter()
    families = 0
    for seed in range(N_STUDIES):
        found = neglect_findings(skewed(rng(seed, n_random), 16, of, kind), DESIGN, resampling=HOW)
        net = [one for one in found if one.analysis == LESION_CONTROL and one.against == "controls"]
        low["control"] += sum(one.p <= 0.05 for one in net)
        families += any(one.p_holm <= 0.05 for one in net)
        low["dose"] += sum(
            one.p <= 0.05 for one in found if (one.analysis, one.against) == (LESION_DOSE, "controls")
        )
    for what, n_tests in (("control", 8), ("dose", 4)):
        assert 0.03 <= low[what] / (n_tests * N_STUDIES) <= 0.065, what
    assert families <= stats.binom.ppf(0.999, N_STUDIES, 0.05)


def test_a_control_as_harmful_as_the_lesion_is_no_effect_in_any_of_the_comparisons():
    """Everything costs 5 and the noise is 0.4: each impairment is found, and nothing against the controls."""
    of = conditions(("left",))
    raw, net, n = 0, 0, 300
    for seed in range(n):
        found = neglect_findings(study(rng(seed, 7), 20, of, base=5.0, models=["m"]), resampling=HOW)
        for one in found:
            if one.analysis == LESION and not one.against:
                raw += one.low > 2
            elif one.analysis == LESION_CONTROL and one.against == "controls":
                net += one.p <= 0.05
                assert abs(one.estimate) < 0.6
    assert raw == n
    is_expected(net, n, 0.05, "net")


def test_power_is_that_of_the_t_test():
    """One control, normal noise, an effect of d_z 0.5: 10,000 sign flips lose nothing against t."""
    n, n_studies = 24, 600
    found_in = 0
    of = [Condition("left"), Condition("left", "random")]
    for seed in range(n_studies):
        numbers = rng(seed, 3)
        common = numbers.normal(2.0, 1.0, n)
        noise = numbers.normal(0.0, np.sqrt(0.5), (2, n))
        values = {one: {"m": common + e + 0.5 * (not one.control)} for one, e in zip(of, noise, strict=True)}
        for one in neglect_findings(Outcomes("t", "map_change", "bits", values), resampling=HOW):
            if (one.analysis, one.against) == (LESION_CONTROL, "controls"):
                found_in += one.p <= 0.05
    limit = stats.t.ppf(0.975, n - 1)
    power = 1 - stats.nct.cdf(limit, n - 1, 0.5 * np.sqrt(n)) + stats.nct.cdf(-limit, n - 1, 0.5 * np.sqrt(n))
    assert abs(found_in / n_studies - power) < 0.06
