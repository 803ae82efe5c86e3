"""Maps from elsewhere come in through the window as through the command."""

import numpy as np
import pytest

from gazeapp.engine.project import Project
from gazeapp.engine.workflows.import_maps import ImportMapsSettings
from gazeapp.ui.dialogs.form import Fold
from gazeapp.ui.dialogs.import_maps import ImportMapsDialog
from gazeapp.ui.study import read_study
from tests.ui.small_study import build


@pytest.fixture
def maps(study, tmp_path):
    """A folder with a map for each image of the study, bright at the left edge."""
    folder = tmp_path / "maps"
    folder.mkdir()
    with Project.open(study.path) as project:
        names = [image.name for image in project.images.all()]
    for name in names:
        values = np.zeros((12, 20))
        values[:, 0] = 1.0
        np.save(folder / name.replace(".png", ".npy"), values)
    return folder


def view(path):
    with Project.open(path) as project:
        return read_study(project)


def test_the_dialog_says_what_is_missing_and_gives_settings(qtbot, study, maps):
    dialog = ImportMapsDialog(None, view(study.path))
    qtbot.addWidget(dialog)

    def reason():
        assert dialog.accept_button.isEnabled() == (not dialog.accept_button.toolTip())
        return dialog.accept_button.toolTip()

    assert "folder or a file" in reason()
    dialog.place.set_path(maps / "not there")
    assert "no such" in reason()
    dialog.place.set_path(maps)
    assert "Name the model" in reason()
    dialog.model.setText(" Left ")
    assert reason() == ""
    dialog.encoder.setText("ViT")
    assert "both encoder and decoder" in reason()
    dialog.decoder.setText("LSTM")
    dialog.log_density.setChecked(True)
    dialog.tasks["social"].setChecked(False)
    assert ImportMapsSettings(**dialog.choice()) == ImportMapsSettings(
        str(maps), "Left", ("general",), values="log_density", encoder="ViT", decoder="LSTM"
    )
    dialog.tasks["general"].setChecked(False)
    assert "at least one task" in reason()


def test_the_dialog_grows_with_its_folded_part(qtbot, study):
    dialog = ImportMapsDialog(None, view(study.path))
    qtbot.addWidget(dialog)
    dialog.show()
    height = dialog.encoder.sizeHint().height()
    dialog.findChild(Fold).open()
    qtbot.waitUntil(
        lambda: dialog.encoder.height() >= height and dialog.decoder.y() >= dialog.encoder.y() + height
    )


def test_maps_come_in_from_the_menu(qtbot, window, study, maps, monkeypatch):
    def accept(dialog):
        dialog.place.set_path(maps)
        dialog.model.setText("Left")
        return dialog.DialogCode.Accepted

    monkeypatch.setattr(ImportMapsDialog, "exec", accept)
    with qtbot.waitSignal(window.session.refreshed):
        window.session.open(study.path)
    assert window.actions_["study.maps"].isEnabled()
    window.actions_["study.maps"].trigger()
    qtbot.waitUntil(lambda: "Left" in {model.name for model in window.session.study.models.values()})
    with Project.open(study.path) as project:
        (model,) = (model for model in project.runs.models() if model.name == "Left")
        runs = [run for run in project.runs.all() if run.model == model.id]
        stored = project.maps.of_run(runs[0].id).mean
    assert len(runs) == 3 * 2
    assert stored[:, 0].sum() == pytest.approx(stored.sum())


def test_without_a_task_there_is_nothing_to_import_for(tmp_path):
    from gazeapp.ui.study_actions import reasons

    bare = view(build(tmp_path / "bare", tasks=(), models=0, subjects=0).path)
    assert "no task" in reasons(bare, "")["study.maps"]
