"""A preview says what the import would do, reads a file once, and stores nothing."""

from __future__ import annotations

import gzip
import hashlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.choices import GazeChoices
from gazeapp.engine.gaze.geometry import Geometry
from gazeapp.engine.gaze.match import MatchRules
from gazeapp.engine.gaze.profiles import TableProfile
from gazeapp.engine.gaze.records import Frame
from gazeapp.engine.project import Project
from gazeapp.engine.workflows import gaze_preview
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.gaze import FileSettings, ImportGazeSettings, import_gaze
from gazeapp.engine.workflows.gaze_preview import look_at, names_in_file, without_samples

ON_SCREEN = TableProfile("lab", {"image": "pic", "subject": "who", "x": "gx", "y": "gy"}, frame=Frame())


@pytest.fixture
def project(tmp_path):
    with Project.create(tmp_path / "study.gaze") as opened:
        for name, (width, height) in (("wide.png", (640, 480)), ("tall.png", (300, 1000))):
            opened.images.add(tmp_path / name, name, name, width, height, "photograph")
        yield opened


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "f.csv"
    path.write_text("image,subject,x,y\nwide.png,a,10,20\nwide.png,a,700,20\nTALL.jpg,b,5,5\nwid.png,b,1,1\n")
    return str(path)


@pytest.fixture
def on_screen(tmp_path):
    """Positions on a screen of which the file does not tell the size."""
    path = tmp_path / "s.csv"
    path.write_text("who,pic,gx,gy\na,wide.png,960,540\na,wide.png,100,540\n")
    return str(path)


def look(project, file, before=None, default=None, watch=None, choices=None, **own):
    chosen = ImportGazeSettings((file,), own={file: FileSettings(**own)}, choices=choices)
    return look_at(project, chosen, file, watch, before, default)


def content(project):
    return hashlib.sha256("\n".join(project.db.iterdump()).encode()).hexdigest()


def test_a_preview_says_what_the_import_then_does(project, table):
    before = content(project)
    found = look(project, table)
    assert content(project) == before
    assert found.error is None
    assert found.guesses[0].id == "csv"
    assert [(m.name, m.image, m.how, m.closest) for m in found.plan.matches] == [
        ("wide.png", "wide.png", "same name", ""),
        ("TALL.jpg", "tall.png", "other extension", ""),
        ("wid.png", "", "", "wide.png"),
    ]
    assert {picture.name: (picture.width, picture.height) for picture in found.images.values()} == {
        "wide.png": (640, 480),
        "tall.png": (300, 1000),
    }
    assert found.images[found.plan.trials[0].image_id].path == project.folder / "wide.png"
    assert found.table.header == ("image", "subject", "x", "y")
    assert found.table.rows[1] == ("wide.png", "a", "700", "20")
    assert found.lines[0] == "image,subject,x,y"
    summary = import_gaze(project, ImportGazeSettings((table,)), SILENT)
    entry = summary.details["files"][0]
    assert {name: entry[name] for name in found.facts} == found.facts
    assert (entry["fixations"], entry["dropped"]) == (3, {"outside image": 1})
    assert not found.imported
    assert look(project, table).imported


def test_a_file_is_read_again_only_when_it_is_to_be_read_otherwise(project, table, monkeypatch):
    reads = []
    read = gaze_preview.read_as_is
    monkeypatch.setattr(gaze_preview, "read_as_is", lambda *args: reads.append(args) or read(*args))
    first = look(project, table)
    match = MatchRules({"wid.png": "wide.png"})
    second = look(project, table, first, match=match, choices=GazeChoices(first_fixation="drop"))
    assert second.plan.matches[-1].image == "wide.png"
    assert second.facts["dropped"] == {"first fixation": 3, "outside image": 1}
    assert len(reads) == 1
    look(project, table, second, profile=TableProfile("p", {"image": "image", "x": "x", "y": "y"}))
    assert len(reads) == 2


def test_what_cannot_be_read_is_said_with_what_could_be_seen(project, tmp_path):
    path = tmp_path / "odd.csv"
    path.write_text("colour;size\nred;3\n")
    found = look(project, str(path))
    assert found.plan is None
    assert found.error.where.startswith(str(path))
    assert found.lines[1] == "red;3"
    assert found.table.header == ("colour", "size")
    for name, data in (
        ("empty.csv", b""),
        ("binary.mat", bytes(range(256))),
        ("cut.csv.gz", gzip.compress(b"a" * 99)[:20]),
    ):
        (tmp_path / name).write_bytes(data)
        assert look(project, str(tmp_path / name)).error.what
    assert look(project, str(tmp_path / "gone.csv")).error.what


@pytest.fixture
def eyelink(tmp_path):
    """One trial at 250 Hz: the gaze rests at (100, 100) and at (300, 100) for 400 ms each; one EFIX line."""
    samples = [f"{1000 + 4 * k}\t{100 if k < 100 else 300}.0\t100.0\t900.0\t..." for k in range(200)]
    path = tmp_path / "A.asc"
    path.write_text(
        "\n".join(
            [
                "** CONVERTED FROM x.edf using edfapi",
                "MSG 900 GAZE_COORDS 0 0 639 479",
                "START 1000 LEFT SAMPLES EVENTS",
                "SAMPLES GAZE LEFT RATE 250.00 TRACKING CR FILTER 2",
                "MSG 1000 TRIALID 1",
                "MSG 1000 !V TRIAL_VAR image wide.png",
                *samples,
                "EFIX L 1000 1396 400 100.0 100.0 900",
                "MSG 1800 TRIAL_RESULT 0",
                "END 1810 SAMPLES EVENTS RES 30 30",
                "",
            ]
        )
    )
    return str(path)


def test_fixations_found_in_samples_stand_beside_the_trackers_own(project, eyelink, monkeypatch):
    found = look(project, eyelink)
    assert (found.facts["fixations"], found.own_fixations) == (1, None)
    assert "TRIALID 1" in found.messages
    detect = {"detect": True, "geometry": Geometry(px_per_deg=40)}
    unknown = look(project, eyelink, found, detect=True)
    assert "degrees of visual angle" in unknown.error.what
    reads = []
    read = gaze_preview.read_as_is
    monkeypatch.setattr(gaze_preview, "read_as_is", lambda *args: reads.append(args) or read(*args))
    sought = look(project, eyelink, unknown, **detect)
    assert not reads  # the samples are at hand
    assert sought.plan.fixations.x.tolist() == [100.0, 300.0]
    assert sought.own_fixations.fixations.x.tolist() == [100.0]
    light = without_samples(sought)
    assert light.read.contents.samples is None
    assert light.plan.fixations is sought.plan.fixations
    assert look(project, eyelink, light, **detect).facts == sought.facts
    assert len(reads) == 1


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.binary(max_size=400), st.text(max_size=400).map(str.encode)), st.booleans())
def test_damaged_files_give_a_sentence(project, tmp_path, data, with_header):
    path = tmp_path / "damaged.csv"
    path.write_bytes((b"image,subject,x,y\nwide.png,s,1,2\n" if with_header else b"") + data)
    found = look(project, str(path))
    assert found.plan is not None or found.error.what


def test_geometry_is_asked_for_and_tried_without_reading_again(project, on_screen):
    found = look(project, on_screen, profile=ON_SCREEN)
    assert "how large the screen was" in found.error.what
    assert found.read is not None
    # On 1920 x 1080 the 640 x 480 image lies at x 640 to 1280: 960 is its middle, 100 is beside it.
    placed = look(project, on_screen, found, profile=ON_SCREEN, geometry=Geometry(screen=(1920, 1080)))
    assert placed.error is None
    assert placed.facts["dropped"] == {"outside image": 1}
    by_default = look(project, on_screen, found, Geometry(screen=(1920, 1080)), profile=ON_SCREEN)
    assert by_default.facts == placed.facts
    assert by_default.default == Geometry()


def test_a_blur_in_degrees_needs_to_know_a_degree(project, table):
    degrees = GazeChoices(sigma=1.0, sigma_unit="deg")
    found = look(project, table, choices=degrees)
    assert "degree" in found.error.what
    assert found.plan is not None
    assert look(project, table, found, choices=degrees, geometry=Geometry(px_per_deg=30)).error is None


def test_reading_tells_how_far_it_is_and_can_be_stopped(project, table):
    class StopError(Exception):
        pass

    seen = []
    look(project, table, watch=lambda done, total: seen.append((done, total)))
    assert seen[-1][0] == seen[-1][1]

    def stop(_done, _total):
        raise StopError

    with pytest.raises(StopError):
        look(project, table, watch=stop)


def test_a_list_of_images_is_one_name_a_line(tmp_path):
    path = tmp_path / "order.txt"
    path.write_bytes("\ufeffb.png\r\n\r\n a.png \n".encode())
    assert names_in_file(path) == ("b.png", "a.png")
    path.write_text(" \n")
    with pytest.raises(GazeError, match="empty"):
        names_in_file(path)
    path.write_bytes(b"\0\1\2")
    with pytest.raises(GazeError, match="no text"):
        names_in_file(path)
