"""The dialog that imports brain responses: what it shows of real files, what it refuses, and what it hands over."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication, QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QDialog

from gazeapp.engine.neural.records import N_HEMISPHERE, N_VERTICES
from gazeapp.engine.neural.responses.options import Window
from gazeapp.engine.project import Project
from gazeapp.engine.workflows.import_responses import ImportResponsesSettings
from gazeapp.ui.dialogs.import_responses import ImportResponsesDialog
from gazeapp.ui.dialogs.import_responses_found import in_the_window
from gazeapp.ui.drops import sort_drop
from gazeapp.ui.neural_actions import import_work
from gazeapp.ui.study import read_study

IMAGES = ("scene-001", "scene-002", "scene-003")


class Progress:
    cancelled = False

    def report(self, done, total, message=""):
        pass


@pytest.fixture
def dialog(qtbot, view, lookups):
    made = ImportResponsesDialog(None, view, lookups)
    qtbot.addWidget(made)
    return made


def responses(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def npz(folder, values=None, names=IMAGES, **more):
    path = folder / "made.npz"
    np.savez(path, Y=responses(len(names), N_VERTICES) if values is None else values, image_ids=names, **more)
    return path


def reason(dialog):
    assert dialog.accept_button.isEnabled() == (not dialog.accept_button.toolTip())
    return " ".join(dialog.accept_button.toolTip().split())


def read(qtbot, dialog, path):
    dialog.take([path])
    settle(qtbot, dialog)


def settle(qtbot, dialog):
    qtbot.waitUntil(lambda: reason(dialog) != "Reading…")


def facts(dialog):
    return {name: value.text() for name, value in dialog.found.facts.items()}


def shown(dialog):
    model = dialog.found.model
    return [tuple(model.index(row, column).data() for column in range(3)) for row in range(model.rowCount())]


def test_it_asks_for_a_file_first(dialog, tmp_path):
    assert reason(dialog).startswith("Choose a file or a folder")
    dialog.place.set_path(tmp_path / "nothing.npz")
    assert reason(dialog) == "There is no such file or folder."


@pytest.mark.parametrize("text", ["~nobody-at-all/made.npz", "/tmp/" + "x" * 300, "~"])
def test_a_path_that_cannot_be_is_told(qtbot, dialog, tmp_path, text):
    dialog.place.line.setText(text)
    if text != "~":  # which is a folder, without responses
        assert reason(dialog) == "There is no such file or folder."
    read(qtbot, dialog, npz(tmp_path))
    dialog.origin.measured.click()
    settle(qtbot, dialog)
    assert reason(dialog) == ""
    if text != "~":
        dialog.images_list.line.setText(text)
        assert reason(dialog) == "There is no such list of images."


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_responses_of_which_none_can_be_used_are_refused(qtbot, dialog, tmp_path, value):
    values = np.full((3, N_VERTICES), value if np.isnan(value) else 1, np.float32)
    values[:, 5] = value
    read(qtbot, dialog, npz(tmp_path, values))
    dialog.origin.measured.click()
    settle(qtbot, dialog)
    assert "None of the responses can be used" in reason(dialog)
    values[2] = 1
    read(qtbot, dialog, npz(tmp_path, values))
    dialog.subject.setText("anna")  # read anew
    dialog.subject.clear()
    settle(qtbot, dialog)
    dialog.origin.measured.click()
    settle(qtbot, dialog)
    assert reason(dialog) == ""


@pytest.mark.parametrize(
    ("name", "why"), [("one\ttwo", "a tab, a line break"), ("m" * 121, "121 letters; 120")]
)
def test_a_name_that_cannot_be_shown_is_refused(qtbot, dialog, tmp_path, name, why):
    read(qtbot, dialog, npz(tmp_path))
    dialog.origin.measured.click()
    settle(qtbot, dialog)
    dialog.name.setText(name)
    assert why in reason(dialog)
    dialog.name.setText("m" * 120)
    assert reason(dialog) == ""


def test_measured_or_simulated_has_to_be_chosen_where_the_file_does_not_say(qtbot, dialog, tmp_path):
    read(qtbot, dialog, npz(tmp_path))
    assert "measured or simulated" in reason(dialog)
    assert not dialog.origin.measured.isChecked()
    assert not dialog.origin.simulated.isChecked()
    dialog.origin.measured.click()
    settle(qtbot, dialog)
    assert reason(dialog) == ""
    assert ImportResponsesSettings(**dialog.choice()) == ImportResponsesSettings(
        str(tmp_path / "made.npz"), simulated=False
    )
    # Other responses may be of another kind.
    np.savez(tmp_path / "other.npz", Y=responses(3, N_VERTICES), image_ids=IMAGES)
    read(qtbot, dialog, tmp_path / "other.npz")
    assert "measured or simulated" in reason(dialog)


def test_what_the_file_says_of_its_origin_counts_and_cannot_be_changed(qtbot, dialog, tmp_path):
    read(qtbot, dialog, npz(tmp_path, meta_json='{"source": "TRIBE v2"}'))
    assert reason(dialog) == ""
    assert dialog.origin.simulated.isChecked()
    assert not dialog.origin.measured.isEnabled()
    assert dialog.choice()["simulated"] is None
    assert facts(dialog)["Source"] == "TRIBE v2"
    assert "no noise" in facts(dialog)["Ceiling"]


def test_what_is_in_the_file_is_shown_unmatched_names_first(qtbot, dialog, tmp_path):
    values = responses(4, N_VERTICES)
    values[:, 7:10] = np.nan
    values[1, 20] = np.nan
    read(qtbot, dialog, npz(tmp_path, values, names=("scene-001", "holiday", "scene-002", "scene-002")))
    dialog.origin.measured.click()
    settle(qtbot, dialog)
    assert shown(dialog)[0][0] == "holiday"
    assert shown(dialog)[1:] == [("scene-001", "scene-001.png", "1"), ("scene-002", "scene-002.png", "2")]
    assert dialog.found.matched.text() == (
        "2 of 3 names have an image of the study. 1 image of the study has no response."
    )
    said = facts(dialog)
    assert said["Format"] == "NPZ file"
    assert said["Shape"] == "4 rows of 3 images × 20,484 vertices"
    assert said["Repeats"] == "up to 2 of an image, averaged"
    assert "3 targets without any value" in said["Values"]
    assert "scene-003" in dialog.found.cautions.text()
    assert "--" not in dialog.found.cautions.text()
    assert reason(dialog) == ""


def test_a_window_is_offered_for_time_courses_alone(qtbot, dialog, tmp_path):
    read(qtbot, dialog, npz(tmp_path))
    dialog.origin.simulated.click()
    settle(qtbot, dialog)
    assert not dialog.window_.first.isEnabled()
    assert "no time courses" in " ".join(dialog.window_._line.toolTip().split())
    values = responses(3, 8, N_VERTICES)
    (tmp_path / "courses").mkdir()
    read(qtbot, dialog, npz(tmp_path / "courses", values))
    dialog.origin.simulated.click()
    settle(qtbot, dialog)
    assert reason(dialog) == ""
    assert dialog.choice()["window"] is None
    assert "4 s to the end" in facts(dialog)["Shape"]
    dialog.window_.last.setValue(3)
    settle(qtbot, dialog)
    assert "ends before it begins" in reason(dialog)
    dialog.window_.unit.setCurrentIndex(1)
    dialog.window_.unit.activated.emit(1)
    dialog.window_.first.setValue(2)
    dialog.window_.last.setValue(5)
    settle(qtbot, dialog)
    assert dialog.choice()["window"] == Window(2, 5, True)
    assert "row 2 to row 5" in facts(dialog)["Shape"]
    dialog.window_._line.button.click()
    settle(qtbot, dialog)
    assert dialog.choice()["window"] is None
    dialog.window_.tr.setValue(0.5)
    settle(qtbot, dialog)
    assert dialog.choice()["tr"] == 0.5
    # At half a second each, 8 rows end at 4 s.
    assert "none of them in the window" in reason(dialog)


def test_a_pair_of_hemispheres_needs_its_list_of_images(qtbot, dialog, tmp_path):
    import nibabel as nib

    for side in ("lh", "rh"):
        volume = responses(N_HEMISPHERE, 1, 1, 3)
        nib.save(nib.freesurfer.MGHImage(volume, np.eye(4)), tmp_path / f"{side}.betas.mgh")
    dialog.take([tmp_path / "rh.betas.mgh", tmp_path / "lh.betas.mgh"])
    settle(qtbot, dialog)
    assert "list" in reason(dialog).lower()
    listed = tmp_path / "elsewhere.csv"
    listed.write_text("image\n" + "\n".join(IMAGES))
    dialog.images_list.set_path(listed)
    settle(qtbot, dialog)
    dialog.origin.measured.click()
    settle(qtbot, dialog)
    assert reason(dialog) == ""
    assert facts(dialog)["Format"] == "FreeSurfer surface files"
    assert dialog.choice()["images_list"] == str(listed)


def test_damaged_files_and_strange_names_are_a_sentence(qtbot, dialog, tmp_path):
    broken = tmp_path / "broken.npz"
    broken.write_bytes(b"PK\x03\x04 this is none")
    read(qtbot, dialog, broken)
    assert reason(dialog)
    assert facts(dialog)["Format"] == "–"
    read(qtbot, dialog, npz(tmp_path, names=("a", "b", "c")))
    dialog.origin.measured.click()
    settle(qtbot, dialog)
    assert "No response is named like an image" in reason(dialog)


def test_a_name_that_is_taken_is_told(qtbot, dialog, study, lookups, tmp_path):
    path = npz(tmp_path)
    with Project.open(study.path) as project:
        import_work({"path": str(path), "simulated": True})(project, Progress())
        assert [row.name for row in project.responses.all()] == ["made"]
        view = read_study(project)
    again = ImportResponsesDialog(None, view, lookups, [path])
    qtbot.addWidget(again)
    settle(qtbot, again)
    again.origin.simulated.click()
    settle(qtbot, again)
    assert "holds responses called “made” already" in reason(again)
    again.name.setText("second")
    assert reason(again) == ""


def test_files_can_be_dropped_on_it(qtbot, dialog, tmp_path):
    path = npz(tmp_path)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    event = QDropEvent(
        QPointF(5, 5),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    dialog.dropEvent(event)
    settle(qtbot, dialog)
    assert facts(dialog)["Format"] == "NPZ file"


def test_options_of_commands_are_not_named_in_the_window():
    from gazeapp.engine.errors import GazeError

    error = GazeError(
        "Two of (a).", todo="Say so (--measured or --simulated): it counts (gazeapp remove-responses)."
    )
    assert in_the_window(error) == "Two of (a). Say so: it counts."


def test_the_window_imports_what_was_chosen_and_shows_the_panel(qtbot, open_window, monkeypatch, tmp_path):
    path = npz(tmp_path)

    def accept(dialog):
        settle(qtbot, dialog)
        dialog.origin.simulated.click()
        settle(qtbot, dialog)
        assert reason(dialog) == ""
        return QDialog.DialogCode.Accepted

    monkeypatch.setattr(ImportResponsesDialog, "exec", accept)
    open_window.neural_actions.accept_drop(open_window.study_actions.accept_drop([path]))
    qtbot.waitUntil(lambda: bool(open_window.session.study.responses))
    (row,) = open_window.session.study.responses
    assert (row.name, row.simulated, row.n_images) == ("made", True, 3)
    assert open_window.bench.neural.isVisible()


def test_responses_and_atlases_are_told_from_maps_and_recordings(tmp_path):
    for name in ("courses", "labels", "maps"):
        (tmp_path / name).mkdir()
    np.savez(tmp_path / "Y.npz", Y=responses(2, 4), image_ids=["a", "b"])
    np.savez(tmp_path / "maps.npz", a=responses(4, 4), b=responses(4, 4))
    np.savez(tmp_path / "gaze.npz", Y=np.arange(9.0), x=np.arange(9.0))
    (tmp_path / "broken.npz").write_bytes(b"no archive")
    np.save(tmp_path / "courses" / "scene-001.npy", responses(3, N_VERTICES))
    np.save(tmp_path / "maps" / "scene-001.npy", responses(24, 32))
    names = (
        *("lh.betas.func.gii", "lh.aparc.annot", "lh.V1.label", "lh.wang15_mplbl.mgz", "lh.betas.mgh"),
        *("own.regions.json", "labels/lh.V2.label", "table.csv"),
    )
    for name in names:
        (tmp_path / name).write_bytes(b"x")
    drop = sort_drop(sorted(tmp_path.iterdir()))
    assert [path.name for path in drop.responses] == ["Y.npz", "courses", "lh.betas.func.gii", "lh.betas.mgh"]
    assert [path.name for path in drop.regions] == [
        *("labels", "lh.V1.label", "lh.aparc.annot", "lh.wang15_mplbl.mgz", "own.regions.json"),
    ]
    assert [path.name for path in drop.gaze] == ["broken.npz", "gaze.npz", "maps.npz", "table.csv"]
    assert [path.name for path in drop.unknown] == ["maps"]


def lines(*rows):
    return "\n".join(",".join(map(str, row)) for row in rows) + "\n"


LABELS = np.arange(N_VERTICES) % 70
TABLES = {
    "responses": {
        "wide.csv": lines(("image", "V1", "V2"), *((f"{one}.png", 0.5, -2) for one in IMAGES)),
        "people.csv": lines(("image", "subject", "V1"), *((one, who, 1) for one in IMAGES for who in "ab")),
        "long.tsv": lines(
            ("image", "roi", "value"), *((one, roi, 1) for one in IMAGES for roi in "AB")
        ).replace(",", "\t"),
    },
    "regions": {
        "numbers.csv": lines(*((k,) for k in LABELS)),
        "lh.names.txt": lines(("region",), *((f"area {k}",) for k in LABELS[:N_HEMISPHERE])),
    },
    "gaze": {
        "fixations.csv": lines(("image", "x", "y"), *((f"{one}.png", 10, 20) for one in IMAGES)),
        "again.csv": lines(("image", "a", "b"), *((one, 10, k) for one in IMAGES for k in (1, 2))),
        "others.csv": lines(("image", "V1", "V2"), *((f"holiday-{k}.png", 10, 20) for k in range(3))),
        "words.csv": lines(("image", "V1", "note"), *((one, 10, "good") for one in IMAGES)),
        "measure.csv": lines(*((k / 3,) for k in LABELS)),
        "times.csv": lines(*((k,) for k in range(N_VERTICES))),
        "short.csv": lines(*((k,) for k in LABELS[:20_000])),
        "columns.csv": lines(*((k, k) for k in LABELS)),
    },
}


def test_tables_are_responses_or_regions_where_that_is_certain(tmp_path):
    for kind, files in TABLES.items():
        for name, text in files.items():
            (tmp_path / name).write_text(text)
        paths = [tmp_path / name for name in files]
        drop = sort_drop(paths, [f"{one}.png" for one in IMAGES])
        assert getattr(drop, kind) == paths, kind
    wide = tmp_path / "wide.csv"
    assert sort_drop([wide]).gaze == [wide]


def test_responses_and_an_atlas_that_are_dropped_together_are_both_asked_about(
    open_window, monkeypatch, tmp_path
):
    from gazeapp.ui.dialogs.regions import RegionsDialog

    table, atlas = tmp_path / "wide.csv", tmp_path / "numbers.csv"
    table.write_text(TABLES["responses"]["wide.csv"])
    atlas.write_text(TABLES["regions"]["numbers.csv"])
    asked = []
    monkeypatch.setattr(
        ImportResponsesDialog,
        "exec",
        lambda dialog: asked.append(dialog.place.path) or QDialog.DialogCode.Rejected,
    )
    monkeypatch.setattr(RegionsDialog, "import_atlas", lambda _dialog, paths: asked.extend(paths))
    monkeypatch.setattr(RegionsDialog, "exec", lambda _dialog: QCoreApplication.processEvents())
    open_window.neural_actions.accept_drop(open_window.study_actions.accept_drop([atlas, table]))
    assert asked == [table, atlas]
