"""The table of scores says what the project says, and leads to images."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QWidget

from gazeapp.engine.project import Project
from gazeapp.ui.actions import Actions
from gazeapp.ui.notifications import Notifications
from gazeapp.ui.panels.quality_plot import spread
from gazeapp.ui.panels.results_cells import CELL_ROLE, GROUP
from gazeapp.ui.panels.results_corner import BY_METRIC
from gazeapp.ui.panels.results_table import SORT_ROLE
from gazeapp.ui.panels.score_table import about_metric, number, score_table
from gazeapp.ui.panels.scores import ScoresPanel
from gazeapp.ui.selection import Selection
from gazeapp.ui.session import Session
from gazeapp.ui.study import PEOPLE, read_study
from tests.ui.small_study import MODELS, build


class Desk:
    """The panel on a project, as the window shows it."""

    def __init__(self, qtbot, path, **chosen):
        from gazeapp.ui.app import make_app

        with Project.open(path) as project:
            self.study = read_study(project)
            self.summary = project.scores.summary()
            self.scores = project.scores.all()
        self.selection = Selection()
        self.selection.update(**{"task": "general", "image_id": next(iter(self.study.images)), **chosen})
        self.session = Session(Notifications(make_app()))
        self.session.path = path
        self.host = QWidget()
        self.panel = ScoresPanel(self.selection, self.session, Actions(self.host))
        for widget in (self.host, self.panel, self.panel.corner):
            qtbot.addWidget(widget)
        self.panel.resize(1200, 300)
        self.panel.show()
        self.qtbot = qtbot
        self.show(self.study)

    def show(self, study):
        self.study = study
        self.panel.show_study(study)
        if study.summary:
            self.qtbot.waitUntil(lambda: self.panel.figure.figure is not None)
        else:
            self.qtbot.waitUntil(lambda: self.panel._read is not None)

    @property
    def model(self):
        return self.panel.table.results

    def index(self, source, column):
        rows = [r for r, row in enumerate(self.model.rows) if getattr(row, "source", "") == source]
        return self.model.index(rows[0], self.model.column_of(column))

    def sources(self):
        order = self.panel.table.model()
        places = [self.panel.table.place_of(order.index(k, 0))[0] for k in range(order.rowCount())]
        return [self.model.rows[k].source for k in places if self.model.rows[k].kind != GROUP]

    def strips(self):
        """What each strip of points shows: source -> image id -> value."""
        found = {}
        for item in self.panel.figure.plots[0].points:
            for point in item.points():
                series, k = point.data()
                if series.keys:
                    image_id, source = series.keys[k]
                    found.setdefault(source, {})[image_id] = point.pos().x()
        return found


@pytest.fixture
def desk(qtbot, study):
    made = Desk(qtbot, study.path)
    yield made
    made.session.stop()


@pytest.fixture
def two_tasks(qtbot, tmp_path):
    made = Desk(qtbot, build(tmp_path / "two", tasks=("general", "social")).path)
    yield made
    made.session.stop()


def test_every_number_is_the_stores_own(desk):
    shown = 0
    for row in desk.summary:
        if row.task != "general":
            continue
        cell = desk.index(row.source, row.metric).data(CELL_ROLE)
        assert (cell.value, cell.percent, cell.percent_low, cell.percent_high) == (
            row.mean,
            row.percent,
            row.ci_low,
            row.ci_high,
        )
        assert desk.index(row.source, row.metric).data(Qt.ItemDataRole.DisplayRole) == number(row.mean)
        shown += 1
    assert shown == 8
    ceiling = desk.index(PEOPLE, "nss").data(CELL_ROLE)
    assert (ceiling.value, ceiling.percent) == (2.0, 100.0)


def test_the_tooltip_says_where_a_number_came_from(desk):
    row = next(r for r in desk.summary if r.source == "cnn-lstm" and r.metric == "nss")
    tip = desk.index("cnn-lstm", "nss").data(Qt.ItemDataRole.ToolTipRole).replace("\n", " ")
    settings = desk.study.settings[row.settings_id]
    for part in (
        settings.hash,
        f"{row.n_images} images",
        f"{row.n_subjects} people",
        "86.0 % of the ceiling",
        "80.0 to 92.0",
        "NSS = mean over fixations",
        "percent = 100",
        "preset tuebingen",
    ):
        assert part in tip
    header = desk.model.headerData(1, Qt.Orientation.Horizontal, Qt.ItemDataRole.ToolTipRole)
    assert "standard deviations" in header.replace("\n", " ")


def test_columns_sort_by_their_numbers_both_ways(desk):
    column = desk.model.column_of("nss")
    for order, reverse in ((Qt.SortOrder.AscendingOrder, False), (Qt.SortOrder.DescendingOrder, True)):
        desk.panel.table.sortByColumn(column, order)
        table = desk.panel.table.model()
        values = [table.index(row, column).data(SORT_ROLE) for row in range(table.rowCount())]
        assert values == sorted(values, reverse=reverse)
    assert desk.sources()[0] == PEOPLE


def test_the_table_follows_the_task(desk):
    desk.selection.task = "social"
    assert "'social'" in desk.panel.corner.facts.toolTip()
    desk.selection.task = "nothing"
    assert desk.model.rowCount() == 0


@pytest.mark.parametrize(
    ("looked", "words"),
    [
        (False, "Nobody's gaze is in use under “social”, so nothing can be scored under it."),
        (True, "Nothing has been scored under the task 'social' yet."),
    ],
)
def test_a_task_without_scores_says_why_and_shows_no_figure_of_another_task(qtbot, tmp_path, looked, words):
    path = build(tmp_path / "two", tasks=("general", "social")).path
    with Project.open(path) as project, project.transaction():
        project.db.execute("DELETE FROM summary WHERE task_id = ?", (project.tasks.id_of("social"),))
        if not looked:
            project.db.execute(
                "UPDATE trials SET n_kept = 0 WHERE task_id = ?", (project.tasks.id_of("social"),)
            )
    desk = Desk(qtbot, path)
    assert desk.panel.figure.figure is not None
    desk.selection.task = "social"
    assert desk.model.rowCount() == 0
    assert desk.panel.figure.figure is None
    assert " ".join(desk.panel.corner.facts.toolTip().split()) == words
    page = desk.panel._pages.currentWidget()
    assert page is not desk.panel._split
    assert words in {label.text() for label in page.findChildren(QLabel)}
    desk.selection.task = "general"
    assert desk.panel._pages.currentWidget() is desk.panel._split
    desk.qtbot.waitUntil(lambda: desk.panel.figure.figure is not None)
    desk.session.stop()


def test_a_cell_chooses_its_source_and_metric(desk):
    table = desk.panel.table
    table.setCurrentIndex(table.model().mapFromSource(desk.index("vit-lstm", "cc")))
    assert (desk.selection.source, desk.selection.metric) == ("vit-lstm", "cc")
    desk.selection.update(source="cnn-lstm", metric="nss")
    assert table.model().mapToSource(table.currentIndex()) == desk.index("cnn-lstm", "nss")


def test_points_are_the_scores_of_images_and_lead_to_them(desk):
    want: dict[str, dict[int, float]] = {}
    for row in desk.scores:
        if (row.task, row.metric) == ("general", "nss"):
            want.setdefault(row.source, {})[row.image_id] = row.value
    shown = desk.strips()
    assert list(shown) == [PEOPLE, *(model for model, _ in MODELS)]
    assert {source: shown[source] for source in want} == want
    plot = desk.panel.figure.plots[0]
    strip = plot.points[2]
    point = strip.points()[1]
    plot._clicked(strip, [point])
    series, k = point.data()
    image, source = series.keys[k]
    assert (desk.selection.source, desk.selection.image_id) == (source, image)
    rings = [ring.pos().x() for ring in plot._ring.points()]
    assert rings[1:] == [want[model][image] for model, _ in MODELS]


def test_without_scores_there_is_a_button_to_score(qtbot, tmp_path):
    desk = Desk(qtbot, build(tmp_path / "bare", scored=False).path)
    page = desk.panel._stack.currentWidget()
    assert [b.text() for b in page.findChildren(QPushButton)] == ["Score the study…"]
    desk.panel.show_study(None)
    assert desk.model.rowCount() == 0
    desk.session.stop()


def test_numbers_have_sensible_digits():
    assert [number(v) for v in (1.23456, -0.5, 12.345, None, float("nan"))] == [
        "1.235",
        "−0.500",
        "12.3",
        "–",
        "–",
    ]


def test_equal_values_do_not_hide_each_other():
    offsets = spread(np.zeros(50))
    assert len(set(offsets)) == 50
    assert np.all(np.abs(offsets) <= 1)
    assert np.array_equal(offsets, spread(np.zeros(50)))


def test_a_real_scoring_shows_as_stored_and_truth_has_a_row_of_its_own(qtbot, tmp_path):
    """Score drawn maps with the real verb; every cell is what the project file then says."""
    from gazeapp.engine.workflows.base import SILENT
    from gazeapp.engine.workflows.import_maps import ImportMapsSettings, import_maps
    from gazeapp.engine.workflows.score import ScoreSettings, score

    path = build(tmp_path / "real", images=4, models=2, subjects=5, scored=False).path
    maps = tmp_path / "maps"
    maps.mkdir()
    for place in range(4):
        np.save(maps / f"scene-{place + 1:03}.npy", np.random.default_rng(place).random((12, 20)))
    with Project.open(path) as project:
        import_maps(
            project, ImportMapsSettings(str(maps), "true density", ("general",), kind="truth"), SILENT
        )
        summary = score(
            project,
            ScoreSettings(sigma=8.0, metrics=("nss", "sim"), n_splits=4, n_bootstrap=50, threads=1),
            SILENT,
        )
        assert summary.failed == 0
    desk = Desk(qtbot, path)
    desk.panel.table.fold(False)
    assert desk.sources()[:3] == [PEOPLE, "cnn-lstm", "cnn-transformer"]
    assert {"true_density", "uniform", "centre_bias"} <= set(desk.sources())
    for row in desk.summary:
        if row.source_kind != "human":
            assert desk.index(row.source, row.metric).data(CELL_ROLE).value == row.mean
    reference = desk.index(PEOPLE, "sim")
    halves = next(row for row in desk.summary if (row.source, row.metric) == ("half_vs_half", "sim"))
    assert reference.data(CELL_ROLE).value == halves.mean
    assert reference.data(CELL_ROLE).percent is None
    assert "SIM has no ceiling; this is a reference" in reference.data(Qt.ItemDataRole.ToolTipRole)
    desk.session.stop()


@pytest.mark.parametrize("height", [200, 231, 250, 300])
def test_no_row_is_cut(desk, height):
    desk.panel.resize(1200, height)
    QApplication.processEvents()
    table = desk.panel.table
    room = table.viewport().height()
    size = table.verticalHeader().defaultSectionSize()
    rows = desk.model.rowCount()
    whole = room // size
    assert size * rows <= room or room - size * whole < whole


def test_a_metric_is_explained_by_the_conventions_that_are_shown():
    assert about_metric("auc", "mit") != about_metric("auc", "tuebingen")
    assert "not comparable" in about_metric("auc", "mit")
    assert "not comparable" in about_metric("auc_judd", "tuebingen")
    assert "100 draws" in about_metric("auc_borji", "mit")
    assert "Lower is better" in about_metric("emd", "tuebingen")
    assert "rank correlation of the maps of two halves" in about_metric("spearman", "harmonization")
    assert about_metric("unheard_of", "mit") == "unheard_of"


def test_people_are_told_apart_from_the_ceiling(desk):
    tips = {}
    for estimator in ("loso_extrapolated", "loso"):
        summary = tuple(replace(row, estimator=estimator) for row in desk.study.summary)
        desk.panel._read = replace(desk.panel._read, summary=summary)
        desk.panel._fill()
        tips[estimator] = desk.panel.figure.figure.caption
        desk.panel.show_study(replace(desk.study, summary=summary))
    assert "extrapolated to more people" in tips["loso_extrapolated"]
    assert "a lower bound" in tips["loso"]
    assert "extrapolated" not in tips["loso"]
    tip = desk.index("cnn-lstm", "nss").data(Qt.ItemDataRole.ToolTipRole)
    assert "can pass 100 %" in tip.replace("\n", " ")


def test_a_cell_of_a_source_without_a_pane_stays_the_current_one(desk):
    desk.show(with_baselines(desk.study))
    desk.panel.table.fold(False)
    table = desk.panel.table
    desk.selection.update(source="cnn-lstm", metric="nss")
    table.setCurrentIndex(table.model().mapFromSource(desk.index("uniform", "cc")))
    assert (desk.selection.source, desk.selection.metric) == ("cnn-lstm", "cc")
    assert table.model().mapToSource(table.currentIndex()) == desk.index("uniform", "cc")


def test_a_selection_of_cells_outlives_the_change_of_metric_that_it_causes(desk):
    table, flag = desk.panel.table, desk.panel.table.selectionModel().SelectionFlag.Select
    desk.selection.update(source="cnn-lstm", metric="nss")
    first, last = desk.index("cnn-lstm", "nss"), desk.index("vit-lstm", "cc")
    for index in (first, last):
        table.selectionModel().setCurrentIndex(table.model().mapFromSource(index), flag)
    assert desk.selection.metric == "cc"
    assert {table.place_of(index) for index in table.selectedIndexes()} == {
        (index.row(), index.column()) for index in (first, last)
    }


def with_baselines(study, names=("uniform", "centre_bias", "random")):
    """Return a study with baselines that score less than any model, the second one most."""
    rows = [row for row in study.summary if row.source == "cnn-lstm"]
    heights = (0.0, 0.5, 0.25)
    added = [
        replace(row, source_kind="baseline", source=name, mean=height, percent=100 * height)
        for row in rows
        for name, height in zip(names, heights, strict=True)
    ]
    return replace(study, summary=(*study.summary, *added))


def test_baselines_fold_into_a_row_that_shows_the_best_of_them(desk, qtbot):
    desk.show(with_baselines(desk.study))
    view = desk.panel.table
    assert view.folded
    assert not {"uniform", "centre_bias", "random"} & set(desk.sources())
    group = next(r for r, row in enumerate(desk.model.rows) if row.kind == GROUP)
    cell = desk.model.cell(group, desk.model.column_of("nss"))
    assert (cell.value, cell.percent) == (0.5, 50.0)
    assert "Centre bias" in cell.tooltip
    view.setCurrentIndex(view.model().mapFromSource(desk.model.index(group, 0)))
    qtbot.keyClick(view, Qt.Key.Key_Space)
    assert desk.sources()[-3:] == ["centre_bias", "random", "uniform"]
    qtbot.keyClick(view, Qt.Key.Key_Space)
    assert view.folded


def test_sorting_keeps_models_and_baselines_apart(desk):
    desk.show(with_baselines(desk.study))
    desk.panel.table.fold(False)
    desk.panel.table.sortByColumn(desk.model.column_of("nss"), Qt.SortOrder.AscendingOrder)
    assert desk.sources()[-3:] == ["uniform", "random", "centre_bias"]
    desk.panel.table.sortByColumn(desk.model.column_of("nss"), Qt.SortOrder.DescendingOrder)
    assert desk.sources()[0] == PEOPLE
    assert desk.sources()[-3:] == ["centre_bias", "random", "uniform"]


def test_one_metric_across_tasks(two_tasks):
    desk = two_tasks
    desk.panel.corner.grouping.set_current(BY_METRIC)
    desk.panel.corner.grouping.chosen.emit(BY_METRIC)
    table = desk.panel.table
    assert [column.id for column in desk.model.table.columns] == ["general", "social"]
    for row in desk.summary:
        if row.metric == "nss":
            assert desk.index(row.source, row.task).data(CELL_ROLE).value == row.mean
    table.setCurrentIndex(table.model().mapFromSource(desk.index("vit-lstm", "social")))
    assert (desk.selection.source, desk.selection.task) == ("vit-lstm", "social")
    desk.selection.update(metric="cc")
    assert desk.index("cnn-lstm", "general").data(CELL_ROLE).row.metric == "cc"


def test_a_copied_table_has_means_ceilings_shares_and_intervals(desk):
    desk.panel.table.clearSelection()
    desk.panel.taking.copy_table()
    lines = [line.split("\t") for line in QGuiApplication.clipboard().text().splitlines()]
    head = lines[0]
    row = next(dict(zip(head, line, strict=True)) for line in lines if line[0] == "CNN-LSTM")
    stored = next(r for r in desk.summary if (r.source, r.metric) == ("cnn-lstm", "nss"))
    assert float(row["NSS"]) == stored.mean
    assert float(row["NSS ceiling"]) == stored.ceiling
    share = "NSS share, % of ceiling"
    got = [float(row[f"{share}{end}"]) for end in ("", " (95 % low)", " (95 % high)")]
    assert got == [stored.percent, stored.ci_low, stored.ci_high]
    assert len(lines) == 1 + len(desk.sources())


def test_selected_cells_are_copied_with_their_heads(desk):
    table = desk.panel.table
    column = desk.model.column_of("cc")
    for row in (1, 2):
        table.selectionModel().select(
            table.model().index(row, column), table.selectionModel().SelectionFlag.Select
        )
    table.selectionModel().select(
        table.model().index(0, desk.model.column_of("nss")), table.selectionModel().SelectionFlag.Deselect
    )
    desk.panel.taking.copy_table()
    text = QGuiApplication.clipboard().text()
    assert text.splitlines()[0] == "Source\tCC"
    assert [line.split("\t")[0] for line in text.splitlines()[1:]] == ["CNN-LSTM", "CNN-Transformer"]


def test_formulas_in_names_are_harmless_when_copied(desk):
    models = {
        key: replace(row, name="=1+1") if key == "cnn-lstm" else row for key, row in desk.study.models.items()
    }
    desk.show(replace(desk.study, models=models))
    desk.panel.table.clearSelection()
    desk.panel.taking.copy_table()
    assert "\n'=1+1\t" in QGuiApplication.clipboard().text()


def test_two_map_methods_of_one_model_are_two_rows(desk):
    other = [replace(row, method="rollout") for row in desk.study.summary if row.source == "cnn-lstm"]
    own = tuple(
        replace(row, method="attention") if row.source == "cnn-lstm" else row for row in desk.study.summary
    )
    table = score_table(replace(desk.study, summary=(*own, *other)), "tuebingen", task="general")
    names = [row.name for row in table.rows]
    assert "CNN-LSTM · attention" in names
    assert "CNN-LSTM · rollout" in names


def declare(path, metric):
    """Let the scores of a project be those of a scoring with a declared metric."""
    with Project.open(path) as project, project.transaction():
        settings = project.settings.put("score", {"primary": metric})
        project.db.execute("UPDATE summary SET settings_id = ?", (settings,))
        return read_study(project)


def test_the_declared_metric_leads_and_is_marked(qtbot, study):
    declare(study.path, "cc")
    desk = Desk(qtbot, study.path)
    try:
        assert desk.selection.metric == "cc"
        qtbot.waitUntil(lambda: desk.panel.corner.choice.count() == 2)
        assert desk.panel.corner.choice.currentData() == "cc"
        shown = [desk.panel.corner.choice.itemText(k) for k in range(2)]
        assert shown == ["NSS", "CC ★"]
        qtbot.waitUntil(lambda: "CC" in desk.panel.figure.figure.title)
        heads = [desk.model.headerData(k, Qt.Orientation.Horizontal, 0) for k in range(3)]
        assert heads == ["Source", "NSS", "CC ★"]
        tip = desk.model.headerData(2, Qt.Orientation.Horizontal, Qt.ItemDataRole.ToolTipRole)
        assert "primary metric" in tip
        desk.panel.taking.copy_table()
        assert "★" not in QGuiApplication.clipboard().text()
    finally:
        desk.session.stop()


def test_a_choice_stays_until_another_metric_is_declared(qtbot, study):
    declare(study.path, "cc")
    desk = Desk(qtbot, study.path)
    try:
        desk.selection.metric = "nss"
        desk.show(desk.study)
        assert desk.selection.metric == "nss"
        desk.show(declare(study.path, "nss"))
        desk.selection.metric = "cc"
        desk.show(declare(study.path, "nss"))
        assert desk.selection.metric == "cc"
        desk.panel.show_study(None)
        desk.show(desk.study)
        assert desk.selection.metric == "nss"
    finally:
        desk.session.stop()
