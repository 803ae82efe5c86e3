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


def test_a_huge_percentage_gets_wider_ticks():
    chart = percent_chart([NSS], [row("a", 5400.0, 5000.0, 5900.0)])
    assert chart is not None
    ticks = chart.panels[0].ticks
    assert 3 <= len(ticks) <= 8
    assert float(ticks[-1][1].replace(",", "")) >= 5900


def test_without_a_percentage_there_is_no_chart():
    assert percent_chart([SIM], [row("a", 50.0, 25.0, 75.0)]) is None
    assert percent_chart([NSS], []) is None


def test_a_missing_interval_leaves_the_point():
    chart = percent_chart([NSS], [row("a", 40.0, None, None)])
    assert chart is not None
    (mark,) = chart.panels[0].marks
    assert mark.low is None
    assert mark.text == "a: 40\u00a0%"
