"""What is drawn on the cortex waits to be kept, is kept in its own project, and replaces nothing unasked."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from PySide6.QtWidgets import QWidget

from gazeapp.engine.project import Project
from gazeapp.engine.workflows.regions import atlas_for, put_own_region
from gazeapp.ui.actions import Actions
from gazeapp.ui.app import make_app
from gazeapp.ui.loader import Loader
from gazeapp.ui.notifications import Notifications
from gazeapp.ui.panels import neural_bar
from gazeapp.ui.panels.neural import NeuralPanel
from gazeapp.ui.panels.neural_corner import CORTEX
from gazeapp.ui.panels.neural_cortex import CortexPage
from gazeapp.ui.selection import Selection
from gazeapp.ui.session import Session
from tests.copied import copy_study
from tests.ui.small_neural import ATLAS, GROUPS, put_neural
from tests.ui.small_study import build

DRAWN = np.array([3, 4, 10_300])


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    path = build(tmp_path_factory.mktemp("keeping") / "study", images=4, subjects=2).path
    with Project.open(path) as project:
        put_neural(project, tasks=("general",))
    return path


@pytest.fixture
def world(qtbot, tmp_path, built):
    path = copy_study(built, tmp_path / "study")
    session, loader, window = Session(Notifications(make_app())), Loader(), QWidget()
    with qtbot.waitSignal(session.refreshed):
        session.open(path)
    qtbot.addWidget(window)
    selection = Selection(window)
    selection.update(task="general", source="people")
    panel = NeuralPanel(selection, session, Actions(window), loader)
    qtbot.addWidget(panel)
    panel.resize(1100, 500)
    panel.show()
    panel.show_study(session.study)
    qtbot.waitUntil(lambda: panel.read is not None)
    panel.show_page(CORTEX)
    page = panel.cortex
    qtbot.waitUntil(lambda: bool(page.views[0].shown.marked.all))
    yield SimpleNamespace(panel=panel, page=page, session=session, path=session.path, selection=selection)
    loader.close()
    session.stop()


def draw(world, vertices=DRAWN):
    """Draw a region on the first cortex, as a click with the growing tool does."""
    world.page.views[0]._offer(np.asarray(vertices))


def outline(world, view=0):
    """Return the vertices around which a strong line is drawn."""
    marked = world.page.views[view].shown.marked.all
    return sorted(int(vertex) for region in marked for vertex in region.vertices)


def region_vertices(world, name):
    with Project.open(world.path) as project:
        regions = atlas_for(project, world.panel.results.atlas).regions
    return sorted(int(vertex) for region in regions if region.name == name for vertex in region.vertices)


def own(path, name):
    with Project.open(path) as project:
        regions = project.atlases.get("own").regions
    return sorted(int(vertex) for region in regions if region.name == name for vertex in region.vertices)


def keep(qtbot, world, name):
    world.page.name.setText(name)
    done = {"check_params_cb": lambda state: state.finished}
    with qtbot.waitSignal(world.session.runner.changed, **done):
        world.page.keep.click()


def test_it_is_said_to_be_kept_once_it_is(qtbot, world):
    said, held = [], []
    world.page.said.connect(lambda words: (said.append(words), held.append(own(world.path, "mine"))))
    draw(world)
    keep(qtbot, world, "mine")
    qtbot.waitUntil(lambda: bool(said))
    assert said == ["“mine” is kept in the atlas “own”"]
    assert held == [DRAWN.tolist()]


def test_a_region_of_that_name_is_replaced_only_when_the_user_is_sure(qtbot, world, monkeypatch):
    with Project.open(world.path) as project:
        put_own_region(project, "mine", [7, 8])
    asked = []
    monkeypatch.setattr(world.page.keeping, "sure", lambda name: asked.append(name))
    draw(world)
    world.page.name.setText("mine")
    world.page.keep.click()
    qtbot.waitUntil(lambda: asked == ["mine"])
    assert own(world.path, "mine") == [7, 8]
    assert (world.page.name.text(), world.page.keep.isHidden()) == ("mine", False)
    assert outline(world) == DRAWN.tolist()
    monkeypatch.setattr(world.page.keeping, "sure", lambda name: True)
    keep(qtbot, world, "mine")
    assert own(world.path, "mine") == DRAWN.tolist()


def test_what_came_by_that_name_in_the_meantime_is_not_replaced(qtbot, world, monkeypatch):
    said = []
    world.page.said.connect(said.append)
    submit = world.session.submit

    def late(title, work):
        with Project.open(world.path) as project:
            put_own_region(project, "mine", [7, 8])
        return submit(title, work)

    monkeypatch.setattr(world.session, "submit", late)
    draw(world)
    keep(qtbot, world, "mine")
    qtbot.waitUntil(lambda: said == ["“mine” was not kept"])
    assert own(world.path, "mine") == [7, 8]
    assert world.page.name.text() == "mine"
    assert outline(world) == DRAWN.tolist()


def test_a_name_that_cannot_be_says_why(world):
    draw(world)
    world.page.name.setText("foo left")
    assert not world.page.keep.isEnabled()
    assert "does not end in “left”" in world.page.keep.toolTip().replace("\n", " ")
    world.page.name.setText("foo")
    assert world.page.keep.isEnabled()


def test_a_project_that_cannot_be_changed_is_said(world):
    said = []
    world.page.said.connect(said.append)
    world.session.read_only = "its folder cannot be written"
    draw(world)
    world.page.name.setText("mine")
    why = "This project is open for looking only: its folder cannot be written."
    assert said == [why]
    assert not world.page.keep.isEnabled()
    assert world.page.keep.toolTip().replace("\n", " ") == why


def test_after_a_click_the_region_that_was_met_is_marked_when_a_drawing_is_dropped(world):
    first = world.panel.asked.region
    world.page._picked(12, ("fusiform left",))
    assert first != "fusiform"
    draw(world)
    world.page.drop.click()
    assert outline(world) == region_vertices(world, "fusiform")


def test_a_drawing_stays_until_it_is_kept_or_dropped(qtbot, world):
    draw(world)
    world.page.name.setText("mine")
    for change in (
        world.session.refresh,
        lambda: world.panel.bar.chosen.emit(neural_bar.REGION, "fusiform"),
        lambda: world.page._picked(12, ("cuneus left",)),
        lambda: world.selection.update(source="cnn-lstm"),
    ):
        change()
        qtbot.waitUntil(lambda: not world.session.reader.busy)
        qtbot.wait(20)
        assert outline(world) == outline(world, 1) == DRAWN.tolist()
        assert world.page.name.text() == "mine"
    world.page.drop.click()
    assert outline(world) == region_vertices(world, "cuneus")


def test_the_regions_of_a_group_are_marked(qtbot, world):
    world.panel.bar.chosen.emit(neural_bar.ROWS, neural_bar.GROUPS)
    world.panel.bar.chosen.emit(neural_bar.REGION, GROUPS[0])
    with Project.open(world.path) as project:
        expected = atlas_for(project, ATLAS).group(GROUPS[0]).vertices.tolist()
    qtbot.waitUntil(lambda: outline(world) == expected)
    draw(world)
    world.page.drop.click()
    assert outline(world) == expected


def test_a_drawing_does_not_go_into_another_project(qtbot, world, built, tmp_path):
    draw(world)
    world.page.name.setText("mine")
    other = copy_study(built, tmp_path / "other")
    with qtbot.waitSignal(world.session.refreshed):
        world.session.open(other)
    assert world.page.keep.isHidden()
    assert world.page.name.text() == ""
    assert outline(world) != DRAWN.tolist()
    draw(world)
    world.session.close()
    assert world.page.keep.isHidden()


@pytest.fixture
def tall_buttons(qapp):
    style = qapp.styleSheet()
    qapp.setStyleSheet("QPushButton { min-height: 50px }")
    yield
    qapp.setStyleSheet(style)


@pytest.fixture
def session(qtbot):
    made = Session(Notifications(make_app()))
    yield made
    made.stop()


def test_nothing_moves_when_a_region_waits_for_its_name(qtbot, tall_buttons, session):
    page = CortexPage(session)
    qtbot.addWidget(page)
    page.resize(900, 400)
    page.show()
    qtbot.wait(20)
    before = page.views[0].canvas.size()
    page.views[0].drawn.emit(DRAWN)
    qtbot.wait(20)
    assert page.keep.isVisible()
    assert page.keep.height() >= 50
    assert page.views[0].canvas.size() == before
