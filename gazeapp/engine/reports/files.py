"""Names of files that are written."""

from __future__ import annotations

from itertools import chain, count

from gazeapp.engine.replacing import replacing

__all__ = ["free_name", "replacing"]


def free_name(name: str, taken: set[str]) -> str:
    """Return a file name, with a number behind it if need be, that is not in ``taken`` yet, and add it there.

    Names that differ in upper and lower case alone are the same file on some systems.
    """
    found = next(
        one for one in chain([name], (f"{name}__{n}" for n in count(2))) if one.casefold() not in taken
    )
    taken.add(found.casefold())
    return found
