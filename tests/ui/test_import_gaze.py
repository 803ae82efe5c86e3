"""The import dialog shows what is in files, lets it be put right, and says how to import them."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QItemSelectionModel, QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QComboBox, QLabel, QPushButton

from gazeapp.engine.gaze.choices import GazeChoices
from gazeapp.engine.gaze.geometry import Geometry
from gazeapp.engine.project import Project
from gazeapp.engine.workflows.base import SILENT
from gazeapp.engine.workflows.gaze import ImportGazeSettings, import_gaze
from gazeapp.ui.dialogs.import_gaze import ImportGazeDialog
from gazeapp.ui.study import read_study
from gazeapp.ui.worker import JobRunner


@pytest.fixture
def runners():
    made = JobRunner(), JobRunner()
    yield made
    for runner in made:
        runner.stop()


@pytest.fixture
def ask(qtbot, study, runners, monkeypatch):
    """Open the dialog on files and wait until all were looked into; it closes without a question."""
    monkeypatch.setattr(ImportGazeDialog, "_may_close", lambda _self, _lost: True)

    def ask(*files: Path, wait: bool = True) -> ImportGazeDialog:
        with Project.open(study.path) as project:
            view = read_study(project)
        dialog = ImportGazeDialog(None, view, list(files), *runners, "social")
        qtbot.addWidget(dialog)
        dialog.show()
        if wait:
            settle(qtbot, dialog)
        return dialog

    return ask


def settle(qtbot, dialog):
    qtbot.waitUntil(lambda: all(entry.is_fresh for entry in dialog.files.entries))


def table(path: Path, *rows: str) -> Path:
    path.write_text("image,subject,x,y\n" + "".join(f"{row}\n" for row in rows))
    return path


def eyelink(
    path: Path, trials: int = 2, screen: str = "GAZE_COORDS 0 0 319 191", *, named: bool = True
) -> Path:
    """A recording of the left eye, each trial with one fixation in the middle and one off the screen."""
    lines = [f"MSG 90 {screen}"] if screen else []
    for k in range(trials):
        t = 1000 * k + 1000
        lines += [
            f"START {t} LEFT SAMPLES EVENTS",
            f"MSG {t} TRIALID {k + 1}",
            f"MSG {t} !V TRIAL_VAR image scene-00{k + 1}.png" if named else f"MSG {t} SYNCTIME",
            f"EFIX L {t} {t + 98} 100 160.0 96.0 900",
            f"EFIX L {t + 200} {t + 298} 100 -20.0 96.0 900",
            f"MSG {t + 500} TRIAL_RESULT 0",
            f"END {t + 510} SAMPLES EVENTS RES 30 30",
        ]
    path.write_text("\n".join(["** CONVERTED FROM x.edf using edfapi", *lines, ""]))
    return path


def words(widget) -> str:
    return "\n".join(label.text() for label in widget.findChildren(QLabel) if not label.isHidden())


def choose(dialog, name: str) -> None:
    row = [entry.name for entry in dialog.files.entries].index(name)
    dialog.files.view.setCurrentIndex(dialog.files.model.index(row))


def test_a_good_file_is_imported_at_once(ask, study, tmp_path):
    good = table(
        tmp_path / "good.csv", "scene-001.png,A,5,5", "scene-001.png,A,50,500", "scene-002.png,B,9,9"
    )
    dialog = ask(good)
    assert dialog.bar.import_button.text() == "Import 1 file: 2 fixations"
    assert dialog.bar.import_button.isEnabled()
    text = words(dialog.read_page)
    assert "100% sure: the columns 'image', 'subject', 'x', 'y'" in text
    assert "2: A, B" in text
    assert "all 2 are in the project" in text
    assert "Outside image" in text
    with Project.open(study.path) as project:
        before = len(project.gaze.recordings())
        import_gaze(project, dialog.settings(), SILENT)
        after = project.gaze.recordings()
    assert before == 2  # looking stores nothing
    assert [(Path(row.file).name, row.task) for row in after[before:]] == [("good.csv", "social")]


def test_files_that_cannot_be_imported_stay_out_and_are_named(ask, tmp_path):
    bad = tmp_path / "bad.bin"
    bad.write_bytes(bytes(range(256)))
    empty = table(tmp_path / "empty.csv")
    good = table(tmp_path / "good.csv", "scene-001.png,A,5,5")
    dialog = ask(bad, empty, good)
    assert [entry.state for entry in dialog.files.entries] == ["bad", "bad", "good"]
    assert dialog.settings().files == (str(good),)
    assert "bad.bin, empty.csv" in dialog.bar.reason
    assert "binary" in words(dialog.read_page)
    choose(dialog, "good.csv")
    dialog.files.remove_current()
    assert not dialog.bar.import_button.isEnabled()
    assert "Nothing can be imported" in dialog.bar.import_button.toolTip()
    dialog.files.remove_current()
    dialog.files.remove_current()
    assert "Add the files" in dialog.bar.reason
    assert dialog.settings().files == ()


def test_copies_of_a_file_are_named(ask, tmp_path):
    one, two = (table(tmp_path / name, "scene-001.png,A,5,5") for name in ("one.csv", "two.csv"))
    assert "two.csv holds the same as one.csv" in ask(one, two).bar.reason


def test_names_are_matched_by_hand_and_by_the_closest(qtbot, ask, tmp_path):
    odd = table(tmp_path / "odd.csv", "scen-001.png,A,1,1", "other.png,A,1,1", "scene-003.png,A,1,1")
    dialog = ask(odd)
    dialog.go_to("Images")
    page = dialog.images_page
    assert [match.closest for match in page.model.matches] == ["scene-001.png", "", ""]
    page._unmatched.setChecked(True)
    assert page._shown.rowCount() == 2
    page._closest.click()
    page.assign("other.png", "scene-002.png")
    settle(qtbot, dialog)
    assert [(match.image, match.how) for match in page.model.matches] == [
        ("scene-001.png", "assigned"),
        ("scene-002.png", "assigned"),
        ("scene-003.png", "same name"),
    ]
    page._unmatched.setChecked(False)
    select = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
    page.table.selectionModel().select(page._shown.index(2, 0), select)
    page._none.click()
    settle(qtbot, dialog)
    own = dialog.settings().own[str(odd)].match
    assert own.names == {"scen-001.png": "scene-001.png", "other.png": "scene-002.png", "scene-003.png": ""}
    assert page.model.matches[2].image == ""
    assert page._shown.index(2, 2).data() == "none, as you said"
    assert not page._closest.isEnabled()


def test_an_image_is_typed_into_the_table(qtbot, ask, tmp_path):
    dialog = ask(table(tmp_path / "odd.csv", "odd.png,A,1,1"))
    dialog.go_to("Images")
    page = dialog.images_page
    cell = page._shown.index(0, 1)
    delegate = page.table.itemDelegateForColumn(1)
    for typed, image in (("no such image", ""), ("scene-002.png", "scene-002.png")):
        editor = delegate.createEditor(page.table, None, cell)
        editor.setCurrentText(typed)
        delegate.setModelData(editor, page._shown, cell)
        editor.deleteLater()
        settle(qtbot, dialog)
        assert page.model.matches[0].image == image


def test_images_are_taken_by_order(qtbot, ask, tmp_path, monkeypatch):
    file = eyelink(tmp_path / "A.asc", named=False)
    order = tmp_path / "order.txt"
    order.write_text("scene-003.png\nscene-001.png\n")
    from PySide6.QtWidgets import QFileDialog

    dialog = ask(file)
    dialog.go_to("Images")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_args: (str(order), ""))
    dialog.images_page.ask_for_list()
    settle(qtbot, dialog)
    plan = dialog.files.current.preview.plan
    names = {picture_id: picture.name for picture_id, picture in dialog.files.current.preview.images.items()}
    assert [names[trial.image_id] for trial in plan.trials] == ["scene-003.png", "scene-001.png"]
    assert "By order" in dialog.images_page._summary.text()
    dialog.images_page.use_order(())
    settle(qtbot, dialog)
    assert not dialog.settings().own[str(file)].match.order


def test_a_missing_screen_is_given_for_all_files_of_the_format(qtbot, ask, tmp_path):
    one, two = (eyelink(tmp_path / f"{name}.asc", screen="") for name in "ab")
    dialog = ask(one, two)
    assert [entry.state for entry in dialog.files.entries] == ["bad", "bad"]
    button = next(b for b in dialog.read_page.findChildren(QPushButton) if "screen" in b.text())
    button.click()
    page = dialog.screen_page
    assert dialog.tabs.currentWidget() is page
    for box, size in zip(page.form.fields["screen"].boxes, (320, 192), strict=True):
        box.setValue(size)
    settle(qtbot, dialog)
    # The 160 x 96 image lies at 80..240, 48..144 of the screen: (160, 96) is its middle.
    assert dialog.files.entries[0].preview.facts["dropped"] == {"outside image": 2}
    assert [entry.state for entry in dialog.files.entries] == ["good", "bad"]
    assert "all 2 files" in dialog._all.text()
    dialog._all.click()
    assert not dialog._all.isEnabled()
    settle(qtbot, dialog)
    assert dialog.settings().own[str(two)].geometry == Geometry(screen=(320, 192))
    assert dialog.bar.import_button.text() == "Import 2 files: 4 fixations"


def test_the_screen_becomes_the_default_of_the_project(qtbot, ask, tmp_path):
    one, two = (eyelink(tmp_path / f"{name}.asc", screen="") for name in "ab")
    dialog = ask(one, two)
    dialog.go_to("Screen and distance")
    page = dialog.screen_page
    page.form.fields["screen"].boxes[0].setValue(320)
    assert "both the width and the height" in page._note.text()
    page.form.fields["screen"].boxes[1].setValue(192)
    page.form.fields["screen_width_cm"].boxes[0].setValue(40)
    page.form.fields["distance_cm"].boxes[0].setValue(60)
    # 2 * 60 cm * tan(0.5 degrees) * 320 px / 40 cm
    assert "8.38 screen px" in page._result.text()
    page._makes_default.click()
    settle(qtbot, dialog)
    assert [entry.state for entry in dialog.files.entries] == ["good", "good"]
    expected = Geometry(screen=(320, 192), distance_cm=60, screen_width_cm=40)
    assert dialog.default_geometry == expected
    assert dialog.settings().own[str(two)].geometry == Geometry()
    page._keeps_default.click()
    settle(qtbot, dialog)
    assert dialog.default_geometry is None
    assert [entry.state for entry in dialog.files.entries] == ["good", "bad"]


def test_an_explicit_place_needs_a_size(qtbot, ask, tmp_path):
    dialog = ask(eyelink(tmp_path / "a.asc"))
    dialog.go_to("Screen and distance")
    page = dialog.screen_page
    assert not page.form.fields["rect"].boxes[2].isEnabled()
    placement = page.form.fields["placement"]
    placement.setCurrentIndex(placement.findData("explicit"))
    placement.edited.emit()
    assert "width and the height" in page._note.text()
    for box, value in zip(page.form.fields["rect"].boxes, (-20, 0, 320, 192), strict=True):
        box.setValue(value)
    settle(qtbot, dialog)
    assert page._note.isHidden()
    # The image covers the screen from 20 px left of it, so that even (-20, 96) lies on its first column.
    assert dialog.files.current.preview.facts["dropped"] == {}
    assert dialog.settings().own[dialog.files.current.file].geometry.rect == (-20, 0, 320, 192)


def test_choices_hold_for_all_files_and_are_none_until_changed(qtbot, ask, tmp_path):
    dialog = ask(eyelink(tmp_path / "a.asc"), eyelink(tmp_path / "b.asc"))
    dialog.go_to("Choices")
    page = dialog.choices_page
    assert dialog.settings().choices is None
    box = page.form.fields["first_fixation"]
    box.setCurrentIndex(box.findData("drop"))
    page._edited()
    page.form.fields["min_duration_ms"].setValue(60)
    settle(qtbot, dialog)
    assert dialog.settings().choices == GazeChoices(first_fixation="drop", min_duration_ms=60)
    assert [entry.preview.facts["dropped"] for entry in dialog.files.entries] == [
        {"first fixation": 2, "outside image": 2}
    ] * 2
    page.form.fields["max_duration_ms"].setValue(10)
    assert "above the maximum" in page._wrong.text()
    page._reset.click()
    settle(qtbot, dialog)
    assert dialog.settings().choices is None
    assert page._wrong.isHidden()


def test_a_blur_in_degrees_asks_for_a_degree(qtbot, ask, tmp_path):
    dialog = ask(table(tmp_path / "good.csv", "scene-001.png,A,5,5"))
    dialog.go_to("Choices")
    unit = dialog.choices_page.form.fields["sigma_unit"]
    unit.setCurrentIndex(unit.findData("deg"))
    dialog.choices_page.form.fields["sigma"].setValue(1.0)
    dialog.choices_page._edited()
    settle(qtbot, dialog)
    assert not dialog.bar.import_button.isEnabled()
    dialog.go_to("What was read")
    assert "px a degree spans" in words(dialog.read_page)
    dialog.go_to("Screen and distance")
    assert not dialog.screen_page.form.fields["distance_cm"].isEnabled()
    assert "on the image itself" in dialog.screen_page.form.fields["distance_cm"].toolTip()
    dialog.screen_page.form.fields["px_per_deg"].boxes[0].setValue(30)
    settle(qtbot, dialog)
    assert dialog.bar.import_button.isEnabled()


def test_the_format_can_be_said(qtbot, ask, tmp_path):
    dialog = ask(eyelink(tmp_path / "a.asc"))
    box = dialog.read_page._format
    box.setCurrentIndex(box.findData("smi-begaze") if box.findData("smi-begaze") >= 0 else 2)
    box.activated.emit(box.currentIndex())
    settle(qtbot, dialog)
    assert dialog.files.current.state == "bad"
    box.setCurrentIndex(0)
    box.activated.emit(0)
    settle(qtbot, dialog)
    assert dialog.files.current.state == "good"


def test_advanced_pages_are_folded_and_only_those_of_use_are_there(ask, tmp_path):
    dialog = ask(eyelink(tmp_path / "a.asc"), table(tmp_path / "good.csv", "scene-001.png,A,5,5"))

    def tabs():
        return [page.title for k, page in enumerate(dialog.pages) if dialog.tabs.isTabVisible(k)]

    assert tabs() == ["What was read", "On the images", "Images"]
    dialog._more.click()
    assert tabs()[3:] == ["Trials", "Screen and distance", "Choices"]
    choose(dialog, "good.csv")
    assert tabs()[3:] == ["Columns", "Screen and distance", "Choices"]
    dialog._more.click()
    assert tabs() == ["What was read", "On the images", "Images"]


def test_files_are_dropped_onto_the_dialog(qtbot, ask, tmp_path):
    dialog = ask(table(tmp_path / "good.csv", "scene-001.png,A,5,5"))
    folder = tmp_path / "more"
    folder.mkdir()
    eyelink(folder / "a.asc")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in (folder, tmp_path / "good.csv")])
    event = QDropEvent(
        QPoint(9, 9),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    dialog.dropEvent(event)
    settle(qtbot, dialog)
    assert [entry.name for entry in dialog.files.entries] == ["good.csv", "a.asc"]


def test_keys_do_everything(qtbot, ask, tmp_path):
    dialog = ask(
        table(tmp_path / "a.csv", "scene-001.png,A,5,5"), table(tmp_path / "b.csv", "scene-001.png,A,6,6")
    )
    view = dialog.files.view
    view.setFocus()
    qtbot.keyClick(view, Qt.Key.Key_Down)
    assert dialog.files.current.name == "b.csv"
    qtbot.keyClick(view, Qt.Key.Key_Delete)
    assert [entry.name for entry in dialog.files.entries] == ["a.csv"]
    qtbot.keyClick(dialog, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert dialog.result() == 1


def test_a_task_that_is_new_is_said(ask, tmp_path):
    dialog = ask(table(tmp_path / "a.csv", "scene-001.png,A,5,5"))
    dialog.bar._task.setCurrentText("generel")
    assert "“generel” is new" in dialog.bar.reason
    dialog.bar._task.setCurrentText(" ")
    assert not dialog.bar.import_button.isEnabled()
    assert "Say under which task" in dialog.bar.import_button.toolTip()


def test_closing_while_files_are_read_stops_the_reading(qtbot, ask, tmp_path, runners):
    big = tmp_path / "big.csv"
    big.write_text("image,subject,x,y\n" + "scene-001.png,A,5,5\n" * 200_000)
    dialog = ask(big, wait=False)
    dialog.reject()
    qtbot.waitUntil(lambda: not runners[0].busy)
    assert dialog.files.entries[0].preview is None


def test_what_breaks_in_a_reader_is_said(ask, tmp_path, monkeypatch):
    from gazeapp.ui.dialogs.import_gaze import previews

    def broken(*_args):
        raise RuntimeError("boom")

    monkeypatch.setattr(previews, "look_at", broken)
    dialog = ask(table(tmp_path / "a.csv", "scene-001.png,A,5,5"))
    assert dialog.files.entries[0].state == "bad"
    assert "boom" in words(dialog.read_page)


def test_choices_that_leave_all_out_do_not_stand_in_the_way(qtbot, ask, study, tmp_path):
    file = eyelink(tmp_path / "a.asc")
    dialog = ask(file)
    assert dialog.files.current.counts_in_words() == "2 trials · 2 fixations"
    dialog.go_to("Choices")
    dialog.choices_page.form.fields["min_duration_ms"].setValue(500)
    settle(qtbot, dialog)
    assert dialog.files.current.counts_in_words() == "2 trials · 0 of 4 in use"
    assert dialog.bar.import_button.text() == "Import 1 file: 0 in use"
    assert dialog.bar.import_button.isEnabled()
    with Project.open(study.path) as project:
        summary = import_gaze(project, dialog.settings(), SILENT)
        assert (summary.done, summary.failed) == (1, 0)
        assert Path(project.gaze.recordings()[-1].file).name == "a.asc"


def test_closing_asks_once_when_something_would_be_lost(qtbot, ask, tmp_path, monkeypatch):
    dialog = ask(table(tmp_path / "odd.csv", "odd.png,A,1,1"))
    asked, answers = [], [False, True]

    def may_close(lost):
        asked.append(lost)
        return answers[len(asked) - 1]

    monkeypatch.setattr(dialog, "_may_close", may_close)
    dialog.images_page.assign("odd.png", "scene-002.png")
    settle(qtbot, dialog)
    dialog.go_to("Choices")
    dialog.choices_page.form.fields["min_duration_ms"].setValue(60)
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert asked == ["which images names mean (odd.csv); which fixations count"]
    assert dialog.isVisible()
    dialog.close()
    assert len(asked) == 2
    assert not dialog.isVisible()


def test_closing_what_was_only_looked_at_asks_nothing(ask, tmp_path, monkeypatch):
    dialog = ask(table(tmp_path / "good.csv", "scene-001.png,A,5,5"))
    monkeypatch.setattr(dialog, "_may_close", lambda _lost: pytest.fail("asked"))
    dialog.bar.cancel_button.click()
    assert not dialog.isVisible()


def test_escape_in_a_list_closes_the_list_only(qtbot, ask, tmp_path):
    dialog = ask(table(tmp_path / "odd.csv", "odd.png,A,1,1"))
    dialog.go_to("Images")
    page = dialog.images_page
    page.table.setCurrentIndex(page._shown.index(0, 1))
    page.table.edit(page._shown.index(0, 1))
    editor = page.table.findChild(QComboBox)
    qtbot.keyClick(editor, Qt.Key.Key_Escape)
    assert dialog.isVisible()
    box = dialog.read_page._format
    dialog.go_to("What was read")
    box.showPopup()
    qtbot.waitUntil(lambda: box.view().isVisible())
    qtbot.keyClick(box.view(), Qt.Key.Key_Escape)
    assert not box.view().isVisible()
    assert dialog.isVisible()


def test_files_that_are_there_already_are_not_counted_as_new(qtbot, ask, study, tmp_path):
    one, two = (table(tmp_path / f"{name}.csv", f"scene-001.png,{name},5,5") for name in "AB")
    with Project.open(study.path) as project:
        import_gaze(project, ImportGazeSettings((str(one),), "social"), SILENT)
    dialog = ask(one)
    assert not dialog.bar.import_button.isEnabled()
    assert dialog.bar.reason == "This file is in the project already, under the same settings."
    dialog.add_files([two])
    settle(qtbot, dialog)
    assert dialog.bar.import_button.text() == "Import 1 file: 1 fixation"
    assert dialog.bar.reason == "1 is there already."
    dialog.bar._simulated.setChecked(True)  # another import than the one that is there
    assert dialog.bar.import_button.text() == "Import 2 files: 2 fixations"
    dialog.bar._simulated.setChecked(False)
    dialog.bar._task.setCurrentText("general")
    assert dialog.bar.import_button.text() == "Import 2 files: 2 fixations"
    dialog.bar._task.setCurrentText("Social")
    assert dialog.bar.reason == "1 is there already."
    with Project.open(study.path) as project:
        summary = import_gaze(project, dialog.settings(), SILENT)
    assert (summary.done, summary.skipped) == (1, 1)


def test_images_of_trials_without_names_are_chosen_one_after_another(qtbot, ask, tmp_path):
    file = eyelink(tmp_path / "A.asc", named=False)
    dialog = ask(file)
    dialog.go_to("Images")
    page = dialog.images_page
    chosen = ("scene-003.png", "scene-001.png")
    for k, image in enumerate(chosen):
        row = next(k for k, match in enumerate(page.model.matches) if not match.name)
        cell = page.model.index(row, 1)
        assert cell.data() == f"none; choose that of trial {k + 1}"
        assert cell.flags() & Qt.ItemFlag.ItemIsEditable
        page.model.setData(cell, image)
        settle(qtbot, dialog)
    assert [(match.name, match.image, match.how) for match in page.model.matches] == [
        (name, name, "by order") for name in chosen
    ]
    page.model.setData(page.model.index(1, 1), "scene-002.png")
    settle(qtbot, dialog)
    assert dialog.settings().own[str(file)].match.order == ("scene-003.png", "scene-002.png")
    page.model.setData(page.model.index(0, 1), "")
    settle(qtbot, dialog)
    assert dialog.settings().own[str(file)].match.order == ()


def test_the_image_of_a_single_trial_is_chosen(qtbot, ask, tmp_path):
    dialog = ask(eyelink(tmp_path / "A.asc", 1, named=False))
    page = dialog.images_page
    dialog.go_to("Images")
    assert page.model.index(0, 1).data() == "none; choose one"
    page.model.setData(page.model.index(0, 1), "scene-002.png")
    settle(qtbot, dialog)
    assert page.model.matches[0].image == "scene-002.png"
    assert dialog.bar.import_button.text() == "Import 1 file: 1 fixation"


def test_a_list_with_an_unknown_image_can_be_put_right(qtbot, ask, tmp_path):
    dialog = ask(eyelink(tmp_path / "A.asc", named=False))
    dialog.go_to("Images")
    page = dialog.images_page
    page.use_order(("no-such.png", "scene-001.png"))
    settle(qtbot, dialog)
    assert dialog.tabs.currentWidget() is page
    assert "no image 'no-such.png'" in page._wrong.text()
    assert page._by_names.isEnabled()
    page.use_order(())
    settle(qtbot, dialog)
    assert page._wrong.isHidden()
    assert dialog.bar.import_button.isEnabled()


def test_fields_stay_where_they_are_when_a_note_goes(qtbot, ask, tmp_path):
    dialog = ask(eyelink(tmp_path / "a.asc", screen=""))
    dialog.go_to("Screen and distance")
    page = dialog.screen_page
    first = page.form.fields["screen"].boxes[0]
    before = first.mapTo(dialog, QPoint(0, 0))
    assert page._note.isVisible()
    for box in page.form.fields["screen"].boxes:
        box.setValue(300)
    settle(qtbot, dialog)
    assert not page._note.isVisible()
    assert first.mapTo(dialog, QPoint(0, 0)) == before
