"""The user's own captioners in the dialogs: added from their folder, told apart, read about, taken off the list."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QDropEvent
from PySide6.QtWidgets import QDialog, QToolButton

from gazeapp.engine.models.captioner.config import CaptionerConfig
from gazeapp.engine.models.captioner.own import register
from gazeapp.engine.models.registry import available_models
from gazeapp.engine.models.vlm.loading.folders import ModelFolders
from gazeapp.engine.project import Project
from gazeapp.ui.dialogs import model_finding
from gazeapp.ui.dialogs.add_model import AddModelDialog
from gazeapp.ui.dialogs.extract import ExtractDialog
from gazeapp.ui.dialogs.lesion import LesionDialog
from gazeapp.ui.dialogs.model_finding import find_offers
from gazeapp.ui.dialogs.model_offers import CAPTIONERS, Found
from gazeapp.ui.study import read_study
from gazeapp.ui.worker import JobRunner

SHIPPED = ["cnn-lstm", "cnn-transformer", "vit-lstm", "vit-transformer"]


def describe(folder: Path, name: str, revision: str) -> Path:
    """Write the description of a captioner, and a card, where a training would."""
    config = CaptionerConfig(
        *(name, name.upper(), "resnet101", "lstm", ("<pad>", "<end>", "<start>"), (), ()),
        encoder_family="cnn",
    )
    folder.mkdir(parents=True)
    text = json.dumps(replace(config, revision=revision, domain="COCO").to_json())
    (folder / "captioner.json").write_text(text, "utf-8")
    (folder / "MODEL_CARD.md").write_text("# A card", "utf-8")
    return folder


@pytest.fixture
def lab(tmp_path):
    """A folder of two captioners."""
    for name, revision in (("resnet101-lstm", "a" * 64), ("cnn-lstm", "b" * 64)):
        describe(tmp_path / "lab" / name, name, revision)
    return tmp_path / "lab"


@pytest.fixture
def runners(monkeypatch):
    from gazeapp.ui import worker

    monkeypatch.setattr(worker, "_leave_a_core_for_the_window", lambda: None)  # it loads torch
    made = JobRunner(name="jobs"), JobRunner(name="lookups")
    yield made
    for runner in made:
        runner.stop()


@pytest.fixture
def opened(study, monkeypatch):
    monkeypatch.setattr(model_finding, "find_offers", lambda _added, _ran: Found(()))
    with Project.open(study.path) as project:
        return read_study(project)


def test_a_folder_is_added_by_dropping_it_and_taken_off_again(qtbot, opened, runners, lab, monkeypatch):
    dialog = ExtractDialog(None, opened, *runners)
    qtbot.addWidget(dialog)
    assert list(dialog.models) == SHIPPED

    def choose(add):
        urls = QMimeData()
        urls.setUrls([QUrl.fromLocalFile(str(lab))])
        move, none = Qt.DropAction.CopyAction, Qt.KeyboardModifier.NoModifier
        add.dropEvent(QDropEvent(QPointF(5, 5), move, urls, Qt.MouseButton.LeftButton, none))
        assert add.line.text() == str(lab)
        add.accept()
        qtbot.waitUntil(lambda: add.result() == QDialog.DialogCode.Accepted)
        return QDialog.DialogCode.Accepted

    monkeypatch.setattr(AddModelDialog, "exec", choose)
    dialog._add_model()
    added = [
        *SHIPPED,
        "cnn-lstm-bbbbbbbb",
        "resnet101-lstm",
    ]  # one with the id of one that ships is told apart
    assert list(dialog.models) == added
    assert all(dialog.models[name].isChecked() for name in added[4:])
    offer = dialog.list.offers["resnet101-lstm"]
    assert (offer.group, offer.facts) == (
        CAPTIONERS,
        "trained on COCO  ·  resnet101  ·  in the folder lab/resnet101-lstm",
    )
    buttons = dialog.list.findChildren(QToolButton)
    (off,) = [b for b in buttons if b.toolTip() == "Take RESNET101-LSTM off the list; its files stay"]
    off.click()
    assert list(dialog.models) == added[:5]
    assert ModelFolders().all() == (lab / "cnn-lstm",)  # the other one of the folder stays
    qtbot.waitUntil(lambda: not runners[1].busy)


def test_own_captioners_are_offered_but_not_ticked_at_first(qtbot, opened, runners, lab, monkeypatch):
    register(lab / "resnet101-lstm")
    seen = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: seen.append(url.toLocalFile()))
    for made in (ExtractDialog, LesionDialog):
        last = runners if made is ExtractDialog else (runners[1], None)
        dialog = made(None, opened, *last)
        qtbot.addWidget(dialog)
        qtbot.waitUntil(lambda: not runners[1].busy)
        assert [*dialog.list.boxes][:5] == [*SHIPPED, "resnet101-lstm"]
        assert not dialog.list.boxes["resnet101-lstm"].isChecked()
        buttons = dialog.list.findChildren(QToolButton)
        (card,) = [b for b in buttons if b.toolTip() == "Read the model card of RESNET101-LSTM"]
        card.click()
        assert seen.pop() == str(lab / "resnet101-lstm" / "MODEL_CARD.md")
        # Only where models are run can one be taken off.
        off = [b for b in buttons if "off the list" in b.toolTip()]
        assert len(off) == (made is ExtractDialog)


def test_a_broken_folder_is_told_and_leaves_the_others(lab):
    register(lab)
    (lab / "cnn-lstm" / "captioner.json").write_text("{", "utf-8")
    assert [info.id for info in available_models()] == [*SHIPPED, "resnet101-lstm"]
    (problem,) = [error for error in find_offers().problems if "captioner" in error.where]
    assert str(lab / "cnn-lstm") in problem.where
