"""Scanpaths over a study: means, differences from chance and their tests, worked out again by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gazeapp.engine.gaze.scanpaths import Scanpath, ScanpathSettings, other_images, scanpath_scores
from gazeapp.engine.scoring.analyses.scanpaths import ScanpathRecord, scanpath_findings
from gazeapp.engine.scoring.findings import SCANPATH
from gazeapp.engine.scoring.statistics.pairs import sign_flip

SIZE = (800.0, 600.0)
MEASURES = ("scanmatch", "dtw")


def looked(rng, places, subject, noise=40.0):
    """One person's fixations: at places of the image, in the order of these, each up to some distance off."""
    points = np.clip(places + rng.normal(0, noise, places.shape), 0, 599)
    return Scanpath.of(subject, points[:, 0], points[:, 1], rng.uniform(100, 400, len(points)))


def study(rng, n_images, n_people, guided=True, n_fixations=5, measures=MEASURES):
    """Return the scanpaths of each image, and the records of a study of them."""
    scenes = rng.uniform(50, 550, (n_images, n_fixations, 2))
    paths = [
        [
            looked(rng, scene if guided else rng.uniform(50, 550, scene.shape), f"s{k}")
            for k in range(n_people)
        ]
        for scene in scenes
    ]
    return paths, records_of(paths, measures)


def records_of(paths, measures=MEASURES):
    settings, other = ScanpathSettings(measures=measures), other_images(len(paths))
    found = []
    for k, own in enumerate(paths):
        elsewhere = paths[other[k]] if other[k] >= 0 else []
        found.append(ScanpathRecord.of(scanpath_scores(own, *SIZE, settings, elsewhere)))
    return found


def row(found, measure, term, against=""):
    return next(one for one in found if (one.metric, one.term, one.against) == (measure, term, against))


def test_findings_are_means_over_images_and_their_difference():
    rng = np.random.default_rng(0)
    paths, records = study(rng, 10, 4)
    found = scanpath_findings(records, "free viewing", n_resamples=2000)
    assert len(found) == 3 * len(MEASURES)
    settings, other = ScanpathSettings(measures=MEASURES), other_images(10)
    for measure in MEASURES:
        scores = [scanpath_scores(paths[k], *SIZE, settings, elsewhere=paths[other[k]]) for k in range(10)]
        between = np.array([one.mean(measure) for one in scores])
        chance = np.array([one.chance_level(measure) for one in scores])
        people = row(found, measure, "people")
        level = row(found, measure, "other_images")
        above = row(found, measure, "people", "other_images")
        assert people.estimate == pytest.approx(between.mean())
        assert level.estimate == pytest.approx(chance.mean())
        assert above.estimate == pytest.approx((between - chance).mean())
        assert above.p == sign_flip(between - chance, 2000, 0)
        assert above.p_holm == pytest.approx(min(1.0, 2 * above.p))
        assert above.effect == pytest.approx((between - chance).mean() / (between - chance).std(ddof=1))
        for one in (people, level, above):
            assert (one.analysis, one.task) == (SCANPATH, "free viewing")
            assert (one.n_images, one.n_subjects) == (10, 4)
            assert one.low < one.estimate < one.high
        assert (people.kind, level.kind) == ("human", "baseline")
        assert math.isnan(people.p)
    assert row(found, "dtw", "people").unit == "% of the diagonal"


def test_people_whom_images_guide_are_clearly_above_chance():
    _, records = study(np.random.default_rng(1), 10, 4)
    found = scanpath_findings(records, "look", n_resamples=2000)
    assert row(found, "scanmatch", "people", "other_images").low > 0
    assert row(found, "dtw", "people", "other_images").high < 0
    assert row(found, "scanmatch", "people", "other_images").p_holm < 0.01


def test_a_person_of_strange_habits_makes_the_interval_longer():
    rng = np.random.default_rng(2)
    paths, records = study(rng, 12, 5)
    usual = row(scanpath_findings(records, "look", 2000), "scanmatch", "people")
    # On every image the same one looks at the upper left corner only.
    corner = [[*own[:-1], Scanpath.of("s4", [5.0], [5.0], [1000.0])] for own in paths]
    strange = row(scanpath_findings(records_of(corner), "look", 2000), "scanmatch", "people")
    assert strange.high - strange.low > 2 * (usual.high - usual.low)


def test_one_image_has_no_chance_level_and_no_interval():
    _, records = study(np.random.default_rng(3), 1, 4)
    found = scanpath_findings(records, "look", 500)
    assert [one.term for one in found] == ["people", "people"]
    assert all(one.against == "" and math.isnan(one.low) for one in found)


def test_images_and_scanpaths_that_are_left_out_are_told():
    rng = np.random.default_rng(4)
    paths, _ = study(rng, 8, 3)
    paths[2] = paths[2][:1]
    paths[3] = [*paths[3], Scanpath.of("s3", [], [])]
    paths[4][0] = Scanpath.of("s0", paths[4][0].x, paths[4][0].y)
    found = scanpath_findings(records_of(paths, ("scanmatch", "scanmatch_duration")), "look", 500)
    untimed = row(found, "scanmatch_duration", "people")
    assert untimed.n_images == 7
    assert "1 of 22 scanpaths have a fixation of unknown duration" in untimed.note
    assert "1 of 23 trials have no fixation" in untimed.note
    assert "1 of 8 images have no two scanpaths to compare" in untimed.note
    assert "unknown duration" not in row(found, "scanmatch", "people").note


def test_two_people_have_an_interval_about_images_alone_which_says_so():
    _, records = study(np.random.default_rng(5), 8, 2)
    people = row(scanpath_findings(records, "look", 500), "scanmatch", "people")
    assert np.isfinite(people.low)
    assert "about the images alone" in people.note


def test_a_study_without_images_has_no_findings():
    assert scanpath_findings([], "look") == []
    nobody = ScanpathRecord.of(scanpath_scores([], *SIZE, ScanpathSettings(measures=MEASURES)))
    assert scanpath_findings([nobody, nobody], "look", 100) == []


@pytest.mark.simulation
def test_where_images_guide_nobody_few_tests_are_significant():
    """300 studies of 12 images, 4 people: at most 5 % of p below 0.05, and intervals that hold no difference.

    Each image is also the other one of another, which makes the mean difference steadier than the test
    takes it for: below 5 % rather than at 5 %.
    """
    rng = np.random.default_rng(6)
    measures = ("scanmatch", "string_edit", "dtw", "sequence_score")
    below, holds = [], []
    for _ in range(300):
        _, records = study(rng, 12, 4, guided=False, measures=measures)
        found = scanpath_findings(records, "look", 1000)
        above = [row(found, measure, "people", "other_images") for measure in measures]
        below.append([one.p < 0.05 for one in above])
        holds.append([one.low <= 0 <= one.high for one in above])
    print("p < 0.05:", np.mean(below, axis=0), "intervals:", np.mean(holds, axis=0))
    assert (np.mean(below, axis=0) < 0.075).all()
    assert np.mean(below) > 0.005
    assert (np.mean(holds, axis=0) > 0.93).all()
