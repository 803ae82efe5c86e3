"""The mask painter without a window: strokes, shapes, and undo on the mask of one image."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.masks import shapes
from gazeapp.engine.lesions.masks.box import Box, Patch, on_image
from gazeapp.engine.lesions.masks.brush import Point, brush_move
from gazeapp.engine.lesions.masks.built_in import side_mask
from gazeapp.engine.lesions.masks.history import History, step_between
from gazeapp.engine.lesions.masks.soften import softened
from gazeapp.engine.types import MaskArray

Mode: TypeAlias = Literal["add", "subtract", "replace"]
"""What a shape does: raise the mask to its cover, lower it to what its cover leaves, or be the whole mask."""

UNDO_BYTES = 256_000_000
"""Memory that the steps of one mask may need; a slanted soft stroke over twelve megapixels takes 0.1 to 0.3 MB."""

SMALLEST_RADIUS = 0.7072
"""A brush of this radius, px, takes at least the pixel that it is over, wherever in the pixel it is."""


class _Stroke:
    """A stroke that is being drawn: where the brush is, the mask before, and what the stroke covers so far."""

    def __init__(self, mask: MaskArray, at: Point, radius: float, value: int, softness: float) -> None:
        self.at = at
        self.radius = radius
        self.value = value
        self.softness = softness
        self.before = mask.copy()
        self.cover = np.zeros_like(mask)
        self.box: Box | None = None


class MaskEditor:
    """Paint the mask of one image; everything that is done can be taken back, each stroke or shape as one step.

    Whatever is asked while a stroke is being drawn ends the stroke first. Boxes that come back hold every pixel that
    changed; None means that nothing did, and then there is no step either.

    Parameters
    ----------
    height, width
        Of the image, px.
    values
        Mask to start from, shape (height, width), 0 to 255; None for an empty one. It is copied.
    undo_limit
        Most steps that can be taken back.
    undo_bytes
        Most memory for them; where it is short the oldest steps are let go, never the newest.

    Raises
    ------
    GazeError
        When the values have another size or kind.
    """

    def __init__(
        self,
        height: int,
        width: int,
        values: MaskArray | None = None,
        undo_limit: int = 1000,
        undo_bytes: int = UNDO_BYTES,
    ) -> None:
        if height < 1 or width < 1:
            raise GazeError(f"An image of {width} x {height} px has nothing to paint on.")
        self._mask: MaskArray = np.zeros((height, width), dtype=np.uint8)
        if values is not None:
            self._mask[:] = self._fitting(values)
        self._sum = int(self._mask.sum(dtype=np.int64))
        self._seen = self._mask.view()
        self._seen.flags.writeable = False
        self._history = History(undo_limit, undo_bytes)
        self._stroke: _Stroke | None = None

    @property
    def mask(self) -> MaskArray:
        """The mask as it is now, shape (height, width), read-only; it changes with the painting, so copy to keep."""
        return self._seen

    @property
    def height(self) -> int:
        """Rows of the image, px."""
        return int(self._mask.shape[0])

    @property
    def width(self) -> int:
        """Columns of the image, px."""
        return int(self._mask.shape[1])

    @property
    def area(self) -> float:
        """Share of the image that is taken away, 0 to 1; graded pixels count by their share."""
        return self._sum / (255 * self._mask.size)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is taken away."""
        return self._sum == 0

    @property
    def n_bytes(self) -> int:
        """Memory that the mask and its steps need, about; a stroke needs twice the mask's besides while it lasts."""
        return self._mask.nbytes + self._history.n_bytes

    @property
    def is_drawing(self) -> bool:
        """Whether a stroke has begun and not ended."""
        return self._stroke is not None

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to take back."""
        return bool(self._history.undo_text)

    @property
    def can_redo(self) -> bool:
        """Whether there is a step to do again."""
        return bool(self._history.redo_text)

    @property
    def undo_text(self) -> str:
        """What `undo` takes back, such as "brush stroke"; empty when there is nothing."""
        return self._history.undo_text

    @property
    def redo_text(self) -> str:
        """What `redo` does again; empty when there is nothing."""
        return self._history.redo_text

    def begin_stroke(
        self, x: float, y: float, size_px: float, value: int = 255, softness: float = 0.0
    ) -> Box | None:
        """Put the brush down.

        Parameters
        ----------
        x, y
            Where, image px; it may lie outside the image.
        size_px
            Diameter of the brush, image px. However small, it takes the pixel that it is over.
        value
            What a pixel under the full brush becomes: 255 paints, 0 erases.
        softness
            Share of the radius over which the brush fades, 0 to 1. A fading brush brings a pixel that much of the
            way to ``value``. A stroke counts once wherever it goes, however slowly or often it passes.
        """
        at = _point(x, y)
        self.end_stroke()
        radius = max(float(size_px) / 2, SMALLEST_RADIUS)
        self._stroke = _Stroke(
            self._mask, at, radius, min(max(int(value), 0), 255), min(max(float(softness), 0.0), 1.0)
        )
        return self._draw_to(self._stroke, at)

    def stroke_to(self, x: float, y: float) -> Box | None:
        """Move the brush in a straight line, without gaps; nothing happens where no stroke has begun."""
        at = _point(x, y)
        return None if self._stroke is None else self._draw_to(self._stroke, at)

    def end_stroke(self) -> Box | None:
        """Lift the brush: the stroke becomes one step."""
        stroke, self._stroke = self._stroke, None
        if stroke is None or stroke.box is None:
            return None
        where = stroke.box.slices
        text = "brush stroke" if stroke.value else "eraser stroke"
        step = step_between(stroke.before[where], self._mask[where], stroke.box, text)
        if step is None:
            return None
        self._history.add(step)
        return step.box

    def cancel_stroke(self) -> Box | None:
        """Lift the brush and leave the mask as it was before the stroke."""
        stroke, self._stroke = self._stroke, None
        if stroke is None or stroke.box is None:
            return None
        part = self._mask[stroke.box.slices]
        self._sum -= int(part.sum(dtype=np.int64))
        part[:] = stroke.before[stroke.box.slices]
        self._sum += int(part.sum(dtype=np.int64))
        return stroke.box

    def polygon(self, points: ArrayLike, mode: Mode = "add", soft_px: float = 0.0) -> Box | None:
        """Put in a polygon; corners of shape (n, 2), image px (see `shapes.polygon`)."""
        return self._put(shapes.polygon(points, self.height, self.width, soft_px), mode, "polygon")

    def rectangle(
        self, x0: float, y0: float, x1: float, y1: float, mode: Mode = "add", soft_px: float = 0.0
    ) -> Box | None:
        """Put in the rectangle between two opposite corners, image px."""
        return self._put(
            shapes.rectangle(x0, y0, x1, y1, self.height, self.width, soft_px), mode, "rectangle"
        )

    def ellipse(
        self, x0: float, y0: float, x1: float, y1: float, mode: Mode = "add", soft_px: float = 0.0
    ) -> Box | None:
        """Put in the ellipse that fills the rectangle between two opposite corners, image px."""
        return self._put(shapes.ellipse(x0, y0, x1, y1, self.height, self.width, soft_px), mode, "ellipse")

    def half_plane(self, point: Point, normal: Point, mode: Mode = "add", soft_px: float = 0.0) -> Box | None:
        """Put in all that lies across a line through a point, on the side that the normal points to."""
        return self._put(
            shapes.half_plane(point, normal, self.height, self.width, soft_px), mode, "half-plane"
        )

    def side(self, name: str, mode: Mode = "add", share: float = 0.5, soft: float = 0.0) -> Box | None:
        """Put in one side of the image.

        Parameters
        ----------
        name
            left, right, top or bottom.
        mode
            What it does to the mask.
        share
            Of the width (or height), from that border, 0 to 1.
        soft
            Share of the width (or height) over which the edge fades.
        """
        values = side_mask(name, self.height, self.width, share, soft=soft)
        return self._put(Patch(self._whole, values), mode, f"{name} side")

    def gradient(self, first: Point, second: Point, mode: Mode = "add") -> Box | None:
        """Put in cover that falls linearly from 255 at the first point, and before it, to 0 at the second."""
        return self._put(shapes.gradient(first, second, self.height, self.width), mode, "gradient")

    def fill(self) -> Box | None:
        """Cover the whole image."""
        return self._become(np.full_like(self._mask, 255), "fill")

    def clear(self) -> Box | None:
        """Cover nothing."""
        return self._become(np.zeros_like(self._mask), "clear")

    def invert(self) -> Box | None:
        """Cover what was not covered, and only that."""
        self.end_stroke()
        return self._become(np.bitwise_not(self._mask), "invert")

    def soften(self, radius_px: float) -> Box | None:
        """Blur the mask by a Gaussian of this standard deviation, px."""
        self.end_stroke()
        return self._become(softened(self._mask, radius_px), "soften")

    def replace(self, values: MaskArray, text: str) -> Box | None:
        """Take another mask of this size; ``text`` names the step.

        Raises
        ------
        GazeError
            When the values have another size or kind.
        """
        return self._become(self._fitting(values), text)

    def undo(self) -> Box | None:
        """Take the last step back."""
        self.end_stroke()
        step = self._history.back()
        if step is None:
            return None
        step.apply(self._mask)
        self._sum -= step.change
        return step.box

    def redo(self) -> Box | None:
        """Do the step again that was taken back last."""
        self.end_stroke()
        step = self._history.forth()
        if step is None:
            return None
        step.apply(self._mask)
        self._sum += step.change
        return step.box

    @property
    def _whole(self) -> Box:
        return Box(0, 0, self.width, self.height)

    def _fitting(self, values: MaskArray) -> MaskArray:
        """Return a mask that fits this image."""
        mask = np.asarray(values)
        if mask.dtype != np.uint8 or mask.ndim != 2:
            raise GazeError("A mask has rows and columns of whole numbers from 0 to 255.")
        if mask.shape != (self.height, self.width):
            raise GazeError(
                f"The mask is {mask.shape[1]} x {mask.shape[0]} px, the image {self.width} x {self.height} px."
            )
        return mask

    def _draw_to(self, stroke: _Stroke, at: Point) -> Box | None:
        """Cover what lies between where the brush was and is; the mask follows from the mask before the stroke."""
        changed: Box | None = None
        for box, cover in brush_move(stroke.at, at, stroke.radius, stroke.softness, self.height, self.width):
            total = stroke.cover[box.slices]
            np.maximum(total, cover, out=total)
            part = self._mask[box.slices]
            self._sum -= int(part.sum(dtype=np.int64))
            part[:] = _brought(stroke.before[box.slices], total, stroke.value)
            self._sum += int(part.sum(dtype=np.int64))
            changed = box.union(changed)
        stroke.at = at
        if changed is not None:
            stroke.box = changed.union(stroke.box)
        return changed

    def _put(self, patch: Patch | None, mode: Mode, text: str) -> Box | None:
        """Bring a shape into the mask."""
        self.end_stroke()
        if mode == "replace":
            return self._become(on_image(patch, self.height, self.width), text)
        if patch is None:
            return None
        part = self._mask[patch.box.slices]
        if mode == "add":
            return self._change(patch.box, np.maximum(part, patch.values), text)
        return self._change(patch.box, np.minimum(part, np.bitwise_not(patch.values)), text)

    def _become(self, values: MaskArray, text: str) -> Box | None:
        self.end_stroke()
        return self._change(self._whole, values, text)

    def _change(self, box: Box, values: MaskArray, text: str) -> Box | None:
        """Take new values in a box, as one step."""
        step = step_between(self._mask[box.slices], values, box, text)
        if step is None:
            return None
        self._mask[box.slices] = values
        self._sum += step.change
        self._history.add(step)
        return step.box


def _point(x: float, y: float) -> Point:
    at_x, at_y = shapes.checked_points([(x, y)])[0].tolist()
    return at_x, at_y


def _brought(before: MaskArray, cover: MaskArray, value: int) -> MaskArray:
    """Return each pixel brought towards a value by its cover, rounded to the nearest of 0 to 255."""
    share = cover.astype(np.uint16)
    mixed = share * np.uint16(value)
    mixed += (np.uint16(255) - share) * before
    mixed += np.uint16(127)
    mixed //= np.uint16(255)
    brought: MaskArray = mixed.astype(np.uint8)
    return brought
