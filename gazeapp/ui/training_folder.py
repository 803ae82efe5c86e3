"""What a training writes into its folder, read bit by bit while it runs, here or on another computer."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from gazeapp.ui.training_history import Curve, Evaluation, History, whole_number

NOTES = "training"
"""Folder of a captioner that holds what its training says of itself."""

STOP, ERRORS, DESIGN = "stop", "errors.txt", "FACTORIAL.md"
RUNNING, STOPPING, STOPPED, FINISHED, FAILED, SILENT, WAITING, UNREADABLE = (
    "running",
    "stopping",
    "stopped",
    "finished",
    "failed",
    "silent",
    "waiting",
    "unreadable",
)
QUIET_S = 120.0
"""Seconds without a word after which a training whose process is not on this computer counts as silent."""

_START_S = 3.0
_TAIL = 4000
_CLOCKS_DIFFER_S = 5.0
_LATEST_S = 1e11


@dataclass(frozen=True, slots=True)
class Training:
    """One training as it stands.

    ``state`` is one of this module's, ``updated`` the time of its last word, s, and ``design`` the page that compares
    it with the others of its factorial design. It is ``taken`` when a process is about to go on with it, or trains the
    others of its design first.
    """

    folder: Path
    name: str
    state: str
    step: int = 0
    steps: int = 0
    message: str = ""
    pid: int = 0
    updated: float = 0.0
    was_here: bool = False
    curve: Curve = field(default_factory=Curve.empty)
    evaluations: tuple[Evaluation, ...] = ()
    errors: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    has_weights: bool = False
    has_card: bool = False
    design: Path | None = None
    taken: bool = False

    @property
    def goes_on(self) -> bool:
        """Whether it is at work, as far as can be told."""
        return self.state in (RUNNING, STOPPING)

    @property
    def can_go_on(self) -> bool:
        """Whether it ended with steps left, and nobody goes on with it already."""
        return self.state in (STOPPED, FAILED, SILENT) and not self.taken


class TrainingReader:
    """Reads one training's folder; `read` looks only at what is new.

    Parameters
    ----------
    folder
        Folder of the captioner that is trained.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._notes = folder / NOTES
        self._history = History(self._notes / "history.jsonl")
        self._json: dict[Path, tuple[tuple[int, int, int], dict[str, Any]]] = {}
        self._was_here = False

    def read(self, pid: int = 0, since: float = 0.0, root: Path | None = None) -> Training:
        """Return how the training stands.

        Parameters
        ----------
        pid, since
            Process that this window started for it, and when; 0 for none. It counts until it writes for itself.
        root
            Folder of the trainings that one process does one after another, where that process tells its troubles.
        """
        self._history.read()
        curve = self._history.curve
        status, settings = self._read_json("status.json"), self._read_json("settings.json")
        updated = max(_time(status.get("updated")), self._modified("history.jsonl"))
        state = str(status.get("state", ""))
        pid_told, message = _whole(status.get("pid")), str(status.get("message", ""))
        if since > updated:
            # The process that was started just now has not said anything; the words of the one before are old.
            state, pid_told, updated, message = RUNNING, pid, since, ""
        alive = is_alive(pid_told, updated)
        self._was_here = self._was_here or alive or (pid > 0 and pid == pid_told)
        last = int(curve.steps[-1]) if len(curve.steps) else 0
        return Training(
            folder=self.folder,
            name=_name(settings, self.folder),
            state=self._judge(state, alive, updated),
            step=max(_whole(status.get("step")), last)
            if state in (RUNNING, "")
            else _whole(status.get("step")),
            steps=_whole(status.get("steps")) or _whole(settings.get("steps")),
            message=message,
            pid=pid_told,
            updated=updated,
            was_here=self._was_here,
            curve=curve,
            evaluations=self._history.evaluations,
            errors=_tail((root or self.folder) / NOTES / ERRORS),
            settings=settings,
            has_weights=(self.folder / "weights.safetensors").is_file(),
            has_card=(self.folder / "MODEL_CARD.md").is_file(),
            design=_design(self.folder, root),
        )

    def _judge(self, state: str, alive: bool, updated: float) -> str:
        if state in (STOPPED, FINISHED, FAILED):
            return state
        if not state and not self._history and not updated:
            return WAITING
        quiet = time.time() - updated
        if alive or quiet < (_START_S if self._was_here else QUIET_S):
            return STOPPING if (self._notes / STOP).exists() else RUNNING
        return SILENT

    def _read_json(self, name: str) -> dict[str, Any]:
        """Return an object of a JSON file, the last one that could be read while it is being written."""
        path = self._notes / name
        known = self._json.get(path)
        try:
            facts = path.stat()
            stamp = (facts.st_ino, facts.st_size, facts.st_mtime_ns)
            if known is not None and known[0] == stamp:
                return known[1]
            data = json.loads(path.read_text("utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            self._json.pop(path, None)
            return {}
        except (OSError, ValueError, RecursionError) as error:
            if known is None and isinstance(error, OSError):
                raise
            return known[1] if known is not None else {}
        found = data if isinstance(data, dict) else {}
        self._json[path] = (stamp, found)
        return found

    def _modified(self, name: str) -> float:
        try:
            return (self._notes / name).stat().st_mtime
        except OSError:
            return 0.0


def find_trainings(root: Path) -> list[Path]:
    """Return the folders with a training: those in ``root``, as the four of a factorial are, or ``root`` itself.

    A factorial with several seeds has a folder of four for each.
    """
    inside = _folders_in(root)
    found = [path for path in inside if _has_notes(path)]
    for path in inside:
        if path.name.startswith("seed-"):
            found += [part for part in _folders_in(path) if _has_notes(part)]
    return found or ([root] if _has_notes(root) else [])


def why_not(root: Path) -> str:
    """Return why a folder in which no training was found cannot be read; empty when it is empty, or not there."""
    try:
        (root / NOTES).exists()
        next(root.iterdir(), None)
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        return str(error.strerror or error)
    return ""


def _folders_in(root: Path) -> list[Path]:
    try:
        return sorted(path for path in root.iterdir() if path.is_dir())
    except OSError:
        return []


def _has_notes(folder: Path) -> bool:
    try:
        return (folder / NOTES).is_dir()
    except OSError:
        return False


def is_alive(pid: int, updated: float) -> bool:
    """Return whether the process that spoke at ``updated`` runs on this computer; numbers are used again."""
    if pid <= 0:
        return False
    import psutil

    try:
        process = psutil.Process(pid)
        older = process.create_time() <= updated + _CLOCKS_DIFFER_S
        return older and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _design(folder: Path, root: Path | None) -> Path | None:
    """Return the page about a factorial design that a training is part of, once there is one."""
    places = {folder.parent, *((root,) if root is not None else ())}
    return next((place / DESIGN for place in places if (place / DESIGN).is_file()), None)


def _tail(path: Path) -> str:
    """Return the last that a process wrote to its error stream, of trainings that a window started."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _TAIL))
            return file.read().decode("utf-8", "replace").strip()
    except OSError:
        return ""


def _name(settings: Mapping[str, Any], folder: Path) -> str:
    given = str(settings.get("name") or "")
    if given or not settings.get("encoder"):
        return given or folder.name
    shown = {"cnn": "CNN", "vit": "ViT", "lstm": "LSTM", "transformer": "Transformer"}
    parts = (str(settings["encoder"]), str(settings.get("decoder", "")))
    return "-".join(shown.get(part, part) for part in parts)


def _time(value: object) -> float:
    """Return a time as seconds, given as such or as an ISO date; 0 for none."""
    if isinstance(value, int | float):
        return float(value) if 0 <= value <= _LATEST_S else 0.0
    try:
        return datetime.fromisoformat(str(value)).timestamp()
    except (ValueError, OverflowError):
        return 0.0


def _whole(value: object) -> int:
    return whole_number(value) or 0
