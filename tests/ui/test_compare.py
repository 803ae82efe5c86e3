"""The compare view: panes, keys, words, linked views, scales and empty states."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from gazeapp.engine.models.base import ModelInfo
from gazeapp.engine.project import Project
from gazeapp.engine.project.prompts import set_prompt
from gazeapp.ui import loader as loader_module
from gazeapp.ui import theme
from gazeapp.ui.canvas.caption import MEAN_MAP
from gazeapp.ui.canvas.title import DETAILS
from gazeapp.ui.canvas.view import FIT, Region
from gazeapp.ui.loader import Loader
from gazeapp.ui.panels.compare import ComparePanel
from gazeapp.ui.reading import read_scene
from gazeapp.ui.selection import Selection
from tests.ui.small_study import CAPTION, MODELS, TASK, add_run, build


class Desk:
    """A compare panel on a small study, as the window has it."""

    def __init__(self, qtbot, study) -> None:
        self.qtbot = qtbot
        self.study = study
        self.selection = Selection()
        self.loader = Loader()
        self.panel = ComparePanel(self.selection, self.loader)
        qtbot.addWidget(self.panel)
        self.panel.resize(1000, 600)
        self.panel.show()

    def open(self) -> Desk:
        with self.qtbot.waitSignal(self.loader.listed):
            self.loader.open(self.study.path)
        return self

    def choose(self, number: int, task: str = TASK) -> Desk:
        image = self.study.images[number]
        self.selection.update(image_id=image, task=task)
        self.qtbot.waitUntil(
            lambda: (
                self.panel.scene is not None
                and (self.panel.scene.image_id, self.panel.scene.task) == (image, task)
            )
        )
        return self

    def key(self, key: Qt.Key) -> None:
        self.qtbot.keyClick(self.panel, key)


@pytest.fixture
def make(qtbot, tmp_path):
    desks = []

    def make_desk(**options) -> Desk:
        desk = Desk(qtbot, build(tmp_path, **options))
        desks.append(desk)
        return desk

    yield make_desk
    for desk in desks:
        desk.loader.close()


@pytest.fixture
def desk(make):
    return make().open().choose(0)


def test_people_come_first_then_the_models_in_their_order(desk) -> None:
    assert [pane.source for pane in desk.panel.panes] == ["people", *(model for model, _ in MODELS)]
    titles = [pane.title.title for pane in desk.panel.panes]
    assert titles[0].badge == "simulated"
    assert [title.name for title in titles[1:]] == [name for _, name in MODELS]
    assert titles[1].share == "86\N{NO-BREAK SPACE}% of ceiling"
    assert titles[1].here == ("this image: NSS 1.80", "image 1.80")
    assert len({title.colour for title in titles}) == 5


def test_clicking_a_word_shows_its_map_in_that_pane_only(qtbot, desk) -> None:
    pane, other = desk.panel.pane("vit-lstm"), desk.panel.pane("cnn-lstm")
    mean, other_mean = pane.view.layer, other.view.layer
    position = pane.caption.word_rect(4).center().toPoint()
    qtbot.mouseClick(pane.caption, Qt.MouseButton.LeftButton, pos=position)
    assert (desk.selection.source, desk.selection.word) == ("vit-lstm", 4)
    assert pane.caption.current == 4
    assert (pane.title.title.shown, pane.title.title.here) == (f"word: {CAPTION[4]}", ("", ""))
    assert other.view.layer is other_mean
    assert other.caption.current == MEAN_MAP
    # Word k of the planted caption looks at (k + 0.5) / 6 across, and the shown map says so.
    across = pane.view.layer.texture.max(axis=0).argmax() / pane.view.layer.texture.shape[1]
    assert across == pytest.approx(4.5 / 6, abs=0.5 / 8)
    assert pane.view.layer is not mean
    desk.key(Qt.Key.Key_Escape)
    assert pane.view.layer is mean


def test_the_pane_in_focus_has_all_the_room_when_it_is_asked_for(qtbot, desk) -> None:
    def in_sight():
        return [pane.source for pane in desk.panel.panes if pane.isVisible()]

    everyone = in_sight()
    small = desk.panel.pane("vit-lstm").view.size()
    desk.key(Qt.Key.Key_4)
    desk.key(Qt.Key.Key_Z)
    assert in_sight() == ["vit-lstm"]
    qtbot.waitUntil(lambda: desk.panel.pane("vit-lstm").view.width() > 1.8 * small.width())
    assert desk.panel.pane("vit-lstm").view.height() > 1.5 * small.height()
    desk.key(Qt.Key.Key_2)  # another one takes its place
    assert in_sight() == ["cnn-lstm"]
    desk.selection.update(moving=True)
    assert in_sight() == ["people"]
    desk.selection.update(moving=False, source=None)
    assert in_sight() == ["people"]
    desk.key(Qt.Key.Key_Escape)
    assert in_sight() == everyone
    title = desk.panel.pane("cnn-transformer").title
    qtbot.mouseDClick(title, Qt.MouseButton.LeftButton)
    assert in_sight() == ["cnn-transformer"]
    qtbot.mouseDClick(title, Qt.MouseButton.LeftButton)
    assert in_sight() == everyone
    qtbot.waitUntil(lambda: desk.panel.pane("vit-lstm").view.size() == small)


def test_arrow_keys_step_the_words_of_the_focused_model(desk) -> None:
    desk.key(Qt.Key.Key_3)
    assert desk.selection.source == "cnn-transformer"
    assert [pane.source for pane in desk.panel.panes if pane.title._focused] == ["cnn-transformer"]
    desk.key(Qt.Key.Key_Right)
    desk.key(Qt.Key.Key_Right)
    assert desk.selection.word == 1
    desk.key(Qt.Key.Key_Left)
    desk.key(Qt.Key.Key_Left)
    desk.key(Qt.Key.Key_Left)
    assert desk.selection.word == MEAN_MAP


def test_with_people_in_focus_words_are_stepped_in_the_first_model(desk) -> None:
    desk.key(Qt.Key.Key_1)
    assert desk.selection.source == "people"
    desk.key(Qt.Key.Key_Right)
    assert (desk.selection.source, desk.selection.word) == ("cnn-lstm", 0)


def test_up_and_down_step_the_images(qtbot, desk) -> None:
    desk.key(Qt.Key.Key_Down)
    assert desk.selection.image_id == desk.study.images[1]
    qtbot.waitUntil(lambda: desk.panel.scene.image_id == desk.study.images[1])
    desk.key(Qt.Key.Key_Up)
    desk.key(Qt.Key.Key_Up)
    assert desk.selection.image_id == desk.study.images[0]


@pytest.mark.parametrize(
    ("key", "field"),
    [
        (Qt.Key.Key_Space, "show_overlay"),
        (Qt.Key.Key_F, "show_fixations"),
        (Qt.Key.Key_S, "show_scanpath"),
        (Qt.Key.Key_D, "show_difference"),
    ],
)
def test_keys_switch_layers_and_the_pictures_change(desk, key, field) -> None:
    before = getattr(desk.selection.display, field)
    shown = desk.panel.pane("cnn-lstm").view.grab().toImage()
    desk.key(key)
    assert getattr(desk.selection.display, field) is not before
    assert desk.panel.bar.toggles[field].isChecked() is not before
    assert desk.panel.pane("cnn-lstm").view.grab().toImage() != shown
    desk.key(key)
    assert desk.panel.pane("cnn-lstm").view.grab().toImage() == shown


def test_difference_is_model_minus_people_and_leaves_people_alone(desk) -> None:
    people = desk.panel.pane("people").view.layer
    model = desk.panel.pane("cnn-lstm").view.layer
    desk.key(Qt.Key.Key_D)
    difference = desk.panel.pane("cnn-lstm").view.layer
    assert desk.panel.pane("people").view.layer is people
    assert difference.signed
    assert difference.texture == pytest.approx(model.texture - people.texture, abs=1e-5)
    assert not desk.panel.difference_bar.isHidden()
    assert desk.panel.difference_bar.scale.bottom == -desk.panel.difference_bar.scale.top


def test_all_panes_show_the_same_region(qtbot, desk) -> None:
    first, *others = [pane.view for pane in desk.panel.panes]
    region = Region(0.3, 0.6, 4.0)
    first.choose_region(region)
    assert first.region != FIT
    assert all(view.region == first.region for view in others)
    assert all(
        view.place_at(view.rect().center().toPointF()) == pytest.approx((0.3, 0.6), abs=0.02)
        for view in (first, *others)
    )
    qtbot.mouseDClick(others[0], Qt.MouseButton.LeftButton)
    assert all(pane.view.region == FIT for pane in desk.panel.panes)


def test_keys_zoom_every_pane_and_fit(desk) -> None:
    desk.key(Qt.Key.Key_Plus)
    desk.key(Qt.Key.Key_Equal)
    zooms = {pane.view.region.zoom for pane in desk.panel.panes}
    assert zooms == {1.25**2}
    desk.key(Qt.Key.Key_Minus)
    assert desk.panel.panes[-1].view.region.zoom == pytest.approx(1.25)
    desk.key(Qt.Key.Key_0)
    assert all(pane.view.region == FIT for pane in desk.panel.panes)


def test_stepping_to_another_image_fits_it_and_another_task_does_not(make) -> None:
    desk = make(tasks=(TASK, "social")).open().choose(0)
    desk.key(Qt.Key.Key_Plus)
    desk.choose(0, "social")
    assert desk.panel.panes[0].view.region.zoom > 1
    desk.choose(1, "social")
    assert desk.panel.panes[0].view.region == FIT


def test_a_map_without_a_caption_says_so(make) -> None:
    desk = make(images=1, models=1)
    with Project.open(desk.study.path) as project:
        row = project.images.get(desk.study.images[0])
        values = np.full((4, 4), 1 / 16, np.float32)
        project.runs.put_model(ModelInfo(id="saliency", name="Saliency", kind="imported"))
        project.runs.put_map(row.id, "saliency", TASK, "imported", values, row.rect, 1)
    desk.open().choose(0)
    caption = desk.panel.pane("saliency").caption
    assert caption.accessibleDescription() == "This map has no caption."
    desk.key(Qt.Key.Key_3)
    desk.key(Qt.Key.Key_Right)
    assert desk.selection.word == MEAN_MAP


def test_a_pane_can_be_copied_as_a_picture(desk) -> None:
    pane = desk.panel.pane("people")
    pane.copy_picture()
    image = QGuiApplication.clipboard().image()
    assert image.size() == pane.size()


def test_the_probe_reads_every_map_at_the_same_place(desk) -> None:
    views = [pane.view for pane in desk.panel.panes]
    views[2].probed.emit((0.3, 0.55))
    for pane in desk.panel.panes:
        value = pane.view.layer.value_at(0.3, 0.55)
        assert pane.title.readout[0].startswith(f"{value:.2f} × uniform, ")
        assert pane.title.readout[0].endswith("percentile")
    views[2].probed.emit(None)
    assert all(pane.title.readout == () for pane in desk.panel.panes)


def test_the_scale_is_shared_unless_asked_otherwise(desk) -> None:
    panes = desk.panel.panes
    tops = [pane.view.layer.top for pane in panes]
    assert desk.panel.density_bar.scale.top == max(tops)
    assert {pane.bar.scale.top for pane in panes} == {max(tops)}
    assert all(pane.bar.isHidden() for pane in panes)
    desk.selection.update(shared_scale=False)
    assert [pane.bar.scale.top for pane in panes] == tops
    assert not any(pane.bar.isHidden() for pane in panes)
    assert desk.panel.density_bar.isHidden()


def test_controls_and_selection_follow_each_other(desk) -> None:
    bar = desk.panel.bar
    bar.opacity.setValue(25)
    assert desk.selection.display.opacity == 0.25
    assert {pane.view.opacity for pane in desk.panel.panes} == {0.25}
    bar.colormap.setCurrentText("cividis")
    assert desk.selection.display.colormap == "cividis"
    desk.selection.update(opacity=0.8, subject="S02")
    assert bar.opacity.value() == 80
    assert bar.subject.currentText() == "S02"
    assert "S02" in desk.panel.pane("people").caption.accessibleDescription()


def test_a_scene_that_is_no_longer_wanted_is_not_shown(desk) -> None:
    shown = desk.panel.scene
    desk.choose(2)
    desk.panel._loaded(shown)
    assert desk.panel.scene.image_id == desk.study.images[2]


def test_while_the_next_image_is_read_the_old_one_stays_dimmed(qtbot, desk, monkeypatch) -> None:
    gate = threading.Event()
    qtbot.waitUntil(lambda: desk.loader.is_ready(desk.study.images[2], TASK))

    def slow(project, image_id, task):
        gate.wait(60)
        return read_scene(project, image_id, task)

    monkeypatch.setattr(loader_module, "read_scene", slow)
    desk.loader._scenes.clear()
    shown = desk.panel.scene
    desk.selection.image_id = desk.study.images[2]
    views = [pane.view for pane in desk.panel.panes]
    qtbot.waitUntil(lambda: all(view._dimmed for view in views))
    assert desk.panel.scene is shown
    gate.set()
    qtbot.waitUntil(lambda: desk.panel.scene is not shown)
    assert not any(view._dimmed for view in views)


def test_an_image_that_was_read_ahead_does_not_dim(qtbot, desk) -> None:
    qtbot.waitUntil(lambda: desk.loader.is_ready(desk.study.images[1], TASK))
    desk.key(Qt.Key.Key_Down)
    assert desk.panel.scene.image_id == desk.study.images[1]


def test_no_images_yet(qtbot, make) -> None:
    desk = make(images=0).open()
    assert "No images yet" in desk.panel.empty.message
    with qtbot.waitSignal(desk.panel.images_requested):
        qtbot.mouseClick(desk.panel.empty.button, Qt.MouseButton.LeftButton)


def test_no_image_chosen(make) -> None:
    desk = make().open()
    assert desk.panel.empty.isVisible()
    assert "No image is chosen" in desk.panel.empty.message
    desk.choose(0)
    assert not desk.panel.empty.isVisible()


def test_while_the_first_image_is_read_the_view_says_so(make, monkeypatch) -> None:
    desk = make().open()
    monkeypatch.setattr(desk.loader, "request", lambda *_wanted: None)
    desk.selection.update(image_id=desk.study.images[0], task=TASK)
    assert desk.panel.scene is None
    assert "Reading" in desk.panel.empty.message
    assert "No image" not in desk.panel.empty.message
    desk.selection.update(image_id=None)
    assert "No image is chosen" in desk.panel.empty.message


def test_panes_have_their_places_when_they_come_into_sight(make) -> None:
    desk = make().open()
    found = []
    desk.loader.loaded.connect(lambda _scene: found.append([pane.geometry() for pane in desk.panel.panes]))
    desk.choose(0)
    places = found[0]
    assert len({(place.x(), place.y()) for place in places}) == 5
    assert min(place.width() for place in places) > 200
    QApplication.processEvents()
    assert [pane.geometry() for pane in desk.panel.panes] == places


def test_no_maps_yet(qtbot, make) -> None:
    desk = make(models=0).open().choose(0)
    notice = desk.panel._placeholder
    assert "No attention maps yet" in notice.message
    qtbot.waitUntil(notice.isVisible)
    with qtbot.waitSignal(desk.panel.extract_requested):
        qtbot.mouseClick(notice.button, Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(desk.panel.maps_requested):
        qtbot.mouseClick(notice.also, Qt.MouseButton.LeftButton)


def test_no_map_of_one_model_under_this_task(qtbot, make) -> None:
    desk = make(tasks=(TASK, "social")).open()
    with Project.open(desk.study.path) as project, project.transaction():
        project.db.execute("DELETE FROM runs WHERE model = 'vit-lstm'")
    desk.choose(0, "social")
    notice = desk.panel.pane("vit-lstm").notice
    assert not notice.isHidden()
    assert "social" in notice.message
    assert desk.panel.pane("cnn-lstm").notice.isHidden()
    qtbot.waitUntil(notice.isVisible)
    with qtbot.waitSignal(desk.panel.extract_requested):
        qtbot.mouseClick(notice.button, Qt.MouseButton.LeftButton)


def test_an_image_that_was_only_described_under_an_earlier_prompt_says_so(make) -> None:
    desk = make(models=2)
    with Project.open(desk.study.path) as project:
        set_prompt(project, TASK, "Say what is there.")
        newer = project.settings.put("extract", {"prompt": "Say what is there."})
        add_run(project, desk.study.images[0], "cnn-lstm", TASK, ["red"], newer)
    desk.open().choose(1)
    left = desk.panel.pane("cnn-lstm")
    assert "other settings only" in left.notice.message
    assert left.notice.button.text() == "Run models…"
    assert desk.panel.pane("cnn-transformer").notice.isHidden()
    desk.choose(0)
    assert left.notice.isHidden()


def test_no_fixations_yet(qtbot, make) -> None:
    desk = make(subjects=0, scored=False).open().choose(0)
    notice = desk.panel.pane("people").notice
    assert not notice.isHidden()
    assert not desk.panel.bar.subject.isEnabled()
    qtbot.waitUntil(notice.isVisible)
    with qtbot.waitSignal(desk.panel.import_requested):
        qtbot.mouseClick(notice.button, Qt.MouseButton.LeftButton)
    desk.key(Qt.Key.Key_D)
    assert not desk.panel.pane("cnn-lstm").view.layer.signed


def test_a_picture_that_cannot_be_read_says_so_and_keeps_the_maps(make) -> None:
    desk = make()
    (desk.study.path.parent / "scene-001.png").write_bytes(b"\x89PNG no more")
    desk.open().choose(0)
    notice = desk.panel.pane("people").notice
    assert not notice.isHidden()
    assert "scene-001.png" in notice.toolTip()
    assert desk.panel.pane("cnn-lstm").view.overlay_shown
    desk.choose(1)
    assert notice.isHidden()


def test_a_map_of_zeros_and_a_uniform_map_are_drawn(make) -> None:
    desk = make(images=1)
    with Project.open(desk.study.path) as project, project.transaction():
        row = project.images.get(desk.study.images[0])
        project.maps.put_human(row.id, TASK, np.full((8, 8), 1 / 64, np.float32), row.rect, 1)
    desk.open().choose(0)
    layer = desk.panel.pane("people").view.layer
    assert layer.texture == pytest.approx(1.0, rel=1e-4)
    desk.panel.grab()


@pytest.mark.parametrize("width", [1900, 1240, 1000, 860, 600])
def test_all_titles_shorten_alike_and_the_warning_stays(qtbot, make, width) -> None:
    desk = make(origin="photograph").open().choose(0)
    desk.panel.resize(width, 500)
    QApplication.processEvents()
    bars = [pane.title for pane in desk.panel.panes]
    assert len({bar.detail for bar in bars}) == 1
    detail = bars[0].detail
    if detail != DETAILS[-1]:
        assert all(bar.has_room(detail) for bar in bars)
    assert all(bar.title.badge == "outside training" for bar in bars[1:])
    model = bars[1]
    amber = theme.colors().warning_soft
    picture = model.grab().toImage()
    ratio = picture.devicePixelRatio()
    row = int((model.height() - 4) / 2 * ratio)
    assert amber in {picture.pixelColor(x, row).name() for x in range(picture.width())}


def test_with_less_room_the_percentage_goes_before_its_meaning(make) -> None:
    desk = make().open().choose(0)
    bar = desk.panel.pane("cnn-transformer").title
    seen = []
    for width in range(700, 90, -10):
        bar.setFixedWidth(width)
        seen.append(next((each for each in DETAILS if bar.has_room(each)), DETAILS[-1]))
    assert seen[0] == DETAILS[0]
    assert seen[-1] == DETAILS[-1]
    assert [DETAILS.index(each) for each in seen] == sorted(DETAILS.index(each) for each in seen)
    assert bar.title.share.endswith("% of ceiling")


def test_controls_drop_their_words_where_there_is_no_room(desk) -> None:
    bar = desk.panel.bar
    for width in (1200, 700, 620):
        desk.panel.resize(width, 500)
        QApplication.processEvents()
        words = bar.toggles["show_overlay"].toolButtonStyle() != Qt.ToolButtonStyle.ToolButtonIconOnly
        assert words == (width == 1200)
        assert bar.width() <= width
        for control in (*bar.toggles.values(), bar.colormap, bar.subject):
            assert control.width() >= control.minimumSizeHint().width()
            assert bar.rect().contains(control.geometry())
            assert control.toolTip()
