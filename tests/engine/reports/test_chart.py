from itertools import pairwise

import pytest

from gazeapp.engine.reports.chart import percent_chart
from gazeapp.engine.reports.content import Cell, MetricColumn, SourceRow

NSS = MetricColumn("nss", 2.0, "loso", 0.0, True)
SIM = MetricColumn("sim", 0.7, "half_vs_half", None, False)


def row(name, percent, low, high):
    cell = Cell(1.0, percent, low, high, 10)
    return SourceRow("model", name, "", name, "#000000", 10, (cell, Cell(0.5, None, None, None, 10)))


def test_marks_lie_where_their_percentage_is():
    chart = percent_chart([NSS, SIM], [row("a", 50.0, 25.0, 75.0), row("b", 100.0, 100.0, 100.0)])
    assert chart is not None
    (panel,) = chart.panels
    assert [label for _, label in panel.ticks] == ["0", "25", "50", "75", "100"]
    positions = {label: x for x, label in panel.ticks}
    first, second = panel.marks
    assert (first.low, first.x, first.high) == (positions["25"], positions["50"], positions["75"])
    assert second.x == panel.hundred == positions["100"]
    assert panel.zero == positions["0"]
    assert first.y < second.y < chart.bottom


def test_the_axis_has_room_for_everything_and_is_not_lengthened_by_rounding():
    chart = percent_chart([NSS], [row("a", -3.0, -8.0, 2.0), row("b", 100.00000001, 99.0, 100.00000001)])
    assert chart is not None
    assert [label for _, label in chart.panels[0].ticks] == ["−25", "0", "25", "50", "75", "100"]
    lowest = chart.panels[0].marks[0].low
    assert lowest is not None
    assert chart.panels[0].left < lowest


def test_an_extreme_percentage_is_an_arrow_with_its_number_and_flattens_no_other():
    rows = [row("a", -2000.0, -3000.0, 40.0), row("b", 50.0, 25.0, 75.0), row("c", 5400.0, 5000.0, 5900.0)]
    chart = percent_chart([NSS], rows)
    assert chart is not None
    (panel,) = chart.panels
    assert [label for _, label in panel.ticks] == ["0", "25", "50", "75", "100"]
    low, inside, high = panel.marks
    ends = panel.ticks[0][0], panel.ticks[-1][0]
    assert (low.x, low.arrow, low.label, low.low, low.high) == (ends[0], "left", "−2,000\u00a0%", None, None)
    assert (high.x, high.arrow, high.label) == (ends[1], "right", "5,400\u00a0%")
    assert (inside.arrow, inside.label) == ("", "")
    assert inside.x == pytest.approx(sum(ends) / 2, abs=0.1)


def test_the_axis_reaches_out_to_300_and_not_farther():
    chart = percent_chart([NSS], [row("a", 280.0, -290.0, 900.0)])
    assert chart is not None
    (panel,) = chart.panels
    assert [label for _, label in panel.ticks] == ["", "−200", "", "0", "", "200", ""]
    (mark,) = panel.marks
    assert (mark.arrow, mark.low_is_beyond, mark.high_is_beyond) == ("", False, True)
    assert mark.high == panel.ticks[-1][0]


def test_each_panel_has_its_own_axis():
    auc = MetricColumn("auc", 0.8, "loso", 0.5, True)
    cells = (Cell(1.0, 50.0, 40.0, 60.0, 10), Cell(0.9, 180.0, 150.0, 210.0, 10))
    chart = percent_chart([NSS, auc], [SourceRow("model", "a", "", "a", "#000000", 10, cells)])
    assert chart is not None
    first, second = chart.panels
    assert first.ticks[-1][1] == "100"
    assert second.ticks[-1][1] == "250"
    assert (first.lower_bound, second.lower_bound) == (True, True)


def test_tick_labels_do_not_touch():
    for value in (-299.0, -120.0, 7.0, 160.0, 260.0, 300.0, 1e6):
        chart = percent_chart([NSS], [row("a", value, value - 40, value + 40)])
        assert chart is not None
        places = [x for x, label in chart.panels[0].ticks if label]
        widest = max(len(label) for _, label in chart.panels[0].ticks)
        # 11 px type: a digit is about 0.64 em wide in a wide face, and a space must be left.
        assert min(b - a for a, b in pairwise(places)) > 0.64 * 11 * widest + 5


def test_without_a_percentage_there_is_no_chart():
    assert percent_chart([SIM], [row("a", 50.0, 25.0, 75.0)]) is None
    assert percent_chart([NSS], []) is None


def test_a_missing_interval_leaves_the_point():
    chart = percent_chart([NSS], [row("a", 40.0, None, None)])
    assert chart is not None
    (mark,) = chart.panels[0].marks
    assert mark.low is None
    assert mark.text == "a: 40\u00a0%"
