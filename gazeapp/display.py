"""Whether a window can be opened here, asked before Qt is: Qt ends the program when it cannot."""

from __future__ import annotations

import os
import re
import socket
import sys
from pathlib import Path

_PATIENCE_S = 2.0
_FIRST_X_PORT = 6000


def has_display() -> bool:
    """Return whether a window can be opened: a platform is chosen, or a display answers."""
    if os.environ.get("QT_QPA_PLATFORM"):
        return True
    if not sys.platform.startswith("linux"):
        return True
    return _wayland_answers() or _x_answers(os.environ.get("DISPLAY", ""))


def _wayland_answers() -> bool:
    name = os.environ.get("WAYLAND_DISPLAY", "")
    folder = os.environ.get("XDG_RUNTIME_DIR", "")
    return bool(name) and Path(folder, name).exists()


def _x_answers(display: str) -> bool:
    """Return whether something listens on an X display such as ``:0`` or ``localhost:10.0``."""
    match = re.fullmatch(r"(?:(?P<host>[^:]*)|unix):(?P<number>\d+)(?:\.\d+)?", display)
    if match is None:
        return False
    number = int(match["number"])
    if not match["host"]:
        # Local servers listen on a file, on Linux also on a name without one.
        path = f"/tmp/.X11-unix/X{number}"
        return any(_connects(socket.AF_UNIX, name) for name in (path, f"\0{path}"))
    return _connects(socket.AF_INET, (match["host"], _FIRST_X_PORT + number))


def _connects(family: int, address: str | tuple[str, int]) -> bool:
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.settimeout(_PATIENCE_S)
        try:
            probe.connect(address)
        except OSError:
            return False
    return True
