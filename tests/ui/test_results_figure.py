"""A figure of results is drawn as its data say: places, intervals, bars, names that fit."""

from itertools import pairwise

import numpy as np
import pyqtgraph as pg
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QApplication

from gazeapp.engine.reports.results.data import Axes, Figure, Line, Series
from gazeapp.engine.reports.results.findings import PLAIN_COLOUR
from gazeapp.ui import theme
from gazeapp.ui.panels.results_axes import MOST_POINTS, ResultPlot, broken, shortened
from gazeapp.ui.panels.results_figure import FigureView


def points(x, y, **more):
    about = {"name": "CNN", "colour": "#0072B2", "kind": "model", **more}
    return Series(x=np.asarray(x, dtype=float), y=np.asarray(y, dtype=float), **about)


def axes(*series, **more):
    return Axes(**{"title": "Task general", "x_label": "Decoder", "y_label": "NSS", "series": series, **more})


@pytest.fixture
def plot(qtbot):
    made = ResultPlot()
    qtbot.addWidget(made)
    made.resize(400, 300)
    made.show()
    return made


def spots(plot):
    return sorted((spot.pos().x(), spot.pos().y()) for spot in plot.marks.points())


def curves(plot):
    return [
        item
        for item in plot.getPlotItem().items
        if isinstance(item, pg.PlotCurveItem) and len(item.getData()[0])
    ]


def test_points_and_intervals_lie_where_the_data_say(plot):
    low, high = np.array([0.5, np.nan]), np.array([0.8, 1.0])
    plot.show_axes(axes(points([0, 1], [0.6, 0.9], low=low, high=high)))
    assert spots(plot) == [(0.0, 0.6), (1.0, 0.9)]
    (interval,) = curves(plot)
    assert [part.tolist() for part in interval.getData()] == [[0.0, 0.0], [0.5, 0.8]]


def test_horizontal_axes_have_values_along_x_and_rows_from_the_top(plot):
    plot.show_axes(axes(points([0, 1], [0.6, 0.9]), horizontal=True, x_ticks=((0.0, "one"), (1.0, "two"))))
    assert spots(plot) == [(0.6, 0.0), (0.9, 1.0)]
    assert plot.getViewBox().yInverted()
    plot.show_axes(axes(points([0, 1], [0.6, 0.9])))
    assert not plot.getViewBox().yInverted()


def test_positions_on_a_logarithmic_scale(plot):
    plot.show_axes(axes(points([1, 10, 100], [1, 2, 3]), x_log=True))
    assert [x for x, _ in spots(plot)] == pytest.approx([0.0, 1.0, 2.0])
    labels = plot.getPlotItem().getAxis("bottom")._tickLevels[0]
    assert labels == [(0.0, "1"), (1.0, "10"), (2.0, "100")]


def test_numbers_of_an_axis_are_never_scaled_by_a_prefix(plot):
    for _ in range(2):
        plot.show_axes(axes(points([0, 1], [0.002, 0.004])))
        QApplication.processEvents()
    for side in ("left", "bottom"):
        assert plot.getPlotItem().getAxis(side).autoSIPrefixScale == 1.0


def test_bars_reach_from_0_to_their_value_and_have_a_tooltip(plot):
    plot.show_axes(
        axes(
            points([0], [40.0], bars=True, marker="", texts=("forty",)),
            horizontal=True,
            x_ticks=((0.0, "a"),),
        )
    )
    (bar,) = [item for item in plot.getPlotItem().items if isinstance(item, pg.BarGraphItem)]
    assert (bar.opts["x0"].tolist(), bar.opts["x1"].tolist()) == ([0.0], [40.0])
    spot = plot.marks.points()[0]
    assert plot.marks.opts["tip"](x=0.0, y=0.0, data=spot.data()) == "forty"
    assert spot.brush().color().alpha() == 0


def test_bars_of_many_series_are_one_item_in_their_own_colours(plot):
    both = [
        points([0, 1], [1.0, np.nan], bars=True, marker="", colour="#0072B2"),
        points([2], [3.0], bars=True, marker="", colour="#D55E00", base=np.array([1.0])),
    ]
    plot.show_axes(axes(*both))
    (bar,) = [item for item in plot.getPlotItem().items if isinstance(item, pg.BarGraphItem)]
    assert (bar.opts["x"].tolist(), bar.opts["y0"].tolist(), bar.opts["y1"].tolist()) == (
        [0, 2],
        [0, 1],
        [1, 3],
    )
    assert [brush.color().name() for brush in bar.opts["brushes"]] == ["#0072b2", "#d55e00"]


def test_unknown_values_are_not_drawn(plot):
    plot.show_axes(axes(points([0, 1, 2], [0.6, np.nan, 0.9]), points([0], [np.nan], name="nothing")))
    assert spots(plot) == [(0.0, 0.6), (2.0, 0.9)]


def test_of_many_points_some_are_drawn_from_the_lowest_to_the_highest(plot):
    values = np.random.default_rng(0).random(3 * MOST_POINTS)
    keys = tuple((k, "a") for k in range(len(values)))
    plot.show_axes(axes(points(np.zeros(len(values)), values, small=True, keys=keys)))
    shown = [spot.pos().y() for spot in plot.points[0].points()]
    assert len(shown) == MOST_POINTS
    assert {min(shown), max(shown)} == {values.min(), values.max()}
    hidden = next(k for k, value in enumerate(values) if value not in shown)
    plot.mark_image(hidden)  # is ringed all the same
    assert [spot.pos().y() for spot in plot._ring.points()] == [values[hidden]]


def test_points_of_other_sources_step_back(plot):
    keys = {"a": ((1, "a"), (2, "a")), "b": ((1, "b"), (2, "b"))}
    plot.show_axes(axes(*(points([0, 0], [1, 2], small=True, keys=keys[name]) for name in "ab")))

    def alphas():
        return [item.points()[0].brush().color().alpha() for item in plot.points]

    assert alphas()[0] == alphas()[1]
    plot.emphasise("b")
    assert alphas()[0] < alphas()[1]


def test_rings_mark_an_image_and_are_joined_in_rows_only(plot):
    keys = {"a": ((1, "a"), (2, "a")), "b": ((1, "b"), (2, "b"))}
    series = [points([k, k], [1 + k, 2 + k], small=True, keys=keys[name]) for k, name in enumerate("ab")]
    plot.show_axes(axes(*series, x_ticks=((0.0, "a"), (1.0, "b"))))
    plot.mark_image(2)
    assert [(r.pos().x(), r.pos().y()) for r in plot._ring.points()] == [(0.0, 2.0), (1.0, 3.0)]
    assert plot._path.getData()[0].tolist() == [0.0, 1.0]
    plot.show_axes(axes(*series), image_id=2)
    assert len(plot._ring.points()) == 2
    assert plot._path.getData()[0] is None or not len(plot._path.getData()[0])


def test_a_click_on_a_point_that_is_no_image_does_nothing(plot, qtbot):
    plot.show_axes(axes(points([0], [1.0])))
    with qtbot.assertNotEmitted(plot.chosen):
        plot._clicked(plot.marks, plot.marks.points())


@pytest.mark.parametrize(
    ("x", "y", "below", "image"), [(0, 1.0, 3, 7), (0, 1.1, -3, 8), (1, 3.0, 1, 9), (1, 2.0, 0, None)]
)
def test_a_click_on_a_mark_over_points_of_images_goes_to_the_nearest_of_them(plot, qtbot, x, y, below, image):
    plot.resize(400, 300)
    plot.show()
    dots = points([0, 0, 1], [1.0, 1.1, 3.0], small=True, keys=((7, "a"), (8, "a"), (9, "a")))
    plot.show_axes(axes(dots, points([0, 0, 1], [1.0, 1.1, 2.0])))
    plot.getViewBox().updateAutoRange()
    chosen = []
    plot.chosen.connect(lambda image, _source: chosen.append(image))
    place = QPointF(x, y - below * plot.getViewBox().viewPixelSize()[1])
    at = plot.mapFromScene(plot.getViewBox().mapViewToScene(place))
    qtbot.mouseClick(plot.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert chosen == ([] if image is None else [image])


def click(plot, qtbot, x, y):
    at = plot.mapFromScene(plot.getViewBox().mapViewToScene(QPointF(x, y)))
    qtbot.mouseClick(plot.viewport(), Qt.MouseButton.LeftButton, pos=at)


def test_a_click_on_a_bar_or_a_point_picks_what_it_stands_for(plot, qtbot):
    bars = [
        points([k], [value], bars=True, marker="", about=(("V1", "model", name),))
        for k, (name, value) in enumerate((("a", 4.0), ("b", 2.0), ("c", -1.0)))
    ]
    plot.show_axes(axes(*bars, horizontal=True, x_ticks=((0.0, "a"), (1.0, "b"), (2.0, "c"))))
    plot.getViewBox().updateAutoRange()
    picked = []
    plot.picked.connect(lambda *about: picked.append(about))
    for x, y in ((0.5, 0.2), (3.5, 0.0), (1.0, 0.8), (-0.5, 2.0), (3.0, 1.0)):
        click(plot, qtbot, x, y)
    assert [source for _, _, source in picked] == ["a", "a", "b", "c"]
    two = points([0, 4], [1.0, 2.0], about=(("V1", "model", "a"), ("V2", "model", "a")))
    plot.show_axes(axes(two))
    plot.getViewBox().updateAutoRange()
    click(plot, qtbot, 4, 2.0)
    assert picked[-1] == ("V2", "model", "a")
    n = len(picked)
    click(plot, qtbot, 2, 1.5)
    assert len(picked) == n


def test_reference_lines(plot):
    lines = (Line(100.0, "ceiling"), Line(0.0, "", "both"), Line(1.0, "here", "x"))
    plot.show_axes(axes(points([0, 1], [40, 50]), lines=lines))
    drawn = [item for item in plot.getPlotItem().items if isinstance(item, pg.InfiniteLine)]
    assert [(line.angle, line.value()) for line in drawn if line.angle != 45] == [(0, 100.0), (90, 1.0)]
    assert drawn[0].toolTip() == "ceiling"


def test_names_break_into_lines_that_fit(qtbot):
    metrics = QFontMetrics(QApplication.font())
    room = metrics.horizontalAdvance("CNN-Transformer") + 2
    text = broken("CNN-Transformer and another name", metrics, room)
    assert text.startswith("CNN-Transformer\n")
    assert all(metrics.horizontalAdvance(line) <= room for line in text.split("\n"))
    assert "\n" not in broken("CNN-Transformer and another name", metrics, room, most=1)
    assert broken("short", metrics, room) == "short"


@pytest.fixture
def view(qtbot):
    made = FigureView("Figure")
    qtbot.addWidget(made)
    made.resize(400, 300)
    made.show()
    return made


def figure(id_="one", n=1, **more):
    return Figure(
        id_, f"Title {id_}", "How to read it.", tuple(axes(points([0], [1.0])) for _ in range(n)), **more
    )


def test_the_figure_that_was_drawn_stays_when_figures_come_anew(view):
    view.show_figures([figure("one"), figure("two")])
    assert view.figure.id == "one"
    view._choice.setCurrentIndex(1)
    view._choice.activated.emit(1)
    assert view.figure.id == "two"
    view.show_figures([figure("two", 2), figure("three")])
    assert view.figure.id == "two"
    assert len(view.plots) == 2
    view.show_figures([figure("four")])
    assert view.figure.id == "four"
    assert [plot.isVisible() for plot, _ in view._pool] == [True, False]
    view.show_figures([])
    assert view.figure is None
    assert view.plots == []


def test_plots_stand_side_by_side_where_there_is_room(view):
    view.show_figures([figure(n=4, columns=2)])
    QApplication.processEvents()

    def columns():
        return len({plot.geometry().left() for plot in view.plots})

    assert columns() == 1
    view.resize(1200, 600)
    QApplication.processEvents()
    assert columns() == 2


def test_a_legend_names_series_and_escapes_what_they_are_called(view):
    both = axes(points([0], [1.0], name="<b>"), points([1], [1.0], name="ViT", colour="#D55E00"))
    view.show_figures([Figure("one", "Title", "", (both,))])
    assert "&lt;b&gt;" in view._legend.text()
    assert "#d55e00" in view._legend.text()
    assert view._legend.isVisible()
    view.show_figures([figure()])
    assert not view._legend.isVisible()


def test_lines_that_are_named_stand_in_the_legend_as_they_are_drawn(view):
    lines = (
        Line(1.0, "ceiling", named=True),
        Line(0.5, "planted", dashed=False, named=True),
        Line(0.0, "zero"),
    )
    one = Figure("one", "Title", "", (axes(points([0], [1.0]), lines=lines, legend=False),))
    view.show_figures([one])
    assert view._legend.isVisible()
    assert [part.split("</span>&nbsp;") for part in view._legend.text().split("&nbsp; ")] == [
        [f"<span style='color:{theme.colors().muted}'>╌╌", "ceiling"],
        [f"<span style='color:{theme.colors().muted}'>──", "planted"],
    ]


def test_a_figure_that_is_drawn_is_not_drawn_again_when_others_change(view):
    both = [figure("one"), figure("two")]
    view.show_figures(both)
    mark = view.plots[0].marks
    view.show_figures([both[0], figure("two")])
    assert view.plots[0].marks is mark
    view.show_figures([figure("one"), both[1]])
    assert view.plots[0].marks is not mark


def test_of_figures_that_come_in_a_row_the_last_is_drawn(qtbot, monkeypatch):
    view = FigureView("Figure", waits=True)
    qtbot.addWidget(view)
    view.show()
    drawn = []
    monkeypatch.setattr(ResultPlot, "redraw", lambda plot: drawn.append(plot.axes.title))
    for name in ("a", "b", "c"):
        view.show_figures([Figure(name, name, "", (axes(points([0], [1.0]), title=name),))])
        assert view.figure.id == name
    qtbot.waitUntil(lambda: bool(drawn))
    assert drawn == ["c"]


def test_the_caption_and_the_lines_are_in_the_tooltip(view):
    one = Figure("one", "Title", "How to read it.", (axes(points([0], [1.0]), lines=(Line(0.0, "chance"),)),))
    view.show_figures([one])
    assert view._title.text() == "Title"
    for part in ("How to read it.", "chance"):
        assert part in view._title.toolTip()


def test_a_new_theme_gives_new_colours(view, qtbot):
    look = theme.Theme(QApplication.instance(), "light")
    view.show_figures([figure()])
    look.set_mode("dark")
    QApplication.processEvents()
    assert view.plots[0].backgroundBrush().color().name() == theme.DARK.base
    look.set_mode("light")


def test_what_belongs_to_no_source_can_be_seen_on_dark_ground(plot, qtbot):
    look = theme.Theme(QApplication.instance(), "dark")
    try:
        plot.show_axes(axes(points([0], [1.0], colour=PLAIN_COLOUR, name="")))
        (spot,) = plot.marks.points()
        assert spot.brush().color().name() == theme.colors().text == theme.DARK.text
    finally:
        look.set_mode("light")


def test_a_fit_has_a_dotted_line_in_the_legend(view):
    both = axes(points([1, 2], [1.0, 2.0], name="Task general", joined=True))
    fit = points([1, 2], [1.0, 2.0], name="fit", joined=True, marker="", dashed=True)
    view.show_figures([Figure("one", "Title", "", (both, axes(fit)))])
    text = view._legend.text()
    assert text.count("●") == 1
    assert "┄┄</span>&nbsp;fit" in text


def test_what_is_cut_of_a_difference_keeps_both_beginnings(plot):
    metrics = QFontMetrics(plot.font())
    names = [f"CNN-LSTM − {one}-Transformer" for one in ("CNN", "ViT")]
    room = metrics.horizontalAdvance(names[0]) * 2 // 3
    cut = [shortened(name, metrics, room, 1) for name in names]
    assert len(set(cut)) == 2
    for text, second in zip(cut, ("CNN", "ViT"), strict=True):
        assert text.startswith("CNN-")
        assert f" − {second}" in text
        assert metrics.horizontalAdvance(text) <= room
    assert shortened(names[0], metrics, 10 * room, 1) == names[0]


@pytest.mark.parametrize("width", [150, 200, 250, 400])
def test_numbers_along_an_axis_do_not_touch(plot, width):
    plot.resize(width, 200)
    values = points([0.0, 1.0], [0.881, 0.943], name="")
    plot.show_axes(axes(values, horizontal=True, x_ticks=((0.0, "CNN-Transformer"), (1.0, "People"))))
    QApplication.processEvents()
    axis = plot.getPlotItem().getAxis("bottom")
    low, high = axis.range
    size = axis.size().width()
    levels = axis.tickValues(low, high, size)
    places = sorted(x for spacing, xs in levels for x in xs)
    widest = max(QFontMetrics(plot.font()).horizontalAdvance(text) for text in ("0.88", "0.94"))
    assert places
    gaps = [(b - a) / (high - low) * size for a, b in pairwise(places)]
    assert all(gap > widest for gap in gaps)


def test_the_name_of_an_axis_breaks_into_lines(plot):
    plot.resize(240, 200)
    plot.show_axes(axes(points([0.0], [1.0]), x_label="Difference in NSS, standard deviations"))
    text = plot.getPlotItem().getAxis("bottom").labelText
    assert text.replace("<br>", " ") == "Difference in NSS, standard deviations"
    assert "<br>" in text
