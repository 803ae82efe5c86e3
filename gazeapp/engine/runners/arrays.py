"""Arrays that came from other programs, read without trusting them."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from gazeapp.engine.types import DoubleArray

MAX_BYTES = 1_000_000_000
"""Largest sum of arrays that is taken from one answer, bytes as float64: 300 tokens over a grid of 640 x 640."""

_LONGEST_HEADER = 10_000
_MOST_TEXT = 100_000_000
"""Bytes of the largest array of texts."""


class ArrayRefusedError(Exception):
    """Arrays are not what was agreed; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What an array has to be: numbers of some shape.

    Parameters
    ----------
    shape
        Length of each axis; None where any length is right.
    """

    shape: tuple[int | None, ...]

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Return whether an array has this shape."""
        return len(shape) == len(self.shape) and all(
            asked is None or asked == got for asked, got in zip(self.shape, shape, strict=True)
        )

    @property
    def words(self) -> str:
        """The shape as text, such as ``(12, any, any)``."""
        return f"({', '.join('any' if length is None else str(length) for length in self.shape)})"


def read_arrays(path: Path, expected: Mapping[str, Expected]) -> dict[str, DoubleArray]:
    """Read the arrays of an NPZ file.

    Names, kinds and shapes are read from the headers and compared before any array is made, so that neither pickled
    objects nor an array larger than it says can do harm.

    Parameters
    ----------
    path
        The file.
    expected
        Name and shape of every array that has to be there; others are left alone.

    Returns
    -------
    dict
        The arrays by name, float64, all finite.

    Raises
    ------
    ArrayRefusedError
        If the file is none, or an array is missing, of another kind or shape, too large, or not finite.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            numbers = sum(_checked_size(archive, name, wanted) for name, wanted in expected.items())
            if numbers * np.dtype(np.float64).itemsize > MAX_BYTES:
                raise ArrayRefusedError(f"Its arrays are larger than {MAX_BYTES / 1e9:g} GB.")
            return {name: _values(archive, name) for name in expected}
    except (OSError, zipfile.BadZipFile, ValueError, EOFError, NotImplementedError) as error:
        raise ArrayRefusedError(f"Its file of arrays cannot be read ({error}).") from error


def _checked_size(archive: zipfile.ZipFile, name: str, wanted: Expected) -> int:
    """Return how many numbers an array holds, after its header was compared with what is wanted."""
    try:
        info = archive.getinfo(f"{name}.npy")
    except KeyError as error:
        raise ArrayRefusedError(f"It has no array '{name}'.") from error
    with archive.open(info) as member:
        shape, dtype, start = _header(member)
    if dtype.kind not in "biuf" or dtype.hasobject:
        raise ArrayRefusedError(f"Its array '{name}' does not hold real numbers, but {dtype}.")
    if not wanted.fits(shape):
        raise ArrayRefusedError(f"Its array '{name}' has the shape {shape}, not {wanted.words}.")
    if start + math.prod(shape) * dtype.itemsize != info.file_size:
        raise ArrayRefusedError(f"Its array '{name}' is not as large as it says.")
    return math.prod(shape)


def _header(member: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[np.generic], int]:
    version = np.lib.format.read_magic(member)
    if version == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(member, max_header_size=_LONGEST_HEADER)
    elif version == (2, 0):
        shape, _, dtype = np.lib.format.read_array_header_2_0(member, max_header_size=_LONGEST_HEADER)
    else:
        raise ArrayRefusedError(f"Its arrays are in a version of the format that is not read ({version}).")
    return shape, dtype, member.tell()


def _values(archive: zipfile.ZipFile, name: str) -> DoubleArray:
    with archive.open(f"{name}.npy") as member:
        values: NDArray[np.generic] = np.lib.format.read_array(member, allow_pickle=False)
    numbers: DoubleArray = values.astype(np.float64)
    if not np.isfinite(numbers).all():
        raise ArrayRefusedError(f"Its array '{name}' holds values that are no numbers.")
    return numbers


def read_texts(path: Path, name: str) -> tuple[str, ...]:
    """Read an array of texts of an NPZ file, with the same caution as `read_arrays`.

    Parameters
    ----------
    path
        The file.
    name
        Name of the array: one text, or a list of them.

    Returns
    -------
    tuple
        The texts; one for an array of no axis.

    Raises
    ------
    ArrayRefusedError
        If the file is none, the array is missing or too large, or holds anything but texts.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            info = archive.getinfo(f"{name}.npy")
            with archive.open(info) as member:
                shape, dtype, start = _header(member)
            if dtype.kind != "U" or len(shape) > 1:
                raise ArrayRefusedError(f"Its array '{name}' is no list of texts.")
            size = math.prod(shape) * dtype.itemsize
            if size > _MOST_TEXT or start + size != info.file_size:
                raise ArrayRefusedError(f"Its array '{name}' is not as large as it says, or too large.")
            with archive.open(info) as member:
                values = np.lib.format.read_array(member, allow_pickle=False)
    except KeyError as error:
        raise ArrayRefusedError(f"It has no array '{name}'.") from error
    except (OSError, zipfile.BadZipFile, ValueError, EOFError, NotImplementedError) as error:
        raise ArrayRefusedError(f"Its file of arrays cannot be read ({error}).") from error
    return tuple(str(value) for value in values.reshape(-1))
