"""Arrays of NPY and NPZ files: their headers are checked before memory is taken, and rows come one by one."""

from __future__ import annotations

import math
import tokenize
import zipfile
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.responses.memory import check_memory

DAMAGE = (
    *(OSError, ValueError, EOFError, KeyError, RuntimeError, SyntaxError, NotImplementedError, TypeError),
    *(zipfile.BadZipFile, zlib.error, tokenize.TokenError),
)
"""What reading a damaged array file raises; numpy parses headers as Python, and zipfile unpacks with zlib."""

_LONGEST_HEADER = 10_000
_LARGEST_SMALL = 200_000_000
"""Bytes of an array that is no response, such as names."""


@dataclass(frozen=True, slots=True)
class StoredArray:
    """An array in a file, by its header.

    Parameters
    ----------
    path
        The file.
    name
        Name of the array in an NPZ file; empty in an NPY file.
    shape, dtype, is_fortran
        What the header says.
    start
        Bytes before its numbers.
    """

    path: Path
    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    is_fortran: bool
    start: int

    @property
    def n_bytes(self) -> int:
        """Size of its numbers, bytes."""
        return math.prod(self.shape) * self.dtype.itemsize

    def check_numbers(self) -> None:
        """Refuse what holds no real numbers, or none at all.

        Raises
        ------
        GazeError
            If it does.
        """
        if self.dtype.kind not in "iuf":
            raise GazeError(
                f"The responses do not hold real numbers, but {self.dtype}.",
                where=str(self.path),
                todo="Save them as float32.",
            )
        if not all(self.shape):
            raise GazeError(
                f"The responses are empty: their shape is {self.shape}.",
                where=str(self.path),
                todo="Save them again.",
            )

    def whole(self) -> NDArray[Any]:
        """Return the array: of an NPY file without reading it, else read.

        Raises
        ------
        GazeError
            If it cannot be read, or does not fit into memory.
        """
        try:
            if not self.name:
                # A plain array over the file: numpy's own subclass would go on into every slice.
                return np.asarray(np.load(self.path, mmap_mode="r", allow_pickle=False))
            check_memory(self.n_bytes, str(self.path))
            with zipfile.ZipFile(self.path) as archive, archive.open(f"{self.name}.npy") as member:
                values: NDArray[Any] = np.lib.format.read_array(member, allow_pickle=False)
            return values
        except DAMAGE as error:
            raise _damaged(self.path, error) from error

    def blocks(self, n_lead: int, wanted: Collection[int]) -> Iterator[tuple[int, NDArray[Any]]]:
        """Yield the parts of the array that its first axes number, in order, without reading all of it at once.

        Parameters
        ----------
        n_lead
            How many axes number the parts.
        wanted
            Numbers of the parts, counted through these axes, the last of them fastest.

        Raises
        ------
        GazeError
            If it cannot be read.
        """
        lead, block = self.shape[:n_lead], self.shape[n_lead:]
        if not self.name or self.is_fortran:
            array = self.whole()
            for number in sorted(wanted):
                yield number, array[np.unravel_index(number, lead)]
            return
        size = math.prod(block) * self.dtype.itemsize
        last = max(wanted, default=-1)
        try:
            with zipfile.ZipFile(self.path) as archive, archive.open(f"{self.name}.npy") as member:
                member.read(self.start)
                for number in range(last + 1):
                    data = member.read(size)
                    if len(data) < size:
                        raise EOFError("it ends too early")
                    if number in wanted:
                        yield number, np.frombuffer(data, self.dtype).reshape(block)
        except DAMAGE as error:
            raise _damaged(self.path, error) from error


def npy_array(path: Path) -> StoredArray:
    """Return what an NPY file says it holds.

    Raises
    ------
    GazeError
        If it cannot be read, holds pickled objects, or is not as large as it says.
    """
    try:
        with path.open("rb") as file:
            return _checked(path, "", file, path.stat().st_size)
    except DAMAGE as error:
        raise _damaged(path, error) from error


def npz_arrays(path: Path) -> dict[str, StoredArray]:
    """Return what an NPZ file says it holds, by name; members that are no arrays are passed over.

    Raises
    ------
    GazeError
        If it cannot be read, holds pickled objects, or an array is not as large as it says.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            found = {}
            for info in archive.infolist():
                if info.filename.endswith(".npy"):
                    name = info.filename.removesuffix(".npy")
                    with archive.open(info) as member:
                        found[name] = _checked(path, name, member, info.file_size)
            return found
    except DAMAGE as error:
        raise _damaged(path, error) from error


def words_of(array: StoredArray) -> NDArray[np.str_]:
    """Return an array of names or numbers as text, of the same shape.

    Raises
    ------
    GazeError
        If it is of another kind.
    """
    values = _small(array)
    if values.dtype.kind == "S":
        return np.char.decode(values, "utf-8", "replace")
    if values.dtype.kind in "fc" and not (np.isfinite(values) & (values == np.floor(values.real))).all():
        raise GazeError(
            f"“{array.name}” holds fractions where names are needed.",
            where=str(array.path),
            todo="Save the names as text.",
        )
    if values.dtype.kind == "f":
        values = values.astype(np.int64)
    return values.astype(np.str_)


def numbers_of(array: StoredArray) -> NDArray[np.float64]:
    """Return a small array of real numbers as float64.

    Raises
    ------
    GazeError
        If it holds something else.
    """
    array.check_numbers()
    return _small(array).astype(np.float64)


def _small(array: StoredArray) -> NDArray[Any]:
    if array.n_bytes > _LARGEST_SMALL:
        raise GazeError(
            f"“{array.name}” is larger than {_LARGEST_SMALL / 1e6:g} MB.",
            where=str(array.path),
            todo="Save it again.",
        )
    return array.whole()


def _checked(path: Path, name: str, file: IO[bytes], size: int) -> StoredArray:
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"version {version} of the format")
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, is_fortran, dtype = read(file, max_header_size=_LONGEST_HEADER)
    if dtype.hasobject:
        raise GazeError(
            f"{f'“{name}”' if name else 'The array'} was saved as Python objects, which are not opened: they can run "
            "any program.",
            where=str(path),
            todo="Save names as text, np.array(names, dtype=str), and numbers as float32.",
        )
    array = StoredArray(path, name, shape, dtype, is_fortran, file.tell())
    if min(shape, default=0) < 0 or array.start + array.n_bytes != size:
        raise ValueError("an array is not as large as it says")
    return array


def _damaged(path: Path, error: BaseException) -> GazeError:
    return GazeError(
        f"The file cannot be read; it is damaged or of another kind ({error}).",
        where=str(path),
        todo="Copy it again, or write it again.",
    )
