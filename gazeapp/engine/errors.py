"""The error that is meant for the user's eyes, and the sign that the user wants to stop."""

from __future__ import annotations


class GazeError(Exception):
    """Something went wrong that the user can understand and mend.

    Parameters
    ----------
    what
        What is wrong, as a sentence.
    where
        The file, image or setting it concerns; empty when that is plain from ``what``.
    todo
        What the user can do about it.
    """

    def __init__(self, what: str, *, where: str = "", todo: str = "") -> None:
        self.what = what
        self.where = where
        self.todo = todo
        super().__init__(" ".join(part for part in (f"{where}:" if where else "", what, todo) if part))


class NothingSaidError(GazeError):
    """A model said nothing of an image, so that there is no map."""

    WHAT = "The model said nothing, so there is no map."

    def __init__(self, *, todo: str = "") -> None:
        super().__init__(self.WHAT, todo=todo)


class StoppedError(Exception):
    """The user cancelled in the middle of a unit; nothing of the unit is stored."""
