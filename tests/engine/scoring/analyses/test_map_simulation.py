"""Intervals and tests of maps' measures, on many simulated studies whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from gazeapp.engine.maps.common_grid import AttentionMap, Fixations
from gazeapp.engine.maps.concentration import image_concentration
from gazeapp.engine.maps.cross_task import image_cross_task
from gazeapp.engine.maps.differentiation import image_differentiation
from gazeapp.engine.scoring.analyses.maps import Resampling, concentration_findings
from gazeapp.engine.scoring.analyses.tasks import cross_task_findings, differentiation_findings
from gazeapp.engine.scoring.findings import Finding
from tests.engine.maps.task_world import GRID, apart, blobs, drawn, everybody, scene

TASKS = ("A", "B")
HOW = Resampling(600, 0)
N_STUDIES, N_IMAGES = 100, 14

pytestmark = pytest.mark.simulation


def one(found: list[Finding], **wanted: str) -> Finding:
    (row,) = [row for row in found if all(getattr(row, key) == value for key, value in wanted.items())]
    return row


def holds(row: Finding, truth: float) -> bool:
    return row.low <= truth <= row.high


@pytest.mark.parametrize("names", [everybody(8), apart(8, 8)])
def test_no_change_is_in_its_interval_at_the_nominal_rate(names):
    """95 of 100 expected; 89 to 100 with probability 0.99. Specificity likewise, and its test in 5 %."""
    corrected, above, advantage, p = [], [], [], []
    for study in range(N_STUDIES):
        scenes = [scene(1000 * study + k, 0.0, names) for k in range(N_IMAGES)]
        records = [
            image_differentiation(made.people, {}, TASKS, 100, 100, GRID, 20, k)
            for k, made in enumerate(scenes)
        ]
        found = differentiation_findings(records, TASKS, resampling=HOW)
        corrected.append(holds(one(found, metric="task_d_corrected"), 0.0))
        above.append(holds(one(found, metric="task_d_excess"), 0.0))
        crossed = [
            image_cross_task(made.people, {}, TASKS, 100, 100, GRID, seed=k) for k, made in enumerate(scenes)
        ]
        row = one(cross_task_findings(crossed, resampling=HOW), metric="specificity")
        advantage.append(holds(row, 0.0))
        p.append(row.p)
    for held in (corrected, above, advantage):
        assert sum(held) >= 89
    assert sum(value <= 0.05 for value in p) <= 11
    assert 37 <= sum(value <= 0.5 for value in p) <= 63


def test_people_who_look_by_a_map_differ_from_it_at_matched_numbers_in_5_percent():
    names = [f"p{k}" for k in range(6)]
    p, held = [], []
    for study in range(N_STUDIES):
        records = []
        for k in range(N_IMAGES):
            rng = np.random.default_rng([study, k])
            density = blobs(rng)
            looked: Fixations = drawn(rng, density, names, 6)
            records.append(
                image_concentration(
                    looked, {"m": AttentionMap(density)}, 100, 100, GRID, seed=1000 * study + k
                )
            )
        found = concentration_findings(records, "t", resampling=HOW)
        for metric in ("entropy", "gini", "top_10"):
            row = one(found, metric=f"{metric}_matched", against="people")
            p.append(row.p)
            held.append(holds(row, 0.0))
    # The three measures of a study go together: as uncertain as 100 tests rather than 300.
    assert np.mean(np.array(p) <= 0.05) <= 0.11
    assert np.mean(held) >= 0.89
