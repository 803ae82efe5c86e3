"""Concentration and laterality over a study."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gazeapp.engine.maps.common_grid import AttentionMap, Fixations
from gazeapp.engine.maps.concentration import image_concentration
from gazeapp.engine.maps.laterality import LateralityRecord, image_laterality
from gazeapp.engine.scoring.analyses.maps import (
    Resampling,
    concentration_findings,
    laterality_findings,
    left_out_rows,
)
from gazeapp.engine.scoring.findings import Finding
from gazeapp.engine.scoring.statistics.pairs import holm, sign_flip

HOW = Resampling(500, 0)
N_IMAGES = 8


def looked(seed: int, n: int = 24) -> Fixations:
    rng = np.random.default_rng(seed)
    u, v = rng.beta(3, 2, n), rng.beta(2, 2, n)
    return Fixations(u, v, np.array([f"s{k}" for k in range(4)])[np.arange(n) % 4], rng.gamma(2, 100, n))


def maps(seed: int) -> dict[str, AttentionMap]:
    rng = np.random.default_rng([seed, 1])
    return {
        "sharp": AttentionMap(rng.gamma(0.1, size=(14, 14))),
        "flat": AttentionMap(rng.gamma(20, size=(14, 14))),
    }


def one(found: list[Finding], **wanted: str) -> Finding:
    (row,) = [row for row in found if all(getattr(row, key) == value for key, value in wanted.items())]
    return row


def test_concentration_rows_are_means_and_paired_differences():
    records = [image_concentration(looked(k), maps(k), 64, 48, seed=k) for k in range(N_IMAGES)]
    found = concentration_findings(records, "describe", {"flat": "baseline"}, HOW)
    people = one(found, term="people", metric="gini")
    assert people.estimate == pytest.approx(np.mean([record.people[4] for record in records]))
    assert people.low < people.estimate < people.high
    assert (people.n_images, people.n_subjects, people.kind) == (N_IMAGES, 4, "human")
    assert people.note.startswith("Maps of 24 fixations on average (24 to 24).")
    raw = one(found, term="flat", metric="gini")
    assert raw.estimate == pytest.approx(np.mean([record.raw["flat"][4] for record in records]))
    assert (raw.kind, raw.n_subjects, raw.against) == ("baseline", 0, "")
    assert math.isnan(raw.p)
    differences = np.array([record.matched["sharp"][4] - record.people[4] for record in records])
    difference = one(found, term="sharp", metric="gini_matched", against="people")
    assert difference.estimate == pytest.approx(differences.mean())
    assert difference.p == pytest.approx(sign_flip(differences, 500))
    assert difference.effect == pytest.approx(differences.mean() / differences.std(ddof=1))
    assert difference.n_subjects == 4
    p = [one(found, term=term, metric="gini_matched", against="people").p for term in ("sharp", "flat")]
    assert difference.p_holm == pytest.approx(holm(p)[0])
    assert not [row for row in found if row.metric.startswith("centre_bias_cc")]


def test_images_without_fixations_and_sources_without_a_map_are_counted():
    records = [image_concentration(looked(k), maps(k), 64, 48, seed=k) for k in range(N_IMAGES)]
    records[0] = image_concentration(None, maps(0), 64, 48)
    records[1] = image_concentration(looked(1), {"sharp": maps(1)["sharp"]}, 64, 48)
    found = concentration_findings(records, "describe", resampling=HOW)
    assert one(found, term="people", metric="entropy").n_images == N_IMAGES - 1
    assert "1 image has no fixations and is left out." in one(found, term="people", metric="entropy").note
    assert one(found, term="sharp", metric="entropy").n_images == N_IMAGES
    assert one(found, term="flat", metric="entropy").n_images == N_IMAGES - 1
    assert one(found, term="flat", metric="entropy_matched", against="people").n_images == N_IMAGES - 2


def test_a_grid_coarser_than_the_blur_is_noted():
    records = [image_concentration(None, {"m": AttentionMap(np.eye(6))}, 64, 64) for _ in range(2)]
    row = one(concentration_findings(records, "t", resampling=HOW), metric="entropy")
    assert row.note.startswith("On 2 images the map's own cells are wider than the common blur")
    assert "no interval over fewer than 6 images" in row.note
    assert math.isnan(row.low)


def test_nothing_to_tell():
    assert concentration_findings([], "t") == []
    assert laterality_findings([], "t") == []
    assert laterality_findings([LateralityRecord()], "t", resampling=HOW) == []


def test_laterality_is_tested_against_the_middle_and_against_people():
    records = [
        image_laterality(looked(k), maps(k), {"sharp": maps(k)["sharp"]} if k else None)
        for k in range(N_IMAGES)
    ]
    found = laterality_findings(records, "describe", resampling=HOW)
    column = np.array([record.people["laterality"] for record in records])
    people = one(found, term="people", metric="laterality")
    assert people.estimate == pytest.approx(column.mean())
    assert people.p == pytest.approx(sign_flip(column, 500))
    assert people.estimate > 0.2
    assert people.n_subjects == 4
    own = np.array([record.sources["flat"]["laterality"] for record in records])
    against = one(found, term="flat", metric="laterality", against="people")
    assert against.estimate == pytest.approx((own - column).mean())
    assert against.p_holm >= against.p
    # A map of the mirrored image that is the image's own: all of it is a habit.
    corrected = one(found, term="sharp", metric="laterality_corrected", against="")
    assert (corrected.estimate, corrected.n_images, corrected.note) == (0.0, N_IMAGES - 1, "")
    assert not [row for row in found if row.term == "flat" and row.metric == "laterality_corrected"]
    assert "mirrored" in one(found, term="flat", metric="laterality", against="").note


def test_left_out_rows_number_people_alike_on_all_images():
    rows = left_out_rows([["b", "c"], [], ["a", "c"]], [np.ones((2, 3)), np.ones((0, 3)), np.zeros((2, 3))])
    assert rows.image.tolist() == [0, 0, 2, 2]
    assert rows.subject.tolist() == [1, 2, 0, 2]
    assert rows.table.shape == (4, 3)


def test_people_with_a_side_make_the_interval_longer():
    """Half of the people look left and half right on all images: other people could tip it either way."""

    def record(k: int, *, habits: bool) -> LateralityRecord:
        rng = np.random.default_rng(k)
        names = np.repeat([f"s{s}" for s in range(6)], 8)
        side = np.repeat([0.35, 0.35, 0.35, 0.65, 0.65, 0.65], 8) if habits else 0.5
        return image_laterality(
            Fixations(np.clip(side + rng.normal(0, 0.15, 48), 0, 0.99), np.full(48, 0.5), names), {}
        )

    width = {}
    for habits in (False, True):
        found = laterality_findings([record(k, habits=habits) for k in range(20)], "t", resampling=HOW)
        row = one(found, metric="laterality")
        width[habits] = row.high - row.low
    assert width[True] > 2 * width[False]
