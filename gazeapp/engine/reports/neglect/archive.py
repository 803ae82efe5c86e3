"""Maps under lesions as one archive: all maps of one grid in one array."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gazeapp.engine.project import LesionRow, Project
from gazeapp.engine.reports.archive import member
from gazeapp.engine.reports.files import replacing
from gazeapp.engine.types import Rect


@dataclass(frozen=True, slots=True)
class LesionMap:
    """Where the map of a lesion run is: the array, its place in there, and the part of the image that it covers, px."""

    key: str
    index: int
    shape: tuple[int, int]
    rect: Rect


def lesion_maps(project: Project, rows: Sequence[LesionRow]) -> dict[int, LesionMap]:
    """Return number of a lesion run -> where its map is, in the order of `rows`."""
    found: dict[int, LesionMap] = {}
    counts: dict[tuple[int, int], int] = {}
    for row in rows:
        stored = project.lesions.map_of(row.id)
        shape = (stored.values.shape[0], stored.values.shape[1])
        index = counts.get(shape, 0)
        counts[shape] = index + 1
        found[row.id] = LesionMap(f"lesion_{shape[0]}x{shape[1]}", index, shape, stored.rect)
    return found


def write_lesion_maps(project: Project, maps: dict[int, LesionMap], path: Path) -> Iterator[int]:
    """Write the archive, yielding the number of each lesion run when its map is written.

    Raises
    ------
    GazeError
        If the file cannot be written; an older one stays as it was.
    """
    by_key: dict[str, list[int]] = {}
    for number, place in maps.items():
        by_key.setdefault(place.key, []).append(number)
    with replacing(path) as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        for key, numbers in by_key.items():
            # Map by map: all together may not fit into memory.
            with archive.open(member(key), "w", force_zip64=True) as stream:
                shape = (len(numbers), *maps[numbers[0]].shape)
                header = {"descr": "<f4", "fortran_order": False, "shape": shape}
                np.lib.format.write_array_header_1_0(stream, header)
                for number in numbers:
                    values = project.lesions.map_of(number).values
                    stream.write(np.ascontiguousarray(values, dtype="<f4").tobytes())
                    yield number
