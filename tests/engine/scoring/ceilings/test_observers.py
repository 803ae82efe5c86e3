"""Human performance against the number of observers."""

from __future__ import annotations

import numpy as np
import pytest

from gazeapp.engine.scoring.ceilings.gold import LOSO_MIXTURE, TaskGold
from gazeapp.engine.scoring.ceilings.observers import (
    LimitFit,
    ObserverCurve,
    ObserverPoint,
    fitted_limit,
    observer_scores,
    observer_sizes,
)
from tests.engine.scoring.gold_world import World, known_looks, shuffled

METRICS = ("nss", "auc", "ig")


@pytest.mark.parametrize(
    ("n_subjects", "expected"),
    [
        (2, (1,)),
        (3, (1, 2)),
        (5, (1, 2, 4)),
        (6, (1, 2, 4, 5)),
        (15, (1, 2, 4, 8, 14)),
        (17, (1, 2, 4, 8, 16)),
    ],
)
def test_sizes_double_up_to_all_others(n_subjects, expected):
    assert observer_sizes(n_subjects) == expected


@pytest.fixture(scope="module")
def study():
    rng = np.random.default_rng(0)
    images = [
        known_looks(rng, World(n_subjects=9, n_fixations=(7, 9), centre=0.1, uniform=0.03)) for _ in range(8)
    ]
    gold = TaskGold.build({k: image.looks for k, image in enumerate(images)})
    negatives = [shuffled(images, k) for k in range(len(images))]
    return gold, negatives, [gold.ceilings(k, negatives[k]) for k in range(len(images))]


def test_more_observers_predict_better_and_all_of_them_are_the_lower_bound(study):
    gold, negatives, ceilings = study
    curve = ObserverCurve()
    for key, ceiling in enumerate(ceilings):
        curve.add(observer_scores(gold, key, negatives[key], ceiling, METRICS))
    for metric in METRICS:
        points = curve.points(metric)
        assert [point.n_observers for point in points] == [1, 2, 4, 8]
        assert all(point.n_images == 8 and point.low < point.mean < point.high for point in points)
        means = [point.mean for point in points]
        assert means == sorted(means)
        loso = np.mean([ceiling.values[metric, LOSO_MIXTURE] for ceiling in ceilings])
        assert means[-1] == pytest.approx(loso, abs=1e-12)
    people = {(metric, size): 9 + size for metric in METRICS for size in (1, 2, 4, 8)}
    findings = curve.findings("describe", people)
    assert len(findings) == 12
    assert {(one.metric, one.term, one.n_subjects) for one in findings} >= {("ig", "4", 13), ("nss", "8", 17)}


def test_one_observer_is_one_person_predicting_another(study):
    gold, negatives, ceilings = study
    found = observer_scores(gold, 3, negatives[3], ceilings[3], ("ig",), seed=5)
    scorer, mixture = gold.scorer(3, negatives[3]), gold.mixture(3).from_fewer(8.0)
    pairs = []
    for predictor in range(9):
        predicts = np.zeros((9, 9), dtype=bool)
        predicts[:, predictor] = True
        np.fill_diagonal(predicts, False)
        predicts[predictor, (predictor + 1) % 9] = True
        scores = scorer.held_out(mixture, predicts)["ig"]
        pairs.append(scores[scorer.people.owner != predictor].mean())
    # One draw of predictors lies within what single predictors reach.
    assert min(pairs) < found["ig", 1] < max(pairs)


def test_a_curve_is_the_mean_over_images_that_have_so_many_people():
    rng = np.random.default_rng(0)
    values = rng.normal(2, 1, 50)
    curve = ObserverCurve()
    for value in values:
        curve.add({("nss", 1): value})
    curve.add({("nss", 1): float("nan"), ("nss", 2): 7.0})
    one, two = curve.points("nss")
    half = 1.959964 * values.std(ddof=1) / np.sqrt(50)
    assert (one.mean, one.low, one.high) == pytest.approx(
        (values.mean(), values.mean() - half, values.mean() + half)
    )
    assert (one.n_images, two.n_images, two.mean) == (50, 1, 7.0)
    assert np.isnan(two.low)
    assert curve.points("auc") == []


def test_two_people_have_one_point_and_one_person_none(study):
    world = World(n_subjects=2)
    rng = np.random.default_rng(1)
    images = [known_looks(rng, world) for _ in range(2)]
    lonely = known_looks(rng, World(n_subjects=1)).looks
    gold = TaskGold.build({0: images[0].looks, 1: images[1].looks, 2: lonely})
    nobody = (np.zeros(0), np.zeros(0))
    assert list(observer_scores(gold, 0, nobody, gold.ceilings(0, nobody), ("nss",))) == [("nss", 1)]
    assert observer_scores(gold, 2, nobody, gold.ceilings(2, nobody)) == {}


def test_a_curve_of_that_form_is_fitted():
    truth = LimitFit(2.5, 1.2, 0.6)
    sizes = (1, 2, 4, 8, 14)
    points = [ObserverPoint(n, float(truth.at(np.float64(n))), 0, 0, 9) for n in sizes]
    found = fitted_limit(points)
    assert (found.limit, found.loss, found.power) == pytest.approx((2.5, 1.2, 0.6), abs=1e-6)
    assert fitted_limit(points[:3]) is None


def test_points_that_only_few_images_have_are_left_out_of_a_curve_and_counted():
    # 18 images of 8 people have all of 1, 2, 4 and 7 others; 6 others are those of one image alone.
    rng = np.random.default_rng(2)
    curve = ObserverCurve()
    numbers = [8] * 18 + [7] + [5]
    values = {}
    for n_subjects in numbers:
        for size in observer_sizes(n_subjects):
            value = float(rng.normal(size, 0.1))
            values.setdefault(size, []).append(value)
            curve.add({("nss", size): value})
    found = curve.findings("describe", {("nss", size): 8 for size in values})
    assert [(one.term, one.n_images) for one in found] == [("1", 20), ("2", 20), ("4", 20), ("7", 18)]
    assert [one.estimate for one in found] == pytest.approx([np.mean(values[n]) for n in (1, 2, 4, 7)])
    assert [one.note for one in found[:-1]] == ["", "", ""]
    assert found[-1].note.endswith("would bend the curve: 6 others (1 of 20 images).")
    assert len(curve.points("nss")) == 5
