"""Predictions and penalties beside a direct solution and beside himalaya."""

import numpy as np
import pytest

from gazeapp.engine.neural.encoding.folds import RidgeSettings, split
from gazeapp.engine.neural.encoding.nested import NestedFolds, encode
from gazeapp.engine.neural.encoding.ridge import NestedFold, _decomposed
from gazeapp.engine.runners.process import never
from tests.engine.neural.encoding.made_up import study

PENALTIES = np.logspace(-1, 6, 20)


def solved(x, y, wanted, penalty):
    """Ridge regression with an intercept, by the normal equations."""
    mean = x.mean(axis=0)
    centred = x - mean
    weights = np.linalg.solve(
        centred.T @ centred + penalty * np.eye(x.shape[1]), centred.T @ (y - y.mean(axis=0))
    )
    return y.mean(axis=0) + (wanted - mean) @ weights


def directly(features, responses, train, test, inner):
    """One outer fold without anything clever: predictions, and the place of each target's penalty."""
    x, y = features[train], responses[train].astype(float)
    x, wanted = ((rows - x.mean(axis=0)) / x.std(axis=0) for rows in (x, features[test]))
    errors = np.zeros((len(PENALTIES), y.shape[1]))
    for k in np.unique(inner):
        own = inner == k
        for row, penalty in zip(errors, PENALTIES, strict=True):
            row += ((solved(x[~own], y[~own], x[own], penalty) - y[own]) ** 2).mean(axis=0)
    chosen = errors.argmin(axis=0)
    predicted = [solved(x, y[:, [t]], wanted, PENALTIES[place]) for t, place in enumerate(chosen)]
    return np.hstack(predicted), chosen


# More features than images; fewer; so few that inner folds are replaced by fewer rows; a single one.
@pytest.mark.parametrize(("n", "p"), [(60, 90), (90, 30), (150, 6), (60, 1)])
@pytest.mark.parametrize(("dtype", "close"), [(np.float64, 1e-9), (np.float32, 1e-5)])
def test_a_fold_is_that_of_a_direct_solution_with_the_same_penalties(n, p, dtype, close):
    features, responses = study(p, n, p, np.linspace(0, 0.95, 24), 24)
    place = split(n, 4, 3)
    train, test = np.flatnonzero(place != 0), np.flatnonzero(place == 0)
    inner = split(len(train), 5, 4)
    wanted, places = directly(features, responses, train, test, inner)
    fold = NestedFold(features, train, test, inner, PENALTIES, dtype)
    found, chosen = fold.predict(responses.astype(dtype))
    assert found.dtype == dtype
    np.testing.assert_array_equal(chosen, places)
    assert len(np.unique(chosen)) >= 3  # else nothing is chosen
    np.testing.assert_allclose(found, wanted, atol=close)


def test_encoding_is_that_of_himalaya_with_the_same_penalties():
    ridge = pytest.importorskip("himalaya.ridge")
    model_selection = pytest.importorskip("sklearn.model_selection")
    features, responses = study(8, 100, 49, np.linspace(0, 0.9, 60), 60)
    settings = RidgeSettings(n_folds=4, n_inner=5, seed=6)
    found = encode(features, responses, settings)
    single, places = NestedFolds(features, settings, np.float32, never).predict(responses)
    for k in range(4):
        train, test = found.fold != k, found.fold == k
        x = features[train]
        x, wanted = ((rows - x.mean(axis=0)) / x.std(axis=0) for rows in (x, features[test]))
        model = ridge.RidgeCV(
            alphas=PENALTIES,
            fit_intercept=True,
            cv=model_selection.PredefinedSplit(split(int(train.sum()), 5, 6, k + 1)),
            solver_params={"warn": False},
        )
        model.fit(x, responses[train].astype(float))
        np.testing.assert_allclose(found.penalties[k], model.best_alphas_)
        np.testing.assert_allclose(PENALTIES[places[k]], model.best_alphas_)
        predicted = found.means + found.predictions[test]
        np.testing.assert_allclose(predicted, model.predict(wanted), atol=1e-5)
        np.testing.assert_allclose(single[test], model.predict(wanted), atol=1e-5)


def test_one_feature_and_one_penalty_are_a_shrunken_slope():
    rng = np.random.default_rng(1)
    x, y = rng.normal(3, 2, 40), rng.normal(5, 1, 40)
    y += 0.7 * x
    found = encode(x[:, None], y[:, None].astype(np.float32), RidgeSettings(n_folds=2, penalties=(8.0,)))
    for k in range(2):
        train = found.fold != k
        a, b = x[train] - x[train].mean(), y[train] - y[train].mean()
        slope = (a @ b) / (a @ a) * len(a) / (len(a) + 8.0)
        wanted = y[train].mean() + slope * (x[~train] - x[train].mean())
        np.testing.assert_allclose(found.means + found.predictions[~train], wanted[:, None], atol=1e-5)


def test_columns_that_do_not_vary_and_copies_of_columns_do_no_harm():
    features, responses = study(2, 60, 10, 0.5, 5)
    plain = encode(features, responses, RidgeSettings(penalties=(1e-3,)))
    constant = np.hstack([features, np.full((60, 2), 1 / 3)])
    np.testing.assert_allclose(
        encode(constant, responses, RidgeSettings(penalties=(1e-3,))).predictions,
        plain.predictions,
        atol=1e-6,
    )
    # Shared by two columns, a weight costs half as much.
    twice = encode(np.hstack([features, features]), responses, RidgeSettings(penalties=(2e-3,)))
    np.testing.assert_allclose(twice.predictions, plain.predictions, atol=1e-6)


def test_responses_of_the_test_images_change_nothing_of_their_predictions():
    features, responses = study(3, 60, 10, 0.5, 5)
    before = encode(features, responses)
    changed = responses.copy()
    changed[before.fold == 2] += np.random.default_rng(0).normal(0, 9, changed[before.fold == 2].shape)
    after = encode(features, changed)
    first, second = (one.means + one.predictions for one in (before, after))
    np.testing.assert_allclose(second[before.fold == 2], first[before.fold == 2], atol=1e-5)
    assert not np.allclose(second[before.fold == 1], first[before.fold == 1], atol=1e-2)


@pytest.mark.parametrize(("n", "p", "rank"), [(30, 50, 30), (50, 30, 30), (40, 40, 7), (20, 3, 0)])
def test_the_decomposition_is_that_of_lapack_whatever_the_shape_and_rank(n, p, rank):
    rng = np.random.default_rng(n)
    filled = rng.permutation(n + 5)[:n]
    x = np.zeros((n + 5, p))
    x[filled] = rng.normal(size=(n, rank)) @ rng.normal(size=(rank, p))
    u, s, vt = _decomposed(x)
    assert s.shape == (rank,)
    np.testing.assert_allclose(s, np.linalg.svd(x, compute_uv=False)[:rank], atol=1e-9)
    np.testing.assert_allclose(u * s @ vt, x, atol=1e-9)
    np.testing.assert_allclose(u.T @ u, np.eye(rank), atol=1e-9)
    np.testing.assert_allclose(vt @ vt.T, np.eye(rank), atol=1e-9)
