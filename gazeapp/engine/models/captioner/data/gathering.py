"""From rows of captions to pictures that are on the disk."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.data.caption_set import CaptionSet, CaptionText, Picture
from gazeapp.engine.models.captioner.data.rows import Row

_BESIDE = (
    "", "images", "Images", "train2014", "val2014", "test2014", "train2017", "val2017", "Flicker8k_Dataset",
    "Flickr8k_Dataset", "flickr30k_images", "flickr30k-images",
)  # fmt: skip
"""Where pictures lie in the usual sets, relative to the images folder or to the captions."""

_UNSAFE = re.compile(r"[\x00-\x1f]|^[A-Za-z]:|^/")
_NAMED = 3
"""How many pictures a note names."""


@dataclass(slots=True)
class _Found:
    """A picture on the disk, and the captions found so far."""

    name: str
    split: str
    captions: list[CaptionText] = field(default_factory=list)


class Gathering:
    """Brings together what several files say of the same pictures.

    Parameters
    ----------
    images
        The folder that names are relative to; empty to look beside the captions.
    """

    def __init__(self, images: str) -> None:
        self._images = images
        self._files: dict[str, dict[str, str]] = {}
        self._found: dict[str, _Found] = {}
        self._missing: dict[str, None] = {}
        self._n_empty = 0

    def add(self, rows: Iterable[Row], source: Path) -> None:
        """Take in the captions of a file.

        Raises
        ------
        GazeError
            When a name leads out of the images folder, or a picture is said to be in two splits.
        """
        roots = self._roots(source)
        named: dict[str, _Found | None] = {}
        for row in rows:
            if row.name not in named:
                named[row.name] = self._picture(row, roots, source)
            found = named[row.name]
            if found is not None:
                self._take(found, row, source)

    def result(self, form: str, where: Path) -> CaptionSet:
        """Return the pictures that have captions.

        Raises
        ------
        GazeError
            When there is none.
        """
        pictures = tuple(
            Picture(found.name, Path(path), found.split, tuple(found.captions))
            for path, found in self._found.items()
            if found.captions
        )
        if not pictures:
            raise self._nothing(where)
        return CaptionSet(pictures, form, self._notes())

    def _picture(self, row: Row, roots: list[str], source: Path) -> _Found | None:
        """Return the picture that a row names, or None where it is not on the disk."""
        name = _checked_name(row.name, source, row.place)
        path = self._find(name, roots)
        if path is None:
            self._missing[name] = None
            return None
        return self._found.setdefault(path, _Found(name, row.split))

    def _take(self, found: _Found, row: Row, source: Path) -> None:
        if not any(map(str.isalnum, row.text)):
            self._n_empty += 1
            return
        if row.split and found.split != row.split:
            if found.split:
                raise GazeError(
                    f"{row.name} is said to be in the splits {found.split} and {row.split} ({row.place}).",
                    where=str(source),
                    todo="Leave it in one of them: a picture that was trained on cannot measure the model.",
                )
            found.split = row.split
        found.captions.append(CaptionText(row.task, row.text.strip()))

    def _roots(self, source: Path) -> list[str]:
        if self._images:
            folder = Path(self._images)
            if not folder.is_dir():
                raise GazeError(
                    "The folder of the images is not there.",
                    where=str(folder),
                    todo="Name the folder that the names in the captions are relative to.",
                )
            folders = [folder / name for name in _BESIDE]
        else:
            beside = source.absolute().parent
            # Sets keep captions in a folder (annotations, Flickr8k_text) beside those of the pictures.
            folders = [beside / name for name in _BESIDE] + [beside.parent / name for name in _BESIDE[1:]]
        return [str(folder) for folder in folders]

    def _find(self, name: str, roots: list[str]) -> str | None:
        inside, _, last = name.rpartition("/")
        for root in roots:
            folder = f"{root}/{inside}" if inside else root
            there = self._listing(folder).get(unicodedata.normalize("NFC", last))
            if there is not None:
                return f"{folder}/{there}"
        return None

    def _listing(self, folder: str) -> dict[str, str]:
        """Return the names in a folder by their NFC form: systems write the same accent in two ways.

        A folder is listed once, because asking for every file would take long over a network.
        """
        if folder not in self._files:
            try:
                with os.scandir(folder) as entries:
                    names = [entry.name for entry in entries if entry.is_file()]
            except OSError:
                names = []
            self._files[folder] = {unicodedata.normalize("NFC", name): name for name in sorted(names)}
        return self._files[folder]

    def _notes(self) -> tuple[str, ...]:
        notes: list[str] = []
        if self._missing:
            n = len(self._missing)
            told = "1 picture with captions is" if n == 1 else f"{n:,} pictures with captions are"
            notes.append(f"{told} not there: {self._some_missing()}.")
        if self._n_empty:
            n = self._n_empty
            told = "1 caption has no words and was" if n == 1 else f"{n:,} captions have no words and were"
            notes.append(f"{told} left out.")
        return tuple(notes)

    def _some_missing(self) -> str:
        names = list(self._missing)
        return ", ".join(names[:_NAMED]) + (" and others" if len(names) > _NAMED else "")

    def _nothing(self, where: Path) -> GazeError:
        if self._missing and not self._found:
            name, n = next(iter(self._missing)), len(self._missing)
            return GazeError(
                f"The picture {name} is not there."
                if n == 1
                else f"None of the {n:,} pictures is there, such as {name}.",
                where=str(where),
                todo="Name the folder of the images that the names in the captions are relative to.",
            )
        return GazeError("The file holds no captions.", where=str(where), todo="Give a file with captions.")


def _checked_name(name: str, source: Path, place: str) -> str:
    """Return a picture's name with plain slashes, when it is one inside a folder."""
    plain = name.strip().replace("\\", "/")
    parts = [part for part in plain.split("/") if part not in ("", ".")]
    if not parts or _UNSAFE.search(plain) or ".." in parts:
        raise GazeError(
            f"{place[0].upper()}{place[1:]} names the picture {name[:60]!r}, which is no name inside a folder.",
            where=str(source),
            todo="Names of pictures are relative to the images folder, without '..' or a drive.",
        )
    return "/".join(parts)
