"""Responses of an NPY file, with a list of its images beside it."""

from __future__ import annotations

from pathlib import Path

from gazeapp.engine.neural.responses.arrays import npy_array
from gazeapp.engine.neural.responses.axes import axes_of
from gazeapp.engine.neural.responses.image_list import find_list
from gazeapp.engine.neural.responses.options import ResponseOptions
from gazeapp.engine.neural.responses.raw import Entry, RawResponses
from gazeapp.engine.neural.responses.stacked import Stack
from gazeapp.engine.neural.responses.window import course_of

FORM = "NPY file with a list of images"


def read_npy(path: Path, options: ResponseOptions) -> RawResponses:
    """Return what an NPY file holds: (images, targets), or (images, time or repeats, targets).

    Raises
    ------
    GazeError
        If it cannot be read, there is no list of its images, or the list is of another length.
    """
    array, where = npy_array(path), str(path)
    array.check_numbers()
    names = find_list(path.parent, [path.stem], options.images_list, where)
    if len(array.shape) < 2 or len(names.images) not in array.shape[:2]:
        names = names.fitted(array.shape[0] if array.shape else 0, where)
    axes = axes_of(array.shape, len(names.images), 0, 0, None, options.middle, where)
    stack = Stack(array, axes, course_of(options, {}))
    people = names.subjects or (options.subject,) * len(names.images)
    return RawResponses(
        FORM,
        where,
        stack.entries(lambda _, k: Entry(people[k], names.images[k])),
        stack.width,
        stack.rows,
        facts=stack.facts,
        cautions=stack.cautions,
    )
