import hashlib
import itertools
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from PIL import Image

from gazeapp.engine.errors import GazeError
from gazeapp.engine.reports.results import comparisons, design, maps, people, scores, tasks
from gazeapp.engine.reports.results.data import Axes, Figure, Results, Series
from gazeapp.engine.reports.results.draw import figure_bytes, write_figure
from gazeapp.engine.reports.results.study import study_figures, study_sections
from gazeapp.engine.reports.style import PEOPLE_COLOUR, REFERENCE_COLOUR, model_colour
from tests.engine.reports.results import made


@pytest.fixture(scope="module")
def study():
    return made.results()


def test_percent_of_ceiling_is_drawn_as_bars_with_intervals_and_the_ceiling(study):
    figure = scores.score_figure(study, ["general"])
    # SIM has no percentage.
    assert [axes.title for axes in figure.axes] == ["NSS", "AUC"]
    axes = figure.axes[0]
    assert [line.value for line in axes.lines] == [100.0, 0.0]
    names = dict(axes.x_ticks)
    drawn = {names[float(one.x[0])]: one for one in axes.series}
    model = drawn["ViT-Transformer"]
    assert (model.y[0], model.low[0], model.high[0], model.bars) == (62.0, 56.0, 69.0, True)
    assert model.colour == model_colour("vit-transformer", [one[0] for one in made.MODELS])
    assert drawn["Centre bias"].colour == REFERENCE_COLOUR
    assert drawn["People: one from the others"].colour == PEOPLE_COLOUR


def test_a_bar_tells_definition_ceiling_interval_and_settings(study):
    for simulated, who in ((False, "people"), (True, "simulated observers")):
        bars = scores.score_figure(made.results(simulated=simulated), ["general"], ["nss"]).axes[0].series
        text = next(one.texts[0] for one in bars if one.name == "ViT-Transformer")
        for part in (
            "NSS of ViT-Transformer, task general",
            "NSS = mean over fixations",
            f"30\u00a0images, 12\u00a0{who}",
            "extrapolated to unlimited people",
            "two-way bootstrap over images and people",
            "score settings 0123456789",
        ):
            assert part in text
    assert [one.kind for one in bars] == ["human", *["model"] * 4, *["baseline"] * 2]


def test_a_lower_bound_is_called_so(study):
    figure = scores.score_figure(study, ["general"], ["auc"])
    assert figure.axes[0].y_label == "% of lower bound of the ceiling"


def test_one_metric_has_a_plot_for_each_task(study):
    figure = scores.score_figure(study, metrics=["nss"])
    assert [axes.title for axes in figure.axes] == ["general", "social"]
    bars = {one.name: one.y[0] for one in figure.axes[1].series}
    assert bars["CNN-LSTM"] == pytest.approx(40.0)


def test_every_image_is_a_dot_that_leads_to_it(study):
    figure = scores.image_figure(study, "general", "nss")
    dots = next(one for one in figure.axes[0].series if one.name == "CNN-LSTM")
    column = study.scores.columns["general", "nss", "model", "cnn-lstm", "raw"]
    np.testing.assert_array_equal(dots.y, column)
    assert dots.keys[3] == (104, "cnn-lstm")
    assert dots.texts[3].startswith("scene-003.png")
    place = next(x for x, name in figure.axes[0].x_ticks if name == "CNN-LSTM")
    assert np.abs(dots.x - place).max() < 0.5


def test_images_without_a_score_have_no_dot(study):
    gone = made.results()
    gone.scores.columns["general", "nss", "model", "cnn-lstm", "raw"][5] = np.nan
    dots = next(
        one for one in scores.image_figure(gone, "general", "nss").axes[0].series if one.name == "CNN-LSTM"
    )
    assert len(dots.y) == len(dots.keys) == len(dots.texts) == made.N_IMAGES - 1
    assert (106, "cnn-lstm") not in dots.keys


def test_the_interaction_plot_has_a_line_for_each_encoder_over_the_decoders(study):
    figure = design.interaction_figure(study, "nss")
    assert figure.columns == 2
    assert [axes.title for axes in figure.axes] == ["Task general", "Task social"] * 2
    axes = figure.axes[0]
    assert [name for _, name in axes.x_ticks] == ["LSTM", "Transformer"]
    lines = {one.name: one for one in axes.series}
    np.testing.assert_allclose(lines["CNN"].y, [0.8, 0.9])
    np.testing.assert_allclose(lines["ViT"].y, [0.7, 1.3])
    assert all(one.joined for one in axes.series)
    assert figure.axes[2].y_label == "NSS, % of human ceiling"
    np.testing.assert_allclose(figure.axes[2].series[1].y, [35.0, 65.0])


def test_differences_are_points_beside_zero(study):
    axes = comparisons.difference_figure(study, "nss").axes[0]
    assert [line.value for line in axes.lines] == [0.0]
    # In the metric's unit only: six pairs, not twelve.
    assert len(axes.series) == len(axes.x_ticks) == 6


def test_models_and_pairs_of_models_have_plots_of_their_own(study):
    figure = comparisons.model_task_figure(study, "nss")
    assert [axes.title for axes in figure.axes] == [
        "Each model, general − social",
        "Between models, general − social",
    ]
    assert [name for _, name in figure.axes[1].x_ticks] == [
        "CNN-LSTM − CNN-Transformer",
        "CNN-LSTM − ViT-LSTM",
    ]


def test_people_and_maps_of_as_few_fixations_are_filled_and_maps_as_they_are_open(study):
    figure = maps.concentration_figure(study, "general", ["entropy"])
    (axes,) = figure.axes
    filled = {one.name: one.y[0] for one in axes.series if not one.hollow}
    open_ = {one.name: one.y[0] for one in axes.series if one.hollow}
    assert filled["People"] == 0.5
    assert filled["CNN-LSTM (few fixations)"] == pytest.approx(0.7)
    assert open_["CNN-LSTM"] == pytest.approx(0.9)


def test_changes_of_models_are_drawn_against_those_of_people(study):
    figure = tasks.differentiation_figure(study, ("general", "social"))
    scatter = figure.axes[1]
    dots = next(one for one in scatter.series if one.name == "ViT-LSTM")
    np.testing.assert_array_equal(
        dots.x, study.measures.columns["general", "task_d", "social", "human", "people", ""]
    )
    np.testing.assert_array_equal(
        dots.y, study.measures.columns["general", "task_d", "social", "model", "vit-lstm", "raw"]
    )
    assert [line.along for line in scatter.lines] == ["both"]
    only_sources = tasks.differentiation_figure(made.results(with_images=False), ("general", "social"))
    assert len(only_sources.axes) == 1


def test_where_the_change_above_noise_is_known_models_are_drawn_against_it():
    study = made.results()
    above = np.linspace(-0.1, 0.6, made.N_IMAGES)
    study.measures.columns["general", "task_d_excess", "social", "human", "people", ""] = above
    scatter = tasks.differentiation_figure(study, ("general", "social")).axes[1]
    np.testing.assert_array_equal(scatter.series[0].x, above)
    # Two measures of different kinds: no line on which they are equal.
    assert scatter.lines == ()
    assert "above noise" in scatter.x_label


def test_the_curve_of_observers_has_its_fit_dotted_and_called_no_ceiling(study):
    figure = people.observer_figure(study, ["nss"])
    (axes,) = figure.axes
    curve, fit = axes.series[:2]
    np.testing.assert_array_equal(curve.x, [1, 2, 4, 8, 11])
    assert fit.dashed
    assert fit.name == "fit, no ceiling"
    # The curve 1.4 n / (n + 1.5) is not quite of the fitted form, but near.
    at = np.interp(curve.x[1:], fit.x, fit.y)
    np.testing.assert_allclose(at, curve.y[1:], atol=0.03)
    assert not curve.dashed


def test_every_figure_has_an_id_of_its_own_and_ticks_for_its_points(study):
    figures = list(study_figures(study))
    ids = [figure.id for figure in figures]
    assert len(ids) == len(set(ids)) > 12
    for figure in figures:
        for axes in figure.axes:
            for series in axes.series:
                assert len(series.x) == len(series.y)
                assert len(series.texts) in (0, len(series.y))
                if axes.x_ticks:
                    places = np.array([place for place, _ in axes.x_ticks])
                    assert np.abs(series.x[:, None] - places).min(axis=1).max() < 0.5


def test_nothing_found_is_no_figure_and_no_section():
    nothing = Results("tuebingen", tasks=("a", "b"))
    assert list(study_figures(nothing)) == []
    assert study_sections(nothing) == ()


def test_figures_of_simulated_observers_say_so():
    found = list(study_figures(made.results(simulated=True)))
    assert all(figure.simulated and "Simulated observers" in figure.caption for figure in found)
    assert b"Simulated observers" in figure_bytes(found[0], "svg")
    assert b"Simulated" not in figure_bytes(next(study_figures(made.results())), "svg")


def test_the_text_of_an_svg_is_text_and_the_same_figure_gives_the_same_bytes(study):
    figure = people.scanpath_figure(study, "general")
    first = figure_bytes(figure, "svg")
    assert hashlib.sha256(first).digest() == hashlib.sha256(figure_bytes(figure, "svg")).digest()
    root = ElementTree.fromstring(first)
    texts = "".join(root.itertext())
    assert "String edit similarity" in texts
    assert not re.search(rb"20\d\d-\d\d-\d\d", first)


def test_a_name_from_outside_is_text_in_an_svg_not_markup():
    hostile = "<script>a</script> $x^2$&"
    points = Series(hostile, "#0072B2", "model", np.array([0.0]), np.array([1.0]))
    figure = Figure("f", hostile, hostile, (Axes(hostile, "", "y", (points,), ((0.0, hostile),)),))
    drawn = figure_bytes(figure, "svg")
    assert b"<script" not in drawn
    written = [text.text for text in ElementTree.fromstring(drawn).iter("{http://www.w3.org/2000/svg}text")]
    assert written.count(hostile) == 2


@pytest.mark.parametrize("suffix", [".png", ".pdf", ".PNG"])
def test_figures_are_written_in_one_step(study, tmp_path, suffix):
    path = tmp_path / f"figure{suffix}"
    write_figure(people.scanpath_figure(study, "general"), path)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    if suffix == ".pdf":
        assert path.read_bytes().startswith(b"%PDF")
        return
    with Image.open(path) as picture:
        assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.1)
        assert picture.width > 1000


def test_another_suffix_is_refused_and_an_unwritable_place_explained(study, tmp_path):
    figure = people.scanpath_figure(study, "general")
    with pytest.raises(GazeError, match="SVG, PDF or PNG"):
        write_figure(figure, tmp_path / "figure.bmp")
    (tmp_path / "file").write_text("")
    with pytest.raises(GazeError, match="is a file, not a folder"):
        write_figure(figure, tmp_path / "file" / "figure.svg")


def test_the_interval_is_drawn_from_its_low_to_its_high_end():
    """Also where the estimate lies outside it, which a percentile interval does not rule out."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib.figure import Figure as Canvas

    from gazeapp.engine.reports.results.draw import _intervals

    plot = Canvas().add_subplot()
    one = np.array([1.0])
    series = Series("a", "#0072B2", "model", one, np.array([5.0]), np.array([1.0]), np.array([4.0]))
    _intervals(plot, Axes("", "", "", (series,)), series)
    (segment,) = plot.collections[0].get_segments()
    np.testing.assert_allclose(segment[:, 1], [1.0, 4.0])


@pytest.mark.parametrize("n_plots", [1, 2, 3])
@pytest.mark.parametrize("far", [-0.00141, 0.824, -0.3, 12345.0, 100.0])
def test_numbers_along_an_axis_do_not_touch(n_plots, far):
    """Also of a model whose maps are nearly even: its values have many digits."""
    points = Series("one", "#0072B2", "model", np.array([0.0, 1.0]), np.array([0.0, far]), marker="o")
    ticks = ((0.0, "A model"), (1.0, "Another model"))
    axes = Axes("Plot", "", "value", (points,), ticks, horizontal=True, legend=False)
    _check_apart(Figure("f", "", "", (axes,) * n_plots, columns=3))


def test_numbers_do_not_touch_in_plots_with_legends_at_their_sides():
    bars = tuple(
        Series(name, "#336699", "model", np.arange(3.0), np.full(3, y), marker="", bars=True)
        for name, y in (("only the first of them", -1.1), ("both alike", -0.4), ("only the other", 0.1))
    )
    axes = Axes("Plot", "", "R²", bars, tuple((float(k), "A model") for k in range(3)), horizontal=True)
    _check_apart(Figure("f", "", "", (axes,) * 3, columns=2))


def _check_apart(figure):
    drawn = ElementTree.fromstring(figure_bytes(figure, "svg"))
    texts = [
        (float(text.get("y")), float(text.get("x")), text.text)
        for text in drawn.iter("{http://www.w3.org/2000/svg}text")
        if text.get("x") and re.fullmatch(r"[−\d.]+", text.text)
    ]
    assert len(texts) >= 2 * len(figure.axes)
    for (row, left, one), (same, right, other) in itertools.pairwise(sorted(texts)):
        # A digit of 8 px type is 5.1 px wide; numbers are written around their middle.
        assert row != same or right - left > 5.1 * (len(one) + len(other)) / 2
