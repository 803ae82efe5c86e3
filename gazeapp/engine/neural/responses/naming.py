"""What responses may be called."""

from __future__ import annotations

import unicodedata

from gazeapp.engine.errors import GazeError

LONGEST_NAME = 120
"""Letters; figures, tables and names of exported files show the name."""
_UNSEEN = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Unicode's categories of tabs, line breaks and other signs that steer, and of halves of signs."""
_EXAMPLE = "Name them, for example “fMRI, 8 subjects”."


def check_name(name: str) -> None:
    """Take a name that responses may have.

    Raises
    ------
    GazeError
        If it is empty, longer than `LONGEST_NAME`, or holds tabs, line breaks or the like.
    """
    if not name.strip():
        raise GazeError("The responses need a name.", todo=_EXAMPLE)
    if len(name) > LONGEST_NAME:
        raise GazeError(
            f"The name of the responses has {len(name):,} letters; {LONGEST_NAME} are the most.",
            todo="Give them a shorter name.",
        )
    if any(unicodedata.category(sign) in _UNSEEN for sign in name):
        raise GazeError(
            "The name of the responses holds a tab, a line break or another sign that cannot be seen.",
            todo="Write it in one line, with spaces alone.",
        )
