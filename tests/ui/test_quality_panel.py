"""The quality panel shows what the engine found, sorts and filters it, and leads to images."""

import csv

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPushButton, QWidget

from gazeapp.engine.project import Project
from gazeapp.engine.reports import quality as q
from gazeapp.engine.types import Json
from gazeapp.ui.actions import Actions
from gazeapp.ui.notifications import Notifications
from gazeapp.ui.panels.quality import RECORDINGS, TRIALS, QualityPanel
from gazeapp.ui.panels.quality_plot import MOST_POINTS, _thinned
from gazeapp.ui.panels.quality_table import MARK, MOST_COPIED, QualityModel
from gazeapp.ui.selection import Selection
from gazeapp.ui.session import Session
from gazeapp.ui.study import read_study
from tests.ui.small_study import build

LOST = (0.031, 0.02, 0.03, 0.04, 0.45, 0.025)
"""Share lost of subjects S01 to S06."""


def plant(path, figures):
    """Store figures, a function of (subject, image id), with every trial."""
    with Project.open(path) as project:
        changes: dict[int, Json] = {}
        for trial in project.gaze.trials():
            changes[trial.id] = {"quality": {"n_recorded": trial.n_fixations, **figures(trial)}}
        project.gaze.change_trials(changes)


@pytest.fixture
def path(tmp_path):
    made = build(tmp_path / "study", subjects=6, models=0, scored=False).path
    plant(
        made,
        lambda t: {
            "share_lost": LOST[int(t.subject[1:]) - 1],
            "n_samples": 1000,
            "median_duration_ms": 200.0 + t.id,
        },
    )
    return made


class Desk:
    def __init__(self, qtbot, path):
        from gazeapp.ui.app import make_app

        self.path = path
        self.selection = Selection()
        self.session = Session(Notifications(make_app()))
        self.host = QWidget()
        self.actions = Actions(self.host)
        self.panel = QualityPanel(self.selection, self.session, self.actions)
        for widget in (self.host, self.panel, self.panel.corner):
            qtbot.addWidget(widget)
        self.panel.resize(1200, 260)
        with Project.open(path) as project:
            self.study = read_study(project)
            self.found = q.read_quality(project)
        self.session.path = path
        self.panel.show_study(self.study)

    def column(self, key):
        model = self.panel.model
        return [
            model.index(row, model.column_of(key)).data(Qt.ItemDataRole.DisplayRole)
            for row in range(model.rowCount())
        ]

    def click(self, place):
        self.panel.table.clicked.emit(self.panel.model.index(place, 0))


@pytest.fixture
def desk(qtbot, path):
    made = Desk(qtbot, path)
    made.panel.show()
    qtbot.waitUntil(lambda: made.panel.quality is not None)
    made.panel.table.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
    yield made
    made.session.stop()


def test_nothing_is_read_before_the_panel_is_in_sight(qtbot, path):
    desk = Desk(qtbot, path)
    assert desk.session.reader.jobs == []
    desk.panel.show()
    qtbot.waitUntil(lambda: desk.panel.quality is not None)
    assert [job.title for job in desk.session.reader.jobs] == ["quality"]
    assert desk.column("subject") == ["S05", "S01", "S02", "S03", "S04", "S06"]  # what stands out comes first
    assert desk.panel.table.horizontalHeader().sortIndicatorSection() == 0
    desk.session.stop()


def test_every_cell_is_the_engines_own(desk):
    assert desk.column("subject") == [f"S{k:02}" for k in range(1, 7)]
    assert desk.column("share_lost") == ["3.1", "2.0", "3.0", "4.0", f"{MARK} 45.0", "2.5"]
    assert desk.column("marks") == ["", "", "", "", MARK, ""]
    assert desk.column("n_trials") == ["3"] * 6
    assert desk.column("longest_gap_ms") == ["–"] * 6
    desk.panel.level.chosen.emit(desk.panel.level.set_current(TRIALS) or TRIALS)
    assert desk.panel.model.rowCount() == 18
    shown = [int(text.removeprefix(f"{MARK} ")) for text in desk.column("median_duration_ms")]
    assert shown == [round(v) for v in desk.found.trials.numbers["median_duration_ms"]]


def test_a_value_that_stands_out_says_why(desk):
    model = desk.panel.model
    tip = model.index(4, model.column_of("share_lost")).data(Qt.ItemDataRole.ToolTipRole)
    middle = desk.found.recordings.middle(4, "share_lost")
    assert (middle.median, middle.mad) == pytest.approx((0.0305, 0.0075))
    for part in ("Share lost: 45.0 %", "Median 3.05 %", "MAD 0.75 %", "6 recordings", "0.6745", "> 3.5"):
        assert part in tip.replace("\n", " ")
    near = model.index(0, model.column_of("share_lost")).data(Qt.ItemDataRole.ToolTipRole)
    assert "0.6745" not in near
    unknown = model.index(0, model.column_of("gaps")).data(Qt.ItemDataRole.ToolTipRole)
    assert "Not known" in unknown
    assert "1 stands out" in desk.panel._line.toolTip()


def test_columns_sort_as_numbers_with_the_unknown_last(desk, path, qtbot):
    panel = desk.panel
    for order, expected in (
        (Qt.SortOrder.AscendingOrder, [1, 5, 2, 0, 3, 4]),
        (Qt.SortOrder.DescendingOrder, [4, 3, 0, 2, 5, 1]),
    ):
        panel.table.sortByColumn(panel.model.column_of("share_lost"), order)
        assert panel.model.rows.tolist() == expected
    assert panel.plot.figure.currentData() == "share_lost"
    plant(path, lambda t: {"rate_hz": 250.0} if t.subject == "S03" else {})
    panel.show_study(desk.study)
    qtbot.waitUntil(lambda: "250" in desk.column("rate_hz"))
    for order in (Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder):
        panel.table.sortByColumn(panel.model.column_of("rate_hz"), order)
        assert desk.column("rate_hz") == ["250", *["–"] * 5]


def test_the_row_in_hand_stays_through_sorting_and_reading_again(desk, qtbot):
    panel = desk.panel
    panel._set_current(4)
    panel.table.sortByColumn(panel.model.column_of("share_lost"), Qt.SortOrder.DescendingOrder)
    assert panel.table.currentIndex().row() == 0
    before = panel.quality
    panel.show_study(desk.study)
    qtbot.waitUntil(lambda: panel.quality is not before)
    assert panel.table.currentIndex().row() == 0
    assert panel.model.rows[0] == 4
    panel.level.set_current(TRIALS)
    panel._choose_level(TRIALS)
    header = panel.table.horizontalHeader()
    assert header.sortIndicatorSection() == panel.model.column_of("share_lost")


def test_words_and_marks_filter(desk, qtbot):
    panel = desk.panel
    panel.filter.setText("made s0")
    qtbot.waitUntil(lambda: not panel._typing.isActive())
    assert panel.model.rowCount() == 6
    panel.filter.setText("S03 MADE")
    qtbot.waitUntil(lambda: panel.model.rowCount() == 1)
    assert desk.column("subject") == ["S03"]
    assert panel._line.text() == "1 of 6 recordings shown"
    panel.filter.clear()
    panel.marked.setChecked(True)
    qtbot.waitUntil(lambda: desk.column("subject") == ["S05"])


def test_a_click_goes_to_the_image_with_the_scanpath(desk):
    panel, found = desk.panel, desk.found
    panel.level.set_current(TRIALS)
    panel._choose_level(TRIALS)
    row = 7
    desk.click(row)
    display = desk.selection.display
    assert desk.selection.image_id == found.image_id[row]
    assert desk.selection.task == "general"
    assert display.subject == found.trials.words["subject"].at(row)
    assert display.show_scanpath


def test_enter_on_a_recording_lists_its_trials_and_the_way_back(desk):
    panel = desk.panel
    panel._activate(panel.model.index(4, 0))
    assert panel.level.current == TRIALS
    assert desk.column("subject") == ["S05"] * 3
    assert desk.selection.display.subject == "S05"
    assert not panel.scope.isHidden()
    panel.scope.click()
    assert panel.model.rowCount() == 18
    assert panel.scope.isHidden()
    panel._choose_level(panel.level.set_current(RECORDINGS) or RECORDINGS)
    assert panel.model.rows[panel.table.currentIndex().row()] == 4


def test_a_point_of_the_plot_chooses_its_recording(desk):
    panel = desk.panel
    panel.plot.show_figure("share_lost")
    near, far = panel.plot.points
    assert sorted([*near.data["data"], *far.data["data"]]) == list(range(6))
    assert far.data["data"].tolist() == [4]
    assert far.data["x"][0] == pytest.approx(45.0)
    assert far.opts["symbol"] != near.opts["symbol"]
    panel.filter.setText("nobody")
    panel._fill()
    panel.plot._clicked(far, far.points()[:1])
    assert panel.model.rows[panel.table.currentIndex().row()] == 4
    assert desk.selection.display.subject == "S05"


def test_copied_rows_have_a_head_and_no_formulas(desk):
    panel = desk.panel
    panel._set_current(4)
    panel.copy_rows()
    head, row, _ = QGuiApplication.clipboard().text().split("\n")
    cells = dict(zip(head.split("\t"), row.split("\t"), strict=True))
    assert cells["Subject"] == "S05"
    assert float(cells["Lost, %"]) == 45.0
    assert cells["Gaps"] == ""
    table = panel.model.table
    words = {**table.words, "subject": q.Words(("=1+1\tx",), np.zeros(6, np.int64))}
    risky = q.QualityTable(words, table.numbers, table.far, table.peers, table.middles)
    panel.model.show_table(risky)
    assert panel.model.copied([0]).split("\n")[1].startswith("'=1+1 x\t")


def test_export_writes_the_table_that_is_shown(desk, qtbot, tmp_path):
    for level, name, n in ((RECORDINGS, "r.csv", 6), (TRIALS, "t.csv", 18)):
        desk.panel.level.set_current(level)
        desk.panel.export(tmp_path / name)
        qtbot.waitUntil(lambda: not desk.session.runner.busy)
        assert len(list(csv.DictReader((tmp_path / name).open(encoding="utf-8")))) == n


def test_the_action_brings_the_tab_to_the_front(open_window, qtbot):
    bench = open_window.bench
    assert bench.quality.quality is None
    open_window.actions_["view.quality"].trigger()
    qtbot.waitUntil(lambda: bench.quality.quality is not None)
    assert bench.quality.isVisible()
    assert bench.quality.model.rowCount() == 8
    open_window.session.close()
    assert bench.quality.model.rowCount() == 0
    assert bench.quality.quality is None


def test_without_recordings_there_is_a_button_to_import(qtbot, tmp_path):
    desk = Desk(qtbot, build(tmp_path / "bare", subjects=0, scored=False).path)
    desk.panel.show()
    qtbot.waitUntil(lambda: desk.panel.quality is not None)
    page = desk.panel._stack.currentWidget()
    assert [button.text() for button in page.findChildren(QPushButton)] == ["Import gaze…"]
    desk.panel.show_study(None)
    assert desk.panel.model.rowCount() == 0
    desk.session.stop()


def test_a_hundred_thousand_trials_sort_and_filter_at_once(qtbot):
    import time

    n = 100_000
    rng = np.random.default_rng(0)
    codes = np.arange(n) % 300
    words = {name: q.Words(tuple(f"{name}{k}" for k in range(300)), codes) for name in ("subject", "image")}
    numbers = {key: rng.normal(size=n) for key in q.COLUMNS}
    numbers["share_lost"][::7] = np.nan
    far = {key: np.abs(numbers[key]) > 4 for key in q.COMPARED}
    words["eye"] = words["task"] = words["recording"] = q.Words(("",), np.zeros(n, np.int64))
    table = q.QualityTable(words, numbers, far, words["task"], {})
    model = QualityModel()
    model.show_table(table)
    start = time.perf_counter()
    model.sort(model.column_of("share_lost"), Qt.SortOrder.DescendingOrder)
    model.sort(model.column_of("subject"))
    assert time.perf_counter() - start < 0.5
    assert model.rowCount() == n
    model.sort(model.column_of("share_lost"))
    values = numbers["share_lost"][model.rows]
    known = np.count_nonzero(np.isfinite(values))
    assert np.all(np.diff(values[:known]) >= 0)
    assert not np.isfinite(values[known:]).any()
    assert model.copied(range(n)).count("\n") == MOST_COPIED + 1
    picked = _thinned(np.arange(n), numbers["gaps"])
    assert len(picked) == MOST_POINTS
    assert {int(np.argmin(numbers["gaps"])), int(np.argmax(numbers["gaps"]))} <= set(picked.tolist())
