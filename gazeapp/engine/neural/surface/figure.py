"""The cortex as a figure for reports and exports: the picture as the window shows it, with its colour bar and names."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gazeapp.engine.neural.records import LEFT
from gazeapp.engine.neural.surface.colouring import over
from gazeapp.engine.neural.surface.mesh import INFLATED
from gazeapp.engine.neural.surface.picture import Shown, compose
from gazeapp.engine.neural.surface.scene import Scene, scene_for
from gazeapp.engine.types import ImageArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WHITE = (255, 255, 255)
_TEXT, _QUIET = "#1D1D1B", "#6B6B6B"
_EM_MM = 6.2
"""Height of the text, mm of the surfaces, so that the names of views have room in their corners."""
_HEAD_EM, _BAR_EM = 3.0, 9.5
"""Room above the picture and beside it, in heights of the text."""


@dataclass(frozen=True)
class CortexFigure:
    """A figure of the cortex.

    Parameters
    ----------
    pixels
        The whole figure, shape (height, width, 3), uint8, RGB.
    left, top
        Where the picture of the cortex stands in it, px.
    picture
        That picture, shape (height, width, 4), uint8, RGBA.
    """

    pixels: ImageArray
    left: int
    top: int
    picture: NDArray[np.uint8]

    def png(self, dpi: int = 200) -> bytes:
        """Return the figure as the bytes of a PNG file."""
        from PIL import Image

        buffer = io.BytesIO()
        Image.fromarray(self.pixels).save(buffer, "PNG", dpi=(dpi, dpi))
        return buffer.getvalue()


def cortex_figure(
    shown: Shown,
    label: str = "",
    title: str = "",
    scene: str = INFLATED,
    size: tuple[int, int] = (1600, 900),
    simulated: bool = False,
) -> CortexFigure:
    """Return a figure of values on the cortex, drawn without a window.

    Parameters
    ----------
    shown
        What is shown.
    label
        Name of the values with their unit, beside the colour bar; without it there is no bar.
    title
        Line above the picture.
    scene
        ``inflated``, ``flat`` or an angle, as in :func:`gazeapp.engine.neural.surface.views.layouts`.
    size
        Width and height for the picture of the cortex, px; it is about as large.
    simulated
        Whether the figure says that the responses are simulated.

    Raises
    ------
    GazeError
        If the meshes cannot be read.
    """
    drawn = scene_for(scene, *size)
    picture = compose(drawn, shown)
    em = max(_EM_MM * drawn.scale, 10.0)
    left, top = 0, round(_HEAD_EM * em) if title or simulated else 0
    width = drawn.width + (round(_BAR_EM * em) if label else 0)
    frame = _frame(drawn, shown, (width, drawn.height + top), em, label, title, simulated)
    page = np.full((drawn.height + top, width, 3), 255, dtype=np.uint8)
    page[top:, : drawn.width] = over(picture, WHITE)
    # Text and bar are dark or coloured on white: the darker of the two is both.
    return CortexFigure(np.minimum(page, frame), left, top, picture)


def _frame(
    scene: Scene,
    shown: Shown,
    size: tuple[int, int],
    em: float,
    label: str,
    title: str,
    simulated: bool,
) -> ImageArray:
    """Return names, title and colour bar on white, shape (height, width, 3)."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    dpi = 72.0  # a point is a pixel
    width, height = size
    top = height - scene.height
    with mpl.rc_context({"font.family": "DejaVu Sans", "font.size": em, "text.parse_math": False}):
        figure = Figure(figsize=(width / dpi, height / dpi), dpi=dpi, facecolor="white")
        canvas: Any = FigureCanvasAgg(figure)
        if title:
            figure.text(
                0.4 * em / width, 1.0 - 0.6 * em / height, title, size=1.15 * em, color=_TEXT, va="top"
            )
        if simulated:
            place = (1.0 - 0.4 * em / width, 1.0 - 0.6 * em / height)
            figure.text(*place, "simulated responses", color="#9A5B00", va="top", ha="right")
        for tile in scene.tiles:
            # The outer corners of the views are empty.
            outer = tile.left if tile.view.hemisphere == LEFT else tile.left + tile.width
            place = (outer / width, 1.0 - (top + tile.top) / height)
            figure.text(
                *place, tile.view.title, size=0.85 * em, color=_QUIET, va="top", ha=tile.view.hemisphere
            )
        if label:
            _bar(figure, scene, shown, size, em, label)
        canvas.draw()
        pixels: ImageArray = np.asarray(canvas.buffer_rgba())[..., :3].copy()
    return pixels


def _bar(figure: Figure, scene: Scene, shown: Shown, size: tuple[int, int], em: float, label: str) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import ListedColormap, Normalize

    width, height = size
    tall = min(0.6 * scene.height, 24 * em) / height
    box = ((scene.width + 1.5 * em) / width, (scene.height / height - tall) / 2, em / width, tall)
    axes = figure.add_axes(box)
    colouring = shown.colouring
    colours: Any = ListedColormap(colouring.table / 255.0)
    bar: Any = figure.colorbar(ScalarMappable(Normalize(colouring.low, colouring.high), colours), cax=axes)
    bar.outline.set_visible(False)
    bar.set_label(label, color=_TEXT)
    axes.tick_params(color=_QUIET, labelcolor=_TEXT, labelsize=0.9 * em)
