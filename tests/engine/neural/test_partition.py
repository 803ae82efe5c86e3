"""Variance partitioning: banded ridge against a direct solution and himalaya; parts against planted shares."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from gazeapp.engine.errors import GazeError, StoppedError
from gazeapp.engine.neural.banded import SHARES, BandedFold, band_weights, squared_errors
from gazeapp.engine.neural.encoding.folds import RidgeSettings, split
from gazeapp.engine.neural.encoding.nested import encode
from gazeapp.engine.neural.partition import partition

PARTS = ("unique", "unique_against", "shared", "joint", "alone", "alone_against")
FEW = RidgeSettings(penalties=tuple(np.logspace(0, 4, 7)))


def study(n, unique, unique_against, shared, n_targets=1, seed=0, own=4):
    """Two sources that see 4 common and some own numbers of each image, and responses with these shares of variance."""
    rng = np.random.default_rng([seed, n])
    common, first, second = (rng.normal(size=(n, k)) for k in (4, own, own))
    noise = math.sqrt(1 - unique - unique_against - shared) * rng.normal(size=(n, n_targets))
    responses = noise
    for share, drive in ((unique, first), (unique_against, second), (shared, common)):
        weights = rng.normal(size=(drive.shape[1], n_targets))
        responses = responses + math.sqrt(share) * drive @ (weights / np.linalg.norm(weights, axis=0))
    return np.hstack([first, common]), np.hstack([second, common]), responses.astype(np.float32)


def one_fold(shares):
    first, second, responses = study(60, 0.3, 0.1, 0.2, n_targets=9)
    second = second[:, :5]
    features = np.hstack([first, second])
    fold = split(60, 4, 0)
    train, test = np.flatnonzero(fold != 0), np.flatnonzero(fold == 0)
    inner = split(len(train), 3, 1)
    penalties = np.logspace(-1, 3, 6)
    values = responses.astype(np.float64)
    banded = BandedFold(features, 8, shares, train, test, inner, penalties, np.float64)
    return features, values, train, test, inner, penalties, banded


def test_each_source_has_a_penalty_of_its_own_as_in_the_direct_solution():
    features, values, train, test, _, _, _ = one_fold(SHARES)
    a, b, share, penalty = 8, 5, 0.2, 30.0
    banded = BandedFold(
        features, a, (share,), train, test, np.arange(45) % 3, np.array([penalty]), np.float64
    )
    mean, deviation = features[train].mean(axis=0), features[train].std(axis=0)
    x, wanted = ((features[rows] - mean) / deviation for rows in (train, test))
    size = share * a + (1 - share) * b
    penalties = penalty / np.repeat([share * size / a, (1 - share) * size / b], [a, b])
    y = values[train] - values[train].mean(axis=0)
    expected = wanted @ np.linalg.solve(x.T @ x + np.diag(penalties), x.T @ y) + values[train].mean(axis=0)
    each, joint, _ = banded.predict(values)
    assert each[0] == pytest.approx(expected, abs=1e-9)
    assert joint == pytest.approx(expected, abs=1e-9)


def test_predictions_and_choices_are_himalaya_s():
    himalaya = pytest.importorskip("himalaya.ridge")
    from sklearn.model_selection import PredefinedSplit

    # himalaya cannot have a source with no share at all.
    shares = SHARES[1:-1]
    features, values, train, test, inner, penalties, banded = one_fold(shares)
    a = 8
    mean, deviation = features[train].mean(axis=0), features[train].std(axis=0)
    x, wanted = ((features[rows] - mean) / deviation for rows in (train, test))
    gammas = np.array([band_weights(features, a, share)[[0, a]] ** 2 for share in shares])
    deltas, weights, _, intercept = himalaya.solve_group_ridge_random_search(
        [x[:, :a], x[:, a:]],
        values[train],
        n_iter=gammas,
        alphas=penalties,
        fit_intercept=True,
        cv=PredefinedSplit(inner),
        return_weights=True,
        progress_bar=False,
        warn=False,
    )
    _, joint, place = banded.predict(values)
    assert joint == pytest.approx(wanted @ weights + intercept, abs=1e-5)
    # Their choice, gamma / penalty of each source, has the proportion of the share that is chosen here.
    assert np.exp(deltas[0] - deltas[1]) == pytest.approx(gammas[place, 0] / gammas[place, 1])
    assert len(set(place)) > 1


def test_the_ends_of_the_shares_are_the_models_of_one_source_alone():
    first, second, responses = study(60, 0.3, 0.1, 0.2, n_targets=5)
    found = partition(first, second, responses, FEW, 0, 0)
    for part, features in ((found.alone, first), (found.alone_against, second)):
        r2 = encode(features, responses, FEW).r2
        assert part.value == pytest.approx(np.maximum(r2, 0.0), abs=1e-5)


def test_undoing_the_errors_of_a_source_is_no_prediction():
    """A joint model that predicts next to nothing has no large unique part, however badly the other does alone."""
    rng = np.random.default_rng(3)
    responses = rng.normal(size=(30, 40)).astype(np.float32)
    # Hardly penalised, many features foretell 30 images far worse than their mean does.
    bold = RidgeSettings(3, 3, penalties=(0.01,))
    first, second = rng.normal(size=(30, 3)), rng.normal(size=(30, 18))
    assert encode(second, responses, bold).r2.mean() < -0.5
    found = partition(first, second, responses, bold, 200, 0)
    np.testing.assert_array_less(found.unique.value, np.maximum(found.joint.value, 0.0) + 1e-6)
    assert (found.unique.p < 0.05).mean() < 0.15


def test_parts_add_up_and_changing_places_changes_names_only():
    first, second, responses = study(60, 0.3, 0.1, 0.2, n_targets=5)
    found, turned = partition(first, second, responses, FEW, 99, 50), partition(second, first, responses, FEW)
    total = found.unique.value + found.unique_against.value + found.shared.value
    assert total == pytest.approx(found.joint.value, abs=1e-9)
    assert found.unique.value + found.shared.value == pytest.approx(found.alone.value, abs=1e-9)
    assert turned.unique.value == pytest.approx(found.unique_against.value, abs=1e-6)
    assert turned.shared.value == pytest.approx(found.shared.value, abs=1e-6)


@pytest.mark.parametrize("planted", [(0.4, 0.1, 0.2), (0.0, 0.5, 0.0), (0.0, 0.0, 0.6), (0.2, 0.2, 0.2)])
def test_planted_shares_come_back_with_many_images(planted):
    first, second, responses = study(1500, *planted, n_targets=4)
    found = partition(first, second, responses, FEW, 199, 100)
    values = [found.unique.value.mean(), found.unique_against.value.mean(), found.shared.value.mean()]
    assert values == pytest.approx(planted, abs=0.03)
    for part, share in ((found.unique, planted[0]), (found.unique_against, planted[1])):
        assert (part.p_max <= 0.01).all() if share else (part.p > 0.05).all()


def test_a_source_that_brings_nothing_is_left_out_or_costs_little():
    first, _, responses = study(100, 0.5, 0.0, 0.0, n_targets=30)
    nothing = np.random.default_rng(9).normal(size=(100, 40))
    found = partition(first, nothing, responses, FEW, 0, 0)
    assert -0.03 < found.unique_against.value.mean() < 0.005
    assert found.share.mean() > 0.8
    assert (found.unique.value > 0.2).all()


def test_without_anything_unique_p_is_below_5_percent_no_more_often_than_that():
    below, n = np.zeros(2), 0
    for seed in range(6):
        first, second, responses = study(50, 0.0, 0.3, 0.3, n_targets=40, seed=seed)
        found = partition(first, second, responses, FEW, 199, 0, seed)
        below += [(found.unique.p <= 0.05).sum(), (found.unique.p_max <= 0.05).any()]
        n += 40
    assert below[0] <= stats.binom.ppf(0.999, n, 0.05)
    assert below[1] <= stats.binom.ppf(0.999, 6, 0.05)


def test_what_has_no_number_is_nan_and_leaves_the_others_alone():
    first, second, responses = study(50, 0.3, 0.1, 0.2, n_targets=3)
    spoilt = np.hstack([responses, responses[:, :2]])
    spoilt[7, 3] = np.nan
    spoilt[:, 4] = 2.0
    found, alone = (partition(first, second, one, FEW, 99, 50) for one in (spoilt, responses))
    for name in PARTS:
        part, expected = getattr(found, name), getattr(alone, name)
        for field in ("value", "low", "high", "p", "p_fdr", "p_max"):
            assert np.isnan(getattr(part, field)[3:]).all()
            assert getattr(part, field)[:3] == pytest.approx(getattr(expected, field), abs=1e-6, nan_ok=True)
    assert np.isfinite(found.unique.p[:3]).all()
    assert np.isnan(found.shared.p).all()


def test_small_folds_have_no_interval():
    first, second, responses = study(28, 0.3, 0.1, 0.2)
    found = partition(first, second, responses, FEW, 20, 50)
    assert np.isnan(found.joint.low).all()
    assert np.isfinite(found.joint.value).all()


def test_what_cannot_be_predicted_from_says_why():
    first, second, responses = study(50, 0.3, 0.1, 0.2)
    with pytest.raises(GazeError, match="the same for all images"):
        partition(first, np.ones((50, 4)), responses, FEW)
    with pytest.raises(GazeError, match="no numbers"):
        partition(np.full((50, 4), np.nan), second, responses, FEW)
    with pytest.raises(GazeError):
        partition(first[:8], second[:8], responses[:8], FEW)
    with pytest.raises(StoppedError):
        partition(first, second, responses, FEW, should_stop=lambda: True)


def test_chunks_and_single_precision_change_nothing_that_matters(monkeypatch):
    from gazeapp.engine.neural import banded

    first, second, responses = study(60, 0.3, 0.1, 0.2, n_targets=7)
    expected = squared_errors(first, second, responses, FEW)
    monkeypatch.setattr(banded, "_FEW", 1)
    found = squared_errors(first, second, responses, FEW, threads=1)
    for name in ("first", "second", "joint", "mean"):
        assert getattr(found, name) == pytest.approx(getattr(expected, name), abs=2e-3)


@pytest.mark.simulation
@pytest.mark.parametrize(
    ("n", "planted", "own"),
    [(48, (0.2, 0.2, 0.2), 20), (48, (0.0, 0.3, 0.3), 20), (200, (0.1, 0.3, 0.2), 60)],
)
def test_intervals_hold_the_mean_of_other_studies(n, planted, own):
    n_studies, n_targets = 40, 25
    values, held = [], []
    for seed in range(n_studies):
        first, second, responses = study(n, *planted, n_targets, seed, own)
        found = partition(first, second, responses, n_permutations=0, n_bootstrap=300, seed=seed)
        values.append([getattr(found, name).value for name in PARTS])
        held.append([(getattr(found, name).low, getattr(found, name).high) for name in PARTS])
    truth = np.mean(values, axis=(0, 2))[:, None]
    ends = np.array(held)
    inside = ((ends[:, :, 0] <= truth) & (truth <= ends[:, :, 1])).mean(axis=(0, 2))
    # A source that brings nothing costs a little, and which is left out altogether has 0 without doubt.
    if not planted[0]:
        inside[0] = (ends[:, 0, 0] <= 0).mean()
    width = (ends[:, :, 1] - ends[:, :, 0]).mean(axis=(0, 2)) / (3.92 * np.std(values, axis=(0, 2)))
    for row in zip(PARTS, truth[:, 0], inside, width, strict=True):
        print("{:15s} {:+.3f}  held {:.1%}  width {:.2f} x ideal".format(*row))
    assert (inside > 0.94).all()
    # What is bounded by 0, a source alone, varies less than its ends allow for.
    assert (width[:4] < 1.7).all()


@pytest.mark.simulation
@pytest.mark.parametrize(
    ("n", "against", "alike"), [(48, 0.0, 0.0), (48, 0.5, 0.7), (200, 0.3, 0.0), (200, 0.5, 0.7)]
)
def test_what_brings_nothing_is_found_in_less_than_5_percent_of_tests_and_studies(n, against, alike):
    """The first source is noise that correlates with the second one's features; smooth maps, 14 x 14 cells."""
    from scipy.ndimage import gaussian_filter

    n_studies, n_targets = 25, 40
    rng = np.random.default_rng([n, int(10 * alike)])

    def maps(count):
        fields = gaussian_filter(rng.normal(size=(count, 14, 14)), (0, 1.5, 1.5)).reshape(count, -1)
        return fields / fields.std()

    found = []
    for seed in range(n_studies):
        second = maps(n)
        first = math.sqrt(alike) * second + math.sqrt(1 - alike) * maps(n)
        signal = second @ maps(n_targets).T
        noise = rng.normal(size=(n, n_targets))
        responses = math.sqrt(against) * signal / signal.std(axis=0) + math.sqrt(1 - against) * noise
        part = partition(first, second, responses.astype(np.float32), None, 500, 0, seed).unique
        below = [(one <= 0.05).any() for one in (part.p_fdr, part.p_max)]
        found.append([(part.p <= 0.05).mean(), *below, part.value.mean()])
    rates = np.mean(found, axis=0)
    print(
        f"\n{n} images, {against}, {alike}: p {rates[0]:.1%}, FDR {rates[1]:.0%}, max {rates[2]:.0%}, ",
        end="",
    )
    print(f"mean {rates[3]:+.4f}")
    assert rates[0] < 0.05
    assert (rates[1:3] <= stats.binom.ppf(0.999, n_studies, 0.05) / n_studies).all()
