"""Asking for files and folders; each kind of file is sought where the last of its kind was."""

from __future__ import annotations

import os
from errno import ENAMETOOLONG
from pathlib import Path

from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QFileDialog, QWidget

(
    PROJECTS,
    IMAGES,
    GAZE,
    LISTS,
    MAPPINGS,
    TABLES,
    FIGURES,
    MAPS,
    MODELS,
    MASKS,
    RESPONSES,
    ATLASES,
    CAPTIONS,
    CAPTIONERS,
) = (
    "projects",
    "images",
    "gaze",
    "lists",
    "mappings",
    "tables",
    "figures",
    "maps",
    "models",
    "masks",
    "responses",
    "atlases",
    "captions",
    "captioners",
)

_OF_THE_SYSTEM = (("/", "proc"), ("/", "sys"))
"""Where no user may write files, though an administrator seems to be allowed to."""


def typed_path(text: str) -> Path | None:
    """Return the path that a user typed, None for an empty line; the ``~`` of nobody stays as it is."""
    path = Path(text.strip())
    if not text.strip():
        return None
    try:
        return path.expanduser()
    except RuntimeError:
        return path


def there_is(path: Path) -> bool:
    """Return whether a file or folder is at a path that was typed, however strange it is."""
    try:
        return path.exists()
    except OSError:  # a name that is too long, a folder that may not be looked into
        return False


def why_no_path(path: Path) -> str:
    """Return why nothing can be at a path that was typed; empty when something can."""
    if str(path).startswith("~"):
        return f"There is no home folder “{path.parts[0]}”."
    try:
        path.lstat()
    except OSError as error:
        return "That name is too long." if error.errno == ENAMETOOLONG else ""
    return ""


def why_no_folder(path: Path) -> str:
    """Return why files cannot be written into a folder, or a new one made there; empty when they can."""
    reason = why_no_path(path)
    if reason:
        return reason
    path = path.absolute()
    here = next(each for each in (path, *path.parents) if there_is(each))
    if not here.is_dir():
        what = "That is a file" if here.is_file() else "That is no folder"
        return (
            f"{what}; name a folder." if here == path else f"“{here}” is no folder, so nothing can be in it."
        )
    if path == Path(path.anchor):
        return "That is the whole disk; name a folder on it."
    if here.parts[:2] in _OF_THE_SYSTEM or not os.access(here, os.W_OK):
        return f"Nothing can be written in “{here}”; name another folder."
    return ""


def last_folder(kind: str, otherwise: Path | None = None) -> Path:
    """Return the folder in which the last file of a kind was; ``otherwise``, or home, where it is gone."""
    stored = QSettings().value(f"folders/{kind}")
    if isinstance(stored, str) and stored and Path(stored).is_dir():
        return Path(stored)
    return otherwise or Path.home()


def remember_folder(kind: str, folder: Path) -> None:
    """Look for files of a kind in ``folder`` the next time."""
    QSettings().setValue(f"folders/{kind}", str(folder))


def ask_for_file(
    parent: QWidget, caption: str, kind: str, pattern: str, otherwise: Path | None = None
) -> Path | None:
    """Ask for a file to open; None when the user takes none."""
    name, _ = QFileDialog.getOpenFileName(parent, caption, str(last_folder(kind, otherwise)), pattern)
    return _chosen(kind, name)


def ask_for_files(
    parent: QWidget, caption: str, kind: str, pattern: str, otherwise: Path | None = None
) -> list[Path]:
    """Ask for files to open; none when the user takes none."""
    names, _ = QFileDialog.getOpenFileNames(parent, caption, str(last_folder(kind, otherwise)), pattern)
    if names:
        remember_folder(kind, Path(names[0]).parent)
    return [Path(name) for name in names]


def ask_for_folder(parent: QWidget, caption: str, kind: str, otherwise: Path | None = None) -> Path | None:
    """Ask for a folder; the next one is sought beside it."""
    name = QFileDialog.getExistingDirectory(parent, caption, str(last_folder(kind, otherwise)))
    return _chosen(kind, name)


def ask_where_to_save(
    parent: QWidget, caption: str, kind: str, pattern: str, name: str, otherwise: Path | None = None
) -> Path | None:
    """Ask for a file to write, ``name`` filled in."""
    start = last_folder(kind, otherwise) / name
    chosen, _ = QFileDialog.getSaveFileName(parent, caption, str(start), pattern)
    return _chosen(kind, chosen)


def _chosen(kind: str, name: str) -> Path | None:
    if not name:
        return None
    remember_folder(kind, Path(name).parent)
    return Path(name)
