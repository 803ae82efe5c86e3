"""Masks in the whole window: undo from the menu, names, copies, files, closing."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox

from gazeapp.engine.lesions.masks.editor import MaskEditor
from tests.ui.masks.conftest import stored
from tests.ui.small_study import HEIGHT, WIDTH


def test_undo_belongs_to_the_mask_only_while_it_is_painted(window_hand, open_window) -> None:
    hand, actions = window_hand, open_window.actions_
    hand.drag(hand.pixel(0.2, 0.2), hand.pixel(0.6, 0.6))
    assert actions["edit.undo"].text() == "Undo brush stroke"
    actions["mask.paint"].trigger()
    assert actions["edit.undo"].text() == "Undo"
    assert not actions["edit.undo"].isEnabled()
    assert "paint a mask first" in actions["mask.fill"].toolTip()
    actions["mask.paint"].trigger()
    assert actions["edit.undo"].text() == "Undo brush stroke"
    actions["edit.undo"].trigger()
    assert not hand.mask.any()
    assert actions["edit.redo"].text() == "Redo brush stroke"


def test_painting_and_moving_scanpaths_exclude_each_other(window_hand, open_window) -> None:
    open_window.selection.update(moving=True)
    assert not open_window.selection.display.painting
    open_window.selection.update(painting=True)
    assert not open_window.selection.display.moving


def test_the_buttons_do_what_the_keys_do_and_keep_the_keyboard_with_the_panes(window_hand, qtbot) -> None:
    from PySide6.QtWidgets import QToolButton

    hand = window_hand
    buttons = {
        button.defaultAction().objectName(): button
        for button in hand.compare.findChildren(QToolButton)
        if button.defaultAction() is not None
    }
    qtbot.mouseClick(buttons["mask.left"], Qt.MouseButton.LeftButton)
    expected = MaskEditor(HEIGHT, WIDTH)
    expected.side("left")
    np.testing.assert_array_equal(hand.mask, expected.mask)
    qtbot.mouseClick(buttons["mask.ellipse"], Qt.MouseButton.LeftButton)
    assert hand.painter.tool_name == "ellipse"
    hand.key(Qt.Key.Key_R)
    assert buttons["mask.rectangle"].isChecked()
    assert not buttons["mask.ellipse"].isChecked()
    assert all(button.accessibleName() and button.toolTip() for button in buttons.values())


def test_a_name_is_typed_in_place(window_hand, open_window, qtbot) -> None:
    hand, bar = window_hand, open_window.mask_actions._bar
    hand.key(Qt.Key.Key_A)
    open_window.actions_["mask.rename"].trigger()
    bar.field.setText("  left hand ")
    qtbot.keyClick(bar.field, Qt.Key.Key_Return)
    assert hand.session.name == "left hand"
    assert "left hand" in bar.name.text()
    hand.kept()
    assert (stored(hand.study.path, "left hand", hand.study.images[0]) == 255).all()
    qtbot.waitUntil(lambda: "left hand" in hand.session.library.names)
    open_window.actions_["mask.new"].trigger()
    assert hand.session.name == "mask 1"
    bar.field.setText("left 30%")  # means a mask that needs no drawing
    qtbot.keyClick(bar.field, Qt.Key.Key_Return)
    assert hand.session.name == "mask 1"
    assert "needs no drawing" in open_window.strip.notice.what
    open_window.actions_["mask.rename"].trigger()
    qtbot.keyClick(bar.field, Qt.Key.Key_Escape)
    assert bar.field.isHidden()
    assert hand.session.name == "mask 1"


def test_a_mask_is_copied_to_all_images_and_deleted_when_that_is_meant(
    window_hand, open_window, qtbot, monkeypatch
) -> None:
    hand, images = window_hand, window_hand.study.images
    answers, asked = iter(("", "Copy where there is none", "Copy and replace", "", "Delete")), []
    monkeypatch.setattr(
        open_window.mask_actions, "_choice", lambda *asks: (asked.append(asks), next(answers))[1]
    )
    hand.key(Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    first = hand.mask
    hand.go(images[1])
    hand.key(Qt.Key.Key_A)
    hand.kept()
    qtbot.waitUntil(lambda: hand.session.library.masks and hand.session.library.masks[0].n_images == 2)
    hand.go(images[0])
    qtbot.waitUntil(lambda: hand.session.library.here == ("mask 1",))

    def copied() -> list[bool]:
        open_window.actions_["mask.copy_all"].trigger()
        qtbot.waitUntil(lambda: not open_window.session.runner.busy)
        return [np.array_equal(stored(hand.study.path, "mask 1", image), first) for image in images]

    assert copied() == [True, False, False]  # nothing happens before the user agrees
    question, text, ways = asked[-1]
    assert question == "Copy “mask 1” to all images?"
    assert "1 image without it gets it. 1 image has a mask of this name, which would be replaced" in text
    assert ways == ("Copy where there is none", "Copy and replace")
    assert copied() == [True, False, True]  # what was drawn on the second image is kept
    qtbot.waitUntil(lambda: hand.session.library.masks[0].n_images == 3)
    assert copied() == [True, True, True]
    assert asked[-1][2] == ("Copy and replace",)
    # The image that was painted before follows, and can go back.
    hand.go(images[1])
    qtbot.waitUntil(lambda: np.array_equal(hand.mask, first))
    open_window.actions_["edit.undo"].trigger()
    assert (hand.mask == 255).all()
    open_window.actions_["mask.delete"].trigger()
    assert hand.session.name == "mask 1"
    open_window.actions_["mask.delete"].trigger()
    hand.kept()
    assert stored(hand.study.path, "mask 1", images[0]) is None
    assert hand.session.name == "mask 2"


def test_what_must_be_agreed_to_is_asked(window_hand, open_window, monkeypatch) -> None:
    asked = []
    monkeypatch.setattr(QMessageBox, "exec", lambda box: asked.append((box.text(), box.informativeText())))
    assert not open_window.mask_actions._agrees("Delete?", "It is gone then.", "Delete")
    assert asked == [("Delete?", "It is gone then.")]


def test_the_menu_offers_masks_from_data_and_says_what_is_missing(window_hand, open_window, qtbot) -> None:
    actions = open_window.mask_actions
    actions.fill_menu()
    put_in = next(action for action in actions._menu.actions() if action.text() == "Put in")
    offered = {action.text(): action for action in put_in.menu().actions() if action.text()}
    assert not offered["Object"].isEnabled()
    assert "no boxes" in offered["Object"].toolTip()
    offered["Where people looked most, 20 %"].trigger()
    qtbot.waitUntil(lambda: window_hand.mask.any())
    assert window_hand.session.editor.area == pytest.approx(0.2, abs=1e-3)
    assert open_window.actions_["edit.undo"].text() == "Undo people 20%"
    offered["Left, graded"].trigger()
    qtbot.waitUntil(lambda: window_hand.mask[0, 0] >= 254)
    assert window_hand.mask[0, -1] <= 1
    chosen = [a.text() for a in actions._menu.actions() if a.isChecked()]
    assert [text.split("\t")[0] for text in chosen] == ["mask 1"]


def test_a_window_with_something_unsaved_closes_at_the_second_time(
    window_hand, open_window, qtbot, monkeypatch
):
    import sqlite3

    from gazeapp.engine.project.masks import MaskStore

    def full(*_args, **_options):
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(MaskStore, "put", full)
        window_hand.key(Qt.Key.Key_A)
        qtbot.waitUntil(lambda: window_hand.session.trouble is not None)
        assert not open_window.close()
        assert "mask 1" in open_window.strip.notice.what
        assert open_window.isVisible()
    # The disk has room again: nothing is lost.
    window_hand.kept()
    assert (stored(window_hand.study.path, "mask 1", window_hand.study.images[0]) == 255).all()
    qtbot.waitUntil(lambda: window_hand.session.trouble is None)


def test_masks_leave_as_files_and_come_back_the_same(
    window_hand, open_window, qtbot, tmp_path, monkeypatch
) -> None:
    from PySide6.QtWidgets import QDialog

    from gazeapp.ui.masks.dialogs import ExportMasksDialog, ImportMasksDialog

    hand, folder = window_hand, tmp_path / "out"
    hand.painter.set_pen(size=30.0, softness=0.7)
    hand.drag(hand.pixel(0.2, 0.2), hand.pixel(0.6, 0.6))
    drawn = hand.mask
    assert len(np.unique(drawn)) > 10

    def accept_export(dialog):
        dialog.folder.set_path(folder)
        assert dialog.accept_button.isEnabled()
        return QDialog.DialogCode.Accepted

    def accept_import(dialog):
        dialog.place.set_path(folder)
        dialog.name.setText("again")
        return QDialog.DialogCode.Accepted

    monkeypatch.setattr(ExportMasksDialog, "exec", accept_export)
    monkeypatch.setattr(ImportMasksDialog, "exec", accept_import)
    for action in ("mask.export", "mask.import"):
        open_window.actions_[action].trigger()
        qtbot.waitUntil(lambda: not open_window.session.runner.busy)
    np.testing.assert_array_equal(stored(hand.study.path, "again", hand.study.images[0]), drawn)
    # A picture that is named like no image is for the one in hand.
    other = tmp_path / "left hand.png"
    next(folder.rglob("*.png")).rename(other)
    hand.go(hand.study.images[1])
    monkeypatch.setattr(ImportMasksDialog, "exec", lambda dialog: dialog.place.set_path(other) or 1)
    open_window.actions_["mask.import"].trigger()
    qtbot.waitUntil(lambda: np.array_equal(hand.mask, drawn))
    assert open_window.actions_["edit.undo"].text() == "Undo import of left hand.png"
    (tmp_path / "broken.png").write_bytes(b"no picture")
    monkeypatch.setattr(
        ImportMasksDialog, "exec", lambda dialog: dialog.place.set_path(tmp_path / "broken.png") or 1
    )
    open_window.actions_["mask.import"].trigger()
    qtbot.waitUntil(lambda: open_window.strip.notice is not None)
    np.testing.assert_array_equal(hand.mask, drawn)
