"""One image: the scoring frame, what is scored, and how large images and parts of images are treated."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.density import human_map
from gazeapp.engine.scoring.baselines.from_fixations import OtherImages, Positions, expected_human_map
from gazeapp.engine.scoring.ceilings.gold import ImageFixations, TaskGold
from gazeapp.engine.scoring.image import ImageJob, Rules, score_image, scoring_size
from gazeapp.engine.scoring.metrics import cc, nss, pixels
from gazeapp.engine.scoring.presets import MIT
from gazeapp.engine.scoring.sources import Source, SourceMap
from gazeapp.engine.types import Rect

WIDTH, HEIGHT = 60, 40
MODEL, TRUTH = Source("model", "cnn-lstm", "raw"), Source("truth", "true_density")


def make_job(maps=(), n=40, scale=1, n_images=3):
    rng = np.random.default_rng(0)
    x, y = np.clip(rng.normal(30, 8, n), 0, 59.9) * scale, np.clip(rng.normal(15, 6, n), 0, 39.9) * scale
    positions = {k: Positions(*rng.random((2, 30))) for k in range(1, n_images)}
    positions[0] = Positions(x / (WIDTH * scale), y / (HEIGHT * scale))
    subject = np.array([f"s{k % 5}" for k in range(n)])
    return ImageJob(0, WIDTH * scale, HEIGHT * scale, x, y, subject, tuple(maps), OtherImages(positions))


def test_an_image_within_the_limit_keeps_its_size_and_a_larger_one_its_shape():
    assert scoring_size(800, 600, 1024) == (800, 600)
    assert scoring_size(20_000, 10_000, 1024) == (1024, 512)
    assert scoring_size(1, 5000, 1024) == (1, 1024)


def test_a_model_s_grid_is_brought_to_the_image_before_it_is_scored():
    values = np.random.default_rng(1).random((5, 7), dtype=np.float32)
    job = make_job([SourceMap(MODEL, np.repeat(np.repeat(values, 1, 0), 1, 1), Rect.of_image(WIDTH, HEIGHT))])
    fine = SourceMap(MODEL, np.kron(values, np.ones((8, 8))).astype(np.float32), Rect.of_image(WIDTH, HEIGHT))
    coarse = score_image(job, Rules(sigma_px=3)).scores[MODEL]
    blocky = score_image(make_job([fine]), Rules(sigma_px=3)).scores[MODEL]
    assert coarse["nss"] == pytest.approx(blocky["nss"], abs=0.2)
    assert coarse != blocky


def test_a_map_over_part_of_the_image_is_scored_there():
    rect = Rect(15, 5, 30, 20)
    found = score_image(make_job([SourceMap(MODEL, np.ones((2, 3), np.float32), rect)]), Rules(sigma_px=3))
    box = np.zeros((HEIGHT, WIDTH))
    box[5:25, 15:45] = 1
    job = make_job()
    assert found.scores[MODEL]["nss"] == pytest.approx(
        nss(box, pixels(job.x, job.y, HEIGHT, WIDTH)), abs=1e-5
    )


def test_baselines_are_scored_beside_the_models():
    found = score_image(make_job(), Rules(sigma_px=3))
    always = {Source("baseline", name) for name in ("uniform", "centre_gaussian", "random")}
    of_others = {Source("baseline", name) for name in ("centre_bias", "other_image")}
    assert set(found.scores) == always | of_others
    assert found.n_subjects == 5
    alone = score_image(make_job(n_images=1), Rules(sigma_px=3))
    assert set(alone.scores) == always
    assert np.isnan(alone.scores[Source("baseline", "uniform")]["sauc"])


def test_the_true_density_meets_the_human_map_as_blurred_as_it_is():
    job = make_job()
    density = human_map(job.x, job.y, HEIGHT, WIDTH, 5.0)
    found = score_image(
        make_job([SourceMap(TRUTH, density, Rect.of_image(WIDTH, HEIGHT))]), Rules(sigma_px=3)
    )
    human = human_map(job.x, job.y, HEIGHT, WIDTH, 3.0)
    assert found.scores[TRUTH]["nss"] == pytest.approx(
        nss(density, pixels(job.x, job.y, HEIGHT, WIDTH)), abs=1e-5
    )
    assert found.scores[TRUTH]["cc"] == pytest.approx(cc(expected_human_map(density, 3.0), human), abs=1e-5)
    assert found.scores[TRUTH]["cc"] < cc(density, human)


def test_a_large_image_is_scored_at_the_limit_with_everything_scaled():
    values = np.random.default_rng(1).random((5, 7), dtype=np.float32)
    small = score_image(make_job([SourceMap(MODEL, values, Rect(6, 4, 40, 30))]), Rules(sigma_px=3))
    large = score_image(
        make_job([SourceMap(MODEL, values, Rect(60, 40, 400, 300))], scale=10),
        Rules(sigma_px=30, max_side_px=WIDTH),
    )
    assert small.n_subjects == large.n_subjects
    for metric, value in small.scores[MODEL].items():
        assert large.scores[MODEL][metric] == pytest.approx(value, abs=1e-5, nan_ok=True), metric
    for key, value in small.ceilings.items():
        assert large.ceilings[key] == pytest.approx(value, abs=1e-4), key


def test_a_fixation_on_the_last_pixel_survives_scaling():
    job = make_job(scale=10)
    x, y = job.x.copy(), job.y.copy()
    x[0], y[0] = np.nextafter(600, 0), np.nextafter(400, 0)
    edge = ImageJob(0, 600, 400, x, y, job.subject, (), job.others)
    assert score_image(edge, Rules(sigma_px=30, max_side_px=59)).n_subjects == 5


def test_only_the_chosen_metrics_are_computed():
    found = score_image(make_job(), Rules(sigma_px=3, metrics=("cc", "kl")))
    assert all(set(values) == {"cc", "kl"} for values in found.scores.values())
    assert {metric for metric, _ in found.ceilings} == {"cc", "kl"}


def test_ceilings_follow_the_conventions_of_the_preset_also_where_densities_are_at_hand():
    job = make_job()
    looks = {0: ImageFixations(job.x / WIDTH, job.y / HEIGHT, job.subject, WIDTH, HEIGHT)}
    job = replace(job, gold=TaskGold.build(looks))
    found = score_image(job, Rules(sigma_px=3, metrics=("nss", "auc")))
    assert {key for key in found.ceilings if "observers" not in key[1]} == {
        (metric, estimator)
        for metric in ("nss", "auc")
        for estimator in ("loso_mixture", "loso_extrapolated", "all_mixture")
    }
    # AUC-Judd has no ceiling.
    mit = score_image(job, Rules(MIT, sigma_px=3, metrics=("nss", "auc"), transform="density"))
    assert set(mit.ceilings) == {("nss", "loso")}


def test_without_fixations_there_is_nothing_to_score():
    with pytest.raises(GazeError, match="no fixations"):
        score_image(make_job(n=0), Rules())
