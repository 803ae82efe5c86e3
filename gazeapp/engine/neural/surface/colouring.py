"""Values on the cortex as colours: one look-up for each pixel, so that a picture is coloured anew within a frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gazeapp.engine.neural.surface.scene import Scene
from gazeapp.engine.types import DoubleArray, FloatArray

SEQUENTIAL = "viridis"
"""Colour map of values that start at a bound: perceptually uniform, safe for colour-blind eyes."""
DIVERGING = "blue-red"
"""Colour map of values around 0: blue to red through white, lightness linear on both sides."""
_SHADES = 32
_DARKEST = 0.66
"""Light of what is turned away, as a share of what faces the viewer."""
_GYRUS, _SULCUS = 212.0, 158.0
_FOLD = 0.25
"""Depth over which a gyrus turns into a sulcus, in the unit of the folds."""
_EXTREME_SHARE = 99.0
# The ends of the diverging map in CIELAB (D65) and the lightness of its middle.
_BLUE, _RED, _WHITE = (40.0, 36.0, -74.5), (40.0, 64.5, 52.0), (95.0, 0.0, 0.0)


@dataclass(frozen=True)
class Colouring:
    """How values become colours.

    Parameters
    ----------
    low, high
        Values of the first and the last colour; what lies beyond has the colour of the end.
    diverging
        Whether the middle of the scale means nothing and its ends opposites.
    threshold
        Values nearer to 0 than this are not shown: the folds are in grey there.
    """

    low: float
    high: float
    diverging: bool = False
    threshold: float = 0.0

    @property
    def table(self) -> NDArray[np.uint8]:
        """The colours from the lowest value to the highest, shape (256, 3)."""
        return colour_table(DIVERGING if self.diverging else SEQUENTIAL)

    def places(self, values: FloatArray) -> NDArray[np.uint8]:
        """Return the row of ``table`` of each value; that of NaN means nothing."""
        span = max(self.high - self.low, 1e-12)
        # Added 0.5 and cut off is rounded, in one pass less.
        scaled = (values - np.float32(self.low)) * np.float32(255.0 / span)
        scaled += np.float32(0.5)
        np.clip(scaled, 0.0, 255.0, out=scaled)
        with np.errstate(invalid="ignore"):
            rows: NDArray[np.uint8] = scaled.astype(np.uint8)
        return rows


def common_limits(maps: Sequence[FloatArray], symmetric: bool = False) -> tuple[float, float]:
    """Return limits that suit several maps shown side by side.

    Parameters
    ----------
    maps
        Values, NaN where there is none.
    symmetric
        Whether values are signed: then from minus to plus the value that 99 % of their sizes lie below; else from 0,
        or where values are negative from the 1st, to the 99th percentile.

    Returns
    -------
    low, high
        0 and 1 (or -1 and 1) where there is no value at all.
    """
    known = [values[np.isfinite(values)] for values in maps]
    together = np.concatenate(known) if known else np.zeros(0, np.float32)
    if not together.size or not np.any(together):
        return (-1.0 if symmetric else 0.0), 1.0
    if symmetric:
        top = float(np.percentile(np.abs(together), _EXTREME_SHARE))
        top = top or float(np.abs(together).max())
        return -top, top
    low, high = np.percentile(together, [100.0 - _EXTREME_SHARE, _EXTREME_SHARE])
    low = min(float(low), 0.0)
    return low, float(high) if high > low else float(max(together.max(), low + 1e-6))


def paint(scene: Scene, values: FloatArray | None, colouring: Colouring) -> NDArray[np.uint8]:
    """Return the picture of a scene.

    Parameters
    ----------
    scene
        What is seen at each pixel.
    values
        Values of the vertices, shape (20,484,), NaN where there is none; None shows the folds alone.
    colouring
        Limits, colours and threshold.

    Returns
    -------
    numpy.ndarray
        Shape (height, width, 4), uint8, RGBA, transparent beside the cortex.
    """
    return paint_rows(scene, None if values is None else scene.between(values), colouring)


def paint_rows(scene: Scene, values: FloatArray | None, colouring: Colouring) -> NDArray[np.uint8]:
    """Return the picture of a scene from a value for each of its ``n`` pixels; the rest as in :func:`paint`."""
    inks: _Inks = scene.keep(_Inks, lambda: _prepared(scene))
    if values is None:
        colours = inks.greys
    else:
        shaded = _shaded(colouring.table.tobytes())
        colours = np.take(shaded, inks.shades + colouring.places(values), mode="clip")  # spares a check
        hidden = ~(np.abs(values) >= np.float32(colouring.threshold))  # true for NaN
        if hidden.any():
            np.copyto(colours, inks.greys, where=hidden)
    picture = np.zeros(scene.height * scene.width, dtype="<u4")
    picture[scene.pixels] = colours & inks.keep
    return picture.view(np.uint8).reshape(scene.height, scene.width, 4)


def fold_greys(folds: FloatArray) -> FloatArray:
    """Return the grey, 0 to 255, of folds of these depths where they face the viewer."""
    depth = np.clip(folds / _FOLD * 0.5 + 0.5, 0.0, 1.0)
    greys: FloatArray = _GYRUS + (_SULCUS - _GYRUS) * depth * depth * (3.0 - 2.0 * depth)
    return greys


def over(picture: NDArray[np.uint8], colour: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Return an RGBA picture on a background as RGB, shape (height, width, 3)."""
    alpha = picture[..., 3:].astype(np.uint16)
    mixed = picture[..., :3] * alpha + np.array(colour, dtype=np.uint16) * (255 - alpha)
    return ((mixed + 127) // 255).astype(np.uint8)


@lru_cache(maxsize=4)
def colour_table(name: str) -> NDArray[np.uint8]:
    """Return the colours of a map, shape (256, 3), uint8: `SEQUENTIAL` or `DIVERGING`."""
    if name == DIVERGING:
        shares = np.linspace(-1.0, 1.0, 256)
        ends = np.where(shares[:, None] < 0, _BLUE, _RED)
        table = _rgb(np.array(_WHITE) + (ends - _WHITE) * np.abs(shares)[:, None])
    else:
        from matplotlib import colormaps

        table = np.rint(colormaps[name](np.arange(256))[:, :3] * 255).astype(np.uint8)
    table.flags.writeable = False
    return table


def _rgb(lab: DoubleArray) -> NDArray[np.uint8]:
    """Return colours of CIELAB (D65), shape (n, 3), in sRGB, shape (n, 3); IEC 61966-2-1."""
    middle = (lab[:, 0] + 16.0) / 116.0
    nodes = np.stack([middle + lab[:, 1] / 500.0, middle, middle - lab[:, 2] / 200.0], axis=1)
    xyz = np.where(nodes > 6.0 / 29.0, nodes**3, 3.0 * (6.0 / 29.0) ** 2 * (nodes - 4.0 / 29.0))
    xyz *= np.array([0.95047, 1.0, 1.08883])
    to_linear = np.array(
        [
            [3.2404542, -1.5371385, -0.4985314],
            [-0.9692660, 1.8760108, 0.0415560],
            [0.0556434, -0.2040259, 1.0572252],
        ]
    )
    linear = np.clip(xyz @ to_linear.T, 0.0, 1.0)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1.0 / 2.4) - 0.055)
    rgb: NDArray[np.uint8] = np.rint(encoded * 255.0).astype(np.uint8)
    return rgb


@dataclass(frozen=True, eq=False)
class _Inks:
    """What the pixels of a scene need to be coloured: packed greys, where their shade starts, and what is kept."""

    greys: NDArray[np.uint32]
    shades: NDArray[np.uint16]
    keep: NDArray[np.uint32]


def _prepared(scene: Scene) -> _Inks:
    shade = np.rint(scene.facing * (_SHADES - 1)).astype(np.uint16)
    level = np.rint(fold_greys(scene.folds) * _lights()[shade]).astype(np.uint32)
    return _Inks(
        (0xFF000000 | level << 16 | level << 8 | level).astype("<u4"),
        shade * np.uint16(256),
        (scene.coverage.astype(np.uint32) << 24 | 0x00FFFFFF).astype("<u4"),
    )


def _lights() -> FloatArray:
    """Return how bright each of the shades is, from turned away to facing the viewer."""
    facing = np.linspace(0.0, 1.0, _SHADES, dtype=np.float32)
    lights: FloatArray = np.float32(_DARKEST) + np.float32(1.0 - _DARKEST) * np.sqrt(facing)
    return lights


@lru_cache(maxsize=8)
def _shaded(table: bytes) -> NDArray[np.uint32]:
    """Return a colour table (256, 3) in all shades, one after the other, as packed RGBA, shape (32 * 256,)."""
    colours = np.frombuffer(table, dtype=np.uint8).reshape(1, 256, 3)
    shaded = np.rint(colours * _lights()[:, None, None]).astype(np.uint32)
    packed: NDArray[np.uint32] = 0xFF000000 | shaded[..., 2] << 16 | shaded[..., 1] << 8 | shaded[..., 0]
    return packed.astype("<u4").ravel()
