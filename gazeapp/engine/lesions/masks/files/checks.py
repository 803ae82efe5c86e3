"""What JSON files say, checked before it is believed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.masks.box import on_image
from gazeapp.engine.lesions.masks.shapes import FARTHEST, polygon
from gazeapp.engine.pictures import MAX_MEGAPIXELS
from gazeapp.engine.types import DoubleArray, Json, MaskArray

_LARGEST = 2**30
"""Bytes of a file that are read; the instances of COCO's training images are half of it."""

_CROSSINGS = 5_000_000
"""Rows that the sides of an outline may cross, all together; those of a ragged outline are a few hundred thousand."""


def read_json(path: Path) -> Json:
    """Return the object in a JSON file.

    Raises
    ------
    GazeError
        When it cannot be read, is larger than 1 GiB, or is no JSON object.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise GazeError(
                "The file is larger than 1 GiB.", where=str(path), todo="Split it into smaller files."
            )
        values = json.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise GazeError(
            f"The file cannot be read ({error.strerror or error}).", where=str(path), todo="Check the path."
        ) from error
    except (ValueError, RecursionError) as error:
        line = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise GazeError(
            f"The file is no JSON, or is cut off{line}.",
            where=str(path),
            todo="Export it again from its program.",
        ) from error
    if not isinstance(values, dict):
        raise GazeError(
            "The file holds a list or a single value where an object with images or shapes is needed.",
            where=str(path),
            todo="Give a COCO file with images and annotations, a single run-length mask, or a labelme file.",
        )
    return values


def objects(values: object, name: str, where: str) -> list[Json]:
    """Return the JSON objects of a list in a file.

    Raises
    ------
    GazeError
        When it is not one.
    """
    if not isinstance(values, list) or not all(isinstance(one, dict) for one in values):
        raise GazeError(
            f"'{name}' is no list of objects.", where=where, todo="Export it again from its program."
        )
    return values


def image_size(height: object, width: object, where: str) -> tuple[int, int]:
    """Return the height and width of an image, px.

    Raises
    ------
    GazeError
        When they are not whole positive numbers, or too large to be an image's.
    """
    sides = [
        side for side in (height, width) if isinstance(side, int) and not isinstance(side, bool) and side > 0
    ]
    if len(sides) < 2:
        raise GazeError(
            "The file does not say how many pixels its image has.",
            where=where,
            todo="Open it in the program that made it, together with the image, and save it again.",
        )
    if sides[0] * sides[1] > MAX_MEGAPIXELS * 10**6:
        raise GazeError(
            f"The image is said to have {sides[1]} x {sides[0]} px; up to {MAX_MEGAPIXELS} megapixels are read.",
            where=where,
            todo="Check the height and width in the file.",
        )
    return sides[0], sides[1]


def points(values: object, where: str) -> DoubleArray:
    """Return a list of pairs as points, shape (n, 2), image px.

    Raises
    ------
    GazeError
        When they are not pairs of numbers near an image.
    """
    pairs = values if isinstance(values, list) else [None]
    if not all(isinstance(pair, list) and len(pair) == 2 and all(map(_is_place, pair)) for pair in pairs):
        raise GazeError(
            "The points of an outline are not all pairs of numbers, in pixels.",
            where=where,
            todo="Mend the outline in the program that made it.",
        )
    return np.array(pairs, np.float64).reshape(-1, 2)


def filled(ring: DoubleArray, height: int, width: int, where: str) -> MaskArray:
    """Return the mask of a closed outline: the pixels whose centre it encloses, by the even-odd rule.

    Raises
    ------
    GazeError
        When it has fewer than three points, or more sides than anybody draws.
    """
    if len(ring) < 3:
        raise GazeError(
            f"An outline of {len(ring)} points encloses nothing.",
            where=where,
            todo="Give it three points or more, or remove it.",
        )
    levels = np.clip(ring[:, 1], 0, height)
    if np.abs(levels - np.roll(levels, 1)).sum() > _CROSSINGS:
        raise GazeError(
            "The outline runs up and down millions of times, which no drawn shape does.",
            where=where,
            todo="Export this shape as PNG.",
        )
    return on_image(polygon(ring, height, width), height, width)


def posix_name(value: Any) -> str:
    """Return the name of an image with ``/`` between folders; empty where there is none."""
    return value.replace("\\", "/") if isinstance(value, str) else ""


def _is_place(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= FARTHEST
