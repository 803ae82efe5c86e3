"""The neural panel: numbers are those that were stored, all pages are about one region and source, states are told."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from gazeapp.engine.project import Project
from gazeapp.engine.reports.results.neural_read import ImageResponses
from gazeapp.engine.workflows.encode_state import remember_encoded
from gazeapp.ui.actions import Actions
from gazeapp.ui.loader import Loader
from gazeapp.ui.panels import neural_bar
from gazeapp.ui.panels.neural import NeuralPanel
from gazeapp.ui.panels.neural_corner import CORTEX, DISSOCIATION, IMAGES, PAGES, REGION, REGIONS
from gazeapp.ui.panels.neural_heat import heat_colours
from gazeapp.ui.panels.neural_pages import LEFT_SIDE
from gazeapp.ui.selection import Selection
from gazeapp.ui.session import Session
from tests.copied import copy_study
from tests.ui.small_neural import ATLAS, RESPONSES, SOURCES, STRENGTH, build_neural, planted, put_neural
from tests.ui.small_study import build

N = 6
LONG = "lateral occipital and posterior fusiform cortex of the ventral stream, as drawn by hand"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return build_neural(tmp_path_factory.mktemp("neural") / "study", N)


@pytest.fixture
def study(tmp_path, built):
    return replace(built, path=copy_study(built.path, tmp_path / "study"))


@pytest.fixture(scope="module")
def tabled(tmp_path_factory):
    """A study whose responses are those of regions of a table."""
    made = build(tmp_path_factory.mktemp("table") / "study", images=3)
    with Project.open(made.path) as project:
        put_neural(project, regions=["=cmd", "V1 left", "V1 right", "V2 left", LONG], table=True)
    return made.path


@pytest.fixture
def opened(qtbot):
    """What opens the panel on a project, without the rest of the window."""
    from gazeapp.ui.app import make_app
    from gazeapp.ui.notifications import Notifications

    app = make_app()
    made = []

    def open_(path):
        session = Session(Notifications(app))
        loader = Loader()
        made.append((session, loader))
        with qtbot.waitSignal(session.refreshed):
            session.open(path)
        loader.open(path)
        window = QWidget()
        qtbot.addWidget(window)
        selection, actions = Selection(window), Actions(window)
        selection.update(task="general", image_id=next(iter(session.study.images)), source="people")
        panel = NeuralPanel(selection, session, actions, loader)
        qtbot.addWidget(panel)
        panel.resize(1100, 400)
        panel.show()
        panel.show_study(session.study)
        qtbot.waitUntil(lambda: panel.read is not None)
        return SimpleNamespace(
            panel=panel, selection=selection, session=session, actions=actions, loader=loader, window=window
        )

    yield open_
    for session, loader in made:
        loader.close()
        session.stop()


@pytest.fixture
def world(opened, study):
    return opened(study.path)


@pytest.fixture
def panel(world):
    return world.panel


def choose(panel, name, value):
    box = panel.bar.boxes[name]
    box.setCurrentIndex(box.findData(value))
    box.activated.emit(box.currentIndex())


def shown(panel):
    """Region -> source -> number of the heat table."""
    table = panel.regions.table.results.table
    ids = [column.id.partition("_")[2] for column in table.columns]
    return {row.name: dict(zip(ids, [cell.value for cell in row.cells], strict=True)) for row in table.rows}


def test_cells_are_the_numbers_that_were_stored(panel):
    found = shown(panel)
    names = panel.results.regions()
    assert list(found) == list(names)
    for place, name in enumerate(names):
        assert found[name] == pytest.approx({id_: planted(id_, place, len(names)) for _, id_ in SOURCES})


def test_a_cell_says_what_it_is_to_eyes_and_to_readers(panel):
    table = panel.regions.table
    index = table.model().index(0, 3)
    tip = index.data(Qt.ItemDataRole.ToolTipRole)
    for part in (
        "CNN-Transformer",
        "0.36",
        "95 % interval",
        "Noise ceiling 0.60",
        "(simulated)",
        "12\u00a0images",
    ):
        assert part in tip
    assert index.data(Qt.ItemDataRole.AccessibleTextRole).endswith("0.36, p below 0.05")
    unclear = table.model().index(0, 6)
    assert "p below" not in unclear.data(Qt.ItemDataRole.AccessibleTextRole)
    assert "r, −0.03 to 0.36" in panel.regions.key.accessibleName()


def test_colours_run_over_the_limits_and_zero_is_in_the_middle_of_a_difference(panel):
    table = panel.regions.table
    heat = table.results.heat
    paint = table.itemDelegate()
    low, high = heat.limits
    colours = heat_colours(heat, "viridis")
    assert paint.colour(low).getRgb()[:3] == tuple(colours[0, :3])
    assert paint.colour(high).getRgb()[:3] == tuple(colours[255, :3])
    choose(panel, neural_bar.MEASURE, "difference")
    heat = panel.regions.table.results.heat
    assert heat.limits[0] == -heat.limits[1]
    assert not np.array_equal(heat_colours(heat, "viridis"), colours)


def test_a_click_chooses_region_and_source_for_all_pages(world):
    panel = world.panel
    table = panel.regions.table
    name = panel.results.regions()[4]
    table.setCurrentIndex(table.model().index(4, 2))
    assert (panel.asked.region, panel.asked.source) == (name, ("model", "cnn-lstm"))
    assert world.selection.source == "cnn-lstm"
    assert panel.bar.boxes[neural_bar.REGION].currentData() == name
    assert panel.regions.figure.figure.title == f"r in {name}"
    panel.show_page(REGION)
    assert panel.region.figure.figure.title == f"r in {name}"
    panel.region.views._clicked(2)
    assert panel.region.figure.figure.title.startswith("CNN-LSTM and others")
    panel.show_page(DISSOCIATION)
    assert name in panel.dissociation.figure.figure.title


def test_a_row_of_one_region_chooses_its_source(world):
    panel = world.panel
    panel.show_page(REGION)
    table = panel.region.table
    row = next(k for k, one in enumerate(table.results.rows) if one.name == "ViT-LSTM")
    table.choose(row, 1)
    assert panel.asked.source == ("model", "vit-lstm")
    assert table.currentIndex().isValid()
    panel.region.views._clicked(2)
    assert panel.region.table.results.table.title.startswith("ViT-LSTM and others")
    panel.region.table.choose(0, 1)
    assert panel.asked.source == ("model", "vit-lstm")


def test_boxes_say_what_is_chosen(panel):
    tip = panel.bar.boxes[neural_bar.RESPONSES].toolTip()
    assert RESPONSES in tip
    assert "Simulated" in tip
    assert "Ceiling: correlation of two halves" in tip
    assert panel.bar.boxes[neural_bar.REGION].toolTip().startswith(f"Region in hand: {panel.asked.region}")
    panel.setFocus()
    assert panel.focusProxy() is panel.regions.table


def test_the_source_in_hand_follows_the_selection(world):
    panel = world.panel
    world.selection.update(source="vit-transformer")
    assert panel.asked.source == ("model", "vit-transformer")
    assert panel.regions.table.currentIndex().column() == 5
    choose(panel, neural_bar.SOURCE, "control\ncontrast")
    assert panel.asked.source == ("control", "contrast")
    assert world.selection.source == "vit-transformer"  # a control has no pane


def test_filter_by_name_by_group_and_sort(panel):
    page = panel.regions
    page.filter.setText("occip")
    assert list(shown(panel)) == ["lateraloccipital"]
    assert page.count.text() == "1 of 34 regions"
    group = next(name for name in panel.results.groups if name.startswith("early"))
    page.filter.setText("early")
    assert set(shown(panel)) == set(panel.results.groups[group])
    page.filter.clear()
    table = page.table
    table.sortByColumn(1, Qt.SortOrder.AscendingOrder)
    assert table.model().index(0, 0).data() == panel.results.regions()[-1]
    table.setCurrentIndex(table.model().index(0, 2))
    assert panel.asked.region == panel.results.regions()[-1]
    assert table.model().index(0, 0).data() == panel.results.regions()[-1]


def test_groups_and_measures(panel):
    choose(panel, neural_bar.ROWS, "groups")
    assert list(shown(panel)) == ["early visual", "ventral"]
    choose(panel, neural_bar.MEASURE, "share")
    assert shown(panel)["ventral"]["cnn-transformer"] == pytest.approx(60.0)
    choose(panel, neural_bar.MEASURE, "unique")
    assert not panel.bar.boxes[neural_bar.AGAINST].isHidden()
    choose(panel, neural_bar.AGAINST, "contrast")
    own = STRENGTH["vit-lstm"] ** 2
    other = STRENGTH["contrast"] ** 2
    assert shown(panel)["ventral"]["vit-lstm"] == pytest.approx(own + 0.3 * other - other)
    choose(panel, neural_bar.MEASURE, "r")
    assert panel.bar.boxes[neural_bar.AGAINST].isHidden()


def test_weight_follows_the_correction_that_is_chosen(panel):
    page = panel.regions
    assert page.table.results.rows[0].cells[2].is_clear
    page.correction.setCurrentIndex(page.correction.findData("p_max"))
    page.correction.activated.emit(page.correction.currentIndex())
    assert not page.table.results.rows[0].cells[2].is_clear
    assert "largest value" in page.key.accessibleName()


def test_every_page_is_reached_by_keys(panel, qtbot):
    for page in [*list(PAGES)[1:], REGIONS]:
        panel._show_next()
        assert panel.pages.current == page
    panel._show_previous()
    assert panel.pages.current == IMAGES
    qtbot.waitUntil(lambda: panel.images.highest.count() > 0)


def test_images_of_both_ends_and_a_click_goes_there(world, qtbot):
    panel = world.panel
    panel.show_page(IMAGES)
    qtbot.waitUntil(lambda: panel.images.highest.count() == N // 3)
    ids = list(world.session.study.images)
    assert [panel.images.highest.item(k).text() for k in range(N // 3)] == ["5.00", "4.00"]
    assert [panel.images.lowest.item(k).text() for k in range(N // 3)] == ["0.00", "1.00"]
    panel.images.highest.setCurrentRow(1)
    assert world.selection.image_id == ids[-2]
    world.selection.update(image_id=ids[0])
    assert panel.images.lowest.currentRow() == 0
    assert panel.images.highest.currentItem() is None
    panel.images.what.setCurrentIndex(panel.images.what.findData(["model", "cnn-lstm"]))
    panel.images.what.activated.emit(panel.images.what.currentIndex())
    qtbot.waitUntil(lambda: panel.images.highest.item(0).data(Qt.ItemDataRole.UserRole) == ids[0])
    assert "Predicted" in panel.images.about.text()
    panel.images.copy()
    lines = QGuiApplication.clipboard().text().splitlines()
    assert lines[0] == f"image\t{panel.asked.region}"
    assert len(lines) == N + 1


def test_cortex_shows_regions_vertices_and_differences_with_shared_colours(world, qtbot):
    panel, page = world.panel, world.panel.cortex
    choose(panel, neural_bar.SOURCE, "model\ncnn-lstm")
    panel.show_page(CORTEX)
    qtbot.waitUntil(lambda: page.views[0].shown.values is not None)
    assert np.nanmax(page.views[0].shown.values) == pytest.approx(STRENGTH["cnn-lstm"])
    page.what.set_current("Vertices")
    page.what.chosen.emit("Vertices")
    qtbot.waitUntil(lambda: np.isfinite(page.views[0].shown.values).all())
    assert page.views[0].shown.values.max() == pytest.approx(STRENGTH["cnn-lstm"])
    page.second.setCurrentIndex(page.second.findData(["model", "cnn-transformer"]))
    page.how.setCurrentIndex(page.how.findData("beside"))
    page.how.activated.emit(page.how.currentIndex())
    qtbot.waitUntil(lambda: not page._cells[1].isHidden())
    first, second = (view.shown.colouring for view in page.views)
    assert (
        (first.low, first.high)
        == (second.low, second.high)
        == pytest.approx((0, STRENGTH["cnn-transformer"]))
    )
    page.how.setCurrentIndex(page.how.findData("minus"))
    page.how.activated.emit(page.how.currentIndex())
    qtbot.waitUntil(lambda: page.views[0].shown.colouring.low < 0)
    gap = STRENGTH["cnn-lstm"] - STRENGTH["cnn-transformer"]
    assert page.views[0].shown.values.min() == pytest.approx(gap)
    assert page._cells[1].isHidden()


def test_a_region_met_on_the_cortex_is_the_one_in_hand(panel):
    panel.cortex._picked(12, ("fusiform left",))
    assert panel.asked.region == "fusiform"
    panel.cortex._picked(12, ())
    assert panel.asked.region == "fusiform"


def test_a_region_that_is_drawn_is_kept_by_its_name(world, qtbot, study):
    panel, page = world.panel, world.panel.cortex
    panel.show_page(CORTEX)
    page.views[0].drawn.emit(np.array([3, 4, 10_300]))
    assert not page.keep.isHidden()
    assert not page.keep.isEnabled()
    page.name.setText("mine")
    with qtbot.waitSignal(world.session.runner.changed, check_params_cb=lambda state: state.finished):
        page.keep.click()
    with Project.open(study.path) as project:
        regions = project.atlases.get("own").regions
    assert sorted(int(v) for region in regions for v in region.vertices) == [3, 4, 10_300]
    assert page.keep.isHidden()
    page.views[0].drawn.emit(np.array([5]))
    page.drop.click()
    assert page.keep.isHidden()


def test_another_task_is_told(world, qtbot):
    world.selection.update(task="social")
    assert world.panel.other_task.isVisible()
    assert "under the task “social”" in world.panel.other_task._text.text()
    choose(world.panel, neural_bar.TASK, "general")
    assert world.selection.task == "general"
    assert world.panel.regions.isVisible()


def test_without_responses_the_panel_says_what_brings_them(opened, tmp_path):
    made = build(tmp_path / "bare", images=2, models=1, subjects=0, scored=False)
    world = opened(made.path)
    assert world.panel.empty.isVisible()
    assert not world.panel.bar.isVisible()
    world.actions.set_reason("neural.import_responses", "the project is open for looking only")
    assert world.panel.empty._note.text() == "The project is open for looking only."
    asked = []
    world.actions.bind("neural.run", lambda: asked.append("run"))
    with Project.open(made.path) as project:
        put_neural(project, predicted=False)
    world.panel.show_study(world.session.study)


def test_with_responses_alone_it_offers_to_predict_them(opened, tmp_path, qtbot):
    made = build(tmp_path / "bare", images=2, models=1, subjects=0, scored=False)
    with Project.open(made.path) as project:
        put_neural(project, predicted=False)
    panel = opened(made.path).panel
    assert panel.unpredicted.isVisible()
    assert panel.bar.isVisible()
    assert not panel.bar.simulated.isHidden()
    assert panel.bar.boxes[neural_bar.RESPONSES].currentData() == RESPONSES


def test_findings_of_other_maps_are_called_older(opened, study):
    with Project.open(study.path) as project:
        remember_encoded(project, RESPONSES, ATLAS, ("general",))
        project.db.execute("DELETE FROM runs WHERE id = (SELECT min(id) FROM runs)")
    assert not opened(study.path).panel.bar.older.isHidden()


def test_tables_and_figures_can_be_taken(world, tmp_path, qtbot):
    panel = world.panel
    panel.regions.taking.copy_table()
    lines = QGuiApplication.clipboard().text().splitlines()
    assert len(lines) == 35
    assert lines[0].startswith("Region\tPeople\tPeople (95 % low)")
    panel.regions.taking.copy_origin()
    assert "Noise ceiling" in QGuiApplication.clipboard().text()
    figure = tmp_path / "figure.svg"
    with qtbot.waitSignal(panel.regions.taking.said):
        panel.regions.taking.save_figure(figure)
    assert "Simulated responses" in figure.read_text(encoding="utf-8")
    for name in PAGES:
        panel.show_page(name)
        assert panel.take.menu() is not None
        assert panel.take.isEnabled()


def test_the_cortex_is_saved_as_a_picture(world, tmp_path, qtbot):
    panel, page = world.panel, world.panel.cortex
    panel.show_page(CORTEX)
    qtbot.waitUntil(lambda: page.views[0].shown.values is not None)
    path = tmp_path / "cortex.png"
    with qtbot.waitSignal(page.said):
        page.save_pictures(path)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_hemispheres_are_offered_where_regions_name_them(opened, tabled):
    panel = opened(tabled).panel
    page = panel.regions
    assert not page.sides.isHidden()
    page.sides.set_current(LEFT_SIDE)
    page.sides.chosen.emit(LEFT_SIDE)
    assert list(shown(panel)) == ["V1 left", "V2 left"]
    panel.show_page(CORTEX)


def test_nothing_is_read_or_drawn_out_of_sight(world, qtbot):
    panel = world.panel
    panel.show_page(IMAGES)
    qtbot.waitUntil(lambda: panel.images.highest.count() > 0)
    panel.hide()
    panel.images.highest.clear()
    before = panel._imaging
    choose(panel, neural_bar.REGION, panel.results.regions()[3])
    assert panel._imaging == before
    panel.show()
    qtbot.waitUntil(lambda: panel.images.highest.count() > 0)
    assert panel.results.regions()[3] in panel.images.about.text()


def click(qtbot, figure, x, y):
    """Click into the first plot of a figure, at a place of its axes."""
    qtbot.waitUntil(lambda: bool(figure.plots))
    plot = figure.plots[0]
    QGuiApplication.processEvents()
    plot.getViewBox().updateAutoRange()
    at = plot.mapFromScene(plot.getViewBox().mapViewToScene(QPointF(x, y)))
    qtbot.mouseClick(plot.viewport(), Qt.MouseButton.LeftButton, pos=at)


def place_of(figure, source):
    """Where a point of a source lies in a figure, and what it stands for."""
    one = next(one for one in figure.figure.axes[0].series if one.about and one.about[0][2] == source)
    places = (one.y[-1], one.x[-1]) if figure.figure.axes[0].horizontal else (one.x[-1], one.y[-1])
    return places, one.about[-1]


def test_bars_and_points_of_figures_choose_their_source_and_region(world, qtbot):
    panel = world.panel
    choose(panel, neural_bar.SOURCE, "model\ncnn-lstm")
    (x, y), _ = place_of(panel.regions.figure, "vit-lstm")
    click(qtbot, panel.regions.figure, x / 2, y)
    assert panel.asked.source == ("model", "vit-lstm")
    assert world.selection.source == "vit-lstm"
    assert panel.regions.table.currentIndex().column() == 4
    panel.show_page(REGION)
    (x, y), _ = place_of(panel.region.figure, "contrast")
    click(qtbot, panel.region.figure, x / 2, y)
    assert panel.asked.source == ("control", "contrast")
    panel.show_page(DISSOCIATION)
    (x, y), _ = place_of(panel.dissociation.figure, "cnn-transformer")
    click(qtbot, panel.dissociation.figure, x, y)
    assert panel.asked.source == ("model", "cnn-transformer")
    panel.show_page(REGIONS)
    panel.resize(1100, 1400)
    figure = panel.regions.figure
    figure._choice.setCurrentIndex(1)
    figure._choice.activated.emit(1)
    one = next(one for one in figure.figure.axes[0].series if one.about[0][2] == "vit-lstm")
    QGuiApplication.processEvents()
    click(qtbot, figure, one.y[2], one.x[2])
    assert (panel.asked.region, panel.asked.source) == (panel.results.regions()[2], ("model", "vit-lstm"))


def test_a_source_alone_does_not_draw_the_region_again(panel, qtbot):
    figure = panel.regions.figure
    qtbot.waitUntil(lambda: bool(figure.plots))
    before = figure.figure
    choose(panel, neural_bar.SOURCE, "model\nvit-lstm")
    assert figure.figure is before
    choose(panel, neural_bar.REGION, panel.results.regions()[3])
    assert figure.figure is not before


def test_lines_of_the_bars_are_told_in_the_window(panel):
    assert "noise&nbsp;ceiling,&nbsp;0.60" in panel.regions.figure._legend.text()
    assert not panel.regions.figure._legend.isHidden()


def test_a_region_without_a_ceiling_has_no_shares_and_says_why(panel):
    region = panel.results.regions()[2]
    found = [
        replace(one, ceiling=0.0) if (one.region, one.measure) == (region, "r") else one
        for one in panel.results.findings
    ]
    panel._read = replace(panel.read, results=replace(panel.results, findings=tuple(found)))
    choose(panel, neural_bar.MEASURE, "share")
    panel.show_page(DISSOCIATION)
    assert panel.dissociation.table.results.table is not None
    choose(panel, neural_bar.REGION, region)
    page = panel.dissociation
    assert page.figure.figure is None
    assert f"the noise ceiling of {region} is 0.00" in page._lacks.text()
    assert page.sentence.isHidden()
    panel.show_page(REGION)
    assert f"the noise ceiling of {region} is 0.00" in panel.region.sentence.text()


def test_no_page_is_wider_than_the_smallest_window(opened, tabled, qtbot):
    """The window is 960 px wide at the least, of which the panel has all but its frame."""
    panel = opened(tabled).panel
    choose(panel, neural_bar.REGION, LONG)
    for page in PAGES:
        panel.show_page(page)
        if page == IMAGES:
            qtbot.waitUntil(lambda: panel.images.highest.count() > 0)
            assert LONG in panel.images.about.text()
        assert panel.minimumSizeHint().width() <= 940, page


def test_images_of_a_table_are_told_as_what_they_are(opened, tabled, qtbot):
    panel = opened(tabled).panel
    page = panel.images
    choose(panel, neural_bar.REGION, "V1 left")
    panel.show_page(IMAGES)
    qtbot.waitUntil(lambda: page.highest.count() > 0)
    assert page.about.text().startswith("Response of V1 left, in the unit of the responses; 3")
    assert (page.highest.count(), page.lowest.count()) == (1, 1)
    page.show_images(ImageResponses((1,), ("one",), np.ones(1)), panel.asked)
    assert "; 1\N{NO-BREAK SPACE}image." in page.about.text()
    assert (page.highest.count(), page.lowest.count()) == (1, 0)
    assert page.lowest.isHidden()
    page.copy()
    assert panel.corner.said.text() == "1\N{NO-BREAK SPACE}image copied"


def test_a_copied_heading_that_is_a_formula_is_text(opened, tabled):
    panel = opened(tabled).panel
    choose(panel, neural_bar.REGION, "=cmd")
    panel.show_page(DISSOCIATION)
    panel.dissociation.taking.copy_table()
    heads = QGuiApplication.clipboard().text().splitlines()[0].split("\t")
    assert "'=cmd" in heads
    assert not any(head.startswith("=") for head in heads)


def test_a_new_theme_and_a_closed_project(world):
    panel = world.panel
    QGuiApplication.sendEvent(panel, QEvent(QEvent.Type.PaletteChange))
    panel.show_study(None)
    assert panel.results is None
    assert not panel.isEnabled()
    assert panel.regions.table.results.table is None
