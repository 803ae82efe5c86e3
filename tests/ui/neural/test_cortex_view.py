from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QImage

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.records import LEFT, RIGHT, Atlas, Region
from gazeapp.engine.neural.regions.picking import grow, inside
from gazeapp.engine.neural.surface import cache
from gazeapp.engine.neural.surface.colouring import colour_table, over
from gazeapp.engine.neural.surface.mesh import load_mesh
from gazeapp.engine.neural.surface.picture import compose
from gazeapp.engine.neural.surface.scene import scene_for
from gazeapp.engine.project import Project
from gazeapp.ui.colours import CANVAS, difference_table
from gazeapp.ui.neural import cortex_maker
from gazeapp.ui.neural.cortex_bar import CortexBar, round_ticks
from gazeapp.ui.neural.cortex_drawing import GROW, OUTLINE
from gazeapp.ui.neural.cortex_strip import SCENES
from gazeapp.ui.neural.cortex_view import CortexView


@pytest.fixture(scope="session")
def _kept(tmp_path_factory):
    return tmp_path_factory.mktemp("cortex")


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, _kept):
    monkeypatch.setattr(cache, "cache_folder", lambda: _kept)


@pytest.fixture
def view(qtbot):
    made = CortexView()
    qtbot.addWidget(made)
    made.resize(520, 330)
    made.show()
    settle(qtbot, made)
    return made


def settle(qtbot, view):
    qtbot.waitUntil(lambda: view.scene is not None and view._job is None and not view._settle.isActive())


def values():
    places = np.concatenate([load_mesh("white", side).vertices for side in ("left", "right")])
    return (places[:, 1] / 110.0).astype(np.float32)


def regions():
    found = values()
    return [
        Region(
            "front", side, np.flatnonzero((found > 0) & ((np.arange(20_484) < 10_242) == (side == "left")))
        )
        for side in ("left", "right")
    ]


def widget_place(view, vertex):
    """Return where the widget shows a vertex."""
    side = "left" if vertex < 10_242 else "right"
    tile = next(tile for tile in view.scene.tiles if tile.view.hemisphere == side)
    x, y = view.scene.places(tile)[vertex % 10_242]
    return view.canvas.image_transform().map(QPointF(x, y)).toPoint()


def seen_vertex(view, name="left"):
    """Return a vertex that faces the viewer and is found where it is drawn."""
    found = values()
    for vertex in np.flatnonzero(found > 0.1):
        place = widget_place(view, vertex)
        spot = view.canvas.spot_at(QPointF(place))
        if spot is not None and spot.vertex == vertex:
            return int(vertex), place
    raise AssertionError


def test_the_window_shows_the_engines_picture(qtbot, view):
    view.set_regions(regions())
    view.set_values(values(), (-0.7, 0.7), "difference in r", True)
    view.strip.threshold.setValue(0.1)
    settle(qtbot, view)
    assert view.shown.colouring.threshold == pytest.approx(0.1)
    ours = scene_for("inflated", view.canvas.width(), view.canvas.height())
    expected = compose(ours, view.shown)
    np.testing.assert_array_equal(view.picture, expected)
    # What is grabbed from the screen is that picture, at its own size.
    view.canvas.setMinimumSize(ours.width, ours.height)
    view.canvas.resize(ours.width, ours.height)
    assert view.scene is ours
    image = view.canvas.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    seen = rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3)
    inner = ours.rows >= 0
    for tile in ours.tiles:  # the names of the views stand in their corners
        inner[tile.top : tile.top + 20, tile.left : tile.left + tile.width] = False
    grey = (CANVAS.red(), CANVAS.green(), CANVAS.blue())
    apart = np.abs(seen[inner].astype(int) - over(expected, grey)[inner])
    assert apart.max() <= 1  # Qt rounds otherwise where a pixel is half covered
    assert (apart == 0).mean() > 0.99


def test_values_are_painted_at_once_when_the_scene_is_there(view):
    view.set_values(values(), (-1.0, 1.0), "r", True)
    assert view._job is None
    first = view.picture
    view.set_values(-values(), (-1.0, 1.0), "r", True)
    assert view._job is None
    assert (view.picture != first).any()
    np.testing.assert_array_equal(view.picture, compose(view.scene, view.shown))


def test_pointing_names_region_value_and_vertex(qtbot, view):
    view.set_scene("lateral")
    view.set_regions(regions())
    view.set_values(values(), (-1.0, 1.0), "r", True)
    settle(qtbot, view)
    vertex, place = seen_vertex(view)
    with qtbot.waitSignal(view.hovered) as heard:
        qtbot.mouseMove(view.canvas, place)
    assert heard.args == [f"front left  ·  r = {values()[vertex]:.3f}  ·  vertex {vertex:,}"]
    assert view.strip.readout.text() == heard.args[0]
    view.set_values(-values(), (-1.0, 1.0), "r", True)
    shown = f"{-values()[vertex]:.3f}".replace("-", "\N{MINUS SIGN}")
    assert view.strip.readout.text() == f"front left  ·  r = {shown}  ·  vertex {vertex:,}"
    with qtbot.waitSignal(view.hovered) as heard:
        qtbot.mouseMove(view.canvas, QPoint(1, 1))
    assert heard.args == [""]


def test_a_vertex_without_a_value_is_said(qtbot, view):
    view.set_scene("lateral")
    without = values()
    without[:] = np.nan
    view.set_values(without, (0.0, 1.0), "r")
    settle(qtbot, view)
    vertex, place = seen_vertex(view)
    qtbot.mouseMove(view.canvas, place)
    assert view.strip.readout.text() == f"no value  ·  vertex {vertex:,}"


def test_a_click_picks_vertex_and_regions(qtbot, view):
    view.set_scene("lateral")
    view.set_regions(regions())
    settle(qtbot, view)
    vertex, place = seen_vertex(view)
    with qtbot.waitSignal(view.picked) as heard:
        qtbot.mouseClick(view.canvas, Qt.MouseButton.LeftButton, pos=place)
    assert heard.args == [vertex, ("front left",)]
    with qtbot.assertNotEmitted(view.picked):
        qtbot.mouseClick(view.canvas, Qt.MouseButton.LeftButton, pos=QPoint(1, 1))


def test_a_drag_picks_nothing(qtbot, view):
    vertex_place = QPoint(view.canvas.width() // 3, view.canvas.height() // 5)
    with qtbot.assertNotEmitted(view.picked):
        qtbot.mousePress(view.canvas, Qt.MouseButton.LeftButton, pos=vertex_place)
        qtbot.mouseMove(view.canvas, vertex_place + QPoint(20, 10))
        qtbot.mouseRelease(view.canvas, Qt.MouseButton.LeftButton, pos=vertex_place + QPoint(20, 10))


def test_marked_regions_stand_out(qtbot, view):
    view.set_regions(regions())
    settle(qtbot, view)
    before = view.picture
    view.set_marked(["front left", "no such region"])
    settle(qtbot, view)
    assert [region.id for region in view.shown.marked.all] == ["front left"]
    assert (view.picture != before).any()
    view.set_marked([])
    settle(qtbot, view)
    np.testing.assert_array_equal(view.picture, before)


def test_an_atlas_read_again_changes_nothing_and_one_that_changed_is_drawn(qtbot, view, tmp_path):
    with Project.create(tmp_path / "study.gaze") as project:
        project.atlases.put(Atlas("mine", tuple(regions())))
        first, again = (project.atlases.get("mine").regions for _ in range(2))
    view.set_regions(first)
    view.set_marked(["front left"])
    settle(qtbot, view)
    kept, before = view.shown, view.picture
    view.set_regions(again)
    view.set_marked(["front left"])
    assert view.shown is kept
    view.set_regions([Region("front", LEFT, first[0].vertices[:-40]), first[1]])
    settle(qtbot, view)
    assert (view.picture != before).any()
    before = view.picture
    view.set_marked(["front left"])
    settle(qtbot, view)
    assert (view.picture != before).any()


def test_at_a_border_region_value_and_vertex_belong_together(view, qtbot):
    view.set_scene("flat")
    view.set_regions(regions())
    view.set_values(values(), (-1.0, 1.0), "r", True)
    settle(qtbot, view)
    scene, left = view.scene, set(regions()[0].vertices.tolist())
    in_region = np.isin(scene.nearest, list(left))
    mixed = np.isin(scene.vertices, list(left))
    said = []
    for row in np.flatnonzero(mixed.any(axis=1) & ~mixed.all(axis=1)):
        line, column = divmod(int(scene.pixels[row]), scene.width)
        spot = scene.spot(column + 0.5, line + 0.5)
        names, number, vertex = view._words(spot).split("  ·  ")
        at = int(vertex.removeprefix("vertex ").replace(",", ""))
        assert at in scene.vertices[row]
        assert (at in left) == (names == "front left")
        assert number == f"r = {values()[at]:.3f}".replace("-", "\N{MINUS SIGN}")
        said.append((names == "front left") != in_region[row])
    assert any(said)  # there are places where the nearest vertex is of the other side


def test_borders_can_be_hidden(qtbot, view):
    bare = view.picture
    assert view.strip.borders.isHidden()
    view.set_regions(regions())
    settle(qtbot, view)
    assert not view.strip.borders.isHidden()
    assert (view.picture != bare).any()
    view.strip.borders.click()
    np.testing.assert_array_equal(view.picture, bare)


def test_arrow_keys_change_the_angle_and_signs_zoom(qtbot, view):
    with qtbot.waitSignal(view.scene_chosen) as heard:
        qtbot.keyClick(view.canvas, Qt.Key.Key_Right)
    assert heard.args == [SCENES[1]]
    qtbot.keyClick(view.canvas, Qt.Key.Key_Left)
    qtbot.keyClick(view.canvas, Qt.Key.Key_Left)
    assert view.strip.scenes.currentIndex() == len(SCENES) - 1
    settle(qtbot, view)
    assert {tile.view.angle for tile in view.scene.tiles} == {SCENES[-1]}
    qtbot.keyClick(view.canvas, Qt.Key.Key_Plus)
    assert view.canvas.region.zoom > 1
    qtbot.keyClick(view.canvas, Qt.Key.Key_0)
    assert view.canvas.region.zoom == 1


def test_the_scene_asked_for_last_is_shown(qtbot, view):
    for name in ("flat", "medial", "ventral", "flat", "dorsal"):
        view.set_scene(name)
    settle(qtbot, view)
    assert {tile.view.angle for tile in view.scene.tiles} == {"dorsal"}
    with pytest.raises(ValueError, match="no scene"):
        view.set_scene("sideways")


def test_linked_views_look_from_the_same_side(qtbot, view):
    other = CortexView()
    qtbot.addWidget(other)
    view.link(other)
    qtbot.keyClick(view.canvas, Qt.Key.Key_Right)
    assert other.strip.scenes.currentText() == view.strip.scenes.currentText() == "Flat"
    qtbot.keyClick(other.canvas, Qt.Key.Key_Right)
    assert view.strip.scenes.currentText() == "Lateral"
    settle(qtbot, view)


def test_linked_views_hide_the_same_values(qtbot, view):
    other = CortexView()
    qtbot.addWidget(other)
    view.link(other)
    other.set_values(values() / 10, (0.0, 0.05), "r")
    view.set_values(values(), (0.0, 0.8), "r")
    view.strip.threshold.setValue(0.3)
    for one in (view, other):
        assert one.strip.threshold.value() == one.shown.colouring.threshold == pytest.approx(0.3)
    other.strip.threshold.setValue(0.02)
    assert view.shown.colouring.threshold == pytest.approx(0.02)
    other.set_values(values(), (0.0, 0.8), "r")
    assert other.shown.colouring.threshold == pytest.approx(0.02)
    settle(qtbot, view)


def test_a_second_region_can_be_grown_before_the_first_is_kept(qtbot, view):
    view.allow_drawing(True)
    view.set_scene("lateral")
    settle(qtbot, view)
    vertex, place = seen_vertex(view)
    view.strip.grower.click()
    for reach in (8, 14):
        view.strip.reach.setValue(reach)
        with qtbot.waitSignal(view.drawn):
            qtbot.mouseClick(view.canvas, Qt.MouseButton.LeftButton, pos=place)
        np.testing.assert_array_equal(view.shown.marked.all[0].vertices, grow(vertex, mm=float(reach)))
    settle(qtbot, view)


def test_an_outline_drawn_across_a_resize_holds_what_was_drawn_around(qtbot, view):
    view.allow_drawing(True)
    view.strip.outliner.click()
    settle(qtbot, view)
    shares = ((0.4, 0.4), (0.6, 0.4), (0.6, 0.6), (0.4, 0.6))

    def click(share):
        tile = view.scene.tiles[1]
        box = view.canvas.image_transform().mapRect(QRectF(tile.left, tile.top, tile.width, tile.height))
        x, y = box.x() + share[0] * box.width(), box.y() + share[1] * box.height()
        qtbot.mouseClick(view.canvas, Qt.MouseButton.LeftButton, pos=QPoint(round(x), round(y)))

    for share in shares[:2]:
        click(share)
    scene = view.scene
    view.resize(1000, 800)
    qtbot.waitUntil(lambda: view.scene is not scene)
    settle(qtbot, view)
    tile = view.scene.tiles[1]
    for corner, (x, y) in zip(view.canvas._outline, shares, strict=False):
        assert corner.x() == pytest.approx(tile.left + x * tile.width, abs=4)
        assert corner.y() == pytest.approx(tile.top + y * tile.height, abs=4)
    for share in shares[2:]:
        click(share)
    assert len(view.own._corners) == 4
    with qtbot.waitSignal(view.drawn) as heard:
        qtbot.keyClick(view.canvas, Qt.Key.Key_Return)
    assert heard.args[0].min() >= 10_242
    places = view.scene.places(tile)
    x, y = (places[:, 0] - tile.left) / tile.width, (places[:, 1] - tile.top) / tile.height
    found = np.isin(np.arange(10_242), heard.args[0] - 10_242)
    apart = np.maximum(abs(x - 0.5), abs(y - 0.5))
    assert found[(apart < 0.09) & load_mesh("flat", RIGHT).used].all()
    assert not found[apart > 0.11].any()
    assert found.sum() > 100
    settle(qtbot, view)


def test_a_region_is_grown_around_a_click(qtbot, view):
    assert view.strip.grower.isHidden()
    view.allow_drawing(True)
    view.set_scene("lateral")
    settle(qtbot, view)
    vertex, place = seen_vertex(view)
    view.strip.grower.click()
    assert view.own.mode == GROW
    assert not view.strip.reach.isHidden()
    view.strip.reach.setValue(12)
    with qtbot.waitSignal(view.drawn) as heard, qtbot.assertNotEmitted(view.picked):
        qtbot.mouseClick(view.canvas, Qt.MouseButton.LeftButton, pos=place)
    np.testing.assert_array_equal(heard.args[0], grow(vertex, mm=12.0))
    assert len(heard.args[0]) > 5
    settle(qtbot, view)
    view.allow_drawing(False)
    assert view.strip.reach.isHidden()


def test_a_region_is_drawn_around_on_the_flat_cortex(qtbot, view):
    view.allow_drawing(True)
    view.strip.outliner.click()
    assert view.own.mode == OUTLINE
    settle(qtbot, view)
    assert view.strip.scenes.currentText() == "Flat"
    tile = view.scene.tiles[0]
    box = view.canvas.image_transform().mapRect(QRectF(tile.left, tile.top, tile.width, tile.height))
    corners = [
        QPoint(round(box.x() + x * box.width()), round(box.y() + y * box.height()))
        for x, y in ((0.4, 0.4), (0.6, 0.4), (0.6, 0.6), (0.4, 0.6))
    ]
    for corner in corners:
        qtbot.mouseClick(view.canvas, Qt.MouseButton.LeftButton, pos=corner)
    qtbot.mouseClick(view.canvas, Qt.MouseButton.LeftButton, pos=QPoint(1, 1))  # beside: no corner
    with qtbot.waitSignal(view.drawn) as heard:
        qtbot.keyClick(view.canvas, Qt.Key.Key_Return)
    back = view.canvas.image_transform().inverted()[0]
    places = [back.map(QPointF(corner)) for corner in corners]
    expected = inside([view.scene.mesh_place(tile, place.x(), place.y()) for place in places], "left")
    np.testing.assert_array_equal(heard.args[0], expected)
    assert len(expected) > 100
    settle(qtbot, view)
    qtbot.mouseClick(view.canvas, Qt.MouseButton.LeftButton, pos=corners[0])
    qtbot.keyClick(view.canvas, Qt.Key.Key_Escape)
    with qtbot.assertNotEmitted(view.drawn):
        qtbot.keyClick(view.canvas, Qt.Key.Key_Return)


def test_a_missing_mesh_is_said_in_place_of_the_picture(qtbot, monkeypatch):
    def fail(*_):
        raise GazeError("A mesh of the cortex is not there.", todo="Install nilearn again.")

    monkeypatch.setattr(cortex_maker, "scene_for", fail)
    view = CortexView()
    qtbot.addWidget(view)
    view.resize(400, 240)
    view.show()
    qtbot.waitUntil(lambda: "not there" in view.canvas._message)
    assert view.canvas._message == "A mesh of the cortex is not there. Install nilearn again."
    view.set_values(values(), (0, 1), "r")
    qtbot.waitUntil(lambda: view._job is None)


def test_wrong_numbers_of_values_are_refused(view):
    with pytest.raises(ValueError, match="vertices"):
        view.set_values(np.zeros(10, np.float32))


def test_limits_are_found_where_none_are_given(view):
    view.set_values(values(), None, "r", True)
    colouring = view.shown.colouring
    assert colouring.low == -colouring.high
    assert 0.5 < colouring.high < 1.1
    assert view.bar.accessibleName().startswith("Colour bar, r, ")


def test_a_view_that_goes_while_its_picture_is_made_does_no_harm(qtbot):
    view = CortexView()
    view.resize(300, 180)
    view.show()
    view.set_scene("anterior")
    assert view._job is not None
    view.close()
    view.deleteLater()
    qtbot.wait(400)


def test_the_figure_is_of_what_is_shown(view):
    view.set_values(values(), (-0.7, 0.7), "r", True)
    made = view.figure("A title", (400, 240), simulated=True)
    ours = scene_for("inflated", 400, 240)
    np.testing.assert_array_equal(made.picture, compose(ours, view.shown))


def test_the_diverging_colours_are_those_of_other_differences():
    ours, theirs = colour_table("blue-red").astype(int), difference_table()[:, :3].astype(int)
    apart = np.abs(ours - theirs).max(axis=1)
    assert apart[:110].max() <= 6
    assert apart[146:].max() <= 8


def test_ticks_are_round_and_apart():
    assert round_ticks(0.0, 0.4, 5) == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4])
    assert round_ticks(-0.37, 0.37, 4) == pytest.approx([-0.2, 0.0, 0.2])
    assert round_ticks(0.0, 87.0, 5) == pytest.approx([0, 20, 40, 60, 80])
    assert round_ticks(1.0, 1.0, 5) == [1.0]


def test_the_bar_is_drawn_before_and_after_it_has_a_scale(qtbot, view):
    bar = CortexBar()
    qtbot.addWidget(bar)
    bar.resize(90, 200)
    empty = bar.grab().toImage()
    bar.show_scale(view.shown.colouring, "r")
    assert bar.grab().toImage() != empty
