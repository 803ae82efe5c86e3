"""Tasks: what people and models were asked to do."""

from __future__ import annotations

from gazeapp.engine.errors import GazeError
from gazeapp.engine.project.store import Store


class TaskStore(Store):
    """Reads and writes the ``tasks`` table."""

    def all(self) -> list[str]:
        """Return the task names in the order in which they were added."""
        return [row[0] for row in self._db.execute("SELECT name FROM tasks ORDER BY id")]

    def add(self, name: str) -> int:
        """Add a task unless it is there, and return its id.

        Raises
        ------
        GazeError
            If the name is empty.
        """
        clean = name.strip()
        if not clean:
            raise GazeError("A task needs a name.", todo="Use a short word such as 'general'.")
        with self._project.transaction():
            self._db.execute("INSERT OR IGNORE INTO tasks (name) VALUES (?)", (clean,))
            return self.id_of(clean)

    def resolve(self, name: str) -> str:
        """Return the task of the project that ``name`` means, or the name without outer space if none does.

        Case and outer space do not matter, so that a slip of the hand does not make a second task.
        """
        clean = name.strip()
        known = self.all()
        if clean in known:
            return clean
        return next((task for task in known if task.casefold() == clean.casefold()), clean)

    def id_of(self, name: str) -> int:
        """Return the id of a task.

        Raises
        ------
        GazeError
            If the project has no such task.
        """
        row = self._db.execute("SELECT id FROM tasks WHERE name = ?", (name,)).fetchone()
        if row is None:
            known = ", ".join(self.all()) or "none yet"
            raise GazeError(f"The project has no task '{name}'.", todo=f"Its tasks are: {known}.")
        return int(row[0])
