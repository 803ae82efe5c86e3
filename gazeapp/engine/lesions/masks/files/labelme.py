"""labelme annotations: one file for each image, with polygons, rectangles, circles and masks."""

from __future__ import annotations

import base64
import binascii
import io
import json
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.masks.box import on_image
from gazeapp.engine.lesions.masks.files.checks import filled, image_size, objects, points, posix_name
from gazeapp.engine.lesions.masks.files.found import FoundMask, check_hard
from gazeapp.engine.lesions.masks.files.outlines import rings
from gazeapp.engine.lesions.masks.files.png import open_png, png_bytes
from gazeapp.engine.lesions.masks.shapes import ellipse, rectangle
from gazeapp.engine.replacing import replacing
from gazeapp.engine.types import DoubleArray, Json, MaskArray

_VERSION = "5.5.0"
"""The labelme whose format is written; older ones know no masks."""

_AREAS = ("polygon", "rectangle", "oriented_rectangle", "circle", "mask")

_CORNERS = 20_000
"""An outline with more corners is written as a mask: nobody moves so many by hand, and labelme is slow with them."""

_ADVICE = "Mend the shape in labelme, or remove it."


def read_labelme(values: Json, where: str) -> list[FoundMask]:
    """Return the masks of a labelme file, one for each label: its shapes with that label together.

    Polygons, rectangles, circles and masks are areas. Points and lines are none and are left out, with a note.

    Parameters
    ----------
    values
        The file's object.
    where
        The file, for messages.

    Raises
    ------
    GazeError
        When the file has no shapes or does not give the size of its image. What is wrong with a single shape is said
        when its mask is drawn.
    """
    shapes = objects(values.get("shapes"), "shapes", where)
    if not shapes:
        raise GazeError("The file has no shapes.", where=where, todo="Draw one in labelme, and save it.")
    height, width = image_size(values.get("imageHeight"), values.get("imageWidth"), where)
    groups: dict[str, list[Json]] = {}
    for shape in shapes:
        label = shape.get("label")
        groups.setdefault(label if isinstance(label, str) else "", []).append(shape)
    name = posix_name(values.get("imagePath"))
    return [
        FoundMask(
            name,
            label,
            partial(_drawn, group, height, width, f"{where} ({label})" if label else where),
            _notes(group),
        )
        for label, group in groups.items()
    ]


def write_labelme(path: Path, image: str, masks: Sequence[tuple[str, MaskArray]]) -> None:
    """Write the masks of an image as a labelme file, all of it or nothing.

    A mask becomes polygons along the edges of its pixels, one for each region; one with holes, with an outline of more
    than 20,000 corners, or with nothing in it becomes a shape of the kind ``mask``. Reading either gives
    the same mask.

    Parameters
    ----------
    path
        The file.
    image
        Name of the image; labelme looks for it from the folder of the file.
    masks
        One or more labels with values of 0 and 255, of one size.

    Raises
    ------
    GazeError
        When a mask is graded, the masks differ in size, or the file cannot be written.
    """
    sizes = {values.shape for _, values in masks}
    if len(sizes) != 1:
        raise GazeError("The masks of one image differ in size.", where=image, todo="Export them one by one.")
    (height, width) = next(iter(sizes))
    shapes = []
    for number, (label, values) in enumerate(masks):
        check_hard(values, "labelme", f"{image}, {label}")
        shapes += _shapes(label, number, values)
    whole = {
        "version": _VERSION,
        "flags": {},
        "shapes": shapes,
        "imagePath": image,
        "imageData": None,
        "imageHeight": height,
        "imageWidth": width,
    }
    with replacing(path) as partial_file:
        partial_file.write_text(json.dumps(whole, indent=1) + "\n", "utf-8")


def _shapes(label: str, group: int, values: MaskArray) -> list[Json]:
    """Return a mask as labelme shapes; several polygons of one mask are one group."""
    outlines = rings(values > 0)
    corners = sum(len(ring.points) for ring in outlines)
    if not outlines or corners > _CORNERS or any(ring.is_hole for ring in outlines):
        return [_mask_shape(label, values)]
    number = group if len(outlines) > 1 else None
    return [_shape(label, "polygon", ring.points.tolist(), number) for ring in outlines]


def _mask_shape(label: str, values: MaskArray) -> Json:
    rows, columns = np.flatnonzero(values.any(axis=1)), np.flatnonzero(values.any(axis=0))
    # An empty mask is one pixel that is outside: labelme has no box without pixels.
    top, bottom, left, right = (rows[0], rows[-1], columns[0], columns[-1]) if rows.size else (0, 0, 0, 0)
    text = base64.b64encode(png_bytes(values[top : bottom + 1, left : right + 1])).decode("ascii")
    corners = [[int(left), int(top)], [int(right), int(bottom)]]
    return {**_shape(label, "mask", corners, None), "mask": text}


def _shape(label: str, kind: str, corners: list[list[int]], group: int | None) -> Json:
    return {
        "label": label,
        "points": [[float(x), float(y)] for x, y in corners],
        "group_id": group,
        "description": "",
        "shape_type": kind,
        "flags": {},
        "mask": None,
    }


def _kind(shape: Json) -> str:
    """Return the kind of a shape; the first versions of labelme knew polygons alone and did not name them."""
    return str(shape.get("shape_type") or "polygon")


def _notes(group: list[Json]) -> tuple[str, ...]:
    areas = [shape for shape in group if _kind(shape) in _AREAS]
    notes = []
    if len(areas) > 1:
        notes.append(f"{len(areas)} shapes with this label are taken together.")
    left_out = Counter(_kind(shape) for shape in group if _kind(shape) not in _AREAS)
    if areas and left_out:
        named = ", ".join(f"{count} {kind}" for kind, count in left_out.items())
        notes.append(f"Shapes that are no area, left out: {named}.")
    return tuple(notes)


def _drawn(group: list[Json], height: int, width: int, where: str) -> MaskArray:
    areas = [shape for shape in group if _kind(shape) in _AREAS]
    if not areas:
        kinds = ", ".join(dict.fromkeys(_kind(shape) for shape in group))
        raise GazeError(
            f"What has this label is no area ({kinds}).",
            where=where,
            todo=f"Draw it as one of: {', '.join(_AREAS)}.",
        )
    mask = np.zeros((height, width), np.uint8)
    for shape in areas:
        np.maximum(mask, _area(shape, height, width, where), out=mask)
    return mask


def _area(shape: Json, height: int, width: int, where: str) -> MaskArray:
    kind, corners = _kind(shape), points(shape.get("points"), where)
    needed = {"rectangle": (2, 4), "oriented_rectangle": (4,), "circle": (2,), "mask": (2,)}.get(kind)
    if needed and len(corners) not in needed:
        raise GazeError(
            f"A {kind} has {' or '.join(map(str, needed))} points; this one has {len(corners)}.",
            where=where,
            todo=_ADVICE,
        )
    if kind == "mask":
        return _pasted(shape.get("mask"), corners, height, width, where)
    if kind == "rectangle" and len(corners) == 2:
        (x0, y0), (x1, y1) = corners.tolist()
        return on_image(rectangle(x0, y0, x1, y1, height, width), height, width)
    if kind == "circle":
        (x, y), (rim_x, rim_y) = corners.tolist()
        radius = float(np.hypot(rim_x - x, rim_y - y))
        round_shape = ellipse(x - radius, y - radius, x + radius, y + radius, height, width)
        return on_image(round_shape, height, width)
    return filled(corners, height, width, where)


def _pasted(text: object, corners: DoubleArray, height: int, width: int, where: str) -> MaskArray:
    """Return a mask whose box is given by its first and its last pixel, and its pixels by a PNG picture in base64."""
    try:
        data = base64.b64decode(text if isinstance(text, str) else "", validate=True)
    except (binascii.Error, ValueError) as error:
        raise GazeError("The picture of a mask is damaged.", where=where, todo=_ADVICE) from error
    (left, top), (right, bottom) = np.floor(corners).astype(int).tolist()
    picture = open_png(io.BytesIO(data), where)
    box = f"from pixel {left}, {top} to pixel {right}, {bottom}"
    if picture.size != (right - left + 1, bottom - top + 1):
        raise GazeError(
            f"The picture of a mask is {picture.width} x {picture.height} px, but its box goes {box}.",
            where=where,
            todo=_ADVICE,
        )
    if left < 0 or top < 0 or right >= width or bottom >= height:
        raise GazeError(
            f"A mask goes {box}, out of the image, which is {width} x {height} px.", where=where, todo=_ADVICE
        )
    if picture.mode not in ("1", "L"):
        raise GazeError("The picture of a mask is not grey.", where=where, todo=_ADVICE)
    mask = np.zeros((height, width), np.uint8)
    mask[top : bottom + 1, left : right + 1] = np.where(np.array(picture), np.uint8(255), np.uint8(0))
    return mask
