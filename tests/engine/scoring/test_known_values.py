"""Scores of a few maps against what other programs give, in both presets (tests/data/scoring)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from gazeapp.engine.scoring import emd
from gazeapp.engine.scoring.metrics import HumanTarget, pixels, score_map
from gazeapp.engine.scoring.presets import PRESETS

DATA = Path(__file__).parents[2] / "data" / "scoring"
EXPECTED = json.loads((DATA / "expected.json").read_text())


def case(name):
    """Return a map, fixated pixels, those of other images and the human map."""
    with np.load(DATA / "maps.npz") as stored:
        values, human, x, y, other_x, other_y = (
            stored[f"{name}/{part}"] for part in ("map", "human", "x", "y", "other_x", "other_y")
        )
    return values, pixels(x, y, *human.shape), pixels(other_x, other_y, *human.shape), human


@pytest.mark.parametrize("preset", ["tuebingen", "mit"])
@pytest.mark.parametrize("name", EXPECTED)
def test_every_metric(name, preset):
    values, fixated, others, human = case(name)
    expected = EXPECTED[name][preset]
    found = score_map(values, fixated, others, HumanTarget(human), PRESETS[preset], list(expected))
    for metric, value in expected.items():
        value = np.nan if value is None else value
        assert found[metric] == pytest.approx(value, abs=1e-9, rel=0, nan_ok=True), metric


@pytest.mark.parametrize("name", ["four_levels", "bytes"])
@pytest.mark.parametrize("preset", ["tuebingen", "mit"])
def test_areas_in_single_precision_have_the_same_ties(name, preset):
    values, fixated, others, human = case(name)
    areas = ["auc", "auc_judd", "auc_borji", "sauc"]
    single = values.astype(np.float32)
    double = score_map(values, fixated, others, HumanTarget(human), PRESETS[preset], areas)
    found = score_map(single, fixated, others, HumanTarget(human), PRESETS[preset], areas)
    assert found == pytest.approx(double, abs=1e-12)


def test_the_earth_movers_distance():
    values, _, _, human = case("smooth")
    found = emd.distance(emd.block_sums(values, 8), emd.block_sums(human, 8))
    assert found == pytest.approx(EXPECTED["smooth"]["emd_of_6x8_cells"], abs=1e-9)
