"""Encoding: what is recovered, what is left out, what is refused, and that it can be stopped."""

import numpy as np
import pytest

from gazeapp.engine.errors import GazeError, StoppedError
from gazeapp.engine.neural.encoding import RidgeSettings, encode
from gazeapp.engine.neural.encoding.folds import split
from tests.engine.neural.encoding.made_up import study


def test_planted_targets_are_recovered_in_order_and_others_are_not():
    share = np.array([0.9, 0.6, 0.3, 0.0])
    features, responses = study(1, 300, 20, np.repeat(share, 50), 200)
    found = encode(features, responses)
    r = found.r.reshape(4, 50).mean(axis=1)
    # A little less than the square root of the share: 240 images do not tell 20 weights exactly.
    assert (np.abs(r[:3] - np.sqrt(share[:3])) < [0.01, 0.03, 0.08]).all()
    assert (r[:3] < np.sqrt(share[:3])).all()
    assert abs(r[3]) < 0.05
    r2 = found.r2.reshape(4, 50).mean(axis=1)
    assert (np.abs(r2[:3] - share[:3]) < 0.08).all()
    assert -0.05 < r2[3] < 0.01
    # The more noise, the larger the penalty.
    assert (np.diff(np.log(found.penalties.reshape(-1, 4, 50)).mean(axis=(0, 2))) > 0.5).all()


def test_predictions_are_deviations_from_the_mean_in_the_unit_of_the_responses():
    features, responses = study(2, 100, 10, 0.8, 6)
    plain = encode(features, responses)
    far = encode(features, responses * 5 + 1000)
    np.testing.assert_allclose(far.predictions, plain.predictions * 5, atol=1e-3)
    np.testing.assert_allclose(far.means, (responses * 5 + 1000).mean(axis=0, dtype=np.float64))
    errors = ((responses - plain.means - plain.predictions) ** 2).mean(axis=0)
    np.testing.assert_allclose(1 - errors / responses.var(axis=0), plain.r2, atol=0.05)
    np.testing.assert_allclose(far.r, plain.r, atol=1e-4)
    np.testing.assert_allclose(far.r2, plain.r2, atol=1e-4)


def test_many_targets_in_single_precision_are_those_of_few_in_double():
    features, responses = study(3, 60, 12, np.linspace(0, 0.9, 2100), 2100)
    many, few = encode(features, responses), encode(features, responses[:, :2000])
    same = (many.penalties[:, :2000] == few.penalties).all(axis=0)
    assert same.mean() > 0.99
    np.testing.assert_allclose(many.r[:2000][same], few.r[same], atol=1e-4)
    np.testing.assert_allclose(many.predictions[:, :2000][:, same], few.predictions[:, same], atol=1e-4)


def test_targets_without_numbers_or_without_differences_are_left_out_and_counted():
    features, responses = study(4, 60, 8, 0.5, 6)
    plain = encode(features, responses)
    responses[3, 1] = np.nan
    responses[:, 4] = 0.25
    responses[5, 5] = np.inf
    found = encode(features, responses)
    left_out = np.array([False, True, False, False, True, True])
    assert found.n_left_out == 3
    assert plain.n_left_out == 0
    for values in (found.r, found.r2, found.means, *found.penalties, *found.predictions):
        np.testing.assert_array_equal(np.isnan(values), left_out)
    np.testing.assert_allclose(found.r[~left_out], plain.r[~left_out])


def test_a_target_that_is_constant_within_a_fold_is_left_out():
    features, responses = study(4, 60, 8, 0.5, 3)
    fold = encode(features, responses).fold
    responses[fold == 2, 0] = 1.0
    found = encode(features, responses)
    assert found.n_left_out == 1
    assert np.isnan(found.r[0])
    assert np.isnan(found.predictions[:, 0]).all()


def test_features_that_say_nothing_of_the_test_images_predict_nothing():
    features = np.zeros((30, 1))
    responses = np.random.default_rng(0).normal(size=(30, 2)).astype(np.float32)
    fold = encode(np.random.default_rng(1).normal(size=(30, 1)), responses).fold
    # The only column is constant wherever the first fold's model is fitted, and wherever the others are tested.
    features[fold == 0, 0] = np.arange(6)
    found = encode(features, responses)
    np.testing.assert_array_equal(found.r, 0)
    mean = responses[fold != 0].mean(axis=0) - responses.mean(axis=0)
    np.testing.assert_allclose(found.predictions[fold == 0], np.tile(mean, (6, 1)), atol=1e-6)


def test_folds_are_even_random_and_repeatable():
    fold = split(23, 5, 1)
    assert sorted(np.bincount(fold)) == [4, 4, 5, 5, 5]
    np.testing.assert_array_equal(fold, split(23, 5, 1))
    assert (fold != split(23, 5, 2)).any()
    assert (np.diff(fold) != 0).any()
    features, responses = study(5, 60, 8, 0.5, 3)
    first, second, other = (encode(features, responses, RidgeSettings(seed=seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.predictions, second.predictions)
    assert not np.array_equal(first.fold, other.fold)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda x, y: (x[:14], y[:14]), "14 images are too few for 5 folds"),
        (lambda x, y: (x[:3], y[:3]), "3 images are too few for 5 folds"),
        (lambda x, y: (x[:50], y), "do not fit"),
        (lambda x, y: (x, y[:, 0]), "do not fit"),
        (lambda x, y: (np.where(np.arange(60)[:, None] < 2, np.nan, x), y), "of 2 of 60 images"),
        (lambda x, y: (np.broadcast_to(x[0], x.shape), y), "the same for all images"),
        (lambda x, y: (x[:, :0], y), "the same for all images"),
        (lambda x, y: (x, np.full_like(y, np.nan)), "No target"),
        (lambda x, y: (x, np.ones_like(y)), "No target"),
        (lambda x, y: (x, y[:, :0]), "No target"),
    ],
)
def test_what_cannot_be_encoded_is_said_in_a_sentence(change, said):
    with pytest.raises(GazeError, match=said) as told:
        encode(*change(*study(6, 60, 4, 0.5, 3)))
    assert told.value.todo


def test_settings_that_make_no_sense_are_refused():
    for bad in (
        {"n_folds": 1},
        {"n_inner": 1},
        {"penalties": ()},
        {"penalties": (1.0, -1.0)},
        {"penalties": (0.0,)},
    ):
        with pytest.raises(GazeError):
            RidgeSettings(**bad)
    with pytest.raises(GazeError, match="inner folds"):
        encode(*study(6, 15, 4, 0.5, 3), RidgeSettings(n_inner=10))


def test_the_order_of_penalties_does_not_matter():
    features, responses = study(7, 60, 4, 0.5, 3)
    penalties = RidgeSettings().penalties
    first, second = (
        encode(features, responses, RidgeSettings(penalties=p)) for p in (penalties, penalties[::-1])
    )
    np.testing.assert_array_equal(first.penalties, second.penalties)


@pytest.mark.parametrize("patience", [0, 3, 6])
def test_it_stops_between_folds_and_between_chunks_of_targets(patience):
    asked = []

    def should_stop():
        asked.append(True)
        return len(asked) > patience

    features, responses = study(8, 40, 4, 0.5, 2500)
    with pytest.raises(StoppedError):
        encode(features, responses, should_stop=should_stop)
    assert len(asked) == patience + 1


def test_any_number_of_threads_gives_the_same():
    features, responses = study(9, 40, 4, 0.5, 2100)
    one, three = (encode(features, responses, threads=threads) for threads in (1, 3))
    np.testing.assert_array_equal(one.predictions, three.predictions)
    np.testing.assert_array_equal(one.r, three.r)
