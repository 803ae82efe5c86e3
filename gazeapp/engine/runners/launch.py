"""Starting a script in an environment of its own, and ending it with everything that it started."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from gazeapp.engine.errors import GazeError
from gazeapp.engine.resources import resource_path
from gazeapp.engine.runners.script import HELPER_NAME, RunnerScript

_NOT_PASSED_ON = (
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONSTARTUP",
    "PYTHONSAFEPATH",  # it would hide the helper that lies beside the script
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
    "__PYVENV_LAUNCHER__",
)
"""Variables that would mix gazeapp's Python with the script's."""

_GRACE = 3.0
"""Seconds that a program has to end by itself before it is killed."""


def find_uv() -> str:
    """Return the path of uv, the program that sets environments up: the installed package's, else the one on PATH.

    Raises
    ------
    GazeError
        When there is none.
    """
    try:
        import uv

        return str(uv.find_uv_bin())
    except (ImportError, FileNotFoundError):
        found = shutil.which("uv")
    if found is None:
        raise GazeError(
            "Models whose code needs libraries of its own are set up by uv, which is not installed here.",
            todo="Install it with `pip install uv`, or put it on the PATH, and try again.",
        )
    return found


def clean_environment(outer: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a script: the user's, without what belongs to gazeapp's own Python."""
    inner = {name: value for name, value in outer.items() if name not in _NOT_PASSED_ON}
    if getattr(sys, "frozen", False):
        # A frozen gazeapp points programs at its own libraries; the user's own setting is kept under this name.
        inner.pop("LD_LIBRARY_PATH", None)
        if "LD_LIBRARY_PATH_ORIG" in outer:
            inner["LD_LIBRARY_PATH"] = outer["LD_LIBRARY_PATH_ORIG"]
    return {**inner, "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1", "NO_COLOR": "1"}


def place_script(script: RunnerScript, root: Path | None = None) -> Path:
    """Write the text that the user agreed to, and the helper, where they are run; return the script's file.

    The place depends on the text alone, so that the environment is made once for each version of a script; other
    files beside the original are out of its reach, so that nothing unseen is imported.

    Parameters
    ----------
    script
        The script.
    root
        Folder of all such copies; one in the user's cache when None.

    Raises
    ------
    GazeError
        If it cannot be written.
    """
    folder = (_default_root() if root is None else root) / script.sha256[:16]
    # The hyphen keeps a script called like a library from being imported in its place.
    path = folder / f"runner-{script.path.name}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(path, script.text.encode("utf-8"))
        _write(folder / HELPER_NAME, resource_path("runners", HELPER_NAME).read_bytes())
    except OSError as error:
        raise GazeError(
            f"The script cannot be made ready: {error.strerror or error}.",
            where=str(folder),
            todo="Check that the folder may be written and the disk is not full.",
        ) from error
    return path


def _default_root() -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("gazeapp", appauthor=False) / "runners"


def _write(path: Path, content: bytes) -> None:
    if path.is_file() and path.read_bytes() == content:
        return
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    partial.write_bytes(content)
    partial.replace(path)


def start(script: Path, folder: Path) -> subprocess.Popen[bytes]:
    """Start a script with uv in a process group of its own.

    Parameters
    ----------
    script
        The file to run.
    folder
        Exchange folder: the script's argument and working folder.

    Raises
    ------
    GazeError
        If there is no uv or it cannot be started.
    """
    command = [find_uv(), "run", "--no-progress", "--script", str(script), str(folder)]
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            env=clean_environment(os.environ),
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except OSError as error:
        raise GazeError(
            f"uv cannot be started: {error.strerror or error}.",
            where=command[0],
            todo="Install it anew with `pip install --force-reinstall uv`.",
        ) from error


def end(process: subprocess.Popen[bytes], folder: Path) -> None:
    """End a script and everything that it started, and remove its exchange folder.

    Parameters
    ----------
    process
        What `start` returned.
    folder
        Its exchange folder.
    """
    with suppress(OSError):
        if process.stdin is not None:
            process.stdin.close()
    if process.poll() is None:
        _signal(process, gently=True)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE)
    # Also when the first process is gone: what it started may not be.
    _signal(process, gently=False)
    process.wait()
    shutil.rmtree(folder, ignore_errors=True)


def _signal(process: subprocess.Popen[bytes], *, gently: bool) -> None:
    if sys.platform == "win32":
        force = [] if gently else ["/F"]
        subprocess.run(["taskkill", "/T", *force, "/PID", str(process.pid)], check=False, capture_output=True)
    else:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGTERM if gently else signal.SIGKILL)
