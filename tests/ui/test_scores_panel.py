"""The table of scores says what the project says, and leads to images."""

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget

from gazeapp.engine.project import Project
from gazeapp.ui.actions import Actions
from gazeapp.ui.panels.score_plot import spread
from gazeapp.ui.panels.score_table import CELL_ROLE, SORT_ROLE, about_metric, number
from gazeapp.ui.panels.scores import ScoresPanel
from gazeapp.ui.selection import Selection
from gazeapp.ui.study import PEOPLE, read_study
from tests.ui.small_study import MODELS, build


class Desk:
    def __init__(self, qtbot, path):
        with Project.open(path) as project:
            self.study = read_study(project)
            self.summary = project.scores.summary()
            self.scores = project.scores.all()
        self.selection = Selection()
        self.selection.update(task="general", image_id=next(iter(self.study.images)))

        self.host = QWidget()
        self.panel = ScoresPanel(self.selection, Actions(self.host))
        qtbot.addWidget(self.host)
        qtbot.addWidget(self.panel)
        self.panel.resize(1200, 300)
        self.panel.show()
        self.panel.show_study(self.study)

    def index(self, source, metric):
        model = self.panel.model
        rows = [r for r in range(model.rowCount()) if model.source_at(r) == source]
        return model.index(rows[0], model.column_of(metric))

    def sources(self):
        table = self.panel.table.model()
        return [
            self.panel.model.source_at(table.mapToSource(table.index(row, 0)).row())
            for row in range(table.rowCount())
        ]


@pytest.fixture
def desk(qtbot, study):
    return Desk(qtbot, study.path)


def test_every_number_is_the_stores_own(desk):
    shown = 0
    for row in desk.summary:
        if row.task != "general":
            continue
        cell = desk.index(row.source, row.metric).data(CELL_ROLE)
        assert (cell.mean, cell.percent, cell.low, cell.high) == (
            row.mean,
            row.percent,
            row.ci_low,
            row.ci_high,
        )
        assert desk.index(row.source, row.metric).data(Qt.ItemDataRole.DisplayRole) == number(row.mean)
        shown += 1
    assert shown == 8
    ceiling = desk.index(PEOPLE, "nss").data(CELL_ROLE)
    assert (ceiling.mean, ceiling.percent) == (2.0, 100.0)


def test_the_tooltip_says_where_a_number_came_from(desk):
    row = next(r for r in desk.summary if r.source == "cnn-lstm" and r.metric == "nss")
    tip = desk.index("cnn-lstm", "nss").data(Qt.ItemDataRole.ToolTipRole)
    settings = desk.study.settings[row.settings_id]
    for part in (
        settings.hash,
        f"{row.n_images} images",
        f"{row.n_subjects} people",
        "86.0 % of the ceiling",
        "80.0 to 92.0",
    ):
        assert part in tip
    header = desk.panel.model.headerData(1, Qt.Orientation.Horizontal, Qt.ItemDataRole.ToolTipRole)
    assert "standard deviations" in header.replace("\n", " ")


def test_columns_sort_by_their_numbers_both_ways(desk):
    column = desk.panel.model.column_of("nss")
    for order, reverse in ((Qt.SortOrder.AscendingOrder, False), (Qt.SortOrder.DescendingOrder, True)):
        desk.panel.table.sortByColumn(column, order)
        table = desk.panel.table.model()
        values = [table.index(row, column).data(SORT_ROLE) for row in range(table.rowCount())]
        assert values == sorted(values, reverse=reverse)
    assert desk.sources()[0] == PEOPLE


def test_the_table_follows_the_task(desk, qtbot, tmp_path):
    desk.selection.task = "social"
    assert "'social'" in desk.panel._facts.text()
    desk.selection.task = "nothing"
    assert desk.panel.model.rowCount() == 0
    assert "Nothing has been scored" in desk.panel._facts.text()


def test_a_cell_chooses_its_source_and_metric(desk):
    table = desk.panel.table
    table.setCurrentIndex(table.model().mapFromSource(desk.index("vit-lstm", "cc")))
    assert (desk.selection.source, desk.selection.metric) == ("vit-lstm", "cc")
    desk.selection.update(source="cnn-lstm", metric="nss")
    assert table.model().mapToSource(table.currentIndex()) == desk.index("cnn-lstm", "nss")


def test_points_are_the_scores_of_images_and_lead_to_them(desk):
    strips = {strip.points()[0].data()[0]: strip for strip in desk.panel.plot.points}
    shown = {
        source: {point.data()[1]: point.pos().y() for point in strip.points()}
        for source, strip in strips.items()
        if source != PEOPLE
    }
    want: dict[str, dict[int, float]] = {}
    for row in desk.scores:
        if (row.task, row.metric) == ("general", "nss"):
            want.setdefault(row.source, {})[row.image_id] = row.value
    assert shown == want
    assert list(strips) == [PEOPLE, *(model for model, _ in MODELS)]
    strip = desk.panel.plot.points[2]
    point = strip.points()[1]
    desk.panel.plot._clicked(strip, [point])
    source, image = point.data()
    assert (desk.selection.source, desk.selection.image_id) == (source, image)
    assert point.pos().y() == want[source][image]
    rings = [ring.pos().y() for ring in desk.panel.plot._rings.points()]
    assert rings[1:] == [want[model][image] for model, _ in MODELS]


def test_without_scores_there_is_a_button_to_score(qtbot, tmp_path):
    from PySide6.QtWidgets import QPushButton

    desk = Desk(qtbot, build(tmp_path / "bare", scored=False).path)
    page = desk.panel._stack.currentWidget()
    assert [b.text() for b in page.findChildren(QPushButton)] == ["Score the study"]
    desk.panel.show_study(None)
    assert desk.panel.model.rowCount() == 0


def test_numbers_have_sensible_digits():
    assert [number(v) for v in (1.23456, -0.5, 12.345, None, float("nan"))] == [
        "1.235",
        "−0.500",
        "12.3",
        "–",
        "–",
    ]


def test_equal_values_do_not_hide_each_other():
    import numpy as np

    offsets = spread(np.zeros(50))
    assert len(set(offsets)) == 50
    assert np.all(np.abs(offsets) <= 1)
    assert np.array_equal(offsets, spread(np.zeros(50)))


def test_a_real_scoring_shows_as_stored_and_truth_has_a_row_of_its_own(qtbot, tmp_path):
    """Score drawn maps with the real verb; every cell is what the project file then says."""
    import numpy as np

    from gazeapp.engine.workflows.base import SILENT
    from gazeapp.engine.workflows.import_maps import ImportMapsSettings, import_maps
    from gazeapp.engine.workflows.score import ScoreSettings, score

    path = build(tmp_path / "real", images=4, models=2, subjects=5, scored=False).path
    maps = tmp_path / "maps"
    maps.mkdir()
    for place in range(4):
        np.save(maps / f"scene-{place + 1:03}.npy", np.random.default_rng(place).random((12, 20)))
    with Project.open(path) as project:
        truth = ImportMapsSettings(str(maps), "true density", ("general",), kind="truth")
        import_maps(project, truth, SILENT)
        summary = score(project, ScoreSettings(sigma=8.0, n_splits=4, n_bootstrap=50, threads=1), SILENT)
        assert summary.failed == 0
    desk = Desk(qtbot, path)
    assert desk.sources()[:3] == [PEOPLE, "cnn-lstm", "cnn-transformer"]
    assert {"true_density", "uniform", "centre_bias"} <= set(desk.sources())
    for row in desk.summary:
        if row.source_kind != "human":
            assert desk.index(row.source, row.metric).data(CELL_ROLE).mean == row.mean
    truth = [r for r in range(desk.panel.model.rowCount()) if desk.panel.model.source_at(r) == "true_density"]
    assert desk.panel.model.can_be_focused(truth[0])
    assert len(desk.panel.plot.points) == 3
    reference = desk.index(PEOPLE, "sim")
    halves = next(row for row in desk.summary if (row.source, row.metric) == ("half_vs_half", "sim"))
    assert reference.data(CELL_ROLE).mean == halves.mean
    assert reference.data(CELL_ROLE).percent is None
    assert "SIM has no ceiling; this is a reference" in reference.data(Qt.ItemDataRole.ToolTipRole)


@pytest.mark.parametrize("height", [200, 231, 250, 300])
def test_no_row_is_cut(desk, height):
    desk.panel.resize(1200, height)
    QApplication.processEvents()
    table = desk.panel.table
    room = table.viewport().height()
    size = table.verticalHeader().defaultSectionSize()
    rows = desk.panel.model.rowCount()
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
    def score(estimator):
        summary = tuple(replace(row, estimator=estimator) for row in desk.study.summary)
        desk.panel.show_study(replace(desk.study, summary=summary))

    plot = desk.panel.plot
    desk.selection.metric = "nss"
    score("loso_corrected")
    desk.panel.resize(600, 300)
    assert plot._note.text() in ("people: not corrected", "")
    desk.panel.resize(2000, 300)
    assert "the ceiling is corrected" in plot._note.text()
    assert "corrected for how few" in plot._note.toolTip().replace("\n", " ")
    people = plot.points[0].data["data"][0]
    assert people[0] == PEOPLE
    assert "plain leave-one-out" in plot._tip(y=1.0, data=people).replace("\n", " ")
    model = plot.points[1].data["data"][0]
    assert "leave-one-out" not in plot._tip(y=1.0, data=model)
    score("loso")
    assert "lower bound" in plot._note.text()
    tip = desk.index("cnn-lstm", "nss").data(Qt.ItemDataRole.ToolTipRole)
    assert "can pass 100 %" in tip.replace("\n", " ")
