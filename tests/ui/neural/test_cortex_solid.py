"""The solid view says why it cannot be where there is no OpenGL, as on the platform of these tests."""

from __future__ import annotations

import numpy as np
import pytest

from gazeapp.engine.neural.surface import cache
from gazeapp.engine.neural.surface.colouring import Colouring
from gazeapp.engine.neural.surface.picture import Shown, vertex_colours
from gazeapp.ui.neural import cortex_solid
from gazeapp.ui.neural.cortex_solid import why_not_solid
from gazeapp.ui.neural.cortex_view import CortexView


@pytest.fixture
def view(qtbot, tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "cache_folder", lambda: tmp_path)
    made = CortexView()
    qtbot.addWidget(made)
    made.resize(300, 180)
    made.show()
    qtbot.waitUntil(lambda: made.scene is not None and made._job is None)
    return made


def test_without_pyopengl_the_button_says_so(view, monkeypatch):
    monkeypatch.setattr(cortex_solid, "find_spec", lambda _: None)
    view.strip.solid.click()
    assert not view.strip.solid.isEnabled()
    assert not view.strip.solid.isChecked()
    assert "PyOpenGL" in view.strip.solid.toolTip().replace("\n", " ")
    assert view._pages.currentIndex() == 0


def test_a_display_without_opengl_is_said(qtbot, monkeypatch):
    monkeypatch.setattr(cortex_solid, "find_spec", lambda _: object())
    monkeypatch.setattr(cortex_solid.QOpenGLContext, "create", lambda _: False)
    assert "does not offer" in why_not_solid()


def test_vertices_have_the_colours_of_their_values():
    values = np.linspace(-1, 1, 20_484, dtype=np.float32)
    values[5] = np.nan
    colouring = Colouring(-1.0, 1.0, diverging=True, threshold=0.1)
    colours = vertex_colours(Shown(colouring, values))
    folds = vertex_colours(Shown(colouring))
    assert (folds[:, 0] == folds[:, 2]).all()
    hidden = ~(np.abs(values) >= 0.1)
    np.testing.assert_array_equal(colours[hidden], folds[hidden])
    np.testing.assert_array_equal(colours[~hidden], colouring.table[colouring.places(values[~hidden])])
