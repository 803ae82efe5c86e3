"""Closing the window with something in hand that is not stored."""

from __future__ import annotations

import sqlite3
import threading

import numpy as np
import pytest
from PySide6.QtCore import Qt

from gazeapp.engine.errors import GazeError
from gazeapp.engine.project.masks import MaskStore
from gazeapp.engine.project.rows import ModelRow
from tests.ui.masks.conftest import stored


@pytest.fixture
def full_disk(monkeypatch):
    """Have no mask stored until it is undone."""

    def full(*_args, **_options):
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(MaskStore, "put", full)
        yield broken


def test_a_stroke_that_is_being_drawn_is_stored(window_hand, open_window) -> None:
    window_hand.drag(window_hand.pixel(0.2, 0.2), window_hand.pixel(0.6, 0.6), release=False)
    drawn = window_hand.mask
    assert drawn.any()
    assert open_window.close()
    found = stored(window_hand.study.path, "mask 1", window_hand.study.images[0])
    np.testing.assert_array_equal(found, drawn)


def test_a_stroke_is_stored_when_the_session_ends_without_a_window(hand) -> None:
    hand.drag(hand.pixel(0.2, 0.2), hand.pixel(0.6, 0.6), release=False)
    drawn = hand.mask
    hand.session.close()
    np.testing.assert_array_equal(stored(hand.study.path, "mask 1", hand.study.images[0]), drawn)


def test_a_window_that_stayed_open_goes_on_with_the_next_stroke(window_hand, open_window, full_disk) -> None:
    hand = window_hand
    hand.drag(hand.pixel(0.2, 0.2), hand.pixel(0.6, 0.6), release=False)
    assert not open_window.close()
    before = hand.mask
    hand.qtbot.mouseMove(hand.view, hand.pixel(0.8, 0.3))
    hand.qtbot.mouseRelease(hand.view, Qt.MouseButton.LeftButton, pos=hand.pixel(0.8, 0.3))
    np.testing.assert_array_equal(hand.mask, before)  # the stroke ended when the window was to close
    hand.drag(hand.pixel(0.2, 0.8), hand.pixel(0.6, 0.8))
    assert (hand.mask != before).any()
    full_disk.undo()
    hand.kept()


def test_each_drawing_that_cannot_be_stored_is_told_before_it_is_given_up(
    window_hand, open_window, full_disk
) -> None:
    hand = window_hand
    notices = []
    open_window.notifications.notified.connect(notices.append)
    hand.key(Qt.Key.Key_A)
    assert not open_window.close()
    hand.key(Qt.Key.Key_I)  # something else is drawn: it was not told that this would be lost
    assert not open_window.close()
    full_disk.undo()
    hand.kept()
    full_disk.setattr(MaskStore, "put", _full)
    hand.key(Qt.Key.Key_A)
    assert not open_window.close()
    unsaved = [notice for notice in notices if "not stored yet" in notice.what]
    assert unsaved
    assert open_window.close()


def test_work_on_masks_begins_when_what_was_drawn_last_is_stored(hand, monkeypatch) -> None:
    may_go, put, image = threading.Event(), MaskStore.put, hand.study.images[0]

    def slow(store, *values):
        assert may_go.wait(20)
        return put(store, *values)

    with monkeypatch.context() as slowed:
        slowed.setattr(MaskStore, "put", slow)
        hand.key(Qt.Key.Key_A)
        assert stored(hand.study.path, "mask 1", image) is None
        threading.Timer(0.2, may_go.set).start()
        work = hand.session.keeper.before(
            lambda _project, _progress: stored(hand.study.path, "mask 1", image)
        )
        assert (work(None, None) == 255).all()
    monkeypatch.setattr(MaskStore, "put", _full)
    hand.key(Qt.Key.Key_I)
    with pytest.raises(GazeError, match="not stored yet"):
        work(None, None)
    monkeypatch.undo()
    hand.kept()


def test_a_run_takes_in_the_stroke_that_is_being_drawn(window_hand, open_window, monkeypatch) -> None:
    hand, submitted = window_hand, []
    monkeypatch.setattr(open_window.session, "submit", lambda *job, **_how: submitted.append(job) or 1)
    hand.drag(hand.pixel(0.2, 0.2), hand.pixel(0.6, 0.6), release=False)
    image = open_window.session.study.images[hand.study.images[0]]
    model = ModelRow("vit-lstm", "ViT", "captioner", "vit", "lstm", "", "", "", {})
    open_window.bench.runs.run(model, image.name)
    assert len(submitted) == 1
    hand.kept()
    np.testing.assert_array_equal(stored(hand.study.path, "mask 1", hand.study.images[0]), hand.mask)


def _full(*_args, **_options):
    raise sqlite3.OperationalError("database or disk is full")
