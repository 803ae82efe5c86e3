"""One training at a time in a folder: who works there says so in a file, which is gone when the work ends.

The file is made in one go or not at all, on every system and on network disks, and names process, computer and start.
A process that was killed leaves it behind; on the same computer that is seen, and the next one takes the folder over.
"""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from gazeapp.engine.errors import GazeError
from gazeapp.engine.models.captioner.training.records import NOTES, SETTINGS, STATUS, STOP, Records
from gazeapp.engine.models.captioner.training.settings import PLACES_ONLY, TrainSettings
from gazeapp.engine.types import Json

LOCK = "lock"

_CLOCKS_DIFFER_S = 5.0
_BEING_WRITTEN_S = 10.0
_TRIES = 20


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that trains in a folder: its number, its computer, and when it started, s since 1970."""

    pid: int
    host: str
    started: float

    @property
    def is_here(self) -> bool:
        """Whether its computer is this one."""
        return self.host == platform.node()

    @property
    def is_alive(self) -> bool:
        """Whether it runs, which is known of processes on this computer only; numbers are used again."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < _CLOCKS_DIFFER_S
            return self.is_here and same and process.status() != psutil.STATUS_ZOMBIE
        except (psutil.Error, ValueError, OverflowError):
            return False


def holder_of(folder: Path) -> Holder | None:
    """Return who says that it trains in a captioner's folder, dead or alive; None for nobody."""
    return _read(folder / NOTES / LOCK)[0]


def forget_other_computers(folder: Path) -> None:
    """Take away what a process of another computer left, once somebody has said that it has ended."""
    holder = holder_of(folder)
    if holder is not None and not holder.is_here:
        with suppress(OSError):
            (folder / NOTES / LOCK).unlink()


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Keep other trainings out of a captioner's folder; a request to stop from before this process goes.

    Raises
    ------
    GazeError
        When a training works there, may work there on another computer, or the folder cannot be written.
    """
    path, is_new = folder / NOTES / LOCK, not folder.exists()
    ours = Holder(os.getpid(), platform.node(), psutil.Process().create_time())
    _take(path, ours)
    try:
        _forget_old_stop(folder, ours)
        yield
    finally:
        with suppress(OSError):
            if _read(path)[0] == ours:
                path.unlink()
                path.parent.rmdir()  # nothing of what never began stays; a folder with something in it does
                if is_new:
                    folder.rmdir()


@contextmanager
def telling_failure(settings: TrainSettings) -> Iterator[None]:
    """Say in a captioner's folder why a training failed, also where it failed before its first step.

    What stopped, finished or told its failure itself is left as it is, and so is a training with other settings.
    """
    folder, began = Path(settings.out), time.time()
    try:
        yield
    except (GazeError, MemoryError, OSError, RuntimeError) as error:
        what = error.what if isinstance(error, GazeError) else f"{type(error).__name__}: {error}"
        told = _entries(folder / NOTES / STATUS)
        updated, step = told.get("updated"), told.get("step")
        spoke = isinstance(updated, float) and updated >= began and told.get("state") != "running"
        if not spoke and told.get("state") != "finished" and not _holds_another(folder, settings):
            with suppress(GazeError):  # on a full disk it cannot be written either
                Records(folder, settings.steps).status("failed", step if isinstance(step, int) else 0, what)
        raise


def _take(path: Path, ours: Holder) -> None:
    for _ in range(_TRIES):
        if _create(path, ours):
            return
        holder, said = _read(path)
        if holder is None:
            # Somebody is about to write it, or was killed before that.
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > _BEING_WRITTEN_S:
                    _take_away(path, said)
            time.sleep(0.05)
        elif not holder.is_here:
            raise GazeError(
                f"A training on the computer {holder.host} works in this folder, or was killed there "
                f"(process {holder.pid}).",
                where=str(path.parent.parent),
                todo=f"When it has surely ended, delete the file {path} and start again.",
            )
        elif holder.is_alive:
            raise GazeError(
                f"A training runs in this folder (process {holder.pid}).",
                where=str(path.parent.parent),
                todo="Let it end, or stop it, or choose another folder.",
            )
        else:
            _take_away(path, said)
    raise GazeError(
        "The folder is being taken by another training.",
        where=str(path.parent.parent),
        todo=f"If none runs there, delete the file {path} and start again.",
    )


def _create(path: Path, ours: Holder) -> bool:
    """Make the file, unless it is there already."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(json.dumps(asdict(ours)) + "\n")
    except FileExistsError as error:
        if path.parent.is_dir():
            return False
        raise _not_writable(path, error) from error
    except OSError as error:
        if path.exists():  # another process has it open, on Windows
            return False
        raise _not_writable(path, error) from error
    return True


def _take_away(path: Path, said: bytes) -> None:
    """Take a dead process's file away; of several that want to, one moves it, and puts back what is another's."""
    mine = path.with_name(f"{LOCK}.{os.getpid()}")
    with suppress(OSError):
        path.rename(mine)
        if mine.read_bytes() == said:
            mine.unlink()
        else:
            mine.rename(path)


def _read(path: Path) -> tuple[Holder | None, bytes]:
    said = b""
    try:
        said = path.read_bytes()
        entry = json.loads(said)
        return Holder(int(entry["pid"]), str(entry["host"]), float(entry["started"])), said
    except (OSError, ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None, said


def _forget_old_stop(folder: Path, ours: Holder) -> None:
    """Take away a request to stop that is older than this process; a younger one is meant for it."""
    stop = folder / NOTES / STOP
    with suppress(OSError):
        if stop.stat().st_mtime < ours.started - _CLOCKS_DIFFER_S:
            stop.unlink()


def _holds_another(folder: Path, settings: TrainSettings) -> bool:
    """Return whether the folder has the settings of a training that gives something else."""
    theirs = _entries(folder / NOTES / SETTINGS)
    ours = json.loads(json.dumps(asdict(settings)))
    return bool(theirs) and any(theirs.get(key) != ours[key] for key in ours.keys() - PLACES_ONLY - {"data"})


def _entries(path: Path) -> Json:
    try:
        found = json.loads(path.read_text("utf-8"))
        return found if isinstance(found, dict) else {}
    except (OSError, ValueError, RecursionError):
        return {}


def _not_writable(path: Path, error: OSError) -> GazeError:
    return GazeError(
        f"Nothing can be written into the folder: {error.strerror or error}.",
        where=str(path.parent.parent),
        todo="Choose another folder, or give yourself the right to write.",
    )
