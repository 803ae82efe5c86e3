"""Change with the task and the cross-task matrix over a study."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gazeapp.engine.maps.common_grid import AttentionMap
from gazeapp.engine.maps.cross_task import CrossTaskRecord, image_cross_task
from gazeapp.engine.maps.differentiation import (
    DifferentiationRecord,
    MapChange,
    corrected_change,
    image_differentiation,
)
from gazeapp.engine.maps.task_labels import label_permutation
from gazeapp.engine.scoring.analyses.maps import Resampling
from gazeapp.engine.scoring.analyses.tasks import cross_task_findings, differentiation_findings
from gazeapp.engine.scoring.findings import Finding
from gazeapp.engine.scoring.statistics.pairs import sign_flip
from gazeapp.engine.scoring.statistics.rank_correlation import rank_correlation
from tests.engine.maps.task_world import GRID, apart, everybody, scene

TASKS = ("A", "B")
PAIR = ("A", "B")
HOW = Resampling(400, 0)


def one(found: list[Finding], **wanted: str) -> Finding:
    (row,) = [row for row in found if all(getattr(row, key) == value for key, value in wanted.items())]
    return row


def record(seed: int, share: float, names: dict[str, list[str]]) -> DifferentiationRecord:
    made = scene(seed, share, names)
    sources = {"true": {task: AttentionMap(values) for task, values in made.densities.items()}}
    return image_differentiation(made.people, sources, TASKS, 100, 100, GRID, 20, seed)


@pytest.fixture(scope="module")
def records() -> list[DifferentiationRecord]:
    """Ten images on which the task changes less or more."""
    return [record(k, (k % 5) / 5, everybody(6)) for k in range(10)]


def test_people_s_rows(records):
    found = differentiation_findings(records, TASKS, resampling=HOW)
    parts = np.array([one.people[PAIR].parts for one in records])
    plain = one(found, term="people", metric="task_d")
    assert plain.estimate == pytest.approx(1 - parts[:, 0].mean())
    assert plain.p == label_permutation([one.people[PAIR].maps for one in records], 400)[0]
    assert (plain.task, plain.against, plain.kind) == ("A", "B", "human")
    assert "6 of 6 people did both tasks" in plain.note
    corrected = one(found, metric="task_d_corrected")
    assert corrected.estimate == pytest.approx(float(corrected_change(parts.mean(axis=0))))
    assert corrected.low < corrected.estimate < corrected.high
    assert (corrected.n_images, corrected.n_subjects) == (10, 6)
    assert one(found, metric="task_d_excess").estimate == pytest.approx(parts[:, 2].mean())
    divergence = np.array([one.people[PAIR].jsd for one in records])
    assert one(found, term="people", metric="task_jsd").estimate == pytest.approx(divergence.mean())
    assert one(found, term="people", metric="task_jsd_root").estimate == pytest.approx(
        np.sqrt(divergence).mean()
    )


def test_sources_rows_and_whose_changes_are_where_people_s_are(records):
    found = differentiation_findings(records, TASKS, {"true": "truth"}, HOW)
    changes = np.array([1 - one.sources["true"][PAIR].cc for one in records])
    assert one(found, term="true", metric="task_d").estimate == pytest.approx(changes.mean())
    assert one(found, term="true", metric="task_d").kind == "truth"
    above = np.array([one.people[PAIR].excess for one in records])
    expected = rank_correlation(above, changes, 400)
    related = one(found, metric="d_with_people")
    assert (related.estimate, related.p) == pytest.approx((expected.rho, expected.p))
    assert related.estimate > 0.6
    plain = np.array([1 - one.people[PAIR].parts[0] for one in records])
    assert one(found, metric="d_raw_with_people").estimate == pytest.approx(
        rank_correlation(plain, changes, 10).rho
    )
    ceiling = one(found, metric="d_with_people_ceiling").estimate
    assert 0.6 < ceiling <= 1.0


def test_images_that_one_task_lacks_and_few_people_are_told(records):
    few = record(20, 0.5, everybody(3))
    nobody = DifferentiationRecord({}, {"true": {PAIR: MapChange(0.5, 0.2)}})
    found = differentiation_findings([*records, few, nobody], TASKS, resampling=HOW)
    assert one(found, term="people", metric="task_d").n_images == 11
    corrected = one(found, metric="task_d_corrected")
    assert corrected.n_images == 10
    assert "1 image has fewer than 4 people under one of the tasks and is left out." in corrected.note
    assert one(found, term="true", metric="task_d").n_images == 12
    assert one(found, term="true", metric="d_with_people").n_images == 11


def test_different_people_under_the_tasks_are_told():
    found = differentiation_findings([record(k, 0.5, apart(5, 4)) for k in range(3)], TASKS, resampling=HOW)
    assert "No person did both tasks" in one(found, term="people", metric="task_d").note


def test_every_pair_of_three_tasks():
    changes = {pair: MapChange(0.1 * k, 0.0) for k, pair in enumerate([("A", "B"), ("A", "C"), ("B", "C")])}
    found = differentiation_findings([DifferentiationRecord({}, {"m": changes})] * 2, "ABC", resampling=HOW)
    assert {(row.task, row.against): round(row.estimate, 6) for row in found if row.metric == "task_d"} == {
        ("A", "B"): 1.0,
        ("A", "C"): 0.9,
        ("B", "C"): 0.8,
    }


def test_nothing_to_tell():
    assert differentiation_findings([], TASKS) == []
    assert cross_task_findings([]) == []
    assert differentiation_findings([DifferentiationRecord({}, {})], TASKS, resampling=HOW) == []


def cross(seed: int, share: float) -> CrossTaskRecord:
    made = scene(seed, share, everybody(5))
    sources = {"true": {task: AttentionMap(values) for task, values in made.densities.items()}}
    return image_cross_task(made.people, sources, TASKS, 100, 100, GRID, seed=seed)


def test_the_matrix_and_its_advantage():
    records = [cross(k, 0.7) for k in range(8)]
    found = cross_task_findings(records, "nss", {"true": "truth"}, HOW)
    for source, kind in (("true", "truth"), ("people", "human")):
        cells = np.array([one.matrix(source) for one in records])
        for a, of_map in enumerate(TASKS):
            for b, of_fixations in enumerate(TASKS):
                row = one(found, term=source, metric="nss", task=of_fixations, against=of_map)
                assert row.estimate == pytest.approx(cells[:, a, b].mean())
        advantage = (cells[:, 0, 0] - cells[:, 0, 1] + cells[:, 1, 1] - cells[:, 1, 0]) / 2
        row = one(found, term=source, metric="specificity")
        assert row.estimate == pytest.approx(advantage.mean())
        assert row.p == pytest.approx(sign_flip(advantage, 400))
        assert row.effect == pytest.approx(advantage.mean() / advantage.std(ddof=1))
        assert 0 < row.low < row.estimate < row.high
        assert (row.n_images, row.n_subjects, row.kind) == (8, 5, kind)


def test_the_interval_is_about_the_people_whose_fixations_are_scored():
    """One person's fixations decide: without them the advantage is gone."""
    scores = np.zeros((2, 2, 3))
    scores[0, 0, 0] = scores[1, 1, 0] = 3.0
    records = [CrossTaskRecord(TASKS, ("a", "b", "c"), np.ones((2, 3)), {"m": scores})] * 6
    row = one(cross_task_findings(records, resampling=HOW), metric="specificity")
    assert row.estimate == pytest.approx(1.0)
    assert row.high - row.low > 1.5


def test_images_without_all_four_cells_are_left_out():
    scores = np.full((2, 2, 1), 0.5)
    missing = scores.copy()
    missing[0, 1] = math.nan
    number = np.ones((2, 1))
    records = [CrossTaskRecord(TASKS, ("a",), number, {"m": one}) for one in (scores, missing)]
    records.append(CrossTaskRecord(TASKS, (), np.zeros((2, 0)), {}))
    found = cross_task_findings(records, resampling=HOW)
    assert {row.n_images for row in found} == {1}
    assert one(found, metric="specificity").estimate == 0.0
