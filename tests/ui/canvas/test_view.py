"""The image view: geometry of picture, map and gaze on the screen, zoom and pan."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QWheelEvent
from PySide6.QtWidgets import QApplication

from gazeapp.engine.types import Rect
from gazeapp.ui.canvas.gaze import GazeStyle, chosen_fixations, radius
from gazeapp.ui.canvas.heat import density_layer
from gazeapp.ui.canvas.view import FIT, ImageView, Region
from gazeapp.ui.colours import CANVAS, density_table
from gazeapp.ui.scene import Fixations, Picture

WIDTH, HEIGHT = 300, 120


def solid(colour: str = "#204080") -> Picture:
    image = QImage(WIDTH, HEIGHT, QImage.Format.Format_RGB32)
    image.fill(QColor(colour))
    return Picture((image,), WIDTH, HEIGHT)


@pytest.fixture
def view(qtbot):
    widget = ImageView()
    qtbot.addWidget(widget)
    widget.resize(600, 400)
    widget.set_picture(solid(), WIDTH, HEIGHT)
    widget.show()
    return widget


def pixels(view: ImageView) -> np.ndarray:
    image = view.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : image.width() * 3].reshape(image.height(), image.width(), 3).astype(int)


def wheel(view: ImageView, position: QPointF, notches: int) -> None:
    event = QWheelEvent(
        position,
        QPointF(view.mapToGlobal(position.toPoint())),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(view, event)


def test_the_picture_is_fitted_in_the_middle_of_mid_grey(view) -> None:
    # 600 / 300 = 2 is the smaller of the two ratios, so the picture is 600 x 240 at y = 80.
    rect = view.image_rect()
    assert (rect.x(), rect.y(), rect.width(), rect.height()) == (0, 80, 600, 240)
    shown = pixels(view)
    grey = (CANVAS.red(), CANVAS.green(), CANVAS.blue())
    assert tuple(shown[40, 300]) == tuple(shown[360, 300]) == grey
    assert tuple(shown[200, 300]) == (0x20, 0x40, 0x80)


@pytest.mark.parametrize("place", [(0.25, 0.3), (0.8, 0.75)])
@pytest.mark.parametrize("region", [FIT, Region(0.5, 0.5, 1.6)])
def test_a_planted_peak_is_brightest_at_its_place_on_the_screen(view, place, region) -> None:
    across, down = place
    y, x = np.mgrid[0:24, 0:60]
    values = np.exp(-(((x + 0.5) / 60 - across) ** 2 + ((y + 0.5) / 24 - down) ** 2) / (2 * 0.05**2))
    layer = density_layer(values.astype(np.float32), Rect.of_image(WIDTH, HEIGHT), WIDTH, HEIGHT)
    view.set_picture(solid("#000000"), WIDTH, HEIGHT)
    view.set_layer(layer, layer.table_for(density_table("CET-L1"), layer.scale))
    view.set_region(region)
    brightness = pixels(view).sum(axis=2)
    rect = view.image_rect()
    brightness[np.abs(brightness - 3 * CANVAS.red()) < 3] = 0
    peak = brightness >= brightness.max() - 6
    found = np.argwhere(peak).mean(axis=0) + 0.5
    expected = (rect.top() + down * rect.height(), rect.left() + across * rect.width())
    assert found == pytest.approx(expected, abs=3)


def test_opacity_and_overlay_switch_the_map(view) -> None:
    layer = density_layer(np.array([[1, 3]], np.float32), Rect.of_image(WIDTH, HEIGHT), WIDTH, HEIGHT)
    plain = pixels(view)
    view.set_layer(layer, layer.table_for(density_table("viridis"), layer.scale))
    covered = pixels(view)
    assert np.abs(covered - plain).max() > 50
    view.set_opacity(0.5)
    half = pixels(view)
    assert np.abs(half - (plain + covered) / 2).max() <= 3
    view.set_opacity(0.0)
    assert np.array_equal(pixels(view), plain)
    view.set_opacity(1.0)
    view.set_overlay(False)
    assert np.array_equal(pixels(view), plain)


def test_the_wheel_zooms_around_the_cursor(view) -> None:
    position = QPointF(150, 120)
    before = view.place_at(position)
    heard = []
    view.region_changed.connect(heard.append)
    wheel(view, position, 8)
    assert view.region.zoom == pytest.approx(1.25**8)
    assert view.place_at(position) == pytest.approx(before, abs=1e-6)
    assert heard == [view.region]
    wheel(view, position, -30)
    assert view.region == FIT


def test_dragging_moves_the_image_with_the_cursor(qtbot, view) -> None:
    view.set_region(Region(0.5, 0.5, 5.0))
    start, end = QPoint(300, 200), QPoint(240, 230)
    held = view.place_at(QPointF(start))
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=start)
    qtbot.mouseMove(view, QPoint(290, 205))
    qtbot.mouseMove(view, end)
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=end)
    assert view.place_at(QPointF(end)) == pytest.approx(held, abs=1e-6)
    qtbot.mouseDClick(view, Qt.MouseButton.LeftButton, pos=end)
    assert view.region == FIT


def test_the_view_never_leaves_the_image(view) -> None:
    view.set_region(Region(-3.0, 9.0, 10.0))
    rect = view.image_rect()
    assert rect.left() == pytest.approx(0)
    assert rect.bottom() == pytest.approx(view.height())


def test_the_cursor_is_reported_as_shares_of_the_image(qtbot, view) -> None:
    heard = []
    view.probed.connect(heard.append)
    qtbot.mouseMove(view, QPoint(150, 140))
    assert heard[-1] == pytest.approx((0.25, 0.25))
    qtbot.mouseMove(view, QPoint(150, 20))
    assert heard[-1] is None


def test_fixations_are_drawn_where_they_fell(view) -> None:
    fixations = Fixations(
        x=np.array([60.0, 240.0]),
        y=np.array([30.0, 90.0]),
        duration_ms=np.array([250.0, np.nan]),
        subject=("A", "B"),
        trial=np.array([1, 2]),
        index=np.array([0, 0]),
    )
    plain = pixels(view)
    view.set_fixations(fixations, GazeStyle(fixations=True))
    changed = np.abs(pixels(view) - plain).sum(axis=2) > 0
    left = np.argwhere(changed[:, :300]).mean(axis=0) + 0.5
    right = np.argwhere(changed[:, 300:]).mean(axis=0) + np.array([0.5, 300.5])
    assert left == pytest.approx((80 + 60, 120), abs=1)
    assert right == pytest.approx((80 + 180, 480), abs=1)
    view.set_fixations(fixations, GazeStyle(fixations=True, subject="B"))
    changed = np.abs(pixels(view) - plain).sum(axis=2) > 0
    assert not changed[:, :300].any()
    assert chosen_fixations(fixations, "B") == [1]
    assert chosen_fixations(fixations, "nobody") == [0, 1]


def test_circle_area_is_proportional_to_duration() -> None:
    assert radius(500, 4) ** 2 == pytest.approx(2 * radius(250, 4) ** 2)
    assert radius(float("nan"), 4) == radius(250, 4) == 4


def test_levels_are_chosen_sharp_enough() -> None:
    levels = tuple(QImage(side, side, QImage.Format.Format_RGB32) for side in (1600, 800, 400))
    picture = Picture(levels, 3200, 3200)
    assert picture.scale == 0.5
    assert picture.level_for(0.1).width() == 400
    assert picture.level_for(0.3).width() == 800
    assert picture.level_for(3.0).width() == 1600
