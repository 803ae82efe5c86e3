"""Simulated responses: what is said to be planted is what is in them, and it can be found again."""

from __future__ import annotations

import csv
import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from gazeapp.engine.demo.drawing import render
from gazeapp.engine.demo.observers import population_density
from gazeapp.engine.demo.world import demo_scenes
from gazeapp.engine.maps.common_grid import AttentionMap
from gazeapp.engine.neural.encoding.folds import RidgeSettings
from gazeapp.engine.neural.encoding.nested import encode
from gazeapp.engine.neural.encoding.permutation import permutation_test
from gazeapp.engine.neural.features import map_features
from gazeapp.engine.neural.records import BOTH, LEFT, N_HEMISPHERE, N_VERTICES, RIGHT, Region
from gazeapp.engine.neural.simulation.drives import CELLS, contrast_drive, through_fields
from gazeapp.engine.neural.simulation.files import TRUTH_COLUMNS, write_responses, write_truth
from gazeapp.engine.neural.simulation.plan import (
    CONTRAST,
    GENERAL,
    NO_DRIVE,
    PLANTED,
    SOCIAL,
    Planted,
)
from gazeapp.engine.neural.simulation.simulate import (
    PLANTED_CEILINGS,
    Simulation,
    SimulationSettings,
    planted_in,
    simulate_responses,
)
from gazeapp.engine.neural.simulation.truth import PENALTIES, TruthRow, expected_scores, truth_rows
from gazeapp.engine.types import DoubleArray, FloatArray

SIZE = 60
NULLS = tuple(f"silent-{k:02d}" for k in range(20))
NAMES = (*(planted.region for planted in PLANTED), *NULLS)


def regions() -> list[Region]:
    """Return every planted region and 20 silent ones, 60 vertices in the left and 50 in the right hemisphere."""
    found = []
    for k, name in enumerate(NAMES):
        found.append(Region(name, LEFT, np.arange(k * SIZE, (k + 1) * SIZE)))
        found.append(Region(name, RIGHT, N_HEMISPHERE + np.arange(k * SIZE, (k + 1) * SIZE - 10)))
    return found


@cache
def drives(n_scenes: int, with_contrast: bool = True) -> dict[str, FloatArray]:
    scenes = demo_scenes(n_scenes)
    maps = {
        GENERAL: np.stack([population_density(scene, "general", CELLS, CELLS) for scene in scenes]),
        SOCIAL: np.stack([population_density(scene, "social", CELLS, CELLS) for scene in scenes]),
    }
    if with_contrast:
        maps[CONTRAST] = np.stack([contrast_drive(render(scene, 128)) for scene in scenes])
    return maps


def simulated(n_scenes: int = 48, seed: int = 0) -> Simulation:
    names = [f"scene-{k:03d}.png" for k in range(n_scenes)]
    return simulate_responses(drives(n_scenes), names, regions(), SimulationSettings(seed))


def mean_of(simulation: Simulation, name: str, hemisphere: str = BOTH) -> DoubleArray:
    """Return the mean over a region's vertices, shape (n_subjects, n_images)."""
    parts = [r.vertices for r in regions() if r.name == name and hemisphere in (BOTH, r.hemisphere)]
    mean: DoubleArray = simulation.responses.values[:, :, np.concatenate(parts)].mean(
        axis=2, dtype=np.float64
    )
    return mean


def test_outside_regions_there_is_no_response_and_all_say_simulated() -> None:
    made = simulated(12)
    responses = made.responses
    assert responses.simulated
    assert responses.facts["simulated"] is True
    assert responses.values.shape == (4, 12, N_VERTICES)
    assert responses.subjects == ("sim-01", "sim-02", "sim-03", "sim-04")
    used = np.concatenate([region.vertices for region in regions()])
    assert np.isfinite(responses.values[:, :, used]).all()
    assert np.isnan(np.delete(responses.values, used, axis=2)).all()


def test_what_is_planted_is_read_from_the_facts_again() -> None:
    found = planted_in(simulated(12).responses.facts[PLANTED_CEILINGS])
    assert found == {one.region: pytest.approx(one.share**0.5, abs=0.005) for one in PLANTED}
    assert planted_in("") == {}


def test_the_same_seed_gives_the_same_responses_and_another_seed_others(tmp_path: Path) -> None:
    first, again, other = simulated(12), simulated(12), simulated(12, seed=1)
    np.testing.assert_array_equal(first.responses.values, again.responses.values)
    assert not np.array_equal(first.responses.values, other.responses.values, equal_nan=True)
    # Fields come from the seed too, not the noise alone.
    assert not np.array_equal(first.regions[0].signal, other.regions[0].signal)
    for name, made in (("first", first), ("again", again)):
        write_responses(tmp_path / f"{name}.npz", made.responses)
    assert (tmp_path / "first.npz").read_bytes() == (tmp_path / "again.npz").read_bytes()


def test_the_planted_share_is_that_of_every_vertex_of_each_hemisphere_and_of_the_region() -> None:
    rows = {(row.region, row.hemisphere): row for row in truth_rows(simulated())}
    for planted in PLANTED:
        for hemisphere in (LEFT, RIGHT, BOTH):
            row = rows[planted.region, hemisphere]
            assert row.signal_share == pytest.approx(planted.share, abs=1e-6)
            assert row.ceiling_r == pytest.approx(planted.share**0.5, abs=1e-6)
            assert row.drive == " + ".join(planted.drives)
    for name in NULLS:
        assert rows[name, BOTH].drive == NO_DRIVE
        assert rows[name, BOTH].ceiling_r == rows[name, BOTH].expected_r == 0
    assert [row.n_vertices for row in truth_rows(simulated())[:3]] == [110, 60, 50]


def test_responses_have_the_shares_that_the_truth_says() -> None:
    """Signal and noise of what was made, against the closed form, over 10 simulations of 48 images."""
    ratios: dict[tuple[str, str], list[float]] = {}
    for seed in range(10):
        made = simulated(seed=seed)
        shares = {(row.region, row.hemisphere): row.signal_share for row in truth_rows(made)}
        for region in made.regions[: len(PLANTED)]:
            signal = region.signal.astype(np.float64)
            noise = made.responses.values[:, :, region.vertices] - region.signal
            of_vertex = noise.var(axis=1, ddof=1).mean() / 4
            planted = shares[region.name, BOTH]
            expected = signal.var(axis=0).mean() * (1 / planted - 1)
            ratios.setdefault((region.name, "vertex"), []).append(of_vertex / expected)
            left = np.arange(len(region.vertices)) < SIZE
            for hemisphere, part in ((LEFT, left), (RIGHT, ~left), (BOTH, left | True)):
                of_mean = noise[:, :, part].mean(axis=2, dtype=np.float64).var(axis=1, ddof=1).mean() / 4
                expected = signal[:, part].mean(axis=1).var() * (1 / shares[region.name, hemisphere] - 1)
                ratios.setdefault((region.name, hemisphere), []).append(of_mean / expected)
    # Each estimate rests on 10 x 4 x 47 degrees of freedom: a standard error of 3.3 %.
    for key, found in ratios.items():
        assert np.mean(found) == pytest.approx(1, abs=0.12), key
    assert np.mean([np.mean(found) for found in ratios.values()]) == pytest.approx(1, abs=0.02)


def test_the_agreement_of_subjects_gives_the_ceiling() -> None:
    """The reliability of the mean over subjects, 1 - 1 / F of an analysis of variance, is the ceiling squared."""
    n_studies, n_images = 12, 48
    squares = {planted.region: np.zeros(2) for planted in PLANTED}
    for seed in range(n_studies):
        made = simulated(n_images, seed)
        for name, found in squares.items():
            each = mean_of(made, name)
            each -= each.mean(axis=1, keepdims=True)
            within = each - each.mean(axis=0)
            found += 4 * each.mean(axis=0).var(ddof=1), np.square(within).sum() / (3 * (n_images - 1))
    degrees = n_studies * (n_images - 1)
    error = (2 / degrees + 2 / (3 * degrees)) ** 0.5
    for planted in PLANTED:
        between, within = squares[planted.region]
        assert 1 - within / between == pytest.approx(planted.share, abs=3 * error * (1 - planted.share))


def test_fields_weigh_maps_by_gaussians() -> None:
    rng = np.random.default_rng(0)
    maps = rng.random((3, 8, 12)).astype(np.float32)
    places, size = np.array([[0.3, 0.6], [0.95, 0.05]]), 0.15
    seen = through_fields(maps, places, size)
    for k, (x, y) in enumerate(places):
        weights = np.array(
            [
                [
                    np.exp(-(((c + 0.5) / 12 - x) ** 2 + ((r + 0.5) / 8 - y) ** 2) / (2 * size**2))
                    for c in range(12)
                ]
                for r in range(8)
            ]
        )
        expected = [np.average(one, weights=weights) for one in maps]
        np.testing.assert_allclose(seen[:, k], expected, rtol=1e-5)


def test_left_hemisphere_sees_the_right_of_the_picture() -> None:
    bright_right = np.zeros((2, CELLS, CELLS), dtype=np.float32)
    bright_right[1, :, CELLS // 2 :] = 1
    plan = Planted("one", {GENERAL: 1.0}, 0.999, x=0.25, y=0.5, scatter=0.02, size=0.05)
    sides = [Region("one", LEFT, np.arange(5)), Region("one", RIGHT, N_HEMISPHERE + np.arange(5))]
    both = {GENERAL: bright_right + np.random.default_rng(0).random(bright_right.shape, np.float32) * 1e-3}
    made = simulate_responses(both, ["dark", "bright"], sides, SimulationSettings(planted=(plan,)))
    seen = through_fields(bright_right, np.array([[0.75, 0.5], [0.25, 0.5]]), 0.05)
    assert seen[1, 0] > 0.99
    assert seen[1, 1] < 0.01
    left = made.regions[0].signal[:, :5]
    assert (left[1] > left[0]).all()


def test_contrast_is_where_the_picture_changes_whatever_its_strength() -> None:
    picture = np.full((256, 256, 3), 100, dtype=np.uint8)
    assert np.ptp(contrast_drive(picture)) == 0
    picture[160:192, 64:96] = 140
    strong = picture.astype(np.int64)
    strong[160:192, 64:96] = 180
    drive = contrast_drive(picture)
    assert drive.shape == (CELLS, CELLS)
    assert drive.sum() == pytest.approx(1, abs=1e-5)
    assert drive[34:54, 10:30].sum() > 0.99
    np.testing.assert_allclose(contrast_drive(strong.astype(np.uint8)), drive, atol=1e-7)
    # A size that is no multiple of the cells gives nearly the same.
    odd = np.full((400, 300, 3), 100, dtype=np.uint8)
    odd[250:300, 75:112] = 140
    assert np.corrcoef(contrast_drive(odd).ravel(), drive.ravel())[0, 1] > 0.95


def direct_ridge(
    training: DoubleArray, responses: DoubleArray, held_out: DoubleArray, penalty: float
) -> DoubleArray:
    """Return the predictions of ridge regression from its normal equations."""
    mean, spread = training.mean(axis=0), training.std(axis=0)
    own = (training - mean) / spread
    level = responses.mean(axis=0)
    weights = np.linalg.solve(own.T @ own + penalty * np.eye(own.shape[1]), own.T @ (responses - level))
    predicted: DoubleArray = (held_out - mean) / spread @ weights + level
    return predicted


def test_the_expected_score_is_what_ridge_regression_reaches_on_average() -> None:
    rng = np.random.default_rng(3)
    features = rng.standard_normal((60, 12)) * np.linspace(1, 3, 12) + 5
    signals = features @ rng.standard_normal((12, 3)) + 0.3 * rng.standard_normal((60, 3))
    signals /= signals.std(axis=0)
    noises, fold = np.array([0.1, 1.0, 3.0]), rng.permutation(60) % 5
    reached = np.zeros((len(PENALTIES), 3))
    n_draws = 300
    noise = rng.standard_normal((60, n_draws, 3)) * np.sqrt(noises)
    responses = (signals[:, None] + noise).reshape(60, -1)
    for k, penalty in enumerate(PENALTIES):
        z = []
        for test in (fold == one for one in range(5)):
            predicted = direct_ridge(features[~test], responses[~test], features[test], penalty)
            a, b = predicted - predicted.mean(axis=0), responses[test] - responses[test].mean(axis=0)
            z.append(np.arctanh((a * b).sum(axis=0) / np.sqrt((a * a).sum(axis=0) * (b * b).sum(axis=0))))
        reached[k] = np.tanh(np.mean(z, axis=0)).reshape(n_draws, 3).mean(axis=0)
    expected = expected_scores(features, signals, noises, fold)
    np.testing.assert_allclose(reached.max(axis=0), expected, atol=0.025)
    assert (expected < 1 / np.sqrt(1 + noises)).all()


def test_more_images_bring_the_expected_score_to_the_ceiling() -> None:
    def below_ceiling(n_scenes: int) -> dict[str, float]:
        plan = tuple(planted for planted in PLANTED if CONTRAST not in planted.drives)
        made = simulate_responses(
            drives(n_scenes, with_contrast=False),
            [str(k) for k in range(n_scenes)],
            regions(),
            SimulationSettings(planted=plan),
        )
        rows = truth_rows(made)[: 3 * len(plan)]
        return {row.region: row.ceiling_r - row.expected_r for row in rows if row.hemisphere == BOTH}

    few, many = below_ceiling(48), below_ceiling(400)
    assert len(few) == 6
    for name, missing in many.items():
        assert 0 < missing < min(0.05, few[name])


def test_too_few_images_are_no_error_and_promise_nothing() -> None:
    alone = simulate_responses({d: m[:1] for d, m in drives(12).items()}, ["one"], regions())
    row = truth_rows(alone)[0]
    assert row.signal_share == 0
    assert np.isnan(row.expected_r)
    assert np.isfinite(alone.responses.values[:, :, 0]).all()


def test_the_files_hold_what_was_made(tmp_path: Path) -> None:
    made = simulated(12)
    rows = truth_rows(made)
    write_responses(tmp_path / "responses.npz", made.responses)
    write_truth(tmp_path / "truth.csv", rows, made.responses)
    with np.load(tmp_path / "responses.npz", allow_pickle=False) as stored:
        np.testing.assert_allclose(stored["Y"], made.responses.values, rtol=5e-4, atol=1e-6)
        assert tuple(stored["image_ids"]) == made.responses.images
        assert tuple(stored["subjects"]) == made.responses.subjects
        meta = json.loads(str(stored["meta_json"]))
    assert meta["simulated"] is True
    assert meta["seed"] == 0
    assert [one["region"] for one in meta["planted"]] == [planted.region for planted in PLANTED]
    with (tmp_path / "truth.csv").open(newline="", encoding="utf-8") as file:
        read = list(csv.DictReader(file))
    assert tuple(read[0]) == TRUTH_COLUMNS
    assert len(read) == 3 * len(NAMES)
    assert {row["simulated"] for row in read} == {"yes"}
    assert float(read[0]["signal_share"]) == PLANTED[0].share
    for row, stored in zip(rows, read, strict=True):
        assert (row.region, row.hemisphere) == (stored["region"], stored["hemisphere"])
        assert float(stored["expected_r"]) == pytest.approx(row.expected_r, abs=5e-5)


@cache
def recovered() -> dict[str, tuple[DoubleArray, DoubleArray]]:
    """Return, by region, the scores of its own drive's maps and of maps of people over 6 studies of 48 scenes."""
    features = {
        drive: map_features([AttentionMap(one) for one in maps]) for drive, maps in drives(48).items()
    }
    own: dict[str, list[float]] = {name: [] for name in NAMES}
    people: dict[str, list[float]] = {name: [] for name in NAMES}
    for seed in range(6):
        made = simulated(seed=seed)
        means = np.stack([mean_of(made, name).mean(axis=0) for name in NAMES], axis=1).astype(np.float32)
        of_people = encode(features[GENERAL], means, RidgeSettings(seed=seed)).r
        for planted in PLANTED:
            k = NAMES.index(planted.region)
            used = np.hstack([features[drive] for drive in planted.drives])
            own[planted.region].append(encode(used, means[:, [k]], RidgeSettings(seed=seed)).r[0])
        for name, r in zip(NAMES, of_people, strict=True):
            people[name].append(r)
    return {name: (np.array(own[name]), np.array(people[name])) for name in NAMES}


def test_encoding_recovers_planted_regions_in_order() -> None:
    studies = [truth_rows(simulated(seed=seed)) for seed in range(6)]
    expected = [
        float(np.mean([row.expected_r for rows in studies for row in rows if one(row, planted)]))
        for planted in PLANTED
    ]
    scores = np.array([recovered()[planted.region][0] for planted in PLANTED])
    means = list(scores.mean(axis=1))
    assert means == sorted(means, reverse=True)
    for planted, mean, promised in zip(PLANTED, means, expected, strict=True):
        # Three standard errors of the mean of six correlations over 48 images, 10 of them lost to the fit.
        assert mean == pytest.approx(promised, abs=3 * (1 - promised**2) / (6 * 38) ** 0.5), planted.region
        assert mean < planted.share**0.5
    # In a single study neighbours may change places.
    for study in scores.T:
        assert spearmanr(study, [planted.share for planted in PLANTED]).statistic > 0.7


def one(row: TruthRow, planted: Planted) -> bool:
    return row.region == planted.region and row.hemisphere == BOTH


def test_people_predict_what_people_drive_and_not_what_is_silent() -> None:
    people = {name: r.mean() for name, (_, r) in recovered().items()}
    driven = [planted.region for planted in PLANTED if tuple(planted.drives) == (GENERAL,)]
    assert [people[name] for name in driven] == sorted((people[name] for name in driven), reverse=True)
    assert min(people[name] for name in driven) > 0.35
    silent = np.concatenate([recovered()[name][1] for name in NULLS])
    # 120 scores about 0, each with a standard deviation of some 0.2; those of one study go together a little.
    assert abs(silent.mean()) < 0.06
    assert max(people[name] for name in NULLS) < min(people[name] for name in driven)


def test_silent_regions_are_found_as_often_as_chance_says() -> None:
    features = map_features([AttentionMap(one) for one in drives(48)[GENERAL]])
    p, p_max = [], []
    for seed in range(3):
        made = simulated(seed=seed)
        silent = np.stack([mean_of(made, name).mean(axis=0) for name in NULLS], axis=1).astype(np.float32)
        test = permutation_test(features, silent, RidgeSettings(seed=seed), n_permutations=199, seed=seed)
        p.append(test.p)
        p_max.append(test.p_max.min())
    # 60 regions: at 5 % more than 8 come about in one of 100 such tests.
    assert np.sum(np.concatenate(p) <= 0.05) <= 8
    assert np.sum(np.array(p_max) <= 0.05) <= 1
