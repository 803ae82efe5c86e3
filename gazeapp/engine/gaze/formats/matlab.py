"""MATLAB files of published data sets: which variables they hold, and their values, with care."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.gaze.formats.collect import first_files
from gazeapp.engine.gaze.source import Source
from gazeapp.engine.types import DoubleArray

CELL, STRUCT = 1, 2
"""MATLAB's numbers of its classes."""

FROM_ONE = (
    "Positions are kept as the authors give them. MATLAB counts pixels from 1, so that they may lie up "
    "to 1 px too far right and down."
)

_HEADER = 128
_MATRIX, _COMPRESSED = 14, 15
_INNER = 32_768
_LARGEST = 1 << 31


class Variable(NamedTuple):
    """A variable of a MATLAB file.

    ``kind`` is MATLAB's class, ``inner`` the first 32 KiB of its content, unpacked, and ``n_bytes`` the
    size of the whole content.
    """

    name: str
    kind: int
    inner: bytes
    n_bytes: int


def variables(head: bytes) -> list[Variable]:
    """Return the variables that begin in the head of a MATLAB 5 to 7 file; none for other files."""
    mark = head[126:_HEADER]
    if not head.startswith(b"MATLAB") or mark not in (b"IM", b"MI"):
        return []
    order = "<" if mark == b"IM" else ">"
    found: list[Variable] = []
    place = _HEADER
    while place + 8 <= len(head):
        kind, size = struct.unpack_from(f"{order}II", head, place)
        content = head[place + 8 : place + 8 + size]
        if kind == _COMPRESSED:
            content = _unpacked(content)
            kind, n_bytes = struct.unpack_from(f"{order}II", content) if len(content) >= 8 else (0, 0)
            content = content[8:]
        else:
            n_bytes = size
        variable = _variable(content, order, n_bytes) if kind == _MATRIX else None
        if variable is None:
            break
        found.append(variable)
        place += 8 + size
    return found


def _unpacked(packed: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(packed, _INNER)
    except zlib.error:
        return b""


def _variable(content: bytes, order: str, n_bytes: int) -> Variable | None:
    try:
        flags, place = _part(content, 0, order)
        _, place = _part(content, place, order)
        name, _ = _part(content, place, order)
        (word,) = struct.unpack_from(f"{order}I", flags)
    except struct.error:
        return None
    return Variable(name.decode("ascii", errors="replace"), word & 0xFF, content[:_INNER], n_bytes)


def _part(content: bytes, place: int, order: str) -> tuple[bytes, int]:
    """Return an element's data and where the next one begins; short elements share their tag's 8 bytes."""
    first, size = struct.unpack_from(f"{order}II", content, place)
    if first >> 16:
        return content[place + 4 : place + 4 + (first >> 16)], place + 8
    return content[place + 8 : place + 8 + size], place + 8 + (size + 7) // 8 * 8


def holds(head: bytes, name: str, kind: int, fields: Sequence[str]) -> bool:
    """Return whether a file's head has a variable of that name and class whose content names the fields.

    An empty ``name`` fits every variable.
    """
    return any(
        variable.kind == kind
        and (not name or variable.name == name)
        and all(field.encode() in variable.inner for field in fields)
        for variable in variables(head)
    )


def heads(source: Source) -> list[bytes]:
    """Return the head of a file, or those of some MATLAB files in a folder; none that cannot be read."""
    if not source.is_folder:
        return [source.head]
    found = []
    for path in first_files(source.path, ".mat"):
        with suppress(GazeError):
            found.append(Source(path).head)
    return found


def is_newest(head: bytes) -> bool:
    """Return whether a file is MATLAB's version 7.3, which is HDF5 inside."""
    return head.startswith(b"MATLAB 7.3")


def newest_refused(source: Source) -> GazeError:
    """Return what to tell about a file of version 7.3."""
    return source.problem(
        "The file is in MATLAB's version 7.3, which gazeapp does not read.",
        "Load it in MATLAB and save it again with save(name, '-v7').",
    )


def load(source: Source, name: str = "") -> dict[str, Any]:
    """Return the variables of a MATLAB file, or only the one of that name.

    Raises
    ------
    GazeError
        When the file is of version 7.3, would fill the memory, or is damaged.
    """
    from scipy.io import loadmat

    if is_newest(source.head):
        raise newest_refused(source)
    if sum(variable.n_bytes for variable in variables(source.head)) > _LARGEST:
        raise source.problem(
            f"The file says that it holds more than {_LARGEST >> 30} GiB, which no data set of this kind does.",
            "Copy it again from where it came from.",
        )
    with source.open_bytes() as stream:
        try:
            values: dict[str, Any] = loadmat(stream, variable_names=[name] if name else None)
        except Exception as error:
            raise source.problem(
                f"The MATLAB file is damaged or was cut short ({type(error).__name__}).",
                "Copy it again from where it came from.",
            ) from error
    return {key: value for key, value in values.items() if not key.startswith("__")}


def single(value: Any) -> Any:
    """Return what is inside cells and structure arrays of one element."""
    while isinstance(value, np.ndarray) and value.size == 1 and value.dtype.kind in "OV":
        value = value.reshape(-1)[0]
    return value


def field(value: Any, *names: str) -> Any:
    """Return a field of a structure, or of the structures inside it; None when there is none."""
    value = single(value)
    for name in names:
        if not isinstance(value, np.void) or name not in (value.dtype.names or ()):
            return None
        value = single(value[name])
    return value


def entries(value: Any) -> list[Any]:
    """Return the elements of a cell or of a structure array; a single structure is its own element."""
    if isinstance(value, np.void):
        return [value]
    if isinstance(value, np.ndarray) and value.dtype.kind in "OV":
        return [single(element) for element in value.reshape(-1)]
    return []


def text(value: Any) -> str:
    """Return a text without outer space; empty for anything else."""
    value = single(value)
    if isinstance(value, np.ndarray) and value.dtype.kind == "U" and value.size:
        value = value.reshape(-1)[0]
    return str(value).strip() if isinstance(value, str) else ""


def vector(value: Any) -> DoubleArray | None:
    """Return all numbers of an array as float64, shape (n,); None when it holds no numbers."""
    value = np.asarray(single(value))
    if value.dtype.kind not in "iufb":
        return None
    numbers: DoubleArray = value.reshape(-1).astype(np.float64)
    return numbers


def matrix(value: Any, n_columns: int) -> DoubleArray | None:
    """Return the first columns of an array as float64, shape (n, n_columns); None when it lacks them."""
    value = np.asarray(single(value))
    if value.dtype.kind not in "iufb":
        return None
    if not value.size:
        return np.zeros((0, n_columns))
    if value.ndim != 2 or value.shape[1] < n_columns:
        return None
    numbers: DoubleArray = value[:, :n_columns].astype(np.float64)
    return numbers
