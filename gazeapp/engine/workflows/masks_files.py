"""What masks are called in the names of files and folders."""

from __future__ import annotations

import re

# What some system allows in no name; what begins or ends with a dot; what would be taken for a coded character.
_ODD = re.compile(r'[<>:"/\\|?*]|^\.|\.$|%(?=[0-9A-F]{2})')
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)
_CODED = re.compile(r"%([0-9A-F]{2})")


def file_name(name: str) -> str:
    """Return a mask's name as files and folders may be called on any system; `mask_name` gives it back.

    Characters that a system does not take become ``%`` and their number, as in addresses of web pages.
    """
    safe = _ODD.sub(_code, name)
    return re.sub("^.", _code, safe) if _DEVICE.fullmatch(safe) else safe


def mask_name(name: str) -> str:
    """Return what a mask is called whose file or folder has this name."""
    return _CODED.sub(lambda coded: chr(int(coded[1], 16)), name)


def _code(odd: re.Match[str]) -> str:
    return f"%{ord(odd[0]):02X}"
