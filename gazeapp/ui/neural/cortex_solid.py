"""The cortex as a solid body that can be turned, drawn by OpenGL where there is any."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np
from PySide6.QtGui import QOffscreenSurface, QOpenGLContext

from gazeapp.engine.neural.surface.mesh import HEMISPHERES, INFLATED, load_mesh
from gazeapp.engine.neural.surface.picture import Shown, vertex_colours
from gazeapp.ui.colours import CANVAS

_APART_MM = 48.0
"""How far each hemisphere stands from the middle, so that the two inflated ones do not touch."""
_FAR_MM = 340.0
_SHADER = "cortex"

_VERTEX = """
    uniform mat4 u_mvp;
    uniform mat3 u_normal;
    attribute vec4 a_position;
    attribute vec3 a_normal;
    attribute vec4 a_color;
    varying vec4 v_color;
    varying vec3 v_normal;
    void main() {
        v_normal = normalize(u_normal * a_normal);
        v_color = a_color;
        gl_Position = u_mvp * a_position;
    }
"""
# As bright as the software's picture: what faces the viewer has the full colour.
_FRAGMENT = """
    #ifdef GL_ES
    precision mediump float;
    #endif
    varying vec4 v_color;
    varying vec3 v_normal;
    void main() {
        float light = 0.66 + 0.34 * sqrt(abs(normalize(v_normal).z));
        gl_FragColor = vec4(v_color.rgb * light, 1.0);
    }
"""


def why_not_solid() -> str:
    """Return why the cortex cannot be drawn as a solid body here; empty where it can."""
    if find_spec("OpenGL") is None:
        return "The solid view needs PyOpenGL, which is not installed: pip install PyOpenGL."
    # A widget whose context cannot be made ends in a crash or an empty picture, so it is tried before.
    context, surface = QOpenGLContext(), QOffscreenSurface()
    surface.create()
    if not (context.create() and surface.isValid() and context.makeCurrent(surface)):
        return "The solid view needs OpenGL, which this display does not offer."
    context.doneCurrent()
    return ""


class SolidCortex:
    """Both inflated hemispheres side by side, turned by dragging; only where :func:`why_not_solid` gives no reason."""

    def __init__(self) -> None:
        import pyqtgraph.opengl as gl
        from pyqtgraph.opengl import shaders

        if _SHADER not in shaders.ShaderProgram.names:
            shaders.ShaderProgram(_SHADER, [shaders.VertexShader(_VERTEX), shaders.FragmentShader(_FRAGMENT)])
        self.widget = gl.GLViewWidget()
        self.widget.setBackgroundColor(CANVAS)
        self.widget.setCameraPosition(distance=_FAR_MM, elevation=15, azimuth=-115)
        self.widget.setAccessibleName("Cortex as a solid body; drag to turn it")
        self._items: list[Any] = []
        for side, shift in zip(HEMISPHERES, (-_APART_MM, _APART_MM), strict=True):
            mesh = load_mesh(INFLATED, side)
            places = mesh.vertices + np.array([shift, 0.0, 0.0], dtype=np.float32)
            data = gl.MeshData(vertexes=places, faces=mesh.faces.astype(np.uint32))
            item = gl.GLMeshItem(meshdata=data, smooth=True, shader=_SHADER)
            self.widget.addItem(item)
            self._items.append(item)

    def show_values(self, shown: Shown) -> None:
        """Paint the vertices."""
        colours = vertex_colours(shown).astype(np.float32) / 255.0
        opaque = np.concatenate([colours, np.ones((len(colours), 1), np.float32)], axis=1)
        for item, part in zip(self._items, np.split(opaque, 2), strict=True):
            item.opts["meshdata"].setVertexColors(part)
            item.meshDataChanged()
