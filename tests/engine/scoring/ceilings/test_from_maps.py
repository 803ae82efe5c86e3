"""The ceilings' parts against literal loops over people, and their formulas against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import spearmanr

from gazeapp.engine.gaze.density import human_map
from gazeapp.engine.scoring.ceilings.corrections import cc_ceiling, spearman_brown
from gazeapp.engine.scoring.ceilings.from_maps import (
    HALF_VS_HALF,
    LOSO,
    N_MAP_SPLITS,
    SPLIT_HALF,
    image_ceilings,
    subject_maps,
)
from gazeapp.engine.scoring.metrics import auc, auc_borji, nss, pixels, sauc, sim
from gazeapp.engine.scoring.presets import MIT

SIZE, SIGMA = 40, 3.0


def make_people(seed=0, n_subjects=6):
    """Return x, y and subject of people with different numbers of fixations around two places."""
    rng = np.random.default_rng(seed)
    x, y, subject = [], [], []
    for person in range(n_subjects):
        n = 3 + person
        places = np.array([[12.0, 15.0], [28.0, 24.0]])[rng.integers(0, 2, n)]
        x.extend(np.clip(places[:, 0] + rng.normal(0, 4, n), 0, SIZE - 1e-6))
        y.extend(np.clip(places[:, 1] + rng.normal(0, 4, n), 0, SIZE - 1e-6))
        subject.extend([f"s{person}"] * n)
    return np.array(x), np.array(y), np.array(subject)


X, Y, SUBJECT = make_people()
OTHERS = pixels(*np.random.default_rng(9).uniform(0, SIZE, (2, 50)), SIZE, SIZE)


def people():
    return subject_maps(X, Y, SUBJECT, SIZE, SIZE, SIGMA)


def test_each_person_s_map_is_their_human_map_times_their_fixations():
    found = people()
    for k, name in enumerate(np.unique(SUBJECT)):
        own = name == SUBJECT
        expected = human_map(X[own], Y[own], SIZE, SIZE, SIGMA) * own.sum()
        np.testing.assert_allclose(found.maps[k], expected, atol=1e-7)
    np.testing.assert_allclose(found.human(), human_map(X, Y, SIZE, SIZE, SIGMA), atol=1e-8)
    assert found.weight == len(X)


@pytest.mark.parametrize(("metric", "function"), [("nss", nss), ("auc", auc)])
def test_leaving_one_person_out_by_a_loop_over_people(metric, function):
    total = 0.0
    for name in np.unique(SUBJECT):
        own = name == SUBJECT
        predicted = human_map(X[~own], Y[~own], SIZE, SIZE, SIGMA)
        total += own.sum() * function(predicted, pixels(X[own], Y[own], SIZE, SIZE))
    found = image_ceilings(people(), OTHERS).values[metric, LOSO]
    assert found == pytest.approx(total / len(X), abs=2e-5)


def test_leaving_one_person_out_of_sauc():
    total = 0.0
    for name in np.unique(SUBJECT):
        own = name == SUBJECT
        predicted = human_map(X[~own], Y[~own], SIZE, SIZE, SIGMA)
        total += own.sum() * sauc(predicted, pixels(X[own], Y[own], SIZE, SIZE), OTHERS)
    assert image_ceilings(people(), OTHERS).values["sauc", LOSO] == pytest.approx(total / len(X), abs=2e-5)


def test_the_mit_preset_weighs_people_by_their_different_pixels_and_has_no_auc_ceiling():
    x, y, subject = np.append(X, X[:2]), np.append(Y, Y[:2]), np.append(SUBJECT, SUBJECT[:2])
    total, weight = 0.0, 0
    for name in np.unique(subject):
        own = name == subject
        fixated = pixels(x[own], y[own], SIZE, SIZE)
        total += len(fixated.unique()) * nss(human_map(x[~own], y[~own], SIZE, SIZE, SIGMA), fixated, MIT)
        weight += len(fixated.unique())
    found = image_ceilings(subject_maps(x, y, subject, SIZE, SIZE, SIGMA), OTHERS, MIT).values
    assert found["nss", LOSO] == pytest.approx(total / weight, abs=2e-5)
    assert ("auc", LOSO) not in found


def test_split_half_is_the_mean_correlation_of_two_halves():
    # Every way to halve 4 people: the mean over many random splits approaches it.
    x, y, subject = make_people(1, 4)
    maps = [
        human_map(x[own], y[own], SIZE, SIZE, SIGMA) * own.sum()
        for own in (subject == n for n in np.unique(subject))
    ]
    ways = [((0, 1), (2, 3)), ((0, 2), (1, 3)), ((0, 3), (1, 2))]
    expected = [
        np.corrcoef((maps[a] + maps[b]).ravel(), (maps[c] + maps[d]).ravel())[0, 1] for (a, b), (c, d) in ways
    ]
    own = subject_maps(x, y, subject, SIZE, SIZE, SIGMA)
    one = image_ceilings(own, OTHERS, metrics=["cc"], n_splits=1, seed=3).values["cc", SPLIT_HALF]
    assert min(abs(one - value) for value in expected) < 1e-5
    many = image_ceilings(own, OTHERS, metrics=["cc"], n_splits=20_000).values["cc", SPLIT_HALF]
    assert many == pytest.approx(np.mean(expected), abs=0.01)


def test_split_half_of_ranks_at_every_pixel_of_the_grid():
    x, y, subject = make_people(1, 4)
    own = subject_maps(x, y, subject, SIZE, SIZE, 13.0)
    step = 3
    rows, columns = np.divmod(own.grid, SIZE)
    assert set(rows) == set(columns) == set(range(step // 2, SIZE, step))
    maps = own.flat[:, own.grid].astype(np.float64)
    ways = [((0, 1), (2, 3)), ((0, 2), (1, 3)), ((0, 3), (1, 2))]
    expected = [
        spearmanr(maps[[a, b]].sum(axis=0), maps[[c, d]].sum(axis=0)).statistic for (a, b), (c, d) in ways
    ]
    found = image_ceilings(own, OTHERS, metrics=["spearman"], n_splits=1, seed=3)
    one = found.values["spearman", SPLIT_HALF]
    assert min(abs(one - value) for value in expected) < 1e-4
    again = image_ceilings(
        subject_maps(*(part[subject != "s2"] for part in (x, y, subject)), SIZE, SIZE, 13.0),
        OTHERS,
        metrics=["spearman"],
    )
    assert ("spearman", SPLIT_HALF) not in again.values  # 3 people
    mean = image_ceilings(own, OTHERS, metrics=["spearman"]).values["spearman", SPLIT_HALF]
    assert min(expected) - 1e-4 <= mean <= max(expected) + 1e-4


def test_auc_borji_leaves_out_people_with_one_fixated_pixel_under_the_mit_preset():
    x, y = np.append(X, [5.5, 5.5]), np.append(Y, [7.5, 7.5])
    subject = np.append(SUBJECT, ["alone", "alone"])
    own = subject_maps(x, y, subject, SIZE, SIZE, SIGMA)
    found = image_ceilings(own, OTHERS, MIT, ["auc_borji"], seed=4)
    total = weight = 0.0
    for name in np.unique(SUBJECT):
        one = subject == name
        fixated = pixels(x[one], y[one], SIZE, SIZE)
        predicted = human_map(x[~one], y[~one], SIZE, SIZE, SIGMA)
        total += len(fixated.unique()) * auc_borji(predicted, fixated, MIT, 4)
        weight += len(fixated.unique())
    assert found.values["auc_borji", LOSO] == pytest.approx(total / weight, abs=1e-3)
    assert np.isfinite(found.without["auc_borji", LOSO]).all()
    same = image_ceilings(own, OTHERS, metrics=["auc", "auc_borji", "auc_judd"]).values
    assert same["auc_borji", LOSO] == same["auc", LOSO]
    assert ("auc_judd", LOSO) not in same


def test_half_against_half_scores_the_map_of_one_half_on_that_of_the_other():
    x, y, subject = make_people(2, 4)
    maps = {
        n: human_map(x[subject == n], y[subject == n], SIZE, SIZE, SIGMA) * (subject == n).sum()
        for n in ["s0", "s1", "s2", "s3"]
    }
    possible = [
        sim(maps[a] + maps[b], maps[c] + maps[d])
        for a, b, c, d in (("s0", "s1", "s2", "s3"), ("s0", "s2", "s1", "s3"), ("s0", "s3", "s1", "s2"))
    ]
    own = subject_maps(x, y, subject, SIZE, SIZE, SIGMA)
    found = image_ceilings(own, OTHERS, metrics=["sim"], n_splits=1).values["sim", HALF_VS_HALF]
    assert min(abs(found - value) for value in possible) < 1e-5
    mean = image_ceilings(own, OTHERS, metrics=["sim"], n_splits=100).values["sim", HALF_VS_HALF]
    assert min(possible) - 1e-5 <= mean <= max(possible) + 1e-5
    assert N_MAP_SPLITS >= 2


def test_the_same_seed_gives_the_same_splits_and_another_gives_others():
    first, again = (image_ceilings(people(), OTHERS, n_splits=3, seed=1).values for _ in range(2))
    other = image_ceilings(people(), OTHERS, n_splits=3, seed=2).values
    assert first == again
    assert first["cc", SPLIT_HALF] != other["cc", SPLIT_HALF]


@pytest.mark.parametrize(("n", "expected"), [(1, set()), (2, {LOSO}), (3, {LOSO})])
def test_few_people_have_fewer_ceilings(n, expected):
    x, y, subject = make_people(0, n)
    found = image_ceilings(subject_maps(x, y, subject, SIZE, SIZE, SIGMA), OTHERS).values
    assert {estimator for _, estimator in found} == expected


def test_a_person_who_looked_alone_gains_nothing_from_rounding():
    # Nobody else looked anywhere near: the map of the others must be 0 there, not rounding noise.
    x, y = np.array([5.0, 5.0, 5.0, 35.0]), np.array([5.0, 5.0, 5.0, 35.0])
    own = subject_maps(x, y, np.array(["a", "b", "c", "d"]), SIZE, SIZE, 1.0)
    found = image_ceilings(own, OTHERS, metrics=["auc"]).values["auc", LOSO]
    lonely = auc(own.maps[:3].sum(axis=0), own.fixated[3])
    near = auc(own.maps[[0, 1, 3]].sum(axis=0), own.fixated[2])
    assert found == pytest.approx((3 * near + lonely) / 4, abs=1e-3)


def test_spearman_brown_by_its_formula():
    assert spearman_brown(0.5, 2) == pytest.approx(2 / 3)
    assert spearman_brown(0.8, 1) == pytest.approx(0.8)
    assert spearman_brown(spearman_brown(0.3, 4), 0.25) == pytest.approx(0.3)
    assert math.isnan(spearman_brown(-0.1, 2))
    assert cc_ceiling(0.6, 2) == pytest.approx(math.sqrt(0.75))
