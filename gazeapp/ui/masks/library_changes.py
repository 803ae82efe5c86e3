"""Changes of the library of masks: names that are new, names that change, names that go."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gazeapp.engine.errors import GazeError
from gazeapp.ui.masks.drawn import DrawnMasks
from gazeapp.ui.masks.keeper import Change

if TYPE_CHECKING:
    from gazeapp.engine.project import Project
    from gazeapp.ui.masks.session import MaskSession


class LibraryChanges:
    """Changes the names of masks in the project, and of those that were drawn but are not stored yet.

    Parameters
    ----------
    session
        The mask in hand, and the library as it was read last.
    drawn
        What was drawn since the project was opened.
    """

    def __init__(self, session: MaskSession, drawn: DrawnMasks) -> None:
        self._session = session
        self._drawn = drawn
        self._path: Path | None = None
        self._read_only = ""

    def open(self, path: Path, read_only: str) -> None:
        """Change the library of this project; ``read_only`` says why nothing can be stored in it."""
        self._path, self._read_only = path, read_only

    def close(self) -> None:
        """Change nothing any more."""
        self._path = None

    def are_possible(self) -> bool:
        """Return whether the library can be changed; say why not."""
        if self._read_only:
            self._session.failed.emit(
                GazeError(
                    f"The masks of this project cannot be changed: {self._read_only}.",
                    todo="What is drawn on the mask in hand stays until the project is closed.",
                )
            )
        return not self._read_only

    def unused_name(self, stem: str) -> str:
        """Return ``stem`` with the next number that no mask has."""
        taken = {*self._taken, self._session.name}
        stem = stem.rstrip("0123456789 ") or stem
        number = 1
        while f"{stem} {number}" in taken:
            number += 1
        return f"{stem} {number}"

    def allowed_name(self, new: str) -> str | None:
        """Return the name that the mask in hand gets when it is called so; None, and say why, if it cannot be."""
        from gazeapp.engine.workflows.masks import free_name

        old = self._session.name
        try:
            new = free_name(new)
            if new != old and new in self._taken:
                raise GazeError(f"There is a mask '{new}' already.", todo="Choose another name.")
        except GazeError as error:
            self._session.failed.emit(error)
            return None
        return new if new == old or self.are_possible() else None

    def add(self, name: str) -> None:
        """Have a mask in the library that no image has yet."""
        self._make(name, lambda project: project.masks.add(name))

    def rename(self, old: str, new: str) -> None:
        """Give a mask another name, on all images."""
        self._drawn.rename(old, new)

        def change(project: Project) -> None:
            if old in (mask.name for mask in project.masks.library()):
                project.masks.rename(old, new)
            else:
                project.masks.add(new)

        self._make(new, change)

    def remove(self, name: str) -> None:
        """Remove a mask from all images and from the library."""
        self._drawn.remove(name)
        self._make(name, lambda project: project.masks.remove(name))

    @property
    def _taken(self) -> set[str]:
        return {*self._session.library.names, *self._drawn.names}

    def _make(self, name: str, change: Change) -> None:
        if self._path is not None:
            self._session.keeper.change(self._path, f"mask {name}", change)
