"""Studies that are built once and copied for each test that uses them."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path


def copy_study(built: Path, folder: Path) -> Path:
    """Copy a study, given by its project file, into a folder; return the project file there.

    The copy knows nothing of where it was built, or it would find missing pictures there.
    """
    shutil.copytree(built.parent, folder, dirs_exist_ok=True)
    path = folder / built.name
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "UPDATE images SET place = replace(place, ?, ?)", (str(built.parent), str(folder.resolve()))
        )
    return path
