"""Drawn views are kept in a folder of the tests' own."""

from __future__ import annotations

import pytest

from gazeapp.engine.neural.surface import cache
from gazeapp.engine.neural.surface.scene import scene


@pytest.fixture(scope="session")
def _kept(tmp_path_factory):
    return tmp_path_factory.mktemp("cortex")


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, _kept):
    monkeypatch.setattr(cache, "cache_folder", lambda: _kept)
    return _kept


@pytest.fixture
def flat():
    """Both hemispheres flat, small."""
    from gazeapp.engine.neural.surface.views import layouts

    return scene(layouts("flat")[0], 0.8)


@pytest.fixture
def lateral():
    """Both hemispheres from the side, small."""
    from gazeapp.engine.neural.surface.views import layouts

    return scene(layouts("lateral")[0], 1.0)
