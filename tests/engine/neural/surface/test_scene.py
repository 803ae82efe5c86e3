from __future__ import annotations

import numpy as np
import pytest

from gazeapp.engine.neural.surface import scene as module
from gazeapp.engine.neural.surface.mesh import FLAT, load_mesh, load_sulci
from gazeapp.engine.neural.surface.scene import MOST_PIXELS, scene, scene_for
from gazeapp.engine.neural.surface.views import ANGLES, View, best_layout, camera, layout_size, layouts


def test_cameras_see_a_brain_and_not_its_mirror_image():
    for side in ("left", "right"):
        for angle in ANGLES:
            axes = camera(View("inflated", side, angle))
            assert np.linalg.det(axes) == pytest.approx(1.0)
            np.testing.assert_allclose(axes @ axes.T, np.eye(3))


def test_side_views_have_the_front_outside_and_the_top_up():
    along, up, towards = camera(View("inflated", "left", "lateral"))
    np.testing.assert_array_equal(along, [0, -1, 0])  # the front, +y, is on the left of the picture
    np.testing.assert_array_equal(up, [0, 0, 1])
    np.testing.assert_array_equal(towards, [-1, 0, 0])
    np.testing.assert_array_equal(camera(View("inflated", "right", "ventral"))[2], [0, 0, -1])


def test_a_vertex_that_faces_the_viewer_is_found_where_it_is_projected():
    large = scene(layouts("lateral")[0], 2.5)
    for tile in large.tiles:
        first = 0 if tile.view.hemisphere == "left" else 10_242
        mesh, places = load_mesh("inflated", tile.view.hemisphere).vertices, large.places(tile)
        # What lies farthest out on its side is hidden by nothing.
        near = np.flatnonzero(mesh @ camera(tile.view)[2] > 15.0)
        chosen = np.random.default_rng(4).choice(near, 300, replace=False)
        spots = [large.spot(*places[vertex]) for vertex in chosen]
        assert all(spot is not None and spot.tile is tile for spot in spots)
        hits = [spot.vertex == vertex + first for spot, vertex in zip(spots, chosen, strict=True)]
        assert np.mean(hits) > 0.97


def test_a_flat_vertex_is_found_and_its_place_on_the_mesh_comes_back(flat):
    large = scene(layouts("flat")[0], 2.0)
    for tile in large.tiles:
        first = 0 if tile.view.hemisphere == "left" else 10_242
        mesh = load_mesh(FLAT, tile.view.hemisphere)
        places = large.places(tile)
        hits = 0
        chosen = np.random.default_rng(2).choice(np.flatnonzero(mesh.used), 200, replace=False)
        for vertex in chosen:
            spot = large.spot(*places[vertex])
            hits += spot is not None and spot.vertex == vertex + first
        for vertex in chosen[:5]:
            back = large.mesh_place(tile, *places[vertex])
            np.testing.assert_allclose(back, mesh.vertices[vertex, :2], atol=1e-4)
        assert hits > 185  # at the cuts half of a pixel is bare


def test_weights_are_shares_and_blend_linearly(flat):
    np.testing.assert_allclose(flat.weights.sum(axis=1), 1.0, atol=1e-5)
    assert flat.weights.min() >= 0
    # On the flat surface the place itself is linear in the weights: it comes back at the centres of pixels.
    for tile in flat.tiles:
        places = np.zeros((20_484, 2), dtype=np.float32)
        first = 0 if tile.view.hemisphere == "left" else 10_242
        places[first : first + 10_242] = flat.places(tile)
        line, column = np.divmod(flat.pixels, flat.width)
        here = (column >= tile.left) & (column < tile.left + tile.width) & (flat.coverage == 255)
        for axis, centre in ((0, column + 0.5), (1, line + 0.5)):
            blended = flat.between(np.ascontiguousarray(places[:, axis]))
            np.testing.assert_allclose(blended[here], centre[here], atol=0.01)


def test_vertices_without_a_value_leave_pixels_without_one(flat):
    values = np.ones(20_484, dtype=np.float32)
    values[:10_242] = np.nan
    seen = flat.between(values)
    left = flat.vertices[:, 0] < 10_242
    assert np.isnan(seen[left]).all()
    np.testing.assert_allclose(seen[~left], 1.0, rtol=1e-6)
    # Alone among its neighbours, a vertex without a value takes the pixels where it weighs most.
    one = np.full(20_484, 2.0, dtype=np.float32)
    one[flat.nearest[1000]] = np.nan
    weight = np.where(flat.vertices == flat.nearest[1000], flat.weights, 0).sum(axis=1)
    seen = flat.between(one)
    np.testing.assert_array_equal(np.isnan(seen), weight > 0.5)
    np.testing.assert_allclose(seen[weight <= 0.5], 2.0, rtol=1e-5)


def test_beside_the_cortex_there_is_nothing(flat):
    assert flat.spot(0.0, 0.0) is None
    assert flat.spot(-1.0, 5.0) is None
    assert flat.spot(flat.width + 1.0, 5.0) is None
    assert (flat.rows >= 0).sum() == len(flat.pixels)


def test_folds_are_those_of_the_mesh(flat):
    exact = flat.weights.max(axis=1) > 0.98
    depth = np.concatenate([load_sulci("left"), load_sulci("right")])
    np.testing.assert_allclose(flat.folds[exact], depth[flat.nearest[exact]], atol=0.06)


def test_facing_is_full_on_the_flat_and_falls_towards_the_rim(flat, lateral):
    assert (flat.facing == 1.0).all()
    rim = lateral.coverage < 255
    assert lateral.facing[rim].mean() < 0.35 < 0.8 < np.percentile(lateral.facing, 75)


def test_scenes_fit_their_rooms():
    for name in ("inflated", "flat", *ANGLES):
        layout, _ = best_layout(name, 900, 500)
        assert layout in layouts(name)
        made = scene_for(name, 200, 120)
        # As large as the room, or up to a step larger.
        assert 0.98 <= max(made.width / 200, made.height / 120) <= 1.36  # margins are rounded to pixels
    assert len(layouts("inflated")[0]) == 4
    sides = {(view.hemisphere, view.angle) for row in layouts("inflated")[0] for view in row}
    assert len(sides) == 8
    with pytest.raises(ValueError, match="no scene"):
        layouts("upside down")


def test_a_wide_room_gets_a_wide_layout():
    wide, _ = best_layout("inflated", 1200, 300)
    tall, _ = best_layout("inflated", 300, 1200)
    assert len(wide) == 2
    assert len(tall) == 4


def test_huge_rooms_are_drawn_smaller(monkeypatch):
    drawn = []
    monkeypatch.setattr(module, "scene", lambda layout, scale: drawn.append((layout, scale)))
    scene_for("flat", 9000, 5000)
    (layout, scale) = drawn[0]
    across, down = layout_size(layout)
    assert across * down * scale**2 <= MOST_PIXELS
