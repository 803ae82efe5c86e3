"""The word explorer: words, shares over the caption, layers by heads, and what is said where something is missing."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QGuiApplication
from PySide6.QtTest import QTest

from gazeapp.engine.errors import GazeError
from gazeapp.ui.canvas.caption import MEAN_MAP
from gazeapp.ui.colours import CANVAS
from gazeapp.ui.dialogs.model_offers import Found
from gazeapp.ui.loader import Loader
from gazeapp.ui.panels import words as words_module
from gazeapp.ui.panels.words import WordsPanel
from gazeapp.ui.panels.words_gallery import MAPS, MASS
from gazeapp.ui.panels.words_reading import AskMaps, AskRun
from gazeapp.ui.selection import Selection
from gazeapp.ui.study import read_study
from tests.ui import small_words as planted
from tests.ui.small_study import CAPTION, HEIGHT, TASK, WIDTH, add_run


class Desk:
    """The panel on the planted project, as the window has it."""

    def __init__(self, qtbot, study) -> None:
        from gazeapp.engine.project import Project

        self.qtbot, self.study = qtbot, study
        self.selection, self.loader = Selection(), Loader()
        self.panel = WordsPanel(self.selection, self.loader)
        qtbot.addWidget(self.panel)
        self.panel.resize(1200, 420)
        self.panel.show()
        with Project.open(study.path) as project:
            view = read_study(project)
        with qtbot.waitSignal(self.loader.listed):
            self.loader.open(study.path)
        self.panel.show_study(view)

    def choose(self, model: str, word: int = MEAN_MAP, image: int = 0) -> Desk:
        self.selection.update(image_id=self.study.images[image], task=TASK, source=model, word=word)
        self.loader.request(self.study.images[image], TASK)
        self.qtbot.waitUntil(lambda: self.panel.run is not None and self.panel.run.model == model)
        self.qtbot.waitUntil(self.settled)
        return self

    def settled(self) -> bool:
        cells = self.panel.cells
        return (
            cells._scene is not None
            and cells._word == self.panel._word()
            and not self.panel._dim_timer.isActive()
        )

    def step(self, word: int) -> None:
        self.selection.word = word
        self.qtbot.waitUntil(self.settled)

    def key(self, key: Qt.Key) -> None:
        self.qtbot.keyClick(self.panel.chart, key)

    def pixel(self, cell, across: float, down: float) -> QColor:
        """The colour of the gallery at a place of a cell, given as shares of the image."""
        gallery = self.panel.cells.gallery
        box = gallery.cell_rect(cell)
        shot = gallery.viewport().grab().toImage()
        ratio = shot.devicePixelRatio()
        x, y = box.x() + across * box.width(), box.y() + down * box.height()
        return shot.pixelColor(QPoint(int(x * ratio), int(y * ratio)))


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return planted.build_words(tmp_path_factory.mktemp("words") / "study")


@pytest.fixture
def desk(qtbot, study):
    made = Desk(qtbot, study)
    yield made
    made.loader.close()


def middle(place: tuple[int, int]) -> tuple[float, float]:
    """Middle of a grid cell as shares of the image's width and height."""
    row, column = place
    x = planted.RECT.x + (column + 0.5) / planted.COLUMNS * planted.RECT.width
    return x / WIDTH, (row + 0.5) / planted.ROWS * planted.RECT.height / HEIGHT


def brightness(colour: QColor) -> int:
    return colour.red() + colour.green() + colour.blue()


def test_the_panel_follows_the_selection_and_says_the_exact_share(desk) -> None:
    desk.choose(planted.HEADED, 2)
    share = 100 * planted.masses()[2].mean()
    assert desk.panel.caption.current == 2
    assert desk.panel.line.line == f"“{CAPTION[2]}”, word 3 of 6: {share:.1f} % of attention on the image"
    assert "“Describe the picture.”" in desk.panel.facts.line
    assert "prompt: “Describe the picture.”" in desk.panel.facts.toolTip()
    desk.step(MEAN_MAP)
    assert desk.panel.line.line.startswith("Mean map: ")


def test_arrow_keys_step_words_and_models_of_the_shared_selection(desk) -> None:
    desk.choose(planted.HEADED)
    for key, word in (
        (Qt.Key.Key_Right, 0),
        (Qt.Key.Key_Right, 1),
        (Qt.Key.Key_End, len(CAPTION) - 1),
        (Qt.Key.Key_Right, len(CAPTION) - 1),
        (Qt.Key.Key_Left, len(CAPTION) - 2),
        (Qt.Key.Key_Home, 0),
        (Qt.Key.Key_Left, MEAN_MAP),
    ):
        desk.key(key)
        assert desk.selection.word == word
    desk.key(Qt.Key.Key_Down)
    assert desk.selection.source == planted.LAYERED
    desk.key(Qt.Key.Key_Up)
    desk.key(Qt.Key.Key_Up)
    desk.key(Qt.Key.Key_Up)
    assert desk.selection.source == "cnn-lstm"


def test_with_people_in_focus_the_first_model_speaks(desk) -> None:
    desk.choose(planted.HEADED)
    desk.selection.source = "people"
    desk.qtbot.waitUntil(lambda: desk.panel.run.model == "cnn-lstm")
    desk.key(Qt.Key.Key_Right)
    assert (desk.selection.source, desk.selection.word) == ("cnn-lstm", 0)


def test_bars_are_as_high_as_the_shares_and_choose_words(desk) -> None:
    desk.choose(planted.HEADED)
    chart, shares = desk.panel.chart, planted.masses().mean(axis=(1, 2))
    heights = np.array([chart.bar_rect(word).height() for word in range(len(CAPTION))])
    whole = chart._plot().height()
    assert heights / whole == pytest.approx(shares, abs=1e-6)
    bar = chart.bar_rect(4)
    desk.qtbot.mouseClick(chart, Qt.MouseButton.LeftButton, pos=bar.center().toPoint())
    assert desk.selection.word == 4
    desk.qtbot.mouseClick(chart, Qt.MouseButton.LeftButton, pos=bar.center().toPoint())
    assert desk.selection.word == MEAN_MAP
    tip = chart.word_tip(4)
    assert f"{100 * shares[4]:.1f} % of the attention" in tip
    assert f"{math.exp(-0.6):.2g}" in tip
    assert "A content word." in tip
    assert "grammar word" in chart.word_tip(0)


def test_bars_of_content_words_are_stronger_than_those_of_grammar(desk) -> None:
    desk.choose(planted.HEADED)
    shot = desk.panel.chart.grab().toImage()
    ratio = shot.devicePixelRatio()

    def colour(word: int) -> QColor:
        bar = desk.panel.chart.bar_rect(word)
        return shot.pixelColor(int((bar.left() + 2) * ratio), int((bar.bottom() - 3) * ratio))

    assert colour(1) == colour(2)
    assert colour(0) == colour(3)
    assert brightness(colour(0)) > brightness(colour(1))


@pytest.mark.parametrize("over", [False, True])
def test_each_cell_shows_its_map_where_the_head_looked(desk, over) -> None:
    desk.choose(planted.HEADED, 3)
    desk.panel.cells.over.setChecked(over)
    for row in range(len(planted.LAYERS)):
        for head in range(planted.HEADS):
            looked = planted.peak(3, row, head)
            if looked[0] == planted.ROWS - 1:
                continue  # the bar of its share lies there
            at = desk.pixel((row, head + 1), *middle(looked))
            other = middle(((looked[0] + 2) % planted.ROWS % 3, (looked[1] + 3) % planted.COLUMNS))
            away = desk.pixel((row, head + 1), *other)
            # On the picture yellow stands out by the lack of blue, alone by its brightness.
            assert at.green() - at.blue() > away.green() - away.blue() + 20, (row, head)


def test_what_the_map_does_not_cover_stays_grey(desk) -> None:
    desk.choose(planted.HEADED, 3)
    desk.panel.cells.over.setChecked(False)
    assert desk.pixel((0, 1), 0.03, 0.5) == CANVAS
    assert desk.pixel((0, 1), 0.5, 0.5) != CANVAS


def test_one_scale_keeps_weaker_maps_darker_and_own_scales_do_not(desk) -> None:
    desk.choose(planted.HEADED, 0)
    desk.panel.cells.over.setChecked(False)
    sharp, soft = middle(planted.peak(0, 0, 0)), middle(planted.peak(0, 0, 1))
    assert brightness(desk.pixel((0, 1), *sharp)) > brightness(desk.pixel((0, 2), *soft)) + 40
    desk.panel.cells.shared.setChecked(False)
    assert brightness(desk.pixel((0, 1), *sharp)) == pytest.approx(
        brightness(desk.pixel((0, 2), *soft)), abs=12
    )


def test_a_click_shows_a_cell_large_with_its_name_and_its_share_over_the_caption(desk) -> None:
    desk.choose(planted.HEADED, 2)
    cells = desk.panel.cells
    box = cells.gallery.cell_rect((1, 3))
    desk.qtbot.mouseClick(cells.gallery.viewport(), Qt.MouseButton.LeftButton, pos=box.center().toPoint())
    assert cells.cell == (1, 3)
    assert cells.preview.title.text() == "Layer 7, head 2"
    across, down = middle(planted.peak(2, 1, 2))
    layer = cells.preview.layer
    wanted = planted.density(planted.maps()[2, 1, 2]).max()
    assert layer.value_at(across, down) == pytest.approx(wanted, rel=0.05)
    assert layer.texture.max() == pytest.approx(wanted, rel=0.05)
    cells.preview.copy.click()
    assert QGuiApplication.clipboard().text() == "attention-L7-H2"
    with desk.qtbot.waitSignal(desk.panel.extract_requested) as asked:
        cells.preview.use.click()
    assert asked.args == ["", "attention-L7-H2"]
    share = 100 * planted.masses()[2, 1, 2]
    assert f"In layer 7, head 2: {share:.1f} %." in desk.panel.chart.word_tip(2)
    assert f"Layer 7, head 2: {share:.1f} %" in cells.gallery.cell_tip((1, 3))
    desk.step(5)
    assert cells.cell == (1, 3)
    assert cells.preview.layer.value_at(*middle(planted.peak(5, 1, 2))) > 5
    desk.key(Qt.Key.Key_Escape)
    assert cells.cell is None
    assert cells.preview.title.text() == f"“{CAPTION[5]}”"
    assert "layer 7" not in desk.panel.chart.word_tip(2)


def test_arrow_keys_move_in_the_gallery(desk) -> None:
    desk.choose(planted.HEADED, 2)
    gallery = desk.panel.cells.gallery
    for key, cell in (
        (Qt.Key.Key_Down, (0, 0)),
        (Qt.Key.Key_Down, (1, 0)),
        (Qt.Key.Key_Right, (1, 1)),
        (Qt.Key.Key_End, (1, planted.HEADS)),
        (Qt.Key.Key_Up, (0, planted.HEADS)),
    ):
        QTest.keyClick(gallery, key)
        assert desk.panel.cells.cell == cell
    assert desk.selection.word == 2
    before = gallery.grid.wide
    QTest.keyClick(gallery, Qt.Key.Key_Plus)
    assert gallery.grid.wide > before


def test_shares_stand_as_numbers_where_they_are_asked_for(desk) -> None:
    desk.choose(planted.HEADED, 2)
    desk.panel.cells.show_what(MASS)
    mass, top = planted.masses()[2], planted.masses().max()
    low, high = np.unravel_index(mass.argmin(), mass.shape), np.unravel_index(mass.argmax(), mass.shape)
    dark = desk.pixel((low[0], low[1] + 1), 0.04, 0.1)
    bright = desk.pixel((high[0], high[1] + 1), 0.04, 0.1)
    assert brightness(bright) > brightness(dark)
    assert top >= mass.max()
    assert desk.panel.cells.gallery.grid.columns == 1 + planted.HEADS


def test_with_layers_alone_there_is_one_map_a_layer(desk) -> None:
    desk.choose(planted.LAYERED, 2)
    gallery = desk.panel.cells.gallery
    assert (gallery.grid.rows, gallery.grid.columns) == (2, 1)
    assert desk.panel.cells.kept.line == "Kept: the mean over each layer's heads."
    desk.panel.cells.choose_cell((1, 0))
    mean = planted.maps()[2, 1].mean(axis=0)
    place = np.unravel_index(mean.argmax(), mean.shape)
    value = desk.panel.cells.preview.layer.value_at(*middle(place))
    assert value == pytest.approx(planted.density(mean).max(), rel=0.05)
    assert desk.panel.cells.preview.title.text() == "Layer 7, mean over its heads"
    desk.panel.cells.show_what(MASS)
    assert gallery.grid.columns == 1 + planted.HEADS


def test_without_maps_the_shares_are_there_and_heads_can_be_asked_for(desk) -> None:
    desk.choose(planted.HEADED, 2).choose(planted.UNKEPT, 2)
    cells = desk.panel.cells
    assert cells.what.current == MASS
    assert not cells.what.isEnabled()
    assert "kept no maps by layer" in cells.what.toolTip()
    assert cells.gallery.grid.columns == 1 + planted.HEADS
    with desk.qtbot.waitSignal(desk.panel.extract_requested) as asked:
        cells.heads_wanted.emit()
    assert asked.args == ["heads", ""]
    desk.choose(planted.HEADED, 2)
    assert cells.what.current == MAPS
    assert cells.what.isEnabled()


def test_a_captioner_steps_words_and_says_that_it_has_no_heads(desk) -> None:
    desk.choose("cnn-lstm", 1)
    assert "gives one map a word" in desk.panel.cells.nothing.message
    assert desk.panel.cells._stack.currentIndex() == 0
    desk.key(Qt.Key.Key_Right)
    assert desk.selection.word == 2
    assert "100.0 %" in desk.panel.line.line
    assert desk.panel.cells.preview.layer is not None


def test_an_image_without_a_run_says_so_and_offers_to_run_models(desk) -> None:
    desk.choose(planted.HEADED, 2)
    desk.selection.image_id = desk.study.images[1]
    desk.qtbot.waitUntil(lambda: desk.panel.run is None)
    assert "VLM-HEADS has not described this image under “general”" in desk.panel.empty.message
    assert not desk.panel.corner.isEnabled()
    with desk.qtbot.waitSignal(desk.panel.extract_requested) as asked:
        desk.panel.empty.button.click()
    assert asked.args == ["", ""]
    desk.selection.image_id = None
    assert "No image is chosen" in desk.panel.empty.message


def test_words_of_an_earlier_prompt_only_are_told(qtbot, tmp_path) -> None:
    from gazeapp.engine.project import Project
    from gazeapp.engine.project.prompts import set_prompt

    study = planted.build_words(tmp_path / "study")
    with Project.open(study.path) as project:
        set_prompt(project, TASK, "Say what is there.")
        newer = project.settings.put("extract", {"prompt": "Say what is there."})
        add_run(project, study.images[1], planted.HEADED, TASK, ["red"], newer)
    desk = Desk(qtbot, study)
    try:
        desk.selection.update(image_id=study.images[0], task=TASK, source=planted.HEADED)
        qtbot.waitUntil(lambda: "VLM-HEADS has only words of another kind" in desk.panel.empty.message)
        assert "another prompt" in desk.panel.empty.message
        assert desk.panel.empty.button.isVisible()
    finally:
        desk.loader.close()


def test_maps_are_read_once_and_those_of_the_next_word_ahead(desk) -> None:
    asked = []
    ask = desk.loader.ask
    desk.loader.ask = lambda question, **how: (asked.append((question, how)), ask(question, **how))
    desk.choose(planted.HEADED, 2)
    run = desk.panel.run.id
    wanted = [AskMaps(run, word) for word in (1, 2, 3)]
    desk.qtbot.waitUntil(lambda: all(question in desk.panel._maps for question in wanted))
    assert (wanted[0], {"ahead": True}) in asked
    asked.clear()
    desk.selection.word = 3
    assert desk.settled()  # at once: they had been read
    assert not [question for question, how in asked if isinstance(question, AskMaps) and not how]


def test_means_over_all_words_wait_for_a_rest(desk) -> None:
    desk.choose(planted.HEADED, 2)
    asked = []
    ask = desk.loader.ask
    desk.loader.ask = lambda question, **how: (asked.append(question), ask(question, **how))
    mean = AskMaps(desk.panel.run.id, MEAN_MAP)
    desk.selection.word = MEAN_MAP
    assert mean not in asked
    desk.qtbot.waitUntil(lambda: mean in asked)
    desk.qtbot.waitUntil(desk.settled)
    asked.clear()
    desk.panel._maps.clear()
    desk.selection.word = 2
    desk.selection.word = MEAN_MAP
    desk.selection.word = 2
    desk.qtbot.wait(words_module._REST_MS + 50)
    assert mean not in asked


def test_what_was_read_longest_ago_is_forgotten_first(desk, monkeypatch) -> None:
    monkeypatch.setattr(words_module, "_MAPS_KEPT", 0)
    desk.choose(planted.HEADED)
    for word in range(len(CAPTION)):
        desk.step(word)
    assert len(desk.panel._maps) == 3
    assert AskMaps(desk.panel.run.id, len(CAPTION) - 1) in desk.panel._maps


def test_an_answer_that_comes_too_late_is_not_shown(desk) -> None:
    desk.choose(planted.HEADED, 2)
    shown = desk.panel.run
    late = AskRun(desk.study.images[1], planted.HEADED, TASK)
    desk.loader.answered.emit(late, None)
    assert desk.panel.run is shown


def test_maps_that_cannot_be_read_leave_the_old_ones_dimmed(desk, monkeypatch) -> None:
    desk.choose(planted.HEADED, 2)
    desk.panel._maps.clear()
    at = desk.pixel((0, 1), *middle(planted.peak(2, 0, 0)))

    def broken(question, project):
        raise GazeError("The maps cannot be read.")

    monkeypatch.setattr(AskMaps, "read", broken)
    with desk.qtbot.waitSignal(desk.loader.failed):
        desk.selection.word = 3
    assert desk.pixel((0, 1), *middle(planted.peak(2, 0, 0))) != at
    monkeypatch.undo()
    desk.selection.word = 2
    desk.qtbot.waitUntil(desk.settled)
    assert desk.pixel((0, 1), *middle(planted.peak(2, 0, 0))) == at


def test_nothing_is_read_while_the_panel_is_out_of_sight(desk) -> None:
    desk.panel.hide()
    asked = []
    desk.loader.ask = lambda question, **how: asked.append(question)
    desk.selection.update(image_id=desk.study.images[0], task=TASK, source=planted.HEADED, word=1)
    assert not asked
    desk.panel.show()
    assert asked == [AskRun(desk.study.images[0], planted.HEADED, TASK)]


def test_a_click_on_another_runs_cells_before_they_are_drawn_does_nothing(desk) -> None:
    desk.choose(planted.HEADED, 2)
    desk.panel.cells.show_run(desk.panel.run)
    desk.panel.cells.choose_cell((1, 1))
    assert desk.panel.cells.cell is None


def test_the_key_brings_the_words_to_the_front(open_window, qtbot) -> None:
    bench = open_window.bench
    open_window.actions_["view.words"].trigger()
    assert bench.words.isVisible()
    qtbot.waitUntil(lambda: bench.words.run is not None)
    assert bench.words.run.model == open_window.selection.source
    bench.words.chart.word_chosen.emit(2)
    pane = bench.compare.pane(open_window.selection.source)
    assert pane.caption.current == 2
    assert bench.words.caption.current == 2
    bench.compare.step_word(1)
    assert bench.words.caption.current == 3
    assert bench.words.chart._word_at(QPointF(-5, 0)) is None


def test_asking_for_heads_opens_the_dialog_with_that_chosen(open_window, qtbot, monkeypatch) -> None:
    from gazeapp.ui.dialogs import extract as dialogs

    preferred = []

    def see(dialog) -> int:
        preferred.append(dialog.advanced.settings()["keep"])
        return 0

    monkeypatch.setattr(dialogs.ExtractDialog, "exec", see)
    monkeypatch.setattr("gazeapp.ui.dialogs.model_finding.find_offers", lambda _added, _ran: Found(()))
    open_window.bench.words.cells.heads_wanted.emit()
    open_window.extract_actions.extract()
    assert preferred == ["heads", ""]
    open_window.actions_.set_reason("study.extract", "the project is read only")
    open_window.bench.words.cells.heads_wanted.emit()
    assert len(preferred) == 2
