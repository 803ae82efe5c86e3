"""What masks are called in the names of files and folders."""

from __future__ import annotations

import hashlib
import re

_LONGEST = 199
"""Bytes of a name: file systems take 255, a file that is being written has a longer name than it will have."""
# What some system allows in no name; what begins or ends with a dot; what would be taken for a coded character.
_ODD = re.compile(r'[<>:"/\\|?*]|^\.|\.$|%(?=[0-9A-F]{2})')
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)
_CODED = re.compile(r"%([0-9A-F]{2})")


def file_name(name: str) -> str:
    """Return a mask's name as files and folders may be called on any system; `mask_name` gives it back.

    Characters that a system does not take become ``%`` and their number, as in addresses of web pages. Of names that
    are too long for a file the beginning stays, and a code that tells them apart: these are not given back.
    """
    safe = _ODD.sub(_code, name)
    safe = re.sub("^.", _code, safe) if _DEVICE.fullmatch(safe) else safe
    if len(safe.encode()) <= _LONGEST:
        return safe
    code = f"~{hashlib.sha256(name.encode()).hexdigest()[:12]}"
    return safe.encode()[: _LONGEST - len(code)].decode(errors="ignore") + code


def mask_name(name: str) -> str:
    """Return what a mask is called whose file or folder has this name."""
    return _CODED.sub(lambda coded: chr(int(coded[1], 16)), name)


def _code(odd: re.Match[str]) -> str:
    return f"%{ord(odd[0]):02X}"
