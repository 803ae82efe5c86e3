"""What safetensors files hold, read from their headers alone, and what a model's files are known by."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from gazeapp.engine.errors import GazeError

INDEX_NAME = "model.safetensors.index.json"
SINGLE_NAME = "model.safetensors"

_LARGEST_HEADER = 100_000_000
"""Bytes; the limit of the format's own library."""
_BLOCK = 65_536
"""Bytes of each sampled block of weights."""
_BLOCKS = 64
"""Sampled blocks of each weight file, evenly spread from its first byte to its last."""
_BITS = {
    "F64": 64, "I64": 64, "U64": 64, "F32": 32, "I32": 32, "U32": 32, "F16": 16, "BF16": 16, "I16": 16, "U16": 16,
    "I8": 8, "U8": 8, "BOOL": 8, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "F4": 4,
}  # fmt: skip
_DTYPE_NAMES = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}
_DAMAGED = "Get the file again; a download may have been cut off."


@dataclass(frozen=True, slots=True)
class Weights:
    """The tensors of a checkpoint, from the headers of its files.

    Parameters
    ----------
    files
        The weight files, in the order of their names.
    bytes_of
        Bytes of tensors of each kind, such as ``{"BF16": 1000}``.
    parameters
        Number of values in all tensors; quantised checkpoints pack several into one.
    tensors
        Shape of each tensor by its name.
    """

    files: tuple[Path, ...]
    bytes_of: dict[str, int]
    parameters: int
    tensors: dict[str, tuple[int, ...]]

    @property
    def dtype(self) -> str:
        """Name of the kind of number that takes most of the space, such as ``bfloat16``."""
        main = max(self.bytes_of, key=lambda kind: self.bytes_of[kind])
        return _DTYPE_NAMES.get(main, main.lower())

    @property
    def bytes(self) -> int:
        """Bytes of all tensors."""
        return sum(self.bytes_of.values())


def weight_files(folder: Path) -> tuple[Path, ...]:
    """Return the safetensors files that transformers would read from a folder; empty when there are none.

    Raises
    ------
    GazeError
        When the index cannot be read, names a file outside of the folder, or names one that is missing.
    """
    if (folder / SINGLE_NAME).is_file():
        return (folder / SINGLE_NAME,)
    index = folder / INDEX_NAME
    if not index.is_file():
        return ()
    try:
        names = sorted(set(json.loads(index.read_text("utf-8"))["weight_map"].values()))
        paths = tuple(folder / name for name in names if Path(name).name == name)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise GazeError(
            "The list of the weight files is damaged.", where=str(index), todo=_DAMAGED
        ) from error
    if len(paths) < len(names):
        raise GazeError(
            "The list of the weight files names files in other folders.",
            where=str(index),
            todo="Use the checkpoint as its authors published it.",
        )
    missing = [path.name for path in paths if not path.is_file()]
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise GazeError(
            f"{len(missing)} of {len(paths)} weight files are missing: {', '.join(missing[:3])}{more}.",
            where=str(folder),
            todo="Finish the download.",
        )
    return paths


def read_weights(files: Iterable[Path]) -> Weights:
    """Read what tensors the files hold, without their data.

    Raises
    ------
    GazeError
        When a header is damaged or a file is shorter or longer than its header says.
    """
    files = tuple(files)
    bytes_of: dict[str, int] = {}
    tensors: dict[str, tuple[int, ...]] = {}
    for path in files:
        for name, kind, shape, length in _entries(path):
            tensors[name] = shape
            bytes_of[kind] = bytes_of.get(kind, 0) + length
    if not tensors:
        raise GazeError("The weight files hold no weights.", where=str(files[0].parent), todo=_DAMAGED)
    return Weights(files, bytes_of, sum(math.prod(shape) for shape in tensors.values()), tensors)


def fingerprint(folder: Path, weights: Iterable[Path]) -> str:
    """Return what the files of a model are known by: a SHA-256, hexadecimal, with ``fingerprint-`` before it.

    All bytes of its JSON, text, tokenizer, template and Python files count. Of each weight file the name, the size,
    the whole header and 64 blocks of 64 KiB, evenly spread, count; a file of up to 4 MiB counts whole. So
    another model, a further trained one, another precision or a damaged header is another fingerprint; single
    weights that were changed between the sampled blocks are not noticed. Hub revisions, which pin every
    byte, do not need it.

    Raises
    ------
    GazeError
        When a file cannot be read.
    """
    total = hashlib.sha256()
    try:
        for path in _small_files(folder):
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").digest()
            _add(total, path.name.encode(), digest)
        for path in sorted(weights):
            _add(total, path.name.encode(), str(path.stat().st_size).encode(), _header(path), *_samples(path))
    except OSError as error:
        raise GazeError(
            f"The model's files cannot be read: {error.strerror or error}.", where=str(folder)
        ) from error
    return f"fingerprint-{total.hexdigest()}"


def _small_files(folder: Path) -> list[Path]:
    endings = (".json", ".txt", ".model", ".jinja", ".py", ".tiktoken")
    return sorted(path for path in folder.iterdir() if path.is_file() and path.name.endswith(endings))


def _add(total: hashlib._Hash, *parts: bytes) -> None:
    # The length before each part: no two lists of parts run together to the same bytes.
    for part in parts:
        total.update(len(part).to_bytes(8, "little") + part)


def _samples(path: Path) -> Iterator[bytes]:
    size = path.stat().st_size
    with path.open("rb") as file:
        if size <= _BLOCK * _BLOCKS:
            yield file.read()
            return
        for k in range(_BLOCKS):
            file.seek((size - _BLOCK) * k // (_BLOCKS - 1))
            yield file.read(_BLOCK)


def _header(path: Path) -> bytes:
    """Return the JSON header of a safetensors file: an 8-byte little-endian length comes before it."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = file.read(length) if 2 <= length <= _LARGEST_HEADER else b""
    if len(header) < 2 or len(header) < length:
        raise GazeError("This is no whole safetensors file.", where=str(path), todo=_DAMAGED)
    return header


def _entries(path: Path) -> list[tuple[str, str, tuple[int, ...], int]]:
    """Return (name, kind, shape, bytes) of each tensor in a file, checked against the file's size."""
    try:
        raw = _header(path)
        values = json.loads(raw)
        values.pop("__metadata__", None)
        found = [_entry(name, entry) for name, entry in values.items()]
        size = path.stat().st_size
    except OSError as error:
        raise GazeError(
            f"The file cannot be read: {error.strerror or error}.", where=str(path), todo=_DAMAGED
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise GazeError(
            "The header of the weight file is damaged.", where=str(path), todo=_DAMAGED
        ) from error
    expected = 8 + len(raw) + sum(length for *_, length in found)
    if expected != size:
        raise GazeError(
            f"The weight file has {size:,} bytes, but its header describes {expected:,}.",
            where=str(path),
            todo=_DAMAGED,
        )
    return found


def _entry(name: str, entry: dict[str, object]) -> tuple[str, str, tuple[int, ...], int]:
    kind, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not (isinstance(kind, str) and isinstance(shape, list) and isinstance(offsets, list)):
        raise TypeError("a tensor has a kind, a shape and two offsets")
    sizes = tuple(int(size) for size in shape)
    length = int(offsets[1]) - int(offsets[0])
    if kind in _BITS and length * 8 != math.prod(sizes) * _BITS[kind]:
        raise ValueError(f"the tensor {name} does not fill its place")
    return name, kind, sizes, length
