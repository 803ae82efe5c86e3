"""Settings rows: what made a map, a score or a figure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from platform import python_version
from typing import Any

import gazeapp
from gazeapp.engine.errors import GazeError
from gazeapp.engine.project.rows import SettingsRow
from gazeapp.engine.project.store import Store
from gazeapp.engine.types import Json

_RECORDED_PACKAGES = ("numpy", "scipy", "torch", "timm", "transformers", "sqlite-utils", "pillow")


@cache
def versions() -> Json:
    """Return versions of gazeapp, Python and the libraries that numbers depend on."""
    found: Json = {"gazeapp": gazeapp.__version__, "python": python_version()}
    for package in _RECORDED_PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return value.as_posix()
    raise TypeError(f"{type(value).__name__} cannot be written into settings")


def as_values(settings: Any) -> Json:
    """Return ``settings`` (a dataclass or a mapping) as a JSON-able dictionary."""
    raw = asdict(settings) if is_dataclass(settings) and not isinstance(settings, type) else dict(settings)
    values: Json = json.loads(json.dumps(raw, default=_plain, allow_nan=False))
    return values


def settings_hash(verb: str, values: Mapping[str, Any]) -> str:
    """Return a short hash of ``verb`` and ``values`` that does not depend on their order."""
    text = json.dumps([verb, values], sort_keys=True, default=_plain, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class SettingsStore(Store):
    """Reads and writes the ``settings`` table."""

    def put(self, verb: str, settings: Any) -> int:
        """Store settings unless they are there, and return their id.

        Parameters
        ----------
        verb
            What they are for, such as ``extract``.
        settings
            A dataclass or mapping of JSON-able values.
        """
        values = as_values(settings)
        digest = settings_hash(verb, values)
        version_text = json.dumps(versions(), sort_keys=True)
        with self._project.transaction():
            row = self._db.execute(
                "SELECT id FROM settings WHERE hash = ? AND versions = ?", (digest, version_text)
            ).fetchone()
            if row:
                return int(row[0])
            cursor = self._db.execute(
                "INSERT INTO settings (verb, json, versions, hash, created) VALUES (?, ?, ?, ?, ?)",
                (
                    verb,
                    json.dumps(values, sort_keys=True),
                    version_text,
                    digest,
                    datetime.now(UTC).isoformat(timespec="seconds"),
                ),
            )
        return int(cursor.lastrowid or 0)

    def current(self, name: str) -> SettingsRow | None:
        """Return the settings that hold for the project under a name, or None while nobody set any."""
        row = self._db.execute("SELECT settings_id FROM current WHERE name = ?", (name,)).fetchone()
        return None if row is None else self.get(int(row[0]))

    def set_current(self, name: str, settings: Any) -> int:
        """Make settings the ones that hold for the project under ``name``, and return their id."""
        with self._project.transaction():
            settings_id = self.put(name, settings)
            self._db.execute(
                "INSERT OR REPLACE INTO current (name, settings_id) VALUES (?, ?)", (name, settings_id)
            )
        return settings_id

    def forget_current(self, name: str) -> None:
        """Let no settings hold for the project under a name; the settings themselves stay."""
        with self._project.transaction():
            self._db.execute("DELETE FROM current WHERE name = ?", (name,))

    def last(self, verb: str) -> SettingsRow | None:
        """Return the newest settings of a verb, or None when there are none."""
        row = self._db.execute("SELECT max(id) FROM settings WHERE verb = ?", (verb,)).fetchone()
        return None if row[0] is None else self.get(int(row[0]))

    def get(self, settings_id: int) -> SettingsRow:
        """Return one settings row.

        Raises
        ------
        GazeError
            If there is none with that id.
        """
        row = self._db.execute(
            "SELECT id, verb, json, versions, hash, created FROM settings WHERE id = ?", (settings_id,)
        ).fetchone()
        if row is None:
            raise GazeError(f"The project holds no settings with number {settings_id}.")
        return SettingsRow(row[0], row[1], json.loads(row[2]), json.loads(row[3]), row[4], row[5])

    def all(self) -> list[SettingsRow]:
        """Return all settings rows, oldest first."""
        rows = self._db.execute("SELECT id FROM settings ORDER BY id").fetchall()
        return [self.get(row[0]) for row in rows]
