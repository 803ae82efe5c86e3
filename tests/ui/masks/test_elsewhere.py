"""What masks must follow, and what must not move them: other programs, projects that cannot be written, files."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog

from gazeapp.engine.project import Project
from gazeapp.ui.masks.dialogs import ImportMasksDialog
from tests.ui.masks.conftest import stored
from tests.ui.small_study import HEIGHT, WIDTH


def test_a_mask_that_is_stored_or_removed_elsewhere_is_followed_with_the_brush_off(hand) -> None:
    image = hand.study.images[0]
    hand.key(Qt.Key.Key_A)
    hand.kept()
    hand.selection.update(painting=False)
    other = np.zeros((HEIGHT, WIDTH), np.uint8)
    other[:, :10] = 255
    with Project.open(hand.study.path) as project:
        project.masks.put("mask 1", image, other, "drawn elsewhere")
    hand.qtbot.waitUntil(lambda: np.array_equal(hand.mask, other))
    with Project.open(hand.study.path) as project:
        project.masks.remove("mask 1")
    hand.qtbot.waitUntil(lambda: not hand.mask.any())
    assert stored(hand.study.path, "mask 1", image) is None  # following stores nothing
    hand.session.undo()
    hand.kept()
    np.testing.assert_array_equal(stored(hand.study.path, "mask 1", image), other)


def test_space_is_let_go_when_the_keyboard_goes_elsewhere(window_hand, open_window, qtbot) -> None:
    hand = window_hand
    open_window.activateWindow()
    qtbot.waitUntil(open_window.isActiveWindow)
    hand.compare.setFocus()
    qtbot.keyPress(hand.compare, Qt.Key.Key_Space)
    open_window.actions_["mask.rename"].trigger()  # a name is typed: the release goes there
    assert open_window.mask_actions._bar.field.hasFocus()
    hand.drag(hand.pixel(0.2, 0.2), hand.pixel(0.6, 0.6))
    assert hand.mask.any()


def test_a_project_for_looking_only_keeps_its_library(hand) -> None:
    refused = []
    hand.session.failed.connect(refused.append)
    hand.key(Qt.Key.Key_A)
    hand.kept()
    hand.session.open(hand.study.path, "another gazeapp has it open")
    hand.ready()
    hand.qtbot.waitUntil(lambda: hand.mask.any())
    for do in (hand.session.new, hand.session.duplicate, hand.session.delete):
        do()
    assert not hand.session.rename("else")
    assert hand.session.name == "mask 1"
    assert (hand.mask == 255).all()
    assert [error.what for error in refused] == [
        "The masks of this project cannot be changed: another gazeapp has it open."
    ] * 4


def test_a_mask_from_data_survives_a_project_that_changes_meanwhile(hand) -> None:
    loader = hand.session._loader
    hand.session.put_in("left 30%")
    loader.refresh()  # something else was stored: what was asked before is not answered any more
    hand.qtbot.waitUntil(lambda: hand.mask.any())
    assert hand.session.undo_text == "left 30%"
    hand.kept()
    hand.session.undo()
    hand.kept()
    with hand.qtbot.waitSignal(loader.listed):
        loader.refresh()
    hand.qtbot.wait(100)
    assert not hand.mask.any()  # it is put in once


@pytest.fixture
def imported(window_hand, open_window, qtbot, tmp_path, monkeypatch):
    """Import a left half of another size with these choices; return the sentence that was told, if any."""
    path, told = tmp_path / "picture of a mask.png", []
    values = np.zeros((HEIGHT // 2, WIDTH // 2), np.uint8)
    values[:, : WIDTH // 4] = 255
    Image.fromarray(values).save(path)
    open_window.notifications.notified.connect(lambda notice: told.append(notice.what))

    def do(name="", placing="fraction", replace=False, file=path):
        def accept(dialog):
            dialog.place.set_path(file)
            dialog.name.setText(name)
            dialog.placing.setCurrentIndex(dialog.placing.findData(placing))
            dialog.replace.setChecked(replace)
            return QDialog.DialogCode.Accepted

        told.clear()
        monkeypatch.setattr(ImportMasksDialog, "exec", accept)
        open_window.actions_["mask.import"].trigger()
        session = window_hand.session
        qtbot.waitUntil(lambda: not open_window.session.runner.busy and not session._arriving.is_waiting)
        window_hand.kept()
        return list(told)

    return do


def test_a_picture_is_put_in_as_the_dialog_says(window_hand, imported) -> None:
    hand, image, path = window_hand, window_hand.study.images[0], window_hand.study.path
    (refused,) = imported(placing="refuse")
    assert f"{WIDTH // 2}" in refused
    assert not hand.mask.any()
    assert imported(placing="pixel") == []
    assert hand.mask[: HEIGHT // 2, : WIDTH // 4].all()
    assert not hand.mask[HEIGHT // 2 :].any()
    corner = hand.mask
    (kept,) = imported(placing="fraction")
    assert "another mask 'mask 1'" in kept
    np.testing.assert_array_equal(hand.mask, corner)
    assert imported("half") == []
    assert hand.session.name == "half"
    half = stored(path, "half", image)
    assert half[:, : WIDTH // 2].all()
    assert not half[:, WIDTH // 2 :].any()
    np.testing.assert_array_equal(stored(path, "mask 1", image), corner)
    assert imported("mask 1", replace=True) == []
    np.testing.assert_array_equal(stored(path, "mask 1", image), half)
    (no_name,) = imported("left 30%")
    assert "needs no drawing" in no_name


def test_an_import_that_brings_nothing_is_told_once(window_hand, imported, tmp_path) -> None:
    folder = tmp_path / "masks"
    folder.mkdir()
    (sentence,) = imported(file=folder)
    assert sentence
    with Project.open(window_hand.study.path) as project:
        name = project.images.get(window_hand.study.images[0]).name
    Image.fromarray(np.full((7, 9), 255, np.uint8)).save(folder / f"{name.rpartition('.')[0]}.png")
    (sentence,) = imported(file=folder, placing="refuse")
    assert "9" in sentence
