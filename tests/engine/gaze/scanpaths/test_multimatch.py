"""MultiMatch: the package called directly, and what stands around it."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.scanpaths import Scanpath, ScanpathSettings, scanpath_scores
from gazeapp.engine.gaze.scanpaths.measures import MULTIMATCH
from gazeapp.engine.gaze.scanpaths.multimatch import DIMENSIONS, multimatch

ALL = ScanpathSettings(measures=MULTIMATCH)


def random_path(rng, n, subject="s", width=800, height=600):
    return Scanpath.of(subject, rng.uniform(0, width, n), rng.uniform(0, height, n), rng.uniform(80, 600, n))


def together(first, second):
    return multimatch([first], [second], (np.array([0]), np.array([0])), 800, 600)[:, 0]


@pytest.fixture
def package():
    return pytest.importorskip("multimatch_gaze")


def test_the_similarities_are_those_of_the_package(package):
    rng = np.random.default_rng(0)
    paths = [random_path(rng, n) for n in (3, 7, 12, 5)]
    tables = []
    for path in paths:
        columns = list(zip(path.x, path.y, path.duration_ms / 1000, strict=True))
        tables.append(np.array(columns, dtype=[("start_x", float), ("start_y", float), ("duration", float)]))
    i, j = np.triu_indices(4, 1)
    found = multimatch(paths, paths, (i, j), 800, 600)
    for k in range(len(i)):
        direct = package.docomparison(tables[i[k]], tables[j[k]], screensize=[800, 600])
        np.testing.assert_array_equal(found[:, k], direct)


def test_the_dimensions_are_named_in_the_order_of_the_package(package):
    rng = np.random.default_rng(1)
    path = random_path(rng, 8)
    shifted = Scanpath.of("t", path.x * 0.5 + 100, path.y * 0.5, path.duration_ms)
    found = dict(zip(DIMENSIONS, together(path, shifted), strict=True))
    # Half as large, elsewhere: directions and durations are the same, amplitudes, shape and places not.
    assert found["direction"] == pytest.approx(1.0)
    assert found["duration"] == 1.0
    assert max(found["shape"], found["length"], found["position"]) < 0.999
    slower = Scanpath.of("t", path.x, path.y, path.duration_ms * 2)
    np.testing.assert_allclose(together(path, slower), [1, 1, 1, 1, 0.5])


def test_a_scanpath_is_identical_to_itself_also_where_fixations_repeat_a_place(package):
    rng = np.random.default_rng(2)
    path = random_path(rng, 9)
    np.testing.assert_allclose(together(path, path), 1.0)
    still = Scanpath.of("s", [40.0] * 4, [30.0] * 4, [100, 200, 300, 400])
    np.testing.assert_allclose(together(still, still), 1.0)


def test_moving_a_scanpath_changes_its_position_alone(package):
    path = random_path(np.random.default_rng(3), 6, width=400, height=300)
    moved = Scanpath.of("t", path.x + 300, path.y + 225, path.duration_ms)
    # 375 px of a diagonal of 1000 px.
    np.testing.assert_allclose(together(path, moved), [1, 1, 1, 0.625, 1], atol=1e-12)


def test_fewer_than_three_fixations_have_no_value(package):
    rng = np.random.default_rng(4)
    assert np.isnan(together(random_path(rng, 2), random_path(rng, 9))).all()
    assert np.isfinite(together(random_path(rng, 3), random_path(rng, 3))).all()


def test_unknown_durations_take_away_the_similarity_of_durations_alone(package):
    rng = np.random.default_rng(5)
    timed = random_path(rng, 6)
    other = random_path(rng, 7)
    untimed = Scanpath.of("s", timed.x, timed.y)
    found, whole = together(untimed, other), together(timed, other)
    np.testing.assert_array_equal(found[:4], whole[:4])
    assert np.isnan(found[4])
    assert np.isfinite(whole[4])


def test_short_scanpaths_are_counted(package):
    rng = np.random.default_rng(6)
    paths = [random_path(rng, n, subject) for n, subject in ((2, "a"), (5, "b"), (6, "c"))]
    scores = scanpath_scores(paths, 800, 600, ALL)
    assert scores.n_short == 1
    assert scores.n_pairs("multimatch_shape") == 1
    assert np.isnan(scores.of_people("multimatch_shape")["a"])


def test_without_the_package_a_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "multimatch_gaze", None)
    rng = np.random.default_rng(7)
    paths = [random_path(rng, 4, subject) for subject in "ab"]
    with pytest.raises(GazeError, match=r"needs the package multimatch-gaze.*pip install"):
        scanpath_scores(paths, 800, 600, ALL)
    assert np.isfinite(scanpath_scores(paths, 800, 600).mean("scanmatch"))
