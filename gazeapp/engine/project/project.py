"""The project file: opening, creating, transactions."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from gazeapp.engine.errors import GazeError
from gazeapp.engine.project.atlases import AtlasStore
from gazeapp.engine.project.attention import AttentionStore
from gazeapp.engine.project.database import Database
from gazeapp.engine.project.encodings import EncodingStore
from gazeapp.engine.project.findings import FindingStore
from gazeapp.engine.project.gaze import GazeStore
from gazeapp.engine.project.images import ImageStore
from gazeapp.engine.project.lesions import LesionStore
from gazeapp.engine.project.maps import MapStore
from gazeapp.engine.project.masks import MaskStore
from gazeapp.engine.project.objects import ObjectStore
from gazeapp.engine.project.problems import ProblemStore
from gazeapp.engine.project.responses import ResponseStore
from gazeapp.engine.project.runs import RunStore
from gazeapp.engine.project.schema import APPLICATION_ID, MIGRATIONS, SCHEMA_VERSION
from gazeapp.engine.project.scores import ScoreStore
from gazeapp.engine.project.settings import SettingsStore
from gazeapp.engine.project.tasks import TaskStore

SUFFIX = ".gaze"
_BUSY_TIMEOUT_MS = 20_000


def now() -> str:
    """Return the current time, UTC, ISO 8601 to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def explain(error: sqlite3.Error, path: Path) -> GazeError:
    """Turn an SQLite error into a sentence for the user."""
    text = str(error)
    if "full" in text:
        return GazeError(
            "The disk is full, so the last step was not stored; everything before it is.",
            where=str(path),
            todo="Free some space and run it again: it goes on where it stopped.",
        )
    if "readonly" in text or "unable to open" in text:
        return GazeError(
            "The project file cannot be written.",
            where=str(path),
            todo="Check the permissions of the file and its folder, or copy the project elsewhere.",
        )
    if "malformed" in text or "not a database" in text:
        return GazeError(
            "The project file is damaged and cannot be read to its end; nothing in it was changed.",
            where=str(path),
            todo="Put a backup of it in its place, or make the project anew from its images and recordings.",
        )
    if "no such column" in text or "no such table" in text:
        return GazeError(
            f"The project file is not laid out as this gazeapp expects ({text}).",
            where=str(path),
            todo="Open it with the gazeapp that made it, or make the project anew from its images and recordings.",
        )
    if isinstance(error, sqlite3.IntegrityError):
        return GazeError(
            f"Another program stored the same thing at the same moment ({text}).",
            where=str(path),
            todo="Run it again: what is there is skipped.",
        )
    if "locked" in text or "busy" in text:
        return GazeError(
            "Another program is writing to the project.",
            where=str(path),
            todo="Wait for it to finish or close it, then try again.",
        )
    if "disk I/O" in text:
        return GazeError(
            "The disk did not accept the data, so the last step was not stored.",
            where=str(path),
            todo="Check the disk and its free space, then run it again.",
        )
    return GazeError(
        f"The project file reports: {text}.", where=str(path), todo="Keep a copy of it and report this."
    )


class Project:
    """One project file, for use in one thread.

    Open another ``Project`` on the same path in each further thread: SQLite's write-ahead log lets
    them read while one writes.

    Parameters
    ----------
    path
        The ``.gaze`` file; it must exist (:meth:`create` makes one).

    Raises
    ------
    GazeError
        If the file is missing, is no project, or was written by a newer gazeapp.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path).resolve()
        self.read_only = False
        self.db = self._connect()
        self.settings = SettingsStore(self)
        self.images = ImageStore(self)
        self.tasks = TaskStore(self)
        self.gaze = GazeStore(self)
        self.runs = RunStore(self)
        self.maps = MapStore(self)
        self.attention = AttentionStore(self)
        self.masks = MaskStore(self)
        self.objects = ObjectStore(self)
        self.lesions = LesionStore(self)
        self.responses = ResponseStore(self)
        self.atlases = AtlasStore(self)
        self.encodings = EncodingStore(self)
        self.scores = ScoreStore(self)
        self.findings = FindingStore(self)
        self.problems = ProblemStore(self)

    @classmethod
    def open(cls, path: Path | str) -> Project:
        """Open an existing project; the same as ``Project(path)``."""
        return cls(path)

    @classmethod
    def create(cls, path: Path | str) -> Project:
        """Create an empty project file and open it.

        Raises
        ------
        GazeError
            If the file exists already or its folder cannot be written.
        """
        target = Path(path)
        if target.exists():
            raise GazeError(
                "There is a file of that name already.",
                where=str(target),
                todo="Choose another name, or open the existing project.",
            )
        partial = target.with_name(f"{target.name}.new{os.getpid()}")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            partial.unlink(missing_ok=True)
            conn = sqlite3.connect(partial)
            try:
                # WAL must be chosen outside a transaction; a half-made file never gets the final name.
                conn.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                _migrate(conn, 0)
                conn.execute("PRAGMA journal_mode = WAL")
            finally:
                conn.close()
            _give_name(partial, target)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise GazeError(
                f"The project cannot be created ({error.strerror or error}).",
                where=str(target),
                todo="Choose a folder that you may write to.",
            ) from error
        except sqlite3.Error as error:
            partial.unlink(missing_ok=True)
            raise explain(error, target) from error
        return cls(target)

    @property
    def folder(self) -> Path:
        """Folder of the project file; image paths are relative to it."""
        return self.path.parent

    @property
    def name(self) -> str:
        """File name without its suffix."""
        return self.path.stem

    @property
    def simulated(self) -> bool:
        """Whether any recording in the project is simulated."""
        return bool(self.db.execute("SELECT EXISTS (SELECT 1 FROM recordings WHERE simulated)").fetchone()[0])

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Group writes: all of them are stored at the end, or none when anything fails.

        Raises
        ------
        GazeError
            If the disk is full, the file cannot be written or is locked for too long.
        """
        if self.db.conn.in_transaction:
            yield
            return
        try:
            self.db.conn.execute("BEGIN IMMEDIATE")
            yield
            self.db.conn.execute("COMMIT")
        except sqlite3.Error as error:
            self._rollback()
            raise explain(error, self.path) from error
        except BaseException:
            self._rollback()
            raise

    def integrity_problems(self) -> list[str]:
        """Return what SQLite's own check finds wrong with the file; empty when it is sound."""
        found = [row[0] for row in self.db.execute("PRAGMA integrity_check")]
        broken = [
            f"row without its parent in {row[0]}" for row in self.db.execute("PRAGMA foreign_key_check")
        ]
        return [line for line in found if line != "ok"] + broken

    def close(self) -> None:
        """Close the connection of this thread."""
        self.db.close()

    def __enter__(self) -> Project:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        # A damaged file shows only when its pages are read, which any store may do.
        if isinstance(error, sqlite3.Error):
            raise explain(error, self.path) from error

    def _rollback(self) -> None:
        # A failed COMMIT or a full disk may have ended the transaction already.
        if self.db.conn.in_transaction:
            self.db.conn.execute("ROLLBACK")

    def _connect(self) -> Database:
        _check_is_there(self.path)
        uri = self.path.as_uri()
        if not (os.access(self.path, os.W_OK) and os.access(self.path.parent, os.W_OK)):
            self.read_only = True
            wal = self.path.with_name(self.path.name + "-wal")
            if wal.exists() and wal.stat().st_size:
                raise GazeError(
                    "The project was not closed properly and its folder cannot be written, so its last "
                    "steps cannot be read.",
                    where=str(self.path),
                    todo="Copy the whole folder to a place that you may write to, and open it there.",
                )
            uri += "?mode=ro&immutable=1"
        else:
            uri += "?mode=rw"
        try:
            conn = sqlite3.connect(uri, uri=True)
        except sqlite3.Error as error:
            raise explain(error, self.path) from error
        try:
            conn.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}")
            _check_is_project(conn, self.path)
            conn.execute("PRAGMA foreign_keys = ON")
            self._bring_up_to_date(conn)
        except sqlite3.Error as error:
            conn.close()
            raise explain(error, self.path) from error
        except GazeError:
            conn.close()
            raise
        return Database(conn)

    def _bring_up_to_date(self, conn: sqlite3.Connection) -> None:
        """Bring the tables to this version; the file stays as it was when that cannot be done."""
        version = int(conn.execute("PRAGMA user_version").fetchone()[0])
        if version > SCHEMA_VERSION:
            raise GazeError(
                f"The project was written by a newer gazeapp (format {version}; this one reads up to "
                f"{SCHEMA_VERSION}).",
                where=str(self.path),
                todo="Update gazeapp to open it; nothing was changed.",
            )
        if version < SCHEMA_VERSION and self.read_only:
            raise GazeError(
                "The project was made by an older gazeapp and has to be brought up to date once, but it cannot be "
                "written here.",
                where=str(self.path),
                todo="Copy the whole folder to a place that you may write to, and open it there.",
            )
        if version < SCHEMA_VERSION:
            try:
                _migrate(conn, version)
            except sqlite3.Error:
                conn.rollback()
                # Another program may have done it in between.
                if int(conn.execute("PRAGMA user_version").fetchone()[0]) != SCHEMA_VERSION:
                    raise


def _give_name(partial: Path, target: Path) -> None:
    """Give a finished file its name, never taking the place of one that came in between."""
    try:
        os.link(partial, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        partial.replace(target)
    else:
        partial.unlink()


def _migrate(conn: sqlite3.Connection, version: int) -> None:
    for step in range(version, SCHEMA_VERSION):
        conn.executescript(f"BEGIN; {MIGRATIONS[step]} PRAGMA user_version = {step + 1}; COMMIT;")


def _check_is_there(path: Path) -> None:
    if not path.is_file():
        raise GazeError(
            "There is no such project file.",
            where=str(path),
            todo="Check the name, or create it with `gazeapp new`.",
        )


def _check_is_project(conn: sqlite3.Connection, path: Path) -> None:
    """Check that a file is a project, by the number in its header.

    SQLite is asked, and the file is never opened in another way: on POSIX systems closing any handle of a file drops
    all locks that this program holds on it. Another program would then take itself for the last one that has the
    project open, and delete the log that this one goes on writing to.
    """
    try:
        found = int(conn.execute("PRAGMA application_id").fetchone()[0])
    except sqlite3.DatabaseError as error:
        if "not a database" not in str(error):
            raise
        found = 0
    if found != APPLICATION_ID:
        raise GazeError(
            "This file is no gazeapp project.",
            where=str(path),
            todo="Choose a .gaze file, or create one with `gazeapp new`.",
        )
