"""Reading boxes of objects: COCO annotations, labelme files, and tables."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gazeapp.engine.errors import GazeError
from gazeapp.engine.types import Rect

COLUMNS = ("image", "label", "x", "y", "width", "height")
"""Columns of a table of boxes; x and y are the left and top edge, px of the image."""

_FORMS = (
    "COCO annotations with bbox and categories, a labelme file, or a table (CSV) with the columns "
    f"{', '.join(COLUMNS)}"
)


@dataclass(frozen=True, slots=True)
class FoundBox:
    """A box as a file has it.

    Parameters
    ----------
    image
        What the file calls the image.
    label
        What the object is called.
    rect
        The box, px of the image that the file speaks of; it may reach beyond the image.
    size
        Width and height of that image, px; None where the file does not say.
    """

    image: str
    label: str
    rect: Rect
    size: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class ObjectFile:
    """What was read of a file.

    Parameters
    ----------
    boxes
        In the order of the file.
    unusable
        Reason -> where in the file, for what was left out.
    """

    boxes: tuple[FoundBox, ...]
    unusable: dict[str, list[str]]


def read_objects(path: Path) -> ObjectFile:
    """Return the boxes of a file; its content tells which kind of file it is.

    COCO: ``bbox`` of each annotation, under the name of its category. labelme: the bounding box of each shape. A
    table: its columns in any order, parted by commas, semicolons or tabs.

    Raises
    ------
    GazeError
        If the file cannot be read, or is none of these.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        todo = "Check the path." if isinstance(error, FileNotFoundError) else "Check that it can be read."
        raise GazeError(
            f"The file cannot be read ({error.strerror or error}).", where=str(path), todo=todo
        ) from error
    except UnicodeDecodeError as error:
        raise _unknown(path, "it is not text in UTF-8") from error
    reader = _Reader(path)
    rows = reader.of_json(text) if text.lstrip()[:1] in ("{", "[") else reader.of_table(text)
    return ObjectFile(tuple(rows), reader.unusable)


class _Reader:
    """Reads one file, and gathers why parts of it cannot be used."""

    def __init__(self, path: Path) -> None:
        self.unusable: dict[str, list[str]] = {}
        self._path = path

    def of_json(self, text: str) -> Iterator[FoundBox]:
        """Yield the boxes of COCO annotations or a labelme file."""
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise _unknown(self._path, f"it is damaged JSON ({error})") from error
        if isinstance(values, dict) and isinstance(values.get("shapes"), list):
            return self._of_labelme(values)
        if isinstance(values, dict) and isinstance(values.get("annotations"), list):
            return self._of_coco(values)
        raise _unknown(self._path, "its JSON has neither 'annotations' nor 'shapes'")

    def of_table(self, text: str) -> Iterator[FoundBox]:
        """Yield the boxes of a table."""
        head = text.split("\n", 1)[0]
        delimiter = max(",;\t", key=head.count)
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        try:
            names = [name.strip().casefold() for name in next(lines, [])]
        except csv.Error as error:
            raise _unknown(self._path, f"its first line is no list of columns ({error})") from error
        missing = [name for name in COLUMNS if name not in names]
        if missing:
            raise _unknown(self._path, f"its first line does not name {', '.join(missing)}")
        return self._of_lines(lines, {name: names.index(name) for name in COLUMNS})

    def _of_lines(self, lines: Iterator[list[str]], column: dict[str, int]) -> Iterator[FoundBox]:
        number = 1
        while True:
            number += 1
            try:
                line = next(lines, None)
            except csv.Error:
                self._leave_out("cannot be parted into columns", f"line {number}")
                continue
            if line is None:
                return
            if not any(line):
                continue
            if len(line) <= max(column.values()):
                self._leave_out("has too few columns", f"line {number}")
                continue
            values = {name: line[place].strip() for name, place in column.items()}
            place = [values[name] for name in ("x", "y", "width", "height")]
            yield from self._box(values["image"], values["label"], place, None, f"line {number}")

    def _of_coco(self, values: dict[str, Any]) -> Iterator[FoundBox]:
        images = {row.get("id"): row for row in _dicts(values.get("images")) if _is_key(row.get("id"))}
        labels = {
            row.get("id"): row.get("name")
            for row in _dicts(values.get("categories"))
            if _is_key(row.get("id"))
        }
        for number, row in enumerate(values["annotations"], start=1):
            where = f"annotation {number}"
            if not isinstance(row, dict):
                self._leave_out("is no annotation", where)
                continue
            image = images.get(row.get("image_id")) if _is_key(row.get("image_id")) else None
            if image is None:
                self._leave_out("is of an image that the file does not list", where)
                continue
            label = labels.get(row.get("category_id")) if _is_key(row.get("category_id")) else None
            yield from self._box(
                image.get("file_name"), label, row.get("bbox"), _size(image, "width", "height"), where
            )

    def _of_labelme(self, values: dict[str, Any]) -> Iterator[FoundBox]:
        image = values.get("imagePath") or self._path.stem
        size = _size(values, "imageWidth", "imageHeight")
        for number, shape in enumerate(values["shapes"], start=1):
            where = f"shape {number}"
            if not isinstance(shape, dict):
                self._leave_out("is no shape", where)
                continue
            yield from self._box(image, shape.get("label"), _bounding_box(shape), size, where)

    def _box(
        self, image: object, label: object, place: object, size: tuple[int, int] | None, where: str
    ) -> Iterator[FoundBox]:
        numbers = _numbers(place)
        if not (isinstance(image, str) and image.strip()):
            self._leave_out("names no image", where)
        elif not (isinstance(label, str) and label.strip()):
            self._leave_out("has no label", where)
        elif len(numbers) != 4:
            self._leave_out("has no box of four numbers", where)
        elif not (numbers[2] > 0 and numbers[3] > 0):
            self._leave_out("has a box without a width or height above 0", where)
        else:
            yield FoundBox(image.strip(), label.strip(), Rect(*numbers), size)

    def _leave_out(self, why: str, where: str) -> None:
        self.unusable.setdefault(why, []).append(where)


def _bounding_box(shape: dict[str, Any]) -> list[float]:
    """Return x, y, width and height of a labelme shape; empty where its points are none."""
    points = shape.get("points")
    pairs = [_numbers(point) for point in points] if isinstance(points, list) else []
    if not pairs or any(len(pair) != 2 for pair in pairs):
        return []
    x, y = zip(*pairs, strict=True)
    if shape.get("shape_type") == "circle":
        # Its first point is the centre, the second lies on the circle.
        radius = math.dist(pairs[0], pairs[-1])
        return [x[0] - radius, y[0] - radius, 2 * radius, 2 * radius]
    # The corners of a mask are pixels, and both belong to it.
    more = 1.0 if shape.get("shape_type") == "mask" else 0.0
    return [min(x), min(y), max(x) - min(x) + more, max(y) - min(y) + more]


def _numbers(values: object) -> list[float]:
    """Return finite numbers; empty where any is none."""
    if not isinstance(values, list) or any(isinstance(value, bool) for value in values):
        return []
    try:
        found = [float(value) for value in values]
    except (TypeError, ValueError, OverflowError):
        return []
    return found if all(math.isfinite(value) for value in found) else []


def _size(values: dict[str, Any], width: str, height: str) -> tuple[int, int] | None:
    found = (values.get(width), values.get(height))
    if all(isinstance(value, int) and value > 0 for value in found):
        return found  # type: ignore[return-value]
    return None


def _dicts(values: object) -> Iterable[dict[str, Any]]:
    return [row for row in values if isinstance(row, dict)] if isinstance(values, list) else []


def _is_key(value: object) -> bool:
    return isinstance(value, int | str)


def _unknown(path: Path, why: str) -> GazeError:
    return GazeError(
        f"No boxes can be read from this file: {why}.", where=str(path), todo=f"It takes {_FORMS}."
    )
