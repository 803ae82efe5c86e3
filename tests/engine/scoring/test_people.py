"""Everything without one subject: against scoring the data that the subject was really taken out of."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from gazeapp.engine.scoring.aggregate import Without, ceiling_mark, summarise_task
from gazeapp.engine.scoring.baselines.from_fixations import OtherImages, Positions
from gazeapp.engine.scoring.ceilings.from_maps import LOSO, SPLIT_HALF, image_ceilings, subject_maps
from gazeapp.engine.scoring.image import ImageJob, ImageScores, Rules, score_image
from gazeapp.engine.scoring.metrics import auc, sauc
from gazeapp.engine.scoring.presets import MIT, TUEBINGEN
from gazeapp.engine.scoring.sources import Source, SourceMap
from gazeapp.engine.scoring.statistics.two_way import (
    LeftOutRows,
    means_without,
    variance_over_people,
)
from gazeapp.engine.types import Rect

WIDTH, HEIGHT = 60, 44
RECT = Rect.of_image(WIDTH, HEIGHT)
MODEL, TRUTH = Source("model", "m", "raw"), Source("truth", "true_density")
NAMES = np.array(["ann", "bob", "cai", "dee", "eva", "fay"])


def make_job(key: int = 0, names: np.ndarray = NAMES) -> ImageJob:
    """Return an image that the named people looked at around two places, some at the same pixels."""
    rng = np.random.default_rng(key)
    subject = np.repeat(names, 4 + np.arange(len(names)))
    places = np.array([[15.0, 14.0], [42.0, 30.0]])[rng.integers(0, 2, len(subject))]
    x, y = np.clip((places + rng.normal(0, 5, places.shape)).T, 0, [[WIDTH - 0.01], [HEIGHT - 0.01]])
    # Another person's pixel, and one's own twice: the mit preset counts a pixel once.
    x[[0, 2]], y[[0, 2]] = x[[-1, 1]], y[[-1, 1]]
    maps = tuple(
        SourceMap(source, rng.random((9, 11)).astype(np.float32) + 0.1, RECT) for source in (MODEL, TRUTH)
    )
    others = OtherImages({k: Positions(*rng.random((2, 40))) for k in range(100, 103)})
    return ImageJob(key, WIDTH, HEIGHT, x, y, subject, maps, others, seed=key)


def leave_out(job: ImageJob, name: str) -> ImageJob:
    kept = job.subject != name
    return dataclasses.replace(job, x=job.x[kept], y=job.y[kept], subject=job.subject[kept])


@pytest.mark.parametrize("preset", [TUEBINGEN, MIT], ids=lambda preset: preset.id)
def test_each_score_without_a_person_is_that_of_the_data_without_them(preset):
    job, rules = make_job(), Rules(preset, sigma_px=4.0, metrics=(*preset.metrics, "auc_judd", "spearman"))
    # EMD, which takes long, has no score without a person either.
    found = score_image(job, dataclasses.replace(rules, metrics=(*rules.metrics, "emd")))
    assert found.subjects == tuple(NAMES)
    expected = {"nss", "sauc", "cc", "spearman"} | ({"auc"} if preset is TUEBINGEN else set())
    for k, name in enumerate(NAMES):
        again = score_image(leave_out(job, name), rules)
        for source, columns in found.scores_without.items():
            assert set(columns) == expected
            for metric, column in columns.items():
                truth = again.scores[source][metric]
                assert column[k] == pytest.approx(truth, abs=1e-6, nan_ok=True), (source, metric)
    assert len(found.scores_without) == 6
    assert len(set(found.scores_without[MODEL]["cc"])) == len(NAMES)


def test_ranks_without_a_person_at_some_pixels_are_close_to_those_at_all():
    job, rules = make_job(), Rules(sigma_px=12.0, metrics=("auc", "auc_borji", "spearman"))
    found = score_image(job, rules)
    for columns in found.scores_without.values():
        assert columns["auc_borji"].tolist() == columns["auc"].tolist()
    changes = []
    for k, name in enumerate(NAMES):
        again = score_image(leave_out(job, name), rules)
        for source in (MODEL, TRUTH):
            all_pixels = again.scores[source]["spearman"] - found.scores[source]["spearman"]
            some = found.scores_without[source]["spearman"][k] - found.scores[source]["spearman"]
            assert some == pytest.approx(all_pixels, abs=0.02)
            changes.append(abs(all_pixels))
    assert max(changes) > 0.05


def test_the_drawn_auc_borji_without_a_person_keeps_the_drawn_pixels():
    job = make_job()
    found = score_image(job, Rules(MIT, sigma_px=4.0, metrics=("auc_borji",), seed=2))
    again = [
        score_image(leave_out(job, name), Rules(MIT, sigma_px=4.0, metrics=("auc_borji",))) for name in NAMES
    ]
    for source in (MODEL, TRUTH):
        for k, one in enumerate(again):
            expected = one.scores[source]["auc_borji"]
            assert found.scores_without[source]["auc_borji"][k] == pytest.approx(expected, abs=0.03)


@pytest.mark.parametrize("preset", [TUEBINGEN, MIT], ids=lambda preset: preset.id)
def test_each_part_of_a_ceiling_without_a_person_is_that_of_the_data_without_them(preset):
    job, rules = (
        make_job(),
        Rules(preset, sigma_px=4.0, n_splits=30, seed=5, metrics=(*preset.metrics, "spearman")),
    )
    found = score_image(job, rules)
    for k, name in enumerate(NAMES):
        again = score_image(leave_out(job, name), rules)
        for key in [
            ("nss", LOSO),
            ("cc", SPLIT_HALF),
            ("spearman", SPLIT_HALF),
        ]:
            assert found.ceilings_without[key][k] == pytest.approx(again.ceilings[key], rel=1e-6), key


def test_auc_and_sauc_of_people_lose_the_person_from_their_mean_only():
    job = make_job()
    people = subject_maps(job.x, job.y, job.subject, HEIGHT, WIDTH, 4.0)
    others = job.others.pixels(job.key, HEIGHT, WIDTH)
    found = image_ceilings(people, others)
    weights = np.array([len(one) for one in people.fixated])
    each = {"auc": [], "sauc": []}
    for k, own in enumerate(people.fixated):
        rest = np.delete(people.maps, k, axis=0).sum(axis=0)
        each["auc"].append(auc(rest, own))
        each["sauc"].append(sauc(rest, own, others))
    for metric, values in each.items():
        for k in range(len(people)):
            expected = np.average(np.delete(values, k), weights=np.delete(weights, k))
            assert found.without[metric, LOSO][k] == pytest.approx(expected, abs=2e-4)


@pytest.mark.parametrize(("n", "expected"), [(1, set()), (2, set()), (3, {LOSO}), (4, {LOSO, SPLIT_HALF})])
def test_what_is_known_without_one_of_few_people(n, expected):
    found = score_image(make_job(names=NAMES[:n]), Rules(sigma_px=4.0))
    assert {estimator for _, estimator in found.ceilings_without} == expected
    assert all(np.isfinite(column).all() for column in found.ceilings_without.values())
    assert bool(found.scores_without[MODEL]) == (n >= 3)


def columns_of(results: list[ImageScores]) -> tuple[dict, dict, np.ndarray]:
    scores = {
        source: {
            metric: np.array([one.scores[source][metric] for one in results]) for metric in ("nss", "cc")
        }
        for source in results[0].scores
    }
    parts = {key: np.array([one.ceilings[key] for one in results]) for key in results[0].ceilings}
    return scores, parts, np.array([one.n_subjects for one in results])


def test_percentages_without_a_person_are_those_of_the_study_without_them():
    # Nobody looked at all images; whoever did not look at one leaves it as it is.
    rules = Rules(sigma_px=4.0, metrics=("nss", "cc"))
    jobs = [make_job(k, np.delete(NAMES, k)) for k in range(6)]
    results = [score_image(job, rules) for job in jobs]
    scores, parts, n_subjects = columns_of(results)
    image = np.repeat(np.arange(6), n_subjects)
    subject = np.searchsorted(NAMES, np.concatenate([one.subjects for one in results]))
    left_parts = {key: np.concatenate([one.ceilings_without[key] for one in results]) for key in parts}
    for metric in ("nss", "cc"):
        mark = ceiling_mark(metric, parts, n_subjects)
        left = ceiling_mark(metric, left_parts, n_subjects[image] - 1)
        column = np.concatenate([one.scores_without[MODEL][metric] for one in results])
        rows = LeftOutRows(image, subject, np.column_stack([column, left.columns]))
        table = np.column_stack([scores[MODEL][metric], mark.columns])
        means = means_without(table, np.full(6, True), rows)
        found = 100 * means[:, 0] / mark.combine(means[:, 1:])
        for k, name in enumerate(NAMES):
            again = columns_of([score_image(leave_out(job, name), rules) for job in jobs])
            share = next(
                row.share for row in summarise_task(*again, 10) if (row.source, row.metric) == (MODEL, metric)
            )
            assert found[k] == pytest.approx(share.percent, abs=2e-5)
        without = Without(image, subject, {MODEL: {metric: column}}, left_parts)
        one, both = (
            next(row.share for row in rows if (row.source, row.metric) == (MODEL, metric))
            for rows in (
                summarise_task(scores, parts, n_subjects, 500),
                summarise_task(scores, parts, n_subjects, 500, without=without),
            )
        )
        assert (one.percent, one.ceiling) == (both.percent, both.ceiling)
        assert both.low <= one.low < one.high <= both.high
        assert (one.n_subjects, both.n_subjects) == (0, 6)


def test_the_jackknife_of_a_mean_is_its_textbook_variance():
    values = np.random.default_rng(0).normal(size=12)
    without = (values.sum() - values) / 11
    assert variance_over_people(without) == pytest.approx(values.var(ddof=1) / 12)
    assert variance_over_people(without[:2]) == 0
    assert variance_over_people(np.append(without, np.nan)) == pytest.approx(variance_over_people(without))


def test_an_image_without_a_value_for_a_person_is_left_out_of_the_means_without_them():
    table = np.array([[1.0, 2.0], [3.0, 4.0], [9.0, np.nan]])
    rows = LeftOutRows(
        np.array([0, 1, 0, 2]),
        np.array([7, 7, 8, 8]),
        np.array([[5.0, 6.0], [np.nan, 1.0], [2.0, 2.0], [0.0, 0.0]]),
    )
    found = means_without(table, np.array([True, True, False]), rows)
    np.testing.assert_allclose(found, [[5.0, 6.0], [2.5, 3.0]])
