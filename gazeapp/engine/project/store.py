"""What the project's stores share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gazeapp.engine.project.database import Database

if TYPE_CHECKING:
    from gazeapp.engine.project.project import Project


class Store:
    """A group of tables of one project; lives and dies with it."""

    def __init__(self, project: Project) -> None:
        self._project = project

    @property
    def _db(self) -> Database:
        return self._project.db
