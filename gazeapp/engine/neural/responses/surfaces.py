"""Responses in surface files, one pair of hemispheres: GIFTI and FreeSurfer's MGH."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Protocol

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.records import LEFT
from gazeapp.engine.neural.responses.gifti import GiftiMaps
from gazeapp.engine.neural.responses.hemispheres import Pair, stem_of
from gazeapp.engine.neural.responses.image_list import find_list
from gazeapp.engine.neural.responses.mgh import MghMaps
from gazeapp.engine.neural.responses.options import ResponseOptions
from gazeapp.engine.neural.responses.raw import Entry, RawResponses, Row
from gazeapp.engine.types import DoubleArray

GIFTI_FORM, MGH_FORM = "GIFTI files", "FreeSurfer surface files"
GIFTI_SUFFIXES = frozenset({".gii"})
MGH_SUFFIXES = frozenset({".mgh", ".mgz"})


class SurfaceMaps(Protocol):
    """The maps of one hemisphere."""

    n_maps: int
    n_vertices: int
    hemisphere: str
    """What the file says itself; empty where it does not."""

    def map(self, number: int) -> DoubleArray:
        """Return one map, shape (n_vertices,)."""


def is_surface_file(path: Path) -> bool:
    """Return whether a file is named like one of surface maps."""
    name = path.name.lower().removesuffix(".gz")
    return Path(name).suffix in GIFTI_SUFFIXES | MGH_SUFFIXES


def read_surfaces(pair: Pair, options: ResponseOptions, subject: str = "") -> RawResponses:
    """Return what a pair of files holds: one map for each row of its list of images.

    Parameters
    ----------
    pair
        The files.
    options
        What the user said.
    subject
        Whose they are; empty for what the user said.

    Raises
    ------
    GazeError
        If a file cannot be read, the hemispheres do not fit each other, one is missing, or there is no list.
    """
    first = pair.files[0]
    if pair.alone and not options.hemisphere:
        other = "right" if pair.alone == LEFT else "left"
        raise GazeError(
            f"The file of the {other} hemisphere is missing.",
            where=str(first),
            todo=f"Put it beside this one; or say that only the {pair.alone} one is to be read "
            f"(--hemisphere {pair.alone}), and the {other} one has no values.",
        )
    opened: Callable[[Path], SurfaceMaps] = GiftiMaps if _is_gifti(first) else MghMaps
    sides = [opened(file) for file in pair.files]
    for file, side in zip(pair.files, sides, strict=True):
        _check_side(file, side, pair)
    if len({side.n_maps for side in sides}) > 1 or len({side.n_vertices for side in sides}) > 1:
        raise GazeError(
            "The hemispheres do not fit each other: the left one has "
            f"{sides[0].n_maps} maps of {sides[0].n_vertices:,} vertices, the right one {sides[1].n_maps} of "
            f"{sides[1].n_vertices:,}.",
            where=str(first),
            todo="Give files of the same surface and the same images.",
        )
    stems = [stem for stem in (pair.stem, stem_of(first.name)) if stem]
    names = find_list(first.parent, stems, options.images_list, str(first)).fitted(
        sides[0].n_maps, str(first)
    )
    people = names.subjects or (subject or options.subject,) * len(names.images)

    def rows(wanted: Collection[int]) -> Iterator[Row]:
        for number in sorted(wanted):
            yield number, np.concatenate([side.map(number) for side in sides])

    return RawResponses(
        GIFTI_FORM if _is_gifti(first) else MGH_FORM,
        str(first),
        tuple(map(Entry, people, names.images)),
        sum(side.n_vertices for side in sides),
        rows,
        hemisphere=pair.alone,
    )


def _is_gifti(path: Path) -> bool:
    return Path(path.name.lower().removesuffix(".gz")).suffix in GIFTI_SUFFIXES


def _check_side(file: Path, side: SurfaceMaps, pair: Pair) -> None:
    named = LEFT if file == pair.left else "right"
    if side.hemisphere and side.hemisphere != named:
        raise GazeError(
            f"The file is named like the {named} hemisphere, but says itself that it is of the {side.hemisphere} one.",
            where=str(file),
            todo="Check which one it is, and name it so.",
        )
