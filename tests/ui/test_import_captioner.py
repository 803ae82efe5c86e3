"""Bringing captioners from elsewhere: what is found is shown first, and nothing is kept before it is asked for."""

import shutil
import tempfile
from pathlib import Path

import pytest
from PySide6.QtWidgets import QDialog

from gazeapp.ui.dialogs.import_captioner import ImportCaptionerDialog, keep_work
from tests.engine.models.captioner.importing import checkpoints as made


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("elsewhere")
    content = {"encoder": made.encoder(made.resnet()), "decoder": made.lstm_decoder()}
    return made.save(folder / "BEST.pth.tar", content), made.word_map(folder / "WORDMAP_coco.json")


@pytest.fixture
def passing(tmp_path, monkeypatch):
    """Where captioners are made on trial."""
    folder = tmp_path / "passing"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def shown(qtbot, lookups, *paths):
    dialog = ImportCaptionerDialog(None, lookups, list(paths))
    qtbot.addWidget(dialog)
    return dialog


def looked_into(dialog, qtbot):
    dialog.look_button.click()
    qtbot.waitUntil(lambda: not dialog._busy)


def test_a_checkpoint_is_looked_into_then_kept_and_offered(qtbot, lookups, files, passing, tmp_path):
    from gazeapp.engine.models.captioner.own import own_folders

    dialog = shown(qtbot, lookups, *files)
    assert (dialog.checkpoint.path, dialog.words.path) == files
    assert dialog._reason.text() == "Choose a folder for the captioner."
    assert not dialog.pickle.isHidden()
    folder = tmp_path / "brought" / "mine"
    dialog.output.set_path(folder)
    dialog.domain.setText("COCO Captions")
    assert dialog._reason.text() == "Look into it first."
    looked_into(dialog, qtbot)
    said = dialog.found.text()
    assert said.startswith("mine: resnet18 with lstm, form sgrvinod")
    for title in ("Found in the files:", "Taken for granted:", "Could not be checked:"):
        assert title in said
    assert dialog.accept_button.isEnabled()
    assert not folder.exists()
    assert own_folders() == ()
    dialog.accept()
    job = lookups.submit("keep", keep_work(dialog.looked, folder), None)
    qtbot.waitUntil(lambda: next(state for state in lookups.jobs if state.id == job).finished)
    assert (folder / "captioner.json").is_file()
    assert own_folders() == (folder.resolve(),)
    assert list(passing.iterdir()) == []


def test_another_setting_asks_for_another_look_and_leaving_keeps_nothing(
    qtbot, lookups, files, passing, tmp_path
):
    dialog = shown(qtbot, lookups, *files)
    dialog.output.set_path(tmp_path / "mine")
    looked_into(dialog, qtbot)
    assert len(list(passing.iterdir())) == 1
    dialog.name.setText("Another")
    assert dialog.looked is None
    assert list(passing.iterdir()) == []
    assert not dialog.accept_button.isEnabled()
    looked_into(dialog, qtbot)
    dialog.done(QDialog.DialogCode.Rejected)
    assert list(passing.iterdir()) == []
    assert not (tmp_path / "mine").exists()


def test_what_cannot_be_brought_says_why(qtbot, lookups, files, passing, tmp_path):
    words = tmp_path / "WORDMAP_other.json"
    words.write_text('{"a": 1, "<unk>": 2, "<start>": 3, "<end>": 4, "<pad>": 0}')
    dialog = shown(qtbot, lookups, files[0], words)
    full = tmp_path / "full"
    full.mkdir()
    (full / "something").write_text("")
    dialog.output.set_path(full)
    assert dialog._reason.text() == "The folder has to be empty, or not there yet."
    dialog.output.set_path(tmp_path / "mine")
    looked_into(dialog, qtbot)
    assert "The word map does not belong to the checkpoint" in dialog._reason.text()
    assert not dialog.accept_button.isEnabled()
    assert list(passing.iterdir()) == []


def test_a_folder_of_ones_own_needs_no_word_map_and_stays_where_it_is(qtbot, lookups, tmp_path):
    from gazeapp.engine.resources import resource_path

    folder = tmp_path / "own"
    shutil.copytree(Path(resource_path("models", "cnn-lstm")), folder)
    dialog = shown(qtbot, lookups, folder)
    assert dialog.is_own
    assert not dialog.form.isRowVisible(dialog.words)
    assert dialog.pickle.isHidden()
    looked_into(dialog, qtbot)
    assert "attention sums to one over the grid" in dialog.found.text()
    assert dialog.accept_button.isEnabled()
