"""Files that ``torch.save`` wrote, in the form of today (a ZIP archive) and that of before torch 1.6."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.importing.allowed import Storage, Stored
from gazeapp.engine.models.captioner.importing.unpickle import read_pickle

_MAGIC = 0x1950A86A20F9469CFC6C
"""What a file of before torch 1.6 begins with."""

_LARGEST_PICKLE = 500_000_000
_MOST_ENTRIES = 100_000
_AGAIN = "Get the file again."
_OF_DAMAGE = (zipfile.BadZipFile, RuntimeError, ValueError, LookupError, EOFError, struct.error)
"""What Python's readers of archives and torch raise when bytes are not what they should be."""


@dataclass(frozen=True, slots=True)
class TorchFile:
    """What a file holds, and its numbers.

    Parameters
    ----------
    content
        Plain data, see `unpickle.read_pickle`.
    path
        The file.
    numbers
        Returns the bytes of a storage.
    """

    content: Any
    path: Path
    numbers: Callable[[Storage], bytes]

    def tensor(self, stored: Stored) -> Tensor:
        """Return a tensor of the file, with memory of its own."""
        storage = stored.storage
        dtype = getattr(torch, storage.dtype)
        with _damage_told(self.path):
            if storage.count == 0 or 0 in stored.size:
                return torch.empty(stored.size, dtype=dtype)
            flat = torch.frombuffer(bytearray(self.numbers(storage)), dtype=dtype)
            return flat.as_strided(stored.size, stored.stride, stored.offset).clone()


def read_torch_file(path: Path) -> TorchFile:
    """Read a file that ``torch.save`` wrote, without running anything that it may hold.

    Raises
    ------
    GazeError
        When there is none, it is damaged, is no such file, or asks for more than tensors and attributes of modules.
    """
    with _damage_told(path):
        with path.open("rb") as file:
            zipped = file.read(4) == b"PK\x03\x04"
        return _read_archive(path) if zipped else _read_old(path)


@contextmanager
def _damage_told(path: Path) -> Iterator[None]:
    """Turn what a damaged file makes of Python's own readers into a sentence."""
    try:
        yield
    except (
        zipfile.BadZipFile,
        NotImplementedError,
        RuntimeError,
        ValueError,
        LookupError,
        EOFError,
        struct.error,
    ) as error:
        raise GazeError("The checkpoint is damaged.", where=str(path), todo=_AGAIN) from error
    except OSError as error:
        raise GazeError(
            f"The checkpoint cannot be read: {error.strerror or error}.",
            where=str(path),
            todo="Check the path.",
        ) from error


def _read_archive(path: Path) -> TorchFile:
    where = str(path)
    with zipfile.ZipFile(path) as archive:
        entries = {entry.filename: entry for entry in archive.infolist()}
        # Torch stores what it writes as it is; anything packed, or counted twice, would be larger than the file.
        packed = any(e.compress_type != zipfile.ZIP_STORED or e.flag_bits & 1 for e in entries.values())
        total = sum(entry.file_size for entry in entries.values())
        if packed or len(entries) > _MOST_ENTRIES or total > path.stat().st_size:
            raise GazeError(
                "The checkpoint is packed in a way that torch does not write, so it is not opened.",
                where=where,
                todo=_AGAIN,
            )
        pickles = [name for name in entries if name.endswith("/data.pkl") and name.count("/") == 1]
        if len(pickles) != 1 or entries[pickles[0]].file_size > _LARGEST_PICKLE:
            raise GazeError(
                "This is no file that torch.save wrote.", where=where, todo="Choose the checkpoint."
            )
        root = pickles[0].removesuffix("data.pkl")
        if f"{root}byteorder" in entries and archive.read(f"{root}byteorder") != b"little":
            raise _wrong_order(where)
        content = read_pickle(io.BytesIO(archive.read(pickles[0])), where)

    def numbers(storage: Storage) -> bytes:
        entry = entries.get(f"{root}data/{storage.key}")
        if entry is None or entry.file_size < storage.count * storage.item:
            raise GazeError("The checkpoint lacks numbers of a tensor.", where=where, todo=_AGAIN)
        with zipfile.ZipFile(path) as archive:
            return archive.read(entry)[: storage.count * storage.item]

    return TorchFile(content, path, numbers)


def _read_old(path: Path) -> TorchFile:
    where = str(path)
    with path.open("rb") as file:
        _check_old(file, where)
        content = read_pickle(file, where)
        keys = read_pickle(file, where)
        if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
            raise GazeError("The checkpoint is damaged.", where=where, todo=_AGAIN)
        begin = file.tell()
    kinds = {storage.key: storage for storage in _storages(content)}
    places = _places(path, begin, keys, kinds)

    def numbers(storage: Storage) -> bytes:
        if storage.key not in places or places[storage.key][1] < storage.count * storage.item:
            raise GazeError("The checkpoint lacks numbers of a tensor.", where=where, todo=_AGAIN)
        with path.open("rb") as file:
            file.seek(places[storage.key][0])
            return file.read(storage.count * storage.item)

    return TorchFile(content, path, numbers)


def _check_old(file: BinaryIO, where: str) -> None:
    """Check what a file of before torch 1.6 begins with."""
    first = file.read(2)
    file.seek(0)
    if first != b"\x80\x02" or read_pickle(file, where) != _MAGIC:
        raise GazeError("This is no file that torch.save wrote.", where=where, todo="Choose the checkpoint.")
    read_pickle(file, where)
    system = read_pickle(file, where)
    if not isinstance(system, dict) or system.get("little_endian") is not True:
        raise _wrong_order(where)


def _places(path: Path, begin: int, keys: list[str], kinds: dict[str, Storage]) -> dict[str, tuple[int, int]]:
    """Return where the numbers of each storage begin in the file, and how many bytes they are."""
    places: dict[str, tuple[int, int]] = {}
    size = path.stat().st_size
    with path.open("rb") as file:
        for key in keys:
            file.seek(begin)
            count = int.from_bytes(file.read(8), "little", signed=True)
            length = count * kinds[key].item if key in kinds else -1
            if length < 0 or begin + 8 + length > size:
                raise GazeError("The checkpoint is damaged.", where=str(path), todo=_AGAIN)
            places[key] = (begin + 8, length)
            begin += 8 + length
    return places


def _storages(content: Any) -> list[Storage]:
    """Return every storage that plain data refer to."""
    found: list[Storage] = []
    seen: set[int] = set()
    waiting = [content]
    while waiting:
        value = waiting.pop()
        if isinstance(value, Stored):
            found.append(value.storage)
        elif isinstance(value, Storage):
            found.append(value)
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, list | tuple):
            waiting.extend(value)
        elif hasattr(value, "attributes"):
            waiting.append(value.attributes)
    return found


def _wrong_order(where: str) -> GazeError:
    return GazeError(
        "The checkpoint was written on a machine with another order of bytes.",
        where=where,
        todo="Save it again on an ordinary computer.",
    )
