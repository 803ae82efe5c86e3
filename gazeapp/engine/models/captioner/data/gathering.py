"""From rows of captions to pictures that are on the disk."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

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
        self._files: dict[Path, frozenset[str]] = {}
        self._found: dict[Path, _Found] = {}
        self._missing: dict[str, None] = {}
        self._dropped: Counter[str] = Counter()

    def add(self, rows: Iterable[Row], source: Path) -> None:
        """Take in the captions of a file.

        Raises
        ------
        GazeError
            When a name leads out of the images folder, or a picture is said to be in two splits.
        """
        roots = self._roots(source)
        places: dict[str, Path | None] = {}
        for row in rows:
            if row.name not in places:
                places[row.name] = self._find(_checked_name(row.name, source, row.place), roots)
            path = places[row.name]
            if path is None:
                self._missing[row.name] = None
            elif not any(map(str.isalnum, row.text)):
                self._dropped["empty"] += 1
            else:
                self._take(path, row, source)

    def result(self, form: str, where: Path) -> CaptionSet:
        """Return the pictures that have captions.

        Raises
        ------
        GazeError
            When there is none.
        """
        if not self._found:
            raise self._nothing(where)
        pictures = tuple(
            Picture(found.name, path, found.split, tuple(found.captions))
            for path, found in self._found.items()
        )
        _check_names(pictures, where)
        return CaptionSet(pictures, form, self._notes())

    def _take(self, path: Path, row: Row, source: Path) -> None:
        found = self._found.get(path)
        if found is None:
            found = self._found[path] = _Found(row.name.replace("\\", "/"), row.split)
        if row.split and found.split != row.split:
            if found.split:
                raise GazeError(
                    f"{row.name} is said to be in the splits {found.split} and {row.split} ({row.place}).",
                    where=str(source),
                    todo="Leave it in one of them: a picture that was trained on cannot measure the model.",
                )
            found.split = row.split
        found.captions.append(CaptionText(row.task, row.text.strip()))

    def _roots(self, source: Path) -> list[Path]:
        if self._images:
            folder = Path(self._images)
            if not folder.is_dir():
                raise GazeError(
                    "The folder of the images is not there.",
                    where=str(folder),
                    todo="Name the folder that the names in the captions are relative to.",
                )
            return [folder / name for name in _BESIDE]
        beside = source.absolute().parent
        # Sets keep captions in a folder (annotations, Flickr8k_text) beside those of the pictures.
        return [beside / name for name in _BESIDE] + [beside.parent / name for name in _BESIDE[1:]]

    def _find(self, name: PurePosixPath, roots: list[Path]) -> Path | None:
        for root in roots:
            folder = root.joinpath(*name.parts[:-1])
            if name.name in self._listing(folder):
                return folder / name.name
        return None

    def _listing(self, folder: Path) -> frozenset[str]:
        """Return the names in a folder, listed once: asking for every file would take long over a network."""
        if folder not in self._files:
            try:
                with os.scandir(folder) as entries:
                    self._files[folder] = frozenset(entry.name for entry in entries if not entry.is_dir())
            except OSError:
                self._files[folder] = frozenset()
        return self._files[folder]

    def _notes(self) -> tuple[str, ...]:
        notes: list[str] = []
        if self._missing:
            notes.append(
                f"{len(self._missing)} pictures with captions are not there: {self._some_missing()}."
            )
        if self._dropped["empty"]:
            notes.append(f"{self._dropped['empty']} captions have no words and were left out.")
        return tuple(notes)

    def _some_missing(self) -> str:
        names = list(self._missing)
        return ", ".join(names[:_NAMED]) + (" and others" if len(names) > _NAMED else "")

    def _nothing(self, where: Path) -> GazeError:
        if self._missing:
            return GazeError(
                f"None of the {len(self._missing)} pictures is there, such as {next(iter(self._missing))}.",
                where=str(where),
                todo="Name the folder of the images that the names in the captions are relative to.",
            )
        return GazeError("The file holds no captions.", where=str(where), todo="Give a file with captions.")


def _checked_name(name: str, source: Path, place: str) -> PurePosixPath:
    """Return a picture's name as a path inside the images folder."""
    plain = name.replace("\\", "/")
    path = PurePosixPath(plain)
    if not path.name or _UNSAFE.search(plain) or ".." in path.parts:
        raise GazeError(
            f"{place[0].upper()}{place[1:]} names the picture {name[:60]!r}, which is no name inside a folder.",
            where=str(source),
            todo="Names of pictures are relative to the images folder, without '..' or a drive.",
        )
    return path


def _check_names(pictures: tuple[Picture, ...], where: Path) -> None:
    twice = [name for name, count in Counter(p.name for p in pictures).items() if count > 1]
    if twice:
        raise GazeError(
            f"Two different pictures are called {twice[0]}.",
            where=str(where),
            todo="Put them into folders, name the folder above as that of the images, and add the folders' names.",
        )
