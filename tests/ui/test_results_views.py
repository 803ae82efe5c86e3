"""Every view shows the findings that are stored, says what it needs, and leads to images."""

from types import SimpleNamespace

import numpy as np
import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QApplication, QPushButton

from gazeapp.engine.project import MeasureRow, Project
from gazeapp.engine.reports.results.data import Cell
from gazeapp.engine.scoring.findings import (
    CONCENTRATION,
    CROSS_TASK,
    DIFFERENCE,
    DIFFERENTIATION,
    FACTORIAL,
    LATERALITY,
    OBSERVERS,
    SCANPATH,
)
from gazeapp.ui.panels import results_taking
from gazeapp.ui.panels.results_cells import SCALE_ROLE, ends_text, interval_scale
from gazeapp.ui.panels.results_views import VIEWS
from tests.ui.small_findings import put_findings
from tests.ui.small_study import build
from tests.ui.test_scores_panel import Desk

TASKS = ("general", "social")


@pytest.fixture
def path(tmp_path):
    made = build(tmp_path / "study", tasks=TASKS)
    with Project.open(made.path) as project:
        settings = project.settings.put("test measures", {"seed": 3})
        rng = np.random.default_rng(1)
        project.findings.put_measures(
            MeasureRow(
                image, "general", kind, source, "", "", "task_d", "social", float(rng.random()), settings
            )
            for image in made.images
            for kind, source in (("human", "people"), ("model", "cnn-lstm"))
        )
    return made.path


@pytest.fixture
def desk(qtbot, path):
    with Project.open(path) as project:
        found = put_findings(project)
    made = Desk(qtbot, path)
    made.found = found
    yield made
    made.session.stop()


@pytest.fixture
def bare(qtbot, path):
    """A project that was scored, without any finding."""
    made = Desk(qtbot, path)
    yield made
    made.session.stop()


def shown_values(desk, column_id):
    """Return the values of a column of the table in sight, in its own order."""
    model = desk.model
    column = model.column_of(column_id)
    return [model.cell(row, column).value for row in range(model.rowCount())]


def estimates(desk, analysis, **about):
    return [
        one.estimate
        for one in desk.found
        if one.analysis == analysis and all(getattr(one, name) == value for name, value in about.items())
    ]


@pytest.mark.parametrize(
    ("view", "analysis", "about"),
    [
        ("differences", DIFFERENCE, {"task": "general", "metric": "nss"}),
        ("observers", OBSERVERS, {"metric": "nss"}),
    ],
)
def test_a_table_holds_what_is_stored(desk, view, analysis, about):
    desk.panel.show_view(view)
    assert shown_values(desk, "estimate") == pytest.approx(estimates(desk, analysis, **about))
    assert desk.panel.figure.figure is not None


def test_tests_of_differences_stand_beside_them(desk):
    desk.panel.show_view("differences")
    table = desk.panel.table.results.table
    ids = [column.id for column in table.columns]
    assert ids[:4] == ["estimate", "p", "p_holm", "effect"]
    cells = [row.cells[1:4] for row in table.rows]
    assert [cell.value for cell in cells[0]] == pytest.approx([0.001, 0.006, 0.8])


def test_effects_and_cells_of_the_architecture(desk):
    desk.panel.show_view("factorial")
    assert desk.panel.corner.choice.isHidden()  # one metric is no choice
    values = shown_values(desk, "estimate")
    want = [
        value
        for one, value in zip(
            [f for f in desk.found if f.analysis == FACTORIAL], estimates(desk, FACTORIAL), strict=True
        )
        if one.term != "cell" and not one.unit
    ]
    assert set(np.round(want, 9)) <= set(np.round([v for v in values if v is not None], 9))
    plots = desk.panel.figure.plots
    assert len(plots) == 4  # two tasks, in units of the metric and in percent
    lines = {series.name: series.y.tolist() for series in plots[0].axes.series}
    assert lines == {"CNN": pytest.approx([0.6, 0.8]), "ViT": pytest.approx([1.0, 1.2])}
    assert len(desk.panel._shown.tables) == 2


def test_concentration_has_a_choice_of_measures(desk):
    desk.panel.show_view("concentration")
    assert estimates(desk, CONCENTRATION, task="general", metric="entropy", term="people")[0] in shown_values(
        desk, "entropy"
    )
    assert len(desk.panel.figure.plots) == 4
    choice = desk.panel.corner.choice
    choice.setCurrentIndex(choice.findData("gini"))
    choice.activated.emit(choice.currentIndex())
    assert [plot.axes.title for plot in desk.panel.figure.plots] == ["Gini coefficient"]
    assert desk.selection.metric == "nss"


def test_change_with_the_task_and_the_matrix_of_tasks(desk):
    desk.panel.show_view("tasks")
    assert estimates(desk, DIFFERENTIATION, metric="task_d", term="people")[0] in shown_values(desk, "task_d")
    tables = desk.panel.tables
    tables.setCurrentIndex(1)
    tables.activated.emit(1)
    ids = [column.id for column in desk.model.table.columns]
    assert "general_on_social" in ids
    assert set(shown_values(desk, "general_on_social")) == {
        one.estimate
        for one in desk.found
        if (one.analysis, one.task, one.against, one.metric) == (CROSS_TASK, "social", "general", "nss")
    }


def test_a_point_of_the_change_with_the_task_leads_to_its_image(desk):
    desk.panel.show_view("tasks")
    plot = next(plot for plot in desk.panel.figure.plots if plot.points)
    strip = plot.points[0]
    series, k = strip.points()[2].data()
    image, source = series.keys[k]
    plot._clicked(strip, [strip.points()[2]])
    assert (desk.selection.image_id, desk.selection.source) == (image, source)
    ring = plot._ring.points()
    assert [(spot.pos().x(), spot.pos().y()) for spot in ring] == [(series.x[k], series.y[k])]


def test_sides_and_scanpaths(desk):
    desk.panel.show_view("sides")
    assert shown_values(desk, "laterality") == pytest.approx(estimates(desk, LATERALITY, task="general"))
    desk.panel.show_view("scanpaths")
    people = estimates(desk, SCANPATH, task="general", term="people", against="")
    assert set(people) <= {
        cell.value for row in desk.model.rows for cell in row.cells if isinstance(cell, Cell)
    }


def test_measures_in_rows_have_a_scale_each(desk):
    desk.panel.show_view("scanpaths")
    model = desk.model
    assert model.table.row_header == "Measure"
    for row in range(2):
        scales = {model.index(row, column).data(SCALE_ROLE) for column in (1, 2)}
        assert scales == {interval_scale(model.rows[row].cells)}
    desk.panel.show_view("sides")
    column = desk.model.column_of("laterality")
    scales = {desk.model.index(row, column).data(SCALE_ROLE) for row in range(desk.model.rowCount())}
    assert len(scales) == 1


def test_every_number_says_what_it_is_and_rests_on(desk):
    for view in VIEWS:
        desk.panel.show_view(view.id)
        model = desk.model
        assert model.rowCount(), view.id
        for row in range(model.rowCount()):
            for column in range(1, model.columnCount()):
                cell = model.cell(row, column)
                if cell.value is not None and cell.low is not None:
                    tip = model.index(row, column).data(Qt.ItemDataRole.ToolTipRole)
                    assert "images" in tip.replace("\N{NO-BREAK SPACE}", " "), (view.id, tip)


def test_the_table_follows_the_task(desk):
    desk.panel.show_view("differences")
    desk.selection.task = "social"
    tasks = {one.task for one in desk.found if one.analysis == DIFFERENCE}
    assert tasks == set(TASKS)
    assert "social" in desk.panel.figure.figure.axes[0].title


@pytest.mark.parametrize("view", [view for view in VIEWS if view.analyses], ids=lambda view: view.id)
def test_a_view_without_findings_says_what_it_needs_and_has_the_button_for_it(bare, view):
    bare.panel.show_view(view.id)
    page = bare.panel._pages.currentWidget()
    texts = " ".join(words.text() for words in page.findChildren(type(page._text)))
    assert view.needs in texts
    want = "Compare scanpaths" if view.id == "scanpaths" else "Score the study…"
    assert [button.text() for button in page.findChildren(QPushButton)] == [want]
    item = bare.panel.views.item([one.id for one in VIEWS].index(view.id))
    assert item.foreground() != bare.panel.views.item(0).foreground()


def test_findings_without_scores_are_shown(qtbot, tmp_path):
    path = build(tmp_path / "unscored", scored=False).path
    with Project.open(path) as project:
        put_findings(project)
    desk = Desk(qtbot, path)
    desk.panel.show_view("scanpaths")
    assert desk.panel._stack.currentIndex() == 1
    assert desk.model.rowCount() == 2
    desk.session.stop()


def test_views_are_reached_by_keys_and_remembered(desk, qtbot):
    desk.panel.show_view("scores")
    desk.panel.activateWindow()
    desk.panel.table.setFocus()
    qtbot.waitUntil(lambda: QApplication.focusWidget() is desk.panel.table)
    qtbot.keyClick(desk.panel.table, Qt.Key.Key_Tab, Qt.KeyboardModifier.ControlModifier)
    assert desk.panel.view.id == "differences"
    qtbot.keyClick(desk.panel.views, Qt.Key.Key_Down)
    assert desk.panel.view.id == "factorial"
    assert QSettings().value("scores/view") == "factorial"
    desk.panel.views.show_previous()
    assert desk.panel.view.id == "differences"


def test_a_table_and_a_figure_are_written(desk, qtbot, tmp_path):
    taking = desk.panel.taking
    desk.panel.show_view("differences")
    for suffix in (".svg", ".pdf", ".png"):
        with qtbot.waitSignal(taking.said) as said:
            taking.save_figure(tmp_path / f"figure{suffix}")
        assert said.args == [f"Written: {tmp_path / f'figure{suffix}'}"]
    starts = {".svg": b"<?xml", ".pdf": b"%PDF", ".png": b"\x89PNG"}
    for suffix, start in starts.items():
        assert (tmp_path / f"figure{suffix}").read_bytes().startswith(start)
    with qtbot.waitSignal(taking.said):
        taking.save_table(tmp_path / "table.csv")
    lines = (tmp_path / "table.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 1 + desk.model.rowCount()
    assert "0.3" in lines[1]


def test_a_figure_is_copied_as_a_picture(desk, qtbot):
    desk.panel.show_view("differences")
    QApplication.clipboard().clear()
    with qtbot.waitSignal(desk.panel.taking.said) as said:
        desk.panel.taking.copy_figure()
    assert said.args == ["Figure copied"]
    assert QApplication.clipboard().image().width() > 500


def test_a_right_click_on_a_plot_offers_to_take_it_along(desk, qtbot, monkeypatch):
    desk.panel.show_view("differences")
    places = []
    monkeypatch.setattr(desk.panel.taking.menu, "popup", places.append)
    plot = desk.panel.figure.plots[0]
    middle = plot.viewport().rect().center()
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, middle, plot.viewport().mapToGlobal(middle))
    QApplication.sendEvent(plot.viewport(), event)
    assert places == [plot.viewport().mapToGlobal(middle)]


def test_what_cannot_be_written_is_told_and_leaves_the_window_alone(desk, qtbot, tmp_path):
    taking = desk.panel.taking
    (tmp_path / "file").write_text("not a folder")
    with qtbot.waitSignal(desk.panel.failed) as failed:
        taking.save_table(tmp_path / "file" / "table.csv")
    assert failed.args[0].what
    with qtbot.waitSignal(desk.panel.failed) as failed:
        taking.save_figure(tmp_path / "figure.bmp")
    assert "SVG, PDF or PNG" in failed.args[0].what


def test_scores_of_many_images_are_drawn_off_this_thread(desk, qtbot, monkeypatch):
    from gazeapp.ui.panels import scores

    monkeypatch.setattr(scores, "_DRAWN_AT_ONCE", 0)
    desk.panel.show_view("scores")
    desk.selection.metric = "cc"
    qtbot.waitUntil(lambda: "CC" in desk.panel.figure.figure.title)
    assert "drawing" in [job.title for job in desk.session.reader.jobs]
    want = {
        row.image_id: row.value
        for row in desk.scores
        if (row.task, row.metric, row.source) == ("general", "cc", "vit-lstm")
    }
    assert desk.strips()["vit-lstm"] == want


def test_the_origin_of_a_number_is_copied(desk):
    desk.panel.show_view("differences")
    view = desk.panel.table
    view.setCurrentIndex(view.model().index(0, desk.model.column_of("estimate")))
    desk.panel.taking.copy_origin()
    text = QApplication.clipboard().text()
    assert "CNN-LSTM − CNN-Transformer" in text
    assert "test findings" in text


def test_intervals_are_drawn_on_one_scale_with_0_where_it_is_near():
    def cells(*ends):
        return [Cell("", 0.0, "", low, high) for low, high in ends]

    assert interval_scale(cells((0.1, 0.3), (0.2, 0.4))) == (0.0, 0.4)
    assert interval_scale(cells((-0.4, -0.1))) == (-0.4, 0.0)
    assert interval_scale(cells((0.9, 0.95), (0.92, 0.97))) == (0.9, 0.97)
    assert interval_scale(cells((None, None))) is None
    assert interval_scale(cells((0.0, 0.0))) is None


def test_intervals_are_written_with_the_decimals_of_their_number():
    assert ends_text(Cell("0.30", 0.3, "", 0.2, 0.416)).replace("\N{NO-BREAK SPACE}", " ") == "[0.20, 0.42]"
    assert ends_text(Cell("84 %", 84.2, "", 80.4, 88.1)).replace("\N{NO-BREAK SPACE}", " ") == "[80, 88]"
    assert ends_text(Cell("0.30", 0.3)) == ""


@pytest.mark.parametrize(
    ("figure_id", "offered"),
    [("neural_r_V1_general", "neural_r_V1_general.svg"), ("dissociation_r", "neural_dissociation_r.svg")],
)
def test_the_name_that_is_offered_names_the_panel_once(desk, monkeypatch, figure_id, offered):
    taking, asked = desk.panel.taking, []
    monkeypatch.setattr(taking, "name", "neural")
    monkeypatch.setattr(taking, "_figure", SimpleNamespace(figure=SimpleNamespace(id=figure_id)))
    monkeypatch.setattr(results_taking, "ask_where_to_save", lambda *words: asked.append(words[4]))
    taking.menu.figure.trigger()
    assert asked == [offered]
