"""Dialogs fill in what is sensible and say what is missing."""

import pytest
from PySide6.QtWidgets import QLabel

from gazeapp.engine.models.base import ModelInfo
from gazeapp.engine.project import Project
from gazeapp.engine.workflows.extract import ExtractSettings
from gazeapp.ui.dialogs.extract import ExtractDialog
from gazeapp.ui.dialogs.help import AboutDialog
from gazeapp.ui.dialogs.new_project import NewProjectDialog
from gazeapp.ui.dialogs.output import ExportDialog, ReportDialog
from gazeapp.ui.study import read_study
from tests.ui.small_study import build


def view(path):
    with Project.open(path) as project:
        return read_study(project)


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


MODELS = [
    ModelInfo("cnn-lstm", "CNN-LSTM", "captioner", methods=("attention",), domain="demo-world"),
    ModelInfo("other", "Other", "captioner", methods=("attention", "rollout")),
]


@pytest.fixture
def models(monkeypatch):
    from gazeapp.engine.models import registry

    monkeypatch.setattr(registry, "available_models", lambda: MODELS)


def test_running_models_counts_the_maps_and_gives_settings(qtbot, study, models):
    dialog = ExtractDialog(None, view(study.path))
    qtbot.addWidget(dialog)
    assert "3 images × 2 models × 2 tasks = 12 maps" in dialog._count.text()
    assert dialog._note.isHidden()
    dialog.models["other"].setChecked(False)
    dialog.tasks["social"].setChecked(False)
    assert ExtractSettings(**dialog.choice()) == ExtractSettings(models=("cnn-lstm",), tasks=("general",))
    dialog._mirrored.setChecked(True)
    assert ExtractSettings(**dialog.choice()).mirrored
    assert "3 images and their mirror images × 1 models × 1 tasks = 6 maps" in dialog._count.text()
    dialog.models["cnn-lstm"].setChecked(False)
    assert "at least one model" in dialog.accept_button.toolTip()


def test_photographs_bring_the_note(qtbot, tmp_path, models):
    photos = build(tmp_path / "photos", origin="photograph")
    dialog = ExtractDialog(None, view(photos.path))
    qtbot.addWidget(dialog)
    assert not dialog._note.isHidden()
    assert "outside what CNN-LSTM was trained on" in dialog._note.text()
    assert dialog.accept_button.isEnabled()


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
