"""Pictures with maps on them, for the report's gallery and the exported overlays."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from gazeapp.engine.maps.resample import to_image
from gazeapp.engine.pictures import read_picture
from gazeapp.engine.reports.style import DENSITY_MAP, PEOPLE_COLOUR
from gazeapp.engine.types import DoubleArray, FloatArray, ImageArray, Rect

OPACITY = 0.8
_FADE = 0.6
"""Share of the scale over which a map fades in, so that the photograph stays in sight where it is low."""
_QUALITY = 82
_SCALE_PERCENTILE = 99.5


def thumbnail(path: Path, side: int) -> ImageArray:
    """Return a picture whose longer side has ``side`` px, small ones enlarged.

    Raises
    ------
    GazeError
        If the file is missing, damaged or too large.
    """
    pixels, _ = read_picture(path, max_side=side)
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    if scale == 1:
        return pixels
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS))


def times_uniform(values: FloatArray, rect: Rect, image: Rect, height: int, width: int) -> FloatArray:
    """Return a map at the size of a picture, in multiples of a uniform map (mean 1).

    Parameters
    ----------
    values, rect
        The map, shape (rows, columns), and the part of the image that it covers, image px.
    image
        The whole image, image px.
    height, width
        Size of the picture, px.
    """
    full = to_image(values, rect.scaled(width / image.width, height / image.height), height, width)
    mean = float(full.mean(dtype=np.float64))
    scaled: FloatArray = full / np.float32(mean) if mean > 0 else full
    return scaled


def shared_scale(maps: Sequence[FloatArray]) -> float:
    """Return the upper end of a colour scale for maps that are compared: their 99.5th percentile."""
    return max(float(np.percentile(np.concatenate([one.ravel() for one in maps]), _SCALE_PERCENTILE)), 1.0)


def overlay(picture: ImageArray, values: FloatArray, high: float, opacity: float = OPACITY) -> ImageArray:
    """Return ``picture`` with a map laid over it.

    Parameters
    ----------
    picture
        Shape (height, width, 3).
    values
        Map of the same height and width.
    high
        Value at the upper end of the colour scale; the lower end is 0 (see :func:`scale_position`).
    opacity
        Of the map where it is high; it fades out towards 0.
    """
    level = scale_position(values, high)
    colours = colour_table()[(level * 255).astype(np.uint8)].astype(np.float32)
    t = np.clip(level / _FADE, 0.0, 1.0)
    alpha = (opacity * t * t * (3 - 2 * t))[:, :, None]
    mixed: ImageArray = np.rint(picture * (1 - alpha) + colours * alpha).astype(np.uint8)
    return mixed


def with_fixations(picture: ImageArray, x: DoubleArray, y: DoubleArray, image: Rect) -> ImageArray:
    """Return ``picture`` with a dot for each fixation; ``x``, ``y`` in px of the whole image."""
    over = 3  # Drawn larger and reduced, for smooth edges.
    height, width = picture.shape[:2]
    canvas = Image.fromarray(picture).resize((width * over, height * over), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(canvas)
    radius = max(width, height) / 110 * over
    for px, py in zip(x * (width / image.width) * over, y * (height / image.height) * over, strict=True):
        draw.ellipse(
            (px - radius, py - radius, px + radius, py + radius), PEOPLE_COLOUR, "#FFFFFF", max(1, over // 2)
        )
    return np.asarray(canvas.resize((width, height), Image.Resampling.BOX))


def scale_position(values: FloatArray | float, high: float) -> FloatArray:
    """Return where values lie on the colour scale, 0 to 1.

    The square root lets weak maps be seen beside strong ones on the same scale.
    """
    position: FloatArray = np.sqrt(np.clip(np.asarray(values, dtype=np.float32) / high, 0.0, 1.0))
    return position


def jpeg(pixels: ImageArray) -> bytes:
    """Return a picture as the bytes of a JPEG file."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=_QUALITY, optimize=True)
    return stream.getvalue()


@lru_cache(maxsize=1)
def colour_table() -> NDArray[np.uint8]:
    """Return the colour map of densities, shape (256, 3)."""
    from matplotlib import colormaps

    table: NDArray[np.uint8] = np.rint(colormaps[DENSITY_MAP](np.arange(256))[:, :3] * 255).astype(np.uint8)
    table.flags.writeable = False
    return table


def gradient() -> str:
    """Return the colour map as the stops of a CSS gradient."""
    stops = colour_table()[np.linspace(0, 255, 13).astype(int)]
    return ", ".join(f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in stops)
