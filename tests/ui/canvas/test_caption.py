"""Captions: clicking, stepping, wrapping."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from PySide6.QtCore import Qt

from gazeapp.engine.models.base import Word
from gazeapp.ui.canvas.caption import MEAN_MAP, CaptionView, stepped

WORDS = tuple(
    Word(text, math.log(p), text not in {"a", "the"})
    for text, p in (("a", 0.9), ("man", 0.8), ("holds", 0.5), ("the", 0.7), ("ball", 0.25))
)


@pytest.fixture
def caption(qtbot):
    widget = CaptionView()
    qtbot.addWidget(widget)
    widget.resize(400, widget.height())
    widget.set_words(WORDS)
    widget.show()
    return widget


def test_clicking_a_word_chooses_it_and_again_the_mean(qtbot, caption) -> None:
    with qtbot.waitSignal(caption.word_chosen) as heard:
        qtbot.mouseClick(caption, Qt.MouseButton.LeftButton, pos=caption.word_rect(4).center().toPoint())
    assert heard.args == [4]
    caption.set_current(4)
    assert "ball" in caption.accessibleDescription().split("Shown:")[1]
    with qtbot.waitSignal(caption.word_chosen) as heard:
        qtbot.mouseClick(caption, Qt.MouseButton.LeftButton, pos=caption.word_rect(4).center().toPoint())
    assert heard.args == [MEAN_MAP]


def test_the_mean_can_be_clicked(qtbot, caption) -> None:
    caption.set_current(2)
    with qtbot.waitSignal(caption.word_chosen) as heard:
        position = caption.word_rect(MEAN_MAP).center().toPoint()
        qtbot.mouseClick(caption, Qt.MouseButton.LeftButton, pos=position)
    assert heard.args == [MEAN_MAP]


def test_arrow_keys_step_and_stop_at_the_ends(qtbot, caption) -> None:
    heard = []
    caption.word_chosen.connect(heard.append)
    caption.word_chosen.connect(caption.set_current)
    for _ in range(len(WORDS) + 2):
        qtbot.keyClick(caption, Qt.Key.Key_Right)
    assert heard == [0, 1, 2, 3, 4, 4, 4]
    qtbot.keyClick(caption, Qt.Key.Key_Left)
    assert heard[-1] == 3
    assert stepped(MEAN_MAP, -1, 5) == MEAN_MAP


def test_words_wrap_within_the_width_in_order(caption) -> None:
    narrow = 90
    lines = caption.lines_needed(narrow)
    assert lines > caption.lines_needed(400) == 1
    caption.resize(narrow, 200)
    boxes = [caption.word_rect(index) for index in range(-1, len(WORDS))]
    assert all(box.right() <= narrow for box in boxes)
    assert all(
        later.top() > earlier.top() or later.left() >= earlier.right() for earlier, later in pairwise(boxes)
    )
    assert len({box.top() for box in boxes}) == lines


def test_a_long_caption_scrolls_to_the_marked_word(caption) -> None:
    caption.set_words(WORDS * 30)
    caption.set_lines(2)
    caption.set_current(120)
    assert 0 <= caption.word_rect(120).top() < caption.height()
    assert caption.word_rect(0).bottom() < 0
    caption.set_current(MEAN_MAP)
    assert caption.word_rect(MEAN_MAP).top() >= 0


def test_tips_give_the_probability(caption) -> None:
    assert "0.25" in caption.word_tip(4)
    assert "grammar" in caption.word_tip(0)
    assert "Mean map" in caption.word_tip(MEAN_MAP)
