"""Information gain, transformed maps and what several tasks share, on one image."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from gazeapp.engine.gaze.density import human_map
from gazeapp.engine.scoring import image as module
from gazeapp.engine.scoring.baselines.from_fixations import OtherImages, Positions, expected_human_map
from gazeapp.engine.scoring.cells import cell_index, cell_shape
from gazeapp.engine.scoring.densities.conversion import Conversion, Form
from gazeapp.engine.scoring.densities.information import information_gain
from gazeapp.engine.scoring.densities.of_image import Densities
from gazeapp.engine.scoring.image import ImageJob, Rules, score_image
from gazeapp.engine.scoring.metrics import auc, cc, nss, pixels, sauc
from gazeapp.engine.scoring.presets import MIT
from gazeapp.engine.scoring.sources import Source, SourceMap
from gazeapp.engine.types import Rect

WIDTH, HEIGHT, SIGMA = 60, 40, 3.0
WHOLE = Rect.of_image(WIDTH, HEIGHT)
MODEL, TRUTH = Source("model", "m", "raw"), Source("truth", "true_density")
CENTRE, UNIFORM = Source("baseline", "centre_bias"), Source("baseline", "uniform")
SHAPE = cell_shape(WIDTH, HEIGHT)
RNG = np.random.default_rng(3)
X, Y = np.clip(RNG.normal(30, 8, 40), 0, 59.9), np.clip(RNG.normal(15, 6, 40), 0, 39.9)
SUBJECT = np.array([f"s{k % 5}" for k in range(40)])
OTHERS = OtherImages(
    {
        0: Positions(X / WIDTH, Y / HEIGHT),
        1: Positions(*RNG.random((2, 30))),
        2: Positions(*RNG.random((2, 30))),
    }
)
VALUES = RNG.random((4, 6)).astype(np.float32)
# The density falls by half for each mean of the map below its highest node.
CONVERSION = Conversion((0.0, 2.0), (0.0, 2.0 * np.log(2.0)), 0.0, Form(), 2)


def log2_centre() -> np.ndarray:
    rows, columns = SHAPE
    density = human_map([columns / 2], [rows / 2], rows, columns, 60.0) * rows * columns
    return np.log2(density).astype(np.float32)


def job(**changes) -> ImageJob:
    made = ImageJob(
        0,
        WIDTH,
        HEIGHT,
        X,
        Y,
        SUBJECT,
        (SourceMap(MODEL, VALUES, WHOLE),),
        OTHERS,
        densities=Densities(log2_centre(), {MODEL: CONVERSION}),
    )
    return dataclasses.replace(made, **changes)


def bits(log2: np.ndarray) -> np.ndarray:
    return log2.ravel()[cell_index(X / WIDTH, Y / HEIGHT, SHAPE)].astype(np.float64)


def test_information_gain_is_what_the_converted_map_tells_above_the_centre_bias():
    rules = Rules(sigma_px=SIGMA, metrics=("ig", "ll"))
    found = score_image(job(), rules)
    relative = VALUES / VALUES.mean()
    # By hand at the middle of the map's cells would miss the interpolation: the same cells, from the pixels up.
    from gazeapp.engine.maps.resample import to_image

    cells = to_image(relative, Rect.of_image(*SHAPE[::-1]), *SHAPE)
    density = 2.0 ** np.clip(cells, 0, 2)
    log2 = np.log2(0.999 * density / density.mean() + 0.001)
    assert found.scores[MODEL]["ll"] == pytest.approx(bits(log2).mean(), abs=1e-4)
    gain = bits(log2) - bits(log2_centre())
    assert found.scores[MODEL]["ig"] == pytest.approx(gain.mean(), abs=1e-4)
    for k, name in enumerate(found.subjects):
        own = name == SUBJECT
        assert found.scores_of_each[MODEL]["ig"][k] == pytest.approx(gain[own].mean(), abs=1e-4)
        assert found.scores_without[MODEL]["ig"][k] == pytest.approx(gain[~own].mean(), abs=1e-4)


def test_densities_need_no_conversion():
    truth = human_map(X, Y, HEIGHT, WIDTH, 6.0)
    found = score_image(
        job(maps=(SourceMap(TRUTH, truth, WHOLE),)), Rules(sigma_px=SIGMA, metrics=("ig", "ll"))
    )
    at = pixels(X, Y, HEIGHT, WIDTH).index
    assert found.scores[CENTRE]["ig"] == 0
    assert found.scores[UNIFORM]["ll"] == 0
    assert found.scores[UNIFORM]["ig"] == pytest.approx(-bits(log2_centre()).mean(), abs=1e-6)
    expected = np.log2(truth.ravel()[at] * truth.size).mean()
    assert found.scores[TRUTH]["ll"] == pytest.approx(expected, abs=0.02)


def test_without_a_conversion_or_a_centre_there_is_no_information_gain():
    rules = Rules(sigma_px=SIGMA, metrics=("nss", "ig"))
    for changed in (job(densities=None), job(densities=Densities(log2_centre()))):
        found = score_image(changed, rules)
        assert np.isnan(found.scores[MODEL]["ig"])
        assert np.isfinite(found.scores[MODEL]["nss"])


def test_the_mit_code_takes_maps_as_they_are():
    found = score_image(job(densities=None), Rules(MIT, sigma_px=SIGMA, metrics=("ig",)))
    from gazeapp.engine.maps.resample import to_image

    values = to_image(VALUES, WHOLE, HEIGHT, WIDTH)
    centre = OTHERS.centre_bias(0, HEIGHT, WIDTH, SIGMA)
    expected = information_gain(values, centre, pixels(X, Y, HEIGHT, WIDTH), MIT)
    assert found.scores[MODEL]["ig"] == pytest.approx(expected, abs=1e-5)
    assert found.scores_without[MODEL] == {}


def test_each_metric_sees_the_map_that_suits_it_where_that_is_asked_for():
    rules = Rules(sigma_px=SIGMA, metrics=("nss", "auc", "sauc", "cc", "kl"), transform="density")
    found = score_image(job(), rules).scores[MODEL]
    plain = score_image(job(), dataclasses.replace(rules, transform="none")).scores[MODEL]
    from gazeapp.engine.maps.resample import to_image

    log2 = job().densities.of(SourceMap(MODEL, VALUES, WHOLE), WIDTH, HEIGHT)
    density = to_image(np.exp2(log2), WHOLE.of_image(WIDTH, HEIGHT), HEIGHT, WIDTH)
    ratio = to_image(np.exp2(log2 - log2_centre()), WHOLE, HEIGHT, WIDTH)
    fixated = pixels(X, Y, HEIGHT, WIDTH)
    human = human_map(X, Y, HEIGHT, WIDTH, SIGMA)
    assert found["nss"] == pytest.approx(nss(density, fixated), abs=1e-5)
    assert found["auc"] == pytest.approx(auc(density, fixated), abs=1e-4)
    assert found["sauc"] == pytest.approx(sauc(ratio, fixated, OTHERS.pixels(0, HEIGHT, WIDTH)), abs=1e-4)
    assert found["cc"] == pytest.approx(cc(expected_human_map(density, SIGMA), human), abs=2e-3)
    assert plain != found


def test_a_map_of_several_tasks_is_made_ready_once(monkeypatch):
    made = []
    honest = module.PreparedMap
    monkeypatch.setattr(module, "PreparedMap", lambda values: made.append(1) or honest(values))
    shared = (SourceMap(MODEL, VALUES, WHOLE, "m 0"),)
    rules = Rules(sigma_px=SIGMA, metrics=("nss", "auc", "cc"))
    other = job(maps=shared, x=X[::-1].copy(), y=np.clip(Y + 3, 0, 39.9), seed=9)
    alone = [score_image(one, rules) for one in (job(maps=shared), other)]
    n_alone = len(made)
    made.clear()
    ready = {}
    together = [score_image(one, rules, ready) for one in (job(maps=shared), other)]
    # The map, uniform, the centre Gaussian and the random map serve both.
    assert n_alone - len(made) == 4
    for one, same in zip(alone, together, strict=True):
        for source, values in one.scores.items():
            np.testing.assert_equal(same.scores[source], values)
        for metric, column in one.scores_without[MODEL].items():
            np.testing.assert_array_equal(same.scores_without[MODEL][metric], column)


def test_people_under_another_task_are_a_baseline():
    elsewhere = OtherImages({0: Positions(RNG.random(20), RNG.random(20))})
    found = score_image(job(other_tasks=(elsewhere,)), Rules(sigma_px=SIGMA, metrics=("nss",)))
    looked = elsewhere.positions(0)
    expected = human_map(looked.u * WIDTH, looked.v * HEIGHT, HEIGHT, WIDTH, SIGMA)
    source = Source("baseline", "other_task")
    assert found.scores[source]["nss"] == pytest.approx(nss(expected, pixels(X, Y, HEIGHT, WIDTH)), abs=1e-5)
    assert source not in score_image(job(), Rules(sigma_px=SIGMA, metrics=("nss",))).scores


@pytest.mark.parametrize("metric", ["nss", "auc", "sauc", "cc"])
def test_what_each_person_scores_is_their_own_fixations_score(metric):
    rules = Rules(sigma_px=SIGMA, metrics=(metric,))
    found = score_image(job(), rules).scores_of_each[MODEL][metric]
    for k, name in enumerate(sorted(set(SUBJECT))):
        own = name == SUBJECT
        alone = job(x=X[own], y=Y[own], subject=SUBJECT[own])
        assert found[k] == pytest.approx(score_image(alone, rules).scores[MODEL][metric], abs=1e-5)
