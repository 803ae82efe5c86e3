"""Tests need no screen, and one thread each: set before Qt and numpy are first imported."""

from __future__ import annotations

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
# Two workers with two threads each wait for each other; small arrays are done sooner by one.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest

from gazeapp.engine.neural.surface import cache


@pytest.fixture(autouse=True, scope="session")
def own_cortex_cache(tmp_path_factory):
    """Keep drawn views of the cortex out of the cache of whoever runs the tests; all tests of a run share them."""
    folder = tmp_path_factory.mktemp("cortex")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cache, "cache_folder", lambda: folder)
        yield
