from __future__ import annotations

import sys

import numpy as np
import pytest

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.surface import mesh as module
from gazeapp.engine.neural.surface.mesh import HEMISPHERES, KINDS, load_mesh, load_sulci


@pytest.mark.parametrize("hemisphere", HEMISPHERES)
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "flat"])
def test_a_closed_surface_has_eulers_number_of_faces(kind: str, hemisphere: str):
    mesh = load_mesh(kind, hemisphere)
    assert mesh.vertices.shape == (10_242, 3)
    assert mesh.vertices.dtype == np.float32
    # Every triangle has three edges, each shared by two: V - 3 F / 2 + F = 2.
    assert len(mesh.faces) == 2 * (10_242 - 2)
    assert mesh.used.all()


@pytest.mark.parametrize(("hemisphere", "n_used"), [("left", 9_465), ("right", 9_537)])
def test_the_flat_surface_lacks_the_medial_wall(hemisphere: str, n_used: int):
    mesh = load_mesh("flat", hemisphere)
    assert len(mesh.vertices) == 10_242
    assert mesh.used.sum() == n_used
    np.testing.assert_array_equal(np.flatnonzero(mesh.used), np.unique(mesh.faces))


def test_hemispheres_lie_on_their_sides_and_folds_go_in():
    left, right = (load_mesh("pial", side).vertices for side in HEMISPHERES)
    assert left[:, 0].mean() < -20
    assert right[:, 0].mean() > 20
    for side in HEMISPHERES:
        depth, sphere = load_sulci(side), load_mesh("white", side).vertices
        assert depth.shape == (10_242,)
        reach = np.linalg.norm(sphere - sphere.mean(axis=0), axis=1)
        # What lies deep lies nearer to the middle of the hemisphere than what lies on top.
        assert reach[depth > 0.5].mean() < reach[depth < -0.5].mean()


def test_a_mesh_is_read_once_and_cannot_be_changed():
    mesh = load_mesh("inflated", "left")
    assert load_mesh("inflated", "left") is mesh
    with pytest.raises(ValueError, match="read-only"):
        mesh.vertices[0] = 0
    assert mesh.key != load_mesh("inflated", "right").key


def test_reading_runs_no_code_of_nilearn():
    load_mesh("inflated", "left")
    assert "nilearn" not in sys.modules


@pytest.fixture
def unread():
    """Let files be read anew, and nothing of it stay."""
    load_mesh.cache_clear()
    yield
    load_mesh.cache_clear()


def test_missing_and_damaged_files_are_said(tmp_path, monkeypatch, unread):
    monkeypatch.setattr(module, "mesh_folder", lambda: tmp_path)
    with pytest.raises(GazeError, match="not there"):
        load_mesh("inflated", "left")
    (tmp_path / "infl_left.gii.gz").write_bytes(b"no mesh at all")
    with pytest.raises(GazeError, match="cannot be read"):
        load_mesh("inflated", "left")


def test_without_nilearn_the_reason_is_said(monkeypatch):
    monkeypatch.setattr(module, "package_folder", lambda _: None)
    with pytest.raises(GazeError, match="nilearn"):
        module.mesh_folder()
