from __future__ import annotations

import numpy as np
import pytest

from gazeapp.engine.neural.surface import cache
from gazeapp.engine.neural.surface.cache import view_raster
from gazeapp.engine.neural.surface.raster import RASTER_FIELDS
from gazeapp.engine.neural.surface.views import View

VIEW = View("inflated", "left", "medial")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "cache_folder", lambda: tmp_path / "cortex")
    return tmp_path / "cortex"


def same(first, second):
    for field in RASTER_FIELDS:
        np.testing.assert_array_equal(getattr(first, field), getattr(second, field))


def test_a_view_is_drawn_once(folder, monkeypatch):
    first = view_raster(VIEW, 0.5)
    assert len(list(folder.iterdir())) == 1
    monkeypatch.setattr(cache, "rasterise", lambda *_: pytest.fail("drawn again"))
    same(first, view_raster(VIEW, 0.5))


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "other"])
def test_a_damaged_file_is_made_anew(folder, damage):
    first = view_raster(VIEW, 0.5)
    (path,) = folder.iterdir()
    content = bytearray(path.read_bytes())
    if damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "flipped":
        content[len(content) // 2] ^= 0xFF
        path.write_bytes(content)
    elif damage == "empty":
        path.write_bytes(b"")
    else:
        np.savez(path, shape=np.array([3, 3]))
    same(first, view_raster(VIEW, 0.5))
    same(first, cache._stored(path, VIEW, 0.5))


def test_another_views_file_is_not_taken(folder):
    view_raster(VIEW, 0.5)
    (path,) = folder.iterdir()
    assert cache._stored(path, VIEW, 0.7) is None
    assert cache._stored(path, View("flat", "left"), 0.5) is None


def test_a_folder_that_cannot_be_written_does_no_harm(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(cache, "cache_folder", lambda: tmp_path / "file" / "cortex")
    assert len(view_raster(VIEW, 0.4).pixels) > 1000


def test_old_views_make_room(folder, monkeypatch):
    view_raster(VIEW, 0.5)
    (old,) = folder.iterdir()
    monkeypatch.setattr(cache, "_MOST_BYTES", old.stat().st_size + 10)
    view_raster(VIEW, 0.52)
    (left,) = folder.iterdir()
    assert left != old
