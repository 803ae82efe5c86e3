"""Tests need no screen, and one thread each: set before Qt and numpy are first imported."""

from __future__ import annotations

import gc
import itertools
import os
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
# Two workers with two threads each wait for each other; small arrays are done sooner by one.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest

from gazeapp.engine.neural.surface import cache

_NUMBERS = itertools.count()


@pytest.fixture(autouse=True, scope="session")
def own_cortex_cache(tmp_path_factory):
    """Keep drawn views of the cortex out of the cache of whoever runs the tests; all tests of a run share them."""
    folder = tmp_path_factory.mktemp("cortex")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cache, "cache_folder", lambda: folder)
        yield


@pytest.fixture(autouse=True, scope="module")
def modules_are_no_garbage() -> None:
    """Leave what has been imported out of the search for garbage that follows each model, and takes its time by it."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def users(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep the list of models, the consents and the runners of whoever runs the tests out of what tests share."""
    folder = tmp_path_factory.mktemp("users")
    with pytest.MonkeyPatch.context() as patch:
        _move_user(patch, folder / "shared")
        yield folder


@pytest.fixture(autouse=True)
def own_user(users: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each test a user of its own, who has no models, consents and runners yet."""
    _move_user(monkeypatch, users / str(next(_NUMBERS)))


def _move_user(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Have settings and data in ``folder``, which is made by what first writes there."""
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "LOCALAPPDATA"):
        patch.setenv(name, str(folder))
