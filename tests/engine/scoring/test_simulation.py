"""Whole studies whose answer is known: what is the truth scores 100 %, what knows nothing scores chance."""

from __future__ import annotations

import numpy as np
import pytest

from gazeapp.engine.scoring.aggregate import SourceSummary, Without, summarise_task
from gazeapp.engine.scoring.baselines.from_fixations import OtherImages, Positions
from gazeapp.engine.scoring.ceilings.gold import ImageFixations, TaskGold
from gazeapp.engine.scoring.densities.of_image import Densities
from gazeapp.engine.scoring.image import ImageJob, ImageScores, Rules, score_image
from gazeapp.engine.scoring.sources import Source, SourceMap
from gazeapp.engine.scoring.statistics.two_way import Share
from gazeapp.engine.types import Rect
from tests.engine.scoring.world import KnownImage, habits, known_image

SIZE = 96
RULES = Rules(sigma_px=SIZE * 20 / 512)
RECT = Rect.of_image(SIZE, SIZE)
TRUTH, OTHER = Source("truth", "true_density"), Source("model", "map of a strange image")
UNIFORM, CENTRE = Source("baseline", "uniform"), Source("baseline", "centre_bias")


def scored(images: list[KnownImage], strangers: list[KnownImage], rules: Rules = RULES) -> list[ImageScores]:
    """Score a study as the score verb does, with each image's truth and a stranger's truth as models.

    The strangers are images outside the study: another image of the study has its own fixations among
    the negatives of sAUC, and its map would score below chance.
    """
    others = OtherImages({k: Positions(image.x / SIZE, image.y / SIZE) for k, image in enumerate(images)})
    gold = TaskGold.build(
        {
            k: ImageFixations(image.x / SIZE, image.y / SIZE, image.subject, SIZE, SIZE)
            for k, image in enumerate(images)
        }
    )
    results = []
    for k, (image, stranger) in enumerate(zip(images, strangers, strict=True)):
        maps = (
            SourceMap(TRUTH, image.density, RECT),
            SourceMap(OTHER, stranger.density, RECT),
        )
        job = ImageJob(
            k,
            SIZE,
            SIZE,
            image.x,
            image.y,
            image.subject,
            maps,
            others,
            seed=k,
            densities=Densities(gold.centre(k, SIZE, SIZE)),
            gold=gold,
        )
        results.append(score_image(job, rules))
    return results


def summarise(
    results: list[ImageScores], n_bootstrap: int = 2000, count_people: bool = False
) -> dict[tuple[Source, str], SourceSummary]:
    """Return the summary of a scored study; ``count_people``: intervals are about people, too."""
    scores = {
        source: {metric: np.array([one.scores[source][metric] for one in results]) for metric in metrics}
        for source, metrics in results[0].scores.items()
    }
    parts = {key: np.array([one.ceilings[key] for one in results]) for key in results[0].ceilings}
    n_subjects = np.array([one.n_subjects for one in results])
    people = without(results) if count_people else None
    rows = summarise_task(scores, parts, n_subjects, n_bootstrap, without=people)
    return {(row.source, row.metric): row for row in rows}


def without(results: list[ImageScores]) -> Without:
    """Return the images without one person; everybody looked at all of them."""
    n = len(results[0].subjects)
    assert all(one.subjects == results[0].subjects for one in results)
    return Without(
        np.repeat(np.arange(len(results)), n),
        np.tile(np.arange(n), len(results)),
        {
            source: {
                metric: np.concatenate([one.scores_without[source][metric] for one in results])
                for metric in columns
            }
            for source, columns in results[0].scores_without.items()
        },
        {
            key: np.concatenate([one.ceilings_without[key] for one in results])
            for key in results[0].ceilings_without
        },
    )


@pytest.fixture(scope="module", params=[3, pytest.param(12, marks=pytest.mark.simulation)])
def studies(request: pytest.FixtureRequest) -> list[dict[tuple[Source, str], SourceSummary]]:
    found = []
    for seed in range(request.param):
        rng = np.random.default_rng([seed, 1])
        images = [known_image(rng, SIZE) for _ in range(48)]
        found.append(summarise(scored(images[:24], images[24:])))
    return found


def holds(shares: list[Share], percent: float, within: float) -> bool:
    """Return whether the mean share of 12 studies is within so much of a percentage, and the intervals hold it.

    A fifth of the intervals may miss it, or one of few. Of fewer studies the mean varies more.
    """
    missed = sum(not share.low <= percent <= share.high for share in shares)
    mean = float(np.mean([share.percent for share in shares]))
    off = abs(mean - percent)
    return off <= within * np.sqrt(12 / len(shares)) and missed <= max(1, len(shares) / 5)


@pytest.mark.parametrize(("metric", "width"), [("nss", 6), ("auc", 3), ("ig", 12), ("cc", 5)])
def test_the_true_density_scores_100_percent_within_its_interval(studies, metric, width):
    shares = [study[TRUTH, metric].share for study in studies]
    assert holds(shares, 100, width / 6)
    assert np.mean([share.high - share.low for share in shares]) < width


def test_the_true_density_is_near_100_percent_of_ranks():
    rules = Rules(sigma_px=RULES.sigma_px, metrics=("spearman", "auc_judd"), n_splits=10)
    rng = np.random.default_rng(2)
    images = [known_image(rng, SIZE) for _ in range(24)]
    study = summarise(scored(images[:12], images[12:], rules), 500)
    row = study[TRUTH, "spearman"]
    assert row.estimator == "sqrt_spearman_brown"
    # Ranks are no sums: the ceiling errs by about a percent, upwards.
    assert 97.5 < row.share.percent < 100.5
    assert study[OTHER, "spearman"].share.percent < 60
    assert study[TRUTH, "auc_judd"].estimator == ""
    assert all(np.isnan(row.share.percent) for (_, metric), row in study.items() if metric == "auc_judd")


def test_mass_moves_less_far_from_the_true_density_than_between_halves_of_the_people():
    rng = np.random.default_rng(2)
    images = [known_image(rng, SIZE) for _ in range(6)]
    rules = Rules(sigma_px=RULES.sigma_px, metrics=("emd",), n_splits=2)
    study = summarise(scored(images[:3], images[3:], rules), 500)
    truth, other = study[TRUTH, "emd"], study[OTHER, "emd"]
    assert truth.share.mean < truth.share.ceiling < other.share.mean
    assert truth.estimator == "half_vs_half"
    assert all(np.isnan(row.share.percent) for row in study.values())


@pytest.mark.parametrize("metric", ["nss", "auc", "ig"])
def test_100_percent_is_between_its_bounds(studies, metric):
    for study in studies:
        assert study[TRUTH, metric].estimator == "loso_extrapolated"
        assert study[Source("human", "loso_mixture"), metric].share.percent < 99.5
        assert study[Source("human", "all_mixture"), metric].share.percent > 101


def test_a_uniform_map_scores_exactly_0_percent(studies):
    for study in studies:
        for metric in ("nss", "auc", "sauc"):
            share = study[UNIFORM, metric].share
            assert (share.percent, share.low, share.high) == (0, 0, 0)
        assert study[UNIFORM, "cc"].share.n_images == 0


def test_the_map_of_a_strange_image_scores_chance_where_the_centre_earns_nothing(studies):
    shares = [study[OTHER, "sauc"].share for study in studies]
    assert holds(shares, 0, 3)


def test_the_centre_bias_is_above_chance_and_below_people(studies):
    for study in studies:
        share = study[CENTRE, "nss"].share
        assert share.low > 0
        assert share.high < study[Source("human", "loso_mixture"), "nss"].share.percent


def test_sim_and_kl_have_a_reference_and_no_percentage(studies):
    for metric in ("sim", "kl"):
        row = studies[0][TRUTH, metric]
        assert row.estimator == "half_vs_half"
        assert np.isfinite(row.share.ceiling)
        assert np.isnan(row.share.percent)
    # The truth overlaps with the map of all people more than halves of them overlap with each other.
    assert studies[0][TRUTH, "sim"].share.mean > studies[0][TRUTH, "sim"].share.ceiling
    assert studies[0][TRUTH, "kl"].share.mean < studies[0][TRUTH, "kl"].share.ceiling


def test_where_everybody_looks_at_the_centre_the_centre_bias_is_the_truth():
    rng = np.random.default_rng(5)
    images = []
    for _ in range(24):
        x, y = np.clip(rng.normal(SIZE / 2, 10, (2, 150)), 0, SIZE - 1e-6)
        pixels = np.exp(-0.5 * ((np.arange(SIZE) + 0.5 - SIZE / 2) / 10) ** 2)
        density = np.outer(pixels, pixels).astype(np.float32)
        images.append(
            KnownImage(density / density.sum(), x, y, np.repeat([f"p{k}" for k in range(12)], 150)[::12])
        )
    study = summarise(scored(images, images))
    assert study[CENTRE, "nss"].share.percent == pytest.approx(98, abs=2.5)
    assert study[CENTRE, "ig"].share.mean == 0
    assert study[TRUTH, "ig"].share.mean == pytest.approx(0, abs=0.05)
    assert study[TRUTH, "nss"].share.percent == pytest.approx(100, abs=2)
    assert study[CENTRE, "sauc"].share.mean == pytest.approx(0.5, abs=0.02)
    assert study[TRUTH, "sauc"].share.mean == pytest.approx(0.5, abs=0.02)


def test_people_of_whom_nobody_knows_anything_have_no_ceiling():
    rng = np.random.default_rng(6)
    images = []
    for _ in range(12):
        x, y = rng.uniform(0, SIZE, (2, 60))
        density = np.full((SIZE, SIZE), 1 / SIZE**2, np.float32)
        images.append(KnownImage(density, x, y, np.repeat([f"p{k}" for k in range(6)], 10)))
    study = summarise(scored(images, images))
    assert abs(study[Source("human", "loso_mixture"), "nss"].share.mean) < 0.15
    assert np.isnan(study[TRUTH, "nss"].share.percent)
    assert abs(study[Source("human", "half_vs_half"), "cc"].share.mean) < 0.1


@pytest.mark.simulation
def test_intervals_hold_the_truth_when_people_keep_their_habits_over_all_images():
    rules = Rules(sigma_px=RULES.sigma_px, metrics=("nss", "cc"), n_splits=30)
    held = {(count_people, metric): 0 for count_people in (False, True) for metric in rules.metrics}
    for seed in range(16):
        rng = np.random.default_rng([seed, 7])
        gains = habits(rng, n_subjects=12, likeness=8.0)
        images = [known_image(rng, SIZE, gains=gains) for _ in range(20)]
        results = scored(images, images, rules)
        for count_people in (False, True):
            study = summarise(results, 1000, count_people)
            for metric in rules.metrics:
                share = study[TRUTH, metric].share
                held[count_people, metric] += share.low <= 100 <= share.high
    for metric in rules.metrics:
        assert held[True, metric] >= 14
    assert held[False, "cc"] <= 10
