"""Captioners in the user's own folders: finding them, telling them apart, and putting folders on the list."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.base import ModelInfo
from gazeapp.engine.models.captioner.config import CONFIG_NAME, read_config
from gazeapp.engine.models.captioner.listing import captioner_info, ships
from gazeapp.engine.models.vlm.loading.folders import ModelFolders

_TELLING = 8
"""Characters of the weights' SHA-256 that tell two captioners of one id apart."""


@dataclass(frozen=True, slots=True)
class Listing:
    """Captioners, what is wrong with those that cannot be used, and what was done to tell some of them apart."""

    models: tuple[ModelInfo, ...]
    problems: tuple[GazeError, ...] = ()
    notes: tuple[str, ...] = ()


def captioners_in(place: Path) -> list[Path]:
    """Return the folders of captioners: ``place`` itself, else those that it holds, by name."""
    if (place / CONFIG_NAME).is_file():
        return [place]
    return sorted(path.parent for path in place.glob(f"*/{CONFIG_NAME}"))


def own_folders(folders: ModelFolders | None = None) -> tuple[Path, ...]:
    """Return those of the user's model folders that hold captioners."""
    return tuple(folder for folder in (folders or ModelFolders()).all() if captioners_in(folder))


def register(folder: Path) -> tuple[ModelInfo, ...]:
    """Put a captioner's folder, or a folder of such folders, on the user's list, and return what it holds.

    Raises
    ------
    GazeError
        When it holds no captioner that can be used, or the list cannot be written.
    """
    folder = folder.expanduser().resolve()
    found = listed(captioners_in(folder))
    if not found.models:
        raise next(iter(found.problems), no_captioner(folder))
    folders = ModelFolders()
    if folder.parent not in folders.all():  # else it is listed with those beside it
        folders.keep(folder)
    return found.models


def take_off(folder: Path) -> None:
    """Take a captioner off the user's list; where the folder that holds it is listed, the others in there stay.

    Raises
    ------
    GazeError
        When the list cannot be written.
    """
    folders = ModelFolders()
    if folder.parent in folders.all():
        beside = [other for other in captioners_in(folder.parent) if other != folder]
        folders.remove(folder.parent)
        for other in beside:
            folders.keep(other)
    folders.remove(folder)


def is_own(info: ModelInfo) -> bool:
    """Return whether a model is a captioner from a folder of the user's."""
    return info.kind == "captioner" and not ships(info)


def listed(folders: Iterable[Path], before: Sequence[ModelInfo] = ()) -> Listing:
    """Describe captioners; what cannot be described is a problem of its own.

    The first of two captioners with one id keeps it. The other one, if its weights are others, gets an id and a name
    that end in the first characters of their SHA-256, so that their runs are not filed together; a copy with the same
    weights is the same model and is not listed twice.

    Parameters
    ----------
    folders
        Their folders.
    before
        Captioners that are listed already.
    """
    models, problems, notes = list(before), [], []
    for folder in folders:
        try:
            info = _described(folder)
        except GazeError as error:
            problems.append(error)
            continue
        apart = told_apart(info, models)
        if apart in models:
            continue
        if apart.id != info.id:
            notes.append(
                f"There are two captioners called {info.id}; the one in {folder} is listed as {apart.id}."
            )
        models.append(apart)
    return Listing(tuple(models[len(before) :]), tuple(problems), tuple(notes))


def told_apart(info: ModelInfo, others: Iterable[ModelInfo]) -> ModelInfo:
    """Return a captioner under an id that none of the others has, or that one of the others which is the same model."""
    own = replace(
        info, id=f"{info.id}-{info.revision[:_TELLING]}", name=f"{info.name} ({info.revision[:_TELLING]})"
    )
    taken = False
    for other in others:
        if other.revision == info.revision and other.id in (info.id, own.id):
            return other
        taken = taken or other.id == info.id
    return own if taken else info


def captioner_at(name: str, others: Sequence[ModelInfo]) -> ModelInfo | None:
    """Return the captioner whose folder's path a user gives; None where that is no folder of captioners.

    Parameters
    ----------
    name
        What the user gives.
    others
        Captioners that are listed, which it is told apart from.

    Raises
    ------
    GazeError
        When it cannot be used, is still being trained, or the folder holds several.
    """
    folder = Path(name).expanduser()
    if (folder / CONFIG_NAME).is_file():
        return told_apart(_described(folder.resolve()), others)
    inside = captioners_in(folder) if folder.is_dir() else []
    if inside:
        raise GazeError(
            f"This folder holds {len(inside)} captioners.",
            where=name,
            todo=f"Name one of them: {', '.join(str(Path(name) / path.name) for path in inside)}.",
        )
    if (folder / "training" / "status.json").is_file():
        raise GazeError(
            "This captioner is not trained to the end yet.",
            where=name,
            todo="Wait for its training, or go on with it: gazeapp train with the same settings.",
        )
    return None


def _described(folder: Path) -> ModelInfo:
    info = captioner_info(folder, read_config(folder))
    if not info.revision:
        raise GazeError(
            "The captioner's description does not say which weights it speaks of.",
            where=str(folder),
            todo=f"Check and complete it with: gazeapp import-captioner {folder}",
        )
    return info


def no_captioner(folder: Path) -> GazeError:
    """Return what is said of a folder without a captioner."""
    return GazeError(
        "There is no captioner in this folder.",
        where=str(folder),
        todo=f"Choose a folder that holds {CONFIG_NAME}, or one with such folders in it.",
    )
