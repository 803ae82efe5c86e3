"""Colours, regions, outlines and the figure."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from gazeapp.engine.neural.records import Region
from gazeapp.engine.neural.surface import figure as figure_module
from gazeapp.engine.neural.surface.colouring import (
    DIVERGING,
    SEQUENTIAL,
    Colouring,
    colour_table,
    common_limits,
    over,
    paint,
)
from gazeapp.engine.neural.surface.figure import cortex_figure
from gazeapp.engine.neural.surface.mesh import load_mesh
from gazeapp.engine.neural.surface.outlines import DARK_LINE, LIGHT_LINE, Labels, RegionPicture
from gazeapp.engine.neural.surface.picture import Regions, Shown, compose, regions_at

FOLDS = Shown(Colouring(0.0, 1.0))


def smooth_values():
    places = np.concatenate([load_mesh("white", side).vertices for side in ("left", "right")])
    return (places[:, 1] / 110.0).astype(np.float32)


def front_and_back():
    """Two regions that meet, and one of the left hemisphere that overlaps both."""
    values = smooth_values()
    overlap = np.flatnonzero(np.abs(values) < 0.15)
    return Regions(
        (
            Region("front", "both", np.flatnonzero(values > 0)),
            Region("back", "both", np.flatnonzero((values <= 0) & (values > -0.5))),
            Region("middle", "left", overlap[overlap < 10_242]),
        )
    )


def pixels(scene, picture):
    return picture.reshape(-1, 4)[scene.pixels]


@pytest.mark.parametrize("diverging", [False, True])
def test_each_pixel_has_the_colour_of_its_value(flat, diverging):
    values = smooth_values()
    colouring = Colouring(-0.7, 0.7, diverging)
    got = pixels(flat, paint(flat, values, colouring))
    exact = (values[flat.vertices] * flat.weights).sum(axis=1)
    place = np.clip((exact + 0.7) / 1.4, 0, 1) * 255
    # Rounding can go either way where a value lies between two colours.
    sure = np.abs(place % 1 - 0.5) > 1e-3
    expected = colouring.table[np.rint(place).astype(int)]
    np.testing.assert_array_equal(got[sure, :3], expected[sure])
    np.testing.assert_array_equal(got[:, 3], flat.coverage)


def test_beside_the_cortex_the_picture_is_transparent(flat):
    picture = paint(flat, smooth_values(), Colouring(0, 1))
    assert picture.shape == (flat.height, flat.width, 4)
    assert not picture[flat.rows < 0].any()


def test_colours_are_shaded_where_the_surface_turns_away(lateral):
    got = pixels(lateral, paint(lateral, np.ones(20_484, np.float32), Colouring(0.0, 1.0))).astype(float)
    full = colour_table(SEQUENTIAL)[255].astype(float)
    towards, away = lateral.facing > 0.999, lateral.facing < 0.05
    np.testing.assert_allclose(got[towards, :3].mean(axis=0), full, atol=1.0)
    shade = got[away, :3] / full
    assert (shade < 0.8).all()
    assert shade.min() > 0.6


def test_folds_show_where_there_is_no_value_or_a_small_one(flat):
    values = smooth_values()
    values[np.abs(values) < 0.3] *= 0.1
    values[values > 0.5] = np.nan
    folds = pixels(flat, paint(flat, None, Colouring(0, 1)))
    got = pixels(flat, paint(flat, values, Colouring(-0.7, 0.7, True, threshold=0.1)))
    seen = flat.between(values)
    hidden = ~(np.abs(seen) >= 0.1)
    assert 0.2 < hidden.mean() < 0.8
    np.testing.assert_array_equal(got[hidden], folds[hidden])
    assert (folds[:, 0] == folds[:, 2]).all()  # grey
    assert (got[~hidden, :3] != folds[~hidden, :3]).any(axis=1).mean() > 0.99


def test_sulci_are_darker_than_gyri(flat):
    grey = pixels(flat, paint(flat, None, Colouring(0, 1)))[:, 0].astype(float)
    assert grey[flat.folds > 0.4].max() < grey[flat.folds < -0.4].min() - 30


def test_values_beyond_the_limits_have_the_colours_of_the_ends():
    colouring = Colouring(0.0, 0.5)
    places = colouring.places(np.array([-3.0, 0.0, 0.25, 0.5, 9.0], np.float32))
    np.testing.assert_array_equal(places, [0, 0, 128, 255, 255])


def test_a_scale_without_extent_is_no_fault(flat):
    assert paint(flat, np.zeros(20_484, np.float32), Colouring(0.0, 0.0)).any()


def test_the_diverging_map_is_light_in_the_middle_and_even_on_both_sides():
    table = colour_table(DIVERGING).astype(float) / 255
    linear = np.where(table <= 0.04045, table / 12.92, ((table + 0.055) / 1.055) ** 2.4)
    luminance = linear @ [0.2126, 0.7152, 0.0722]
    lightness = 116 * np.cbrt(luminance) - 16
    np.testing.assert_allclose(lightness[:128], np.linspace(40, 95, 128), atol=1.0)
    np.testing.assert_allclose(lightness[128:], np.linspace(95, 40, 128), atol=1.0)
    assert table[0, 2] > table[0, 0]
    assert table[-1, 0] > table[-1, 2]


def test_common_limits_suit_all_maps():
    one, two = np.linspace(0, 1, 101, dtype=np.float32), np.full(20, np.nan, np.float32)
    assert common_limits([one, two]) == (0.0, pytest.approx(0.99))
    assert common_limits([one - 0.5], symmetric=True) == (pytest.approx(-0.5), pytest.approx(0.5))
    low, high = common_limits([one, one - 1])
    assert low < -0.9 < 0.9 < high
    assert common_limits([two]) == (0.0, 1.0)
    assert common_limits([], symmetric=True) == (-1.0, 1.0)
    sparse = np.zeros(1000, np.float32)
    sparse[0] = 0.4
    assert common_limits([sparse])[1] == pytest.approx(0.4)
    assert common_limits([sparse], symmetric=True) == (pytest.approx(-0.4), pytest.approx(0.4))


def test_a_picture_lies_over_a_background():
    picture = np.array([[[200, 100, 0, 255], [200, 100, 0, 0], [200, 100, 0, 51]]], np.uint8)
    np.testing.assert_array_equal(over(picture, (0, 0, 100))[0], [[200, 100, 0], [0, 0, 100], [40, 20, 80]])


def test_labels_tell_which_regions_overlap():
    regions = front_and_back()
    labels = Labels.of(regions.all)
    for vertex in range(0, 20_484, 97):
        expected = [row for row, region in enumerate(regions.all) if vertex in region.vertices]
        assert list(labels.regions[labels.of_vertices[vertex]]) == expected
    assert labels.regions[0] == ()
    assert len(set(labels.regions)) == len(labels.regions)


def test_the_label_that_weighs_most_is_seen(flat):
    regions = front_and_back()
    labels = Labels.of(regions.all)
    drawn = RegionPicture.of(flat, labels)
    for row in np.random.default_rng(1).choice(len(flat.pixels), 500, replace=False):
        shares: dict[int, float] = {}
        for vertex, weight in zip(flat.vertices[row], flat.weights[row], strict=True):
            label = int(labels.of_vertices[vertex])
            shares[label] = shares.get(label, 0.0) + float(weight)
        first, second = sorted([*shares.values(), 0.0])[::-1][:2]
        if first - second > 1e-5:
            assert drawn.regions_at(row) == labels.regions[max(shares, key=shares.get)]


def test_values_even_in_each_region_meet_at_the_borders(flat):
    regions = front_and_back()
    values = np.full(20_484, np.nan, np.float32)
    for region, value in zip(regions.all, (0.1, 0.5, 0.9), strict=True):
        values[region.vertices] = value
    even = regions.labels.even(values)
    assert even is not None
    shown = Shown(Colouring(0.0, 1.0), values, regions, outlined=False)
    colours = np.unique(pixels(flat, compose(flat, shown))[flat.coverage == 255, :3], axis=0)
    table = colour_table(SEQUENTIAL)
    coloured = {tuple(colour) for colour in colours.tolist() if len(set(colour)) > 1}
    assert coloured == {tuple(table[round(value * 255)].tolist()) for value in (0.1, 0.5, 0.9)}
    assert regions.labels.even(smooth_values()) is None


def test_borders_are_drawn_between_regions_and_not_along_the_rim(flat):
    regions = front_and_back()
    bare, lined = (
        compose(flat, Shown(FOLDS.colouring)),
        compose(flat, Shown(FOLDS.colouring, regions=regions)),
    )
    changed = (bare != lined).any(axis=2).ravel()[flat.pixels]
    of_vertices = regions.labels.of_vertices[flat.vertices]
    mixed = (of_vertices != of_vertices[:, :1]).any(axis=1)
    # Lines run in faces whose vertices disagree, or hard by them.
    assert changed.any()
    assert (changed & mixed).sum() > 0.9 * changed.sum()
    drawn = RegionPicture.of(flat, regions.labels)
    on_border = flat.rows.ravel()[drawn.mixed[drawn.apart < 0.2]]
    assert changed[on_border].mean() > 0.95
    dark = np.array(DARK_LINE)
    assert (np.abs(pixels(flat, lined)[on_border, :3].astype(int) - dark).sum(axis=1) < 200).mean() > 0.8
    rim = (flat.coverage < 255) & ~mixed
    assert changed[rim].mean() < 0.02


def test_lines_are_as_thick_as_asked():
    from gazeapp.engine.neural.surface.scene import scene
    from gazeapp.engine.neural.surface.views import layouts

    large = scene(layouts("flat")[0], 2.0)
    regions = Regions((Region("front", "both", np.flatnonzero(smooth_values() > 0)),))
    drawn = RegionPicture.of(large, regions.labels)
    thin, thick = (drawn.lines(width).opacity.sum() for width in (1.0, 2.0))
    assert thick / thin == pytest.approx(2.0, rel=0.15)


def test_a_marked_region_stands_out(flat):
    regions = front_and_back()
    marked = compose(flat, Shown(FOLDS.colouring, regions=regions, marked=Regions(regions.all[:1])))
    plain = compose(flat, Shown(FOLDS.colouring, regions=regions))
    light = (marked[..., :3] > 240).all(axis=2).sum()
    assert light > 100
    assert not (plain[..., :3] > 240).all(axis=2).any()


def test_no_regions_are_no_lines(flat):
    np.testing.assert_array_equal(compose(flat, FOLDS), paint(flat, None, FOLDS.colouring))
    assert regions_at(flat, Regions(()), 10) == []
    assert Labels.of(()).regions == ((),)


def test_lines_are_light_on_colours_that_begin_dark(flat):
    regions = front_and_back()
    on_values = compose(flat, Shown(Colouring(0.0, 9.0), smooth_values(), regions))
    assert (on_values[..., :3] == LIGHT_LINE).all(axis=2).sum() > 20


def test_the_figure_holds_the_picture_pixel_for_pixel(monkeypatch):
    drawn = []
    original = figure_module.scene_for
    monkeypatch.setattr(figure_module, "scene_for", lambda *size: drawn.append(original(*size)) or drawn[-1])
    shown = Shown(Colouring(-0.7, 0.7, True), smooth_values(), front_and_back())
    made = cortex_figure(shown, "difference in r", "A minus B", "flat", (500, 260), simulated=True)
    (scene,) = drawn
    np.testing.assert_array_equal(made.picture, compose(scene, shown))
    page = made.pixels[made.top : made.top + scene.height, made.left : made.left + scene.width]
    full = scene.rows >= 0
    titles = np.zeros_like(full)
    for tile in scene.tiles:  # the names of the views stand in their corners
        titles[tile.top : tile.top + 20, tile.left : tile.left + tile.width] = True
    np.testing.assert_array_equal(
        page[full & ~titles], over(made.picture, figure_module.WHITE)[full & ~titles]
    )
    beside = made.pixels[:, scene.width :]
    assert (beside < 200).any()  # the colour bar
    assert (made.pixels[: made.top] < 100).any()  # the title
    with Image.open(io.BytesIO(made.png())) as image:
        np.testing.assert_array_equal(np.asarray(image), made.pixels)


def test_a_figure_of_folds_alone_has_no_bar():
    made = cortex_figure(FOLDS, scene="medial", size=(300, 160))
    assert made.top == 0
    assert made.pixels.shape[:2] == made.picture.shape[:2]
