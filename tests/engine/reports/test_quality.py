"""Figures of quality are those that were stored, compared as their definitions say, worked out by hand."""

import csv
import json
import re

import numpy as np
import pytest
from click.testing import CliRunner

from gazeapp.cli_gaze import quality_command
from gazeapp.engine.gaze.quality import FIGURES, summarise
from gazeapp.engine.gaze.records import Frame
from gazeapp.engine.project import Project
from gazeapp.engine.project.gaze import FixationRow, NewTrial
from gazeapp.engine.reports import quality as q
from gazeapp.engine.reports.dictionary import QUALITY, QUALITY_RECORDINGS
from gazeapp.engine.reports.gather import gather
from gazeapp.engine.reports.quality_report import quality_data
from gazeapp.engine.reports.render import render
from gazeapp.engine.reports.tables import write_table

LOST = (0.02, 0.03, 0.03, 0.04, 0.03, 0.45)
"""Share of the samples that six subjects lost: the last one stands out."""

PATHS = {"a": (10.0, 20.0, 30.0), "b": (11.0, 22.0, 33.0)}


def _recording(project, name, settings):
    return project.gaze.add_recording(
        path=project.folder / name,
        sha256=name,
        format="csv",
        confidence=1.0,
        task="look",
        facts={},
        simulated=False,
        settings_id=settings,
        frame=Frame(of="image").as_json(),
        geometry={},
    )


def _add(project, recording, subject, images, path="a", *, task="look", quality=None, shift=None, x=0.0):
    for place, (image_id, name) in enumerate(images):
        xs = [value + x + place for value in PATHS[path]]
        n = len(xs)
        trial = NewTrial(
            subject, task, image_id, "", name, eye="left", quality=quality or {}, n_fixations=n, n_kept=n - 1
        )
        (number,) = project.gaze.add_trials(recording, [trial])
        project.gaze.add_fixations(
            FixationRow(number, k + 1, k + 1, value, 5.0, None, 200.0, "left", "", "")
            for k, value in enumerate(xs)
        )
        if shift:
            project.gaze.change_trials({number: {"shift": shift}})


@pytest.fixture
def project(tmp_path):
    with Project.create(tmp_path / "q.gaze") as made:
        settings = made.settings.put("test", {})
        made.tasks.add("look")
        made.tasks.add("search")
        images = []
        for number in range(2):
            file = tmp_path / f"{number}.png"
            file.write_bytes(b"x")
            images.append(
                (made.images.add(file, file.name, str(number), 100, 50, "photograph"), f"{number}.png")
            )
        first = _recording(made, "first.csv", settings)
        for number, lost in enumerate(LOST):
            figures = {"n_recorded": 3, "share_lost": lost, "n_samples": 1000, "rate_hz": 500.0, "gaps": 1}
            _add(made, first, f"S{number}", images, quality=figures, x=100.0 * number)
        yield made, images, settings


def test_figures_are_those_stored_and_the_far_one_stands_out(project):
    made, _, _ = project
    found = q.read_quality(made)
    assert len(found.trials) == 12
    assert len(found.recordings) == 6
    table = found.recordings
    assert table.numbers["share_lost"].tolist() == pytest.approx(LOST)
    assert table.numbers["n_trials"].tolist() == [2] * 6
    assert np.isnan(table.numbers["longest_gap_ms"]).all()
    # Median 0.03, absolute deviations 0.01, 0, 0, 0.01, 0, 0.42: MAD 0.005, z of 0.45 is 56.7; and 0.02 and
    # 0.04 are nearer than the least share that is worth marking.
    middle = table.middle(5, "share_lost")
    assert (middle.median, middle.mad, middle.n) == pytest.approx((0.03, 0.005, 6))
    assert table.far["share_lost"].tolist() == [False] * 5 + [True]
    assert table.reasons(5) == "Share lost"
    assert found.in_words() == "6 recordings, 1 stands out (1 file, 6 subjects, 12 trials)"
    assert list(q.standing_out(found)) == ["S5 in first.csv: share lost 45.0 % (median 3.0 %)"]


def test_recordings_are_summarised_as_the_engine_does(project):
    made, images, settings = project
    second = _recording(made, "second.csv", settings)
    rng = np.random.default_rng(0)
    known = []
    for image in images * 3:
        figures = {
            "n_recorded": int(rng.integers(3, 9)),
            "share_outside": float(rng.random()),
            "median_duration_ms": float(rng.normal(200, 9)),
            "longest_gap_ms": float(rng.random()),
        }
        known.append({**figures, "n_fixations": 2})
        _add(made, second, "T", [image], quality=figures, task="search", x=1000 * rng.random())
    found = q.read_quality(made).recordings
    row = found.words["subject"].codes.tolist().index(found.words["subject"].names.index("T"))
    expected = summarise(known)
    for key in FIGURES:
        value = found.numbers[key][row]
        assert value == pytest.approx(expected[key]) if key in expected else np.isnan(value), key


def test_what_the_project_counts_goes_before_what_was_stored(project):
    made, images, settings = project
    third = _recording(made, "third.csv", settings)
    _add(made, third, "old", images[:1])
    _add(made, third, "lost", [(None, "gone.png")])
    table = q.read_quality(made).trials
    assert table.numbers["n_recorded"][-2:].tolist() == [3, 3]
    assert table.numbers["n_fixations"][-2:].tolist() == [2, 0]
    assert table.words["image"].at(len(table) - 1) == "gone.png"
    assert np.isnan(table.numbers["share_lost"][-2:]).all()


def test_a_trial_that_was_loaded_twice_is_found(project):
    made, images, settings = project
    again = _recording(made, "again.csv", settings)
    _add(made, again, "S2", images, x=200.0)
    _add(made, again, "S3", images, "b", x=300.0)
    _add(made, again, "S4", images, "b", x=400.0, task="search")
    found = q.read_quality(made)
    last = found.trials
    assert found.repeats[-6:].tolist() == [5, 6, 0, 0, 0, 0]
    assert last.numbers[q.AGAIN][-6:].tolist() == [1, 1, 1, 1, 0, 0]
    rows = {
        (found.recordings.words["subject"].at(k), found.recordings.words["recording"].at(k)): k
        for k in range(len(found.recordings))
    }
    flags = found.recordings.numbers
    assert flags[q.REPEATED][rows["S2", "again.csv"]] == 2
    assert flags[q.REPEATED][rows["S2", "first.csv"]] == 0
    assert flags[q.AGAIN][rows["S2", "first.csv"]] == 2
    assert flags[q.AGAIN][rows["S4", "again.csv"]] == 0
    assert found.recordings.reasons(rows["S2", "again.csv"]) == "Repeated; Also elsewhere"


def test_trials_are_compared_within_their_task(project):
    made, images, settings = project
    long = _recording(made, "long.csv", settings)
    for number in range(6):
        figures = {"median_duration_ms": 400.0 + number}
        _add(made, long, f"L{number}", images[:1], quality=figures, task="search", x=7.0 * number)
        figures = {"median_duration_ms": 200.0 + number}
        _add(made, long, f"L{number}", images[:1], quality=figures, task="look", x=9.0 * number)
    table = q.read_quality(made).trials
    assert not table.far["median_duration_ms"].any()
    tasks = [table.words["task"].at(k) for k in range(len(table))]
    row = len(tasks) - 1 - tasks[::-1].index("search")
    assert table.middle(row, "median_duration_ms").median == pytest.approx(402.5)


def test_numbers_of_samples_are_shown_and_never_marked(project):
    made, images, settings = project
    long = _recording(made, "long.csv", settings)
    _add(made, long, "L", images, quality={"n_samples": 10**6})
    found = q.read_quality(made).recordings
    assert found.numbers["n_samples"].tolist() == [2000.0] * 6 + [2e6]
    assert found.reasons(6) == ""


def test_a_small_recording_with_few_fixations_a_trial_stands_out(tmp_path):
    with Project.create(tmp_path / "c.gaze") as made:
        settings = made.settings.put("test", {})
        for number, (trials, recorded) in enumerate([(2, 9), (40, 10), (12, 11), (3, 10), (25, 10), (12, 2)]):
            own = _recording(made, f"{number}.csv", settings)
            for trial in range(trials):
                _add(
                    made,
                    own,
                    f"N{number}",
                    [(None, f"{trial}.png")],
                    quality={"n_recorded": recorded, "gaps": 1},
                    x=1000.0 * trial,
                )
        found = q.read_quality(made)
        data = quality_data(found)
    # Median 10, deviations 1, 0, 1, 0, 0, 8: MAD 0.5, and 8 is more than 3.5 / 0.6745 of that.
    assert found.recordings.numbers["n_recorded"].tolist() == [18, 400, 132, 30, 250, 24]
    assert found.recordings.compared("n_recorded").tolist() == [9, 10, 11, 10, 10, 2]
    assert found.trials.compared("n_recorded")[:2].tolist() == [9, 9]
    assert found.recordings.far["n_recorded"].tolist() == [False] * 5 + [True]
    line = "N5 in 5.csv: fixations recorded 2.0 a trial (median 10.0)"
    assert list(q.standing_out(found)) == [line]
    assert (data.columns, data.medians) == (("Fixations recorded, a trial",), ("10.0",))
    assert [row.cells for row in data.rows] == [(("2.0", True),)]
    row = dict(
        zip((c.name for c in QUALITY_RECORDINGS.columns), list(q.recording_rows(found))[5], strict=True)
    )
    assert (row["n_recorded"], row["gaps"], row["n_trials"]) == (24, 12, 12)


@pytest.mark.parametrize("n", [5, 6, 12])
def test_one_recording_with_a_quarter_outside_stands_out_among_none(tmp_path, n):
    with Project.create(tmp_path / "o.gaze") as made:
        settings = made.settings.put("test", {})
        for number in range(n):
            own = _recording(made, f"{number}.csv", settings)
            for trial in range(1 + 7 * (number % 3)):
                figures = {"n_recorded": 8, "share_outside": 0.25 * (number == 2)}
                _add(made, own, f"N{number}", [(None, f"{trial}.png")], quality=figures, x=1000.0 * trial)
        found = q.read_quality(made)
    assert list(q.standing_out(found)) == ["N2 in 2.csv: share outside 25.0 % (median 0.0 %)"]


def test_offsets_are_lengths(project):
    made, images, settings = project
    moved = _recording(made, "moved.csv", settings)
    _add(made, moved, "M", images, shift=(3.0, -4.0))
    found = q.read_quality(made)
    assert found.trials.numbers[q.SHIFT][-2:].tolist() == [5.0, 5.0]
    assert found.recordings.numbers[q.SHIFT][-1] == 5.0


def test_an_empty_project_has_no_rows(tmp_path):
    with Project.create(tmp_path / "none.gaze") as made:
        found = q.read_quality(made)
    assert len(found.trials) == len(found.recordings) == 0
    assert found.in_words() == "0 recordings, none stand out (0 files, 0 subjects, 0 trials)"
    assert not found.recordings.stands_out.any()


def test_the_tables_hold_the_figures_and_no_formula(project, tmp_path):
    made, images, settings = project
    risky = _recording(made, "=risky.csv", settings)
    _add(made, risky, "=1+1", images[:1], quality={"rate_hz": 250.0})
    found = q.read_quality(made)
    assert write_table(tmp_path / "t.csv", QUALITY, q.trial_rows(found)) == 13
    assert write_table(tmp_path / "r.csv", QUALITY_RECORDINGS, q.recording_rows(found)) == 7
    trials = list(csv.DictReader((tmp_path / "t.csv").open(encoding="utf-8")))
    assert trials[-1]["subject"] == "'=1+1"
    assert (trials[-1]["rate_hz"], trials[-1]["share_lost"], trials[-1]["same_as"]) == ("250.0", "", "")
    recordings = list(csv.DictReader((tmp_path / "r.csv").open(encoding="utf-8")))
    assert recordings[-1]["file"] == "'=risky.csv"
    assert float(recordings[5]["share_lost"]) == 0.45
    assert recordings[5]["stands_out"] == "Share lost"


def test_the_report_lists_what_stands_out(project):
    made, images, settings = project
    text = render(gather(made, "tuebingen", "r.html"))
    rows = re.findall(r"<tr><th scope=.row.>(S\d)<small>first.csv</small></th>(.*)</tr>", text)
    assert [subject for subject, _ in rows] == ["S5"]
    assert re.findall(r"<b>◆ (.*?)</b>", rows[0][1]) == ["45.0"]
    assert "6 recordings, 1 stands out" in text
    data = quality_data(q.read_quality(made))
    assert dict(zip(data.columns, data.medians, strict=True))["Share lost, %"] == "3.0"
    assert "Longest gap, ms" not in data.columns
    again = _recording(made, "again.csv", settings)
    for number in range(3):
        _add(made, again, f"S{number}", images, x=100.0 * number)
    data = quality_data(q.read_quality(made), most=2)
    assert len(data.rows) == 2
    assert data.n_more == 5
    assert ("2", True) in data.rows[0].cells


def test_the_command_says_who_stands_out(project, tmp_path):
    made, _, _ = project
    path = str(made.path)
    said = CliRunner().invoke(quality_command, [path, "-o", str(tmp_path / "out.csv")])
    assert said.exit_code == 0, said.output
    assert said.output.splitlines()[1] == "S5 in first.csv: share lost 45.0 % (median 3.0 %)"
    assert len((tmp_path / "out.csv").read_text("utf-8").splitlines()) == 13
    by = CliRunner().invoke(quality_command, [path, "-o", str(tmp_path / "by.csv"), "--by", "recording"])
    assert by.exit_code == 0
    assert len((tmp_path / "by.csv").read_text("utf-8").splitlines()) == 7
    told = json.loads(CliRunner().invoke(quality_command, [path, "--json"]).output)
    assert told["trials"] == 12
    assert [row["share_lost"] for row in told["recordings"]] == pytest.approx(LOST)
