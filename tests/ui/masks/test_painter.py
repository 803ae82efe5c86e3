"""What the mouse and the keys do while masks are painted, against masks that are reckoned pixel by pixel."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QKeyEvent, QWheelEvent
from PySide6.QtWidgets import QApplication

from gazeapp.ui.canvas.view import FIT, Region
from tests.ui.masks.conftest import stored
from tests.ui.small_study import HEIGHT, WIDTH

RIGHT = Qt.MouseButton.RightButton
SHIFT = Qt.KeyboardModifier.ShiftModifier


def centres():
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    return x + 0.5, y + 0.5


def near(points, radius):
    """The pixels whose centre is within a radius of a line through points, one by one."""
    x, y = centres()
    found = np.zeros((HEIGHT, WIDTH), bool)
    for (ax, ay), (bx, by) in pairwise(points):
        length = (bx - ax) ** 2 + (by - ay) ** 2
        along = np.clip(((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / max(length, 1e-12), 0, 1)
        found |= np.hypot(x - ax - along * (bx - ax), y - ay - along * (by - ay)) <= radius
    return np.where(found, 255, 0).astype(np.uint8)


def test_a_stroke_of_the_mouse_covers_what_lies_under_its_way(hand) -> None:
    hand.painter.set_pen(size=12.0)
    way = [hand.pixel(*place) for place in ((0.2, 0.3), (0.5, 0.35), (0.55, 0.8), (1.2, 0.9))]
    hand.drag(*way)
    expected = near([hand.on_image(pixel) for pixel in way], 6.0)
    np.testing.assert_array_equal(hand.mask, expected)
    assert 0.05 < expected.mean() / 255 < 0.5
    hand.kept()
    np.testing.assert_array_equal(stored(hand.study.path, "mask 1", hand.study.images[0]), expected)


def test_the_right_button_and_the_eraser_take_cover_away(hand) -> None:
    hand.painter.set_pen(size=20.0)
    hand.key(Qt.Key.Key_A)
    assert (hand.mask == 255).all()
    way = [hand.pixel(0.3, 0.5), hand.pixel(0.6, 0.5)]
    hand.drag(*way, button=RIGHT)
    hole = near([hand.on_image(pixel) for pixel in way], 10.0)
    np.testing.assert_array_equal(hand.mask, 255 - hole)
    hand.key(Qt.Key.Key_A)
    hand.key(Qt.Key.Key_E)
    assert hand.painter.tool_name == "eraser"
    hand.drag(*way)
    np.testing.assert_array_equal(hand.mask, 255 - hole)
    hand.key(Qt.Key.Key_E)
    assert hand.painter.tool_name == "brush"
    hand.key(Qt.Key.Key_X)  # the brush takes away now
    hand.drag(hand.pixel(0.3, 0.2), hand.pixel(0.6, 0.2))
    assert (hand.mask < 255).sum() > (hole > 0).sum()


@pytest.mark.parametrize(("key", "tool"), [(Qt.Key.Key_R, "rectangle"), (Qt.Key.Key_O, "ellipse")])
def test_boxes_are_dragged_between_corners(hand, key, tool) -> None:
    hand.key(key)
    assert hand.painter.tool_name == tool
    a, b = hand.pixel(0.7, 0.8), hand.pixel(0.2, 0.3)
    hand.drag(a, hand.pixel(0.5, 0.5), b)
    (x1, y1), (x0, y0) = hand.on_image(a), hand.on_image(b)
    x, y = centres()
    if tool == "rectangle":
        inside = (x >= x0) & (x < x1) & (y >= y0) & (y < y1)
    else:
        inside = ((2 * x - x0 - x1) / (x1 - x0)) ** 2 + ((2 * y - y0 - y1) / (y1 - y0)) ** 2 < 1
    assert ((hand.mask == 255) != inside).mean() < 0.002  # centres on the very edge may go either way
    assert set(np.unique(hand.mask)) == {0, 255}
    hand.drag(hand.pixel(0.1, 0.1), hand.pixel(0.1, 0.1))
    assert hand.session.undo_text == tool  # a click is no box
    hand.session.undo()
    assert not hand.mask.any()


def test_shift_keeps_boxes_square(hand) -> None:
    hand.key(Qt.Key.Key_R)
    a = hand.pixel(0.2, 0.2)
    hand.qtbot.mousePress(hand.view, Qt.MouseButton.LeftButton, SHIFT, a)
    hand.qtbot.mouseRelease(hand.view, Qt.MouseButton.LeftButton, SHIFT, hand.pixel(0.5, 0.4))
    rows, columns = np.nonzero(hand.mask)
    assert hand.mask.any()
    assert abs(np.ptp(rows) - np.ptp(columns)) <= 1


def test_half_planes_lie_on_the_left_of_the_line(hand) -> None:
    hand.key(Qt.Key.Key_H)
    x, _ = hand.on_image(hand.pixel(0.25, 0.5))
    hand.drag(hand.pixel(0.25, 0.9), hand.pixel(0.25, 0.1))  # going up
    expected = np.zeros((HEIGHT, WIDTH), np.uint8)
    expected[:, centres()[0][0] < x] = 255
    np.testing.assert_array_equal(hand.mask, expected)
    hand.drag(hand.pixel(0.25, 0.1), hand.pixel(0.25, 0.9))  # going down: the rest
    assert (hand.mask == 255).all()


def test_a_gradient_falls_evenly_between_its_ends(hand) -> None:
    hand.key(Qt.Key.Key_G)
    a, b = hand.pixel(0.2, 0.5), hand.pixel(0.8, 0.5)
    hand.drag(a, b)
    (x0, _), (x1, _) = hand.on_image(a), hand.on_image(b)
    expected = 255 * np.clip((x1 - centres()[0]) / (x1 - x0), 0, 1)
    assert np.abs(hand.mask - expected).max() <= 0.51
    assert hand.mask[:, 0].min() == 255
    assert hand.mask[:, -1].max() == 0


def test_polygons_are_clicked_and_can_be_mended(hand, qtbot) -> None:
    hand.key(Qt.Key.Key_L)
    corners = [hand.pixel(*place) for place in ((0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.05, 0.95))]
    for corner in corners:
        qtbot.mouseClick(hand.view, Qt.MouseButton.LeftButton, pos=corner)
    hand.key(Qt.Key.Key_Backspace)
    assert not hand.mask.any()
    hand.key(Qt.Key.Key_Return)
    (x0, y0), (x1, _), (_, y1) = (hand.on_image(corner) for corner in corners[:3])
    x, y = centres()
    triangle = (x < x1) & (y > y0) & ((x - x0) / (x1 - x0) > (y - y0) / (y1 - y0))
    assert ((hand.mask == 255) != triangle).mean() < 0.003
    assert hand.session.undo_text == "polygon"
    # Esc drops the corners first, and only then leaves.
    qtbot.mouseClick(hand.view, Qt.MouseButton.LeftButton, pos=corners[0])
    hand.key(Qt.Key.Key_Escape)
    assert hand.session.is_on
    hand.key(Qt.Key.Key_Return)
    assert ((hand.mask == 255) != triangle).mean() < 0.003
    # A double click is the last corner.
    hand.key(Qt.Key.Key_C)
    for corner in corners[:2]:
        qtbot.mouseClick(hand.view, Qt.MouseButton.LeftButton, pos=corner)
    qtbot.mouseClick(hand.view, Qt.MouseButton.LeftButton, pos=corners[2])
    qtbot.mouseDClick(hand.view, Qt.MouseButton.LeftButton, pos=corners[2])
    assert ((hand.mask == 255) != triangle).mean() < 0.003
    hand.key(Qt.Key.Key_Escape)
    assert not hand.session.is_on


def test_everything_but_free_strokes_can_be_done_with_keys(hand) -> None:
    left = np.zeros((HEIGHT, WIDTH), np.uint8)
    left[:, : WIDTH // 2] = 255
    hand.key(Qt.Key.Key_Left, SHIFT)
    np.testing.assert_array_equal(hand.mask, left)
    hand.key(Qt.Key.Key_I)
    np.testing.assert_array_equal(hand.mask, 255 - left)
    hand.key(Qt.Key.Key_M, SHIFT)
    np.testing.assert_array_equal(hand.mask, left)
    hand.key(Qt.Key.Key_X)
    hand.key(Qt.Key.Key_Up, SHIFT)  # take the upper half away
    assert not hand.mask[: HEIGHT // 2].any()
    np.testing.assert_array_equal(hand.mask[HEIGHT // 2 :], left[HEIGHT // 2 :])
    hand.key(Qt.Key.Key_K)
    assert ((hand.mask > 0) & (hand.mask < 255)).any()
    hand.key(Qt.Key.Key_Delete)
    assert not hand.mask.any()
    size = hand.painter.pen.size
    hand.type("]]")
    assert hand.painter.pen.size == pytest.approx(size * 1.15**2)
    hand.type("[")
    hand.type("}}}")
    assert hand.painter.pen.softness == pytest.approx(0.3)
    hand.type("{")
    assert hand.painter.pen.softness == pytest.approx(0.2)
    hand.key(Qt.Key.Key_Right)  # without Shift the arrows do what they always do
    assert hand.selection.word == 0


def test_the_wheel_with_ctrl_sizes_the_brush_and_alone_it_zooms(hand) -> None:
    def turn(modifiers):
        at = QPointF(hand.view.rect().center())
        event = QWheelEvent(
            at,
            QPointF(hand.view.mapToGlobal(at.toPoint())),
            QPoint(),
            QPoint(0, 120),
            Qt.MouseButton.NoButton,
            modifiers,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(hand.view, event)

    size = hand.painter.pen.size
    turn(Qt.KeyboardModifier.ControlModifier)
    assert hand.painter.pen.size > size
    assert hand.view.region == FIT
    turn(Qt.KeyboardModifier.ControlModifier | SHIFT)
    assert hand.painter.pen.softness == pytest.approx(0.1)
    turn(Qt.KeyboardModifier.NoModifier)
    assert hand.view.region.zoom > 1


def test_space_and_the_middle_button_move_the_image_and_draw_nothing(hand, qtbot) -> None:
    hand.view.choose_region(Region(0.5, 0.5, 4.0))
    start = hand.view.region
    hand.drag(QPoint(60, 40), QPoint(30, 40), button=Qt.MouseButton.MiddleButton)
    assert hand.view.region.across > start.across
    shown = hand.selection.display.show_overlay
    qtbot.keyPress(hand.compare, Qt.Key.Key_Space)
    hand.drag(QPoint(30, 40), QPoint(60, 40))
    qtbot.keyRelease(hand.compare, Qt.Key.Key_Space)
    assert hand.view.region.across == pytest.approx(start.across)
    assert not hand.mask.any()
    assert hand.selection.display.show_overlay == shown  # it moved the image, so it switches nothing
    hand.key(Qt.Key.Key_Space)
    assert hand.selection.display.show_overlay != shown


def test_a_zoomed_stroke_lands_where_the_mouse_is(hand) -> None:
    hand.view.choose_region(Region(0.3, 0.6, 5.0))
    hand.painter.set_pen(size=3.0)
    way = [QPoint(40, 30), QPoint(90, 60)]
    hand.drag(*way)
    np.testing.assert_array_equal(hand.mask, near([hand.on_image(pixel) for pixel in way], 1.5))
    assert hand.mask.any()


def test_escape_takes_an_unfinished_stroke_back(hand) -> None:
    hand.drag(hand.pixel(0.2, 0.3), hand.pixel(0.6, 0.6), release=False)
    assert hand.mask.any()
    hand.key(Qt.Key.Key_Escape)
    assert not hand.mask.any()
    assert hand.session.undo_text == ""
    hand.qtbot.mouseRelease(hand.view, Qt.MouseButton.LeftButton, pos=hand.pixel(0.6, 0.6))
    assert hand.session.undo_text == ""
    assert hand.session.is_on


def test_every_move_counts_only_during_a_stroke(hand) -> None:
    thinned = Qt.ApplicationAttribute.AA_CompressHighFrequencyEvents
    before = QApplication.testAttribute(thinned)
    hand.drag(hand.pixel(0.2, 0.3), hand.pixel(0.6, 0.6), release=False)
    assert not QApplication.testAttribute(thinned)
    hand.qtbot.mouseRelease(hand.view, Qt.MouseButton.LeftButton, pos=hand.pixel(0.6, 0.6))
    assert QApplication.testAttribute(thinned) == before


def test_the_menu_of_a_pane_stays_away_while_the_right_button_erases(hand) -> None:
    from PySide6.QtGui import QContextMenuEvent

    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, hand.view.rect().center(), QPoint())
    assert hand.painter.eventFilter(hand.view, event)
    hand.selection.update(painting=False)
    assert not hand.painter.eventFilter(hand.view, event)


def test_keys_mean_what_they_did_when_painting_is_off(hand) -> None:
    hand.selection.update(painting=False)
    press = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_A, Qt.KeyboardModifier.NoModifier, "a")
    assert not hand.painter.key(press)
    hand.key(Qt.Key.Key_Right, SHIFT)
    assert hand.selection.word == 0


def test_a_study_without_gaze_and_maps_can_be_painted_on(qtbot, tmp_path) -> None:
    from gazeapp.ui.loader import Loader
    from gazeapp.ui.panels.compare import ComparePanel
    from gazeapp.ui.selection import Selection
    from tests.ui.masks.conftest import Hand
    from tests.ui.small_study import TASK, build

    study = build(tmp_path, images=1, models=0, subjects=0, scored=False)
    selection, loader = Selection(), Loader()
    compare = ComparePanel(selection, loader)
    qtbot.addWidget(compare)
    compare.resize(900, 500)
    compare.show()
    loader.open(study.path)
    compare.masks.open(study.path)
    selection.update(image_id=study.images[0], task=TASK)
    hand = Hand(compare, selection, qtbot, study)
    qtbot.waitUntil(lambda: compare.scene is not None)
    assert compare.panes[0].notice.isVisible()
    selection.update(painting=True)
    hand.ready()
    assert not compare.panes[0].notice.isVisible()
    hand.drag(hand.pixel(0.3, 0.5), hand.pixel(0.7, 0.5))
    assert hand.mask.any()
    selection.update(painting=False)
    assert compare.panes[0].notice.isVisible()
    compare.masks.close()
    loader.close()
