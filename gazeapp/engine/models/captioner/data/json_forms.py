"""Captions in JSON: COCO Captions and the splits of Karpathy."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.data.caption_set import GENERAL
from gazeapp.engine.models.captioner.data.rows import Row, split_named

COCO, KARPATHY = "COCO Captions", "Karpathy's splits"

_SPLIT_IN_NAME = re.compile(r"(?:^|[^a-z])(train|val|test)(?:20\d\d)?(?:[^a-z]|$)", re.IGNORECASE)


def read_json(path: Path) -> Iterator[Row]:
    """Return the captions of a JSON file.

    Raises
    ------
    GazeError
        When it is no JSON, or holds no captions in a known form; also while the rows are read.
    """
    data = _load(path)
    images = data.get("images") if isinstance(data, dict) else None
    if isinstance(images, list) and isinstance(data.get("annotations"), list):
        return _coco_rows(data, path)
    if isinstance(images, list) and any(isinstance(entry, dict) and "sentences" in entry for entry in images):
        return _karpathy_rows(images, path)
    raise GazeError(
        "The JSON holds no captions in a known form.",
        where=str(path),
        todo="Give COCO Captions (images and annotations) or Karpathy's splits (images with sentences).",
    )


def _load(path: Path) -> Any:
    text = path.read_text("utf-8-sig")
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise GazeError(
            f"The JSON is damaged in line {error.lineno}, character {error.colno}: {error.msg}.",
            where=str(path),
            todo="Download or copy it again.",
        ) from error
    except (RecursionError, ValueError) as error:
        raise GazeError(
            "The JSON is nested too deeply, or has a number of too many digits, to be captions.",
            where=str(path),
            todo="Give another file.",
        ) from error


def _coco_rows(data: Any, path: Path) -> Iterator[Row]:
    """Yield the captions of COCO; the split is in the name of the file (``captions_train2017.json``)."""
    named = _SPLIT_IN_NAME.search(path.stem)
    split = split_named(named.group(1), str(path)) if named else ""
    names: dict[Any, str] = {}
    for i, image in enumerate(data["images"]):
        place = f"image {i + 1}"
        names[_field(image, "id", int | str, path, place)] = _field(image, "file_name", str, path, place)
    for i, entry in enumerate(data["annotations"]):
        place = f"annotation {i + 1}"
        number = _field(entry, "image_id", int | str, path, place)
        if number not in names:
            raise GazeError(
                f"Annotation {i + 1} is of image {number}, which is not among the images.",
                where=str(path),
                todo="Give the whole file, with images and annotations of the same set.",
            )
        yield Row(names[number], _field(entry, "caption", str, path, place), split, GENERAL, place)


def _karpathy_rows(images: list[Any], path: Path) -> Iterator[Row]:
    for i, image in enumerate(images):
        place = f"image {i + 1}"
        name = _field(image, "filename", str, path, place)
        folder = image.get("filepath", "")
        if isinstance(folder, str) and folder:
            name = f"{folder}/{name}"
        split = split_named(_field(image, "split", str, path, place), f"{path}, {place}")
        for sentence in _field(image, "sentences", list, path, place):
            yield Row(name, _sentence(sentence, path, place), split, GENERAL, place)


def _sentence(sentence: Any, path: Path, place: str) -> str:
    """Return a sentence of Karpathy's as written, or its words where only these were kept."""
    if isinstance(sentence, dict) and "raw" not in sentence:
        return " ".join(str(word) for word in _field(sentence, "tokens", list, path, place))
    return str(_field(sentence, "raw", str, path, place))


def _field(entry: Any, name: str, kind: Any, path: Path, place: str) -> Any:
    value = entry.get(name) if isinstance(entry, dict) else None
    if not isinstance(value, kind):
        raise GazeError(
            f"{place[0].upper()}{place[1:]} has no '{name}', or one of the wrong kind.",
            where=str(path),
            todo="Download or copy the file again.",
        )
    return value
