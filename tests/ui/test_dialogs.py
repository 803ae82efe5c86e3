"""Dialogs fill in what is sensible and say what is missing."""

from PySide6.QtWidgets import QLabel

from gazeapp.ui.dialogs.help import AboutDialog
from gazeapp.ui.dialogs.new_project import NewProjectDialog
from gazeapp.ui.dialogs.output import ExportDialog, ReportDialog


def test_a_dropped_folder_fills_the_new_project_in(qtbot, study):
    folder = study.path.parent
    dialog = NewProjectDialog(None, [folder])
    qtbot.addWidget(dialog)
    assert dialog.images == [folder]
    assert dialog.path == folder.parent / "study.gaze"
    assert dialog.tasks == ["free"]
    assert dialog.accept_button.isEnabled()


def test_the_new_project_says_what_is_missing(qtbot, study, tmp_path):
    dialog = NewProjectDialog(None)
    qtbot.addWidget(dialog)
    assert not dialog.accept_button.isEnabled()
    dialog._place.set_path(study.path)
    assert "already" in dialog.accept_button.toolTip()
    dialog._place.set_path(tmp_path / "fresh.txt")
    assert ".gaze" in dialog.accept_button.toolTip()
    dialog._place.set_path(tmp_path / "fresh.gaze")
    assert dialog.accept_button.isEnabled()
    dialog._images.set_path(tmp_path / "not there")
    assert "no such folder" in dialog.accept_button.toolTip()
    dialog._images.line.clear()
    dialog._tasks.setText(" , ")
    assert "at least one task" in dialog.accept_button.toolTip()
    dialog._tasks.setText("general, social, general")
    assert dialog.tasks == ["general", "social"]


def test_output_goes_beside_the_project_unless_told_otherwise(qtbot, study, tmp_path):
    report, export = ReportDialog(None, study.path), ExportDialog(None, study.path)
    qtbot.addWidget(report)
    qtbot.addWidget(export)
    assert report.path == study.path.with_name("small-report.html")
    assert export.path == study.path.with_name("small-export")
    report._place.set_path(tmp_path / "report.txt")
    assert not report.accept_button.isEnabled()
    export._place.set_path(study.path)
    assert "is a file" in export.accept_button.toolTip()


def test_about_names_the_versions(qtbot):
    dialog = AboutDialog(None)
    qtbot.addWidget(dialog)
    texts = [label.text() for label in dialog.findChildren(QLabel)]
    assert "numpy" in texts
    assert any(text.startswith("version ") for text in texts)
