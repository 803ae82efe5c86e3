"""How masks look: over the picture in every pane, drawn anew only where they changed, and no heat map."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage, QPainter

from gazeapp.engine.lesions.masks.box import Box
from gazeapp.engine.lesions.masks.editor import MaskEditor
from gazeapp.ui.canvas.view import FIT, ImageView, Region
from gazeapp.ui.masks.layer import MaskLayer, in_view
from gazeapp.ui.scene import Picture

WIDTH, HEIGHT = 400, 300


@pytest.fixture
def view(qtbot):
    widget = ImageView()
    qtbot.addWidget(widget)
    widget.resize(237, 211)
    picture = QImage(WIDTH, HEIGHT, QImage.Format.Format_RGB32)
    picture.fill(QColor("#808080"))
    widget.set_picture(Picture((picture,), WIDTH, HEIGHT), WIDTH, HEIGHT)
    return widget


def drawn(layer: MaskLayer, view: ImageView) -> np.ndarray:
    """What the layer puts over a grey picture, (rows, columns, 3)."""
    canvas = QImage(view.size(), QImage.Format.Format_RGB32)
    canvas.fill(QColor("#808080"))
    painter = QPainter(canvas)
    layer.paint(painter, view)
    painter.end()
    rows = np.frombuffer(canvas.constBits(), np.uint8).reshape(canvas.height(), canvas.bytesPerLine())
    return rows.reshape(canvas.height(), -1, 4)[:, : canvas.width(), 2::-1].astype(int)


@pytest.mark.parametrize("region", [FIT, Region(0.4, 0.6, 2.3), Region(0.2, 0.3, 20.0)])
def test_what_changed_is_drawn_as_if_all_were(view, region) -> None:
    view.set_region(region)
    editor, rng = MaskEditor(HEIGHT, WIDTH), np.random.default_rng(1)
    layer = MaskLayer(editor.mask)
    drawn(layer, view)
    for number in range(12):
        x, y = rng.uniform(0, WIDTH), rng.uniform(0, HEIGHT)
        boxes = [editor.begin_stroke(x, y, rng.uniform(2, 90), 255 * (number % 3 > 0), softness=number % 2)]
        boxes += [editor.stroke_to(x + rng.normal(0, 60), y + rng.normal(0, 60)) for _ in range(3)]
        editor.end_stroke()
        for box in boxes:
            if box is not None:
                layer.changed(editor.mask, box)
    difference = np.abs(drawn(layer, view) - drawn(MaskLayer(editor.mask), view))
    # Means over a pixel of the screen are rounded anew in each part.
    assert difference.max() <= 2 or (difference.max(axis=2) > 2).mean() < 1e-3
    assert len(np.unique(drawn(layer, view))) > 20


def test_a_thin_line_on_a_large_image_is_not_lost_on_a_small_screen(view) -> None:
    editor = MaskEditor(HEIGHT, WIDTH)
    editor.rectangle(0, 150, WIDTH, 151)
    column = drawn(MaskLayer(editor.mask), view)[:, 100]
    assert (column != 0x80).any()


def test_a_mask_is_a_grey_veil_with_lines_and_never_a_colour(view) -> None:
    layer = MaskLayer(np.full((HEIGHT, WIDTH), 255, np.uint8))
    rect = view.image_rect().toAlignedRect().adjusted(2, 2, -2, -2)
    inside = drawn(layer, view)[rect.top() : rect.bottom(), rect.left() : rect.right()]
    assert np.ptp(inside, axis=2).max() <= 4  # no hue
    darkest, lightest = inside.mean(axis=2).min(), inside.mean(axis=2).max()
    assert darkest < 0x80 - 40  # a veil
    assert lightest - darkest > 25  # hatched
    outside = drawn(layer, view)[: rect.top() - 4]
    assert (outside == 0x80).all()


def test_graded_cover_is_seen_as_graded_and_has_no_edge(view) -> None:
    editor = MaskEditor(HEIGHT, WIDTH)
    editor.gradient((0, 0), (WIDTH, 0))
    shown = drawn(MaskLayer(editor.mask), view)[100].mean(axis=1)
    blocks = shown[: len(shown) // 16 * 16].reshape(-1, 16).mean(axis=1)
    assert (np.diff(blocks[1:-1]) > 0).mean() > 0.85  # lighter and lighter to the right
    assert shown.max() < 0xD0  # no bright outline
    editor.clear()
    editor.side("left")
    assert (
        drawn(MaskLayer(editor.mask), view)[100].mean(axis=1).max() > 0xD0
    )  # where there is an edge, there is one


def test_views_of_the_same_size_share_what_is_drawn(view, qtbot) -> None:
    other = ImageView()
    qtbot.addWidget(other)
    other.resize(view.size())
    other.set_picture(view._picture, WIDTH, HEIGHT)
    layer = MaskLayer(np.full((HEIGHT, WIDTH), 255, np.uint8))
    drawn(layer, view)
    drawn(layer, other)
    assert len(layer._rasters) == 1
    for zoom in np.linspace(1.5, 9, 30):
        view.set_region(Region(0.5, 0.5, zoom))
        drawn(layer, view)
    assert len(layer._rasters) <= 8
    # What is not in sight any more is not kept up to date for long.
    for _ in range(12):
        layer.changed(np.zeros((HEIGHT, WIDTH), np.uint8), Box(0, 0, 5, 5))
        drawn(layer, view)
    assert len(layer._rasters) == 1
    assert (drawn(layer, view) != drawn(MaskLayer(np.zeros((HEIGHT, WIDTH), np.uint8)), view)).any()


def test_the_part_of_a_view_to_be_drawn_anew_holds_the_change(view) -> None:
    rect = in_view(view, Box(100, 50, 120, 80))
    place = view.image_transform()
    assert rect.contains(place.map(100.0, 50.0)[0].__int__(), int(place.map(100.0, 50.0)[1]))
    assert rect.width() < 40


def test_every_pane_shows_the_mask_and_the_brush(hand) -> None:
    before = [pane.view.grab().toImage() for pane in hand.compare.panes]
    hand.key(Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    after = [pane.view.grab().toImage() for pane in hand.compare.panes]
    for pane, old, new in zip(hand.compare.panes, before, after, strict=True):
        rect = pane.view.image_rect()
        left = [round(rect.x() + share * rect.width()) for share in (0.1, 0.2, 0.3)]
        right = [round(rect.x() + share * rect.width()) for share in (0.7, 0.8, 0.9)]
        y = round(rect.center().y() * 0.6)
        assert all(old.pixelColor(x, y) != new.pixelColor(x, y) for x in left)
        assert all(old.pixelColor(x, y) == new.pixelColor(x, y) for x in right)
    hand.qtbot.mouseMove(hand.view, hand.pixel(0.7, 0.5))
    circled = [pane.view.grab().toImage() for pane in hand.compare.panes]
    assert all(one != two for one, two in zip(after, circled, strict=True))
    hand.selection.update(painting=False)
    assert hand.compare.panes[1].view.grab().toImage() == before[1]


def test_the_brush_s_circle_is_as_large_as_what_it_covers(hand) -> None:
    hand.painter.set_pen(size=40.0)
    centre = hand.pixel(0.5, 0.5)
    plain = hand.view.grab().toImage()
    hand.qtbot.mouseMove(hand.view, centre)
    circled = hand.view.grab().toImage()
    changed = [
        x
        for x in range(plain.width())
        if plain.pixelColor(x, centre.y()) != circled.pixelColor(x, centre.y())
    ]
    scale = hand.view.image_transform().m11()
    assert max(changed) - min(changed) == pytest.approx(40 * scale, abs=6)
