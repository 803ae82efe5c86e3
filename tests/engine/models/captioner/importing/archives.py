"""Files as ``torch.save`` writes them, around any pickle."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path

_MAGIC, _PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
_SYSTEM = {
    "protocol_version": _PROTOCOL,
    "little_endian": True,
    "type_sizes": {"short": 2, "int": 4, "long": 4},
}


def archive(path: Path, content: bytes, storages: dict[str, bytes] | None = None) -> Path:
    """Write the form of today."""
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("archive/data.pkl", content)
        file.writestr("archive/byteorder", "little")
        for key, numbers in (storages or {}).items():
            file.writestr(f"archive/data/{key}", numbers)
    return path


def old_file(path: Path, content: bytes, storages: dict[str, tuple[int, bytes]] | None = None) -> Path:
    """Write the form of before torch 1.6; storages are a number of items and their bytes."""
    parts = [pickle.dumps(value, protocol=2) for value in (_MAGIC, _PROTOCOL, _SYSTEM)]
    stored = storages or {}
    parts += [content, pickle.dumps(sorted(stored), protocol=2)]
    parts += [stored[key][0].to_bytes(8, "little") + stored[key][1] for key in sorted(stored)]
    path.write_bytes(b"".join(parts))
    return path
