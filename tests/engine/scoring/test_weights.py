"""Human maps weighted by duration: against sums of Gaussians, against repeated fixations, and to the bit."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from gazeapp.engine.scoring.aggregate import summarise_task
from gazeapp.engine.scoring.baselines.from_fixations import OtherImages, Positions
from gazeapp.engine.scoring.ceilings.from_maps import (
    HALF_VS_HALF,
    LOSO,
    SPLIT_HALF,
    image_ceilings,
    subject_maps,
)
from gazeapp.engine.scoring.image import ImageJob, Rules, score_image
from gazeapp.engine.scoring.metrics import cc, kl, pixels, sim
from gazeapp.engine.scoring.sources import Source, SourceMap
from gazeapp.engine.types import Rect

WIDTH, HEIGHT, SIGMA = 44, 32, 3.0
RULES = Rules(sigma_px=SIGMA, n_splits=12)
MODEL = Source("model", "m")
MAP = np.random.default_rng(3).random((HEIGHT, WIDTH)).astype(np.float32)
POINTS, MAPS = ("nss", "auc", "sauc"), ("cc", "sim", "kl")


def make_job(weights: np.ndarray | None = None, seed: int = 0) -> ImageJob:
    """Return an image that six people looked at."""
    rng = np.random.default_rng(seed)
    subject = np.repeat([f"s{k}" for k in range(6)], 5)
    x = np.clip(rng.normal(18, 7, len(subject)), 0, WIDTH - 0.01)
    y = np.clip(rng.normal(14, 5, len(subject)), 0, HEIGHT - 0.01)
    others = OtherImages({9: Positions(*rng.random((2, 40)))})
    maps = (SourceMap(MODEL, MAP, Rect.of_image(WIDTH, HEIGHT)),)
    return ImageJob(0, WIDTH, HEIGHT, x, y, subject, maps, others, weights=weights)


def durations(n: int = 30, seed: int = 5) -> np.ndarray:
    return np.random.default_rng(seed).uniform(80, 900, n).round()


def gaussian(x: float, y: float) -> np.ndarray:
    """Return one fixation's Gaussian, all of it inside the image, pixel by pixel in double precision."""
    total = np.array(
        [
            [
                math.exp(-((column + 0.5 - x) ** 2 + (row + 0.5 - y) ** 2) / (2 * SIGMA**2))
                for column in range(WIDTH)
            ]
            for row in range(HEIGHT)
        ]
    )
    return total / total.sum()


def test_a_weighted_human_map_is_the_weighted_sum_of_gaussians():
    weights, job = durations(), make_job()
    people = subject_maps(job.x, job.y, job.subject, HEIGHT, WIDTH, SIGMA, weights)
    parts = [w * gaussian(x, y) for w, x, y in zip(weights, job.x, job.y, strict=True)]
    expected = sum(parts) / weights.sum()
    np.testing.assert_allclose(people.human(), expected, rtol=2e-4, atol=1e-9)
    np.testing.assert_allclose(people.maps[2], sum(parts[10:15]), rtol=2e-4, atol=1e-6)
    found = score_image(dataclasses.replace(job, weights=weights), RULES).scores[MODEL]
    for metric, function in (("cc", cc), ("sim", sim), ("kl", kl)):
        assert found[metric] == pytest.approx(function(MAP.astype(np.float64), expected), abs=2e-5)


def test_weights_of_one_are_no_weights_to_the_bit():
    plain, ones = score_image(make_job(), RULES), score_image(make_job(np.ones(30)), RULES)
    for source, values in plain.scores.items():
        np.testing.assert_equal(ones.scores[source], values)
    for metric, column in plain.scores_without[MODEL].items():
        np.testing.assert_array_equal(ones.scores_without[MODEL][metric], column)
    assert {key: ones.ceilings[key] for key in plain.ceilings} == plain.ceilings


def test_weights_change_the_metrics_of_maps_and_their_ceilings_only():
    plain, weighted = score_image(make_job(), RULES), score_image(make_job(durations()), RULES)
    for source, values in plain.scores.items():
        assert {m: weighted.scores[source][m] for m in POINTS} == {m: values[m] for m in POINTS}
    assert all(weighted.scores[MODEL][metric] != plain.scores[MODEL][metric] for metric in MAPS)
    same = [(metric, LOSO) for metric in POINTS]
    assert {key: weighted.ceilings[key] for key in same} == {key: plain.ceilings[key] for key in same}
    for key in (("cc", SPLIT_HALF), ("sim", HALF_VS_HALF), ("kl", HALF_VS_HALF)):
        assert weighted.ceilings[key] != plain.ceilings[key]


def test_a_fixation_that_weighs_three_is_three_fixations_in_the_metrics_of_maps():
    weights = np.random.default_rng(2).integers(1, 4, 30)
    weighted = score_image(make_job(weights.astype(np.float64)), RULES)
    job = make_job()
    repeated = dataclasses.replace(
        job,
        x=np.repeat(job.x, weights),
        y=np.repeat(job.y, weights),
        subject=np.repeat(job.subject, weights),
    )
    expected = score_image(repeated, RULES)
    for metric in MAPS:
        assert weighted.scores[MODEL][metric] == pytest.approx(expected.scores[MODEL][metric], abs=2e-6)
    for key in (("cc", SPLIT_HALF), ("sim", HALF_VS_HALF), ("kl", HALF_VS_HALF)):
        assert weighted.ceilings[key] == pytest.approx(expected.ceilings[key], abs=5e-6)
        if key in expected.ceilings_without:
            np.testing.assert_allclose(
                weighted.ceilings_without[key], expected.ceilings_without[key], atol=5e-6
            )


def test_cc_without_a_person_is_that_of_the_weighted_data_without_them():
    job = make_job(durations())
    found = score_image(job, RULES)
    for k, name in enumerate(found.subjects):
        kept = job.subject != name
        again = dataclasses.replace(
            job, x=job.x[kept], y=job.y[kept], subject=job.subject[kept], weights=job.weights[kept]
        )
        expected = score_image(again, RULES).scores[MODEL]["cc"]
        assert found.scores_without[MODEL]["cc"][k] == pytest.approx(expected, abs=1e-5)


def test_the_percentage_of_nss_is_the_same_with_and_without_weights():
    rows = {}
    for weighted in (False, True):
        found = [
            score_image(make_job(durations(seed=k) if weighted else None, seed=k), RULES) for k in range(5)
        ]
        keys = found[0].ceilings
        parts = {key: np.array([one.ceilings[key] for one in found]) for key in keys}
        scores = {
            MODEL: {m: np.array([one.scores[MODEL][m] for one in found]) for m in found[0].scores[MODEL]}
        }
        summary = summarise_task(scores, parts, np.full(5, 6), n_bootstrap=50)
        rows[weighted] = {row.metric: row.share.ceiling for row in summary if row.source == MODEL}
        assert [row.metric for row in summary if row.source == Source("human", HALF_VS_HALF)] == list(MAPS)
    assert rows[True]["nss"] == rows[False]["nss"]
    assert rows[True]["cc"] != rows[False]["cc"]


def test_ceilings_of_weighted_maps_alone_need_no_points():
    job = make_job(durations())
    plain = subject_maps(job.x, job.y, job.subject, HEIGHT, WIDTH, SIGMA)
    weighted = subject_maps(job.x, job.y, job.subject, HEIGHT, WIDTH, SIGMA, job.weights)
    nobody = pixels([], [], HEIGHT, WIDTH)
    found = image_ceilings(plain, nobody, metrics=("cc",), n_splits=12, weighted=weighted)
    assert set(found.values) == {("cc", SPLIT_HALF)}
