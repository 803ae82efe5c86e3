"""Regions of the cortex that the user brought or made."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import numpy as np

from gazeapp.engine.errors import GazeError
from gazeapp.engine.neural.records import Atlas, Region
from gazeapp.engine.project.rows import AtlasRow
from gazeapp.engine.project.store import Store

_STORED = np.dtype("<i4")


class AtlasStore(Store):
    """Reads and writes the ``atlases`` and ``regions`` tables."""

    def all(self) -> list[AtlasRow]:
        """Return the atlases of the project, in the order in which they came."""
        rows = self._db.execute(
            "SELECT a.name, (SELECT count(*) FROM regions r WHERE r.atlas_id = a.id), a.source, a.limits, a.groups "
            "FROM atlases a ORDER BY a.id"
        )
        return [AtlasRow(row[0], row[1], row[2], row[3], _groups(row[4])) for row in rows]

    def get(self, name: str) -> Atlas:
        """Return an atlas with its regions.

        Raises
        ------
        GazeError
            If the project has none of that name.
        """
        row = self._db.execute(
            "SELECT id, source, limits, groups FROM atlases WHERE name = ?", (name,)
        ).fetchone()
        if row is None:
            raise _no_atlas(name)
        regions = tuple(
            Region(region, hemisphere, np.frombuffer(data, _STORED).astype(np.int64))
            for region, hemisphere, data in self._db.execute(
                "SELECT name, hemisphere, data FROM regions WHERE atlas_id = ? ORDER BY position", (row[0],)
            )
        )
        return Atlas(name, regions, row[1], row[2], _groups(row[3]))

    def put(self, atlas: Atlas) -> None:
        """Store an atlas, in place of the one of the same name.

        Raises
        ------
        GazeError
            If it has no name.
        """
        if not atlas.name.strip():
            raise GazeError("The atlas needs a name.", todo="Name it, for example “HCP-MMP”.")
        with self._project.transaction():
            self._db.execute("DELETE FROM atlases WHERE name = ?", (atlas.name,))
            cursor = self._db.execute(
                "INSERT INTO atlases (name, source, limits, groups, created) VALUES (?, ?, ?, ?, ?)",
                (
                    *(atlas.name, atlas.source, atlas.limits, _json(atlas.groups)),
                    datetime.now(UTC).isoformat(timespec="seconds"),
                ),
            )
            self._db.conn.executemany(
                "INSERT INTO regions (atlas_id, position, name, hemisphere, data) VALUES (?, ?, ?, ?, ?)",
                [
                    (
                        *(cursor.lastrowid, k, region.name, region.hemisphere),
                        np.ascontiguousarray(region.vertices, dtype=_STORED).tobytes(),
                    )
                    for k, region in enumerate(atlas.regions)
                ],
            )

    def set_groups(self, name: str, groups: Mapping[str, Sequence[str]]) -> None:
        """Store which regions of an atlas belong together.

        Raises
        ------
        GazeError
            If the project has no atlas of that name.
        """
        with self._project.transaction():
            changed = self._db.execute("UPDATE atlases SET groups = ? WHERE name = ?", (_json(groups), name))
            if not changed.rowcount:
                raise _no_atlas(name)

    def remove(self, name: str) -> None:
        """Take an atlas out of the project.

        Raises
        ------
        GazeError
            If the project has none of that name.
        """
        with self._project.transaction():
            if not self._db.execute("DELETE FROM atlases WHERE name = ?", (name,)).rowcount:
                raise _no_atlas(name)


def _json(groups: Mapping[str, Sequence[str]]) -> str:
    return json.dumps({group: list(members) for group, members in groups.items()}, ensure_ascii=False)


def _groups(text: str) -> dict[str, tuple[str, ...]]:
    return {group: tuple(members) for group, members in json.loads(text).items()}


def _no_atlas(name: str) -> GazeError:
    return GazeError(f"The project holds no atlas called “{name}”.", todo="Choose one that is listed.")
