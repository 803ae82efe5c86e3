"""Problems: items that could not be used, and why."""

from __future__ import annotations

from datetime import UTC, datetime

from gazeapp.engine.project.rows import ProblemRow
from gazeapp.engine.project.store import Store


class ProblemStore(Store):
    """Reads and writes the ``problems`` table."""

    def add(self, verb: str, where: str, what: str, todo: str = "", unit: str = "") -> ProblemRow:
        """Store a problem; the same one twice is kept once, with the newer time.

        Parameters
        ----------
        verb
            The verb that met it.
        where, what, todo
            The place, what is wrong there, and what to do about it.
        unit
            The unit of work that it belongs to, forgotten when that unit succeeds; ``where`` if empty.
        """
        created = datetime.now(UTC).isoformat(timespec="seconds")
        key = (verb, unit or where, what)
        with self._project.transaction():
            self._db.execute(
                "INSERT INTO problems (verb, unit, what, place, todo, created) VALUES (?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (verb, unit, what) DO UPDATE SET place = excluded.place, todo = excluded.todo, "
                "created = excluded.created",
                (*key, where, todo, created),
            )
            row = self._db.execute(
                "SELECT id, verb, place, what, todo, created FROM problems "
                "WHERE verb = ? AND unit = ? AND what = ?",
                key,
            ).fetchone()
        return ProblemRow(*row)

    def all(self) -> list[ProblemRow]:
        """Return all problems, oldest first."""
        rows = self._db.execute("SELECT id, verb, place, what, todo, created FROM problems ORDER BY id")
        return [ProblemRow(*row) for row in rows]

    def clear(self, verb: str | None = None, unit: str | None = None) -> None:
        """Forget problems: all, those of one verb, or those of one unit of a verb."""
        found = self._db.execute(
            "SELECT id FROM problems WHERE (:verb IS NULL OR verb = :verb) AND (:unit IS NULL OR unit = :unit)",
            {"verb": verb, "unit": unit},
        ).fetchall()
        if found:
            with self._project.transaction():
                self._db.conn.executemany("DELETE FROM problems WHERE id = ?", found)
