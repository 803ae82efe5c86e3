"""A lesion of the image in hand, from the brush to panes and table, in the real window with the real captioners."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication

from gazeapp.engine.lesions.lesion import Lesion
from gazeapp.engine.models.base import Caption, DescribeOptions, ModelInfo, Word
from gazeapp.engine.models.lesioning import offers
from gazeapp.engine.pictures import read_picture
from gazeapp.engine.project import LesionKey, MadeOf, Project
from gazeapp.ui.lesions import live as live_module
from gazeapp.ui.lesions import runs as runs_module
from gazeapp.ui.lesions.captioners import Captioners
from gazeapp.ui.lesions.image_cells import COLUMNS, cell_tip
from gazeapp.ui.panels.neglect_image import about_scope
from tests.ui.small_study import HEIGHT, TASK, WIDTH, add_run, blob

MODELS = ("cnn-lstm", "cnn-transformer", "vit-lstm", "vit-transformer")


@pytest.fixture(scope="module")
def captioners():
    """Loaded once for the file; only one window at a time uses them."""
    return Captioners()


@pytest.fixture
def desk(qtbot, captioners, monkeypatch, request):
    monkeypatch.setattr(live_module, "_captioners", lambda: captioners)
    return Desk(qtbot, request.getfixturevalue("open_window"), captioners)


class Desk:
    def __init__(self, qtbot, window, captioners) -> None:
        self.qtbot, self.window, self.captioners = qtbot, window, captioners
        self.bench, self.selection = window.bench, window.selection
        self.page, self.live = self.bench.neglect.image, self.bench.live
        self.bench.show_neglect()

    def cover_left(self) -> None:
        self.page.start_with_left()
        self.settle()

    def draw(self, mask) -> None:
        self.bench.compare.masks.replace(mask, "test")
        self.settle()

    def settle(self) -> None:
        self.qtbot.waitUntil(lambda: self._done() and not self.live.is_busy)

    def _done(self) -> bool:
        request = self.live.request
        told = {**self.live.effects, **self.live.failures}
        current = all(effect.number == self.live._number for effect in self.live.effects.values())
        return request is not None and len(told) == 4 and current

    def text(self, model: str, column: str) -> str:
        rows = [row.model for row in self.page.table.effects.rows]
        place = [one.id for one in COLUMNS].index(column)
        return self.page.table.effects.index(rows.index(model), place).data()

    def pane(self, model: str):
        return self.bench.compare.pane(model)

    def words(self, model: str) -> list[str]:
        return [word.text for word in self.pane(model).caption._words]


def left_half() -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[:, : WIDTH // 2] = 255
    return mask


def test_without_a_mask_the_page_says_how_to_begin(desk) -> None:
    assert desk.page.empty.isVisible()
    assert "No mask yet" in desk.page.empty.message
    assert desk.page.empty.button.text() == "Paint a mask"
    desk.page.empty.button.click()
    assert desk.selection.display.painting
    assert not desk.page.empty.button.isVisible()


def test_the_left_half_changes_panes_and_table_as_the_models_say(desk) -> None:
    intact = {model: desk.pane(model).view.layer for model in MODELS}
    desk.page.empty.also.click()
    desk.settle()
    image = desk.window.session.study.images[desk.selection.image_id]
    pixels = read_picture(desk.window.session.path.parent / image.name)[0]
    for model_id in MODELS:
        model = desk.captioners.load(model_id)
        lesion = Lesion((left_half() / 255).astype(np.float32), "keys", 1.0)
        after = model.describe(pixels, TASK, "", DescribeOptions(lesion=lesion))
        assert desk.words(model_id) == [word.text for word in after.words]
        assert desk.pane(model_id).view.layer is not intact[model_id]
        across = desk.pane(model_id).view.layer.texture.mean(axis=0)
        assert across[: len(across) // 2 - len(across) // 16].max() < 1e-3
        assert desk.text(model_id, "mass").endswith("→ 0\N{NO-BREAK SPACE}%")
        assert desk.text(model_id, "side").endswith("→ 1.00")
        title = desk.pane(model_id).title.title
        assert title.badge == "lesioned"
        assert title.shown == "50\N{NO-BREAK SPACE}% of the image, attention keys, strength 1"
        assert title.here == ("", "")
    assert "mask 1: 50\N{NO-BREAK SPACE}% of the image" in desk.page.status.toolTip()
    assert "One image proves nothing" in desk.page.status.toolTip().replace("\n", " ")


def test_a_stroke_of_the_brush_is_followed(desk, qtbot) -> None:
    desk.selection.update(painting=True)
    qtbot.waitUntil(lambda: desk.live.has_mask)
    desk.settle()
    before = desk.live.request
    view = desk.pane("people").view

    def mouse(kind, place, buttons) -> None:
        at = QPointF(view.rect().center()) + QPointF(*place)
        event = QMouseEvent(
            kind, at, view.mapToGlobal(at), Qt.MouseButton.LeftButton, buttons, Qt.KeyboardModifier.NoModifier
        )
        QApplication.sendEvent(view, event)

    mouse(QEvent.Type.MouseButtonPress, (0, 0), Qt.MouseButton.LeftButton)
    mouse(QEvent.Type.MouseMove, (12, 4), Qt.MouseButton.LeftButton)
    assert desk.bench.compare.masks.mask.any()
    assert desk.live.request is before
    mouse(QEvent.Type.MouseButtonRelease, (12, 4), Qt.MouseButton.NoButton)
    desk.settle()
    assert np.array_equal(desk.live.request.mask, desk.bench.compare.masks.mask)
    assert desk.live.request.mask.any()
    assert len(desk.live.effects) == 4


def test_the_inspector_says_that_the_map_in_sight_is_under_a_lesion(desk) -> None:
    def shown() -> list[str]:
        return [value for name, value, _ in desk.bench.inspector._source.facts if name == "shown"]

    desk.selection.update(source="vit-lstm")
    assert shown() == []
    desk.cover_left()
    assert shown() == ["under a lesion (live, not stored)"]
    desk.selection.update(lesion="change")
    assert shown() == ["change under a lesion (live, not stored)"]
    desk.selection.update(lesion="")
    assert shown() == []


def test_what_stays_is_told_in_two_lines_where_one_has_no_room(desk, qtbot) -> None:
    desk.cover_left()
    line = desk.page.misses
    whole = desk.page._about.partition("\n")[2]
    for width, lines in ((line.fontMetrics().horizontalAdvance(whole) + 20, 1), (0.6, 2)):
        line.setFixedWidth(int(width if width > 1 else width * line.fontMetrics().horizontalAdvance(whole)))
        qtbot.waitUntil(lambda lines=lines: line.text().count("\n") == lines - 1)
        assert line.text().replace("\n", " ") == whole


def test_how_many_random_masks_stand_behind_a_control_is_told(desk) -> None:
    desk.cover_left()
    assert "Random:" not in desk.page.status.toolTip()
    desk.page.controls.click()
    desk.settle()
    assert "Random: mean of 3 masks" in desk.page.status.toolTip().replace("\n", " ")


def test_what_was_found_for_the_mask_before_is_pale_until_this_one_is_done(desk, monkeypatch) -> None:
    desk.cover_left()
    table = desk.page.table

    def pale() -> list[bool]:
        return [row.is_before for row in table.effects.rows]

    def ink() -> int:
        shot = table.grab().toImage()
        left, right = table.columnViewportPosition(1), table.viewport().width()
        top = table.horizontalHeader().height()
        return min(
            shot.pixelColor(x, y).lightness() for x in range(left, right) for y in range(top + 2, top + 70)
        )

    assert pale() == [False] * 4
    dark = ink()
    may_go = threading.Event()
    effect = desk.captioners.effect
    monkeypatch.setattr(desk.captioners, "effect", lambda *asked: may_go.wait(20) and effect(*asked))
    try:
        desk.bench.compare.masks.replace(left_half()[:, ::-1], "test")
        assert pale() == [True] * 4
        assert ink() > dark + 40
        tip = table.effects.index(0, 2).data(Qt.ItemDataRole.ToolTipRole)
        assert "Of the lesion before" in tip
    finally:
        may_go.set()
    desk.settle()
    assert pale() == [False] * 4


def test_strength_nought_takes_nothing_away(desk) -> None:
    desk.cover_left()
    desk.page.strength.setValue(0)
    desk.settle()
    for model_id in MODELS:
        effect = desk.live.effects[model_id]
        assert effect.takes_nothing
        assert effect.after == effect.before
        assert desk.text(model_id, "loss") == "0.00"
        assert desk.text(model_id, "words") == "0\N{NO-BREAK SPACE}%"
        assert desk.pane(model_id).title.title.shown == "nothing is taken away"
    desk.page.strength.setValue(50)
    desk.settle()
    assert not any(effect.takes_nothing for effect in desk.live.effects.values())
    assert {effect.strength for effect in desk.live.effects.values()} == {0.5}


def test_another_scope_is_run_and_explained_for_the_model_in_focus(desk) -> None:
    desk.cover_left()
    scopes = [desk.page.scope.itemData(place) for place in range(desk.page.scope.count())]
    offered = {offer.scope for info in desk.live.infos for offer in offers(info)}
    assert set(scopes) == offered
    desk.selection.source = "vit-transformer"
    desk.page.scope.setCurrentIndex(scopes.index("keys_and_start"))
    desk.page.scope.activated.emit(scopes.index("keys_and_start"))
    desk.settle()
    assert set(desk.live.effects) == {"cnn-lstm", "vit-lstm"}
    assert set(desk.live.failures) == {"cnn-transformer", "vit-transformer"}
    assert "does not offer" in desk.text("vit-transformer", "caption")
    assert "does not offer" in desk.page.reach.toolTip()
    assert not desk.page.strip.isVisible()
    titles = {model: desk.pane(model).title.title for model in ("vit-transformer", "vit-lstm")}
    assert [one.badge for one in titles.values()] == ["intact", "lesioned"]
    assert "does not offer the lesion scope" in titles["vit-transformer"].tip
    desk.selection.source = "vit-lstm"
    info = next(info for info in desk.live.infos if info.id == "vit-lstm")
    told = about_scope(info, "keys_and_start")
    assert desk.page.reach.toolTip().split() == told.split()
    assert next(one for one in offers(info) if one.scope == "keys_and_start").misses in told


def test_a_full_mask_is_answered_with_a_sentence(desk) -> None:
    desk.cover_left()
    desk.draw(np.full((HEIGHT, WIDTH), 255, np.uint8))
    assert desk.page.strip.isVisible()
    assert "takes the whole image away" in desk.page.strip.text()
    assert desk.pane("vit-lstm").title.title.badge == "intact"
    desk.draw(left_half())
    assert not desk.page.strip.isVisible()
    assert desk.pane("vit-lstm").title.title.badge == "lesioned"


def test_the_switch_shows_intact_lesioned_and_changed_maps(desk, qtbot) -> None:
    stored = {model: desk.pane(model).view.layer for model in MODELS}
    said = desk.words("cnn-lstm")
    desk.cover_left()
    assert desk.page.shown.current == "Lesioned"
    lesioned = desk.pane("cnn-lstm").view.layer
    desk.window.actions_["view.lesion"].trigger()
    assert desk.page.shown.current == "Intact"
    assert {model: desk.pane(model).view.layer for model in MODELS} == stored
    assert desk.words("cnn-lstm") == said
    desk.selection.update(lesion="change")
    change = desk.pane("cnn-lstm").view.layer
    assert change.signed
    assert desk.bench.compare.difference_bar._title == "lesioned −\nintact"
    effect = desk.live.effects["cnn-lstm"]
    assert change is effect.change
    # What went is under the mask, what came is beside it.
    half = change.texture.shape[1] // 2
    assert change.texture[:, : half - 12].mean() < 0 < change.texture[:, half + 12 :].mean()
    desk.selection.update(lesion="lesioned")
    assert np.array_equal(desk.pane("cnn-lstm").view.layer.texture, lesioned.texture)


def test_words_of_the_lesioned_caption_can_be_stepped(desk, qtbot) -> None:
    desk.cover_left()
    desk.selection.source = "vit-lstm"
    qtbot.keyClick(desk.bench.compare, Qt.Key.Key_Right)
    effect = desk.live.effects["vit-lstm"]
    assert desk.selection.word == 0
    shown = desk.pane("vit-lstm").title.title.shown
    assert shown.startswith(f"word: {effect.after[0].text}, 50\N{NO-BREAK SPACE}%")
    tip = desk.pane("vit-lstm").caption.word_tip(0)
    assert " ".join(word.text for word in effect.before) in tip
    for place in effect.new:
        assert "new under the lesion" in desk.pane("vit-lstm").caption.word_tip(place)


def test_another_image_has_its_own_mask_and_painting_ends_with_intact_maps(desk, qtbot) -> None:
    desk.cover_left()
    first = desk.selection.image_id
    desk.bench._step_image(1)
    qtbot.waitUntil(lambda: desk.bench.compare.scene.image_id != first and desk.live.has_mask)
    assert desk.live.effects == {}
    assert "No mask yet" in desk.page.empty.message
    assert desk.pane("cnn-lstm").title.title.badge == ""
    desk.bench._step_image(-1)
    desk.settle()
    qtbot.waitUntil(lambda: desk.pane("cnn-lstm").title.title.badge == "lesioned")
    desk.selection.update(painting=False)
    assert desk.pane("cnn-lstm").title.title.badge == ""
    assert desk.text("cnn-lstm", "side").endswith("→ 1.00")


def test_stored_masks_are_followed_from_image_to_image_without_painting(desk, qtbot) -> None:
    view = desk.pane("people").view
    plain = view.grab().toImage()
    masks = {}
    with Project.open(desk.window.session.path) as project:
        for number, image in enumerate(project.images.all()[:2]):
            masks[image.id] = np.zeros((HEIGHT, WIDTH), np.uint8)
            masks[image.id][:, : 40 + 60 * number] = 255
            project.masks.put("kept", image.id, masks[image.id], "drawn")
    desk.bench.compare.masks.choose("kept")
    desk.settle()
    qtbot.waitUntil(lambda: np.array_equal(desk.live.request.mask, masks[desk.selection.image_id]))
    assert not desk.selection.display.painting
    assert desk.pane("cnn-lstm").title.title.badge == ""
    assert view.grab().toImage() == plain
    desk.selection.update(lesion="lesioned")
    assert desk.pane("cnn-lstm").title.title.badge == "lesioned"
    covered = view.grab().toImage()
    assert covered != plain
    desk.bench._step_image(1)
    qtbot.waitUntil(
        lambda: np.array_equal(desk.live.request and desk.live.request.mask, masks[desk.selection.image_id])
    )
    desk.settle()
    qtbot.waitUntil(lambda: desk.pane("cnn-lstm").title.title.badge == "lesioned")
    desk.bench._step_image(-1)
    desk.settle()
    qtbot.waitUntil(lambda: view.grab().toImage() == covered)
    desk.selection.update(lesion="")
    assert view.grab().toImage() == plain


def test_controls_stand_beside_the_numbers(desk) -> None:
    desk.cover_left()
    desk.page.controls.click()
    desk.settle()
    effect = desk.live.effects["vit-lstm"]
    row = next(row for row in desk.page.table.effects.rows if row.model == "vit-lstm")
    column = next(column for column in COLUMNS if column.id == "loss")
    tip = cell_tip(row, column)
    for control in ("mirrored", "random"):
        value = effect.controls[control]["log_probability_drop"]
        assert f"{value:.2f}".replace("-", "\N{MINUS SIGN}") in tip
    assert column.tip in tip
    desk.page.controls.click()
    assert not any(one.controls for one in desk.live.effects.values())


def test_every_number_says_what_it_means_and_a_row_leads_to_its_pane(desk, qtbot) -> None:
    desk.cover_left()
    model, table = desk.page.table.effects, desk.page.table
    for place in range(len(COLUMNS)):
        assert len(model.headerData(place, Qt.Orientation.Horizontal, Qt.ItemDataRole.ToolTipRole)) > 20
        for row in range(model.rowCount()):
            assert model.index(row, place).data(Qt.ItemDataRole.ToolTipRole)
            assert model.index(row, place).data(Qt.ItemDataRole.AccessibleTextRole)
    place = table.visualRect(model.index(3, 0)).center()
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert desk.selection.source == "vit-transformer"
    panel = desk.bench.neglect
    panel.pages.chosen.emit("Experiment")
    assert panel.experiment.isVisible()
    assert not desk.page.isVisible()
    panel.show_page("This image")
    assert desk.page.isVisible()


def test_a_large_model_is_run_on_its_button(desk, qtbot, monkeypatch) -> None:
    path, image = desk.window.session.path, desk.selection.image_id
    with Project.open(path) as project:
        info = ModelInfo(id="big", name="Big one", kind="vlm", facts={"model_type": "qwen2_vl"})
        project.runs.put_model(info)
        settings = project.settings.put("test", {"seed": 2})
        add_run(project, image, "big", TASK, ["a", "man"], settings)

    def work(question, _name):
        def store(project, _progress):
            run = next(iter(project.runs.all(question.image_id, question.model, question.task)))
            mean = blob(8, 8, 0.9, 0.5, 0.1)
            caption = Caption(
                (Word("a", -0.1, False), Word("dog", -0.2, True)),
                np.stack([mean, mean]),
                np.ones(2, np.float32),
                project.images.get(question.image_id).rect,
                TASK,
                "attention",
            )
            key = LesionKey(question.mask, "", 0, question.scope, question.strength)
            numbers = {"log_probability_drop": 1.25, "laterality": 0.8, "laterality_shift": 0.7}
            project.lesions.put(run.id, key, MadeOf("sha"), 0.5, caption, mean, numbers, 1.0, settings)

        return store

    monkeypatch.setattr(runs_module, "_work", work)
    desk.cover_left()
    desk.window.session.refresh()
    qtbot.waitUntil(lambda: any(row.model == "big" for row in desk.page.table.effects.rows))
    desk.page.table.button("big").click()
    qtbot.waitUntil(lambda: "big" in desk.bench.runs.effects)
    assert desk.text("big", "caption").endswith("→ a dog")
    assert (desk.text("big", "loss"), desk.text("big", "side")) == ("1.25", "0.10 → 0.80")
    assert not desk.page.table.button("big").isVisible()
    qtbot.waitUntil(lambda: desk.words("big") == ["a", "dog"])
    desk.draw(np.where(left_half(), 0, 255).astype(np.uint8))
    assert "big" not in desk.bench.runs.effects
    assert desk.page.table.button("big").isVisible()
