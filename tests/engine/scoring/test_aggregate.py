import numpy as np
import pytest

from gazeapp.engine.scoring.aggregate import summarise_task
from gazeapp.engine.scoring.ceilings.from_maps import HALF_VS_HALF
from gazeapp.engine.scoring.ceilings.gold import LOSO_EXTRAPOLATED
from gazeapp.engine.scoring.sources import HUMAN, MODEL, Source

ONE = Source(MODEL, "one")
HALVES = Source(HUMAN, HALF_VS_HALF)
NONE = np.nan


def rows_of(scores, parts, n_people):
    found = summarise_task(
        {ONE: {metric: np.array(column) for metric, column in scores.items()}},
        {key: np.array(column) for key, column in parts.items()},
        np.array(n_people),
        n_bootstrap=50,
    )
    return {(row.source, row.metric): row for row in found}


@pytest.mark.parametrize("metric", ["sim", "kl", "emd"])
def test_a_mean_beside_a_reference_keeps_the_images_of_few_people(metric):
    scores = {metric: [0.1, 0.2, 0.3, 0.8, NONE], "nss": [1.0, 1.0, 1.0, 4.0, NONE]}
    parts = {
        (metric, HALF_VS_HALF): [0.5, 0.6, 0.7, NONE, 0.9],
        ("nss", LOSO_EXTRAPOLATED): [2.0, 2.0, 2.0, NONE, 2.0],
    }
    rows = rows_of(scores, parts, [6, 6, 6, 3, 6])
    row = rows[ONE, metric].share
    assert (row.n_images, row.mean) == (4, pytest.approx(0.35))
    # The reference is over the model's images that have one, so that it is not about other images.
    assert row.ceiling == pytest.approx(0.6)
    assert np.isnan([row.percent, row.low, row.high]).all()
    assert rows[ONE, metric].estimator == HALF_VS_HALF
    own = rows[HALVES, metric].share
    assert (own.n_images, own.mean) == (4, pytest.approx(0.675))
    # With a percentage the score is about the images that the ceiling is about.
    held = rows[ONE, "nss"].share
    assert (held.n_images, held.mean, held.percent) == (3, 1.0, pytest.approx(50.0))


def test_a_mean_on_images_that_have_no_reference_stays_a_mean():
    parts = {("sim", HALF_VS_HALF): [NONE, NONE, 0.7]}
    row = rows_of({"sim": [0.2, 0.4, NONE]}, parts, [3, 3, 6])[ONE, "sim"].share
    assert (row.n_images, row.mean) == (2, pytest.approx(0.3))
    assert np.isnan(row.ceiling)
