"""Fixations that were found at other px per degree than hold now say so, wherever they are told of."""

import csv

import numpy as np
import pytest

from gazeapp.engine.gaze.geometry import Geometry
from gazeapp.engine.gaze.profiles import TableProfile
from gazeapp.engine.gaze.records import Frame
from gazeapp.engine.project import Project
from gazeapp.engine.project.gaze_rules import default_geometry, detection_of, outdated_detection
from gazeapp.engine.project.rows import RecordingRow
from gazeapp.engine.reports.dataset import data_set
from gazeapp.engine.reports.quality import read_quality, standing_out
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.export import ExportSettings, export
from gazeapp.engine.workflows.gaze import FileSettings, ImportGazeSettings, import_gaze
from gazeapp.engine.workflows.marking import GeometrySettings, change_geometry

NOTE = "Fixations were found in the samples by I-VT, at 300 Hz and 39.42 px per degree."
AGAIN = "import the file again with the geometry of now to find them anew."


def recording(notes=(NOTE,), then=39.42, geometry=None, frame=None, screen=(1920, 1080)):
    facts = {"notes": list(notes), "px_per_deg": then, "screen": list(screen)}
    said = Geometry(px_per_deg=then, screen=screen) if geometry is None else geometry
    frame = Frame(of="screen") if frame is None else frame
    return RecordingRow(
        1, "p1.tsv", "0", "tobii-sdk", 1.0, "free", facts, False, 1, "", frame.as_json(), said.as_json()
    )


def test_the_same_degrees_say_nothing():
    assert outdated_detection(recording(), Geometry()) == ""
    assert outdated_detection(recording(geometry=Geometry(px_per_deg=39.43)), Geometry()) == ""


def test_fixations_of_the_file_depend_on_no_degrees():
    assert (
        outdated_detection(recording(notes=("Another note.",), geometry=Geometry(px_per_deg=80)), Geometry())
        == ""
    )


def test_other_degrees_are_told_beside_those_of_the_search():
    said = f"Fixations were found at 39.42 px per degree, now there are 78.8: {AGAIN}"
    assert outdated_detection(recording(geometry=Geometry(px_per_deg=78.8)), Geometry()) == said
    # Half of it comes from the recording, half from the project: 2 * 57 cm * tan(0.5 deg) * 1920 / 40 cm.
    by_size = recording(geometry=Geometry(distance_cm=57, screen=(1920, 1080)))
    assert "now there are 47.75:" in outdated_detection(by_size, Geometry(screen_width_cm=40))
    unknown = outdated_detection(recording(geometry=Geometry(distance_cm=57)), Geometry())
    assert (
        unknown
        == f"Fixations were found at 39.42 px per degree, which are not known now: say them, and {AGAIN}"
    )


def test_shares_of_the_screen_are_degrees_by_its_size():
    shares = Frame(of="screen", unit="share")
    # Twice the px on a screen of the same size in cm: the same degrees.
    alike = recording(frame=shares, geometry=Geometry(screen=(3840, 2160), px_per_deg=78.84))
    assert outdated_detection(alike, Geometry()) == ""
    pixels = recording(geometry=Geometry(screen=(3840, 2160), px_per_deg=78.84))
    assert outdated_detection(pixels, Geometry()) != ""
    wider = recording(frame=shares, geometry=Geometry(screen=(1280, 1024), px_per_deg=39.42))
    assert outdated_detection(wider, Geometry()) == (
        "Fixations were found at 39.42 px per degree on a screen of 1920 × 1080 px, now there are 39.42 on one of "
        f"1280 × 1024 px: {AGAIN}"
    )


@pytest.fixture
def project(tmp_path):
    from gazeapp.engine.project.gaze import NewTrial

    with Project.create(tmp_path / "study.gaze") as opened:
        opened.images.add(tmp_path / "a.png", "a.png", "a", 400, 300, "photograph")
        number = opened.gaze.add_recording(
            path=tmp_path / "p1.tsv",
            sha256="0",
            format="tobii-sdk",
            confidence=1.0,
            task="free",
            facts={"notes": [NOTE], "px_per_deg": 39.42, "screen": [1920, 1080]},
            simulated=False,
            settings_id=opened.settings.put("test", {}),
            frame=Frame(of="screen").as_json(),
            geometry=Geometry(screen=(1920, 1080), px_per_deg=39.42).as_json(),
        )
        opened.gaze.add_trials(number, [NewTrial("p1", "free", 1, "", "a.png", n_fixations=0)])
        yield opened


def test_export_quality_and_report_say_it_once_the_geometry_changed(project, tmp_path):
    def told():
        export(project, ExportSettings(str(tmp_path / "out"), overlays=False), SILENT)
        (recording,), (quality,) = (
            list(csv.DictReader((tmp_path / "out" / name).open(encoding="utf-8", newline="")))
            for name in ("recordings.csv", "quality_recordings.csv")
        )
        (row,) = data_set(project).recordings
        lines = list(standing_out(read_quality(project)))
        return {recording["detection_outdated"], quality["detection_outdated"], row.outdated}, lines, row

    assert told()[:2] == ({""}, [])
    settings = GeometrySettings(Geometry(px_per_deg=78.8), recordings=(1,), keep=True)
    change_geometry(project, settings, SILENT)
    said = f"Fixations were found at 39.42 px per degree, now there are 78.8: {AGAIN}"
    texts, lines, row = told()
    assert texts == {said}
    assert lines == [f"p1.tsv: {said}"]
    assert dict(row.facts)["Fixations"] == NOTE
    assert said in dict(row.facts).values()


def test_a_file_whose_degrees_changed_with_those_of_the_project_is_read_again(tmp_path):
    rng = np.random.default_rng(0)
    places = np.repeat(rng.uniform((200, 200), (1000, 800), (6, 2)), 100, axis=0) + rng.normal(
        0, 0.5, (600, 2)
    )
    rows = "".join(f"{4 * k},{x:.1f},{y:.1f}\n" for k, (x, y) in enumerate(places))
    (tmp_path / "gaze.csv").write_text("t,x,y\n" + rows)
    columns = {"time": "t", "x": "x", "y": "y"}
    profile = TableProfile("samples", columns, kind="samples", time_unit="ms", frame=Frame(of="screen"))
    settings = ImportGazeSettings((str(tmp_path / "gaze.csv"),), "free", FileSettings(profile=profile))
    with Project.create(tmp_path / "study.gaze") as project:
        change_geometry(project, GeometrySettings(Geometry(screen=(1280, 1024), px_per_deg=40)), SILENT)
        assert import_gaze(project, settings, SILENT).done == 1
        assert import_gaze(project, settings, SILENT).skipped == 1
        change_geometry(project, GeometrySettings(Geometry(px_per_deg=60), keep=True), SILENT)
        (row,) = project.gaze.recordings()
        assert "found at 40 px per degree, now there are 60" in outdated_detection(
            row, default_geometry(project)
        )
        assert import_gaze(project, settings, SILENT).done == 1
        (row,) = project.gaze.recordings()
        assert "60 px per degree" in detection_of(row)
        assert outdated_detection(row, default_geometry(project)) == ""
        assert import_gaze(project, settings, SILENT).skipped == 1
