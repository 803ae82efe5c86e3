"""Whole studies of known densities: percent of ceiling and its interval, 300 of each kind."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from gazeapp.engine.scoring.aggregate import Without, summarise_task
from gazeapp.engine.scoring.baselines.from_fixations import OtherImages, Positions
from gazeapp.engine.scoring.ceilings.gold import TaskGold
from gazeapp.engine.scoring.ceilings.people import ImageFixations
from gazeapp.engine.scoring.image import ImageJob, ImageScores, Rules, score_image
from gazeapp.engine.scoring.sources import Source, SourceMap
from gazeapp.engine.scoring.statistics.two_way import Share
from gazeapp.engine.types import Rect
from tests.engine.scoring.world import KnownImage, habits, known_image

SIZE = 96
RULES = Rules(sigma_px=SIZE * 20 / 512, metrics=("nss", "cc"), n_splits=100)
RECT = Rect.of_image(SIZE, SIZE)
TRUTH, MODEL = Source("truth", "true_density"), Source("model", "half right")


def columns(results: list[ImageScores], field: str, key: object, *more: object) -> np.ndarray:
    """Return one column of all images' results, with or without people."""
    found = [getattr(one, field)[key] for one in results]
    for part in more:
        found = [one[part] for one in found]
    return np.concatenate([np.atleast_1d(one) for one in found])


def shares(images: list[KnownImage], models: list[np.ndarray], n_bootstrap: int) -> dict[tuple, Share]:
    """Score the true density and a model on all images, as the score verb does."""
    others = OtherImages({k: Positions(image.x / SIZE, image.y / SIZE) for k, image in enumerate(images)})
    gold = TaskGold.build(
        {
            k: ImageFixations(image.x / SIZE, image.y / SIZE, image.subject, SIZE, SIZE)
            for k, image in enumerate(images)
        }
    )
    results = []
    for k, (image, model) in enumerate(zip(images, models, strict=True)):
        maps = SourceMap(TRUTH, image.density, RECT), SourceMap(MODEL, model, RECT)
        job = ImageJob(k, SIZE, SIZE, image.x, image.y, image.subject, maps, others, seed=k, gold=gold)
        results.append(score_image(job, RULES))
    n, m = len(results), results[0].n_subjects
    one = results[0]
    without = Without(
        np.repeat(np.arange(n), m),
        np.tile(np.arange(m), n),
        {
            source: {metric: columns(results, "scores_without", source, metric) for metric in RULES.metrics}
            for source in (TRUTH, MODEL)
        },
        {key: columns(results, "ceilings_without", key) for key in one.ceilings_without},
    )
    scores = {
        source: {metric: columns(results, "scores", source, metric) for metric in RULES.metrics}
        for source in (TRUTH, MODEL)
    }
    parts = {key: columns(results, "ceilings", key) for key in one.ceilings}
    rows = summarise_task(scores, parts, np.full(n, m), n_bootstrap, without=without)
    return {(row.source, row.metric): row.share for row in rows}


def study(seed: int, likeness: float, n_people: int, n_images: int, n_bootstrap: int) -> dict[tuple, Share]:
    """Return the shares of the truth and of the mean of it and a strange image's truth."""
    rng = np.random.default_rng([seed, n_people, n_images, 7])
    gains = habits(rng, n_people, likeness) if likeness else None
    images = [known_image(rng, SIZE, n_subjects=n_people, gains=gains) for _ in range(n_images)]
    return shares(images, [image.density + stranger(rng, likeness) for image in images], n_bootstrap)


def stranger(rng: np.random.Generator, likeness: float) -> np.ndarray:
    return known_image(rng, SIZE, 1, 4, gains=np.ones((1, 5)) if likeness else None).density


def true_percent(likeness: float, n_images: int) -> float:
    """Return the NSS of the model in percent of that of the truth, over many images and all people."""
    rng = np.random.default_rng(99)
    sums = np.zeros(2)
    for _ in range(n_images):
        truth = known_image(rng, SIZE, 1, 4, gains=np.ones((1, 5)) if likeness else None).density
        for k, values in enumerate((truth + stranger(rng, likeness), truth)):
            sums[k] += ((values - values.mean()) * truth).sum() / values.std()
    return float(100 * sums[0] / sums[1])


def test_intervals_about_people_hold_the_truth_where_people_have_habits():
    found = [study(seed, 8.0, 6, 10, 400) for seed in range(5)]
    for metric in RULES.metrics:
        own = [one[TRUTH, metric] for one in found]
        assert sum(share.low <= 100 <= share.high for share in own) >= 4
        assert {(share.n_subjects, share.method) for share in own} == {(6, "images and people")}


@pytest.mark.simulation
@pytest.mark.parametrize(("likeness", "n_people", "n_images"), [(8, 12, 24), (8, 6, 24), (0, 12, 24)])
def test_intervals_hold_the_truth_at_their_nominal_rate(likeness, n_people, n_images):
    truth = {(TRUTH, "nss"): 100.0, (TRUTH, "cc"): 100.0, (MODEL, "nss"): true_percent(likeness, 3000)}
    found = {key: [] for key in truth}
    for seed in range(300):
        shared = study(seed, likeness, n_people, n_images, 1000)
        for key in truth:
            found[key].append(dataclasses.astuple(shared[key])[3:6])
    for key, values in found.items():
        percent, low, high = np.array(values).T
        held = float(((low <= truth[key]) & (truth[key] <= high)).mean())
        assert 0.915 <= held <= 0.99, (key, held)
        # As long as they have to be: 1.96 standard deviations to each side, and what t adds for few people.
        assert 1.0 < (high - low).mean() / (2 * 1.96 * percent.std()) < 1.45, key
