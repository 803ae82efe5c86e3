"""Whether something fits into memory, asked before it is read."""

from __future__ import annotations

import psutil

from gazeapp.engine.errors import GazeError

_SHARE = 0.85


def check_memory(n_bytes: int, where: str) -> None:
    """Refuse what is larger than the memory that is free.

    Raises
    ------
    GazeError
        If it is.
    """
    free = psutil.virtual_memory().available
    if n_bytes > _SHARE * free:
        raise GazeError(
            f"The responses need {n_bytes / 1e9:.1f} GB of memory, and {free / 1e9:.1f} GB are free.",
            where=where,
            todo="Close other programs; or import one subject at a time (--subject), or a table of regions.",
        )
