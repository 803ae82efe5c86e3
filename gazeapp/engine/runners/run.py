"""Asking a script for anything else: values and files in, values and files out."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gazeapp.engine.errors import GazeError
from gazeapp.engine.runners.process import Answer, RunnerProcess, never, silent
from gazeapp.engine.runners.protocol import RunnerProgress
from gazeapp.engine.runners.script import RUN
from gazeapp.engine.types import Json

MAX_FILE_BYTES = 20_000_000_000
"""Largest file that is taken from a script, bytes."""


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a script gave back.

    Parameters
    ----------
    values
        What it said, JSON-able; for the caller to check.
    files
        The files that it made, where they lie now; for the caller to read without trusting them
        (`gazeapp.engine.runners.arrays`).
    """

    values: Json
    files: tuple[Path, ...]


def run(
    process: RunnerProcess,
    values: Json,
    into: Path,
    *,
    progress: RunnerProgress = silent,
    should_stop: Callable[[], bool] = never,
) -> RunResult:
    """Have a script work on values and make files.

    Parameters
    ----------
    process
        The script.
    values
        What it is asked, JSON-able; files are named by absolute paths.
    into
        Folder that the files which it makes are moved to.
    progress, should_stop
        As for `RunnerProcess.request`.

    Raises
    ------
    GazeError
        As `RunnerProcess.request`, and if a file that it names cannot be taken; then none is moved.
    StoppedError
        If ``should_stop`` said so.
    """
    with process.request(RUN, lambda _: values, progress, should_stop) as answer:
        found = _files(process, answer)
        return RunResult(_values(answer), tuple(_moved(path, into) for path in found))


def _values(answer: Answer) -> Json:
    values = answer.values.get("values", {})
    return values if isinstance(values, dict) else {}


def _files(process: RunnerProcess, answer: Answer) -> list[Path]:
    names = answer.values.get("files", [])
    whole = isinstance(names, list) and all(isinstance(name, str) for name in names)
    paths = [answer.folder / name for name in names] if whole else []
    wrong = [path for path in paths if not _is_own_file(path, answer.folder)]
    if wrong or not whole:
        which = f"The file '{wrong[0].name}'" if wrong else "Its list of files"
        raise GazeError(
            f"“{process.script.name}” gave an answer that cannot be used. {which} is missing, lies elsewhere or is "
            "too large.",
            where=str(process.script.path),
            todo="Its author can compare it with the guide to runners (docs/runners.md).",
        )
    return paths


def _is_own_file(path: Path, folder: Path) -> bool:
    """Return whether a path is a plain file directly in the request's folder, of a size that is taken."""
    if path.parent != folder or path.is_symlink() or not path.is_file():
        return False
    return path.stat().st_size <= MAX_FILE_BYTES


def _moved(path: Path, into: Path) -> Path:
    try:
        into.mkdir(parents=True, exist_ok=True)
        return Path(shutil.move(path, into / path.name))
    except OSError as error:
        raise GazeError(
            f"A file from a runner cannot be stored: {error.strerror or error}.",
            where=str(into / path.name),
            todo="Check that the folder may be written and the disk is not full.",
        ) from error
