"""What painting stores must not make the window read the whole study anew after every stroke."""

from __future__ import annotations

import pytest

from gazeapp.engine.project import Project
from gazeapp.ui import loader as loader_module
from gazeapp.ui.loader import Loader


@pytest.fixture
def loader(qtbot, study, monkeypatch):
    monkeypatch.setattr(loader_module, "_LOOK_SECONDS", 0.02)
    made = Loader()
    with qtbot.waitSignal(made.listed):
        made.open(study.path)
    yield made
    made.close()


def store(path) -> None:
    with Project.open(path) as project:
        project.masks.add("a mask")


def test_what_is_stored_is_followed_when_painting_ends(loader, qtbot, study) -> None:
    stored = []
    loader.stored.connect(lambda: stored.append(True))
    loader.hold(True)
    store(study.path)
    qtbot.wait(150)
    assert stored == []
    with qtbot.waitSignal(loader.listed):
        loader.hold(False)
    assert stored == [True]


def test_without_anything_stored_nothing_is_read_anew(loader, qtbot, study) -> None:
    stored = []
    loader.stored.connect(lambda: stored.append(True))
    loader.hold(True)
    qtbot.wait(60)
    loader.hold(False)
    qtbot.wait(60)
    assert stored == []
    with qtbot.waitSignal(loader.stored):
        store(study.path)
