"""COCO annotations: images, categories, and regions as run lengths or polygons."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.masks.files.checks import filled, image_size, objects, points, posix_name
from gazeapp.engine.lesions.masks.files.coco_rle import decode, encode
from gazeapp.engine.lesions.masks.files.found import FoundMask
from gazeapp.engine.replacing import replacing
from gazeapp.engine.types import Json, MaskArray


@dataclass(frozen=True, slots=True)
class _Picture:
    """An image that a file lists; its size is None where the file does not give it."""

    name: str
    height: object
    width: object


def read_coco(values: Json, where: str) -> list[FoundMask]:
    """Return the masks of a COCO file, one for each image and category: its regions of that category together.

    Parameters
    ----------
    values
        The file's object, with ``images`` and ``annotations``; without ``categories`` a category is called by its id.
    where
        The file, for messages.

    Raises
    ------
    GazeError
        When the lists are none. What is wrong with a single region is said when its mask is drawn.
    """
    pictures: dict[str, _Picture] = {}
    for one in objects(values.get("images"), "images", where):
        key = _id(one.get("id"), "image", where)
        if key in pictures:
            raise GazeError(f"Two images have the id {key}.", where=where, todo="Give each its own.")
        pictures[key] = _Picture(posix_name(one.get("file_name")), one.get("height"), one.get("width"))
    labels = {
        _id(one.get("id"), "category", where): str(one.get("name", one.get("id")))
        for one in objects(values.get("categories", []), "categories", where)
    }
    groups: dict[tuple[str, str], list[Json]] = {}
    for one in objects(values.get("annotations"), "annotations", where):
        image = _id(one.get("image_id"), "image", where)
        category = _id(one["category_id"], "category", where) if "category_id" in one else ""
        groups.setdefault((image, labels.get(category, category)), []).append(one)
    return [
        _found(pictures.get(image), image, label, group, where) for (image, label), group in groups.items()
    ]


def write_coco(path: Path, masks: Iterable[tuple[str, str, MaskArray]]) -> None:
    """Write masks as a COCO file with run lengths, all of it or nothing.

    Parameters
    ----------
    path
        The file.
    masks
        Name of the image, label, and values of 0 and 255; each image and label once.

    Raises
    ------
    GazeError
        When a mask is graded, masks of one image differ in size, or the file cannot be written.
    """
    pictures: dict[str, Json] = {}
    labels: dict[str, int] = {}
    annotations: list[Json] = []
    for name, label, values in masks:
        where = f"{name}, {label}"
        height, width = values.shape
        own = {"id": len(pictures) + 1, "file_name": name, "height": height, "width": width}
        picture = pictures.setdefault(name, own)
        if (picture["height"], picture["width"]) != (height, width):
            raise GazeError(
                "The masks of one image differ in size.", where=where, todo="Export them one by one."
            )
        annotations.append(
            {
                "id": len(annotations) + 1,
                "image_id": picture["id"],
                "category_id": labels.setdefault(label, len(labels) + 1),
                "segmentation": encode(values, where),
                "area": int(np.count_nonzero(values)),
                "bbox": _box(values),
                "iscrowd": 0,
            }
        )
    whole = {
        "images": list(pictures.values()),
        "categories": [{"id": number, "name": label} for label, number in labels.items()],
        "annotations": annotations,
    }
    with replacing(path) as partial_file:
        partial_file.write_text(json.dumps(whole) + "\n", "utf-8")


def _found(picture: _Picture | None, image: str, label: str, group: list[Json], where: str) -> FoundMask:
    place = f"{where} ({picture.name if picture else f'image {image}'}{', ' + label if label else ''})"
    outlined = [one["segmentation"] for one in group if one.get("segmentation")]
    notes = []
    if len(outlined) > 1:
        notes.append(f"{len(outlined)} regions with this label are taken together.")
    if 0 < len(outlined) < len(group):
        notes.append(f"Regions without an outline, left out: {len(group) - len(outlined)}.")
    name = picture.name if picture else ""
    return FoundMask(name, label, partial(_drawn, picture, outlined, place), tuple(notes))


def _drawn(picture: _Picture | None, outlined: list[object], where: str) -> MaskArray:
    if picture is None:
        raise GazeError(
            "The region belongs to an image that the file does not list.",
            where=where,
            todo="Export it again together with its images.",
        )
    if not outlined:
        raise GazeError(
            "The region has a box or points, but no outline.",
            where=where,
            todo="Export it with its outlines.",
        )
    size = None
    if picture.height is not None or picture.width is not None:
        size = image_size(picture.height, picture.width, where)
    union: MaskArray | None = None
    for one in outlined:
        part = decode(one, where) if isinstance(one, dict) else _polygons(one, size, where)
        size = size or (part.shape[0], part.shape[1])
        if part.shape != size:
            raise GazeError(
                f"The run-length mask is {part.shape[1]} x {part.shape[0]} px, its image {size[1]} x {size[0]} px.",
                where=where,
                todo="Export the mask again from the program that made it.",
            )
        union = part if union is None else np.maximum(union, part)
    assert union is not None
    return union


def _polygons(outlines: object, size: tuple[int, int] | None, where: str) -> MaskArray:
    """Return polygons, each a flat list of x and y in turn, as one mask."""
    height, width = size or image_size(None, None, where)
    mask = np.zeros((height, width), np.uint8)
    for flat in outlines if isinstance(outlines, list) else [None]:
        if not isinstance(flat, list) or len(flat) % 2:
            raise GazeError(
                "A region is neither run lengths nor a list of polygons (each a list of x and y in turn).",
                where=where,
                todo="Export it again from the program that made it.",
            )
        ring = points([list(pair) for pair in zip(flat[::2], flat[1::2], strict=True)], where)
        np.maximum(mask, filled(ring, height, width, where), out=mask)
    return mask


def _id(value: object, kind: str, where: str) -> str:
    if not isinstance(value, int | str) or isinstance(value, bool):
        raise GazeError(
            f"The id of the {kind} is missing or no number.", where=where, todo="Export the file again."
        )
    return str(value)


def _box(values: MaskArray) -> list[int]:
    """Return left, top, width and height of what is inside, px; zeros where nothing is."""
    rows, columns = np.flatnonzero(values.any(axis=1)), np.flatnonzero(values.any(axis=0))
    if not rows.size:
        return [0, 0, 0, 0]
    left, top = int(columns[0]), int(rows[0])
    return [left, top, int(columns[-1]) - left + 1, int(rows[-1]) - top + 1]
