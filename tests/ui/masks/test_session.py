"""Where masks are kept while they are painted: other images, other windows, files that cannot be written."""

from __future__ import annotations

import sqlite3
import threading

import numpy as np
import pytest
from PySide6.QtCore import Qt

from gazeapp.engine.errors import GazeError
from gazeapp.engine.project import Project
from gazeapp.engine.project.masks import MaskStore
from gazeapp.ui.masks.keeper import MaskKeeper, MaskKey
from tests.ui.masks.conftest import stored
from tests.ui.small_study import HEIGHT, WIDTH

SHIFT = Qt.KeyboardModifier.ShiftModifier


def left_half():
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[:, : WIDTH // 2] = 255
    return mask


def test_each_image_has_its_own_mask_and_its_own_undo(hand) -> None:
    first, second = hand.study.images[:2]
    hand.key(Qt.Key.Key_Left, SHIFT)
    hand.go(second)
    assert not hand.mask.any()
    hand.key(Qt.Key.Key_A)
    hand.go(first)
    np.testing.assert_array_equal(hand.mask, left_half())
    assert hand.session.undo_text == "left side"
    hand.session.undo()
    assert not hand.mask.any()
    hand.kept()
    empty = stored(hand.study.path, "mask 1", first)
    assert not empty.any()  # stored as empty, not gone
    assert (stored(hand.study.path, "mask 1", second) == 255).all()


def test_a_mask_comes_back_with_its_project_and_is_chosen(hand) -> None:
    hand.session.choose("hand")
    hand.ready()
    hand.key(Qt.Key.Key_Left, SHIFT)
    hand.session.open(hand.study.path)
    assert hand.session.mask is None
    hand.qtbot.waitUntil(lambda: hand.session.name == "hand" and hand.session.mask is not None)
    np.testing.assert_array_equal(hand.mask, left_half())


def test_a_stroke_is_ended_and_stored_when_another_image_comes(hand) -> None:
    first, second = hand.study.images[:2]
    hand.drag(hand.pixel(0.2, 0.2), hand.pixel(0.6, 0.6), release=False)
    drawn = hand.mask
    hand.go(second)
    assert not hand.mask.any()
    hand.qtbot.mouseRelease(hand.view, Qt.MouseButton.LeftButton, pos=hand.pixel(0.9, 0.1))
    assert not hand.mask.any()
    hand.kept()
    np.testing.assert_array_equal(stored(hand.study.path, "mask 1", first), drawn)


def test_nothing_can_be_drawn_on_a_picture_that_is_not_that_of_the_mask(hand) -> None:
    # The image in hand changes at once, what is shown follows when it has been read.
    hand.compare._loader._scenes.clear()
    hand.selection.image_id = hand.study.images[1]
    assert hand.compare.scene.image_id == hand.study.images[0]
    assert hand.painter.editor is None
    hand.drag(hand.pixel(0.2, 0.2), hand.pixel(0.6, 0.6))
    hand.key(Qt.Key.Key_A)
    hand.ready(hand.study.images[1])
    assert not hand.mask.any()


def test_what_another_window_stores_becomes_a_step(hand) -> None:
    first = hand.study.images[0]
    hand.key(Qt.Key.Key_A)
    hand.kept()
    with Project.open(hand.study.path) as project:
        project.masks.put("mask 1", first, left_half())
    hand.session._ask()
    hand.qtbot.waitUntil(lambda: np.array_equal(hand.mask, left_half()))
    assert hand.session.undo_text == "change from elsewhere"
    hand.session.undo()
    assert (hand.mask == 255).all()


def test_what_was_drawn_while_it_was_read_is_not_overwritten(hand) -> None:
    hand.key(Qt.Key.Key_A)
    hand.kept()
    hand.session._ask()  # the answer is on its way
    hand.key(Qt.Key.Key_Left, SHIFT)
    hand.key(Qt.Key.Key_I)
    drawn = hand.mask
    with hand.qtbot.waitSignal(hand.compare._loader.answered):
        hand.session._ask()
    hand.qtbot.wait(50)
    np.testing.assert_array_equal(hand.mask, drawn)


def test_a_mask_goes_to_the_next_image_and_can_be_taken_back(hand) -> None:
    hand.key(Qt.Key.Key_Left, SHIFT)
    assert hand.session.copy_to_next()
    hand.ready(hand.study.images[1])
    np.testing.assert_array_equal(hand.mask, left_half())
    hand.session.undo()
    assert not hand.mask.any()
    hand.go(hand.study.images[-1])
    assert not hand.session.copy_to_next()


def test_duplicates_and_new_masks_take_names_that_are_free(hand) -> None:
    hand.key(Qt.Key.Key_Left, SHIFT)
    hand.session.duplicate()
    assert hand.session.name == "mask 2"
    hand.ready()
    np.testing.assert_array_equal(hand.mask, left_half())
    hand.session.new()
    assert hand.session.name == "mask 3"
    hand.ready()
    assert not hand.mask.any()
    hand.kept()
    with Project.open(hand.study.path) as project:
        assert [mask.name for mask in project.masks.library()] == ["mask 1", "mask 2", "mask 3"]


def test_a_name_that_another_mask_has_is_refused(hand) -> None:
    errors = []
    hand.session.failed.connect(errors.append)
    hand.key(Qt.Key.Key_A)
    hand.session.new()
    assert not hand.session.rename("mask 1")
    assert not hand.session.rename("  ")
    assert hand.session.name == "mask 2"
    assert ["already" in error.what for error in errors] == [True, False]


def test_a_full_disk_is_said_and_tried_again_until_it_works(hand, monkeypatch) -> None:
    put, full = MaskStore.put, threading.Event()
    full.set()

    def sometimes(self, *values, **options):
        if full.is_set():
            raise sqlite3.OperationalError("database or disk is full")
        return put(self, *values, **options)

    monkeypatch.setattr(MaskStore, "put", sometimes)
    hand.key(Qt.Key.Key_A)
    hand.qtbot.waitUntil(lambda: hand.session.trouble is not None)
    assert "disk is full" in hand.session.trouble.what
    hand.key(Qt.Key.Key_Left, SHIFT)  # painting goes on
    hand.key(Qt.Key.Key_I)
    drawn = hand.mask
    assert len(hand.session.keeper.unsaved) == 1
    full.clear()
    hand.kept()
    hand.qtbot.waitUntil(lambda: hand.session.trouble is None)
    np.testing.assert_array_equal(stored(hand.study.path, "mask 1", hand.study.images[0]), drawn)


def test_a_project_that_another_program_writes_to_is_waited_for(hand) -> None:
    other = sqlite3.connect(hand.study.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    hand.key(Qt.Key.Key_A)
    hand.qtbot.waitUntil(lambda: hand.session.trouble is not None)
    assert "Another program" in hand.session.trouble.what
    other.execute("ROLLBACK")
    other.close()
    hand.kept()
    assert (stored(hand.study.path, "mask 1", hand.study.images[0]) == 255).all()


def test_a_project_that_is_open_for_looking_only_keeps_masks_in_memory(hand) -> None:
    hand.session.open(hand.study.path, "another gazeapp has it open")
    hand.ready()
    hand.key(Qt.Key.Key_A)
    assert "another gazeapp has it open" in hand.session.trouble.what
    hand.go(hand.study.images[1])
    hand.go(hand.study.images[0])
    assert (hand.mask == 255).all()
    hand.session.keeper.finish()
    assert stored(hand.study.path, "mask 1", hand.study.images[0]) is None


def test_what_is_not_stored_when_a_project_closes_comes_back_with_it(hand, monkeypatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(MaskStore, "put", _raise_locked)
        hand.key(Qt.Key.Key_A)
        hand.session.close_project()
        assert hand.session.keeper.unsaved
        hand.session.open(hand.study.path)
        hand.ready()
        assert (hand.mask == 255).all()
    hand.kept()
    assert (stored(hand.study.path, "mask 1", hand.study.images[0]) == 255).all()


def _raise_locked(*_values, **_options):
    raise sqlite3.OperationalError("database is locked")


@pytest.fixture
def keeper(qtbot):
    made = MaskKeeper()
    yield made
    made.close()


def test_of_each_mask_the_newest_state_wins_and_all_are_stored(keeper, study, qtbot) -> None:
    for value in range(60):
        for image in study.images:
            keeper.put(
                MaskKey(study.path, "m", image), np.full((HEIGHT, WIDTH), value + image, np.uint8), "drawn"
            )
    assert keeper.finish()
    assert [int(stored(study.path, "m", image)[0, 0]) for image in study.images] == [
        59 + image for image in study.images
    ]


def test_changes_are_made_after_what_was_drawn_before(keeper, study, qtbot) -> None:
    key = MaskKey(study.path, "m", study.images[0])
    done = []
    keeper.done.connect(done.append)
    keeper.put(key, np.full((HEIGHT, WIDTH), 7, np.uint8), "drawn")
    keeper.change(study.path, "rename", lambda project: project.masks.rename("m", "n"))
    keeper.put(key, np.full((HEIGHT, WIDTH), 9, np.uint8), "drawn")
    assert keeper.finish()
    qtbot.waitUntil(lambda: done == ["rename"])
    assert stored(study.path, "n", study.images[0])[0, 0] == 7
    assert stored(study.path, "m", study.images[0])[0, 0] == 9


def test_what_can_never_be_stored_is_told_and_dropped(keeper, study, qtbot) -> None:
    told = []
    keeper.failed.connect(lambda error, again: told.append((error, again)))
    keeper.put(MaskKey(study.path, "m", study.images[0]), np.zeros((3, 4), np.uint8), "drawn")
    keeper.put(MaskKey(study.path, "m", study.images[1]), np.zeros((HEIGHT, WIDTH), np.uint8), "drawn")
    assert keeper.finish()
    qtbot.waitUntil(lambda: bool(told))
    assert [again for _, again in told] == [False]
    assert isinstance(told[0][0], GazeError)
    assert "4 x 3 px" in told[0][0].what
    assert keeper.unsaved == ()
    assert stored(study.path, "m", study.images[1]) is not None


def test_a_project_whose_disk_went_away_is_waited_for(keeper, study, qtbot) -> None:
    told = []
    keeper.failed.connect(lambda error, again: told.append((error.what, again)))
    away = study.path.with_name("away")
    study.path.rename(away)
    keeper.put(MaskKey(study.path, "m", study.images[0]), np.full((HEIGHT, WIDTH), 5, np.uint8), "drawn")
    assert not keeper.finish()
    qtbot.waitUntil(lambda: bool(told))
    assert told[0] == ("There is no such project file.", True)
    away.rename(study.path)
    qtbot.waitUntil(lambda: keeper.wait(0))
    assert stored(study.path, "m", study.images[0])[0, 0] == 5
