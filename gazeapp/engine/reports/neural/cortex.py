"""Pictures of the cortex: how well each vertex is predicted, all sources on one scale."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from pathlib import Path

from gazeapp.engine.neural.surface.colouring import Colouring, common_limits, over
from gazeapp.engine.neural.surface.figure import WHITE, cortex_figure
from gazeapp.engine.neural.surface.mesh import INFLATED
from gazeapp.engine.neural.surface.picture import Shown, compose
from gazeapp.engine.neural.surface.scene import scene_for
from gazeapp.engine.reports.files import replacing
from gazeapp.engine.reports.neural.data import Drawn
from gazeapp.engine.reports.results.neural_measures import SIMULATED_RESPONSES
from gazeapp.engine.types import FloatArray

_SIZE = (900, 440)
_COLOURS = 96


def cortex_colouring(maps: Sequence[FloatArray]) -> Colouring:
    """Return the colours of several maps of correlations that stand side by side."""
    return Colouring(*common_limits(list(maps)))


def cortex_drawn(values: FloatArray, colouring: Colouring, name: str, simulated: bool) -> Drawn:
    """Return a source's correlation at each vertex as a picture of both hemispheres, for a page that names it.

    Parameters
    ----------
    values
        Correlation of each vertex, shape (20484,).
    colouring
        Colours, the same for all sources.
    name
        The source.
    simulated
        Whether the responses are simulated.

    Raises
    ------
    GazeError
        If the meshes cannot be read.
    """
    from PIL import Image

    pixels = over(compose(scene_for(INFLATED, *_SIZE), Shown(colouring, values)), WHITE)
    buffer = io.BytesIO()
    # Of few colours it is a fraction of its size and looks the same.
    Image.fromarray(pixels).quantize(_COLOURS, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
    uri = f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
    caption = f"{name}: correlation at each vertex."
    said = f"{caption} {SIMULATED_RESPONSES}" if simulated else caption
    return Drawn(name, said, uri, pixels.shape[1], pixels.shape[0])


def write_cortex(values: FloatArray, colouring: Colouring, title: str, simulated: bool, path: Path) -> None:
    """Write the same as a PNG picture with title, names of the views and colour bar.

    Raises
    ------
    GazeError
        If the meshes cannot be read or the file cannot be written; an older one stays as it was.
    """
    content = cortex_figure(Shown(colouring, values), "r", title, simulated=simulated).png()
    with replacing(path) as partial:
        partial.write_bytes(content)
