"""A folder with an NPY file for each image: its time course, or one response."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.responses.arrays import StoredArray, npy_array
from gazeapp.engine.neural.responses.options import ResponseOptions
from gazeapp.engine.neural.responses.raw import Entry, RawResponses, Row
from gazeapp.engine.neural.responses.space import is_surface
from gazeapp.engine.neural.responses.window import Course, course_of

FORM = "folder with a file for each image"


def read_clips(folder: Path, files: list[Path], options: ResponseOptions, subject: str = "") -> RawResponses:
    """Return what a folder of ``<image>.npy`` files holds, each of the shape (time, targets) or (targets,).

    Parameters
    ----------
    folder
        What the names of images are told from.
    files
        The files, at least one.
    options
        What the user said.
    subject
        Whose they are; empty for what the user said.

    Raises
    ------
    GazeError
        If no file can be read.
    """
    course = course_of(options, {})
    width, turned, n_rows, problem = 0, False, 0, None
    for file in files:
        try:
            array = npy_array(file)
            width, turned = _layout(array)
        except GazeError as error:
            problem = problem or error
            continue
        n_rows = array.shape[1 if turned else 0] if len(array.shape) > 1 else 0
        break
    if not width:
        raise problem or GazeError("The folder has no NPY file.", where=str(folder))
    cautions = course.cautions(str(folder)) if n_rows else []
    if turned:
        cautions.append(
            GazeError(
                "The arrays were read as targets x time: only so is their width known.", where=str(folder)
            )
        )

    def rows(wanted: Collection[int]) -> Iterator[Row]:
        for number in sorted(wanted):
            try:
                yield number, _response(files[number], width, course)
            except GazeError as error:
                yield number, error

    return RawResponses(
        FORM,
        str(folder),
        tuple(
            Entry(subject or options.subject, file.relative_to(folder).with_suffix("").as_posix())
            for file in files
        ),
        width,
        rows,
        facts=course.facts(n_rows) if n_rows else {},
        cautions=tuple(cautions),
    )


def _layout(array: StoredArray) -> tuple[int, bool]:
    """Return how many targets a file has, and whether they stand before the time."""
    array.check_numbers()
    shape = array.shape
    if len(shape) == 1:
        return shape[0], False
    if len(shape) != 2:
        raise GazeError(
            f"The array has the shape {shape}; time x targets is needed.",
            where=str(array.path),
            todo="Save the time course of one image in each file.",
        )
    turned = is_surface(shape[0]) and not is_surface(shape[1])
    return (shape[0], True) if turned else (shape[1], False)


def _response(file: Path, width: int, course: Course) -> NDArray[np.float64]:
    array = npy_array(file)
    found, turned = _layout(array)
    if found != width:
        raise GazeError(
            f"The array has {found:,} targets, and others of the folder {width:,}.",
            where=str(file),
            todo="Give files of one space.",
        )
    values = array.whole()
    if values.ndim == 1:
        return values.astype(np.float64)
    return course.mean(values.T if turned else values, str(file))
