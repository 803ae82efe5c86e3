"""A folder of responses: a file for each image, or a file, pair or folder for each subject."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.responses.arrays import npy_array
from gazeapp.engine.neural.responses.clips import read_clips
from gazeapp.engine.neural.responses.hemispheres import pairs_of, stem_of, subject_of
from gazeapp.engine.neural.responses.image_list import LIST_STEM, list_beside, read_list
from gazeapp.engine.neural.responses.npy import read_npy
from gazeapp.engine.neural.responses.npz import read_npz
from gazeapp.engine.neural.responses.options import ResponseOptions
from gazeapp.engine.neural.responses.origin import said_by
from gazeapp.engine.neural.responses.raw import Entry, RawResponses, Row, some
from gazeapp.engine.neural.responses.surfaces import is_surface_file, read_surfaces
from gazeapp.engine.neural.responses.table import read_table
from gazeapp.engine.types import Json

_TABLES = (".csv", ".tsv", ".csv.gz", ".tsv.gz")
_NAMES = {"npy": "NPY files", "npz": "NPZ files", "surface": "surface files", "table": "tables"}


def read_folder(folder: Path, options: ResponseOptions) -> RawResponses:
    """Return what a folder holds.

    NPY files are one for each image, unless a list of images stands beside them or is given: then each is of a subject.
    NPZ files, tables and pairs of surface files are one for each subject, too, and so are folders whose names begin
    with ``sub`` and a number, or that hold files of the same names. A subject is named by its file.

    Raises
    ------
    GazeError
        If it holds none, files of several kinds, or files that do not fit one another.
    """
    files = _files(folder)
    kinds = {kind for kind in _NAMES if files[kind]}
    if len(kinds) > 1:
        raise GazeError(
            f"The folder holds {' and '.join(_NAMES[kind] for kind in _NAMES if kind in kinds)}.",
            where=str(folder),
            todo="Give one file, or a folder with files of one kind.",
        )
    if files["npy"] and not (options.images_list or _has_lists(folder, files["npy"])):
        return _of_images(folder, files["npy"], options)
    # Of several files, each is of a subject; which one to read is seen to when all are known.
    unnamed = replace(options, subject="")
    if files["surface"]:
        pairs = pairs_of(files["surface"])
        people = _people([pair.stem for pair in pairs])
        options = options if len(pairs) == 1 else unnamed
        return _joined(
            folder,
            [read_surfaces(pair, options, person) for pair, person in zip(pairs, people, strict=True)],
            people,
        )
    reader: Callable[[Path, ResponseOptions], RawResponses]
    for kind, reader in (("npy", read_npy), ("npz", read_npz), ("table", read_table)):
        if files[kind]:
            people = _people([stem_of(file.name) for file in files[kind]])
            options = options if len(files[kind]) == 1 else unnamed
            return _joined(folder, [reader(file, options) for file in files[kind]], people)
    raise GazeError(
        "The folder holds no responses.",
        where=str(folder),
        todo="Give a folder with an NPY file for each image, or with NPZ files, surface files or tables.",
    )


def _files(folder: Path) -> dict[str, list[Path]]:
    """Return the files of each kind; NPY files also of subfolders, hidden ones aside."""
    found: dict[str, list[Path]] = {kind: [] for kind in _NAMES}
    for path in sorted(folder.rglob("*")):
        below = path.relative_to(folder)
        if any(part.startswith(".") for part in below.parts) or not path.is_file():
            continue
        name = path.name.lower()
        if name.endswith(".npy"):
            found["npy"].append(path)
        elif len(below.parts) > 1:
            continue
        elif name.endswith(".npz"):
            found["npz"].append(path)
        elif is_surface_file(path):
            found["surface"].append(path)
        elif name.endswith(_TABLES) and stem_of(name) != LIST_STEM:
            found["table"].append(path)
    if found["npy"] or found["surface"] or found["npz"]:
        # Tables beside arrays are lists of images.
        found["table"] = []
    return found


def _has_lists(folder: Path, files: Sequence[Path]) -> bool:
    """Return whether the rows of NPY files have lists of images: one for each file, or one that fits the first."""
    if any(file.parent != folder for file in files):
        return False
    if all(list_beside(folder, [file.stem], shared=False) is not None for file in files):
        return True
    shared = list_beside(folder, [])
    return shared is not None and len(read_list(shared).images) in npy_array(files[0]).shape[:1]


def _of_images(folder: Path, files: list[Path], options: ResponseOptions) -> RawResponses:
    """Return a folder with a file for each image, of one subject or with a folder for each."""
    groups: dict[str, list[Path]] = {}
    for file in files:
        parts = file.relative_to(folder).parts
        groups.setdefault(parts[0] if len(parts) > 1 else "", []).append(file)
    below = [{file.relative_to(folder / group).as_posix() for file in of} for group, of in groups.items()]
    by_name = all(subject_of(group) == group for group in groups)
    same = len(groups) > 1 and any(below[0] & other for other in below[1:])
    of_somebody_else = options.subject not in ("", *groups)
    if "" in groups or of_somebody_else or not (by_name or same):
        return read_clips(folder, files, options)
    readers = [read_clips(folder / group, of, options, group) for group, of in groups.items()]
    joined = _joined(folder, readers, list(groups))
    if by_name:
        return joined
    caution = GazeError(
        f"The folders {some(groups)} hold files of the same names, so each was taken for a subject.",
        where=str(folder),
        todo="If they are folders of images, say whose responses they are (--subject).",
    )
    return replace(joined, cautions=(*joined.cautions, caution))


def _people(stems: list[str]) -> list[str]:
    """Return names of subjects: the part of each file's name that names one, else the whole of it."""
    found = [subject_of(stem) for stem in stems]
    return found if len(found) == 1 or (all(found) and len(set(found)) == len(found)) else stems


def _joined(folder: Path, parts: list[RawResponses], people: list[str]) -> RawResponses:
    """Return the responses of several files as one."""
    first = parts[0]
    for part, person in zip(parts, people, strict=True):
        if (part.width, part.targets, part.hemisphere) != (first.width, first.targets, first.hemisphere):
            raise GazeError(
                f"The files differ in what they hold: {first.width:,} values for each image in one, {part.width:,} in "
                f"that of {person}"
                + (", or other names or another order of the regions." if first.width == part.width else "."),
                where=part.where,
                todo="Give files of the same space and the same regions.",
            )
    # A file that names its subjects is believed; the name of the file stands for one that does not.
    named = [
        [Entry(entry.subject or person, entry.image) for entry in part.entries]
        for part, person in zip(parts, people, strict=True)
    ]
    owners = [{entry.subject for entry in entries} for entries in named]
    shared = sorted({one for k, own in enumerate(owners) for other in owners[:k] for one in own & other})
    if shared:
        raise GazeError(
            f"Several files hold responses of the same subject: {some(shared)}.",
            where=str(folder),
            todo="Keep one file for each subject; repeats stand in one file under the same name of the image.",
        )
    starts = [0]
    for part in parts:
        starts.append(starts[-1] + len(part.entries))

    def rows(wanted: Collection[int]) -> Iterator[Row]:
        for k, part in enumerate(parts):
            own = {number - starts[k] for number in wanted if starts[k] <= number < starts[k + 1]}
            for number, row in part.rows(own):
                yield number + starts[k], row

    ceilings = {
        subject: row
        for part, owned in zip(parts, owners, strict=True)
        for name, row in part.ceilings.items()
        for subject in ([name] if name else owned)
    }
    return RawResponses(
        f"folder of {len(parts)} subjects, {first.form}" if len(parts) > 1 else first.form,
        str(folder),
        tuple(entry for entries in named for entry in entries),
        first.width,
        rows,
        first.targets,
        first.hemisphere,
        ceilings,
        _agreed(folder, [part.meta for part in parts]),
        first.facts,
        tuple({caution.what: caution for part in parts for caution in part.cautions}.values()),
    )


def _agreed(folder: Path, metas: Sequence[Json]) -> Json:
    """Return what all of several files say of themselves."""
    agreed = {
        key: value for key, value in metas[0].items() if all(meta.get(key) == value for meta in metas[1:])
    }
    said = {said_by(meta) for meta in metas} - {None}
    if len(said) > 1:
        raise GazeError(
            "Some files of the folder say that they are simulated, others that they were measured.",
            where=str(folder),
            todo="Import them one by one, each under its own name.",
        )
    return {**agreed, "simulated": said.pop()} if said else agreed
