"""Growing and drawing around: against ways and neighbours counted in other ways."""

from __future__ import annotations

import heapq

import numpy as np
import pytest
from matplotlib.path import Path as Outline

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.records import BOTH, LEFT, N_HEMISPHERE, N_VERTICES, RIGHT, Atlas, Region
from gazeapp.engine.neural.regions.own import with_region, without_region
from gazeapp.engine.neural.regions.picking import grow, inside, region_size
from gazeapp.engine.neural.surface.mesh import load_mesh


def neighbours(hemisphere: str) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    for face in load_mesh("white", hemisphere).faces.tolist():
        for corner in face:
            found.setdefault(corner, set()).update(face)
    return {vertex: near - {vertex} for vertex, near in found.items()}


def within(hemisphere: str, start: int, mm: float) -> set[int]:
    """Return the vertices within a way along edges, by a search written out."""
    near = neighbours(hemisphere)
    places = load_mesh("white", hemisphere).vertices.astype(np.float64)
    ways = {start: 0.0}
    queue = [(0.0, start)]
    while queue:
        way, vertex = heapq.heappop(queue)
        if way > ways[vertex]:
            continue
        for other in near[vertex]:
            longer = way + float(np.linalg.norm(places[vertex] - places[other]))
            if longer <= mm and longer < ways.get(other, np.inf):
                ways[other] = longer
                heapq.heappush(queue, (longer, other))
    return set(ways)


@pytest.mark.parametrize(("hemisphere", "shift", "start"), [(LEFT, 0, 3000), (RIGHT, N_HEMISPHERE, 3000)])
def test_rings_are_neighbours_of_neighbours(hemisphere, shift, start):
    near = neighbours(hemisphere)
    one = {start} | near[start]
    two = one.union(*(near[vertex] for vertex in one))
    assert grow(start + shift, rings=0).tolist() == [start + shift]
    assert grow(start + shift, rings=1).tolist() == sorted(vertex + shift for vertex in one)
    assert grow(start + shift, rings=2).tolist() == sorted(vertex + shift for vertex in two)


@pytest.mark.parametrize("mm", [0.0, 8.0, 25.0])
@pytest.mark.parametrize(("hemisphere", "shift", "start"), [(LEFT, 0, 77), (RIGHT, N_HEMISPHERE, 10_241)])
def test_a_reach_in_mm_is_the_way_along_the_white_surface(hemisphere, shift, start, mm):
    expected = sorted(vertex + shift for vertex in within(hemisphere, start, mm))
    assert grow(start + shift, mm=mm).tolist() == expected
    assert len(expected) > (20 if mm > 20 else 0)


@pytest.mark.parametrize("wrong", [{}, {"rings": 1, "mm": 1.0}, {"rings": -1}, {"mm": float("nan")}])
def test_one_reach_is_given(wrong):
    with pytest.raises(ValueError, match="give one of"):
        grow(0, **wrong)
    with pytest.raises(ValueError, match="no vertex"):
        grow(N_VERTICES, rings=1)


@pytest.mark.parametrize(("hemisphere", "shift"), [(LEFT, 0), (RIGHT, N_HEMISPHERE)])
def test_a_polygon_takes_what_it_encloses_on_the_flat_surface(hemisphere, shift):
    mesh = load_mesh("flat", hemisphere)
    place = mesh.vertices[mesh.used][:, :2].mean(axis=0)
    # A star that does not cross itself, with a dent on each side.
    angles = np.arange(10) * np.pi / 5
    star = place + np.c_[np.cos(angles), np.sin(angles)] * np.where(np.arange(10) % 2, 25.0, 60.0)[:, None]
    expected = Outline(star).contains_points(mesh.vertices[:, :2]) & mesh.used
    assert 100 < expected.sum() < 5000
    assert inside(star, hemisphere).tolist() == (np.flatnonzero(expected) + shift).tolist()
    everything = np.array([[-1e4, -1e4], [1e4, -1e4], [1e4, 1e4], [-1e4, 1e4]])
    assert len(inside(everything, hemisphere)) == mesh.used.sum() < N_HEMISPHERE
    assert not len(inside(star[:2], hemisphere))
    assert not len(inside([], hemisphere))


def test_what_a_crossing_polygon_encloses_twice_is_outside():
    mesh = load_mesh("flat", LEFT)
    x, y = mesh.vertices[mesh.used][:, :2].mean(axis=0)
    outer = [[x - 50, y - 50], [x + 50, y - 50], [x + 50, y + 50], [x - 50, y + 50], [x - 50, y - 50]]
    inner = [[x - 20, y - 20], [x + 20, y - 20], [x + 20, y + 20], [x - 20, y + 20], [x - 20, y - 20]]
    ring = set(inside(outer + inner, LEFT).tolist())
    assert ring == set(inside(outer, LEFT).tolist()) - set(inside(inner, LEFT).tolist())
    assert inside(inner, LEFT).size


def test_areas_add_up_to_the_surface():
    total = 0.0
    for hemisphere in (LEFT, RIGHT):
        mesh = load_mesh("white", hemisphere)
        a, b, c = (mesh.vertices[mesh.faces[:, k]].astype(np.float64) for k in range(3))
        sides = [np.linalg.norm(p - q, axis=1) for p, q in ((a, b), (b, c), (c, a))]
        half = sum(sides) / 2
        # Heron's formula.
        total += np.sqrt(half * (half - sides[0]) * (half - sides[1]) * (half - sides[2])).sum()
    size = region_size(Region("all", BOTH, np.arange(N_VERTICES)))
    assert size.area_mm2 == pytest.approx(total, rel=1e-9)
    assert (size.hemisphere, size.n_vertices) == (BOTH, N_VERTICES)


def test_the_area_of_a_vertex_is_a_third_of_its_triangles():
    mesh = load_mesh("white", RIGHT)
    around = mesh.faces[(mesh.faces == 42).any(axis=1)]
    corners = mesh.vertices[around].astype(np.float64)
    triangles = (
        np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) / 2
    )
    size = region_size(Region("one", BOTH, np.array([N_HEMISPHERE + 42])))
    assert size.area_mm2 == pytest.approx(triangles.sum() / 3)
    assert size.hemisphere == RIGHT


def held(atlas: Atlas) -> list[tuple[str, str, list[int]]]:
    return [(region.name, region.hemisphere, region.vertices.tolist()) for region in atlas.regions]


def test_regions_are_put_changed_and_taken_out():
    atlas = with_region(Atlas("own", ()), " a ", [N_VERTICES - 1, 3, 1, 3])
    assert held(atlas) == [("a", LEFT, [1, 3]), ("a", RIGHT, [N_VERTICES - 1])]
    atlas = with_region(atlas, "b", np.array([9]))
    atlas = with_region(atlas, "a", [5], "add")
    assert held(atlas)[0] == ("a", LEFT, [1, 3, 5])
    atlas = with_region(atlas, "a", [N_VERTICES - 1, 1, 7], "subtract")
    assert held(atlas) == [("a", LEFT, [3, 5]), ("b", LEFT, [9])]
    atlas = Atlas("own", atlas.regions, groups={"both": ("a", "b"), "first": ("a",)})
    atlas = without_region(atlas, "a")
    assert held(atlas) == [("b", LEFT, [9])]
    assert atlas.groups == {"both": ("b",)}


@pytest.mark.parametrize(
    ("name", "vertices", "how", "said"),
    [
        ("", [1], "replace", "needs a name"),
        ("pair", [1], "replace", "is a group"),
        ("a", [], "replace", "no vertex"),
        ("a", [1, 2], "subtract", "no vertex"),
        ("a", [N_VERTICES], "add", "does not have"),
        ("a", [-1], "add", "does not have"),
    ],
)
def test_regions_that_cannot_be(name, vertices, how, said):
    atlas = Atlas("own", (Region("a", LEFT, np.array([1])),), groups={"pair": ("a",)})
    with pytest.raises(GazeError, match=said):
        with_region(atlas, name, vertices, how)
    with pytest.raises(GazeError, match="No region called “x”"):
        without_region(atlas, "x")
