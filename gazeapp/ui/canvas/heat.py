"""Maps made ready to draw: one smooth texture over the whole image, in a unit with a meaning.

Every map is shown as density relative to uniform: 1 is what an even spread over the image would
give, 3 is three times that. So maps of different grids and people's maps share one scale. Colours
follow the logarithm from 1 up, because people's maps peak ten times higher than most models' maps
and both have to be read on the same scale; what is below 1 is transparent.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gazeapp.engine.maps.resample import to_image
from gazeapp.engine.types import DoubleArray, FloatArray, Rect

UNIT = "× uniform"
"""Name of the unit in which maps are shown."""

TEXTURE_SIDE = 256
"""Long side of a texture, texels."""

TOP_SHARE = 99.5
"""Share of a map, in percent, that lies below the top of its scale."""
LEAST_TOP = 2.0
"""Top of the scale of maps that are nearly even, in ``UNIT``."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Where values lie on a colour bar: from 1 to ``top`` for densities, else from ``-top`` to ``top``.

    Densities are placed by their logarithm, differences by sign(d) log(1 + |d|).

    Parameters
    ----------
    top
        Value of the last colour, in ``UNIT``, above 1 for densities and above 0 for differences.
    signed
        Whether values are differences.
    """

    top: float
    signed: bool = False

    @property
    def bottom(self) -> float:
        """Value of the first colour."""
        return -self.top if self.signed else 1.0

    def place(self, values: FloatArray | DoubleArray | float) -> DoubleArray:
        """Return where values lie from 0 (first colour) to 1 (last colour); not clipped."""
        array = np.asarray(values, dtype=np.float64)
        if self.signed:
            shares: DoubleArray = np.sign(array) * np.log1p(np.abs(array)) / np.log1p(self.top)
            return 0.5 + 0.5 * shares
        places: DoubleArray = np.log(np.maximum(array, 1e-6)) / np.log(self.top)
        return places

    def value(self, places: DoubleArray) -> DoubleArray:
        """Return the values that lie at ``places``: the inverse of :meth:`place`."""
        if self.signed:
            shares = 2.0 * places - 1.0
            signed: DoubleArray = np.sign(shares) * np.expm1(np.abs(shares) * np.log1p(self.top))
            return signed
        values: DoubleArray = np.exp(places * np.log(self.top))
        return values


@dataclass(frozen=True)
class HeatLayer:
    """A map over a whole image, quantised once so that colours and scale change without recomputing.

    Parameters
    ----------
    texture
        Values in ``UNIT``, shape (rows, columns), float32.
    indices
        The texture on ``scale``, shape (rows, columns), uint8.
    scale
        What index 0 and 255 stand for.
    """

    texture: FloatArray
    indices: NDArray[np.uint8]
    scale: Scale

    @property
    def signed(self) -> bool:
        """Whether this is a difference, with zero in the middle."""
        return self.scale.signed

    @cached_property
    def top(self) -> float:
        """Value below which 99.5 % of the texture lies (of the absolute value for a difference)."""
        values = np.abs(self.texture) if self.signed else self.texture
        return max(float(np.percentile(values, TOP_SHARE)), LEAST_TOP)

    def value_at(self, across: float, down: float) -> float:
        """Return the value at a place given as shares of the image's width and height, in ``UNIT``."""
        rows, columns = self.texture.shape
        row = min(max(int(down * rows), 0), rows - 1)
        column = min(max(int(across * columns), 0), columns - 1)
        return float(self.texture[row, column])

    def percentile_at(self, across: float, down: float) -> float:
        """Return the share of the image, in percent, where the map is lower than at this place."""
        value = self.value_at(across, down)
        below, equal = (self.texture < value).mean(), (self.texture == value).mean()
        return float(100.0 * (below + equal / 2.0))

    def table_for(self, table: NDArray[np.uint8], scale: Scale) -> NDArray[np.uint8]:
        """Return ``table`` (256, 4), whose colours span ``scale``, rearranged for this layer's indices."""
        places = scale.place(self.scale.value(np.linspace(0.0, 1.0, 256)))
        rearranged: NDArray[np.uint8] = table[np.clip(np.rint(places * 255.0), 0, 255).astype(np.int64)]
        return rearranged


def texture_shape(width: int, height: int) -> tuple[int, int]:
    """Return (rows, columns) of the texture for an image of ``width`` x ``height`` px."""
    scale = TEXTURE_SIDE / max(width, height)
    return max(1, round(height * scale)), max(1, round(width * scale))


def relative_density(values: FloatArray, rect: Rect, width: int, height: int) -> FloatArray:
    """Return a map as a texture over the whole image, relative to a uniform map.

    Interpolated as scores do (:func:`gazeapp.engine.maps.resample.to_image`); 0 outside ``rect``.

    Parameters
    ----------
    values
        Map, shape (rows, columns), non-negative.
    rect
        Rectangle that the map covers, image px.
    width, height
        Size of the image, px.

    Returns
    -------
    numpy.ndarray
        Shape ``texture_shape(width, height)``, float32, in ``UNIT``.
    """
    rows, columns = texture_shape(width, height)
    total = float(values.sum(dtype=np.float64))
    if not total > 0:
        return np.zeros((rows, columns), dtype=np.float32)
    scaled = rect.scaled(columns / width, rows / height)
    unit = values.size / total * (width * height) / (rect.width * rect.height)
    return to_image(values * np.float32(unit), scaled, rows, columns)


def density_layer(values: FloatArray, rect: Rect, width: int, height: int) -> HeatLayer:
    """Return a density map as a layer; parameters as in :func:`relative_density`."""
    texture = relative_density(values, rect, width, height)
    return _layer(texture, Scale(max(float(texture.max()), LEAST_TOP)))


def difference_layer(
    model: tuple[FloatArray, Rect], people: tuple[FloatArray, Rect], width: int, height: int
) -> HeatLayer:
    """Return the layer of a model's map minus people's map, each given with its rectangle."""
    texture = relative_density(*model, width, height) - relative_density(*people, width, height)
    return _layer(texture, Scale(max(float(np.abs(texture).max()), LEAST_TOP), signed=True))


def _layer(texture: FloatArray, scale: Scale) -> HeatLayer:
    indices = np.clip(np.rint(scale.place(texture) * 255.0), 0, 255).astype(np.uint8)
    texture.flags.writeable = False
    indices.flags.writeable = False
    layer = HeatLayer(texture, indices, scale)
    _ = layer.top  # known before it is drawn, as layers are made on other threads than the window's
    return layer
