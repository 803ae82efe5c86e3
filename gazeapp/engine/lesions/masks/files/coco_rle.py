"""Masks as run lengths, as COCO writes them.

The pixels are counted column by column from the top left: so many outside, then so many inside, then outside again. The
counts are a list of numbers or a text: from the fourth count on, the difference to the count two before it is
written; each number in groups of five bits, the lowest first, as characters from '0' on, in which the sixth
bit says that another group follows and the highest bit of the last group is the sign.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.lesions.masks.files.checks import image_size
from gazeapp.engine.lesions.masks.files.found import check_hard
from gazeapp.engine.types import Json, MaskArray

_FIRST = ord("0")
_MORE, _SIGN, _BITS = 0x20, 0x10, 5
_LONGEST = 8
"""Groups of one number; those of the largest image have 6."""

_ADVICE = "Export the mask again from the program that made it."


def encode(values: MaskArray, where: str = "") -> Json:
    """Return a mask as COCO's object of size and counts, the counts as text.

    Parameters
    ----------
    values
        Shape (height, width), 0 or 255.
    where
        What to name when it cannot be done.

    Raises
    ------
    GazeError
        When the mask is graded.
    """
    check_hard(values, "COCO", where)
    return {"size": list(values.shape), "counts": to_text(counts_of(values))}


def decode(rle: object, where: str = "") -> MaskArray:
    """Return the mask of COCO's object of size and counts, the counts as text or as numbers.

    Returns
    -------
    numpy.ndarray
        Shape (height, width), uint8, 0 or 255.

    Raises
    ------
    GazeError
        When it is no such object, or its counts do not fit its size.
    """
    values = rle if isinstance(rle, dict) else {}
    size, counts = values.get("size"), values.get("counts")
    if not isinstance(size, list) or len(size) != 2 or not isinstance(counts, str | list):
        raise GazeError(
            "A run-length mask needs 'size' (height, width) and 'counts'.", where=where, todo=_ADVICE
        )
    height, width = image_size(size[0], size[1], where)
    numbers = from_text(counts, where) if isinstance(counts, str) else counts
    most = height * width
    if not all(isinstance(one, int) and not isinstance(one, bool) and 0 <= one <= most for one in numbers):
        raise GazeError(
            f"The counts of a run-length mask of {width} x {height} px are whole numbers from 0 to {most}.",
            where=where,
            todo=_ADVICE,
        )
    total = sum(numbers)
    if total != most:
        raise GazeError(
            f"The run lengths make up {total} pixels, but the mask is said to be {width} x {height} px, "
            f"which are {most}.",
            where=where,
            todo=f"{_ADVICE} Perhaps it was made for another image.",
        )
    runs = np.where(np.arange(len(numbers)) % 2, np.uint8(255), np.uint8(0))
    flat = np.repeat(runs, np.array(numbers, np.int64))
    return np.ascontiguousarray(flat.reshape(width, height).T)


def counts_of(values: MaskArray) -> list[int]:
    """Return the run lengths of a mask of 0 and 255; the first counts pixels outside and may be 0."""
    flat = values.T.ravel()
    starts = np.flatnonzero(np.diff(flat)) + 1
    counts: list[int] = np.diff(starts, prepend=0, append=flat.size).tolist()
    return [0, *counts] if flat[0] else counts


def to_text(counts: Sequence[int]) -> str:
    """Return run lengths as COCO's text."""
    letters = []
    for place, count in enumerate(counts):
        left = count - counts[place - 2] if place > 2 else count
        while True:
            group, left = left & (_MORE - 1), left >> _BITS
            done = left == (-1 if group & _SIGN else 0)
            letters.append(chr(_FIRST + (group if done else group | _MORE)))
            if done:
                break
    return "".join(letters)


def from_text(text: str, where: str = "") -> list[int]:
    """Return the run lengths of COCO's text.

    Raises
    ------
    GazeError
        When the text is none.
    """
    counts: list[int] = []
    number = groups = 0
    for letter in text:
        group = ord(letter) - _FIRST
        if not 0 <= group < 2 * _MORE or groups == _LONGEST:
            raise GazeError("The text of the run lengths is damaged.", where=where, todo=_ADVICE)
        number |= (group & (_MORE - 1)) << (_BITS * groups)
        groups += 1
        if not group & _MORE:
            signed = number - (1 << (_BITS * groups)) if group & _SIGN else number
            counts.append(signed + counts[-2] if len(counts) > 2 else signed)
            number = groups = 0
    if groups:
        raise GazeError("The text of the run lengths is cut off.", where=where, todo=_ADVICE)
    return counts
