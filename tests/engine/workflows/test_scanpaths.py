"""The verb that compares scanpaths: what it stores, what it says, and that it does nothing twice."""

from __future__ import annotations

import sys

import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.scanpaths import Scanpath, ScanpathSettings, other_images, scanpath_scores
from gazeapp.engine.project import Project
from gazeapp.engine.scoring.findings import SCANPATH
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.scanpaths import VERB, CompareScanpathsSettings, compare_scanpaths

FEW = CompareScanpathsSettings(ScanpathSettings(measures=("scanmatch", "dtw")), n_bootstrap=300)


@pytest.fixture
def project(study):
    with Project.open(study(n_images=4, n_subjects=3, scored=False)) as opened:
        yield opened


class StopAfter:
    """Progress of a user who cancels after some units."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.done = 0

    def report(self, done: int, total: int, message: str) -> None:
        self.done = done

    @property
    def cancelled(self) -> bool:
        return self.done >= self.n


def paths_of(project, image_id, task):
    table = project.gaze.fixations(image_id, task)
    return [
        Scanpath.of(
            name, *(column[table.subject == name] for column in (table.x, table.y, table.duration_ms))
        )
        for name in sorted(set(table.subject.tolist()))
    ]


def test_measures_are_those_of_the_scanpaths_of_each_image(project):
    summary = compare_scanpaths(project, FEW, SILENT)
    assert (summary.verb, summary.done, summary.skipped, summary.failed) == (VERB, 8, 0, 0)
    assert summary.details["tasks"] == ["general", "social"]
    images = project.images.all()
    stored = {
        (row.image_id, row.task, row.measure, row.against): row.value for row in project.findings.measures()
    }
    assert len(stored) == 4 * 2 * 2 * 2
    other = other_images(4)
    for k, image in enumerate(images):
        scores = scanpath_scores(
            paths_of(project, image.id, "social"),
            image.width,
            image.height,
            FEW.scanpaths,
            paths_of(project, images[other[k]].id, "social"),
        )
        for measure in ("scanmatch", "dtw"):
            assert stored[image.id, "social", measure, ""] == pytest.approx(scores.mean(measure))
            level = stored[image.id, "social", measure, "other_images"]
            assert level == pytest.approx(scores.chance_level(measure))


def test_findings_of_each_task_are_stored_with_their_settings(project):
    compare_scanpaths(project, FEW, SILENT)
    found = project.findings.findings(SCANPATH)
    assert {row.finding.task for row in found} == {"general", "social"}
    assert len(found) == 2 * 2 * 3
    settings = project.settings.get(found[0].settings_id)
    assert settings.verb == VERB
    assert settings.values["measures"] == ["scanmatch", "dtw"]
    assert ScanpathSettings.of({k: settings.values[k] for k in FEW.scanpaths.as_json()}) == FEW.scanpaths
    means = [
        row.value for row in project.findings.measures(["dtw"]) if row.task == "general" and row.against == ""
    ]
    people = next(
        row.finding
        for row in found
        if (row.finding.task, row.finding.metric, row.finding.term) == ("general", "dtw", "people")
    )
    assert people.estimate == pytest.approx(sum(means) / len(means))
    assert people.n_subjects == 3


def test_nothing_is_done_twice_until_fixations_or_settings_change(project):
    compare_scanpaths(project, FEW, SILENT)
    again = compare_scanpaths(project, FEW, SILENT)
    assert (again.done, again.skipped) == (0, 8)
    other = CompareScanpathsSettings(ScanpathSettings(measures=("string_edit",)), n_bootstrap=300)
    assert compare_scanpaths(project, other, SILENT).done == 8
    assert {row.measure for row in project.findings.measures()} == {"string_edit"}
    assert {row.finding.metric for row in project.findings.findings(SCANPATH)} == {"string_edit"}
    image = project.images.all()[0]
    project.db.execute("UPDATE trials SET shift_x = 3 WHERE image_id = ?", (image.id,))
    assert compare_scanpaths(project, other, SILENT).done == 8


def test_a_stop_keeps_what_was_found_before(project):
    compare_scanpaths(project, FEW, SILENT)
    before = project.findings.findings(SCANPATH)
    other = CompareScanpathsSettings(ScanpathSettings(measures=("string_edit",)), n_bootstrap=300)
    summary = compare_scanpaths(project, other, StopAfter(3))
    assert summary.cancelled
    assert summary.done == 3
    assert project.findings.findings(SCANPATH) == before
    assert compare_scanpaths(project, other, SILENT).done == 8


def test_a_scanpath_that_cannot_be_compared_stops_its_image_alone(project):
    image = project.images.all()[1]
    trial = project.gaze.trials_of_image(image.id, "general")[0]
    project.db.execute("UPDATE fixations SET duration_ms = 1e9 WHERE trial_id = ?", (trial.id,))
    timed = CompareScanpathsSettings(ScanpathSettings(measures=("scanmatch_duration",)), n_bootstrap=300)
    summary = compare_scanpaths(project, timed, SILENT)
    # The image itself, and the one that it serves as the other of.
    assert (summary.done, summary.failed) == (6, 2)
    assert all("bins of 100 ms" in problem.what for problem in summary.problems)
    assert f"general · {image.name}" in {problem.where for problem in summary.problems}
    assert project.findings.findings(SCANPATH)
    # What failed is tried again.
    assert compare_scanpaths(project, timed, SILENT).skipped == 0


def test_trials_without_fixations_and_images_of_one_person_are_counted(project):
    first, second = project.images.all()[:2]
    lone = project.gaze.trials_of_image(first.id, "general")
    for trial in lone[1:]:
        project.db.execute("UPDATE fixations SET dropped = 'outside image' WHERE trial_id = ?", (trial.id,))
    project.db.execute(
        "UPDATE fixations SET duration_ms = NULL "
        "WHERE trial_id IN (SELECT id FROM trials WHERE image_id = ?)",
        (second.id,),
    )
    summary = compare_scanpaths(project, CompareScanpathsSettings(n_bootstrap=300), SILENT)
    assert summary.details["images_without_pairs"] == {"general": 1}
    assert summary.details["trials_without_fixations"] == {"general": 2}
    found = {
        (row.finding.task, row.finding.metric): row.finding
        for row in project.findings.findings(SCANPATH)
        if (row.finding.term, row.finding.against) == ("people", "")
    }
    assert found["general", "dtw"].n_images == 3
    assert found["general", "scanmatch_duration"].n_images == 2
    assert "unknown duration" in found["general", "scanmatch_duration"].note
    values = {
        (row.image_id, row.measure): row.value
        for row in project.findings.measures()
        if row.task == "general" and not row.against
    }
    assert values[first.id, "dtw"] is None
    assert values[second.id, "scanmatch_duration"] is None


def test_one_image_has_no_other(study):
    with Project.open(study(n_images=1, n_subjects=3, scored=False)) as project:
        assert compare_scanpaths(project, FEW, SILENT).done == 2
        assert {row.finding.term for row in project.findings.findings(SCANPATH)} == {"people"}


def test_without_fixations_a_sentence_says_what_is_missing(tmp_path):
    with Project.create(tmp_path / "empty.gaze") as project, pytest.raises(GazeError, match="no scanpaths"):
        compare_scanpaths(project, FEW, SILENT)


def test_without_the_package_multimatch_fails_before_anything_is_done(project, monkeypatch):
    monkeypatch.setitem(sys.modules, "multimatch_gaze", None)
    chosen = CompareScanpathsSettings(ScanpathSettings(measures=("multimatch_shape",)))
    with pytest.raises(GazeError, match="multimatch-gaze"):
        compare_scanpaths(project, chosen, SILENT)
    assert list(project.findings.measures()) == []


def test_multimatch_is_stored_like_the_others(project):
    pytest.importorskip("multimatch_gaze")
    chosen = CompareScanpathsSettings(ScanpathSettings(measures=("multimatch_shape",)), n_bootstrap=300)
    assert compare_scanpaths(project, chosen, SILENT).failed == 0
    assert all(0 < row.value <= 1 for row in project.findings.measures(["multimatch_shape"]))


@pytest.mark.parametrize("wrong", [{"n_bootstrap": 0}, {"seed": -1}])
def test_choices_that_make_no_sense_are_sentences(wrong):
    with pytest.raises(GazeError):
        CompareScanpathsSettings(**wrong)
