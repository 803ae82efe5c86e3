"""The list of images: filter, order, choice, scores, thumbnails."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt

from gazeapp.ui.loader import Loader
from gazeapp.ui.panels.images import ImagesPanel, Order, count_wordings
from gazeapp.ui.selection import Selection
from tests.ui.small_study import TASK, build


@pytest.fixture
def study(tmp_path):
    return build(tmp_path, images=9)


@pytest.fixture
def parts(qtbot, study):
    selection, loader = Selection(), Loader()
    panel = ImagesPanel(selection, loader)
    qtbot.addWidget(panel)
    panel.resize(260, 400)
    panel.show()
    selection.update(task=TASK)
    with qtbot.waitSignal(loader.listed):
        loader.open(study.path)
    yield panel, selection, loader
    loader.close()


def names(panel: ImagesPanel) -> list[str]:
    return [entry.name for entry in panel.model.entries]


def choose_order(panel: ImagesPanel, order: Order) -> None:
    next(action for action in panel.order.menu().actions() if action.data() is order).trigger()


def test_images_are_listed_and_counted(parts, study) -> None:
    panel, _selection, _loader = parts
    assert names(panel) == [f"scene-{n:03}.png" for n in range(1, 10)]
    assert panel.count.text() == "9 images"


def test_the_filter_narrows_the_list_and_the_stepping(qtbot, parts, study) -> None:
    panel, selection, loader = parts
    qtbot.keyClicks(panel.filter, "00")
    assert len(names(panel)) == 9
    qtbot.keyClicks(panel.filter, "4")
    assert names(panel) == ["scene-004.png"]
    assert panel.count.text() == "1 of 9 images"
    selection.image_id = study.images[3]
    assert loader.neighbour(selection.image_id, 1) is None
    panel.filter.clear()
    assert panel.count.text() == "9 images"
    assert panel.view.currentIndex().row() == 3


def test_best_and_worst_first_follow_the_focused_model_and_metric(parts) -> None:
    panel, selection, _loader = parts
    choose_order(panel, Order.WORST)
    scores = [panel.model.score(entry) for entry in panel.model.entries]
    assert scores == sorted(scores)
    assert names(panel)[0] == "scene-007.png"
    choose_order(panel, Order.BEST)
    scores = [panel.model.score(entry) for entry in panel.model.entries]
    assert scores == sorted(scores, reverse=True)
    selection.source = "vit-lstm"
    assert panel.model.score(panel.model.entries[0]) == pytest.approx(2.0 * 0.7)
    selection.metric = "cc"
    assert panel.model.score(panel.model.entries[0]) == pytest.approx(0.8 * 0.7)
    assert panel.scored_by.text() == "CC, ViT-LSTM"


def test_most_fixations_first(parts) -> None:
    panel, _selection, _loader = parts
    choose_order(panel, Order.FIXATIONS)
    counts = [entry.fixations[TASK] for entry in panel.model.entries]
    assert counts == sorted(counts, reverse=True)
    assert len(set(counts)) > 1


def test_list_and_selection_follow_each_other(qtbot, parts, study) -> None:
    panel, selection, _loader = parts
    selection.image_id = study.images[5]
    assert panel.view.currentIndex().row() == 5
    panel.view.setFocus()
    qtbot.keyClick(panel.view, Qt.Key.Key_Down)
    assert selection.image_id == study.images[6]
    panel.step(-1)
    assert selection.image_id == study.images[5]
    position = panel.view.visualRect(panel.model.index(4)).center()
    qtbot.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=position)
    assert selection.image_id == study.images[4]


def test_reordering_keeps_the_chosen_image(parts, study) -> None:
    panel, selection, _loader = parts
    selection.image_id = study.images[1]
    choose_order(panel, Order.BEST)
    assert selection.image_id == study.images[1]
    assert panel.model.entries[panel.view.currentIndex().row()].id == study.images[1]


def test_a_refresh_leaves_the_list_where_it_was_scrolled(qtbot, parts, study) -> None:
    panel, _selection, loader = parts
    panel.resize(260, 220)
    bar = panel.view.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 100)
    bar.setValue(100)
    with qtbot.waitSignal(loader.listed):
        loader.refresh()
    assert bar.value() == 100


def test_only_lines_in_sight_ask_for_thumbnails(qtbot, parts, study, monkeypatch) -> None:
    panel, _selection, loader = parts
    panel.resize(260, 220)
    asked = set()
    monkeypatch.setattr(loader, "thumbnail", asked.add)
    panel.view.viewport().repaint()
    assert study.images[0] in asked
    assert study.images[-1] not in asked


def test_a_study_without_images_says_what_to_do(qtbot, tmp_path) -> None:
    selection, loader = Selection(), Loader()
    panel = ImagesPanel(selection, loader)
    qtbot.addWidget(panel)
    panel.show()
    assert panel.empty.isVisible()
    assert "Drop pictures" in panel.empty.message
    assert panel.count.text() == "0 images"
    loader.close()


def test_all_lines_say_fixations_in_the_same_words(parts, study) -> None:
    panel, selection, _loader = parts
    counts = [entry.fixations[TASK] for entry in panel.model.entries]
    most, longest = panel.model.widest
    assert most == max(counts)
    assert len(longest) == max(len(f"{panel.model.score(entry):.2f}") for entry in panel.model.entries)
    assert len(count_wordings(0)) == len(count_wordings(1)) == len(count_wordings(most))
    selection.task = "another"
    assert panel.model.widest == (0, "")


def test_a_thumbnail_that_comes_does_not_lay_out_all_lines(qtbot, parts, study, monkeypatch) -> None:
    panel, _selection, loader = parts
    panel.show()
    qtbot.waitUntil(lambda: all(loader.thumbnail(image_id) is not None for image_id in study.images))
    changed = []
    panel.model.dataChanged.connect(lambda *where: changed.append(where))
    panel._thumbnail_ready(loader.thumbnail(study.images[0]))
    assert changed == []
