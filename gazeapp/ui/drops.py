"""What to do with files that are dropped on the window."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from gazeapp.ui.training_folder import find_trainings

PROJECT_SUFFIX = ".gaze"

_LOOKED_AT = 5000


@dataclass(frozen=True)
class Drop:
    """Dropped paths by what they are."""

    project: Path | None = None
    images: list[Path] = field(default_factory=list)
    gaze: list[Path] = field(default_factory=list)
    responses: list[Path] = field(default_factory=list)
    regions: list[Path] = field(default_factory=list)
    captions: list[Path] = field(default_factory=list)
    trainings: list[Path] = field(default_factory=list)
    unknown: list[Path] = field(default_factory=list)


def gaze_filter() -> str:
    """Return what a file dialog offers for recordings: the usual ends of their names, packed ones included."""
    from gazeapp.engine.gaze.formats import ALL

    ends = sorted({suffix.lower().removesuffix(".gz") for entry in ALL for suffix in entry.suffixes})
    kinds = " ".join(f"*{end} *{end}.gz" for end in ends)
    return f"Recordings ({kinds});;All files (*)"


def gaze_files(paths: Iterable[Path]) -> list[Path]:
    """Return the recordings among paths: files as they are, folders as data sets or for what is in them.

    In a folder only names with a usual end count; what a file that was named itself holds is told by
    its content.
    """
    found: list[Path] = []
    for path in paths:
        if not path.is_dir() or _is_recording(path):
            found.append(path)
        else:
            found.extend(_recordings_in(path))
    return list(dict.fromkeys(found))


def sort_drop(paths: Iterable[Path], image_names: Sequence[str] = ()) -> Drop:
    """Tell projects, images, recordings, brain responses and atlases apart; tables by names of the project's images.

    A file that is neither a project nor a picture, and of which it is not certain that it holds responses, regions of
    the cortex or captions, counts as a recording, whatever its name. A folder can hold both pictures and recordings;
    beside pictures only what surely is a recording counts.
    """
    from gazeapp.engine.pictures import SUFFIXES

    drop = Drop()
    project = None
    for path in paths:
        if path.is_dir():
            _sort_folder(path, drop, SUFFIXES)
        elif path.suffix.lower() == PROJECT_SUFFIX:
            project = project or path
        elif path.suffix.lower() in SUFFIXES:
            drop.images.append(path)
        elif path.is_file():
            _list_of(path, drop, image_names).append(path)
        else:
            drop.unknown.append(path)
    return replace(drop, project=project)


def _list_of(path: Path, drop: Drop, image_names: Sequence[str]) -> list[Path]:
    """Return where a file belongs: regions, brain responses or captions if that is certain, else recordings."""
    from gazeapp.engine.models.captioner.data.reading import caption_form
    from gazeapp.engine.neural.regions.telling import is_atlas, is_region_table
    from gazeapp.engine.neural.responses.telling import is_response_table, is_responses

    if is_atlas(path) or is_region_table(path):
        return drop.regions
    if is_responses(path) or is_response_table(path, image_names):
        return drop.responses
    return drop.captions if caption_form(path) else drop.gaze


def _sort_folder(folder: Path, drop: Drop, pictures: Collection[str]) -> None:
    if find_trainings(folder):
        drop.trainings.append(folder)
        return
    data_set = _is_recording(folder)
    recordings = [folder] if data_set else _recordings_in(folder)
    if not data_set and any(path.suffix.lower() in pictures for path in _below(folder)):
        drop.images.append(folder)
        recordings = [path for path in recordings if _is_recording(path)]
    elif not recordings:
        _sort_neural_folder(folder, drop)
    drop.gaze.extend(recordings)


def _sort_neural_folder(folder: Path, drop: Drop) -> None:
    """Take a folder as an atlas, or as responses, where all of its files are; else nobody knows what it is."""
    from gazeapp.engine.neural.regions.telling import is_atlas
    from gazeapp.engine.neural.responses.telling import is_responses

    files = [path for path in _below(folder) if path.is_file()]
    if files and all(is_atlas(path) for path in files):
        drop.regions.append(folder)
    elif any(is_responses(path) for path in files):
        drop.responses.append(folder)
    else:
        drop.unknown.append(folder)


def _is_recording(path: Path) -> bool:
    """Return whether a format knows a file by its content, or a folder as a whole."""
    from gazeapp.engine.errors import GazeError
    from gazeapp.engine.gaze.reading import SURE, guess_formats
    from gazeapp.engine.gaze.source import Source

    try:
        found = guess_formats(Source(path))
    except (GazeError, OSError):
        return False
    return bool(found) and found[0][1].confidence >= SURE


def _recordings_in(folder: Path) -> list[Path]:
    from gazeapp.engine.gaze.reading import is_recording_name

    return sorted(path for path in _below(folder) if is_recording_name(path.name) and path.is_file())


def _below(folder: Path) -> list[Path]:
    """Return what is in a folder, as far as can be looked at while the window waits."""
    visible = (path for path in folder.rglob("*") if not path.name.startswith("."))
    return list(islice(visible, _LOOKED_AT))
