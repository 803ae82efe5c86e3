"""What the axes of an array of responses are: told by the file, else by how long they are."""

from __future__ import annotations

from collections.abc import Iterator

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.responses.options import REPEATS, TIME
from gazeapp.engine.neural.responses.space import is_surface

SUBJECT, IMAGE, TARGET = "subject", "image", "target"
ORDER = (SUBJECT, IMAGE, REPEATS, TIME, TARGET)
"""The order in which axes are read."""

_WORDS = {
    "subject": SUBJECT, "subjects": SUBJECT, "image": IMAGE, "images": IMAGE, "trial": IMAGE, "trials": IMAGE,
    "repeat": REPEATS, "repeats": REPEATS, "time": TIME, "times": TIME, "target": TARGET, "targets": TARGET,
    "vertex": TARGET, "vertices": TARGET, "roi": TARGET, "rois": TARGET, "region": TARGET, "regions": TARGET,
}  # fmt: skip


def axes_of(
    shape: tuple[int, ...],
    n_names: int,
    n_subjects: int,
    n_targets: int,
    said: object,
    middle: str,
    where: str,
) -> tuple[str, ...]:
    """Return what each axis is.

    Parameters
    ----------
    shape
        Shape of the array.
    n_names
        Names of images that belong to it.
    n_subjects
        Names of subjects that belong to it; 0 where it has none, or one for each image.
    n_targets
        Names of regions that belong to it; 0 for none.
    said
        What the file calls its axes: a list of words, or one text with commas; None where it does not.
    middle
        ``time`` or ``repeats``: what an axis between images and targets is.
    where
        The file.

    Raises
    ------
    GazeError
        If no reading fits.
    """
    if said is not None:
        axes = _said(said, len(shape), where)
        if _fits(shape, axes, n_names, n_subjects, n_targets, strict=False):
            return axes
        raise GazeError(
            f"The file calls the axes of its array {shape} {', '.join(axes)}, which does not fit the {n_names:,} names "
            "of images that it has.",
            where=where,
            todo="Check image_ids, subjects and axes.",
        )
    readings = list(_readings(len(shape), n_subjects, middle))
    # Lengths that occur by chance decide nothing: first the order that is agreed, then the turned one.
    for axes in readings:
        if _fits(shape, axes, n_names, n_subjects, n_targets, strict=True):
            return axes
    for axes in readings:
        if axes[-1] == TARGET and _fits(shape, axes, n_names, n_subjects, n_targets, strict=False):
            return axes
    people = f", {n_subjects:,} of subjects" if n_subjects else ""
    regions = f", {n_targets:,} of regions" if n_targets else ""
    raise GazeError(
        f"The responses have the shape {shape}, which does not fit {n_names:,} names of images{people}{regions}.",
        where=where,
        todo="Save them as images x targets, or subjects x images x targets with subjects, and name each image in "
        "the order of the rows.",
    )


def _said(said: object, n_axes: int, where: str) -> tuple[str, ...]:
    words = said.split(",") if isinstance(said, str) else said
    names = [_WORDS.get(str(word).strip().lower(), "") for word in words] if isinstance(words, list) else []
    if len(names) != n_axes or len(set(names)) != n_axes or not {IMAGE, TARGET} <= set(names) <= set(ORDER):
        raise GazeError(
            f"The file calls the axes of its array “{said}”.",
            where=where,
            todo=f"Name each of its {n_axes} axes once: subject, image, repeat, time, target.",
        )
    return tuple(names)


def _readings(n_axes: int, n_subjects: int, middle: str) -> Iterator[tuple[str, ...]]:
    """Yield what the axes could be, likeliest first."""
    between = middle or TIME
    if n_axes == 2:
        yield IMAGE, TARGET
        yield TARGET, IMAGE
    elif n_axes == 3:
        if n_subjects:
            yield SUBJECT, IMAGE, TARGET
            yield IMAGE, SUBJECT, TARGET
        yield IMAGE, between, TARGET
        yield between, IMAGE, TARGET
        yield IMAGE, TARGET, between
    elif n_axes == 4 and n_subjects:
        yield SUBJECT, IMAGE, between, TARGET
    elif n_axes == 4:
        yield IMAGE, REPEATS, TIME, TARGET


def _fits(
    shape: tuple[int, ...],
    axes: tuple[str, ...],
    n_names: int,
    n_subjects: int,
    n_targets: int,
    strict: bool,
) -> bool:
    """Return whether lengths agree with a reading; ``strict`` asks for targets that are known by their number."""
    length = dict(zip(axes, shape, strict=True))
    if length[IMAGE] != n_names or (SUBJECT in length and n_subjects and length[SUBJECT] != n_subjects):
        return False
    if n_targets:
        return length[TARGET] == n_targets
    return is_surface(length[TARGET]) or not strict
