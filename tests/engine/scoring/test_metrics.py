"""Metrics against slow, literal definitions, closed forms and properties that they must have."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import rankdata, spearmanr

from gazeapp.engine.errors import GazeError
from gazeapp.engine.scoring.densities.of_image import INFORMATION
from gazeapp.engine.scoring.facts import METRICS
from gazeapp.engine.scoring.metrics import (
    HumanTarget,
    Pixels,
    auc,
    auc_borji,
    auc_judd,
    cc,
    emd,
    kl,
    nss,
    pixels,
    sauc,
    score_map,
    sim,
    spearman,
)
from gazeapp.engine.scoring.presets import MIT, PRESETS, TUEBINGEN, preset
from gazeapp.engine.scoring.ranks import centred_ranks

SHAPE = (9, 13)
NOBODY = Pixels(np.zeros(0, dtype=np.int64))
ON_MAPS = tuple(metric for metric in METRICS if metric not in INFORMATION)


def make_case(seed: int, levels: int = 0, n: int = 25):
    """Return a map, fixations with duplicates, other fixations and a human map; few levels make ties."""
    rng = np.random.default_rng(seed)
    values = rng.random(SHAPE)
    if levels:
        values = np.floor(values * levels)
    fixated = Pixels(rng.integers(0, values.size, n))
    fixated = Pixels(np.concatenate([fixated.index, fixated.index[:5]]))
    others = Pixels(rng.integers(0, values.size, 40))
    return values, fixated, others, rng.random(SHAPE)


CASES = [make_case(0), make_case(1, levels=4), make_case(2, levels=2), make_case(3, n=1)]


def literal_nss(values, index, ddof):
    mean = sum(values) / len(values)
    variance = sum((v - mean) ** 2 for v in values) / (len(values) - ddof)
    return sum((values[i] - mean) / math.sqrt(variance) for i in index) / len(index)


def literal_mann_whitney(positives, negatives):
    wins = 0.0
    for p in positives:
        for n in negatives:
            wins += 1.0 if p > n else 0.5 if p == n else 0.0
    return wins / (len(positives) * len(negatives))


def literal_judd(values, index):
    """Thresholds at the fixated pixels, each pixel once, as in the MATLAB code."""
    positives = sorted((values[i] for i in index), reverse=True)
    n, size = len(positives), len(values)
    hits, alarms = [0.0], [0.0]
    for k, threshold in enumerate(positives, start=1):
        above = sum(1 for v in values if v >= threshold)
        hits.append(k / n)
        alarms.append((above - k) / (size - n))
    return trapezoids([*hits, 1.0], [*alarms, 1.0])


def literal_steps(positives, negatives):
    """Thresholds every tenth of a map that was stretched to 0..1."""
    top = max(*positives, *negatives)
    thresholds = [k / 10 for k in range(11) if k / 10 <= top + 1e-12][::-1]
    hits = [0.0, *(sum(p >= t for p in positives) / len(positives) for t in thresholds), 1.0]
    alarms = [0.0, *(sum(n >= t for n in negatives) / len(negatives) for t in thresholds), 1.0]
    return trapezoids(hits, alarms)


def trapezoids(y, x):
    return sum((x[k + 1] - x[k]) * (y[k + 1] + y[k]) / 2 for k in range(len(x) - 1))


def literal_cc(a, b):
    mean_a, mean_b = sum(a) / len(a), sum(b) / len(b)
    across = sum((x - mean_a) * (y - mean_b) for x, y in zip(a, b, strict=True))
    return across / math.sqrt(sum((x - mean_a) ** 2 for x in a) * sum((y - mean_b) ** 2 for y in b))


@pytest.mark.parametrize("case", CASES)
def test_nss_is_the_mean_z_score(case):
    values, fixated, _, _ = case
    flat = values.ravel().tolist()
    assert nss(values, fixated) == pytest.approx(literal_nss(flat, fixated.index.tolist(), 0), abs=1e-12)
    once = sorted(set(fixated.index.tolist()))
    assert nss(values, fixated, MIT) == pytest.approx(literal_nss(flat, once, 1), abs=1e-12)


@pytest.mark.parametrize("case", CASES)
def test_auc_is_the_share_of_pairs_won(case):
    values, fixated, _, _ = case
    expected = literal_mann_whitney(values.ravel()[fixated.index].tolist(), values.ravel().tolist())
    assert auc(values, fixated) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("case", CASES)
def test_auc_judd_follows_the_matlab_loop(case):
    values, fixated, _, _ = case
    expected = literal_judd(values.ravel().tolist(), sorted(set(fixated.index.tolist())))
    assert auc(values, fixated, MIT) == pytest.approx(expected, abs=1e-12)


def test_auc_judd_exceeds_the_exact_area_by_the_first_false_alarms_over_2n():
    # Without ties: AUC_Judd = AUC against unfixated pixels + FPR(lowest fixated value) / (2 n).
    values, fixated, _, _ = make_case(4, n=8)
    once = np.unique(fixated.index)
    flat = values.ravel()
    rest = np.delete(flat, once)
    exact = literal_mann_whitney(flat[once].tolist(), rest.tolist())
    excess = (rest >= flat[once].min()).mean() / (2 * len(once))
    assert auc(values, fixated, MIT) == pytest.approx(exact + excess, abs=1e-12)


@pytest.mark.parametrize("case", CASES)
def test_auc_judd_counts_pixels_of_equal_value_together(case):
    values, fixated, _, _ = case
    flat, index = values.ravel().tolist(), fixated.index.tolist()
    negatives = [value for k, value in enumerate(flat) if k not in index]
    thresholds = sorted({flat[k] for k in index}, reverse=True)
    hits = [sum(flat[k] >= t for k in index) / len(index) for t in thresholds]
    alarms = [sum(value >= t for value in negatives) / len(negatives) for t in thresholds]
    expected = trapezoids([0.0, *hits, 1.0], [0.0, *alarms, 1.0])
    assert auc_judd(values, fixated) == pytest.approx(expected, abs=1e-12)
    assert auc_judd(values, fixated, MIT) == auc(values, fixated, MIT)


def test_auc_judd_without_a_pixel_to_compare_with_has_no_value():
    values = make_case(0)[0]
    everywhere = Pixels(np.arange(values.size))
    assert math.isnan(auc_judd(values, everywhere))
    assert math.isnan(auc_judd(values, everywhere, MIT))


@pytest.mark.parametrize("case", CASES[:3])
def test_auc_borji_is_the_mean_of_draws_of_as_many_pixels(case):
    values, fixated, _, _ = case
    assert auc_borji(values, fixated) == auc(values, fixated)
    flat = ((values - values.min()) / (values.max() - values.min())).ravel()
    once = np.unique(fixated.index)
    rng = np.random.default_rng(0)
    draws = [
        literal_steps(flat[once].tolist(), flat[rng.integers(0, flat.size, len(once))].tolist())
        for _ in range(3000)
    ]
    # The area is linear in the draw: what is expected is the area against all pixels.
    expected = literal_steps(flat[once].tolist(), flat.tolist())
    assert np.mean(draws) == pytest.approx(expected, abs=4 * np.std(draws) / 3000**0.5)
    found = [auc_borji(values, fixated, MIT, seed) for seed in range(40)]
    assert np.mean(found) == pytest.approx(expected, abs=4 * np.std(draws) / 4000**0.5)
    assert np.std(found) == pytest.approx(np.std(draws) / 10, rel=0.4)
    assert auc_borji(values, fixated, MIT, 3) == auc_borji(values, fixated, MIT, 3)


def test_auc_borji_of_the_mit_preset_needs_two_fixated_pixels():
    values = make_case(0)[0]
    assert math.isnan(auc_borji(values, Pixels(np.array([5, 5])), MIT))
    assert math.isfinite(auc_borji(values, Pixels(np.array([5, 6])), MIT))
    assert math.isfinite(auc_borji(values, Pixels(np.array([5]))))


@pytest.mark.parametrize("kind", [np.float64, np.float32])
@pytest.mark.parametrize("levels", [0, 3])
def test_spearman_correlates_average_ranks(kind, levels):
    values, _, _, human = make_case(7, levels)
    values, human = (values - values.mean()).astype(kind), human.astype(kind)
    human[:4] = 0.0
    human[4:6] = -0.0
    expected = spearmanr(values.ravel(), human.ravel()).statistic
    assert spearman(values, human) == pytest.approx(expected, abs=1e-12)


@given(values=hnp.arrays(np.float32, 30, elements=st.floats(-4, 4, width=32)))
@settings(deadline=None)
def test_ranks_of_single_precision_share_ties(values):
    assert centred_ranks(values).tolist() == (rankdata(values) - 15.5).tolist()


@pytest.mark.parametrize("case", CASES)
def test_sauc_compares_with_the_fixations_of_other_images(case):
    values, fixated, others, _ = case
    flat = values.ravel()
    expected = literal_mann_whitney(flat[fixated.index].tolist(), flat[others.index].tolist())
    assert sauc(values, fixated, others) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("case", CASES)
def test_sauc_of_the_mit_preset_steps_through_thresholds(case):
    values, fixated, others, _ = case
    flat = ((values - values.min()) / (values.max() - values.min())).ravel()
    once = np.unique(fixated.index)
    expected = literal_steps(flat[once].tolist(), flat[others.index].tolist())
    assert sauc(values, fixated, others, MIT) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("case", CASES)
def test_cc_sim_and_kl_by_their_sums(case):
    values, _, _, human = case
    a, b = values.ravel().tolist(), human.ravel().tolist()
    assert cc(values, human) == pytest.approx(literal_cc(a, b), abs=1e-12)
    p, q = [x / sum(a) for x in a], [y / sum(b) for y in b]
    overlap = sum(min(x, y) for x, y in zip(p, q, strict=True))
    assert sim(values, human) == pytest.approx(overlap, abs=1e-12)
    for one, epsilon in ((TUEBINGEN, 2.2204e-16), (MIT, 2.0**-52)):
        divergence = sum(y * math.log(epsilon + y / (x + epsilon)) for x, y in zip(p, q, strict=True))
        assert kl(values, human, one) == pytest.approx(divergence, abs=1e-12)


@pytest.mark.parametrize("case", CASES)
def test_sim_of_the_mit_preset_stretches_both_maps(case):
    values, _, _, human = case
    a, b = values - values.min(), human - human.min()
    expected = np.minimum(a / a.sum(), b / b.sum()).sum()
    assert sim(values + 3, human + 1, MIT) == pytest.approx(expected, abs=1e-12)


def test_a_fixation_on_the_only_peak():
    values = np.zeros((10, 10))
    values[3, 4] = 1.0
    peak = pixels([4.5], [3.5], 10, 10)
    # mean 0.01, sd sqrt(0.01 * 0.99); 99 of 100 pixels are lower, one is a tie with itself.
    assert nss(values, peak) == pytest.approx(0.99 / math.sqrt(0.01 * 0.99))
    assert auc(values, peak) == pytest.approx(0.995)


def test_the_kl_of_a_uniform_map_is_the_missing_entropy():
    human = np.array([[0.5, 0.25], [0.125, 0.125]])
    expected = math.log(4) - 1.75 * math.log(2)
    assert kl(np.ones((2, 2)), human) == pytest.approx(expected)


def test_pixels_floor_and_drop_what_is_outside():
    found = pixels([0.0, 4.99, 5.0, -0.01, 2.2, np.nan], [0.0, 3.99, 1.0, 1.0, 4.0, 1.0], 4, 5)
    assert found.index.tolist() == [0, 19]
    assert found.n_outside == 4


def test_without_fixations_the_fixation_metrics_are_nan():
    values, _, others, human = make_case(0)
    found = score_map(values, NOBODY, others, HumanTarget(human))
    assert all(math.isnan(found[metric]) for metric in ("nss", "auc", "sauc"))
    assert all(math.isfinite(found[metric]) for metric in ("cc", "sim", "kl"))


def test_without_negatives_sauc_is_nan():
    values, fixated, _, _ = make_case(0)
    assert math.isnan(sauc(values, fixated, NOBODY))


@pytest.mark.parametrize("value", [0.0, 0.5, np.float32(0.1)])
def test_a_constant_map_knows_nothing(value):
    _, fixated, others, human = make_case(0)
    found = score_map(np.full(SHAPE, value), fixated, others, HumanTarget(human))
    assert found["nss"] == 0.0
    assert found["auc"] == found["sauc"] == 0.5
    assert math.isnan(found["cc"])
    q = human / human.sum()
    assert found["sim"] == pytest.approx(np.minimum(q, 1 / q.size).sum(), abs=1e-6)
    assert found["kl"] == pytest.approx((q * np.log(q * q.size)).sum(), abs=1e-6)


def test_a_constant_map_under_the_mit_preset_divides_by_zero():
    _, fixated, others, human = make_case(0)
    found = score_map(np.full(SHAPE, 0.5), fixated, others, HumanTarget(human), MIT)
    assert all(math.isnan(found[metric]) for metric in ("nss", "auc", "sauc", "cc", "sim"))
    assert math.isfinite(found["kl"])


def test_a_constant_human_map_has_no_correlation():
    assert math.isnan(cc(make_case(0)[0], np.full(SHAPE, 0.2)))


def test_negative_values_are_shifted_or_refused_as_the_preset_says():
    values, _, _, human = make_case(0)
    shifted = values - 0.3
    assert sim(shifted, human) == pytest.approx(sim(values - values.min(), human))
    assert kl(shifted, human) == pytest.approx(kl(values - values.min(), human))
    assert math.isnan(kl(shifted, human, MIT))


def test_a_map_of_zeros_under_each_preset():
    values, zeros = make_case(0)[0], np.zeros(SHAPE)
    assert sim(values, zeros) == pytest.approx(sim(values, np.ones(SHAPE)))
    assert sim(values, zeros, MIT) == 0.0
    assert kl(values, zeros, MIT) == 0.0


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_map_with_nan_or_infinity_is_an_error(bad):
    values, fixated, others, human = make_case(0)
    values = values.copy()
    values[4, 4] = bad
    with pytest.raises(GazeError, match="not numbers"):
        score_map(values, fixated, others, HumanTarget(human))
    with pytest.raises(GazeError, match="not numbers"):
        HumanTarget(values)


def test_maps_of_different_sizes_are_not_compared():
    with pytest.raises(ValueError, match="shape"):
        cc(np.ones((3, 4)), np.ones((4, 3)))


def test_an_unknown_metric_is_named():
    values, fixated, others, human = make_case(0)
    with pytest.raises(GazeError, match="dtw"):
        score_map(values, fixated, others, HumanTarget(human), metrics=("nss", "dtw"))


def test_an_unknown_preset_is_named():
    with pytest.raises(GazeError, match="salicon"):
        preset("salicon")
    assert preset("tuebingen") is PRESETS["tuebingen"]


@pytest.mark.parametrize("one", PRESETS.values(), ids=list(PRESETS))
@pytest.mark.parametrize("case", CASES)
def test_single_precision_agrees_with_double(case, one):
    values, fixated, others, human = case
    # Quarters are exact in single precision, so that ties and thresholds are the same.
    values = np.round(values * 64) / 64
    double = score_map(values, fixated, others, HumanTarget(human), one, ON_MAPS)
    rounded = HumanTarget(human.astype(np.float32))
    single = score_map(values.astype(np.float32), fixated, others, rounded, one, ON_MAPS)
    for metric, value in double.items():
        # EMD is in percent: 1e-4 is a millionth of the longer side.
        limit = 1e-4 if metric == "emd" else 2e-6
        assert single[metric] == pytest.approx(value, abs=limit, nan_ok=True), metric


def test_integer_maps_are_taken_as_they_are():
    values, fixated, others, human = make_case(5, levels=200)
    whole = score_map(values.astype(np.uint8), fixated, others, HumanTarget(human))
    assert whole == score_map(values, fixated, others, HumanTarget(human))


def test_what_is_shared_between_metrics_changes_none_of_them():
    values, fixated, others, human = make_case(6)
    together = score_map(values, fixated, others, HumanTarget(human), metrics=ON_MAPS)
    assert together == {
        "nss": nss(values, fixated),
        "auc": auc(values, fixated),
        "auc_judd": auc_judd(values, fixated),
        "auc_borji": auc_borji(values, fixated),
        "sauc": sauc(values, fixated, others),
        "cc": cc(values, human),
        "spearman": spearman(values, human),
        "sim": sim(values, human),
        "kl": kl(values, human),
        "emd": emd(values, human),
    }


@pytest.mark.parametrize("scale", [1e-25, 1e30])
def test_the_scale_of_a_map_in_single_precision_changes_nothing(scale):
    values, fixated, others, human = (
        part.astype(np.float32) if isinstance(part, np.ndarray) else part for part in make_case(9)
    )
    expected = score_map(values, fixated, others, HumanTarget(human), metrics=ON_MAPS)
    small = values * np.float32(scale)
    found = score_map(small, fixated, others, HumanTarget(human), metrics=ON_MAPS)
    assert found == pytest.approx(expected, abs=1e-5)
    small = human * np.float32(scale)
    found = score_map(values, fixated, others, HumanTarget(small), metrics=ON_MAPS)
    assert found == pytest.approx(expected, abs=1e-5)


def test_a_high_plateau_costs_single_precision_little():
    values, fixated, others, human = make_case(8)
    raised = (values / 8 + 1000).astype(np.float32)
    exact = raised.astype(np.float64)
    found = score_map(raised, fixated, others, HumanTarget(human.astype(np.float32)))
    expected = score_map(exact, fixated, others, HumanTarget(human))
    assert found == pytest.approx(expected, abs=2e-4)


maps = hnp.arrays(np.float64, (6, 7), elements=st.integers(0, 50).map(float)).filter(lambda a: np.ptp(a) > 0)
spots = st.lists(st.integers(0, 41), min_size=1, max_size=20).map(
    lambda i: Pixels(np.array(i, dtype=np.int64))
)


@given(values=maps, fixated=spots)
@settings(deadline=None)
def test_auc_depends_on_order_alone(values, fixated):
    assert auc(values**3 + 2 * values, fixated) == pytest.approx(auc(values, fixated), abs=1e-12)
    assert auc(-values, fixated) == pytest.approx(1 - auc(values, fixated), abs=1e-12)


@given(values=maps, fixated=spots, scale=st.floats(0.1, 100), offset=st.floats(-50, 50))
@settings(deadline=None)
def test_nss_and_cc_ignore_scale_and_offset(values, fixated, scale, offset):
    moved = values * scale + offset
    assert nss(moved, fixated) == pytest.approx(nss(values, fixated), abs=1e-9)
    human = np.arange(42.0).reshape(6, 7) ** 2
    assert cc(moved, human) == pytest.approx(cc(values, human), abs=1e-9)


@given(a=maps, b=maps)
@settings(deadline=None)
def test_cc_and_sim_are_symmetric_and_kl_is_never_negative(a, b):
    assert cc(a, b) == pytest.approx(cc(b, a), abs=1e-12)
    assert sim(a, b) == pytest.approx(sim(b, a), abs=1e-12)
    assert -1 - 1e-12 <= cc(a, b) <= 1 + 1e-12
    assert 0 <= sim(a, b) <= 1 + 1e-12
    assert kl(a, b) >= -1e-9
    assert kl(a, a) == pytest.approx(0, abs=1e-9)
    assert sim(a, a) == pytest.approx(1)


@given(values=maps, first=spots, second=spots)
@settings(deadline=None)
def test_swapping_the_two_sets_of_fixations_mirrors_sauc(values, first, second):
    assert sauc(values, first, second) == pytest.approx(1 - sauc(values, second, first), abs=1e-12)


@given(values=maps)
@settings(deadline=None)
def test_fixations_everywhere_are_at_chance(values):
    everywhere = Pixels(np.arange(values.size))
    assert nss(values, everywhere) == pytest.approx(0, abs=1e-9)
    assert auc(values, everywhere) == pytest.approx(0.5, abs=1e-12)
