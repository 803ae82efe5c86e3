"""Captions in text files: the token files of Flickr8k and Flickr30k, and tables with a header."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.data.caption_set import GENERAL, TEST, TRAIN, VALIDATION
from gazeapp.engine.models.captioner.data.rows import Row, split_named, task_named

TOKENS, TABLE = "Flickr token file", "table"

_TOKEN_LINE = re.compile(r"(?P<name>[^\t]+?)#\d+\t(?P<text>.*)")
_COLUMNS = {
    "image": ("image", "image_name", "filename", "file_name", "file"),
    "caption": ("caption", "comment", "sentence", "text"),
    "task": ("task",),
    "split": ("split",),
}
"""What columns may be called; the first of these names that a table has is taken."""

_DELIMITERS = "|\t;,"

_LISTS = {
    TRAIN: ("Flickr_8k.trainImages.txt", "flickr30k_train.txt", "train.txt"),
    VALIDATION: ("Flickr_8k.devImages.txt", "flickr30k_val.txt", "val.txt", "dev.txt"),
    TEST: ("Flickr_8k.testImages.txt", "flickr30k_test.txt", "test.txt"),
}


def is_token_line(line: str) -> bool:
    """Return whether a line is one of a Flickr token file: name, ``#``, number, tab, caption."""
    return _TOKEN_LINE.match(line) is not None


def delimiter_of(header: str) -> str:
    """Return what separates the columns of a table with this header; empty when it has no image and caption."""
    for delimiter in _DELIMITERS:
        columns = _columns([name.strip().strip('"') for name in header.split(delimiter)])
        if {"image", "caption"} <= columns.keys():
            return delimiter
    return ""


def read_tokens(path: Path) -> Iterator[Row]:
    """Yield the captions of a Flickr token file, with the splits of the lists beside it.

    Raises
    ------
    GazeError
        When a line is none of such a file.
    """
    splits = _listed_splits(path.parent)
    with path.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            match = _TOKEN_LINE.match(line.rstrip("\r\n"))
            if match is None:
                raise GazeError(
                    f"Line {number} is not of the form name#number, tab, caption.",
                    where=str(path),
                    todo="Download or copy the file again.",
                )
            name = match["name"]
            split = splits.get(name, splits.get(PurePosixPath(name).stem, ""))
            yield Row(name, match["text"], split, GENERAL, f"line {number}")


def _listed_splits(folder: Path) -> dict[str, str]:
    """Return the split of every name in the lists of a folder; in some lists the names have no suffix."""
    splits: dict[str, str] = {}
    for split, files in _LISTS.items():
        for path in (folder / file for file in files):
            if not path.is_file():
                continue
            for name in path.read_text("utf-8-sig").split():
                if splits.setdefault(name, split) != split:
                    raise GazeError(
                        f"{name} is in the lists of two splits.",
                        where=str(path),
                        todo="Leave it in one of them.",
                    )
    return splits


def read_table(path: Path, delimiter: str) -> Iterator[Row]:
    """Yield the captions of a table with a header; it may have the columns task and split.

    Raises
    ------
    GazeError
        When a quotation mark is left open, or a split or task cannot be.
    """
    # Captions between bars are not quoted: a quotation mark there is one of the caption.
    form = {"quoting": csv.QUOTE_NONE} if delimiter == "|" else {}
    with path.open(encoding="utf-8-sig", newline="") as lines:
        rows = csv.reader(lines, delimiter=delimiter, **form)  # type: ignore[arg-type]
        columns: dict[str, int] = {}
        before = width = 0
        try:
            for cells in rows:
                place, before = f"line {before + 1}", _check_closed(cells, before, rows.line_num, path)
                if not any(cell.strip() for cell in cells):
                    continue
                if columns:
                    yield _table_row(columns, _whole(cells, width, delimiter, columns), path, place)
                else:
                    columns, width = _columns(cells), len(cells)
        except csv.Error as error:
            raise GazeError(
                f"The table cannot be read at line {rows.line_num}: {error}.",
                where=str(path),
                todo="Check the quotation marks there.",
            ) from error


def _check_closed(cells: list[str], before: int, now: int, path: Path) -> int:
    """Refuse a row of several lines: an open quotation mark would swallow rows up to the next one, unnoticed."""
    if now - before > 1 or any(end in cell for cell in cells for end in "\r\n"):
        raise GazeError(
            f"A quotation mark that opens in line {before + 1} is not closed in that line.",
            where=str(path),
            todo="Close it, or write two where one is part of the caption; a caption has no line breaks.",
        )
    return now


def _columns(header: list[str]) -> dict[str, int]:
    """Return the places of the columns that a header names."""
    names = [name.strip().lower() for name in header]
    found = {column: [names.index(n) for n in called if n in names] for column, called in _COLUMNS.items()}
    return {column: places[0] for column, places in found.items() if places}


def _whole(cells: list[str], width: int, delimiter: str, columns: dict[str, int]) -> list[str]:
    """Return a row in which what is too much belongs to the caption, where that is last and was left unquoted."""
    if len(cells) > width and columns["caption"] == width - 1:
        return [*cells[: width - 1], delimiter.join(cells[width - 1 :])]
    return cells


def _table_row(columns: dict[str, int], cells: list[str], path: Path, place: str) -> Row:
    told = {name: cells[at].strip() for name, at in columns.items() if at < len(cells)}
    where = f"{path}, {place}"
    return Row(
        told.get("image", ""),
        told.get("caption", ""),
        split_named(told.get("split", ""), where),
        task_named(told.get("task", ""), where),
        place,
    )
