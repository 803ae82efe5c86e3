"""Responses of an NPZ file: the array ``Y``, the names of its images, and what else it says."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.responses.arrays import StoredArray, npz_arrays, numbers_of, words_of
from gazeapp.engine.neural.responses.axes import SUBJECT, axes_of
from gazeapp.engine.neural.responses.image_list import find_list
from gazeapp.engine.neural.responses.options import ResponseOptions
from gazeapp.engine.neural.responses.raw import Entry, RawResponses, not_on_one_line, some
from gazeapp.engine.neural.responses.stacked import Stack
from gazeapp.engine.neural.responses.window import course_of
from gazeapp.engine.types import DoubleArray, Json

FORM = "NPZ file"
VALUES = "Y"
_LARGEST_META = 1_000_000


def read_npz(path: Path, options: ResponseOptions) -> RawResponses:
    """Return what an NPZ file holds.

    ``Y`` has one of the shapes (images, targets), (images, time, targets), (subjects, images, targets) and (subjects,
    images, time, targets); where ``options.middle`` or ``axes`` of ``meta_json`` says so, repeats stand for time.
    ``image_ids`` names the images, by position, or for each subject; ``subjects``, ``roi_names``, ``noise_ceiling`` (by
    target, or by subject and target, in units of r) and ``meta_json`` may be there.

    Raises
    ------
    GazeError
        If it cannot be read, or its parts do not fit one another.
    """
    arrays, where = npz_arrays(path), str(path)
    if VALUES not in arrays:
        listed = ", ".join(arrays) or "no array"
        raise GazeError(
            f"The file has no array “{VALUES}” of responses; it has {listed}.",
            where=where,
            todo="Save the responses as Y, with image_ids: numpy.savez(file, Y=..., image_ids=...).",
        )
    meta = _meta(arrays, where)
    targets = _regions(arrays, where)
    subjects = [str(name).strip() for name in _vector(arrays, "subjects", where)]
    names = _names(path, arrays, options)
    n_names = names.shape[-1]
    by_row = names.ndim == 1 and len(subjects) == n_names and arrays[VALUES].shape[0] == n_names
    own = [] if by_row or (len(subjects) == 1 and arrays[VALUES].shape[0] != 1) else subjects
    axes = axes_of(
        arrays[VALUES].shape, n_names, len(own), len(targets), meta.get("axes"), options.middle, where
    )
    stack = Stack(arrays[VALUES], axes, course_of(options, meta))
    by_row = by_row and SUBJECT not in axes
    if not by_row and (twice := [name for name, n in Counter(subjects).items() if n > 1]):
        raise GazeError(
            f"subjects names the same person twice: {some(twice)}.",
            where=where,
            todo="Give each subject a name of its own; repeats stand one below the other, with a name in image_ids and "
            "one in subjects for each row.",
        )
    if len(subjects) > 1 and not by_row and SUBJECT not in axes:
        raise GazeError(
            f"The file names {len(subjects)} subjects, and no axis of its array {arrays[VALUES].shape} is so long.",
            where=where,
            todo="Save the responses as subjects x images x targets.",
        )
    people = _people(subjects, by_row, stack.length(SUBJECT), options.subject)
    return RawResponses(
        FORM,
        where,
        stack.entries(lambda s, k: Entry(people(s, k), str(names[s, k] if names.ndim == 2 else names[k]))),
        stack.width,
        stack.rows,
        targets,
        ceilings=_ceilings(arrays, stack, [people(s, 0) for s in range(stack.length(SUBJECT))], where),
        meta=meta,
        facts=stack.facts,
        cautions=stack.cautions,
    )


def _names(path: Path, arrays: Mapping[str, StoredArray], options: ResponseOptions) -> NDArray[np.str_]:
    """Return the names of the images, shape (n_images,) or (n_subjects, n_images)."""
    if "image_ids" not in arrays or options.images_list:
        return np.array(find_list(path.parent, [path.stem], options.images_list, str(path)).images)
    names = words_of(arrays["image_ids"])
    if names.ndim not in (1, 2) or not names.size:
        raise GazeError(
            f"image_ids has the shape {names.shape}; one name for each image is needed.",
            where=str(path),
            todo="Save it as a list of names.",
        )
    if names.ndim == 2 and len(names) != arrays[VALUES].shape[0]:
        raise GazeError(
            f"image_ids has the shape {names.shape}, and the responses {arrays[VALUES].shape}.",
            where=str(path),
            todo="Save one list of names, or one for each subject.",
        )
    return names


def _people(subjects: list[str], by_row: bool, n_subjects: int, said: str) -> Callable[[int, int], str]:
    """Return who the row of a subject's and an image's number is of."""
    if by_row:
        return lambda _, image: subjects[image]
    if subjects:
        return lambda subject, _: subjects[subject]
    if n_subjects > 1:
        return lambda subject, _: f"{subject + 1:02d}"
    return lambda _, __: said


def _vector(arrays: Mapping[str, StoredArray], name: str, where: str) -> list[str]:
    if name not in arrays:
        return []
    words = words_of(arrays[name])
    if words.ndim > 1:
        raise GazeError(
            f"{name} has the shape {words.shape}.", where=where, todo="Save it as a list of names."
        )
    return [str(word) for word in np.atleast_1d(words)]


def _regions(arrays: Mapping[str, StoredArray], where: str) -> tuple[str, ...]:
    """Return the names of the regions, none where the file has no ``roi_names``."""
    found = tuple(name.strip() for name in _vector(arrays, "roi_names", where))
    wrong = ""
    if "" in found:
        wrong = "roi_names has a name that is empty."
    elif len(set(found)) < len(found):
        wrong = "roi_names has the same name twice."
    elif unfit := not_on_one_line(found):
        wrong = f"roi_names has names with tabs, line breaks or the like: {some(unfit)}."
    if wrong:
        raise GazeError(wrong, where=where, todo="Give each region a name of its own, on one line.")
    return found


def _meta(arrays: Mapping[str, StoredArray], where: str) -> Json:
    if "meta_json" not in arrays:
        return {}
    words = words_of(arrays["meta_json"])
    text = "".join(map(str, words.ravel()))
    try:
        meta = json.loads(text) if len(text) <= _LARGEST_META else None
    except (ValueError, RecursionError):
        meta = None
    if not isinstance(meta, dict):
        raise GazeError(
            "meta_json is no JSON object.",
            where=where,
            todo="Save it as json.dumps of a dictionary, or leave it out.",
        )
    return meta


def _ceilings(
    arrays: Mapping[str, StoredArray], stack: Stack, people: list[str], where: str
) -> dict[str, DoubleArray]:
    if "noise_ceiling" not in arrays:
        return {}
    values = numbers_of(arrays["noise_ceiling"])
    if values.shape == (stack.width,):
        return {"": values}
    if values.shape == (len(people), stack.width):
        return dict(zip(people, values, strict=True))
    raise GazeError(
        f"noise_ceiling has the shape {values.shape}; {stack.width:,} targets are needed, or these for each subject.",
        where=where,
        todo="Save one value for each target, in units of r.",
    )
